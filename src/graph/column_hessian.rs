//! Second derivatives of columns: what their operations pass on, and the steps run block by block.

use super::column::{BLOCK, ColumnProgram, Input, Operand, Operation, Source};
use super::pushes::{Derivatives, Factor, From, Partial, Pushes, Step, To};
use crate::expression::{Binary, Unary};
use crate::kernel::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat_mut};

/// The steps of a column program. Their nodes are the scalars, then the slots.
#[derive(Clone, Debug)]
pub(super) struct ColumnHessian {
    pushes: Pushes,
    /// The number of scalars.
    first_slot: usize,
}

/// Memory of the steps of column programs: pairs and computed numbers of one block, and the sums over all blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnRoom {
    pairs: Vec<Lanes>,
    computed: Vec<Lanes>,
    pub sums: Vec<f64>,
}

impl ColumnHessian {
    /// The steps of a program whose scalars change with parameters where `moving`; nothing where differences are
    /// cheaper, or where there is an integral for each event or a spline whose argument moves.
    pub fn compile(program: &ColumnProgram, moving: &[bool]) -> Option<ColumnHessian> {
        let first_slot = moving.len();
        let mut moves: Vec<bool> = moving.to_vec();
        let mut derivatives = Vec::new();
        for (slot, operation) in program.operations.iter().enumerate() {
            let node = |source: Source| match source {
                Source::Slot(slot) => Some(first_slot + slot),
                Source::Scalar(index) => Some(index),
                Source::Data(_) => None,
            };
            let of_operation = rule(operation, slot, |source| node(source).filter(|node| moves[*node]))?;
            moves.push(!of_operation.first.is_empty());
            if !of_operation.first.is_empty() {
                derivatives.push(Derivatives { node: first_slot + slot, ..of_operation });
            }
        }
        derivatives.reverse();
        let leaves = moving.iter().filter(|moving| **moving).count();
        Some(ColumnHessian { pushes: Pushes::compile(&derivatives, &[], leaves)?, first_slot })
    }

    /// As [`ColumnHessian::compile`], of an integrand. Nothing where it has a kink that moves: what the slope jumps by
    /// belongs to the second derivative of the integral, and no point of a quadrature sees it.
    pub fn compile_integrand(program: &ColumnProgram, moving: &[bool]) -> Option<ColumnHessian> {
        let mut depends = Vec::with_capacity(program.operations.len());
        for operation in &program.operations {
            let moves = |source: &Source| match source {
                Source::Slot(slot) => depends[*slot],
                Source::Scalar(index) => moving[*index],
                Source::Data(_) => false,
            };
            if jumps_by(operation).iter().any(moves) {
                return None;
            }
            depends.push(operation.sources().iter().any(moves));
        }
        ColumnHessian::compile(program, moving)
    }

    /// The two scalars of each sum.
    pub fn sums(&self) -> &[(usize, usize)] {
        &self.pushes.sums
    }

    /// Makes room, and the sums zero.
    pub fn begin(&self, room: &mut ColumnRoom) {
        for (memory, columns) in [(&mut room.pairs, self.pushes.pairs), (&mut room.computed, self.pushes.computed)] {
            memory.resize(memory.len().max(columns * BLOCK), ZERO);
        }
        room.sums.clear();
        room.sums.resize(self.pushes.sums.len(), 0.0);
    }

    /// Adds Σ adjoint · ∂² of the block whose slots and adjoints are filled to the sums.
    pub fn add_block(
        &self,
        backend: Backend,
        program: &ColumnProgram,
        input: &Input<'_>,
        slots: &[Lanes],
        adjoints: &[Lanes],
        room: &mut ColumnRoom,
    ) {
        push_block(backend, self, program, input, slots, adjoints, room);
    }
}

/// A partial derivative that is an operand or the result.
pub(super) fn value(source: Source) -> Partial {
    Partial::Factor(Factor::Value(source))
}

pub(super) fn computed(place: usize) -> Partial {
    Partial::Factor(Factor::Computed(place))
}

/// The operands by which the slope of an operation jumps.
fn jumps_by(operation: &Operation) -> Vec<Source> {
    match operation {
        Operation::Unary(Unary::Abs | Unary::Floor | Unary::Ceil | Unary::Not, a) => vec![*a],
        Operation::Unary(..) => Vec::new(),
        Operation::Binary(
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Power
            | Binary::Atan2
            | Binary::LogNormalMass,
            ..,
        ) => Vec::new(),
        Operation::Binary(_, a, b) => vec![*a, *b],
        Operation::Select(a, ..) | Operation::Bin(_, a) | Operation::Gather(_, a) => vec![*a],
        Operation::Spline(..) | Operation::Integral(..) => Vec::new(),
    }
}

/// The derivatives of an operation, by what it takes that depends on parameters. Nothing where they are not known.
fn rule(operation: &Operation, slot: usize, node: impl Fn(Source) -> Option<usize>) -> Option<Derivatives> {
    let result = value(Source::Slot(slot));
    let one = Partial::Number(1.0);
    let unary = |a: &Source, first: Partial, second: Option<Partial>, computed: usize| {
        let first: Vec<_> = node(*a).map(|a| (a, first)).into_iter().collect();
        let second = second.filter(|_| !first.is_empty()).map(|second| (0, 0, second)).into_iter().collect();
        Derivatives { first, second, computed, ..Derivatives::default() }
    };
    Some(match operation {
        Operation::Unary(Unary::Negative, a) => unary(a, Partial::Number(-1.0), None, 0),
        Operation::Unary(Unary::Exp, a) => unary(a, result, Some(result), 0),
        Operation::Unary(_, a) => unary(a, computed(0), Some(computed(1)), 2),
        // The third derivative jumps at the knots, which a quadrature of the second one does not see well.
        Operation::Spline(_, a) if node(*a).is_some() => return None,
        Operation::Spline(..) => Derivatives::default(),
        Operation::Binary(Binary::Add, a, b) => binary(node(*a), node(*b), [one, one], [None; 3], 0),
        Operation::Binary(Binary::Subtract, a, b) => {
            binary(node(*a), node(*b), [one, Partial::Number(-1.0)], [None; 3], 0)
        }
        Operation::Binary(Binary::Multiply, a, b) => {
            binary(node(*a), node(*b), [value(*b), value(*a)], [None, Some(one), None], 0)
        }
        Operation::Binary(Binary::Divide, a, b) => {
            let second = [None, Some(computed(3)), Some(computed(4))];
            binary(node(*a), node(*b), [computed(0), computed(1)], second, 5)
        }
        Operation::Binary(_, a, b) => {
            let second = [2, 3, 4].map(|place| Some(computed(place)));
            binary(node(*a), node(*b), [computed(0), computed(1)], second, 5)
        }
        Operation::Select(_, yes, no) => binary(node(*yes), node(*no), [computed(0), computed(1)], [None; 3], 2),
        Operation::Bin(..) => Derivatives::default(),
        Operation::Gather(list, _) => {
            let entries = list.iter().enumerate();
            let first: Vec<_> = entries.filter_map(|(i, source)| Some((node(*source)?, computed(i)))).collect();
            Derivatives { first, computed: list.len(), ..Derivatives::default() }
        }
        Operation::Integral(_, sources) if sources.iter().any(|source| node(*source).is_some()) => return None,
        Operation::Integral(..) => Derivatives::default(),
    })
}

/// Of two operands: the first derivatives, and the second ones to a twice, to both, to b twice.
pub(super) fn binary(
    a: Option<usize>,
    b: Option<usize>,
    first: [Partial; 2],
    second: [Option<Partial>; 3],
    computed: usize,
) -> Derivatives {
    let [to_a, to_b] = first;
    let [twice_a, both, twice_b] = second;
    let listed = |places: &[(usize, usize, Option<Partial>)]| {
        places.iter().filter_map(|(k, l, partial)| Some((*k, *l, (*partial)?))).collect()
    };
    let (first, second) = match (a, b) {
        (Some(a), Some(b)) => (vec![(a, to_a), (b, to_b)], listed(&[(0, 0, twice_a), (1, 0, both), (1, 1, twice_b)])),
        (Some(a), None) => (vec![(a, to_a)], listed(&[(0, 0, twice_a)])),
        (None, Some(b)) => (vec![(b, to_b)], listed(&[(0, 0, twice_b)])),
        (None, None) => (Vec::new(), Vec::new()),
    };
    let computed = if first.is_empty() { 0 } else { computed };
    Derivatives { first, second, computed, ..Derivatives::default() }
}

entry_point! {
    /// Runs the steps on one block.
    push_block = push_block_body(
        hessian: &ColumnHessian,
        program: &ColumnProgram,
        input: &Input<'_>,
        slots: &[Lanes],
        adjoints: &[Lanes],
        room: &mut ColumnRoom,
    )
}

/// Puts or adds `scale · Π columns · from`, group by group. What is zero passes nothing on, whatever it is multiplied with.
/// A macro, since intrinsics inside of a closure would be calls.
macro_rules! push {
    ($to:expr, $from:expr, ($x:ident, $i:ident) => $term:expr) => {{
        let (zero, least) = (S::splat(0.0), S::splat(f64::MIN_POSITIVE));
        match $to {
            Target::New(to) => {
                for ($i, (to, from)) in to.iter_mut().zip($from).enumerate() {
                    let $x = S::load(from);
                    let term: S = $x.abs().select_less(least, zero, $term);
                    term.store(to);
                }
            }
            Target::Column(to) => {
                for ($i, (to, from)) in to.iter_mut().zip($from).enumerate() {
                    let $x = S::load(from);
                    let term: S = $x.abs().select_less(least, zero, $term);
                    S::load(to).add(term).store(to);
                }
            }
            Target::Sum(to) => {
                let mut sum = zero;
                for ($i, from) in $from.iter().enumerate() {
                    let $x = S::load(from);
                    sum = sum.add($x.abs().select_less(least, zero, $term));
                }
                *to += sum.sum();
            }
        }
    }};
}

/// What a push adds to.
enum Target<'a> {
    New(&'a mut [Lanes]),
    Column(&'a mut [Lanes]),
    Sum(&'a mut f64),
}

/// Two pairs, one to write and another one to read.
#[inline(always)]
fn two(pairs: &mut [Lanes], to: usize, from: usize, groups: usize) -> (&mut [Lanes], &[Lanes]) {
    let (before, behind) = pairs.split_at_mut(to.max(from) * groups);
    if to < from {
        (&mut before[to * groups..][..groups], &behind[..groups])
    } else {
        (&mut behind[..groups], &before[from * groups..][..groups])
    }
}

#[inline(always)]
fn push_block_body<S: Simd>(
    hessian: &ColumnHessian,
    program: &ColumnProgram,
    input: &Input<'_>,
    slots: &[Lanes],
    adjoints: &[Lanes],
    room: &mut ColumnRoom,
) {
    let groups = input.groups;
    for step in &hessian.pushes.steps {
        let push = match step {
            Step::Compute(node) => {
                compute::<S>(program, node - hessian.first_slot, input, slots, &mut room.computed);
                continue;
            }
            Step::Push(push) => push,
        };
        let ColumnRoom { pairs, computed, sums } = room;
        let adjoint = |node: usize| &adjoints[(node - hessian.first_slot) * groups..][..groups];
        let (target, from) = match (push.to, push.from) {
            (To::Sum(index), From::Adjoint(node)) => (Target::Sum(&mut sums[index]), adjoint(node)),
            (To::Sum(index), From::Pair(pair)) => (Target::Sum(&mut sums[index]), &pairs[pair * groups..][..groups]),
            (To::New(to), From::Adjoint(node)) => (Target::New(&mut pairs[to * groups..][..groups]), adjoint(node)),
            (To::Pair(to), From::Adjoint(node)) => (Target::Column(&mut pairs[to * groups..][..groups]), adjoint(node)),
            (To::New(to), From::Pair(pair)) => {
                let (to, from) = two(pairs, to, pair, groups);
                (Target::New(to), from)
            }
            (To::Pair(to), From::Pair(pair)) => {
                let (to, from) = two(pairs, to, pair, groups);
                (Target::Column(to), from)
            }
        };
        let (mut scale, mut columns): (f64, [Option<&[Lanes]>; 2]) = (push.scale, [None; 2]);
        for factor in push.factors.iter().flatten() {
            let operand = match factor {
                Factor::Value(source) => input.operand(*source, slots),
                Factor::Computed(place) => Operand::Column(&computed[place * groups..][..groups]),
            };
            match operand {
                Operand::Value(value) => scale *= value,
                Operand::Column(column) => columns[usize::from(columns[0].is_some())] = Some(column),
            }
        }
        let scale = S::splat(scale);
        match columns {
            [Some(a), Some(b)] => {
                push!(target, from, (x, i) => x.mul(scale).mul(S::load(&a[i])).mul(S::load(&b[i])));
            }
            [Some(a), None] => push!(target, from, (x, i) => x.mul(scale).mul(S::load(&a[i]))),
            _ => push!(target, from, (x, _i) => x.mul(scale)),
        }
    }
}

/// The derivatives of an operation that are no values of others, in the order in which [`rule`] counts them.
#[inline(always)]
fn compute<S: Simd>(program: &ColumnProgram, slot: usize, input: &Input<'_>, slots: &[Lanes], to: &mut [Lanes]) {
    let groups = input.groups;
    let of = |source: &Source| input.operand(*source, slots);
    let out = Operand::Column(&slots[slot * groups..][..groups]);
    match &program.operations[slot] {
        Operation::Unary(Unary::Log, a) => {
            let (a, (first, second)) = (of(a), to.split_at_mut(groups));
            for (i, (first, second)) in first.iter_mut().zip(second).enumerate().take(groups) {
                let inverse = S::splat(1.0).div(a.get::<S>(i));
                inverse.store(first);
                S::splat(0.0).sub(inverse.mul(inverse)).store(second);
            }
        }
        Operation::Binary(Binary::Divide, _, b) => {
            let b = of(b);
            for i in 0..groups {
                let (inverse, ratio) = (S::splat(1.0).div(b.get::<S>(i)), out.get::<S>(i));
                let to_b = S::splat(0.0).sub(ratio.mul(inverse));
                let both = S::splat(0.0).sub(inverse.mul(inverse));
                let twice_b = S::splat(-2.0).mul(to_b.mul(inverse));
                inverse.store(&mut to[i]);
                to_b.store(&mut to[groups + i]);
                both.store(&mut to[3 * groups + i]);
                twice_b.store(&mut to[4 * groups + i]);
            }
        }
        Operation::Unary(f, a) => {
            let a = of(a);
            fill(to, groups, |i| [f.slope(a.lane(i), out.lane(i)), f.bend(a.lane(i), out.lane(i))]);
        }
        Operation::Binary(f, a, b) => {
            let (a, b) = (of(a), of(b));
            fill(to, groups, |i| {
                let (to_a, to_b) = f.slopes(a.lane(i), b.lane(i), out.lane(i));
                let [twice_a, both, twice_b] = f.bends(a.lane(i), b.lane(i), out.lane(i));
                [to_a, to_b, twice_a, both, twice_b]
            });
        }
        Operation::Select(condition, ..) => {
            let condition = of(condition);
            fill(to, groups, |i| if condition.lane(i) != 0.0 { [1.0, 0.0] } else { [0.0, 1.0] });
        }
        Operation::Gather(list, index) => {
            let index = of(index);
            for entry in 0..list.len() {
                let here = |i: usize| index.lane(i) as usize == entry;
                fill(&mut to[entry * groups..], groups, |i| [f64::from(u8::from(here(i)))]);
            }
        }
        Operation::Bin(..) | Operation::Spline(..) | Operation::Integral(..) => {}
    }
}

/// Several numbers of each event into columns one after the other.
#[inline(always)]
fn fill<const N: usize>(to: &mut [Lanes], groups: usize, of: impl Fn(usize) -> [f64; N]) {
    for i in 0..8 * groups {
        for (k, x) in of(i).into_iter().enumerate() {
            flat_mut(&mut to[k * groups..])[i] = x;
        }
    }
}
