//! The built program: flags, exit codes, pictures, the conformance runner. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod conformance;
mod option_values;
mod plots;
