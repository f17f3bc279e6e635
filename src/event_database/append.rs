//! New columns beside the old ones: a database that knows more operators (spec/event-database.md, "Adding columns").

use super::columns::{Batch, Kind, Wanted};
use super::open::{Database, sha256};
use super::positivity::Promise;
use super::{arrow_file, parquet_file};
use crate::document::eft::MediaType;
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group that is written: what is in memory of it.
const GROUP_ROWS: usize = 1 << 17;

/// Which rows of both files belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// The same row; both have as many.
    Row,
    /// The same integer in this column of both; each stands once.
    Key(String),
}

/// The columns to be added, all of numbers.
#[derive(Clone, Debug)]
pub struct NewColumns<'a> {
    pub path: &'a Path,
    pub media_type: MediaType,
    pub names: &'a [String],
    pub join: Join,
}

/// The file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    pub sha256: String,
    pub n_rows: u64,
}

/// Writes all columns of a database and the new ones to `output` (Parquet). Old columns keep their values and their
/// order of rows, and the new ones have names of their own; a file that is there already is replaced only once the new one is complete. Rows that break the
/// `promise` of the extended weights are refused, and then nothing is left.
pub fn append(database: &Database, new: &NewColumns, promise: Option<Promise>, output: &Path) -> Result<Appended> {
    let partial = output.with_extension("partial");
    let result = write(database, new, promise, &partial).and_then(|()| finish(&partial, output));
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    result.map(|sha256| Appended { sha256, n_rows: database.declaration.n_rows })
}

/// The new columns have names of their own.
pub fn check_names(database: &Database, names: &[String]) -> Result<()> {
    let own = quote(&database.declaration.name);
    for (i, name) in names.iter().enumerate() {
        let (found, hint) = if database.columns().iter().any(|(own, _)| own == name) {
            let hint = "rename the column in the file of new columns: old columns cannot be replaced";
            (format!("the new column {}, which database {own} has already", quote(name)), hint)
        } else if names.iter().take(i).any(|other| other == name) {
            (format!("the new column {} for two monomials", quote(name)), "give each monomial a column of its own")
        } else {
            continue;
        };
        return Err(Finding::new(&rule::EVENT_COLUMN, found, "a name that is not taken").hint(hint).into());
    }
    Ok(())
}

/// Puts a complete file in its place, and gives back its hash.
pub fn finish(partial: &Path, output: &Path) -> Result<String> {
    let hash = File::open(partial).and_then(|mut file| sha256(&mut file)).map_err(|e| unwritable(output, &e))?;
    std::fs::rename(partial, output).map_err(|e| unwritable(output, &e))?;
    Ok(hash)
}

fn write(database: &Database, new: &NewColumns, mut promise: Option<Promise>, path: &Path) -> Result<()> {
    let mut source = Source::new(new, database)?;
    let mut first_row = 0;
    let key = match &new.join {
        Join::Row => None,
        Join::Key(name) => Some(Wanted { name: name.clone(), kind: Kind::Integer }),
    };
    let mut writer: Option<ArrowWriter<File>> = None;
    database.records(key.as_ref(), |records, keys| {
        let columns = source.take(records.num_rows(), keys)?;
        let joined = joined(records, new.names, columns).map_err(|e| unwritable(path, &e))?;
        if let Some(promise) = &mut promise {
            let batch = Batch { first_row, ..Batch::from_arrow(&joined, &promise.columns.0) };
            batch.check(database, &promise.columns.0)?;
            promise.check(database, &batch).map_err(broken_promise)?;
        }
        first_row += joined.num_rows() as u64;
        if writer.is_none() {
            let file = File::create(path).map_err(|e| unwritable(path, &e))?;
            let made = ArrowWriter::try_new(file, joined.schema(), Some(properties()));
            writer = Some(made.map_err(|e| unwritable(path, &e))?);
        }
        writer.as_mut().map_or(Ok(()), |w| w.write(&joined)).map_err(|e| unwritable(path, &e).into())
    })?;
    source.end()?;
    let Some(writer) = writer else { return Err(unwritable(path, &"no rows").into()) };
    writer.close().map_err(|e| unwritable(path, &e))?;
    Ok(())
}

pub(super) fn properties() -> WriterProperties {
    // Weights do not repeat, so that a dictionary would only cost time.
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build()
}

pub(super) fn joined(
    records: &RecordBatch,
    names: &[String],
    columns: Vec<Vec<f64>>,
) -> std::result::Result<RecordBatch, String> {
    let mut fields: Vec<Field> = records.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    let mut arrays: Vec<ArrayRef> = records.columns().to_vec();
    for (name, column) in names.iter().zip(columns) {
        fields.push(Field::new(name, DataType::Float64, false));
        arrays.push(Arc::new(Float64Array::from(column)));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| e.to_string())
}

pub fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Finding {
    Finding::new(&rule::EVENT_FILE, format!("{}: {error}", path.display()), "a file that can be written")
}

fn broken_promise(findings: Findings) -> Findings {
    let hint = "the database promises positivity, which the new columns break: correct them, narrow the bounds of the new \
                coefficients, or write \"positivity\": \"allow\" into the declaration of the database first";
    Findings(findings.0.into_iter().map(|finding| finding.hint(hint)).collect())
}

/// Where the new columns come from.
struct Source<'a> {
    new: &'a NewColumns<'a>,
    /// Rows that the database has, and its name in messages.
    n_rows: u64,
    database: String,
    rows: Rows<'a>,
}

enum Rows<'a> {
    /// Batches as they come, and how far the first is used.
    InOrder { batches: Batches<'a>, current: Option<Batch>, used: usize },
    /// The numbers of each key.
    ByKey(HashMap<i64, Vec<f64>>),
}

impl<'a> Source<'a> {
    fn new(new: &'a NewColumns<'a>, database: &Database) -> Result<Source<'a>> {
        let mut wanted: Vec<Wanted> = new.names.iter().map(|name| Wanted::number(name)).collect();
        if let Join::Key(name) = &new.join {
            wanted.push(Wanted { name: name.clone(), kind: Kind::Integer });
        }
        let (found, mut batches) = batches(new, wanted)?;
        let (n_rows, database) = (database.declaration.n_rows, quote(&database.declaration.name));
        let rows = match &new.join {
            Join::Row => Rows::InOrder { batches, current: None, used: 0 },
            Join::Key(key) => Rows::ByKey(by_key(new, key, &mut batches)?),
        };
        let source = Source { new, n_rows, database, rows };
        if new.join == Join::Row && found != n_rows { Err(source.count(found)) } else { Ok(source) }
    }

    /// Another number of rows than the database has.
    fn count(&self, found: u64) -> Findings {
        let hint = "each row of the database needs one row of new columns, in the same order: match rows by a number of \
                    the event (--key) where the order differs";
        let expected = format!("{}, as database {} has", self.n_rows, self.database);
        problem(self.new, &rule::EVENT_ROWS, &format!("{found} rows"), &expected, hint).into()
    }

    /// The new columns of the next `n` rows, or of rows with these keys.
    fn take(&mut self, n: usize, keys: &[i64]) -> Result<Vec<Vec<f64>>> {
        let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(n); self.new.names.len()];
        match &mut self.rows {
            Rows::ByKey(rows) => {
                for key in keys {
                    let Some(values) = rows.remove(key) else {
                        let found =
                            format!("no row {key} for a row of database {}, or two rows ask for it", self.database);
                        return Err(unmatched(self.new, &found));
                    };
                    columns.iter_mut().zip(values).for_each(|(column, x)| column.push(x));
                }
            }
            Rows::InOrder { batches, current, used } => {
                let mut missing = n;
                while missing > 0 {
                    let left = current.as_ref().map_or(0, |batch| batch.n_rows - *used);
                    if left == 0 {
                        (*current, *used) = (batches.next().transpose()?, 0);
                        if current.is_none() {
                            return Err(unsound(self.new, "fewer rows than the head of the file says"));
                        }
                        continue;
                    }
                    let part = left.min(missing);
                    for (k, column) in columns.iter_mut().enumerate() {
                        let values = current.as_ref().map_or(&[][..], |batch| batch.numbers(k));
                        column.extend_from_slice(values.get(*used..*used + part).unwrap_or_default());
                    }
                    *used += part;
                    missing -= part;
                }
            }
        }
        Ok(columns)
    }

    /// Nothing may be left.
    fn end(&mut self) -> Result<()> {
        match &mut self.rows {
            Rows::ByKey(rows) => match rows.keys().min() {
                None => Ok(()),
                Some(least) => {
                    let found = format!("{} rows that database {} lacks, such as {least}", rows.len(), self.database);
                    Err(unmatched(self.new, &found))
                }
            },
            Rows::InOrder { batches, current, used } => {
                let own = current.as_ref().map_or(0, |batch| batch.n_rows - *used);
                let left = own + batches.next().transpose()?.map_or(0, |batch| batch.n_rows);
                if left == 0 { Ok(()) } else { Err(unsound(self.new, "more rows than the head of the file says")) }
            }
        }
    }
}

/// Something is wrong with the file of new columns.
fn problem(new: &NewColumns, rule: &rule::Rule, found: &str, expected: &str, hint: &str) -> Finding {
    let file = quote(&new.path.display().to_string());
    Finding::new(rule, format!("new columns {file}: {found}"), expected).hint(hint)
}

/// Rows that the key does not match.
fn unmatched(new: &NewColumns, found: &str) -> Findings {
    let key = if let Join::Key(key) = &new.join { quote(key) } else { String::new() };
    let hint = "number the events alike in both files, or leave --key out where rows have the same order";
    problem(new, &rule::EVENT_ROWS, found, &format!("each number of {key} once in both files"), hint).into()
}

/// The file is not what its name says, or damaged.
fn unsound(new: &NewColumns, found: &str) -> Findings {
    let kind = match new.media_type {
        MediaType::Parquet => "a sound Parquet file",
        MediaType::Arrow => "a sound Arrow file without compression",
    };
    let hint = "the file is read as its ending says: .parquet, or .arrow without compression";
    problem(new, &rule::EVENT_FORMAT, found, kind, hint).into()
}

fn by_key(
    new: &NewColumns,
    key: &str,
    batches: &mut dyn Iterator<Item = Result<Batch>>,
) -> Result<HashMap<i64, Vec<f64>>> {
    let mut rows = HashMap::new();
    for batch in batches {
        let batch = batch?;
        for (row, number) in batch.integers(new.names.len()).iter().enumerate() {
            let values = (0..new.names.len()).filter_map(|k| batch.numbers(k).get(row).copied()).collect();
            match rows.entry(*number) {
                Entry::Vacant(place) => place.insert(values),
                Entry::Occupied(_) => {
                    return Err(unmatched(new, &format!("{} = {number} in two rows", quote(key))));
                }
            };
        }
    }
    Ok(rows)
}

type Batches<'a> = Box<dyn Iterator<Item = Result<Batch>> + 'a>;

/// The number of rows and the checked batches of the file with the new columns.
fn batches<'a>(new: &'a NewColumns, wanted: Vec<Wanted>) -> Result<(u64, Batches<'a>)> {
    let file = File::open(new.path).map_err(|e| {
        let hint = "give the path of the file with the new columns";
        problem(new, &rule::EVENT_FILE, &e.to_string(), "a file that can be read", hint)
    })?;
    let described = match new.media_type {
        MediaType::Parquet => parquet_file::describe(&file),
        MediaType::Arrow => arrow_file::describe(&file),
    };
    let (n_rows, columns) = described.map_err(|e| unsound(new, &e))?;
    for column in &wanted {
        if let Some((found, expected)) = column.missing(&columns) {
            let hint = "write a column of this file behind the = of --term, and one of both files behind --key";
            return Err(problem(new, &rule::EVENT_COLUMN, &found, &expected, hint).into());
        }
    }
    let records = match new.media_type {
        MediaType::Parquet => parquet_file::records(file, Some(&wanted), GROUP_ROWS / 8),
        MediaType::Arrow => arrow_file::records(file, Some(&wanted)),
    };
    let records = records.map_err(|e| unsound(new, &e))?;
    let mut first_row = 0;
    let checked = records.map(move |records| {
        let records = records.map_err(|e| unsound(new, &e))?;
        let batch = Batch { first_row, ..Batch::from_arrow(&records, &wanted) };
        first_row += batch.n_rows as u64;
        match batch.problem(&wanted) {
            Some((rule, found, expected)) => Err(problem(new, rule, &found, expected, rule.hint).into()),
            None => Ok(batch),
        }
    });
    Ok((n_rows, Box::new(checked)))
}
