//! Event databases and their histograms as they are written in the file (spec/event-database.md).

use super::{MorphComponents, Positivity, Truncation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file of events with observables and weights (spec/event-database.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventDatabase {
    pub name: String,
    /// Path relative to the document; no network.
    pub uri: String,
    /// Of the bytes of the file, 64 hexadecimal digits.
    pub sha256: String,
    pub media_type: MediaType,
    pub n_rows: u64,
    pub weights: EventWeights,
    /// Columns of the observables, with their units.
    pub observables: BTreeMap<String, ObservableColumn>,
    pub normalisation: Normalisation,
    #[serde(default)]
    pub positivity: Positivity,
    /// Column of integers; rows of one number are one event, whose weights are summed before they are squared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub event_id: Option<String>,
    /// Column that names the channel of a row; else rows are in all channels that ask for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub channel: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub systematics: BTreeMap<String, EventSystematic>,
    /// How helicities were treated when weights were computed, such as `summed` or `fixed`: a remark for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub helicity: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MediaType {
    #[serde(rename = "application/vnd.apache.parquet")]
    Parquet,
    #[serde(rename = "application/vnd.apache.arrow.file")]
    Arrow,
}

/// The weight of an event as a function of the coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EventWeights {
    /// w_e(c) = Σ_k a_ek φ_k(c), one column a monomial.
    Coefficients { monomials: Vec<Vec<String>>, columns: Vec<String> },
    /// Weights at basis points, solved for the coefficients as `eft_morph` does.
    BasisWeights {
        parameters: Vec<String>,
        basis_points: Vec<Vec<f64>>,
        columns: Vec<String>,
        components: MorphComponents,
    },
    /// w_e(c) = reference · Σ_k a_ek φ_k(c).
    Ratio { reference: String, monomials: Vec<Vec<String>>, columns: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservableColumn {
    pub column: String,
    /// Such as `GeV`; `1` for a pure number.
    pub unit: String,
}

/// From summed weights to yields (spec/event-database.md, eq. 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Normalisation {
    /// Weights are cross sections: yields are luminosity times their sums.
    Absolute { luminosity: f64, luminosity_unit: LuminosityUnit, weight_unit: CrossSectionUnit },
    /// Weights are arbitrary: `cross_section / sum_of_weights` scales them, the sum being over all generated events at
    /// the reference point, before any selection.
    Generator {
        luminosity: f64,
        luminosity_unit: LuminosityUnit,
        cross_section: f64,
        cross_section_unit: CrossSectionUnit,
        sum_of_weights: f64,
    },
    /// Weights are yields.
    Yields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LuminosityUnit {
    #[serde(rename = "1/pb")]
    InversePicobarn,
    #[serde(rename = "1/fb")]
    InverseFemtobarn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrossSectionUnit {
    Pb,
    Fb,
}

/// A systematic uncertainty of single events; its nuisance parameter has the name under which it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EventSystematic {
    /// s_e = 1 + ν a_e
    Linear { column: String },
    /// s_e = a_e^ν
    Power { column: String },
    /// s_e = exp(ν δ_e + ν² Δ_e)
    LogQuadratic { linear: String, quadratic: String },
    /// Observables at ν = −1 and +1 instead of the nominal ones: becomes a histosys of every monomial.
    Shift {
        #[schemars(length(min = 1))]
        observables: BTreeMap<String, ShiftedColumns>,
    },
}

/// The columns of an observable at ν = −1 and +1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftedColumns {
    pub lo: String,
    pub hi: String,
}

/// `eft_events`: the yields are a histogram of a database's events at the point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsData {
    pub database: String,
    /// Bins are numbered with the last axis running fastest.
    #[schemars(length(min = 1, max = 2))]
    pub axes: Vec<Axis>,
    pub underflow: Flow,
    pub overflow: Flow,
    pub truncation: Truncation,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
    /// Events outside of these ranges are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<Cut>,
    /// Weights below are lifted to it, event by event: then the events are kept and the response is no polynomial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub floor: Option<f64>,
    /// The statistical uncertainty from Σ w² of the events.
    pub mc_stat: EventMcStat,
    /// Systematics of the database that act on this sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systematics: Vec<String>,
    /// A further factor on all weights, such as a k-factor.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub k_factor: f64,
    /// Whether rows of this sample may also be in other samples that say so.
    #[serde(default, skip_serializing_if = "Overlap::is_refused")]
    pub overlap: Overlap,
}

/// What one row in two samples means (spec/event-database.md, "Rows in several samples").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// An error.
    #[default]
    Refused,
    /// The samples stand for different data; at most one of them has a statistical uncertainty.
    Allowed,
}

impl Overlap {
    fn is_refused(&self) -> bool {
        *self == Overlap::Refused
    }
}

fn one() -> f64 {
    1.0
}

#[allow(clippy::float_cmp)]
fn is_one(x: &f64) -> bool {
    *x == 1.0
}

/// One axis of a histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    pub observable: String,
    /// Increasing; bins are [e_i, e_{i+1}), the last finite one is closed. The outer ones may be `"-inf"` and `"inf"`.
    #[schemars(length(min = 2))]
    pub edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Edge {
    Finite(f64),
    Infinite(Infinity),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Infinity {
    #[serde(rename = "inf")]
    Above,
    #[serde(rename = "-inf")]
    Below,
}

/// What becomes of events below the first or above the last edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// There must be none.
    Error,
    Drop,
    /// They join the outermost bin.
    Merge,
}

/// `min ≤ observable < max`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    pub observable: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub max: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventMcStat {
    Word(EventMcStatWord),
    FixedAt(FixedAt),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventMcStatWord {
    None,
    /// σ²_b(c) = Σ_e w_e(c)²
    W2,
}

/// Σ w² at a point, whatever the coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedAt {
    pub fixed_at: BTreeMap<String, f64>,
}
