//! What correlations add to Gaussian constraints: ½ zᵀ (R⁻¹ − 1) z with the pulls z (spec/constraints.md, eq. 7).

use crate::kernel::simd::flat;
use crate::program::{CompiledCorrelation, PreparedData, Program};

/// Row i of (R⁻¹ − 1) times the pulls.
fn row_times_pulls(group: &CompiledCorrelation, i: usize, pull: impl Fn(usize) -> f64) -> f64 {
    let n = group.parameters.len();
    group.source.excess[i * n..(i + 1) * n].iter().enumerate().map(|(j, element)| element * pull(j)).sum()
}

/// The pull of each parameter of a group, by its number.
fn pulls<'a>(
    program: &'a Program,
    data: &'a PreparedData,
    theta: &'a [f64],
    group: &'a CompiledCorrelation,
) -> impl Fn(usize) -> f64 + Copy + 'a {
    let (auxdata, inverse) = (flat(&data.gaussian), flat(&program.constraints.inverse_sigma));
    move |i| {
        let gaussian = group.gaussians[i];
        (theta[group.parameters[i]] - auxdata[gaussian]) * inverse[gaussian]
    }
}

pub(super) fn value(program: &Program, data: &PreparedData, theta: &[f64]) -> f64 {
    let of_group = |group: &CompiledCorrelation| {
        let pull = pulls(program, data, theta, group);
        0.5 * (0..group.parameters.len()).map(|i| pull(i) * row_times_pulls(group, i, pull)).sum::<f64>()
    };
    program.correlations.iter().map(of_group).sum()
}

pub(super) fn add_gradient(program: &Program, data: &PreparedData, theta: &[f64], gradient: &mut [f64]) {
    let inverse = flat(&program.constraints.inverse_sigma);
    for group in &program.correlations {
        let pull = pulls(program, data, theta, group);
        for (i, (parameter, gaussian)) in group.parameters.iter().zip(&group.gaussians).enumerate() {
            gradient[*parameter] += inverse[*gaussian] * row_times_pulls(group, i, pull);
        }
    }
}

/// Calls `add` with the shared places i and j ≤ i of each pair of parameters, and the second derivative.
pub(super) fn curvatures(program: &Program, mut add: impl FnMut(usize, usize, f64)) {
    let inverse = flat(&program.constraints.inverse_sigma);
    for group in &program.correlations {
        let n = group.parameters.len();
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            if group.places[j] <= group.places[i] {
                let widths = inverse[group.gaussians[i]] * inverse[group.gaussians[j]];
                add(group.places[i], group.places[j], group.source.excess[i * n + j] * widths);
            }
        }
    }
}
