//! The promise that no weight is negative inside the bounds of the coefficients (spec/event-database.md, "Signs").

use super::open::Database;
use crate::document::eft::{Eft, Positivity};
use crate::finding::Result;
use crate::rule;

/// Checks every row of a database whose declaration promises positivity.
pub fn check(database: &Database, _eft: &Eft) -> Result<()> {
    match database.declaration.positivity {
        Positivity::Allow => Ok(()),
        Positivity::Require => {
            Err(database.finding(&rule::EVENT_NEGATIVE, "the check is not written yet", "allow").into())
        }
    }
}
