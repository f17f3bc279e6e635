//! A profile over a grid: from every known minimum outward in both directions, each value from its neighbour
//! (spec/inference.md, "Several minima").

use super::{Profile, ProfilePoint};
use crate::infer::watch::Watch;

/// A branch is not followed where it lies so far, in `twice_nll`, above the lowest one known at a value.
const FAR: f64 = 16.0;

impl Profile<'_> {
    /// Fills in all `values` (ascending) of a profile along one parameter that is continued from several minima. A branch
    /// ends where it becomes another one or lies far above the lowest; where none is left, the value is looked for afresh. The result does not depend on
    /// the number of threads.
    pub(crate) fn march(&mut self, values: &[f64], watch: &Watch) {
        let mut lowest = vec![f64::INFINITY; values.len()];
        for branch in 0..self.branches.len() {
            let Some(seed) = self.branches[branch].first().cloned() else { continue };
            // No place of a branch is lower than the minimum from which it comes.
            let needed = |k: &usize| lowest[*k] > seed.minimum.twice_nll;
            let start = values.partition_point(|value| *value < seed.values[0]);
            let first = (0..start).find(needed).unwrap_or(start);
            let last = (start..values.len()).rfind(needed).map_or(start, |last| last + 1);
            let with_limit = |k: usize| (values[k], lowest[k] + FAR);
            let walk =
                |values: &mut (dyn Iterator<Item = (f64, f64)> + Send)| self.clone().walk(branch, &seed, values, watch);
            let (below, above) = rayon::join(
                || walk(&mut (first..start).rev().map(with_limit)),
                || walk(&mut (start..last).map(with_limit)),
            );
            for point in below.into_iter().chain(above) {
                if let Ok(k) = values.binary_search_by(|value| value.total_cmp(&point.values[0])) {
                    lowest[k] = lowest[k].min(point.minimum.twice_nll);
                }
                self.branches[branch].push(point);
            }
        }
        for &value in values {
            if watch.is_stopped() || self.first_minimum.is_some() {
                return;
            }
            match self.lowest_at(value) {
                Some(mut lowest) => {
                    if let Some(known) = self.points.iter().position(|known| known.values[0] == value) {
                        lowest.offer(self.points.swap_remove(known));
                    }
                    self.add(lowest);
                }
                None => {
                    self.at(&[value]);
                }
            }
            watch.step();
        }
    }

    /// The points of one branch, each from the one before, at values with the `twice_nll` beyond which the branch ends.
    fn walk(
        mut self,
        branch: usize,
        seed: &ProfilePoint,
        values: &mut (dyn Iterator<Item = (f64, f64)> + Send),
        watch: &Watch,
    ) -> Vec<ProfilePoint> {
        let mut points: Vec<ProfilePoint> = Vec::new();
        for (value, limit) in values {
            if watch.is_stopped() {
                break;
            }
            let last = points.last().unwrap_or(seed);
            let (near, start) = (last.minimum.parameters.clone(), self.moved(last, &[value]));
            let mut point = self.solve(&[value], &start);
            if !point.minimum.valid() {
                point = self.solve(&[value], &near);
            }
            point.branch = Some(branch);
            let earlier = self.branches.iter().take(branch).flatten().filter(|other| other.values[0] == value);
            let ends = !point.minimum.valid() || earlier.into_iter().any(|other| self.in_one_place(&point, other));
            let is_far = point.minimum.twice_nll > limit;
            if ends || is_far {
                break;
            }
            points.push(point);
        }
        points
    }

    /// The lowest point of all branches at a value.
    fn lowest_at(&self, value: f64) -> Option<ProfilePoint> {
        let mut at_value = self.branches.iter().flatten().filter(|point| point.values[0] == value).cloned();
        let mut lowest = at_value.next()?;
        at_value.for_each(|point| {
            lowest.offer(point);
        });
        Some(lowest)
    }

    /// Places in a list of points where the branch or the bounds that hold are not those of the point before.
    pub(crate) fn changes(&self, points: &[ProfilePoint]) -> Vec<usize> {
        let state = |point: &ProfilePoint| (point.branch, self.active_bounds(point));
        (1..points.len()).filter(|&k| state(&points[k]) != state(&points[k - 1])).collect()
    }
}
