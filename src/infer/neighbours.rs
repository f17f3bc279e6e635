//! Minima handed on between the points of a scan: one that lies in a higher minimum than its neighbour gets the lower.

use super::likelihood::{Likelihood, Minimum};
use super::minos::constraint_width;
use super::profile::{Profile, ProfilePoint};
use std::collections::VecDeque;

/// Neighbours whose parameters differ by less than this part of a width are in one valley.
const SAME_VALLEY: f64 = 0.3;

/// Improves points from their neighbours and from fits afresh until nothing becomes lower.
pub(crate) struct Neighbours<'a, 'p> {
    pub profile: &'a mut Profile<'p>,
    /// What makes distances in the parameters comparable, n_parameters long.
    pub widths: Vec<f64>,
}

impl<'a, 'p> Neighbours<'a, 'p> {
    pub fn new(profile: &'a mut Profile<'p>) -> Neighbours<'a, 'p> {
        let widths = widths(&profile.likelihood, profile.best());
        Neighbours { profile, widths }
    }

    /// Looks for lower minima at these points with restarts; returns where there are.
    pub fn confirm(&mut self, points: &mut [ProfilePoint], which: &[usize]) -> Vec<usize> {
        let mut improved = Vec::new();
        for &i in which {
            let Some(point) = points.get_mut(i) else { continue };
            let fresh = self.profile.solve_afresh(&point.values);
            if point.offer(fresh) {
                *point = self.profile.begin_branch(point.clone());
                improved.push(i);
            }
        }
        improved
    }

    /// Offers the minimum of each point to its neighbours, and that of each improved one again. Returns how often a
    /// point became lower.
    pub fn spread<I: IntoIterator<Item = usize>>(
        &mut self,
        points: &mut [ProfilePoint],
        neighbours: impl Fn(usize) -> I,
    ) -> usize {
        let mut offers: VecDeque<usize> = (0..points.len()).collect();
        let mut improved = 0;
        // Each improvement lowers a value by more than the tolerance; the limit guards against the unforeseen.
        while let Some(i) = offers.pop_front().filter(|_| improved <= 20 * points.len()) {
            for j in neighbours(i) {
                if !points[i].minimum.valid() || self.same_valley(&points[i], &points[j]) {
                    continue;
                }
                let mut fresh = self.profile.solve(&points[j].values, &points[i].minimum.parameters);
                fresh.branch = points[i].branch;
                if points[j].offer(fresh) {
                    improved += 1;
                    offers.push_back(j);
                }
            }
        }
        improved
    }

    fn same_valley(&self, a: &ProfilePoint, b: &ProfilePoint) -> bool {
        let held = self.profile.parameters();
        let pairs = a.minimum.parameters.iter().zip(&b.minimum.parameters).zip(&self.widths).enumerate();
        let mut others = pairs.filter(|(i, _)| !held.contains(i));
        b.minimum.valid() && others.all(|(_, ((a, b), width))| (a - b).abs() <= SAME_VALLEY * width)
    }
}

/// The widths of the constraints; for other parameters a tenth of their size.
fn widths(likelihood: &Likelihood, best: &Minimum) -> Vec<f64> {
    let width = |(i, value): (usize, &f64)| {
        let constraint = constraint_width(likelihood.program(), i).filter(|w| w.is_finite() && *w > 0.0);
        constraint.unwrap_or(0.1 * value.abs().max(1.0))
    };
    best.parameters.iter().enumerate().map(width).collect()
}
