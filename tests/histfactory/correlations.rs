//! Correlated constraints (spec/constraints.md, "Correlated constraints"): values by closed forms and by pyhf with independent
//! parameters, derivatives by differences, toys by their moments, and schemes that make them.

use crate::common;

use common::combination::{build, document, told};
use morphist::infer::generate::{Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::Evaluator;
use morphist::model::Data;
use morphist::program::Program;
use morphist::workspace::combine::{Channels, Join, Options, combine};
use morphist::workspace::{Scope, load_value};
use serde_json::{Value, json};

const RHO: f64 = 0.6;
const A: [f64; 3] = [5.0, -3.0, 2.0];
const B: [f64; 3] = [2.0, 4.0, 3.0];

/// A signal, and a background that two systematics shift by so much in each bin.
fn workspace(systematics: &[(&str, [f64; 3])]) -> Value {
    let nominal = [50.0, 60.0, 40.0];
    let histosys = |(name, shift): &(&str, [f64; 3])| {
        let side = |sign: f64| -> Vec<f64> { nominal.iter().zip(shift).map(|(n, s)| n + sign * s).collect() };
        json!({"name": name, "type": "histosys", "data": {"hi_data": side(1.0), "lo_data": side(-1.0)}})
    };
    json!({
        "channels": [{"name": "c", "samples": [
            {"name": "signal", "data": [4.0, 6.0, 3.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]},
            {"name": "background", "data": nominal, "modifiers": systematics.iter().map(histosys).collect::<Vec<_>>()}
        ]}],
        "observations": [{"name": "c", "data": [58, 63, 47]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0"
    })
}

fn correlated(rho: f64) -> Value {
    let mut value = workspace(&[("a", A), ("b", B)]);
    let group = json!({"parameters": ["a", "b"], "matrix": [[1.0, rho], [rho, 1.0]]});
    value["correlations"] = json!({"version": "0.1.0", "groups": [group]});
    value
}

/// α_b = ρ α_a + √(1 − ρ²) z with an independent z is the same likelihood but for ln det R = ln(1 − ρ²). The numbers are those of
/// pyhf 0.7.6's −2 ln L for shifts A + ρ B and √(1 − ρ²) B, minimised by Newton steps with fourth-order differences, the covariance
/// turned to the correlated parameters.
#[test]
fn correlated_is_decorrelated() {
    let (model, data) = build(&correlated(RHO));
    assert_eq!(model.parameter_names(), ["a", "b", "mu"]);
    let program = Program::compile(&model);
    let rest = (1.0 - RHO * RHO).sqrt();
    let at = [1.1, RHO * 1.1 + rest * 0.3, -0.4];
    let found = Evaluator::new(&program).twice_nll(&at, &program.prepare(&data));
    let pyhf = 23.325605942373567 + (1.0 - RHO * RHO).ln();
    assert!((found - pyhf).abs() < 1e-11, "{found} {pyhf}");
    let fit = Likelihood::new(&program, &data, FitOptions::new(&model)).fit(Hesse::All);
    let uncertainties = fit.uncertainties.unwrap();
    let minimum = 21.704407011390895 + (1.0 - RHO * RHO).ln();
    assert!(fit.valid && (fit.twice_nll - minimum).abs() < 1e-9, "{}", fit.twice_nll);
    let best = [0.39304024, 0.25920349, 1.01076665];
    let errors = [0.78818587, 0.92252501, 1.23953752];
    for i in 0..3 {
        assert!((fit.parameters[i] - best[i]).abs() < 1e-5, "{i}: {}", fit.parameters[i]);
        assert!((uncertainties[i] - errors[i]).abs() < 1e-5, "{i}: {}", uncertainties[i]);
    }
}

/// Gradient and Hessian against differences; a systematic of one bin alone too, whose parameter belongs to that bin otherwise.
#[test]
fn derivatives() {
    let mut value = correlated(-0.4);
    value["channels"][0]["samples"][1]["modifiers"].as_array_mut().unwrap().extend([
        json!({"name": "c", "type": "normsys", "data": {"lo": 0.9, "hi": 1.2}}),
        json!({"name": "st", "type": "staterror", "data": [2.0, 3.0, 1.0]}),
    ]);
    value["correlations"]["groups"][0] = json!({
        "parameters": ["c", "a", "b"], "matrix": [[1.0, 0.3, -0.2], [0.3, 1.0, -0.4], [-0.2, -0.4, 1.0]]});
    let (model, data) = build(&value);
    let program = Program::compile(&model);
    let prepared = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    let n = model.n_parameters();
    let point: Vec<f64> = (0..n).map(|i| 0.4 + 0.1 * i as f64).collect();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    evaluator.hessian(&point, &prepared, &mut gradient, &mut hessian);
    let h = 1e-5;
    for i in 0..n {
        let mut at = |x: f64| {
            let (mut moved, mut slope) = (point.clone(), vec![0.0; n]);
            moved[i] += x;
            (evaluator.gradient(&moved, &prepared, &mut slope), slope)
        };
        let ((high, above), (low, below)) = (at(h), at(-h));
        let slope = (high - low) / (2.0 * h);
        assert!((gradient[i] - slope).abs() < 1e-6 * slope.abs().max(1.0), "{i}: {} {slope}", gradient[i]);
        for j in 0..n {
            let second = (above[j] - below[j]) / (2.0 * h);
            let got = hessian[i * n + j];
            assert!((got - second).abs() < 1e-6 * second.abs().max(1.0), "{i} {j}: {got} {second}");
        }
    }
}

/// The auxiliary data of toys, and the parameters of those that draw these, are correlated by R: sample covariances within five
/// standard deviations.
#[test]
fn toys_are_correlated() {
    let (model, data) = build(&correlated(RHO));
    let program = Program::compile(&model);
    let mut evaluator = Evaluator::new(&program);
    let (point, held) = ([0.3, -0.2, 1.0], [false; 3]);
    let generator = Generator::new(
        &mut evaluator,
        &Origin {
            kind: ToyKind::Frequentist,
            ensemble: Ensemble { seed: 3, value: f64::NAN },
            point: &point,
            held: &held,
            bounds: &model.bounds(),
            observed: &data,
            covariance: None,
        },
    )
    .unwrap();
    let toys = 20_000;
    let mut sums = [0.0; 5];
    for toy in 0..toys {
        let mut drawn = Data { densities: None, ..data.clone() };
        generator.draw(&mut evaluator, toy, &mut drawn).unwrap();
        let (a, b) = (drawn.auxiliary[0] - point[0], drawn.auxiliary[1] - point[1]);
        for (sum, x) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
            *sum += x / toys as f64;
        }
    }
    let sigma = 1.0 / (toys as f64).sqrt();
    assert!(sums[0].abs() < 5.0 * sigma && sums[1].abs() < 5.0 * sigma, "{sums:?}");
    assert!((sums[2] - 1.0).abs() < 7.1 * sigma && (sums[3] - 1.0).abs() < 7.1 * sigma, "{sums:?}");
    assert!((sums[4] - RHO).abs() < 5.0 * sigma * (1.0 + RHO * RHO).sqrt(), "{sums:?}");
}

/// What constraints add to the goodness of fit is zᵀR⁻¹z, by hand for two parameters; the impacts of auxiliary data together, with
/// their correlation, are what is not statistical.
#[test]
fn what_follows_from_a_fit() {
    let (model, data) = build(&correlated(RHO));
    let program = Program::compile(&model);
    let mut on = Likelihood::new(&program, &data, FitOptions::new(&model));
    let parameters = [0.7, -0.5, 1.2];
    let gof = morphist::infer::goodness_of_fit::saturated(&mut on, &parameters);
    let parts: f64 = gof.constraints.iter().map(|(_, part)| part).sum();
    let (a, b) = (parameters[0], parameters[1]);
    let expected = (a * a - 2.0 * RHO * a * b + b * b) / (1.0 - RHO * RHO);
    assert!((parts - expected).abs() < 1e-12, "{parts} {expected}");
    let bins: f64 = gof.bins.iter().sum();
    assert!((gof.statistic - bins - parts).abs() < 1e-9, "{} {bins} {parts}", gof.statistic);
}

/// Each mistake with its rule and its place.
#[test]
fn mistakes_are_told() {
    let found = |groups: Value| {
        let mut value = workspace(&[("a", A), ("b", B)]);
        value["correlations"] = json!({"version": "0.1.0", "groups": groups});
        let findings = load_value(value, &Scope::default()).unwrap_err();
        findings.0.iter().map(|f| format!("{} {}", f.rule, f.pointer.as_deref().unwrap_or("?"))).collect::<Vec<_>>()
    };
    let unit = json!([[1.0, 0.5], [0.5, 1.0]]);
    let group = |names: [&str; 2], matrix: &Value| json!([{"parameters": names, "matrix": matrix}]);
    assert_eq!(found(group(["a", "mu"], &unit)), ["W150 /correlations/groups/0/parameters/1"]);
    assert_eq!(found(group(["a", "a"], &unit)), ["W150 /correlations/groups/0/parameters/1"]);
    assert_eq!(found(group(["a", "none"], &unit)), ["W150 /correlations/groups/0/parameters/1"]);
    for (matrix, place) in [
        (json!([[1.0, 0.5]]), ""),
        (json!([[1.0, 0.5], [0.4, 1.0]]), "/1/0"),
        (json!([[2.0, 0.5], [0.5, 1.0]]), "/0/0"),
        (json!([[1.0, 1.0], [1.0, 1.0]]), "/1/0"),
    ] {
        assert_eq!(
            found(group(["a", "b"], &matrix)),
            [format!("W151 /correlations/groups/0/matrix{place}")],
            "{matrix}"
        );
    }
    let mut value = workspace(&[("a", A), ("b", B), ("c", B)]);
    let matrix = json!([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]);
    value["correlations"] = json!({"version": "0.1.0", "groups": [{"parameters": ["a", "b", "c"], "matrix": matrix}]});
    assert_eq!(load_value(value, &Scope::default()).unwrap_err().0[0].rule, "W151");
}

/// A scheme makes correlations: at any point the sum of both likelihoods, with zᵀ(R⁻¹ − 1)z + ln det R by hand.
#[test]
fn schemes_correlate() {
    let first = workspace(&[("a", A), ("b", B)]);
    let mut second = common::combination::twin(&first, "_twin");
    second["measurements"][0]["config"]["parameters"] = json!([]);
    let scheme = json!({"version": "0.1.0", "parameters": [{
        "correlated": [{"label": "x", "name": "a"}, {"label": "y", "name": "a"}], "matrix": [[1.0, 0.5], [0.5, 1.0]]}]});
    let documents = [document("x", &first), document("y", &second)];
    let options =
        Options { join: Join::Outer(Channels::Whole), scheme: Some(document("scheme", &scheme)), ..Options::default() };
    let combined = combine(&documents, &options).map_err(|all| told(&all)).unwrap();
    let whole = build(&combined.document);
    assert_eq!(whole.0.parameter_names(), ["b", "x_a", "y_a", "mu"]);
    let parts = [build(&combined.parts[0]), build(&combined.parts[1])];
    for point in [[0.2, -0.3, 0.8, 1.1], [-0.5, 1.4, 0.1, 0.6]] {
        let [b, x, y, mu] = point;
        let nll = |part: &(morphist::model::Model, Data), own: &[f64]| {
            let names = part.0.parameter_names();
            let value = |name: &String| own[["b", "a", "mu"].iter().position(|n| name.ends_with(n)).unwrap()];
            common::combination::twice_nll(part, &names.iter().map(value).collect::<Vec<_>>())
        };
        let shared = b * b + (2.0 * std::f64::consts::PI).ln();
        let added = (x * x - x * y + y * y) / 0.75 - x * x - y * y + 0.75_f64.ln();
        let expected = nll(&parts[0], &[b, x, mu]) + nll(&parts[1], &[b, y, mu]) - shared + added;
        let found = common::combination::twice_nll(&whole, &point);
        assert!((found - expected).abs() < 1e-11, "{found} {expected}");
    }
}
