//! `morphist eft bin`: a document whose histograms of events are written out.

use super::edit_args::{EditArgs, fail};
use super::in_words;
use crate::cli::input_args::{file_name, folder_of};
use crate::cli::source::extension_value;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::position;
use crate::event_database::self_contained;
use clap::Args;
use std::path::PathBuf;

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
        let (name, fail) = (file_name(&self.workspace), fail(&self.workspace));
        let document = self.edit.reading.read(&self.workspace)?;
        let mut value = extension_value(&document, &self.workspace)?;
        let text = document.text;
        let folder = self.folder.as_deref().unwrap_or(folder_of(&self.workspace));
        let published = self_contained(&mut value, folder).map_err(|mut findings| {
            position::resolve(&text, &mut findings);
            fail(findings)
        })?;
        if published.is_empty() {
            return Err(CommandError::Message(format!(
                "{name} has no sample with eft_events: nothing is to be summed"
            )));
        }
        self.edit.check(&self.workspace, &value)?;
        for sample in &published {
            let place = format!("channel {}, sample {}", sample.channel, sample.sample);
            note(&format!("{place}: {} ({} events)", in_words(&sample.flow), sample.n_events));
            let mut warnings = sample.warnings.clone();
            position::resolve(&text, &mut warnings);
            warn(&name, &warnings);
        }
        self.edit.write(&value)
    }
}
