//! Single events of toys: rows of the reference events, drawn by their weights at a point (spec/unbinned.md, "Data").

use super::generate::GenerationFailure;
use super::random::{Variate, uniform};
use crate::kernel::Evaluator;
use rand_chacha::ChaCha8Rng;

/// A toy with more of them is refused.
const MOST_EVENTS: f64 = 1e8;

/// The reference events of one unbinned term at a point.
#[derive(Clone, Debug)]
pub(super) struct EventSource {
    /// How many events a toy has.
    number: Variate,
    /// The place of the first reference event among all rows of the data.
    first: usize,
    /// Sums of the weights up to each row.
    cumulative: Vec<f64>,
}

impl EventSource {
    /// Of all unbinned terms.
    pub fn of_terms(evaluator: &mut Evaluator, point: &[f64]) -> Result<Vec<EventSource>, GenerationFailure> {
        let program = evaluator.program;
        let mut sources = Vec::with_capacity(program.unbinned.len());
        for (term, compiled) in program.unbinned.iter().enumerate() {
            if compiled.term.reference.is_empty() {
                return Err(GenerationFailure::NoReference { term });
            }
            let (expected, weights) = evaluator.expected_events(term, point);
            let n_observed = compiled.term.observed.len();
            if let Some(row) = weights.iter().position(|s| s.is_nan() || *s < 0.0) {
                return Err(GenerationFailure::Event { term, row: n_observed + row, weight: weights[row] });
            }
            let mut sum = 0.0;
            let cumulative: Vec<f64> = weights
                .iter()
                .map(|s| {
                    sum += s;
                    sum
                })
                .collect();
            let failure = GenerationFailure::Event { term, row: n_observed, weight: expected };
            let usable = sum > 0.0 && sum.is_finite() && expected <= MOST_EVENTS;
            let number = Variate::poisson(expected).filter(|_| usable).ok_or(failure)?;
            sources.push(EventSource { number, first: compiled.rows.start + n_observed, cumulative });
        }
        Ok(sources)
    }

    /// Adds one to the weight of each row that is drawn.
    pub fn draw(&self, stream: &mut ChaCha8Rng, weights: &mut [f64]) {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let n = self.number.draw(stream) as u64;
        for _ in 0..n {
            let x = total * uniform(stream);
            let row = self.cumulative.partition_point(|sum| *sum <= x).min(self.cumulative.len() - 1);
            weights[self.first + row] += 1.0;
        }
    }
}
