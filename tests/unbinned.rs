//! Unbinned terms: a toy of 10 000 events against numpy, derivatives against differences, and forms against each other.

mod common;

use common::read_json;
use morphist::document::workspace::Workspace;
use morphist::infer::generate::{GenerationFailure, Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::simd::Backend;
use morphist::kernel::{Evaluator, OutOfDomain};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
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
    let findings = morphist::workspace::validate::check(&workspace, &Default::default());
    if !findings.is_valid() {
        return Err(findings.to_string());
    }
    let model = from_pyhf::model(&workspace, options).map_err(|f| f.to_string())?;
    let data = from_pyhf::data(&workspace, &model).map_err(|f| f.to_string())?;
    Ok((model, data))
}

/// Only some of the terms, without the channel's and the measurement's; nuisances that nothing needs are gone.
fn alone(document: &Value, terms: &[&str]) -> Value {
    let mut document = document.clone();
    let all = document["eft"]["unbinned_terms"].as_array().unwrap().clone();
    let kept: Vec<Value> = all.into_iter().filter(|t| terms.contains(&t["name"].as_str().unwrap())).collect();
    document["eft"]["unbinned_terms"] = kept.into();
    document
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
    for backend in Backend::available() {
        let mut evaluator = Evaluator::with_backend(&program, backend);
        let x = point(&model, &numbers["points"][2]["parameters"]);
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
