//! Maps of redist.

use super::*;
use morphist::import::redist_map;

#[test]
fn a_map_of_the_same_physics() {
    let Some(truth) = Truth::read() else { return };
    let rows = recorded_rows(&truth);
    // Two analysis bins, each fed by its own kinematic bin and a little by a third one without new physics.
    let redist = json!({
        "name": "custom", "bins": [[0, 1, 2, 3]], "map": [[100, 0, 7], [0, 40, 3]],
        "new_pars": {"ca": {"inits": [0.0], "bounds": [[-3, 3]], "paramset_type": "unconstrained"},
            "cb": {"inits": [0.0], "bounds": [[-3, 3]], "paramset_type": "unconstrained"}},
        "spec": {"channels": [{"name": "ch", "samples": [{"name": "sig", "data": [107, 43],
            "modifiers": [{"name": "x", "type": "custom", "data": null}]}]}]},
        "weight_bound": 5,
    });
    let ratio = |k: usize| json!([rows[0][k] / rows[0][0], rows[1][k] / rows[1][0], if k == 0 { 1.0 } else { 0.0 }]);
    let weights = json!({"monomials": [[], ["ca"], ["ca", "ca"], ["cb"], ["cb", "ca"], ["cb", "cb"]],
        "weights": (0..6).map(ratio).collect::<Vec<_>>()});
    let import = redist_map::read("redist.json", bytes(&redist), bytes(&weights), &ImportOptions::default()).unwrap();
    assert!(import.warnings.0.iter().any(|f| f.pointer.as_deref() == Some("/weight_bound")), "{}", import.warnings);
    let shifted = Truth { yields: truth.yields.iter().map(|y| vec![y[0] + 7.0, y[1] + 3.0]).collect(), ..truth };
    shifted.holds_for(&import, &shifted.nominal(), "redist");
}

#[test]
fn hostile_files_are_named_errors() {
    let redist = |map: Value, data: Value, weights: Value| {
        let file = json!({"name": "w", "map": map, "spec": {"channels": [{"name": "c", "samples": [{"name": "s", "data": data, "modifiers": [{"type": "w"}]}]}]}});
        error(redist_map::read("r", bytes(&file), bytes(&weights), &options()))
    };
    let weights = json!({"monomials": [[], ["a"]], "weights": [[1, 1], [0.5, 0.5]]});
    redist(json!([[1, 2]]), json!([4]), weights.clone());
    redist(json!([[1, 2], [1]]), json!([3, 1]), weights.clone());
    redist(json!([[1, 2, 3]]), json!([6]), weights.clone());
    redist(json!([[[[[[[[[[[1]]]]]]]]]]]), json!([1]), weights.clone());
    redist(json!([[1, 2]]), json!([3]), json!({"monomials": [[]], "weights": []}));
}
