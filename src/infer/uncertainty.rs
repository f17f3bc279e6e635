//! Uncertainties and covariance from the exact Hessian: V = 2 H⁻¹ of −2 ln L (spec/likelihood.md, "Uncertainties").

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::fit::{FitOptions, FitResult};
use crate::kernel::Evaluator;
use crate::kernel::cholesky::{cholesky, inverse};
use crate::kernel::simd::{ZERO, flat_mut};
use crate::program::PreparedData;

/// With more free parameters than this a matrix takes long and much memory: covariance only on request, no list of
/// flat directions.
pub const MOST_PARAMETERS: usize = 2000;

/// An eigenvalue of the Hessian in units of the constraints' own that is this small counts as flat.
const FLAT: f64 = 1e-9;

/// And one this small, where the yields are linear along the direction, may be made of rounding.
const WEAK: f64 = 1e-4;

/// Fills in uncertainties and covariance of the parameters that are not fixed, bounds being ignored. Where the Hessian
/// is not positive definite with them, the parameters at a limit are left out and have NaN; where it is not without them
/// either, nothing is filled in.
pub(crate) fn hesse(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions, result: &mut FitResult) {
    let n = options.fixed.len();
    let mut free: Vec<usize> = (0..n).filter(|&i| !options.fixed[i]).collect();
    let mut inverse = inverse_hessian(evaluator, data, &result.parameters, &free);
    let mut uncertainties = vec![0.0; n];
    if inverse.is_none() && !result.at_limit.is_empty() {
        for &i in &result.at_limit {
            uncertainties[i] = f64::NAN;
        }
        free.retain(|i| !result.at_limit.contains(i));
        inverse = inverse_hessian(evaluator, data, &result.parameters, &free);
    }
    let Some(inverse) = inverse else { return };
    let m = free.len();
    let mut covariance = vec![0.0; n * n];
    for &i in &result.at_limit {
        covariance[i * n + i] = uncertainties[i];
    }
    for (a, &i) in free.iter().enumerate() {
        for (b, &j) in free.iter().enumerate() {
            covariance[i * n + j] = inverse[a * m + b] + inverse[b * m + a];
        }
        uncertainties[i] = covariance[i * n + i].sqrt();
    }
    result.covariance = Some(covariance);
    result.uncertainties = Some(uncertainties);
}

/// H⁻¹ over the listed parameters, or nothing where H is not positive definite.
fn inverse_hessian(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    parameters: &[f64],
    free: &[usize],
) -> Option<Vec<f64>> {
    let (n, m) = (parameters.len(), free.len());
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    evaluator.hessian(parameters, data, &mut gradient, &mut hessian);
    let stride = m.div_ceil(8);
    let mut factor = vec![ZERO; m * stride];
    let mut least = vec![0.0; m];
    for (a, &i) in free.iter().enumerate() {
        let row = flat_mut(&mut factor[a * stride..(a + 1) * stride]);
        for (b, &j) in free[..=a].iter().enumerate() {
            row[b] = hessian[i * n + j];
        }
        least[a] = 1e-13 * hessian[i * n + i].abs();
    }
    match cholesky(evaluator.backend(), &mut factor, m, &least, &mut Vec::new()) {
        None => Some(inverse(evaluator.backend(), &factor, m)),
        Some(_) => None,
    }
}

/// A direction in the parameters, and the curvature along it in units of the constraints' own.
pub(crate) struct Direction {
    pub curvature: f64,
    /// Components in units of the parameters' widths, the largest first.
    pub components: Vec<(usize, f64)>,
}

/// Directions of the free parameters along which the Hessian has no positive curvature, the most negative first.
pub(crate) fn flat_directions(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    parameters: &[f64],
    free: &[bool],
    widths: &[f64],
) -> Vec<Direction> {
    weak_directions(evaluator, data, parameters, free, widths, FLAT)
        .into_iter()
        .map(|(direction, _)| direction)
        .collect()
}

/// Directions whose curvature is no more than what rounding leaves of the gradient makes of the yields' second
/// derivatives: without those derivatives there is none.
pub(crate) fn undetermined_directions(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    parameters: &[f64],
    free: &[bool],
    widths: &[f64],
) -> Vec<Direction> {
    let weak = weak_directions(evaluator, data, parameters, free, widths, WEAK);
    weak.into_iter().filter(|(_, gauss_newton)| *gauss_newton < FLAT).map(|(direction, _)| direction).collect()
}

/// Whether yields and means change in first order along every direction of the free parameters: the Gauss–Newton matrix is
/// positive definite, in whatever units.
pub(crate) fn sees_all(evaluator: &mut Evaluator, data: &PreparedData, parameters: &[f64], free: &[bool]) -> bool {
    let n = parameters.len();
    let free: Vec<usize> = (0..n).filter(|&i| free[i]).collect();
    if free.is_empty() || free.len() > MOST_PARAMETERS {
        return free.is_empty();
    }
    let (mut gradient, mut matrix) = (vec![0.0; n], vec![0.0; n * n]);
    evaluator.hessian(parameters, data, &mut gradient, &mut matrix);
    evaluator.gauss_newton(data, &mut matrix);
    let widths: Vec<f64> = (0..n).map(|i| (2.0 / matrix[i * n + i]).sqrt()).collect();
    free.iter().all(|&i| widths[i].is_finite())
        && directions_below(FLAT, &scaled(&matrix, n, &free, &widths), &free).is_empty()
}

/// ½ w_i M_ij w_j over the listed parameters.
fn scaled(matrix: &[f64], n: usize, free: &[usize], widths: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(free.len(), free.len(), |a, b| {
        0.5 * matrix[free[a] * n + free[b]] * widths[free[a]] * widths[free[b]]
    })
}

/// The eigenvectors of a matrix over the listed parameters with eigenvalues below a limit.
fn directions_below(limit: f64, matrix: &DMatrix<f64>, free: &[usize]) -> Vec<Direction> {
    let spectrum = SymmetricEigen::new(matrix.clone());
    let all = spectrum.eigenvalues.iter().zip(spectrum.eigenvectors.column_iter());
    let low = all.filter(|(curvature, _)| **curvature < limit).map(|(curvature, vector)| {
        let mut components: Vec<(usize, f64)> = free.iter().copied().zip(vector.iter().copied()).collect();
        components.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        Direction { curvature: *curvature, components }
    });
    low.collect()
}

/// Directions of curvature below a limit, each with its curvature in the Gauss–Newton matrix.
fn weak_directions(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    parameters: &[f64],
    free: &[bool],
    widths: &[f64],
    limit: f64,
) -> Vec<(Direction, f64)> {
    let n = parameters.len();
    let free: Vec<usize> = (0..n).filter(|&i| free[i]).collect();
    if free.is_empty() || free.len() > MOST_PARAMETERS {
        return Vec::new();
    }
    let (mut gradient, mut matrix) = (vec![0.0; n], vec![0.0; n * n]);
    evaluator.hessian(parameters, data, &mut gradient, &mut matrix);
    let weak = directions_below(limit, &scaled(&matrix, n, &free, widths), &free);
    evaluator.gauss_newton(data, &mut matrix);
    let gauss_newton = scaled(&matrix, n, &free, widths);
    let mut place = vec![0; n];
    free.iter().enumerate().for_each(|(a, &i)| place[i] = a);
    let with_approximate = |direction: Direction| {
        let mut vector = DVector::zeros(free.len());
        direction.components.iter().for_each(|&(i, component)| vector[place[i]] = component);
        let approximate = vector.dot(&(&gauss_newton * &vector));
        (direction, approximate)
    };
    let mut directions: Vec<(Direction, f64)> = weak.into_iter().map(with_approximate).collect();
    directions.sort_by(|(a, _), (b, _)| a.curvature.total_cmp(&b.curvature));
    directions
}
