//! Fits of toys: each gives the best value of the POI and −2 Δ ln L of a tested value (spec/inference.md, "Toys").

use super::fit::{Failure, FitOptions, Hesse};
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
use std::convert::Infallible;
use std::ops::Range;

/// Toys that one thread draws and fits together.
const CHUNK: usize = 128;

/// Chunks a thread that are in work before their results are handed on.
const CHUNKS_AHEAD: usize = 8;

/// With more parameters than this fits do not go in lanes. Measured gains: a factor 2.9 with 3 parameters, 2.3 with 60 to
/// 70, 1.3 with 130.
const MOST_IN_LANES: usize = 160;

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
    /// Draws and fits toys and hands them to `sink` in order. Ends early when the watch is stopped, after toys that are all
    /// handed over; or where `sink` says so, with what it says.
    pub fn run<E>(
        &self,
        generator: &Generator,
        toys: impl Iterator<Item = u64>,
        watch: &Watch,
        sink: impl FnMut(Toy) -> Result<(), E>,
    ) -> Result<(), E> {
        let fitter = || ToyFitter::new(self.program, &self.options);
        in_chunks(toys, watch, fitter, |fitter, chunk| fitter.tested(self, generator, chunk, watch), sink)
    }

    /// All toys of a range, in order.
    pub fn collect(&self, generator: &Generator, toys: Range<u64>, watch: &Watch) -> Vec<Toy> {
        let mut all = Vec::new();
        let Ok(()) = self.run(generator, toys, watch, |toy| {
            all.push(toy);
            Ok::<(), Infallible>(())
        });
        all
    }
}

/// The saturated statistic of each toy of a range, in order: −2 ln L at its best fit less that of a model that meets every
/// count and every auxiliary datum (spec/inference.md, "Goodness of fit"). A stopped watch leaves what is done.
pub fn saturated_statistics(
    program: &Program,
    options: &FitOptions,
    generator: &Generator,
    toys: Range<u64>,
    watch: &Watch,
) -> Vec<(u64, Result<f64, ToyFailure>)> {
    let mut all = Vec::new();
    let fitter = || ToyFitter::new(program, options);
    let Ok(()) = in_chunks(
        toys,
        watch,
        fitter,
        |fitter, chunk| fitter.saturated(generator, chunk, watch),
        |toy| {
            all.push(toy);
            Ok::<(), Infallible>(())
        },
    );
    all
}

/// Runs chunks of toys over the threads, a few at a time, and hands over what comes of them in order.
fn in_chunks<F, T: Send, E>(
    toys: impl Iterator<Item = u64>,
    watch: &Watch,
    fitter: impl Fn() -> F + Sync,
    work: impl Fn(&mut F, &[u64]) -> Vec<T> + Sync,
    mut sink: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let mut toys = toys.peekable();
    while toys.peek().is_some() && !watch.is_stopped() {
        let indices: Vec<u64> = toys.by_ref().take(CHUNKS_AHEAD * rayon::current_num_threads() * CHUNK).collect();
        let done: Vec<Vec<T>> =
            indices.par_chunks(CHUNK).map_init(&fitter, |fitter, chunk| work(fitter, chunk)).collect();
        for toy in done.into_iter().flatten() {
            sink(toy)?;
        }
    }
    Ok(())
}

/// What one thread needs.
struct ToyFitter<'p> {
    likelihood: Likelihood<'p>,
    lanes: Option<LaneFitter<'p>>,
    data: Data,
    prepared: Vec<PreparedData>,
}

/// What drawing gave, toy by toy.
type Drawn = Vec<Result<(), GenerationFailure>>;

impl<'p> ToyFitter<'p> {
    fn new(program: &'p Program, options: &FitOptions) -> ToyFitter<'p> {
        let data = Data::zeros(program);
        let options = FitOptions { hesse: Hesse::No, ..options.clone() };
        let likelihood = Likelihood::new(program, &data, options);
        let small = program.n_parameters() <= MOST_IN_LANES && program.runs_in_lanes();
        let lanes = small.then(|| LaneFitter::new(&likelihood.evaluator, &likelihood.options));
        ToyFitter { likelihood, lanes, data, prepared: Vec::new() }
    }

    /// Draws the data of a chunk to `prepared`.
    fn draw(&mut self, generator: &Generator, toys: &[u64]) -> Drawn {
        let mut drawn = Vec::with_capacity(toys.len());
        let program = self.likelihood.program();
        for (place, &toy) in toys.iter().enumerate() {
            drawn.push(generator.draw(&mut self.likelihood.evaluator, toy, &mut self.data));
            if place == self.prepared.len() {
                self.prepared.push(program.prepare(&self.data));
            }
            self.prepared[place].replace(program, &self.data);
        }
        drawn
    }

    fn tested(&mut self, test: &ToyTest, generator: &Generator, toys: &[u64], watch: &Watch) -> Vec<Toy> {
        let drawn = self.draw(generator, toys);
        let free_start = inside(generator.point(), &test.options);
        let mut held_start = inside(&test.conditional_start, &test.options);
        held_start[test.poi] = test.mu;
        let mut free = self.in_lanes(&drawn, &free_start, None);
        let mut held = self.in_lanes(&drawn, &held_start, Some(test.poi));
        let mut done = Vec::with_capacity(toys.len());
        for (place, (&index, drawn)) in toys.iter().zip(drawn).enumerate() {
            if watch.is_stopped() {
                break;
            }
            let outcome = drawn.map_err(ToyFailure::Generation).and_then(|()| {
                let (free, held) = (free[place].take(), held[place].take());
                self.toy(place, (test.poi, test.mu), (&free_start, free), (&held_start, held))
            });
            watch.step();
            done.push(Toy { index, outcome });
        }
        done
    }

    fn saturated(&mut self, generator: &Generator, toys: &[u64], watch: &Watch) -> Vec<(u64, Result<f64, ToyFailure>)> {
        let drawn = self.draw(generator, toys);
        let start = inside(generator.point(), &self.likelihood.options);
        let mut minima = self.in_lanes(&drawn, &start, None);
        let mut done = Vec::with_capacity(toys.len());
        for (place, (&index, drawn)) in toys.iter().zip(drawn).enumerate() {
            if watch.is_stopped() {
                break;
            }
            let statistic = drawn.map_err(ToyFailure::Generation).and_then(|()| {
                let minimum = self.minimum(place, minima[place].take(), &start, &[]);
                match minimum.reason {
                    None => Ok(minimum.twice_nll),
                    Some(failure) => Err(ToyFailure::Fit(TestFit::Unconditional, failure)),
                }
            });
            watch.step();
            done.push((index, statistic));
        }
        done
    }

    /// Minima of the toys that lanes can find.
    fn in_lanes(&mut self, drawn: &Drawn, start: &[f64], held: Option<usize>) -> Vec<Option<LaneMinimum>> {
        let mut minima = vec![None; drawn.len()];
        let Some(lanes) = &mut self.lanes else { return minima };
        let places: Vec<usize> = (0..drawn.len()).filter(|&place| drawn[place].is_ok()).collect();
        let jobs: Vec<Job> = places.iter().map(|&place| Job { data: &self.prepared[place], start, held }).collect();
        for (place, minimum) in places.iter().zip(lanes.minimise(&jobs)) {
            minima[*place] = minimum;
        }
        minima
    }

    /// Both minima of one toy, the free one not above the other.
    fn toy(
        &mut self,
        place: usize,
        at_mu: (usize, f64),
        (free_start, free): (&[f64], Option<LaneMinimum>),
        (held_start, held): (&[f64], Option<LaneMinimum>),
    ) -> Result<ToyValue, ToyFailure> {
        let mut free = self.minimum(place, free, free_start, &[]);
        let held = self.minimum(place, held, held_start, &[at_mu]);
        if held.valid() && (!free.valid() || held.twice_nll < free.twice_nll - LOWER) {
            let other = self.minimum(place, None, &held.parameters, &[]);
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
        Ok(ToyValue { mu_hat: free.parameters[at_mu.0], height })
    }

    /// What lanes have found; else the minimum from the start, and where that fails from the model's own.
    fn minimum(&mut self, place: usize, found: Option<LaneMinimum>, start: &[f64], held: &[(usize, f64)]) -> Minimum {
        if let Some(LaneMinimum { parameters, reduced }) = found {
            return Minimum { parameters, twice_nll: reduced, reason: None, without_effect: Vec::new() };
        }
        self.likelihood.data.clone_from(&self.prepared[place]);
        if self.likelihood.program().has_responses() {
            return self.lowest(start, held);
        }
        // As in lanes: restarts are for what fails without them.
        let restarts = std::mem::replace(&mut self.likelihood.options.restarts, false);
        let minimum = self.likelihood.minimum_from(start, held);
        self.likelihood.options.restarts = restarts;
        if minimum.valid() { minimum } else { self.likelihood.conditional_fit(held) }
    }
}

impl ToyFitter<'_> {
    /// With responses each toy may have several minima, and the lowest one counts.
    fn lowest(&mut self, start: &[f64], held: &[(usize, f64)]) -> Minimum {
        let own = std::mem::replace(&mut self.likelihood.options.init, start.to_vec());
        let minimum = self.likelihood.conditional_fit(held);
        self.likelihood.options.init = own;
        if minimum.valid() { minimum } else { self.likelihood.conditional_fit(held) }
    }
}

/// A start within the bounds.
fn inside(point: &[f64], options: &FitOptions) -> Vec<f64> {
    point.iter().zip(&options.bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect()
}
