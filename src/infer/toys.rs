//! Fits of toys: each gives the best value of the POI and −2 Δ ln L of a tested value (spec/inference.md, "Toys").

use super::fit::{Failure, FitOptions};
use super::generate::{GenerationFailure, Generator};
use super::hypotest::TestFit;
use super::lane_fit::{Job, LaneFitter, LaneMinimum};
use super::likelihood::{Likelihood, Minimum};
use super::profile::LOWER;
use super::test_statistic::TestStatistic;
use super::watch::Watch;
use crate::model::Data;
use crate::program::{PreparedData, Program};
use rayon::prelude::*;
use std::ops::Range;

/// Toys that one thread draws and fits together.
const CHUNK: u64 = 128;

/// Chunks a thread that are in work before their results are handed on.
const CHUNKS_AHEAD: usize = 8;

/// With more parameters than this fits do not go in lanes.
const MOST_IN_LANES: usize = 128;

/// One toy tested. A toy without a valid result says why and counts in no statistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Toy {
    pub index: u64,
    pub outcome: Result<ToyValue, ToyFailure>,
}

/// The numbers of a toy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToyValue {
    /// The best value of the POI.
    pub mu_hat: f64,
    /// −2 Δ ln L between the tested value of the POI and the best one.
    pub height: f64,
}

/// Why a toy has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum ToyFailure {
    Generation(GenerationFailure),
    Fit(TestFit, Failure),
}

impl Toy {
    /// The test statistic of the tested value; `None` for a failed toy.
    pub fn statistic(&self, statistic: TestStatistic, mu: f64) -> Option<f64> {
        self.outcome.as_ref().ok().map(|value| statistic.value(mu, value.mu_hat, value.height))
    }
}

/// How toys are fitted and what is tested on each.
#[derive(Clone, Debug)]
pub struct ToyTest<'p> {
    pub program: &'p Program,
    /// Bounds and fixed flags; the start of a last resort.
    pub options: FitOptions,
    pub poi: usize,
    /// The tested value.
    pub mu: f64,
    /// Where the fits with the POI at `mu` begin (n_parameters).
    pub conditional_start: Vec<f64>,
}

impl ToyTest<'_> {
    /// Draws and fits the toys of a range and hands them to `sink` in order. Ends early when the watch is stopped, after
    /// toys that are all handed over; or where `sink` says so, with what it says.
    pub fn run<E>(
        &self,
        generator: &Generator,
        toys: impl Iterator<Item = u64>,
        watch: &Watch,
        mut sink: impl FnMut(Toy) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut toys = toys.peekable();
        while toys.peek().is_some() && !watch.is_stopped() {
            let ahead = CHUNKS_AHEAD * rayon::current_num_threads() * CHUNK as usize;
            let indices: Vec<u64> = toys.by_ref().take(ahead).collect();
            let done: Vec<Vec<Toy>> = indices
                .par_chunks(CHUNK as usize)
                .map_init(|| ToyFitter::new(self), |fitter, chunk| fitter.chunk(generator, chunk, watch))
                .collect();
            for toy in done.into_iter().flatten() {
                sink(toy)?;
            }
        }
        Ok(())
    }

    /// All toys of a range, in order.
    pub fn collect(&self, generator: &Generator, toys: Range<u64>, watch: &Watch) -> Vec<Toy> {
        let mut all = Vec::new();
        let Ok(()) = self.run(generator, toys, watch, |toy| {
            all.push(toy);
            Ok::<(), std::convert::Infallible>(())
        });
        all
    }
}

/// What one thread needs.
struct ToyFitter<'t, 'p> {
    test: &'t ToyTest<'p>,
    likelihood: Likelihood<'p>,
    lanes: Option<LaneFitter<'p>>,
    data: Data,
    prepared: Vec<PreparedData>,
}

impl<'t, 'p> ToyFitter<'t, 'p> {
    fn new(test: &'t ToyTest<'p>) -> ToyFitter<'t, 'p> {
        let program = test.program;
        let data = Data { main: vec![0.0; program.n_bins()], auxiliary: vec![0.0; program.n_auxdata()] };
        let likelihood = Likelihood::new(program, &data, test.options.clone());
        let lanes =
            (program.n_parameters() <= std::env::var("LANES").map_or(MOST_IN_LANES, |v| v.parse().unwrap())).then(|| LaneFitter::new(&likelihood.evaluator, &test.options));
        ToyFitter { test, likelihood, lanes, data, prepared: Vec::new() }
    }

    fn chunk(&mut self, generator: &Generator, toys: &[u64], watch: &Watch) -> Vec<Toy> {
        let mut drawn = Vec::with_capacity(toys.len());
        for (place, &toy) in toys.iter().enumerate() {
            let outcome = generator.draw(&mut self.likelihood.evaluator, toy, &mut self.data);
            if place == self.prepared.len() {
                self.prepared.push(self.likelihood.program().prepare(&self.data));
            }
            self.prepared[place].replace(self.test.program, &self.data);
            drawn.push(outcome);
        }
        let free_start = inside(generator.point(), &self.test.options);
        let mut conditional_start = inside(&self.test.conditional_start, &self.test.options);
        conditional_start[self.test.poi] = self.test.mu;
        let mut free = self.in_lanes(&drawn, &free_start, None);
        let mut held = self.in_lanes(&drawn, &conditional_start, Some(self.test.poi));
        let mut done = Vec::with_capacity(toys.len());
        for (place, (&index, drawn)) in toys.iter().zip(drawn).enumerate() {
            if watch.is_stopped() {
                break;
            }
            let outcome = drawn.map_err(ToyFailure::Generation).and_then(|()| {
                let (free, held) = (free[place].take(), held[place].take());
                self.toy(place, (&free_start, free), (&conditional_start, held))
            });
            watch.step();
            done.push(Toy { index, outcome });
        }
        done
    }

    /// Minima of the toys that lanes can find.
    fn in_lanes(
        &mut self,
        drawn: &[Result<(), GenerationFailure>],
        start: &[f64],
        held: Option<usize>,
    ) -> Vec<Option<LaneMinimum>> {
        let mut minima = vec![None; drawn.len()];
        let Some(lanes) = &mut self.lanes else { return minima };
        let places: Vec<usize> = (0..drawn.len()).filter(|&place| drawn[place].is_ok()).collect();
        let jobs: Vec<Job> = places.iter().map(|&place| Job { data: &self.prepared[place], start, held }).collect();
        for (place, minimum) in places.iter().zip(lanes.minimise(&jobs)) {
            minima[*place] = minimum;
        }
        minima
    }

    /// Both minima of one toy; those that lanes have not found, or not low enough, from the full fitter.
    fn toy(
        &mut self,
        place: usize,
        (free_start, free): (&[f64], Option<LaneMinimum>),
        (held_start, held): (&[f64], Option<LaneMinimum>),
    ) -> Result<ToyValue, ToyFailure> {
        self.likelihood.data.clone_from(&self.prepared[place]);
        let at_mu = [(self.test.poi, self.test.mu)];
        let mut free = match free {
            Some(minimum) => minimum.into(),
            None => self.minimum(free_start, &[]),
        };
        let held = match held {
            Some(minimum) => minimum.into(),
            None => self.minimum(held_start, &at_mu),
        };
        if held.valid() && (!free.valid() || held.twice_nll < free.twice_nll - LOWER) {
            let other = self.likelihood.minimum_from(&held.parameters, &[]);
            if other.valid() && (!free.valid() || other.twice_nll < free.twice_nll) {
                free = other;
            }
        }
        for (fit, minimum) in [(TestFit::Unconditional, &free), (TestFit::Conditional, &held)] {
            if let Some(failure) = &minimum.reason {
                return Err(ToyFailure::Fit(fit, failure.clone()));
            }
        }
        let height = (held.twice_nll - free.twice_nll).max(0.0);
        Ok(ToyValue { mu_hat: free.parameters[self.test.poi], height })
    }

    /// From the point at which the toy was made; where that fails, from the model's own start.
    fn minimum(&mut self, start: &[f64], held: &[(usize, f64)]) -> Minimum {
        let minimum = self.likelihood.minimum_from(start, held);
        if minimum.valid() { minimum } else { self.likelihood.conditional_fit(held) }
    }
}

impl From<LaneMinimum> for Minimum {
    fn from(minimum: LaneMinimum) -> Minimum {
        Minimum { parameters: minimum.parameters, twice_nll: minimum.reduced, reason: None }
    }
}

/// A start within the bounds.
fn inside(point: &[f64], options: &FitOptions) -> Vec<f64> {
    point.iter().zip(&options.bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect()
}
