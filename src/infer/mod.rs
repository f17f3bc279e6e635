//! What is done with an evaluator: fits, and later tests, limits, scans.

pub mod fit;

pub use fit::{FitOptions, FitResult, fit};
