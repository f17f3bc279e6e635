//! `morphist eft rescale`: another normalisation of a sample.

use super::edit_args::EditArgs;
use crate::cli::input_args::file_name;
use crate::cli::model_args::positive;
use crate::cli::{CommandError, CommandResult, note};
use crate::workspace::rescale::rescale;
use clap::Args;
use std::path::PathBuf;

/// Multiply the prediction of a sample, as with a new k-factor; selection, shapes and relative uncertainties stay
#[derive(Args, Debug)]
pub struct Rescale {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Name of the sample
    #[arg(long, value_name = "NAME")]
    pub sample: String,
    /// In this channel only [default: in all]
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// New prediction over old
    #[arg(long, value_name = "X", value_parser = positive)]
    pub factor: f64,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Rescale {
    pub fn run(&self) -> CommandResult {
        let (name, mut value) = (file_name(&self.workspace), self.edit.read(&self.workspace)?);
        let n =
            rescale(&mut value, self.channel.as_deref(), &self.sample, self.factor).map_err(CommandError::Message)?;
        if n == 0 {
            return Err(CommandError::Usage(format!("{name} has no such sample: {}", self.sample)));
        }
        self.edit.check(&self.workspace, &value)?;
        note(&format!("sample {} multiplied by {:?} in {n} channels", self.sample, self.factor));
        self.edit.write(&value)
    }
}
