//! Every bad input of the corpus gets the class that its index expects, with a place.

use crate::common;

use morphist::document::patch::{self, Patch};
use morphist::document::patchset::PatchSet;
use morphist::document::workspace::Workspace;
use morphist::document::{Document, Kind, Limits};
use morphist::finding::{Finding, Findings, Severity};
use morphist::workspace::{Scope, check_data_length, load, measurement, validate};
use serde_json::Value;
use std::path::Path;

const ELSEWHERE: &[&str] = &["hs3", "bundle:combine", "bundle:hypotest"];

#[test]
fn every_bad_input_has_its_class_and_a_place() {
    let Some(directory) = common::directory("bad") else { return };
    let entries = common::index(&directory);
    let entries: Vec<_> = entries.iter().filter(|e| !ELSEWHERE.contains(&text(e, "kind"))).collect();
    assert_eq!(entries.len(), 94);
    let failures: Vec<String> = entries.iter().filter_map(|entry| examine(&directory, entry).err()).collect();
    assert!(failures.is_empty(), "{} of 94:\n{}", failures.len(), failures.join("\n"));
}

fn text<'e>(entry: &'e Value, key: &str) -> &'e str {
    entry[key].as_str().unwrap()
}

fn examine(directory: &Path, entry: &Value) -> Result<(), String> {
    let (file, kind, expect) = (text(entry, "file"), text(entry, "kind"), text(entry, "expect"));
    let findings = run(&directory.join(file), kind);
    let said = |why: &str| format!("{file}: expected {expect}, {why}; findings:\n{findings}");
    for finding in &findings.0 {
        if finding.to_string().len() > 1000 {
            return Err(said("a message is longer than 1000 bytes"));
        }
        let argument = kind.starts_with("bundle:") && finding.pointer.is_none();
        let in_memory = kind.starts_with("bundle:") && finding.pointer.is_some();
        if !argument && !in_memory && (finding.line.is_none() || finding.column.is_none()) {
            return Err(said("a finding has no line and column"));
        }
        let by_text = ["SyntaxError", "NumberRange", "DepthLimit"].contains(&finding.class);
        if !argument && !by_text && finding.pointer.is_none() {
            return Err(said("a finding has no pointer"));
        }
        if [&finding.found, &finding.expected, &finding.hint].iter().any(|s| s.is_empty()) {
            return Err(said("a finding lacks what was found, expected, or the hint"));
        }
    }
    let errors: Vec<&Finding> = findings.0.iter().filter(|f| f.severity == Severity::Error).collect();
    let met = expect.split("-or-").any(|expect| match expect {
        "accept" => findings.0.is_empty(),
        "warn" => errors.is_empty() && !findings.0.is_empty(),
        "limit" => errors.iter().any(|f| f.class == "SizeLimit"),
        class => match class.strip_prefix("warn:") {
            Some(class) => errors.is_empty() && findings.0.iter().any(|f| f.class == class),
            None => !errors.is_empty() && errors.iter().all(|f| f.class == class),
        },
    });
    if met { Ok(()) } else { Err(said("that is not what came")) }
}

/// What the library says of a document, or of a bundle of a document and arguments.
fn run(path: &Path, kind: &str) -> Findings {
    let limits = Limits::default();
    let document = match Document::from_path(path, &limits) {
        Ok(document) => document,
        Err(findings) => return findings,
    };
    let forced = match kind {
        "workspace" | "raw-workspace" => Some(Kind::Workspace),
        "jsonpatch" => Some(Kind::Patch),
        "patchset" | "raw-patchset" => Some(Kind::Patchset),
        _ => None,
    };
    match forced {
        Some(_) => validate(&document, forced, &Scope::default()).1,
        None => run_bundle(&document.value().unwrap(), kind).err().unwrap_or_default(),
    }
}

fn part(bundle: &Value, key: &str) -> Document {
    let text = serde_json::to_vec(&bundle[key]).unwrap();
    Document::from_slice(key, text, &Limits::default()).unwrap()
}

fn run_bundle(bundle: &Value, kind: &str) -> morphist::finding::Result<()> {
    let workspace = part(bundle, "workspace");
    match kind {
        "bundle:patch" => {
            let patch = Patch::from_document(&part(bundle, "patch"))?;
            load(workspace, &[patch], &Scope::default())?;
        }
        "bundle:lookup" => {
            PatchSet::from_document(&part(bundle, "patchset"))?.lookup(bundle["select"].as_str().unwrap())?;
        }
        "bundle:verify" => PatchSet::from_document(&part(bundle, "patchset"))?.verify(&workspace.value()?)?,
        "bundle:measurement" => {
            let index = bundle["measurement_index"].as_u64().unwrap() as usize;
            measurement(&Workspace::from_document(&workspace)?, index)?;
        }
        "bundle:logpdf" => {
            // The model of this bundle has one parameter without constraint: its data are the counts of its bins.
            let loaded = load(workspace, &[], &Scope::default())?;
            let n_bins = loaded.workspace.observations.iter().map(|o| o.data.len()).sum();
            check_data_length(bundle["data"].as_array().unwrap().len(), n_bins)?;
        }
        other => panic!("no driver for {other}"),
    }
    Ok(())
}

/// A patch that fails leaves the document as it was: the caller's copy is untouched and no other comes out.
#[test]
fn failed_patches_give_nothing() {
    let document = serde_json::json!({"a": [1, 2]});
    let patch: Patch = serde_json::from_value(serde_json::json!([
        {"op": "add", "path": "/b", "value": 1}, {"op": "remove", "path": "/c"}
    ]))
    .unwrap();
    let failed = patch::apply(document.clone(), &patch, &Limits::default()).unwrap_err();
    assert_eq!(failed.0[0].class, "PatchApplicationError");
    assert_eq!(failed.0[0].pointer.as_deref(), Some("/1"));
    assert_eq!(document, serde_json::json!({"a": [1, 2]}));
}
