//! Copies of Parquet databases as Arrow files, which are read without decoding (spec/event-database.md, "Copies at
//! home").

use super::append::{finish, unwritable};
use super::open::Database;
use crate::document::eft::MediaType;
use crate::finding::Result;
use arrow_ipc::writer::FileWriter;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes an Arrow copy of each Parquet database of a document to `output`, named by the hash of its source, and
/// changes the document to them. Gives back how many there are.
pub fn arrow_copies(document: &mut Value, folder: &Path, output: &Path) -> Result<usize> {
    let eft = super::publish::block(document)?;
    let parquet = |d: &&crate::document::eft::EventDatabase| d.media_type == MediaType::Parquet;
    let n_copies = eft.event_databases.iter().filter(parquet).count();
    for (i, declaration) in eft.event_databases.iter().enumerate().filter(|(_, d)| parquet(d)) {
        let pointer = format!("/eft/event_databases/{i}");
        let database = Database::open(declaration, folder, &pointer)?;
        let name = format!("{}.arrow", declaration.sha256.to_ascii_lowercase());
        let sha256 = write(&database, &output.join(&name))?;
        if let Some(own) = document.pointer_mut(&pointer) {
            own["uri"] = json!(name);
            own["sha256"] = json!(sha256);
            own["media_type"] = json!(MediaType::Arrow);
        }
    }
    Ok(n_copies)
}

fn write(database: &Database, output: &Path) -> Result<String> {
    let partial = output.with_extension("partial");
    let result = write_to(database, &partial).and_then(|()| finish(&partial, output));
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    result
}

fn write_to(database: &Database, path: &Path) -> Result<()> {
    let mut writer: Option<FileWriter<BufWriter<File>>> = None;
    database.records(None, |records, _| {
        if writer.is_none() {
            let file = File::create(path).map_err(|e| unwritable(path, &e))?;
            let made = FileWriter::try_new_buffered(file, &records.schema());
            writer = Some(made.map_err(|e| unwritable(path, &e))?);
        }
        writer.as_mut().map_or(Ok(()), |w| w.write(records)).map_err(|e| unwritable(path, &e).into())
    })?;
    writer.as_mut().map_or(Ok(()), FileWriter::finish).map_err(|e| unwritable(path, &e).into())
}
