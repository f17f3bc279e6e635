//! Where published documents are found that are too large, or not ours, to ship: `MORPHIST_CORPUS`, or `../shared`.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The directory of a part of the corpus. Where `CI` is set it must be there; else the test says that it is skipped.
pub fn directory(part: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("MORPHIST_CORPUS").map_or_else(default, PathBuf::from);
    let directory = root.join("corpus").join(part);
    if directory.is_dir() {
        return Some(directory);
    }
    assert!(std::env::var_os("CI").is_none(), "no corpus at {}", directory.display());
    eprintln!("skipped: no corpus at {} (set MORPHIST_CORPUS)", directory.display());
    None
}

/// The entries of a directory's INDEX.json.
pub fn index(directory: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(directory.join("INDEX.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
