//! Arrow files (IPC file format, uncompressed), one record batch in memory at a time.

use super::columns::{Batch, Wanted};
use super::parquet_file::Records;
use super::quiet::without_panic;
use arrow_ipc::reader::{FileReader, read_footer_length};
use arrow_ipc::root_as_footer;
use arrow_schema::ArrowError;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Length of the footer's length and the magic word at the end of a file.
const TRAILER: usize = 10;

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
    for records in records(file, Some(wanted))? {
        let records = records?;
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

/// The wanted columns, or all, as they are in the file and in its parts.
pub fn records(file: File, wanted: Option<&[Wanted]>) -> Result<Records> {
    let schema = open(file.try_clone().map_err(|e| e.to_string())?, None)?.schema();
    let fields = schema.fields().iter().enumerate();
    let takes = |name: &String| wanted.is_none_or(|wanted| wanted.iter().any(|w| w.name == *name));
    let projection = fields.filter(|(_, f)| takes(f.name())).map(|(i, _)| i).collect();
    let mut reader = open(file, Some(projection))?;
    Ok(Box::new(std::iter::from_fn(move || named(without_panic(|| reader.next().transpose())).transpose())))
}

fn open(file: File, projection: Option<Vec<usize>>) -> Result<FileReader<BufReader<File>>> {
    without_panic(|| check_sizes(&file))??;
    named(without_panic(|| FileReader::try_new_buffered(file, projection)))
}

/// The footer and the parts of the file that it lists lie inside of the file: the reader takes memory for them before
/// it finds them missing.
fn check_sizes(mut file: &File) -> Result<()> {
    let length = file.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
    let mut trailer = [0; TRAILER];
    let start = length.checked_sub(TRAILER as u64).ok_or("the file is shorter than an Arrow file can be")?;
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut trailer)).map_err(|e| e.to_string())?;
    let footer_length = read_footer_length(trailer).map_err(|e| e.to_string())?;
    let start = start.checked_sub(footer_length as u64).ok_or("the footer is longer than the file")?;
    let mut footer = vec![0; footer_length];
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut footer)).map_err(|e| e.to_string())?;
    let footer = root_as_footer(&footer).map_err(|e| e.to_string())?;
    let blocks = footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    for block in blocks {
        let parts = [block.offset(), i64::from(block.metaDataLength()), block.bodyLength()];
        let end = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(u64::try_from(*part).ok()?));
        if end.is_none_or(|end| end > start) {
            return Err("a part of the file lies beyond its end".to_owned());
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    Ok(())
}

fn named<T>(result: std::result::Result<std::result::Result<T, ArrowError>, String>) -> Result<T> {
    result?.map_err(|error| error.to_string())
}
