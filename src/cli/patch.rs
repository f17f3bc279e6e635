//! `morphist patch`: the document with patches applied.

use super::CommandResult;
use super::input_args::{InputArgs, file_name};
use super::output::write_json;
use super::shim::workspace;
use super::{CommandError, warn};
use clap::Args;
use std::path::PathBuf;

/// Apply patches, or one point of a patchset, and write the workspace
#[derive(Args, Debug)]
pub struct Patch {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    #[command(flatten)]
    pub input: InputArgs,
    /// Write the workspace to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

impl Patch {
    pub fn run(&self) -> CommandResult {
        if self.input.is_unpatched() {
            return Err(CommandError::Usage("give --patch FILE, or --patchset FILE --name NAME".to_owned()));
        }
        let mut document = self.input.reading.read(&self.workspace)?;
        let patches = self.input.read_patches(&document)?;
        let name = file_name(&self.workspace);
        for patch in &patches {
            patch.apply(&mut document.value).map_err(|f| CommandError::input(&name, f))?;
        }
        let value = document.value.clone();
        let loaded = workspace::load(document, &[], &self.input.scope()).map_err(|f| CommandError::input(&name, f))?;
        warn(&name, &loaded.warnings);
        write_json(&value, self.output_file.as_deref())
    }
}
