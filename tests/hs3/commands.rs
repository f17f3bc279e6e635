//! The built program on HS3 documents. Numbers come from the closed form of a counting experiment, from ROOT 6.40.00 (the
//! corpus), and from the pyhf sources of its exports, which go another way through the program.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, with_stdin};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const OBSERVED: &[&str] = &["--measurement", "simPdf_obsData"];
/// What pyhf does not do.
const AS_PYHF: &[&str] = &["--convention", "clip_templates=no,truncate_constraints=no"];

/// Two channels of one bin with 11 and 7 events: μ · 5 + 4 expected in the first, 6 in the second.
fn counting(package: &str) -> Value {
    let channel = |name: &str, samples: Value| {
        json!({"name": name, "type": "histfactory_dist", "axes": [{"name": format!("obs_{name}"), "min": 0, "max": 1, "nbins": 1}],
            "samples": samples})
    };
    let data = |name: &str, n: f64| {
        json!({"name": format!("data_{name}"), "type": "binned", "contents": [n],
            "axes": [{"name": format!("obs_{name}"), "min": 0, "max": 1, "nbins": 1}]})
    };
    let mu = json!([{"name": "mu", "type": "normfactor", "parameter": "mu"}]);
    json!({
        "metadata": {"hs3_version": "0.2", "packages": [{"name": package, "version": "6.40.00"}]},
        "distributions": [
            channel("a", json!([{"name": "bkg", "data": {"contents": [4.0]}, "modifiers": []},
                {"name": "sig", "data": {"contents": [5.0]}, "modifiers": mu}])),
            channel("b", json!([{"name": "bkg", "data": {"contents": [6.0]}, "modifiers": []}])),
        ],
        "data": [data("a", 11.0), data("b", 7.0)],
        "likelihoods": [{"name": "both", "distributions": ["a", "b"], "data": ["data_a", "data_b"]},
            {"name": "first", "distributions": ["a"], "data": ["data_a"]}],
        "analyses": [{"name": "counts", "likelihood": "both", "parameters_of_interest": ["mu"], "domains": ["default_domain"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [{"name": "mu", "min": 0, "max": 10}]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "mu", "value": 1.0}]}],
    })
}

fn file(name: &str, value: &Value) -> String {
    scratch(name, &value.to_string()).display().to_string()
}

/// −2 ln of a Poisson probability; ln n! as a sum.
fn minus_two_ln_poisson(n: u32, nu: f64) -> f64 {
    2.0 * (nu - f64::from(n) * nu.ln() + (1..=n).map(|k| f64::from(k).ln()).sum::<f64>())
}

fn close(ours: &Value, theirs: f64, tolerance: f64) {
    let ours = ours.as_f64().unwrap_or_else(|| panic!("{ours} instead of {theirs}"));
    assert!((ours - theirs).abs() <= tolerance, "{ours} against {theirs}");
}

#[test]
fn evaluate_gives_both_numbers() {
    let document = file("hs3_evaluate.json", &counting("ROOT"));
    let report = json_of(&["evaluate", &document, "--init", "mu=2"], 0);
    let expected = minus_two_ln_poisson(11, 14.0) + minus_two_ln_poisson(7, 6.0);
    close(&report["twice_nll"], expected, 1e-12);
    // N ln k of 18 events in two channels.
    close(&report["nll_roofit"], expected / 2.0 + 18.0 * 2.0_f64.ln(), 1e-12);
    let of_label = 18.0 * 2.0_f64.ln();
    for (flag, offset) in [
        (&["--convention", "channel_offset=no"][..], 0.0),
        (&["--no-root-compat"], of_label),
        (&["--dialect", "hs3"], of_label),
    ] {
        let report = json_of(&[&["evaluate", &document, "--init", "mu=2"], flag].concat(), 0);
        close(&report["nll_roofit"], expected / 2.0 + offset, 1e-12);
    }
    let forced = file("hs3_evaluate_plain.json", &counting("other"));
    let report = json_of(&["evaluate", &forced, "--init", "mu=2", "--root-compat"], 0);
    close(&report["nll_roofit"], expected / 2.0 + 18.0 * 2.0_f64.ln(), 1e-12);
    // Of a part of the data RooFit has no number.
    let blinded = json_of(&["evaluate", &document, "--init", "mu=2", "--blind", "b"], 0);
    close(&blinded["twice_nll"], minus_two_ln_poisson(11, 14.0), 1e-12);
    assert!(blinded.get("nll_roofit").is_none());
    let table = morphist(&["evaluate", &document, "--format", "table"]);
    assert!(common::program::stdout(&table).contains("nll_roofit"));
}

#[test]
fn analyses_and_likelihoods_are_chosen_by_name() {
    let document = file("hs3_choice.json", &counting("ROOT"));
    let of_first = minus_two_ln_poisson(11, 9.0);
    let of_both = of_first + minus_two_ln_poisson(7, 6.0);
    for (flag, expected) in [
        (&[][..], of_both),
        (&["--measurement", "counts"], of_both),
        (&["--analysis", "counts"], of_both),
        (&["--measurement", "first"], of_first),
        (&["--likelihood", "first"], of_first),
        (&["--measurement", "first", "--likelihood", "first"], of_first),
    ] {
        close(&json_of(&[&["evaluate", &document], flag].concat(), 0)["twice_nll"], expected, 1e-12);
    }
    let unknown = morphist(&["evaluate", &document, "--measurement", "third"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("W426"), "{}", stderr(&unknown));
    let contrary = morphist(&["evaluate", &document, "--measurement", "first", "--likelihood", "both"]);
    assert_eq!(contrary.status.code(), Some(2));
    let model = json_of(&["inspect", &document, "--model"], 0);
    assert_eq!((&model["measurement"], &model["poi"]), (&json!("counts"), &json!("mu")));
}

#[test]
fn standard_input_and_gzip_and_patches() {
    let document = counting("ROOT");
    let of = |output: std::process::Output| -> Value {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let expected = minus_two_ln_poisson(11, 9.0) + minus_two_ln_poisson(7, 6.0);
    close(&of(with_stdin(&["evaluate"], document.to_string().as_bytes()))["twice_nll"], expected, 1e-12);
    let (path, patch) = (
        file("hs3_patched.json", &document),
        file("hs3_patch.json", &json!([{"op": "replace", "path": "/data/0/contents", "value": [13]}])),
    );
    let expected = minus_two_ln_poisson(13, 9.0) + minus_two_ln_poisson(7, 6.0);
    close(&json_of(&["evaluate", &path, "--patch", &patch], 0)["twice_nll"], expected, 1e-12);
    let written = json_of(&["patch", &path, "--patch", &patch], 0);
    assert_eq!(written["data"][0]["contents"], json!([13]));
    close(&of(with_stdin(&["evaluate"], written.to_string().as_bytes()))["twice_nll"], expected, 1e-12);
    // The result of a patch is checked as a document is: the pointer leads into it.
    let wrong = file("hs3_patch_wrong.json", &json!([{"op": "replace", "path": "/data/0/axes/0/nbins", "value": 3}]));
    for command in ["patch", "fit", "validate"] {
        let output = morphist(
            &[command, &path, "--patch", &wrong, "--format", "table"][..4 + 2 * usize::from(command != "patch")],
        );
        assert_eq!(output.status.code(), Some(1), "{command}");
        let told = stderr(&output) + &common::program::stdout(&output);
        assert!(told.contains("W411") && told.contains("/data/0"), "{command}: {told}");
    }
}

/// Exit code 2 and a sentence, in every command that reads a document.
#[test]
fn options_that_do_not_apply_are_refused() {
    let document = file("hs3_refused.json", &counting("ROOT"));
    let patchset = "fixtures/higgs_like/patchset.json";
    for flags in [
        &["--interpolation", "normsys=code1"][..],
        &["--truncation", "linear"],
        &["--clip-sample-data", "0"],
        &["--clip-bin-data", "0"],
        &["--compat", "pyhf"],
        &["--patchset", patchset, "--name", "p1"],
        &["--convention", "clip_templates"],
        &["--convention", "clip_templates=maybe"],
        &["--convention", "clip=yes"],
        &["--convention", "clip_templates=yes,clip_templates=no"],
        &["--dialect", "roof"],
    ] {
        let output = morphist(&[&["fit", &document], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(flags[0]), "{flags:?}: {}", stderr(&output));
    }
    let points = morphist(&["limit", &document, "--patchset", patchset]);
    assert_eq!(points.status.code(), Some(2), "{}", stderr(&points));
    // And those of HS3 for workspaces.
    let workspace = "fixtures/counting/workspace.json";
    for flags in [&["--dialect", "root"][..], &["--strict"], &["--root-compat"], &["--likelihood", "first"]] {
        for command in ["fit", "validate", "inspect", "asimov"] {
            let output = morphist(&[&[command, workspace], flags].concat());
            assert_eq!(output.status.code(), Some(2), "{command} {flags:?}");
            assert!(stderr(&output).contains("no HS3 document"), "{command} {flags:?}: {}", stderr(&output));
        }
    }
    for command in [&["combine", &document, workspace][..], &["eft", "inspect", &document]] {
        let output = morphist(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(output.stdout.is_empty() && !stderr(&output).is_empty(), "{command:?}");
    }
}

/// Rule ids, pointers, lines and columns, and what a likelihood needs, once for all likelihoods.
#[test]
fn validate_tells_everything() {
    let good = file("hs3_good.json", &counting("ROOT"));
    assert_eq!(json_of(&["validate", &good], 0), json!({"valid": true, "findings": []}));
    let mut document = counting("ROOT");
    document["distributions"][0]["samples"][1]["modifiers"][0]["type"] = json!("unheard");
    document["data"][1]["contents"] = json!([7.0, 8.0]);
    document["data"][1]["axes"][0]["nbins"] = json!(2);
    let unused = json!({"name": "unused", "type": "gaussian_dist", "x": "obs_a", "mean": 0.0, "sigma": "1.0"});
    document["distributions"].as_array_mut().unwrap().push(unused);
    let text = serde_json::to_string_pretty(&document).unwrap();
    let bad = scratch("hs3_bad.json", &text).display().to_string();
    let report = json_of(&["validate", &bad], 1);
    let findings = report["findings"].as_array().unwrap();
    let has = |rule: &str, severity: &str, pointer: &str| {
        let same = |f: &&Value| f["rule"] == rule && f["severity"] == severity && f["pointer"] == pointer;
        findings.iter().find(same).unwrap_or_else(|| panic!("no {rule} at {pointer}: {report:#}")).clone()
    };
    has("W404", "warning", "/distributions/0/samples/1/modifiers/0/type");
    has("W421", "error", "/distributions/0/samples/1/modifiers/0");
    let shape = has("W444", "error", "/data/1");
    let line = text.lines().nth(shape["line"].as_u64().unwrap() as usize - 1).unwrap();
    assert_eq!(line.chars().nth(shape["column"].as_u64().unwrap() as usize - 1), Some('{'), "{line}");
    has("W405", "warning", "/distributions/2/sigma");
    // The first likelihood does not need the second channel.
    let first = json_of(&["validate", &bad, "--likelihood", "first"], 1);
    assert!(first["findings"].as_array().unwrap().iter().all(|f| f["rule"] != "W444"), "{first:#}");
    let strict = json_of(&["validate", &bad, "--strict"], 1);
    assert!(strict["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "W405" && f["severity"] == "error"));
    let chosen = json_of(&["validate", &good, "--kind", "workspace"], 1);
    assert_eq!(chosen["valid"], false);
    // A reader warns of a name that is not there; it is an error where a likelihood needs it.
    let mut dangling = counting("ROOT");
    dangling["likelihoods"][1]["distributions"] = json!(["c"]);
    let dangling = file("hs3_dangling.json", &dangling);
    let report = json_of(&["validate", &dangling], 1);
    let of_name = |f: &&Value| f["rule"] == "W409" && f["pointer"] == "/likelihoods/1/distributions/0";
    let found: Vec<&Value> = report["findings"].as_array().unwrap().iter().filter(of_name).collect();
    assert!(matches!(found.as_slice(), [only] if only["severity"] == "error"), "{report:#}");
    assert_eq!(json_of(&["validate", &dangling, "--likelihood", "both"], 0)["valid"], true);
}

#[test]
fn inspect_shows_components_conventions_and_likelihoods() {
    let mut document = counting("ROOT");
    document["distributions"][1]["samples"][0]["modifiers"] =
        json!([{"name": "size", "type": "normsys", "parameter": "alpha_size", "data": {"lo": 0.9, "hi": 1.1}}]);
    document["likelihoods"].as_array_mut().unwrap().push(json!(
        {"name": "third", "distributions": ["not_there"], "data": ["data_a"]}));
    let path = file("hs3_inspect.json", &document);
    let report = json_of(&["inspect", &path], 0);
    assert_eq!(report["dialect"], "root-6.40.00");
    assert_eq!(report["packages"], json!([["ROOT", "6.40.00"]]));
    let conventions = json!({"channel_offset": true, "clip_templates": true, "root_compat": true, "root_densities": true,
        "shapesys_values": "relative", "truncate_constraints": true, "widths_from_ranges": true});
    assert_eq!(report["conventions"], conventions);
    assert_eq!(report["components"]["distributions"], json!({"histfactory_dist": 2}));
    assert_eq!(report["analyses"][0]["parameters_of_interest"], json!(["mu"]));
    let both = &report["likelihoods"][0];
    assert_eq!(both["channels"], json!([["a", 1], ["b", 1]]));
    assert_eq!(both["samples"], json!(["bkg", "sig"]));
    assert_eq!(both["modifiers"], json!({"mu": "normfactor", "size": "normsys"}));
    let systematics =
        json!([["alpha_size", "constrained_by_normal", ["normsys"]], ["mu", "unconstrained", ["normfactor"]]]);
    assert_eq!(both["systematics"], systematics);
    assert_eq!(
        both["distributions"][0],
        json!({"data": "data_a", "distribution": "a", "entries": 1, "type": "histfactory_dist"})
    );
    // What has no model says why, and the others are shown.
    let third = report["likelihoods"].as_array().unwrap().iter().find(|l| l["name"] == "third").unwrap();
    assert_eq!(third["parameters"], Value::Null);
    assert!(third["reasons"][0]["rule"].is_string(), "{third:#}");
    let plain = json_of(
        &["inspect", &path, "--dialect", "hs3", "--convention", "shapesys_values=tau", "--likelihood", "first"],
        0,
    );
    assert_eq!((&plain["dialect"], &plain["conventions"]["clip_templates"]), (&json!("hs3"), &json!(false)));
    assert_eq!(plain["conventions"]["shapesys_values"], "tau");
    assert_eq!(plain["likelihoods"].as_array().unwrap().len(), 1);
    let table = common::program::stdout(&morphist(&["inspect", &path, "--format", "table"]));
    for word in ["root-6.40.00", "clip_templates=yes", "histfactory_dist", "alpha_size", "counts", "without a model"] {
        assert!(table.contains(word), "{word}: {table}");
    }
}

/// A pyhf source of the corpus and ROOT's export of it.
fn pair(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    (directory.join(format!("pyhf-src/{name}.json")), directory.join(format!("pyhf/{name}.json")))
}

/// ROOT's numbers at four points of an export, through files of parameters.
#[test]
fn evaluate_gives_roots_numbers() {
    let Some(directory) = common::directory("hs3/root") else { return };
    for name in ["normsys_asym", "two_channels", "ATLAS-SUSY-2018-31-BkgOnlyB"] {
        let (_, export) = pair(&directory, name);
        let reference = common::read_json(&directory.join(format!("pyhf/{name}.ref.json")));
        let mut compared = 0;
        // One export lacks a constraint that its reference has.
        if !reference["lumi_as_constrained_normfactor"].as_bool().unwrap_or(false) || name == "two_channels" {
            for (i, point) in reference["points"].as_array().unwrap().iter().enumerate() {
                let point_file = file(&format!("hs3_{name}_{i}.json"), &point["values"]);
                let arguments = ["evaluate", export.to_str().unwrap(), "--parameters", &point_file];
                let report = json_of(&[&arguments[..], OBSERVED].concat(), 0);
                let expected = point["nll"].as_f64().unwrap();
                close(&report["nll_roofit"], expected, 1e-9 + 1e-11 * expected.abs());
                compared += 1;
            }
        }
        assert!(compared == 4 || name.starts_with("ATLAS"), "{name}: {compared}");
    }
}

/// Results of every command for an export and for its source: the same, since the conventions agree. Constants of
/// constraints are the same in these.
#[test]
fn commands_agree_with_the_pyhf_source() {
    let Some(directory) = common::directory("hs3/root") else { return };
    for name in ["two_channels", "shapesys", "histosys"] {
        let (source, export) = pair(&directory, name);
        let run = |command: &[&str]| -> [Value; 2] {
            let (command, rest) = (command[0], &command[1..]);
            let of_source = json_of(&[&[command, source.to_str().unwrap()], rest].concat(), 0);
            let of_export = [&[command, export.to_str().unwrap()], rest, OBSERVED, AS_PYHF].concat();
            [of_source, json_of(&of_export, 0)]
        };
        for (command, pointers) in [
            (&["fit"][..], &["/twice_nll", "/mle_parameters/mu/0", "/uncertainties/mu/0"][..]),
            (&["hypotest"], &["/CLs_obs", "/CLb", "/CLs_exp/0", "/CLs_exp/4", "/q", "/q_A"]),
            (&["limit"], &["/observed_limit", "/expected_limit/0", "/expected_limit/2", "/expected_limit/4"]),
            (&["significance"], &["/observed_significance", "/expected_significance", "/q0"]),
            (&["minos", "mu"], &["/parameters/mu/upper/error", "/twice_nll"]),
            (
                &["scan", "mu", "--points", "3"],
                &["/best/value", "/points/0/delta_twice_nll", "/points/2/delta_twice_nll"],
            ),
            (&["ranking"], &["/poi_value", "/poi_uncertainty", "/statistical", "/systematic"]),
            (&["gof"], &["/statistic", "/p_value", "/degrees_of_freedom", "/constraints/contribution"]),
            (&["yields", "--postfit"], &["/channels/0/samples/0/sum", "/channels/0/samples/0/sum_uncertainty"]),
        ] {
            let [of_source, of_export] = run(command);
            for pointer in pointers {
                let (ours, theirs) = (of_export.pointer(pointer), of_source.pointer(pointer));
                let (Some(ours), Some(theirs)) = (ours, theirs) else { panic!("{name} {command:?}: no {pointer}") };
                let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{name} {command:?} {pointer}: {theirs}"));
                close(ours, theirs, 1e-6 * theirs.abs().max(1.0));
            }
        }
    }
}

/// Asimov data of an HS3 document: a fit to them ends where they were made, with nothing left over.
#[test]
fn asimov_data_are_written_and_fitted() {
    let Some(directory) = common::directory("hs3/root") else { return };
    for name in ["two_channels", "shapesys", "histosys"] {
        let (_, export) = pair(&directory, name);
        let export = export.to_str().unwrap();
        let fitted = json_of(&[&["fit", export], OBSERVED].concat(), 0);
        let asimov = json_of(&[&["asimov", export, "--postfit"], OBSERVED].concat(), 0);
        let written = file(&format!("hs3_asimov_{name}.json"), &asimov);
        let again = json_of(&[&["fit", &written], OBSERVED].concat(), 0);
        for (parameter, values) in fitted["mle_parameters"].as_object().unwrap() {
            close(&again["mle_parameters"][parameter][0], values[0].as_f64().unwrap(), 1e-6);
        }
        close(&json_of(&[&["gof", &written], OBSERVED].concat(), 0)["statistic"], 0.0, 1e-9);
        // The observations and the global observables moved, nothing else.
        let before = common::read_json(Path::new(export));
        for member in ["distributions", "likelihoods", "analyses", "domains", "misc", "metadata"] {
            assert_eq!(asimov[member], before[member], "{name}: {member}");
        }
        assert_ne!(asimov["data"], before["data"]);
    }
}

/// An axis without bins has as many as there are numbers (W418): the same as with them.
#[test]
fn an_axis_without_bins_has_those_of_its_numbers() {
    let document = |axis: Value| {
        json!({
            "metadata": {"hs3_version": "0.2"},
            "distributions": [{"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}],
            "data": [{"name": "d", "type": "binned", "axes": [axis], "contents": [1, 2, 3]}],
            "likelihoods": [{"name": "L", "distributions": ["g"], "data": ["d"]}],
            "parameter_points": [{"name": "default_values", "parameters": [{"name": "m", "value": 1.0}]}]})
    };
    let without = file("bins_untold.json", &document(json!({"name": "x", "min": 0, "max": 3})));
    let with = file("bins_told.json", &document(json!({"name": "x", "min": 0, "max": 3, "nbins": 3})));
    let (without, with) = (json_of(&["evaluate", &without], 0), json_of(&["evaluate", &with], 0));
    assert!(with["twice_nll"].is_number());
    assert_eq!(without["twice_nll"], with["twice_nll"]);
    let endless = file("bins_endless.json", &document(json!({"name": "x"})));
    let told = stderr(&morphist(&["evaluate", &endless]));
    assert!(told.contains("W418") && told.contains("W420"), "{told}");
}
