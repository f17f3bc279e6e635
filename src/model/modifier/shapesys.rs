//! shapesys: an uncorrelated factor a bin of one sample, tied by a Poisson count.

use crate::model::{Constraint, ParameterSet};

/// τ = n²/u² (spec/modifiers.md, "shapesys"); a bin without yield or uncertainty has τ = 1 and is fixed.
pub fn parameters(name: &str, nominal: &[f64], uncertainty: &[f64]) -> ParameterSet {
    let usable = |(n, u): (&f64, &f64)| *n > 0.0 && *u > 0.0;
    let bins = || nominal.iter().zip(uncertainty);
    let constraints = bins()
        .map(|(n, u)| {
            let tau = if usable((n, u)) { (n * n) / (u * u) } else { 1.0 };
            Constraint::Poisson { auxdata: tau, factor: tau }
        })
        .collect();
    super::gammas(name, bins().map(|bin| !usable(bin)).collect(), constraints)
}
