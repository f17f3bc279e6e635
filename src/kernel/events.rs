//! Sums over events at every point (spec/event-database.md, "Events at every point").
//!
//! An event weighs W_e = s_e(ν) m(w_e(c)) with its polynomial w_e, the floor m and the product s_e of its systematics.
//! Events go by in blocks, column by column.

use super::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat, flat_mut};
use crate::model::eft::Events;
use crate::model::eft::events::EventFactorKind;
use crate::model::eft::polynomial::monomial_value;
use std::ops::Range;

/// Events of one block, in lanes.
const GROUPS: usize = 32;
const EVENTS: usize = 8 * GROUPS;

type Block = [Lanes; GROUPS];

/// What one block of events weighs. Beyond the last event of a block everything is zero but the factors.
struct Blocks<'a> {
    events: &'a Events,
    /// φ of all monomials.
    phi: Vec<f64>,
    /// ν of each systematic.
    nu: Vec<f64>,
    /// m(w_e), and its slope: 0 where the floor holds, else 1.
    lifted: Block,
    slope: Block,
    /// The factor of each systematic with its first and second derivative.
    factors: Vec<[Block; 3]>,
    /// Π of factors, each in one of its derivatives.
    product: Block,
    room: Block,
}

/// Two lists of one number a bin: Σ W and Σ W².
pub struct EventSums {
    pub weights: Vec<f64>,
    pub squares: Vec<f64>,
}

/// Σ_e W_e and Σ_e W_e² of each bin at a point, one value a variable of the response.
pub fn sums(events: &Events, variables: &[f64]) -> EventSums {
    let n = events.n_bins();
    let mut sums = EventSums { weights: vec![0.0; n], squares: vec![0.0; n] };
    add_sums(Backend::detect(), events, variables, &mut sums.weights, Some(&mut sums.squares));
    sums
}

/// W_e of all events at a point.
pub fn weights(events: &Events, variables: &[f64]) -> Vec<f64> {
    let mut weights = Vec::with_capacity(events.n_events());
    append_weights(Backend::detect(), events, variables, &mut weights);
    weights
}

entry_point! {
    append_weights = weights_body(events: &Events, variables: &[f64], weights: &mut Vec<f64>)
}

#[inline(always)]
fn weights_body<S: Simd>(events: &Events, variables: &[f64], weights: &mut Vec<f64>) {
    let mut blocks = Blocks::new(events, variables);
    for range in bins(events).flat_map(ranges) {
        let n = range.len();
        blocks.weigh::<S>(range);
        blocks.multiply::<S>(&[]);
        weights.extend(flat(&blocks.lifted).iter().zip(flat(&blocks.product)).take(n).map(|(m, s)| m * s));
    }
}

/// Σ_e W_e of each bin to `values`.
pub(crate) fn values(backend: Backend, events: &Events, variables: &[f64], values: &mut [f64]) {
    values.fill(0.0);
    add_sums(backend, events, variables, values, None);
}

entry_point! {
    add_sums = sums_body(events: &Events, variables: &[f64], values: &mut [f64], squares: Option<&mut [f64]>)
}

#[inline(always)]
fn sums_body<S: Simd>(events: &Events, variables: &[f64], values: &mut [f64], squares: Option<&mut [f64]>) {
    let mut blocks = Blocks::new(events, variables);
    let mut squares = squares.unwrap_or_default().iter_mut();
    for (value, bin) in values.iter_mut().zip(bins(events)) {
        let (mut sum, mut square) = (S::splat(0.0), S::splat(0.0));
        for range in ranges(bin) {
            blocks.weigh::<S>(range);
            blocks.multiply::<S>(&[]);
            for (m, s) in blocks.lifted.iter().zip(&blocks.product) {
                let weight = S::load(m).mul(S::load(s));
                sum = sum.add(weight);
                square = weight.fma(weight, square);
            }
        }
        *value += sum.sum();
        if let Some(to) = squares.next() {
            *to += square.sum();
        }
    }
}

entry_point! {
    /// Σ_b y_b ∂r_b/∂x_i added to `gradient` (n_variables).
    add_first = first_body(events: &Events, variables: &[f64], y: &[f64], gradient: &mut [f64])
}

#[inline(always)]
fn first_body<S: Simd>(events: &Events, variables: &[f64], y: &[f64], gradient: &mut [f64]) {
    let mut blocks = Blocks::new(events, variables);
    let mut totals = vec![0.0; events.monomials.len()];
    for (y, bin) in y.iter().zip(bins(events)) {
        for range in ranges(bin) {
            blocks.weigh::<S>(range.clone());
            blocks.multiply::<S>(&[]);
            blocks.add_columns::<S>(range, *y, &mut totals);
            for (j, factor) in events.systematics.iter().enumerate() {
                blocks.multiply::<S>(&[(j, 1)]);
                gradient[factor.variable as usize] += y * blocks.sum::<S>();
            }
        }
    }
    add_first_of_monomials(events, variables, &totals, |i, x| gradient[i] += x);
}

entry_point! {
    /// ∂r_b/∂x_i to `jacobian` (n_variables × padded bins).
    jacobian = jacobian_body(events: &Events, variables: &[f64], jacobian: &mut [f64])
}

#[inline(always)]
fn jacobian_body<S: Simd>(events: &Events, variables: &[f64], jacobian: &mut [f64]) {
    let mut blocks = Blocks::new(events, variables);
    let mut totals = vec![0.0; events.monomials.len()];
    let stride = jacobian.len() / variables.len().max(1);
    jacobian.fill(0.0);
    for (b, bin) in bins(events).enumerate() {
        totals.fill(0.0);
        for range in ranges(bin) {
            blocks.weigh::<S>(range.clone());
            blocks.multiply::<S>(&[]);
            blocks.add_columns::<S>(range, 1.0, &mut totals);
            for (j, factor) in events.systematics.iter().enumerate() {
                blocks.multiply::<S>(&[(j, 1)]);
                jacobian[factor.variable as usize * stride + b] += blocks.sum::<S>();
            }
        }
        add_first_of_monomials(events, variables, &totals, |i, x| jacobian[i * stride + b] += x);
    }
}

entry_point! {
    /// Σ_b y_b ∂²r_b/∂x_i∂x_j added to `matrix` (n_variables²).
    add_second = second_body(events: &Events, variables: &[f64], y: &[f64], matrix: &mut [f64])
}

#[inline(always)]
fn second_body<S: Simd>(events: &Events, variables: &[f64], y: &[f64], matrix: &mut [f64]) {
    let mut blocks = Blocks::new(events, variables);
    let (n, k) = (variables.len(), events.monomials.len());
    let mut totals = vec![0.0; k];
    // Σ y ∂s/∂ν_j m' a_k, a row a systematic.
    let mut crossed = vec![0.0; events.systematics.len() * k];
    for (y, bin) in y.iter().zip(bins(events)) {
        for range in ranges(bin) {
            blocks.weigh::<S>(range.clone());
            blocks.multiply::<S>(&[]);
            blocks.add_columns::<S>(range.clone(), *y, &mut totals);
            for (j, factor) in events.systematics.iter().enumerate() {
                let row = factor.variable as usize;
                blocks.multiply::<S>(&[(j, 1)]);
                blocks.add_columns::<S>(range.clone(), *y, &mut crossed[j * k..(j + 1) * k]);
                blocks.multiply::<S>(&[(j, 2)]);
                matrix[row * n + row] += y * blocks.sum::<S>();
                for (l, other) in events.systematics.iter().enumerate().take(j) {
                    let column = other.variable as usize;
                    blocks.multiply::<S>(&[(j, 1), (l, 1)]);
                    let second = y * blocks.sum::<S>();
                    matrix[row * n + column] += second;
                    matrix[column * n + row] += second;
                }
            }
        }
    }
    for (monomial, total) in events.monomials.iter().zip(&totals) {
        for (a, i) in monomial.iter().enumerate() {
            for (b, j) in monomial.iter().enumerate().filter(|(b, _)| *b != a) {
                let others = monomial.iter().enumerate().filter(|(c, _)| *c != a && *c != b);
                let derivative: f64 = others.map(|(_, l)| variables[*l as usize]).product();
                matrix[*i as usize * n + *j as usize] += total * derivative;
            }
        }
    }
    for (factor, totals) in events.systematics.iter().zip(crossed.chunks_exact(k.max(1))) {
        let row = factor.variable as usize;
        add_first_of_monomials(events, variables, totals, |i, x| {
            matrix[row * n + i] += x;
            matrix[i * n + row] += x;
        });
    }
}

/// Σ_k totals_k ∂φ_k/∂c_i for every variable of a monomial, as often as it stands there.
fn add_first_of_monomials(events: &Events, variables: &[f64], totals: &[f64], mut add: impl FnMut(usize, f64)) {
    for (monomial, total) in events.monomials.iter().zip(totals) {
        for (a, i) in monomial.iter().enumerate() {
            let others = monomial.iter().enumerate().filter(|(b, _)| *b != a);
            add(*i as usize, total * others.map(|(_, j)| variables[*j as usize]).product::<f64>());
        }
    }
}

/// The events of each bin.
fn bins(events: &Events) -> impl Iterator<Item = Range<usize>> {
    events.start.windows(2).map(|pair| pair[0]..pair[1])
}

/// A bin in blocks.
fn ranges(bin: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    bin.clone().step_by(EVENTS).map(move |first| first..bin.end.min(first + EVENTS))
}

impl Blocks<'_> {
    fn new<'a>(events: &'a Events, variables: &[f64]) -> Blocks<'a> {
        Blocks {
            events,
            phi: events.monomials.iter().map(|m| monomial_value(m, variables)).collect(),
            nu: events.systematics.iter().map(|factor| variables[factor.variable as usize]).collect(),
            lifted: [ZERO; GROUPS],
            slope: [ZERO; GROUPS],
            factors: vec![[[ZERO; GROUPS]; 3]; events.systematics.len()],
            product: [Lanes([1.0; 8]); GROUPS],
            room: [ZERO; GROUPS],
        }
    }

    /// `lifted`, `slope` and `factors` of some events, at most a block.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, range: Range<usize>) {
        let n = range.len();
        let weights = flat_mut(&mut self.lifted);
        weights.fill(0.0);
        let weights = &mut weights[..n];
        let mut columns = self.events.columns.chunks_exact(3);
        let mut phi = self.phi.chunks_exact(3);
        for (columns, phi) in (&mut columns).zip(&mut phi) {
            let [a, b, c] = [0, 1, 2].map(|i| &columns[i][range.clone()]);
            for (((w, a), b), c) in weights.iter_mut().zip(a).zip(b).zip(c) {
                *w += phi[0] * a + phi[1] * b + phi[2] * c;
            }
        }
        for (column, phi) in columns.remainder().iter().zip(phi.remainder()) {
            for (w, a) in weights.iter_mut().zip(&column[range.clone()]) {
                *w += phi * a;
            }
        }
        if let Some(floor) = self.events.floor {
            for (w, slope) in weights.iter_mut().zip(flat_mut(&mut self.slope)) {
                *slope = if *w > floor { 1.0 } else { 0.0 };
                *w = w.max(floor);
            }
        }
        for ((factor, nu), block) in self.events.systematics.iter().zip(&self.nu).zip(&mut self.factors) {
            match &factor.kind {
                EventFactorKind::Linear(a) => linear(*nu, &a[range.clone()], block),
                EventFactorKind::Power(base) => {
                    fill(&mut self.room, &base[range.clone()], 1.0);
                    exponential::<S>(*nu, |g| (S::load(&self.room[g]).ln(), S::splat(0.0)), block);
                }
                EventFactorKind::LogQuadratic { linear, quadratic } => {
                    let (mut delta, mut square) = ([ZERO; GROUPS], [ZERO; GROUPS]);
                    fill(&mut delta, &linear[range.clone()], 0.0);
                    fill(&mut square, &quadratic[range.clone()], 0.0);
                    exponential::<S>(*nu, |g| (S::load(&delta[g]), S::load(&square[g])), block);
                }
            }
        }
    }

    /// The product of all factors, in place of some of them their derivative (index, order).
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, derivatives: &[(usize, usize)]) {
        for (j, block) in self.factors.iter().enumerate() {
            let order = derivatives.iter().find(|(own, _)| *own == j).map_or(0, |(_, order)| *order);
            for (product, f) in self.product.iter_mut().zip(&block[order]) {
                let before = if j == 0 { S::splat(1.0) } else { S::load(product) };
                before.mul(S::load(f)).store(product);
            }
        }
    }

    /// Σ of `product` · `lifted`.
    #[inline(always)]
    fn sum<S: Simd>(&self) -> f64 {
        let mut sum = S::splat(0.0);
        for (m, s) in self.lifted.iter().zip(&self.product) {
            sum = S::load(m).fma(S::load(s), sum);
        }
        sum.sum()
    }

    /// Adds y Σ `product` · `slope` · a_k of the events to `totals`, one a monomial.
    #[inline(always)]
    fn add_columns<S: Simd>(&mut self, range: Range<usize>, y: f64, totals: &mut [f64]) {
        let lifts = self.events.floor.is_some();
        for ((to, s), slope) in self.room.iter_mut().zip(&self.product).zip(&self.slope) {
            let slope = if lifts { S::load(slope) } else { S::splat(1.0) };
            S::load(s).mul(slope).store(to);
        }
        let room = flat(&self.room);
        for (total, column) in totals.iter_mut().zip(&self.events.columns) {
            *total += y * dot(&column[range.clone()], room);
        }
    }
}

/// Σ a b over the events of `a`.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    for (a, b) in (&mut left).zip(&mut right) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f64 = left.remainder().iter().zip(right.next().unwrap_or_default()).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Values of events, and `rest` behind the last.
#[inline(always)]
fn fill(block: &mut Block, values: &[f64], rest: f64) {
    let (own, behind) = flat_mut(block).split_at_mut(values.len());
    own.copy_from_slice(values);
    behind.fill(rest);
}

/// 1 + ν a with its derivatives.
#[inline(always)]
fn linear(nu: f64, a: &[f64], [value, first, second]: &mut [Block; 3]) {
    fill(first, a, 0.0);
    for (f, a) in flat_mut(value).iter_mut().zip(flat(first)) {
        *f = 1.0 + nu * a;
    }
    second.fill(ZERO);
}

/// exp(ν δ + ν² Δ) with its derivatives.
#[inline(always)]
fn exponential<S: Simd>(nu: f64, exponent: impl Fn(usize) -> (S, S), [value, first, second]: &mut [Block; 3]) {
    let nu = S::splat(nu);
    for g in 0..GROUPS {
        let (delta, square) = exponent(g);
        let half_slope = nu.mul(square);
        let f = nu.mul(delta.add(half_slope)).exp();
        let slope = delta.add(half_slope).add(half_slope);
        f.store(&mut value[g]);
        f.mul(slope).store(&mut first[g]);
        f.mul(slope.fma(slope, square.add(square))).store(&mut second[g]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::eft::events::EventFactor;

    /// The weight of one event by its definition.
    fn weight(events: &Events, x: &[f64], e: usize) -> f64 {
        let mut w: f64 = events.monomials.iter().zip(&events.columns).map(|(m, a)| a[e] * monomial_value(m, x)).sum();
        if let Some(floor) = events.floor {
            w = w.max(floor);
        }
        for factor in &events.systematics {
            let nu = x[factor.variable as usize];
            w *= match &factor.kind {
                EventFactorKind::Linear(a) => 1.0 + nu * a[e],
                EventFactorKind::Power(a) => a[e].powf(nu),
                EventFactorKind::LogQuadratic { linear, quadratic } => (nu * linear[e] + nu * nu * quadratic[e]).exp(),
            };
        }
        w
    }

    /// Bins of 0, 1, 255, 256, 257 and 700 events; four systematics; variables 0 and 2 are coefficients.
    fn events(floor: Option<f64>) -> Events {
        let start = vec![0, 0, 1, 256, 512, 769, 1469];
        let column = |seed: usize, low: f64, high: f64| -> Vec<f64> {
            (0..1469).map(|e| low + (high - low) * (((e * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0)).collect()
        };
        let systematics = vec![
            EventFactor { variable: 1, kind: EventFactorKind::Linear(column(11, -0.3, 0.4)) },
            EventFactor { variable: 3, kind: EventFactorKind::Power(column(12, 0.7, 1.4)) },
            EventFactor {
                variable: 4,
                kind: EventFactorKind::LogQuadratic {
                    linear: column(13, -0.2, 0.2),
                    quadratic: column(14, -0.05, 0.05),
                },
            },
            EventFactor { variable: 5, kind: EventFactorKind::Linear(column(15, -0.1, 0.1)) },
        ];
        Events {
            monomials: vec![vec![], vec![0], vec![2], vec![0, 0], vec![0, 2], vec![2, 2], vec![0, 0, 2]],
            columns: (0..7).map(|k| column(k, -0.2, 1.0)).collect(),
            start,
            systematics,
            floor,
        }
    }

    const POINT: [f64; 6] = [0.7, -1.3, -0.9, 1.6, 2.1, -0.4];

    fn brute(events: &Events, x: &[f64]) -> Vec<f64> {
        bins(events).map(|bin| bin.map(|e| weight(events, x, e)).sum()).collect()
    }

    fn close(got: f64, want: f64, tolerance: f64, what: &str) {
        assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} and {want}");
    }

    #[test]
    fn sums_are_those_of_single_events() {
        for floor in [None, Some(0.3)] {
            let events = events(floor);
            for backend in Backend::available() {
                let (mut weights, mut squares) = ([0.0; 6], [0.0; 6]);
                add_sums(backend, &events, &POINT, &mut weights, Some(&mut squares));
                for (b, bin) in bins(&events).enumerate() {
                    let of_events: Vec<f64> = bin.map(|e| weight(&events, &POINT, e)).collect();
                    close(weights[b], of_events.iter().sum(), 1e-13, "Σ W");
                    close(squares[b], of_events.iter().map(|w| w * w).sum(), 1e-13, "Σ W²");
                }
            }
            for (e, w) in weights(&events, &POINT).into_iter().enumerate() {
                close(w, weight(&events, &POINT, e), 1e-13, "W");
            }
        }
    }

    /// Against central differences of sums over single events. Moving a weight over the floor would spoil a
    /// difference; none of these is that near to it.
    #[test]
    fn derivatives_are_differences() {
        let h = 1e-5;
        let moved = |i: usize, by: f64| {
            let mut x = POINT;
            x[i] += by;
            x
        };
        for floor in [None, Some(0.3)] {
            let events = events(floor);
            let y = [0.5, -2.0, 1.5, 0.25, -0.75, 1.25, 9.0, 9.0];
            let weighed = |x: &[f64]| -> f64 { brute(&events, x).iter().zip(y).map(|(r, y)| y * r).sum() };
            for backend in Backend::available() {
                let (mut gradient, mut matrix) = ([0.0; 6], [0.0; 36]);
                let mut jacobian = [0.0; 6 * 8];
                add_first(backend, &events, &POINT, &y, &mut gradient);
                super::jacobian(backend, &events, &POINT, &mut jacobian);
                add_second(backend, &events, &POINT, &y, &mut matrix);
                for i in 0..6 {
                    let (up, down) = (moved(i, h), moved(i, -h));
                    close(gradient[i], (weighed(&up) - weighed(&down)) / (2.0 * h), 1e-7, "gradient");
                    for (b, (up, down)) in brute(&events, &up).iter().zip(brute(&events, &down)).enumerate() {
                        close(jacobian[8 * i + b], (up - down) / (2.0 * h), 1e-7, "jacobian");
                    }
                    let by = |x: &[f64]| {
                        let mut gradient = [0.0; 6];
                        add_first(backend, &events, x, &y, &mut gradient);
                        gradient
                    };
                    for (j, (up, down)) in by(&up).iter().zip(by(&down)).enumerate() {
                        close(matrix[6 * i + j], (up - down) / (2.0 * h), 1e-6, "hessian");
                        close(matrix[6 * i + j], matrix[6 * j + i], 1e-15, "symmetry");
                    }
                }
            }
        }
    }
}
