//! Patches, patchsets and digests.

use crate::common;

use morphist::document::digest::{Algorithm, digest, python_repr};
use morphist::document::patch::{self, Patch};
use morphist::document::patchset::{PatchSet, PatchValue};
use morphist::document::{Document, Kind, Limits};
use morphist::finding::Severity;
use morphist::workspace::{Scope, load, validate};
use serde_json::{Value, json};

fn document(text: &str) -> Document {
    Document::from_slice("test", text.as_bytes().to_vec(), &Limits::default()).unwrap()
}

fn patch(value: Value) -> Patch {
    serde_json::from_value(value).unwrap()
}

fn class(outcome: morphist::finding::Result<Value>) -> &'static str {
    outcome.map(|v| panic!("applied: {v}")).unwrap_err().0[0].class
}

/// Expected digests by `pyhf.utils.digest(json.loads(text), algorithm=…)` of pyhf 0.7.6 on Python 3.11.
#[test]
fn digests_are_pyhfs() {
    let cases = [
        (
            r#"{}"#,
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "99914b932bd37a50b983c5e7c90ae93b",
        ),
        (
            r#"[]"#,
            "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
            "d751713988987e9331980363e24189ce",
        ),
        (
            r#"{"b": 1, "a": [1.0, 2, -0, -0.0, 1e-05, 0.0001, 1e16, 1e15, 123456789012345680.0, 1e22, 5e-324]}"#,
            "4bfcdcd0c71cb4a341472c2d26a112b3ed01a66efb5021127c3d23876a3c1d15",
            "57221a940d5b5a5b54c6616c0f58ca46",
        ),
        (
            r#"{"é": "ü", "z": "a\"b\\c\n\r\t\b\f\u0001\u007f/", "Z": null, "\ud83d\ude00": true, "\uffff": false}"#,
            "30c1411334c07599d0acc5ef8ce5b021e560af51bdb38314f24215719fa7e3e2",
            "b58c4a6e3f482f2d15b6c570e5e72e82",
        ),
        (
            r#"{"n": [9223372036854775807, -9223372036854775808, 18446744073709551615, 0.1, 100, 100.0, 1E2, 1.7976931348623157e308, 2.5e-7]}"#,
            "28a4d04ac83e7317ee963f1bf8a01e00d3adabd8324d8d5e755d426a7c0380f4",
            "20d9b08d2180ee04ad7cc3721a49eae9",
        ),
        (
            r#"{"a": {"b": {"c": [[], {}, [[]]]}}, "a b": "  "}"#,
            "34b25d5878588530c2d7e0ea843468db51248b2a5669e8c3c48fb147350ad592",
            "2b95cb4a79b356111e3734cb5c2e7bf2",
        ),
    ];
    for (text, sha256, md5) in cases {
        let value = document(text).value().unwrap();
        assert_eq!(digest(&value, Algorithm::Sha256), sha256, "{text}");
        assert_eq!(digest(&value, Algorithm::Md5), md5, "{text}");
    }
}

/// Expected by `repr` of Python 3.11.
#[test]
fn numbers_are_written_as_python_writes_them() {
    let cases = [
        (1e-05, "1e-05"),
        (0.0001, "0.0001"),
        (0.00012345, "0.00012345"),
        (123456.0, "123456.0"),
        (1000000000000000.0, "1000000000000000.0"),
        (1e+16, "1e+16"),
        (9999999999999998.0, "9999999999999998.0"),
        (1.2345e+22, "1.2345e+22"),
        (-0.0, "-0.0"),
        (0.5907363891601562, "0.5907363891601562"),
        (-2.384185791015625e-07, "-2.384185791015625e-07"),
        (0.1, "0.1"),
        (5e-324, "5e-324"),
        (1.7976931348623157e+308, "1.7976931348623157e+308"),
        (100.0, "100.0"),
        (-2.5e-07, "-2.5e-07"),
        (1.2345678901234568e+16, "1.2345678901234568e+16"),
    ];
    for (x, repr) in cases {
        assert_eq!(python_repr(x), repr);
    }
}

/// The index says which published workspaces pyhf verifies against each patchset.
#[test]
fn published_patchsets_verify_as_in_pyhf() {
    let Some(directory) = common::directory("pyhf") else { return };
    let index = common::index(&directory);
    let read = |file: &str| Document::from_path(&directory.join(file), &Limits::default()).unwrap();
    let mut verified = 0;
    for entry in index.iter().filter(|e| e["kind"] == "patchset") {
        let file = entry["file"].as_str().unwrap();
        let folder = file.split('/').next().unwrap();
        let patchset = PatchSet::from_document(&read(file)).unwrap_or_else(|f| panic!("{file}: {f}"));
        assert_eq!(patchset.patches.len() as u64, entry["stats"]["npatches"].as_u64().unwrap());
        let expected: Vec<&str> =
            entry["stats"]["verify"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        for candidate in index.iter().filter(|e| e["kind"] == "workspace") {
            let workspace = candidate["file"].as_str().unwrap();
            let Some(name) = workspace.strip_prefix(&format!("{folder}/")) else { continue };
            let outcome = patchset.verify(&read(workspace).value().unwrap());
            assert_eq!(outcome.is_ok(), expected.contains(&name), "{file} on {name}");
            verified += usize::from(outcome.is_ok());
        }
    }
    assert!(verified >= 6, "{verified}");
}

/// pyhf applies all patches of a set to the workspace that the index names, and the results it tried follow its schema.
#[test]
fn published_patches_apply_as_in_pyhf() {
    let Some(directory) = common::directory("pyhf") else { return };
    let index = common::index(&directory);
    for entry in index.iter().filter(|e| e["kind"] == "patchset") {
        let file = entry["file"].as_str().unwrap();
        let folder = file.split('/').next().unwrap();
        let patchset =
            PatchSet::from_document(&Document::from_path(&directory.join(file), &Limits::default()).unwrap()).unwrap();
        for (name, counts) in entry["stats"]["apply"].as_object().unwrap() {
            let path = directory.join(folder).join(name);
            let workspace = Document::from_path(&path, &Limits::default()).unwrap();
            let value = workspace.value().unwrap();
            let applies = |p: &&morphist::document::patchset::NamedPatch| {
                patch::apply(value.clone(), &p.patch, &Limits::default()).is_ok()
            };
            let tried = counts["applied"].as_u64().unwrap() as usize;
            assert_eq!(patchset.patches.iter().take(tried).filter(applies).count(), tried, "{file} on {name}");
            let first = patchset.patches[0].patch.clone();
            let loaded = load(workspace, &[first], &Scope::default());
            // Where pyhf builds none of the three it tried, it fails on lumi without configuration, or on an unknown
            // parameter of interest, which here is a warning.
            let errors = counts["errs"].as_object().unwrap();
            let lumi = errors.keys().any(|e| e.starts_with("TypeError: 'NoneType'"));
            let classes: Vec<_> = loaded
                .err()
                .into_iter()
                .flat_map(|f| f.0)
                .filter(|f| f.severity == Severity::Error)
                .map(|f| f.rule)
                .collect();
            assert_eq!(classes.contains(&"W136"), lumi, "{file} on {name}");
            assert!(classes.iter().all(|rule| *rule == "W136"), "{file} on {name}: {classes:?}");
        }
    }
}

/// Examples of RFC 6902, appendix A, by number.
#[test]
fn operations_follow_the_rfc() {
    let cases = [
        (
            "A.1",
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux"}]),
            json!({"baz": "qux", "foo": "bar"}),
        ),
        (
            "A.2",
            json!({"foo": ["bar", "baz"]}),
            json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
            json!({"foo": ["bar", "qux", "baz"]}),
        ),
        ("A.3", json!({"baz": "qux", "foo": "bar"}), json!([{"op": "remove", "path": "/baz"}]), json!({"foo": "bar"})),
        (
            "A.4",
            json!({"foo": ["bar", "qux", "baz"]}),
            json!([{"op": "remove", "path": "/foo/1"}]),
            json!({"foo": ["bar", "baz"]}),
        ),
        (
            "A.5",
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "replace", "path": "/baz", "value": "boo"}]),
            json!({"baz": "boo", "foo": "bar"}),
        ),
        (
            "A.6",
            json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
            json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
            json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
        ),
        (
            "A.7",
            json!({"foo": ["all", "grass", "cows", "eat"]}),
            json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
            json!({"foo": ["all", "cows", "eat", "grass"]}),
        ),
        (
            "A.8",
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
            json!([{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]),
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
        ),
        (
            "A.10",
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/child", "value": {"grandchild": {}}}]),
            json!({"foo": "bar", "child": {"grandchild": {}}}),
        ),
        (
            "A.11",
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
            json!({"foo": "bar", "baz": "qux"}),
        ),
        (
            "A.14",
            json!({"/": 9, "~1": 10}),
            json!([{"op": "test", "path": "/~01", "value": 10}]),
            json!({"/": 9, "~1": 10}),
        ),
        (
            "A.16",
            json!({"foo": ["bar"]}),
            json!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
            json!({"foo": ["bar", ["abc", "def"]]}),
        ),
        ("copy", json!({"a": [1]}), json!([{"op": "copy", "from": "/a", "path": "/b"}]), json!({"a": [1], "b": [1]})),
        (
            "4.6: numerically equal",
            json!({"a": 1}),
            json!([{"op": "test", "path": "/a", "value": 1.0}]),
            json!({"a": 1}),
        ),
    ];
    for (name, before, operations, after) in cases {
        assert_eq!(patch::apply(before, &patch(operations), &Limits::default()).unwrap(), after, "{name}");
    }
    let failing = [
        ("A.9", json!({"baz": "qux"}), json!([{"op": "test", "path": "/baz", "value": "bar"}]), "PatchTestFailed"),
        (
            "A.12",
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz/bat", "value": "qux"}]),
            "PatchApplicationError",
        ),
        ("A.15", json!({"/": 9, "~1": 10}), json!([{"op": "test", "path": "/~01", "value": "10"}]), "PatchTestFailed"),
        (
            "into itself",
            json!({"a": {}}),
            json!([{"op": "move", "from": "/a", "path": "/a/b"}]),
            "PatchApplicationError",
        ),
        (
            "past the end",
            json!({"a": [1]}),
            json!([{"op": "add", "path": "/a/2", "value": 1}]),
            "PatchApplicationError",
        ),
        ("leading zero", json!({"a": [1, 2]}), json!([{"op": "remove", "path": "/a/01"}]), "PatchApplicationError"),
        ("no slash", json!({"a": 1}), json!([{"op": "remove", "path": "a"}]), "PatchApplicationError"),
        ("bad escape", json!({"a": 1}), json!([{"op": "remove", "path": "/a~2"}]), "PatchApplicationError"),
    ];
    for (name, before, operations, expected) in failing {
        assert_eq!(class(patch::apply(before, &patch(operations), &Limits::default())), expected, "{name}");
    }
}

#[test]
fn growth_has_limits() {
    let limits = Limits { max_size: 100_000, max_depth: 8 };
    let doubling = (0..60).map(|i| json!({"op": "copy", "from": "/a", "path": format!("/a/{i}")}));
    assert_eq!(class(patch::apply(json!({"a": {}}), &patch(doubling.clone().collect()), &limits)), "DepthLimit");
    let flat = (0..60).map(|i| json!({"op": "copy", "from": "/a", "path": format!("/b{i}")}));
    let wide = json!({"a": vec![1; 1000]});
    assert_eq!(class(patch::apply(wide, &patch(flat.collect()), &limits)), "SizeLimit");
}

fn patchset() -> Value {
    json!({
        "metadata": {
            "references": {"hepdata": "ins1234567"},
            "digests": {"sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
            "labels": ["m1", "m2"], "description": "two points", "name": "kept"
        },
        "patches": [
            {"metadata": {"name": "p_1", "values": [100, 50]}, "patch": [{"op": "add", "path": "/a", "value": 1}]},
            {"metadata": {"name": "p_2", "values": [200.5, "x"], "more": [1]}, "patch": []}
        ],
        "version": "1.0.0"
    })
}

/// The digest in the patchset is SHA-256 of `{}`, from `sha256sum`.
#[test]
fn patchsets_look_up_and_verify() {
    let document = document(&patchset().to_string());
    assert_eq!(document.kind(), Kind::Patchset);
    let set = PatchSet::from_document(&document).unwrap();
    assert_eq!(set.lookup("p_1").unwrap().patch.0.len(), 1);
    assert_eq!(class(set.lookup("p_3").map(|_| json!(0))), "InvalidPatchLookup");
    let values = |value: Value| serde_json::from_value::<Vec<PatchValue>>(value).unwrap();
    assert_eq!(set.lookup_values(&values(json!([100.0, 50]))).unwrap().metadata.name, "p_1");
    assert_eq!(set.lookup_values(&values(json!([200.5, "x"]))).unwrap().metadata.name, "p_2");
    assert_eq!(class(set.lookup_values(&values(json!([1, 2]))).map(|_| json!(0))), "InvalidPatchLookup");
    assert!(set.verify(&json!({})).is_ok());
    assert_eq!(class(set.verify(&json!([])).map(|()| json!(0))), "PatchSetVerificationError");
    assert_eq!(serde_json::to_value(&set).unwrap(), patchset());
}

#[test]
fn patchset_rules() {
    let rules = |change: &dyn Fn(&mut Value)| -> Vec<(&'static str, String)> {
        let mut value = patchset();
        change(&mut value);
        let (_, findings) = validate(&document(&value.to_string()), None, &Scope::default());
        findings.0.into_iter().map(|f| (f.rule, f.pointer.unwrap())).collect()
    };
    let one = |rule: &'static str, pointer: &str| vec![(rule, pointer.to_string())];
    let meta = "/patches/1/metadata";
    assert_eq!(rules(&|_| ()), []);
    assert_eq!(rules(&|p| p["patches"][1]["metadata"]["name"] = json!("p_1")), one("W030", &format!("{meta}/name")));
    assert_eq!(
        rules(&|p| p["patches"][1]["metadata"]["values"] = json!([100.0, 50])),
        one("W031", &format!("{meta}/values"))
    );
    assert_eq!(rules(&|p| p["patches"][1]["metadata"]["values"] = json!([1])), one("W032", &format!("{meta}/values")));
    assert_eq!(rules(&|p| p["patches"][0]["patch"][0]["path"] = json!("a")), one("W021", "/patches/0/patch/0/path"));
    assert_eq!(rules(&|p| p["patches"][0]["patch"][0]["op"] = json!("grow")), one("W010", "/patches/0/patch/0/op"));
    assert_eq!(rules(&|p| p["metadata"]["digests"] = json!({})), one("W010", "/metadata/digests"));
    assert_eq!(
        rules(&|p| p["patches"][0]["metadata"]["values"][1] = json!([1])),
        one("W010", "/patches/0/metadata/values/1")
    );
}
