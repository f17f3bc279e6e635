//! What is done with a likelihood: fits, profiles, tests, limits.

pub mod asymptotic;
mod conjugate;
pub mod fit;
pub mod generate;
pub mod hypotest;
mod lane_fit;
pub mod likelihood;
mod minimize;
mod newton;
pub mod normal;
pub mod profile;
pub mod random;
pub mod root;
pub mod test_statistic;
pub mod toys;
mod uncertainty;
pub mod watch;

pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use hypotest::{AsymptoticTest, Hypotest};
pub use likelihood::{Likelihood, Minimum};
pub use profile::{Profile, ProfilePoint};
pub use test_statistic::TestStatistic;
pub use uncertainty::MOST_PARAMETERS;
pub use watch::Watch;
