//! Operations on whole workspaces.

use super::case::{ErrorAnswer, Request};
use super::library::{Answered, bad_request, document, refused, text};
use crate::document::Document;
use crate::finding::Findings;
use crate::translate::from_pyhf::Compat;
use crate::workspace::combine::{Channels, Join, Options, Told, combine};
use crate::workspace::edit::{prune, rename, sort};
use serde_json::{Value, json};

/// The answer to a request for one of these operations.
pub fn answer(request: &Request) -> Option<Answered> {
    Some(match request.operation {
        "combine" => combined(request),
        "prune" => pruned(request),
        "rename" => renamed(request),
        "sort" => sorted(request),
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
    let documents: Vec<Document> =
        request.documents.keys().map(|name| document(request, name)).collect::<Result<_, ErrorAnswer>>()?;
    let outcome = combine(&documents, &Options { join, ..Options::default() });
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
