//! Public HistFactory channels in HS3 against ROOT 6.40.00 and pyhs3 0.4.2, by the conventions of each
//! (`tests/peer/hs3_public.py` has recorded their numbers).

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::report::by_name;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use serde_json::{Value, json};
use std::path::Path;

fn likelihood(value: &Value, dialect: Option<&str>, name: &str) -> Hs3Likelihood {
    let options = ReadOptions { dialect: dialect.map(|d| d.parse().unwrap()), strict: false };
    let document = Hs3Document::from_value(value, &options).unwrap_or_else(|f| panic!("{f}"));
    let options = Hs3Options { likelihood: Some(name.to_owned()), ..Hs3Options::default() };
    from_hs3::likelihood(&document, &options).unwrap_or_else(|f| panic!("{name}: {f}"))
}

#[test]
fn channels_of_root_and_pyhs3() {
    let Some(directory) = common::directory("hs3/public") else { return };
    let recorded = common::read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hs3/public.json"));
    let points = recorded["points"].as_array().unwrap();
    assert_eq!(points.len(), 24);
    for point in points {
        let text = |key: &str| point[key].as_str().unwrap();
        let value = common::read_json(&directory.join(format!("{}.json", text("file"))));
        let Hs3Likelihood { model, data, .. } = likelihood(&value, Some(text("dialect")), text("likelihood"));
        let settings = by_name::read(&model, &point["parameters"]).unwrap();
        assert!(settings.missing.is_empty(), "{:?}", settings.missing);
        let theta: Vec<f64> = settings.values.iter().map(|(_, x)| *x).collect();
        let program = Program::compile(&model);
        let own = 0.5 * Evaluator::new(&program).twice_nll(&theta, &program.prepare(&data));
        let want = point["nll"].as_f64().unwrap();
        assert!((own - want).abs() < 1e-9, "{} as {}: {own} and {want}", text("file"), text("dialect"));
    }
}

/// A normsys without the name of a parameter: the modifier's own, where the document declares that alone; ROOT puts
/// `alpha_` before it (run: it has `alpha_alpha_syst1` of this file).
#[test]
fn parameters_by_the_name_of_the_modifier() {
    let Some(directory) = common::directory("hs3/public/JuliaHEP+HS3.jl") else { return };
    let value = common::read_json(&directory.join("example__histfactory_hl.json"));
    let names = |dialect| {
        let model = likelihood(&value, dialect, "main_likelihood").model;
        let dangling = model.warnings.0.iter().filter(|f| f.rule == "W419" && f.found.contains("syst")).count();
        (model.parameter_names().iter().filter(|name| name.starts_with("alpha_syst")).count(), dangling)
    };
    assert_eq!((names(None), names(Some("root"))), ((3, 0), (0, 3)));
}

/// Lenient: 1, with a warning. Strict: an error, whether channels or densities need it.
#[test]
fn names_that_nothing_declares() {
    let axes = json!([{"name": "x", "min": 0, "max": 10}]);
    let mut document = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [{"name": "p", "type": "gaussian_dist", "x": "x", "mean": "mean", "sigma": "sgima"}],
        "data": [{"name": "d", "type": "unbinned", "axes": axes, "entries": [[3.0], [4.5]]}],
        "likelihoods": [{"name": "l", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "mean", "value": 3.5},
            {"name": "sigma", "value": 2.0}]}],
    });
    let found = |document: &Value, strict: bool| {
        let read = Hs3Document::from_value(document, &ReadOptions { strict, ..ReadOptions::default() }).unwrap();
        let options = Hs3Options { strict, ..Hs3Options::default() };
        match from_hs3::likelihood(&read, &options) {
            Ok(likelihood) => (true, likelihood.model.warnings),
            Err(findings) => (false, findings),
        }
    };
    let (sound, warnings) = found(&document, false);
    assert!(sound && warnings.0.iter().any(|f| f.rule == "W419" && f.found.contains("sgima")), "{warnings}");
    let (sound, findings) = found(&document, true);
    assert!(!sound && findings.0.iter().any(|f| f.rule == "W419" && f.found.contains("sgima")), "{findings}");
    document["distributions"][0]["sigma"] = json!("sigma");
    assert!(found(&document, true).0);
}
