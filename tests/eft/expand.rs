//! EFT documents as standard HS3 (spec/eft-hs3.md): the written file, read as HS3, against what ROOT 6.40.00, pyhs3 0.4.2
//! and numpy made of the same file (`fixtures/eft_*/expanded.json`), and against the document's own likelihood.

use crate::common;

use morphist::convert::Target;
use morphist::convert::expand::{Expansion, Layers, expand};
use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::schema::DOCUMENTS;
use morphist::document::workspace::Workspace;
use morphist::finding::Findings;
use morphist::graph::Functions;
use morphist::kernel::Evaluator;
use morphist::model::HistosysCode;
use morphist::model::interpolation::code4;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const BOTH: Layers = Layers::Both { max_np_order: None };

const REFUSED: [&str; 6] = [
    "eft_events",
    "eft_gaussian_clamp",
    "eft_gaussian_marginalised",
    "eft_gaussian_parameters",
    "eft_unbinned",
    "eft_unbinned_forms",
];

fn fixtures() -> Vec<PathBuf> {
    let all = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    let mut folders: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).filter(|p| is_eft(p)).collect();
    folders.sort();
    assert!(folders.len() >= 23, "{} fixtures", folders.len());
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

/// A written file, computed as spec/hs3-histfactory.md says, with functions by `graph`.
struct Read {
    document: Value,
    functions: Functions,
    /// Names of the functions.
    names: Vec<String>,
    start: BTreeMap<String, f64>,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|x| x.as_f64().unwrap()).collect()
}

impl Read {
    fn new(document: &Value) -> Read {
        let typed = Hs3Document::from_value(document, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
        let names: Vec<String> = list(&document["functions"]).iter().map(|f| text(&f["name"]).to_owned()).collect();
        let functions = Functions::compile(&typed, &names).unwrap_or_else(|f| panic!("{f:?}"));
        let parameters = list(&document["parameter_points"][0]["parameters"]).iter();
        let start = parameters.map(|p| (text(&p["name"]).to_owned(), p["value"].as_f64().unwrap())).collect();
        Read { document: document.clone(), functions, names, start }
    }

    /// Everything that has a name, at a point.
    fn values(&self, point: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let mut all = self.start.clone();
        for (name, x) in point {
            assert!(all.insert(name.clone(), *x).is_some(), "no parameter {name}");
        }
        let theta: Vec<f64> = self.functions.parameters.iter().map(|p| all[&p.name]).collect();
        let mut values = vec![0.0; self.names.len()];
        self.functions.values(&theta, &mut values, &mut self.functions.scratch());
        all.extend(self.names.iter().cloned().zip(values));
        all
    }

    fn channels(&self) -> impl Iterator<Item = &Value> {
        list(&self.document["distributions"]).iter().filter(|d| d["type"] == "histfactory_dist")
    }

    /// Expected counts of all bins.
    fn main(&self, point: &BTreeMap<String, f64>) -> Vec<f64> {
        let values = self.values(point);
        self.channels().flat_map(|channel| expected(channel, &values)).collect()
    }

    fn twice_nll(&self, point: &BTreeMap<String, f64>) -> f64 {
        let values = self.values(point);
        let mut nll = 0.0;
        let mut constraints: BTreeSet<&str> =
            list(&self.document["likelihoods"][0]["aux_distributions"]).iter().map(text).collect();
        for (channel, data) in self.channels().zip(list(&self.document["data"])) {
            for (nu, n) in expected(channel, &values).into_iter().zip(numbers(&data["contents"])) {
                nll += nu - if n > 0.0 { n * nu.ln() } else { 0.0 } + libm::lgamma(n + 1.0);
            }
            let modifiers = list(&channel["samples"]).iter().flat_map(|s| list(&s["modifiers"]));
            constraints.extend(modifiers.filter_map(|m| m["constraint_name"].as_str()));
        }
        for name in constraints {
            let own = list(&self.document["distributions"]).iter().find(|d| d["name"] == name).unwrap();
            let slot = |key: &str| own[key].as_f64().unwrap_or_else(|| values[text(&own[key])]);
            let (x, mean) = (slot("x"), slot("mean"));
            nll += match text(&own["type"]) {
                "poisson_dist" => mean - x * mean.ln() + libm::lgamma(x + 1.0),
                "gaussian_dist" => {
                    let sigma = slot("sigma");
                    0.5 * ((x - mean) / sigma).powi(2) + (sigma * (2.0 * std::f64::consts::PI).sqrt()).ln()
                }
                other => panic!("a constraint of type {other}"),
            };
        }
        2.0 * nll
    }
}

/// The yields of a channel; a template that histosys move ends at zero, as in ROOT.
fn expected(channel: &Value, values: &BTreeMap<String, f64>) -> Vec<f64> {
    let mut sum = Vec::new();
    for sample in list(&channel["samples"]) {
        let nominal = numbers(&sample["data"]["contents"]);
        let (mut own, mut factors, mut moved) = (nominal.clone(), vec![1.0; nominal.len()], false);
        for modifier in list(&sample["modifiers"]) {
            let driver = || values[text(&modifier["parameter"])];
            match text(&modifier["type"]) {
                "normfactor" => factors.iter_mut().for_each(|f| *f *= driver()),
                "normsys" => {
                    let side = |key: &str| modifier["data"][key].as_f64().unwrap();
                    let factor = code_4(driver(), side("lo"), side("hi"));
                    factors.iter_mut().for_each(|f| *f *= factor);
                }
                "histosys" => {
                    moved = true;
                    let side = |key: &str| numbers(&modifier["data"][key]["contents"]);
                    let (alpha, q) = (driver(), HistosysCode::Code4p.q(driver()).value);
                    for (((own, n), lo), hi) in own.iter_mut().zip(&nominal).zip(side("lo")).zip(side("hi")) {
                        *own += alpha * 0.5 * (hi - lo) + q * (0.5 * (hi + lo) - n);
                    }
                }
                "shapefactor" => {
                    let of_bins = list(&modifier["parameters"]);
                    assert_eq!(of_bins.len(), factors.len());
                    factors.iter_mut().zip(of_bins).for_each(|(f, name)| *f *= values[text(name)]);
                }
                other => panic!("a modifier of type {other}"),
            }
        }
        sum.resize(nominal.len(), 0.0);
        for ((sum, own), factor) in sum.iter_mut().zip(own).zip(factors) {
            *sum += if moved { own.max(0.0) } else { own } * factor;
        }
    }
    sum
}

fn code_4(alpha: f64, lo: f64, hi: f64) -> f64 {
    if alpha.abs() >= 1.0 {
        return if alpha > 0.0 { hi.powf(alpha) } else { lo.powf(-alpha) };
    }
    code4::coefficients(lo, hi).iter().rev().fold(0.0, |sum, a| alpha * (a + sum)) + 1.0
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
    assert!(seen >= 17 * 30, "{seen} numbers");
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
            for (eta, (channel, bin)) in expansion.etas.iter().zip(&uncertain) {
                let bin = first[*channel] + bin;
                let (lambda, root, n) = (none[bin], up[bin] - none[bin], data.main[bin]);
                // Eq. 15 of spec/eft.md.
                let v = root * root;
                let mu = 0.5 * (lambda - v + ((lambda - v).powi(2) + 4.0 * v * n).sqrt());
                // Beside μ̂ = 0, where rounding would decide on which side of the domain it is.
                let mu = mu.max(1e-14 * lambda.abs());
                values.insert(eta.clone(), if v == 0.0 { 0.0 } else { (mu - lambda) / root });
            }
            let document = Evaluator::new(&program).twice_nll(&theta, &program.prepare(&data));
            if !document.is_finite() {
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
            "eft_gaussian_parameters" => "without channels",
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

/// The keys of the document can be dropped, and hold the whole of it.
#[test]
fn the_document_goes_along() {
    for folder in fixtures().iter().filter(|folder| !REFUSED.contains(&name(folder))) {
        let built = build(folder);
        let portable = expanded(&built, Layers::Portable).unwrap().document;
        let mut both = expanded(&built, BOTH).unwrap().document;
        let own = both["misc"].as_object_mut().unwrap().remove("morphist").unwrap();
        let mut channels = Vec::new();
        for distribution in both["distributions"].as_array_mut().unwrap() {
            let Some(channel) = own["channels"].get(text(&distribution["name"])) else { continue };
            let samples = distribution["samples"].as_array_mut().unwrap().iter_mut();
            let samples: Vec<Value> =
                samples.filter_map(|sample| sample.as_object_mut().unwrap().remove("morphist:eft")).collect();
            channels.push(json!({"name": channel, "samples": samples}));
        }
        assert_eq!(both, portable, "{}", name(folder));
        let observations: Vec<Value> = channels
            .iter()
            .zip(list(&portable["data"]))
            .map(|(channel, data)| json!({"name": channel["name"], "data": data["contents"]}))
            .collect();
        let document = json!({"channels": channels, "observations": observations, "version": "1.0.0",
            "measurements": own["measurements"], "eft": own["eft"]});
        let again: Workspace = serde_json::from_value(document).unwrap();
        let (sorted, data) = (built.0.channels.len(), &built.2);
        assert_eq!(
            (again.channels.len(), &again.eft, &again.measurements),
            (sorted, &built.0.eft, &built.0.measurements)
        );
        let model = from_pyhf::model(&again, &ModelOptions::default()).unwrap();
        let theta = built.1.init();
        let value = |model: &Model, data: &Data| {
            let program = Program::compile(model);
            Evaluator::new(&program).twice_nll(&theta, &program.prepare(data))
        };
        assert_eq!(value(&model, &from_pyhf::data(&again, &model).unwrap()), value(&built.1, data), "{}", name(folder));
    }
}

fn likelihood(document: &Value) -> Hs3Likelihood {
    let typed = Hs3Document::from_value(document, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    from_hs3::likelihood(&typed, &Hs3Options::default()).unwrap_or_else(|f| panic!("{f}"))
}

/// Read as HS3, a file gives the document's model, with its η profiled; where the expansion says something else, or the
/// keys do not fit, the expansion counts and W456 says so.
#[test]
fn a_reader_takes_the_document_or_says_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/eft_mc_stat");
    let (workspace, model, data) = build(&folder);
    let mut document = expanded(&(workspace, model.clone(), data), BOTH).unwrap().document;
    let taken = likelihood(&document);
    assert_eq!(taken.model.parameter_names(), model.parameter_names());
    assert!(taken.model.warnings.0.iter().all(|f| f.rule != "W456"), "{}", taken.model.warnings);
    let refused = |document: &Value, words: &str| {
        let read = likelihood(document);
        assert!(read.model.parameter_names().contains(&"eta_SR_0".to_owned()));
        let told = |f: &morphist::finding::Finding| f.rule == "W456" && f.found.contains(words);
        assert!(read.model.warnings.0.iter().any(told), "{words}: {}", read.model.warnings);
    };
    let mut no_channel = document.clone();
    no_channel["misc"]["morphist"]["channels"] = json!({});
    refused(&no_channel, "0 channels");
    let mut no_version = document.clone();
    no_version["misc"]["morphist"]["eft"]["version"] = json!("9");
    refused(&no_version, "breaks a rule");
    document["distributions"][0]["samples"][0]["data"]["contents"][0] = json!(1000.0);
    refused(&document, "of the expansion at one point");
}

/// `schemas/eft-hs3.json` describes our keys and leaves all others to HS3.
#[test]
fn the_schema_of_the_keys_accepts_what_is_written() {
    let named = DOCUMENTS.iter().find(|named| named.name == "eft-hs3").unwrap();
    let schema = jsonschema::draft202012::new(&(named.generate)()).unwrap();
    for folder in fixtures().iter().filter(|folder| !REFUSED.contains(&name(folder))) {
        let built = build(folder);
        let document = expanded(&built, BOTH).unwrap().document;
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", name(folder));
        assert!(!schema.is_valid(&expanded(&built, Layers::Portable).unwrap().document));
        let changed = |pointer: &str, key: &str, value: Option<Value>| {
            let mut changed = document.clone();
            let place = changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
            match value {
                Some(value) => _ = place.insert(key.to_owned(), value),
                None => _ = place.remove(key).unwrap(),
            }
            schema.is_valid(&changed)
        };
        for key in ["version", "channels", "eft", "eta", "measurements", "parameters"] {
            assert!(!changed("/misc/morphist", key, None), "{}, {key}", name(folder));
        }
        assert!(!changed("/misc/morphist", "version", Some(json!("9"))));
        assert!(!changed("/misc/morphist", "colour", Some(json!("red"))));
        assert!(!changed("/misc/morphist", "measurements", Some(json!([]))));
        assert!(changed("/misc/morphist", "max_np_order", Some(json!(1))));
        assert!(!changed("/misc/morphist", "max_np_order", Some(json!("linear"))));
        assert!(!changed("/distributions/0/samples/0", "morphist:eft", Some(json!({"name": "no data"}))));
        assert!(changed("/distributions/0/samples/0", "other:key", Some(json!(1))));
        assert!(changed("/misc", "ROOT_internal", Some(json!({}))));
    }
}
