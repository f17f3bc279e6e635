//! Functions of HS3 documents by their formulas: interpolation, steps, derivatives, integrals, resolutions, and other forms
//! of data.

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{Functions, Graph, Options, Selection};
use morphist::model::interpolation::{HistosysCode, NormsysCode};
use serde_json::{Value, json};

fn read(value: &Value) -> Hs3Document {
    Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"))
}

/// The function `f` at values of parameters, and its derivatives to them, checked against central differences.
fn function(functions: Value, parameters: &[(&str, f64)]) -> (f64, Vec<f64>) {
    let document = read(&json!({"metadata": {"hs3_version": "0.2"}, "functions": functions}));
    let functions = Functions::compile(&document, &["f".to_string()]).unwrap();
    let order = |name: &str| functions.parameters.iter().position(|p| p.name == name).unwrap();
    let mut theta = vec![0.0; functions.parameters.len()];
    parameters.iter().for_each(|(name, x)| theta[order(name)] = *x);
    let mut scratch = functions.scratch();
    let mut gradient = vec![0.0; theta.len()];
    let value = |theta: &[f64], scratch: &mut _| {
        let mut out = [0.0];
        functions.values(theta, &mut out, scratch);
        out[0]
    };
    for i in 0..theta.len() {
        let mut at = |h: f64| {
            let mut moved = theta.clone();
            moved[i] += h;
            value(&moved, &mut scratch)
        };
        gradient[i] = (at(1e-5) - at(-1e-5)) / 2e-5;
    }
    let result = value(&theta, &mut scratch);
    let mut exact = vec![0.5; theta.len()];
    functions.pull_back(&[2.0], &mut exact, &mut scratch);
    for (exact, difference) in exact.iter().zip(&gradient) {
        let derivative = 0.5 * (exact - 0.5);
        assert!((derivative - difference).abs() <= 1e-7 * difference.abs().max(1.0), "{derivative} {difference}");
    }
    (result, parameters.iter().map(|(name, _)| gradient[order(name)]).collect())
}

/// Codes of functions and of numbers against the interpolations of HistFactory (spec/interpolation.md).
#[test]
fn interpolations() {
    let (nominal, low, high) = (50.0, 44.0, 61.0);
    let (s, a) = (0.5 * (high - low), 0.5 * (high + low) - nominal);
    let added = |code: HistosysCode, alpha: f64| nominal + code.s(alpha).value * s + code.q(alpha).value * a;
    let factor = |code: NormsysCode, alpha: f64| nominal * code.factor(low / nominal, high / nominal, alpha);
    for alpha in [-1.7, -0.9, -0.2, 0.3, 0.8, 1.4] {
        for (kind, code, expected) in [
            ("interpolation", 0, added(HistosysCode::Code0, alpha)),
            ("interpolation", 1, factor(NormsysCode::Code1, alpha)),
            ("interpolation", 2, added(HistosysCode::Code2, alpha)),
            ("interpolation", 3, added(HistosysCode::Code2, alpha)),
            ("interpolation", 4, added(HistosysCode::Code4p, alpha)),
            ("interpolation", 5, factor(NormsysCode::Code4, alpha)),
            ("interpolation", 6, added(HistosysCode::Code4p, alpha)),
            ("interpolation0d", 0, added(HistosysCode::Code0, alpha)),
            ("interpolation0d", 4, factor(NormsysCode::Code4, alpha)),
            ("interpolation0d", 5, factor(NormsysCode::Code4, alpha)),
        ] {
            let f = json!([{"name": "f", "type": kind, "nom": nominal, "low": [low], "high": [high], "vars": ["alpha"],
                            "interpolationCodes": [code]}]);
            let got = function(f, &[("alpha", alpha)]).0;
            assert!((got - expected).abs() < 1e-11, "{kind} {code} {alpha}: {got} but {expected}");
        }
    }
    // Two factors multiply, offsets of functions add up, and a negative sum is cut off where it is asked for.
    let two = |kind: &str, code: i64, positive: bool| {
        let f = json!([{"name": "f", "type": kind, "nom": "n", "low": ["l", "l"], "high": [60, 60], "vars": ["a", "b"],
                        "interpolationCodes": [code, code], "positiveDefinite": positive}]);
        function(f, &[("n", 50.0), ("l", 40.0), ("a", 0.5), ("b", -7.0)]).0
    };
    assert!((two("interpolation", 0, false) - (50.0 + 5.0 - 70.0)).abs() < 1e-12);
    assert_eq!(two("interpolation", 0, true), 0.0);
    let expected = 50.0 * 1.2f64.powf(0.5) * 0.8f64.powf(7.0);
    assert!((two("interpolation", 1, false) - expected).abs() < 1e-12);
}

#[test]
fn arithmetic_and_tables() {
    let parts = |kind: Value| json!([kind]);
    let at = [("a", 1.5), ("b", -0.4)];
    let (value, _) = function(parts(json!({"name": "f", "type": "product", "factors": ["a", "b", "3"]})), &at);
    assert!((value + 1.8).abs() < 1e-15);
    let (value, _) = function(parts(json!({"name": "f", "type": "sum", "summands": ["a", "b", 3]})), &at);
    assert!((value - 4.1).abs() < 1e-15);
    let polynomial = json!({"name": "f", "type": "polynomial", "x": "a", "coefficients": [1, "b", 2]});
    assert!((function(parts(polynomial), &at).0 - (1.0 - 0.6 + 4.5)).abs() < 1e-14);
    let weighted = json!({"name": "f", "type": "weighted_sum", "samples": ["a", 2], "coefficients": ["b", "a"]});
    assert!((function(parts(weighted), &at).0 - (-0.6 + 3.0)).abs() < 1e-14);
    let axes = json!([{"name": "u", "min": 0, "max": 2, "nbins": 2}, {"name": "v", "edges": [0, 1, 3, 7]}]);
    let histogram = json!({"name": "f", "type": "histogram", "data": {"axes": axes, "contents": [1, 2, 3, 4, 5, 6]}});
    let step = json!({"name": "f", "type": "step", "variables": ["u", "v"], "axes": axes,
                      "parameters": [1, 2, "a", 4, 5, "b"]});
    for (u, v, content, entry) in
        [(0.5, 0.5, 1.0, 1.0), (0.5, 6.0, 3.0, 1.5), (1.5, 2.0, 5.0, 5.0), (9.0, 9.0, 6.0, -0.4)]
    {
        assert_eq!(function(parts(histogram.clone()), &[("u", u), ("v", v)]).0, content, "{u} {v}");
        let got = function(parts(step.clone()), &[("u", u), ("v", v), ("a", 1.5), ("b", -0.4)]).0;
        assert_eq!(got, entry, "{u} {v}");
    }
}

/// A straight line in the logarithms is a power law; a parabola through three knots is itself.
#[test]
fn splines() {
    let spline = |logx: bool, logy: bool, x0: Value, y0: Value| {
        let f = json!([{"name": "f", "type": "spline", "x": "a", "x0": x0, "y0": y0, "interpolation": "poly3",
                        "logx": logx, "logy": logy}]);
        function(f, &[("a", 2.5)]).0
    };
    assert!((spline(true, true, json!([1, 4]), json!([3, 24])) - 3.0 * 2.5f64.powf(1.5)).abs() < 1e-12);
    assert!((spline(false, true, json!([0, 2]), json!([1, 9])) - 3f64.powf(2.5)).abs() < 1e-12);
    assert!((spline(true, false, json!([1, 4]), json!([0, 2])) - 2.5f64.log2()).abs() < 1e-12);
    assert!((spline(false, false, json!([0, 1, 3]), json!([0, 1, 9])) - 6.25).abs() < 1e-12);
}

/// Splines of degree five, and derivatives of splines: of ROOT 6.40 (`RooSpline` of order 5), and of a parabola.
#[test]
fn splines_of_degree_five() {
    let spline = json!({"name": "s", "type": "spline", "x": "a", "x0": [-2, -1, 0.5, 1, 2.5, 3.1],
                        "y0": [-1.5, -1.2, 0.1, 0.7, 1.9, 1.2], "interpolation": "poly5"});
    let value = |at: f64| {
        let mut f = spline.clone();
        f["name"] = json!("f");
        function(json!([f]), &[("a", at)]).0
    };
    assert!((value(-1.3) + 1.3441959828746044).abs() < 1e-12);
    assert!((value(3.6) + 0.11101677418639144).abs() < 1e-12);
    let parabola = json!({"name": "s", "type": "spline", "x": "a", "x0": [0, 1, 3], "y0": [0, 1, 9]});
    for (order, expected) in [(1, 5.0), (2, 2.0), (3, 0.0)] {
        let f = json!({"name": "f", "type": "derivative", "function": "s", "x": "a", "order": order, "eps": 0.1});
        assert!((function(json!([parabola, f]), &[("a", 2.5)]).0 - expected).abs() < 1e-12);
    }
}

/// Codes 4 and 5 between functions: ROOT 6.40 (`PiecewiseInterpolation` after import).
#[test]
fn interpolations_between_functions() {
    for (codes, a, t, u, expected) in [
        ([5, 4], 0.7, 0.4, -1.3, 1.681565849451721),
        ([5, 5], 0.7, 0.4, -1.3, 1.6438517087049866),
        ([5, 4], 0.7, -1.6, 0.3, 1.5353606897360386),
        ([5, 5], 0.7, -1.6, 0.3, 1.4712786279547185),
        ([5, 4], -1.2, 0.9, 2.0, 2.1036011024155297),
        ([5, 5], -1.2, 0.9, 2.0, 2.1485974017795644),
    ] {
        let line = |name: &str, text: &str| json!({"name": name, "type": "generic_function", "expression": text});
        let f = json!([line("n", "2+0.3*a"), line("lo", "1.5+0.2*a"), line("hi", "2.4+0.5*a"),
                       {"name": "f", "type": "interpolation", "nom": "n", "low": ["lo", "lo"], "high": ["hi", "hi"],
                        "vars": ["t", "u"], "interpolationCodes": codes, "positiveDefinite": false}]);
        let got = function(f, &[("a", a), ("t", t), ("u", u)]).0;
        assert!((got - expected).abs() < 1e-13, "{codes:?} {a} {t} {u}: {got} but {expected}");
    }
}

/// Functions of CMS Combine and shares: pyhs3 0.4.2 at two points.
#[test]
fn functions_of_pyhs3() {
    let all = |name: &str, of: Value| {
        let mut f = of;
        f["name"] = json!("f");
        let names: Vec<&str> = match name {
            "pn" => vec!["t1", "t2", "t3", "t4", "k"],
            "ap" => vec!["t3"],
            _ => vec!["k", "t1", "t4"],
        };
        [[0.7, -1.3, -0.4, 0.6, 1.7], [0.3, 0.3, 1.6, -2.2, 0.7]].map(|values| {
            let point: Vec<(&str, f64)> = ["t1", "t2", "t3", "t4", "k"].into_iter().zip(values).collect();
            let point: Vec<(&str, f64)> = point.into_iter().filter(|(name, _)| names.contains(name)).collect();
            function(json!([f]), &point).0
        })
    };
    let normalization = json!({"type": "CMS::process_normalization", "nominalValue": 2.5, "thetaList": ["t1", "t2"],
        "logKappa": [0.1, -0.2], "asymmThetaList": ["t3", "t4"], "logAsymmKappa": [[-0.3, 0.2], [0.15, 0.1]],
        "otherFactorList": ["k"]});
    let power = json!({"type": "CMS::asympow", "kappaLow": 0.8, "kappaHigh": 1.3, "theta": "t3"});
    let fraction = json!({"type": "roorecursivefraction_dist", "list": ["k", "t1", "t4"]});
    let share = json!({"type": "roorecursivefraction_dist", "list": ["k", "t1", "t4"], "recursive": false});
    for (name, of, expected) in [
        ("pn", normalization, [5.555309754573341, 3.253124073231099]),
        ("ap", power, [0.9146101038546527, 1.5216310566887554]),
        ("rf", fraction, [0.20400000000000001, 1.5679999999999998]),
        ("rn", share, [0.5666666666666667, -0.5833333333333333]),
    ] {
        for (got, expected) in all(name, of).into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-14 * f64::abs(expected) * 10.0, "{name}: {got} but {expected}");
        }
    }
}

/// The volume of the bin that holds the variates, as ROOT 6.40 has it after import.
#[test]
fn volumes_of_bins() {
    let histogram = json!({"name": "h", "type": "histogram", "data": {"contents": [1, 2, 3, 4, 5, 6],
        "axes": [{"name": "x", "edges": [0, 1, 3, 4]}, {"name": "y", "min": 0, "max": 1, "nbins": 2}]}});
    for (kind, divide, expected) in [
        ("binwidth", json!(false), [0.5, 1.0, 0.5]),
        ("binwidth", json!(true), [2.0, 1.0, 2.0]),
        ("binvolume", Value::Null, [0.5, 1.0, 0.5]),
        ("inverse_binvolume", Value::Null, [2.0, 1.0, 2.0]),
    ] {
        let mut f = json!({"name": "f", "type": kind, "histogram": "h"});
        if !divide.is_null() {
            f["divideByBinWidth"] = divide;
        }
        let got = [0.5, 2.0, 3.5].map(|x| function(json!([histogram, f]), &[("x", x), ("y", 0.7)]).0);
        assert_eq!(got, expected, "{kind}");
    }
}

/// Derivatives of functions as nodes, by hand; their own gradients are checked by differences.
#[test]
fn derivatives_of_functions() {
    let derivative = |expression: &str, order: i64, a: f64| {
        let f = json!([{"name": "f", "type": "derivative", "function": "g", "x": "a", "order": order, "eps": 0.01},
                       {"name": "g", "type": "generic_function", "expression": expression}]);
        function(f, &[("a", a)]).0
    };
    let a: f64 = 0.6;
    for (expression, order, expected) in [
        ("a^3", 1, 3.0 * a * a),
        ("a^3", 2, 6.0 * a),
        ("a^3", 3, 6.0),
        ("exp(2*a)/a", 1, (2.0 * a).exp() * (2.0 / a - 1.0 / (a * a))),
        ("sin(a)*cos(a)", 1, (2.0 * a).cos()),
        ("tan(a)", 1, 1.0 / a.cos().powi(2)),
        ("log(a) + sqrt(a) + log10(a)", 1, 1.0 / a + 0.5 / a.sqrt() + 1.0 / (a * 10f64.ln())),
        (
            "asin(a) + acos(a/2) + atan(a)",
            1,
            1.0 / (1.0 - a * a).sqrt() - 0.5 / (1.0 - a * a / 4.0).sqrt() + 1.0 / (1.0 + a * a),
        ),
        ("sinh(a) - cosh(a) + tanh(a)", 1, a.cosh() - a.sinh() + 1.0 / a.cosh().powi(2)),
        ("a^a", 1, a.powf(a) * (a.ln() + 1.0)),
        ("abs(-a) + min(a, 1) + max(a, 1) + (a < 1 ? 2*a : 3*a)", 1, 4.0),
        ("erf(a)", 1, std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp()),
    ] {
        let got = derivative(expression, order, a);
        assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0), "{expression} {order}: {got} but {expected}");
    }
}

/// ∫ over t of a function of parameters, and an integral of an integral.
#[test]
fn integrals_of_functions() {
    let document = json!({
        "metadata": {"hs3_version": "0.2"},
        "functions": [
            {"name": "f", "type": "integral", "integrand": "g", "variables": ["t"]},
            {"name": "g", "type": "generic_function", "expression": "h*exp(-a*t)"},
            {"name": "h", "type": "integral", "integrand": "k", "variables": ["t", "u"]},
            {"name": "k", "type": "generic_function", "expression": "a*t*u^2"}
        ],
        "domains": [{"name": "default_domain", "type": "product_domain",
                     "axes": [{"name": "t", "min": 0, "max": 2}, {"name": "u", "min": 1, "max": 3}]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "a", "value": 0.7}]}]
    });
    let functions = Functions::compile(&read(&document), &["f".to_string(), "h".to_string()]).unwrap();
    let mut scratch = functions.scratch();
    let mut values = [0.0; 2];
    functions.values(&[0.7], &mut values, &mut scratch);
    let h = 0.7 * 2.0 * 26.0 / 3.0;
    assert!((values[1] - h).abs() < 1e-11, "{values:?}");
    assert!((values[0] - h * (1.0 - f64::exp(-1.4)) / 0.7).abs() < 1e-10, "{values:?}");
    let mut gradient = [0.0];
    functions.pull_back(&[1.0, 0.0], &mut gradient, &mut scratch);
    // f = 52/3 (1 − e^(−2a))
    assert!((gradient[0] - 52.0 / 3.0 * 2.0 * f64::exp(-1.4)).abs() < 1e-10, "{gradient:?}");
}

/// −ln L of a document with parameters at their values.
fn nll(value: &Value, selection: &Selection) -> f64 {
    let likelihood = Graph::compile(&read(value), selection, &Options::default()).unwrap_or_else(|f| panic!("{f:?}"));
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    likelihood.value(&theta, &mut likelihood.scratch())
}

fn likelihood(distributions: Value, data: Value) -> Value {
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [{"name": "d", "type": "unbinned",
                  "axes": [{"name": "x", "min": -3, "max": 4}, {"name": "y", "min": -1, "max": 2}],
                  "entries": [[0.5, 0.1], [1.5, -0.3]]},
                 {"name": "t", "type": "unbinned", "axes": [{"name": "x", "min": -3, "max": 4}], "entries": [[0.5], [1.5]]},
                 {"name": "point", "type": "point", "value": 3, "axes": [{"name": "n"}]}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": [data]}]
    })
}

/// Numbers of scipy 1.17: `multivariate_normal` over its mass in the box; decays by `quad` of the convolution.
#[test]
fn further_densities() {
    let normal = json!([{"name": "p", "type": "multivariate_normal_dist", "x": ["x", "y"], "mean": [0.3, 0.2],
                         "covariances": [[1.5, 0.4], [0.4, 0.6]]}]);
    let got = nll(&likelihood(normal, json!("d")), &Selection::Only);
    assert!((got - BOX).abs() < 1e-9, "{got}");
    let decay = |models: Value, kind: i64| {
        let mut all = models.as_array().unwrap().clone();
        all.push(
            json!({"name": "p", "type": "decay_dist", "t": "x", "tau": 0.8, "resolutionModel": "r", "decayType": kind}),
        );
        nll(&likelihood(all.into(), json!("t")), &Selection::Only)
    };
    let gauss = |name: &str, mean: f64, sigma: f64| json!({"name": name, "type": "gauss_model_function", "x": "x", "mean": mean, "sigma": sigma});
    let mixture = json!({"name": "r", "type": "mixture_model", "summands": ["r1", "r2"], "coefficients": [0.3]});
    let two = json!([gauss("r1", 0.1, 0.5), gauss("r2", -0.2, 1.1), mixture]);
    for (kind, expected) in [(0, SMEARED[0]), (1, SMEARED[1])] {
        let got = decay(two.clone(), kind);
        assert!((got - expected).abs() < 1e-8, "{kind}: {got} but {expected}");
    }
    let sharp = json!([{"name": "r", "type": "truth_model_function", "x": "x"}]);
    // exp(−t/0.8) over [0, 4], and over both sides to −3.
    let single = 2.0 / 0.8 + 2.0 * (0.8 * (1.0 - f64::exp(-5.0))).ln();
    assert!((decay(sharp.clone(), 0) - single).abs() < 1e-9);
    let double = 2.0 / 0.8 + 2.0 * (0.8 * (2.0 - f64::exp(-5.0) - f64::exp(-3.75))).ln();
    assert!((decay(sharp, 1) - double).abs() < 1e-9);
}

/// A number in the place of data, a point, and likelihoods by name, by analysis and all together.
#[test]
fn points_and_selections() {
    let poisson = json!([{"name": "p", "type": "poisson_dist", "x": "n", "mean": "mu"}]);
    let mut value = likelihood(poisson, json!(3));
    value["parameter_points"] = json!([{"name": "start", "parameters": [{"name": "mu", "value": 2.5}]},
                                       {"name": "default_values", "parameters": [{"name": "mu", "value": 4}]}]);
    let expected = |mu: f64| mu - 3.0 * mu.ln() + 6f64.ln();
    assert!((nll(&value, &Selection::Only) - expected(4.0)).abs() < 1e-13);
    value["likelihoods"][0]["data"] = json!(["point"]);
    assert!((nll(&value, &Selection::Only) - expected(4.0)).abs() < 1e-13);
    value["analyses"] = json!([{"name": "A", "likelihood": "L", "domains": [], "init": "start"}]);
    assert!((nll(&value, &Selection::Analysis("A".into())) - expected(2.5)).abs() < 1e-13);
    let second = json!({"name": "M", "distributions": ["p"], "data": [3], "aux_distributions": ["p"]});
    value["likelihoods"].as_array_mut().unwrap().push(second);
    assert!((nll(&value, &Selection::Likelihood("L".into())) - expected(4.0)).abs() < 1e-13);
    value["domains"] = json!([]);
    let refused = |selection| Graph::compile(&read(&value), &selection, &Options::default()).unwrap_err()[0].rule;
    assert_eq!(refused(Selection::Only), "W426");
    assert_eq!(refused(Selection::Likelihood("N".into())), "W426");
    assert_eq!(refused(Selection::Analysis("N".into())), "W426");
}

const BOX: f64 = 4.41954883909563;
const SMEARED: [f64; 2] = [2.4245749148175118, 3.2383477766854094];
