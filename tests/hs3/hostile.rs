//! Documents that are made to cost time or memory, or to recurse: an error, or an answer, at once.

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::finding::{Finding, Severity};
use morphist::graph::{Graph, Options, Selection};
use serde_json::{Value, json};
use std::time::Instant;

fn document(distributions: Value, functions: Value) -> Value {
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "functions": functions,
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 3}], "entries": [[1.0], [2.5]]}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "a", "value": 1.5}]}]
    })
}

/// −ln L at the stored point, or the rules that are broken; either within some seconds.
fn answer(value: &Value) -> Result<f64, Vec<&'static str>> {
    let start = Instant::now();
    let answer = match Hs3Document::from_value(value, &ReadOptions::default()) {
        Ok(read) => match Graph::compile(&read, &Selection::Only, &Options::default()) {
            Ok(likelihood) => {
                let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
                Ok(likelihood.value(&theta, &mut likelihood.scratch()))
            }
            Err(findings) => Err(rules(&findings)),
        },
        // Warnings beside the error.
        Err(all) => {
            let is_error = |f: &&Finding| f.severity == Severity::Error;
            Err(rules(&all.0.iter().filter(is_error).cloned().collect::<Vec<_>>()))
        }
    };
    assert!(start.elapsed().as_secs_f64() < 10.0, "{:?}", start.elapsed());
    answer
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    let mut rules: Vec<&str> = findings.iter().map(|f| f.rule).collect();
    rules.dedup();
    rules
}

fn gaussian(name: &str, mean: Value) -> Value {
    json!({"name": name, "type": "gaussian_dist", "x": "x", "mean": mean, "sigma": 1})
}

/// Components that need themselves, directly and around a corner, in every kind of component that holds others.
#[test]
fn circles() {
    let of = |distribution: Value, function: Value| answer(&document(json!([distribution]), json!([function])));
    let nothing = json!({"name": "f", "type": "sum", "summands": [1]});
    for distribution in [
        json!({"name": "p", "type": "mixture_dist", "summands": ["p", "p"], "coefficients": [0.5]}),
        json!({"name": "p", "type": "product_dist", "factors": ["p"]}),
        json!({"name": "p", "type": "projected_dist", "input_pdf": "p", "observables": ["y"]}),
        json!({"name": "p", "type": "fft_convolution_dist", "pdf1": "p", "pdf2": "p", "conv_var": "x"}),
        json!({"name": "p", "type": "extend_pdf", "pdf": "p", "norm": 1}),
        json!({"name": "p", "type": "efficiency_product_pdf_dist", "pdf": "p", "eff": 1}),
    ] {
        assert_eq!(of(distribution.clone(), nothing.clone()), Err(vec!["W410"]), "{distribution}");
    }
    for function in [
        json!({"name": "f", "type": "generic_function", "expression": "f+1"}),
        json!({"name": "f", "type": "sum", "summands": ["f"]}),
        json!({"name": "f", "type": "derivative", "function": "f", "x": "a", "order": 1}),
        json!({"name": "f", "type": "integral", "integrand": "f", "variables": ["t"]}),
        json!({"name": "f", "type": "CMS::asympow", "kappaLow": "f", "kappaHigh": 1, "theta": "a"}),
        json!({"name": "f", "type": "CMS::process_normalization", "otherFactorList": ["f"]}),
        json!({"name": "f", "type": "roorecursivefraction_dist", "list": ["f"]}),
        json!({"name": "f", "type": "interpolation", "nom": "f", "low": [], "high": [], "vars": [], "interpolationCodes": []}),
    ] {
        assert_eq!(of(gaussian("p", json!("f")), function.clone()), Err(vec!["W410"]), "{function}");
    }
    let around =
        json!([{"name": "f", "type": "sum", "summands": ["g"]}, {"name": "g", "type": "product", "factors": ["f"]}]);
    assert_eq!(answer(&document(json!([gaussian("p", json!("f"))]), around)), Err(vec!["W410"]));
}

#[test]
fn names_of_nothing() {
    let of = |distribution: Value| answer(&document(json!([distribution]), json!([])));
    for distribution in [
        json!({"name": "p", "type": "mixture_dist", "summands": ["q", "q"], "coefficients": [0.5]}),
        json!({"name": "p", "type": "fft_convolution_dist", "pdf1": "q", "pdf2": "q", "conv_var": "x"}),
        json!({"name": "p", "type": "projected_dist", "input_pdf": "q", "observables": []}),
        json!({"name": "p", "type": "density_function_dist", "function": "q"}),
    ] {
        assert_eq!(of(distribution.clone()), Err(vec!["W409"]), "{distribution}");
    }
    let width = json!([{"name": "f", "type": "binwidth", "histogram": "q"}]);
    assert_eq!(answer(&document(json!([gaussian("p", json!("f"))]), width)), Err(vec!["W409"]));
}

/// Bins that are claimed and not there, in every place that has axes.
#[test]
fn a_billion_bins() {
    let axes = json!([{"name": "x", "min": 0, "max": 3, "nbins": 1_000_000_000}]);
    let mut value = document(json!([gaussian("p", json!("a"))]), json!([]));
    value["data"][0] = json!({"name": "d", "type": "binned", "axes": axes, "contents": [1]});
    assert!(answer(&value).unwrap_err().contains(&"W411"));
    // Axes of events may claim what they want; the volume of one of their bins is refused.
    let mut value =
        document(json!([gaussian("p", json!("f"))]), json!([{"name": "f", "type": "binwidth", "histogram": "d"}]));
    value["data"][0]["axes"] = axes.clone();
    assert_eq!(answer(&value), Err(vec!["W409"]));
    value["functions"] = json!([]);
    assert!(answer(&value).is_ok());
    let histogram = json!({"name": "p", "type": "histogram_dist", "data": {"axes": axes, "contents": [1]}});
    assert!(answer(&document(json!([histogram]), json!([]))).unwrap_err().contains(&"W411"));
    let step = json!([{"name": "f", "type": "step", "variables": ["x"], "parameters": ["a"], "axes": axes}]);
    assert!(answer(&document(json!([gaussian("p", json!("f"))]), step)).unwrap_err().contains(&"W411"));
}

/// Integrals inside of integrals cost their product.
#[test]
fn integrals_of_integrals() {
    let convolution = |name: &str, inner: &str| json!({"name": name, "type": "fft_convolution_dist", "pdf1": inner, "pdf2": "g", "conv_var": "x"});
    let mut all: Vec<Value> = (0..40).map(|i| convolution(&format!("q{i}"), &format!("q{}", i + 1))).collect();
    all[0]["name"] = json!("p");
    all.extend([gaussian("q40", json!("a")), gaussian("g", json!(0))]);
    assert_eq!(answer(&document(all.into(), json!([]))), Err(vec!["W422"]));
    // ∫ dt_i, each of the t before.
    let integral = |i: usize| {
        let before = if i == 0 { "x".to_string() } else { format!("t{}", i - 1) };
        let text = format!("exp({before}*t{i})*f{}", i + 1);
        json!([{"name": format!("f{i}"), "type": "integral", "integrand": format!("g{i}"), "variables": [format!("t{i}")]},
               {"name": format!("g{i}"), "type": "generic_function", "expression": text}])
    };
    let mut functions: Vec<Value> = (0..30).flat_map(|i| integral(i).as_array().unwrap().clone()).collect();
    functions.push(json!({"name": "f30", "type": "sum", "summands": [1]}));
    let mut value = document(json!([gaussian("p", json!("f0"))]), functions.into());
    let axes: Vec<Value> = (0..31).map(|i| json!({"name": format!("t{i}"), "min": 0, "max": 1})).collect();
    value["domains"] = json!([{"name": "default_domain", "type": "product_domain", "axes": axes}]);
    assert_eq!(answer(&value), Err(vec!["W422"]));
}

/// Products of products of one density, and a product of a hundred thousand factors.
#[test]
fn sharing() {
    let product = |i: usize| json!({"name": format!("q{i}"), "type": "product_dist", "factors": [format!("q{}", i + 1), format!("q{}", i + 1)]});
    let mut all: Vec<Value> = (0..60).map(product).collect();
    all[0]["name"] = json!("p");
    all.push(gaussian("q60", json!("a")));
    assert_eq!(answer(&document(all.into(), json!([]))), Err(vec!["W424"]));
    let factors: Vec<&str> = std::iter::repeat_n("q", 100_000).collect();
    let groups = json!([{"factors": factors, "over": ["x"]}]);
    let product = json!({"name": "p", "type": "product_dist", "factors": factors, "normalization": groups});
    let flat = json!({"name": "q", "type": "uniform_dist", "x": "x"});
    let nll = answer(&document(json!([product, flat]), json!([]))).unwrap();
    assert!((nll - 2.0 * 3f64.ln()).abs() < 1e-9, "{nll}");
    let function = |i: usize| json!({"name": format!("f{i}"), "type": "product", "factors": [format!("f{}", i + 1), format!("f{}", i + 1)]});
    let mut functions: Vec<Value> = (0..200).map(function).collect();
    functions.push(json!({"name": "f200", "type": "sum", "summands": [1]}));
    assert!(answer(&document(json!([gaussian("p", json!("f0"))]), functions.into())).unwrap().is_finite());
}

/// Numbers beyond all measure: −ln L is infinite or finite, never not a number.
#[test]
fn numbers_at_the_ends() {
    for text in
        ["a^1e308", "1e308*a", "exp(exp(exp(exp(a))))", "1/(a-1.5)", "log(a-2)", "(-a)^0.3", "a^a^a^a^a^a^a", "x^-4000"]
    {
        let mean = json!([{"name": "f", "type": "generic_function", "expression": text}]);
        assert!(!answer(&document(json!([gaussian("p", json!("f"))]), mean)).unwrap().is_nan(), "{text}");
        let density = json!([{"name": "p", "type": "generic_dist", "expression": text}]);
        assert!(!answer(&document(density, json!([]))).unwrap().is_nan(), "{text}");
    }
    let power = json!([{"name": "p", "type": "power_sum_dist", "x": "x", "coefficients": [1], "exponents": [1e300]}]);
    assert!(!answer(&document(power, json!([]))).unwrap().is_nan());
    let many: Vec<f64> = vec![1e-3; 3000];
    let polynomial = json!([{"name": "p", "type": "chebychev_dist", "x": "x", "coefficients": many}]);
    assert!(answer(&document(polynomial, json!([]))).is_ok());
    let knots: Vec<f64> = (0..100_000).map(f64::from).collect();
    let spline = json!([{"name": "f", "type": "spline", "x": "a", "x0": knots, "y0": knots, "interpolation": "poly5"}]);
    let nll = answer(&document(json!([gaussian("p", json!("f"))]), spline)).unwrap();
    assert_eq!(nll, answer(&document(json!([gaussian("p", json!(1.5))]), json!([]))).unwrap());
}

/// Nested parentheses, conditions and signs beyond the limit.
#[test]
fn deep_expressions() {
    for (open, close) in [("(", ")"), ("-", ""), ("a?1:", ""), ("exp(", ")"), ("2^", "")] {
        let text = format!("{}a{}", open.repeat(100_000), close.repeat(100_000));
        let density = json!([{"name": "p", "type": "generic_dist", "expression": text}]);
        assert_eq!(answer(&document(density, json!([]))), Err(vec!["W413"]), "{open}");
    }
}
