//! From nodes to lists of operations: which scalars and columns are needed, and in which order.

use super::builder::{Builder, Id, Integral, Node};
use super::column::{BLOCK, ColumnProgram, Input, Operation, Source, Tables, forward};
use super::quadrature::Quadrature;
use super::scalar::Scalar;
use crate::expression::{Binary, Unary};
use crate::kernel::simd::{Lanes, ZERO};
use std::collections::{BTreeMap, BTreeSet};

/// More breaks of an integrand are none: cells would be far more than its accuracy needs.
const MOST_BREAKS: usize = 1000;
const MOST_MOVING: usize = 16;

/// Which scalars are needed.
pub(super) struct Compiler<'b> {
    pub builder: &'b Builder,
    pub scalars: BTreeSet<Id>,
}

impl Compiler<'_> {
    /// A scalar and all that it is made of.
    pub fn need(&mut self, id: Id) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.builder.is_column(id) || self.scalars.insert(id) {
                open.extend(self.builder.operands(id));
            }
        }
    }

    pub fn need_of_column(&mut self, id: Id) {
        column_inputs(self.builder, id).into_iter().for_each(|input| self.need(input));
    }
}

/// The integrals that nodes need, also inside of one another; ascending.
pub(super) fn used_integrals(builder: &Builder, nodes: impl Iterator<Item = Id>) -> Vec<usize> {
    let (mut seen, mut used, mut open) = (BTreeSet::new(), BTreeSet::new(), nodes.collect::<Vec<Id>>());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(builder.operands(id));
            if let Node::Integral(index) = builder.nodes[id] {
                used.insert(index);
                open.push(builder.integrals[index].integrand);
            }
        }
    }
    used.into_iter().collect()
}

/// All columns that make up a column, itself included.
fn column_nodes(builder: &Builder, root: Id) -> BTreeSet<Id> {
    let (mut found, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if builder.is_column(id) && found.insert(id) {
            open.extend(builder.operands(id));
        }
    }
    found
}

/// The scalars that the columns of a column use.
fn column_inputs(builder: &Builder, root: Id) -> Vec<Id> {
    if !builder.is_column(root) {
        return vec![root];
    }
    let operands = |id: Id| builder.operands(id);
    let all: BTreeSet<Id> = column_nodes(builder, root).into_iter().flat_map(operands).collect();
    all.into_iter().filter(|id| !builder.is_column(*id)).collect()
}

/// The program of an integrand; the inputs of the integral are its only scalars.
pub(super) fn quadrature(builder: &Builder, integral: &Integral) -> Quadrature {
    let order: BTreeMap<Id, usize> = integral.inputs.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let names: Vec<usize> = integral.over.iter().map(|(observable, ..)| *observable).collect();
    let program = columns(builder, integral.integrand, &order, &names);
    let ranges = integral.over.iter().map(|(_, low, high)| (*low, *high)).collect();
    let (breaks, moving) = (breaks(builder, &program), moving_breaks(&program));
    Quadrature::new(program, names, ranges, breaks, moving)
}

/// The edges of the bins that the first variate itself is looked up in, ascending; none where they are many.
fn breaks(builder: &Builder, program: &ColumnProgram) -> Vec<f64> {
    let edges = |operation: &Operation| match operation {
        Operation::Bin(table, Source::Data(0)) => builder.edges.get(*table).cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut all: Vec<f64> = program.operations.iter().flat_map(edges).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    if all.len() > MOST_BREAKS { Vec::new() } else { all }
}

fn is_comparison(f: Binary) -> bool {
    matches!(f, Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual)
}

/// The scalars that the first variate is compared with, or from which its distance is taken.
fn moving_breaks(program: &ColumnProgram) -> Vec<usize> {
    let compared = |a: Source, b: Source| match (a, b) {
        (Source::Data(0), Source::Scalar(scalar)) | (Source::Scalar(scalar), Source::Data(0)) => Some(scalar),
        _ => None,
    };
    // The difference to a scalar, or a multiple of it by a scalar.
    let difference = |mut source: Source| loop {
        let Source::Slot(slot) = source else { return None };
        match program.operations[slot] {
            Operation::Binary(Binary::Subtract, a, b) => return compared(a, b),
            Operation::Binary(Binary::Multiply | Binary::Divide, a, Source::Scalar(_)) => source = a,
            Operation::Binary(Binary::Multiply, Source::Scalar(_), a) => source = a,
            _ => return None,
        }
    };
    let of = |operation: &Operation| match *operation {
        Operation::Binary(f, a, b) if is_comparison(f) => compared(a, b),
        Operation::Unary(Unary::Abs, a) => difference(a),
        _ => None,
    };
    let mut all: Vec<usize> = program.operations.iter().filter_map(of).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > MOST_MOVING { Vec::new() } else { all }
}

pub(super) fn scalar(builder: &Builder, id: Id, order: &BTreeMap<Id, usize>) -> Scalar {
    let at = |id: &Id| order[id];
    match &builder.nodes[id] {
        Node::Constant(bits) => Scalar::Constant(f64::from_bits(*bits)),
        Node::Parameter(index) => Scalar::Parameter(*index),
        // No scalar is an observable.
        Node::Observable(_) => Scalar::Constant(f64::NAN),
        Node::Unary(f, a) => Scalar::Unary(*f, at(a)),
        Node::Binary(f, a, b) => Scalar::Binary(*f, at(a), at(b)),
        Node::Select(condition, yes, no) => Scalar::Select(at(condition), at(yes), at(no)),
        Node::Bin(table, a) => Scalar::Bin(*table, at(a)),
        Node::Gather(list, index) => Scalar::Gather(list.iter().map(at).collect(), at(index)),
        Node::Spline(table, a) => Scalar::Spline(*table, at(a)),
        Node::Integral(index) => Scalar::Integral(*index),
    }
}

/// A program over the observables of `names`, in that order its columns of data.
fn columns(builder: &Builder, root: Id, order: &BTreeMap<Id, usize>, names: &[usize]) -> ColumnProgram {
    program_of(builder, root, order, names, &[])
}

/// As [`columns`], with columns that no parameter changes as further data; they are returned.
pub(super) fn with_fixed(
    builder: &Builder,
    root: Id,
    order: &BTreeMap<Id, usize>,
    names: &[usize],
) -> (ColumnProgram, Vec<Id>) {
    let all = column_nodes(builder, root);
    let is_fixed = |id: Id| {
        builder.is_column(id) && !builder.needs_parameters(id) && !matches!(builder.nodes[id], Node::Observable(_))
    };
    let used = all.iter().filter(|id| !is_fixed(**id)).flat_map(|id| builder.operands(*id));
    let frontier: BTreeSet<Id> = used.chain([root]).filter(|id| is_fixed(*id)).collect();
    let fixed: Vec<Id> = frontier.into_iter().collect();
    (program_of(builder, root, order, names, &fixed), fixed)
}

fn program_of(
    builder: &Builder,
    root: Id,
    order: &BTreeMap<Id, usize>,
    names: &[usize],
    fixed: &[Id],
) -> ColumnProgram {
    let mut slots: BTreeMap<Id, usize> = BTreeMap::new();
    let mut operations: Vec<Operation> = Vec::new();
    let data_of = |id: Id| match &builder.nodes[id] {
        Node::Observable(observable) => names.iter().position(|name| name == observable),
        _ => fixed.iter().position(|f| *f == id).map(|at| names.len() + at),
    };
    let needed = reachable(builder, root, names, fixed);
    for id in needed.iter().copied().filter(|id| data_of(*id).is_none()) {
        let source = |id: &Id| match (data_of(*id), slots.get(id)) {
            (Some(column), _) => Source::Data(column),
            (None, Some(slot)) => Source::Slot(*slot),
            (None, None) => Source::Scalar(order.get(id).copied().unwrap_or(0)),
        };
        let operation = match &builder.nodes[id] {
            Node::Unary(f, a) => Operation::Unary(*f, source(a)),
            Node::Binary(f, a, b) => Operation::Binary(*f, source(a), source(b)),
            Node::Select(condition, yes, no) => Operation::Select(source(condition), source(yes), source(no)),
            Node::Bin(table, a) => Operation::Bin(*table, source(a)),
            Node::Gather(list, index) => Operation::Gather(list.iter().map(source).collect(), source(index)),
            Node::Spline(table, a) => Operation::Spline(*table, source(a)),
            Node::Integral(index) => {
                Operation::Integral(*index, builder.integrals[*index].inputs.iter().map(source).collect())
            }
            Node::Constant(_) | Node::Parameter(_) | Node::Observable(_) => continue,
        };
        slots.insert(id, operations.len());
        operations.push(operation);
    }
    // A result that is data or a scalar needs a slot of its own.
    let output = slots.get(&root).copied().unwrap_or_else(|| {
        let source = match data_of(root) {
            Some(column) => Source::Data(column),
            None => Source::Scalar(order.get(&root).copied().unwrap_or(0)),
        };
        operations.push(Operation::Select(source, source, source));
        operations.len() - 1
    });
    ColumnProgram { operations, output }
}

/// The columns that a program computes: none below a fixed one.
fn reachable(builder: &Builder, root: Id, names: &[usize], fixed: &[Id]) -> BTreeSet<Id> {
    let (mut found, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if builder.depends_on(id, names) && !fixed.contains(&id) && found.insert(id) {
            open.extend(builder.operands(id));
        }
    }
    found
}

/// A column that no parameter changes, for all events.
#[allow(clippy::too_many_arguments)]
pub(super) fn fixed_column(
    builder: &Builder,
    id: Id,
    order: &BTreeMap<Id, usize>,
    names: &[usize],
    data: &[Vec<Lanes>],
    tables: &Tables,
    groups: usize,
) -> Vec<Lanes> {
    // Its scalars are constants; they have the places that the evaluation gives them.
    let mut scalars = vec![0.0; order.len()];
    for input in column_inputs(builder, id) {
        if let (Some(at), Some(number)) = (order.get(&input), builder.number(input)) {
            scalars[*at] = number;
        }
    }
    let program = columns(builder, id, order, names);
    let mut slots = vec![ZERO; program.operations.len() * BLOCK];
    let mut column = Vec::with_capacity(groups);
    for start in (0..groups).step_by(BLOCK) {
        let count = BLOCK.min(groups - start);
        let input = Input { data, start, groups: count, scalars: &scalars, tables };
        forward(tables.backend, &program, &input, &mut slots);
        column.extend_from_slice(&slots[program.output * count..][..count]);
    }
    column
}
