//! Second derivatives of a list of operations by pushing edges: going backward, the second derivative to each pair of
//! results is passed on to what the results are made of (R. M. Gower, M. P. Mello, Optim. Methods Softw. 27 (2012) 251;
//! spec/hs3.md, eq. 45). Which pairs there are is known beforehand, so that what runs is a flat list of steps.

use super::column::Source;
use std::collections::{BTreeMap, BTreeSet};

/// The derivative of an operation to an operand, or to two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Partial {
    Number(f64),
    Factor(Factor),
}

/// What a step multiplies with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Factor {
    /// The value of an operand or of the result.
    Value(Source),
    /// One of the numbers that [`Step::Compute`] has computed.
    Computed(usize),
}

/// The derivatives of one operation. Nodes are numbered, operands before what they are operands of.
#[derive(Clone, Debug, Default)]
pub(super) struct Derivatives {
    pub node: usize,
    /// To each operand that depends on parameters; a node may be there twice.
    pub first: Vec<(usize, Partial)>,
    /// To two places of `first`, each unordered pair once.
    pub second: Vec<(usize, usize, Partial)>,
    /// How many numbers have to be computed for them.
    pub computed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum From {
    /// The second derivative to a pair.
    Pair(usize),
    /// The derivative to a node.
    Adjoint(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum To {
    /// A pair that has nothing yet.
    New(usize),
    Pair(usize),
    /// A pair of nodes without operands.
    Sum(usize),
}

/// `to` += scale · Π factors · `from`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Push {
    pub from: From,
    pub to: To,
    pub scale: f64,
    pub factors: [Option<Factor>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Computes the derivatives of a node that are no values of others.
    Compute(usize),
    Push(Push),
}

/// The steps of one list of operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Pushes {
    pub steps: Vec<Step>,
    /// Room for so many pairs, and for so many computed numbers.
    pub pairs: usize,
    pub computed: usize,
    /// The two nodes of each sum, the larger first.
    pub sums: Vec<(usize, usize)>,
    /// Where the pairs that are there before the first step have their place.
    pub given: Vec<To>,
}

/// More steps than this for each operation and each node without operands, and differences are cheaper.
const MOST: usize = 8;

/// Nor are there ever more than these, for the sake of memory.
const MOST_STEPS: usize = 1_000_000;

impl Pushes {
    /// `operations` from the last to the first; `given` are pairs with second derivatives from elsewhere. Nothing where
    /// differences are cheaper.
    pub fn compile(operations: &[Derivatives], given: &[(usize, usize)], leaves: usize) -> Option<Pushes> {
        let inner = operations.iter().map(|operation| operation.node).collect();
        let mut pusher = Pusher { inner, ..Pusher::default() };
        for (a, b) in given {
            let to = pusher.place(*a, *b);
            pusher.pushes.given.push(to);
        }
        let most = (MOST * (operations.len() + given.len() + 8)).saturating_mul(leaves + 1).min(MOST_STEPS);
        for operation in operations {
            pusher.pass(operation);
            if pusher.pushes.steps.len() > most {
                return None;
            }
        }
        Some(pusher.pushes)
    }
}

/// Pairs while steps are made.
#[derive(Default)]
struct Pusher {
    /// Nodes with operands.
    inner: BTreeSet<usize>,
    pushes: Pushes,
    places: BTreeMap<(usize, usize), usize>,
    sums: BTreeMap<(usize, usize), usize>,
    /// The other nodes of the pairs of a node, itself included.
    around: BTreeMap<usize, BTreeSet<usize>>,
    unused: Vec<usize>,
}

impl Pusher {
    /// The place of a pair, new or known.
    fn place(&mut self, a: usize, b: usize) -> To {
        let key = (a.max(b), a.min(b));
        if !self.inner.contains(&a) && !self.inner.contains(&b) {
            let next = self.pushes.sums.len();
            let index = *self.sums.entry(key).or_insert(next);
            if index == next {
                self.pushes.sums.push(key);
            }
            return To::Sum(index);
        }
        if let Some(place) = self.places.get(&key) {
            return To::Pair(*place);
        }
        let place = self.unused.pop().unwrap_or_else(|| {
            self.pushes.pairs += 1;
            self.pushes.pairs - 1
        });
        self.places.insert(key, place);
        self.around.entry(a).or_default().insert(b);
        self.around.entry(b).or_default().insert(a);
        To::New(place)
    }

    fn push(&mut self, from: From, (a, b): (usize, usize), twice: bool, partials: &[Partial]) {
        let (mut scale, mut factors, mut count) = (if twice { 2.0 } else { 1.0 }, [None; 2], 0);
        for partial in partials {
            match partial {
                Partial::Number(number) => scale *= number,
                Partial::Factor(factor) => {
                    factors[count] = Some(*factor);
                    count += 1;
                }
            }
        }
        let to = self.place(a, b);
        self.pushes.steps.push(Step::Push(Push { from, to, scale, factors }));
    }

    /// What belongs to a node goes to its operands.
    fn pass(&mut self, operation: &Derivatives) {
        let Derivatives { node, first, second, computed } = operation;
        let around = self.around.remove(node).unwrap_or_default();
        if *computed > 0 && !(around.is_empty() && second.is_empty()) {
            self.pushes.computed = self.pushes.computed.max(*computed);
            self.pushes.steps.push(Step::Compute(*node));
        }
        for other in around {
            let Some(place) = self.places.remove(&((*node).max(other), (*node).min(other))) else { continue };
            if let Some(around) = self.around.get_mut(&other) {
                around.remove(node);
            }
            let from = From::Pair(place);
            for (k, (a, to_a)) in first.iter().enumerate() {
                if other != *node {
                    self.push(from, (*a, other), *a == other, &[*to_a]);
                    continue;
                }
                for (l, (b, to_b)) in first.iter().enumerate().take(k + 1) {
                    self.push(from, (*a, *b), k != l && a == b, &[*to_a, *to_b]);
                }
            }
            self.unused.push(place);
        }
        for (k, l, partial) in second {
            let (a, b) = (first[*k].0, first[*l].0);
            self.push(From::Adjoint(*node), (a, b), k != l && a == b, &[*partial]);
        }
    }
}
