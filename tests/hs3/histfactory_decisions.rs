//! Where programs disagree on HistFactory in HS3: each decision of spec/hs3-histfactory.md, on the smallest document that
//! needs it, against closed forms.

use morphist::document::hs3::{Dialect, Hs3Document, ReadOptions, Version};
use morphist::finding::{Findings, Severity};
use morphist::kernel::Evaluator;
use morphist::model::{Constraint, Penalty, PenaltyKind};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Conventions, Hs3Likelihood, Hs3Options, Overrides, ShapesysValues};
use serde_json::{Value, json};

const LN_ROOT_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// One channel of two bins with 53 and 68 events, one sample of 50 and 60 with these modifiers, parameters (name, value).
fn document(modifiers: Value, distributions: Value, values: &[(&str, f64)]) -> Value {
    let axes = json!([{"name": "x", "min": 0, "max": 2, "nbins": 2}]);
    let channel = json!({
        "name": "model_SR", "type": "histfactory_dist", "axes": axes,
        "samples": [{"name": "b", "data": {"contents": [50, 60], "errors": [3, 0]}, "modifiers": modifiers}],
    });
    let mut all = vec![channel];
    all.extend(distributions.as_array().unwrap().iter().cloned());
    let values: Vec<Value> = values.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": all,
        "data": [{"name": "d", "type": "binned", "axes": axes, "contents": [53, 68]}],
        "likelihoods": [{"name": "l", "distributions": ["model_SR"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": values}],
    })
}

fn read(value: &Value, dialect: Dialect) -> Hs3Document {
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    Hs3Document::from_value(value, &options).unwrap_or_else(|findings| panic!("{findings}"))
}

const ROOT: Dialect = Dialect::Root(Version { major: 6, minor: 40, patch: 0 });

fn attempt(value: &Value, dialect: Dialect, options: &Hs3Options) -> Result<Hs3Likelihood, Findings> {
    from_hs3::likelihood(&read(value, dialect), options)
}

fn translate(value: &Value, dialect: Dialect) -> Hs3Likelihood {
    attempt(value, dialect, &Hs3Options::default()).unwrap_or_else(|findings| panic!("{findings}"))
}

fn errors(value: &Value, dialect: Dialect) -> Vec<&'static str> {
    let findings = attempt(value, dialect, &Hs3Options::default()).expect_err("an error");
    findings.0.iter().filter(|f| f.severity == Severity::Error).map(|f| f.rule).collect()
}

/// −ln L at the point that sets some parameters.
fn nll(likelihood: &Hs3Likelihood, set: &[(&str, f64)]) -> f64 {
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    0.5 * Evaluator::new(&program).twice_nll(&point(likelihood, set), &data)
}

fn point(likelihood: &Hs3Likelihood, set: &[(&str, f64)]) -> Vec<f64> {
    let names = likelihood.model.parameter_names();
    let mut point = likelihood.model.init();
    for (name, value) in set {
        point[names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no {name}"))] = *value;
    }
    point
}

fn expected(likelihood: &Hs3Likelihood, set: &[(&str, f64)]) -> Vec<f64> {
    let program = Program::compile(&likelihood.model);
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    Evaluator::new(&program).expected(&point(likelihood, set), &mut main, &mut auxiliary);
    main
}

/// −ln Poisson(n | ν).
fn poisson(n: f64, nu: f64) -> f64 {
    nu - n * nu.ln() + libm::lgamma(n + 1.0)
}

fn gauss(x: f64, mean: f64, sigma: f64) -> f64 {
    0.5 * ((x - mean) / sigma).powi(2) + sigma.ln() + LN_ROOT_TWO_PI
}

fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} and {expected}");
}

fn constraint(likelihood: &Hs3Likelihood, name: &str) -> Option<Constraint> {
    let index = likelihood.model.parameter_names().iter().position(|n| n == name).unwrap();
    likelihood.model.constraints()[index]
}

fn histosys(extra: Value) -> Value {
    let mut modifier = json!({"name": "h", "type": "histosys", "parameter": "a",
        "data": {"lo": {"contents": [46, 63]}, "hi": {"contents": [55, 58]}}});
    modifier.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    modifier
}

fn normsys(name: &str, lo: f64, hi: f64, extra: Value) -> Value {
    let mut modifier = json!({"name": name, "type": "normsys", "parameter": name, "data": {"lo": lo, "hi": hi}});
    modifier.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    modifier
}

/// A1: hi and lo are templates, not deviations.
#[test]
fn a1_histosys_is_absolute() {
    let value = document(json!([histosys(json!({}))]), json!([]), &[("a", 0.0)]);
    assert_eq!(expected(&translate(&value, Dialect::Canonical), &[("a", 1.0)]), [55.0, 58.0]);
}

/// A2: vals are events, parts, or τ; what is chosen can be replaced and is warned of where it is a guess.
#[test]
fn a2_values_of_shapesys() {
    let of = |vals: [f64; 2]| {
        let modifier = json!({"name": "s", "type": "shapesys", "parameters": ["g0", "g1"], "data": {"vals": vals},
            "constraint_type": "Poisson"});
        document(json!([modifier]), json!([]), &[("g0", 1.0), ("g1", 1.0)])
    };
    let tau = |likelihood: &Hs3Likelihood| match constraint(likelihood, "g0") {
        Some(Constraint::Poisson { factor, .. }) => factor,
        other => panic!("{other:?}"),
    };
    close(tau(&translate(&of([0.1, 0.2]), ROOT)), 100.0);
    let absolute = translate(&of([5.0, 6.0]), Dialect::Canonical);
    close(tau(&absolute), 100.0);
    assert_eq!(absolute.model.warnings.0[0].rule, "W440");
    assert!(translate(&of([5.0, 6.0]), Dialect::Pyhs3).model.warnings.0.is_empty());
    let old = Dialect::Root(Version { major: 6, minor: 28, patch: 4 });
    close(tau(&translate(&of([100.0, 25.0]), old)), 100.0);
    assert_eq!(translate(&of([100.0, 25.0]), ROOT).model.warnings.0[0].rule, "W440");
    let overrides = Overrides { shapesys_values: Some(ShapesysValues::Relative), ..Overrides::default() };
    let options = Hs3Options { overrides, ..Hs3Options::default() };
    close(tau(&attempt(&of([0.1, 0.2]), Dialect::Canonical, &options).unwrap()), 100.0);
}

/// A3: four generations of keys, the newest first; a name that is no distribution is a type.
#[test]
fn a3_precedence_of_constraint_keys() {
    let distributions = json!([
        {"name": "first", "type": "gaussian_dist", "x": "a", "mean": 0.1, "sigma": 1.0},
        {"name": "second", "type": "gaussian_dist", "x": "a", "mean": 0.2, "sigma": 2.0},
        {"name": "third", "type": "gaussian_dist", "x": 0.3, "mean": "a", "sigma": 3.0},
    ]);
    let auxdata = |keys: Value| {
        let value = document(json!([normsys("a", 0.9, 1.1, keys)]), distributions.clone(), &[("a", 0.0)]);
        constraint(&translate(&value, Dialect::Canonical), "a")
    };
    let gauss = |auxdata, sigma| Some(Constraint::Gaussian { auxdata, sigma });
    let mut keys = json!({"constraints": ["first"], "constraint": "second", "constraint_name": "third",
        "constraint_type": "Const"});
    assert_eq!(auxdata(keys.clone()), gauss(0.1, 1.0));
    keys.as_object_mut().unwrap().remove("constraints");
    assert_eq!(auxdata(keys.clone()), gauss(0.2, 2.0));
    keys["constraint"] = json!("Const");
    assert_eq!(auxdata(keys.clone()), gauss(0.3, 3.0));
    keys.as_object_mut().unwrap().remove("constraint_name");
    keys["constraint_type"] = json!("Gauss");
    assert_eq!(auxdata(keys.clone()), gauss(0.0, 1.0));
    keys.as_object_mut().unwrap().remove("constraint_type");
    assert_eq!(auxdata(keys), None);
    assert_eq!(auxdata(json!({})), gauss(0.0, 1.0));
    assert_eq!(auxdata(json!({"constraints": [null]})), None);
    for keys in [json!({"constraint_name": "nowhere"}), json!({"constraints": ["nowhere"]})] {
        let value = document(json!([normsys("a", 0.9, 1.1, keys)]), distributions.clone(), &[("a", 0.0)]);
        assert_eq!(errors(&value, Dialect::Canonical), ["W409"]);
    }
    let unknown =
        document(json!([normsys("a", 0.9, 1.1, json!({"constraint_type": "Weibull"}))]), json!([]), &[("a", 0.0)]);
    assert_eq!(errors(&unknown, Dialect::Canonical), ["W441"]);
}

/// A4: the modifier, then the channel, then the producer; a strict reader wants to be told.
#[test]
fn a4_constraints_of_staterrors() {
    let of = |keys: Value| {
        let mut modifier = json!({"name": "staterror", "type": "staterror", "parameters": ["g0", "g1"]});
        modifier.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        document(json!([modifier]), json!([]), &[("g0", 1.0)])
    };
    let is_poisson = |value: &Value, dialect| {
        matches!(constraint(&translate(value, dialect), "g0"), Some(Constraint::Poisson { .. }))
    };
    let plain = of(json!({}));
    assert!(is_poisson(&plain, ROOT));
    assert!(!is_poisson(&plain, Dialect::Pyhs3));
    let lenient = translate(&plain, Dialect::Canonical);
    assert_eq!(constraint(&lenient, "g0"), Some(Constraint::Gaussian { auxdata: 1.0, sigma: 0.06 }));
    assert!(lenient.model.warnings.0.iter().any(|f| f.rule == "W445"));
    let strict = Hs3Options { strict: true, ..Hs3Options::default() };
    let findings = attempt(&plain, Dialect::Canonical, &strict).unwrap_err();
    assert!(findings.0.iter().any(|f| f.rule == "W445" && f.severity == Severity::Error));
    let mut of_channel = plain.clone();
    of_channel["distributions"][0]["staterror"] = json!({"constraint_type": "Gauss", "relThreshold": 0.07});
    assert!(!is_poisson(&of_channel, ROOT));
    // Below the threshold the parameter is held and the term stays (A21); no error, no term.
    let held = translate(&of_channel, ROOT);
    assert_eq!(constraint(&held, "g1"), None);
    let fixed = |likelihood: &Hs3Likelihood| {
        let by_name: Vec<_> = likelihood.model.parameter_names().into_iter().zip(likelihood.model.fixed()).collect();
        by_name
    };
    assert!(fixed(&held).contains(&("g1".to_string(), true)));
    let mut own = of(json!({"constraint_type": "Poisson"}));
    own["distributions"][0]["staterror"] = json!({"constraint_type": "Gauss"});
    assert!(is_poisson(&own, Dialect::Pyhs3));
}

/// Eq. 1 where a sample has no error in a bin: √(1/τ) of the constraints that ROOT 6.40.00 makes on reading the document.
#[test]
fn widths_where_samples_have_no_error() {
    let modifier =
        json!({"name": "staterror", "type": "staterror", "parameters": ["g0", "g1"], "constraint_type": "Poisson"});
    for (errors, root) in [
        ([[3.0, 4.0], [1.0, 1.0], [0.0, 0.0]], [0.057496, 0.058902]),
        ([[3.0, 4.0], [1.0, 0.0], [0.0, 0.0]], [0.057496, 0.057143]),
        ([[3.0, 0.0], [1.0, 2.0], [0.0, 0.0]], [0.057496, 0.028571]),
        ([[3.0, 4.0], [1.0, 0.0], [1.0, 1.5]], [0.053494, 0.054769]),
    ] {
        let mut value = document(json!([]), json!([]), &[("g0", 1.0), ("g1", 1.0)]);
        let contents = [[50, 60], [5, 10], [7, 8]];
        let samples = contents.iter().zip(errors).enumerate().filter(|(s, (_, e))| *s < 2 || e[0] > 0.0);
        let samples = samples.map(|(s, (contents, errors))| {
            let data = json!({"contents": contents, "errors": errors});
            json!({"name": format!("s{s}"), "data": data, "modifiers": [modifier]})
        });
        value["distributions"][0]["samples"] = samples.collect();
        for (name, root) in ["g0", "g1"].into_iter().zip(root) {
            let Some(Constraint::Poisson { factor, .. }) = constraint(&translate(&value, ROOT), name) else { panic!() };
            assert!((1.0 / factor.sqrt() - root).abs() < 1e-6, "{errors:?} {name}: {factor}");
        }
    }
}

/// A5: all spellings; ROOT's code 4 is another for factors than for templates.
#[test]
fn a5_spellings_of_interpolation() {
    // hi 1.2, lo 0.9: S = 0.15, A = 0.05.
    let (s, a) = (0.15, 0.05);
    let quadratic = |x: f64| 1.0 + s * x + a * if x.abs() < 1.0 { x * x } else { 2.0 * x.abs() - 1.0 };
    let poly = |x: f64| {
        let q = x * x * (15.0 - 10.0 * x * x + 3.0 * x.powi(4)) / 8.0;
        1.0 + s * x + a * if x.abs() < 1.0 { q } else { x.abs() }
    };
    let linear = |x: f64| if x > 0.0 { 1.0 + 0.2 * x } else { 1.0 + 0.1 * x };
    let exponential = |x: f64| if x > 0.0 { 1.2f64.powf(x) } else { 0.9f64.powf(-x) };
    let structure = |t: &str, i: &str, o: &str| json!({"interpolation": {"type": t, "in": i, "out": o}});
    type Curve<'f> = &'f dyn Fn(f64) -> f64;
    let forms: Vec<(Vec<Value>, Curve)> = vec![
        (
            vec![
                json!({"interpolation": 0}),
                json!({"interpolation": "lin"}),
                structure("add", "poly1", "poly1"),
                json!({"data": {"lo": 0.9, "hi": 1.2, "interpolation": "code0"}}),
            ],
            &linear,
        ),
        (
            vec![
                json!({"interpolation": 1}),
                json!({"interpolation": "log"}),
                structure("mult", "exp", "exp"),
                json!({"data": {"lo": 0.9, "hi": 1.2, "interpolation": "code1"}}),
            ],
            &exponential,
        ),
        (
            vec![
                json!({"interpolation": 2}),
                json!({"interpolation": 3}),
                json!({"interpolation": "parabolic"}),
                structure("add", "poly2", "poly1"),
            ],
            &quadratic,
        ),
        (
            vec![json!({"interpolation": 6}), structure("mult", "poly6", "poly1"), structure("add", "poly6", "poly1")],
            &poly,
        ),
    ];
    for (spellings, f) in &forms {
        for spelling in spellings {
            let value = document(json!([normsys("a", 0.9, 1.2, spelling.clone())]), json!([]), &[("a", 0.0)]);
            let likelihood = translate(&value, Dialect::Canonical);
            for x in [-2.5, -1.0, -0.4, 0.0, 0.3, 1.0, 1.7] {
                close(expected(&likelihood, &[("a", x)])[0], 50.0 * f(x));
            }
        }
    }
    let both = [json!({}), json!({"interpolation": 4}), json!({"interpolation": 5}), structure("mult", "poly6", "exp")];
    let at = |keys: &Value, x: f64| {
        let value = document(json!([normsys("a", 0.9, 1.2, keys.clone())]), json!([]), &[("a", 0.0)]);
        expected(&translate(&value, Dialect::Canonical), &[("a", x)])[0]
    };
    for keys in &both {
        close(at(keys, 2.0), 50.0 * 1.44);
        // Outside it is code 1; inside it is not.
        assert!((at(keys, 0.5) - 50.0 * exponential(0.5)).abs() > 1e-4);
        close(at(keys, 0.5), at(&json!({}), 0.5));
    }
    let unknown = document(json!([normsys("a", 0.9, 1.2, json!({"interpolation": 9}))]), json!([]), &[("a", 0.0)]);
    assert_eq!(errors(&unknown, Dialect::Canonical), ["W442"]);
}

/// Factors that add, and one that multiplies after them: (f₁ + f₂ − 1) f₃, in ROOT's order; templates that multiply.
#[test]
fn sums_of_factors_and_products_of_templates() {
    let modifiers = json!([
        normsys("a", 0.9, 1.2, json!({"interpolation": 0})),
        normsys("b", 0.8, 1.1, json!({"interpolation": 2})),
        normsys("c", 0.7, 1.3, json!({"interpolation": 1})),
        histosys(json!({"parameter": "h"})),
    ]);
    let value = document(modifiers, json!([]), &[("a", 0.0), ("b", 0.0), ("c", 0.0), ("h", 0.0)]);
    let likelihood = translate(&value, ROOT);
    assert_eq!(likelihood.model.warnings.0[0].rule, "W446");
    let set = [("a", 0.5), ("b", -0.4), ("c", 0.6), ("h", 1.0)];
    let (f1, f2, f3) = (1.1, 1.0 - 0.4 * 0.15 - 0.05 * 0.16, 1.3f64.powf(0.6));
    close(expected(&likelihood, &set)[0], 55.0 * (f1 + f2 - 1.0) * f3);
    derivatives(&likelihood, &set);
    let multiply = histosys(json!({"interpolation": {"type": "mult", "in": "exp", "out": null}}));
    let value = document(json!([histosys(json!({"parameter": "h"})), multiply]), json!([]), &[("a", 0.0), ("h", 0.0)]);
    let likelihood = translate(&value, ROOT);
    let set = [("a", 0.7), ("h", -1.0)];
    close(expected(&likelihood, &set)[0], 46.0 * (55.0f64 / 50.0).powf(0.7));
    close(expected(&likelihood, &set)[1], 63.0 * (58.0f64 / 60.0).powf(0.7));
    derivatives(&likelihood, &set);
    // The other order: 50 · f + (46 − 50), which no clip can end.
    let multiply = histosys(json!({"interpolation": 1}));
    let value = document(json!([multiply, histosys(json!({"parameter": "h"}))]), json!([]), &[("a", 0.0), ("h", 0.0)]);
    assert_eq!(errors(&value, ROOT), ["W422"]);
    close(expected(&translate(&value, Dialect::Canonical), &set)[0], 50.0 * 1.1f64.powf(0.7) - 4.0);
}

/// Gradient and Hessian against central differences, and points in lanes against single ones.
fn derivatives(likelihood: &Hs3Likelihood, set: &[(&str, f64)]) {
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    let mut evaluator = Evaluator::new(&program);
    let (at, n) = (point(likelihood, set), program.n_parameters());
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let value = evaluator.hessian(&at, &data, &mut gradient, &mut hessian);
    assert!(value.is_finite());
    let h = 1e-5;
    for i in 0..n {
        let mut ends = [at.clone(), at.clone()];
        ends[0][i] -= h;
        ends[1][i] += h;
        let slopes = [0, 1].map(|side| {
            let mut slope = vec![0.0; n];
            let value = evaluator.gradient(&ends[side], &data, &mut slope);
            (value, slope)
        });
        let first = (slopes[1].0 - slopes[0].0) / (2.0 * h);
        assert!((gradient[i] - first).abs() < 1e-5 * (1.0 + first.abs()), "∂{i}: {} and {first}", gradient[i]);
        for j in 0..n {
            let second = (slopes[1].1[j] - slopes[0].1[j]) / (2.0 * h);
            let got = hessian[i * n + j];
            assert!((got - second).abs() < 1e-5 * (1.0 + second.abs()), "∂{i}∂{j}: {got} and {second}");
        }
    }
    let points: Vec<f64> =
        (0..9).flat_map(|k| at.iter().map(move |x| x + 1e-3 * k as f64).collect::<Vec<_>>()).collect();
    let (mut values, mut gradients) = (vec![0.0; 9], vec![0.0; 9 * n]);
    evaluator.gradient_batch(&points, &data, &mut values, &mut gradients);
    for (k, point) in points.chunks_exact(n).enumerate() {
        let single = evaluator.gradient(point, &data, &mut gradient);
        close(values[k], single);
        for (a, b) in gradients[k * n..(k + 1) * n].iter().zip(&gradient) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} and {b}");
        }
    }
}

/// A6: in ROOT's files a template ends at zero before its factors, and so does a product of normsys; elsewhere neither.
#[test]
fn a6_negative_templates() {
    let value = document(json!([histosys(json!({}))]), json!([]), &[("a", 0.0)]);
    // Above 1 the offset is α (hi − n), below −α (lo − n): bin 0 is 50 + 4 α.
    let set = [("a", -15.0)];
    close(expected(&translate(&value, Dialect::Canonical), &set)[0], -10.0);
    let clipped = translate(&value, ROOT);
    assert_eq!(expected(&clipped, &set)[0], 0.0);
    assert!(clipped.conventions.clip_templates);
    let off = Overrides { clip_templates: Some(false), ..Overrides::default() };
    let off = attempt(&value, ROOT, &Hs3Options { overrides: off, ..Hs3Options::default() }).unwrap();
    close(expected(&off, &set)[0], -10.0);
    // A sample that no histosys moves keeps its sign, and so does one under a negative factor.
    let factor = json!({"name": "m", "type": "normfactor", "parameter": "m"});
    let value = document(json!([histosys(json!({})), factor]), json!([]), &[("a", 0.0), ("m", 1.0)]);
    assert_eq!(expected(&translate(&value, ROOT), &[("m", -2.0)])[0], -100.0);
    // hi 100, lo 0.01: the polynomial of code 4 is negative at −0.5.
    let value = document(json!([normsys("a", 0.01, 100.0, json!({}))]), json!([]), &[("a", 0.0)]);
    assert!(expected(&translate(&value, Dialect::Canonical), &[("a", -0.5)])[0] < 0.0);
    assert_eq!(expected(&translate(&value, ROOT), &[("a", -0.5)])[0], 0.0);
    // With another sample beside it everything can be differentiated where one has ended.
    let mut value =
        document(json!([histosys(json!({})), normsys("b", 0.9, 1.2, json!({}))]), json!([]), &[("a", 0.0), ("b", 0.0)]);
    let other = json!({"name": "s", "data": {"contents": [5, 6]}, "modifiers": [{"name": "m", "type": "normfactor", "parameter": "m"}]});
    value["distributions"][0]["samples"].as_array_mut().unwrap().push(other);
    value["parameter_points"][0]["parameters"].as_array_mut().unwrap().push(json!({"name": "m", "value": 1.0}));
    derivatives(&translate(&value, ROOT), &[("a", -15.0), ("b", 0.3), ("m", 1.2)]);
}

/// A7: a mean below zero where there are events is impossible, in every dialect.
#[test]
fn a7_means_below_zero() {
    let modifiers = json!([{"name": "mu", "type": "normfactor", "parameter": "mu"}]);
    for dialect in [ROOT, Dialect::Pyhs3, Dialect::Canonical] {
        let likelihood = translate(&document(modifiers.clone(), json!([]), &[("mu", 1.0)]), dialect);
        assert_eq!(nll(&likelihood, &[("mu", -0.1)]), f64::INFINITY);
        assert_eq!(nll(&likelihood, &[("mu", 0.0)]), f64::INFINITY);
        close(nll(&likelihood, &[("mu", 0.9)]), poisson(53.0, 45.0) + poisson(68.0, 54.0));
    }
}

/// A8: a Gaussian over the range of its observable in ROOT's files, over all numbers elsewhere.
#[test]
fn a8_truncated_constraints() {
    let distributions = json!([{"name": "c", "type": "gaussian_dist", "x": "a", "mean": "nom_a", "sigma": 2.0}]);
    let mut value = document(
        json!([normsys("a", 0.9, 1.1, json!({"constraint_name": "c"}))]),
        distributions,
        &[("a", 0.0), ("nom_a", 0.25)],
    );
    value["parameter_points"][0]["parameters"][1]["const"] = json!(true);
    value["domains"] = json!([{"name": "default_domain", "type": "product_domain",
        "axes": [{"name": "a", "min": -5, "max": 5}, {"name": "nom_a", "min": -2.0, "max": 2.0}]}]);
    let set = [("a", 1.0)];
    let main = poisson(53.0, 50.0 * 1.1) + poisson(68.0, 60.0 * 1.1);
    let plain = main + gauss(0.25, 1.0, 2.0);
    close(nll(&translate(&value, Dialect::Canonical), &set), plain);
    // Φ(½) − Φ(−3/2) = 0.624655260005155 (to 15 digits, Abramowitz and Stegun table 26.1).
    let root = translate(&value, ROOT);
    assert!((nll(&root, &set) - plain - 0.624_655_260_005_155_f64.ln()).abs() < 1e-12);
    derivatives(&root, &set);
    // A22, A30: a global observable is no parameter, and null is infinite.
    assert_eq!(root.model.parameter_names(), ["a"]);
    value["domains"][0]["axes"][1] = json!({"name": "nom_a", "min": null, "max": 1e30});
    close(nll(&translate(&value, ROOT), &set), plain);
}

/// Log-normal, gamma and uniform constraints in closed form.
#[test]
fn other_constraints() {
    let factor = json!({"name": "k", "type": "normfactor", "parameter": "k", "constraints": ["c"]});
    let of = |distribution: Value| {
        translate(&document(json!([factor]), json!([distribution]), &[("k", 1.0), ("nom", 1.2)]), Dialect::Canonical)
    };
    let k: f64 = 1.1;
    let main = poisson(53.0, 50.0 * k) + poisson(68.0, 60.0 * k);
    let set = [("k", k)];
    let of_parameter = of(json!({"name": "c", "type": "lognormal_dist", "x": "k", "mu": 0.05, "sigma": 0.2}));
    close(nll(&of_parameter, &set), main + gauss(k.ln(), 0.05, 0.2) + k.ln());
    derivatives(&of_parameter, &set);
    let of_observable = of(json!({"name": "c", "type": "lognormal_dist", "x": "nom", "mu": "k", "sigma": 0.2}));
    close(nll(&of_observable, &set), main + gauss(1.2f64.ln(), k, 0.2) + 1.2f64.ln());
    let gamma = of(json!({"name": "c", "type": "gamma_dist", "x": "k", "gamma": 16.0, "beta": 0.0625, "mu": 0.0}));
    // Γ(16) = 15! = 1307674368000.
    let density = -15.0 * k.ln() + k / 0.0625 + 1_307_674_368_000f64.ln() + 16.0 * 0.0625f64.ln();
    close(nll(&gamma, &set), main + density);
    derivatives(&gamma, &set);
    let uniform = of(json!({"name": "c", "type": "uniform_dist", "x": ["k"], "min": 0.5, "max": 1.5}));
    close(nll(&uniform, &set), main);
    assert_eq!(uniform.model.bounds(), [(0.5, 1.5)]);
    assert_eq!(uniform.model.penalties, [Penalty { parameter: 0, kind: PenaltyKind::Constant(0.0) }]);
    let poisson_dist = of(json!({"name": "c", "type": "poisson_dist", "x": 25.7, "mean": "k", "integer": true}));
    close(nll(&poisson_dist, &set), main + poisson(25.0, k));
    let multivariate =
        json!({"name": "c", "type": "multivariate_normal_dist", "x": ["k"], "mean": [1.0], "covariances": [[1.0]]});
    close(nll(&of(multivariate), &set), main + 0.5 * (k - 1.0).powi(2) + 0.5 * (2.0 * std::f64::consts::PI).ln());
}

/// A19, A20, A21: one constraint for each name, modifiers of one parameter apply both, a constant keeps its term.
#[test]
fn a19_to_a21_shared_and_constant_parameters() {
    let distributions = json!([{"name": "c", "type": "gaussian_dist", "x": "a", "mean": 0.0, "sigma": 1.0}]);
    let keys = json!({"constraint_name": "c"});
    let twice = json!([normsys("a", 0.8, 1.25, keys.clone()), normsys("a", 0.8, 1.25, keys.clone())]);
    let mut value = document(twice, distributions, &[("a", 0.5)]);
    value["likelihoods"][0]["aux_distributions"] = json!(["c"]);
    let likelihood = translate(&value, Dialect::Canonical);
    let set = [("a", 2.0)];
    let factor = 1.25f64.powi(4);
    close(nll(&likelihood, &set), poisson(53.0, 50.0 * factor) + poisson(68.0, 60.0 * factor) + gauss(2.0, 0.0, 1.0));
    derivatives(&likelihood, &[("a", 0.4)]);
    let factor = json!({"name": "m", "type": "normfactor", "parameter": "m"});
    let squared = document(json!([factor, factor]), json!([]), &[("m", 1.0)]);
    let squared = translate(&squared, Dialect::Canonical);
    close(expected(&squared, &[("m", 3.0)])[0], 450.0);
    derivatives(&squared, &[("m", 1.1)]);
    // One factor of a bin twice, alone and shared with a factor of all bins.
    let bins = json!({"name": "s", "type": "shapefactor", "parameters": ["g", "m"]});
    let shared = document(json!([bins, bins, factor]), json!([]), &[("g", 1.0), ("m", 1.0)]);
    let shared = translate(&shared, Dialect::Canonical);
    close(expected(&shared, &[("g", 3.0), ("m", 2.0)])[1], 60.0 * 8.0);
    derivatives(&shared, &[("g", 1.1), ("m", 0.9)]);
    value["parameter_points"][0]["parameters"][0]["const"] = json!(true);
    let held = translate(&value, Dialect::Canonical);
    assert_eq!(held.model.fixed(), [true]);
    assert!(constraint(&held, "a").is_some());
    // Another constraint on the same parameter is a contradiction.
    let other = json!({"name": "e", "type": "gaussian_dist", "x": "a", "mean": 0.0, "sigma": 2.0});
    value["distributions"].as_array_mut().unwrap().push(other);
    value["likelihoods"][0]["aux_distributions"] = json!(["c", "e"]);
    assert_eq!(errors(&value, Dialect::Canonical), ["W441"]);
}

/// A22: no value is a warning, and an error for a strict reader.
#[test]
fn a22_parameters_without_values() {
    let value = document(json!([normsys("a", 0.9, 1.1, json!({}))]), json!([]), &[]);
    let lenient = translate(&value, Dialect::Canonical);
    assert_eq!(lenient.model.init(), [0.0]);
    assert_eq!(lenient.model.warnings.0[0].rule, "W419");
    let strict = Hs3Options { strict: true, ..Hs3Options::default() };
    let findings = attempt(&value, Dialect::Canonical, &strict).unwrap_err();
    assert_eq!(findings.0[0].rule, "W419");
}

/// What drives a modifier must be a parameter, what a likelihood needs must be there, and what is asked for, too.
#[test]
fn findings() {
    let mut value = document(json!([{"name": "f", "type": "custom"}]), json!([]), &[]);
    assert_eq!(errors(&value, ROOT)[0], "W409");
    let factor = json!({"name": "f", "type": "normfactor", "parameter": "f"});
    value = document(json!([factor]), json!([]), &[("c", 1.0)]);
    value["functions"] = json!([{"name": "f", "type": "mystery"}]);
    assert_eq!(errors(&value, ROOT), ["W421"]);
    value = document(json!([factor]), json!([]), &[("f", 1.0)]);
    value["likelihoods"][0]["aux_distributions"] = json!(["gone"]);
    assert_eq!(errors(&value, ROOT), ["W409"]);
    value = document(json!([factor]), json!([]), &[("f", 1.0)]);
    value["data"][0]["axes"][0]["max"] = json!(3);
    assert_eq!(errors(&value, ROOT), ["W444"]);
    value = document(json!([normsys("a", -0.1, 1.1, json!({}))]), json!([]), &[("a", 0.0)]);
    assert_eq!(errors(&value, Dialect::Canonical), ["W442"]);
    assert_eq!(translate(&value, ROOT).model.warnings.0[0].rule, "W443");
    value = document(json!([factor]), json!([]), &[("f", 1.0)]);
    let named = Hs3Options { analysis: Some("none".into()), ..Hs3Options::default() };
    assert_eq!(attempt(&value, ROOT, &named).unwrap_err().0[0].rule, "W426");
}

/// `nll_roofit` is half of `twice_nll` and N ln k (A10), unless a user says otherwise.
#[test]
fn a10_offset_of_channels() {
    let factor = json!({"name": "f", "type": "normfactor", "parameter": "f"});
    let mut value = document(json!([factor]), json!([]), &[("f", 1.0)]);
    let mut second = value["distributions"][0].clone();
    second["name"] = json!("model_CR");
    value["distributions"].as_array_mut().unwrap().push(second);
    value["likelihoods"][0]["distributions"] = json!(["model_SR", "model_CR"]);
    value["likelihoods"][0]["data"] = json!(["d", "d"]);
    let root = translate(&value, ROOT);
    close(root.nll_roofit(7.0, &root.data), 3.5 + 242.0 * 2f64.ln());
    let canonical = translate(&value, Dialect::Canonical);
    close(canonical.nll_roofit(7.0, &canonical.data), 3.5 + 242.0 * 2f64.ln());
    let overrides = Overrides { channel_offset: Some(false), ..Overrides::default() };
    let plain = attempt(&value, Dialect::Canonical, &Hs3Options { overrides, ..Hs3Options::default() }).unwrap();
    assert_eq!(plain.nll_roofit(7.0, &plain.data), 3.5);
    assert_eq!(canonical.conventions, Conventions::new(Dialect::Canonical, &Overrides::default()));
    assert_ne!(root.conventions, canonical.conventions);
}
