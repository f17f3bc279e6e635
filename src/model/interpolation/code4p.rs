//! Code 4p: sixth-order polynomial inside, linear outside (spec/interpolation.md, "Code 4p").

use super::Jet;

/// q(α) = α²(15 − 10α² + 3α⁴)/8 for |α| < 1 and |α| outside: continuous with two derivatives.
pub fn q(alpha: f64) -> Jet {
    if alpha.abs() < 1.0 {
        let square = alpha * alpha;
        Jet::new(
            square * (15.0 + square * (3.0 * square - 10.0)) / 8.0,
            alpha * (15.0 + square * (9.0 * square - 20.0)) / 4.0,
            (15.0 + square * (45.0 * square - 60.0)) / 4.0,
        )
    } else {
        Jet::new(alpha.abs(), alpha.signum(), 0.0)
    }
}
