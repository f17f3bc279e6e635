//! What `symmetrise` changed, as JSON.

use crate::workspace::edit::symmetrise::Changed;
use schemars::JsonSchema;
use serde::Serialize;

/// The report of `symmetrise`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SymmetriseReport {
    /// In the order of the document.
    pub changed: Vec<Changed>,
}
