//! The audit: each code on a small workspace that has what it tells, and nothing else. Numbers are worked out by hand from
//! the equations of spec/audit.md; interpolation between ±1σ is pyhf 0.7.6's.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use morphist::audit::{Audit, Code, Finding, Places, Severity, Subject, Thresholds, audit};
use morphist::document::workspace::Workspace;
use morphist::infer::{FitOptions, Hesse, Likelihood, prefit};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};

/// One channel, a signal and a background with one modifier of each kind: nothing to tell.
fn clean() -> Value {
    json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "background", "data": [50.0, 60.0], "modifiers": [
                {"name": "norm", "type": "normsys", "data": {"hi": 1.05, "lo": 0.95}},
                {"name": "shape", "type": "histosys", "data": {"hi_data": [52.0, 61.0], "lo_data": [48.0, 59.0]}},
                {"name": "stat", "type": "staterror", "data": [2.0, 2.5]}
            ]},
            {"name": "signal", "data": [5.0, 5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}
        ]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "observations": [{"name": "SR", "data": [56.0, 64.0]}],
        "version": "1.0.0"
    })
}

fn background(document: &mut Value) -> &mut Value {
    &mut document["channels"][0]["samples"][0]
}

fn signal(document: &mut Value) -> &mut Value {
    &mut document["channels"][0]["samples"][1]
}

fn add_modifier(sample: &mut Value, modifier: Value) {
    sample["modifiers"].as_array_mut().unwrap().push(modifier);
}

fn add_sample(document: &mut Value, sample: Value) {
    document["channels"][0]["samples"].as_array_mut().unwrap().push(sample);
}

fn histosys(name: &str, hi: [f64; 2], lo: [f64; 2]) -> Value {
    json!({"name": name, "type": "histosys", "data": {"hi_data": hi, "lo_data": lo}})
}

fn normsys(name: &str, hi: f64, lo: f64) -> Value {
    json!({"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}})
}

fn free(name: &str) -> Value {
    json!({"name": name, "type": "normfactor", "data": null})
}

/// Bare signal and background without systematics, each with its strength.
fn bare(modifiers: [Value; 2]) -> Value {
    let mut document = clean();
    let [of_background, of_signal] = modifiers;
    background(&mut document)["modifiers"] = of_background;
    signal(&mut document)["modifiers"] = of_signal;
    document
}

fn run(document: &Value, with_fit: bool) -> Audit {
    let workspace: Workspace = serde_json::from_value(document.clone()).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    let program = Program::compile(&model);
    let fixed = model.fixed();
    let point = prefit::point(&program, &data.auxiliary, &model.init(), &fixed);
    let fit = with_fit.then(|| Likelihood::new(&program, &data, FitOptions::new(&model)).fit(Hesse::All));
    let places = Places::of_workspace(&workspace, "m");
    let subject = Subject {
        model: &model,
        data: &data,
        point: &point,
        fixed: &fixed,
        coefficients: &vec![false; point.len()],
        poi_name: Some(&workspace.measurements[0].config.poi),
        fit: fit.as_ref(),
        places: &places,
    };
    audit(subject, &Thresholds::default())
}

fn words(audit: &Audit) -> Vec<&'static str> {
    audit.findings.iter().map(|finding| finding.code.word()).collect()
}

/// The finding of a code, where exactly these were found.
fn only(document: &Value, expected: &[&str], code: Code) -> Finding {
    let audit = run(document, false);
    let messages: Vec<String> = audit.findings.iter().map(morphist::report::audit::message).collect();
    assert_eq!(words(&audit), expected, "{messages:#?} {:?}", audit.left_out);
    audit.findings.into_iter().find(|finding| finding.code == code).unwrap()
}

/// The finding of a code, which is the only one.
fn alone(document: &Value, code: Code) -> Finding {
    only(document, &[code.word()], code)
}

fn check(finding: &Finding, values: &[(&str, f64)]) {
    for (name, expected) in values {
        let ours = finding.value(name);
        assert!((ours - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{name}: {ours} against {expected}");
    }
}

#[test]
fn a_clean_likelihood_has_nothing_to_tell() {
    let audit = run(&clean(), true);
    assert_eq!(words(&audit), Vec::<&str>::new());
    assert!(audit.left_out.is_empty());
}

#[test]
fn the_words_of_codes_are_those_of_the_results() {
    for code in Code::ALL {
        assert_eq!(json!(code), code.word());
    }
}

#[test]
fn systematics_without_effect() {
    let mut document = clean();
    add_modifier(background(&mut document), normsys("idle", 1.0, 1.0));
    let finding = alone(&document, Code::NullEffect);
    check(&finding, &[("entries", 1.0)]);
    assert_eq!(finding.pointer.as_deref(), Some("/channels/0/samples/0/modifiers/3"));

    // The same name moves the signal: only the entry is idle, one of norm, shape and two of its own.
    add_modifier(signal(&mut document), normsys("idle", 1.1, 0.9));
    check(&alone(&document, Code::NullEntries), &[("idle", 1.0), ("entries", 4.0)]);
}

/// Shifts of +2 and +1 on 50: the smaller is 1/55 of the total; on the signal 0.1/55 is not relevant.
#[test]
fn one_sided_systematics() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("side", [52.0, 60.0], [51.0, 60.0]));
    let finding = alone(&document, Code::OneSided);
    check(
        &finding,
        &[("worst_bin", 0.0), ("nominal", 50.0), ("up", 52.0), ("down", 51.0), ("share_of_total", 1.0 / 55.0)],
    );
    assert_eq!((finding.severity, finding.bins.as_slice()), (Severity::Warning, &[0][..]));
    assert_eq!((finding.types.as_slice(), finding.sample.as_deref()), (&["histosys"][..], Some("background")));

    let mut document = clean();
    add_modifier(signal(&mut document), histosys("side", [5.2, 5.0], [5.1, 5.0]));
    let finding = alone(&document, Code::OneSided);
    assert_eq!(finding.severity, Severity::Note);
    check(&finding, &[("share_of_total", 0.1 / 55.0)]);

    // 0.4 of 50 is below the threshold of 1 %.
    let mut document = clean();
    add_modifier(background(&mut document), histosys("side", [50.4, 60.0], [50.4, 60.0]));
    assert_eq!(words(&run(&document, false)), Vec::<&str>::new());

    let mut document = clean();
    add_modifier(background(&mut document), histosys("side", [52.0, 60.0], [50.0, 60.0]));
    check(&alone(&document, Code::OneVariation), &[("moving_side", 1.0), ("largest", 2.0 / 50.0)]);
}

#[test]
fn large_and_asymmetric_variations() {
    let mut document = clean();
    add_modifier(signal(&mut document), normsys("size", 1.6, 0.6));
    let finding = alone(&document, Code::LargeVariation);
    // 6 of 120 events.
    check(&finding, &[("nominal_sum", 10.0), ("up", 0.6), ("down", -0.4), ("share_of_total", 0.05)]);
    assert_eq!(finding.severity, Severity::Warning);

    let mut document = clean();
    add_modifier(background(&mut document), normsys("size", 1.2, 0.95));
    check(&alone(&document, Code::Asymmetric), &[("up", 0.2), ("down", -0.05), ("ratio", 4.0)]);
}

#[test]
fn size_in_shapes() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("big", [58.0, 68.0], [42.0, 52.0]));
    check(&alone(&document, Code::NormInShape), &[("up", 16.0 / 110.0), ("down", -16.0 / 110.0)]);

    let mut document = clean();
    add_modifier(background(&mut document), histosys("both", [52.0, 60.0], [48.0, 60.0]));
    add_modifier(background(&mut document), normsys("both", 1.03, 0.97));
    let finding = alone(&document, Code::SplitNotClean);
    check(&finding, &[("up", 2.0 / 110.0), ("down", -2.0 / 110.0)]);
    assert_eq!(finding.types, ["histosys", "normsys"]);
}

#[test]
fn negative_templates() {
    let mut document = clean();
    add_sample(
        &mut document,
        json!({"name": "small", "data": [1.0, 9.0], "modifiers": [
            histosys("low", [2.5, 8.2], [-0.5, 9.8]),
            {"name": "stat", "type": "staterror", "data": [0.3, 1.0]}
        ]}),
    );
    let finding = alone(&document, Code::NegativeTemplate);
    check(&finding, &[("worst_bin", 0.0), ("nominal", 1.0), ("lowest", -0.5), ("at_sigma", -1.0)]);
    assert_eq!(finding.pointer.as_deref(), Some("/channels/0/samples/2/modifiers/0"));
}

/// Both templates are positive, and code 4p is not between them. pyhf 0.7.6, expected_actualdata at steps of 0.1: the lowest
/// of bin 0 is at −0.3.
#[test]
fn templates_that_are_negative_between_their_ends() {
    let mut document = clean();
    add_sample(
        &mut document,
        json!({"name": "small", "data": [1.0, 6.0], "modifiers": [histosys("between", [40.05, 6.0], [0.05, 6.0])]}),
    );
    let audit = run(&document, false);
    let finding = audit.findings.iter().find(|finding| finding.code == Code::NegativeTemplate).unwrap();
    check(finding, &[("nominal", 1.0), ("lowest", -1.972985956250001), ("at_sigma", -0.3)]);
}

/// 55 − 110 = −55 at −1σ.
#[test]
fn negative_expectation() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("low", [160.0, 60.0], [-60.0, 60.0]));
    let finding = only(
        &document,
        &["negative_expectation", "negative_template", "large_variation", "norm_in_shape"],
        Code::NegativeExpectation,
    );
    check(&finding, &[("worst_bin", 0.0), ("nominal", 55.0), ("lowest", -55.0), ("at_sigma", -1.0)]);
}

#[test]
fn copies() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("a", [51.0, 61.0], [49.0, 59.0]));
    add_modifier(background(&mut document), histosys("b", [51.0, 61.0], [49.0, 59.0]));
    let finding = alone(&document, Code::EqualSystematics);
    assert_eq!(finding.parameters, ["a", "b"]);
    check(&finding, &[("entries", 1.0)]);

    let mut document = clean();
    let stat = json!({"name": "stat", "type": "staterror", "data": [2.0, 2.5]});
    add_sample(&mut document, json!({"name": "copy", "data": [50.0, 60.0], "modifiers": [stat]}));
    document["observations"][0]["data"] = json!([106.0, 124.0]);
    let finding = alone(&document, Code::EqualSamples);
    assert_eq!((finding.others.as_slice(), finding.sample.as_deref()), (&["copy".to_owned()][..], Some("background")));
    check(&finding, &[("sum", 110.0)]);
}

#[test]
fn one_name_for_two_types() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("x", [51.0, 60.0], [49.0, 60.0]));
    add_modifier(signal(&mut document), normsys("x", 1.1, 0.9));
    let finding = alone(&document, Code::SharedName);
    check(&finding, &[("samples", 2.0)]);
    assert_eq!(finding.types, ["histosys", "normsys"]);
}

#[test]
fn statistics_of_the_simulation() {
    let stat = |document: &mut Value, errors: [f64; 2]| background(document)["modifiers"][2]["data"] = json!(errors);
    let mut document = clean();
    stat(&mut document, [2.0, 0.0]);
    let finding = alone(&document, Code::FrozenStaterror);
    check(&finding, &[("nominal", 60.0), ("count", 1.0)]);
    assert_eq!((finding.bins.as_slice(), finding.parameters.as_slice()), (&[1][..], &["stat[1]".to_owned()][..]));

    let mut document = clean();
    stat(&mut document, [30.0, 2.5]);
    check(&alone(&document, Code::LargeMcError), &[("worst_bin", 0.0), ("relative_uncertainty", 0.6)]);

    let mut document = clean();
    let fake = json!({"name": "fake", "type": "shapesys", "data": [1.0, 0.0]});
    add_sample(&mut document, json!({"name": "fake", "data": [3.0, 4.0], "modifiers": [fake]}));
    let finding = alone(&document, Code::FrozenShapesys);
    check(&finding, &[("nominal", 4.0), ("count", 1.0)]);
    assert_eq!(finding.bins, [1]);

    let mut document = clean();
    add_sample(&mut document, json!({"name": "other", "data": [10.0, 10.0], "modifiers": []}));
    document["observations"][0]["data"] = json!([66.0, 74.0]);
    check(&alone(&document, Code::NoMcError), &[("share", 20.0 / 140.0)]);
}

/// The second bin has no background, or nothing at all.
#[test]
fn empty_bins() {
    let mut document = clean();
    *background(&mut document) = json!({"name": "background", "data": [50.0, 0.0], "modifiers": [
        normsys("norm", 1.05, 0.95),
        {"name": "stat", "type": "staterror", "data": [2.0, 0.0]}
    ]});
    document["observations"][0]["data"] = json!([56.0, 5.0]);
    let finding = only(&document, &["no_background", "no_mc_statistics"], Code::NoBackground);
    check(&finding, &[("lowest", 0.0), ("counted", 5.0)]);
    assert_eq!(finding.bins, [1]);
    let finding = only(&document, &["no_background", "no_mc_statistics"], Code::NoMcStatistics);
    check(&finding, &[("nominal", 0.0), ("count", 1.0)]);

    signal(&mut document)["data"] = json!([5.0, 0.0]);
    let finding = only(&document, &["data_without_expectation", "no_mc_statistics"], Code::DataWithoutExpectation);
    check(&finding, &[("counted", 5.0), ("lowest", 0.0)]);

    document["observations"][0]["data"] = json!([56.0, 0.0]);
    let finding = only(&document, &["empty_bin", "no_mc_statistics"], Code::EmptyBin);
    check(&finding, &[("count", 1.0)]);
}

#[test]
fn yields_and_counts() {
    let mut document = clean();
    add_sample(&mut document, json!({"name": "other", "data": [-1.0, 9.0], "modifiers": []}));
    let finding = alone(&document, Code::NegativeNominal);
    check(&finding, &[("lowest", -1.0)]);
    assert_eq!((finding.bins.as_slice(), finding.severity), (&[0][..], Severity::Note));

    let mut document = clean();
    document["observations"][0]["data"] = json!([56.0, 64.5]);
    let finding = alone(&document, Code::FractionalData);
    check(&finding, &[("first", 64.5)]);
    assert_eq!((finding.bins.as_slice(), finding.pointer.as_deref()), (&[1][..], Some("/observations/0/data")));

    // σ² = (50 a₁)² of norm, 2² of shape and 2² of stat; a₁ is the slope of code 4 at zero (interpolation.md).
    let mut document = clean();
    document["observations"][0]["data"] = json!([100.0, 64.0]);
    let finding = alone(&document, Code::LargePull);
    let (up, down) = (1.05_f64, 0.95_f64);
    let slope = 15.0 / 16.0 * (up - down) - 7.0 / 16.0 * (up * up.ln() - down * down.ln())
        + (up * up.ln().powi(2) - down * down.ln().powi(2)) / 16.0;
    let sigma = ((50.0 * slope).powi(2) + 8.0).sqrt();
    let pull = 45.0 / (55.0 + sigma * sigma).sqrt();
    check(
        &finding,
        &[("worst_bin", 0.0), ("pull", pull), ("observed", 100.0), ("expected", 55.0), ("uncertainty", sigma)],
    );
}

#[test]
fn parameters() {
    let mut document = clean();
    let top = json!({"name": "top", "data": [1000.0, 900.0], "modifiers": [free("k"),
        {"name": "stat_CR", "type": "staterror", "data": [20.0, 20.0]}]});
    document["channels"].as_array_mut().unwrap().push(json!({"name": "CR", "samples": [top]}));
    document["observations"].as_array_mut().unwrap().push(json!({"name": "CR", "data": [1000.0, 900.0]}));
    check(&alone(&document, Code::Unconstrained), &[("count", 1.0), ("low", 0.0), ("high", 10.0)]);

    let mut document = clean();
    document["measurements"][0]["config"]["parameters"] = json!([{"name": "norm", "fixed": true}]);
    let finding = alone(&document, Code::FixedParameter);
    check(&finding, &[("count", 1.0), ("value", 0.0)]);
    assert_eq!(finding.pointer.as_deref(), Some("/measurements/0/config/parameters/0"));

    let mut document = clean();
    document["measurements"][0]["config"]["parameters"] =
        json!([{"name": "lumi", "inits": [1.0], "bounds": [[0.5, 1.5]], "auxdata": [1.0], "sigmas": [0.02]}]);
    let lumi = json!({"name": "lumi", "type": "lumi", "data": null});
    add_sample(&mut document, json!({"name": "nothing", "data": [0.0, 0.0], "modifiers": [lumi]}));
    let finding = alone(&document, Code::NoDependence);
    assert_eq!((finding.parameters.as_slice(), finding.severity), (&["lumi".to_owned()][..], Severity::Warning));
}

#[test]
fn parameters_of_interest() {
    let mut document = clean();
    signal(&mut document)["data"] = json!([0.0, 0.0]);
    check(&alone(&document, Code::PoiWithoutEffect), &[("value", 1.0), ("low", 0.0), ("high", 10.0)]);

    let mut document = clean();
    document["measurements"][0]["config"]["poi"] = json!("nu");
    let finding = only(&document, &["no_poi", "unconstrained"], Code::NoPoi);
    assert_eq!(finding.others, ["nu"]);

    let mut document = clean();
    document["measurements"][0]["config"]["parameters"] = json!([{"name": "mu", "inits": [0.0]}]);
    check(&alone(&document, Code::PoiAtBound), &[("value", 0.0), ("low", 0.0), ("in_fit", 0.0)]);
}

/// A strength of zero does not hide what acts on the signal.
#[test]
fn a_strength_of_zero_hides_no_dependence() {
    let mut document = clean();
    add_modifier(signal(&mut document), normsys("of_signal", 1.1, 0.9));
    document["measurements"][0]["config"]["parameters"] = json!([{"name": "mu", "inits": [0.0]}]);
    alone(&document, Code::PoiAtBound);
}

#[test]
fn directions() {
    let document = bare([json!([]), json!([free("mu"), free("k")])]);
    let finding = only(&document, &["degenerate_direction", "unconstrained"], Code::DegenerateDirection);
    assert!(finding.value("eigenvalue") < 1e-12 && finding.value("step").is_infinite());
    let half = 0.5_f64.sqrt();
    assert!((finding.weights[0] - half).abs() < 1e-9 && (finding.weights[1] + half).abs() < 1e-9);

    // I = Σ s sᵀ/ν of two strengths; the correlation of its inverse is −I_mk/√(I_mm I_kk).
    let document = bare([json!([free("k")]), json!([free("mu")])]);
    let (mm, mk, kk) = (25.0 / 55.0 + 25.0 / 65.0, 250.0 / 55.0 + 300.0 / 65.0, 2500.0 / 55.0 + 3600.0 / 65.0);
    let rho: f64 = -mk / f64::sqrt(mm * kk);
    let finding = only(&document, &["correlated_pair", "unconstrained"], Code::CorrelatedPair);
    check(&finding, &[("correlation", rho)]);

    // The eigenvalue 1 − |ρ| passes a threshold of 0.005: moving along it, −2 ln L grows by one at v/√(I r).
    let mut thresholds = Thresholds::default();
    assert!(thresholds.set("information", 0.005) && !thresholds.set("unknown", 1.0));
    let path = scratch("audit_directions.json", &document.to_string());
    let report = json_of(&["audit", path.to_str().unwrap(), "--threshold", "information=0.005", "--format", "json"], 0);
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "degenerate_direction");
    let (r, lead) = (1.0 + rho, finding["parameters"][0].as_str().unwrap());
    let step = half / (if lead == "mu" { mm } else { kk } * r).sqrt();
    assert!((finding["values"]["eigenvalue"].as_f64().unwrap() - r).abs() < 1e-9);
    assert!((finding["values"]["step"].as_f64().unwrap() - step).abs() < 1e-6 * step);
}

/// One bin of 1000 ± 100 with 1300 counted: ln L = n ln ν − ν − α²/2 with ν = 1000 + 100 α.
#[test]
fn with_a_fit() {
    let document = json!({
        "channels": [{"name": "SR", "samples": [{"name": "b", "data": [1000.0], "modifiers": [
            {"name": "size", "type": "histosys", "data": {"hi_data": [1100.0], "lo_data": [900.0]}}]}]}],
        "measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}],
        "observations": [{"name": "SR", "data": [1300.0]}],
        "version": "1.0.0"
    });
    let audit = run(&document, true);
    assert_eq!(words(&audit), ["no_poi", "pulled_nuisance", "constrained_nuisance"]);
    let slope = |a: f64| 130_000.0 / (1000.0 + 100.0 * a) - 100.0 - a;
    let (mut low, mut high) = (0.0, 3.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    let nu = 1000.0 + 100.0 * low;
    let width = (1.0 + 1300.0 * 1e4 / (nu * nu)).sqrt().recip();
    let of_fit = &audit.findings[1];
    assert!((of_fit.value("pull") - low).abs() < 1e-6 && (of_fit.value("constraint") - width).abs() < 1e-6);

    let document = bare([json!([]), json!([free("mu"), free("k")])]);
    assert_eq!(words(&run(&document, true)), ["fit_not_valid", "degenerate_direction", "unconstrained"]);
}

/// Names that would be markup.
fn hostile() -> Value {
    let mut document = clean();
    let name = "<script>alert('x')</script>\"&\u{202e}\n<img src=http://x/y onerror=alert(1)>";
    document["channels"][0]["name"] = json!(name);
    document["observations"][0]["name"] = json!(name);
    document["measurements"][0]["name"] = json!(name);
    background(&mut document)["name"] = json!(name);
    add_modifier(background(&mut document), histosys(name, [52.0, 60.0], [51.0, 60.0]));
    document
}

#[test]
fn the_page_holds_no_markup_of_names_and_nothing_from_elsewhere() {
    let path = scratch("audit_hostile.json", &hostile().to_string());
    let page = path.with_file_name("audit_hostile.html");
    let arguments = ["audit", path.to_str().unwrap(), "--html", page.to_str().unwrap(), "--fit", "--format", "json"];
    let report = json_of(&arguments, 0);
    let validator = jsonschema::validator_for(&json_of(&["schema", "report-audit"], 0)).unwrap();
    let problems: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    for forbidden in ["<script", "<img", "<link", "onerror=alert(1)>", " src=\"", "@import", "url(http", "\u{202e}"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let links: Vec<&str> = html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.iter().all(|link| link.starts_with('#')), "{links:?}");
    // Every mark that is referred to is there, once.
    let ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut each = ids.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!(each.len(), ids.len());
    assert!(links.iter().all(|link| each.binary_search(&&link[1..]).is_ok()));
    assert!(html.contains("&lt;script&gt;"));
    morphist(&arguments);
    assert_eq!(html, std::fs::read_to_string(&page).unwrap(), "the same bytes");
}

#[test]
fn options_and_refusals() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("side", [52.0, 60.0], [51.0, 60.0]));
    add_modifier(background(&mut document), normsys("idle", 1.0, 1.0));
    let path = scratch("audit_options.json", &document.to_string());
    let file = path.to_str().unwrap();
    let report = json_of(&["audit", file], 0);
    assert_eq!((&report["warnings"], &report["notes"]), (&json!(1), &json!(1)));
    let report = json_of(&["audit", file, "--only", "null_effect", "--fail-on", "warning"], 0);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    json_of(&["audit", file, "--fail-on", "warning"], 1);
    json_of(&["audit", file, "--only", "null_effect", "--fail-on", "note"], 1);
    let report = json_of(&["audit", file, "--threshold", "one-sided=0.03"], 0);
    assert_eq!(report["warnings"], 0);
    for wrong in [["--threshold", "size=1"], ["--threshold", "pull=-1"], ["--only", "W001"], ["--fail-on", "error"]] {
        assert_eq!(morphist(&[&["audit", file], &wrong[..]].concat()).status.code(), Some(2), "{wrong:?}");
    }
    let text = stdout(&morphist(&["audit", file, "--format", "table"]));
    assert!(text.contains("warning[one_sided]") && text.contains("bin 0: nominal 50, at +1σ 52, at −1σ 51"), "{text}");

    let page = path.with_file_name("audit_none.html");
    let densities = "tests/hs3/free_mean.json";
    let output = morphist(&["audit", densities, "--analysis", "search", "--html", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no channel"), "{}", stderr(&output));
    assert!(!page.exists());
}

/// The same likelihood as HS3 has the same findings; its pointers are those of its own document.
#[test]
fn hs3_documents() {
    let mut document = clean();
    add_modifier(background(&mut document), histosys("side", [52.0, 60.0], [51.0, 60.0]));
    background(&mut document)["modifiers"][2]["data"] = json!([2.0, 0.0]);
    let path = scratch("audit_hs3_source.json", &document.to_string());
    let converted = path.with_file_name("audit_hs3.json");
    let arguments = ["convert", path.to_str().unwrap(), "--to", "hs3", "--output-file", converted.to_str().unwrap()];
    let output = morphist(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let written = common::read_json(&converted);
    let (of_workspace, of_hs3) =
        (json_of(&["audit", path.to_str().unwrap()], 0), json_of(&["audit", converted.to_str().unwrap()], 0));
    let parts = |report: &Value| -> Vec<Value> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|f| json!([f["code"], f["severity"], f["bins"], f["values"], f["types"]])).collect()
    };
    assert_eq!(parts(&of_workspace), parts(&of_hs3));
    assert_eq!(parts(&of_hs3).len(), 2);
    for finding in of_hs3["findings"].as_array().unwrap() {
        let pointer = finding["pointer"].as_str().unwrap();
        assert!(pointer.starts_with("/distributions/") && written.pointer(pointer).is_some(), "{pointer}");
        assert_eq!(written.pointer(pointer).unwrap()["type"], finding["types"][0]);
    }
}

/// Pointers lead to what is named, on published likelihoods, and nothing fails on any.
#[test]
fn published_likelihoods() {
    let Some(root) = common::corpus("published_likelihoods") else { return };
    for file in ["SUSY-2018-31_sbottom/full_b_bkg.json", "SUSY-2018-05_2Ljets/full_ewk_high_bkg.json"] {
        let path = root.join("corpus/pyhf").join(file);
        let document = common::read_json(&path);
        let report = json_of(&["audit", path.to_str().unwrap(), "--format", "json"], 0);
        for finding in report["findings"].as_array().unwrap() {
            let Some(at) = finding["pointer"].as_str().and_then(|pointer| document.pointer(pointer)) else {
                assert!(finding["pointer"].is_null(), "{finding}");
                continue;
            };
            if let (Some(name), Some(own)) = (finding["modifier"].as_str(), at.get("type")) {
                assert_eq!(at["name"], name);
                let types = finding["types"].as_array().unwrap();
                assert!(types.is_empty() || types.contains(own), "{finding}");
            }
        }
    }
}
