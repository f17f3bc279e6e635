//! `morphist eft strip`: the plain workspace, and the extension as a patch.

use super::edit_args::{EditArgs, fail};
use crate::cli::input_args::file_name;
use crate::cli::output::{write_bytes, write_json};
use crate::cli::source::extension_value;
use crate::cli::{CommandError, CommandResult, warn};
use crate::document::hs3::is_hs3;
use crate::document::{Document, Kind, extension};
use crate::report;
use crate::workspace::validate;
use clap::Args;
use std::path::{Path, PathBuf};

/// Write the workspace without the EFT extension, byte for byte the same elsewhere
#[derive(Args, Debug)]
pub struct Strip {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Write the extension to FILE, as a JSON Patch that brings it back
    #[arg(long, value_name = "FILE")]
    pub extension: Option<PathBuf>,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Strip {
    pub fn run(&self) -> CommandResult {
        if self.extension.as_deref() == Some(Path::new("-")) && self.edit.output_file.is_none() {
            let message = "the plain workspace and the extension cannot both go to standard output";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let mut document = self.edit.reading.read(&self.workspace)?;
        let name = file_name(&self.workspace);
        let fail = fail(&self.workspace);
        if is_hs3(&document) {
            // The workspace that the file holds has no text of its own.
            let text = report::to_json(&extension_value(&document, &self.workspace)?);
            let text = text.map_err(|e| CommandError::Message(format!("cannot write JSON: {e}")))?;
            document = Document::from_slice(name.clone(), text, document.limits()).map_err(fail)?;
        }
        let plain = extension::strip(&document.text);
        let read = Document::from_slice(name.clone(), plain.clone().into_bytes(), document.limits()).map_err(fail)?;
        let (_, findings) = validate(&read, Some(Kind::Workspace), &self.edit.scope());
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        if let Some(path) = &self.extension {
            write_json(&extension::attach(&document.value().map_err(fail)?), Some(path))?;
        }
        write_bytes(plain.as_bytes(), self.edit.output_file.as_deref())
    }
}
