//! p-values from toys: CLs with its expected band, discovery (spec/inference.md, "Toys").

use super::profile::LOWER;
use super::test_statistic::TestStatistic;
use super::toys::Toy;
use statrs::distribution::{Beta, ContinuousCDF};

/// Fractions of the toys of the background-only hypothesis at which the expected band stands: Φ(−2)…Φ(2), as CLs
/// ascends.
pub const BAND_FRACTIONS: [f64; 5] =
    [0.022750131948179195, 0.15865525393145707, 0.5, 0.8413447460685429, 0.9772498680518208];

/// What one standard deviation covers.
const ONE_SIGMA: f64 = 0.6826894921370859;

/// The part of the toys whose statistic is at least the observed one. Toys that failed count in neither number; what
/// they could do is told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToyFraction {
    pub n_above: u64,
    /// Valid toys.
    pub n: u64,
    pub n_failed: u64,
}

impl ToyFraction {
    /// NaN without a valid toy.
    pub fn p(&self) -> f64 {
        self.n_above as f64 / self.n as f64
    }

    /// Binomial standard deviation of `p`.
    pub fn uncertainty(&self) -> f64 {
        (self.p() * (1.0 - self.p()) / self.n as f64).sqrt()
    }

    /// Central interval of 68.3 % (Clopper and Pearson, Biometrika 26 (1934) 404); (0, 1) without a valid toy.
    pub fn interval(&self) -> (f64, f64) {
        let (k, n, tail) = (self.n_above as f64, self.n as f64, 0.5 * (1.0 - ONE_SIGMA));
        let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p));
        let low = if self.n_above == 0 { 0.0 } else { quantile(k, n - k + 1.0, tail) };
        let high = if self.n_above == self.n { 1.0 } else { quantile(k + 1.0, n - k, 1.0 - tail) };
        (low, high)
    }

    /// p if every failed toy were below the observed statistic, and if every one were above.
    pub fn with_failed(&self) -> (f64, f64) {
        let all = (self.n + self.n_failed) as f64;
        (self.n_above as f64 / all, (self.n_above + self.n_failed) as f64 / all)
    }
}

/// The values of one test statistic on the toys of one hypothesis.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// Ascending.
    values: Vec<f64>,
    n_failed: u64,
}

impl Distribution {
    pub fn new(toys: &[Toy], statistic: TestStatistic, mu: f64) -> Distribution {
        Distribution::from_values(toys.iter().map(|toy| toy.statistic(statistic, mu)))
    }

    /// `None` is a failed toy.
    pub fn from_values(values: impl Iterator<Item = Option<f64>>) -> Distribution {
        let mut distribution = Distribution::default();
        for value in values {
            match value {
                Some(value) => distribution.values.push(value),
                None => distribution.n_failed += 1,
            }
        }
        distribution.values.sort_by(f64::total_cmp);
        distribution
    }

    /// Ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Toys with a statistic of at least `observed`. Counts are whole, so a toy may be the observed data again: what is
    /// nearer than the accuracy of a fit counts as equal.
    pub fn at_least(&self, observed: f64) -> ToyFraction {
        let threshold = observed - LOWER;
        let below = self.values.partition_point(|value| *value < threshold);
        let n = self.values.len() as u64;
        ToyFraction { n_above: n - below as u64, n, n_failed: self.n_failed }
    }

    /// The value that a part `level` of the toys does not exceed: the smallest one with at least that many at or below.
    pub fn quantile(&self, level: f64) -> f64 {
        let n = self.values.len();
        let rank = (level * n as f64 - 1e-9).ceil() as usize;
        self.values.get(rank.saturating_sub(1).min(n.saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// CLs+b, CLb and CLs from toys of both hypotheses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToyTails {
    /// Of the tested value; for discovery, of the background.
    pub clsb: ToyFraction,
    /// Of the alternative.
    pub clb: ToyFraction,
}

impl ToyTails {
    pub fn new(tested: &Distribution, alternative: &Distribution, observed: f64) -> ToyTails {
        ToyTails { clsb: tested.at_least(observed), clb: alternative.at_least(observed) }
    }

    /// NaN where no toy of the alternative is at or above the observed statistic.
    pub fn cls(&self) -> f64 {
        self.clsb.p() / self.clb.p()
    }

    /// Binomial standard deviations of both fractions, propagated; they are independent.
    pub fn cls_uncertainty(&self) -> f64 {
        let (clsb, clb) = (self.clsb.uncertainty() / self.clb.p(), self.cls() * self.clb.uncertainty() / self.clb.p());
        clsb.hypot(clb)
    }
}

/// CLs+b, CLb and CLs expected without signal, ascending: quantiles over the toys of the alternative of what each would
/// give if it were observed (pyhf 0.7.6, infer/calculators), linear between ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToyBand {
    pub clsb: [f64; 5],
    pub clb: [f64; 5],
    pub cls: [f64; 5],
}

impl ToyBand {
    pub fn new(tested: &Distribution, alternative: &Distribution) -> ToyBand {
        let each = |f: &dyn Fn(ToyTails) -> f64| {
            let of_toy = |value: &f64| f(ToyTails::new(tested, alternative, *value));
            let mut values: Vec<f64> = alternative.values.iter().map(of_toy).collect();
            values.sort_by(f64::total_cmp);
            BAND_FRACTIONS.map(|fraction| linear_quantile(&values, fraction))
        };
        ToyBand { clsb: each(&|t| t.clsb.p()), clb: each(&|t| t.clb.p()), cls: each(&|t| t.cls()) }
    }
}

/// Linear between the ranks of ascending values; NaN without values.
fn linear_quantile(values: &[f64], fraction: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let place = fraction * last as f64;
    let below = (place.floor() as usize).min(last);
    let (low, high) = (values[below], values[(below + 1).min(last)]);
    low + (place - below as f64) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(values: &[f64]) -> Distribution {
        Distribution::from_values(values.iter().copied().map(Some))
    }

    #[test]
    fn fractions_count_ties_and_bound_failures() {
        let toys = Distribution::from_values([Some(3.0), None, Some(1.0), Some(2.0), None].into_iter());
        let fraction = toys.at_least(2.0 + 1e-9);
        assert_eq!((fraction.n_above, fraction.n, fraction.n_failed), (2, 3, 2));
        assert_eq!(fraction.with_failed(), (0.4, 0.8));
        assert_eq!(toys.at_least(2.1).n_above, 1);
        assert!(Distribution::default().at_least(0.0).p().is_nan());
    }

    /// Clopper–Pearson of 0 and of 3 in 10 at 68.27 % (scipy 1.17 `beta.ppf`).
    #[test]
    fn intervals_are_those_of_clopper_and_pearson() {
        let of = |n_above, n| ToyFraction { n_above, n, n_failed: 0 }.interval();
        let (low, high) = of(0, 10);
        assert_eq!(low, 0.0);
        // (1 − high)^10 = Φ(−1): closed form.
        assert!((1.0 - high - 0.158_655_253_931_457_07_f64.powf(0.1)).abs() < 1e-9, "{high}");
        let (low, high) = of(3, 10);
        let binomial = |p: f64, ks: std::ops::RangeInclusive<u32>| -> f64 {
            let choose = |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(10 - i) / f64::from(i + 1));
            ks.map(|k| choose(k) * p.powi(k as i32) * (1.0 - p).powi(10 - k as i32)).sum()
        };
        assert!((binomial(low, 3..=10) - 0.158_655_253_931_457_07).abs() < 1e-8, "{low}");
        assert!((binomial(high, 0..=3) - 0.158_655_253_931_457_07).abs() < 1e-8, "{high}");
    }

    /// numpy 2.4: `percentile([1, 2, 4, 8], 84.13447461)` = 6.0961380533… by hand: 2.5240342 ranks.
    #[test]
    fn band_is_linear_between_ranks() {
        assert!((linear_quantile(&[1.0, 2.0, 4.0, 8.0], 0.8413447460685429) - 6.096_136_952_8).abs() < 1e-9);
        let (tested, alternative) = (distribution(&[0.0, 0.0, 1.0, 4.0]), distribution(&[1.0, 2.0, 3.0, 5.0]));
        let tails = ToyTails::new(&tested, &alternative, 2.0);
        assert_eq!((tails.clsb.p(), tails.clb.p(), tails.cls()), (0.25, 0.75, 0.25 / 0.75));
        let band = ToyBand::new(&tested, &alternative);
        assert!(band.cls.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(band.clb[2], 0.625);
    }

    #[test]
    fn quantiles_cover_at_least_their_level() {
        let toys = distribution(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert_eq!(toys.quantile(0.9), 9.0);
        assert_eq!(toys.quantile(0.91), 10.0);
        assert!(Distribution::default().quantile(0.5).is_nan());
    }
}
