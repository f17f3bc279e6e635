//! `morphist patchset`: what is done with patchsets.

use super::input_args::{ReadingArgs, file_name};
use super::output::{write_bytes, write_json};
use super::source::no_hs3;
use super::{CommandError, CommandResult, note, warn};
use crate::document::Document;
use crate::document::hs3::is_hs3;
use crate::document::patchset::PatchSet;
use crate::document::sourced_patch::SourcedPatch;
use crate::document::workspace::Workspace;
use crate::finding::Findings;
use crate::report::text;
use crate::workspace::{Measurements, Scope, validate};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Verify, list, extract and apply the patches of a patchset
#[derive(Subcommand, Debug)]
pub enum Patchset {
    Apply(Apply),
    Extract(Extract),
    Inspect(Inspect),
    Verify(Verify),
}

impl Patchset {
    pub fn run(&self) -> CommandResult {
        match self {
            Patchset::Apply(command) => command.run(),
            Patchset::Extract(command) => command.run(),
            Patchset::Inspect(command) => command.run(),
            Patchset::Verify(command) => command.run(),
        }
    }
}

/// Compare the digests of a patchset with those of a workspace
#[derive(Args, Debug)]
pub struct Verify {
    /// Workspace, gzipped or not; - is standard input
    #[arg(value_name = "BACKGROUND-ONLY")]
    pub workspace: PathBuf,
    /// Patchset, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "PATCHSET")]
    pub patchset: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Verify {
    fn run(&self) -> CommandResult {
        check_stdin(&self.workspace, &self.patchset)?;
        let (_, value) = read_workspace(&self.reading, &self.workspace)?;
        let document = self.reading.read(&self.patchset)?;
        let fail = |findings| CommandError::input(&file_name(&self.patchset), findings);
        let patchset = PatchSet::from_document(&document).map_err(fail)?;
        patchset.verify(&value).map_err(|findings| fail(located(&document, findings)))?;
        write_bytes(b"All good.\n", None)
    }
}

/// Write the patch of a name
#[derive(Args, Debug)]
pub struct Extract {
    /// Patchset, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "PATCHSET")]
    pub patchset: PathBuf,
    /// Name of the patch
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Add the metadata of the patch and of the patchset
    #[arg(long, overrides_with = "without_metadata")]
    pub with_metadata: bool,
    /// Write the patch alone, as by default
    #[arg(long)]
    pub without_metadata: bool,
    /// Write the patch to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Extract {
    fn run(&self) -> CommandResult {
        let fail = |findings| CommandError::input(&file_name(&self.patchset), findings);
        let document = self.reading.read(&self.patchset)?;
        let patchset = PatchSet::from_document(&document).map_err(fail)?;
        patchset.lookup(&self.name).map_err(fail)?;
        let index = patchset.patches.iter().position(|point| point.metadata.name == self.name);
        // From the tree, where the patch is as it is written.
        let value = document.value().map_err(fail)?;
        let at = |key: &str| value.pointer(&format!("/patches/{}/{key}", index.unwrap_or_default()));
        let patch = at("patch").cloned().unwrap_or_default();
        let file = self.output_file.as_deref();
        if !self.with_metadata {
            return write_json(&patch, file);
        }
        let mut metadata = at("metadata").cloned().unwrap_or_default();
        if let (Some(own), Some(whole)) = (metadata.as_object_mut(), value["metadata"].as_object()) {
            // As in pyhf, what the patchset says has the last word.
            let taken = own.keys().filter(|key| whole.contains_key(*key)).map(|key| text::label(key));
            let taken: Vec<String> = taken.collect();
            if !taken.is_empty() {
                note(&format!("of the patchset, not of the patch: {}", taken.join(", ")));
            }
            own.extend(whole.clone());
        }
        write_json(&json!({"metadata": metadata, "patch": patch}), file)
    }
}

/// Apply the patch of a name, after the digests are verified
#[derive(Args, Debug)]
pub struct Apply {
    /// Workspace, gzipped or not; - is standard input
    #[arg(value_name = "BACKGROUND-ONLY")]
    pub workspace: PathBuf,
    /// Patchset, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "PATCHSET")]
    pub patchset: PathBuf,
    /// Name of the patch
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Write the workspace to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Apply {
    fn run(&self) -> CommandResult {
        check_stdin(&self.workspace, &self.patchset)?;
        let (limits, value) = read_workspace(&self.reading, &self.workspace)?;
        let fail = |findings| CommandError::input(&file_name(&self.patchset), findings);
        let document = self.reading.read(&self.patchset)?;
        let patch = SourcedPatch::of_patchset(document, &self.name, Some(&value)).map_err(fail)?;
        let value = patch.apply(value, &limits).map_err(fail)?;
        let name = file_name(&self.workspace);
        let fail = |findings| CommandError::input(&name, findings);
        let scope = Scope { compat: self.reading.compat(), measurements: Measurements::All };
        let findings = validate::check(&Workspace::from_value(&value).map_err(fail)?, &scope);
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        write_json(&value, self.output_file.as_deref())
    }
}

/// List the names of the patches
#[derive(Args, Debug)]
pub struct Inspect {
    /// Patchset, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "PATCHSET")]
    pub patchset: PathBuf,
    /// Write the metadata of the patchset and of its patches as JSON
    #[arg(short, long)]
    pub json: bool,
    /// Write the list to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Inspect {
    fn run(&self) -> CommandResult {
        let fail = |findings| CommandError::input(&file_name(&self.patchset), findings);
        let document = self.reading.read(&self.patchset)?;
        let patchset = PatchSet::from_document(&document).map_err(fail)?;
        let file = self.output_file.as_deref();
        if self.json {
            let patches: Vec<_> = patchset.patches.iter().map(|point| json!(point.metadata)).collect();
            return write_json(&json!({"metadata": patchset.metadata, "patches": patches}), file);
        }
        let mut list = format!("\n    {} patches found in Patchset\n", patchset.patches.len());
        list.push_str("---------------------------------\n\n");
        for point in &patchset.patches {
            list.push_str(&format!("{}\n", point.metadata.name));
        }
        write_bytes(list.as_bytes(), file)
    }
}

fn check_stdin(workspace: &Path, patchset: &Path) -> CommandResult {
    if [workspace, patchset] == [Path::new("-"); 2] {
        let message = "two inputs are -, and standard input can be read once: give a file for one of them";
        return Err(CommandError::Usage(message.to_owned()));
    }
    Ok(())
}

/// The limits and the tree of a document that follows the schema of workspaces.
fn read_workspace(reading: &ReadingArgs, path: &Path) -> Result<(crate::document::Limits, Value), CommandError> {
    let document = reading.read(path)?;
    if is_hs3(&document) {
        return Err(no_hs3("patchset", path));
    }
    let fail = |findings| CommandError::input(&file_name(path), findings);
    Workspace::from_document(&document).map_err(fail)?;
    Ok((*document.limits(), document.value().map_err(fail)?))
}

fn located(document: &Document, mut findings: Findings) -> Findings {
    crate::document::position::resolve(&document.text, &mut findings);
    findings
}
