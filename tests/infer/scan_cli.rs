//! `morphist scan` and `morphist minos`: flags, shapes of results, exit codes. Numbers of the counting experiment are
//! closed forms: b = 40, s = 8, n = 53.

use crate::common;

use crate::common::small;

use common::program::{json_of, morphist};
use serde_json::Value;

const COUNTING: &str = "fixtures/counting/workspace.json";
const HIGGS_LIKE: &str = "fixtures/higgs_like/workspace.json";

fn text_of(arguments: &[&str], code: i32) -> String {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_scan_has_points_and_intervals() {
    let scan = json_of(&["scan", COUNTING, "mu", "--lower_bound", "0.5", "--upper-bound", "3", "--points", "6"], 0);
    assert_eq!(scan["parameter"], "mu");
    assert!((number(&scan["best"]["value"]) - 1.625).abs() < 1e-6);
    let points = scan["points"].as_array().unwrap();
    assert_eq!(points.len(), 6);
    let height = |mu: f64| small::poisson(53.0, 40.0 + 8.0 * mu);
    for (k, point) in points.iter().enumerate() {
        let value = 0.5 + 0.5 * k as f64;
        assert!((number(&point["value"]) - value).abs() < 1e-12 && point["valid"] == true);
        assert!((number(&point["delta_twice_nll"]) - height(value)).abs() < 1e-8);
    }
    let [one, two] = scan["intervals"].as_array().unwrap().as_slice() else { panic!("two levels") };
    assert_eq!(number(&one["delta"]), 1.0);
    assert!((number(&two["delta"]) - 3.841_458_820_694_124).abs() < 1e-12);
    let interval = &one["intervals"][0];
    let lower = small::halving(1.625, 0.0, |mu| height(mu) - 1.0);
    assert!((number(&interval["lower"]["value"]) - lower).abs() < 1e-7 && interval["lower"]["reason"].is_null());
    // At μ = 0 the curve has risen by 3.81 only.
    assert_eq!(two["intervals"][0]["lower"]["reason"]["code"], "at_bound");
}

#[test]
fn a_scan_of_two_has_contours() {
    let arguments = ["scan", HIGGS_LIKE, "mu", "k_top", "--n-steps", "9,7", "--lower-bound", "0.2,0.8"];
    let scan = json_of(&arguments, 0);
    assert_eq!(scan["parameters"], serde_json::json!(["mu", "k_top"]));
    let points = scan["points"].as_array().unwrap();
    assert_eq!(points.len(), 63);
    assert_eq!(points[0]["values"], serde_json::json!([0.2, 0.8]));
    let contours = scan["contours"].as_array().unwrap();
    assert_eq!(contours.len(), 2);
    assert!((number(&contours[0]["delta"]) - 2.295_748_928_898_636).abs() < 1e-12);
    assert!((number(&contours[1]["delta"]) - 5.991_464_547_107_979).abs() < 1e-12);
    let line = contours[0]["lines"][0].as_array().unwrap();
    assert_eq!(line.first(), line.last());
    // One number serves both.
    let arguments = ["scan", HIGGS_LIKE, "mu", "k_top", "--n-steps", "3", "--lower-bound", "0.2,0.8"];
    assert_eq!(json_of(&arguments, 0)["points"].as_array().unwrap().len(), 9);
    let text = text_of(&["scan", HIGGS_LIKE, "mu", "k_top", "--lower-bound", "0.2"], 2);
    assert!(text.contains("found 1 value, expected 2, one for each parameter, joined by a comma"), "{text}");
}

#[test]
fn minos_takes_names_globs_and_levels() {
    let minos = json_of(&["minos", COUNTING, "mu", "--level", "0.95"], 0);
    let entry = &minos["parameters"]["mu"];
    let height = |mu: f64| small::poisson(53.0, 40.0 + 8.0 * mu) - 3.841_458_820_694_124;
    assert!((number(&entry["upper"]["value"]) - small::halving(1.625, 9.0, height)).abs() < 1e-7);
    let error = number(&entry["upper"]["error"]);
    assert!((error - (number(&entry["upper"]["value"]) - number(&entry["best_fit"]))).abs() < 1e-15);
    assert_eq!(entry["lower"]["value"], Value::Null);
    assert_eq!(entry["lower"]["reason"]["code"], "at_bound");
    let minos = json_of(&["minos", HIGGS_LIKE, "k_*", "mu"], 0);
    let names: Vec<&String> = minos["parameters"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["k_WW", "k_top", "mu"]);
    let fixed = json_of(&["minos", HIGGS_LIKE, "k_*", "--fix", "k_WW=1"], 0);
    assert_eq!(fixed["parameters"]["k_WW"]["upper"]["reason"]["code"], "fixed");
    assert!(fixed["parameters"]["k_top"]["upper"]["value"].is_number());
    // Nothing is left to profile.
    assert!(text_of(&["minos", HIGGS_LIKE, "mu", "--fix", "mu=1"], 2).contains("mu is fixed"));
    assert!(text_of(&["minos", HIGGS_LIKE, "k_*", "k_WW", "--fix", "k_WW"], 2).contains("k_WW is fixed"));
}

#[test]
fn tables_are_for_people() {
    let table = text_of(&["scan", COUNTING, "mu", "--format", "table"], 0);
    assert!(table.contains("interval") && table.contains("(delta 3.84146)"), "{table}");
    let table = text_of(&["minos", COUNTING, "--format", "table"], 0);
    let height = |mu: f64| small::poisson(53.0, 40.0 + 8.0 * mu) - 1.0;
    let (lower, upper) = (small::halving(1.625, 0.0, height) - 1.625, small::halving(1.625, 9.0, height) - 1.625);
    assert!(table.contains(&format!("± 0.91   {lower:.2}   {upper:.2}")), "{table}");
}

#[test]
fn wrong_arguments_are_usage_errors() {
    for (arguments, told) in [
        (&["scan", COUNTING, "nu"][..], "no parameter"),
        (&["scan", COUNTING, "mu", "mu"], "two different"),
        (&["scan", COUNTING, "mu", "--fix", "mu=1"], "is fixed"),
        (&["scan", HIGGS_LIKE, "fakes_statistics"], "name one of them"),
        (&["scan", COUNTING, "mu", "--lower-bound", "2", "--upper-bound", "1"], "not below"),
        (&["scan", COUNTING, "mu", "--n-steps", "3,4"], "expected 1"),
        (&["scan", HIGGS_LIKE, "mu", "k_WW", "--points", "1,4"], "two points"),
        (&["scan", HIGGS_LIKE, "mu", "k_WW", "--points", "60000,60000"], "too much memory"),
        (&["minos", COUNTING, "--level", "95"], "between 0 and 1"),
    ] {
        let text = text_of(arguments, 2);
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
}

/// Two strengths of which only the product is determined: no scan, a reason, exit code 1.
#[test]
fn an_invalid_fit_gives_no_points() {
    let strengths = [small::normfactor("mu"), small::normfactor("k")].join(",");
    let text = small::channel(&small::sample("s", "[10]", &strengths), "[12]", "mu", [0.0, 10.0]);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("flat_scan.json");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    for arguments in [["scan", path, "mu"], ["minos", path, "mu"]] {
        let result = json_of(&arguments, 1);
        assert_eq!(result["valid"], false);
        assert_eq!(result["reason"]["code"], "flat_directions");
    }
}
