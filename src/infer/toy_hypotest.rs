//! Tests of one value of the POI by toys of that value and of the alternative (spec/inference.md, "Toys").

use super::fit::{Failure, FitOptions, Hesse};
use super::generate::{GenerationFailure, Generator, Origin, ToyKind};
use super::hypotest::TestFit;
use super::likelihood::{Likelihood, Minimum};
use super::profile::Profile;
use super::random::Ensemble;
use super::test_statistic::TestStatistic;
use super::toys::{Toy, ToyTest};
use super::watch::Watch;
use crate::model::Data;

/// What is asked of toys.
#[derive(Clone, Copy, Debug)]
pub struct ToyOptions {
    pub kind: ToyKind,
    pub seed: u64,
    pub statistic: TestStatistic,
    /// The tested value.
    pub mu: f64,
}

/// At which value of the POI a toy is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hypothesis {
    /// The tested value; without signal for discovery.
    Tested,
    /// Without signal; with a signal of strength one for discovery.
    Alternative,
}

/// Why there are no toys.
#[derive(Clone, Debug, PartialEq)]
pub enum NoToys {
    Fit(TestFit, Failure),
    Generation(GenerationFailure),
}

/// The observed data tested, ready for toys of both hypotheses.
#[derive(Clone, Debug)]
pub struct ToyHypotest<'p> {
    pub test: ToyTest<'p>,
    /// The POI at the best fit of the observed data.
    pub best_fit: f64,
    /// The statistic on the observed data.
    pub observed: f64,
    tested: Generator,
    alternative: Generator,
}

impl<'p> ToyHypotest<'p> {
    /// Fits the observed data with the POI free, at the tested value and at that of the alternative, where toys are made.
    pub fn new(
        mut likelihood: Likelihood<'p>,
        observed: &Data,
        poi: usize,
        options: &ToyOptions,
    ) -> Result<Self, NoToys> {
        let (statistic, mu) = (options.statistic, options.mu);
        statistic.restrict(&mut likelihood.options, poi);
        let mut profile = Profile::new(likelihood, &[poi]);
        let alternative = statistic.alternative();
        profile.confirm(&[mu]);
        profile.confirm(&[alternative]);
        let tested = statistic.at(&mut profile, mu);
        let at_alternative = profile.at(&[alternative]).minimum;
        valid(TestFit::Unconditional, profile.best())?;
        valid(TestFit::Conditional, &tested.conditional)?;
        valid(TestFit::Alternative, &at_alternative)?;
        let best_fit = profile.best_values()[0];
        let likelihood = &mut profile.likelihood;
        let mut generator = |value: f64, minimum: &Minimum| {
            generator(likelihood, observed, poi, options, value, minimum).map_err(NoToys::Generation)
        };
        let (made_at_mu, made_at_alternative) =
            (generator(mu, &tested.conditional)?, generator(alternative, &at_alternative)?);
        let test = ToyTest {
            program: likelihood.program(),
            options: FitOptions { hesse: Hesse::No, ..likelihood.options.clone() },
            poi,
            mu,
            conditional_start: tested.conditional.parameters,
        };
        let observed = tested.value;
        Ok(ToyHypotest { test, best_fit, observed, tested: made_at_mu, alternative: made_at_alternative })
    }

    /// Draws and fits toys of one hypothesis; see [`ToyTest::run`].
    pub fn run<E>(
        &self,
        hypothesis: Hypothesis,
        toys: impl Iterator<Item = u64>,
        watch: &Watch,
        sink: impl FnMut(Toy) -> Result<(), E>,
    ) -> Result<(), E> {
        let generator = match hypothesis {
            Hypothesis::Tested => &self.tested,
            Hypothesis::Alternative => &self.alternative,
        };
        self.test.run(generator, toys, watch, sink)
    }
}

/// Toys with the POI at `value` and the other parameters at a minimum there.
pub(super) fn generator(
    likelihood: &mut Likelihood,
    observed: &Data,
    poi: usize,
    options: &ToyOptions,
    value: f64,
    minimum: &Minimum,
) -> Result<Generator, GenerationFailure> {
    let fit = &likelihood.options;
    let mut held = fit.fixed.clone();
    held[poi] = true;
    let bounds = fit.bounds.clone();
    let covariance = match options.kind {
        ToyKind::PosteriorPredictive => {
            let mut at_value = likelihood.clone();
            at_value.options.init.clone_from(&minimum.parameters);
            at_value.options.fixed.clone_from(&held);
            at_value.fit(Hesse::All).covariance
        }
        _ => None,
    };
    let origin = Origin {
        kind: options.kind,
        ensemble: Ensemble { seed: options.seed, value },
        point: &minimum.parameters,
        held: &held,
        bounds: &bounds,
        observed,
        covariance: covariance.as_deref(),
    };
    Generator::new(&mut likelihood.evaluator, &origin)
}

fn valid(fit: TestFit, minimum: &Minimum) -> Result<(), NoToys> {
    minimum.reason.clone().map_or(Ok(()), |failure| Err(NoToys::Fit(fit, failure)))
}
