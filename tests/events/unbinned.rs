//! Unbinned terms: a toy of 10 000 events against numpy, derivatives against differences, and forms against each other.

use crate::common;

use common::program::json_of;
use common::read_json;
use morphist::document::workspace::Workspace;
use morphist::infer::eft::directions::{DataSet, of_data_sets};
use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::kernel::simd::Backend;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use nalgebra::DMatrix;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FOLDER: &str = "fixtures/eft_unbinned";

fn fixture() -> (Value, Value) {
    let folder = Path::new(FOLDER);
    (read_json(&folder.join("workspace.json")), read_json(&folder.join("numbers.json")))
}

fn options() -> ModelOptions {
    ModelOptions { folder: Some(PathBuf::from(FOLDER)), ..ModelOptions::default() }
}

fn build(document: &Value) -> (Model, Data) {
    try_build(document, &options()).unwrap()
}

fn try_build(document: &Value, options: &ModelOptions) -> Result<(Model, Data), String> {
    let workspace = Workspace::from_value(document).map_err(|f| f.to_string())?;
    let findings = validate::check(&workspace, &Scope::default());
    if !findings.is_valid() {
        return Err(findings.to_string());
    }
    let model = from_pyhf::model(&workspace, options).map_err(|f| f.to_string())?;
    let data = from_pyhf::data(&workspace, &model).map_err(|f| f.to_string())?;
    Ok((model, data))
}

fn point(model: &Model, parameters: &Value) -> Vec<f64> {
    let init = model.init().into_iter();
    model.parameter_names().iter().zip(init).map(|(name, x)| parameters[name.as_str()].as_f64().unwrap_or(x)).collect()
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} and {want}, {:e} apart", got - want);
}

/// numpy's numbers of the whole document, and q(θ) between points.
#[test]
fn ten_thousand_events_are_numpys() {
    let (document, numbers) = fixture();
    let (model, data) = build(&document);
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    for backend in Backend::available() {
        let mut evaluator = Evaluator::with_backend(&program, backend);
        let mut first = None;
        for (i, at) in numbers["points"].as_array().unwrap().iter().enumerate() {
            let want = at["twice_nll"].as_f64().unwrap();
            let got = evaluator.twice_nll(&point(&model, &at["parameters"]), &prepared);
            close(got, want, 1e-12 * 7e4, &format!("twice_nll at point {i}"));
            let (got_first, want_first) = *first.get_or_insert((got, want));
            let q = want - want_first;
            close(got - got_first, q, 1e-10 * q.abs().max(1.0), &format!("q of point {i}"));
        }
    }
}

#[test]
fn derivatives_are_differences() {
    let (document, numbers) = fixture();
    let (model, data) = build(&document);
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    let n = model.n_parameters();
    // One of numpy's points, and where a fit with c2 fixed ends: nuisances at their bounds, terms that contradict each other.
    let far = json!({"c1": 2.7, "c2": 0.0, "mu_b": 0.97, "tilt": 4.9, "bend": -4.9, "rate": 4.9, "rep0": -4.9, "rep1": -4.9,
        "rep2": 4.9, "slope": 4.9, "tune": -3.1});
    for (backend, at) in
        Backend::available().into_iter().flat_map(|b| [(b, &numbers["points"][2]["parameters"]), (b, &far)])
    {
        let mut evaluator = Evaluator::with_backend(&program, backend);
        let x = point(&model, at);
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        evaluator.hessian(&x, &prepared, &mut gradient, &mut hessian);
        let mut own = vec![0.0; n];
        evaluator.gradient(&x, &prepared, &mut own);
        for i in 0..n {
            close(own[i], gradient[i], 1e-9 * gradient[i].abs().max(1.0), "two ways to the gradient");
            let mut along = |h: f64| {
                let mut moved = x.clone();
                moved[i] += h;
                let mut slopes = vec![0.0; n];
                let value = evaluator.gradient(&moved, &prepared, &mut slopes);
                (value, slopes)
            };
            // Central differences of fourth order.
            let h = 2e-3;
            let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|k| along(k * h));
            let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
            let want = slope(a.0, b.0, c.0, d.0);
            close(gradient[i], want, 1e-6 * want.abs().max(10.0), &format!("slope {i}"));
            for j in 0..n {
                let want = slope(a.1[j], b.1[j], c.1[j], d.1[j]);
                close(hessian[i * n + j], want, 2e-6 * want.abs().max(100.0), &format!("second {i} {j}"));
            }
        }
    }
}

/// What each term alone knows of both coefficients, the nuisances profiled: never negative, and numpy's.
#[test]
fn profiled_information_is_numpys() {
    let (document, numbers) = fixture();
    let (model, data) = build(&document);
    let names = model.parameter_names();
    let coefficients: Vec<usize> =
        ["c1", "c2"].iter().map(|c| names.iter().position(|name| name == c).unwrap()).collect();
    let at = point(&model, &numbers["points"][1]["parameters"]);
    let all = of_data_sets(&model, &data, &at, &vec![false; names.len()], &coefficients);
    let mut seen = 0;
    for own in all {
        let DataSet::Unbinned(term) = own.data_set else { continue };
        let (name, found) = (&model.unbinned[term].name, own.matrix.unwrap());
        let want = &numbers["information_at_second_point"][name.as_str()];
        let scale = want[1][1].as_f64().unwrap();
        for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            close(found[(i, j)], want[i][j].as_f64().unwrap(), 1e-10 * scale, &format!("{name} {i} {j}"));
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// Asimov data of a point: their number, and q of all terms on them from other points.
#[test]
fn asimov_data_are_numpys() {
    let (document, numbers) = fixture();
    let (model, data) = build(&document);
    let program = Program::compile(&model);
    let mut evaluator = Evaluator::new(&program);
    let points = numbers["points"].as_array().unwrap();
    for at in points {
        let weights = evaluator.asimov_events(&point(&model, &at["parameters"]));
        let mut rest = &weights[..];
        for term in &model.unbinned {
            let (own, others) = rest.split_at(term.n_rows());
            rest = others;
            let want = at["asimov_events"][&term.name].as_f64().unwrap();
            close(own.iter().sum(), want, 1e-12 * want, &term.name);
        }
    }
    let true_point = point(&model, &points[1]["parameters"]);
    let asimov = Data { unbinned: evaluator.asimov_events(&true_point), ..data };
    let prepared = program.prepare(&asimov);
    let before = evaluator.unbinned_terms(&true_point, &prepared);
    for (i, at) in points.iter().enumerate() {
        let values = evaluator.unbinned_terms(&point(&model, &at["parameters"]), &prepared);
        for ((term, value), before) in model.unbinned.iter().zip(values).zip(&before) {
            let want = numbers["asimov_at_second_point"][&term.name][i].as_f64().unwrap();
            close(value - before, want, 1e-10 * want.abs().max(1.0), &format!("{} at point {i}", term.name));
        }
    }
}

/// Means and variances over the reference events, and q of each replica, as numpy has them.
#[test]
fn closure_is_numpys() {
    let (_, numbers) = fixture();
    let parameters = numbers["points"][1]["parameters"].as_object().unwrap();
    let init = parameters.iter().flat_map(|(name, x)| ["--init".to_owned(), format!("{name}={x}")]);
    let workspace = format!("{FOLDER}/workspace.json");
    let first = ["eft", "closure", &workspace, "--format", "json"].map(str::to_owned);
    let arguments: Vec<String> = first.into_iter().chain(init).collect();
    let report = json_of(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    let mut n_replicas = 0;
    for term in report["terms"].as_array().unwrap() {
        let name = term["name"].as_str().unwrap();
        let (found, wanted) = (&term["components"][0]["closure"], &numbers["closure_at_second_point"][name]);
        for key in ["mean", "expected_mean", "variance", "expected_variance"] {
            let want = wanted[key].as_f64().unwrap();
            close(found[key].as_f64().unwrap(), want, 1e-10 * want.abs(), &format!("{name} {key}"));
        }
        if let Some(wanted) = numbers["replicas_at_second_point"].get(name) {
            let found = &term["replicas"];
            for key in ["mean", "deviation"] {
                let want = wanted[key].as_f64().unwrap();
                close(found[key].as_f64().unwrap(), want, 1e-9 * want.abs(), &format!("{name} {key}"));
            }
            for (found, want) in found["each"].as_array().unwrap().iter().zip(wanted["each"].as_array().unwrap()) {
                let want = want.as_f64().unwrap();
                close(found.as_f64().unwrap(), want, 1e-9 * want.abs().max(1.0), name);
            }
            n_replicas += 1;
        }
    }
    assert_eq!(n_replicas, 2);
}

/// A histogram of the score of c1: numpy's bins, from the columns that `eft score` writes.
#[test]
fn scores_are_numpys() {
    let (mut document, numbers) = fixture();
    let expected = &numbers["score"];
    let file = &document["eft"]["unbinned_terms"][0]["reference"]["events"].clone();
    let names = ["k", "k_1", "k_2", "k_11", "k_12", "k_22"];
    let monomials = &document["eft"]["unbinned_terms"][0]["components"][0]["yields"]["monomials"].clone();
    document["eft"].as_object_mut().unwrap().remove("unbinned_terms");
    document["eft"]["event_databases"] = json!([{"name": "events", "uri": file["uri"], "sha256": file["sha256"],
        "media_type": file["media_type"], "n_rows": file["n_rows"], "observables": {},
        "weights": {"kind": "coefficients", "monomials": monomials, "columns": names}, "normalisation": {"kind": "yields"}}]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unbinned_scores");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(format!("{FOLDER}/reference.parquet"), folder.join("reference.parquet")).unwrap();
    let place = |name: &str| folder.join(name).display().to_string();
    std::fs::write(place("own.json"), document.to_string()).unwrap();
    let at = [
        "--at",
        "c1=0.2",
        "--at",
        "c2=-0.1",
        "--output-database",
        &place("score.parquet"),
        "--output-file",
        &place("score.json"),
    ];
    let output = common::program::morphist(&[&["eft", "score", &place("own.json")][..], &at].concat());
    assert_eq!(output.status.code(), Some(0), "{}", common::program::stderr(&output));
    let mut document = read_json(&folder.join("score.json"));
    assert_eq!(document["eft"]["event_databases"][0]["observables"]["score_c2"]["column"], "score_c2");
    document["channels"].as_array_mut().unwrap().push(json!({"name": "score", "samples": [{"name": "s",
        "data": expected["yields"][0], "modifiers": [{"name": "e", "type": "eft_events", "data": {
            "database": "events", "axes": [{"observable": "score_c1", "edges": expected["edges"]}], "underflow": "merge",
            "overflow": "merge", "truncation": "none", "mc_stat": "none"}}]}]}));
    document["observations"].as_array_mut().unwrap().push(json!({"name": "score", "data": expected["yields"][0]}));
    let options = ModelOptions { folder: Some(folder), ..ModelOptions::default() };
    let (model, _) = try_build(&document, &options).unwrap();
    let program = Program::compile(&model);
    let mut found = Data::zeros(&program);
    for (at, want) in expected["points"].as_array().unwrap().iter().zip(expected["yields"].as_array().unwrap()) {
        Evaluator::new(&program).expected(&point(&model, at), &mut found.main, &mut found.auxiliary);
        for (bin, want) in want.as_array().unwrap().iter().enumerate() {
            // The channel of the fixture has the first two bins.
            close(found.main[2 + bin], want.as_f64().unwrap(), 1e-9, &format!("bin {bin}"));
        }
    }
}

/// The file of a table is checked as that of an event database.
#[test]
fn a_wrong_file_is_refused() {
    let (document, _) = fixture();
    let changes = [
        ("W260", "uri", json!("../reference.parquet")),
        ("W261", "uri", json!("no.parquet")),
        ("W262", "sha256", json!("0".repeat(64))),
        ("W264", "n_rows", json!(3)),
    ];
    for (rule, key, value) in changes {
        let mut broken = document.clone();
        broken["eft"]["unbinned_terms"][0]["reference"]["events"][key] = value;
        let error = try_build(&broken, &options()).unwrap_err();
        assert!(error.contains(rule) && error.contains("/eft/unbinned_terms/0/reference"), "{rule}: {error}");
    }
    let mut broken = document.clone();
    broken["eft"]["unbinned_terms"][0]["components"][1]["density"] = json!("nothing");
    let error = try_build(&broken, &options()).unwrap_err();
    assert!(error.contains("W265") && error.contains("nothing"), "{error}");
}

/// With c2 held and one start the fit walks through a region of negative curvature to a place where six parameters press
/// against their bounds. The Hessian of the others, of differences of gradients, is positive definite there, so that nothing
/// is undetermined.
#[test]
fn a_regular_minimum_among_bounds() {
    let (document, _) = fixture();
    let (model, data) = build(&document);
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    let names = model.parameter_names();
    let held = names.iter().position(|name| name == "c2").unwrap();
    let mut options = FitOptions { restarts: false, hesse: Hesse::No, ..FitOptions::new(&model) };
    (options.init[held], options.fixed[held]) = (0.0, true);
    let mut evaluator = Evaluator::new(&program);
    let result = fit(&mut evaluator, &prepared, &options);
    assert!(result.valid && result.at_limit.len() > 3, "{result:?}");
    let mut gradient_at = |point: &[f64]| {
        let mut gradient = vec![0.0; names.len()];
        evaluator.gradient(point, &prepared, &mut gradient);
        gradient
    };
    for (i, slope) in gradient_at(&result.parameters).iter().enumerate().filter(|(i, _)| *i != held) {
        let (low, high) = options.bounds[i];
        let x = result.parameters[i];
        assert!(
            if x <= low {
                *slope > 0.0
            } else if x >= high {
                *slope < 0.0
            } else {
                slope.abs() < 1e-3
            },
            "{i}: {slope}"
        );
    }
    let free: Vec<usize> = (0..names.len()).filter(|i| *i != held && !result.at_limit.contains(i)).collect();
    let step = 1e-4;
    let hessian = DMatrix::from_fn(free.len(), free.len(), |a, b| {
        let moved = |by: f64| {
            let mut point = result.parameters.clone();
            point[free[a]] += by;
            point
        };
        (gradient_at(&moved(step))[free[b]] - gradient_at(&moved(-step))[free[b]]) / (2.0 * step)
    });
    let symmetric = 0.5 * (&hessian + hessian.transpose());
    assert!(symmetric.symmetric_eigenvalues().min() > 1.0, "{symmetric}");
}
