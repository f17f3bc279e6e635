//! Any JSON: checked as a workspace, a patch and a patchset, strictly and by pyhf's rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use morphist::document::{Document, Kind, Limits};
use morphist::translate::from_pyhf::Compat;
use morphist::workspace::{Measurements, Scope, validate};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_size: 1 << 20, max_depth: 64 };
    let Ok(document) = Document::from_slice("fuzz", bytes.to_vec(), &limits) else { return };
    for compat in [Compat::Strict, Compat::Pyhf] {
        let scope = Scope { compat, measurements: Measurements::All };
        for kind in [Kind::Workspace, Kind::Patch, Kind::Patchset] {
            let (_, findings) = validate(&document, Some(kind), &scope);
            assert!(findings.0.iter().all(|f| f.pointer.is_some() || f.class == "SizeLimit"));
        }
    }
});
