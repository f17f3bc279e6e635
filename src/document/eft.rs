//! The EFT extension of a workspace as it is written in the file (spec/eft.md): the block `eft` of the workspace and
//! the data of the modifiers whose types begin with `eft_`.
//!
//! These types hold the file and nothing more. Monomials are lists of parameter names: `[]` is the constant,
//! `["cHW", "cHW"]` a square; each monomial stands once, whatever the order of its names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the extension that this crate reads and writes.
pub const VERSION: &str = "0.1.0";

/// What a workspace declares once for all its EFT modifiers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eft {
    /// The version of the extension; this crate reads `0.1.0`.
    #[schemars(extend("const" = "0.1.0"))]
    pub version: String,
    pub basis: Basis,
    #[schemars(length(min = 1))]
    pub wilson_coefficients: Vec<WilsonCoefficient>,
    /// Polynomials by name, for modifiers that share one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub responses: BTreeMap<String, PolynomialData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_databases: Vec<EventDatabase>,
}

/// In which theory and normalisation the coefficients are meant: documents that disagree cannot be combined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Name of the theory as in WCxf, such as `SMEFT`.
    pub eft: String,
    /// Name of the operator basis as in WCxf, such as `Warsaw`.
    pub basis: String,
    /// The scale Λ by whose powers the coefficients are divided.
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: f64,
    /// Input parameters of the electroweak sector, such as `MW_MZ_GF`.
    pub input_scheme: String,
    /// Renormalisation scale of the coefficients.
    #[serde(rename = "scale_GeV", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub scale_gev: Option<f64>,
}

/// A free parameter without constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WilsonCoefficient {
    pub name: String,
    /// The box inside which responses are meant to hold, and the limits of fits.
    pub bounds: [f64; 2],
    #[serde(default)]
    pub init: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// Mass dimension of the operator: 6 counts one order in 1/Λ², 8 counts two (spec/eft.md, eq. 2).
    #[serde(default = "six", skip_serializing_if = "is_six")]
    #[schemars(extend("enum" = [6, 8]))]
    pub dimension: u32,
    /// The coefficient of the WCxf basis, with its sign and normalisation, where `name` is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub wcxf: Option<String>,
}

impl WilsonCoefficient {
    /// Its order in 1/Λ² (spec/eft.md, eq. 2).
    pub fn np_order(&self) -> u32 {
        self.dimension.saturating_sub(4) / 2
    }
}

fn six() -> u32 {
    6
}

fn is_six(dimension: &u32) -> bool {
    *dimension == 6
}

/// What the coefficients of a response count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Yields: the response replaces the nominal yields, which must be its value at the reference point.
    Absolute,
    /// Factors on the nominal yields.
    Relative,
}

/// A number for each bin of the sample, or one for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerBin {
    All(f64),
    Each(Vec<f64>),
}

/// Where a series in 1/Λ² ends, counted in the original coefficients (spec/eft.md, "Truncation"). Dimension 6 counts
/// 1, dimension 8 counts 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Truncation {
    None(NoTruncation),
    Order(MaxNpOrder),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoTruncation {
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxNpOrder {
    pub max_np_order: u32,
}

/// What is promised of the sign of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positivity {
    /// Never negative inside the bounds of the coefficients: checked at load.
    Require,
    /// May be negative; a bin whose summed yield is negative is out of the domain.
    #[default]
    Allow,
}

/// `eft_polynomial`: Σ_k A_kb φ_k(c) (spec/eft.md, eq. 1), written out or named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PolynomialSource {
    Named(NamedResponse),
    Inline(Box<PolynomialData>),
}

impl PolynomialSource {
    /// The polynomial itself; none where the block has no response of the name.
    pub fn resolve<'w>(&'w self, eft: Option<&'w Eft>) -> Option<&'w PolynomialData> {
        match self {
            PolynomialSource::Inline(data) => Some(data),
            PolynomialSource::Named(named) => eft?.responses.get(&named.response),
        }
    }
}

/// A polynomial of the block `eft`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedResponse {
    pub response: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolynomialData {
    pub mode: Mode,
    #[schemars(length(min = 1))]
    pub monomials: Vec<Vec<String>>,
    /// One entry a monomial.
    #[schemars(length(min = 1))]
    pub coefficients: Vec<PerBin>,
    pub truncation: Truncation,
    #[serde(default)]
    pub positivity: Positivity,
    /// Where the nominal yields of an absolute response were computed; zero for what is not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncertainties: Vec<CoefficientUncertainty>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "McStat")]
    pub mc_stat: Option<McStat>,
}

/// The uncertainty of one coefficient: A_kb becomes A_kb + α σ_kb with a nuisance α of unit Gaussian constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoefficientUncertainty {
    /// Name of the nuisance parameter; uncertainties of one name move together.
    pub name: String,
    pub monomial: Vec<String>,
    pub sigma: PerBin,
}

/// The statistical uncertainty of the simulation behind a response (spec/eft.md, "Statistical uncertainty").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum McStat {
    /// The variance of the response as a polynomial: σ²_b(c) = Σ_k V_kb φ_k(c), which is Σ_e w_e(c)² of the events.
    W2 {
        monomials: Vec<Vec<String>>,
        variances: Vec<PerBin>,
        /// Evaluate the variance here, whatever the point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "BTreeMap<String, f64>")]
        fixed_at: Option<BTreeMap<String, f64>>,
    },
    /// Independent errors of the coefficients, one entry a monomial of the response: σ²_b(c) = Σ_k σ²_kb φ_k(c)².
    CoefficientErrors {
        sigmas: Vec<PerBin>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "BTreeMap<String, f64>")]
        fixed_at: Option<BTreeMap<String, f64>>,
    },
}

/// `eft_bilinear`: Σ_jk W_jkb L_j(c) R_k(c) with lists of monomials on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BilinearData {
    pub mode: Mode,
    #[schemars(length(min = 1))]
    pub left: Vec<Vec<String>>,
    #[schemars(length(min = 1))]
    pub right: Vec<Vec<String>>,
    /// `coefficients[j][k]` belongs to left j times right k.
    #[schemars(length(min = 1))]
    pub coefficients: Vec<Vec<PerBin>>,
    pub truncation: Truncation,
}

/// `eft_sum_of_squares`: Σ_r (Σ_k v_rkb φ_k(c))², never negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SumOfSquaresData {
    pub mode: Mode,
    #[schemars(length(min = 1))]
    pub monomials: Vec<Vec<String>>,
    /// `amplitudes[r][k]`
    #[schemars(length(min = 1))]
    pub amplitudes: Vec<Vec<PerBin>>,
    pub truncation: Truncation,
}

/// `eft_rational`: Π_a P_a(c)^{p_a}.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RationalData {
    pub mode: Mode,
    #[schemars(length(min = 1))]
    pub factors: Vec<RationalFactor>,
    pub expansion: Expansion,
    /// Ends each factor before they are multiplied.
    pub factor_truncation: Truncation,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
}

/// A polynomial to an integer power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RationalFactor {
    pub power: i32,
    #[schemars(length(min = 1))]
    pub monomials: Vec<Vec<String>>,
    #[schemars(length(min = 1))]
    pub coefficients: Vec<PerBin>,
}

/// What becomes of a product of powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Expansion {
    Full(Full),
    Taylor(Taylor),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Full {
    /// As it stands.
    Full,
}

/// Its Taylor series at c = 0 to this order in 1/Λ².
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taylor {
    pub taylor: u32,
}

/// `eft_morph`: templates at basis points, solved at load for the coefficients of a polynomial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MorphData {
    pub mode: Mode,
    /// The coefficients of the basis points, in order.
    #[schemars(length(min = 1))]
    pub parameters: Vec<String>,
    #[schemars(length(min = 1))]
    pub basis_points: Vec<Vec<f64>>,
    /// One list of yields a basis point.
    #[schemars(length(min = 1))]
    pub templates: Vec<Vec<f64>>,
    /// Variances of the templates, of independent samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Vec<f64>>")]
    pub variances: Option<Vec<Vec<f64>>>,
    pub components: MorphComponents,
    pub truncation: Truncation,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
}

/// Which monomials the samples contain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MorphComponents {
    Monomials(MonomialList),
    Vertices(VertexList),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonomialList {
    pub monomials: Vec<Vec<String>>,
}

/// The operators of each vertex of the amplitude, which is linear in each: |Π_v (1 + Σ c_i)|² has the monomials of the
/// product of the squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VertexList {
    pub vertices: BTreeMap<String, Vec<String>>,
}

/// `eft_map`: the yields of a sample split by a true quantity, `yield_b = Σ_z map_bz w_z(c)`, where w_z is a ratio to
/// the prediction of the sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapData {
    /// `map[b][z]`: yield of bin b from the true bin z.
    #[schemars(length(min = 1))]
    pub map: Vec<Vec<f64>>,
    #[schemars(length(min = 1))]
    pub monomials: Vec<Vec<String>>,
    /// One entry a monomial, with a value a true bin.
    #[schemars(length(min = 1))]
    pub weights: Vec<PerBin>,
    pub truncation: Truncation,
}

/// `eft_sample`: how all modifiers of a sample with responses work together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleData {
    /// Of the product of the sample's responses; needed where several multiply and one is truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Truncation")]
    pub truncation: Option<Truncation>,
    /// How histosys combine with the response, unless `systematics` says otherwise.
    #[serde(default)]
    pub histosys: HistosysMode,
    /// By name of the sample's modifiers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub systematics: BTreeMap<String, SystematicData>,
}

/// How a change of shape and a response combine (spec/eft.md, "Shape systematics").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistosysMode {
    /// T = P (1 + Δ/n)
    #[default]
    Relative,
    /// T = P + Δ
    Absolute,
    /// T = Σ_k φ_k (A_k + Δ_k)
    PerMonomial,
}

/// What one systematic of a sample does to its response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SystematicData {
    /// A normsys, normfactor or lumi that multiplies some of the monomials only.
    AppliesTo(AppliesTo),
    Histosys(HistosysSystematic),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    /// `[[]]` is the constant alone, the Standard Model.
    pub applies_to: Vec<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistosysSystematic {
    pub histosys: HistosysMode,
    /// Templates of each monomial at α = −1 and +1, in yields; needed by `per_monomial`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<MonomialTemplates>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonomialTemplates {
    pub monomial: Vec<String>,
    pub lo_data: Vec<f64>,
    pub hi_data: Vec<f64>,
}

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
    Shift { observable: String, lo: String, hi: String },
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
