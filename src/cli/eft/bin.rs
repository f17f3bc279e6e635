//! `morphist eft bin`: a document whose histograms of events are written out.

use super::edit_args::{EditArgs, fail};
use crate::cli::input_args::file_name;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::event_database::self_contained;
use clap::Args;
use std::path::{Path, PathBuf};

/// Sum the events of a document's databases into polynomials and write a document that needs no databases
///
/// Samples whose events are to be binned may have any data: these are set to the yields at the reference.
#[derive(Args, Debug)]
pub struct Bin {
    /// Workspace, gzipped or not
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Where the databases lie [default: the folder of the workspace]
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Bin {
    pub fn run(&self) -> CommandResult {
        let (name, mut value) = (file_name(&self.workspace), self.edit.read(&self.workspace)?);
        let beside = self.workspace.parent().unwrap_or(Path::new("")).to_path_buf();
        let published =
            self_contained(&mut value, self.folder.as_ref().unwrap_or(&beside)).map_err(fail(&self.workspace))?;
        if published.is_empty() {
            return Err(CommandError::Usage(format!("{name} has no sample with eft_events")));
        }
        self.edit.check(&self.workspace, &value)?;
        for sample in &published {
            let (flow, place) = (sample.flow, format!("channel {}, sample {}", sample.channel, sample.sample));
            note(&format!(
                "{place}: {} rows, {} of other channels, {} cut, {} below and {} above the edges, {} in bins ({} events)",
                flow.rows, flow.other_channels, flow.cut, flow.underflow, flow.overflow, flow.binned, sample.n_events
            ));
            warn(&name, &sample.warnings);
        }
        self.edit.write(&value)
    }
}
