//! `morphist validate`: is a document sound, and if not, where and how to mend it.

use super::input_args::{InputArgs, file_name, folder_of};
use super::output::{Format, OutputArgs};
use super::{CommandError, CommandResult, note};
use crate::document::Kind;
use crate::finding::Findings;
use crate::report::finding::ValidateReport;
use crate::translate;
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
        self.input.check_stdin(&[&self.file])?;
        let (file, findings) = self.findings()?;
        let report = ValidateReport::new(findings);
        self.output.write(&report, || report.page(&file))?;
        if self.output.format() == Format::Json && file != file_name(&self.file) {
            note(&format!("the findings are about {file}"));
        }
        if report.valid { Ok(()) } else { Err(CommandError::Reported) }
    }

    /// What is wrong, and with which file: the document itself, or a patch that cannot be read or applied.
    fn findings(&self) -> Result<(String, Findings), CommandError> {
        match self.check() {
            Ok(findings) => Ok((file_name(&self.file), findings)),
            Err(CommandError::Input { file, findings }) => Ok((file, findings)),
            Err(other) => Err(other),
        }
    }

    fn check(&self) -> Result<Findings, CommandError> {
        let scope = self.input.wide_scope();
        if !self.input.is_unpatched() && self.kind.is_some_and(|kind| kind != KindArg::Workspace) {
            return Err(CommandError::Usage("--patch and --patchset apply to workspaces only".to_owned()));
        }
        let document = self.input.reading.read(&self.file)?;
        let folder = folder_of(&self.file);
        if self.input.is_unpatched() {
            return Ok(translate::validate(&document, self.kind.map(Kind::from), &scope, folder).1);
        }
        let mut loaded = self.input.load_document(document, &scope)?;
        loaded.warnings.0.extend(translate::check(&loaded.workspace, &scope, folder).0);
        Ok(loaded.warnings)
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
