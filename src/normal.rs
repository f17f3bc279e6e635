//! The normal distribution far into its tails: everything in ln p, so that nothing underflows.

use std::f64::consts::{LN_2, PI, SQRT_2};

/// ln √(2π).
fn ln_root_two_pi() -> f64 {
    0.5 * (2.0 * PI).ln()
}

/// ln Φ(x), to about 1e-14 relative. Below −30 by the asymptotic series of the tail (DLMF 7.12.1).
pub fn ln_cdf(x: f64) -> f64 {
    if x > 0.0 {
        (-0.5 * libm::erfc(x / SQRT_2)).ln_1p()
    } else if x > -30.0 {
        (0.5 * libm::erfc(-x / SQRT_2)).ln()
    } else {
        ln_scaled_tail(-x) - 0.5 * x * x
    }
}

/// ln Φ(−x) + x²/2: what is left of the tail beside its Gaussian.
pub fn ln_scaled_tail(x: f64) -> f64 {
    if x < 30.0 {
        return ln_cdf(-x) + 0.5 * x * x;
    }
    let r = 1.0 / (x * x);
    let series = r * (-1.0 + r * (3.0 + r * (-15.0 + r * (105.0 + r * (-945.0 + r * 10395.0)))));
    series.ln_1p() - x.ln() - ln_root_two_pi()
}

/// φ(x)/Φ(x): the slope of [`ln_cdf`].
pub fn ln_cdf_slope(x: f64) -> f64 {
    (-0.5 * x * x - ln_root_two_pi() - ln_cdf(x)).exp()
}

/// The x with ln Φ(x) = `ln_p`; −∞ for p = 0, +∞ for p = 1, NaN above.
pub fn quantile(ln_p: f64) -> f64 {
    if ln_p.is_nan() || ln_p > 0.0 {
        return f64::NAN;
    }
    if ln_p > -LN_2 {
        return -quantile((-ln_p.exp_m1()).ln());
    }
    if ln_p == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    // ln Φ is concave, so Newton's steps from the left of the root do not overshoot.
    let mut x = -(-2.0 * ln_p).sqrt();
    for _ in 0..100 {
        let step = (ln_p - ln_cdf(x)) / ln_cdf_slope(x);
        x += step;
        if step.abs() <= 1e-15 * x.abs().max(1e-3) {
            break;
        }
    }
    x
}

/// ln of the probability that χ² with `n` degrees of freedom exceeds `t`.
pub fn ln_chi2_tail(t: f64, n: usize) -> f64 {
    if t <= 0.0 {
        return 0.0;
    }
    match n {
        1 => LN_2 + ln_cdf(-t.sqrt()),
        2 => -0.5 * t,
        _ => statrs::function::gamma::checked_gamma_ur(0.5 * n as f64, 0.5 * t).unwrap_or(f64::NAN).ln(),
    }
}

/// The t that χ² with `n` degrees of freedom exceeds with probability 1 − `level`; NaN for levels outside (0, 1).
pub fn chi2_quantile(level: f64, n: usize) -> f64 {
    if !(level > 0.0 && level < 1.0) || n == 0 {
        return f64::NAN;
    }
    match n {
        1 => quantile((0.5 * (1.0 - level)).ln()).powi(2),
        2 => -2.0 * (-level).ln_1p(),
        _ => {
            use statrs::distribution::{ChiSquared, ContinuousCDF};
            ChiSquared::new(n as f64).map_or(f64::NAN, |d| d.inverse_cdf(level))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of mpmath 1.4.1 with 30 digits: log(ncdf(x)).
    #[test]
    fn ln_cdf_is_that_of_mpmath() {
        for (x, expected) in MPMATH {
            let got = ln_cdf(x);
            assert!((got - expected).abs() <= 2e-14 * expected.abs(), "{x}: {got} but {expected}");
        }
    }

    #[test]
    fn quantiles_invert() {
        for x in [-300.0, -40.0, -30.1, -29.9, -8.0, -1.0, -0.1, 0.0, 0.1, 1.0, 5.0] {
            let got = quantile(ln_cdf(x));
            assert!((got - x).abs() <= 1e-9 * x.abs().max(1.0), "{x}: {got}");
        }
        assert_eq!(quantile(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(quantile(0.0), f64::INFINITY);
        assert!(quantile(0.1).is_nan());
    }

    #[test]
    fn slopes_are_differences() {
        for x in [-100.0, -30.0, -5.0, -0.5, 0.0, 2.0] {
            let h = 1e-5 * f64::max(1.0, f64::abs(x));
            let difference = (ln_cdf(x + h) - ln_cdf(x - h)) / (2.0 * h);
            assert!((ln_cdf_slope(x) - difference).abs() <= 1e-6 * difference.abs(), "{x}");
        }
    }

    /// Tables: χ² quantiles of 1, 2 and 4 degrees of freedom (scipy 1.17 `chi2.ppf`, `chi2.logsf`).
    #[test]
    fn chi2_of_scipy() {
        for (level, n, expected) in
            [(0.95, 1, 3.841458820694124), (0.95, 2, 5.991464547107979), (0.9, 4, 7.779440339734858)]
        {
            assert!((chi2_quantile(level, n) - expected).abs() < 1e-9, "{n}");
            assert!((ln_chi2_tail(expected, n) - f64::ln(1.0 - level)).abs() < 1e-9, "{n}");
        }
        assert!((chi2_quantile(0.682689492137086, 1) - 1.0).abs() < 1e-12);
        assert!(chi2_quantile(1.0, 1).is_nan() && chi2_quantile(0.5, 0).is_nan());
        assert_eq!(ln_chi2_tail(0.0, 3), 0.0);
    }

    const MPMATH: [(f64, f64); 7] = [
        (-200.0, -20006.21728089819),
        (-31.0, -484.8539636271793),
        (-29.5, -439.4294746091502),
        (-10.0, -53.23128515051247),
        (-1.0, -1.8410216450092634),
        (0.5, -0.3689464152886564),
        (6.0, -9.865876455243757e-10),
    ];
}
