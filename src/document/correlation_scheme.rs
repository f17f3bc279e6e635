//! Which parameters of several workspaces are the same, and which are not (spec/combine.md, section 6).

use super::{Document, Kind, violation};
use crate::finding::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A correlation scheme: what becomes of the parameters of workspaces that are combined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelationScheme {
    /// The version of the format: `0.1.0`.
    #[schemars(extend("const" = "0.1.0"))]
    pub version: String,
    /// What becomes of a name that several workspaces have and no entry speaks of.
    #[serde(default)]
    pub shared_names: SharedNames,
    /// The parameters that are spoken of.
    #[serde(default)]
    pub parameters: Vec<SchemeEntry>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SharedNames {
    /// One parameter.
    #[default]
    Same,
    /// One parameter for each workspace, called LABEL_NAME.
    Apart,
    /// An error: every name has its entry.
    Error,
}

/// What becomes of some parameters. Labels stand for workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SchemeEntry {
    Same(Same),
    Apart(Apart),
    Correlated(Correlated),
}

/// One parameter of the combination: that of a name in each of these workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Same {
    /// Its name in the combination.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its name in each workspace, by label.
    #[schemars(extend("minProperties" = 1))]
    pub same: BTreeMap<String, String>,
}

/// One parameter for each workspace that has the name, or names that a glob fits, called LABEL_NAME.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apart {
    #[schemars(length(min = 1))]
    pub apart: String,
}

/// Parameters of several workspaces, called LABEL_NAME, whose constraints are correlated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlated {
    #[schemars(length(min = 2))]
    pub correlated: Vec<LabelledParameter>,
    /// Rows and columns in the order of the parameters: symmetric, 1 on the diagonal, positive definite.
    #[schemars(length(min = 2))]
    pub matrix: Vec<Vec<f64>>,
}

/// A parameter of one workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelledParameter {
    pub label: String,
    pub name: String,
}

impl CorrelationScheme {
    /// Reads a scheme; all schema violations at once.
    pub fn from_document(document: &Document) -> Result<CorrelationScheme> {
        violation::read(document, Kind::Correlations)
    }
}
