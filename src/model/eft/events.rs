//! Events that are summed at every point, because what acts on them does not sum to a polynomial
//! (spec/event-database.md, "Events at every point").

use super::Monomial;
use super::polynomial::{monomial_slope, monomial_value};
use crate::model::select;

/// Events sorted by bin, with their weight polynomials and their systematics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// Monomials in the first variables of the response.
    pub monomials: Vec<Monomial>,
    /// One column a monomial, n_events long: absolute weights with all normalisation.
    pub columns: Vec<Vec<f64>>,
    /// Events of bin b are `start[b]..start[b + 1]`.
    pub start: Vec<usize>,
    pub systematics: Vec<EventFactor>,
    /// Weights below are lifted to it.
    pub floor: Option<f64>,
}

/// A factor s_e(ν) on the weight of each event, ν being a variable of the response.
#[derive(Clone, Debug, PartialEq)]
pub struct EventFactor {
    pub variable: u32,
    pub kind: EventFactorKind,
}

/// Columns have n_events values.
#[derive(Clone, Debug, PartialEq)]
pub enum EventFactorKind {
    /// 1 + ν a_e
    Linear(Vec<f64>),
    /// a_e^ν
    Power(Vec<f64>),
    /// exp(ν δ_e + ν² Δ_e)
    LogQuadratic { linear: Vec<f64>, quadratic: Vec<f64> },
}

impl Events {
    /// The same events with variable i called `to[i]`.
    pub fn renamed(mut self, to: &[u32]) -> Events {
        let name = |i: &mut u32| *i = to.get(*i as usize).copied().unwrap_or(*i);
        for monomial in &mut self.monomials {
            monomial.iter_mut().for_each(name);
            monomial.sort_unstable();
        }
        self.systematics.iter_mut().for_each(|factor| name(&mut factor.variable));
        self
    }

    /// The events of the bins with a flag that is set.
    pub fn keep(&self, kept: &[bool]) -> Events {
        let bins: Vec<_> = self.start.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let bins = select(&bins, kept);
        let column = |from: &Vec<f64>| -> Vec<f64> {
            bins.iter().filter_map(|range| from.get(range.clone())).flatten().copied().collect()
        };
        let mut start = vec![0];
        bins.iter().for_each(|range| start.push(start.last().unwrap_or(&0) + range.len()));
        let factor = |factor: &EventFactor| EventFactor {
            variable: factor.variable,
            kind: match &factor.kind {
                EventFactorKind::Linear(a) => EventFactorKind::Linear(column(a)),
                EventFactorKind::Power(a) => EventFactorKind::Power(column(a)),
                EventFactorKind::LogQuadratic { linear, quadratic } => {
                    EventFactorKind::LogQuadratic { linear: column(linear), quadratic: column(quadratic) }
                }
            },
        };
        Events {
            monomials: self.monomials.clone(),
            columns: self.columns.iter().map(column).collect(),
            start,
            systematics: self.systematics.iter().map(factor).collect(),
            floor: self.floor,
        }
    }

    /// w_e(c) of all events, without floor and systematics.
    pub fn weights(&self, point: &[f64]) -> Vec<f64> {
        self.sum(|monomial| monomial_value(monomial, point))
    }

    /// ∂w_e/∂c_i of all events, without floor and systematics.
    pub fn slopes(&self, i: u32, point: &[f64]) -> Vec<f64> {
        self.sum(|monomial| monomial_slope(monomial, i, point))
    }

    fn sum(&self, factor: impl Fn(&[u32]) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_events()];
        for (monomial, column) in self.monomials.iter().zip(&self.columns) {
            let factor = factor(monomial);
            sums.iter_mut().zip(column).for_each(|(sum, a)| *sum += factor * a);
        }
        sums
    }

    pub fn n_bins(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    pub fn n_events(&self) -> usize {
        self.start.last().copied().unwrap_or(0)
    }
}
