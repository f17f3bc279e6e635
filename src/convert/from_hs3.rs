//! HS3 likelihood of HistFactory channels → [`Content`] (spec/hs3-convert.md, section 4).

use super::content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
use super::file::{Axis, Function, Slot as WrittenSlot};
use super::target::Target;
use crate::document::hs3::{
    self, Binning, DistributionKind, FunctionKind, Hs3Document, ModifierData, ModifierKind, Slot,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{Model, ParameterSet, Penalty, PenaltyKind};
use crate::rule;
use crate::translate::from_hs3::{self, Code, Hs3Likelihood, Hs3Options};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The content of the likelihood that `options` choose, for a writer of HS3 or, without a target, of a workspace. Where they
/// choose no analysis, all analyses of that likelihood are kept; their widths are those of the likelihood.
///
/// # Errors
/// All findings where the likelihood cannot be translated.
pub fn from_hs3(
    document: &Hs3Document,
    options: &Hs3Options,
    target: Option<Target>,
    losses: &mut Findings,
) -> Result<Content> {
    let analyses = chosen_analyses(document, options);
    let of = |name: Option<&str>| {
        let analysis = name.map(str::to_owned).or_else(|| options.analysis.clone());
        from_hs3::likelihood(document, &Hs3Options { analysis, ..options.clone() })
    };
    let first = of(analyses.first().map(|analysis| analysis.name.as_str()))?;
    super::leftover::tell(document, &first.name, &analyses, target, losses);
    let mut reader = Reader { document, likelihood: &first, target, losses };
    let channels = reader.channels(&channels_of(document, &first.name)?);
    let mut content = Content {
        channels,
        parameters: parameters(&first.model),
        functions: reader.functions(),
        clips: first.conventions.clip_templates,
        metadata: metadata(document),
        ..Content::default()
    };
    reader.penalties(&mut content.parameters);
    if content.clips && target.is_none() {
        super::clip::check(&content, reader.losses);
    }
    for analysis in analyses {
        let own = of(Some(&analysis.name))?;
        content.analyses.push(read_analysis(analysis, &content.parameters, &own.model, reader.losses));
    }
    if content.analyses.is_empty() {
        let pois = first.model.poi.and_then(|i| first.model.parameters.get(i)).map(|set| set.name.clone());
        let parameters_of_interest = pois.into_iter().collect();
        content.analyses.push(Analysis { name: first.name.clone(), parameters_of_interest, ..Analysis::default() });
    }
    content.misc =
        document.misc.iter().filter(|(key, _)| *key != "ROOT_internal").map(|(k, v)| (k.clone(), v.clone())).collect();
    Ok(content)
}

/// Every distribution that a likelihood has data for is a channel, alone or in products.
pub(super) fn is_channels(document: &Hs3Document) -> bool {
    let mut data = document.likelihoods.iter().flat_map(|likelihood| &likelihood.distributions).peekable();
    data.peek().is_some() && data.all(|name| channel_in(document, name).is_some())
}

/// The analysis asked for; else all, if they have one likelihood.
fn chosen_analyses<'d>(document: &'d Hs3Document, options: &Hs3Options) -> Vec<&'d hs3::Analysis> {
    let all = document.analyses.iter();
    match (&options.analysis, &options.likelihood) {
        (Some(name), _) => all.filter(|analysis| analysis.name == *name).collect(),
        (None, Some(name)) => all.filter(|analysis| analysis.likelihood == *name).collect(),
        (None, None) => {
            let likelihoods: BTreeSet<&str> = document.analyses.iter().map(|a| a.likelihood.as_str()).collect();
            if likelihoods.len() == 1 { all.collect() } else { Vec::new() }
        }
    }
}

/// The likelihood of a name, or all of them as one where it is that of all (`*`).
pub(super) fn likelihoods_of<'d>(document: &'d Hs3Document, name: &str) -> Vec<&'d hs3::Likelihood> {
    let own: Vec<_> = document.likelihoods.iter().filter(|l| l.name == name).collect();
    if own.is_empty() { document.likelihoods.iter().collect() } else { own }
}

/// The channels of a likelihood in the order of the document.
///
/// # Errors
/// Each distribution with data that has no channel in it: densities over events.
fn channels_of<'d>(document: &'d Hs3Document, likelihood: &str) -> Result<Vec<&'d hs3::Distribution>> {
    let (mut channels, mut findings) = (Vec::new(), Findings::default());
    let mut seen = HashSet::new();
    for likelihood in likelihoods_of(document, likelihood) {
        for (i, name) in likelihood.distributions.iter().enumerate() {
            let found = channel_in(document, name);
            match found {
                Some(channel) if seen.insert(&channel.name) => channels.push(channel),
                Some(_) => {}
                None => {
                    let found = format!("{}, a density over events", quote(name));
                    let expected = "a histfactory_dist: a workspace has channels with counts, and nothing else";
                    let finding = Finding::new(&rule::CONVERT_LOST, found, expected);
                    findings.push(finding.at(format!("{}/distributions/{i}", likelihood.pointer)));
                }
            }
        }
    }
    if findings.0.is_empty() { Ok(channels) } else { Err(findings) }
}

/// The channel that a distribution is, alone or in products.
pub(super) fn channel_in<'d>(document: &'d Hs3Document, name: &'d str) -> Option<&'d hs3::Distribution> {
    let mut stack = vec![name];
    let mut seen = HashSet::new();
    while let Some(name) = stack.pop() {
        let Some(distribution) = document.distribution(name).filter(|_| seen.insert(name)) else { continue };
        match &distribution.kind {
            DistributionKind::HistFactory(_) => return Some(distribution),
            DistributionKind::Product { factors, .. } => stack.extend(factors.iter().rev().map(String::as_str)),
            _ => {}
        }
    }
    None
}

/// What `metadata` says of people and purpose.
fn metadata(document: &Hs3Document) -> Map<String, Value> {
    let own = &document.metadata;
    let lists = [("authors", &own.authors), ("publications", &own.publications)];
    let lists =
        lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key, Value::from(list.clone())));
    let description = own.description.iter().map(|text| ("description", Value::from(text.as_str())));
    lists.chain(description).map(|(key, value)| (key.to_owned(), value)).collect()
}

struct Reader<'d, 'l> {
    document: &'d Hs3Document,
    likelihood: &'d Hs3Likelihood,
    target: Option<Target>,
    losses: &'l mut Findings,
}

impl<'d> Reader<'d, '_> {
    fn channels(&mut self, distributions: &[&'d hs3::Distribution]) -> Vec<Channel> {
        let mut offsets = HashMap::new();
        let mut next = 0;
        for channel in &self.likelihood.model.channels {
            offsets.insert(channel.name.as_str(), (next, channel.n_bins));
            next += channel.n_bins;
        }
        let mut channels = Vec::with_capacity(distributions.len());
        for distribution in distributions {
            let DistributionKind::HistFactory(channel) = &distribution.kind else { continue };
            let (first, bins) = offsets.get(distribution.name.as_str()).copied().unwrap_or((0, 0));
            let observed = self.likelihood.data.main.get(first..first + bins).unwrap_or_default().to_vec();
            let name = distribution.name.strip_prefix("model_").unwrap_or(&distribution.name).to_owned();
            let samples = channel.samples.iter().map(|sample| self.sample(channel, sample, &name)).collect();
            let axes = channel.axes.iter().map(|own| axis(own, bins)).collect();
            channels.push(Channel { name, samples, observed, axes, pointer: distribution.pointer.clone() });
        }
        channels
    }

    fn sample(&mut self, channel: &hs3::Channel, sample: &hs3::Sample, region: &str) -> Sample {
        let mut modifiers = Vec::with_capacity(sample.modifiers.len());
        let bins = sample.data.contents.len();
        let mut errors = sample.data.errors.clone();
        for modifier in &sample.modifiers {
            if let ModifierData::Uncertainties(own) = &modifier.data {
                errors = Some(own.clone());
            }
            if let Some(effect) = self.effect(channel, modifier, region, bins) {
                let name = modifier.name.clone().unwrap_or_else(|| driver_name(&effect));
                modifiers.push(Modifier { name, effect, pointer: modifier.pointer.clone() });
            }
        }
        let contents = sample.data.contents.clone();
        Sample { name: sample.name.clone(), contents, errors, modifiers, pointer: sample.pointer.clone() }
    }

    /// With the names of spec/hs3-histfactory.md, section 1, where none are written.
    fn effect(
        &mut self,
        channel: &hs3::Channel,
        modifier: &hs3::Modifier,
        region: &str,
        bins: usize,
    ) -> Option<Effect> {
        let own = modifier.name.clone().unwrap_or_default();
        let one = modifier.parameter.clone().or_else(|| modifier.parameters.first().cloned());
        let alpha = || one.clone().unwrap_or_else(|| format!("alpha_{own}"));
        let per_bin = |prefix: String| match modifier.parameters.as_slice() {
            [] => (0..bins).map(|bin| format!("{prefix}_bin_{bin}")).collect(),
            written => written.to_vec(),
        };
        Some(match (&modifier.kind, &modifier.data) {
            (ModifierKind::Normfactor, _) => Effect::Normfactor { parameter: one.clone().unwrap_or(own) },
            (ModifierKind::Normsys, ModifierData::Normsys { lo, hi }) => {
                let code = Code::of(modifier, channel).ok()?;
                if code == Code::AddPolynomial {
                    self.lose(modifier, "a normsys that adds a polynomial", "interpolation that multiplies");
                }
                Effect::Normsys { parameter: alpha(), lo: *lo, hi: *hi, code: code.factor() }
            }
            (ModifierKind::Histosys, ModifierData::Histosys { lo, hi }) => {
                let code = Code::of(modifier, channel).ok()?;
                if !code.is_additive() {
                    self.lose(modifier, "a histosys that multiplies", "interpolation that adds");
                }
                let (lo, hi) = (lo.contents.clone(), hi.contents.clone());
                Effect::Histosys { parameter: alpha(), lo, hi, code: code.offset() }
            }
            (ModifierKind::Shapefactor, _) => Effect::Shapefactor { parameters: per_bin(format!("gamma_{own}")) },
            (ModifierKind::Shapesys, _) => Effect::Shapesys { parameters: per_bin(format!("gamma_{own}")) },
            (ModifierKind::Staterror, _) => Effect::Staterror { parameters: per_bin(format!("gamma_stat_{region}")) },
            (ModifierKind::Custom, _) => Effect::Custom,
            _ => return None,
        })
    }

    /// The functions of the document that a writer knows; others are lost where something names them.
    fn functions(&mut self) -> Vec<Function> {
        let slot = |slot: &Slot| match slot {
            Slot::Number(number) => WrittenSlot::Number(*number),
            Slot::Name(name) => WrittenSlot::Name(name.clone()),
        };
        let drivers: HashSet<&str> = self
            .document
            .distributions
            .iter()
            .flat_map(|d| match &d.kind {
                DistributionKind::HistFactory(channel) => drivers(channel),
                _ => Vec::new(),
            })
            .collect();
        let mut wanted: Vec<&str> = drivers.into_iter().filter(|name| self.document.function(name).is_some()).collect();
        wanted.sort_unstable();
        let mut seen: BTreeSet<&str> = wanted.iter().copied().collect();
        let mut functions = Vec::new();
        while let Some(name) = wanted.pop() {
            let Some(function) = self.document.function(name) else { continue };
            let names = function.references.iter().map(|reference| reference.name.as_str());
            wanted.extend(names.filter(|name| self.document.function(name).is_some() && seen.insert(name)));
            functions.push(match &function.kind {
                FunctionKind::Generic(formula) => Function::generic(name, formula.text.clone()),
                FunctionKind::Product { factors } => Function::product(name, factors.iter().map(slot).collect()),
                FunctionKind::Sum { summands } => Function::sum(name, summands.iter().map(slot).collect()),
                _ => {
                    let finding = Finding::new(&rule::CONVERT_LOST, quote(name), "a product, a sum or an expression");
                    self.losses.push(finding.at(function.pointer.clone()));
                    continue;
                }
            });
        }
        functions.reverse();
        functions
    }

    /// Terms that are no auxiliary measurements. ROOT normalises constraints over ranges as it reads them: it gets these
    /// with the parameters.
    fn penalties(&mut self, parameters: &mut [Parameter]) {
        let model = &self.likelihood.model;
        if model.densities.is_some() {
            let found = format!("constraints of several parameters in {}", quote(&self.likelihood.name));
            let expected = "Gaussian and Poisson ones of single parameters";
            self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected));
        }
        let names = model.parameter_names();
        let bounds: Vec<(f64, f64)> = model.parameters.iter().map(|set| plausible_range(&parameter(set))).collect();
        for penalty in &model.penalties {
            if let (PenaltyKind::Truncation { low, high, .. }, Some(Target::Root640)) = (&penalty.kind, self.target) {
                let name = names.get(penalty.parameter);
                if let Some(parameter) = parameters.iter_mut().find(|p| Some(&p.name) == name) {
                    parameter.range = Some((*low, *high));
                    continue;
                }
            }
            let name = quote(names.get(penalty.parameter).map(String::as_str).unwrap_or_default());
            let range = bounds.get(penalty.parameter).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            let finding = match penalty.kind {
                PenaltyKind::Truncation { .. } => {
                    let change = variation(penalty, range);
                    let found = format!("the constraint of {name} normalised over a range");
                    let expected = format!("one over all values: −ln L changes by up to {change:.1e}");
                    let rule = if change > 1e-6 { &rule::CONVERT_RANGE } else { &rule::CONVERT_CONSTANT };
                    Finding::new(rule, found, expected)
                }
                PenaltyKind::Constant(value) => {
                    let found = format!("a constant of the constraint of {name}");
                    Finding::new(&rule::CONVERT_CONSTANT, found, format!("−ln L without {value}"))
                }
                PenaltyKind::Logarithmic { .. } => {
                    let found = format!("a log-normal or gamma constraint of {name}");
                    Finding::new(&rule::CONVERT_LOST, found, "a Gaussian or Poisson one")
                }
            };
            self.losses.push(finding);
        }
    }

    fn lose(&mut self, modifier: &hs3::Modifier, found: &str, expected: &str) {
        self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(modifier.pointer.clone()));
    }
}

/// How much a term changes over a range.
fn variation(penalty: &Penalty, (low, high): (f64, f64)) -> f64 {
    let (low, high) = (low.max(-1e3), high.min(1e3));
    let points = (0..=64).map(|i| low + (high - low) * f64::from(i) / 64.0);
    let values: Vec<f64> = points.map(|theta| penalty.jet(theta).value).collect();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    values.into_iter().fold(f64::NEG_INFINITY, f64::max) - lowest
}

fn driver_name(effect: &Effect) -> String {
    effect.drivers().first().cloned().unwrap_or_default()
}

fn drivers(channel: &hs3::Channel) -> Vec<&str> {
    let modifiers = channel.samples.iter().flat_map(|sample| &sample.modifiers);
    let names = modifiers.flat_map(|m| m.parameter.iter().chain(&m.parameters).chain(&m.name));
    names.map(String::as_str).collect()
}

/// Where nothing is said of bins, which only an axis may leave that is alone, there are as many as counts.
fn axis(axis: &hs3::Axis, bins: usize) -> Axis {
    let range = Axis::range(axis.name.clone(), (axis.min, axis.max));
    match &axis.binning {
        Binning::None if range.min.is_some() && range.max.is_some() => Axis { nbins: Some(bins), ..range },
        Binning::None => Axis::unit_bins(axis.name.clone(), bins),
        Binning::Regular(bins) => Axis { nbins: Some(*bins), ..range },
        Binning::Edges(edges) => Axis { min: None, max: None, edges: Some(edges.clone()), ..range },
    }
}

fn parameter(set: &ParameterSet) -> Parameter {
    let setting = Setting {
        value: set.init.first().copied().unwrap_or(0.0),
        bounds: set.bounds.first().copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY)),
        constant: set.fixed.first().copied().unwrap_or(false),
    };
    let constraint = set.constraints.as_ref().and_then(|constraints| constraints.first().copied());
    Parameter { name: set.name.clone(), setting, constraint, range: None }
}

/// Its bounds within five widths of its constraint.
fn plausible_range(parameter: &Parameter) -> (f64, f64) {
    let (low, high) = parameter.setting.bounds;
    match parameter.constraint {
        Some(c) => (low.max(c.centre() - 5.0 * c.width()), high.min(c.centre() + 5.0 * c.width())),
        None => (low, high),
    }
}

fn parameters(model: &Model) -> Vec<Parameter> {
    // What functions drive is written as these functions.
    let driven: HashSet<usize> = model.driven.iter().flat_map(|driven| driven.outputs.iter().copied()).collect();
    let own = model.parameters.iter().enumerate().filter(|(index, _)| !driven.contains(index));
    own.map(|(_, set)| parameter(set)).collect()
}

fn read_analysis(analysis: &hs3::Analysis, base: &[Parameter], model: &Model, losses: &mut Findings) -> Analysis {
    let own = parameters(model);
    let auxiliary = |all: &[Parameter]| all.iter().filter_map(|p| Some(p.constraint?.auxdata())).collect::<Vec<_>>();
    let settings = |all: &[Parameter]| all.iter().map(|p| p.setting).collect::<Vec<_>>();
    let differs = auxiliary(base) != auxiliary(&own) || settings(base) != settings(&own);
    let (known, unknown): (Vec<&String>, Vec<&String>) =
        analysis.parameters_of_interest.iter().partition(|poi| own.iter().any(|p| p.name == **poi));
    for poi in unknown {
        let pointer = format!("{}/parameters_of_interest", analysis.pointer);
        losses.push(Finding::new(&rule::CONVERT_DROPPED, quote(poi), "a parameter of the likelihood").at(pointer));
    }
    Analysis {
        name: analysis.name.clone(),
        parameters_of_interest: known.into_iter().cloned().collect(),
        settings: if differs { settings(&own) } else { Vec::new() },
        auxiliary: if differs { auxiliary(&own) } else { Vec::new() },
    }
}
