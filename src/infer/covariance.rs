//! A covariance of the parameters in the form that propagation needs: V = D L Lᵀ D, D the uncertainties and L a factor
//! of their correlation.

/// Uncertainties of the parameters, correlated or not.
#[derive(Clone, Debug)]
pub struct Covariance {
    widths: Vec<f64>,
    /// Rows of L, row i of length i + 1; none where nothing is correlated.
    factor: Option<Vec<Vec<f64>>>,
}

/// The correlation is not positive semidefinite: no measurement has it. The first parameter where that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPositive {
    pub parameter: usize,
}

/// A pivot of the correlation below this is zero, and one below its negative makes it no correlation.
const ZERO_PIVOT: f64 = 1e-11;

/// What rounding may leave of a column whose pivot is zero.
const ROUNDING: f64 = 1e-5;

impl Covariance {
    /// Uncertainties without correlation.
    pub fn diagonal(widths: Vec<f64>) -> Covariance {
        Covariance { widths, factor: None }
    }

    /// From a symmetric matrix (n × n, row-major). What has no finite variance is taken as held, with uncertainty 0.
    ///
    /// # Errors
    /// Where the matrix is not positive semidefinite.
    pub fn of_matrix(matrix: &[f64], n: usize) -> Result<Covariance, NotPositive> {
        let widths: Vec<f64> =
            (0..n).map(|i| matrix[i * n + i].sqrt()).map(|w| if w > 0.0 { w } else { 0.0 }).collect();
        let inverse: Vec<f64> = widths.iter().map(|w| if *w > 0.0 { 1.0 / w } else { 0.0 }).collect();
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(n);
        for i in 0..n {
            let mut row = vec![0.0; i + 1];
            let mut pivot = 1.0;
            for j in 0..i {
                if inverse[i] == 0.0 || inverse[j] == 0.0 {
                    continue;
                }
                let correlation = matrix[i * n + j] * inverse[i] * inverse[j];
                let rest = correlation - dot(&row[..j], &rows[j][..j]);
                if rows[j][j] > 0.0 {
                    row[j] = rest / rows[j][j];
                    pivot -= row[j] * row[j];
                } else if rest.is_nan() || rest.abs() > ROUNDING {
                    return Err(NotPositive { parameter: i });
                }
            }
            if inverse[i] > 0.0 {
                if pivot.is_nan() || pivot < -ZERO_PIVOT {
                    return Err(NotPositive { parameter: i });
                }
                row[i] = if pivot < ZERO_PIVOT { 0.0 } else { pivot.sqrt() };
            }
            rows.push(row);
        }
        Ok(Covariance { widths, factor: Some(rows) })
    }

    /// The uncertainties, n_parameters long.
    pub fn widths(&self) -> Vec<f64> {
        self.widths.clone()
    }

    /// √(dᵀ V d) for a vector d (n_parameters long) that is zero but for the listed parameters: the norm of Lᵀ D d,
    /// which no rounding makes negative.
    pub fn uncertainty_of(&self, parameters: &[usize], d: &[f64]) -> f64 {
        let Some(factor) = &self.factor else {
            return parameters.iter().map(|&i| d[i] * self.widths[i]).map(|x| x * x).sum::<f64>().sqrt();
        };
        let longest = parameters.iter().max().map_or(0, |last| last + 1);
        let mut projected = vec![0.0; longest];
        for &i in parameters {
            let scaled = d[i] * self.widths[i];
            if scaled != 0.0 {
                for (sum, l) in projected.iter_mut().zip(&factor[i]) {
                    *sum += l * scaled;
                }
            }
        }
        dot(&projected, &projected).sqrt()
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dᵀ V d by hand: 4·1² + 9·2² + 2·(0.5·2·3)·1·2 = 52, and without correlation 40.
    #[test]
    fn quadratic_forms_by_hand() {
        let matrix = [4.0, 3.0, 3.0, 9.0];
        let covariance = Covariance::of_matrix(&matrix, 2).unwrap();
        assert!((covariance.uncertainty_of(&[0, 1], &[1.0, 2.0]) - 52.0_f64.sqrt()).abs() < 1e-14);
        assert!((covariance.uncertainty_of(&[1, 0], &[1.0, 2.0]) - 52.0_f64.sqrt()).abs() < 1e-14);
        let diagonal = Covariance::diagonal(vec![2.0, 3.0]);
        assert!((diagonal.uncertainty_of(&[0, 1], &[1.0, 2.0]) - 40.0_f64.sqrt()).abs() < 1e-14);
    }

    /// Fully correlated parameters may cancel exactly: V = v vᵀ with d ⟂ v.
    #[test]
    fn full_correlation_is_no_failure() {
        let v = [1.0, 2.0, -3.0];
        let matrix: Vec<f64> = (0..9).map(|k| v[k / 3] * v[k % 3]).collect();
        let covariance = Covariance::of_matrix(&matrix, 3).unwrap();
        assert!(covariance.uncertainty_of(&[0, 1, 2], &[1.0, 1.0, 1.0]) < 1e-14);
        assert!((covariance.uncertainty_of(&[0, 1, 2], &[1.0, 0.0, -1.0]) - 4.0).abs() < 1e-14);
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        assert!(Covariance::of_matrix(&[1.0, 1.1, 1.1, 1.0], 2).is_err());
        // All pairs fully correlated but one, which is not at all.
        let matrix = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0];
        assert_eq!(Covariance::of_matrix(&matrix, 3).unwrap_err(), NotPositive { parameter: 2 });
    }

    #[test]
    fn what_has_no_variance_is_held() {
        let matrix = [4.0, 0.0, 0.0, f64::NAN];
        let covariance = Covariance::of_matrix(&matrix, 2).unwrap();
        assert!((covariance.uncertainty_of(&[0, 1], &[1.0, 5.0]) - 2.0).abs() < 1e-15);
    }
}
