//! Each rule of the EFT extension: a sound document breaks none, and one change breaks exactly the rule in question.

use morphist::document::{Document, Limits};
use morphist::finding::Findings;
use morphist::rule;
use morphist::workspace::{Scope, validate};
use serde_json::{Value, json};

/// Every modifier of the extension beside those of pyhf; nothing is wrong with it.
fn sound() -> Value {
    json!({
        "channels": [
            {"name": "SR", "samples": [polynomial(), per_monomial(), product(), solved(), map(), events()]},
            {"name": "CR", "samples": [{"name": "background", "data": [50.0], "modifiers": [
                {"name": "stat", "type": "staterror", "data": [1.0]}, {"name": "k", "type": "normfactor", "data": null}
            ]}]}
        ],
        "eft": block(),
        "observations": [{"name": "SR", "data": [30, 40]}, {"name": "CR", "data": [53]}],
        "measurements": [{"name": "m", "config": {"poi": "c1", "parameters": [
            {"name": "c2", "inits": [0.5], "bounds": [[-1, 1]], "fixed": true}, {"name": "u", "auxdata": [0.1]}
        ]}}],
        "version": "1.0.0"
    })
}

fn block() -> Value {
    json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF", "scale_GeV": 91.2},
        "wilson_coefficients": [
            {"name": "c1", "bounds": [-2.0, 2.0]}, {"name": "c2", "bounds": [-3.0, 3.0], "init": 0.1},
            {"name": "c8", "bounds": [-1.0, 1.0], "dimension": 8, "fixed": true}
        ],
        "responses": {"shared": {"mode": "relative", "monomials": [[], ["c1"]], "coefficients": [1.0, [0.1, 0.2]],
            "truncation": "none", "uncertainties": [{"name": "v", "monomial": ["c1"], "sigma": 0.1}]}},
        "event_databases": [{
            "name": "db", "uri": "data/events.parquet", "media_type": "application/vnd.apache.parquet", "n_rows": 3,
            "sha256": "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789",
            "weights": {"kind": "coefficients", "monomials": [[], ["c1"]], "columns": ["w0", "w1"]},
            "observables": {"pT": {"column": "pT", "unit": "GeV"}},
            "systematics": {"scale": {"kind": "shift", "observables": {"pT": {"lo": "pT_lo", "hi": "pT_hi"}}},
                "btag": {"kind": "power", "column": "sf"}},
            "normalisation": {"kind": "generator", "luminosity": 139.0, "luminosity_unit": "1/fb",
                "cross_section": 1.0, "cross_section_unit": "pb", "sum_of_weights": 1000.0}
        }]
    })
}

fn polynomial() -> Value {
    json!({"name": "polynomial", "data": [10.0, 20.0], "modifiers": [
        {"name": "p", "type": "eft_polynomial", "data": {"mode": "absolute",
            "monomials": [[], ["c1"], ["c2"], ["c1", "c1"], ["c2", "c1"]],
            "coefficients": [[10.0, 20.0], [1.0, 2.0], 0.5, [3.0, 2.0], 0.1],
            "truncation": {"max_np_order": 2}, "positivity": "require",
            "uncertainties": [{"name": "u", "monomial": ["c1", "c2"], "sigma": [0.1, 0.2]}],
            "mc_stat": {"kind": "w2", "monomials": [[], ["c1"]], "variances": [[1.0, 2.0], 0.1], "fixed_at": {"c1": 0.5}}}},
        {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
        {"name": "jes", "type": "histosys", "data": {"lo_data": [9.0, 21.0], "hi_data": [11.0, 19.0]}}
    ]})
}

/// Its second bin has no nominal yield.
fn per_monomial() -> Value {
    json!({"name": "per_monomial", "data": [4.0, 0.0], "modifiers": [
        {"name": "p", "type": "eft_polynomial", "data": {"mode": "absolute", "monomials": [[], ["c1"]],
            "coefficients": [[4.0, 0.0], [1.0, 2.0]], "truncation": "none"}},
        {"name": "s", "type": "eft_sample", "data": {"systematics": {
            "mu": {"applies_to": [["c1"]]},
            "tilt": {"histosys": "per_monomial", "templates": [
                {"monomial": [], "lo_data": [3.5, 0.0], "hi_data": [4.5, 1.0]},
                {"monomial": ["c1"], "lo_data": [0.9, 1.8], "hi_data": [1.1, 2.2]}]}}}},
        {"name": "mu", "type": "normfactor", "data": null},
        {"name": "tilt", "type": "histosys", "data": {"lo_data": [3.5, 0.0], "hi_data": [4.5, 1.0]}}
    ]})
}

fn product() -> Value {
    json!({"name": "product", "data": [5.0, 6.0], "modifiers": [
        {"name": "r", "type": "eft_rational", "data": {"mode": "relative", "expansion": "full", "factor_truncation": "none",
            "factors": [{"power": 1, "monomials": [[], ["c1"]], "coefficients": [1.0, 0.3],
                    "uncertainties": [{"name": "w", "monomial": [], "sigma": [0.1, 0.2]}]},
                {"power": -1, "monomials": [[], ["c1"]], "coefficients": [1.0, [0.2, 0.1]],
                    "uncertainties": [{"name": "w", "monomial": ["c1"], "sigma": 0.1}]}]}},
        {"name": "named", "type": "eft_polynomial", "data": {"response": "shared"}},
        {"name": "s", "type": "eft_sample", "data": {"truncation": {"max_np_order": 2}, "histosys": "absolute"}}
    ]})
}

fn solved() -> Value {
    json!({"name": "solved", "data": [10.0, 5.0], "modifiers": [
        {"name": "t", "type": "eft_morph", "data": {"mode": "absolute", "parameters": ["c1"],
            "basis_points": [[0.0], [1.0], [-1.0]], "templates": [[10.0, 5.0], [12.0, 7.0], [9.0, 4.0]],
            "variances": [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], "weights": "inverse_variance", "components": {"vertices": {"production": ["c1"]}},
            "truncation": "none"}},
        {"name": "b", "type": "eft_bilinear", "data": {"mode": "relative", "left": [[], ["c1"]], "right": [[], ["c2"]],
            "coefficients": [[1.0, [0.1, 0.2]], [0.3, 0.4]], "truncation": "none"}},
        {"name": "q", "type": "eft_sum_of_squares", "data": {"mode": "relative", "monomials": [[], ["c1"]],
            "amplitudes": [[1.0, [0.1, 0.2]], [0.0, 0.5]], "truncation": "none"}}
    ]})
}

fn map() -> Value {
    json!({"name": "map", "data": [10.0, 5.0], "modifiers": [
        {"name": "m", "type": "eft_map", "data": {"map": [[6.0, 4.0, 0.0], [1.0, 2.0, 2.0]],
            "monomials": [[], ["c2"]], "weights": [1.0, [0.5, 0.25, 0.1]], "truncation": "none"}}
    ]})
}

fn events() -> Value {
    json!({"name": "events", "data": [10.0, 5.0], "modifiers": [
        {"name": "e", "type": "eft_events", "data": {"database": "db", "axes": [{"observable": "pT", "edges": [0.0, 100.0, "inf"]}],
            "underflow": "error", "overflow": "merge", "truncation": "none", "mc_stat": "none",
            "selection": [{"observable": "pT", "min": 10.0, "max": 20.0}], "systematics": ["scale"], "k_factor": 1.2}}
    ]})
}

fn check(value: &Value) -> Findings {
    let text = serde_json::to_vec_pretty(value).unwrap();
    validate(&Document::from_slice("test", text, &Limits::default()).unwrap(), None, &Scope::default()).1
}

#[test]
fn a_sound_document_has_no_findings() {
    let findings = check(&sound());
    assert!(findings.0.is_empty(), "{findings}");
}

const SR: &str = "/channels/0/samples";
const C: &str = "/eft/wilson_coefficients";
const DB: &str = "/eft/event_databases/0";

/// The data of a modifier of the first channel.
fn data(sample: usize, modifier: usize, key: &str) -> String {
    format!("{SR}/{sample}/modifiers/{modifier}/data/{key}")
}

/// The document with one value replaced, or put into an object or behind an array.
fn put(pointer: &str, new: Value) -> Value {
    let mut value = sound();
    if let Some(place) = value.pointer_mut(pointer) {
        *place = new;
        return value;
    }
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    if value.pointer(parent).is_none() {
        value = put(parent, json!({}));
    }
    match value.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.push(new),
        Value::Object(members) => {
            members.insert(key.into(), new);
        }
        other => panic!("{pointer}: {other}"),
    }
    value
}

type Case = (&'static str, String, Value);

/// Rule, place, and what stands there.
fn at(rule: &'static str, pointer: impl Into<String>, new: Value) -> Case {
    let pointer = pointer.into();
    let value = put(&pointer, new);
    (rule, pointer, value)
}

/// Rule, the place of the finding, and the change elsewhere.
fn because(rule: &'static str, pointer: impl Into<String>, place: impl AsRef<str>, new: Value) -> Case {
    (rule, pointer.into(), put(place.as_ref(), new))
}

fn cases_of_the_block() -> Vec<Case> {
    let undeclared = {
        let mut value = sound();
        value.as_object_mut().unwrap().remove("eft");
        value["channels"][0]["samples"] = json!([map()]);
        value["measurements"][0]["config"] = json!({"poi": "k", "parameters": []});
        value
    };
    let database = {
        let mut value = sound();
        let again = value["eft"]["event_databases"][0].clone();
        value["eft"]["event_databases"].as_array_mut().unwrap().push(again);
        value
    };
    let idle = {
        let mut value = sound();
        let mut second = value["eft"]["event_databases"][0].clone();
        second["name"] = json!("idle");
        value["eft"]["event_databases"].as_array_mut().unwrap().push(second);
        value
    };
    vec![
        ("W201", format!("{SR}/0/modifiers/0/type"), undeclared),
        because(
            "W202",
            format!("{C}/3/name"),
            format!("{C}/3"),
            json!({"name": "c1", "bounds": [0, 1], "fixed": true}),
        ),
        ("W202", "/eft/event_databases/1/name".into(), database),
        ("W248", "/eft/event_databases/1".into(), idle),
        because("W203", format!("{C}/3/name"), format!("{C}/3"), json!({"name": "k", "bounds": [0, 1], "fixed": true})),
        at("W203", data(0, 0, "uncertainties/0/name"), json!("c2"))
            .with_more(&[("W134", "/measurements/0/config/parameters/1/name".into())]),
        at("W203", "/eft/responses/shared/uncertainties/0/name", json!("k")),
        at("W204", format!("{C}/2/bounds"), json!([1.0, -1.0])),
        because("W205", format!("{C}/1"), format!("{C}/1/init"), json!(3.5)),
        at("W206", "/eft/basis/Lambda_TeV", json!(0.0)),
        at("W206", "/eft/basis/scale_GeV", json!(-1.0)),
        because("W207", format!("{C}/3"), format!("{C}/3"), json!({"name": "c3", "bounds": [0, 1]})),
    ]
}

fn cases_of_polynomials() -> Vec<Case> {
    vec![
        at("W210", data(0, 0, "monomials/4/0"), json!("c3")),
        at("W210", data(0, 0, "reference/c3"), json!(0.0)),
        at("W210", data(0, 0, "mc_stat/fixed_at/c3"), json!(0.0)),
        at("W210", "/eft/responses/shared/monomials/1/0", json!("c3")),
        at("W226", data(0, 0, "monomials/4"), json!(vec!["c1"; 101])),
        because("W211", data(0, 0, "monomials/4"), data(0, 0, "monomials/3"), json!(["c1", "c2"])),
        because(
            "W211",
            data(0, 0, "uncertainties/1"),
            data(0, 0, "uncertainties/1"),
            json!({"name": "u", "monomial": ["c2", "c1"], "sigma": 1.0}),
        ),
        at("W212", data(0, 0, "coefficients"), json!([[10.0, 20.0]])),
        at("W212", data(0, 0, "mc_stat/variances"), json!([1.0])),
        at("W213", data(0, 0, "coefficients/1"), json!([1.0, 2.0, 3.0])),
        at("W213", data(0, 0, "uncertainties/0/sigma"), json!([1.0])),
        because("W213", data(2, 1, "response"), "/eft/responses/shared/coefficients/1", json!([0.1])),
        at("W214", data(2, 1, "response"), json!("other")),
        because("W215", data(0, 0, "coefficients"), data(0, 0, "coefficients/0"), json!([10.0, 20.0001])),
        because("W215", data(0, 0, "coefficients"), data(0, 0, "reference"), json!({"c1": 0.001})),
        because("W215", data(2, 1, "response"), "/eft/responses/shared/coefficients/0", json!(1.00001)),
        because("W219", data(0, 0, "truncation"), data(0, 0, "truncation/max_np_order"), json!(0))
            .with_more(&[("W244", data(0, 0, "mc_stat/monomials/1"))]),
        // 10 + c1 + c2/2 + 3 c1² + c1 c2/10 is about 8 at the least; with 20 c1 it is negative.
        because("W223", data(0, 0, "positivity"), data(0, 0, "coefficients/1"), json!([20.0, 2.0])),
        // (1 + c1 c2)⁴ + … is a sum of squares that no rule of the sign search sees.
        ("W224", data(0, 0, "positivity"), undecided()),
        ("W225", data(0, 0, "coefficients"), too_large()),
        at("W231", data(0, 0, "uncertainties/0/monomial"), json!(["c2", "c2"])),
        at("W243", data(0, 0, "mc_stat/variances/0"), json!([1.0, -2.0])),
        // 1 + 0.1 c1 at c1 = −10.1; 1 − 0.6 c1 at c1 = 2; (c1² − 1)² − 0.01, which is positive at zero and in all corners;
        // 1 + 0.4 c1 is positive in the box, and −0.2 at a reference of −3.
        because("W247", data(0, 0, "mc_stat/variances"), data(0, 0, "mc_stat/fixed_at"), json!({"c1": -10.1})),
        ("W247", data(0, 0, "mc_stat/variances"), with_variance(json!([[], ["c1"]]), json!([[1.0, 2.0], -0.6]), 0.0)),
        ("W247", data(0, 0, "mc_stat/variances"), with_variance(double_well().0, double_well().1, 0.0)),
        ("W247", data(0, 0, "mc_stat/variances"), with_variance(json!([[], ["c1"]]), json!([1.0, 0.4]), -3.0)),
        because(
            "W244",
            data(0, 0, "mc_stat/monomials/1"),
            data(0, 0, "mc_stat/monomials/1"),
            json!(["c1", "c1", "c1", "c1", "c1"]),
        ),
        because(
            "W243",
            data(0, 0, "mc_stat/sigmas/1"),
            data(0, 0, "mc_stat"),
            json!({"kind": "coefficient_errors", "sigmas": [1.0, -1.0, 1.0, 1.0, 1.0]}),
        ),
    ]
}

/// A variance that follows the coefficients, of the first sample, whose nominal yields are those at c1 = `reference`.
fn with_variance(monomials: Value, variances: Value, reference: f64) -> Value {
    let mut value = sound();
    let sample = &mut value["channels"][0]["samples"][0];
    let (c, n) = (reference, [[10.0, 1.0, 3.0], [20.0, 2.0, 2.0]]);
    sample["data"] = json!(n.map(|n| n[0] + n[1] * c + n[2] * c * c));
    let lo_hi = json!({"lo_data": sample["data"], "hi_data": sample["data"]});
    sample["modifiers"][2]["data"] = lo_hi;
    let data = &mut sample["modifiers"][0]["data"];
    data["reference"] = json!({"c1": reference});
    data["mc_stat"] = json!({"kind": "w2", "monomials": monomials, "variances": variances});
    value
}

/// (c1² − 1)² − 0.01 in the second bin, (c1² − 1)² in the first.
fn double_well() -> (Value, Value) {
    (json!([[], ["c1", "c1"], ["c1", "c1", "c1", "c1"]]), json!([[1.0, 0.99], -2.0, 1.0]))
}

/// Σ w² of events may touch zero: (c1² − 1)², and the same with what rounding leaves of it.
#[test]
fn variances_that_touch_zero_are_sound() {
    for constant in [1.0, 1.0 - 1e-10] {
        let value = with_variance(double_well().0, json!([constant, -2.0, 1.0]), 0.0);
        let found = check(&value);
        assert!(found.0.is_empty(), "{constant}: {found}");
    }
    // A bin and a point are named.
    let found = check(&with_variance(double_well().0, double_well().1, 0.0)).to_string();
    assert!(found.contains("in bin 1 at") && found.contains("c1") && found.contains("-0.01"), "{found}");
}

/// 10 (1 + c1 c2)² − … of degree four: positive, and not so by the ranges of its terms.
fn undecided() -> Value {
    let mut value = sound();
    let data = &mut value["channels"][0]["samples"][0]["modifiers"][0]["data"];
    data["monomials"] = json!([[], ["c1", "c2"], ["c1", "c1", "c2", "c2"], ["c1"], ["c2"]]);
    data["coefficients"] = json!([[10.0, 20.0], 10.0, 5.0, 0.0, 0.0]);
    data["truncation"] = json!("none");
    value
}

fn too_large() -> Value {
    let mut value = sound();
    let bins = 20_000;
    value["eft"]["event_databases"] = json!([]);
    value["channels"][0]["samples"] = json!([polynomial()]);
    let sample = &mut value["channels"][0]["samples"][0];
    sample["data"] = json!(vec![10.0; bins]);
    sample["modifiers"].as_array_mut().unwrap().truncate(1);
    let data = &mut sample["modifiers"][0]["data"];
    let pairs = (0..100_usize).flat_map(|i| (0..100 - i).map(move |j| (i, j))).take(5001);
    let monomials: Vec<Vec<&str>> =
        pairs.map(|(i, j)| vec!["c1"; i].into_iter().chain(vec!["c2"; j]).collect()).collect();
    data["monomials"] = json!(monomials);
    data["coefficients"] = json!(vec![10.0; 5001]);
    data["uncertainties"] = json!([]);
    data.as_object_mut().unwrap().remove("mc_stat");
    value["observations"][0]["data"] = json!(vec![1.0; bins]);
    value["measurements"][0]["config"]["parameters"] = json!([]);
    value
}

fn cases_of_other_responses() -> Vec<Case> {
    vec![
        at("W212", data(3, 1, "coefficients/1"), json!([0.3])),
        at("W212", data(3, 2, "amplitudes/0"), json!([1.0])),
        at("W212", data(3, 0, "basis_points/1"), json!([1.0, 2.0])),
        at("W212", data(4, 0, "weights/1"), json!([0.5])),
        at("W212", data(4, 0, "map/1"), json!([5.0])),
        at("W213", data(4, 0, "map"), json!([[6.0, 4.0, 0.0]])),
        at("W213", data(3, 0, "templates/1"), json!([1.0])),
        at("W213", data(3, 1, "coefficients/0/1"), json!([1.0])),
        because("W215", data(3, 1, "coefficients"), data(3, 1, "coefficients/0/0"), json!(1.1)),
        because("W215", data(3, 2, "amplitudes"), data(3, 2, "amplitudes/1/0"), json!(0.1)),
        because("W215", data(3, 0, "templates"), data(3, 0, "templates/0"), json!([10.0, 5.1])),
        because("W215", data(4, 0, "map"), data(4, 0, "map/0/0"), json!(6.1)),
        because("W215", data(2, 0, "factors"), data(2, 0, "factors/1/coefficients/0"), json!(1.1)),
        at("W220", data(2, 0, "factors/0/power"), json!(0)),
        at("W220", data(2, 0, "factors/0/power"), json!(101)),
        because("W221", data(2, 0, "factors/1"), data(2, 0, "factors/1/coefficients/1"), json!([0.2, 0.6])),
        because("W222", data(3, 0, "basis_points"), data(3, 0, "basis_points/2"), json!([1.0])),
        because(
            "W222",
            data(3, 0, "basis_points"),
            data(3, 0, "components"),
            json!({"monomials": [[], ["c1"], ["c1", "c1"], ["c1", "c1", "c1"]]}),
        ),
        at("W210", data(3, 0, "components/vertices/production/0"), json!("c2")),
        at("W210", data(3, 0, "parameters/0"), json!("c3"))
            .with_more(&[("W210", data(3, 0, "components/vertices/production/0"))]),
        at("W243", data(3, 0, "variances/1/0"), json!(-1.0)),
        at("W243", data(3, 0, "variances/1"), json!([0.0, 0.0])),
        ("W243", data(3, 0, "weights"), without(&data(3, 0, ""), "variances")),
        at("W203", data(2, 0, "factors/0/uncertainties/0/name"), json!("c1")),
        at("W213", data(2, 0, "factors/0/uncertainties/0/sigma"), json!([0.1])),
        at("W231", data(2, 0, "factors/0/uncertainties/0/monomial"), json!(["c2"])),
        because(
            "W211",
            data(2, 0, "factors/0/uncertainties/1"),
            data(2, 0, "factors/0/uncertainties/1"),
            json!({"name": "w", "monomial": [], "sigma": 0.1}),
        ),
        // The sample is expanded; so is the response below.
        because(
            "W221",
            data(2, 0, "factors/1/uncertainties"),
            data(2, 0, "factors/1/uncertainties/0/monomial"),
            json!([]),
        ),
        ("W221", data(2, 0, "factors/1/uncertainties"), expanded_with_moving_pole()),
    ]
}

/// The document without a member of an object.
fn without(pointer: &str, key: &str) -> Value {
    let mut value = sound();
    value.pointer_mut(pointer.trim_end_matches('/')).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    value
}

fn expanded_with_moving_pole() -> Value {
    let mut value = sound();
    let modifiers = &mut value["channels"][0]["samples"][2]["modifiers"];
    modifiers[2]["data"]["truncation"] = json!("none");
    let ratio = &mut modifiers[0]["data"];
    ratio["expansion"] = json!({"taylor": 2});
    ratio["factors"][1]["uncertainties"][0]["monomial"] = json!([]);
    value
}

/// Further findings that a change brings.
trait WithMore {
    fn with_more(self, more: &[(&'static str, String)]) -> Case;
}

impl WithMore for Case {
    fn with_more(self, more: &[(&'static str, String)]) -> Case {
        let (rule, pointer, mut value) = self;
        value["expected"] = json!(more);
        (rule, pointer, value)
    }
}

fn cases_of_samples() -> Vec<Case> {
    let absolute = json!({"name": "z", "type": "eft_map", "data": {"map": [[10.0], [5.0]], "monomials": [[]], "weights": [1.0], "truncation": "none"}});
    let staterror = json!({"name": "st", "type": "staterror", "data": [1.0, 1.0]});
    let sample = |data: Value| json!({"name": "z", "type": "eft_sample", "data": data});
    let place = |sample: usize, modifier: usize| format!("{SR}/{sample}/modifiers/{modifier}");
    let second_mc_stat = {
        let mut value = sound();
        let own = json!({"kind": "coefficient_errors", "sigmas": [0.1, 0.1]});
        let relative = json!({"mode": "relative", "monomials": [[], ["c1"]], "coefficients": [1.0, 0.1], "truncation": "none",
            "mc_stat": own});
        let modifiers = value["channels"][0]["samples"][3]["modifiers"].as_array_mut().unwrap();
        modifiers.push(json!({"name": "p", "type": "eft_polynomial", "data": relative}));
        value
    };
    let denominator_beside_mc_stat = {
        let mut value = sound();
        let rational = value["channels"][0]["samples"][2]["modifiers"][0].clone();
        value["channels"][0]["samples"][3]["modifiers"].as_array_mut().unwrap().push(rational);
        value
    };
    let empty_bin = {
        let mut value = sound();
        value["channels"][0]["samples"][1]["modifiers"][1]["data"]["systematics"]
            .as_object_mut()
            .unwrap()
            .remove("tilt");
        value
    };
    let idle = {
        let mut value = sound();
        let modifiers = value["channels"][1]["samples"][0]["modifiers"].as_array_mut().unwrap();
        modifiers.push(sample(json!({})));
        value
    };
    let by_event = {
        let mut value = sound();
        value["channels"][0]["samples"][5]["modifiers"]
            .as_array_mut()
            .unwrap()
            .push(sample(json!({"truncation": "none"})));
        value["channels"][0]["samples"][5]["modifiers"][0]["data"]["floor"] = json!(0.0);
        value
    };
    vec![
        because("W216", place(4, 1) + "/data", place(4, 1), absolute),
        because(
            "W217",
            data(0, 0, "").trim_end_matches('/'),
            place(0, 3),
            json!({"name": "named", "type": "eft_polynomial", "data": {"response": "shared"}}),
        ),
        ("W218", place(3, 3) + "/data", denominator_beside_mc_stat),
        ("W218", place(5, 0) + "/data", by_event),
        because(
            "W218",
            data(2, 2, "systematics/mu/applies_to/0"),
            data(2, 2, "systematics"),
            json!({"mu": {"applies_to": [["c1"]]}}),
        )
        .with_more(&[("W230", data(2, 2, "systematics/mu"))]),
        because("W230", data(1, 1, "systematics/x"), data(1, 1, "systematics/x"), json!({"applies_to": [[]]})),
        because("W230", data(1, 1, "systematics/mu"), data(1, 1, "systematics/mu"), json!({"histosys": "absolute"})),
        at("W231", data(1, 1, "systematics/mu/applies_to/0"), json!(["c2"])),
        at("W231", data(1, 1, "systematics/tilt/templates/1/monomial"), json!(["c1", "c1"])),
        at("W211", data(1, 1, "systematics/tilt/templates/1/monomial"), json!([])),
        at("W213", data(1, 1, "systematics/tilt/templates/1/lo_data"), json!([1.0])),
        because("W232", data(1, 1, "systematics/tilt"), data(1, 1, "systematics/tilt/templates"), json!([])),
        because(
            "W232",
            data(1, 1, "systematics/tilt/templates"),
            data(1, 1, "systematics/tilt/histosys"),
            json!("absolute"),
        ),
        at("W233", data(1, 3, "hi_data/1"), json!(1.1)),
        ("W234", data(1, 3, "hi_data/1"), empty_bin),
        because("W235", place(1, 4), place(1, 4), sample(json!({}))),
        ("W236", "/channels/1/samples/0/modifiers/2".into(), idle),
        because("W240", place(0, 3), place(0, 3), staterror),
        because(
            "W241",
            place(0, 0) + "/data",
            place(0, 3),
            sample(json!({"systematics": {"jes": {"applies_to": [[]]}}})),
        ),
        because("W241", place(5, 0) + "/data", data(5, 0, "mc_stat"), json!("w2")),
        ("W242", place(3, 3) + "/data", second_mc_stat),
    ]
}

fn cases_of_events() -> Vec<Case> {
    let basis = |points: Value, columns: Value| {
        json!({"kind": "basis_weights", "parameters": ["c1"], "basis_points": points, "columns": columns,
            "components": {"vertices": {"all": ["c1"]}}})
    };
    let weights = format!("{DB}/weights");
    vec![
        at("W210", format!("{DB}/weights/monomials/1/0"), json!("c3")),
        at("W211", format!("{DB}/weights/columns/1"), json!("w0")),
        at("W212", format!("{DB}/weights/columns"), json!(["w0"])),
        because("W212", format!("{weights}/columns"), &weights, basis(json!([[0.0], [1.0], [2.0]]), json!(["a", "b"]))),
        because(
            "W212",
            format!("{weights}/basis_points/1"),
            &weights,
            basis(json!([[0.0], [1.0, 1.0], [2.0]]), json!(["a", "b", "c"])),
        ),
        because("W222", format!("{weights}/basis_points"), &weights, basis(json!([[0.0], [1.0]]), json!(["a", "b"]))),
        at("W245", data(5, 0, "database"), json!("other")),
        at("W245", data(5, 0, "axes/0/observable"), json!("mT")),
        at("W245", data(5, 0, "selection/0/observable"), json!("mT")),
        at("W245", data(5, 0, "systematics/0"), json!("other")),
        at("W245", format!("{DB}/systematics/scale/observables/mT"), json!({"lo": "mT_lo", "hi": "mT_hi"})),
        at("W211", data(5, 0, "systematics/1"), json!("scale")),
        at("W246", format!("{DB}/sha256"), json!("0123")),
        at("W246", format!("{DB}/sha256"), json!("g".repeat(64))),
        at("W260", format!("{DB}/uri"), json!("/data/events.parquet")),
        at("W260", format!("{DB}/uri"), json!("https://example.org/events.parquet")),
        at("W260", format!("{DB}/uri"), json!("")),
        because("W269", data(5, 0, "axes/0/edges/1"), data(5, 0, "axes/0/edges"), json!([0.0, 0.0, "inf"])),
        because("W269", data(5, 0, "axes/0/edges/1"), data(5, 0, "axes/0/edges"), json!(["inf", 1.0, 2.0])),
        because("W269", data(5, 0, "selection/0"), data(5, 0, "selection/0/min"), json!(20.0)),
        because("W213", data(5, 0, "axes"), data(5, 0, "axes/0/edges"), json!([0.0, 1.0, 2.0, 3.0])),
        at("W271", data(5, 0, "k_factor"), json!(0.0)),
        at("W271", format!("{DB}/normalisation/luminosity"), json!(-1.0)),
        at("W271", format!("{DB}/normalisation/sum_of_weights"), json!(0.0)),
    ]
}

fn cases() -> Vec<Case> {
    [cases_of_the_block(), cases_of_polynomials(), cases_of_other_responses(), cases_of_samples(), cases_of_events()]
        .concat()
}

#[test]
fn one_change_breaks_one_rule() {
    let mut wrong = Vec::new();
    for (id, pointer, mut value) in cases() {
        let rule = rule::ALL.iter().find(|r| r.id == id).unwrap();
        let more: Vec<(String, String)> = value
            .as_object_mut()
            .unwrap()
            .remove("expected")
            .map_or_else(Vec::new, |m| serde_json::from_value(m).unwrap());
        let mut expected = vec![(id.to_string(), pointer)];
        expected.extend(more);
        expected.sort();
        let findings = check(&value);
        let mut places: Vec<_> = findings.0.iter().map(|f| (f.rule.to_string(), f.pointer.clone().unwrap())).collect();
        places.sort();
        if places != expected {
            wrong.push(format!("{expected:?} expected\n{findings}\n"));
            continue;
        }
        let finding = findings.0.iter().find(|f| f.rule == id).unwrap();
        assert_eq!((finding.class, finding.severity), (rule.class, rule.severity), "{id}");
        assert!(findings.0.iter().all(|f| f.line.is_some() && f.column.is_some()), "{id}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Those from W250 on concern files and models.
#[test]
fn every_rule_of_the_extension_is_tested() {
    let cases = cases();
    for rule in rule::ALL.iter().filter(|r| ("W200".."W250").contains(&r.id)) {
        assert!(cases.iter().any(|(id, ..)| *id == rule.id), "{} has no case", rule.id);
    }
}

#[test]
fn all_problems_come_at_once() {
    let mut value = put(&data(0, 0, "monomials/1/0"), json!("c3"));
    value["eft"]["basis"]["Lambda_TeV"] = json!(0);
    value["eft"]["event_databases"][0]["sha256"] = json!("");
    value["channels"][0]["samples"][2]["modifiers"][0]["data"]["factors"][0]["power"] = json!(0);
    let rules: Vec<_> = check(&value).0.iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["W210", "W220", "W206", "W246"]);
}
