//! HS3 documents: reading, densities, HistFactory, commands, conversion. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod compositions;
mod convert;
mod convert_targets;
mod densities;
mod density_commands;
mod document;
mod free_mean;
mod functions;
mod graph;
mod histfactory;
mod histfactory_decisions;
mod hostile;
mod likelihood;
mod negative_bins;
mod peaks;
mod places;
mod profile;
mod public;
mod toys;
