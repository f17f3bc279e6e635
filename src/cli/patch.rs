//! `morphist patch`: the document with patches applied.

use super::CommandResult;
use super::input_args::{InputArgs, file_name};
use super::output::write_json;
use super::{CommandError, warn};
use crate::document::hs3::is_hs3;
use crate::document::workspace::Workspace;
use crate::workspace::validate;
use clap::Args;
use std::path::PathBuf;

/// Apply patches, or one point of a patchset, and write the workspace or the HS3 document
#[derive(Args, Debug)]
pub struct Patch {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    #[command(flatten)]
    pub input: InputArgs,
    /// Write the workspace to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

impl Patch {
    pub fn run(&self) -> CommandResult {
        if self.input.is_unpatched() {
            return Err(CommandError::Usage("give --patch FILE, or --patchset FILE --name NAME".to_owned()));
        }
        self.input.check_stdin(&[&self.workspace])?;
        let document = self.input.reading.read(&self.workspace)?;
        let (name, is_hs3) = (file_name(&self.workspace), is_hs3(&document));
        match is_hs3 {
            true => self.input.check_for_hs3()?,
            false => self.input.check_for_workspace(&name)?,
        }
        let value = self.input.patched(document)?;
        let fail = |findings| CommandError::input(&name, findings);
        let findings = match is_hs3 {
            true => self.input.read_hs3(&value).map_err(fail)?.document.warnings,
            false => validate::check(&Workspace::from_value(&value).map_err(fail)?, &self.input.wide_scope()),
        };
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        write_json(&value, self.output_file.as_deref())
    }
}
