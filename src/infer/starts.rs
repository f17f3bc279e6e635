//! Other starts for likelihoods with responses: a rate that is quadratic in a coefficient takes each value on both sides
//! of its vertex, so that there may be a minimum on either (spec/inference.md, "Several minima").

use super::fit::FitOptions;
use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// Starts at most, the lowest ones.
const MOST_STARTS: usize = 6;

/// Places on each line: so many at equal distances, and others at distances that grow by a factor.
const EQUIDISTANT: usize = 24;
const FIRST: f64 = 0.5;
const GROWTH: f64 = 1.5;

/// Points of an even sequence for each free coefficient, at each scale.
const SPREAD: usize = 24;

/// Scales of the points: of the bounds around the start twice, then in widths of the minimum around it.
const OF_BOUNDS: [f64; 2] = [1.0, 0.25];
const OF_WIDTHS: f64 = 8.0;

/// Starts at most from the points of each scale; fewer where many coefficients make a fit long.
const MOST_OF_SCALE: usize = 12;
const FEW_OF_SCALE: usize = 4;
const MANY_COEFFICIENTS: usize = 12;

/// Starts that lines through a minimum do not lead to: of points that are spread evenly over the free coefficients, at three
/// scales, those with the lowest values (spec/inference.md, "Several minima"). None for a single coefficient, whose line is
/// searched. All other parameters are those of `theta`, a minimum with these `widths`; both are n_parameters long.
pub(crate) fn spread(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    options: &FitOptions,
    theta: &[f64],
    widths: &[f64],
) -> Vec<Vec<f64>> {
    let coefficients = free_coefficients(evaluator, options);
    let n = coefficients.len();
    let most = if n > MANY_COEFFICIENTS { FEW_OF_SCALE } else { MOST_OF_SCALE.min(2 * n) };
    if n < 2 {
        return Vec::new();
    }
    let steps = steps(n);
    let mut starts = Vec::new();
    for scale in OF_BOUNDS.map(Some).into_iter().chain([None]) {
        let mut points: Vec<(f64, Vec<f64>)> = Vec::with_capacity(SPREAD * n);
        for k in 1..=SPREAD * n {
            let mut point = theta.to_vec();
            for (&i, step) in coefficients.iter().zip(&steps) {
                let (low, high) = options.bounds[i];
                // Even in (−1, 1).
                let even = 2.0 * (0.5 + k as f64 * step).fract() - 1.0;
                let at = match scale {
                    Some(1.0) => 0.5 * (low + high) + 0.5 * even * (high - low),
                    Some(scale) => options.init[i] + 0.5 * scale * even * (high - low),
                    None => theta[i] + OF_WIDTHS * even * widths[i],
                };
                point[i] = at.max(low).min(high);
            }
            let value = evaluator.reduced(&point, data);
            if value.is_finite() {
                points.push((value, point));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.extend(points.into_iter().take(most).map(|(_, point)| point));
    }
    starts
}

/// Steps of the additive sequence that spreads n coordinates most evenly: powers of 1/x with x^(n+1) = x + 1.
fn steps(n: usize) -> Vec<f64> {
    let mut x = 1.5_f64;
    for _ in 0..60 {
        x = (1.0 + x).powf(1.0 / (n as f64 + 1.0));
    }
    (1..=n).map(|j| x.powi(-(j as i32))).collect()
}

fn free_coefficients(evaluator: &Evaluator, options: &FitOptions) -> Vec<usize> {
    let mut coefficients = evaluator.program.coefficients();
    coefficients.retain(|&i| !options.fixed[i] && options.bounds[i].0 < options.bounds[i].1);
    coefficients
}

/// Local minima of the likelihood on straight lines through `theta`: along each free coefficient, and through the point at
/// which all of them are zero; the valley of `theta` is left out. The lowest first; all within the bounds. `widths` tell
/// over which distances the likelihood changes; both are n_parameters long.
pub(crate) fn other_sides(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    options: &FitOptions,
    theta: &[f64],
    widths: &[f64],
) -> Vec<Vec<f64>> {
    let coefficients = free_coefficients(evaluator, options);
    let mut lines: Vec<(Vec<(usize, f64)>, f64)> = coefficients.iter().map(|&i| (vec![(i, 1.0)], widths[i])).collect();
    if coefficients.len() > 1 {
        lines.push((coefficients.iter().map(|&i| (i, theta[i])).collect(), 0.25));
    }
    let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
    for (direction, width) in lines {
        let line = Line::new(theta, direction, &options.bounds);
        found.extend(line.minima(evaluator, data, width));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(MOST_STARTS);
    found.into_iter().map(|(_, point)| point).collect()
}

/// A straight line through a point, as far as the bounds go.
struct Line<'a> {
    theta: &'a [f64],
    direction: Vec<(usize, f64)>,
    bounds: &'a [(f64, f64)],
    range: (f64, f64),
}

impl<'a> Line<'a> {
    fn new(theta: &'a [f64], direction: Vec<(usize, f64)>, bounds: &'a [(f64, f64)]) -> Line<'a> {
        let mut range = (f64::NEG_INFINITY, f64::INFINITY);
        for &(i, component) in direction.iter().filter(|(_, component)| *component != 0.0) {
            let ends = [bounds[i].0, bounds[i].1].map(|bound| (bound - theta[i]) / component);
            range = (range.0.max(ends[0].min(ends[1])), range.1.min(ends[0].max(ends[1])));
        }
        Line { theta, direction, bounds, range }
    }

    fn at(&self, t: f64) -> Vec<f64> {
        let mut point = self.theta.to_vec();
        for &(i, component) in &self.direction {
            // Rounding may carry the end of the line over a bound.
            point[i] = (point[i] + t * component).max(self.bounds[i].0).min(self.bounds[i].1);
        }
        point
    }

    /// Ascending; 0 is one of them.
    fn places(&self, width: f64) -> Vec<f64> {
        let (low, high) = self.range;
        if !(low.is_finite() && high.is_finite() && low < high && width > 0.0) {
            return Vec::new();
        }
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
    fn minima(&self, evaluator: &mut Evaluator, data: &PreparedData, width: f64) -> Vec<(f64, Vec<f64>)> {
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
