//! Combining documents with the EFT extension: blocks, another Λ in closed form, event databases.

use crate::common;

use common::Random;
use common::combination::{additive, build, document, merged, told, twice_nll, twin};
use common::program::{json_of, morphist, scratch, stderr};
use morphist::document::{Document, Limits};
use morphist::model::Constraint;
use morphist::workspace::combine::{Channels, Combined, Join, Options, combine};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const OUTER: Join = Join::Outer(Channels::Whole);

/// The fixtures of the extension but those with events, with measurements and with a transform, whose combination has tests of
/// its own.
fn fixtures() -> Vec<(String, Value)> {
    let mut folders: Vec<_> = std::fs::read_dir("fixtures").unwrap().map(|f| f.unwrap().path()).collect();
    folders.retain(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with("eft_") && folder.is_dir());
    folders.retain(|folder| !folder.ends_with("eft_events"));
    folders.retain(|folder| !folder.to_str().unwrap().contains("eft_gaussian"));
    folders.retain(|folder| !folder.to_str().unwrap().contains("eft_unbinned"));
    folders.retain(|folder| !folder.ends_with("eft_running") && !folder.ends_with("eft_masses"));
    folders.sort();
    assert_eq!(folders.len(), 14);
    folders.iter().map(|f| (f.display().to_string(), common::read_json(&f.join("workspace.json")))).collect()
}

/// A document with what the fixtures lack: a response of the block, starts, and variances at a point of their own.
fn shared_response() -> Value {
    json!({
        "channels": [{"name": "x", "samples": [
            {"name": "s", "data": [12.35, 8.125], "modifiers": [
                {"name": "r", "type": "eft_polynomial", "data": {"response": "shared"}}
            ]},
            {"name": "b", "data": [20.0, 30.0], "modifiers": [{"name": "k", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]}
        ]}],
        "observations": [{"name": "x", "data": [30, 40]}],
        "measurements": [{"name": "m", "config": {"poi": "c1", "parameters": [
            {"name": "c1", "inits": [0.5], "bounds": [[-1.5, 1.75]]}, {"name": "k", "auxdata": [0.25]}
        ]}}],
        "version": "1.0.0",
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF", "scale_GeV": 91.2},
            "wilson_coefficients": [
                {"name": "c1", "bounds": [-2.0, 2.0], "init": 0.25},
                {"name": "c8", "bounds": [-1.0, 1.0], "dimension": 8, "fixed": true}
            ],
            "responses": {"shared": {
                "mode": "absolute", "truncation": {"max_np_order": 2}, "reference": {"c1": 0.5, "c8": 0.125},
                "monomials": [[], ["c1"], ["c1", "c1"], ["c8"], ["c8", "c1"]],
                "coefficients": [[12.0, 7.5], [0.2, 0.5], [0.6, 0.7], [0.4, 0.8], [0.8, 1.6]],
                "uncertainties": [{"name": "u", "monomial": ["c1"], "sigma": [0.1, 0.2]}],
                "mc_stat": {"kind": "w2", "monomials": [[], ["c1"], ["c8"]], "variances": [0.5, 0.1, 0.2], "fixed_at": {"c1": 0.5}}
            }}
        }
    })
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match key.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[key] = value,
    }
    document
}

fn without(document: &Value, parent: &str, key: &str) -> Value {
    let mut document = document.clone();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    document
}

#[test]
fn the_sum_of_two_documents_with_one_block() {
    let mut shared = 0;
    for (name, a) in fixtures().into_iter().chain([("shared response".to_owned(), shared_response())]) {
        let b = twin(&a, "'");
        let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{name}: {f:?}"));
        assert_eq!(combined.document["eft"], a["eft"], "{name}");
        shared += additive(&name, &a, &b, &combined, 10);
    }
    assert!(shared >= 10, "{shared}");
}

/// A plain document joins one with coefficients, on either side.
#[test]
fn one_block_is_the_block_of_the_result() {
    let a = without(&shared_response(), "/measurements/0/config/parameters/1", "auxdata");
    let plain = common::read_json(Path::new("fixtures/counting/workspace.json"));
    for (left, right) in [(&a, &plain), (&plain, &a)] {
        let combined = merged(Join::None, left, right).unwrap();
        assert_eq!(combined.document["eft"], a["eft"]);
    }
}

/// c/Λ² stays: at c of the first document, the second one is evaluated, as it is written, at c (Λ₂/Λ₁)^(2 order).
fn check_conversion(name: &str, first: &Value, second: &Value, ratio: f64, combined: &Combined) {
    let (whole, a, b) = (build(&combined.document), build(first), build(second));
    let names = whole.0.parameter_names();
    let dimension = |name: &str| {
        let coefficients = second["eft"]["wilson_coefficients"].as_array().unwrap();
        coefficients.iter().find(|c| c["name"] == name).map(|c| c["dimension"].as_i64().unwrap_or(6))
    };
    let power = |name: &str| dimension(name).map_or(1.0, |d| ratio.powi(2 * (d as i32 - 4) / 2));
    let part = |names_of: Vec<String>, point: &[f64], convert: bool| -> Vec<f64> {
        let value = |name: &String| {
            let c = point[names.iter().position(|n| n == name).unwrap()];
            if convert { c * power(name) } else { c }
        };
        names_of.iter().map(value).collect()
    };
    let (mut random, mut finite) = (Random(11), 0);
    for _ in 0..10 {
        let point = random.point(&whole.0, 0.7);
        let of_a = twice_nll(&a, &part(a.0.parameter_names(), &point, false));
        let of_b = twice_nll(&b, &part(b.0.parameter_names(), &point, true));
        let of_b_names = b.0.parameter_names();
        let shared = a.0.parameter_names().into_iter().zip(a.0.constraints()).filter(|(n, _)| of_b_names.contains(n));
        let twice: f64 = shared
            .filter_map(|(name, constraint)| {
                let Constraint::Gaussian { auxdata, sigma } = constraint? else { panic!("{name}") };
                let value = point[names.iter().position(|n| *n == name).unwrap()];
                Some(((auxdata - value) / sigma).powi(2) + 2.0 * (sigma * (2.0 * std::f64::consts::PI).sqrt()).ln())
            })
            .sum();
        let (got, expected) = (twice_nll(&whole, &point), of_a + of_b - twice);
        if expected.is_finite() {
            finite += 1;
            let scale = of_a.abs() + of_b.abs() + twice.abs();
            assert!((got - expected).abs() <= 1e-12 * scale, "{name}, {ratio}: {got} and {expected}");
        }
    }
    assert!(finite > 3, "{name}: {finite}");
}

/// The document at another Λ: its numbers stay and mean something else; the box is the same in c/Λ².
fn at_scale(document: &Value, ratio: f64) -> Value {
    let mut twin = twin(document, "'");
    let block = &mut twin["eft"];
    block["basis"]["Lambda_TeV"] = json!(ratio * block["basis"]["Lambda_TeV"].as_f64().unwrap());
    let mut powers = Vec::new();
    let scale = |value: &mut Value, power: f64| *value = json!(value.as_f64().unwrap() * power);
    for coefficient in block["wilson_coefficients"].as_array_mut().unwrap() {
        let power = if coefficient["dimension"] == 8 { ratio.powi(4) } else { ratio.powi(2) };
        coefficient["bounds"].as_array_mut().unwrap().iter_mut().for_each(|bound| scale(bound, power));
        if let Some(init) = coefficient.get_mut("init") {
            scale(init, power);
        }
        powers.push((coefficient["name"].clone(), power));
    }
    for config in twin["measurements"][0]["config"]["parameters"].as_array_mut().unwrap() {
        if let Some((_, power)) = powers.iter().find(|(name, _)| *name == config["name"]) {
            scale(&mut config["inits"][0], *power);
            config["bounds"][0].as_array_mut().unwrap().iter_mut().for_each(|bound| scale(bound, *power));
        }
    }
    rename_responses(&mut twin);
    twin
}

/// Responses of one name must be equal, and converted ones are not.
fn rename_responses(document: &mut Value) {
    if let Some(responses) = document["eft"].get_mut("responses").and_then(Value::as_object_mut) {
        *responses = responses.iter().map(|(name, response)| (format!("{name}'"), response.clone())).collect();
    }
    for channel in document["channels"].as_array_mut().unwrap() {
        for sample in channel["samples"].as_array_mut().unwrap() {
            for modifier in sample["modifiers"].as_array_mut().unwrap() {
                if let Some(response) = modifier["data"].get("response").and_then(Value::as_str) {
                    modifier["data"]["response"] = json!(format!("{response}'"));
                }
            }
        }
    }
}

#[test]
fn another_scale_is_converted() {
    for (name, a) in fixtures().into_iter().chain([("shared response".to_owned(), shared_response())]) {
        for ratio in [0.5, 0.25] {
            let b = at_scale(&a, ratio);
            let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{name}: {f:?}"));
            let expected = format!("b W311 /eft/basis/Lambda_TeV {}", ratio);
            assert!(told(&combined.warnings).contains(&expected), "{name}: {:?}", told(&combined.warnings));
            assert_eq!(combined.document["eft"]["basis"], a["eft"]["basis"]);
            assert_eq!(combined.document["eft"]["wilson_coefficients"], a["eft"]["wilson_coefficients"]);
            check_conversion(&name, &a, &b, ratio, &combined);
        }
    }
}

/// Scales that are no powers of two: the numbers are rounded, and the bounds of both agree within that.
#[test]
fn a_scale_with_roundings_is_converted() {
    for (name, a) in fixtures() {
        let b = at_scale(&a, 0.7);
        let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{name}: {f:?}"));
        check_conversion(&name, &a, &b, 0.7, &combined);
    }
}

/// The other way round: a larger Λ first, c/4 and A·4; dimension 8 c/16.
#[test]
fn the_first_scale_counts() {
    let b = shared_response();
    let a = at_scale(&b, 0.5);
    let document = merged(OUTER, &a, &b).unwrap().document;
    assert_eq!(document["eft"]["basis"]["Lambda_TeV"], json!(0.5));
    let response = &document["eft"]["responses"]["shared"];
    let expected = json!([[12.0, 7.5], [0.8, 2.0], [0.6 * 16.0, 0.7 * 16.0], [6.4, 12.8], [0.8 * 64.0, 1.6 * 64.0]]);
    assert_eq!(response["coefficients"], expected);
    assert_eq!(response["reference"], json!({"c1": 0.125, "c8": 0.0078125}));
    assert_eq!(response["uncertainties"][0]["sigma"], json!([0.4, 0.8]));
    assert_eq!(response["mc_stat"]["variances"], json!([0.5, 0.4, 3.2]));
    assert_eq!(response["mc_stat"]["fixed_at"], json!({"c1": 0.125}));
    let coefficients = json!([
        {"name": "c1", "bounds": [-0.5, 0.5], "init": 0.0625},
        {"name": "c8", "bounds": [-0.0625, 0.0625], "dimension": 8, "fixed": true}
    ]);
    assert_eq!(document["eft"]["wilson_coefficients"], coefficients);
}

#[test]
fn another_theory_is_refused() {
    let a = shared_response();
    let b = twin(&a, "'");
    let other = |key: &str, value: Value| with(&b, &format!("/eft/basis/{key}"), value);
    for (key, value, found) in [
        ("eft", json!("LEFT"), r#""LEFT""#),
        ("basis", json!("SILH"), r#""SILH""#),
        ("input_scheme", json!("alpha_MZ_GF"), r#""alpha_MZ_GF""#),
        ("scale_GeV", json!(1000), "1000"),
    ] {
        for join in [OUTER, Join::LeftOuter(Channels::Whole)] {
            let expected = format!("b W310 /eft/basis/{key} {found}");
            assert_eq!(merged(join, &a, &other(key, value.clone())).unwrap_err(), [expected]);
        }
    }
    let unknown = without(&b, "/eft/basis", "scale_GeV");
    assert_eq!(merged(OUTER, &a, &unknown).unwrap_err(), ["b W310 /eft/basis/scale_GeV none"]);
    // Another Λ besides does not hide it, and nothing is converted.
    let both = with(&other("basis", json!("SILH")), "/eft/basis/Lambda_TeV", json!(2.0));
    assert_eq!(merged(OUTER, &a, &both).unwrap_err(), [r#"b W310 /eft/basis/basis "SILH""#]);
}

#[test]
fn coefficients_of_one_name_are_one() {
    let a = shared_response();
    let b = twin(&a, "'");
    let change = |key: &str, value: Value| with(&b, &format!("/eft/wilson_coefficients/0/{key}"), value);
    let of = |rule: &str, found: &str| {
        let key = found.split(' ').next().unwrap();
        format!(r#"b {rule} /eft/wilson_coefficients/0/{key} {found} of coefficient "c1""#)
    };
    for (key, value, found) in [
        ("bounds", json!([-2, 3]), "bounds [-2, 3]"),
        ("init", json!(0), "init 0"),
        ("fixed", json!(true), "fixed true"),
    ] {
        let changed = change(key, value);
        assert_eq!(merged(OUTER, &a, &changed).unwrap_err(), [of("W313", found)]);
        let left = merged(Join::LeftOuter(Channels::Whole), &a, &changed).unwrap();
        assert_eq!(left.document["eft"], a["eft"]);
        assert_eq!(told(&left.warnings), [of("W306", found)]);
        let right = merged(Join::RightOuter(Channels::Whole), &a, &changed).unwrap();
        assert_eq!(right.document["eft"], changed["eft"]);
    }
    let renamed = change("wcxf", json!("phiW"));
    for join in [OUTER, Join::LeftOuter(Channels::Whole)] {
        assert_eq!(merged(join, &a, &renamed).unwrap_err(), [of("W313", r#"wcxf "phiW""#)]);
    }
    assert!(merged(OUTER, &a, &change("wcxf", json!("c1"))).is_ok());
    // New coefficients follow, in order.
    let mut b = change("name", json!("d"));
    b["eft"]["responses"] = json!({});
    b["channels"][0]["samples"][0]["modifiers"] = json!([{"name": "r", "type": "eft_polynomial", "data":
        {"mode": "relative", "monomials": [[], ["d"]], "coefficients": [1, 0.5], "truncation": "none"}}]);
    b["measurements"][0]["config"]["parameters"][0]["name"] = json!("d");
    let combined = merged(OUTER, &a, &b).unwrap();
    let names: Vec<_> =
        combined.document["eft"]["wilson_coefficients"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["c1", "c8", "d"]);
    assert_eq!(combined.shared, ["c8", "k"]);
}

/// Samples name responses, so that none can be left out for another.
#[test]
fn responses_of_one_name_must_be_equal() {
    let a = shared_response();
    let b = with(&twin(&a, "'"), "/eft/responses/shared/uncertainties/0/sigma/1", json!(0.3));
    for join in [OUTER, Join::LeftOuter(Channels::Whole), Join::RightOuter(Channels::Whole)] {
        let found = merged(join, &a, &b).unwrap_err();
        assert_eq!(found, [r#"b W314 /eft/responses/shared/uncertainties/0/sigma/1 another response "shared""#]);
    }
}

/// A Wilson coefficient and a parameter of a plain document are not one.
#[test]
fn a_coefficient_that_is_another_parameter_elsewhere_is_refused() {
    let a = shared_response();
    let mut plain = twin(&a, "'");
    plain.as_object_mut().unwrap().remove("eft");
    let normfactor = json!({"name": "c1", "type": "normfactor", "data": null});
    plain["channels"][0]["samples"][0]["modifiers"] = json!([normfactor]);
    let found = merged(OUTER, &a, &plain).unwrap_err();
    let place = "/channels/0/samples/0/modifiers/0";
    assert_eq!(
        found,
        [format!(
            r#"a W203 /eft/wilson_coefficients/0/name the name "c1", which a normfactor has (normfactor in "b" ({place}))"#
        )]
    );
}

/// The document of an example, with the path of its table from the crate.
fn of_events() -> Value {
    let document = common::read_json(Path::new("examples/wh/pt.json"));
    with(&document, "/eft/event_databases/0/uri", json!("examples/wh/events.parquet"))
}

const EVENTS: &str = "/channels/0/samples/0/modifiers/0/data";

#[test]
fn one_event_database_serves_both() {
    let mut a = of_events();
    let mut b = twin(&a, "'");
    let combined = merged(OUTER, &a, &b).unwrap();
    assert_eq!(combined.document["eft"], a["eft"]);
    // Both use the same rows: two measurements of one simulation, which is told when it is read.
    let workspace = morphist::document::workspace::Workspace::from_value(&combined.document).unwrap();
    let refused = morphist::translate::from_pyhf::model(&workspace, &Default::default()).unwrap_err();
    assert_eq!(refused.0[0].rule, "W273");
    for document in [&mut a, &mut b] {
        *document = with(document, &format!("{EVENTS}/overlap"), json!("allowed"));
    }
    b = with(&b, &format!("{EVENTS}/mc_stat"), json!("none"));
    let combined = merged(OUTER, &a, &b).unwrap();
    assert_eq!(additive("events", &a, &b, &combined, 5), 4);
    // The same file in another place is the same database; anything else is not.
    let elsewhere = with(&b, "/eft/event_databases/0/uri", json!("copy.parquet"));
    assert_eq!(merged(OUTER, &a, &elsewhere).unwrap().document["eft"], a["eft"]);
    let other = with(&b, "/eft/event_databases/0/n_rows", json!(5));
    let found = [r#"b W314 /eft/event_databases/0 another event database "WH""#];
    assert_eq!(merged(Join::LeftOuter(Channels::Whole), &a, &other).unwrap_err(), found);
}

#[test]
fn weights_in_files_are_not_converted() {
    let a = of_events();
    let b = with(&twin(&a, "'"), "/eft/basis/Lambda_TeV", json!(2));
    let found = merged(OUTER, &a, &b).unwrap_err();
    assert_eq!(found, [r#"b W312 /eft/basis/Lambda_TeV 2, at which the weights of event database "WH" are"#]);
    // Where only the first has a database, the second is converted.
    let plain = with(&shared_response(), "/eft/basis/Lambda_TeV", json!(2));
    let plain = without(&without(&plain, "/eft/basis", "scale_GeV"), "/measurements/0/config/parameters/1", "auxdata");
    assert!(merged(Join::None, &a, &plain).is_ok());
    // Of basis weights the points are converted.
    let weights = json!({"kind": "basis_weights", "parameters": ["cHW"], "columns": ["w_1", "w_cHW", "w_cHW_cHW"],
        "basis_points": [[0.0], [1.0], [-1.0]], "components": {"monomials": [[], ["cHW"], ["cHW", "cHW"]]}});
    let mut b = with(&b, "/eft/event_databases/0/weights", weights);
    b = with(&b, "/eft/event_databases/0/name", json!("theirs"));
    b = with(&b, &format!("{EVENTS}/database"), json!("theirs"));
    for i in [0, 1] {
        b = with(&b, &format!("/eft/wilson_coefficients/{i}/bounds"), json!([-6, 6]));
    }
    let converted = merged(OUTER, &a, &b).unwrap().document["eft"]["event_databases"][1].clone();
    assert_eq!(converted["weights"]["basis_points"], json!([[0.0], [0.25], [-0.25]]));
}

/// Paths lead from the folder of the result to the same file, or the combination is refused.
#[test]
fn paths_of_databases_follow_the_result() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("combine_paths");
    for folder in ["in", "elsewhere"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::copy("examples/wh/events.parquet", root.join("in/events.parquet")).unwrap();
    let write = |path: &str, document: &Value| {
        std::fs::write(root.join(path), document.to_string()).unwrap();
        root.join(path).to_str().unwrap().to_owned()
    };
    let a = write("in/a.json", &common::read_json(Path::new("examples/wh/pt.json")));
    let mut plain = common::read_json(Path::new("fixtures/counting/workspace.json"));
    plain["measurements"][0]["name"] = json!("other");
    let b = write("plain.json", &twin(&plain, "'"));
    let combined = |output: &str| {
        let output = root.join(output).to_str().unwrap().to_owned();
        (morphist(&["combine", &a, &b, "--output-file", &output]), output)
    };
    for (output, uri) in [("in/ab.json", "events.parquet"), ("ab.json", "in/events.parquet")] {
        let (done, output) = combined(output);
        assert!(done.status.success(), "{}", stderr(&done));
        assert_eq!(common::read_json(Path::new(&output))["eft"]["event_databases"][0]["uri"], uri);
        // The file is found and its hash is right.
        assert!(json_of(&["evaluate", &output], 0)["twice_nll"].is_number());
    }
    let (refused, output) = combined("elsewhere/ab.json");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("error[W260]") && stderr(&refused).contains("/eft/event_databases/0/uri"));
    assert!(!Path::new(&output).exists());
}

/// Round trip: what is combined with nothing to change comes out as it went in.
#[test]
fn the_basis_stays_as_it_is_written() {
    let a = shared_response();
    let alone = combine(&[document("a", &a)], &Options::default()).unwrap();
    assert_eq!(alone.document.to_string(), a.to_string());
    let path = scratch("combine_round_trip.json", &a.to_string());
    let read = Document::from_path(&path, &Limits::default()).unwrap();
    assert_eq!(read.value().unwrap()["eft"]["basis"], a["eft"]["basis"]);
}

/// Measurements of both, whose coefficients, named systematics and flat errors are shared; the same measurement again is
/// one, and another one of its name is refused.
#[test]
fn measurements_of_two_documents() {
    for (name, shared) in [("eft_gaussian_marginalised", 0), ("eft_gaussian_clamp", 0), ("eft_gaussian_parameters", 2)]
    {
        let a = common::read_json(&Path::new("fixtures").join(name).join("workspace.json"));
        let mut b = a.clone();
        let measurements = b["eft"]["gaussian_measurements"].as_array_mut().unwrap();
        for measurement in measurements {
            measurement["name"] = json!(format!("{} again", measurement["name"].as_str().unwrap()));
            let own = measurement["systematics"].as_array_mut().unwrap();
            // Flat errors of single points have names of their own.
            for systematic in own.iter_mut().filter(|s| s["distribution"] == "flat" && s["correlation"] == "none") {
                systematic["name"] = json!(format!("{} again", systematic["name"].as_str().unwrap()));
            }
            measurement["data"][0] = json!(measurement["data"][0].as_f64().unwrap() + 0.25);
        }
        let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{name}: {f:?}"));
        assert_eq!(additive(name, &a, &b, &combined, 10), shared, "{name}");
        let once = merged(OUTER, &a, &a).unwrap();
        assert_eq!(once.document["eft"], a["eft"], "{name}");
        let mut other = a.clone();
        other["eft"]["gaussian_measurements"][0]["data"][0] = json!(1.0);
        let refused = merged(OUTER, &a, &other).unwrap_err();
        assert!(refused[0].starts_with("b W314 /eft/gaussian_measurements/0"), "{:?}", refused);
    }
}
