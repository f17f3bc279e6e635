//! `schemas/` holds what the types generate, and the schemas accept what pyhf's accept.
//!
//! `UPDATE_SCHEMAS=1 cargo test --test schemas` writes the files anew.

use crate::common;

use morphist::document::schema::DOCUMENTS;
use morphist::document::workspace::Workspace;
use morphist::document::{Document, Kind, Limits};
use morphist::workspace::{Scope, validate};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn schemas_are_fresh() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for named in DOCUMENTS {
        let path = directory.join(format!("{}.json", named.name));
        let generated = serde_json::to_string_pretty(&(named.generate)()).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == generated, "{} is stale: run with UPDATE_SCHEMAS=1", path.display());
    }
}

#[test]
fn schemas_compile() {
    for named in DOCUMENTS {
        let schema = (named.generate)();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::new(&schema).unwrap();
    }
}

/// Verdicts of pyhf 0.7.6 on whole documents: `stats.valid` of the corpus, and the class of the bad inputs.
#[test]
fn the_schema_agrees_with_pyhf_on_published_documents() {
    let Some(directory) = common::directory("pyhf") else { return };
    let schema = jsonschema::draft202012::new(&(DOCUMENTS[0].generate)()).unwrap();
    let mut seen = 0;
    for entry in common::index(&directory).iter().filter(|e| e["kind"] == "workspace") {
        let file = entry["file"].as_str().unwrap();
        let document = Document::from_path(&directory.join(file), &Limits::default()).unwrap();
        let accepted = schema.is_valid(&document.value().unwrap());
        assert_eq!(accepted, entry["stats"]["valid"] == true, "{file}");
        assert_eq!(Workspace::from_document(&document).is_ok(), accepted, "{file}");
        seen += 1;
    }
    assert_eq!(seen, 167);
    let directory = common::directory("bad").unwrap();
    for entry in common::index(&directory).iter().filter(|e| e["kind"] == "workspace") {
        let file = entry["file"].as_str().unwrap();
        let document = Document::from_path(&directory.join(file), &Limits::default()).unwrap();
        let rejected = entry["expect"] == "InvalidSpecification";
        assert_eq!(schema.is_valid(&document.value().unwrap()), !rejected, "{file}");
        assert_eq!(Workspace::from_document(&document).is_err(), rejected, "{file}");
    }
}

fn workspace(change: impl Fn(&mut Value)) -> Value {
    let mut value = json!({
        "channels": [{"name": "c", "samples": [{"name": "s", "data": [1, 2.5], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null},
            {"name": "h", "type": "histosys", "data": {"lo_data": [1, 2], "hi_data": [2, 3]}},
            {"name": "n", "type": "normsys", "data": {"lo": 0.9, "hi": 1}},
            {"name": "ss", "type": "shapesys", "data": [1, 1]}
        ]}]}],
        "observations": [{"name": "c", "data": [1, 2]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [
            {"name": "mu", "inits": [1], "bounds": [[0, 10]], "fixed": false}
        ]}}],
        "version": "1.0.0"
    });
    change(&mut value);
    value
}

/// What a change of the document above does to pyhf's verdict; each was made by `pyhf.schema.validate(document,
/// "workspace.json", version="1.0.0")` of pyhf 0.7.6. One differs: pyhf's validator takes true for a number, against
/// JSON Schema and so against pyhf's own schema.
#[test]
fn the_schema_agrees_with_pyhf_on_small_changes() {
    let cases: Vec<(&str, Value, bool)> = small_changes();
    for (name, value, accepted) in cases {
        let text = serde_json::to_vec(&value).unwrap();
        let document = Document::from_slice(name, text, &Limits::default()).unwrap();
        let outcome = Workspace::from_document(&document);
        assert_eq!(outcome.is_ok(), accepted, "{name}: {outcome:?}");
        assert_eq!(Workspace::from_value(&value).is_ok(), accepted, "{name}, from a tree");
        let schema = jsonschema::draft202012::new(&(DOCUMENTS[0].generate)()).unwrap();
        assert_eq!(schema.is_valid(&value), accepted, "{name}, by the generated schema");
    }
}

fn small_changes() -> Vec<(&'static str, Value, bool)> {
    let modifier = "/channels/0/samples/0/modifiers";
    let at = |pointer: &str, new: Value| {
        workspace(|w| *w.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = new.clone())
    };
    let parameter =
        |key: &str, new: Value| workspace(|w| w["measurements"][0]["config"]["parameters"][0][key] = new.clone());
    vec![
        ("unchanged", workspace(|_| ()), true),
        ("channel as an array", at("/channels/0", json!(["c", []])), false),
        ("normsys data as an array", at(&format!("{modifier}/2/data"), json!([0.9, 1.1])), false),
        ("modifier as an array", at(&format!("{modifier}/0"), json!(["normfactor", "mu", null])), false),
        ("config as an array", at("/measurements/0/config", json!(["mu", []])), false),
        ("inits null", parameter("inits", Value::Null), false),
        ("fixed null", parameter("fixed", Value::Null), false),
        ("fixed a number", parameter("fixed", json!(1)), false),
        ("bounds of one number", parameter("bounds", json!([[0]])), true),
        ("bounds of no number", parameter("bounds", json!([[]])), true),
        ("bounds empty", parameter("bounds", json!([])), false),
        ("sigmas empty", parameter("sigmas", json!([])), false),
        ("number true (pyhf: accepted)", at("/observations/0/data/0", json!(true)), false),
        ("no modifiers", at(modifier, json!([])), true),
        ("histosys lo_data empty", at(&format!("{modifier}/1/data/lo_data"), json!([])), false),
        ("histosys data null", at(&format!("{modifier}/1/data"), Value::Null), false),
        (
            "histosys with lo",
            workspace(|w| w["channels"][0]["samples"][0]["modifiers"][1]["data"]["lo"] = json!(1)),
            false,
        ),
        ("shapesys empty", at(&format!("{modifier}/3/data"), json!([])), false),
        (
            "lumi of another name",
            at(&format!("{modifier}/0"), json!({"name": "l", "type": "lumi", "data": null})),
            false,
        ),
        ("lumi", at(&format!("{modifier}/0"), json!({"name": "lumi", "type": "lumi", "data": null})), true),
        ("type in capitals", at(&format!("{modifier}/0/type"), json!("Normfactor")), false),
        ("type a number", at(&format!("{modifier}/0/type"), json!(3)), false),
        ("version 1.0.1", at("/version", json!("1.0.1")), false),
        ("version a number", at("/version", json!(1)), false),
        ("poi null", at("/measurements/0/config/poi", Value::Null), false),
        ("poi empty", at("/measurements/0/config/poi", json!("")), true),
    ]
}

/// A violation says which form was meant and what is wrong with it.
#[test]
fn violations_are_readable() {
    let value = workspace(|w| {
        let modifiers = &mut w["channels"][0]["samples"][0]["modifiers"];
        modifiers[0]["data"] = json!([1.0]);
        modifiers[1]["data"].as_object_mut().unwrap().remove("hi_data");
        modifiers[2]["type"] = json!("normsis");
        modifiers[3]["data"][1] = json!("x");
        w["extra"] = json!(1);
    });
    let text = serde_json::to_vec_pretty(&value).unwrap();
    let document = Document::from_slice("test", text, &Limits::default()).unwrap();
    let (kind, findings) = validate(&document, None, &Scope::default());
    assert_eq!(kind, Kind::Workspace);
    let modifiers = "/channels/0/samples/0/modifiers";
    let said: Vec<_> =
        findings.0.iter().map(|f| (f.pointer.clone().unwrap(), f.found.as_str(), f.expected.as_str())).collect();
    let expected = [
        (format!("{modifiers}/0/data"), "an array of 1 item", "null"),
        (format!("{modifiers}/1/data"), "no key \"hi_data\"", "the key \"hi_data\""),
        (
            format!("{modifiers}/2/type"),
            "the string \"normsis\"",
            "one of \"histosys\", \"lumi\", \"normfactor\", \"normsys\", \"shapefactor\", \"shapesys\", \"staterror\", \
             \"eft_bilinear\", \"eft_events\", \"eft_map\", \"eft_morph\", \"eft_polynomial\", \"eft_rational\", \
             \"eft_sample\", \"eft_sum_of_squares\"",
        ),
        (format!("{modifiers}/3/data/1"), "the string \"x\"", "a number"),
        (
            "/extra".to_string(),
            "the key \"extra\"",
            "only the keys \"channels\", \"correlations\", \"eft\", \"measurements\", \"observations\", \"version\"",
        ),
    ];
    assert_eq!(said, expected);
}
