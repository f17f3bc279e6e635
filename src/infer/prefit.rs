//! What is known before a fit: where the auxiliary measurements put their parameters, and how narrowly.

use super::covariance::Covariance;
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

/// Pre-fit widths and correlations of the parameters.
pub fn covariance(program: &Program, fixed: &[bool]) -> Covariance {
    let widths = widths(program, fixed);
    if program.correlations.is_empty() {
        return Covariance::diagonal(widths);
    }
    let n = widths.len();
    let mut matrix = vec![0.0; n * n];
    widths.iter().enumerate().for_each(|(i, width)| matrix[i * n + i] = width * width);
    for group in &program.correlations {
        for (a, &i) in group.parameters.iter().enumerate() {
            for (b, &j) in group.parameters.iter().enumerate().filter(|(b, _)| *b != a) {
                matrix[i * n + j] = group.source.correlation(a, b) * widths[i] * widths[j];
            }
        }
    }
    // Correlations that a model has are positive definite.
    Covariance::of_matrix(&matrix, n).unwrap_or_else(|_| Covariance::diagonal(widths))
}

/// The covariance of something with the parameters, as the auxiliary datum of one of them moves it:
/// σ_i Σ_j (R⁻¹)_ij V_j/σ_j, which is V_i where nothing is correlated.
pub fn seen_by_datum(program: &Program, parameter: usize, covariance: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let own = covariance(parameter)?;
    let Some(group) = program.correlations.iter().find(|group| group.parameters.contains(&parameter)) else {
        return Some(own);
    };
    let n = group.parameters.len();
    let row = group.parameters.iter().position(|i| *i == parameter)?;
    let width = |k: usize| program.constraints.gaussians[group.gaussians[k]].1;
    let terms = group
        .parameters
        .iter()
        .enumerate()
        .map(|(k, j)| Some(group.source.excess[row * n + k] * covariance(*j)? * width(row) / width(k)));
    Some(own + terms.sum::<Option<f64>>()?)
}

/// The correlation of the auxiliary data of two parameters.
pub fn datum_correlation(program: &Program, i: usize, j: usize) -> f64 {
    let place = |group: &[usize], parameter: usize| group.iter().position(|own| *own == parameter);
    let of_group = |group: &crate::program::CompiledCorrelation| {
        let (a, b) = place(&group.parameters, i).zip(place(&group.parameters, j))?;
        Some(group.source.correlation(a, b))
    };
    if i == j { 1.0 } else { program.correlations.iter().find_map(of_group).unwrap_or(0.0) }
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
