//! Terms of −ln L in one parameter that no auxiliary measurement of [`Constraint`](super::Constraint) brings
//! (spec/hs3-histfactory.md, "Constraints").

use super::interpolation::Jet;
use crate::normal::ln_cdf;

/// One such term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty {
    /// Index of a scalar parameter in fit order.
    pub parameter: usize,
    pub kind: PenaltyKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PenaltyKind {
    /// ln[Φ((high − θ)/σ) − Φ((low − θ)/σ)]: the Gaussian of an observable, normalised over its range
    /// (spec/hs3-histfactory.md, eq. 3). Bounds may be infinite.
    Truncation { sigma: f64, low: f64, high: f64 },
    /// With t = θ − shift: `linear · t + logarithm · ln t + ½ square · (ln t − centre)²`; +inf where t ≤ 0.
    /// Log-normal and gamma densities of the parameter itself (spec/hs3-histfactory.md, eq. 4 and 5).
    Logarithmic { shift: f64, linear: f64, logarithm: f64, square: f64, centre: f64 },
    /// What no parameter moves.
    Constant(f64),
}

impl Penalty {
    /// The term with its first and second derivative by the parameter.
    pub fn jet(&self, theta: f64) -> Jet {
        match self.kind {
            PenaltyKind::Truncation { sigma, low, high } => truncation(sigma, low, high, theta),
            PenaltyKind::Logarithmic { shift, linear, logarithm, square, centre } => {
                let t = theta - shift;
                if t <= 0.0 {
                    return Jet::new(f64::INFINITY, 0.0, 0.0);
                }
                let pull = t.ln() - centre;
                let value = linear * t + logarithm * t.ln() + 0.5 * square * pull * pull;
                let first = linear + (logarithm + square * pull) / t;
                Jet::new(value, first, (square - logarithm - square * pull) / (t * t))
            }
            PenaltyKind::Constant(value) => Jet::new(value, 0.0, 0.0),
        }
    }

    /// What no parameter moves.
    pub fn constant(&self) -> f64 {
        if let PenaltyKind::Constant(value) = self.kind { value } else { 0.0 }
    }

    /// The second derivative where a matrix without negative parts is wanted. That of a truncation is never more
    /// negative than its Gaussian is positive.
    pub fn safe_curvature(&self, theta: f64) -> f64 {
        let second = self.jet(theta).second;
        if matches!(self.kind, PenaltyKind::Truncation { .. }) { second } else { second.max(0.0) }
    }
}

/// ln Z with Z = Φ(b) − Φ(a), a = (low − θ)/σ, b = (high − θ)/σ. With m = (φ(a) − φ(b))/Z the derivatives are m/σ and
/// ((a φ(a) − b φ(b))/Z − m²)/σ².
fn truncation(sigma: f64, low: f64, high: f64, theta: f64) -> Jet {
    let (a, b) = ((low - theta) / sigma, (high - theta) / sigma);
    let ln_z = ln_mass(a, b);
    let density = |z: f64| {
        let ln = -0.5 * z * z - 0.5 * (2.0 * std::f64::consts::PI).ln() - ln_z;
        if z.is_finite() { ln.exp() } else { 0.0 }
    };
    let (phi_a, phi_b) = (density(a), density(b));
    let weighted = |z: f64, phi: f64| if phi == 0.0 { 0.0 } else { z * phi };
    let mean = phi_a - phi_b;
    let second = weighted(a, phi_a) - weighted(b, phi_b) - mean * mean;
    Jet::new(ln_z, mean / sigma, second / (sigma * sigma))
}

/// ln[Φ(b) − Φ(a)] for a < b, in the tail on whose side the interval lies.
fn ln_mass(a: f64, b: f64) -> f64 {
    if a > 0.0 {
        return ln_mass(-b, -a);
    }
    if b > 0.0 {
        // Both tails are at most a half.
        let tail = |x: f64| if x == f64::NEG_INFINITY { 0.0 } else { ln_cdf(x).exp() };
        return (-(tail(a) + tail(-b))).ln_1p();
    }
    let (upper, lower) = (ln_cdf(b), if a == f64::NEG_INFINITY { a } else { ln_cdf(a) });
    upper + (-(lower - upper).exp()).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated() -> Penalty {
        Penalty { parameter: 0, kind: PenaltyKind::Truncation { sigma: 0.46, low: 0.0, high: 10.0 } }
    }

    /// Against Simpson's rule on the Gaussian, and derivatives against central differences.
    #[test]
    fn truncation_is_the_mass_of_the_gaussian() {
        for theta in [-0.5, 0.0, 0.3, 1.0, 5.0, 9.7, 10.5] {
            let (sigma, n) = (0.46, 200_000);
            let step = 10.0 / n as f64;
            let density = |x: f64| {
                let z = (x - theta) / sigma;
                (-0.5 * z * z).exp() / (sigma * (2.0 * std::f64::consts::PI).sqrt())
            };
            let weight = |i: usize| if i == 0 || i == n { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
            let mass: f64 = (0..=n).map(|i| weight(i) * density(i as f64 * step)).sum::<f64>() * step / 3.0;
            let jet = truncated().jet(theta);
            assert!((jet.value - mass.ln()).abs() < 1e-11, "{theta}: {} and {}", jet.value, mass.ln());
            derivatives(&truncated(), theta);
        }
    }

    fn derivatives(penalty: &Penalty, theta: f64) {
        let h = 1e-4;
        let (below, jet, above) = (penalty.jet(theta - h), penalty.jet(theta), penalty.jet(theta + h));
        let first = (above.value - below.value) / (2.0 * h);
        let second = (above.first - below.first) / (2.0 * h);
        assert!((jet.first - first).abs() < 1e-6 * (1.0 + first.abs()), "{theta}: {} and {first}", jet.first);
        assert!((jet.second - second).abs() < 1e-6 * (1.0 + second.abs()), "{theta}: {} and {second}", jet.second);
    }

    #[test]
    fn far_away_nothing_underflows() {
        let kind = PenaltyKind::Truncation { sigma: 0.1, low: 0.0, high: 10.0 };
        let jet = Penalty { parameter: 0, kind }.jet(-5.0);
        assert!(jet.value.is_finite() && jet.first.is_finite() && jet.second.is_finite());
        // ln Φ(−50) = −1254.8313611394… (DLMF 7.12.1).
        assert!((jet.value + 1254.8313611394).abs() < 1e-9, "{}", jet.value);
    }

    #[test]
    fn derivatives_of_the_logarithmic_form() {
        let kind = PenaltyKind::Logarithmic { shift: 0.1, linear: 16.0, logarithm: -15.0, square: 4.0, centre: 0.2 };
        for theta in [0.3, 1.0, 2.5] {
            derivatives(&Penalty { parameter: 0, kind }, theta);
        }
        assert_eq!(Penalty { parameter: 0, kind }.jet(0.1).value, f64::INFINITY);
    }
}
