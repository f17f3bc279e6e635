//! Data that several documents have: counted once where channels are equal, refused where they are not
//! (spec/combine.md, section 7).

use super::report::{Place, Report};
use super::{Lists, Source, join::difference};
use crate::finding::quote;
use crate::rule;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Equal data are no accident where that would happen less often than this.
const ACCIDENT: f64 = 1e-3;

/// What happens more often is not told.
const UNTOLD: f64 = 5e-2;

/// A channel of a document.
#[derive(Clone, Copy)]
struct Observed<'s> {
    document: usize,
    /// Among the observations.
    index: usize,
    name: &'s str,
    counts: &'s [f64],
}

/// Two channels with equal data.
struct Pair<'s> {
    first: Observed<'s>,
    second: Observed<'s>,
    same_model: bool,
}

/// The chance that two channels with such expectations have the same counts: Π 1/√(4π n) over the bins with n ≥ 1
/// (spec/combine.md, eq. 3, inner product).
fn chance_to_agree(counts: &[f64]) -> f64 {
    counts.iter().filter(|n| **n >= 1.0).map(|n| 1.0 / (4.0 * std::f64::consts::PI * n).sqrt()).product()
}

/// Data of one document that another one has under another name.
pub(super) fn check(sources: &[Source], allowed: bool, report: &mut Report) {
    for second in 1..sources.len() {
        for first in 0..second {
            let pairs = pairs(sources, first, second);
            let chance = chance_of_all(sources, &pairs);
            let is_told = |pair: &&Pair| pair.same_model || (chance < UNTOLD && chance_of(sources, pair) < 1.0);
            for pair in pairs.iter().filter(is_told) {
                tell(pair, pair.same_model || chance < ACCIDENT, allowed, report);
            }
        }
    }
}

fn tell(pair: &Pair, certain: bool, allowed: bool, report: &mut Report) {
    let (Pair { first, second, .. }, model) = (pair, if pair.same_model { "model and data" } else { "data" });
    let found = format!("the {model} of channel {}", quote(second.name));
    let there = report.tell(&Place::new(first.document, format!("/observations/{}", first.index)));
    let expected = format!("data of its own: {} in {there} has the same", quote(first.name));
    let rule = if allowed || !certain { &rule::COMBINE_SAME_DATA_ALLOWED } else { &rule::COMBINE_SAME_DATA };
    report.add(rule, &Place::new(second.document, format!("/observations/{}", second.index)), found, expected);
}

fn observed<'s>(sources: &'s [Source], document: usize) -> impl Iterator<Item = Observed<'s>> {
    let observations = sources[document].workspace.observations.iter().enumerate();
    observations.map(move |(index, own)| Observed { document, index, name: &own.name, counts: &own.data })
}

/// Channels of two documents with equal data and other names.
fn pairs<'s>(sources: &'s [Source], first: usize, second: usize) -> Vec<Pair<'s>> {
    let bits = |counts: &[f64]| counts.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    let mut known: HashMap<Vec<u64>, Vec<Observed>> = HashMap::new();
    for channel in observed(sources, first) {
        known.entry(bits(channel.counts)).or_default().push(channel);
    }
    let mut pairs = Vec::new();
    for second in observed(sources, second) {
        for first in known.get(&bits(second.counts)).into_iter().flatten().filter(|first| first.name != second.name) {
            let same_model = match (samples(sources, first), samples(sources, &second)) {
                (Some(first), Some(second)) => difference(first, second).is_none(),
                _ => false,
            };
            pairs.push(Pair { first: *first, second, same_model });
        }
    }
    pairs
}

/// The samples of a channel as they are written.
fn samples<'s>(sources: &'s [Source], of: &Observed) -> Option<&'s Value> {
    let source = &sources[of.document];
    let channel = source.workspace.channels.iter().position(|channel| channel.name == of.name)?;
    source.value.pointer(&format!("/channels/{channel}/samples"))
}

/// The chance that as many channels of two documents agree, each with any channel of as many bins (spec/combine.md, eq. 3).
fn chance_of_all(sources: &[Source], pairs: &[Pair]) -> f64 {
    let mut seen = HashSet::new();
    let once = pairs.iter().filter(|pair| seen.insert(pair.second.index));
    once.map(|pair| chance_of(sources, pair)).product()
}

/// The chance that a channel agrees with some channel of the other document.
fn chance_of(sources: &[Source], pair: &Pair) -> f64 {
    let counts = pair.second.counts;
    let others = observed(sources, pair.first.document).filter(|other| other.counts.len() == counts.len()).count();
    (others as f64 * chance_to_agree(counts)).min(1.0)
}

/// Names of channels that later documents have just as an earlier one, with their data: these count once.
pub(super) fn kept_once(sources: &[Source], lists: &Lists, report: &mut Report) -> Vec<(usize, String)> {
    let mut again = Vec::new();
    for item in lists.channels.iter().filter(|item| item.members.is_none()) {
        for (d, source) in sources.iter().enumerate().filter(|(d, _)| *d != item.place.document) {
            let Some(c) = source.workspace.channels.iter().position(|channel| channel.name == item.name()) else {
                continue;
            };
            let pointer = format!("/channels/{c}");
            let same_model = source.value.pointer(&pointer).is_some_and(|own| difference(item.value, own).is_none());
            let data = |source: &Source| {
                source.workspace.observations.iter().find(|own| own.name == item.name()).map(|own| own.data.clone())
            };
            if same_model && data(source) == sources.get(item.place.document).and_then(data) {
                let found = format!("channel {} with its data", quote(item.name()));
                let expected = format!("nothing: it is that of {} and counts once", report.tell(&item.place));
                report.add(&rule::COMBINE_ONCE, &Place::new(d, pointer), found, expected);
                again.push((d, item.name().to_owned()));
            }
        }
    }
    again
}
