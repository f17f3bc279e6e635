//! A pyhf workspace as it is written in the file, schema 1.0.0 (spec/workspace.md).
//!
//! These types hold the file and nothing more: names are strings, lists keep the file's order, and no rule beyond
//! the schema has been checked. [`crate::workspace`] gives them meaning.

use super::correlations::Correlations;
use super::eft::{
    BilinearData, Eft, EventsData, MapData, MorphData, PolynomialSource, RationalData, SampleData, SumOfSquaresData,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole workspace file: channels, observations and measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    extend("if" = {"required": ["eft"], "properties": {"eft": {"anyOf": [
        {"required": ["gaussian_measurements"]}, {"required": ["unbinned_terms"]}
    ]}}}),
    extend("else" = {"properties": {"channels": {"minItems": 1}, "observations": {"minItems": 1}}})
)]
pub struct Workspace {
    /// At least one, unless the block `eft` has measurements or unbinned terms.
    pub channels: Vec<Channel>,
    /// Constraints that are not independent; a plain pyhf workspace has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Correlations")]
    pub correlations: Option<Correlations>,
    /// Declares the EFT extension; a plain pyhf workspace has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Eft")]
    pub eft: Option<Box<Eft>>,
    #[schemars(length(min = 1))]
    pub measurements: Vec<Measurement>,
    /// As many as channels.
    pub observations: Vec<Observation>,
    /// The version of the pyhf schema; this crate reads `1.0.0`.
    #[schemars(extend("const" = "1.0.0"))]
    pub version: String,
}

/// A region of phase space with its binned samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: String,
    #[schemars(length(min = 1))]
    pub samples: Vec<Sample>,
}

/// One process in one channel: nominal yields a bin, and what modifies them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    pub name: String,
    #[schemars(length(min = 1))]
    pub data: Vec<f64>,
    pub modifiers: Vec<Modifier>,
}

/// What a parameter does to a sample: the seven types of HistFactory, and those of the EFT extension, which describe a
/// response to the Wilson coefficients of the block `eft`. Read by `document/modifier.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Modifier {
    Histosys {
        name: String,
        data: HistosysData,
    },
    Lumi {
        #[schemars(extend("const" = "lumi"))]
        name: String,
        data: (),
    },
    Normfactor {
        name: String,
        data: (),
    },
    Normsys {
        name: String,
        data: NormsysData,
    },
    Shapefactor {
        name: String,
        data: (),
    },
    Shapesys {
        name: String,
        #[schemars(length(min = 1))]
        data: Vec<f64>,
    },
    Staterror {
        name: String,
        #[schemars(length(min = 1))]
        data: Vec<f64>,
    },
    #[serde(rename = "eft_bilinear")]
    EftBilinear {
        name: String,
        data: Box<BilinearData>,
    },
    #[serde(rename = "eft_events")]
    EftEvents {
        name: String,
        data: Box<EventsData>,
    },
    #[serde(rename = "eft_map")]
    EftMap {
        name: String,
        data: Box<MapData>,
    },
    #[serde(rename = "eft_morph")]
    EftMorph {
        name: String,
        data: Box<MorphData>,
    },
    #[serde(rename = "eft_polynomial")]
    EftPolynomial {
        name: String,
        data: Box<PolynomialSource>,
    },
    #[serde(rename = "eft_rational")]
    EftRational {
        name: String,
        data: Box<RationalData>,
    },
    #[serde(rename = "eft_sample")]
    EftSample {
        name: String,
        data: Box<SampleData>,
    },
    #[serde(rename = "eft_sum_of_squares")]
    EftSumOfSquares {
        name: String,
        data: Box<SumOfSquaresData>,
    },
}

/// Templates at α = −1 and α = +1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistosysData {
    #[schemars(length(min = 1))]
    pub lo_data: Vec<f64>,
    #[schemars(length(min = 1))]
    pub hi_data: Vec<f64>,
}

/// Factors at α = −1 and α = +1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormsysData {
    pub lo: f64,
    pub hi: f64,
}

/// Observed counts of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    pub name: String,
    #[schemars(length(min = 1))]
    pub data: Vec<f64>,
}

/// A named choice of parameter of interest and parameter settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    pub name: String,
    pub config: MeasurementConfig,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasurementConfig {
    /// Name of the parameter of interest; the empty string means none.
    pub poi: String,
    pub parameters: Vec<ParameterConfig>,
}

/// Settings that replace the defaults of one parameter set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterConfig {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<f64>", length(min = 1))]
    pub inits: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Vec<f64>>", length(min = 1))]
    /// A pair for each parameter; the schema leaves the number of items open, rule W140 asks for two.
    pub bounds: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<f64>", length(min = 1))]
    pub auxdata: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<f64>", length(min = 1))]
    pub factors: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<f64>", length(min = 1))]
    pub sigmas: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub fixed: Option<bool>,
}

impl Modifier {
    pub fn name(&self) -> &str {
        match self {
            Modifier::Histosys { name, .. }
            | Modifier::Lumi { name, .. }
            | Modifier::Normfactor { name, .. }
            | Modifier::Normsys { name, .. }
            | Modifier::Shapefactor { name, .. }
            | Modifier::Shapesys { name, .. }
            | Modifier::Staterror { name, .. }
            | Modifier::EftBilinear { name, .. }
            | Modifier::EftEvents { name, .. }
            | Modifier::EftMap { name, .. }
            | Modifier::EftMorph { name, .. }
            | Modifier::EftPolynomial { name, .. }
            | Modifier::EftRational { name, .. }
            | Modifier::EftSample { name, .. }
            | Modifier::EftSumOfSquares { name, .. } => name,
        }
    }

    /// The word in the file's `type` key.
    pub fn kind(&self) -> &'static str {
        match self {
            Modifier::Histosys { .. } => "histosys",
            Modifier::Lumi { .. } => "lumi",
            Modifier::Normfactor { .. } => "normfactor",
            Modifier::Normsys { .. } => "normsys",
            Modifier::Shapefactor { .. } => "shapefactor",
            Modifier::Shapesys { .. } => "shapesys",
            Modifier::Staterror { .. } => "staterror",
            Modifier::EftBilinear { .. } => "eft_bilinear",
            Modifier::EftEvents { .. } => "eft_events",
            Modifier::EftMap { .. } => "eft_map",
            Modifier::EftMorph { .. } => "eft_morph",
            Modifier::EftPolynomial { .. } => "eft_polynomial",
            Modifier::EftRational { .. } => "eft_rational",
            Modifier::EftSample { .. } => "eft_sample",
            Modifier::EftSumOfSquares { .. } => "eft_sum_of_squares",
        }
    }

    /// The modifier belongs to the EFT extension: it declares no parameter of its name.
    pub fn is_eft(&self) -> bool {
        self.kind().starts_with("eft_")
    }
}

impl Workspace {
    /// Something in the workspace belongs to the EFT extension.
    pub fn has_eft(&self) -> bool {
        let modifiers = || self.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
        self.eft.is_some() || modifiers().any(Modifier::is_eft)
    }

    /// The JSON Pointer to a sample, as far as there is one of these names.
    pub fn sample_pointer(&self, channel: &str, sample: &str) -> String {
        let Some(c) = self.channels.iter().position(|own| own.name == channel) else { return "/channels".to_owned() };
        match self.channels[c].samples.iter().position(|own| own.name == sample) {
            Some(s) => format!("/channels/{c}/samples/{s}"),
            None => format!("/channels/{c}/samples"),
        }
    }
}
