//! Workspaces as documents: combination, operations, audit, import. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod combine;
mod combine_eft;
mod combine_schemes;
mod datacards;
mod histfactory_xml;
mod operations;
mod patchset;
mod published_operations;
mod root_file;
