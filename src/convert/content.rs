//! A likelihood of HistFactory channels as every writer needs it, before any program's spelling.

use super::file::{Axis, Function};
use crate::model::{Constraint, HistosysCode, NormsysCode};
use serde_json::{Map, Value};

/// Channels, the parameters that move them, and the analyses that use them.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pub channels: Vec<Channel>,
    /// In fit order; constraints belong to them, not to modifiers.
    pub parameters: Vec<Parameter>,
    /// What modifiers may name in the place of parameters.
    pub functions: Vec<Function>,
    /// At least one; the settings of parameters are those of the first.
    pub analyses: Vec<Analysis>,
    /// Templates that histosys modifiers move end at zero, as they do in ROOT.
    pub clips: bool,
    /// Further members of `metadata`.
    pub metadata: Map<String, Value>,
    /// Further members of `misc`.
    pub misc: Map<String, Value>,
}

/// A region with observed counts, one a bin.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// Of the region: the distribution becomes `model_<name>`.
    pub name: String,
    pub samples: Vec<Sample>,
    pub observed: Vec<f64>,
    /// As many bins as counts; empty for bins of width one from zero on an axis of its own.
    pub axes: Vec<Axis>,
    /// Where it comes from, for messages.
    pub pointer: String,
}

#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub name: String,
    pub contents: Vec<f64>,
    /// Uncertainties of the simulation: those with a staterror need them.
    pub errors: Option<Vec<f64>>,
    pub modifiers: Vec<Modifier>,
    pub pointer: String,
}

#[derive(Clone, Debug)]
pub struct Modifier {
    pub name: String,
    pub effect: Effect,
    pub pointer: String,
}

/// What a modifier does, and the parameters or functions that drive it.
#[derive(Clone, Debug)]
pub enum Effect {
    Normfactor {
        parameter: String,
    },
    Normsys {
        parameter: String,
        lo: f64,
        hi: f64,
        code: NormsysCode,
    },
    Histosys {
        parameter: String,
        lo: Vec<f64>,
        hi: Vec<f64>,
        code: HistosysCode,
    },
    Shapefactor {
        parameters: Vec<String>,
    },
    /// Widths are those of the parameters' constraints.
    Shapesys {
        parameters: Vec<String>,
    },
    /// As shapesys, shared by the samples of a channel.
    Staterror {
        parameters: Vec<String>,
    },
    /// The function of the modifier's name multiplies the sample.
    Custom,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub setting: Setting,
    pub constraint: Option<Constraint>,
    /// The range of the observable, where the constraint is normalised over it, as it is in ROOT.
    pub range: Option<(f64, f64)>,
}

/// Where a parameter starts and may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    pub value: f64,
    /// Infinite where there is none.
    pub bounds: (f64, f64),
    pub constant: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Analysis {
    pub name: String,
    pub parameters_of_interest: Vec<String>,
    /// One for each parameter; empty where they are those of the parameters themselves.
    pub settings: Vec<Setting>,
    /// Auxiliary data, one for each parameter with a constraint, in their order; empty as above.
    pub auxiliary: Vec<f64>,
}

impl Effect {
    /// What drives the modifier.
    pub fn drivers(&self) -> &[String] {
        match self {
            Effect::Normfactor { parameter }
            | Effect::Normsys { parameter, .. }
            | Effect::Histosys { parameter, .. } => std::slice::from_ref(parameter),
            Effect::Shapefactor { parameters } | Effect::Shapesys { parameters } | Effect::Staterror { parameters } => {
                parameters
            }
            Effect::Custom => &[],
        }
    }
}
