//! Reading a workspace and writing it changed, or the change: the same in every command that changes one.

use super::input_args::{ReadingArgs, file_name};
use super::output::write_json;
use super::source::no_hs3;
use super::{CommandError, CommandResult, warn};
use crate::document::Document;
use crate::document::hs3::is_hs3;
use crate::finding::Findings;
use crate::workspace::edit::Edited;
use clap::Args;
use std::path::PathBuf;

/// Input and output of a command that changes a workspace.
#[derive(Args, Clone, Debug)]
pub struct ChangeArgs {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Write a JSON Patch of the change instead of the changed workspace
    #[arg(long)]
    pub json_patch: bool,
    /// Write the result to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl ChangeArgs {
    /// The document; no HS3.
    pub fn read(&self, command: &str) -> Result<Document, CommandError> {
        let document = self.reading.read(&self.workspace)?;
        if is_hs3(&document) { Err(no_hs3(command, &self.workspace)) } else { Ok(document) }
    }

    pub fn fail(&self, findings: Findings) -> CommandError {
        CommandError::input(&file_name(&self.workspace), findings)
    }

    /// Writes the workspace, or the patch; warnings go to stderr.
    pub fn write(&self, edited: &Edited) -> CommandResult {
        warn(&file_name(&self.workspace), &edited.warnings);
        let file = self.output_file.as_deref();
        if self.json_patch { write_json(&edited.patch, file) } else { write_json(&edited.document, file) }
    }
}
