//! What users of binned likelihoods complain about, and the answer of this program: one test a pain. Others of the kind
//! stand beside what they test: `pain_…` in tests/infer/scan.rs and tests/infer/minos.rs, toys that fail or run in shards in
//! tests/infer/toys.rs and tests/infer/toy_commands.rs, memory in tests/memory.rs, impacts and yields in tests/infer/impacts.rs.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use serde_json::{Value, json};
use std::process::Command;

const COUNTING: &str = "fixtures/counting/workspace.json";
const HIGGS_LIKE: &str = "fixtures/higgs_like/workspace.json";
const SMALL: &str = "fixtures/uncorrelated_background/workspace.json";

fn close(got: &Value, expected: f64, tolerance: f64) {
    let got = got.as_f64().unwrap_or(f64::NAN);
    assert!((got - expected).abs() <= tolerance * expected.abs(), "{got} but {expected}");
}

/// A bin with background `b`, `n` events and a signal of `s` events.
fn one_bin(name: &str, b: f64, s: f64, n: f64) -> String {
    let strength = json!([{"name": "mu", "type": "normfactor", "data": null}]);
    let samples = json!([
        {"name": "background", "data": [b], "modifiers": []},
        {"name": "signal", "data": [s], "modifiers": strength},
    ]);
    let document = json!({
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": [n]}],
        "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    });
    scratch(name, &document.to_string()).to_str().expect("a path").to_owned()
}

/// A test without a minimum says which fit failed, why, where, and what to do; there is no number.
#[test]
fn pain_1_minimisation_fails_opaquely() {
    let report = json_of(&["hypotest", "fixtures/yield_at_zero/workspace.json", "--test-stat", "q"], 1);
    assert_eq!((&report["CLs_obs"], &report["valid"]), (&Value::Null, &json!(false)));
    let reason = &report["reason"];
    assert_eq!(
        (&reason["code"], &reason["channel"], &reason["bin"]),
        (&json!("yield_at_zero"), &json!("SR"), &json!(0))
    );
    let message = reason["message"].as_str().expect("a message");
    assert!(message.contains("free") && message.contains("SR") && message.contains("merge the bin"), "{message}");
    let flat = json_of(&["limit", &one_bin("pain_1.json", 40.0, 0.0, 53.0)], 1);
    assert_eq!((&flat["observed_limit"], &flat["reason"]["code"]), (&Value::Null, &json!("flat_directions")));
    assert!(flat["reason"]["message"].as_str().is_some_and(|m| m.contains("mu")), "{}", flat["reason"]);
}

/// At 0, next to it and with hardly any signal, CLs is a number: 1 at 0, and below 1 elsewhere.
#[test]
fn pain_3_cls_is_nan_near_zero_and_for_weak_signals() {
    let weak = one_bin("pain_3.json", 40.0, 1e-3, 31.0);
    for workspace in [COUNTING, SMALL, "fixtures/at_bound/workspace.json", HIGGS_LIKE, &weak] {
        for (value, tolerance) in [("0", 1e-12), ("1e-12", 1e-5), ("1e-6", 1e-3), ("1e-3", 0.1)] {
            let report = json_of(&["hypotest", workspace, "--test-poi", value], 0);
            let all = report["CLs_exp"].as_array().expect("a band").iter().chain([&report["CLs_obs"]]);
            for cls in all {
                let cls = cls.as_f64().unwrap_or(f64::NAN);
                assert!(cls <= 1.0 + 1e-12 && cls > 1.0 - tolerance, "{workspace} at {value}: {cls}");
            }
        }
    }
}

/// A negative or empty yield is told with channel, sample or bin, and is never a NaN.
#[test]
fn pain_4_negative_and_zero_yields_give_nan() {
    let negative = one_bin("pain_4.json", -3.0, 2.0, 4.0);
    let output = morphist(&["hypotest", &negative, "--format", "json", "--test-poi", "1"]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert!(text.contains("SR") && !text.contains("NaN"), "{text}");
    // Templates below zero in part, bins with few counts: a number.
    for fixture in ["negative_template", "staterror"] {
        let report = json_of(&["limit", &format!("fixtures/{fixture}/workspace.json")], 0);
        assert!(report["observed_limit"].as_f64().is_some_and(|limit| limit > 0.0), "{fixture}: {report}");
        assert!(report["expected_limit"].as_array().is_some_and(|band| band.iter().all(Value::is_number)));
    }
    // Events where the background is empty: the background-only hypothesis does not exist, and the bin is named.
    for (fixture, bin) in [("empty_bins", 1), ("shapesys_zero_bins", 2), ("staterror_zero_bins", 2)] {
        let report = json_of(&["limit", &format!("fixtures/{fixture}/workspace.json")], 1);
        assert_eq!((&report["observed_limit"], &report["reason"]["code"]), (&Value::Null, &json!("out_of_domain")));
        assert_eq!((&report["reason"]["channel"], &report["reason"]["bin"]), (&json!("SR"), &json!(bin)), "{fixture}");
    }
}

/// Several threads give the same bytes as one.
#[test]
fn pain_7_nothing_runs_in_parallel() {
    for command in [&["ranking"][..], &["minos"], &["scan", "mu"]] {
        let with = |threads: &str| {
            let mut run = Command::new(env!("CARGO_BIN_EXE_morphist"));
            run.args(&command[..1]).arg(HIGGS_LIKE).args(&command[1..]).args(["--format", "json"]);
            let output = run.env("RAYON_NUM_THREADS", threads).current_dir(env!("CARGO_MANIFEST_DIR")).output();
            let output = output.expect("the program starts");
            assert!(output.status.success(), "{command:?}: {}", stderr(&output));
            output.stdout
        };
        assert!(with("1") == with("3"), "{command:?} depends on the number of threads");
    }
}

/// What makes programs differ is chosen by name: test statistic and interpolation. Numbers of pyhf 0.7.6 (its
/// likelihood minimised to a gradient of 1e-8, fixtures/inference.py), with the settings of each.
#[test]
fn pain_21_programs_disagree() {
    let cls = |arguments: &[&str]| json_of(&[&["hypotest"], arguments].concat(), 0)["CLs_obs"].clone();
    close(&cls(&[SMALL, "--test-stat", "qtilde"]), 0.05251552514613188, 1e-8);
    close(&cls(&[SMALL, "--test-stat", "q"]), 0.05290114311953369, 1e-8);
    let all = "fixtures/all_modifiers/workspace.json";
    close(&cls(&[all, "--test-poi", "2.5"]), 0.16327490238770181, 1e-8);
    let linear = "normsys=code1,histosys=code0";
    close(&cls(&[all, "--test-poi", "2.5", "--interpolation", linear]), 0.1636881561115109, 1e-8);
    // The conventions themselves are part of the answer.
    let report = json_of(&["hypotest", SMALL, "--test-stat", "q"], 0);
    assert_eq!(report["test_stat"], "q");
    assert_eq!(report["notes"][0]["code"], "bound_of_statistic");
}

/// CLs+b in place of CLs: for one bin the limit solves a closed form.
#[test]
fn pain_25_only_cls_limits() {
    let limit = json_of(&["limit", COUNTING, "--criterion", "clsb"], 0);
    let mu = limit["observed_limit"].as_f64().expect("a limit");
    // CLs+b = Φ(−√q) = 0.05 where q = 2 D(53, 40 + 8 μ) = 1.6448536269514722².
    let nu: f64 = 40.0 + 8.0 * mu;
    let q = 2.0 * (nu - 53.0 + 53.0 * (53.0 / nu).ln());
    assert!((q.sqrt() - 1.6448536269514722).abs() < 1e-7, "{mu}: {q}");
    // Two standard deviations down, nothing is allowed: no number, and the reason.
    assert_eq!(limit["expected_limit"][0], Value::Null);
    assert_eq!(limit["expected_reasons"][0]["code"], "all_excluded");
}
