//! Nodes while a graph is made: equal nodes are one, constants are folded, and operands come before what uses them.

use super::spline::Spline;
use crate::expression::{Binary, Unary};
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// ∫ f over a box, by quadrature. Where the integrand depends on further observables, it is a column over these.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Integral {
    pub integrand: Id,
    /// Observable and range; one or two. Inside of the integrand they mean nothing else.
    pub over: Vec<(usize, f64, f64)>,
    /// What the integrand is made of and does not depend on what is integrated over.
    pub inputs: Vec<Id>,
    /// About how many operations one evaluation takes.
    pub cost: f64,
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
    /// The highest cost of an integral.
    pub dearest: f64,
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
            Node::Integral(index) => {
                let Integral { integrand, over, .. } = &self.integrals[*index];
                let mut observables = self.needs[*integrand].observables.clone();
                observables.retain(|observable| !over.iter().any(|(o, ..)| o == observable));
                // Also one without parameters has no number before it is evaluated.
                return Needs { observables, parameters: true };
            }
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

    /// Whether a node depends on one of some observables.
    pub fn depends_on(&self, id: Id, observables: &[usize]) -> bool {
        self.needs[id].observables.iter().any(|observable| observables.contains(observable))
    }

    /// What a node is made of; of an integral, what its integrand takes from outside.
    pub fn operands(&self, id: Id) -> Vec<Id> {
        match &self.nodes[id] {
            Node::Integral(index) => self.integrals[*index].inputs.clone(),
            node => node.operands(),
        }
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
            let (inputs, cost) = self.inputs_of(integrand, &over);
            self.dearest = self.dearest.max(cost);
            self.integrals.push(Integral { integrand, over, inputs, cost });
        }
        self.intern(Node::Integral(index))
    }

    /// ∫ over what an integrand depends on of `over`, two observables at a time; the other ranges are factors.
    pub fn integrate(&mut self, integrand: Id, over: &[(usize, f64, f64)]) -> Id {
        let (inside, outside): (Vec<_>, Vec<_>) = over.iter().partition(|(o, ..)| self.depends_on(integrand, &[*o]));
        let width: f64 = outside.iter().map(|(_, low, high)| high - low).product();
        let integral = inside.chunks(2).fold(integrand, |inner, pair| self.integral(inner, pair.to_vec()));
        self.scale(integral, width)
    }

    /// The nodes below an integrand that no longer depend on what is integrated over, and the cost of the integral.
    fn inputs_of(&self, integrand: Id, over: &[(usize, f64, f64)]) -> (Vec<Id>, f64) {
        let inner: Vec<usize> = over.iter().map(|(observable, ..)| *observable).collect();
        let (mut seen, mut inputs, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![integrand]);
        let mut cost = 0.0;
        while let Some(id) = open.pop() {
            if !self.depends_on(id, &inner) {
                inputs.insert(id);
            } else if seen.insert(id) {
                open.extend(self.operands(id));
                cost += if let Node::Integral(index) = self.nodes[id] { self.integrals[index].cost } else { 1.0 };
            }
        }
        let points = if over.len() == 1 { 200.0 } else { 5000.0 };
        (inputs.into_iter().collect(), points * cost)
    }

    /// A node with another in the place of an observable.
    pub fn substitute(&mut self, root: Id, observable: usize, by: Id) -> Id {
        let changes = |builder: &Builder, id: Id| builder.depends_on(id, &[observable]);
        self.replace(root, &changes, &|_, node| matches!(node, Node::Observable(_)).then_some(by))
    }

    /// A node with numbers in the place of parameters, by index.
    pub fn hold(&mut self, root: Id, numbers: &BTreeMap<usize, f64>) -> Id {
        self.replace(root, &|builder, id| builder.needs_parameters(id), &|builder, node| match node {
            Node::Parameter(index) => numbers.get(index).map(|number| builder.constant(*number)),
            _ => None,
        })
    }

    /// A node with others in the place of leaves below it. What does not change according to `changes` stays.
    fn replace(
        &mut self,
        root: Id,
        changes: &dyn Fn(&Builder, Id) -> bool,
        leaf: &dyn Fn(&mut Builder, &Node) -> Option<Id>,
    ) -> Id {
        let (mut below, mut open) = (BTreeSet::new(), vec![root]);
        while let Some(id) = open.pop() {
            if changes(self, id) && below.insert(id) {
                open.extend(self.operands(id));
            }
        }
        let mut made: HashMap<Id, Id> = HashMap::new();
        // Operands come before what uses them.
        for id in below {
            let of = |id: Id| made.get(&id).copied().unwrap_or(id);
            let new = match self.nodes[id].clone() {
                Node::Unary(f, a) => self.unary(f, of(a)),
                Node::Binary(f, a, b) => self.binary(f, of(a), of(b)),
                Node::Select(condition, yes, no) => self.select(of(condition), of(yes), of(no)),
                Node::Bin(table, a) => self.intern(Node::Bin(table, of(a))),
                Node::Gather(list, index) => self.gather(list.into_iter().map(of).collect(), of(index)),
                Node::Spline(table, a) => self.intern(Node::Spline(table, of(a))),
                Node::Integral(index) => {
                    let Integral { integrand, over, .. } = self.integrals[index].clone();
                    let integrand = self.replace(integrand, changes, leaf);
                    self.integral(integrand, over)
                }
                node => leaf(self, &node).unwrap_or(id),
            };
            made.insert(id, new);
        }
        made.get(&root).copied().unwrap_or(root)
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
