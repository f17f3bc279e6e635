//! Every published workspace and patchset with what pyhf 0.7.6 makes of it (`tests/workspace/operations.json`, written by
//! `tests/peer/operations.py --record`).

use crate::common;

use common::operations::checked;
use common::program::{json_of, morphist, scratch, stderr, stdout};
use morphist::document::digest::{Algorithm, digest};
use morphist::document::{Document, Limits};
use morphist::finding::Findings;
use morphist::translate::from_pyhf::Compat;
use morphist::workspace::diff::{Tolerance, diff};
use morphist::workspace::edit::prune::{Options as Prune, prune};
use morphist::workspace::edit::rename::{Options as Rename, rename};
use morphist::workspace::edit::{Edited, sort};
use serde_json::{Value, json};

fn recorded() -> Value {
    common::read_json("tests/workspace/operations.json".as_ref())
}

fn read(path: &std::path::Path) -> Document {
    Document::from_path(path, &Limits::default()).unwrap()
}

fn sha256(value: &Value) -> String {
    digest(value, Algorithm::Sha256)
}

fn list(options: &Value, key: &str) -> Vec<String> {
    options.get(key).map(|list| serde_json::from_value(list.clone()).unwrap()).unwrap_or_default()
}

fn pairs(options: &Value, key: &str) -> Vec<(String, String)> {
    let members = options.get(key).and_then(Value::as_object).into_iter().flatten();
    members.map(|(old, new)| (old.clone(), new.as_str().unwrap().to_owned())).collect()
}

#[test]
fn digests_are_pyhfs_on_every_published_workspace() {
    let Some(directory) = common::directory("pyhf") else { return };
    let mut n = 0;
    for (file, entry) in recorded()["workspaces"].as_object().unwrap() {
        let value = read(&directory.join(file)).value().unwrap();
        for (name, expected) in entry["digests"].as_object().unwrap() {
            assert_eq!(
                digest(&value, Algorithm::from_name(name).unwrap()),
                expected.as_str().unwrap(),
                "{file} {name}"
            );
            n += 1;
        }
    }
    assert!(n > 400, "{n}");
}

#[test]
fn published_workspaces_are_sorted_as_in_pyhf() {
    let Some(directory) = common::directory("pyhf") else { return };
    for (file, entry) in recorded()["workspaces"].as_object().unwrap() {
        let source = read(&directory.join(file));
        let sorted = sort(&source, Compat::Strict).unwrap_or_else(|f| panic!("{file}: {f}"));
        assert_eq!(sha256(&sorted.document), entry["sorted"].as_str().unwrap(), "{file}");
        checked(&source, sorted);
    }
}

/// What pyhf says when it refuses, and the rules that refuse here.
fn compare(file: &str, case: &Value, outcome: Result<(Edited, Document), Findings>, counts: &mut [usize; 3]) {
    let told = |findings: &Findings| format!("{file} {}: {findings}", case["options"]);
    match (case.get("error").and_then(Value::as_str), outcome) {
        (None, Ok((edited, source))) => {
            assert_eq!(sha256(&edited.document), case["digest"].as_str().unwrap(), "{file} {}", case["options"]);
            checked(&source, edited);
            counts[0] += 1;
        }
        // pyhf writes what is no model.
        (None, Err(findings)) => {
            let renamed_onto = findings.0.iter().any(|f| f.rule == "W372");
            assert!(case["sound"] == false || renamed_onto, "{}", told(&findings));
            counts[1] += 1;
        }
        (Some(error), Err(findings)) => {
            let rule = if error == "InvalidSpecification" { "W371" } else { "W370" };
            assert!(findings.0.iter().any(|f| f.rule == rule), "pyhf: {error}; {}", told(&findings));
            counts[2] += 1;
        }
        (Some(error), Ok(_)) => panic!("{file} {}: pyhf: {error}", case["options"]),
    }
}

#[test]
fn published_workspaces_are_pruned_and_renamed_as_in_pyhf() {
    let Some(directory) = common::directory("pyhf") else { return };
    let mut counts = [0; 3];
    for (file, entry) in recorded()["workspaces"].as_object().unwrap() {
        let source = read(&directory.join(file));
        for case in entry["prune"].as_array().unwrap() {
            let options = &case["options"];
            let options = Prune {
                channels: list(options, "channels"),
                samples: list(options, "samples"),
                modifiers: list(options, "modifiers"),
                modifier_types: list(options, "modifier_types"),
                measurements: list(options, "measurements"),
                compat: Compat::Pyhf,
                ..Prune::default()
            };
            let outcome = prune(&source, &options).map(|(edited, _)| (edited, source.clone()));
            compare(file, case, outcome, &mut counts);
        }
        for case in entry["rename"].as_array().unwrap() {
            let options = &case["options"];
            let options = Rename {
                channels: pairs(options, "channels"),
                samples: pairs(options, "samples"),
                modifiers: pairs(options, "modifiers"),
                measurements: pairs(options, "measurements"),
                compat: Compat::Pyhf,
            };
            compare(file, case, rename(&source, &options).map(|edited| (edited, source.clone())), &mut counts);
        }
    }
    assert!(counts[0] > 400 && counts[2] > 20, "{counts:?}");
}

/// Commands on published patchsets: lists, patches with and without metadata, verification, application.
#[test]
fn patchsets_are_handled_as_in_pyhf() {
    let Some(directory) = common::directory("pyhf") else { return };
    for (file, entry) in recorded()["patchsets"].as_object().unwrap() {
        let path = directory.join(file).to_str().unwrap().to_owned();
        let names: Vec<&str> = entry["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let head = format!("\n    {} patches found in Patchset\n---------------------------------\n\n", names.len());
        let listed = morphist(&["patchset", "inspect", &path]);
        assert_eq!(stdout(&listed), head + &names.iter().map(|name| format!("{name}\n")).collect::<String>());
        let patch = json_of(&["patchset", "extract", &path, "--name", names[0]], 0);
        assert_eq!(sha256(&patch), entry["patch"].as_str().unwrap(), "{file}");
        let whole = json_of(&["patchset", "extract", &path, "--name", names[0], "--with-metadata"], 0);
        assert_eq!(
            (sha256(&whole["metadata"]), &whole["patch"]),
            (entry["metadata"].as_str().unwrap().to_owned(), &patch)
        );
        for (workspace, expected) in entry["workspaces"].as_object().unwrap() {
            let workspace = directory.join(workspace).to_str().unwrap().to_owned();
            let verified = morphist(&["patchset", "verify", &workspace, &path]);
            let applied = morphist(&["patchset", "apply", &workspace, &path, "--name", names[0]]);
            if let Some(error) = expected.get("error").and_then(Value::as_str) {
                let got = error.split("Got: ").nth(1).unwrap();
                assert!(stderr(&verified).contains("W034") && stderr(&verified).contains(got), "{error}");
                assert_eq!((verified.status.code(), applied.status.code()), (Some(1), Some(1)));
                continue;
            }
            assert_eq!((stdout(&verified).as_str(), verified.status.code()), ("All good.\n", Some(0)));
            // pyhf does not ask whether there is a model of what it writes.
            if applied.status.success() {
                let result: Value = serde_json::from_slice(&applied.stdout).unwrap();
                assert_eq!(sha256(&result), expected["digest"].as_str().unwrap(), "{workspace}");
            } else {
                assert!(stderr(&applied).contains("error[W136]"), "{}", stderr(&applied));
            }
        }
    }
}

/// Expected by `pyhf digest` of pyhf 0.7.6 on its example `2-bin_1-channel.json`.
#[test]
fn the_command_digest_writes_what_pyhf_writes() {
    let Some(directory) = common::directory("pyhf") else { return };
    let file = directory.join("pyhf_tests/pyhf_docs_examples_json_2-bin_1-channel.json").to_str().unwrap().to_owned();
    let sha256 = "dad8822af55205d60152cbe4303929042dbd9d4839012e055e7c6b6459d68d73";
    assert_eq!(stdout(&morphist(&["digest", &file])), format!("sha256:{sha256}\n"));
    let json = stdout(&morphist(&["digest", &file, "-a", "sha256", "-a", "md5", "-j"]));
    let md5 = "e719c06a76d4eaed837a9f5bef4e0ed4";
    assert_eq!(json, format!("{{\n    \"md5\": \"{md5}\",\n    \"sha256\": \"{sha256}\"\n}}\n"));
    let lines = stdout(&morphist(&["digest", "-a", "md5", "-a", "sha1", &file]));
    assert_eq!(lines, format!("md5:{md5}\nsha1:922f156f6c512348a60d2753f20019555a761496\n"));
    assert_eq!(morphist(&["digest", &file, "-a", "crc32"]).status.code(), Some(2));
}

/// A document differs from itself in nothing, and from a sorted one in order alone.
#[test]
fn published_workspaces_are_the_same_when_sorted() {
    let Some(directory) = common::directory("pyhf") else { return };
    for file in recorded()["workspaces"].as_object().unwrap().keys() {
        let source = read(&directory.join(file));
        let value = source.value().unwrap();
        let sorted = sort(&source, Compat::Strict).unwrap();
        let found = diff(&value, &sorted.document, Tolerance::default());
        assert!(found.list.is_empty(), "{file}: {:?}", found.list.first());
        let moves = json!(sorted.patch).as_array().unwrap().len();
        assert_eq!(found.order.is_empty(), moves == 0, "{file}");
    }
}

/// `pyhf.Workspace.build` of pyhf 0.7.6 for these specifications, where it works.
#[test]
fn workspaces_are_built_as_in_pyhf() {
    let mut compared = 0;
    for case in recorded()["build"].as_array().unwrap() {
        let spec = scratch("operations_spec.json", &case["spec"].to_string()).to_str().unwrap().to_owned();
        let data = scratch("operations_data.json", &case["data"].to_string()).to_str().unwrap().to_owned();
        let mut built = json_of(&["build", &spec, "--data", &data, "--name", "m"], 0);
        // Of a lumi pyhf loses the constraint.
        for parameter in built["measurements"][0]["config"]["parameters"].as_array_mut().unwrap() {
            for key in ["auxdata", "sigmas", "factors"] {
                parameter.as_object_mut().unwrap().remove(key);
            }
        }
        let found = diff(&case["built"], &built, Tolerance::default());
        assert!(found.list.is_empty() && found.order.is_empty(), "{:?} {:?}", found.list, found.order);
        compared += 1;
    }
    assert!(compared > 5);
    let spec = scratch("operations_spec_2.json", r#"{"channels": [], "x": 1}"#).to_str().unwrap().to_owned();
    let data = scratch("operations_data_2.json", "[1]").to_str().unwrap().to_owned();
    let said = stderr(&morphist(&["build", &spec, "--data", &data]));
    assert!(said.contains("W010") && said.contains("\"x\"") && said.contains(":1:"), "{said}");
    let fixture = "fixtures/counting/workspace.json";
    let said = stderr(&morphist(&["build", fixture, "--data", &data, "--poi", "mu"]));
    assert!(said.contains("W125") || said.is_empty(), "{said}");
}
