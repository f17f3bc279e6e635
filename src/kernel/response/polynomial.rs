//! Polynomials of eight bins at a time: values, and derivatives by the adjoint of their coefficients (spec/eft.md,
//! eq. 1).

use crate::kernel::simd::{Lanes, Simd, ZERO, entry_point};
use crate::program::CompiledPolynomial;

/// φ_k of all monomials to `phi`.
pub(super) fn monomials(polynomial: &CompiledPolynomial, variables: &[f64], phi: &mut [f64]) {
    for (k, phi) in phi.iter_mut().enumerate().take(polynomial.n_monomials()) {
        *phi = polynomial.monomial(k).iter().map(|i| variables[*i as usize]).product();
    }
}

entry_point! {
    /// Σ_k A_kb φ_k of all bins to `values` (n_groups), from φ of all monomials.
    evaluate = evaluate_body(polynomial: &CompiledPolynomial, phi: &[f64], values: &mut [Lanes])
}

#[inline(always)]
fn evaluate_body<S: Simd>(polynomial: &CompiledPolynomial, phi: &[f64], values: &mut [Lanes]) {
    let n = polynomial.n_monomials();
    let phi = &phi[..n];
    let mut coefficients = polynomial.coefficients.chunks_exact(4 * n);
    let mut values = values[..polynomial.n_groups].chunks_exact_mut(4);
    for (a, values) in (&mut coefficients).zip(&mut values) {
        let ((a, b), (c, d)) = (a[..2 * n].split_at(n), a[2 * n..].split_at(n));
        let mut sums = [S::splat(0.0); 4];
        for ((((phi, a), b), c), d) in phi.iter().zip(a).zip(b).zip(c).zip(d) {
            let phi = S::splat(*phi);
            for (sum, x) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = S::load(x).fma(phi, *sum);
            }
        }
        for (sum, value) in sums.iter().zip(values) {
            sum.store(value);
        }
    }
    for (a, value) in coefficients.remainder().chunks_exact(n).zip(values.into_remainder()) {
        let mut sum = S::splat(0.0);
        for (phi, a) in phi.iter().zip(a) {
            sum = S::load(a).fma(S::splat(*phi), sum);
        }
        sum.store(value);
    }
}

entry_point! {
    /// Σ_b y_b A_kb of all monomials to `totals`, from one weight a bin; `sums` is room for them in lanes.
    adjoint = adjoint_body(polynomial: &CompiledPolynomial, y: &[Lanes], sums: &mut [Lanes], totals: &mut [f64])
}

#[inline(always)]
fn adjoint_body<S: Simd>(polynomial: &CompiledPolynomial, y: &[Lanes], sums: &mut [Lanes], totals: &mut [f64]) {
    let n = polynomial.n_monomials();
    let sums = &mut sums[..n];
    sums.fill(ZERO);
    let mut coefficients = polynomial.coefficients.chunks_exact(4 * n);
    let mut y = y[..polynomial.n_groups].chunks_exact(4);
    for (a, y) in (&mut coefficients).zip(&mut y) {
        let ((a, b), (c, d)) = (a[..2 * n].split_at(n), a[2 * n..].split_at(n));
        let y = [S::load(&y[0]), S::load(&y[1]), S::load(&y[2]), S::load(&y[3])];
        for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            let left = S::load(a).fma(y[0], S::load(b).mul(y[1]));
            let right = S::load(c).fma(y[2], S::load(d).fma(y[3], S::load(sum)));
            left.add(right).store(sum);
        }
    }
    for (a, y) in coefficients.remainder().chunks_exact(n).zip(y.remainder()) {
        let y = S::load(y);
        for (sum, a) in sums.iter_mut().zip(a) {
            S::load(a).fma(y, S::load(sum)).store(sum);
        }
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total = S::load(sum).sum();
    }
}

entry_point! {
    /// ∂/∂c_i of all bins to `jacobian` (n_variables × n_groups).
    jacobian = jacobian_body(polynomial: &CompiledPolynomial, variables: &[f64], jacobian: &mut [Lanes])
}

#[inline(always)]
fn jacobian_body<S: Simd>(polynomial: &CompiledPolynomial, variables: &[f64], jacobian: &mut [Lanes]) {
    let (n, groups) = (polynomial.n_monomials(), polynomial.n_groups);
    jacobian.fill(ZERO);
    for k in 0..n {
        for_each_first(polynomial.monomial(k), variables, |i, derivative| {
            let derivative = S::splat(derivative);
            for (group, sum) in jacobian[i * groups..(i + 1) * groups].iter_mut().enumerate() {
                S::load(&polynomial.coefficients[group * n + k]).fma(derivative, S::load(sum)).store(sum);
            }
        });
    }
}

/// Σ_k totals_k ∂φ_k/∂c_i added to `gradient` (n_variables).
pub(super) fn add_first(polynomial: &CompiledPolynomial, totals: &[f64], variables: &[f64], gradient: &mut [f64]) {
    for (k, total) in totals.iter().enumerate().take(polynomial.n_monomials()) {
        for_each_first(polynomial.monomial(k), variables, |i, derivative| gradient[i] += total * derivative);
    }
}

/// Σ_k totals_k ∂²φ_k/∂c_i∂c_j added to `matrix` (n_variables²).
pub(super) fn add_second(polynomial: &CompiledPolynomial, totals: &[f64], variables: &[f64], matrix: &mut [f64]) {
    let n = polynomial.n_variables;
    for (k, total) in totals.iter().enumerate().take(polynomial.n_monomials()) {
        let monomial = polynomial.monomial(k);
        for (a, i) in monomial.iter().enumerate() {
            for (b, j) in monomial.iter().enumerate().filter(|(b, _)| *b != a) {
                let others = monomial.iter().enumerate().filter(|(c, _)| *c != a && *c != b);
                let rest: f64 = others.map(|(_, l)| variables[*l as usize]).product();
                matrix[*i as usize * n + *j as usize] += total * rest;
            }
        }
    }
}

/// Calls `f(i, derivative)` for every factor of a monomial; a variable that stands several times is called so often.
#[inline(always)]
fn for_each_first(monomial: &[u32], variables: &[f64], mut f: impl FnMut(usize, f64)) {
    for (a, i) in monomial.iter().enumerate() {
        let others = monomial.iter().enumerate().filter(|(b, _)| *b != a);
        f(*i as usize, others.map(|(_, j)| variables[*j as usize]).product());
    }
}
