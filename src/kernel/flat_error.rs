//! Gaussian errors together with a flat one (spec/gaussian.md, section 5).

use crate::normal::ln_cdf;
use crate::program::FlatPoint;
use std::f64::consts::PI;

/// Half widths below this part of σ by a series: the difference of the two tails would be rounding.
const NARROW: f64 = 1e-3;

/// A residual that a flat error brings nearer to zero, and whether it still moves (eq. 7).
pub(crate) fn clamped(residual: f64, point: &FlatPoint) -> (f64, bool) {
    let beyond = residual.abs() - point.half_width;
    if beyond > 0.0 { (beyond.copysign(residual), true) } else { (0.0, false) }
}

/// Half of eq. 8, with its first and second derivative by the residual.
pub(crate) fn marginalised(residual: f64, point: &FlatPoint) -> [f64; 3] {
    let (s, r, h) = (point.sigma, residual.abs() / point.sigma, point.half_width / point.sigma);
    let [value, first, second] = if h < NARROW { narrow(r, h) } else { wide(r, h) };
    [value, first * residual.signum() / s, second / (s * s)]
}

/// −ln { √(2π) [Φ(r + h) − Φ(r − h)] / 2h } for r ≥ 0, with its derivatives.
fn wide(r: f64, h: f64) -> [f64; 3] {
    // Both are tails on the left, so that their difference keeps its digits.
    let (near, far) = (h - r, -h - r);
    let (ln_near, ln_far) = (ln_cdf(near), ln_cdf(far));
    let ln_difference = ln_near + (-(ln_far - ln_near).exp()).ln_1p();
    let density = |x: f64| (-0.5 * x * x - ln_difference).exp() / (2.0 * PI).sqrt();
    let (at_near, at_far) = (density(near), density(far));
    let slope = at_near - at_far;
    let value = (2.0 * h).ln() - 0.5 * (2.0 * PI).ln() - ln_difference;
    // d/dr of the difference is φ(far) − φ(near), and φ' = −x φ.
    [value, slope, slope * slope - (at_far * far - at_near * near)]
}

/// The same for small h: ½ r² − ln(1 + h² (r² − 1)/6 + h⁴ (r⁴ − 6r² + 3)/120), the moments of the box.
fn narrow(r: f64, h: f64) -> [f64; 3] {
    let (a, b, r2) = (h * h / 6.0, h.powi(4) / 120.0, r * r);
    let f = a * (r2 - 1.0) + b * (r2 * r2 - 6.0 * r2 + 3.0);
    let first = 2.0 * a * r + b * (4.0 * r2 * r - 12.0 * r);
    let second = 2.0 * a + b * (12.0 * r2 - 12.0);
    let (p, q) = (first / (1.0 + f), second / (1.0 + f));
    [0.5 * r2 - f.ln_1p(), r - p, 1.0 - q + p * p]
}
