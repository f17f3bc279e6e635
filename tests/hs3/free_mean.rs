//! A signal whose mean is free has no effect at a strength of zero: fits, tests, limits and scans there. The document is
//! hs3_free_mean.json; its numbers are those of RooFit 6.40.00 with Minuit2 from eight means (tests/peer/hs3_free_mean.py),
//! which accepts the fit at zero as it stands.

use crate::common;

use crate::common::small;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use serde_json::{Value, json};

const DOCUMENT: &str = "tests/hs3/free_mean.json";

fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} instead of {expected}"));
    assert!((found - expected).abs() < tolerance, "{found} and {expected}");
}

/// RooFit's −ln L of an extended likelihood of `events` events from ours, which has ln N!.
fn close_to_roofit(fit: &Value, events: f64, expected: f64) {
    let ours = 0.5 * fit["twice_nll"].as_f64().unwrap() - libm::lgamma(events + 1.0);
    assert!((ours - expected).abs() < 1e-6, "{ours} and {expected}");
    assert!(ours < expected + 1e-9, "not above Minuit's: {ours} and {expected}");
}

/// The note on parameters without effect names these.
fn assert_named(report: &Value, names: &[&str]) {
    let notes = report["notes"].as_array().unwrap();
    let note = notes.iter().find(|note| note["code"] == "without_effect").unwrap_or_else(|| panic!("{report}"));
    assert_eq!(note["parameters"], json!(names));
    assert!(note["message"].as_str().unwrap().contains("no effect where what multiplies"), "{note}");
}

fn value(report: &Value, map: &str, name: &str) -> Value {
    report[map][name].clone()
}

#[test]
fn a_fit_with_the_strength_held_at_zero() {
    let fit = json_of(&["fit", DOCUMENT, "--analysis", "search", "--fix", "signal=0"], 0);
    assert_eq!((&fit["valid"], &fit["reason"]), (&json!(true), &Value::Null));
    assert_named(&fit, &["m"]);
    close_to_roofit(&fit, 230.0, -57.33143148074498);
    // The start of the mean, which has no uncertainty; those of the others are those of the background alone: √230.
    close(&value(&fit, "mle_parameters", "m")[0], 125.0, 1e-12);
    assert!(value(&fit, "uncertainties", "m")[0].is_null(), "{fit}");
    close(&value(&fit, "mle_parameters", "background")[0], 230.0, 1e-4);
    close(&value(&fit, "uncertainties", "background")[0], 230.0f64.sqrt(), 1e-4);
    let alone = json_of(&["fit", DOCUMENT, "--analysis", "search", "--fix", "signal=0", "--fix", "m"], 0);
    close(&value(&fit, "uncertainties", "c")[0], value(&alone, "uncertainties", "c")[0].as_f64().unwrap(), 1e-12);
    let not_finite = fit["notes"].as_array().unwrap().iter().any(|note| note["code"] == "not_finite");
    assert!(!not_finite, "said once: {fit}");
    let table = stdout(&morphist(&["fit", DOCUMENT, "--analysis", "search", "--fix", "signal=0", "--format", "table"]));
    assert!(table.contains("no effect"), "{table}");
    // Away from zero nothing is said.
    let free = json_of(&["fit", DOCUMENT, "--analysis", "search"], 0);
    close_to_roofit(&free, 230.0, -72.04832235057165);
    close(&value(&free, "mle_parameters", "m")[0], 124.94011918144705, 1e-3);
    assert!(!free["notes"].to_string().contains("without_effect"), "{free}");
}

#[test]
fn tests_and_limits() {
    let report = json_of(&["significance", DOCUMENT, "--analysis", "search"], 0);
    close(&report["q0"], 29.43378173965334, 1e-5);
    close(&report["observed_significance"], 29.43378173965334f64.sqrt(), 1e-6);
    assert_named(&report, &["m"]);
    for (signal, q, q_asimov) in [
        ("10", 0.0, 1.6728206901468639),
        ("40", 0.35796028645836486, 20.404704889789173),
        ("45", 1.3346447024164263, 24.84802997277893),
    ] {
        let report = json_of(&["hypotest", DOCUMENT, "--analysis", "search", "--test-poi", signal], 0);
        close(&report["q"], q, 1e-5);
        // Minuit's minimum of the Asimov data is 10⁻⁵ above the lowest.
        close(&report["q_A"], q_asimov, 1e-4);
        assert_named(&report, &["m"]);
    }
    let report = json_of(&["limit", DOCUMENT, "--analysis", "search"], 0);
    assert_eq!((&report["valid"], &report["reason"]), (&json!(true), &Value::Null));
    close(&report["observed_limit"], 49.59415176864797, 1e-3);
    assert!(report["expected_reasons"].as_array().unwrap().iter().all(Value::is_null), "{report}");
    assert_named(&report, &["m"]);
}

#[test]
fn a_scan_through_zero() {
    let range = ["--lower-bound", "0", "--upper-bound", "40", "--n-steps", "5"];
    let report = json_of(&[&["scan", DOCUMENT, "signal", "--analysis", "search"][..], &range].concat(), 0);
    let points = report["points"].as_array().unwrap();
    assert!(points.iter().all(|point| point["valid"] == true), "{report}");
    close(&points[0]["value"], 0.0, 1e-12);
    close(&points[0]["delta_twice_nll"], 29.43378173965334, 1e-5);
    assert_eq!(points[0]["certificate"]["holds"], points[1]["certificate"]["holds"], "{report}");
    assert_named(&report, &["m"]);
}

/// Where the strength ends on its bound, the mean has no effect either; but another mean may have a signal.
#[test]
fn a_strength_that_ends_at_zero() {
    let hole = json_of(&["fit", DOCUMENT, "--analysis", "hole"], 0);
    assert_eq!(value(&hole, "mle_parameters", "signal"), json!([0.0]));
    assert_eq!(hole["at_limit"], json!(["signal"]));
    close_to_roofit(&hole, 206.0, -28.37283284606235);
    assert_named(&hole, &["m"]);
    // The mean begins in the hole, the strength at zero, which it leaves elsewhere.
    let elsewhere = ["fit", DOCUMENT, "--analysis", "elsewhere", "--init", "signal=0"];
    let fit = json_of(&elsewhere, 0);
    close_to_roofit(&fit, 245.0, -79.55715648859484);
    close(&value(&fit, "mle_parameters", "m")[0], 149.93178373672274, 1e-2);
    assert!(!fit["notes"].to_string().contains("without_effect"), "{fit}");
    // From its start alone the fit stays where other programs stay.
    let start = json_of(&[&elsewhere[..], &["--single-start"]].concat(), 0);
    close_to_roofit(&start, 245.0, -71.5304200656833);
    assert_named(&start, &["m"]);
}

/// One bin with 12 events, 10 · `first` expected of the one sample and `second` of the other.
fn strengths(name: &str, first: &[&str], second: (&str, &str)) -> String {
    let all = |names: &[&str]| names.iter().map(|name| small::normfactor(name)).collect::<Vec<_>>().join(",");
    let samples = [
        small::sample("b", "[10]", ""),
        small::sample("s", "[10]", &all(first)),
        small::sample("t", second.0, &all(&[second.1])),
    ];
    let text = small::channel(&samples.join(","), "[12]", "mu", [0.0, 10.0]);
    scratch(name, &text).display().to_string()
}

/// What has no effect anywhere, and what is determined in a combination only, is not excused by a zero elsewhere.
#[test]
fn other_flat_directions_stay() {
    let flat = |file: &str, arguments: &[&str], names: &[&str]| {
        let report = json_of(&[&["fit", file], arguments].concat(), 1);
        assert_eq!(report["reason"]["code"], "flat_directions", "{report}");
        assert_eq!(report["reason"]["parameters"], json!(names), "{report}");
    };
    // k multiplies the signal of strength mu; n a sample without events.
    let file = strengths("without_effect.json", &["mu", "k"], ("[0]", "n"));
    flat(&file, &["--fix", "mu=0"], &["n"]);
    let fit = json_of(&["fit", &file, "--fix", "mu=0", "--fix", "n"], 0);
    assert_named(&fit, &["k"]);
    // Of mu · k only the product is determined.
    flat(&file, &["--fix", "n"], &["k", "mu"]);
    // Of mu + n only the sum is.
    let file = strengths("flat_sum.json", &["mu"], ("[10]", "n"));
    flat(&file, &[], &["mu", "n"]);
    let fit = json_of(&["fit", &file, "--fix", "mu=0"], 0);
    assert!(!fit["notes"].to_string().contains("without_effect"), "{fit}");
    close(&value(&fit, "mle_parameters", "n")[0], 0.2, 1e-9);
}

/// Two parts of a mean: without effect at zero, a flat direction elsewhere.
#[test]
fn a_combination_of_two_means() {
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(DOCUMENT).unwrap()).unwrap();
    document["distributions"][1]["mean"] = json!("sum");
    document["functions"] = json!([{"name": "sum", "type": "sum", "summands": ["m", "shift"]}]);
    let shift = json!({"name": "shift", "value": 0.5});
    document["parameter_points"][0]["parameters"].as_array_mut().unwrap().push(shift);
    let axis = json!({"name": "shift", "min": -5, "max": 5});
    document["domains"][0]["axes"].as_array_mut().unwrap().push(axis);
    let file = scratch("two_means.json", &document.to_string()).display().to_string();
    let fit = json_of(&["fit", &file, "--analysis", "search", "--fix", "signal=0"], 0);
    assert_named(&fit, &["m", "shift"]);
    let report = json_of(&["fit", &file, "--analysis", "search", "--fix", "signal=20"], 1);
    assert_eq!(report["reason"]["code"], "flat_directions", "{report}");
    let told = stderr(&morphist(&["limit", &file, "--analysis", "search"]));
    assert!(told.contains("do not determine"), "{told}");
}
