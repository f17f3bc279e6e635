//! The least value of a polynomial in a box: whether a response that must not be negative can be so (spec/eft.md,
//! "Domain and positivity").

use super::polynomial::{Monomial, Polynomial, monomial_value};
use nalgebra::{DMatrix, DVector};

/// How many variables a quadratic may have for its minimum to be found face by face of the box (3ⁿ faces).
pub const MOST_FACES: usize = 6;
/// How often the search goes through all variables from each start.
const MOST_SWEEPS: usize = 20;
/// The same where the descent ends at the minimum.
const MOST_CONVEX_SWEEPS: usize = 1000;
/// Into how many parts a line is cut where the polynomial along it is no parabola.
const LINE_POINTS: usize = 64;
/// What rounding may do to a value, in units of the sum of its terms' magnitudes in the box.
pub const ROUNDING: f64 = 1e-9;

/// The least value that was found in a box, and what is known beyond it.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    pub value: f64,
    /// Where it is, one coordinate a variable.
    pub point: Vec<f64>,
    /// No value in the box is below; equals `value` where the minimum is exact.
    pub bound: f64,
    /// Values of less magnitude may be rounding.
    pub rounding: f64,
}

impl Minimum {
    /// A point of the box has a value below zero, by more than rounding.
    pub fn is_negative(&self) -> bool {
        self.value < -self.rounding
    }

    /// No point of the box has.
    pub fn is_never_negative(&self) -> bool {
        self.bound >= -self.rounding
    }
}

/// The minimum of one bin of a polynomial over a box, one interval a variable.
///
/// It is exact for linear polynomials, for quadratic ones in up to six variables, and for convex quadratic ones. Else a
/// lower bound comes from the ranges of the monomials, or from a square matrix that shows the polynomial to be a sum of
/// squares; and the value comes from descents along the axes.
pub fn minimum(polynomial: &Polynomial, bin: usize, bounds: &[(f64, f64)]) -> Minimum {
    let terms: Vec<(&Monomial, f64)> = polynomial
        .terms()
        .filter_map(|(monomial, coefficients)| Some((monomial, *coefficients.get(bin)?)))
        .filter(|(_, a)| *a != 0.0)
        .collect();
    let problem = Problem { terms, bounds };
    let rounding = ROUNDING * problem.terms.iter().map(|(m, a)| a.abs() * problem.largest(m)).sum::<f64>();
    let Some(quadratic) = problem.quadratic() else {
        let (value, point) = problem.search(MOST_SWEEPS);
        return Minimum { value, point, bound: problem.interval(), rounding };
    };
    if quadratic.variables.len() <= MOST_FACES {
        let (value, point) = problem.faces(&quadratic);
        return Minimum { value, point, bound: value, rounding };
    }
    let convex = positive_semidefinite(quadratic.matrix.clone());
    let (value, point) = problem.search(if convex { MOST_CONVEX_SWEEPS } else { MOST_SWEEPS });
    let bound = if quadratic.never_negative() {
        value.min(0.0)
    } else if convex {
        value
    } else {
        problem.interval()
    };
    Minimum { value, point, bound, rounding }
}

fn better(a: (f64, Vec<f64>), b: (f64, Vec<f64>)) -> (f64, Vec<f64>) {
    if b.0 < a.0 { b } else { a }
}

/// One bin of a polynomial, and the box.
struct Problem<'p> {
    terms: Vec<(&'p Monomial, f64)>,
    bounds: &'p [(f64, f64)],
}

/// a + lᵀx + xᵀQx in the variables that occur.
struct Quadratic {
    variables: Vec<u32>,
    constant: f64,
    linear: DVector<f64>,
    matrix: DMatrix<f64>,
}

impl Problem<'_> {
    fn value(&self, point: &[f64]) -> f64 {
        self.terms.iter().map(|(monomial, a)| a * monomial_value(monomial, point)).sum()
    }

    fn bounds_of(&self, variable: u32) -> (f64, f64) {
        self.bounds.get(variable as usize).copied().unwrap_or((0.0, 0.0))
    }

    fn variables(&self) -> Vec<u32> {
        let mut variables: Vec<u32> = self.terms.iter().flat_map(|(monomial, _)| monomial.iter().copied()).collect();
        variables.sort_unstable();
        variables.dedup();
        variables.retain(|i| (*i as usize) < self.bounds.len());
        variables
    }

    /// The largest magnitude of a monomial in the box.
    fn largest(&self, monomial: &[u32]) -> f64 {
        let magnitude = |i: &u32| {
            let (low, high) = self.bounds_of(*i);
            low.abs().max(high.abs())
        };
        monomial.iter().map(magnitude).product()
    }

    /// A lower bound from the range of each term.
    fn interval(&self) -> f64 {
        let term = |(monomial, a): &(&Monomial, f64)| {
            let (mut low, mut high) = (1.0, 1.0);
            // Equal variables stand together, so that an even power is not negative.
            for power in monomial.chunk_by(|i, j| i == j) {
                let (from, to) = self.bounds_of(power.first().copied().unwrap_or(0));
                let n = power.len() as i32;
                let (mut p, mut q) = (from.powi(n).min(to.powi(n)), from.powi(n).max(to.powi(n)));
                if n % 2 == 0 && from <= 0.0 && to >= 0.0 {
                    (p, q) = (0.0, p.max(q));
                }
                let corners = [low * p, low * q, high * p, high * q];
                low = corners.iter().copied().fold(f64::INFINITY, f64::min);
                high = corners.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            }
            (a * low).min(a * high)
        };
        self.terms.iter().map(term).sum()
    }

    fn quadratic(&self) -> Option<Quadratic> {
        let variables = self.variables();
        let place = |i: &u32| variables.binary_search(i).ok();
        let n = variables.len();
        let (mut constant, mut linear, mut matrix) = (0.0, DVector::zeros(n), DMatrix::zeros(n, n));
        for (monomial, a) in &self.terms {
            match monomial[..] {
                [] => constant += a,
                [i] => linear[place(&i)?] += a,
                [i, j] => {
                    let (i, j) = (place(&i)?, place(&j)?);
                    matrix[(i, j)] += 0.5 * a;
                    matrix[(j, i)] += 0.5 * a;
                }
                _ => return None,
            }
        }
        Some(Quadratic { variables, constant, linear, matrix })
    }

    /// The least of the stationary points of all faces of the box, corners included. A face on which the quadratic is
    /// flat along a line has its minimum on a smaller one as well.
    fn faces(&self, quadratic: &Quadratic) -> (f64, Vec<f64>) {
        let n = quadratic.variables.len();
        let mut best = (f64::INFINITY, self.start(0.0));
        for face in 0..3usize.pow(n as u32) {
            let mut point = self.start(0.0);
            let (mut free, mut digits) = (Vec::new(), face);
            for (k, i) in quadratic.variables.iter().enumerate() {
                let (low, high) = self.bounds_of(*i);
                match digits % 3 {
                    0 => point[*i as usize] = low,
                    1 => point[*i as usize] = high,
                    _ => {
                        point[*i as usize] = 0.0;
                        free.push(k);
                    }
                }
                digits /= 3;
            }
            if self.stationary(quadratic, &free, &mut point) {
                let value = self.value(&point);
                best = better(best, (value, point));
            }
        }
        best
    }

    /// Moves the free variables (places in the quadratic) of a point to where the gradient by them vanishes; false
    /// where there is no such point, or not one in the box.
    fn stationary(&self, quadratic: &Quadratic, free: &[usize], point: &mut [f64]) -> bool {
        if free.is_empty() {
            return true;
        }
        let at = |k: usize| quadratic.variables.get(k).map_or(0.0, |i| point[*i as usize]);
        let n = quadratic.variables.len();
        let slope =
            |k: usize| quadratic.linear[k] + (0..n).map(|l| 2.0 * quadratic.matrix[(k, l)] * at(l)).sum::<f64>();
        let right = DVector::from_iterator(free.len(), free.iter().map(|k| -slope(*k)));
        let left = DMatrix::from_fn(free.len(), free.len(), |i, j| 2.0 * quadratic.matrix[(free[i], free[j])]);
        let Some(solution) = left.lu().solve(&right) else { return false };
        for (k, x) in free.iter().zip(solution.iter()) {
            let Some(i) = quadratic.variables.get(*k) else { return false };
            let (low, high) = self.bounds_of(*i);
            if !(low..=high).contains(x) {
                return false;
            }
            point[*i as usize] = *x;
        }
        true
    }

    /// Every variable at the same part of its interval, from the middle; zero is kept where it is inside.
    fn start(&self, part: f64) -> Vec<f64> {
        let coordinate = |(low, high): &(f64, f64)| match part {
            0.0 => 0.0f64.max(*low).min(*high),
            _ => 0.5 * (low + high) + 0.5 * part * (high - low),
        };
        self.bounds.iter().map(coordinate).collect()
    }

    /// The corner at which the linear part is least.
    fn linear_corner(&self) -> Vec<f64> {
        let mut point = self.start(0.0);
        for (monomial, a) in &self.terms {
            if let [i] = monomial[..]
                && let Some(x) = point.get_mut(i as usize)
            {
                let (low, high) = self.bounds_of(i);
                *x = if *a > 0.0 { low } else { high };
            }
        }
        point
    }

    /// Descents along the axes from zero, from the corner where the linear part is least, and from two corners.
    fn search(&self, sweeps: usize) -> (f64, Vec<f64>) {
        let starts = [self.start(0.0), self.linear_corner(), self.start(-1.0), self.start(1.0)];
        let descents = starts.into_iter().map(|start| self.descend(start, sweeps));
        descents.fold((f64::INFINITY, self.start(0.0)), better)
    }

    fn descend(&self, mut point: Vec<f64>, sweeps: usize) -> (f64, Vec<f64>) {
        let variables = self.variables();
        let mut value = self.value(&point);
        for _ in 0..sweeps {
            let before = value;
            for i in &variables {
                let line = self.along(*i, &point);
                point[*i as usize] = line_minimum(&line, self.bounds_of(*i), point[*i as usize]);
            }
            value = self.value(&point);
            if value >= before - 1e-12 * before.abs() {
                break;
            }
        }
        (value, point)
    }

    /// The polynomial along one axis: coefficients by power.
    fn along(&self, variable: u32, point: &[f64]) -> Vec<f64> {
        let mut line = vec![0.0; 3];
        for (monomial, a) in &self.terms {
            let power = monomial.iter().filter(|i| **i == variable).count();
            if power >= line.len() {
                line.resize(power + 1, 0.0);
            }
            let others = monomial.iter().filter(|i| **i != variable);
            line[power] += a * others.map(|i| point.get(*i as usize).copied().unwrap_or(f64::NAN)).product::<f64>();
        }
        line
    }
}

impl Quadratic {
    /// It is a sum of squares of linear functions, plus a number that is not negative.
    fn never_negative(&self) -> bool {
        let n = self.variables.len();
        positive_semidefinite(DMatrix::from_fn(n + 1, n + 1, |i, j| match (i, j) {
            (0, 0) => self.constant,
            (0, k) | (k, 0) => 0.5 * self.linear[k - 1],
            _ => self.matrix[(i - 1, j - 1)],
        }))
    }
}

/// No eigenvalue is below zero by more than rounding.
fn positive_semidefinite(matrix: DMatrix<f64>) -> bool {
    if matrix.iter().any(|x| !x.is_finite()) {
        return false;
    }
    let eigenvalues = matrix.symmetric_eigenvalues();
    let largest = eigenvalues.iter().fold(0.0f64, |largest, e| largest.max(e.abs()));
    eigenvalues.iter().all(|e| *e >= -1e-13 * largest)
}

/// Where a polynomial of one variable is least in an interval; `now` where nothing is lower.
fn line_minimum(line: &[f64], (low, high): (f64, f64), now: f64) -> f64 {
    let value = |x: f64| line.iter().rev().fold(0.0, |sum, a| sum * x + a);
    let lower = |a: f64, b: f64| if value(b) < value(a) { b } else { a };
    let mut best = [low, high].into_iter().fold(now, lower);
    if let [_, slope, bend] = line {
        let bottom = -0.5 * slope / bend;
        return if *bend > 0.0 && (low..=high).contains(&bottom) { lower(best, bottom) } else { best };
    }
    let step = (high - low) / LINE_POINTS as f64;
    best = (1..LINE_POINTS).map(|i| low + step * i as f64).fold(best, lower);
    let (mut from, mut to) = ((best - step).max(low), (best + step).min(high));
    for _ in 0..40 {
        let (a, b) = (from + (to - from) / 3.0, to - (to - from) / 3.0);
        if value(a) < value(b) { to = b } else { from = a }
    }
    lower(best, 0.5 * (from + to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomial(terms: &[(&[u32], f64)]) -> Polynomial {
        Polynomial::from_terms(1, terms.iter().map(|(m, a)| (m.to_vec(), vec![*a])))
    }

    /// Against a grid over the box.
    #[test]
    fn quadratics_agree_with_a_grid() {
        let bounds = [(-2.0, 1.5), (-1.0, 3.0)];
        for (a, b, c, d, e) in [
            (0.3, -0.8, 1.0, 0.4, 0.5),
            (1.0, 1.0, -1.0, 2.5, 1.0),
            (-0.2, 0.1, -0.3, -0.9, -0.4),
            (0.5, 0.5, 1.0, -2.0, 1.0),
        ] {
            let p = polynomial(&[(&[], 1.0), (&[0], a), (&[1], b), (&[0, 0], c), (&[0, 1], d), (&[1, 1], e)]);
            let found = minimum(&p, 0, &bounds);
            assert_eq!(found.value, found.bound);
            let grid = (0..=700).flat_map(|i| {
                let x = -2.0 + 3.5 * f64::from(i) / 700.0;
                (0..=800).map(move |j| (x, -1.0 + 4.0 * f64::from(j) / 800.0))
            });
            let least = grid.map(|(x, y)| p.evaluate(&[x, y])[0]).fold(f64::INFINITY, f64::min);
            assert!(found.value <= least + 1e-12 && found.value > least - 1e-4, "{} and {least}", found.value);
        }
    }

    /// (Σ x_i − 1)² in eight variables is zero on a plane; less 0.1 it is negative there.
    #[test]
    fn squares_of_many_variables_are_decided() {
        let square = |offset: f64| {
            let mut terms: Vec<(Vec<u32>, Vec<f64>)> = vec![(vec![], vec![1.0 + offset])];
            for i in 0..8 {
                terms.push((vec![i], vec![-2.0]));
                terms.extend((0..8).map(|j| (vec![i, j], vec![1.0])));
            }
            minimum(&Polynomial::from_terms(1, terms), 0, &[(-1.0, 1.0); 8])
        };
        assert!(square(0.0).is_never_negative() && !square(0.0).is_negative());
        assert!(square(-0.1).is_negative());
        assert!((square(-0.1).value + 0.1).abs() < 1e-9);
    }

    /// x⁴ − 2x²y + y² = (x² − y)² is open by ranges, and with −0.01 more is found negative.
    #[test]
    fn quartics_are_searched() {
        let quartic =
            |a: f64| polynomial(&[(&[], a), (&[0, 0, 0, 0], 1.0), (&[0, 0, 1], -2.0), (&[1, 1], 1.0), (&[0], 0.001)]);
        let bounds = [(-1.0, 1.0), (-1.0, 1.0)];
        assert!(minimum(&quartic(-0.01), 0, &bounds).is_negative());
        let open = minimum(&quartic(0.5), 0, &bounds);
        assert!(!open.is_negative() && !open.is_never_negative());
        assert!(minimum(&quartic(5.0), 0, &bounds).is_never_negative());
    }
}
