//! Means of many points that are quadratic in their variables, as triangles of coefficients for eight points at a time.

use crate::kernel::simd::{Lanes, ZERO};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Variables come in blocks of so many, so that the kernel keeps a block in registers.
pub(crate) const BLOCK: usize = 4;

/// Coefficients in a triangle for each one that a point has, at most; beyond, the point is better off as a list.
const MOST_EMPTY: usize = 4;

/// t = t₀ + Σ L_i c_i + ½ Σ S_ij c_i c_j of each point.
#[derive(Clone, Debug, Default)]
pub(crate) struct QuadraticMeans {
    pub groups: Vec<QuadraticGroup>,
    pub n_variables: usize,
    /// The variables of all groups, ascending in each and filled up with `n_variables`, which is zero.
    pub variables: Vec<u32>,
    /// Of all groups: t₀, L, then for each block of four rows the columns before it, and its own triangle row by row.
    pub coefficients: Vec<Lanes>,
}

/// Eight points: their positions, none twice; those of the last group may be fewer.
#[derive(Clone, Debug)]
pub(crate) struct QuadraticGroup {
    pub positions: Vec<u32>,
    pub variables: Range<usize>,
    pub coefficients: Range<usize>,
}

/// A point: its position, and its monomials of at most two factors, each once, with their coefficients.
pub(crate) type QuadraticPoint = (u32, BTreeMap<[u32; 2], f64>);

/// Stands for no factor in the pairs of a [`QuadraticPoint`], where it comes first.
pub(crate) const NONE: u32 = u32::MAX;

/// The pair of variables of a monomial: larger first, `NONE` where there are fewer; `None` for more than two.
pub(crate) fn pair(monomial: &[u32]) -> Option<[u32; 2]> {
    match *monomial {
        [] => Some([NONE, NONE]),
        [i] => Some([NONE, i]),
        [i, j] => Some([i.max(j), i.min(j)]),
        _ => None,
    }
}

fn variables(point: &QuadraticPoint) -> BTreeSet<u32> {
    point.1.keys().flatten().copied().filter(|i| *i != NONE).collect()
}

/// Whether the triangle of a point is not much larger than its list of terms.
pub(crate) fn is_dense(point: &QuadraticPoint) -> bool {
    let n = variables(point).len();
    n * (n + 1) / 2 <= MOST_EMPTY * point.1.len()
}

impl QuadraticMeans {
    pub fn new(mut points: Vec<QuadraticPoint>, n_variables: usize) -> QuadraticMeans {
        // Points with the same variables come together, so that few places of a group are empty.
        points.sort_by_cached_key(|point| {
            let variables = variables(point);
            (variables.len(), variables, point.0)
        });
        let mut means = QuadraticMeans { n_variables, ..QuadraticMeans::default() };
        for group in points.chunks(8) {
            means.add_group(group);
        }
        means
    }

    fn add_group(&mut self, points: &[QuadraticPoint]) {
        let mut own: Vec<u32> = points.iter().flat_map(variables).collect::<BTreeSet<u32>>().into_iter().collect();
        own.resize(own.len().next_multiple_of(BLOCK), self.n_variables as u32);
        let of_pair = |i: u32, j: u32, factor: f64| {
            let mut lanes = ZERO;
            for (lane, (_, terms)) in lanes.0.iter_mut().zip(points) {
                *lane = factor * terms.get(&[i, j]).copied().unwrap_or(0.0);
            }
            lanes
        };
        let first = self.coefficients.len();
        self.coefficients.push(of_pair(NONE, NONE, 1.0));
        self.coefficients.extend(own.iter().map(|i| of_pair(NONE, *i, 1.0)));
        let entry = |i: u32, j: u32| of_pair(i, j, if i == j { 2.0 } else { 1.0 });
        for (b, rows) in own.chunks(BLOCK).enumerate() {
            for j in &own[..b * BLOCK] {
                self.coefficients.extend(rows.iter().map(|i| entry(*i, *j)));
            }
            for (k, i) in rows.iter().enumerate() {
                self.coefficients.extend(rows[..=k].iter().map(|j| entry(*i, *j)));
            }
        }
        let positions = points.iter().map(|(position, _)| *position).collect();
        let first_variable = self.variables.len();
        self.variables.extend(own);
        self.groups.push(QuadraticGroup {
            positions,
            variables: first_variable..self.variables.len(),
            coefficients: first..self.coefficients.len(),
        });
    }

    /// Number of variables of the group that has the most.
    pub fn most_variables(&self) -> usize {
        self.groups.iter().map(|group| group.variables.len()).max().unwrap_or(0)
    }
}
