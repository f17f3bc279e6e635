//! −ln L of densities over events with its derivatives (spec/hs3.md, eq. 41).

use super::Evaluator;
use super::expected::Order;
use super::hessian::Curvature;
use crate::graph::{Expectation, GraphLikelihood, NoData, PairData, Scratch as GraphScratch};
use crate::program::{CompiledDensities, PreparedData};
use nalgebra::DMatrix;
use std::sync::Arc;

/// What an evaluation writes.
#[derive(Clone, Debug)]
pub(crate) struct DensityScratch {
    /// With the data of the document, or those that were evaluated last, whose memory it is.
    likelihood: Arc<GraphLikelihood>,
    full: GraphScratch,
    /// Memory of the likelihood whose constants are numbers, once it is asked for.
    held: Option<GraphScratch>,
    /// Derivatives to constants are of no use for the moment; or they are wanted in general.
    hold: bool,
    wanted: bool,
    /// The last point lies where constants are held.
    is_held: bool,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    /// The value at the point, where it is known beforehand.
    ahead: Option<f64>,
    known: Option<Known>,
    known_at: Vec<f64>,
}

/// What was computed last with derivatives, if it is finite.
#[derive(Clone, Copy, Debug)]
struct Known {
    order: Order,
    is_held: bool,
    value: f64,
}

impl DensityScratch {
    pub fn new(compiled: &CompiledDensities) -> DensityScratch {
        let zeros = vec![0.0; compiled.term.parameters.len()];
        let likelihood = compiled.term.graph.clone();
        DensityScratch {
            full: likelihood.scratch(),
            likelihood,
            held: None,
            hold: false,
            wanted: false,
            is_held: false,
            theta: zeros.clone(),
            gradient: zeros.clone(),
            ahead: None,
            known: None,
            known_at: zeros,
        }
    }

    /// Forgets the value of the last [`evaluate`].
    pub fn forget(&mut self) {
        self.ahead = None;
    }

    /// Until [`DensityScratch::release`] there need not be derivatives to what is fixed.
    pub fn hold(&mut self, compiled: &CompiledDensities, fixed: &[bool]) {
        let mut all = compiled.term.parameters.iter().zip(&self.likelihood.parameters);
        self.hold = !self.wanted && all.all(|(i, parameter)| fixed[*i] || !parameter.constant);
    }

    pub fn release(&mut self) {
        self.hold = false;
    }

    /// From now on there are always derivatives to a parameter.
    pub fn want(&mut self, compiled: &CompiledDensities, parameter: usize) {
        let mut all = compiled.term.parameters.iter().zip(&self.likelihood.parameters);
        self.wanted |= all.any(|(i, own)| *i == parameter && own.constant);
    }

    fn set_point(&mut self, compiled: &CompiledDensities, data: &PreparedData, theta: &[f64]) {
        let likelihood = data.densities.as_ref().map_or(&compiled.term.graph, |own| &own.graph);
        if !Arc::ptr_eq(likelihood, &self.likelihood) {
            self.likelihood = likelihood.clone();
            self.full = likelihood.scratch();
            (self.held, self.known) = (None, None);
        }
        self.theta.iter_mut().zip(&compiled.term.parameters).for_each(|(own, i)| *own = theta[*i]);
        self.is_held = self.hold && self.likelihood.is_held(&self.theta);
    }

    /// The likelihood at the last point, and its memory.
    fn here(&mut self) -> (&GraphLikelihood, &[f64], &mut [f64], &mut GraphScratch) {
        let DensityScratch { likelihood, full, held, is_held, theta, gradient, .. } = self;
        if !*is_held {
            return (&**likelihood, theta, gradient, full);
        }
        let likelihood = likelihood.held();
        (likelihood, theta, gradient, held.get_or_insert_with(|| likelihood.scratch()))
    }
}

/// The value, the gradient and, of second order, the Hessian at once, for what follows.
pub(super) fn evaluate(
    compiled: &CompiledDensities,
    data: &PreparedData,
    theta: &[f64],
    scratch: &mut DensityScratch,
    order: Order,
) {
    scratch.set_point(compiled, data, theta);
    let is_held = scratch.is_held;
    let again = |known: &Known| known.order >= order && known.is_held == is_held;
    if let Some(known) = scratch.known.filter(again).filter(|_| scratch.theta == scratch.known_at) {
        scratch.ahead = Some(known.value);
        return;
    }
    let (likelihood, theta, gradient, graph) = scratch.here();
    let value = match order {
        Order::Value => likelihood.value(theta, graph),
        Order::First => likelihood.value_and_gradient(theta, gradient, graph),
        Order::Second => likelihood.value_gradient_hessians(theta, gradient, graph),
    };
    scratch.ahead = Some(value);
    if order > Order::Value {
        scratch.known = value.is_finite().then_some(Known { order, is_held, value });
        scratch.known_at.copy_from_slice(&scratch.theta);
    }
}

/// −ln L at a point, or at that of an [`evaluate`] just before.
pub(super) fn value(
    compiled: &CompiledDensities,
    data: &PreparedData,
    theta: &[f64],
    scratch: &mut DensityScratch,
) -> f64 {
    scratch.ahead.take().unwrap_or_else(|| {
        scratch.set_point(compiled, data, theta);
        let (likelihood, theta, _, graph) = scratch.here();
        likelihood.value(theta, graph)
    })
}

/// Adds the gradient of the last [`evaluate`].
pub(super) fn add_gradient(compiled: &CompiledDensities, scratch: &DensityScratch, gradient: &mut [f64]) {
    compiled.term.parameters.iter().zip(&scratch.gradient).for_each(|(i, slope)| gradient[*i] += slope);
}

/// Why the point is outside of the domain.
pub(super) fn reason(
    compiled: &CompiledDensities,
    data: &PreparedData,
    theta: &[f64],
    scratch: &mut DensityScratch,
) -> Option<String> {
    if value(compiled, data, theta, scratch).is_finite() {
        return None;
    }
    let unnamed = || "the densities have no finite value".to_string();
    let (likelihood, _, _, graph) = scratch.here();
    Some(likelihood.reason(graph).unwrap_or_else(unnamed))
}

/// A peak at the point that an integral has missed.
pub(super) fn missed_peak(
    compiled: &CompiledDensities,
    data: &PreparedData,
    theta: &[f64],
    scratch: &mut DensityScratch,
) -> Option<String> {
    scratch.set_point(compiled, data, theta);
    let (likelihood, theta, _, graph) = scratch.here();
    likelihood.value(theta, graph);
    likelihood.missed_peak(graph)
}

/// Passes (i, j ≤ i, element) of the Hessian of −2 ln L at the last [`evaluate`] by shared places to `add`. Where no
/// negative part is wanted, the curvatures of each pair are taken positive, direction by direction.
pub(super) fn add_hessian(
    compiled: &CompiledDensities,
    scratch: &mut DensityScratch,
    curvature: Curvature,
    mut add: impl FnMut(usize, usize, f64),
) {
    let places = &compiled.places;
    let (likelihood, _, _, graph) = scratch.here();
    likelihood.hessians(graph, |parameters, square| {
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

impl Evaluator<'_> {
    /// What each pair of a density and its data expects (spec/hs3.md, "Toys and Asimov data"); none without densities.
    ///
    /// # Errors
    /// The place of the first pair of which nothing can be made, and why.
    pub fn expected_densities(&mut self, parameters: &[f64]) -> Result<Vec<Expectation>, (usize, NoData)> {
        self.scratch.set_point(self.program, parameters);
        let Some(compiled) = &self.program.densities else { return Ok(Vec::new()) };
        let theta: Vec<f64> = compiled.term.parameters.iter().map(|i| self.scratch.theta[*i]).collect();
        compiled.term.graph.expectations(&theta)
    }

    /// Asimov data of densities; nothing without densities.
    ///
    /// # Errors
    /// As [`Evaluator::expected_densities`].
    pub fn asimov_densities(&mut self, parameters: &[f64]) -> Result<Option<Arc<Vec<PairData>>>, (usize, NoData)> {
        if self.program.densities.is_none() {
            return Ok(None);
        }
        let expected = self.expected_densities(parameters)?;
        let each = expected.iter().enumerate().map(|(at, pair)| pair.asimov().map_err(|why| (at, why)));
        each.collect::<Result<_, _>>().map(|data| Some(Arc::new(data)))
    }
}

/// Σ |λ| v vᵀ; zero where the matrix has elements that are not finite. No fit is valid there, since the exact Hessian then
/// has no factors.
fn absolute(n: usize, square: &[f64]) -> DMatrix<f64> {
    if n == 0 || square.iter().any(|x| !x.is_finite()) {
        return DMatrix::zeros(n, n);
    }
    let mut eigen = DMatrix::from_row_slice(n, n, square).symmetric_eigen();
    eigen.eigenvalues.apply(|value| *value = value.abs());
    eigen.recompose()
}
