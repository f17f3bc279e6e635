//! New columns beside the old ones: a database that knows more operators (spec/event-database.md, "Adding columns").

use super::columns::{Batch, Kind, Wanted};
use super::open::{Database, sha256};
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
/// order of rows; a file that is there already is replaced only once the new one is complete.
pub fn append(database: &Database, new: &NewColumns, output: &Path) -> Result<Appended> {
    for (i, name) in new.names.iter().enumerate() {
        if database.columns().iter().any(|(own, _)| own == name) || new.names.iter().take(i).any(|own| own == name) {
            let found = format!("a new column {}", quote(name));
            return Err(database.finding_of_use(&rule::EVENT_COLUMN, found, "a name that is not taken").into());
        }
    }
    let partial = output.with_extension("partial");
    let result = write(database, new, &partial).and_then(|()| finish(&partial, output));
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    result.map(|sha256| Appended { sha256, n_rows: database.declaration.n_rows })
}

/// Puts a complete file in its place, and gives back its hash.
pub fn finish(partial: &Path, output: &Path) -> Result<String> {
    let hash = File::open(partial).and_then(|mut file| sha256(&mut file)).map_err(|e| unwritable(output, &e))?;
    std::fs::rename(partial, output).map_err(|e| unwritable(output, &e))?;
    Ok(hash)
}

fn write(database: &Database, new: &NewColumns, path: &Path) -> Result<()> {
    let mut source = Source::new(new)?;
    let key = match &new.join {
        Join::Row => None,
        Join::Key(name) => Some(Wanted { name: name.clone(), kind: Kind::Integer }),
    };
    let mut writer: Option<ArrowWriter<File>> = None;
    database.records(key.as_ref(), |records, keys| {
        let columns = source.take(records.num_rows(), keys)?;
        let joined = joined(&records, new.names, columns).map_err(|e| unwritable(path, &e))?;
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

fn properties() -> WriterProperties {
    // Weights do not repeat, so that a dictionary would only cost time.
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build()
}

fn joined(records: &RecordBatch, names: &[String], columns: Vec<Vec<f64>>) -> std::result::Result<RecordBatch, String> {
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

/// Where the new columns come from.
struct Source<'a> {
    new: &'a NewColumns<'a>,
    rows: Rows,
}

enum Rows {
    /// Batches as they come, and how far the first is used.
    InOrder { batches: Box<dyn Iterator<Item = Result<Batch>>>, current: Option<Batch>, used: usize },
    /// The numbers of each key.
    ByKey(HashMap<i64, Vec<f64>>),
}

impl<'a> Source<'a> {
    fn new(new: &'a NewColumns<'a>) -> Result<Source<'a>> {
        let mut wanted: Vec<Wanted> = new.names.iter().map(|name| Wanted::number(name)).collect();
        if let Join::Key(name) = &new.join {
            wanted.push(Wanted { name: name.clone(), kind: Kind::Integer });
        }
        let mut batches = batches(new, wanted)?;
        let rows = match new.join {
            Join::Row => Rows::InOrder { batches, current: None, used: 0 },
            Join::Key(_) => Rows::ByKey(by_key(new, &mut batches)?),
        };
        Ok(Source { new, rows })
    }

    /// The new columns of the next `n` rows, or of rows with these keys.
    fn take(&mut self, n: usize, keys: &[i64]) -> Result<Vec<Vec<f64>>> {
        let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(n); self.new.names.len()];
        match &mut self.rows {
            Rows::ByKey(rows) => {
                for key in keys {
                    let Some(values) = rows.remove(key) else {
                        let found = format!("event {key}, which is missing or was taken by an earlier row");
                        return Err(problem(self.new, &found, "each event once in both files"));
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
                            return Err(problem(self.new, "fewer rows than the database", "as many rows"));
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
        let left = match &mut self.rows {
            Rows::ByKey(rows) => rows.len(),
            Rows::InOrder { batches, current, used } => {
                let own = current.as_ref().map_or(0, |batch| batch.n_rows - *used);
                own + batches.next().transpose()?.map_or(0, |batch| batch.n_rows)
            }
        };
        if left == 0 { Ok(()) } else { Err(problem(self.new, "more rows than the database", "as many rows")) }
    }
}

fn problem(new: &NewColumns, found: &str, expected: &str) -> Findings {
    let file = quote(&new.path.display().to_string());
    let hint = "each row of the database needs its new values: match rows by a key where their order differs";
    Finding::new(&rule::EVENT_ROWS, format!("new columns {file}: {found}"), expected).hint(hint).into()
}

fn by_key(new: &NewColumns, batches: &mut dyn Iterator<Item = Result<Batch>>) -> Result<HashMap<i64, Vec<f64>>> {
    let mut rows = HashMap::new();
    for batch in batches {
        let batch = batch?;
        for (row, key) in batch.integers(new.names.len()).iter().enumerate() {
            let values = (0..new.names.len()).filter_map(|k| batch.numbers(k).get(row).copied()).collect();
            match rows.entry(*key) {
                Entry::Vacant(place) => place.insert(values),
                Entry::Occupied(_) => {
                    return Err(problem(new, &format!("event {key} twice"), "each event once in both files"));
                }
            };
        }
    }
    Ok(rows)
}

/// The checked batches of the file with the new columns.
fn batches(new: &NewColumns, wanted: Vec<Wanted>) -> Result<Box<dyn Iterator<Item = Result<Batch>>>> {
    let name = quote(&new.path.display().to_string());
    let about = move |rule: &rule::Rule, found: &str, expected: &str| {
        Findings::from(Finding::new(rule, format!("new columns {name}: {found}"), expected))
    };
    let file = File::open(new.path).map_err(|e| about(&rule::EVENT_FILE, &e.to_string(), "a file that can be read"))?;
    let described = match new.media_type {
        MediaType::Parquet => parquet_file::describe(&file),
        MediaType::Arrow => arrow_file::describe(&file),
    };
    let (_, columns) = described.map_err(|e| about(&rule::EVENT_FORMAT, &e, "a sound file"))?;
    for column in &wanted {
        if columns.iter().filter(|(name, _)| *name == column.name).count() != 1 {
            let found = format!("no column {}, or several", quote(&column.name));
            return Err(about(&rule::EVENT_COLUMN, &found, "one column of this name"));
        }
    }
    let records = match new.media_type {
        MediaType::Parquet => parquet_file::records(file, Some(&wanted), GROUP_ROWS / 8),
        MediaType::Arrow => arrow_file::records(file, Some(&wanted)),
    };
    let records = records.map_err(|e| about(&rule::EVENT_FORMAT, &e, "a sound file"))?;
    let mut first_row = 0;
    Ok(Box::new(records.map(move |records| {
        let records = records.map_err(|e| about(&rule::EVENT_FORMAT, &e, "a sound file"))?;
        let batch = Batch { first_row, ..Batch::from_arrow(&records, &wanted) };
        first_row += batch.n_rows as u64;
        match batch.problem(&wanted) {
            Some((rule, found, expected)) => Err(about(rule, &found, expected)),
            None => Ok(batch),
        }
    })))
}
