//! Toys drawn from the events of a database (spec/event-database.md, "Toys").
//!
//! Counts of bins come from the model, as all toys do; here single events are drawn, for what looks at more of them than
//! their bin.

use super::random::{Ensemble, Purpose, Variate};
use crate::kernel::events;
use crate::model::eft::Events;
use rand_distr::{Distribution, StandardUniform};

/// Why no events are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventToyFailure {
    /// This event has a negative weight (or none at all) at the point: it has no probability.
    Weight { event: usize, weight: f64 },
    /// The expected number of events is zero, or beyond what can be drawn.
    Total { expected: f64 },
}

/// How many events a toy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Poisson around Σ w.
    Poisson,
    Fixed(u64),
}

/// Draws events with probabilities proportional to their weights at a point.
#[derive(Clone, Debug)]
pub struct EventGenerator {
    ensemble: Ensemble,
    total: Total,
    /// Σ of the weights up to each event.
    cumulative: Vec<f64>,
    expected: Option<Variate>,
}

impl EventGenerator {
    /// `point` has a value for each variable of the response.
    pub fn new(
        events: &Events,
        point: &[f64],
        ensemble: Ensemble,
        total: Total,
    ) -> Result<EventGenerator, EventToyFailure> {
        let mut sum = 0.0;
        let mut cumulative = events::weights(events, point);
        for (event, weight) in cumulative.iter_mut().enumerate() {
            if weight.is_nan() || *weight < 0.0 {
                return Err(EventToyFailure::Weight { event, weight: *weight });
            }
            sum += *weight;
            *weight = sum;
        }
        let expected = match total {
            Total::Poisson => Some(Variate::poisson(sum).ok_or(EventToyFailure::Total { expected: sum })?),
            Total::Fixed(_) if sum > 0.0 && sum.is_finite() => None,
            Total::Fixed(_) => return Err(EventToyFailure::Total { expected: sum }),
        };
        Ok(EventGenerator { ensemble, total, cumulative, expected })
    }

    /// The indices of the events of a toy, in the order in which they are drawn; one event may come several times.
    pub fn draw(&self, toy: u64) -> Vec<usize> {
        let mut stream = self.ensemble.stream(Purpose::Data, toy);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
        let n = match (self.total, &self.expected) {
            (Total::Fixed(n), _) => n,
            (Total::Poisson, expected) => expected.map_or(0.0, |e| e.draw(&mut stream)) as u64,
        };
        let sum = self.cumulative.last().copied().unwrap_or(0.0);
        let one = |stream: &mut _| {
            let u: f64 = StandardUniform.sample(stream);
            let x = u * sum;
            // The first event whose sum is above x: one of weight 0 is never met.
            let event = self.cumulative.partition_point(|below| *below <= x);
            // u · Σ may round up to Σ.
            if event < self.cumulative.len() { event } else { self.cumulative.partition_point(|below| *below < sum) }
        };
        (0..n).map(|_| one(&mut stream)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three bins of 2, 0 and 3 events; w = a₀ + a₁ c.
    fn events() -> Events {
        Events {
            monomials: vec![vec![], vec![0]],
            columns: vec![vec![10.0, 20.0, 5.0, 0.0, 15.0], vec![2.0, -1.0, 4.0, 0.0, -3.0]],
            start: vec![0, 2, 2, 5],
            ..Events::default()
        }
    }

    const ENSEMBLE: Ensemble = Ensemble { seed: 17, value: f64::NAN };

    /// At c = 2: weights 14, 18, 13, 0 and 9.
    #[test]
    fn mean_counts_are_the_weights() {
        let events = events();
        let generator = EventGenerator::new(&events, &[2.0], ENSEMBLE, Total::Poisson).unwrap();
        let n = 20_000;
        let mut counts = [0.0; 5];
        for toy in 0..n {
            generator.draw(toy).into_iter().for_each(|event| counts[event] += 1.0);
        }
        for (count, weight) in counts.iter().zip([14.0, 18.0, 13.0, 0.0, 9.0]) {
            let mean = count / n as f64;
            assert!((mean - weight).abs() <= 4.0 * f64::sqrt(weight / n as f64), "{mean} and {weight}");
        }
        assert_eq!(generator.draw(7), generator.draw(7));
        assert_ne!(generator.draw(7), generator.draw(8));
        let fixed = EventGenerator::new(&events, &[2.0], ENSEMBLE, Total::Fixed(31)).unwrap();
        assert_eq!(fixed.draw(3).len(), 31);
    }

    #[test]
    fn negative_weights_have_no_probability() {
        let failure = EventGenerator::new(&events(), &[6.0], ENSEMBLE, Total::Poisson).unwrap_err();
        assert_eq!(failure, EventToyFailure::Weight { event: 4, weight: -3.0 });
        let nothing = Events { columns: vec![vec![0.0; 5], vec![0.0; 5]], ..events() };
        let failure = EventGenerator::new(&nothing, &[1.0], ENSEMBLE, Total::Fixed(3)).unwrap_err();
        assert_eq!(failure, EventToyFailure::Total { expected: 0.0 });
    }
}
