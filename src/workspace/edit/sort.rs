//! The lists of a workspace in order of names, as pyhf sorts them.

use super::rewrite::{Kind, rewrite};
use super::{Edited, Source};
use crate::document::Document;
use crate::finding::{Findings, Result};
use crate::translate::from_pyhf::Compat;

/// Sorts channels, samples, measurements, parameter configurations and observations by name, modifiers by name and type, in
/// the order of code points. Bins stay where they are.
///
/// # Errors
/// All findings, warnings included, if the document does not follow the schema, or breaks a rule.
pub fn sort(document: &Document, compat: Compat) -> Result<Edited> {
    let mut source = Source::read(document, compat)?;
    let value = std::mem::take(&mut source.value);
    let sorted = rewrite(value, |what, _, mut items| {
        // UTF-8 orders strings as their code points are ordered, which is Python's order.
        match what {
            Kind::Modifier => items.sort_by(|a, b| (a.name(), a.text("/type")).cmp(&(b.name(), b.text("/type")))),
            _ => items.sort_by(|a, b| a.name().cmp(b.name())),
        }
        items
    });
    source.finish(sorted, Findings::default())
}
