//! `convert`: what single readers need, and what they cannot have is told. Numbers are closed forms or those of the pyhf
//! path, whose own are those of pyhf 0.7.6 (tests/histfactory/evaluate.rs).

use crate::common;

use common::program::{morphist, scratch, stderr};
use morphist::convert::{Converted, Target, hs3_to_hs3, hs3_to_pyhf, pyhf_to_hs3};
use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::workspace::Workspace;
use morphist::finding::Findings;
use morphist::kernel::Evaluator;
use morphist::model::{Constraint, Data, Model};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};

const ALL: [Target; 3] = [Target::Canonical, Target::Root640, Target::Pyhs3];

/// Two samples, of which the second has the modifiers; two bins.
fn workspace(modifiers: Value, measurements: Value) -> Value {
    let mu = json!({"name": "mu", "type": "normfactor", "data": null});
    json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "s", "data": [10.0, 5.0], "modifiers": [mu]},
            {"name": "b", "data": [50.0, 30.0], "modifiers": modifiers}]}],
        "observations": [{"name": "SR", "data": [62.0, 40.0]}],
        "measurements": measurements,
        "version": "1.0.0"
    })
}

fn measurement(name: &str, parameters: Value) -> Value {
    json!({"name": name, "config": {"poi": "mu", "parameters": parameters}})
}

fn normsys(name: &str, hi: f64, lo: f64) -> Value {
    json!({"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}})
}

fn converted(workspace: &Value, target: Target) -> Converted {
    let workspace: Workspace = serde_json::from_value(workspace.clone()).unwrap();
    pyhf_to_hs3(&workspace, &ModelOptions::default(), target).unwrap_or_else(|findings| panic!("{findings}"))
}

fn read(value: &Value) -> Hs3Document {
    Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|findings| panic!("{findings}"))
}

fn likelihood(value: &Value, analysis: &str) -> Hs3Likelihood {
    let options = Hs3Options { analysis: Some(analysis.to_owned()), ..Hs3Options::default() };
    from_hs3::likelihood(&read(value), &options).unwrap_or_else(|findings| panic!("{findings}"))
}

fn twice_nll(model: &Model, data: &Data, point: &[(&str, f64)]) -> f64 {
    let program = Program::compile(model);
    let mut theta = model.init();
    for (i, name) in model.parameter_names().iter().enumerate() {
        if let Some((_, value)) = point.iter().find(|(own, _)| own == name) {
            theta[i] = *value;
        }
    }
    Evaluator::new(&program).twice_nll(&theta, &program.prepare(data))
}

/// A workspace's own number.
fn of_workspace(workspace: &Value, measurement: &str, point: &[(&str, f64)]) -> f64 {
    let workspace: Workspace = serde_json::from_value(workspace.clone()).unwrap();
    let options = ModelOptions { measurement: Some(measurement.to_owned()), ..ModelOptions::default() };
    let model = from_pyhf::model(&workspace, &options).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    twice_nll(&model, &data, point)
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * b.abs().max(10.0), "{a} and {b}");
}

fn rules(losses: &Findings) -> Vec<&'static str> {
    losses.0.iter().map(|loss| loss.rule).collect()
}

/// Auxiliary data of a later measurement are lost in pyhs3 as those of the first are, and told.
#[test]
fn pyhs3_has_no_auxiliary_data_in_any_measurement() {
    let shifted = measurement("m2", json!([{"name": "n", "auxdata": [0.3]}]));
    let both = workspace(json!([normsys("n", 1.21, 0.71)]), json!([measurement("m", json!([])), shifted]));
    let losses = converted(&both, Target::Pyhs3).losses.0;
    assert_eq!(rules(&losses), ["W460"], "{losses}");
    assert!(losses.0[0].found.contains("at 0.3 of width 1 on \"n\" in the analysis \"m2\""), "{losses}");
    // The standard has a point for each.
    let standard = converted(&both, Target::Canonical);
    assert!(standard.losses.0.0.is_empty(), "{}", standard.losses.0);
    let point = [("mu", 1.3), ("n", 0.8)];
    for name in ["m", "m2"] {
        let own = likelihood(&standard.document, name);
        near(twice_nll(&own.model, &own.data, &point), of_workspace(&both, name, &point));
    }
}

/// A parameter may be called as the observable of another's constraint.
#[test]
fn a_parameter_is_no_observable() {
    let modifiers = json!([normsys("n", 1.21, 0.71), normsys("nom_n", 1.11, 0.93)]);
    let inits = json!([{"name": "nom_n", "inits": [0.7]}]);
    let own = workspace(modifiers, json!([measurement("m", inits)]));
    let point = [("mu", 1.3), ("n", 0.8), ("nom_n", -0.4)];
    for target in ALL {
        let converted = converted(&own, target);
        assert!(converted.losses.0.is_valid(), "{target}: {}", converted.losses.0);
        let read = likelihood(&converted.document, "m");
        near(twice_nll(&read.model, &read.data, &point), of_workspace(&own, "m", &point));
        let constraints = read.model.constraints();
        for constraint in constraints.iter().flatten() {
            assert_eq!(*constraint, Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 }, "{target}");
        }
    }
}

/// ROOT reads six digits of a number that stands where a name could: the others come by way of a function.
#[test]
fn root_gets_all_digits() {
    let lumi = json!([{"name": "lumi", "auxdata": [1.023456789], "sigmas": [0.0123456789], "bounds": [[0.5, 1.5]],
        "inits": [1.0]}]);
    let own = workspace(json!([{"name": "lumi", "type": "lumi", "data": null}]), json!([measurement("m", lumi)]));
    let converted = converted(&own, Target::Root640);
    assert!(converted.losses.0.is_valid(), "{}", converted.losses.0);
    let constraint = &converted.document["distributions"][1];
    assert_eq!((&constraint["type"], &constraint["sigma"]), (&json!("gaussian_dist"), &json!("lumi_constraint_sigma")));
    let function = json!({"name": "lumi_constraint_sigma", "type": "generic_function", "expression": "0.0123456789"});
    assert_eq!(converted.document["functions"], json!([function]));
    let read = likelihood(&converted.document, "m");
    let constraints = read.model.constraints();
    let expected = Constraint::Gaussian { auxdata: 1.023456789, sigma: 0.0123456789 };
    assert_eq!(constraints.iter().flatten().collect::<Vec<_>>(), [&expected]);
}

/// pyhs3 makes constants of the smallest type that holds them, and takes logarithms in that (seen in pyhs3 0.4.2: 5·10⁻⁸
/// of −ln L for a side of 0.75); it has no number for an expectation of zero.
#[test]
fn pyhs3_computes_in_double_precision() {
    let mut own = workspace(
        json!([normsys("a", 1.25, 0.75), normsys("b", 1.1, 1.0), normsys("c", 1.3, 0.5)]),
        json!([measurement("m", json!([]))]),
    );
    own["channels"][0]["samples"][0]["data"][1] = json!(0.0);
    own["channels"][0]["samples"][1]["data"][1] = json!(0.0);
    own["observations"][0]["data"][1] = json!(0.0);
    let converted = converted(&own, Target::Pyhs3);
    assert_eq!(rules(&converted.losses.0), ["W463", "W463"], "{}", converted.losses.0);
    assert!(converted.losses.0.0[1].found.starts_with("3 sides"), "{}", converted.losses.0);
    let samples = &converted.document["distributions"][0]["samples"];
    let side = |i: usize, key: &str| samples[1]["modifiers"][i]["data"][key].as_f64().unwrap();
    for (found, written) in [(side(0, "hi"), 1.25_f64), (side(0, "lo"), 0.75), (side(2, "lo"), 0.5)] {
        assert_eq!(found, written.next_up());
        assert_ne!(f64::from(found as f32), found);
    }
    assert_eq!((side(1, "hi"), side(1, "lo")), (1.1, 1.0));
    assert_eq!(samples[2], json!({"name": "no_yield", "data": {"contents": [0.0, 1e-100]}, "modifiers": []}));
    let point = [("mu", 1.3), ("a", 0.8), ("c", -0.3)];
    let read = likelihood(&converted.document, "m");
    near(twice_nll(&read.model, &read.data, &point), of_workspace(&own, "m", &point));
    // Others have no need of it.
    for target in [Target::Canonical, Target::Root640] {
        assert!(self::converted(&own, target).losses.0.0.is_empty(), "{target}");
    }
}

/// A channel of one bin in ROOT's words, with a Gaussian constraint of α whose observable ends at −2 and 2.
fn of_root() -> Value {
    let axis = json!({"name": "obs_x_SR", "min": 0.0, "max": 1.0, "nbins": 1});
    json!({
        "metadata": {"hs3_version": "0.2", "packages": [{"name": "ROOT", "version": "6.40.00"}], "description": "Ours"},
        "distributions": [
            {"name": "model_SR", "type": "histfactory_dist", "axes": [axis], "samples": [
                {"name": "s", "data": {"contents": [10.0]}, "modifiers": [
                    {"name": "mu", "parameter": "mu", "type": "normfactor"},
                    {"name": "n", "parameter": "alpha_n", "type": "normsys", "constraint_name": "alpha_nConstraint",
                        "data": {"hi": 1.1, "lo": 0.9}},
                    {"name": "n", "parameter": "beta", "type": "normsys", "constraint_name": "betaConstraint",
                        "data": {"hi": 1.2, "lo": 0.7}}]}]},
            {"name": "alpha_nConstraint", "type": "gaussian_dist", "x": "alpha_n", "mean": "nom_alpha_n", "sigma": 1.0},
            {"name": "betaConstraint", "type": "gaussian_dist", "x": "beta", "mean": "nom_beta", "sigma": 1.0}],
        "data": [
            {"name": "obsData_SR", "type": "binned", "axes": [axis], "contents": [12.0]},
            {"name": "asimovData_SR", "type": "binned", "axes": [axis], "contents": [10.0]}],
        "likelihoods": [
            {"name": "simPdf_obsData", "distributions": ["model_SR"], "data": ["obsData_SR"]},
            {"name": "simPdf_asimovData", "distributions": ["model_SR"], "data": ["asimovData_SR"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [
            {"name": "mu", "min": 0.0, "max": 5.0}, {"name": "alpha_n", "min": -5.0, "max": 5.0},
            {"name": "beta", "min": -5.0, "max": 5.0}, {"name": "nom_alpha_n", "min": -2.0, "max": 2.0},
            {"name": "nom_beta"}]}],
        "parameter_points": [{"name": "default_values", "parameters": [
            {"name": "mu", "value": 1.0}, {"name": "alpha_n", "value": 0.0}, {"name": "beta", "value": 0.0},
            {"name": "nom_alpha_n", "value": 0.0, "const": true}, {"name": "nom_beta", "value": 0.0, "const": true}]},
            {"name": "snapshot", "parameters": [{"name": "mu", "value": 2.0}]}],
        "analyses": [
            {"name": "a", "likelihood": "simPdf_obsData", "parameters_of_interest": ["mu"], "domains": ["default_domain"]},
            {"name": "b", "likelihood": "simPdf_asimovData", "parameters_of_interest": ["mu"],
                "domains": ["default_domain"]}]
    })
}

fn change(value: &Value, analysis: &str, target: Target) -> Converted {
    let options = Hs3Options { analysis: Some(analysis.to_owned()), ..Hs3Options::default() };
    hs3_to_hs3(value, &read(value), &options, target).unwrap_or_else(|findings| panic!("{findings}"))
}

/// ROOT normalises constraints over the ranges of their observables as it reads them (seen in ROOT 6.40.00,
/// tests/peer/convert_words.py): from ROOT to ROOT nothing is lost. Elsewhere they have no ranges.
#[test]
fn ranges_of_constraints_stay_in_root() {
    let (value, point) = (of_root(), [("mu", 1.2), ("alpha_n", 1.5), ("beta", 0.4)]);
    let converted = change(&value, "a", Target::Root640);
    assert!(converted.losses.0.is_valid(), "{}", converted.losses.0);
    let (before, after) = (likelihood(&value, "a"), likelihood(&converted.document, "a"));
    let found = twice_nll(&after.model, &after.data, &point);
    near(found, twice_nll(&before.model, &before.data, &point));
    // ln of the mass of N(1.5, 1) between −2 and 2: Φ(0.5) − Φ(−3.5).
    let mass = 0.691_462_461_274_013_1 - 0.000_232_629_079_035_525;
    let lost = change(&value, "a", Target::Canonical);
    assert_eq!(rules(&lost.losses.0).iter().filter(|rule| **rule == "W465").count(), 1, "{}", lost.losses.0);
    let without = likelihood(&lost.document, "a");
    near(found, twice_nll(&without.model, &without.data, &point) + 2.0 * f64::ln(mass));
}

/// What the chosen likelihood does not use is named, and descriptions go along.
#[test]
fn what_is_left_out_is_named() {
    let value = of_root();
    for target in ALL {
        let converted = change(&value, "a", target);
        let dropped: Vec<&str> =
            converted.losses.0.0.iter().filter(|l| l.rule == "W464").map(|l| l.found.as_str()).collect();
        let expected = [
            "the likelihoods \"simPdf_asimovData\"",
            "the analyses \"b\"",
            "the data \"asimovData_SR\"",
            "the parameter points \"snapshot\"",
        ];
        assert_eq!(dropped, expected, "{target}");
        assert_eq!(converted.document["metadata"]["description"], "Ours");
    }
    let options = Hs3Options { analysis: Some("a".to_owned()), ..Hs3Options::default() };
    let workspace = hs3_to_pyhf(&read(&value), &options).unwrap();
    let found: Vec<&str> = workspace.losses.0.0.iter().map(|l| l.found.as_str()).collect();
    assert!(found.contains(&"the members \"description\""), "{found:?}");
}

/// pyhs3 asks for a name of its own for each modifier of a type and a sample.
#[test]
fn modifiers_get_names_of_their_own() {
    let mut value = of_root();
    value["domains"][0]["axes"][3] = json!({"name": "nom_alpha_n"});
    let converted = change(&value, "a", Target::Pyhs3);
    assert!(converted.losses.0.is_valid(), "{}", converted.losses.0);
    let modifiers = converted.document["distributions"][0]["samples"][0]["modifiers"].as_array().unwrap();
    let names: Vec<_> =
        modifiers.iter().map(|m| (m["name"].as_str().unwrap(), m["parameter"].as_str().unwrap())).collect();
    assert_eq!(names, [("mu", "mu"), ("n", "alpha_n"), ("n_2", "beta")]);
    let renamed = converted.losses.0.0.iter().find(|l| l.rule == "W463").unwrap();
    assert!(renamed.found.contains("a second normsys \"n\" of \"s\""), "{renamed}");
}

/// A density over events is no channel, whatever else is to be said of it.
#[test]
fn densities_are_no_workspace() {
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [{"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}],
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": -5.0, "max": 5.0}], "entries": [[0.3]]}],
        "likelihoods": [{"name": "l", "distributions": ["g"], "data": ["d"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [{"name": "m", "min": -1.0, "max": 1.0}]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "m", "value": 0.0}]}]
    });
    let input = scratch("densities.json", &value.to_string());
    let done = morphist(&["convert", input.to_str().unwrap(), "--to", "pyhf", "--allow-loss"]);
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    let text = stderr(&done);
    assert!(text.contains("W460") && text.contains("\"g\", a density over events"), "{text}");
    assert!(text.contains("/likelihoods/0/distributions/0") && !text.contains("W110"), "{text}");
}

/// Densities over events that pyhs3 takes in another way (seen in pyhs3 0.4.2, tests/peer/convert_to_pyhs3.py).
#[test]
fn what_pyhs3_means_otherwise_is_told() {
    let document = |distributions: Value, binned: bool| {
        let mut axis = json!({"name": "x", "min": 0.5, "max": 5.0});
        let mut data = json!({"name": "d", "type": "unbinned", "axes": [axis], "entries": [[0.7], [2.0]]});
        if binned {
            axis["nbins"] = json!(2);
            data = json!({"name": "d", "type": "binned", "axes": [axis], "contents": [1.0, 3.0]});
        }
        json!({
            "metadata": {"hs3_version": "0.2"},
            "distributions": distributions,
            "functions": [{"name": "shifted", "type": "sum", "summands": ["m", 0.25]}],
            "data": [data],
            "likelihoods": [{"name": "l", "distributions": ["f"], "data": ["d"]}],
            "domains": [{"name": "ranges", "type": "product_domain", "axes": [{"name": "m", "min": 0.1, "max": 4.0}]}],
            "parameter_points": [{"name": "start", "parameters": [{"name": "m", "value": 1.0}]}],
            "analyses": [{"name": "a", "likelihood": "l", "parameters_of_interest": ["m"]}]
        })
    };
    let gauss = |name: &str| json!({"name": name, "type": "gaussian_dist", "x": "x", "mean": "shifted", "sigma": 1.5});
    let poisson = json!({"name": "f", "type": "poisson_dist", "x": "x", "mean": "m"});
    let product = json!({"name": "f", "type": "product_dist", "factors": ["g", "h"]});
    let extended = json!({"name": "f", "type": "mixture_dist", "summands": ["g", "h"], "coefficients": ["m", 2.0]});
    let cases = [
        (json!([gauss("f")]), false, vec![]),
        (json!([gauss("f")]), true, vec!["W460"]),
        (json!([poisson]), false, vec!["W460"]),
        (json!([product, gauss("g"), gauss("h")]), false, vec!["W460"]),
        (json!([extended, gauss("g"), gauss("h")]), false, vec!["W462"]),
    ];
    for (distributions, binned, expected) in cases {
        let value = document(distributions, binned);
        let converted = hs3_to_hs3(&value, &read(&value), &Hs3Options::default(), Target::Pyhs3).unwrap();
        assert_eq!(rules(&converted.losses.0), expected, "{value}: {}", converted.losses.0);
        // It takes names alone, values of a point, and an analysis with domains.
        assert_eq!(converted.document["functions"][0]["summands"], json!(["m", "shifted_summands_1"]));
        let constant = json!({"name": "shifted_summands_1", "value": 0.25, "const": true});
        assert!(converted.document["parameter_points"][0]["parameters"].as_array().unwrap().contains(&constant));
        let analysis = &converted.document["analyses"][0];
        assert_eq!((&analysis["init"], &analysis["domains"]), (&json!("start"), &json!(["ranges"])));
    }
}

/// The widths of a shapesys are its own data again, and auxiliary data belong to the parameter and the measurement that had
/// them.
#[test]
fn auxiliary_data_and_widths_come_back() {
    let shapesys = json!({"name": "u", "type": "shapesys", "data": [5.0, 6.0]});
    let modifiers = json!([normsys("k", 1.1, 0.9), normsys("n", 1.2, 0.7), shapesys]);
    let shifted = measurement("m2", json!([{"name": "n", "auxdata": [0.3]}]));
    let own = workspace(modifiers, json!([measurement("m", json!([])), shifted]));
    let standard = converted(&own, Target::Canonical);
    let back = hs3_to_pyhf(&read(&standard.document), &Hs3Options::default()).unwrap();
    assert!(back.losses.0.is_valid(), "{}", back.losses.0);
    let modifiers = &back.document["channels"][0]["samples"][1]["modifiers"];
    for (bin, width) in [5.0, 6.0].into_iter().enumerate() {
        near(modifiers[2]["data"][bin].as_f64().unwrap(), width);
    }
    let parameters = |i: usize| back.document["measurements"][i]["config"]["parameters"].clone();
    assert_eq!((parameters(0), parameters(1)), (json!([]), json!([{"name": "n", "auxdata": [0.3]}])));
}

/// Losses are told in words.
#[test]
fn losses_speak() {
    let modifiers =
        json!([{"name": "h", "type": "histosys", "data": {"hi_data": [51.0, 32.0], "lo_data": [49.0, 29.0]}}]);
    let shifted = json!([{"name": "h", "auxdata": [0.25]}]);
    let own: Workspace = serde_json::from_value(workspace(modifiers, json!([measurement("m", shifted)]))).unwrap();
    let options = ModelOptions { histosys: morphist::model::HistosysCode::Code2, ..ModelOptions::default() };
    let losses = pyhf_to_hs3(&own, &options, Target::Pyhs3).unwrap().losses.0;
    let found: Vec<&str> = losses.0.iter().map(|l| l.found.as_str()).collect();
    assert_eq!(
        found,
        ["a Gaussian constraint at 0.25 of width 1 on \"h\"", "interpolation code 2 of the histosys \"h\""]
    );
}

/// ROOT makes variables of what domains and points declare; a parameter of interest that is nowhere ends it.
#[test]
fn root_knows_all_variates() {
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [{"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1}],
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 10}], "entries": [[4.0]]}],
        "likelihoods": [{"name": "L", "distributions": ["g"], "data": ["d"]}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu", "m"]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "m", "value": 5}]}]});
    let Converted { document, losses } = change(&value, "A", Target::Root640);
    assert_eq!(rules(&losses.0), ["W464", "W463"], "{}", losses.0);
    assert_eq!(document["analyses"][0]["parameters_of_interest"], json!(["m"]));
    let axes = &document["domains"][0]["axes"];
    assert_eq!((&axes[0]["name"], &axes[0]["min"], &axes[0]["max"]), (&json!("x"), &json!(0.0), &json!(10.0)));
    assert_eq!(document["parameter_points"][0]["parameters"][1], json!({"name": "x", "value": 5.0}));
}

/// Two samples have factors of bins of one name, of which ROOT would take the first list for both, and only functions have θ,
/// whose constraint ROOT normalises where a modifier names it. ROOT 6.40.00 gives what is written −ln L as below (its
/// ModelConfig's createNLL); with the names as they were it has 16.5944.
#[test]
fn factors_of_bins_and_constraints_are_written_as_root_finds_them() {
    let axes = json!([{"name": "x", "edges": [0, 1, 2, 3]}]);
    let factors = |list: [&str; 3]| json!({"name": "ff", "type": "shapefactor", "parameters": list});
    let normsys = json!({"name": "a", "type": "normsys", "parameter": "alpha", "constraint": "ca", "data": {"lo": 0.9, "hi": 1.1}});
    let free = |name: &str, value: f64| json!({"name": name, "value": value});
    let observed = |name: &str| json!({"name": name, "value": 0.0, "const": true});
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "model_c", "type": "histfactory_dist", "axes": axes, "samples": [
                {"name": "s", "data": {"contents": [10, 20, 30]}, "modifiers":
                    [{"name": "mu", "type": "normfactor", "parameter": "mu"}, factors(["f1", "f2", "f1"])]},
                {"name": "b", "data": {"contents": [50, 60, 5]}, "modifiers": [normsys, factors(["f2", "f2", "f1"])]}]},
            {"name": "ct", "type": "gaussian_dist", "x": "nt", "mean": "theta", "sigma": 1},
            {"name": "ca", "type": "gaussian_dist", "x": "na", "mean": "alpha", "sigma": 1}],
        "functions": [
            {"name": "f1", "type": "generic_function", "expression": "1+0.1*theta"},
            {"name": "f2", "type": "generic_function", "expression": "1-0.05*theta"}],
        "data": [{"name": "d", "type": "binned", "axes": axes, "contents": [65, 78, 30]}],
        "likelihoods": [{"name": "L", "distributions": ["model_c"], "data": ["d"], "aux_distributions": ["ct"]}],
        "parameter_points": [{"name": "default_values", "parameters": [free("mu", 1.0), free("theta", 0.0),
            free("alpha", 0.0), observed("nt"), observed("na")]}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu"]}]});
    let Converted { document, losses } = change(&value, "A", Target::Root640);
    assert_eq!(rules(&losses.0), ["W463", "W463"], "{}", losses.0);
    let samples = &document["distributions"][0]["samples"];
    assert_eq!(samples[0]["modifiers"][1]["name"], "ff");
    assert_eq!(samples[1]["modifiers"][1]["name"], "ff_2");
    let attached = &samples[0]["modifiers"][2];
    assert_eq!((&attached["type"], &attached["constraint_name"]), (&json!("normfactor"), &json!("theta_constraint")));
    // One constraint, although two places name it.
    let own = likelihood(&document, "A");
    let point = [("mu", 1.3), ("theta", 1.2), ("alpha", 0.5)];
    near(twice_nll(&own.model, &own.data, &point), 2.0 * 16.112980650251017);
    // A canonical document keeps both as they are.
    let canonical = change(&value, "A", Target::Canonical);
    assert_eq!(canonical.document["distributions"][0]["samples"][1]["modifiers"][1]["name"], "ff");
}

/// A channel of two bins for ROOT, with these modifiers of its sample and further components.
fn for_root(errors: Value, modifiers: Value, distributions: Value, functions: Value, parameters: Value) -> Converted {
    let axes = json!([{"name": "x", "min": 0, "max": 2, "nbins": 2}]);
    let mut all = vec![json!({"name": "model_c", "type": "histfactory_dist", "axes": axes, "samples": [
        {"name": "s", "data": {"contents": [40, 10], "errors": errors}, "modifiers": modifiers}]})];
    all.extend(distributions.as_array().unwrap().iter().cloned());
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": all,
        "functions": functions,
        "data": [{"name": "d", "type": "binned", "axes": axes, "contents": [41, 12]}],
        "likelihoods": [{"name": "L", "distributions": ["model_c"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": parameters}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu"]}]});
    change(&value, "A", Target::Root640)
}

/// ROOT 6.40.00 takes √n for the error of a bin that has none: such a staterror is written as a shapesys, whose bins without
/// width have no constraint there. A function of a variate needs it in a domain, and code 6 of normsys is none of ROOT's.
#[test]
fn what_root_would_read_as_something_else() {
    let mu = json!({"name": "mu", "type": "normfactor", "parameter": "mu"});
    let staterror =
        json!({"name": "stat", "type": "staterror", "parameters": ["g0", "g1"], "constraint_type": "Gauss"});
    let start =
        |names: &[&str]| json!(names.iter().map(|name| json!({"name": name, "value": 1.0})).collect::<Vec<_>>());
    let kind = |errors: Value| {
        let point = start(&["mu", "g0", "g1"]);
        let converted = for_root(errors, json!([mu, staterror]), json!([]), json!([]), point);
        converted.document["distributions"][0]["samples"][0]["modifiers"][1]["type"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind(json!([2.0, 1.0])), "staterror");
    assert_eq!(kind(json!([0.0, 1.0])), "shapesys");

    let custom = json!({"name": "slope-x", "type": "custom"});
    let slope = json!([{"name": "slope-x", "type": "generic_function", "expression": "1+a*x"}]);
    let converted = for_root(json!([1.0, 1.0]), json!([mu, custom]), json!([]), slope, start(&["mu", "a"]));
    assert!(converted.losses.0.is_valid(), "{}", converted.losses.0);
    let axes = converted.document["domains"][0]["axes"].as_array().unwrap();
    assert!(axes.contains(&json!({"name": "x", "min": 0.0, "max": 2.0})), "{axes:?}");
    assert_eq!(converted.document["functions"][0]["name"], "slope_x");
    assert_eq!(converted.document["distributions"][0]["samples"][0]["modifiers"][1]["name"], "slope_x");

    let normsys = |code: i64| {
        json!({"name": "k", "type": "normsys", "parameter": "k", "constraint": "c", "interpolation": code,
            "data": {"lo": 0.8, "hi": 1.34}})
    };
    let constraint = json!([{"name": "c", "type": "gaussian_dist", "x": "nom", "mean": "k", "sigma": 1}]);
    let mut point = start(&["mu"]);
    point.as_array_mut().unwrap().push(json!({"name": "k", "value": 0.0}));
    point.as_array_mut().unwrap().push(json!({"name": "nom", "value": 0.0, "const": true}));
    let losses = |code: i64| {
        let modifiers = json!([mu, normsys(code)]);
        rules(&for_root(json!([1.0, 1.0]), modifiers, constraint.clone(), json!([]), point.clone()).losses.0)
    };
    assert_eq!(losses(2), Vec::<&str>::new());
    assert_eq!(losses(6), ["W460"]);
}
