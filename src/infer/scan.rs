//! The profile likelihood along one parameter, on a grid or where the curve needs points (spec/inference.md, "Scans and
//! contours").

use super::certificate::Certificate;
use super::crossing;
use super::fit::{Failure, FitResult, Hesse};
use super::interval::{self, Region, regions};
use super::likelihood::{Likelihood, Minimum};
use super::minos::scale;
use super::neighbours::Neighbours;
use super::profile::{LOWER, Profile, ProfilePoint};
use super::sensitivity::{Sensitivity, sensitivity};
use super::watch::Watch;
use crate::normal::chi2_quantile;
use rayon::prelude::*;

/// How often a lower minimum may show up and everything begin again.
pub(crate) const MOST_RESTARTS: usize = 5;

/// An adaptive scan goes on until a cubic through its points is this exact, in −2 ln L, and in parts of it.
const TOLERANCE: f64 = 0.01;

/// By default the grid over regions of several minima goes beyond them by this part of their width.
const BESIDE: f64 = 0.1;

/// An adaptive scan ends this much above the highest level.
const ABOVE: f64 = 1.3;

/// What to scan.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// First and last value; by default two uncertainties around the best one, within the bounds.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Points of the grid, both ends included; of an adaptive scan, the most.
    pub n_points: usize,
    /// Points where the curve bends, up to a little above the highest level.
    pub adaptive: bool,
    /// All other parameters stay at their best values.
    pub fixed_others: bool,
    /// Probabilities of the intervals.
    pub levels: Vec<f64>,
}

impl Default for ScanOptions {
    fn default() -> ScanOptions {
        let levels = vec![super::interval::ONE_SIGMA, 0.95];
        ScanOptions { low: None, high: None, n_points: 11, adaptive: false, fixed_others: false, levels }
    }
}

/// A curve and the minimum to which it refers.
#[derive(Clone, Debug)]
pub struct Scan {
    pub parameter: usize,
    pub best: FitResult,
    /// `twice_nll` of the fit's own minimum, where a point has led to a lower one, from which all this was computed.
    pub first_minimum: Option<f64>,
    /// Ascending; none where the fit is not valid.
    pub points: Vec<ScanPoint>,
    pub regions: Vec<Region>,
    /// The minima of the whole likelihood from which the curve was continued, by the parameter's value and −2 Δ ln L, the
    /// best one first.
    pub minima: Vec<(f64, f64)>,
    /// Of a coefficient to which samples respond.
    pub sensitivity: Option<Sensitivity>,
    /// Other parameters that have no effect at some points, because what multiplies them is zero there.
    pub without_effect: Vec<usize>,
    /// The scan was stopped: points are missing.
    pub stopped: bool,
}

/// One value of the parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanPoint {
    pub value: f64,
    /// −2 Δ ln L; NaN without a minimum.
    pub height: f64,
    /// Its derivative.
    pub slope: f64,
    pub reason: Option<Failure>,
    /// Of a minimum.
    pub certificate: Option<Certificate>,
}

/// Scans each of `parameters` by itself, over the threads of rayon, from one fit. A minimum below that of the fit to which
/// one of them leads is the fit of all.
pub fn scan_each(likelihood: &Likelihood, parameters: &[usize], options: &ScanOptions, watch: &Watch) -> Vec<Scan> {
    let mut likelihood = likelihood.clone();
    let mut first_minimum = None;
    for restart in 0.. {
        let best = likelihood.fit(Hesse::No);
        let mut scans: Vec<Scan> = parameters.par_iter().map(|&p| scan(&likelihood, p, options, watch)).collect();
        let lowest = scans.iter().min_by(|a, b| a.best.twice_nll.total_cmp(&b.best.twice_nll));
        let lower = lowest.filter(|lowest| lowest.best.valid && lowest.best.twice_nll < best.twice_nll - LOWER);
        match lower.filter(|_| restart < MOST_RESTARTS && !watch.is_stopped()) {
            Some(lower) => {
                first_minimum = first_minimum.or(Some(best.twice_nll));
                likelihood.options.init = lower.best.parameters.clone();
            }
            None => {
                scans.iter_mut().for_each(|scan| scan.first_minimum = scan.first_minimum.or(first_minimum));
                return scans;
            }
        }
    }
    Vec::new()
}

/// Scans one parameter, both directions from the best value at once. The result does not depend on the number of
/// threads.
pub fn scan(likelihood: &Likelihood, parameter: usize, options: &ScanOptions, watch: &Watch) -> Scan {
    let start = likelihood.options.init[parameter];
    let mut likelihood = likelihood.clone();
    let best = likelihood.fit(Hesse::Parameter(parameter));
    let mut scan = Scan {
        parameter,
        best,
        first_minimum: None,
        points: Vec::new(),
        regions: Vec::new(),
        minima: Vec::new(),
        sensitivity: None,
        without_effect: Vec::new(),
        stopped: false,
    };
    for restart in 0..=MOST_RESTARTS {
        if !scan.best.valid {
            break;
        }
        let mut curve = Curve::new(likelihood.clone(), parameter, &scan.best, options, watch);
        let regions = curve.run();
        if let (true, Some(first)) = (restart < MOST_RESTARTS, curve.profile.first_minimum()) {
            scan.first_minimum = scan.first_minimum.or(Some(first));
            likelihood.options.init = curve.profile.best().parameters.clone();
            scan.best = likelihood.fit(Hesse::Parameter(parameter));
            continue;
        }
        scan.points = curve.points();
        scan.minima = curve.minima();
        scan.without_effect = curve.profile.without_effect();
        scan.sensitivity = regions.first().and_then(|region| sensitivity(&mut curve.profile, start, region));
        scan.regions = regions;
        break;
    }
    Scan { stopped: watch.is_stopped(), ..scan }
}

/// A scan at work.
struct Curve<'a, 'p> {
    profile: Profile<'p>,
    options: &'a ScanOptions,
    watch: &'a Watch,
    /// The best value and how far from it the curve changes.
    best: f64,
    step: f64,
    /// The values of the result.
    values: Vec<f64>,
}

impl<'a, 'p> Curve<'a, 'p> {
    fn new(
        mut likelihood: Likelihood<'p>,
        parameter: usize,
        best: &FitResult,
        options: &'a ScanOptions,
        watch: &'a Watch,
    ) -> Curve<'a, 'p> {
        let step = scale(&likelihood, parameter, best);
        if options.fixed_others {
            fix_others(&mut likelihood, &[parameter], &best.parameters);
        }
        let profile = Profile::with_best(likelihood, &[parameter], Minimum::from(best.clone())).with_all_minima();
        Curve { profile, options, watch, best: best.parameters[parameter], step, values: Vec::new() }
    }

    /// Fills the profile; returns the regions.
    fn run(&mut self) -> Vec<Region> {
        if self.options.adaptive {
            self.watch.expect(0);
            self.both_sides(|side, sign| side.adapt(sign));
            self.values = self.profile.points().iter().map(|point| point.values[0]).collect();
            self.values.push(self.best);
        } else {
            self.values = self.grid();
            self.watch.expect(self.watch.progress().0 + self.values.len() as u64);
        }
        self.values.sort_by(f64::total_cmp);
        self.values.dedup();
        match (self.options.adaptive, self.profile.minima_values().is_empty()) {
            (true, _) => {}
            (false, true) => self.both_sides(Self::march),
            (false, false) => self.profile.march(&self.values, self.watch),
        }
        self.improve();
        if self.options.levels.is_empty() || self.profile.first_minimum().is_some() || self.watch.is_stopped() {
            return Vec::new();
        }
        regions(&mut self.profile, &self.options.levels, self.step).unwrap_or_default()
    }

    /// The values of a regular grid.
    fn grid(&mut self) -> Vec<f64> {
        let (low, high) = self.range();
        grid(low, high, self.options.n_points)
    }

    /// First and last value of a regular grid.
    fn range(&mut self) -> (f64, f64) {
        if let (Some(low), Some(high)) = (self.options.low, self.options.high) {
            return (low, high);
        }
        let (low, high) = self.profile.likelihood.options.bounds[self.profile.parameters()[0]];
        let (mut first, mut last) = (self.best - 2.0 * self.step, self.best + 2.0 * self.step);
        if !self.profile.minima_values().is_empty() {
            (first, last) = self.around_regions().unwrap_or((first, last));
        }
        (self.options.low.unwrap_or(first.clamp(low, high)), self.options.high.unwrap_or(last.clamp(low, high)))
    }

    /// From a little below all regions to a little above them, where there may be several.
    fn around_regions(&mut self) -> Option<(f64, f64)> {
        let highest = self.options.levels.iter().map(|level| chi2_quantile(*level, 1)).fold(1.0, f64::max);
        let intervals = interval::below(&mut self.profile, &[highest], self.step)?.pop()?;
        let (first, last) = (intervals.first()?.lower.value, intervals.last()?.upper.value);
        let margin = BESIDE * (last - first);
        Some((first - margin, last + margin))
    }

    /// Runs `walk` below and above the best value, each in a profile of its own.
    fn both_sides(&mut self, walk: impl Fn(&mut Self, f64) + Sync) {
        let side = |sign: f64| {
            let mut side = Curve { profile: self.profile.clone(), values: self.values.clone(), ..*self };
            walk(&mut side, sign);
            side.profile
        };
        let (below, above) = rayon::join(|| side(-1.0), || side(1.0));
        self.profile.absorb(below);
        self.profile.absorb(above);
    }

    /// The values of one side, outward.
    fn march(&mut self, sign: f64) {
        let mut values: Vec<f64> = self.values.clone();
        values.retain(|value| if sign < 0.0 { *value < self.best } else { *value >= self.best });
        values.sort_by(|a, b| (sign * a).total_cmp(&(sign * b)));
        for value in values {
            if self.watch.is_stopped() || self.profile.first_minimum().is_some() {
                return;
            }
            self.profile.at(&[value]);
            self.watch.step();
        }
    }

    /// Goes out on one side until the curve is above the highest level, then fills in points where it bends.
    fn adapt(&mut self, sign: f64) {
        let highest = self.options.levels.iter().map(|level| chi2_quantile(*level, 1)).fold(1.0, f64::max);
        let (low, high) = self.profile.likelihood.options.bounds[self.profile.parameters()[0]];
        let bound = if sign < 0.0 { self.options.low.unwrap_or(low) } else { self.options.high.unwrap_or(high) };
        if sign * (bound - self.best) <= 0.0 {
            return;
        }
        let mut inside = (self.best, 0.0);
        let given = if sign < 0.0 { self.options.low } else { self.options.high };
        let height = if given.is_some() { f64::INFINITY } else { ABOVE * highest };
        let outside = crossing::bracket(&mut self.profile, &mut inside, self.best + sign * self.step, bound, height);
        let end = outside.map_or(inside.0, |outside| outside.0);
        let mut known: Vec<f64> = self.profile.points().iter().map(|point| point.values[0]).collect();
        known.push(self.best);
        known.retain(|value| sign * value <= sign * end);
        known.sort_by(|a, b| (sign * a).total_cmp(&(sign * b)));
        let mut gaps: Vec<(f64, f64)> = known.windows(2).rev().map(|pair| (pair[0], pair[1])).collect();
        let budget = self.options.n_points / 2;
        while let Some((a, b)) = gaps.pop() {
            let stop = self.watch.is_stopped() || self.profile.first_minimum().is_some();
            if stop || self.profile.points().len() >= budget {
                return;
            }
            let middle = 0.5 * (a + b);
            if self.bends(a, middle, b) && (b - a).abs() > 1e-4 * (end - self.best).abs() {
                gaps.extend([(middle, b), (a, middle)]);
            }
        }
    }

    /// Is the curve at the middle off the cubic through two points with their slopes?
    fn bends(&mut self, a: f64, middle: f64, b: f64) -> bool {
        let mut node = |value: f64| {
            if value == self.best {
                return Some((0.0, 0.0));
            }
            let point = self.profile.at(&[value]);
            point.minimum.valid().then(|| (point.minimum.twice_nll - self.profile.best().twice_nll, point.slopes[0]))
        };
        let (a_node, b_node, here) = (node(a), node(b), node(middle));
        self.watch.step();
        let (Some((fa, ga)), Some((fb, gb)), Some((here, _))) = (a_node, b_node, here) else { return true };
        let expected = 0.5 * (fa + fb) + 0.125 * (b - a) * (ga - gb);
        (here - expected).abs() > TOLERANCE * here.max(1.0)
    }

    /// Looks for lower minima with restarts at some points, and hands all on between neighbours.
    fn improve(&mut self) {
        if self.profile.first_minimum().is_some() || self.options.fixed_others {
            return;
        }
        let mut points = self.profile.take_points();
        points.sort_by(|a, b| a.values[0].total_cmp(&b.values[0]));
        let mut neighbours = Neighbours::new(&mut self.profile);
        let last = points.len().saturating_sub(1);
        let mut some: Vec<usize> = (0..=4).map(|k| k * last / 4).collect();
        some.extend(neighbours.profile.changes(&points));
        some.sort_unstable();
        some.dedup();
        neighbours.confirm(&mut points, &some);
        neighbours.spread(&mut points, |i| [i.wrapping_sub(1), i + 1].into_iter().filter(move |j| *j <= last));
        points.into_iter().for_each(|point| self.profile.add(point));
    }

    /// The points of the result, those of the intervals left out.
    fn points(&mut self) -> Vec<ScanPoint> {
        if self.options.adaptive && !self.watch.is_stopped() {
            self.profile.at(&[self.best]);
        }
        let wanted = |point: &&ProfilePoint| self.values.binary_search_by(|v| v.total_cmp(&point.values[0])).is_ok();
        let wanted: Vec<ProfilePoint> = self.profile.points().iter().filter(wanted).cloned().collect();
        let mut points: Vec<ScanPoint> = wanted.iter().map(|point| self.described(point)).collect();
        points.sort_by(|a, b| a.value.total_cmp(&b.value));
        points
    }

    /// The minima from which the curve was continued.
    fn minima(&self) -> Vec<(f64, f64)> {
        let lowest = self.profile.best().twice_nll;
        let minima = self.profile.minima();
        let own: Vec<(f64, f64)> = minima.map(|(values, f)| (values[0], (f - lowest).max(0.0))).collect();
        if own.is_empty() { vec![(self.best, 0.0)] } else { own }
    }

    fn described(&mut self, point: &ProfilePoint) -> ScanPoint {
        let valid = point.minimum.valid();
        let height = if valid { self.profile.height(point) } else { f64::NAN };
        let slope = if valid { point.slopes[0] } else { f64::NAN };
        let certificate = valid.then(|| self.profile.certificate(point));
        ScanPoint { value: point.values[0], height, slope, reason: point.minimum.reason.clone(), certificate }
    }
}

/// `n` values from `low` to `high`; the ends exactly.
pub fn grid(low: f64, high: f64, n: usize) -> Vec<f64> {
    let steps = n.saturating_sub(1).max(1) as f64;
    let value = |k: usize| if k + 1 == n && n > 1 { high } else { low + (high - low) * (k as f64 / steps) };
    (0..n).map(value).collect()
}

/// Holds everything but `parameters` at `values`.
pub(crate) fn fix_others(likelihood: &mut Likelihood, parameters: &[usize], values: &[f64]) {
    likelihood.options.init = values.to_vec();
    for (i, fixed) in likelihood.options.fixed.iter_mut().enumerate() {
        *fixed |= !parameters.contains(&i);
    }
}
