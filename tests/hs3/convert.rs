//! `convert`: pyhf workspaces and HS3. Numbers come from the pyhf path, whose own are those of pyhf 0.7.6
//! (tests/histfactory/evaluate.rs), and from RooFit's exports; ROOT and pyhs3 themselves read the documents in tests/peer/convert.py.

use crate::common;

use common::program::{morphist, scratch, stderr};
use morphist::convert::{Loss, Target, hs3_to_hs3, hs3_to_pyhf, pyhf_to_hs3};
use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::workspace::{Modifier, Workspace};
use morphist::finding::Severity;
use morphist::kernel::Evaluator;
use morphist::model::{Constraint, Data, HistosysCode, Model, NormsysCode};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options, Overrides};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn workspace(path: &Path) -> Workspace {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The fixtures without responses to Wilson coefficients, and the sources of ROOT's exports where the corpus is.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir("fixtures").unwrap().map(|e| e.unwrap().path()).collect();
    files = files.into_iter().map(|folder| folder.join("workspace.json")).filter(|path| path.is_file()).collect();
    files.retain(|path| common::read_json(path).get("eft").is_none());
    assert!(files.len() > 20, "{} fixtures", files.len());
    if let Some(directory) = common::directory("hs3/root/pyhf-src") {
        files.extend(std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()));
    }
    files.sort();
    files
}

fn read(value: &Value) -> Hs3Document {
    Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|findings| panic!("{findings}"))
}

fn translate(value: &Value, analysis: &str) -> Hs3Likelihood {
    // The conventions by which a workspace is evaluated.
    let overrides = Overrides {
        clip_templates: Some(false),
        truncate_constraints: Some(false),
        channel_offset: Some(false),
        widths_from_ranges: Some(false),
        shapesys_values: None,
        root_densities: None,
    };
    let options = Hs3Options { analysis: Some(analysis.to_owned()), overrides, ..Hs3Options::default() };
    from_hs3::likelihood(&read(value), &options).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The HS3 names of the values of a pyhf model.
fn hs3_names(model: &Model, target: Target) -> Vec<String> {
    let of_set = |set: &morphist::model::ParameterSet| -> Vec<String> {
        if set.scalar {
            vec![set.name.clone()]
        } else {
            (0..set.len()).map(|i| format!("gamma_{}_bin_{i}", set.name)).collect()
        }
    };
    let names = model.parameters.iter().flat_map(of_set);
    let written = |name: String| if target == Target::Root640 { morphist::convert::identifier(&name) } else { name };
    names.map(written).collect()
}

/// Within the bounds, a third of the way to each; what is fixed stays.
fn points(model: &Model) -> Vec<Vec<f64>> {
    let mut random = common::Random(7);
    let bounds: Vec<(f64, f64)> = model.parameters.iter().flat_map(|set| set.bounds.clone()).collect();
    let fixed: Vec<bool> = model.parameters.iter().flat_map(|set| set.fixed.clone()).collect();
    let point = |_| {
        let mut step = || random.uniform() * 0.6 - 0.3;
        let one = |((x, (low, high)), fixed): ((&f64, &(f64, f64)), &bool)| {
            let s = if *fixed { 0.0 } else { step() };
            if s > 0.0 { x + s * (high - x).min(3.0) } else { x + s * (x - low).min(3.0) }
        };
        model.init().iter().zip(&bounds).zip(&fixed).map(one).collect()
    };
    std::iter::once(model.init()).chain((0..3).map(point)).collect()
}

fn nll(model: &Model, data: &Data, points: &[Vec<f64>]) -> Vec<f64> {
    let program = Program::compile(model);
    let data = program.prepare(data);
    let mut evaluator = Evaluator::new(&program);
    points.iter().map(|point| 0.5 * evaluator.twice_nll(point, &data)).collect()
}

/// Points of the workspace's model in the order of another with other names.
fn reorder(points: &[Vec<f64>], names: &[String], model: &Model) -> Vec<Vec<f64>> {
    let own = model.parameter_names();
    let index = |name: &String| names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no {name}"));
    points.iter().map(|point| own.iter().map(|name| point[index(name)]).collect()).collect()
}

/// ½ ln 2π for each bin of a native staterror without width, of which ROOT's form has no constraint.
fn constant(losses: &morphist::finding::Findings) -> f64 {
    let bins = |found: &str| found.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap();
    let losses = losses.0.iter().filter(|loss| loss.rule == "W462");
    losses.map(|loss| bins(&loss.found) * 0.5 * (2.0 * std::f64::consts::PI).ln()).sum()
}

/// A workspace and its HS3 form are the same function of the same parameters.
fn same_function(path: &Path, target: Target) {
    let workspace = workspace(path);
    let converted = pyhf_to_hs3(&workspace, &ModelOptions::default(), target).unwrap();
    let mut seen = std::collections::HashSet::new();
    for measurement in workspace.measurements.iter().filter(|m| seen.insert(&m.name)) {
        let options = ModelOptions { measurement: Some(measurement.name.clone()), ..ModelOptions::default() };
        let model = from_pyhf::model(&workspace, &options).unwrap();
        let data = from_pyhf::data(&workspace, &model).unwrap();
        let name = if measurement.name.is_empty() { "measurement" } else { &measurement.name };
        if converted.document["analyses"].as_array().unwrap().iter().all(|a| a["name"] != name) {
            // Told, and converted by itself.
            assert!(converted.losses.0.0.iter().any(|loss| loss.rule == "W460"), "{}", path.display());
            continue;
        }
        if target == Target::Pyhs3 && !converted.losses.0.is_valid() {
            // pyhs3 has one constraint of α.
            let lost = |loss: &morphist::finding::Finding| loss.rule == "W460" && loss.expected.contains("N(0 | α, 1)");
            assert!(converted.losses.0.0.iter().any(lost), "{}: {}", path.display(), converted.losses.0);
            continue;
        }
        let hs3 = translate(&converted.document, name);
        let names = hs3_names(&model, target);
        let points = points(&model);
        let expected = nll(&model, &data, &points);
        let found = nll(&hs3.model, &hs3.data, &reorder(&points, &names, &hs3.model));
        for (a, b) in found.iter().zip(&expected) {
            let b = b - constant(&converted.losses.0);
            let close = (a - b).abs() <= 1e-12 * b.abs().max(10.0) || (a == &b);
            assert!(close, "{} {target} {}: {a} against {b}", path.display(), measurement.name);
        }
        let settings = |model: &Model, names: &[String]| {
            let all = model
                .parameters
                .iter()
                .flat_map(|set| (0..set.len()).map(move |i| (set.init[i], set.bounds[i], set.fixed[i])));
            let mut all: Vec<_> = names.iter().cloned().zip(all).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all
        };
        assert_eq!(settings(&hs3.model, &hs3.model.parameter_names()), settings(&model, &names), "{}", path.display());
        let poi = |model: &Model, names: &[String]| model.poi.map(|i| names[i].clone());
        assert_eq!(poi(&hs3.model, &hs3.model.parameter_names()), poi(&model, &names), "{}", path.display());
    }
}

/// Issue: pyhf JSON and its HS3 form have the same number through two code paths, at a start and three random points.
#[test]
fn hs3_is_the_function_of_the_workspace() {
    for path in files() {
        same_function(&path, Target::Canonical);
    }
}

/// What is written for ROOT and pyhs3 means the same where it is read back.
#[test]
fn forms_for_programs_are_the_function_of_the_workspace() {
    for path in files() {
        same_function(&path, Target::Root640);
        same_function(&path, Target::Pyhs3);
    }
}

/// Workspaces of the corpus that do not take long.
#[test]
fn published_workspaces_are_the_function_of_their_hs3() {
    let Some(root) = common::corpus("published_workspaces_are_the_function_of_their_hs3") else { return };
    let small = |path: &Path| std::fs::metadata(path).unwrap().len() < 60_000;
    let paths: Vec<PathBuf> =
        common::good_workspaces(&root).into_iter().map(|(path, _)| path).filter(|p| small(p)).collect();
    assert!(paths.len() > 20, "{} workspaces", paths.len());
    for path in paths {
        same_function(&path, Target::Canonical);
        same_function(&path, Target::Root640);
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-14 * a.abs().max(b.abs())
}

/// Numbers to the last digits, as u = n/√τ has them.
fn same_modifier(a: &Modifier, b: &Modifier) -> bool {
    match (a, b) {
        // Its widths may be factors of the measurement, which are compared in the models.
        (Modifier::Shapesys { name, .. }, Modifier::Shapesys { name: other, .. }) => name == other,
        (Modifier::Staterror { name, data }, Modifier::Staterror { name: other, data: theirs }) => {
            name == other && data.len() == theirs.len() && data.iter().zip(theirs).all(|(a, b)| close(*a, *b))
        }
        _ => a == b,
    }
}

/// pyhf → HS3 → pyhf: the same channels, and in each measurement the same model.
fn round_trip(path: &Path, target: Target) {
    let before = workspace(path);
    let hs3 = pyhf_to_hs3(&before, &ModelOptions::default(), target).unwrap();
    if !hs3.losses.0.is_valid() {
        return;
    }
    let back = hs3_to_pyhf(&read(&hs3.document), &Hs3Options::default()).unwrap();
    let after: Workspace = serde_json::from_value(back.document).unwrap();
    assert_eq!(after.channels.len(), before.channels.len());
    assert_eq!(after.measurements.len(), before.measurements.len());
    for (a, b) in after.channels.iter().zip(&before.channels) {
        assert_eq!(a.name, b.name, "{}", path.display());
        for (a, b) in a.samples.iter().zip(&b.samples) {
            assert_eq!((&a.name, &a.data), (&b.name, &b.data), "{}", path.display());
            let same = a.modifiers.len() == b.modifiers.len()
                && a.modifiers.iter().zip(&b.modifiers).all(|(a, b)| same_modifier(a, b));
            assert!(same, "{}: {:?}\n{:?}", path.display(), a.modifiers, b.modifiers);
        }
    }
    for (a, b) in after.measurements.iter().zip(&before.measurements) {
        let model = |workspace: &Workspace, name: &str| {
            let options = ModelOptions { measurement: Some(name.to_owned()), ..ModelOptions::default() };
            let model = from_pyhf::model(workspace, &options).unwrap();
            let data = from_pyhf::data(workspace, &model).unwrap();
            (model, data)
        };
        let ((one, data), (other, theirs)) = (model(&after, &a.name), model(&before, &b.name));
        assert_eq!((one.poi, one.parameter_names()), (other.poi, other.parameter_names()), "{}", path.display());
        assert_eq!(data.main, theirs.main);
        for (a, b) in one.parameters.iter().zip(&other.parameters) {
            assert_eq!((&a.init, &a.bounds, &a.fixed), (&b.init, &b.bounds, &b.fixed), "{} {}", path.display(), a.name);
            let pairs = |c: &Constraint| match *c {
                Constraint::Gaussian { auxdata, sigma } => (auxdata, sigma),
                Constraint::Poisson { auxdata, factor } => (auxdata, factor),
            };
            let (a, b) = (a.constraints.iter().flatten(), b.constraints.iter().flatten());
            for (a, b) in a.zip(b).map(|(a, b)| (pairs(a), pairs(b))) {
                assert!(close(a.0, b.0) && close(a.1, b.1), "{}: {a:?} {b:?}", path.display());
            }
        }
    }
}

#[test]
fn round_trips_end_where_they_began() {
    for path in files() {
        round_trip(&path, Target::Canonical);
    }
}

/// A point of a workspace's model in the order of the export from which it was made, with ROOT's names of bins.
fn of_export(point: &[f64], model: &Model, export: &Model) -> Vec<f64> {
    let value = |name: &String| {
        let (stem, bin) = name.rsplit_once("_bin_").unwrap_or((name, ""));
        let mut first = 0;
        for set in &model.parameters {
            let is_scalar = set.name == *name || (set.name == "lumi" && name == "Lumi");
            let of_channel = stem.starts_with("gamma_stat_") && set.name.starts_with("staterror");
            match bin.parse::<usize>() {
                _ if set.scalar && is_scalar => return point[first],
                Ok(bin) if !set.scalar && (of_channel || stem == format!("gamma_{}", set.name)) => {
                    return point[first + bin];
                }
                _ => first += set.len(),
            }
        }
        panic!("no {name}");
    };
    export.parameter_names().iter().map(value).collect()
}

/// RooFit's exports become workspaces with the number of the export in our own reading of it, whose numbers are RooFit's
/// (tests/hs3/histfactory.rs), up to what the report names.
#[test]
fn exports_of_root_become_workspaces() {
    let Some(directory) = common::directory("hs3/root/pyhf") else { return };
    let mut n = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let small = std::fs::metadata(&path).unwrap().len() < 100_000;
        let value = common::read_json(&path);
        // Constraints that ROOT leaves out cannot be converted.
        let complete = value["likelihoods"][0].get("aux_distributions").is_none();
        if path.to_string_lossy().ends_with(".ref.json") || !small || !complete {
            continue;
        }
        let analysis = Some("simPdf_obsData".to_owned());
        // Bins, widths and names are what is compared; ends of templates and ranges of constraints are told.
        let overrides =
            Overrides { clip_templates: Some(false), truncate_constraints: Some(false), ..Overrides::default() };
        let plain = Hs3Options { analysis: analysis.clone(), overrides, ..Hs3Options::default() };
        let options = Hs3Options { analysis, ..Hs3Options::default() };
        let mut converted = hs3_to_pyhf(&read(&value), &options).unwrap_or_else(|f| panic!("{}: {f}", path.display()));
        converted.losses.allow(&[Loss::Of("W461"), Loss::Of("W465")]);
        assert!(converted.losses.0.is_valid(), "{}: {}", path.display(), converted.losses.0);
        let after: Workspace = serde_json::from_value(converted.document).unwrap();
        if after.channels.len() > 1 {
            // Staterrors of several channels are one set.
            continue;
        }
        let model = from_pyhf::model(&after, &ModelOptions::default()).unwrap();
        let data = from_pyhf::data(&after, &model).unwrap();
        let hs3 = from_hs3::likelihood(&read(&value), &plain).unwrap();
        let points = points(&model);
        // Bins that ROOT leaves without a term have a constant in pyhf: differences to the start are compared.
        let own = nll(&model, &data, &points);
        let at: Vec<Vec<f64>> = points.iter().map(|point| of_export(point, &model, &hs3.model)).collect();
        let theirs = nll(&hs3.model, &hs3.data, &at);
        for i in 1..points.len() {
            let (a, b) = (own[i] - own[0], theirs[i] - theirs[0]);
            assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{}: {a} against {b}", path.display());
        }
        n += 1;
    }
    assert!(n >= 12, "{n} exports");
}

fn simple(modifiers: Value) -> Value {
    json!({
        "channels": [{"name": "SR", "samples": [{"name": "s", "data": [10.0, 20.0], "modifiers": modifiers}]}],
        "observations": [{"name": "SR", "data": [11.0, 19.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0"
    })
}

fn rules(value: Value, options: &ModelOptions, target: Target) -> Vec<(&'static str, Severity)> {
    let workspace: Workspace = serde_json::from_value(value).unwrap();
    let losses = pyhf_to_hs3(&workspace, options, target).unwrap().losses.0;
    losses.0.iter().map(|loss| (loss.rule, loss.severity)).collect()
}

/// Each loss of the table in spec/hs3-convert.md, by an input that has it.
#[test]
fn what_a_target_lacks_is_told() {
    let mu = json!({"name": "mu", "type": "normfactor", "data": null});
    let histosys = json!({"name": "h", "type": "histosys", "data": {"hi_data": [11.0, 21.0], "lo_data": [9.0, 19.0]}});
    let normsys = json!({"name": "n", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}});
    let default = ModelOptions::default();
    let code0 = ModelOptions { histosys: HistosysCode::Code0, ..default.clone() };
    let code2 = ModelOptions { histosys: HistosysCode::Code2, ..default.clone() };
    let code1 = ModelOptions { normsys: NormsysCode::Code1, ..default.clone() };
    let error = |rule| vec![(rule, Severity::Error)];
    let cases = vec![
        (json!([mu, histosys]), &default, Target::Root640, vec![]),
        (json!([mu, histosys]), &code0, Target::Root640, error("W460")),
        (json!([mu, histosys]), &code0, Target::Canonical, vec![]),
        (json!([mu, histosys]), &code0, Target::Pyhs3, vec![]),
        (json!([mu, histosys]), &code2, Target::Pyhs3, error("W460")),
        (json!([mu, normsys]), &code1, Target::Root640, vec![]),
        (json!([mu, normsys]), &code1, Target::Pyhs3, vec![]),
        (
            json!([mu, {"name": "h", "type": "histosys", "data": {"hi_data": [15.0, 21.0], "lo_data": [5.0, 19.0]}}]),
            &default,
            Target::Root640,
            error("W461"),
        ),
        (
            json!([mu, {"name": "st", "type": "staterror", "data": [1.0, 0.0]}]),
            &default,
            Target::Root640,
            vec![("W463", Severity::Warning)],
        ),
        (
            json!([mu, {"name": "st", "type": "staterror", "data": [1.0, 2.0]}]),
            &default,
            Target::Pyhs3,
            vec![("W463", Severity::Warning)],
        ),
        (
            json!([mu, {"name": "not an identifier", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}]),
            &default,
            Target::Root640,
            vec![("W463", Severity::Warning)],
        ),
    ];
    for (modifiers, options, target, expected) in cases {
        assert_eq!(rules(simple(modifiers.clone()), options, target), expected, "{target} {modifiers}");
    }
}

/// A staterror is written for ROOT in another form where ROOT would compute other widths: it leaves out the yields of
/// samples without errors in a bin (seen in ROOT 6.40.00, tests/peer/convert.py).
#[test]
fn root_has_no_yield_without_errors() {
    let mut value = simple(json!([
        {"name": "mu", "type": "normfactor", "data": null},
        {"name": "st", "type": "staterror", "data": [1.0, 2.0]}
    ]));
    let other = json!({"name": "t", "data": [5.0, 5.0], "modifiers": [{"name": "st", "type": "staterror", "data": [0.0, 1.0]}]});
    value["channels"][0]["samples"].as_array_mut().unwrap().push(other);
    let workspace: Workspace = serde_json::from_value(value).unwrap();
    let converted = pyhf_to_hs3(&workspace, &ModelOptions::default(), Target::Root640).unwrap();
    let modifier = &converted.document["distributions"][0]["samples"][0]["modifiers"][1];
    assert_eq!(modifier["type"], "shapesys");
    assert_eq!(modifier["constraint_type"], "Gauss");
    // 1/15 and √(2² + 1²)/25.
    assert!(close(modifier["data"]["vals"][0].as_f64().unwrap(), 1.0 / 15.0));
    assert!(close(modifier["data"]["vals"][1].as_f64().unwrap(), 5.0_f64.sqrt() / 25.0));
}

/// What pyhf has no words for.
#[test]
fn what_pyhf_lacks_is_told() {
    let document = |modifier: Value, distributions: Value| {
        let mut all = vec![json!({
            "name": "model_SR", "type": "histfactory_dist", "axes": [{"name": "x", "min": 0.0, "max": 1.0, "nbins": 1}],
            "samples": [{"name": "s", "data": {"contents": [10.0]}, "modifiers": [
                {"name": "mu", "type": "normfactor", "parameter": "mu"}, modifier]}]
        })];
        all.extend(distributions.as_array().unwrap().iter().cloned());
        json!({
            "metadata": {"hs3_version": "0.2"},
            "distributions": all,
            "data": [{"name": "d", "type": "binned", "axes": [{"name": "x", "min": 0.0, "max": 1.0, "nbins": 1}], "contents": [9.0]}],
            "likelihoods": [{"name": "l", "distributions": ["model_SR"], "data": ["d"]}],
            "parameter_points": [{"name": "default_values", "parameters": [
                {"name": "mu", "value": 1.0}, {"name": "a", "value": 0.0}, {"name": "nom_a", "value": 0.0, "const": true}]}]
        })
    };
    let normsys = |extra: Value| {
        let mut modifier = json!({"name": "n", "type": "normsys", "parameter": "a", "data": {"hi": 1.1, "lo": 0.9}});
        modifier.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        modifier
    };
    let wide = json!([{"name": "c", "type": "gaussian_dist", "x": "a", "mean": "nom_a", "sigma": 2.0}]);
    let cases = [
        (normsys(json!({})), json!([]), None),
        (normsys(json!({"interpolation": {"type": "mult", "in": "exp"}})), json!([]), Some("W460")),
        (normsys(json!({"constraint": "c"})), wide, Some("W460")),
        (normsys(json!({"constraints": [null]})), json!([]), Some("W460")),
    ];
    for (modifier, distributions, expected) in cases {
        let value = document(modifier.clone(), distributions);
        let losses = hs3_to_pyhf(&read(&value), &Hs3Options::default()).unwrap().losses.0;
        let errors: Vec<&str> = losses.0.iter().filter(|l| l.severity == Severity::Error).map(|l| l.rule).collect();
        assert_eq!(errors, expected.into_iter().collect::<Vec<_>>(), "{modifier}: {losses}");
    }
}

/// The program refuses what is lost, writes it where it is allowed, and reports it as JSON.
#[test]
fn the_program_refuses_to_lose() {
    let modifiers = json!([
        {"name": "mu", "type": "normfactor", "data": null},
        {"name": "h", "type": "histosys", "data": {"hi_data": [15.0, 21.0], "lo_data": [5.0, 19.0]}}
    ]);
    let input = scratch("convert.json", &simple(modifiers).to_string());
    let (input, report) = (input.to_str().unwrap(), scratch("convert_report.json", ""));
    let base = ["convert", input, "--target", "root-6.40", "--report", report.to_str().unwrap()];
    let refused = morphist(&base);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert!(refused.stdout.is_empty());
    assert!(stderr(&refused).contains("error[W461]"), "{}", stderr(&refused));
    assert_eq!(common::read_json(&report)["written"], false);
    for allowed in [&["--allow-loss"][..], &["--allow-loss", "W461"], &["--allow-loss", "all"]] {
        let done = morphist(&[&base[..], allowed].concat());
        assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
        assert!(stderr(&done).contains("warning[W461]"), "{}", stderr(&done));
        let written: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(written["metadata"]["packages"][1], json!({"name": "ROOT", "version": "6.40.00"}));
        assert_eq!(common::read_json(&report)["losses"][0]["rule"], "W461");
        assert_eq!(common::read_json(&report)["written"], true);
    }
    let other = morphist(&[&base[..], &["--allow-loss", "W460"]].concat());
    assert_eq!(other.status.code(), Some(1));
    let unknown = morphist(&[&base[..], &["--allow-loss", "W999"]].concat());
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
    let same = morphist(&["convert", input, "--to", "pyhf"]);
    assert_eq!(same.status.code(), Some(1), "{}", stderr(&same));
}

/// Documents of ROOT in the standard's words, and those again in ROOT's: the same components.
#[test]
fn documents_change_their_words() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let change = |value: &Value, target: Target| {
        let converted =
            hs3_to_hs3(value, &read(value), &Hs3Options::default(), target).unwrap_or_else(|f| panic!("{f}"));
        (converted.document, converted.losses.0)
    };
    let types = |value: &Value, list: &str| -> Vec<String> {
        let items = value[list].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["type"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let cases = [
        ("argus_dist", "argus_dist", "ARGUS_dist"),
        ("extend_pdf", "rate_extended_dist", "extend_pdf"),
        ("poisson_dist_integer", "poisson_dist", "poisson_dist"),
        ("crystalball_dist", "crystalball_dist", "crystalball_dist"),
        ("polynomial_dist_lowest0", "polynomial_dist", "polynomial_dist"),
        ("mixture_dist_nminus1_three", "uniform_dist", "uniform_dist"),
    ];
    for (file, standard, root) in cases {
        let value = common::read_json(&directory.join(format!("{file}.json")));
        let (canonical, losses) = change(&value, Target::Canonical);
        assert!(losses.is_valid(), "{file}: {losses}");
        assert!(types(&canonical, "distributions").contains(&standard.to_owned()), "{file}");
        // A strict reader has nothing to say.
        let strict = ReadOptions { strict: true, ..ReadOptions::default() };
        Hs3Document::from_value(&canonical, &strict).unwrap_or_else(|f| panic!("{file}: {f}"));
        let (back, losses) = change(&canonical, Target::Root640);
        assert!(losses.is_valid(), "{file}: {losses}");
        assert!(types(&back, "distributions").contains(&root.to_owned()), "{file}");
        for list in ["distributions", "functions"] {
            assert_eq!(back.get(list), value.get(list), "{file}");
        }
    }
    let value = common::read_json(&directory.join("chebychev_dist.json"));
    let (_, losses) = change(&value, Target::Pyhs3);
    assert_eq!(losses.0.iter().map(|loss| loss.rule).collect::<Vec<_>>(), ["W460"]);
}

/// ROOT takes densities of binned data at the centres of bins, others integrate over them, which is another function of
/// the parameters (spec/hs3.md, D11): nothing is written without a word.
#[test]
fn conventions_that_a_reader_lacks_are_told() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let value = common::read_json(&directory.join("gaussian_dist_binned.json"));
    let document = read(&value);
    for target in [Target::Canonical, Target::Pyhs3] {
        let converted = hs3_to_hs3(&value, &document, &Hs3Options::default(), target).unwrap();
        assert!(converted.losses.0.0.iter().any(|finding| finding.rule == "W460"), "{:?}", converted.losses);
    }
    let converted = hs3_to_hs3(&value, &document, &Hs3Options::default(), Target::Root640).unwrap();
    assert!(converted.losses.0.is_valid(), "{:?}", converted.losses);
}
