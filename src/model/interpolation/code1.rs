//! Code 1: piecewise exponential (spec/interpolation.md, "Code 1").

/// There is no polynomial part.
pub const INNER_RADIUS: f64 = 0.0;

/// f = hi^α for α ≥ 0 and lo^(−α) below.
pub fn factor(lo: f64, hi: f64, alpha: f64) -> f64 {
    if alpha >= 0.0 { (alpha * hi.ln()).exp() } else { (-alpha * lo.ln()).exp() }
}
