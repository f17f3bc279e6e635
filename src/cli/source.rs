//! What a command has read: a workspace, or an HS3 document.

use super::CommandError;
use crate::document::eft::Eft;
use crate::document::hs3::Hs3Document;
use crate::document::position;
use crate::document::workspace::Workspace;
use crate::finding::Findings;
use crate::workspace::Loaded;
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

/// That a command does not work on HS3 documents.
pub fn no_hs3(command: &str, path: &Path) -> CommandError {
    let file = super::input_args::file_name(path);
    CommandError::Message(format!("{command}: {file} is an HS3 document, and this works on workspaces only"))
}
