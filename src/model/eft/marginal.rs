//! Some of the measurements with Gaussian errors, the others integrated out: the covariance of their points stays what it
//! is in the whole (spec/inference.md, "Information of data sets").

use super::measurement::{Covariance, CovarianceBlock, Flat, Measurements, NotPositive, Whitening, WhiteningBlock};
use crate::model::select;
use nalgebra::DMatrix;

impl Measurements {
    /// The sets with a flag that is set.
    ///
    /// # Errors
    /// Where rounding leaves a block that is not positive definite.
    pub fn keep(&self, kept: &[bool]) -> Result<Measurements, NotPositive> {
        let is_kept = |set: usize| kept.get(set).copied().unwrap_or(false);
        if (0..self.sets.len()).all(is_kept) {
            return Ok(self.clone());
        }
        let of_points = self.sets.iter().enumerate().flat_map(|(s, set)| set.data.iter().map(move |_| is_kept(s)));
        let of_points: Vec<bool> = of_points.collect();
        let covariance = self.whitening.covariance_of(&of_points);
        let widths = |all: &[f64]| select(all, &of_points);
        let flat = match &self.flat {
            Flat::Clamped(all) => Flat::Clamped(widths(all)),
            Flat::Marginalised(all) => Flat::Marginalised(widths(all)),
        };
        let sets = self.sets.iter().enumerate().filter(|(s, _)| is_kept(*s)).map(|(_, set)| set.clone()).collect();
        Ok(Measurements { sets, whitening: Whitening::new(&covariance)?, flat })
    }
}

impl Whitening {
    /// V of the points with a flag that is set, which are numbered anew.
    fn covariance_of(&self, kept: &[bool]) -> Covariance {
        let mut number = Vec::with_capacity(kept.len());
        let mut next = 0;
        for kept in kept {
            number.push(kept.then_some(next));
            next += usize::from(*kept);
        }
        let new = |point: &usize| number.get(*point).copied().flatten();
        let mut covariance = Covariance { blocks: Vec::new(), shared: vec![Vec::new(); self.errors.len()] };
        let mut first = 0;
        for block in &self.blocks {
            let (factor, n) = (unwhiten(block), block.points.len());
            let places: Vec<(usize, usize)> =
                block.points.iter().enumerate().filter_map(|(i, point)| Some((i, new(point)?))).collect();
            let element = |i: usize, j: usize| factor.row(i).dot(&factor.row(j));
            let matrix = places.iter().flat_map(|(i, _)| places.iter().map(move |(j, _)| (*i, *j)));
            let matrix = matrix.map(|(i, j)| element(i, j)).collect();
            if !places.is_empty() {
                covariance.blocks.push(CovarianceBlock { points: places.iter().map(|(_, p)| *p).collect(), matrix });
            }
            for (errors, shared) in self.errors.iter().zip(&mut covariance.shared) {
                let own = errors.get(first..first + n).unwrap_or_default();
                for &(i, point) in &places {
                    let error: f64 = own.iter().take(i + 1).enumerate().map(|(j, u)| factor[(i, j)] * u).sum();
                    shared.push((point, error));
                }
            }
            first += n;
        }
        covariance.shared.retain(|errors| errors.iter().any(|(_, error)| *error != 0.0));
        covariance
    }
}

/// W⁻¹ of a block, a lower triangle: B = W⁻¹ W⁻ᵀ.
fn unwhiten(block: &WhiteningBlock) -> DMatrix<f64> {
    let n = block.points.len();
    let element = |i: usize, j: usize| block.inverse.get(i * (i + 1) / 2 + j).copied().unwrap_or(0.0);
    let whitening = DMatrix::from_fn(n, n, |i, j| if j <= i { element(i, j) } else { 0.0 });
    let mut inverse = DMatrix::identity(n, n);
    // A whitening has no zero on its diagonal.
    whitening.solve_lower_triangular_mut(&mut inverse);
    inverse
}
