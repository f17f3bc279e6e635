//! What is done with a likelihood: fits, profiles, tests, limits.

pub mod asimov;
pub mod blind;
pub mod compatibility;
mod conjugate;
pub mod covariance;
pub mod fit;
pub mod goodness_of_fit;
pub mod group;
pub mod likelihood;
mod minimize;
mod newton;
pub mod prediction;
pub mod prefit;
pub mod profile;
pub mod ranking;
pub mod root;
mod uncertainty;
pub mod watch;

pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use likelihood::{Likelihood, Minimum};
pub use profile::{Profile, ProfilePoint};
pub use uncertainty::MOST_PARAMETERS;
pub use watch::Watch;
