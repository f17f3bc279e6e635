//! Unbinned terms as they are written in the file (spec/unbinned.md): single events with learned ratios of densities.

use super::{MediaType, MorphComponents, Truncation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Events that a likelihood takes one by one: their number, and for each what the coefficients do to its density.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbinnedTerm {
    pub name: String,
    /// The observed events.
    pub events: EventTable,
    /// Column of their weights s_i; one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub weight: Option<String>,
    /// Simulated events with the same columns: for calibration, Asimov data and toys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReferenceEvents")]
    pub reference: Option<ReferenceEvents>,
    /// Processes that add up to the density.
    #[schemars(length(min = 1))]
    pub components: Vec<UnbinnedComponent>,
}

/// A sample of the density to which all ratios refer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceEvents {
    pub events: EventTable,
    /// Column of their weights; equal without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub weight: Option<String>,
}

/// Columns of numbers, an entry an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventTable {
    Inline(InlineTable),
    File(TableFile),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineTable {
    pub columns: BTreeMap<String, Vec<f64>>,
}

/// A file as those of event databases (spec/event-database.md, "The file").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFile {
    /// Path relative to the document; no network.
    pub uri: String,
    /// Of the bytes of the file, 64 hexadecimal digits.
    pub sha256: String,
    pub media_type: MediaType,
    pub n_rows: u64,
}

/// A process of an unbinned term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbinnedComponent {
    pub name: String,
    /// How many events are expected.
    pub yields: Yields,
    /// Factors on the yields with a nuisance of unit Gaussian constraint each, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub yield_systematics: BTreeMap<String, YieldFactor>,
    /// Parameters that multiply the yields, by name: coefficients, or normfactors of channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub normfactors: Vec<String>,
    pub ratio: Ratio,
    pub ratio_of: RatioOf,
    /// Column of what multiplies the ratio: the density of the component at the reference point in units of the
    /// density to which all components refer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub density: Option<String>,
    /// Factors on the ratio with a nuisance of unit Gaussian constraint each, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub systematics: BTreeMap<String, RatioFactor>,
    /// Of two nuisances in `systematics` together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlated: Vec<CorrelatedFactor>,
    #[serde(default, skip_serializing_if = "Calibration::is_none")]
    pub calibration: Calibration,
    /// Further networks of an ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Replicas")]
    pub replicas: Option<Replicas>,
}

/// The expected number of events of a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Yields {
    /// Σ_k n_k φ_k(c)
    Polynomial {
        #[schemars(length(min = 1))]
        monomials: Vec<Vec<String>>,
        #[schemars(length(min = 1))]
        coefficients: Vec<f64>,
        truncation: Truncation,
    },
    /// `events` times the mean of the ratio over the reference events, with its factors.
    Reference { events: f64 },
}

/// A factor on the yields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum YieldFactor {
    /// 1 + ν a
    Linear { value: f64 },
    /// a^ν
    Power { value: f64 },
    /// exp(ν δ + ν² Δ)
    LogQuadratic { linear: f64, quadratic: f64 },
}

/// A factor on the ratio of each event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RatioFactor {
    /// 1 + ν a_i
    Linear { column: String },
    /// a_i^ν
    Power { column: String },
    /// exp(ν δ_i + ν² Δ_i)
    LogQuadratic { linear: String, quadratic: String },
}

/// exp(ν_a ν_b Δ_i) of two nuisances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelatedFactor {
    pub systematics: [String; 2],
    pub column: String,
}

/// What columns say of the ratio r_i(c).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ratio {
    /// `constant` + Σ_k a_ik φ_k(c), one column a monomial.
    Polynomial {
        #[serde(default, skip_serializing_if = "is_zero")]
        constant: f64,
        monomials: Vec<Vec<String>>,
        columns: Vec<String>,
        truncation: Truncation,
    },
    /// Σ_r (`constant` + Σ_k a_irk φ_k(c))², never negative.
    SumOfSquares {
        #[schemars(length(min = 1))]
        amplitudes: Vec<Amplitude>,
        truncation: Truncation,
    },
    /// Ratios at basis points, one column each, solved for a polynomial as `eft_morph` does.
    BasisPoints {
        #[schemars(length(min = 1))]
        parameters: Vec<String>,
        #[schemars(length(min = 1))]
        basis_points: Vec<Vec<f64>>,
        columns: Vec<String>,
        encoding: Encoding,
        components: MorphComponents,
        truncation: Truncation,
    },
}

/// One amplitude of a sum of squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amplitude {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub constant: f64,
    pub monomials: Vec<Vec<String>>,
    pub columns: Vec<String>,
}

#[allow(clippy::float_cmp)]
fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// What a column of a classifier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Ratio,
    LogRatio,
    /// s = 1/(1 + r): the classifier is one for the reference.
    ProbabilityOfReference,
    /// s = r/(1 + r): the classifier is one for the basis point.
    ProbabilityOfPoint,
}

/// Of what the ratio is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatioOf {
    /// Of differential yields, dN(c)/dN(c_ref): its mean follows the yields.
    Yields,
    /// Of normalised densities, p(x|c)/p(x|c_ref): its mean is one.
    Densities,
}

/// What is done so that the ratio of densities has mean one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    #[default]
    None,
    /// It is divided by its mean over the reference events, at every point.
    Reference,
}

impl Calibration {
    fn is_none(&self) -> bool {
        *self == Calibration::None
    }
}

/// Columns of further networks, each list in the place of all columns of the ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    #[schemars(length(min = 1))]
    pub columns: Vec<Vec<String>>,
    pub central: CentralValue,
    /// Names of nuisance parameters, one a replica with the ratio's own columns as the first: then ratios have the
    /// covariance of the replicas. Without, the spread is reported and does not enter the likelihood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nuisances: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CentralValue {
    MeanRatio,
    MeanLogRatio,
}

impl Ratio {
    /// All columns in order, those of amplitudes one after another.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Ratio::Polynomial { columns, .. } | Ratio::BasisPoints { columns, .. } => {
                columns.iter().map(String::as_str).collect()
            }
            Ratio::SumOfSquares { amplitudes, .. } => {
                amplitudes.iter().flat_map(|amplitude| &amplitude.columns).map(String::as_str).collect()
            }
        }
    }
}

impl UnbinnedComponent {
    /// All columns that it reads; a name may come twice.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        fn of_factor(factor: &RatioFactor) -> Vec<&String> {
            match factor {
                RatioFactor::Linear { column } | RatioFactor::Power { column } => vec![column],
                RatioFactor::LogQuadratic { linear, quadratic } => vec![linear, quadratic],
            }
        }
        let of_factors = self.systematics.values().flat_map(of_factor);
        let correlated = self.correlated.iter().map(|factor| &factor.column);
        let of_replicas = self.replicas.iter().flat_map(|replicas| &replicas.columns).flatten();
        let others = of_factors.chain(correlated).chain(of_replicas).chain(&self.density).map(String::as_str);
        self.ratio.columns().into_iter().chain(others)
    }

    /// The nuisance parameters of unit Gaussian constraint; a name may come twice.
    pub fn nuisances(&self) -> impl Iterator<Item = &str> {
        let of_replicas = self.replicas.iter().flat_map(|replicas| &replicas.nuisances);
        self.yield_systematics.keys().chain(self.systematics.keys()).chain(of_replicas).map(String::as_str)
    }
}
