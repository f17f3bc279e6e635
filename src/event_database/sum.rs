//! Sums of weights and of their products by bin (spec/event-database.md, eq. 4 to 6).
//!
//! The order of additions is fixed: the events of a bin are taken in the order of their rows, in blocks of 64; eight
//! partial sums run through a block, and the sums of the blocks are added with Neumaier's compensation. So the result
//! depends neither on how the file is cut into batches nor on threads.

use super::declaration::Variance;
use crate::finding::{Finding, Result};
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;
use std::collections::BTreeMap;

const BLOCK: usize = 64;
const LANES: usize = 8;

/// Most numbers that the sums of a histogram may hold (a gibibyte).
const MOST_SUMS: usize = 1 << 26;

/// A sum and what rounding has lost of it.
#[derive(Clone, Copy, Debug, Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

/// Σ over events of a_k, and of what their squares need.
#[derive(Debug)]
pub struct Sums {
    n_bins: usize,
    monomials: Vec<Monomial>,
    /// For each bin its last events, K columns of [`BLOCK`]; empty for a bin without events.
    blocks: Vec<Vec<f64>>,
    filled: Vec<usize>,
    /// n_bins × K
    first: Vec<Compensated>,
    second: Second,
}

#[derive(Debug)]
enum Second {
    None,
    /// Σ w² as a polynomial: each pair of monomials (k, l ≤ k) goes to the monomial of their product.
    Quartic {
        products: Vec<Monomial>,
        target: Vec<usize>,
        sums: Vec<Compensated>,
        scratch: Vec<f64>,
    },
    /// Σ w² at one point, where the monomials are `phi`.
    At {
        phi: Vec<f64>,
        floor: Option<f64>,
        sums: Vec<Compensated>,
    },
}

impl Sums {
    pub fn new(n_bins: usize, monomials: &[Monomial], variance: &Variance, floor: Option<f64>) -> Result<Sums> {
        let k = monomials.len();
        let second = match variance {
            Variance::None => Second::None,
            Variance::At(point) => Second::At {
                phi: monomials.iter().map(|m| crate::model::eft::polynomial::monomial_value(m, point)).collect(),
                floor,
                sums: vec![Compensated::default(); within(n_bins, 1, "bins")?],
            },
            Variance::Quartic => {
                within(k, k, "pairs of monomials")?;
                let (products, target) = products(monomials);
                let sums = vec![Compensated::default(); within(n_bins, products.len(), "bins × monomials of Σ w²")?];
                Second::Quartic { scratch: vec![0.0; products.len()], products, target, sums }
            }
        };
        let size = within(n_bins, k * (BLOCK / 2), "bins × monomials")? / (BLOCK / 2);
        Ok(Sums {
            n_bins,
            monomials: monomials.to_vec(),
            blocks: vec![Vec::new(); n_bins],
            filled: vec![0; n_bins],
            first: vec![Compensated::default(); size],
            second,
        })
    }

    /// One more event with coefficients `a`, one a monomial.
    pub fn add(&mut self, bin: usize, a: &[f64]) {
        let k = self.monomials.len();
        let (Some(block), Some(filled)) = (self.blocks.get_mut(bin), self.filled.get_mut(bin)) else { return };
        if block.is_empty() {
            block.resize(k * BLOCK, 0.0);
        }
        for (column, a) in block.chunks_exact_mut(BLOCK).zip(a) {
            if let Some(x) = column.get_mut(*filled) {
                *x = *a;
            }
        }
        *filled += 1;
        if *filled == BLOCK {
            self.flush(bin);
        }
    }

    fn flush(&mut self, bin: usize) {
        let k = self.monomials.len();
        let (Some(block), Some(filled)) = (self.blocks.get_mut(bin), self.filled.get_mut(bin)) else { return };
        let columns: Vec<&[f64]> = block.chunks_exact(BLOCK).collect();
        for (sum, column) in self.first.iter_mut().skip(bin * k).zip(&columns) {
            sum.add(total(column));
        }
        match &mut self.second {
            Second::None => {}
            Second::Quartic { products, target, sums, scratch } => {
                scratch.fill(0.0);
                let pairs = columns.iter().enumerate().flat_map(|(i, a)| {
                    columns
                        .iter()
                        .take(i + 1)
                        .enumerate()
                        .map(move |(j, b)| if i == j { dot(a, b) } else { 2.0 * dot(a, b) })
                });
                for (product, target) in pairs.zip(target.iter()) {
                    if let Some(sum) = scratch.get_mut(*target) {
                        *sum += product;
                    }
                }
                for (sum, x) in sums.iter_mut().skip(bin * products.len()).zip(scratch.iter()) {
                    sum.add(*x);
                }
            }
            Second::At { phi, floor, sums } => {
                let mut weights = [0.0; BLOCK];
                for (column, phi) in columns.iter().zip(phi.iter()) {
                    for (w, a) in weights.iter_mut().zip(*column) {
                        *w += a * phi;
                    }
                }
                if let Some(floor) = floor {
                    weights.iter_mut().take(*filled).for_each(|w| *w = w.max(*floor));
                }
                if let Some(sum) = sums.get_mut(bin) {
                    sum.add(dot(&weights, &weights));
                }
            }
        }
        block.fill(0.0);
        *filled = 0;
    }

    /// The polynomials of Σ w and Σ w² in yields, `factor` being what one unit of weight is worth.
    pub fn finish(mut self, factor: f64) -> (Polynomial, Option<Polynomial>) {
        for bin in 0..self.n_bins {
            if self.filled.get(bin).is_some_and(|n| *n > 0) {
                self.flush(bin);
            }
        }
        let n = self.n_bins;
        let first = polynomial(n, &self.monomials, &self.first, factor);
        let square = factor * factor;
        let second = match self.second {
            Second::None => None,
            Second::Quartic { products, sums, .. } => Some(polynomial(n, &products, &sums, square)),
            Second::At { sums, .. } => Some(polynomial(n, &[Monomial::new()], &sums, square)),
        };
        (first, second)
    }
}

/// Sums (n_bins × K) as a polynomial.
fn polynomial(n_bins: usize, monomials: &[Monomial], sums: &[Compensated], factor: f64) -> Polynomial {
    let k = monomials.len().max(1);
    let terms = monomials.iter().enumerate().map(|(i, monomial)| {
        let column = sums.chunks_exact(k).map(|row| row.get(i).map_or(0.0, |sum| factor * sum.value()));
        (monomial.clone(), column.collect())
    });
    Polynomial::from_terms(n_bins, terms)
}

/// The products of all pairs of monomials, each once, and for each pair (k, l ≤ k) which of them it is.
fn products(monomials: &[Monomial]) -> (Vec<Monomial>, Vec<usize>) {
    let (mut known, mut products, mut target) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (i, left) in monomials.iter().enumerate() {
        for right in monomials.iter().take(i + 1) {
            let mut product = [left.as_slice(), right].concat();
            product.sort_unstable();
            let place = *known.entry(product).or_insert_with_key(|product| {
                products.push(product.clone());
                products.len() - 1
            });
            target.push(place);
        }
    }
    (products, target)
}

fn within(a: usize, b: usize, what: &str) -> Result<usize> {
    match a.checked_mul(b) {
        Some(n) if n <= MOST_SUMS => Ok(n),
        _ => Err(Finding::new(&rule::EVENT_SIZE, format!("{a} × {b} {what}"), format!("at most {MOST_SUMS}")).into()),
    }
}

/// The sum of a block.
fn total(column: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in column.chunks_exact(LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    lanes.iter().sum()
}

/// Σ a b of two blocks.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}
