//! Errors of response coefficients: derivatives of the fixtures that have them against differences, the domain of ratios
//! whose denominators they move, and what they leave to the statistical uncertainty (spec/eft.md, eq. 5 and 16).

use crate::common;

use common::{point, read_json};
use morphist::document::workspace::Workspace;
use morphist::kernel::simd::Backend;
use morphist::kernel::{Evaluator, OutOfDomain};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::path::Path;

fn build(document: &Value) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_value(document.clone()).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap_or_else(|findings| panic!("{findings}"));
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// f′ by differences of fourth order.
fn slope(step: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    (8.0 * (f(step) - f(-step)) - (f(2.0 * step) - f(-2.0 * step))) / (12.0 * step)
}

/// At all points of the fixtures: gradients against values, Hessians against gradients, on every instruction set.
#[test]
fn derivatives_of_the_fixtures_are_differences() {
    for name in ["eft_coefficient_errors", "eft_rational_errors", "eft_mc_stat_errors", "eft_morph_weights"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        let (model, data) = build(&read_json(&folder.join("workspace.json")));
        let (program, recorded) = (Program::compile(&model), read_json(&folder.join("eft.json")));
        let (prepared, n) = (program.prepare(&data), program.n_parameters());
        let mut points = 0;
        for recorded in recorded["points"].as_array().unwrap() {
            let values = recorded["parameters"].as_object().unwrap();
            let values: Vec<_> = values.iter().map(|(name, x)| (name.as_str(), x[0].as_f64().unwrap())).collect();
            let theta = point(&model, &values);
            for backend in Backend::available() {
                let mut evaluator = Evaluator::with_backend(&program, backend);
                let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
                evaluator.hessian(&theta, &prepared, &mut gradient, &mut hessian);
                for i in 0..n {
                    let at = |h: f64| theta.iter().enumerate().map(|(j, x)| if j == i { x + h } else { *x }).collect();
                    let first = slope(1e-4, |h| {
                        let moved: Vec<f64> = at(h);
                        evaluator.twice_nll(&moved, &prepared)
                    });
                    assert!(
                        (gradient[i] - first).abs() < 1e-7 * first.abs().max(1.0),
                        "{name} {i}: {} {first}",
                        gradient[i]
                    );
                    for j in 0..n {
                        let second = slope(1e-4, |h| {
                            let (moved, mut gradient): (Vec<f64>, _) = (at(h), vec![0.0; n]);
                            evaluator.gradient(&moved, &prepared, &mut gradient);
                            gradient[j]
                        });
                        let got = hessian[i * n + j];
                        // The second derivatives of interpolated systematics jump at ±1 and 0, where no point lies.
                        assert!((got - second).abs() < 2e-6 * second.abs().max(1.0), "{name} {i} {j}: {got} {second}");
                    }
                }
                points += 1;
            }
        }
        assert!(points >= 10, "{name}");
    }
}

fn document(samples: Value, observed: f64) -> Value {
    json!({
        "channels": [{"name": "channel", "samples": samples}],
        "observations": [{"name": "channel", "data": [observed]}],
        "measurements": [{"name": "measurement", "config": {"poi": "c", "parameters": []}}],
        "version": "1.0.0",
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "c", "bounds": [-1.5, 1.5]}]},
    })
}

/// (1 + c)/(1 + (0.5 + 0.3 u) c)^p: positive in the box at u = 0, and not everywhere. Beyond the zero of the denominator
/// the likelihood is zero, whatever the other sample adds and the power makes of the sign.
#[test]
fn a_denominator_that_nuisances_empty_is_out_of_the_domain() {
    for (power, background, observed) in [(-1, 100.0, 110.0), (-2, 100.0, 110.0), (-1, 100.0, 0.0), (-2, 0.0, 0.0)] {
        let ratio = json!({"name": "r", "type": "eft_rational", "data": {"mode": "relative", "expansion": "full",
            "factor_truncation": "none", "factors": [
                {"power": 1, "monomials": [[], ["c"]], "coefficients": [1.0, 1.0]},
                {"power": power, "monomials": [[], ["c"]], "coefficients": [1.0, 0.5],
                    "uncertainties": [{"name": "u", "monomial": ["c"], "sigma": 0.3}]}]}});
        let samples = json!([{"name": "signal", "data": [10.0], "modifiers": [ratio]},
            {"name": "background", "data": [background], "modifiers": []}]);
        let (model, data) = build(&document(samples, observed));
        let program = Program::compile(&model);
        let prepared = program.prepare(&data);
        for backend in Backend::available() {
            let mut evaluator = Evaluator::with_backend(&program, backend);
            for (c, u) in [(1.0, -4.0), (1.0, 0.0), (-1.4, 0.5), (0.5, -4.9), (1.5, -3.8), (1.5, -4.0), (-1.5, 3.0)] {
                let (theta, below) = (point(&model, &[("c", c), ("u", u)]), 1.0 + (0.5 + 0.3 * u) * c);
                let rate = background + 10.0 * (1.0 + c) * f64::powi(below, power);
                let value = evaluator.twice_nll(&theta, &prepared);
                if below > 0.0 && rate > 0.0 {
                    let ln_gamma: f64 = (2..=observed as u32).map(|k| f64::from(k).ln()).sum();
                    let count = rate - observed * rate.ln() + ln_gamma;
                    let want = 2.0 * count + u * u + (2.0 * std::f64::consts::PI).ln();
                    assert!((value - want).abs() < 1e-12 * want.abs(), "{power} {c} {u}: {value} and {want}");
                    assert!(evaluator.out_of_domain(&theta, &prepared).is_none());
                } else {
                    assert_eq!(value, f64::INFINITY, "{power} {c} {u}");
                    let place = evaluator.out_of_domain(&theta, &prepared);
                    assert!(matches!(place, Some(OutOfDomain::Bin { channel: 0, bin: 0, .. })), "{place:?}");
                }
            }
        }
    }
}

/// v is Q(c) times the squares of other responses: the errors of the response itself leave it alone, those of another
/// one do not. −2 ln L by a search over η with these written out.
#[test]
fn errors_of_coefficients_leave_the_statistical_uncertainty() {
    let errors = |name: &str, sigma: f64| json!([{"name": name, "monomial": ["c"], "sigma": sigma}]);
    let own = json!({"name": "p", "type": "eft_polynomial", "data": {"mode": "absolute", "monomials": [[], ["c"]],
        "coefficients": [10.0, 4.0], "truncation": "none", "uncertainties": errors("u", 1.5),
        "mc_stat": {"kind": "w2", "monomials": [[], ["c", "c"]], "variances": [2.0, 0.5]}}});
    let other = json!({"name": "q", "type": "eft_polynomial", "data": {"mode": "relative", "monomials": [[], ["c"]],
        "coefficients": [1.0, 0.2], "truncation": "none", "uncertainties": errors("o", 0.1)}});
    let (model, data) = build(&document(json!([{"name": "s", "data": [10.0], "modifiers": [own, other]}]), 17.0));
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    for (c, u, o) in [(0.0, 1.0, 1.0), (0.8, 0.0, 0.0), (0.8, 1.5, 0.0), (0.8, 0.0, 2.0), (-1.2, -1.0, -2.0)] {
        let factor: f64 = 1.0 + (0.2 + 0.1 * o) * c;
        let lambda = (10.0 + (4.0 + 1.5 * u) * c) * factor;
        let sigma = ((2.0 + 0.5 * c * c) * factor * factor).sqrt();
        let at = |eta: f64| {
            let mean = lambda + sigma * eta;
            if mean > 0.0 { mean - 17.0 * mean.ln() + 0.5 * eta * eta } else { f64::INFINITY }
        };
        let (mut low, mut high) = (-30.0, 30.0);
        for _ in 0..200 {
            let step = 0.618_033_988_749_895 * (high - low);
            if at(high - step) < at(low + step) { high = low + step } else { low = high - step }
        }
        let ln_gamma: f64 = (2..=17).map(|k| f64::from(k).ln()).sum();
        let constants = 2.0 * ln_gamma + 3.0 * (2.0 * std::f64::consts::PI).ln();
        let want = 2.0 * at(0.5 * (low + high)) + constants + u * u + o * o;
        let got = evaluator.twice_nll(&point(&model, &[("c", c), ("u", u), ("o", o)]), &prepared);
        assert!((got - want).abs() < 1e-11 * want, "{c} {u} {o}: {got} and {want}");
    }
}
