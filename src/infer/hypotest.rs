//! Hypothesis tests by asymptotic formulae: CLs and its expected band, discovery (spec/inference.md).

use super::asymptotic::{BAND, Criterion, Tails, ln_p_slope, ln_p_two_sided};
use super::fit::Failure;
use super::generate::GenerationFailure;
use super::likelihood::{Likelihood, Minimum};
use super::profile::{LOWER, Profile};
use super::test_statistic::{TestStatistic, Tested};
use crate::normal::{ln_cdf, ln_chi2_tail};

/// Which fit of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestFit {
    /// All parameters free.
    Unconditional,
    /// The POI at the tested value.
    Conditional,
    /// The POI at the value of the alternative, to make the Asimov data.
    Alternative,
    /// All parameters free, on the Asimov data.
    AsimovUnconditional,
    /// The POI at the tested value, on the Asimov data.
    AsimovConditional,
}

/// Why a test has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum TestFailure {
    /// A fit is not valid.
    Fit(TestFit, Failure),
    /// The value of the POI at which the Asimov data are made is not within its bounds.
    AlternativeOutOfBounds { value: f64, bounds: (f64, f64) },
    /// The Asimov data would have a negative count in this bin of this channel.
    NegativeAsimov { channel: usize, bin: usize },
    /// There are no Asimov data.
    Asimov(GenerationFailure),
}

/// One value of the POI tested.
#[derive(Clone, Debug)]
pub struct Hypotest {
    pub value: f64,
    /// Whose distribution gives the p-values.
    pub statistic: TestStatistic,
    pub observed: Tested,
    /// On the Asimov data of the alternative.
    pub asimov: Tested,
    /// Observed CLs+b and CLb; for `Q0`, CLs+b is the p-value of the background.
    pub tails: Tails,
    /// Expected ones in the order of [`BAND`].
    pub band: [Tails; 5],
}

impl Hypotest {
    /// p of a two-sided statistic.
    pub fn p_two_sided(&self) -> f64 {
        ln_p_two_sided(self.statistic, self.observed.value, self.asimov.value).exp()
    }

    /// (p, significance) of the background-only hypothesis, for `Q0`.
    pub fn discovery(&self) -> (f64, f64) {
        let z = self.observed.value.sqrt();
        (ln_cdf(-z).exp(), z)
    }

    /// (p, significance) expected with a signal of strength one, in the order of [`BAND`], for `Q0`.
    pub fn expected_discovery(&self) -> [(f64, f64); 5] {
        BAND.map(|n| {
            let z = self.asimov.value.sqrt() + n;
            (ln_cdf(-z).exp(), z)
        })
    }

    /// d(ln p)/dμ of the observed p-value.
    pub fn ln_p_slope(&self, criterion: Criterion) -> f64 {
        let pair = |tested: &Tested| (tested.value, tested.slope);
        ln_p_slope(self.statistic, criterion, pair(&self.observed), pair(&self.asimov))
    }
}

/// Tests of one POI on one data set: profiles on the observed and on the Asimov data, each value tested warm-starting the
/// next.
#[derive(Clone, Debug)]
pub struct AsymptoticTest<'p> {
    pub statistic: TestStatistic,
    pub poi: usize,
    /// The value of the POI at which the Asimov data are made.
    pub alternative: f64,
    pub observed: Profile<'p>,
    pub asimov: Profile<'p>,
}

impl<'p> AsymptoticTest<'p> {
    /// Fits the data, and with the POI at the alternative's value; the latter makes the Asimov data. A statistic with a tilde
    /// raises the POI's lower bound to 0.
    pub fn new(mut likelihood: Likelihood<'p>, poi: usize, statistic: TestStatistic) -> Result<Self, TestFailure> {
        let bounds = likelihood.options.bounds[poi];
        let mut alternative = statistic.alternative();
        if statistic == TestStatistic::Tmu {
            // Its distribution needs no Asimov data; any value serves.
            alternative = alternative.max(bounds.0).min(bounds.1);
        } else if !(bounds.0..=bounds.1).contains(&alternative) {
            return Err(TestFailure::AlternativeOutOfBounds { value: alternative, bounds });
        }
        statistic.restrict(&mut likelihood.options, poi);
        let mut observed = Profile::new(likelihood, &[poi]);
        observed.confirm(&[alternative]);
        let background = observed.at(&[alternative]).minimum;
        valid(TestFit::Unconditional, observed.best())?;
        valid(TestFit::Alternative, &background)?;
        let asimov = asimov_profile(&mut observed, poi, &background)?;
        Ok(AsymptoticTest { statistic, poi, alternative, observed, asimov })
    }

    /// Tests a value of the POI, following the profiles from the points known.
    pub fn follow(&mut self, value: f64) -> Result<Hypotest, TestFailure> {
        let statistic = self.statistic;
        let observed = statistic.at(&mut self.observed, value);
        valid(TestFit::Unconditional, self.observed.best())?;
        valid(TestFit::Conditional, &observed.conditional)?;
        let asimov = self.asimov_at(value)?;
        let tails = Tails::observed(statistic, observed.value, asimov.value);
        let band = Tails::band(asimov.value);
        Ok(Hypotest { value, statistic, observed, asimov, tails, band })
    }

    /// The statistic on the Asimov data.
    pub fn asimov_at(&mut self, value: f64) -> Result<Tested, TestFailure> {
        let asimov = self.statistic.at(&mut self.asimov, value);
        valid(TestFit::AsimovConditional, &asimov.conditional)?;
        Ok(asimov)
    }

    /// Tests a value of the POI, with a search for lower minima there.
    pub fn at(&mut self, value: f64) -> Result<Hypotest, TestFailure> {
        self.confirm(value)?;
        self.follow(value)
    }

    /// Looks for lower minima at a value of the POI, on both data sets; true where there is one. Asimov data are made
    /// again where the alternative's minimum was not the lowest.
    pub fn confirm(&mut self, value: f64) -> Result<bool, TestFailure> {
        let observed = self.observed.confirm(&[value]);
        let remade = self.remake_asimov()?;
        let asimov = self.asimov.confirm(&[value]);
        Ok(observed || asimov || remade)
    }

    /// Where the best fit has become lower, the alternative may have as well.
    fn remake_asimov(&mut self) -> Result<bool, TestFailure> {
        let alternative = [self.alternative];
        let best = self.observed.best().parameters.clone();
        if self.observed.first_minimum().is_none() || !self.observed.improve_from(&alternative, &best) {
            return Ok(false);
        }
        let background = self.observed.at(&alternative).minimum;
        self.asimov = asimov_profile(&mut self.observed, self.poi, &background)?;
        Ok(true)
    }

    /// Raises the POI's upper bound; fits again where the best fit lay on it.
    pub fn raise_upper_bound(&mut self, high: f64) -> Result<(), TestFailure> {
        let old = self.observed.likelihood.options.bounds[self.poi].1;
        self.observed.likelihood.options.bounds[self.poi].1 = high;
        self.asimov.likelihood.options.bounds[self.poi].1 = high;
        if self.observed.best_values()[0] < old {
            return Ok(());
        }
        let likelihood = self.observed.likelihood.clone();
        *self = AsymptoticTest::new(likelihood, self.poi, self.statistic)?;
        Ok(())
    }
}

pub(super) fn valid(fit: TestFit, minimum: &Minimum) -> Result<(), TestFailure> {
    minimum.reason.clone().map_or(Ok(()), |failure| Err(TestFailure::Fit(fit, failure)))
}

/// The profile on the Asimov data made at a minimum, which is the minimum there too (spec/inference.md, eq. 6).
fn asimov_profile<'p>(
    observed: &mut Profile<'p>,
    poi: usize,
    background: &Minimum,
) -> Result<Profile<'p>, TestFailure> {
    let likelihood = &mut observed.likelihood;
    let data = likelihood.expected_data(&background.parameters).map_err(TestFailure::Asimov)?;
    if let Some(index) = data.main.iter().position(|n| *n < 0.0) {
        let (channel, bin) = likelihood.program().layout.channel_of_bin(index);
        return Err(TestFailure::NegativeAsimov { channel, bin });
    }
    let mut likelihood = likelihood.with_data(&data);
    let twice_nll = likelihood.twice_nll(&background.parameters);
    // Events on a grid expect nearly what the density does, not exactly.
    let mut best = Minimum { twice_nll, ..background.clone() };
    if likelihood.program().has_densities() {
        best = likelihood.minimum_from(&background.parameters, &[]);
        valid(TestFit::AsimovUnconditional, &best)?;
    }
    Ok(Profile::with_best(likelihood, &[poi], best).with_all_minima())
}

/// The profile likelihood ratio t of several parameters at once.
#[derive(Clone, Debug)]
pub struct LikelihoodRatio {
    /// −2 Δ ln L between the conditional and the unconditional minimum.
    pub t: f64,
    /// χ² tail with as many degrees of freedom as there are parameters tested (eq. 15).
    pub p_value: f64,
    pub unconditional: Minimum,
    pub conditional: Minimum,
}

/// Tests (parameter, value) pairs together; with one pair, this is t_μ.
pub fn likelihood_ratio(mut likelihood: Likelihood, tested: &[(usize, f64)]) -> Result<LikelihoodRatio, TestFailure> {
    let mut unconditional: Minimum = likelihood.fit(super::Hesse::No).into();
    let conditional = likelihood.conditional_fit(tested);
    if conditional.valid() && conditional.twice_nll < unconditional.twice_nll - LOWER {
        let lower = likelihood.minimum_from(&conditional.parameters, &[]);
        if lower.twice_nll <= conditional.twice_nll {
            unconditional = lower;
        }
    }
    valid(TestFit::Unconditional, &unconditional)?;
    valid(TestFit::Conditional, &conditional)?;
    let t = (conditional.twice_nll - unconditional.twice_nll).max(0.0);
    Ok(LikelihoodRatio { t, p_value: ln_chi2_tail(t, tested.len()).exp(), unconditional, conditional })
}
