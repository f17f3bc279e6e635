//! Gaussian constraints that are not independent (spec/constraints.md, "Correlated constraints").

use nalgebra::{Cholesky, DMatrix};

/// A group of parameters whose auxiliary measurements are correlated. Their constraints stay as they are: what is here is
/// what the correlation adds to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// Places in fit order; each has a Gaussian constraint.
    pub parameters: Vec<usize>,
    /// R⁻¹ − 1 of the correlations R, row-major.
    pub excess: Vec<f64>,
    /// L with R = L Lᵀ, row-major.
    pub factor: Vec<f64>,
    /// ½ ln det R.
    pub half_ln_det: f64,
}

impl Correlation {
    /// None where the matrix (row-major) is not that of correlations: symmetric, 1 on its diagonal, positive definite.
    pub fn new(parameters: Vec<usize>, matrix: &[f64]) -> Option<Correlation> {
        let n = parameters.len();
        if matrix.len() != n * n || !matrix.iter().all(|x| x.is_finite()) {
            return None;
        }
        let matrix = DMatrix::from_row_slice(n, n, matrix);
        let is_symmetric = (0..n).all(|i| (0..i).all(|j| matrix[(i, j)] == matrix[(j, i)]));
        if !is_symmetric || (0..n).any(|i| matrix[(i, i)] != 1.0) {
            return None;
        }
        let cholesky = Cholesky::new(matrix)?;
        let factor = cholesky.l();
        let excess = cholesky.inverse() - DMatrix::identity(n, n);
        let rows = |matrix: &DMatrix<f64>| matrix.transpose().as_slice().to_vec();
        let half_ln_det = factor.diagonal().iter().map(|x| x.ln()).sum();
        Some(Correlation { parameters, excess: rows(&excess), factor: rows(&factor), half_ln_det })
    }

    /// An element of R.
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        let row = |i: usize| &self.factor[i * self.parameters.len()..][..self.parameters.len()];
        row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum()
    }

    /// Makes independent standard normal numbers correlated: L n.
    pub fn correlate(&self, numbers: &mut [f64]) {
        let n = self.parameters.len();
        for i in (0..n).rev() {
            numbers[i] = (0..=i).map(|j| self.factor[i * n + j] * numbers[j]).sum();
        }
    }
}
