//! From documents to the semantic core, one file a dialect.

pub mod from_pyhf;
