//! Unbinned terms written out in the test: encodings, another reference, Asimov data, toys, information, rules.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use morphist::document::workspace::Workspace;
use morphist::infer::asimov::{AsimovPoint, asimov};
use morphist::infer::eft::information::information;
use morphist::infer::generate::{GenerationFailure, Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::{Evaluator, OutOfDomain};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use nalgebra::{DMatrix, SymmetricEigen};
use serde_json::{Value, json};

/// A density on [0, 1] that is uniform without coefficients: r = (1 + a A(x))² + (b B(x))².
const YIELD: f64 = 400.0;

fn root(x: f64) -> f64 {
    x - 0.3
}

fn other(x: f64) -> f64 {
    1.5 * x * (1.0 - x)
}

fn grid(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect()
}

fn columns(points: &[f64]) -> Value {
    let of = |f: &dyn Fn(f64) -> f64| points.iter().map(|x| f(*x)).collect::<Vec<f64>>();
    json!({
        "lin": of(&|x| 2.0 * root(x)), "aa": of(&|x| root(x).powi(2)), "bb": of(&|x| other(x).powi(2)),
        "A": of(&root), "B": of(&other), "up": of(&|x| 0.3 * x), "up2": of(&|x| 0.02 + 0.1 * x * x),
    })
}

/// Means over the uniform density, by the grid itself so that sums close.
fn mean(points: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    points.iter().map(|x| f(*x)).sum::<f64>() / points.len() as f64
}

fn ratio() -> Value {
    json!({"kind": "polynomial", "constant": 1.0, "monomials": [["a"], ["a", "a"], ["b", "b"]],
        "columns": ["lin", "aa", "bb"], "truncation": "none"})
}

fn yields(points: &[f64]) -> Value {
    let means =
        [1.0, mean(points, |x| 2.0 * root(x)), mean(points, |x| root(x).powi(2)), mean(points, |x| other(x).powi(2))];
    json!({"kind": "polynomial", "monomials": [[], ["a"], ["a", "a"], ["b", "b"]],
        "coefficients": means.map(|m| YIELD * m), "truncation": "none"})
}

fn term(observed: &[f64], reference: &[f64]) -> Value {
    json!({"name": "term", "events": {"columns": columns(observed)},
        "reference": {"events": {"columns": columns(reference)}},
        "components": [{"name": "signal", "yields": yields(reference), "ratio": ratio(), "ratio_of": "yields"}]})
}

fn document(terms: Value) -> Value {
    json!({
        "channels": [], "observations": [], "version": "1.0.0",
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "a", "bounds": [-2, 2]}, {"name": "b", "bounds": [-2, 2]}],
            "unbinned_terms": terms,
        }
    })
}

fn build(document: &Value) -> (Model, Data) {
    let workspace = Workspace::from_value(document).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

fn at(model: &Model, values: &[(&str, f64)]) -> Vec<f64> {
    common::point(model, values)
}

fn twice_nll(document: &Value, values: &[(&str, f64)]) -> f64 {
    let (model, data) = build(document);
    let program = Program::compile(&model);
    Evaluator::new(&program).twice_nll(&at(&model, values), &program.prepare(&data))
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} and {want}");
}

const EVENTS: [f64; 6] = [0.05, 0.21, 0.34, 0.5, 0.77, 0.93];

/// −2 ln L of eq. 1 by its definition.
fn defined(events: &[f64], total: f64, density: impl Fn(f64) -> f64) -> f64 {
    let n = events.len() as f64;
    2.0 * (total - events.iter().map(|x| density(*x).ln()).sum::<f64>() + libm::lgamma(n + 1.0))
}

#[test]
fn a_term_is_its_equation() {
    let points = grid(50);
    let document = document(json!([term(&EVENTS, &points)]));
    for (a, b) in [(0.0, 0.0), (0.7, -0.4), (-1.1, 1.3)] {
        let r = |x: f64| (1.0 + a * root(x)).powi(2) + (b * other(x)).powi(2);
        let want = defined(&EVENTS, YIELD * mean(&points, r), |x| YIELD * r(x));
        close(twice_nll(&document, &[("a", a), ("b", b)]), want, 1e-11, "twice_nll");
    }
}

/// Ratios of densities: N(c) beside each of them. With the yields as they are, both are the same density.
#[test]
fn ratios_of_densities_have_the_yields_beside_them() {
    let points = grid(50);
    let mut densities = term(&EVENTS, &points);
    densities["components"][0]["ratio_of"] = json!("densities");
    let mut calibrated = densities.clone();
    calibrated["components"][0]["calibration"] = json!("reference");
    let (a, b) = (0.7, -0.4);
    let r = |x: f64| (1.0 + a * root(x)).powi(2) + (b * other(x)).powi(2);
    let total = YIELD * mean(&points, r);
    let values = [("a", a), ("b", b)];
    close(
        twice_nll(&document(json!([densities])), &values),
        defined(&EVENTS, total, |x| total * r(x)),
        1e-11,
        "densities",
    );
    let want = defined(&EVENTS, total, |x| total * r(x) / mean(&points, r));
    close(twice_nll(&document(json!([calibrated])), &values), want, 1e-11, "calibrated");
    // These yields are the mean of the ratio: calibrated densities are ratios of yields.
    close(want, twice_nll(&document(json!([term(&EVENTS, &points)])), &values), 1e-11, "both");
}

/// Three encodings of ratios at basis points, and the polynomial that they determine, are one likelihood.
#[test]
fn encodings_agree() {
    let basis = [[0.0, 0.0], [1.0, 0.0], [-0.5, 0.0], [0.0, 1.5]];
    let points = grid(50);
    let with = |encoding: &str, encode: &dyn Fn(f64) -> f64| {
        let table = |events: &[f64]| {
            let column = |[a, b]: &[f64; 2]| -> Vec<f64> {
                events.iter().map(|x| encode((1.0 + a * root(*x)).powi(2) + (b * other(*x)).powi(2))).collect()
            };
            let named = basis.iter().enumerate().map(|(i, point)| (format!("p{i}"), json!(column(point))));
            Value::Object(named.collect())
        };
        let mut term = term(&EVENTS, &points);
        term["events"]["columns"] = table(&EVENTS);
        term["reference"]["events"]["columns"] = table(&points);
        term["components"][0]["ratio"] = json!({"kind": "basis_points", "parameters": ["a", "b"], "basis_points": basis,
            "columns": ["p0", "p1", "p2", "p3"], "encoding": encoding, "truncation": "none",
            "components": {"monomials": [[], ["a"], ["a", "a"], ["b", "b"]]}});
        document(json!([term]))
    };
    let encoded = [
        with("ratio", &|r| r),
        with("log_ratio", &f64::ln),
        with("probability_of_reference", &|r| 1.0 / (1.0 + r)),
        with("probability_of_point", &|r| r / (1.0 + r)),
    ];
    let values = [("a", 0.7), ("b", -0.4)];
    let want = twice_nll(&document(json!([term(&EVENTS, &points)])), &values);
    for document in &encoded {
        close(twice_nll(document, &values), want, 1e-11, "encoding");
    }
}

/// Another reference hypothesis: columns are divided by r(c₀), weights of the reference events multiplied by it. Ratios of
/// two points, and so q(θ), stay.
#[test]
fn another_reference_changes_no_likelihood_ratio() {
    let points = grid(50);
    let (a, b) = (0.6, 0.5);
    let r = |x: f64| (1.0 + a * root(x)).powi(2) + (b * other(x)).powi(2);
    let moved = |events: &[f64]| {
        let of = |f: &dyn Fn(f64) -> f64| events.iter().map(|x| f(*x) / r(*x)).collect::<Vec<f64>>();
        json!({"one": of(&|_| 1.0), "lin": of(&|x| 2.0 * root(x)), "aa": of(&|x| root(x).powi(2)),
            "bb": of(&|x| other(x).powi(2)), "w": events.iter().map(|x| r(*x)).collect::<Vec<f64>>()})
    };
    let with = |events: &[f64], calibration: &str| {
        let mut own = term(events, &points);
        own["components"][0]["ratio_of"] = json!("densities");
        own["components"][0]["calibration"] = json!(calibration);
        let mut other = own.clone();
        other["events"]["columns"] = moved(events);
        other["reference"] = json!({"events": {"columns": moved(&points)}, "weight": "w"});
        other["components"][0]["ratio"] = json!({"kind": "polynomial", "monomials": [[], ["a"], ["a", "a"], ["b", "b"]],
            "columns": ["one", "lin", "aa", "bb"], "truncation": "none"});
        [document(json!([own])), document(json!([other]))]
    };
    for calibration in ["none", "reference"] {
        let q = with(&EVENTS, calibration).map(|document| {
            twice_nll(&document, &[("a", -0.8), ("b", 0.9)]) - twice_nll(&document, &[("a", 0.2), ("b", -0.3)])
        });
        close(q[0], q[1], 1e-12 * q[0].abs().max(10.0), calibration);
    }
}

#[test]
fn a_point_without_density_is_out_of_the_domain_and_says_where() {
    let points = grid(50);
    let mut linear = term(&EVENTS, &points);
    linear["components"][0]["ratio"]["truncation"] = json!({"max_np_order": 1});
    let (model, data) = build(&document(json!([linear])));
    let program = Program::compile(&model);
    let (mut evaluator, prepared) = (Evaluator::new(&program), program.prepare(&data));
    // 1 + 2 a (x − 0.3): events 0 and 1 are negative for a = 2.5 below x = 0.1, the first for a = 2.2 already.
    let point = [2.2, 0.0];
    assert_eq!(evaluator.twice_nll(&point, &prepared), f64::INFINITY);
    match evaluator.out_of_domain(&point, &prepared) {
        Some(OutOfDomain::Event { term: 0, row: 0, intensity }) => {
            close(intensity, YIELD * (1.0 + 4.4 * (0.05 - 0.3)), 1e-10, "intensity");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(evaluator.out_of_domain(&[0.5, 0.0], &prepared), None);
    // An event of weight zero forbids nothing.
    let mut weights = data.clone();
    weights.unbinned[0] = 0.0;
    assert!(evaluator.twice_nll(&point, &program.prepare(&weights)).is_finite());
}

/// A measurement with a linear mean beside events: the fit knows both.
#[test]
fn measurements_with_linear_means_do_not_hide_events() {
    let points = grid(400);
    let mut document = document(json!([term(&EVENTS, &points)]));
    let mean = json!({"kind": "polynomial", "monomials": [["a"], ["b"]], "coefficients": [[1.0, 0.0], [0.0, 1.0]],
        "truncation": "none"});
    document["eft"]["gaussian_measurements"] =
        json!([{"name": "m", "data": [0.9, -0.5], "uncorrelated": [0.4, 0.6], "prediction": mean}]);
    let (model, data) = build(&document);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let fit = likelihood.fit(Hesse::All);
    assert!(fit.valid);
    // No point of a fine grid is lower, and the alone-standing measurement's minimum is not it.
    let lowest = likelihood.twice_nll(&fit.parameters);
    for i in -40..=40 {
        for j in -40..=40 {
            let value = likelihood.twice_nll(&[f64::from(i) * 0.05, f64::from(j) * 0.05]);
            assert!(value >= lowest - 1e-9, "{value} below {lowest}");
        }
    }
    assert!(likelihood.twice_nll(&[0.9, -0.5]) > lowest + 0.1);
}

/// One term in two documents counts once; another Λ is refused, and another term of the name.
#[test]
fn documents_combine() {
    use morphist::document::{Document, Limits};
    use morphist::workspace::combine::{Channels, Join, Options, combine};
    let own = document(json!([term(&EVENTS, &grid(20))]));
    let read = |value: &Value, name: &str| {
        Document::from_slice(name, value.to_string().into_bytes(), &Limits::default()).unwrap()
    };
    let join = |other: &Value| {
        let options = Options { join: Join::Outer(Channels::Whole), ..Options::default() };
        combine(&[read(&own, "one"), read(other, "other")], &options)
    };
    assert_eq!(join(&own).unwrap().document["eft"], own["eft"]);
    let mut scaled = own.clone();
    scaled["eft"]["basis"]["Lambda_TeV"] = json!(2.0);
    let mut changed = own.clone();
    changed["eft"]["unbinned_terms"][0]["components"][0]["yields"]["coefficients"][0] = json!(300.0);
    for (document, rule) in [(scaled, "W352"), (changed, "W314")] {
        let told = join(&document).unwrap_err();
        let rules: Vec<&str> = told.iter().flat_map(|told| &told.findings.0).map(|finding| finding.rule).collect();
        assert_eq!(rules, [rule]);
    }
}

/// Weights w r(c) on the reference events: a fit returns to the point, with the information as curvature.
#[test]
fn asimov_data_are_at_their_point() {
    let points = grid(400);
    let (model, data) = build(&document(json!([term(&EVENTS, &points)])));
    let program = Program::compile(&model);
    let truth = at(&model, &[("a", 0.4), ("b", 0.8)]);
    let options = FitOptions::new(&model);
    let mut likelihood = Likelihood::new(&program, &data, options.clone());
    let made = asimov(&mut likelihood, AsimovPoint::Given(truth.clone()), None).unwrap().data;
    for (x, s) in points.iter().zip(&made.unbinned[EVENTS.len()..]) {
        let r = (1.0 + 0.4 * root(*x)).powi(2) + (0.8 * other(*x)).powi(2);
        close(*s, YIELD / points.len() as f64 * r, 1e-12, "s");
    }
    assert!(made.unbinned[..EVENTS.len()].iter().all(|s| *s == 0.0));
    let mut likelihood = Likelihood::new(&program, &made, options);
    let fit = likelihood.fit(Hesse::All);
    assert!(fit.valid);
    close(fit.parameters[0], 0.4, 1e-6, "a");
    close(fit.parameters[1].abs(), 0.8, 1e-6, "|b|");
    let found = information(&model, &program, &truth, &[false; 2], &[0, 1]);
    // Σ N/n ∂r∂rᵀ/r on the grid.
    let mut want = DMatrix::zeros(2, 2);
    for x in &points {
        let (one, two) = (1.0 + 0.4 * root(*x), 0.8 * other(*x));
        let slopes = [2.0 * one * root(*x), 2.0 * two * other(*x)];
        let r = one * one + two * two;
        want += DMatrix::from_fn(2, 2, |i, j| YIELD / points.len() as f64 * slopes[i] * slopes[j] / r);
    }
    let own = found.unbinned[0].as_ref().unwrap();
    assert!((own - &want).abs().max() < 1e-10 * want.max(), "{own} and {want}");
    assert!((found.profiled.unwrap() - want).abs().max() < 1e-8 * own.max());
}

/// The same density in bins: information is never more than that of single events, and λ_nc converges to theirs.
#[test]
fn bins_know_less_and_converge() {
    let points = grid(8000);
    let (model, data) = build(&document(json!([term(&EVENTS, &points)])));
    let program = Program::compile(&model);
    let truth = [0.4, 0.8];
    let whole = information(&model, &program, &truth, &[false; 2], &[0, 1]).unbinned[0].clone().unwrap();
    // Non-centrality: q of zero coefficients on Asimov data of the point.
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let made = asimov(&mut likelihood, AsimovPoint::Given(truth.to_vec()), None).unwrap().data;
    let mut on = Likelihood::new(&program, &made, FitOptions::new(&model));
    let unbinned = on.twice_nll(&[0.0, 0.0]) - on.twice_nll(&truth);
    let mut last = 0.0;
    for n_bins in [1, 2, 5, 20, 100, 400] {
        let width = points.len() / n_bins;
        let sum = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            points
                .chunks(width)
                .map(|bin| YIELD / points.len() as f64 * bin.iter().map(|x| f(*x)).sum::<f64>())
                .collect()
        };
        let coefficients =
            [sum(&|_| 1.0), sum(&|x| 2.0 * root(x)), sum(&|x| root(x).powi(2)), sum(&|x| other(x).powi(2))];
        let mut binned = document(json!([]));
        binned["eft"].as_object_mut().unwrap().remove("unbinned_terms");
        binned["channels"] = json!([{"name": "x", "samples": [{"name": "s", "data": coefficients[0], "modifiers": [
            {"name": "r", "type": "eft_polynomial", "data": {"mode": "absolute", "truncation": "none",
                "monomials": [[], ["a"], ["a", "a"], ["b", "b"]], "coefficients": coefficients}}]}]}]);
        binned["observations"] = json!([{"name": "x", "data": coefficients[0]}]);
        let (model, data) = build(&binned);
        let program = Program::compile(&model);
        let own = information(&model, &program, &truth, &[false; 2], &[0, 1]).fixed;
        let least = SymmetricEigen::new(&whole - own).eigenvalues.min();
        assert!(least >= -1e-12 * whole.max(), "{n_bins} bins know more: {least}");
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let made = asimov(&mut likelihood, AsimovPoint::Given(truth.to_vec()), None).unwrap().data;
        let mut on = Likelihood::new(&program, &made, FitOptions::new(&model));
        let lambda = on.twice_nll(&[0.0, 0.0]) - on.twice_nll(&truth);
        assert!(
            lambda > last && lambda <= unbinned * (1.0 + 1e-12),
            "{n_bins} bins: {lambda} after {last}, {unbinned}"
        );
        last = lambda;
    }
    assert!((last / unbinned - 1.0).abs() < 0.01, "{last} of 400 bins, {unbinned} of events");
}

#[test]
fn toys_are_rows_of_the_reference() {
    let points = grid(20);
    let (model, data) = build(&document(json!([term(&EVENTS, &points)])));
    let program = Program::compile(&model);
    let mut evaluator = Evaluator::new(&program);
    let point = [0.4, 0.8];
    let expected = evaluator.asimov_events(&point);
    let total: f64 = expected.iter().sum();
    let origin = Origin {
        kind: ToyKind::Frequentist,
        ensemble: Ensemble { seed: 5, value: 0.0 },
        point: &point,
        held: &[false; 2],
        bounds: &model.bounds(),
        observed: &data,
        covariance: None,
    };
    let generator = Generator::new(&mut evaluator, &origin).unwrap();
    let n = 400;
    let (mut sums, mut squares) = (vec![0.0; expected.len()], 0.0);
    let mut toy = Data::zeros(&program);
    for index in 0..n {
        generator.draw(&mut evaluator, index, &mut toy).unwrap();
        let events: f64 = toy.unbinned.iter().sum();
        squares += (events - total).powi(2);
        sums.iter_mut().zip(&toy.unbinned).for_each(|(sum, s)| *sum += s);
    }
    for (sum, s) in sums.iter().zip(&expected) {
        // Counts of rows are Poisson: four standard deviations.
        close(sum / n as f64, *s, 4.0 * (s / n as f64).sqrt(), "mean count of a row");
    }
    // The variance of the number is its mean, within four times √(2/n).
    close(squares / n as f64 / total, 1.0, 4.0 * (2.0 / n as f64).sqrt(), "variance of the number");
    let mut again = Data::zeros(&program);
    generator.draw(&mut Evaluator::new(&program), n - 1, &mut again).unwrap();
    assert_eq!(again, toy);
    // Without reference events there are neither toys nor Asimov data.
    let mut without = term(&EVENTS, &points);
    without.as_object_mut().unwrap().remove("reference");
    let (model, data) = build(&document(json!([without])));
    let program = Program::compile(&model);
    let mut evaluator = Evaluator::new(&program);
    let failure = Generator::new(&mut evaluator, &Origin { observed: &data, ..origin }).unwrap_err();
    assert_eq!(failure, GenerationFailure::NoReference { term: 0 });
    assert!(evaluator.asimov_events(&point).iter().all(|s| s.is_nan()));
}

/// Many points at once, whatever the number of threads, are single points.
#[test]
fn batches_are_single_points() {
    let (model, data) = build(&document(json!([term(&EVENTS, &grid(50))])));
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    let points: Vec<f64> = (0..40).map(|i| 0.037 * f64::from(i) - 0.7).collect();
    let mut values = [0.0; 20];
    evaluator.twice_nll_batch(&points, &prepared, &mut values);
    for (point, value) in points.chunks(2).zip(values) {
        assert_eq!(evaluator.twice_nll(point, &prepared), value);
    }
}

/// A sample of the density in equal steps of its distribution function, which closes; the same with a ratio that is wrong
/// does not.
#[test]
fn closure_finds_a_wrong_ratio() {
    let a = 0.9;
    let points = grid(4000);
    let r = |x: f64| (1.0 + a * root(x)).powi(2);
    // F(x) = [(1 + a (x − 0.3))³ − (1 − 0.3 a)³]/(3a), inverted.
    let (low, high) = ((1.0f64 - 0.3 * a).powi(3), (1.0f64 + 0.7 * a).powi(3));
    let sample: Vec<f64> = grid(4000).iter().map(|u| ((low + u * (high - low)).cbrt() - 1.0) / a + 0.3).collect();
    let own = term(&EVENTS, &points);
    let mut generated = own.clone();
    generated["reference"]["events"]["columns"] = columns(&sample);
    let wrong = |mut term: Value| {
        for place in ["/events/columns/lin", "/reference/events/columns/lin"] {
            let column = term.pointer_mut(place).unwrap().as_array_mut().unwrap();
            column.iter_mut().for_each(|value| *value = json!(0.3 * value.as_f64().unwrap()));
        }
        term
    };
    let write = |name: &str, term: &Value| {
        scratch(&format!("unbinned_{name}"), &document(json!([term])).to_string()).display().to_string()
    };
    let files = [write("own.json", &own), write("generated.json", &generated)];
    let wrong = [write("wrong.json", &wrong(own)), write("wrong_generated.json", &wrong(generated))];
    let run = |files: &[String; 2]| {
        let at = format!("a={a}");
        let arguments = ["eft", "closure", &files[0], "--independent", &files[1], "--init", &at, "--format", "json"];
        json_of(&arguments, 0)["terms"][0]["components"][0]["closure"].clone()
    };
    let (right, off) = (run(&files), run(&wrong));
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap();
    // E[r|θ] = ∫ r²/∫ r of r divided by nothing: closed form of the fifth powers.
    let total = (high - low) / (3.0 * a);
    let square = ((1.0f64 + 0.7 * a).powi(5) - (1.0f64 - 0.3 * a).powi(5)) / (5.0 * a);
    close(number(&right, "mean"), total, 1e-6, "R̂");
    close(number(&right["independent"], "mean"), square / total, 1e-6, "E[r|θ]");
    close(number(&right["independent"], "mean_inverse"), 1.0, 1e-5, "E[R̂/r|θ]");
    close(number(&right, "variance"), (square - total * total) / 4000.0, 1e-8, "variance of the mean");
    close(number(&right, "expected_mean"), number(&right, "mean"), 1e-12, "its expectation");
    // var R̂ = M (E[r|θ] − M)/N, from the reference events and from those of θ.
    for expected in [&right, &right["independent"]] {
        let ratio = number(&right, "variance") / number(expected, "expected_variance");
        close(ratio, 1.0, 1e-4, "variance over what it should be");
    }
    close(number(&right, "effective_events"), 4000.0, 1e-8, "effective events");
    assert!(number(&right["independent"], "p_value") > 0.99, "{right}");
    assert!(number(&off["independent"], "p_value") < 1e-3, "{off}");
    assert!((number(&off["independent"], "mean_inverse") - 1.0).abs() > 1e-3, "{off}");
    assert_eq!(right["non_positive"], 0);
    assert!(mean(&points, r) > 0.0);
}

/// What needs reference events, or bins, refuses by name.
#[test]
fn what_is_not_supported_is_refused_by_name() {
    let mut without = term(&EVENTS, &grid(20));
    without.as_object_mut().unwrap().remove("reference");
    let path = scratch("unbinned_without.json", &document(json!([without])).to_string()).display().to_string();
    for command in ["gof", "limit", "hypotest", "significance", "toys"] {
        let output = morphist(&[command, &path]);
        assert_ne!(output.status.code(), Some(0), "{command}");
        let message = stderr(&output);
        assert!(message.contains("the unbinned term term"), "{command}: {message}");
    }
    let output = morphist(&["asimov", &path]);
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("the unbinned term term"), "{}", stderr(&output));
    // And what is supported works.
    assert_eq!(json_of(&["fit", &path, "--format", "json"], 0)["valid"], true);
}

#[test]
fn rules() {
    let mut other = term(&EVENTS, &grid(20));
    other["name"] = json!("other");
    other["components"][0]["systematics"] = json!({"n": {"kind": "log_quadratic", "linear": "up", "quadratic": "up2"},
        "m": {"kind": "linear", "column": "up"}});
    other["components"][0]["correlated"] = json!([{"systematics": ["n", "m"], "column": "up"}]);
    other["components"][0]["replicas"] = json!({"central": "mean_ratio", "columns": [["lin", "aa", "bb"]]});
    let sound = document(json!([term(&EVENTS, &grid(20)), other]));
    build(&sound);
    let first = "/eft/unbinned_terms/0";
    let second = "/eft/unbinned_terms/1/components/0";
    let cases = [
        ("W340", "/eft/unbinned_terms/1/name".to_owned(), json!("term")),
        ("W341", format!("{first}/weight"), json!("s")),
        ("W342", format!("{first}/components/0/ratio/columns"), json!(["lin", "aa"])),
        ("W342", format!("{first}/events/columns/up"), json!([1.0])),
        ("W342", format!("{second}/replicas/columns"), json!([["lin"]])),
        ("W342", format!("{second}/replicas/nuisances"), json!(["one"])),
        ("W344", format!("{first}/components/0/yields/coefficients"), json!([0.0, 1.0, 1.0, 1.0])),
        (
            "W347",
            format!("{second}/replicas"),
            json!({"central": "mean_log_ratio", "columns": [["lin", "aa", "bb"]],
            "nuisances": ["one", "two"]}),
        ),
        (
            "W353",
            format!("{second}/replicas"),
            json!({"central": "mean_ratio", "columns": [["lin", "aa", "bb"]], "nuisances": ["one", "one"]}),
        ),
        (
            "W353",
            format!("{second}/replicas"),
            json!({"central": "mean_ratio", "columns": [["lin", "aa", "bb"]], "nuisances": ["one", "n"]}),
        ),
        ("W353", "/eft/unbinned_terms/1/components".to_owned(), {
            let components = &sound["eft"]["unbinned_terms"][1]["components"];
            let with = |name: &str, nuisances: [&str; 2]| {
                let mut component = components[0].clone();
                component["name"] = json!(name);
                component["replicas"]["nuisances"] = json!(nuisances);
                component
            };
            json!([with("signal", ["one", "two"]), with("more", ["two", "other"])])
        }),
        ("W348", format!("{second}/correlated"), json!([{"systematics": ["n", "n"], "column": "up"}])),
        ("W351", format!("{first}/components/0/normfactors"), json!(["mu"])),
    ];
    for (rule, pointer, value) in cases {
        let mut broken = sound.clone();
        set(&mut broken, &pointer, value);
        let findings = validate::check(&Workspace::from_value(&broken).unwrap(), &Scope::default());
        let ids: Vec<&str> = findings.0.iter().map(|finding| finding.rule).collect();
        assert!(!ids.is_empty() && ids.iter().all(|id| *id == rule), "{rule} at {pointer}: {findings}");
    }
    let mut without = sound.clone();
    without.pointer_mut(first).unwrap().as_object_mut().unwrap().remove("reference");
    set(&mut without, &format!("{first}/components/0/calibration"), json!("reference"));
    let findings = validate::check(&Workspace::from_value(&without).unwrap(), &Scope::default());
    assert_eq!(findings.0.iter().map(|f| f.rule).collect::<Vec<_>>(), ["W345"]);
    // What only the numbers show.
    let power = json!({"n": {"kind": "power", "column": "lin"}});
    let basis = json!({"kind": "basis_points", "parameters": ["a"], "basis_points": [[0.0], [0.0]], "columns": ["up", "up2"],
        "encoding": "ratio", "truncation": "none", "components": {"monomials": [[], ["a"]]}});
    let mut late = vec![
        ("W343", format!("{first}/weight"), json!("lin")),
        ("W346", format!("{first}/components/0/systematics"), power),
        ("W350", format!("{first}/components/0/ratio"), basis),
    ];
    let huge = json!({"uri": "none.parquet", "sha256": "0".repeat(64), "n_rows": 500_000_000,
        "media_type": "application/vnd.apache.parquet"});
    late.push(("W349", format!("{first}/events"), huge));
    for (rule, pointer, value) in late {
        let mut broken = sound.clone();
        set(&mut broken, &pointer, value);
        let workspace = Workspace::from_value(&broken).unwrap();
        let findings = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap_err();
        let ids: Vec<&str> = findings.0.iter().map(|finding| finding.rule).collect();
        assert_eq!(ids, [rule], "{pointer}: {findings}");
        assert!(findings.0[0].pointer.as_ref().is_some_and(|place| place.starts_with(first)), "{findings}");
    }
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
}
