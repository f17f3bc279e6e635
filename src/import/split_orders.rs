//! A polynomial from samples that hold some of its terms alone, such as the interference or the squares
//! (spec/eft-importers.md, eq. 5 and 6).

use crate::model::eft::Monomial;
use crate::model::eft::morphing::{self, LeastSquares};
use crate::model::eft::polynomial::monomial_value;
use nalgebra::DMatrix;
use std::collections::BTreeMap;

/// Most samples, most products of samples and monomials, and most of these with bins.
const MOST_TEMPLATES: usize = 1 << 12;
const MOST_ENTRIES: usize = 1 << 21;
const MOST_PRODUCTS: usize = 1 << 33;

/// Which terms of the polynomial a sample holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contents {
    Terms(Vec<Monomial>),
    /// Those of one order in 1/Λ².
    Order(usize),
    All,
}

/// One simulated sample.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub contents: Contents,
    /// Where it was simulated: a value for each parameter.
    pub point: Vec<f64>,
    pub yields: Vec<f64>,
}

/// The polynomial.
#[derive(Clone, Debug)]
pub(super) struct Assembled {
    /// Of each monomial, a number a bin.
    pub coefficients: Vec<Vec<f64>>,
    /// The same as sums over templates: monomials × templates.
    pub operator: DMatrix<f64>,
    /// Templates that were not needed, and by how much of the larger yield they differ from the polynomial.
    pub unused: Vec<(usize, f64)>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unassembled {
    TooLarge,
    /// This template holds no term at its point.
    Nothing(usize),
    /// The templates do not determine these monomials, for a reason if it is known.
    Open(Vec<usize>, Option<String>),
}

/// Solves for one monomial after the other where a sample holds a single unknown one, and for several at once where
/// none does.
pub(super) fn assemble(
    monomials: &[Monomial],
    templates: &[Template],
    n_bins: usize,
) -> std::result::Result<Assembled, Unassembled> {
    let entries = monomials.len().saturating_mul(templates.len());
    let products = entries.saturating_mul(n_bins);
    if templates.len() > MOST_TEMPLATES || entries > MOST_ENTRIES || products > MOST_PRODUCTS {
        return Err(Unassembled::TooLarge);
    }
    let mut assembly = Assembly::new(monomials, templates, n_bins)?;
    let mut reason = None;
    while assembly.known.contains(&false) {
        if let Some((template, monomial)) = assembly.single() {
            assembly.divide(template, monomial);
        } else if !assembly.solve_group(&mut reason) {
            let open = (0..monomials.len()).filter(|k| !assembly.known[*k]).collect();
            return Err(Unassembled::Open(open, reason));
        }
    }
    Ok(assembly.finish())
}

struct Assembly<'a> {
    monomials: &'a [Monomial],
    templates: &'a [Template],
    /// Of each template, its monomials and their values at its point where these are not zero.
    held: Vec<Vec<(usize, f64)>>,
    used: Vec<bool>,
    known: Vec<bool>,
    coefficients: Vec<Vec<f64>>,
    operator: DMatrix<f64>,
}

impl<'a> Assembly<'a> {
    fn new(
        monomials: &'a [Monomial],
        templates: &'a [Template],
        n_bins: usize,
    ) -> std::result::Result<Self, Unassembled> {
        let held = |template: &Template| -> Vec<(usize, f64)> {
            let own = monomials.iter().enumerate().filter(|(_, monomial)| template.contents.holds(monomial));
            own.map(|(k, monomial)| (k, monomial_value(monomial, &template.point))).filter(|(_, x)| *x != 0.0).collect()
        };
        let held: Vec<_> = templates.iter().map(held).collect();
        if let Some(nothing) = held.iter().position(Vec::is_empty) {
            return Err(Unassembled::Nothing(nothing));
        }
        Ok(Assembly {
            monomials,
            templates,
            held,
            used: vec![false; templates.len()],
            known: vec![false; monomials.len()],
            coefficients: vec![vec![0.0; n_bins]; monomials.len()],
            operator: DMatrix::zeros(monomials.len(), templates.len()),
        })
    }

    /// A template with one unknown monomial; among several the one with the fewest others to subtract.
    fn single(&self) -> Option<(usize, usize)> {
        let candidates = self.held.iter().enumerate().filter_map(|(i, held)| {
            let mut unknown = held.iter().filter(|(k, _)| !self.known[*k]);
            let (first, second) = (unknown.next(), unknown.next());
            first.filter(|_| second.is_none() && !self.used[i]).map(|(k, _)| (held.len(), i, *k))
        });
        candidates.min().map(|(_, i, k)| (i, k))
    }

    /// What is left of a template without its known monomials, and the same as a sum over templates.
    fn remainder(&self, template: usize) -> (Vec<f64>, Vec<f64>) {
        let mut yields = self.templates[template].yields.clone();
        let mut row = vec![0.0; self.templates.len()];
        row[template] = 1.0;
        for (k, phi) in self.held[template].iter().filter(|(k, _)| self.known[*k]) {
            for (value, a) in yields.iter_mut().zip(&self.coefficients[*k]) {
                *value -= phi * a;
            }
            for (value, s) in row.iter_mut().zip(self.operator.row(*k).iter()) {
                *value -= phi * s;
            }
        }
        (yields, row)
    }

    /// A_k = (T − Σ known)/φ_k
    fn divide(&mut self, template: usize, monomial: usize) {
        let (yields, row) = self.remainder(template);
        let phi = self.held[template].iter().find(|(k, _)| *k == monomial).map_or(f64::NAN, |(_, phi)| *phi);
        self.coefficients[monomial] = yields.iter().map(|x| x / phi).collect();
        for (i, s) in row.iter().enumerate() {
            self.operator[(monomial, i)] = s / phi;
        }
        (self.known[monomial], self.used[template]) = (true, true);
    }

    /// Solves the unknown monomials of templates with the same contents; false where no group has enough of them.
    fn solve_group(&mut self, reason: &mut Option<String>) -> bool {
        let mut groups: BTreeMap<&Contents, Vec<usize>> = BTreeMap::new();
        // A template without any unknown term has nothing to say, and stays unused.
        let says = |i: usize| !self.used[i] && self.held[i].iter().any(|(k, _)| !self.known[*k]);
        for (i, template) in self.templates.iter().enumerate().filter(|(i, _)| says(*i)) {
            groups.entry(&template.contents).or_default().push(i);
        }
        for (contents, group) in groups {
            let holds = |k: &usize| !self.known[*k] && contents.holds(&self.monomials[*k]);
            let unknown: Vec<usize> = (0..self.monomials.len()).filter(holds).collect();
            if unknown.is_empty() || group.len() < unknown.len() {
                continue;
            }
            match self.solve(&group, &unknown) {
                Ok(()) => return true,
                Err(error) => *reason = Some(error.to_string()),
            }
        }
        false
    }

    fn solve(&mut self, group: &[usize], unknown: &[usize]) -> std::result::Result<(), morphing::MorphingError> {
        let points: Vec<Vec<f64>> = group.iter().map(|i| self.templates[*i].point.clone()).collect();
        let monomials: Vec<Monomial> = unknown.iter().map(|k| self.monomials[*k].clone()).collect();
        let (yields, rows): (Vec<_>, Vec<_>) = group.iter().map(|i| self.remainder(*i)).unzip();
        let solved = morphing::solve(&points, &monomials, &yields, None, LeastSquares::Equal)?;
        for (k, monomial) in unknown.iter().zip(&monomials) {
            self.coefficients[*k] =
                solved.polynomial.coefficients_of(monomial).map(<[f64]>::to_vec).unwrap_or_default();
            let weights = solved.weights.coefficients_of(monomial).unwrap_or_default();
            for (weight, row) in weights.iter().zip(&rows) {
                for (i, s) in row.iter().enumerate() {
                    self.operator[(*k, i)] += weight * s;
                }
            }
            self.known[*k] = true;
        }
        group.iter().for_each(|i| self.used[*i] = true);
        Ok(())
    }

    fn finish(self) -> Assembled {
        let unused = (0..self.templates.len()).filter(|i| !self.used[*i]);
        let off = |i: usize| {
            let (left, _) = self.remainder(i);
            let parts = left.iter().zip(&self.templates[i].yields);
            parts.map(|(d, t)| d.abs() / t.abs().max((t - d).abs())).fold(0.0, f64::max)
        };
        let unused = unused.map(|i| (i, off(i))).collect();
        Assembled { coefficients: self.coefficients, operator: self.operator, unused }
    }
}

impl Contents {
    fn holds(&self, monomial: &Monomial) -> bool {
        match self {
            Contents::All => true,
            Contents::Order(order) => monomial.len() == *order,
            Contents::Terms(terms) => terms.contains(monomial),
        }
    }
}
