//! Derivatives by the variables of an unbinned term → by the parameters that give them, by the chain rule
//! (spec/unbinned.md, eq. 13).

use super::event_rows::{Depth, Jet};
use crate::model::eft::unbinned::Variable;

/// Room for n variables of m parameters.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// ∂y/∂x (n × m).
    jacobian: Vec<f64>,
    /// One row of a matrix by variables times the Jacobian (n × m).
    room: Vec<f64>,
    pub result: Jet,
    pub squares: Vec<f64>,
}

impl Chain {
    /// `None` where the variables are the parameters themselves.
    pub fn new(variables: &[Variable], n_parameters: usize) -> Option<Chain> {
        let given = variables.iter().any(|variable| matches!(variable, Variable::Given(_)));
        let (n, m) = (variables.len(), n_parameters);
        given.then(|| Chain {
            jacobian: vec![0.0; n * m],
            room: vec![0.0; n * m],
            result: Jet::new(m),
            squares: vec![0.0; m * m],
        })
    }

    /// Takes in a point and what is known by variables.
    pub fn take(
        &mut self,
        (variables, parameters): (&[Variable], &[u32]),
        theta: &[f64],
        depth: Depth,
        jet: &Jet,
        squares: &[f64],
    ) {
        let m = parameters.len();
        for (variable, row) in variables.iter().zip(self.jacobian.chunks_exact_mut(m.max(1))) {
            for (slope, parameter) in row.iter_mut().zip(parameters) {
                *slope = match variable {
                    Variable::Parameter(i) => f64::from(*i == *parameter as usize),
                    Variable::Given(expression) => expression.slope(*parameter, theta),
                };
            }
        }
        self.result.clear();
        self.result.value = jet.value;
        for (slope, row) in jet.first.iter().zip(self.jacobian.chunks_exact(m.max(1))) {
            self.result.first.iter_mut().zip(row).for_each(|(to, x)| *to += slope * x);
        }
        if depth < Depth::Second {
            return;
        }
        both_sides(&self.jacobian, m, &jet.second, &mut self.room, &mut self.result.second);
        both_sides(&self.jacobian, m, squares, &mut self.room, &mut self.squares);
        for (variable, slope) in variables.iter().zip(&jet.first) {
            let Variable::Given(expression) = variable else { continue };
            for (a, i) in parameters.iter().enumerate() {
                for (b, j) in parameters.iter().enumerate() {
                    self.result.second[a * m + b] += slope * expression.bend(*i, *j, theta);
                }
            }
        }
    }
}

/// Jᵀ A J to `to`, with J (n × m) and A (n × n).
fn both_sides(jacobian: &[f64], m: usize, matrix: &[f64], room: &mut [f64], to: &mut [f64]) {
    let m = m.max(1);
    let n = jacobian.len() / m;
    room.fill(0.0);
    to.fill(0.0);
    for (row, out) in matrix.chunks_exact(n.max(1)).zip(room.chunks_exact_mut(m)) {
        for (a, slopes) in row.iter().zip(jacobian.chunks_exact(m)) {
            out.iter_mut().zip(slopes).for_each(|(to, x)| *to += a * x);
        }
    }
    for (slopes, row) in jacobian.chunks_exact(m).zip(room.chunks_exact(m)) {
        for (slope, out) in slopes.iter().zip(to.chunks_exact_mut(m)) {
            out.iter_mut().zip(row).for_each(|(to, x)| *to += slope * x);
        }
    }
}
