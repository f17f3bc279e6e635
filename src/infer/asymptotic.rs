//! Asymptotic distributions of the test statistics (spec/inference.md, "Asymptotic formulae"), in ln p.

use super::test_statistic::TestStatistic;
use crate::normal::{ln_cdf, ln_cdf_slope, ln_scaled_tail, quantile};

/// How many standard deviations of the background-only hypothesis the expected band is away, in the order of ascending
/// CLs (and ascending limits).
pub const BAND: [f64; 5] = [2.0, 1.0, 0.0, -1.0, -2.0];

/// CLs+b = Φ(−a) and CLb = Φ(−b).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    pub a: f64,
    pub b: f64,
    /// (a² − b²)/2, which keeps its digits where a and b are large and close.
    half_difference: f64,
}

/// Which p-value excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    Cls,
    /// CLs+b: no protection where there is no sensitivity.
    Clsb,
}

impl Tails {
    /// Of a statistic q observed, whose value on the Asimov data of the alternative is `q_asimov`. A tilde changes the
    /// form where q is above `q_asimov` (eq. 8–10).
    pub fn observed(statistic: TestStatistic, q: f64, q_asimov: f64) -> Tails {
        let (root, s) = (q.sqrt(), q_asimov.sqrt());
        if !statistic.is_tilde() || root <= s || s == 0.0 {
            return Tails { a: root, b: root - s, half_difference: s * (root - 0.5 * s) };
        }
        Tails { a: 0.5 * (q + q_asimov) / s, b: 0.5 * (q - q_asimov) / s, half_difference: 0.5 * q }
    }

    /// Where the background-only hypothesis fluctuates by `n` standard deviations (positive: towards less signal)
    /// (eq. 11).
    pub fn expected(q_asimov: f64, n: f64) -> Tails {
        let s = q_asimov.sqrt();
        Tails { a: n + s, b: n, half_difference: s * (n + 0.5 * s) }
    }

    /// The five of [`BAND`].
    pub fn band(q_asimov: f64) -> [Tails; 5] {
        BAND.map(|n| Tails::expected(q_asimov, n))
    }

    pub fn ln_clsb(&self) -> f64 {
        ln_cdf(-self.a)
    }

    pub fn clsb(&self) -> f64 {
        self.ln_clsb().exp()
    }

    pub fn clb(&self) -> f64 {
        ln_cdf(-self.b).exp()
    }

    /// ln(CLs+b/CLb) (eq. 12).
    pub fn ln_cls(&self) -> f64 {
        if self.b > 5.0 {
            ln_scaled_tail(self.a) - ln_scaled_tail(self.b) - self.half_difference
        } else {
            ln_cdf(-self.a) - ln_cdf(-self.b)
        }
    }

    pub fn cls(&self) -> f64 {
        self.ln_cls().exp()
    }

    /// ln of the p-value that the criterion speaks of.
    pub fn ln_p(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Cls => self.ln_cls(),
            Criterion::Clsb => self.ln_clsb(),
        }
    }
}

/// d(ln p)/dμ from the slopes of q and of `q_asimov`.
pub fn ln_p_slope(
    statistic: TestStatistic,
    criterion: Criterion,
    (q, q_slope): (f64, f64),
    (q_asimov, asimov_slope): (f64, f64),
) -> f64 {
    let Tails { a, b, .. } = Tails::observed(statistic, q, q_asimov);
    let (root, root_asimov) = (q.sqrt(), q_asimov.sqrt());
    let of_root = |slope: f64, root: f64| if root > 0.0 { 0.5 * slope / root } else { 0.0 };
    let (da, db) = if !statistic.is_tilde() || root <= root_asimov || root_asimov == 0.0 {
        let da = of_root(q_slope, root);
        (da, da - of_root(asimov_slope, root_asimov))
    } else {
        let of_asimov = of_root(asimov_slope, root_asimov) / root_asimov;
        let sum = 0.5 * (q_slope + asimov_slope) / root_asimov - a * of_asimov;
        let difference = 0.5 * (q_slope - asimov_slope) / root_asimov - b * of_asimov;
        (sum, difference)
    };
    let clsb = -ln_cdf_slope(-a) * da;
    match criterion {
        Criterion::Cls => clsb + ln_cdf_slope(-b) * db,
        Criterion::Clsb => clsb,
    }
}

/// √`q_asimov` at which the p-value expected at `n` standard deviations is `level`; negative where it is below already
/// without signal.
pub fn root_q_at_level(criterion: Criterion, level: f64, n: f64) -> f64 {
    let ln_clsb = match criterion {
        Criterion::Cls => level.ln() + ln_cdf(-n),
        Criterion::Clsb => level.ln(),
    };
    -quantile(ln_clsb) - n
}

/// ln p of a two-sided statistic t (`Tmu`, `TmuTilde`) with `t_asimov` on the Asimov data at μ′ = 0.
pub fn ln_p_two_sided(statistic: TestStatistic, t: f64, t_asimov: f64) -> f64 {
    let root = t.sqrt();
    if statistic != TestStatistic::TmuTilde || t <= t_asimov || t_asimov == 0.0 {
        return std::f64::consts::LN_2 + ln_cdf(-root);
    }
    // 1 − F = Φ(−√t) + Φ(−(t + t_A)/(2√t_A)).
    let (large, small) = (ln_cdf(-root), ln_cdf(-0.5 * (t + t_asimov) / t_asimov.sqrt()));
    large + (small - large).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use TestStatistic::{Qmu, QmuTilde, TmuTilde};

    #[test]
    fn nothing_is_nan_without_sensitivity() {
        for statistic in [Qmu, QmuTilde] {
            for (q, q_asimov) in [(0.0, 0.0), (1e-300, 0.0), (0.0, 1e-300), (1e-12, 1e-14), (1e4, 1e-8), (4e5, 3e5)] {
                let tails = Tails::observed(statistic, q, q_asimov);
                for p in [tails.cls(), tails.clsb(), tails.clb()] {
                    assert!((0.0..=1.0 + 1e-12).contains(&p), "{statistic:?} {q} {q_asimov}: {tails:?}");
                }
            }
        }
        assert_eq!(Tails::observed(QmuTilde, 0.0, 0.0).cls(), 1.0);
        // The limit of the quotient without sensitivity: exp(−q/2).
        let limit = Tails::observed(QmuTilde, 3.0, 1e-20).cls();
        assert!((limit - (-1.5_f64).exp()).abs() < 1e-9, "{limit}");
        assert!(Tails::band(0.0).iter().all(|tails| (tails.cls() - 1.0).abs() < 1e-15));
        // Far in both tails the ratio still has digits: Φ(−40)/Φ(−2).
        let far = Tails::expected(38.0 * 38.0, 2.0);
        assert!((far.ln_cls() - (-804.608442 + 3.783184)).abs() < 1e-5, "{}", far.ln_cls());
    }

    #[test]
    fn slopes_are_differences() {
        let (q, dq) = (|mu: f64| 2.0 * (mu - 0.3).powi(2), |mu: f64| 4.0 * (mu - 0.3));
        let (qa, dqa) = (|mu: f64| 1.5 * mu * mu, |mu: f64| 3.0 * mu);
        let negative = |mu: f64| 2.0 * (mu + 0.9).powi(2) - 1.62;
        let negative_slope = |mu: f64| 4.0 * (mu + 0.9);
        for criterion in [Criterion::Cls, Criterion::Clsb] {
            for (statistic, f, df) in [
                (Qmu, &q as &dyn Fn(f64) -> f64, &dq as &dyn Fn(f64) -> f64),
                (QmuTilde, &q, &dq),
                (QmuTilde, &negative, &negative_slope),
            ] {
                for mu in [0.4, 1.1, 3.0] {
                    let ln_p = |mu: f64| Tails::observed(statistic, f(mu), qa(mu)).ln_p(criterion);
                    let difference = (ln_p(mu + 1e-5) - ln_p(mu - 1e-5)) / 2e-5;
                    let slope = ln_p_slope(statistic, criterion, (f(mu), df(mu)), (qa(mu), dqa(mu)));
                    assert!((slope - difference).abs() < 1e-6 * slope.abs().max(1.0), "{slope} but {difference}");
                }
            }
        }
    }

    /// The level is met by construction of the definition itself.
    #[test]
    fn expected_limits_have_the_level() {
        for n in BAND {
            for criterion in [Criterion::Cls, Criterion::Clsb] {
                let root = root_q_at_level(criterion, 0.05, n);
                if root > 0.0 {
                    let tails = Tails::expected(root * root, n);
                    assert!((tails.ln_p(criterion).exp() - 0.05).abs() < 1e-12, "{criterion:?} {n}");
                }
            }
        }
        assert!(root_q_at_level(Criterion::Clsb, 0.05, 2.0) < 0.0);
        // Without fluctuation CLs = 2 Φ(−√q_A): 1.95996 at 5 %.
        assert!((root_q_at_level(Criterion::Cls, 0.05, 0.0) - 1.959963984540054).abs() < 1e-12);
    }

    /// Continuous where the two forms meet.
    #[test]
    fn tilde_forms_meet() {
        let below = ln_p_two_sided(TmuTilde, 2.25, 2.25);
        let above = ln_p_two_sided(TmuTilde, 2.25 * (1.0 + 1e-12), 2.25);
        assert!((below - above).abs() < 1e-10);
        let (below, above) = (Tails::observed(QmuTilde, 2.0, 2.0), Tails::observed(QmuTilde, 2.0 + 1e-12, 2.0));
        assert!((below.ln_cls() - above.ln_cls()).abs() < 1e-10 && (below.ln_clsb() - above.ln_clsb()).abs() < 1e-10);
    }
}
