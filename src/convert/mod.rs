//! From one format to another (spec/hs3-convert.md): pyhf workspaces to HS3 and back, and HS3 from one program's spelling
//! to another's. Everything that a target cannot carry is told.

mod clip;
pub mod content;
pub mod expand;
pub mod file;
mod form;
mod from_pyhf;
mod loss;
mod names;
mod spelling;
pub mod target;
pub mod write;

pub use content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
pub use from_pyhf::from_pyhf;
pub use loss::{LOSSES, Loss, Losses};
pub use names::identifier;
pub use target::Target;
pub use write::write;

use crate::document::workspace::Workspace;
use crate::finding::{Finding, Findings, Result};
use crate::rule;
use crate::translate::from_pyhf::ModelOptions;
use serde_json::Value;

/// A document that was converted, and what it lost.
#[derive(Clone, Debug)]
pub struct Converted {
    pub document: Value,
    pub losses: Losses,
}

/// A pyhf workspace as HS3: of one measurement, where `options` name it, else of all.
///
/// # Errors
/// All findings where no model can be made of the workspace.
pub fn pyhf_to_hs3(workspace: &Workspace, options: &ModelOptions, target: Target) -> Result<Converted> {
    let mut losses = Findings::default();
    let content = from_pyhf(workspace, options, &mut losses)?;
    let document = to_value(&write(&content, target, &mut losses))?;
    Ok(Converted { document, losses: Losses(losses) })
}

fn to_value(file: &file::File) -> Result<Value> {
    serde_json::to_value(file).map_err(|error| {
        let finding = Finding::new(&rule::CONVERT_LOST, error.to_string(), "a document that JSON can hold");
        Findings::from(finding)
    })
}
