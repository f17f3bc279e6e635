//! The parameters that modifiers bring: the seven of HistFactory (spec/modifiers.md, table 1) and those of the EFT
//! extension. One file a type.

pub mod eft_uncertainty;
pub mod flat_error;
pub mod histosys;
pub mod lumi;
pub mod normfactor;
pub mod normsys;
pub mod shapefactor;
pub mod shapesys;
pub mod staterror;
pub mod wilson_coefficient;

use super::{Constraint, ParameterSet};

/// A scalar with a unit Gaussian constraint: the parameter of histosys and normsys.
fn unit_gaussian(name: &str) -> ParameterSet {
    ParameterSet {
        name: name.to_owned(),
        scalar: true,
        init: vec![0.0],
        bounds: vec![(-5.0, 5.0)],
        fixed: vec![false],
        constraints: Some(vec![Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 }]),
    }
}

/// Positive per-bin factors that start at one: shapesys and staterror.
fn gammas(name: &str, fixed: Vec<bool>, constraints: Vec<Constraint>) -> ParameterSet {
    let n = fixed.len();
    ParameterSet {
        name: name.to_owned(),
        scalar: false,
        init: vec![1.0; n],
        bounds: vec![(1e-10, 10.0); n],
        fixed,
        constraints: Some(constraints),
    }
}
