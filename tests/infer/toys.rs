//! Toys: the same however they are shared out, fits in lanes like single ones, p-values like the peer's and the
//! asymptotic ones, coverage.

use crate::common;

use morphist::document::workspace::Workspace;
use morphist::infer::feldman_cousins::{EndKind, FeldmanCousinsOptions, feldman_cousins};
use morphist::infer::generate::{Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::toy_hypotest::{Hypothesis, ToyHypotest, ToyOptions};
use morphist::infer::toy_test::{Distribution, ToyBand, ToyTails};
use morphist::infer::toys::{Toy, ToyTest, saturated_statistics};
use morphist::infer::{AsymptoticTest, FitOptions, Hesse, Likelihood, TestStatistic, Watch};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use std::convert::Infallible;

fn model_of(text: &str) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_str(text).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

fn fixture(name: &str) -> (Model, Data) {
    model_of(&std::fs::read_to_string(format!("fixtures/{name}/workspace.json")).unwrap())
}

/// Signal on a background, with an uncertain background where `uncertainty` is not zero.
fn counting(signal: f64, background: f64, uncertainty: f64, observed: f64) -> (Model, Data) {
    let shapesys = format!(r#"{{"name": "u", "type": "shapesys", "data": [{uncertainty}]}}"#);
    let shapesys = if uncertainty > 0.0 { shapesys } else { String::new() };
    model_of(&format!(
        r#"{{"channels": [{{"name": "c", "samples": [
        {{"name": "s", "data": [{signal}], "modifiers": [{{"name": "mu", "type": "normfactor", "data": null}}]}},
        {{"name": "b", "data": [{background}], "modifiers": [{shapesys}]}}]}}],
        "observations": [{{"name": "c", "data": [{observed}]}}], "measurements": [{{"name": "m", "config": {{"poi": "mu",
        "parameters": [{{"name": "mu", "bounds": [[0, 50]]}}]}}}}], "version": "1.0.0"}}"#
    ))
}

fn options(statistic: TestStatistic, mu: f64) -> ToyOptions {
    ToyOptions { kind: ToyKind::Frequentist, seed: 7, statistic, mu }
}

fn generator(
    likelihood: &mut Likelihood,
    kind: ToyKind,
    ensemble: Ensemble,
    point: &[f64],
    held: &[bool],
    bounds: &[(f64, f64)],
    observed: &Data,
) -> Generator {
    let origin = Origin { kind, ensemble, point, held, bounds, observed, covariance: None };
    Generator::new(&mut likelihood.evaluator, &origin).unwrap()
}

fn test_of<'p>(program: &'p Program, model: &Model, data: &Data, options: &ToyOptions) -> ToyHypotest<'p> {
    let likelihood = Likelihood::new(program, data, FitOptions::new(model));
    ToyHypotest::new(likelihood, data, model.poi.unwrap(), options).unwrap()
}

fn toys(test: &ToyHypotest, hypothesis: Hypothesis, range: impl Iterator<Item = u64>) -> Vec<Toy> {
    let mut all = Vec::new();
    let Ok(()) = test.run(hypothesis, range, &Watch::new(), |toy| {
        all.push(toy);
        Ok::<(), Infallible>(())
    });
    all
}

/// User needs, row 7: toys run in parallel and in shards, and every toy is the same whatever its neighbours are.
#[test]
fn a_toy_is_the_same_in_any_shard_order_and_number_of_threads() {
    let (model, data) = fixture("higgs_like");
    let program = Program::compile(&model);
    let test = test_of(&program, &model, &data, &options(TestStatistic::QmuTilde, 1.0));
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let all = pool(1).install(|| toys(&test, Hypothesis::Tested, 0..300));
    assert_eq!(all.len(), 300);
    assert_eq!(all, pool(3).install(|| toys(&test, Hypothesis::Tested, 0..300)));
    let shards: Vec<Toy> =
        [0..37, 37..38, 38..300].into_iter().flat_map(|range| toys(&test, Hypothesis::Tested, range)).collect();
    assert_eq!(all, shards);
    let mut backwards = toys(&test, Hypothesis::Tested, (0..300).rev());
    backwards.reverse();
    assert_eq!(all, backwards);
    assert_ne!(all, toys(&test, Hypothesis::Alternative, 0..300));
}

/// Each toy again with fits of its own: from the same start, and the same data.
#[test]
fn lanes_find_the_minima_of_single_fits() {
    for name in ["all_modifiers", "higgs_like", "counting", "staterror_two_channels", "histosys_normsys_shared"] {
        let (model, data) = fixture(name);
        let program = Program::compile(&model);
        let poi = model.poi.unwrap();
        let fit_options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
        let mut likelihood = Likelihood::new(&program, &data, fit_options.clone());
        let mu = 0.8_f64.clamp(fit_options.bounds[poi].0, fit_options.bounds[poi].1);
        let made_at = likelihood.conditional_fit(&[(poi, mu)]).parameters;
        let held: Vec<bool> = (0..model.n_parameters()).map(|i| i == poi).collect();
        let ensemble = Ensemble { seed: 3, value: mu };
        let bounds = fit_options.bounds.clone();
        let kind = ToyKind::Frequentist;
        let generator = generator(&mut likelihood, kind, ensemble, &made_at, &held, &bounds, &data);
        let test = ToyTest { program: &program, options: fit_options, poi, mu, conditional_start: made_at.clone() };
        let mut drawn = data.clone();
        for toy in test.collect(&generator, 0..200, &Watch::new()) {
            generator.draw(&mut likelihood.evaluator, toy.index, &mut drawn).unwrap();
            likelihood.data = program.prepare(&drawn);
            let free = likelihood.minimum_from(&made_at, &[]);
            let held = likelihood.minimum_from(&made_at, &[(poi, mu)]);
            let Ok(value) = toy.outcome else {
                assert!(!free.valid() || !held.valid(), "{name} {}: {:?}", toy.index, toy.outcome);
                continue;
            };
            let height = (held.twice_nll - free.twice_nll).max(0.0);
            assert!((value.height - height).abs() < 1e-7, "{name} {}: {} but {height}", toy.index, value.height);
            let mu_hat = free.parameters[poi];
            assert!((value.mu_hat - mu_hat).abs() < 1e-3, "{name} {}: {} but {mu_hat}", toy.index, value.mu_hat);
        }
    }
}

/// One bin without nuisances: the toys' statistic is a function of the count, whose distribution is a Poisson sum.
#[test]
fn p_values_of_a_counting_experiment_are_poisson_sums() {
    let (signal, background, observed) = (4.0, 3.0, 4.0);
    let (model, data) = counting(signal, background, 0.0, observed);
    let program = Program::compile(&model);
    let n = 20_000;
    let test = test_of(&program, &model, &data, &options(TestStatistic::QmuTilde, 1.0));
    let tested = Distribution::new(&toys(&test, Hypothesis::Tested, 0..n), TestStatistic::QmuTilde, 1.0);
    let alternative = Distribution::new(&toys(&test, Hypothesis::Alternative, 0..n), TestStatistic::QmuTilde, 1.0);
    let tails = ToyTails::new(&tested, &alternative, test.observed);
    // q̃ falls with the count, so toys at or above the observed one have at most its count.
    let at_most = |mean: f64| -> f64 {
        (0..=observed as u32).map(|k| (f64::from(k) * mean.ln() - mean - libm::lgamma(f64::from(k) + 1.0)).exp()).sum()
    };
    for (fraction, p) in [(tails.clsb, at_most(signal + background)), (tails.clb, at_most(background))] {
        let deviation = (p * (1.0 - p) / n as f64).sqrt();
        assert!((fraction.p() - p).abs() < 4.0 * deviation, "{fraction:?} but {p}");
        assert_eq!((fraction.n, fraction.n_failed), (n, 0));
    }
}

/// CLs and the median expected one by pyhf 0.7.6 (tests/peer/toys.py, seed 1, N toys of each hypothesis), whose error is
/// binomial as ours.
struct Peer {
    mu: f64,
    statistic: TestStatistic,
    n: u64,
    cls: f64,
    uncertainty: f64,
    median: f64,
}

const PYHF_W1: Peer =
    Peer { mu: 1.0, statistic: TestStatistic::QmuTilde, n: 2000, cls: 0.39471, uncertainty: 0.02011, median: 0.39670 };
const PYHF_COUNTING: Peer =
    Peer { mu: 2.0, statistic: TestStatistic::QmuTilde, n: 2000, cls: 0.39391, uncertainty: 0.01112, median: 0.03485 };
const PYHF_SHARED: Peer =
    Peer { mu: 3.0, statistic: TestStatistic::QmuTilde, n: 1000, cls: 0.02926, uncertainty: 0.00536, median: 0.0 };

#[test]
fn cls_by_toys_is_that_of_pyhf_and_of_the_asymptotic_formulae() {
    let Some(root) = common::corpus("cls_by_toys_is_that_of_pyhf_and_of_the_asymptotic_formulae") else { return };
    let w1 = common::load(&root.join("reference/workspaces/w1_2bin.json"), &ModelOptions::default());
    for (name, (model, data), peer) in [
        ("w1_2bin", w1, PYHF_W1),
        ("counting", fixture("counting"), PYHF_COUNTING),
        ("histosys_normsys_shared", fixture("histosys_normsys_shared"), PYHF_SHARED),
    ] {
        let (statistic, mu) = (peer.statistic, peer.mu);
        let program = Program::compile(&model);
        let test = test_of(&program, &model, &data, &options(statistic, mu));
        let n = 4000;
        let tested = Distribution::new(&toys(&test, Hypothesis::Tested, 0..n), statistic, mu);
        let alternative = Distribution::new(&toys(&test, Hypothesis::Alternative, 0..n), statistic, mu);
        let tails = ToyTails::new(&tested, &alternative, test.observed);
        let (cls, band) = (tails.cls(), ToyBand::new(&tested, &alternative).cls);
        println!("{name}: {cls} ± {}, {tails:?}, {band:?}", tails.cls_uncertainty());
        let deviation = tails.cls_uncertainty().hypot(peer.uncertainty);
        assert!((cls - peer.cls).abs() < 4.0 * deviation, "{name}: {cls} but {} ± {deviation}", peer.cls);
        // A quantile of CLs is a fraction of the tested value's toys over about half of the others.
        let fraction = (0.5 * band[2]).max(1.0 / peer.n as f64);
        let deviation = 2.0 * (fraction * (1.0 - fraction) * (1.0 / n as f64 + 1.0 / peer.n as f64)).sqrt();
        assert!((band[2] - peer.median).abs() < 4.0 * deviation, "{name}: {} but {}", band[2], peer.median);
        let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let asymptotic = AsymptoticTest::new(likelihood, model.poi.unwrap(), statistic).unwrap().at(mu).unwrap();
        // Counts are whole, so that a fraction of toys moves in steps of the probability of a count.
        let difference = cls - asymptotic.tails.cls();
        assert!(difference.abs() < 4.0 * tails.cls_uncertainty() + 0.03, "{name}: {difference} off the asymptotic one");
    }
}

/// Intervals of t below a χ² quantile cover as often as they promise, where counts are large: 10⁴ toys of a mean of a
/// thousand events, within four binomial deviations.
#[test]
fn coverage_where_the_asymptotic_formula_holds() {
    let (model, data) = counting(500.0, 1000.0, 20.0, 1500.0);
    let program = Program::compile(&model);
    let test = test_of(&program, &model, &data, &options(TestStatistic::Tmu, 1.0));
    let n = 10_000;
    let t = Distribution::new(&toys(&test, Hypothesis::Tested, 0..n), TestStatistic::Tmu, 1.0);
    assert_eq!(t.values().len() as u64, n);
    for level in [0.682_689_492_137_085_9_f64, 0.95] {
        let quantile = morphist::normal::chi2_quantile(level, 1);
        let covered = t.values().iter().filter(|t| **t <= quantile).count() as f64 / n as f64;
        let deviation = (level * (1.0 - level) / n as f64).sqrt();
        assert!((covered - level).abs() < 4.0 * deviation, "{covered} but {level} ± {deviation}");
    }
}

/// The construction itself for a Poisson count with background, by sums (Phys. Rev. D 57 (1998) 3873, section IV B).
fn exact_feldman_cousins(observed: usize, background: f64, level: f64) -> (f64, f64) {
    let poisson = |n: usize, mean: f64| (n as f64 * mean.ln() - mean - libm::lgamma(n as f64 + 1.0)).exp();
    let accepted = |mu: f64| {
        let ratio = |n: usize| poisson(n, mu + background) / poisson(n, (n as f64).max(background));
        let mut order: Vec<usize> = (0..60).collect();
        order.sort_by(|a, b| ratio(*b).total_cmp(&ratio(*a)));
        let mut sum = 0.0;
        for n in order {
            if n == observed {
                return true;
            }
            sum += poisson(n, mu + background);
            if sum >= level {
                return false;
            }
        }
        false
    };
    let values: Vec<f64> = (0..4000).map(|i| 0.005 * f64::from(i)).filter(|mu| accepted(*mu)).collect();
    (values[0], values[values.len() - 1])
}

#[test]
fn feldman_cousins_of_a_count_with_background() {
    // The paper's table at 90 % without background; with background its ends are made monotone in b, which the
    // construction alone is not.
    for (observed, low, high) in [(0, 0.0, 2.44), (1, 0.11, 4.36), (5, 1.84, 9.99)] {
        let exact = exact_feldman_cousins(observed, 1e-9, 0.9);
        assert!((exact.0 - low).abs() < 0.015 && (exact.1 - high).abs() < 0.015, "{observed}: {exact:?}");
    }
    for observed in [0, 5, 10] {
        let (model, data) = counting(1.0, 3.0, 0.0, observed as f64);
        let program = Program::compile(&model);
        let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let values = (0..=18).map(f64::from).collect();
        let fc = FeldmanCousinsOptions { values, level: 0.9, n_toys: 4000, n_halvings: 6 };
        let result =
            feldman_cousins(likelihood, &data, 0, &options(TestStatistic::TmuTilde, 0.0), &fc, &Watch::new()).unwrap();
        let (low, high) = exact_feldman_cousins(observed, 3.0, 0.9);
        assert_eq!(result.intervals.len(), 1, "{observed}: {:?}", result.intervals);
        let found = result.intervals[0];
        println!("{observed}: {found:?} exact {low} {high}");
        for (end, exact) in [(found.low, low), (found.high, high)] {
            // A critical value sits on steps of the count's distribution: its p-value passes 10 % near the end, within
            // the spread of 4000 toys over a slope of some 0.1 a unit.
            assert!((end.value - exact).abs() < 0.15 + 4.0 * end.uncertainty, "{observed}: {end:?} but {exact}");
        }
        assert_eq!(found.low.kind, if low == 0.0 { EndKind::Bound } else { EndKind::Crossing });
        assert_eq!(found.high.kind, EndKind::Crossing);
    }
}

/// User needs, row 8: a toy that cannot be fitted is told, and the others go on. A count of zero drives μ to where the
/// yield 5 + 2μ is zero, which is no valid fit (spec/likelihood.md, "Fit"); its probability at μ = 0 is e⁻⁵.
#[test]
fn a_failed_toy_is_recorded_and_does_not_end_the_run() {
    let (model, mut data) = fixture("yield_at_zero");
    data.main[0] = 5.0;
    let program = Program::compile(&model);
    let test = test_of(&program, &model, &data, &options(TestStatistic::Qmu, 1.0));
    let n = 4000;
    let all = toys(&test, Hypothesis::Alternative, 0..n);
    assert_eq!(all.len() as u64, n);
    let failed = all.iter().filter(|toy| toy.outcome.is_err()).count() as f64;
    let expected = n as f64 * (-5.0_f64).exp();
    assert!(failed > 0.0 && (failed - expected).abs() < 5.0 * expected.sqrt(), "{failed} of {n}, expected {expected}");
    let fraction = Distribution::new(&all, TestStatistic::Qmu, 1.0).at_least(test.observed);
    assert_eq!((fraction.n_failed, fraction.n), (failed as u64, n - failed as u64));
    let (low, high) = fraction.with_failed();
    assert!((high - low - failed / n as f64).abs() < 1e-12 && low <= fraction.p() && fraction.p() <= high);
}

/// Bayesian-predictive toys: counts spread by the constraint term besides Poisson; auxiliary data stay. Closed form: a
/// background of 100 known to 20 % has variance 100 + 20² (Gamma(τ + 1, τ) with τ = 25: mean 104, variance 416 + 104).
#[test]
fn bayesian_toys_vary_the_parameters_and_keep_the_auxiliary_data() {
    let (model, data) = counting(10.0, 100.0, 20.0, 100.0);
    let program = Program::compile(&model);
    let fit_options = FitOptions::new(&model);
    let mut likelihood = Likelihood::new(&program, &data, fit_options.clone());
    let (poi, held) = (model.poi.unwrap(), [true, false]);
    assert_eq!(poi, 0);
    let draw = |kind, likelihood: &mut Likelihood| {
        let ensemble = Ensemble { seed: 1, value: 0.0 };
        let (point, bounds) = ([0.0, 1.0], &fit_options.bounds);
        let generator = generator(likelihood, kind, ensemble, &point, &held, bounds, &data);
        let mut drawn = data.clone();
        let sets: Vec<Data> = (0..20_000)
            .map(|toy| {
                generator.draw(&mut likelihood.evaluator, toy, &mut drawn).unwrap();
                drawn.clone()
            })
            .collect();
        let mean = |f: &dyn Fn(&Data) -> f64| sets.iter().map(f).sum::<f64>() / 20_000.0;
        let first = mean(&|d| d.main[0]);
        let kept = sets.iter().all(|d| d.auxiliary == data.auxiliary);
        (first, mean(&|d| (d.main[0] - first).powi(2)), kept)
    };
    // Five standard errors: √(v/n) of a mean, about v √(2/n) of a variance.
    for (kind, mean, variance, keeps) in [
        (ToyKind::Frequentist, 100.0, 100.0, false),
        (ToyKind::MainOnly, 100.0, 100.0, true),
        (ToyKind::BayesianPredictive, 104.0, 520.0, true),
    ] {
        let (got_mean, got_variance, kept) = draw(kind, &mut likelihood);
        assert!((got_mean - mean).abs() < 5.0 * (variance / 20_000.0_f64).sqrt(), "{kind:?}: {got_mean}");
        assert!((got_variance - variance).abs() < 6.0 * variance * 0.01, "{kind:?}: {got_variance}");
        assert_eq!(kept, keeps, "{kind:?}");
    }
}

/// One bin with a free strength is met exactly (t = 0); without freedom t is the deviance of the count: closed form.
#[test]
fn saturated_statistics_of_toys() {
    let (model, data) = counting(10.0, 100.0, 0.0, 110.0);
    let program = Program::compile(&model);
    let watch = Watch::new();
    for (fixed, ensemble_mean) in [(false, 110.0), (true, 110.0)] {
        let mut fit_options = FitOptions::new(&model);
        fit_options.fixed[0] = fixed;
        let mut likelihood = Likelihood::new(&program, &data, fit_options.clone());
        let ensemble = Ensemble { seed: 2, value: f64::NAN };
        let (kind, bounds, held) = (ToyKind::Frequentist, &fit_options.bounds, &fit_options.fixed);
        let generator = generator(&mut likelihood, kind, ensemble, &[1.0], held, bounds, &data);
        let mut drawn = data.clone();
        for (index, statistic) in saturated_statistics(&program, &fit_options, &generator, 0..300, &watch) {
            generator.draw(&mut likelihood.evaluator, index, &mut drawn).unwrap();
            let n = drawn.main[0];
            // μ is not below 0, so at least 100 events are expected.
            let nu = if fixed { ensemble_mean } else { n.max(100.0) };
            let expected = 2.0 * (nu - n + n * (n / nu).ln());
            assert!((statistic.clone().unwrap() - expected).abs() < 1e-8, "{index}: {statistic:?} but {expected}");
        }
    }
}

/// User needs, row 9: what a toy leaves behind is a few numbers, however large its model.
#[test]
fn memory_grows_with_the_answer() {
    assert!(std::mem::size_of::<Toy>() <= 128, "{}", std::mem::size_of::<Toy>());
    let (model, data) = fixture("counting");
    let program = Program::compile(&model);
    let test = test_of(&program, &model, &data, &options(TestStatistic::QmuTilde, 1.0));
    // Toys are handed over while later ones have not been drawn: one that wants no more ends the run.
    let (watch, mut seen) = (Watch::new(), 0_u64);
    let stopped = test.run(Hypothesis::Tested, 0..u64::MAX, &watch, |_| {
        seen += 1;
        if seen == 10 { Err("enough") } else { Ok(()) }
    });
    assert_eq!((stopped, seen), (Err("enough"), 10));
    assert!(watch.progress().0 < 1_000_000);
}

/// A stopped run has handed over what was done.
#[test]
fn a_stopped_run_keeps_what_is_done() {
    let (model, data) = fixture("counting");
    let program = Program::compile(&model);
    let test = test_of(&program, &model, &data, &options(TestStatistic::QmuTilde, 1.0));
    let (watch, mut kept) = (Watch::new(), Vec::new());
    let Ok(()) = test.run(Hypothesis::Tested, 0..u64::MAX, &watch, |toy| {
        kept.push(toy);
        watch.stop();
        Ok::<(), Infallible>(())
    });
    assert!(!kept.is_empty());
    assert_eq!(kept, toys(&test, Hypothesis::Tested, 0..kept.len() as u64));
}
