//! Flat theory errors: published vectors, closed forms, and a search over all faces of the zonotope
//! (spec/gaussian.md, section 5).

use crate::common;

use morphist::document::workspace::Workspace;
use morphist::infer::interval::ONE_SIGMA;
use morphist::infer::{Crossing, Failure, FitOptions, Hesse, Likelihood, ScanOptions, Side, Watch, fit, minos, scan};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use nalgebra::{DMatrix, DVector};
use serde_json::{Value, json};
use std::f64::consts::PI;

/// Points with means a + x_i b, uncorrelated errors, more errors of one measurement, and flat errors.
fn document(points: &[(f64, f64, f64)], systematics: Value, flat_errors: &str) -> Value {
    let column = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "a", "bounds": [-50.0, 50.0]}, {"name": "b", "bounds": [-50.0, 50.0]}],
        "flat_errors": flat_errors,
        "gaussian_measurements": [{
            "name": "m", "data": column(|p| p.0), "uncorrelated": column(|p| p.1),
            "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [["a"], ["b"]],
                "coefficients": [1.0, column(|p| p.2)]},
            "systematics": systematics,
        }],
    });
    json!({"version": "1.0.0", "channels": [], "observations": [], "eft": eft,
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}]})
}

fn flat(name: &str, correlation: &str, values: Value) -> Value {
    json!({"name": name, "correlation": correlation, "kind": "additive", "distribution": "flat", "values": values})
}

fn compile(document: &Value) -> (Model, Program, Data) {
    let workspace = Workspace::from_value(document).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings:?}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model.clone(), Program::compile(&model), data)
}

/// −2 ln L less ln det 2πV with a and b held, the flat errors at their best.
fn profiled(document: &Value, a: f64, b: f64) -> f64 {
    let (model, program, data) = compile(document);
    let mut options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
    (options.init[0], options.init[1]) = (a, b);
    (options.fixed[0], options.fixed[1]) = (true, true);
    let data = program.prepare(&data);
    let result = fit(&mut Evaluator::new(&program), &data, &options);
    assert!(result.valid, "{:?}", result.reason);
    Evaluator::new(&program).reduced(&result.parameters, &data)
}

fn close(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{got} and {want}");
}

/// The recorded vectors (mpmath): one point, profiled, clamped and marginalised.
#[test]
fn box_error_vectors() {
    let Some(root) = common::directory("eft") else { return };
    let vectors = common::read_json(&root.join("box_error_vectors.json"));
    for vector in vectors.as_array().unwrap() {
        let number = |key: &str| vector[key].as_f64().unwrap();
        let (residual, sigma, half_width) = (number("residual"), number("sigma"), number("half_width"));
        for form in ["profiled", "clamp", "marginalised"] {
            let whole = document(&[(residual, sigma, 0.0)], json!([flat("th", "none", json!([half_width]))]), form);
            let got = profiled(&whole, 0.0, 0.0);
            let key = if form == "marginalised" { "minus2logL_marginalised_rel" } else { "chi2_profiled" };
            close(got, number(key), 1e-12);
        }
    }
}

/// The whole −2 ln L of a marginalised error integrates to one, and tends to a Gaussian for a narrow box.
#[test]
fn marginalised_errors_are_densities() {
    for (sigma, half_width) in [(1.0, 3.0), (0.5, 0.2), (1.0, 1e-4), (1.0, 1.1e-3), (1.0, 0.9e-3)] {
        let systematics = json!([flat("th", "none", json!([half_width]))]);
        let (_, program, _) = compile(&document(&[(0.0, sigma, 0.0)], systematics, "marginalised"));
        let mut evaluator = Evaluator::new(&program);
        let mut density = |r: f64| {
            let data =
                program.prepare(&Data { main: Vec::new(), auxiliary: vec![r], unbinned: Vec::new(), densities: None });
            (-0.5 * evaluator.twice_nll(&[0.0, 0.0], &data)).exp()
        };
        let width = 12.0 * sigma + half_width;
        let n = 4000;
        // The trapezoidal rule is exact to rounding for what falls off like a Gaussian.
        let sum: f64 = (-n..=n).map(|k| density(width * k as f64 / n as f64)).sum::<f64>() * width / n as f64;
        close(sum, 1.0, 1e-12);
        if half_width < 0.01 {
            let spread = sigma * sigma + half_width * half_width / 3.0;
            for r in [0.0, 0.5, 3.0] {
                let gaussian = (-0.5 * r * r / spread).exp() / (2.0 * PI * spread).sqrt();
                assert!((density(r) / gaussian - 1.0).abs() < 1e-10, "{r}");
            }
        }
    }
}

/// Gradient and Hessian against differences, in all forms.
#[test]
fn derivatives_are_differences() {
    let points = [(1.0, 0.5, 0.3), (-2.0, 0.4, 1.0), (0.7, 0.6, -1.0), (5.0, 0.2, 2.0)];
    let both = json!([flat("th", "none", json!([0.6, 0.1, 3.0, 1e-4])),
        {"name": "own", "correlation": "measurement", "kind": "additive", "values": [0.3, -0.2, 0.1, 0.4]}]);
    let one = json!([flat("th", "none", json!([0.6, 0.1, 3.0, 1e-4]))]);
    for (systematics, form) in [(both.clone(), "clamp"), (one, "marginalised"), (both, "profiled")] {
        let (model, program, data) = compile(&document(&points, systematics, form));
        let data = program.prepare(&data);
        let mut evaluator = Evaluator::new(&program);
        let n = model.n_parameters();
        let at: Vec<f64> = (0..n).map(|i| 0.4 - 0.15 * i as f64).collect();
        let mut gradient_at = |point: &[f64]| {
            let mut gradient = vec![0.0; n];
            let value = evaluator.gradient(point, &data, &mut gradient);
            (value, gradient)
        };
        let (_, gradient) = gradient_at(&at);
        let mut differences = vec![vec![0.0; n]; n];
        for i in 0..n {
            let mut slope = 0.0;
            for (step, weight) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
                let mut moved = at.clone();
                moved[i] += 1e-3 * step;
                let (value, of_moved) = gradient_at(&moved);
                slope += weight * value / 12e-3;
                for (d, g) in differences[i].iter_mut().zip(of_moved) {
                    *d += weight * g / 12e-3;
                }
            }
            assert!((gradient[i] - slope).abs() < 1e-8 * slope.abs().max(1.0), "{form} {i}: {} {slope}", gradient[i]);
        }
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        evaluator.hessian(&at, &data, &mut gradient, &mut hessian);
        for i in 0..n {
            for j in 0..n {
                let (got, want) = (hessian[i * n + j], differences[i][j]);
                assert!((got - want).abs() < 1e-7 * want.abs().max(1.0), "{form} {i} {j}: {got} {want}");
            }
        }
    }
}

/// Eq. 7 with a covariance, written out.
#[test]
fn clamped_residuals_are_whitened() {
    let points = [(1.0, 0.5, 0.3), (-2.0, 0.4, 1.0), (0.7, 0.6, -1.0), (5.0, 0.2, 2.0)];
    let (own, half) = ([0.3, -0.2, 0.1, 0.4], [0.6, 0.1, 3.0, 1e-4]);
    let systematics = json!([flat("th", "none", json!(half)),
        {"name": "own", "correlation": "measurement", "kind": "additive", "values": own}]);
    let (_, program, data) = compile(&document(&points, systematics, "clamp"));
    let data = program.prepare(&data);
    let inverse = covariance(&points, &own).try_inverse().unwrap();
    for (a, b) in [(0.0, 0.0), (0.4, 1.1), (-1.0, 2.0)] {
        let residuals = points.iter().map(|p| p.0 - a - p.2 * b);
        let nearer = residuals.zip(half).map(|(r, h): (f64, f64)| r.signum() * (r.abs() - h).max(0.0));
        let rho = DVector::from_iterator(4, nearer);
        let want = (rho.transpose() * &inverse * &rho)[(0, 0)];
        close(Evaluator::new(&program).reduced(&[a, b], &data), want, 1e-12);
    }
}

fn covariance(points: &[(f64, f64, f64)], own: &[f64; 4]) -> DMatrix<f64> {
    let mut v = DVector::from_row_slice(own) * DVector::from_row_slice(own).transpose();
    for (i, point) in points.iter().enumerate() {
        v[(i, i)] += point.1 * point.1;
    }
    v
}

/// Three flat errors on four correlated points: the distance to the zonotope by a search over all of its faces.
#[test]
fn profiled_errors_are_the_distance_to_a_zonotope() {
    let points = [(1.0, 0.5, 0.3), (-2.0, 0.4, 1.0), (0.7, 0.6, -1.0), (5.0, 0.2, 2.0)];
    let e = [[0.8, 0.2, -0.4, 0.5], [0.0, 1.0, 0.3, 0.0], [0.6, -0.6, 0.1, 0.9]];
    let own = [0.3, -0.2, 0.1, 0.4];
    let systematics = json!([flat("t1", "measurement", json!(e[0])), flat("t2", "name", json!(e[1])),
        flat("t3", "measurement", json!(e[2])),
        {"name": "own", "correlation": "measurement", "kind": "additive", "values": own}]);
    let whole = document(&points, systematics, "profiled");
    let v = covariance(&points, &own);
    let inverse = v.try_inverse().unwrap();
    for (a, b) in [(0.0, 0.0), (0.4, 1.1), (-1.0, 2.0), (0.3, 0.2)] {
        let r = DVector::from_iterator(4, points.iter().map(|p| p.0 - a - p.2 * b));
        close(profiled(&whole, a, b), zonotope(&r, &inverse, &e), 1e-10);
    }
}

/// min (r − Eᵀθ)ᵀ V⁻¹ (r − Eᵀθ) over the cube: of all faces, the lowest stationary point that lies in the cube.
fn zonotope(r: &DVector<f64>, inverse: &DMatrix<f64>, e: &[[f64; 4]; 3]) -> f64 {
    let mut lowest = f64::INFINITY;
    for face in 0..27 {
        let sides = [face % 3, face / 3 % 3, face / 9];
        let free: Vec<usize> = (0..3).filter(|s| sides[*s] == 0).collect();
        let mut rest = r.clone();
        for s in (0..3).filter(|s| sides[*s] != 0) {
            rest -= DVector::from_row_slice(&e[s]) * if sides[s] == 1 { 1.0 } else { -1.0 };
        }
        let columns = DMatrix::from_fn(4, free.len(), |a, k| e[free[k]][a]);
        let theta = if free.is_empty() {
            DVector::zeros(0)
        } else {
            (columns.transpose() * inverse * &columns).try_inverse().unwrap() * columns.transpose() * inverse * &rest
        };
        if theta.iter().all(|t| t.abs() <= 1.0) {
            let left = rest - columns * theta;
            lowest = lowest.min((left.transpose() * inverse * &left)[(0, 0)]);
        }
    }
    lowest
}

/// a = ½ ± 1 with a flat error of ± 1: every a in [−½, 3/2] is as good. The fit says so instead of making up an uncertainty,
/// and MINOS finds the ends of (|a − ½| − 1)² = 1, whether the fit starts on the plateau or beside it.
#[test]
fn a_plateau_has_no_single_minimum() {
    for (form, init) in [("profiled", 0.0), ("profiled", 1.2), ("profiled", 7.0), ("clamp", 0.3), ("clamp", -6.0)] {
        let (model, program, data) =
            compile(&document(&[(0.5, 1.0, 0.0)], json!([flat("th", "none", json!([1.0]))]), form));
        let mut options = FitOptions::new(&model);
        options.fixed[1] = true;
        options.init[0] = init;
        let result = fit(&mut Evaluator::new(&program), &program.prepare(&data), &options);
        assert!(result.valid && result.uncertainties.is_none() && !result.plateau.is_empty(), "{result:?}");
        assert!((result.parameters[0] - 0.5).abs() <= 1.0 + 1e-9, "{result:?}");
        let found = minos(&Likelihood::new(&program, &data, options.clone()), &[0], ONE_SIGMA, &Watch::new());
        let interval = &found.parameters[0];
        for (side, want) in [(&interval.lower, -1.5), (&interval.upper, 2.5)] {
            let Side::Searched(Crossing::At(end)) = side else { panic!("{form} {init}: {side:?}") };
            assert!((end - want).abs() < 1e-6, "{form} {init}: {end} and {want}");
        }
        let scan_options = ScanOptions { low: Some(-4.0), high: Some(4.0), n_points: 9, ..ScanOptions::default() };
        let found = scan(&Likelihood::new(&program, &data, options), 0, &scan_options, &Watch::new());
        assert_eq!(found.points.len(), 9);
        for point in &found.points {
            close(point.height, ((point.value - 0.5).abs() - 1.0).max(0.0).powi(2), 1e-9);
        }
    }
}

/// Two points with one flat error in common: of d = 1, 2 and t = a, the errors ½, it leaves a plateau of [½, 5/2] around the
/// mean 3/2, χ² = 2 there, and 8 (a − 5/2)² more beyond it.
#[test]
fn a_plateau_of_a_common_error() {
    let points = [(1.0, 0.5, 0.0), (2.0, 0.5, 0.0)];
    let (model, program, data) =
        compile(&document(&points, json!([flat("th", "name", json!([1.0, 1.0]))]), "profiled"));
    let mut options = FitOptions::new(&model);
    options.fixed[1] = true;
    let found = minos(&Likelihood::new(&program, &data, options), &[0], ONE_SIGMA, &Watch::new());
    let interval = &found.parameters[0];
    let beyond = 1.0 / 8.0_f64.sqrt();
    for (side, want) in [(&interval.lower, 0.5 - beyond), (&interval.upper, 2.5 + beyond)] {
        let Side::Searched(Crossing::At(end)) = side else { panic!("{side:?}") };
        assert!((end - want).abs() < 1e-6, "{end} and {want}");
    }
}

/// What no mean sees is not explained by a flat error: b moves no point.
#[test]
fn a_plateau_hides_nothing_undetermined() {
    for form in ["profiled", "clamp"] {
        let (model, program, data) =
            compile(&document(&[(0.5, 1.0, 0.0)], json!([flat("th", "none", json!([1.0]))]), form));
        let result = fit(&mut Evaluator::new(&program), &program.prepare(&data), &FitOptions::new(&model));
        assert!(!result.valid && matches!(result.reason, Some(Failure::FlatDirections { .. })), "{result:?}");
    }
}

/// Only a + b is measured, once with a flat error: a − b stays undetermined, inside of the plateau and beyond it.
#[test]
fn a_plateau_hides_no_undetermined_combination() {
    for form in ["profiled", "clamp"] {
        for second in [0.3, 1.3, 9.0] {
            let points = [(1.0, 0.5, 1.0), (second, 0.5, 1.0)];
            let (model, program, data) =
                compile(&document(&points, json!([flat("th", "none", json!([1.0, 0.0]))]), form));
            for init in [[0.0, 0.0], [3.0, -1.0]] {
                let options = FitOptions {
                    init: [&init[..], &FitOptions::new(&model).init[2..]].concat(),
                    ..FitOptions::new(&model)
                };
                let result = fit(&mut Evaluator::new(&program), &program.prepare(&data), &options);
                assert!(!result.valid && matches!(result.reason, Some(Failure::FlatDirections { .. })), "{result:?}");
            }
        }
    }
}

/// Where correlated residuals are clamped, −2 ln L has kinks in which a run ends without a certificate. One that is lower
/// than the certified minima is what the fit reports, as not valid; with a held at −½, b = 2.571 lies lower than the
/// smooth minimum at b = 0.176.
#[test]
fn a_lower_kink_is_not_passed_over() {
    let eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "a", "bounds": [-5.0, 5.0]}, {"name": "b", "bounds": [-5.0, 5.0]}],
        "flat_errors": "clamp",
        "gaussian_measurements": [{
            "name": "m", "data": [0.8199073, 1.1884897],
            "covariance": [[0.1080315, 0.0622548], [0.0622548, 0.0970757]],
            "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [["a"], ["b"]],
                "coefficients": [[1.0, 0.5220869], [0.05235, 1.0]]},
            "systematics": [flat("th", "none", json!([1.0319432, 1.12148]))],
        }],
    });
    let whole = json!({"version": "1.0.0", "channels": [], "observations": [], "eft": eft,
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}]});
    let (model, program, data) = compile(&whole);
    let mut options = FitOptions::new(&model);
    (options.init[0], options.fixed[0]) = (-0.5, true);
    let data = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    let result = fit(&mut evaluator, &data, &options);
    let lower = evaluator.twice_nll(&[-0.5, 2.571], &data);
    assert!(!result.valid && result.twice_nll < lower + 1e-3, "{lower}: {result:?}");
}

/// Names that are taken, and forms that do not fit.
#[test]
fn rules() {
    let points = [(1.0, 0.5, 0.3), (-2.0, 0.4, 1.0)];
    let gaussian = |name: &str, correlation: &str| json!({"name": name, "correlation": correlation, "kind": "additive", "values": [0.1, 0.1]});
    let th = flat("th", "none", json!([0.1, 0.2]));
    let cases = [
        (json!([flat("a", "none", json!([0.1, 0.2]))]), "profiled", "W203"),
        (json!([flat("th", "measurement", json!([0.1, 0.2]))]), "clamp", "W327"),
        (json!([th.clone(), flat("more", "none", json!([0.1, 0.2]))]), "marginalised", "W327"),
    ];
    for (systematics, form, rule) in cases {
        let workspace = Workspace::from_value(&document(&points, systematics, form)).unwrap();
        let findings = validate::check(&workspace, &Scope::default());
        assert!(findings.0.iter().any(|f| f.rule == rule), "{rule}: {findings:?}");
    }
    let correlated = document(&points, json!([th, gaussian("own", "measurement")]), "marginalised");
    let error = from_pyhf::model(&Workspace::from_value(&correlated).unwrap(), &ModelOptions::default()).unwrap_err();
    assert_eq!(error.0[0].rule, "W327");
}
