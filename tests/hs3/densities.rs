//! Densities of HS3 without a corpus: each type against its formula by quadrature, conventions, and what is refused.

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{Convention, Graph, GraphLikelihood, Options, Selection};
use serde_json::{Value, json};
use std::time::Instant;

/// A document of one likelihood over x in [a, b] with some events.
fn document(distributions: Value, parameters: Value, range: [f64; 2], events: &[f64]) -> Value {
    let parameters: Vec<Value> =
        parameters.as_object().unwrap().iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": range[0], "max": range[1]}],
                  "entries": events.iter().map(|x| json!([x])).collect::<Vec<_>>()}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": parameters}]
    })
}

fn compile(value: &Value, options: &Options) -> Result<GraphLikelihood, Vec<&'static str>> {
    let document = Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    Graph::compile(&document, &Selection::Only, options)
        .map_err(|findings| findings.iter().map(|finding| finding.rule).collect())
}

/// −ln L with its gradient, by name.
fn evaluate(value: &Value, options: &Options) -> (f64, Vec<(String, f64)>) {
    let likelihood = compile(value, options).unwrap();
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let mut gradient = vec![0.0; theta.len()];
    let mut scratch = likelihood.scratch();
    let nll = likelihood.value_and_gradient(&theta, &mut gradient, &mut scratch);
    let mut named: Vec<_> = likelihood.parameters.iter().map(|p| p.name.clone()).zip(gradient).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    (nll, named)
}

/// Types with a closed form, their formulas, parameters and ranges.
fn families() -> Vec<(Value, &'static str, Value, [f64; 2])> {
    vec![
        (
            json!({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"}),
            "exp(-0.5*((x-m)/s)^2)",
            json!({"m": 1.3, "s": 0.8}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "bifurkated_gaussian_dist", "x": "x", "mean": "m", "sigmaL": "s", "sigmaR": "r"}),
            "x < m ? exp(-0.5*((x-m)/s)^2) : exp(-0.5*((x-m)/r)^2)",
            json!({"m": 1.3, "s": 0.8, "r": 1.7}),
            [0.5, 4.0],
        ),
        (json!({"type": "exponential_dist", "x": "x", "c": "c"}), "exp(-c*x)", json!({"c": -0.3}), [0.5, 4.0]),
        (json!({"type": "exponential_dist", "x": "x", "c": "c"}), "exp(-c*x)", json!({"c": 1e-9}), [0.5, 4.0]),
        (
            json!({"type": "lognormal_dist", "x": "x", "mu": "m", "sigma": "s"}),
            "exp(-0.5*((log(x)-m)/s)^2)/x",
            json!({"m": 0.4, "s": 0.6}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "polynomial_dist", "x": "x", "coefficients": [1, "a", "b"]}),
            "1+a*x+b*x^2",
            json!({"a": 0.4, "b": 0.6}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "chebychev_dist", "x": "x", "coefficients": ["a", "b", "c"]}),
            "1+a*z+b*(2*z^2-1)+c*(4*z^3-3*z)",
            json!({"a": 0.4, "b": -0.2, "c": 0.1}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "bernstein_poly_dist", "x": "x", "coefficients": ["a", "b", "c"]}),
            "a*((1-z)/2)^2+2*b*((1+z)/2)*((1-z)/2)+c*((1+z)/2)^2",
            json!({"a": 0.4, "b": 0.2, "c": 1.1}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "power_sum_dist", "x": "x", "coefficients": ["a", 1], "exponents": ["u", "v"]}),
            "a*pow(x,u)+pow(x,v)",
            json!({"a": 0.4, "u": -1.0, "v": 0.7}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "legacy_exp_poly_dist", "x": "x", "coefficients": [1, "a", "b"]}),
            "exp(1+a*x+b*x^2)",
            json!({"a": 0.4, "b": -0.2}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "gamma_dist", "x": "x", "gamma": "g", "beta": "b", "mu": "m"}),
            "pow((x-m)/b,g-1)*exp(-(x-m)/b)",
            json!({"g": 2.4, "b": 0.7, "m": 0.1}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "generalized_normal_dist", "x": "x", "mean": "m", "alpha": "a", "beta": "b"}),
            "exp(-pow(abs(x-m)/a,b))",
            json!({"m": 1.45, "a": 0.9, "b": 1.4}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "argus_dist", "mass": "x", "resonance": "m", "slope": "c", "power": "u"}),
            "x*pow(1-(x/m)^2,u)*exp(c*(1-(x/m)^2))",
            json!({"m": 4.5, "c": -3.0, "u": 0.8}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "crystalball_dist", "m": "x", "m0": "m", "sigma": "s", "alpha": "a", "n": "n"}),
            "(x-m)/s > -a ? exp(-0.5*((x-m)/s)^2) : pow(n/a,n)*exp(-0.5*a*a)/pow(n/a-a-(x-m)/s,n)",
            json!({"m": 2.3, "s": 0.4, "a": 1.2, "n": 1.0}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "crystalball_dist", "m": "x", "m0": "m", "sigma": "s", "alpha": "a", "n": "n"}),
            "(x-m)/s < -a ? exp(-0.5*((x-m)/s)^2) : pow(n/-a,n)*exp(-0.5*a*a)/pow(n/-a+a+(x-m)/s,n)",
            json!({"m": 2.3, "s": 0.4, "a": -1.2, "n": 2.5}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "crystalball_doublesided_dist", "m": "x", "m0": "m", "sigma_L": "s", "sigma_R": "r",
                "alpha_L": "a", "alpha_R": "b", "n_L": "n", "n_R": "k"}),
            "(x-m)/s < -a ? pow(n/a,n)*exp(-0.5*a*a)/pow(n/a-a-(x-m)/s,n) : \
          (x-m)/r > b ? pow(k/b,k)*exp(-0.5*b*b)/pow(k/b-b+(x-m)/r,k) : \
          (x < m ? exp(-0.5*((x-m)/s)^2) : exp(-0.5*((x-m)/r)^2))",
            json!({"m": 2.1, "s": 0.4, "r": 0.3, "a": 1.2, "b": 0.9, "n": 1.4, "k": 3.0}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "relativistic_breit_wigner_dist", "x": "x", "mass": "m", "channels": [
                {"name": "first", "Gamma": "g", "m1": 0.5, "m2": 0.2, "l": 1, "R": 1.5}, {"Gamma": "h"}]}),
            "x*(g*2*(((x^2-0.49)*(x^2-0.09))/(4*x^2))^1.5*2.25/x/(1+2.25*((x^2-0.49)*(x^2-0.09))/(4*x^2)))\
             *(x > 0.7)/((m^2-x^2)^2+m^2*(h+g*2*(x > 0.7 ? ((x^2-0.49)*(x^2-0.09))/(4*x^2) : 0)^1.5*2.25/x\
             /(1+2.25*(x > 0.7 ? ((x^2-0.49)*(x^2-0.09))/(4*x^2) : 0)))^2)",
            json!({"m": 2.0, "g": 0.6, "h": 0.3}),
            [0.75, 4.0],
        ),
        (
            json!({"type": "relativistic_breit_wigner_dist", "m": "x", "mass": "m", "channels": [
                {"Gamma": "g", "m1": 0.1, "m2": 0.05, "l": 2, "R": 2.0}]}),
            "((x^2-0.0225)*(x^2-0.0025)/(4*x^2))^2.5*16*2/(9+12*((x^2-0.0225)*(x^2-0.0025)/(4*x^2))\
             +16*((x^2-0.0225)*(x^2-0.0025)/(4*x^2))^2)*g/((m^2-x^2)^2+m^2*(((x^2-0.0225)*(x^2-0.0025)/(4*x^2))^2.5\
             *16*2/(9+12*((x^2-0.0225)*(x^2-0.0025)/(4*x^2))+16*((x^2-0.0225)*(x^2-0.0025)/(4*x^2))^2)*g/x)^2)",
            json!({"m": 2.0, "g": 0.6}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "decay_dist", "t": "x", "tau": "t", "resolutionModel": "gm", "decayType": 0}),
            "exp(s*s/(2*t*t)-(x-m)/t)*erfc((s/t-(x-m)/s)/sqrt(2))",
            json!({"t": 0.9, "m": 0.2, "s": 0.5}),
            [-2.0, 4.0],
        ),
        (
            json!({"type": "decay_dist", "t": "x", "tau": "t", "resolutionModel": "gm", "decayType": 1}),
            "exp(s*s/(2*t*t)-(x-m)/t)*erfc((s/t-(x-m)/s)/sqrt(2))+exp(s*s/(2*t*t)+(x-m)/t)*erfc((s/t+(x-m)/s)/sqrt(2))",
            json!({"t": 0.9, "m": 0.2, "s": 0.5}),
            [-2.0, 4.0],
        ),
        (
            json!({"type": "decay_dist", "t": "x", "tau": "t", "resolutionModel": "gm", "decayType": 2}),
            "exp(s*s/(2*t*t)+(x-m)/t)*erfc((s/t+(x-m)/s)/sqrt(2))",
            json!({"t": 0.9, "m": 0.2, "s": 0.5}),
            [-4.0, 2.0],
        ),
        // What pyhs3 0.4.2 computes for these types.
        (
            json!({"type": "CMS::ggZZ_background_dist", "m4l": "x", "a1": "k", "a2": "q", "a3": "c"}),
            "x^q*exp(-c*x)",
            json!({"q": 0.7, "c": 0.6}),
            [0.5, 4.0],
        ),
        (
            json!({"type": "CMS::qqZZ_background_dist", "m4l": "x", "a1": "k", "a2": "s", "a3": "q", "a4": "c"}),
            "(x+s)^q*exp(-c*x)",
            json!({"s": 0.7, "q": -0.4, "c": 0.6}),
            [0.5, 4.0],
        ),
    ]
}

const EVENTS: [f64; 9] = [0.55, 0.8, 1.1, 1.31, 1.9, 1.95, 2.75, 3.1, 3.9];

/// A density by its type and by its formula, which is normalised by quadrature: events, and bins of the probability.
#[test]
fn types_are_their_formulas() {
    let model = json!({"name": "gm", "type": "gauss_model_function", "x": "x", "mean": "m", "sigma": "s"});
    for (mut typed, formula, parameters, range) in families() {
        typed["name"] = json!("p");
        let z = format!("((2*x-{})/{})", range[0] + range[1], range[1] - range[0]);
        let generic = json!({"name": "p", "type": "generic_dist", "expression": formula.replace('z', &z)});
        let shift = if range[1] < 4.0 { -2.0 } else { f64::max(range[0] - 0.5, 0.0) };
        let events: Vec<f64> = EVENTS.iter().map(|x| (x + shift).min(range[1])).collect();
        let make = |density: &Value| {
            let all = if formula.contains("erfc") { json!([density, model]) } else { json!([density]) };
            document(all, parameters.clone(), range, &events)
        };
        agree(formula, &make(&typed), &make(&generic));
        let binned = |density: &Value| {
            let mut value = make(density);
            let contents = json!([3, 1, 0, 5, 2]);
            let axes = json!([{"name": "x", "min": range[0], "max": range[1], "nbins": 5}]);
            value["data"] = json!([{"name": "d", "type": "binned", "axes": axes, "contents": contents}]);
            value
        };
        agree(formula, &binned(&typed), &binned(&generic));
    }
}

/// The second derivatives of one pair against central differences of the gradient, of fourth order; returns whether they
/// are differences themselves.
fn bends(what: &str, value: &Value) -> bool {
    let likelihood = compile(value, &Options::default()).unwrap();
    let differences = likelihood.n_by_differences() > 0;
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let (n, mut scratch) = (theta.len(), likelihood.scratch());
    let (mut gradient, mut plain) = (vec![0.0; n], vec![0.0; n]);
    let nll = likelihood.value_gradient_hessians(&theta, &mut gradient, &mut scratch);
    assert_eq!(nll, likelihood.value_and_gradient(&theta, &mut plain, &mut likelihood.scratch()), "{what}");
    assert_eq!(gradient, plain, "{what}");
    let mut hessian = vec![0.0; n * n];
    likelihood.hessians(&scratch, |parameters, square| {
        let k = parameters.len();
        for (row, i) in parameters.iter().enumerate() {
            parameters.iter().enumerate().for_each(|(column, j)| hessian[i * n + j] += square[row * k + column]);
        }
    });
    for i in 0..n {
        let mut at = |h: f64| {
            let (mut moved, mut slope) = (theta.clone(), vec![0.0; n]);
            moved[i] += h;
            likelihood.value_and_gradient(&moved, &mut slope, &mut scratch);
            slope
        };
        let h = 1e-4 * theta[i].abs().max(0.1);
        let (a, b, c, d) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
        for j in 0..n {
            let difference = (8.0 * (a[j] - b[j]) - (c[j] - d[j])) / (12.0 * h);
            let got = hessian[i * n + j];
            let (one, other) = (&likelihood.parameters[i].name, &likelihood.parameters[j].name);
            // The gradient of an integral is good to about 1e-9 of it, with a kink that moves to 1e-7: no digits are left
            // of differences of differences.
            let tolerance = if differences { 1e-2 } else { 2e-6 };
            let scale = difference.abs().max(gradient[j].abs()).max(1.0);
            assert!((got - difference).abs() < tolerance * scale, "{what} d2/d{one} d{other}: {got} but {difference}");
        }
    }
    differences
}

/// A sum of one column and itself: a pair with it has no single heir.
#[test]
fn bends_of_one_operand_twice() {
    for expression in [
        "(exp(-m*x)+exp(-m*x))*exp(-k*x)+0.3",
        "(exp(-m*x)-2*exp(-k*x)+exp(-m*x)+1)*exp(-k*x)+2",
        "(m*k*x-m*k*x+1)*exp(-k*x)+m",
    ] {
        let generic = json!([{"name": "p", "type": "generic_dist", "expression": expression}]);
        let value = document(generic, json!({"m": 0.7, "k": 0.4}), [0.5, 4.0], &EVENTS);
        assert!(!bends(expression, &value), "{expression}");
    }
}

fn agree(what: &str, a: &Value, b: &Value) {
    // A kink of the integrand that moves is seen by differences of the gradient alone.
    assert_eq!(bends(what, a), what.contains("abs"), "{what}");
    bends(what, b);
    let (a, b) = (evaluate(a, &Options::default()), evaluate(b, &Options::default()));
    assert!((a.0 - b.0).abs() <= 1e-10 * b.0.abs().max(1.0), "{what}: {} but {}", a.0, b.0);
    assert_eq!(a.1.len(), b.1.len(), "{what}");
    for ((name, x), (_, y)) in a.1.iter().zip(&b.1) {
        assert!((x - y).abs() <= 5e-7 * y.abs().max(1.0), "{what} d/d{name}: {x} but {y}");
    }
}

/// Numbers of scipy 1.17: `gamma.logpdf`, `gennorm`, `multivariate_normal`, `poisson.logpmf`, `norm`.
#[test]
fn constraints_of_scipy() {
    let constraint = |value: Value, parameters: Value, options: &Options| {
        let uniform = json!({"name": "p", "type": "uniform_dist", "x": "x"});
        let mut all = document(json!([uniform, value]), parameters, [0.0, 1.0], &[0.5]);
        all["likelihoods"][0]["aux_distributions"] = json!(["con"]);
        all["domains"] = json!([{"name": "default_domain", "type": "product_domain", "axes": [
            {"name": "nom", "min": 0.0, "max": 2.0}]}]);
        all["parameter_points"][0]["parameters"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "nom", "value": 1.3, "const": true}));
        evaluate(&all, options).0
    };
    let specification = Options { convention: Convention::Specification, ..Options::default() };
    let root = Options { convention: Convention::Root, ..Options::default() };
    let gaussian = json!({"name": "con", "type": "gaussian_dist", "x": "nom", "mean": "a", "sigma": 0.7});
    let mirrored = json!({"name": "con", "type": "gaussian_dist", "x": "a", "mean": "nom", "sigma": 0.7});
    for (value, parameters, expected, truncated) in [
        (gaussian, json!({"a": 1.1}), GAUSSIAN, GAUSSIAN + GAUSSIAN_MASS),
        (mirrored, json!({"a": 1.1}), GAUSSIAN, GAUSSIAN + GAUSSIAN_MASS),
        (json!({"name": "con", "type": "poisson_dist", "x": 7, "mean": "a"}), json!({"a": 5.5}), POISSON, POISSON),
        (
            json!({"name": "con", "type": "lognormal_dist", "x": "nom", "mu": "a", "sigma": 0.3}),
            json!({"a": 0.2}),
            LOGNORMAL,
            LOGNORMAL + LOGNORMAL_MASS,
        ),
        (
            json!({"name": "con", "type": "gamma_dist", "x": "nom", "gamma": "a", "beta": 0.4, "mu": 0}),
            json!({"a": 2.5}),
            GAMMA,
            GAMMA + GAMMA_MASS,
        ),
        (
            json!({"name": "con", "type": "bifurkated_gaussian_dist", "x": "a", "mean": 1.3, "sigmaL": 0.5, "sigmaR": 0.9}),
            json!({"a": 1.1}),
            BIFURCATED,
            BIFURCATED,
        ),
        (
            json!({"name": "con", "type": "multivariate_normal_dist", "x": [0.3, "nom"], "mean": ["a", 1.0],
                "correlations": [[1, 0.4], [0.4, 1]], "standard_deviations": [0.5, "b"]}),
            json!({"a": 0.1, "b": 1.5}),
            MULTIVARIATE,
            MULTIVARIATE,
        ),
        (
            json!({"name": "con", "type": "barlow_beeston_lite_poisson_constraint_dist", "x": ["a", 1], "expected": [20, 9]}),
            json!({"a": 1.1}),
            BARLOW_BEESTON,
            BARLOW_BEESTON,
        ),
    ] {
        let got = constraint(value.clone(), parameters.clone(), &specification);
        assert!((got - expected).abs() < 1e-12, "{value}: {got} but {expected}");
        let got = constraint(value.clone(), parameters, &root);
        assert!((got - truncated).abs() < 1e-10, "{value}, truncated: {got} but {truncated}");
    }
}

const GAUSSIAN: f64 = 0.6030799157965524;
const GAUSSIAN_MASS: f64 = -0.17115963986631116;
const POISSON: f64 = 2.0919247153964378;
const LOGNORMAL: f64 = -0.0010627761950435244;
const LOGNORMAL_MASS: f64 = -0.05140518262943182;
const BIFURCATED: f64 = 0.6422635892659403;
const GAMMA: f64 = 0.850409644086295;
const GAMMA_MASS: f64 = -0.07821589397295896;
const MULTIVARIATE: f64 = 1.5439706813375564;
const BARLOW_BEESTON: f64 = 4.541573677642658;
const BINCOUNTS: f64 = 3.6779150680782755;
const BINSAMPLING: f64 = 10.928559606959903;

/// `bincounts_extended_dist`, `bincounts_density_dist` and `binsampling_dist` over two bins; a normal distribution of
/// scipy 1.17 and the exponential by hand.
#[test]
fn densities_of_bins() {
    let gaussian = json!({"name": "g", "type": "gaussian_dist", "x": "x", "mean": 1.0, "sigma": 0.8});
    let make = |density: Value| {
        let mut value = document(json!([density, gaussian]), json!({"r": 12.0, "c": 0.5}), [0.0, 3.0], &[]);
        value["functions"] = json!([{"name": "f", "type": "generic_function", "expression": "r*exp(-c*x)"}]);
        let axes = json!([{"name": "x", "edges": [0, 1, 3]}]);
        value["data"] = json!([{"name": "d", "type": "binned", "axes": axes, "contents": [4, 6]}]);
        evaluate(&value, &Options::default()).0
    };
    let extended = make(json!({"name": "p", "type": "bincounts_extended_dist", "rate": "r", "dist": "g"}));
    assert!((extended - BINCOUNTS).abs() < 1e-11, "{extended}");
    let sampled = make(json!({"name": "p", "type": "binsampling_dist", "pdf": "g", "observable": "x"}));
    assert!((sampled - BINSAMPLING).abs() < 1e-11, "{sampled}");
    let density = make(json!({"name": "p", "type": "bincounts_density_dist", "x": "x", "density": "f"}));
    let nu = [24.0 * (1.0 - f64::exp(-0.5)), 24.0 * (f64::exp(-0.5) - f64::exp(-1.5))];
    let expected = nu[0] - 4.0 * nu[0].ln() + 24f64.ln() + nu[1] - 6.0 * nu[1].ln() + 720f64.ln();
    assert!((density - expected).abs() < 1e-11, "{density} {expected}");
}

/// A rate with its density: ν − Σ ln(ν p) + ln N!, by `rate_extended_dist`, by `extend_pdf` and by `rate_density_dist`.
#[test]
fn extended_densities() {
    let events = [0.4, 0.5, 2.0];
    let exponential = json!({"name": "e", "type": "exponential_dist", "x": "x", "c": "c"});
    let run = |density: Value| {
        let mut value = document(json!([density, exponential]), json!({"r": 5.0, "c": 0.7}), [0.0, 3.0], &events);
        value["functions"] = json!([{"name": "f", "type": "generic_function", "expression": "r*exp(-c*x)"}]);
        evaluate(&value, &Options::default()).0
    };
    let mass = (1.0 - f64::exp(-2.1)) / 0.7;
    let expected = |nu: f64| nu - 3.0 * (nu / mass).ln() + 0.7 * 2.9 + 6f64.ln();
    for kind in [
        json!({"name": "p", "type": "rate_extended_dist", "rate": "r", "dist": "e"}),
        json!({"name": "p", "type": "extend_pdf", "norm": "r", "pdf": "e"}),
    ] {
        assert!((run(kind) - expected(5.0)).abs() < 1e-12);
    }
    let density = run(json!({"name": "p", "type": "rate_density_dist", "x": "x", "density": "f"}));
    assert!((density - expected(5.0 * mass)).abs() < 1e-10);
}

/// Density functions and efficiencies are products before they are normalised.
#[test]
fn functions_as_densities() {
    let events = [0.4, 0.5, 2.0];
    let run = |density: Value| {
        let gaussian = json!({"name": "g", "type": "gaussian_dist", "x": "x", "mean": 1.0, "sigma": "c"});
        let mut value = document(json!([density, gaussian]), json!({"c": 0.7}), [0.0, 3.0], &events);
        value["functions"] = json!([
            {"name": "f", "type": "generic_function", "expression": "exp(-c*x)"},
            {"name": "ln_f", "type": "generic_function", "expression": "-c*x"},
            {"name": "eff", "type": "generic_function", "expression": "0.3+0.1*x"}]);
        evaluate(&value, &Options::default())
    };
    let generic = |text: &str| run(json!({"name": "p", "type": "generic_dist", "expression": text}));
    let close = |a: (f64, Vec<(String, f64)>), b: (f64, Vec<(String, f64)>)| {
        assert!((a.0 - b.0).abs() < 1e-10 && (a.1[0].1 - b.1[0].1).abs() < 1e-9, "{a:?} {b:?}");
    };
    close(run(json!({"name": "p", "type": "density_function_dist", "function": "f"})), generic("exp(-c*x)"));
    close(run(json!({"name": "p", "type": "log_density_function_dist", "function": "ln_f"})), generic("exp(-c*x)"));
    let product = run(json!({"name": "p", "type": "efficiency_product_pdf_dist", "pdf": "g", "eff": "eff"}));
    close(product, generic("exp(-0.5*((x-1)/c)^2)*(0.3+0.1*x)"));
}

/// Second derivatives where a parameter is a bin's content, or moves the argument of a spline.
#[test]
fn bends_of_steps_and_splines() {
    let axes = json!([{"name": "x", "edges": [0.0, 0.45, 1.0, 3.0]}]);
    let step = json!({"name": "f", "type": "step", "variables": ["x"], "parameters": ["a", "b", "c"], "axes": axes});
    let argument = json!({"name": "u", "type": "generic_function", "expression": "a*x+b*x^2"});
    let spline = json!({"name": "f", "type": "spline", "x": "u", "x0": [0, 1, 2, 3, 5], "y0": [2, 1, 1.5, 3, 2.5]});
    for (functions, name, differences) in
        [(json!([step]), "a step", false), (json!([argument, spline]), "a spline", true)]
    {
        let density = json!({"name": "p", "type": "density_function_dist", "function": "f"});
        let parameters = json!({"a": 0.7, "b": 0.3, "c": 0.4});
        let mut value = document(json!([density]), parameters, [0.0, 3.0], &[0.4, 0.5, 2.0]);
        value["functions"] = functions;
        assert_eq!(bends(name, &value), differences, "{name}");
    }
}

/// Where a density is so narrow that its integral vanishes, nothing is likely: no fit is led there.
#[test]
fn vanishing_integrals_are_outside_of_the_domain() {
    let density = json!({"name": "p", "type": "generic_dist", "expression": "exp(-(x-m)^2/(2*s*s))"});
    let parameters = json!({"m": 4.97, "s": 0.3});
    let likelihood =
        compile(&document(json!([density]), parameters, [0.0, 10.0], &[4.97]), &Options::default()).unwrap();
    let s = likelihood.parameters.iter().position(|p| p.name == "s").unwrap();
    let mut theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let (mut gradient, mut scratch) = (vec![0.0; theta.len()], likelihood.scratch());
    // −ln L of one event at the peak: ln(s √2π).
    let expected = (0.3 * (2.0 * std::f64::consts::PI).sqrt()).ln();
    assert!((likelihood.value(&theta, &mut scratch) - expected).abs() < 1e-10);
    theta[s] = 1e-4;
    assert_eq!(likelihood.value(&theta, &mut scratch), f64::INFINITY);
    assert!(likelihood.reason(&scratch).unwrap().contains("integral of the density of \"p\" is zero"));
    assert_eq!(likelihood.value_and_gradient(&theta, &mut gradient, &mut scratch), f64::INFINITY);
    assert_eq!(likelihood.value_gradient_hessians(&theta, &mut gradient, &mut scratch), f64::INFINITY);
}

/// Each rule of compilation has an input that breaks it.
#[test]
fn what_cannot_be_evaluated_says_why() {
    let gaussian = json!({"name": "p", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1});
    let base = || document(json!([gaussian]), json!({"m": 1.0}), [0.0, 3.0], &[1.0]);
    let rules = |change: &dyn Fn(&mut Value)| {
        let mut value = base();
        change(&mut value);
        compile(&value, &Options::default()).map(|l| l.warnings.0.iter().map(|f| f.rule).collect::<Vec<_>>())
    };
    let mixture = |coefficients: Value, extended: bool| {
        move |v: &mut Value| {
            let mixture = json!({"name": "q", "type": "mixture_dist", "summands": ["p", "p"],
                                 "coefficients": coefficients, "extended": extended});
            v["distributions"].as_array_mut().unwrap().push(mixture);
            v["likelihoods"][0]["distributions"] = json!(["q"]);
        }
    };
    assert_eq!(rules(&|_| ()), Ok(vec![]));
    assert_eq!(rules(&|v| v["distributions"][0]["mean"] = json!("other")), Ok(vec!["W419"]));
    assert_eq!(rules(&|v| v["distributions"][0]["type"] = json!("landau_dist")), Ok(vec![]));
    assert_eq!(rules(&|v| v["data"][0]["axes"][0] = json!({"name": "x"})), Ok(vec![]));
    let unbounded = |v: &mut Value| {
        v["data"][0]["axes"][0] = json!({"name": "x"});
        v["distributions"][0]["type"] = json!("landau_dist");
    };
    assert_eq!(rules(&unbounded), Err(vec!["W420"]));
    assert_eq!(rules(&|v| v["distributions"][0]["type"] = json!("voigt_dist")), Err(vec!["W421"]));
    assert_eq!(rules(&|v| v["data"][0]["type"] = json!("graph")), Err(vec!["W421"]));
    let projected = json!({"name": "p", "type": "projected_dist", "input_pdf": "p2", "observables": ["x"]});
    let project = |v: &mut Value| {
        v["distributions"][0]["name"] = json!("p2");
        v["distributions"].as_array_mut().unwrap().push(projected.clone());
    };
    assert_eq!(rules(&project), Err(vec!["W422"]));
    let templates = |kind: &'static str| {
        move |v: &mut Value| {
            v["distributions"][0] = json!({"name": "p", "type": kind, "x": "x", "y": "y", "coefList": ["m"]});
        }
    };
    assert_eq!(rules(&templates("CMS::fastverticalinterphistpdf2")), Err(vec!["W421"]));
    assert_eq!(rules(&templates("CMS::FastVerticalInterpHistPdf2D2")), Err(vec!["W421"]));
    assert_eq!(rules(&mixture(json!([0.3]), false)), Ok(vec![]));
    assert_eq!(rules(&mixture(json!([3, 4]), true)), Ok(vec![]));
    assert_eq!(rules(&mixture(json!([0.3, 0.7]), false)), Ok(vec![]));
    assert_eq!(rules(&mixture(json!([0.3, 0.6]), false)), Err(vec!["W423"]));
    assert_eq!(rules(&mixture(json!([0.3]), true)), Err(vec!["W423"]));
    assert_eq!(rules(&mixture(json!([1, 2, 3]), true)), Err(vec!["W423"]));
    assert_eq!(rules(&|v| v["likelihoods"][0]["distributions"] = json!(["none"])), Err(vec!["W409"]));
    assert_eq!(rules(&|v| v["likelihoods"] = json!([])), Err(vec!["W426"]));
    assert_eq!(rules(&|v| v["data"][0]["entries"] = json!([[1], [3.5]])), Err(vec!["W428"]));
    let binned = |v: &mut Value| {
        let axes = json!([{"name": "x", "min": 0, "max": 3, "nbins": 2}]);
        v["data"][0] = json!({"name": "d", "type": "binned", "axes": axes, "contents": [1, 2]});
    };
    assert_eq!(rules(&binned), Ok(vec!["W425"]));
    let global = |v: &mut Value| {
        let domain = json!({"name": "A_global_observables", "type": "product_domain", "axes": [{"name": "m"}]});
        v["domains"] = json!([domain]);
    };
    assert_eq!(rules(&global), Ok(vec!["W427"]));
}

/// ln of the width of what is inside of both ranges for each event, by hand; +∞ with an event outside.
#[test]
fn uniform_densities_with_ranges() {
    let uniform = json!([{"name": "p", "type": "uniform_dist", "x": "x", "min": "lo", "max": "hi"}]);
    let run = |lo: f64, hi: f64| {
        let value = document(uniform.clone(), json!({"lo": lo, "hi": hi}), [0.0, 3.0], &[0.7, 1.1, 2.0]);
        evaluate(&value, &Options::default())
    };
    let (nll, gradient) = run(0.5, 2.25);
    assert!((nll - 3.0 * 1.75f64.ln()).abs() < 1e-14);
    assert!((gradient[0].1 - 3.0 / 1.75).abs() < 1e-14 && (gradient[1].1 + 3.0 / 1.75).abs() < 1e-14, "{gradient:?}");
    let (nll, gradient) = run(-1.0, 2.25);
    assert!((nll - 3.0 * 2.25f64.ln()).abs() < 1e-14);
    assert_eq!(gradient[1].1, 0.0);
    assert_eq!(run(0.8, 2.25).0, f64::INFINITY);
}

/// A width below zero, and a rate that depends on a variate.
#[test]
fn values_outside_of_the_domain() {
    let gaussian = json!([{"name": "p", "type": "gaussian_dist", "x": "x", "mean": 1, "sigma": "s"}]);
    let likelihood = compile(&document(gaussian, json!({"s": -2.0}), [0.0, 3.0], &[1.0]), &Options::default()).unwrap();
    let (mut gradient, mut scratch) = ([1.0], likelihood.scratch());
    assert_eq!(likelihood.value_and_gradient(&[-2.0], &mut gradient, &mut scratch), f64::INFINITY);
    assert_eq!(gradient, [0.0]);
    assert!(likelihood.reason(&scratch).is_some());
    assert!(likelihood.value(&[2.0], &mut scratch).is_finite());
    assert_eq!(likelihood.reason(&scratch), None);
    let extended = json!([{"name": "p", "type": "extend_pdf", "pdf": "g", "norm": "x"},
                          {"name": "g", "type": "gaussian_dist", "x": "x", "mean": 1, "sigma": 1}]);
    let value = document(extended, json!({}), [0.0, 3.0], &[1.0]);
    assert_eq!(compile(&value, &Options::default()).err(), Some(vec!["W422"]));
}

/// Chains, doublings and nested integrals: an answer at once.
#[test]
fn hostile_graphs_are_refused_at_once() {
    let start = Instant::now();
    let chain = |n: usize, expression: &dyn Fn(usize) -> String| -> Value {
        let function = |i| json!({"name": format!("f{i}"), "type": "generic_function", "expression": expression(i)});
        (0..n).map(function).collect::<Vec<_>>().into()
    };
    let gaussian = json!({"name": "p", "type": "gaussian_dist", "x": "x", "mean": "f0", "sigma": 1});
    let mut value = document(json!([gaussian]), json!({"f40": 1.0}), [0.0, 3.0], &[1.0]);
    value["functions"] = chain(40, &|i| format!("f{0}*0.5+f{0}*0.5", i + 1));
    let (nll, gradient) = evaluate(&value, &Options::default());
    let half = 0.5 * (2.0 * std::f64::consts::PI).ln();
    assert!((nll - half - (0.9772498680518208f64 - 0.15865525393145707).ln()).abs() < 1e-12, "{nll}");
    assert_eq!(gradient.len(), 1);
    value["parameter_points"] = json!([]);
    value["functions"] = chain(5000, &|i| format!("f{}+1", i + 1));
    assert_eq!(compile(&value, &Options::default()).err(), Some(vec!["W424"]));
    // Each mixture uses the next one twice.
    let mixture = |i: usize| {
        let (name, next) = (if i == 0 { "p".to_string() } else { format!("q{i}") }, format!("q{}", i + 1));
        json!({"name": name, "type": "mixture_dist", "summands": [next, next], "coefficients": [0.5], "extended": false})
    };
    let mut mixtures: Vec<Value> = (0..60).map(mixture).collect();
    mixtures.push(json!({"name": "q60", "type": "gaussian_dist", "x": "x", "mean": 1, "sigma": 1}));
    let value = document(mixtures.into(), json!({}), [0.0, 3.0], &[1.0]);
    assert_eq!(compile(&value, &Options::default()).err(), Some(vec!["W424"]));
    assert!(start.elapsed().as_secs_f64() < 10.0, "{:?}", start.elapsed());
}
