//! The EFT extension is read as its schema says, and written back as it was.

use morphist::document::schema::DOCUMENTS;
use morphist::document::workspace::{Modifier, Workspace};
use morphist::document::{Document, Limits};
use morphist::finding::Result;
use serde_json::{Value, json};

/// One modifier of each type and one choice of each kind.
const EVERYTHING: &str = include_str!("document.json");

fn read(text: &str) -> Result<Workspace> {
    Document::from_slice("test", text.into(), &Limits::default()).and_then(|d| Workspace::from_document(&d))
}

#[test]
fn an_extended_document_is_read_and_written_back() {
    let workspace = read(EVERYTHING).unwrap();
    let modifiers = &workspace.channels[0].samples[0].modifiers;
    let kinds: Vec<&str> = modifiers.iter().map(Modifier::kind).collect();
    let named = ["bilinear", "events", "map", "morph", "polynomial", "rational", "sample", "sum_of_squares"];
    assert_eq!(kinds[..8], named.map(|kind| format!("eft_{kind}")));
    assert!(modifiers[..8].iter().all(Modifier::is_eft) && !modifiers[8].is_eft());
    let value: Value = serde_json::from_str(EVERYTHING).unwrap();
    assert_eq!(serde_json::to_value(&workspace).unwrap(), value);
    assert_eq!(Workspace::from_value(&value).unwrap(), workspace);
}

/// `type` before `data` and after it.
#[test]
fn the_order_of_keys_is_free() {
    let reverse = |value: &Value| Value::Object(value.as_object().unwrap().clone().into_iter().rev().collect());
    let mut value: Value = serde_json::from_str(EVERYTHING).unwrap();
    for modifier in value["channels"][0]["samples"][0]["modifiers"].as_array_mut().unwrap() {
        *modifier = reverse(modifier);
    }
    assert_eq!(read(&reverse(&value).to_string()).unwrap(), read(EVERYTHING).unwrap());
}

#[test]
fn a_plain_document_is_written_back_without_the_extension() {
    let text = r#"{"channels":[{"name":"c","samples":[{"name":"s","data":[1.0],"modifiers":[{"type":"normfactor","name":"mu","data":null}]}]}],"measurements":[{"name":"m","config":{"poi":"mu","parameters":[]}}],"observations":[{"name":"c","data":[1.0]}],"version":"1.0.0"}"#;
    assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
}

/// All places of a document.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| places(item, format!("{here}/{i}"), found))
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| places(member, format!("{here}/{key}"), found))
        }
        _ => {}
    }
    found.push(here);
}

/// The reader and the generated schema give the same verdict, whatever stands at any one place.
#[test]
fn the_reader_agrees_with_the_schema_on_every_change_of_one_place() {
    let schema = jsonschema::draft202012::new(&(DOCUMENTS[0].generate)()).unwrap();
    let value: Value = serde_json::from_str(EVERYTHING).unwrap();
    let mut all = Vec::new();
    places(&value, String::new(), &mut all);
    let others = [json!(null), json!([]), json!({}), json!("x"), json!(1.5), json!(-1), json!(true), json!([1, 2])];
    let (mut accepted, mut rejected) = (0, 0);
    let mut judge = |changed: Value, what: String| {
        let valid = schema.is_valid(&changed);
        let outcome = read(&changed.to_string());
        assert_eq!(outcome.is_ok(), valid, "{what}: {outcome:?}");
        assert_eq!(Workspace::from_value(&changed).is_ok(), valid, "{what}, from a tree");
        if let Err(findings) = outcome {
            assert!(findings.0.iter().all(|f| f.pointer.is_some() && f.line.is_some()), "{what}: {findings:?}");
        }
        *(if valid { &mut accepted } else { &mut rejected }) += 1;
    };
    for place in &all {
        for other in &others {
            let mut changed = value.clone();
            *changed.pointer_mut(place).unwrap() = other.clone();
            judge(changed, format!("{other} at {place}"));
        }
        let mut more = value.clone();
        if let Some(members) = more.pointer_mut(place).unwrap().as_object_mut() {
            members.insert("unknown".into(), json!(1));
            judge(more, format!("one more key at {place}"));
        }
        if let Some((parent, key)) = place.rsplit_once('/') {
            let mut less = value.clone();
            if let Some(members) = less.pointer_mut(parent).unwrap().as_object_mut() {
                members.remove(key);
                judge(less, format!("no {place}"));
            }
        }
    }
    assert!(accepted > 300 && rejected > 3000, "{accepted} accepted, {rejected} rejected");
}

/// A violation inside a choice of forms tells what the form that is meant lacks.
#[test]
fn violations_of_the_extension_are_readable() {
    let mut value: Value = serde_json::from_str(EVERYTHING).unwrap();
    let modifiers = &mut value["channels"][0]["samples"][0]["modifiers"];
    modifiers[0]["data"]["truncation"] = json!({"max_np_ordre": 1});
    modifiers[1]["data"]["mc_stat"] = json!("w3");
    modifiers[4]["data"]["coefficients"][1] = json!("0.5");
    modifiers[4]["data"]["mode"] = json!("ratio");
    modifiers[8]["extra"] = json!(1);
    value["eft"]["event_databases"][0]["weights"]["columns"] = json!(1);
    let findings = read(&serde_json::to_string_pretty(&value).unwrap()).unwrap_err();
    let said: Vec<_> =
        findings.0.iter().map(|f| (f.pointer.clone().unwrap(), f.found.as_str(), f.expected.as_str())).collect();
    let modifiers = "/channels/0/samples/0/modifiers";
    let expected = [
        (format!("{modifiers}/0/data/truncation"), "no key \"max_np_order\"", "the key \"max_np_order\""),
        (
            format!("{modifiers}/0/data/truncation/max_np_ordre"),
            "the key \"max_np_ordre\"",
            "only the keys \"max_np_order\"",
        ),
        (
            format!("{modifiers}/1/data/mc_stat"),
            "the string \"w3\"",
            "the string \"none\" or the string \"w2\" or an object",
        ),
        (
            format!("{modifiers}/4/data/mode"),
            "the string \"ratio\"",
            "the string \"absolute\" or the string \"relative\"",
        ),
        (format!("{modifiers}/4/data/coefficients/1"), "the string \"0.5\"", "a number or an array"),
        (format!("{modifiers}/8/extra"), "the key \"extra\"", "only the keys \"type\", \"name\", \"data\""),
        ("/eft/event_databases/0/weights/columns".to_string(), "1", "an array"),
    ];
    for (place, found, wanted) in &expected {
        assert!(said.contains(&(place.clone(), *found, *wanted)), "{place} is not in {said:#?}");
    }
    assert_eq!(said.len(), expected.len(), "{said:#?}");
}
