//! `schemas/` holds what the types of the results generate.
//!
//! `UPDATE_SCHEMAS=1 cargo test --test schemas` writes the files anew.

use morphist::report::schema::REPORTS;
use std::path::Path;

#[test]
fn schemas_are_fresh() {
    for named in REPORTS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{}.json", named.name));
        let generated = serde_json::to_string_pretty(&(named.generate)()).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == generated, "{} is stale: run with UPDATE_SCHEMAS=1", path.display());
    }
}
