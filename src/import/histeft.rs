//! Histograms of TopEFT: a row of quadratic coefficients a bin, the lower triangle with the constant first and each
//! product once (spec/eft-importers.md, "HistEFT").

use super::node::Node;
use super::npz::Archive;
use super::terms::Terms;
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, dropped, refuse_pickle};
use crate::document::eft::Mode;
use crate::event_database::{Batch, Column, Wanted, parquet_file};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::BTreeSet;
use std::fs::File;

/// The first bytes of a Parquet file.
pub const PARQUET: &[u8] = b"PAR1";
/// Rows of a Parquet file that are read at once.
const BATCH_ROWS: usize = 1 << 12;
/// Columns that the names of so many coefficients make are looked for.
const MOST_NAMES: usize = 1000;

/// The names of the coefficients, in their order.
const NAMES: &str = "wc_names";
/// The array of (bins × products).
const COEFFICIENTS: &str = "eft_coeff";

/// Reads an npz archive or a JSON object with `wc_names` and `eft_coeff`; `names` stand in for the former. Row b holds
/// the yield of bin b as Σ_{j ≤ i} a_{i(i+1)/2 + j} x_i x_j with x_0 = 1 and x_i the i-th coefficient.
pub fn read(name: &str, bytes: Vec<u8>, names: Option<&[String]>, options: &ImportOptions) -> Result<Import> {
    refuse_pickle(&bytes)?;
    if bytes.starts_with(b"PK") {
        let mut archive = Archive::open(bytes, &options.limits)?;
        let stored = if names.is_none() { Some(archive.strings(NAMES)?) } else { None };
        let table = archive.table(COEFFICIENTS)?;
        let others = archive.names().into_iter().filter(|key| key != NAMES && key != COEFFICIENTS);
        let why = "only the coefficients of the yields are read";
        let warnings = Findings(others.map(|key| dropped("", format!("the array {}", quote(&key)), why)).collect());
        let names = names.map(<[String]>::to_vec).or(stored).unwrap_or_default();
        return response(&names, table, warnings, options);
    }
    let json = Json::read(name, bytes, &options.limits)?;
    let parts = |root: &Node| {
        let names = match names {
            Some(names) => names.to_vec(),
            None => root.member(NAMES)?.names()?,
        };
        let table = root.member(COEFFICIENTS)?.items()?.iter().map(Node::numbers).collect::<Result<Vec<_>>>()?;
        let why = "only the coefficients of the yields are read";
        let others = root.members()?.into_iter().filter(|(key, _)| *key != NAMES && *key != COEFFICIENTS);
        let warnings = Findings(others.map(|(key, node)| dropped(node.pointer, quote(key), why)).collect());
        response(&names, table, warnings, options)
    };
    json.placed(parts(&json.root()))
}

/// Reads a Parquet file with a row a bin and the columns `eft_coeff_0`, `eft_coeff_1`, …, as [`read`] does.
pub fn read_parquet(file: File, names: &[String], options: &ImportOptions) -> Result<Import> {
    let wrong = |found: String, expected: &str| Finding::new(&rule::IMPORT_FORMAT, found, expected);
    let n = names.len() + 1;
    if n > MOST_NAMES {
        return Err(wrong(format!("{} coefficients", names.len()), "fewer coefficients").into());
    }
    let (rows, columns) = parquet_file::describe(&file).map_err(|e| wrong(e, "a Parquet file"))?;
    let wanted: Vec<Wanted> = (0..n * (n + 1) / 2).map(|k| Wanted::number(&format!("{COEFFICIENTS}_{k}"))).collect();
    if let Some(missing) = wanted.iter().find(|column| !columns.iter().any(|(name, _)| *name == column.name)) {
        let expected = format!("{} columns of {} coefficients", wanted.len(), names.len());
        return Err(wrong(format!("no column {}", quote(&missing.name)), &expected).into());
    }
    let bytes = rows.saturating_mul(8 * wanted.len() as u64);
    if bytes > options.limits.max_size as u64 {
        let expected = format!("at most {} bytes", options.limits.max_size);
        return Err(Finding::new(&rule::SIZE, format!("{rows} rows"), expected).into());
    }
    let (mut table, mut unfit) = (Vec::new(), None);
    let each = &mut |batch: Batch| {
        unfit = batch.columns.iter().zip(&wanted).find_map(|(column, wanted)| match column {
            Column::Number(_) => None,
            _ => Some(format!("the column {}", quote(&wanted.name))),
        });
        let row = |b: usize| (0..wanted.len()).filter_map(|k| batch.numbers(k).get(b).copied()).collect();
        table.extend((0..batch.n_rows).map(row));
        unfit.is_none()
    };
    parquet_file::read(file, &wanted, BATCH_ROWS, each).map_err(|e| wrong(e, "a Parquet file"))?;
    if let Some(unfit) = unfit {
        return Err(wrong(unfit, "numbers without gaps").into());
    }
    let others = columns.iter().filter(|(name, _)| !wanted.iter().any(|column| column.name == *name));
    let why = "only the coefficients of the yields are read";
    let warnings = others.map(|(name, _)| dropped("", format!("the column {}", quote(name)), why));
    response(names, table, Findings(warnings.collect()), options)
}

fn response(names: &[String], table: Vec<Vec<f64>>, warnings: Findings, options: &ImportOptions) -> Result<Import> {
    let wrong = |found: String, expected: String| Finding::new(&rule::IMPORT_FORMAT, found, expected);
    if names.iter().collect::<BTreeSet<_>>().len() != names.len() || names.iter().any(|name| name.trim().is_empty()) {
        return Err(wrong(
            "one coefficient twice, or without a name".into(),
            "the names of different coefficients".into(),
        )
        .into());
    }
    let n = names.len() + 1;
    let expected = n.saturating_mul(n + 1) / 2;
    if table.is_empty() {
        return Err(wrong("no bin".into(), "at least one row".into()).into());
    }
    for (bin, row) in table.iter().enumerate() {
        if row.len() != expected {
            let found = format!("a row of {} for bin {bin}", row.len());
            return Err(wrong(found, format!("{expected} products of {} coefficients", names.len())).into());
        }
        if row.iter().any(|x| !x.is_finite()) {
            return Err(wrong(format!("a number that is not finite in bin {bin}"), "finite numbers".into()).into());
        }
    }
    let mut terms = Terms::new(table.len());
    for i in 0..n {
        for j in 0..=i {
            let monomial = [i, j].iter().filter_map(|k| names.get(k.checked_sub(1)?).cloned()).collect();
            terms.add(monomial, table.iter().map(|row| row[i * (i + 1) / 2 + j]));
        }
    }
    let nominal = terms.constant();
    let data = ResponseData::Polynomial(terms.polynomial(Mode::Absolute, false)?);
    let mut response = ImportedResponse::new("histeft", data);
    response.nominal = Some(nominal);
    Ok(Import {
        wilson_coefficients: options.bounds.coefficients(names)?,
        responses: vec![response],
        warnings,
        ..Import::default()
    })
}
