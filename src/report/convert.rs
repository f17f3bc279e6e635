//! What a conversion changed or lost, as JSON.

use crate::finding::Findings;
use schemars::JsonSchema;
use serde::Serialize;

/// The report of `convert`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConvertReport {
    /// Errors change the likelihood or its parameters; warnings do not, or were allowed.
    pub losses: Findings,
    /// `hs3`, `root-6.40`, `pyhs3` or `pyhf`.
    pub target: String,
    /// The document was written: no loss is an error.
    pub written: bool,
}

impl ConvertReport {
    pub fn new(losses: &Findings, target: &str, written: bool) -> ConvertReport {
        ConvertReport { losses: losses.clone(), target: target.to_owned(), written }
    }
}
