//! Templates that ROOT would end at zero: it does so with every template that histosys modifiers move
//! (spec/hs3-histfactory.md, "Negative templates").

use super::content::{Content, Effect, Sample};
use crate::finding::{Finding, Findings, quote};
use crate::model::HistosysCode;
use crate::rule;
use std::collections::HashMap;

/// Tells of every sample whose template may be negative somewhere within the ranges of its parameters.
pub(super) fn check(content: &Content, losses: &mut Findings) {
    let bounds: HashMap<&str, (f64, f64)> =
        content.parameters.iter().map(|p| (p.name.as_str(), p.setting.bounds)).collect();
    for sample in content.channels.iter().flat_map(|channel| &channel.samples) {
        let bins = negative_bins(sample, &bounds);
        if let Some(first) = bins.first() {
            let found = format!("a template of {} that may be negative in {} bins", quote(&sample.name), bins.len());
            let expected = format!("templates above zero wherever the ranges lead, also in bin {first}");
            losses.push(Finding::new(&rule::CONVERT_CLIP, found, expected).at(sample.pointer.clone()));
        }
    }
}

/// Bins in which the nominal yield with the lowest value of each offset is below zero.
fn negative_bins(sample: &Sample, bounds: &HashMap<&str, (f64, f64)>) -> Vec<usize> {
    let mut lowest = sample.contents.clone();
    let mut moved = false;
    for modifier in &sample.modifiers {
        let Effect::Histosys { parameter, lo, hi, code } = &modifier.effect else { continue };
        moved = true;
        let range = bounds.get(parameter.as_str()).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let steps = steps(*code, range);
        for (bin, n) in sample.contents.iter().enumerate() {
            let (Some(lo), Some(hi)) = (lo.get(bin), hi.get(bin)) else { continue };
            let (slope, bend) = (0.5 * (hi - lo), 0.5 * (hi + lo) - n);
            if slope == 0.0 && bend == 0.0 {
                continue;
            }
            let offsets = steps.iter().map(|(s, q)| s * slope + q * bend);
            lowest[bin] += offsets.fold(0.0, f64::min);
        }
    }
    let rounding = |bin: usize| -1e-12 * sample.contents.get(bin).copied().unwrap_or(0.0).abs();
    if moved { (0..lowest.len()).filter(|&bin| lowest[bin] < rounding(bin)).collect() } else { Vec::new() }
}

/// (s, q) of the code at points of the range: its ends, and a tenth apart where the interpolation is no straight line.
fn steps(code: HistosysCode, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    // Far away stands for everywhere: beyond |α| = 1 offsets are straight lines.
    let (low, high) = (low.max(-1e9), high.min(1e9));
    let inner = (-10..=10).map(|i| f64::from(i) / 10.0).filter(|alpha| (low..=high).contains(alpha));
    inner.chain([low, high]).map(|alpha| (code.s(alpha).value, code.q(alpha).value)).collect()
}
