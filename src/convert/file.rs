//! HS3 documents as they are written: members in the order of the standard, what is not there left out.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Clone, Debug, Default, Serialize)]
pub struct File {
    pub metadata: Metadata,
    pub distributions: Vec<Distribution>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    pub data: Vec<Data>,
    pub likelihoods: Vec<Likelihood>,
    pub domains: Vec<Domain>,
    pub parameter_points: Vec<Point>,
    pub analyses: Vec<Analysis>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub misc: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Metadata {
    pub hs3_version: String,
    pub packages: Vec<Package>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Package {
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Distribution {
    Channel(Channel),
    Gaussian(Gaussian),
    Poisson(Poisson),
}

/// A number or a name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Slot {
    Number(f64),
    Name(String),
}

#[derive(Clone, Debug, Serialize)]
pub struct Gaussian {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    pub x: Slot,
    pub mean: Slot,
    pub sigma: Slot,
}

#[derive(Clone, Debug, Serialize)]
pub struct Poisson {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    pub x: Slot,
    pub mean: Slot,
    /// Of ROOT, which rounds x down or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integer: Option<bool>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Channel {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    pub axes: Vec<Axis>,
    /// Of ROOT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staterror: Option<Staterror>,
    pub samples: Vec<Sample>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Staterror {
    pub constraint_type: &'static str,
    #[serde(rename = "relThreshold")]
    pub rel_threshold: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbins: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<Vec<f64>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub name: String,
    pub data: Contents,
    pub modifiers: Vec<Modifier>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Contents {
    pub contents: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<f64>>,
}

/// All keys that some program reads; a writer gives those of its target.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Modifier {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<String>>,
    /// The name of a distribution, or in pyhs3 a type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Vec<Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<ModifierData>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Interpolation {
    /// ROOT's.
    Code(u8),
    Struct {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(rename = "in")]
        inner: &'static str,
        out: &'static str,
    },
}

/// Sides or values; pyhs3 has the interpolation beside them.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ModifierData {
    Normsys {
        lo: f64,
        hi: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        interpolation: Option<&'static str>,
    },
    Histosys {
        lo: Contents,
        hi: Contents,
        #[serde(skip_serializing_if = "Option::is_none")]
        interpolation: Option<&'static str>,
    },
    Vals {
        vals: Vec<f64>,
    },
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Function {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factors: Option<Vec<Slot>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summands: Option<Vec<Slot>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Data {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    pub axes: Vec<Axis>,
    pub contents: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Likelihood {
    pub name: String,
    pub distributions: Vec<String>,
    pub data: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aux_distributions: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Domain {
    pub name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    pub axes: Vec<Axis>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub name: String,
    pub parameters: Vec<PointParameter>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PointParameter {
    pub name: String,
    pub value: f64,
    #[serde(rename = "const", skip_serializing_if = "std::ops::Not::not")]
    pub constant: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Analysis {
    pub name: String,
    pub likelihood: String,
    pub parameters_of_interest: Vec<String>,
    pub domains: Vec<String>,
    /// The parameter point to start from; ROOT has its own way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
}

impl From<&str> for Slot {
    fn from(name: &str) -> Slot {
        Slot::Name(name.to_owned())
    }
}

impl From<String> for Slot {
    fn from(name: String) -> Slot {
        Slot::Name(name)
    }
}

impl From<f64> for Slot {
    fn from(number: f64) -> Slot {
        Slot::Number(number)
    }
}

impl Distribution {
    pub fn as_channel(&self) -> Option<&Channel> {
        if let Distribution::Channel(channel) = self { Some(channel) } else { None }
    }

    pub fn as_channel_mut(&mut self) -> Option<&mut Channel> {
        if let Distribution::Channel(channel) = self { Some(channel) } else { None }
    }

    pub fn gaussian(name: String, x: impl Into<Slot>, mean: impl Into<Slot>, sigma: impl Into<Slot>) -> Distribution {
        let (x, mean, sigma) = (x.into(), mean.into(), sigma.into());
        Distribution::Gaussian(Gaussian { name, kind: "gaussian_dist", x, mean, sigma })
    }

    pub fn poisson(name: String, x: impl Into<Slot>, mean: impl Into<Slot>, integer: Option<bool>) -> Distribution {
        Distribution::Poisson(Poisson { name, kind: "poisson_dist", x: x.into(), mean: mean.into(), integer })
    }
}

impl Channel {
    pub fn new(name: String, axes: Vec<Axis>, samples: Vec<Sample>) -> Channel {
        Channel { name, kind: "histfactory_dist", axes, staterror: None, samples }
    }
}

impl Function {
    /// With other names of its own and of what it names.
    pub fn renamed(&self, written: impl Fn(&str) -> String) -> Function {
        let mut renamed = self.clone();
        renamed.name = written(&renamed.name);
        for slot in renamed.factors.iter_mut().chain(&mut renamed.summands).flatten() {
            if let Slot::Name(name) = slot {
                *name = written(name);
            }
        }
        renamed
    }

    /// Names in the expression are those of parameters and other functions, which have to be identifiers for every reader.
    pub fn generic(name: impl Into<String>, expression: impl Into<String>) -> Function {
        let (name, expression) = (name.into(), Some(expression.into()));
        Function { name, kind: "generic_function", expression, ..Function::default() }
    }

    /// The formula, of one that has one.
    pub fn expression(&self) -> Option<&str> {
        self.expression.as_deref()
    }

    pub fn product(name: impl Into<String>, factors: Vec<Slot>) -> Function {
        Function { name: name.into(), kind: "product", factors: Some(factors), ..Function::default() }
    }

    pub fn sum(name: impl Into<String>, summands: Vec<Slot>) -> Function {
        Function { name: name.into(), kind: "sum", summands: Some(summands), ..Function::default() }
    }
}

impl Axis {
    /// A range without bins; infinite ends are not written.
    pub fn range(name: impl Into<String>, (min, max): (f64, f64)) -> Axis {
        let end = |x: f64| Some(x).filter(|x| x.is_finite());
        Axis { name: name.into(), min: end(min), max: end(max), nbins: None, edges: None }
    }

    /// The same range without its bins.
    pub fn without_bins(&self) -> Axis {
        let ends =
            self.edges.as_ref().map_or((self.min, self.max), |edges| (edges.first().copied(), edges.last().copied()));
        Axis { name: self.name.clone(), min: ends.0, max: ends.1, nbins: None, edges: None }
    }

    /// Bins of width one from zero.
    pub fn unit_bins(name: impl Into<String>, bins: usize) -> Axis {
        Axis { nbins: Some(bins), ..Axis::range(name, (0.0, bins as f64)) }
    }
}

impl Contents {
    pub fn new(contents: Vec<f64>) -> Contents {
        Contents { contents, errors: None }
    }
}

impl Data {
    pub fn binned(name: String, axes: Vec<Axis>, contents: Vec<f64>) -> Data {
        Data { name, kind: "binned", axes, contents }
    }
}

impl Domain {
    pub fn new(name: String, axes: Vec<Axis>) -> Domain {
        Domain { name, kind: "product_domain", axes }
    }
}
