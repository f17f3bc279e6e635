//! The commands of examples/unbinned/README.md in a copy of the folder, and its results against what the density in closed form
//! says.

use crate::common;

use common::program::{json_of, stderr};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/unbinned")
}

fn file(name: &str) -> String {
    folder().join(name).display().to_string()
}

#[test]
fn the_commands_of_the_readme_run() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example_unbinned");
    std::fs::create_dir_all(&copy).unwrap();
    for name in ["workspace.json", "independent.json", "observed.parquet", "reference.parquet", "independent.parquet"] {
        std::fs::copy(folder().join(name), copy.join(name)).unwrap();
    }
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("morphist ")).collect();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_morphist"))
            .args(&arguments)
            .current_dir(&copy)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
}

/// N(θ) is the polynomial of the means; the ratio closes within its statistical uncertainty, from both samples.
#[test]
fn the_ratio_closes() {
    let (own, other) = (file("workspace.json"), file("independent.json"));
    let at = ["--init", "c_even=0.5", "--init", "c_odd=0.5", "--format", "json"];
    let report = json_of(&[&["eft", "closure", &own, "--independent", &other][..], &at].concat(), 0);
    let closure = &report["terms"][0]["components"][0]["closure"];
    let number = |key: &str| closure[key].as_f64().unwrap();
    // 1 + c E[2A] + c² (E[A²] + E[B²]) at c = 0.5.
    let mean = 1.0 + 0.5 * 0.24 + 0.25 * (0.1008 + 0.108);
    assert!((number("events") - 1500.0 * mean).abs() < 1e-9 && (number("expected_mean") - mean).abs() < 1e-12);
    assert!((number("mean") - mean).abs() < 3.0 * number("variance").sqrt(), "{closure}");
    assert!((number("variance") / number("expected_variance") - 1.0).abs() < 0.2, "{closure}");
    let independent = &closure["independent"];
    assert!(independent["p_value"].as_f64().unwrap() > 0.01, "{closure}");
    assert!((independent["mean_inverse"].as_f64().unwrap() - 1.0).abs() < 0.02, "{closure}");
}

/// The fit finds the point of the events.
#[test]
fn the_fit_finds_the_truth() {
    let fit = json_of(&["fit", &file("workspace.json"), "--format", "json"], 0);
    assert_eq!(fit["valid"], true);
    let (at, error) = (&fit["mle_parameters"]["c_even"][0], &fit["uncertainties"]["c_even"][0]);
    assert!((at.as_f64().unwrap() - 0.25).abs() < 3.0 * error.as_f64().unwrap(), "{at} ± {error}");
    let scan =
        json_of(&["scan", &file("workspace.json"), "c_odd", "--adaptive", "--level", "0.95", "--format", "json"], 0);
    let interval = &scan["intervals"][0]["intervals"][0];
    let [low, high] = ["lower", "upper"].map(|end| interval[end]["value"].as_f64().unwrap());
    assert!(low < 0.3 && 0.3 < high, "{interval}");
}
