//! Questions about HS3 documents, as the other questions of this library.

use super::case::{ErrorAnswer, Request};
use super::library::{Answered, Built, bad_request, document, loaded, refused, text};
use crate::cli::CommandError;
use crate::cli::hs3_args::Hs3Args;
use crate::convert::Target;
use crate::convert::expand::{self, Layers};
use crate::document::hs3::Hs3Document;
use crate::document::{Document, Limits};
use crate::translate::check_hs3;
use crate::translate::from_hs3::{self, Hs3Options};
use crate::translate::from_pyhf;
use serde_json::{Value, json};

/// What is written, and what the likelihoods need.
pub fn validate(request: &Request) -> Answered {
    let args = args(request)?;
    let text = request.documents.get("document").ok_or_else(|| bad_request("no document"))?;
    let document = Document::from_slice("document", text.clone().into_bytes(), &Limits::default());
    let read = document.and_then(|d| Hs3Document::from_document(&d, &args.reading()).map(|read| (d.text, read)));
    let findings = match read {
        Ok((text, read)) => check_hs3(&read, &options(request, &args, &read)?, Some(&text)),
        Err(findings) => findings,
    };
    Ok(json!({"valid": findings.is_valid(), "findings": findings}))
}

pub fn built(request: &Request) -> Result<Built, ErrorAnswer> {
    let document = document(request, "hs3")?;
    let args = args(request)?;
    let read = Hs3Document::from_document(&document, &args.reading()).map_err(refused)?;
    let likelihood = from_hs3::likelihood(&read, &options(request, &args, &read)?).map_err(refused)?;
    let offset = likelihood.nll_roofit(0.0, &likelihood.data);
    let roofit_offset = likelihood.beside_file.is_none().then_some(offset);
    let (model, data) = (likelihood.model, likelihood.data);
    let poi = model.poi.and_then(|index| model.parameter_names().get(index).cloned());
    Ok(Built { model, data, poi, roofit_offset })
}

/// Whether an EFT document has a form as standard HS3; the file itself as `hs3`.
pub fn expand(request: &Request) -> Answered {
    let target = match text(request, "target") {
        Some("hs3") => Target::Canonical,
        Some("root-6.40") => Target::Root640,
        Some("pyhs3") => Target::Pyhs3,
        _ => return Err(bad_request("target is hs3, root-6.40 or pyhs3")),
    };
    let (loaded, options) = loaded(request)?;
    let workspace = &loaded.workspace;
    let model = from_pyhf::model(workspace, &options).map_err(refused)?;
    let data = from_pyhf::data(workspace, &model).map_err(refused)?;
    let first = || workspace.measurements.first().map(|measurement| measurement.name.clone());
    let measurement = options.measurement.or_else(first).unwrap_or_default();
    let layers = Layers::Both { max_np_order: None };
    let expansion = expand::expand(workspace, &measurement, &model, &data, target, layers).map_err(refused)?;
    Ok(json!({"expanded": true, "hs3": expansion.document}))
}

/// `dialect`, `strict` and `conventions` of the input.
fn args(request: &Request) -> Result<Hs3Args, ErrorAnswer> {
    let word = |value: &Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let conventions = request.input.get("conventions").and_then(Value::as_object).into_iter().flatten();
    Ok(Hs3Args {
        dialect: text(request, "dialect").map(str::parse).transpose().map_err(|e: String| bad_request(e))?,
        strict: request.input.get("strict") == Some(&Value::Bool(true)),
        convention: conventions.map(|(name, value)| format!("{name}={}", word(value))).collect(),
        ..Hs3Args::default()
    })
}

fn options(request: &Request, args: &Hs3Args, document: &Hs3Document) -> Result<Hs3Options, ErrorAnswer> {
    let options = args.options(document, text(request, "measurement")).map_err(|error| match error {
        CommandError::Usage(message) | CommandError::Message(message) => bad_request(message),
        _ => bad_request("no such likelihood"),
    })?;
    Ok(Hs3Options { folder: request.folders.get("hs3").cloned(), ..options })
}
