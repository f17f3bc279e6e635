//! `morphist eft …`: what is done with the EFT extension of a workspace, one file a command.

pub mod compare;

use super::CommandResult;
use clap::Subcommand;

/// Work with the EFT extension of a workspace (spec/eft.md)
#[derive(Subcommand, Debug)]
pub enum Eft {
    Compare(compare::Compare),
}

impl Eft {
    pub fn run(&self) -> CommandResult {
        match self {
            Eft::Compare(command) => command.run(),
        }
    }
}
