//! Minima of a likelihood along a straight line: of the quartic that it is where means of measurements are quadratic, and
//! else between sampled places (spec/inference.md, "Several minima").

use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// Places on a line that are sampled: so many at equal distances, and others at distances that grow by a factor.
const EQUIDISTANT: usize = 24;
const FIRST: f64 = 0.5;
const GROWTH: f64 = 1.5;

/// A quartic is taken from four places this many widths apart, and must meet the fifth one to this part.
const APART: f64 = 4.0;
const MEETS: f64 = 1e-7;

/// Nearer minima, in widths, are the one through which the line goes.
const OTHER: f64 = 0.1;

/// A straight line through a point, as far as the bounds go.
pub(crate) struct Line<'a> {
    theta: &'a [f64],
    direction: Vec<(usize, f64)>,
    bounds: &'a [(f64, f64)],
    range: (f64, f64),
}

impl<'a> Line<'a> {
    /// The components of the direction belong to parameters.
    pub fn new(theta: &'a [f64], direction: Vec<(usize, f64)>, bounds: &'a [(f64, f64)]) -> Line<'a> {
        let mut range = (f64::NEG_INFINITY, f64::INFINITY);
        for &(i, component) in direction.iter().filter(|(_, component)| *component != 0.0) {
            let ends = [bounds[i].0, bounds[i].1].map(|bound| (bound - theta[i]) / component);
            range = (range.0.max(ends[0].min(ends[1])), range.1.min(ends[0].max(ends[1])));
        }
        Line { theta, direction, bounds, range }
    }

    /// Its minima within the bounds with their values, without the one where the line begins; the likelihood changes over
    /// distances of `width`.
    pub fn minima(&self, evaluator: &mut Evaluator, data: &PreparedData, width: f64) -> Vec<(f64, Vec<f64>)> {
        let (low, high) = self.range;
        if !(low.is_finite() && high.is_finite() && low < high && width > 0.0) {
            return Vec::new();
        }
        let Some(quartic) = self.quartic(evaluator, data, width) else {
            return self.sampled(evaluator, data, width);
        };
        let others = quartic.minima(low, high).into_iter().filter(|t| t.abs() > OTHER * width);
        let point = |t: f64| {
            let point = self.at(t);
            (evaluator.reduced(&point, data), point)
        };
        others.map(point).collect()
    }

    fn at(&self, t: f64) -> Vec<f64> {
        let mut point = self.theta.to_vec();
        for &(i, component) in &self.direction {
            // Rounding may carry the end of the line over a bound.
            point[i] = (point[i] + t * component).max(self.bounds[i].0).min(self.bounds[i].1);
        }
        point
    }

    /// The quartic that the likelihood is along the line; `None` where it is none.
    fn quartic(&self, evaluator: &mut Evaluator, data: &PreparedData, width: f64) -> Option<Quartic> {
        let mut point = self.theta.to_vec();
        let mut value = |t: f64| {
            for &(i, component) in &self.direction {
                point[i] = self.theta[i] + t * component;
            }
            evaluator.reduced(&point, data)
        };
        let x = APART * width;
        let here = value(0.0);
        let [far, near, right, further, check] = [-2.0, -1.0, 1.0, 2.0, 3.0].map(|t| value(t * x) - here);
        let (even, evener) = (0.5 * (right + near), 0.5 * (further + far));
        let (odd, odder) = (0.5 * (right - near), 0.5 * (further - far));
        let quartic = Quartic([
            (8.0 * odd - odder) / (6.0 * x),
            (16.0 * even - evener) / (12.0 * x * x),
            (odder - 2.0 * odd) / (6.0 * x * x * x),
            (evener - 4.0 * even) / (12.0 * x * x * x * x),
        ]);
        let largest = [far, near, right, further, check, here].into_iter().fold(0.0, |most: f64, f| most.max(f.abs()));
        ((quartic.value(3.0 * x) - check).abs() <= MEETS * largest).then_some(quartic)
    }

    /// Ascending; 0 is one of them.
    fn places(&self, width: f64) -> Vec<f64> {
        let (low, high) = self.range;
        let mut places: Vec<f64> =
            (0..=EQUIDISTANT).map(|k| low + (high - low) * (k as f64 / EQUIDISTANT as f64)).collect();
        let mut distance = FIRST * width;
        while distance < high.max(-low) && places.len() < 200 {
            places.extend([-distance, distance]);
            distance *= GROWTH;
        }
        places.push(0.0);
        places.retain(|t| (low..=high).contains(t));
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    /// The places that are lower than their neighbours, with their values, without the one where the line begins.
    fn sampled(&self, evaluator: &mut Evaluator, data: &PreparedData, width: f64) -> Vec<(f64, Vec<f64>)> {
        let places = self.places(width);
        let values: Vec<f64> = places.iter().map(|&t| evaluator.reduced(&self.at(t), data)).collect();
        // Outside of the domain the value is infinite.
        let lower = |k: usize, other: Option<usize>| other.and_then(|o| values.get(o)).is_none_or(|o| values[k] < *o);
        let is_minimum = |k: &usize| {
            places[*k] != 0.0 && values[*k].is_finite() && lower(*k, k.checked_sub(1)) && lower(*k, Some(*k + 1))
        };
        (0..places.len()).filter(is_minimum).map(|k| (values[k], self.at(places[k]))).collect()
    }
}

/// c₁ t + c₂ t² + c₃ t³ + c₄ t⁴.
#[derive(Clone, Copy, Debug)]
struct Quartic([f64; 4]);

impl Quartic {
    fn value(&self, t: f64) -> f64 {
        let [a, b, c, d] = self.0;
        t * (a + t * (b + t * (c + t * d)))
    }

    fn slope(&self, t: f64) -> f64 {
        let [a, b, c, d] = self.0;
        a + t * (2.0 * b + t * (3.0 * c + t * 4.0 * d))
    }

    /// Ascending, within a range and at its ends. Between two places where the curvature vanishes the slope is monotonic.
    fn minima(&self, low: f64, high: f64) -> Vec<f64> {
        let [_, b, c, d] = self.0;
        let (p, q, r) = (12.0 * d, 6.0 * c, 2.0 * b);
        // The stable formula of quadratic equations; a root that is not finite is none.
        let half = -0.5 * (q + q.signum() * (q * q - 4.0 * p * r).sqrt());
        let mut places = vec![low, high, half / p, r / half];
        places.retain(|t| (low..=high).contains(t));
        places.sort_by(f64::total_cmp);
        let mut minima = Vec::new();
        if self.slope(low) > 0.0 {
            minima.push(low);
        }
        for pair in places.windows(2) {
            let (mut left, mut right) = (pair[0], pair[1]);
            if !(self.slope(left) < 0.0 && self.slope(right) > 0.0) {
                continue;
            }
            for _ in 0..80 {
                let middle = 0.5 * (left + right);
                *(if self.slope(middle) < 0.0 { &mut left } else { &mut right }) = middle;
            }
            minima.push(0.5 * (left + right));
        }
        if self.slope(high) < 0.0 {
            minima.push(high);
        }
        minima
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are(quartic: [f64; 4], range: (f64, f64), want: &[f64]) {
        let got = Quartic(quartic).minima(range.0, range.1);
        assert!(
            got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12),
            "{got:?} {want:?}"
        );
    }

    /// (t² − 1)² − 1 has its minima at −1 and 1; (t − 1)² (t + 2)² its at 1 and −2; t² − 4t one at 2; −t² none but the ends.
    #[test]
    fn minima_by_hand() {
        are([0.0, -2.0, 0.0, 1.0], (-5.0, 5.0), &[-1.0, 1.0]);
        are([0.0, -2.0, 0.0, 1.0], (0.5, 5.0), &[1.0]);
        are([0.0, -2.0, 0.0, 1.0], (1.5, 5.0), &[1.5]);
        are([-4.0, -3.0, 2.0, 1.0], (-5.0, 5.0), &[-2.0, 1.0]);
        are([-4.0, 1.0, 0.0, 0.0], (-5.0, 5.0), &[2.0]);
        are([0.0, -1.0, 0.0, 0.0], (-5.0, 4.0), &[-5.0, 4.0]);
        are([1.0, 0.0, 0.0, 0.0], (-5.0, 4.0), &[-5.0]);
    }
}
