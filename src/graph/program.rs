//! Programs: the scalars in one list, each column over its events in a list of its own.

use super::builder::{Builder, Id};
use super::column::{BLOCK, ColumnProgram, Input, Tables, backward, forward};
use super::column_hessian::{ColumnHessian, ColumnRoom};
use super::compile::{Compiler, fixed_column, quadrature, scalar, used_integrals, with_fixed};
use super::hessian::{HessianRoom, ProgramHessian};
use super::quadrature::{Cell, Run, Work};
use super::scalar::{self, Scalar};
use crate::kernel::simd::{Backend, Lanes, ZERO, flat, flat_mut};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// A column whose weighted sum counts, before it is compiled.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub column: Id,
    /// By observable; each as long as the weights.
    pub data: BTreeMap<usize, Vec<f64>>,
    pub weights: Vec<f64>,
}

/// The negative logarithm of a likelihood as flat lists.
#[derive(Clone, Debug)]
pub(super) struct Program {
    scalars: Vec<Scalar>,
    /// The scalars that integrals take, by integral; nothing for integrals that are columns, or that nothing needs.
    pub(super) integral_inputs: Vec<Option<Vec<usize>>>,
    /// Which scalar is an integral's value, by integral.
    integral_at: Vec<usize>,
    pub(super) terms: Vec<Term>,
    /// The scalars that are asked for. The first is added to the sums.
    outputs: Vec<usize>,
    pub(super) tables: Tables,
    slots: usize,
    pub(super) backend: Backend,
    /// What the integrals are called in the graph.
    pub(super) integral_names: Vec<usize>,
    /// Made when it is first asked for; nothing where differences of the gradient have to do.
    hessian: OnceLock<Option<Arc<ProgramHessian>>>,
}

/// −Σ w f over the events of one set of data.
#[derive(Clone, Debug)]
pub(super) struct Term {
    program: ColumnProgram,
    /// What the first columns of the data are called.
    pub observables: Vec<usize>,
    pub data: Vec<Vec<Lanes>>,
    weights: Vec<Lanes>,
}

/// Memory of one evaluation at a time.
#[derive(Clone, Debug)]
pub struct Scratch {
    scalars: Vec<f64>,
    scalar_adjoints: Vec<f64>,
    pub(super) slots: Vec<Lanes>,
    adjoints: Vec<Lanes>,
    pub(super) integrals: Vec<Known>,
    pub(super) work: Work,
    /// Once second derivatives are asked for.
    hessian: Option<Box<HessianRoom>>,
    /// The sums of the terms of the last evaluation.
    pub(super) sums: Vec<f64>,
}

/// An integral as it was last computed: as long as what it is made of stays, it stays.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub inputs: Vec<f64>,
    pub value: f64,
    /// The derivatives to the inputs, once they are asked for.
    slopes: Vec<f64>,
    has_slopes: bool,
    /// The second derivatives, as slopes.
    bends: Vec<f64>,
    has_bends: bool,
    pub cells: Vec<Cell>,
}

impl Program {
    /// Compiles the first output − Σ over all sums, and the other outputs.
    pub fn compile(builder: &Builder, outputs: &[Id], sums: &[Sum]) -> Program {
        let mut compiler = Compiler { builder, scalars: BTreeSet::new() };
        outputs.iter().for_each(|output| compiler.need(*output));
        sums.iter().for_each(|sum| compiler.need_of_column(sum.column));
        let order: BTreeMap<Id, usize> = compiler.scalars.iter().enumerate().map(|(i, id)| (*id, i)).collect();
        let mut scalars: Vec<Scalar> = order.keys().map(|id| scalar(builder, *id, &order)).collect();
        let backend = Backend::detect();
        // Integrals of other programs are left out.
        let used = used_integrals(builder, outputs.iter().copied().chain(sums.iter().map(|sum| sum.column)));
        let mut tables = Tables {
            edges: builder.edges.clone(),
            splines: builder.splines.clone(),
            integrals: used.iter().map(|index| quadrature(builder, &builder.integrals[*index])).collect(),
            backend,
        };
        let place = |index: &mut usize| *index = used.binary_search(index).unwrap_or(usize::MAX);
        for scalar in &mut scalars {
            if let Scalar::Integral(index) = scalar {
                place(index);
            }
        }
        tables.integrals.iter_mut().for_each(|integral| integral.program.place_integrals(place));
        let mut integral_inputs = vec![None; tables.integrals.len()];
        let mut integral_at = vec![0; tables.integrals.len()];
        for (at, each) in scalars.iter().enumerate() {
            if let Scalar::Integral(i) = each {
                integral_at[*i] = at;
                integral_inputs[*i] = Some(builder.integrals[used[*i]].inputs.iter().map(|id| order[id]).collect());
            }
        }
        let outputs = outputs.iter().map(|id| order[id]).collect();
        let terms: Vec<Term> = sums.iter().map(|sum| Term::compile(builder, sum, &order, &tables, place)).collect();
        let lengths = terms.iter().map(|t| &t.program).chain(tables.integrals.iter().map(|i| &i.program));
        let slots = lengths.map(|program| program.operations.len()).max().unwrap_or(0);
        let (integral_names, hessian) = (used, OnceLock::new());
        Program {
            scalars,
            integral_inputs,
            integral_at,
            terms,
            outputs,
            tables,
            slots,
            backend,
            integral_names,
            hessian,
        }
    }

    /// Whether an integral depends on no parameter.
    pub(super) fn is_of_numbers(&self, integral: usize) -> bool {
        let mut inputs = self.integral_inputs[integral].iter().flatten();
        inputs.all(|place| matches!(self.scalars[*place], Scalar::Constant(_)))
    }

    fn second(&self) -> Option<&ProgramHessian> {
        let compile = || {
            let terms = self.terms.iter().map(|term| &term.program);
            ProgramHessian::compile(&self.scalars, &self.integral_inputs, &self.tables, terms, &self.parameters())
        };
        self.hessian.get_or_init(|| compile().map(Arc::new)).as_deref()
    }

    /// Takes the steps to second derivatives over from a program of the same operations with other data.
    pub fn with_steps_of(self, other: &Program) -> Program {
        let same = self.scalars.len() == other.scalars.len()
            && self.scalars.iter().zip(&other.scalars).all(|(own, other)| own.same_operation(other))
            && self.tables.same_integrals(&other.tables)
            && self.terms.iter().map(|t| &t.program).eq(other.terms.iter().map(|t| &t.program));
        if same { Program { hessian: other.hessian.clone(), ..self } } else { self }
    }

    pub fn scratch(&self) -> Scratch {
        Scratch {
            scalars: vec![0.0; self.scalars.len()],
            scalar_adjoints: vec![0.0; self.scalars.len()],
            slots: vec![ZERO; self.slots * BLOCK],
            adjoints: vec![ZERO; self.slots * BLOCK],
            integrals: self.integral_inputs.iter().map(|inputs| Known::nothing(inputs.as_deref())).collect(),
            work: Work::default(),
            hessian: None,
            sums: vec![0.0; self.terms.len()],
        }
    }

    /// The parameters on which it depends, ascending.
    pub fn parameters(&self) -> Vec<usize> {
        let index = |scalar: &Scalar| if let Scalar::Parameter(index) = scalar { Some(*index) } else { None };
        let all: BTreeSet<usize> = self.scalars.iter().filter_map(index).collect();
        all.into_iter().collect()
    }

    pub fn value(&self, theta: &[f64], scratch: &mut Scratch) -> f64 {
        self.forward_scalars(theta, scratch);
        for (i, term) in self.terms.iter().enumerate() {
            scratch.sums[i] = term.run(self, scratch, false, None);
        }
        self.rest(scratch) + scratch.sums.iter().sum::<f64>()
    }

    /// The scalar that is added to the sums.
    fn rest(&self, scratch: &Scratch) -> f64 {
        self.outputs.first().map_or(0.0, |rest| scratch.scalars[*rest])
    }

    /// The scalars that are asked for.
    pub fn outputs(&self, theta: &[f64], values: &mut [f64], scratch: &mut Scratch) {
        self.forward_scalars(theta, scratch);
        values.iter_mut().zip(&self.outputs).for_each(|(value, at)| *value = scratch.scalars[*at]);
    }

    /// The column of the first sum, event by event.
    pub fn column(&self, theta: &[f64], scratch: &mut Scratch) -> Vec<f64> {
        self.forward_scalars(theta, scratch);
        let Some(term) = self.terms.first() else { return Vec::new() };
        let mut column = Vec::with_capacity(8 * term.weights.len());
        for start in (0..term.weights.len()).step_by(BLOCK) {
            let count = BLOCK.min(term.weights.len() - start);
            let (scalars, tables) = (&scratch.scalars, &self.tables);
            let input = Input { data: &term.data, start, groups: count, scalars, tables };
            forward(self.backend, &term.program, &input, &mut scratch.slots);
            column.extend_from_slice(flat(&scratch.slots[term.program.output * count..][..count]));
        }
        column
    }

    /// Adds Σ adjoint · ∂output/∂parameter to the gradient, at the point of the last forward pass.
    pub fn pull_back(&self, adjoints: &[f64], gradient: &mut [f64], scratch: &mut Scratch) {
        scratch.scalar_adjoints.fill(0.0);
        self.outputs.iter().zip(adjoints).for_each(|(at, adjoint)| scratch.scalar_adjoints[*at] += adjoint);
        self.backward_scalars(gradient, scratch, None);
    }

    /// The gradient is written over.
    pub fn value_and_gradient(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut Scratch) -> f64 {
        self.derivatives(theta, gradient, scratch, None)
    }

    /// Whether [`Program::hessian`] knows the second derivatives.
    pub fn has_hessian(&self) -> bool {
        self.second().is_some()
    }

    /// As [`Program::value_and_gradient`], with the second derivatives to [`Program::parameters`] in `square` (row-major);
    /// without them where they are not known.
    pub fn hessian(&self, theta: &[f64], gradient: &mut [f64], square: &mut [f64], scratch: &mut Scratch) -> f64 {
        let Some(hessian) = self.second() else { return self.value_and_gradient(theta, gradient, scratch) };
        let mut room = scratch.hessian.take().unwrap_or_default();
        room.given.clear();
        let value = self.derivatives(theta, gradient, scratch, Some((hessian, &mut room)));
        let Scratch { scalars, scalar_adjoints, integrals, .. } = &*scratch;
        let HessianRoom { scalars: own, given, .. } = &mut *room;
        let at = (&scalars[..], &scalar_adjoints[..]);
        let sums = hessian.scalars.run(&self.scalars, at, &self.tables, given, own, |index, to| {
            let Known { slopes, bends, .. } = &integrals[index];
            to.iter_mut().zip(slopes.iter().chain(bends)).for_each(|(to, x)| *to = *x);
        });
        let n = hessian.n_parameters;
        square.fill(0.0);
        for ((a, b), x) in hessian.places.iter().zip(sums) {
            square[a * n + b] += x;
            if a != b {
                square[b * n + a] += x;
            }
        }
        scratch.hessian = Some(room);
        value
    }

    /// The value, the gradient, and what a Hessian needs of the terms and the integrals.
    fn derivatives(
        &self,
        theta: &[f64],
        gradient: &mut [f64],
        scratch: &mut Scratch,
        mut second: Option<(&ProgramHessian, &mut HessianRoom)>,
    ) -> f64 {
        self.forward_scalars(theta, scratch);
        scratch.scalar_adjoints.fill(0.0);
        for (i, term) in self.terms.iter().enumerate() {
            scratch.sums[i] = match &mut second {
                None => term.run(self, scratch, true, None),
                Some((hessian, HessianRoom { columns, given, .. })) => {
                    let hessian = &hessian.terms[i];
                    hessian.begin(columns);
                    let sum = term.run(self, scratch, true, Some((hessian, columns)));
                    given.extend_from_slice(&columns.sums);
                    sum
                }
            };
        }
        gradient.fill(0.0);
        if let Some(rest) = self.outputs.first() {
            scratch.scalar_adjoints[*rest] += 1.0;
        }
        self.backward_scalars(gradient, scratch, second.map(|(hessian, room)| (hessian, &mut room.columns)));
        self.rest(scratch) + scratch.sums.iter().sum::<f64>()
    }

    fn forward_scalars(&self, theta: &[f64], scratch: &mut Scratch) {
        let Scratch { scalars, slots, integrals, work, .. } = scratch;
        for (i, each) in self.scalars.iter().enumerate() {
            let (done, rest) = scalars.split_at_mut(i);
            rest[0] = match each {
                Scalar::Integral(integral) => self.integral(*integral, done, slots, work, &mut integrals[*integral]),
                _ => scalar::value(each, theta, done, &self.tables),
            };
        }
    }

    fn integral(&self, index: usize, done: &[f64], slots: &mut [Lanes], work: &mut Work, known: &mut Known) -> f64 {
        let Some(places) = &self.integral_inputs[index] else { return f64::NAN };
        let mut same = !known.value.is_nan();
        for (input, place) in known.inputs.iter_mut().zip(places) {
            same &= *input == done[*place];
            *input = done[*place];
        }
        if !same {
            let mut run = Run { backend: self.backend, tables: &self.tables, scalars: &known.inputs, slots };
            known.value = self.tables.integrals[index].value(&mut run, work, &mut known.cells);
            (known.has_slopes, known.has_bends) = (false, false);
        }
        known.value
    }

    fn backward_scalars(
        &self,
        gradient: &mut [f64],
        scratch: &mut Scratch,
        mut second: Option<(&ProgramHessian, &mut ColumnRoom)>,
    ) {
        let Scratch { scalars, scalar_adjoints, slots, adjoints, integrals, work, .. } = scratch;
        for (i, each) in self.scalars.iter().enumerate().rev() {
            match each {
                Scalar::Integral(index) if scalar_adjoints[i] != 0.0 || second.is_some() => {
                    let known = &mut integrals[*index];
                    let hessian = second.as_mut().and_then(|(all, room)| Some((all.integrals[*index].as_ref()?, room)));
                    if !known.has_slopes || (hessian.is_some() && !known.has_bends) {
                        let hessian = hessian.map(|(hessian, room)| (hessian, &mut **room));
                        self.slopes(*index, known, slots, adjoints, work, hessian);
                    }
                    let adjoint = scalar_adjoints[i];
                    let places = self.integral_inputs[*index].iter().flatten();
                    for (place, slope) in places.zip(&known.slopes) {
                        scalar_adjoints[*place] += adjoint * slope;
                    }
                }
                _ => scalar::pull(each, i, scalars, scalar_adjoints, gradient, &self.tables),
            }
        }
    }

    /// The derivatives of an integral to its inputs, and with a Hessian the second ones.
    fn slopes(
        &self,
        index: usize,
        known: &mut Known,
        slots: &mut [Lanes],
        adjoints: &mut [Lanes],
        work: &mut Work,
        mut second: Option<(&ColumnHessian, &mut ColumnRoom)>,
    ) {
        if let Some((hessian, room)) = &mut second {
            hessian.begin(room);
        }
        let Known { inputs, slopes, cells, .. } = &mut *known;
        slopes.fill(0.0);
        let mut run = Run { backend: self.backend, tables: &self.tables, scalars: inputs, slots };
        let lent = second.as_mut().map(|(hessian, room)| (*hessian, &mut **room));
        self.tables.integrals[index].pull(&mut run, adjoints, work, cells, slopes, lent);
        known.has_slopes = true;
        if let Some((_, room)) = second {
            known.bends.clone_from(&room.sums);
            known.has_bends = true;
        }
    }

    /// Whether an integral of the last evaluation did not converge, or is zero.
    pub fn integral_failed(&self, scratch: &Scratch) -> bool {
        self.integral_at
            .iter()
            .zip(&self.integral_inputs)
            .any(|(at, inputs)| inputs.is_some() && !(scratch.scalars[*at].is_finite() && scratch.scalars[*at] != 0.0))
    }

    /// Whether the scalar part of the last evaluation is finite.
    pub fn rest_is_finite(&self, scratch: &Scratch) -> bool {
        self.rest(scratch).is_finite()
    }
}

impl Known {
    fn nothing(inputs: Option<&[usize]>) -> Known {
        let count = inputs.map_or(0, <[usize]>::len);
        let cells = if inputs.is_some() { Vec::with_capacity(32) } else { Vec::new() };
        let zeros = vec![0.0; count];
        Known {
            inputs: zeros.clone(),
            value: f64::NAN,
            slopes: zeros,
            has_slopes: false,
            bends: Vec::new(),
            has_bends: false,
            cells,
        }
    }
}

impl Term {
    fn compile(
        builder: &Builder,
        sum: &Sum,
        order: &BTreeMap<Id, usize>,
        tables: &Tables,
        place: impl Fn(&mut usize),
    ) -> Term {
        let groups = sum.weights.len().div_ceil(8);
        // Lanes beyond the last event repeat it, with weight zero.
        let padded = |numbers: &[f64], beyond: f64| {
            let mut lanes = vec![ZERO; groups];
            flat_mut(&mut lanes)
                .iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = numbers.get(i).copied().unwrap_or(beyond));
            lanes
        };
        let last = |numbers: &[f64]| numbers.last().copied().unwrap_or(0.0);
        let (names, columns_of): (Vec<usize>, Vec<Vec<Lanes>>) =
            sum.data.iter().map(|(name, numbers)| (*name, padded(numbers, last(numbers)))).unzip();
        let (mut program, fixed) = with_fixed(builder, sum.column, order, &names);
        program.place_integrals(place);
        let mut data = columns_of;
        for id in fixed {
            let column = fixed_column(builder, id, order, &names, &data, tables, groups);
            data.push(column);
        }
        Term { program, observables: names, data, weights: padded(&sum.weights, 0.0) }
    }

    /// −Σ w f; with derivatives, its adjoints are added to those of the scalars, and the second ones to the sums of
    /// `second`.
    fn run(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        derivatives: bool,
        mut second: Option<(&ColumnHessian, &mut ColumnRoom)>,
    ) -> f64 {
        let mut total = 0.0;
        let groups = self.weights.len();
        for start in (0..groups).step_by(BLOCK) {
            let count = BLOCK.min(groups - start);
            let (scalars, tables) = (&scratch.scalars, &program.tables);
            let input = Input { data: &self.data, start, groups: count, scalars, tables };
            forward(program.backend, &self.program, &input, &mut scratch.slots);
            let output = self.program.output * count;
            let weights = flat(&self.weights[start..][..count]);
            let values = flat(&scratch.slots[output..][..count]);
            // An event of weight zero counts for nothing, wherever it lies.
            total -= weights.iter().zip(values).map(|(w, f)| if *w == 0.0 { 0.0 } else { w * f }).sum::<f64>();
            if derivatives {
                scratch.adjoints[..self.program.operations.len() * count].fill(ZERO);
                let adjoint = flat_mut(&mut scratch.adjoints[output..][..count]);
                adjoint.iter_mut().zip(weights).for_each(|(adjoint, weight)| *adjoint = -weight);
                let (slots, adjoints) = (&scratch.slots, &mut scratch.adjoints);
                backward(program.backend, &self.program, &input, slots, adjoints, &mut scratch.scalar_adjoints);
                if let Some((hessian, room)) = &mut second {
                    hessian.add_block(program.backend, &self.program, &input, slots, adjoints, room);
                }
            }
        }
        total
    }
}
