//! L D Lᵀ of eight matrices, row by row in the pattern of the Hessian: no square roots, and a row that is not free
//! becomes that of the unit matrix.

use super::Pattern;
use crate::kernel::simd::{Lanes, Simd, ZERO, entry_point};

/// The factors of eight matrices.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// L below its diagonal of ones.
    lower: Vec<Lanes>,
    /// 1/D.
    inverse: Vec<Lanes>,
    /// L D of the row in work.
    row: Vec<Lanes>,
    /// The smallest pivot in parts of its diagonal element, over what is free; zero where one is not positive.
    pub weakest: Lanes,
}

impl Factor {
    pub fn new(pattern: &Pattern) -> Factor {
        let n = pattern.first.len();
        Factor { lower: vec![ZERO; pattern.len], inverse: vec![ZERO; n], row: vec![ZERO; n], weakest: ZERO }
    }
}

entry_point! {
    /// Factorises the parts of `hessian` that are free (one, else zero; by place).
    factorize = factorize_body(pattern: &Pattern, hessian: &[Lanes], free: &[Lanes], factor: &mut Factor)
}

#[inline(always)]
fn factorize_body<S: Simd>(pattern: &Pattern, hessian: &[Lanes], free: &[Lanes], factor: &mut Factor) {
    let (zero, one) = (S::splat(0.0), S::splat(1.0));
    let Factor { lower, inverse, row, weakest } = factor;
    let mut least = one;
    for i in 0..pattern.first.len() {
        let (first, own) = (pattern.first[i], S::load(&free[i]));
        let (above, here) = lower.split_at_mut(pattern.base[i] + first);
        let elements = &hessian[pattern.base[i] + first..=pattern.base[i] + i];
        let diagonal = S::load(&elements[i - first]);
        let mut pivot = zero.select_less(own, diagonal, one);
        for j in first..i {
            let start = first.max(pattern.first[j]);
            let other = &above[pattern.base[j] + start..pattern.base[j] + j];
            let sum = dot::<S>(&row[start..j], other);
            let element = S::load(&elements[j - first]).mul(own.mul(S::load(&free[j]))).sub(sum);
            element.store(&mut row[j]);
            let scaled = element.mul(S::load(&inverse[j]));
            scaled.store(&mut here[j - first]);
            pivot = pivot.sub(element.mul(scaled));
        }
        let part = zero.select_less(own, pivot.div(diagonal.abs()), one);
        // What is not a number compares as not positive.
        let part = zero.select_less(part, part, zero);
        least = part.select_less(least, part, least);
        let usable = zero.select_less(pivot, pivot, one);
        one.div(usable).store(&mut inverse[i]);
    }
    least.store(weakest);
}

/// Σ x y in four chains, so that sums do not wait for one another.
#[inline(always)]
fn dot<S: Simd>(x: &[Lanes], y: &[Lanes]) -> S {
    let mut sums = [S::splat(0.0); 4];
    let (quads_x, quads_y) = (x.chunks_exact(4), y.chunks_exact(4));
    for (x, y) in quads_x.remainder().iter().zip(quads_y.remainder()) {
        sums[0] = S::load(x).fma(S::load(y), sums[0]);
    }
    for (x, y) in quads_x.zip(quads_y) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum = S::load(x).fma(S::load(y), *sum);
        }
    }
    sums[0].add(sums[1]).add(sums[2].add(sums[3]))
}

entry_point! {
    /// Solves for `x` (by place) in place; what is not free must be zero there.
    solve = solve_body(pattern: &Pattern, factor: &Factor, x: &mut [Lanes])
}

#[inline(always)]
fn solve_body<S: Simd>(pattern: &Pattern, factor: &Factor, x: &mut [Lanes]) {
    for i in 0..pattern.first.len() {
        let first = pattern.first[i];
        let row = &factor.lower[pattern.base[i] + first..pattern.base[i] + i];
        let sum = dot::<S>(row, &x[first..i]);
        S::load(&x[i]).sub(sum).store(&mut x[i]);
    }
    for (x, inverse) in x.iter_mut().zip(&factor.inverse) {
        S::load(x).mul(S::load(inverse)).store(x);
    }
    for i in (0..pattern.first.len()).rev() {
        let first = pattern.first[i];
        let row = &factor.lower[pattern.base[i] + first..pattern.base[i] + i];
        let own = S::splat(0.0).sub(S::load(&x[i]));
        for (x, element) in x[first..i].iter_mut().zip(row) {
            S::load(element).fma(own, S::load(x)).store(x);
        }
    }
}
