//! From one format to another (spec/hs3-convert.md): pyhf workspaces to HS3 and back, and HS3 from one program's spelling
//! to another's. Everything that a target cannot carry is told.

mod bins;
mod clip;
pub mod content;
mod exact;
pub mod expand;
pub mod file;
mod form;
mod from_hs3;
mod from_pyhf;
mod leftover;
mod loss;
mod names;
mod pyhs3;
mod pyhs3_densities;
mod reader_types;
mod respell;
mod root;
mod same;
mod spelling;
pub mod target;
mod to_pyhf;
mod variates;
mod words;
pub mod write;
pub mod xml;

pub use content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
pub use from_hs3::from_hs3;
pub use from_pyhf::from_pyhf;
pub use loss::{LOSSES, Loss, Losses};
pub use names::identifier;
pub use target::Target;
pub use to_pyhf::to_pyhf;
pub use write::write;

use crate::document::hs3::{Hs3Document, ReadOptions};
use crate::document::workspace::Workspace;
use crate::finding::{Finding, Findings, Result};
use crate::rule;
use crate::translate::from_hs3::{Hs3Options, likelihood};
use crate::translate::from_pyhf::ModelOptions;
use serde::Serialize;
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
    let file = write(&content, target, &mut losses);
    let document = document(&file, target)?;
    let names = same::written_names(&content, &file);
    let own = from_pyhf::likelihoods(workspace, options)?.into_iter();
    let own = own.filter(|(name, ..)| kept(&file, name, target)).map(|(analysis, model, data)| {
        // Parameters have the order of the model.
        let names = content.parameters.iter().filter_map(|p| names.get(&p.name).cloned()).collect();
        same::Before { analysis, model, data, names }
    });
    same::compare_channels(&own.collect::<Vec<_>>(), &document, target, &mut losses);
    Ok(Converted { document, losses: Losses(losses) })
}

/// An HS3 likelihood of HistFactory channels as a pyhf workspace, with the analyses that use it as measurements.
///
/// # Errors
/// All findings where the likelihood cannot be translated, or where what can be written is no sound workspace.
pub fn hs3_to_pyhf(document: &Hs3Document, options: &Hs3Options) -> Result<Converted> {
    let mut losses = Findings::default();
    let content = from_hs3(document, options, None, &mut losses)?;
    pyhf_of(&content, losses)
}

/// An HS3 document for another reader. One whose likelihood is of HistFactory channels is written anew.
///
/// # Errors
/// All findings where the likelihood cannot be translated.
pub fn hs3_to_hs3(value: &Value, document: &Hs3Document, options: &Hs3Options, target: Target) -> Result<Converted> {
    if !from_hs3::is_channels(document) {
        let mut converted = respell::respell(value, document, target)?;
        same::compare(document, &converted.document, &mut converted.losses.0);
        return Ok(converted);
    }
    let mut losses = Findings::default();
    let content = from_hs3(document, options, Some(target), &mut losses)?;
    let file = write(&content, target, &mut losses);
    let written = self::document(&file, target)?;
    let names = same::written_names(&content, &file);
    let mut own = Vec::new();
    for analysis in content.analyses.iter().filter(|analysis| kept(&file, &analysis.name, target)) {
        let is_own = document.analyses.iter().any(|a| a.name == analysis.name);
        let chosen = is_own.then(|| analysis.name.clone()).or_else(|| options.analysis.clone());
        let options = Hs3Options { analysis: chosen, overrides: same::plain(), ..options.clone() };
        let likelihood = likelihood(document, &options)?;
        let named = likelihood.model.parameter_names().into_iter();
        let names = named.map(|name| names.get(&name).cloned().unwrap_or(name)).collect();
        let (model, data) = (likelihood.model, likelihood.data);
        own.push(same::Before { analysis: analysis.name.clone(), model, data, names });
    }
    same::compare_channels(&own, &written, target, &mut losses);
    Ok(Converted { document: written, losses: Losses(losses) })
}

/// A likelihood of channels as HS3; what is written is read and compiled.
///
/// # Errors
/// What makes it a document that cannot be evaluated.
pub fn content_to_hs3(content: &Content, target: Target) -> Result<Converted> {
    let mut losses = Findings::default();
    let file = write(content, target, &mut losses);
    let document = document(&file, target)?;
    if losses.is_valid() {
        let read = Hs3Document::from_value(&document, &ReadOptions::default())?;
        likelihood(&read, &Hs3Options::default())?;
    }
    Ok(Converted { document, losses: Losses(losses) })
}

/// A likelihood of channels as a pyhf workspace.
///
/// # Errors
/// What makes a workspace unsound.
pub fn content_to_pyhf(content: &Content) -> Result<Converted> {
    pyhf_of(content, Findings::default())
}

fn pyhf_of(content: &Content, mut losses: Findings) -> Result<Converted> {
    match to_pyhf(content, &mut losses) {
        Ok(workspace) => Ok(Converted { document: to_value(&workspace)?, losses: Losses(losses) }),
        Err(found) => {
            losses.0.extend(found.0);
            Err(losses)
        }
    }
}

/// What is written for a target.
fn document(file: &file::File, target: Target) -> Result<Value> {
    let mut document = to_value(file)?;
    if target == Target::Root640 {
        exact::digits(&mut document);
    }
    Ok(document)
}

/// The analysis is there in what was written.
fn kept(file: &file::File, analysis: &str, target: Target) -> bool {
    let name = names::spelling(analysis, target);
    file.analyses.iter().any(|written| written.name == name)
}

fn to_value<T: Serialize>(file: &T) -> Result<Value> {
    serde_json::to_value(file).map_err(|error| {
        let finding = Finding::new(&rule::CONVERT_LOST, error.to_string(), "a document that JSON can hold");
        Findings::from(finding)
    })
}
