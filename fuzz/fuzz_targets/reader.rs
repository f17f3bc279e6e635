//! Any bytes: they are read, or refused with a finding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use morphist::document::digest::{Algorithm, digest};
use morphist::document::{Document, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_size: 1 << 20, max_depth: 64 };
    match Document::from_slice("fuzz", bytes.to_vec(), &limits) {
        Err(findings) => assert!(!findings.is_valid()),
        Ok(document) => {
            if let Ok(value) = document.value() {
                digest(&value, Algorithm::Sha256);
            }
        }
    }
});
