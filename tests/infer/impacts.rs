//! Impacts, yields, goodness of fit, Asimov data and blinding against cabinetry (fixtures/*/cabinetry.json), finite
//! differences and closed forms.

use crate::common;

use common::Random;
use morphist::infer::asimov::{AsimovPoint, asimov};
use morphist::infer::blind::{hidden_offset, mask};
use morphist::infer::compatibility::{NotTestable, compatibility};
use morphist::infer::covariance::Covariance;
use morphist::infer::goodness_of_fit::saturated;
use morphist::infer::prediction::{Prediction, Propagation, predict};
use morphist::infer::ranking::{Impact, ImpactMethod, Missing, Ranking, RankingOptions, ranking};
use morphist::infer::{Failure, FitOptions, Hesse, Likelihood, Watch, prefit};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
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

/// (prefit down, prefit up, postfit down, postfit up).
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
            // What the tolerances of both minima leave.
            let postfit = predict(&mut evaluator, &fit.parameters, &covariance, mode);
            compare_yields(name, &model, &postfit, &expected["yields_postfit"], 1e-4, 1e-4);
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

/// dμ̂/dθ along the profile and dμ̂/da of every auxiliary datum, from the Hessian, against differences of fits.
#[test]
fn impacts_from_the_hessian_are_those_of_small_refits() {
    let (model, data, _) = fixture("all_modifiers");
    let program = Program::compile(&model);
    let poi = model.poi.unwrap();
    let options = FitOptions { edm_tolerance: 1e-12, ..FitOptions::new(&model) };
    let mut likelihood = Likelihood::new(&program, &data, options);
    let ranking = ranking(&likelihood, &self::options(poi, ImpactMethod::Hesse), &Watch::new());
    let auxiliaries = prefit::auxiliaries(&program);
    for impact in &ranking.impacts {
        let h = 1e-3 * impact.uncertainty;
        let mut at = |value: f64| likelihood.conditional_fit(&[(impact.parameter, value)]).parameters[poi];
        let slope = (at(impact.value + h) - at(impact.value - h)) / (2.0 * h);
        let ours = impact.postfit[1].as_ref().unwrap() / impact.uncertainty;
        assert!((ours - slope).abs() < 1e-4 * slope.abs().max(0.1), "{}: {ours} but {slope}", impact.parameter);
        let Some(auxiliary) = auxiliaries.iter().find(|a| a.parameter == impact.parameter) else {
            assert_eq!(impact.global, [Ok(0.0), Ok(0.0)]);
            continue;
        };
        let with_datum = |steps: f64| {
            let mut moved = data.clone();
            moved.auxiliary[auxiliary.index] += steps * auxiliary.datum_width(data.auxiliary[auxiliary.index]);
            likelihood.with_data(&moved).fit(Hesse::No).parameters[poi]
        };
        let slope = (with_datum(1e-3) - with_datum(-1e-3)) / 2e-3;
        let ours = *impact.global[1].as_ref().unwrap();
        assert!((ours - slope).abs() < 1e-4 * slope.abs().max(0.1), "{}: {ours} but {slope}", impact.parameter);
    }
}

/// Where data are what the model expects, H/2 = JᵀWJ + C, so that σ² = Σ (impacts of auxiliary data)² + Σ_b (V Jᵀ)²/ν.
#[test]
fn global_impacts_and_counts_add_up_to_the_uncertainty() {
    let (model, _, _) = fixture("all_modifiers");
    let program = Program::compile(&model);
    let (poi, n) = (model.poi.unwrap(), model.n_parameters());
    let point = prefit::point(&program, &model.auxdata(), &model.init(), &model.fixed());
    let mut expected = Data::zeros(&program);
    let mut evaluator = Evaluator::new(&program);
    evaluator.expected(&point, &mut expected.main, &mut expected.auxiliary);
    let ranking = ranked(&model, &expected, ImpactMethod::Hesse);
    let global: f64 = ranking.impacts.iter().map(|impact| impact.global[1].as_ref().unwrap().powi(2)).sum();
    let mut jacobian = vec![0.0; n * program.n_bins()];
    evaluator.expected_jacobian(&point, &mut jacobian);
    let v = ranking.fit.covariance.as_ref().unwrap();
    let counts: f64 = jacobian
        .chunks(n)
        .zip(&expected.main)
        .map(|(row, nu)| (0..n).map(|i| v[poi * n + i] * row[i]).sum::<f64>().powi(2) / nu)
        .sum();
    let variance = v[poi * n + poi];
    assert!((global + counts - variance).abs() < 1e-8 * variance, "{global} + {counts} but {variance}");
}

/// Row 11: groups and the statistical part are the uncertainties that fits with those parameters held have.
#[test]
fn groups_are_the_uncertainty_with_their_parameters_held() {
    let (model, data, _) = fixture("higgs_like");
    let program = Program::compile(&model);
    let poi = model.poi.unwrap();
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let constrained: Vec<usize> = (0..model.n_parameters()).filter(|&i| model.constraints()[i].is_some()).collect();
    let groups = vec![vec![0, 1, 2], (5..20).collect(), constrained.clone()];
    let ranking = ranking(&likelihood, &RankingOptions { groups, ..options(poi, ImpactMethod::Hesse) }, &Watch::new());
    let breakdown = ranking.breakdown.unwrap();
    let held_uncertainty = |parameters: &[usize]| {
        let mut options = FitOptions { init: ranking.fit.parameters.clone(), ..FitOptions::new(&model) };
        parameters.iter().filter(|i| **i != poi).for_each(|&i| options.fixed[i] = true);
        Likelihood::new(&program, &data, options).fit(Hesse::Parameter(poi)).uncertainties.unwrap()[poi]
    };
    for group in breakdown.groups.iter().chain([&breakdown.systematic]) {
        let frozen = held_uncertainty(&group.parameters);
        assert!((group.frozen - frozen).abs() < 1e-6 * frozen, "{} but {frozen}", group.frozen);
        let squares = group.frozen.powi(2) + group.contribution.powi(2);
        assert!((squares - breakdown.total.powi(2)).abs() < 1e-12 * squares);
        assert!(!group.parameters.contains(&poi));
    }
    assert_eq!(breakdown.groups[2].frozen, breakdown.systematic.frozen);
}

/// Row 11: all methods in one run, in parallel; the same bits with one thread and with three.
#[test]
fn rankings_do_not_depend_on_the_threads() {
    let (model, data, _) = fixture("higgs_like");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ranked(&model, &data, ImpactMethod::Refit).impacts)
    };
    assert_eq!(run(1), run(3));
}

fn counting(channels: &[(f64, f64, f64)], modifiers: &str) -> (Model, Data) {
    let channel = |(i, (b, s, _)): (usize, &(f64, f64, f64))| {
        format!(
            r#"{{"name": "c{i}", "samples": [{{"name": "b", "data": [{b}], "modifiers": [{modifiers}]}},
            {{"name": "s", "data": [{s}], "modifiers": [{{"name": "mu", "type": "normfactor", "data": null}}]}}]}}"#
        )
    };
    let observation = |(i, (_, _, n)): (usize, &(f64, f64, f64))| format!(r#"{{"name": "c{i}", "data": [{n}]}}"#);
    let text = format!(
        r#"{{"channels": [{}], "observations": [{}], "measurements": [{{"name": "m", "config": {{"poi": "mu",
        "parameters": []}}}}], "version": "1.0.0"}}"#,
        channels.iter().enumerate().map(channel).collect::<Vec<_>>().join(","),
        channels.iter().enumerate().map(observation).collect::<Vec<_>>().join(",")
    );
    let workspace = serde_json::from_str(&text).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// Row 8 and 11: a background of 10 ± 15 cannot go down by its width: that refit is missing, with its reason (the bound,
/// or where bounds allow a negative factor, the domain), and the other one is there. n = γ 10 + 5 μ, so μ̂ follows with −2 Δγ while μ stays above its bound: up, from γ = 1 by σ_γ.
#[test]
fn a_refit_that_fails_is_missing_with_its_reason() {
    let (model, data) = counting(&[(10.0, 5.0, 60.0)], r#"{"name": "g", "type": "shapesys", "data": [15]}"#);
    let mut wide = model.clone();
    wide.parameters.iter_mut().find(|set| set.name == "g").unwrap().bounds[0].0 = -5.0;
    for (model, at_bound) in [(&model, true), (&wide, false)] {
        let ranking = ranked(model, &data, ImpactMethod::Refit);
        assert!(ranking.fit.valid);
        let impact = &ranking.impacts[0];
        assert!((impact.value - 1.0).abs() < 1e-6, "{}", impact.value);
        match &impact.prefit[0] {
            Err(Missing::AtBound) => assert!(at_bound),
            Err(Missing::Refit(Failure::OutOfDomain(_))) => assert!(!at_bound),
            other => panic!("{other:?}"),
        }
        assert!((impact.prefit[1].as_ref().unwrap() + 2.0 * 1.5).abs() < 1e-4, "{:?}", impact.prefit);
    }
}

/// A ranking that is stopped says so for what was not done.
#[test]
fn a_stopped_ranking_is_not_a_finished_one() {
    let (model, data, _) = fixture("shapesys");
    let program = Program::compile(&model);
    let watch = Watch::new();
    watch.stop();
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let ranking = ranking(&likelihood, &options(model.poi.unwrap(), ImpactMethod::Refit), &watch);
    assert!(ranking.impacts.iter().all(|impact| impact.postfit[0] == Err(Missing::Stopped)));
}

/// cabinetry's p-values; the parts add up to the statistic.
#[test]
fn goodness_of_fit_is_that_of_cabinetry() {
    for name in ["higgs_like", "shapesys", "staterror_two_channels"] {
        let (model, data, expected) = fixture(name);
        let program = Program::compile(&model);
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let fit = likelihood.fit(Hesse::No);
        let goodness = saturated(&mut likelihood, &fit.parameters);
        let theirs = expected["goodness_of_fit"].as_f64().unwrap();
        let ours = goodness.p_value().unwrap();
        assert!((ours - theirs).abs() < 1e-6 * theirs, "{name}: {ours} but {theirs}");
        let constraints: f64 = goodness.constraints.iter().map(|(_, part)| part).sum();
        let parts = goodness.bins.iter().sum::<f64>() + constraints;
        assert!((parts - goodness.statistic).abs() < 1e-9, "{name}: {parts} but {}", goodness.statistic);
    }
}

/// As many free parameters as bins: no p-value.
#[test]
fn without_degrees_of_freedom_there_is_no_p_value() {
    let (model, data) = counting(&[(10.0, 5.0, 16.0)], "");
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let fit = likelihood.fit(Hesse::No);
    let goodness = saturated(&mut likelihood, &fit.parameters);
    assert_eq!((goodness.degrees_of_freedom, goodness.p_value()), (0, None));
}

/// Counting experiments of known backgrounds: the split fit is saturated with μ_i = (n_i − b_i)/s_i ± √n_i/s_i, and the
/// common one solves Σ s_i = Σ s_i n_i/(b_i + μ s_i), here by bisection.
#[test]
fn compatibility_of_counting_experiments() {
    let channels = [(50.0, 10.0, 65.0), (80.0, 20.0, 92.0), (20.0, 4.0, 29.0)];
    let (model, data) = counting(&channels, "");
    let groups = vec![vec![0], vec![1], vec![2]];
    let found = compatibility(&model, &data, &FitOptions::new(&model), 0, &groups).unwrap();
    for (group, (b, s, n)) in found.groups.iter().zip(&channels) {
        assert!((group.value - (n - b) / s).abs() < 1e-5, "{group:?}");
        assert!((group.uncertainty - n.sqrt() / s).abs() < 1e-5, "{group:?}");
    }
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..200 {
        let mu = 0.5 * (low + high);
        let slope: f64 = channels.iter().map(|(b, s, n)| s - s * n / (b + mu * s)).sum();
        if slope > 0.0 { high = mu } else { low = mu }
    }
    let deviance = |(b, s, n): &(f64, f64, f64)| {
        let nu = b + low * s;
        2.0 * (nu - n + n * (n / nu).ln())
    };
    let statistic: f64 = channels.iter().map(deviance).sum();
    assert!((found.statistic - statistic).abs() < 1e-8, "{} but {statistic}", found.statistic);
    assert_eq!(found.degrees_of_freedom, 2);
    // χ² with two degrees of freedom.
    assert!((found.p_value().unwrap() - (-0.5 * statistic).exp()).abs() < 1e-9);
    // Two groups of which one has two channels: one degree of freedom less.
    let two = compatibility(&model, &data, &FitOptions::new(&model), 0, &[vec![0, 2], vec![1]]).unwrap();
    assert!(two.degrees_of_freedom == 1 && two.statistic < found.statistic);
    let one = compatibility(&model, &data, &FitOptions::new(&model), 0, &[vec![0, 1, 2]]);
    assert_eq!(one.unwrap_err(), NotTestable::TooFewGroups(1));
}

/// Asimov data before a fit, and after one with μ = 1, are cabinetry's (pyhf's expected_data at its parameters).
#[test]
fn asimov_data_are_those_of_cabinetry() {
    for name in ["higgs_like", "all_modifiers", "shapesys", "staterror_two_channels"] {
        let (model, data, expected) = fixture(name);
        let program = Program::compile(&model);
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let prefit = prefit::point(&program, &data.auxiliary, &model.init(), &model.fixed());
        let before = asimov(&mut likelihood, AsimovPoint::Given(prefit), None).unwrap();
        let setting = Some((model.poi.unwrap(), 1.0));
        let after = asimov(&mut likelihood, AsimovPoint::Postfit { conditional: false }, setting).unwrap();
        for (ours, key, tolerance) in [(before, "asimov", 1e-13), (after, "asimov_postfit_poi_1", 1e-4)] {
            let ours = [ours.data.main, ours.data.auxiliary].concat();
            for (ours, theirs) in ours.iter().zip(numbers(&expected[key])) {
                let error = (ours - theirs).abs();
                assert!(error <= tolerance * theirs.abs().max(1.0), "{name} {key}: {ours} but {theirs}");
            }
        }
    }
}

/// Asimov data of a conditional fit: the minimum of their likelihood is where they were taken, with nothing left over.
#[test]
fn a_fit_to_asimov_data_ends_where_they_were_taken() {
    let (model, data, _) = fixture("higgs_like");
    let program = Program::compile(&model);
    let poi = model.poi.unwrap();
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let taken = asimov(&mut likelihood, AsimovPoint::Postfit { conditional: true }, Some((poi, 0.4))).unwrap();
    assert_eq!(taken.minimum.parameters[poi], 0.4);
    let conditional = likelihood.conditional_fit(&[(poi, 0.4)]);
    assert_eq!(taken.minimum, conditional);
    let mut likelihood = likelihood.with_data(&taken.data);
    let fit = likelihood.fit(Hesse::No);
    assert!(saturated(&mut likelihood, &fit.parameters).statistic < 1e-8);
    for (i, (ours, point)) in fit.parameters.iter().zip(&taken.minimum.parameters).enumerate() {
        assert!((ours - point).abs() < 1e-4, "{i}: {ours} but {point}");
    }
}

/// Row 25: a channel that is masked has no influence: other data there change nothing, and the fit is that of the
/// workspace without it.
#[test]
fn masked_channels_do_not_enter_the_fit() {
    let (model, data, _) = fixture("higgs_like");
    let hidden = mask(&model, &data, &[false, true, false]);
    assert_eq!(hidden.model.n_parameters(), model.n_parameters());
    let mut other = data.clone();
    let first = model.channels[0].n_bins;
    other.main[first..first + model.channels[1].n_bins].fill(1000.0);
    assert_eq!(mask(&model, &other, &[false, true, false]).data, hidden.data);
    let program = Program::compile(&hidden.model);
    let fit = Likelihood::new(&program, &hidden.data, FitOptions::new(&hidden.model)).fit(Hesse::All);
    assert!(fit.valid, "{:?}", fit.reason);

    // The same likelihood from a document without the channel.
    let mut document = common::read_json(Path::new("fixtures/higgs_like/workspace.json"));
    let name = model.channels[1].name.clone();
    for list in ["channels", "observations"] {
        document[list].as_array_mut().unwrap().retain(|entry| entry["name"] != name.as_str());
    }
    let workspace = serde_json::from_value(document).unwrap();
    let smaller = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let observed = from_pyhf::data(&workspace, &smaller).unwrap();
    let program = Program::compile(&smaller);
    let expected = Likelihood::new(&program, &observed, FitOptions::new(&smaller)).fit(Hesse::All);
    let names = model.parameter_names();
    let (ours, theirs) = (fit.uncertainties.unwrap(), expected.uncertainties.unwrap());
    for (i, name) in smaller.parameter_names().iter().enumerate() {
        let j = names.iter().position(|other| other == name).unwrap();
        assert!((fit.parameters[j] - expected.parameters[i]).abs() < 1e-5, "{name}");
        assert!((ours[j] - theirs[i]).abs() < 1e-5, "{name}");
    }
    // What acts in the masked channel alone stays as its constraint has it.
    let widths = prefit::widths(&Program::compile(&model), &model.fixed());
    for (j, name) in names.iter().enumerate().filter(|(_, name)| !smaller.parameter_names().contains(name)) {
        assert!((ours[j] - widths[j]).abs() < 1e-9 * widths[j].max(1.0), "{name}: {} but {}", ours[j], widths[j]);
    }
}

/// Row 25: a free strength of a masked channel is named, since nothing determines it.
#[test]
fn what_only_masked_channels_determine_is_named() {
    let (model, data, _) = fixture("all_modifiers");
    let sr: Vec<bool> = model.channels.iter().map(|channel| channel.name == "SR").collect();
    let masked = mask(&model, &data, &sr);
    let names = model.parameter_names();
    let undetermined: Vec<&str> = masked.undetermined.iter().map(|&i| names[i].as_str()).collect();
    assert_eq!(undetermined, ["mu"]);
}

/// Row 25: the offset is fixed by word and name, and is of the size asked for.
#[test]
fn the_hidden_offset_can_be_found_again() {
    let offset = hidden_offset("word", "mu", 1.0);
    assert_eq!(offset, hidden_offset("word", "mu", 1.0));
    assert_eq!(2.0 * offset, hidden_offset("word", "mu", 2.0));
    let many: Vec<f64> = (0..4000).map(|i| hidden_offset(&i.to_string(), "mu", 1.0)).collect();
    let mean = many.iter().sum::<f64>() / 4000.0;
    let variance = many.iter().map(|x| x * x).sum::<f64>() / 4000.0;
    // Standard normal: mean 0 ± 0.016, variance 1 ± 0.022; four standard deviations are allowed.
    assert!(mean.abs() < 0.064 && (variance - 1.0).abs() < 0.09, "{mean} {variance}");
}
