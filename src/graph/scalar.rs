//! Numbers that depend on parameters alone, forward and backward.

use super::column::{Tables, bin};
use crate::expression::{Binary, Unary};

/// One number; operands are indices of earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Constant(f64),
    /// An index into the parameters.
    Parameter(usize),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    Select(usize, usize, usize),
    Bin(usize, usize),
    Gather(Vec<usize>, usize),
    Spline(usize, usize),
    /// An entry of the integrals, which another part computes.
    Integral(usize),
}

impl Scalar {
    /// Whether both compute the same, but for the values of constants.
    pub fn same_operation(&self, other: &Scalar) -> bool {
        self == other || matches!((self, other), (Scalar::Constant(_), Scalar::Constant(_)))
    }
}

/// The value of a number that is no integral.
pub(super) fn value(scalar: &Scalar, theta: &[f64], done: &[f64], tables: &Tables) -> f64 {
    match scalar {
        Scalar::Constant(number) => *number,
        Scalar::Parameter(index) => theta[*index],
        Scalar::Unary(f, a) => f.value(done[*a]),
        Scalar::Binary(f, a, b) => f.value(done[*a], done[*b]),
        Scalar::Select(condition, yes, no) => done[if done[*condition] != 0.0 { *yes } else { *no }],
        Scalar::Bin(table, a) => bin(&tables.edges[*table], done[*a]),
        Scalar::Gather(list, index) => list.get(done[*index] as usize).map_or(f64::NAN, |entry| done[*entry]),
        Scalar::Spline(table, a) => tables.splines[*table].at(done[*a]).0,
        Scalar::Integral(_) => f64::NAN,
    }
}

/// Adds what the number at `index` with its adjoint passes on; an integral passes nothing on here.
pub(super) fn pull(
    scalar: &Scalar,
    index: usize,
    values: &[f64],
    adjoints: &mut [f64],
    gradient: &mut [f64],
    tables: &Tables,
) {
    let g = adjoints[index];
    if g == 0.0 {
        return;
    }
    match scalar {
        Scalar::Constant(_) | Scalar::Bin(..) | Scalar::Integral(_) => {}
        Scalar::Parameter(parameter) => gradient[*parameter] += g,
        Scalar::Unary(f, a) => adjoints[*a] += g * f.slope(values[*a], values[index]),
        Scalar::Binary(f, a, b) => {
            let (to_a, to_b) = f.slopes(values[*a], values[*b], values[index]);
            adjoints[*a] += g * to_a;
            adjoints[*b] += g * to_b;
        }
        Scalar::Select(condition, yes, no) => adjoints[if values[*condition] != 0.0 { *yes } else { *no }] += g,
        Scalar::Gather(list, at) => {
            if let Some(entry) = list.get(values[*at] as usize) {
                adjoints[*entry] += g;
            }
        }
        Scalar::Spline(table, a) => adjoints[*a] += g * tables.splines[*table].at(values[*a]).1,
    }
}
