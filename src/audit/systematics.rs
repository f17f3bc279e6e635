//! Normsys and histosys, sample by sample, at −1σ, +1σ and between (spec/audit.md, section 3).

use super::context::{Context, responds, which};
use super::template::{Moving, STEPS, step};
use super::{Code, Finding, Severity};
use crate::model::{Constraint, Effect};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A change below this part of a yield is rounding.
const ROUNDING: f64 = 1e-12;
/// An asymmetric variation changes the sum of its sample by this part at least.
const ASYMMETRIC_FROM: f64 = 0.05;

/// One parameter on one sample of one channel.
struct Variation {
    place: (usize, usize, usize),
    nominal: Vec<f64>,
    up: Vec<f64>,
    down: Vec<f64>,
    /// In each bin the lowest yield of the template, and at how many σ.
    lowest: Vec<(f64, f64)>,
    /// Changes of the yield, with all factors: STEPS lists of the bins.
    yields: Vec<Vec<f64>>,
    /// Changes of the template's sum by the histosys alone, up and down.
    shape: (f64, f64),
    types: Vec<&'static str>,
}

/// What the modifiers of a parameter do anywhere.
#[derive(Default)]
struct Effects {
    entries: usize,
    null: usize,
}

/// Adds findings. Returns the parameters whose modifiers move nothing anywhere.
pub(super) fn look(context: &Context, found: &mut Vec<Finding>) -> HashSet<usize> {
    let mut effects: BTreeMap<usize, Effects> = BTreeMap::new();
    for channel in 0..context.subject.model.channels.len() {
        look_at(context, channel, &mut effects, found);
    }
    equal(context, found);
    null(context, &effects, found)
}

/// All parameters of a channel, one after the other.
fn look_at(context: &Context, c: usize, effects: &mut BTreeMap<usize, Effects>, found: &mut Vec<Finding>) {
    let channel = &context.subject.model.channels[c];
    let samples = channel.samples.iter().enumerate().filter(|(_, sample)| !responds(sample));
    let moving = samples.map(|(s, sample)| (s, Moving::new(sample, channel.n_bins, context.subject.point)));
    let moving: Vec<(usize, Moving)> = moving.collect();
    let parameters: BTreeSet<usize> = moving.iter().flat_map(|(_, moving)| moving.parameters()).collect();
    for parameter in parameters.into_iter().filter(|parameter| context.is_free(*parameter)) {
        let Some(constraint) = context.constraints[parameter] else { continue };
        let mut total = vec![vec![0.0; channel.n_bins]; STEPS];
        for (s, moving) in moving.iter().filter(|(_, moving)| moving.follows(parameter)) {
            let variation = Variation::new(context, moving, (c, *s, parameter), &constraint);
            let own = effects.entry(parameter).or_default();
            own.entries += 1;
            if variation.is_null() {
                own.null += 1;
                continue;
            }
            variation.look(context, found);
            for (total, own) in total.iter_mut().flatten().zip(variation.yields.iter().flatten()) {
                *total += own;
            }
        }
        negative_expectation(context, c, parameter, &total, found);
    }
}

impl Variation {
    fn new(context: &Context, moving: &Moving, place: (usize, usize, usize), constraint: &Constraint) -> Variation {
        let (c, s, parameter) = place;
        let along = moving.along(parameter);
        let (nominal, base) = along.at(constraint.centre());
        let mut lowest: Vec<(f64, f64)> = nominal.iter().map(|value| (*value, 0.0)).collect();
        let (mut yields, mut ends) = (Vec::with_capacity(STEPS), Vec::new());
        for index in 0..STEPS {
            let value = step(constraint, context.bounds[parameter], index);
            let (template, yielded) = along.at(value);
            let at = (value - constraint.centre()) / constraint.width();
            for (lowest, value) in lowest.iter_mut().zip(&template) {
                if *value < lowest.0 {
                    *lowest = (*value, at);
                }
            }
            yields.push(yielded.iter().zip(&base).map(|(yielded, base)| yielded - base).collect());
            if index == 0 || index == STEPS - 1 {
                ends.push((template, value));
            }
        }
        let (up, at_up) = ends.pop().unwrap_or_default();
        let (down, at_down) = ends.pop().unwrap_or_default();
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let by_shape = |value: f64| sum(&along.shape_at(value)) - sum(&nominal);
        let shape = (by_shape(at_up), by_shape(at_down));
        let model = context.subject.model;
        let (channel, name) = (&model.channels[c], context.set_names[parameter]);
        let places = context.places().modifiers(&channel.name, &channel.samples[s].name, name);
        let types = places.iter().map(|place| place.kind).collect();
        Variation { place, nominal, up, down, lowest, yields, shape, types }
    }

    fn is_null(&self) -> bool {
        let same = |(a, b): (&f64, &f64)| (a - b).abs() <= ROUNDING * b.abs();
        self.up.iter().zip(&self.nominal).all(same) && self.down.iter().zip(&self.nominal).all(same)
    }

    /// u_b and d_b.
    fn shifts(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.nominal.iter().zip(&self.up).zip(&self.down).map(|((n, up), down)| (up - n, down - n))
    }

    fn sum(&self) -> f64 {
        self.nominal.iter().sum()
    }

    /// U and D.
    fn sums(&self) -> (f64, f64) {
        self.shifts().fold((0.0, 0.0), |(up, down), (u, d)| (up + u, down + d))
    }

    /// The changes of the yields of a bin at +1σ and −1σ.
    fn yield_shifts(&self, bin: usize) -> (f64, f64) {
        let at = |index: usize| self.yields.get(index).and_then(|list| list.get(bin)).copied().unwrap_or(0.0);
        (at(STEPS - 1), at(0))
    }

    fn finding(&self, context: &Context, code: Code, severity: Severity, size: f64) -> Finding {
        let (c, s, parameter) = self.place;
        let finding = context.at_modifier(Finding::new(code, severity, size), c, s, parameter);
        Finding { variation: Some(self.place), ..finding }
    }

    fn look(&self, context: &Context, found: &mut Vec<Finding>) {
        found.extend(self.one_sided(context));
        found.extend(self.one_variation(context));
        found.extend(self.negative(context));
        found.extend(self.large(context));
        found.extend(self.asymmetric(context));
        found.extend(self.norm(context));
    }

    fn one_sided(&self, context: &Context) -> Option<Finding> {
        let least = context.threshold("one-sided");
        let is_one_sided = |(n, (u, d)): (&f64, (f64, f64))| u * d > 0.0 && u.abs().min(d.abs()) > least * n.abs();
        let bins = which(self.nominal.iter().zip(self.shifts()).map(is_one_sided));
        let expected = context.expected_of(self.place.0);
        // Of the smaller shift, as part of the total.
        let share = |bin: usize| {
            let (u, d) = self.yield_shifts(bin);
            u.abs().min(d.abs()) / expected[bin].abs()
        };
        let worst = bins.iter().copied().max_by(|a, b| share(*a).total_cmp(&share(*b)))?;
        let severity = if share(worst) >= context.threshold("relevant") { Severity::Warning } else { Severity::Note };
        let finding = self.finding(context, Code::OneSided, severity, share(worst)).values([
            ("worst_bin", worst as f64),
            ("nominal", self.nominal[worst]),
            ("up", self.up[worst]),
            ("down", self.down[worst]),
            ("share_of_total", share(worst)),
        ]);
        Some(Finding { bins, ..finding })
    }

    fn one_variation(&self, context: &Context) -> Option<Finding> {
        let same = |side: &[f64]| side.iter().zip(&self.nominal).all(|(a, b)| (a - b).abs() <= ROUNDING * b.abs());
        let side = match (same(&self.up), same(&self.down)) {
            (true, false) => -1.0,
            (false, true) => 1.0,
            _ => return None,
        };
        let part = |((u, d), n): ((f64, f64), &f64)| u.abs().max(d.abs()) / n.abs();
        let parts: Vec<f64> =
            self.shifts().zip(&self.nominal).map(part).map(|x| if x.is_nan() { 0.0 } else { x }).collect();
        let largest = parts.iter().copied().fold(0.0, f64::max);
        if largest <= context.threshold("one-sided") {
            return None;
        }
        let bins = which(parts.iter().map(|part| *part > 0.0));
        let finding = self.finding(context, Code::OneVariation, Severity::Note, largest);
        Some(Finding { bins, ..finding.values([("moving_side", side), ("largest", largest)]) })
    }

    fn negative(&self, context: &Context) -> Option<Finding> {
        let scale = self.nominal.iter().map(|n| n.abs()).fold(0.0, f64::max);
        let is_negative = |(n, (low, _)): (&f64, &(f64, f64))| *n >= 0.0 && *low < -ROUNDING * scale;
        let bins = which(self.nominal.iter().zip(&self.lowest).map(is_negative));
        let worst = bins.iter().copied().min_by(|a, b| self.lowest[*a].0.total_cmp(&self.lowest[*b].0))?;
        let (low, at) = self.lowest[worst];
        let finding = self.finding(context, Code::NegativeTemplate, Severity::Warning, -low).values([
            ("worst_bin", worst as f64),
            ("nominal", self.nominal[worst]),
            ("lowest", low),
            ("at_sigma", at),
        ]);
        Some(Finding { bins, ..finding })
    }

    fn large(&self, context: &Context) -> Option<Finding> {
        let (up, down) = self.sums();
        let part = up.abs().max(down.abs()) / self.sum();
        if self.sum() <= 0.0 || part <= context.threshold("large") {
            return None;
        }
        let total: f64 = context.expected_of(self.place.0).iter().sum();
        let of_yields = |index: usize| self.yields[index].iter().sum::<f64>().abs();
        let share = of_yields(0).max(of_yields(STEPS - 1)) / total.abs();
        let severity = if share >= context.threshold("relevant") { Severity::Warning } else { Severity::Note };
        Some(self.finding(context, Code::LargeVariation, severity, part).values([
            ("nominal_sum", self.sum()),
            ("up", up / self.sum()),
            ("down", down / self.sum()),
            ("share_of_total", share),
        ]))
    }

    fn asymmetric(&self, context: &Context) -> Option<Finding> {
        let (up, down) = self.sums();
        let (small, large) = (up.abs().min(down.abs()), up.abs().max(down.abs()));
        let ratio = large / small;
        let is_meant = self.sum() <= 0.0 || up * down >= 0.0 || large < ASYMMETRIC_FROM * self.sum();
        if is_meant || ratio <= context.threshold("asymmetry") {
            return None;
        }
        let (up, down) = (up / self.sum(), down / self.sum());
        let finding = self.finding(context, Code::Asymmetric, Severity::Note, large / self.sum());
        Some(finding.values([("up", up), ("down", down), ("ratio", ratio)]))
    }

    /// The size of the sample in a histosys.
    fn norm(&self, context: &Context) -> Option<Finding> {
        let is_of = |kind: &str| self.types.contains(&kind);
        let part = self.shape.0.abs().max(self.shape.1.abs()) / self.sum();
        if !is_of("histosys") || self.nominal.len() < 2 || self.sum() <= 0.0 {
            return None;
        }
        let (code, least) = match is_of("normsys") {
            true => (Code::SplitNotClean, context.threshold("split")),
            false => (Code::NormInShape, context.threshold("norm-in-shape")),
        };
        let (up, down) = (self.shape.0 / self.sum(), self.shape.1 / self.sum());
        let finding = || self.finding(context, code, Severity::Note, part).values([("up", up), ("down", down)]);
        (part > least).then(finding)
    }
}

/// Bins of a channel whose sum is negative somewhere within ±1σ; `total` are the changes of the sum, STEPS lists.
fn negative_expectation(
    context: &Context,
    channel: usize,
    parameter: usize,
    total: &[Vec<f64>],
    found: &mut Vec<Finding>,
) {
    let expected = context.expected_of(channel);
    let Some(constraint) = &context.constraints[parameter] else { return };
    let lowest = |bin: usize| {
        let at = |(index, changes): (usize, &Vec<f64>)| (index, expected[bin] + changes[bin]);
        total.iter().enumerate().map(at).min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let all: Vec<Option<(usize, f64)>> = (0..expected.len()).map(lowest).collect();
    let is_negative =
        |bin: usize| expected[bin] >= 0.0 && all[bin].is_some_and(|(_, low)| low < -ROUNDING * expected[bin]);
    let bins: Vec<usize> = (0..expected.len()).filter(|bin| is_negative(*bin)).collect();
    let low = |bin: usize| all[bin].map_or(0.0, |(_, low)| low);
    let Some(worst) = bins.iter().copied().min_by(|a, b| low(*a).total_cmp(&low(*b))) else { return };
    let index = all[worst].map_or(0, |(index, _)| index);
    let at = (step(constraint, context.bounds[parameter], index) - constraint.centre()) / constraint.width();
    let finding =
        context.at_parameter(Finding::new(Code::NegativeExpectation, Severity::Warning, -low(worst)), parameter);
    let (modifier, types) = (finding.modifier.clone(), finding.types.clone());
    let finding = context.at_channel(finding, channel).values([
        ("worst_bin", worst as f64),
        ("nominal", expected[worst]),
        ("lowest", low(worst)),
        ("at_sigma", at),
    ]);
    let parameters = vec![context.names[parameter].clone()];
    found.push(Finding { bins, modifier, types, parameters, ..finding });
}

/// Parameters whose modifiers move nothing, and entries of others that do nothing.
fn null(context: &Context, effects: &BTreeMap<usize, Effects>, found: &mut Vec<Finding>) -> HashSet<usize> {
    let mut nowhere = HashSet::new();
    let (mut entries, mut idle, mut first) = (0, 0, None);
    let mut otherwise = HashSet::new();
    for part in context.subject.model.parts() {
        let acts = |effect: &&Effect| part.response.is_some() || !super::context::is_interpolated(effect);
        otherwise.extend(part.effects.iter().filter(acts).flat_map(Effect::parameters));
    }
    for (&parameter, own) in effects {
        if own.null == own.entries && !otherwise.contains(&parameter) {
            nowhere.insert(parameter);
            let finding = Finding::new(Code::NullEffect, Severity::Note, own.entries as f64);
            let finding = context.at_parameter(finding, parameter).values([("entries", own.entries as f64)]);
            found.push(Finding { parameters: vec![context.names[parameter].clone()], ..finding });
            continue;
        }
        entries += own.entries;
        idle += own.null;
        first = first.or((own.null > 0).then_some(parameter));
    }
    if idle > 0 {
        let values = [("idle", idle as f64), ("entries", entries as f64)];
        found.push(Finding::new(Code::NullEntries, Severity::Note, idle as f64).values(values));
    }
    nowhere
}

/// What a parameter does everywhere, without what does nothing: places, and the bits of the numbers.
#[derive(Default)]
struct Fingerprint {
    bits: Vec<u64>,
    entries: usize,
    has_shape: bool,
}

/// Groups of parameters with the same effects.
fn equal(context: &Context, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<usize, Fingerprint> = BTreeMap::new();
    let model = context.subject.model;
    for (c, channel) in model.channels.iter().enumerate() {
        for (s, part) in
            channel.samples.iter().enumerate().flat_map(|(s, own)| own.parts.iter().map(move |part| (s, part)))
        {
            for effect in &part.effects {
                let (parameter, kind, values, is_null, is_shape) = match effect {
                    Effect::Offset { parameter, lo, hi, .. } => {
                        let values: Vec<f64> = lo.iter().chain(hi).copied().collect();
                        (*parameter, 0, values, *lo == part.nominal && *hi == part.nominal, lo.len() > 1)
                    }
                    Effect::InterpolatedScale { parameter, lo, hi, .. } => {
                        (*parameter, 1, vec![*lo, *hi], *lo == 1.0 && *hi == 1.0, false)
                    }
                    _ => continue,
                };
                if is_null || !context.is_free(parameter) {
                    continue;
                }
                let own = all.entry(parameter).or_default();
                own.bits.extend([c as u64, s as u64, kind]);
                own.bits.extend(values.iter().map(|value| value.to_bits()));
                own.entries += 1;
                own.has_shape |= is_shape;
            }
        }
    }
    let mut groups: HashMap<&[u64], Vec<usize>> = HashMap::new();
    // One number of one sample is often the same by chance.
    for (parameter, own) in all.iter().filter(|(_, own)| own.entries > 1 || own.has_shape) {
        groups.entry(own.bits.as_slice()).or_default().push(*parameter);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    for group in groups {
        let (Some(first), Some(own)) = (group.first(), group.first().and_then(|first| all.get(first))) else {
            continue;
        };
        let finding = Finding::new(Code::EqualSystematics, Severity::Note, own.entries as f64);
        let finding = context.at_parameter(finding, *first).values([("entries", own.entries as f64)]);
        found.push(Finding { parameters: group.iter().map(|&i| context.names[i].clone()).collect(), ..finding });
    }
}
