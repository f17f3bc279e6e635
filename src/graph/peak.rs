//! Integrals that have missed a peak of their integrand: between the points of a quadrature a peak far narrower than the
//! range is not seen (spec/hs3.md, section 6). Whether there is one is looked up at other points, the events among them.

use super::column::BLOCK;
use super::quadrature::{Cell, POINTS, Quadrature, Run, Work, node, weight};
use crate::kernel::simd::{flat, flat_mut};
use std::ops::Range;
use std::sync::LazyLock;

/// What an integral may be off by, and its derivatives along a direction of its inputs.
const WRONG: f64 = 1e-7;
const WRONG_SLOPE: f64 = 1e-3;

/// So many points where the integrand is not what its cell says are looked at closely.
const MOST_SUSPECTS: usize = 16;

/// So many points are interpolated at once.
const LANES: usize = 8;

/// The cells around a suspicious point shrink by this.
const SHRINKAGE: f64 = 0.25;

/// An integrand at a point that is not what its cell says.
struct Suspect {
    x: f64,
    cell: Range<f64>,
    /// By how much, for the width of the cell.
    size: f64,
    /// What the cell has added to the integral.
    part: f64,
}

impl Quadrature {
    /// Where the `cells` of an integral over one variate miss a peak of the integrand, as far as `probes` tell; or with
    /// `moved` inputs a peak of what the integrand changes by: one whose strength is zero makes no value, but a slope.
    pub fn missed_peak(
        &self,
        run: &mut Run,
        work: &mut Work,
        cells: &[Cell],
        probes: &[f64],
        moved: Option<&[f64]>,
    ) -> Option<f64> {
        let mut cells: Vec<Range<f64>> = cells.iter().map(Cell::first_axis).collect();
        cells.sort_by(|a, b| a.start.total_cmp(&b.start));
        let nodes = |cell: &Range<f64>| (0..POINTS).map(|i| at_node(cell, i)).collect::<Vec<f64>>();
        let at_nodes = self.changes(&cells.iter().flat_map(nodes).collect::<Vec<f64>>(), run, work, moved);
        let at_probes = self.changes(probes, run, work, moved);
        let sizes = cells.iter().zip(at_nodes.chunks(POINTS)).map(|(cell, values)| {
            0.5 * (cell.end - cell.start) * values.iter().enumerate().map(|(i, x)| weight(i) * x.abs()).sum::<f64>()
        });
        let wrong = if moved.is_some() { WRONG_SLOPE } else { WRONG } * sizes.sum::<f64>();
        let (mut suspects, mut next) = (Vec::new(), 0);
        for (cell, values) in cells.iter().zip(at_nodes.chunks(POINTS)) {
            let part =
                0.5 * (cell.end - cell.start) * values.iter().enumerate().map(|(i, x)| weight(i) * x).sum::<f64>();
            let inside = next..next + probes[next..].partition_point(|x| *x <= cell.end);
            next = inside.end;
            let mut largest: Option<Suspect> = None;
            let expected = interpolated(cell, values, &probes[inside.clone()]);
            for ((x, value), expected) in probes[inside.clone()].iter().zip(&at_probes[inside]).zip(expected) {
                let size = (value - expected).abs() * (cell.end - cell.start);
                let is_larger = size > largest.as_ref().map_or(wrong, |suspect| suspect.size);
                if is_larger && value.is_finite() {
                    largest = Some(Suspect { x: *x, cell: cell.clone(), size, part });
                }
            }
            suspects.extend(largest);
        }
        suspects.sort_by(|a, b| b.size.total_cmp(&a.size));
        suspects.truncate(MOST_SUSPECTS);
        suspects.into_iter().find(|suspect| self.is_missed(run, work, suspect, wrong, moved)).map(|suspect| suspect.x)
    }

    /// Whether the integral over a cell is another one where the cells become ever smaller towards a point.
    fn is_missed(&self, run: &mut Run, work: &mut Work, suspect: &Suspect, wrong: f64, moved: Option<&[f64]>) -> bool {
        let Suspect { x, cell, part, .. } = suspect;
        let steps = || std::iter::successors(Some(1.0), |step| Some(step * SHRINKAGE).filter(|step| *step > 1e-13));
        let mut ends: Vec<f64> = steps().map(|step| x - (x - cell.start) * step).collect();
        ends.push(*x);
        ends.extend(steps().collect::<Vec<f64>>().into_iter().rev().map(|step| x + (cell.end - x) * step));
        let cells = || ends.windows(2).filter(|ends| ends[0] < ends[1]).map(|ends| Cell::new(ends[0], ends[1]));
        let mut integral = self.refined(run, work, &mut Vec::new(), cells());
        if let Some(moved) = moved {
            let before = integral;
            integral = self.refined(&mut run.at(moved), work, &mut Vec::new(), cells()) - before;
        }
        // What is no number is no agreement.
        let agrees = (integral - part).abs() <= wrong;
        !agrees
    }

    /// The integrand at points of the only axis, or what it changes by where the inputs are moved.
    fn changes(&self, points: &[f64], run: &mut Run, work: &mut Work, moved: Option<&[f64]>) -> Vec<f64> {
        let mut values = self.integrand(points, run, work);
        if let Some(moved) = moved {
            let others = self.integrand(points, &mut run.at(moved), work);
            values.iter_mut().zip(others).for_each(|(value, other)| *value = other - *value);
        }
        values
    }

    /// The integrand at points of the only axis.
    fn integrand(&self, points: &[f64], run: &mut Run, work: &mut Work) -> Vec<f64> {
        let mut values = Vec::with_capacity(points.len());
        for points in points.chunks(8 * BLOCK) {
            let groups = points.len().div_ceil(8);
            let column = flat_mut(&mut work.points[0][..groups]);
            column[..points.len()].copy_from_slice(points);
            column[points.len()..].fill(points[points.len() - 1]);
            self.forward(run, &work.points, groups);
            values.extend_from_slice(&flat(&run.slots[self.program.output * groups..][..groups])[..points.len()]);
        }
        values
    }
}

fn at_node(cell: &Range<f64>, i: usize) -> f64 {
    0.5 * (cell.start + cell.end) + 0.5 * (cell.end - cell.start) * node(i)
}

/// The polynomial through the values at the nodes of a cell, by its Chebyshev series (Clenshaw's recurrence; L. N. Trefethen,
/// Approximation Theory and Approximation Practice, SIAM 2013, ch. 3): no division at a point.
fn interpolated(cell: &Range<f64>, values: &[f64], points: &[f64]) -> Vec<f64> {
    let series = SERIES.each_ref().map(|row| row.iter().zip(values).map(|(of, value)| of * value).sum::<f64>());
    let (middle, half) = (0.5 * (cell.start + cell.end), 0.5 * (cell.end - cell.start));
    let mut expected = vec![0.0; points.len()];
    for (points, expected) in points.chunks(LANES).zip(expected.chunks_mut(LANES)) {
        let mut t = [0.0; LANES];
        t.iter_mut().zip(points).for_each(|(t, x)| *t = (x - middle) / half);
        let (mut last, mut before) = ([0.0; LANES], [0.0; LANES]);
        for term in series[1..].iter().rev() {
            for lane in 0..LANES {
                let next = term + 2.0 * t[lane] * last[lane] - before[lane];
                (before[lane], last[lane]) = (last[lane], next);
            }
        }
        for (lane, to) in expected.iter_mut().enumerate() {
            *to = series[0] + t[lane] * last[lane] - before[lane];
        }
    }
    expected
}

/// Row j has what the values at the nodes add to the coefficient of T_j: the polynomials that are one at one node, summed over
/// Chebyshev's points, on which the T_j are orthogonal. There are more points than nodes, none of them a node.
static SERIES: LazyLock<[[f64; POINTS]; POINTS]> = LazyLock::new(|| {
    let of = (POINTS + 1) as f64;
    let mut series = [[0.0; POINTS]; POINTS];
    for m in 0..=POINTS {
        let angle = std::f64::consts::PI * (m as f64 + 0.5) / of;
        let parts: [f64; POINTS] = std::array::from_fn(|i| WEIGHTS[i] / (angle.cos() - node(i)));
        let sum: f64 = parts.iter().sum();
        for (j, row) in series.iter_mut().enumerate() {
            let scale = if j == 0 { 1.0 } else { 2.0 } / of * (j as f64 * angle).cos() / sum;
            row.iter_mut().zip(parts).for_each(|(to, part)| *to += scale * part);
        }
    }
    series
});

/// 1/Π (xᵢ − xⱼ) of the nodes.
const WEIGHTS: [f64; POINTS] = {
    let mut weights = [1.0; POINTS];
    let mut i = 0;
    while i < POINTS {
        let mut j = 0;
        while j < POINTS {
            if j != i {
                weights[i] /= node(i) - node(j);
            }
            j += 1;
        }
        i += 1;
    }
    weights
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Polynomials of as many terms as there are nodes come back, and others do not.
    #[test]
    fn polynomials_of_the_nodes_degree_are_exact() {
        let cell = 1.5..4.0;
        let points: Vec<f64> = (0..21).map(|i| 1.5 + 0.125 * f64::from(i)).collect();
        for (degree, exact) in [(0, true), (7, true), (14, true), (15, false)] {
            let f = |x: f64| ((x - 2.75) / 1.25 + 0.125).powi(degree);
            let values: Vec<f64> = (0..POINTS).map(|i| f(at_node(&cell, i))).collect();
            let series = interpolated(&cell, &values, &points);
            let off = series.iter().zip(&points).map(|(y, x)| (y - f(*x)).abs());
            assert_eq!(off.fold(0.0, f64::max) < 1e-13, exact, "{degree}");
        }
    }
}
