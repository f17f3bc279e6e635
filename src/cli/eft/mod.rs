//! `morphist eft …`: what is done with the EFT extension of a workspace, one file a command.

pub mod append;
pub mod bin;
pub mod cache;
mod chosen;
pub mod closure;
pub mod compare;
pub mod directions;
mod document_args;
mod edit_args;
mod event_quality;
pub mod expand;
pub mod import;
mod import_matrix;
pub mod individual;
pub mod inspect;
pub mod mass;
pub mod promote;
pub mod rescale;
pub mod responses;
pub mod score;
pub mod strip;
pub mod table;
pub mod validity;

use super::CommandResult;
use crate::event_database::FlowCounts;
use clap::Subcommand;

/// Work with the EFT extension of a workspace (spec/eft.md)
#[derive(Subcommand, Debug)]
pub enum Eft {
    Append(append::Append),
    Bin(bin::Bin),
    Cache(cache::Cache),
    Closure(closure::Closure),
    Compare(compare::Compare),
    Directions(directions::Directions),
    Expand(expand::Expand),
    Import(import::Import),
    Individual(individual::Individual),
    Inspect(inspect::Inspect),
    Mass(mass::Mass),
    Promote(promote::Promote),
    Rescale(rescale::Rescale),
    Responses(responses::Responses),
    Score(score::Score),
    Strip(strip::Strip),
    Table(table::Table),
    Validity(validity::Validity),
}

impl Eft {
    pub fn run(&self) -> CommandResult {
        match self {
            Eft::Append(command) => command.run(),
            Eft::Bin(command) => command.run(),
            Eft::Cache(command) => command.run(),
            Eft::Closure(command) => command.run(),
            Eft::Compare(command) => command.run(),
            Eft::Directions(command) => command.run(),
            Eft::Expand(command) => command.run(),
            Eft::Import(command) => command.run(),
            Eft::Individual(command) => command.run(),
            Eft::Inspect(command) => command.run(),
            Eft::Mass(command) => command.run(),
            Eft::Promote(command) => command.run(),
            Eft::Rescale(command) => command.run(),
            Eft::Responses(command) => command.run(),
            Eft::Score(command) => command.run(),
            Eft::Strip(command) => command.run(),
            Eft::Table(command) => command.run(),
            Eft::Validity(command) => command.run(),
        }
    }
}

/// What became of the rows of a database.
fn in_words(flow: &FlowCounts) -> String {
    format!(
        "{} rows, {} of other channels, {} cut, {} below and {} above the edges, {} in bins",
        flow.rows, flow.other_channels, flow.cut, flow.underflow, flow.overflow, flow.binned
    )
}
