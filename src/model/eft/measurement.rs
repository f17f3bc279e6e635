//! Measurements with Gaussian errors whose means depend on the parameters (spec/gaussian.md).

use super::Response;
use nalgebra::{Cholesky, DMatrix};

/// −2 ln L = (d − t)ᵀ V⁻¹ (d − t) + ln det 2πV (spec/gaussian.md, eq. 1). Points are numbered through all sets.
#[derive(Clone, Debug, Default)]
pub struct Measurements {
    pub sets: Vec<MeasurementSet>,
    pub whitening: Whitening,
    pub flat: Flat,
}

/// Half widths of flat errors that are no parameters: one a point, or none at all (spec/gaussian.md, section 5).
#[derive(Clone, Debug)]
pub enum Flat {
    Clamped(Vec<f64>),
    Marginalised(Vec<f64>),
}

impl Default for Flat {
    fn default() -> Flat {
        Flat::Clamped(Vec::new())
    }
}

/// Points that one publication measured.
#[derive(Clone, Debug)]
pub struct MeasurementSet {
    pub name: String,
    pub data: Vec<f64>,
    /// The mean of each point: its bins are the points.
    pub mean: Response,
    /// θ u_a added to the means: the parameter, and u of each point.
    pub shifts: Vec<(usize, Vec<f64>)>,
}

/// V as blocks of points and errors that several blocks share: V = B + Σ_s u_s u_sᵀ.
#[derive(Clone, Debug, Default)]
pub struct Covariance {
    pub blocks: Vec<CovarianceBlock>,
    /// For each s the points with their u.
    pub shared: Vec<Vec<(usize, f64)>>,
}

#[derive(Clone, Debug)]
pub struct CovarianceBlock {
    pub points: Vec<usize>,
    /// n × n, symmetric, row-major.
    pub matrix: Vec<f64>,
}

/// What makes residuals independent: y = W r block by block, then α̂ = P y and z = y − U α̂, so that
/// rᵀ V⁻¹ r = zᵀ z + α̂ᵀ α̂ without a difference of large numbers (spec/gaussian.md, eq. 4).
#[derive(Clone, Debug, Default)]
pub struct Whitening {
    pub blocks: Vec<WhiteningBlock>,
    /// U: for each s a value a point, in the order of the blocks.
    pub errors: Vec<Vec<f64>>,
    /// P: for each s a value a point, in the order of the blocks.
    pub projector: Vec<Vec<f64>>,
    pub ln_det: f64,
}

#[derive(Clone, Debug)]
pub struct WhiteningBlock {
    pub points: Vec<usize>,
    /// W: the rows of a lower triangle, one behind the other.
    pub inverse: Vec<f64>,
}

/// A block whose matrix is not positive definite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPositive {
    pub points: Vec<usize>,
}

impl Measurements {
    /// Number of points of all sets.
    pub fn n_points(&self) -> usize {
        self.sets.iter().map(|set| set.data.len()).sum()
    }

    /// The recorded values of all points.
    pub fn data(&self) -> impl Iterator<Item = f64> {
        self.sets.iter().flat_map(|set| set.data.iter().copied())
    }

    /// The parameters that the means follow, with repetitions.
    pub fn parameters(&self) -> impl Iterator<Item = usize> {
        let of_set = |set: &MeasurementSet| {
            let shifts: Vec<usize> = set.shifts.iter().map(|(parameter, _)| *parameter).collect();
            set.mean.parameters.iter().copied().chain(shifts).collect::<Vec<_>>()
        };
        self.sets.iter().flat_map(of_set)
    }
}

impl Whitening {
    /// # Errors
    /// The first block that is not positive definite.
    pub fn new(covariance: &Covariance) -> Result<Whitening, NotPositive> {
        let mut whitening = Whitening::default();
        for block in &covariance.blocks {
            let (inverse, ln_det) = whiten(block).ok_or_else(|| NotPositive { points: block.points.clone() })?;
            whitening.ln_det += ln_det;
            whitening.blocks.push(WhiteningBlock { points: block.points.clone(), inverse });
        }
        whitening.share(&covariance.shared);
        Ok(whitening)
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.blocks.iter().map(|block| block.points.len()).sum()
    }

    /// U, P and their part of the determinant, from the QR decomposition of the whitened errors over the identity.
    fn share(&mut self, shared: &[Vec<(usize, f64)>]) {
        let (n, k) = (self.n_points(), shared.len());
        if k == 0 {
            return;
        }
        let mut stacked = DMatrix::zeros(n + k, k);
        for (s, errors) in shared.iter().enumerate() {
            let mut raw = vec![0.0; n];
            for &(point, error) in errors {
                raw[point] += error;
            }
            let whitened = self.apply(&raw);
            stacked.column_mut(s).rows_mut(0, n).copy_from_slice(&whitened);
            stacked[(n + s, s)] = 1.0;
            self.errors.push(whitened);
        }
        let decomposition = stacked.qr();
        let (q, r) = (decomposition.q(), decomposition.r());
        self.ln_det += 2.0 * r.diagonal().iter().map(|x| x.abs().ln()).sum::<f64>();
        // R is the factor of 1 + UᵀU: it has no zero on its diagonal.
        let mut projector = q.rows(0, n).transpose();
        r.solve_upper_triangular_mut(&mut projector);
        self.projector = (0..k).map(|s| projector.row(s).iter().copied().collect()).collect();
    }

    /// W r in the order of the blocks, of a list by point.
    pub fn apply(&self, residuals: &[f64]) -> Vec<f64> {
        let mut whitened = Vec::with_capacity(residuals.len());
        for block in &self.blocks {
            let mut rest = &block.inverse[..];
            for i in 0..block.points.len() {
                let (row, below) = rest.split_at(i + 1);
                rest = below;
                whitened.push(row.iter().zip(&block.points).map(|(w, point)| w * residuals[*point]).sum());
            }
        }
        whitened
    }
}

/// W = K⁻¹ S⁻¹ of V = S K Kᵀ S, where S holds the errors: a correlation matrix is far better conditioned than its
/// covariance. With ln det V.
fn whiten(block: &CovarianceBlock) -> Option<(Vec<f64>, f64)> {
    let n = block.points.len();
    let scale: Vec<f64> = (0..n).map(|i| block.matrix[i * n + i].sqrt()).collect();
    if !scale.iter().all(|s| *s > 0.0 && s.is_finite()) {
        return None;
    }
    let correlation = DMatrix::from_fn(n, n, |i, j| block.matrix[i * n + j] / (scale[i] * scale[j]));
    let factor = Cholesky::new(correlation)?.unpack();
    let ln_det = (0..n).map(|i| (factor[(i, i)] * scale[i]).ln()).sum::<f64>() * 2.0;
    let mut inverse = DMatrix::identity(n, n);
    if !(factor.solve_lower_triangular_mut(&mut inverse) && ln_det.is_finite()) {
        return None;
    }
    let rows = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
    Some((rows.map(|(i, j)| inverse[(i, j)] / scale[j]).collect(), ln_det))
}
