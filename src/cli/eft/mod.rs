//! `morphist eft …`: what is done with the EFT extension of a workspace, one file a command.

pub mod inspect;
pub mod strip;
pub mod validity;

use super::CommandResult;
use clap::Subcommand;

/// Work with the EFT extension of a workspace (spec/eft.md)
#[derive(Subcommand, Debug)]
pub enum Eft {
    Inspect(inspect::Inspect),
    Strip(strip::Strip),
    Validity(validity::Validity),
}

impl Eft {
    pub fn run(&self) -> CommandResult {
        match self {
            Eft::Inspect(command) => command.run(),
            Eft::Strip(command) => command.run(),
            Eft::Validity(command) => command.run(),
        }
    }
}
