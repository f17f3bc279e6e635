//! Neighbouring bins of channels summed.

use super::rewrite::Rewritten;
use super::select::{matching, unknown};
use super::{Edited, Source};
use crate::document::workspace::{Channel, Workspace};
use crate::document::{Document, patch};
use crate::finding::{Finding, Findings, Result, escape_token, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::combine::report::Place;
use crate::workspace::combine::result::Origins;
use crate::workspace::parameters;
use crate::workspace::validate::bins;
use serde_json::{Map, Number, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// How the bins of some channels are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebinning {
    /// Name of a channel, or a glob.
    pub channels: String,
    pub groups: Groups,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// So many bins become one.
    Every(usize),
    /// Bins of each new bin, from the first on.
    Sizes(Vec<usize>),
}

impl FromStr for Rebinning {
    type Err = String;

    /// `CHANNEL=2`, or `CHANNEL=1,1,4`.
    fn from_str(text: &str) -> std::result::Result<Rebinning, String> {
        let wrong =
            || "expected CHANNEL=N, or CHANNEL=A,B,… with the sizes of all groups of bins, each at least 1".to_owned();
        let (channels, groups) = text.rsplit_once('=').ok_or_else(wrong)?;
        let sizes = groups.split(',').map(|size| size.trim().parse().ok().filter(|size| *size > 0));
        let sizes: Vec<usize> = sizes.collect::<Option<_>>().ok_or_else(wrong)?;
        let groups = match sizes[..] {
            [every] => Groups::Every(every),
            _ => Groups::Sizes(sizes),
        };
        Ok(Rebinning { channels: channels.to_owned(), groups })
    }
}

impl Groups {
    /// The sizes for so many bins; none where they do not fit.
    fn sizes(&self, n_bins: usize) -> Option<Vec<usize>> {
        match self {
            Groups::Every(every) => n_bins.is_multiple_of(*every).then(|| vec![*every; n_bins / every]),
            Groups::Sizes(sizes) => {
                let sum = sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size));
                (sum == Some(n_bins)).then(|| sizes.clone())
            }
        }
    }
}

/// Sums bins: yields, templates and observations; uncertainties of staterror and shapesys in quadrature.
///
/// # Errors
/// All findings, warnings included: channels that are nowhere, groups that do not fit, lists of a measurement with a value for each
/// bin, responses of the EFT extension, and what is wrong with the document or the result.
pub fn rebin(document: &Document, rebinnings: &[Rebinning], compat: Compat) -> Result<Edited> {
    let source = Source::read(document, compat)?;
    let mut findings = Findings::default();
    let plan = plan(&source.workspace, rebinnings, &mut findings);
    source.judge(findings)?;
    let mut value = source.value.clone();
    for (c, sizes) in &plan {
        let name = source.workspace.channels.get(*c).map(|channel| channel.name.clone()).unwrap_or_default();
        if let Some(channel) = value.pointer_mut(&format!("/channels/{c}")) {
            rebin_channel(channel, sizes);
        }
        let observations = value.get_mut("observations").and_then(Value::as_array_mut).into_iter().flatten();
        for observation in observations.filter(|observation| observation["name"] == json!(name)) {
            merge(observation, "data", sizes, Sum::Plain);
        }
    }
    let touched = per_bin_parameters(&source.workspace, &plan);
    let findings = settle(&mut value, &source.workspace, &touched);
    let told = source.judge(findings)?;
    let mut origins = Origins::default();
    origins.add("", Place::new(0, ""));
    let patch = patch::between(&source.value, &value).0;
    source.finish(Rewritten { document: value, origins, patch }, told)
}

/// Sizes of the groups of each channel that changes.
fn plan(workspace: &Workspace, rebinnings: &[Rebinning], findings: &mut Findings) -> BTreeMap<usize, Vec<usize>> {
    let names: BTreeSet<&str> = workspace.channels.iter().map(|channel| channel.name.as_str()).collect();
    let mut plan = BTreeMap::new();
    for rebinning in rebinnings {
        let matched = matching(&rebinning.channels, &names);
        if matched.is_empty() {
            findings.push(unknown("channel", &rebinning.channels, &names));
        }
        for (c, channel) in workspace.channels.iter().enumerate().filter(|(_, own)| matched.contains(own.name.as_str()))
        {
            let n_bins = channel.samples.first().map_or(0, |sample| sample.data.len());
            let pointer = format!("/channels/{c}");
            let name = quote(&channel.name);
            match rebinning.groups.sizes(n_bins) {
                Some(sizes) if plan.get(&c).is_none_or(|other| *other == sizes) => {
                    plan.insert(c, sizes);
                    check_channel(channel, &pointer, findings);
                }
                Some(_) => {
                    let found = format!("two groupings of the bins of channel {name}");
                    findings.push(Finding::new(&rule::EDIT_BINS, found, "one").at(pointer));
                }
                None => {
                    let found = format!("{} in channel {name}", bins(n_bins));
                    let expected = match &rebinning.groups {
                        Groups::Every(every) => format!("a multiple of {every}"),
                        Groups::Sizes(sizes) => format!("the sum of the sizes {sizes:?}"),
                    };
                    findings.push(Finding::new(&rule::EDIT_BINS, found, expected).at(pointer));
                }
            }
        }
    }
    plan
}

/// Bins that cannot be summed: of other numbers than those of the channel, and with responses.
fn check_channel(channel: &Channel, pointer: &str, findings: &mut Findings) {
    let n_bins = channel.samples.first().map_or(0, |sample| sample.data.len());
    for (s, sample) in channel.samples.iter().enumerate() {
        let pointer = format!("{pointer}/samples/{s}");
        if sample.data.len() != n_bins {
            let found = format!("{} in sample {}", bins(sample.data.len()), quote(&sample.name));
            findings.push(Finding::new(&rule::SAMPLE_BINS, found, bins(n_bins)).at(format!("{pointer}/data")));
        }
        for (m, modifier) in sample.modifiers.iter().enumerate().filter(|(_, modifier)| modifier.is_eft()) {
            let found = format!("the {} {}", modifier.kind(), quote(modifier.name()));
            let expected = "no response in a channel whose bins are summed";
            findings.push(Finding::new(&rule::EDIT_BINS, found, expected).at(format!("{pointer}/modifiers/{m}")));
        }
    }
}

#[derive(Clone, Copy)]
enum Sum {
    Plain,
    Quadrature,
}

fn rebin_channel(channel: &mut Value, sizes: &[usize]) {
    for sample in channel["samples"].as_array_mut().into_iter().flatten() {
        merge(sample, "data", sizes, Sum::Plain);
        for modifier in sample["modifiers"].as_array_mut().into_iter().flatten() {
            match modifier["type"].as_str() {
                Some("histosys") => {
                    for side in ["lo_data", "hi_data"] {
                        merge(&mut modifier["data"], side, sizes, Sum::Plain);
                    }
                }
                Some("shapesys" | "staterror") => merge(modifier, "data", sizes, Sum::Quadrature),
                _ => {}
            }
        }
    }
}

/// Replaces a list by the sums of its groups; one of another length stays, and breaks a rule.
fn merge(parent: &mut Value, key: &str, sizes: &[usize], sum: Sum) {
    let Some(Value::Array(items)) = parent.get_mut(key) else { return };
    if items.len() != sizes.iter().sum::<usize>() {
        return;
    }
    let mut rest = items.as_slice();
    let merged = sizes.iter().map(|size| {
        let (group, others) = rest.split_at((*size).min(rest.len()));
        rest = others;
        match group {
            [one] => one.clone(),
            group => added(group, sum),
        }
    });
    *items = merged.collect();
}

/// A sum of integers is an integer.
fn added(group: &[Value], sum: Sum) -> Value {
    let numbers = || group.iter().filter_map(Value::as_f64);
    match sum {
        Sum::Plain => {
            let whole = group.iter().map(Value::as_i64).try_fold(0i64, |sum, n| sum.checked_add(n?));
            whole.map_or_else(|| json!(numbers().sum::<f64>()), |n| Value::Number(Number::from(n)))
        }
        Sum::Quadrature => json!(numbers().fold(0.0, f64::hypot)),
    }
}

/// Names of the parameters with a value for each bin of one of the channels.
fn per_bin_parameters<'w>(workspace: &'w Workspace, plan: &BTreeMap<usize, Vec<usize>>) -> BTreeSet<&'w str> {
    let channels = workspace.channels.iter().enumerate().filter(|(c, _)| plan.contains_key(c));
    let modifiers = channels.flat_map(|(_, channel)| &channel.samples).flat_map(|sample| &sample.modifiers);
    let per_bin = modifiers.filter(|m| matches!(m.kind(), "shapesys" | "staterror" | "shapefactor"));
    per_bin.map(|modifier| modifier.name()).collect()
}

/// Lists of starts and bounds that are the same for all bins get the new length; others cannot be merged.
fn settle(value: &mut Value, workspace: &Workspace, touched: &BTreeSet<&str>) -> Findings {
    let mut findings = Findings::default();
    let Ok(after) = Workspace::from_value(value) else { return findings };
    let (before, after) = (parameters::collect(workspace), parameters::collect(&after));
    for (m, measurement) in workspace.measurements.iter().enumerate() {
        for (p, config) in measurement.config.parameters.iter().enumerate() {
            let name = config.name.as_str();
            let (Some(old), Some(new)) = (before.get(name), after.get(name)) else { continue };
            if !touched.contains(name) || old.length == new.length {
                continue;
            }
            let pointer = format!("/measurements/{m}/config/parameters/{p}");
            let Some(Value::Object(config)) = value.pointer_mut(&pointer) else { continue };
            for key in shorten(config, new.length) {
                let found = format!("{key} of {}, with a value for each bin", quote(name));
                let expected = "inits or bounds that are the same for all bins";
                let pointer = format!("{pointer}/{}", escape_token(&key));
                findings.push(Finding::new(&rule::EDIT_BINS, found, expected).at(pointer));
            }
        }
    }
    findings
}

/// Cuts lists of equal starts and bounds; the keys of those that cannot be cut.
fn shorten(config: &mut Map<String, Value>, length: usize) -> Vec<String> {
    let mut lost = Vec::new();
    for (key, list) in config.iter_mut().filter_map(|(key, list)| Some((key, list.as_array_mut()?))) {
        let same = list.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
        if same && matches!(key.as_str(), "inits" | "bounds") {
            list.truncate(length);
        } else {
            lost.push(key.clone());
        }
    }
    lost
}
