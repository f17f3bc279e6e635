//! Bounded minimisation of −2 ln L: Newton steps with the exact Hessian, projected on the bounds, damped where the
//! Hessian is not positive definite, with a line search (spec/rationale.md, "Minimiser").

use super::newton::NewtonSystem;
use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// A Hessian that needs more damping than this, in units of the constraints, gives way to the Gauss–Newton matrix.
const MOST_DAMPING: f64 = 1.0;

/// How a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Converged,
    /// The gradient vanishes, but the Hessian is singular or indefinite there.
    NoCurvature,
    /// The start has a bin with ν < 0, or ν = 0 with n > 0.
    StartOutOfDomain,
    /// Steps are cut by a bin whose yield goes to zero.
    AtDomainEdge,
    IterationLimit,
    NoProgress,
}

/// What bounds a minimisation.
#[derive(Clone, Debug)]
pub(crate) struct Limits<'a> {
    pub bounds: &'a [(f64, f64)],
    pub fixed: &'a [bool],
    pub max_iterations: usize,
    pub edm_tolerance: f64,
}

/// The state of a minimisation; allocated once, run many times.
#[derive(Clone, Debug)]
pub(crate) struct Minimizer {
    pub system: NewtonSystem,
    /// The current point, its reduced value and gradient.
    pub theta: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
    pub edm: f64,
    pub iterations: usize,
    pub evaluations: usize,
    /// Parameters that may move in the current step.
    pub free: Vec<bool>,
    /// The current step uses the Gauss–Newton matrix.
    approximate: bool,
    step: Vec<f64>,
    displacement: Vec<f64>,
    curvature: Vec<f64>,
    pub trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    damping: Vec<f64>,
    constrained: Vec<f64>,
}

fn relaxed(lambda: f64) -> f64 {
    if lambda < 1e-6 { 0.0 } else { lambda / 10.0 }
}

/// What a line search found.
enum Search {
    /// `trial` is better; its gradient and Hessian are known when true.
    Better { known: bool },
    /// Nothing better; some trial was outside the domain when true.
    Nothing { edge: bool },
}

impl Minimizer {
    pub fn new(evaluator: &Evaluator) -> Minimizer {
        let program = evaluator.program;
        let n = program.n_parameters();
        let mut constrained = vec![0.0; n];
        for &(parameter, sigma, _) in &program.constraints.gaussians {
            constrained[parameter as usize] = 2.0 / (sigma * sigma);
        }
        for &(parameter, factor, _) in &program.constraints.poissons {
            constrained[parameter as usize] = 2.0 * factor;
        }
        Minimizer {
            system: NewtonSystem::new(program, evaluator.backend()),
            theta: vec![0.0; n],
            value: f64::INFINITY,
            gradient: vec![0.0; n],
            edm: f64::INFINITY,
            iterations: 0,
            evaluations: 0,
            free: vec![true; n],
            approximate: false,
            step: vec![0.0; n],
            displacement: vec![0.0; n],
            curvature: vec![0.0; n],
            trial: vec![0.0; n],
            trial_gradient: vec![0.0; n],
            damping: vec![0.0; n],
            constrained,
        }
    }

    /// A width for each parameter: its constraint's, or what its curvature in the last step tells.
    pub fn widths(&self) -> Vec<f64> {
        self.damping.iter().map(|curvature| (2.0 / curvature).sqrt()).collect()
    }

    /// Runs from `start`, which lies within the bounds.
    pub fn run(&mut self, evaluator: &mut Evaluator, data: &PreparedData, start: &[f64], limits: &Limits) -> Ending {
        self.theta.copy_from_slice(start);
        self.iterations = 0;
        self.evaluations = 1;
        self.edm = f64::INFINITY;
        self.value = evaluator.reduced_with_blocks(&self.theta, data, &mut self.gradient);
        if !self.value.is_finite() {
            return Ending::StartOutOfDomain;
        }
        // The damping of the last step, and the least that failed searches have asked for.
        let (mut lambda, mut floor) = (0.0, 0.0);
        let mut edge_steps = 0;
        while self.iterations < limits.max_iterations {
            self.iterations += 1;
            lambda = self.find_step(evaluator, data, limits, lambda, floor);
            if self.edm < limits.edm_tolerance {
                return self.certify(evaluator, data, lambda);
            }
            match self.search(evaluator, data) {
                Search::Better { known } => {
                    self.accept(evaluator, data, known);
                    lambda = relaxed(lambda);
                    floor = relaxed(floor);
                    if known {
                        edge_steps = 0;
                    }
                }
                Search::Nothing { edge } => {
                    if edge {
                        edge_steps += 1;
                    }
                    if floor > 1e10 || edge_steps > 3 {
                        return if edge { Ending::AtDomainEdge } else { Ending::NoProgress };
                    }
                    floor = (10.0 * floor.max(lambda)).max(1e-3);
                    self.evaluations += 1;
                    evaluator.reduced_with_blocks(&self.theta, data, &mut self.gradient);
                }
            }
        }
        Ending::IterationLimit
    }

    /// The gradient has vanished; is it a minimum?
    fn certify(&mut self, evaluator: &mut Evaluator, data: &PreparedData, lambda: f64) -> Ending {
        if self.approximate {
            self.evaluations += 1;
            evaluator.reduced_with_blocks(&self.theta, data, &mut self.gradient);
        } else if lambda == 0.0 {
            return Ending::Converged;
        }
        let program = evaluator.program;
        match self.system.factorize(program, evaluator.blocks(), &self.free, 0.0, &self.damping) {
            Ok(()) => Ending::Converged,
            Err(_) => Ending::NoCurvature,
        }
    }

    fn accept(&mut self, evaluator: &mut Evaluator, data: &PreparedData, known: bool) {
        std::mem::swap(&mut self.theta, &mut self.trial);
        if known {
            std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        } else {
            self.evaluations += 1;
            self.value = evaluator.reduced_with_blocks(&self.theta, data, &mut self.gradient);
        }
    }

    /// Writes the step to `step` and the expected distance to the minimum to `edm`; returns the damping that it took.
    fn find_step(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        limits: &Limits,
        last: f64,
        floor: f64,
    ) -> f64 {
        let mut lambda = last.max(floor);
        self.choose_free(limits);
        self.choose_damping(evaluator);
        let program = evaluator.program;
        self.displacement.fill(0.0);
        self.approximate = false;
        let mut first = true;
        for _ in 0..60 {
            let blocks = evaluator.blocks();
            if self.system.factorize(program, blocks, &self.free, lambda, &self.damping).is_err() {
                lambda = (10.0 * lambda).max(1e-9);
                if lambda > MOST_DAMPING && !self.approximate {
                    self.approximate = true;
                    evaluator.approximate_blocks(data);
                    lambda = floor;
                }
                continue;
            }
            self.right_hand_side(evaluator);
            self.system.solve(program, &self.free, &mut self.step);
            if first {
                self.edm = -0.5 * self.step.iter().zip(&self.gradient).map(|(s, g)| s * g).sum::<f64>();
                first = false;
                if self.edm < limits.edm_tolerance {
                    return lambda;
                }
            }
            if !self.clamp(limits) {
                break;
            }
        }
        for (step, displacement) in self.step.iter_mut().zip(&self.displacement) {
            *step += displacement;
        }
        lambda
    }

    /// A parameter on a bound against which the gradient pushes stays there.
    fn choose_free(&mut self, limits: &Limits) {
        for (i, free) in self.free.iter_mut().enumerate() {
            let (low, high) = limits.bounds[i];
            let (x, g) = (self.theta[i], self.gradient[i]);
            *free = !(limits.fixed[i] || low == high || (x <= low && g > 0.0) || (x >= high && g < 0.0));
        }
    }

    /// Damping is measured in the widths of the constraints; a free parameter's own curvature stands in for them.
    fn choose_damping(&mut self, evaluator: &mut Evaluator) {
        self.damping.copy_from_slice(&self.constrained);
        if self.damping.contains(&0.0) {
            let program = evaluator.program;
            let blocks = evaluator.blocks();
            for (i, damping) in self.damping.iter_mut().enumerate() {
                if *damping == 0.0 {
                    *damping = blocks.diagonal(program, i).abs().max(1e-4);
                }
            }
        }
    }

    /// −g − H d in `step`.
    fn right_hand_side(&mut self, evaluator: &mut Evaluator) {
        if self.displacement.iter().any(|d| *d != 0.0) {
            let program = evaluator.program;
            self.system.multiply(program, evaluator.blocks(), &self.displacement, &mut self.curvature);
            for (step, (g, hd)) in self.step.iter_mut().zip(self.gradient.iter().zip(&self.curvature)) {
                *step = -g - hd;
            }
        } else {
            for (step, g) in self.step.iter_mut().zip(&self.gradient) {
                *step = -g;
            }
        }
    }

    /// Moves what leaves its bounds onto them for the rest of this step. False when nothing does.
    fn clamp(&mut self, limits: &Limits) -> bool {
        let mut clamped = false;
        for i in 0..self.theta.len() {
            let (low, high) = limits.bounds[i];
            let x = self.theta[i] + self.step[i];
            if self.free[i] && (x < low || x > high) {
                self.free[i] = false;
                self.displacement[i] = x.clamp(low, high) - self.theta[i];
                clamped = true;
            }
        }
        clamped
    }

    /// Backtracks from the full step until the value falls as the slope promises.
    fn search(&mut self, evaluator: &mut Evaluator, data: &PreparedData) -> Search {
        let slope: f64 = self.step.iter().zip(&self.gradient).map(|(s, g)| s * g).sum();
        let noise = 1e-14 * self.value.abs() + 1e-14;
        if slope.is_nan() || slope >= 0.0 {
            return Search::Nothing { edge: false };
        }
        let mut edge = false;
        let mut t = 1.0;
        for attempt in 0..30 {
            for ((trial, x), step) in self.trial.iter_mut().zip(&self.theta).zip(&self.step) {
                *trial = x + t * step;
            }
            self.evaluations += 1;
            let value = if attempt == 0 {
                evaluator.reduced_with_blocks(&self.trial, data, &mut self.trial_gradient)
            } else {
                evaluator.reduced(&self.trial, data)
            };
            if value <= self.value + 1e-4 * t * slope + noise {
                self.value = value;
                return Search::Better { known: attempt == 0 };
            }
            t = if value.is_finite() {
                let bend = value - self.value - t * slope;
                (-0.5 * slope * t * t / bend).clamp(0.1 * t, 0.5 * t)
            } else {
                edge = true;
                0.3 * t
            };
        }
        Search::Nothing { edge }
    }
}
