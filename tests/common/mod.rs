//! Where the corpus lies, and models made from its files.
#![allow(dead_code)] // each test file uses its part

pub mod combination;
pub mod event_files;
pub mod gaussian;
pub mod operations;
pub mod program;
pub mod small;
pub mod wh;

use std::io::Write;
use std::path::{Path, PathBuf};

use morphist::document::workspace::Workspace;
use morphist::model::{Data, Model};
use morphist::translate::from_pyhf::{self, ModelOptions};

/// The folder that holds `corpus/` and `reference/`: `MORPHIST_CORPUS`, or `../shared`. Fails when `CI` is set and it
/// is missing; else says that the test is skipped.
pub fn corpus(test: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("MORPHIST_CORPUS").map_or_else(default, PathBuf::from);
    if root.join("corpus").is_dir() {
        return Some(root);
    }
    assert!(std::env::var_os("CI").is_none(), "{test}: no corpus in {}", root.display());
    // Written past the capture of passing tests: a skipped test must be seen.
    let _ = writeln!(std::io::stderr(), "{test}: skipped, no corpus in {} (set MORPHIST_CORPUS)", root.display());
    None
}

/// The folder of one part of the corpus, as [`corpus`].
pub fn directory(part: &str) -> Option<PathBuf> {
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    corpus(&test).map(|root| root.join("corpus").join(part))
}

/// The entries of a directory's INDEX.json.
pub fn index(directory: &Path) -> Vec<serde_json::Value> {
    serde_json::from_value(read_json(&directory.join("INDEX.json"))).unwrap()
}

pub fn read_json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The model and data of a workspace file, with default options.
pub fn load(path: &Path, options: &ModelOptions) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let model = from_pyhf::model(&workspace, options).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// The corpus workspaces that pyhf validates and builds: (path, entry of the index).
pub fn good_workspaces(root: &Path) -> Vec<(PathBuf, serde_json::Value)> {
    let index = read_json(&root.join("corpus/pyhf/INDEX.json"));
    let is_good = |entry: &&serde_json::Value| {
        entry["kind"] == "workspace" && entry["stats"]["valid"] == true && entry["stats"]["built"] == true
    };
    let entries = index.as_array().unwrap().iter().filter(is_good);
    entries.map(|e| (root.join("corpus/pyhf").join(e["file"].as_str().unwrap()), e.clone())).collect()
}

/// The eight reference workspaces: (path, numbers of the peer).
pub fn references(root: &Path) -> Vec<(PathBuf, serde_json::Value)> {
    let mut names: Vec<_> =
        std::fs::read_dir(root.join("reference/pyhf")).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
        .into_iter()
        .map(|path| {
            let workspace = root.join("reference/workspaces").join(path.file_name().unwrap());
            (workspace, read_json(&path))
        })
        .collect()
}

/// A small deterministic generator (splitmix64), uniform in [0, 1).
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A point near the model's start, inside its bounds, away from kinks.
    pub fn point(&mut self, model: &Model, spread: f64) -> Vec<f64> {
        model
            .init()
            .iter()
            .zip(model.bounds())
            .zip(model.constraints())
            .map(|((&init, (low, high)), constraint)| {
                let width = constraint.map_or(0.3, |c| c.width().min(0.5));
                let x = init + spread * width * (2.0 * self.uniform() - 1.0);
                x.clamp(low + 1e-3 * (high - low).min(1.0), high - 1e-3 * (high - low).min(1.0))
            })
            .collect()
    }
}

/// The suggested start with some parameters at other values.
pub fn point(model: &Model, values: &[(&str, f64)]) -> Vec<f64> {
    let names = model.parameter_names();
    let mut point = model.init();
    for (name, value) in values {
        point[names.iter().position(|n| n == name).unwrap()] = *value;
    }
    point
}
