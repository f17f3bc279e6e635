//! lumi: the luminosity, a normalisation whose auxiliary measurement the analyst states.

use crate::model::{Constraint, ParameterSet};

/// Start, bounds, auxdata and width come from the measurement: the modifier has no defaults but σ = 1.
pub fn parameters(name: &str, init: f64, bounds: (f64, f64), auxdata: f64, sigma: f64) -> ParameterSet {
    ParameterSet {
        name: name.to_owned(),
        scalar: true,
        init: vec![init],
        bounds: vec![bounds],
        fixed: vec![false],
        constraints: Some(vec![Constraint::Gaussian { auxdata, sigma }]),
    }
}
