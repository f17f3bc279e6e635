//! `hypotest`, `limit` and `significance`: numbers from closed forms and pyhf, flags, findings, patchsets.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use serde_json::{Value, json};

const COUNTING: &str = "fixtures/counting/workspace.json";
const HIGGS_LIKE: &str = "fixtures/higgs_like/workspace.json";
const PATCHSET: &str = "fixtures/higgs_like/patchset.json";

fn close(got: &Value, expected: f64, tolerance: f64) {
    let got = got.as_f64().unwrap_or(f64::NAN);
    assert!((got - expected).abs() <= tolerance * expected.abs(), "{got} but {expected}");
}

/// ν − n + n ln(n/ν).
fn deviance(n: f64, nu: f64) -> f64 {
    2.0 * (nu - n + n * (n / nu).ln())
}

/// One bin with b = 40, s = 8, n = 53: spec/inference.md, eq. 47.
#[test]
fn counting_has_closed_forms() {
    let report = json_of(&["hypotest", COUNTING, "--test-poi", "2.5"], 0);
    close(&report["q"], deviance(53.0, 60.0), 1e-9);
    close(&report["q_A"], deviance(40.0, 60.0), 1e-9);
    close(&report["best_fit"], 13.0 / 8.0, 1e-9);
    let report = json_of(&["cls", COUNTING, "--test-poi", "1"], 0);
    assert_eq!(report["q"], json!(0.0), "the best fit is above the tested value");
    assert_eq!(report["CLsb"], json!(0.5));
    let report = json_of(&["significance", COUNTING], 0);
    close(&report["observed_significance"], deviance(53.0, 40.0).sqrt(), 1e-9);
    close(&report["expected_significance"], deviance(48.0, 40.0).sqrt(), 1e-9);
    let report = json_of(&["hypotest", COUNTING, "--test-stat", "t", "--test-poi", "0.5"], 0);
    close(&report["q"], deviance(53.0, 44.0), 1e-9);
    // erfc(√(t/2)) by scipy 1.17.1.
    close(&report["p_value"], 0.18881475223278282, 1e-8);
    assert_eq!(report["CLs_obs"], Value::Null);
}

/// The median expected limit solves q_A(μ) = 1.959963984540054² by bisection of the closed form.
#[test]
fn expected_limits_of_counting_solve_the_closed_form() {
    let report = json_of(&["limit", COUNTING], 0);
    let solve = |root: f64| {
        let (mut low, mut high) = (0.0, 100.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if deviance(40.0, 40.0 + 8.0 * middle).sqrt() < root { low = middle } else { high = middle }
        }
        low
    };
    // −Φ⁻¹(0.05 Φ(−N)) − N for N = 2 … −2, by scipy 1.17.1.
    let roots = [1.0517634360376924, 1.4119943957872017, 1.9599639845400545, 2.727184828821438, 3.6559843567138284];
    for (limit, root) in report["expected_limit"].as_array().unwrap().iter().zip(roots) {
        close(limit, solve(root), 1e-9);
    }
    // At the limit the test gives the level.
    let limit = report["observed_limit"].as_f64().unwrap().to_string();
    close(&json_of(&["hypotest", COUNTING, "--test-poi", &limit], 0)["CLs_obs"], 0.05, 1e-8);
    let report = json_of(&["limit", COUNTING, "--criterion", "CLs+b", "--cl", "0.9"], 0);
    let limit = report["observed_limit"].as_f64().unwrap().to_string();
    close(&json_of(&["hypotest", COUNTING, "--test-poi", &limit], 0)["CLsb"], 0.1, 1e-8);
    // Φ(−(2 + s)) < 0.1 without any signal: all values are excluded.
    assert_eq!(report["expected_limit"][0], Value::Null);
    assert_eq!(report["expected_reasons"][0]["code"], "all_excluded");
}

#[test]
fn a_grid_interpolates_between_its_points() {
    let report = json_of(&["limit", COUNTING, "--scan", "0,5,11"], 0);
    let scan = report["scan"].as_array().unwrap();
    assert_eq!(scan.len(), 11);
    let points: Vec<(f64, f64)> =
        scan.iter().map(|p| (p["poi"].as_f64().unwrap(), p["CLs_obs"].as_f64().unwrap())).collect();
    let after = points.iter().position(|(_, cls)| *cls < 0.05).unwrap();
    let ((x, p), (y, q)) = (points[after - 1], points[after]);
    close(&report["observed_limit"], x + (p - 0.05) / (p - q) * (y - x), 1e-12);
    for (mu, cls) in points {
        close(&json_of(&["hypotest", COUNTING, "--test-poi", &mu.to_string()], 0)["CLs_obs"], cls, 1e-9);
    }
    // Where the level is not crossed there is no limit.
    let report = json_of(&["limit", COUNTING, "--scan", "0,1,3"], 1);
    assert_eq!(report["reason"]["code"], "bound_reached");
    assert_eq!(report["observed_limit"], Value::Null);
}

#[test]
fn bounds_are_widened_with_a_note_or_not_at_all() {
    let wide = json_of(&["limit", COUNTING], 0)["observed_limit"].as_f64().unwrap();
    let small = ["--poi-bounds", "0,2"];
    let report = json_of(&[&["limit", COUNTING][..], &small].concat(), 1);
    assert_eq!(report["observed_limit"], Value::Null);
    assert_eq!(report["reason"]["code"], "bound_reached");
    // The model's own bound, too small: doubled until it suffices.
    let mut workspace: Value = serde_json::from_str(&std::fs::read_to_string(COUNTING).unwrap()).unwrap();
    workspace["measurements"][0]["config"]["parameters"] =
        json!([{"name": "mu", "bounds": [[0.0, 1.0]], "inits": [0.5]}]);
    let path = scratch("narrow_poi.json", &workspace.to_string());
    let output = morphist(&["limit", path.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    close(&report["observed_limit"], wide, 1e-8);
    assert!(report["notes"].as_array().unwrap().iter().any(|note| note["code"] == "bounds_widened"), "{report}");
    // The first of 1, 2, 4, … beyond all limits.
    let limits = report["expected_limit"].as_array().unwrap().iter().chain([&report["observed_limit"]]);
    let largest = limits.map(|limit| limit.as_f64().unwrap()).fold(0.0, f64::max);
    assert_eq!(report["poi_bounds"], json!([0.0, 2.0_f64.powf(largest.log2().ceil())]));
    // Tested values are not.
    let output = morphist(&["hypotest", path.to_str().unwrap(), "--test-poi", "3"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--poi-bounds"), "{}", stderr(&output));
}

/// A signal strength on which nothing depends: no limit, and the reason says what is wrong.
#[test]
fn without_a_signal_there_is_no_limit() {
    let mut workspace: Value = serde_json::from_str(&std::fs::read_to_string(COUNTING).unwrap()).unwrap();
    for sample in workspace["channels"][0]["samples"].as_array_mut().unwrap() {
        if sample["modifiers"].as_array().unwrap().iter().any(|m| m["name"] == "mu") {
            sample["data"] = json!([0.0]);
        }
    }
    let path = scratch("no_signal.json", &workspace.to_string());
    let report = json_of(&["limit", path.to_str().unwrap()], 1);
    assert_eq!((&report["observed_limit"], &report["valid"]), (&Value::Null, &json!(false)));
    assert_eq!(report["reason"]["code"], "flat_directions");
    let report = json_of(&["hypotest", path.to_str().unwrap()], 1);
    assert_eq!(report["CLs_obs"], Value::Null);
    assert!(report["reason"]["message"].as_str().unwrap().contains("mu"));
}

/// q_A → 0 as the signal becomes weak, and μ → 0: CLs → 1, never NaN (pyhf#529, pyhf#1320).
#[test]
fn weak_signals_and_values_near_zero_have_a_cls() {
    let mut workspace: Value = serde_json::from_str(&std::fs::read_to_string(COUNTING).unwrap()).unwrap();
    for yields in [1e-3, 1e-6, 1e-9] {
        for sample in workspace["channels"][0]["samples"].as_array_mut().unwrap() {
            if sample["modifiers"].as_array().unwrap().iter().any(|m| m["name"] == "mu") {
                sample["data"] = json!([yields]);
            }
        }
        let path = scratch(&format!("weak_{yields:e}.json"), &workspace.to_string());
        for mu in ["0", "1e-9", "1"] {
            let report = json_of(&["hypotest", path.to_str().unwrap(), "--test-poi", mu], 0);
            close(&report["CLs_obs"], 1.0, 2e-3);
            assert!(report["CLs_exp"].as_array().unwrap().iter().all(Value::is_number), "{report}");
        }
    }
    for mu in ["0", "1e-12", "1e-6"] {
        close(&json_of(&["hypotest", COUNTING, "--test-poi", mu], 0)["CLs_obs"], 1.0, 1e-3);
    }
}

#[test]
fn several_parameters_are_tested_together() {
    let names = json_of(&["fit", HIGGS_LIKE], 0);
    let best = names["mle_parameters"].as_object().unwrap();
    let (poi, nuisance) =
        ("mu", best.keys().find(|name| *name != "mu" && best[*name].as_array().unwrap().len() == 1).unwrap());
    let at_best = [format!("{poi}={}", best[poi][0]), format!("{nuisance}={}", best[nuisance][0])];
    let arguments = |values: &[String]| -> Vec<String> {
        let base = ["hypotest", HIGGS_LIKE, "--test-stat", "t"].map(str::to_owned).to_vec();
        base.into_iter().chain(values.iter().flat_map(|v| ["--test-poi".to_owned(), v.clone()])).collect()
    };
    let run = |values: &[String], code: i32| {
        let arguments = arguments(values);
        json_of(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let report = run(&at_best, 0);
    assert_eq!(report["degrees_of_freedom"], 2);
    assert!(report["t"].as_f64().unwrap() < 1e-8);
    // Two degrees of freedom: p = exp(−t/2); t is the difference of two fits.
    let values = [format!("{poi}=0.3"), format!("{nuisance}={}", best[nuisance][0].as_f64().unwrap() + 0.5)];
    let report = run(&values, 0);
    let held: Vec<&str> = ["--fix", &values[0], "--fix", &values[1]].to_vec();
    let conditional = json_of(&[&["fit", HIGGS_LIKE, "--no-hesse"][..], &held].concat(), 0);
    let t = conditional["twice_nll"].as_f64().unwrap() - names["twice_nll"].as_f64().unwrap();
    close(&report["t"], t, 1e-7);
    close(&report["p_value"], (-0.5 * t).exp(), 1e-7);
    assert_eq!(morphist(&["hypotest", HIGGS_LIKE, "--test-poi", "mu=1", "--test-poi", "2"]).status.code(), Some(2));
}

/// Any scalar parameter can be the POI, one value of a set too.
#[test]
fn any_parameter_can_be_the_poi() {
    let fixture = "fixtures/staterror/workspace.json";
    let fit = json_of(&["fit", fixture], 0);
    let mut parameters = fit["mle_parameters"].as_object().unwrap().iter();
    let gammas = parameters.find(|(_, values)| values.as_array().unwrap().len() > 1).unwrap().0;
    let name = format!("{gammas}[0]");
    let report = json_of(&["hypotest", fixture, "--poi", &name, "--test-stat", "t", "--test-poi", "1.1"], 0);
    assert_eq!(report["poi"], json!(name));
    let held = json_of(&["fit", fixture, "--no-hesse", "--fix", &format!("{name}=1.1")], 0);
    let free = json_of(&["fit", fixture, "--no-hesse"], 0);
    let t = held["twice_nll"].as_f64().unwrap() - free["twice_nll"].as_f64().unwrap();
    close(&report["q"], t, 1e-7);
}

#[test]
fn arguments_that_make_no_sense_are_told() {
    for (arguments, word) in [
        (&["limit", COUNTING, "--test-stat", "q0"][..], "q or qtilde"),
        (&["limit", COUNTING, "--cl", "95"], "between 0 and 1"),
        (&["limit", COUNTING, "--poi-bounds", "3,1"], "LO < HI"),
        (&["limit", COUNTING, "--scan", "0,1"], "LO,HI,N"),
        (&["hypotest", COUNTING, "--test-poi", "nan"], "finite"),
        (&["hypotest", COUNTING, "--test-poi", "nu=1"], "no parameter"),
        (&["fit", HIGGS_LIKE, "--patchset", PATCHSET], "--name"),
        (&["limit", HIGGS_LIKE, "--resume"], "--patchset"),
    ] {
        let output = morphist(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{arguments:?}: {}", stderr(&output));
    }
    let output = morphist(&["limit", COUNTING, "--fix", "mu=1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("fixed"), "{}", stderr(&output));
    let output = morphist(&["limit", "fixtures/poi_empty/workspace.json"]);
    assert!(stderr(&output).contains("--poi"), "{}", stderr(&output));
}

/// A patchset gives one line a point; each line is what the point alone gives. Cut short anywhere, it resumes.
#[test]
fn a_patchset_streams_and_resumes() {
    let all = morphist(&["limit", HIGGS_LIKE, "--patchset", PATCHSET, "--format", "json"]);
    let text = stdout(&all);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 1);
    for line in &lines {
        let name = line["name"].as_str().unwrap();
        let output = morphist(&["limit", HIGGS_LIKE, "--patchset", PATCHSET, "--name", name, "--format", "json"]);
        let alone: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&alone["observed_limit"], &alone["expected_limit"]),
            (&line["observed_limit"], &line["expected_limit"])
        );
    }
    let first = text.find('\n').unwrap() + 1;
    for cut in [0, first / 2, first, first + 10, text.len()] {
        // An interrupted run may leave half a line.
        let path = scratch(&format!("points_{cut}.jsonl"), &text[..cut]);
        let file = path.to_str().unwrap();
        let output = morphist(&["limit", HIGGS_LIKE, "--patchset", PATCHSET, "--resume", "--output-file", file]);
        assert_eq!(output.status.code(), all.status.code(), "{}", stderr(&output));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "cut at {cut}");
    }
    // Lines of other options are not mixed in.
    let path = scratch("points_other.jsonl", &text[..first]);
    let resume = ["limit", HIGGS_LIKE, "--patchset", PATCHSET, "--resume", "--cl", "0.9", "--output-file"];
    let output = morphist(&[&resume[..], &[path.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("line 1"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text[..first]);
}

/// Ctrl-C leaves whole lines behind, and says that they are not all.
#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_is_done() {
    let Some(root) = common::corpus("an_interrupted_run_keeps_what_is_done") else { return };
    let path = scratch("interrupted.jsonl", "");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_morphist"))
        .current_dir(root.join("corpus/pyhf/SUSY-2019-08_1Lbb"))
        .args(["limit", "hepdataext_workspace_v1.json", "--patchset", "hepdataext_patchsets_v1.json", "--output-file"])
        .arg(&path)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
    while lines() == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended without a line");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("interrupted"), "{}", stderr(&output));
    assert!((1..125).contains(&lines()), "{} of 125", lines());
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

/// One point that is wrong does not end the run: its line says why.
#[test]
fn a_bad_point_is_recorded() {
    let mut patchset: Value = serde_json::from_str(&std::fs::read_to_string(PATCHSET).unwrap()).unwrap();
    patchset["patches"][0]["patch"] = json!([{"op": "remove", "path": "/channels/99"}]);
    let path = scratch("bad_point.json", &patchset.to_string());
    let output = morphist(&["limit", HIGGS_LIKE, "--patchset", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), patchset["patches"].as_array().unwrap().len());
    assert!(lines[0]["error"].as_str().unwrap().contains("/patches/0/patch/0"), "{}", lines[0]);
    assert!(lines[1]["observed_limit"].is_number());
}

#[test]
fn results_obey_their_schemas() {
    let valid = |name: &str, instance: &Value| {
        let validator = jsonschema::validator_for(&json_of(&["schema", name], 0)).unwrap();
        let errors: Vec<String> = validator.iter_errors(instance).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    };
    valid("report-hypotest", &json_of(&["hypotest", HIGGS_LIKE], 0));
    valid("report-limit", &json_of(&["limit", HIGGS_LIKE], 0));
    valid("report-limit", &json_of(&["limit", COUNTING, "--poi-bounds", "0,2"], 1));
    valid("report-limit", &json_of(&["limit", "examples/wh/pt.json"], 0));
    valid("report-limit", &json_of(&["limit", "examples/wh/pt.json", "--poi-bounds=-0.1,0.1"], 1));
    valid("report-significance", &json_of(&["significance", HIGGS_LIKE], 0));
    let several = ["hypotest", HIGGS_LIKE, "--test-stat", "t", "--test-poi", "mu=1", "--test-poi", "lumi=1"];
    valid("report-likelihood-ratio", &json_of(&several, 0));
    let output = morphist(&["limit", HIGGS_LIKE, "--patchset", PATCHSET, "--format", "json"]);
    for line in stdout(&output).lines() {
        valid("report-limit-point", &serde_json::from_str(line).unwrap());
    }
}

/// Bounds that do not hold the value with which a test compares are refused: no numbers that mean something else.
#[test]
fn bounds_without_the_alternative_are_refused() {
    for bounds in ["--poi-bounds=-10,-2", "--poi-bounds=2,10"] {
        let report = json_of(&["limit", HIGGS_LIKE, bounds], 1);
        assert_eq!((&report["observed_limit"], &report["valid"]), (&Value::Null, &json!(false)));
        assert_eq!(report["reason"]["code"], "alternative_out_of_bounds", "{bounds}");
    }
    for statistic in ["qtilde", "ttilde"] {
        let arguments = ["hypotest", HIGGS_LIKE, "--poi-bounds=-10,-2", "--test-poi=-3", "--test-stat", statistic];
        assert_eq!(morphist(&arguments).status.code(), Some(2), "a tilde and a negative value: {statistic}");
    }
    // t needs no alternative: its best fit stays within the bounds.
    let report = json_of(&["hypotest", HIGGS_LIKE, "--poi-bounds=2,10", "--test-poi", "3", "--test-stat", "t"], 0);
    assert!((report["best_fit"].as_f64().unwrap() - 2.0).abs() < 1e-9, "{report}");
}

/// 1e15 events: one unit in the last place of twice_nll is 0.1, and no fit looks good.
#[test]
fn rounding_of_large_counts_is_no_result() {
    let workspace = json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "signal", "data": [1e12], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]},
            {"name": "background", "data": [1e15],
             "modifiers": [{"name": "norm", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}]}]}],
        "observations": [{"name": "SR", "data": [1.01e15]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0"
    });
    let path = scratch("huge_counts.json", &workspace.to_string());
    let report = json_of(&["fit", path.to_str().unwrap()], 1);
    assert_eq!((&report["valid"], &report["reason"]["code"]), (&json!(false), &json!("rounding")));
    let report = json_of(&["hypotest", path.to_str().unwrap()], 1);
    assert_eq!((&report["CLs_obs"], &report["reason"]["code"]), (&Value::Null, &json!("rounding")));
}

/// What is written can be drawn: CLs at values from the lower bound to above the largest limit.
#[test]
fn a_limit_comes_with_its_curve() {
    let report = json_of(&["limit", COUNTING], 0);
    let values: Vec<f64> = report["scan"].as_array().unwrap().iter().map(|p| p["poi"].as_f64().unwrap()).collect();
    assert!(values.len() > 30 && values[0] == 0.0 && values.is_sorted());
    assert!(*values.last().unwrap() > report["expected_limit"][4].as_f64().unwrap());
    for k in [1, 10, 20] {
        let (value, cls) = (values[k].to_string(), report["scan"][k]["CLs_obs"].as_f64().unwrap());
        close(&json_of(&["hypotest", COUNTING, "--test-poi", &value], 0)["CLs_obs"], cls, 1e-8);
    }
}
