//! Other starts for likelihoods with responses: a rate that is quadratic in coefficients takes each value on several sides
//! of its vertex, so that there may be minima on all of them (spec/inference.md, "Several minima").

use super::fit::FitOptions;
use super::line::Line;
use super::minima::Basin;
use crate::kernel::Evaluator;
use crate::program::PreparedData;
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Spread starts of the smaller scale lie this many widths of the lowest minimum around it, at most.
const OF_WIDTHS: f64 = 8.0;

/// Dimensions of the Sobol sequence; more coefficients take further sequences.
const DIMENSIONS: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// A spread start without a likelihood is moved half the way to the lowest minimum so often.
const MOST_HALVINGS: usize = 20;

/// Coefficients whose correlation is above one of these belong together.
const CORRELATED: [f64; 9] = [0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

/// Lines are followed along so many eigenvectors of the Hessian, those of the lowest eigenvalues.
const MOST_EIGENVECTORS: usize = 8;

/// A coefficient that is nearer to zero than this part of its width has no other sign.
const LEAST_FLIP: f64 = 0.05;

/// The free coefficients, ascending.
pub(crate) fn free_coefficients(evaluator: &Evaluator, options: &FitOptions) -> Vec<usize> {
    let mut coefficients = evaluator.program.coefficients();
    coefficients.retain(|&i| !options.fixed[i] && options.bounds[i].0 < options.bounds[i].1);
    coefficients
}

/// Starts that are spread evenly over the free coefficients, by turns over the box of the bounds and around the lowest
/// minimum.
pub(crate) struct Spread {
    seed: u32,
    index: u32,
}

impl Spread {
    pub fn new(seed: u64) -> Spread {
        // Both halves of the seed count.
        Spread { seed: (seed ^ (seed >> 32)) as u32, index: 0 }
    }

    /// The next one; parameters that are no free coefficients are those of `around`.
    pub fn next(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        coefficients: &[usize],
        around: &Basin,
    ) -> Vec<f64> {
        let (place, whole_box) = (self.index / 2, self.index.is_multiple_of(2));
        self.index += 1;
        let mut point = around.theta.clone();
        for (k, &i) in coefficients.iter().enumerate() {
            let seed =
                self.seed.wrapping_mul(0x9e37_79b9).wrapping_add((2 * (k / DIMENSIONS)) as u32 + u32::from(whole_box));
            let even = f64::from(sobol_burley::sample(place, (k % DIMENSIONS) as u32, seed));
            let (low, high) = options.bounds[i];
            let at = if whole_box && (high - low).is_finite() {
                low + even * (high - low)
            } else {
                around.theta[i] + OF_WIDTHS * (2.0 * even - 1.0) * around.widths[i]
            };
            point[i] = at.max(low).min(high);
        }
        for _ in 0..MOST_HALVINGS {
            if evaluator.reduced(&point, data).is_finite() {
                break;
            }
            coefficients.iter().for_each(|&i| point[i] = 0.5 * (point[i] + around.theta[i]));
        }
        point
    }
}

/// The minimum with means and yields that are linear at the start, within the bounds; `None` where they determine none.
pub(crate) fn linear_optimum(evaluator: &mut Evaluator, data: &PreparedData, options: &FitOptions) -> Option<Vec<f64>> {
    let n = options.init.len();
    let (mut gradient, mut matrix) = (vec![0.0; n], vec![0.0; n * n]);
    if !evaluator.reduced_with_blocks(&options.init, data, &mut gradient).is_finite() {
        return None;
    }
    evaluator.gauss_newton(data, &mut matrix);
    let free: Vec<usize> = (0..n).filter(|&i| !options.fixed[i] && matrix[i * n + i] > 0.0).collect();
    let scale = |a: usize| matrix[free[a] * n + free[a]].sqrt();
    // Scaled to a correlation; so little on the diagonal holds what nothing determines.
    let own =
        |a: usize, b: usize| matrix[free[a] * n + free[b]] / (scale(a) * scale(b)) + if a == b { 1e-10 } else { 0.0 };
    let correlation = DMatrix::from_fn(free.len(), free.len(), own);
    let right = DVector::from_fn(free.len(), |a, _| -gradient[free[a]] / scale(a));
    let step = correlation.cholesky()?.solve(&right);
    let mut point = options.init.clone();
    for (a, &i) in free.iter().enumerate() {
        let (low, high) = options.bounds[i];
        point[i] = (point[i] + step[a] / scale(a)).max(low).min(high);
    }
    (point.iter().all(|x| x.is_finite()) && evaluator.reduced(&point, data).is_finite()).then_some(point)
}

/// Starts on the other sides of a minimum, with their values, the lowest first, all within the bounds: minima along
/// straight lines; other signs of single coefficients, and of those that belong together.
pub(crate) fn other_sides(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    options: &FitOptions,
    coefficients: &[usize],
    basin: &Basin,
) -> Vec<(f64, Vec<f64>)> {
    let mut found = Vec::new();
    for (direction, width) in directions(coefficients, basin, options) {
        found.extend(Line::new(&basin.theta, direction, &options.bounds).minima(evaluator, data, width));
    }
    for group in groups(coefficients, basin, options) {
        let flips: Vec<usize> =
            group.into_iter().filter(|&i| basin.theta[i].abs() > LEAST_FLIP * basin.widths[i]).collect();
        if flips.is_empty() {
            continue;
        }
        let mut start = basin.theta.clone();
        flips.iter().for_each(|&i| start[i] = (-start[i]).max(options.bounds[i].0).min(options.bounds[i].1));
        let value = evaluator.reduced(&start, data);
        if value.is_finite() && !found.iter().any(|(_, other)| *other == start) {
            found.push((value, start));
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// Lines through a minimum, with the distance over which the likelihood changes along each: the coefficients, the line
/// through zero, and eigenvectors of the Hessian.
fn directions(coefficients: &[usize], basin: &Basin, options: &FitOptions) -> Vec<(Vec<(usize, f64)>, f64)> {
    let mut lines: Vec<(Vec<(usize, f64)>, f64)> =
        coefficients.iter().map(|&i| (vec![(i, 1.0)], basin.widths[i])).collect();
    if coefficients.len() > 1 {
        lines.push((coefficients.iter().map(|&i| (i, basin.theta[i])).collect(), 0.25));
        let inner = inner(coefficients, basin, options);
        if inner.is_empty() {
            return lines;
        }
        let width = |a: usize| basin.widths[coefficients[a]];
        let scaled = |a: usize, b: usize| 0.5 * basin.hessian[(inner[a], inner[b])] * width(inner[a]) * width(inner[b]);
        let spectrum = SymmetricEigen::new(DMatrix::from_fn(inner.len(), inner.len(), scaled));
        let mut order: Vec<usize> = (0..inner.len()).collect();
        order.sort_by(|a, b| spectrum.eigenvalues[*a].total_cmp(&spectrum.eigenvalues[*b]));
        for &k in order.iter().take(MOST_EIGENVECTORS) {
            let vector = spectrum.eigenvectors.column(k);
            let components = inner.iter().zip(vector.iter()).map(|(&a, x)| (coefficients[a], x * width(a)));
            lines.push((components.collect(), spectrum.eigenvalues[k].max(1e-6).sqrt().recip()));
        }
    }
    lines
}

/// Places in the list of the coefficients that are not on a bound and on which something depends.
fn inner(coefficients: &[usize], basin: &Basin, options: &FitOptions) -> Vec<usize> {
    let is_inner = |a: &usize| {
        let i = coefficients[*a];
        let (low, high) = options.bounds[i];
        low < basin.theta[i] && basin.theta[i] < high && basin.hessian[(*a, *a)] > 0.0
    };
    (0..coefficients.len()).filter(is_inner).collect()
}

/// Coefficients that change their signs together: each alone, and the connected blocks of the correlation above several
/// thresholds, of the Hessian and of its inverse, each once.
fn groups(coefficients: &[usize], basin: &Basin, options: &FitOptions) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = coefficients.iter().map(|&i| vec![i]).collect();
    let inner = inner(coefficients, basin, options);
    if inner.is_empty() {
        return groups;
    }
    let scale = |a: usize| basin.hessian[(inner[a], inner[a])].sqrt();
    let scaled = |a: usize, b: usize| basin.hessian[(inner[a], inner[b])] / (scale(a) * scale(b));
    let hessian = DMatrix::from_fn(inner.len(), inner.len(), scaled);
    let inverse = hessian.clone().cholesky().map(|factor| factor.inverse());
    for matrix in std::iter::once(hessian).chain(inverse) {
        let correlation = |a: usize, b: usize| matrix[(a, b)] / (matrix[(a, a)] * matrix[(b, b)]).sqrt();
        for threshold in CORRELATED {
            for block in blocks(inner.len(), |a, b| correlation(a, b).abs() > threshold) {
                let group: Vec<usize> = block.into_iter().map(|a| coefficients[inner[a]]).collect();
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
        }
    }
    groups
}

/// The connected blocks of n things, each ascending.
fn blocks(n: usize, together: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut is_placed = vec![false; n];
    let mut blocks = Vec::new();
    for first in 0..n {
        if std::mem::replace(&mut is_placed[first], true) {
            continue;
        }
        let mut block = vec![first];
        let mut next = 0;
        while let Some(&a) = block.get(next) {
            for (b, is_placed) in is_placed.iter_mut().enumerate() {
                if !*is_placed && together(a, b) {
                    *is_placed = true;
                    block.push(b);
                }
            }
            next += 1;
        }
        block.sort_unstable();
        blocks.push(block);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 – 2 – 4 and 1 – 3 hang together, 5 is alone.
    #[test]
    fn connected_blocks() {
        let pairs = [(0, 2), (2, 4), (1, 3)];
        let together = |a: usize, b: usize| pairs.contains(&(a, b)) || pairs.contains(&(b, a));
        assert_eq!(blocks(6, together), [vec![0, 2, 4], vec![1, 3], vec![5]]);
    }
}
