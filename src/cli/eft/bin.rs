//! `morphist eft bin`: a document whose histograms of events are written out.

use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::workspace::Workspace;
use crate::event_database::self_contained;
use crate::workspace::Scope;
use crate::workspace::validate;
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
        let mut value = self.reading.read(&self.workspace)?.value().map_err(fail)?;
        let beside = self.workspace.parent().unwrap_or(Path::new("")).to_path_buf();
        let published = self_contained(&mut value, self.folder.as_ref().unwrap_or(&beside)).map_err(fail)?;
        if published.is_empty() {
            return Err(CommandError::Usage(format!("{name} has no sample with eft_events")));
        }
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let findings = validate::check(&workspace, &Scope { compat: self.reading.compat(), ..Scope::default() });
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        for sample in &published {
            let (flow, place) = (sample.flow, format!("channel {}, sample {}", sample.channel, sample.sample));
            note(&format!(
                "{place}: {} rows, {} of other channels, {} cut, {} below and {} above the edges, {} in bins ({} events)",
                flow.rows, flow.other_channels, flow.cut, flow.underflow, flow.overflow, flow.binned, sample.n_events
            ));
            warn(&name, &sample.warnings);
        }
        write_json(&value, self.output_file.as_deref())
    }
}
