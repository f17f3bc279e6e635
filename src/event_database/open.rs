//! Where the file of a database is, and that it is the right one: path, sha256, number of rows, columns
//! (spec/event-database.md, "The file").

use super::columns::{Batch, Wanted};
use super::{arrow_file, parquet_file};
use crate::document::eft::{EventDatabase, MediaType};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule::{self, Rule};
use arrow_array::RecordBatch;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Most rows that a database may have.
pub const MOST_ROWS: u64 = 1_000_000_000;

/// Rows that are in memory at once, unless [`Database::batch_rows`] is set.
const BATCH_ROWS: usize = 16_384;

/// A file whose hash and number of rows are those of its declaration.
#[derive(Debug)]
pub struct Database {
    pub declaration: EventDatabase,
    /// JSON Pointer of the declaration.
    pub pointer: String,
    /// Rows that are in memory at once; results do not depend on it.
    pub batch_rows: usize,
    file: File,
    /// Names of the columns with their types, as messages show them.
    columns: Vec<(String, String)>,
}

/// The file of a `uri`: a relative path below the folder of the document.
pub fn path_of(uri: &str, folder: &Path) -> Result<PathBuf> {
    let refuse = |why: &str| {
        Err(Findings::from(Finding::new(&rule::EVENT_PATH, format!("{}: {why}", quote(uri)), "a relative path")))
    };
    if uri.is_empty() {
        return refuse("it is empty");
    }
    if uri.contains([':', '\\']) || uri.chars().any(char::is_control) {
        return refuse("it has a scheme, a drive, a backslash or a control character");
    }
    if uri.starts_with('/') {
        return refuse("it is absolute");
    }
    if uri.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("it has an empty part, . or ..");
    }
    Ok(uri.split('/').fold(folder.to_path_buf(), |path, part| path.join(part)))
}

/// The sha256 of all bytes of a file, in lower-case hexadecimal, read in pieces.
pub fn sha256(file: &mut File) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Database {
    /// Opens the file of a declaration and checks it; `pointer` is where the declaration stands in the document.
    pub fn open(declaration: &EventDatabase, folder: &Path, pointer: &str) -> Result<Database> {
        let at = |findings: Findings| Findings(findings.0.into_iter().map(|f| place(f, pointer)).collect());
        Database::open_unplaced(declaration, folder, pointer).map_err(at)
    }

    fn open_unplaced(declaration: &EventDatabase, folder: &Path, pointer: &str) -> Result<Database> {
        let path = path_of(&declaration.uri, folder)?;
        let unreadable = |error: &dyn std::fmt::Display| {
            Finding::new(&rule::EVENT_FILE, format!("{}: {error}", path.display()), "a file that can be read")
        };
        // A pipe would block on opening, so that its kind is asked before.
        let is_file = std::fs::metadata(&path).map_err(|e| unreadable(&e))?.is_file();
        if !is_file {
            return Err(unreadable(&"no regular file").into());
        }
        let mut file = File::open(&path).map_err(|e| unreadable(&e))?;
        let found = sha256(&mut file).map_err(|e| unreadable(&e))?;
        if !found.eq_ignore_ascii_case(&declaration.sha256) {
            let expected = format!("sha256 {}", quote(&declaration.sha256));
            return Err(
                Finding::new(&rule::EVENT_HASH, format!("sha256 {found} of {}", path.display()), expected).into()
            );
        }
        let (n_rows, columns) = match declaration.media_type {
            MediaType::Parquet => parquet_file::describe(&file),
            MediaType::Arrow => arrow_file::describe(&file),
        }
        .map_err(|error| damaged(declaration, &error))?;
        if n_rows != declaration.n_rows || n_rows == 0 || n_rows > MOST_ROWS {
            let expected = format!("{} as n_rows says, from 1 to {MOST_ROWS}", declaration.n_rows);
            return Err(Finding::new(&rule::EVENT_ROWS, format!("{n_rows} rows"), expected).into());
        }
        let (declaration, pointer) = (declaration.clone(), pointer.to_owned());
        Ok(Database { declaration, pointer, batch_rows: BATCH_ROWS, file, columns })
    }

    /// A finding about this database, placed at its declaration.
    pub fn finding(&self, rule: &Rule, found: impl Into<String>, expected: impl Into<String>) -> Finding {
        self.finding_of_use(rule, found, expected).at(self.pointer.clone())
    }

    /// A finding about the use that a sample makes of this database, without a place.
    pub fn finding_of_use(&self, rule: &Rule, found: impl Into<String>, expected: impl Into<String>) -> Finding {
        Finding::new(rule, format!("database {}: {}", quote(&self.declaration.name), found.into()), expected)
    }

    /// The names of all columns of the file, with their types.
    pub fn columns(&self) -> &[(String, String)] {
        &self.columns
    }

    /// Reads the wanted columns from the first row to the last, `batch_rows` at a time. Every value is present, and
    /// numbers are finite.
    pub fn read(&self, wanted: &[Wanted], mut visit: impl FnMut(&Batch) -> Result<()>) -> Result<()> {
        self.check_columns(wanted)?;
        let mut seen = 0;
        let mut stopped = None;
        let mut each = |batch: Batch| {
            let counted = Batch { first_row: seen, ..batch };
            seen += counted.n_rows as u64;
            let result = counted.check(self, wanted).and_then(|()| visit(&counted));
            result.map_err(|findings| stopped = Some(findings)).is_ok()
        };
        let file = self.file.try_clone().map_err(|e| self.finding(&rule::EVENT_FILE, e.to_string(), "an open file"))?;
        let done = match self.declaration.media_type {
            MediaType::Parquet => parquet_file::read(file, wanted, self.batch_rows.max(1), &mut each),
            MediaType::Arrow => arrow_file::read(file, wanted, self.batch_rows.max(1), &mut each),
        };
        if let Some(findings) = stopped {
            return Err(findings);
        }
        done.map_err(|error| self.finding(&rule::EVENT_FORMAT, error, "a sound file"))?;
        if seen != self.declaration.n_rows {
            let expected = format!("{} rows as the head of the file says", self.declaration.n_rows);
            return Err(self.finding(&rule::EVENT_FORMAT, format!("{seen} rows"), expected).into());
        }
        Ok(())
    }

    /// Hands out all columns as they are in the file, from the first row to the last, with the integers of a key column.
    pub(super) fn records(
        &self,
        key: Option<&Wanted>,
        mut visit: impl FnMut(&RecordBatch, &[i64]) -> Result<()>,
    ) -> Result<()> {
        let key = key.map(std::slice::from_ref).unwrap_or_default();
        self.check_columns(key)?;
        let file = self.file.try_clone().map_err(|e| self.finding(&rule::EVENT_FILE, e.to_string(), "an open file"))?;
        let records = match self.declaration.media_type {
            MediaType::Parquet => parquet_file::records(file, None, self.batch_rows.max(1)),
            MediaType::Arrow => arrow_file::records(file, None),
        };
        let damaged = |error: String| self.finding(&rule::EVENT_FORMAT, error, "a sound file");
        let mut seen = 0;
        for records in records.map_err(damaged)? {
            let records = records.map_err(damaged)?;
            let batch = Batch { first_row: seen, ..Batch::from_arrow(&records, key) };
            seen += batch.n_rows as u64;
            batch.check(self, key)?;
            visit(&records, batch.integers(0))?;
        }
        Ok(())
    }

    fn check_columns(&self, wanted: &[Wanted]) -> Result<()> {
        let mut findings = Findings::default();
        for column in wanted {
            if let Some((found, expected)) = column.missing(&self.columns) {
                findings.push(self.finding(&rule::EVENT_COLUMN, found, expected));
            }
        }
        if findings.is_valid() { Ok(()) } else { Err(findings) }
    }
}

fn damaged(declaration: &EventDatabase, error: &str) -> Finding {
    let kind = match declaration.media_type {
        MediaType::Parquet => "a sound Parquet file",
        MediaType::Arrow => "a sound Arrow file without compression",
    };
    Finding::new(&rule::EVENT_FORMAT, error, kind)
}

fn place(finding: Finding, pointer: &str) -> Finding {
    if finding.pointer.is_some() { finding } else { finding.at(pointer) }
}
