//! Constraints that are correlated, as a workspace says it (spec/constraints.md, "Correlated constraints").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which parameters have constraints that are not independent of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlations {
    /// The version of this member: `0.1.0`.
    #[schemars(extend("const" = "0.1.0"))]
    pub version: String,
    #[schemars(length(min = 1))]
    pub groups: Vec<CorrelationGroup>,
}

/// Parameters with a multivariate normal constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelationGroup {
    /// Scalar parameters with a Gaussian constraint.
    #[schemars(length(min = 2))]
    pub parameters: Vec<String>,
    /// The correlations of their auxiliary measurements: rows of a symmetric, positive definite matrix with 1 on its diagonal.
    #[schemars(length(min = 2))]
    pub matrix: Vec<Vec<f64>>,
}
