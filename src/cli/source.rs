//! What a command has read: a workspace, or an HS3 document.

use super::input_args::{InputArgs, file_name, folder_of};
use super::{CommandError, note, warn};
use crate::document::eft::Eft;
use crate::document::hs3::{Hs3Document, ReadOptions, is_hs3};
use crate::document::workspace::Workspace;
use crate::document::{Document, position};
use crate::finding::Findings;
use crate::translate::from_hs3::{self, Hs3Options};
use crate::workspace::Loaded;
use serde_json::{Value, json};
use std::path::Path;

/// A document that breaks no rule of its kind.
#[derive(Clone)]
pub enum Source {
    Workspace(Loaded),
    Hs3(Box<Hs3Source>),
}

/// An HS3 document, with its text where no patch has changed it.
#[derive(Clone)]
pub struct Hs3Source {
    pub document: Hs3Document,
    pub text: Option<String>,
}

impl Hs3Source {
    /// As [`Source::locate`].
    pub fn locate(&self, findings: &mut Findings) {
        if let Some(text) = &self.text {
            position::resolve(text, findings);
        }
    }
}

impl Source {
    /// Nothing for an HS3 document.
    pub fn workspace(&self) -> Option<&Workspace> {
        match self {
            Source::Workspace(loaded) => Some(&loaded.workspace),
            Source::Hs3(_) => None,
        }
    }

    /// The block of the EFT extension of a workspace.
    pub fn eft(&self) -> Option<&Eft> {
        self.workspace().and_then(|workspace| workspace.eft.as_deref())
    }

    /// What is odd, yet no error.
    pub fn warnings(&self) -> &Findings {
        match self {
            Source::Workspace(loaded) => &loaded.warnings,
            Source::Hs3(source) => &source.document.warnings,
        }
    }

    /// Gives findings of the model line and column, where there is a text.
    pub fn locate(&self, findings: &mut Findings) {
        match self {
            Source::Workspace(loaded) => loaded.locate(findings),
            Source::Hs3(source) => source.locate(findings),
        }
    }

    /// For commands that know workspaces only.
    ///
    /// # Errors
    /// Where the document is HS3.
    pub fn into_workspace(self, command: &str, path: &Path) -> Result<Loaded, CommandError> {
        match self {
            Source::Workspace(loaded) => Ok(loaded),
            Source::Hs3(_) => Err(no_hs3(command, path)),
        }
    }
}

impl Source {
    /// The EFT document that an HS3 file holds beside its expansion, in its place (spec/eft-hs3.md, section 6); a workspace
    /// is what it is.
    ///
    /// # Errors
    /// An HS3 document without one, or that says something else than it.
    pub fn into_extension(self, input: &InputArgs, path: &Path) -> Result<Source, CommandError> {
        let Source::Hs3(source) = &self else { return Ok(self) };
        let document = &source.document;
        // The measurement of the document inside may have another name than the analysis of the file.
        let is_analysis = |name: &&str| document.analyses.iter().any(|analysis| analysis.name == *name);
        let analysis = input.measurement.as_deref().filter(is_analysis);
        let options =
            Hs3Options { folder: Some(folder_of(path).to_path_buf()), ..input.hs3.options(document, analysis)? };
        let own = from_hs3::own_document(document, &options).map_err(|mut findings| {
            source.locate(&mut findings);
            CommandError::input(&file_name(path), findings)
        })?;
        if let Some(order) = own.max_np_order {
            note(&format!("{}: expanded with all responses ended at order {order} in 1/Λ²", file_name(path)));
        }
        Ok(Source::Workspace(own))
    }
}

/// The tree of a workspace in a file, or of the EFT document that an HS3 file holds.
///
/// # Errors
/// As [`Source::into_extension`].
pub fn extension_value(document: &Document, path: &Path) -> Result<Value, CommandError> {
    let fail = |findings| CommandError::input(&file_name(path), findings);
    if !is_hs3(document) {
        return document.value().map_err(fail);
    }
    let read = Hs3Document::from_document(document, &ReadOptions::default()).map_err(fail)?;
    warn(&file_name(path), &read.warnings);
    let folder = Some(folder_of(path).to_path_buf());
    let own =
        from_hs3::own_document(&read, &Hs3Options { folder, ..Hs3Options::default() }).map_err(|mut findings| {
            position::resolve(&document.text, &mut findings);
            fail(findings)
        })?;
    match own.max_np_order {
        None => Ok(json!(own.workspace)),
        Some(order) => Err(CommandError::Message(format!(
            "{}: expanded with all responses ended at order {order} in 1/Λ², which the document inside does not say: use the \
             workspace",
            file_name(path)
        ))),
    }
}

/// That a command does not work on HS3 documents.
pub fn no_hs3(command: &str, path: &Path) -> CommandError {
    let file = file_name(path);
    CommandError::Message(format!(
        "{command}: {file} is an HS3 document, and this works on workspaces only: morphist convert --to pyhf makes one of it"
    ))
}
