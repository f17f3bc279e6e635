//! What pyhf's commands take and this program has no use for.

use super::note;
use clap::Args;

/// Flags of `pyhf fit` and `pyhf cls` that change nothing here.
#[derive(Args, Debug)]
#[command(next_help_heading = "Accepted from pyhf, without effect")]
pub struct PyhfArgs {
    /// There is one backend
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// There is one optimizer
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,
    /// There is one optimizer
    #[arg(long, value_name = "KEY=VALUE")]
    pub optconf: Vec<String>,
}

impl PyhfArgs {
    /// Says which of them were given.
    pub fn tell(&self) {
        let given = [
            (self.backend.is_some(), "--backend"),
            (self.optimizer.is_some(), "--optimizer"),
            (!self.optconf.is_empty(), "--optconf"),
        ];
        for (_, flag) in given.iter().filter(|(given, _)| *given) {
            note(&format!("{flag} has no effect"));
        }
    }
}
