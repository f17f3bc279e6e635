//! Published workspaces with a response on their signal: with 1 + 2c + c² the signal strength is (1 + c)², so every
//! result follows from that of the plain workspace.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use serde_json::{Value, json};

/// The workspace with `mu` held at one and a response of the signal, (1 + c)².
fn with_response(plain: &Value) -> Value {
    with_polynomial(plain, [1.0, 2.0, 1.0], 0.0)
}

/// The coefficients are those of 1, c and c²; at the reference they make one.
fn with_polynomial(plain: &Value, coefficients: [f64; 3], reference: f64) -> Value {
    let mut document = plain.clone();
    let poi = document["measurements"][0]["config"]["poi"].as_str().unwrap().to_owned();
    let response = json!({"name": "signal_eft", "type": "eft_polynomial", "data": {
        "mode": "relative", "monomials": [[], ["c"], ["c", "c"]], "coefficients": coefficients, "truncation": "none",
        "reference": {"c": reference},
    }});
    for channel in document["channels"].as_array_mut().unwrap() {
        for sample in channel["samples"].as_array_mut().unwrap() {
            let modifiers = sample["modifiers"].as_array_mut().unwrap();
            if modifiers.iter().any(|m| m["name"] == poi) {
                modifiers.push(response.clone());
            }
        }
    }
    document["eft"] = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "c", "bounds": [-8, 8]}],
    });
    document
}

#[test]
fn a_signal_strength_as_a_square() {
    let Some(root) = common::corpus("a_signal_strength_as_a_square") else { return };
    for name in ["w1_2bin", "w5_sbottomC", "w8_ewk05"] {
        let path = root.join(format!("reference/workspaces/{name}.json"));
        let (path, plain) = (path.to_str().unwrap(), common::read_json(&path));
        let mu = plain["measurements"][0]["config"]["poi"].as_str().unwrap();
        let written = serde_json::to_string_pretty(&with_response(&plain)).unwrap();
        let file = scratch(&format!("square_{name}.json"), &written);
        let file = file.to_str().unwrap();
        let hold = format!("{mu}=1");

        // The same numbers where the new coefficient vanishes.
        let ours = json_of(&["evaluate", file, "--init", &hold], 0);
        let theirs = json_of(&["evaluate", path, "--init", &hold], 0);
        assert_eq!(ours["twice_nll"], theirs["twice_nll"], "{name}");

        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let options = ["--format", "json"];
        let fit = |arguments: &[&str]| json_of(&[&["fit"], arguments, &options].concat(), 0);
        let (ours, theirs) = (fit(&[file, "--fix", &hold, "--poi", "c"]), fit(&[path]));
        let (best, strength) = (number(&ours["mle_parameters"]["c"][0]), number(&theirs["mle_parameters"][mu][0]));
        // With a strength of zero, both ends of the fit stand where it vanishes.
        let at_minimum = number(&theirs["twice_nll"]);
        assert!((number(&ours["twice_nll"]) - at_minimum).abs() < 1e-6, "{name}: {} {at_minimum}", ours["twice_nll"]);
        assert!(((1.0 + best).powi(2) - strength).abs() < 1e-3 * strength.max(1.0), "{name}: {best} {strength}");

        let scan = |arguments: &[&str]| json_of(&[&["scan"], arguments, &options].concat(), 0);
        let (ours, theirs) = (scan(&[file, "c", "--fix", &hold]), scan(&[path, mu]));
        for (ours, theirs) in ours["intervals"].as_array().unwrap().iter().zip(theirs["intervals"].as_array().unwrap())
        {
            let upper = |interval: &Value| {
                let regions = interval["intervals"].as_array().unwrap();
                number(&regions.last().unwrap()["upper"]["value"])
            };
            let want = upper(theirs).sqrt() - 1.0;
            assert!((upper(ours) - want).abs() < 1e-5 * want.abs().max(1.0), "{name}: {} {want}", upper(ours));
        }
    }
}

/// With the signal as c² the limits on c, on either side, are roots of those on the strength.
#[test]
fn limits_on_a_square_are_roots() {
    let Some(root) = common::corpus("limits_on_a_square_are_roots") else { return };
    for name in ["w1_2bin", "w5_sbottomC", "w8_ewk05"] {
        let path = root.join(format!("reference/workspaces/{name}.json"));
        let plain = common::read_json(&path);
        let mu = plain["measurements"][0]["config"]["poi"].as_str().unwrap();
        let written = with_polynomial(&plain, [0.0, 0.0, 1.0], 1.0).to_string();
        let file = scratch(&format!("root_{name}.json"), &written);
        let ours =
            json_of(&["limit", file.to_str().unwrap(), "--poi", "c", "--fix", &format!("{mu}=1"), "--init", "c=1"], 0);
        let theirs = json_of(&["limit", path.to_str().unwrap()], 0);
        let limits = |report: &Value| -> Vec<f64> {
            let expected = report["expected_limit"].as_array().unwrap().iter();
            [&report["observed_limit"]].into_iter().chain(expected).map(|x| x.as_f64().unwrap()).collect()
        };
        for (sign, ours) in [(1.0, limits(&ours)), (-1.0, limits(&ours["lower_limit"]))] {
            for (c, mu) in ours.iter().zip(limits(&theirs)) {
                assert!((sign * c / mu.sqrt() - 1.0).abs() < 1e-6, "{name}: {c} but {}", sign * mu.sqrt());
            }
        }
        assert_eq!(ours["allowed"].as_array().unwrap().len(), 1, "{name}");
        assert_eq!(ours["poi_bounds"], json!([-8.0, 8.0]), "{name}");
    }
}

#[test]
fn without_the_extension_it_is_the_same_file() {
    let Some(root) = common::corpus("without_the_extension_it_is_the_same_file") else { return };
    for name in ["w1_2bin", "w5_sbottomC", "w8_ewk05"] {
        let plain = common::read_json(&root.join(format!("reference/workspaces/{name}.json")));
        let extended = serde_json::to_string_pretty(&with_response(&plain)).unwrap();
        let file = scratch(&format!("strip_{name}.json"), &extended);
        let output = morphist(&["eft", "strip", file.to_str().unwrap()]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        assert!(stdout(&output) == serde_json::to_string_pretty(&plain).unwrap(), "{name} is another file");
    }
}
