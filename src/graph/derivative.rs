//! Derivatives of nodes as nodes.

use super::builder::{Builder, Id, Integral, Node};
use crate::expression::{Binary, Unary};
use std::collections::BTreeMap;

/// The derivative of a node to a parameter or an observable; nothing where a function has none that is a node.
pub(super) fn derivative(b: &mut Builder, of: Id, to: Id) -> Option<Id> {
    let mut known: BTreeMap<Id, Id> = BTreeMap::new();
    let zero = b.constant(0.0);
    // Operands come before what uses them.
    for id in below(b, of) {
        let node = b.nodes[id].clone();
        let d = |operand: Id| known.get(&operand).copied().unwrap_or(zero);
        let result = if id == to {
            b.constant(1.0)
        } else {
            match node {
                Node::Constant(_) | Node::Parameter(_) | Node::Observable(_) | Node::Bin(..) => zero,
                Node::Unary(f, a) if d(a) == zero => {
                    let _ = (f, a);
                    zero
                }
                Node::Unary(f, a) => {
                    let slope = unary_slope(b, f, a, id)?;
                    b.multiply(slope, d(a))
                }
                Node::Binary(_, x, y) if d(x) == zero && d(y) == zero => zero,
                Node::Binary(f, x, y) => binary_derivative(b, f, (x, d(x)), (y, d(y)), id)?,
                Node::Select(condition, yes, no) => b.select(condition, d(yes), d(no)),
                Node::Gather(list, index) => {
                    let slopes: Vec<Id> = list.iter().map(|entry| d(*entry)).collect();
                    if slopes.iter().all(|slope| *slope == zero) { zero } else { b.gather(slopes, index) }
                }
                Node::Spline(_, a) if d(a) == zero => zero,
                Node::Spline(table, a) => {
                    let slope = b.splines[table].derivative();
                    let slope = b.spline(slope, a);
                    b.multiply(slope, d(a))
                }
                Node::Integral(index) => {
                    let Integral { integrand, over, .. } = b.integrals[index].clone();
                    let bound =
                        matches!(b.nodes[to], Node::Observable(o) if over.iter().any(|(other, ..)| *other == o));
                    if bound {
                        zero
                    } else {
                        let inner = derivative(b, integrand, to)?;
                        b.integrate(inner, &over)
                    }
                }
            }
        };
        known.insert(id, result);
    }
    known.get(&of).copied()
}

/// A node and all that it is made of, in their order.
fn below(b: &Builder, of: Id) -> Vec<Id> {
    let (mut found, mut open) = (std::collections::BTreeSet::new(), vec![of]);
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(b.operands(id));
        }
    }
    found.into_iter().collect()
}

fn unary_slope(b: &mut Builder, f: Unary, a: Id, value: Id) -> Option<Id> {
    Some(match f {
        Unary::Negative => b.constant(-1.0),
        Unary::Not | Unary::Floor | Unary::Ceil => b.constant(0.0),
        Unary::Exp => value,
        Unary::Log => b.power(a, -1.0),
        Unary::Log10 => {
            let inverse = b.power(a, -1.0);
            b.scale(inverse, std::f64::consts::LOG10_E)
        }
        Unary::Sqrt => {
            let inverse = b.power(value, -1.0);
            b.scale(inverse, 0.5)
        }
        Unary::Abs => b.divide(value, a),
        Unary::Sin => b.unary(Unary::Cos, a),
        Unary::Cos => {
            let sine = b.unary(Unary::Sin, a);
            b.negative(sine)
        }
        Unary::Tan => {
            let square = b.multiply(value, value);
            b.shift(square, 1.0)
        }
        Unary::Asin | Unary::Acos => {
            let square = b.multiply(a, a);
            let square = b.negative(square);
            let rest = b.shift(square, 1.0);
            let slope = b.power(rest, -0.5);
            if f == Unary::Asin { slope } else { b.negative(slope) }
        }
        Unary::Atan => {
            let square = b.multiply(a, a);
            let sum = b.shift(square, 1.0);
            b.power(sum, -1.0)
        }
        Unary::Sinh => b.unary(Unary::Cosh, a),
        Unary::Cosh => b.unary(Unary::Sinh, a),
        Unary::Tanh => {
            let square = b.multiply(value, value);
            let square = b.negative(square);
            b.shift(square, 1.0)
        }
        Unary::Erf | Unary::Erfc => {
            let square = b.multiply(a, a);
            let square = b.negative(square);
            let density = b.exp(square);
            let scale = std::f64::consts::FRAC_2_SQRT_PI;
            b.scale(density, if f == Unary::Erf { scale } else { -scale })
        }
        Unary::LogGamma => b.unary(Unary::Digamma, a),
        Unary::Digamma | Unary::LogNormalCdf | Unary::LogSinhc | Unary::LogLandau => return None,
    })
}

/// Of a function of x and y with their derivatives.
fn binary_derivative(b: &mut Builder, f: Binary, (x, dx): (Id, Id), (y, dy): (Id, Id), value: Id) -> Option<Id> {
    Some(match f {
        Binary::Add => b.add(dx, dy),
        Binary::Subtract => b.subtract(dx, dy),
        Binary::Multiply => {
            let (left, right) = (b.multiply(dx, y), b.multiply(x, dy));
            b.add(left, right)
        }
        Binary::Divide => {
            let change = b.multiply(value, dy);
            let numerator = b.subtract(dx, change);
            b.divide(numerator, y)
        }
        Binary::Power if b.number(dy) == Some(0.0) => {
            let less = b.shift(y, -1.0);
            let power = b.binary(Binary::Power, x, less);
            b.product(&[y, power, dx])
        }
        Binary::Power => {
            let (log, ratio) = (b.log(x), b.divide(y, x));
            let (left, right) = (b.multiply(dy, log), b.multiply(ratio, dx));
            let sum = b.add(left, right);
            b.multiply(value, sum)
        }
        Binary::Min | Binary::Max => {
            let less = b.binary(if f == Binary::Min { Binary::Less } else { Binary::Greater }, x, y);
            b.select(less, dx, dy)
        }
        Binary::Atan2 | Binary::LogNormalMass => return None,
        _ => b.constant(0.0),
    })
}
