//! Measurements with Gaussian errors against the equations of spec/gaussian.md, written out in the test.

use morphist::document::workspace::Workspace;
use morphist::infer::eft::information::information;
use morphist::infer::generate::{Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use nalgebra::{DMatrix, DVector};
use serde_json::{Value, json};

/// Two measurements of 3 and 2 points with all kinds of errors.
fn measurements() -> Value {
    json!([
        {"name": "first", "data": [10.0, 22.0, 5.5], "multiplicative": "t0",
         "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [[], ["a"], ["a", "b"], ["b", "b", "b"]],
             "coefficients": [[9.0, 20.0, 6.0], [1.0, -2.0, 0.5], [0.3, 0.1, 0.0], [0.05, 0.0, -0.02]]},
         "uncorrelated": [0.5, 0.8, 0.3],
         "covariance": [[0.4, 0.1, 0.0], [0.1, 0.6, -0.05], [0.0, -0.05, 0.2]],
         "systematics": [
             {"name": "each", "correlation": "none", "kind": "additive", "values": [0.1, 0.2, 0.3]},
             {"name": "own", "correlation": "measurement", "kind": "multiplicative", "values": [0.03, -0.02, 0.05]},
             {"name": "lumi_13", "correlation": "name", "kind": "multiplicative", "values": [0.02, 0.02, 0.02]},
             {"name": "only_here", "correlation": "name", "kind": "additive", "values": [0.2, 0.1, -0.1]}]},
        {"name": "second", "data": [0.8, -0.1], "multiplicative": "data",
         "prediction": {"kind": "rational", "expansion": "full", "factor_truncation": "none", "factors": [
             {"power": 1, "monomials": [[], ["a"], ["b", "b"]], "coefficients": [[1.0, 0.1], 0.2, [0.1, -0.3]]},
             {"power": -1, "monomials": [[], ["b"]], "coefficients": [1.2, 0.1]}]},
         "theory_covariance": [[0.01, 0.002], [0.002, 0.03]],
         "systematics": [
             {"name": "lumi_13", "correlation": "name", "kind": "multiplicative", "values": [0.025, 0.04]},
             {"name": "jes", "correlation": "name", "kind": "additive", "values": [0.01, 0.03]}]},
    ])
}

fn eft(more: &[(&str, Value)]) -> Value {
    let mut eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "a", "bounds": [-5.0, 5.0]}, {"name": "b", "bounds": [-5.0, 5.0]}],
        "gaussian_measurements": measurements(),
        "gaussian_correlations": [
            {"measurements": ["second", "first"], "covariance": [[0.02, -0.01, 0.0], [0.0, 0.03, 0.01]]}],
    });
    for (key, value) in more {
        eft[*key] = value.clone();
    }
    eft
}

fn document(eft: Value) -> Value {
    json!({"version": "1.0.0", "channels": [], "observations": [], "eft": eft,
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}]})
}

/// A channel whose normsys is the jes of the second measurement.
fn with_channel(mut document: Value) -> Value {
    document["channels"] = json!([{"name": "SR", "samples": [{"name": "s", "data": [50.0, 20.0], "modifiers": [
        {"name": "jes", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}},
        {"name": "r", "type": "eft_polynomial", "data": {"mode": "relative", "truncation": "none",
            "monomials": [[], ["a"], ["a", "a"]], "coefficients": [1.0, [0.1, 0.3], [0.02, 0.1]]}}]}]}]);
    document["observations"] = json!([{"name": "SR", "data": [55.0, 24.0]}]);
    document
}

fn compile(document: &Value) -> (Model, Program, Data) {
    let workspace = Workspace::from_value(document).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings:?}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model.clone(), Program::compile(&model), data)
}

fn twice_nll(document: &Value, at: &[f64]) -> f64 {
    let (_, program, data) = compile(document);
    Evaluator::new(&program).twice_nll(at, &program.prepare(&data))
}

/// The means at (a, b).
fn means(a: f64, b: f64) -> [f64; 5] {
    let second = |sm: f64, square: f64| (sm + 0.2 * a + square * b * b) / (1.2 + 0.1 * b);
    [
        9.0 + a + 0.3 * a * b + 0.05 * b * b * b,
        20.0 - 2.0 * a + 0.1 * a * b,
        6.0 + 0.5 * a - 0.02 * b * b * b,
        second(1.0, 0.1),
        second(0.1, -0.3),
    ]
}

const DATA: [f64; 5] = [10.0, 22.0, 5.5, 0.8, -0.1];

/// The errors of jes.
const JES: [f64; 5] = [0.0, 0.0, 0.0, 0.01, 0.03];

/// V of eq. 2, term by term; without jes where it is a parameter.
fn covariance(with_jes: bool) -> DMatrix<f64> {
    let mut v = DMatrix::<f64>::zeros(5, 5);
    let mut outer =
        |errors: [f64; 5]| v += DVector::from_row_slice(&errors) * DVector::from_row_slice(&errors).transpose();
    outer([0.03 * 9.0, -0.02 * 20.0, 0.05 * 6.0, 0.0, 0.0]);
    outer([0.02 * 9.0, 0.02 * 20.0, 0.02 * 6.0, 0.025 * 0.8, 0.04 * -0.1]);
    outer([0.2, 0.1, -0.1, 0.0, 0.0]);
    if with_jes {
        outer(JES);
    }
    let diagonal: [f64; 5] = [0.25 + 0.01 + 0.4, 0.64 + 0.04 + 0.6, 0.09 + 0.09 + 0.2, 0.01, 0.03];
    for (i, variance) in diagonal.into_iter().enumerate() {
        v[(i, i)] += variance;
    }
    let crossed = [(0, 1, 0.1), (1, 2, -0.05), (3, 4, 0.002), (3, 0, 0.02), (3, 1, -0.01), (4, 1, 0.03), (4, 2, 0.01)];
    for (i, j, x) in crossed {
        v[(i, j)] += x;
        v[(j, i)] += x;
    }
    v
}

/// Eq. 1.
fn gaussian(v: &DMatrix<f64>, residuals: &[f64; 5]) -> f64 {
    let r = DVector::from_row_slice(residuals);
    let chi2 = (r.transpose() * v.clone().try_inverse().unwrap() * &r)[(0, 0)];
    chi2 + v.determinant().ln() + 5.0 * (2.0 * std::f64::consts::PI).ln()
}

fn residuals(a: f64, b: f64) -> [f64; 5] {
    let t = means(a, b);
    std::array::from_fn(|i| DATA[i] - t[i])
}

fn close(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{got} and {want}");
}

const POINTS: [(f64, f64); 4] = [(0.0, 0.0), (0.7, -1.3), (-2.1, 0.4), (3.0, 2.5)];

#[test]
fn all_kinds_of_errors_make_the_covariance() {
    // The correlation joins the two measurements into one block; without it lumi_13 is shared between two.
    for correlated in [true, false] {
        let mut eft = eft(&[]);
        let mut v = covariance(true);
        if !correlated {
            eft.as_object_mut().unwrap().remove("gaussian_correlations");
            for (i, j, x) in [(3, 0, 0.02), (3, 1, -0.01), (4, 1, 0.03), (4, 2, 0.01)] {
                v[(i, j)] -= x;
                v[(j, i)] -= x;
            }
        }
        let document = document(eft);
        for (a, b) in POINTS {
            close(twice_nll(&document, &[a, b]), gaussian(&v, &residuals(a, b)), 1e-12);
        }
    }
}

#[test]
fn means_are_expected_auxiliary_data() {
    let (model, program, _) = compile(&document(eft(&[])));
    assert_eq!(model.auxdata(), DATA);
    for (a, b) in POINTS {
        let mut auxiliary = [0.0; 5];
        Evaluator::new(&program).expected(&[a, b], &mut [], &mut auxiliary);
        for (got, want) in auxiliary.into_iter().zip(means(a, b)) {
            close(got, want, 1e-14);
        }
    }
}

/// The minimum over nuisances that are parameters is the covariance form: −2 ln L is a parabola in them, so one Newton
/// step finds it.
#[test]
fn nuisances_and_covariance_agree() {
    let (_, program, data) = compile(&document(eft(&[("named_systematics", json!("parameters"))])));
    let data = program.prepare(&data);
    let n = program.n_parameters();
    assert_eq!(n, 5);
    let reference = {
        let (_, program, data) = compile(&document(eft(&[])));
        let data = program.prepare(&data);
        move |a: f64, b: f64| Evaluator::new(&program).reduced(&[a, b], &data)
    };
    for (a, b) in POINTS {
        let mut evaluator = Evaluator::new(&program);
        let mut at = vec![a, b, 0.3, -0.2, 0.9];
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        evaluator.hessian(&at, &data, &mut gradient, &mut hessian);
        let h = DMatrix::from_fn(3, 3, |i, j| hessian[(i + 2) * n + j + 2]);
        let step = h.try_inverse().unwrap() * DVector::from_row_slice(&gradient[2..]);
        at[2..].iter_mut().zip(step.iter()).for_each(|(x, s)| *x -= s);
        close(evaluator.reduced(&at, &data), reference(a, b), 1e-12);
    }
}

/// Derivatives against fourth-order differences, with a channel that shares a coefficient and a nuisance.
#[test]
fn derivatives_are_differences() {
    let plain = document(eft(&[]));
    for document in [plain.clone(), document(eft(&[("named_systematics", json!("parameters"))])), with_channel(plain)] {
        let (_, program, data) = compile(&document);
        let data = program.prepare(&data);
        let n = program.n_parameters();
        let at: Vec<f64> = (0..n).map(|i| 0.4 - 0.3 * i as f64).collect();
        let mut evaluator = Evaluator::new(&program);
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        evaluator.hessian(&at, &data, &mut gradient, &mut hessian);
        for i in 0..n {
            let (mut slope, mut slopes) = (0.0, vec![0.0; n]);
            let h = 1e-3;
            for (step, weight) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
                let mut moved = at.clone();
                moved[i] += h * step;
                let mut of_moved = vec![0.0; n];
                slope += weight * evaluator.gradient(&moved, &data, &mut of_moved) / (12.0 * h);
                slopes.iter_mut().zip(&of_moved).for_each(|(s, g)| *s += weight * g / (12.0 * h));
            }
            close(gradient[i], slope, 1e-8);
            for j in 0..n {
                close(hessian[i * n + j], slopes[j], 1e-8);
            }
        }
    }
}

/// A nuisance that a channel has: its constraint counts once, and its errors move the means.
#[test]
fn a_channel_shares_a_nuisance() {
    let both = with_channel(document(eft(&[])));
    let mut channel = both.clone();
    channel["eft"].as_object_mut().unwrap().remove("gaussian_measurements");
    channel["eft"].as_object_mut().unwrap().remove("gaussian_correlations");
    channel["eft"]["wilson_coefficients"] = json!([{"name": "a", "bounds": [-5.0, 5.0]}]);
    let (model, ..) = compile(&both);
    assert_eq!(model.parameter_names(), ["jes", "a", "b"]);
    for (jes, (a, b)) in [0.0, 1.2, -0.7, 0.4].into_iter().zip(POINTS) {
        let mut moved = residuals(a, b);
        moved.iter_mut().zip(JES).for_each(|(r, e)| *r -= jes * e);
        let want = twice_nll(&channel, &[jes, a]) + gaussian(&covariance(false), &moved);
        close(twice_nll(&both, &[jes, a, b]), want, 1e-12);
    }
}

/// What the rules say of broken measurements.
#[test]
fn rules() {
    let broken: [(&str, &str, Value); 15] = [
        ("W320", "/eft/gaussian_measurements/1/name", json!("first")),
        ("W320", "/eft/gaussian_measurements/0/systematics/1/name", json!("each")),
        ("W320", "/eft/gaussian_correlations/0/measurements/1", json!("second")),
        ("W320", "/eft/gaussian_measurements/1/name", json!("")),
        ("W320", "/eft/gaussian_measurements/0/systematics/1/name", json!("")),
        ("W321", "/eft/gaussian_measurements/0/prediction/coefficients/1", json!([1.0])),
        ("W321", "/eft/gaussian_measurements/0/uncorrelated", json!([1.0])),
        ("W321", "/eft/gaussian_measurements/0/covariance/1", json!([1.0])),
        ("W321", "/eft/gaussian_measurements/1/systematics/0/values", json!([1.0])),
        ("W322", "/eft/gaussian_measurements/0/covariance/1/0", json!(0.2)),
        ("W325", "/eft/gaussian_measurements/0/uncorrelated/1", json!(-0.2)),
        ("W326", "/eft/gaussian_correlations/0/measurements/0", json!("third")),
        ("W203", "/eft/gaussian_measurements/1/systematics/1/name", json!("a")),
        ("W220", "/eft/gaussian_measurements/1/prediction/factors/0/power", json!(0)),
        ("W221", "/eft/gaussian_measurements/1/prediction/factors/1", Value::Null),
    ];
    for (rule, pointer, value) in broken {
        let mut document = document(eft(&[]));
        if rule == "W221" {
            document.pointer_mut(pointer).unwrap()["coefficients"] = json!([0.1, 0.5]);
        } else {
            *document.pointer_mut(pointer).unwrap() = value;
        }
        let findings = validate::check(&Workspace::from_value(&document).unwrap(), &Scope::default());
        let found = findings.0.iter().find(|finding| finding.rule == rule);
        let found = found.unwrap_or_else(|| panic!("{rule} at {pointer}: {findings:?}"));
        assert_eq!(found.pointer.as_deref(), Some(pointer), "{rule}");
    }
    let mut unsaid = document(eft(&[]));
    unsaid.pointer_mut("/eft/gaussian_measurements/0").unwrap().as_object_mut().unwrap().remove("multiplicative");
    let findings = validate::check(&Workspace::from_value(&unsaid).unwrap(), &Scope::default());
    assert!(findings.0.iter().any(|finding| finding.rule == "W323"));
    let mut singular = document(eft(&[]));
    *singular.pointer_mut("/eft/gaussian_measurements/1/theory_covariance").unwrap() =
        json!([[0.01, 0.02], [0.02, 0.03]]);
    let refused = |document: &Value| {
        let workspace = Workspace::from_value(document).unwrap();
        from_pyhf::model(&workspace, &ModelOptions::default()).unwrap_err()
    };
    assert_eq!(refused(&singular).0[0].rule, "W324");
    // Squares that are no numbers are another fault than correlations.
    for (error, word) in [(1e160, "beyond the numbers"), (1e-170, "not positive definite")] {
        let mut far = document(eft(&[]));
        *far.pointer_mut("/eft/gaussian_measurements/1").unwrap() = json!({"name": "second", "data": [0.8, -0.1],
            "uncorrelated": [0.1, error], "prediction": {"kind": "polynomial", "truncation": "none",
                "monomials": [[], ["a"]], "coefficients": [1.0, 0.2]}});
        far["eft"]["gaussian_correlations"] = json!([]);
        let found = refused(&far);
        assert_eq!(found.0[0].rule, "W324");
        assert!(found.0[0].found.contains(word) && found.0[0].found.contains("second"), "{found}");
    }
}

/// Two points whose difference is what rounding leaves of it are a warning with their names.
#[test]
fn correlations_next_to_one_are_told() {
    for (rho, told) in [(1.0 - 1e-15, true), (-(1.0 - 1e-13), true), (1.0 - 1e-9, false)] {
        let own = json!({"name": "twins", "data": [1.0, 2.0], "covariance": [[4.0, 4.0 * rho], [4.0 * rho, 4.0]],
            "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [[], ["a"], ["b"]],
                "coefficients": [1.0, [0.2, 0.1], [0.1, 0.3]]}});
        let document = document(eft(&[("gaussian_measurements", json!([own])), ("gaussian_correlations", json!([]))]));
        let (model, ..) = compile(&document);
        let warnings: Vec<&str> = model.warnings.0.iter().map(|w| w.rule).collect();
        assert_eq!(warnings, if told { vec!["W328"] } else { vec![] }, "{rho}: {}", model.warnings);
        assert!(!told || model.warnings.0[0].found.contains("point 0 of \"twins\" and point 1 of \"twins\""));
    }
}

/// A plain workspace still needs a channel.
#[test]
fn a_document_without_measurements_has_channels() {
    let mut plain = document(eft(&[]));
    plain.as_object_mut().unwrap().remove("eft");
    let findings = Workspace::from_value(&plain).unwrap_err();
    assert!(findings.0.iter().any(|finding| finding.pointer.as_deref() == Some("/channels")), "{findings:?}");
}

/// The points of toys vary around their means with the covariance of the document: within five standard errors of its
/// elements, (V_ij² + V_ii V_jj)/n.
#[test]
fn toys_have_the_covariance() {
    let (model, program, data) = compile(&document(eft(&[])));
    let mut evaluator = Evaluator::new(&program);
    let (bounds, point) = (model.bounds(), [0.5, -0.5]);
    let origin = Origin {
        kind: ToyKind::MainOnly,
        ensemble: Ensemble { seed: 7, value: 0.0 },
        point: &point,
        held: &[false; 2],
        bounds: &bounds,
        observed: &data,
        covariance: None,
    };
    let generator = Generator::new(&mut evaluator, &origin).unwrap();
    let (t, v, n) = (means(0.5, -0.5), covariance(true), 20_000);
    let mut sums = DMatrix::<f64>::zeros(5, 5);
    let mut toy = data.clone();
    for index in 0..n {
        generator.draw(&mut evaluator, index, &mut toy).unwrap();
        let r = DVector::from_iterator(5, toy.auxiliary.iter().zip(t).map(|(d, t)| d - t));
        sums += &r * r.transpose();
    }
    for i in 0..5 {
        for j in 0..5 {
            let error = ((v[(i, j)] * v[(i, j)] + v[(i, i)] * v[(j, j)]) / n as f64).sqrt();
            let got = sums[(i, j)] / n as f64;
            assert!((got - v[(i, j)]).abs() < 5.0 * error, "({i}, {j}): {got} and {}", v[(i, j)]);
        }
    }
}

/// Whitened residuals and the information against V, inverted in the test.
#[test]
fn information_is_of_the_inverse_covariance() {
    let (model, program, _) = compile(&document(eft(&[])));
    let v = covariance(true);
    let r = [0.3, -1.1, 0.2, 0.05, -0.4];
    let squares: f64 = program.whiten(&r).iter().map(|z| z * z).sum();
    let column = DVector::from_row_slice(&r);
    close(squares, (column.transpose() * v.clone().try_inverse().unwrap() * column)[(0, 0)], 1e-12);
    let (a, b) = (0.7, -0.4);
    let step = 1e-4;
    // Third-order polynomials, and a ratio of gentle ones: fourth-order differences are exact enough.
    let slope = |d: [f64; 2]| -> DVector<f64> {
        let at = |t: f64| DVector::from_row_slice(&means(a + t * d[0], b + t * d[1]));
        ((at(step) - at(-step)) * 8.0 - at(2.0 * step) + at(-2.0 * step)) / (12.0 * step)
    };
    let slopes = [slope([1.0, 0.0]), slope([0.0, 1.0])];
    let fixed = vec![false; program.n_parameters()];
    let found = information(&model, &program, &[a, b], &fixed, &[0, 1]);
    let inverse = v.try_inverse().unwrap();
    for i in 0..2 {
        for j in 0..2 {
            let want = (slopes[i].transpose() * &inverse * &slopes[j])[(0, 0)];
            close(found.fixed[(i, j)], want, 1e-9);
            close(found.measurements.as_ref().unwrap()[(i, j)], want, 1e-9);
            close(found.profiled.as_ref().unwrap()[(i, j)], want, 1e-9);
        }
    }
}

/// Errors that are fractions of the means, profiled, are a covariance that follows them (eq. 6).
#[test]
fn errors_that_follow_the_prediction() {
    let mut whole = document(eft(&[("gaussian_correlations", json!([]))]));
    let measurements = whole["eft"]["gaussian_measurements"].as_array_mut().unwrap();
    measurements[0]["multiplicative"] = json!("model");
    measurements[0]["systematics"][1]["correlation"] = json!("name");
    let (model, program, data) = compile(&whole);
    let data = program.prepare(&data);
    let position = |name: &str| model.parameters.iter().position(|set| set.name == name);
    assert!(position("own").is_some() && position("lumi_13").is_some() && position("jes").is_none());
    for (a, b) in [(0.0, 0.0), (0.7, -0.4), (-1.2, 0.9)] {
        let mut options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
        (options.init[0], options.init[1]) = (a, b);
        (options.fixed[0], options.fixed[1]) = (true, true);
        let result = fit(&mut Evaluator::new(&program), &data, &options);
        assert!(result.valid, "{:?}", result.reason);
        let t = means(a, b);
        let mut v = covariance(true);
        for i in 0..3 {
            for j in 0..5 {
                let (own, lumi) = ([0.03, -0.02, 0.05, 0.0, 0.0], [0.02, 0.02, 0.02, 0.0, 0.0]);
                let t0 = [9.0, 20.0, 6.0, 0.0, 0.0];
                let theirs = |fractions: [f64; 5], k: usize, at: [f64; 5]| fractions[k] * at[k];
                let second = [0.0, 0.0, 0.0, 0.025 * 0.8, 0.04 * -0.1];
                let lumi_of = |k: usize, at: [f64; 5]| theirs(lumi, k, at) + second[k];
                let change = |at: [f64; 5]| theirs(own, i, at) * theirs(own, j, at) + lumi_of(i, at) * lumi_of(j, at);
                let delta = change(t) - change(t0);
                v[(i, j)] += delta;
                if j > 2 {
                    v[(j, i)] += delta;
                }
            }
        }
        // The document has no correlations between the two.
        for (i, j, x) in [(3, 0, 0.02), (3, 1, -0.01), (4, 1, 0.03), (4, 2, 0.01)] {
            v[(i, j)] -= x;
            v[(j, i)] -= x;
        }
        let r = DVector::from_row_slice(&residuals(a, b));
        let chi2 = (r.transpose() * v.try_inverse().unwrap() * &r)[(0, 0)];
        close(Evaluator::new(&program).reduced(&result.parameters, &data), chi2, 1e-9);
    }
}

/// Asimov data set the points to their means; at zero those are the first coefficients of the fixture.
#[test]
fn asimov_data_set_the_points() {
    let file = "fixtures/eft_gaussian_marginalised/workspace.json";
    let arguments = ["asimov", file, "--init", "c1=0", "--init", "c2=0"];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_morphist")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let measurement = &document["eft"]["gaussian_measurements"][0];
    assert_eq!(measurement["data"], measurement["prediction"]["coefficients"][0]);
}
