//! What is done with a likelihood: fits, profiles, tests, limits.

mod conjugate;
mod lane_fit;
pub mod fit;
pub mod likelihood;
mod minimize;
mod newton;
pub mod profile;
pub mod root;
mod uncertainty;
pub mod watch;

pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use likelihood::{Likelihood, Minimum};
pub use profile::{Profile, ProfilePoint};
pub use uncertainty::MOST_PARAMETERS;
pub use watch::Watch;
