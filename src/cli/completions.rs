//! `morphist completions`: completion scripts for shells.

use super::CommandResult;
use super::output::write_bytes;
use clap::Args;
use clap_complete::Shell;

/// Write the completion script of a shell
#[derive(Args, Debug)]
pub struct Completions {
    #[arg(value_enum)]
    pub shell: Shell,
}

impl Completions {
    /// `command` is the whole command line.
    pub fn run(&self, mut command: clap::Command) -> CommandResult {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "morphist", &mut script);
        write_bytes(&script, None)
    }
}
