//! Code 2: quadratic inside, linear outside (spec/interpolation.md, "Code 2").

use super::Jet;

/// q(α) = α² for |α| ≤ 1 and 2|α| − 1 outside, as ROOT defines it: continuous with its first derivative.
/// At |α| = 1 the second derivative is the mean of both sides.
pub fn q(alpha: f64) -> Jet {
    let size = alpha.abs();
    if size < 1.0 {
        Jet::new(alpha * alpha, 2.0 * alpha, 2.0)
    } else {
        Jet::new(2.0 * size - 1.0, 2.0 * alpha.signum(), if size == 1.0 { 1.0 } else { 0.0 })
    }
}

/// pyhf's s(α): outside |α| = 1 it loses the value that it had at the end point.
pub fn s_pyhf(alpha: f64) -> Jet {
    let s = if alpha.abs() <= 1.0 { alpha } else { alpha - alpha.signum() };
    Jet::new(s, 1.0, 0.0)
}

/// pyhf's q(α), with the same jump.
pub fn q_pyhf(alpha: f64) -> Jet {
    let size = alpha.abs();
    if size <= 1.0 {
        Jet::new(alpha * alpha, 2.0 * alpha, 2.0)
    } else {
        Jet::new(2.0 * (size - 1.0), 2.0 * alpha.signum(), 0.0)
    }
}
