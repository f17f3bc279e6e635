//! What is in a likelihood that its authors should know (spec/audit.md).
//!
//! [`audit`] looks at templates, bins, parameters and the information matrix of a model with data, and returns findings.
//! Nothing is changed, and nothing that it finds need be wrong.

mod bins;
mod code;
mod context;
mod information;
mod parameters;
mod places;
mod statistics;
mod systematics;
mod template;
mod thresholds;

pub use code::{About, Code, Severity};
pub use information::{Correlated, Directions};
pub use places::Places;
pub use template::{Shape, curve, shape};
pub use thresholds::{Threshold, Thresholds};

use crate::infer::FitResult;
use crate::model::{Data, Model};
use context::Context;

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub model: &'a Model,
    pub data: &'a Data,
    /// The point before a fit (n_parameters).
    pub point: &'a [f64],
    /// Which parameters are held (n_parameters).
    pub fixed: &'a [bool],
    /// Coefficients of the EFT extension (n_parameters): unconstrained on purpose.
    pub coefficients: &'a [bool],
    /// The name of the parameter of interest as the measurement has it.
    pub poi_name: Option<&'a str>,
    pub fit: Option<&'a FitResult>,
    pub places: &'a Places,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// Larger is worse, among findings of one code.
    pub size: f64,
    /// JSON Pointer into the document.
    pub pointer: Option<String>,
    pub channel: Option<String>,
    pub sample: Option<String>,
    /// The name that modifiers and parameters share.
    pub modifier: Option<String>,
    /// Types of the modifiers, in the words of the document.
    pub types: Vec<&'static str>,
    /// Scalar parameters, with the weights that a direction gives them.
    pub parameters: Vec<String>,
    pub weights: Vec<f64>,
    /// Bins of the channel, from 0.
    pub bins: Vec<usize>,
    /// Other samples or names that belong to it.
    pub others: Vec<String>,
    /// The numbers of it (spec/audit.md).
    pub values: Vec<(&'static str, f64)>,
    /// Channel, sample and scalar parameter of a variation that can be drawn.
    pub variation: Option<(usize, usize, usize)>,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// By severity, then in the order of [`Code::ALL`], the worst first.
    pub findings: Vec<Finding>,
    /// What was not looked at, and why.
    pub left_out: Vec<String>,
    pub directions: Option<Directions>,
}

impl Finding {
    fn new(code: Code, severity: Severity, size: f64) -> Finding {
        Finding {
            code,
            severity,
            size,
            pointer: None,
            channel: None,
            sample: None,
            modifier: None,
            types: Vec::new(),
            parameters: Vec::new(),
            weights: Vec::new(),
            bins: Vec::new(),
            others: Vec::new(),
            values: Vec::new(),
            variation: None,
        }
    }

    fn values<const N: usize>(mut self, values: [(&'static str, f64); N]) -> Finding {
        self.values.extend(values);
        self
    }

    /// A number of the finding by its name.
    pub fn value(&self, name: &str) -> f64 {
        self.values.iter().find(|(own, _)| *own == name).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// Looks at a model with channels.
pub fn audit(subject: Subject, thresholds: &Thresholds) -> Audit {
    let mut audit = Audit::default();
    let context = Context::new(subject, thresholds);
    context.left_out(&mut audit.left_out);
    let found = &mut audit.findings;
    let null = systematics::look(&context, found);
    bins::look(&context, found);
    statistics::look(&context, found);
    parameters::look(&context, &null, found);
    match information::directions(&context) {
        Ok(directions) => {
            information::look(&context, &directions, found);
            audit.directions = Some(directions);
        }
        Err(why) => audit.left_out.push(why),
    }
    let order = |finding: &Finding| (finding.severity, finding.code);
    audit.findings.sort_by(|a, b| order(a).cmp(&order(b)).then(b.size.total_cmp(&a.size)));
    audit
}
