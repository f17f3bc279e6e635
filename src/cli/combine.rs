//! `morphist combine`: several workspaces become one.

use super::input_args::{ReadingArgs, file_name};
use super::output::write_json;
use super::source::no_hs3;
use super::{CommandError, CommandResult, note, warn};
use crate::document::Document;
use crate::document::hs3::is_hs3;
use crate::document::patch;
use crate::workspace::combine::{Channels, Join, Options, Told, combine};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Combine workspaces into one, from left to right; parameters of one name become one
#[derive(Args, Debug)]
pub struct Combine {
    /// Workspaces, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE", num_args = 2.., required = true)]
    pub workspaces: Vec<PathBuf>,
    /// What becomes of channels, observations and measurements of one name
    #[arg(short, long, value_enum, default_value_t = JoinArg::None)]
    pub join: JoinArg,
    /// Give channels of one name the samples of all workspaces; not with the join none
    #[arg(long, overrides_with = "no_merge_channels")]
    pub merge_channels: bool,
    /// Join channels as a whole, as by default
    #[arg(long)]
    pub no_merge_channels: bool,
    /// Write a JSON Patch that makes the combination of the first workspace, instead of the combination
    #[arg(long)]
    pub json_patch: bool,
    /// Write the result to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JoinArg {
    /// They are an error
    None,
    /// They must be equal; measurements must agree in the POI and in what both configure
    Outer,
    /// Those of the first workspace count
    #[value(name = "left outer")]
    LeftOuter,
    /// Those of the last workspace count
    #[value(name = "right outer")]
    RightOuter,
}

impl Combine {
    pub fn run(&self) -> CommandResult {
        if self.workspaces.iter().filter(|path| *path == Path::new("-")).count() > 1 {
            let message = "two inputs are -, and standard input can be read once: give a file for one of them";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let folder = self.output_file.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_path_buf();
        let options = Options { join: self.join()?, compat: self.reading.compat(), folder };
        let documents: Vec<Document> =
            self.workspaces.iter().map(|path| self.reading.read(path)).collect::<Result<_, _>>()?;
        let is_own = |document: &&Document| is_hs3(document);
        if let Some(document) = documents.iter().find(is_own) {
            return Err(no_hs3("combine", Path::new(&document.name)));
        }
        let combined = combine(&documents, &options).map_err(|told| {
            CommandError::Inputs(told.into_iter().map(|told| (name(&told), told.findings)).collect())
        })?;
        for told in &combined.warnings {
            warn(&name(told), &told.findings);
        }
        if !combined.shared.is_empty() {
            let (n, names) = (combined.shared.len(), combined.shared.join(", "));
            note(&format!("parameters of several workspaces ({n}): {names}"));
        }
        match documents.first().filter(|_| self.json_patch) {
            Some(first) => {
                let fail = |findings| CommandError::input(&file_name(Path::new(&first.name)), findings);
                let patch = patch::between(&first.value().map_err(fail)?, &combined.document);
                write_json(&patch, self.output_file.as_deref())
            }
            None => write_json(&combined.document, self.output_file.as_deref()),
        }
    }

    fn join(&self) -> Result<Join, CommandError> {
        let channels = if self.merge_channels { Channels::Merged } else { Channels::Whole };
        match (self.join, channels) {
            (JoinArg::None, Channels::Merged) => Err(CommandError::Usage(
                "--merge-channels needs a join: --join outer, 'left outer' or 'right outer'".to_owned(),
            )),
            (JoinArg::None, Channels::Whole) => Ok(Join::None),
            (JoinArg::Outer, channels) => Ok(Join::Outer(channels)),
            (JoinArg::LeftOuter, channels) => Ok(Join::LeftOuter(channels)),
            (JoinArg::RightOuter, channels) => Ok(Join::RightOuter(channels)),
        }
    }
}

/// What findings are told of.
fn name(told: &Told) -> String {
    told.name.as_deref().map_or_else(|| "<combination>".to_owned(), |name| file_name(Path::new(name)))
}
