//! Morphing: from templates at basis points to the coefficients of a polynomial (spec/eft.md, "Morphing").

use super::polynomial::monomial_value;
use super::{Monomial, Polynomial};
use nalgebra::{DMatrix, SVD};
use std::collections::BTreeSet;
use std::fmt;

/// Condition numbers above it are refused: fewer than six digits of the templates would be left.
pub const MOST_CONDITION: f64 = 1e10;

/// Most entries of the matrix of monomials at basis points: 1448 monomials at as many points.
const MOST_ENTRIES: usize = 1 << 21;

/// Most products that the polynomial of the variance may take to sum up.
const MOST_VARIANCE_PRODUCTS: f64 = 1e11;

/// A response solved from templates.
#[derive(Clone, Debug, PartialEq)]
pub struct Morphing {
    /// The response, A = S T with the solution operator S of the basis.
    pub polynomial: Polynomial,
    /// w(c) = Sᵀ φ(c): the weights of the templates in the response. Its "bins" are the basis points.
    pub weights: Polynomial,
    /// Σ_b w_b² σ_b², from independent variances of the templates.
    pub variance: Option<Polynomial>,
    /// Of the matrix Φ_bk = φ_k(c_b), its columns scaled to unit length.
    pub condition: f64,
}

/// How more basis points than monomials are weighed against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeastSquares {
    /// Every basis point counts alike.
    #[default]
    Equal,
    /// By the inverse of its variance summed over bins, which makes the summed variance of the response least.
    ByVariance,
}

/// Why templates have no response.
#[derive(Clone, Debug, PartialEq)]
pub enum MorphingError {
    /// A list has another length than it must have.
    Shape { what: &'static str, index: usize, found: usize, expected: usize },
    /// A number is not finite, or a variance is negative (or zero where it weighs).
    Number { what: &'static str, index: usize },
    /// One monomial stands twice.
    Monomial { index: usize },
    /// There are no monomials at all, or no templates.
    Empty,
    /// Fewer basis points than monomials.
    TooFew { points: usize, monomials: usize },
    /// The basis does not tell the monomials apart.
    IllPosed {
        condition: f64,
        /// Pairs of equal basis points.
        duplicates: Vec<(usize, usize)>,
        /// Indices of monomials whose combination (nearly) vanishes at all basis points.
        unresolved: Vec<usize>,
    },
    /// More work than a document can be worth.
    TooLarge { what: &'static str },
}

/// The largest |w_b| that a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct LargestWeight {
    pub value: f64,
    pub basis_point: usize,
    /// Where it is so large.
    pub at: Vec<f64>,
}

/// Solves templates (one list of bins a basis point) for the coefficients of `monomials` (spec/eft.md, "Morphing"):
/// exactly where there are as many points as monomials, by least squares where there are more.
pub fn solve(
    basis_points: &[Vec<f64>],
    monomials: &[Monomial],
    templates: &[Vec<f64>],
    variances: Option<&[Vec<f64>]>,
    least_squares: LeastSquares,
) -> Result<Morphing, MorphingError> {
    let n_bins = check(basis_points, monomials, templates, variances)?;
    let phi = basis_matrix(basis_points, monomials);
    if let Some(index) = (0..phi.nrows()).find(|b| phi.row(*b).iter().any(|x| !x.is_finite())) {
        return Err(MorphingError::Number { what: "monomials at a basis point", index });
    }
    let importance = match (least_squares, variances) {
        (LeastSquares::ByVariance, Some(variances)) if phi.nrows() > phi.ncols() => importance(variances)?,
        _ => vec![1.0; phi.nrows()],
    };
    let (operator, condition) = solution_operator(&phi, &importance, basis_points)?;
    let right = DMatrix::from_fn(phi.nrows(), n_bins, |b, bin| templates[b][bin]);
    let solution = refined(&phi, &operator, &right);
    let response = monomials.iter().zip(solution.row_iter());
    let weights = monomials.iter().zip(operator.row_iter());
    let polynomial =
        Polynomial::from_terms(n_bins, response.map(|(m, row)| (m.clone(), row.iter().copied().collect())));
    Ok(Morphing {
        polynomial,
        weights: Polynomial::from_terms(
            phi.nrows(),
            weights.map(|(m, row)| (m.clone(), row.iter().copied().collect())),
        ),
        variance: variances.map(|v| variance(monomials, &operator, v, n_bins)).transpose()?,
        condition,
    })
}

/// The number of bins, if everything has the shape that it must have.
fn check(
    basis_points: &[Vec<f64>],
    monomials: &[Monomial],
    templates: &[Vec<f64>],
    variances: Option<&[Vec<f64>]>,
) -> Result<usize, MorphingError> {
    let (Some(first), Some(n_bins)) = (basis_points.first(), templates.first().map(Vec::len)) else {
        return Err(MorphingError::Empty);
    };
    if monomials.is_empty() {
        return Err(MorphingError::Empty);
    }
    let points = basis_points.len();
    numbers("basis points", basis_points, points, first.len())?;
    numbers("templates", templates, points, n_bins)?;
    if let Some(variances) = variances {
        numbers("variances", variances, points, n_bins)?;
        if let Some(index) = variances.iter().position(|v| v.iter().any(|x| *x < 0.0)) {
            return Err(MorphingError::Number { what: "variances", index });
        }
    }
    let mut seen = BTreeSet::new();
    for (index, monomial) in monomials.iter().enumerate() {
        let mut sorted = monomial.clone();
        sorted.sort_unstable();
        if !seen.insert(sorted) || monomial.iter().any(|i| *i as usize >= first.len()) {
            return Err(MorphingError::Monomial { index });
        }
    }
    if points < monomials.len() {
        return Err(MorphingError::TooFew { points, monomials: monomials.len() });
    }
    if points.saturating_mul(monomials.len()) > MOST_ENTRIES {
        return Err(MorphingError::TooLarge { what: "matrix of monomials at basis points" });
    }
    Ok(n_bins)
}

fn numbers(what: &'static str, rows: &[Vec<f64>], n_rows: usize, n_columns: usize) -> Result<(), MorphingError> {
    if rows.len() != n_rows {
        return Err(MorphingError::Shape { what, index: 0, found: rows.len(), expected: n_rows });
    }
    for (index, row) in rows.iter().enumerate() {
        if row.len() != n_columns {
            return Err(MorphingError::Shape { what, index, found: row.len(), expected: n_columns });
        }
        if row.iter().any(|x| !x.is_finite()) {
            return Err(MorphingError::Number { what, index });
        }
    }
    Ok(())
}

/// Φ_bk = φ_k(c_b)
pub fn basis_matrix(basis_points: &[Vec<f64>], monomials: &[Monomial]) -> DMatrix<f64> {
    let value = |b: usize, k: usize| match (basis_points.get(b), monomials.get(k)) {
        (Some(point), Some(monomial)) => monomial_value(monomial, point),
        _ => f64::NAN,
    };
    DMatrix::from_fn(basis_points.len(), monomials.len(), value)
}

/// Square roots of the weights of least squares, one a basis point.
fn importance(variances: &[Vec<f64>]) -> Result<Vec<f64>, MorphingError> {
    let weight = |(index, row): (usize, &Vec<f64>)| {
        let total: f64 = row.iter().sum();
        let weight = 1.0 / total.sqrt();
        if weight.is_finite() { Ok(weight) } else { Err(MorphingError::Number { what: "variances", index }) }
    };
    variances.iter().enumerate().map(weight).collect()
}

/// S with S Φ = 1 (K × B) and the condition number of Φ. Rows of Φ count as `importance` says.
fn solution_operator(
    phi: &DMatrix<f64>,
    importance: &[f64],
    basis_points: &[Vec<f64>],
) -> Result<(DMatrix<f64>, f64), MorphingError> {
    let (points, monomials) = phi.shape();
    let weighed = DMatrix::from_fn(points, monomials, |b, k| phi[(b, k)] * importance[b]);
    let lengths: Vec<f64> = weighed.column_iter().map(|c| c.norm()).map(|l| if l > 0.0 { l } else { 1.0 }).collect();
    let scaled = DMatrix::from_fn(points, monomials, |b, k| weighed[(b, k)] / lengths[k]);
    let unsolved = |condition, unresolved| {
        let duplicates = duplicates(basis_points);
        MorphingError::IllPosed { condition, duplicates, unresolved }
    };
    let qr = (points > monomials).then(|| scaled.clone().qr());
    let square = qr.as_ref().map_or_else(|| scaled.clone(), |qr| qr.r());
    let Some((condition, weakest)) = condition(&square) else {
        return Err(unsolved(f64::INFINITY, Vec::new()));
    };
    if condition.is_nan() || condition > MOST_CONDITION {
        let largest = weakest.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let unresolved = (0..monomials).filter(|k| weakest[*k].abs() > 0.1 * largest).collect();
        return Err(unsolved(condition, unresolved));
    }
    let operator = match qr {
        None => scaled.clone().lu().try_inverse(),
        Some(qr) => qr.r().solve_upper_triangular(&qr.q().transpose()),
    };
    let Some(mut operator) = operator else { return Err(unsolved(condition, Vec::new())) };
    if points == monomials {
        operator = refined(&scaled, &operator, &DMatrix::identity(points, points));
    }
    for k in 0..monomials {
        for b in 0..points {
            operator[(k, b)] *= importance[b] / lengths[k];
        }
    }
    Ok((operator, condition))
}

/// The ratio of the extreme singular values of a matrix, and the right singular vector of the smallest one.
fn condition(matrix: &DMatrix<f64>) -> Option<(f64, Vec<f64>)> {
    let iterations = 1000 + 100 * matrix.ncols();
    let svd = SVD::try_new(matrix.clone(), false, true, 5.0 * f64::EPSILON, iterations)?;
    let (smallest, least) = svd.singular_values.argmin();
    let weakest = svd.v_t?.row(smallest).iter().copied().collect();
    Some((svd.singular_values.max() / least, weakest))
}

/// The condition number of a matrix with at least as many rows as columns, its columns as they are.
pub fn condition_number(matrix: &DMatrix<f64>) -> Option<f64> {
    condition(matrix).map(|(condition, _)| condition)
}

fn duplicates(basis_points: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..basis_points.len()).collect();
    order.sort_by(|a, b| basis_points[*a].partial_cmp(&basis_points[*b]).unwrap_or(std::cmp::Ordering::Equal));
    let equal = order.windows(2).filter(|pair| basis_points[pair[0]] == basis_points[pair[1]]);
    let mut pairs: Vec<_> = equal.map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1]))).collect();
    pairs.sort_unstable();
    pairs
}

/// X = S Y after one step of refinement, X + S (Y − Φ X), the residual summed with twice the digits.
fn refined(phi: &DMatrix<f64>, operator: &DMatrix<f64>, right: &DMatrix<f64>) -> DMatrix<f64> {
    let solution = operator * right;
    let rows: Vec<Vec<f64>> = phi.row_iter().map(|row| row.iter().copied().collect()).collect();
    let residual = DMatrix::from_fn(right.nrows(), right.ncols(), |b, j| {
        residual(right[(b, j)], &rows[b], solution.column(j).as_slice())
    });
    &solution + operator * residual
}

/// y − Σ a_k x_k, with the rounding of every product and sum carried along.
fn residual(y: f64, a: &[f64], x: &[f64]) -> f64 {
    let (mut sum, mut lost) = (y, 0.0);
    for (a, x) in a.iter().zip(x) {
        let product = -a * x;
        let total = sum + product;
        let back = total - sum;
        lost += (-a).mul_add(*x, -product) + ((sum - (total - back)) + (product - back));
        sum = total;
    }
    sum + lost
}

/// Σ_b (Σ_k S_kb φ_k)² σ_b² for each bin, as one polynomial.
///
/// # Errors
/// Where it takes more work than a document can be worth.
pub fn variance(
    monomials: &[Monomial],
    operator: &DMatrix<f64>,
    variances: &[Vec<f64>],
    n_bins: usize,
) -> Result<Polynomial, MorphingError> {
    let (k, b) = (monomials.len() as f64, variances.len() as f64);
    if 0.5 * k * k * b * n_bins as f64 > MOST_VARIANCE_PRODUCTS {
        return Err(MorphingError::TooLarge { what: "polynomial of the variance" });
    }
    let rows: Vec<Vec<f64>> = operator.row_iter().map(|row| row.iter().copied().collect()).collect();
    let pairs = (0..rows.len()).flat_map(|k| (0..=k).map(move |l| (k, l)));
    let terms = pairs.map(|(k, l)| {
        let twice = if k == l { 1.0 } else { 2.0 };
        let mut sum = vec![0.0; n_bins];
        for ((own, other), row) in rows[k].iter().zip(&rows[l]).zip(variances) {
            let weight = twice * own * other;
            for (sum, variance) in sum.iter_mut().zip(row) {
                *sum += weight * variance;
            }
        }
        ([monomials[k].as_slice(), &monomials[l]].concat(), sum)
    });
    Ok(Polynomial::from_terms(n_bins, terms))
}

/// The monomials of Π_v |1 + Σ_{i ∈ v} c_i|², the squared amplitude of a process with these operators in its vertices,
/// in canonical order. An operator may be in several vertices.
pub fn vertex_monomials(vertices: &[Vec<u32>]) -> Result<Vec<Monomial>, MorphingError> {
    let mut all: BTreeSet<(usize, Monomial)> = BTreeSet::from([(0, Monomial::new())]);
    // The amplitude and its conjugate: each vertex twice.
    for operators in vertices.iter().flat_map(|operators| [operators, operators]) {
        let before: Vec<Monomial> = all.iter().map(|(_, monomial)| monomial.clone()).collect();
        for operator in operators {
            for monomial in &before {
                let mut longer = monomial.clone();
                longer.insert(longer.partition_point(|i| i < operator), *operator);
                all.insert((longer.len(), longer));
            }
            if all.len().saturating_mul(all.len()) > MOST_ENTRIES {
                return Err(MorphingError::TooLarge { what: "list of monomials" });
            }
        }
    }
    Ok(all.into_iter().map(|(_, monomial)| monomial).collect())
}

impl Morphing {
    /// Σ_b w_b(c) T_b reproduces a constant, so the weights sum to 1 wherever the constant is a monomial; this is the
    /// largest |Σ_b S_kb − δ_k0|, relative to the largest |S_kb|.
    pub fn sum_rule(&self) -> f64 {
        let scale = self.weights.coefficients.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let constant = |monomial: &Monomial| if monomial.is_empty() { 1.0 } else { 0.0 };
        let off = self.weights.terms().map(|(m, row)| (row.iter().sum::<f64>() - constant(m)).abs());
        off.fold(0.0, f64::max) / scale
    }
}

/// Starting points of the search for the largest weight, besides up to as many corners.
const STARTS: usize = 1024;
/// Starting points from which the search climbs.
const CLIMBS: usize = 8;
/// Rounds over all coordinates.
const ROUNDS: usize = 20;

impl Morphing {
    /// The largest |w_b(c)| that is found inside a box (one pair of finite bounds a parameter): among the corners (1024
    /// of them where there are more), the centre and 1024 evenly spread points, and from the eight best of these by
    /// maximising along one coordinate after the other. A polynomial may have a higher peak that no start leads to.
    pub fn largest_weight(&self, bounds: &[[f64; 2]]) -> LargestWeight {
        let mut starts: Vec<LargestWeight> = starts(bounds).into_iter().map(|at| self.largest_at(at)).collect();
        starts.sort_by(|a, b| b.value.total_cmp(&a.value));
        starts.truncate(CLIMBS);
        let climbed = starts.into_iter().map(|start| self.climb(start, bounds));
        let none = LargestWeight { value: f64::NAN, basis_point: 0, at: Vec::new() };
        climbed.fold(none, |best, next| if best.value >= next.value { best } else { next })
    }

    fn largest_at(&self, at: Vec<f64>) -> LargestWeight {
        let weights = self.weights.evaluate(&at);
        let (mut basis_point, mut value) = (0, 0.0);
        for (b, weight) in weights.iter().enumerate() {
            if weight.abs() > value {
                (basis_point, value) = (b, weight.abs());
            }
        }
        LargestWeight { value, basis_point, at }
    }

    fn climb(&self, start: LargestWeight, bounds: &[[f64; 2]]) -> LargestWeight {
        let mut best = start;
        let (n_points, b) = (self.weights.n_bins, best.basis_point);
        let own = self.weights.coefficients.iter().skip(b).step_by(n_points.max(1));
        let terms: Vec<(&Monomial, f64)> = self.weights.monomials.iter().zip(own.copied()).collect();
        for _ in 0..ROUNDS {
            let before = best.value;
            for (i, [low, high]) in bounds.iter().enumerate() {
                let line = line(&terms, i, &best.at);
                let (x, value) = largest_on(&line, *low, *high);
                if value > best.value {
                    best.at[i] = x;
                    best.value = value;
                }
            }
            if best.value <= before * (1.0 + 1e-12) {
                break;
            }
        }
        best
    }
}

/// Corners, centre and evenly spread points (multiples of powers of a root of x^{n+1} = x + 1, modulo 1) of a box.
pub(crate) fn starts(bounds: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let n = bounds.len();
    let place = |fraction: &dyn Fn(usize) -> f64| -> Vec<f64> {
        bounds.iter().enumerate().map(|(i, [low, high])| low + fraction(i) * (high - low)).collect()
    };
    let mut root: f64 = 2.0;
    for _ in 0..60 {
        root = (1.0 + root).powf(1.0 / (n as f64 + 1.0));
    }
    let mut all = vec![place(&|_| 0.5)];
    for corner in 0..1usize.checked_shl(n as u32).unwrap_or(usize::MAX).min(STARTS) {
        // With more than ten parameters the corners are drawn from the same even sequence.
        let side = |i: usize| match n {
            0..=10 => ((corner >> i) & 1) as f64,
            _ => (root.powi(-(i as i32) - 1) * (corner as f64 + 0.5)).fract().round(),
        };
        all.push(place(&side));
    }
    for index in 1..=STARTS {
        all.push(place(&|i| (0.5 + index as f64 * root.powi(-(i as i32) - 1)).fract()));
    }
    all
}

/// The coefficients of a polynomial in coordinate i alone, lowest power first.
fn line(terms: &[(&Monomial, f64)], i: usize, at: &[f64]) -> Vec<f64> {
    let mut powers = vec![0.0];
    for (monomial, coefficient) in terms {
        let power = monomial.iter().filter(|j| **j as usize == i).count();
        let others = monomial.iter().filter(|j| **j as usize != i);
        let value = coefficient * others.filter_map(|j| at.get(*j as usize)).product::<f64>();
        if powers.len() <= power {
            powers.resize(power + 1, 0.0);
        }
        powers[power] += value;
    }
    powers
}

/// Where a polynomial of one variable is largest in magnitude, and how large: on a grid, then by golden section.
fn largest_on(powers: &[f64], low: f64, high: f64) -> (f64, f64) {
    const GRID: usize = 32;
    let value = |x: f64| powers.iter().rev().fold(0.0, |sum, a| sum * x + a).abs();
    let at = |i: usize| low + (high - low) * i as f64 / GRID as f64;
    let best = (0..=GRID).fold(0, |best, i| if value(at(i)) > value(at(best)) { i } else { best });
    let (mut left, mut right) = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
    for _ in 0..50 {
        let third = 0.381_966_011_250_105 * (right - left);
        if value(left + third) > value(right - third) { right -= third } else { left += third }
    }
    let x = [at(best), 0.5 * (left + right)].into_iter().fold(at(best), |a, b| if value(b) > value(a) { b } else { a });
    (x, value(x))
}

impl fmt::Display for MorphingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MorphingError::Shape { what, index, found, expected } => {
                write!(f, "{what}: {found} entries instead of {expected} (at {index})")
            }
            MorphingError::Number { what, index } => write!(f, "{what}: entry {index} holds a number that cannot be"),
            MorphingError::Monomial { index } => {
                write!(f, "monomial {index} stands twice or names a parameter that the basis points lack")
            }
            MorphingError::Empty => write!(f, "no monomial, no basis point or no template"),
            MorphingError::TooFew { points, monomials } => {
                write!(f, "{points} basis points do not determine {monomials} monomials")
            }
            MorphingError::IllPosed { condition, duplicates, unresolved } => {
                write!(f, "the basis points do not tell the monomials apart: condition number {condition:.1e}")?;
                if !duplicates.is_empty() {
                    write!(f, "; equal basis points: {duplicates:?}")?;
                }
                if !unresolved.is_empty() {
                    write!(f, "; monomials not resolved: {unresolved:?}")?;
                }
                Ok(())
            }
            MorphingError::TooLarge { what } => write!(f, "the {what} is too large"),
        }
    }
}

impl std::error::Error for MorphingError {}
