//! `gof` and blinding beside measurements with Gaussian errors, against the equations of spec/gaussian.md and
//! spec/inference.md written out in the test.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use nalgebra::{DMatrix, DVector};
use serde_json::{Value, json};

const DATA: [f64; 5] = [1.3, -0.4, 0.6, 0.9, -0.2];
const ERRORS: [f64; 5] = [0.5, 0.4, 0.6, 0.3, 0.7];
const SHARED: [f64; 5] = [0.4, -0.2, 0.3, 0.5, 0.25];
const SLOPE: [f64; 5] = [1.0, -0.3, 0.5, 0.2, 0.7];

/// Two measurements with means c · slope that share one error; what `more` adds to the second.
fn document(more: &[Value]) -> Value {
    let measurement = |name: &str, range: std::ops::Range<usize>, more: &[Value]| {
        let shared =
            json!({"name": "lumi", "correlation": "name", "kind": "additive", "values": SHARED[range.clone()]});
        let systematics = [&[shared], more].concat();
        json!({"name": name, "data": DATA[range.clone()], "uncorrelated": ERRORS[range.clone()],
            "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [["c"]],
                "coefficients": [SLOPE[range]]},
            "systematics": systematics})
    };
    json!({"version": "1.0.0", "channels": [], "observations": [],
        "measurements": [{"name": "m", "config": {"poi": "c", "parameters": []}}],
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "c", "bounds": [-50.0, 50.0]}],
            "gaussian_measurements": [measurement("first", 0..3, &[]), measurement("second", 3..5, more)]}})
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// (r − u α̂)ᵀ B⁻¹ (r − u α̂) of both measurements, and α̂².
fn parts(residuals: [f64; 5]) -> [f64; 3] {
    let weights = ERRORS.map(|e| 1.0 / (e * e));
    let dot = |a: &[f64; 5], b: &[f64; 5]| (0..5).map(|i| weights[i] * a[i] * b[i]).sum::<f64>();
    let alpha = dot(&SHARED, &residuals) / (1.0 + dot(&SHARED, &SHARED));
    let left =
        |range: std::ops::Range<usize>| range.map(|i| weights[i] * (residuals[i] - SHARED[i] * alpha).powi(2)).sum();
    [left(0..3), left(3..5), alpha * alpha]
}

/// The best c of the generalised least squares.
fn best(points: std::ops::Range<usize>) -> f64 {
    let n = points.len();
    let v = DMatrix::from_fn(n, n, |i, j| {
        let (a, b) = (points.start + i, points.start + j);
        SHARED[a] * SHARED[b] + if i == j { ERRORS[a] * ERRORS[a] } else { 0.0 }
    });
    let weight = v.try_inverse().unwrap();
    let column = |list: &[f64; 5]| DVector::from_iterator(n, points.clone().map(|i| list[i]));
    let (j, d) = (column(&SLOPE), column(&DATA));
    (j.transpose() * &weight * d)[0] / (j.transpose() * weight * &j)[0]
}

fn gof(name: &str, document: &Value) -> Value {
    let file = scratch(&format!("measurement_{name}.json"), &document.to_string());
    let report = json_of(&["gof", file.to_str().unwrap()], 0);
    let parts = number(&report["measurements"]["contribution"]) + number(&report["constraints"]["contribution"]);
    assert!((parts - number(&report["statistic"])).abs() < 1e-11, "{name}: {report}");
    let validator = jsonschema::validator_for(&json_of(&["schema", "report-gof"], 0)).unwrap();
    assert!(validator.is_valid(&report));
    report
}

/// Parts by measurement, whether the shared error stands in V or is a parameter.
#[test]
fn parts_of_measurements_add_up() {
    let c = best(0..5);
    let want = parts(std::array::from_fn(|i| DATA[i] - c * SLOPE[i]));
    for named in ["covariance", "parameters"] {
        let mut document = document(&[]);
        document["eft"]["named_systematics"] = json!(named);
        let report = gof(named, &document);
        assert_eq!(report["degrees_of_freedom"], 4);
        let own = &report["measurements"];
        for (group, (name, (n, want))) in
            own["groups"].as_array().unwrap().iter().zip([("first", (3, want[0])), ("second", (2, want[1]))])
        {
            assert_eq!((&group["names"], &group["points"]), (&json!([name]), &json!(n)));
            assert!((number(&group["contribution"]) - want).abs() < 1e-9, "{named} {name}: {group} and {want}");
        }
        let shared = if named == "covariance" { &own["shared_errors"] } else { &report["constraints"]["contribution"] };
        assert!((number(shared) - want[2]).abs() < 1e-9, "{named}: {shared} and {}", want[2]);
    }
    let file = scratch("measurement_table.json", &document(&[]).to_string());
    let table = morphist(&["gof", file.to_str().unwrap(), "--format", "csv"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("second,2,") && table.contains("errors that measurements share"), "{table}");
}

/// Flat errors in their three forms: parts that add up; profiled ones do not count, and a note says what that means.
#[test]
fn flat_errors_do_not_count() {
    let flat = json!({"name": "th", "correlation": "none", "kind": "additive", "distribution": "flat",
        "values": [0.3, 0.1]});
    for form in ["profiled", "clamp", "marginalised"] {
        let mut document = document(std::slice::from_ref(&flat));
        document["eft"]["flat_errors"] = json!(form);
        if form == "marginalised" {
            // Its points are correlated with nothing.
            document["eft"]["gaussian_measurements"][1]["systematics"].as_array_mut().unwrap().remove(0);
        }
        let report = gof(form, &document);
        assert_eq!(report["degrees_of_freedom"], 4, "{form}");
        let codes: Vec<&str> =
            report["notes"].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap()).collect();
        assert_eq!(codes, if form == "profiled" { vec!["flat_errors"] } else { vec![] });
    }
}

/// A blinded measurement is as if it were not there, but for what it shares; its data are nowhere in the results.
#[test]
fn measurements_are_blinded() {
    let open = document(&[]);
    let mut alone = open.clone();
    alone["eft"]["gaussian_measurements"].as_array_mut().unwrap().pop();
    let mut other = open.clone();
    other["eft"]["gaussian_measurements"][1]["data"] = json!([7654321.0, 7654321.0]);
    let [open, alone, other] = [("open", open), ("alone", alone), ("other", other)]
        .map(|(n, d)| scratch(&format!("blind_{n}.json"), &d.to_string()));
    let [open, alone, other] = [&open, &alone, &other].map(|path| path.to_str().unwrap());
    let fit = json_of(&["fit", open, "--blind", "sec*"], 0);
    let plain = json_of(&["fit", alone], 0);
    let (found, want) = (number(&fit["mle_parameters"]["c"][0]), best(0..3));
    assert!((found - want).abs() < 1e-9, "{found} and {want}");
    assert!((number(&fit["twice_nll"]) - number(&plain["twice_nll"])).abs() < 1e-12);
    assert_eq!((&fit["blinded_measurements"], &plain["blinded_measurements"]), (&json!(["second"]), &Value::Null));
    for command in
        [&["fit"][..], &["gof"], &["evaluate", "--gradient"], &["eft", "individual"], &["eft", "directions"], &["scan"]]
    {
        let with = |file: &str| {
            let (first, rest) = if command[0] == "eft" { command.split_at(2) } else { command.split_at(1) };
            let of = if command[0] == "scan" { &["c"][..] } else { &[] };
            json_of(&[first, &[file], of, rest, &["--blind", "second"]].concat(), 0)
        };
        let theirs = with(other);
        assert_eq!(with(open), theirs, "{command:?}");
        assert!(!theirs.to_string().contains("7654321"), "{command:?}");
    }
    for (pattern, word) in [("*", "nothing is left to fit"), ("secnd", "did you mean")] {
        let output = morphist(&["fit", open, "--blind", pattern]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
    // What acts in the blinded measurement alone is held.
    let mut alone = document(&[]);
    alone["eft"]["wilson_coefficients"].as_array_mut().unwrap().push(json!({"name": "e", "bounds": [-1.0, 1.0]}));
    alone["eft"]["gaussian_measurements"][1]["prediction"] = json!({"kind": "polynomial", "truncation": "none",
        "monomials": [["c"], ["e"]], "coefficients": [0.5, 1.0]});
    let file = scratch("blind_held.json", &alone.to_string());
    let fit = json_of(&["fit", file.to_str().unwrap(), "--blind", "second"], 0);
    assert_eq!((&fit["held_by_blinding"], &fit["mle_parameters"]["e"]), (&json!(["e"]), &json!([0.0])));
    // The predictions of all stay in Asimov data.
    let asimov = json_of(&["asimov", file.to_str().unwrap(), "--blind", "second"], 0);
    assert_eq!(asimov["eft"]["gaussian_measurements"][1]["data"], json!([0.0, 0.0]));
}
