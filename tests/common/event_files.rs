//! Small event databases written for a test, and the declarations that go with them.
#![allow(dead_code)] // each test file uses its part

use super::Random;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use morphist::document::eft::{Eft, EventsData};
use morphist::event_database::{Binned, Databases, Use};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub const WEIGHTS: [&str; 6] = ["w00", "w01", "w02", "w11", "w12", "w22"];

pub fn monomials() -> Value {
    json!([[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]])
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A block `eft` with one database `db`.
pub fn block(uri: &str, sha256: &str, parquet: bool, n_rows: u64) -> Value {
    let media = if parquet { "application/vnd.apache.parquet" } else { "application/vnd.apache.arrow.file" };
    json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": [{"name": "cHW", "bounds": [-2.0, 2.0]}, {"name": "cHWtil", "bounds": [-2.0, 2.0]}],
        "event_databases": [{
            "name": "db", "uri": uri, "sha256": sha256, "media_type": media, "n_rows": n_rows,
            "weights": {"kind": "coefficients", "monomials": monomials(), "columns": WEIGHTS},
            "observables": {"pTW": {"column": "pTW", "unit": "GeV"}, "Qcosd": {"column": "Qcosd", "unit": "1"}},
            "normalisation": {"kind": "yields"},
        }],
    })
}

pub fn eft(value: &Value) -> Eft {
    serde_json::from_value(value.clone()).unwrap()
}

pub fn data(value: &Value) -> EventsData {
    serde_json::from_value(value.clone()).unwrap()
}

pub fn bin_with(block: &Value, histogram: &Value, folder: &Path, batch_rows: Option<usize>) -> Result<Binned, String> {
    let (eft, data) = (eft(block), data(histogram));
    let mut databases = Databases::new(&eft, folder);
    databases.batch_rows = batch_rows;
    let usage = Use { data: &data, channel: "SR", sample: "WH", pointer: "/use" };
    databases.bin(&usage).map_err(|findings| findings.to_string())
}

/// A file of this test run: its folder, its name and its hash.
pub struct Written {
    pub folder: PathBuf,
    pub uri: String,
    pub hash: String,
    pub n_rows: u64,
}

pub type Columns = Vec<(&'static str, ArrayRef)>;

pub fn bytes_of(columns: &Columns, parquet: bool) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns.clone()).unwrap();
    let mut bytes = Vec::new();
    if parquet {
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    } else {
        let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
    bytes
}

pub fn write_bytes(name: &str, bytes: &[u8], n_rows: u64) -> Written {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(name), bytes).unwrap();
    Written { folder, uri: name.to_owned(), hash: sha256(bytes), n_rows }
}

pub fn write(name: &str, columns: &Columns) -> Written {
    let n_rows = columns.first().map_or(0, |(_, array)| array.len() as u64);
    write_bytes(name, &bytes_of(columns, true), n_rows)
}

impl Written {
    pub fn block(&self) -> Value {
        block(&self.uri, &self.hash, true, self.n_rows)
    }

    pub fn bin(&self, block: &Value, histogram: &Value) -> Binned {
        bin_with(block, histogram, &self.folder, None).unwrap()
    }

    /// The message of what cannot be binned.
    pub fn refusal(&self, block: &Value, histogram: &Value) -> String {
        bin_with(block, histogram, &self.folder, None).unwrap_err()
    }
}

pub fn f64s(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// `n` events with weights of whole squares, |M|² as in the amplitude 1 + a cHW + i b cHWtil.
pub fn random_events(n: usize, seed: u64) -> Vec<[f64; 8]> {
    let mut random = Random(seed);
    let mut event = || {
        let w = 0.5 + random.uniform();
        let (a, b, d) = (random.uniform() - 0.3, random.uniform() - 0.5, random.uniform() - 0.5);
        [
            700.0 * random.uniform(),
            2.0 * random.uniform() - 1.0,
            w,
            2.0 * w * a,
            2.0 * w * d,
            w * a * a,
            2.0 * w * a * d,
            w * (b * b + d * d),
        ]
    };
    (0..n).map(|_| event()).collect()
}

pub const NAMES: [&str; 8] = ["pTW", "Qcosd", "w00", "w01", "w02", "w11", "w12", "w22"];

pub fn columns_of(events: &[[f64; 8]]) -> Columns {
    let column = |k: usize| f64s(&events.iter().map(|e| e[k]).collect::<Vec<_>>());
    NAMES.into_iter().enumerate().map(|(k, name)| (name, column(k))).collect()
}

/// 3 bins of pTW × 2 of Qcosd.
pub fn small_histogram() -> Value {
    json!({
        "database": "db",
        "axes": [
            {"observable": "pTW", "edges": [0.0, 100.0, 300.0, "inf"]},
            {"observable": "Qcosd", "edges": [-1.0, 0.0, 1.0]},
        ],
        "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": "w2",
    })
}

pub fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[key] = new;
    value
}

pub fn in_database(block: &Value, key: &str, new: Value) -> Value {
    with(block, &format!("/event_databases/0/{key}"), new)
}

/// One axis of `x`, one weight column `w`.
pub fn line(written: &Written, edges: Value, underflow: &str, overflow: &str) -> (Value, Value) {
    let weights = json!({"kind": "coefficients", "monomials": [[]], "columns": ["w"]});
    let block = in_database(&written.block(), "weights", weights);
    let block = in_database(&block, "observables", json!({"x": {"column": "x", "unit": "1"}}));
    let histogram = json!({
        "database": "db", "axes": [{"observable": "x", "edges": edges}],
        "underflow": underflow, "overflow": overflow, "truncation": "none", "mc_stat": "w2",
    });
    (block, histogram)
}

pub fn phi(c: [f64; 2]) -> [f64; 6] {
    [1.0, c[0], c[1], c[0] * c[0], c[0] * c[1], c[1] * c[1]]
}

/// Sums event by event at the point: what the polynomials must reproduce.
pub fn on_the_fly(events: &[[f64; 8]], c: [f64; 2]) -> (Vec<f64>, Vec<f64>) {
    let (mut sums, mut squares) = (vec![0.0; 6], vec![0.0; 6]);
    for event in events {
        let bin = 2 * [100.0, 300.0].iter().filter(|e| event[0] >= **e).count() + usize::from(event[1] >= 0.0);
        let w: f64 = event[2..].iter().zip(phi(c)).map(|(a, p)| a * p).sum();
        sums[bin] += w;
        squares[bin] += w * w;
    }
    (sums, squares)
}
