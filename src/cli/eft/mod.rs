//! `morphist eft …`: commands on the EFT extension of a workspace.

mod import;

use super::CommandResult;
use clap::{Args, Subcommand};

/// Work with the EFT extension of a workspace
#[derive(Args, Debug)]
pub struct Eft {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
}

impl Eft {
    pub fn run(&self) -> CommandResult {
        match &self.command {
            Command::Import(command) => command.run(),
        }
    }
}
