//! Distributions, one variant a type; the keys of each are the names of its members.

use super::data::{Axis, Contents};
use super::fields::{Fields, Formula, Reader, Reference, ReferenceKind, Slot};
use super::function::histogram;
use super::histfactory::Channel;
use crate::finding::quote;
use crate::rule;
use serde_json::Value;

/// A named density.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    pub name: String,
    pub pointer: String,
    pub kind: DistributionKind,
    /// What it depends on.
    pub references: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DistributionKind {
    Argus {
        mass: Slot,
        resonance: Slot,
        slope: Slot,
        power: Slot,
    },
    BarlowBeestonLite {
        x: Vec<Slot>,
        expected: Vec<Slot>,
    },
    Bernstein {
        x: Slot,
        coefficients: Vec<Slot>,
    },
    BifurcatedGaussian {
        x: Slot,
        mean: Slot,
        sigma_left: Slot,
        sigma_right: Slot,
    },
    BincountsDensity {
        x: Slot,
        density: String,
        axes: Vec<Axis>,
    },
    BincountsExtended {
        rate: Slot,
        dist: String,
        axes: Vec<Axis>,
    },
    BinSampling {
        pdf: String,
        observable: Slot,
        epsilon: f64,
    },
    Chebychev {
        x: Slot,
        coefficients: Vec<Slot>,
    },
    /// Without a right tail the density is Gaussian above m0.
    CrystalBall {
        m: Slot,
        m0: Slot,
        left: Tail,
        right: Option<Tail>,
    },
    Decay {
        t: Slot,
        tau: Slot,
        resolution: String,
        decay_type: i64,
    },
    DensityFunction {
        function: String,
        logarithm: bool,
    },
    EfficiencyProduct {
        pdf: String,
        efficiency: Slot,
    },
    Exponential {
        x: Slot,
        c: Slot,
    },
    /// A distribution with an expected number of events.
    Extended {
        pdf: String,
        rate: Slot,
    },
    FftConvolution {
        pdf1: String,
        pdf2: String,
        variable: Slot,
        /// The function of the variate that is convolved, if it is not the variate itself.
        function: Option<Slot>,
    },
    Gamma {
        x: Slot,
        gamma: Slot,
        beta: Slot,
        mu: Slot,
    },
    Gaussian {
        x: Slot,
        mean: Slot,
        sigma: Slot,
    },
    GeneralizedNormal {
        x: Slot,
        mean: Slot,
        alpha: Slot,
        beta: Slot,
    },
    Generic(Formula),
    HistFactory(Box<Channel>),
    Histogram {
        axes: Vec<Axis>,
        contents: Contents,
    },
    /// (m + shift)^power exp(−fall m): backgrounds of CMS.
    PowerFall {
        m: Slot,
        shift: Slot,
        power: Slot,
        fall: Slot,
    },
    Landau {
        x: Slot,
        mean: Slot,
        sigma: Slot,
    },
    LegacyExpPoly {
        x: Slot,
        coefficients: Vec<Slot>,
    },
    LogNormal {
        x: Slot,
        mu: Slot,
        sigma: Slot,
    },
    Mixture {
        summands: Vec<String>,
        coefficients: Vec<Slot>,
        extended: Option<bool>,
    },
    /// A mixture of resolution models.
    MixtureModel {
        summands: Vec<String>,
        coefficients: Vec<Slot>,
    },
    MultivariateNormal {
        x: Vec<Slot>,
        mean: Vec<Slot>,
        covariance: Covariance,
    },
    Poisson {
        x: Slot,
        mean: Slot,
        integer: bool,
    },
    Polynomial {
        x: Slot,
        coefficients: Vec<Slot>,
    },
    PowerSum {
        x: Slot,
        coefficients: Vec<Slot>,
        exponents: Vec<Slot>,
    },
    Product {
        factors: Vec<String>,
        normalization: Vec<Normalization>,
    },
    Projected {
        pdf: String,
        observables: Vec<String>,
    },
    RateDensity {
        x: Slot,
        density: String,
    },
    RelativisticBreitWigner {
        x: Slot,
        mass: Slot,
        channels: Vec<BreitWignerChannel>,
    },
    ResolutionModel(Resolution),
    Uniform {
        x: Slot,
        min: Option<Slot>,
        max: Option<Slot>,
    },
    WeightedSum {
        samples: Vec<Slot>,
        coefficients: Vec<Slot>,
        extended: Option<bool>,
    },
    Unknown {
        kind: String,
    },
}

/// One side of a crystal ball.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    pub sigma: Slot,
    pub alpha: Slot,
    pub n: Slot,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Covariance {
    Covariances(Vec<Vec<Slot>>),
    Correlations { correlations: Vec<Vec<Slot>>, standard_deviations: Vec<Slot> },
}

/// Over which variates some factors of a product are normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    pub factors: Vec<String>,
    pub over: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    Gauss { x: Slot, mean: Slot, sigma: Slot },
    Delta { x: Slot },
}

/// A decay channel of a resonance.
#[derive(Clone, Debug, PartialEq)]
pub struct BreitWignerChannel {
    pub name: Option<String>,
    pub gamma: Slot,
    pub m1: Slot,
    pub m2: Slot,
    pub l: i64,
    pub r: Slot,
}

impl Distribution {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Distribution> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let (name, kind) = (fields.text("name"), fields.text("type"));
        let written = kind?;
        let canonical = canonical(&written);
        if canonical != written {
            let at = fields.at("type");
            fields.reader.lenient(&rule::HS3_SPELLING, &at, quote(&written), quote(canonical));
        }
        let kind = fundamental(canonical, &mut fields);
        let kind = kind
            .or_else(|| composite(canonical, &mut fields))
            .or_else(|| counted(canonical, &mut fields))
            .unwrap_or_else(|| {
                let at = fields.at("type");
                fields.reader.add(&rule::HS3_UNKNOWN_TYPE, &at, quote(&written), "a known type of distribution");
                Some(DistributionKind::Unknown { kind: written.clone() })
            })?;
        if !matches!(kind, DistributionKind::Unknown { .. }) {
            // Redundant: the variates follow from the parts.
            fields.raw("x");
            fields.finish();
        }
        let references = std::mem::take(&mut fields.references);
        Some(Distribution { name: name?, pointer, kind, references })
    }
}

/// The specification's name of a type that a program writes in another way.
pub(crate) fn canonical(kind: &str) -> &str {
    match kind {
        "ARGUS_dist" => "argus_dist",
        "gennormal_dist" => "generalized_normal_dist",
        "normal_dist" => "gaussian_dist",
        "multinormal_dist" => "multivariate_normal_dist",
        "binsampling" => "binsampling_dist",
        "fft_conv_pdf" => "fft_convolution_dist",
        "gauss_resolution_model" => "gauss_model_function",
        "delta_resolution_model" => "truth_model_function",
        "mixture_resolution_model" => "mixture_model",
        other => other,
    }
}

/// Nothing if the type is not one of these; inside, nothing if a member is missing or wrong.
fn fundamental(kind: &str, fields: &mut Fields) -> Option<Option<DistributionKind>> {
    use DistributionKind as Kind;
    Some(match kind {
        "argus_dist" => read4(fields, ["mass", "resonance", "slope", "power"])
            .map(|[mass, resonance, slope, power]| Kind::Argus { mass, resonance, slope, power }),
        "barlow_beeston_lite_poisson_constraint_dist" => {
            let (x, expected) = (fields.slots("x"), fields.slots("expected"));
            x.zip(expected).map(|(x, expected)| Kind::BarlowBeestonLite { x, expected })
        }
        "bernstein_poly_dist" => coefficients(fields).map(|(x, coefficients)| Kind::Bernstein { x, coefficients }),
        "bifurkated_gaussian_dist" => read4(fields, ["x", "mean", "sigmaL", "sigmaR"])
            .map(|[x, mean, sigma_left, sigma_right]| Kind::BifurcatedGaussian { x, mean, sigma_left, sigma_right }),
        "chebychev_dist" => coefficients(fields).map(|(x, coefficients)| Kind::Chebychev { x, coefficients }),
        "crystalball_dist" | "crystalball_doublesided_dist" => crystal_ball(fields),
        "decay_dist" => decay(fields),
        "exponential_dist" => read2(fields, ["x", "c"]).map(|[x, c]| Kind::Exponential { x, c }),
        "gamma_dist" => {
            read4(fields, ["x", "gamma", "beta", "mu"]).map(|[x, gamma, beta, mu]| Kind::Gamma { x, gamma, beta, mu })
        }
        "gaussian_dist" => {
            read3(fields, ["x", "mean", "sigma"]).map(|[x, mean, sigma]| Kind::Gaussian { x, mean, sigma })
        }
        "generalized_normal_dist" => read4(fields, ["x", "mean", "alpha", "beta"])
            .map(|[x, mean, alpha, beta]| Kind::GeneralizedNormal { x, mean, alpha, beta }),
        "generic_dist" => fields.formula("expression").map(Kind::Generic),
        "histogram_dist" => fields.object("data", histogram).map(|(axes, contents)| Kind::Histogram { axes, contents }),
        "landau_dist" => read3(fields, ["x", "mean", "sigma"]).map(|[x, mean, sigma]| Kind::Landau { x, mean, sigma }),
        "legacy_exp_poly_dist" => coefficients(fields).map(|(x, coefficients)| Kind::LegacyExpPoly { x, coefficients }),
        "lognormal_dist" => read3(fields, ["x", "mu", "sigma"]).map(|[x, mu, sigma]| Kind::LogNormal { x, mu, sigma }),
        "multivariate_normal_dist" => multivariate(fields),
        "poisson_dist" => {
            let integer = fields.flag("integer").unwrap_or(false);
            read2(fields, ["x", "mean"]).map(|[x, mean]| Kind::Poisson { x, mean, integer })
        }
        "polynomial_dist" => coefficients(fields).map(|(x, coefficients)| Kind::Polynomial { x, coefficients }),
        "power_sum_dist" => {
            let exponents = fields.slots("exponents");
            let read = coefficients(fields).zip(exponents);
            read.map(|((x, coefficients), exponents)| Kind::PowerSum { x, coefficients, exponents })
        }
        "relativistic_breit_wigner_dist" => breit_wigner(fields),
        // The first coefficient is a factor, which the normalisation takes away.
        "CMS::ggZZ_background_dist" => read4(fields, ["m4l", "a1", "a2", "a3"])
            .map(|[m, _, power, fall]| Kind::PowerFall { m, shift: Slot::Number(0.0), power, fall }),
        "CMS::qqZZ_background_dist" => read_slots(fields, ["m4l", "a1", "a2", "a3", "a4"])
            .map(|[m, _, shift, power, fall]| Kind::PowerFall { m, shift, power, fall }),
        "uniform_dist" => {
            let x = fields.single("x");
            let (min, max) = (fields.optional_slot("min"), fields.optional_slot("max"));
            x.map(|x| Kind::Uniform { x, min, max })
        }
        "gauss_model_function" => read3(fields, ["x", "mean", "sigma"])
            .map(|[x, mean, sigma]| Kind::ResolutionModel(Resolution::Gauss { x, mean, sigma })),
        "truth_model_function" => fields.single("x").map(|x| Kind::ResolutionModel(Resolution::Delta { x })),
        _ => return None,
    })
}

/// As [`fundamental`].
fn composite(kind: &str, fields: &mut Fields) -> Option<Option<DistributionKind>> {
    use DistributionKind as Kind;
    use ReferenceKind::{Distribution as Dist, Function, Value as Variate};
    Some(match kind {
        "mixture_dist" => {
            fields.raw("ref_coef_norm");
            let extended = fields.flag("extended");
            let read = fields.name_list("summands", Dist).zip(fields.slots("coefficients"));
            read.map(|(summands, coefficients)| Kind::Mixture { summands, coefficients, extended })
        }
        "mixture_model" => {
            fields.raw("extended");
            let read = fields.name_list("summands", Dist).zip(fields.slots("coefficients"));
            read.map(|(summands, coefficients)| Kind::MixtureModel { summands, coefficients })
        }
        "product_dist" => {
            let normalization = fields.components("normalization", Normalization::read);
            fields.name_list("factors", Dist).map(|factors| Kind::Product { factors, normalization })
        }
        "efficiency_product_pdf_dist" => {
            let read = fields.reference("pdf", Dist).zip(fields.slot("eff"));
            read.map(|(pdf, efficiency)| Kind::EfficiencyProduct { pdf, efficiency })
        }
        "density_function_dist" | "log_density_function_dist" => {
            let logarithm = kind == "log_density_function_dist";
            fields.reference("function", Function).map(|function| Kind::DensityFunction { function, logarithm })
        }
        "rate_extended_dist" => {
            let read = fields.reference("dist", Dist).zip(fields.slot("rate"));
            read.map(|(pdf, rate)| Kind::Extended { pdf, rate })
        }
        "extend_pdf" => {
            let read = fields.reference("pdf", Dist).zip(fields.slot("norm"));
            read.map(|(pdf, rate)| Kind::Extended { pdf, rate })
        }
        "projected_dist" => {
            let read = fields.reference("input_pdf", Dist).zip(fields.name_list("observables", Variate));
            read.map(|(pdf, observables)| Kind::Projected { pdf, observables })
        }
        "weighted_sum_dist" => {
            let extended = fields.flag("extended");
            let read = fields.slots("samples").zip(fields.slots("coefficients"));
            read.map(|(samples, coefficients)| Kind::WeightedSum { samples, coefficients, extended })
        }
        _ => return None,
    })
}

/// Types with rates, bins or transforms; as [`fundamental`].
fn counted(kind: &str, fields: &mut Fields) -> Option<Option<DistributionKind>> {
    use DistributionKind as Kind;
    use ReferenceKind::{Distribution as Dist, Function};
    Some(match kind {
        "rate_density_dist" => {
            let read = fields.single("x").zip(fields.reference("density", Function));
            read.map(|(x, density)| Kind::RateDensity { x, density })
        }
        "bincounts_density_dist" => {
            let axes = fields.components("axes", Axis::read);
            let read = fields.single("x").zip(fields.reference("density", Function));
            read.map(|(x, density)| Kind::BincountsDensity { x, density, axes })
        }
        "bincounts_extended_dist" => {
            let axes = fields.components("axes", Axis::read);
            let read = fields.slot("rate").zip(fields.reference("dist", Dist));
            read.map(|(rate, dist)| Kind::BincountsExtended { rate, dist, axes })
        }
        "fft_convolution_dist" => {
            fields.raw("ipOrder");
            let function = fields.optional_slot("conv_func");
            let pdfs = fields.reference("pdf1", Dist).zip(fields.reference("pdf2", Dist));
            pdfs.zip(fields.slot("conv_var")).map(|((pdf1, pdf2), variable)| Kind::FftConvolution {
                pdf1,
                pdf2,
                variable,
                function,
            })
        }
        "binsampling_dist" => {
            let epsilon = fields.optional_number("epsilon").unwrap_or(1e-4);
            let read = fields.reference("pdf", Dist).zip(fields.single("observable"));
            read.map(|(pdf, observable)| Kind::BinSampling { pdf, observable, epsilon })
        }
        "histfactory_dist" => Channel::read(fields).map(|channel| Kind::HistFactory(Box::new(channel))),
        _ => return None,
    })
}

/// Slots by their keys; the first is a variate, which some programs write in an array.
fn read_slots<const N: usize>(fields: &mut Fields, keys: [&'static str; N]) -> Option<[Slot; N]> {
    let mut read = Vec::with_capacity(N);
    for (i, key) in keys.into_iter().enumerate() {
        read.push(if i == 0 { fields.single(key) } else { fields.slot(key) });
    }
    let all: Vec<Slot> = read.into_iter().collect::<Option<_>>()?;
    all.try_into().ok()
}

fn read2(fields: &mut Fields, keys: [&'static str; 2]) -> Option<[Slot; 2]> {
    read_slots(fields, keys)
}

fn read3(fields: &mut Fields, keys: [&'static str; 3]) -> Option<[Slot; 3]> {
    read_slots(fields, keys)
}

fn read4(fields: &mut Fields, keys: [&'static str; 4]) -> Option<[Slot; 4]> {
    read_slots(fields, keys)
}

fn coefficients(fields: &mut Fields) -> Option<(Slot, Vec<Slot>)> {
    let (x, coefficients) = (fields.single("x"), fields.slots("coefficients"));
    x.zip(coefficients)
}

/// With `alpha`, `n` and `sigma` alone there is one tail, as in every program (D16); a key with `_L` or `_R` makes it
/// two-sided, and a plain key then holds for both sides.
fn crystal_ball(fields: &mut Fields) -> Option<DistributionKind> {
    let (m, m0) = (fields.single("m"), fields.slot("m0"));
    let keys = [("sigma", "sigma_L", "sigma_R"), ("alpha", "alpha_L", "alpha_R"), ("n", "n_L", "n_R")];
    let double = keys.iter().any(|(_, left, right)| fields.has(left) || fields.has(right));
    let mut side = |right: bool| {
        let [sigma, alpha, n] = keys.map(|(plain, left_key, right_key)| {
            let own = if right { right_key } else { left_key };
            fields.slot(if double && !fields.has(plain) { own } else { plain })
        });
        Some(Tail { sigma: sigma?, alpha: alpha?, n: n? })
    };
    let left = side(false);
    let right = if double { Some(side(true)?) } else { None };
    Some(DistributionKind::CrystalBall { m: m?, m0: m0?, left: left?, right })
}

fn decay(fields: &mut Fields) -> Option<DistributionKind> {
    let [t, tau] = read2(fields, ["t", "tau"])?;
    let resolution = fields.reference("resolutionModel", ReferenceKind::Distribution);
    let decay_type = fields.optional_integer("decayType").unwrap_or(0);
    if !(0..=2).contains(&decay_type) {
        let at = fields.at("decayType");
        fields.reader.add(&rule::HS3_COMPONENT, &at, decay_type.to_string(), "0 (single), 1 (double) or 2 (flipped)");
        return None;
    }
    Some(DistributionKind::Decay { t, tau, resolution: resolution?, decay_type })
}

fn multivariate(fields: &mut Fields) -> Option<DistributionKind> {
    let (x, mean) = (fields.slots("x"), fields.slots("mean"));
    let covariance = if fields.has("correlations") {
        let (correlations, deviations) = (fields.slot_matrix("correlations"), fields.slots("standard_deviations"));
        Covariance::Correlations { correlations: correlations?, standard_deviations: deviations? }
    } else {
        Covariance::Covariances(fields.slot_matrix("covariances")?)
    };
    let (x, mean) = (x?, mean?);
    let (matrix, deviations) = match &covariance {
        Covariance::Covariances(matrix) => (matrix, x.len()),
        Covariance::Correlations { correlations, standard_deviations } => (correlations, standard_deviations.len()),
    };
    let n = x.len();
    if mean.len() != n || deviations != n || matrix.len() != n || matrix.iter().any(|row| row.len() != n) {
        let (at, found) = (fields.pointer.clone(), format!("{n} variates and {} means", mean.len()));
        fields.reader.add(&rule::HS3_COMPONENT, &at, found, "as many means, and a square matrix of that size");
        return None;
    }
    Some(DistributionKind::MultivariateNormal { x, mean, covariance })
}

/// The variate has no key in the specification: `x` and `m` are read (D24).
fn breit_wigner(fields: &mut Fields) -> Option<DistributionKind> {
    let key = if fields.has("m") { "m" } else { "x" };
    let (x, mass) = (fields.single(key), fields.slot("mass"));
    let pointer = fields.at("channels");
    let items = fields.raw("channels").and_then(Value::as_array).cloned().unwrap_or_default();
    if items.is_empty() {
        fields.reader.add(&rule::HS3_COMPONENT, &pointer, "no channels", "an array of channels with Gamma");
    }
    let mut channels = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let mut inner = Fields::of(item, format!("{pointer}/{i}"), fields.reader)?;
        let name = inner.optional_text("name");
        let gamma = inner.slot("Gamma");
        let (m1, m2, r) = (inner.optional_slot("m1"), inner.optional_slot("m2"), inner.optional_slot("R"));
        let l = inner.optional_integer("l").unwrap_or(0);
        inner.finish();
        let references = std::mem::take(&mut inner.references);
        let zero = Slot::Number(0.0);
        let (m1, m2) = (m1.unwrap_or(zero.clone()), m2.unwrap_or(zero));
        channels.push(BreitWignerChannel { name, gamma: gamma?, m1, m2, l, r: r.unwrap_or(Slot::Number(3.0)) });
        fields.references.extend(references);
    }
    Some(DistributionKind::RelativisticBreitWigner { x: x?, mass: mass?, channels })
}

impl Normalization {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Normalization> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let (factors, over) = (fields.texts("factors"), fields.texts("over"));
        fields.finish();
        Some(Normalization { factors: factors?, over: over? })
    }
}
