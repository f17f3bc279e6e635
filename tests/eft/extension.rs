//! Taking the EFT extension out of a text and bringing it back.

use crate::common;

use morphist::document::extension::{attach, strip};
use morphist::document::patch::apply;
use morphist::document::workspace::Workspace;
use morphist::document::{Document, Limits};
use serde_json::{Value, json};
use std::process::Command;

const EXTENDED: &str = include_str!("document.json");

/// Items and members at the beginning, in the middle, at the end, and alone.
#[test]
fn the_rest_stays_byte_for_byte() {
    let mu = r#"{"type": "normfactor", "name": "mu", "data": null}"#;
    let p = r#"{"data": [{"type": "x"}], "type": "\u0065ft_polynomial"}"#;
    let modifiers = |list: &str, more: &str| {
        format!(r#"{{"a": {{"eft": 1}}, "channels" :[{{"samples":[ {{"modifiers": {list} }}]}}]{more}}}"#)
    };
    let cases = [
        (format!("[{p} ,\n {mu}]"), format!("[{mu}]")),
        (format!("[ {mu},\n {p}\t]"), format!("[ {mu}\t]")),
        (format!("[{mu}, {p},  {p} , {mu}]"), format!("[{mu}, {mu}]")),
        (format!("[ {mu} , {p},\n{p} ]"), format!("[ {mu} ]")),
        (format!("[ {p},\n{p} ]"), "[]".into()),
        ("[ ]".into(), "[ ]".into()),
    ];
    for (with, without) in &cases {
        assert_eq!(strip(&modifiers(with, "")), modifiers(without, ""), "{with}");
        assert_eq!(strip(&modifiers(with, " , \"eft\": {\"x\": [1]}  ")), modifiers(without, "  "), "{with}");
    }
    assert_eq!(strip(r#"{ "eft" : [1, {"eft": 2}] , "b": "eft"}"#), r#"{ "b": "eft"}"#);
    assert_eq!(strip(r#"{"b": 1,"eft":2,"c":3}"#), r#"{"b": 1,"c":3}"#);
    assert_eq!(strip(r#" {"\u0065ft": 1} "#), " {} ");
}

/// Whatever stands in the places where the extension may be, the text stays JSON of the same content.
#[test]
fn texts_of_other_shapes_are_untouched() {
    for text in [
        "[]",
        "1",
        "\"eft\"",
        "{}",
        r#"{"channels": 1}"#,
        r#"{"channels": [1, {"samples": {"modifiers": [{"type": "eft_x"}]}}]}"#,
    ] {
        assert_eq!(strip(text), text);
    }
}

#[test]
fn the_extension_comes_back_with_its_patch() {
    let extended: Value = serde_json::from_str(EXTENDED).unwrap();
    let plain: Value = serde_json::from_str(&strip(EXTENDED)).unwrap();
    assert!(!Workspace::from_value(&plain).unwrap().has_eft());
    let patch = attach(&extended);
    assert_eq!(patch.0.len(), 14);
    assert_eq!(apply(plain.clone(), &patch, &Limits::default()).unwrap(), extended);
    assert_eq!(attach(&plain).0.len(), 0);
}

/// Every published workspace is returned as it is; with a response attached and taken out again it is the same value.
#[test]
fn published_workspaces_stay_as_they_are() {
    let Some(directory) = common::directory("pyhf") else { return };
    let mut seen = 0;
    for entry in common::index(&directory).iter().filter(|e| e["kind"] == "workspace" && e["stats"]["valid"] == true) {
        let document =
            Document::from_path(&directory.join(entry["file"].as_str().unwrap()), &Limits::default()).unwrap();
        assert!(strip(&document.text) == document.text, "{}", entry["file"]);
        // A response in front of the first modifier, spaced as it is.
        let Some(list) =
            document.text.find("\"modifiers\":").and_then(|at| Some(at + document.text[at..].find('[')? + 1))
        else {
            continue;
        };
        let (before, after) = document.text.split_at(list);
        let first = after.trim_start();
        if first.starts_with('{') {
            let space = &after[..after.len() - first.len()];
            let text = format!("{before}{space}{{\"type\": \"eft_map\"}},{space}{first}");
            assert!(strip(&text) == document.text, "{}", entry["file"]);
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn the_command_writes_both_parts() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension");
    std::fs::create_dir_all(&folder).unwrap();
    let (input, patch) = (folder.join("extended.json"), folder.join("patch.json"));
    std::fs::write(&input, EXTENDED).unwrap();
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_morphist")).args(arguments).output().unwrap();
    let input = input.to_str().unwrap();
    let output = run(&["eft", "strip", input, "--extension", patch.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), strip(EXTENDED));
    let written: Value = serde_json::from_slice(&std::fs::read(&patch).unwrap()).unwrap();
    assert_eq!(written, json!(attach(&serde_json::from_str(EXTENDED).unwrap())));
    let both = run(&["eft", "strip", input, "--extension", "-"]);
    assert_eq!(both.status.code(), Some(2));
}
