//! From documents to the semantic core, one file a dialect.

mod check;
mod from_eft;
pub mod from_hs3;
pub mod from_pyhf;
pub mod hs3_data;
pub mod to_workspace;

pub use check::{check, check_hs3, validate};
pub use from_eft::solve_morph;
