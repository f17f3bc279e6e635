//! `morphist rebin`: neighbouring bins summed.

use super::CommandResult;
use super::change_args::ChangeArgs;
use crate::workspace::edit::rebin::{Rebinning, rebin};
use clap::Args;

/// Sum neighbouring bins of channels
#[derive(Args, Debug)]
pub struct Rebin {
    /// Channels by name or glob, and how many of their bins become one; or the sizes of all groups of bins
    #[arg(short, long = "channel", value_name = "CHANNEL=N|A,B,…", required = true)]
    pub channels: Vec<Rebinning>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

impl Rebin {
    pub fn run(&self) -> CommandResult {
        let document = self.change.read("rebin")?;
        let rebinned = rebin(&document, &self.channels, self.change.reading.compat());
        self.change.write(&rebinned.map_err(|findings| self.change.fail(findings))?)
    }
}
