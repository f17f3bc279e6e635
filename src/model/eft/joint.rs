//! What single events say of the coefficients: the joint likelihood ratio and the joint score (spec/event-database.md,
//! "Joint ratio and score"), the targets of learned observables.

use super::Events;

/// r_e = [w_e(c)/σ(c)] / [w_e(c₀)/σ(c₀)] with σ = Σ w over these events: one number an event, NaN or infinite where the
/// event has no weight at c₀. Floors and systematics are left out.
pub fn likelihood_ratio(events: &Events, point: &[f64], reference: &[f64]) -> Vec<f64> {
    let (at, before) = (events.weights(point), events.weights(reference));
    let sums = at.iter().sum::<f64>() / before.iter().sum::<f64>();
    at.iter().zip(before).map(|(w, w0)| w / w0 / sums).collect()
}

/// t_e = ∇w_e/w_e − ∇σ/σ: one list a coefficient with a number an event, NaN or infinite where the event has no weight at
/// the point. Σ_e w_e t_e = 0. Floors and systematics are left out.
pub fn score(events: &Events, point: &[f64]) -> Vec<Vec<f64>> {
    let weights = events.weights(point);
    let sum: f64 = weights.iter().sum();
    let of_coefficient = |i: usize| {
        let slopes = events.slopes(i as u32, point);
        let mean = slopes.iter().sum::<f64>() / sum;
        slopes.iter().zip(&weights).map(|(slope, w)| slope / w - mean).collect()
    };
    (0..point.len()).map(of_coefficient).collect()
}
