//! `morphist eft cache`: copies of databases that are read faster.

use crate::cli::input_args::{ReadingArgs, file_name, folder_of};
use crate::cli::output::write_json;
use crate::cli::source::extension_value;
use crate::cli::{CommandError, CommandResult, note};
use crate::event_database::arrow_copies;
use clap::Args;
use std::path::PathBuf;

/// Copy the Parquet databases of a document to uncompressed Arrow files, and write a document that uses the copies
///
/// Copies are named by the sha256 of their source and lie in the folder of the new document.
#[derive(Args, Debug)]
pub struct Cache {
    /// Workspace, gzipped or not
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Write the new document to FILE
    #[arg(long, value_name = "FILE")]
    pub output_file: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Cache {
    pub fn run(&self) -> CommandResult {
        let name = file_name(&self.workspace);
        let fail = |findings| CommandError::input(&name, findings);
        let mut value = extension_value(&self.reading.read(&self.workspace)?, &self.workspace)?;
        let n = arrow_copies(&mut value, folder_of(&self.workspace), folder_of(&self.output_file)).map_err(fail)?;
        if n == 0 {
            return Err(CommandError::Message(format!("{name}: its event databases are Arrow files already")));
        }
        note(&format!("{n} databases copied"));
        write_json(&value, Some(&self.output_file))
    }
}
