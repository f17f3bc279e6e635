//! The EFT extension: documents, responses, morphing, inference, expansion. One program, linked once; a file for each subject.

#[path = "../common/mod.rs"]
mod common;

mod acceptance;
mod coefficient_limits;
mod derivatives;
mod document;
mod example;
mod expand;
mod expanded_commands;
mod expression;
mod extension;
mod fiducial;
mod inference;
mod inspect;
mod mixture;
mod models;
mod morphing;
mod published;
mod rational;
mod transform;
mod uncertainties;
mod validate;
