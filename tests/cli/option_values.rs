//! Values of options that make no sense: each is refused by its option, with a sentence that says what was expected.

use crate::common;

use common::program::{morphist, scratch, stderr};
use serde_json::{Value, json};

const COUNTING: &str = "fixtures/counting/workspace.json";
const EFT: &str = "fixtures/eft_absolute/workspace.json";

/// `-1` is the value of the option before it, not an option that does not exist.
#[test]
fn negative_values_are_judged_by_their_options() {
    for (arguments, expected) in [
        (&["eft", "rescale", EFT, "--sample", "s", "--factor", "-1"][..], "expected a positive number"),
        (&["fit", EFT, "--truncation", "-1"], "an order in 1/Λ², 0 or above"),
        (&["fit", COUNTING, "--max-depth", "-1"], "expected a whole number"),
        (&["fit", COUNTING, "--max-size", "-1"], "expected a number of bytes"),
        (&["fit", COUNTING, "--blind-poi", "w", "--blind-width", "-1"], "expected a positive number"),
        (&["fit", COUNTING, "--init", "-1"], "expected NAME=VALUE"),
        (&["limit", COUNTING, "--cl", "-1"], "expected a number between 0 and 1"),
        (&["toys", COUNTING, "--ntoys", "-1"], "expected a whole number, 1 or above"),
        (&["toys", COUNTING, "--seed", "-1"], "expected a whole number, 0 or above"),
        (&["gof", COUNTING, "--ntoys", "-1"], "expected a whole number, 1 or above"),
        (&["ranking", COUNTING, "--max-pars", "-1"], "expected a whole number"),
        (&["scan", COUNTING, "mu", "--n-steps", "-1"], "-1 is not in 1..=65535"),
        (&["scan", COUNTING, "mu", "--level", "-1"], "expected a probability"),
        (&["scan", COUNTING, "mu", "--dof", "-1"], "-1 is not in 1..=2"),
        (&["scan", COUNTING, "mu", "--toys", "-1"], "expected a whole number, 1 or above"),
        (&["minos", COUNTING, "--level", "-1"], "expected a probability"),
        (&["eft", "responses", EFT, "--n-steps", "-1"], "-1 is not in 2..=65535"),
        (&["eft", "compare", EFT, "--level", "-1"], "expected a probability"),
        (&["eft", "validity", EFT, "c", "--level", "-1"], "expected a probability"),
        (
            &["eft", "import", "f", "--from", "text", "--basis", "a/b", "--input-scheme", "c", "--lambda-tev", "-1"],
            "expected a positive number",
        ),
    ] {
        let output = morphist(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected) && !message.contains("unexpected argument"), "{arguments:?}: {message}");
    }
    // Where a negative number makes sense it is taken.
    let arguments = ["hypotest", COUNTING, "--test-poi", "-1", "--test-stat", "t", "--poi-bounds", "-2,9"];
    let output = morphist(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// A factor that takes yields beyond binary64, or below where it has digits, is told with the number.
#[test]
fn factors_beyond_binary64_are_refused() {
    let document = json!({
        "channels": [{"name": "c", "samples": [{"name": "s", "data": [48.0, 0.0], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null}]}]}],
        "observations": [{"name": "c", "data": [50.0, 1.0]}],
        "measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}],
        "version": "1.0.0",
    });
    let file = scratch("rescale_range.json", &document.to_string());
    let rescale =
        |factor: &str| morphist(&["eft", "rescale", file.to_str().unwrap(), "--sample", "s", "--factor", factor]);
    for factor in ["1e308", "1e-320"] {
        let output = rescale(factor);
        assert_eq!(output.status.code(), Some(1), "{factor}: {}", stderr(&output));
        let message = stderr(&output);
        assert!(message.contains("48.0 times") && message.contains("binary64"), "{message}");
        assert!(output.stdout.is_empty(), "nothing half-done is written");
    }
    let output = rescale("0.5");
    let written: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(written["channels"][0]["samples"][0]["data"], json!([24.0, 0.0]));
}
