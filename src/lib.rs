//! morphist reads, validates, evaluates and fits published HistFactory likelihoods.

pub mod cli;
pub mod document;
pub mod finding;
pub mod infer;
pub mod kernel;
pub mod model;
pub mod program;
pub mod report;
pub mod rule;
pub mod translate;
pub mod workspace;

/// The examples in README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
