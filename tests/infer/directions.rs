//! Information of data sets, directions, rotated documents and intervals side by side, against closed forms and recorded
//! eigenvalues (spec/inference.md, "Directions" and "Information of data sets").

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use common::{directory, read_json};
use morphist::document::workspace::Workspace;
use morphist::import::{ImportOptions, smefit_benchmark};
use morphist::infer::blind::{Kept, keep_sets};
use morphist::infer::eft::directions::{DataSet, of_data_sets, spectrum};
use morphist::infer::eft::information::information;
use morphist::infer::{FitOptions, Hesse, fit};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use nalgebra::{DMatrix, DVector, SymmetricEigen};
use serde_json::{Value, json};
use std::path::Path;

/// Design matrix, data and errors of two linear measurements that share a systematic.
const FIRST: [[f64; 3]; 3] = [[1.0, 0.4, 0.1], [-0.3, 0.8, 0.2], [0.5, -0.6, 0.4]];
const SECOND: [[f64; 3]; 2] = [[0.2, 0.1, 0.9], [0.7, -0.2, -0.3]];
const SHARED: [f64; 5] = [0.4, -0.2, 0.3, 0.5, 0.25];
const DATA: [f64; 5] = [1.3, -0.4, 0.6, 0.9, -0.2];
const ERRORS: [f64; 5] = [0.5, 0.4, 0.6, 0.3, 0.7];
const NAMES: [&str; 3] = ["a", "b", "d"];

fn measurement(name: &str, design: &[[f64; 3]], first: usize) -> Value {
    let range = first..first + design.len();
    let column = |k: usize| design.iter().map(|row| row[k]).collect::<Vec<f64>>();
    json!({"name": name, "data": DATA[range.clone()], "uncorrelated": ERRORS[range.clone()],
        "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [[], ["a"], ["b"], ["d"]],
            "coefficients": [0.0, column(0), column(1), column(2)]},
        "systematics": [{"name": "lumi", "correlation": "name", "kind": "additive", "values": SHARED[range]}]})
}

fn document() -> Value {
    let coefficients = NAMES.map(|name| json!({"name": name, "bounds": [-50.0, 50.0]}));
    json!({"version": "1.0.0", "channels": [], "observations": [],
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": coefficients,
            "gaussian_measurements": [measurement("first", &FIRST, 0), measurement("second", &SECOND, 3)]}})
}

fn design() -> DMatrix<f64> {
    DMatrix::from_fn(5, 3, |i, k| FIRST.iter().chain(&SECOND).nth(i).unwrap()[k])
}

fn covariance() -> DMatrix<f64> {
    DMatrix::from_fn(5, 5, |i, j| SHARED[i] * SHARED[j] + if i == j { ERRORS[i] * ERRORS[i] } else { 0.0 })
}

/// JᵀV⁻¹J of some points.
fn fisher(points: std::ops::Range<usize>) -> DMatrix<f64> {
    let n = points.len();
    let j = design().rows(points.start, n).into_owned();
    let v = covariance().view((points.start, points.start), (n, n)).into_owned();
    j.transpose() * v.try_inverse().unwrap() * j
}

fn build(document: &Value, most: Option<u32>) -> (Model, Data) {
    let workspace = Workspace::from_value(document).unwrap();
    let options = ModelOptions { max_np_order: most, ..ModelOptions::default() };
    let model = from_pyhf::model(&workspace, &options).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

fn near(got: &DMatrix<f64>, want: &DMatrix<f64>, tolerance: f64, what: &str) {
    let scale = want.amax();
    assert!((got - want).amax() <= tolerance * scale, "{what}: {got} and {want}");
}

/// Of each measurement with its own share of V, whether the shared error stands in V or is a parameter. The two do not add
/// up to the whole.
#[test]
fn data_sets_know_what_their_marginal_covariance_says() {
    for named in ["covariance", "parameters"] {
        let mut document = document();
        document["eft"]["named_systematics"] = json!(named);
        let (model, data) = build(&document, None);
        let point = model.init();
        let names = model.parameter_names();
        let coefficients = NAMES.map(|name| names.iter().position(|own| own == name).unwrap());
        let found = of_data_sets(&model, &data, &point, &model.fixed(), &coefficients);
        assert_eq!(
            found.iter().map(|own| own.data_set).collect::<Vec<_>>(),
            [DataSet::Measurement(0), DataSet::Measurement(1)]
        );
        let all: Vec<DMatrix<f64>> = found.into_iter().map(|own| own.matrix.unwrap()).collect();
        near(&all[0], &fisher(0..3), 1e-12, named);
        near(&all[1], &fisher(3..5), 1e-12, named);
        let program = Program::compile(&model);
        let whole = information(&model, &program, &point, &model.fixed(), &coefficients).profiled.unwrap();
        near(&whole, &fisher(0..5), 1e-12, named);
        assert!((&all[0] + &all[1] - &whole).amax() > 0.1 * whole.amax());
    }
}

/// ν = 40 (1 + c) · 1.1^α: α is profiled with its own constraint, I = (∂ν/∂c)²/(ν + (∂ν/∂α)²).
#[test]
fn channels_know_with_their_nuisances_profiled() {
    let mut document = document();
    document["channels"] = json!([{"name": "SR", "samples": [{"name": "s", "data": [40.0], "modifiers": [
        {"name": "norm", "type": "normsys", "data": {"hi": 1.1, "lo": 1.0 / 1.1}},
        {"name": "r", "type": "eft_polynomial", "data": {"mode": "relative", "truncation": "none",
            "monomials": [[], ["a"]], "coefficients": [1.0, 1.0]}}]}]}]);
    document["observations"] = json!([{"name": "SR", "data": [44.0]}]);
    let (model, data) = build(&document, None);
    let names = model.parameter_names();
    let a = names.iter().position(|own| own == "a").unwrap();
    let found = of_data_sets(&model, &data, &model.init(), &model.fixed(), &[a]);
    assert_eq!(found[0].data_set, DataSet::Channel(0));
    let slope = 40.0 * 1.1_f64.ln();
    let want = 40.0 * 40.0 / (40.0 + slope * slope);
    let got = found[0].matrix.as_ref().unwrap()[(0, 0)];
    // Code 4 is exponential beyond ±1; within it has the slope of the exponential at 0.
    assert!((got - want).abs() < 1e-9 * want, "{got} and {want}");
}

/// Leaving a measurement out is the document without it: what it shared stays an error of the others.
#[test]
fn what_is_left_out_is_integrated_out() {
    let (model, data) = build(&document(), None);
    let masked = keep_sets(&model, &data, &Kept { measurements: vec![true, false], ..Kept::default() }).unwrap();
    let mut alone = document();
    alone["eft"]["gaussian_measurements"].as_array_mut().unwrap().pop();
    let (other, other_data) = build(&alone, None);
    assert_eq!(masked.data, other_data);
    let value = |model: &Model, data: &Data, at: &[f64]| {
        let program = Program::compile(model);
        Evaluator::new(&program).twice_nll(at, &program.prepare(data))
    };
    for at in [[0.0, 0.0, 0.0], [1.3, -2.0, 0.4], [-30.0, 4.0, 20.0]] {
        let (got, want) = (value(&masked.model, &masked.data, &at), value(&other, &other_data, &at));
        assert!((got - want).abs() < 1e-12 * want.abs(), "{got} and {want}");
    }
}

/// diag(4, 1, 1, 0, 0) turned by a rotation of the two last axes only: ties are told, and their directions are axes.
#[test]
fn ties_are_told_and_not_rotated() {
    let matrix = DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, 4.0, 0.0, 1.0, 0.0]));
    let found = spectrum(&matrix);
    let values: Vec<f64> = found.directions.iter().map(|direction| direction.eigenvalue).collect();
    assert_eq!(values, [4.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(found.degenerate, [1..3, 3..5]);
    for (direction, axis) in found.directions.iter().zip([1, 0, 3, 2, 4]) {
        let mut want = vec![0.0; 5];
        want[axis] = 1.0;
        assert_eq!(direction.vector, want);
    }
    // A space that no axis lies in: R diag(2, 2, 1) Rᵀ = 2 − v vᵀ.
    let v = DVector::from_vec(vec![2.0, -1.0, 2.0]) / 3.0;
    let matrix = DMatrix::identity(3, 3) * 2.0 - &v * v.transpose();
    let found = spectrum(&matrix);
    assert_eq!(found.degenerate.len(), 1);
    assert_eq!(found.degenerate[0], 0..2);
    let basis = DMatrix::from_fn(3, 3, |i, k| found.directions[k].vector[i]);
    near(&(basis.transpose() * &basis), &DMatrix::identity(3, 3), 1e-14, "orthonormal");
    let values = DVector::from_vec(found.directions.iter().map(|d| d.eigenvalue).collect());
    near(&(&basis * DMatrix::from_diagonal(&values) * basis.transpose()), &matrix, 1e-14, "decomposition");
    // The axis with the largest projection is the second.
    assert!((found.directions[0].vector[1] - (8.0_f64 / 9.0).sqrt()).abs() < 1e-14);
}

/// A benchmark as a document.
fn benchmark(root: &Path, name: &str) -> (Value, Value) {
    let path = root.join(format!("{name}.json"));
    let measured =
        smefit_benchmark::read("benchmark", std::fs::read(&path).unwrap(), &ImportOptions::default()).unwrap();
    let document = json!({"version": "1.0.0", "channels": [], "observations": [],
        "measurements": [{"name": "fit", "config": {"poi": "OtG", "parameters": []}}],
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "SMEFiT", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": measured.wilson_coefficients, "gaussian_measurements": measured.measurements}});
    (document, read_json(&path)["reference"]["linear_fit"].clone())
}

/// `fisher_eigenvalues_all` are numpy's eigenvalues of LᵀV⁻¹L; both round at 10⁻¹⁶ of the largest.
#[test]
fn eigenvalues_are_the_recorded_ones() {
    let Some(root) = directory("smefit") else { return };
    for name in ["tt6", "top", "global_lin", "global_quad"] {
        let (document, reference) = benchmark(&root, name);
        let (model, _) = build(&document, None);
        let program = Program::compile(&model);
        let coefficients: Vec<usize> = (0..model.n_parameters()).collect();
        let point = vec![0.0; coefficients.len()];
        let found = information(&model, &program, &point, &vec![false; point.len()], &coefficients);
        let mut got: Vec<f64> = spectrum(&found.profiled.unwrap()).directions.iter().map(|d| d.eigenvalue).collect();
        got.reverse();
        let want: Vec<f64> = serde_json::from_value(reference["fisher_eigenvalues_all"].clone()).unwrap();
        assert_eq!(got.len(), want.len(), "{name}");
        let (largest, n) = (want.last().unwrap(), want.len() as f64);
        for (got, want) in got.iter().zip(&want) {
            assert!((got - want).abs() < 1e-10 * want.abs() + 1e-15 * n * largest, "{name}: {got} and {want}");
        }
    }
}

/// A rotated document has the same minimum; with directions dropped, that of the coefficients held along them.
#[test]
fn rotating_and_refitting_gives_the_same_minimum() {
    let Some(root) = directory("smefit") else { return };
    let minimum = |document: &Value, most: Option<u32>| {
        let (model, data) = build(document, most);
        let program = Program::compile(&model);
        let options = FitOptions { hesse: Hesse::No, restarts: false, ..FitOptions::new(&model) };
        let result = fit(&mut Evaluator::new(&program), &program.prepare(&data), &options);
        assert!(result.valid, "{:?}", result.reason);
        assert!(result.at_limit.is_empty(), "{:?}", result.at_limit);
        result.twice_nll
    };
    for (name, most) in [("tt6", None), ("tt6", Some(1)), ("global_lin", Some(1))] {
        let (mut document, reference) = benchmark(&root, name);
        for coefficient in document["eft"]["wilson_coefficients"].as_array_mut().unwrap() {
            // No bound shall be active.
            coefficient["bounds"] = json!([-1000.0, 1000.0]);
        }
        let plain = scratch(&format!("rotate_{name}.json"), &document.to_string());
        let rotated = plain.with_file_name(format!("rotated_{name}.json"));
        let report = json_of(
            &["eft", "directions", plain.to_str().unwrap(), "-o", rotated.to_str().unwrap(), "--format", "json"],
            0,
        );
        assert_eq!(report["directions"].as_array().unwrap().len(), reference["operators"].as_array().unwrap().len());
        let (was, is) = (minimum(&document, most), minimum(&read_json(&rotated), most));
        assert!((was - is).abs() < 1e-9 * was.abs(), "{name}: {was} and {is}");
    }
}

/// χ² of a linear Gaussian with the coefficients in the space of the kept eigenvectors, by numbers of the test.
#[test]
fn dropped_directions_stay_at_zero() {
    let file = scratch("directions.json", &document().to_string());
    let out = file.with_file_name("directions_kept.json");
    let eigen = SymmetricEigen::new(fisher(0..5));
    let mut values: Vec<f64> = eigen.eigenvalues.iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let threshold = format!("{:?}", 0.5 * (values[1] + values[2]));
    let arguments =
        ["eft", "directions", file.to_str().unwrap(), "--threshold", &threshold, "-o", out.to_str().unwrap()];
    let report = json_of(&arguments, 0);
    for (direction, value) in report["directions"].as_array().unwrap().iter().zip(&values) {
        assert!((direction["eigenvalue"].as_f64().unwrap() - value).abs() < 1e-12 * values[0]);
        let sigma = direction["uncertainty"].as_f64().unwrap();
        assert!((sigma - value.sqrt().recip()).abs() < 1e-10 * sigma);
    }
    assert_eq!(report["directions"][2]["dropped"], true);
    let rotated = read_json(&out);
    let step = &rotated["eft"]["parameter_transform"][0];
    assert_eq!(step["directions"]["dropped"].as_array().unwrap().len(), 1);
    assert_eq!(step["parameters"].as_array().unwrap().len(), 2);
    assert_eq!(rotated["measurements"][0]["config"]["poi"], "EV1");
    // The box is a cube: a direction reaches as far as its components add up, on both sides.
    for (k, parameter) in step["parameters"].as_array().unwrap().iter().enumerate() {
        let components = report["directions"][k]["components"].as_object().unwrap();
        let reach: f64 = 50.0 * components.values().map(|x| x.as_f64().unwrap().abs()).sum::<f64>();
        let bounds: [f64; 2] = serde_json::from_value(parameter["bounds"].clone()).unwrap();
        assert!((bounds[0] + reach).abs() < 1e-12 * reach && (bounds[1] - reach).abs() < 1e-12 * reach, "{bounds:?}");
    }
    // The minimum over the span of two vectors: A = J E, η̂ = (AᵀV⁻¹A)⁻¹AᵀV⁻¹d.
    let component = |k: usize, name: &str| report["directions"][k]["components"][name].as_f64().unwrap();
    let basis = DMatrix::from_fn(3, 2, |i, k| component(k, NAMES[i]));
    let (a, weight) = (design() * &basis, covariance().try_inverse().unwrap());
    let d = DVector::from_column_slice(&DATA);
    let covariance_of_eta = (a.transpose() * &weight * &a).try_inverse().unwrap();
    let eta = &covariance_of_eta * a.transpose() * &weight * &d;
    let c = &basis * &eta;
    let of_c = &basis * &covariance_of_eta * basis.transpose();
    let fitted = json_of(&["fit", out.to_str().unwrap()], 0);
    for (i, name) in NAMES.iter().enumerate() {
        let derived = fitted["derived"].as_array().unwrap().iter().find(|entry| entry["name"] == *name).unwrap();
        let value = derived["value"].as_f64().unwrap();
        assert!((value - c[i]).abs() < 1e-7 * c.amax(), "{name}: {value} and {}", c[i]);
        let sigma = derived["uncertainty"].as_f64().unwrap();
        assert!((sigma - of_c[(i, i)].sqrt()).abs() < 1e-9 * sigma, "{name}: {sigma}");
        assert_eq!(derived["outside_bounds"], false);
    }
    // A document with a transform has directions again: those of its parameters.
    let again = json_of(&["eft", "directions", out.to_str().unwrap()], 0);
    assert_eq!(again["coefficients"], json!(["EV1", "EV2"]));
    for (k, value) in values[..2].iter().enumerate() {
        assert!((again["directions"][k]["eigenvalue"].as_f64().unwrap() - value).abs() < 1e-11 * value);
    }
}

/// A linear Gaussian: individual 1/√I_ii, profiled and marginalised √(I⁻¹)_ii, all around their minima.
#[test]
fn three_kinds_of_intervals_have_closed_forms() {
    let file = scratch("individual.json", &document().to_string());
    let report = json_of(&["eft", "individual", file.to_str().unwrap(), "--level", "0.95"], 0);
    let (information, weight) = (fisher(0..5), covariance().try_inverse().unwrap());
    let inverse = information.clone().try_inverse().unwrap();
    let right = design().transpose() * weight * DVector::from_column_slice(&DATA);
    let best = &inverse * &right;
    // The quantile 0.975 of the normal distribution.
    let k = 1.959_963_984_540_054;
    for (i, name) in NAMES.iter().enumerate() {
        let entry = &report["coefficients"][i];
        assert_eq!(entry["name"], *name);
        let of_set = |set: &Value| {
            let ends = &set["intervals"][0]["intervals"][0];
            [ends["lower"]["value"].as_f64().unwrap(), ends["upper"]["value"].as_f64().unwrap()]
        };
        let gaussian = &entry["gaussian"]["intervals"][0];
        let gaussian = [gaussian["lower"].as_f64().unwrap(), gaussian["upper"].as_f64().unwrap()];
        let (alone, sigma_alone) = (right[i] / information[(i, i)], information[(i, i)].sqrt().recip());
        let sigma = inverse[(i, i)].sqrt();
        for (got, centre, sigma) in [
            (of_set(&entry["individual"]), alone, sigma_alone),
            (of_set(&entry["profiled"]), best[i], sigma),
            (gaussian, best[i], sigma),
        ] {
            assert!((got[0] - (centre - k * sigma)).abs() < 1e-6 * sigma, "{name}: {got:?}");
            assert!((got[1] - (centre + k * sigma)).abs() < 1e-6 * sigma, "{name}: {got:?}");
        }
    }
    let path = file.to_str().unwrap();
    let table = stdout(&morphist(&["eft", "individual", path, "--format", "csv"]));
    assert_eq!(table.lines().filter(|line| line.contains("Gaussian")).count(), 3, "{table}");
    let result = scratch("individual_result.json", &report.to_string());
    let picture = result.with_extension("svg");
    let output = morphist(&["plot", "individual", result.to_str().unwrap(), "-o", picture.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(std::fs::read_to_string(&picture).unwrap().contains("<svg"));
    let directions = json_of(&["eft", "directions", path], 0);
    let result = scratch("directions_result.json", &directions.to_string());
    let output = morphist(&["plot", "directions", result.to_str().unwrap(), "-o", picture.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// With d on its bound, the Gaussian row of a is that of the whole inverse, and says so.
#[test]
fn gaussian_rows_say_what_becomes_of_bounds() {
    let mut narrow = document();
    narrow["eft"]["wilson_coefficients"][2]["bounds"] = json!([-0.5, 0.5]);
    let file = scratch("individual_bound.json", &narrow.to_string());
    let report = json_of(&["eft", "individual", file.to_str().unwrap(), "a"], 0);
    let gaussian = &report["coefficients"][0]["gaussian"];
    let sigma = fisher(0..5).try_inverse().unwrap()[(0, 0)].sqrt();
    assert!((gaussian["uncertainty"].as_f64().unwrap() - sigma).abs() < 1e-10 * sigma);
    let message = gaussian["reason"]["message"].as_str().unwrap();
    assert_eq!(message, "parameters at a bound are free to pass it in this interval: d");
}

/// Without the second measurement, and cut at order 1 of means with squares, side by side.
#[test]
fn comparisons_leave_data_sets_out() {
    let file = scratch("compare_without.json", &document().to_string());
    let path = file.to_str().unwrap();
    let report = json_of(&["eft", "compare", path, "a", "--level", "0.95", "--without", "first", "--order", "3"], 1);
    let truncations = report["coefficients"][0]["truncations"].as_array().unwrap();
    assert_eq!(truncations.len(), 8);
    assert_eq!(truncations[2]["max_np_order"], 3);
    assert_eq!(truncations[2]["truncation"], "order");
    assert!(truncations[0]["without"].is_null());
    let of_set = |set: &Value| {
        let ends = &set["intervals"][0]["intervals"][0];
        0.5 * (ends["upper"]["value"].as_f64().unwrap() - ends["lower"]["value"].as_f64().unwrap())
    };
    let k = 1.959_963_984_540_054;
    let all = fisher(0..5)[(0, 0)].sqrt().recip();
    let second = fisher(3..5)[(0, 0)].sqrt().recip();
    for (place, sigma) in [(0, all), (2, all), (4, second), (7, second)] {
        let half = of_set(&truncations[place]["individual"]);
        assert!((half - k * sigma).abs() < 1e-6 * sigma, "{place}: {half} and {}", k * sigma);
    }
    for without in &truncations[4..] {
        assert_eq!(without["without"], "first");
        // Two points do not determine three coefficients: said, and no interval.
        assert_eq!(without["profiled"]["valid"], false);
    }
    let output = morphist(&["eft", "compare", path, "--without", "third"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("no channel, no measurement"), "{}", stderr(&output));
}
