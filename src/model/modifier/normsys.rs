//! normsys: a correlated change of normalisation, interpolated between two factors.

use crate::model::ParameterSet;

pub fn parameters(name: &str) -> ParameterSet {
    super::unit_gaussian(name)
}
