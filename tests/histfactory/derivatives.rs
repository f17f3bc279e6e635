//! Gradients against fourth-order central differences of the value, Hessians against differences of the gradient,
//! vector paths against the scalar one.

use crate::common;

use common::Random;
use morphist::kernel::Evaluator;
use morphist::kernel::simd::Backend;
use morphist::model::{HistosysCode, Model, NormsysCode};
use morphist::program::{PreparedData, Program};
use morphist::translate::from_pyhf::ModelOptions;

/// (f(x−2h) − 8 f(x−h) + 8 f(x+h) − f(x+2h)) / 12h for every component of f.
fn fourth_order(parameters: &[f64], index: usize, step: f64, mut f: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut at = |steps: f64| {
        let mut moved = parameters.to_vec();
        moved[index] += steps * step;
        f(&moved)
    };
    let (a, b, c, d) = (at(-2.0), at(-1.0), at(1.0), at(2.0));
    (0..a.len()).map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * step)).collect()
}

/// Codes 0, 1 and 2 have kinks at 0 and ±1, where differences mean nothing.
fn away_from_kinks(mut point: Vec<f64>) -> Vec<f64> {
    for x in &mut point {
        for kink in [-1.0, 0.0, 1.0] {
            if (*x - kink).abs() < 0.02 {
                *x = kink + 0.02;
            }
        }
    }
    point
}

fn check(name: &str, model: &Model, data: &PreparedData, program: &Program, parameters: &[f64]) {
    let n = program.n_parameters();
    let mut evaluator = Evaluator::new(program);
    let (mut gradient, mut hessian, mut again) = (vec![0.0; n], vec![0.0; n * n], vec![0.0; n]);
    let value = evaluator.twice_nll(parameters, data);
    assert!(value.is_finite(), "{name}: outside the domain");
    let with_gradient = evaluator.gradient(parameters, data, &mut gradient);
    let with_hessian = evaluator.hessian(parameters, data, &mut again, &mut hessian);
    assert!((value - with_gradient).abs() <= 1e-13 * value.abs().max(1.0), "{name}: value of the gradient");
    assert!((value - with_hessian).abs() <= 1e-13 * value.abs().max(1.0), "{name}: value of the Hessian");
    let names = model.parameter_names();
    let constraints = model.constraints();
    for i in 0..n {
        let scale = |a: f64| a.abs().max(1.0);
        assert!((gradient[i] - again[i]).abs() <= 1e-10 * scale(gradient[i]), "{name} {}: two gradients", names[i]);
        let width = constraints[i].map_or(0.1, |c| c.width().min(0.1)).min(0.3 * parameters[i].abs().max(0.05));
        // The value is a sum of large terms, so a small step drowns in its rounding.
        let numeric = fourth_order(parameters, i, 3e-2 * width, |p| vec![evaluator.reduced(p, data)])[0];
        let rounding = 2e-16 * value.abs().max(1e3) / (3e-2 * width);
        assert!(
            (gradient[i] - numeric).abs() <= 1e-7 * scale(numeric) + 10.0 * rounding,
            "{name} {}: gradient {} but differences give {numeric}",
            names[i],
            gradient[i]
        );
        let numeric = fourth_order(parameters, i, 1e-2 * width, |p| {
            let mut g = vec![0.0; n];
            evaluator.gradient(p, data, &mut g);
            g
        });
        for j in 0..n {
            let (got, expected) = (hessian[i * n + j], numeric[j]);
            let rounding = 1e-15 * scale(gradient[j]) * 1e2 / (1e-2 * width);
            assert!(
                (got - expected).abs() <= 1e-6 * scale(expected) + rounding,
                "{name} {} {}: Hessian {got} but differences give {expected}",
                names[i],
                names[j]
            );
        }
    }
}

#[test]
fn derivatives_on_the_references() {
    let Some(root) = common::corpus("derivatives_on_the_references") else { return };
    for (path, _) in common::references(&root) {
        let codes = [
            (NormsysCode::Code4, HistosysCode::Code4p),
            (NormsysCode::Code1, HistosysCode::Code0),
            (NormsysCode::Code4, HistosysCode::Code2),
        ];
        for (normsys, histosys) in codes {
            let (model, data) = common::load(&path, &ModelOptions { normsys, histosys, ..Default::default() });
            if model.n_parameters() > 350 {
                continue; // the differences of the largest take minutes
            }
            let program = Program::compile(&model);
            let data = program.prepare(&data);
            let mut random = Random(7);
            let mut evaluator = Evaluator::new(&program);
            let mut point = away_from_kinks(random.point(&model, 0.5));
            while !evaluator.twice_nll(&point, &data).is_finite() {
                point = away_from_kinks(random.point(&model, 0.2));
            }
            let name = format!("{} {normsys:?} {histosys:?}", path.display());
            check(&name, &model, &data, &program, &point);
        }
    }
}

#[test]
fn vector_paths_equal_the_scalar_path() {
    let Some(root) = common::corpus("vector_paths_equal_the_scalar_path") else { return };
    for (path, _) in common::references(&root) {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let n = program.n_parameters();
        let mut random = Random(11);
        for spread in [0.3, 1.0, 2.0] {
            let point = random.point(&model, spread);
            let mut results = Vec::new();
            for backend in Backend::available() {
                let mut evaluator = Evaluator::with_backend(&program, backend);
                let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
                let value = evaluator.twice_nll(&point, &data);
                evaluator.hessian(&point, &data, &mut gradient, &mut hessian);
                results.push((value, gradient, hessian));
            }
            let (scalar, rest) = results.split_first().unwrap();
            for (value, gradient, hessian) in rest {
                if scalar.0.is_infinite() {
                    assert_eq!(*value, scalar.0);
                    continue;
                }
                // Σ|terms| is at least |value|; the sum of the counts' terms bounds it from below.
                assert!((value - scalar.0).abs() <= 1e-13 * scalar.0.abs().max(1e3), "{}", path.display());
                let pairs = gradient.iter().zip(&scalar.1).chain(hessian.iter().zip(&scalar.2));
                for (got, expected) in pairs {
                    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{got} {expected}");
                }
            }
        }
    }
}

/// Batches in lanes give what one point at a time gives, whatever the number of points and threads; Jacobians agree
/// with differences of the expected data.
#[test]
fn batches_and_jacobians() {
    let Some(root) = common::corpus("batches_and_jacobians") else { return };
    for (path, _) in common::references(&root) {
        for code in [(NormsysCode::Code4, HistosysCode::Code4p), (NormsysCode::Code1, HistosysCode::Code0)] {
            let options = ModelOptions { normsys: code.0, histosys: code.1, ..Default::default() };
            let (model, data) = common::load(&path, &options);
            let program = Program::compile(&model);
            let data = program.prepare(&data);
            let n = program.n_parameters();
            let mut random = Random(5);
            let points: Vec<f64> = (0..21).flat_map(|i| random.point(&model, 0.2 * f64::from(i))).collect();
            for backend in Backend::available() {
                let mut evaluator = Evaluator::with_backend(&program, backend);
                let (mut values, mut gradients) = (vec![0.0; 21], vec![0.0; 21 * n]);
                evaluator.gradient_batch(&points, &data, &mut values, &mut gradients);
                let mut again = vec![0.0; 21];
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
                pool.install(|| evaluator.twice_nll_batch(&points, &data, &mut again));
                assert_eq!(values, again, "{}", path.display());
                for ((point, value), batch) in points.chunks(n).zip(&values).zip(gradients.chunks(n)) {
                    let mut gradient = vec![0.0; n];
                    let single = evaluator.gradient(point, &data, &mut gradient);
                    let same = *value == single || (value - single).abs() <= 1e-13 * single.abs().max(1e3);
                    assert!(same, "{} {backend:?}: batch {value}, single {single}", path.display());
                    for (got, expected) in batch.iter().zip(&gradient) {
                        assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{got} {expected}");
                    }
                }
            }
            let mut evaluator = Evaluator::new(&program);
            let point = away_from_kinks(points[n..2 * n].to_vec());
            let (n_bins, n_auxdata) = (program.n_bins(), program.n_auxdata());
            let mut jacobian = vec![0.0; n_bins * n];
            evaluator.expected_jacobian(&point, &mut jacobian);
            for i in 0..n {
                let numeric = fourth_order(&point, i, 1e-3, |p| {
                    let (mut main, mut auxiliary) = (vec![0.0; n_bins], vec![0.0; n_auxdata]);
                    evaluator.expected(p, &mut main, &mut auxiliary);
                    main
                });
                for bin in 0..n_bins {
                    let got = jacobian[bin * n + i];
                    let expected = numeric[bin];
                    let scale = expected.abs().max(1.0);
                    assert!((got - expected).abs() <= 1e-7 * scale, "{}: {got} {expected}", path.display());
                }
            }
        }
    }
}
