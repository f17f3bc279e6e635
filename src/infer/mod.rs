//! What is done with an evaluator: fits, and later tests, limits, scans.

pub mod fit;
mod minimize;
mod newton;
mod uncertainty;

pub use fit::{Failure, FitOptions, FitResult, Fitter, fit};
