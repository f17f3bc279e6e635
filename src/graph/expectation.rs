//! What a pair of density and data expects at a point: what toys are drawn from and Asimov data are made of
//! (spec/hs3.md, "Toys and Asimov data").

use super::builder::Id;
use super::likelihood::{GraphLikelihood, Source};
use super::pair::{Content, Pair, PairData, Reach, Variate};
use super::program::{Program, Sum};
use std::sync::Arc;

/// One pair at a point.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub expected: Expected,
    /// The expected number of events of an extended density.
    pub rate: Option<f64>,
    /// Σ w of the data of the document.
    pub observed: f64,
}

/// The shape of the data of a pair at a point.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Means of independent counts.
    Counts(Vec<f64>),
    /// Probabilities of bins, for a total.
    Shares(Vec<f64>),
    Events(EventDensity),
    /// Events of one variate with this Poisson distribution.
    Poisson {
        mean: f64,
        low: f64,
        high: f64,
    },
}

/// Why there are no toys or Asimov data of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoData {
    /// The expected number of events is negative, not finite, or more than can be drawn.
    Rate(f64),
    /// The density is not extended, and the weights of its data do not add up to a whole number of events.
    Total(f64),
    /// A bin with this expectation.
    Bin { bin: usize, expected: f64 },
    /// All bins have the probability zero: there is no place for the events.
    NoBin,
    /// The density is negative or undefined at a point of the table or the grid.
    Density(f64),
    /// The integral of the density over its range as a table of its values has it: it is not 1.
    Integral(f64),
    /// The density at an event is this many times what the table has as its highest value nearby.
    Above(f64),
    /// A variate without a finite range, and densities whose place is not known.
    Range,
    /// More than three variates.
    Variates(usize),
    /// A Poisson distribution together with other densities.
    Mixed,
    /// No whole number of this mean lies in the range of the variate.
    Outside(f64),
}

/// A density over events at a point, normalised.
#[derive(Clone, Debug)]
pub struct EventDensity {
    source: Arc<Source>,
    log: Id,
    observables: Vec<usize>,
    theta: Vec<f64>,
    /// Of each variate, finite.
    pub ranges: Vec<(f64, f64)>,
    /// Bins of the axes, where they say.
    pub bins: Vec<Option<usize>>,
}

/// An event density has at most so many variates.
const MOST_VARIATES: usize = 3;

/// Beyond so many widths a Gaussian density has less than 10⁻²² of its events.
const WIDTHS: f64 = 10.0;

impl GraphLikelihood {
    /// What each pair expects at a point (one value for each parameter).
    ///
    /// # Errors
    /// The place of the first pair of which nothing can be made, and why.
    pub fn expectations(&self, theta: &[f64]) -> Result<Vec<Expectation>, (usize, NoData)> {
        let pairs = self.source.pairs.iter().enumerate();
        pairs.map(|(at, pair)| self.expectation(pair, theta).map_err(|why| (at, why))).collect()
    }

    fn expectation(&self, pair: &Pair, theta: &[f64]) -> Result<Expectation, NoData> {
        let expected = match &pair.content {
            Content::Density { log, variates } => Expected::Events(self.event_density(*log, variates, theta)?),
            Content::Poisson { mean, variates, .. } => {
                let mean = self.scalars(&[*mean], theta).first().copied().unwrap_or(f64::NAN);
                let (low, high) = variates.first().map_or((f64::NEG_INFINITY, f64::INFINITY), |v| (v.low, v.high));
                Expected::Poisson { mean, low, high }
            }
            Content::Mixed { .. } => return Err(NoData::Mixed),
            Content::Centres { log, centres, volumes } => {
                let (observables, columns): (Vec<usize>, Vec<Vec<f64>>) = centres.iter().cloned().unzip();
                let density = self.column(*log, &observables, &columns, theta, volumes.len());
                Expected::Shares(density.iter().zip(volumes).map(|(p, volume)| p * volume).collect())
            }
            Content::Masses(masses) => {
                let ids: Vec<Id> = masses.iter().map(|(mass, _)| *mass).collect();
                Expected::Shares(self.scalars(&ids, theta))
            }
            Content::Counts(rates) => Expected::Counts(self.scalars(rates, theta)),
        };
        let rate = pair.rate.map(|rate| self.scalars(&[rate], theta).first().copied().unwrap_or(f64::NAN));
        let bad = match &expected {
            Expected::Counts(numbers) | Expected::Shares(numbers) => {
                numbers.iter().position(|n| !(n.is_finite() && *n >= 0.0)).map(|bin| (bin, numbers[bin]))
            }
            _ => None,
        };
        let nowhere = matches!(&expected, Expected::Shares(shares) if shares.iter().all(|share| *share == 0.0));
        match (bad, rate) {
            (Some((bin, expected)), _) => Err(NoData::Bin { bin, expected }),
            (_, rate) if nowhere && rate.unwrap_or(pair.observed) != 0.0 => Err(NoData::NoBin),
            (_, Some(rate)) if !(rate.is_finite() && rate >= 0.0) => Err(NoData::Rate(rate)),
            _ => Ok(Expectation { expected, rate, observed: pair.observed }),
        }
    }

    fn event_density(&self, log: Id, variates: &[Variate], theta: &[f64]) -> Result<EventDensity, NoData> {
        if variates.is_empty() || variates.len() > MOST_VARIATES {
            return Err(NoData::Variates(variates.len()));
        }
        let ranges = variates.iter().map(|variate| self.range(variate, theta)).collect::<Result<_, _>>()?;
        Ok(EventDensity {
            source: self.source.clone(),
            log,
            observables: variates.iter().map(|variate| variate.observable).collect(),
            theta: theta.to_vec(),
            ranges,
            bins: variates.iter().map(|variate| variate.bins).collect(),
        })
    }

    /// A range that is not finite ends where no Gaussian has events any more.
    fn range(&self, variate: &Variate, theta: &[f64]) -> Result<(f64, f64), NoData> {
        let Variate { low, high, reach, .. } = variate;
        if low.is_finite() && high.is_finite() {
            return Ok((*low, *high));
        }
        let ids: Vec<Id> = reach.iter().flat_map(|r| [r.centre, r.width]).collect();
        let numbers = self.scalars(&ids, theta);
        let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
        for (Reach { logarithm, .. }, pair) in reach.iter().zip(numbers.chunks_exact(2)) {
            let (centre, width) = (pair[0], pair[1].abs());
            let of = |x: f64| if *logarithm { x.exp() } else { x };
            from = from.min(of(centre - WIDTHS * width));
            to = to.max(of(centre + WIDTHS * width));
        }
        let (low, high) = (if low.is_finite() { *low } else { from }, if high.is_finite() { *high } else { to });
        if low < high && (high - low).is_finite() { Ok((low, high)) } else { Err(NoData::Range) }
    }

    /// The values of scalars at a point; none where one depends on a variate.
    fn scalars(&self, ids: &[Id], theta: &[f64]) -> Vec<f64> {
        let program = Program::compile(&self.source.builder, ids, &[]);
        let mut values = vec![f64::NAN; ids.len()];
        program.outputs(theta, &mut values, &mut program.scratch());
        values
    }

    fn column(&self, log: Id, observables: &[usize], columns: &[Vec<f64>], theta: &[f64], n: usize) -> Vec<f64> {
        density(&self.source, log, observables, columns, theta, n)
    }
}

/// exp of a node at n events.
fn density(source: &Source, log: Id, observables: &[usize], columns: &[Vec<f64>], theta: &[f64], n: usize) -> Vec<f64> {
    let data = observables.iter().copied().zip(columns.iter().cloned()).collect();
    let sum = Sum { column: log, data, weights: vec![1.0; n] };
    let program = Program::compile(&source.builder, &[], &[sum]);
    let mut column = program.column(theta, &mut program.scratch());
    column.truncate(n);
    column.iter_mut().for_each(|x| *x = x.exp());
    column
}

impl EventDensity {
    pub fn n_variates(&self) -> usize {
        self.ranges.len()
    }

    /// The density at events, given as a column for each variate; NaN where it is undefined.
    pub fn values(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        let n = columns.first().map_or(0, Vec::len);
        density(&self.source, self.log, &self.observables, columns, &self.theta, n)
    }
}

impl Expectation {
    /// The number of events that is expected, or that was observed.
    pub fn total(&self) -> f64 {
        self.rate.unwrap_or(self.observed)
    }

    /// Asimov data: what is expected, as weights on a grid (spec/hs3.md, eq. 47).
    ///
    /// # Errors
    /// Where no grid of a size that can be handled has the integral of the density.
    pub fn asimov(&self) -> Result<PairData, NoData> {
        let total = self.total();
        match &self.expected {
            Expected::Counts(means) => Ok(PairData::Counts(means.clone())),
            Expected::Shares(shares) => {
                // Without a rate all events are in the bins.
                let sum = if self.rate.is_some() { 1.0 } else { shares.iter().sum() };
                Ok(PairData::Counts(shares.iter().map(|share| total * share / sum).collect()))
            }
            Expected::Poisson { mean, low, high } => poisson(*mean, *low, *high, total),
            Expected::Events(density) => density.grid(total),
        }
    }
}

/// Whole numbers with their probabilities as weights.
fn poisson(mean: f64, low: f64, high: f64, total: f64) -> Result<PairData, NoData> {
    const MOST: f64 = 1e6;
    let width = 12.0 * mean.sqrt() + 40.0;
    if !(mean.is_finite() && mean >= 0.0 && width < MOST) {
        return Err(NoData::Rate(mean));
    }
    let (first, last) = ((mean - width).max(low).max(0.0).ceil(), (mean + width).min(high).floor());
    let log = |k: f64| if k == 0.0 { -mean } else { k * mean.ln() - mean - libm::lgamma(k + 1.0) };
    let counts: Vec<f64> =
        std::iter::successors(Some(first), |k| Some(k + 1.0)).take_while(|k| *k <= last).take(MOST as usize).collect();
    let probabilities: Vec<f64> = counts.iter().map(|k| log(*k).exp()).collect();
    let sum: f64 = probabilities.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(NoData::Outside(mean));
    }
    let kept = counts.into_iter().zip(probabilities).filter(|(_, p)| *p > 0.0);
    let (counts, weights) = kept.map(|(k, p)| (k, total * p / sum)).unzip();
    Ok(PairData::Events { columns: vec![counts], weights })
}

/// The bins of each axis that says nothing, as in RooFit, for one, two and three variates; three hundred million points
/// would be too many.
const BINS: [usize; MOST_VARIATES] = [100, 100, 40];

/// No grid has more points.
const MOST_POINTS: usize = 1 << 20;

/// How near to 1 the sum over the grid is.
const GRID_ACCURACY: f64 = 1e-3;

impl EventDensity {
    /// The density at the centres of equal bins times their volume. Where the sum is not 1 there are twice as many bins of
    /// each axis, and so on.
    fn grid(&self, total: f64) -> Result<PairData, NoData> {
        let default = BINS[self.n_variates().clamp(1, MOST_VARIATES) - 1];
        let mut bins: Vec<usize> = self.bins.iter().map(|bins| bins.unwrap_or(default).max(1)).collect();
        let mut sum = f64::NAN;
        while bins.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).is_some_and(|n| n <= MOST_POINTS) {
            let columns = centres(&self.ranges, &bins);
            let volume: f64 = self.ranges.iter().zip(&bins).map(|((low, high), n)| (high - low) / *n as f64).product();
            let values = self.values(&columns);
            if let Some(bad) = values.iter().find(|p| !(**p >= 0.0 && p.is_finite())) {
                return Err(NoData::Density(*bad));
            }
            sum = values.iter().sum::<f64>() * volume;
            if (sum - 1.0).abs() <= GRID_ACCURACY {
                let weights: Vec<f64> = values.iter().map(|p| total * p * volume).collect();
                return Ok(with_weight(columns, &weights));
            }
            bins.iter_mut().for_each(|n| *n *= 2);
        }
        Err(NoData::Integral(sum))
    }
}

/// An event of weight zero says nothing.
fn with_weight(columns: Vec<Vec<f64>>, weights: &[f64]) -> PairData {
    let kept = |column: Vec<f64>| column.into_iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(x, _)| x).collect();
    let columns = columns.into_iter().map(kept).collect();
    PairData::Events { columns, weights: weights.iter().copied().filter(|w| *w > 0.0).collect() }
}

/// The centres of the cells of a grid, the last axis running fastest.
fn centres(ranges: &[(f64, f64)], bins: &[usize]) -> Vec<Vec<f64>> {
    let n: usize = bins.iter().product();
    let mut inner = n;
    let mut columns = Vec::with_capacity(bins.len());
    for ((low, high), bins) in ranges.iter().zip(bins) {
        inner /= bins;
        let centre = |i: usize| low + (high - low) * (((i / inner) % bins) as f64 + 0.5) / *bins as f64;
        columns.push((0..n).map(centre).collect());
    }
    columns
}
