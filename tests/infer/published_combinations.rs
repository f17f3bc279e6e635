//! Closed forms of profiled likelihoods that global fits use, against exact profiles: control regions, two Gaussian
//! errors, and the combination 1/ln L = Σ 1/ln L of a measurement with its nuisances.

use morphist::document::workspace::Workspace;
use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::model::Model;
use morphist::program::{PreparedData, Program};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};

/// A model with one parameter held, the others at their best: (−2 ln L against its value with perfect means, point).
fn profile(document: &Value, poi: f64) -> (f64, Vec<f64>) {
    let workspace = Workspace::from_value(document).unwrap();
    let model: Model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let program = Program::compile(&model);
    let data: PreparedData = program.prepare(&from_pyhf::data(&workspace, &model).unwrap());
    let mut options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
    let held = model.poi.unwrap();
    options.init[held] = poi;
    options.fixed[held] = true;
    let result = fit(&mut Evaluator::new(&program), &data, &options);
    assert!(result.valid, "{:?}", result.reason);
    (Evaluator::new(&program).reduced(&result.parameters, &data), result.parameters)
}

/// n counts in a signal region with s μ + b, and m in a control region with τ b.
fn on_off(n: f64, m: f64, tau: f64, s: f64) -> Value {
    let factor = |name: &str| json!({"name": name, "type": "normfactor", "data": null});
    let sample =
        |name: &str, yields: f64, factors: Value| json!({"name": name, "data": [yields], "modifiers": factors});
    json!({
        "version": "1.0.0",
        "channels": [
            {"name": "SR", "samples": [sample("signal", s, json!([factor("mu")])), sample("b", 1.0, json!([factor("b")]))]},
            {"name": "CR", "samples": [sample("b", tau, json!([factor("b")]))]},
        ],
        "observations": [{"name": "SR", "data": [n]}, {"name": "CR", "data": [m]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [
            {"name": "mu", "bounds": [[-10.0, 50.0]]}, {"name": "b", "bounds": [[0.0, 1000.0]]}]}}],
    })
}

/// x ln(x/ν) + ν − x, twice: the deviance of a count.
fn deviance(x: f64, nu: f64) -> f64 {
    2.0 * (if x > 0.0 { x * (x / nu).ln() } else { 0.0 } + nu - x)
}

/// The background that ∂ ln L/∂b = 0 gives: a quadratic equation (Li and Ma, Astrophys. J. 272 (1983) 317, for s = 0).
fn best_background(n: f64, m: f64, tau: f64, signal: f64) -> f64 {
    let sum = n + m - (1.0 + tau) * signal;
    (sum + (sum * sum + 4.0 * (1.0 + tau) * m * signal).sqrt()) / (2.0 * (1.0 + tau))
}

#[test]
fn on_off_has_a_closed_form() {
    for (n, m, tau) in [(12.0, 30.0, 4.0), (3.0, 9.0, 1.5), (25.0, 7.0, 0.5)] {
        for mu in [0.5, 1.0, 3.0] {
            let (got, point) = profile(&on_off(n, m, tau, 2.0), mu);
            let b = best_background(n, m, tau, 2.0 * mu);
            assert!(point.iter().any(|x| (x - b).abs() < 1e-9 * b), "{point:?} {b}");
            let want = deviance(n, 2.0 * mu + b) + deviance(m, tau * b);
            assert!((got - want).abs() < 1e-10 * want.max(1.0), "{got} {want}");
        }
    }
}

/// d = s + θ σ₂ with error σ₁ and a unit Gaussian θ.
fn two_gaussians(d: f64, first: f64, second: f64) -> Value {
    let eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "s", "bounds": [-50.0, 50.0]}],
        "named_systematics": "parameters",
        "gaussian_measurements": [{"name": "m", "data": [d], "uncorrelated": [first],
            "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [["s"]], "coefficients": [1.0]},
            "systematics": [{"name": "th", "correlation": "name", "kind": "additive", "values": [second]}]}],
    });
    json!({"version": "1.0.0", "channels": [], "observations": [], "eft": eft,
        "measurements": [{"name": "m", "config": {"poi": "s", "parameters": []}}]})
}

/// 1/χ² = 1/χ₁² + 1/χ₂² of the residual with either error alone.
fn harmonic(first: f64, second: f64) -> f64 {
    if first * second == 0.0 { 0.0 } else { first * second / (first + second) }
}

/// For two Gaussian errors the combination is the exact profile, (d − s)²/(σ₁² + σ₂²).
#[test]
fn two_gaussian_errors_add_in_quadrature() {
    for (d, first, second) in [(1.3, 0.5, 0.7), (-4.0, 2.0, 0.1), (0.2, 1.0, 1.0)] {
        for s in [0.0, 1.0, -2.5] {
            let (got, _) = profile(&two_gaussians(d, first, second), s);
            let exact = (d - s).powi(2) / (first * first + second * second);
            let combined = harmonic((d - s).powi(2) / (first * first), (d - s).powi(2) / (second * second));
            assert!((combined - exact).abs() < 1e-14 * exact.max(1.0));
            assert!((got - exact).abs() < 1e-13 * exact.max(1.0), "{got} {exact}");
        }
    }
}

/// For a count with a Poisson control region the combination is an approximation: it misses the exact profile by percents
/// where the counts are small, and ever less where they are large.
#[test]
fn the_combination_is_approximate_for_counts() {
    let mut before = f64::INFINITY;
    for scale in [1.0, 10.0, 100.0, 1000.0] {
        // The same pull of about two everywhere.
        let (b, tau) = (4.0 * scale, 2.0);
        let (n, m) = ((b + 2.0 * (b * 1.5_f64).sqrt()).round(), tau * b);
        let (exact, _) = profile(&on_off_at(n, m, tau), 0.0);
        // The count alone with the background known, and the control region alone with the background that n asks for.
        let combined = harmonic(deviance(n, m / tau), deviance(m, tau * n));
        let miss = (combined / exact - 1.0).abs();
        println!("n = {n}: profile {exact:.6}, combination {combined:.6}, off by {:.2} %", 100.0 * miss);
        assert!(miss > 1e-6 && miss < before, "{miss} {before}");
        before = miss;
    }
}

/// As [`on_off`] with bounds for large backgrounds.
fn on_off_at(n: f64, m: f64, tau: f64) -> Value {
    let mut document = on_off(n, m, tau, 1.0);
    document["measurements"][0]["config"]["parameters"][1]["bounds"] = json!([[0.0, 1e6]]);
    document["measurements"][0]["config"]["parameters"][1]["inits"] = json!([m / tau]);
    document
}
