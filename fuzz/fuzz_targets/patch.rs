//! Two documents, the second behind a zero byte: one is patched by the other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use morphist::document::patch::{Patch, apply};
use morphist::document::{Document, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_size: 1 << 20, max_depth: 64 };
    let Some(middle) = bytes.iter().position(|b| *b == 0) else { return };
    let (document, patch) = (bytes[..middle].to_vec(), bytes[middle + 1..].to_vec());
    let Ok(document) = Document::from_slice("document", document, &limits) else { return };
    let Ok(patch) = Document::from_slice("patch", patch, &limits) else { return };
    let (Ok(value), Ok(patch)) = (document.value(), Patch::from_document(&patch)) else { return };
    if let Err(findings) = apply(value, &patch, &limits) {
        assert!(!findings.is_valid());
    }
});
