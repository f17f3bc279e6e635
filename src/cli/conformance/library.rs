//! This library as the program under test.

use super::case::{ErrorAnswer, Outcome, Request};
use super::{hs3, inference, operations};
use crate::document::digest::{self, Algorithm};
use crate::document::patch::{self, Patch};
use crate::document::patchset::{PatchSet, PatchValue};
use crate::document::{Document, Kind, Limits};
use crate::finding::{Findings, Severity};
use crate::infer;
use crate::kernel::Evaluator;
use crate::model::{Constraint, Data, HistosysCode, Model, NormsysCode, ParameterSet};
use crate::program::Program;
use crate::report::by_name;
use crate::report::fit::FitReport;
use crate::translate::from_pyhf::{self, Compat, ModelOptions};
use crate::workspace::{self, Loaded, Measurements, Scope};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Answers one request; what cannot be answered is an error of a class.
pub fn answer(request: &Request) -> Outcome {
    let result = match request.operation {
        "validate" => validate(request),
        "model" => built(request).map(|built| describe(&built)),
        "evaluate" => built(request).and_then(|built| evaluate(request, &built)),
        "gradient" => built(request).and_then(|built| gradient(request, &built)),
        "hessian" => built(request).and_then(|built| hessian(request, &built)),
        "fit" => built(request).and_then(|built| fit(&built)),
        "expand" => hs3::expand(request),
        "patch" => patch(request),
        "patchset_verify" => patchset_verify(request),
        "patchset_lookup" => patchset_lookup(request),
        "patchset_extract" => patchset_extract(request),
        "digest" => digest_of(request),
        "about" => Ok(json!({"program": "morphist", "version": env!("CARGO_PKG_VERSION")})),
        other => match inference::answer(request).or_else(|| operations::answer(request)) {
            Some(answered) => answered,
            None => return Outcome::Unsupported(other.to_owned()),
        },
    };
    result.map_or_else(Outcome::Error, Outcome::Result)
}

pub type Answered = Result<Value, ErrorAnswer>;

/// The first error among findings stands for all.
pub fn refused(findings: Findings) -> ErrorAnswer {
    let first = findings.0.iter().find(|f| f.severity == Severity::Error);
    ErrorAnswer { class: first.map(|f| f.class.to_owned()).unwrap_or_default(), message: findings.to_string() }
}

/// The request itself is at fault.
pub fn bad_request(message: impl Into<String>) -> ErrorAnswer {
    ErrorAnswer { class: "BadRequest".to_owned(), message: message.into() }
}

pub fn document(request: &Request, name: &str) -> Result<Document, ErrorAnswer> {
    let text = request.documents.get(name).ok_or_else(|| bad_request(format!("no document {name}")))?;
    Document::from_slice(name, text.clone().into_bytes(), &Limits::default()).map_err(refused)
}

pub fn text<'r>(request: &'r Request, key: &str) -> Option<&'r str> {
    request.input.get(key).and_then(Value::as_str)
}

fn validate(request: &Request) -> Answered {
    if text(request, "kind") == Some("hs3") {
        return hs3::validate(request);
    }
    let kind = match text(request, "kind") {
        Some("workspace") => Kind::Workspace,
        Some("patch") => Kind::Patch,
        Some("patchset") => Kind::Patchset,
        _ => return Err(bad_request("kind is workspace, patch, patchset or hs3")),
    };
    let text = request.documents.get("document").ok_or_else(|| bad_request("no document"))?;
    let findings = match Document::from_slice("document", text.clone().into_bytes(), &Limits::default()) {
        Ok(document) => workspace::validate(&document, Some(kind), &Scope::default()).1,
        Err(findings) => findings,
    };
    Ok(json!({"valid": findings.is_valid(), "findings": findings}))
}

/// A model with its data.
pub struct Built {
    pub model: Model,
    pub data: Data,
    pub poi: Option<String>,
    /// What RooFit's −ln L is more, of HS3 documents.
    pub roofit_offset: Option<f64>,
}

pub fn built(request: &Request) -> Result<Built, ErrorAnswer> {
    if request.documents.contains_key("hs3") {
        return hs3::built(request);
    }
    let (loaded, options) = loaded(request)?;
    let model = from_pyhf::model(&loaded.workspace, &options).map_err(refused)?;
    let data = from_pyhf::data(&loaded.workspace, &model).map_err(refused)?;
    let names = model.parameter_names();
    let poi = model.poi.and_then(|index| names.get(index).cloned());
    Ok(Built { model, data, poi, roofit_offset: None })
}

/// The workspace of a request, with what is chosen for its model.
pub fn loaded(request: &Request) -> Result<(Loaded, ModelOptions), ErrorAnswer> {
    let options = options(request)?;
    let measurements = options.measurement.clone().map_or(Measurements::First, Measurements::Named);
    let scope = Scope { compat: Compat::Strict, measurements };
    let loaded = workspace::load(document(request, "workspace")?, &[], &scope).map_err(refused)?;
    Ok((loaded, options))
}

fn options(request: &Request) -> Result<ModelOptions, ErrorAnswer> {
    let code = |kind| request.input.get("interpolation").and_then(|codes| codes.get(kind)).and_then(Value::as_str);
    let normsys = match code("normsys") {
        Some("code1") => NormsysCode::Code1,
        Some("code4") | None => NormsysCode::Code4,
        Some(other) => return Err(bad_request(format!("normsys has no {other}"))),
    };
    let histosys = match code("histosys") {
        Some("code0") => HistosysCode::Code0,
        Some("code2") => HistosysCode::Code2,
        Some("code4p") | None => HistosysCode::Code4p,
        Some(other) => return Err(bad_request(format!("histosys has no {other}"))),
    };
    Ok(ModelOptions {
        measurement: text(request, "measurement").map(str::to_owned),
        normsys,
        histosys,
        clip_sample_data: request.input.get("clip_sample_data").and_then(Value::as_f64),
        clip_bin_data: request.input.get("clip_bin_data").and_then(Value::as_f64),
        folder: request.folders.get("workspace").cloned(),
        ..ModelOptions::default()
    })
}

/// The request's parameters in fit order; every one must be given, but for constants and functions of HS3 documents.
fn point(request: &Request, model: &Model) -> Result<Vec<f64>, ErrorAnswer> {
    let given = request.input.get("parameters").unwrap_or(&Value::Null);
    let mut settings = by_name::read(model, given).map_err(|problems| bad_request(problems.join("; ")))?;
    if request.documents.contains_key("hs3") {
        let fixed: HashSet<String> = model
            .parameter_names()
            .into_iter()
            .zip(model.fixed())
            .filter_map(|(name, fixed)| fixed.then_some(name))
            .collect();
        settings.missing.retain(|name| !fixed.contains(name));
    }
    if !settings.missing.is_empty() {
        return Err(bad_request(format!("no values for {}", settings.missing.join(", "))));
    }
    let mut point = model.init();
    settings.values.into_iter().for_each(|(place, value)| point[place] = value);
    model.driven.iter().for_each(|driven| driven.complete(&mut point));
    Ok(point)
}

fn describe(built: &Built) -> Value {
    let model = &built.model;
    let channels: Vec<Value> = model.channels.iter().map(|c| json!({"name": c.name, "bins": c.n_bins})).collect();
    let mut samples: Vec<&str> = model.channels.iter().flat_map(|c| &c.samples).map(|s| s.name.as_str()).collect();
    samples.sort_unstable();
    samples.dedup();
    let constrained = model.parameters.iter().filter(|p| p.constraints.is_some());
    json!({
        "poi": built.poi,
        "channels": channels,
        "samples": samples,
        "parameters": model.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "auxdata_order": constrained.map(|p| p.name.as_str()).collect::<Vec<_>>(),
    })
}

fn parameter(set: &ParameterSet) -> Value {
    let mut entry = json!({
        "name": set.name, "scalar": set.scalar, "init": set.init,
        "bounds": set.bounds, "fixed": set.fixed, "constraint": null,
    });
    let (Some(constraints), Some(members)) = (&set.constraints, entry.as_object_mut()) else { return entry };
    let gaussian = matches!(constraints.first(), Some(Constraint::Gaussian { .. }));
    let (kind, key) = if gaussian { ("gaussian", "sigmas") } else { ("poisson", "factors") };
    let scale = |c: &Constraint| match *c {
        Constraint::Gaussian { sigma, .. } => sigma,
        Constraint::Poisson { factor, .. } => factor,
    };
    members.insert("constraint".to_owned(), json!(kind));
    members.insert("auxdata".to_owned(), constraints.iter().map(Constraint::auxdata).collect());
    members.insert(key.to_owned(), constraints.iter().map(scale).collect());
    entry
}

fn evaluate(request: &Request, built: &Built) -> Answered {
    let (model, program) = (&built.model, Program::compile(&built.model));
    let parameters = point(request, model)?;
    let mut evaluator = Evaluator::new(&program);
    let value = evaluator.twice_nll(&parameters, &program.prepare(&built.data));
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    evaluator.expected(&parameters, &mut main, &mut auxiliary);
    let expected = json!({"main": by_channel(model, &main), "auxdata": by_constraint(model, &auxiliary)});
    let mut answer = json!({"twice_nll": value, "expected_data": expected});
    if let (Some(offset), Some(members)) = (built.roofit_offset, answer.as_object_mut()) {
        members.insert("nll_roofit".to_owned(), json!(0.5 * value + offset));
    }
    Ok(answer)
}

/// Main data by channel.
pub fn by_channel(model: &Model, mut main: &[f64]) -> Map<String, Value> {
    let mut map = Map::new();
    for channel in &model.channels {
        let (bins, rest) = main.split_at(channel.n_bins.min(main.len()));
        map.insert(channel.name.clone(), json!(bins));
        main = rest;
    }
    map
}

/// Auxiliary data by constrained parameter, then those of profiled statistical uncertainties by channel.
pub fn by_constraint(model: &Model, mut auxiliary: &[f64]) -> Map<String, Value> {
    let mut map = Map::new();
    let constrained = model.parameters.iter().filter(|set| set.constraints.is_some());
    for (name, length) in constrained.map(|set| (set.name.clone(), set.len())).chain(model.uncertain_channels()) {
        let (values, rest) = auxiliary.split_at(length.min(auxiliary.len()));
        map.insert(name, json!(values));
        auxiliary = rest;
    }
    map
}

fn gradient(request: &Request, built: &Built) -> Answered {
    let program = Program::compile(&built.model);
    let parameters = point(request, &built.model)?;
    let mut gradient = vec![0.0; program.n_parameters()];
    Evaluator::new(&program).gradient(&parameters, &program.prepare(&built.data), &mut gradient);
    Ok(json!({"gradient": by_name::by_name(&built.model, &gradient)}))
}

fn hessian(request: &Request, built: &Built) -> Answered {
    let program = Program::compile(&built.model);
    let parameters = point(request, &built.model)?;
    let n = program.n_parameters();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    Evaluator::new(&program).hessian(&parameters, &program.prepare(&built.data), &mut gradient, &mut hessian);
    let rows: Vec<&[f64]> = hessian.chunks(n.max(1)).collect();
    Ok(json!({"hessian": {"labels": built.model.parameter_names(), "values": rows}}))
}

fn fit(built: &Built) -> Answered {
    let (model, program) = (&built.model, Program::compile(&built.model));
    let options = infer::FitOptions::new(model);
    let result = infer::fit(&mut Evaluator::new(&program), &program.prepare(&built.data), &options);
    serde_json::to_value(FitReport::new(model, &options, &result)).map_err(|e| bad_request(e.to_string()))
}

fn patch(request: &Request) -> Answered {
    let target = document(request, "workspace")?;
    let value = target.value().map_err(refused)?;
    let patch = if request.documents.contains_key("patchset") {
        let patchset = PatchSet::from_document(&document(request, "patchset")?).map_err(refused)?;
        let point = patchset.lookup(text(request, "name").unwrap_or_default()).map_err(refused)?;
        patchset.verify(&value).map_err(refused)?;
        point.patch.clone()
    } else {
        Patch::from_document(&document(request, "patch")?).map_err(refused)?
    };
    let patched = patch::apply(value, &patch, target.limits()).map_err(refused)?;
    Ok(json!({"document": patched}))
}

fn patchset_verify(request: &Request) -> Answered {
    let patchset = PatchSet::from_document(&document(request, "patchset")?).map_err(refused)?;
    let value = document(request, "workspace")?.value().map_err(refused)?;
    patchset.verify(&value).map_err(refused)?;
    Ok(json!({"verified": true}))
}

/// The patch of a name, as it is written.
fn patchset_extract(request: &Request) -> Answered {
    let document = document(request, "patchset")?;
    let patchset = PatchSet::from_document(&document).map_err(refused)?;
    let name = &patchset.lookup(text(request, "name").unwrap_or_default()).map_err(refused)?.metadata.name;
    let index = patchset.patches.iter().position(|point| point.metadata.name == *name).unwrap_or_default();
    let value = document.value().map_err(refused)?;
    Ok(json!({"patch": value.pointer(&format!("/patches/{index}/patch"))}))
}

fn patchset_lookup(request: &Request) -> Answered {
    let patchset = PatchSet::from_document(&document(request, "patchset")?).map_err(refused)?;
    let found = match (text(request, "name"), request.input.get("values")) {
        (Some(name), _) => patchset.lookup(name),
        (None, Some(values)) => {
            let values: Vec<PatchValue> =
                serde_json::from_value(values.clone()).map_err(|e| bad_request(e.to_string()))?;
            patchset.lookup_values(&values)
        }
        (None, None) => return Err(bad_request("neither name nor values")),
    };
    let metadata = &found.map_err(refused)?.metadata;
    Ok(json!({"name": metadata.name, "values": metadata.values}))
}

fn digest_of(request: &Request) -> Answered {
    let algorithm = match text(request, "algorithm") {
        Some("md5") => Algorithm::Md5,
        Some("sha256") => Algorithm::Sha256,
        _ => return Err(bad_request("algorithm is md5 or sha256")),
    };
    let value = document(request, "document")?.value().map_err(refused)?;
    Ok(json!({"digest": digest::digest(&value, algorithm)}))
}
