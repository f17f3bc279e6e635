//! Workspaces: reading, rules, values and derivatives. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod bad_inputs;
mod correlations;
mod derivatives;
mod evaluate;
mod read;
mod validate;
