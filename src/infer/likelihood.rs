//! One likelihood ready for inference: a program, its data, and where its parameters start and may go.

use super::fit::{Failure, FitOptions, FitResult, Fitter, Hesse, one_place};
use super::lowest::{MOST_MINIMA, ONE_MINIMUM};
use super::starts::{other_sides, spread};
use crate::kernel::Evaluator;
use crate::model::Data;
use crate::program::{PreparedData, Program};

/// A program with data and fit options; everything that repeated fits need is allocated once. One per thread.
#[derive(Clone, Debug)]
pub struct Likelihood<'p> {
    pub evaluator: Evaluator<'p>,
    pub data: PreparedData,
    /// Start, bounds and fixed flags of all fits; `hesse` is chosen by each call.
    pub options: FitOptions,
    fitter: Fitter,
}

/// A minimum of `twice_nll`, unconditional or with some parameters held.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// In fit order.
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Why it is not valid, as in [`FitResult::reason`].
    pub reason: Option<Failure>,
}

impl Minimum {
    pub fn valid(&self) -> bool {
        self.reason.is_none()
    }

    /// Whether no parameter differs by more than `part` of its width.
    pub(crate) fn is_at(&self, parameters: &[f64], widths: &[f64], part: f64) -> bool {
        one_place(&self.parameters, parameters, widths, part)
    }
}

impl From<FitResult> for Minimum {
    fn from(result: FitResult) -> Minimum {
        Minimum { parameters: result.parameters, twice_nll: result.twice_nll, reason: result.reason }
    }
}

impl<'p> Likelihood<'p> {
    /// # Panics
    /// When data or options are not of the program's lengths.
    pub fn new(program: &'p Program, data: &Data, options: FitOptions) -> Likelihood<'p> {
        let n = program.n_parameters();
        assert!(options.init.len() == n && options.bounds.len() == n && options.fixed.len() == n, "one a parameter");
        let evaluator = Evaluator::new(program);
        let fitter = Fitter::new(&evaluator);
        Likelihood { evaluator, data: program.prepare(data), options, fitter }
    }

    /// The same model with other data.
    pub fn with_data(&self, data: &Data) -> Likelihood<'p> {
        Likelihood { data: self.evaluator.program.prepare(data), ..self.clone() }
    }

    pub fn program(&self) -> &'p Program {
        self.evaluator.program
    }

    /// `twice_nll` at a point.
    pub fn twice_nll(&mut self, parameters: &[f64]) -> f64 {
        self.evaluator.twice_nll(parameters, &self.data)
    }

    /// Expected main and auxiliary data at a point, the statistical uncertainty of simulated bins where the data profile
    /// it.
    pub fn expected_data(&mut self, parameters: &[f64]) -> Data {
        let program = self.evaluator.program;
        let mut data = Data::zeros(program);
        self.evaluator.profiled(parameters, &self.data, &mut data.main, &mut data.auxiliary);
        data.unbinned = self.evaluator.asimov_events(parameters);
        data
    }

    /// The unconditional fit from `options.init`, with restarts, uncertainties and covariance as asked for.
    pub fn fit(&mut self, hesse: Hesse) -> FitResult {
        self.options.hesse = hesse;
        self.fitter.fit(&mut self.evaluator, &self.data, &self.options)
    }

    /// The lowest minimum that restarts find with these parameters held at these values; the others start at
    /// `options.init`.
    pub fn conditional_fit(&mut self, held: &[(usize, f64)]) -> Minimum {
        self.holding(held, None, |this| this.fit(Hesse::No).into())
    }

    /// The minimum to which `start` leads with these parameters held: one run from nearby, a whole fit where that run
    /// has no certificate.
    pub fn minimum_from(&mut self, start: &[f64], held: &[(usize, f64)]) -> Minimum {
        self.holding(held, Some(start), |this| {
            let (twice_nll, _, certified) = this.fitter.minimum(&mut this.evaluator, &this.data, &this.options);
            if certified {
                return Minimum { parameters: this.fitter.parameters().to_vec(), twice_nll, reason: None };
            }
            this.fit(Hesse::No).into()
        })
    }

    /// The local minima to which other starts lead where samples respond to coefficients, `best` first and the others
    /// ascending; one of them may be lower. Without responses there is `best` alone.
    pub fn minima(&mut self, best: &Minimum) -> Vec<Minimum> {
        let mut found = vec![best.clone()];
        if !(self.program().has_responses() && best.valid() && self.options.restarts) {
            return found;
        }
        let restarts = std::mem::replace(&mut self.options.restarts, false);
        let (mut next, mut is_spread) = (0, false);
        while found.len() < MOST_MINIMA && !(is_spread && next == found.len()) {
            let from = found.get(next).unwrap_or(best);
            let here = self.minimum_from(&from.parameters.clone(), &[]);
            let widths = self.fitter.widths();
            let look = if next < found.len() { other_sides } else { spread };
            let starts = look(&mut self.evaluator, &self.data, &self.options, &here.parameters, &widths);
            is_spread |= next == found.len();
            next = (next + 1).min(found.len());
            for start in starts {
                let other = self.minimum_from(&start, &[]);
                let known = |minimum: &Minimum| minimum.is_at(&other.parameters, &widths, ONE_MINIMUM);
                if other.valid() && found.len() < MOST_MINIMA && !found.iter().any(known) {
                    found.push(other);
                }
            }
        }
        self.options.restarts = restarts;
        found[1..].sort_by(|a, b| a.twice_nll.total_cmp(&b.twice_nll));
        found
    }

    /// Over which distances `twice_nll` changes near the last minimum, n_parameters long.
    pub fn widths(&self) -> Vec<f64> {
        self.fitter.widths()
    }

    /// What tells that a point is a local minimum with these parameters held: the largest component of the gradient over
    /// what may move, and the smallest eigenvalue of the Hessian there (spec/inference.md, eq. 52).
    pub(crate) fn certificate(&mut self, parameters: &[f64], held: &[usize]) -> (f64, f64) {
        let held: Vec<(usize, f64)> = held.iter().map(|&i| (i, parameters[i])).collect();
        self.holding(&held, None, |this| {
            this.fitter.certificate(&mut this.evaluator, &this.data, &this.options, parameters)
        })
    }

    /// ∂`twice_nll`/∂θ at the last minimum. Along a held parameter it is the slope of the profile (the other parameters
    /// are at their minimum, so moving them changes nothing in first order).
    pub fn gradient_at_minimum(&self) -> &[f64] {
        self.fitter.gradient()
    }

    /// dθ̂/dθ_p along the profile at the last minimum, n_parameters long, 1 for the held parameter itself:
    /// −H⁻¹ ∂²/∂θ∂θ_p over what is free (spec/inference.md, "Profile"). `None` without a factorised Hessian.
    pub fn tangent(&mut self, held: usize) -> Option<Vec<f64>> {
        self.fitter.tangent(&mut self.evaluator, held)
    }

    /// Runs `fit` with parameters held, and the others at another start; then all is as before.
    fn holding<T>(&mut self, held: &[(usize, f64)], start: Option<&[f64]>, fit: impl FnOnce(&mut Self) -> T) -> T {
        let (init, fixed) = (self.options.init.clone(), self.options.fixed.clone());
        let bounds: Vec<(f64, f64)> = held.iter().map(|&(i, _)| self.options.bounds[i]).collect();
        if let Some(start) = start {
            let clamped = start.iter().zip(&self.options.bounds).map(|(x, (low, high))| x.max(*low).min(*high));
            self.options.init = clamped.collect();
        }
        for &(i, value) in held {
            self.options.init[i] = value;
            self.options.fixed[i] = true;
            // What is held may stand outside its bounds: they limit what a fit may choose.
            self.options.bounds[i] = (self.options.bounds[i].0.min(value), self.options.bounds[i].1.max(value));
        }
        let result = fit(self);
        for (&(i, _), bounds) in held.iter().zip(bounds) {
            self.options.bounds[i] = bounds;
        }
        (self.options.init, self.options.fixed) = (init, fixed);
        result
    }
}
