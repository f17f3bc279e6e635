//! −ln L of densities over events with its derivatives (spec/hs3.md, eq. 41).

use super::expected::Order;
use super::hessian::Curvature;
use crate::graph::Scratch as GraphScratch;
use crate::program::CompiledDensities;
use nalgebra::DMatrix;

/// What an evaluation writes.
#[derive(Clone, Debug)]
pub(crate) struct DensityScratch {
    graph: GraphScratch,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    /// The value at the point, where it is known beforehand.
    ahead: Option<f64>,
}

impl DensityScratch {
    pub fn new(compiled: &CompiledDensities) -> DensityScratch {
        let zeros = vec![0.0; compiled.term.parameters.len()];
        DensityScratch { graph: compiled.term.graph.scratch(), theta: zeros.clone(), gradient: zeros, ahead: None }
    }

    /// Forgets the value of the last [`evaluate`].
    pub fn forget(&mut self) {
        self.ahead = None;
    }

    fn set_point(&mut self, compiled: &CompiledDensities, theta: &[f64]) {
        self.theta.iter_mut().zip(&compiled.term.parameters).for_each(|(own, i)| *own = theta[*i]);
    }
}

/// The value, the gradient and, of second order, the Hessian at once, for what follows.
pub(super) fn evaluate(compiled: &CompiledDensities, theta: &[f64], scratch: &mut DensityScratch, order: Order) {
    scratch.set_point(compiled, theta);
    let DensityScratch { graph, theta, gradient, ahead } = scratch;
    let term = &compiled.term.graph;
    *ahead = Some(match order {
        Order::Value => term.value(theta, graph),
        Order::First => term.value_and_gradient(theta, gradient, graph),
        Order::Second => term.value_gradient_hessians(theta, gradient, graph),
    });
}

/// −ln L at a point, or at that of an [`evaluate`] just before.
pub(super) fn value(compiled: &CompiledDensities, theta: &[f64], scratch: &mut DensityScratch) -> f64 {
    scratch.ahead.take().unwrap_or_else(|| {
        scratch.set_point(compiled, theta);
        compiled.term.graph.value(&scratch.theta, &mut scratch.graph)
    })
}

/// Adds the gradient of the last [`evaluate`].
pub(super) fn add_gradient(compiled: &CompiledDensities, scratch: &DensityScratch, gradient: &mut [f64]) {
    compiled.term.parameters.iter().zip(&scratch.gradient).for_each(|(i, slope)| gradient[*i] += slope);
}

/// Why the point is outside of the domain.
pub(super) fn reason(compiled: &CompiledDensities, theta: &[f64], scratch: &mut DensityScratch) -> Option<String> {
    if value(compiled, theta, scratch).is_finite() {
        return None;
    }
    let unnamed = || "the densities have no finite value".to_string();
    Some(compiled.term.graph.reason(&scratch.graph).unwrap_or_else(unnamed))
}

/// Passes (i, j ≤ i, element) of the Hessian of −2 ln L at the last [`evaluate`] by shared places to `add`. Where no negative part is wanted, the
/// curvatures of each pair are taken positive, direction by direction.
pub(super) fn add_hessian(
    compiled: &CompiledDensities,
    scratch: &DensityScratch,
    curvature: Curvature,
    mut add: impl FnMut(usize, usize, f64),
) {
    let places = &compiled.places;
    compiled.term.graph.hessians(&scratch.graph, |parameters, square| {
        let n = parameters.len();
        let positive;
        let square = if curvature == Curvature::Exact {
            square
        } else {
            positive = absolute(n, square);
            positive.as_slice()
        };
        for (row, i) in parameters.iter().enumerate() {
            for (column, j) in parameters.iter().enumerate().take(row + 1) {
                let (a, b) = (places[*i].max(places[*j]), places[*i].min(places[*j]));
                add(a, b, 2.0 * square[row * n + column]);
            }
        }
    });
}

/// Σ |λ| v vᵀ; zero where the matrix has no finite elements.
fn absolute(n: usize, square: &[f64]) -> DMatrix<f64> {
    if n == 0 || square.iter().any(|x| !x.is_finite()) {
        return DMatrix::zeros(n, n);
    }
    let mut eigen = DMatrix::from_row_slice(n, n, square).symmetric_eigen();
    eigen.eigenvalues.apply(|value| *value = value.abs());
    eigen.recompose()
}
