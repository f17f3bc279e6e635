//! Workspaces changed as a whole (spec/operations.md): parts left out, names changed, lists sorted. An operation reads a
//! document that follows the schema and gives one that breaks no rule, or findings with their places in what was read.

mod marginal;
pub mod prune;
pub mod rebin;
pub mod rename;
mod rewrite;
pub(in crate::workspace) mod select;
mod sort;
pub mod symmetrise;

pub use select::Selector;
pub use sort::sort;

use crate::document::patch::Patch;
use crate::document::workspace::Workspace;
use crate::document::{Document, position};
use crate::finding::{Finding, Findings, Result};
use crate::rule::Rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::{Measurements, Scope, validate};
use rewrite::Rewritten;
use serde_json::Value;

/// A changed workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    pub document: Value,
    /// The change as a JSON Patch of the document that was read.
    pub patch: Patch,
    /// What is odd in the result, with places in the document that was read.
    pub warnings: Findings,
}

/// A document that is to be changed: its tree, and the same as types.
struct Source<'d> {
    document: &'d Document,
    value: Value,
    workspace: Workspace,
    compat: Compat,
}

impl<'d> Source<'d> {
    fn read(document: &'d Document, compat: Compat) -> Result<Source<'d>> {
        let workspace = Workspace::from_document(document)?;
        Ok(Source { document, value: document.value()?, workspace, compat })
    }

    /// A finding with the severity that the compatibility mode gives its rule.
    fn finding(&self, rule: &Rule, found: impl Into<String>, expected: impl Into<String>) -> Finding {
        let mut finding = Finding::new(rule, found, expected);
        if self.compat == Compat::Pyhf {
            finding.severity = rule.compat;
        }
        finding
    }

    /// Errors get lines and columns; `findings` without an error are kept.
    fn judge(&self, mut findings: Findings) -> Result<Findings> {
        position::resolve(&self.document.text, &mut findings);
        if findings.is_valid() { Ok(findings) } else { Err(findings) }
    }

    /// Checks the result with all its measurements; `told` are the warnings that there are already.
    fn finish(&self, rewritten: Rewritten, mut told: Findings) -> Result<Edited> {
        let Rewritten { document, origins, patch } = rewritten;
        let scope = Scope { compat: self.compat, measurements: Measurements::All };
        let found = Workspace::from_value(&document).map(|workspace| validate::check(&workspace, &scope));
        for mut finding in found.unwrap_or_else(|findings| findings).0 {
            let place = finding.pointer.as_deref().and_then(|pointer| origins.place(pointer));
            finding.pointer = place.map(|place| place.pointer).or(finding.pointer);
            told.push(finding);
        }
        Ok(Edited { document, patch: Patch(patch), warnings: self.judge(told)? })
    }
}
