//! Options of the commands that evaluate a document with the EFT extension.

use crate::cli::CommandError;
use crate::cli::input_args::InputArgs;
use crate::cli::model_args::{ModelArgs, Prepared};
use crate::cli::output::OutputArgs;
use clap::Args;
use std::path::Path;

/// How a document is read, what model it becomes, and where the result goes.
#[derive(Args, Clone, Debug)]
pub struct DocumentArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl DocumentArgs {
    /// As [`ModelArgs::prepare`], of a workspace or of an HS3 file that holds an EFT document.
    pub fn prepare(&self, workspace: &Path) -> Result<Prepared, CommandError> {
        self.model.prepare_by(workspace, &self.input, InputArgs::load_extension)
    }
}
