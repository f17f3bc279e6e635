//! JSON Schemas (2020-12) of the documents, generated from their types; `schemas/` holds them as files.

use super::correlation_scheme::CorrelationScheme;
use super::hs3::EftFile;
use super::simplified_likelihood::SimplifiedLikelihood;
use super::{Kind, patch::Patch, patchset::PatchSet, workspace::Workspace};
use jsonschema::Validator;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::sync::OnceLock;

/// A named schema: `schemas/NAME.json`.
pub struct Named {
    pub name: &'static str,
    pub generate: fn() -> Value,
}

/// The schemas of the documents that are read. Reports have theirs in [`crate::report`].
pub const DOCUMENTS: &[Named] = &[
    Named { name: "workspace", generate: generate::<Workspace> },
    Named { name: "patch", generate: generate::<Patch> },
    Named { name: "patchset", generate: generate::<PatchSet> },
    Named { name: "correlation-scheme", generate: generate::<CorrelationScheme> },
    Named { name: "eft-hs3", generate: generate::<EftFile> },
    Named { name: "simplified-likelihood", generate: generate::<SimplifiedLikelihood> },
];

/// The schema of a type.
pub fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}

/// A schema and what checks documents against it, made once.
pub(super) struct Compiled {
    pub schema: Value,
    pub validator: Option<Validator>,
}

/// The compiled schema of a kind of document.
pub(super) fn compiled(kind: Kind) -> &'static Compiled {
    static WORKSPACE: OnceLock<Compiled> = OnceLock::new();
    static PATCH: OnceLock<Compiled> = OnceLock::new();
    static PATCHSET: OnceLock<Compiled> = OnceLock::new();
    static CORRELATIONS: OnceLock<Compiled> = OnceLock::new();
    match kind {
        Kind::Workspace => WORKSPACE.get_or_init(|| compile(generate::<Workspace>())),
        Kind::Patch => PATCH.get_or_init(|| compile(generate::<Patch>())),
        Kind::Patchset => PATCHSET.get_or_init(|| compile(generate::<PatchSet>())),
        Kind::Correlations => CORRELATIONS.get_or_init(|| compile(generate::<CorrelationScheme>())),
    }
}

pub(super) fn compile(schema: Value) -> Compiled {
    // Generated schemas always compile (tests/schemas/documents.rs); were one not to, no document would be called valid by it.
    let validator = jsonschema::draft202012::new(&schema).ok();
    Compiled { schema, validator }
}
