//! `morphist eft promote`: a background that depends on operators.

use super::edit_args::{EditArgs, fail};
use super::in_words;
use crate::cli::input_args::file_name;
use crate::cli::{CommandResult, note, warn};
use crate::event_database::{Promotion, promote};
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
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Promote {
    pub fn run(&self) -> CommandResult {
        let fail_events = fail(&self.events);
        let (mut value, written) = (self.edit.read(&self.workspace)?, self.edit.read(&self.events)?);
        let promotion = Promotion::read(&written).map_err(fail_events)?;
        let folder = self.events.parent().unwrap_or(Path::new(""));
        let promoted = promote(&mut value, folder, &self.channel, &self.sample, &promotion).map_err(fail_events)?;
        self.edit.check(&self.workspace, &value)?;
        warn(&file_name(&self.events), &promoted.warnings);
        let place = format!("channel {}, sample {}", self.channel, self.sample);
        note(&format!("{place}: {}", in_words(&promoted.flow)));
        self.edit.write(&value)
    }
}
