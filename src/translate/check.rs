//! What no rule on the document alone can tell, but the making of its model: event databases, and responses that cannot
//! be made.

use super::from_hs3::{self, Hs3Options};
use super::from_pyhf::{self, ModelOptions};
use crate::document::hs3::Hs3Document;
use crate::document::position;
use crate::document::workspace::Workspace;
use crate::document::{Document, Kind};
use crate::finding::{Finding, Findings, Severity};
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

/// What is wrong or odd with an HS3 document that can be read, its warnings included: what the chosen likelihood needs, or,
/// where none is chosen, what each of them needs. Findings are in the order of `text`, where there is one.
pub fn check_hs3(document: &Hs3Document, options: &Hs3Options, text: Option<&str>) -> Findings {
    let mut findings = document.warnings.clone();
    let all = match from_hs3::choices(document, options) {
        Ok(all) => all,
        Err(found) => {
            findings.0.extend(found.0);
            Vec::new()
        }
    };
    for (_, options) in all {
        let found = match from_hs3::likelihood(document, &options) {
            Ok(likelihood) => likelihood.model.warnings,
            Err(found) => found,
        };
        // Likelihoods share what they are made of, and the reader has told some of it with its place; what it warned of may
        // be an error where a likelihood needs it.
        for new in found.0 {
            let same =
                |old: &&mut Finding| (old.rule, &old.pointer, &old.found) == (new.rule, &new.pointer, &new.found);
            match findings.0.iter_mut().find(same) {
                Some(old) if new.severity == Severity::Error => old.severity = Severity::Error,
                Some(_) => {}
                None => findings.push(new),
            }
        }
    }
    if let Some(text) = text {
        position::resolve(text, &mut findings);
    }
    findings
}
