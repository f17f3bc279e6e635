//! Second derivatives of numbers that depend on parameters alone.

use super::column::{Source, Tables};
use super::column_hessian::{binary, computed, value};
use super::pushes::{Derivatives, Factor, From, Partial, Pushes, Step, To};
use super::scalar::Scalar;
use crate::expression::{Binary, Unary};

/// The steps of the scalars, all over one memory: values, adjoints, 1, computed numbers, pairs, sums.
#[derive(Clone, Debug)]
pub(super) struct ScalarHessian {
    steps: Vec<ScalarStep>,
    n_scalars: usize,
    /// Where computed numbers, pairs and sums begin, and where the memory ends.
    computed: usize,
    pairs: usize,
    sums: usize,
    end: usize,
    /// Where the second derivatives of the given pairs go to, and whether nothing is there yet.
    given: Vec<(usize, bool)>,
}

#[derive(Clone, Copy, Debug)]
enum ScalarStep {
    /// Computes the derivatives of a scalar that are no values of others.
    Compute(usize),
    /// `to` = or += scale · first · second · `from`.
    Push { from: u32, to: u32, first: u32, second: u32, scale: f64, new: bool },
}

/// The scalars that an integral takes, which of them move, and the pairs of places among them to which it has second
/// derivatives.
#[derive(Clone, Debug, Default)]
pub(super) struct IntegralRule {
    pub inputs: Vec<usize>,
    pub moving: Vec<bool>,
    pub pairs: Vec<(usize, usize)>,
}

/// The derivatives of a scalar by its operands, as far as these move.
pub(super) fn rule(at: usize, scalar: &Scalar, moves: &[bool], integral: IntegralRule) -> Derivatives {
    let node = |index: &usize| Some(*index).filter(|index| moves[*index]);
    let (result, one) = (value(Source::Scalar(at)), Partial::Number(1.0));
    let unary = |a: &usize, first: Partial, second: Option<Partial>, computed: usize| {
        binary(node(a), None, [first, one], [second, None, None], computed)
    };
    let of = |a: &usize| value(Source::Scalar(*a));
    let derivatives = match scalar {
        Scalar::Constant(_) | Scalar::Parameter(_) | Scalar::Bin(..) => Derivatives::default(),
        Scalar::Unary(Unary::Negative, a) => unary(a, Partial::Number(-1.0), None, 0),
        Scalar::Unary(Unary::Exp, a) => unary(a, result, Some(result), 0),
        Scalar::Unary(_, a) | Scalar::Spline(_, a) => unary(a, computed(0), Some(computed(1)), 2),
        Scalar::Binary(Binary::Add, a, b) => binary(node(a), node(b), [one, one], [None; 3], 0),
        Scalar::Binary(Binary::Subtract, a, b) => binary(node(a), node(b), [one, Partial::Number(-1.0)], [None; 3], 0),
        Scalar::Binary(Binary::Multiply, a, b) => binary(node(a), node(b), [of(b), of(a)], [None, Some(one), None], 0),
        Scalar::Binary(_, a, b) => {
            binary(node(a), node(b), [computed(0), computed(1)], [2, 3, 4].map(|place| Some(computed(place))), 5)
        }
        Scalar::Select(_, yes, no) => binary(node(yes), node(no), [computed(0), computed(1)], [None; 3], 2),
        Scalar::Gather(list, _) => {
            let entries = list.iter().enumerate();
            let first: Vec<_> = entries.filter_map(|(i, entry)| Some((node(entry)?, computed(i)))).collect();
            Derivatives { first, computed: list.len(), ..Derivatives::default() }
        }
        Scalar::Integral(_) => {
            let IntegralRule { inputs, moving, pairs } = integral;
            let places: Vec<usize> = (0..inputs.len()).filter(|place| moving[*place]).collect();
            let first = places.iter().map(|place| (inputs[*place], computed(*place))).collect();
            let position = |place: usize| places.binary_search(&place).ok();
            let second = pairs.iter().enumerate();
            let second = second
                .filter_map(|(k, (a, b))| Some((position(*a)?, position(*b)?, computed(inputs.len() + k))))
                .collect();
            Derivatives { first, second, computed: inputs.len() + pairs.len(), ..Derivatives::default() }
        }
    };
    Derivatives { node: at, ..derivatives }
}

impl ScalarHessian {
    /// Gives everything its place.
    pub fn new(pushes: &Pushes, n_scalars: usize) -> ScalarHessian {
        let one = 2 * n_scalars;
        let computed = one + 1;
        let pairs = computed + pushes.computed;
        let sums = pairs + pushes.pairs;
        let target = |to: &To| match to {
            To::New(place) => (pairs + place, true),
            To::Pair(place) => (pairs + place, false),
            To::Sum(index) => (sums + index, false),
        };
        let factor = |factor: &Option<Factor>| match factor {
            None => one,
            Some(Factor::Computed(place)) => computed + place,
            Some(Factor::Value(Source::Scalar(index) | Source::Slot(index) | Source::Data(index))) => *index,
        };
        let step = |step: &Step| match step {
            Step::Compute(node) => ScalarStep::Compute(*node),
            Step::Push(push) => {
                let from = match push.from {
                    From::Pair(place) => pairs + place,
                    From::Adjoint(node) => n_scalars + node,
                };
                let (to, new) = target(&push.to);
                let [from, to, first, second] =
                    [from, to, factor(&push.factors[0]), factor(&push.factors[1])].map(|place| place as u32);
                ScalarStep::Push { from, to, first, second, scale: push.scale, new }
            }
        };
        ScalarHessian {
            steps: pushes.steps.iter().map(step).collect(),
            n_scalars,
            computed,
            pairs,
            sums,
            end: sums + pushes.sums.len(),
            given: pushes.given.iter().map(target).collect(),
        }
    }

    /// Runs the steps from the second derivatives of the given pairs on, and returns the sums; `integral` writes the
    /// slopes and the bends of an integral.
    pub fn run<'m>(
        &self,
        scalars: &[Scalar],
        (values, adjoints): (&[f64], &[f64]),
        tables: &Tables,
        given: &[f64],
        memory: &'m mut Vec<f64>,
        mut integral: impl FnMut(usize, &mut [f64]),
    ) -> &'m [f64] {
        memory.resize(self.end, 0.0);
        memory[..self.n_scalars].copy_from_slice(values);
        memory[self.n_scalars..2 * self.n_scalars].copy_from_slice(adjoints);
        memory[2 * self.n_scalars] = 1.0;
        memory[self.sums..].fill(0.0);
        for ((to, new), x) in self.given.iter().zip(given) {
            memory[*to] = if *new { *x } else { memory[*to] + x };
        }
        for step in &self.steps {
            match *step {
                ScalarStep::Compute(node) => {
                    let (done, rest) = memory.split_at_mut(self.computed);
                    let to = &mut rest[..self.pairs - self.computed];
                    match &scalars[node] {
                        Scalar::Integral(index) => integral(*index, to),
                        scalar => compute(scalar, node, done, tables, to),
                    }
                }
                ScalarStep::Push { from, to, first, second, scale, new } => {
                    let from = memory[from as usize];
                    // What is zero passes nothing on, whatever it is multiplied with.
                    let x =
                        if from == 0.0 { 0.0 } else { scale * from * memory[first as usize] * memory[second as usize] };
                    let to = &mut memory[to as usize];
                    *to = if new { x } else { *to + x };
                }
            }
        }
        &memory[self.sums..]
    }
}

/// The derivatives of a scalar that are no values of others, in the order in which [`rule`] counts them.
fn compute(scalar: &Scalar, at: usize, values: &[f64], tables: &Tables, to: &mut [f64]) {
    match scalar {
        Scalar::Unary(f, a) => {
            to[..2].copy_from_slice(&[f.slope(values[*a], values[at]), f.bend(values[*a], values[at])]);
        }
        Scalar::Binary(f, a, b) => {
            let (a, b, y) = (values[*a], values[*b], values[at]);
            let ((to_a, to_b), [twice_a, both, twice_b]) = (f.slopes(a, b, y), f.bends(a, b, y));
            to[..5].copy_from_slice(&[to_a, to_b, twice_a, both, twice_b]);
        }
        Scalar::Select(condition, ..) => {
            let chosen = values[*condition] != 0.0;
            to[..2].copy_from_slice(&if chosen { [1.0, 0.0] } else { [0.0, 1.0] });
        }
        Scalar::Gather(list, index) => {
            let here = values[*index] as usize;
            to.iter_mut().take(list.len()).enumerate().for_each(|(i, to)| *to = f64::from(u8::from(i == here)));
        }
        Scalar::Spline(table, a) => {
            let spline = &tables.splines[*table];
            to[..2].copy_from_slice(&[spline.at(values[*a]).1, spline.bend(values[*a])]);
        }
        Scalar::Constant(_) | Scalar::Parameter(_) | Scalar::Bin(..) | Scalar::Integral(_) => {}
    }
}
