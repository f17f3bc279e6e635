//! −2 ln L of a combination against the sum over its parts (spec/combine.md, eq. 1), at random points.

use super::random::{Ensemble, Purpose};
use crate::kernel::Evaluator;
use crate::model::{Constraint, Correlation, Data, Model};
use crate::program::{PreparedData, Program};
use rand_distr::{Distribution, Uniform};
use std::collections::{BTreeMap, HashMap};

/// How far free parameters are moved from their start, and constrained ones by how much of their width.
const SPREAD: f64 = 0.3;
const PULLS: f64 = 1.0;

/// Points that are tried for each one that is wanted: some are outside of the domain.
const TRIES: u64 = 20;

/// A likelihood that has gone into a combination.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub model: &'a Model,
    pub data: &'a Data,
    /// Channels that count in an earlier part.
    pub counted: &'a [String],
}

/// What the comparison has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SumRule {
    /// Points at which all likelihoods are finite.
    pub points: usize,
    /// The largest difference, relative to Σ |−2 ln L| of the parts.
    pub largest: f64,
    /// Constraints that several parts have, and channels that do, each as often as it is left out.
    pub shared_constraints: usize,
    pub shared_channels: usize,
}

/// Compares at so many points, which follow from the seed. None where parameters of a part have no place in the
/// combination.
pub fn check(whole: (&Model, &Data), parts: &[Part], points: usize, seed: u64) -> Option<SumRule> {
    let (model, data) = whole;
    let program = Program::compile(model);
    let prepared = program.prepare(data);
    let parts: Vec<Compared> = parts.iter().map(|part| Compared::new(model, part)).collect::<Option<_>>()?;
    let constraints = model.constraints();
    let mut holders = vec![0_usize; constraints.len()];
    for part in &parts {
        part.constrained.iter().for_each(|own| holders[part.places[*own]] += 1);
    }
    let repeated: Vec<(usize, Constraint, usize)> = (0..)
        .zip(constraints)
        .zip(&holders)
        .filter_map(|((i, constraint), holders)| Some((i, constraint?, holders.saturating_sub(1))))
        .filter(|(.., again)| *again > 0)
        .collect();
    let mut rule = SumRule {
        points: 0,
        largest: 0.0,
        shared_constraints: repeated.iter().map(|(.., again)| again).sum(),
        shared_channels: parts.iter().map(|part| part.counted.len()).sum(),
    };
    let mut evaluator = Evaluator::new(&program);
    let ensemble = Ensemble { seed, value: f64::NAN };
    for toy in 0..TRIES * points as u64 {
        let point = random_point(model, &ensemble, toy);
        let got = evaluator.twice_nll(&completed(&program, &point), &prepared);
        let of_parts: Vec<f64> = parts.iter().map(|part| part.twice_nll(&point)).collect();
        let twice: f64 = repeated.iter().map(|(i, c, again)| *again as f64 * constraint_term(c, point[*i])).sum();
        let again: f64 = parts.iter().map(|part| part.counted_twice(&point)).sum();
        let added = correlation_terms(model, &point)
            - parts.iter().map(|part| correlation_terms(part.model, &part.own(&point))).sum::<f64>();
        let expected = of_parts.iter().sum::<f64>() - twice - again + added;
        if !(got.is_finite() && expected.is_finite()) {
            // Outside of the domain of one part is outside of that of the whole.
            if got.is_finite() != expected.is_finite() {
                rule.largest = f64::INFINITY;
            }
            continue;
        }
        let scale = of_parts.iter().map(|x| x.abs()).sum::<f64>() + twice.abs() + again.abs();
        rule.largest = rule.largest.max((got - expected).abs() / scale.max(1.0));
        rule.points += 1;
        if rule.points == points {
            break;
        }
    }
    Some(rule)
}

/// A part, ready to be evaluated at points of the whole.
struct Compared<'a> {
    model: &'a Model,
    program: Program,
    prepared: PreparedData,
    data: &'a Data,
    /// For each scalar parameter its place in the whole.
    places: Vec<usize>,
    /// Those with a constraint.
    constrained: Vec<usize>,
    /// The first bin and the number of bins of the channels that count elsewhere.
    counted: Vec<(usize, usize)>,
}

impl<'a> Compared<'a> {
    fn new(whole: &Model, part: &Part<'a>) -> Option<Compared<'a>> {
        let program = Program::compile(part.model);
        let prepared = program.prepare(part.data);
        let constraints = part.model.constraints();
        let (mut counted, mut first) = (Vec::new(), 0);
        for channel in &part.model.channels {
            if part.counted.contains(&channel.name) {
                counted.push((first, channel.n_bins));
            }
            first += channel.n_bins;
        }
        Some(Compared {
            model: part.model,
            prepared,
            program,
            data: part.data,
            places: places(whole, part.model)?,
            constrained: (0..constraints.len()).filter(|i| constraints[*i].is_some()).collect(),
            counted,
        })
    }

    fn own(&self, point: &[f64]) -> Vec<f64> {
        let own: Vec<f64> = self.places.iter().map(|i| point[*i]).collect();
        completed(&self.program, &own)
    }

    fn twice_nll(&self, point: &[f64]) -> f64 {
        Evaluator::new(&self.program).twice_nll(&self.own(point), &self.prepared)
    }

    /// −2 ln of the Poisson terms of channels that count in an earlier part.
    fn counted_twice(&self, point: &[f64]) -> f64 {
        if self.counted.is_empty() {
            return 0.0;
        }
        let (mut main, mut auxiliary) = (vec![0.0; self.model.n_bins()], vec![0.0; self.data.auxiliary.len()]);
        Evaluator::new(&self.program).expected(&self.own(point), &mut main, &mut auxiliary);
        let bins = self.counted.iter().flat_map(|(first, bins)| *first..first + bins);
        bins.map(|bin| 2.0 * poisson(self.data.main[bin], main[bin])).sum()
    }
}

fn completed(program: &Program, point: &[f64]) -> Vec<f64> {
    let mut point = point.to_vec();
    program.complete(&mut point);
    point
}

/// −ln of a Poisson probability (spec/likelihood.md, eq. 3).
fn poisson(count: f64, mean: f64) -> f64 {
    let logarithm = if count == 0.0 { 0.0 } else { count * mean.ln() };
    mean - logarithm + libm::lgamma(count + 1.0)
}

/// −2 ln of spec/constraints.md, eq. 1 and 2.
fn constraint_term(constraint: &Constraint, value: f64) -> f64 {
    match *constraint {
        Constraint::Gaussian { auxdata, sigma } => {
            ((auxdata - value) / sigma).powi(2) + 2.0 * (sigma * (2.0 * std::f64::consts::PI).sqrt()).ln()
        }
        Constraint::Poisson { auxdata, factor } => 2.0 * poisson(auxdata, factor * value),
    }
}

/// −2 ln of what correlations add to the constraints (spec/constraints.md, eq. 7).
fn correlation_terms(model: &Model, point: &[f64]) -> f64 {
    if model.correlations.is_empty() {
        return 0.0;
    }
    let constraints = model.constraints();
    let pull = |i: &usize| constraints[*i].and_then(|c| c.pull(point[*i])).unwrap_or(f64::NAN);
    let of_group = |group: &Correlation| {
        let z: Vec<f64> = group.parameters.iter().map(pull).collect();
        let elements = group.excess.iter().enumerate();
        2.0 * group.half_ln_det + elements.map(|(k, e)| e * z[k / z.len()] * z[k % z.len()]).sum::<f64>()
    };
    model.correlations.iter().map(of_group).sum()
}

/// For each scalar parameter of a part its place in the whole: by what it does in channels of one name, since bins of a
/// staterror follow one another in the whole; else by its name.
fn places(whole: &Model, part: &Model) -> Option<Vec<usize>> {
    let mut by_effect: BTreeMap<usize, usize> = BTreeMap::new();
    for channel in &part.channels {
        let Some(same) = whole.channels.iter().find(|own| own.name == channel.name) else { continue };
        for sample in &channel.samples {
            let Some(other) = same.samples.iter().find(|own| own.name == sample.name) else { continue };
            for (part, other) in sample.parts.iter().zip(&other.parts) {
                by_effect.extend(part.parameters().zip(other.parameters()));
            }
        }
    }
    let names: HashMap<String, usize> = whole.parameter_names().into_iter().zip(0..).collect();
    let own = part.parameter_names().into_iter().enumerate();
    own.map(|(i, name)| by_effect.get(&i).or_else(|| names.get(&name)).copied()).collect()
}

/// Starts, moved at random within the bounds.
fn random_point(model: &Model, ensemble: &Ensemble, toy: u64) -> Vec<f64> {
    let mut stream = ensemble.stream(Purpose::Parameters, toy);
    let uniform = Uniform::new(-1.0, 1.0).ok();
    let parameters = model.init().into_iter().zip(model.bounds()).zip(model.constraints());
    let moved = parameters.map(|((start, (low, high)), constraint)| {
        let width = constraint.map_or(SPREAD * start.abs().max(1.0), |c| PULLS * c.width().min(1.0));
        let step = uniform.map_or(0.0, |uniform| uniform.sample(&mut stream));
        (start + width * step).clamp(low, high.max(low))
    });
    moved.collect()
}
