//! MINOS intervals against closed forms and against numbers of pyhf and iminuit.

use crate::common;
use crate::common::small;

use morphist::infer::interval::ONE_SIGMA;
use morphist::infer::{Crossing, Failure, FitOptions, Likelihood, Minos, Side, Watch, minos};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;
use small::{halving, poisson};
use std::path::Path;

/// The intervals of all free parameters.
fn all(model: &Model, data: &Data, options: FitOptions, level: f64) -> Minos {
    let program = Program::compile(model);
    let free: Vec<usize> = (0..model.n_parameters()).filter(|&i| !options.fixed[i]).collect();
    minos(&Likelihood::new(&program, data, options), &free, level, &Watch::new())
}

fn of_text(text: &str, level: f64) -> Minos {
    let (model, data) = small::read(text);
    all(&model, &data, FitOptions::new(&model), level)
}

fn at(side: &Side) -> f64 {
    let Side::Searched(Crossing::At(value)) = side else { panic!("{side:?}") };
    *value
}

/// ν = 10 μ: 2 (ν − n + n ln(n/ν)) = Δ, solved by halving; levels with Δ = 1, 4 and 3.841458820694124 (scipy).
#[test]
fn one_bin_is_that_of_the_closed_form() {
    for (level, delta) in [(ONE_SIGMA, 1.0), (0.954_499_736_103_641_6, 4.0), (0.95, 3.841_458_820_694_124)] {
        for n in [1.0, 12.0, 60.0] {
            let minos = of_text(&small::one_bin(n), level);
            assert!((minos.height - delta).abs() < 1e-12 * delta);
            let height = |mu: f64| poisson(n, 10.0 * mu) - delta;
            let interval = &minos.parameters[0];
            for (side, expected) in
                [(&interval.lower, halving(n / 10.0, 1e-9, height)), (&interval.upper, halving(n / 10.0, 30.0, height))]
            {
                if expected > 10.0 {
                    let Side::Searched(Crossing::AtBound { bound, height }) = side else { panic!("{side:?}") };
                    assert!(*bound == 10.0 && (height - poisson(n, 100.0)).abs() < 1e-8);
                } else {
                    let value = at(side);
                    assert!((value - expected).abs() < 1e-7 * expected, "{n}, {level}: {value} but {expected}");
                }
            }
        }
    }
}

/// Without events the best fit is on the bound: no lower side; 2 ν = Δ above.
#[test]
fn an_empty_bin_has_an_upper_side() {
    let minos = of_text(&small::one_bin(0.0), ONE_SIGMA);
    let interval = &minos.parameters[0];
    assert_eq!(interval.lower, Side::Searched(Crossing::AtBound { bound: 0.0, height: 0.0 }));
    assert!((at(&interval.upper) - 0.05).abs() < 1e-9);
}

/// ν = (10 μ, 2 − μ), n = (12, 0), μ̂ = 12/9: at μ = 2 the domain ends, 2.27 above the minimum.
#[test]
fn the_domain_may_end_before_the_level() {
    let height = |mu: f64| poisson(12.0, 10.0 * mu) + 2.0 * (2.0 - mu);
    let best = height(12.0 / 9.0);
    let one = &of_text(&small::ending_domain(), ONE_SIGMA).parameters[0];
    assert!((at(&one.upper) - halving(12.0 / 9.0, 2.0, |mu| height(mu) - best - 1.0)).abs() < 1e-7);
    let two = &of_text(&small::ending_domain(), 0.95).parameters[0];
    let Side::Searched(Crossing::EndOfDomain { value, height: reached }) = two.upper else { panic!("{two:?}") };
    assert!((value - 2.0).abs() < 1e-5 && (reached - (height(2.0) - best)).abs() < 1e-4, "{value} {reached}");
    assert!((at(&two.lower) - halving(12.0 / 9.0, 1e-6, |mu| height(mu) - best - 3.841_458_820_694_124)).abs() < 1e-7);
}

/// Conditional minima of pyhf 0.7.6's twice_nll by projected Newton (jax, 64 bit), roots by halving; MINOS of iminuit
/// 2.33.0 agrees to 1e-4.
#[test]
fn higgs_like_is_that_of_pyhf() {
    let path = Path::new("fixtures/higgs_like/workspace.json");
    let (model, data) = common::load(path, &ModelOptions::default());
    let names = model.parameter_names();
    let check = |level: f64, expected: &[(&str, f64, f64)]| {
        let minos = all(&model, &data, FitOptions::new(&model), level);
        assert!(minos.first_minimum.is_none() && minos.best.valid);
        for (name, lower, upper) in expected {
            let index = names.iter().position(|n| n == name).unwrap();
            let interval = minos.parameters.iter().find(|p| p.parameter == index).unwrap();
            let best = minos.best.parameters[index];
            for (ours, theirs) in [(best - at(&interval.lower), lower), (at(&interval.upper) - best, upper)] {
                assert!((ours - theirs).abs() <= 1e-6 * theirs, "{name}: {ours} but {theirs}");
            }
        }
    };
    check(ONE_SIGMA, &PYHF);
    check(0.95, &[("mu", 0.663_924_229_063_347_1, 0.741_653_470_423_468)]);
}

const PYHF: [(&str, f64, f64); 8] = [
    ("mu", 0.346_769_805_413_848_4, 0.367_656_556_914_263),
    ("WW_scale", 0.951_660_323_028_982_8, 0.927_941_765_178_490_8),
    ("jet_energy_scale", 0.904_673_263_767_311_8, 0.884_066_555_214_234_4),
    ("top_shower", 0.828_811_771_095_251_4, 0.894_063_466_871_229_2),
    ("lumi", 0.008_296_695_375_640_067, 0.008_296_721_896_175_684),
    ("k_top", 0.047_308_703_986_024_53, 0.050_730_017_328_638_605),
    ("fakes_statistics[0]", 0.166_088_982_817_750_2, 0.186_796_520_158_404_45),
    ("mcstat_SR_0jet[10]", 0.042_060_129_177_481_76, 0.042_227_288_704_383_54),
];

/// A fit of one start ends in the higher minimum; the search along some parameter meets the lower one (pyhf: 55.8497092)
/// and everything is computed from there.
#[test]
fn pain_2_a_lower_minimum_begins_everything_again() {
    let (model, data) = small::read(small::TWO_MINIMA);
    let single = FitOptions { restarts: false, ..FitOptions::new(&model) };
    let from_above = all(&model, &data, single, ONE_SIGMA);
    let first = from_above.first_minimum.expect("a lower minimum was met");
    assert!(first > from_above.best.twice_nll + 1.0);
    assert!(from_above.best.twice_nll <= 55.849_709_2 + 1e-6);
    let from_below = all(&model, &data, FitOptions::new(&model), ONE_SIGMA);
    assert_eq!(from_below.first_minimum, None);
    for (a, b) in from_above.parameters.iter().zip(&from_below.parameters) {
        for (a, b) in [(&a.lower, &b.lower), (&a.upper, &b.upper)] {
            match (a, b) {
                (Side::Searched(Crossing::At(a)), Side::Searched(Crossing::At(b))) => {
                    assert!((a - b).abs() < 1e-5, "{a} but {b}");
                }
                _ => assert_eq!(std::mem::discriminant(a), std::mem::discriminant(b)),
            }
        }
    }
}

/// Every side of a model with several valleys is found, and a fit from scratch at it is not lower.
#[test]
fn all_sides_of_w6_lie_in_the_lowest_valley() {
    let Some(root) = common::corpus("all_sides_of_w6_lie_in_the_lowest_valley") else { return };
    let path = root.join("reference/workspaces/w6_stau04.json");
    let (model, data) = common::load(&path, &ModelOptions::default());
    let minos = all(&model, &data, FitOptions::new(&model), ONE_SIGMA);
    // reference/pyhf/w6_stau04.json has the higher of two minima: 218.9172.
    assert!(minos.best.twice_nll < 218.9172 - 0.08);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let (mut at_bound, mut lowest) = (Vec::new(), 0);
    for interval in &minos.parameters {
        for side in [&interval.lower, &interval.upper] {
            match side {
                Side::Searched(Crossing::At(value)) => {
                    let fresh = likelihood.conditional_fit(&[(interval.parameter, *value)]);
                    let height = fresh.twice_nll - minos.best.twice_nll;
                    assert!(height > 1.0 - 1e-5, "{}: {height}", interval.parameter);
                    // A start from scratch does not always lead to the lowest valley; the neighbourhood does.
                    let near = likelihood.minimum_from(&minos.best.parameters, &[(interval.parameter, *value)]);
                    let height = near.twice_nll.min(fresh.twice_nll) - minos.best.twice_nll;
                    lowest += usize::from((height - 1.0).abs() < 1e-5);
                }
                Side::Searched(Crossing::AtBound { .. }) => at_bound.push(interval.parameter),
                other => panic!("{}: {other:?}", interval.parameter),
            }
        }
    }
    assert_eq!(at_bound, [model.poi.unwrap()]);
    assert!(lowest > 9 * (2 * minos.parameters.len() - 1) / 10, "{lowest}");
}

#[test]
fn pain_7_results_do_not_depend_on_threads() {
    let (model, data) = common::load(Path::new("fixtures/higgs_like/workspace.json"), &ModelOptions::default());
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| all(&model, &data, FitOptions::new(&model), ONE_SIGMA)).parameters
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn an_invalid_fit_has_no_intervals() {
    let strengths = [small::normfactor("mu"), small::normfactor("k")].join(",");
    let text = small::channel(&small::sample("s", "[10]", &strengths), "[12]", "mu", [0.0, 10.0]);
    let minos = of_text(&text, ONE_SIGMA);
    assert!(matches!(minos.best.reason, Some(Failure::FlatDirections { .. })) && minos.parameters.is_empty());
}

/// What was stopped says so.
#[test]
fn stopped_parameters_say_so() {
    let (model, data) = small::read(&small::one_bin(12.0));
    let program = Program::compile(&model);
    let watch = Watch::new();
    watch.stop();
    let minos = minos(&Likelihood::new(&program, &data, FitOptions::new(&model)), &[0], ONE_SIGMA, &watch);
    assert_eq!(minos.parameters[0].lower, Side::Stopped);
}
