//! `morphist validate`: is a document sound, and if not, where and how to mend it.

use super::input_args::{InputArgs, file_name};
use super::output::OutputArgs;
use super::{CommandError, CommandResult};
use crate::document::Kind;
use crate::finding::Findings;
use crate::report::finding::{self, ValidateReport};
use crate::report::text;
use crate::workspace;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Check a workspace, patch or patchset and tell every problem at once
#[derive(Args, Debug)]
pub struct Validate {
    /// Document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
    /// What the document is [default: detected]
    #[arg(long, value_enum)]
    pub kind: Option<KindArg>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    Workspace,
    Patch,
    Patchset,
}

impl Validate {
    pub fn run(&self) -> CommandResult {
        let report = ValidateReport::new(self.findings()?);
        let file = file_name(&self.file);
        let table = || {
            let summary = finding::summary(&report.findings);
            format!("{}{}: {summary}\n", finding::text(&file, &report.findings), text::escape(&file))
        };
        self.output.write(&report, table)?;
        if report.valid { Ok(()) } else { Err(CommandError::Reported) }
    }

    /// What is wrong with the document; a document that cannot be parsed is a finding like any other.
    fn findings(&self) -> Result<Findings, CommandError> {
        let document = match self.input.reading.read(&self.file) {
            Ok(document) => document,
            Err(CommandError::Input { findings, .. }) => return Ok(findings),
            Err(other) => return Err(other),
        };
        if self.input.is_unpatched() {
            return Ok(workspace::validate(&document, self.kind.map(Kind::from), &self.input.wide_scope()).1);
        }
        if self.kind.is_some_and(|kind| kind != KindArg::Workspace) {
            return Err(CommandError::Usage("--patch and --patchset apply to workspaces only".to_owned()));
        }
        let patches = self.input.read_patches(&document)?;
        match workspace::load(document, &patches, &self.input.wide_scope()) {
            Ok(loaded) => Ok(loaded.warnings),
            Err(findings) => Ok(findings),
        }
    }
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Kind {
        match kind {
            KindArg::Workspace => Kind::Workspace,
            KindArg::Patch => Kind::Patch,
            KindArg::Patchset => Kind::Patchset,
        }
    }
}
