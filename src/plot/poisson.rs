//! Error bars of counts: the central 68.27 % interval for a Poisson mean (F. Garwood, Biometrika 28 (1936) 437).

use statrs::function::gamma::checked_gamma_lr;

/// Probability outside of ±1σ at one side.
const TAIL: f64 = 0.158_655_253_931_457_05;
/// Above this count the cube-root approximation of Wilson and Hilferty is exact to the width of a line.
const MANY: f64 = 1000.0;

/// Lower and upper end for `count` ≥ 0, which need not be whole; None for anything else.
pub fn interval(count: f64) -> Option<(f64, f64)> {
    if !(count.is_finite() && count >= 0.0) {
        return None;
    }
    if count > MANY {
        let cube = |n: f64, sign: f64| n * (1.0 - 1.0 / (9.0 * n) + sign / (3.0 * n.sqrt())).powi(3);
        return Some((cube(count, -1.0), cube(count + 1.0, 1.0)));
    }
    let lower = if count == 0.0 { 0.0 } else { quantile(count, TAIL) };
    Some((lower, quantile(count + 1.0, 1.0 - TAIL)))
}

/// The x at which the regularised lower incomplete gamma function P(shape, x) is `p`, by bisection.
fn quantile(shape: f64, p: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, shape + 10.0 * shape.sqrt() + 10.0);
    for _ in 0..100 {
        let middle = f64::midpoint(lo, hi);
        let below = checked_gamma_lr(shape, middle).is_ok_and(|share| share < p);
        if below { lo = middle } else { hi = middle }
    }
    f64::midpoint(lo, hi)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From scipy: `chi2.ppf(norm.cdf(-1), 2 n) / 2` and `chi2.ppf(norm.cdf(1), 2 (n + 1)) / 2`.
    #[test]
    fn agrees_with_scipy() {
        let known = [
            (0.0, 0.0, 1.8410216450092634),
            (1.0, 0.17275377902344996, 3.299526559115855),
            (2.5, 1.0279951346305933, 5.283478177386314),
            (10.0, 6.891305560638357, 14.266949761009391),
            (100.0, 90.0167451771134, 111.03336094114967),
            (999.0, 967.3983193945237, 1031.617513411362),
            (1001.0, 969.3666913282727, 1033.6491256405543),
            (1000000.0, 999000.000166674, 1001001.0003333407),
        ];
        for (count, lower, upper) in known {
            let (lo, hi) = interval(count).expect("a count");
            assert!((lo - lower).abs() < 1e-6 * lower.max(1.0), "{count}: {lo} {lower}");
            assert!((hi - upper).abs() < 1e-6 * upper, "{count}: {hi} {upper}");
        }
        assert_eq!(interval(-1.0), None);
        assert_eq!(interval(f64::NAN), None);
    }
}
