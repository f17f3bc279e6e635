//! What operations on workspaces write.

use morphist::document::patch;
use morphist::document::{Document, Limits};
use morphist::workspace::edit::Edited;

/// The result, after the patch is seen to make it.
pub fn checked(source: &Document, edited: Edited) -> Edited {
    let applied = patch::apply(source.value().unwrap(), &edited.patch, &Limits::default()).unwrap();
    assert_eq!(applied.to_string(), edited.document.to_string());
    edited
}
