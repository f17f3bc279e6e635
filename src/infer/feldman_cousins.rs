//! Intervals by toys at every tested value (Feldman and Cousins, Phys. Rev. D 57 (1998) 3873; spec/inference.md, "Toys").

use super::fit::{FitOptions, Hesse};
use super::hypotest::TestFit;
use super::likelihood::{Likelihood, Minimum};
use super::profile::Profile;
use super::test_statistic::TestStatistic;
use super::toy_hypotest::{NoToys, ToyOptions, generator};
use super::toy_test::{Distribution, ToyFraction};
use super::toys::ToyTest;
use super::watch::Watch;
use crate::model::Data;

/// Which values are tested, and how well.
#[derive(Clone, Debug)]
pub struct FeldmanCousinsOptions {
    /// Ascending. The interval's ends are looked for between neighbours.
    pub values: Vec<f64>,
    pub level: f64,
    pub n_toys: u64,
    /// How often a bracket of an end is halved.
    pub n_halvings: usize,
}

/// One tested value.
#[derive(Clone, Debug)]
pub struct FeldmanCousinsPoint {
    pub value: f64,
    pub outcome: Result<PointOutcome, NoToys>,
}

#[derive(Clone, Debug)]
pub struct PointOutcome {
    /// −2 Δ ln L of the value on the observed data.
    pub observed: f64,
    /// What it is on the toys.
    pub toys: Distribution,
    /// Toys that are at least as far; the value is accepted where this is above 1 − level.
    pub fraction: ToyFraction,
}

impl PointOutcome {
    /// What `level` of the toys do not exceed.
    pub fn critical(&self, level: f64) -> f64 {
        self.toys.quantile(level)
    }
}

/// A connected part of the accepted values.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedInterval {
    pub low: AcceptedEnd,
    pub high: AcceptedEnd,
}

#[derive(Clone, Copy, Debug)]
pub struct AcceptedEnd {
    pub value: f64,
    /// From the number of toys and the width of the last bracket; 0 where no bracket was needed.
    pub uncertainty: f64,
    pub kind: EndKind,
}

/// Why an interval ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// Values beyond are not accepted.
    Crossing,
    /// A bound of the POI is accepted.
    Bound,
    /// The last tested value is accepted; the interval goes on.
    Open,
    /// The next value could not be tested.
    Failed,
}

#[derive(Clone, Debug)]
pub struct FeldmanCousins {
    pub best_fit: f64,
    pub intervals: Vec<AcceptedInterval>,
    /// Ascending in value.
    pub points: Vec<FeldmanCousinsPoint>,
}

/// Tests each value by its own toys, then halves the brackets of the ends. `options.statistic` is a two-sided one;
/// `options.mu` is not looked at. A stopped watch leaves the points that are done.
pub fn feldman_cousins(
    likelihood: Likelihood,
    observed: &Data,
    poi: usize,
    toys: &ToyOptions,
    options: &FeldmanCousinsOptions,
    watch: &Watch,
) -> Result<FeldmanCousins, NoToys> {
    let levels = [options.level];
    let mut of_levels = neyman(likelihood, observed, poi, toys, options, &levels, watch)?;
    Ok(of_levels.remove(0))
}

/// As [`feldman_cousins`], for several levels with the same toys; `options.level` is not looked at.
pub fn neyman(
    mut likelihood: Likelihood,
    observed: &Data,
    poi: usize,
    toys: &ToyOptions,
    options: &FeldmanCousinsOptions,
    levels: &[f64],
    watch: &Watch,
) -> Result<Vec<FeldmanCousins>, NoToys> {
    toys.statistic.restrict(&mut likelihood.options, poi);
    let bounds = likelihood.options.bounds[poi];
    let profile = Profile::new(likelihood, &[poi]);
    if let Some(failure) = &profile.best().reason {
        return Err(NoToys::Fit(TestFit::Unconditional, failure.clone()));
    }
    watch.expect(options.values.len() as u64 * options.n_toys);
    let mut search = Search { profile, observed, poi, toys: *toys, options, watch, points: Vec::new() };
    for &value in &options.values {
        search.test(value);
    }
    let first: Vec<(f64, f64)> = search.points.windows(2).map(|pair| (pair[0].value, pair[1].value)).collect();
    for (&level, (low, high)) in levels.iter().flat_map(|level| first.iter().map(move |pair| (level, *pair))) {
        search.halve(low, high, level);
    }
    let best_fit = search.profile.best_values()[0];
    let of_level = |&level: &f64| {
        let intervals = intervals(&search.points, level, bounds);
        FeldmanCousins { best_fit, intervals, points: search.points.clone() }
    };
    Ok(levels.iter().map(of_level).collect())
}

struct Search<'a, 'p> {
    profile: Profile<'p>,
    observed: &'a Data,
    poi: usize,
    toys: ToyOptions,
    options: &'a FeldmanCousinsOptions,
    watch: &'a Watch,
    points: Vec<FeldmanCousinsPoint>,
}

impl Search<'_, '_> {
    /// Adds a point, unless the run is stopped.
    fn test(&mut self, value: f64) {
        if self.watch.is_stopped() {
            return;
        }
        let outcome = self.outcome(value);
        if self.watch.is_stopped() {
            return;
        }
        let place = self.points.partition_point(|point| point.value < value);
        self.points.insert(place, FeldmanCousinsPoint { value, outcome });
    }

    fn outcome(&mut self, value: f64) -> Result<PointOutcome, NoToys> {
        self.profile.confirm(&[value]);
        let tested = TestStatistic::Tmu.at(&mut self.profile, value);
        if let Some(failure) = tested.conditional.reason.clone() {
            return Err(NoToys::Fit(TestFit::Conditional, failure));
        }
        let made = self.generator(value, &tested.conditional)?;
        let likelihood = &self.profile.likelihood;
        let test = ToyTest {
            program: likelihood.program(),
            options: FitOptions { hesse: Hesse::No, ..likelihood.options.clone() },
            poi: self.poi,
            mu: value,
            conditional_start: tested.conditional.parameters,
        };
        let toys = test.collect(&made, 0..self.options.n_toys, self.watch);
        let distribution = Distribution::new(&toys, TestStatistic::Tmu, value);
        let fraction = distribution.at_least(tested.value);
        Ok(PointOutcome { observed: tested.value, toys: distribution, fraction })
    }

    fn generator(&mut self, value: f64, minimum: &Minimum) -> Result<super::generate::Generator, NoToys> {
        let likelihood = &mut self.profile.likelihood;
        generator(likelihood, self.observed, self.poi, &self.toys, value, minimum).map_err(NoToys::Generation)
    }

    /// Narrows a bracket in which one end is accepted and the other is not.
    fn halve(&mut self, mut low: f64, mut high: f64, level: f64) {
        for _ in 0..self.options.n_halvings {
            let (Some(at_low), Some(at_high)) = (self.accepted(low, level), self.accepted(high, level)) else { return };
            if at_low == at_high {
                return;
            }
            let middle = 0.5 * (low + high);
            self.test(middle);
            match self.accepted(middle, level) {
                Some(accepted) if accepted == at_low => low = middle,
                Some(_) => high = middle,
                None => return,
            }
        }
    }

    /// Whether a tested value is accepted; `None` where it has no result.
    fn accepted(&self, value: f64, level: f64) -> Option<bool> {
        let point = self.points.iter().find(|point| point.value == value)?;
        excess(point, level).map(|excess| excess > 0.0)
    }
}

/// p − (1 − level): above zero where a value is accepted.
fn excess(point: &FeldmanCousinsPoint, level: f64) -> Option<f64> {
    let p = point.outcome.as_ref().ok()?.fraction.p();
    (!p.is_nan()).then_some(p - (1.0 - level))
}

fn intervals(points: &[FeldmanCousinsPoint], level: f64, bounds: (f64, f64)) -> Vec<AcceptedInterval> {
    let accepted = |index: usize| points.get(index).and_then(|point| excess(point, level)).is_some_and(|e| e > 0.0);
    let mut intervals = Vec::new();
    let mut first = None;
    for index in 0..points.len() {
        if !accepted(index) {
            continue;
        }
        let begin = *first.get_or_insert(index);
        if accepted(index + 1) {
            continue;
        }
        let low = end(points, begin, begin.checked_sub(1), level, bounds.0);
        let high = end(points, index, Some(index + 1).filter(|next| *next < points.len()), level, bounds.1);
        intervals.push(AcceptedInterval { low, high });
        first = None;
    }
    intervals
}

/// The end of an interval between its last accepted point and the one beyond.
fn end(points: &[FeldmanCousinsPoint], inside: usize, outside: Option<usize>, level: f64, bound: f64) -> AcceptedEnd {
    let value = points[inside].value;
    let Some(outside) = outside else {
        let kind = if value == bound { EndKind::Bound } else { EndKind::Open };
        return AcceptedEnd { value, uncertainty: 0.0, kind };
    };
    let (Some(above), Some(below)) = (excess(&points[inside], level), excess(&points[outside], level)) else {
        return AcceptedEnd { value, uncertainty: 0.0, kind: EndKind::Failed };
    };
    let width = points[outside].value - value;
    let slope = (above - below) / width.abs();
    let deviation = |point: &FeldmanCousinsPoint| point.outcome.as_ref().map_or(0.0, |o| o.fraction.uncertainty());
    let of_toys = 0.5 * (deviation(&points[inside]) + deviation(&points[outside])) / slope;
    let crossing = value + width * above / (above - below);
    AcceptedEnd { value: crossing, uncertainty: of_toys.hypot(0.5 * width.abs()), kind: EndKind::Crossing }
}
