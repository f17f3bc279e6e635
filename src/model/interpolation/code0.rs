//! Code 0: piecewise linear (spec/interpolation.md, "Code 0").

use super::Jet;

/// q(α) = |α|; at the kink the derivative is the mean of both sides.
pub fn q(alpha: f64) -> Jet {
    let sign = if alpha == 0.0 { 0.0 } else { alpha.signum() };
    Jet::new(alpha.abs(), sign, 0.0)
}
