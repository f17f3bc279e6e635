//! Contours of a profile over two parameters: marching squares on a grid, then, where asked for, each point moved onto
//! the profile's own contour and more points where it bends.

use super::profile::{Profile, ProfilePoint};
use super::root::{RootOptions, root};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A solved point has the height of the contour to this part of it.
const EXACT: f64 = 1e-7;

/// Points are added until a contour is off its chords by less than this part of a cell.
const SAGITTA: f64 = 0.01;

/// How often a chord may be halved.
const MOST_HALVINGS: usize = 4;

/// Where the profile has the height of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    pub level: f64,
    /// −2 Δ ln L on the contour, and of which χ² distribution.
    pub height: f64,
    pub degrees_of_freedom: usize,
    /// Closed lines end where they begin; others end at the edge of the grid or beside a point without a minimum.
    pub lines: Vec<Vec<[f64; 2]>>,
}

/// The points of a grid, those of a column (one x) together, and the profile from which they came.
pub(crate) struct Lattice<'a, 'p> {
    pub x: &'a [f64],
    pub y: &'a [f64],
    pub points: &'a [ProfilePoint],
    pub profile: &'a Profile<'p>,
}

/// An edge between neighbouring points of the grid, by their indices, the smaller first.
type Edge = (usize, usize);

/// A point of a contour and the parameters of its minimum.
#[derive(Clone, Debug)]
struct Vertex {
    place: [f64; 2],
    parameters: Vec<f64>,
}

impl Lattice<'_, '_> {
    /// The contour by the cubics along the edges of the grid, whose slopes are known.
    pub fn interpolated(&self, height: f64) -> Vec<Vec<[f64; 2]>> {
        let place = |edge: &Edge| self.along(*edge, self.crossing_of_cubic(*edge, height));
        self.lines(height).iter().map(|line| line.iter().map(place).collect()).collect()
    }

    /// The contour solved for on the profile, along the edges of the grid and between them where it bends. A point for
    /// which there is no solution stays where the grid puts it.
    pub fn exact(&self, height: f64) -> Vec<Vec<[f64; 2]>> {
        let lines = self.lines(height);
        lines.iter().map(|line| self.refined(self.solved(line, height), height)).collect()
    }

    /// Chains of crossed edges; a closed one ends with its first edge.
    fn lines(&self, height: f64) -> Vec<Vec<Edge>> {
        let mut segments = Vec::new();
        for i in 0..self.x.len().saturating_sub(1) {
            for j in 0..self.y.len().saturating_sub(1) {
                segments.extend(self.cell(i, j, height));
            }
        }
        chains(&segments)
    }

    /// The segments of the contour in one cell; none where a corner has no minimum.
    fn cell(&self, i: usize, j: usize, height: f64) -> Vec<(Edge, Edge)> {
        let m = self.y.len();
        // Counter-clockwise from the lower left.
        let corners = [i * m + j, (i + 1) * m + j, (i + 1) * m + j + 1, i * m + j + 1];
        if corners.iter().any(|&k| !self.points[k].minimum.valid()) {
            return Vec::new();
        }
        let above = corners.map(|k| self.height(k) - height);
        let edge = |k: usize| {
            let (a, b) = (corners[k], corners[(k + 1) % 4]);
            (a.min(b), a.max(b))
        };
        joined(above).into_iter().map(|(a, b)| (edge(a), edge(b))).collect()
    }

    fn height(&self, k: usize) -> f64 {
        self.profile.height(&self.points[k])
    }

    /// The axis along which an edge runs.
    fn axis(&self, (a, b): Edge) -> usize {
        if b == a + 1 { 1 } else { 0 }
    }

    /// The place at a part of the way along an edge.
    fn along(&self, (a, b): Edge, t: f64) -> [f64; 2] {
        let (a, b) = (&self.points[a].values, &self.points[b].values);
        [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
    }

    /// Where along an edge the cubic through the heights and slopes of its ends has the height.
    fn crossing_of_cubic(&self, edge: Edge, height: f64) -> f64 {
        let (a, b) = (&self.points[edge.0], &self.points[edge.1]);
        let axis = self.axis(edge);
        let width = b.values[axis] - a.values[axis];
        let (fa, fb) = (self.height(edge.0) - height, self.height(edge.1) - height);
        let (ga, gb) = (width * a.slopes[axis], width * b.slopes[axis]);
        let cubic = |t: f64| {
            let (c2, c3) = (3.0 * (fb - fa) - 2.0 * ga - gb, 2.0 * (fa - fb) + ga + gb);
            Some((fa + t * (ga + t * (c2 + t * c3)), ga + t * (2.0 * c2 + 3.0 * t * c3)))
        };
        let straight = fa / (fa - fb);
        root((0.0, fa), (1.0, fb), straight, &RootOptions::default(), cubic).unwrap_or(straight)
    }

    /// The vertices of a chain, each solved for along its edge.
    fn solved(&self, line: &[Edge], height: f64) -> Vec<Vertex> {
        line.par_iter().map(|&edge| self.solve_on_edge(edge, height)).collect()
    }

    fn solve_on_edge(&self, edge: Edge, height: f64) -> Vertex {
        let guess = self.crossing_of_cubic(edge, height);
        let near = &self.points[if guess < 0.5 { edge.0 } else { edge.1 }];
        let (a, b) = (self.height(edge.0) - height, self.height(edge.1) - height);
        let axis = self.axis(edge);
        let width = self.points[edge.1].values[axis] - self.points[edge.0].values[axis];
        let mut profile = self.profile.clone();
        let mut parameters = near.minimum.parameters.clone();
        let options = RootOptions { relative_tolerance: EXACT, ..RootOptions::default() };
        let t = root((0.0, a), (1.0, b), guess, &options, |t| {
            let point = profile.solve(&self.along(edge, t), &parameters);
            let here = profile.height(&point) - height;
            parameters.clone_from(&point.minimum.parameters);
            point.minimum.valid().then_some((here, point.slopes[axis] * width))
        });
        Vertex { place: self.along(edge, t.unwrap_or(guess)), parameters }
    }

    /// Halves chords until the contour is straight between its points.
    fn refined(&self, mut line: Vec<Vertex>, height: f64) -> Vec<[f64; 2]> {
        let cell = [cell_size(self.x), cell_size(self.y)];
        let mut bent = vec![true; line.len().saturating_sub(1)];
        for _ in 0..MOST_HALVINGS {
            let middle = |k: usize| bent[k].then(|| self.middle(&line[k], &line[k + 1], height, cell)).flatten();
            let middles: Vec<Option<(Vertex, bool)>> = (0..bent.len()).into_par_iter().map(middle).collect();
            if middles.iter().all(Option::is_none) {
                break;
            }
            let (mut next, mut next_bent) = (Vec::new(), Vec::new());
            for (k, vertex) in line.into_iter().enumerate() {
                next.push(vertex);
                match middles.get(k).cloned().flatten() {
                    Some((middle, bends)) => {
                        next.push(middle);
                        next_bent.extend([bends; 2]);
                    }
                    None if k < bent.len() => next_bent.push(false),
                    None => {}
                }
            }
            (line, bent) = (next, next_bent);
        }
        line.into_iter().map(|vertex| vertex.place).collect()
    }

    /// The point of the contour beside the middle of a chord, and whether the chord is off by much; nothing where the
    /// chord is short or there is no solution nearby.
    fn middle(&self, a: &Vertex, b: &Vertex, height: f64, cell: [f64; 2]) -> Option<(Vertex, bool)> {
        let chord = [0, 1].map(|k| b.place[k] - a.place[k]);
        let length = |v: [f64; 2]| (v[0] / cell[0]).hypot(v[1] / cell[1]);
        if length(chord) < 0.05 {
            return None;
        }
        let centre = [0, 1].map(|k| 0.5 * (a.place[k] + b.place[k]));
        let mut place = centre;
        let mut profile = self.profile.clone();
        let mut parameters = a.parameters.clone();
        for _ in 0..8 {
            let point = profile.solve(&place, &parameters);
            if !point.minimum.valid() {
                return None;
            }
            let off = profile.height(&point) - height;
            parameters.clone_from(&point.minimum.parameters);
            if off.abs() <= EXACT * height {
                let bends = length([place[0] - centre[0], place[1] - centre[1]]) > SAGITTA;
                return Some((Vertex { place, parameters }, bends));
            }
            // Newton's step along the gradient, in units of the cells.
            let gradient = [point.slopes[0] * cell[0], point.slopes[1] * cell[1]];
            let square = gradient[0] * gradient[0] + gradient[1] * gradient[1];
            place = [0, 1].map(|k| place[k] - off * gradient[k] * cell[k] / square);
            let away = length([place[0] - centre[0], place[1] - centre[1]]);
            if away.is_nan() || away >= length(chord) {
                return None;
            }
        }
        None
    }
}

/// Which sides of a cell the contour joins, by the heights of its corners above the level; side k lies between the
/// corners k and k + 1, counter-clockwise.
fn joined(above: [f64; 4]) -> Vec<(usize, usize)> {
    let crossed: Vec<usize> = (0..4).filter(|&k| (above[k] < 0.0) != (above[(k + 1) % 4] < 0.0)).collect();
    match crossed.as_slice() {
        [a, b] => vec![(*a, *b)],
        [_, _, _, _] => {
            // The bilinear surface has a saddle: on which side of the level it lies decides what is joined.
            let saddle = (above[0] * above[2] - above[1] * above[3]) / (above[0] + above[2] - above[1] - above[3]);
            if (saddle < 0.0) == (above[0] < 0.0) { vec![(0, 1), (2, 3)] } else { vec![(3, 0), (1, 2)] }
        }
        _ => Vec::new(),
    }
}

fn cell_size(values: &[f64]) -> f64 {
    match values {
        [first, .., last] => (last - first) / (values.len() - 1) as f64,
        _ => 1.0,
    }
}

/// Joins segments into lines. Open ones first, each from its end with the smaller edge; a closed one ends as it began.
fn chains(segments: &[(Edge, Edge)]) -> Vec<Vec<Edge>> {
    let mut at: BTreeMap<Edge, Vec<usize>> = BTreeMap::new();
    for (k, (a, b)) in segments.iter().enumerate() {
        at.entry(*a).or_default().push(k);
        at.entry(*b).or_default().push(k);
    }
    let mut used = vec![false; segments.len()];
    let open = at.iter().filter(|(_, segments)| segments.len() == 1).map(|(edge, _)| *edge);
    let starts: Vec<Edge> = open.chain(at.keys().copied()).collect();
    let mut lines = Vec::new();
    for start in starts {
        let mut line = vec![start];
        let mut here = start;
        while let Some(&k) = at[&here].iter().find(|&&k| !used[k]) {
            used[k] = true;
            let (a, b) = segments[k];
            here = if a == here { b } else { a };
            line.push(here);
        }
        if line.len() > 1 {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x y − c on the corners of a square, counter-clockwise from the lower left: c decides which corners are cut off.
    #[test]
    fn saddles_are_decided() {
        let corners = |c: f64| [1.0 - c, -1.0 - c, 1.0 - c, -1.0 - c];
        assert_eq!(joined(corners(0.3)), [(3, 0), (1, 2)]);
        assert_eq!(joined(corners(-0.3)), [(0, 1), (2, 3)]);
        assert_eq!(joined([-1.0, 1.0, 1.0, 1.0]), [(0, 3)]);
        assert_eq!(joined([1.0; 4]), []);
    }

    /// A closed line of four segments and an open one of two, given in no order.
    #[test]
    fn segments_become_lines() {
        let e = |k: usize| (k, k + 1);
        let segments = [(e(3), e(1)), (e(10), e(12)), (e(1), e(2)), (e(4), e(3)), (e(12), e(11)), (e(2), e(4))];
        assert_eq!(chains(&segments), [vec![e(10), e(12), e(11)], vec![e(1), e(3), e(4), e(2), e(1)]]);
    }
}
