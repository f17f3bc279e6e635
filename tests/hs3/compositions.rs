//! Conditional products, projections, convolutions and integrals over several variates: numbers of scipy 1.17 (`quad`
//! with a relative accuracy of 1e-13), and gradients against differences.

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{Graph, GraphLikelihood, Options, Selection};
use serde_json::{Value, json};

/// A likelihood of the distribution `p`.
fn document(distributions: Value, functions: Value, parameters: Value, axes: Value, entries: Value) -> Value {
    let parameters: Vec<Value> =
        parameters.as_object().unwrap().iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "functions": functions,
        "data": [{"name": "d", "type": "unbinned", "axes": axes, "entries": entries}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": parameters}]
    })
}

fn compile(value: &Value) -> Result<GraphLikelihood, Vec<(&'static str, String)>> {
    let document = Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    let compiled = Graph::compile(&document, &Selection::Only, &Options::default());
    compiled.map_err(|all| all.into_iter().map(|f| (f.rule, f.pointer.unwrap_or_default())).collect())
}

/// Checks −ln L, and its gradient against central differences of fourth order.
fn check(what: &str, value: &Value, expected: f64, tolerance: f64) {
    let likelihood = compile(value).unwrap_or_else(|f| panic!("{what}: {f:?}"));
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let (mut gradient, mut scratch) = (vec![0.0; theta.len()], likelihood.scratch());
    let nll = likelihood.value_and_gradient(&theta, &mut gradient, &mut scratch);
    assert!((nll - expected).abs() < tolerance, "{what}: {nll} but {expected}");
    assert_eq!(nll, likelihood.value(&theta, &mut scratch), "{what}");
    // What is kept of integrals from one point is not taken at another.
    let moved: Vec<f64> = theta.iter().map(|x| x + 0.03).collect();
    let (mut kept, mut fresh) = (gradient.clone(), gradient.clone());
    let nll = likelihood.value_and_gradient(&moved, &mut kept, &mut scratch);
    assert_eq!(nll, likelihood.value_and_gradient(&moved, &mut fresh, &mut likelihood.scratch()), "{what}");
    assert_eq!(kept, fresh, "{what}");
    for i in 0..theta.len() {
        let mut at = |h: f64| {
            let mut moved = theta.clone();
            moved[i] += h;
            likelihood.value(&moved, &mut scratch)
        };
        let h = 2e-4 * theta[i].abs().max(0.1);
        let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let name = &likelihood.parameters[i].name;
        let error = (gradient[i] - difference).abs();
        assert!(error < 2e-7 * difference.abs().max(1.0), "{what} d/d{name}: {} but {difference}", gradient[i]);
    }
}

fn plane() -> (Value, Value) {
    let axes = json!([{"name": "x", "min": -1, "max": 3}, {"name": "y", "min": 0.2, "max": 2}]);
    (axes, json!([[0.1, 0.5], [1.5, 1.9], [-0.7, 0.3]]))
}

/// p(y | x) p(x), the first without a closed form: ∫ p(y | x) dy is another number for each event.
#[test]
fn conditional_products() {
    let (axes, entries) = plane();
    let given = json!({"name": "py", "type": "generic_dist", "expression": "exp(-y*(1+a*x^2))*sqrt(y)"});
    let of_x = json!({"name": "px", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"});
    let product = json!({"name": "p", "type": "product_dist", "factors": ["px", "py"],
                         "normalization": [{"factors": ["py"], "over": ["y"]}]});
    let parameters = json!({"a": 0.7, "m": 0.4, "s": 1.1});
    let mut value = document(json!([given, of_x, product]), json!([]), parameters, axes, entries);
    check("conditional", &value, 7.016_729_397_066_221_5, 1e-10);
    // Without the word for it, both are normalised together, which is another density.
    value["distributions"][2]["normalization"] = json!([]);
    let likelihood = compile(&value).unwrap();
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    assert!((likelihood.value(&theta, &mut likelihood.scratch()) - 7.0167).abs() > 0.1);
    let refused = |normalization: Value| {
        let mut value = value.clone();
        value["distributions"][2]["normalization"] = normalization;
        compile(&value).err().unwrap()[0].clone()
    };
    let over = |at: usize| ("W409", format!("/distributions/2/normalization/{at}/over"));
    let factors = ("W409", "/distributions/2/normalization/0/factors".to_string());
    assert_eq!(refused(json!([{"factors": ["py"], "over": ["z"]}])), over(0));
    assert_eq!(refused(json!([{"factors": ["px"], "over": ["y"]}])), over(0));
    assert_eq!(refused(json!([{"factors": ["py"], "over": ["x"]}, {"factors": ["px"], "over": ["x"]}])), over(1));
    assert_eq!(refused(json!([{"factors": ["p"], "over": ["x"]}])), factors);
    assert_eq!(refused(json!([{"factors": ["py", "py"], "over": ["x"]}])), factors);
    assert_eq!(refused(json!([{"factors": [], "over": []}])).0, "W402");
    // p(y | x) with x, too, taken by it: nothing is left over which p(x) is normalised.
    let taken = refused(json!([{"factors": ["py"], "over": ["x", "y"]}]));
    assert_eq!(taken, ("W422", "/distributions/2/factors/0".to_string()));
}

/// ∫ of a joint density over y, whose range `default_domain` says.
#[test]
fn projections() {
    let (axes, entries) = plane();
    let joint = json!({"name": "j", "type": "generic_dist", "expression": "exp(-0.5*((x-y)/s)^2-a*y)"});
    let projected = json!({"name": "p", "type": "projected_dist", "input_pdf": "j", "observables": ["y"]});
    let entries: Vec<Value> = entries.as_array().unwrap().iter().map(|row| json!([row[0]])).collect();
    let parameters = json!({"a": 0.7, "s": 1.1});
    let mut value = document(json!([joint, projected]), json!([]), parameters, json!([axes[0]]), entries.into());
    assert_eq!(compile(&value).err().unwrap(), [("W420", "/distributions/1/observables/0".to_string())]);
    value["domains"] = json!([{"name": "default_domain", "type": "product_domain", "axes": [axes[1]]}]);
    check("projected", &value, 4.237_804_903_364_973, 1e-10);
    value["distributions"][1]["observables"] = json!(["x"]);
    assert_eq!(compile(&value).err().unwrap()[0].0, "W422");
}

/// Resolutions and peaks far narrower than the range.
#[test]
fn convolutions() {
    let convolve = |first: Value, second: Value, parameters: Value, range: [f64; 2], events: &[f64]| {
        let (mut first, mut second) = (first, second);
        (first["name"], second["name"]) = (json!("f"), json!("g"));
        (first["x"], second["x"]) = (json!("x"), json!("x"));
        let convolution = json!({"name": "p", "type": "fft_convolution_dist", "pdf1": "f", "pdf2": "g", "conv_var": "x",
                                 "conv_func": "x", "ipOrder": 2});
        let axes = json!([{"name": "x", "min": range[0], "max": range[1]}]);
        let entries: Vec<Value> = events.iter().map(|x| json!([x])).collect();
        document(json!([first, second, convolution]), json!([]), parameters, axes, entries.into())
    };
    let normal = json!({"type": "generalized_normal_dist", "mean": "m", "alpha": 0.8, "beta": 1.5});
    let gauss = json!({"type": "gaussian_dist", "mean": "b", "sigma": "s"});
    for (s, expected) in [(0.05, 9.909_625_246_110_448), (0.5, 8.398_226_432_049_83)] {
        let parameters = json!({"m": 1.0, "b": 0.1, "s": s});
        let value = convolve(normal.clone(), gauss.clone(), parameters, [-1.0, 3.0], &[0.1, 1.5, -0.7, 2.9]);
        check("generalized normal", &value, expected, 1e-9);
    }
    let channels = json!([{"Gamma": 0.004}]);
    let resonance = json!({"type": "relativistic_breit_wigner_dist", "mass": "m", "channels": channels});
    let parameters = json!({"m": 1.2, "b": 0.0, "s": 0.1});
    let value = convolve(resonance, gauss.clone(), parameters, [0.2, 3.0], &[0.5, 1.1, 1.25, 2.0]);
    check("resonance", &value, 11.553_203_786_917_578, 1e-8);
    let exponential = json!({"type": "exponential_dist", "c": "c"});
    let parameters = json!({"c": 0.9, "b": 0.0, "s": 0.3});
    let mut value = convolve(exponential, gauss, parameters, [0.0, 4.0], &[0.5, 1.1, 1.25, 3.9]);
    check("exponential", &value, 6.231_383_182_635_914_5, 1e-9);
    // What is beyond the data smears into them where the domain is wider.
    let wide = json!([{"name": "x", "min": -1, "max": 5}]);
    value["domains"] = json!([{"name": "default_domain", "type": "product_domain", "axes": wide}]);
    check("exponential in a wider domain", &value, 6.385_351_220_629_937, 1e-9);
    value["distributions"][2]["conv_func"] = json!("h");
    assert_eq!(compile(&value).err().unwrap(), [("W422", "/distributions/2/conv_func".to_string())]);
}

/// Three variates at once (Gauss-Legendre with 60 points a side); five are refused.
#[test]
fn several_variates() {
    let axes = json!([{"name": "x", "min": 0, "max": 1}, {"name": "y", "min": -1, "max": 2},
                      {"name": "z", "min": 0.5, "max": 2}]);
    let entries = json!([[0.2, 0.5, 1.0], [0.9, -0.5, 1.9], [0.5, 1.5, 0.6]]);
    let joint = json!({"name": "p", "type": "generic_dist", "expression": "exp(-a*x*y*z-x)*(5+x+y*z^2)"});
    check("three", &document(json!([joint]), json!([]), json!({"a": 0.7}), axes, entries), THREE, 1e-9);
    let names = ["x", "y", "z", "u", "v"];
    let axes: Vec<Value> = names.iter().map(|name| json!({"name": name, "min": 0, "max": 1})).collect();
    let joint = json!({"name": "p", "type": "generic_dist", "expression": "exp(-x*y*z*u*v)"});
    let value = document(json!([joint]), json!([]), json!({}), axes.into(), json!([[0.1, 0.1, 0.1, 0.1, 0.1]]));
    assert_eq!(compile(&value).err().unwrap()[0].0, "W422");
}

const THREE: f64 = 4.512_447_894_956_285;
