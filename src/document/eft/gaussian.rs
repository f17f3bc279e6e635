//! Measurements with Gaussian errors as they are written in the file (spec/gaussian.md).

use super::{Expansion, PerBin, RationalFactor, Truncation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Points that one publication measured: data, their errors, and the means that the theory predicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianMeasurement {
    pub name: String,
    #[schemars(length(min = 1))]
    pub data: Vec<f64>,
    pub prediction: Prediction,
    /// Errors of single points, independent of each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncorrelated: Vec<f64>,
    /// The covariance of the points: a symmetric matrix, row by row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covariance: Vec<Vec<f64>>,
    /// The covariance of the errors of the prediction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theory_covariance: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systematics: Vec<GaussianSystematic>,
    /// What the errors of multiplicative systematics are fractions of; required where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MultiplicativeReference")]
    pub multiplicative: Option<MultiplicativeReference>,
}

/// The means of the points: polynomials, or products of powers of them such as ratios and asymmetries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Prediction {
    /// Σ_k A_ka φ_k(c) of each point a
    Polynomial {
        #[schemars(length(min = 1))]
        monomials: Vec<Vec<String>>,
        #[schemars(length(min = 1))]
        coefficients: Vec<PerBin>,
        truncation: Truncation,
    },
    /// Π_f P_fa(c)^{p_f} of each point a
    Rational {
        #[schemars(length(min = 1))]
        factors: Vec<RationalFactor>,
        expansion: Expansion,
        /// Ends each factor before they are multiplied.
        factor_truncation: Truncation,
    },
}

impl Prediction {
    /// The factors of a product.
    pub fn factors(&self) -> &[RationalFactor] {
        match self {
            Prediction::Polynomial { .. } => &[],
            Prediction::Rational { factors, .. } => factors,
        }
    }
}

/// An error of one origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianSystematic {
    pub name: String,
    pub correlation: Correlation,
    pub kind: SystematicKind,
    /// For each point with its sign: the error in units of the data, or a fraction where the kind is multiplicative.
    #[schemars(length(min = 1))]
    pub values: Vec<f64>,
}

/// With what an error is correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// With nothing: a nuisance a point.
    None,
    /// Fully between the points of the measurement: a nuisance of its own.
    Measurement,
    /// Fully with everything of the same name, in other measurements and in channels: one nuisance parameter.
    Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystematicKind {
    Additive,
    Multiplicative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MultiplicativeReference {
    /// The data.
    Data,
    /// The means where all Wilson coefficients and nuisances are zero.
    T0,
}

/// The covariance between the points of two measurements, such as overlapping data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianCorrelation {
    pub measurements: [String; 2],
    /// A row for each point of the first, a column for each of the second.
    #[schemars(length(min = 1))]
    pub covariance: Vec<Vec<f64>>,
}

/// What becomes of the nuisances of named systematics that no channel has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedSystematics {
    /// They are profiled in closed form: errors in the covariance.
    #[default]
    Covariance,
    /// They are parameters of the model.
    Parameters,
}
