//! `schemas/` holds what the types generate. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod documents;
mod reports;
