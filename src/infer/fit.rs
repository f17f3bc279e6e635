//! Bounded maximum-likelihood fit with a certificate (spec/likelihood.md, "Fit").

use super::linear;
use super::lowest::Lowest;
use super::minima::Minima;
use super::minimize::{Ending, Limits, MOST_SHARED, Minimizer, rounding};
use super::plateau;
use super::silent;
use super::uncertainty;
use crate::kernel::{Evaluator, OutOfDomain};
use crate::model::Model;
use crate::program::{PreparedData, Program};

/// Rounding of `twice_nll` above this is seen in its differences.
const MOST_ROUNDING: f64 = 1e-3;

/// How often a fit may find itself on a saddle and go on.
const MOST_SADDLES: usize = 10;

/// Lengths of steps off a saddle, in widths.
const OFF_SADDLE: [f64; 10] = [2.0, 1.0, 0.3, 0.1, 0.01, -0.01, -0.1, -0.3, -1.0, -2.0];

/// A flat error whose whole range changes `twice_nll` by less than this, in first order, is free on its bound; a residual
/// that exceeds a clamp by less than this part of it is not beyond it.
const EDGE: f64 = 1e-5;

/// Spread starts that must bring nothing new, by default.
pub const STARTS: usize = 100;

/// Start, bounds and fixed flags, each n_parameters long and in fit order; from the model where not overridden.
#[derive(Clone, Debug)]
pub struct FitOptions {
    pub init: Vec<f64>,
    pub bounds: Vec<(f64, f64)>,
    pub fixed: Vec<bool>,
    pub max_iterations: usize,
    /// Stop when the estimated distance to the minimum (in `twice_nll`) is below this.
    pub edm_tolerance: f64,
    pub hesse: Hesse,
    /// Look for lower minima from other starts; otherwise the minimum is the one to which `init` leads.
    pub restarts: bool,
    /// Where samples or measurements respond to coefficients, the search for minima ends when so many starts in a row,
    /// spread over the coefficients, have brought nothing new.
    pub starts: usize,
    /// Of the spread starts.
    pub seed: u64,
    /// A short search, for one of many fits.
    pub brief: bool,
}

/// Which uncertainties come with a fit, from the exact Hessian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hesse {
    No,
    /// Of one parameter: one solution instead of a matrix. The others are NaN.
    Parameter(usize),
    /// Of all, with their covariance.
    All,
}

impl FitOptions {
    /// The model's own start, bounds and fixed flags.
    pub fn new(model: &Model) -> FitOptions {
        FitOptions {
            init: model.init(),
            bounds: model.bounds(),
            fixed: model.fixed(),
            max_iterations: 300,
            edm_tolerance: 1e-9,
            hesse: Hesse::All,
            restarts: true,
            starts: STARTS,
            seed: 0,
            brief: false,
        }
    }
}

/// The outcome of a fit, good or failed. All vectors are in fit order.
#[derive(Clone, Debug)]
pub struct FitResult {
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Estimated distance of `twice_nll` to the minimum.
    pub edm: f64,
    pub valid: bool,
    /// `None` for a valid fit; else what failed.
    pub reason: Option<Failure>,
    /// 0 for fixed parameters; at a bound from the free Hessian. `None` where not asked for or not computable.
    pub uncertainties: Option<Vec<f64>>,
    /// n × n, row-major; rows and columns of fixed parameters are zero.
    pub covariance: Option<Vec<f64>>,
    /// Free parameters that end on a bound.
    pub at_limit: Vec<usize>,
    /// Directions (parameters with their weights) in which a valid minimum is a plateau of flat errors; it then has no
    /// uncertainties.
    pub plateau: Vec<Vec<(usize, f64)>>,
    /// Free parameters of a valid minimum that have no effect there because what multiplies them is zero: their values are
    /// some of many, without uncertainties.
    pub without_effect: Vec<usize>,
    /// Free parameters that began at one instead of zero: at zero a bin with counts has no yield.
    pub lifted: Vec<usize>,
    /// `twice_nll` of the minimum to which the start leads, where another start led to a lower one.
    pub first_minimum: Option<f64>,
    /// All minima that were found, where samples or measurements respond to coefficients and other starts were tried.
    pub minima: Option<Minima>,
    pub n_iterations: usize,
    pub n_evaluations: usize,
}

/// Why a fit is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A start value lies outside its bounds.
    StartOutOfBounds {
        parameters: Vec<usize>,
    },
    /// The start has a bin with ν < 0 or ν = 0 with n > 0; without a place, the value is beyond binary64.
    OutOfDomain(Option<OutOfDomain>),
    /// The minimum lies where a bin's expected yield is zero.
    YieldAtZero {
        channel: usize,
        bin: usize,
    },
    /// The Hessian is not positive definite along these directions: (parameters with their weights).
    FlatDirections {
        directions: Vec<Vec<(usize, f64)>>,
    },
    IterationLimit,
    /// Rounding moves `twice_nll` by more than differences of it that matter.
    Rounding {
        size: f64,
    },
    /// A peak of a density lies between the points of a quadrature: the minimum is none.
    MissedPeak {
        peak: String,
    },
    /// No step lowers the value although the estimated distance is above the tolerance.
    NoProgress,
}

/// Minimises `twice_nll` over the free parameters within their bounds.
pub fn fit(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> FitResult {
    Fitter::new(evaluator).fit(evaluator, data, options)
}

/// Fits of one program with everything allocated once.
#[derive(Clone, Debug)]
pub struct Fitter {
    pub(super) minimizer: Minimizer,
}

/// A point with the values of functions.
fn completed(program: &Program, point: &[f64]) -> Vec<f64> {
    let mut point = point.to_vec();
    program.complete(&mut point);
    point
}

impl Fitter {
    pub fn new(evaluator: &Evaluator) -> Fitter {
        Fitter { minimizer: Minimizer::new(evaluator) }
    }

    /// The minimum and its certificate: (`twice_nll`, edm, whether it holds); the point is [`Fitter::parameters`].
    /// The start lies within the bounds.
    pub fn minimum(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
    ) -> (f64, f64, bool) {
        let (ending, _, _) = self.run(evaluator, data, options, &options.init, &options.limits());
        let ending = self.on_plateau(evaluator, data, options, ending);
        let certified = ending == Ending::Converged
            && hidden_by_rounding(data).is_none()
            && missed_peak(evaluator, data, options, &self.minimizer.theta).is_none()
            && (self.undetermined(evaluator, data, options).is_empty() || self.is_plateau(evaluator, data, options));
        (self.minimizer.value + 2.0 * data.constant, self.minimizer.edm, certified)
    }

    pub fn parameters(&self) -> &[f64] {
        &self.minimizer.theta
    }

    /// Over which distances `twice_nll` changes near the last minimum, n_parameters long.
    pub(crate) fn widths(&self) -> Vec<f64> {
        self.minimizer.widths()
    }

    /// What tells that a point is a local minimum (see [`super::Likelihood::certificate`]).
    pub(crate) fn certificate(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        parameters: &[f64],
    ) -> (f64, f64) {
        let silent = silent::without_effect(evaluator, data, options, parameters);
        self.minimizer.settle(evaluator, data, &options.holding(&silent).limits(), parameters);
        (self.minimizer.projected_gradient(), self.minimizer.smallest_eigenvalue(evaluator))
    }

    /// The gradient of `twice_nll` at the last minimum.
    pub(crate) fn gradient(&self) -> &[f64] {
        &self.minimizer.gradient
    }

    /// dθ/dθ_p of the last minimum (see [`super::Likelihood::tangent`]).
    pub(crate) fn tangent(&mut self, evaluator: &mut Evaluator, parameter: usize) -> Option<Vec<f64>> {
        self.minimizer.tangent(evaluator, parameter)
    }

    /// Minimises `twice_nll` over the free parameters within their bounds.
    pub fn fit(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> FitResult {
        let outside: Vec<usize> = (0..options.init.len())
            .filter(|&i| !(options.bounds[i].0..=options.bounds[i].1).contains(&options.init[i]))
            .collect();
        if !outside.is_empty() {
            return self.failed(options, Failure::StartOutOfBounds { parameters: outside });
        }
        let linear = if evaluator.program.is_linear() { from_linear(evaluator, data, options) } else { None };
        let options = linear.as_ref().unwrap_or(options);
        let start = feasible_start(evaluator, data, options, &options.init);
        let lifted = (0..start.len()).filter(|&i| start[i] != options.init[i]).collect();
        let Lowest { ending, iterations, evaluations, first, minima } = self.lowest(evaluator, data, options);
        let without_effect =
            if ending == Ending::Converged { self.silent(evaluator, data, options) } else { Vec::new() };
        let options = &*options.holding(&without_effect);
        let mut plateau = Vec::new();
        let reason = match ending {
            Ending::Converged => {
                let undetermined = main_components(self.undetermined(evaluator, data, options));
                let explained = !undetermined.is_empty() && self.is_plateau(evaluator, data, options);
                let failed = hidden_by_rounding(data)
                    .or_else(|| self.emptied_bin(evaluator, data, options))
                    .or_else(|| missed_peak(evaluator, data, options, &self.minimizer.theta));
                if explained {
                    plateau = undetermined;
                    failed
                } else if undetermined.is_empty() {
                    failed
                } else {
                    Some(Failure::FlatDirections { directions: undetermined })
                }
            }
            _ => self.reason(evaluator, data, ending),
        };
        let mut result = FitResult {
            parameters: completed(evaluator.program, &self.minimizer.theta),
            twice_nll: self.minimizer.value + 2.0 * data.constant,
            edm: self.minimizer.edm,
            valid: reason.is_none(),
            reason,
            uncertainties: None,
            covariance: None,
            at_limit: self.at_limit(options),
            plateau,
            without_effect,
            lifted,
            first_minimum: first.map(|value| value + 2.0 * data.constant),
            minima,
            n_iterations: iterations,
            n_evaluations: evaluations,
        };
        let flat = matches!(result.reason, Some(Failure::FlatDirections { .. })) || !result.plateau.is_empty();
        if result.twice_nll.is_finite() && !flat {
            match options.hesse {
                Hesse::No => {}
                Hesse::Parameter(parameter) => {
                    result.uncertainties = self.uncertainty(evaluator, data, options, parameter);
                }
                Hesse::All => uncertainty::hesse(evaluator, data, options, &mut result),
            }
            result.forget_without_effect();
        }
        result
    }

    /// Runs the minimiser, off saddles and along the edge of the domain. Returns how it ended, with the numbers of
    /// iterations and evaluations.
    pub(super) fn minimise(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        start: &[f64],
    ) -> (Ending, usize, usize) {
        let mut start = feasible_start(evaluator, data, options, start);
        let mut limits = Limits { leave_early: true, ..options.limits() };
        let (mut ending, mut iterations, mut evaluations) = (Ending::NoProgress, 0, 0);
        for _ in 0..MOST_SADDLES {
            let (end, steps, values) = self.run(evaluator, data, options, &start, &limits);
            ending = end;
            iterations += steps;
            evaluations += values;
            if ending != Ending::NoCurvature {
                break;
            }
            if self.leave_saddle(evaluator, data, options) {
                start.copy_from_slice(&self.minimizer.trial);
            } else if limits.leave_early || self.minimizer.edm > options.edm_tolerance {
                start.copy_from_slice(&self.minimizer.theta);
            } else {
                break;
            }
            limits.leave_early = false;
        }
        if ending == Ending::AtDomainEdge {
            ending = self.along_domain_edge(evaluator, data, options);
            iterations += self.minimizer.iterations;
            evaluations += self.minimizer.evaluations;
        }
        (self.on_plateau(evaluator, data, options, ending), iterations, evaluations)
    }

    fn failed(&self, options: &FitOptions, reason: Failure) -> FitResult {
        FitResult {
            parameters: options.init.clone(),
            twice_nll: f64::NAN,
            edm: f64::NAN,
            valid: false,
            reason: Some(reason),
            uncertainties: None,
            covariance: None,
            at_limit: Vec::new(),
            plateau: Vec::new(),
            without_effect: Vec::new(),
            lifted: Vec::new(),
            first_minimum: None,
            minima: None,
            n_iterations: 0,
            n_evaluations: 0,
        }
    }

    /// A run that ends on a plateau of flat errors has found the minimum, of which nothing but the place is open.
    fn on_plateau(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        ending: Ending,
    ) -> Ending {
        let stopped = ending == Ending::NoCurvature && self.minimizer.edm <= options.edm_tolerance;
        if stopped && self.is_plateau(evaluator, data, options) {
            self.minimizer.weak = true;
            return Ending::Converged;
        }
        ending
    }

    fn is_plateau(&self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> bool {
        let silent = self.silent(evaluator, data, options);
        let options = &*options.holding(&silent);
        let Minimizer { theta, gradient, free, .. } = &self.minimizer;
        // A bound that a parameter has met by chance, without a slope, determines nothing.
        let moves = |i: usize| {
            let (low, high) = options.bounds[i];
            free[i] || (!options.fixed[i] && low < high && gradient[i].abs() * (high - low) < EDGE)
        };
        let free: Vec<bool> = (0..theta.len()).map(moves).collect();
        plateau::is_plateau(evaluator, data, &options.bounds, theta, &free)
    }

    /// Where the gradient vanishes but the curvature is negative, looks for a lower point along the directions without
    /// positive curvature, one after the other, up to two widths away on both sides, and leaves it in `trial`.
    fn leave_saddle(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> bool {
        let widths = self.minimizer.widths();
        let (theta, free) = (&self.minimizer.theta, &self.minimizer.free);
        let directions = uncertainty::flat_directions(evaluator, data, theta, free, &widths);
        let (mut place, mut lowest, mut moved) = (theta.clone(), self.minimizer.value - 1e-10, false);
        for direction in &directions {
            let mut best = None;
            for length in OFF_SADDLE {
                let mut point = place.clone();
                for &(i, component) in &direction.components {
                    let (low, high) = options.bounds[i];
                    point[i] = (point[i] + length * component * widths[i]).clamp(low, high);
                }
                let value = evaluator.reduced(&point, data);
                if value < lowest {
                    lowest = value;
                    best = Some(point);
                }
            }
            if let Some(point) = best {
                (place, moved) = (point, true);
            }
        }
        if moved {
            self.minimizer.trial = place;
        }
        moved
    }

    /// Bins without counts whose yield the fit would make negative: a small count in each of them, made smaller step
    /// by step, leads to the minimum along the edge.
    fn along_domain_edge(&mut self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Ending {
        let mut start = self.minimizer.theta.clone();
        let (mut ending, mut iterations, mut evaluations) = (Ending::AtDomainEdge, 0, 0);
        for count in [1e-2, 1e-4, 1e-6, 1e-8, 1e-10] {
            let filled = data.with_count_where_empty(evaluator.program, count);
            let next = self.minimizer.run(evaluator, &filled, &start, &options.limits());
            iterations += self.minimizer.iterations;
            evaluations += self.minimizer.evaluations;
            // The last point lies on the edge itself, where a count, however small, is out of domain.
            if next == Ending::StartOutOfDomain {
                break;
            }
            ending = next;
            start.copy_from_slice(&self.minimizer.theta);
        }
        self.minimizer.theta.copy_from_slice(&start);
        self.minimizer.value = evaluator.reduced(&start, data);
        self.minimizer.iterations = iterations;
        self.minimizer.evaluations = evaluations;
        if ending == Ending::Converged { Ending::AtDomainEdge } else { ending }
    }

    fn reason(&mut self, evaluator: &mut Evaluator, data: &PreparedData, ending: Ending) -> Option<Failure> {
        match ending {
            Ending::Converged => None,
            Ending::IterationLimit => Some(Failure::IterationLimit),
            Ending::NoProgress => Some(Failure::NoProgress),
            Ending::NoCurvature => {
                let widths = self.minimizer.widths();
                let (theta, free) = (&self.minimizer.theta, &self.minimizer.free);
                let directions = uncertainty::flat_directions(evaluator, data, theta, free, &widths);
                Some(Failure::FlatDirections { directions: main_components(directions) })
            }
            Ending::StartOutOfDomain => {
                Some(Failure::OutOfDomain(evaluator.out_of_domain(&self.minimizer.theta, data)))
            }
            // There is no bin to name.
            Ending::AtDomainEdge if evaluator.program.n_bins() == 0 => Some(Failure::NoProgress),
            Ending::AtDomainEdge => {
                let (channel, bin) = evaluator.lowest_empty_bin(&self.minimizer.theta, data);
                Some(Failure::YieldAtZero { channel, bin })
            }
        }
    }

    /// A Hessian that is hardly positive definite: the directions that the data do not determine. Where a plateau of flat
    /// errors begins is part of it: an error on its bound without a slope counts as free, a clamp as a little wider.
    fn undetermined(
        &self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
    ) -> Vec<uncertainty::Direction> {
        let Minimizer { theta, gradient, free, weak, .. } = &self.minimizer;
        let program = evaluator.program;
        let at_edge = |i: &usize| !(free[*i] || options.fixed[*i]) && gradient[*i].abs() < EDGE;
        let at_edge: Vec<usize> = program.flat_errors().into_iter().filter(at_edge).collect();
        if !(*weak || program.is_clamped()) && at_edge.is_empty() {
            return Vec::new();
        }
        let mut free = free.clone();
        at_edge.into_iter().for_each(|i| free[i] = true);
        let wider = program.with_clamps_times(1.0 + EDGE);
        uncertainty::undetermined_directions(&mut Evaluator::new(&wider), data, theta, &free, &self.minimizer.widths())
    }

    /// A bin without counts whose yield the fit has brought to zero, though a free parameter could still lower it
    /// within its bounds. A bin that a parameter empties on its own bound is no failure.
    fn emptied_bin(&self, evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Option<Failure> {
        let program = evaluator.program;
        let n = program.n_parameters();
        let theta = &self.minimizer.theta;
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        evaluator.expected(theta, &mut main, &mut auxiliary);
        if !main.contains(&0.0) || program.n_shared > MOST_SHARED {
            return None;
        }
        let mut jacobian = vec![0.0; n * program.n_bins()];
        evaluator.expected_jacobian(theta, &mut jacobian);
        let falls = |bin: usize| {
            (0..n).filter(|&i| !options.fixed[i]).any(|i| {
                let ((low, high), slope) = (options.bounds[i], jacobian[bin * n + i]);
                (slope > 1e-100 && theta[i] > low) || (slope < -1e-100 && theta[i] < high)
            })
        };
        let bin = (0..program.n_bins()).find(|&bin| main[bin] == 0.0 && data.count(bin) == 0.0 && falls(bin))?;
        let (channel, bin) = program.layout.channel_of_bin(bin);
        Some(Failure::YieldAtZero { channel, bin })
    }

    /// √V_pp of one parameter, 0 for the fixed ones and NaN for the others.
    fn uncertainty(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        parameter: usize,
    ) -> Option<Vec<f64>> {
        let variance = self.minimizer.variance(evaluator, data, &options.fixed, parameter)?;
        let mut uncertainties = vec![f64::NAN; options.init.len()];
        for (uncertainty, _) in uncertainties.iter_mut().zip(&options.fixed).filter(|(_, fixed)| **fixed) {
            *uncertainty = 0.0;
        }
        uncertainties[parameter] = variance.sqrt();
        Some(uncertainties)
    }

    pub(super) fn at_limit(&self, options: &FitOptions) -> Vec<usize> {
        options.at_limit(&self.minimizer.theta)
    }
}

/// Whether no parameter differs by more than a part of its width.
pub(crate) fn one_place(a: &[f64], b: &[f64], widths: &[f64], part: f64) -> bool {
    a.iter().zip(b).zip(widths).all(|((a, b), width)| (a - b).abs() <= part * width)
}

/// Options that begin at the minimum of a linear model where that lies within the bounds; there is no other one.
fn from_linear(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Option<FitOptions> {
    let minimum = linear::minimum(evaluator, data, &options.fixed, &options.init)?;
    let inside = minimum.iter().zip(&options.bounds).all(|(x, (low, high))| (low..=high).contains(&x));
    inside.then(|| FitOptions { init: minimum, restarts: false, ..options.clone() })
}

/// Counts so large that differences of `twice_nll` are rounding.
fn hidden_by_rounding(data: &PreparedData) -> Option<Failure> {
    let size = rounding(data);
    (size > MOST_ROUNDING).then_some(Failure::Rounding { size })
}

/// What depends on constants alone is not looked at again.
fn missed_peak(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions, theta: &[f64]) -> Option<Failure> {
    evaluator.hold(&options.fixed);
    let peak = evaluator.missed_peak(theta, data);
    evaluator.release();
    peak.map(|peak| Failure::MissedPeak { peak })
}

/// The main components of flat directions.
fn main_components(directions: Vec<uncertainty::Direction>) -> Vec<Vec<(usize, f64)>> {
    let main = |direction: uncertainty::Direction| {
        direction.components.into_iter().filter(|(_, weight)| weight.abs() > 0.1).collect()
    };
    directions.into_iter().map(main).collect()
}

/// The start, or where a factor of zero leaves a bin with counts without yield, the start with such factors at one.
fn feasible_start(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions, start: &[f64]) -> Vec<f64> {
    let start = start.to_vec();
    if evaluator.reduced(&start, data).is_finite() {
        return start;
    }
    let lifted: Vec<f64> = (0..start.len())
        .map(|i| {
            let (low, high) = options.bounds[i];
            if start[i] == 0.0 && !options.fixed[i] && low >= 0.0 { high.min(1.0) } else { start[i] }
        })
        .collect();
    if evaluator.reduced(&lifted, data).is_finite() { lifted } else { start }
}

impl FitResult {
    /// What has no effect was held where it stood, which is no knowledge of it.
    fn forget_without_effect(&mut self) {
        let n = self.parameters.len();
        for &i in &self.without_effect {
            self.uncertainties.iter_mut().for_each(|all| all[i] = f64::NAN);
            self.covariance.iter_mut().for_each(|all| all[i * n + i] = f64::NAN);
        }
    }
}

impl FitOptions {
    /// The free parameters that lie on a bound.
    pub(super) fn at_limit(&self, theta: &[f64]) -> Vec<usize> {
        let on = |i: usize| theta[i] <= self.bounds[i].0 || theta[i] >= self.bounds[i].1;
        (0..theta.len()).filter(|&i| !self.fixed[i] && on(i)).collect()
    }

    pub(super) fn limits(&self) -> Limits<'_> {
        Limits {
            bounds: &self.bounds,
            fixed: &self.fixed,
            max_iterations: self.max_iterations,
            edm_tolerance: self.edm_tolerance,
            leave_early: false,
        }
    }
}
