//! The uncertainty of a coefficient of a response, or of single events.

use crate::model::ParameterSet;

pub fn parameters(name: &str) -> ParameterSet {
    super::unit_gaussian(name)
}
