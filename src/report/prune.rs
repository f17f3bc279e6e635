//! What `prune` left out, as JSON.

use crate::workspace::edit::prune::Dropped;
use schemars::JsonSchema;
use serde::Serialize;

/// The report of `prune`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PruneReport {
    /// What was left out by itself, in the order of the document; what belonged to it is not listed.
    pub dropped: Vec<Dropped>,
    /// Normsys and histosys whose effect is smaller were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub smaller_than: Option<f64>,
}
