//! The lowest of several minima: a fit again from other starts (spec/likelihood.md, "Fit"; spec/inference.md, "Several
//! minima").

use super::fit::{FitOptions, Fitter, one_place};
use super::minimize::{Ending, Limits, Minimizer};
use super::starts::{other_sides, spread};
use crate::kernel::{Evaluator, simd};
use crate::program::PreparedData;

/// How far other starts lie on the other side of the auxiliary data, in distances of the minimum.
const RESTARTS: [f64; 2] = [1.0, 4.0];

/// A minimum is lower than another by more than this.
const LOWER: f64 = 1e-7;

/// With more parameters than this a fit has one start.
const MOST_RESTARTED: usize = 1000;

/// Minima that are told apart, at most.
pub(crate) const MOST_MINIMA: usize = 8;

/// Minima nearer to one another than this, in widths of the parameters, are one.
pub(crate) const ONE_MINIMUM: f64 = 1e-2;

/// What the runs of one fit took together.
#[derive(Default)]
struct Runs {
    iterations: usize,
    evaluations: usize,
}

impl Runs {
    fn add(&mut self, run: &Minimizer) {
        self.iterations += run.iterations;
        self.evaluations += run.evaluations;
    }
}

impl Fitter {
    /// The minimum from the given start, or a lower one from the other sides of its parameters: a published likelihood
    /// may have several. Where it is another one, the reduced value of the first comes with it.
    pub(super) fn lowest(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
    ) -> ((Ending, usize, usize), Option<f64>) {
        let mut runs = Runs::default();
        let first_ending = self.counted(evaluator, data, options, &options.init, &mut runs);
        let (constrained, responses) =
            (!evaluator.program.constraints.gaussians.is_empty(), evaluator.program.has_responses());
        let several = options.restarts && options.init.len() <= MOST_RESTARTED && (constrained || responses);
        if first_ending != Ending::Converged || !several {
            return ((first_ending, runs.iterations, runs.evaluations), None);
        }
        let first = self.minimizer.value;
        let mut best = self.minimizer.clone();
        let at_limit = self.at_limit(options);
        let both = [false, true];
        let holding = if at_limit.is_empty() { &both[..1] } else { &both[..] };
        let stretched = holding.iter().flat_map(|hold| RESTARTS.map(|stretch| (hold, stretch)));
        for (&hold, stretch) in stretched.filter(|_| constrained) {
            let mut start = restart(evaluator, data, options, &best.theta, stretch);
            if hold {
                start = self.start_at_limits(evaluator, data, options, &best.theta, &at_limit, start);
                runs.add(&self.minimizer);
            }
            self.keep_lower(evaluator, data, options, &start, &mut best, &mut runs);
        }
        if responses {
            self.try_other_sides(evaluator, data, options, &mut best, &mut runs);
        }
        let best_value = best.value;
        self.minimizer = best;
        // The Hessian of the evaluator belongs to the last run.
        evaluator.reduced_with_blocks(&self.minimizer.theta, data, &mut self.minimizer.gradient);
        let found_lower = (best_value < first).then_some(first);
        ((Ending::Converged, runs.iterations, runs.evaluations), found_lower)
    }

    /// Runs from a start; the minimiser has what it found.
    fn counted(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        start: &[f64],
        runs: &mut Runs,
    ) -> Ending {
        let (ending, iterations, evaluations) = self.minimise(evaluator, data, options, start);
        runs.iterations += iterations;
        runs.evaluations += evaluations;
        ending
    }

    /// Looks for lower minima on the other sides of the best one and of each minimum that is found there, then from points
    /// that are spread over the coefficients.
    fn try_other_sides(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        best: &mut Minimizer,
        runs: &mut Runs,
    ) {
        let mut minima = vec![(best.theta.clone(), best.widths())];
        let (mut next, mut is_spread) = (0, false);
        loop {
            let starts = match minima.get(next) {
                Some((theta, widths)) => other_sides(evaluator, data, options, theta, widths),
                None if is_spread => break,
                None => spread(evaluator, data, options, &best.theta, &best.widths()),
            };
            is_spread |= next == minima.len();
            next = (next + 1).min(minima.len());
            for start in starts {
                if !self.keep_lower(evaluator, data, options, &start, best, runs) {
                    continue;
                }
                let here = &self.minimizer.theta;
                let known = minima.iter().any(|(theta, widths)| one_place(theta, here, widths, ONE_MINIMUM));
                if !known && minima.len() < MOST_MINIMA {
                    minima.push((here.clone(), self.minimizer.widths()));
                }
            }
        }
    }

    /// Puts the minimum to which a start leads in place of the best one, where it is lower. False where it leads to none.
    fn keep_lower(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        start: &[f64],
        best: &mut Minimizer,
        runs: &mut Runs,
    ) -> bool {
        let converged = self.counted(evaluator, data, options, start, runs) == Ending::Converged;
        if converged && self.minimizer.value < best.value - LOWER {
            best.clone_from(&self.minimizer);
        }
        converged
    }

    /// Where `start` leads with the parameters that are at a limit held there: a strength on its bound hides minima of
    /// the others from a run in which it moves.
    fn start_at_limits(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        theta: &[f64],
        at_limit: &[usize],
        mut start: Vec<f64>,
    ) -> Vec<f64> {
        let mut fixed = options.fixed.clone();
        for &i in at_limit {
            start[i] = theta[i];
            fixed[i] = true;
        }
        self.minimizer.run(evaluator, data, &start, &Limits { fixed: &fixed, ..options.limits() });
        if self.minimizer.value.is_finite() { self.minimizer.theta.clone() } else { start }
    }
}

/// A second start for a minimum at `theta`: constrained parameters on the other side of their auxiliary data, as far
/// times `stretch`; the others, and what is fixed, where they began.
fn restart(evaluator: &Evaluator, data: &PreparedData, options: &FitOptions, theta: &[f64], stretch: f64) -> Vec<f64> {
    let mut start = options.init.clone();
    let gaussians = &evaluator.program.constraints.gaussians;
    for (&(parameter, _, _), centre) in gaussians.iter().zip(simd::flat(&data.gaussian)) {
        let i = parameter as usize;
        let (low, high) = options.bounds[i];
        if !options.fixed[i] {
            start[i] = (centre - stretch * (theta[i] - centre)).clamp(low, high);
        }
    }
    start
}
