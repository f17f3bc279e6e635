//! Code 4: sixth-order polynomial inside, exponential outside (spec/interpolation.md, "Code 4").

/// The polynomial holds for |α| < 1.
pub const INNER_RADIUS: f64 = 1.0;

/// a₁…a₆ of `f = 1 + Σ aᵢ αⁱ`: value, slope and curvature meet the exponentials at α = ±1.
pub fn coefficients(lo: f64, hi: f64) -> [f64; 6] {
    let (ln_hi, ln_lo) = (hi.ln(), lo.ln());
    let (first_hi, first_lo) = (hi * ln_hi, lo * ln_lo);
    coefficients_of([hi - 1.0, lo - 1.0, first_hi, first_lo, first_hi * ln_hi, first_lo * ln_lo])
}

/// The same from hi − 1, lo − 1, hi ln hi, lo ln lo, hi ln² hi and lo ln² lo, in which it is linear.
pub fn coefficients_of([b0, b1, b2, first_lo, b4, b5]: [f64; 6]) -> [f64; 6] {
    let b3 = -first_lo;
    [
        15.0 / 16.0 * (b0 - b1) - 7.0 / 16.0 * (b2 + b3) + 1.0 / 16.0 * (b4 - b5),
        1.5 * (b0 + b1) - 9.0 / 16.0 * (b2 - b3) + 1.0 / 16.0 * (b4 + b5),
        -5.0 / 8.0 * (b0 - b1) + 5.0 / 8.0 * (b2 + b3) - 1.0 / 8.0 * (b4 - b5),
        -1.5 * (b0 + b1) + 7.0 / 8.0 * (b2 - b3) - 1.0 / 8.0 * (b4 + b5),
        3.0 / 16.0 * (b0 - b1) - 3.0 / 16.0 * (b2 + b3) + 1.0 / 16.0 * (b4 - b5),
        0.5 * (b0 + b1) - 5.0 / 16.0 * (b2 - b3) + 1.0 / 16.0 * (b4 + b5),
    ]
}
