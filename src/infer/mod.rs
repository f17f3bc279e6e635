//! What is done with a likelihood: fits, profiles, tests, limits.

mod conjugate;
pub mod contour;
pub mod crossing;
pub mod fit;
pub mod interval;
pub mod level;
pub mod likelihood;
mod minimize;
pub mod minos;
mod neighbours;
mod newton;
pub mod profile;
pub mod root;
pub mod scan;
pub mod surface;
mod uncertainty;
pub mod watch;

pub use fit::{Failure, FitOptions, FitResult, Fitter, Hesse, fit};
pub use contour::Contour;
pub use crossing::Crossing;
pub use likelihood::{Likelihood, Minimum};
pub use minos::{Minos, MinosParameter, Side, minos};
pub use profile::{Profile, ProfilePoint};
pub use scan::{Scan, ScanOptions, ScanPoint, scan};
pub use surface::{Surface, SurfaceOptions, SurfacePoint, surface};
pub use uncertainty::MOST_PARAMETERS;
pub use watch::Watch;
