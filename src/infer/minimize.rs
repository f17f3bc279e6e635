//! Bounded minimisation of −2 ln L: Newton steps with the exact Hessian, projected on the bounds, damped where the
//! Hessian is not positive definite, with a line search (spec/rationale.md, "Minimiser").

mod follow;

use super::conjugate::{ConjugateSystem, Place};
use super::lanczos;
use super::newton::NewtonSystem;
use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// A Hessian that needs more damping than this, in units of the constraints, gives way to the Gauss–Newton matrix.
const MOST_DAMPING: f64 = 1.0;

/// So near to a saddle (in edm) it is better to look along the negative curvature than to go on.
const SADDLE: f64 = 1e-2;

/// A pivot below this part of its diagonal element may come from what rounding leaves of the gradient.
pub(crate) const WEAK_PIVOT: f64 = 1e-4;

/// A Newton step gains many digits, so the last one is taken beyond the tolerance: parameters gain less than values.
pub(crate) const POLISH: f64 = 1e-3;

/// From this many shared parameters on, steps are found without a matrix.
pub(crate) const MOST_SHARED: usize = 3000;

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
    /// End near a point of negative curvature instead of walking onto it.
    pub leave_early: bool,
}

impl Limits<'_> {
    /// A parameter on a bound against which the gradient pushes stays there.
    fn lets_move(&self, i: usize, x: f64, gradient: f64) -> bool {
        let (low, high) = self.bounds[i];
        !(self.fixed[i] || low == high || (x <= low && gradient > 0.0) || (x >= high && gradient < 0.0))
    }
}

/// The state of a minimisation; allocated once, run many times.
#[derive(Clone, Debug)]
pub(crate) struct Minimizer {
    system: System,
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
    /// A gradient costs a small part of a Hessian, and means bend: steps between Hessians, and damping as far as it goes.
    curved: bool,
    /// A Hessian costs many values: the first step, which is often too long, is judged by its value, and the last one is
    /// taken without another Hessian.
    careful: bool,
    /// The certified Hessian is positive definite by so little that rounding may have made it so.
    pub weak: bool,
    /// Rounding of the sum of the counts' terms.
    rounding: f64,
    step: Vec<f64>,
    displacement: Vec<f64>,
    curvature: Vec<f64>,
    pub trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    damping: Vec<f64>,
    constrained: Vec<f64>,
}

/// The reduced value with its gradient, and with its Hessian where the system is solved directly.
fn evaluate(
    system: &System,
    evaluator: &mut Evaluator,
    data: &PreparedData,
    theta: &[f64],
    gradient: &mut [f64],
) -> f64 {
    match system {
        System::Direct(_) => evaluator.reduced_with_blocks(theta, data, gradient),
        System::MatrixFree(_) => evaluator.gradient(theta, data, gradient) - 2.0 * data.constant,
    }
}

/// The part of [`noise`] that comes from the data alone.
pub(crate) fn rounding(data: &PreparedData) -> f64 {
    1e-16 * data.sum_of_counts() + 1e-14
}

/// What rounding does to a reduced value: it is a sum of terms as large as the counts.
pub(crate) fn noise(value: f64, rounding: f64) -> f64 {
    1e-14 * value.abs() + rounding
}

fn relaxed(lambda: f64) -> f64 {
    if lambda < 1e-6 { 0.0 } else { lambda / 10.0 }
}

/// How Newton steps are solved for.
#[derive(Clone, Debug)]
enum System {
    Direct(Box<NewtonSystem>),
    /// More shared parameters than a matrix should have.
    MatrixFree(ConjugateSystem),
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
            system: if program.n_shared > MOST_SHARED {
                System::MatrixFree(ConjugateSystem::new(n))
            } else {
                System::Direct(Box::new(NewtonSystem::new(program, evaluator.backend())))
            },
            theta: vec![0.0; n],
            value: f64::INFINITY,
            gradient: vec![0.0; n],
            edm: f64::INFINITY,
            iterations: 0,
            evaluations: 0,
            free: vec![true; n],
            approximate: false,
            curved: !program.measurements.is_empty() && program.n_shared <= MOST_SHARED,
            careful: program.densities.is_some() && program.n_shared <= MOST_SHARED,
            weak: false,
            rounding: 0.0,
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

    /// Takes a point as it is, with its gradient, Hessian and what may move there.
    pub fn settle(&mut self, evaluator: &mut Evaluator, data: &PreparedData, limits: &Limits, point: &[f64]) {
        self.theta.copy_from_slice(point);
        self.rounding = rounding(data);
        self.approximate = false;
        self.value = self.evaluate_here(evaluator, data);
        self.choose_free(limits);
        self.choose_damping(evaluator, data);
    }

    /// The largest component of the gradient over what may move, in `twice_nll` a width.
    pub fn projected_gradient(&self) -> f64 {
        let components = self.gradient.iter().zip(self.widths()).zip(&self.free).filter(|(_, free)| **free);
        // Not max: a component that is not a number counts.
        components.map(|((g, width), _)| (g * width).abs()).fold(0.0, |a, b| if b <= a { a } else { b })
    }

    /// The smallest eigenvalue of ½ w_i H_ij w_j over what may move, w being the widths: 1 where the curvature is that of
    /// the constraint alone. Infinite where nothing may move, NaN where it is not positive or there is no matrix.
    pub fn smallest_eigenvalue(&mut self, evaluator: &mut Evaluator) -> f64 {
        let free: Vec<usize> = (0..self.theta.len()).filter(|&i| self.free[i]).collect();
        if free.is_empty() {
            return f64::INFINITY;
        }
        if matches!(self.system, System::MatrixFree(_)) || !self.factorize(evaluator, 0.0) {
            return f64::NAN;
        }
        let widths = self.widths();
        let (program, mut x) = (evaluator.program, vec![0.0; self.theta.len()]);
        let System::Direct(system) = &mut self.system else { return f64::NAN };
        let largest = lanczos::largest_eigenvalue(free.len(), |from, to| {
            x.fill(0.0);
            free.iter().zip(from).for_each(|(&i, from)| x[i] = 2.0 * from / widths[i]);
            system.solve(program, &self.free, &mut x);
            free.iter().zip(to).for_each(|(&i, to)| *to = x[i] / widths[i]);
        });
        1.0 / largest
    }

    /// Runs from `start`, which lies within the bounds.
    pub fn run(&mut self, evaluator: &mut Evaluator, data: &PreparedData, start: &[f64], limits: &Limits) -> Ending {
        evaluator.hold(limits.fixed);
        let ending = self.iterate(evaluator, data, start, limits);
        evaluator.release();
        ending
    }

    fn iterate(&mut self, evaluator: &mut Evaluator, data: &PreparedData, start: &[f64], limits: &Limits) -> Ending {
        self.theta.copy_from_slice(start);
        self.rounding = rounding(data);
        self.weak = false;
        self.iterations = 0;
        self.evaluations = 1;
        self.edm = f64::INFINITY;
        self.value = self.evaluate_here(evaluator, data);
        if !self.value.is_finite() {
            return Ending::StartOutOfDomain;
        }
        // The damping of the last step, and the least that failed searches have asked for.
        let (mut lambda, mut floor) = (0.0, 0.0);
        let mut edge_steps = 0;
        let mut before = f64::INFINITY;
        while self.iterations < limits.max_iterations {
            self.iterations += 1;
            lambda = self.find_step(evaluator, data, limits, lambda, floor);
            let last_gain = before - self.value;
            before = self.value;
            // Where means bend, gains fall with the square: the last step is as good as it gets.
            let squares = (self.curved || self.careful) && lambda == 0.0;
            let enough = self.edm < limits.edm_tolerance && (squares || last_gain <= self.noise());
            if enough || self.edm < POLISH * limits.edm_tolerance {
                let exact = lambda == 0.0 && !self.approximate;
                let ending = self.certify(evaluator, data, lambda);
                if ending == Ending::Converged && (exact || self.has_exact_step(evaluator, data, limits)) {
                    self.take_last_step(limits);
                    if self.curved || self.careful {
                        self.evaluations += 1;
                        self.value = evaluator.reduced(&self.theta, data);
                    }
                }
                return ending;
            }
            if limits.leave_early && (self.approximate || lambda > 0.03) && self.edm < SADDLE {
                return Ending::NoCurvature;
            }
            match self.search(evaluator, data) {
                Search::Better { known } if self.curved => {
                    // A step that had to be cut shows that the damping was too weak far away.
                    lambda = if known {
                        relaxed(lambda)
                    } else if self.edm > 1.0 {
                        (3.0 * lambda).max(1e-6)
                    } else {
                        lambda
                    };
                    floor = relaxed(floor);
                    self.follow(evaluator, data, limits);
                    self.evaluations += 1;
                    self.value = self.evaluate_here(evaluator, data);
                }
                Search::Better { known } => {
                    self.accept(evaluator, data, known);
                    lambda = relaxed(lambda);
                    floor = relaxed(floor);
                    if known {
                        edge_steps = 0;
                    }
                }
                // Rounding hides what is left to gain.
                Search::Nothing { .. } if self.edm < limits.edm_tolerance => {
                    self.evaluations += 1;
                    self.evaluate_here(evaluator, data);
                    return self.certify(evaluator, data, lambda);
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
                    self.evaluate_here(evaluator, data);
                }
            }
        }
        Ending::IterationLimit
    }

    /// The reduced value at `theta`, with its gradient, and its Hessian where steps need a matrix.
    fn evaluate_here(&mut self, evaluator: &mut Evaluator, data: &PreparedData) -> f64 {
        evaluate(&self.system, evaluator, data, &self.theta, &mut self.gradient)
    }

    /// Replaces a step with damping or another matrix by Newton's, with the matrix that was certified; false without a
    /// matrix, or where the step would go beyond the tolerance.
    fn has_exact_step(&mut self, evaluator: &mut Evaluator, data: &PreparedData, limits: &Limits) -> bool {
        if matches!(self.system, System::MatrixFree(_)) {
            return false;
        }
        self.solve(evaluator, data, 0.0);
        let slopes = self.gradient.iter().zip(&self.step).zip(&self.free).filter(|(_, free)| **free);
        let gain = -0.5 * slopes.map(|((g, step), _)| g * step).sum::<f64>();
        (0.0..=limits.edm_tolerance).contains(&gain)
    }

    /// The last Newton step gains nothing in the value, but squares the error of the parameters: Asimov data are made of
    /// them, and feel it in first order.
    fn take_last_step(&mut self, limits: &Limits) {
        for (i, (x, step)) in self.theta.iter_mut().zip(&self.step).enumerate() {
            let (low, high) = limits.bounds[i];
            if self.free[i] && (low..=high).contains(&(*x + step)) {
                *x += step;
            }
        }
    }

    /// The gradient has vanished; is it a minimum?
    fn certify(&mut self, evaluator: &mut Evaluator, data: &PreparedData, lambda: f64) -> Ending {
        if self.approximate {
            self.evaluations += 1;
            self.evaluate_here(evaluator, data);
        }
        if (self.approximate || lambda != 0.0) && !self.factorize(evaluator, 0.0) {
            return Ending::NoCurvature;
        }
        if let System::Direct(system) = &self.system {
            self.weak = system.weakest_pivot() < WEAK_PIVOT;
        }
        Ending::Converged
    }

    /// Prepares the system with damping; false where it is not positive definite.
    fn factorize(&mut self, evaluator: &mut Evaluator, lambda: f64) -> bool {
        match &mut self.system {
            System::Direct(system) => {
                let program = evaluator.program;
                system.factorize(program, evaluator.blocks(), &self.free, lambda, &self.damping).is_ok()
            }
            System::MatrixFree(system) => !std::mem::take(&mut system.no_curvature),
        }
    }

    /// Solves for the right-hand side −g − H d; the solution is in `step`.
    fn solve(&mut self, evaluator: &mut Evaluator, data: &PreparedData, lambda: f64) {
        let place =
            Place { theta: &self.theta, gradient: &self.gradient, free: &self.free, lambda, diagonal: &self.damping };
        let displaced = self.displacement.iter().any(|d| *d != 0.0);
        self.curvature.fill(0.0);
        match &mut self.system {
            System::Direct(system) if displaced => {
                system.multiply(evaluator.program, evaluator.blocks(), &self.displacement, &mut self.curvature);
            }
            System::MatrixFree(system) if displaced => {
                system.multiply(evaluator, data, &place, &self.displacement, &mut self.curvature);
            }
            _ => {}
        }
        for (step, (g, hd)) in self.step.iter_mut().zip(self.gradient.iter().zip(&self.curvature)) {
            *step = -g - hd;
        }
        match &mut self.system {
            System::Direct(system) => system.solve(evaluator.program, &self.free, &mut self.step),
            System::MatrixFree(system) => system.solve(evaluator, data, &place, &mut self.step),
        }
    }

    fn accept(&mut self, evaluator: &mut Evaluator, data: &PreparedData, known: bool) {
        std::mem::swap(&mut self.theta, &mut self.trial);
        if known {
            std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        } else {
            self.evaluations += 1;
            self.value = self.evaluate_here(evaluator, data);
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
        self.choose_damping(evaluator, data);
        self.displacement.fill(0.0);
        self.approximate = false;
        let mut first = true;
        for _ in 0..60 {
            if !self.factorize(evaluator, lambda) {
                lambda = if lambda < 1e-3 { (10.0 * lambda).max(1e-9) } else { 4.0 * lambda };
                let gives_way = !self.approximate && !self.curved && matches!(self.system, System::Direct(_));
                if lambda > MOST_DAMPING && gives_way {
                    self.approximate = true;
                    evaluator.approximate_blocks(data);
                    lambda = floor;
                }
                continue;
            }
            self.solve(evaluator, data, lambda);
            if first {
                self.edm = -0.5 * self.step.iter().zip(&self.gradient).map(|(s, g)| s * g).sum::<f64>();
                first = false;
                if self.edm < POLISH * limits.edm_tolerance {
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

    fn choose_free(&mut self, limits: &Limits) {
        for (i, free) in self.free.iter_mut().enumerate() {
            *free = limits.lets_move(i, self.theta[i], self.gradient[i]);
        }
    }

    /// Damping is measured in the widths of the constraints; a free parameter's own curvature stands in for them.
    fn choose_damping(&mut self, evaluator: &mut Evaluator, data: &PreparedData) {
        self.damping.copy_from_slice(&self.constrained);
        if matches!(self.system, System::MatrixFree(_)) {
            self.measure_damping(evaluator, data);
        } else if self.damping.contains(&0.0) {
            let program = evaluator.program;
            let blocks = evaluator.blocks();
            for (i, damping) in self.damping.iter_mut().enumerate() {
                if *damping == 0.0 {
                    *damping = blocks.diagonal(program, i).abs().max(1e-4);
                }
            }
        }
    }

    /// Without a matrix the curvature of a free parameter comes from two gradients; there are few free parameters.
    fn measure_damping(&mut self, evaluator: &mut Evaluator, data: &PreparedData) {
        self.trial.copy_from_slice(&self.theta);
        for i in 0..self.theta.len() {
            if self.damping[i] != 0.0 {
                continue;
            }
            let step = 1e-5 * self.theta[i].abs().max(1e-2);
            self.trial[i] += step;
            self.evaluations += 1;
            let finite = evaluator.gradient(&self.trial, data, &mut self.trial_gradient).is_finite();
            let curvature = (self.trial_gradient[i] - self.gradient[i]) / step;
            self.damping[i] = if finite { curvature.abs().max(1e-4) } else { 1.0 };
            self.trial[i] = self.theta[i];
        }
    }

    /// V = 2 H⁻¹ of one parameter over all that are not fixed; nothing where H is not positive definite.
    pub fn variance(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        fixed: &[bool],
        parameter: usize,
    ) -> Option<f64> {
        if fixed[parameter] {
            return Some(0.0);
        }
        self.evaluate_here(evaluator, data);
        self.free.iter_mut().zip(fixed).for_each(|(free, fixed)| *free = !fixed);
        if !self.factorize(evaluator, 0.0) {
            return None;
        }
        let mut column = vec![0.0; self.theta.len()];
        column[parameter] = 1.0;
        let place = Place {
            theta: &self.theta,
            gradient: &self.gradient,
            free: &self.free,
            lambda: 0.0,
            diagonal: &self.damping,
        };
        match &mut self.system {
            System::Direct(system) => system.solve(evaluator.program, &self.free, &mut column),
            System::MatrixFree(system) => {
                system.solve(evaluator, data, &place, &mut column);
                if system.no_curvature {
                    return None;
                }
            }
        }
        let variance = 2.0 * column[parameter];
        (variance > 0.0).then_some(variance)
    }

    /// −H⁻¹ ∂²/∂θ∂θ_p over the free parameters at the current point, 1 for θ_p, 0 for what else is not free. `None` where
    /// H is not positive definite or there is no matrix.
    pub fn tangent(&mut self, evaluator: &mut Evaluator, parameter: usize) -> Option<Vec<f64>> {
        let was_free = std::mem::replace(&mut self.free[parameter], false);
        let tangent = self.factorize(evaluator, 0.0).then(|| match &mut self.system {
            System::MatrixFree(_) => None,
            System::Direct(system) => {
                let program = evaluator.program;
                let (mut unit, mut tangent) = (vec![0.0; self.theta.len()], vec![0.0; self.theta.len()]);
                unit[parameter] = 1.0;
                system.multiply(program, evaluator.blocks(), &unit, &mut tangent);
                tangent.iter_mut().for_each(|t| *t = -*t);
                system.solve(program, &self.free, &mut tangent);
                tangent[parameter] = 1.0;
                Some(tangent)
            }
        });
        self.free[parameter] = was_free;
        tangent.flatten()
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

    fn noise(&self) -> f64 {
        noise(self.value, self.rounding)
    }

    /// Backtracks from the full step until the value falls as the slope promises.
    fn search(&mut self, evaluator: &mut Evaluator, data: &PreparedData) -> Search {
        let slope: f64 = self.step.iter().zip(&self.gradient).map(|(s, g)| s * g).sum();
        let noise = self.noise();
        if slope.is_nan() || slope >= 0.0 {
            return Search::Nothing { edge: false };
        }
        let mut edge = false;
        let mut t = 1.0;
        let at_once = !(self.careful && self.iterations == 1);
        for attempt in 0..30 {
            for ((trial, x), step) in self.trial.iter_mut().zip(&self.theta).zip(&self.step) {
                *trial = x + t * step;
            }
            self.evaluations += 1;
            let value = if self.curved {
                evaluator.gradient(&self.trial, data, &mut self.trial_gradient) - 2.0 * data.constant
            } else if attempt == 0 && at_once {
                evaluate(&self.system, evaluator, data, &self.trial, &mut self.trial_gradient)
            } else {
                evaluator.reduced(&self.trial, data)
            };
            if value <= self.value + 1e-4 * t * slope + noise {
                self.value = value;
                return Search::Better { known: attempt == 0 && at_once };
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
