//! Arrow files (IPC file format, uncompressed), one record batch in memory at a time.

use super::columns::{Batch, Wanted};
use super::quiet::without_panic;
use arrow_ipc::reader::FileReader;
use arrow_schema::ArrowError;
use std::fs::File;
use std::io::BufReader;

type Result<T> = std::result::Result<T, String>;

/// The number of rows, and the columns with their types. The footer does not tell the rows: all batches are read, but
/// none of their columns decoded.
pub fn describe(file: &File) -> Result<(u64, Vec<(String, String)>)> {
    let reader = open(file.try_clone().map_err(|e| e.to_string())?, None)?;
    let columns = reader.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect();
    drop(reader);
    let mut rows = 0;
    let mut reader = open(file.try_clone().map_err(|e| e.to_string())?, Some(Vec::new()))?;
    while let Some(records) = named(without_panic(|| reader.next().transpose()))? {
        rows += records.num_rows() as u64;
    }
    Ok((rows, columns))
}

/// Hands out the wanted columns batch by batch until there are no more or `each` says to stop.
pub fn read(file: File, wanted: &[Wanted], batch_rows: usize, each: &mut dyn FnMut(Batch) -> bool) -> Result<()> {
    let schema = open(file.try_clone().map_err(|e| e.to_string())?, None)?.schema();
    let fields = schema.fields().iter().enumerate();
    let projection = fields.filter(|(_, f)| wanted.iter().any(|w| w.name == *f.name())).map(|(i, _)| i).collect();
    let mut reader = open(file, Some(projection))?;
    while let Some(records) = named(without_panic(|| reader.next().transpose()))? {
        let mut first = 0;
        while first < records.num_rows() {
            let n = batch_rows.min(records.num_rows() - first);
            let part = without_panic(|| Batch::from_arrow(&records.slice(first, n), wanted))?;
            if !each(part) {
                return Ok(());
            }
            first += n;
        }
    }
    Ok(())
}

fn open(file: File, projection: Option<Vec<usize>>) -> Result<FileReader<BufReader<File>>> {
    named(without_panic(|| FileReader::try_new_buffered(file, projection)))
}

fn named<T>(result: std::result::Result<std::result::Result<T, ArrowError>, String>) -> Result<T> {
    result?.map_err(|error| error.to_string())
}
