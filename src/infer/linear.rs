//! The minimum where −2 ln L is a sum of squares of linear functions, by QR of the design matrix (spec/gaussian.md,
//! section 8).

use crate::kernel::{Evaluator, simd};
use crate::model::Data;
use crate::program::{PreparedData, Program};
use nalgebra::{DMatrix, DVector};

/// A diagonal element of R below this part of the first one: a direction that nothing determines.
const DEPENDENT: f64 = 1e-13;

/// Solutions after the first: each corrects what rounding left of the one before.
const CORRECTIONS: usize = 2;

impl Program {
    /// Whether −2 ln L is a sum of squares of linear functions of the parameters: measurements with Gaussian errors and
    /// linear means, Gaussian constraints, and nothing else.
    pub fn is_linear(&self) -> bool {
        let counts = self.n_bins() + self.constraints.poissons.len();
        counts == 0
            && self.penalties.is_empty()
            && self.correlations.is_empty()
            && !self.is_unbinned()
            && self.densities.is_none()
            && self.driven.is_none()
            && self.n_measured() > 0
            && self.measurements.is_linear()
    }
}

/// The minimum over the free parameters of a likelihood that [`Program::is_linear`], bounds or not; the others stay at
/// `start` (n_parameters). `None` where the data do not determine all of them.
pub(crate) fn minimum(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    fixed: &[bool],
    start: &[f64],
) -> Option<Vec<f64>> {
    let free: Vec<usize> = (0..start.len()).filter(|i| !fixed[*i]).collect();
    let (mut design, mut residuals) = linearised(evaluator, data, &free, start);
    if free.is_empty() || design.nrows() < free.len() {
        return None;
    }
    // Columns of length one: the units of parameters do not count.
    let lengths: Vec<f64> = design.column_iter().map(|column| column.norm()).collect();
    if !lengths.iter().all(|length| *length > 0.0 && length.is_finite()) {
        return None;
    }
    for (mut column, length) in design.column_iter_mut().zip(&lengths) {
        column /= *length;
    }
    let decomposition = design.col_piv_qr();
    let r = decomposition.r();
    let least = r.diagonal().iter().fold(f64::INFINITY, |least, x| least.min(x.abs()));
    if least <= DEPENDENT * r[(0, 0)].abs() {
        return None;
    }
    let mut point = start.to_vec();
    for _ in 0..=CORRECTIONS {
        decomposition.q_tr_mul(&mut residuals);
        let mut step = residuals.rows(0, free.len()).into_owned();
        if !r.solve_upper_triangular_mut(&mut step) {
            return None;
        }
        decomposition.p().inv_permute_rows(&mut step);
        for ((&i, step), length) in free.iter().zip(&step).zip(&lengths) {
            point[i] += step / length;
        }
        residuals = residuals_at(evaluator, data, &free, &point);
    }
    point.iter().all(|x| x.is_finite()).then_some(point)
}

/// A and b of |A δ − b|², which is −2 ln L at `point` + δ up to a constant: whitened points, then Gaussian constraints of
/// free parameters.
fn linearised(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    free: &[usize],
    point: &[f64],
) -> (DMatrix<f64>, DVector<f64>) {
    let program = evaluator.program;
    let whitened = evaluator.whitened_jacobian(point);
    let n = program.n_parameters();
    let constrained: Vec<(usize, f64)> = free
        .iter()
        .enumerate()
        .flat_map(|(column, &i)| {
            let own = program.constraints.gaussians.iter().filter(move |(p, _, _)| *p as usize == i);
            own.map(move |(_, sigma, _)| (column, 1.0 / sigma))
        })
        .collect();
    let rows = program.n_whitened();
    let design = DMatrix::from_fn(rows + constrained.len(), free.len(), |a, column| match a.checked_sub(rows) {
        None => whitened[a * n + free[column]],
        Some(a) if constrained[a].0 == column => constrained[a].1,
        Some(_) => 0.0,
    });
    (design, residuals_at(evaluator, data, free, point))
}

/// b at a point.
fn residuals_at(evaluator: &mut Evaluator, data: &PreparedData, free: &[usize], point: &[f64]) -> DVector<f64> {
    let program = evaluator.program;
    let measured = data.to_data(program);
    let mut expected = Data::zeros(program);
    evaluator.expected(point, &mut expected.main, &mut expected.auxiliary);
    let behind = program.n_auxdata() - program.n_measured();
    let of_points = measured.auxiliary[behind..].iter().zip(&expected.auxiliary[behind..]);
    let mut residuals = program.whiten(&of_points.map(|(d, t)| d - t).collect::<Vec<f64>>());
    for &i in free {
        let gaussians = program.constraints.gaussians.iter().zip(simd::flat(&data.gaussian));
        let own = gaussians.filter(|((p, _, _), _)| *p as usize == i);
        residuals.extend(own.map(|((_, sigma, _), centre)| (centre - point[i]) / sigma));
    }
    DVector::from_vec(residuals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::workspace::Workspace;
    use crate::translate::from_pyhf::{self, ModelOptions};
    use serde_json::json;

    /// d₁ = a + e θ ± s₁, d₂ = a ± s₂, θ = 0 ± 1: a is the mean weighted with 1/(s₁² + e²) and 1/s₂², and
    /// θ = e (d₁ − a)/(s₁² + e²). The columns have lengths that differ by 10⁹.
    #[test]
    fn two_points_and_a_constraint() {
        let (d, s, e, unit) = ([3.0, 1.0], [0.5, 0.8], 0.7, 1e9);
        let document = json!({
            "version": "1.0.0", "channels": [], "observations": [],
            "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
            "eft": {
                "version": "0.1.0",
                "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
                "wilson_coefficients": [{"name": "a", "bounds": [-1.0, 1.0]}],
                "named_systematics": "parameters",
                "gaussian_measurements": [{
                    "name": "m", "data": d, "uncorrelated": s,
                    "prediction": {"kind": "polynomial", "truncation": "none", "monomials": [["a"]],
                        "coefficients": [[unit, unit]]},
                    "systematics": [{"name": "theta", "correlation": "name", "kind": "additive", "values": [e, 0.0]}],
                }],
            },
        });
        let workspace = Workspace::from_value(&document).unwrap();
        let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
        let data = from_pyhf::data(&workspace, &model).unwrap();
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let point = minimum(&mut Evaluator::new(&program), &data, &[false; 2], &[0.0; 2]).unwrap();
        let variance = [s[0] * s[0] + e * e, s[1] * s[1]];
        let a = (d[0] / variance[0] + d[1] / variance[1]) / (1.0 / variance[0] + 1.0 / variance[1]);
        let theta = e * (d[0] - a) / variance[0];
        let names = model.parameter_names();
        for (name, want) in [("a", a / unit), ("theta", theta)] {
            let got = point[names.iter().position(|own| own == name).unwrap()];
            assert!((got / want - 1.0).abs() < 1e-14, "{name}: {got} and {want}");
        }
    }
}
