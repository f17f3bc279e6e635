//! Impacts, yields, goodness of fit, Asimov data and blinding against cabinetry (fixtures/*/cabinetry.json), finite
//! differences and closed forms.

mod common;

use common::Random;
use morphist::infer::covariance::Covariance;
use morphist::infer::prediction::{Prediction, Propagation, predict};
use morphist::infer::ranking::{Impact, ImpactMethod, Missing, Ranking, RankingOptions, ranking};
use morphist::infer::{FitOptions, Hesse, Likelihood, Watch, prefit};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;
use std::path::Path;

fn fixture(name: &str) -> (Model, Data, serde_json::Value) {
    let folder = Path::new("fixtures").join(name);
    let (model, data) = common::load(&folder.join("workspace.json"), &ModelOptions::default());
    (model, data, common::read_json(&folder.join("cabinetry.json")))
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn options(poi: usize, method: ImpactMethod) -> RankingOptions {
    RankingOptions { poi, method, global_method: method, groups: Vec::new() }
}

fn ranked(model: &Model, data: &Data, method: ImpactMethod) -> Ranking {
    let program = Program::compile(model);
    let likelihood = Likelihood::new(&program, data, FitOptions::new(model));
    ranking(&likelihood, &options(model.poi.unwrap(), method), &Watch::new())
}

/// (prefit down, prefit up, postfit down, postfit up) with 0 for what is missing in neither.
fn shifts(impact: &Impact) -> [f64; 4] {
    [&impact.prefit[0], &impact.prefit[1], &impact.postfit[0], &impact.postfit[1]].map(|s| *s.as_ref().unwrap())
}

/// cabinetry's ranking, to what Minuit leaves of the minima: its order too, where neighbours differ.
#[test]
fn rankings_are_those_of_cabinetry() {
    for name in ["higgs_like", "shapesys", "staterror_two_channels", "all_modifiers"] {
        let (model, data, expected) = fixture(name);
        let ranking = ranked(&model, &data, ImpactMethod::Refit);
        assert!(ranking.fit.valid, "{name}: {:?}", ranking.fit.reason);
        let poi = model.poi.unwrap();
        let sigma = ranking.fit.uncertainties.as_ref().unwrap()[poi];
        let expected = &expected["ranking"];
        let names: Vec<String> = serde_json::from_value(expected["names"].clone()).unwrap();
        assert_eq!(names.len(), ranking.impacts.len());
        let all = ["prefit_down", "prefit_up", "postfit_down", "postfit_up"].map(|key| numbers(&expected[key]));
        for impact in &ranking.impacts {
            let label = &model.parameter_names()[impact.parameter];
            let i = names.iter().position(|name| name == label).unwrap();
            for (ours, theirs) in shifts(impact).iter().zip(all.iter().map(|values| values[i])) {
                assert!((ours - theirs).abs() < 2e-4 * sigma, "{name} {label}: {ours} but cabinetry {theirs}");
            }
        }
        let sizes: Vec<f64> = ranking.impacts.iter().map(|i| shifts(i)[2].abs().max(shifts(i)[3].abs())).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b), "{name}: {sizes:?}");
    }
}

/// λ(θ + h) − λ(θ − h) over 2h, extrapolated (fourth order), for every sample and bin.
#[test]
fn derivatives_of_rates_are_those_of_differences() {
    for name in ["higgs_like", "all_modifiers", "histosys_normsys_shared", "shapesys_zero_bins", "negative_template"] {
        for clip_sample_data in [None, Some(1e-3)] {
            let path = Path::new("fixtures").join(name).join("workspace.json");
            let (model, _) = common::load(&path, &ModelOptions { clip_sample_data, ..ModelOptions::default() });
            let program = Program::compile(&model);
            let mut evaluator = Evaluator::new(&program);
            let point = Random(7).point(&model, 1.0);
            let n = program.n_cells();
            let mut jacobian = Vec::new();
            let mut rates = Vec::new();
            evaluator.visit_rates(&point, |cell| {
                assert!(cell.derivatives.iter().enumerate().all(|(i, d)| *d == 0.0 || cell.parameters.contains(&i)));
                jacobian.push(cell.derivatives.to_vec());
                rates.push(cell.rate);
            });
            let mut values = vec![0.0; n];
            evaluator.rates(&point, &mut values);
            assert_eq!(values, rates, "{name}");
            for i in 0..point.len() {
                let mut at = |step: f64| {
                    let mut moved = point.clone();
                    moved[i] += step;
                    let mut rates = vec![0.0; n];
                    evaluator.rates(&moved, &mut rates);
                    rates
                };
                let h = 1e-3;
                let (a, b, c, d) = (at(-2.0 * h), at(-h), at(h), at(2.0 * h));
                for cell in 0..n {
                    let difference = (a[cell] - 8.0 * b[cell] + 8.0 * c[cell] - d[cell]) / (12.0 * h);
                    let error = (jacobian[cell][i] - difference).abs();
                    assert!(error < 1e-8 * rates[cell].abs().max(1.0), "{name} {cell} {i}: {difference}");
                }
            }
            // Samples add up to bins.
            let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
            evaluator.expected(&point, &mut main, &mut auxiliary);
            let (mut cell, mut bin) = (0, 0);
            for channel in &model.channels {
                for b in 0..channel.n_bins {
                    let sum: f64 = (0..channel.samples.len()).map(|s| rates[cell + s * channel.n_bins + b]).sum();
                    assert!((sum - main[bin + b]).abs() < 1e-10 * main[bin + b].abs().max(1.0), "{name}");
                }
                cell += channel.samples.len() * channel.n_bins;
                bin += channel.n_bins;
            }
        }
    }
}
