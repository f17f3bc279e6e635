//! Histograms with negative contents as densities: told, and evaluated as they stand. Numbers are closed forms; for events in
//! bins that are not negative ROOT 6.40.00 has the same (RooHistPdf of contents 3, −1, 5, 2: −ln L = 3.190476350346503 for one
//! event in each of the others).

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use serde_json::{Value, json};

/// Contents 3, −1, 5, 2 in bins of width 1, beside a uniform density with the part `flat`; events at the centres of bins.
fn document(name: &str, flat: Option<f64>, bins: &[usize]) -> String {
    let entries: Vec<Value> = bins.iter().map(|bin| json!([*bin as f64 + 0.5])).collect();
    let mut distributions = json!([{"name": "h", "type": "histogram_dist",
        "data": {"axes": [{"name": "x", "min": 0, "max": 4, "nbins": 4}], "contents": [3, -1, 5, 2]}}]);
    if flat.is_some() {
        let all = distributions.as_array_mut().unwrap();
        all.push(json!({"name": "u", "type": "uniform_dist", "x": "x"}));
        all.push(json!({"name": "p", "type": "mixture_dist", "summands": ["u", "h"], "coefficients": ["f"],
            "extended": false}));
    }
    let used = if flat.is_some() { "p" } else { "h" };
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 4}], "entries": entries}],
        "likelihoods": [{"name": "L", "distributions": [used], "data": ["d"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [{"name": "f", "min": 0, "max": 1}]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "f", "value": flat.unwrap_or(0.5)}]}],
    });
    scratch(name, &serde_json::to_string_pretty(&value).unwrap()).display().to_string()
}

fn close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} instead of {expected}"));
    assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
}

#[test]
fn negative_bins_are_told_by_place() {
    for flat in [None, Some(0.5)] {
        let file = document("negative_told.json", flat, &[0, 2, 3]);
        for command in ["evaluate", "validate", "fit"] {
            let told = stderr(&morphist(&[command, &file])) + &common::program::stdout(&morphist(&[command, &file]));
            let told = told.replace("\\\"", "\"");
            assert!(told.contains("W429") && told.contains("-1 in bin 1"), "{command}: {told}");
            assert!(told.contains("/distributions/0/data/contents"), "{command}: {told}");
            assert_eq!(stderr(&morphist(&["evaluate", &file])).matches("W429").count(), 1);
        }
    }
}

#[test]
fn they_are_evaluated_as_they_stand() {
    // The sum of the contents is 9.
    let expected = -2.0 * ((3.0f64 / 9.0).ln() + (5.0f64 / 9.0).ln() + (2.0f64 / 9.0).ln());
    let report = json_of(&["evaluate", &document("negative_good.json", None, &[0, 2, 3])], 0);
    close(&report["twice_nll"], expected);
    assert!((expected - 2.0 * 3.190476350346503).abs() < 1e-12);
    let report = json_of(&["evaluate", &document("negative_event.json", None, &[0, 1])], 0);
    assert!(report["twice_nll"].is_null() && report["reason"]["code"] == "out_of_domain", "{report}");
    // Half uniform: a density that is negative is none in a mixture either; in other bins it is 1/8 and half of the rest.
    let report = json_of(&["evaluate", &document("negative_mixed.json", Some(0.5), &[0, 1])], 0);
    assert!(report["twice_nll"].is_null() && report["reason"]["code"] == "out_of_domain", "{report}");
    let expected = -2.0 * ((0.125f64 + 3.0 / 18.0).ln() + (0.125f64 + 5.0 / 18.0).ln());
    close(&json_of(&["evaluate", &document("negative_others.json", Some(0.5), &[0, 2])], 0)["twice_nll"], expected);
}
