//! morphist reads, validates, evaluates and fits published HistFactory likelihoods, and draws the conclusions: tests,
//! limits, intervals, impacts, toys.
//!
//! Data flows one way, and each arrow is one public function:
//!
//! ```text
//! bytes ──▶ Document ──▶ Workspace ──▶ Model ──▶ Program ──▶ Evaluator ──▶ FitResult ──▶ report
//!      read       validate     translate   compile     kernel        infer
//! ```
//!
//! * [`document`]: files as they are written, with positions for messages;
//! * [`root_file`]: histograms in ROOT files;
//! * [`import`]: foreign descriptions of EFT responses, turned into parts of a document;
//! * [`workspace`]: the rules that a workspace must obey;
//! * [`translate`]: from a document to the semantic core, [`model`];
//! * [`graph`]: the densities and functions of HS3 documents, over events; [`expression`]: their formulas;
//! * [`program`]: a model compiled to flat arrays; [`kernel`]: value, gradient, Hessian, expected data;
//! * [`audit`](mod@audit): what is odd in a model with data;
//! * [`infer`]: fits, profiles, tests, limits, intervals, impacts, toys; [`report`]: their JSON and tables; [`plot`]: their
//!   pictures; [`cli`]: the commands.
//!
//! What every number means is in the project's `spec/`, whose equations the code cites.

pub mod audit;
pub mod cli;
pub mod convert;
pub mod document;
pub mod event_database;
pub mod expression;
pub mod finding;
pub mod graph;
pub mod import;
pub mod infer;
pub mod kernel;
mod landau;
pub mod model;
pub mod normal;
pub mod plot;
pub mod program;
pub mod report;
pub mod root_file;
pub mod rule;
pub mod translate;
pub mod workspace;

/// The examples in README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
