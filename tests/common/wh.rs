//! The WH sample of the corpus (`eft/wh_10000.parquet`) as events of unbinned terms, and 10 000 events drawn from it.

use crate::common::{directory, read_json};
use morphist::document::eft::{EventTable, MediaType, TableFile};
use morphist::document::workspace::Workspace;
use morphist::event_database::Table;
use morphist::model::{Data, Model};
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub const WEIGHTS: [&str; 6] = ["w00", "w01", "w02", "w11", "w12", "w22"];
/// The point of the 10 000 events.
pub const TRUTH: [f64; 2] = [0.4, -0.3];
const N: usize = 10_000;

/// Columns of all rows of the sample.
pub struct Sample {
    pub columns: BTreeMap<String, Vec<f64>>,
    pub n_rows: usize,
    pub folder: PathBuf,
}

pub fn monomials() -> Value {
    json!([[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]])
}

/// The monomials at a point.
pub fn phi([a, b]: [f64; 2]) -> [f64; 6] {
    [1.0, a, b, a * a, a * b, b * b]
}

/// As [`directory`]: `None` where the corpus may be missing.
pub fn sample() -> Option<Sample> {
    let folder = directory("eft")?;
    let reference = read_json(&folder.join("wh_10000.json"));
    let file = TableFile {
        uri: "wh_10000.parquet".to_owned(),
        sha256: reference["sha256"]["parquet"].as_str().unwrap().to_owned(),
        media_type: MediaType::Parquet,
        n_rows: reference["n_accepted"].as_u64().unwrap(),
    };
    let names: Vec<String> = WEIGHTS.iter().chain(&["pTW", "Qcosd"]).map(|name| (*name).to_owned()).collect();
    let Table { n_rows, columns } = Table::read(&EventTable::File(file), &names, &folder, "").unwrap();
    Some(Sample { columns, n_rows, folder })
}

impl Sample {
    pub fn column(&self, name: &str) -> &[f64] {
        &self.columns[name]
    }

    /// Adds a column that is made of the others, row by row.
    pub fn put(&mut self, name: &str, f: impl Fn(&dyn Fn(&str) -> f64) -> f64) {
        let values = (0..self.n_rows).map(|row| f(&|column| self.columns[column][row])).collect();
        self.columns.insert(name.to_owned(), values);
    }

    /// w(c) of all rows.
    pub fn weights(&self, at: [f64; 2]) -> Vec<f64> {
        let of = |row| WEIGHTS.iter().zip(phi(at)).map(|(name, phi)| self.columns[*name][row] * phi).sum();
        (0..self.n_rows).map(of).collect()
    }

    /// The density that the sample was generated of: 60 % standard model, 20 % each of two other points, normalised.
    pub fn mixture(&self) -> Vec<f64> {
        let parts = [(0.6, [0.0, 0.0]), (0.2, [0.9, 0.6]), (0.2, [-0.9, -0.6])].map(|(part, at)| {
            let weights = self.weights(at);
            (part / weights.iter().sum::<f64>(), weights)
        });
        (0..self.n_rows).map(|row| parts.iter().map(|(part, weights)| part * weights[row]).sum()).collect()
    }

    /// The rows of 10 000 events at equal steps of the summed weight at the truth, and the sum.
    pub fn drawn(&self) -> (Vec<usize>, f64) {
        let mut sum = 0.0;
        let summed: Vec<f64> = self
            .weights(TRUTH)
            .into_iter()
            .map(|w| {
                sum += w;
                sum
            })
            .collect();
        let row = |i| summed.partition_point(|s| *s <= (i as f64 + 0.5) / N as f64 * sum);
        ((0..N).map(row).collect(), sum)
    }

    /// N with which the truth has 10 000 events, by the mean over the sample.
    pub fn events(&self) -> f64 {
        N as f64 * self.n_rows as f64 / self.drawn().1
    }

    /// Some rows of some columns, as a table that a document holds.
    pub fn table(&self, rows: &[usize], names: &[&str]) -> Value {
        let column = |name: &&str| {
            let values: Vec<f64> = rows.iter().map(|row| self.columns[*name][*row]).collect();
            ((*name).to_owned(), json!(values))
        };
        json!({"columns": Value::Object(names.iter().map(column).collect())})
    }

    /// A term of the drawn events with the sample as reference.
    pub fn term(&self, component: Value, names: &[&str]) -> Value {
        let all: Vec<usize> = (0..self.n_rows).collect();
        json!({"name": "WH", "events": self.table(&self.drawn().0, names),
            "reference": {"events": self.table(&all, names)}, "components": [component]})
    }

    /// Ratios to the density that the sample has itself: the weights as they are.
    pub fn component(&self) -> Value {
        json!({"name": "WH", "yields": {"kind": "reference", "events": self.events()}, "ratio_of": "yields",
            "ratio": {"kind": "polynomial", "monomials": monomials(), "columns": WEIGHTS, "truncation": "none"}})
    }

    /// The sums of the weights over sets of rows as a channel, `factor` events for a unit of weight.
    pub fn channel(&self, bins: &[Vec<usize>], factor: f64) -> Value {
        let sums = |name: &str| -> Vec<f64> {
            bins.iter().map(|rows| factor * rows.iter().map(|row| self.columns[name][*row]).sum::<f64>()).collect()
        };
        let coefficients = WEIGHTS.map(sums);
        json!({"name": "bins", "samples": [{"name": "WH", "data": coefficients[0], "modifiers": [
            {"name": "response", "type": "eft_polynomial", "data": {"mode": "absolute", "truncation": "none",
                "monomials": monomials(), "coefficients": coefficients}}]}]})
    }
}

pub fn document(terms: Value) -> Value {
    let coefficient = |name: &str| json!({"name": name, "bounds": [-3, 3]});
    json!({
        "channels": [], "observations": [], "version": "1.0.0",
        "measurements": [{"name": "m", "config": {"poi": "cHWtil", "parameters": []}}],
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [coefficient("cHW"), coefficient("cHWtil")],
            "unbinned_terms": terms,
        }
    })
}

/// A document with a channel alone, whose data are its nominal yields.
pub fn binned(channel: Value) -> Value {
    let mut document = document(json!([]));
    document["eft"].as_object_mut().unwrap().remove("unbinned_terms");
    document["observations"] = json!([{"name": "bins", "data": channel["samples"][0]["data"]}]);
    document["channels"] = json!([channel]);
    document
}

pub fn build(document: &Value) -> (Model, Data) {
    let workspace = Workspace::from_value(document).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// Columns of learned nuisances and of replicas, as the peer makes them.
pub fn with_learned(mut sample: Sample) -> Sample {
    let x = |row: &dyn Fn(&str) -> f64| row("pTW") / (row("pTW") + 200.0);
    sample.put("up", |row| 0.1 * x(row) - 0.03);
    sample.put("up2", |row| 0.01 * row("Qcosd") * row("Qcosd"));
    sample.put("base", |row| 1.0 + 0.1 * row("Qcosd"));
    sample.put("slope", |row| 0.05 * x(row) * row("Qcosd"));
    sample.put("mixed", |row| 0.02 * row("Qcosd"));
    for j in [1, 2] {
        for name in &WEIGHTS[1..] {
            sample.put(&format!("{name}_r{j}"), |row| {
                let k = 1.0 + 0.03 * f64::from(j) * (x(row) - 0.4);
                row(name) * if ["w01", "w02"].contains(name) { k } else { k * k }
            });
        }
    }
    sample
}

pub const LEARNED: [&str; 5] = ["up", "up2", "base", "slope", "mixed"];

pub fn learned(sample: &Sample) -> Value {
    let mut component = sample.component();
    component["systematics"] = json!({
        "tilt": {"kind": "log_quadratic", "linear": "up", "quadratic": "up2"},
        "scale": {"kind": "power", "column": "base"}, "slope": {"kind": "linear", "column": "slope"}});
    component["correlated"] = json!([{"systematics": ["tilt", "scale"], "column": "mixed"}]);
    component
}
