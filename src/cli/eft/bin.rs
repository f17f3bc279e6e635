//! `morphist eft bin`: a document whose histograms of events are written out.

use super::in_words;
use crate::cli::input_args::{ReadingArgs, file_name, folder_of};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::position;
use crate::document::workspace::Workspace;
use crate::event_database::self_contained;
use crate::workspace::Scope;
use crate::workspace::validate;
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
    /// Write the document to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Bin {
    pub fn run(&self) -> CommandResult {
        let name = file_name(&self.workspace);
        let fail = |findings| CommandError::input(&name, findings);
        let document = self.reading.read(&self.workspace)?;
        let mut value = document.value().map_err(fail)?;
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
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let findings = validate::check(&workspace, &Scope { compat: self.reading.compat(), ..Scope::default() });
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        for sample in &published {
            let place = format!("channel {}, sample {}", sample.channel, sample.sample);
            note(&format!("{place}: {} ({} events)", in_words(&sample.flow), sample.n_events));
            let mut warnings = sample.warnings.clone();
            position::resolve(&text, &mut warnings);
            warn(&name, &warnings);
        }
        write_json(&value, self.output_file.as_deref())
    }
}
