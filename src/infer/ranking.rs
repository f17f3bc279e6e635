//! Impacts of all parameters on the parameter of interest, and of groups of them (spec/inference.md, eq. 25 to 32).

use rayon::prelude::*;

use super::fit::{Failure, FitResult, Hesse};
use super::group::{self, GroupImpact};
use super::likelihood::{Likelihood, Minimum};
use super::prefit::{self, Auxiliary};
use super::watch::Watch;
use crate::model::Data;
use crate::program::PreparedData;

/// A refit that ends lower than the best fit by more than this shows that the best fit was not the minimum.
const LOWER: f64 = 1e-6;

/// How an impact is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImpactMethod {
    /// A fit with the parameter held, or with its auxiliary datum moved.
    #[default]
    Refit,
    /// From the Hessian at the minimum.
    Hesse,
}

/// What is ranked, and how.
#[derive(Clone, Debug)]
pub struct RankingOptions {
    /// The parameter on which the others have impact.
    pub poi: usize,
    /// Of the pre-fit and post-fit impacts.
    pub method: ImpactMethod,
    /// Of the impacts of the auxiliary data.
    pub global_method: ImpactMethod,
    /// Parameters of each group.
    pub groups: Vec<Vec<usize>>,
}

/// Impacts, the largest post-fit one first.
#[derive(Clone, Debug)]
pub struct Ranking {
    pub fit: FitResult,
    pub impacts: Vec<Impact>,
    /// Nothing where the covariance is not known.
    pub breakdown: Option<Breakdown>,
    /// Where a refit led lower than the fit: the fit is not the minimum, and the impacts are not from there.
    pub lower: Option<Minimum>,
}

/// The impact of one parameter: (value of the POI) − (value at the best fit).
#[derive(Clone, Debug, PartialEq)]
pub struct Impact {
    pub parameter: usize,
    /// Best fit, and its uncertainty; NaN where that is not known.
    pub value: f64,
    pub uncertainty: f64,
    /// With the parameter down and up by its pre-fit width (eq. 26, 28); 0 for what is free or fixed, as cabinetry has it.
    pub prefit: [Shift; 2],
    /// With the parameter down and up by its uncertainty (eq. 25, 27).
    pub postfit: [Shift; 2],
    /// With the parameter's auxiliary datum down and up by its standard deviation (eq. 29); 0 without one.
    pub global: [Shift; 2],
}

/// A change of the POI, or why it is not known.
pub type Shift = Result<f64, Missing>;

/// Why an impact is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// The fit with the parameter held, or the datum moved, is not valid.
    Refit(Failure),
    /// The parameter would lie beyond its bound.
    AtBound,
    /// The auxiliary datum would fall below zero, where a Poisson constraint has no data.
    DatumBelowZero,
    /// The uncertainty of the parameter is not known.
    Uncertainty,
    /// The ranking was stopped before.
    Stopped,
}

/// Where the uncertainty of the POI comes from. Each part is the root of the difference of squares with and without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    pub total: f64,
    /// All constrained parameters together.
    pub systematic: GroupImpact,
    /// One entry for each group of the options.
    pub groups: Vec<GroupImpact>,
}

impl Impact {
    fn largest(&self) -> f64 {
        self.postfit.iter().flatten().fold(0.0, |largest, shift| shift.abs().max(largest))
    }

    fn is_missing(&self) -> bool {
        self.postfit.iter().any(Result::is_err)
    }
}

/// Fits, then ranks. Refits run in parallel; their number is told to `watch`, and
/// results do not depend on the threads.
pub fn ranking(likelihood: &Likelihood, options: &RankingOptions, watch: &Watch) -> Ranking {
    let mut likelihood = likelihood.clone();
    let fit = likelihood.fit(Hesse::All);
    let job = Job::new(&likelihood, options, &fit);
    watch.expect(job.n_fits());
    let others: Vec<usize> = (0..fit.parameters.len()).filter(|&i| i != options.poi).collect();
    let found: Vec<(Impact, Option<Minimum>)> =
        others.par_iter().map_init(|| likelihood.clone(), |own, &i| job.impact(own, i, watch)).collect();
    let mut lower: Option<Minimum> = None;
    let mut impacts = Vec::with_capacity(found.len());
    for (impact, minimum) in found {
        let lowest = lower.as_ref().map_or(f64::INFINITY, |lower| lower.twice_nll);
        lower = minimum.filter(|minimum| minimum.twice_nll < lowest).or(lower);
        impacts.push(impact);
    }
    // A stable sort: equal ones stay in fit order, missing ones come first, where they are seen.
    impacts.sort_by(|a, b| b.is_missing().cmp(&a.is_missing()).then(b.largest().total_cmp(&a.largest())));
    let breakdown = group::breakdown(&likelihood, options, &fit);
    Ranking { fit, impacts, breakdown, lower }
}

/// What all parameters need alike.
struct Job<'a> {
    options: &'a RankingOptions,
    fit: &'a FitResult,
    data: Data,
    observed: &'a PreparedData,
    fixed: &'a [bool],
    bounds: &'a [(f64, f64)],
    prefit_widths: Vec<f64>,
    uncertainties: Vec<f64>,
    auxiliaries: Vec<Option<Auxiliary>>,
}

impl<'a> Job<'a> {
    fn new(likelihood: &'a Likelihood, options: &'a RankingOptions, fit: &'a FitResult) -> Job<'a> {
        let n = fit.parameters.len();
        let mut auxiliaries = vec![None; n];
        for auxiliary in prefit::auxiliaries(likelihood.program()) {
            auxiliaries[auxiliary.parameter] = Some(auxiliary);
        }
        Job {
            options,
            fit,
            data: likelihood.data.to_data(likelihood.program()),
            observed: &likelihood.data,
            fixed: &likelihood.options.fixed,
            bounds: &likelihood.options.bounds,
            prefit_widths: prefit::widths(likelihood.program(), &likelihood.options.fixed),
            uncertainties: fit.uncertainties.clone().unwrap_or_else(|| vec![f64::NAN; n]),
            auxiliaries,
        }
    }

    fn n_fits(&self) -> u64 {
        let free = self.fixed.iter().filter(|fixed| !**fixed).count() as u64;
        let constrained = self.prefit_widths.iter().filter(|width| **width > 0.0).count() as u64;
        let held = if self.options.method == ImpactMethod::Refit { 2 * free + 2 * constrained } else { 0 };
        let moved = if self.options.global_method == ImpactMethod::Refit { 2 * constrained } else { 0 };
        held + moved
    }

    /// The impact of one parameter, and a minimum below the best fit where one was found.
    fn impact(&self, likelihood: &mut Likelihood, parameter: usize, watch: &Watch) -> (Impact, Option<Minimum>) {
        let (value, uncertainty) = (self.fit.parameters[parameter], self.uncertainties[parameter]);
        let mut lower = None;
        let mut refits = |width: f64| -> [Shift; 2] {
            [-width, width].map(|shift| self.held_shift(likelihood, parameter, shift, &mut lower, watch))
        };
        let width = self.prefit_widths[parameter];
        let (prefit, postfit) = match self.options.method {
            ImpactMethod::Refit => (refits(width), refits(uncertainty)),
            ImpactMethod::Hesse => {
                // The POI follows the parameter with dμ̂/dθ = V_μθ/V_θθ.
                let along = |width: f64| match self.slope(parameter) {
                    _ if width == 0.0 => [Ok(0.0), Ok(0.0)],
                    Some(slope) => [Ok(-slope * width), Ok(slope * width)],
                    None => [Err(Missing::Uncertainty), Err(Missing::Uncertainty)],
                };
                (along(width), along(uncertainty))
            }
        };
        let global = self.global(likelihood, parameter, watch);
        (Impact { parameter, value, uncertainty, prefit, postfit, global }, lower)
    }

    fn covariance(&self, i: usize, j: usize) -> Option<f64> {
        let covariance = self.fit.covariance.as_ref()?[i * self.fixed.len() + j];
        covariance.is_finite().then_some(covariance)
    }

    /// dμ̂/dθ along the profile.
    fn slope(&self, parameter: usize) -> Option<f64> {
        let slope = self.covariance(self.options.poi, parameter)? / self.covariance(parameter, parameter)?;
        slope.is_finite().then_some(slope)
    }

    /// The change of the POI with a parameter held at best + shift.
    fn held_shift(
        &self,
        likelihood: &mut Likelihood,
        parameter: usize,
        shift: f64,
        lower: &mut Option<Minimum>,
        watch: &Watch,
    ) -> Shift {
        if shift == 0.0 {
            return Ok(0.0);
        }
        if shift.is_nan() {
            return Err(Missing::Uncertainty);
        }
        if watch.is_stopped() {
            return Err(Missing::Stopped);
        }
        let held = self.fit.parameters[parameter] + shift;
        let (low, high) = self.bounds[parameter];
        if held < low || held > high {
            watch.step();
            return Err(Missing::AtBound);
        }
        let minimum = likelihood.minimum_from(&self.start(parameter, shift), &[(parameter, held)]);
        watch.step();
        if let Some(failure) = minimum.reason {
            return Err(Missing::Refit(failure));
        }
        let moved = minimum.parameters[self.options.poi] - self.fit.parameters[self.options.poi];
        let lowest = lower.as_ref().map_or(self.fit.twice_nll - LOWER, |lower| lower.twice_nll);
        if self.fit.valid && minimum.twice_nll < lowest {
            *lower = Some(minimum);
        }
        Ok(moved)
    }

    /// Where the conditional minimum is expected: every parameter follows with V_iθ/V_θθ.
    fn start(&self, parameter: usize, shift: f64) -> Vec<f64> {
        let follow = |(i, best): (usize, &f64)| {
            let slope = self.covariance(i, parameter).zip(self.covariance(parameter, parameter));
            let step = slope.map_or(0.0, |(v, variance)| shift * v / variance);
            if step.is_finite() { best + step } else { *best }
        };
        self.fit.parameters.iter().enumerate().map(follow).collect()
    }

    /// The change of the POI when the auxiliary datum of a parameter moves by its width.
    fn global(&self, likelihood: &mut Likelihood, parameter: usize, watch: &Watch) -> [Shift; 2] {
        let auxiliary = match self.auxiliaries[parameter] {
            Some(auxiliary) if !self.fixed[parameter] => auxiliary,
            _ => return [Ok(0.0), Ok(0.0)],
        };
        match self.options.global_method {
            ImpactMethod::Hesse => {
                match prefit::seen_by_datum(likelihood.program(), parameter, |j| self.covariance(self.options.poi, j)) {
                    Some(covariance) => {
                        let datum = self.data.auxiliary[auxiliary.index];
                        let shift = global_shift(&auxiliary, datum, covariance, self.fit.parameters[parameter]);
                        [Ok(-shift), Ok(shift)]
                    }
                    None => [Err(Missing::Uncertainty), Err(Missing::Uncertainty)],
                }
            }
            ImpactMethod::Refit => [-1.0, 1.0].map(|sign| self.datum_shift(likelihood, &auxiliary, sign, watch)),
        }
    }

    /// The change of the POI in a fit to data with one auxiliary datum moved.
    fn datum_shift(&self, likelihood: &mut Likelihood, auxiliary: &Auxiliary, sign: f64, watch: &Watch) -> Shift {
        if watch.is_stopped() {
            return Err(Missing::Stopped);
        }
        let mut data = self.data.clone();
        let datum = &mut data.auxiliary[auxiliary.index];
        *datum += sign * auxiliary.datum_width(*datum);
        // A Poisson datum has no room below zero.
        if auxiliary.poisson && *datum < 0.0 {
            return Err(Missing::DatumBelowZero);
        }
        likelihood.data = likelihood.program().prepare(&data);
        let minimum = likelihood.minimum_from(&self.fit.parameters, &[]);
        likelihood.data.clone_from(self.observed);
        watch.step();
        match minimum.reason {
            Some(failure) => Err(Missing::Refit(failure)),
            None => Ok(minimum.parameters[self.options.poi] - self.fit.parameters[self.options.poi]),
        }
    }
}

/// dμ̂/da times the standard deviation of the auxiliary datum a, from V_μθ (spec/inference.md, eq. 30): V_μθ/σ for a
/// Gaussian constraint, and with ∂²(−2 ln L)/∂θ∂a = −2/θ for a Poisson one V_μθ √a/θ.
pub(super) fn global_shift(auxiliary: &Auxiliary, datum: f64, covariance: f64, value: f64) -> f64 {
    let width = auxiliary.datum_width(datum);
    if auxiliary.poisson { covariance * width / value } else { covariance / width }
}
