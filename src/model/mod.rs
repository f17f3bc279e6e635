//! The semantic core: what a likelihood is, whichever dialect it was written in (spec/modifiers.md,
//! spec/likelihood.md). Names have become indices; a parameter (value, bounds, constraint) is apart from an effect
//! (what it does to a template).

pub mod constraint;
pub mod correlation;
pub mod densities;
pub mod effect;
pub mod eft;
pub mod interpolation;
pub mod modifier;
pub mod parameter;
pub mod penalty;

pub use constraint::Constraint;
pub use correlation::Correlation;
pub use densities::{Densities, Driven};
pub use effect::Effect;
pub use eft::Response;
pub use eft::laurent::Laurent;
pub use eft::measurement::Measurements;
pub use eft::unbinned::UnbinnedTerm;
pub use interpolation::{HistosysCode, NormsysCode};
pub use parameter::ParameterSet;
pub use penalty::{Penalty, PenaltyKind};

use crate::finding::Findings;
use crate::graph::PairData;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// Ends templates that offsets move, and products of normsys, at zero, where switched on.
    pub template_clip: Option<TemplateClip>,
    /// Terms in single parameters beside their auxiliary measurements.
    pub penalties: Vec<Penalty>,
    /// Gaussian constraints that are not independent; a parameter is in one of them at most.
    pub correlations: Vec<Correlation>,
    /// Measurements with Gaussian errors.
    pub measurements: Measurements,
    /// Wilson coefficients that are functions of the parameters, in the order of their block.
    pub derived: Vec<Derived>,
    /// Events that are taken one by one.
    pub unbinned: Vec<UnbinnedTerm>,
    /// Densities over events, of HS3.
    pub densities: Option<Densities>,
    /// Parameters that functions drive; they count as fixed.
    pub driven: Option<Driven>,
    /// Evaluate bins of ν < 0 as pyhf does (spec/likelihood.md, "Domain") instead of giving +inf.
    pub pyhf_domain: bool,
    /// What is odd in what the model was made of and only shows in the making, such as bins without events, yet no error.
    pub warnings: Findings,
}

/// The nominal yields with their offsets end at zero, before any factor, where a part has an offset; and so does the
/// product of the normsys of a part (spec/hs3-histfactory.md, "Negative templates").
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateClip {
    /// (channel, sample, part) of the parts that subtract: theirs are negatives of templates and end at zero from below.
    pub subtracted: BTreeSet<(usize, usize, usize)>,
}

/// A Wilson coefficient that is a function of the parameters (spec/parameter-transform.md).
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    pub name: String,
    /// The box inside which responses are meant to hold.
    pub bounds: (f64, f64),
    /// In the scalar parameters, by their places in fit order.
    pub expression: Laurent,
}

impl Derived {
    /// At a point of all scalar parameters.
    pub fn value(&self, point: &[f64]) -> f64 {
        self.expression.value(point)
    }

    /// Its derivatives that are not zero everywhere, by parameter.
    pub fn gradient(&self, point: &[f64]) -> Vec<(usize, f64)> {
        let variables = self.expression.variables().into_iter();
        variables.map(|i| (i as usize, self.expression.slope(i, point))).collect()
    }

    /// Outside of the box by more than rounding.
    pub fn is_outside(&self, value: f64) -> bool {
        let (low, high) = self.bounds;
        let room = 1e-9 * (high - low);
        !(low - room..=high + room).contains(&value)
    }
}

/// A region with `n_bins` bins.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    pub n_bins: usize,
    pub samples: Vec<Sample>,
}

/// A process in a channel: its yield is the sum of its parts.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    /// One part, unless a response splits the sample (spec/eft.md, "Parts").
    pub parts: Vec<Part>,
}

/// Nominal yields, the effects that act on them, and a response to Wilson coefficients.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub nominal: Vec<f64>,
    pub effects: Vec<Effect>,
    pub response: Option<Response>,
}

/// Observed data: main counts in channel order, auxiliary data in parameter order, weights of single events, and what
/// densities over events are paired with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    pub main: Vec<f64>,
    pub auxiliary: Vec<f64>,
    /// s of every row of every unbinned term, observed events and then reference events (spec/unbinned.md, "Data").
    pub unbinned: Vec<f64>,
    /// For each pair of [`Densities`]; without it, the data of the document.
    pub densities: Option<Arc<Vec<PairData>>>,
}

impl Part {
    /// Its bins have a profiled statistical uncertainty.
    pub fn is_uncertain(&self) -> bool {
        self.response.as_ref().is_some_and(|response| response.variance.is_some())
    }

    /// The parameters on which the part depends, with repetitions.
    pub fn parameters(&self) -> impl Iterator<Item = usize> {
        let of_response = self.response.iter().flat_map(|response| response.parameters.iter().copied());
        self.effects.iter().flat_map(Effect::parameters).chain(of_response)
    }

    /// Leaves the bins with a flag that is set.
    pub fn keep(&mut self, kept: &[bool]) {
        self.nominal = select(&self.nominal, kept);
        self.effects.iter_mut().for_each(|effect| effect.keep(kept));
        self.response.iter_mut().for_each(|response| response.keep(kept));
    }

    /// Puts one parameter in the place of another.
    pub fn replace(&mut self, parameter: usize, by: usize) {
        self.effects.iter_mut().for_each(|effect| effect.replace(parameter, by));
        let of_response = self.response.iter_mut().flat_map(|response| &mut response.parameters);
        of_response.filter(|p| **p == parameter).for_each(|p| *p = by);
    }
}

/// The entries whose flag is set.
pub(crate) fn select<T: Clone>(values: &[T], kept: &[bool]) -> Vec<T> {
    values.iter().zip(kept).filter(|(_, kept)| **kept).map(|(value, _)| value.clone()).collect()
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

    /// The model's own auxiliary data: of the parameters in fit order (Gaussian and Poisson interleaved), then of the
    /// bins with a simulated response (spec/eft.md, eq. 13), in order, then of the points of the measurements.
    pub fn auxdata(&self) -> Vec<f64> {
        let of_parameters = self.constraints().into_iter().flatten().map(|c| c.auxdata());
        of_parameters.chain(self.uncertain_bins().iter().map(|_| 0.0)).chain(self.measurements.data()).collect()
    }

    /// The weights of the rows of the unbinned terms where the observed events are the data.
    pub fn event_weights(&self) -> Vec<f64> {
        self.unbinned.iter().flat_map(UnbinnedTerm::weights).collect()
    }

    /// The bins whose expectation carries the statistical uncertainty of a simulated response (spec/eft.md, eq. 13), as
    /// (channel, bin of the channel), in order.
    pub fn uncertain_bins(&self) -> Vec<(usize, usize)> {
        let parts = |channel: &Channel| channel.samples.iter().flat_map(|s| &s.parts).any(Part::is_uncertain);
        let channels = self.channels.iter().enumerate().filter(|(_, channel)| parts(channel));
        channels.flat_map(|(index, channel)| (0..channel.n_bins).map(move |bin| (index, bin))).collect()
    }

    /// What the auxiliary data of uncertain bins are called: `mc_stat_CHANNEL`, and how many bins each has.
    pub fn uncertain_channels(&self) -> Vec<(String, usize)> {
        let mut channels: Vec<(String, usize)> = Vec::new();
        for (channel, bin) in self.uncertain_bins() {
            match channels.last_mut() {
                Some((_, n)) if bin > 0 => *n += 1,
                _ => channels.push((format!("mc_stat_{}", self.channels[channel].name), 1)),
            }
        }
        channels
    }

    /// Every part of every sample of every channel.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.parts)
    }
}
