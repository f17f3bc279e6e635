//! Functions of parameters by themselves, such as those that drive the modifiers of channels.

use super::likelihood::{Conventions, Parameter, parameters};
use super::maker::Maker;
use super::piece::{Piece, Scratch};
use super::program::Program;
use crate::document::hs3::Hs3Document;
use crate::finding::{Finding, Findings};

/// Several functions of parameters, computed in one pass.
#[derive(Clone, Debug)]
pub struct Functions {
    /// What the functions depend on.
    pub parameters: Vec<Parameter>,
    /// What is odd, yet no error; without lines.
    pub warnings: Findings,
    /// All of them.
    program: Program,
    /// One after the other, for their derivatives.
    each: Vec<Piece>,
}

/// A function by name, or the parameter of this name; where it depends on variates, their values.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedFunction {
    pub name: String,
    pub centres: Vec<(String, f64)>,
    /// The place that names it.
    pub pointer: String,
}

impl Functions {
    /// Compiles functions by name; a name that is no function is the parameter itself.
    ///
    /// # Errors
    /// All findings that forbid the evaluation; they have pointers and no lines.
    pub fn compile(document: &Hs3Document, names: &[String]) -> Result<Functions, Vec<Finding>> {
        let wanted = |name: &String| WantedFunction {
            name: name.clone(),
            centres: Vec::new(),
            pointer: "/functions".to_string(),
        };
        Functions::compile_at(document, &names.iter().map(wanted).collect::<Vec<_>>(), None)
    }

    /// As [`Functions::compile`], with variates at given values; `point` is the parameter point that counts first.
    ///
    /// # Errors
    /// As [`Functions::compile`].
    pub fn compile_at(
        document: &Hs3Document,
        wanted: &[WantedFunction],
        point: Option<&str>,
    ) -> Result<Functions, Vec<Finding>> {
        let mut maker = Maker::new(document, Conventions::of_root(document.dialect.root_compat()));
        let (mut outputs, mut findings) = (Vec::with_capacity(wanted.len()), Vec::new());
        let mut centres: &[(String, f64)] = &[];
        for WantedFunction { name, centres: own, pointer } in wanted {
            if own != centres {
                maker.turn_to_bin(own);
                centres = own;
            }
            match maker.named(name, pointer) {
                Ok(id) => outputs.push(id),
                Err(more) => findings.extend(more.0),
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let parameters = parameters(&mut maker, point);
        let program = Program::compile(&maker.builder, &outputs, &[]);
        let one = |output: &usize| Piece::new(Program::compile(&maker.builder, &[*output], &[]));
        let mut each: Vec<Piece> = outputs.iter().map(one).collect();
        let mut memory = Scratch::new(each.iter().map(|piece| &piece.program), parameters.len());
        each.iter_mut().enumerate().for_each(|(at, piece)| piece.measure(&parameters, false, &mut memory, at));
        Ok(Functions { parameters, warnings: maker.warnings, program, each })
    }

    /// Whether a function depends on one of these variates.
    ///
    /// # Errors
    /// As [`Functions::compile`].
    pub fn depends_on(
        document: &Hs3Document,
        name: &str,
        variates: &[&str],
        pointer: &str,
    ) -> Result<bool, Vec<Finding>> {
        let mut maker = Maker::new(document, Conventions::of_root(document.dialect.root_compat()));
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        maker.turn_to(variates.iter().map(|variate| (variate.to_string(), all)).collect());
        let id = maker.named(name, pointer).map_err(|findings| findings.0)?;
        Ok(maker.builder.is_column(id))
    }

    /// Number of functions.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    pub fn scratch(&self) -> Scratch {
        let all = std::iter::once(&self.program).chain(self.each.iter().map(|piece| &piece.program));
        Scratch::new(all, self.parameters.len())
    }

    /// The values of the functions into `values`, in the order of their names; NaN for lengths that do not fit.
    pub fn values(&self, theta: &[f64], values: &mut [f64], scratch: &mut Scratch) {
        if theta.len() == self.parameters.len() {
            self.program.outputs(theta, values, &mut scratch.programs[0]);
        } else {
            values.fill(f64::NAN);
        }
    }

    /// Adds Σ adjoint · ∂function/∂parameter to `gradient`, at the point of the last [`Functions::values`] with this
    /// scratch.
    pub fn pull_back(&self, adjoints: &[f64], gradient: &mut [f64], scratch: &mut Scratch) {
        if gradient.len() == self.parameters.len() {
            self.program.pull_back(adjoints, gradient, &mut scratch.programs[0]);
        }
    }

    /// The parameters of one function, ascending.
    pub fn parameters_of(&self, function: usize) -> &[usize] {
        &self.each[function].parameters
    }

    /// The derivatives of one function by its own parameters into `slopes`.
    pub fn slopes(&self, function: usize, theta: &[f64], slopes: &mut [f64], scratch: &mut Scratch) {
        let piece = &self.each[function];
        let (gradient, memory) = scratch.of(function + 1);
        piece.program.value_and_gradient(theta, gradient, memory);
        piece.parameters.iter().zip(slopes).for_each(|(i, slope)| *slope = gradient[*i]);
    }

    /// The second derivatives of one function by its own parameters (square, row-major; spec/hs3.md, "Second
    /// derivatives").
    pub fn hessian<'s>(&self, function: usize, theta: &[f64], scratch: &'s mut Scratch) -> &'s [f64] {
        self.each[function].hessian(theta, scratch, function + 1);
        &scratch.squares[function + 1]
    }
}
