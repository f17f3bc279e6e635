//! Columns over events: a list of operations run block by block, forward and at once backward, in the nearest cache.

use super::quadrature::Quadrature;
use super::spline::Spline;
use crate::expression::{Binary, Unary};
use crate::kernel::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat, flat_mut};

/// Groups of eight events in one block.
pub(super) const BLOCK: usize = 32;

/// Where an operand comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// The result of an operation of this program.
    Slot(usize),
    /// A column that no parameter changes.
    Data(usize),
    /// A result of the scalar program.
    Scalar(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    Unary(Unary, Source),
    Binary(Binary, Source, Source),
    Select(Source, Source, Source),
    Bin(usize, Source),
    Gather(Vec<Source>, Source),
    Spline(usize, Source),
    /// An entry of [`Tables::integrals`], and what its integrand takes from outside.
    Integral(usize, Vec<Source>),
}

impl Operation {
    /// All operands.
    pub fn sources(&self) -> Vec<Source> {
        match self {
            Operation::Unary(_, a) | Operation::Bin(_, a) | Operation::Spline(_, a) => vec![*a],
            Operation::Binary(_, a, b) => vec![*a, *b],
            Operation::Select(condition, yes, no) => vec![*condition, *yes, *no],
            Operation::Gather(list, index) => list.iter().chain([index]).copied().collect(),
            Operation::Integral(_, sources) => sources.clone(),
        }
    }
}

/// Operations in order; each fills the slot of its index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ColumnProgram {
    pub operations: Vec<Operation>,
    /// The slot of the result.
    pub output: usize,
}

impl ColumnProgram {
    /// Changes the places of integrals.
    pub fn place_integrals(&mut self, place: impl Fn(&mut usize)) {
        for operation in &mut self.operations {
            if let Operation::Integral(index, _) = operation {
                place(index);
            }
        }
    }
}

/// What operations look up.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub edges: Vec<Vec<f64>>,
    pub splines: Vec<Spline>,
    pub integrals: Vec<Quadrature>,
    pub backend: Backend,
}

impl Tables {
    /// Whether the integrals are the same, step by step.
    pub fn same_integrals(&self, other: &Tables) -> bool {
        self.integrals.iter().map(|integral| &integral.program).eq(other.integrals.iter().map(|other| &other.program))
    }
}

/// What a block reads: the columns, the groups of the block, and the scalars.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub data: &'a [Vec<Lanes>],
    pub start: usize,
    /// At most [`BLOCK`].
    pub groups: usize,
    pub scalars: &'a [f64],
    pub tables: &'a Tables,
}

/// One operand of a block.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    Column(&'a [Lanes]),
    Value(f64),
}

impl<'a> Operand<'a> {
    #[inline(always)]
    pub(super) fn get<S: Simd>(&self, i: usize) -> S {
        match self {
            Operand::Column(column) => S::load(&column[i]),
            Operand::Value(value) => S::splat(*value),
        }
    }

    #[inline(always)]
    pub(super) fn lane(&self, i: usize) -> f64 {
        match self {
            Operand::Column(column) => column[i / 8].0[i % 8],
            Operand::Value(value) => *value,
        }
    }
}

impl<'a> Input<'a> {
    /// An operand, with `done` the slots that are filled.
    #[inline(always)]
    pub(super) fn operand(&self, source: Source, done: &'a [Lanes]) -> Operand<'a> {
        match source {
            Source::Slot(slot) => Operand::Column(&done[slot * self.groups..][..self.groups]),
            Source::Data(column) => Operand::Column(&self.data[column][self.start..][..self.groups]),
            Source::Scalar(index) => Operand::Value(self.scalars[index]),
        }
    }
}

entry_point! {
    /// Fills the slots of one block, each as long as the block.
    forward = forward_block(program: &ColumnProgram, input: &Input<'_>, slots: &mut [Lanes])
}

entry_point! {
    /// The adjoints of one block, from that of the output, which is set before; the other adjoints are zero before.
    /// What belongs to scalars is added to `scalars`.
    backward = backward_block(
        program: &ColumnProgram,
        input: &Input<'_>,
        slots: &[Lanes],
        adjoints: &mut [Lanes],
        scalars: &mut [f64],
    )
}

#[inline(always)]
fn forward_block<S: Simd>(program: &ColumnProgram, input: &Input<'_>, slots: &mut [Lanes]) {
    for (slot, operation) in program.operations.iter().enumerate() {
        let (done, rest) = slots.split_at_mut(slot * input.groups);
        let out = &mut rest[..input.groups];
        let of = |source: Source| input.operand(source, done);
        match operation {
            Operation::Unary(Unary::Negative, a) => map1::<S>(of(*a), out, |a| S::splat(0.0).sub(a)),
            Operation::Unary(Unary::Exp, a) => exponentials::<S>(of(*a), out),
            Operation::Unary(Unary::Log, a) => logarithms::<S>(of(*a), out),
            Operation::Unary(f, a) => lanes(out, |i| f.value(of(*a).lane(i))),
            Operation::Binary(Binary::Add, a, b) => map2::<S>(of(*a), of(*b), out, |a, b| a.add(b)),
            Operation::Binary(Binary::Subtract, a, b) => map2::<S>(of(*a), of(*b), out, |a, b| a.sub(b)),
            Operation::Binary(Binary::Multiply, a, b) => map2::<S>(of(*a), of(*b), out, |a, b| a.mul(b)),
            Operation::Binary(Binary::Divide, a, b) => map2::<S>(of(*a), of(*b), out, |a, b| a.div(b)),
            Operation::Binary(f, a, b) => lanes(out, |i| f.value(of(*a).lane(i), of(*b).lane(i))),
            Operation::Select(condition, yes, no) => {
                lanes(out, |i| of(if of(*condition).lane(i) != 0.0 { *yes } else { *no }).lane(i));
            }
            Operation::Bin(table, a) => lanes(out, |i| bin(&input.tables.edges[*table], of(*a).lane(i))),
            Operation::Gather(list, index) => lanes(out, |i| match list.get(of(*index).lane(i) as usize) {
                Some(source) => of(*source).lane(i),
                None => f64::NAN,
            }),
            Operation::Spline(table, a) => lanes(out, |i| input.tables.splines[*table].at(of(*a).lane(i)).0),
            Operation::Integral(index, sources) => {
                let operands: Vec<Operand> = sources.iter().map(|source| of(*source)).collect();
                input.tables.integrals[*index].columns(input.tables, &operands, flat_mut(out));
            }
        }
    }
}

/// The index of the bin that holds a value; values beyond the edges belong to the outer bins.
pub(super) fn bin(edges: &[f64], value: f64) -> f64 {
    let above = edges.partition_point(|edge| *edge <= value);
    above.saturating_sub(1).min(edges.len().saturating_sub(2)) as f64
}

#[inline(always)]
fn map1<S: Simd>(a: Operand, out: &mut [Lanes], f: impl Fn(S) -> S) {
    for (i, out) in out.iter_mut().enumerate() {
        f(a.get::<S>(i)).store(out);
    }
}

#[inline(always)]
fn map2<S: Simd>(a: Operand, b: Operand, out: &mut [Lanes], f: impl Fn(S, S) -> S) {
    match (a, b) {
        (Operand::Column(a), Operand::Column(b)) => {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                f(S::load(a), S::load(b)).store(out);
            }
        }
        (Operand::Column(a), Operand::Value(b)) => {
            let b = S::splat(b);
            for (out, a) in out.iter_mut().zip(a) {
                f(S::load(a), b).store(out);
            }
        }
        (Operand::Value(a), Operand::Column(b)) => {
            let a = S::splat(a);
            for (out, b) in out.iter_mut().zip(b) {
                f(a, S::load(b)).store(out);
            }
        }
        (Operand::Value(a), Operand::Value(b)) => {
            for out in out {
                f(S::splat(a), S::splat(b)).store(out);
            }
        }
    }
}

/// Lane by lane, where there are no lanes for an operation.
#[inline(always)]
fn lanes(out: &mut [Lanes], f: impl Fn(usize) -> f64) {
    for (i, out) in flat_mut(out).iter_mut().enumerate() {
        *out = f(i);
    }
}

/// The lanes' exponential holds for |x| < 708.
#[inline(always)]
fn exponentials<S: Simd>(a: Operand, out: &mut [Lanes]) {
    for (i, out) in out.iter_mut().enumerate() {
        let x = a.get::<S>(i);
        x.exp().store(out);
        // What is no number is not below either.
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        if zero.any_less(x.abs().select_less(S::splat(708.0), zero, one)) {
            let mut input = ZERO;
            x.store(&mut input);
            out.0 = input.0.map(f64::exp);
        }
    }
}

/// The lanes' logarithm holds for positive normal numbers.
#[inline(always)]
fn logarithms<S: Simd>(a: Operand, out: &mut [Lanes]) {
    for (i, out) in out.iter_mut().enumerate() {
        let x = a.get::<S>(i);
        x.ln().store(out);
        if x.select_less(S::splat(f64::INFINITY), x, S::splat(0.0)).any_less(S::splat(f64::MIN_POSITIVE)) {
            let mut input = ZERO;
            x.store(&mut input);
            out.0 = input.0.map(f64::ln);
        }
    }
}

/// Where an adjoint goes.
struct Pull<'a, 'b> {
    adjoint: &'a [Lanes],
    before: &'b mut [Lanes],
    scalars: &'b mut [f64],
    groups: usize,
}

/// Adds a term for each group of an adjoint `g` to what belongs to an operand. Events without an adjoint add nothing,
/// whatever their slope. A macro, since intrinsics inside of a closure would be calls.
macro_rules! pull {
    ($pull:ident, $to:expr, ($g:ident, $i:ident) => $term:expr) => {{
        let (zero, least) = (S::splat(0.0), S::splat(f64::MIN_POSITIVE));
        match $to {
            Source::Slot(slot) => {
                let target = &mut $pull.before[slot * $pull.groups..][..$pull.groups];
                for ($i, (target, adjoint)) in target.iter_mut().zip($pull.adjoint).enumerate() {
                    let $g = S::load(adjoint);
                    let term: S = $g.abs().select_less(least, zero, $term);
                    S::load(target).add(term).store(target);
                }
            }
            Source::Scalar(index) => {
                let mut sum = zero;
                for ($i, adjoint) in $pull.adjoint.iter().enumerate() {
                    let $g = S::load(adjoint);
                    sum = sum.add($g.abs().select_less(least, zero, $term));
                }
                $pull.scalars[index] += sum.sum();
            }
            Source::Data(_) => {}
        }
    }};
}

impl Pull<'_, '_> {
    /// Adds adjoint · slope lane by lane, as [`pull`] does.
    #[inline(always)]
    fn add_lanes(&mut self, to: Source, slope: impl Fn(usize) -> f64) {
        let term = |i: usize, g: f64| if g == 0.0 { 0.0 } else { g * slope(i) };
        let adjoint = flat(self.adjoint);
        match to {
            Source::Slot(slot) => {
                let target = flat_mut(&mut self.before[slot * self.groups..][..self.groups]);
                for (i, (target, g)) in target.iter_mut().zip(adjoint).enumerate() {
                    *target += term(i, *g);
                }
            }
            Source::Scalar(index) => {
                self.scalars[index] += adjoint.iter().enumerate().map(|(i, g)| term(i, *g)).sum::<f64>();
            }
            Source::Data(_) => {}
        }
    }
}

#[inline(always)]
fn backward_block<S: Simd>(
    program: &ColumnProgram,
    input: &Input<'_>,
    slots: &[Lanes],
    adjoints: &mut [Lanes],
    scalars: &mut [f64],
) {
    for (slot, operation) in program.operations.iter().enumerate().rev() {
        let (done, rest) = slots.split_at(slot * input.groups);
        let out = Operand::Column(&rest[..input.groups]);
        let (before, rest) = adjoints.split_at_mut(slot * input.groups);
        let mut pull = Pull { adjoint: &rest[..input.groups], before, scalars, groups: input.groups };
        let of = |source: Source| input.operand(source, done);
        match operation {
            Operation::Unary(Unary::Negative, a) => pull!(pull, *a, (g, _i) => S::splat(0.0).sub(g)),
            Operation::Unary(Unary::Exp, a) => pull!(pull, *a, (g, i) => g.mul(out.get(i))),
            Operation::Unary(Unary::Log, a) => {
                let a_of = of(*a);
                pull!(pull, *a, (g, i) => g.div(a_of.get(i)));
            }
            Operation::Unary(f, a) => pull.add_lanes(*a, |i| f.slope(of(*a).lane(i), out.lane(i))),
            Operation::Binary(Binary::Add, a, b) => {
                pull!(pull, *a, (g, _i) => g);
                pull!(pull, *b, (g, _i) => g);
            }
            Operation::Binary(Binary::Subtract, a, b) => {
                pull!(pull, *a, (g, _i) => g);
                pull!(pull, *b, (g, _i) => S::splat(0.0).sub(g));
            }
            Operation::Binary(Binary::Multiply, a, b) => {
                let (a_of, b_of) = (of(*a), of(*b));
                pull!(pull, *a, (g, i) => g.mul(b_of.get(i)));
                pull!(pull, *b, (g, i) => g.mul(a_of.get(i)));
            }
            Operation::Binary(Binary::Divide, a, b) => {
                let b_of = of(*b);
                pull!(pull, *a, (g, i) => g.div(b_of.get(i)));
                pull!(pull, *b, (g, i) => S::splat(0.0).sub(g.mul(out.get(i))).div(b_of.get(i)));
            }
            Operation::Binary(f, a, b) => {
                let slopes = |i: usize| f.slopes(of(*a).lane(i), of(*b).lane(i), out.lane(i));
                pull.add_lanes(*a, |i| slopes(i).0);
                pull.add_lanes(*b, |i| slopes(i).1);
            }
            Operation::Select(condition, yes, no) => {
                let chosen = |i: usize| of(*condition).lane(i) != 0.0;
                pull.add_lanes(*yes, |i| f64::from(u8::from(chosen(i))));
                pull.add_lanes(*no, |i| f64::from(u8::from(!chosen(i))));
            }
            Operation::Bin(..) => {}
            Operation::Gather(list, index) => {
                for (entry, source) in list.iter().enumerate() {
                    let here = |i: usize| of(*index).lane(i) as usize == entry;
                    pull.add_lanes(*source, |i| f64::from(u8::from(here(i))));
                }
            }
            Operation::Spline(table, a) => {
                pull.add_lanes(*a, |i| input.tables.splines[*table].at(of(*a).lane(i)).1);
            }
            Operation::Integral(index, sources) => {
                let operands: Vec<Operand> = sources.iter().map(|source| of(*source)).collect();
                let adjoint = flat(pull.adjoint);
                let slopes = input.tables.integrals[*index].column_slopes(input.tables, &operands, adjoint);
                for (source, slopes) in sources.iter().zip(&slopes) {
                    pull.add_lanes(*source, |i| slopes[i]);
                }
            }
        }
    }
}
