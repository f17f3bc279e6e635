//! The search for the minima of a likelihood with responses: starts of several kinds, until spread ones bring nothing new
//! (spec/inference.md, "Several minima").

use super::fit::{FitOptions, Fitter};
use super::minima::{Basin, Catalogue, Descent, Origin};
use super::minimize::Ending;
use super::starts::{Spread, free_coefficients, linear_optimum, other_sides};
use crate::kernel::Evaluator;
use crate::program::PreparedData;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// A minimum that lies not farther above the lowest one counts as something new, and its other sides are looked at.
const RELEVANT: f64 = 4.0;

/// Spread starts that run together: what one of them finds is known to those of the next batch.
const BATCH: usize = 16;

/// Spread starts at most, in parts of those that must bring nothing new.
const MOST_SPREAD: usize = 10;

/// No other sides of further minima after so many starts from such sides.
const MOST_SIDES: usize = 400;

/// Without a minimum the widths around the start are this part of the bounds.
const OF_BOX: f64 = 1.0 / 32.0;

/// A brief search: the lowest other sides of each minimum, few minima, few spread starts; fewer of them with many
/// coefficients.
const BRIEF_SIDES: [usize; 2] = [6, 4];
const BRIEF_MINIMA: [usize; 2] = [8, 1];
const BRIEF_SPREAD: [usize; 2] = [12, 0];
const MANY_COEFFICIENTS: usize = 12;

impl Fitter {
    /// All minima to which starts lead, `first` being known: where it is, and its value. The same for any number of
    /// threads. The minimiser of this fitter is left as it is.
    pub(super) fn search(
        &self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        first: Descent,
    ) -> (Catalogue, usize, usize) {
        let coefficients = free_coefficients(evaluator, options);
        let catalogue = Catalogue::new(coefficients);
        let mut search = Search { fitter: self, evaluator, data, options, catalogue, iterations: 0, evaluations: 0 };
        search.record(first, Origin::Chosen);
        search.run();
        (search.catalogue, search.iterations, search.evaluations)
    }
}

/// A search at work.
struct Search<'a, 'b, 'p> {
    fitter: &'a Fitter,
    evaluator: &'b mut Evaluator<'p>,
    data: &'a PreparedData,
    options: &'a FitOptions,
    catalogue: Catalogue,
    iterations: usize,
    evaluations: usize,
}

impl Search<'_, '_, '_> {
    fn run(&mut self) {
        if self.catalogue.coefficients.is_empty() {
            return;
        }
        if !self.options.brief {
            let linear = linear_optimum(self.evaluator, self.data, self.options);
            self.try_all(&linear.into_iter().collect::<Vec<_>>(), Origin::Chosen);
        }
        let mut spread = Spread::new(self.options.seed);
        // Starts from other sides; spread starts, and those of them since something new was found.
        let (mut n_sides, mut n_spread, mut n_idle) = (0, 0, 0);
        let (most_spread, most_idle) = match self.options.brief {
            true => (BRIEF_SPREAD[self.many()].min(self.options.starts), usize::MAX),
            false => (MOST_SPREAD * self.options.starts, self.options.starts),
        };
        loop {
            if let Some(place) = self.unexplored(n_sides) {
                n_sides += self.explore(place);
                continue;
            }
            let batch = BATCH.min(most_spread - n_spread).min(most_idle - n_idle);
            // A single coefficient has no more than its line.
            if batch == 0 || (self.options.brief && self.catalogue.coefficients.len() == 1) {
                return;
            }
            let around = self.around();
            let mut start =
                || spread.next(self.evaluator, self.data, self.options, &self.catalogue.coefficients, &around);
            let starts: Vec<Vec<f64>> = (0..batch).map(|_| start()).collect();
            n_spread += batch;
            n_idle = self.try_all(&starts, Origin::Spread).map_or(n_idle + batch, |last| batch - 1 - last);
        }
    }

    /// 1 with many coefficients.
    fn many(&self) -> usize {
        usize::from(self.catalogue.coefficients.len() > MANY_COEFFICIENTS)
    }

    /// The lowest minimum, or the start in its place.
    fn around(&self) -> Basin {
        let start = || Basin {
            theta: self.options.init.clone(),
            value: f64::INFINITY,
            widths: self.options.bounds.iter().map(|(low, high)| OF_BOX * (high - low)).collect(),
            hessian: DMatrix::zeros(0, 0),
            n_hits: 0,
            n_spread: 0,
            explored: false,
        };
        self.catalogue.basins.get(self.catalogue.lowest()).cloned().unwrap_or_else(start)
    }

    /// The lowest minimum of which no other sides were looked at, if it is relevant and there is leave to look at more.
    fn unexplored(&self, n_sides: usize) -> Option<usize> {
        let n_explored = self.catalogue.basins.iter().filter(|basin| basin.explored).count();
        let may = if self.options.brief { n_explored < BRIEF_MINIMA[self.many()] } else { n_sides < MOST_SIDES };
        let places = (0..self.catalogue.basins.len()).filter(|&place| !self.catalogue.basins[place].explored);
        let lowest = places.min_by(|a, b| self.catalogue.height(*a).total_cmp(&self.catalogue.height(*b)))?;
        (may && (self.options.brief || self.catalogue.height(lowest) <= RELEVANT)).then_some(lowest)
    }

    /// Starts from the other sides of a minimum; returns how many.
    fn explore(&mut self, place: usize) -> usize {
        self.catalogue.basins[place].explored = true;
        let basin = self.catalogue.basins[place].clone();
        let mut starts = other_sides(self.evaluator, self.data, self.options, &self.catalogue.coefficients, &basin);
        if self.options.brief {
            starts.truncate(BRIEF_SIDES[self.many()]);
        }
        let starts: Vec<Vec<f64>> = starts.into_iter().map(|(_, start)| start).collect();
        self.try_all(&starts, Origin::Chosen);
        starts.len()
    }

    /// Runs from all these starts; the last of them that brought something new.
    fn try_all(&mut self, starts: &[Vec<f64>], origin: Origin) -> Option<usize> {
        let (data, options) = (self.data, self.options);
        let worker = || (self.fitter.clone(), self.evaluator.clone());
        let descents: Vec<Descent> = starts
            .par_iter()
            .map_init(worker, |(fitter, evaluator), start| fitter.descend(evaluator, data, options, start))
            .collect();
        let mut last = None;
        for (k, descent) in descents.into_iter().enumerate() {
            let place = self.record(descent, origin);
            if place.is_some_and(|place| self.catalogue.height(place) <= RELEVANT) {
                last = Some(k);
            }
        }
        last
    }

    fn record(&mut self, descent: Descent, origin: Origin) -> Option<usize> {
        self.iterations += descent.iterations;
        self.evaluations += descent.evaluations;
        let coefficients = self.catalogue.coefficients.clone();
        let (evaluator, data) = (&mut *self.evaluator, self.data);
        self.catalogue.add(descent, origin, |theta| hessian(evaluator, data, &coefficients, theta))
    }
}

impl Fitter {
    /// Where a start leads.
    fn descend(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        options: &FitOptions,
        start: &[f64],
    ) -> Descent {
        let (ending, iterations, evaluations) = self.minimise(evaluator, data, options, start);
        self.here(ending == Ending::Converged, iterations, evaluations)
    }

    /// Where the minimiser is.
    pub(super) fn here(&self, converged: bool, iterations: usize, evaluations: usize) -> Descent {
        let (theta, value, widths) = (self.minimizer.theta.clone(), self.minimizer.value, self.minimizer.widths());
        Descent { converged, theta, value, widths, iterations, evaluations }
    }
}

/// The Hessian of the coefficients.
fn hessian(evaluator: &mut Evaluator, data: &PreparedData, coefficients: &[usize], theta: &[f64]) -> DMatrix<f64> {
    let n = theta.len();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    evaluator.hessian(theta, data, &mut gradient, &mut hessian);
    DMatrix::from_fn(coefficients.len(), coefficients.len(), |a, b| hessian[coefficients[a] * n + coefficients[b]])
}
