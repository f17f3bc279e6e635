//! Combining workspaces: joins in closed examples by pyhf's rules (`tests/peer/combine.py` asks pyhf itself), constraints, and
//! −2 ln L of combinations as sums. `tests/workspace/combine_eft.rs` has the EFT extension.

use crate::common;

use common::combination::{additive, document, merged, told, twin};
use common::program::{json_of, morphist, scratch, stderr};
use morphist::document::{Document, Limits};
use morphist::translate::from_pyhf::Compat;
use morphist::workspace::combine::{Channels, Combined, Join, Options, combine};
use serde_json::{Value, json};

fn sample(name: &str, data: Value, modifiers: Value) -> Value {
    json!({"name": name, "data": data, "modifiers": modifiers})
}

fn normfactor(name: &str) -> Value {
    json!({"name": name, "type": "normfactor", "data": null})
}

fn normsys(name: &str) -> Value {
    json!({"name": name, "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}})
}

fn lumi() -> Value {
    json!({"name": "lumi", "type": "lumi", "data": null})
}

fn lumi_config(sigma: f64) -> Value {
    json!({"name": "lumi", "inits": [1], "bounds": [[0.5, 1.5]], "auxdata": [1], "sigmas": [sigma]})
}

/// One channel of one sample with a count of 7, one measurement. Channels of other names have other yields: they would be
/// the same region else.
fn simple(channel: &str, modifiers: Value, measurement: &str, poi: &str, parameters: Value) -> Value {
    let yields = if channel == "x" { 5 } else { channel.as_bytes()[0] };
    json!({
        "channels": [{"name": channel, "samples": [sample("s", json!([yields]), modifiers)]}],
        "observations": [{"name": channel, "data": [7]}],
        "measurements": [{"name": measurement, "config": {"poi": poi, "parameters": parameters}}],
        "version": "1.0.0",
    })
}

fn plain(channel: &str, measurement: &str) -> Value {
    simple(channel, json!([normfactor("mu")]), measurement, "mu", json!([]))
}

fn joined(join: Join, documents: &[&Value]) -> Result<Combined, Vec<String>> {
    joined_by(&Options { join, ..Options::default() }, documents)
}

fn joined_by(options: &Options, documents: &[&Value]) -> Result<Combined, Vec<String>> {
    let named: Vec<Document> = documents.iter().zip(["a", "b", "c"]).map(|(d, name)| document(name, d)).collect();
    combine(&named, options).map_err(|all| told(&all))
}

const OUTER: Join = Join::Outer(Channels::Whole);
const LEFT: Join = Join::LeftOuter(Channels::Whole);
const RIGHT: Join = Join::RightOuter(Channels::Whole);

#[test]
fn different_names_stand_side_by_side() {
    let (a, b, c) = (plain("x", "m"), plain("y", "n"), plain("w", "k"));
    let combined = joined(Join::None, &[&a, &b, &c]).unwrap();
    let mut expected = a.clone();
    for other in [&b, &c] {
        for list in ["channels", "observations", "measurements"] {
            expected[list].as_array_mut().unwrap().push(other[list][0].clone());
        }
    }
    // Compared as text: order of keys and integers stay.
    assert_eq!(combined.document.to_string(), expected.to_string());
    assert_eq!(combined.shared, ["mu"]);
    assert!(combined.warnings.is_empty(), "{:?}", told(&combined.warnings));
}

/// pyhf stops at the first of these conflicts; each names both places.
#[test]
fn the_join_none_refuses_all_common_names_at_once() {
    let a = plain("x", "m");
    let found = joined(Join::None, &[&a, &a, &plain("x", "n")]).unwrap_err();
    let expected = [
        r#"b W301 /channels/0 the channel "x", which "a" (/channels/0) has too"#,
        r#"b W301 /observations/0 the observation "x", which "a" (/observations/0) has too"#,
        r#"b W301 /measurements/0 the measurement "m", which "a" (/measurements/0) has too"#,
        r#"c W301 /channels/0 the channel "x", which "a" (/channels/0) has too"#,
        r#"c W301 /observations/0 the observation "x", which "a" (/observations/0) has too"#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn equal_items_are_kept_once_under_outer() {
    let a = plain("x", "m");
    // 5 and 5.0 are equal, and the order of keys has no meaning; the first one stays.
    let mut b = a.clone();
    b["channels"][0] = json!({"samples": [{"modifiers": [normfactor("mu")], "data": [5.0], "name": "s"}], "name": "x"});
    assert_eq!(joined(OUTER, &[&a, &b]).unwrap().document.to_string(), a.to_string());
    assert_eq!(joined(OUTER, &[&a, &a, &a]).unwrap().document.to_string(), a.to_string());
}

#[test]
fn unequal_items_are_refused_under_outer() {
    let a =
        simple("x", json!([normfactor("mu"), normsys("k")]), "m", "mu", json!([{"name": "mu", "bounds": [[0, 5]]}]));
    let mut b = a.clone();
    b["channels"][0]["samples"][0]["data"][0] = json!(6);
    b["observations"][0]["data"] = json!([8]);
    b["measurements"][0]["config"] = json!({"poi": "k", "parameters": [{"name": "mu", "bounds": [[0, 6]]}]});
    let expected = [
        r#"b W302 /channels/0/samples/0/data/0 6 in the channel "x""#,
        r#"b W302 /observations/0/data/0 8 in the observation "x""#,
        r#"b W303 /measurements/0/config/poi the POI "k" of measurement "m""#,
        r#"b W304 /measurements/0/config/parameters/0/bounds/0/1 6 in the parameter configuration "mu""#,
    ];
    assert_eq!(joined(OUTER, &[&a, &b]).unwrap_err(), expected);
}

/// pyhf keeps the configurations of the first, then adds those that only the second has.
#[test]
fn configurations_of_one_measurement_are_joined() {
    let config = |name: &str| json!({"name": name, "fixed": true});
    let a = simple("x", json!([normfactor("mu"), normsys("k")]), "m", "mu", json!([config("mu"), config("k")]));
    let b = simple("y", json!([normfactor("mu"), normsys("l")]), "m", "mu", json!([config("l"), config("mu")]));
    let measurements = joined(OUTER, &[&a, &b]).unwrap().document["measurements"].clone();
    let config = json!({"poi": "mu", "parameters": [config("mu"), config("k"), config("l")]});
    assert_eq!(measurements, json!([{"name": "m", "config": config}]));
}

#[test]
fn one_side_wins_under_left_and_right_outer_and_what_is_lost_is_told() {
    let a = plain("x", "m");
    let mut b = plain("x", "m");
    b["observations"][0]["data"][0] = json!(9);
    b["channels"].as_array_mut().unwrap().push(json!({"name": "y", "samples": [sample("s", json!([1]), json!([]))]}));
    b["observations"].as_array_mut().unwrap().push(json!({"name": "y", "data": [2]}));
    let names = |combined: &Combined| -> Vec<String> {
        let channels = combined.document["channels"].as_array().unwrap();
        channels.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    let left = joined(LEFT, &[&a, &b]).unwrap();
    assert_eq!(left.document["observations"], json!([{"name": "x", "data": [7]}, {"name": "y", "data": [2]}]));
    assert_eq!(told(&left.warnings), [r#"b W306 /observations/0/data/0 9 in the observation "x""#]);
    let right = joined(RIGHT, &[&a, &b]).unwrap();
    assert_eq!(right.document["observations"][0], json!({"name": "x", "data": [9]}));
    assert_eq!(told(&right.warnings), [r#"a W306 /observations/0/data/0 7 in the observation "x""#]);
    assert_eq!((names(&left), names(&right)), (vec!["x".to_owned(), "y".into()], vec!["x".to_owned(), "y".into()]));
    // The winner's items come first.
    assert_eq!(names(&joined(RIGHT, &[&plain("z", "m"), &a]).unwrap()), ["x", "z"]);
}

#[test]
fn merged_channels_have_the_samples_of_both() {
    let a = plain("x", "m");
    let mut b = plain("x", "m");
    b["channels"][0]["samples"] = json!([sample("t", json!([2]), json!([])), a["channels"][0]["samples"][0]]);
    let merged = joined(Join::Outer(Channels::Merged), &[&a, &b]).unwrap();
    let samples = json!([a["channels"][0]["samples"][0], b["channels"][0]["samples"][0]]);
    assert_eq!(merged.document["channels"], json!([{"name": "x", "samples": samples}]));
    let first = joined(Join::RightOuter(Channels::Merged), &[&a, &b]).unwrap();
    assert_eq!(first.document["channels"], b["channels"]);
    // Samples of one name that differ: pyhf drops the second without a word.
    b["channels"][0]["samples"][1]["data"] = json!([6]);
    let strict = joined(Join::Outer(Channels::Merged), &[&a, &b]).unwrap_err();
    assert_eq!(strict, [r#"b W305 /channels/0/samples/1/data/0 6 in the sample "s""#]);
    let options = Options { join: Join::Outer(Channels::Merged), compat: Compat::Pyhf, ..Options::default() };
    let lenient = joined_by(&options, &[&a, &b]).unwrap();
    assert_eq!(
        (lenient.document["channels"].clone(), told(&lenient.warnings)),
        (merged.document["channels"].clone(), strict)
    );
    // A third document meets the merged channel.
    let mut c = plain("x", "m");
    c["channels"][0]["samples"] = json!([sample("u", json!([3]), json!([normfactor("mu")]))]);
    b["channels"][0]["samples"][1] = a["channels"][0]["samples"][0].clone();
    let three = joined(Join::Outer(Channels::Merged), &[&a, &b, &c]).unwrap();
    assert_eq!(three.document["channels"][0]["samples"].as_array().unwrap().len(), 3);
    assert_eq!(joined(OUTER, &[&merged.document, &c]).unwrap_err().len(), 1);
}

/// pyhf makes measurements of one name in one document one as well.
#[test]
fn repeated_measurements_become_one_under_outer() {
    let mut a = plain("x", "m");
    let second = json!({"name": "m", "config": {"poi": "mu", "parameters": [{"name": "mu", "fixed": true}]}});
    a["measurements"].as_array_mut().unwrap().push(second.clone());
    let combined = joined(OUTER, &[&a, &plain("y", "n")]).unwrap();
    assert_eq!(combined.document["measurements"], json!([second, plain("y", "n")["measurements"][0]]));
    assert_eq!(
        told(&combined.warnings)[0],
        r#"a W131 /measurements/1 measurement "m" again, which is joined to the first"#
    );
}

#[test]
fn a_document_that_is_not_sound_is_refused_by_itself() {
    let (a, mut b) = (plain("x", "m"), plain("y", "n"));
    b["observations"][0]["data"] = json!([1, 2]);
    assert_eq!(joined(Join::None, &[&a, &b]).unwrap_err(), [r#"b W121 /observations/0/data 2 bins"#]);
    assert_eq!(joined(Join::None, &[&a, &json!({"channels": 1})]).unwrap_err()[0].get(..6), Some("b W010"));
}

/// One name is one parameter, whose auxiliary measurement two documents must not describe differently.
#[test]
fn shared_parameters_keep_their_constraint() {
    let with = |channel: &str, measurement: &str, sigma: f64| {
        simple(channel, json!([normfactor("mu"), lumi()]), measurement, "mu", json!([lumi_config(sigma)]))
    };
    let (a, b) = (with("x", "m", 0.02), with("y", "n", 0.03));
    let said = |sigma| format!(r#"parameter "lumi" with auxdata [1] and sigmas [{sigma}]"#);
    let errors: Vec<String> =
        joined(Join::None, &[&a, &b]).unwrap_err().into_iter().filter(|f| f.contains("W307")).collect();
    assert_eq!(errors, [format!("b W307 /measurements/0/config/parameters/0 {}", said(0.03))]);
    let lenient = joined_by(&Options { compat: Compat::Pyhf, ..Options::default() }, &[&a, &b]).unwrap();
    assert!(told(&lenient.warnings).iter().any(|f| f.contains("W307")));
    assert!(joined(Join::None, &[&a, &with("y", "n", 0.02)]).is_ok());
    // In measurements of one name the join decides.
    let b = with("y", "m", 0.03);
    assert!(joined(OUTER, &[&a, &b]).unwrap_err()[0].contains("W304"));
    assert_eq!(joined(LEFT, &[&a, &b]).unwrap().document["measurements"], a["measurements"]);
    assert_eq!(joined(RIGHT, &[&a, &b]).unwrap().document["measurements"], b["measurements"]);
}

/// A default is a statement too: the auxiliary datum of a normsys is 0.
#[test]
fn constraints_are_compared_with_defaults() {
    let modifiers = json!([normfactor("mu"), normsys("k")]);
    let a = simple("x", modifiers.clone(), "m", "mu", json!([{"name": "k", "auxdata": [0.5]}]));
    let b = simple("y", modifiers, "m", "mu", json!([]));
    let found = joined(OUTER, &[&a, &b]).unwrap_err();
    assert_eq!(found, [r#"b W307 /measurements/0 parameter "k" with auxdata [0] and sigmas [1]"#]);
    let other = simple("y", json!([normfactor("mu")]), "m", "mu", json!([]));
    assert!(joined(OUTER, &[&a, &other]).is_ok());
    // Of a parameter that only one has, nothing may be lost either.
    let other = simple("y", json!([normfactor("mu")]), "n", "mu", json!([]));
    let found = joined(Join::None, &[&other, &a]).unwrap_err();
    assert_eq!(found[0], r#"b W308 /measurements/0 settings of "k" in measurement "m""#);
    assert_eq!(
        found[1],
        r#"b W307 /measurements/0/config/parameters/0 parameter "k" with auxdata [0.5] and sigmas [1]"#
    );
}

#[test]
fn a_measurement_without_the_settings_of_the_other_is_told() {
    let a = simple("x", json!([normfactor("mu"), lumi()]), "m", "mu", json!([lumi_config(0.02)]));
    let b = simple("y", json!([normfactor("mu")]), "n", "mu", json!([{"name": "mu", "bounds": [[0, 3]]}]));
    let combined = joined(Join::None, &[&a, &b]).unwrap();
    let expected = [
        r#"a W308 /measurements/0 settings of "lumi" in measurement "m""#,
        r#"b W308 /measurements/0 settings of "mu" in measurement "n""#,
    ];
    assert_eq!(told(&combined.warnings), expected);
    // The measurement that is used by default has no lumi: that is no model.
    let found = joined(Join::None, &[&b, &a]).unwrap_err();
    assert!(found.iter().any(|f| f.starts_with("a W136 ")), "{found:?}");
}

/// What only the whole shows is told of both documents.
#[test]
fn names_used_for_two_things_are_told_with_both_places() {
    let mu = normfactor("mu");
    let a = simple("x", json!([mu, normsys("k")]), "m", "mu", json!([]));
    let b = simple("y", json!([mu, normfactor("k")]), "m", "mu", json!([]));
    let place = "/channels/0/samples/0/modifiers/1";
    let expected =
        format!(r#"b W106 {place}/name a normfactor of the name "k", which a normsys has (normsys in "a" ({place}))"#);
    assert_eq!(joined(OUTER, &[&a, &b]).unwrap_err(), [expected]);
    let shapesys = json!([mu, {"name": "k", "type": "shapesys", "data": [1]}]);
    let (a, b) = (simple("x", shapesys.clone(), "m", "mu", json!([])), simple("y", shapesys, "m", "mu", json!([])));
    let found = joined(OUTER, &[&a, &b]).unwrap_err();
    assert_eq!(found, [format!(r#"b W107 {place}/name a second shapesys "k" (shapesys in "a" ({place}))"#)]);
}

/// −2 ln L of a document with its twin, which has other data and other names of channels: the sum, with each shared constraint
/// once.
#[test]
fn fixtures_and_their_twins_add_up() {
    let mut folders: Vec<_> = std::fs::read_dir("fixtures").unwrap().map(|f| f.unwrap().path()).collect();
    folders.retain(|f| {
        f.join("workspace.json").is_file() && !f.file_name().unwrap().to_str().unwrap().starts_with("eft_")
    });
    folders.sort();
    assert_eq!(folders.len(), 28);
    let mut shared = 0;
    for folder in folders {
        let a = common::read_json(&folder.join("workspace.json"));
        let b = twin(&a, "'");
        let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{}: {f:?}", folder.display()));
        shared += additive(&folder.display().to_string(), &a, &b, &combined, 5);
    }
    assert!(shared > 20, "{shared}");
}

/// The values of a staterror of one name in both documents follow one another, channels by name.
#[test]
fn a_shared_staterror_has_the_bins_of_all_channels() {
    let with = |channel: &str, data: Value, errors: Value| {
        let modifiers = json!([normfactor("mu"), {"name": "st", "type": "staterror", "data": errors}]);
        let mut document = simple(channel, modifiers, "m", "mu", json!([]));
        document["channels"][0]["samples"][0]["data"] = data.clone();
        document["observations"][0]["data"] = data;
        document
    };
    let combined = merged(OUTER, &with("y", json!([5, 6]), json!([1, 1])), &with("x", json!([7]), json!([1]))).unwrap();
    let (model, _) = common::combination::build(&combined.document);
    assert_eq!(model.parameter_names(), ["mu", "st[0]", "st[1]", "st[2]"]);
    let widths: Vec<f64> = model.constraints()[1..].iter().map(|c| c.unwrap().width()).collect();
    assert_eq!(widths, [1.0 / 7.0, 1.0 / 5.0, 1.0 / 6.0]);
}

#[test]
fn published_workspaces_and_their_twins_add_up() {
    let Some(root) = common::corpus("published_workspaces_and_their_twins_add_up") else { return };
    let workspaces = common::good_workspaces(&root);
    let small = workspaces.iter().filter(|(path, _)| path.metadata().unwrap().len() < 1_000_000);
    let mut shared = 0;
    for (path, _) in small.step_by(4) {
        let a = common::read_json(path);
        let b = twin(&a, "_twin");
        let combined = merged(OUTER, &a, &b).unwrap_or_else(|f| panic!("{}: {f:?}", path.display()));
        shared += additive(&path.display().to_string(), &a, &b, &combined, 2);
    }
    assert!(shared > 100, "{shared}");
}

/// Workspaces of different analyses: those that combine add up, and every refusal has a rule and two places.
#[test]
fn published_pairs_add_up() {
    let Some(root) = common::corpus("published_pairs_add_up") else { return };
    let workspaces = common::good_workspaces(&root);
    let small: Vec<_> = workspaces.iter().filter(|(path, _)| path.metadata().unwrap().len() < 400_000).collect();
    let (mut combined, mut refused) = (0, 0);
    for i in 0..50 {
        let [a, b] = [i * 7, i * 11 + 40].map(|k| &small[k % small.len()].0);
        let name = format!("{} and {}", a.display(), b.display());
        let (a, b) = (common::read_json(a), twin(&common::read_json(b), "_other"));
        let outcome = merged(OUTER, &a, &b).or_else(|_| merged(Join::None, &a, &rename_measurements(b.clone())));
        match outcome {
            Ok(result) => {
                additive(&name, &a, &b, &result, 2);
                combined += 1;
            }
            Err(found) => {
                assert!(found.iter().any(|f| f.contains(" W")), "{name}: {found:?}");
                refused += 1;
            }
        }
    }
    assert!(combined >= 25, "{combined} combined, {refused} refused");
}

fn rename_measurements(mut document: Value) -> Value {
    for measurement in document["measurements"].as_array_mut().unwrap() {
        measurement["name"] = json!(format!("{}_other", measurement["name"].as_str().unwrap()));
    }
    document
}

#[test]
fn the_command_has_pyhfs_flags() {
    let write = |name: &str, value: &Value| scratch(name, &value.to_string()).to_str().unwrap().to_owned();
    let (a, b) = (write("combine_a.json", &plain("x", "m")), write("combine_b.json", &plain("y", "m")));
    let result = json_of(&["combine", &a, &b, "-j", "outer"], 0);
    assert_eq!(result["channels"].as_array().unwrap().len(), 2);
    let output = format!("{}/combine_out.json", env!("CARGO_TARGET_TMPDIR"));
    for join in ["outer", "left outer", "right outer"] {
        let arguments = ["combine", &a, &b, "--join", join, "--merge-channels", "--output-file", &output];
        assert_eq!(morphist(&arguments).status.code(), Some(0), "{join}");
        assert!(morphist(&["fit", &output]).status.success());
    }
    let refused = morphist(&["combine", &a, &b]);
    let said = stderr(&refused);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains(&format!("{b}:1:")) && said.contains(&a) && said.contains("W301"), "{said}");
    assert!(refused.stdout.is_empty());
    for arguments in [vec!["combine", &a], vec!["combine", &a, &b, "--merge-channels"], vec!["combine", "-", "-"]] {
        assert_eq!(morphist(&arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(
        morphist(&["combine", &a, &b, "--merge-channels", "--no-merge-channels", "-j", "outer"]).status.code(),
        Some(0)
    );
}

/// Any two documents give findings, never a panic: every fixture with every other, by every join.
#[test]
fn all_pairs_of_fixtures_end_in_a_result_or_in_findings() {
    let mut documents = Vec::new();
    for folder in std::fs::read_dir("fixtures").unwrap() {
        let path = folder.unwrap().path().join("workspace.json");
        if path.is_file() {
            documents.push(Document::from_path(&path, &Limits::default()).unwrap());
        }
    }
    let joins = [Join::None, OUTER, LEFT, RIGHT, Join::Outer(Channels::Merged), Join::LeftOuter(Channels::Merged)];
    let mut combined = 0;
    for (i, a) in documents.iter().enumerate() {
        let b = &documents[(i * 5 + 3) % documents.len()];
        for join in joins {
            match combine(&[a.clone(), b.clone()], &Options { join, ..Options::default() }) {
                Ok(_) => combined += 1,
                Err(found) => assert!(found.iter().any(|told| !told.findings.is_valid())),
            }
        }
    }
    assert!(combined > 20, "{combined}");
}
