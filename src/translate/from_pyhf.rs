//! pyhf workspace → [`Model`] and [`Data`] (spec/workspace.md).

use crate::document::workspace::Workspace;
use crate::finding::Result;
use crate::model::{Data, HistosysCode, Model, NormsysCode};

/// Whose rules decide where pyhf lets pass what this crate calls an error (spec/validation.md, "Compatibility").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    #[default]
    Strict,
    Pyhf,
}

/// What is chosen beyond the document when a model is built.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// Name of the measurement; the first by default.
    pub measurement: Option<String>,
    /// Replaces the measurement's POI; `Some("")` means none.
    pub poi: Option<String>,
    pub normsys: NormsysCode,
    pub histosys: HistosysCode,
    pub clip_sample_data: Option<f64>,
    pub clip_bin_data: Option<f64>,
    pub compat: Compat,
}

/// Builds the model of one measurement. The workspace has passed [`crate::workspace::validate`].
///
/// A POI that names no scalar parameter leaves `Model::poi` empty: who needs it reports `InvalidModel`.
pub fn model(_workspace: &Workspace, _options: &ModelOptions) -> Result<Model> {
    todo!()
}

/// Observed counts in the model's channel order, with the model's auxiliary data.
pub fn data(_workspace: &Workspace, _model: &Model) -> Result<Data> {
    todo!()
}
