//! Minima against the recorded ones: reference/pyhf (projected Newton on pyhf's own function).

mod common;

use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;

#[test]
fn minima_of_the_references() {
    let Some(root) = common::corpus("minima_of_the_references") else { return };
    for (path, reference) in common::references(&root) {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut evaluator = Evaluator::new(&program);
        let result = fit(&mut evaluator, &data, &FitOptions::new(&model));
        let expected = reference["fit"]["twice_nll"].as_f64().unwrap();
        println!(
            "{}: {} iterations, {} evaluations, edm {:e}, {:e} above the recorded minimum",
            path.file_name().unwrap().to_string_lossy(),
            result.n_iterations,
            result.n_evaluations,
            result.edm,
            result.twice_nll - expected
        );
        assert!(result.valid, "{}: {:?}", path.display(), result.reason);
        assert!(result.twice_nll <= expected + 1e-6, "{}: {} above {expected}", path.display(), result.twice_nll);
        let uncertainties = result.uncertainties.unwrap();
        for ((name, got), at) in model.parameter_names().iter().zip(&uncertainties).zip(0..) {
            let expected = reference["fit"]["hesse_unc"][name].as_f64().unwrap();
            // The reference gives 0 at a bound, where ours comes from the free Hessian and moves the others too.
            if result.at_limit.is_empty() && !result.at_limit.contains(&at) {
                assert!((got - expected).abs() <= 1e-5 * expected.max(1e-3), "{name}: {got} but reference {expected}");
            }
        }
    }
}

/// Every corpus workspace ends, valid or with a reason.
#[test]
fn every_corpus_workspace_is_fitted() {
    let Some(root) = common::corpus("every_corpus_workspace_is_fitted") else { return };
    for (path, _) in common::good_workspaces(&root) {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut evaluator = Evaluator::new(&program);
        let result = fit(&mut evaluator, &data, &FitOptions::new(&model));
        assert_eq!(result.valid, result.reason.is_none());
        if !result.valid || result.n_iterations > 30 {
            println!(
                "{}: {:?} twice_nll {} edm {:e} {} iterations",
                path.display(),
                result.reason,
                result.twice_nll,
                result.edm,
                result.n_iterations
            );
        }
    }
}

/// The suggested start leads as low as the best of three random starts (closed form: both are −2 ln L).
#[test]
fn no_random_start_ends_lower() {
    let Some(root) = common::corpus("no_random_start_ends_lower") else { return };
    let mut random = common::Random(23);
    for (path, _) in common::good_workspaces(&root) {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut evaluator = Evaluator::new(&program);
        let options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
        let lowest = fit(&mut evaluator, &data, &options).twice_nll;
        for _ in 0..3 {
            let mut init = random.point(&model, 2.0);
            for (x, (own, fixed)) in init.iter_mut().zip(options.init.iter().zip(&options.fixed)) {
                if *fixed {
                    *x = *own;
                }
            }
            let other = fit(&mut evaluator, &data, &FitOptions { init, ..options.clone() });
            let lower = other.valid && other.twice_nll < lowest - 1e-6;
            assert!(!lower, "{}: {lowest} but a random start gives {}", path.display(), other.twice_nll);
        }
    }
}
