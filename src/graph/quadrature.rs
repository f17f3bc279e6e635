//! Integrals over one or two observables: adaptive Gauss-Kronrod quadrature with 15 points a side, whose points run
//! through a column program like events.

use super::column::{BLOCK, ColumnProgram, Input, Operation, Tables, backward, forward};
use super::column_hessian::{ColumnHessian, ColumnRoom};
use crate::kernel::simd::{Backend, Lanes, ZERO, flat, flat_mut};
use std::ops::Range;

/// The error of an integral, relative to it: a cell is halved until the estimate of its error is below.
pub(super) const ACCURACY: f64 = 1e-11;

/// Where the integrand has a kink, its derivative jumps, and the integral of the derivative is the worse one: a cell is
/// halved until the two rules differ by less than this, relative to the integral and for the cell's share of the range.
const SMOOTH: f64 = 1e-9;

/// A cell that is this small a share of the range is not halved: what it adds is rounding.
const TINY: f64 = 1e-13;

/// No integral has more cells; one that needs more is not a number.
const MOST_CELLS: usize = 4000;

/// Points of one cell and axis.
pub(super) const POINTS: usize = 15;

/// Points of Kronrod's rule in [−1, 1] (DLMF 3.5), from the outermost to the middle.
const NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];

/// Their weights.
const KRONROD: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_56,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
    0.209_482_141_084_727_82,
];

/// Weights of Gauss's rule with seven points, at every second node from the second.
const GAUSS: [f64; 4] =
    [0.129_484_966_168_869_7, 0.279_705_391_489_276_64, 0.381_830_050_505_118_9, 0.417_959_183_673_469_4];

/// Node and both weights of each point.
const RULE: [(f64, f64, f64); POINTS] = {
    let mut rule = [(0.0, 0.0, 0.0); POINTS];
    let mut i = 0;
    while i < POINTS {
        let mirrored = if i < 8 { i } else { POINTS - 1 - i };
        let node = if i < 8 { -NODES[mirrored] } else { NODES[mirrored] };
        rule[i] = (node, KRONROD[mirrored], if mirrored % 2 == 1 { GAUSS[mirrored / 2] } else { 0.0 });
        i += 1;
    }
    rule
};

/// A point in [−1, 1].
pub(super) const fn node(i: usize) -> f64 {
    RULE[i].0
}

/// Its weight in Kronrod's rule.
pub(super) fn weight(i: usize) -> f64 {
    RULE[i].1
}

/// An input below this part of the unit counts as zero; of more such inputs nothing is known.
pub(super) const NOTHING: f64 = 1e-6;
const MOST_WITHOUT_STRENGTH: usize = 4;

/// A box: low and high of each axis; the second axis is empty for integrals over one observable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell([(f64, f64); 2]);

/// One integral of a program.
#[derive(Clone, Debug, Default)]
pub(super) struct Quadrature {
    pub program: ColumnProgram,
    /// The observable of each axis, and its range.
    pub observables: Vec<usize>,
    pub ranges: Vec<(f64, f64)>,
    /// The cells to begin with.
    first: Vec<Cell>,
    /// Where the integrand of one variate has steps or knots, ascending: whatever the parameters are, and at the values of
    /// these scalars.
    breaks: Vec<f64>,
    moving: Vec<usize>,
}

/// Memory for all integrals.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// A column of points for each axis.
    pub points: Vec<Vec<Lanes>>,
    /// Cells that are looked at, what they say, and what they become.
    open: Vec<Cell>,
    estimates: Vec<Estimate>,
    halves: Vec<Cell>,
}

impl Default for Work {
    fn default() -> Self {
        let room = Vec::with_capacity(2 * MOST_CELLS);
        Work { open: room.clone(), estimates: Vec::with_capacity(2 * MOST_CELLS), halves: room, ..Work::small() }
    }
}

impl Work {
    /// Without room for many cells, for integrals that are many themselves.
    pub fn small() -> Work {
        let points = vec![vec![ZERO; BLOCK]; 2];
        Work { points, open: Vec::new(), estimates: Vec::new(), halves: Vec::new() }
    }
}

/// What the points of one cell say.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    integral: f64,
    error: f64,
    /// Between both rules.
    difference: f64,
    /// The axis along which the error is larger.
    axis: usize,
}

/// Slots, adjoints and what else a run of a column program needs.
pub(super) struct Run<'a> {
    pub backend: Backend,
    pub tables: &'a Tables,
    pub scalars: &'a [f64],
    pub slots: &'a mut [Lanes],
}

impl Run<'_> {
    /// The same with other scalars.
    pub fn at<'s>(&'s mut self, scalars: &'s [f64]) -> Run<'s> {
        Run { backend: self.backend, tables: self.tables, scalars, slots: &mut *self.slots }
    }
}

impl Quadrature {
    /// `breaks`, ascending, are where the integrand of one variate has steps or knots whatever the parameters are, `moving`
    /// the scalars at whose values it has some: cells end there.
    pub fn new(
        program: ColumnProgram,
        observables: Vec<usize>,
        ranges: Vec<(f64, f64)>,
        breaks: Vec<f64>,
        moving: Vec<usize>,
    ) -> Quadrature {
        let first = match ranges.as_slice() {
            [range] => row(*range, &breaks).collect(),
            [first, second] => square(*first, *second),
            _ => Vec::new(),
        };
        Quadrature { program, observables, ranges, first, breaks, moving }
    }

    /// Cells are refined until the error is small; those that make up the integral are left in `cells`.
    pub fn value(&self, run: &mut Run, work: &mut Work, cells: &mut Vec<Cell>) -> f64 {
        let range = self.ranges.first().copied().unwrap_or_default();
        let least = unit(range);
        let without_strength = run.scalars.iter().filter(|x| x.abs() <= NOTHING * least).count();
        if without_strength > 0 && without_strength <= MOST_WITHOUT_STRENGTH && !self.is_nested() {
            let first = self.first_for_slopes(run, work, least);
            return self.refined(run, work, cells, first.into_iter());
        }
        self.value_of_event(run, work, cells)
    }

    /// The integrand is made of integrals: its points are dear.
    pub fn is_nested(&self) -> bool {
        self.program.operations.iter().any(|operation| matches!(operation, Operation::Integral(..)))
    }

    /// As [`Quadrature::value`], without cells for slopes along inputs that are zero: of integrals that are one for each event.
    pub fn value_of_event(&self, run: &mut Run, work: &mut Work, cells: &mut Vec<Cell>) -> f64 {
        let range = self.ranges.first().copied().unwrap_or_default();
        if self.ranges.len() == 1 && !self.moving.is_empty() {
            let breaks = self.all_breaks(run.scalars);
            return self.refined(run, work, cells, row(range, &breaks));
        }
        self.refined(run, work, cells, self.first.iter().copied())
    }

    /// Where the integrand has steps or knots.
    fn all_breaks(&self, scalars: &[f64]) -> Vec<f64> {
        let moving = self.moving.iter().filter_map(|scalar| scalars.get(*scalar));
        let mut breaks: Vec<f64> = self.breaks.iter().chain(moving).copied().collect();
        breaks.sort_by(f64::total_cmp);
        breaks
    }

    /// Cells that see what inputs of zero would add, one after the other, were they not zero: the slope along them needs
    /// these cells, the value does not.
    fn first_for_slopes(&self, run: &mut Run, work: &mut Work, least: f64) -> Vec<Cell> {
        let mut first = match self.ranges.as_slice() {
            [range] => row(*range, &self.all_breaks(run.scalars)).collect(),
            _ => self.first.clone(),
        };
        let mut scalars = run.scalars.to_vec();
        for k in 0..scalars.len() {
            if scalars[k].abs() > NOTHING * least {
                continue;
            }
            let own = std::mem::replace(&mut scalars[k], least);
            let mut cells = Vec::new();
            let value = self.refined(&mut run.at(&scalars), work, &mut cells, first.iter().copied());
            if value.is_finite() {
                first = cells;
            }
            scalars[k] = own;
        }
        first
    }

    /// As [`Quadrature::value`], from other cells.
    pub fn refined(
        &self,
        run: &mut Run,
        work: &mut Work,
        cells: &mut Vec<Cell>,
        first: impl Iterator<Item = Cell>,
    ) -> f64 {
        cells.clear();
        work.open.clear();
        work.open.extend(first);
        let (mut total, mut scale) = (0.0, None);
        while !work.open.is_empty() {
            self.estimate_all(run, work);
            let Work { open, estimates, halves, .. } = work;
            // The scale of the error is the integral that the first cells have.
            let scale = *scale.get_or_insert_with(|| estimates.iter().map(|e| e.integral.abs()).sum::<f64>());
            halves.clear();
            for (cell, estimate) in open.iter().zip(estimates.iter()) {
                let width = cell.share(estimate.axis, &self.ranges);
                let small = (estimate.error <= ACCURACY * scale && estimate.difference <= SMOOTH * scale * width)
                    || estimate.difference <= 1e-14 * estimate.integral.abs();
                if small || width <= TINY {
                    total += estimate.integral;
                    cells.push(*cell);
                } else if !estimate.error.is_finite() || cells.len() + halves.len() >= MOST_CELLS {
                    return f64::NAN;
                } else {
                    halves.extend(cell.halves(estimate.axis));
                }
            }
            std::mem::swap(open, halves);
        }
        total
    }

    /// Adds ∂∫/∂scalar to `to`, by the points of the cells that the value was made of; the second derivatives to the
    /// sums of `second`.
    pub fn pull(
        &self,
        run: &mut Run,
        adjoints: &mut [Lanes],
        work: &mut Work,
        cells: &[Cell],
        to: &mut [f64],
        mut second: Option<(&ColumnHessian, &mut ColumnRoom)>,
    ) {
        for batch in cells.chunks(self.batch()) {
            let groups = self.evaluate(batch, run, &mut work.points);
            adjoints[..self.program.operations.len() * groups].fill(ZERO);
            let out = flat_mut(&mut adjoints[self.program.output * groups..][..groups]);
            for (cell, out) in batch.iter().zip(out.chunks_mut(self.count())) {
                let scale = cell.volume(self.ranges.len());
                for (i, out) in out.iter_mut().enumerate() {
                    *out = match self.ranges.len() {
                        1 => scale * RULE[i].1,
                        _ => scale * RULE[i / POINTS].1 * RULE[i % POINTS].1,
                    };
                }
            }
            let input = Input { data: &work.points, start: 0, groups, scalars: run.scalars, tables: run.tables };
            backward(run.backend, &self.program, &input, run.slots, adjoints, to);
            if let Some((hessian, room)) = &mut second {
                hessian.add_block(run.backend, &self.program, &input, run.slots, adjoints, room);
            }
        }
    }

    fn count(&self) -> usize {
        if self.ranges.len() == 1 { POINTS } else { POINTS * POINTS }
    }

    /// How many cells fit into one block.
    fn batch(&self) -> usize {
        BLOCK * 8 / self.count()
    }

    /// Fills the slots for the points of some cells, one cell after the other; how many groups these are.
    fn evaluate(&self, cells: &[Cell], run: &mut Run, points: &mut [Vec<Lanes>]) -> usize {
        let (count, one) = (self.count(), self.ranges.len() == 1);
        let groups = (cells.len() * count).div_ceil(8);
        for (axis, column) in points.iter_mut().enumerate().take(self.ranges.len()) {
            let points = flat_mut(&mut column[..groups]);
            for (cell, points) in cells.iter().zip(points.chunks_mut(count)) {
                let (low, high) = cell.0[axis];
                let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
                for (i, point) in points.iter_mut().enumerate() {
                    let node = if one || axis == 1 { i % POINTS } else { i / POINTS };
                    *point = middle + half * RULE[node].0;
                }
            }
            // Lanes beyond the last point repeat it.
            let last = points[cells.len() * count - 1];
            points[cells.len() * count..].fill(last);
        }
        self.forward(run, points, groups);
        groups
    }

    /// Fills the slots for some groups of points.
    pub fn forward(&self, run: &mut Run, points: &[Vec<Lanes>], groups: usize) {
        let input = Input { data: points, start: 0, groups, scalars: run.scalars, tables: run.tables };
        forward(run.backend, &self.program, &input, run.slots);
    }

    /// Estimates of all open cells.
    fn estimate_all(&self, run: &mut Run, work: &mut Work) {
        let Work { points, open, estimates, .. } = work;
        estimates.clear();
        for batch in open.chunks(self.batch()) {
            let groups = self.evaluate(batch, run, points);
            let values = flat(&run.slots[self.program.output * groups..][..groups]);
            estimates.extend(batch.iter().zip(values.chunks(self.count())).map(|(cell, v)| self.estimate(cell, v)));
        }
    }

    /// The integral by Kronrod's rule. Its error is at most the difference from Gauss's; for smooth integrands it is far
    /// smaller, about the 3/2 power of that in units of the variation (R. Piessens et al., QUADPACK, Springer 1983).
    fn estimate(&self, cell: &Cell, values: &[f64]) -> Estimate {
        let volume = cell.volume(self.ranges.len());
        let one = self.ranges.len() == 1;
        let (mut kronrod, mut gauss, mut mixed) = (0.0, [0.0; 2], 0.0);
        for (i, value) in values.iter().enumerate() {
            let (_, k0, g0) = RULE[if one { i } else { i / POINTS }];
            let (k1, g1) = if one { (1.0, 1.0) } else { (RULE[i % POINTS].1, RULE[i % POINTS].2) };
            kronrod += k0 * k1 * value;
            gauss[0] += g0 * k1 * value;
            gauss[1] += k0 * g1 * value;
            mixed += k0 * k1 * value.abs();
        }
        let differences = gauss.map(|gauss| (kronrod - gauss).abs() * volume);
        let axis = usize::from(!one && differences[1] > differences[0]);
        let size = mixed * volume;
        let difference = differences[axis];
        let error =
            if size > 0.0 { size.min(difference).min(size * (200.0 * difference / size).powf(1.5)) } else { 0.0 };
        let error = if difference.is_finite() { error } else { f64::INFINITY };
        Estimate { integral: kronrod * volume, error, difference, axis }
    }
}

/// The size of an input that is not zero, for a variate of this range.
pub(super) fn unit((low, high): (f64, f64)) -> f64 {
    (high - low).min(1.0)
}

/// Part i of so many equal ones.
fn part((low, high): (f64, f64), i: usize, parts: usize) -> (f64, f64) {
    let at = |i: usize| if i == parts { high } else { low + (high - low) * i as f64 / parts as f64 };
    (at(i), at(i + 1))
}

/// Eight cells or more: a peak between the points of one cell would be missed.
fn row((low, high): (f64, f64), breaks: &[f64]) -> impl Iterator<Item = Cell> {
    let inner = move || breaks.iter().copied().filter(move |x| low < *x && *x < high);
    let parts = 8_usize.div_ceil(inner().count() + 1);
    let segments = std::iter::once(low).chain(inner()).zip(inner().chain(std::iter::once(high)));
    let cells = segments.flat_map(move |segment| (0..parts).map(move |i| part(segment, i, parts)));
    cells.filter(|(low, high)| low < high).map(|(low, high)| Cell::new(low, high))
}

/// Four times four cells.
fn square(first: (f64, f64), second: (f64, f64)) -> Vec<Cell> {
    let cells = (0..4).flat_map(|i| (0..4).map(move |j| (i, j)));
    cells.map(|(i, j)| Cell([part(first, i, 4), part(second, j, 4)])).collect()
}

impl Cell {
    /// Of one axis.
    pub fn new(low: f64, high: f64) -> Cell {
        Cell([(low, high), (0.0, 0.0)])
    }

    pub fn first_axis(&self) -> Range<f64> {
        self.0[0].0..self.0[0].1
    }

    /// What turns a sum over [−1, 1] into an integral over the cell.
    fn volume(&self, axes: usize) -> f64 {
        self.0.iter().take(axes).map(|(low, high)| 0.5 * (high - low)).product()
    }

    fn halves(&self, axis: usize) -> [Cell; 2] {
        let (low, high) = self.0[axis];
        let middle = 0.5 * (low + high);
        let (mut left, mut right) = (*self, *self);
        left.0[axis] = (low, middle);
        right.0[axis] = (middle, high);
        [left, right]
    }

    /// How much of the range of an axis the cell takes.
    fn share(&self, axis: usize, ranges: &[(f64, f64)]) -> f64 {
        let ((low, high), (from, to)) = (self.0[axis], ranges[axis]);
        (high - low) / (to - from)
    }
}
