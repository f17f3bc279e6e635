//! Bins of channels before the fit (spec/audit.md, section 4).

use super::context::{Context, is_scaled_by, which};
use super::{Code, Finding, Severity};
use crate::infer::covariance::Covariance;
use crate::infer::prediction::{Propagation, predict};
use crate::infer::prefit;
use crate::kernel::Evaluator;

/// A yield or count is zero below this.
const NOTHING: f64 = 1e-12;

pub(super) fn look(context: &Context, found: &mut Vec<Finding>) {
    for channel in 0..context.subject.model.channels.len() {
        found.extend(no_background(context, channel));
        found.extend(without_expectation(context, channel));
        found.extend(empty(context, channel));
        found.extend(fractional(context, channel));
        negative_nominal(context, channel, found);
        equal_samples(context, channel, found);
    }
    pulls(context, found);
}

/// Σ over the samples that the parameter of interest does not scale.
fn background(context: &Context, channel: usize) -> Vec<f64> {
    let own = &context.subject.model.channels[channel];
    let poi = context.subject.model.poi;
    let mut sum = vec![0.0; own.n_bins];
    for (sample, rates) in own.samples.iter().zip(&context.rates[channel]) {
        if !poi.is_some_and(|poi| is_scaled_by(sample, poi)) {
            sum.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += rate);
        }
    }
    sum
}

fn no_background(context: &Context, channel: usize) -> Option<Finding> {
    let background = background(context, channel);
    let (expected, counts) = (context.expected_of(channel), context.counts_of(channel));
    // A bin in which nothing is expected at all has codes of its own.
    let bins = which(background.iter().zip(expected).map(|(own, all)| *own <= NOTHING && *all > NOTHING));
    let counted: f64 = bins.iter().map(|bin| counts[*bin]).sum();
    let lowest = bins.iter().map(|bin| background[*bin]).fold(f64::INFINITY, f64::min);
    let finding = Finding::new(Code::NoBackground, Severity::Warning, bins.len() as f64);
    let finding = context.at_channel(finding, channel).values([("lowest", lowest), ("counted", counted)]);
    (!bins.is_empty()).then_some(Finding { bins, ..finding })
}

fn without_expectation(context: &Context, channel: usize) -> Option<Finding> {
    let (expected, counts) = (context.expected_of(channel), context.counts_of(channel));
    let bins = which(expected.iter().zip(counts).map(|(nu, n)| *nu <= NOTHING && *n > 0.0));
    let counted: f64 = bins.iter().map(|bin| counts[*bin]).sum();
    let lowest = bins.iter().map(|bin| expected[*bin]).fold(f64::INFINITY, f64::min);
    let finding = Finding::new(Code::DataWithoutExpectation, Severity::Warning, counted);
    let finding = context.at_channel(finding, channel).values([("lowest", lowest), ("counted", counted)]);
    (!bins.is_empty()).then_some(Finding { bins, ..finding })
}

fn empty(context: &Context, channel: usize) -> Option<Finding> {
    let (expected, counts) = (context.expected_of(channel), context.counts_of(channel));
    let bins = which(expected.iter().zip(counts).map(|(nu, n)| *nu <= NOTHING && *n == 0.0));
    let finding = context.at_channel(Finding::new(Code::EmptyBin, Severity::Note, bins.len() as f64), channel);
    let finding = finding.values([("count", bins.len() as f64)]);
    (!bins.is_empty()).then_some(Finding { bins, ..finding })
}

fn fractional(context: &Context, channel: usize) -> Option<Finding> {
    let counts = context.counts_of(channel);
    let bins = which(counts.iter().map(|n| (n - n.round()).abs() > 1e-9 * n.abs().max(1.0)));
    let first = *bins.first()?;
    let finding =
        Finding::new(Code::FractionalData, Severity::Note, bins.len() as f64).values([("first", counts[first])]);
    let mut finding = context.at_channel(finding, channel);
    finding.pointer = context.places().observation(&context.subject.model.channels[channel].name);
    Some(Finding { bins, ..finding })
}

fn negative_nominal(context: &Context, channel: usize, found: &mut Vec<Finding>) {
    let own = &context.subject.model.channels[channel];
    for (s, sample) in own.samples.iter().enumerate() {
        let mut nominal = vec![0.0; own.n_bins];
        for part in sample.parts.iter().filter(|part| part.response.is_none()) {
            nominal.iter_mut().zip(&part.nominal).for_each(|(sum, n)| *sum += n);
        }
        let bins = which(nominal.iter().map(|n| *n < 0.0));
        let lowest = nominal.iter().copied().fold(0.0, f64::min);
        let total_below = bins.iter().any(|bin| context.expected_of(channel)[*bin] <= 0.0);
        if !bins.is_empty() {
            let severity = if total_below { Severity::Warning } else { Severity::Note };
            let finding = context.at_sample(Finding::new(Code::NegativeNominal, severity, -lowest), channel, s);
            found.push(Finding { bins, ..finding.values([("lowest", lowest)]) });
        }
    }
}

fn equal_samples(context: &Context, channel: usize, found: &mut Vec<Finding>) {
    let own = &context.subject.model.channels[channel];
    let nominal = |s: usize| match own.samples[s].parts.as_slice() {
        [part] if part.response.is_none() && part.nominal.iter().any(|n| *n != 0.0) => Some(part.nominal.as_slice()),
        _ => None,
    };
    for a in 0..own.samples.len() {
        let same = |b: &usize| nominal(a).is_some() && nominal(a) == nominal(*b);
        // Each group once, at its first sample.
        if (0..a).any(|b| same(&b)) {
            continue;
        }
        let others: Vec<String> =
            (a + 1..own.samples.len()).filter(same).map(|b| own.samples[b].name.clone()).collect();
        if !others.is_empty() {
            let size = nominal(a).map_or(0.0, |yields| yields.iter().sum());
            let finding = context.at_sample(Finding::new(Code::EqualSamples, Severity::Note, size), channel, a);
            found.push(Finding { others, ..finding.values([("sum", size)]) });
        }
    }
}

/// (n − ν)/√(ν + σ²) with σ of the constraints.
fn pulls(context: &Context, found: &mut Vec<Finding>) {
    let covariance = Covariance::diagonal(prefit::widths(&context.program, context.subject.fixed));
    let mut evaluator = Evaluator::new(&context.program);
    let prediction = predict(&mut evaluator, context.subject.point, &covariance, Propagation::Linear);
    let least = context.threshold("pull");
    for (channel, predicted) in prediction.channels.iter().enumerate() {
        let counts = context.counts_of(channel);
        let of_bin = |(n, nu): (&f64, &crate::infer::prediction::Yield)| {
            let pull = (n - nu.value) / (nu.value + nu.uncertainty * nu.uncertainty).sqrt();
            if nu.value > NOTHING && pull.is_finite() { pull } else { 0.0 }
        };
        let pulls: Vec<f64> = counts.iter().zip(&predicted.total).map(of_bin).collect();
        let bins = which(pulls.iter().map(|pull| pull.abs() > least));
        let Some(worst) = bins.iter().copied().max_by(|a, b| pulls[*a].abs().total_cmp(&pulls[*b].abs())) else {
            continue;
        };
        let finding = Finding::new(Code::LargePull, Severity::Note, pulls[worst].abs()).values([
            ("worst_bin", worst as f64),
            ("pull", pulls[worst]),
            ("observed", counts[worst]),
            ("expected", predicted.total[worst].value),
            ("uncertainty", predicted.total[worst].uncertainty),
        ]);
        let mut finding = context.at_channel(finding, channel);
        finding.pointer = context.places().observation(&context.subject.model.channels[channel].name);
        found.push(Finding { bins, ..finding });
    }
}
