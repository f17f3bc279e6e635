//! pyhf workspace → [`Model`] and [`Data`] (spec/workspace.md).
//!
//! The workspace has passed [`crate::workspace`]'s rules; what they let through never fails here, except for what
//! only the arguments decide (measurement, POI).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;

use super::from_eft::{self, EftContext};
use crate::document::correlations::CorrelationGroup;
use crate::document::workspace::{Channel, Modifier, ParameterConfig, Sample, Workspace};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::modifier::{histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror};
use crate::model::{self, Constraint, Correlation, Data, Effect, HistosysCode, Model, NormsysCode, ParameterSet};
use crate::rule;
use crate::workspace;

/// Whose rules decide where pyhf lets pass what this crate calls an error (spec/validation.md, "Compatibility").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    #[default]
    Strict,
    Pyhf,
}

/// What is chosen beyond the document when a model is built.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// Name of the measurement; the first by default.
    pub measurement: Option<String>,
    /// Replaces the measurement's POI; `Some("")` means none.
    pub poi: Option<String>,
    pub normsys: NormsysCode,
    pub histosys: HistosysCode,
    pub clip_sample_data: Option<f64>,
    pub clip_bin_data: Option<f64>,
    pub compat: Compat,
    /// Ends all responses at this order in 1/Λ², where they do not end before.
    pub max_np_order: Option<u32>,
    /// Takes this replica alone of the ratios of unbinned terms, where they have several.
    pub replica: Option<usize>,
    /// Where the document lies: event databases are found from there. The current folder by default.
    pub folder: Option<PathBuf>,
}

/// A channel with its samples by name; a sample that only other channels have is empty.
struct Region<'w> {
    name: &'w str,
    n_bins: usize,
    samples: Vec<(&'w str, Vec<f64>, Vec<&'w Modifier>)>,
}

/// Where the values of one staterror lie: the first bin of each of its channels, and the bins.
#[derive(Default)]
struct StaterrorBins {
    first_of_region: HashMap<usize, usize>,
    bins: Vec<staterror::Bin>,
}

/// Builds the model of one measurement.
///
/// A POI that names no scalar parameter leaves `Model::poi` empty: who needs it reports `InvalidModel`.
///
/// # Errors
/// `InvalidMeasurement` where the named measurement is not there; `InvalidModel` for a lumi without configuration and
/// for a model without parameters. Of samples with EFT modifiers everything that is wrong with any of them, and with the
/// event databases that they use.
pub fn model(workspace: &Workspace, options: &ModelOptions) -> Result<Model> {
    let measurement = match options.measurement.as_deref() {
        Some(name) => workspace::measurement_named(workspace, name)?,
        None => workspace::measurement(workspace, 0)?,
    };
    let configs: HashMap<&str, &ParameterConfig> =
        measurement.config.parameters.iter().map(|config| (config.name.as_str(), config)).collect();
    let regions = regions(workspace, options);
    let staterrors = staterror_bins(&regions);
    let mut parameters = parameter_sets(&regions, &staterrors, &configs)?;
    add_and_configure(workspace, &regions, &configs, &mut parameters)?;
    let mut ranges = value_ranges(&parameters);
    if let Some(eft) = workspace.eft.as_deref() {
        from_eft::number_given(eft, parameters.iter().map(ParameterSet::len).sum(), &mut ranges);
    }
    let eft = workspace.eft.as_deref().map(|eft| EftContext::new(workspace, eft, &parameters, &ranges, options));
    let mut eft = eft.transpose()?;
    let mut channels = Vec::with_capacity(regions.len());
    let mut findings = Findings::default();
    for (index, region) in regions.iter().enumerate() {
        match channel(index, region, &ranges, &staterrors, eft.as_mut(), options) {
            Ok(channel) => channels.push(channel),
            Err(found) => findings.0.extend(found.0),
        }
    }
    let measurements = eft.as_mut().map(EftContext::measurements).transpose()?.unwrap_or_default();
    let derived = eft.as_ref().map(EftContext::derived).unwrap_or_default();
    let unbinned = eft.as_ref().map(EftContext::unbinned_terms).transpose()?.unwrap_or_default();
    let mut warnings = eft.map(EftContext::into_warnings).unwrap_or_default();
    if !findings.0.is_empty() {
        findings.0.append(&mut warnings.0);
        return Err(each_once(findings));
    }
    from_eft::check_clip(&channels, options)?;
    let poi = options.poi.as_deref().unwrap_or(&measurement.config.poi);
    let poi = parameters.iter().find(|set| set.name == poi && set.len() == 1);
    let poi = poi.map(|set| ranges[set.name.as_str()].start);
    Ok(Model {
        channels,
        poi,
        clip_sample_data: options.clip_sample_data,
        clip_bin_data: options.clip_bin_data,
        template_clip: None,
        penalties: Vec::new(),
        correlations: correlations(workspace, &ranges)?,
        measurements,
        derived,
        unbinned,
        densities: None,
        driven: None,
        pyhf_domain: options.compat == Compat::Pyhf,
        parameters,
        warnings,
    })
}

/// The correlated constraints (spec/constraints.md, "Correlated constraints").
fn correlations(workspace: &Workspace, ranges: &HashMap<&str, Range<usize>>) -> Result<Vec<Correlation>> {
    let groups = workspace.correlations.iter().flat_map(|correlations| &correlations.groups);
    let group = |(g, group): (usize, &CorrelationGroup)| {
        let places = group.parameters.iter().filter_map(|name| ranges.get(name.as_str())).map(|range| range.start);
        let parameters: Vec<usize> = places.collect();
        let known = parameters.len() == group.parameters.len();
        let correlation = Correlation::new(parameters, &group.matrix.concat()).filter(|_| known);
        let wrong = || Finding::new(&rule::CORRELATION_MATRIX, "a group of correlations", "one that the rules allow");
        correlation.ok_or_else(|| wrong().at(format!("/correlations/groups/{g}")).into())
    };
    groups.enumerate().map(group).collect()
}

/// Adds the parameters of the EFT extension, and sets all as the measurement has it.
fn add_and_configure(
    workspace: &Workspace,
    regions: &[Region],
    configs: &HashMap<&str, &ParameterConfig>,
    parameters: &mut Vec<ParameterSet>,
) -> Result<()> {
    if let Some(eft) = &workspace.eft {
        from_eft::add_parameters(eft, walk(regions).map(|(_, _, modifier)| modifier), parameters);
    }
    if parameters.is_empty() {
        return Err(Finding::new(&rule::NO_PARAMETERS, "a model without parameters", "at least one modifier").into());
    }
    for set in parameters {
        if let Some(config) = configs.get(set.name.as_str()) {
            configure(set, config);
        }
    }
    Ok(())
}

/// One database may be wrong for many samples.
fn each_once(mut findings: Findings) -> Findings {
    let mut seen = HashSet::new();
    findings.0.retain(|finding| seen.insert(finding.to_string()));
    findings
}

/// Observed counts in the model's channel order, with the model's auxiliary data.
///
/// # Errors
/// `MissingObservation` and `ObservationShape`, one for each channel that lacks its counts.
pub fn data(workspace: &Workspace, model: &Model) -> Result<Data> {
    let mut main = Vec::with_capacity(model.n_bins());
    let mut findings = Vec::new();
    for channel in &model.channels {
        match workspace.observations.iter().find(|o| o.name == channel.name) {
            Some(observation) if observation.data.len() == channel.n_bins => main.extend(&observation.data),
            Some(observation) => {
                let found = format!("{} observed bins in channel {}", observation.data.len(), quote(&channel.name));
                findings.push(Finding::new(&rule::OBSERVATION_BINS, found, format!("{} bins", channel.n_bins)));
            }
            None => {
                let found = format!("no observation for channel {}", quote(&channel.name));
                findings.push(Finding::new(&rule::MISSING_OBSERVATION, found, "one observation for each channel"));
            }
        }
    }
    if findings.is_empty() {
        Ok(Data { main, auxiliary: model.auxdata(), unbinned: model.event_weights(), densities: None })
    } else {
        Err(Findings(findings))
    }
}

/// Channels, samples and modifiers sorted by name (spec/workspace.md, "Order"). Of modifiers with one name and type
/// the last counts, which only pyhf's rules allow.
fn regions<'w>(workspace: &'w Workspace, options: &ModelOptions) -> Vec<Region<'w>> {
    // A sample that a channel lacks has rate zero there; it matters only where a clip lifts it.
    let lifted = options.clip_sample_data.is_some_and(|clip| clip > 0.0);
    let everywhere: BTreeSet<&str> = if lifted {
        workspace.channels.iter().flat_map(|c| c.samples.iter().map(|s| s.name.as_str())).collect()
    } else {
        BTreeSet::new()
    };
    let mut channels: Vec<&Channel> = workspace.channels.iter().collect();
    channels.sort_by(|a, b| a.name.cmp(&b.name));
    channels
        .into_iter()
        .map(|channel| {
            let n_bins = channel.samples.first().map_or(0, |s| s.data.len());
            let mut samples: BTreeMap<&str, Option<&Sample>> = everywhere.iter().map(|name| (*name, None)).collect();
            samples.extend(channel.samples.iter().map(|s| (s.name.as_str(), Some(s))));
            let samples = samples
                .into_iter()
                .map(|(name, sample)| match sample {
                    Some(sample) => (name, sample.data.clone(), sorted_modifiers(sample)),
                    None => (name, vec![0.0; n_bins], Vec::new()),
                })
                .collect();
            Region { name: &channel.name, n_bins, samples }
        })
        .collect()
}

fn sorted_modifiers(sample: &Sample) -> Vec<&Modifier> {
    let last: BTreeMap<(&str, &str), &Modifier> =
        sample.modifiers.iter().map(|modifier| ((modifier.name(), modifier.kind()), modifier)).collect();
    last.into_values().collect()
}

/// Every modifier in pyhf's walk: channels, samples, then (name, type).
fn walk<'r, 'w>(regions: &'r [Region<'w>]) -> impl Iterator<Item = (usize, &'r [f64], &'w Modifier)> {
    regions.iter().enumerate().flat_map(|(index, region)| {
        region
            .samples
            .iter()
            .flat_map(move |(_, nominal, modifiers)| modifiers.iter().map(move |m| (index, nominal.as_slice(), *m)))
    })
}

fn staterror_bins<'w>(regions: &[Region<'w>]) -> BTreeMap<&'w str, StaterrorBins> {
    let mut all: BTreeMap<&str, StaterrorBins> = BTreeMap::new();
    for (index, nominal, modifier) in walk(regions) {
        let Modifier::Staterror { name, data } = modifier else { continue };
        let entry = all.entry(name).or_default();
        let end = entry.bins.len();
        let first = *entry.first_of_region.entry(index).or_insert(end);
        entry.bins.resize(end.max(first + nominal.len()), staterror::Bin::default());
        for ((bin, n), u) in entry.bins[first..].iter_mut().zip(nominal).zip(data) {
            bin.nominal += n;
            bin.sum_of_squares += u * u;
        }
    }
    all
}

/// The sets in fit order: by type, within a type by first encounter, staterrors by name (spec/workspace.md,
/// "Order of parameters").
fn parameter_sets(
    regions: &[Region],
    staterrors: &BTreeMap<&str, StaterrorBins>,
    configs: &HashMap<&str, &ParameterConfig>,
) -> Result<Vec<ParameterSet>> {
    let mut sets = Vec::new();
    let mut seen = BTreeSet::new();
    for kind in ["histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys"] {
        for (_, nominal, modifier) in walk(regions).filter(|(_, _, modifier)| modifier.kind() == kind) {
            let name = modifier.name();
            if !seen.insert(name) {
                continue;
            }
            sets.push(match modifier {
                Modifier::Histosys { .. } => histosys::parameters(name),
                Modifier::Lumi { .. } => lumi_parameters(name, configs.get(name).copied())?,
                Modifier::Normfactor { .. } => normfactor::parameters(name),
                Modifier::Normsys { .. } => normsys::parameters(name),
                Modifier::Shapefactor { .. } => shapefactor::parameters(name, nominal.len()),
                Modifier::Shapesys { data, .. } => shapesys::parameters(name, nominal, data),
                _ => continue,
            });
        }
    }
    sets.extend(staterrors.iter().map(|(name, bins)| staterror::parameters(name, &bins.bins)));
    Ok(sets)
}

fn lumi_parameters(name: &str, config: Option<&ParameterConfig>) -> Result<ParameterSet> {
    let first = |values: Option<&Vec<f64>>| values.and_then(|v| v.first().copied());
    let config = config.cloned().unwrap_or_default();
    let bounds = config.bounds.as_ref().and_then(|b| b.first()).and_then(|pair| Some((*pair.first()?, *pair.get(1)?)));
    match (first(config.inits.as_ref()), bounds, first(config.auxdata.as_ref())) {
        (Some(init), Some(bounds), Some(auxdata)) => {
            Ok(lumi::parameters(name, init, bounds, auxdata, first(config.sigmas.as_ref()).unwrap_or(1.0)))
        }
        _ => {
            let found = format!("a lumi {} without inits, bounds or auxdata", quote(name));
            Err(Finding::new(&rule::LUMI_UNCONFIGURED, found, "all three, and sigmas").into())
        }
    }
}

/// What the measurement says replaces the defaults; starts do not move auxiliary data (spec/workspace.md,
/// "Parameter configuration").
fn configure(set: &mut ParameterSet, config: &ParameterConfig) {
    if let Some(inits) = &config.inits {
        set.init.clone_from(inits);
    }
    if let Some(bounds) = &config.bounds {
        let pairs = bounds.iter().filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
        set.bounds = pairs.collect();
    }
    if let Some(fixed) = config.fixed {
        set.fixed.fill(fixed);
    }
    for (index, constraint) in set.constraints.iter_mut().flatten().enumerate() {
        let configured = |values: &Option<Vec<f64>>| values.as_ref().and_then(|v| v.get(index).copied());
        match constraint {
            Constraint::Gaussian { auxdata, sigma } => {
                *auxdata = configured(&config.auxdata).unwrap_or(*auxdata);
                *sigma = configured(&config.sigmas).unwrap_or(*sigma);
            }
            Constraint::Poisson { auxdata, factor } => {
                *auxdata = configured(&config.auxdata).unwrap_or(*auxdata);
                *factor = configured(&config.factors).unwrap_or(*factor);
            }
        }
    }
}

/// The indices of each set's values among all values.
fn value_ranges(parameters: &[ParameterSet]) -> HashMap<&str, Range<usize>> {
    let mut next = 0;
    parameters
        .iter()
        .map(|set| {
            let first = next;
            next += set.len();
            (set.name.as_str(), first..next)
        })
        .collect()
}

fn channel(
    index: usize,
    region: &Region,
    ranges: &HashMap<&str, Range<usize>>,
    staterrors: &BTreeMap<&str, StaterrorBins>,
    mut eft: Option<&mut EftContext>,
    options: &ModelOptions,
) -> Result<model::Channel> {
    let effect = |modifier: &Modifier| {
        let range = ranges.get(modifier.name())?;
        let parameter = range.start;
        // A shapefactor that is shorter than this channel takes value 0 of the whole model for the bins beyond its
        // end: pyhf's behaviour, which only pyhf's rules let through (spec/validation.md, "Compatibility").
        let value = |index: usize| if index < range.len() { range.start + index } else { 0 };
        let bins = |offset: usize| Effect::BinScale {
            parameters: (0..region.n_bins).map(|b| Some(value(offset + b))).collect(),
        };
        Some(match modifier {
            Modifier::Histosys { data, .. } => Effect::Offset {
                parameter,
                lo: data.lo_data.clone(),
                hi: data.hi_data.clone(),
                code: match (options.histosys, options.compat) {
                    (HistosysCode::Code2, Compat::Pyhf) => HistosysCode::Code2Pyhf,
                    (code, _) => code,
                },
            },
            Modifier::Normsys { data, .. } => {
                Effect::InterpolatedScale { parameter, lo: data.lo, hi: data.hi, code: options.normsys }
            }
            Modifier::Lumi { .. } | Modifier::Normfactor { .. } => Effect::Scale { parameter },
            Modifier::Shapefactor { .. } | Modifier::Shapesys { .. } => bins(0),
            Modifier::Staterror { name, .. } => bins(staterrors[name.as_str()].first_of_region[&index]),
            _ => return None,
        })
    };
    let mut findings = Findings::default();
    let mut samples = Vec::with_capacity(region.samples.len());
    for (name, nominal, modifiers) in &region.samples {
        let effects = modifiers.iter().filter_map(|modifier| Some((modifier.name(), effect(modifier)?)));
        let plain = from_eft::PlainSample { channel: region.name, name, nominal, effects: effects.collect() };
        let parts = match &mut eft {
            Some(eft) if modifiers.iter().any(|modifier| modifier.is_eft()) => eft.parts(&plain, modifiers),
            _ => Ok(vec![plain.part()]),
        };
        match parts {
            Ok(parts) => samples.push(model::Sample { name: (*name).to_owned(), parts }),
            Err(found) => findings.0.extend(found.0),
        }
    }
    if findings.0.is_empty() {
        Ok(model::Channel { name: region.name.to_owned(), n_bins: region.n_bins, samples })
    } else {
        Err(findings)
    }
}
