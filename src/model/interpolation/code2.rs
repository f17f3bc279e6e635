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

/// pyhf's s(α): above α = 1 it starts again from zero (spec/interpolation.md, eq. 13).
pub fn s_pyhf(alpha: f64) -> Jet {
    Jet::new(if alpha > 1.0 { alpha - 1.0 } else { alpha }, 1.0, 0.0)
}

/// pyhf's q(α), which jumps at both ends (spec/interpolation.md, eq. 13).
pub fn q_pyhf(alpha: f64) -> Jet {
    if alpha > 1.0 {
        Jet::new(2.0 * (alpha - 1.0), 2.0, 0.0)
    } else if alpha < -1.0 {
        Jet::new(-2.0 * alpha, -2.0, 0.0)
    } else {
        q(alpha)
    }
}
