//! Toys of densities: counts, and events by rejection under steps that lie above the density (spec/hs3.md, "Toys and
//! Asimov data").

use super::generate::GenerationFailure;
use super::random::{Variate, uniform};
use crate::graph::{EventDensity, Expectation, Expected, NoData, PairData};
use crate::kernel::Evaluator;
use rand_chacha::ChaCha8Rng;

/// A toy with more events of one pair is refused.
const MOST_EVENTS: f64 = 1e8;

/// So often a whole number is drawn again when it is outside of its range.
const MOST_DRAWS: usize = 1000;

/// What the data of one pair of a density and its data are drawn from.
#[derive(Clone, Debug)]
pub(super) struct PairSource {
    pair: usize,
    total: Total,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Total {
    Poisson(Variate),
    Fixed(u64),
}

#[derive(Clone, Debug)]
enum Shape {
    Counts(Vec<Variate>),
    /// Sums of the probabilities of the bins up to each.
    Shares(Vec<f64>),
    Poisson {
        variate: Variate,
        mean: f64,
        range: (f64, f64),
    },
    Events(Box<Steps>),
}

impl PairSource {
    /// Of all pairs.
    pub fn of_pairs(evaluator: &mut Evaluator, point: &[f64]) -> Result<Vec<PairSource>, GenerationFailure> {
        let failed = |(pair, why)| GenerationFailure::Densities { pair, why };
        let expected = evaluator.expected_densities(point).map_err(failed)?;
        let each = expected.into_iter().enumerate();
        each.map(|(pair, expectation)| PairSource::new(pair, expectation).map_err(|why| failed((pair, why)))).collect()
    }

    fn new(pair: usize, expectation: Expectation) -> Result<PairSource, NoData> {
        let Expectation { expected, rate, observed } = expectation;
        let poisson = |bin: usize, expected: f64| Variate::poisson(expected).ok_or(NoData::Bin { bin, expected });
        let counts = |means: Vec<f64>| -> Result<Vec<Variate>, NoData> {
            means.into_iter().enumerate().map(|(bin, n)| poisson(bin, n)).collect()
        };
        let (total, shape) = match (expected, rate) {
            (Expected::Counts(means), _) => (Total::Fixed(0), Shape::Counts(counts(means)?)),
            (Expected::Shares(shares), Some(rate)) => {
                let means = shares.into_iter().map(|share| rate * share).collect();
                (Total::Fixed(0), Shape::Counts(counts(means)?))
            }
            (Expected::Shares(shares), None) => (whole(observed)?, Shape::Shares(cumulative(shares.into_iter()))),
            (Expected::Poisson { mean, low, high }, rate) => {
                let variate = Variate::poisson(mean).ok_or(NoData::Rate(mean))?;
                (total(rate, observed)?, Shape::Poisson { variate, mean, range: (low, high) })
            }
            (Expected::Events(density), rate) => {
                (total(rate, observed)?, Shape::Events(Box::new(Steps::new(density)?)))
            }
        };
        Ok(PairSource { pair, total, shape })
    }

    /// The data of one toy.
    pub fn draw_all(sources: &[PairSource], stream: &mut ChaCha8Rng) -> Result<Vec<PairData>, GenerationFailure> {
        let one = |source: &PairSource| {
            source.draw(stream).map_err(|why| GenerationFailure::Densities { pair: source.pair, why })
        };
        sources.iter().map(one).collect()
    }

    fn draw(&self, stream: &mut ChaCha8Rng) -> Result<PairData, NoData> {
        let n = match &self.total {
            Total::Poisson(variate) => variate.draw(stream) as u64,
            Total::Fixed(n) => *n,
        };
        match &self.shape {
            Shape::Counts(variates) => Ok(PairData::Counts(variates.iter().map(|v| v.draw(stream)).collect())),
            Shape::Shares(cumulative) => {
                let mut counts = vec![0.0; cumulative.len()];
                (0..n).for_each(|_| counts[place(cumulative, stream)] += 1.0);
                Ok(PairData::Counts(counts))
            }
            Shape::Poisson { variate, mean, range: (low, high) } => {
                let mut one = || (0..MOST_DRAWS).map(|_| variate.draw(stream)).find(|k| (*low..=*high).contains(k));
                let column = (0..n).map(|_| one().ok_or(NoData::Outside(*mean))).collect::<Result<Vec<f64>, _>>()?;
                Ok(events(vec![column]))
            }
            Shape::Events(steps) => steps.draw(n as usize, stream).map(events),
        }
    }
}

fn events(columns: Vec<Vec<f64>>) -> PairData {
    let n = columns.first().map_or(0, Vec::len);
    PairData::Events { columns, weights: vec![1.0; n] }
}

/// Poisson around the rate of an extended density; else as many events as there are.
fn total(rate: Option<f64>, observed: f64) -> Result<Total, NoData> {
    match rate {
        Some(rate) if rate > MOST_EVENTS => Err(NoData::Rate(rate)),
        Some(rate) => Variate::poisson(rate).map(Total::Poisson).ok_or(NoData::Rate(rate)),
        None => whole(observed),
    }
}

fn whole(observed: f64) -> Result<Total, NoData> {
    // What rounding leaves of a sum of weights.
    let is_whole = (observed - observed.round()).abs() <= 1e-9 * observed.abs().max(1.0);
    match is_whole && (0.0..=MOST_EVENTS).contains(&observed) {
        true => Ok(Total::Fixed(observed.round() as u64)),
        false => Err(NoData::Total(observed)),
    }
}

fn cumulative(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    values
        .map(|value| {
            sum += value;
            sum
        })
        .collect()
}

/// An index with the probability of its part of the sum.
fn place(cumulative: &[f64], stream: &mut ChaCha8Rng) -> usize {
    let sum = cumulative.last().copied().unwrap_or(0.0);
    let x = sum * uniform(stream);
    let at = cumulative.partition_point(|below| *below <= x);
    // u · Σ may round up to Σ.
    if at < cumulative.len() { at } else { cumulative.partition_point(|below| *below < sum) }
}

/// Cells of the range, each with a number above the density.
#[derive(Clone, Debug)]
struct Steps {
    density: EventDensity,
    cells: Vec<Cell>,
    /// Sums of bound times volume up to each cell.
    cumulative: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Cell {
    /// By variate; unused ones are (0, 1).
    sides: [(f64, f64); 3],
    bound: f64,
}

/// For one, two and three variates: cells of each side at first, points of each side of a cell, and how near to 1 the sum
/// over the points is.
const FIRST: [usize; 3] = [256, 24, 10];
const POINTS: [usize; 3] = [8, 4, 3];
const ACCURACY: [f64; 3] = [1e-3, 5e-3, 1e-2];

/// There are no more cells.
const MOST_CELLS: usize = 1 << 16;

/// A cell is halved where its highest point is so much above the mean, if it holds more than [`SMALL`] of the events.
const RATIO: f64 = 1.3;
const SMALL: [f64; 3] = [1e-10, 1e-8, 1e-7];

/// The bound of a cell is so much above its highest point.
const ABOVE: f64 = 1.25;

impl Steps {
    /// Cells are halved until the steps lie close to the density; twice as many to begin with where the sum over their
    /// points is not 1.
    fn new(density: EventDensity) -> Result<Steps, NoData> {
        let d = density.n_variates().clamp(1, 3) - 1;
        let mut sides = FIRST[d];
        loop {
            let (cells, sum) = Steps::cells(&density, sides)?;
            if (sum - 1.0).abs() <= ACCURACY[d] {
                let volume = |cell: &Cell| cell.bound * cell.volume();
                return Ok(Steps { cumulative: cumulative(cells.iter().map(volume)), density, cells });
            }
            sides *= 2;
            if sides.saturating_pow(d as u32 + 1) > MOST_CELLS {
                return Err(NoData::Integral(sum));
            }
        }
    }

    fn cells(density: &EventDensity, sides: usize) -> Result<(Vec<Cell>, f64), NoData> {
        let mut open = first_cells(&density.ranges, sides);
        let (mut done, mut sum) = (Vec::new(), 0.0);
        while !open.is_empty() {
            let looked = look(density, &open)?;
            let room = done.len() + 2 * open.len() <= MOST_CELLS;
            let mut halves = Vec::new();
            for (mut cell, look) in open.into_iter().zip(looked) {
                let volume = cell.volume();
                let rough = look.highest > RATIO * look.mean
                    && look.highest * volume > SMALL[density.n_variates().clamp(1, 3) - 1];
                if rough && room && look.axis_can_halve(&cell) {
                    halves.extend(cell.halves(look.axis));
                } else {
                    sum += look.mean * volume;
                    cell.bound = ABOVE * look.highest;
                    done.push(cell);
                }
            }
            open = halves;
        }
        Ok((done, sum))
    }

    /// Events, a column for each variate.
    fn draw(&self, n: usize, stream: &mut ChaCha8Rng) -> Result<Vec<Vec<f64>>, NoData> {
        let d = self.density.n_variates();
        let mut kept: Vec<Vec<f64>> = vec![Vec::with_capacity(n); d];
        let bounds = self.cumulative.last().copied().unwrap_or(0.0).max(1.0);
        loop {
            let left = n - kept.first().map_or(n, Vec::len);
            if left == 0 {
                return Ok(kept);
            }
            // The density has the integral 1, so that one of `bounds` proposals is kept.
            let proposals = ((left as f64 * bounds * 1.1) as usize + 16).min(1 << 20);
            let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(proposals); d];
            let mut heights = Vec::with_capacity(proposals);
            for _ in 0..proposals {
                let cell = &self.cells[place(&self.cumulative, stream)];
                for (column, (low, high)) in columns.iter_mut().zip(cell.sides) {
                    column.push((low + (high - low) * uniform(stream)).clamp(low, high));
                }
                heights.push((cell.bound, uniform(stream)));
            }
            let values = self.density.values(&columns);
            for (i, (value, (bound, u))) in values.iter().zip(heights).enumerate() {
                if !(*value >= 0.0 && value.is_finite()) {
                    return Err(NoData::Density(*value));
                }
                if *value > bound {
                    return Err(NoData::Above(ABOVE * value / bound));
                }
                if u * bound < *value && kept[0].len() < n {
                    kept.iter_mut().zip(&columns).for_each(|(kept, column)| kept.push(column[i]));
                }
            }
        }
    }
}

impl Cell {
    fn volume(&self) -> f64 {
        self.sides.iter().map(|(low, high)| high - low).product()
    }

    fn halves(&self, axis: usize) -> [Cell; 2] {
        let (low, high) = self.sides[axis];
        let (mut left, mut right) = (self.clone(), self.clone());
        left.sides[axis] = (low, 0.5 * (low + high));
        right.sides[axis] = (0.5 * (low + high), high);
        [left, right]
    }
}

/// What the points of a cell say.
struct Look {
    highest: f64,
    mean: f64,
    /// Along which the density changes most.
    axis: usize,
}

impl Look {
    fn axis_can_halve(&self, cell: &Cell) -> bool {
        let (low, high) = cell.sides[self.axis];
        high - low > 1e-12 * low.abs().max(high.abs())
    }
}

fn first_cells(ranges: &[(f64, f64)], sides: usize) -> Vec<Cell> {
    let mut cells = vec![Cell { sides: [(0.0, 1.0); 3], bound: 0.0 }];
    for (axis, (low, high)) in ranges.iter().enumerate().take(3) {
        let edge = |i: usize| if i == sides { *high } else { low + (high - low) * i as f64 / sides as f64 };
        let split = |cell: Cell| {
            (0..sides).map(move |i| {
                let mut part = cell.clone();
                part.sides[axis] = (edge(i), edge(i + 1));
                part
            })
        };
        cells = cells.into_iter().flat_map(split).collect();
    }
    cells
}

/// Looks at the density at the centres of equal parts of each cell.
fn look(density: &EventDensity, cells: &[Cell]) -> Result<Vec<Look>, NoData> {
    let d = density.n_variates().clamp(1, 3);
    let side = POINTS[d - 1];
    let count = side.pow(d as u32);
    let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(count * cells.len()); d];
    // The place of a point along an axis, the first axis running fastest.
    let along = |point: usize, axis: usize| (point / side.pow(axis as u32)) % side;
    for cell in cells {
        for point in 0..count {
            for (axis, column) in columns.iter_mut().enumerate() {
                let (low, high) = cell.sides[axis];
                column.push(low + (high - low) * (along(point, axis) as f64 + 0.5) / side as f64);
            }
        }
    }
    let values = density.values(&columns);
    if let Some(bad) = values.iter().find(|p| !(**p >= 0.0 && p.is_finite())) {
        return Err(NoData::Density(*bad));
    }
    let one = |values: &[f64]| {
        let highest = values.iter().copied().fold(0.0, f64::max);
        let mean = values.iter().sum::<f64>() / count as f64;
        let change = |axis: usize| -> f64 {
            let step = side.pow(axis as u32);
            let ahead = |i: usize| (along(i, axis) + 1 < side).then(|| (values[i + step] - values[i]).abs());
            (0..count).filter_map(ahead).sum()
        };
        let axis = (0..d).max_by(|a, b| change(*a).total_cmp(&change(*b))).unwrap_or(0);
        Look { highest, mean, axis }
    };
    Ok(values.chunks_exact(count).map(one).collect())
}
