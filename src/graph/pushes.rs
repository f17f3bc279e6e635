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
            let (to, _) = pusher.place(*a, *b);
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
    /// The place of each pair, and the sign with which its second derivative stands there.
    places: BTreeMap<(usize, usize), (usize, f64)>,
    sums: BTreeMap<(usize, usize), usize>,
    /// The other nodes of the pairs of a node, itself included.
    around: BTreeMap<usize, BTreeSet<usize>>,
    unused: Vec<usize>,
}

impl Pusher {
    /// The place of a pair, new or known, and its sign.
    fn place(&mut self, a: usize, b: usize) -> (To, f64) {
        let key = ordered(a, b);
        if !self.inner.contains(&a) && !self.inner.contains(&b) {
            let next = self.pushes.sums.len();
            let index = *self.sums.entry(key).or_insert(next);
            if index == next {
                self.pushes.sums.push(key);
            }
            return (To::Sum(index), 1.0);
        }
        if let Some((place, sign)) = self.places.get(&key) {
            return (To::Pair(*place), *sign);
        }
        let place = self.unused.pop().unwrap_or_else(|| {
            self.pushes.pairs += 1;
            self.pushes.pairs - 1
        });
        self.keep(key, (place, 1.0));
        (To::New(place), 1.0)
    }

    fn keep(&mut self, (a, b): (usize, usize), place: (usize, f64)) {
        self.places.insert((a, b), place);
        self.around.entry(a).or_default().insert(b);
        self.around.entry(b).or_default().insert(a);
    }

    fn push(&mut self, from: From, sign: f64, (a, b): (usize, usize), twice: bool, partials: &[Partial]) {
        let (mut scale, mut factors, mut count) = (if twice { 2.0 * sign } else { sign }, [None; 2], 0);
        for partial in partials {
            match partial {
                Partial::Number(number) => scale *= number,
                Partial::Factor(factor) => {
                    factors[count] = Some(*factor);
                    count += 1;
                }
            }
        }
        let (to, sign) = self.place(a, b);
        self.pushes.steps.push(Step::Push(Push { from, to, scale: scale * sign, factors }));
    }

    /// The operand whose pair with `other` can take the place over: nothing is there yet, and the factor is ±1.
    fn heir(&self, first: &[(usize, Partial)], other: usize) -> Option<(usize, f64)> {
        let counted = |a: usize| first.iter().filter(|(b, _)| a == *b).count();
        first.iter().enumerate().find_map(|(k, (a, partial))| {
            let Partial::Number(sign) = *partial else { return None };
            let inner = self.inner.contains(a) || self.inner.contains(&other);
            let free = *a != other && counted(*a) == 1 && !self.places.contains_key(&ordered(*a, other));
            (sign.abs() == 1.0 && inner && free).then_some((k, sign))
        })
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
            let Some((place, sign)) = self.places.remove(&ordered(*node, other)) else { continue };
            if let Some(around) = self.around.get_mut(&other) {
                around.remove(node);
            }
            let from = From::Pair(place);
            if other == *node {
                for (k, (a, to_a)) in first.iter().enumerate() {
                    for (l, (b, to_b)) in first.iter().enumerate().take(k + 1) {
                        self.push(from, sign, (*a, *b), k != l && a == b, &[*to_a, *to_b]);
                    }
                }
                self.unused.push(place);
                continue;
            }
            let heir = self.heir(first, other);
            for (k, (a, to_a)) in first.iter().enumerate() {
                if heir.is_none_or(|(heir, _)| heir != k) {
                    self.push(from, sign, (*a, other), *a == other, &[*to_a]);
                }
            }
            match heir {
                Some((k, own)) => self.keep(ordered(first[k].0, other), (place, sign * own)),
                None => self.unused.push(place),
            }
        }
        for (k, l, partial) in second {
            let (a, b) = (first[*k].0, first[*l].0);
            self.push(From::Adjoint(*node), 1.0, (a, b), k != l && a == b, &[*partial]);
        }
    }
}

/// The larger first.
fn ordered(a: usize, b: usize) -> (usize, usize) {
    (a.max(b), a.min(b))
}
