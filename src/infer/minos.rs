//! Asymmetric uncertainties as MINOS gives them: where the profile rises by the height of a level
//! (spec/inference.md, eq. 20).

use super::crossing::{self, Crossing};
use super::fit::{FitResult, Hesse};
use super::interval::{self, Region};
use super::likelihood::{Likelihood, Minimum};
use super::profile::{LOWER, Profile};
use super::uncertainty::MOST_PARAMETERS;
use super::watch::Watch;
use crate::normal::chi2_quantile;
use crate::program::Program;
use rayon::prelude::*;

/// How often a lower minimum may show up and everything begin again.
const MOST_RESTARTS: usize = 5;

/// Likelihood intervals of single parameters, and the minimum to which they refer.
#[derive(Clone, Debug)]
pub struct Minos {
    pub best: FitResult,
    /// `twice_nll` of the fit's own minimum, where a profile has led to a lower one, from which all this was computed.
    pub first_minimum: Option<f64>,
    pub level: f64,
    /// −2 Δ ln L at the ends of the intervals.
    pub height: f64,
    /// In the order in which they were asked for; none where the fit is not valid.
    pub parameters: Vec<MinosParameter>,
}

/// The interval of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct MinosParameter {
    pub parameter: usize,
    pub lower: Side,
    pub upper: Side,
    /// All values inside the level, of a coefficient to which samples respond: they may be several intervals.
    pub region: Option<Region>,
}

/// One end of an interval.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    Searched(Crossing),
    /// The parameter does not move in the fit.
    Fixed,
    /// Stopped before it was looked for.
    Stopped,
}

/// The intervals of `parameters` at a level of probability between 0 and 1, over the threads of rayon. The results do
/// not depend on how many there are.
pub fn minos(likelihood: &Likelihood, parameters: &[usize], level: f64, watch: &Watch) -> Minos {
    let height = chi2_quantile(level, 1);
    let mut likelihood = likelihood.clone();
    let hesse = match parameters {
        [parameter] => Hesse::Parameter(*parameter),
        _ if likelihood.options.fixed.len() <= MOST_PARAMETERS => Hesse::All,
        _ => Hesse::No,
    };
    let mut best = likelihood.fit(hesse);
    let mut first_minimum = None;
    for _ in 0..MOST_RESTARTS {
        watch.expect(watch.progress().0 + parameters.len() as u64);
        if !best.valid {
            break;
        }
        let (sides, lower) = all(&mut likelihood, parameters, &best, level, watch);
        let Some(lower) = lower else {
            return Minos { best, first_minimum, level, height, parameters: sides };
        };
        first_minimum = first_minimum.or(Some(best.twice_nll));
        likelihood.options.init = lower.parameters;
        best = likelihood.fit(hesse);
    }
    Minos { best, first_minimum, level, height, parameters: Vec::new() }
}

/// The intervals, or the lowest minimum that showed up below the best one.
fn all(
    likelihood: &mut Likelihood,
    parameters: &[usize],
    best: &FitResult,
    level: f64,
    watch: &Watch,
) -> (Vec<MinosParameter>, Option<Minimum>) {
    let minima = likelihood.minima(&Minimum::from(best.clone()));
    let below = minima.iter().find(|minimum| minimum.twice_nll < best.twice_nll - LOWER);
    if let Some(below) = below {
        return (Vec::new(), Some(below.clone()));
    }
    let likelihood = &*likelihood;
    let one = |&parameter: &usize| {
        if watch.is_stopped() {
            return (MinosParameter { parameter, lower: Side::Stopped, upper: Side::Stopped, region: None }, None);
        }
        let result = interval(likelihood, parameter, best, &minima, level);
        watch.step();
        result
    };
    let results: Vec<_> = parameters.par_iter().map(one).collect();
    let lower = results.iter().filter_map(|(_, lower)| lower.as_ref());
    // Of equal ones the first: independent of the threads.
    let lowest = lower.min_by(|a, b| a.twice_nll.total_cmp(&b.twice_nll)).cloned();
    (results.into_iter().map(|(sides, _)| sides).collect(), lowest)
}

/// Both ends for one parameter, and the lower minimum where there is one.
fn interval(
    likelihood: &Likelihood,
    parameter: usize,
    best: &FitResult,
    minima: &[Minimum],
    level: f64,
) -> (MinosParameter, Option<Minimum>) {
    let (low, high) = likelihood.options.bounds[parameter];
    if likelihood.options.fixed[parameter] || low == high {
        return (MinosParameter { parameter, lower: Side::Fixed, upper: Side::Fixed, region: None }, None);
    }
    let height = chi2_quantile(level, 1);
    let step = height.sqrt() * scale(likelihood, parameter, best);
    let minimum = Minimum::from(best.clone());
    let profile = || Profile::with_best(likelihood.clone(), &[parameter], minimum.clone()).with_minima(minima);
    let search = |step: f64, bound: f64| {
        let mut profile = profile();
        let side = crossing::outward(&mut profile, step, bound, height);
        let lower = (side == Crossing::LowerMinimum).then(|| profile.best().clone());
        (Side::Searched(side), lower)
    };
    let ((lower, below), (upper, above)) = (search(-step, low), search(step, high));
    let (mut region, mut beside) = (None, None);
    if likelihood.program().coefficients().contains(&parameter) {
        let mut profile = profile();
        region = interval::regions(&mut profile, &[level], step).and_then(|mut regions| regions.pop());
        beside = profile.first_minimum().map(|_| profile.best().clone());
    }
    let found = [below, above, beside].into_iter().flatten().filter(|m| m.twice_nll < best.twice_nll - LOWER);
    let lowest = found.min_by(|a, b| a.twice_nll.total_cmp(&b.twice_nll));
    (MinosParameter { parameter, lower, upper, region }, lowest)
}

/// How far a parameter moves before the likelihood changes: its uncertainty, else the width of its constraint, else a
/// part of its range.
pub(crate) fn scale(likelihood: &Likelihood, parameter: usize, best: &FitResult) -> f64 {
    let usable = |x: &f64| x.is_finite() && *x > 0.0;
    let hesse = best.uncertainties.as_ref().map(|u| u[parameter]).filter(usable);
    let (low, high) = likelihood.options.bounds[parameter];
    hesse.or_else(|| constraint_width(likelihood.program(), parameter).filter(usable)).unwrap_or(0.05 * (high - low))
}

/// The width of a parameter's constraint (spec/constraints.md, eq. 3).
pub(crate) fn constraint_width(program: &Program, parameter: usize) -> Option<f64> {
    let constraints = &program.constraints;
    let gaussian = constraints.gaussians.iter().find(|(i, _, _)| *i as usize == parameter).map(|(_, sigma, _)| *sigma);
    let poisson = || constraints.poissons.iter().find(|(i, _, _)| *i as usize == parameter);
    gaussian.or_else(|| poisson().map(|(_, factor, _)| 1.0 / factor.sqrt()))
}
