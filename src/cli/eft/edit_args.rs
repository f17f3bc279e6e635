//! What commands share that read a document and write a changed one.

use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::source::extension_value;
use crate::cli::{CommandError, CommandResult, warn};
use crate::document::workspace::Workspace;
use crate::finding::Findings;
use crate::workspace::{Scope, validate};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Options of every command that writes a changed document.
#[derive(Args, Clone, Debug)]
pub struct EditArgs {
    /// Write the document to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What is wrong with a file.
pub fn fail(path: &Path) -> impl Fn(Findings) -> CommandError + Copy {
    move |findings| CommandError::input(&file_name(path), findings)
}

impl EditArgs {
    /// A document as it stands in its file; the workspace that an HS3 file holds.
    pub fn read(&self, path: &Path) -> Result<Value, CommandError> {
        extension_value(&self.reading.read(path)?, path)
    }

    /// Validates what a document has become; warnings are told under the name of its file.
    pub fn check(&self, path: &Path, value: &Value) -> CommandResult {
        let workspace = Workspace::from_value(value).map_err(fail(path))?;
        let findings = validate::check(&workspace, &self.scope());
        if !findings.is_valid() {
            return Err(fail(path)(findings));
        }
        warn(&file_name(path), &findings);
        Ok(())
    }

    /// The rules for all measurements.
    pub fn scope(&self) -> Scope {
        Scope { compat: self.reading.compat(), ..Scope::default() }
    }

    pub fn write(&self, value: &Value) -> CommandResult {
        write_json(value, self.output_file.as_deref())
    }
}
