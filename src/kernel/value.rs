//! −ln L of the counts and the Gaussian constraints, less the part that no parameter moves (spec/likelihood.md,
//! "Saturated part").

use super::correlation;
use super::densities;
use super::expected::{Order, expected_body};
use super::measurement;
use super::penalty;
use super::response;
use super::scratch::{Scratch, TINY};
use super::simd::{Simd, entry_point};
use super::unbinned;
use crate::program::{PreparedData, Program};

entry_point! {
    /// From the point in `scratch` to Σ [ν − n − n ln(ν/n)] + Σ ½((θ − a)/σ)² + ½χ²; +inf out of domain.
    value = value_body(program: &Program, data: &PreparedData, scratch: &mut Scratch) -> f64
}

#[inline(always)]
fn value_body<S: Simd>(program: &Program, data: &PreparedData, scratch: &mut Scratch) -> f64 {
    expected_body::<S>(program, scratch, Order::Value);
    negative_log_likelihood::<S>(program, data, scratch)
}

#[inline(always)]
pub(super) fn negative_log_likelihood<S: Simd>(program: &Program, data: &PreparedData, scratch: &mut Scratch) -> f64 {
    let profiled = response::profile(program, data, scratch);
    let (zero, one, tiny) = (S::splat(0.0), S::splat(1.0), S::splat(TINY));
    let mut sum = zero;
    let mut forbidden = false;
    for ((expected, counts), inverse) in scratch.expected.iter().zip(&data.counts).zip(&data.inverse) {
        let (nu, n, inverse) = (S::load(expected), S::load(counts), S::load(inverse));
        let nu = nu.abs().select_less(tiny, zero, nu);
        // A bin with counts needs ν > 0; one without needs ν ≥ 0, unless pyhf's domain is asked for.
        let positive_where_counted = zero.select_less(n, nu, one);
        forbidden |= positive_where_counted.any_less(tiny) || (!program.pyhf_domain && nu.any_less(zero));
        let ratio = tiny.select_less(positive_where_counted, zero.select_less(n, nu.mul(inverse), one), one);
        let term = zero.sub(n).fma(ratio.ln(), nu.sub(n));
        sum = sum.add(term);
    }
    if forbidden {
        return f64::INFINITY;
    }
    let mut squares = zero;
    let gaussians = program.constraints.gaussian.iter().zip(&program.constraints.inverse_sigma);
    for ((index, inverse_sigma), auxdata) in gaussians.zip(&data.gaussian) {
        // SAFETY: indices of parameters and of the one behind them.
        let theta = unsafe { S::gather(&scratch.theta, index) };
        let pull = theta.sub(S::load(auxdata)).mul(S::load(inverse_sigma));
        squares = pull.fma(pull, squares);
    }
    let mut value = sum.sum() + 0.5 * squares.sum() + profiled;
    if !program.measurements.is_empty() {
        let Scratch { theta, measurements, .. } = scratch;
        value += measurement::value_body::<S>(&program.measurements, &data.measured, theta, measurements);
    }
    if !program.unbinned.is_empty() {
        let Scratch { theta, unbinned, .. } = scratch;
        value += unbinned::value_body::<S>(&program.unbinned, &data.unbinned, theta, unbinned);
    }
    if let (Some(compiled), Scratch { theta, densities: Some(densities), .. }) = (&program.densities, &mut *scratch) {
        value += densities::value(compiled, data, theta, densities);
    }
    value += penalty::value(&program.penalties, &scratch.theta);
    value += correlation::value(program, data, &scratch.theta);
    if value.is_nan() { f64::INFINITY } else { value }
}
