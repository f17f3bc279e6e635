//! `morphist eft expand`: an EFT document as standard HS3.

use super::edit_args::fail;
use crate::cli::build_args::{BuildArgs, Built};
use crate::cli::input_args::{InputArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::{CommandResult, warn};
use crate::convert;
use crate::convert::expand::{self, Layers};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Write an EFT document as standard HS3, which other programs evaluate to the same number
///
/// The file for ROOT 6.40 is the one that pyhs3 evaluates, too. What has no exact form in the standard is refused.
#[derive(Args, Debug)]
pub struct Expand {
    /// Workspace with the EFT extension, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Who is to read the file
    #[arg(long, value_enum, default_value_t = Target::Root640)]
    pub target: Target,
    /// Write the document to FILE instead of standard output
    #[arg(long, visible_alias = "output", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Write the expansion alone, without the document under keys that other programs ignore
    #[arg(long)]
    pub portable_only: bool,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// ROOT 6.40.00 and pyhs3 0.4.2
    #[value(name = "root-6.40")]
    Root640,
    /// pyhs3 0.4.2 alone
    Pyhs3,
    /// The standard as its newest text has it
    Hs3,
}

impl Expand {
    pub fn run(&self) -> CommandResult {
        self.input.check_stdin(&[&self.workspace])?;
        let (name, fail) = (file_name(&self.workspace), fail(&self.workspace));
        let source = self.input.load(&self.workspace)?;
        let options = self.build.options(&self.input)?;
        let built = self.build.build(&self.workspace, &self.input, &source, &options)?;
        let loaded = source.into_workspace("eft expand", &self.workspace)?;
        let Built { name: measurement, model, data, .. } = built;
        warn(&name, &model.warnings);
        let layers = if self.portable_only { Layers::Portable } else { Layers::Both };
        let expanded = expand::expand(&loaded.workspace, &measurement, &model, &data, self.target.into(), layers);
        let mut expansion = expanded.map_err(|mut findings| {
            loaded.locate(&mut findings);
            fail(findings)
        })?;
        loaded.locate(&mut expansion.notes);
        warn(&name, &expansion.notes);
        write_json(&expansion.document, self.output_file.as_deref())
    }
}

impl From<Target> for convert::Target {
    fn from(target: Target) -> convert::Target {
        match target {
            Target::Root640 => convert::Target::Root640,
            Target::Pyhs3 => convert::Target::Pyhs3,
            Target::Hs3 => convert::Target::Canonical,
        }
    }
}
