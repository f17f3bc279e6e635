//! The variables of the polynomials of one sample.

use super::Owner;
use crate::document::eft::{Eft, WilsonCoefficient};
use crate::finding::{Result, quote};
use crate::model::eft::Monomial;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Names in the order in which polynomials first used them.
pub(super) struct Variables<'w> {
    eft: &'w Eft,
    ranges: &'w HashMap<&'w str, Range<usize>>,
    index: HashMap<String, u32>,
    /// The parameter (fit order) of each variable.
    pub parameters: Vec<usize>,
    /// Its order in 1/Λ²: 1 for dimension 6, 2 for dimension 8, 0 for a nuisance (spec/eft.md, eq. 2).
    pub order: Vec<u32>,
    names: Vec<String>,
}

impl<'w> Variables<'w> {
    pub fn new(eft: &'w Eft, ranges: &'w HashMap<&'w str, Range<usize>>) -> Variables<'w> {
        Variables { eft, ranges, index: HashMap::new(), parameters: Vec::new(), order: Vec::new(), names: Vec::new() }
    }

    /// The variable of a name.
    pub fn variable(&mut self, owner: Owner, name: &str) -> Result<u32> {
        if let Some(index) = self.index.get(name) {
            return Ok(*index);
        }
        let range = self.ranges.get(name).ok_or_else(|| {
            owner.finding(format!("the parameter {} in a response", quote(name)), "a declared Wilson coefficient")
        })?;
        let index = self.parameters.len() as u32;
        let coefficient = self.eft.wilson_coefficients.iter().find(|c| c.name == name);
        self.parameters.push(range.start);
        self.order.push(coefficient.map_or(0, WilsonCoefficient::np_order));
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), index);
        Ok(index)
    }

    /// A monomial of names.
    pub fn monomial(&mut self, owner: Owner, names: &[String]) -> Result<Monomial> {
        let mut monomial = Vec::with_capacity(names.len());
        for name in names {
            monomial.push(self.variable(owner, name)?);
        }
        monomial.sort_unstable();
        Ok(monomial)
    }

    pub fn monomials(&mut self, owner: Owner, lists: &[Vec<String>]) -> Result<Vec<Monomial>> {
        lists.iter().map(|names| self.monomial(owner, names)).collect()
    }

    /// The values of all variables at a point that names some of them; the others are zero.
    pub fn point(&self, at: &BTreeMap<String, f64>) -> Vec<f64> {
        self.names.iter().map(|name| at.get(name).copied().unwrap_or(0.0)).collect()
    }
}
