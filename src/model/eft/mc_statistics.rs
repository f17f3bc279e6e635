//! The statistical uncertainty of a simulated response, profiled in closed form (spec/eft.md, "Statistical
//! uncertainty").

/// The Poisson term of a bin whose mean is λ + σ η with η of unit normal constraint, minimised over η: what is left as
/// a function h(λ, v) of λ and v = σ² (spec/eft.md, eq. 14).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profiled {
    /// The mean at the minimum, max(λ + σ η̂, 0).
    pub mean: f64,
    /// ∂h/∂λ; the others follow: ∂h/∂v = −½ slope², and the second derivatives are curvature · (1, −slope)ᵀ(1, −slope).
    pub slope: f64,
    /// ∂²h/∂λ²
    pub curvature: f64,
}

/// Minimises μ − n ln μ + (μ − λ)²/(2v) over μ ≥ 0, for v ≥ 0; with v = 0 the mean is λ.
pub fn profile(lambda: f64, variance: f64, n: f64) -> Profiled {
    let shifted = lambda - variance;
    if n > 0.0 {
        let root = shifted.hypot(2.0 * (variance * n).sqrt());
        // The larger root of μ² − (λ − v) μ − v n = 0, without cancellation.
        let mean = if shifted >= 0.0 { 0.5 * (shifted + root) } else { 2.0 * variance * n / (root - shifted) };
        let relative = n / (mean * mean);
        Profiled { mean, slope: 1.0 - n / mean, curvature: relative / (1.0 + variance * relative) }
    } else if shifted >= 0.0 {
        Profiled { mean: shifted, slope: 1.0, curvature: 0.0 }
    } else {
        Profiled { mean: 0.0, slope: lambda / variance, curvature: 1.0 / variance }
    }
}

impl Profiled {
    /// η̂ = −σ ∂h/∂λ
    pub fn eta(&self, sigma: f64) -> f64 {
        -sigma * self.slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(lambda: f64, variance: f64, n: f64, mean: f64) -> f64 {
        let logarithm = if n > 0.0 { n * mean.ln() } else { 0.0 };
        mean - logarithm + (mean - lambda).powi(2) / (2.0 * variance)
    }

    /// Golden-section search over μ, and differences of the minimum.
    #[test]
    fn closed_form_is_the_minimum_with_its_derivatives() {
        let brute = |lambda: f64, variance: f64, n: f64| {
            let (mut low, mut high) = (0.0, 10.0 * (lambda.abs() + variance + n + 1.0));
            for _ in 0..300 {
                let (a, b) = (high - 0.618_033_988_749_895 * (high - low), low + 0.618_033_988_749_895 * (high - low));
                if value(lambda, variance, n, a) < value(lambda, variance, n, b) { high = b } else { low = a }
            }
            value(lambda, variance, n, 0.5 * (low + high))
        };
        let h = |l: f64, v: f64, n: f64| value(l, v, n, profile(l, v, n).mean);
        for (lambda, variance, n) in
            [(10.0, 2.0, 13.0), (3.0, 9.0, 0.0), (3.0, 1.0, 0.0), (0.5, 4.0, 2.0), (-1.0, 4.0, 3.0), (50.0, 0.1, 20.0)]
        {
            let exact = h(lambda, variance, n);
            assert!(
                (exact - brute(lambda, variance, n)).abs() < 1e-10 * exact.abs().max(1.0),
                "{lambda} {variance} {n}"
            );
            let p = profile(lambda, variance, n);
            let e = 1e-5;
            let first = (h(lambda + e, variance, n) - h(lambda - e, variance, n)) / (2.0 * e);
            let by_variance = (h(lambda, variance + e, n) - h(lambda, variance - e, n)) / (2.0 * e);
            let slope = |l: f64, v: f64| profile(l, v, n).slope;
            let second = (slope(lambda + e, variance) - slope(lambda - e, variance)) / (2.0 * e);
            let mixed = (slope(lambda, variance + e) - slope(lambda, variance - e)) / (2.0 * e);
            for (got, want) in [
                (p.slope, first),
                (-0.5 * p.slope * p.slope, by_variance),
                (p.curvature, second),
                (-p.slope * p.curvature, mixed),
            ] {
                assert!((got - want).abs() < 1e-7 * want.abs().max(1.0), "{lambda} {variance} {n}: {got} and {want}");
            }
        }
    }
}
