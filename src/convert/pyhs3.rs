//! What pyhs3 0.4.2 evaluates in another way than is meant, put into words that it takes as they are meant
//! (spec/hs3-convert.md, section 2).

use super::file::{Channel, Contents, Distribution, File, ModifierData, Sample};
use super::names::Taken;
use crate::finding::{Finding, Findings, number, quote};
use crate::rule;
use std::collections::HashMap;

/// Far below rounding beside any other yield, and far above the smallest number.
const NEXT_TO_NOTHING: f64 = 1e-100;

/// Changes numbers by less than their rounding, and names of modifiers; each change is told.
pub(super) fn adapt(file: &mut File, losses: &mut Findings) {
    let mut single = Vec::new();
    for (index, distribution) in file.distributions.iter_mut().enumerate() {
        let Distribution::Channel(channel) = distribution else { continue };
        channel.samples.iter_mut().for_each(|sample| keep_double(sample, &mut single));
        let contents = file.data.get(index).map(|data| data.contents.as_slice()).unwrap_or_default();
        fill(channel, contents, losses);
        channel.samples.iter_mut().for_each(|sample| distinguish(sample, &channel.name, losses));
    }
    if let Some(first) = single.first() {
        let found =
            format!("{} sides of normsys that single precision holds, such as {}", single.len(), number(*first));
        let expected = "the next number above each: pyhs3 takes the logarithm of the others in single precision";
        losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected));
    }
}

/// pyhs3 makes constants of the smallest type that holds them, and powers and logarithms of sides in that: a relative
/// error of 10⁻⁸. A side of one has the logarithm zero in each.
fn keep_double(sample: &mut Sample, single: &mut Vec<f64>) {
    for modifier in &mut sample.modifiers {
        let Some(ModifierData::Normsys { lo, hi, .. }) = &mut modifier.data else { continue };
        for side in [lo, hi] {
            if f64::from(*side as f32) == *side && *side != 1.0 {
                single.push(*side);
                *side = side.next_up();
            }
        }
    }
}

/// pyhs3 has no number for an expectation of zero: bins in which no sample has a yield get a sample of one that is next to
/// nothing. Where there are events the likelihood is zero in any case.
fn fill(channel: &mut Channel, events: &[f64], losses: &mut Findings) {
    let empty = |bin: usize| channel.samples.iter().all(|sample| is_empty(sample, bin));
    let contents: Vec<f64> =
        events.iter().enumerate().map(|(bin, n)| if *n == 0.0 && empty(bin) { NEXT_TO_NOTHING } else { 0.0 }).collect();
    let bins = contents.iter().filter(|x| **x > 0.0).count();
    if bins == 0 {
        return;
    }
    let mut taken: Taken = channel.samples.iter().map(|sample| sample.name.clone()).collect();
    let name = taken.unique("no_yield".to_owned());
    let found = format!("{bins} bins of {} without events and without yields", quote(&channel.name));
    let expected = format!(
        "{NEXT_TO_NOTHING:e} events in each, of a sample {}: pyhs3 has no number for an expectation of zero",
        quote(&name)
    );
    losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected));
    channel.samples.push(Sample { name, data: Contents::new(contents), modifiers: Vec::new() });
}

fn is_empty(sample: &Sample, bin: usize) -> bool {
    let none = |contents: &Contents| contents.contents.get(bin) == Some(&0.0);
    let sides = sample.modifiers.iter().filter_map(|modifier| match &modifier.data {
        Some(ModifierData::Histosys { lo, hi, .. }) => Some([lo, hi]),
        _ => None,
    });
    none(&sample.data) && sides.flatten().all(none)
}

/// pyhs3 asks for modifiers of one type and sample with names of their own.
fn distinguish(sample: &mut Sample, channel: &str, losses: &mut Findings) {
    let mut taken: HashMap<&str, Taken> = HashMap::new();
    for modifier in &sample.modifiers {
        // A name that is there already is not given again.
        taken.entry(modifier.kind).or_default().add(&modifier.name);
    }
    let mut seen: HashMap<&str, Taken> = HashMap::new();
    for modifier in &mut sample.modifiers {
        if seen.entry(modifier.kind).or_default().add(&modifier.name) {
            continue;
        }
        let name = taken.entry(modifier.kind).or_default().unique(modifier.name.clone());
        let found = format!(
            "a second {} {} of {} in {}",
            modifier.kind,
            quote(&modifier.name),
            quote(&sample.name),
            quote(channel)
        );
        let expected = format!("the name {} in its place: in pyhs3 each has its own", quote(&name));
        losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected));
        modifier.name = name;
    }
}
