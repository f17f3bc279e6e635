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
    #[serde(default, skip_serializing_if = "Distribution::is_gaussian")]
    pub distribution: Distribution,
    /// For each point with its sign: the error in units of the data, or a fraction where the kind is multiplicative.
    #[schemars(length(min = 1))]
    pub values: Vec<f64>,
}

impl GaussianSystematic {
    /// A Gaussian error that is correlated by name.
    pub fn is_named_gaussian(&self) -> bool {
        self.correlation == Correlation::Name && self.distribution == Distribution::Gaussian
    }

    /// It scales the means of its measurement, and is a parameter.
    pub fn follows_prediction(&self, measurement: &GaussianMeasurement) -> bool {
        self.kind == SystematicKind::Multiplicative
            && measurement.multiplicative == Some(MultiplicativeReference::Model)
    }

    /// How many independent errors it is.
    pub fn n_nuisances(&self) -> usize {
        if self.correlation == Correlation::None { self.values.len() } else { 1 }
    }
}

/// How an error is distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// The value is a standard deviation.
    #[default]
    Gaussian,
    /// Anything within plus and minus the value is as good: a flat theory error.
    Flat,
}

impl Distribution {
    fn is_gaussian(&self) -> bool {
        *self == Distribution::Gaussian
    }
}

/// What becomes of flat errors (spec/gaussian.md, section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlatErrors {
    /// Parameters within −1 and 1.
    #[default]
    Profiled,
    /// They are integrated over.
    Marginalised,
    /// Residuals come nearer to zero by them before correlations count, as some global fits do.
    Clamp,
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
    /// The means: every multiplicative systematic is a parameter that scales them.
    Model,
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
