//! `morphist import …`: whole likelihoods of other programs, one file a format.

pub mod combine;
pub mod xml;

use super::CommandResult;
use clap::Subcommand;

/// Read likelihoods of other programs: datacards of CMS Combine, HistFactory XML
#[derive(Subcommand, Debug)]
pub enum Import {
    Combine(combine::Combine),
    Xml(xml::Xml),
}

impl Import {
    pub fn run(&self) -> CommandResult {
        match self {
            Import::Combine(command) => command.run(),
            Import::Xml(command) => command.run(),
        }
    }
}
