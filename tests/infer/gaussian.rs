//! Measurements with Gaussian errors against numbers of SMEFiT's tables (numpy, and smefit 4.0.0 where it was run).

use crate::common;

use common::directory;
use morphist::document::workspace::Workspace;
use morphist::import::{ImportOptions, smefit_benchmark};
use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::{PreparedData, Program};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::path::Path;

const NAMES: [&str; 4] = ["tt6", "top", "global_lin", "global_quad"];

/// A benchmark as a document.
fn document(path: &Path) -> Workspace {
    let measured = smefit_benchmark::read("benchmark", std::fs::read(path).unwrap(), &ImportOptions::default());
    let measured = measured.unwrap();
    let eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "SMEFiT", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": measured.wilson_coefficients,
        "gaussian_measurements": measured.measurements,
    });
    let measurement = json!({"name": "fit", "config": {"poi": "OtG", "parameters": []}});
    let whole = json!({
        "version": "1.0.0", "channels": [], "observations": [], "measurements": [measurement], "eft": eft,
    });
    Workspace::from_value(&whole).unwrap()
}

struct Benchmark {
    model: Model,
    program: Program,
    data: PreparedData,
    reference: Value,
}

fn benchmark(root: &Path, name: &str, max_np_order: Option<u32>) -> Benchmark {
    let path = root.join(format!("{name}.json"));
    let options = ModelOptions { max_np_order, ..ModelOptions::default() };
    let workspace = document(&path);
    let model = from_pyhf::model(&workspace, &options).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    let program = Program::compile(&model);
    let reference = common::read_json(&path)["reference"].clone();
    Benchmark { data: program.prepare(&data), model, program, reference }
}

/// χ²: twice_nll without ln det 2πV.
fn chi2(benchmark: &Benchmark, point: &[f64]) -> f64 {
    Evaluator::new(&benchmark.program).reduced(point, &benchmark.data)
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs(), "{what}: {got} and {want}, {:e}", (got - want) / want);
}

/// χ² at zero and at all recorded points, linear and quadratic, with its gradient; ln det V.
#[test]
fn chi_squares_of_benchmarks() {
    let Some(root) = directory("smefit") else { return };
    for name in NAMES {
        for (order, key) in [(Some(1), "linear"), (None, "quadratic")] {
            let benchmark = benchmark(&root, name, order);
            let reference = &benchmark.reference;
            let zero = vec![0.0; benchmark.program.n_parameters()];
            close(chi2(&benchmark, &zero), reference["chi2_sm"].as_f64().unwrap(), 1e-12, name);
            let n = benchmark.program.n_measured() as f64;
            let constant =
                Evaluator::new(&benchmark.program).twice_nll(&zero, &benchmark.data) - chi2(&benchmark, &zero);
            let ln_det = constant - n * (2.0 * std::f64::consts::PI).ln();
            close(ln_det, reference["logdet_V"].as_f64().unwrap(), 1e-11, "ln det V");
            for (index, point) in reference["points"].as_array().unwrap().iter().enumerate() {
                let Some(want) = point.get(format!("chi2_{key}")).and_then(Value::as_f64) else { continue };
                let at = numbers(&point["c"]);
                close(chi2(&benchmark, &at), want, 1e-12, &format!("{name} {key} at {index}"));
                let mut gradient = vec![0.0; at.len()];
                Evaluator::new(&benchmark.program).gradient(&at, &benchmark.data, &mut gradient);
                let want = numbers(&point[format!("grad_chi2_{key}")]);
                let scale = want.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
                for (got, want) in gradient.iter().zip(want) {
                    assert!((got - want).abs() <= 1e-10 * scale, "{name} {key} at {index}: {got} and {want}");
                }
            }
        }
    }
}

/// The Hessian is the difference of gradients, and the Gauss–Newton matrix of linear means is the whole of it.
#[test]
fn hessians_are_differences_of_gradients() {
    let Some(root) = directory("smefit") else { return };
    for name in ["tt6", "global_quad"] {
        let benchmark = benchmark(&root, name, None);
        let n = benchmark.program.n_parameters();
        let at: Vec<f64> = (0..n).map(|i| 0.1 * ((i % 7) as f64 - 3.0)).collect();
        let mut evaluator = Evaluator::new(&benchmark.program);
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        evaluator.hessian(&at, &benchmark.data, &mut gradient, &mut hessian);
        let scale = hessian.iter().fold(0.0_f64, |most, h| most.max(h.abs()));
        for i in 0..n {
            // Gradients of quartics: the fourth-order difference is exact.
            let mut slope = vec![0.0; n];
            for (step, weight) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
                let mut moved = at.clone();
                moved[i] += 0.05 * step;
                let mut of_moved = vec![0.0; n];
                evaluator.gradient(&moved, &benchmark.data, &mut of_moved);
                slope.iter_mut().zip(of_moved).for_each(|(s, g)| *s += weight * g / 0.6);
            }
            for j in 0..n {
                let (got, want) = (hessian[i * n + j], slope[j]);
                assert!((got - want).abs() <= 1e-9 * scale, "{name} ({i}, {j}): {got} and {want}");
            }
        }
    }
}

/// Data of the model are the recorded ones, the means at zero those of the Standard Model.
#[test]
fn data_and_means() {
    let Some(root) = directory("smefit") else { return };
    let benchmark = benchmark(&root, "tt6", None);
    let file = common::read_json(&root.join("tt6.json"));
    assert_eq!(benchmark.model.auxdata(), numbers(&file["data"]));
    let mut data = Data::zeros(&benchmark.program);
    Evaluator::new(&benchmark.program).expected(&[0.0; 6], &mut data.main, &mut data.auxiliary);
    assert_eq!(data.auxiliary, numbers(&file["sm"]));
    assert_eq!(benchmark.data.to_data(&benchmark.program).auxiliary, numbers(&file["data"]));
}

/// The linear minimum without bounds against the recorded one (QR of the whitened design matrix in numpy).
#[test]
fn linear_minima_without_bounds() {
    let Some(root) = directory("smefit") else { return };
    for name in NAMES {
        let benchmark = benchmark(&root, name, Some(1));
        let linear = &benchmark.reference["linear_fit"];
        let operators: Vec<String> = serde_json::from_value(linear["operators"].clone()).unwrap();
        let mut options = FitOptions { hesse: Hesse::All, ..FitOptions::new(&benchmark.model) };
        options.bounds.fill((f64::NEG_INFINITY, f64::INFINITY));
        let names: Vec<&str> = benchmark.model.parameters.iter().map(|set| set.name.as_str()).collect();
        for (fixed, name) in options.fixed.iter_mut().zip(&names) {
            *fixed |= !operators.iter().any(|operator| operator == name);
        }
        let result = fit(&mut Evaluator::new(&benchmark.program), &benchmark.data, &options);
        assert!(result.valid, "{name}: {:?}", result.reason);
        let at = |name: &str| names.iter().position(|own| *own == name).unwrap();
        close(chi2(&benchmark, &result.parameters), linear["chi2_min"].as_f64().unwrap(), 1e-12, name);
        let uncertainties = result.uncertainties.unwrap();
        for (k, (best, sigma)) in numbers(&linear["best"]).into_iter().zip(numbers(&linear["sigma"])).enumerate() {
            let i = at(&operators[k]);
            let off = (result.parameters[i] - best) / sigma;
            assert!(off.abs() < 1e-9, "{name} {}: {off:e} σ", operators[k]);
            close(uncertainties[i], sigma, 1e-6, &operators[k]);
        }
    }
}
