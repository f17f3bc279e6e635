//! From weights at basis points to coefficients: the solution operator of the basis (spec/event-database.md, eq. 3).

use crate::model::eft::Monomial;
use crate::model::eft::morphing::{LeastSquares, solve};

/// A row a monomial (sorted), a column a basis point: the solutions for weights of 1 at one point and 0 elsewhere.
pub fn operator(basis_points: &[Vec<f64>], monomials: &[Monomial]) -> Result<Vec<Vec<f64>>, String> {
    let n = basis_points.len();
    let unit = |b: usize| (0..n).map(|i| if i == b { 1.0 } else { 0.0 }).collect();
    let units: Vec<Vec<f64>> = (0..n).map(unit).collect();
    let solution = solve(basis_points, monomials, &units, None, LeastSquares::Equal).map_err(|e| e.to_string())?;
    let row = |monomial: &Monomial| solution.polynomial.coefficients_of(monomial).map(<[f64]>::to_vec);
    monomials.iter().map(|m| row(m).ok_or_else(|| "a monomial without solution".to_owned())).collect()
}
