//! The sign of a variance that is written as a polynomial (spec/eft.md, "Statistical uncertainty").

use super::super::super::Report;
use super::super::Context;
use super::is_searchable;
use crate::document::eft::PerBin;
use crate::finding::number;
use crate::model::eft::minimum::{ROUNDING, minimum};
use crate::model::eft::polynomial::monomial_value;
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;

/// A variance Σ_k V_kb φ_k(c) of a document.
pub(super) struct Variance<'v> {
    pub monomials: &'v [Monomial],
    pub variances: &'v [PerBin],
    /// Where it is evaluated, if it does not follow the coefficients.
    pub fixed_at: Option<&'v [f64]>,
    /// Of the response.
    pub reference: &'v [f64],
}

impl Variance<'_> {
    /// Finds a negative value, beyond rounding, at the one point that counts, or else at the reference or in the box.
    /// `n_bins` is none for a polynomial of the block, whose lists then tell how many bins there are.
    pub fn check(&self, context: &Context, n_bins: Option<usize>, pointer: &str, report: &mut Report) {
        let length = |v: &PerBin| if let PerBin::Each(list) = v { Some(list.len()) } else { None };
        let n_bins = match self.variances.iter().filter_map(length).next() {
            None => 1,
            Some(length) => n_bins.unwrap_or(length),
        };
        let terms = self.monomials.iter().zip(self.variances).map(|(m, v)| (m.clone(), v.of_bins(n_bins)));
        let polynomial = Polynomial::from_terms(n_bins, terms);
        let found = match self.fixed_at {
            Some(point) => negative_at(&polynomial, point),
            None => negative_at(&polynomial, self.reference).or_else(|| negative_in_box(context, &polynomial)),
        };
        if let Some((bin, value, point)) = found {
            let found = format!("{} in bin {bin} at {}", number(value), context.point_in_words(&point));
            report.add(&rule::EFT_VARIANCE_NEGATIVE, pointer.to_string(), found, "a variance of at least 0");
        }
    }
}

/// The first bin that is negative at a point.
fn negative_at(polynomial: &Polynomial, point: &[f64]) -> Option<(usize, f64, Vec<f64>)> {
    let mut magnitudes = vec![0.0; polynomial.n_bins];
    for (monomial, coefficients) in polynomial.terms() {
        let phi = monomial_value(monomial, point).abs();
        magnitudes.iter_mut().zip(coefficients).for_each(|(magnitude, v)| *magnitude += v.abs() * phi);
    }
    let values = polynomial.evaluate(point);
    let mut bins = values.iter().zip(magnitudes).enumerate();
    let (bin, (value, _)) = bins.find(|(_, (value, magnitude))| **value < -ROUNDING * magnitude)?;
    Some((bin, *value, point.to_vec()))
}

/// The first bin in which a search finds a negative value; of a polynomial that is too large for it, one that is
/// negative at zero, at the lowest or at the highest corner.
fn negative_in_box(context: &Context, polynomial: &Polynomial) -> Option<(usize, f64, Vec<f64>)> {
    if is_searchable(context, polynomial) {
        let least = (0..polynomial.n_bins).map(|b| (b, minimum(polynomial, b, &context.bounds)));
        return least.into_iter().find(|(_, m)| m.is_negative()).map(|(b, m)| (b, m.value, m.point));
    }
    let (low, high): (Vec<f64>, Vec<f64>) = context.bounds.iter().copied().unzip();
    [vec![0.0; low.len()], low, high].iter().find_map(|point| negative_at(polynomial, point))
}
