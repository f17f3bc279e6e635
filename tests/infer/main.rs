//! Fits, intervals, scans, limits, toys and rankings. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod directions;
mod fit;
mod flat_errors;
mod gaussian;
mod gaussian_forms;
mod impacts;
mod impacts_cli;
mod limit_commands;
mod limits;
mod measurement_commands;
mod minima;
mod minos;
mod pains;
mod profile;
mod published_combinations;
mod scan;
mod scan_cli;
mod toy_commands;
mod toys;
