//! Blocks of rows W_i = w_i(x) Π f_i(x), and sums Σ y_i W_i with their derivatives (spec/unbinned.md, "Derivatives").

use super::simd::{Lanes, Simd, ZERO, flat, flat_mut};
use crate::model::eft::polynomial::monomial_value;
use crate::model::eft::unbinned::{EventRows, RowFactor};
use std::ops::Range;

/// Rows of one block, in lanes.
pub(super) const GROUPS: usize = 32;
pub(super) const ROWS: usize = 8 * GROUPS;

pub(super) type Block = [Lanes; GROUPS];

/// A factor this small stands for zero, so that its log-derivative is finite.
const ZERO_FACTOR: f64 = 1e-150;

/// A sum, with first and second derivatives (n and n × n).
#[derive(Clone, Debug, Default)]
pub(super) struct Jet {
    pub value: f64,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Jet {
    pub fn new(n: usize) -> Jet {
        Jet { value: 0.0, first: vec![0.0; n], second: vec![0.0; n * n] }
    }

    pub fn clear(&mut self) {
        self.value = 0.0;
        self.first.fill(0.0);
        self.second.fill(0.0);
    }

    pub fn copy_from(&mut self, other: &Jet) {
        self.value = other.value;
        self.first.copy_from_slice(&other.first);
        self.second.copy_from_slice(&other.second);
    }

    /// Becomes the quotient by another.
    pub fn divide(&mut self, by: &Jet) {
        let n = self.first.len();
        self.value /= by.value;
        for (own, slope) in self.first.iter_mut().zip(&by.first) {
            *own = (*own - self.value * slope) / by.value;
        }
        for i in 0..n {
            for j in 0..n {
                let own = &mut self.second[i * n + j];
                let mixed = self.first[i] * by.first[j] + self.first[j] * by.first[i];
                *own = (*own - mixed - self.value * by.second[i * n + j]) / by.value;
            }
        }
    }
}

/// How far derivatives are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    Value,
    First,
    Second,
}

/// What some rows need at a point, and sums over them.
#[derive(Clone, Debug)]
pub(super) struct RowScratch {
    /// The variables of the factors, each once.
    pub factor_variables: Vec<u32>,
    /// φ of the monomials.
    phi: Vec<f64>,
    /// (variable, monomial, ∂φ/∂x), variables together.
    slopes: Vec<(u32, u32, f64)>,
    /// Π f, and W = w Π f.
    scale: Box<Block>,
    pub value: Box<Block>,
    /// ∂ ln Π f by each of `factor_variables`.
    log_slopes: Vec<Block>,
    room: Box<Block>,
    /// Σ y Π f a_k, then the same with each log-derivative.
    totals: Vec<f64>,
    pub sum: Jet,
}

impl RowScratch {
    pub fn new(rows: &EventRows, n_variables: usize) -> RowScratch {
        let mut factor_variables: Vec<u32> = Vec::new();
        for factor in &rows.factors {
            match factor {
                RowFactor::Linear { variable, .. } => factor_variables.push(*variable),
                RowFactor::Exponential { monomial, .. } => factor_variables.extend(monomial),
            }
        }
        factor_variables.sort_unstable();
        factor_variables.dedup();
        let k = rows.polynomial.monomials.len();
        RowScratch {
            phi: vec![0.0; k],
            slopes: Vec::new(),
            scale: Box::new([ZERO; GROUPS]),
            value: Box::new([ZERO; GROUPS]),
            log_slopes: vec![[ZERO; GROUPS]; factor_variables.len()],
            room: Box::new([ZERO; GROUPS]),
            totals: vec![0.0; k * (1 + factor_variables.len())],
            factor_variables,
            sum: Jet::new(n_variables),
        }
    }

    /// Takes in a point and clears the sums.
    pub fn begin(&mut self, rows: &EventRows, variables: &[f64], depth: Depth) {
        let monomials = &rows.polynomial.monomials;
        for (phi, monomial) in self.phi.iter_mut().zip(monomials) {
            *phi = monomial_value(monomial, variables);
        }
        self.slopes.clear();
        if depth == Depth::Second {
            for (k, monomial) in (0..).zip(monomials) {
                for (a, i) in monomial.iter().enumerate() {
                    self.slopes.push((*i, k, product_without(monomial, &[a], variables)));
                }
            }
            self.slopes.sort_by_key(|(i, k, _)| (*i, *k));
        }
        self.totals.fill(0.0);
        self.sum.clear();
    }

    /// W and the log-derivatives of a range of rows; everything behind the last is zero but the factors.
    #[inline(always)]
    pub fn evaluate<S: Simd>(&mut self, rows: &EventRows, variables: &[f64], range: Range<usize>) {
        let RowScratch { phi, scale, value, log_slopes, room, factor_variables, .. } = self;
        let n = range.len();
        let weights = flat_mut(&mut value[..]);
        weights.fill(0.0);
        for (phi, column) in phi.iter().zip(rows.polynomial.coefficients.chunks_exact(rows.n_rows().max(1))) {
            for (w, a) in weights[..n].iter_mut().zip(&column[range.clone()]) {
                *w += phi * a;
            }
        }
        if rows.factors.is_empty() {
            return;
        }
        log_slopes.iter_mut().for_each(|block| *block = [ZERO; GROUPS]);
        scale.fill(Lanes([1.0; 8]));
        // The exponents of all exponential factors add up in `room`.
        room.fill(ZERO);
        for factor in &rows.factors {
            match factor {
                RowFactor::Linear { variable, column } => {
                    let x = variables[*variable as usize];
                    let slopes = flat_mut(place_of(factor_variables, *variable, log_slopes));
                    let of_rows = flat_mut(&mut scale[..]).iter_mut().zip(slopes);
                    for ((scale, slope), a) in of_rows.zip(&column[range.clone()]) {
                        let f = linear(x, *a);
                        *scale *= f;
                        *slope += a / f;
                    }
                }
                RowFactor::Exponential { monomial, column } => {
                    let x = monomial_value(monomial, variables);
                    for (exponent, a) in flat_mut(&mut room[..]).iter_mut().zip(&column[range.clone()]) {
                        *exponent += x * a;
                    }
                    for (a, variable) in monomial.iter().enumerate() {
                        let x = product_without(monomial, &[a], variables);
                        let slopes = flat_mut(place_of(factor_variables, *variable, log_slopes));
                        for (slope, a) in slopes.iter_mut().zip(&column[range.clone()]) {
                            *slope += x * a;
                        }
                    }
                }
            }
        }
        for ((exponent, scale), value) in room.iter().zip(scale.iter_mut()).zip(value.iter_mut()) {
            let f = S::load(scale).mul(S::load(exponent).exp());
            f.store(scale);
            f.mul(S::load(value)).store(value);
        }
    }

    /// Adds Σ y W of the rows that were evaluated last.
    #[inline(always)]
    pub fn add<S: Simd>(&mut self, rows: &EventRows, variables: &[f64], y: &Block, range: Range<usize>, depth: Depth) {
        self.sum.value += dot::<S>(y, &self.value);
        if depth == Depth::Value {
            return;
        }
        let with_factors = !rows.factors.is_empty();
        let k = rows.polynomial.monomials.len();
        for (to, y) in self.room.iter_mut().zip(y) {
            *to = *y;
        }
        if with_factors {
            multiply::<S>(&mut self.room, &self.scale);
        }
        add_columns(rows, &self.room, range.clone(), &mut self.totals[..k]);
        for j in 0..self.factor_variables.len() {
            let slopes = &self.log_slopes[j];
            let variable = self.factor_variables[j] as usize;
            if depth == Depth::Second {
                for ((to, y), (scale, slope)) in self.room.iter_mut().zip(y).zip(self.scale.iter().zip(slopes)) {
                    S::load(y).mul(S::load(scale)).mul(S::load(slope)).store(to);
                }
                add_columns(rows, &self.room, range.clone(), &mut self.totals[(j + 1) * k..(j + 2) * k]);
            }
            for ((to, y), (value, slope)) in self.room.iter_mut().zip(y).zip(self.value.iter().zip(slopes)) {
                S::load(y).mul(S::load(value)).mul(S::load(slope)).store(to);
            }
            self.sum.first[variable] += flat(&self.room[..]).iter().sum::<f64>();
            if depth == Depth::Second {
                for l in 0..=j {
                    let second = dot::<S>(&self.room, &self.log_slopes[l]);
                    self.sum.add_second(variable, self.factor_variables[l] as usize, second);
                }
            }
        }
        if depth == Depth::Second && with_factors {
            self.add_bends::<S>(rows, variables, y, range);
        }
    }

    /// Σ y W ∂² ln Π f.
    #[inline(always)]
    fn add_bends<S: Simd>(&mut self, rows: &EventRows, variables: &[f64], y: &Block, range: Range<usize>) {
        for (to, (y, value)) in self.room.iter_mut().zip(y.iter().zip(self.value.iter())) {
            S::load(y).mul(S::load(value)).store(to);
        }
        let weighted = flat(&self.room[..]);
        for factor in &rows.factors {
            match factor {
                RowFactor::Linear { variable, column } => {
                    let x = variables[*variable as usize];
                    let bend: f64 = weighted
                        .iter()
                        .zip(&column[range.clone()])
                        .map(|(y, a)| {
                            let slope = a / linear(x, *a);
                            -y * slope * slope
                        })
                        .sum();
                    self.sum.add_second(*variable as usize, *variable as usize, bend);
                }
                RowFactor::Exponential { monomial, column } => {
                    let [a, b] = monomial[..] else { continue };
                    let bend: f64 = weighted.iter().zip(&column[range.clone()]).map(|(y, a)| y * a).sum();
                    self.sum.add_second(a as usize, b as usize, if a == b { 2.0 * bend } else { bend });
                }
            }
        }
    }

    /// Adds factor · ∂W/∂x_i of the rows that were evaluated last to the block of each variable.
    #[inline(always)]
    pub fn add_slopes<S: Simd>(&mut self, rows: &EventRows, range: Range<usize>, factor: f64, to: &mut [Block]) {
        let n = rows.n_rows().max(1);
        let RowScratch { slopes, room, scale, value, log_slopes, factor_variables, .. } = self;
        let mut rest = &slopes[..];
        while let Some((variable, _, _)) = rest.first() {
            let (own, others) = rest.split_at(rest.iter().take_while(|(i, _, _)| i == variable).count());
            rest = others;
            room.fill(ZERO);
            for (_, k, slope) in own {
                let first = *k as usize * n;
                let column = &rows.polynomial.coefficients[first + range.start..first + range.end];
                for (sum, a) in flat_mut(&mut room[..]).iter_mut().zip(column) {
                    *sum += slope * a;
                }
            }
            if !rows.factors.is_empty() {
                multiply::<S>(room, scale);
            }
            add_scaled::<S>(factor, room, &mut to[*variable as usize]);
        }
        for (variable, slopes) in factor_variables.iter().zip(log_slopes.iter()) {
            room.copy_from_slice(slopes);
            multiply::<S>(room, value);
            add_scaled::<S>(factor, room, &mut to[*variable as usize]);
        }
    }

    /// After the last block: what the sums over columns mean for the derivatives by the variables of the polynomial.
    pub fn finish(&mut self, rows: &EventRows, variables: &[f64], depth: Depth) {
        if depth == Depth::Value {
            return;
        }
        let k = rows.polynomial.monomials.len();
        let (totals, of_factors) = self.totals.split_at(k);
        for (monomial, total) in rows.polynomial.monomials.iter().zip(totals) {
            for (a, i) in monomial.iter().enumerate() {
                self.sum.first[*i as usize] += total * product_without(monomial, &[a], variables);
                if depth == Depth::Second {
                    for (b, j) in monomial.iter().enumerate().take(a) {
                        let second = total * product_without(monomial, &[a, b], variables);
                        self.sum.add_second(*i as usize, *j as usize, if i == j { 2.0 * second } else { second });
                    }
                }
            }
        }
        if depth < Depth::Second {
            return;
        }
        for (factor_variable, totals) in self.factor_variables.iter().zip(of_factors.chunks_exact(k.max(1))) {
            for (monomial, total) in rows.polynomial.monomials.iter().zip(totals) {
                for (a, i) in monomial.iter().enumerate() {
                    let second = total * product_without(monomial, &[a], variables);
                    // ∂²(w F) = ∂w ∂F + …: both orders where the two variables are one.
                    let twice = if i == factor_variable { 2.0 } else { 1.0 };
                    self.sum.add_second(*i as usize, *factor_variable as usize, twice * second);
                }
            }
        }
    }
}

impl Jet {
    /// Adds to both mirrored elements, once on the diagonal.
    pub fn add_second(&mut self, i: usize, j: usize, value: f64) {
        let n = self.first.len();
        self.second[i * n + j] += value;
        if i != j {
            self.second[j * n + i] += value;
        }
    }
}

/// Ranges of at most a block.
pub(super) fn ranges(n_rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n_rows).step_by(ROWS).map(move |first| first..n_rows.min(first + ROWS))
}

/// The product of the variables of a monomial but some of its places.
fn product_without(monomial: &[u32], places: &[usize], variables: &[f64]) -> f64 {
    let rest = monomial.iter().enumerate().filter(|(place, _)| !places.contains(place));
    rest.map(|(_, i)| variables[*i as usize]).product()
}

fn linear(x: f64, a: f64) -> f64 {
    let f = 1.0 + x * a;
    if f.abs() < ZERO_FACTOR { ZERO_FACTOR } else { f }
}

fn place_of<'b>(variables: &[u32], variable: u32, blocks: &'b mut [Block]) -> &'b mut Block {
    let place = variables.partition_point(|v| *v < variable);
    &mut blocks[place]
}

/// Σ x y in lanes.
#[inline(always)]
pub(super) fn dot<S: Simd>(x: &Block, y: &Block) -> f64 {
    let mut sum = S::splat(0.0);
    for (x, y) in x.iter().zip(y) {
        sum = S::load(x).fma(S::load(y), sum);
    }
    sum.sum()
}

#[inline(always)]
fn multiply<S: Simd>(to: &mut Block, by: &Block) {
    for (to, by) in to.iter_mut().zip(by) {
        S::load(to).mul(S::load(by)).store(to);
    }
}

#[inline(always)]
pub(super) fn add_scaled<S: Simd>(factor: f64, from: &Block, to: &mut Block) {
    let factor = S::splat(factor);
    for (to, from) in to.iter_mut().zip(from) {
        factor.fma(S::load(from), S::load(to)).store(to);
    }
}

/// Adds Σ y a_k to the total of each monomial.
#[inline(always)]
fn add_columns(rows: &EventRows, y: &Block, range: Range<usize>, totals: &mut [f64]) {
    let n = rows.n_rows().max(1);
    for (total, column) in totals.iter_mut().zip(rows.polynomial.coefficients.chunks_exact(n)) {
        let mut lanes = [0.0; 8];
        let (column, y) = (&column[range.clone()], flat(y));
        let (mut left, mut right) = (column.chunks_exact(8), y.chunks_exact(8));
        for (a, y) in (&mut left).zip(&mut right) {
            for ((lane, a), y) in lanes.iter_mut().zip(a).zip(y) {
                *lane += a * y;
            }
        }
        let rest: f64 = left.remainder().iter().zip(right.next().unwrap_or_default()).map(|(a, y)| a * y).sum();
        *total += lanes.iter().sum::<f64>() + rest;
    }
}
