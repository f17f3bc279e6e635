//! HS3 documents: every public file and every export of ROOT is read, and each rule has an input that breaks it.

use crate::common;

use morphist::document::hs3::{
    DataKind, Dialect, DistributionKind, Hs3Document, Interpolation, ModifierData, ReadOptions, Slot, Version, is_hs3,
};
use morphist::document::{Document, Limits};
use morphist::finding::{Findings, Severity};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// All HS3 files below a folder, in the order of their names.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "pyhf-src" {
            files(&path, found);
        } else if name.ends_with(".json") && !name.ends_with(".ref.json") {
            found.push(path);
        }
    }
}

fn read(path: &Path, options: &ReadOptions) -> Result<Hs3Document, Findings> {
    let document = Document::from_path(path, &Limits::default())?;
    assert!(is_hs3(&document), "{}", path.display());
    Hs3Document::from_document(&document, options)
}

#[test]
fn every_file_of_the_corpus_is_read() {
    let Some(directory) = common::directory("hs3") else { return };
    let mut all = Vec::new();
    files(&directory, &mut all);
    assert_eq!(all.len(), 132);
    let mut failures = Vec::new();
    for path in &all {
        match read(path, &ReadOptions::default()) {
            Ok(document) => {
                let odd = document.warnings.0.iter().find(|f| f.line.is_none() || f.hint.is_empty());
                assert_eq!(odd, None, "{}", path.display());
                assert!(document.warnings.is_valid());
                let root = !path.to_string_lossy().contains("/public/");
                assert!(!root || matches!(document.dialect, Dialect::Root(_)), "{}", path.display());
            }
            Err(findings) => failures.push(format!("{}:\n{findings}", path.display())),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The bad inputs of the corpus, for a strict reader: the class that the index expects, at once.
#[test]
fn bad_inputs_of_the_corpus() {
    let Some(directory) = common::directory("bad") else { return };
    let entries = common::index(&directory);
    let mut seen = 0;
    for entry in entries.iter().filter(|e| e["kind"] == "hs3") {
        let start = Instant::now();
        let strict = ReadOptions { strict: true, ..ReadOptions::default() };
        let file = entry["file"].as_str().unwrap();
        let findings = read(&directory.join(file), &strict).unwrap_err();
        let errors: Vec<_> = findings.0.iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(!errors.is_empty() && errors.iter().all(|f| f.class == entry["expect"]), "{file}:\n{findings}");
        assert!(errors.iter().all(|f| f.line.is_some() && f.to_string().len() < 1000), "{file}");
        assert!(start.elapsed().as_secs_f64() < 1.0, "{file}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

fn sound() -> Value {
    json!({
        "metadata": {"hs3_version": "0.2", "packages": [{"name": "ROOT", "version": "6.40.00"}]},
        "distributions": [
            {"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.5},
            {"name": "e", "type": "exponential_dist", "x": "x", "c": "minus_c"},
            {"name": "p", "type": "mixture_dist", "summands": ["g", "e"], "coefficients": ["f"], "extended": false},
            {"name": "h", "type": "histfactory_dist", "axes": [{"name": "y", "min": 0, "max": 2, "nbins": 2}], "samples": [
                {"name": "s", "data": {"contents": [1, 2], "errors": [0.1, 0.2]}, "modifiers": [
                    {"name": "n", "type": "normsys", "parameter": "alpha_n", "data": {"lo": 0.9, "hi": 1.1},
                     "interpolation": 1, "constraint_name": "c"},
                    {"name": "hs", "type": "histosys", "parameter": "alpha_h", "constraint": "Gauss",
                     "interpolation": {"type": "add", "in": "poly6", "out": "poly1"},
                     "data": {"lo": {"contents": [0.9, 1.9]}, "hi": {"contents": [1.1, 2.1]}}},
                    {"name": "ss", "type": "shapesys", "parameters": ["a", "b"], "constraint_type": "Poisson",
                     "data": {"vals": [0.1, 0.2]}, "constraints": ["ca", null]},
                    {"name": "w", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1, "interpolation": "code4"}},
                    {"name": "v", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}, "interpolation": "poly6"},
                    {"name": "mu", "type": "normfactor"}
                ]}
            ]}
        ],
        "functions": [{"name": "minus_c", "type": "generic_function", "expression": "-c"}],
        "data": [
            {"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 5}], "entries": [[1], [2.5]]},
            {"name": "b", "type": "binned", "axes": [{"name": "y", "edges": [0, 1, 2]}], "contents": [3, 4]}
        ],
        "likelihoods": [{"name": "L", "distributions": ["p", "h"], "data": ["d", "b"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [
            {"name": "c", "min": -1, "max": null}, {"name": "m", "max": 1e30}]}],
        "parameter_points": [{"name": "default_values", "parameters": [
            {"name": "c", "value": 1}, {"name": "m", "value": 2, "const": true}, {"name": "f", "value": 0.5}]}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["m"], "domains": ["default_domain"]}],
        "misc": {"ROOT_internal": {"anything": [1, {"at": "all"}]}}
    })
}

fn from_value(value: &Value, strict: bool) -> Result<Hs3Document, Findings> {
    let text = serde_json::to_vec_pretty(value).unwrap();
    let document = Document::from_slice("test", text, &Limits::default())?;
    Hs3Document::from_document(&document, &ReadOptions { dialect: None, strict })
}

#[test]
fn a_sound_document_has_no_findings_and_keeps_everything() {
    let document = from_value(&sound(), true).unwrap();
    assert_eq!(document.warnings, Findings::default());
    assert_eq!(document.dialect, Dialect::Root(Version { major: 6, minor: 40, patch: 0 }));
    assert_eq!(Value::Object(document.misc.clone()), sound()["misc"]);
    let axes = &document.domain("default_domain").unwrap().axes;
    assert_eq!((axes[0].min, axes[0].max), (-1.0, f64::INFINITY));
    assert_eq!((axes[1].min, axes[1].max), (f64::NEG_INFINITY, f64::INFINITY));
    let DistributionKind::Gaussian { x, sigma, .. } = &document.distribution("g").unwrap().kind else { panic!() };
    assert_eq!((x, sigma), (&Slot::Name("x".into()), &Slot::Number(1.5)));
    let DistributionKind::HistFactory(channel) = &document.distribution("h").unwrap().kind else { panic!() };
    let modifiers = &channel.samples[0].modifiers;
    assert_eq!(modifiers[0].interpolation, Some(Interpolation::Code(1)));
    assert_eq!(modifiers[0].constraint.constraint_name.as_deref(), Some("c"));
    assert!(matches!(modifiers[1].interpolation, Some(Interpolation::Struct(_))));
    assert_eq!(modifiers[1].constraint.constraint.as_deref(), Some("Gauss"));
    assert_eq!(modifiers[2].constraint.constraints, [Some("ca".to_string()), None]);
    assert_eq!(modifiers[2].data, ModifierData::Vals(vec![0.1, 0.2]));
    assert_eq!(modifiers[3].interpolation, Some(Interpolation::InData("code4".into())));
    assert_eq!(modifiers[4].interpolation, Some(Interpolation::Word("poly6".into())));
}

/// Each change breaks one rule; leniencies are warnings, and errors for a strict reader.
#[test]
fn each_rule_has_an_input_that_breaks_it() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &str, Change)] = &[
        ("W401", "", |v| drop(v.as_object_mut().unwrap().remove("metadata"))),
        ("W401", "/metadata", |v| drop(v["metadata"].as_object_mut().unwrap().remove("hs3_version"))),
        ("W402", "/distributions/0", |v| drop(v["distributions"][0].as_object_mut().unwrap().remove("mean"))),
        ("W402", "/distributions/0/sigma", |v| v["distributions"][0]["sigma"] = json!([1, 2])),
        ("W402", "/distributions/0/mean", |v| v["distributions"][0]["mean"] = json!("")),
        ("W402", "/data/0", |v| drop(v["data"][0].as_object_mut().unwrap().remove("entries"))),
        ("W402", "/functions", |v| v["functions"] = json!({"name": "minus_c"})),
        ("W403", "/distributions/0/colour", |v| v["distributions"][0]["colour"] = json!("red")),
        ("W404", "/distributions/3/type", |v| v["distributions"][3]["type"] = json!("voigt_dist")),
        ("W404", "/functions/0/type", |v| v["functions"][0]["type"] = json!("magic")),
        ("W405", "/distributions/0/sigma", |v| v["distributions"][0]["sigma"] = json!("1.0")),
        ("W406", "/distributions/0/type", |v| v["distributions"][0]["type"] = json!("normal_dist")),
        ("W406", "/distributions/0/x", |v| v["distributions"][0]["x"] = json!(["x"])),
        ("W407", "/distributions/1", |v| {
            v["distributions"][1]["name"] = json!("e(1)");
            v["distributions"][2]["summands"][1] = json!("e(1)");
        }),
        ("W408", "/functions/0", |v| v["functions"][0]["name"] = json!("g")),
        ("W408", "/parameter_points/0/parameters/0", |v| {
            v["parameter_points"][0]["parameters"][0]["name"] = json!("g");
        }),
        ("W409", "/distributions/2/summands/1", |v| v["distributions"][2]["summands"][1] = json!("nothing")),
        ("W409", "/likelihoods/0/data/0", |v| v["likelihoods"][0]["data"][0] = json!("nothing")),
        ("W409", "/analyses/0/likelihood", |v| v["analyses"][0]["likelihood"] = json!("nothing")),
        ("W410", "/functions/0/expression", |v| v["functions"][0]["expression"] = json!("-minus_c")),
        ("W411", "/data/1", |v| v["data"][1]["contents"] = json!([1, 2, 3])),
        ("W411", "/data/1/axes/0", |v| v["data"][1]["axes"][0]["edges"] = json!([0, 2, 1])),
        ("W411", "/data/0/axes/0", |v| v["data"][0]["axes"][0]["max"] = json!(-1)),
        ("W411", "/data/0/entries/1", |v| v["data"][0]["entries"][1] = json!([1, 2])),
        ("W411", "/data/1", |v| {
            let axis = json!({"name": "y", "min": 0, "max": 1, "nbins": 1_000_000_000_000_i64});
            v["data"][1]["axes"] = json!([axis, axis, axis]);
        }),
        ("W412", "/functions/0/expression", |v| v["functions"][0]["expression"] = json!("-c +")),
        ("W413", "/functions/0/expression", |v| v["functions"][0]["expression"] = json!("(".repeat(100_000))),
        ("W413", "/functions/0/expression", |v| {
            v["functions"][0]["expression"] = json!(format!("c{}", "+c".repeat(100_001)));
        }),
        ("W414", "/functions/0/expression", |v| v["functions"][0]["expression"] = json!("tanh(c)")),
        ("W415", "/likelihoods/0", |v| v["likelihoods"][0]["data"] = json!(["d"])),
        ("W416", "/data/0/weights", |v| v["data"][0]["weights"] = json!([1])),
        ("W417", "/analyses/0/domains", |v| v["analyses"][0]["domains"] = json!(["nothing"])),
    ];
    for (rule, pointer, change) in cases {
        let mut value = sound();
        change(&mut value);
        let findings = match from_value(&value, false) {
            Ok(document) => document.warnings,
            Err(findings) => findings,
        };
        let broken: Vec<_> = findings.0.iter().filter(|f| f.rule == *rule).collect();
        assert!(broken.iter().any(|f| f.pointer.as_deref() == Some(pointer)), "{rule} {pointer}:\n{findings}");
        assert!(broken.iter().all(|f| f.line.is_some()), "{rule} {pointer}");
        let lenient = ["W401", "W403", "W405", "W406", "W409", "W414", "W416", "W417"].contains(rule);
        if lenient {
            assert!(findings.is_valid(), "{rule}:\n{findings}");
            let strict = from_value(&value, true).unwrap_err();
            assert!(strict.0.iter().any(|f| f.rule == *rule && f.severity == Severity::Error), "{rule}");
        }
    }
}

#[test]
fn dialects_follow_the_packages_and_can_be_overridden() {
    let mut value = sound();
    let dialect = |value: &Value| from_value(value, false).unwrap().dialect;
    value["metadata"]["packages"] = json!([{"name": "numpy", "version": "1"}, {"name": "pyhs3", "version": "0.4.2"}]);
    assert_eq!(dialect(&value), Dialect::Pyhs3);
    value["metadata"]["packages"] = json!([{"name": "HS3.jl"}]);
    assert_eq!(dialect(&value), Dialect::Hs3Jl);
    value["metadata"]["packages"] = json!([]);
    assert_eq!(dialect(&value), Dialect::Canonical);
    value["metadata"]["packages"] = json!([{"name": "ROOT", "version": "6.36.02"}]);
    assert_eq!(dialect(&value), Dialect::Root(Version { major: 6, minor: 36, patch: 2 }));
    let chosen = ReadOptions { dialect: Some("root-6.30".parse().unwrap()), strict: false };
    let read = Hs3Document::from_value(&sound(), &chosen).unwrap();
    assert_eq!(read.dialect.to_string(), "root-6.30.00");
    assert!("root-x".parse::<Dialect>().is_err() && "fortran".parse::<Dialect>().is_err());
}

#[test]
fn recognised_by_what_the_document_has() {
    let recognised = |value: Value| {
        let document = Document::from_slice("test", value.to_string().into_bytes(), &Limits::default()).unwrap();
        is_hs3(&document)
    };
    assert!(recognised(json!({"metadata": {"hs3_version": "0.2"}})));
    assert!(recognised(json!({"distributions": []})));
    assert!(recognised(json!({"metadata": {}, "likelihoods": []})));
    assert!(!recognised(json!({"channels": [], "distributions": []})));
    assert!(!recognised(json!({"channels": [], "version": "1.0.0"})));
    assert!(!recognised(json!({"metadata": {"name": "x"}, "patches": []})));
    assert!(!recognised(json!({"metadata": ["hs3_version"]})));
    assert!(!recognised(json!([{"distributions": []}])));
}

/// Seventeen digits and more, the smallest numbers and the largest: each is the number that its text is nearest to, and the
/// shortest text of that is read as it again.
#[test]
fn numbers_are_read_as_they_are_written() {
    let texts = [
        "0.1",
        "0.10000000000000001",
        "0.1000000000000000055511151231257827",
        "5e-324",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "50",
        "9007199254740993",
        "-1.2345678901234567e-7",
    ];
    let text = format!(
        r#"{{"metadata": {{"hs3_version": "0.2"}}, "data": [{{"name": "d", "type": "binned", "contents": [{}],
            "axes": [{{"name": "x", "min": 0, "max": 1, "nbins": {}}}]}}]}}"#,
        texts.join(","),
        texts.len()
    );
    let document = Document::from_slice("d", text.into_bytes(), &Limits::default()).unwrap();
    let read = Hs3Document::from_document(&document, &ReadOptions::default()).unwrap();
    let DataKind::Binned(contents) = &read.data[0].kind else { panic!("not binned") };
    for (text, number) in texts.iter().zip(&contents.contents) {
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text}");
        let shortest = serde_json::to_string(number).unwrap();
        assert_eq!(shortest.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text} {shortest}");
    }
}
