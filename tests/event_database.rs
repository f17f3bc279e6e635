//! Event databases read, binned and summed: against numpy's numbers of the corpus (`eft/wh_10000.json`, made with
//! `numpy.bincount` and `numpy.einsum`) and against sums written out here.

mod common;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use common::{directory, read_json};
use morphist::document::eft::{Eft, EventsData};
use morphist::event_database::{Binned, Databases, Use, load};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const WEIGHTS: [&str; 6] = ["w00", "w01", "w02", "w11", "w12", "w22"];

fn monomials() -> Value {
    json!([[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]])
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A block `eft` with one database `db`.
fn block(uri: &str, sha256: &str, parquet: bool, n_rows: u64) -> Value {
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

/// The histogram of the corpus.
fn histogram(reference: &Value) -> Value {
    let axis = |name: &str| json!({"observable": name, "edges": reference["bins"][name]});
    json!({
        "database": "db", "axes": [axis("pTW"), axis("Qcosd")], "underflow": "error", "overflow": "error",
        "truncation": "none", "mc_stat": "w2",
    })
}

fn eft(value: &Value) -> Eft {
    serde_json::from_value(value.clone()).unwrap()
}

fn data(value: &Value) -> EventsData {
    serde_json::from_value(value.clone()).unwrap()
}

fn bin_with(block: &Value, histogram: &Value, folder: &Path, batch_rows: Option<usize>) -> Result<Binned, String> {
    let (eft, data) = (eft(block), data(histogram));
    let mut databases = Databases::new(&eft, folder);
    databases.batch_rows = batch_rows;
    let usage = Use { data: &data, channel: "SR", sample: "WH", pointer: "/use" };
    databases.bin(&usage).map_err(|findings| findings.to_string())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let allowed = tolerance * want.abs().max(1e-4 * scale);
        assert!((got - want).abs() <= allowed, "{what} [{i}]: {got:e} but {want:e}");
    }
}

/// Yields and variances at five points, the polynomials of the bins and W2, from both formats.
#[test]
fn the_wh_database_gives_the_numbers_of_numpy() {
    let Some(folder) = directory("eft") else { return };
    let reference = read_json(&folder.join("wh_10000.json"));
    let n_rows = reference["n_accepted"].as_u64().unwrap();
    for (file, hash, parquet) in [("wh_10000.parquet", "parquet", true), ("wh_10000.arrow", "arrow", false)] {
        let block = block(file, reference["sha256"][hash].as_str().unwrap(), parquet, n_rows);
        let binned = bin_with(&block, &histogram(&reference), &folder, None).unwrap();
        assert_eq!(binned.variables, ["cHW", "cHWtil"]);
        assert_eq!((binned.flow.rows, binned.flow.binned), (n_rows, n_rows));
        assert_eq!(binned.n_events.iter().sum::<u64>(), n_rows);
        let w2 = binned.w2.as_ref().unwrap();
        for point in reference["reference"].as_array().unwrap() {
            let c = numbers(&point["c"]);
            close(&binned.polynomial.evaluate(&c), &numbers(&point["yields"]), 1e-12, file);
            close(&w2.evaluate(&c), &numbers(&point["var"]), 1e-12, file);
        }
        let order: [&[u32]; 6] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 1]];
        for (k, monomial) in order.iter().enumerate() {
            let want: Vec<f64> =
                reference["bin_polynomials"].as_array().unwrap().iter().map(|bin| numbers(bin)[k]).collect();
            close(binned.polynomial.coefficients_of(monomial).unwrap(), &want, 1e-12, "A");
        }
        // W2_kl of numpy, pairs of one product added up.
        let mut quartic = std::collections::BTreeMap::<Vec<u32>, Vec<f64>>::new();
        for (k, left) in order.iter().enumerate() {
            for (l, right) in order.iter().enumerate() {
                let mut product = [*left, *right].concat();
                product.sort_unstable();
                let sum = quartic.entry(product).or_insert_with(|| vec![0.0; binned.n_events.len()]);
                for (b, sum) in sum.iter_mut().enumerate() {
                    *sum += reference["bin_w2"][b][k][l].as_f64().unwrap();
                }
            }
        }
        assert_eq!(w2.monomials.len(), quartic.len());
        for (monomial, want) in &quartic {
            close(w2.coefficients_of(monomial).unwrap(), want, 1e-12, "W2");
        }
    }
}

fn write_parquet(name: &str, columns: Vec<(&str, ArrayRef)>) -> (PathBuf, String, String) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    std::fs::write(folder.join(name), &bytes).unwrap();
    (folder, name.to_owned(), sha256(&bytes))
}
