//! Where results go, and as what.

use super::CommandError;
use super::note;
use crate::report;
use crate::report::table::Page;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Options of every command that writes a result.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Form of the result [default: a table on a terminal, else JSON]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write the result to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    /// Tables as comma-separated values, all digits; remarks go to standard error
    Csv,
    /// Tables as LaTeX, rules of the package booktabs
    Latex,
}

impl OutputArgs {
    /// The form asked for, or the one that suits the reader.
    pub fn format(&self) -> Format {
        match (self.format, target(self.output_file.as_deref())) {
            (Some(format), _) => format,
            (None, None) if std::io::stdout().is_terminal() => Format::Table,
            (None, _) => Format::Json,
        }
    }

    /// Writes the result in the form asked for; `page` is called only where it is shown.
    pub fn write<T: Serialize + ?Sized>(&self, result: &T, page: impl FnOnce() -> Page) -> Result<(), CommandError> {
        let file = self.output_file.as_deref();
        match self.format() {
            Format::Json => write_json(result, file),
            Format::Table => write_bytes(page().text().as_bytes(), file),
            Format::Latex => write_bytes(page().latex().as_bytes(), file),
            Format::Csv => {
                let page = page();
                page.remark_lines().iter().for_each(|line| note(line));
                write_bytes(page.csv().as_bytes(), file)
            }
        }
    }
}

/// Writes a result as JSON, to standard output where no file is given.
pub fn write_json<T: Serialize + ?Sized>(result: &T, file: Option<&Path>) -> Result<(), CommandError> {
    let bytes = report::to_json(result).map_err(|e| CommandError::Message(format!("cannot write JSON: {e}")))?;
    write_bytes(&bytes, file)
}

/// Writes to a file, or to standard output where none is given or it is `-`.
pub fn write_bytes(bytes: &[u8], file: Option<&Path>) -> Result<(), CommandError> {
    let (written, name) = match target(file) {
        Some(path) => (std::fs::write(path, bytes), path.display().to_string()),
        None => {
            let mut stdout = std::io::stdout().lock();
            (stdout.write_all(bytes).and_then(|()| stdout.flush()), "standard output".to_owned())
        }
    };
    written.map_err(|e| match e.kind() {
        ErrorKind::BrokenPipe => CommandError::OutputClosed,
        _ => CommandError::Message(format!("cannot write {name}: {e}")),
    })
}

/// Results written one a line as they come, each line complete on disk before the next.
pub struct Lines {
    out: Box<dyn Write>,
    name: String,
}

impl Lines {
    /// Begins with the first `keep` bytes of a file that is there, or anew where `keep` is 0; standard output where no file
    /// is given.
    pub fn open(file: Option<&Path>, keep: u64) -> Result<Lines, CommandError> {
        let Some(path) = target(file) else {
            return Ok(Lines { out: Box::new(std::io::stdout()), name: "standard output".to_owned() });
        };
        let name = path.display().to_string();
        let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(keep == 0).open(path);
        let positioned = opened.and_then(|mut file| {
            file.set_len(keep)?;
            file.seek(SeekFrom::Start(keep))?;
            Ok(file)
        });
        match positioned {
            Ok(file) => Ok(Lines { out: Box::new(file), name }),
            Err(e) => Err(CommandError::Message(format!("cannot write {name}: {e}"))),
        }
    }

    pub fn write<T: Serialize + ?Sized>(&mut self, result: &T) -> Result<(), CommandError> {
        let written = serde_json::to_vec(result).map_err(std::io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.out.write_all(&line)?;
            self.out.flush()
        });
        written.map_err(|e| match e.kind() {
            ErrorKind::BrokenPipe => CommandError::OutputClosed,
            _ => CommandError::Message(format!("cannot write {}: {e}", self.name)),
        })
    }
}

fn target(file: Option<&Path>) -> Option<&Path> {
    file.filter(|path| *path != Path::new("-"))
}
