//! Documents combined in tests, and their −2 ln L as a sum.
#![allow(dead_code)] // each test file uses its part

use super::Random;
use morphist::document::workspace::Workspace;
use morphist::document::{Document, Limits};
use morphist::finding::number;
use morphist::kernel::Evaluator;
use morphist::model::{Constraint, Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::combine::{Combined, Join, Options, Told, combine};
use serde_json::{Value, json};

pub fn document(name: &str, value: &Value) -> Document {
    Document::from_slice(name, value.to_string().into_bytes(), &Limits::default()).unwrap()
}

/// Findings as `document rule pointer found`.
pub fn told(all: &[Told]) -> Vec<String> {
    let line = |name: &str, f: &morphist::finding::Finding| {
        format!("{name} {} {} {}", f.rule, f.pointer.as_deref().unwrap_or_default(), f.found)
    };
    let lines = all.iter().map(|told| (told.name.as_deref().unwrap_or("result"), &told.findings.0));
    lines.flat_map(|(name, findings)| findings.iter().map(move |f| line(name, f))).collect()
}

pub fn merged(join: Join, a: &Value, b: &Value) -> Result<Combined, Vec<String>> {
    // Twins have the samples of each other, and bins without counts.
    let options = Options { join, allow_same_data: true, ..Options::default() };
    combine(&[document("a", a), document("b", b)], &options).map_err(|all| told(&all))
}

/// The same document with other names of channels and of the parameters that belong to single bins, and with other data.
pub fn twin(document: &Value, suffix: &str) -> Value {
    let mut twin = document.clone();
    let mut renamed = Vec::new();
    let rename = |value: &mut Value| *value = json!(format!("{}{suffix}", value.as_str().unwrap()));
    for channel in twin["channels"].as_array_mut().unwrap() {
        rename(&mut channel["name"]);
        for sample in channel["samples"].as_array_mut().unwrap() {
            for modifier in sample["modifiers"].as_array_mut().unwrap() {
                if ["shapesys", "staterror", "shapefactor"].contains(&modifier["type"].as_str().unwrap()) {
                    renamed.push(modifier["name"].clone());
                    rename(&mut modifier["name"]);
                }
            }
        }
    }
    for observation in twin["observations"].as_array_mut().unwrap() {
        rename(&mut observation["name"]);
        for (i, count) in observation["data"].as_array_mut().unwrap().iter_mut().enumerate() {
            let n = count.as_f64().unwrap();
            // Where nothing is expected nothing may be seen.
            *count = json!(if n > 0.0 { n + (1 + i % 3) as f64 } else { n });
        }
    }
    for measurement in twin["measurements"].as_array_mut().unwrap() {
        for config in measurement["config"]["parameters"].as_array_mut().unwrap() {
            if renamed.contains(&config["name"]) {
                rename(&mut config["name"]);
            }
        }
    }
    twin
}

pub fn build(document: &Value) -> (Model, Data) {
    let workspace = Workspace::from_value(document).unwrap_or_else(|f| panic!("{f}"));
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

pub fn twice_nll((model, data): &(Model, Data), point: &[f64]) -> f64 {
    let program = Program::compile(model);
    Evaluator::new(&program).twice_nll(point, &program.prepare(data))
}

/// −2 ln of spec/constraints.md, eq. 1.
fn constraint_term(constraint: &Constraint, value: f64) -> f64 {
    let Constraint::Gaussian { auxdata, sigma } = *constraint else { panic!("a shared Poisson constraint") };
    ((auxdata - value) / sigma).powi(2) + 2.0 * (sigma * (2.0 * std::f64::consts::PI).sqrt()).ln()
}

/// Checks −2 ln L of the combination at random points against those of its parts, less what both have: one constraint
/// term for each shared parameter. Gives back how many of them there are.
pub fn additive(name: &str, a: &Value, b: &Value, combined: &Combined, n_points: usize) -> usize {
    let (whole, a, b) = (build(&combined.document), build(a), build(b));
    let names = whole.0.parameter_names();
    let part = |part: &Model, point: &[f64]| -> Vec<f64> {
        let value = |name: &String| point[names.iter().position(|n| n == name).unwrap()];
        part.parameter_names().iter().map(value).collect()
    };
    let constraints = |model: &Model| model.parameter_names().into_iter().zip(model.constraints()).collect::<Vec<_>>();
    let of_b = constraints(&b.0);
    let shared: Vec<(String, Constraint)> = constraints(&a.0)
        .into_iter()
        .filter_map(|(name, constraint)| Some((name, constraint?)))
        .filter(|(name, constraint)| {
            let other = of_b.iter().find(|(other, _)| other == name);
            assert!(other.is_none_or(|(_, other)| *other == Some(*constraint)), "{name}");
            other.is_some()
        })
        .collect();
    assert_eq!(whole.1.auxiliary.len(), a.1.auxiliary.len() + b.1.auxiliary.len() - shared.len(), "{name}");
    let (mut random, mut finite) = (Random(7), 0);
    for _ in 0..n_points {
        let point = random.point(&whole.0, 0.7);
        let (of_a, of_b) = (twice_nll(&a, &part(&a.0, &point)), twice_nll(&b, &part(&b.0, &point)));
        let twice: f64 = shared
            .iter()
            .map(|(name, c)| constraint_term(c, point[names.iter().position(|n| n == name).unwrap()]))
            .sum();
        let (got, expected) = (twice_nll(&whole, &point), of_a + of_b - twice);
        if !expected.is_finite() {
            assert_eq!(got, expected, "{name}");
            continue;
        }
        finite += 1;
        let scale = of_a.abs() + of_b.abs() + twice.abs();
        assert!((got - expected).abs() <= 1e-12 * scale.max(1.0), "{name}: {} and {}", number(got), number(expected));
    }
    assert!(finite > 0, "{name}: no point inside the domain");
    shared.len()
}
