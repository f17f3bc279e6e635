//! `morphist eft promote`: a background that depends on operators.

use super::in_words;
use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::workspace::Workspace;
use crate::event_database::{Promotion, promote};
use crate::workspace::{Scope, validate};
use clap::Args;
use std::path::{Path, PathBuf};

/// Give a background the EFT response of its events; its yields, systematics and the old likelihood stay
#[derive(Args, Debug)]
pub struct Promote {
    /// Workspace, gzipped or not
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// `{"database": …, "histogram": …}`, and `"eft": …` where the workspace has no such block
    #[arg(value_name = "EVENTS")]
    pub events: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub channel: String,
    #[arg(long, value_name = "NAME")]
    pub sample: String,
    /// Write the document to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Promote {
    pub fn run(&self) -> CommandResult {
        let (name, events) = (file_name(&self.workspace), file_name(&self.events));
        let fail = |findings| CommandError::input(&name, findings);
        let fail_events = |findings| CommandError::input(&events, findings);
        let mut value = self.reading.read(&self.workspace)?.value().map_err(fail)?;
        let written = self.reading.read(&self.events)?.value().map_err(fail_events)?;
        let promotion = Promotion::read(&written).map_err(fail_events)?;
        let folder = self.events.parent().unwrap_or(Path::new(""));
        let promoted = promote(&mut value, folder, &self.channel, &self.sample, &promotion).map_err(fail_events)?;
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let findings = validate::check(&workspace, &Scope { compat: self.reading.compat(), ..Scope::default() });
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        warn(&events, &promoted.warnings);
        let place = format!("channel {}, sample {}", self.channel, self.sample);
        note(&format!("{place}: {}", in_words(&promoted.flow)));
        write_json(&value, self.output_file.as_deref())
    }
}
