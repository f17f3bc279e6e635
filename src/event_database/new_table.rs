//! Files of columns for unbinned terms (spec/unbinned.md, "Tables"): written, and described for a document.

use super::append::{finish, properties, unwritable};
use super::open::sha256;
use super::{arrow_file, parquet_file};
use crate::document::eft::MediaType;
use crate::finding::{Finding, Result};
use crate::rule;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// What a document says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub sha256: String,
    pub media_type: MediaType,
    pub n_rows: u64,
}

/// Writes columns, of as many numbers each, to a Parquet file; one that is there already is replaced only once the new
/// one is complete.
///
/// # Errors
/// `InvalidEventDatabase` where it cannot be written.
pub fn write_table(columns: &[(String, Vec<f64>)], output: &Path) -> Result<Described> {
    let fields = columns.iter().map(|(name, _)| Field::new(name, DataType::Float64, false));
    let arrays = columns.iter().map(|(_, values)| Arc::new(Float64Array::from(values.clone())) as ArrayRef);
    let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
    let partial = output.with_extension("partial");
    let write = || -> std::result::Result<(), String> {
        let batch = RecordBatch::try_new(schema.clone(), arrays.collect()).map_err(|e| e.to_string())?;
        let file = File::create(&partial).map_err(|e| e.to_string())?;
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties())).map_err(|e| e.to_string())?;
        writer.write(&batch).map_err(|e| e.to_string())?;
        writer.close().map(|_| ()).map_err(|e| e.to_string())
    };
    let written = write().map_err(|e| unwritable(output, &e).into()).and_then(|()| finish(&partial, output));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    let n_rows = columns.first().map_or(0, |(_, values)| values.len() as u64);
    written.map(|sha256| Described { sha256, media_type: MediaType::Parquet, n_rows })
}

/// A file that is a table already.
///
/// # Errors
/// `InvalidEventDatabase` where it cannot be read, or is of another format.
pub fn describe_table(path: &Path, media_type: MediaType) -> Result<Described> {
    let unreadable = |e: std::io::Error| Finding::new(&rule::EVENT_FILE, e.to_string(), "a file that can be read");
    let file = File::open(path).map_err(unreadable)?;
    let described = match media_type {
        MediaType::Parquet => parquet_file::describe(&file),
        MediaType::Arrow => arrow_file::describe(&file),
    };
    let unsound = |e: String| Finding::new(&rule::EVENT_FORMAT, e, "a sound file of the format that its name says");
    let (n_rows, _) = described.map_err(unsound)?;
    let sha256 = sha256(&mut File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    Ok(Described { sha256, media_type, n_rows })
}
