//! Nodes while a graph is made: equal nodes are one, constants are folded, and operands come before what uses them.

use super::spline::Spline;
use crate::expression::{Binary, Unary};
use std::collections::HashMap;

/// A place in the list of nodes.
pub(super) type Id = usize;

/// What a node computes. A node that depends on an observable is a column over events (or points of a quadrature), any
/// other a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bits of a number.
    Constant(u64),
    /// An index into the parameters of the likelihood.
    Parameter(usize),
    /// An index into the names of observables.
    Observable(usize),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// The second operand where the first is not zero, else the third.
    Select(Id, Id, Id),
    /// Which bin of [`Builder::edges`] holds a value; the first and the last reach beyond their edges.
    Bin(usize, Id),
    /// The entry of the list at an index.
    Gather(Vec<Id>, Id),
    /// A spline of [`Builder::splines`] at a value.
    Spline(usize, Id),
    /// An entry of [`Builder::integrals`].
    Integral(usize),
}

/// ∫ f over a box, by quadrature; the integrand depends on no observable that is not integrated over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Integral {
    pub integrand: Id,
    /// Observable and range; one or two.
    pub over: Vec<(usize, f64, f64)>,
}

/// What a node depends on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Needs {
    /// Sorted.
    observables: Vec<usize>,
    parameters: bool,
}

/// The integrand, and each observable with the bits of its range.
type IntegralKey = (Id, Vec<(usize, u64, u64)>);

#[derive(Clone, Debug, Default)]
pub(super) struct Builder {
    pub nodes: Vec<Node>,
    needs: Vec<Needs>,
    known: HashMap<Node, Id>,
    pub integrals: Vec<Integral>,
    known_integrals: HashMap<IntegralKey, usize>,
    pub splines: Vec<Spline>,
    pub edges: Vec<Vec<f64>>,
    pub parameters: Vec<String>,
    parameter_index: HashMap<String, usize>,
    pub observables: Vec<String>,
}

impl Builder {
    /// A node, made only where there is none like it.
    fn intern(&mut self, node: Node) -> Id {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let needs = self.needs_of(&node);
        let id = self.nodes.len();
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        self.needs.push(needs);
        id
    }

    fn needs_of(&self, node: &Node) -> Needs {
        let mut needs = Needs::default();
        let of: Vec<Id> = match node {
            Node::Observable(observable) => return Needs { observables: vec![*observable], parameters: false },
            Node::Parameter(_) => return Needs { observables: vec![], parameters: true },
            // Also one without parameters has no number before it is evaluated.
            Node::Integral(_) => return Needs { observables: vec![], parameters: true },
            _ => node.operands(),
        };
        for id in of {
            needs.parameters |= self.needs[id].parameters;
            for observable in &self.needs[id].observables {
                if let Err(at) = needs.observables.binary_search(observable) {
                    needs.observables.insert(at, *observable);
                }
            }
        }
        needs
    }

    /// The observables that a node depends on, sorted.
    pub fn observables_of(&self, id: Id) -> &[usize] {
        &self.needs[id].observables
    }

    pub fn is_column(&self, id: Id) -> bool {
        !self.needs[id].observables.is_empty()
    }

    pub fn needs_parameters(&self, id: Id) -> bool {
        self.needs[id].parameters
    }

    pub fn constant(&mut self, number: f64) -> Id {
        // One zero: 0 and −0 would be two nodes.
        self.intern(Node::Constant((number + 0.0).to_bits()))
    }

    /// The number of a constant.
    pub fn number(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub fn parameter(&mut self, name: &str) -> Id {
        let next = self.parameters.len();
        let index = *self.parameter_index.entry(name.to_string()).or_insert(next);
        if index == next {
            self.parameters.push(name.to_string());
        }
        self.intern(Node::Parameter(index))
    }

    /// The index of an observable by name.
    pub fn observable_index(&mut self, name: &str) -> usize {
        self.observables.iter().position(|known| known == name).unwrap_or_else(|| {
            self.observables.push(name.to_string());
            self.observables.len() - 1
        })
    }

    pub fn observable(&mut self, name: &str) -> Id {
        let index = self.observable_index(name);
        self.intern(Node::Observable(index))
    }

    pub fn unary(&mut self, operation: Unary, a: Id) -> Id {
        match (self.number(a), operation, &self.nodes[a]) {
            (Some(x), ..) => self.constant(operation.value(x)),
            (None, Unary::Negative, Node::Unary(Unary::Negative, inner)) => *inner,
            (None, Unary::Log, Node::Unary(Unary::Exp, inner)) => *inner,
            _ => self.intern(Node::Unary(operation, a)),
        }
    }

    pub fn binary(&mut self, operation: Binary, a: Id, b: Id) -> Id {
        let (left, right) = (self.number(a), self.number(b));
        if let (Some(x), Some(y)) = (left, right) {
            return self.constant(operation.value(x, y));
        }
        match (operation, left, right) {
            (Binary::Add, Some(0.0), _) | (Binary::Multiply, Some(1.0), _) => b,
            (Binary::Add | Binary::Subtract, _, Some(0.0)) | (Binary::Multiply | Binary::Divide, _, Some(1.0)) => a,
            (Binary::Multiply, Some(0.0), _) => a,
            (Binary::Multiply, _, Some(0.0)) => b,
            (Binary::Subtract, Some(0.0), _) => self.unary(Unary::Negative, b),
            (Binary::Power, _, Some(1.0)) => a,
            (Binary::Power, _, Some(2.0)) => self.multiply(a, a),
            // One division of scalars is better than one for each event.
            (Binary::Divide, _, _) if self.is_column(a) && !self.is_column(b) && right.is_none() => {
                let one = self.constant(1.0);
                let inverse = self.intern(Node::Binary(Binary::Divide, one, b));
                self.multiply(a, inverse)
            }
            (Binary::Add | Binary::Multiply, ..) if a > b => self.intern(Node::Binary(operation, b, a)),
            _ => self.intern(Node::Binary(operation, a, b)),
        }
    }

    pub fn select(&mut self, condition: Id, yes: Id, no: Id) -> Id {
        match self.number(condition) {
            Some(x) => {
                if x != 0.0 {
                    yes
                } else {
                    no
                }
            }
            None if yes == no => yes,
            None => self.intern(Node::Select(condition, yes, no)),
        }
    }

    pub fn bin(&mut self, edges: &[f64], value: Id) -> Id {
        let known = self.edges.iter().position(|known| known == edges);
        let table = known.unwrap_or_else(|| {
            self.edges.push(edges.to_vec());
            self.edges.len() - 1
        });
        self.intern(Node::Bin(table, value))
    }

    pub fn gather(&mut self, values: Vec<Id>, index: Id) -> Id {
        self.intern(Node::Gather(values, index))
    }

    pub fn spline(&mut self, spline: Spline, value: Id) -> Id {
        self.splines.push(spline);
        self.intern(Node::Spline(self.splines.len() - 1, value))
    }

    pub fn integral(&mut self, integrand: Id, over: Vec<(usize, f64, f64)>) -> Id {
        let key = (integrand, over.iter().map(|(o, low, high)| (*o, low.to_bits(), high.to_bits())).collect());
        let next = self.integrals.len();
        let index = *self.known_integrals.entry(key).or_insert(next);
        if index == next {
            self.integrals.push(Integral { integrand, over });
        }
        self.intern(Node::Integral(index))
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    pub fn subtract(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Subtract, a, b)
    }

    pub fn multiply(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Multiply, a, b)
    }

    pub fn divide(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Divide, a, b)
    }

    pub fn negative(&mut self, a: Id) -> Id {
        self.unary(Unary::Negative, a)
    }

    pub fn exp(&mut self, a: Id) -> Id {
        self.unary(Unary::Exp, a)
    }

    pub fn log(&mut self, a: Id) -> Id {
        self.unary(Unary::Log, a)
    }

    /// a · number.
    pub fn scale(&mut self, a: Id, number: f64) -> Id {
        let number = self.constant(number);
        self.multiply(a, number)
    }

    /// a + number.
    pub fn shift(&mut self, a: Id, number: f64) -> Id {
        let number = self.constant(number);
        self.add(a, number)
    }

    pub fn power(&mut self, a: Id, exponent: f64) -> Id {
        let exponent = self.constant(exponent);
        self.binary(Binary::Power, a, exponent)
    }

    pub fn sum(&mut self, terms: &[Id]) -> Id {
        let zero = self.constant(0.0);
        // Scalars first: one sum of them, not one for each event.
        let (columns, scalars): (Vec<Id>, Vec<Id>) = terms.iter().partition(|id| self.is_column(**id));
        scalars.into_iter().chain(columns).fold(zero, |sum, term| self.add(sum, term))
    }

    pub fn product(&mut self, factors: &[Id]) -> Id {
        let one = self.constant(1.0);
        let (columns, scalars): (Vec<Id>, Vec<Id>) = factors.iter().partition(|id| self.is_column(**id));
        scalars.into_iter().chain(columns).fold(one, |product, factor| self.multiply(product, factor))
    }

    /// Σ aᵢ xⁱ by Horner's rule.
    pub fn polynomial(&mut self, x: Id, coefficients: &[Id]) -> Id {
        let zero = self.constant(0.0);
        coefficients.iter().rev().fold(zero, |sum, a| {
            let product = self.multiply(sum, x);
            self.add(product, *a)
        })
    }
}

impl Node {
    pub fn operands(&self) -> Vec<Id> {
        match self {
            Node::Constant(_) | Node::Parameter(_) | Node::Observable(_) | Node::Integral(_) => vec![],
            Node::Unary(_, a) | Node::Bin(_, a) | Node::Spline(_, a) => vec![*a],
            Node::Binary(_, a, b) => vec![*a, *b],
            Node::Select(a, b, c) => vec![*a, *b, *c],
            Node::Gather(list, index) => list.iter().copied().chain([*index]).collect(),
        }
    }
}
