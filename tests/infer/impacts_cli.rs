//! `ranking`, `yields`, `gof`, `asimov` and blinding as people use them. Numbers come from fits of the same program,
//! which tests/infer/impacts.rs compares with others, and from closed forms.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use serde_json::{Value, json};
use std::path::PathBuf;

const COUNTING: &str = "fixtures/counting/workspace.json";
const HIGGS_LIKE: &str = "fixtures/higgs_like/workspace.json";
const ALL: &str = "fixtures/all_modifiers/workspace.json";

/// The JSON of a command that ends well, and what it said.
fn told(arguments: &[&str]) -> (Value, String) {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    (serde_json::from_slice(&output.stdout).unwrap(), stderr(&output))
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    assert!(output.stdout.is_empty(), "{arguments:?}");
    stderr(&output)
}

fn document(name: &str, content: &Value) -> PathBuf {
    scratch(&format!("impacts_{name}"), &content.to_string())
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn close(ours: &Value, theirs: &Value, tolerance: f64) {
    assert!((number(ours) - number(theirs)).abs() <= tolerance, "{ours} against {theirs}");
}

#[test]
fn results_obey_their_schemas() {
    let cases: [(&str, &[&str]); 7] = [
        ("report-ranking", &["ranking", HIGGS_LIKE, "--group", "scales=*_scale", "--max-pars", "5"]),
        ("report-ranking", &["ranking", ALL, "--blind-poi", "word", "--method", "hesse"]),
        ("report-yields", &["yields", HIGGS_LIKE]),
        ("report-yields", &["yields", HIGGS_LIKE, "--postfit", "--blind", "SR_*", "--fix", "mu=1"]),
        ("report-gof", &["gof", HIGGS_LIKE, "--compatibility"]),
        ("report-gof", &["gof", COUNTING]),
        ("report-fit", &["fit", HIGGS_LIKE, "--blind-poi", "word", "--blind", "SR_0jet"]),
    ];
    for (name, arguments) in cases {
        let validator = jsonschema::validator_for(&json_of(&["schema", name], 0)).unwrap();
        let result = json_of(arguments, 0);
        let errors: Vec<String> = validator.iter_errors(&result).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
        for format in ["table", "csv", "latex"] {
            let output = morphist(&[arguments, &["--format", format]].concat());
            assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?} {format}");
        }
    }
}

#[test]
fn rankings_take_the_flags_of_cabinetry() {
    let all = json_of(&["ranking", HIGGS_LIKE], 0);
    let first = json_of(&["ranking", HIGGS_LIKE, "--max_pars", "3"], 0);
    assert_eq!(first["parameters"].as_array().unwrap()[..], all["parameters"].as_array().unwrap()[..3]);
    assert_eq!(first["not_listed"], json!(all["parameters"].as_array().unwrap().len() - 3));
    // On Asimov data the strength is the one that they were made with.
    let asimov = json_of(&["ranking", HIGGS_LIKE, "--asimov", "--expectSignal", "0.7", "--method", "hesse"], 0);
    close(&asimov["poi_value"], &json!(0.7), 1e-4);
    for parameter in asimov["parameters"].as_array().unwrap().iter().filter(|p| !p["pull"].is_null()) {
        close(&parameter["pull"], &json!(0.0), 1e-3);
    }
    refused(&["ranking", HIGGS_LIKE, "--group", "scales"], 2);
    refused(&["ranking", HIGGS_LIKE, "--group", "scales=none_such*"], 2);
    refused(&["ranking", HIGGS_LIKE, "--poi", ""], 1);
    refused(&["ranking", HIGGS_LIKE, "--fix", "mu=1"], 1);
}

/// Row 25: everything but the value of the parameter of interest is as without blinding; two results with one word
/// may be compared.
#[test]
fn a_hidden_value_moves_nothing_else() {
    let (open, hidden) = (json_of(&["fit", HIGGS_LIKE], 0), told(&["fit", HIGGS_LIKE, "--blind-poi", "word"]));
    let (hidden, said) = hidden;
    let offset = number(&hidden["mle_parameters"]["mu"][0]) - number(&open["mle_parameters"]["mu"][0]);
    assert!(offset.abs() > 1e-3);
    assert_eq!((&hidden["blinded"], &open["blinded"]), (&json!(true), &Value::Null));
    let mut same = hidden.clone();
    same["mle_parameters"]["mu"] = open["mle_parameters"]["mu"].clone();
    same.as_object_mut().unwrap().remove("blinded");
    assert!(same["notes"].as_array_mut().unwrap().iter().all(|note| note["code"] == "blinded"));
    same["notes"] = open["notes"].clone();
    assert_eq!(same, open);
    assert!(!said.contains(&format!("{offset:.3}")));
    let ranking = [json_of(&["ranking", HIGGS_LIKE], 0), json_of(&["ranking", HIGGS_LIKE, "--blind-poi", "word"], 0)];
    close(&ranking[1]["poi_value"], &json!(number(&ranking[0]["poi_value"]) + offset), 1e-9);
    assert_eq!(ranking[0]["parameters"], ranking[1]["parameters"]);
    let gof = ["gof", HIGGS_LIKE, "--compatibility"];
    let gof = [json_of(&gof, 0), json_of(&[&gof[..], &["--blind-poi", "word"]].concat(), 0)]
        .map(|r| r["compatibility"].clone());
    close(&gof[1]["common"], &json!(number(&gof[0]["common"]) + offset), 1e-9);
    for (open, hidden) in gof[0]["groups"].as_array().unwrap().iter().zip(gof[1]["groups"].as_array().unwrap()) {
        close(&hidden["value"], &json!(number(&open["value"]) + offset), 1e-9);
        assert_eq!(hidden["uncertainty"], open["uncertainty"]);
    }
    let table = morphist(&["fit", HIGGS_LIKE, "--blind-poi", "word", "--format", "table"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("hidden offset"), "{table}");
}

/// Row 25: yields at a hidden value are refused, and other commands say that the value they begin with is shifted.
#[test]
fn a_hidden_value_does_not_leak_through_other_commands() {
    let path = document("blinded.json", &json_of(&["fit", HIGGS_LIKE, "--blind-poi", "word"], 0));
    let path = path.to_str().unwrap();
    assert!(refused(&["yields", HIGGS_LIKE, "--parameters", path], 1).contains("hidden"));
    let (_, said) = told(&["fit", HIGGS_LIKE, "--parameters", path]);
    assert!(said.contains("shifted by a hidden offset"), "{said}");
    refused(&["fit", "fixtures/poi_empty/workspace.json", "--blind-poi", "word"], 1);
    refused(&["yields", HIGGS_LIKE, "--postfit", "--blind-poi", "word"], 2);
    refused(&["fit", HIGGS_LIKE, "--blind-width", "2"], 2);
}

/// Row 25: observations of a blinded channel are neither fitted nor shown, in all commands; its yields are.
#[test]
fn blinded_channels_are_predicted_only() {
    let mut other = read(HIGGS_LIKE);
    for observation in other["observations"].as_array_mut().unwrap() {
        if observation["name"] == "SR_0jet" {
            observation["data"].as_array_mut().unwrap().iter_mut().for_each(|n| *n = json!(7654321));
        }
    }
    let other = document("other.json", &other);
    let commands: [&[&str]; 5] =
        [&["fit"], &["ranking", "--method", "hesse"], &["yields", "--postfit"], &["gof"], &["evaluate", "--gradient"]];
    for command in commands {
        let with = |file: &str| {
            let arguments = [&command[..1], &[file][..], &command[1..], &["--blind", "SR_0*"]].concat();
            told(&arguments)
        };
        let ((ours, said), (theirs, _)) = (with(HIGGS_LIKE), with(other.to_str().unwrap()));
        assert_eq!(ours, theirs, "{command:?}");
        assert!(!ours.to_string().contains("7654321"));
        assert!(said.contains("SR_0jet"), "{said}");
    }
    let yields = json_of(&["yields", HIGGS_LIKE, "--mask", "SR_0jet"], 0);
    assert_eq!(yields["blinded_channels"], json!(["SR_0jet"]));
    let channels = yields["channels"].as_array().unwrap();
    let of = |name: &str| channels.iter().find(|channel| channel["name"] == name).unwrap();
    assert_eq!((&of("SR_0jet")["data"], of("SR_1jet")["data"].is_array()), (&Value::Null, true));
    assert!(number(&of("SR_0jet")["sum"]) > 0.0);
    let table = morphist(&["evaluate", other.to_str().unwrap(), "--blind", "SR_0jet", "--format", "table"]);
    assert!(!String::from_utf8(table.stdout).unwrap().contains("7654321"));
    assert!(refused(&["fit", HIGGS_LIKE, "--blind", "SR_2jet"], 2).contains("did you mean"));
    refused(&["fit", HIGGS_LIKE, "--blind", "*"], 2);
    // The strength acts in the only signal region.
    let (fit, said) = told(&["fit", ALL, "--blind", "SR"]);
    assert_eq!((&fit["held_by_blinding"], &fit["mle_parameters"]["mu"]), (&json!(["mu"]), &json!([1.0])));
    assert!(said.contains("held at the start"), "{said}");
    assert!(refused(&["ranking", ALL, "--blind", "SR"], 1).contains("blinded data only"));
}

/// The yields of a fit are those of its result applied, also to a model that has a channel more: what both share is
/// the same, what the fit lacks is told and as before a fit.
#[test]
fn a_fit_is_applied_to_another_model() {
    let fit = document("fit.json", &json_of(&["fit", HIGGS_LIKE], 0));
    let direct = json_of(&["yields", HIGGS_LIKE, "--postfit"], 0);
    let applied = json_of(&["yields", HIGGS_LIKE, "--parameters", fit.to_str().unwrap()], 0);
    for (direct, applied) in direct["channels"].as_array().unwrap().iter().zip(applied["channels"].as_array().unwrap())
    {
        for key in ["total", "total_uncertainties"] {
            for (a, b) in direct[key].as_array().unwrap().iter().zip(applied[key].as_array().unwrap()) {
                close(a, b, 1e-9 * number(a));
            }
        }
    }
    let mut smaller = read(HIGGS_LIKE);
    for list in ["channels", "observations"] {
        smaller[list].as_array_mut().unwrap().retain(|entry| entry["name"] != "SR_1jet");
    }
    let smaller = document("smaller.json", &smaller);
    let smaller = smaller.to_str().unwrap();
    let (less, said) = told(&["yields", smaller, "--parameters", fit.to_str().unwrap()]);
    assert!(said.contains("not in the model, so left out"), "{said}");
    for channel in less["channels"].as_array().unwrap() {
        let same = applied["channels"].as_array().unwrap().iter().find(|c| c["name"] == channel["name"]).unwrap();
        assert_eq!(channel["samples"], same["samples"]);
    }
    let part = document("part.json", &json_of(&["fit", smaller], 0));
    let (more, said) = told(&["yields", HIGGS_LIKE, "--parameters", part.to_str().unwrap()]);
    assert!(said.contains("not in the fit, so as before a fit"), "{said}");
    assert!(more["notes"].as_array().unwrap().iter().any(|note| note["code"] == "not_matched"));
    assert_eq!(more["prefit"], json!(false));
    let wrong = document("wrong.json", &json!({"mle_parameters": {"mu": "one"}}));
    refused(&["yields", HIGGS_LIKE, "--parameters", wrong.to_str().unwrap()], 1);
    let wrong = json!({"mle_parameters": {"mu": [1.0]}, "correlation": {"labels": ["mu"], "values": [[1.0, 0.0]]}});
    let wrong = document("not_square.json", &wrong);
    refused(&["yields", HIGGS_LIKE, "--parameters", wrong.to_str().unwrap()], 1);
}

/// n = b + μ s of the counting experiment: 40 + 8 μ.
#[test]
fn asimov_workspaces_differ_in_their_observations_only() {
    let written = json_of(&["asimov", COUNTING, "--poi-value", "2"], 0);
    let mut by_hand = read(COUNTING);
    assert_eq!(written["observations"][0]["data"], json!([56.0]));
    by_hand["observations"][0]["data"] = written["observations"][0]["data"].clone();
    assert_eq!(written, by_hand);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&written), keys(&by_hand));
    refused(&["asimov", COUNTING, "--conditional", "--poi-value", "1"], 2);
    let negative = refused(&["asimov", COUNTING, "--poi-value", "-6"], 1);
    assert!(negative.contains("there are no such data"), "{negative}");
}

/// Shifted auxiliary data are written where pyhf reads them (pyhf 0.7.6 returns them as `Workspace.data`), and said; a
/// fit to what was written ends at the fit it was made from, with nothing left over.
#[test]
fn asimov_data_after_a_fit_carry_their_auxiliary_data() {
    let fit = json_of(&["fit", ALL], 0);
    let (written, said) = told(&["asimov", ALL, "--postfit"]);
    assert!(said.contains("WARNING: the auxiliary data moved"), "{said}");
    let path = document("asimov.json", &written);
    let again = json_of(&["fit", path.to_str().unwrap()], 0);
    for (name, values) in fit["mle_parameters"].as_object().unwrap() {
        for (i, value) in values.as_array().unwrap().iter().enumerate() {
            close(&again["mle_parameters"][name][i], value, 1e-4);
        }
    }
    assert!(number(&json_of(&["gof", path.to_str().unwrap()], 0)["statistic"]) < 1e-8);
    let (nominal, said) = told(&["asimov", ALL, "--postfit", "--nominal-auxdata"]);
    assert!(said.contains("will not end at the point"), "{said}");
    assert_eq!(nominal["measurements"], read(ALL)["measurements"]);
    assert_eq!(nominal["observations"], written["observations"]);
}

/// Row 2 and 8: a fit that fails gives no Asimov data and no good exit code.
#[test]
fn a_failed_fit_is_told() {
    let bad = "fixtures/yield_at_zero/workspace.json";
    refused(&["asimov", bad, "--postfit"], 1);
    for command in ["ranking", "gof"] {
        let output = morphist(&[command, bad]);
        assert_eq!(output.status.code(), Some(1), "{command}");
    }
    let output = morphist(&["yields", bad, "--postfit"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["valid"]), (Some(1), &json!(false)));
    assert_eq!(report["reason"]["code"], "yield_at_zero");
}

#[test]
fn no_p_value_without_degrees_of_freedom() {
    let gof = json_of(&["gof", COUNTING, "--compatibility"], 0);
    assert_eq!((&gof["p_value"], &gof["degrees_of_freedom"]), (&Value::Null, &json!(0)));
    assert_eq!(gof["reason"]["code"], "no_degrees_of_freedom");
    assert_eq!(gof["compatibility"]["reason"]["code"], "no_degrees_of_freedom");
}

/// With the strength held at 0 the count alone is random: the part of the Poisson probabilities (b = 40) with a deviance of
/// at least that of 53 events.
#[test]
fn goodness_of_fit_by_toys_is_a_poisson_sum() {
    let counting = "fixtures/counting/workspace.json";
    let arguments = ["gof", counting, "--fix", "mu=0", "--ntoys", "20000", "--seed", "5"];
    let report = json_of(&arguments, 0);
    let deviance = |n: f64| 2.0 * (40.0 - n + if n > 0.0 { n * (n / 40.0).ln() } else { 0.0 });
    assert!((report["statistic"].as_f64().unwrap() - deviance(53.0)).abs() < 1e-9);
    let (mut pmf, mut exact) = ((-40.0_f64).exp(), 0.0);
    for n in 0..400 {
        if deviance(f64::from(n)) >= deviance(53.0) - 1e-9 {
            exact += pmf;
        }
        pmf *= 40.0 / f64::from(n + 1);
    }
    let p = report["toys"]["p_value"].as_f64().unwrap();
    assert!((p - exact).abs() < 5.0 * (exact * (1.0 - exact) / 20_000.0).sqrt(), "{p} but {exact}");
    assert_eq!(report, json_of(&arguments, 0));
    assert_eq!(report["toys"]["n_failed"], 0);
}
