//! What a workspace must obey, rule by rule, and what is done with whole workspaces.

pub mod combine;
pub mod data;
pub mod diff;
pub mod edit;
pub mod inverse_mass;
mod parameters;
pub mod rescale;
pub mod rotate;
pub(crate) use parameters::{flat_parameters, measured_nuisances, nuisances};
pub mod validate;

use crate::document::correlation_scheme::CorrelationScheme;
use crate::document::patch::{self, Patch};
use crate::document::patchset::PatchSet;
use crate::document::workspace::{Measurement, Workspace};
use crate::document::{Document, Kind, position};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use serde_json::Value;

/// Which rules count, and for which measurements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub compat: Compat,
    pub measurements: Measurements,
}

/// The measurements whose settings matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Measurements {
    #[default]
    All,
    First,
    Named(String),
}

/// A workspace that breaks no rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub workspace: Workspace,
    /// What is odd, yet no error.
    pub warnings: Findings,
    /// The order in 1/Λ² at which all responses end, where the file that the workspace comes from has it lower
    /// (spec/eft-hs3.md, section 6).
    pub max_np_order: Option<u32>,
    /// Of a workspace with the EFT extension that is as its text has it: places of what its model shows.
    text: Option<String>,
}

impl Loaded {
    /// Gives findings of the model (W260 to W280) line and column. After a patch there is no text, and they stay as they
    /// are.
    pub fn locate(&self, findings: &mut Findings) {
        if let Some(text) = &self.text {
            position::resolve(text, findings);
        }
    }
}

/// Applies the patches in order, then checks the schema and the rules for workspaces.
///
/// Findings have line and column of the document's text; of a patched document they have pointers into the result
/// and no line, and those of a patch that fails point into that patch.
///
/// # Errors
/// All findings, warnings included, if one of them is an error.
pub fn load(document: Document, patches: &[Patch], scope: &Scope) -> Result<Loaded> {
    if patches.is_empty() {
        let workspace = Workspace::from_document(&document)?;
        return judge(workspace, scope, Some(document.text));
    }
    let mut value = document.value()?;
    let limits = *document.limits();
    drop(document);
    for patch in patches {
        value = patch::apply(value, patch, &limits)?;
    }
    load_value(value, scope)
}

/// Checks the schema and the rules for the tree of a workspace, such as a patched one; findings have no line.
///
/// # Errors
/// All findings, warnings included, if one of them is an error.
pub fn load_value(value: Value, scope: &Scope) -> Result<Loaded> {
    let workspace = Workspace::from_value(&value)?;
    drop(value);
    judge(workspace, scope, None)
}

/// Checks the rules for a workspace that was changed; findings have no line.
///
/// # Errors
/// All findings, warnings included, if one of them is an error.
pub fn load_workspace(workspace: Workspace, scope: &Scope) -> Result<Loaded> {
    judge(workspace, scope, None)
}

fn judge(workspace: Workspace, scope: &Scope, text: Option<String>) -> Result<Loaded> {
    let mut warnings = validate::check(&workspace, scope);
    if let Some(text) = &text {
        position::resolve(text, &mut warnings);
    }
    let text = text.filter(|_| workspace.eft.is_some());
    if warnings.is_valid() { Ok(Loaded { workspace, warnings, max_np_order: None, text }) } else { Err(warnings) }
}

/// Checks a document by itself; `None` lets its looks decide what it is. No event database is read and no model made:
/// see [`crate::translate::validate`].
pub fn validate(document: &Document, kind: Option<Kind>, scope: &Scope) -> (Kind, Findings) {
    validate_by(document, kind, |workspace| validate::check(workspace, scope))
}

/// As [`validate()`], with other checks of a workspace that follows the schema.
pub fn validate_by(
    document: &Document,
    kind: Option<Kind>,
    check: impl Fn(&Workspace) -> Findings,
) -> (Kind, Findings) {
    let kind = kind.unwrap_or_else(|| document.kind());
    let outcome = match kind {
        Kind::Workspace => Workspace::from_document(document).map(|workspace| check(&workspace)),
        Kind::Patch => Patch::from_document(document).map(|patch| patch.check_pointers("")),
        Kind::Correlations => CorrelationScheme::from_document(document).map(|_| Findings::default()),
        Kind::Patchset => PatchSet::from_document(document).map(|patchset| patchset.check_pointers()),
    };
    let mut findings = outcome.unwrap_or_else(|findings| findings);
    position::resolve(&document.text, &mut findings);
    (kind, findings)
}

/// The measurement of an index, counted from 0.
///
/// # Errors
/// `InvalidMeasurement`
pub fn measurement(workspace: &Workspace, index: usize) -> Result<&Measurement> {
    workspace.measurements.get(index).ok_or_else(|| {
        let expected = format!("an index below {}, the number of measurements", workspace.measurements.len());
        Finding::new(&rule::UNKNOWN_MEASUREMENT, format!("the measurement index {index}"), expected).into()
    })
}

/// The first measurement of a name.
///
/// # Errors
/// `InvalidMeasurement`
pub fn measurement_named<'w>(workspace: &'w Workspace, name: &str) -> Result<&'w Measurement> {
    let measurements = &workspace.measurements;
    measurements.iter().find(|m| m.name == name).ok_or_else(|| {
        let names: Vec<String> = measurements.iter().take(20).map(|m| quote(&m.name)).collect();
        let found = format!("the measurement {}", quote(name));
        Finding::new(&rule::UNKNOWN_MEASUREMENT, found, format!("one of {}", names.join(", "))).into()
    })
}

/// Checks the length of a vector of data against what a model takes.
///
/// # Errors
/// `InvalidPdfData`
pub fn check_data_length(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let expected = format!("{expected}, the bins and auxiliary data of the model");
    Err(Finding::new(&rule::DATA_LENGTH, format!("{found} numbers"), expected).into())
}
