//! `morphist rename`: parts of a workspace under other names.

use super::CommandResult;
use super::change_args::ChangeArgs;
use crate::workspace::edit::rename::{Options, rename};
use clap::Args;

/// Rename channels, samples, modifiers or measurements everywhere they are named
#[derive(Args, Debug)]
pub struct Rename {
    /// Rename a channel and its observation
    #[arg(short, long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub channel: Vec<String>,
    /// Rename a sample in all channels
    #[arg(short, long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub sample: Vec<String>,
    /// Rename a modifier and its parameter
    #[arg(short, long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub modifier: Vec<String>,
    /// Rename a measurement
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    pub measurement: Vec<String>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

impl Rename {
    pub fn run(&self) -> CommandResult {
        let document = self.change.read("rename")?;
        let options = Options {
            channels: pairs(&self.channel),
            samples: pairs(&self.sample),
            modifiers: pairs(&self.modifier),
            measurements: pairs(&self.measurement),
            compat: self.change.reading.compat(),
        };
        let edited = rename(&document, &options).map_err(|findings| self.change.fail(findings))?;
        self.change.write(&edited)
    }
}

/// Old and new names stand in turns.
fn pairs(names: &[String]) -> Vec<(String, String)> {
    let pairs = names.chunks_exact(2);
    pairs.filter_map(|pair| Some((pair.first()?.clone(), pair.last()?.clone()))).collect()
}
