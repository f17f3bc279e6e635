//! Densities of HS3 documents against ROOT 6.40: the negative logarithm of the likelihood at four points of each file of
//! the corpus, in RooFit's convention, and gradients against differences.

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::{Document, Limits};
use morphist::graph::{Graph, GraphLikelihood, Options, Selection};
use serde_json::Value;
use std::path::Path;

fn read(path: &Path) -> Hs3Document {
    let document = Document::from_path(path, &Limits::default()).unwrap();
    Hs3Document::from_document(&document, &ReadOptions::default())
        .unwrap_or_else(|f| panic!("{}:\n{f}", path.display()))
}

fn compile(document: &Hs3Document, selection: &Selection, options: &Options) -> Result<GraphLikelihood, String> {
    let compiled = Graph::compile(document, selection, options);
    compiled.map_err(|findings| findings.iter().map(|f| format!("{f}\n")).collect())
}

/// The parameters of a reference point; all others keep the values of the document.
fn theta(likelihood: &GraphLikelihood, values: &Value) -> Vec<f64> {
    let value = |p: &morphist::graph::Parameter| values.get(&p.name).and_then(Value::as_f64).unwrap_or(p.value);
    likelihood.parameters.iter().map(value).collect()
}

/// A file that ROOT's export does not describe (neither the bins nor the margins of its transform are in it, and ROOT's
/// own import gives another number), and HistFactory channels, which are not densities.
const LEFT_OUT: [&str; 2] = ["fft_conv_pdf", "hf_"];

/// What ROOT's export has lost is put back: that one factor is conditional.
fn complete(name: &str, text: &mut Value) {
    if name == "projected_dist" {
        assert_eq!(text["distributions"][1]["name"], "pp");
        text["distributions"][1]["normalization"] = serde_json::json!([{"factors": ["gyx"], "over": ["y"]}]);
    }
}

/// ROOT stops its numerical integrals when two estimates agree to 1e-7: about as much may the logarithm of each event
/// differ. (Of product_dist_same_obs, whose deviation is the largest, scipy 1.17 has our numbers to 1e-13.)
const ROOT_INTEGRATES: [&str; 6] = [
    "generic_dist",
    "legacy_exp_poly_dist",
    "product_dist_same_obs",
    "weighted_sum_dist",
    "weighted_sum_dist_extended",
    "argus_dist",
];

/// What one event may differ by, and why: ROOT's approximations, where they are not within 1e-9 of the NLL.
fn tolerance_per_event(name: &str) -> f64 {
    match name {
        _ if ROOT_INTEGRATES.contains(&name) => 2e-7,
        // CERNLIB's approximations of density and distribution function.
        "landau_dist" => 1e-8,
        // RooFit's complex error function: mpmath with 30 digits has 624.212344308482 at the stored point, as we do.
        "decay_dist_gauss" | "decay_dist_flipped" => 1e-9,
        _ => 0.0,
    }
}

/// What is added to ROOT's number for a defect of its own.
fn correction(name: &str, point: &str, events: f64) -> f64 {
    match (name, point) {
        // RooMultiVarGaussian takes 3.14159268 for π.
        ("multivariate_normal_dist", _) => events * (std::f64::consts::PI / 3.14159268).ln(),
        // The integral of a square root from zero, by Romberg's rule, is off by 1e-5: these are numbers of scipy 1.17,
        // whose `quad` has no such trouble.
        ("generic_dist_functions", "stored") => 481.57876113245436 - 481.5823051141732,
        ("generic_dist_functions", "p1") => 480.6472609204998 - 480.64551241590004,
        ("generic_dist_functions", "p2") => 482.00804454239216 - 482.0063993430743,
        ("generic_dist_functions", "p3") => 481.24639980615586 - 481.2495009932189,
        // ROOT does not divide by the integral over x: 1.2 √(2π) (Φ((5 − mx)/1.2) − Φ((−5 − mx)/1.2)) an event, of scipy.
        ("projected_dist", "stored") => PROJECTED[0] - 27.0471713441113,
        ("projected_dist", "p1") => PROJECTED[1] - 29.046659518800663,
        ("projected_dist", "p2") => PROJECTED[2] - 26.802755903052766,
        ("projected_dist", "p3") => PROJECTED[3] - 26.819604240580492,
        // A normal density of mean 3/4 instead of 0, by scipy 1.17.
        ("function_derivative", _) => 120.95760417481219 - 137.3314022969977,
        _ => 0.0,
    }
}

#[test]
fn nll_of_root() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let files = std::fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = files.filter_map(|f| f.strip_suffix(".ref.json").map(str::to_string)).collect();
    names.sort();
    names.retain(|name| !LEFT_OUT.iter().any(|left| name.starts_with(left)));
    assert_eq!(names.len(), 47);
    let mut failures = Vec::new();
    for name in names {
        let mut text = common::read_json(&directory.join(format!("{name}.json")));
        complete(&name, &mut text);
        let document = Hs3Document::from_value(&text, &ReadOptions::default()).unwrap();
        let reference = common::read_json(&directory.join(format!("{name}.ref.json")));
        match compile(&document, &Selection::Only, &Options::default()) {
            Ok(likelihood) => compare(&name, &likelihood, &reference, &mut failures),
            Err(findings) => failures.push(format!("{name}:\n{findings}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn compare(name: &str, likelihood: &GraphLikelihood, reference: &Value, failures: &mut Vec<String>) {
    let mut scratch = likelihood.scratch();
    let mut points = reference["points"].as_array().unwrap().as_slice();
    if name == "function_derivative" {
        // ROOT's derivative is 0 wherever it is taken; the true one at the stored point is 3/4 ([`correction`]).
        points = &points[..1];
    }
    for point in points {
        // One point of unbounded_parameter is not a number.
        let Some(expected) = point["nll"].as_f64() else { continue };
        let here = point["name"].as_str().unwrap();
        let expected = expected + correction(name, here, likelihood.events);
        let theta = theta(likelihood, &point["values"]);
        let got = likelihood.value(&theta, &mut scratch) + likelihood.roofit_offset();
        let tolerance = 1e-9 + 1e-11 * expected.abs() + likelihood.events * tolerance_per_event(name);
        let error = (got - expected).abs();
        if error.is_nan() || error > tolerance {
            failures.push(format!("{name} {here}: {got} but {expected}, {error:e}"));
        }
        check_gradient(name, likelihood, &theta, failures);
    }
}

/// Central differences of fourth order with two widths; where these disagree (an event at a kink) they say little.
fn check_gradient(name: &str, likelihood: &GraphLikelihood, theta: &[f64], failures: &mut Vec<String>) {
    let mut scratch = likelihood.scratch();
    let mut gradient = vec![0.0; theta.len()];
    let value = likelihood.value_and_gradient(theta, &mut gradient, &mut scratch);
    assert_eq!(value, likelihood.value(theta, &mut scratch), "{name}");
    for i in 0..theta.len() {
        let mut difference = |h: f64| {
            let mut at = |h: f64| {
                let mut moved = theta.to_vec();
                moved[i] += h;
                likelihood.value(&moved, &mut scratch)
            };
            (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
        };
        let scale = theta[i].abs().max(0.1);
        let (wide, narrow) = (difference(3e-4 * scale), difference(3e-5 * scale));
        let error = (gradient[i] - narrow).abs();
        let tolerance = 1e-6 * narrow.abs().max(1.0) + 2.0 * (wide - narrow).abs();
        if narrow.is_finite() && (error.is_nan() || error > tolerance) {
            let parameter = &likelihood.parameters[i].name;
            failures.push(format!("{name} d/d{parameter}: {} but {narrow} and {wide}", gradient[i]));
        }
    }
}

/// Every public file with a likelihood of densities is evaluated, or says why it is not.
#[test]
fn public_files_are_evaluated_or_say_why() {
    let Some(directory) = common::directory("hs3/public") else { return };
    let (mut evaluated, mut infinite, mut refused) = (0, Vec::new(), Vec::new());
    for folder in ["JuliaHEP+HS3.jl", "root-project+root", "scipp-atlas+pyhs3", "scipp-atlas+pyhs3-benchmarks"] {
        let mut paths: Vec<_> =
            std::fs::read_dir(directory.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            match compile(&read(&path), &Selection::All, &Options::default()) {
                Ok(likelihood) => {
                    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
                    let mut scratch = likelihood.scratch();
                    let value = likelihood.value(&theta, &mut scratch);
                    let reason = likelihood.reason(&scratch);
                    assert_eq!(value.is_finite(), reason.is_none(), "{name}: {value} {reason:?}");
                    evaluated += 1;
                    infinite.extend(reason.map(|reason| format!("{name}: {reason}")));
                }
                Err(findings) => refused.push(format!("{name}: {}", &findings[..4])),
            }
        }
    }
    assert_eq!(evaluated, 39);
    // Events above m0 at the stored point.
    let outside = "the density of \"model_channel1\" is zero, negative or undefined at an event";
    assert_eq!(infinite, [format!("example__test_gg__test_gg_unbinned_argus: {outside}")]);
    let expected = [
        "example__histfactory_hl: W422",
        "test__jsons__rf515_hfJSON: W422",
        "test__sample_staterror_shapesys_HS3: W422",
        "tutorials__roofit__roofit__rf515_hfJSON: W422",
        "tests__test_histfactory__simplemodel_uncorrelated-background_hs3: W422",
        "tests__test_pdf__combine_long_exercise_part1_nosys: W426",
        "tests__test_pdf__rf501_simultaneouspdf: W426",
    ];
    assert_eq!(refused, expected);
}

/// Benchmark files of pyhs3: `createNLL` of ROOT 6.40.00 (all channels at once, `ExternalConstraints` of the
/// aux_distributions and their `GlobalObservables`) at the stored point, and with each free parameter, in the order of
/// the parameter point, moved by (1 + i mod 3) percent of its size (at least 0.1).
const BENCHMARKS: [(&str, f64, f64, f64); 6] = [
    ("1ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield2x", -47.25443289140279, -47.02936720503906, 0.0),
    ("2ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield1x", 32.81450206404859, 33.082345553772484, 0.0),
    ("1ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield1000x", -216903.58998527093, -216891.96372310727, 0.0),
    ("10ch_bkgGenPoly_sigGeneric_shapeFixed_npOn_constrPoisson_yield10x", -398.228518485515, -396.75361698913474, 2e-7),
    ("10ch_bkgGenExp_sigGauss_shapeFixed_npOn_constrGauss_yield1x", 599.7159610664226, 599.7229101027204, 2e-7),
    ("30ch_bkgRooExp_sigGeneric_shapeFloat_npOn_constrGauss_yield1x", 2857.219009539416, 2857.962449738797, 2e-7),
];

#[test]
fn benchmarks_of_pyhs3() {
    let Some(directory) = common::directory("hs3/public/scipp-atlas+pyhs3-benchmarks") else { return };
    let mut failures = Vec::new();
    for (name, stored, moved, per_event) in BENCHMARKS {
        let path = directory.join(format!("inputs__{name}.json"));
        let document = read(&path);
        let likelihood = compile(&document, &Selection::All, &Options::default()).unwrap();
        let text = common::read_json(&path);
        let mut free: Vec<String> = Vec::new();
        for point in text["parameter_points"][0]["parameters"].as_array().unwrap() {
            let name = point["name"].as_str().unwrap();
            if point["const"] != true && likelihood.parameters.iter().any(|p| p.name == name && !p.constant) {
                free.push(name.to_string());
            }
        }
        let mut theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
        let mut scratch = likelihood.scratch();
        for (expected, moves) in [(stored, false), (moved, true)] {
            for (parameter, x) in likelihood.parameters.iter().zip(&mut theta) {
                if let Some(i) = free.iter().position(|name| moves && *name == parameter.name) {
                    *x += 0.01 * (1 + i % 3) as f64 * x.abs().max(0.1);
                }
            }
            let got = likelihood.value(&theta, &mut scratch) + likelihood.roofit_offset();
            let tolerance = 1e-9 + 1e-11 * expected.abs() + per_event * likelihood.events;
            assert!((got - expected).abs() <= tolerance, "{name}: {got} but {expected}");
        }
        check_gradient(name, &likelihood, &theta, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// scipy 1.17: −Σ `norm.logpdf` of x over its mass between −5 and 5.
const PROJECTED: [f64; 4] = [115.14398623578585, 117.14042479570415, 114.90039729059421, 114.91706545838855];

/// Where ROOT integrates or approximates: mpmath with 30 digits (`tests/peer/hs3_quadrature.py`).
#[test]
fn nll_of_quadrature() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let recorded = common::read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hs3/quadrature.json"));
    let files = recorded["nll"].as_object().unwrap();
    assert_eq!(files.len(), 6);
    for (name, points) in files {
        let document = read(&directory.join(format!("{name}.json")));
        let reference = common::read_json(&directory.join(format!("{name}.ref.json")));
        let likelihood = compile(&document, &Selection::Only, &Options::default()).unwrap();
        let mut scratch = likelihood.scratch();
        for point in reference["points"].as_array().unwrap() {
            let here = point["name"].as_str().unwrap();
            let want = points[here].as_f64().unwrap();
            let got =
                likelihood.value(&theta(&likelihood, &point["values"]), &mut scratch) + likelihood.roofit_offset();
            assert!((got - want).abs() < 1e-10, "{name} {here}: {got} and {want}");
        }
    }
}
