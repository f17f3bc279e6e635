//! Bounded maximum-likelihood fit with a certificate.

use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// Start, bounds and fixed flags, each n_parameters long and in fit order; from the model where not overridden.
#[derive(Clone, Debug)]
pub struct FitOptions {
    pub init: Vec<f64>,
    pub bounds: Vec<(f64, f64)>,
    pub fixed: Vec<bool>,
    pub max_iterations: usize,
    /// Stop when the estimated distance to the minimum (in `twice_nll`) is below this.
    pub edm_tolerance: f64,
    /// Uncertainties, covariance and correlation from the exact Hessian.
    pub hesse: bool,
}

/// The outcome of a fit, good or failed. All vectors are in fit order.
#[derive(Clone, Debug)]
pub struct FitResult {
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Estimated distance of `twice_nll` to the minimum.
    pub edm: f64,
    pub valid: bool,
    /// `None` for a valid fit; else what failed.
    pub reason: Option<Failure>,
    /// 0 for fixed parameters; at a bound from the free Hessian. `None` where not asked for or not computable.
    pub uncertainties: Option<Vec<f64>>,
    /// n × n, row-major; rows and columns of fixed parameters are zero.
    pub covariance: Option<Vec<f64>>,
    /// Free parameters that end on a bound.
    pub at_limit: Vec<usize>,
    pub n_iterations: usize,
    pub n_evaluations: usize,
}

/// Why a fit is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A start value lies outside its bounds.
    StartOutOfBounds {
        parameters: Vec<usize>,
    },
    /// The start, or every step from the last point, has a bin with ν < 0 or ν = 0 with n > 0.
    OutOfDomain {
        channel: usize,
        bin: usize,
    },
    /// The minimum lies where a bin's expected yield is zero.
    YieldAtZero {
        channel: usize,
        bin: usize,
    },
    /// The Hessian is not positive definite along these directions: (parameters with their weights).
    FlatDirections {
        directions: Vec<Vec<(usize, f64)>>,
    },
    IterationLimit,
    /// No step lowers the value although the estimated distance is above the tolerance.
    NoProgress,
}

/// Minimises `twice_nll` over the free parameters within their bounds.
pub fn fit(_evaluator: &mut Evaluator, _data: &PreparedData, _options: &FitOptions) -> FitResult {
    todo!()
}
