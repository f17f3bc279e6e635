//! One likelihood ready for inference: a program, its data, and where its parameters start and may go.

use super::fit::{Failure, FitOptions, FitResult, Fitter, Hesse, one_place};
use super::generate::GenerationFailure;
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
    /// The last whole fit that looked for all minima.
    known: Option<Box<Known>>,
}

/// A fit, and what it was a fit of.
#[derive(Clone, Debug)]
struct Known {
    options: FitOptions,
    data: PreparedData,
    result: FitResult,
}

/// Values of `twice_nll` that differ by less are those of one fit; minima that lie nearer, in widths of the parameters, are
/// one.
const SAME_FIT: f64 = 1e-5;
const ONE_MINIMUM: f64 = 1e-2;

/// Minima from which profiles are continued, at most.
const MOST_MINIMA: usize = 64;

/// A minimum of `twice_nll`, unconditional or with some parameters held.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// In fit order.
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Why it is not valid, as in [`FitResult::reason`].
    pub reason: Option<Failure>,
    /// As in [`FitResult::without_effect`].
    pub without_effect: Vec<usize>,
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

impl Known {
    /// Whether the same fit is asked for; uncertainties aside.
    fn is_of(&self, options: &FitOptions, data: &PreparedData) -> bool {
        let own = &self.options;
        own.init == options.init
            && own.bounds == options.bounds
            && own.fixed == options.fixed
            && (own.restarts, own.starts, own.seed, own.brief)
                == (options.restarts, options.starts, options.seed, options.brief)
            && (own.max_iterations, own.edm_tolerance) == (options.max_iterations, options.edm_tolerance)
            && self.data == *data
    }
}

impl From<FitResult> for Minimum {
    fn from(result: FitResult) -> Minimum {
        let FitResult { parameters, twice_nll, reason, without_effect, .. } = result;
        Minimum { parameters, twice_nll, reason, without_effect }
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
        Likelihood { evaluator, data: program.prepare(data), options, fitter, known: None }
    }

    /// The same model with other data.
    pub fn with_data(&self, data: &Data) -> Likelihood<'p> {
        Likelihood { data: self.evaluator.program.prepare(data), known: None, ..self.clone() }
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
    ///
    /// # Errors
    /// Where densities over events have no Asimov data there.
    pub fn expected_data(&mut self, parameters: &[f64]) -> Result<Data, GenerationFailure> {
        let mut data = self.expected_counts(parameters);
        data.unbinned = self.evaluator.asimov_events(parameters);
        let densities = self.evaluator.asimov_densities(parameters);
        data.densities = densities.map_err(|(pair, why)| GenerationFailure::Densities { pair, why })?;
        Ok(data)
    }

    /// As [`Likelihood::expected_data`], without single events.
    pub(super) fn expected_counts(&mut self, parameters: &[f64]) -> Data {
        let program = self.evaluator.program;
        let mut data = Data::zeros(program);
        self.evaluator.profiled(parameters, &self.data, &mut data.main, &mut data.auxiliary);
        data
    }

    /// The unconditional fit from `options.init`, with restarts, uncertainties and covariance as asked for.
    pub fn fit(&mut self, hesse: Hesse) -> FitResult {
        self.options.hesse = hesse;
        if let Some(result) = self.fit_again() {
            return result;
        }
        let result = self.fitter.fit(&mut self.evaluator, &self.data, &self.options);
        if result.minima.is_some() && !self.options.brief {
            let (options, data) = (self.options.clone(), self.data.clone());
            self.known = Some(Box::new(Known { options, data, result: result.clone() }));
        }
        result
    }

    /// The last fit if it is asked for again: a search for all minima costs hundreds of fits.
    fn fit_again(&mut self) -> Option<FitResult> {
        let known = self.known.as_deref().filter(|known| known.is_of(&self.options, &self.data))?;
        let options = FitOptions {
            init: known.result.parameters.clone(),
            restarts: false,
            hesse: self.options.hesse,
            ..known.options.clone()
        };
        let again = self.fitter.fit(&mut self.evaluator, &self.data, &options);
        let FitResult { minima, first_minimum, lifted, n_iterations, n_evaluations, .. } = known.result.clone();
        again.valid.then_some(FitResult { minima, first_minimum, lifted, n_iterations, n_evaluations, ..again })
    }

    /// The lowest minimum that restarts find with these parameters held at these values; the others start at
    /// `options.init`. Its search for minima is brief.
    pub fn conditional_fit(&mut self, held: &[(usize, f64)]) -> Minimum {
        self.holding(held, None, |this| this.brief_fit())
    }

    fn brief_fit(&mut self) -> Minimum {
        let brief = std::mem::replace(&mut self.options.brief, true);
        let minimum = self.fit(Hesse::No).into();
        self.options.brief = brief;
        minimum
    }

    /// The minimum to which `start` leads with these parameters held: one run from nearby, a whole fit where that run
    /// has no certificate.
    pub fn minimum_from(&mut self, start: &[f64], held: &[(usize, f64)]) -> Minimum {
        self.holding(held, Some(start), |this| {
            let (twice_nll, _, certified) = this.fitter.minimum(&mut this.evaluator, &this.data, &this.options);
            if certified {
                let without_effect = this.fitter.silent(&mut this.evaluator, &this.data, &this.options);
                let parameters = this.fitter.parameters().to_vec();
                return Minimum { parameters, twice_nll, reason: None, without_effect };
            }
            this.brief_fit()
        })
    }

    /// The local minima to which other starts lead where samples or measurements respond to coefficients, `best` first and
    /// the others ascending; one of them may be lower. Those of the last fit if it has led to `best`. Without responses there
    /// is `best` alone.
    pub fn minima(&mut self, best: &Minimum) -> Vec<Minimum> {
        if !(self.program().has_responses() && best.valid() && self.options.restarts) {
            return vec![best.clone()];
        }
        let known = self.known.as_deref().filter(|known| {
            let same = (known.result.twice_nll - best.twice_nll).abs() <= SAME_FIT;
            same && known.options.fixed == self.options.fixed && known.options.bounds == self.options.bounds
        });
        let found = match known {
            Some(known) if known.data == self.data => known.result.minima.clone(),
            _ => {
                let own = std::mem::replace(&mut self.options.init, best.parameters.clone());
                let result = self.fit(Hesse::No);
                self.options.init = own;
                result.minima
            }
        };
        let Some(found) = found else { return vec![best.clone()] };
        let widths = self.widths_at(&best.parameters);
        let others = found.found.into_iter().map(|minimum| Minimum {
            parameters: minimum.parameters,
            twice_nll: minimum.twice_nll,
            reason: None,
            without_effect: Vec::new(),
        });
        let is_other = |minimum: &Minimum| {
            (minimum.twice_nll - best.twice_nll).abs() > SAME_FIT
                || !minimum.is_at(&best.parameters, &widths, ONE_MINIMUM)
        };
        std::iter::once(best.clone()).chain(others.filter(is_other)).take(MOST_MINIMA).collect()
    }

    /// Over which distances `twice_nll` changes near the last minimum, n_parameters long.
    pub fn widths(&self) -> Vec<f64> {
        self.fitter.widths()
    }

    /// As [`Likelihood::widths`] at a point.
    fn widths_at(&mut self, parameters: &[f64]) -> Vec<f64> {
        let Likelihood { evaluator, data, options, fitter, .. } = self;
        fitter.certificate(evaluator, data, options, parameters);
        fitter.widths()
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
            // The slope along it is asked for, even if it is a constant.
            self.evaluator.want(i);
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
