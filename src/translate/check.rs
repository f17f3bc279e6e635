//! What no rule on the document alone can tell, but the making of its model: event databases, and responses that cannot
//! be made.

use super::from_pyhf::{self, ModelOptions};
use crate::document::workspace::Workspace;
use crate::document::{Document, Kind};
use crate::finding::Findings;
use crate::workspace::{self, Measurements, Scope};
use std::path::Path;

/// Checks a document as [`workspace::validate()`] does, and with [`check`] where a workspace breaks no rule.
pub fn validate(document: &Document, kind: Option<Kind>, scope: &Scope, folder: &Path) -> (Kind, Findings) {
    workspace::validate_by(document, kind, |workspace| {
        let mut findings = workspace::validate::check(workspace, scope);
        if findings.is_valid() {
            findings.0.extend(check(workspace, scope, folder).0);
        }
        findings
    })
}

/// Makes the model of a workspace that breaks no rule and tells what is wrong or odd: W215 of events, and W260 to W280.
/// Event databases lie below `folder`. Responses are the same in every measurement, so that one model is enough; a
/// workspace without the EFT extension needs none.
pub fn check(workspace: &Workspace, scope: &Scope, folder: &Path) -> Findings {
    if workspace.eft.is_none() {
        return Findings::default();
    }
    let measurement = match &scope.measurements {
        Measurements::Named(name) => Some(name.clone()),
        Measurements::All | Measurements::First => None,
    };
    let folder = Some(folder.to_path_buf());
    let options = ModelOptions { measurement, compat: scope.compat, folder, ..ModelOptions::default() };
    match from_pyhf::model(workspace, &options) {
        Ok(model) => model.warnings,
        Err(findings) => findings,
    }
}
