//! Relations among coefficients: a document with a transform at a point is the document without it at the point that the
//! relations give (spec/parameter-transform.md).

use crate::common;

use common::Random;
use common::program::{json_of, morphist, scratch, stderr};
use morphist::document::workspace::Workspace;
use morphist::finding::Findings;
use morphist::infer::eft::information::information;
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use nalgebra::DMatrix;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> (PathBuf, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let document = common::read_json(&folder.join("workspace.json"));
    (folder, document)
}

fn build(document: &Value, folder: &Path, most: Option<u32>) -> Result<(Model, Data), Findings> {
    let workspace = Workspace::from_value(document)?;
    let findings = validate::check(&workspace, &Scope::default());
    if !findings.is_valid() {
        return Err(findings);
    }
    let options = ModelOptions {
        folder: Some(folder.to_owned()),
        max_np_order: most,
        poi: Some(String::new()),
        ..ModelOptions::default()
    };
    let model = from_pyhf::model(&workspace, &options)?;
    let data = from_pyhf::data(&workspace, &model)?;
    Ok((model, data))
}

/// What a relation of the test gives.
type Formula = fn(&[f64]) -> f64;

/// Two coefficients rotated and shifted.
fn rotation(a: &str, b: &str) -> (Value, [Formula; 2]) {
    let step = json!({
        "parameters": [{"name": "eta1", "bounds": [-3.0, 3.0]}, {"name": "eta2", "bounds": [-3.0, 3.0], "init": 0.1}],
        "linear": {"coefficients": [a, b], "parameters": ["eta1", "eta2"],
            "matrix": [[0.6, -0.8], [0.8, 0.6]], "offset": [0.1, -0.05]}});
    (json!([step]), [|p| 0.1 + 0.6 * p[0] - 0.8 * p[1], |p| -0.05 + 0.8 * p[0] + 0.6 * p[1]])
}

/// A coupling over a mass, in two steps: the first in g and y, the second with y = 2 g².
fn heavy_particle(a: &str, b: &str) -> (Value, [Formula; 2]) {
    let steps = json!([
        {"parameters": [{"name": "g", "bounds": [-2.0, 2.0], "init": 0.5}, {"name": "M", "bounds": [0.5, 10.0], "init": 1.0},
            {"name": "y", "bounds": [-9.0, 9.0]}],
         "relations": [
            {"coefficient": a, "terms": [{"factor": -0.5, "powers": {"g": 2, "M": -2}}, {"factor": 0.02}]},
            {"coefficient": b, "terms": [{"factor": 0.25, "powers": {"y": 1, "M": -2}}, {"factor": 0.1, "powers": {"g": 1, "M": -1}}]}]},
        {"relations": [{"coefficient": "y", "terms": [{"factor": 2.0, "powers": {"g": 2}}]}]}]);
    (steps, [|p| -0.5 * p[0] * p[0] / (p[1] * p[1]) + 0.02, |p| 0.5 * p[0] * p[0] / (p[1] * p[1]) + 0.1 * p[0] / p[1]])
}

/// Values of the parameters of the transformed model at which the plain model gives the same.
fn plain_point(plain: &Model, transformed: &Model, at: &[f64], given: &[(String, f64)]) -> Vec<f64> {
    let names = transformed.parameter_names();
    let value = |name: &String| match given.iter().find(|(own, _)| own == name) {
        Some((_, value)) => *value,
        None => at[names.iter().position(|own| own == name).unwrap()],
    };
    plain.parameter_names().iter().map(value).collect()
}

fn compare(name: &str, steps: &Value, formulas: [Formula; 2], parameters: [&str; 2], most: Option<u32>) {
    let (folder, mut document) = fixture(name);
    let (plain, data) = build(&document, &folder, most).unwrap();
    document["eft"]["parameter_transform"] = steps.clone();
    document["measurements"][0]["config"]["poi"] = json!("");
    let (transformed, same_data) = build(&document, &folder, most).unwrap();
    assert_eq!(data, same_data, "{name}");
    let (plain_program, program) = (Program::compile(&plain), Program::compile(&transformed));
    let (mut of_plain, mut evaluator) = (Evaluator::new(&plain_program), Evaluator::new(&program));
    let (prepared_plain, prepared) = (plain_program.prepare(&data), program.prepare(&data));
    let names = transformed.parameter_names();
    let place = |name: &str| names.iter().position(|own| own == name).unwrap();
    let places = parameters.map(place);
    let mut random = Random(7);
    let mut seen = 0;
    for _ in 0..20 {
        let mut at = random.point(&transformed, 0.5);
        // In the middle of the bounds, where no yield is negative.
        places.iter().for_each(|&i| at[i] = transformed.init()[i] + 0.3 * (random.uniform() - 0.5));
        let p = places.map(|i| at[i]);
        let given: Vec<(String, f64)> =
            transformed.derived.iter().zip(formulas).map(|(d, formula)| (d.name.clone(), formula(&p))).collect();
        for (derived, (_, value)) in transformed.derived.iter().zip(&given) {
            assert!((derived.value(&at) - value).abs() < 1e-14, "{name}: {}", derived.name);
        }
        let there = plain_point(&plain, &transformed, &at, &given);
        let want = of_plain.twice_nll(&there, &prepared_plain);
        let got = evaluator.twice_nll(&at, &prepared);
        if !want.is_finite() {
            assert!(!got.is_finite(), "{name}");
            continue;
        }
        seen += 1;
        assert!((got - want).abs() < 1e-11 * want.abs().max(1.0), "{name}: {got} and {want}");
        // The chain rule: dc/dp by differences of the formulas.
        let (mut gradient, mut of_there) = (vec![0.0; at.len()], vec![0.0; there.len()]);
        evaluator.gradient(&at, &prepared, &mut gradient);
        of_plain.gradient(&there, &prepared_plain, &mut of_there);
        let plain_names = plain.parameter_names();
        for (k, &i) in places.iter().enumerate() {
            let step = 1e-5;
            let moved = |sign: f64| {
                let mut p = p;
                p[k] += sign * step;
                formulas.map(|formula| formula(&p))
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            let slope: f64 = given
                .iter()
                .enumerate()
                .map(|(c, (name, _))| {
                    let own = plain_names.iter().position(|own| own == name).unwrap();
                    of_there[own] * (up[c] - down[c]) / (2.0 * step)
                })
                .sum();
            let scale = of_there.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            assert!(
                (gradient[i] - slope).abs() < 1e-7 * scale,
                "{name}, {}: {} and {slope}",
                parameters[k],
                gradient[i]
            );
        }
    }
    assert!(seen >= 10, "{name}: {seen} points in the domain");
}

/// All kinds of responses, event histograms summed and kept, statistical uncertainties.
#[test]
fn rotations_are_evaluations_at_the_rotated_point() {
    for name in [
        "eft_absolute",
        "eft_applies_to",
        "eft_applies_to_errors",
        "eft_coefficient_errors",
        "eft_events",
        "eft_forms",
        "eft_mc_stat",
        "eft_mc_stat_errors",
        "eft_morph",
        "eft_per_monomial",
        "eft_rational",
        "eft_rational_errors",
        "eft_relative",
        "eft_unbinned_forms",
    ] {
        let (steps, formulas) = rotation("c1", "c2");
        compare(name, &steps, formulas, ["eta1", "eta2"], None);
    }
    let (steps, formulas) = rotation("c1", "c8");
    compare("eft_product", &steps, formulas, ["eta1", "eta2"], None);
}

/// Truncation counts orders in the original coefficients: the rotated document truncated is the truncated one rotated.
#[test]
fn truncation_comes_before_substitution() {
    for name in ["eft_absolute", "eft_forms", "eft_morph", "eft_rational", "eft_unbinned_forms"] {
        let (steps, formulas) = rotation("c1", "c2");
        compare(name, &steps, formulas, ["eta1", "eta2"], Some(1));
        let (steps, formulas) = heavy_particle("c1", "c2");
        compare(name, &steps, formulas, ["g", "M"], Some(1));
    }
}

#[test]
fn powers_of_couplings_and_masses_are_evaluations_too() {
    for name in [
        "eft_absolute",
        "eft_applies_to",
        "eft_forms",
        "eft_morph",
        "eft_per_monomial",
        "eft_rational",
        "eft_rational_errors",
        "eft_relative",
        "eft_unbinned",
        "eft_unbinned_forms",
    ] {
        let (steps, formulas) = heavy_particle("c1", "c2");
        compare(name, &steps, formulas, ["g", "M"], None);
    }
    // A variance has no denominator of its own.
    for name in ["eft_mc_stat", "eft_events"] {
        let (folder, mut document) = fixture(name);
        document["eft"]["parameter_transform"] = heavy_particle("c1", "c2").0;
        document["measurements"][0]["config"]["poi"] = json!("");
        let error = build(&document, &folder, None).unwrap_err();
        assert_eq!(error.0[0].rule, "W280", "{error}");
        assert!(error.to_string().contains("negative powers"), "{error}");
    }
}

/// Single events: second derivatives and information by the chain rule. Hessians are differences of gradients, and the
/// information is Jᵀ I J with the I of the document without relations and the Jacobian by differences of the formulas.
#[test]
fn events_follow_relations_in_second_order_too() {
    for (name, (steps, formulas), parameters, own) in [
        ("eft_unbinned_forms", rotation("c1", "c2"), ["eta1", "eta2"], (0.7, 1.3)),
        ("eft_unbinned_forms", rotation("c1", "c2"), ["eta1", "eta2"], (0.0, 0.0)),
        ("eft_unbinned_forms", heavy_particle("c1", "c2"), ["g", "M"], (0.7, 1.3)),
        ("eft_unbinned_forms", heavy_particle("c1", "c2"), ["g", "M"], (0.0, 1.3)),
    ] {
        let (folder, mut document) = fixture(name);
        let (plain, data) = build(&document, &folder, None).unwrap();
        document["eft"]["parameter_transform"] = steps;
        document["measurements"][0]["config"]["poi"] = json!("");
        let (model, _) = build(&document, &folder, None).unwrap();
        let program = Program::compile(&model);
        let (mut evaluator, prepared) = (Evaluator::new(&program), program.prepare(&data));
        let names = model.parameter_names();
        let mut at = model.init();
        let places = parameters.map(|name| names.iter().position(|own| own == name).unwrap());
        (at[places[0]], at[places[1]]) = own;
        let n = at.len();
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        assert!(evaluator.hessian(&at, &prepared, &mut gradient, &mut hessian).is_finite());
        let largest = hessian.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        for i in 0..n {
            let mut slopes = |k: f64| {
                let (mut moved, mut own) = (at.clone(), vec![0.0; n]);
                moved[i] += k * 1e-3;
                evaluator.gradient(&moved, &prepared, &mut own);
                own
            };
            let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(&mut slopes);
            for j in 0..n {
                let want = (a[j] - 8.0 * b[j] + 8.0 * c[j] - d[j]) / (12.0 * 1e-3);
                let got = hessian[i * n + j];
                assert!((got - want).abs() < 1e-8 * largest, "{name} {} {}: {got} and {want}", names[i], names[j]);
            }
        }
        let p = places.map(|i| at[i]);
        let given: Vec<(String, f64)> =
            model.derived.iter().zip(formulas).map(|(d, formula)| (d.name.clone(), formula(&p))).collect();
        let there = plain_point(&plain, &model, &at, &given);
        let own_places = ["c1", "c2"].map(|c| plain.parameter_names().iter().position(|own| own == c).unwrap());
        let plain_program = Program::compile(&plain);
        let of_plain = information(&plain, &plain_program, &there, &vec![false; there.len()], &own_places);
        let found = information(&model, &program, &at, &vec![false; n], &places);
        let jacobian = DMatrix::from_fn(2, 2, |c, k| {
            let moved = |sign: f64| {
                let mut p = p;
                p[k] += sign * 1e-5;
                formulas[c](&p)
            };
            (moved(1.0) - moved(-1.0)) / 2e-5
        });
        for (got, plain) in found.unbinned.iter().zip(&of_plain.unbinned) {
            let want = jacobian.transpose() * plain.as_ref().unwrap() * &jacobian;
            let got = got.as_ref().unwrap();
            assert!((got - &want).abs().max() < 1e-8 * want.abs().max(), "{name}: {got} and {want}");
        }
        let want = jacobian.transpose() * of_plain.profiled.unwrap() * &jacobian;
        assert!((found.profiled.unwrap() - &want).abs().max() < 1e-8 * want.abs().max(), "{name}");
    }
}

/// A relation between two coefficients leaves one of them.
#[test]
fn constraints_leave_fewer_parameters() {
    let (folder, mut document) = fixture("eft_absolute");
    let (plain, data) = build(&document, &folder, None).unwrap();
    document["eft"]["parameter_transform"] =
        json!([{"relations": [{"coefficient": "c2", "terms": [{"factor": -1.5, "powers": {"c1": 1}}]}]}]);
    let (model, _) = build(&document, &folder, None).unwrap();
    assert_eq!(model.n_parameters(), plain.n_parameters() - 1);
    let mut at = model.init();
    let c1 = model.parameter_names().iter().position(|name| name == "c1").unwrap();
    at[c1] = 0.3;
    let there = common::point(&plain, &[("c1", 0.3), ("c2", -0.45)]);
    let value = |model: &Model, at: &[f64]| {
        let program = Program::compile(model);
        Evaluator::new(&program).twice_nll(at, &program.prepare(&data))
    };
    let (got, want) = (value(&model, &at), value(&plain, &there));
    assert!((got - want).abs() < 1e-12 * want.abs(), "{got} and {want}");
}

fn findings(steps: Value, change: impl Fn(&mut Value)) -> Vec<(String, String)> {
    let (_, mut document) = fixture("eft_absolute");
    document["eft"]["parameter_transform"] = steps;
    document["measurements"][0]["config"]["poi"] = json!("");
    change(&mut document);
    let findings = validate::check(&Workspace::from_value(&document).unwrap(), &Scope::default());
    findings.0.iter().map(|f| (f.rule.to_string(), f.pointer.clone().unwrap_or_default())).collect()
}

/// Each rule, with the place of its finding; the sound document has none.
#[test]
fn wrong_transforms_are_findings() {
    let sound = heavy_particle("c1", "c2").0;
    assert_eq!(findings(sound.clone(), |_| {}), []);
    assert_eq!(findings(rotation("c1", "c2").0, |_| {}), []);
    let step = "/parameter_transform/0";
    let cases = [
        ("W330", "/relations/0/coefficient", json!("c9")),
        ("W330", "/relations/0/terms/0/powers/h", json!(1)),
        ("W331", "/relations/1/coefficient", json!("c1")),
        ("W332", "/relations/0/terms/0/powers/c2", json!(1)),
        ("W332", "/relations/1/coefficient", json!("g")),
        ("W333", "/parameters/0/name", json!("c1")),
        ("W333", "/parameters/1/name", json!("g")),
        ("W335", "/parameters/1/bounds", json!([10.0, 0.5])),
        ("W336", "/relations/0/terms/0/powers/g", json!(-2)),
        ("W336", "/relations/0/terms/0/powers/g", json!(0)),
        ("W336", "/relations/0/terms/0/powers/g", json!(101)),
        ("W338", "/running", json!({"from_scale_GeV": 1000.0, "to_scale_GeV": 91.0})),
    ];
    for (rule, pointer, value) in cases {
        let found = findings(sound.clone(), |document| {
            let place = format!("/eft{step}{pointer}");
            let (parent, key) = place.rsplit_once('/').unwrap();
            match document.pointer_mut(parent).unwrap() {
                Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
                other => other[key] = value.clone(),
            }
        });
        let own: Vec<&(String, String)> = found.iter().filter(|(own, _)| own == rule).collect();
        assert!(
            own.iter().any(|(_, place)| place.starts_with(&format!("/eft{step}{pointer}"))),
            "{rule} {pointer}: {found:?}"
        );
    }
    let found = findings(rotation("c1", "c2").0, |document| {
        let linear = &mut document["eft"]["parameter_transform"][0]["linear"];
        linear["matrix"][0] = json!([1.0]);
        linear["offset"] = json!([1.0]);
    });
    assert_eq!(found.iter().filter(|(rule, _)| rule == "W334").count(), 2, "{found:?}");
    let fixed =
        findings(rotation("c1", "c2").0, |document| document["eft"]["wilson_coefficients"][0]["fixed"] = json!(true));
    assert_eq!(fixed[0].0, "W339");
    let idle = findings(rotation("c1", "c2").0, |document| {
        let mut steps = rotation("c1", "c2").0;
        steps[0]["parameters"].as_array_mut().unwrap().push(json!({"name": "idle", "bounds": [0.0, 1.0]}));
        document["eft"]["parameter_transform"] = steps;
    });
    assert_eq!(idle, [("W337".to_owned(), "/eft/parameter_transform/0/parameters/2".to_owned())]);
    // A denominator of the first step that the second one makes a sum.
    let mut sum = heavy_particle("c1", "c2").0;
    sum[1] =
        json!({"relations": [{"coefficient": "M", "terms": [{"factor": 1.0}, {"factor": 1.0, "powers": {"g": 2}}]}]});
    assert_eq!(
        findings(sum, |_| {})[0],
        ("W336".to_owned(), "/eft/parameter_transform/1/relations/0/coefficient".to_owned())
    );
}

/// A measurement may narrow bounds, and not widen them into a denominator.
#[test]
fn bounds_of_a_measurement_stay_above_zero() {
    let (folder, mut document) = fixture("eft_absolute");
    document["eft"]["parameter_transform"] = heavy_particle("c1", "c2").0;
    document["measurements"][0]["config"] = json!({"poi": "g", "parameters": [{"name": "M", "bounds": [[-1.0, 2.0]]}]});
    let error = build(&document, &folder, None).unwrap_err();
    assert_eq!(error.0[0].rule, "W336", "{error}");
    // What a relation gives is no parameter.
    let unknown = findings(heavy_particle("c1", "c2").0, |document| {
        document["measurements"][0]["config"] = json!({"poi": "c1", "parameters": [{"name": "c2", "inits": [0.1]}]});
    });
    assert_eq!(unknown.iter().map(|(rule, _)| rule.as_str()).collect::<Vec<_>>(), ["W132", "W134"]);
}

/// One point: t = 1 + c/2 ± 0.1, data at 1, with c at 91 GeV.
fn one_point(steps: Value) -> Value {
    json!({"version": "1.0.0", "channels": [], "observations": [],
        "measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}],
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF", "scale_GeV": 91.0},
            "wilson_coefficients": [{"name": "CHbox", "bounds": [-20.0, 20.0]}],
            "parameter_transform": steps,
            "gaussian_measurements": [{"name": "width", "data": [1.0], "uncorrelated": [0.1],
                "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [[], ["CHbox"]],
                    "coefficients": [1.0, 0.5]}}]}})
}

/// A heavy singlet: C_H□ = −g²/(2M²). With g = 1 the mean is 1 − x/4, x = 1/M², so that x is below 1.96 · 0.1 · 4 at 95 %: CLs of
/// data at the Standard Model is 2 (1 − Φ), and so is the two-sided p-value of a scan.
#[test]
fn a_limit_on_a_coefficient_is_one_on_a_mass() {
    let steps = json!([{"parameters": [{"name": "g", "bounds": [-3.0, 3.0], "init": 1.0}, {"name": "M", "bounds": [0.5, 20.0], "init": 2.0}],
        "relations": [{"coefficient": "CHbox", "terms": [{"factor": -0.5, "powers": {"g": 2, "M": -2}}]}]}]);
    let file = scratch("singlet.json", &one_point(steps).to_string());
    let path = file.to_str().unwrap();
    let x: f64 = 1.959_963_984_540_054 * 0.4;
    for (coupling, x) in [("g=1", x), ("g=2", x / 4.0)] {
        let report = json_of(&["eft", "mass", path, "M", "--fix", coupling], 0);
        assert_eq!(report["power"], 2);
        let want = x.powf(-0.5);
        let observed = report["observed_lower_limit"].as_f64().unwrap();
        assert!((observed - want).abs() < 1e-6 * want, "{observed} and {want}");
        let median = report["expected_lower_limit"][2].as_f64().unwrap();
        assert!((median - want).abs() < 1e-6 * want, "{median}");
        let allowed = &report["allowed"][0];
        assert!((allowed[0].as_f64().unwrap() - want).abs() < 1e-6 * want && allowed[1].is_null(), "{allowed}");
    }
    // The mass itself: its best value is at the upper bound, next to the Standard Model.
    let scan = json_of(&["scan", path, "M", "--fix", "g=1", "--level", "0.95"], 0);
    let interval = &scan["intervals"][0]["intervals"][0];
    let (lower, upper) = (interval["lower"]["value"].as_f64().unwrap(), &interval["upper"]);
    let at_bound: f64 = 1.0 / 400.0;
    let want = (x * x + at_bound * at_bound).sqrt().powf(-0.5);
    assert!((lower - want).abs() < 1e-5 * want, "{lower} and {want}");
    assert_eq!(upper["open_at_bound"], true);
    let refused = morphist(&["limit", path, "--poi", "M", "--fix", "g=1"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("eft mass"), "{}", stderr(&refused));
    let bounds = morphist(&["fit", path, "--bounds", "M=0,20", "--fix", "g=1"]);
    assert_eq!(bounds.status.code(), Some(2));
    assert!(stderr(&bounds).contains("stands in a denominator of CHbox"), "{}", stderr(&bounds));
    json_of(&["fit", path, "--bounds", "M=0.1,20", "--bounds", "g=-1,2", "--fix", "g=1"], 0);
    let coupling = morphist(&["eft", "mass", path, "g"]);
    assert!(stderr(&coupling).contains("not stand in denominators"), "{}", stderr(&coupling));
}

/// c(91 GeV) = U c(1 TeV), with a second operator at 1 TeV that mixes into the first, as CSV and as JSON.
#[test]
fn an_evolution_matrix_puts_parameters_at_another_scale() {
    let plain = one_point(json!([]));
    let mut plain = plain;
    plain["eft"].as_object_mut().unwrap().remove("parameter_transform");
    let file = scratch("evolved_plain.json", &plain.to_string());
    let matrix = scratch("evolution.csv", ",CHbox,CHD,idle\nCHbox,0.9,-0.2,0\nother,0.0,1,1\n");
    let run = |matrix: &Path, more: &[&str]| {
        let arguments =
            ["eft", "import", "--from", "rg-matrix", matrix.to_str().unwrap(), "--workspace", file.to_str().unwrap()];
        morphist(&[&arguments[..], more].concat())
    };
    let scales = ["--from-scale-gev", "1000", "--to-scale-gev", "91", "--bounds", "CHD=-5,5"];
    let output = run(&matrix, &scales);
    assert!(output.status.success(), "{}", stderr(&output));
    // The row and the column that the document does not need are told.
    assert!(stderr(&output).contains("other") && stderr(&output).contains("idle"), "{}", stderr(&output));
    let evolved: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (model, data) = build(&evolved, Path::new(""), None).unwrap();
    assert_eq!(model.parameter_names(), ["CHbox_1000GeV", "CHD_1000GeV"]);
    assert_eq!(model.bounds(), [(-20.0, 20.0), (-5.0, 5.0)]);
    let program = Program::compile(&model);
    for (a, b) in [(0.3, -0.7), (-2.0, 1.1)] {
        let c: f64 = 0.9 * a - 0.2 * b;
        let want = (0.5 * c / 0.1).powi(2);
        let got = Evaluator::new(&program).reduced(&[a, b], &program.prepare(&data));
        assert!((got - want).abs() < 1e-12 * want, "{got} and {want}");
    }
    let json = json!({"coefficients": ["CHbox"], "parameters": ["CHbox", "CHD"], "matrix": [[0.9, -0.2]],
        "from_scale_GeV": 1000.0, "to_scale_GeV": 91.0});
    let of_json = run(&scratch("evolution.json", &json.to_string()), &["--bounds", "CHD=-5,5"]);
    assert_eq!(serde_json::from_slice::<Value>(&of_json.stdout).unwrap(), evolved);
    for (more, word) in [
        (&["--from-scale-gev", "1000", "--to-scale-gev", "1000", "--bounds", "CHD=-5,5"][..], "W338"),
        (&["--from-scale-gev", "1000", "--bounds", "CHD=-5,5"], "to_scale_GeV"),
        (&["--from-scale-gev", "1000", "--to-scale-gev", "91"], "no bounds of \"CHD\""),
    ] {
        let output = run(&matrix, more);
        assert!(!output.status.success());
        assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output));
    }
    // What is not evolved would stay at another scale.
    let mut two = plain.clone();
    two["eft"]["wilson_coefficients"].as_array_mut().unwrap().push(json!({"name": "CHD", "bounds": [-1.0, 1.0]}));
    std::fs::write(&file, two.to_string()).unwrap();
    let output = run(&matrix, &scales);
    assert!(stderr(&output).contains("W338"), "{}", stderr(&output));
}

/// The first step of examples/uv is what the command of its README writes.
#[test]
fn the_example_is_what_the_importer_writes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let path = |name: &str| examples.join(name).to_str().unwrap().to_owned();
    let (matrix, plain) = (path("uv/evolution.csv"), path("global/workspace.json"));
    let arguments = ["eft", "import", "--from", "rg-matrix", &matrix, "--workspace", &plain];
    let mut evolved =
        json_of(&[&arguments[..], &["--from-scale-gev", "1000", "--to-scale-gev", "91.1876"]].concat(), 0);
    let example = common::read_json(&examples.join("uv/workspace.json"));
    let steps = evolved["eft"]["parameter_transform"].as_array_mut().unwrap();
    assert_eq!(steps.len(), 1);
    steps.push(example["eft"]["parameter_transform"][1].clone());
    evolved["measurements"][0]["config"]["poi"] = json!("M");
    assert_eq!(evolved, example);
}

/// Documents with one transform are combined; another one, none, or another Λ is refused by name.
#[test]
fn documents_are_combined_with_one_transform_only() {
    use morphist::document::{Document, Limits};
    use morphist::workspace::combine::{Channels, Join, Options, combine};
    let steps = json!([{"parameters": [{"name": "p", "bounds": [-3.0, 3.0]}],
        "relations": [{"coefficient": "CHbox", "terms": [{"factor": 2.0, "powers": {"p": 1}}]}]}]);
    let first = one_point(steps.clone());
    let mut second = one_point(steps.clone());
    second["eft"]["gaussian_measurements"][0]["name"] = json!("other");
    second["measurements"][0]["name"] = json!("n");
    let combined = |second: &Value| {
        let document = |name: &str, value: &Value| {
            Document::from_slice(name, value.to_string().into_bytes(), &Limits::default()).unwrap()
        };
        let options = Options { join: Join::Outer(Channels::Whole), ..Options::default() };
        combine(&[document("a", &first), document("b", second)], &options)
    };
    let result = combined(&second).unwrap();
    assert_eq!(result.document["eft"]["parameter_transform"], steps);
    let (model, data) = build(&result.document, Path::new(""), None).unwrap();
    assert_eq!(model.parameter_names(), ["p"]);
    let program = Program::compile(&model);
    let value = Evaluator::new(&program).reduced(&[0.3], &program.prepare(&data));
    assert!((value - 2.0 * (0.3_f64 / 0.1).powi(2)).abs() < 1e-12, "{value}");
    let refused = |second: &Value| {
        let told = combined(second).unwrap_err();
        told.iter().flat_map(|told| &told.findings.0).any(|finding| finding.rule == "W315")
    };
    let mut other = second.clone();
    other["eft"]["parameter_transform"][0]["relations"][0]["terms"][0]["factor"] = json!(3.0);
    assert!(refused(&other));
    let mut none = second.clone();
    none["eft"].as_object_mut().unwrap().remove("parameter_transform");
    assert!(refused(&none));
    let mut scaled = second.clone();
    scaled["eft"]["basis"]["Lambda_TeV"] = json!(2.0);
    assert!(refused(&scaled));
}
