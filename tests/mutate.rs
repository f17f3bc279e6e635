//! Broken bytes do no harm: mutations of small documents go through the reader, the validator, patches and patchsets.
//!
//! `MORPHIST_FUZZ_SECONDS=3600 cargo test --release --test mutate` runs longer than the default of two seconds for each
//! target. The seed is printed; `MORPHIST_FUZZ_SEED` repeats a run.

use morphist::document::digest::{Algorithm, digest};
use morphist::document::patch::{self, Patch};
use morphist::document::patchset::PatchSet;
use morphist::document::schema::DOCUMENTS;
use morphist::document::workspace::Workspace;
use morphist::document::{Document, Kind, Limits};
use morphist::finding::Findings;
use morphist::infer::{FitOptions, fit};
use morphist::kernel::Evaluator;
use morphist::model::HistosysCode;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, Compat, ModelOptions};
use morphist::workspace::{Measurements, Scope, load, validate};
use serde_json::Value;
use std::time::{Duration, Instant};

const WORKSPACE: &str = r#"{"channels": [{"name": "SR", "samples": [{"name": "s", "data": [5.0, 1e1], "modifiers": [
{"name": "mu", "type": "normfactor", "data": null}, {"name": "lumi", "type": "lumi", "data": null},
{"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
{"name": "jes", "type": "histosys", "data": {"lo_data": [-1, 9], "hi_data": [6, 11]}},
{"name": "st", "type": "staterror", "data": [1, 0]}, {"name": "sf", "type": "shapefactor", "data": null},
{"name": "ss", "type": "shapesys", "data": [5, 0]}]}, {"name": "b\u00e9\"", "data": [50, 60], "modifiers": []}]}],
"observations": [{"name": "SR", "data": [500, 3]}], "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [
{"name": "lumi", "inits": [1], "bounds": [[0.5, 1.5]], "auxdata": [1], "sigmas": [0.02]},
{"name": "ss", "factors": [1, 1], "fixed": false}]}}], "version": "1.0.0"}"#;
const PATCH: &str = r#"[{"op": "add", "path": "/channels/0/samples/-", "value": {"name": "x", "data": [1, 2], "modifiers": []}},
{"op": "copy", "from": "/channels/0/samples/0", "path": "/channels/0/samples/1"}, {"op": "test", "path": "/version", "value": "1.0.0"},
{"op": "replace", "path": "/channels/0/samples/1/name", "value": "y"}, {"op": "move", "from": "/observations/0/name", "path": "/a~0b"},
{"op": "remove", "path": "/a~0b"}]"#;
const PATCHSET: &str = r#"{"metadata": {"references": {"hepdata": "ins1234567"}, "digests": {"md5": "098f6bcd4621d373cade4e832627b4f6"},
"labels": ["m1", "m2"], "description": "d", "more": [1]}, "patches": [{"metadata": {"name": "p", "values": [1, "a"]}, "patch":
[{"op": "remove", "path": "/x"}]}, {"metadata": {"name": "q", "values": [1.0, 2]}, "patch": []}], "version": "1.0.0"}"#;

/// What a mutation likes to put in.
const WORDS: &[&str] = &[
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "1e400",
    "-0",
    "NaN",
    "-1",
    "0",
    "1e308",
    "5e-324",
    "18446744073709551616",
    ",",
    "\"name\"",
    "\"type\"",
    "\"\\ud800\"",
    "\\u0000",
    "[[[[",
    "{\"a\":",
    "\"lumi\"",
    "\"staterror\"",
    "\"data\": null",
    "é",
    "/0/",
    "~2",
    "\n",
    "\\",
];

/// splitmix64
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Some bytes changed, removed, repeated, or words put in.
fn mutate_text(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let (at, length) = (random.below(bytes.len()), random.below(20));
        let end = (at + length).min(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, random.below(256) as u8),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                let end = if random.below(2) == 0 { at } else { end };
                bytes.splice(at..end, word.bytes());
            }
        }
    }
    bytes
}

/// Some values of the tree replaced by others, members removed, items repeated: the result is JSON.
fn mutate_tree(value: &mut Value, random: &mut Random) {
    let here = random.below(4) == 0;
    match value {
        Value::Array(items) if !items.is_empty() && !here => {
            let i = random.below(items.len());
            match random.below(8) {
                0 => drop(items.remove(i)),
                1 => items.push(items[i].clone()),
                _ => mutate_tree(&mut items[i], random),
            }
        }
        Value::Object(members) if !members.is_empty() && !here => {
            let key = members.keys().nth(random.below(members.len())).unwrap().clone();
            match random.below(12) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert("extra".into(), Value::Null)),
                _ => mutate_tree(&mut members[&key], random),
            }
        }
        _ => {
            let choices = [
                "null",
                "[]",
                "{}",
                "1",
                "-1",
                "0",
                "1.5",
                "\"\"",
                "\"x\"",
                "\"SR\"",
                "\"lumi\"",
                "\"mu\"",
                "\"staterror\"",
                "[1, 2]",
                "[[1, 2]]",
                "true",
                "1e-200",
                "1e200",
                "1e308",
                "-5e-324",
                "[0, 0]",
                "[1e308, 1]",
                "[-3, 2]",
            ];
            *value = serde_json::from_str(choices[random.below(choices.len())]).unwrap();
        }
    }
}

/// Calls `target` with a fresh generator until the time is over.
fn run(name: &str, mut target: impl FnMut(&mut Random)) {
    let variable = |name| std::env::var(name).ok().and_then(|v: String| v.parse::<u64>().ok());
    let time = Duration::from_secs(variable("MORPHIST_FUZZ_SECONDS").unwrap_or(2));
    let seed = variable("MORPHIST_FUZZ_SEED").unwrap_or(1);
    println!("{name}: seed {seed}");
    let (start, mut random, mut runs) = (Instant::now(), Random(seed), 0u64);
    while start.elapsed() < time {
        let one = Instant::now();
        target(&mut random);
        assert!(one.elapsed() < Duration::from_secs(10), "{name}: one run took {:?}", one.elapsed());
        runs += 1;
    }
    println!("{name}: {runs} runs");
    assert!(runs > 10);
}

fn scopes() -> [Scope; 2] {
    [Scope::default(), Scope { compat: Compat::Pyhf, measurements: Measurements::First }]
}

fn sound(findings: &Findings) {
    for finding in &findings.0 {
        assert!(!finding.found.is_empty() && !finding.expected.is_empty() && !finding.hint.is_empty(), "{finding}");
    }
}

#[test]
fn reader() {
    let limits = Limits { max_size: 100_000, max_depth: 12 };
    run("reader", |random| {
        let seed = [WORKSPACE, PATCH, PATCHSET][random.below(3)];
        let bytes = mutate_text(seed, random);
        let peer = serde_json::from_slice::<Value>(&bytes);
        match Document::from_slice("test", bytes.clone(), &limits) {
            Err(findings) => {
                sound(&findings);
                let finding = &findings.0[0];
                assert!(finding.class == "SizeLimit" || finding.class == "ReadError" || finding.line.is_some());
                // What serde_json rejects is a syntax error or out of range; what it accepts breaks a rule of ours.
                let ours = ["DuplicateKey", "NumberRange", "DepthLimit"].contains(&finding.class);
                assert!(peer.is_err() || ours, "{findings}: {}", String::from_utf8_lossy(&bytes));
            }
            Ok(document) => {
                let value = document.value().unwrap();
                // Equal but for −0, an integer here.
                assert!(peer.is_ok_and(|peer| peer == value || document.text.contains("-0")));
                digest(&value, Algorithm::Md5);
                for kind in [Kind::Workspace, Kind::Patch, Kind::Patchset] {
                    sound(&validate(&document, Some(kind), &Scope::default()).1);
                }
            }
        }
    });
}

#[test]
fn validator() {
    let seed: Value = serde_json::from_str(WORKSPACE).unwrap();
    let schema = jsonschema::draft202012::new(&(DOCUMENTS[0].generate)()).unwrap();
    run("validator", |random| {
        let mut value = seed.clone();
        for _ in 0..=random.below(4) {
            mutate_tree(&mut value, random);
        }
        let text = value.to_string().into_bytes();
        let document = Document::from_slice("test", text, &Limits::default()).unwrap();
        let typed = Workspace::from_document(&document);
        assert_eq!(typed.is_ok(), schema.is_valid(&value), "{value}");
        assert_eq!(Workspace::from_value(&value).ok(), typed.ok());
        for scope in scopes() {
            let (_, findings) = validate(&document, Some(Kind::Workspace), &scope);
            sound(&findings);
            assert!(findings.0.iter().all(|f| f.line.is_some() && f.pointer.is_some()), "{findings}");
            assert!(findings.0.iter().all(|f| value.pointer(f.pointer.as_ref().unwrap()).is_some()), "{findings}");
            assert_eq!(validate(&document, Some(Kind::Workspace), &scope).1, findings);
            assert_eq!(load(document.clone(), &[], &scope).is_ok(), findings.is_valid());
        }
    });
}

#[test]
fn patches() {
    let (workspace, seed): (Value, Value) =
        (serde_json::from_str(WORKSPACE).unwrap(), serde_json::from_str(PATCH).unwrap());
    let limits = Limits { max_size: 100_000, max_depth: 12 };
    run("patches", |random| {
        let mut value = seed.clone();
        for _ in 0..=random.below(4) {
            mutate_tree(&mut value, random);
        }
        if let Some(operations) = value.as_array_mut() {
            for operation in operations {
                for key in ["path", "from"] {
                    if random.below(4) == 0 && operation.get(key).is_some() {
                        let paths = [
                            "",
                            "/",
                            "/channels",
                            "/channels/0",
                            "/channels/-",
                            "/channels/0/samples/0",
                            "/version",
                            "/x",
                            "x",
                            "/~2",
                            "/channels/00",
                        ];
                        operation[key] = paths[random.below(paths.len())].into();
                    }
                }
            }
        }
        let document = Document::from_slice("test", value.to_string().into_bytes(), &limits).unwrap();
        if let Ok(patch) = Patch::from_document(&document) {
            let outcome = patch::apply(workspace.clone(), &patch, &limits);
            if let Err(findings) = &outcome {
                sound(findings);
            }
            let base = Document::from_slice("test", WORKSPACE.into(), &limits).unwrap();
            let loaded = load(base, &[patch], &Scope::default());
            assert!(outcome.is_ok() || loaded.is_err());
        }
    });
}

#[test]
fn patchsets() {
    let seed: Value = serde_json::from_str(PATCHSET).unwrap();
    run("patchsets", |random| {
        let mut value = seed.clone();
        for _ in 0..=random.below(3) {
            mutate_tree(&mut value, random);
        }
        let document = Document::from_slice("test", value.to_string().into_bytes(), &Limits::default()).unwrap();
        match PatchSet::from_document(&document) {
            Ok(set) => {
                // Unknown members of operations are ignored, all else is kept.
                let ignored = value["patches"].to_string().contains("extra");
                assert!(ignored || serde_json::to_value(&set).unwrap() == value, "{value}");
                let _ = set.verify(&value).map_err(|findings| sound(&findings));
            }
            Err(findings) => {
                sound(&findings);
                assert!(findings.0.iter().all(|f| f.line.is_some()), "{findings}");
            }
        }
    });
}

/// Whatever passes the rules can be built, evaluated and fitted: no panic, no NaN, no valid fit without numbers.
#[test]
fn model() {
    let limits = Limits::default();
    let mut built = [0; 2];
    run("model", |random| {
        // Strictly, the uncertainties of zero in the shapesys stay fixed.
        let mut value: Value = serde_json::from_str(&WORKSPACE.replace(", \"fixed\": false", "")).unwrap();
        for _ in 0..=random.below(4) {
            mutate_tree(&mut value, random);
        }
        for (i, (scope, code)) in scopes().into_iter().zip([HistosysCode::Code4p, HistosysCode::Code2]).enumerate() {
            let compat = scope.compat;
            let Ok(document) = Document::from_slice("test", value.to_string().into_bytes(), &limits) else { return };
            let Ok(loaded) = load(document, &[], &Scope { measurements: Measurements::First, ..scope }) else {
                continue;
            };
            let options = ModelOptions { compat, histosys: code, ..ModelOptions::default() };
            let Ok(model) = from_pyhf::model(&loaded.workspace, &options) else { continue };
            let Ok(data) = from_pyhf::data(&loaded.workspace, &model) else { continue };
            built[i] += 1;
            let program = Program::compile(&model);
            let data = program.prepare(&data);
            let mut evaluator = Evaluator::new(&program);
            assert!(!evaluator.twice_nll(&model.init(), &data).is_nan(), "{value}");
            let options = FitOptions { max_iterations: 50, ..FitOptions::new(&model) };
            let result = fit(&mut evaluator, &data, &options);
            assert_eq!(result.valid, result.reason.is_none(), "{value}");
            assert!(!result.valid || (result.twice_nll.is_finite() && result.edm <= 1e-9), "{value}");
            let inside = result.parameters.iter().zip(&options.bounds).all(|(x, (low, high))| x >= low && x <= high);
            assert!(!result.valid || inside, "{value}");
        }
    });
    println!("model: {built:?} models");
    assert!(built[0] > 10 && built[1] > 10, "{built:?} models built");
}
