//! What tells that a point of a profile is a minimum: a *local* certificate (spec/inference.md, "Local certificates").

use super::likelihood::Likelihood;
use super::profile::ProfilePoint;

/// A gradient above this, in `twice_nll` a width, is not that of a minimum.
const VANISHING: f64 = 1e-3;

/// How a point of a profile was found, and that it is a minimum of its surroundings. It says nothing about minima
/// elsewhere, but for how many starts have led to this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The largest component of the gradient over the parameters that may move, each in units of its width.
    pub projected_gradient: f64,
    /// The smallest eigenvalue of the Hessian over the parameters that may move, in their widths; infinite where none
    /// may, NaN where it is not positive or there is no matrix.
    pub smallest_eigenvalue: f64,
    /// Parameters that lie on a bound, but for those held.
    pub active_bounds: Vec<usize>,
    /// Which of the minima the point was continued from; `None` where another start has led to it.
    pub branch: Option<usize>,
    /// Starts that were tried, and those that led to this minimum.
    pub n_starts: u32,
    pub n_agree: u32,
}

impl Certificate {
    /// The certificate of a point with a minimum; `n_minima` of the branches began at minima.
    pub(crate) fn new(
        likelihood: &mut Likelihood,
        held: &[usize],
        point: &ProfilePoint,
        n_minima: usize,
    ) -> Certificate {
        let (projected_gradient, smallest_eigenvalue) = likelihood.certificate(&point.minimum.parameters, held);
        Certificate {
            projected_gradient,
            smallest_eigenvalue,
            active_bounds: active_bounds(likelihood, held, &point.minimum.parameters),
            branch: point.branch.filter(|branch| *branch < n_minima),
            n_starts: point.n_starts,
            n_agree: point.n_agree,
        }
    }

    /// The gradient vanishes and the curvature is positive.
    pub fn holds(&self) -> bool {
        self.projected_gradient <= VANISHING && self.smallest_eigenvalue > 0.0
    }
}

/// The free parameters that lie on a bound, but for those held.
pub(crate) fn active_bounds(likelihood: &Likelihood, held: &[usize], parameters: &[f64]) -> Vec<usize> {
    let options = &likelihood.options;
    let on_bound = |i: &usize| {
        let (low, high) = options.bounds[*i];
        !options.fixed[*i] && !held.contains(i) && (parameters[*i] <= low || parameters[*i] >= high)
    };
    (0..parameters.len()).filter(on_bound).collect()
}
