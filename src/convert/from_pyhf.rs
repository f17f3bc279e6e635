//! pyhf workspace → [`Content`] (spec/hs3-convert.md, section 3).

use super::content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
use crate::document::workspace::{self, Workspace};
use crate::finding::{Finding, Findings, Result, escape_token, quote};
use crate::model::{Constraint, Data, Model, ParameterSet};
use crate::rule;
use crate::translate::from_pyhf::{self, ModelOptions};
use std::collections::{HashMap, HashSet};

/// The content of a workspace: of one measurement, where `options` name it, else of all. Parameters keep pyhf's names;
/// those of single bins are called `gamma_<name>_bin_<i>`.
///
/// # Errors
/// All findings where a model cannot be made; W460 for what HS3 has no words for.
pub fn from_pyhf(workspace: &Workspace, options: &ModelOptions, losses: &mut Findings) -> Result<Content> {
    refuse_extensions(workspace)?;
    let mut names = HashSet::new();
    for (index, measurement) in
        workspace.measurements.iter().enumerate().filter(|(_, m)| !names.insert(m.name.as_str()))
    {
        let found = format!("a second measurement {}", quote(&measurement.name));
        let finding = Finding::new(&rule::CONVERT_DROPPED, found, "the first of the name, which counts");
        losses.push(finding.at(format!("/measurements/{index}")));
    }
    let mut names = HashSet::new();
    let wanted = |name: &str| options.measurement.as_deref().is_none_or(|own| own == name);
    let models = workspace.measurements.iter().enumerate();
    let models = models.filter(|(_, m)| wanted(&m.name) && names.insert(m.name.as_str())).map(|(index, m)| {
        let own = ModelOptions { measurement: Some(m.name.clone()), ..options.clone() };
        Ok((index, m, from_pyhf::model(workspace, &own)?))
    });
    let models: Vec<(usize, &workspace::Measurement, Model)> = models.collect::<Result<_>>()?;
    let Some((_, _, first)) = models.first() else {
        // The name is not there.
        return from_pyhf::model(workspace, options).map(|_| Content::default());
    };
    let sets: HashMap<&str, &ParameterSet> = first.parameters.iter().map(|set| (set.name.as_str(), set)).collect();
    let offsets = staterror_offsets(workspace);
    let channels = workspace.channels.iter().enumerate();
    let channels = channels.map(|(index, channel)| read_channel(workspace, index, channel, &sets, &offsets, options));
    let mut content = Content {
        channels: channels.collect(),
        parameters: first.parameters.iter().flat_map(parameters).collect(),
        ..Content::default()
    };
    for (index, measurement, model) in &models {
        content.analyses.extend(analysis((*index, measurement), first, model, losses));
    }
    Ok(content)
}

/// The model and the data of each measurement that is converted, by the name of its analysis.
///
/// # Errors
/// As [`from_pyhf`].
pub(super) fn likelihoods(workspace: &Workspace, options: &ModelOptions) -> Result<Vec<(String, Model, Data)>> {
    let mut names = HashSet::new();
    let wanted = |name: &str| options.measurement.as_deref().is_none_or(|own| own == name);
    let chosen = workspace.measurements.iter().filter(|m| wanted(&m.name) && names.insert(m.name.as_str()));
    let one = |measurement: &workspace::Measurement| {
        let own = ModelOptions { measurement: Some(measurement.name.clone()), ..options.clone() };
        let model = from_pyhf::model(workspace, &own)?;
        let data = from_pyhf::data(workspace, &model)?;
        Ok((analysis_name(measurement).to_owned(), model, data))
    };
    chosen.map(one).collect()
}

/// An analysis needs a name.
fn analysis_name(measurement: &workspace::Measurement) -> &str {
    if measurement.name.is_empty() { "measurement" } else { &measurement.name }
}

/// The block `eft` and its modifiers are for `eft expand`; correlations have no words yet.
fn refuse_extensions(workspace: &Workspace) -> Result<()> {
    if workspace.correlations.is_some() {
        let expected = "independent constraints: write the correlated ones as a multivariate_normal_dist by hand";
        return Err(Finding::new(&rule::CONVERT_LOST, "correlated constraints", expected).at("/correlations").into());
    }
    if !workspace.has_eft() {
        return Ok(());
    }
    let expected = "plain channels: `morphist eft expand` writes responses as standard HS3";
    Err(Finding::new(&rule::CONVERT_LOST, "responses to Wilson coefficients", expected).at("/eft").into())
}

/// The HS3 names of the values of a set.
fn value_names(set: &ParameterSet) -> Vec<String> {
    if set.scalar { vec![set.name.clone()] } else { (0..set.len()).map(|i| gamma(&set.name, i)).collect() }
}

fn gamma(set: &str, index: usize) -> String {
    format!("gamma_{set}_bin_{index}")
}

fn parameters(set: &ParameterSet) -> Vec<Parameter> {
    let names = value_names(set).into_iter().enumerate();
    let constraint = |i: usize| set.constraints.as_ref().and_then(|c| c.get(i).copied());
    let one = |(i, name)| Parameter { name, setting: setting(set, i), constraint: constraint(i), range: None };
    names.map(one).collect()
}

fn setting(set: &ParameterSet, index: usize) -> Setting {
    let at = |values: &[f64], default: f64| values.get(index).copied().unwrap_or(default);
    Setting {
        value: at(&set.init, 0.0),
        bounds: set.bounds.get(index).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY)),
        constant: set.fixed.get(index).copied().unwrap_or(false),
    }
}

/// The first value of each staterror in each channel, in pyhf's order: channels by name.
fn staterror_offsets(workspace: &Workspace) -> HashMap<(&str, &str), usize> {
    let mut channels: Vec<_> = workspace.channels.iter().collect();
    channels.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut ends, mut offsets): (HashMap<&str, usize>, HashMap<_, _>) = Default::default();
    for channel in channels {
        let bins = channel.samples.first().map_or(0, |s| s.data.len());
        for modifier in channel.samples.iter().flat_map(|s| &s.modifiers) {
            if let workspace::Modifier::Staterror { name, .. } = modifier {
                offsets.entry((channel.name.as_str(), name.as_str())).or_insert_with(|| {
                    let end = ends.entry(name).or_insert(0);
                    let offset = *end;
                    *end += bins;
                    offset
                });
            }
        }
    }
    offsets
}

fn read_channel(
    workspace: &Workspace,
    index: usize,
    channel: &workspace::Channel,
    sets: &HashMap<&str, &ParameterSet>,
    offsets: &HashMap<(&str, &str), usize>,
    options: &ModelOptions,
) -> Channel {
    let pointer = format!("/channels/{index}");
    let observed = workspace.observations.iter().find(|o| o.name == channel.name).map(|o| o.data.clone());
    let sample = |(s, sample): (usize, &workspace::Sample)| {
        let pointer = format!("{pointer}/samples/{s}");
        let bins = sample.data.len();
        let modifiers = sample.modifiers.iter().enumerate().filter_map(|(m, modifier)| {
            let offset = offsets.get(&(channel.name.as_str(), modifier.name())).copied().unwrap_or(0);
            let effect = effect(modifier, sets.get(modifier.name())?, offset, bins, options)?;
            let pointer = format!("{pointer}/modifiers/{m}");
            Some(Modifier { name: modifier.name().to_owned(), effect, pointer })
        });
        let modifiers = modifiers.collect();
        let errors = sample.modifiers.iter().find_map(|modifier| match modifier {
            workspace::Modifier::Staterror { data, .. } => Some(data.clone()),
            _ => None,
        });
        Sample { name: sample.name.clone(), contents: sample.data.clone(), errors, modifiers, pointer }
    };
    let samples = channel.samples.iter().enumerate().map(sample).collect();
    Channel { name: channel.name.clone(), samples, observed: observed.unwrap_or_default(), axes: Vec::new(), pointer }
}

fn effect(
    modifier: &workspace::Modifier,
    set: &ParameterSet,
    offset: usize,
    bins: usize,
    options: &ModelOptions,
) -> Option<Effect> {
    let parameter = modifier.name().to_owned();
    let gammas = |offset: usize| (offset..offset + bins).map(|i| gamma(&set.name, i)).collect();
    Some(match modifier {
        workspace::Modifier::Normfactor { .. } | workspace::Modifier::Lumi { .. } => Effect::Normfactor { parameter },
        workspace::Modifier::Normsys { data, .. } => {
            Effect::Normsys { parameter, lo: data.lo, hi: data.hi, code: options.normsys }
        }
        workspace::Modifier::Histosys { data, .. } => {
            let (lo, hi) = (data.lo_data.clone(), data.hi_data.clone());
            Effect::Histosys { parameter, lo, hi, code: options.histosys }
        }
        workspace::Modifier::Shapefactor { .. } => Effect::Shapefactor { parameters: gammas(0) },
        workspace::Modifier::Shapesys { .. } => Effect::Shapesys { parameters: gammas(0) },
        workspace::Modifier::Staterror { .. } => Effect::Staterror { parameters: gammas(offset) },
        _ => return None,
    })
}

/// A measurement with what it has different from the first. Widths belong to distributions, of which there is one: a
/// measurement with others is lost.
fn analysis(
    (index, measurement): (usize, &workspace::Measurement),
    first: &Model,
    model: &Model,
    losses: &mut Findings,
) -> Option<Analysis> {
    let values = |model: &Model| model.parameters.iter().flat_map(parameters).collect::<Vec<_>>();
    let (base, own) = (values(first), values(model));
    let width = |c: &Option<Constraint>| match *c {
        Some(Constraint::Gaussian { sigma, .. }) => sigma,
        Some(Constraint::Poisson { factor, .. }) => factor,
        None => 0.0,
    };
    if let Some((_, other)) = base.iter().zip(&own).find(|(a, b)| width(&a.constraint) != width(&b.constraint)) {
        let found = format!("another width of {} in the measurement {}", quote(&other.name), quote(&measurement.name));
        let expected = "that of the first measurement: convert this one by itself";
        losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(format!("/measurements/{index}")));
        return None;
    }
    let auxiliary = |all: &[Parameter]| -> Vec<f64> {
        all.iter().filter_map(|p| p.constraint.as_ref()).map(Constraint::auxdata).collect()
    };
    let settings = |all: &[Parameter]| all.iter().map(|p| p.setting).collect::<Vec<_>>();
    let differs = auxiliary(&base) != auxiliary(&own) || settings(&base) != settings(&own);
    let poi = &measurement.config.poi;
    let known = model.parameters.iter().find(|set| set.name == *poi && set.len() == 1);
    let parameters_of_interest = known.and_then(|set| value_names(set).pop());
    if parameters_of_interest.is_none() && !poi.is_empty() {
        let pointer = format!("/measurements/{index}/config/poi");
        let expected = format!("a scalar parameter, not {}", escape_token(poi));
        losses.push(Finding::new(&rule::CONVERT_DROPPED, quote(poi), expected).at(pointer));
    }
    let name = analysis_name(measurement).to_owned();
    if measurement.name.is_empty() {
        let finding = Finding::new(&rule::CONVERT_RENAMED, "a measurement without a name", quote(&name));
        losses.push(finding.at(format!("/measurements/{index}/name")));
    }
    Some(Analysis {
        name,
        parameters_of_interest: parameters_of_interest.into_iter().collect(),
        settings: if differs { settings(&own) } else { Vec::new() },
        auxiliary: if differs { auxiliary(&own) } else { Vec::new() },
    })
}
