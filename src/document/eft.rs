//! The EFT extension of a workspace as it is written in the file (spec/eft.md): the block `eft` of the workspace and
//! the data of the modifiers whose types begin with `eft_`.
//!
//! These types hold the file and nothing more. Monomials are lists of parameter names: `[]` is the constant,
//! `["cHW", "cHW"]` a square; each monomial stands once, whatever the order of its names.

mod event_database;
mod gaussian;
mod unbinned;

pub use event_database::{
    Axis, CrossSectionUnit, Cut, Edge, EventDatabase, EventMcStat, EventMcStatWord, EventSystematic, EventWeights,
    EventsData, FixedAt, Flow, Infinity, LuminosityUnit, MediaType, Normalisation, ObservableColumn, Overlap,
    ShiftedColumns,
};

pub use gaussian::{
    Correlation, Distribution, FlatErrors, GaussianCorrelation, GaussianMeasurement, GaussianSystematic,
    MultiplicativeReference, NamedSystematics, Prediction, SystematicKind,
};

pub use unbinned::{
    Amplitude, Calibration, CentralValue, CorrelatedFactor, Encoding, EventTable, InlineTable, Ratio, RatioFactor,
    RatioOf, ReferenceEvents, Replicas, TableFile, UnbinnedComponent, UnbinnedTerm, YieldFactor, Yields,
};

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
    /// Measurements with Gaussian errors: terms of the likelihood beside those of the channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub gaussian_measurements: Vec<GaussianMeasurement>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaussian_correlations: Vec<GaussianCorrelation>,
    #[serde(default, skip_serializing_if = "is_covariance")]
    pub named_systematics: NamedSystematics,
    #[serde(default, skip_serializing_if = "is_profiled")]
    pub flat_errors: FlatErrors,
    /// Events that are taken one by one (spec/unbinned.md).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub unbinned_terms: Vec<UnbinnedTerm>,
}

fn is_profiled(flat: &FlatErrors) -> bool {
    *flat == FlatErrors::Profiled
}

fn is_covariance(named: &NamedSystematics) -> bool {
    *named == NamedSystematics::Covariance
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

impl PerBin {
    /// The numbers of all bins; a list is as long as it is.
    pub fn of_bins(&self, n_bins: usize) -> Vec<f64> {
        match self {
            PerBin::All(value) => vec![*value; n_bins],
            PerBin::Each(values) => values.clone(),
        }
    }
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
    /// Of its coefficients, as in a polynomial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncertainties: Vec<CoefficientUncertainty>,
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
    /// How more basis points than monomials count.
    #[serde(default, skip_serializing_if = "is_equal")]
    pub weights: MorphWeights,
    pub components: MorphComponents,
    pub truncation: Truncation,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
}

/// How the basis points count in least squares (spec/eft.md, eq. 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MorphWeights {
    #[default]
    Equal,
    /// By the inverse of their variance summed over the bins.
    InverseVariance,
}

fn is_equal(weights: &MorphWeights) -> bool {
    *weights == MorphWeights::Equal
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
    #[schemars(length(min = 1))]
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
