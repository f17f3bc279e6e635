//! EFT documents as standard HS3 (spec/eft-hs3.md): the written file, read as HS3, against what ROOT 6.40.00, pyhs3 0.4.2
//! and numpy made of the same file (`fixtures/eft_*/expanded.json`), and against the document's own likelihood.

mod common;

use morphist::convert::Target;
use morphist::convert::expand::{Expansion, Layers, expand};
use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::workspace::Workspace;
use morphist::finding::Findings;
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Options};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const REFUSED: [&str; 5] =
    ["eft_events", "eft_gaussian_clamp", "eft_gaussian_marginalised", "eft_unbinned", "eft_unbinned_forms"];

fn fixtures() -> Vec<PathBuf> {
    let all = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    let mut folders: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).filter(|p| is_eft(p)).collect();
    folders.sort();
    assert!(folders.len() >= 24, "{} fixtures", folders.len());
    folders
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn is_eft(path: &Path) -> bool {
    path.is_dir() && name(path).starts_with("eft_")
}

fn build(folder: &Path) -> (Workspace, Model, Data) {
    let workspace = serde_json::from_value(common::read_json(&folder.join("workspace.json"))).unwrap();
    let options = ModelOptions { folder: Some(folder.to_path_buf()), ..ModelOptions::default() };
    let model = from_pyhf::model(&workspace, &options).unwrap_or_else(|findings| panic!("{findings}"));
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (workspace, model, data)
}

fn expanded((workspace, model, data): &(Workspace, Model, Data), layers: Layers) -> Result<Expansion, Findings> {
    expand(workspace, &workspace.measurements[0].name, model, data, Target::Root640, layers)
}

/// A written file read as any HS3 document.
struct Read {
    model: Model,
    program: Program,
    data: Data,
}

impl Read {
    fn new(document: &Value) -> Read {
        let document = Hs3Document::from_value(document, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
        let read = from_hs3::likelihood(&document, &Hs3Options::default()).unwrap_or_else(|f| panic!("{f}"));
        Read { program: Program::compile(&read.model), model: read.model, data: read.data }
    }

    fn point(&self, values: &BTreeMap<String, f64>) -> Vec<f64> {
        let names = self.model.parameter_names();
        let init = self.model.init();
        for name in values.keys() {
            assert!(names.contains(name), "no parameter {name} among {names:?}");
        }
        names.iter().zip(init).map(|(name, init)| values.get(name).copied().unwrap_or(init)).collect()
    }

    fn twice_nll(&self, values: &BTreeMap<String, f64>) -> f64 {
        Evaluator::new(&self.program).twice_nll(&self.point(values), &self.data)
    }

    /// Expected counts of all bins.
    fn main(&self, values: &BTreeMap<String, f64>) -> Vec<f64> {
        let (mut main, mut auxiliary) = (vec![0.0; self.program.n_bins()], vec![0.0; self.program.n_auxdata()]);
        Evaluator::new(&self.program).expected(&self.point(values), &mut main, &mut auxiliary);
        main
    }
}

#[test]
fn numbers_of_root_pyhs3_and_numpy() {
    let mut seen = 0;
    for folder in fixtures().iter().filter(|folder| !REFUSED.contains(&name(folder))) {
        let expansion = expanded(&build(folder), Layers::Portable).unwrap_or_else(|f| panic!("{folder:?}: {f}"));
        let read = Read::new(&expansion.document);
        let recorded = common::read_json(&folder.join("expanded.json"));
        for point in recorded["points"].as_array().unwrap() {
            let values: BTreeMap<String, f64> = serde_json::from_value(point["parameters"].clone()).unwrap();
            let own = 0.5 * read.twice_nll(&values);
            for peer in ["nll", "nll_root", "nll_pyhs3"] {
                let want = point[peer].as_f64().unwrap();
                assert!((own - want).abs() < 1e-9, "{}, {peer}: {own} and {want}", name(folder));
                seen += 1;
            }
        }
    }
    assert!(seen >= 19 * 30, "{seen} numbers");
}

/// Eq. 4 of the chapter, at the points of `eft.json`: the file at the η that are best is the document's likelihood.
#[test]
fn the_document_is_the_file_at_its_best_eta() {
    for folder in fixtures().iter().filter(|folder| !REFUSED.contains(&name(folder))) {
        let (workspace, model, data) = build(folder);
        let expansion = expanded(&(workspace, model.clone(), data.clone()), Layers::Portable).unwrap();
        let read = Read::new(&expansion.document);
        let program = Program::compile(&model);
        let uncertain = model.uncertain_bins();
        let first: Vec<usize> = model
            .channels
            .iter()
            .scan(0, |next, channel| Some(std::mem::replace(next, *next + channel.n_bins)))
            .collect();
        let mut compared = 0;
        for point in common::read_json(&folder.join("eft.json"))["points"].as_array().unwrap() {
            if point["interpolation"]["histosys"] != "code4p" || point["twice_nll"].is_string() {
                continue;
            }
            let own: Vec<(&str, f64)> = Vec::new();
            let mut theta = common::point(&model, &own);
            let mut place = 0;
            for set in &model.parameters {
                let values: Vec<f64> = serde_json::from_value(point["parameters"][&set.name].clone()).unwrap();
                theta[place..place + values.len()].copy_from_slice(&values);
                place += values.len();
            }
            let mut values: BTreeMap<String, f64> = expansion.parameters.iter().cloned().zip(theta.clone()).collect();
            let (none, mut one) = (read.main(&values), values.clone());
            one.extend(expansion.etas.iter().map(|eta| (eta.clone(), 1.0)));
            let up = read.main(&one);
            let mut interior = true;
            for (eta, (channel, bin)) in expansion.etas.iter().zip(&uncertain) {
                let bin = first[*channel] + bin;
                let (lambda, root, n) = (none[bin], up[bin] - none[bin], data.main[bin]);
                // Eq. 15 of spec/eft.md.
                let v = root * root;
                let mu = 0.5 * (lambda - v + ((lambda - v).powi(2) + 4.0 * v * n).sqrt());
                interior &= v == 0.0 || mu > 0.0;
                values.insert(eta.clone(), if v == 0.0 { 0.0 } else { (mu - lambda) / root });
            }
            let document = Evaluator::new(&program).twice_nll(&theta, &data);
            if !(interior && document.is_finite()) {
                continue;
            }
            let file = read.twice_nll(&values);
            let room = 1e-9 + 1e-11 * document.abs();
            assert!((file - document).abs() < room, "{}: {file} and {document}", name(folder));
            compared += 1;
        }
        assert!(compared >= 2, "{}: {compared} points", name(folder));
    }
}

#[test]
fn what_the_standard_cannot_say_is_refused_by_name() {
    for folder in fixtures().iter().filter(|folder| REFUSED.contains(&name(folder))) {
        let findings = expanded(&build(folder), Layers::Portable).expect_err(name(folder));
        let words = match name(folder) {
            "eft_events" => "single events in the sample",
            "eft_gaussian_clamp" => "\"clamp\"",
            "eft_gaussian_marginalised" => "\"marginalised\"",
            _ => "the unbinned term",
        };
        let told = |f: &morphist::finding::Finding| f.rule == "W455" && f.found.contains(words) && f.pointer.is_some();
        assert!(findings.0.iter().any(told), "{}: {findings}", name(folder));
    }
}

/// A template that its histosys takes below zero: ROOT's clipping, which the reader does as ROOT does, must not act. The
/// yields are those of spec/interpolation.md, eq. 5, by hand.
#[test]
fn templates_below_zero_are_raised() {
    let document = json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "signal", "data": [10.0], "modifiers": [
                {"name": "eft", "type": "eft_polynomial", "data": {"mode": "relative", "monomials": [[], ["c"]],
                    "coefficients": [1.0, 0.5], "truncation": "none"}},
                {"name": "tilt", "type": "histosys", "data": {"hi_data": [16.0], "lo_data": [4.0]}}]},
            {"name": "background", "data": [50.0], "modifiers": []}]}],
        "observations": [{"name": "SR", "data": [55.0]}],
        "measurements": [{"name": "m", "config": {"poi": "c", "parameters": []}}],
        "version": "1.0.0",
        "eft": {"version": "0.1.0", "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "c", "bounds": [-1, 1]}]}
    });
    let workspace: Workspace = serde_json::from_value(document).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    let expansion = expanded(&(workspace, model, data), Layers::Portable).unwrap();
    let samples = expansion.document["distributions"][0]["samples"].as_array().unwrap();
    // 10 − 5 · 6 = −20 at α = −5: twice that is missing, and the next power of two is 64.
    assert_eq!(samples[1]["name"], "signal");
    assert_eq!((&samples[1]["data"]["contents"], &samples[2]["data"]["contents"]), (&json!([74.0]), &json!([-64.0])));
    let read = Read::new(&expansion.document);
    let values = BTreeMap::from([("c".to_owned(), 0.4), ("tilt".to_owned(), -4.0)]);
    let expected = 50.0 + (10.0 - 4.0 * 6.0) * 1.2;
    assert!((read.main(&values)[0] - expected).abs() < 1e-12, "{} and {expected}", read.main(&values)[0]);
}
