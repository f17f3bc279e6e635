//! EFT documents as standard HS3 (spec/eft-hs3.md): one file that ROOT 6.40 and pyhs3 both evaluate, to the same number.
//!
//! * `names`, `formula`: parameters, functions and their formulas in a form that both read;
//! * `samples`: parts of samples as samples with functions for factors;
//! * `statistics`: the uncertainty of simulated responses;
//! * `measurements`: measurements with Gaussian errors as constraints on functions;
//! * `compact`: the document itself beside its expansion;
//! * `portable`: what both programs need beyond what one of them does.

mod compact;
mod formula;
mod measurements;
mod names;
mod portable;
mod samples;
mod statistics;

use super::content::{Analysis, Channel, Content, Parameter, Setting};
use super::file::Function;
use super::names::Taken;
use super::{Target, write};
use crate::document::hs3::{Hs3Document, ReadOptions};
use crate::document::workspace::Workspace;
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::eft::measurement::Flat;
use crate::model::{Constraint, Data, Effect, HistosysCode, Model, NormsysCode, Part};
use crate::rule;
use crate::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use compact::Origin;
use names::{Functions, Names};
use samples::Maker;
use serde_json::{Value, json};
use std::collections::HashSet;

/// What is made of an EFT document.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The HS3 document.
    pub document: Value,
    /// The name in the file of each scalar parameter, in fit order.
    pub parameters: Vec<String>,
    /// The names of the profiled η_b of uncertain bins, in order.
    pub etas: Vec<String>,
    /// What is written in another way.
    pub notes: Findings,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// The expansion, and the document under keys of its own, with the order in 1/Λ² at which the model ends all responses.
    Both { max_np_order: Option<u32> },
    /// The expansion alone.
    Portable,
}

/// Writes the likelihood of a model with its data as standard HS3.
///
/// # Errors
/// `ConversionLoss` for everything that has no exact form in the standard: nothing is left out.
pub fn expand(
    workspace: &Workspace,
    measurement: &str,
    model: &Model,
    data: &Data,
    target: Target,
    layers: Layers,
) -> Result<Expansion> {
    let mut findings = Findings::default();
    refuse(model, &mut findings);
    let mut names = Names::new(model);
    let mut functions = Functions::default();
    let mut parameters = settings(model, &names);
    let mut channels = Vec::with_capacity(model.channels.len());
    let (mut first, mut etas, mut origins) = (0, Vec::new(), Vec::new());
    for channel in &model.channels {
        let observed = data.main.get(first..first + channel.n_bins).unwrap_or_default().to_vec();
        first += channel.n_bins;
        let (written, own, origin) =
            self::channel(workspace, channel, observed, model, &mut names, &mut functions, &mut findings);
        channels.push(written);
        origins.push(origin);
        etas.extend(own.iter().map(|eta| eta.name.clone()));
        parameters.extend(own);
    }
    tie_nuisances(&mut channels, &parameters);
    let points = measurements::points(model, &mut names, &mut functions);
    derived(model, &mut names, &mut functions);
    if !findings.0.is_empty() {
        return Err(findings);
    }
    let function = |(name, expression): (String, String)| Function::generic(name, expression);
    let content = Content {
        channels,
        functions: functions.all.into_iter().map(function).collect(),
        analyses: vec![analysis(workspace, measurement, model, &names)],
        parameters,
        ..Content::default()
    };
    let mut notes = Findings::default();
    for (own, written) in &names.renamed {
        let found = format!("the parameter {}", quote(own));
        notes.push(Finding::new(&rule::CONVERT_RENAMED, found, format!("the name {} in its place", quote(written))));
    }
    for other in workspace.measurements.iter().filter(|m| m.name != measurement) {
        let found = format!("the measurement {}", quote(&other.name));
        notes.push(Finding::new(&rule::CONVERT_DROPPED, found, "one measurement a file: expand it by itself"));
    }
    let mut file = write(&content, target, &mut notes);
    portable::complete(&mut file, points, &mut names, target);
    if !notes.is_valid() {
        return Err(notes);
    }
    if target == Target::Root640 {
        // This file is the one for pyhs3, too.
        super::pyhs3::adapt(&mut file, &mut notes);
    }
    let mut document = json!(file);
    if target == Target::Root640 {
        super::exact::digits(&mut document);
    }
    compare(&document, model, data, &names.parameters, &etas, &mut notes)?;
    if let Layers::Both { max_np_order } = layers {
        let layer = compact::Layer { measurement, model, max_np_order, parameters: &names.parameters, etas: &etas };
        compact::add(&mut document, workspace, &origins, &layer);
    }
    Ok(Expansion { document, parameters: names.parameters, etas, notes })
}

/// The expansion as it is read is the function that the model is (spec/eft-hs3.md, section 6).
///
/// # Errors
/// Where it is not.
fn compare(
    document: &Value,
    model: &Model,
    data: &Data,
    parameters: &[String],
    etas: &[String],
    notes: &mut Findings,
) -> Result<()> {
    let read = Hs3Document::from_value(document, &ReadOptions::default())?;
    let expansion = from_hs3::likelihood(&read, &Hs3Options::default())?;
    let own = Hs3Likelihood { model: model.clone(), data: data.clone(), ..expansion.clone() };
    match from_hs3::compare(&own, &expansion, parameters, etas, &|_| true) {
        Ok(0) => {
            let found = "no point at which document and expansion are both in their domain";
            notes.push(Finding::new(&rule::EFT_LAYER, found, "one of three at which they can be compared"));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(why) => {
            Err(Finding::new(&rule::EFT_NOT_IN_HS3, why, "an expansion that says what the document says").into())
        }
    }
}

/// What no document of the standard can say.
fn refuse(model: &Model, findings: &mut Findings) {
    for (i, term) in model.unbinned.iter().enumerate() {
        let found = format!("the unbinned term {}", quote(&term.name));
        let expected = "channels and measurements alone: the standard has no ratio of densities of single events";
        findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, found, expected).at(format!("/eft/unbinned_terms/{i}")));
    }
    let flat = match &model.measurements.flat {
        Flat::Clamped(widths) => (!widths.is_empty()).then_some("clamp"),
        Flat::Marginalised(widths) => (!widths.is_empty()).then_some("marginalised"),
    };
    if let Some(flat) = flat {
        let expected = "flat errors that are profiled, as parameters: the standard has no density for others";
        let found = format!("flat errors of the kind {}", quote(flat));
        findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, found, expected).at("/eft/flat_errors"));
    }
    if model.channels.is_empty() {
        let expected = "at least one channel: ROOT reads constraints with channels only";
        findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, "a document without channels", expected).at("/channels"));
    }
    let code = |effect: &Effect| match effect {
        Effect::Offset { code, .. } => *code == HistosysCode::Code4p,
        Effect::InterpolatedScale { code, .. } => *code == NormsysCode::Code4,
        _ => true,
    };
    if !model.parts().flat_map(|part| &part.effects).all(code) {
        let expected = "code 4 of normsys and 4p of histosys, which all programs have";
        findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, "another interpolation code", expected));
    }
    let clipped = model.clip_bin_data.is_some() || model.clip_sample_data.is_some() || model.template_clip.is_some();
    if clipped || !model.penalties.is_empty() || !model.correlations.is_empty() {
        let expected = "a model without limits of yields, correlations and further constraints";
        findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, "a model with them", expected));
    }
}

fn settings(model: &Model, names: &Names) -> Vec<Parameter> {
    let (init, bounds, fixed) = (model.init(), model.bounds(), model.fixed());
    let constraints = model.constraints();
    let one = |(i, name): (usize, &String)| Parameter {
        name: name.clone(),
        setting: Setting { value: init[i], bounds: bounds[i], constant: fixed[i] },
        constraint: constraints[i],
        range: None,
    };
    names.parameters.iter().enumerate().map(one).collect()
}

/// A channel with the η of its bins.
fn channel(
    workspace: &Workspace,
    channel: &crate::model::Channel,
    observed: Vec<f64>,
    model: &Model,
    names: &mut Names,
    functions: &mut Functions,
    findings: &mut Findings,
) -> (Channel, Vec<Parameter>, Origin) {
    let bounds = model.bounds();
    let uncertain: Vec<&Part> =
        channel.samples.iter().flat_map(|sample| &sample.parts).filter(|part| part.is_uncertain()).collect();
    let n_uncertain = if uncertain.is_empty() { 0 } else { channel.n_bins };
    let etas = statistics::parameters(&channel.name, n_uncertain, names);
    let mut maker = Maker {
        names,
        functions,
        bounds: &bounds,
        channel: &channel.name,
        pointer: String::new(),
        used: Taken::default(),
        findings,
    };
    let mut samples = Vec::new();
    let mut origin = Origin { channel: channel.name.clone(), samples: Vec::new() };
    for sample in &channel.samples {
        let first = samples.len();
        maker.pointer = workspace.sample_pointer(&channel.name, &sample.name);
        for (i, part) in sample.parts.iter().enumerate() {
            let name = if i == 0 { sample.name.clone() } else { format!("{}__part{}", sample.name, i + 1) };
            samples.extend(maker.part(&name, part));
        }
        if samples.len() == first {
            // Nothing in any bin: the sample keeps its place.
            samples.push(maker.empty(&sample.name, channel.n_bins));
        }
        origin.samples.push((sample.name.clone(), samples[first].name.clone()));
    }
    let place = workspace.channels.iter().position(|c| c.name == channel.name).unwrap_or_default();
    maker.pointer = format!("/channels/{place}");
    samples.extend(statistics::samples(&mut maker, &uncertain, &etas));
    let pointer = maker.pointer;
    (Channel { name: channel.name.clone(), samples, observed, axes: Vec::new(), pointer }, etas, origin)
}

/// Unit Gaussians that no normsys or histosys brings are brought by an inert normsys: both programs read that.
fn tie_nuisances(channels: &mut [Channel], parameters: &[Parameter]) {
    let modifiers = channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let tied: HashSet<String> = modifiers
        .filter(|m| matches!(m.effect, super::Effect::Normsys { .. } | super::Effect::Histosys { .. }))
        .flat_map(|m| m.effect.drivers().to_vec())
        .collect();
    let unit = |p: &&Parameter| p.constraint == Some(Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 });
    let Some(sample) = channels.first_mut().and_then(|channel| channel.samples.first_mut()) else { return };
    for parameter in parameters.iter().filter(unit).filter(|p| !tied.contains(&p.name)) {
        let effect =
            super::Effect::Normsys { parameter: parameter.name.clone(), lo: 1.0, hi: 1.0, code: NormsysCode::Code4 };
        let pointer = sample.pointer.clone();
        sample.modifiers.push(super::Modifier { name: parameter.name.clone(), effect, pointer });
    }
}

/// The measurement's parameter of interest; without one all coefficients that move.
fn analysis(workspace: &Workspace, measurement: &str, model: &Model, names: &Names) -> Analysis {
    let fixed = model.fixed();
    let coefficients: HashSet<&str> =
        workspace.eft.iter().flat_map(|eft| eft.fit_coefficients()).map(|c| c.name).collect();
    let parameters_of_interest = match model.poi {
        Some(poi) => vec![names.parameters[poi].clone()],
        None => {
            let scalars = model.parameter_names().into_iter().enumerate();
            let free = scalars.filter(|(i, name)| coefficients.contains(name.as_str()) && !fixed[*i]);
            free.map(|(i, _)| names.parameters[i].clone()).collect()
        }
    };
    Analysis { name: super::identifier(measurement), parameters_of_interest, ..Analysis::default() }
}

/// Coefficients that other parameters give, for readers: nothing depends on these functions.
fn derived(model: &Model, names: &mut Names, functions: &mut Functions) {
    for derived in &model.derived {
        let parameters: Vec<&str> = names.parameters.iter().map(String::as_str).collect();
        let formula = formula::laurent(&derived.expression, &parameters);
        functions.own(names, &derived.name, formula);
    }
}
