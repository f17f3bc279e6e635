//! The built program on expanded files that hold their EFT document (spec/eft-hs3.md, section 6): commands give what they
//! give on the workspace, whose numbers are those of numpy and iminuit (`fixtures/eft_*/`, `conformance/cases/eft_*`).

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use common::read_json;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name).join("workspace.json");
    path.display().to_string()
}

fn file(name: &str, value: &Value) -> String {
    scratch(name, &value.to_string()).display().to_string()
}

/// The workspace of a file as HS3, in a file of its own.
fn expanded(name: &str, workspace: &str, flags: &[&str]) -> String {
    let path: PathBuf = scratch(name, "");
    let path = path.display().to_string();
    let done = morphist(&[&["eft", "expand", workspace, "--output", &path], flags].concat());
    assert!(done.status.success(), "{}", stderr(&done));
    path
}

#[test]
fn commands_give_what_they_give_on_the_workspace() {
    for (name, poi) in [("eft_relative", "c2"), ("eft_mc_stat", ""), ("eft_rational", ""), ("eft_running", "EV2")] {
        let workspace = fixture(name);
        let file = expanded(&format!("commands_{name}.json"), &workspace, &[]);
        let poi = if poi.is_empty() { vec!["limit"] } else { vec!["limit", "--poi", poi] };
        let commands: [&[&str]; 9] = [
            &["eft", "inspect"],
            &["eft", "directions"],
            &["eft", "individual"],
            &["eft", "compare"],
            &["eft", "responses"],
            &["fit"],
            &["yields"],
            &poi,
            &["inspect", "--model"],
        ];
        for command in commands {
            let (head, flags) = command.split_at(if command[0] == "eft" { 2 } else { 1 });
            let of = |document: &str| {
                let done = morphist(&[head, &[document, "--format", "json"], flags].concat());
                (done.status.code(), stdout(&done))
            };
            let (code, report) = of(&workspace);
            assert!(report.len() > 100, "{name}, {command:?}: {report}");
            assert_eq!(of(&file), (code, report), "{name}, {command:?}");
        }
    }
}

/// A mass stands in denominators: its commands ask the block of the document.
#[test]
fn masses_are_known() {
    let workspace = fixture("eft_masses");
    let file = expanded("masses.json", &workspace, &[]);
    let all = read_json(Path::new(&workspace))["eft"]["parameter_transform"].to_string();
    assert!(all.contains("\"M\""), "{all}");
    let of = |document: &str, command: &[&str]| {
        let (head, rest) = command.split_at(command.len() - 1);
        let done = morphist(&[head, &[document], rest].concat());
        (done.status.code(), stderr(&done).replace(document, "FILE"), stdout(&done))
    };
    for command in [&["eft", "mass", "M"][..], &["limit", "--poi=M"]] {
        assert_eq!(of(&file, command), of(&workspace, command), "{command:?}");
    }
}

#[test]
fn a_truncation_goes_along() {
    let workspace = fixture("eft_relative");
    let whole = expanded("truncation_whole.json", &workspace, &[]);
    let linear = expanded("truncation_linear.json", &workspace, &["--truncation", "linear"]);
    for command in [&["fit"][..], &["eft", "individual"], &["evaluate"]] {
        let of = |document: &str, flags: &[&str]| {
            let mut report = json_of(&[command, &[document], flags].concat(), 0);
            for own in ["nll_roofit", "likelihood", "conventions", "hs3"] {
                report.as_object_mut().unwrap().remove(own);
            }
            if command == ["evaluate"] {
                // Why there is no nll_roofit.
                report.as_object_mut().unwrap().remove("notes");
            }
            report
        };
        let want = of(&workspace, &["--truncation", "linear"]);
        assert_ne!(want, of(&workspace, &[]), "the truncation acts");
        assert_eq!(of(&linear, &[]), want, "{command:?}");
        assert_eq!(of(&linear, &["--truncation", "quadratic"]), want, "{command:?}");
        assert_eq!(of(&whole, &["--truncation", "linear"]), want, "{command:?}");
    }
    // The document alone does not say it: told, and refused where it would be lost.
    let told = morphist(&["eft", "inspect", &linear]);
    assert!(stderr(&told).contains("ended at order 1"), "{}", stderr(&told));
    let lost = morphist(&["convert", &linear]);
    assert!(stderr(&lost).contains("W460") && lost.status.code() == Some(1), "{}", stderr(&lost));
    let edited = morphist(&["eft", "rescale", &linear, "--sample", "signal", "--factor", "2"]);
    assert!(stderr(&edited).contains("ended at order 1"), "{}", stderr(&edited));
    // A file without a document has no responses to end.
    let plain = expanded("truncation_plain.json", &workspace, &["--portable-only"]);
    let refused = morphist(&["fit", &plain, "--truncation", "linear"]);
    assert!(stderr(&refused).contains("--truncation") && refused.status.code() == Some(2), "{}", stderr(&refused));
}

/// The file has the measurement and the parameter of interest that were expanded.
#[test]
fn the_chosen_measurement_goes_along() {
    let mut value = read_json(Path::new(&fixture("eft_relative")));
    let first = value["measurements"][0].clone();
    let second = json!({"name": "the other one", "config": {"poi": "", "parameters": [
        {"name": "c2", "inits": [0.4], "fixed": true}]}});
    value["measurements"] = json!([first, second]);
    let workspace = file("measurements_workspace.json", &value);
    let chosen = &["--measurement", "the other one", "--poi", "c1"];
    let hs3 = expanded("measurements.json", &workspace, chosen);
    let report = json_of(&["inspect", "--model", &hs3], 0);
    let want = json_of(&[&["inspect", "--model", &workspace], &chosen[..]].concat(), 0);
    for key in ["par_names", "poi", "suggested_init", "suggested_fixed", "suggested_bounds"] {
        assert_eq!(report[key], want[key]);
    }
    assert!(want["poi"] == "c1" && want["suggested_init"].to_string().contains("0.4"), "{want}");
    let own = &read_json(Path::new(&hs3))["misc"]["morphist"]["measurements"];
    assert_eq!((own.as_array().unwrap().len(), &own[0]["name"]), (1, &json!("the other one")));
    assert_eq!(
        json_of(&["eft", "individual", &hs3], 0),
        json_of(&[&["eft", "individual", &workspace], &chosen[..]].concat(), 0)
    );
    let told = morphist(&["fit", &hs3]);
    assert!(!stderr(&told).contains("W456"), "{}", stderr(&told));
}

/// The document comes out of its file, alone or for another reader, and can be changed.
#[test]
fn the_document_comes_back() {
    let workspace = fixture("eft_mc_stat");
    let hs3 = expanded("back.json", &workspace, &[]);
    let back = file("back_workspace.json", &json_of(&["convert", &hs3], 0));
    assert_eq!(json_of(&["fit", &back], 0), json_of(&["fit", &workspace], 0));
    // Expanded again, for the same reader: the same file.
    let again = json_of(&["eft", "expand", &hs3], 0);
    assert_eq!(again, read_json(Path::new(&hs3)));
    assert_eq!(json_of(&["convert", &hs3, "--target", "root-6.40"], 0), again);
    let plain = json_of(&["eft", "strip", &hs3], 0);
    let stripped = json_of(&["eft", "strip", &workspace], 0);
    assert_eq!(
        json_of(&["fit", &file("back_plain.json", &plain)], 0),
        json_of(&["fit", &file("back_stripped.json", &stripped)], 0)
    );
    let sample = stripped["channels"][0]["samples"][0]["name"].as_str().unwrap().to_owned();
    let edit = |document: &str| {
        let changed = json_of(&["eft", "rescale", document, "--sample", &sample, "--factor", "2"], 0);
        json_of(&["evaluate", &file(&format!("back_edit_{}.json", document.len()), &changed)], 0)
    };
    assert_eq!(edit(&hs3), edit(&workspace));
    assert_ne!(edit(&hs3)["twice_nll"], json_of(&["evaluate", &workspace], 0)["twice_nll"]);
}

#[test]
fn a_file_without_a_sound_document_is_refused() {
    let hs3 = expanded("refused.json", &fixture("eft_relative"), &[]);
    let portable = expanded("refused_portable.json", &fixture("eft_relative"), &["--portable-only"]);
    let mut other = read_json(Path::new(&hs3));
    other["data"][0]["contents"][0] = json!(12.0);
    other["misc"]["morphist"]["eft"]["wilson_coefficients"][0]["bounds"] = json!([3, 1]);
    let unsound = file("refused_unsound.json", &other);
    for (document, words) in [(&portable, "without the EFT extension"), (&unsound, "breaks a rule")] {
        for command in [&["eft", "inspect"][..], &["eft", "individual"], &["eft", "expand"], &["eft", "strip"]] {
            let done = morphist(&[command, &[document]].concat());
            let told = stderr(&done);
            assert!(
                done.status.code() == Some(1) && told.contains("W456") && told.contains(words),
                "{command:?}: {told}"
            );
        }
    }
}

/// `nll_roofit` is the number that ROOT 6.40.00 has for the file (`fixtures/eft_*/expanded.json`, there less N ln k), or is
/// not there: ROOT does not profile η, and does not end responses.
#[test]
fn nll_roofit_is_that_of_the_file() {
    let recorded = |name: &str| {
        let folder = Path::new(&fixture(name)).parent().unwrap().to_owned();
        let observations = read_json(&folder.join("workspace.json"))["observations"].clone();
        let observations = observations.as_array().unwrap().clone();
        let counts = observations.iter().flat_map(|channel| channel["data"].as_array().unwrap());
        let offset = counts.map(|n| n.as_f64().unwrap()).sum::<f64>() * (observations.len() as f64).ln();
        (read_json(&folder.join("expanded.json"))["points"].clone(), offset)
    };
    let check = |document: &str, (points, offset): &(Value, f64)| {
        for point in points.as_array().unwrap().iter().take(3) {
            let inits = point["parameters"].as_object().unwrap().iter();
            let inits: Vec<String> = inits.flat_map(|(name, x)| ["--init".to_owned(), format!("{name}={x}")]).collect();
            let inits: Vec<&str> = inits.iter().map(String::as_str).collect();
            let report = json_of(&[&["evaluate", document], &inits[..]].concat(), 0);
            let (found, root) = (report["nll_roofit"].as_f64().unwrap(), point["nll_root"].as_f64().unwrap() + offset);
            assert!((found - root).abs() < 1e-9, "{found} and {root}");
            assert!(report.get("notes").is_none(), "{report}");
        }
    };
    check(&expanded("roofit_relative.json", &fixture("eft_relative"), &[]), &recorded("eft_relative"));
    let portable = expanded("roofit_portable.json", &fixture("eft_mc_stat"), &["--portable-only"]);
    check(&portable, &recorded("eft_mc_stat"));
    let relative = expanded("roofit_truncated.json", &fixture("eft_relative"), &[]);
    let profiled = expanded("roofit_profiled.json", &fixture("eft_mc_stat"), &[]);
    for (arguments, told) in [
        (&["evaluate", &profiled][..], "7 parameters eta"),
        (&["evaluate", &relative, "--truncation", "linear"], "end at order 1 "),
    ] {
        let report = json_of(arguments, 0);
        assert!(report.get("nll_roofit").is_none(), "{report}");
        assert_eq!(report["notes"][0]["code"], "not_of_file");
        assert!(report["notes"][0]["message"].as_str().unwrap().contains(told), "{report}");
        let table = stdout(&morphist(&[arguments, &["--format", "table"]].concat()));
        assert!(table.contains("nll_roofit is left out"), "{table}");
    }
}
