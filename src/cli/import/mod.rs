//! `morphist import …`: whole likelihoods of other programs, one file a format.

pub mod combine;

use super::CommandResult;
use clap::Subcommand;

/// Read likelihoods of other programs: datacards of CMS Combine
#[derive(Subcommand, Debug)]
pub enum Import {
    Combine(combine::Combine),
}

impl Import {
    pub fn run(&self) -> CommandResult {
        match self {
            Import::Combine(command) => command.run(),
        }
    }
}
