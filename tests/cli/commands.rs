//! The built program: exit codes, flags, what goes to stdout and what to stderr. Numbers come from pyhf 0.7.6
//! (fixtures/*/expected.json) and, for the counting experiment, from closed forms.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout, with_stdin};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const COUNTING: &str = "fixtures/counting/workspace.json";
const HIGGS_LIKE: &str = "fixtures/higgs_like/workspace.json";
const PATCHSET: &str = "fixtures/higgs_like/patchset.json";

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// pyhf's numbers for the first measurement of a fixture.
fn expected(fixture: &str) -> Value {
    read(&format!("fixtures/{fixture}/expected.json"))["measurements"][0].take()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn close(ours: &Value, theirs: f64, tolerance: f64) {
    let ours = ours.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance, "{ours} against {theirs}");
}

/// Every value of a map by name against another.
fn close_maps(ours: &Value, theirs: &Value, tolerance: f64) {
    assert_eq!(ours.as_object().unwrap().len(), theirs.as_object().unwrap().len());
    for (name, values) in theirs.as_object().unwrap() {
        for (i, value) in values.as_array().unwrap().iter().enumerate() {
            close(&ours[name][i], value.as_f64().unwrap(), tolerance);
        }
    }
}

/// Every element of a matrix against another, relative to elements above 1.
fn close_rows(ours: &Value, theirs: &Value, tolerance: f64) {
    assert_eq!(ours.as_array().unwrap().len(), theirs.as_array().unwrap().len());
    for (ours, theirs) in ours.as_array().unwrap().iter().zip(theirs.as_array().unwrap()) {
        for (ours, theirs) in ours.as_array().unwrap().iter().zip(theirs.as_array().unwrap()) {
            let theirs = theirs.as_f64().unwrap();
            close(ours, theirs, tolerance * theirs.abs().max(1.0));
        }
    }
}

#[test]
fn usage_errors_end_with_2() {
    for arguments in [
        &["no-such-command"][..],
        &["fit", "--no-such-flag"],
        &["fit", COUNTING, "--format", "yaml"],
        &["fit", COUNTING, "--interpolation", "normsys=code7"],
        &["fit", COUNTING, "--init", "mu"],
        &["fit", COUNTING, "--init", "mu=one"],
        &["fit", COUNTING, "--fix", "mu=one"],
        &["fit", COUNTING, "--max-size", "huge"],
        &["fit", COUNTING, "--patchset", PATCHSET],
        &["fit", COUNTING, "--hesse", "--no-hesse"],
        &["fit", COUNTING, "--clip-bin-data", "nan"],
        &["fit", COUNTING, "--clip-bin-data", "inf"],
        &["evaluate", COUNTING, "--clip-sample-data", "nan"],
        &["evaluate", COUNTING, "--clip-sample-data", "-inf"],
        &["fit", COUNTING, "--init", "mus=1"],
        &["fit", COUNTING, "--fix", "no_such_*"],
        &["fit", COUNTING, "--fix", "mu_["],
        &["fit", COUNTING, "--fix", "mu=1", "--fix", "mu=2"],
        &["fit", COUNTING, "--init", "mu=1", "--init", "mu=2"],
        &["fit", COUNTING, "--fix", "mu=1", "--init", "mu=2"],
        &["fit", COUNTING, "--interpolation", "normsys=code1,normsys=code4"],
        &["inspect", COUNTING, "--interpolation", "histosys=code0", "--interpolation", "histosys=code2"],
        &["schema", "workspaces"],
        &["patch", COUNTING],
        &["bench"],
        &[],
    ] {
        let output = morphist(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for arguments in [&["--help"][..], &["--version"], &["fit", "--help"]] {
        let output = morphist(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn unreadable_and_invalid_inputs_end_with_1() {
    for command in ["validate", "inspect", "evaluate", "fit"] {
        let output = morphist(&[command, "no-such-file.json"]);
        assert_eq!(output.status.code(), Some(1), "{command}");
    }
    let output = morphist(&["fit", "no-such-file.json"]);
    assert!(output.stdout.is_empty() && stderr(&output).starts_with("no-such-file.json"));
    let output = with_stdin(&["fit", "-"], b"{\"channels\": [,]}");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("<stdin>:1:"), "{}", stderr(&output));
    let output = morphist(&["fit", COUNTING, "--output-file", "no-such-folder/result.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot write no-such-folder/result.json"));
}

#[test]
fn validate_reports_as_json_and_as_text() {
    let report = json_of(&["validate", HIGGS_LIKE], 0);
    assert_eq!(report, json!({"valid": true, "findings": []}));
    let output = with_stdin(&["validate", "-"], b"{\"a\": 1,\n \"a\": 2}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report["valid"], false);
    let finding = &report["findings"][0];
    let named = ["rule", "class", "severity", "pointer", "line", "column", "found", "expected", "hint"];
    assert_eq!(keys(finding), named);
    assert_eq!((&finding["class"], &finding["line"]), (&json!("DuplicateKey"), &json!(2)));
    let output = with_stdin(&["validate", "-", "--format", "table"], b"{\"a\": 1,\n \"a\": 2}");
    let text = stdout(&output);
    assert!(text.starts_with("<stdin>:2:2: error[W"), "{text}");
    assert!(text.trim_end().ends_with("not valid: 1 error"), "{text}");
}

#[test]
fn validate_takes_patches_and_patchsets() {
    assert_eq!(json_of(&["validate", PATCHSET], 0)["valid"], true);
    assert_eq!(json_of(&["validate", PATCHSET, "--kind", "workspace"], 1)["valid"], false);
    let patch = scratch("noop.json", r#"[{"op": "noop", "path": "/version"}]"#);
    assert_eq!(json_of(&["validate", patch.to_str().unwrap()], 1)["findings"][0]["class"], "InvalidSpecification");
    let arguments = ["validate", HIGGS_LIKE, "--patchset", PATCHSET, "--name", "mass_130"];
    assert_eq!(json_of(&arguments, 0)["valid"], true);
}

#[test]
fn inspect_has_the_keys_of_pyhf() {
    let report = json_of(&["inspect", HIGGS_LIKE], 0);
    assert_eq!(keys(&report), ["channels", "measurements", "modifiers", "parameters", "samples", "systematics"]);
    let pyhf = expected("higgs_like");
    assert_eq!(report["samples"], pyhf["samples"]);
    assert_eq!(report["channels"], json!([["CR_top", 5], ["SR_0jet", 12], ["SR_1jet", 7]]));
    let model = json_of(&["inspect", HIGGS_LIKE, "--model"], 0);
    assert_eq!(model["auxdata_order"], pyhf["auxdata_order"]);
    let inits: Vec<&Value> =
        pyhf["parameters"].as_array().unwrap().iter().flat_map(|p| p["init"].as_array().unwrap()).collect();
    assert_eq!(model["suggested_init"].as_array().unwrap().iter().collect::<Vec<_>>(), inits);
    assert_eq!(model["poi"], pyhf["poi"]);
    let table = stdout(&morphist(&["inspect", HIGGS_LIKE, "--format", "table"]));
    assert!(table.contains("(*) signal_strength"), "{table}");
}

#[test]
fn evaluate_agrees_with_pyhf_at_named_points() {
    for fixture in ["counting", "higgs_like", "all_modifiers"] {
        let file = format!("fixtures/{fixture}/workspace.json");
        for (i, point) in expected(fixture)["points"].as_array().unwrap().iter().enumerate() {
            let path = scratch(&format!("{fixture}_{i}.json"), &point["parameters"].to_string());
            let codes = &point["evaluations"][0]["interpolation"];
            let codes = format!(
                "normsys={},histosys={}",
                codes["normsys"].as_str().unwrap(),
                codes["histosys"].as_str().unwrap()
            );
            let path = path.to_str().unwrap();
            let report = json_of(
                &["evaluate", &file, "--parameters", path, "--gradient", "--hessian", "--interpolation", &codes],
                0,
            );
            let pyhf = &point["evaluations"][0];
            close(
                &report["twice_nll"],
                pyhf["twice_nll"].as_f64().unwrap(),
                4e-16 * pyhf["sum_of_absolute_terms"].as_f64().unwrap(),
            );
            close_maps(&report["expected_data"]["main"], &pyhf["expected_data"]["main"], 1e-9);
            if pyhf["gradient"].is_object() {
                close_maps(&report["gradient"], &pyhf["gradient"], 1e-6);
            }
            if pyhf["hessian"].is_object() {
                assert_eq!(report["hessian"]["labels"], pyhf["hessian"]["labels"]);
                close_rows(&report["hessian"]["values"], &pyhf["hessian"]["values"], 1e-6);
            }
            assert_eq!(report["parameters"], point["parameters"]);
        }
    }
}

#[test]
fn evaluate_prints_derivatives_on_request_only() {
    let report = json_of(&["evaluate", COUNTING], 0);
    assert_eq!(keys(&report), ["expected_data", "parameters", "reason", "twice_nll"]);
    // n = 53, ν = 40 + 8 μ: d(2 nll)/dμ = 16 (1 − n/ν), d²/dμ² = 2·64·n/ν².
    let report = json_of(&["evaluate", COUNTING, "--init", "mu=2", "--gradient", "--hessian"], 0);
    close(&report["gradient"]["mu"][0], 16.0 * (1.0 - 53.0 / 56.0), 1e-14);
    close(&report["hessian"]["values"][0][0], 128.0 * 53.0 / (56.0 * 56.0), 1e-14);
    assert_eq!(report["expected_data"], json!({"auxdata": [], "main": {"SR": [56.0]}}));
}

#[test]
fn a_point_out_of_domain_is_null_with_a_reason() {
    let report = json_of(&["evaluate", "fixtures/yield_at_zero/workspace.json", "--init", "mu=-5"], 0);
    assert_eq!(report["twice_nll"], Value::Null);
    assert_eq!(report["reason"]["code"], "out_of_domain");
    assert_eq!((&report["reason"]["channel"], &report["reason"]["bin"]), (&json!("SR"), &json!(0)));
}

#[test]
fn fit_agrees_with_pyhf() {
    for fixture in ["counting", "higgs_like", "all_modifiers"] {
        let report = json_of(&["fit", &format!("fixtures/{fixture}/workspace.json")], 0);
        let named = [
            "at_limit",
            "correlation",
            "edm",
            "mle_parameters",
            "notes",
            "pulls",
            "reason",
            "twice_nll",
            "uncertainties",
            "valid",
        ];
        assert_eq!(keys(&report), named);
        assert_eq!((&report["valid"], &report["reason"]), (&json!(true), &Value::Null));
        let pyhf = &expected(fixture)["fit"];
        close(&report["twice_nll"], pyhf["twice_nll"].as_f64().unwrap(), 1e-6);
        close_maps(&report["mle_parameters"], &pyhf["mle_parameters"], 1e-4);
        close_maps(&report["uncertainties"], &pyhf["uncertainties"], 1e-4);
        assert_eq!(report["at_limit"], pyhf["at_limit"]);
        assert_eq!(report["correlation"]["labels"], pyhf["correlation"]["labels"]);
        close_rows(&report["correlation"]["values"], &pyhf["correlation"]["values"], 1e-4);
    }
}

#[test]
fn fit_table_is_for_people() {
    let output = morphist(&["fit", HIGGS_LIKE, "--format", "table", "--fix", "trigger"]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for part in ["measurement  signal_strength (POI: mu)", "valid", "± ", "[0, 10]", "POI", "fixed", "pull"] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    let line = |name: &str| table.lines().position(|l| l.trim_start().starts_with(name)).unwrap();
    assert!(line("mu ") < line("k_top") && line("k_top") < line("pileup") && line("pileup") < line("trigger"));
}

/// The numbers of the CSV are those of the JSON; the table and the LaTeX show them rounded.
#[test]
fn one_result_in_four_forms() {
    let arguments = ["fit", HIGGS_LIKE, "--fix", "trigger"];
    let json = json_of(&arguments, 0);
    let form = |format: &str| morphist(&[&arguments[..], &["--format", format]].concat());
    let csv = stdout(&form("csv"));
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "parameter,best_fit,uncertainty,start,bounds,pull,constraint,remark");
    let row: Vec<&str> =
        lines.iter().find(|line| line.starts_with("pileup,")).expect("a line for pileup").split(',').collect();
    assert_eq!(row[1].parse::<f64>().ok(), json["mle_parameters"]["pileup"][0].as_f64());
    assert_eq!(row[2].parse::<f64>().ok(), json["uncertainties"]["pileup"][0].as_f64());
    let pull = json["pulls"].as_array().unwrap().iter().find(|p| p["name"] == "pileup").expect("a pull of pileup");
    // A normsys or histosys: centre 0 and width 1, so that the pull is the value.
    assert_eq!(pull["pull"], json["mle_parameters"]["pileup"][0]);
    assert_eq!(pull["constraint"], json["uncertainties"]["pileup"][0]);
    assert!(json["pulls"].as_array().unwrap().iter().all(|p| p["name"] != "mu" && p["name"] != "trigger"));
    assert!(stderr(&form("csv")).contains("twice_nll"));
    let latex = stdout(&form("latex"));
    for part in
        ["% measurement  signal_strength (POI: mu)", "\\begin{tabular}{lrlrlrrl}", "k\\_top & $", "\\bottomrule"]
    {
        assert!(latex.contains(part), "no {part:?} in\n{latex}");
    }
    let bins = stdout(&morphist(&["evaluate", COUNTING, "--format", "csv"]));
    assert!(bins.starts_with("table,channel,bin,observed,expected,parameter,value\r\nbins,"), "{bins}");
}

/// Numbers that people read: no endless decimals, no sign on zero, no plural of one.
#[test]
fn numbers_in_tables_and_messages_are_short() {
    let far = morphist(&["fit", COUNTING, "--format", "table", "--fix", "mu=1e300"]);
    let tiny = morphist(&["evaluate", COUNTING, "--format", "table", "--init", "mu=-1e-300"]);
    let huge = morphist(&["evaluate", COUNTING, "--format", "table", "--init", "mu=1e290"]);
    let text = std::fs::read_to_string(COUNTING).unwrap().replace("53", "-1e300");
    let observed = with_stdin(&["validate", "-", "--format", "table"], text.as_bytes());
    for output in [&far, &tiny, &huge, &observed] {
        let said = stdout(output) + &stderr(output);
        let longest = said.split(|c: char| !c.is_ascii_digit() && c != '.').map(str::len).max();
        assert!(longest <= Some(18), "{said}");
    }
    assert!(stdout(&observed).contains("found -1e300"), "{}", stdout(&observed));
    let said = stdout(&far);
    assert!(
        said.contains("mu = 1e300 is not in [0, 10]; choose another value (--init, --fix, --parameters)"),
        "{said}"
    );
    // Nothing to fit: the edm is zero.
    let held = stdout(&morphist(&["fit", COUNTING, "--format", "table", "--fix", "mu=-0"]));
    assert!(held.contains("edm          0\n") && !held.contains("-0"), "{held}");
    assert!(!held.contains("1 iterations") && !held.contains("1 evaluations"), "{held}");
    // n = ν at the minimum: μ = 13/8.
    let free = stdout(&morphist(&["fit", COUNTING, "--format", "table", "--no-hesse"]));
    let line = free.lines().find(|line| line.starts_with(" mu ")).unwrap();
    assert_eq!(line.split_whitespace().nth(1), Some("1.625"), "{free}");
}

#[test]
fn fixed_parameters_stay_and_have_no_uncertainty() {
    let report =
        json_of(&["fit", HIGGS_LIKE, "--fix", "mu=0.5", "--fix", "fakes_statistics[0]", "--fix", "*_scale=0.25"], 0);
    assert_eq!(report["mle_parameters"]["mu"], json!([0.5]));
    assert_eq!(report["uncertainties"]["mu"], json!([0.0]));
    assert_eq!(report["mle_parameters"]["fakes_statistics"][0], json!(1.0));
    for name in ["WW_scale", "lepton_scale", "signal_scale", "jet_energy_scale"] {
        assert_eq!(report["mle_parameters"][name], json!([0.25]), "{name}");
    }
    let labels = report["correlation"]["labels"].as_array().unwrap();
    assert!(!labels.contains(&json!("mu")) && labels.contains(&json!("k_top")));
    let output = morphist(&["fit", HIGGS_LIKE, "--fix", "no_such_*"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no parameter of the model matches no_such_*; there are "), "{}", stderr(&output));
}

#[test]
fn no_hesse_leaves_uncertainties_out_and_says_so() {
    let report = json_of(&["fit", COUNTING, "--no-hesse"], 0);
    assert_eq!((&report["uncertainties"], &report["correlation"]), (&Value::Null, &Value::Null));
    assert_eq!(report["notes"][0]["code"], "not_requested");
    // n = ν at the minimum: μ = (53 − 40)/8.
    close(&report["mle_parameters"]["mu"][0], 13.0 / 8.0, 1e-4);
}

#[test]
fn a_fit_that_fails_still_prints_its_result() {
    let report = json_of(&["fit", "fixtures/yield_at_zero/workspace.json"], 1);
    assert_eq!(report["valid"], false);
    assert_eq!(report["reason"]["code"], "yield_at_zero");
    assert_eq!(report["reason"]["channel"], "SR");
    let report = json_of(&["fit", COUNTING, "--init", "mu=11"], 1);
    assert_eq!(report["reason"]["code"], "start_out_of_bounds");
    assert_eq!(report["reason"]["parameters"], json!(["mu"]));
}

#[test]
fn parameters_from_a_fit_and_from_scalars() {
    let fit = morphist(&["fit", HIGGS_LIKE]);
    let path = scratch("fit_result.json", &stdout(&fit));
    let output = morphist(&["evaluate", HIGGS_LIKE, "--parameters", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The minimum according to pyhf.
    close(&report["twice_nll"], expected("higgs_like")["fit"]["twice_nll"].as_f64().unwrap(), 1e-6);

    let path = scratch("scalars.json", r#"{"mu": 2, "fakes_statistics[1]": 1.5}"#);
    let output = morphist(&["evaluate", HIGGS_LIKE, "--parameters", path.to_str().unwrap()]);
    assert!(stderr(&output).starts_with("note: not in"), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["parameters"]["mu"], json!([2.0]));
    assert_eq!(report["parameters"]["fakes_statistics"][1], json!(1.5));

    let path = scratch("unknown.json", r#"{"k_tip": 2, "mu": [1, 2]}"#);
    let output = morphist(&["evaluate", HIGGS_LIKE, "--parameters", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("did you mean k_top?") && text.contains("found 2 values, expected 1"), "{text}");
}

#[test]
fn poi_and_measurement_by_name() {
    assert_eq!(json_of(&["fit", HIGGS_LIKE, "--poi", ""], 0)["valid"], true);
    let output = morphist(&["fit", HIGGS_LIKE, "--poi", "k_tip"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("did you mean k_top?"), "{}", stderr(&output));
    let output = morphist(&["fit", HIGGS_LIKE, "--measurement", "none_such"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("InvalidMeasurement"), "{}", stderr(&output));
}

#[test]
fn a_poi_with_several_values_is_told_so() {
    let output = morphist(&["fit", HIGGS_LIKE, "--poi", "fakes_statistics"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("fakes_statistics has") && said.contains("values") && !said.contains("did you mean"),
        "{said}"
    );
}

#[test]
fn the_narrower_name_counts_with_a_note() {
    let value = |arguments: &[&str]| {
        let output = morphist(&[&["evaluate", HIGGS_LIKE][..], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (serde_json::from_slice::<Value>(&output.stdout).unwrap()["parameters"].take(), stderr(&output))
    };
    for arguments in
        [["--init", "*_scale=0.5", "--init", "WW_scale=1"], ["--init", "WW_scale=1", "--fix", "*_scale=0.5"]]
    {
        let (parameters, said) = value(&arguments);
        assert_eq!((&parameters["WW_scale"], &parameters["signal_scale"]), (&json!([1.0]), &json!([0.5])));
        assert!(said.contains("note: --init WW_scale=1 counts before "), "{said}");
    }
    let (parameters, said) = value(&["--init", "fakes_statistics[0]=2", "--init", "fakes_statistics=3"]);
    assert_eq!((&parameters["fakes_statistics"][0], &parameters["fakes_statistics"][1]), (&json!(2.0), &json!(3.0)));
    assert!(said.contains("counts before"), "{said}");
    let (parameters, said) = value(&["--init", "*_scale=0.5", "--init", "WW_*=1"]);
    assert_eq!(parameters["WW_scale"], json!([1.0]));
    assert!(said.contains("note: --init WW_*=1 counts before --init *_scale=0.5"), "{said}");
    // One value twice is no contradiction.
    let (_, said) = value(&["--init", "mu=2", "--fix", "mu=2", "--fix", "mu"]);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn bench_and_inspect_take_the_choices_of_a_model() {
    let arguments = ["--interpolation", "normsys=code1", "--poi", "k_top", "--fix", "mu=1", "--init", "k_top=1.1"];
    let reports = json_of(&[&["bench", HIGGS_LIKE, "--blocks", "1"][..], &arguments].concat(), 0);
    assert_eq!(reports[0]["fit_valid"], true);
    // A start outside the bounds reaches the fit.
    let reports = json_of(&["bench", COUNTING, "--blocks", "1", "--fix", "mu=11"], 0);
    assert_eq!(reports[0]["fit_valid"], false);
    let model = json_of(&["inspect", HIGGS_LIKE, "--model", "--poi", "k_top", "--interpolation", "normsys=code1"], 0);
    assert_eq!(model["poi"], "k_top");
    assert_eq!(morphist(&["inspect", HIGGS_LIKE, "--model", "--poi", "k_tip"]).status.code(), Some(1));
}

#[test]
fn flags_of_pyhf_are_accepted_with_a_note() {
    let flags = ["--value", "--backend", "jax", "--optimizer", "minuit", "--optconf", "tolerance=1"];
    let output = morphist(&[&["fit", COUNTING][..], &flags].concat());
    assert_eq!(output.status.code(), Some(0));
    for flag in ["--value", "--backend", "--optimizer", "--optconf"] {
        assert!(stderr(&output).contains(&format!("note: {flag} has no effect")));
    }
}

#[test]
fn standard_input_and_output_files() {
    let workspace = std::fs::read(COUNTING).unwrap();
    let by_default = with_stdin(&["fit"], &workspace);
    let explicit = with_stdin(&["fit", "-"], &workspace);
    assert_eq!(by_default.status.code(), Some(0));
    assert_eq!(by_default.stdout, explicit.stdout);
    let path = scratch("output.json", "");
    let output = morphist(&["fit", COUNTING, "--output-file", path.to_str().unwrap()]);
    assert!(output.stdout.is_empty());
    assert_eq!(std::fs::read(&path).unwrap(), by_default.stdout);
}

#[test]
fn patches_keep_the_order_of_keys() {
    let patch = scratch("patch.json", r#"[{"op": "replace", "path": "/observations/0/data/0", "value": 60}]"#);
    let patch = patch.to_str().unwrap();
    let patched = json_of(&["patch", COUNTING, "-p", patch], 0);
    let mut by_hand = read(COUNTING);
    by_hand["observations"][0]["data"][0] = json!(60);
    assert_eq!(patched, by_hand);
    assert_eq!(keys(&patched), keys(&by_hand));
    // n = 60: μ = (60 − 40)/8, as far as an edm of 1e-9 fixes it.
    close(&json_of(&["fit", COUNTING, "--patch", patch], 0)["mle_parameters"]["mu"][0], 2.5, 1e-4);
}

#[test]
fn one_point_of_a_patchset() {
    let arguments = ["--patchset", PATCHSET, "--name", "mass_140"];
    let patched = stdout(&morphist(&[&["patch", HIGGS_LIKE][..], &arguments].concat()));
    let path = scratch("mass_140.json", &patched);
    let fit = json_of(&[&["fit", HIGGS_LIKE][..], &arguments].concat(), 0);
    assert_eq!(fit, json_of(&["fit", path.to_str().unwrap()], 0));
    let output = morphist(&["patch", HIGGS_LIKE, "--patchset", PATCHSET, "--name", "mass_999"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("InvalidPatchLookup"), "{}", stderr(&output));
    let output = morphist(&["patch", COUNTING, "--patchset", PATCHSET, "--name", "mass_140"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("PatchSetVerificationError"), "{}", stderr(&output));
}

/// Findings of a patch are those of its own file, with the line of the operation there.
#[test]
fn a_patch_that_fails_is_named_with_its_place() {
    let good = scratch("good.json", r#"[{"op": "replace", "path": "/observations/0/data/0", "value": 60}]"#);
    let operations =
        |rest: &str| format!("[\n  {{\"op\": \"test\", \"path\": \"/version\", \"value\": \"1.0.0\"}},\n  {rest}\n]");
    let copies: Vec<String> =
        (0..40).map(|i| format!(r#"{{"op": "copy", "from": "/channels", "path": "/channels/{i}"}}"#)).collect();
    let cases = [
        ("nowhere.json", operations(r#"{"op": "remove", "path": "/nowhere"}"#), "W021", "3:3"),
        ("no_source.json", operations(r#"{"op": "copy", "from": "/nowhere", "path": "/x"}"#), "W021", "3:26"),
        ("test.json", operations(r#"{"op": "test", "path": "/version", "value": "2"}"#), "W020", "3:3"),
        ("bomb.json", operations(&copies.join(",\n  ")), "W007", ""),
    ];
    for (name, text, rule, place) in cases {
        let bad = scratch(name, &text);
        for command in ["patch", "fit"] {
            let output = morphist(&[command, COUNTING, "-p", good.to_str().unwrap(), "-p", bad.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(1));
            let said = stderr(&output);
            assert!(said.starts_with(&format!("{}:{place}", bad.display())), "{said}");
            if rule == "W007" {
                // The operation of index i is on line i + 2.
                let index = said.split("found operation ").nth(1).unwrap().split(',').next().unwrap();
                let line = index.parse::<usize>().unwrap() + 2;
                assert!(said.starts_with(&format!("{}:{line}:3: ", bad.display())), "{said}");
            }
            assert!(said.contains(&format!("error[{rule}]")), "{said}");
        }
    }
}

/// The same for a patchset: the digest that differs, and an operation of a point.
#[test]
fn a_patchset_that_fails_is_named_with_its_place() {
    let text = std::fs::read_to_string(PATCHSET).unwrap();
    let line_of = |text: &str, part: &str| text[..text.find(part).unwrap()].lines().count();
    let output = morphist(&["patch", COUNTING, "--patchset", PATCHSET, "--name", "mass_140"]);
    for algorithm in ["md5", "sha256"] {
        let start = format!("{PATCHSET}:{}:", line_of(&text, &format!("\"{algorithm}\"")));
        let said = stderr(&output);
        let line = said.lines().find(|line| line.contains(&format!("the {algorithm} digest"))).unwrap();
        assert!(line.starts_with(&start) && line.contains("error[W034]"), "{said}");
    }
    let mut patchset: Value = serde_json::from_str(&text).unwrap();
    patchset["patches"][1]["patch"] = json!([{"op": "remove", "path": "/nowhere"}]);
    let name = patchset["patches"][1]["metadata"]["name"].as_str().unwrap().to_owned();
    let text = serde_json::to_string_pretty(&patchset).unwrap();
    let path = scratch("patchset.json", &text);
    let output = morphist(&["fit", HIGGS_LIKE, "--patchset", path.to_str().unwrap(), "--name", &name]);
    let start = format!("{}:{}:", path.display(), line_of(&text, "\"op\": \"remove\"") - 1);
    let said = stderr(&output);
    assert!(said.starts_with(&start) && said.contains("at   /patches/1/patch/0"), "{start} {said}");
}

/// A name that is not there comes before a digest that differs.
#[test]
fn a_point_is_looked_up_before_digests_are_verified() {
    let output = morphist(&["patch", COUNTING, "--patchset", PATCHSET, "--name", "mass_141"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("InvalidPatchLookup") && !said.contains("PatchSetVerificationError"), "{said}");
    assert!(said.contains("choose one of \"mass_140\""), "{said}");
}

#[test]
fn validate_reports_bad_patches_as_findings() {
    let bad = scratch("bad_patch.json", r#"[{"op": "remove", "path": "/nowhere"}]"#);
    let broken = scratch("broken_patch.json", "[{]");
    let form = scratch("no_patch.json", r#"[{"op": "grow", "path": "/version"}]"#);
    let patchset = scratch("no_patchset.json", r#"{"patches": [], "metadata": {}}"#);
    let arguments = |flags: &[&str]| json_of(&[&["validate", HIGGS_LIKE, "--format", "json"][..], flags].concat(), 1);
    let cases = [
        (arguments(&["-p", bad.to_str().unwrap()]), "PatchApplicationError"),
        (arguments(&["-p", broken.to_str().unwrap()]), "SyntaxError"),
        (arguments(&["-p", form.to_str().unwrap()]), "InvalidSpecification"),
        (arguments(&["-p", "no-such-file.json"]), "ReadError"),
        (arguments(&["--patchset", patchset.to_str().unwrap(), "--name", "x"]), "InvalidSpecification"),
        (arguments(&["--patchset", PATCHSET, "--name", "x"]), "InvalidPatchLookup"),
    ];
    for (report, class) in cases {
        assert_eq!((&report["valid"], &report["findings"][0]["class"]), (&json!(false), &json!(class)));
    }
}

#[test]
fn standard_input_is_read_once() {
    for arguments in [
        &["fit", "-p", "-", "-"][..],
        &["patch", "-p", "-"],
        &["validate", "-", "-p", "-"],
        &["inspect", "--patchset", "-", "--name", "x"],
        &["evaluate", "-", "--parameters", "-"],
        &["evaluate", COUNTING, "-p", "-", "--parameters", "-"],
        &["bench", "-"],
    ] {
        let output = morphist(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("standard input"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let text = std::fs::read_to_string(COUNTING).unwrap().replace("\"mu\"", r#""mu\u001b[31m\n\u202e""#);
    for arguments in [&["fit", "-"][..], &["inspect", "-"], &["evaluate", "-"], &["evaluate", "-", "--init", "mu=3"]] {
        let output = with_stdin(&[arguments, &["--format", "table"]].concat(), text.as_bytes());
        for bytes in [stdout(&output), stderr(&output)] {
            assert!(
                !bytes.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
                "{arguments:?}: {bytes:?}"
            );
        }
    }
}

#[test]
fn schemas_and_completions() {
    let names = json_of(&["schema"], 0);
    for name in names.as_array().unwrap() {
        let schema = json_of(&["schema", name.as_str().unwrap()], 0);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    let unknown = morphist(&["schema", "workspaces"]);
    assert!(stderr(&unknown).contains("did you mean workspace?"), "{}", stderr(&unknown));
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&morphist(&["completions", shell])).contains("morphist"));
    }
}

#[test]
fn results_obey_their_schemas() {
    let valid = |name: &str, instance: &Value| {
        let validator = jsonschema::validator_for(&json_of(&["schema", name], 0)).unwrap();
        let errors: Vec<String> = validator.iter_errors(instance).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    };
    valid("report-fit", &json_of(&["fit", HIGGS_LIKE], 0));
    valid("report-fit", &json_of(&["fit", "fixtures/yield_at_zero/workspace.json"], 1));
    valid("report-evaluate", &json_of(&["evaluate", HIGGS_LIKE, "--gradient", "--hessian"], 0));
    valid("report-inspect", &json_of(&["inspect", HIGGS_LIKE], 0));
    valid("report-model", &json_of(&["inspect", HIGGS_LIKE, "--model"], 0));
    valid("report-validate", &json_of(&["validate", HIGGS_LIKE, "--kind", "patch"], 1));
}

#[test]
fn bench_times_every_stage() {
    let reports = json_of(&["bench", COUNTING, "--blocks", "1"], 0);
    let seconds =
        ["read_s", "validate_s", "compile_s", "twice_nll_s", "gradient_s", "hessian_s", "fit_warm_s", "fit_cold_s"];
    for key in seconds {
        assert!(reports[0][key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert_eq!((&reports[0]["file"], &reports[0]["fit_valid"]), (&json!(COUNTING), &json!(true)));
    assert!(reports[0]["hesse_s"].as_f64().unwrap() >= 0.0);
}

/// A reader that goes away, as in `morphist … | head -1`, is no reason for a message.
#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_morphist"))
        .args(["evaluate", HIGGS_LIKE, "--hessian"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}
