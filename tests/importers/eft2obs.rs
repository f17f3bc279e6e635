//! Scalings of EFT2Obs.

use super::*;
use morphist::import::eft2obs;

#[test]
fn eft2obs_terms_and_the_older_bins() {
    let Some(truth) = Truth::read() else { return };
    let recorded = &truth.vectors["eft2obs"];
    let import = eft2obs::read("scaling.json", bytes(recorded), &options()).unwrap();
    assert!(polynomial(&import.responses[0]).mc_stat.is_none());
    assert!(import.warnings.0.iter().all(|f| f.rule == "W293" && f.line.is_some()), "{}", import.warnings);
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs");
    let relative = ImportOptions { relative: true, ..options() };
    let import = eft2obs::read("scaling.json", bytes(recorded), &relative).unwrap();
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs, relative");
    let term = |term: &Value, bin: usize| {
        let names = term[0].as_array().unwrap().iter().cloned();
        Value::Array([term[1][bin].clone(), term[2][bin].clone()].into_iter().chain(names).collect())
    };
    let bin = |bin: usize| recorded["terms"].as_array().unwrap().iter().map(|t| term(t, bin)).collect::<Vec<_>>();
    let older =
        json!({"bins": [bin(0), bin(1)], "nbins": 2, "areas": recorded["sm_vals"], "edges": [], "bin_labels": []});
    let import = eft2obs::read("older.json", bytes(&older), &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs, older layout");
}

#[test]
fn uncertainties_of_terms() {
    let scaling = json!({"terms": [[["1"], [1, 1], [0, 0]], [["a"], [0.5, -1], [0.1, 0.2]], [["a", "a"], [2, 3], [0, 0.5]]],
        "nbins": 2, "sm_vals": [10, 0], "bin_edges": [], "bin_labels": []});
    let import = eft2obs::read("e.json", bytes(&scaling), &options()).unwrap();
    let stat = serde_json::to_value(&polynomial(&import.responses[0]).mc_stat).unwrap();
    assert_eq!(stat, json!({"kind": "coefficient_errors", "sigmas": [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]}));
    assert!(import.warnings.0.iter().any(|f| f.found.contains("bin 1")), "{}", import.warnings);
}

#[test]
fn hostile_files_are_named_errors() {
    let e2o =
        |value: Value| error(eft2obs::read("e", bytes(&value), &options())).0[0].pointer.clone().unwrap_or_default();
    let base = |terms: Value, n: Value, sm: Value| json!({"terms": terms, "nbins": n, "sm_vals": sm});
    assert_eq!(e2o(base(json!([]), json!(1e18), json!([1]))), "/nbins");
    assert_eq!(e2o(base(json!([]), json!(1_000_000_000_000u64), json!([1]))), "/sm_vals");
    assert_eq!(e2o(base(json!([]), json!(-1), json!([1]))), "/nbins");
    assert_eq!(e2o(base(json!([[["a"], [1]]]), json!(1), json!([1]))), "/terms/0");
    assert_eq!(e2o(base(json!([[["a"], [1, 2], [0, 0]]]), json!(1), json!([1]))), "/terms/0/1");
    assert_eq!(e2o(base(json!([[["a"], [1], [-1]]]), json!(1), json!([1]))), "/terms/0");
    assert_eq!(e2o(base(json!([[["a", "b"], [1], [0]], [["b", "a"], [1], [0]]]), json!(1), json!([1]))), "/terms/1");
    assert_eq!(e2o(base(json!([[["1"], [2], [0]]]), json!(1), json!([1]))), "/terms/0");
    let missing =
        eft2obs::read("e", bytes(&base(json!([[["a"], [1], [0]]]), json!(1), json!([1]))), &ImportOptions::default());
    let missing = error(missing);
    assert_eq!((missing.0[0].rule, missing.0[0].found.as_str()), ("W292", "no bounds of \"a\""));
}
