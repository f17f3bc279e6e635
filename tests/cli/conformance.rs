//! The conformance runner: all recorded cases pass, and one that should fail does.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_morphist"))
        .args(["conformance", "run", "--format", "json"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program starts")
}

fn summary(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("no summary: {e}; {stderr}"))
}

/// A folder of cases with one case in it, whose documents are texts.
fn folder(name: &str, case: Value) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let manifest = json!({"protocol": 1, "cases": 1, "files": [{"path": "one.json", "cases": 1}]});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a manifest");
    std::fs::write(folder.join("one.json"), json!([case]).to_string()).expect("a case");
    folder
}

/// The counting experiment of spec/likelihood.md, eq. 14, at mu = 1.625, where −2 ln L is 5.811313596736909.
fn counting(value: f64, tolerance: f64) -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/counting/workspace.json"));
    json!({
        "id": "one", "spec": "likelihood.md, eq. 14", "operation": "evaluate", "provenance": "closed form",
        "document": {"workspace": {"text": text.expect("the fixture")}},
        "input": {"parameters": {"mu": [1.625]}},
        "expect": {"twice_nll": value}, "tolerance": {"twice_nll": {"abs": tolerance}},
    })
}

#[test]
fn every_recorded_case_passes() {
    let output = run(&[]);
    let summary = summary(&output);
    let failed: Vec<&Value> =
        summary["results"].as_array().expect("results").iter().filter(|r| r["status"] != "passed").collect();
    assert!(failed.is_empty(), "{} failed: {:#?}", failed.len(), &failed[..failed.len().min(5)]);
    assert!(summary["passed"].as_u64() > Some(2900), "too few cases: {}", summary["passed"]);
    assert!(output.status.success());
}

#[test]
fn the_exact_value_passes_and_another_fails() {
    let good = folder("conformance_good", counting(5.811313596736909, 1e-12));
    assert!(run(&["--cases", good.to_str().expect("a path")]).status.success());
    let bad = folder("conformance_bad", counting(5.811313596737909, 1e-13));
    let output = run(&["--cases", bad.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(summary(&output)["failed"], 1);
}

#[test]
fn a_known_failure_is_counted_apart() {
    let bad = folder("conformance_known", counting(5.0, 0.0));
    let known = bad.join("known.json");
    std::fs::write(&known, json!({"o*": "for this test"}).to_string()).expect("a file");
    let output = run(&["--cases", bad.to_str().expect("a path"), "--known", known.to_str().expect("a path")]);
    let summary = summary(&output);
    assert_eq!((&summary["failed"], &summary["known"]), (&json!(0), &json!(1)));
    assert_eq!(summary["results"][0]["reason"], "for this test");
    assert!(output.status.success());
}

#[test]
#[cfg(unix)]
fn an_adapter_answers_by_lines() {
    let good = folder("conformance_adapter", counting(5.5, 0.0));
    let cases = good.to_str().expect("a path");
    let answer = |line: &str| run(&["--cases", cases, "--adapter", &format!("read request; echo '{line}'")]);
    assert!(answer(r#"{"id": "one", "result": {"twice_nll": 5.5}}"#).status.success());
    assert_eq!(answer(r#"{"id": "one", "result": {"twice_nll": 5.6}}"#).status.code(), Some(1));
    assert_eq!(answer(r#"{"id": "one", "error": {"class": "InvalidModel"}}"#).status.code(), Some(1));
    let unsupported = summary(&answer(r#"{"id": "one", "unsupported": "no"}"#));
    assert_eq!((&unsupported["failed"], &unsupported["unsupported"]), (&json!(0), &json!(1)));
    for wrong in [r#"{"id": "two", "result": {}}"#, "not JSON", ""] {
        let output = answer(wrong);
        assert_eq!(output.status.code(), Some(1));
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}
