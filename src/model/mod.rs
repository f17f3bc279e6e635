//! The semantic core: what a likelihood is, whichever dialect it was written in (spec/modifiers.md,
//! spec/likelihood.md). Names have become indices; a parameter (value, bounds, constraint) is apart from an effect
//! (what it does to a template).

pub mod constraint;
pub mod effect;
pub mod eft;
pub mod interpolation;
pub mod modifier;
pub mod parameter;

pub use constraint::Constraint;
pub use effect::Effect;
pub use interpolation::{HistosysCode, NormsysCode};
pub use parameter::ParameterSet;

/// A likelihood: channels of Poisson bins, parameters, and their constraints.
#[derive(Clone, Debug)]
pub struct Model {
    /// Sorted by name, as are the samples in each.
    pub channels: Vec<Channel>,
    /// In fit order (spec/workspace.md, "Order of parameters").
    pub parameters: Vec<ParameterSet>,
    /// Index of the first parameter of the parameter of interest.
    pub poi: Option<usize>,
    /// Lower clip of each sample's rate in each bin, where switched on.
    pub clip_sample_data: Option<f64>,
    /// Lower clip of each bin's summed rate, where switched on.
    pub clip_bin_data: Option<f64>,
    /// Evaluate bins of ν < 0 as pyhf does (spec/likelihood.md, "Domain") instead of giving +inf.
    pub pyhf_domain: bool,
}

/// A region with `n_bins` bins.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    pub n_bins: usize,
    pub samples: Vec<Sample>,
}

/// A process in a channel: nominal yields and the effects that act on them.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub nominal: Vec<f64>,
    pub effects: Vec<Effect>,
}

/// Observed data: main counts in channel order, then auxiliary data in parameter order.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub main: Vec<f64>,
    pub auxiliary: Vec<f64>,
}

impl Model {
    /// Number of scalar parameters.
    pub fn n_parameters(&self) -> usize {
        self.parameters.iter().map(ParameterSet::len).sum()
    }

    /// Number of bins of all channels.
    pub fn n_bins(&self) -> usize {
        self.channels.iter().map(|c| c.n_bins).sum()
    }

    /// Names of the scalar parameters in fit order: `name` for a scalar set, else `name[i]`.
    pub fn parameter_names(&self) -> Vec<String> {
        self.parameters.iter().flat_map(ParameterSet::scalar_names).collect()
    }

    pub fn init(&self) -> Vec<f64> {
        self.parameters.iter().flat_map(|p| p.init.iter().copied()).collect()
    }

    pub fn bounds(&self) -> Vec<(f64, f64)> {
        self.parameters.iter().flat_map(|p| p.bounds.iter().copied()).collect()
    }

    pub fn fixed(&self) -> Vec<bool> {
        self.parameters.iter().flat_map(|p| p.fixed.iter().copied()).collect()
    }

    /// The constraint of each scalar parameter, in fit order.
    pub fn constraints(&self) -> Vec<Option<Constraint>> {
        self.parameters.iter().flat_map(ParameterSet::scalar_constraints).collect()
    }

    /// The model's own auxiliary data, in fit order (Gaussian and Poisson interleaved).
    pub fn auxdata(&self) -> Vec<f64> {
        self.constraints().into_iter().flatten().map(|c| c.auxdata()).collect()
    }
}
