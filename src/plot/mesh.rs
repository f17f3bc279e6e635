//! Scattered points joined to triangles, in which a function is linear: level lines and regions.

use super::canvas::Point;
use std::collections::{HashMap, HashSet};

/// A Delaunay triangulation. Coordinates are those of the data; for the triangulation both are scaled to one range.
pub struct Mesh {
    points: Vec<Point>,
    triangles: Vec<[usize; 3]>,
}

impl Mesh {
    /// None where the points lie on one line or are too few.
    pub fn new(points: &[Point]) -> Option<Mesh> {
        let range = |value: fn(&Point) -> f64| {
            let (lo, hi) =
                points.iter().map(value).fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
            (lo, if hi > lo { hi - lo } else { 1.0 })
        };
        let ((x0, width), (y0, height)) = (range(|p| p.0), range(|p| p.1));
        let scaled: Vec<_> =
            points.iter().map(|(x, y)| delaunator::Point { x: (x - x0) / width, y: (y - y0) / height }).collect();
        let triangles = delaunator::triangulate(&scaled).triangles;
        let mut triangles: Vec<[usize; 3]> = triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
        while let Some(sliver) = slivers(&scaled, &triangles) {
            triangles.retain(|corners| !sliver.contains(corners));
        }
        (!triangles.is_empty()).then(|| Mesh { points: points.to_vec(), triangles })
    }

    /// Where all of these functions, linear in each triangle, are at least zero: one convex area a triangle.
    /// A function holds one value a point.
    pub fn region(&self, functions: &[Vec<f64>]) -> Vec<Vec<Point>> {
        self.triangles.iter().map(|corners| self.part(corners, functions)).filter(|area| area.len() > 2).collect()
    }

    /// The part of a triangle where all functions are at least zero, one half-plane cut after the other.
    fn part(&self, corners: &[usize; 3], functions: &[Vec<f64>]) -> Vec<Point> {
        let mut area: Vec<(Point, Vec<f64>)> = corners
            .iter()
            .filter_map(|&i| {
                let values = functions.iter().map(|f| f.get(i).copied()).collect::<Option<Vec<_>>>()?;
                Some((*self.points.get(i)?, values))
            })
            .collect();
        for index in 0..functions.len() {
            let mut kept = Vec::new();
            for (here, next) in area.iter().zip(area.iter().cycle().skip(1)) {
                let (a, b) = (here.1[index], next.1[index]);
                if a >= 0.0 {
                    kept.push(here.clone());
                }
                if (a >= 0.0) != (b >= 0.0) {
                    let share = a / (a - b);
                    let values = here.1.iter().zip(&next.1).map(|(a, b)| a + (b - a) * share).collect();
                    kept.push((between(here.0, next.0, share), values));
                }
            }
            area = kept;
        }
        area.into_iter().map(|(point, _)| point).collect()
    }

    /// The lines where a function is zero, joined to as few as possible; closed ones end where they begin.
    pub fn lines(&self, function: &[f64]) -> Vec<Vec<Point>> {
        join(self.triangles.iter().filter_map(|corners| self.segment(corners, function)).collect())
    }

    /// Where the zero line enters and leaves a triangle. A crossing is named by the edge that it lies on.
    fn segment(&self, corners: &[usize; 3], function: &[f64]) -> Option<[Crossing; 2]> {
        let mut crossings = Vec::new();
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            // The lower index first, so that neighbours compute the same place.
            let (i, j) = (corners[a].min(corners[b]), corners[a].max(corners[b]));
            let (u, v) = (*function.get(i)?, *function.get(j)?);
            if (u >= 0.0) != (v >= 0.0) {
                let place = between(*self.points.get(i)?, *self.points.get(j)?, u / (u - v));
                crossings.push(Crossing { edge: (i, j), place });
            }
        }
        <[Crossing; 2]>::try_from(crossings).ok()
    }
}

/// Height of a triangle over its longest side, below which it says nothing at the rim.
const FLAT: f64 = 0.03;

/// Flat triangles at the rim: their far corners have nothing to do with one another. None if there are none.
fn slivers(points: &[delaunator::Point], triangles: &[[usize; 3]]) -> Option<HashSet<[usize; 3]>> {
    let sides = |[a, b, c]: [usize; 3]| [(a.min(b), a.max(b)), (b.min(c), b.max(c)), (c.min(a), c.max(a))];
    let mut neighbours: HashMap<(usize, usize), usize> = HashMap::new();
    triangles.iter().flat_map(|t| sides(*t)).for_each(|side| *neighbours.entry(side).or_default() += 1);
    let is_sliver = |corners: &&[usize; 3]| {
        let [a, b, c] = corners.map(|i| points.get(i).map_or((0.0, 0.0), |p| (p.x, p.y)));
        let doubled_area = ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)).abs();
        let longest =
            [(a, b), (b, c), (c, a)].map(|(p, q)| (p.0 - q.0).hypot(p.1 - q.1)).into_iter().fold(0.0, f64::max);
        doubled_area < FLAT * longest * longest && sides(**corners).iter().any(|side| neighbours.get(side) == Some(&1))
    };
    let found: HashSet<[usize; 3]> = triangles.iter().filter(is_sliver).copied().collect();
    (!found.is_empty()).then_some(found)
}

#[derive(Clone, Copy)]
struct Crossing {
    edge: (usize, usize),
    place: Point,
}

fn between(a: Point, b: Point, share: f64) -> Point {
    (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
}

/// Segments with common ends as lines. Each edge of a triangulation has at most two segments.
fn join(mut segments: Vec<[Crossing; 2]>) -> Vec<Vec<Point>> {
    let mut lines = Vec::new();
    while let Some([first, last]) = segments.pop() {
        let mut line = std::collections::VecDeque::from([first, last]);
        for at_end in [true, false] {
            while let Some(edge) = if at_end { line.back() } else { line.front() }.map(|c| c.edge) {
                let Some(index) = segments.iter().position(|s| s.iter().any(|c| c.edge == edge)) else { break };
                let [a, b] = segments.swap_remove(index);
                let next = if a.edge == edge { b } else { a };
                if at_end { line.push_back(next) } else { line.push_front(next) }
            }
        }
        lines.push(line.into_iter().map(|c| c.place).collect());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: usize) -> Vec<Point> {
        (0..n * n)
            .map(|i| ((i % n) as f64 / (n - 1) as f64 * 4.0 - 2.0, (i / n) as f64 / (n - 1) as f64 * 2e6 - 1e6))
            .collect()
    }

    /// A circle in scaled coordinates: the line lies on it, closes, and the region has its area.
    #[test]
    fn a_circle() {
        let points = grid(41);
        let f: Vec<f64> = points.iter().map(|(x, y)| 1.0 - x * x - (y / 0.5e6).powi(2)).collect();
        let mesh = Mesh::new(&points).expect("points of a plane");
        let lines = mesh.lines(&f);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for (x, y) in &lines[0] {
            assert!((x.hypot(y / 0.5e6) - 1.0).abs() < 0.01, "{x} {y}");
        }
        let area = |polygon: &[Point]| {
            let cross = |(a, b): (&Point, &Point)| a.0 * b.1 - b.0 * a.1;
            polygon.iter().zip(polygon.iter().cycle().skip(1)).map(cross).sum::<f64>().abs() / 2.0
        };
        let total: f64 = mesh.region(&[f]).iter().map(|p| area(p)).sum();
        assert!((total / 0.5e6 / std::f64::consts::PI - 1.0).abs() < 0.01, "{total}");
    }

    /// Two half-planes leave a strip, whose area is known exactly because both functions are linear.
    #[test]
    fn a_strip() {
        let points = grid(7);
        let above: Vec<f64> = points.iter().map(|(x, _)| x + 0.3).collect();
        let below: Vec<f64> = points.iter().map(|(x, _)| 0.5 - x).collect();
        let strip = Mesh::new(&points).expect("a plane").region(&[above, below]);
        let xs = || strip.iter().flatten().map(|p| p.0);
        assert!((xs().fold(9.0, f64::min) + 0.3).abs() < 1e-12 && (xs().fold(-9.0, f64::max) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn no_plane() {
        assert!(Mesh::new(&[]).is_none());
        assert!(Mesh::new(&[(0.0, 0.0), (1.0, 1.0)]).is_none());
        assert!(Mesh::new(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]).is_none());
        assert!(Mesh::new(&[(1.0, 1.0); 5]).is_none());
    }
}
