//! HS3 likelihoods as models: densities over events as a term of the evaluator with its Hessian and fits, and functions
//! that drive modifiers, against ROOT 6.40 and differences.

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{Graph, Options, PairData, Selection};
use morphist::infer::{FitOptions, fit};
use morphist::kernel::Evaluator;
use morphist::model::Data;
use morphist::program::{PreparedData, Program};
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

fn read(path: &Path) -> Hs3Document {
    Hs3Document::from_value(&common::read_json(path), &ReadOptions::default())
        .unwrap_or_else(|findings| panic!("{}:\n{findings}", path.display()))
}

fn translate(document: &Hs3Document, name: &str) -> Hs3Likelihood {
    from_hs3::likelihood(document, &Hs3Options::default()).unwrap_or_else(|findings| panic!("{name}:\n{findings}"))
}

/// The start with the values of a map of names.
fn point(likelihood: &Hs3Likelihood, values: &Value) -> Vec<f64> {
    let names = likelihood.model.parameter_names();
    let start = likelihood.model.init();
    let value = |(name, start): (&String, f64)| values.get(name).and_then(Value::as_f64).unwrap_or(start);
    names.iter().zip(start).map(value).collect()
}

/// The gradient against central differences of the value, the Hessian against those of the gradient.
fn check_derivatives(name: &str, program: &Program, data: &PreparedData, point: &[f64], fixed: &[bool]) {
    let mut evaluator = Evaluator::new(program);
    let n = point.len();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let value = evaluator.hessian(point, data, &mut gradient, &mut hessian);
    assert!(value.is_finite(), "{name}");
    let (mut above, mut below) = (vec![0.0; n], vec![0.0; n]);
    for i in (0..n).filter(|i| !fixed[*i]) {
        let mut moved = point.to_vec();
        let mut at = |x: f64, slope: &mut [f64]| {
            moved[i] = x;
            evaluator.gradient(&moved, data, slope)
        };
        let h = 1e-4 / (0.5 * hessian[i * n + i].abs()).sqrt().clamp(1.0, 1e6);
        let (high, low) = (at(point[i] + h, &mut above), at(point[i] - h, &mut below));
        if !(high.is_finite() && low.is_finite()) {
            continue;
        }
        let slope = (high - low) / (2.0 * h);
        let scale = gradient[i].abs() + hessian[i * n + i].abs().sqrt() + 1.0;
        assert!((gradient[i] - slope).abs() < 1e-5 * scale, "{name} {i}: {} but {slope}", gradient[i]);
        for j in (0..n).filter(|j| !fixed[*j]) {
            let second = (above[j] - below[j]) / (2.0 * h);
            let scale = (hessian[i * n + i] * hessian[j * n + j]).abs().sqrt().max(1.0);
            let error = (hessian[i * n + j] - second).abs();
            assert!(error < 1e-5 * scale, "{name} {i} {j}: {} but {second}", hessian[i * n + j]);
            assert_eq!(hessian[i * n + j], hessian[j * n + i], "{name}");
        }
    }
}

/// Exports whose minimum ROOT's own numbers do not describe: quadrature and approximations that differ (spec/hs3.md,
/// section 9), an integral that is not the file's, a fit that ended nowhere.
fn is_fitted(name: &str) -> bool {
    !matches!(name, "generic_dist_functions" | "function_derivative" | "multivariate_normal_dist")
}

/// What ROOT's minimum may be off by, event by event (tests/hs3/graph.rs says why).
fn slack_per_event(name: &str) -> f64 {
    match name {
        "generic_dist" | "legacy_exp_poly_dist" | "product_dist_same_obs" | "weighted_sum_dist" => 2e-7,
        "weighted_sum_dist_extended" | "argus_dist" => 2e-7,
        "landau_dist" => 1e-8,
        "decay_dist_gauss" | "decay_dist_flipped" => 1e-9,
        _ => 0.0,
    }
}

/// Every export of densities: the model has the number of the graph, which agrees with ROOT (tests/hs3/graph.rs); its
/// derivatives are those of differences; its fit ends nowhere above ROOT's.
#[test]
fn densities_are_terms_of_the_evaluator() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let files = std::fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = files.filter_map(|f| f.strip_suffix(".ref.json").map(str::to_string)).collect();
    names.retain(|name| !["fft_conv_pdf", "projected_dist", "hf_"].iter().any(|left| name.starts_with(left)));
    names.sort();
    assert_eq!(names.len(), 46);
    let (mut failures, mut fitted) = (Vec::new(), 0);
    for name in names {
        let document = read(&directory.join(format!("{name}.json")));
        let reference = common::read_json(&directory.join(format!("{name}.ref.json")));
        let likelihood = translate(&document, &name);
        let graph = Graph::compile(&document, &Selection::Only, &Options::default()).unwrap();
        let program = Program::compile(&likelihood.model);
        let data = program.prepare(&likelihood.data);
        let mut evaluator = Evaluator::new(&program);
        let model_names = likelihood.model.parameter_names();
        for at in reference["points"].as_array().unwrap() {
            let point = point(&likelihood, &at["values"]);
            let of_graph: Vec<f64> = graph
                .parameters
                .iter()
                .map(|p| model_names.iter().position(|name| *name == p.name).map_or(p.value, |i| point[i]))
                .collect();
            let expected = graph.value(&of_graph, &mut graph.scratch());
            let got = 0.5 * evaluator.twice_nll(&point, &data);
            if !expected.is_finite() {
                assert!(got == f64::INFINITY, "{name}: {got}");
                continue;
            }
            assert!((got - expected).abs() < 1e-11 * expected.abs().max(10.0), "{name}: {got} and {expected}");
            let roofit = likelihood.nll_roofit(2.0 * got, &likelihood.data);
            assert!((roofit - expected - graph.roofit_offset()).abs() < 1e-9, "{name}: {roofit}");
            check_derivatives(&name, &program, &data, &point, &likelihood.model.fixed());
        }
        if is_fitted(&name) {
            fitted += usize::from(compare_fit(&name, &likelihood, &reference, &mut failures));
        }
    }
    assert_eq!(fitted, 43);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Minima never above ROOT's by more than 1e-6, parameters within a thousandth of an error. MINUIT's own minimum may be
/// away from the true one: where it is higher, a parameter may be √(2 · that) errors away.
fn compare_fit(name: &str, likelihood: &Hs3Likelihood, reference: &Value, failures: &mut Vec<String>) -> bool {
    let (Some(theirs), Some(0)) = (reference["fit"]["nll_at_min"].as_f64(), reference["fit"]["status"].as_i64()) else {
        return false;
    };
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    let result = fit(&mut Evaluator::new(&program), &data, &FitOptions::new(&likelihood.model));
    let ours = likelihood.nll_roofit(result.twice_nll, &likelihood.data);
    if !result.valid {
        failures.push(format!("{name}: {:?}", result.reason));
    }
    let events = reference["sum_weights"].as_f64().unwrap_or(0.0);
    let slack = events * slack_per_event(name);
    if ours > theirs + 1e-6 + slack {
        failures.push(format!("{name}: minimum {ours}, ROOT's {theirs}"));
    }
    let slack = (2.0 * ((theirs - ours).max(0.0) + slack)).sqrt();
    for (parameter, got) in likelihood.model.parameter_names().iter().zip(&result.parameters) {
        let Some(expected) = reference["fit"]["values"][parameter].as_f64() else { continue };
        let error = reference["fit"]["errors"][parameter].as_f64().unwrap();
        if (got - expected).abs() > (1e-3 + slack) * error {
            failures.push(format!("{name}: {parameter} {got}, ROOT's {expected} ± {error}, {:e} lower", theirs - ours));
        }
    }
    true
}

/// A document with a likelihood for each channel, all as one: the number of the graph, which agrees with ROOT
/// (tests/hs3/graph.rs), and a fit that ends nowhere above Minuit2's minimum (ROOT 6.40.00, createNLL with the external
/// constraints, the global observables constant, and `cpu`; MIGRAD with strategy 1).
#[test]
fn all_likelihoods_as_one() {
    let Some(directory) = common::directory("hs3/public/scipp-atlas+pyhs3-benchmarks") else { return };
    let cases = [
        ("1ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield2x", -49.67174104244341),
        ("10ch_bkgGenPoly_sigGeneric_shapeFixed_npOn_constrPoisson_yield10x", -401.6521405950165),
        ("10ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield10x", -891.0292103915648),
    ];
    for (name, minuit) in cases {
        let document = read(&directory.join(format!("inputs__{name}.json")));
        let options = Hs3Options { likelihood: Some("*".into()), ..Hs3Options::default() };
        let likelihood = from_hs3::likelihood(&document, &options).unwrap();
        let graph = Graph::compile(&document, &Selection::All, &Options::default()).unwrap();
        let theta: Vec<f64> = graph.parameters.iter().map(|p| p.value).collect();
        let expected = graph.value(&theta, &mut graph.scratch()) + graph.roofit_offset();
        let program = Program::compile(&likelihood.model);
        let data = program.prepare(&likelihood.data);
        let mut evaluator = Evaluator::new(&program);
        let start = evaluator.twice_nll(&likelihood.model.init(), &data);
        let roofit = likelihood.nll_roofit(start, &likelihood.data);
        assert!((roofit - expected).abs() < 1e-11 * expected.abs().max(10.0), "{name}: {roofit} and {expected}");
        let result = fit(&mut evaluator, &data, &FitOptions::new(&likelihood.model));
        let ours = likelihood.nll_roofit(result.twice_nll, &likelihood.data);
        assert!(result.valid, "{name}: {:?}", result.reason);
        let events = graph.events;
        assert!(ours < minuit + 1e-6 + 2e-7 * events, "{name}: {ours}, Minuit2's {minuit}");
    }
}

/// Starts where the Hessian is not positive, and without any constraint: the fit ends where ROOT's does.
#[test]
fn fits_from_afar() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let reference = common::read_json(&directory.join("gamma_dist.ref.json"));
    let likelihood = translate(&read(&directory.join("gamma_dist.json")), "gamma_dist");
    let program = Program::compile(&likelihood.model);
    let init = point(&likelihood, &json!({"beta": 3.82, "gamma": 4.3}));
    let options = FitOptions { init, ..FitOptions::new(&likelihood.model) };
    let result = fit(&mut Evaluator::new(&program), &program.prepare(&likelihood.data), &options);
    let ours = likelihood.nll_roofit(result.twice_nll, &likelihood.data);
    assert!(result.valid, "{:?}", result.reason);
    assert!(ours < reference["fit"]["nll_at_min"].as_f64().unwrap() + 1e-6, "{ours}");
}

/// Each product names the next one twice: 2⁴⁰ factors, which count once; densities over an observable are refused.
#[test]
fn products_of_products_end() {
    let n = 40;
    let product = |i: usize| json!({"name": format!("p{i}"), "type": "product_dist", "factors": [format!("p{}", i + 1), format!("p{}", i + 1)]});
    let mut distributions: Vec<Value> = (0..n).map(product).collect();
    distributions.push(json!({"name": format!("p{n}"), "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}));
    let document = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": -5.0, "max": 5.0}], "entries": [[0.3]]}],
        "likelihoods": [{"name": "l", "distributions": ["p0"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "m", "value": 0.2}]}],
    });
    let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
    let start = std::time::Instant::now();
    let findings = from_hs3::likelihood(&document, &Hs3Options::default()).unwrap_err();
    assert_eq!(findings.0[0].rule, "W424", "{findings}");
    assert!(start.elapsed().as_secs() < 20);
}

/// ROOT's numbers of EFT responses that functions, steps and pairs of samples express.
#[test]
fn functions_drive_modifiers() {
    let Some(directory) = common::directory("hs3/eft_expand") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(case) = name.strip_suffix(".ref.json") else { continue };
        let reference = common::read_json(&path);
        let likelihood = translate(&read(&directory.join(format!("{case}.json"))), case);
        let program = Program::compile(&likelihood.model);
        let data = program.prepare(&likelihood.data);
        let mut evaluator = Evaluator::new(&program);
        for at in reference["points"].as_array().unwrap() {
            let point = point(&likelihood, &at["values"]);
            let got = likelihood.nll_roofit(evaluator.twice_nll(&point, &data), &likelihood.data);
            let expected = at["nll"].as_f64().unwrap();
            assert!((got - expected).abs() < 1e-9, "{case}: {got} but {expected}");
            check_derivatives(case, &program, &data, &point, &likelihood.model.fixed());
            compared += 1;
        }
    }
    assert_eq!(compared, 50);
}

/// One distribution `p` over x in [0, 1] with events, and a parameter m.
fn over_one_variate(distributions: Value, events: &[f64]) -> Value {
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 1}],
                  "entries": events.iter().map(|x| json!([x])).collect::<Vec<_>>()}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "m", "value": 0.3456}]}]
    })
}

fn value_at_start(value: &Value) -> f64 {
    let document = Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    let likelihood = translate(&document, "one variate");
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    0.5 * Evaluator::new(&program).twice_nll(&likelihood.model.init(), &data)
}

/// A likelihood whose only numbers are written in it: −Σ ln N(x | 0.4, 0.01) by hand, and a fit of nothing.
#[test]
fn densities_without_parameters() {
    let plain = json!([{"name": "p", "type": "gaussian_dist", "x": "x", "mean": 0.4, "sigma": 0.01}]);
    let mut value = over_one_variate(plain, &[0.39, 0.42]);
    value.as_object_mut().unwrap().remove("parameter_points");
    let expected = 0.5 * (1.0 + 4.0) + 2.0 * (0.01 * (2.0 * std::f64::consts::PI).sqrt()).ln();
    let found = value_at_start(&value);
    assert!((found - expected).abs() < 1e-11, "{found} {expected}");
    let document = Hs3Document::from_value(&value, &ReadOptions::default()).unwrap();
    let likelihood = translate(&document, "plain numbers");
    let program = Program::compile(&likelihood.model);
    let mut on = morphist::infer::Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
    let fit = on.fit(morphist::infer::Hesse::All);
    assert!(fit.valid && (0.5 * fit.twice_nll - expected).abs() < 1e-11, "{:?}", fit.reason);
}

/// An expression says nowhere where its peak is: where the quadrature misses it, the density is refused with its place.
#[test]
fn missed_peaks_are_refused() {
    let of = |sigma: f64| {
        let expression = format!("exp(-0.5*((x-m)/{sigma})^2) + 0.0001");
        let generic = json!([{"name": "p", "type": "generic_dist", "expression": expression}]);
        Hs3Document::from_value(&over_one_variate(generic, &[0.3456]), &ReadOptions::default()).unwrap()
    };
    for sigma in [1e-2, 1e-3] {
        let likelihood = translate(&of(sigma), "wide");
        assert_eq!(likelihood.model.densities.unwrap().graph.terms, 1);
    }
    let findings = from_hs3::likelihood(&of(3e-5), &Hs3Options::default()).unwrap_err();
    let finding = &findings.0[0];
    assert!(finding.rule == "W422" && finding.found.contains("0.3456"), "{findings}");
    assert_eq!(finding.pointer.as_deref(), Some("/distributions/0"));
    // A floor that has 600 times its area hides no peak; at 1/20,000 of the range, events say where it is.
    // The last one is found by halving if that begins with the cell that misses it.
    for (peak, sigma, floor, event) in
        [("m", 3e-5, 0.05, 0.9), ("m", 1e-6, 0.01, 0.3456), ("(m-0.01407)", 8.6e-4, 0.0036, 0.1)]
    {
        let expression = format!("exp(-0.5*((x-{peak})/{sigma})^2) + {floor}");
        let generic = json!([{"name": "p", "type": "generic_dist", "expression": expression}]);
        let document = over_one_variate(generic, &[event]);
        let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
        let findings = from_hs3::likelihood(&document, &Hs3Options::default()).unwrap_err();
        let place = if peak == "m" { "0.345" } else { "0.331" };
        assert!(findings.0[0].rule == "W422" && findings.0[0].found.contains(place), "{findings}");
    }
}

/// A width that shrinks until the quadrature does not see the peak any more: no such fit is valid. A wider peak is, at the
/// width that makes −ln L = −Σ ln ((1 + c N(x))/(1 + c)) smallest, found by golden section.
#[test]
fn fits_do_not_end_at_missed_peaks() {
    let fit = |scale: f64| {
        let near = [-1.5, -0.7, -0.2, 0.1, 0.4, 1.1, 1.6].map(|x| 0.3456 + x * scale);
        let events: Vec<f64> = near.into_iter().chain([0.05, 0.2, 0.55, 0.7, 0.95]).collect();
        let expression = "exp(-0.5*((x-0.3456)/m)^2)/m + 1";
        let generic = json!([{"name": "p", "type": "generic_dist", "expression": expression}]);
        let mut value = over_one_variate(generic, &events);
        value["parameter_points"][0]["parameters"][0]["value"] = json!(0.01);
        value["domains"] = json!([{"name": "default_domain", "type": "product_domain",
                                   "axes": [{"name": "m", "min": 1e-8, "max": 0.1}]}]);
        let document = Hs3Document::from_value(&value, &ReadOptions::default()).unwrap();
        let likelihood = translate(&document, "shrinking");
        let program = Program::compile(&likelihood.model);
        let mut on = morphist::infer::Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
        let root = (2.0 * std::f64::consts::PI).sqrt();
        let of = |s: f64| -> f64 {
            events.iter().map(|x| ((1.0 + root) / (1.0 + (-0.5 * ((x - 0.3456) / s).powi(2)).exp() / s)).ln()).sum()
        };
        (on.fit(morphist::infer::Hesse::All), golden(of, 0.1 * scale, 10.0 * scale))
    };
    let (wide, width) = fit(5e-3);
    assert!(wide.valid && (wide.parameters[0] / width - 1.0).abs() < 1e-6, "{:?} {width}", wide.parameters);
    let (narrow, _) = fit(2e-6);
    let Some(morphist::infer::Failure::MissedPeak { peak }) = narrow.reason else { panic!("{narrow:?}") };
    assert!(peak.contains("0.3456") || peak.contains("0.3455"), "{peak}");
}

/// The argument of the minimum between two ends.
fn golden(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let part = 0.5 * (5.0_f64.sqrt() - 1.0);
    for _ in 0..100 {
        let (a, b) = (high - part * (high - low), low + part * (high - low));
        if f(a) < f(b) { high = b } else { low = a }
    }
    0.5 * (low + high)
}

/// A constant of the document that is scanned has a slope, at the document's own value of it too: −2 ln L = Σ (x − m)²/s²
/// + 2 n ln s of a normal density with constant s, and −H⁻¹ ∂²/∂m∂s is 4 Σ (x − m)/s³ over 2 n/s², zero at the mean.
#[test]
fn scanned_constants_have_slopes() {
    let normal = json!([{"name": "p", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"}]);
    let events: [f64; 4] = [0.44, 0.47, 0.52, 0.55];
    let mut value = over_one_variate(normal, &events);
    let constant = json!({"name": "s", "value": 0.04, "const": true});
    value["parameter_points"][0]["parameters"].as_array_mut().unwrap().push(constant);
    let document = Hs3Document::from_value(&value, &ReadOptions::default()).unwrap();
    let likelihood = translate(&document, "a constant");
    let program = Program::compile(&likelihood.model);
    let options = FitOptions::new(&likelihood.model);
    let names = likelihood.model.parameter_names();
    let at = |name: &str| names.iter().position(|own| own == name).unwrap();
    let (m, s) = (at("m"), at("s"));
    assert!(options.fixed[s] && !options.fixed[m]);
    let mut start = options.init.clone();
    start[m] = 0.49;
    for width in [0.04, 0.03] {
        let mut on = morphist::infer::Likelihood::new(&program, &likelihood.data, options.clone());
        let minimum = on.minimum_from(&start, &[(s, width)]);
        let mean = 0.25 * events.iter().sum::<f64>();
        assert!(minimum.valid() && (minimum.parameters[m] - mean).abs() < 1e-9, "{minimum:?}");
        let squares: f64 = events.iter().map(|x| (x - mean).powi(2)).sum();
        let slope = 8.0 / width - 2.0 * squares / width.powi(3);
        let found = on.gradient_at_minimum()[s];
        assert!((found - slope).abs() < 1e-9 * slope.abs(), "{width}: {found} but {slope}");
        let tangent = on.tangent(s).unwrap();
        assert!(tangent[m].abs() < 1e-6 && tangent[s] == 1.0, "{tangent:?}");
    }
}

/// Values, gradients and Hessians in any order, at points again and again, with data of their own: each is what an
/// evaluator that has seen nothing else says.
#[test]
fn evaluations_do_not_depend_on_earlier_ones() {
    let generic = json!([{"name": "p", "type": "generic_dist", "expression": "exp(-3*(x-m)^2) + m*x"}]);
    let document = over_one_variate(generic, &[0.2, 0.5, 0.55, 0.9]);
    let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
    let likelihood = translate(&document, "again");
    let program = Program::compile(&likelihood.model);
    let columns = vec![vec![0.1, 0.25, 0.275, 0.45]];
    let other = vec![PairData::Events { columns, weights: vec![1.0; 4] }];
    let other = Data { densities: Some(Arc::new(other)), ..likelihood.data.clone() };
    let prepared = [program.prepare(&likelihood.data), program.prepare(&other)];
    let asked = |evaluator: &mut Evaluator, (what, point, data): (usize, f64, usize)| {
        let (mut gradient, mut hessian) = ([0.0], [0.0]);
        let value = match what {
            0 => evaluator.twice_nll(&[point], &prepared[data]),
            1 => evaluator.gradient(&[point], &prepared[data], &mut gradient),
            _ => evaluator.hessian(&[point], &prepared[data], &mut gradient, &mut hessian),
        };
        [value, gradient[0], hessian[0]].map(f64::to_bits)
    };
    let mut used = Evaluator::new(&program);
    let mut state = 1_u64;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let draw = |n: u64, shift: u32| ((state >> shift) % n) as usize;
        // −1 is outside of the domain.
        let question = (draw(3, 33), [0.3, 0.4, -1.0][draw(3, 40)], draw(2, 50));
        assert_eq!(asked(&mut used, question), asked(&mut Evaluator::new(&program), question), "{question:?}");
    }
}

/// What puts a point out of the domain names the distribution.
#[test]
fn reasons_name_the_distribution() {
    let line = json!([{"name": "p", "type": "polynomial_dist", "x": "x", "coefficients": [-0.3, "m"]}]);
    let document = over_one_variate(line, &[0.9, 0.1]);
    let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
    let likelihood = translate(&document, "negative");
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    let reason = Evaluator::new(&program).out_of_domain(&[0.9], &data);
    let Some(morphist::kernel::OutOfDomain::Density { reason }) = reason else { panic!("{reason:?}") };
    assert!(reason.contains("\"p\"") && reason.contains("zero, negative or undefined"), "{reason}");
}

/// Constants that stay are numbers to a fit: it ends where one ends whose document has the numbers. Along a constant that is
/// scanned, the slope and the tangent of the profile are those of differences.
#[test]
fn constants_are_held_and_scanned() {
    let with = |expression: &str, constants: &[(&str, f64)]| {
        let generic = json!([{"name": "p", "type": "generic_dist", "expression": expression}]);
        let mut value = over_one_variate(generic, &[0.2, 0.31, 0.34, 0.38, 0.45, 0.52, 0.7, 0.9]);
        let parameters = value["parameter_points"][0]["parameters"].as_array_mut().unwrap();
        parameters.extend(constants.iter().map(|(name, x)| json!({"name": name, "value": x, "const": true})));
        translate(&Hs3Document::from_value(&value, &ReadOptions::default()).unwrap(), "constants")
    };
    let constant = with("exp(-0.5*((x-m)/s)^2) + b*(1+x)", &[("s", 0.1), ("b", 0.2)]);
    let plain = with("exp(-0.5*((x-m)/0.1)^2) + 0.2*(1+x)", &[]);
    let names = constant.model.parameter_names();
    let place = |name: &str| names.iter().position(|own| own == name).unwrap();
    let (m, s) = (place("m"), place("s"));
    let (program, other) = (Program::compile(&constant.model), Program::compile(&plain.model));
    let mut on = morphist::infer::Likelihood::new(&program, &constant.data, FitOptions::new(&constant.model));
    let mut numbers = morphist::infer::Likelihood::new(&other, &plain.data, FitOptions::new(&plain.model));
    let (fit, expected) = (on.fit(morphist::infer::Hesse::All), numbers.fit(morphist::infer::Hesse::All));
    assert!(fit.valid && expected.valid);
    assert!((fit.parameters[m] - expected.parameters[0]).abs() < 1e-9, "{:?}", fit.parameters);
    assert!((fit.twice_nll - expected.twice_nll).abs() < 1e-11);
    let (own, theirs) = (fit.uncertainties.unwrap()[m], expected.uncertainties.unwrap()[0]);
    assert!((own / theirs - 1.0).abs() < 1e-9, "{own} {theirs}");
    // With another value for a constant, the numbers of the document are those of another fit.
    let mut options = FitOptions::new(&constant.model);
    options.init[s] = 0.13;
    let moved = morphist::infer::Likelihood::new(&program, &constant.data, options).fit(morphist::infer::Hesse::No);
    let numbers = with("exp(-0.5*((x-m)/0.13)^2) + 0.2*(1+x)", &[]);
    let other = Program::compile(&numbers.model);
    let expected = morphist::infer::Likelihood::new(&other, &numbers.data, FitOptions::new(&numbers.model))
        .fit(morphist::infer::Hesse::No);
    assert!((moved.parameters[m] - expected.parameters[0]).abs() < 1e-9, "{:?}", moved.parameters);
    assert!((moved.twice_nll - expected.twice_nll).abs() < 1e-11);
    for at in [0.1, 0.13] {
        let h = 1e-4;
        let (above, below) = (on.conditional_fit(&[(s, at + h)]), on.conditional_fit(&[(s, at - h)]));
        on.conditional_fit(&[(s, at)]);
        let (slope, tangent) = (on.gradient_at_minimum()[s], on.tangent(s).unwrap());
        let expected = (above.twice_nll - below.twice_nll) / (2.0 * h);
        assert!((slope - expected).abs() < 1e-4 * expected.abs().max(1.0), "{slope} {expected}");
        let expected = (above.parameters[m] - below.parameters[m]) / (2.0 * h);
        assert!((tangent[m] - expected).abs() < 1e-4 * expected.abs().max(0.1), "{} {expected}", tangent[m]);
    }
}

/// Where constants are numbers, −ln L and its derivatives to the others are what they are: with the data of the document, and
/// with others, for which terms are made anew.
#[test]
fn held_likelihoods_are_the_same() {
    let document = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "signal", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"},
            {"name": "background", "type": "generic_dist", "expression": "exp(-c*x)+k*x"},
            {"name": "p", "type": "mixture_dist", "summands": ["signal", "background"], "coefficients": ["ns", "nb"],
             "extended": true},
            {"name": "of_c", "type": "gaussian_dist", "x": "c0", "mean": "c", "sigma": 0.02}],
        "functions": [{"name": "ns", "type": "product", "factors": ["mu", "S"]}],
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 10}],
                  "entries": [[0.3], [1.1], [2.0], [4.6], [5.2], [5.5], [8.1]]}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"], "aux_distributions": ["of_c"]}],
        "parameter_points": [{"name": "default_values", "parameters": [
            {"name": "m", "value": 5, "const": true}, {"name": "s", "value": 0.6, "const": true},
            {"name": "c", "value": 0.3}, {"name": "k", "value": 0.001, "const": true}, {"name": "mu", "value": 1},
            {"name": "S", "value": 3, "const": true}, {"name": "nb", "value": 5}, {"name": "c0", "value": 0.28, "const": true}]}]
    });
    let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
    let own = Graph::compile(&document, &Selection::Only, &Options::default()).unwrap();
    let columns = vec![vec![0.2, 0.9, 4.9, 5.3, 7.7, 9.0]];
    let other = own.with_data(&[PairData::Events { columns, weights: vec![1.0, 2.0, 1.0, 0.5, 1.0, 1.0] }]);
    for full in [own, other] {
        let held = full.held();
        let n = full.parameters.len();
        let free: Vec<usize> = (0..n).filter(|i| !full.parameters[*i].constant).collect();
        assert_eq!(free.len(), 3);
        for scale in [1.0, 0.8, 1.7] {
            let value = |p: &morphist::graph::Parameter| if p.constant { p.value } else { p.value * scale };
            let theta: Vec<f64> = full.parameters.iter().map(value).collect();
            let all = [&full, held].map(|likelihood| {
                let (mut gradient, mut scratch) = (vec![0.0; n], likelihood.scratch());
                let value = likelihood.value_gradient_hessians(&theta, &mut gradient, &mut scratch);
                let mut hessian = vec![0.0; n * n];
                likelihood.hessians(&scratch, |parameters, square| {
                    for (row, i) in parameters.iter().enumerate() {
                        for (column, j) in parameters.iter().enumerate() {
                            hessian[i * n + j] += square[row * parameters.len() + column];
                        }
                    }
                });
                let pairs = free.iter().flat_map(|i| free.iter().map(move |j| i * n + j));
                let mut numbers = vec![value];
                numbers.extend(free.iter().map(|i| gradient[*i]));
                numbers.extend(pairs.map(|at| hessian[at]));
                numbers
            });
            for (a, b) in all[0].iter().zip(&all[1]) {
                assert!((a - b).abs() < 1e-11 * a.abs().max(1.0), "{all:?}");
            }
        }
    }
}
