//! Parts of a workspace left out: by name, by type, by selector, and modifiers by the size of their effect.

pub use super::rewrite::Kind;
use super::rewrite::rewrite;
use super::select::{Meant, Names, Selector, matching, unknown};
use super::{Edited, Source, marginal};
use crate::document::Document;
use crate::document::workspace::{Modifier, Sample, Workspace};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::parameters;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is left out. Each name is one that is there, or else a glob.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// With their observations.
    pub channels: Vec<String>,
    pub samples: Vec<String>,
    /// With the parameter configurations of the name.
    pub modifiers: Vec<String>,
    pub modifier_types: Vec<String>,
    pub measurements: Vec<String>,
    pub selectors: Vec<Selector>,
    /// Normsys and histosys whose effect is smaller.
    pub smaller_than: Option<f64>,
    pub compat: Compat,
}

/// What was left out by itself, and not with something around it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Dropped {
    pub what: Kind,
    pub name: String,
    /// Of a modifier.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub kind: Option<String>,
    /// The channel, the sample, or the measurement that it belonged to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub sample: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub measurement: Option<String>,
    /// Largest relative change of a bin of the sample at ±1σ; of a modifier that was too small.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub size: Option<f64>,
    /// Where it stood in the document that was read.
    pub pointer: String,
}

/// Leaves parts out.
///
/// # Errors
/// All findings, warnings included: names that are nowhere, lists that would be empty, and what is wrong with the document or
/// the result.
pub fn prune(document: &Document, options: &Options) -> Result<(Edited, Vec<Dropped>)> {
    let mut source = Source::read(document, options.compat)?;
    let plan = Plan::new(&source.workspace, options);
    let mut findings = plan.unknown.clone();
    findings.0.extend(plan.emptied(&source.workspace).0);
    source.judge(findings)?;
    let mut dropped = plan.dropped(&source.workspace);
    let gone: HashSet<&str> = dropped.iter().map(|dropped| dropped.pointer.as_str()).collect();
    let value = std::mem::take(&mut source.value);
    let mut rewritten = rewrite(value, |_: Kind, list, mut items| {
        items.retain(|item| !gone.contains(format!("{list}/{}", item.from).as_str()));
        items
    });
    let correlated = marginal::undeclared(&source.workspace, &plan.left(&source.workspace));
    marginal::marginalise(&mut rewritten, &correlated);
    dropped.extend(correlated.into_iter().map(|(at, name)| Dropped::new(Kind::Parameter, &name, at)));
    let edited = source.finish(rewritten, Findings::default())?;
    Ok((edited, dropped))
}

/// Indices of what goes.
#[derive(Default)]
struct Plan<'w> {
    channels: BTreeSet<usize>,
    samples: BTreeSet<(usize, usize)>,
    modifiers: BTreeMap<(usize, usize, usize), Why>,
    measurements: BTreeSet<usize>,
    /// Channels by name, whose observations go too.
    channel_names: BTreeSet<&'w str>,
    /// Modifiers by name, whose configurations go too.
    modifier_names: BTreeSet<&'w str>,
    unknown: Findings,
}

/// Why a modifier goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Why {
    /// Its name or type was given.
    Named,
    Selected,
    /// Its effect is this small.
    Small(f64),
}

impl<'w> Plan<'w> {
    fn new(workspace: &'w Workspace, options: &Options) -> Plan<'w> {
        let mut plan = Plan::default();
        let names = Names::of(workspace, options.compat);
        let types = plan.named("type of modifiers", &names.types, &options.modifier_types);
        plan.modifier_names = plan.named("modifier", &names.modifiers, &options.modifiers);
        let samples = plan.named("sample", &names.samples, &options.samples);
        plan.channel_names = plan.named("channel", &names.channels, &options.channels);
        let measurements = plan.named("measurement", &names.measurements, &options.measurements);
        for (m, measurement) in workspace.measurements.iter().enumerate() {
            if measurements.contains(measurement.name.as_str()) {
                plan.measurements.insert(m);
            }
        }
        for (c, channel) in workspace.channels.iter().enumerate() {
            if plan.channel_names.contains(channel.name.as_str()) {
                plan.channels.insert(c);
            }
            for (s, sample) in channel.samples.iter().enumerate() {
                if samples.contains(sample.name.as_str()) {
                    plan.samples.insert((c, s));
                }
                for (m, modifier) in sample.modifiers.iter().enumerate() {
                    let size = options.smaller_than.and_then(|least| size(modifier, sample).filter(|x| *x < least));
                    if plan.modifier_names.contains(modifier.name()) || types.contains(modifier.kind()) {
                        plan.modifiers.insert((c, s, m), Why::Named);
                    } else if let Some(size) = size {
                        plan.modifiers.insert((c, s, m), Why::Small(size));
                    }
                }
            }
        }
        for selector in &options.selectors {
            plan.select(workspace, &names, selector);
        }
        plan
    }

    /// The names that patterns mean; a finding for each pattern that means none.
    fn named(&mut self, what: &str, names: &BTreeSet<&'w str>, patterns: &[String]) -> BTreeSet<&'w str> {
        let mut all = BTreeSet::new();
        for pattern in patterns {
            let found = matching(pattern, names);
            if found.is_empty() {
                self.unknown.push(unknown(what, pattern, names));
            }
            all.extend(found);
        }
        all
    }

    fn select(&mut self, workspace: &'w Workspace, names: &Names<'w>, selector: &Selector) {
        let fitting = selector.fitting(names);
        let means = selector.means();
        let mut met = false;
        for (c, channel) in workspace.channels.iter().enumerate().filter(|(_, own)| fitting.channel(&own.name)) {
            if means == Meant::Channels {
                self.channels.insert(c);
                self.channel_names.insert(&channel.name);
                met = true;
                continue;
            }
            for (s, sample) in channel.samples.iter().enumerate().filter(|(_, own)| fitting.sample(&own.name)) {
                if means == Meant::Samples {
                    self.samples.insert((c, s));
                    met = true;
                    continue;
                }
                for (m, modifier) in sample.modifiers.iter().enumerate() {
                    if fitting.modifier(modifier) {
                        self.modifiers.entry((c, s, m)).or_insert(Why::Selected);
                        met = true;
                    }
                }
            }
        }
        if !met {
            let found = format!("the selector {}, which fits nothing", quote(&selector.to_string()));
            let expected = "a selector that fits a channel, a sample or a modifier";
            self.unknown.push(Finding::new(&rule::EDIT_UNKNOWN, found, expected));
        }
    }

    /// Lists that must not be empty and would be.
    fn emptied(&self, workspace: &Workspace) -> Findings {
        let mut findings = Findings::default();
        let mut add = |found: String, expected: &str, pointer: String| {
            findings.push(Finding::new(&rule::EDIT_EMPTIED, found, expected).at(pointer));
        };
        for (c, channel) in workspace.channels.iter().enumerate().filter(|(c, _)| !self.channels.contains(c)) {
            if (0..channel.samples.len()).all(|s| self.samples.contains(&(c, s))) {
                let found = format!("the channel {} without samples", quote(&channel.name));
                add(found, "a channel that keeps one of its samples", format!("/channels/{c}"));
            }
        }
        let has_terms = workspace
            .eft
            .as_ref()
            .is_some_and(|eft| !eft.gaussian_measurements.is_empty() || !eft.unbinned_terms.is_empty());
        let all = |gone: &BTreeSet<usize>, n: usize| n > 0 && gone.len() == n;
        if all(&self.channels, workspace.channels.len()) && !has_terms {
            add("no channel that is left".to_owned(), "one channel at least", "/channels".to_owned());
        }
        if all(&self.measurements, workspace.measurements.len()) {
            add("no measurement that is left".to_owned(), "one measurement at least", "/measurements".to_owned());
        }
        findings
    }

    /// Everything that goes by itself, in the order of the document.
    fn dropped(&self, workspace: &Workspace) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        for (c, channel) in workspace.channels.iter().enumerate() {
            let place = Dropped::new(Kind::Channel, &channel.name, format!("/channels/{c}"));
            if self.channels.contains(&c) {
                dropped.push(place);
                continue;
            }
            let own = Some(channel.name.clone());
            for (s, sample) in channel.samples.iter().enumerate() {
                let pointer = format!("{}/samples/{s}", place.pointer);
                let place = Dropped { channel: own.clone(), ..Dropped::new(Kind::Sample, &sample.name, pointer) };
                if self.samples.contains(&(c, s)) {
                    dropped.push(place);
                    continue;
                }
                for (m, modifier) in sample.modifiers.iter().enumerate() {
                    let Some(why) = self.modifiers.get(&(c, s, m)) else { continue };
                    let pointer = format!("{}/modifiers/{m}", place.pointer);
                    dropped.push(Dropped {
                        kind: Some(modifier.kind().to_owned()),
                        channel: own.clone(),
                        sample: Some(sample.name.clone()),
                        size: if let Why::Small(size) = why { Some(*size) } else { None },
                        ..Dropped::new(Kind::Modifier, modifier.name(), pointer)
                    });
                }
            }
        }
        self.drop_measurements(workspace, &mut dropped);
        for (o, observation) in workspace.observations.iter().enumerate() {
            if self.channel_names.contains(observation.name.as_str()) {
                dropped.push(Dropped::new(Kind::Observation, &observation.name, format!("/observations/{o}")));
            }
        }
        dropped
    }

    fn drop_measurements(&self, workspace: &Workspace, dropped: &mut Vec<Dropped>) {
        let configurations = self.configurations(workspace);
        for (m, measurement) in workspace.measurements.iter().enumerate() {
            let place = Dropped::new(Kind::Measurement, &measurement.name, format!("/measurements/{m}"));
            if self.measurements.contains(&m) {
                dropped.push(place);
                continue;
            }
            for (p, config) in measurement.config.parameters.iter().enumerate() {
                if configurations.contains(config.name.as_str()) {
                    let pointer = format!("{}/config/parameters/{p}", place.pointer);
                    dropped.push(Dropped {
                        measurement: Some(measurement.name.clone()),
                        ..Dropped::new(Kind::Parameter, &config.name, pointer)
                    });
                }
            }
        }
    }

    /// Names of parameters whose configurations go: those of modifiers that were named, selected or too small, as far as
    /// nothing that is left declares the parameter. Types, samples and channels leave configurations alone, as in pyhf.
    fn configurations(&self, workspace: &'w Workspace) -> BTreeSet<&'w str> {
        let mut names = self.modifier_names.clone();
        for ((c, s, m), _) in self.modifiers.iter().filter(|(_, why)| **why != Why::Named) {
            let sample = workspace.channels.get(*c).and_then(|channel| channel.samples.get(*s));
            names.extend(sample.and_then(|sample| sample.modifiers.get(*m)).map(Modifier::name));
        }
        let left = self.left(workspace);
        let declared = parameters::collect(&left);
        names.retain(|name| !declared.contains_key(name));
        names
    }

    /// The workspace without channels, samples and modifiers that go.
    fn left(&self, workspace: &Workspace) -> Workspace {
        let mut left = workspace.clone();
        let channels = left.channels.into_iter().enumerate().filter(|(c, _)| !self.channels.contains(c));
        let samples = |c: usize, samples: Vec<Sample>| -> Vec<Sample> {
            let kept = samples.into_iter().enumerate().filter(|(s, _)| !self.samples.contains(&(c, *s)));
            let modifiers = kept.map(|(s, mut sample)| {
                let mut m = 0..;
                let mut index = || m.next().unwrap_or(usize::MAX);
                sample.modifiers.retain(|_| !self.modifiers.contains_key(&(c, s, index())));
                sample
            });
            modifiers.collect()
        };
        left.channels = channels
            .map(|(c, mut channel)| {
                channel.samples = samples(c, channel.samples);
                channel
            })
            .collect();
        left
    }
}

impl Dropped {
    fn new(what: Kind, name: &str, pointer: String) -> Dropped {
        let none = || None;
        let (kind, channel, sample, measurement) = (none(), none(), none(), none());
        Dropped { what, name: name.to_owned(), kind, channel, sample, measurement, size: None, pointer }
    }
}

/// Largest relative change of a bin at ±1σ of a normsys or histosys; none of other types. A change of an empty bin is
/// infinite.
fn size(modifier: &Modifier, sample: &Sample) -> Option<f64> {
    match modifier {
        Modifier::Normsys { data, .. } => Some((data.hi - 1.0).abs().max((data.lo - 1.0).abs())),
        Modifier::Histosys { data, .. } => {
            let sides = [&data.lo_data, &data.hi_data].into_iter();
            let changes = sides.flat_map(|side| side.iter().zip(&sample.data));
            let relative = changes.map(|(x, n)| if x == n { 0.0 } else { (x - n).abs() / n.abs() });
            Some(relative.fold(0.0, f64::max))
        }
        _ => None,
    }
}
