//! What only databases and models show: told by `validate` as by the commands that make a model, all at once; warnings
//! once in every command. Yields are sums of a handful of weights, done by hand.

use crate::common;

use common::event_files::*;
use common::program::{json_of, morphist, stderr};
use common::read_json;
use morphist::document::{Document, Limits};
use morphist::finding::Findings;
use morphist::translate;
use morphist::workspace::Scope;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const X: [f64; 4] = [0.5, 1.5, 1.5, 5.0];
const W: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

/// A folder of its own with the database `events.parquet`.
fn folder(name: &str) -> Written {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate_events").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let columns: Columns = vec![("x", f64s(&X)), ("w", f64s(&W)), ("w1", f64s(&[0.5, 0.5, 1.0, 1.0]))];
    let bytes = bytes_of(&columns, true);
    std::fs::write(folder.join("events.parquet"), &bytes).unwrap();
    Written { folder, uri: "events.parquet".into(), hash: sha256(&bytes), n_rows: 4 }
}

/// A histogram of `db` with these edges; rows above are dropped.
fn events(edges: Value) -> Value {
    json!({"name": "events", "type": "eft_events", "data": {
        "database": "db", "axes": [{"observable": "x", "edges": edges}],
        "underflow": "error", "overflow": "drop", "truncation": "none", "mc_stat": "w2",
    }})
}

/// A channel with one sample of events and a background.
fn channel(name: &str, data: &[f64], modifier: &Value) -> Value {
    let normsys = json!({"name": "norm", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}});
    json!({"name": name, "samples": [
        {"name": "WH", "data": data, "modifiers": [modifier]},
        {"name": "background", "data": vec![10.0; data.len()], "modifiers": [normsys]},
    ]})
}

/// Sound, and without a warning: [1, 6] is in the bins of SR, 8 in that of CR.
fn document(written: &Written) -> Value {
    let block = in_database(
        &written.block(),
        "weights",
        json!({"kind": "coefficients", "monomials": [[], ["cHW"]], "columns": ["w", "w1"]}),
    );
    let block = in_database(&block, "observables", json!({"x": {"column": "x", "unit": "1"}}));
    let block = with(&block, "/wilson_coefficients", json!([{"name": "cHW", "bounds": [-1.0, 1.0]}]));
    let channels = [
        channel("SR", &[1.0, 6.0], &events(json!([0.0, 1.0, 2.0]))),
        channel("CR", &[8.0], &with(&events(json!([4.0, 6.0])), "/data/underflow", json!("drop"))),
    ];
    json!({
        "channels": channels,
        "observations": [{"name": "SR", "data": [12.0, 15.0]}, {"name": "CR", "data": [19.0]}],
        "measurements": [{"name": "meas", "config": {"poi": "cHW", "parameters": []}}],
        "version": "1.0.0",
        "eft": block,
    })
}

fn save(written: &Written, value: &Value) -> String {
    let path = written.folder.join("document.json");
    std::fs::write(&path, serde_json::to_string_pretty(value).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A rational response whose series is beyond what is expanded: no rule on the document sees it.
fn endless() -> Value {
    json!({"name": "r", "type": "eft_rational", "data": {"mode": "relative", "expansion": {"taylor": 400},
        "factor_truncation": "none",
        "factors": [{"power": -100, "monomials": [[], ["cHW"], ["cHW", "cHW"]], "coefficients": [1.0, 10.0, 10.0]}]}})
}

/// Rows 1 and 2 of SR too.
fn common() -> Value {
    with(&events(json!([1.0, 6.0])), "/data/underflow", json!("drop"))
}

/// Rule, pointer and severity of each finding of `validate`, which all have a line and a column.
fn validated(path: &str, code: i32) -> Vec<(String, String, String)> {
    let report = json_of(&["validate", path, "--format", "json"], code);
    assert_eq!(report["valid"], code == 0);
    let findings = report["findings"].as_array().unwrap().iter().map(|finding| {
        assert!(finding["line"].as_u64().unwrap() > 1 && finding["column"].as_u64().unwrap() > 1, "{finding}");
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        (text("rule"), text("pointer"), text("severity"))
    });
    findings.collect()
}

const WH: &str = "/channels/0/samples/0";
const DB: &str = "/eft/event_databases/0";

/// Each change: the rule that it breaks, where, and what is changed.
fn broken() -> Vec<(&'static str, String, &'static str, Value)> {
    let own = |pointer: &str| format!("{WH}/{pointer}");
    vec![
        ("W261", DB.into(), "/eft/event_databases/0/uri", json!("missing.parquet")),
        ("W262", DB.into(), "/eft/event_databases/0/sha256", json!("0".repeat(64))),
        ("W263", DB.into(), "/eft/event_databases/0/media_type", json!("application/vnd.apache.arrow.file")),
        ("W264", DB.into(), "/eft/event_databases/0/n_rows", json!(5)),
        ("W265", DB.into(), "/eft/event_databases/0/weights/columns", json!(["w", "w2"])),
        ("W270", WH.into(), "/channels/0/samples/0/modifiers/0/data/overflow", json!("error")),
        ("W215", own("data"), "/channels/0/samples/0/data", json!([1.0, 6.0001])),
        // Channels are made in the order of their names, so that SR comes second.
        ("W273", WH.into(), "/channels/1", channel("CR", &[14.0], &common())),
        ("W280", "/channels/1/samples/1".into(), "/channels/1/samples/1/modifiers/1", endless()),
    ]
}

#[test]
fn what_fit_refuses_is_not_valid() {
    let written = folder("refused");
    let sound = document(&written);
    assert_eq!(validated(&save(&written, &sound), 0), []);
    json_of(&["fit", &save(&written, &sound), "--format", "json"], 0);
    for (rule, pointer, place, new) in broken() {
        let mut changed = sound.clone();
        match (place, changed.pointer_mut("/channels/1/samples/1/modifiers").and_then(Value::as_array_mut)) {
            ("/channels/1/samples/1/modifiers/1", Some(modifiers)) => modifiers.push(new),
            ("/channels/1", _) => changed["channels"][1] = new,
            _ => changed = with(&sound, place, new),
        }
        let path = save(&written, &changed);
        let found = validated(&path, 1);
        assert!(found.iter().any(|(r, p, _)| *r == rule && *p == pointer), "{rule}: {found:?}");
        assert!(found.iter().all(|(r, ..)| r == rule), "{rule}: {found:?}");
        // The same in a command that makes the model: with line and column, and nothing else.
        let output = morphist(&["fit", &path]);
        assert_eq!(output.status.code(), Some(1));
        let line = stderr(&output).lines().find(|line| line.contains(rule)).unwrap().to_owned();
        let numbers: Vec<&str> = line.strip_prefix(&format!("{path}:")).unwrap().split(':').take(2).collect();
        assert!(numbers.iter().all(|n| n.parse::<u32>().is_ok()), "{line}");
    }
}

/// Two files that are not there, a third with a broken promise and a missing column, a sample without response and one
/// with other yields: all are told, each once, in the order of the document.
#[test]
fn one_problem_hides_no_other() {
    let written = folder("all");
    let mut value = document(&written);
    let sound = value["eft"]["event_databases"][0].clone();
    let named = |name: &str, key: &str, new: Value| with(&with(&sound, "/name", json!(name)), &format!("/{key}"), new);
    let promise = with(&named("promise", "positivity", json!("require")), "/weights/columns", json!(["w1", "w"]));
    let promise = with(&promise, "/observables", json!({"x": {"column": "y", "unit": "1"}}));
    let databases = json!([
        sound,
        named("away", "uri", json!("away.parquet")),
        named("other", "sha256", json!("1".repeat(64))),
        promise
    ]);
    value["eft"]["event_databases"] = databases;
    let channels = value["channels"].as_array_mut().unwrap();
    for (name, database) in [("A", "away"), ("B", "away"), ("C", "other"), ("D", "promise")] {
        let modifier = with(&events(json!([0.0, 2.0])), "/data/database", json!(database));
        channels.push(channel(name, &[7.0], &modifier));
    }
    channels.push(channel("E", &[7.0], &endless()));
    channels[0]["samples"][0]["data"] = json!([1.5, 6.0]);
    // A bin without events is told beside the errors.
    channels[1] = channel("CR", &[8.0, 0.0], &with(&events(json!([4.0, 6.0, 7.0])), "/data/underflow", json!("drop")));
    value["observations"][1]["data"] = json!([19.0, 10.0]);
    let observations = value["observations"].as_array_mut().unwrap();
    observations.extend(["A", "B", "C", "D", "E"].map(|name| json!({"name": name, "data": [17.0]})));
    let found = validated(&save(&written, &value), 1);
    let rules: Vec<(&str, &str)> = found.iter().map(|(rule, pointer, _)| (rule.as_str(), pointer.as_str())).collect();
    let want = [
        ("W215", "/channels/0/samples/0/data"),
        ("W277", "/channels/1/samples/0"),
        ("W280", "/channels/6/samples/0"),
        ("W261", "/eft/event_databases/1"),
        ("W262", "/eft/event_databases/2"),
        ("W272", "/eft/event_databases/3"),
        ("W265", "/eft/event_databases/3"),
    ];
    let sorted = |mut list: Vec<(&str, &str)>| {
        list.sort_by_key(|(rule, pointer)| (pointer.to_string(), rule.to_string()));
        format!("{list:?}")
    };
    assert_eq!(sorted(rules), sorted(want.to_vec()), "{found:?}");
}

/// The library tells the same, from the folder that it is given and from no other.
#[test]
fn the_folder_decides_which_files_are_read() {
    let written = folder("library");
    let text = serde_json::to_vec(&document(&written)).unwrap();
    let check = |folder: &Path| -> Findings {
        let document = Document::from_slice("any name", text.clone(), &Limits::default()).unwrap();
        translate::validate(&document, None, &Scope::default(), folder).1
    };
    assert_eq!(check(&written.folder), Findings::default());
    let elsewhere = check(Path::new("no/such/folder"));
    assert_eq!(elsewhere.0.len(), 1, "{elsewhere}");
    assert_eq!((elsewhere.0[0].rule, elsewhere.0[0].line), ("W261", Some(1)));
}

/// Runs in a folder, with the document on standard input.
fn from_stdin(folder: &Path, arguments: &[&str], text: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_morphist"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &stderr_of(&output.stderr))
}

fn stderr_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn from_standard_input_databases_lie_in_the_current_folder() {
    let written = folder("stdin");
    let text = document(&written).to_string();
    for command in ["validate", "fit"] {
        let (code, said) = from_stdin(&written.folder, &[command, "-"], &text);
        assert_eq!(code, Some(0), "{command}: {said}");
        let (code, said) = from_stdin(written.folder.parent().unwrap(), &[command, "-"], &text);
        assert_eq!(code, Some(1), "{command}: {said}");
        assert!(said.contains("W261"), "{command}: {said}");
    }
}

/// A patched document has no text: pointers lead into the result.
#[test]
fn a_patched_document_is_checked_too() {
    let written = folder("patched");
    let path = save(&written, &document(&written));
    let patch = |value: Value| -> PathBuf {
        let patch = written.folder.join("patch.json");
        let operation = json!([{"op": "replace", "path": "/channels/0/samples/0/data", "value": value}]);
        std::fs::write(&patch, operation.to_string()).unwrap();
        patch
    };
    for (data, code) in [(json!([1.0, 6.0]), 0), (json!([2.0, 6.0]), 1)] {
        let patch = patch(data);
        let report = json_of(&["validate", &path, "--patch", patch.to_str().unwrap(), "--format", "json"], code);
        let rules: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|f| &f["rule"]).collect();
        assert_eq!(rules, if code == 0 { vec![] } else { vec!["W215"] });
        assert!(report["findings"].as_array().unwrap().iter().all(|f| f["line"].is_null()));
    }
}

/// The bin from 2 to 3 has no event, which every command says once, with its place; none is an error.
#[test]
fn warnings_of_databases_are_told_once() {
    let written = folder("warnings");
    let mut value = document(&written);
    value["channels"][0] = channel("SR", &[1.0, 6.0, 0.0], &events(json!([0.0, 1.0, 2.0, 3.0])));
    value["observations"][0]["data"] = json!([12.0, 15.0, 11.0]);
    let path = save(&written, &value);
    let found = validated(&path, 0);
    assert_eq!(found, [("W277".into(), WH.into(), "warning".into())]);
    let text = std::fs::read_to_string(&path).unwrap();
    // The sample begins at the first brace inside of its list.
    let line = text.lines().position(|line| line.contains("\"samples\"")).unwrap() + 2;
    let binned = written.folder.join("binned.json");
    let independent = ["eft", "inspect", &path, "--independent", &path];
    for arguments in [
        &["evaluate", &path][..],
        &["fit", &path],
        &["scan", &path, "cHW", "--points", "3"],
        &["limit", &path, "--poi", "norm"],
        &["minos", &path, "cHW"],
        &["yields", &path],
        &["inspect", &path],
        &["asimov", &path],
        &["fit", &path, "--blind", "CR"],
        &["eft", "compare", &path],
        &["eft", "responses", &path],
        &["eft", "inspect", &path],
        &["eft", "bin", &path, "--output-file", binned.to_str().unwrap()],
    ] {
        let said = stderr(&morphist(arguments));
        let warnings: Vec<&str> = said.lines().filter(|line| line.contains("W277")).collect();
        assert_eq!(warnings.len(), 1, "{arguments:?}: {said}");
        let place = format!("{path}:{line}:");
        let bin = arguments.get(1) == Some(&"bin");
        assert!(bin || warnings[0].starts_with(&place), "{arguments:?}: {said}");
        assert!(warnings[0].contains("no event in 1 of 3 bins: 2"), "{said}");
    }
    // The other document is told of as well.
    let said = stderr(&morphist(&independent));
    assert_eq!(said.matches("W277").count(), 2, "{said}");
    // What is summed has no database any more.
    assert_eq!(validated(binned.to_str().unwrap(), 0), []);
}

/// The points of a patchset have the same database: its warning is told once for all of them.
#[test]
fn a_patchset_warns_once() {
    let written = folder("patchset");
    let mut value = document(&written);
    value["channels"][0] = channel("SR", &[1.0, 6.0, 0.0], &events(json!([0.0, 1.0, 2.0, 3.0])));
    value["observations"][0]["data"] = json!([12.0, 15.0, 11.0]);
    let mu = json!({"name": "mu", "type": "normfactor", "data": null});
    value["channels"][0]["samples"][1]["modifiers"].as_array_mut().unwrap().push(mu);
    value["measurements"][0]["config"]["poi"] = json!("mu");
    let path = save(&written, &value);
    let point = |name: &str, n: f64| {
        let patch = [json!({"op": "replace", "path": "/observations/1/data", "value": [n]})];
        json!({"metadata": {"name": name, "values": [n]}, "patch": patch})
    };
    let patchset = json!({
        "metadata": {"references": {"hepdata": "ins1234567"}, "digests": {"md5": "0".repeat(32)}, "labels": ["n"], "description": "two points"},
        "patches": [point("a", 18.0), point("b", 21.0)], "version": "1.0.0",
    });
    let points = written.folder.join("patchset.json");
    std::fs::write(&points, patchset.to_string()).unwrap();
    let output = morphist(&["limit", &path, "--patchset", points.to_str().unwrap(), "--no-verify", "--format", "json"]);
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap().lines().count(), 2, "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("W277").count(), 1, "{}", stderr(&output));
}

/// Dropping is what the document says: no finding, and numbers for those who ask. Row 3 lies above the edges of SR, and
/// rows 0 to 2 below those of CR.
#[test]
fn rows_outside_are_counted() {
    let written = folder("flow");
    let path = save(&written, &document(&written));
    assert_eq!(validated(&path, 0), []);
    let report = json_of(&["eft", "inspect", &path, "--format", "json"], 0);
    let rows: Vec<(&str, &Value)> =
        report["events"].as_array().unwrap().iter().map(|e| (e["channel"].as_str().unwrap(), &e["rows"])).collect();
    let counts = |binned: u64, overflow: u64, underflow: u64| json!({"binned": binned, "cut": 0, "other_channels": 0, "overflow": overflow, "total": 4, "underflow": underflow});
    assert_eq!(rows, [("CR", &counts(1, 0, 3)), ("SR", &counts(3, 1, 0))]);
}

#[test]
fn a_database_without_a_use_is_odd() {
    let written = folder("unused");
    let mut value = document(&written);
    let mut second = value["eft"]["event_databases"][0].clone();
    (second["name"], second["uri"]) = (json!("idle"), json!("nowhere.parquet"));
    value["eft"]["event_databases"].as_array_mut().unwrap().push(second);
    let found = validated(&save(&written, &value), 0);
    assert_eq!(found, [("W248".into(), "/eft/event_databases/1".into(), "warning".into())]);
}

#[test]
fn a_list_of_no_monomials_applies_to_nothing() {
    let written = folder("applies_to");
    let mut value = document(&written);
    let normsys = json!({"name": "xs", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}});
    let sample = json!({"name": "s", "type": "eft_sample", "data": {"systematics": {"xs": {"applies_to": [[]]}}}});
    let own = value.pointer_mut("/channels/0/samples/0/modifiers").unwrap().as_array_mut().unwrap();
    own[0]["data"]["mc_stat"] = json!("none");
    own.extend([normsys, sample]);
    assert_eq!(validated(&save(&written, &value), 0), []);
    let place = "/channels/0/samples/0/modifiers/2/data/systematics/xs/applies_to";
    let found = validated(&save(&written, &with(&value, place, json!([]))), 1);
    assert_eq!(found, [("W010".into(), place.into(), "error".into())]);
}

/// Commands on databases say what they miss in a plain workspace, and write nothing.
#[test]
fn plain_workspaces_have_no_databases() {
    let plain = "fixtures/counting/workspace.json";
    let written = folder("plain");
    let place = |name: &str| written.folder.join(name).to_str().unwrap().to_owned();
    let (output, database, columns) = (place("out.json"), place("out.parquet"), place("events.parquet"));
    let promotion = json!({"database": document(&written)["eft"]["event_databases"][0], "histogram":
        events(json!([0.0, 6.0]))["data"]});
    let promotion_path = place("promotion.json");
    std::fs::write(&promotion_path, promotion.to_string()).unwrap();
    let sample = read_json(Path::new(plain))["channels"][0]["samples"][0]["name"].as_str().unwrap().to_owned();
    let channel = read_json(Path::new(plain))["channels"][0]["name"].as_str().unwrap().to_owned();
    let term = ["--term", "cHW=w1", "--output-database", &database];
    for arguments in [
        &["eft", "bin", plain, "--output-file", &output][..],
        &["eft", "cache", plain, "--output-file", &output],
        &[&["eft", "append", plain, &columns, "--output-file", &output], &term[..]].concat(),
        &[
            "eft",
            "promote",
            plain,
            &promotion_path,
            "--channel",
            &channel,
            "--sample",
            &sample,
            "--output-file",
            &output,
        ],
    ] {
        let ended = morphist(arguments);
        let said = stderr(&ended);
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("W268") && said.contains("block eft") && !said.contains("null"), "{said}");
        assert!(!Path::new(&output).exists() && !Path::new(&database).exists());
    }
    // With the block, and without a database in it.
    let mut value = document(&written);
    value["channels"] = json!([channel_without_events()]);
    value["eft"].as_object_mut().unwrap().remove("event_databases");
    let said = stderr(&morphist(&["eft", "bin", &save(&written, &value)]));
    assert!(said.contains("no event database"), "{said}");
}

fn channel_without_events() -> Value {
    json!({"name": "SR", "samples": [{"name": "s", "data": [1.0], "modifiers": []}]})
}
