//! `morphist eft …`: what is done with the EFT extension of a workspace, one file a command.

pub mod strip;

use super::CommandResult;
use clap::Subcommand;

/// Work with the EFT extension of a workspace (spec/eft.md)
#[derive(Subcommand, Debug)]
pub enum Eft {
    Strip(strip::Strip),
}

impl Eft {
    pub fn run(&self) -> CommandResult {
        match self {
            Eft::Strip(command) => command.run(),
        }
    }
}
