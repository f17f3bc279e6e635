//! Paths of event databases, from the folder of the result instead of that of a document.

use super::Source;
use super::report::{Place, Report};
use crate::document::eft::{Eft, EventTable};
use crate::document::workspace::Workspace;
use crate::event_database::path_of;
use crate::finding::{Finding, quote};
use crate::rule;
use serde_json::{Value, json};
use std::path::Path;

/// Rewrites the paths of a document that lies in the folder `from` for one that lies in `to`; an error for those that do
/// not lead below `to`.
pub(super) fn move_paths(document: usize, source: &mut Source, from: &Path, to: &Path, report: &mut Report) {
    let uris: Vec<(String, String)> = source.workspace.eft.iter().flat_map(|eft| files(eft)).collect();
    if from == to || uris.is_empty() {
        return;
    }
    for (pointer, uri) in uris {
        match moved(&uri, from, to) {
            Ok(moved) => {
                if let Some(place) = source.value.pointer_mut(&pointer) {
                    *place = json!(moved);
                }
            }
            Err(why) => {
                let found = format!("{}: {why}", quote(&uri));
                let expected = format!("a file below {}, the folder of the result", quote(&shown(to)));
                let hint = "write the result into the folder of the database or above it, or move the database";
                let finding = Finding::new(&rule::EVENT_PATH, found, expected).hint(hint);
                report.push(Some(&Place::new(document, pointer)), finding);
            }
        }
    }
    if report.is_valid() {
        match Workspace::from_value(&source.value) {
            Ok(workspace) => source.workspace = workspace,
            Err(findings) => report.take(document, findings),
        }
    }
}

/// The files of a document: where their paths stand, and the paths.
fn files(eft: &Eft) -> Vec<(String, String)> {
    let databases = eft.event_databases.iter().enumerate();
    let mut files: Vec<_> =
        databases.map(|(d, database)| (format!("/eft/event_databases/{d}/uri"), database.uri.clone())).collect();
    for (t, term) in eft.unbinned_terms.iter().enumerate() {
        let reference = term.reference.as_ref().map(|reference| ("reference/events", &reference.events));
        for (key, table) in std::iter::once(("events", &term.events)).chain(reference) {
            if let EventTable::File(file) = table {
                files.push((format!("/eft/unbinned_terms/{t}/{key}/uri"), file.uri.clone()));
            }
        }
    }
    files
}

/// The path of a database from another folder.
fn moved(uri: &str, from: &Path, to: &Path) -> Result<String, String> {
    let real = |folder: &Path| {
        let folder = if folder == Path::new("") { Path::new(".") } else { folder };
        std::fs::canonicalize(folder).map_err(|error| format!("the folder {}: {error}", folder.display()))
    };
    let file = path_of(uri, &real(from)?).map_err(|findings| findings.to_string())?;
    let below = file.strip_prefix(real(to)?).map_err(|_| format!("it is {}", file.display()))?;
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| "its path is not UTF-8".to_owned())
}

fn shown(folder: &Path) -> String {
    if folder == Path::new("") { ".".to_owned() } else { folder.display().to_string() }
}

/// Two declarations of one name are of the same file, used in the same way. A file is what its sha256 says, wherever it
/// lies.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    let without_path = |declaration: &Value| {
        let mut declaration = declaration.clone();
        if let Some(members) = declaration.as_object_mut() {
            members.shift_remove("uri");
            let hash = members.get("sha256").and_then(Value::as_str).map(str::to_ascii_lowercase);
            members.insert("sha256".to_owned(), json!(hash));
        }
        declaration
    };
    super::join::difference(&without_path(a), &without_path(b)).is_none()
}
