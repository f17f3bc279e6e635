//! What is done with a likelihood: fits, profiles, tests, limits, intervals, scans.

pub mod asymptotic;
mod conjugate;
pub mod contour;
pub mod crossing;
pub mod fit;
pub mod hypotest;
pub mod interval;
pub mod likelihood;
pub mod limit;
mod minimize;
pub mod minos;
mod neighbours;
mod newton;
pub mod normal;
pub mod profile;
pub mod root;
pub mod scan;
pub mod surface;
pub mod test_statistic;
mod uncertainty;
pub mod watch;

pub use contour::Contour;
pub use crossing::Crossing;
pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use hypotest::{AsymptoticTest, Hypotest};
pub use interval::{End, Interval, Region};
pub use likelihood::{Likelihood, Minimum};
pub use limit::{Limit, LimitOptions, NoLimit, upper_limit};
pub use minos::{Minos, MinosParameter, Side, minos};
pub use profile::{Profile, ProfilePoint};
pub use scan::{Scan, ScanOptions, ScanPoint, scan};
pub use surface::{Surface, SurfaceOptions, SurfacePoint, surface};
pub use test_statistic::TestStatistic;
pub use uncertainty::MOST_PARAMETERS;
pub use watch::Watch;
