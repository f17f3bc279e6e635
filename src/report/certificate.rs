//! Local certificates of the points of profiles.

use super::number::Number;
use crate::infer::Certificate;
use schemars::JsonSchema;
use serde::Serialize;

/// How a point of a profile was found, and that it is a minimum of its surroundings. It says nothing about minima
/// elsewhere, but for how many starts led here.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CertificateReport {
    /// Names of the parameters that lie on a bound, but for those held.
    pub active_bounds: Vec<String>,
    /// Starts that led to this minimum.
    pub agreeing_starts: u32,
    /// Which of `minima` the point was continued from; null where a start from elsewhere led to it.
    pub branch: Option<usize>,
    /// The gradient is below 1e-3 and the eigenvalue positive.
    pub holds: bool,
    /// The largest component of the gradient over the parameters that may move, each in units of its width.
    pub projected_gradient: Number,
    /// The smallest eigenvalue of the Hessian over the parameters that may move, in their widths; null where none may,
    /// where it is not positive, or where there is no matrix.
    pub smallest_eigenvalue: Number,
    /// Starts that were tried.
    pub starts: u32,
}

impl CertificateReport {
    pub(super) fn new(names: &[String], certificate: &Certificate) -> CertificateReport {
        CertificateReport {
            active_bounds: certificate.active_bounds.iter().filter_map(|&i| names.get(i).cloned()).collect(),
            agreeing_starts: certificate.n_agree,
            branch: certificate.branch,
            holds: certificate.holds(),
            projected_gradient: Number(certificate.projected_gradient),
            smallest_eigenvalue: Number(certificate.smallest_eigenvalue),
            starts: certificate.n_starts,
        }
    }
}

/// The mark of a point in a table.
pub(super) fn mark(certificate: Option<&CertificateReport>) -> &'static str {
    if certificate.is_none_or(|certificate| certificate.holds) { "" } else { "not certified" }
}
