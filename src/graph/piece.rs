//! A sum of programs, each with the parameters on which it depends: second derivatives are made piece by piece.

use super::likelihood::Parameter;
use super::program::{self, Program};

/// One program, and the differences from which its second derivatives are made.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub program: Program,
    /// Those that it depends on, ascending.
    pub parameters: Vec<usize>,
    /// Where second derivatives come from differences: for each of these a step along which the gradient changes, yet
    /// hardly bends.
    steps: Vec<f64>,
}

/// Memory of the evaluation of several programs.
#[derive(Clone, Debug)]
pub struct Scratch {
    pub(super) programs: Vec<program::Scratch>,
    gradient: Vec<f64>,
    other: Vec<f64>,
    theta: Vec<f64>,
    /// The last second derivatives of each program.
    pub(super) squares: Vec<Vec<f64>>,
}

/// Steps are this part of the distance over which −ln L of a piece grows by a half: differences are then good to about
/// 10⁻⁸ (spec/hs3.md, eq. 46).
const PART: f64 = 2e-4;

impl Piece {
    pub fn new(program: Program) -> Piece {
        let parameters = program.parameters();
        let steps = vec![0.0; if program.has_hessian() { 0 } else { parameters.len() }];
        Piece { program, parameters, steps }
    }

    /// The same with other data: where it depends on the same parameters, the steps stay.
    pub fn with_program(&self, program: Program) -> Piece {
        let mut piece = Piece::new(program.with_steps_of(&self.program));
        for (parameter, step) in piece.parameters.iter().zip(&mut piece.steps) {
            let place = self.parameters.binary_search(parameter).ok();
            *step = place.and_then(|at| self.steps.get(at)).copied().unwrap_or(PART);
        }
        piece
    }

    /// Chooses the steps of differences, from the values of the parameters and their ranges; where `curved`, from the
    /// curvature there.
    pub fn measure(&mut self, parameters: &[Parameter], curved: bool, memory: &mut Scratch, at: usize) {
        if self.program.has_hessian() {
            return;
        }
        let theta: Vec<f64> = parameters.iter().map(|p| p.value).collect();
        for (k, i) in self.parameters.iter().enumerate() {
            let width = parameters[*i].max - parameters[*i].min;
            let scale = if width.is_finite() && width > 0.0 { width / 20.0 } else { theta[*i].abs().max(1.0) };
            self.steps[k] = PART * scale;
        }
        if !curved {
            return;
        }
        for k in 0..self.parameters.len() {
            for _ in 0..3 {
                let i = self.parameters[k];
                let slope = |x: f64, memory: &mut Scratch| {
                    memory.theta.copy_from_slice(&theta);
                    memory.theta[i] = x;
                    let Scratch { programs, gradient, theta, .. } = memory;
                    let value = self.program.value_and_gradient(theta, gradient, &mut programs[at]);
                    if value.is_finite() { gradient[i] } else { f64::NAN }
                };
                let h = self.steps[k];
                let curvature = (slope(theta[i] + h, memory) - slope(theta[i] - h, memory)) / (2.0 * h);
                if curvature.is_finite() && curvature > 0.0 {
                    self.steps[k] = (PART / curvature.sqrt()).clamp(1e-3 * h, 1e3 * h);
                }
            }
        }
    }

    /// The value with its gradient, of which elsewhere nothing is written, and the second derivatives by this piece's
    /// parameters (square, row-major) in [`Scratch::squares`].
    pub fn hessian(&self, theta: &[f64], memory: &mut Scratch, at: usize) -> f64 {
        let k = self.parameters.len();
        memory.squares[at].resize(k * k, 0.0);
        let Scratch { programs, gradient, squares, .. } = memory;
        if self.program.has_hessian() {
            return self.program.hessian(theta, gradient, &mut squares[at], &mut programs[at]);
        }
        self.differences(theta, memory, at);
        self.program.value_and_gradient(theta, &mut memory.gradient, &mut memory.programs[at])
    }

    /// The second derivatives from differences of the gradient; `f64::NAN` where it is not finite on either side.
    fn differences(&self, theta: &[f64], memory: &mut Scratch, at: usize) {
        let k = self.parameters.len();
        memory.theta.copy_from_slice(theta);
        let Scratch { programs, gradient, other, theta: moved, squares } = memory;
        let (programs, square) = (&mut programs[at], &mut squares[at]);
        for (row, (&i, &h)) in self.parameters.iter().zip(&self.steps).enumerate() {
            moved[i] = theta[i] + h;
            let above = self.program.value_and_gradient(moved, gradient, programs).is_finite().then_some(moved[i]);
            moved[i] = theta[i] - h;
            let below = self.program.value_and_gradient(moved, other, programs).is_finite().then_some(moved[i]);
            moved[i] = theta[i];
            // At an edge of the domain one side has to do.
            let (high, low) = match (above, below) {
                (Some(high), Some(low)) => (high, low),
                (Some(high), None) => {
                    self.program.value_and_gradient(moved, other, programs);
                    (high, theta[i])
                }
                (None, Some(low)) => {
                    self.program.value_and_gradient(moved, gradient, programs);
                    (theta[i], low)
                }
                (None, None) => (f64::NAN, 0.0),
            };
            for (column, &j) in self.parameters.iter().enumerate() {
                square[row * k + column] = (gradient[j] - other[j]) / (high - low);
            }
        }
        for row in 0..k {
            for column in 0..row {
                let mean = 0.5 * (square[row * k + column] + square[column * k + row]);
                (square[row * k + column], square[column * k + row]) = (mean, mean);
            }
        }
    }
}

impl Scratch {
    pub(super) fn new<'p>(programs: impl Iterator<Item = &'p Program>, n_parameters: usize) -> Scratch {
        let zeros = || vec![0.0; n_parameters];
        let programs: Vec<program::Scratch> = programs.map(Program::scratch).collect();
        let squares = vec![Vec::new(); programs.len()];
        Scratch { programs, gradient: zeros(), other: zeros(), theta: zeros(), squares }
    }

    /// The gradient of the last evaluation of a piece.
    pub(super) fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Room for a gradient, and one program's memory.
    pub(super) fn of(&mut self, piece: usize) -> (&mut [f64], &mut program::Scratch) {
        (&mut self.gradient, &mut self.programs[piece])
    }
}
