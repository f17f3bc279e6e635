//! Parameters without effect because what multiplies them is zero: the mean of a signal whose strength is held at zero, or
//! ends on its bound there (spec/likelihood.md, "Fit").

use super::fit::{FitOptions, Fitter};
use super::minimize::{Ending, Limits, MOST_SHARED};
use super::plateau::aside;
use super::uncertainty::MOST_PARAMETERS;
use crate::kernel::Evaluator;
use crate::program::PreparedData;
use std::borrow::Cow;

/// No more than what stands for a factor of zero leaves of a derivative: products are formed without it, so that 10⁻¹⁵⁰ does.
const NOTHING: f64 = 1e-100;

/// Parts of the step aside that are tried until the likelihood exists there.
const NEARER: [f64; 3] = [1.0, 1e-3, 1e-6];

/// How often a run begins again because other parameters have an effect than before.
const MOST_RUNS: usize = 4;

/// Values of a parameter without effect at which a strength on its bound is looked at again.
const VALUES: usize = 64;

/// The free parameters on which the likelihood does not depend at a point because parameters that are held or on a bound are
/// zero there: their rows of gradient and Hessian are zero over what may move, at the point and aside of it, where the value
/// is the same to the last bit, and they are not zero once what is zero has moved.
pub(super) fn without_effect(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    options: &FitOptions,
    theta: &[f64],
) -> Vec<usize> {
    let n = theta.len();
    let zeros: Vec<bool> = (0..n).map(|i| options.is_held_zero(theta, i)).collect();
    if !zeros.contains(&true) || n > MOST_PARAMETERS || evaluator.program.n_shared > MOST_SHARED {
        return Vec::new();
    }
    let free: Vec<bool> = (0..n).map(|i| !(options.fixed[i] || zeros[i])).collect();
    let mut rows = Rows { evaluator, data, free, gradient: vec![0.0; n], hessian: vec![0.0; n * n] };
    let here = rows.evaluate(theta);
    let silent = rows.silent();
    if !silent.contains(&true) {
        return Vec::new();
    }
    let confirmed = rows.confirmed(theta, here, &options.bounds, &silent, &zeros).unwrap_or_default();
    // The blocks of the evaluator are those of the point again.
    rows.evaluate(theta);
    confirmed
}

/// Gradient and Hessian at points.
struct Rows<'a, 'p> {
    evaluator: &'a mut Evaluator<'p>,
    data: &'a PreparedData,
    free: Vec<bool>,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Rows<'_, '_> {
    fn evaluate(&mut self, point: &[f64]) -> f64 {
        self.hessian.fill(0.0);
        self.evaluator.hessian(point, self.data, &mut self.gradient, &mut self.hessian)
    }

    /// The free parameters whose derivatives are zero, those with other free parameters too.
    fn silent(&self) -> Vec<bool> {
        let n = self.free.len();
        let row = |i: usize| (0..n).all(|j| !self.free[j] || self.hessian[i * n + j].abs() <= NOTHING);
        (0..n).map(|i| self.free[i] && self.gradient[i].abs() <= NOTHING && row(i)).collect()
    }

    /// Those of the silent parameters that are silent aside as well, but not once what is zero has moved.
    fn confirmed(
        &mut self,
        theta: &[f64],
        here: f64,
        bounds: &[(f64, f64)],
        silent: &[bool],
        zeros: &[bool],
    ) -> Option<Vec<usize>> {
        let (elsewhere, value) = self.moved(theta, bounds, silent)?;
        let still = self.silent();
        self.moved(&elsewhere, bounds, zeros)?;
        let without_zeros = self.silent();
        let is_confirmed = |i: &usize| silent[*i] && value == here && still[*i] && !without_zeros[*i];
        Some((0..theta.len()).filter(is_confirmed).collect())
    }

    /// A point aside along some parameters at which the likelihood exists, with its value.
    fn moved(&mut self, from: &[f64], bounds: &[(f64, f64)], which: &[bool]) -> Option<(Vec<f64>, f64)> {
        NEARER.iter().find_map(|part| {
            let point = aside(from, bounds, which, *part);
            let value = self.evaluate(&point);
            value.is_finite().then_some((point, value))
        })
    }
}

impl FitOptions {
    /// Whether a parameter is zero and stays so: held there, or on its bound.
    fn is_held_zero(&self, theta: &[f64], i: usize) -> bool {
        theta[i] == 0.0 && (self.fixed[i] || self.bounds[i].0 == 0.0 || self.bounds[i].1 == 0.0)
    }

    /// These options with some more parameters held.
    pub(super) fn holding(&self, parameters: &[usize]) -> Cow<'_, FitOptions> {
        if parameters.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut options = self.clone();
        parameters.iter().for_each(|&i| options.fixed[i] = true);
        Cow::Owned(options)
    }
}

impl Fitter {
    /// Runs the minimiser; where there is no curvature because parameters have no effect, again with those held. Returns how
    /// it ended, with the numbers of iterations and evaluations.
    pub(super) fn run(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        start: &[f64],
        limits: &Limits,
    ) -> (Ending, usize, usize) {
        let mut ending = self.minimizer.run(evaluator, data, start, limits);
        let (mut iterations, mut evaluations) = (self.minimizer.iterations, self.minimizer.evaluations);
        let mut held = Vec::new();
        for round in 1..=MOST_RUNS {
            let may = ending == Ending::NoCurvature || (ending == Ending::Converged && self.is_without_slope(options));
            if !may && held.is_empty() {
                break;
            }
            // What was zero may have moved while its companions were held; in the end nothing is.
            let silent = match round == MOST_RUNS {
                true => Vec::new(),
                false => without_effect(evaluator, data, options, &self.minimizer.theta),
            };
            if silent == held {
                break;
            }
            let (mut here, holding) = (self.minimizer.theta.clone(), options.holding(&silent));
            // On a bound it stands for no reason.
            let on_bound = |i: &&usize| here[**i] <= options.bounds[**i].0 || here[**i] >= options.bounds[**i].1;
            let back: Vec<usize> = silent.iter().filter(on_bound).copied().collect();
            back.into_iter().for_each(|i| here[i] = start[i]);
            ending = self.minimizer.run(evaluator, data, &here, &Limits { fixed: &holding.fixed, ..limits.clone() });
            iterations += self.minimizer.iterations;
            evaluations += self.minimizer.evaluations;
            held = silent;
        }
        (ending, iterations, evaluations)
    }

    /// Whether a parameter that is not fixed has no slope at all, which a minimum leaves to none by chance.
    fn is_without_slope(&self, options: &FitOptions) -> bool {
        self.minimizer.gradient.iter().zip(&options.fixed).any(|(slope, fixed)| !fixed && slope.abs() <= NOTHING)
    }

    /// The parameters that the last run has held for want of an effect. Nothing else that is within its bounds, and not fixed,
    /// is held without a slope.
    pub(super) fn silent(&self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Vec<usize> {
        let run = &self.minimizer;
        let is_held = |i: usize| {
            let (low, high) = options.bounds[i];
            !(run.free[i] || options.fixed[i]) && low < high && run.gradient[i].abs() <= NOTHING
        };
        if !(0..run.theta.len()).any(is_held) {
            return Vec::new();
        }
        without_effect(evaluator, data, options, &run.theta)
    }

    /// Starts from which a strength that has ended at zero on its bound leaves it: what has no effect there stands
    /// elsewhere, where the slope of the strength is the steepest. They are one place as long as the strength is zero, and a
    /// minimum only if none of them goes down.
    pub(super) fn ways_off_zero(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
    ) -> Vec<Vec<f64>> {
        let silent = self.silent(evaluator, data, options);
        let theta = self.minimizer.theta.clone();
        let on_bound = |i: &usize| !options.fixed[*i] && options.is_held_zero(&theta, *i);
        let strengths: Vec<usize> = (0..theta.len()).filter(on_bound).collect();
        let mut gradient = vec![0.0; theta.len()];
        let mut starts = Vec::new();
        for &i in silent.iter().filter(|_| !strengths.is_empty()) {
            let (low, high) = options.bounds[i];
            let mut steepest: Vec<Option<(f64, f64)>> = vec![None; strengths.len()];
            for k in (0..VALUES).filter(|_| (high - low).is_finite()) {
                let mut point = theta.clone();
                point[i] = low + (high - low) * (k as f64 + 0.5) / VALUES as f64;
                if !evaluator.gradient(&point, data, &mut gradient).is_finite() {
                    continue;
                }
                for (steepest, &strength) in steepest.iter_mut().zip(&strengths) {
                    // Downhill into the bounds is a negative slope.
                    let inward = if options.bounds[strength].0 == 0.0 { 1.0 } else { -1.0 };
                    let slope = inward * gradient[strength];
                    if slope < steepest.map_or(0.0, |(slope, _)| slope) {
                        *steepest = Some((slope, point[i]));
                    }
                }
            }
            for (_, value) in steepest.into_iter().flatten() {
                let mut start = theta.clone();
                start[i] = value;
                starts.push(start);
            }
        }
        starts
    }
}
