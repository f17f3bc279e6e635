//! From weights at basis points to coefficients: the solution operator of the basis (spec/event-database.md, eq. 3).

use crate::model::eft::Monomial;
use crate::model::eft::polynomial::monomial_value;
use nalgebra::DMatrix;

/// A row a monomial, a column a basis point.
pub fn operator(basis_points: &[Vec<f64>], monomials: &[Monomial]) -> Result<Vec<Vec<f64>>, String> {
    let (n, k) = (basis_points.len(), monomials.len());
    if n < k || k == 0 {
        return Err(format!("{n} basis points for {k} monomials"));
    }
    let phi = DMatrix::from_fn(n, k, |b, j| {
        basis_points.get(b).zip(monomials.get(j)).map_or(f64::NAN, |(point, m)| monomial_value(m, point))
    });
    if phi.iter().any(|x| !x.is_finite()) {
        return Err("a basis point with too few or too large values".to_owned());
    }
    let svd = phi.svd(true, true);
    let largest = svd.singular_values.max();
    if svd.singular_values.min() <= 1e-10 * largest {
        return Err(format!("a basis with singular values from {largest} to {}", svd.singular_values.min()));
    }
    let inverse = svd.pseudo_inverse(0.0)?;
    Ok(inverse.row_iter().map(|row| row.iter().copied().collect()).collect())
}
