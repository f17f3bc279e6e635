//! Simplified likelihoods as they are written in the file (spec/eft-importers.md, "Simplified likelihoods"): counts of
//! signal regions, and the covariance of their backgrounds.

use schemars::JsonSchema;
use serde::Deserialize;

/// The format that this crate reads.
pub const FORMAT: &str = "simplified-likelihood/1";

/// Signal regions with backgrounds of one joint normal distribution. One of `covariance`, `correlation` and `table` says
/// which.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimplifiedLikelihood {
    #[schemars(extend("const" = "simplified-likelihood/1"))]
    pub format: String,
    /// With which the names of the nuisance parameters begin.
    #[serde(default = "background")]
    pub name: String,
    #[schemars(length(min = 1))]
    pub regions: Vec<Region>,
    /// Of the backgrounds, in events squared: a symmetric matrix, row by row.
    #[serde(default)]
    #[schemars(with = "Vec<Vec<f64>>")]
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Of the backgrounds, whose errors are the `uncertainty` of the regions.
    #[serde(default)]
    #[schemars(with = "Vec<Vec<f64>>")]
    pub correlation: Option<Vec<Vec<f64>>>,
    /// What a table in a file of its own holds.
    #[serde(default)]
    #[schemars(with = "Matrix")]
    pub table: Option<Matrix>,
}

/// A region with one count.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub name: String,
    pub observed: f64,
    /// The mean of the background.
    pub background: f64,
    /// The error of the background, beside a correlation.
    #[serde(default)]
    #[schemars(with = "f64")]
    pub uncertainty: Option<f64>,
    /// Events of the signal at strength 1; of all regions or of none.
    #[serde(default)]
    #[schemars(with = "f64")]
    pub signal: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matrix {
    Covariance,
    Correlation,
}

fn background() -> String {
    "background".to_owned()
}
