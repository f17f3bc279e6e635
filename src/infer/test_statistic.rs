//! Test statistics of the profile likelihood (spec/inference.md, "Test statistics").

use super::fit::FitOptions;
use super::likelihood::Minimum;
use super::profile::Profile;

/// Which function of −2 Δ ln L tests a value of the POI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestStatistic {
    /// Discovery: tests 0 against positive values.
    Q0,
    /// Upper limits: tests μ against smaller values.
    Qmu,
    /// As `Qmu`, with μ̂ not below 0.
    QmuTilde,
    /// Intervals: tests μ against values on both sides.
    Tmu,
    /// As `Tmu`, with μ̂ not below 0.
    TmuTilde,
}

impl TestStatistic {
    /// The statistic of a tested value μ, from −2 Δ ln L between the conditional and the unconditional minimum.
    pub fn value(self, mu: f64, mu_hat: f64, height: f64) -> f64 {
        let zero = match self {
            TestStatistic::Q0 => mu_hat < 0.0,
            TestStatistic::Qmu | TestStatistic::QmuTilde => mu_hat > mu,
            TestStatistic::Tmu | TestStatistic::TmuTilde => false,
        };
        if zero { 0.0 } else { height.max(0.0) }
    }

    /// Whether μ̂ is looked for at 0 and above only.
    pub fn is_tilde(self) -> bool {
        matches!(self, TestStatistic::QmuTilde | TestStatistic::TmuTilde)
    }

    /// Raises the POI's lower bound to 0 where the statistic asks for it, and the start with it.
    pub fn restrict(self, options: &mut FitOptions, poi: usize) {
        let (low, high) = options.bounds[poi];
        if self.is_tilde() && low < 0.0 {
            options.bounds[poi].0 = high.min(0.0);
            options.init[poi] = options.init[poi].max(high.min(0.0));
        }
    }

    /// Whether CLs is made of it.
    pub fn has_cls(self) -> bool {
        matches!(self, TestStatistic::Qmu | TestStatistic::QmuTilde)
    }

    /// The value of the POI at which the Asimov data of the alternative are made.
    pub fn alternative(self) -> f64 {
        if self == TestStatistic::Q0 { 1.0 } else { 0.0 }
    }

    /// The statistic at one value of the POI, the only parameter of the profile.
    pub fn at(self, profile: &mut Profile, mu: f64) -> Tested {
        let point = profile.at(&[mu]);
        let mu_hat = profile.best_values()[0];
        let height = profile.height(&point);
        let value = self.value(mu, mu_hat, height);
        // A statistic that is zero does not rise with μ.
        let slope = if value > 0.0 { point.slopes[0] } else { 0.0 };
        Tested { value, slope, conditional: point.minimum }
    }
}

/// A test statistic at one value of the POI.
#[derive(Clone, Debug)]
pub struct Tested {
    pub value: f64,
    /// d(value)/dμ.
    pub slope: f64,
    pub conditional: Minimum,
}

#[cfg(test)]
mod tests {
    use super::TestStatistic::*;

    /// pyhf 0.7.6, infer/test_statistics: q is zero on one side, t never.
    #[test]
    fn zero_on_the_side_of_the_definition() {
        assert_eq!(Qmu.value(1.0, 1.5, 0.3), 0.0);
        assert_eq!(Qmu.value(1.0, 0.5, 0.3), 0.3);
        assert_eq!(QmuTilde.value(1.0, 1.0, 0.0), 0.0);
        assert_eq!(Q0.value(0.0, -0.5, 0.3), 0.0);
        assert_eq!(Q0.value(0.0, 0.5, 0.3), 0.3);
        assert_eq!(Tmu.value(1.0, 1.5, 0.3), 0.3);
        assert_eq!(TmuTilde.value(1.0, 1.5, -1e-12), 0.0);
    }
}
