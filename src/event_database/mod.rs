//! Event databases: files of simulated events with weights that depend on Wilson coefficients, read, binned and summed
//! to polynomials (spec/event-database.md).
//!
//! * `open`: where the file is and that it is the right one;
//! * `columns`, with `parquet_file` and `arrow_file`: its columns, streamed in batches;
//! * `weights`, `binning`, `normalisation`: what a row weighs, into which bin it goes, what it is worth in yields;
//! * `sum`, `histogram`: the sums; `databases`: all databases of a document.

mod append;
mod arrow_file;
mod basis;
mod binning;
mod cache;
mod columns;
mod databases;
mod declaration;
mod extend;
mod histogram;
mod kept;
mod new_table;
mod normalisation;
mod open;
pub(crate) mod parquet_file;
mod positivity;
mod promote;
mod publish;
pub mod quality;
mod quiet;
mod score;
mod sum;
mod table;
mod weights;

pub use append::{Appended, Join, NewColumns};
pub use cache::arrow_copies;
pub use columns::{Batch, Column, Kind, Wanted};
pub use databases::{Databases, Use, load};
pub use extend::{Extension, NewCoefficient, extend};
pub use histogram::{Binned, FlowCounts, Shifted};
pub use new_table::{Described, describe_table, write_table};
pub use normalisation::yield_factor;
pub use open::{Database, MOST_ROWS, path_of};
pub use promote::{Promoted, Promotion, promote};
pub use publish::{Published, self_contained};
pub use score::{Scored, Scores, score};
pub use table::Table;
