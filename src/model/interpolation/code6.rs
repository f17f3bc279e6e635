//! Code 6: sixth-order polynomial inside, linear outside, as a factor (spec/interpolation.md, "Factors with linear tails").

/// a₁…a₆ of `f = 1 + S α + q(α) A` inside, with q of code 4p.
pub fn coefficients(lo: f64, hi: f64) -> [f64; 6] {
    let (antisymmetric, symmetric) = super::halves(lo, hi);
    [antisymmetric, 15.0 / 8.0 * symmetric, 0.0, -10.0 / 8.0 * symmetric, 0.0, 3.0 / 8.0 * symmetric]
}
