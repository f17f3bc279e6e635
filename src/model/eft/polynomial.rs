//! The one polynomial of the extension: Σ_k A_kb φ_k(c), each monomial once (spec/eft.md, eq. 1).

use crate::model::select;
use std::collections::BTreeMap;

/// A product of variables as the sorted list of their indices; empty for the constant.
pub type Monomial = Vec<u32>;

/// A polynomial with a coefficient for each bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polynomial {
    /// Sorted by length, then by content; each once.
    pub monomials: Vec<Monomial>,
    /// K × n_bins, row-major: the bins of a monomial are together.
    pub coefficients: Vec<f64>,
    pub n_bins: usize,
}

impl Polynomial {
    /// Brings terms into the canonical order. Indices of a monomial may come in any order; terms of one monomial are
    /// added up.
    pub fn from_terms(n_bins: usize, terms: impl IntoIterator<Item = (Monomial, Vec<f64>)>) -> Polynomial {
        let mut sums: BTreeMap<(usize, Monomial), Vec<f64>> = BTreeMap::new();
        for (mut monomial, coefficients) in terms {
            monomial.sort_unstable();
            let sum = sums.entry((monomial.len(), monomial)).or_insert_with(|| vec![0.0; n_bins]);
            for (sum, a) in sum.iter_mut().zip(coefficients) {
                *sum += a;
            }
        }
        let mut polynomial = Polynomial { n_bins, ..Polynomial::default() };
        for ((_, monomial), coefficients) in sums {
            polynomial.monomials.push(monomial);
            polynomial.coefficients.extend(coefficients);
        }
        polynomial
    }

    /// The same number in every bin, whatever the point.
    pub fn constant(n_bins: usize, value: f64) -> Polynomial {
        Polynomial { monomials: vec![Vec::new()], coefficients: vec![value; n_bins], n_bins }
    }

    /// Every monomial with its coefficients (n_bins).
    pub fn terms(&self) -> impl Iterator<Item = (&Monomial, &[f64])> {
        self.monomials.iter().zip(self.coefficients.chunks_exact(self.n_bins.max(1)))
    }

    /// The coefficients of a monomial, whose indices are sorted.
    pub fn coefficients_of(&self, monomial: &[u32]) -> Option<&[f64]> {
        self.terms().find(|(own, _)| *own == monomial).map(|(_, coefficients)| coefficients)
    }

    /// The value in each bin, in the order of the monomials.
    pub fn evaluate(&self, variables: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.n_bins];
        for (monomial, coefficients) in self.terms() {
            let phi = monomial_value(monomial, variables);
            for (value, a) in values.iter_mut().zip(coefficients) {
                *value += a * phi;
            }
        }
        values
    }

    /// The product with another polynomial of as many bins.
    pub fn product(&self, other: &Polynomial) -> Polynomial {
        let products = self.terms().flat_map(|(m, a)| {
            other.terms().map(move |(n, b)| ([m.as_slice(), n].concat(), a.iter().zip(b).map(|(a, b)| a * b).collect()))
        });
        Polynomial::from_terms(self.n_bins, products)
    }

    /// The sum with another polynomial of as many bins.
    pub fn sum(&self, other: &Polynomial) -> Polynomial {
        let terms = self.terms().chain(other.terms()).map(|(m, a)| (m.clone(), a.to_vec()));
        Polynomial::from_terms(self.n_bins, terms)
    }

    /// Bin b multiplied by `factors[b]`.
    pub fn scaled(mut self, factors: &[f64]) -> Polynomial {
        for coefficients in self.coefficients.chunks_exact_mut(self.n_bins.max(1)) {
            for (a, factor) in coefficients.iter_mut().zip(factors) {
                *a *= factor;
            }
        }
        self
    }

    /// Leaves the bins with a flag that is set.
    pub fn keep(&mut self, kept: &[bool]) {
        let rows = self.coefficients.chunks_exact(self.n_bins.max(1));
        self.coefficients = rows.flat_map(|row| select(row, kept)).collect();
        self.n_bins = kept.iter().take(self.n_bins).filter(|kept| **kept).count();
    }

    /// What is left of orders up to `most`; `order[i]` is the order in 1/Λ² of variable i, zero for a nuisance
    /// (spec/eft.md, eq. 2).
    pub fn truncated(&self, most: u32, order: &[u32]) -> Polynomial {
        let kept = self.terms().filter(|(monomial, _)| np_order(monomial, order) <= most);
        Polynomial::from_terms(self.n_bins, kept.map(|(m, a)| (m.clone(), a.to_vec())))
    }

    /// The highest order in 1/Λ² of its monomials.
    pub fn np_order(&self, order: &[u32]) -> u32 {
        self.monomials.iter().map(|monomial| np_order(monomial, order)).max().unwrap_or(0)
    }

    /// The same polynomial with variable i called `to[i]`.
    pub fn renamed(&self, to: &[u32]) -> Polynomial {
        let terms = self.terms().map(|(m, a)| {
            let monomial: Monomial = m.iter().filter_map(|i| to.get(*i as usize).copied()).collect();
            (monomial, a.to_vec())
        });
        Polynomial::from_terms(self.n_bins, terms)
    }
}

/// φ(c) of one monomial.
pub fn monomial_value(monomial: &[u32], variables: &[f64]) -> f64 {
    monomial.iter().map(|i| variables.get(*i as usize).copied().unwrap_or(f64::NAN)).product()
}

/// ∂φ/∂c_i of one monomial.
pub fn monomial_slope(monomial: &[u32], i: u32, variables: &[f64]) -> f64 {
    let power = monomial.iter().filter(|j| **j == i).count();
    let Some(first) = monomial.iter().position(|j| *j == i) else { return 0.0 };
    let mut rest = monomial.to_vec();
    rest.remove(first);
    power as f64 * monomial_value(&rest, variables)
}

/// The order in 1/Λ² of a monomial (spec/eft.md, eq. 2).
pub fn np_order(monomial: &[u32], order: &[u32]) -> u32 {
    monomial.iter().map(|i| order.get(*i as usize).copied().unwrap_or(0)).sum()
}

/// All monomials of `n` variables up to a degree, in canonical order.
pub fn all_monomials(n: u32, degree: usize) -> Vec<Monomial> {
    let mut all: Vec<Monomial> = vec![Vec::new()];
    let mut last: Vec<Monomial> = vec![Vec::new()];
    for _ in 0..degree {
        let longer = last.iter().flat_map(|m| {
            let first = m.last().copied().unwrap_or(0);
            (first..n).map(move |i| [m.as_slice(), &[i]].concat())
        });
        last = longer.collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monomials_are_counted_as_published() {
        // (n+1)(n+2)/2 of degree 2, C(n+4, 4) of degree 4.
        for (n, two, four) in [(1, 3, 5), (2, 6, 15), (5, 21, 126), (26, 378, 27405)] {
            assert_eq!(all_monomials(n, 2).len(), two);
            assert_eq!(all_monomials(n, 4).len(), four);
        }
    }

    #[test]
    fn products_evaluate_as_products() {
        let a = Polynomial::from_terms(2, [(vec![], vec![1.0, 2.0]), (vec![1, 0], vec![0.5, -3.0])]);
        let b = Polynomial::from_terms(2, [(vec![0], vec![4.0, 0.25]), (vec![0, 1], vec![0.5, 7.0])]);
        let point = [0.7, -1.3];
        let expected: Vec<f64> = a.evaluate(&point).iter().zip(b.evaluate(&point)).map(|(a, b)| a * b).collect();
        for (got, want) in a.product(&b).evaluate(&point).iter().zip(expected) {
            assert!((got - want).abs() < 1e-14 * want.abs().max(1.0), "{got} and {want}");
        }
    }
}
