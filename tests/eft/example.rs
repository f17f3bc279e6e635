//! The commands of examples/wh/README.md, and its numbers against those that examples/wh/check.py computes with numpy and
//! scipy from the same events.

use crate::common;

use common::program::{json_of, morphist, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wh")
}

fn file(name: &str) -> String {
    folder().join(name).to_str().unwrap().to_owned()
}

fn expected() -> Value {
    common::read_json(&folder().join("expected.json"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn settings(point: &Value) -> Vec<String> {
    let c = numbers(&point["coefficients"]);
    let of_coefficients = [format!("cHW={:?}", c[0]), format!("cHWtil={:?}", c[1])];
    let nuisances = point["nuisances"].as_object().unwrap().iter();
    of_coefficients.into_iter().chain(nuisances.map(|(name, x)| format!("{name}={x}"))).collect()
}

/// The interval of 95 % of a scan, the only one.
fn interval(document: &str, parameter: &str) -> [f64; 2] {
    let scan = json_of(&["scan", &file(document), parameter, "--adaptive", "--level", "0.95", "--format", "json"], 0);
    let intervals = scan["intervals"][0]["intervals"].as_array().unwrap();
    assert_eq!(intervals.len(), 1, "{intervals:?}");
    ["lower", "upper"].map(|end| intervals[0][end]["value"].as_f64().unwrap())
}

#[test]
fn yields_and_likelihoods_are_those_of_numpy() {
    for name in ["pt", "pt_angle"] {
        let document = format!("{name}.json");
        let best = json_of(&["fit", &file(&document), "--format", "json"], 0);
        let minimum = best["twice_nll"].as_f64().unwrap();
        for point in expected()[name]["points"].as_array().unwrap() {
            let settings = settings(point);
            let arguments = |command: &'static str| -> Vec<String> {
                let start = [command.to_owned(), file(&document), "--format".to_owned(), "json".to_owned()];
                start.into_iter().chain(settings.iter().flat_map(|s| ["--init".to_owned(), s.clone()])).collect()
            };
            let run = |arguments: Vec<String>| json_of(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 0);
            let twice_nll = run(arguments("evaluate"))["twice_nll"].as_f64().unwrap();
            // Both minima are found to about 1e-9.
            let want = point["above_minimum"].as_f64().unwrap();
            assert!((twice_nll - minimum - want).abs() < 1e-7 * want.max(1.0), "{}: {want}", twice_nll - minimum);
        }
        // At nominal nuisance parameters the signal is the histogram alone.
        for point in expected()[name]["points"].as_array().unwrap() {
            let c = numbers(&point["coefficients"]);
            let (even, odd) = (format!("cHW={:?}", c[0]), format!("cHWtil={:?}", c[1]));
            let report = json_of(&["yields", &file(&document), "--init", &even, "--init", &odd, "--format", "json"], 0);
            let samples = report["channels"][0]["samples"].as_array().unwrap();
            let signal = numbers(&samples.iter().find(|s| s["name"] == "WH").unwrap()["yields"]);
            for (got, want) in signal.iter().zip(numbers(&point["signal"])) {
                assert!((got - want).abs() < 1e-12 * want, "{got} and {want}");
            }
        }
    }
}

#[test]
fn intervals_are_those_of_scipy() {
    for name in ["pt", "pt_angle"] {
        for parameter in ["cHW", "cHWtil"] {
            let want = numbers(&expected()[name]["intervals_95"][parameter]);
            let got = interval(&format!("{name}.json"), parameter);
            for (got, want) in got.iter().zip(want) {
                assert!((got - want).abs() < 1e-5, "{name} {parameter}: {got} and {want}");
            }
        }
    }
}

/// The angle is what makes the CP-odd coefficient linear: the interval shrinks to less than a third.
#[test]
fn the_angle_shortens_the_interval_of_the_odd_coefficient() {
    let width = |[low, high]: [f64; 2]| high - low;
    assert!(width(interval("pt_angle.json", "cHWtil")) < width(interval("pt.json", "cHWtil")) / 3.0);
}

/// Every command of the README does what it says: run in a copy of the folder.
#[test]
fn the_commands_of_the_readme_run() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example_wh");
    std::fs::create_dir_all(copy.join("figures")).unwrap();
    for name in ["events.parquet", "pt.json", "pt_angle.json"] {
        std::fs::copy(folder().join(name), copy.join(name)).unwrap();
    }
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("morphist ")).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let (command, to) = command.split_once(" > ").map_or((command, None), |(c, to)| (c, Some(to.trim())));
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_morphist"))
            .args(&arguments)
            .current_dir(&copy)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        if let Some(to) = to {
            std::fs::write(copy.join(to), &output.stdout).unwrap();
        }
    }
    for entry in std::fs::read_dir(folder().join("figures")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(copy.join("figures").join(&name).exists(), "{name:?} is not made by the commands");
    }
}

/// The document is found valid, and without its events it is refused by name.
#[test]
fn the_documents_are_valid() {
    for name in ["pt.json", "pt_angle.json"] {
        let output = morphist(&["validate", &file(name)]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
}

/// The effective numbers of events are (Σ w)²/Σ w² of numpy's sums, and no weight of a squared amplitude is negative.
#[test]
fn effective_events_are_those_of_numpy() {
    for name in ["pt", "pt_angle"] {
        let report = json_of(&["eft", "inspect", &file(&format!("{name}.json")), "--format", "json"], 0);
        let expected = expected();
        let point = &expected[name]["points"][0];
        assert_eq!(numbers(&point["coefficients"]), [0.0, 0.0]);
        let got = numbers(&report["events"][0]["points"][0]["effective_events"]);
        let pairs = numbers(&point["signal"]).into_iter().zip(numbers(&point["variance"]));
        for (got, (signal, variance)) in got.iter().zip(pairs) {
            let want = signal * signal / variance;
            assert!((got - want).abs() < 1e-11 * want, "{got} and {want}");
        }
        assert!(report["events"][0]["least_weight"]["value"].as_f64().unwrap() > -1e-9);
        let lost = numbers(&report["events"][0]["information"]["lost"]);
        assert!(lost.iter().all(|x| *x >= -1e-12), "{lost:?}");
    }
}

/// A sample agrees with itself: every difference is zero.
#[test]
fn a_sample_closes_with_itself() {
    let document = file("pt_angle.json");
    let report = json_of(&["eft", "inspect", &document, "--independent", &document, "--format", "json"], 0);
    for point in report["events"][0]["points"].as_array().unwrap() {
        assert_eq!((point["closure"]["chi2"].as_f64(), point["closure"]["p_value"].as_f64()), (Some(0.0), Some(1.0)));
        assert_eq!(point["closure"]["n_bins"], 20);
    }
    assert_eq!(report["events"][0]["empty_share"], 0.0);
}
