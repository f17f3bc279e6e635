//! Random numbers by counter: every toy has a stream of its own, so that it is the same in whatever order, thread or
//! shard it is drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Gamma, Normal, Poisson, StandardUniform};

/// What a stream is for: toys that differ in it are independent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ensemble {
    pub seed: u64,
    /// The tested value at which the toys are made; NaN where no parameter is held.
    pub value: f64,
}

/// Where a stream of one toy is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Data = 1,
    Parameters = 2,
}

impl Ensemble {
    /// The stream of one toy: ChaCha with 8 rounds, keyed by seed, purpose and value, with the toy as nonce.
    pub fn stream(&self, purpose: Purpose, toy: u64) -> ChaCha8Rng {
        // 0 and −0 are one value.
        let value = (self.value + 0.0).to_bits();
        let mut key = [0; 32];
        for (part, word) in key.chunks_exact_mut(8).zip([self.seed, purpose as u64, value]) {
            part.copy_from_slice(&word.to_le_bytes());
        }
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(toy);
        stream
    }
}

/// A distribution from which one number of a toy is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Variate {
    Poisson(Poisson<f64>),
    Normal(Normal<f64>),
    Gamma(Gamma<f64>),
    /// Not random.
    Constant(f64),
}

impl Variate {
    /// Poisson with this mean; `None` where the mean is negative, not finite or above 1.8e19.
    pub fn poisson(mean: f64) -> Option<Variate> {
        if mean == 0.0 { Some(Variate::Constant(0.0)) } else { Poisson::new(mean).ok().map(Variate::Poisson) }
    }

    /// `None` where mean or width is not finite or the width is negative.
    pub fn normal(mean: f64, width: f64) -> Option<Variate> {
        let usable = mean.is_finite() && width.is_finite() && width >= 0.0;
        if usable { Normal::new(mean, width).ok().map(Variate::Normal) } else { None }
    }

    /// With density ∝ x^(shape − 1) e^(−rate x); `None` where one is not positive and finite.
    pub fn gamma(shape: f64, rate: f64) -> Option<Variate> {
        if shape.is_finite() { Gamma::new(shape, 1.0 / rate).ok().map(Variate::Gamma) } else { None }
    }

    pub fn draw(&self, stream: &mut ChaCha8Rng) -> f64 {
        match self {
            Variate::Poisson(poisson) => poisson.sample(stream),
            Variate::Normal(normal) => normal.sample(stream),
            Variate::Gamma(gamma) => gamma.sample(stream),
            Variate::Constant(value) => *value,
        }
    }
}

/// A number in [0, 1).
pub fn uniform(stream: &mut ChaCha8Rng) -> f64 {
    StandardUniform.sample(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    fn draws(variate: Variate, n: u64) -> impl Iterator<Item = f64> {
        let ensemble = Ensemble { seed: 20, value: 1.0 };
        (0..n).map(move |toy| variate.draw(&mut ensemble.stream(Purpose::Data, toy)))
    }

    /// χ² of counts against probabilities of the cells (closed forms), cells with few expected ones joined.
    fn assert_follows(name: &str, counts: &[f64], probabilities: &[f64], n: f64) {
        let (mut chi2, mut cells, mut expected, mut observed) = (0.0, 0, 0.0, 0.0);
        let mut left = (n, n);
        for (count, p) in counts.iter().zip(probabilities) {
            expected += n * p;
            observed += count;
            if expected >= 20.0 && left.0 - expected >= 20.0 {
                chi2 += (observed - expected).powi(2) / expected;
                left = (left.0 - expected, left.1 - observed);
                (cells, expected, observed) = (cells + 1, 0.0, 0.0);
            }
        }
        chi2 += (left.1 - left.0).powi(2) / left.0;
        // A sampler that is right fails with a probability of 1e-4, and this seed is fixed.
        let p = 1.0 - ChiSquared::new(f64::from(cells)).unwrap().cdf(chi2);
        assert!(p > 1e-4, "{name}: χ² {chi2} in {cells} cells, p = {p}");
    }

    fn ln_poisson(k: f64, mean: f64) -> f64 {
        k * mean.ln() - mean - libm::lgamma(k + 1.0)
    }

    #[test]
    fn poisson_is_poisson() {
        let n = 200_000;
        for mean in [1e-3, 0.7, 5.0, 11.9, 12.1, 37.5, 400.0] {
            let top = (mean + 12.0 * f64::sqrt(mean) + 12.0) as usize;
            let mut counts = vec![0.0; top + 1];
            for k in draws(Variate::poisson(mean).unwrap(), n) {
                assert!(k >= 0.0 && k.fract() == 0.0);
                counts[(k as usize).min(top)] += 1.0;
            }
            let probabilities: Vec<f64> = (0..=top).map(|k| ln_poisson(k as f64, mean).exp()).collect();
            assert_follows(&format!("Poisson({mean})"), &counts, &probabilities, n as f64);
        }
    }

    /// Where a cell a count is too many: cells of a tenth of a width, probabilities summed exactly.
    #[test]
    fn poisson_is_poisson_for_large_means() {
        let n = 100_000;
        for mean in [3e4_f64, 1e6] {
            let (width, cells) = ((0.1 * mean.sqrt()).floor(), 120);
            let low = (mean - 60.0 * width).floor();
            let mut counts = vec![0.0; cells];
            for k in draws(Variate::poisson(mean).unwrap(), n) {
                let cell = ((k - low) / width).floor().clamp(0.0, cells as f64 - 1.0);
                counts[cell as usize] += 1.0;
            }
            let cell = |cell: usize| -> f64 {
                let first = low + cell as f64 * width;
                (0..width as usize).map(|i| ln_poisson(first + i as f64, mean).exp()).sum()
            };
            let probabilities: Vec<f64> = (0..cells).map(cell).collect();
            assert_follows(&format!("Poisson({mean})"), &counts, &probabilities, n as f64);
        }
    }

    /// A billion: moments, mean λ and variance λ, within five of their standard errors.
    #[test]
    fn poisson_of_a_billion() {
        let (mean, n) = (1e9, 100_000);
        let pulls: Vec<f64> = draws(Variate::poisson(mean).unwrap(), n).map(|k| (k - mean) / mean.sqrt()).collect();
        let n = n as f64;
        let first = pulls.iter().sum::<f64>() / n;
        let second = pulls.iter().map(|x| x * x).sum::<f64>() / n;
        assert!(first.abs() < 5.0 / n.sqrt(), "{first}");
        assert!((second - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{second}");
    }

    #[test]
    fn means_without_a_distribution_are_none() {
        assert!(matches!(Variate::poisson(0.0), Some(Variate::Constant(0.0))));
        for mean in [-1e-9, f64::NAN, f64::INFINITY, 1e20] {
            assert!(Variate::poisson(mean).is_none(), "{mean}");
        }
        assert!(Variate::normal(f64::NAN, 1.0).is_none() && Variate::normal(0.0, -1.0).is_none());
        assert!(Variate::gamma(0.0, 1.0).is_none() && Variate::gamma(1.0, f64::NAN).is_none());
    }

    #[test]
    fn normal_is_normal_and_gamma_is_gamma() {
        let n = 100_000;
        // Cells of equal probability by the distribution's own cumulative function.
        let uniform = |variate: Variate, cdf: &dyn Fn(f64) -> f64| {
            let mut counts = vec![0.0; 100];
            draws(variate, n).for_each(|x| counts[((100.0 * cdf(x)) as usize).min(99)] += 1.0);
            counts
        };
        let normal = |x: f64| 0.5 * libm::erfc(-(x - 3.0) / (0.5 * std::f64::consts::SQRT_2));
        let counts = uniform(Variate::normal(3.0, 0.5).unwrap(), &normal);
        assert_follows("Normal(3, 0.5)", &counts, &[0.01; 100], n as f64);
        // Gamma(3, 2): 1 − e^(−2x) (1 + 2x + 2x²).
        let gamma = |x: f64| 1.0 - (-2.0 * x).exp() * (1.0 + 2.0 * x + 2.0 * x * x);
        let counts = uniform(Variate::gamma(3.0, 2.0).unwrap(), &gamma);
        assert_follows("Gamma(3, 2)", &counts, &[0.01; 100], n as f64);
    }

    /// A stream is known by what it is for alone, and differs from its neighbours.
    #[test]
    fn streams_are_independent() {
        let first = |seed, purpose, value, toy| {
            let mut stream = Ensemble { seed, value }.stream(purpose, toy);
            Variate::normal(0.0, 1.0).unwrap().draw(&mut stream)
        };
        let one = first(1, Purpose::Data, 1.0, 7);
        assert_eq!(one, first(1, Purpose::Data, 1.0, 7));
        assert_eq!(first(1, Purpose::Data, 0.0, 7), first(1, Purpose::Data, -0.0, 7));
        for other in [
            first(2, Purpose::Data, 1.0, 7),
            first(1, Purpose::Parameters, 1.0, 7),
            first(1, Purpose::Data, 1.5, 7),
            first(1, Purpose::Data, 1.0, 8),
        ] {
            assert_ne!(one, other);
        }
        let mut numbers: Vec<f64> = (0..1000).map(|toy| first(1, Purpose::Data, 1.0, toy)).collect();
        numbers.sort_by(f64::total_cmp);
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
