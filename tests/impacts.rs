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

/// Yields by name from cabinetry's lists (all samples in all channels, nan or 0 where absent).
fn compare_yields(
    name: &str,
    model: &Model,
    prediction: &Prediction,
    expected: &serde_json::Value,
    yields: f64,
    uncertainties: f64,
) {
    for ((channel, predicted), expected) in
        model.channels.iter().zip(&prediction.channels).zip(expected.as_array().unwrap())
    {
        assert_eq!(expected["name"], channel.name.as_str());
        let close = |what: &str, ours: f64, theirs: f64, tolerance: f64| {
            let error = (ours - theirs).abs();
            assert!(error <= tolerance * theirs.abs().max(1e-6), "{name} {what}: {ours} but cabinetry {theirs}");
        };
        for (sample, predicted) in channel.samples.iter().zip(&predicted.samples) {
            let values = numbers(&expected["samples"][&sample.name]);
            let sigmas = numbers(&expected["uncertainties"][&sample.name]);
            for (ours, (value, sigma)) in predicted.bins.iter().zip(values.iter().zip(&sigmas)) {
                close(&sample.name, ours.value, *value, yields);
                close(&format!("{} σ", sample.name), ours.uncertainty, *sigma, uncertainties);
            }
            close("sum", predicted.sum.value, values.iter().sum(), yields);
            let sum = expected["sample_sums"][&sample.name].as_f64().unwrap();
            close("sum σ", predicted.sum.uncertainty, sum, uncertainties);
        }
        for (ours, sigma) in predicted.total.iter().zip(numbers(&expected["total_uncertainties"])) {
            close("total σ", ours.uncertainty, sigma, uncertainties);
        }
        close("all σ", predicted.sum.uncertainty, expected["sum_uncertainty"].as_f64().unwrap(), uncertainties);
    }
}

/// cabinetry's own definition agrees in full; the linear one where yields are linear in each parameter (strengths and
/// bin factors only), since half the difference of a linear function is its slope.
#[test]
fn yields_are_those_of_cabinetry() {
    for (name, linear) in
        [("higgs_like", false), ("all_modifiers", false), ("shapesys", true), ("staterror_two_channels", true)]
    {
        let (model, data, expected) = fixture(name);
        let program = Program::compile(&model);
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let prefit_point = prefit::point(&program, &data.auxiliary, &model.init(), &model.fixed());
        let widths = Covariance::diagonal(prefit::widths(&program, &model.fixed()));
        let fit = likelihood.fit(Hesse::All);
        let covariance = Covariance::of_matrix(fit.covariance.as_ref().unwrap(), model.n_parameters()).unwrap();
        let mut evaluator = Evaluator::new(&program);
        let modes: &[Propagation] =
            if linear { &[Propagation::Variations, Propagation::Linear] } else { &[Propagation::Variations] };
        for &mode in modes {
            let prefit = predict(&mut evaluator, &prefit_point, &widths, mode);
            compare_yields(name, &model, &prefit, &expected["yields_prefit"], 1e-12, 1e-10);
            // What Minuit's Hesse leaves of uncertainties.
            let postfit = predict(&mut evaluator, &fit.parameters, &covariance, mode);
            compare_yields(name, &model, &postfit, &expected["yields_postfit"], 2e-4, 3e-3);
        }
    }
}

/// Linear propagation against J V Jᵀ with the Jacobian of the bins, which the kernel makes in another way.
#[test]
fn totals_are_propagated_with_the_jacobian_of_the_bins() {
    let (model, data, _) = fixture("higgs_like");
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let fit = likelihood.fit(Hesse::All);
    let (n, v) = (model.n_parameters(), fit.covariance.as_ref().unwrap());
    let mut evaluator = Evaluator::new(&program);
    let covariance = Covariance::of_matrix(v, n).unwrap();
    let prediction = predict(&mut evaluator, &fit.parameters, &covariance, Propagation::Linear);
    let mut jacobian = vec![0.0; n * program.n_bins()];
    evaluator.expected_jacobian(&fit.parameters, &mut jacobian);
    let form = |d: &[f64]| -> f64 { (0..n * n).map(|k| d[k / n] * v[k] * d[k % n]).sum::<f64>().sqrt() };
    let mut bin = 0;
    for (channel, predicted) in model.channels.iter().zip(&prediction.channels) {
        let mut sum = vec![0.0; n];
        for total in &predicted.total {
            let row = &jacobian[bin * n..(bin + 1) * n];
            assert!((total.uncertainty - form(row)).abs() < 1e-9 * total.uncertainty, "{} {bin}", channel.name);
            sum.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
            bin += 1;
        }
        assert!((predicted.sum.uncertainty - form(&sum)).abs() < 1e-9 * predicted.sum.uncertainty);
    }
}
