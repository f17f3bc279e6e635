//! Data that several documents have: counted once where channels are equal, refused where they are not
//! (spec/combine.md, section 7).

use super::report::{Place, Report};
use super::{Lists, Source, join::difference};
use crate::finding::quote;
use crate::rule;
use std::collections::HashMap;

/// Equal data are no accident where that would happen less often than this.
const ACCIDENT: f64 = 1e-3;

/// The chance that two channels with such expectations have the same counts: Π 1/√(4π n) over the bins with n ≥ 1
/// (spec/combine.md, eq. 3).
fn chance_to_agree(counts: &[f64]) -> f64 {
    counts.iter().filter(|n| **n >= 1.0).map(|n| 1.0 / (4.0 * std::f64::consts::PI * n).sqrt()).product()
}

/// Data of one document that another one has under another name.
pub(super) fn check(sources: &[Source], allowed: bool, report: &mut Report) {
    let mut seen: HashMap<Vec<u64>, Vec<(usize, usize)>> = HashMap::new();
    for (d, source) in sources.iter().enumerate() {
        for (i, observation) in source.workspace.observations.iter().enumerate() {
            if chance_to_agree(&observation.data) >= ACCIDENT {
                continue;
            }
            let known = seen.entry(observation.data.iter().map(|x| x.to_bits()).collect()).or_default();
            for &(other, at) in known.iter() {
                let theirs = &sources[other].workspace.observations[at];
                if other == d || theirs.name == observation.name {
                    continue;
                }
                let found = format!("the data of channel {}", quote(&observation.name));
                let there = report.tell(&Place::new(other, format!("/observations/{at}")));
                let expected = format!("data of its own: {} in {there} has the same", quote(&theirs.name));
                let rule = if allowed { &rule::COMBINE_SAME_DATA_ALLOWED } else { &rule::COMBINE_SAME_DATA };
                report.add(rule, &Place::new(d, format!("/observations/{i}")), found, expected);
            }
            known.push((d, i));
        }
    }
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
