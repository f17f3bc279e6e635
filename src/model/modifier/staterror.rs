//! staterror: the statistical uncertainty of the simulation, one factor a bin of a channel, shared by its samples
//! (Barlow and Beeston's method as Conway simplified it, arXiv:1103.0354).

use crate::model::{Constraint, ParameterSet};

/// One bin of a channel under a staterror: summed nominal yield and Σ u² of the samples that carry the modifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bin {
    pub nominal: f64,
    pub sum_of_squares: f64,
}

/// δ = √Σ u² / N (spec/modifiers.md, "staterror"); a bin with δ = 0 is fixed, its constraint has width 1.
pub fn parameters(name: &str, bins: &[Bin]) -> ParameterSet {
    let widths: Vec<f64> = bins.iter().map(relative_uncertainty).collect();
    let constraints = widths
        .iter()
        .map(|&width| Constraint::Gaussian { auxdata: 1.0, sigma: if width == 0.0 { 1.0 } else { width } })
        .collect();
    super::gammas(name, widths.iter().map(|&width| width == 0.0).collect(), constraints)
}

/// δ of one bin; zero without yield.
pub fn relative_uncertainty(bin: &Bin) -> f64 {
    if bin.nominal > 0.0 { bin.sum_of_squares.sqrt() / bin.nominal } else { 0.0 }
}
