//! histosys: a correlated change of shape, interpolated between two templates.

use crate::model::ParameterSet;

pub fn parameters(name: &str) -> ParameterSet {
    super::unit_gaussian(name)
}
