//! Operations on whole workspaces.

use super::case::{ErrorAnswer, Request};
use super::library::{Answered, bad_request, document, refused, text};
use crate::document::Document;
use crate::finding::Findings;
use crate::translate::from_pyhf::Compat;
use crate::translate::to_workspace::{BuildOptions, build};
use crate::workspace::combine::{Channels, Join, Options, Told, combine};
use crate::workspace::diff::{Tolerance, diff};
use crate::workspace::edit::rebin::{Rebinning, rebin};
use crate::workspace::edit::symmetrise::{self, Method, symmetrise};
use crate::workspace::edit::{prune, rename, sort};
use serde_json::{Value, json};
use std::str::FromStr;

/// The answer to a request for one of these operations.
pub fn answer(request: &Request) -> Option<Answered> {
    Some(match request.operation {
        "combine" => combined(request),
        "prune" => pruned(request),
        "rename" => renamed(request),
        "sort" => sorted(request),
        "rebin" => rebinned(request),
        "symmetrise" => symmetrised(request),
        "build" => built(request),
        "diff" => compared(request),
        _ => return None,
    })
}

/// Documents are combined in the order of their names in the request.
fn combined(request: &Request) -> Answered {
    let channels = match request.input.get("merge_channels").and_then(Value::as_bool) {
        Some(true) => Channels::Merged,
        _ => Channels::Whole,
    };
    let join = match text(request, "join") {
        Some("none") | None if channels == Channels::Merged => {
            return Err(bad_request("merge_channels needs a join that joins"));
        }
        Some("none") | None => Join::None,
        Some("outer") => Join::Outer(channels),
        Some("left outer") => Join::LeftOuter(channels),
        Some("right outer") => Join::RightOuter(channels),
        Some(other) => return Err(bad_request(format!("there is no join {other}"))),
    };
    let scheme = request.documents.contains_key("scheme").then(|| document(request, "scheme")).transpose()?;
    let labels = request.documents.keys().copied().filter(|name| *name != "scheme");
    let labels: Vec<String> = labels.map(str::to_owned).collect();
    let documents: Vec<Document> =
        labels.iter().map(|name| document(request, name)).collect::<Result<_, ErrorAnswer>>()?;
    let prefix_channels = request.input.get("prefix_channels").and_then(Value::as_bool).unwrap_or(false);
    let outcome = combine(&documents, &Options { join, labels, scheme, prefix_channels, ..Options::default() });
    let all = |told: Vec<Told>| Findings(told.into_iter().flat_map(|t| t.findings.0).collect());
    outcome.map(|combined| json!({"document": combined.document})).map_err(|told| refused(all(told)))
}

fn pruned(request: &Request) -> Answered {
    let options = prune::Options {
        channels: names(request, "channels")?,
        samples: names(request, "samples")?,
        modifiers: names(request, "modifiers")?,
        modifier_types: names(request, "modifier_types")?,
        measurements: names(request, "measurements")?,
        selectors: parsed(request, "selectors")?,
        smaller_than: request.input.get("smaller_than").and_then(Value::as_f64),
        ..prune::Options::default()
    };
    let (edited, _) = prune::prune(&document(request, "workspace")?, &options).map_err(refused)?;
    Ok(json!({"document": edited.document}))
}

fn renamed(request: &Request) -> Answered {
    let options = rename::Options {
        channels: pairs(request, "channels")?,
        samples: pairs(request, "samples")?,
        modifiers: pairs(request, "modifiers")?,
        measurements: pairs(request, "measurements")?,
        compat: Compat::Strict,
    };
    let edited = rename::rename(&document(request, "workspace")?, &options).map_err(refused)?;
    Ok(json!({"document": edited.document}))
}

fn sorted(request: &Request) -> Answered {
    let edited = sort(&document(request, "workspace")?, Compat::Strict).map_err(refused)?;
    Ok(json!({"document": edited.document}))
}

fn rebinned(request: &Request) -> Answered {
    let rebinnings: Vec<Rebinning> = parsed(request, "channels")?;
    let edited = rebin(&document(request, "workspace")?, &rebinnings, Compat::Strict).map_err(refused)?;
    Ok(json!({"document": edited.document}))
}

fn symmetrised(request: &Request) -> Answered {
    let method = match text(request, "method") {
        None | Some("average") => Method::Average,
        Some("up") => Method::Up,
        Some("down") => Method::Down,
        Some("larger") => Method::Larger,
        Some(other) => return Err(bad_request(format!("there is no method {other}"))),
    };
    let one_sided = request.input.get("one_sided").and_then(Value::as_bool).unwrap_or(false);
    let selectors = parsed(request, "selectors")?;
    let options = symmetrise::Options { method, selectors, one_sided, compat: Compat::Strict };
    let (edited, _) = symmetrise(&document(request, "workspace")?, &options).map_err(refused)?;
    Ok(json!({"document": edited.document}))
}

fn built(request: &Request) -> Answered {
    let model = document(request, "model")?.value().map_err(refused)?;
    let data = request.input.get("data").cloned().unwrap_or_default();
    let data: Vec<f64> = serde_json::from_value(data).map_err(|e| bad_request(format!("data: {e}")))?;
    let measurement = text(request, "measurement").unwrap_or("measurement").to_owned();
    let options = BuildOptions { measurement, poi: text(request, "poi").map(str::to_owned), compat: Compat::Strict };
    let (document, _) = build(&model, &data, &options).map_err(refused)?;
    Ok(json!({"document": document}))
}

fn compared(request: &Request) -> Answered {
    let tree = |name| document(request, name)?.value().map_err(refused);
    let size = |key| request.input.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let found = diff(&tree("a")?, &tree("b")?, Tolerance { relative: size("rtol"), absolute: size("atol") });
    let places: Vec<&str> = found.list.iter().map(|difference| difference.place.as_str()).collect();
    Ok(json!({"different": !places.is_empty(), "places": places, "order": found.order}))
}

/// A list of texts in the input, each read as the command line reads it.
fn parsed<T: FromStr<Err = String>>(request: &Request, key: &str) -> Result<Vec<T>, ErrorAnswer> {
    let texts = names(request, key)?;
    texts.iter().map(|text| text.parse().map_err(|e| bad_request(format!("{key}: {e}")))).collect()
}

/// A list of names in the input; empty where there is none.
fn names(request: &Request, key: &str) -> Result<Vec<String>, ErrorAnswer> {
    let given = request.input.get(key).cloned().unwrap_or_else(|| json!([]));
    serde_json::from_value(given).map_err(|e| bad_request(format!("{key}: {e}")))
}

/// Old and new names.
fn pairs(request: &Request, key: &str) -> Result<Vec<(String, String)>, ErrorAnswer> {
    let given = request.input.get(key).and_then(Value::as_object).into_iter().flatten();
    let pair = |(old, new): (&String, &Value)| {
        let new = new.as_str().ok_or_else(|| bad_request(format!("{key}: a new name is no string")))?;
        Ok((old.clone(), new.to_owned()))
    };
    given.map(pair).collect()
}
