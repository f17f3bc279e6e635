//! Products of powers of polynomials: values and derivatives by the product rule (spec/eft.md, "Rational responses").

use super::polynomial;
use crate::kernel::simd::{Backend, Lanes, ZERO, flat, flat_mut};
use crate::program::CompiledPolynomial;

/// One factor of a response: its value, and room for its derivatives. Lists are one group a value, n_groups long.
#[derive(Clone, Debug)]
pub(super) struct FactorScratch {
    pub value: Vec<Lanes>,
    /// Its derivatives by the variables: n_variables × n_groups, made for the Hessian.
    pub jacobian: Vec<Lanes>,
}

impl FactorScratch {
    pub fn new(polynomial: &CompiledPolynomial) -> FactorScratch {
        let groups = polynomial.n_groups;
        FactorScratch { value: vec![ZERO; groups], jacobian: vec![ZERO; groups * polynomial.n_variables] }
    }
}

/// The list of factors and their powers.
pub(super) type Factors = [(CompiledPolynomial, i32)];

/// Π P_a^{p_a} of all bins; NaN where a factor with a negative power is not positive, which is out of the domain
/// (spec/eft.md, "Rational responses").
pub(super) fn evaluate(factors: &Factors, scratch: &[FactorScratch], values: &mut [Lanes]) {
    values.fill(Lanes([1.0; 8]));
    for ((_, power), factor) in factors.iter().zip(scratch) {
        for (value, p) in flat_mut(values).iter_mut().zip(flat(&factor.value)) {
            *value *= p.powi(*power);
        }
    }
    for (_, factor) in factors.iter().zip(scratch).filter(|((_, power), _)| *power < 0) {
        for (value, p) in flat_mut(values).iter_mut().zip(flat(&factor.value)) {
            if *p <= 0.0 {
                *value = f64::NAN;
            }
        }
    }
}

/// ∂(Π P^p)/∂P_a of one bin.
pub(super) fn first(factors: &Factors, scratch: &[FactorScratch], a: usize, bin: usize) -> f64 {
    power_derivative(factors, scratch, bin, |b| usize::from(b == a))
}

/// ∂²(Π P^p)/∂P_a∂P_b of one bin.
pub(super) fn second(factors: &Factors, scratch: &[FactorScratch], a: usize, b: usize, bin: usize) -> f64 {
    power_derivative(factors, scratch, bin, |c| usize::from(c == a) + usize::from(c == b))
}

/// Π_c of the `times(c)`-th derivative of P_c^{p_c}: no division, so a factor may be zero.
fn power_derivative(factors: &Factors, scratch: &[FactorScratch], bin: usize, times: impl Fn(usize) -> usize) -> f64 {
    let mut product = 1.0;
    for (c, ((_, power), factor)) in factors.iter().zip(scratch).enumerate() {
        let (mut power, mut coefficient) = (*power, 1.0);
        for _ in 0..times(c) {
            coefficient *= f64::from(power);
            power -= 1;
        }
        // The derivative of a constant is zero, also where its power of zero would be infinite.
        product *= if coefficient == 0.0 { 0.0 } else { coefficient * flat(&factor.value)[bin].powi(power) };
    }
    product
}

/// Adds Σ_b y_b ∂²r_b/∂P_a∂P_c ∂_iP_a ∂_jP_c over all pairs of factors to `matrix` (n_variables²).
pub(super) fn add_crossed(
    factors: &Factors,
    scratch: &[FactorScratch],
    y: &[Lanes],
    n_bins: usize,
    matrix: &mut [f64],
) {
    let Some((polynomial, _)) = factors.first() else { return };
    let (n, groups) = (polynomial.n_variables, polynomial.n_groups);
    let derivative = |factor: usize, i: usize, bin: usize| flat(&scratch[factor].jacobian)[i * groups * 8 + bin];
    for bin in 0..n_bins {
        for a in 0..factors.len() {
            for c in 0..factors.len() {
                let weight = flat(y)[bin] * second(factors, scratch, a, c, bin);
                if weight == 0.0 {
                    continue;
                }
                for i in 0..n {
                    let of_a = weight * derivative(a, i, bin);
                    for j in 0..n {
                        matrix[i * n + j] += of_a * derivative(c, j, bin);
                    }
                }
            }
        }
    }
}

/// Values of all factors, from φ of each in `phi`.
pub(super) fn set_values(
    backend: Backend,
    factors: &Factors,
    variables: &[f64],
    phi: &mut [f64],
    scratch: &mut [FactorScratch],
) {
    for ((factor, _), scratch) in factors.iter().zip(scratch) {
        polynomial::monomials(factor, variables, phi);
        polynomial::evaluate(backend, factor, phi, &mut scratch.value);
    }
}
