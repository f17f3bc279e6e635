//! Each rule for workspaces: a sound document breaks none, and one change breaks exactly the rule in question.

use crate::common;

use morphist::document::{Document, Limits};
use morphist::finding::{Findings, Severity};
use morphist::rule;
use morphist::translate::from_pyhf::Compat;
use morphist::workspace::{Measurements, Scope, load, validate};
use serde_json::{Value, json};
use std::path::Path;

/// Two channels and all seven modifier types; nothing is wrong with it.
fn sound() -> Value {
    json!({
        "channels": [
            {"name": "SR", "samples": [
                {"name": "signal", "data": [5.0, 10.0], "modifiers": [
                    {"name": "mu", "type": "normfactor", "data": null},
                    {"name": "lumi", "type": "lumi", "data": null},
                    {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
                    {"name": "jes", "type": "histosys", "data": {"lo_data": [-1.0, 9.0], "hi_data": [6.0, 11.0]}}
                ]},
                {"name": "background", "data": [50.0, 60.5], "modifiers": [
                    {"name": "stat_SR", "type": "staterror", "data": [1.0, 0.0]},
                    {"name": "free", "type": "shapefactor", "data": null}
                ]}
            ]},
            {"name": "CR", "samples": [
                {"name": "background", "data": [500.0, 0.0], "modifiers": [
                    {"name": "bins", "type": "shapesys", "data": [5.0, 0.0]},
                    {"name": "free", "type": "shapefactor", "data": null}
                ]}
            ]}
        ],
        "observations": [{"name": "CR", "data": [500, 3]}, {"name": "SR", "data": [55, 70.5]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [
            {"name": "lumi", "inits": [1.0], "bounds": [[0.5, 1.5]], "auxdata": [1.0], "sigmas": [0.02]},
            {"name": "stat_SR", "sigmas": [0.1, 0.2]},
            {"name": "bins", "factors": [100.0, 1.0], "auxdata": [100.0, 0.0]},
            {"name": "mu", "inits": [2.0], "bounds": [[-10, 10]], "fixed": true}
        ]}}],
        "version": "1.0.0"
    })
}

fn check(value: &Value, scope: &Scope) -> Findings {
    let text = serde_json::to_vec_pretty(value).unwrap();
    validate(&Document::from_slice("test", text, &Limits::default()).unwrap(), None, scope).1
}

fn with(pointer: &str, new: Value) -> Value {
    let mut value = sound();
    *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = new;
    value
}

fn pushed(pointer: &str, new: Value) -> Value {
    let mut value = sound();
    value.pointer_mut(pointer).unwrap().as_array_mut().unwrap().push(new);
    value
}

fn without(pointer: &str, key: &str) -> Value {
    let mut value = sound();
    value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    value
}

const SIGNAL: &str = "/channels/0/samples/0/modifiers";
const BACKGROUND: &str = "/channels/0/samples/1/modifiers";
const CONTROL: &str = "/channels/1/samples/0/modifiers";
const PARAMETERS: &str = "/measurements/0/config/parameters";

fn parameter(index: usize, key: &str, new: Value) -> Value {
    let mut value = sound();
    value.pointer_mut(&format!("{PARAMETERS}/{index}")).unwrap()[key] = new;
    value
}

/// Rule, where, and the document.
fn broken() -> Vec<(&'static str, String, Value)> {
    let case = |rule: &'static str, pointer: &str, value: Value| (rule, pointer.to_string(), value);
    let no_modifiers = {
        let mut value = sound();
        for pointer in [SIGNAL, BACKGROUND, CONTROL] {
            *value.pointer_mut(pointer).unwrap() = json!([]);
        }
        value["measurements"][0]["config"] = json!({"poi": "", "parameters": []});
        value
    };
    let observation = json!({"name": "SR", "data": [55, 70]});
    let longer_shapefactor = {
        let mut value = sound();
        value["channels"][0]["samples"][0]["data"] = json!([5.0, 10.0, 1.0]);
        value["channels"][0]["samples"][1]["data"] = json!([5.0, 10.0, 1.0]);
        value["channels"][0]["samples"][0]["modifiers"] = json!([{"name": "mu", "type": "normfactor", "data": null}]);
        value["channels"][0]["samples"][1]["modifiers"] =
            json!([{"name": "free", "type": "shapefactor", "data": null}]);
        value["observations"][1]["data"] = json!([1, 2, 3]);
        value["measurements"][0]["config"]["parameters"] = json!([]);
        value
    };
    vec![
        case(
            "W101",
            "/channels/2/name",
            pushed(
                "/channels",
                json!({"name": "SR", "samples": [
            {"name": "other", "data": [1.0, 2.0], "modifiers": []}]}),
            ),
        ),
        case(
            "W102",
            "/channels/0/samples/2/name",
            pushed("/channels/0/samples", json!({"name": "signal", "data": [1.0, 2.0], "modifiers": []})),
        ),
        case(
            "W103",
            "/channels/0/samples/2/data",
            pushed("/channels/0/samples", json!({"name": "other", "data": [1.0], "modifiers": []})),
        ),
        case("W104", &format!("{SIGNAL}/4"), pushed(SIGNAL, json!({"name": "mu", "type": "normfactor", "data": null}))),
        case("W105", &format!("{SIGNAL}/3/data/lo_data"), with(&format!("{SIGNAL}/3/data/lo_data"), json!([1.0]))),
        case(
            "W105",
            &format!("{SIGNAL}/3/data/hi_data"),
            with(&format!("{SIGNAL}/3/data/hi_data"), json!([1.0, 1, 1])),
        ),
        case("W105", &format!("{BACKGROUND}/0/data"), with(&format!("{BACKGROUND}/0/data"), json!([1.0]))),
        case("W105", &format!("{CONTROL}/0/data"), with(&format!("{CONTROL}/0/data"), json!([1.0]))),
        case(
            "W106",
            &format!("{BACKGROUND}/2/name"),
            pushed(BACKGROUND, json!({"name": "mu", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}})),
        ),
        case(
            "W106",
            &format!("{BACKGROUND}/2/name"),
            pushed(BACKGROUND, json!({"name": "mu", "type": "shapefactor", "data": null})),
        ),
        case(
            "W107",
            &format!("{CONTROL}/0/name"),
            pushed(BACKGROUND, json!({"name": "bins", "type": "shapesys", "data": [1.0, 1.0]})),
        ),
        case("W108", &format!("{CONTROL}/2"), {
            let mut value = pushed(CONTROL, json!({"name": "stat_SR", "type": "staterror", "data": [1.0, 1.0]}));
            value["channels"][0]["samples"][0]["modifiers"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "stat_SR", "type": "staterror", "data": [1.0, 1.0]}));
            value["measurements"][0]["config"]["parameters"][1] = json!({"name": "stat_SR"});
            value["channels"][1]["samples"][0]["name"] = json!("control");
            value
        }),
        case("W109", &format!("{BACKGROUND}/0"), longer_shapefactor),
        case("W110", "/channels", no_modifiers),
        case("W111", &format!("{SIGNAL}/2/data/lo"), with(&format!("{SIGNAL}/2/data/lo"), json!(0.0))),
        case("W111", &format!("{SIGNAL}/2/data/hi"), with(&format!("{SIGNAL}/2/data/hi"), json!(-0.5))),
        case("W112", &format!("{BACKGROUND}/0/data/0"), with(&format!("{BACKGROUND}/0/data/0"), json!(-1.0))),
        case("W112", &format!("{CONTROL}/0/data/0"), with(&format!("{CONTROL}/0/data/0"), json!(-1.0))),
        case("W113", &format!("{CONTROL}/0/data/0"), with(&format!("{CONTROL}/0/data/0"), json!(1e-200))),
        case("W113", &format!("{BACKGROUND}/0/data/0"), with(&format!("{BACKGROUND}/0/data/0"), json!(1e200))),
        case("W120", "/channels/1", with("/observations", json!([observation]))),
        case("W121", "/observations/1/data", with("/observations/1/data", json!([55]))),
        case("W122", "/observations/2/name", pushed("/observations", observation)),
        case("W123", "/observations/1/data/1", with("/observations/1/data/1", json!(-1))),
        case("W124", "/observations/2/name", pushed("/observations", json!({"name": "VR", "data": [1]}))),
        case("W131", "/measurements/1/name", pushed("/measurements", sound()["measurements"][0].clone())),
        case("W132", "/measurements/0/config/poi", with("/measurements/0/config/poi", json!("nu"))),
        case("W133", "/measurements/0/config/poi", with("/measurements/0/config/poi", json!("free"))),
        case("W134", &format!("{PARAMETERS}/4/name"), pushed(PARAMETERS, json!({"name": "nu"}))),
        case("W135", &format!("{PARAMETERS}/4/name"), pushed(PARAMETERS, json!({"name": "mu"}))),
        case("W136", PARAMETERS, with(PARAMETERS, json!([]))),
        case("W136", &format!("{PARAMETERS}/0"), without(&format!("{PARAMETERS}/0"), "auxdata")),
        case("W137", &format!("{PARAMETERS}/0"), without(&format!("{PARAMETERS}/0"), "sigmas")),
        case("W138", &format!("{PARAMETERS}/3/factors"), parameter(3, "factors", json!([1.0]))),
        case("W138", &format!("{PARAMETERS}/3/auxdata"), parameter(3, "auxdata", json!([1.0]))),
        case("W138", &format!("{PARAMETERS}/2/sigmas"), parameter(2, "sigmas", json!([1.0, 1.0]))),
        case("W139", &format!("{PARAMETERS}/3/inits"), parameter(3, "inits", json!([1.0, 1.0]))),
        case("W139", &format!("{PARAMETERS}/1/sigmas"), parameter(1, "sigmas", json!([1.0]))),
        case("W139", &format!("{PARAMETERS}/0/inits"), parameter(0, "inits", json!([1.0, 1.0]))),
        case("W140", &format!("{PARAMETERS}/3/bounds/0"), parameter(3, "bounds", json!([[0]]))),
        case("W141", &format!("{PARAMETERS}/3/bounds/0"), parameter(3, "bounds", json!([[10, -10]]))),
        case("W142", &format!("{PARAMETERS}/3/inits/0"), parameter(3, "inits", json!([11]))),
        case("W142", &format!("{PARAMETERS}/1/bounds/1"), parameter(1, "bounds", json!([[0, 2], [2, 3]]))),
        case("W143", &format!("{PARAMETERS}/0/sigmas/0"), parameter(0, "sigmas", json!([0.0]))),
        case("W143", &format!("{PARAMETERS}/2/factors/1"), parameter(2, "factors", json!([1.0, -1.0]))),
        case("W144", &format!("{PARAMETERS}/2/auxdata/0"), parameter(2, "auxdata", json!([-1.0, 0.0]))),
        case("W145", &format!("{PARAMETERS}/1/fixed"), parameter(1, "fixed", json!(false))),
        case("W145", &format!("{PARAMETERS}/2/fixed"), parameter(2, "fixed", json!(false))),
    ]
}

#[test]
fn a_sound_workspace_has_no_findings() {
    for compat in [Compat::Strict, Compat::Pyhf] {
        let findings = check(&sound(), &Scope { compat, ..Scope::default() });
        assert!(findings.0.is_empty(), "{findings}");
    }
}

#[test]
fn one_change_breaks_one_rule() {
    for (id, pointer, value) in broken() {
        let rule = rule::ALL.iter().find(|r| r.id == id).unwrap();
        for (compat, severity) in [(Compat::Strict, rule.severity), (Compat::Pyhf, rule.compat)] {
            let findings = check(&value, &Scope { compat, ..Scope::default() });
            let places: Vec<_> = findings.0.iter().map(|f| (f.rule, f.pointer.as_deref().unwrap())).collect();
            assert_eq!(places, [(id, pointer.as_str())], "{findings}");
            assert_eq!((findings.0[0].class, findings.0[0].severity), (rule.class, severity), "{id}");
            assert!(findings.0[0].line.is_some() && findings.0[0].column.is_some(), "{id}");
        }
    }
}

/// Every rule for plain workspaces is among the cases above; two others of the range concern commands, two have tests/histfactory/correlations.rs.
#[test]
fn every_workspace_rule_is_tested() {
    let cases = broken();
    for rule in rule::ALL
        .iter()
        .filter(|r| ("W101".."W200").contains(&r.id) && !["W125", "W130", "W150", "W151"].contains(&r.id))
    {
        assert!(cases.iter().any(|(id, ..)| *id == rule.id), "{} has no case", rule.id);
    }
}

/// What pyhf does with the document is a peer's verdict (pyhf 0.7.6 builds a model of it, or raises); of W305, W307 and W317
/// `tests/peer/combine.py` asks pyhf, of W372 `tests/peer/operations.py`.
#[test]
fn strict_only_rules_are_warnings_under_pyhf_rules() {
    let strict: Vec<&str> = rule::ALL.iter().filter(|r| r.severity != r.compat).map(|r| r.id).collect();
    assert_eq!(strict, ["W104", "W109", "W145", "W305", "W307", "W317", "W372"]);
}

#[test]
fn only_the_chosen_measurement_matters() {
    let mut value = pushed("/measurements", json!({"name": "bad", "config": {"poi": "mu", "parameters": []}}));
    value["measurements"][1]["config"]["parameters"] = json!([]);
    let text = || serde_json::to_vec(&value).unwrap();
    let loaded = |measurements| {
        let document = Document::from_slice("test", text(), &Limits::default()).unwrap();
        load(document, &[], &Scope { measurements, ..Scope::default() })
    };
    assert!(loaded(Measurements::First).is_ok());
    assert_eq!(loaded(Measurements::All).unwrap_err().0[0].rule, "W136");
    assert_eq!(loaded(Measurements::Named("bad".into())).unwrap_err().0[0].rule, "W136");
    assert_eq!(loaded(Measurements::Named("none".into())).unwrap_err().0[0].class, "InvalidMeasurement");
}

#[test]
fn all_problems_come_at_once_in_document_order() {
    let mut value = sound();
    value["observations"][0]["data"] = json!([1]);
    value["measurements"][0]["config"]["parameters"][3]["bounds"] = json!([[2, 1]]);
    value["channels"][0]["samples"][0]["modifiers"][2]["data"]["lo"] = json!(0);
    let findings = check(&value, &Scope::default());
    let rules: Vec<_> = findings.0.iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["W111", "W121", "W141"]);
}

/// The rules of spec/validation.md are those of the program, word for word.
#[test]
fn the_specification_lists_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/validation.md");
    let text = std::fs::read_to_string(path).unwrap();
    let written: Vec<&str> = text.lines().filter(|l| l.starts_with("| W")).collect();
    let word = |severity| if severity == Severity::Error { "error" } else { "warning" };
    let row = |r: &&rule::Rule| {
        let (severity, compat) = (word(r.severity), word(r.compat));
        format!("| {} | {} | {severity} | {compat} | {} | {} |", r.id, r.class, r.condition, r.hint)
    };
    let expected: Vec<String> = rule::ALL.iter().map(row).collect();
    assert_eq!(written, expected, "write these rows:\n{}", expected.join("\n"));
}

/// Every published workspace that pyhf 0.7.6 validates and builds is sound under the strict rules, and the six that it
/// rejects are rejected with advice.
#[test]
fn published_workspaces() {
    let Some(directory) = common::directory("pyhf") else { return };
    let (mut sound, mut rejected) = (0, 0);
    for entry in common::index(&directory).iter().filter(|e| e["kind"] == "workspace") {
        let file = entry["file"].as_str().unwrap();
        let document = Document::from_path(&directory.join(file), &Limits::default()).unwrap();
        let (_, findings) = validate(&document, None, &Scope::default());
        if entry["stats"]["valid"] == true && entry["stats"]["built"] == true {
            assert!(findings.is_valid(), "{file}:\n{findings}");
            sound += 1;
        } else {
            let errors = findings.0.iter().filter(|f| f.severity == Severity::Error);
            assert!(errors.clone().count() > 0, "{file}");
            assert!(errors.clone().all(|f| f.line.is_some() && !f.hint.is_empty()), "{file}:\n{findings}");
            rejected += 1;
        }
    }
    assert_eq!((sound, rejected), (161, 6));
}
