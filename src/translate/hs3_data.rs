//! Data written into an HS3 document: counts of channels, and values of global observables.

use crate::document::hs3::{
    Analysis, Distribution, DistributionKind, FunctionKind, Hs3Document, Likelihood, LikelihoodData, Slot,
};
use crate::graph::PairData;
use serde_json::{Value, json};

/// Where the datum of a constraint is written, and what of it.
enum Place {
    /// The value of this name in the parameter point from which analyses start.
    Point(String),
    /// The logarithm of that value is the datum.
    LogOfPoint(String),
    /// A number inside of the distribution, which may constrain in other likelihoods too; or one that is rounded.
    Elsewhere(String),
}

/// Replaces the contents of the data of one channel of a likelihood.
///
/// # Errors
/// In words, where they are not found.
pub fn set_counts(
    value: &mut Value,
    document: &Hs3Document,
    likelihood: &Likelihood,
    channel: &str,
    counts: &[f64],
) -> Result<(), String> {
    let pairs = likelihood.distributions.iter().zip(&likelihood.data);
    let name = pairs.filter(|(name, _)| holds(document, name, channel)).find_map(|(_, data)| match data {
        LikelihoodData::Name(name) => Some(name.as_str()),
        LikelihoodData::Value(_) => None,
    });
    let own = name.and_then(|name| member(value.get_mut("data"), name));
    match own.and_then(Value::as_object_mut) {
        Some(own) => {
            own.insert("contents".to_owned(), json!(counts));
            Ok(())
        }
        None => Err(format!("no data of the channel {channel} to write to")),
    }
}

/// Replaces data of a name: contents of bins, or events with weights.
///
/// # Errors
/// In words, where they are not found, or say nothing of their variates.
pub fn set_pair(value: &mut Value, document: &Hs3Document, name: &str, data: &PairData) -> Result<(), String> {
    let axes = document.data(name).map_or(0, |data| data.axes.len());
    let own = member(value.get_mut("data"), name).and_then(Value::as_object_mut);
    let Some(own) = own else { return Err(format!("no data {name} to write to")) };
    match data {
        PairData::Counts(contents) => {
            own.insert("contents".to_owned(), json!(contents));
            ["uncertainty", "errors"].iter().for_each(|key| _ = own.remove(*key));
        }
        PairData::Events { columns, .. } if columns.len() != axes => {
            return Err(format!("the data {name} have no axes: events have no place there"));
        }
        PairData::Events { columns, weights } => {
            let event = |i: usize| columns.iter().filter_map(|column| column.get(i).copied()).collect::<Vec<f64>>();
            own.insert("type".to_owned(), json!("unbinned"));
            own.insert("entries".to_owned(), json!((0..weights.len()).map(event).collect::<Vec<_>>()));
            own.insert("weights".to_owned(), json!(weights));
            ["value", "uncertainty", "entries_uncertainties"].iter().for_each(|key| _ = own.remove(*key));
        }
    }
    Ok(())
}

/// A distribution is the channel, or a product with it.
fn holds(document: &Hs3Document, name: &str, channel: &str) -> bool {
    let mut stack = vec![name];
    while let Some(name) = stack.pop() {
        if name == channel {
            return true;
        }
        if let Some(DistributionKind::Product { factors, .. }) = document.distribution(name).map(|d| &d.kind) {
            stack.extend(factors.iter().map(String::as_str));
        }
    }
    false
}

/// Writes the auxiliary datum of a constrained parameter: the global observable that its constraint names, or
/// `nom_<parameter>` of a constraint by type.
///
/// # Errors
/// In words, where the datum has no place of its own.
pub fn set_auxdata(
    value: &mut Value,
    document: &Hs3Document,
    analysis: Option<&Analysis>,
    parameter: &str,
    auxdata: f64,
) -> Result<(), String> {
    let mut places = document.distributions.iter().filter_map(|d| place(document, d, parameter));
    let (name, auxdata) = match (places.next(), places.next()) {
        (None, _) => (format!("nom_{parameter}"), auxdata),
        (Some(Place::Point(name)), None) => (name, auxdata),
        (Some(Place::LogOfPoint(name)), None) => (name, auxdata.exp()),
        (Some(Place::Elsewhere(why)), None) => return Err(why),
        (Some(_), Some(_)) => return Err(format!("several constraints of {parameter}")),
    };
    let start = analysis.and_then(|analysis| analysis.init.as_deref()).and_then(|init| document.point(init));
    let start = start.or_else(|| document.point("default_values")).or(document.parameter_points.first());
    let start = start.map_or("default_values", |point| point.name.as_str()).to_owned();
    let Some(top) = value.as_object_mut() else { return Err("no object".to_owned()) };
    let points = top.entry("parameter_points").or_insert_with(|| json!([]));
    if member(Some(points), &start).is_none() {
        points.as_array_mut().into_iter().for_each(|all| all.push(json!({"name": start, "parameters": []})));
    }
    let point = member(Some(points), &start).and_then(|point| point.get_mut("parameters"));
    let Some(Value::Array(parameters)) = point else { return Err(format!("no parameters in the point {start}")) };
    let is_own = |entry: &&mut Value| entry.get("name").and_then(Value::as_str) == Some(name.as_str());
    match parameters.iter_mut().find(is_own).and_then(Value::as_object_mut) {
        Some(entry) => _ = entry.insert("value".to_owned(), json!(auxdata)),
        None => parameters.push(json!({"name": name, "value": auxdata, "const": true})),
    }
    Ok(())
}

/// Where the datum of a distribution is, if it constrains the parameter.
fn place(document: &Hs3Document, distribution: &Distribution, parameter: &str) -> Option<Place> {
    let own = |slot: &Slot| matches!(slot, Slot::Name(name) if name == parameter);
    let at = |slot: &Slot, place: fn(String) -> Place| match slot {
        Slot::Name(name) => place(name.clone()),
        Slot::Number(_) => {
            Place::Elsewhere(format!("the datum of {} is a number in the distribution itself", distribution.name))
        }
    };
    match &distribution.kind {
        DistributionKind::Gaussian { x, mean, .. } if own(x) => Some(at(mean, Place::Point)),
        DistributionKind::Gaussian { x, mean, .. } if own(mean) => Some(at(x, Place::Point)),
        DistributionKind::LogNormal { x, mu, .. } if own(mu) => Some(at(x, Place::LogOfPoint)),
        DistributionKind::Poisson { x, mean, integer } => {
            let Slot::Name(name) = mean else { return None };
            let scaled = matches!(document.function(name).map(|f| &f.kind),
                Some(FunctionKind::Product { factors }) if factors.iter().any(own));
            if !own(mean) && !scaled {
                return None;
            }
            match integer {
                true => Some(Place::Elsewhere(format!("{} rounds its datum down", distribution.name))),
                false => Some(at(x, Place::Point)),
            }
        }
        _ => None,
    }
}

/// The member of a list that has a name.
fn member<'v>(list: Option<&'v mut Value>, name: &str) -> Option<&'v mut Value> {
    let items = list.and_then(Value::as_array_mut)?;
    items.iter_mut().find(|item| item.get("name").and_then(Value::as_str) == Some(name))
}
