//! Functions of parameters by themselves, such as those that drive the modifiers of channels.

use super::likelihood::{Parameter, parameters};
use super::maker::Maker;
use super::program::{Program, Scratch};
use crate::document::hs3::Hs3Document;
use crate::finding::{Finding, Findings};

/// Several functions of parameters, computed in one pass.
#[derive(Clone, Debug)]
pub struct Functions {
    /// What the functions depend on.
    pub parameters: Vec<Parameter>,
    /// What is odd, yet no error; without lines.
    pub warnings: Findings,
    program: Program,
}

impl Functions {
    /// Compiles functions by name; a name that is no function is the parameter itself.
    ///
    /// # Errors
    /// All findings that forbid the evaluation; they have pointers and no lines.
    pub fn compile(document: &Hs3Document, names: &[String]) -> Result<Functions, Vec<Finding>> {
        let mut maker = Maker::new(document, document.dialect.root_compat());
        let (mut outputs, mut findings) = (Vec::with_capacity(names.len()), Vec::new());
        for name in names {
            match maker.named(name, "/functions") {
                Ok(id) => outputs.push(id),
                Err(more) => findings.extend(more.0),
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let parameters = parameters(&mut maker, None);
        let program = Program::compile(&maker.builder, &outputs, &[]);
        Ok(Functions { parameters, warnings: maker.warnings, program })
    }

    pub fn scratch(&self) -> Scratch {
        self.program.scratch()
    }

    /// The values of the functions into `values`, in the order of their names; NaN for lengths that do not fit.
    pub fn values(&self, theta: &[f64], values: &mut [f64], scratch: &mut Scratch) {
        if theta.len() == self.parameters.len() {
            self.program.outputs(theta, values, scratch);
        } else {
            values.fill(f64::NAN);
        }
    }

    /// Adds Σ adjoint · ∂function/∂parameter to `gradient`, at the point of the last [`Functions::values`] with this
    /// scratch.
    pub fn pull_back(&self, adjoints: &[f64], gradient: &mut [f64], scratch: &mut Scratch) {
        if gradient.len() == self.parameters.len() {
            self.program.pull_back(adjoints, gradient, scratch);
        }
    }
}
