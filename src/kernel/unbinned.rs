//! −ln L of single events, N − S − Σ_i s_i ln(I_i/S) with S = Σ s, and its derivatives (spec/unbinned.md, eq. 1 and 8).

use super::chain::Chain;
use super::event_rows::{Block, Depth, GROUPS, Jet, RowScratch, add_scaled, dot, ranges};
use super::hessian::Curvature;
use super::scratch::TINY;
use super::simd::{Backend, Simd, ZERO, entry_point, flat, flat_mut};
use crate::model::UnbinnedTerm;
use crate::model::eft::unbinned::{EventRows, RowSum};
use crate::program::{CompiledTerm, PreparedTerm};
use std::sync::Arc;

/// What an evaluation of one term writes.
#[derive(Clone, Debug)]
pub(crate) struct TermScratch {
    variables: Vec<f64>,
    components: Vec<ComponentScratch>,
    /// −ln L with its derivatives by the variables.
    result: Jet,
    /// Σ s ∂ ln I ∂ ln Iᵀ (n × n).
    squares: Vec<f64>,
    /// The same by the parameters, where they are not the variables.
    chain: Option<Chain>,
    /// ∂I of a block, one a variable.
    slopes: Vec<Block>,
    intensity: Box<Block>,
    room: Box<Block>,
}

#[derive(Clone, Debug)]
struct ComponentScratch {
    sums: [Option<RowScratch>; 3],
    total: Jet,
    multiplier: Jet,
    densities: Vec<RowScratch>,
}

impl TermScratch {
    pub fn new(compiled: &CompiledTerm) -> TermScratch {
        let n = compiled.term.variables.len();
        let of_sum = |sum: &RowSum| RowScratch::new(&sum.rows, n);
        let components = compiled.term.components.iter().map(|component| ComponentScratch {
            sums: [
                Some(of_sum(&component.total)),
                component.multiplier.as_ref().map(of_sum),
                component.divisor.as_ref().map(of_sum),
            ],
            total: Jet::new(n),
            multiplier: Jet::new(n),
            densities: component.densities.iter().map(|rows| RowScratch::new(rows, n)).collect(),
        });
        TermScratch {
            variables: vec![0.0; n],
            components: components.collect(),
            result: Jet::new(n),
            squares: vec![0.0; n * n],
            chain: Chain::new(&compiled.term.variables, compiled.parameters.len()),
            slopes: vec![[ZERO; GROUPS]; n],
            intensity: Box::new([ZERO; GROUPS]),
            room: Box::new([ZERO; GROUPS]),
        }
    }

    /// Takes in a point: yields and multipliers of all components.
    #[inline(always)]
    fn begin<S: Simd>(&mut self, compiled: &CompiledTerm, theta: &[f64], depth: Depth) {
        for (value, variable) in self.variables.iter_mut().zip(&compiled.term.variables) {
            *value = variable.value(theta);
        }
        self.result.clear();
        self.squares.fill(0.0);
        let variables = &self.variables[..];
        for (component, scratch) in compiled.term.components.iter().zip(&mut self.components) {
            let [total, multiplier, divisor] = &mut scratch.sums;
            if let Some(own) = total {
                sum_rows::<S>(&component.total, own, variables, depth);
                scratch.total.copy_from(&own.sum);
                scratch.multiplier.copy_from(&own.sum);
            }
            if let (Some(sum), Some(own)) = (&component.multiplier, multiplier) {
                sum_rows::<S>(sum, own, variables, depth);
                scratch.multiplier.copy_from(&own.sum);
            }
            if let (Some(sum), Some(own)) = (&component.divisor, divisor) {
                sum_rows::<S>(sum, own, variables, depth);
                scratch.multiplier.divide(&own.sum);
            }
        }
    }

    /// Takes what is known by the variables to the parameters.
    fn by_parameters(&mut self, compiled: &CompiledTerm, theta: &[f64], depth: Depth) {
        if let Some(chain) = &mut self.chain {
            let names = (&compiled.term.variables[..], &compiled.parameters[..]);
            chain.take(names, theta, depth, &self.result, &self.squares);
        }
    }

    /// −ln L and Σ s ∂ ln I ∂ ln Iᵀ by the parameters.
    fn derivatives(&self) -> (&Jet, &[f64]) {
        match &self.chain {
            Some(chain) => (&chain.result, &chain.squares),
            None => (&self.result, &self.squares),
        }
    }

    /// The sum of all yields.
    fn total(&self) -> f64 {
        self.components.iter().map(|component| component.total.value).sum()
    }

    /// I of a range of rows, by the densities of one copy; 1 behind the last.
    #[inline(always)]
    fn intensities<S: Simd>(&mut self, densities: &[Vec<Arc<EventRows>>], copy: usize, range: std::ops::Range<usize>) {
        self.intensity.fill(ZERO);
        for (rows, scratch) in densities.iter().zip(&mut self.components) {
            let own = &mut scratch.densities[copy];
            own.evaluate::<S>(&rows[copy], &self.variables, range.clone());
            add_scaled::<S>(scratch.multiplier.value, &own.value, &mut self.intensity);
        }
        flat_mut(&mut self.intensity[..])[range.len()..].fill(1.0);
    }

    /// Starts the sums over densities.
    fn begin_densities(&mut self, densities: &[Vec<Arc<EventRows>>], copy: usize, depth: Depth) {
        for (rows, scratch) in densities.iter().zip(&mut self.components) {
            scratch.densities[copy].begin(&rows[copy], &self.variables, depth);
        }
    }

    /// What the sums over the densities of one copy mean for −ln L: y m W with y = −s/I.
    fn finish_densities(&mut self, densities: &[Vec<Arc<EventRows>>], copy: usize, depth: Depth) {
        let n = self.variables.len();
        for (rows, scratch) in densities.iter().zip(&mut self.components) {
            let own = &mut scratch.densities[copy];
            own.finish(&rows[copy], &self.variables, depth);
            let (sum, m) = (&own.sum, &scratch.multiplier);
            for i in 0..n {
                self.result.first[i] += m.value * sum.first[i] + sum.value * m.first[i];
                if depth == Depth::Second {
                    for j in 0..n {
                        self.result.second[i * n + j] += m.value * sum.second[i * n + j]
                            + m.first[i] * sum.first[j]
                            + m.first[j] * sum.first[i]
                            + sum.value * m.second[i * n + j];
                    }
                }
            }
        }
    }

    /// ∂I of the rows that were evaluated last.
    #[inline(always)]
    fn fill_slopes<S: Simd>(&mut self, densities: &[Vec<Arc<EventRows>>], copy: usize, range: std::ops::Range<usize>) {
        self.slopes.iter_mut().for_each(|block| *block = [ZERO; GROUPS]);
        for (rows, scratch) in densities.iter().zip(&mut self.components) {
            let m = &scratch.multiplier;
            let own = &mut scratch.densities[copy];
            own.add_slopes::<S>(&rows[copy], range.clone(), m.value, &mut self.slopes);
            for (slope, to) in m.first.iter().zip(&mut self.slopes).filter(|(slope, _)| **slope != 0.0) {
                add_scaled::<S>(*slope, &own.value, to);
            }
        }
    }

    /// Adds Σ s ∂I ∂Iᵀ/I² of the rows whose slopes and intensities are there.
    #[inline(always)]
    fn add_squares<S: Simd>(&mut self, weights: &Block) {
        let n = self.variables.len();
        for i in 0..n {
            for (g, to) in self.room.iter_mut().enumerate() {
                let intensity = S::load(&self.intensity[g]);
                let ratio = S::load(&self.slopes[i][g]).div(intensity);
                ratio.mul(S::load(&weights[g])).div(intensity).store(to);
            }
            for j in 0..=i {
                let square = dot::<S>(&self.room, &self.slopes[j]);
                self.squares[i * n + j] += square;
                if i != j {
                    self.squares[j * n + i] += square;
                }
            }
        }
    }
}

/// Σ y W of constant weights to the sum of the scratch.
#[inline(always)]
fn sum_rows<S: Simd>(sum: &RowSum, scratch: &mut RowScratch, variables: &[f64], depth: Depth) {
    scratch.begin(&sum.rows, variables, depth);
    let mut weights = [ZERO; GROUPS];
    for range in ranges(sum.rows.n_rows()) {
        load(&sum.weights[range.clone()], &mut weights);
        scratch.evaluate::<S>(&sum.rows, variables, range.clone());
        scratch.add::<S>(&sum.rows, variables, &weights, range, depth);
    }
    scratch.finish(&sum.rows, variables, depth);
}

fn load(values: &[f64], block: &mut Block) {
    let (own, behind) = flat_mut(block).split_at_mut(values.len());
    own.copy_from_slice(values);
    behind.fill(0.0);
}

/// −ln L of all terms; +inf out of the domain.
#[inline(always)]
pub(super) fn value_body<S: Simd>(
    terms: &[CompiledTerm],
    data: &[PreparedTerm],
    theta: &[f64],
    scratch: &mut [TermScratch],
) -> f64 {
    let mut sum = 0.0;
    for ((compiled, data), scratch) in terms.iter().zip(data).zip(scratch) {
        scratch.begin::<S>(compiled, theta, Depth::Value);
        let total = scratch.total();
        if total.is_nan() || total < 0.0 {
            return f64::INFINITY;
        }
        // In units of S no large logarithms cancel.
        let unit = if data.sum > 0.0 { data.sum } else { 1.0 };
        let inverse = S::splat(1.0 / unit);
        let (mut logarithms, mut forbidden) = (S::splat(0.0), false);
        let mut weights = [ZERO; GROUPS];
        let copies = n_copies(&compiled.term);
        for copy in 0..copies {
            scratch.begin_densities(&data.densities, copy, Depth::Value);
            for range in ranges(data.weights.len()) {
                load(&data.weights[range.clone()], &mut weights);
                scratch.intensities::<S>(&data.densities, copy, range);
                let (tiny, one) = (S::splat(TINY), S::splat(1.0));
                for (s, intensity) in weights.iter().zip(scratch.intensity.iter()) {
                    let intensity = S::load(intensity);
                    forbidden |= intensity.any_less(tiny);
                    let safe = intensity.select_less(tiny, one, intensity);
                    logarithms = S::load(s).fma(safe.mul(inverse).ln(), logarithms);
                }
            }
        }
        if forbidden {
            return f64::INFINITY;
        }
        let counted = if data.sum > 0.0 { data.sum } else { 0.0 };
        sum += total - counted - logarithms.sum() / copies as f64;
    }
    sum
}

fn n_copies(term: &UnbinnedTerm) -> usize {
    term.components.iter().map(|component| component.densities.len()).max().unwrap_or(1).max(1)
}

/// All derivatives of one term, to `depth`, inside the domain.
#[inline(always)]
fn differentiate<S: Simd>(
    compiled: &CompiledTerm,
    data: &PreparedTerm,
    theta: &[f64],
    scratch: &mut TermScratch,
    depth: Depth,
) {
    scratch.begin::<S>(compiled, theta, depth);
    let copies = n_copies(&compiled.term);
    let (mut weights, mut y) = ([ZERO; GROUPS], [ZERO; GROUPS]);
    for copy in 0..copies {
        scratch.begin_densities(&data.densities, copy, depth);
        for range in ranges(data.weights.len()) {
            load(&data.weights[range.clone()], &mut weights);
            if copies > 1 {
                flat_mut(&mut weights).iter_mut().for_each(|s| *s /= copies as f64);
            }
            scratch.intensities::<S>(&data.densities, copy, range.clone());
            for (y, (s, intensity)) in y.iter_mut().zip(weights.iter().zip(scratch.intensity.iter())) {
                S::splat(0.0).sub(S::load(s)).div(S::load(intensity)).store(y);
            }
            let TermScratch { variables, components, .. } = scratch;
            for (rows, component) in data.densities.iter().zip(components) {
                component.densities[copy].add::<S>(&rows[copy], variables, &y, range.clone(), depth);
            }
            if depth == Depth::Second {
                scratch.fill_slopes::<S>(&data.densities, copy, range);
                scratch.add_squares::<S>(&weights);
            }
        }
        scratch.finish_densities(&data.densities, copy, depth);
    }
    let TermScratch { components, result, .. } = scratch;
    for component in components {
        result.first.iter_mut().zip(&component.total.first).for_each(|(to, x)| *to += x);
        if depth == Depth::Second {
            result.second.iter_mut().zip(&component.total.second).for_each(|(to, x)| *to += x);
        }
    }
    scratch.by_parameters(compiled, theta, depth);
}

/// Adds the gradient of −ln L.
#[inline(always)]
pub(super) fn add_gradient_body<S: Simd>(
    terms: &[CompiledTerm],
    data: &[PreparedTerm],
    theta: &[f64],
    scratch: &mut [TermScratch],
    gradient: &mut [f64],
) {
    for ((compiled, data), scratch) in terms.iter().zip(data).zip(scratch) {
        differentiate::<S>(compiled, data, theta, scratch, Depth::First);
        for (parameter, slope) in compiled.parameters.iter().zip(&scratch.derivatives().0.first) {
            gradient[*parameter as usize] += slope;
        }
    }
}

/// Adds the second derivatives of −2 ln L by `add(place, place, value)` with every pair of shared places once, the larger
/// first.
#[inline(always)]
pub(super) fn add_hessian_body<S: Simd>(
    terms: &[CompiledTerm],
    data: &[PreparedTerm],
    theta: &[f64],
    scratch: &mut [TermScratch],
    curvature: Curvature,
    mut add: impl FnMut(usize, usize, f64),
) {
    for ((compiled, data), scratch) in terms.iter().zip(data).zip(scratch) {
        differentiate::<S>(compiled, data, theta, scratch, Depth::Second);
        let n = compiled.parameters.len();
        let (result, squares) = scratch.derivatives();
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (compiled.places[i] as usize, compiled.places[j] as usize);
                let exact = if curvature == Curvature::Exact { result.second[i * n + j] } else { 0.0 };
                add(a.max(b), a.min(b), 2.0 * (exact + squares[i * n + j]));
            }
        }
    }
}

entry_point! {
    /// As `value_body`, of some terms alone.
    value = value_body(
        terms: &[CompiledTerm], data: &[PreparedTerm], theta: &[f64], scratch: &mut [TermScratch],
    ) -> f64
}

entry_point! {
    /// Σ s ∂ ln I ∂ ln Iᵀ of one term (its parameters²), of several copies with the mean logarithm: for events that are
    /// what is expected, the information of the term (eq. 10).
    squares = squares_body(
        compiled: &CompiledTerm, data: &PreparedTerm, theta: &[f64], scratch: &mut TermScratch,
    ) -> Vec<f64>
}

#[inline(always)]
fn squares_body<S: Simd>(
    compiled: &CompiledTerm,
    data: &PreparedTerm,
    theta: &[f64],
    scratch: &mut TermScratch,
) -> Vec<f64> {
    scratch.begin::<S>(compiled, theta, Depth::Second);
    let copies = n_copies(&compiled.term);
    (0..copies).for_each(|copy| scratch.begin_densities(&data.densities, copy, Depth::Second));
    let mut means = vec![[ZERO; GROUPS]; scratch.variables.len()];
    let mut weights = [ZERO; GROUPS];
    for range in ranges(data.weights.len()) {
        load(&data.weights[range.clone()], &mut weights);
        means.iter_mut().for_each(|block| *block = [ZERO; GROUPS]);
        for copy in 0..copies {
            scratch.intensities::<S>(&data.densities, copy, range.clone());
            scratch.fill_slopes::<S>(&data.densities, copy, range.clone());
            for (mean, slope) in means.iter_mut().zip(&scratch.slopes) {
                for ((mean, slope), intensity) in mean.iter_mut().zip(slope).zip(scratch.intensity.iter()) {
                    let own = S::load(slope).div(S::load(intensity)).mul(S::splat(1.0 / copies as f64));
                    S::load(mean).add(own).store(mean);
                }
            }
        }
        // What is left is a slope of the logarithm: its intensity is one.
        std::mem::swap(&mut scratch.slopes, &mut means);
        flat_mut(&mut scratch.intensity[..]).fill(1.0);
        scratch.add_squares::<S>(&weights);
        std::mem::swap(&mut scratch.slopes, &mut means);
    }
    scratch.by_parameters(compiled, theta, Depth::Second);
    scratch.derivatives().1.to_vec()
}

entry_point! {
    /// The yields of a term, and I of some rows; of several copies the geometric mean.
    row_intensities = row_intensities_body(
        compiled: &CompiledTerm,
        densities: &[Vec<Arc<EventRows>>],
        n_rows: usize,
        theta: &[f64],
        scratch: &mut TermScratch,
    ) -> (f64, Vec<f64>)
}

#[inline(always)]
fn row_intensities_body<S: Simd>(
    compiled: &CompiledTerm,
    densities: &[Vec<Arc<EventRows>>],
    n_rows: usize,
    theta: &[f64],
    scratch: &mut TermScratch,
) -> (f64, Vec<f64>) {
    scratch.begin::<S>(compiled, theta, Depth::Value);
    let copies = n_copies(&compiled.term);
    let mut values = vec![if copies > 1 { 0.0 } else { 1.0 }; n_rows];
    for copy in 0..copies {
        scratch.begin_densities(densities, copy, Depth::Value);
        for range in ranges(n_rows) {
            scratch.intensities::<S>(densities, copy, range.clone());
            for (value, intensity) in values[range].iter_mut().zip(flat(&scratch.intensity[..])) {
                // The logarithm of what is not positive makes the mean no number, which no data can have.
                *value = if copies > 1 { *value + intensity.ln() / copies as f64 } else { *intensity };
            }
        }
    }
    if copies > 1 {
        values.iter_mut().for_each(|value| *value = value.exp());
    }
    (scratch.total(), values)
}

/// The first event without positive intensity: its place among the rows of the term, and the intensity.
pub(super) enum Forbidden {
    Yield(f64),
    Event { row: usize, intensity: f64 },
}

/// Why a term has no value at a point.
pub(super) fn forbidden(
    backend: Backend,
    compiled: &CompiledTerm,
    data: &PreparedTerm,
    theta: &[f64],
    scratch: &mut TermScratch,
) -> Option<Forbidden> {
    let bad = |intensity: &f64| intensity.is_nan() || *intensity < TINY;
    for copy in 0..n_copies(&compiled.term) {
        let one_copy: Vec<Vec<Arc<EventRows>>> = data.densities.iter().map(|all| vec![all[copy].clone()]).collect();
        let mut single = compiled.clone();
        for component in &mut single.term.components {
            component.densities.swap(0, copy);
            component.densities.truncate(1);
        }
        let (total, values) = row_intensities(backend, &single, &one_copy, data.weights.len(), theta, scratch);
        if total.is_nan() || total < 0.0 {
            return Some(Forbidden::Yield(total));
        }
        if let Some(place) = values.iter().position(bad) {
            return Some(Forbidden::Event { row: data.rows[place], intensity: values[place] });
        }
    }
    None
}
