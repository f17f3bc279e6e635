//! Commands beside unbinned terms: sensitivity, remarks on ratios that do not close, tables from CSV and npz, messages.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use common::read_json;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// r = (1 + a A(x))² with A = x − 0.3 on a grid; 400 events without a.
const N: usize = 40;
const EVENTS: f64 = 400.0;

fn grid() -> Vec<f64> {
    (0..N).map(|i| (i as f64 + 0.5) / N as f64).collect()
}

fn columns(points: &[f64]) -> Value {
    let of = |f: &dyn Fn(f64) -> f64| points.iter().map(|x| f(*x)).collect::<Vec<f64>>();
    json!({"columns": {"lin": of(&|x| 2.0 * (x - 0.3)), "aa": of(&|x| (x - 0.3).powi(2))}})
}

fn document() -> Value {
    let ratio = json!({"kind": "polynomial", "constant": 1.0, "monomials": [["a"], ["a", "a"]], "columns": ["lin", "aa"],
        "truncation": "none"});
    json!({
        "channels": [], "observations": [], "version": "1.0.0",
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "a", "bounds": [-2, 2]}],
            "unbinned_terms": [{"name": "term", "events": columns(&grid()), "reference": {"events": columns(&grid())},
                "components": [{"name": "signal", "yields": {"kind": "reference", "events": EVENTS}, "ratio": ratio,
                    "ratio_of": "yields"}]}],
        }
    })
}

fn write(name: &str, document: &Value) -> String {
    scratch(name, &document.to_string()).display().to_string()
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} and {want}");
}

/// Each reference event is a bin with s = 400/40 at the start: o = 2 s δ A and e = s δ² A² (inference.md, eq. 53).
#[test]
fn sensitivity_counts_reference_events_as_bins() {
    let path = write("unbinned_sensitivity.json", &document());
    let report = json_of(&["scan", &path, "a", "--format", "json"], 0);
    let number = |key: &str| report["sensitivity"][key].as_f64().unwrap();
    let (s, distance) = (EVENTS / N as f64, number("distance"));
    let sum = |n: i32| s * grid().iter().map(|x| (x - 0.3).powi(n)).sum::<f64>();
    close(number("linear"), 2.0 * distance * sum(2).sqrt(), 1e-9, "linear");
    close(number("quadratic"), distance.powi(2) * sum(4).sqrt(), 1e-9, "quadratic");
    // Without reference events it is not known, and said to be so.
    let mut without = document();
    let term = &mut without["eft"]["unbinned_terms"][0];
    term.as_object_mut().unwrap().remove("reference");
    term["components"][0]["yields"] = json!({"kind": "polynomial", "monomials": [[], ["a"], ["a", "a"]],
        "coefficients": [400.0, 160.0, 50.0], "truncation": "none"});
    let path = write("unbinned_sensitivity_without.json", &without);
    let report = json_of(&["scan", &path, "a", "--format", "json"], 0);
    assert!(report["sensitivity"].is_null());
    let notes = report["notes"].as_array().unwrap();
    assert!(
        notes.iter().any(|n| n["message"].as_str().unwrap().contains("the unbinned term term has no reference")),
        "{notes:?}"
    );
}

/// Declared yields that are not what the reference events stand for: information is still the expected one, and a remark
/// says what does not fit.
#[test]
fn ratios_that_do_not_close_are_told() {
    let mut open = document();
    let yields = json!({"kind": "polynomial", "monomials": [[]], "coefficients": [300.0], "truncation": "none"});
    open["eft"]["unbinned_terms"][0]["components"][0]["yields"] = yields;
    open["measurements"][0]["config"]["parameters"] = json!([{"name": "a", "inits": [0.4]}]);
    let path = write("unbinned_open.json", &open);
    // At zero both are 300; at the best fit r has another mean, and N is still 300.
    let closed = json_of(&["eft", "directions", &path, "--format", "json"], 0);
    assert_eq!(closed["notes"], json!([]));
    let report = json_of(&["eft", "directions", &path, "--at", "best-fit", "--format", "json"], 0);
    let a = report["point"]["a"].as_f64().unwrap();
    let r = |x: f64| (1.0 + a * (x - 0.3)).powi(2);
    let mean = grid().iter().map(|x| r(*x)).sum::<f64>() / N as f64;
    let variance = grid().iter().map(|x| (r(*x) - mean).powi(2)).sum::<f64>() / N as f64;
    let apart = 300.0 * (mean - 1.0).abs() / (300.0 * (variance / N as f64).sqrt());
    assert_eq!(!report["notes"].as_array().unwrap().is_empty(), apart > 3.0, "{apart}: {report}");
    // Σ s (∂ ln r)² with s = 300 r/40.
    let want: f64 =
        grid().iter().map(|x| 300.0 / N as f64 * r(*x) * (2.0 * (x - 0.3) / (1.0 + a * (x - 0.3))).powi(2)).sum();
    close(report["information"][0][0].as_f64().unwrap(), want, 1e-9 * want, "information");
    let mut worse = open.clone();
    worse["eft"]["unbinned_terms"][0]["components"][0]["ratio"]["constant"] = json!(1.2);
    let path = write("unbinned_worse.json", &worse);
    let report = json_of(&["eft", "directions", &path, "--format", "json"], 0);
    assert_eq!(report["notes"][0]["code"], "not_closed", "{report}");
    assert!(report["notes"][0]["message"].as_str().unwrap().contains("300 events at the point"), "{report}");
}

/// Relations give the coefficients: closure at a point is that of the document without them at what they give there.
#[test]
fn closure_follows_relations() {
    let plain = read_json(Path::new("fixtures/eft_unbinned_forms/workspace.json"));
    let mut given = plain.clone();
    given["eft"]["parameter_transform"] = json!([{
        "parameters": [{"name": "g", "bounds": [-2.0, 2.0], "init": 0.5}, {"name": "M", "bounds": [0.5, 10.0], "init": 1.0}],
        "relations": [
            {"coefficient": "c1", "terms": [{"factor": -0.5, "powers": {"g": 2, "M": -2}}]},
            {"coefficient": "c2", "terms": [{"factor": 0.25, "powers": {"g": 1, "M": -1}}, {"factor": 0.1}]}]}]);
    given["measurements"][0]["config"]["poi"] = json!("g");
    let run = |name: &str, document: &Value, at: [&str; 2]| {
        let path = write(name, document);
        json_of(
            &["eft", "closure", &path, "--init", at[0], "--init", at[1], "--init", "tilt=0.3", "--format", "json"],
            0,
        )
    };
    // g = 0.8, M = 1.6: c1 = −0.125, c2 = 0.225.
    let want = run("closure_plain.json", &plain, ["c1=-0.125", "c2=0.225"]);
    let got = run("closure_given.json", &given, ["g=0.8", "M=1.6"]);
    let mut compared = 0;
    for (got, want) in got["terms"].as_array().unwrap().iter().zip(want["terms"].as_array().unwrap()) {
        for (got, want) in got["components"].as_array().unwrap().iter().zip(want["components"].as_array().unwrap()) {
            for key in ["events", "mean", "expected_mean", "variance", "expected_variance"] {
                let (got, want) = (got["closure"][key].as_f64().unwrap(), want["closure"][key].as_f64().unwrap());
                close(got, want, 1e-12 * want.abs().max(1.0), key);
                compared += 1;
            }
        }
        let numbers = |value: &Value| -> Vec<f64> {
            serde_json::from_value(value["replicas"]["each"].clone()).unwrap_or_default()
        };
        for (got, want) in numbers(got).into_iter().zip(numbers(want)) {
            close(got, want, 1e-10, "q of a replica");
            compared += 1;
        }
    }
    assert_eq!(compared, 9 * 5 + 2 + 4 + 4);
}

#[test]
fn what_cannot_be_done_says_why() {
    let path = write("unbinned_messages.json", &document());
    for (arguments, told) in [
        (vec!["gof", &path], "no saturated model"),
        (vec!["asimov", &path], "weights on the reference events"),
        (vec!["eft", "score", &path, "--output-database", "none.parquet"], "declares no event database"),
    ] {
        let output = morphist(&arguments);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// CSV → Parquet → a term: the likelihood of the document that holds the columns itself, to the last bit.
#[test]
fn tables_come_from_csv() {
    let folder = folder("unbinned_table");
    let place = |name: &str| folder.join(name).display().to_string();
    let own = document();
    let table = &own["eft"]["unbinned_terms"][0]["events"]["columns"];
    let column = |name: &str| -> Vec<f64> { serde_json::from_value(table[name].clone()).unwrap() };
    let lines = column("lin").into_iter().zip(column("aa")).map(|(a, b)| format!("{a:?},{b:?}"));
    let text = std::iter::once("lin,aa".to_owned()).chain(lines).collect::<Vec<_>>().join("\n");
    std::fs::write(place("events.csv"), text).unwrap();
    let output = morphist(&[
        "eft",
        "table",
        &place("events.csv"),
        "--output-table",
        &place("events.parquet"),
        "--output-file",
        &place("table.json"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let declared = read_json(Path::new(&place("table.json")));
    assert_eq!((&declared["uri"], &declared["n_rows"]), (&json!("events.parquet"), &json!(N)));
    // What is a table already is described alike.
    let again = morphist(&["eft", "table", &place("events.parquet"), "--output-file", &place("again.json")]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(read_json(Path::new(&place("again.json"))), declared);
    let mut with_files = own.clone();
    with_files["eft"]["unbinned_terms"][0]["events"] = declared.clone();
    with_files["eft"]["unbinned_terms"][0]["reference"]["events"] = declared;
    std::fs::write(place("files.json"), with_files.to_string()).unwrap();
    std::fs::write(place("own.json"), own.to_string()).unwrap();
    let value = |name: &str| {
        json_of(&["evaluate", &place(name), "--init", "a=0.3", "--format", "json"], 0)["twice_nll"].clone()
    };
    assert_eq!(value("files.json"), value("own.json"));
    for (name, content, told) in [
        ("wrong.csv", "a,b\n1\n", "1 cells in line 2"),
        ("text.csv", "a\nx\n", "\"x\" in line 2, column \"a\""),
        ("none.npz", "PK", "npz"),
    ] {
        std::fs::write(place(name), content).unwrap();
        let target = [place("wrong.parquet"), place("wrong.json")];
        let output =
            morphist(&["eft", "table", &place(name), "--output-table", &target[0], "--output-file", &target[1]]);
        assert_ne!(output.status.code(), Some(0), "{name}");
        assert!(stderr(&output).contains(told), "{name}: {}", stderr(&output));
        assert!(!folder.join("wrong.parquet").exists());
    }
    let output = morphist(&["eft", "table", &place("events.csv")]);
    assert!(stderr(&output).contains("--output-table"), "{}", stderr(&output));
}
