//! Do the channels agree on the parameter of interest? A fit in which each group of channels has its own, against the
//! common one (spec/inference.md, eq. 36).

use super::fit::{FitOptions, FitResult, Hesse};
use super::goodness_of_fit::chi_square_tail;
use super::likelihood::{Likelihood, Minimum};
use crate::model::{Data, Model, ParameterSet};
use crate::program::Program;

/// Both fits.
#[derive(Clone, Debug)]
pub struct Compatibility {
    /// With the common parameter.
    pub common: FitResult,
    /// With one for each group: parameters and names as in `split_model`.
    pub split: FitResult,
    pub split_model: Model,
    pub split_options: FitOptions,
    /// One entry for each group on which the parameter acts.
    pub groups: Vec<GroupFit>,
    /// `twice_nll` of the common fit less that of the split one.
    pub statistic: f64,
    /// Groups less one.
    pub degrees_of_freedom: u32,
}

/// The parameter of one group in the split fit.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupFit {
    /// Index among the groups asked for.
    pub group: usize,
    pub value: f64,
    /// NaN where not known.
    pub uncertainty: f64,
    pub at_limit: bool,
}

/// Why there is no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTestable {
    /// The parameter acts on so many groups only; two are needed.
    TooFewGroups(usize),
    /// Copies of a constrained parameter would each have the constraint.
    Constrained,
    Fixed,
}

impl Compatibility {
    /// The probability of a larger statistic where the χ² distribution holds; nothing unless both fits are valid.
    pub fn p_value(&self) -> Option<f64> {
        let both = self.common.valid && self.split.valid;
        both.then(|| chi_square_tail(self.statistic, self.degrees_of_freedom)).flatten()
    }
}

/// Tests the groups of channels, each a list of indices; channels without a group keep the parameter of the first group.
///
/// # Errors
/// Where the parameter cannot be split.
pub fn compatibility(
    model: &Model,
    data: &Data,
    options: &FitOptions,
    parameter: usize,
    groups: &[Vec<usize>],
) -> Result<Compatibility, NotTestable> {
    if options.fixed[parameter] {
        return Err(NotTestable::Fixed);
    }
    if model.constraints()[parameter].is_some() {
        return Err(NotTestable::Constrained);
    }
    let acting: Vec<usize> =
        (0..groups.len()).filter(|&g| groups[g].iter().any(|&channel| acts(model, channel, parameter))).collect();
    let Some((_, copied)) = acting.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(NotTestable::TooFewGroups(acting.len()));
    };
    let program = Program::compile(model);
    let mut likelihood = Likelihood::new(&program, data, options.clone());
    let common = likelihood.fit(Hesse::Parameter(parameter));

    let (split_model, split_options) = split(model, options, parameter, copied.iter().map(|&g| &groups[g]), &common);
    let split_program = Program::compile(&split_model);
    let mut likelihood = Likelihood::new(&split_program, data, split_options.clone());
    let split = lowest(&mut likelihood, options, parameter);
    let first_copy = model.n_parameters();
    let places = std::iter::once(parameter).chain(first_copy..);
    let fitted = acting.iter().zip(places).map(|(&group, i)| GroupFit {
        group,
        value: split.parameters[i],
        uncertainty: split.uncertainties.as_ref().map_or(f64::NAN, |uncertainties| uncertainties[i]),
        at_limit: split.at_limit.contains(&i),
    });
    Ok(Compatibility {
        groups: fitted.collect(),
        statistic: common.twice_nll - split.twice_nll,
        degrees_of_freedom: u32::try_from(copied.len()).unwrap_or(u32::MAX),
        common,
        split,
        split_model,
        split_options,
    })
}

/// The lower of the minima to which the common fit and the model's own start lead.
fn lowest(likelihood: &mut Likelihood, options: &FitOptions, parameter: usize) -> FitResult {
    let from_common = likelihood.fit(Hesse::All);
    let mut start = options.init.clone();
    start.resize(likelihood.options.init.len(), options.init[parameter]);
    let common_start = std::mem::replace(&mut likelihood.options.init, start);
    let from_start = likelihood.fit(Hesse::All);
    likelihood.options.init = common_start;
    let known: Minimum = from_common.clone().into();
    let better = from_start.valid && (!known.valid() || from_start.twice_nll < known.twice_nll);
    if better { from_start } else { from_common }
}

/// A model whose channels of each further group have a copy of the parameter, and options that begin at the common
/// minimum.
fn split<'g>(
    model: &Model,
    options: &FitOptions,
    parameter: usize,
    copied: impl Iterator<Item = &'g Vec<usize>>,
    common: &FitResult,
) -> (Model, FitOptions) {
    let (mut model, mut options) = (model.clone(), options.clone());
    options.init.clone_from(&common.parameters);
    let name = model.parameter_names().get(parameter).cloned().unwrap_or_default();
    for channels in copied {
        let copy = model.n_parameters();
        for &channel in channels {
            let Some(channel) = model.channels.get_mut(channel) else { continue };
            for part in channel.samples.iter_mut().flat_map(|sample| &mut sample.parts) {
                part.replace(parameter, copy);
            }
        }
        let of_channels: Vec<&str> =
            channels.iter().filter_map(|&c| model.channels.get(c)).map(|c| c.name.as_str()).collect();
        let set = ParameterSet {
            name: format!("{name} of {}", of_channels.join(", ")),
            scalar: true,
            init: vec![options.init[parameter]],
            bounds: vec![options.bounds[parameter]],
            fixed: vec![false],
            constraints: None,
        };
        options.init.push(options.init[parameter]);
        options.bounds.push(options.bounds[parameter]);
        options.fixed.push(false);
        model.parameters.push(set);
    }
    (model, options)
}

fn acts(model: &Model, channel: usize, parameter: usize) -> bool {
    let samples = model.channels.get(channel).map_or(&[][..], |channel| &channel.samples);
    samples.iter().flat_map(|sample| &sample.parts).any(|part| part.parameters().any(|p| p == parameter))
}
