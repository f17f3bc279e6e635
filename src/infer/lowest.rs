//! The lowest of several minima: a fit again from other starts (spec/likelihood.md, "Fit"; spec/inference.md, "Several
//! minima").

use super::fit::{FitOptions, Fitter};
use super::minima::Minima;
use super::minimize::{Ending, Limits, Minimizer};
use crate::kernel::{Evaluator, simd};
use crate::program::PreparedData;

/// How far other starts lie on the other side of the auxiliary data, in distances of the minimum.
const RESTARTS: [f64; 2] = [1.0, 4.0];

/// A minimum is lower than another by more than this.
const LOWER: f64 = 1e-7;

/// A start that ended at no minimum has shown that the lowest one is not found yet, if it ended lower by more than this.
const BELOW: f64 = 1e-3;

/// With more parameters than this a fit has one start.
const MOST_RESTARTED: usize = 1000;

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

/// What [`Fitter::lowest`] has found; the minimiser is at the lowest minimum.
pub(super) struct Lowest {
    pub ending: Ending,
    pub iterations: usize,
    pub evaluations: usize,
    /// The reduced value of the minimum to which the start leads, where it is another one.
    pub first: Option<f64>,
    /// All minima, where samples or measurements respond to coefficients.
    pub minima: Option<Minima>,
}

impl Fitter {
    /// The minimum from the given start, or a lower one from other starts: a published likelihood may have several.
    pub(super) fn lowest(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Lowest {
        let mut runs = Runs::default();
        let ending = self.counted(evaluator, data, options, &options.init, &mut runs);
        let first = self.minimizer.value;
        let (constrained, responses) =
            (!evaluator.program.constraints.gaussians.is_empty(), evaluator.program.has_responses());
        // What is linear and Gaussian has one minimum.
        let may = options.restarts && options.init.len() <= MOST_RESTARTED && !evaluator.program.is_linear();
        let (converged, mut minima) = (ending == Ending::Converged, None);
        if may && converged && constrained {
            self.try_stretched(evaluator, data, options, &mut runs);
        }
        if may && converged {
            self.try_off_zero(evaluator, data, options, &mut runs);
        }
        let mut ending = ending;
        // A start may end on a ridge or a saddle because it is symmetric: that says nothing of the others.
        let unlucky = !matches!(ending, Ending::Converged | Ending::AtDomainEdge);
        if may && responses && (converged || (unlucky && !options.brief)) {
            (ending, minima) = self.try_everything(evaluator, data, options, ending, &mut runs);
        }
        // The Hessian of the evaluator belongs to the last run.
        if converged {
            evaluator.reduced_with_blocks(&self.minimizer.theta, data, &mut self.minimizer.gradient);
        }
        let first = (converged && self.minimizer.value < first).then_some(first);
        Lowest { ending, iterations: runs.iterations, evaluations: runs.evaluations, first, minima }
    }

    /// From the other sides of the constrained parameters; the minimiser is then at the lowest minimum.
    fn try_stretched(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions, runs: &mut Runs) {
        let mut best = self.minimizer.clone();
        let at_limit = self.at_limit(options);
        let both = [false, true];
        let holding = if at_limit.is_empty() { &both[..1] } else { &both[..] };
        for (&hold, stretch) in holding.iter().flat_map(|hold| RESTARTS.map(|stretch| (hold, stretch))) {
            let mut start = restart(evaluator, data, options, &best.theta, stretch);
            if hold {
                start = self.start_at_limits(evaluator, data, options, &best.theta, &at_limit, start);
                runs.add(&self.minimizer);
            }
            let converged = self.counted(evaluator, data, options, &start, runs) == Ending::Converged;
            if converged && self.minimizer.value < best.value - LOWER {
                best.clone_from(&self.minimizer);
            }
        }
        self.minimizer = best;
    }

    /// From where a strength that has ended at zero would leave it; the minimiser is then at the lowest minimum.
    fn try_off_zero(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions, runs: &mut Runs) {
        for start in self.ways_off_zero(evaluator, data, options) {
            let best = self.minimizer.clone();
            let converged = self.counted(evaluator, data, options, &start, runs) == Ending::Converged;
            // Not >=: a value that is not a number is no minimum.
            let lower = converged && self.minimizer.value < best.value - LOWER;
            if !lower {
                self.minimizer = best;
            }
        }
    }

    /// The search of all minima; the minimiser is then at the lowest one. Where no start has led to a minimum, all is as
    /// before.
    fn try_everything(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        ending: Ending,
        runs: &mut Runs,
    ) -> (Ending, Option<Minima>) {
        let (before, known) = (self.minimizer.clone(), self.here(ending == Ending::Converged, 0, 0));
        let (mut catalogue, iterations, evaluations) = self.search(evaluator, data, options, known);
        runs.iterations += iterations;
        runs.evaluations += evaluations;
        let lowest = catalogue.basins.get(catalogue.lowest()).filter(|_| !catalogue.basins.is_empty());
        let found = lowest.filter(|lowest| ending != Ending::Converged || lowest.value < before.value - LOWER);
        let mut ending = ending;
        if let Some(lowest) = found {
            ending = self.counted(evaluator, data, options, &lowest.theta, runs);
        } else {
            self.minimizer = before;
        }
        // A place that is lower than every minimum is none itself: the fit ends there, and says why it is not valid.
        let value = self.minimizer.value;
        let below =
            catalogue.lowest_failed.take().filter(|(lower, _)| ending == Ending::Converged && *lower < value - BELOW);
        if let Some((_, theta)) = below {
            let minimum = self.minimizer.clone();
            ending = self.counted(evaluator, data, options, &theta, runs);
            // Should the second run from there come to a minimum after all, the lower one counts.
            if ending == Ending::Converged && self.minimizer.value >= minimum.value {
                self.minimizer = minimum;
            }
        }
        let minima = (!catalogue.basins.is_empty()).then(|| {
            let at_limit = |theta: &[f64]| options.at_limit(theta);
            catalogue.minima(2.0 * data.constant, at_limit)
        });
        (ending, minima)
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
