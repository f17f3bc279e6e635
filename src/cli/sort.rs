//! `morphist sort`: the lists of a workspace in order of names.

use super::CommandResult;
use super::change_args::ChangeArgs;
use crate::workspace::edit::sort;
use clap::Args;

/// Sort channels, samples, modifiers, measurements, parameter configurations and observations by name
#[derive(Args, Debug)]
pub struct Sort {
    #[command(flatten)]
    pub change: ChangeArgs,
}

impl Sort {
    pub fn run(&self) -> CommandResult {
        let document = self.change.read("sort")?;
        let sorted = sort(&document, self.change.reading.compat()).map_err(|findings| self.change.fail(findings))?;
        self.change.write(&sorted)
    }
}
