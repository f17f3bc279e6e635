//! Values and derivatives of means that are quadratic (spec/gaussian.md, section 2): each coefficient is read once for a
//! mean and its gradient.

use super::simd::{Lanes, Simd, ZERO};
use crate::program::{BLOCK, QuadraticGroup, QuadraticMeans};

/// Coefficients of the square of a block.
const TRIANGLE: usize = BLOCK * (BLOCK + 1) / 2;

/// What an evaluation writes.
#[derive(Clone, Debug)]
pub(crate) struct QuadraticScratch {
    /// The variables of one group.
    local: Vec<f64>,
    /// ∂t of each group by its variables.
    jacobian: Vec<Lanes>,
    /// Σ over points of weight times ∂t, lane by lane, for each variable and the one behind them.
    sums: Vec<Lanes>,
}

impl QuadraticScratch {
    pub fn new(means: &QuadraticMeans) -> QuadraticScratch {
        QuadraticScratch {
            local: vec![0.0; means.most_variables()],
            jacobian: vec![ZERO; means.variables.len()],
            sums: vec![ZERO; means.n_variables + 1],
        }
    }
}

/// The means by position, and their derivatives; `variables` has a zero behind the last one.
#[inline(always)]
pub(super) fn means<S: Simd>(
    means: &QuadraticMeans,
    variables: &[f64],
    scratch: &mut QuadraticScratch,
    mean: &mut [f64],
) {
    for group in &means.groups {
        let own = &means.variables[group.variables.clone()];
        let local = &mut scratch.local[..own.len()];
        for (local, variable) in local.iter_mut().zip(own) {
            *local = variables[*variable as usize];
        }
        let coefficients = &means.coefficients[group.coefficients.clone()];
        let mut values = ZERO;
        of_group::<S>(coefficients, local, &mut scratch.jacobian[group.variables.clone()]).store(&mut values);
        for (lane, position) in group.positions.iter().enumerate() {
            mean[*position as usize] = values.0[lane];
        }
    }
}

/// J = L + S c, and the means t₀ + ½ c (L + J). Plain loops: a closure is compiled without the instruction set of the
/// kernel, and its arithmetic with it.
#[inline(always)]
fn of_group<S: Simd>(coefficients: &[Lanes], c: &[f64], jacobian: &mut [Lanes]) -> S {
    let (constant, rest) = coefficients.split_at(1);
    let (slopes, mut rest) = rest.split_at(c.len());
    jacobian.copy_from_slice(slopes);
    let (blocks, _) = c.as_chunks::<BLOCK>();
    for (b, own) in blocks.iter().enumerate() {
        let first = b * BLOCK;
        let (rectangle, behind) = rest.split_at(first * BLOCK);
        let (triangle, behind) = behind.split_at(TRIANGLE);
        rest = behind;
        let (before, here) = jacobian.split_at_mut(first);
        block::<S>(rectangle, triangle, &c[..first], own, before, here);
    }
    let (mut even, mut odd) = (S::splat(0.0), S::splat(0.0));
    let n = c.len();
    let (slopes, jacobian) = (&slopes[..n], &jacobian[..n]);
    for i in (0..n).step_by(2) {
        even = S::load(&slopes[i]).add(S::load(&jacobian[i])).fma(S::splat(c[i]), even);
        odd = S::load(&slopes[i + 1]).add(S::load(&jacobian[i + 1])).fma(S::splat(c[i + 1]), odd);
    }
    even.add(odd).fma(S::splat(0.5), S::load(&constant[0]))
}

/// Adds what four rows of S, and the same columns before them, give to J.
#[inline(always)]
fn block<S: Simd>(
    rectangle: &[Lanes],
    triangle: &[Lanes],
    earlier: &[f64],
    own: &[f64; BLOCK],
    before: &mut [Lanes],
    here: &mut [Lanes],
) {
    let x = [S::splat(own[0]), S::splat(own[1]), S::splat(own[2]), S::splat(own[3])];
    let mut sums = [S::load(&here[0]), S::load(&here[1]), S::load(&here[2]), S::load(&here[3])];
    let n = earlier.len();
    let (columns, _) = rectangle.as_chunks::<BLOCK>();
    let (columns, before) = (&columns[..n], &mut before[..n]);
    for j in 0..n {
        let c = S::splat(earlier[j]);
        let column = &columns[j];
        let a = [S::load(&column[0]), S::load(&column[1]), S::load(&column[2]), S::load(&column[3])];
        let even = a[2].fma(x[2], a[0].fma(x[0], S::load(&before[j])));
        let odd = a[3].fma(x[3], a[1].mul(x[1]));
        even.add(odd).store(&mut before[j]);
        for k in 0..BLOCK {
            sums[k] = a[k].fma(c, sums[k]);
        }
    }
    let triangle = &triangle[..TRIANGLE];
    let mut next = 0;
    for i in 0..BLOCK {
        for j in 0..i {
            let a = S::load(&triangle[next]);
            sums[i] = a.fma(x[j], sums[i]);
            sums[j] = a.fma(x[i], sums[j]);
            next += 1;
        }
        sums[i] = S::load(&triangle[next]).fma(x[i], sums[i]);
        next += 1;
    }
    for k in 0..BLOCK {
        sums[k].store(&mut here[k]);
    }
}

/// Adds Σ ∂f/∂t ∂t to `first`, one a variable, after the means at the same point.
#[inline(always)]
pub(super) fn add_gradient<S: Simd>(
    means: &QuadraticMeans,
    weight: &[f64],
    scratch: &mut QuadraticScratch,
    first: &mut [f64],
) {
    let QuadraticScratch { jacobian, sums, .. } = scratch;
    sums.fill(ZERO);
    for group in &means.groups {
        let weights = S::load(&weights(group, weight));
        let range = group.variables.clone();
        let (variables, jacobian) = (&means.variables[range.clone()], &jacobian[range]);
        for k in 0..variables.len() {
            let sum = &mut sums[variables[k] as usize];
            S::load(&jacobian[k]).fma(weights, S::load(sum)).store(sum);
        }
    }
    for i in 0..first.len() {
        first[i] += S::load(&sums[i]).sum();
    }
}

/// Calls `add(position, variable, ∂t)` for every derivative after the means at the same point.
pub(super) fn visit_jacobian(
    means: &QuadraticMeans,
    scratch: &QuadraticScratch,
    mut add: impl FnMut(usize, usize, f64),
) {
    for group in &means.groups {
        let range = group.variables.clone();
        for (variable, j) in means.variables[range.clone()].iter().zip(&scratch.jacobian[range]) {
            for (position, j) in group.positions.iter().zip(j.0).filter(|_| (*variable as usize) < means.n_variables) {
                add(*position as usize, *variable as usize, j);
            }
        }
    }
}

/// Calls `add(i, j, Σ ∂f/∂t ∂²t)` for the variables i ≥ j of every group.
#[inline(always)]
pub(super) fn visit_second<S: Simd>(means: &QuadraticMeans, weight: &[f64], mut add: impl FnMut(usize, usize, f64)) {
    for group in &means.groups {
        let own = &means.variables[group.variables.clone()];
        let n = own.partition_point(|i| (*i as usize) < means.n_variables);
        let weights = S::load(&weights(group, weight));
        let coefficients = &means.coefficients[group.coefficients.clone()];
        let mut rest = &coefficients[1 + own.len()..];
        for first in (0..own.len()).step_by(BLOCK) {
            let (rectangle, behind) = rest.split_at(first * BLOCK);
            let (triangle, behind) = behind.split_at(TRIANGLE);
            rest = behind;
            let rows = first..n.min(first + BLOCK);
            for i in rows {
                let k = i - first;
                let before = rectangle.iter().skip(k).step_by(BLOCK);
                let within = &triangle[k * (k + 1) / 2..(k + 1) * (k + 2) / 2];
                for (j, a) in own.iter().zip(before.chain(within)) {
                    add(own[i] as usize, *j as usize, S::load(a).mul(weights).sum());
                }
            }
        }
    }
}

#[inline(always)]
fn weights(group: &QuadraticGroup, weight: &[f64]) -> Lanes {
    let mut weights = ZERO;
    for (lane, position) in group.positions.iter().enumerate() {
        weights.0[lane] = weight[*position as usize];
    }
    weights
}
