//! The joint score of every event as columns of its database, such as for histograms of a locally optimal observable
//! (spec/unbinned.md, "Scores").

use super::append::{finish, joined, properties, unwritable};
use super::columns::Batch;
use super::declaration::Columns;
use super::open::Database;
use super::weights::Weights;
use crate::document::eft::{Eft, NoTruncation, Truncation};
use crate::finding::{Findings, Result, number};
use crate::model::eft::polynomial::{monomial_slope, monomial_value};
use crate::rule;
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Most numbers of the score of one database, which are kept in memory.
const MOST_NUMBERS: u64 = 1 << 28;

/// The file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    pub sha256: String,
    pub n_rows: u64,
    /// The new columns with their coefficients.
    pub columns: Vec<(String, String)>,
}

/// t = ∇w/w − ∇σ/σ of all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The coefficients on which weights depend.
    pub coefficients: Vec<String>,
    /// For each coefficient the number of each row.
    pub values: Vec<Vec<f64>>,
}

impl Scores {
    /// At a point, which is zero where it does not name a coefficient; σ is the sum of all rows.
    ///
    /// # Errors
    /// Everything that can be wrong with the file; a row whose weight is zero at the point.
    pub fn new(eft: &Eft, database: &Database, point: &BTreeMap<String, f64>) -> Result<Scores> {
        let mut columns = Columns::default();
        let none = Truncation::None(NoTruncation::None);
        let weights = Weights::new(eft, &database.declaration.weights, none, &mut columns)?;
        let n = weights.variables.len();
        let numbers = database.declaration.n_rows.saturating_mul(n as u64);
        if numbers > MOST_NUMBERS {
            let expected = format!("at most {MOST_NUMBERS}");
            return Err(database
                .finding(&rule::UNBINNED_SIZE, format!("scores of {numbers} numbers"), expected)
                .into());
        }
        let at: Vec<f64> = weights.variables.iter().map(|name| point.get(name).copied().unwrap_or(0.0)).collect();
        let phi: Vec<f64> = weights.monomials.iter().map(|m| monomial_value(m, &at)).collect();
        let slopes: Vec<Vec<f64>> =
            (0..n as u32).map(|i| weights.monomials.iter().map(|m| monomial_slope(m, i, &at)).collect()).collect();
        let mut values = vec![Vec::new(); n];
        let (mut sum, mut slope_sums) = (0.0, vec![0.0; n]);
        let mut row_weights = vec![0.0; weights.monomials.len()];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        database.read(&columns.0, |batch: &Batch| {
            for row in 0..batch.n_rows {
                weights.fill(batch, row, &mut row_weights);
                let weight = dot(&row_weights, &phi);
                if weight == 0.0 || !weight.is_finite() {
                    let found =
                        format!("the weight {} in row {} (from 0)", number(weight), batch.first_row + row as u64);
                    let finding = database.finding(&rule::EVENT_VALUE, found, "a weight that is not zero");
                    return Err(finding.hint("an event without weight has no score: select rows before").into());
                }
                sum += weight;
                for ((to, slopes), total) in values.iter_mut().zip(&slopes).zip(&mut slope_sums) {
                    let slope = dot(&row_weights, slopes);
                    *total += slope;
                    to.push(slope / weight);
                }
            }
            Ok(())
        })?;
        for (column, total) in values.iter_mut().zip(&slope_sums) {
            column.iter_mut().for_each(|t| *t -= total / sum);
        }
        Ok(Scores { coefficients: weights.variables, values })
    }
}

/// Writes all columns of a database and `score_NAME` of each coefficient to `output` (Parquet). A file that is there
/// already is replaced only once the new one is complete.
///
/// # Errors
/// As [`Scores::new`]; a column whose name is taken; a file that cannot be written.
pub fn score(eft: &Eft, database: &Database, point: &BTreeMap<String, f64>, output: &Path) -> Result<Scored> {
    let scores = Scores::new(eft, database, point)?;
    let names: Vec<String> = scores.coefficients.iter().map(|name| format!("score_{name}")).collect();
    super::append::check_names(database, &names)?;
    let partial = output.with_extension("partial");
    let result = write(database, &scores, &names, &partial).and_then(|()| finish(&partial, output));
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    let columns = names.into_iter().zip(scores.coefficients).collect();
    result.map(|sha256| Scored { sha256, n_rows: database.declaration.n_rows, columns })
}

fn write(database: &Database, scores: &Scores, names: &[String], path: &Path) -> Result<()> {
    let fail = |error: &dyn std::fmt::Display| Findings::from(unwritable(path, error));
    let mut writer: Option<ArrowWriter<File>> = None;
    let mut first = 0;
    database.records(None, |records, _| {
        let rows = first..first + records.num_rows();
        first = rows.end;
        let part = |column: &Vec<f64>| column.get(rows.clone()).map(<[f64]>::to_vec).unwrap_or_default();
        let columns = scores.values.iter().map(part).collect();
        let joined = joined(records, names, columns).map_err(|e| fail(&e))?;
        if writer.is_none() {
            let file = File::create(path).map_err(|e| fail(&e))?;
            writer = Some(ArrowWriter::try_new(file, joined.schema(), Some(properties())).map_err(|e| fail(&e))?);
        }
        writer.as_mut().map_or(Ok(()), |writer| writer.write(&joined)).map_err(|e| fail(&e))
    })?;
    let Some(writer) = writer else { return Err(fail(&"no rows")) };
    writer.close().map_err(|e| fail(&e))?;
    Ok(())
}
