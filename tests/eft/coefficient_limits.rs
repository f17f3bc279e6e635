//! Limits on Wilson coefficients: never beyond their bounds, on both sides of zero, and over all branches. Numbers are
//! closed forms, or those of tests/peer/coefficient_limit.py (numpy and scipy on a dense grid, from the definition).

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use serde_json::{Value, json};

const COUNTING: &str = "fixtures/counting/workspace.json";

/// One bin of n events, λ = a + b c + q c².
fn document([a, b, q]: [f64; 3], n: f64, bounds: [f64; 2]) -> Value {
    json!({
        "channels": [{"name": "c", "samples": [{"name": "signal", "data": [a], "modifiers": [
            {"name": "signal_eft", "type": "eft_polynomial", "data": {
                "mode": "absolute", "monomials": [[], ["c"], ["c", "c"]], "coefficients": [[a], [b], [q]],
                "truncation": "none",
            }}
        ]}]}],
        "observations": [{"name": "c", "data": [n]}],
        "measurements": [{"name": "m", "config": {"poi": "c", "parameters": []}}],
        "version": "1.0.0",
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "c", "bounds": bounds}],
        },
    })
}

fn limit(name: &str, document: &Value, options: &[&str], code: i32) -> Value {
    let file = scratch(&format!("limit_{name}.json"), &document.to_string());
    json_of(&[&["limit", file.to_str().unwrap()], options].concat(), code)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(number).collect()
}

/// NaN stands for a limit that is absent.
fn close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let same = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance || (a.is_nan() && b.is_nan());
    let all = found.len() == expected.len() && found.iter().zip(expected).all(same);
    assert!(all, "{what}: {found:?} but {expected:?}");
}

/// Ends of all intervals that are allowed.
fn allowed(report: &Value) -> Vec<f64> {
    let intervals = report["allowed"].as_array().unwrap().iter();
    intervals.flat_map(|i| [number(&i["lower"]["value"]), number(&i["upper"]["value"])]).collect()
}

type Case = (&'static str, [f64; 3], f64, [f64; 2], &'static [f64], [f64; 5], [f64; 5]);

const NONE: f64 = f64::NAN;
const SQUARE: [f64; 5] = [0.9371278865, 1.0958338313, 1.3090128497, 1.5736710791, 1.8633515204];
const MIRROR: [f64; 5] = [0.3991130031, 0.5189694082, 0.6914706964, 0.9186857377, 1.1785159124];
const VALLEY: [f64; 5] = [0.0881558223, 0.1185811221, 0.1650863401, 0.2306455354, 0.3106941892];

fn below(vertex: f64, limits: [f64; 5]) -> [f64; 5] {
    limits.map(|limit| 2.0 * vertex - limit)
}

/// tests/peer/coefficient_limit.py.
#[test]
fn limits_are_those_of_the_definition() {
    let (mirror, valley) = (below(-1.0, MIRROR), below(-1.5, VALLEY));
    let narrow = [mirror[0], NONE, NONE, NONE, NONE];
    let cases: [Case; 8] = [
        ("square", [40.0, 0.0, 8.0], 53.0, [-5.0, 5.0], &[-1.8042520608, 1.8042520608], SQUARE, below(0.0, SQUARE)),
        ("deficit", [40.0, 0.0, 8.0], 33.0, [-5.0, 5.0], &[-1.0834255365, 1.0834255365], SQUARE, below(0.0, SQUARE)),
        ("mirror", [48.0, 16.0, 8.0], 53.0, [-6.0, 4.0], &[-2.8386859879, 0.8386859879], MIRROR, mirror),
        // The vertex is the best fit: below zero it is no boundary, above zero it is not seen.
        ("vertex", [48.0, 16.0, 8.0], 40.0, [-6.0, 4.0], &[-2.4977529780, 0.5023124359], MIRROR, mirror),
        ("narrow", [48.0, 16.0, 8.0], 53.0, [-2.5, 4.0], &[-2.5, 0.8386859879], MIRROR, narrow),
        // Between zero and its mirror at −3 there is a valley without events.
        (
            "valley",
            [100.0, 120.0, 40.0],
            100.0,
            [-6.0, 4.0],
            &[-3.1650863401, -2.8384634784, -0.1615365216, 0.1650863401],
            VALLEY,
            valley,
        ),
        (
            "valley_deficit",
            [100.0, 120.0, 40.0],
            88.0,
            [-6.0, 4.0],
            &[-3.1114366656, -2.7554442036, -0.2445557964, 0.1122908963],
            VALLEY,
            valley,
        ),
        (
            "valley_excess",
            [100.0, 120.0, 40.0],
            150.0,
            [-6.0, 4.0],
            &[-3.5065959462, -2.9547080940, -0.0452919060, 0.5065959462],
            VALLEY,
            valley,
        ),
    ];
    for (name, rate, n, bounds, ends, upper, lower) in cases {
        let report = limit(name, &document(rate, n, bounds), &[], i32::from(name == "narrow"));
        close(name, &allowed(&report), ends, 1e-8);
        close(name, &numbers(&report["expected_limit"]), &upper, 1e-8);
        close(name, &numbers(&report["lower_limit"]["expected_limit"]), &lower, 1e-8);
        let lowest = if name == "narrow" { NONE } else { ends[0] };
        let observed = [&report["lower_limit"]["observed_limit"], &report["observed_limit"]].map(number);
        close(name, &observed, &[lowest, ends[ends.len() - 1]], 1e-8);
        assert_eq!(report["poi_bounds"], json!(bounds), "{name}");
    }
}

/// With r = c² the strength of `fixtures/counting` is c²; with r = (1 + c)² it is 1 + μ′ with μ′ = 2c + c² and a signal that
/// counts as background.
#[test]
fn limits_follow_from_those_on_the_strength() {
    let plain = json_of(&["limit", COUNTING], 0);
    let square = limit("of_strength", &document([40.0, 0.0, 8.0], 53.0, [-5.0, 5.0]), &[], 0);
    let root = |limits: &[f64]| -> Vec<f64> { limits.iter().map(|mu| mu.sqrt()).collect() };
    let all = |report: &Value| [vec![number(&report["observed_limit"])], numbers(&report["expected_limit"])].concat();
    close("c²", &all(&square), &root(&all(&plain)), 1e-8);
    let negative: Vec<f64> = root(&all(&plain)).iter().map(|c| -c).collect();
    close("−c²", &all(&square["lower_limit"]), &negative, 1e-8);

    let mut shifted = common::read_json(COUNTING.as_ref());
    for sample in shifted["channels"][0]["samples"].as_array_mut().unwrap() {
        if sample["modifiers"].as_array().unwrap().is_empty() {
            sample["data"] = json!([48.0]);
        }
    }
    for (n, name) in [(53.0, "of_shifted_53"), (61.0, "of_shifted_61"), (45.0, "of_shifted_45")] {
        shifted["observations"][0]["data"] = json!([n]);
        let file = scratch(&format!("plain_{name}.json"), &shifted.to_string());
        let plain = json_of(&["limit", file.to_str().unwrap()], 0);
        let ours = limit(name, &document([48.0, 16.0, 8.0], n, [-6.0, 4.0]), &[], 0);
        let mapped: Vec<f64> = all(&plain).iter().map(|mu| -1.0 + (1.0 + mu).sqrt()).collect();
        close(name, &all(&ours), &mapped, 1e-8);
        let mirrored: Vec<f64> = mapped.iter().map(|c| -2.0 - c).collect();
        close(name, &all(&ours["lower_limit"])[1..], &mirrored[1..], 1e-8);
    }
}

/// What is not excluded at a bound has no limit, and says so; nothing widens the bounds of a coefficient.
#[test]
fn limits_stay_within_the_bounds() {
    let document = document([40.0, 0.0, 8.0], 53.0, [-0.5, 1.9]);
    let report = limit("in_box", &document, &[], 1);
    close("upper", &[number(&report["observed_limit"])], &[1.8042520608], 1e-8);
    assert_eq!(report["lower_limit"]["observed_limit"], Value::Null);
    assert_eq!(report["lower_limit"]["reason"]["code"], "not_excluded_in_box");
    assert_eq!(report["allowed"][0]["lower"]["open_at_bound"], true);
    assert_eq!(report["allowed"][0]["lower"]["value"], -0.5);
    assert_eq!(report["allowed"][0]["upper"]["open_at_bound"], false);
    assert_eq!((&report["poi_bounds"], &report["valid"]), (&json!([-0.5, 1.9]), &json!(true)));
    let points = report["scan"].as_array().unwrap();
    assert!(points.len() > 20 && points.iter().all(|p| (-0.5..=1.9).contains(&number(&p["poi"]))));
    let narrowed = limit("in_box", &document, &["--poi-bounds=0,1.5"], 1);
    assert_eq!((&narrowed["reason"]["code"], &narrowed["lower_limit"]), (&json!("not_excluded_in_box"), &Value::Null));
    assert_eq!(narrowed["expected_limit"][4], Value::Null);
    close("narrowed", &numbers(&narrowed["expected_limit"])[..3], &SQUARE[..3], 1e-8);
    let file = scratch("limit_in_box.json", &document.to_string());
    let file = file.to_str().unwrap();
    for arguments in [
        &["limit", file, "--poi-bounds=-0.6,1"][..],
        &["limit", file, "--scan", "0,2,5"],
        &["limit", file, "--test-stat", "q"],
        &["hypotest", file, "--test-poi", "2"],
        &["scan", file, "c", "--upper-bound", "2"],
        &["scan", file, "c", "--lower-bound=-0.6"],
        &["toys", file, "--feldman-cousins", "--scan", "0,2,5", "--ntoys", "1"],
    ] {
        let output = morphist(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
    // Intervals end at the bounds as well.
    let scan = json_of(&["scan", file, "c", "--level", "0.999"], 0);
    let minos = json_of(&["minos", file, "c", "--level", "0.999"], 0);
    for region in [&scan["intervals"][0], &minos["parameters"]["c"]["region"]] {
        assert_eq!(region["intervals"][0]["lower"]["value"], -0.5);
        assert_eq!(region["intervals"][0]["lower"]["open_at_bound"], true);
    }
    assert!(scan["points"].as_array().unwrap().iter().all(|p| (-0.5..=1.9).contains(&number(&p["value"]))));
}

/// λ = 50 − 10 c is negative above 5: the likelihood ends there, and the limits are those of a box that ends before
/// (tests/peer/coefficient_limit.py).
#[test]
fn a_likelihood_that_ends_has_limits() {
    for (name, high) in [("ends_within", 10.0), ("ends_beyond", 4.9)] {
        let report = limit(name, &document([50.0, -10.0, 0.0], 52.0, [-10.0, high]), &[], 0);
        close(name, &allowed(&report), &LINEAR, 1e-8);
    }
}

const LINEAR: [f64; 2] = [-1.6732458802, 1.1526315512];

/// At the limits a test gives the level, also below zero, and a grid interpolates between its points on either side.
#[test]
fn tests_and_grids_agree_with_limits() {
    let document = document([100.0, 120.0, 40.0], 88.0, [-6.0, 4.0]);
    let file = scratch("limit_tests.json", &document.to_string());
    let file = file.to_str().unwrap();
    let report = json_of(&["limit", file], 0);
    for end in allowed(&report) {
        let test = json_of(&["hypotest", file, &format!("--test-poi={end}")], 0);
        close("CLs", &[number(&test["CLs_obs"])], &[0.05], 1e-7);
    }
    let report = json_of(&["limit", file, "--scan=-4,2,61"], 0);
    let cls: Vec<(f64, f64)> =
        report["scan"].as_array().unwrap().iter().map(|p| (number(&p["poi"]), number(&p["CLs_obs"]))).collect();
    let first = cls.iter().position(|(_, p)| *p >= 0.05).unwrap();
    let last = cls.iter().rposition(|(_, p)| *p >= 0.05).unwrap();
    let between = |(x, p): (f64, f64), (y, q): (f64, f64)| x + (p - 0.05) / (p - q) * (y - x);
    let expected = [between(cls[first], cls[first - 1]), between(cls[last], cls[last + 1])];
    close("grid", &[&report["lower_limit"]["observed_limit"], &report["observed_limit"]].map(number), &expected, 1e-10);
}
