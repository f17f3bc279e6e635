//! Imported responses in workspaces, by the library and by the command.

use super::common::program::{json_of, morphist, scratch, stderr, stdout};
use super::*;
use morphist::document::eft::{MorphComponents, Truncation};
use morphist::import::{eft2obs, morphing_inputs};

/// Attaching refuses what does not fit.
#[test]
fn attaching_checks_yields_names_and_bases() {
    let scaling = json!({"terms": [[["a"], [0.5], [0]]], "nbins": 1, "sm_vals": [10.0]});
    let import = eft2obs::read("e", bytes(&scaling), &options()).unwrap();
    let text = std::fs::read(format!("{}/fixtures/counting/workspace.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut workspace: Workspace = serde_json::from_slice(&text).unwrap();
    let (channel, sample) = (workspace.channels[0].name.clone(), workspace.channels[0].samples[0].name.clone());
    let target =
        |channel: &str, sample: &str| Target { channel: channel.into(), sample: sample.into(), name: "e".into() };
    let response = import.response(None).unwrap();
    assert!(attach(&mut workspace, response, &target("no", &sample)).unwrap_err().0[0].found.contains("no channel"));
    assert!(attach(&mut workspace, response, &target(&channel, "no")).unwrap_err().0[0].found.contains("no sample"));
    let wrong = attach(&mut workspace, response, &target(&channel, &sample)).unwrap_err();
    assert!(wrong.0[0].hint.contains("--relative"), "{wrong}");
    assert_eq!(declare(&mut workspace, &import.wilson_coefficients, None).unwrap_err().0[0].rule, "W292");
    assert!(import.response(Some("x")).is_err());
    let MorphComponents::Vertices(_) = morphing_inputs::read(
        "m",
        bytes(&json!({"samples": [{"param_card": {"a": 0}, "histogram": [1]}], "vertices": {"v": ["a"]}})),
        &options(),
    )
    .map(|import| match &import.responses[0].data {
        ResponseData::Morph(data) => data.components.clone(),
        other => panic!("{other:?}"),
    })
    .unwrap() else {
        panic!()
    };
    assert!(matches!(polynomial(response).truncation, Truncation::None(_)));
}

/// The command: parts by themselves, and a workspace with the response, whose expected yield follows the equation.
#[test]
fn the_command_writes_parts_and_workspaces() {
    let scaling = json!({"terms": [[["a"], [0.5], [0.1]], [["a", "b"], [-0.25], [0]], [["b"], [1], [0]]], "nbins": 1,
        "sm_vals": [10.0], "bin_edges": [[0, 1]], "bin_labels": []});
    let file = scratch("eft_import.json", &scaling.to_string());
    let file = file.to_str().unwrap();
    let bounds = ["--bounds", "-3,3", "--bounds", "b=-1,2"];
    fn with<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&["eft", "import", "--from", "eft2obs", file], more].concat()
    }
    let parts = json_of(&with(file, &bounds), 0);
    assert_eq!(parts["wilson_coefficients"][1]["bounds"], json!([-1.0, 2.0]));
    assert_eq!(parts["responses"][0]["modifier"]["type"], "eft_polynomial");
    assert_eq!(parts["responses"][0]["nominal"], json!([10.0]));
    assert_eq!(parts["warnings"][0]["rule"], "W293");
    let table = morphist(&with(file, &[&bounds[..], &["--format", "table"]].concat()));
    assert!(stdout(&table).contains("eft_polynomial") && stderr(&table).contains("W293"), "{}", stdout(&table));

    let workspace = "fixtures/counting/workspace.json";
    let plain: Value = serde_json::from_slice(&std::fs::read(workspace).unwrap()).unwrap();
    let (channel, sample) = (&plain["channels"][0], &plain["channels"][0]["samples"][0]);
    let place = [
        "--workspace",
        workspace,
        "--channel",
        channel["name"].as_str().unwrap(),
        "--sample",
        sample["name"].as_str().unwrap(),
    ];
    let basis = ["--basis", "SMEFT/Warsaw", "--lambda-tev", "1", "--input-scheme", "MW_MZ_GF"];
    let out = scratch("eft_import_out.json", "");
    let out = ["--relative", "--output-file", out.to_str().unwrap()];
    let whole = morphist(&with(file, &[&bounds[..], &place, &basis, &out].concat()));
    assert!(whole.status.success(), "{}", stderr(&whole));
    let evaluate = |file: &str, more: &[&str]| {
        let report = json_of(&[&["evaluate", file][..], more].concat(), 0);
        report["expected_data"]["main"][channel["name"].as_str().unwrap()][0]
            .as_f64()
            .unwrap_or_else(|| panic!("{report}"))
    };
    let factor = 1.0 + 0.5 * 0.5 + 0.25 * 0.5 * 0.75 - 0.75;
    let nominal: f64 = sample["data"][0].as_f64().unwrap();
    let at = evaluate(out[2], &["--init", "a=0.5", "--init", "b=-0.75"]);
    assert!((at - evaluate(workspace, &[]) - nominal * (factor - 1.0)).abs() < 1e-12 * at, "{at}");

    for (arguments, code, words) in [
        (with(file, &[]), 1, "no bounds of \"a\", \"b\""),
        (with(file, &["--bounds", "c=0,1", "--bounds", "-1,1"]), 2, "--bounds of \"c\""),
        (with(file, &["--bounds", "3,-3"]), 2, "LO < HI"),
        (with(file, &[&bounds[..], &["--order", "LO"]].concat()), 2, "--order"),
        (with(file, &[&bounds[..], &[file]].concat()), 2, "one file"),
        (with(file, &[&bounds[..], &place, &out].concat()), 1, "without the block eft"),
        (with(file, &[&bounds[..], &["--workspace", workspace], &basis].concat()), 2, "--channel and --sample"),
        (with(file, &[&bounds[..], &place, &basis].concat()), if nominal == 10.0 { 0 } else { 1 }, ""),
        (vec!["eft", "import", "--from", "redist", file], 2, "two files"),
        (vec!["eft", "import", "--from", "stxs", file, "--bounds", "-1,1"], 1, "W290"),
    ] {
        let output = morphist(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}
