//! Events that are summed at every point, because what acts on them does not sum to a polynomial
//! (spec/event-database.md, "Events at every point").

use super::Monomial;

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

    pub fn n_bins(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    pub fn n_events(&self) -> usize {
        self.start.last().copied().unwrap_or(0)
    }
}
