//! A model and data → workspace (spec/operations.md, "build"), with what the model knows of its parameters written out.

use super::from_pyhf::{self, Compat, ModelOptions};
use crate::document::workspace::{ParameterConfig, Workspace};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{Model, ParameterSet};
use crate::rule;
use crate::workspace::{Measurements, Scope, load_value, validate};
use serde_json::{Value, json};

/// What is not in the specification of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildOptions {
    /// Name of the measurement that is written; of one that is read, where the specification is a workspace.
    pub measurement: String,
    /// The parameter of interest, instead of that of a workspace; `mu` where there is neither.
    pub poi: Option<String>,
    pub compat: Compat,
}

/// The workspace of a specification of a model, `{"channels": […], "parameters": […]}`, or of the channels and the first
/// measurement of a workspace, and of data: all bins in the order of channels by name, then all auxiliary data or none.
///
/// # Errors
/// All findings, warnings included, with pointers into the specification; `InvalidPdfData` for data of another length.
pub fn build(spec: &Value, data: &[f64], options: &BuildOptions) -> Result<(Value, Findings)> {
    let draft = draft(spec, options)?;
    let place = |findings: Findings| placed(spec, findings);
    let workspace = Workspace::from_value(&draft).map_err(place)?;
    // Counts come later.
    let scope = Scope { compat: options.compat, measurements: Measurements::All };
    let mut findings = validate::check(&workspace, &scope);
    findings.0.retain(|finding| ![rule::OBSERVATION_BINS.id, rule::MISSING_OBSERVATION.id].contains(&finding.rule));
    if !findings.is_valid() {
        return Err(place(findings));
    }
    let model_options = ModelOptions { compat: options.compat, ..ModelOptions::default() };
    let model = from_pyhf::model(&workspace, &model_options).map_err(place)?;
    let usual = model.auxdata();
    let (main, auxiliary) = match data.len().checked_sub(model.n_bins()) {
        Some(0) => (data, usual.as_slice()),
        Some(rest) if rest == usual.len() => data.split_at(model.n_bins()),
        _ => {
            let expected = format!("{} bins, and {} auxiliary data or none", model.n_bins(), usual.len());
            return Err(Finding::new(&rule::DATA_LENGTH, format!("{} numbers", data.len()), expected).into());
        }
    };
    let mut built = draft.clone();
    built["observations"] = observations(&model, main);
    let given = workspace.measurements.first().map(|measurement| measurement.config.parameters.as_slice());
    built["measurements"][0]["config"]["parameters"] = parameters(&model, auxiliary, given.unwrap_or_default());
    let loaded = load_value(built.clone(), &scope).map_err(place)?;
    Ok((built, loaded.warnings))
}

/// The specification as a workspace whose observations are still missing.
fn draft(spec: &Value, options: &BuildOptions) -> Result<Value> {
    let Some(members) = spec.as_object() else {
        let found = crate::finding::describe(spec);
        return Err(Finding::new(&rule::SPECIFICATION, found, "an object with channels").at("").into());
    };
    let is_workspace = is_workspace(spec);
    let known: &[&str] = match is_workspace {
        true => &["channels", "measurements", "observations", "version"],
        false => &["channels", "parameters"],
    };
    let strange = members.keys().filter(|key| !known.contains(&key.as_str()));
    let strange = strange.map(|key| {
        let expected = format!("only {}", known.join(", "));
        let pointer = format!("/{}", crate::finding::escape_token(key));
        Finding::new(&rule::SPECIFICATION, format!("the key {}", quote(key)), expected).at(pointer)
    });
    let findings = Findings(strange.collect());
    if !findings.is_valid() {
        return Err(findings);
    }
    let own = |key: &str| spec.pointer(&format!("/measurements/0/config/{key}")).cloned();
    let parameters = match is_workspace {
        true => own("parameters"),
        false => spec.get("parameters").cloned(),
    };
    let poi = options.poi.as_ref().map(|poi| json!(poi)).or_else(|| own("poi")).unwrap_or_else(|| json!("mu"));
    let config = json!({"poi": poi, "parameters": parameters.unwrap_or_else(|| json!([]))});
    let channels = spec.get("channels").cloned().unwrap_or_else(|| json!([]));
    let names = channels.as_array().into_iter().flatten().map(|channel| channel["name"].clone());
    let observations: Vec<Value> = names.map(|name| json!({"name": name, "data": [0]})).collect();
    Ok(json!({
        "channels": channels,
        "measurements": [{"name": options.measurement, "config": config}],
        "observations": observations,
        "version": "1.0.0",
    }))
}

fn is_workspace(spec: &Value) -> bool {
    spec.get("measurements").is_some()
}

/// Findings about the draft, at the places in the specification.
fn placed(spec: &Value, mut findings: Findings) -> Findings {
    for finding in findings.0.iter_mut().filter(|_| !is_workspace(spec)) {
        let pointer = finding.pointer.take().unwrap_or_default();
        let own = pointer.strip_prefix("/measurements/0/config/parameters").map(|rest| format!("/parameters{rest}"));
        let elsewhere = pointer.starts_with("/measurements") || pointer.starts_with("/observations");
        finding.pointer = Some(own.unwrap_or(if elsewhere { String::new() } else { pointer }));
    }
    findings
}

/// One for each channel, by name.
fn observations(model: &Model, main: &[f64]) -> Value {
    let mut rest = main;
    let mut observations = Vec::with_capacity(model.channels.len());
    for channel in &model.channels {
        let (own, others) = rest.split_at(channel.n_bins.min(rest.len()));
        rest = others;
        observations.push(json!({"name": channel.name, "data": own}));
    }
    Value::Array(observations)
}

/// Start, bounds and fixed flag of every set, with the constraint that the specification gives or the data have.
fn parameters(model: &Model, auxiliary: &[f64], given: &[ParameterConfig]) -> Value {
    let mut rest = auxiliary;
    let mut written = Vec::with_capacity(model.parameters.len());
    for set in &model.parameters {
        let bounds: Vec<[f64; 2]> = set.bounds.iter().map(|(low, high)| [*low, *high]).collect();
        let mut entry = json!({"name": set.name, "inits": set.init, "bounds": bounds});
        // Where only some are fixed, that follows from bins without uncertainty.
        if let Some(fixed) = all(set) {
            entry["fixed"] = json!(fixed);
        }
        let config = given.iter().find(|config| config.name == set.name);
        for (key, list) in [
            ("auxdata", config.and_then(|config| config.auxdata.as_ref())),
            ("sigmas", config.and_then(|config| config.sigmas.as_ref())),
            ("factors", config.and_then(|config| config.factors.as_ref())),
        ] {
            if let Some(list) = list {
                entry[key] = json!(list);
            }
        }
        if let Some(constraints) = &set.constraints {
            let (own, others) = rest.split_at(constraints.len().min(rest.len()));
            rest = others;
            let usual: Vec<f64> = constraints.iter().map(|constraint| constraint.auxdata()).collect();
            if own != usual {
                entry["auxdata"] = json!(own);
            }
        }
        written.push(entry);
    }
    Value::Array(written)
}

/// The flag that all values share.
fn all(set: &ParameterSet) -> Option<bool> {
    let first = set.fixed.first().copied()?;
    set.fixed.iter().all(|fixed| *fixed == first).then_some(first)
}
