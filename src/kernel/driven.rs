//! Parameters that are functions f of others: with J = ∂f/∂θ the derivatives of −ln L pass on as
//!
//! g_θ += Jᵀ g_f,   H_θθ += H_θf J + Jᵀ H_fθ + Jᵀ H_ff J + Σ g_f ∂²f
//!
//! and those by f itself become zero (spec/hs3-histfactory.md, "Functions").

use super::hessian::Blocks;
use super::simd::{Lanes, flat_mut};
use crate::graph::Scratch as GraphScratch;
use crate::program::CompiledDriven;

/// What an evaluation writes.
#[derive(Clone, Debug)]
pub(crate) struct DrivenScratch {
    graph: GraphScratch,
    theta: Vec<f64>,
    values: Vec<f64>,
    slopes: Vec<f64>,
    /// Derivatives by the functions of the last gradient.
    adjoints: Vec<f64>,
}

impl DrivenScratch {
    pub fn new(compiled: &CompiledDriven) -> DrivenScratch {
        let (n, m) = (compiled.term.parameters.len(), compiled.term.outputs.len());
        DrivenScratch {
            graph: compiled.term.functions.scratch(),
            theta: vec![0.0; n],
            values: vec![0.0; m],
            slopes: vec![0.0; n],
            adjoints: vec![0.0; m],
        }
    }

    /// The second derivatives of the functions count for nothing.
    pub fn weigh_nothing(&mut self) {
        self.adjoints.fill(0.0);
    }
}

/// Puts the values of the functions into the point.
pub(super) fn set_point(compiled: &CompiledDriven, theta: &mut [f64], scratch: &mut DrivenScratch) {
    let term = &compiled.term;
    scratch.theta.iter_mut().zip(&term.parameters).for_each(|(own, i)| *own = theta[*i]);
    term.functions.values(&scratch.theta, &mut scratch.values, &mut scratch.graph);
    term.outputs.iter().zip(&scratch.values).for_each(|(i, value)| theta[*i] = *value);
}

/// At the point of the last [`set_point`].
pub(super) fn pull_gradient(compiled: &CompiledDriven, scratch: &mut DrivenScratch, gradient: &mut [f64]) {
    let term = &compiled.term;
    for (adjoint, i) in scratch.adjoints.iter_mut().zip(&term.outputs) {
        *adjoint = std::mem::take(&mut gradient[*i]);
    }
    scratch.slopes.fill(0.0);
    term.functions.pull_back(&scratch.adjoints, &mut scratch.slopes, &mut scratch.graph);
    term.parameters.iter().zip(&scratch.slopes).for_each(|(i, slope)| gradient[*i] += slope);
}

/// ∂f/∂θ of one function by places; the values are those of `slopes`.
fn slopes<'s>(
    compiled: &'s CompiledDriven,
    function: usize,
    scratch: &'s mut DrivenScratch,
) -> impl Iterator<Item = (usize, f64)> + 's {
    let functions = &compiled.term.functions;
    functions.slopes(function, &scratch.theta, &mut scratch.slopes, &mut scratch.graph);
    functions.parameters_of(function).iter().zip(&scratch.slopes).map(|(i, slope)| (compiled.places[*i], *slope))
}

/// Passes on rows of derivatives, each `stride` groups long: those of bins, or of local parameters.
pub(super) fn fold_rows(compiled: &CompiledDriven, scratch: &mut DrivenScratch, stride: usize, rows: &mut [Lanes]) {
    for (function, place) in compiled.output_places.iter().enumerate() {
        let own: Vec<(usize, f64)> = slopes(compiled, function, scratch).collect();
        for row in rows.chunks_exact_mut(stride.max(1)) {
            let row = flat_mut(row);
            let by_function = std::mem::take(&mut row[*place]);
            if by_function != 0.0 {
                own.iter().for_each(|(i, slope)| row[*i] += by_function * slope);
            }
        }
    }
}

/// Passes on the shared block and the couplings of the local parameters.
pub(super) fn fold_hessian(
    compiled: &CompiledDriven,
    scratch: &mut DrivenScratch,
    n_shared: usize,
    blocks: &mut Blocks,
) {
    let stride = blocks.stride;
    fold_rows(compiled, scratch, stride, &mut blocks.cross);
    for (function, &place) in compiled.output_places.iter().enumerate() {
        let own: Vec<(usize, f64)> = slopes(compiled, function, scratch).collect();
        // The row of the function: what it has with all others, taken out.
        let mut row: Vec<f64> = (0..n_shared).map(|j| blocks.take_shared(place.max(j), place.min(j))).collect();
        let diagonal = std::mem::take(&mut row[place]);
        for (a, (i, of_i)) in own.iter().enumerate() {
            for (j, of_j) in &own[..=a] {
                *blocks.shared_at(*i.max(j), *i.min(j)) += of_i * of_j * diagonal;
            }
            for (j, coupling) in row.iter().enumerate().filter(|(_, coupling)| **coupling != 0.0) {
                // Both (i, j) and (j, i), which are one element of the diagonal.
                let twice = if j == *i { 2.0 } else { 1.0 };
                *blocks.shared_at(j.max(*i), j.min(*i)) += twice * of_i * coupling;
            }
        }
        let adjoint = scratch.adjoints[function];
        if adjoint != 0.0 {
            let functions = &compiled.term.functions;
            let parameters = functions.parameters_of(function);
            let second = functions.hessian(function, &scratch.theta, &mut scratch.graph);
            for (a, i) in parameters.iter().map(|i| compiled.places[*i]).enumerate() {
                for (b, j) in parameters[..=a].iter().map(|j| compiled.places[*j]).enumerate() {
                    *blocks.shared_at(i.max(j), i.min(j)) += 2.0 * adjoint * second[a * parameters.len() + b];
                }
            }
        }
    }
}

/// The derivatives of a rate by all parameters, of which those by functions pass on; returns which parameters have one.
pub(super) fn fold_derivatives(
    compiled: &CompiledDriven,
    scratch: &mut DrivenScratch,
    moving: &[usize],
    derivatives: &mut [f64],
) -> Vec<usize> {
    let term = &compiled.term;
    let mut all: Vec<usize> = moving.iter().copied().filter(|i| !term.outputs.contains(i)).collect();
    for (function, output) in term.outputs.iter().enumerate().filter(|(_, output)| moving.contains(output)) {
        let by_function = std::mem::take(&mut derivatives[*output]);
        term.functions.slopes(function, &scratch.theta, &mut scratch.slopes, &mut scratch.graph);
        for (own, slope) in term.functions.parameters_of(function).iter().zip(&scratch.slopes) {
            let i = term.parameters[*own];
            if !all.contains(&i) {
                derivatives[i] = 0.0;
                all.push(i);
            }
            derivatives[i] += by_function * slope;
        }
    }
    all
}
