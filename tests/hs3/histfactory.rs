//! HistFactory in HS3 against ROOT 6.40.00: every export of the corpus with its recorded NLL and fit, and the same models
//! from their pyhf sources.

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::infer::{FitOptions, fit};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options, Overrides};
use morphist::translate::from_pyhf::ModelOptions;
use serde_json::{Value, json};
use std::path::Path;

/// The files whose reference belongs to what they say. Those under `pyhf/` were made from pyhf workspaces.
const FILES: [&str; 28] = [
    "hf_interp_code4",
    "hf_shapefactor",
    "hf_shapesys_gauss",
    "hf_staterror_poisson_threshold",
    "pyhf/ATLAS-SUSY-2018-04-SRcombined",
    "pyhf/ATLAS-SUSY-2018-31-BkgOnlyB",
    "pyhf/everything",
    "pyhf/histosys",
    "pyhf/histosys_negative_yield",
    "pyhf/histosys_onesided",
    "pyhf/lumi",
    "pyhf/normfactor",
    "pyhf/normsys_asym",
    "pyhf/normsys_shared",
    "pyhf/normsys_sym",
    "pyhf/pyhf_2-bin_1-channel",
    "pyhf/pyhf_example_bkgonly",
    "pyhf/pyhf_workspace_no_parameter_bounds",
    "pyhf/pyhf_xmlimport_input_bkg",
    "pyhf/shapefactor",
    "pyhf/shapesys",
    "pyhf/shapesys_zero",
    "pyhf/staterror",
    "pyhf/staterror_partial",
    "pyhf/two_channels",
    // Their histosys had codes that ROOT does not write: what ROOT makes of the file is the reference.
    "hf_interp_code0",
    "hf_interp_code1",
    "hf_interp_code5",
];

fn observed() -> Hs3Options {
    Hs3Options { analysis: Some("simPdf_obsData".into()), ..Hs3Options::default() }
}

/// An export with its reference. ROOT leaves out the constraint on `lumi`, which it counts as external: it is put back,
/// with the width of the source (a fifth of half the range) and the recorded global observable.
fn export(directory: &Path, file: &str) -> (Value, Value) {
    let mut value = common::read_json(&directory.join(format!("{file}.json")));
    let reference = common::read_json(&directory.join(format!("{file}.ref.json")));
    if value["likelihoods"][0]["aux_distributions"] == json!(["lumiConstraint"]) {
        let range = &reference["parameters"]["lumi"];
        let sigma = (range["max"].as_f64().unwrap() - range["min"].as_f64().unwrap()) / 10.0;
        let sigma = (sigma * 1e12).round() / 1e12;
        let constraint =
            json!({"name": "lumiConstraint", "type": "gaussian_dist", "x": "lumi", "mean": "nom_lumi", "sigma": sigma});
        value["distributions"].as_array_mut().unwrap().push(constraint);
        let observed = json!({"name": "nom_lumi", "value": reference["globs"]["nom_lumi"], "const": true});
        value["parameter_points"][0]["parameters"].as_array_mut().unwrap().push(observed);
    }
    (value, reference)
}

fn read(value: &Value) -> Hs3Document {
    Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|findings| panic!("{findings}"))
}

fn translate(value: &Value, options: &Hs3Options) -> Hs3Likelihood {
    from_hs3::likelihood(&read(value), options).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The start with the values of a map of names.
fn point(likelihood: &Hs3Likelihood, values: &Value) -> Vec<f64> {
    let names = likelihood.model.parameter_names();
    let mut point = likelihood.model.init();
    for (name, value) in values.as_object().unwrap() {
        let index = names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no parameter {name}"));
        point[index] = value.as_f64().unwrap();
    }
    point
}

/// −ln L at points.
fn nll(likelihood: &Hs3Likelihood, points: &[Vec<f64>]) -> Vec<f64> {
    let program = Program::compile(&likelihood.model);
    let data = program.prepare(&likelihood.data);
    let mut evaluator = Evaluator::new(&program);
    points.iter().map(|point| 0.5 * evaluator.twice_nll(point, &data)).collect()
}

fn nll_roofit(likelihood: &Hs3Likelihood, points: &[Vec<f64>]) -> Vec<f64> {
    nll(likelihood, points).into_iter().map(|nll| likelihood.nll_roofit(2.0 * nll, &likelihood.data)).collect()
}

fn points(likelihood: &Hs3Likelihood, reference: &Value) -> Vec<Vec<f64>> {
    reference["points"].as_array().unwrap().iter().map(|p| point(likelihood, &p["values"])).collect()
}

/// Issue: within 1e-9 + 1e-11 |NLL| of RooFit at all four points.
#[test]
fn nll_of_every_export_at_four_points() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let mut failures = Vec::new();
    for file in FILES {
        let (value, reference) = export(&directory, file);
        let likelihood = translate(&value, &observed());
        let interpolated = file.starts_with("hf_interp_code") && file != "hf_interp_code4";
        let expected: Vec<f64> = if interpolated {
            reference["root_roundtrip_nll"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        } else {
            reference["points"].as_array().unwrap().iter().map(|p| p["nll"].as_f64().unwrap()).collect()
        };
        assert_eq!(expected.len(), 4, "{file}");
        let got = nll_roofit(&likelihood, &points(&likelihood, &reference));
        for (got, expected) in got.iter().zip(&expected) {
            if (got - expected).abs() > 1e-9 + 1e-11 * expected.abs() {
                failures.push(format!("{file}: {got} but ROOT has {expected}, {:e} more", got - expected));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// With the codes put back that ROOT has not written, the model from which it wrote the file.
#[test]
fn codes_of_histosys_put_back() {
    let Some(directory) = common::directory("hs3/root") else { return };
    for code in [0, 1, 5] {
        let (mut value, reference) = export(&directory, &format!("hf_interp_code{code}"));
        let mut changed = 0;
        for distribution in value["distributions"].as_array_mut().unwrap() {
            for sample in distribution["samples"].as_array_mut().into_iter().flatten() {
                for modifier in sample["modifiers"].as_array_mut().unwrap() {
                    if modifier["type"] == "histosys" {
                        modifier["interpolation"] = json!(code);
                        changed += 1;
                    }
                }
            }
        }
        assert_eq!(changed, 1);
        let likelihood = translate(&value, &observed());
        let got = nll_roofit(&likelihood, &points(&likelihood, &reference));
        for (got, point) in got.iter().zip(reference["points"].as_array().unwrap()) {
            let expected = point["nll"].as_f64().unwrap();
            assert!((got - expected).abs() < 1e-9, "{code} {}: {got} but {expected}", point["name"]);
        }
    }
}

/// Minima never above ROOT's by more than 1e-6, parameters within a thousandth of an error. MINUIT's own minimum may be
/// away from the true one by as much as its EDM says: where it is higher, a parameter may be √(2 · that) errors away.
#[test]
fn fits_of_every_export() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let mut failures = Vec::new();
    for file in FILES {
        let (value, reference) = export(&directory, file);
        // Degenerate, or fitted to another model than the file holds.
        if file == "hf_shapefactor" || file.starts_with("hf_interp_code") && file != "hf_interp_code4" {
            continue;
        }
        let likelihood = translate(&value, &observed());
        let program = Program::compile(&likelihood.model);
        let data = program.prepare(&likelihood.data);
        let mut evaluator = Evaluator::new(&program);
        let result = fit(&mut evaluator, &data, &FitOptions::new(&likelihood.model));
        let ours = likelihood.nll_roofit(result.twice_nll, &likelihood.data);
        let theirs = reference["fit"]["nll_at_min"].as_f64().unwrap();
        if !result.valid {
            failures.push(format!("{file}: {:?}", result.reason));
        }
        if ours > theirs + 1e-6 {
            failures.push(format!("{file}: minimum {ours}, ROOT's {theirs}"));
        }
        let slack = (2.0 * (theirs - ours).max(0.0)).sqrt();
        for (name, got) in likelihood.model.parameter_names().iter().zip(&result.parameters) {
            let Some(expected) = reference["fit"]["values"][name].as_f64() else { continue };
            let error = reference["fit"]["errors"][name].as_f64().unwrap();
            if (got - expected).abs() > (1e-3 + slack) * error {
                failures.push(format!(
                    "{file}: {name} {got}, ROOT's {expected} ± {error}, minimum {:e} lower",
                    theirs - ours
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The exports and their pyhf sources through two paths, without what ROOT adds: the same number to 1e-12 of it, less the
/// constants of bins without uncertainty, which pyhf keeps as Pois(1 | 1) and N(1 | 1, 1).
#[test]
fn pyhf_sources_give_the_same_numbers() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let plain = Overrides { clip_templates: Some(false), truncate_constraints: Some(false), ..Overrides::default() };
    let mut compared = 0;
    for file in FILES.iter().filter_map(|file| file.strip_prefix("pyhf/")) {
        let source = directory.join(format!("pyhf-src/{file}.json"));
        if !source.is_file() {
            continue;
        }
        let (value, reference) = export(&directory, &format!("pyhf/{file}"));
        let likelihood = translate(&value, &Hs3Options { overrides: plain, ..observed() });
        let (model, data) = common::load(&source, &ModelOptions::default());
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut evaluator = Evaluator::new(&program);
        let constant = match file {
            "shapesys_zero" => 1.0,
            "staterror_partial" => 0.5 * (2.0 * std::f64::consts::PI).ln(),
            _ => 0.0,
        };
        let ours = nll(&likelihood, &points(&likelihood, &reference));
        for (of_hs3, at) in ours.iter().zip(reference["pyhf_points"].as_array().unwrap()) {
            let mut point = model.init();
            for (name, value) in model.parameter_names().iter().zip(&mut point) {
                *value = at["values"][name].as_f64().unwrap_or(*value);
            }
            let of_pyhf = 0.5 * evaluator.twice_nll(&point, &data) - constant;
            let tolerance = 1e-12 * of_pyhf.abs().max(10.0);
            assert!((of_hs3 - of_pyhf).abs() <= tolerance, "{file}: {of_hs3} and {of_pyhf}");
            compared += 1;
        }
    }
    assert_eq!(compared, 4 * 15);
}

/// `NLL_RooFit = NLL_pyhf + N ln k + D`: D of ROOT and pyhf as recorded, of ours between the conventions of ROOT and none,
/// and each effect alone where it acts alone.
#[test]
fn effects_of_roots_conventions_on_the_published_analyses() {
    let Some(directory) = common::directory("hs3/root") else { return };
    for file in ["pyhf/ATLAS-SUSY-2018-04-SRcombined", "pyhf/ATLAS-SUSY-2018-31-BkgOnlyB"] {
        let (value, reference) = export(&directory, file);
        let of = |clip: bool, truncate: bool| {
            let (clip_templates, truncate_constraints) = (Some(clip), Some(truncate));
            let overrides = Overrides { clip_templates, truncate_constraints, ..Overrides::default() };
            translate(&value, &Hs3Options { overrides, ..observed() })
        };
        let root = of(true, true);
        assert_eq!(root.conventions, translate(&value, &observed()).conventions);
        let at = points(&root, &reference);
        let offset = reference["sim_term_sumw_log_nch"].as_f64().unwrap();
        let (all, none) = (nll(&root, &at), nll(&of(false, false), &at));
        let (clipped, truncated) = (nll(&of(true, false), &at), nll(&of(false, true), &at));
        for (i, recorded) in reference["equivalence"].as_array().unwrap().iter().enumerate() {
            let of_root = recorded["roofit"].as_f64().unwrap();
            let roofit = root.nll_roofit(2.0 * all[i], &root.data);
            assert!((roofit - all[i] - offset).abs() < 1e-10, "{file}: N ln k {} and {offset}", roofit - all[i]);
            assert!((roofit - of_root).abs() < 1e-10, "{file}: {roofit} and {of_root}");
            let of_pyhf = recorded["pyhf"].as_f64().unwrap();
            assert!((none[i] - of_pyhf).abs() < 1e-10, "{file}: {} and pyhf {of_pyhf}", none[i]);
            let d = recorded["roofit_minus_simterm_minus_pyhf"].as_f64().unwrap();
            assert!((all[i] - none[i] - d).abs() < 1e-10, "{file}: D {} and {d}", all[i] - none[i]);
            println!("{file} point {i}: clip {:e}, truncation {:e}", clipped[i] - none[i], truncated[i] - none[i]);
            // Both effects add up: they act on different terms.
            assert!((clipped[i] + truncated[i] - none[i] - all[i]).abs() < 1e-10, "{file}");
        }
    }
}
