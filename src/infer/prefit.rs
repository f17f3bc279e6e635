//! What is known before a fit: where the auxiliary measurements put their parameters, and how narrowly.

use crate::program::Program;

/// One auxiliary measurement and the parameter that it constrains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auxiliary {
    pub parameter: usize,
    /// Its place in the auxiliary data.
    pub index: usize,
    /// Width of the parameter (spec/constraints.md, eq. 3).
    pub width: f64,
    /// The expected datum is this times the parameter: τ of a Poisson constraint, 1 of a Gaussian one.
    pub factor: f64,
    pub poisson: bool,
}

impl Auxiliary {
    /// The standard deviation of the datum, which is `datum` now (spec/inference.md, eq. 29).
    pub fn datum_width(&self, datum: f64) -> f64 {
        if self.poisson { datum.sqrt() } else { self.width }
    }
}

/// All auxiliary measurements in the order of the data.
pub fn auxiliaries(program: &Program) -> Vec<Auxiliary> {
    let gaussians = program.constraints.gaussians.iter().map(|&(parameter, sigma, index)| Auxiliary {
        parameter: parameter as usize,
        index: index as usize,
        width: sigma,
        factor: 1.0,
        poisson: false,
    });
    let poissons = program.constraints.poissons.iter().map(|&(parameter, factor, index)| Auxiliary {
        parameter: parameter as usize,
        index: index as usize,
        width: 1.0 / factor.sqrt(),
        factor,
        poisson: true,
    });
    let mut all: Vec<Auxiliary> = gaussians.chain(poissons).collect();
    all.sort_by_key(|auxiliary| auxiliary.index);
    all
}

/// Pre-fit widths, n_parameters long: 0 for what is free or fixed (spec/inference.md, eq. 34).
pub fn widths(program: &Program, fixed: &[bool]) -> Vec<f64> {
    let mut widths = vec![0.0; program.n_parameters()];
    for auxiliary in auxiliaries(program) {
        if !fixed[auxiliary.parameter] {
            widths[auxiliary.parameter] = auxiliary.width;
        }
    }
    widths
}

/// The point before any fit (spec/inference.md, eq. 7): constrained parameters where their auxiliary data put them,
/// free ones and fixed ones at their start.
pub fn point(program: &Program, auxiliary_data: &[f64], start: &[f64], fixed: &[bool]) -> Vec<f64> {
    let mut point = start.to_vec();
    for auxiliary in auxiliaries(program) {
        if !fixed[auxiliary.parameter] {
            point[auxiliary.parameter] = auxiliary_data[auxiliary.index] / auxiliary.factor;
        }
    }
    point
}
