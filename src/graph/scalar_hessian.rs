//! Second derivatives of numbers that depend on parameters alone.

use super::column::{Source, Tables};
use super::column_hessian::{binary, computed, value};
use super::pushes::{Derivatives, Factor, From, Partial, Pushes, Step, To};
use super::scalar::Scalar;
use crate::expression::{Binary, Unary};

/// Memory of the steps of scalars.
#[derive(Clone, Debug, Default)]
pub(super) struct ScalarRoom {
    pairs: Vec<f64>,
    computed: Vec<f64>,
    pub sums: Vec<f64>,
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

/// Runs the steps over the scalars from the second derivatives of `given` pairs on; `integral` writes the slopes and the
/// bends of an integral.
pub(super) fn push_scalars(
    pushes: &Pushes,
    scalars: &[Scalar],
    (values, adjoints): (&[f64], &[f64]),
    tables: &Tables,
    given: impl Iterator<Item = f64>,
    room: &mut ScalarRoom,
    mut integral: impl FnMut(usize, &mut [f64]),
) {
    let ScalarRoom { pairs, computed, sums } = room;
    for (memory, count) in
        [(&mut *pairs, pushes.pairs), (&mut *computed, pushes.computed), (&mut *sums, pushes.sums.len())]
    {
        memory.clear();
        memory.resize(count, 0.0);
    }
    for (to, x) in pushes.given.iter().zip(given) {
        add(*to, x, pairs, sums);
    }
    for step in &pushes.steps {
        match step {
            Step::Compute(node) => match &scalars[*node] {
                Scalar::Integral(index) => integral(*index, computed),
                scalar => compute(scalar, *node, values, tables, computed),
            },
            Step::Push(push) => {
                let from = match push.from {
                    From::Pair(place) => pairs[place],
                    From::Adjoint(node) => adjoints[node],
                };
                let factor = |factor: &Option<Factor>| match factor {
                    None => 1.0,
                    Some(Factor::Computed(place)) => computed[*place],
                    Some(Factor::Value(Source::Scalar(index))) => values[*index],
                    Some(Factor::Value(_)) => f64::NAN,
                };
                // What is zero passes nothing on, whatever it is multiplied with.
                let x = if from == 0.0 {
                    0.0
                } else {
                    push.scale * from * factor(&push.factors[0]) * factor(&push.factors[1])
                };
                add(push.to, x, pairs, sums);
            }
        }
    }
}

fn add(to: To, x: f64, pairs: &mut [f64], sums: &mut [f64]) {
    match to {
        To::New(place) => pairs[place] = x,
        To::Pair(place) => pairs[place] += x,
        To::Sum(index) => sums[index] += x,
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
