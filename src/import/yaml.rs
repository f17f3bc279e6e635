//! Small YAML files as the tree that a JSON file has. Aliases are refused, so that a tree is no larger than its text.

use crate::document::Limits;
use crate::finding::{Finding, Result};
use crate::rule;
use serde_json::Value;

/// In bytes: a list of coefficients has some thousand.
const MOST_BYTES: usize = 1 << 22;
/// Of scalars, lists and maps.
const MOST_NODES: usize = 1 << 17;
const MOST_DEPTH: usize = 32;

/// Neither an object of JSON nor packed.
pub(super) fn is_yaml(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    !matches!(first, None | Some(b'{' | b'[' | b'"' | 0x1f))
}

/// The values of the one document of a file.
///
/// # Errors
/// `ImportError` with its line where the text is no YAML, has a key twice, aliases, or more than the limits above;
/// `SizeLimit`.
pub(super) fn tree(bytes: Vec<u8>, limits: &Limits) -> Result<Value> {
    let most = limits.max_size.min(MOST_BYTES);
    if bytes.len() > most {
        return Err(Finding::new(&rule::SIZE, "a larger file of YAML", format!("at most {most} bytes")).into());
    }
    let wrong = |found: String| Finding::new(&rule::IMPORT_FORMAT, found, "YAML without aliases, each key once");
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_depth: limits.max_depth.min(MOST_DEPTH),
            max_documents: 1,
            max_nodes: MOST_NODES,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    Ok(serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let finding = wrong(error.to_string());
        match error.location() {
            Some(place) => finding.at_line(place.line() as usize, place.column() as usize),
            None => finding,
        }
    })?)
}
