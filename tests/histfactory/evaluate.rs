//! Values against pyhf 0.7.6: every corpus workspace at its suggested start, the references at recorded points.

use crate::common;

use morphist::kernel::Evaluator;
use morphist::model::{HistosysCode, NormsysCode};
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;

/// |Δ| ≤ 1e-12 |f|, or what the rounding of the largest terms explains.
fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

#[test]
fn twice_nll_of_the_corpus_at_the_suggested_start() {
    let Some(root) = common::corpus("twice_nll_of_the_corpus_at_the_suggested_start") else { return };
    let mut misses = Vec::new();
    let workspaces = common::good_workspaces(&root);
    assert_eq!(workspaces.len(), 161);
    for (path, entry) in workspaces {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let expected = entry["stats"]["twice_nll_init"].as_f64().unwrap();
        let got = Evaluator::new(&program).twice_nll(&model.init(), &program.prepare(&data));
        if !close(got, expected) {
            misses.push(format!("{}: {got} but pyhf has {expected} ({:e})", path.display(), got / expected - 1.0));
        }
    }
    assert!(misses.is_empty(), "{} misses\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn values_and_expected_data_at_the_recorded_points() {
    let Some(root) = common::corpus("values_and_expected_data_at_the_recorded_points") else { return };
    for (path, reference) in common::references(&root) {
        let settings = [
            ("twice_nll", ModelOptions::default()),
            (
                "twice_nll_code1_code0",
                ModelOptions { normsys: NormsysCode::Code1, histosys: HistosysCode::Code0, ..Default::default() },
            ),
        ];
        for (key, options) in settings {
            let (model, data) = common::load(&path, &options);
            let program = Program::compile(&model);
            let data = program.prepare(&data);
            let mut evaluator = Evaluator::new(&program);
            let names: Vec<String> = serde_json::from_value(reference["par_names"].clone()).unwrap();
            assert_eq!(model.parameter_names(), names, "{}", path.display());
            for point in reference["points"].as_array().unwrap() {
                let parameters: Vec<f64> = serde_json::from_value(point["pars"].clone()).unwrap();
                let expected = point[key].as_f64().unwrap();
                let got = evaluator.twice_nll(&parameters, &data);
                assert!(close(got, expected), "{} {key}: {got} but pyhf has {expected}", path.display());
                if key == "twice_nll" {
                    let main: Vec<f64> = serde_json::from_value(point["expected_main"].clone()).unwrap();
                    let auxiliary: Vec<f64> = serde_json::from_value(point["expected_aux"].clone()).unwrap();
                    let (mut got_main, mut got_auxiliary) = (vec![0.0; main.len()], vec![0.0; auxiliary.len()]);
                    evaluator.expected(&parameters, &mut got_main, &mut got_auxiliary);
                    for (got, expected) in got_main.iter().chain(&got_auxiliary).zip(main.iter().chain(&auxiliary)) {
                        assert!(close(*got, *expected), "{}: {got} but pyhf has {expected}", path.display());
                    }
                }
            }
        }
    }
}
