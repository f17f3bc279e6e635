//! Event databases and unbinned terms. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod database;
mod database_append;
mod database_errors;
mod database_service;
mod unbinned;
mod unbinned_example;
mod unbinned_forms;
mod unbinned_reports;
mod unbinned_wh;
mod unbinned_wh_bins;
mod validate;
