//! Workspaces changed as a whole: closed examples by pyhf's rules. `tests/workspace/published_operations.rs` has what pyhf itself makes of
//! published workspaces.

use crate::common;

use common::operations::checked;
use common::program::{json_of, morphist, scratch, stderr, stdout, with_stdin};
use morphist::document::{Document, Limits};
use morphist::finding::Findings;
use morphist::translate::from_pyhf::Compat;
use morphist::workspace::diff::{Tolerance, diff};
use morphist::workspace::edit::prune::{Dropped, Options as Prune, prune};
use morphist::workspace::edit::rebin::{Groups, Rebinning, rebin};
use morphist::workspace::edit::rename::{Options as Rename, rename};
use morphist::workspace::edit::symmetrise::{Method, Options as Symmetric, symmetrise};
use morphist::workspace::edit::{Edited, sort};
use serde_json::{Value, json};

fn normfactor(name: &str) -> Value {
    json!({"name": name, "type": "normfactor", "data": null})
}

fn normsys(name: &str, lo: f64, hi: f64) -> Value {
    json!({"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}})
}

fn histosys(name: &str, lo: [f64; 2], hi: [f64; 2]) -> Value {
    json!({"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}})
}

fn sample(name: &str, data: [f64; 2], modifiers: Value) -> Value {
    json!({"name": name, "data": data, "modifiers": modifiers})
}

/// Two channels, out of order; a small and a large effect.
fn workspace() -> Value {
    let background = json!([
        normsys("k", 0.9, 1.1),
        histosys("k", [9.999, 20.0], [10.005, 20.0]),
        histosys("empty", [0.0, 20.0], [0.0, 20.0]),
        normsys("tiny", 0.9999, 1.0002),
    ]);
    json!({
        "channels": [
            {"name": "SR", "samples": [
                sample("s", [1.0, 2.0], json!([normfactor("mu"), normsys("tiny", 0.9, 1.0)])),
                sample("b", [10.0, 20.0], background)]},
            {"name": "CR", "samples": [sample("b", [0.0, 5.0], json!([histosys("k", [0.0, 5.0], [1.0, 5.0])]))]},
        ],
        "observations": [{"name": "SR", "data": [11, 22]}, {"name": "CR", "data": [1, 5]}],
        "measurements": [
            {"name": "n", "config": {"poi": "mu", "parameters": [{"name": "tiny", "fixed": true}, {"name": "k", "inits": [0]}]}},
            {"name": "m", "config": {"poi": "", "parameters": []}},
        ],
        "version": "1.0.0",
    })
}

fn document(value: &Value) -> Document {
    Document::from_slice("w.json", serde_json::to_vec_pretty(value).unwrap(), &Limits::default()).unwrap()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn told(findings: &Findings) -> Vec<String> {
    let line = |f: &morphist::finding::Finding| {
        assert!(f.pointer.is_none() || f.line.is_some(), "{f}");
        format!("{} {} {}", f.rule, f.pointer.as_deref().unwrap_or("-"), f.found)
    };
    findings.0.iter().map(line).collect()
}

fn pruned(value: &Value, options: Prune) -> Result<(Edited, Vec<Dropped>), Vec<String>> {
    let source = document(value);
    let (edited, dropped) = prune(&source, &options).map_err(|findings| told(&findings))?;
    Ok((checked(&source, edited), dropped))
}

fn renamed(value: &Value, options: Rename) -> Result<Edited, Vec<String>> {
    let source = document(value);
    rename(&source, &options).map(|edited| checked(&source, edited)).map_err(|findings| told(&findings))
}

fn pair(old: &str, new: &str) -> Vec<(String, String)> {
    vec![(old.to_owned(), new.to_owned())]
}

#[test]
fn channels_go_with_their_observations() {
    let (edited, dropped) = pruned(&workspace(), Prune { channels: strings(&["C*"]), ..Prune::default() }).unwrap();
    let mut expected = workspace();
    expected["channels"].as_array_mut().unwrap().remove(1);
    expected["observations"].as_array_mut().unwrap().remove(1);
    assert_eq!(edited.document.to_string(), expected.to_string());
    let pointers: Vec<&str> = dropped.iter().map(|d| d.pointer.as_str()).collect();
    assert_eq!(pointers, ["/channels/1", "/observations/1"]);
    assert_eq!(json!(edited.patch)[0], json!({"op": "remove", "path": "/channels/1"}));
}

/// As pyhf does it: of modifiers by name the configurations go too, of those by type they stay.
#[test]
fn modifiers_go_by_name_and_by_type() {
    let (edited, _) = pruned(&workspace(), Prune { modifiers: strings(&["tiny"]), ..Prune::default() }).unwrap();
    assert_eq!(edited.document["measurements"][0]["config"]["parameters"], json!([{"name": "k", "inits": [0]}]));
    assert!(!edited.document["channels"].to_string().contains("tiny"));
    let types = strings(&["normsys"]);
    let (edited, _) = pruned(&workspace(), Prune { modifier_types: types, ..Prune::default() }).unwrap();
    assert_eq!(edited.document["measurements"], workspace()["measurements"]);
    assert_eq!(
        told(&edited.warnings),
        [r#"W134 /measurements/0/config/parameters/0/name a configuration of "tiny", which no modifier declares"#]
    );
}

#[test]
fn selectors_say_where() {
    let select = |selector: &str| {
        pruned(&workspace(), Prune { selectors: vec![selector.parse().unwrap()], ..Prune::default() })
            .map(|(edited, dropped)| (edited, dropped.into_iter().map(|d| d.pointer).collect::<Vec<_>>()))
    };
    let pointers = |selector: &str| select(selector).unwrap().1;
    assert_eq!(
        pointers("channel=S*/sample=b/modifier=k"),
        ["/channels/0/samples/1/modifiers/0", "/channels/0/samples/1/modifiers/1"]
    );
    assert_eq!(
        pointers("type=histosys/sample=b/modifier=[k]"),
        ["/channels/0/samples/1/modifiers/1", "/channels/1/samples/0/modifiers/0"]
    );
    assert_eq!(pointers("channel=SR/sample=s"), ["/channels/0/samples/0"]);
    // The last modifier of a name takes its configuration with it.
    let tiny = pointers("modifier=tiny");
    assert_eq!(tiny.last().map(String::as_str), Some("/measurements/0/config/parameters/0"));
    assert_eq!(pointers("sample=b/modifier=tiny"), ["/channels/0/samples/1/modifiers/3"]);
    let found = select("channel=CR/modifier=tiny").unwrap_err();
    assert_eq!(found, [r#"W370 - the selector "channel=CR/modifier=tiny", which fits nothing"#]);
}

/// Relative changes at ±1σ, by hand: 5e-4 and 0 for the templates, 2e-4 and 0.1 for the factors, infinite in an empty bin.
#[test]
fn small_effects_go() {
    let (edited, dropped) = pruned(&workspace(), Prune { smaller_than: Some(0.001), ..Prune::default() }).unwrap();
    let sizes: Vec<(&str, f64)> = dropped.iter().map(|d| (d.pointer.as_str(), d.size.unwrap())).collect();
    let [(first, k), (second, tiny)] = sizes[..] else { panic!("{sizes:?}") };
    assert_eq!((first, second), ("/channels/0/samples/1/modifiers/1", "/channels/0/samples/1/modifiers/3"));
    assert!((k - 5e-4).abs() < 1e-12 && (tiny - 2e-4).abs() < 1e-12, "{sizes:?}");
    assert_eq!(edited.document["measurements"], workspace()["measurements"]);
    // The empty template of 10 and 0 is a change of 100 %.
    assert!(edited.document.to_string().contains("empty"));
    assert!(pruned(&workspace(), Prune { smaller_than: Some(0.0), ..Prune::default() }).unwrap().1.is_empty());
}

#[test]
fn names_that_are_nowhere_are_told_all_at_once() {
    let options = Prune {
        channels: strings(&["XR", "*z"]),
        samples: strings(&["t"]),
        modifiers: strings(&["JES"]),
        modifier_types: strings(&["lumi"]),
        measurements: strings(&["o"]),
        ..Prune::default()
    };
    let found = pruned(&workspace(), options).unwrap_err();
    let expected = [
        r#"W370 - the type of modifiers "lumi""#,
        r#"W370 - the modifier "JES""#,
        r#"W370 - the sample "t""#,
        r#"W370 - the channel "XR""#,
        r#"W370 - the channel "*z""#,
        r#"W370 - the measurement "o""#,
    ];
    assert_eq!(found, expected);
    // pyhf's table of types has the last type of each name.
    let mut value = workspace();
    value["channels"][0]["samples"][1]["modifiers"].as_array_mut().unwrap().remove(2);
    let options = |compat| Prune { modifier_types: strings(&["histosys"]), compat, ..Prune::default() };
    assert!(pruned(&value, options(Compat::Strict)).is_ok());
    assert_eq!(pruned(&value, options(Compat::Pyhf)).unwrap_err(), [r#"W370 - the type of modifiers "histosys""#]);
}

#[test]
fn lists_are_not_left_empty() {
    let options = Prune { samples: strings(&["b"]), measurements: strings(&["*"]), ..Prune::default() };
    let expected =
        [r#"W371 /channels/1 the channel "CR" without samples"#, "W371 /measurements no measurement that is left"];
    assert_eq!(pruned(&workspace(), options).unwrap_err(), expected);
    let found = pruned(&workspace(), Prune { channels: strings(&["*"]), ..Prune::default() }).unwrap_err();
    assert_eq!(found, ["W371 /channels no channel that is left"]);
    // What the result breaks is told of the document that was read.
    let mut value = workspace();
    value["channels"][1]["samples"][0]["modifiers"][0]["data"]["lo_data"] = json!([1.0]);
    let found = pruned(&value, Prune { samples: strings(&["s"]), ..Prune::default() }).unwrap_err();
    assert!(
        found.contains(&r#"W105 /channels/1/samples/0/modifiers/0/data/lo_data 1 bin in histosys "k""#.to_owned()),
        "{found:?}"
    );
}

#[test]
fn names_change_everywhere() {
    let options = Rename {
        channels: pair("SR", "R"),
        samples: pair("b", "bkg"),
        modifiers: [pair("mu", "k"), pair("k", "mu")].concat(),
        measurements: pair("m", "o"),
        ..Rename::default()
    };
    let text = serde_json::to_string(&workspace()).unwrap();
    let changes = [
        ("\"SR\"", "\"R\""),
        ("\"b\"", "\"bkg\""),
        ("\"mu\"", "\"@\""),
        ("\"k\"", "\"mu\""),
        ("\"@\"", "\"k\""),
        ("\"m\"", "\"o\""),
    ];
    let expected = changes.iter().fold(text, |text, (old, new)| text.replace(old, new));
    assert_eq!(renamed(&workspace(), options).unwrap().document.to_string(), expected);
}

#[test]
fn names_that_are_taken_are_told_with_both_places() {
    let options = Rename {
        channels: [pair("SR", "CR"), pair("XR", "Y")].concat(),
        samples: pair("s", "b"),
        modifiers: [pair("k", "z"), pair("tiny", "z")].concat(),
        measurements: pair("n", "m"),
        ..Rename::default()
    };
    let source = document(&workspace());
    let findings = rename(&source, &options).unwrap_err();
    let expected = [
        r#"W370 - the channel "XR""#,
        r#"W372 /channels/0 the channel "SR" as "CR""#,
        r#"W372 /channels/0/samples/0 the sample "s" as "b""#,
        r#"W372 /channels/0/samples/0/modifiers/1 the modifier "tiny" as "z""#,
        r#"W372 /measurements/0 the measurement "n" as "m""#,
    ];
    assert_eq!(told(&findings), expected);
    assert_eq!(findings.0[1].expected, r#"a name that is free: "CR" is at /channels/1"#);
    assert_eq!(findings.0[3].expected, r#"a name that is free: "z", now "k", is at /channels/0/samples/1/modifiers/0"#);
    // pyhf makes one parameter of two, where they fit together.
    let options = |compat| Rename { modifiers: pair("empty", "tiny"), compat, ..Rename::default() };
    assert_eq!(renamed(&workspace(), options(Compat::Strict)).unwrap_err().len(), 1);
    let edited = renamed(&workspace(), options(Compat::Pyhf)).unwrap();
    assert!(told(&edited.warnings)[0].starts_with("W372 "));
    let options = Rename { modifiers: pair("empty", "mu"), compat: Compat::Pyhf, ..Rename::default() };
    assert!(renamed(&workspace(), options).unwrap_err().iter().any(|f| f.starts_with("W106 ")));
}

#[test]
fn sorting_has_pyhfs_order() {
    let source = document(&workspace());
    let sorted = checked(&source, sort(&source, Compat::Strict).unwrap()).document;
    let names = |pointer: &str| -> Vec<String> {
        let items = sorted.pointer(pointer).unwrap().as_array().unwrap();
        items
            .iter()
            .map(|item| format!("{} {}", item["name"].as_str().unwrap(), item["type"].as_str().unwrap_or("")))
            .collect()
    };
    assert_eq!(names("/channels"), ["CR ", "SR "]);
    assert_eq!(names("/channels/1/samples/0/modifiers"), ["empty histosys", "k histosys", "k normsys", "tiny normsys"]);
    assert_eq!(names("/measurements/1/config/parameters"), ["k ", "tiny "]);
    assert_eq!(sorted["observations"][0], json!({"name": "CR", "data": [1, 5]}));
}

/// The extension's own names are left alone.
#[test]
fn names_of_the_extension_stay() {
    let value = common::read_json("fixtures/eft_coefficient_errors/workspace.json".as_ref());
    let name = "u_linear";
    let mut with = value.clone();
    with["channels"][0]["samples"][0]["modifiers"].as_array_mut().unwrap().push(normsys(name, 0.9, 1.1));
    let found = renamed(&with, Rename { modifiers: pair(name, "other"), ..Rename::default() }).unwrap_err();
    assert!(found.iter().all(|f| f.starts_with("W373 /")) && !found.is_empty(), "{found:?}");
    let (edited, _) = pruned(&with, Prune { modifiers: vec![name.to_owned()], ..Prune::default() }).unwrap();
    assert_eq!(edited.document, value);
}

#[test]
fn the_commands_have_pyhfs_flags() {
    let file = scratch("operations.json", &workspace().to_string()).to_str().unwrap().to_owned();
    let report = scratch("operations_report.json", "").to_str().unwrap().to_owned();
    let pruned =
        json_of(&["prune", &file, "-c", "CR", "-m", "k", "-m", "empty", "-t", "normsys", "--measurement", "m"], 0);
    assert_eq!(pruned["channels"][0]["samples"][1]["modifiers"], json!([]));
    let said = stderr(&morphist(&["prune", &file, "--smaller-than", "0.001", "--report", &report]));
    assert!(said.contains(r#"left out as too small: histosys "k" of "b" in "SR", 0.0005"#), "{said}");
    assert_eq!(common::read_json(report.as_ref())["dropped"][1]["type"], json!("normsys"));
    let patch = json_of(&["prune", &file, "--selector", "channel=SR/sample=s/modifier=tiny", "--json-patch"], 0);
    assert_eq!(patch, json!([{"op": "remove", "path": "/channels/0/samples/0/modifiers/1"}]));
    let patch =
        json_of(&["rename", &file, "-c", "SR", "A", "-c", "CR", "B", "--measurement", "n", "x", "--json-patch"], 0);
    assert_eq!(patch.as_array().unwrap().len(), 5);
    let sorted = with_stdin(&["sort"], workspace().to_string().as_bytes());
    assert!(sorted.status.success() && stdout(&sorted).contains("\"CR\""));
    let moved = json_of(&["sort", &file, "--json-patch"], 0);
    assert_eq!(moved[0], json!({"op": "move", "from": "/channels/1", "path": "/channels/0"}));
    for wrong in
        [vec!["prune", &file, "-c"], vec!["rename", &file, "-c", "SR"], vec!["prune", &file, "--smaller-than", "x"]]
    {
        assert_eq!(morphist(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    let refused = morphist(&["prune", &file, "-c", "XR"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty() && stderr(&refused).contains("W370"), "{}", stderr(&refused));
}

/// The patch of a combination makes it of the first document.
#[test]
fn a_combination_as_a_patch() {
    let other = workspace().to_string().replace("\"SR\"", "\"VR\"").replace("\"CR\"", "\"WR\"");
    let first = scratch("operations_first.json", &workspace().to_string()).to_str().unwrap().to_owned();
    let second = scratch("operations_second.json", &other).to_str().unwrap().to_owned();
    for join in ["outer", "left outer", "right outer"] {
        let whole = json_of(&["combine", &first, &second, "-j", join, "--allow-same-data"], 0);
        let patch = morphist(&["combine", &first, &second, "-j", join, "--allow-same-data", "--json-patch"]);
        let patch = scratch("operations_patch.json", &stdout(&patch)).to_str().unwrap().to_owned();
        assert_eq!(json_of(&["patch", &first, "-p", &patch], 0), whole, "{join}");
    }
}

#[test]
fn differences_have_their_places() {
    let left = workspace();
    let mut right = workspace();
    right["channels"].as_array_mut().unwrap().reverse();
    assert!(diff(&left, &right, Tolerance::default()).list.is_empty());
    assert_eq!(diff(&left, &right, Tolerance::default()).order, ["channels"]);
    let signal = "/channels/1/samples/0";
    *right.pointer_mut(&format!("{signal}/data/1")).unwrap() = json!(2.5);
    *right.pointer_mut(&format!("{signal}/name")).unwrap() = json!("s");
    *right.pointer_mut("/channels/0/samples/0/name").unwrap() = json!("bkg");
    *right.pointer_mut("/channels/1/samples/1/modifiers/0/data/hi").unwrap() = json!(1.11);
    right["channels"][1]["samples"][1]["modifiers"].as_array_mut().unwrap().push(normfactor("f"));
    right["measurements"][0]["config"]["poi"] = json!("f");
    right["measurements"][0]["config"]["parameters"][0] = json!({"name": "tiny", "inits": [0.5]});
    right["observations"][1]["data"] = json!([1, 5, 6]);
    let lines = |tolerance| -> Vec<String> {
        let found = diff(&left, &right, tolerance).list.into_iter();
        found.map(|d| format!("{}: {}", d.place, json!(d.change))).collect()
    };
    let numbers = |n: usize, was: f64, is: f64, index: usize| {
        json!({"kind": "numbers", "differing": 1, "of": n, "index": index, "was": was, "is": is}).to_string()
    };
    let expected = [
        format!("channel SR, sample s, data: {}", numbers(2, 2.0, 2.5, 1)),
        format!("channel SR, sample b, normsys k, data, hi: {}", numbers(1, 1.1, 1.11, 0)),
        r#"channel SR, sample b, normfactor f: {"kind":"only_right"}"#.to_owned(),
        r#"channel CR, sample b: {"kind":"renamed","to":"bkg"}"#.to_owned(),
        r#"observation CR, data: {"kind":"length","was":2,"is":3}"#.to_owned(),
        r#"measurement n, poi: {"kind":"value","was":"the string \"mu\"","is":"the string \"f\""}"#.to_owned(),
        r#"measurement n, parameter tiny, fixed: {"kind":"only_left"}"#.to_owned(),
        r#"measurement n, parameter tiny, inits: {"kind":"only_right"}"#.to_owned(),
    ];
    assert_eq!(lines(Tolerance::default()), expected);
    assert_eq!(lines(Tolerance { relative: 0.01, absolute: 0.0 }).len(), 7);
    assert_eq!(lines(Tolerance { relative: 0.0, absolute: 0.5 }).len(), 6);
}

/// −2 ln L is that of `evaluate`, at the start of each.
#[test]
fn the_command_diff_compares_likelihoods_too() {
    let left = "fixtures/higgs_like/workspace.json";
    let same = json_of(&["diff", left, left, "--evaluate"], 0);
    let own = json_of(&["evaluate", left], 0)["twice_nll"].clone();
    assert_eq!(same["evaluation"]["at_left_start"], json!({"left": own, "right": own, "different": false}));
    let mut other = common::read_json(left.as_ref());
    let n = other["observations"][0]["data"][0].as_f64().unwrap();
    other["observations"][0]["data"][0] = json!(n + 1.0);
    let other = scratch("operations_diff.json", &other.to_string()).to_str().unwrap().to_owned();
    let found = json_of(&["diff", left, &other, "--evaluate"], 1);
    let evaluated = json_of(&["evaluate", &other], 0)["twice_nll"].clone();
    assert_eq!(found["evaluation"]["at_right_start"], json!({"left": own, "right": evaluated, "different": true}));
    assert_eq!(found["differences"].as_array().unwrap().len(), 1);
    let fits = json_of(&["diff", left, &other, "--fit"], 1)["fit"].clone();
    for (side, file) in [("left", left), ("right", other.as_str())] {
        let fit = json_of(&["fit", file], 0);
        let minimum = fit["twice_nll"].as_f64().unwrap();
        assert!(
            (fits[side]["twice_nll"].as_f64().unwrap() - minimum).abs() < 1e-9 && fits[side]["valid"] == true,
            "{fits}"
        );
    }
    assert_eq!(
        (&fits["different"], json_of(&["diff", left, left, "--fit"], 0)["fit"]["different"].clone()),
        (&json!(true), json!(false))
    );
    let text = morphist(&["diff", left, &other, "--format", "table", "--fit"]);
    assert!(stdout(&text).contains("1 difference") && text.status.code() == Some(1), "{}", stdout(&text));
    assert_eq!(morphist(&["diff", left, &other, "--atol", "1"]).status.code(), Some(0));
    assert_eq!(morphist(&["diff", left, &other, "--rtol", "-1"]).status.code(), Some(2));
}

#[test]
fn hs3_is_refused_by_name() {
    let hs3 = scratch("operations_hs3.json", &stdout(&morphist(&["convert", "fixtures/counting/workspace.json"])));
    let hs3 = hs3.to_str().unwrap();
    for command in ["prune", "rename", "sort"] {
        let refused = morphist(&[command, hs3]);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        assert!(stderr(&refused).contains("convert --to pyhf"), "{}", stderr(&refused));
    }
    assert!(morphist(&["digest", hs3]).status.success());
}

/// Sums by hand; uncertainties in quadrature.
#[test]
fn bins_are_summed() {
    let mut value = workspace();
    let staterror = json!({"name": "st", "type": "staterror", "data": [3.0, 4.0]});
    value["channels"][0]["samples"][1]["modifiers"].as_array_mut().unwrap().push(staterror);
    let config = json!({"name": "st", "inits": [1, 1], "bounds": [[0.5, 2], [0.5, 2]]});
    value["measurements"][1]["config"]["parameters"].as_array_mut().unwrap().push(config);
    let rebinned = |text: &str, value: &Value| {
        let source = document(value);
        rebin(&source, &[text.parse().unwrap()], Compat::Strict).map(|edited| checked(&source, edited))
    };
    let result = rebinned("S*=2", &value).unwrap().document;
    let sample = &result["channels"][0]["samples"][1];
    assert_eq!((&sample["data"], &sample["modifiers"][4]["data"]), (&json!([30.0]), &json!([5.0])));
    assert_eq!(sample["modifiers"][1]["data"], json!({"lo_data": [9.999 + 20.0], "hi_data": [10.005 + 20.0]}));
    assert_eq!(result["observations"], json!([{"name": "SR", "data": [33]}, {"name": "CR", "data": [1, 5]}]));
    let config = json!([{"name": "st", "inits": [1], "bounds": [[0.5, 2]]}]);
    assert_eq!(result["measurements"][1]["config"]["parameters"], config);
    assert_eq!(rebinned("SR=1,1", &value).unwrap().document, value);
    let wrong = |text: &str, value: &Value| told(&rebinned(text, value).unwrap_err());
    assert_eq!(wrong("?R=3", &value).len(), 2);
    assert_eq!(wrong("SR=1,2", &value), [r#"W374 /channels/0 2 bins in channel "SR""#]);
    assert_eq!(wrong("XR=2", &value), [r#"W370 - the channel "XR""#]);
    value["measurements"][1]["config"]["parameters"][0]["inits"] = json!([1, 2]);
    assert!(wrong("SR=2", &value)[0].starts_with("W374 /measurements/1/config/parameters/0/inits "));
    for text in ["SR", "SR=", "SR=0", "SR=1,x"] {
        assert!(text.parse::<Rebinning>().is_err(), "{text}");
    }
}

/// The expectation of all channels is the sum of what it was, away from the start too.
#[test]
fn expected_yields_are_sums() {
    let value = common::read_json("fixtures/histosys_normsys_shared/workspace.json".as_ref());
    let n_bins = value["channels"][0]["samples"][0]["data"].as_array().unwrap().len();
    let source = document(&value);
    let rebinning = Rebinning { channels: "*".to_owned(), groups: Groups::Every(n_bins) };
    let result = rebin(&source, &[rebinning], Compat::Strict).unwrap().document;
    let expected = |value: &Value| {
        let (model, data) = common::combination::build(value);
        let program = morphist::program::Program::compile(&model);
        let point: Vec<f64> = model.init().iter().enumerate().map(|(i, x)| x + 0.3 + 0.4 * i as f64).collect();
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; data.auxiliary.len()]);
        morphist::kernel::Evaluator::new(&program).expected(&point, &mut main, &mut auxiliary);
        main
    };
    let (fine, coarse) = (expected(&value), expected(&result));
    for (sum, whole) in fine.chunks(n_bins).map(|bins| bins.iter().sum::<f64>()).zip(&coarse) {
        assert!((sum - whole).abs() < 1e-12 * whole.abs(), "{sum} {whole}");
    }
}

/// By hand: 10 and 20 with 9.999, 20 and 10.005, 20; factors 0.9 and 1.0.
#[test]
fn effects_become_symmetric() {
    let source = document(&workspace());
    let options = |method| Symmetric { method, ..Symmetric::default() };
    let made = |options: &Symmetric| {
        let (edited, changed) = symmetrise(&source, options).unwrap();
        (checked(&source, edited).document, changed)
    };
    let tiny = |document: &Value| document["channels"][0]["samples"][0]["modifiers"][1]["data"].clone();
    let near = |data: &Value, lo: f64, hi: f64| {
        let got = |key: &str| data[key].as_f64().unwrap();
        assert!((got("lo") - lo).abs() < 1e-12 && (got("hi") - hi).abs() < 1e-12, "{data}");
    };
    near(&tiny(&made(&options(Method::Average)).0), 0.95, 1.05);
    near(&tiny(&made(&options(Method::Up)).0), 1.0, 1.0);
    near(&tiny(&made(&options(Method::Down)).0), 0.9, 1.1);
    near(&tiny(&made(&options(Method::Larger)).0), 0.9, 1.1);
    let (document, changed) = made(&options(Method::Up));
    let template = &document["channels"][0]["samples"][1]["modifiers"][1]["data"];
    assert!(
        (template["lo_data"][0].as_f64().unwrap() - 9.995).abs() < 1e-12 && template["hi_data"][0] == json!(10.005)
    );
    // k of both samples, tiny of both, empty.
    assert_eq!(changed.len(), 5, "{changed:?}");
    let selectors = vec!["modifier=k/channel=CR".parse().unwrap()];
    let (document, changed) =
        made(&Symmetric { selectors, one_sided: true, method: Method::Up, ..Symmetric::default() });
    assert_eq!((changed.len(), changed[0].pointer.as_str()), (1, "/channels/1/samples/0/modifiers/0"));
    assert_eq!(document["channels"][1]["samples"][0]["modifiers"][0]["data"]["lo_data"], json!([-1.0, 5.0]));
    let warnings = symmetrise(&source, &options(Method::Up)).unwrap().0.warnings;
    assert!(told(&warnings).iter().any(|f| f.starts_with("W375 /channels/1/samples/0/modifiers/0/data/lo_data -1 ")));
    let none = Symmetric { selectors: vec!["modifier=mu".parse().unwrap()], ..Symmetric::default() };
    assert_eq!(told(&symmetrise(&source, &none).unwrap_err()).len(), 1);
}

/// The marginal of a multivariate normal distribution has the rows and columns that are left.
#[test]
fn pruned_parameters_leave_their_correlations() {
    let normsys = |name: &str| json!({"name": name, "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}});
    let mu = json!({"name": "mu", "type": "normfactor", "data": null});
    let mut whole = json!({
        "channels": [
            {"name": "a", "samples": [{"name": "s", "data": [5.0], "modifiers": [mu, normsys("k"), normsys("l")]}]},
            {"name": "b", "samples": [{"name": "s", "data": [7.0], "modifiers": [mu, normsys("l"), normsys("m")]}]}],
        "observations": [{"name": "a", "data": [6]}, {"name": "b", "data": [6]}],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0"
    });
    let groups =
        json!([{"parameters": ["k", "l", "m"], "matrix": [[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]]}]);
    whole["correlations"] = json!({"version": "0.1.0", "groups": groups});
    let file = scratch("operations_correlated.json", &whole.to_string()).to_str().unwrap().to_owned();
    let pruned = |arguments: &[&str]| {
        let result = json_of(&[&["prune", &file], arguments].concat(), 0);
        let patch = stdout(&morphist(&[&["prune", &file, "--json-patch"], arguments].concat()));
        let patch = scratch("operations_correlated_patch.json", &patch).to_str().unwrap().to_owned();
        assert_eq!(json_of(&["patch", &file, "-p", &patch], 0), result, "{arguments:?}");
        result
    };
    // l is in b too and stays.
    let expected = json!([{"parameters": ["l", "m"], "matrix": [[1.0, 0.3], [0.3, 1.0]]}]);
    assert_eq!(pruned(&["-c", "a"])["correlations"]["groups"], expected);
    assert_eq!(pruned(&["-m", "k"])["correlations"]["groups"], expected);
    let expected = json!([{"parameters": ["k", "m"], "matrix": [[1.0, 0.2], [0.2, 1.0]]}]);
    assert_eq!(pruned(&["-m", "l"])["correlations"]["groups"], expected);
    for alone in [&["-m", "l", "-m", "k"][..], &["-t", "normsys"]] {
        assert!(pruned(alone).get("correlations").is_none(), "{alone:?}");
    }
    let shown = json_of(&["inspect", &file], 0);
    assert_eq!(shown["correlations"], json!([["k", "l", "m"]]));
    // What XML cannot say.
    let folder = format!("{}/operations_correlated_xml", env!("CARGO_TARGET_TMPDIR"));
    let refused = morphist(&["json2xml", &file, "--output-dir", &folder]);
    let told = common::program::stderr(&refused);
    assert!(
        refused.status.code() == Some(1) && told.contains("W460") && told.contains("correlated constraints"),
        "{told}"
    );
}

/// The patch of `diff` makes the second document of the first.
#[test]
fn a_difference_as_a_patch() {
    let left = workspace();
    let mut right = workspace();
    right["channels"][0]["samples"][0]["data"][0] = json!(99.5);
    right["measurements"][0]["name"] = json!("other");
    let file = |name: &str, value: &Value| scratch(name, &value.to_string()).to_str().unwrap().to_owned();
    let (first, second) = (file("diff_left.json", &left), file("diff_right.json", &right));
    let patch = json_of(&["diff", &first, &second, "--json-patch"], 1);
    let patch = file("diff_patch.json", &patch);
    assert_eq!(json_of(&["patch", &first, "-p", &patch], 0), right);
    assert_eq!(json_of(&["diff", &first, &first, "--json-patch"], 0), json!([]));
}
