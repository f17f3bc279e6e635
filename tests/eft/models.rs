//! EFT documents from their text to numbers: against closed forms, against numpy's numbers of a WH sample, against a
//! profile over every coefficient, and on published workspaces.

use crate::common;

use common::point;
use morphist::document::workspace::Workspace;
use morphist::infer::generate::{Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::Evaluator;
use morphist::model::eft::Polynomial;
use morphist::model::eft::polynomial::all_monomials;
use morphist::model::{Data, Model, NormsysCode};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use nalgebra::{DMatrix, DVector};
use serde_json::{Value, json};
use std::path::Path;

fn block(names: &[&str]) -> Value {
    let coefficients: Vec<Value> = names.iter().map(|name| json!({"name": name, "bounds": [-5, 5]})).collect();
    json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": coefficients,
    })
}

/// One channel of samples, `(name, data, modifiers)`.
fn document(eft: Value, samples: &[(&str, Value, Value)], observed: &[f64], poi: &str) -> Value {
    let samples: Vec<Value> = samples
        .iter()
        .map(|(name, data, modifiers)| json!({"name": name, "data": data, "modifiers": modifiers}))
        .collect();
    json!({
        "channels": [{"name": "channel", "samples": samples}],
        "observations": [{"name": "channel", "data": observed}],
        "measurements": [{"name": "measurement", "config": {"poi": poi, "parameters": []}}],
        "version": "1.0.0",
        "eft": eft,
    })
}

fn build(document: &Value, options: &ModelOptions) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_value(document.clone()).unwrap();
    let model = from_pyhf::model(&workspace, options).unwrap_or_else(|findings| panic!("{findings:?}"));
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

fn expected(model: &Model, parameters: &[f64]) -> Vec<f64> {
    let program = Program::compile(model);
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    Evaluator::new(&program).expected(parameters, &mut main, &mut auxiliary);
    main
}

fn assert_close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} and {want}");
}

/// λ (1 + θᵀl + θᵀQθ) κ^ν with its first and second derivatives, in closed form.
#[test]
fn a_quadratic_yield_with_an_exponential_systematic() {
    let (n, lambda, kappa) = (17.0, 12.0, 1.25_f64);
    let (l, q) = ([0.4, -0.3], [[0.5, 0.1], [0.1, 0.2]]);
    let eft = json!({"name": "r", "type": "eft_polynomial", "data": {
        "mode": "relative", "truncation": "none",
        "monomials": [[], ["a"], ["b"], ["a", "a"], ["b", "a"], ["b", "b"]],
        // Each pair once: twice the element of the symmetric matrix.
        "coefficients": [1.0, l[0], l[1], q[0][0], 2.0 * q[0][1], q[1][1]],
    }});
    let normsys = json!({"name": "nu", "type": "normsys", "data": {"lo": 1.0 / kappa, "hi": kappa}});
    let document = document(block(&["a", "b"]), &[("s", json!([lambda]), json!([eft, normsys]))], &[n], "a");
    let (model, data) = build(&document, &ModelOptions { normsys: NormsysCode::Code1, ..Default::default() });
    let program = Program::compile(&model);
    let (prepared, names) = (program.prepare(&data), model.parameter_names());
    let place = |name: &str| names.iter().position(|n| n == name).unwrap();
    let order = [place("a"), place("b"), place("nu")];
    let mut evaluator = Evaluator::new(&program);
    for [a, b, nu] in [[0.0, 0.0, 0.0], [0.7, -0.4, 0.6], [-1.5, 0.8, -1.7]] {
        let theta = point(&model, &[("a", a), ("b", b), ("nu", nu)]);
        let (mut gradient, mut hessian) = (vec![0.0; 3], vec![0.0; 9]);
        let value = evaluator.hessian(&theta, &prepared, &mut gradient, &mut hessian);
        let scale = lambda * kappa.powf(nu);
        let r = 1.0 + l[0] * a + l[1] * b + q[0][0] * a * a + 2.0 * q[0][1] * a * b + q[1][1] * b * b;
        let (mu, k) = (scale * r, kappa.ln());
        let first = [
            scale * (l[0] + 2.0 * (q[0][0] * a + q[0][1] * b)),
            scale * (l[1] + 2.0 * (q[0][1] * a + q[1][1] * b)),
            mu * k,
        ];
        let second = [
            [2.0 * scale * q[0][0], 2.0 * scale * q[0][1], k * first[0]],
            [2.0 * scale * q[0][1], 2.0 * scale * q[1][1], k * first[1]],
            [k * first[0], k * first[1], mu * k * k],
        ];
        let ln_factorial: f64 = (2..=17).map(|k| f64::from(k).ln()).sum();
        let constraint = nu * nu + (2.0 * std::f64::consts::PI).ln();
        assert_close(value, 2.0 * (mu - n * mu.ln() + ln_factorial) + constraint, 1e-13, "value");
        for i in 0..3 {
            let own = if i == 2 { 2.0 * nu } else { 0.0 };
            let want = 2.0 * (1.0 - n / mu) * first[i] + own;
            assert_close(gradient[order[i]], want, 1e-13, &format!("gradient {i}"));
            for j in 0..3 {
                let own = if i == 2 && j == 2 { 2.0 } else { 0.0 };
                let want = 2.0 * (n / (mu * mu) * first[i] * first[j] + (1.0 - n / mu) * second[i][j]) + own;
                assert_close(hessian[order[i] * 3 + order[j]], want, 2e-13, &format!("Hessian {i} {j}"));
            }
        }
    }
}

/// `eft_bilinear` with C̃ = (1, C), and `eft_sum_of_squares`, are their polynomials; the latter is nowhere negative.
#[test]
fn bilinear_forms_and_squares_are_polynomials() {
    let modifier = |kind: &str, data: Value| json!([{"name": "r", "type": kind, "data": data}]);
    let yields = |modifiers: Value, a: f64, b: f64| {
        let document = document(block(&["a", "b"]), &[("s", json!([20.0, 30.0]), modifiers)], &[21.0, 33.0], "a");
        let (model, _) = build(&document, &ModelOptions::default());
        expected(&model, &point(&model, &[("a", a), ("b", b)]))
    };
    let bilinear = modifier(
        "eft_bilinear",
        json!({"mode": "absolute", "truncation": "none",
            "left": [[], ["a"], ["b"]], "right": [[], ["a"], ["b"]],
            "coefficients": [[[20.0, 30.0], [1.0, 2.0], [0.5, -0.5]], [[2.0, 3.0], [4.0, 1.0], [0.25, 0.5]],
                [[-1.0, 0.0], [0.75, 1.5], [2.0, 3.0]]]}),
    );
    let polynomial = modifier(
        "eft_polynomial",
        json!({"mode": "absolute", "truncation": "none",
            "monomials": [[], ["a"], ["b"], ["a", "a"], ["a", "b"], ["b", "b"]],
            "coefficients": [[20.0, 30.0], [3.0, 5.0], [-0.5, -0.5], [4.0, 1.0], [1.0, 2.0], [2.0, 3.0]]}),
    );
    let squares = modifier(
        "eft_sum_of_squares",
        json!({"mode": "absolute", "truncation": "none", "monomials": [[], ["a"], ["b"]],
            "amplitudes": [[[4.0, 5.0], 1.0, [-0.5, 0.5]], [[2.0, 1.0], -0.5, 1.5], [0.0, [0.1, 0.2], 0.3],
                [[0.0, 2.0], 0.4, 0.2]]}),
    );
    let mut least = f64::INFINITY;
    for i in -10..=10 {
        for j in -10..=10 {
            let (a, b) = (0.5 * f64::from(i), 0.5 * f64::from(j));
            for (got, want) in yields(bilinear.clone(), a, b).iter().zip(yields(polynomial.clone(), a, b)) {
                assert_close(*got, want, 1e-14, "bilinear");
            }
            let amplitude = |v: [f64; 3]| (v[0] + v[1] * a + v[2] * b).powi(2);
            let first = amplitude([4.0, 1.0, -0.5]) + amplitude([2.0, -0.5, 1.5]) + amplitude([0.0, 0.1, 0.3]);
            let got = yields(squares.clone(), a, b);
            assert_close(got[0], first + amplitude([0.0, 0.4, 0.2]), 1e-13, "squares");
            least = least.min(got[0]).min(got[1]);
        }
    }
    assert!(least >= 0.0, "{least}");
}

/// 16 operators have 16 linear and 136 quadratic terms.
#[test]
fn columns_of_sixteen_operators() {
    let count = |length: usize| all_monomials(16, 2).iter().filter(|m| m.len() == length).count();
    assert_eq!((count(0), count(1), count(2)), (1, 16, 136));
}

/// A fit does not know which sample is called the signal.
#[test]
fn a_response_works_on_any_sample() {
    let eft = json!({"name": "r", "type": "eft_polynomial", "data": {
        "mode": "relative", "truncation": "none", "monomials": [[], ["a"], ["a", "a"]],
        "coefficients": [1.0, [0.4, -0.2, 0.1], 0.3],
    }});
    let fit = |names: [&str; 2]| {
        let samples = [
            (names[0], json!([30.0, 20.0, 10.0]), json!([eft])),
            (
                names[1],
                json!([50.0, 40.0, 30.0]),
                json!([{"name": "k", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]),
            ),
        ];
        let (model, data) =
            build(&document(block(&["a"]), &samples, &[95.0, 58.0, 44.0], "a"), &ModelOptions::default());
        let program = Program::compile(&model);
        let fit = Likelihood::new(&program, &data, FitOptions::new(&model)).fit(Hesse::All);
        assert!(fit.valid, "{:?}", fit.reason);
        (fit.twice_nll, fit.parameters[model.poi.unwrap()])
    };
    let (signal, background) = (fit(["signal", "background"]), fit(["zjets", "a_background"]));
    assert_close(signal.0, background.0, 1e-13, "twice_nll");
    assert_close(signal.1, background.1, 1e-9, "a");
}

/// A database of the WH sample with its histogram; luminosity 1.
fn wh(folder: &Path, format: &str, mc_stat: &str) -> (Value, Value) {
    let reference = common::read_json(&folder.join("wh_10000.json"));
    let media = if format == "parquet" { "vnd.apache.parquet" } else { "vnd.apache.arrow.file" };
    let mut eft = block(&["cHW", "cHWtil"]);
    eft["event_databases"] = json!([{
        "name": "wh", "uri": format!("wh_10000.{format}"), "sha256": reference["sha256"][format],
        "media_type": format!("application/{media}"), "n_rows": reference["n_accepted"],
        "weights": {"kind": "coefficients", "columns": reference["columns"],
            "monomials": [[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]]},
        "observables": {"pTW": {"column": "pTW", "unit": "GeV"}, "Qcosd": {"column": "Qcosd", "unit": "1"}},
        "normalisation": {"kind": "absolute", "luminosity": 1.0, "luminosity_unit": "1/pb", "weight_unit": "pb"},
    }]);
    let nominal: Vec<Value> = reference["bin_polynomials"].as_array().unwrap().iter().map(|b| b[0].clone()).collect();
    let modifiers = json!([{"name": "wh", "type": "eft_events", "data": {
        "database": "wh", "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": mc_stat,
        "axes": [{"observable": "pTW", "edges": reference["bins"]["pTW"]},
            {"observable": "Qcosd", "edges": reference["bins"]["Qcosd"]}],
    }}]);
    let n = nominal.len();
    (document(eft, &[("WH", json!(nominal), modifiers)], &vec![0.0; n], "cHW"), reference)
}

/// Yields and variances at five points, from Parquet and from Arrow, through a document.
#[test]
fn the_wh_histogram_in_a_document() {
    let Some(folder) = common::directory("eft") else { return };
    for format in ["parquet", "arrow"] {
        let (document, reference) = wh(&folder, format, "w2");
        let options = ModelOptions { folder: Some(folder.clone()), ..Default::default() };
        let (model, _) = build(&document, &options);
        let response = model.channels[0].samples[0].parts[0].response.as_ref().unwrap();
        let names = model.parameter_names();
        for reference in reference["reference"].as_array().unwrap() {
            let c: Vec<f64> = serde_json::from_value(reference["c"].clone()).unwrap();
            let theta = point(&model, &[("cHW", c[0]), ("cHWtil", c[1])]);
            let yields: Vec<f64> = serde_json::from_value(reference["yields"].clone()).unwrap();
            for (got, want) in expected(&model, &theta).iter().zip(&yields) {
                assert!((got - want).abs() < 1e-12 * want, "{format}: {got} and {want}");
            }
            let variables: Vec<f64> = response.parameters.iter().map(|p| theta[*p]).collect();
            assert_eq!(names[response.parameters[0]], "cHW");
            let variances: Vec<f64> = serde_json::from_value(reference["var"].clone()).unwrap();
            let got = response.variance.as_ref().unwrap().evaluate(&variables);
            for (got, want) in got.iter().zip(&variances) {
                assert!((got - want).abs() < 1e-12 * want, "{format}: {got} and {want}");
            }
        }
    }
}

/// The profiled term of a simulated bin is the minimum over all six coefficients of its polynomial, with their
/// covariance (a Newton iteration here), and its gradient is a difference.
#[test]
fn profiled_statistics_are_a_profile_over_all_coefficients() {
    let Some(folder) = common::directory("eft") else { return };
    let reference = common::read_json(&folder.join("wh_10000.json"));
    let luminosity = 300.0;
    let list = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let monomials = [json!([]), json!(["a"]), json!(["b"]), json!(["a", "a"]), json!(["a", "b"]), json!(["b", "b"])];
    for (bin, [a, b], n) in [
        (7, [0.5, 0.3], 12.0),
        (12, [-0.8, 0.9], 3.0),
        (17, [0.0, 0.0], 9.0),
        (7, [0.5, 0.3], 0.0),
        (29, [2.0, 1.0], 0.0),
    ] {
        let y: Vec<f64> = list(&reference["bin_polynomials"][bin]).iter().map(|y| luminosity * y).collect();
        // More simulated luminosity or less: 30² makes σ² > λ, where a bin without counts has its mean at zero.
        for blow in [1.0, 30.0] {
            let w2: Vec<Vec<f64>> = reference["bin_w2"][bin].as_array().unwrap().iter().map(list).collect();
            let w2 = DMatrix::from_fn(6, 6, |i, j| w2[i][j] * (luminosity * blow).powi(2));
            let mut variance: Vec<(Value, f64)> = Vec::new();
            for i in 0..6 {
                for j in 0..=i {
                    let names = |m: &Value| m.as_array().unwrap().clone();
                    let mut product = [names(&monomials[i]), names(&monomials[j])].concat();
                    product.sort_by_key(|name| name.as_str().unwrap().to_owned());
                    let term = w2[(i, j)] * if i == j { 1.0 } else { 2.0 };
                    let product = json!(product);
                    match variance.iter_mut().find(|(m, _)| *m == product) {
                        Some((_, sum)) => *sum += term,
                        None => variance.push((product, term)),
                    }
                }
            }
            let (v_monomials, variances): (Vec<Value>, Vec<f64>) = variance.into_iter().unzip();
            let modifiers = json!([{"name": "r", "type": "eft_polynomial", "data": {
                "mode": "absolute", "truncation": "none", "monomials": monomials,
                "coefficients": y.iter().map(|y| json!([y])).collect::<Vec<_>>(),
                "mc_stat": {"kind": "w2", "monomials": v_monomials, "variances": variances},
            }}]);
            let document = document(block(&["a", "b"]), &[("s", json!([y[0]]), modifiers)], &[n], "a");
            let (model, data) = build(&document, &ModelOptions::default());
            let program = Program::compile(&model);
            let (prepared, mut evaluator) = (program.prepare(&data), Evaluator::new(&program));
            let theta = point(&model, &[("a", a), ("b", b)]);
            let value = evaluator.reduced(&theta, &prepared);

            let phi = DVector::from_vec(vec![1.0, a, b, a * a, a * b, b * b]);
            let lambda = phi.dot(&DVector::from_vec(y.clone()));
            // δ = W2^½ u with unit normal u: only g = W2^½ φ matters, and the rest stays at zero.
            let root = w2.symmetric_eigen();
            let g = DMatrix::from_diagonal(&root.eigenvalues.map(|e| e.max(0.0).sqrt()))
                * root.eigenvectors.transpose()
                * phi;
            let mut u = DVector::zeros(6);
            if n > 0.0 {
                let m = |u: &DVector<f64>| lambda + g.dot(u);
                let f =
                    |u: &DVector<f64>| if m(u) > 0.0 { m(u) - n * m(u).ln() + 0.5 * u.dot(u) } else { f64::INFINITY };
                for _ in 0..200 {
                    let gradient = &u + &g * (1.0 - n / m(&u));
                    let hessian = DMatrix::identity(6, 6) + &g * g.transpose() * (n / m(&u).powi(2));
                    let step = hessian.lu().solve(&gradient).unwrap();
                    let mut length = 1.0;
                    while f(&(&u - &step * length)) > f(&u) && length > 1e-12 {
                        length *= 0.5;
                    }
                    u -= step * length;
                }
                let want = 2.0 * (f(&u) - (n - n * n.ln()));
                assert_close(value, want, 1e-10, &format!("bin {bin}, n {n}, blow {blow}"));
            } else {
                // Without counts the yield falls until it is zero: the shortest u on the way.
                let free = lambda - g.dot(&g);
                let want = if free >= 0.0 { 2.0 * (lambda - 0.5 * g.dot(&g)) } else { lambda * lambda / g.dot(&g) };
                assert_close(value, want, 1e-10, &format!("bin {bin} without counts, blow {blow}"));
            }
            let mut gradient = vec![0.0; 2];
            evaluator.gradient(&theta, &prepared, &mut gradient);
            for i in 0..2 {
                let mut at = |h: f64| {
                    let mut moved = theta.clone();
                    moved[i] += h;
                    evaluator.reduced(&moved, &prepared)
                };
                let difference = (8.0 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
                assert_close(gradient[i], difference, 1e-7, &format!("gradient {i} of bin {bin}"));
            }
        }
    }
}

/// χ² of the tt̄ benchmark, whose points and values were recorded with another program: the polynomial of 107 means.
#[test]
fn polynomial_means_give_recorded_chi_squares() {
    let Some(root) = common::corpus("polynomial_means_give_recorded_chi_squares") else { return };
    let benchmark = common::read_json(&root.join("corpus/smefit/tt6.json"));
    let list = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let (data, sm) = (list(&benchmark["data"]), list(&benchmark["sm"]));
    let n = data.len();
    let linear: Vec<Vec<f64>> = benchmark["linear"].as_array().unwrap().iter().map(list).collect();
    let mut terms = vec![(vec![], sm)];
    terms.extend((0..6).map(|i| (vec![i as u32], linear.iter().map(|row| row[i]).collect())));
    for entry in benchmark["quadratic_sparse"].as_array().unwrap() {
        let index = |k: usize| entry[k].as_u64().unwrap() as u32;
        let mut column = vec![0.0; n];
        for (row, value) in list(&entry[2]).iter().zip(list(&entry[3])) {
            column[*row as usize] = value;
        }
        terms.push((vec![index(0), index(1)], column));
    }
    let polynomial = Polynomial::from_terms(n, terms);
    let lower: Vec<Vec<f64>> = benchmark["covariance_lower"].as_array().unwrap().iter().map(list).collect();
    let scale: Vec<f64> = (0..n).map(|i| lower[i][i].sqrt()).collect();
    let correlation = DMatrix::from_fn(n, n, |i, j| lower[i.max(j)][i.min(j)] / (scale[i] * scale[j]));
    let cholesky = correlation.cholesky().unwrap();
    for point in benchmark["reference"]["points"].as_array().unwrap() {
        for (key, polynomial) in
            [("chi2_quadratic", polynomial.clone()), ("chi2_linear", polynomial.truncated(1, &[1; 6]))]
        {
            let means = polynomial.evaluate(&list(&point["c"]));
            let residual = DVector::from_iterator(n, (0..n).map(|i| (data[i] - means[i]) / scale[i]));
            let chi2 = residual.dot(&cholesky.solve(&residual));
            assert_close(chi2, point[key].as_f64().unwrap(), 1e-10, key);
        }
    }
}

/// Six samples of the same events at basis points, morphed, are the histogram of the events at any point.
#[test]
fn events_are_their_morphed_samples() {
    let Some(folder) = common::directory("eft") else { return };
    let (events, _) = wh(&folder, "parquet", "none");
    let (model, _) = build(&events, &ModelOptions { folder: Some(folder), ..Default::default() });
    let yields = |c: [f64; 2]| expected(&model, &point(&model, &[("cHW", c[0]), ("cHWtil", c[1])]));
    let basis = [[0.0, 0.0], [0.9, 0.6], [-0.9, -0.6], [0.8, -0.7], [-0.3, 0.9], [0.1, -1.0]];
    let templates: Vec<Vec<f64>> = basis.iter().map(|c| yields(*c)).collect();
    let modifiers = json!([{"name": "m", "type": "eft_morph", "data": {
        "mode": "absolute", "truncation": "none", "parameters": ["cHW", "cHWtil"],
        "basis_points": basis, "templates": templates,
        "components": {"monomials": [[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]]},
    }}]);
    let document = document(block(&["cHW", "cHWtil"]), &[("WH", json!(templates[0]), modifiers)], &[0.0; 30], "cHW");
    let (morphed, _) = build(&document, &ModelOptions::default());
    for i in 0..50 {
        let c = [1.2 * (1.7 * f64::from(i)).sin(), 1.2 * (0.3 + 2.3 * f64::from(i)).cos()];
        let direct = yields(c);
        let largest = direct.iter().fold(0.0, |a: f64, b| a.max(*b));
        let morphed = expected(&morphed, &point(&morphed, &[("cHW", c[0]), ("cHWtil", c[1])]));
        for (got, want) in morphed.iter().zip(&direct) {
            assert!((got - want).abs() < 2e-14 * largest, "{c:?}: {got} and {want}");
        }
    }
}

/// Toys of a point have its yields as means, and the auxiliary data of simulated bins vary around η̂ by one.
#[test]
fn toys_vary_around_the_yields() {
    let Some(folder) = common::directory("eft") else { return };
    let (mut document, _) = wh(&folder, "parquet", "w2");
    document["eft"]["event_databases"][0]["normalisation"]["luminosity"] = json!(300.0);
    let nominal: Vec<f64> = serde_json::from_value(document["channels"][0]["samples"][0]["data"].clone()).unwrap();
    let nominal: Vec<f64> = nominal.iter().map(|n| 300.0 * n).collect();
    document["channels"][0]["samples"][0]["data"] = json!(nominal);
    document["observations"][0]["data"] = json!(nominal.iter().map(|n| n.round()).collect::<Vec<_>>());
    let (model, observed) = build(&document, &ModelOptions { folder: Some(folder), ..Default::default() });
    let program = Program::compile(&model);
    let mut evaluator = Evaluator::new(&program);
    let theta = point(&model, &[("cHW", 0.3), ("cHWtil", -0.4)]);
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    evaluator.profiled(&theta, &program.prepare(&observed), &mut main, &mut auxiliary);
    let origin = Origin {
        kind: ToyKind::Frequentist,
        ensemble: Ensemble { seed: 7, value: 0.0 },
        point: &theta,
        held: &model.fixed(),
        bounds: &model.bounds(),
        observed: &observed,
        covariance: None,
    };
    let generator = Generator::new(&mut evaluator, &origin).unwrap();
    let n_toys = 4000;
    let (mut sums, mut squares) = (vec![0.0; 30], vec![0.0; 30]);
    let mut means = vec![0.0; 30];
    let mut data = observed.clone();
    for toy in 0..n_toys {
        generator.draw(&mut evaluator, toy, &mut data).unwrap();
        for bin in 0..30 {
            means[bin] += data.main[bin] / n_toys as f64;
            sums[bin] += data.auxiliary[bin] / n_toys as f64;
            squares[bin] += (data.auxiliary[bin] - auxiliary[bin]).powi(2) / n_toys as f64;
        }
    }
    let root = (n_toys as f64).sqrt();
    for bin in 0..30 {
        assert!(
            (means[bin] - main[bin]).abs() < 4.0 * main[bin].sqrt() / root,
            "bin {bin}: {} {}",
            means[bin],
            main[bin]
        );
        assert!((sums[bin] - auxiliary[bin]).abs() < 4.0 / root, "bin {bin}: {} {}", sums[bin], auxiliary[bin]);
        assert!((squares[bin] - 1.0).abs() < 4.0 * 2.0_f64.sqrt() / root, "bin {bin}: {}", squares[bin]);
    }
}

/// Nominal yields that are not the histogram at the reference are refused: without the extension the document would
/// say something else.
#[test]
fn nominal_yields_are_the_events_at_the_reference() {
    let Some(folder) = common::directory("eft") else { return };
    let (mut document, _) = wh(&folder, "parquet", "w2");
    let first = document["channels"][0]["samples"][0]["data"][0].as_f64().unwrap();
    document["channels"][0]["samples"][0]["data"][0] = json!(1.01 * first);
    let workspace: Workspace = serde_json::from_value(document).unwrap();
    let options = ModelOptions { folder: Some(folder), ..Default::default() };
    let findings = from_pyhf::model(&workspace, &options).unwrap_err();
    assert_eq!(findings.0.len(), 1);
    assert_eq!(findings.0[0].rule, "W215");
    assert_eq!(findings.0[0].pointer.as_deref(), Some("/channels/0/samples/0/data"));
}
