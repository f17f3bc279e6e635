//! A polynomial in named coefficients while it is read term by term.

use crate::document::eft::{Mode, NoTruncation, PerBin, PolynomialData, Positivity, Truncation};
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What every layout promises of its products.
pub(super) const ONCE: &str = "each product once, whatever the order of its names";

pub(super) const UNTRUNCATED: Truncation = Truncation::None(NoTruncation::None);

/// Coefficients (a number a bin) by monomial, its names sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Terms {
    n_bins: usize,
    terms: BTreeMap<(usize, Vec<String>), Vec<f64>>,
}

impl Terms {
    pub fn new(n_bins: usize) -> Terms {
        Terms { n_bins, terms: BTreeMap::new() }
    }

    /// A monomial that may come again: its coefficients are added up.
    pub fn add(&mut self, mut monomial: Vec<String>, coefficients: impl IntoIterator<Item = f64>) {
        monomial.sort_unstable();
        let sum = self.terms.entry((monomial.len(), monomial)).or_insert_with(|| vec![0.0; self.n_bins]);
        for (sum, coefficient) in sum.iter_mut().zip(coefficients) {
            *sum += coefficient;
        }
    }

    /// A monomial that must not come again.
    ///
    /// # Errors
    /// What is found, where it does; [`ONCE`] is expected.
    pub fn add_once(&mut self, mut monomial: Vec<String>, coefficients: Vec<f64>) -> std::result::Result<(), String> {
        monomial.sort_unstable();
        if self.terms.contains_key(&(monomial.len(), monomial.clone())) {
            let names: Vec<String> = monomial.iter().map(|name| quote(name)).collect();
            return Err(format!("the product of [{}] twice", names.join(", ")));
        }
        self.add(monomial, coefficients);
        Ok(())
    }

    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// Monomials with their coefficients, lower degrees first.
    pub fn iter(&self) -> impl Iterator<Item = (&[String], &[f64])> {
        self.terms.iter().map(|((_, monomial), values)| (monomial.as_slice(), values.as_slice()))
    }

    /// Bin b multiplied by `factors[b]`.
    pub fn scaled(&self, factors: &[f64]) -> Terms {
        let mut scaled = self.clone();
        for coefficients in scaled.terms.values_mut() {
            for (coefficient, factor) in coefficients.iter_mut().zip(factors) {
                *coefficient *= factor;
            }
        }
        scaled
    }

    /// The terms of some bins in this order, without those that are zero in all of them; the constant stays.
    pub fn chosen(&self, bins: &[usize]) -> Terms {
        let own = self.terms.iter().filter_map(|(monomial, coefficients)| {
            let own: Vec<f64> = bins.iter().filter_map(|bin| coefficients.get(*bin)).copied().collect();
            let counts = monomial.1.is_empty() || own.iter().any(|a| *a != 0.0);
            counts.then(|| (monomial.clone(), own))
        });
        Terms { n_bins: bins.len(), terms: own.collect() }
    }

    /// Those of a range of bins.
    pub fn rows(&self, bins: Range<usize>) -> Terms {
        self.chosen(&bins.collect::<Vec<_>>())
    }

    /// All names, sorted.
    pub fn names(&self) -> BTreeSet<String> {
        self.terms.keys().flat_map(|(_, monomial)| monomial.iter().cloned()).collect()
    }

    pub fn monomials(&self) -> Vec<Vec<String>> {
        self.terms.keys().map(|(_, monomial)| monomial.clone()).collect()
    }

    /// The coefficients of the constant, zero where there is none.
    pub fn constant(&self) -> Vec<f64> {
        self.terms.get(&(0, Vec::new())).cloned().unwrap_or_else(|| vec![0.0; self.n_bins])
    }

    /// One entry a monomial; a single number where there is a single bin for all.
    pub fn coefficients(&self, scalar: bool) -> Vec<PerBin> {
        let per_bin = |values: &Vec<f64>| match values.as_slice() {
            [value] if scalar => PerBin::All(*value),
            _ => PerBin::Each(values.clone()),
        };
        self.terms.values().map(per_bin).collect()
    }

    /// # Errors
    /// `ImportError` where a coefficient left the range of binary64.
    pub fn polynomial(&self, mode: Mode, scalar: bool) -> Result<PolynomialData> {
        self.check_finite()?;
        Ok(PolynomialData {
            mode,
            monomials: self.monomials(),
            coefficients: self.coefficients(scalar),
            truncation: UNTRUNCATED,
            positivity: Positivity::Allow,
            reference: BTreeMap::new(),
            uncertainties: Vec::new(),
            mc_stat: None,
        })
    }

    pub fn check_finite(&self) -> Result<()> {
        match self.terms.values().flatten().find(|x| !x.is_finite()) {
            None => Ok(()),
            Some(x) => Err(Finding::new(&rule::IMPORT_FORMAT, format!("the coefficient {x}"), "finite numbers").into()),
        }
    }
}
