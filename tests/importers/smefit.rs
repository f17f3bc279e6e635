//! Theory tables of SMEFiT.

use super::*;
use morphist::import::smefit_theory;

#[test]
fn smefit_theory_tables() {
    let Some(truth) = Truth::read() else { return };
    let table = bytes(&truth.vectors["smefit_theory"]);
    for order in [None, Some("LO")] {
        let import = smefit_theory::read("theory.json", table.clone(), order, &options()).unwrap();
        assert!(import.warnings.0.is_empty(), "{}", import.warnings);
        truth.holds_for(&import, &truth.nominal(), "SMEFiT");
    }
}

#[test]
fn hostile_files_are_named_errors() {
    let theory = |value: Value, order| error(smefit_theory::read("t", bytes(&value), order, &options()));
    theory(json!({"best_sm": [1], "LO": {"a": [1, 2]}}), None);
    theory(json!({"best_sm": [1], "LO": {"a*": [1]}}), None);
    theory(json!({"best_sm": [1], "LO": {"a*b": [1], "b*a": [1]}}), None);
    assert_eq!(theory(json!({"best_sm": [1], "LO": {"a": [1]}, "NLO": {"a": [1]}}), None).0[0].rule, "W292");
    theory(json!({"best_sm": [1], "LO": {"a": [1]}}), Some("NLO"));
    theory(json!({"best_sm": []}), None);
}
