//! Functions, one variant a type.

use super::data::{Axis, Contents, check_bins, fill_bins};
use super::fields::{Fields, Formula, Reader, Reference, ReferenceKind, Slot};
use crate::finding::quote;
use crate::rule;
use serde_json::Value;

/// A named function of parameters and variates.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub pointer: String,
    pub kind: FunctionKind,
    /// What it depends on.
    pub references: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FunctionKind {
    Product {
        factors: Vec<Slot>,
    },
    Sum {
        summands: Vec<Slot>,
    },
    /// Σ aᵢ xⁱ.
    Polynomial {
        x: Slot,
        coefficients: Vec<Slot>,
    },
    /// Of `function` to `x`; ROOT takes differences of width `eps`.
    Derivative {
        function: String,
        x: String,
        order: i64,
        eps: f64,
    },
    Generic(Formula),
    Integral {
        integrand: String,
        variables: Vec<String>,
        domain: Option<String>,
    },
    /// A constant in each bin.
    Histogram {
        axes: Vec<Axis>,
        contents: Contents,
    },
    /// A parameter or function in each bin.
    Step {
        variables: Vec<String>,
        parameters: Vec<Slot>,
        axes: Vec<Axis>,
    },
    /// ROOT's PiecewiseInterpolation: of functions.
    Interpolation {
        nominal: Slot,
        variations: Interpolated,
        positive_definite: bool,
    },
    /// ROOT's FlexibleInterpVar: of numbers.
    Interpolation0d {
        nominal: Slot,
        variations: Interpolated,
    },
    /// CMS Combine's AsymPow: lowᐨᶿ below zero, highᶿ above.
    AsymmetricPower {
        low: Slot,
        high: Slot,
        theta: Slot,
    },
    /// CMS Combine's ProcessNormalization.
    ProcessNormalization {
        nominal: Slot,
        symmetric: Vec<(Slot, f64)>,
        /// With ln κ below and above.
        asymmetric: Vec<(Slot, [f64; 2])>,
        factors: Vec<Slot>,
    },
    /// RooFit's RooRecursiveFraction: the first times what the others leave; else its share of the sum.
    RecursiveFraction {
        fractions: Vec<Slot>,
        recursive: bool,
    },
    BinWidth {
        histogram: String,
        divide: bool,
    },
    /// Σ kᵢ sᵢ.
    WeightedSum {
        samples: Vec<Slot>,
        coefficients: Vec<Slot>,
    },
    Spline {
        x: Slot,
        x0: Vec<f64>,
        y0: Vec<f64>,
        interpolation: String,
        logx: bool,
        logy: bool,
    },
    Unknown {
        kind: String,
    },
}

/// Up and down variations, one for each variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolated {
    pub low: Vec<Slot>,
    pub high: Vec<Slot>,
    pub variables: Vec<Slot>,
    pub codes: Vec<i64>,
}

impl Function {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Function> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let (name, kind) = (fields.text("name"), fields.text("type"));
        let kind = FunctionKind::read(&kind?, &mut fields)?;
        if !matches!(kind, FunctionKind::Unknown { .. }) {
            fields.finish();
        }
        let references = std::mem::take(&mut fields.references);
        Some(Function { name: name?, pointer, kind, references })
    }
}

impl FunctionKind {
    fn read(kind: &str, fields: &mut Fields) -> Option<FunctionKind> {
        Some(match kind {
            "product" => FunctionKind::Product { factors: fields.slots("factors")? },
            "sum" => FunctionKind::Sum { summands: fields.slots("summands")? },
            "polynomial" => {
                let (x, coefficients) = (fields.slot("x"), fields.slots("coefficients"));
                FunctionKind::Polynomial { x: x?, coefficients: coefficients? }
            }
            "derivative" => read_derivative(fields)?,
            "generic_function" | "generic" => FunctionKind::Generic(fields.formula("expression")?),
            "integral" => read_integral(fields)?,
            "histogram" => {
                let (axes, contents) = fields.object("data", histogram)?;
                FunctionKind::Histogram { axes, contents }
            }
            "step" => read_step(fields)?,
            "interpolation" => {
                let nominal = fields.slot("nom");
                let variations = Interpolated::read(fields);
                let positive_definite = fields.flag("positiveDefinite").unwrap_or(false);
                FunctionKind::Interpolation { nominal: nominal?, variations: variations?, positive_definite }
            }
            "interpolation0d" => {
                let nominal = fields.slot("nom");
                FunctionKind::Interpolation0d { nominal: nominal?, variations: Interpolated::read(fields)? }
            }
            "binwidth" | "binvolume" | "inverse_binvolume" => {
                let histogram = fields.text("histogram");
                let divide = fields.flag("divideByBinWidth").unwrap_or(false) || kind == "inverse_binvolume";
                FunctionKind::BinWidth { histogram: histogram?, divide }
            }
            "weighted_sum" => {
                let (samples, coefficients) = (fields.slots("samples"), fields.slots("coefficients"));
                FunctionKind::WeightedSum { samples: samples?, coefficients: coefficients? }
            }
            "spline" => read_spline(fields)?,
            "CMS::asympow" => {
                let (low, high, theta) = (fields.slot("kappaLow"), fields.slot("kappaHigh"), fields.slot("theta"));
                FunctionKind::AsymmetricPower { low: low?, high: high?, theta: theta? }
            }
            "CMS::process_normalization" => read_process_normalization(fields)?,
            "roorecursivefraction_dist" => {
                let recursive = fields.flag("recursive").unwrap_or(true);
                FunctionKind::RecursiveFraction { fractions: fields.slots("list")?, recursive }
            }
            unknown => {
                let at = fields.at("type");
                fields.reader.add(&rule::HS3_UNKNOWN_TYPE, &at, quote(unknown), "a known type of function");
                FunctionKind::Unknown { kind: unknown.to_string() }
            }
        })
    }
}

fn read_derivative(fields: &mut Fields) -> Option<FunctionKind> {
    let function = fields.reference("function", ReferenceKind::Function);
    let x = fields.reference("x", ReferenceKind::Value);
    let order = fields.optional_integer("order").unwrap_or(1);
    let eps = fields.optional_number("eps").unwrap_or(1e-3);
    fields.raw("normalization");
    Some(FunctionKind::Derivative { function: function?, x: x?, order, eps })
}

fn read_integral(fields: &mut Fields) -> Option<FunctionKind> {
    let integrand = fields.reference("integrand", ReferenceKind::Function);
    let variables = fields.name_list("variables", ReferenceKind::Value);
    let domain = fields.optional_text("domain");
    fields.raw("normalization");
    Some(FunctionKind::Integral { integrand: integrand?, variables: variables?, domain })
}

/// The axes and contents of a histogram.
pub(super) fn histogram(value: &Value, pointer: String, reader: &mut Reader) -> Option<(Vec<Axis>, Contents)> {
    let mut fields = Fields::of(value, pointer.clone(), reader)?;
    let mut axes = fields.components("axes", Axis::read);
    let contents = Contents::read(&mut fields)?;
    fields.raw("type");
    fields.finish();
    let agrees = check_bins(&axes, contents.contents.len(), &pointer, fields.reader);
    fill_bins(&mut axes, contents.contents.len());
    agrees.then_some((axes, contents))
}

/// A step function; ROOT's newer releases write histograms as steps with data.
fn read_step(fields: &mut Fields) -> Option<FunctionKind> {
    if fields.has("data") {
        let (axes, contents) = fields.object("data", histogram)?;
        return Some(FunctionKind::Histogram { axes, contents });
    }
    let variables = fields.name_list("variables", ReferenceKind::Value);
    let parameters = fields.slots("parameters");
    let mut axes = fields.components("axes", Axis::read);
    let (variables, parameters, pointer) = (variables?, parameters?, fields.pointer.clone());
    if !check_bins(&axes, parameters.len(), &pointer, fields.reader) {
        return None;
    }
    fill_bins(&mut axes, parameters.len());
    if variables.len() != axes.len() {
        let found = format!("{} variables and {} axes", variables.len(), axes.len());
        fields.reader.add(&rule::HS3_AXIS, &pointer, found, "one axis for each variable");
        return None;
    }
    Some(FunctionKind::Step { variables, parameters, axes })
}

/// Every list may be absent.
fn read_process_normalization(fields: &mut Fields) -> Option<FunctionKind> {
    let nominal = fields.optional_slot("nominalValue").unwrap_or(Slot::Number(1.0));
    let mut list = |key: &'static str| if fields.has(key) { fields.slots(key) } else { Some(Vec::new()) };
    let (thetas, asymmetric) = (list("thetaList")?, list("asymmThetaList")?);
    let factors = list("otherFactorList")?;
    let kappas = fields.optional_numbers("logKappa").unwrap_or_default();
    let pairs = if fields.has("logAsymmKappa") { fields.matrix("logAsymmKappa")? } else { Vec::new() };
    let fits = kappas.len() == thetas.len() && pairs.len() == asymmetric.len();
    if !fits || pairs.iter().any(|pair| pair.len() != 2) {
        let found = format!("{} entries of logKappa and {} of logAsymmKappa", kappas.len(), pairs.len());
        let expected = format!("{} numbers and {} pairs", thetas.len(), asymmetric.len());
        let at = fields.pointer.clone();
        fields.reader.add(&rule::HS3_COMPONENT, &at, found, expected);
        return None;
    }
    let pairs = pairs.into_iter().filter_map(|pair| <[f64; 2]>::try_from(pair).ok());
    Some(FunctionKind::ProcessNormalization {
        nominal,
        symmetric: thetas.into_iter().zip(kappas).collect(),
        asymmetric: asymmetric.into_iter().zip(pairs).collect(),
        factors,
    })
}

fn read_spline(fields: &mut Fields) -> Option<FunctionKind> {
    let x = fields.slot("x");
    let (x0, y0) = (fields.numbers("x0"), fields.numbers("y0"));
    let interpolation = fields.optional_text("interpolation").unwrap_or_else(|| "poly3".to_string());
    let (logx, logy) = (fields.flag("logx").unwrap_or(false), fields.flag("logy").unwrap_or(false));
    let (x, x0, y0) = (x?, x0?, y0?);
    let rising = x0.windows(2).all(|pair| pair[0] < pair[1]);
    if x0.len() != y0.len() || x0.len() < 2 || !rising {
        let (at, found) = (fields.at("x0"), format!("{} knots and {} values", x0.len(), y0.len()));
        fields.reader.add(&rule::HS3_COMPONENT, &at, found, "at least two knots that rise, and a value at each");
        return None;
    }
    Some(FunctionKind::Spline { x, x0, y0, interpolation, logx, logy })
}

impl Interpolated {
    fn read(fields: &mut Fields) -> Option<Interpolated> {
        let (low, high, variables) = (fields.slots("low"), fields.slots("high"), fields.slots("vars"));
        let codes = fields.integers("interpolationCodes");
        let read = Interpolated { low: low?, high: high?, variables: variables?, codes: codes? };
        let lengths = [read.low.len(), read.high.len(), read.codes.len()];
        if lengths.iter().any(|length| *length != read.variables.len()) {
            let found = format!("{lengths:?} entries of low, high and interpolationCodes");
            let (at, expected) = (fields.at("vars"), format!("{}, one for each of vars", read.variables.len()));
            fields.reader.add(&rule::HS3_COMPONENT, &at, found, expected);
            return None;
        }
        Some(read)
    }
}
