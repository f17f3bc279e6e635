//! Simplified likelihoods as workspaces, against minima and profiles in the shifts of the backgrounds themselves (numpy and
//! scipy; fixtures/simplified_likelihood/fit_scan.json).

use super::*;
use morphist::import::simplified_likelihood::read;
use morphist::infer::fit;
use std::path::Path;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/simplified_likelihood").join(name)).unwrap()
}

fn fixture(name: &str) -> Value {
    serde_json::from_slice(&file(name)).unwrap()
}

fn table() -> Vec<u8> {
    file("correlation_table.yaml")
}

fn import(value: &Value, table: Option<Vec<u8>>) -> Result<Import> {
    read("likelihood.json", bytes(value), table, &ImportOptions::default())
}

fn workspace(value: &Value, table: Option<Vec<u8>>) -> Workspace {
    let workspace = import(value, table).unwrap().workspace.unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings}");
    workspace
}

#[test]
fn minima_and_profiles() {
    let expected = fixture("fit_scan.json");
    for (name, table) in [("covariance", None), ("correlation", Some(table()))] {
        let workspace = workspace(&fixture(&format!("{name}.json")), table);
        let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
        let program = Program::compile(&model);
        let data = program.prepare(&from_pyhf::data(&workspace, &model).unwrap());
        let mut evaluator = Evaluator::new(&program);
        let mu = model.parameter_names().iter().position(|own| own == "mu").unwrap();
        let number = |key: &str| expected[name][key].as_f64().unwrap();
        let best = fit::fit(&mut evaluator, &data, &fit::FitOptions::new(&model));
        assert!(best.valid);
        assert!((best.twice_nll - number("twice_nll")).abs() < 1e-8, "{name}: {}", best.twice_nll);
        assert!((best.parameters[mu] - number("mu")).abs() < 1e-5 * number("sigma"), "{name}");
        let sigma = best.uncertainties.unwrap()[mu];
        assert!((sigma / number("sigma") - 1.0).abs() < 1e-6, "{name}: {sigma}");
        let strengths = expected[name]["strengths"].as_array().unwrap();
        for (strength, height) in strengths.iter().zip(expected[name]["profile"].as_array().unwrap()) {
            let mut options = fit::FitOptions::new(&model);
            (options.init[mu], options.fixed[mu]) = (strength.as_f64().unwrap(), true);
            let at = fit::fit(&mut evaluator, &data, &options);
            assert!((at.twice_nll - height.as_f64().unwrap()).abs() < 1e-8, "{name} at {strength}");
        }
    }
}

/// The shifts of all nuisance parameters give the covariance back; the one without variance has none.
#[test]
fn shifts_have_the_covariance() {
    let value = fixture("covariance.json");
    let mut singular = value.clone();
    // The second region moves with the first, and the last not at all.
    singular["covariance"] =
        json!([[4.0, 6.0, 0.0, 0.0], [6.0, 9.0, 0.0, 0.0], [0.0, 0.0, 0.25, 0.0], [0.0, 0.0, 0.0, 0.0]]);
    for (value, rank) in [(value, 4), (singular, 2)] {
        let workspace = workspace(&value, None);
        let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
        let program = Program::compile(&model);
        let n = model.parameter_names().len();
        assert_eq!(n, rank + 1);
        let expected = |theta: &[f64]| {
            let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
            Evaluator::new(&program).expected(theta, &mut main, &mut auxiliary);
            main
        };
        let mu = model.parameter_names().iter().position(|own| own == "mu").unwrap();
        let zero = expected(&vec![0.0; n]);
        let mut sum = [[0.0; 4]; 4];
        for k in (0..n).filter(|k| *k != mu) {
            let mut theta = vec![0.0; n];
            // Linear to any distance: the shift at 1/2 is half of that at 1.
            theta[k] = 0.5;
            let shift: Vec<f64> = expected(&theta).iter().zip(&zero).map(|(a, b)| 2.0 * (a - b)).collect();
            for (a, row) in sum.iter_mut().enumerate() {
                for (b, cell) in row.iter_mut().enumerate() {
                    *cell += shift[a] * shift[b];
                }
            }
        }
        // Channels come in the order of their names: high, low, mid, tail.
        let order = [2, 0, 1, 3];
        for (a, row) in sum.iter().enumerate() {
            for (b, got) in row.iter().enumerate() {
                let want = value["covariance"][order[a]][order[b]].as_f64().unwrap();
                assert!((got - want).abs() < 1e-11, "{a}, {b}: {got} and {want}");
            }
        }
    }
}

/// Without a signal there is no parameter of interest, and the background alone.
#[test]
fn regions_without_a_signal() {
    let mut value = fixture("covariance.json");
    for region in value["regions"].as_array_mut().unwrap() {
        region.as_object_mut().unwrap().remove("signal");
    }
    let workspace = workspace(&value, None);
    assert_eq!((workspace.channels[0].samples.len(), workspace.measurements[0].config.poi.as_str()), (1, ""));
}

#[test]
fn what_is_no_simplified_likelihood_is_told() {
    let good = fixture("covariance.json");
    let rejected = |pointer: &str, new: Value| {
        let mut value = good.clone();
        match value.pointer_mut(pointer) {
            Some(old) => *old = new,
            None => {
                value[pointer.trim_start_matches('/')] = new;
            }
        }
        error(import(&value, None)).0[0].clone()
    };
    assert_eq!(rejected("/format", json!("simplified-likelihood/2")).pointer.as_deref(), Some("/format"));
    assert!(rejected("/third_moments", json!([1, 2, 3, 4])).found.contains("third_moments"));
    rejected("/regions", json!([]));
    rejected("/regions/1/signal", json!(null));
    rejected("/regions/0/uncertainty", json!(9.0));
    assert_eq!(rejected("/regions/2/observed", json!("7")).pointer.as_deref(), Some("/regions/2/observed"));
    rejected("/correlation", json!([[1.0]]));
    rejected("/covariance", json!([[1.0, 0.0], [0.0, 1.0]]));
    rejected("/covariance/0/0", json!(-81.0));
    rejected("/covariance/0/0", json!(0.0));
    rejected("/covariance/0/1", json!(12.5));
    // Correlations of 0.9, 0.9 and -0.9 contradict each other.
    let found = rejected("/covariance", json!([[1, 0.9, -0.9, 0], [0.9, 1, 0.9, 0], [-0.9, 0.9, 1, 0], [0, 0, 0, 1]]));
    assert_eq!(
        (found.pointer.as_deref(), found.found.contains("eigenvalue -0.8")),
        (Some("/covariance"), true),
        "{found}"
    );
    error(import(&good, Some(table())));
}

#[test]
fn tables_of_matrices() {
    let good = fixture("correlation.json");
    let text = String::from_utf8(table()).unwrap();
    let whole = workspace(&good, Some(table()));
    // Bins in the place of names, and JSON in the place of YAML.
    let bins = text
        .replace("value: A", "low: 0, high: 1")
        .replace("value: B", "low: 1, high: 2")
        .replace("value: C", "low: 2, high: 3");
    assert_eq!(workspace(&good, Some(bins.into_bytes())), whole);
    for (old, new) in [
        ("{value: C}]", "{value: D}]"),
        ("{value: 0.0}, {value: 0.0}, ", "{value: 0.0}, "),
        ("[{value: A}, {value: B}, {value: B}", "[{value: A}, {value: B}, {value: A}"),
        ("{value: 1.0}, {value: -0.35}", "{value: 0.5}, {value: -0.35}"),
        ("{value: -0.35}", "{value: x}"),
        ("dependent_variables", "dependent"),
    ] {
        assert!(text.contains(old), "{old}");
        error(import(&good, Some(text.replacen(old, new, 1).into_bytes())));
    }
    assert_eq!(error(import(&good, None)).0[0].rule, "W292");
    damage(62, &bytes(&good), |bytes| read("l", bytes, Some(table()), &ImportOptions::default()));
    damage(63, &table(), |damaged| import(&good, Some(damaged)));
}
