//! What is done with an evaluator: fits, and later tests, limits, scans.

mod conjugate;
pub mod fit;
mod minimize;
mod newton;
mod uncertainty;

pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use uncertainty::MOST_PARAMETERS;
