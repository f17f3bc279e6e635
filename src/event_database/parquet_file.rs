//! Parquet files, one page of each wanted column in memory at a time.

use super::columns::{Batch, Wanted};
use super::quiet::without_panic;
use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::Result;
use std::fs::File;

/// Parts of a file, or why there are no more.
pub type Records = Box<dyn Iterator<Item = std::result::Result<RecordBatch, String>>>;

/// The number of rows, and the columns with their types.
pub fn describe(file: &File) -> std::result::Result<(u64, Vec<(String, String)>), String> {
    named(without_panic(|| {
        let builder = builder(file.try_clone()?)?;
        let rows =
            builder.metadata().row_groups().iter().try_fold(0u64, |sum, group| {
                u64::try_from(group.num_rows()).ok().and_then(|rows| sum.checked_add(rows))
            });
        let rows = rows.ok_or_else(|| error("an impossible number of rows"))?;
        let fields = builder.schema().fields().iter();
        Ok((rows, fields.map(|f| (f.name().clone(), f.data_type().to_string())).collect()))
    }))
}

/// Hands out the wanted columns batch by batch until there are no more or `each` says to stop.
pub fn read(
    file: File,
    wanted: &[Wanted],
    batch_rows: usize,
    each: &mut dyn FnMut(Batch) -> bool,
) -> std::result::Result<(), String> {
    for records in records(file, Some(wanted), batch_rows)? {
        let records = records?;
        if !each(without_panic(|| Batch::from_arrow(&records, wanted))?) {
            return Ok(());
        }
    }
    Ok(())
}

/// The wanted columns, or all, as they are in the file, at most `batch_rows` at a time.
pub fn records(file: File, wanted: Option<&[Wanted]>, batch_rows: usize) -> std::result::Result<Records, String> {
    let mut reader = named(without_panic(|| {
        let builder = builder(file)?;
        let fields = builder.schema().fields().iter().enumerate();
        let takes = |name: &String| wanted.is_none_or(|wanted| wanted.iter().any(|w| w.name == *name));
        let roots: Vec<usize> = fields.filter(|(_, f)| takes(f.name())).map(|(i, _)| i).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder.with_projection(mask).with_batch_size(batch_rows).build()
    }))?;
    Ok(Box::new(std::iter::from_fn(move || {
        let next = without_panic(|| reader.next().transpose().map_err(|e| e.to_string()));
        next.and_then(|result| result).transpose()
    })))
}

/// The types of the file itself count, not those of another format that its writer may have noted.
fn builder(file: File) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
}

fn error(text: &str) -> parquet::errors::ParquetError {
    parquet::errors::ParquetError::General(text.to_owned())
}

fn named<T>(result: std::result::Result<Result<T>, String>) -> std::result::Result<T, String> {
    result?.map_err(|error| error.to_string())
}
