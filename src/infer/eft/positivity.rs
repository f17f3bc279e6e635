//! A search for the smallest yields in the box of the coefficients: a search, not a proof.

use super::decomposition::responds;
use crate::kernel::Evaluator;
use crate::model::Model;
use crate::model::eft::morphing;
use crate::program::Program;

/// Points along one axis in one step of the descent.
const GRID: usize = 8;
/// Rounds over all axes, each on half the range of the one before.
const ROUNDS: usize = 30;
/// Evaluations that all descents may take together.
const MOST_EVALUATIONS: usize = 200_000;

/// The smallest yield that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Smallest {
    pub channel: usize,
    /// None for the sum of all samples.
    pub sample: Option<usize>,
    pub bin: usize,
    pub value: f64,
    /// The yield of this bin where all coefficients are zero.
    pub sm: f64,
    /// The coefficients there.
    pub at: Vec<f64>,
    /// Of the bins of this channel or sample, those from which a descent began.
    pub descents: usize,
}

/// One number to be made small: a sum of cells.
struct Target {
    channel: usize,
    sample: Option<usize>,
    bin: usize,
    cells: Vec<usize>,
    value: f64,
    at: Vec<f64>,
}

/// For every channel with a response its smallest bin, and that of each of its samples with one.
///
/// Looked at are the centre of the box, its corners (1024 of them where there are more), the ends of the axes through
/// zero, 1024 evenly spread points; then, bin by bin from its lowest point, one coordinate after the other.
pub fn smallest(model: &Model, program: &Program, point: &[f64], coefficients: &[usize]) -> Vec<Smallest> {
    let mut search = Search { evaluator: Evaluator::new(program), point: point.to_vec(), coefficients };
    let bounds: Vec<[f64; 2]> =
        coefficients.iter().map(|&i| model.bounds()[i]).map(|(low, high)| [low, high]).collect();
    let mut targets = targets(model);
    let rates = search.rates(&vec![0.0; coefficients.len()]);
    let sm: Vec<f64> = targets.iter().map(|target| target.of(&rates)).collect();
    for start in starts(&bounds) {
        let rates = search.rates(&start);
        for target in &mut targets {
            let value = target.of(&rates);
            // Not a number is smaller than anything: it must be seen.
            if value < target.value || value.is_nan() {
                target.value = value;
                target.at.clone_from(&start);
            }
        }
    }
    let mut order: Vec<usize> = (0..targets.len()).collect();
    let relative = |i: &usize| targets[*i].value / sm[*i].abs().max(f64::MIN_POSITIVE);
    order.sort_by(|a, b| relative(a).total_cmp(&relative(b)));
    let each = ROUNDS * (GRID + 2) * coefficients.len().max(1);
    order.truncate((MOST_EVALUATIONS / each).max(1));
    for &i in &order {
        search.descend(&mut targets[i], &bounds);
    }
    let mut found: Vec<Smallest> = Vec::new();
    for (i, target) in targets.into_iter().enumerate() {
        let descents = usize::from(order.contains(&i));
        let Target { channel, sample, bin, value, at, .. } = target;
        let next = Smallest { channel, sample, bin, value, sm: sm[i], at, descents };
        match found.last_mut().filter(|last| (last.channel, last.sample) == (channel, sample)) {
            Some(last) => {
                let descents = last.descents + descents;
                if next.value < last.value || next.value.is_nan() {
                    *last = next;
                }
                last.descents = descents;
            }
            None => found.push(next),
        }
    }
    found
}

/// The sum of each bin of channels with a response, then each bin of their samples with one.
fn targets(model: &Model) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut first = 0;
    for (channel, of_channel) in model.channels.iter().enumerate() {
        let n = of_channel.n_bins;
        let cell = |sample: usize, bin: usize| first + sample * n + bin;
        let samples = of_channel.samples.len();
        let responding: Vec<usize> = (0..samples).filter(|s| responds(&of_channel.samples[*s])).collect();
        let mut add = |sample: Option<usize>, bin: usize, cells: Vec<usize>| {
            targets.push(Target { channel, sample, bin, cells, value: f64::INFINITY, at: Vec::new() });
        };
        if !responding.is_empty() {
            (0..n).for_each(|bin| add(None, bin, (0..samples).map(|s| cell(s, bin)).collect()));
        }
        for sample in responding {
            (0..n).for_each(|bin| add(Some(sample), bin, vec![cell(sample, bin)]));
        }
        first += samples * n;
    }
    targets
}

/// Where to look first.
fn starts(bounds: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let mut all = morphing::starts(bounds);
    for (i, ends) in bounds.iter().enumerate() {
        for end in ends {
            let mut axis: Vec<f64> = bounds.iter().map(|[low, high]| 0.0_f64.max(*low).min(*high)).collect();
            axis[i] = *end;
            all.push(axis);
        }
    }
    all
}

impl Target {
    fn of(&self, rates: &[f64]) -> f64 {
        self.cells.iter().filter_map(|cell| rates.get(*cell)).sum()
    }
}

struct Search<'p> {
    evaluator: Evaluator<'p>,
    point: Vec<f64>,
    coefficients: &'p [usize],
}

impl Search<'_> {
    fn rates(&mut self, at: &[f64]) -> Vec<f64> {
        self.coefficients.iter().zip(at).for_each(|(i, value)| self.point[*i] = *value);
        let mut rates = vec![0.0; self.evaluator.program.n_cells()];
        self.evaluator.rates(&self.point, &mut rates);
        rates
    }

    fn descend(&mut self, target: &mut Target, bounds: &[[f64; 2]]) {
        let mut width = 1.0;
        for _ in 0..ROUNDS {
            for (i, [low, high]) in bounds.iter().enumerate() {
                let half = 0.5 * width * (high - low);
                let (from, to) = ((target.at[i] - half).max(*low), (target.at[i] + half).min(*high));
                self.along(target, i, from, to);
            }
            width *= 0.6;
        }
    }

    /// The best of a grid, then of the parabola through it and its neighbours.
    fn along(&mut self, target: &mut Target, i: usize, from: f64, to: f64) {
        let step = (to - from) / GRID as f64;
        let mut trial = target.at.clone();
        let mut value_at = |x: f64| {
            trial[i] = x;
            target.of(&self.rates(&trial))
        };
        let values: Vec<f64> = (0..=GRID).map(|k| value_at(from + step * k as f64)).collect();
        let best = (0..=GRID).fold(0, |best, k| if values[k] < values[best] { k } else { best });
        let (mut x, mut value) = (from + step * best as f64, values[best]);
        if best > 0 && best < GRID {
            let (below, above) = (values[best - 1] - value, values[best + 1] - value);
            let vertex = (x + 0.5 * step * (below - above) / (below + above)).clamp(from, to);
            let at_vertex = value_at(vertex);
            if at_vertex < value {
                (x, value) = (vertex, at_vertex);
            }
        }
        if value < target.value {
            target.value = value;
            target.at[i] = x;
        }
    }
}
