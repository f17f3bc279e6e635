//! `morphist validate`: is a document sound, and if not, where and how to mend it.

use super::input_args::{InputArgs, file_name, folder_of};
use super::output::{Format, OutputArgs};
use super::{CommandError, CommandResult, note};
use crate::document::hs3::is_hs3;
use crate::document::{Document, Kind};
use crate::finding::Findings;
use crate::report::finding::ValidateReport;
use crate::{translate, workspace};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Check a workspace, an HS3 document, a patch or a patchset and tell every problem at once
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
    /// Correlation scheme of a combination
    Correlations,
    Hs3,
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
        if !self.input.is_unpatched()
            && matches!(self.kind, Some(KindArg::Patch | KindArg::Patchset | KindArg::Correlations))
        {
            let message = "--patch and --patchset apply to workspaces, and --patch to HS3 documents, only";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let document = self.input.reading.read(&self.file)?;
        let kind = match self.kind {
            Some(KindArg::Hs3) => return self.hs3(document),
            None if is_hs3(&document) => return self.hs3(document),
            Some(KindArg::Workspace) => Some(Kind::Workspace),
            Some(KindArg::Patch) => Some(Kind::Patch),
            Some(KindArg::Patchset) => Some(Kind::Patchset),
            Some(KindArg::Correlations) => Some(Kind::Correlations),
            None => None,
        };
        let file = file_name(&self.file);
        self.input.check_for_workspace(&file)?;
        let folder = folder_of(&self.file);
        if self.input.is_unpatched() {
            return Ok(translate::validate(&document, kind, &scope, folder).1);
        }
        let mut loaded = workspace::load_value(self.input.patched(document)?, &scope)
            .map_err(|findings| CommandError::input(&file, findings))?;
        loaded.warnings.0.extend(translate::check(&loaded.workspace, &scope, folder).0);
        Ok(loaded.warnings)
    }

    /// What is written, and what each likelihood needs, or the one that is chosen.
    fn hs3(&self, document: Document) -> Result<Findings, CommandError> {
        let source = self.input.load_hs3(document)?;
        let options = self.input.hs3.options(&source.document, self.input.measurement.as_deref())?;
        Ok(translate::check_hs3(&source.document, &options, source.text.as_deref()))
    }
}
