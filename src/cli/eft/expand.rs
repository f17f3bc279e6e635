//! `morphist eft expand`: an EFT document as standard HS3.

use super::edit_args::fail;
use crate::cli::build_args::{BuildArgs, Built};
use crate::cli::input_args::{InputArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::source::Source;
use crate::cli::{CommandError, CommandResult, warn};
use crate::convert;
use crate::convert::expand::{self, Expansion, Layers};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Write an EFT document as standard HS3, which other programs evaluate to the same number
///
/// The file for ROOT 6.40 is the one that pyhs3 evaluates, too. What has no exact form in the standard is refused.
#[derive(Args, Debug)]
pub struct Expand {
    /// Workspace with the EFT extension, or an HS3 file that holds one, gzipped or not; - is standard input
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
        let source = self.input.load_extension(&self.workspace)?;
        let layers = |max_np_order| if self.portable_only { Layers::Portable } else { Layers::Both { max_np_order } };
        let expansion = expanded(&self.workspace, &self.input, &self.build, source, self.target.into(), layers)?;
        warn(&file_name(&self.workspace), &expansion.notes);
        write_json(&expansion.document, self.output_file.as_deref())
    }
}

/// The document of a source that holds one as standard HS3; the model's warnings are told.
pub fn expanded(
    path: &Path,
    input: &InputArgs,
    build: &BuildArgs,
    source: Source,
    target: convert::Target,
    layers: impl Fn(Option<u32>) -> Layers,
) -> Result<Expansion, CommandError> {
    let options = build.options(input)?;
    let Built { name: measurement, model, data, .. } = build.build(path, input, &source, &options)?;
    let loaded = source.into_workspace("eft expand", path)?;
    warn(&file_name(path), &model.warnings);
    let layers = layers(options.max_np_order.into_iter().chain(loaded.max_np_order).min());
    let mut expansion =
        expand::expand(&loaded.workspace, &measurement, &model, &data, target, layers).map_err(|mut findings| {
            loaded.locate(&mut findings);
            fail(path)(findings)
        })?;
    loaded.locate(&mut expansion.notes);
    Ok(expansion)
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
