//! A patch together with the document it stands in, so that what fails is told with its place there.

use super::patch::{self, Patch};
use super::patchset::{NamedPatch, PatchSet};
use super::{Document, Limits, position};
use crate::finding::{Findings, Result};
use serde_json::Value;

/// A patch file, or one point of a patchset file.
#[derive(Clone, Debug)]
pub struct SourcedPatch {
    /// What messages call the document.
    pub name: String,
    patch: Patch,
    text: String,
    /// Pointer to the patch in its document.
    pointer: String,
}

impl SourcedPatch {
    /// A document that is a patch.
    ///
    /// # Errors
    /// All schema violations.
    pub fn of_patch(document: Document) -> Result<SourcedPatch> {
        let patch = Patch::from_document(&document)?;
        Ok(SourcedPatch { name: document.name, patch, text: document.text, pointer: String::new() })
    }

    /// The patch called `point` of a document that is a patchset, for `workspace` if that is given: the point is looked
    /// up first, then the digests are verified.
    ///
    /// # Errors
    /// All schema violations; `InvalidPatchLookup`; `PatchSetVerificationError`.
    pub fn of_patchset(document: Document, point: &str, workspace: Option<&Value>) -> Result<SourcedPatch> {
        let patchset = PatchSet::from_document(&document)?;
        let patch = patchset.lookup(point)?.patch.clone();
        if let Some(workspace) = workspace {
            patchset.verify(workspace).map_err(|findings| resolved(&document.text, findings))?;
        }
        let index = patchset.patches.iter().position(|p| p.metadata.name == point).unwrap_or_default();
        let pointer = format!("/patches/{index}/patch");
        Ok(SourcedPatch { name: document.name, patch, text: document.text, pointer })
    }

    /// As [`patch::apply`]; findings have pointer, line and column in the document of the patch.
    ///
    /// # Errors
    /// As [`patch::apply`].
    pub fn apply(&self, value: Value, limits: &Limits) -> Result<Value> {
        patch::apply(value, &self.patch, limits).map_err(|findings| placed(&self.text, &self.pointer, findings))
    }
}

/// Applies one point of a patchset that has been read; `index` is its place among the patches.
///
/// # Errors
/// As [`patch::apply`], with places in the patchset's document.
pub fn apply_point(value: Value, patchset: &Document, index: usize, point: &NamedPatch) -> Result<Value> {
    patch::apply(value, &point.patch, patchset.limits())
        .map_err(|findings| placed(&patchset.text, &format!("/patches/{index}/patch"), findings))
}

/// Pointers within a patch become pointers in its document, with line and column.
fn placed(text: &str, prefix: &str, mut findings: Findings) -> Findings {
    for finding in &mut findings.0 {
        finding.pointer = finding.pointer.take().map(|pointer| format!("{prefix}{pointer}"));
    }
    resolved(text, findings)
}

fn resolved(text: &str, mut findings: Findings) -> Findings {
    position::resolve(text, &mut findings);
    findings
}
