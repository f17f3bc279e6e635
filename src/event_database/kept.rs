//! Events that stay in memory, because a floor or a systematic acts on each of them.

use super::declaration::{FactorColumns, Plan};
use crate::finding::{Finding, Result};
use crate::model::eft::Events;
use crate::model::eft::events::{EventFactor, EventFactorKind};
use crate::rule;

/// Most numbers that kept events may have (4 GiB).
const MOST_NUMBERS: usize = 1 << 29;

/// Weights and factors of events by bin, in the order of their rows.
#[derive(Debug)]
pub struct Kept {
    /// Numbers of one event.
    width: usize,
    /// For each bin the numbers of its events, event by event.
    bins: Vec<Vec<f64>>,
    numbers: usize,
}

impl Kept {
    pub fn new(n_bins: usize, width: usize) -> Kept {
        Kept { width, bins: vec![Vec::new(); n_bins], numbers: 0 }
    }

    pub fn add(&mut self, bin: usize, weights: &[f64], factors: &[f64]) -> Result<()> {
        self.numbers += self.width;
        if self.numbers > MOST_NUMBERS {
            let found = format!("more than {MOST_NUMBERS} weights and factors of events to keep");
            let hint =
                "a floor or a systematic of single events keeps all events in memory: select fewer, or use shifts";
            return Err(Finding::new(&rule::EVENT_SIZE, found, "fewer events or columns").hint(hint).into());
        }
        if let Some(own) = self.bins.get_mut(bin) {
            own.extend(weights.iter().chain(factors));
        }
        Ok(())
    }

    /// The events as columns; `factor` is what one unit of weight is worth in yields.
    pub fn finish(self, plan: &Plan, factor: f64) -> Events {
        let width = self.width.max(1);
        let mut start = vec![0];
        let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(self.numbers / width); self.width];
        for bin in self.bins {
            for event in bin.chunks_exact(width) {
                for (column, x) in columns.iter_mut().zip(event) {
                    column.push(*x);
                }
            }
            start.push(columns.first().map_or(0, Vec::len));
        }
        let mut rest = columns.split_off(plan.weights.monomials.len()).into_iter();
        for a in columns.iter_mut().flatten() {
            *a *= factor;
        }
        let mut next = || rest.next().unwrap_or_default();
        let nuisances = u32::try_from(plan.weights.variables.len()).unwrap_or(u32::MAX)..;
        let systematics = nuisances.zip(&plan.factors).map(|(variable, (_, factor))| {
            let kind = match factor {
                FactorColumns::Linear(_) => EventFactorKind::Linear(next()),
                FactorColumns::Power(_) => EventFactorKind::Power(next()),
                FactorColumns::LogQuadratic(..) => EventFactorKind::LogQuadratic { linear: next(), quadratic: next() },
            };
            EventFactor { variable, kind }
        });
        Events {
            monomials: plan.weights.monomials.clone(),
            start,
            systematics: systematics.collect(),
            floor: plan.floor.map(|floor| floor * factor),
            columns,
        }
    }
}
