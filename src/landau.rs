//! The Landau density, exact: p(λ) = (1/2πi) ∫ exp(s ln s + λ s) ds (L. Landau, J. Phys. USSR 8 (1944) 201). Its logarithm
//! is tabulated once from the integral and interpolated between nodes by polynomials of degree five.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// The table reaches from −10 to 60.
const LOW: f64 = -10.0;
const NODES: usize = 70 * 32 + 1;
const STEP: f64 = 1.0 / 32.0;

/// Above this λ the integral over the cut of the logarithm is used, below it that through the saddle point.
const CUT: f64 = 1.0;

static TABLE: LazyLock<Vec<[f64; 3]>> = LazyLock::new(|| (0..NODES).map(|i| exact(LOW + i as f64 * STEP)).collect());

/// ln p(λ) and its first two derivatives; about 1e-11 relative, the second one 1e-6.
pub fn ln_density(lambda: f64) -> [f64; 3] {
    let place = (lambda - LOW) / STEP;
    let node = place.floor();
    let table = || TABLE.get(node as usize).zip(TABLE.get(node as usize + 1));
    match if (0.0..NODES as f64).contains(&place) { table() } else { None } {
        Some((left, right)) => between(left, right, place - node),
        None if lambda.is_finite() => exact(lambda),
        None => [if lambda.is_nan() { f64::NAN } else { f64::NEG_INFINITY }, 0.0, 0.0],
    }
}

/// The polynomial of degree five that has value, slope and curvature of both nodes, and its derivatives.
fn between(left: &[f64; 3], right: &[f64; 3], t: f64) -> [f64; 3] {
    let (a, b, c) = (left[0], left[1] * STEP, 0.5 * left[2] * STEP * STEP);
    // What the first three terms leave at the right node, in value, slope and half curvature.
    let value = right[0] - a - b - c;
    let slope = right[1] * STEP - b - 2.0 * c;
    let half = 0.5 * right[2] * STEP * STEP - c;
    let (d, e, f) =
        (10.0 * value - 4.0 * slope + half, -15.0 * value + 7.0 * slope - 2.0 * half, 6.0 * value - 3.0 * slope + half);
    let result = a + t * (b + t * (c + t * (d + t * (e + t * f))));
    let first = b + t * (2.0 * c + t * (3.0 * d + t * (4.0 * e + t * 5.0 * f)));
    let second = 2.0 * c + t * (6.0 * d + t * (12.0 * e + t * 20.0 * f));
    [result, first / STEP, second / (STEP * STEP)]
}

/// ln p and its first two derivatives from the integral and its moments.
fn exact(lambda: f64) -> [f64; 3] {
    let (ln_scale, [m0, m1, m2]) = if lambda > CUT { over_cut(lambda) } else { through_saddle(lambda) };
    let (first, second) = (m1 / m0, m2 / m0);
    [ln_scale + m0.ln(), first, second - first * first]
}

/// (1/π) ∫₀^∞ exp(−t ln t − λt) sin(πt) dt with t = e^u, and the same with factors −t and t²; by the trapezoidal rule,
/// whose error falls exponentially with the step here. Large λ are scaled to t of order one.
fn over_cut(lambda: f64) -> (f64, [f64; 3]) {
    let mut moments = [0.0; 3];
    let step = 0.02;
    for i in -1000..200 {
        let s = (f64::from(i) * step).exp();
        let t = s / lambda;
        let weight = step * t * (-t * t.ln() - s).exp() * (PI * t).sin() / PI * lambda * lambda;
        moments[0] += weight;
        moments[1] -= weight * t;
        moments[2] += weight * t * t;
    }
    (-2.0 * lambda.ln(), moments)
}

/// (1/2π) ∫ exp(s ln s + λs) dy along s = s₀ + iy with ln s₀ = −1 − λ, where the exponent has its saddle point; scaled by
/// its value there.
fn through_saddle(lambda: f64) -> (f64, [f64; 3]) {
    let saddle = (-1.0 - lambda).exp();
    // Small beside the width of the peak, √s₀, and the distance of the branch point, s₀: the error falls exponentially.
    let step = 0.1 * saddle.min(saddle.sqrt());
    let mut moments = [0.0; 3];
    for i in 0..40_000 {
        let y = f64::from(i) * step;
        let (ln_size, angle) = (0.5 * (saddle * saddle + y * y).ln(), (y / saddle).atan());
        let real = saddle * ln_size - y * angle + lambda * saddle + saddle;
        if real < -45.0 {
            break;
        }
        let imaginary = y * ln_size + saddle * angle + lambda * y;
        let weight = real.exp() * step / PI * if i == 0 { 0.5 } else { 1.0 };
        let (sin, cos) = imaginary.sin_cos();
        moments[0] += weight * cos;
        moments[1] += weight * (saddle * cos - y * sin);
        moments[2] += weight * ((saddle * saddle - y * y) * cos - 2.0 * saddle * y * sin);
    }
    (-saddle, moments)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath with 40 digits: `quad` of both integrals.
    #[test]
    fn densities_of_mpmath() {
        for (lambda, expected) in MPMATH {
            let got = ln_density(lambda)[0].exp();
            assert!((got - expected).abs() <= 2e-11 * expected, "{lambda}: {got} but {expected}");
        }
    }

    #[test]
    fn slopes_are_differences() {
        for lambda in [-6.01, -3.3, -0.7, 0.99, 1.01, 4.2, 59.99, 61.0, 300.0] {
            let h = 1e-4;
            let (above, below, here) = (ln_density(lambda + h), ln_density(lambda - h), ln_density(lambda));
            for order in [1, 2] {
                let difference = (above[order - 1] - below[order - 1]) / (2.0 * h);
                let got = here[order];
                assert!((got - difference).abs() <= 1e-6 * difference.abs().max(0.01), "{lambda}: {got} {difference}");
            }
        }
    }

    const MPMATH: [(f64, f64); 9] = [
        (-4.0, 3.389_953_863_580_842_5e-9),
        (-2.0, 0.043_985_478_379_364_48),
        (-0.22278, 0.180_655_633_820_200_33),
        (0.5, 0.165_232_275_482_657_44),
        (1.5, 0.124_221_094_071_471_88),
        (3.03, 0.073_490_429_603_060_37),
        (10.0, 0.011_976_487_388_788_53),
        (45.7, 0.000_541_826_166_847_933_2),
        (200.0, 2.611_912_443_540_744e-5),
    ];
}
