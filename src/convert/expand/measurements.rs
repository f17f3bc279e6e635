//! Measurements with Gaussian errors (spec/eft-hs3.md, section 4): the density of n correlated points is the product of
//! the densities of each point given those before it, which are Gaussians in one variable.

use super::formula;
use super::names::{Functions, Names};
use crate::model::Model;
use crate::model::eft::Form;
use crate::model::eft::measurement::{MeasurementSet, Measurements, Whitening};
use nalgebra::{Cholesky, DMatrix};

/// A point given those before it: N(x; mean, sigma).
#[derive(Debug)]
pub(super) struct Point {
    /// Of the distribution.
    pub name: String,
    /// Of its variate, a constant parameter.
    pub observable: String,
    pub value: f64,
    /// A function.
    pub mean: String,
    pub sigma: f64,
}

/// The points of all measurements.
pub(super) fn points(model: &Model, names: &mut Names, functions: &mut Functions) -> Vec<Point> {
    let measurements = &model.measurements;
    let data: Vec<f64> = measurements.data().collect();
    let labels: Vec<String> = measurements
        .sets
        .iter()
        .flat_map(|set| (0..set.data.len()).map(|k| format!("{}_{k}", set.name)))
        .map(|label| super::super::identifier(&label))
        .collect();
    let means = means(measurements, names, functions);
    let mut all = Vec::with_capacity(data.len());
    for (order, rows) in conditionals(&measurements.whitening) {
        for (i, (sigma, row)) in rows.into_iter().enumerate() {
            let point = order[i];
            let residuals: Vec<(f64, String)> = row
                .iter()
                .zip(&order)
                .map(|(b, j)| (*b, format!("({}-{})", formula::literal(data[*j]), means[*j])))
                .collect();
            let terms = residuals.iter().map(|(b, text)| (*b, text.as_str()));
            let mean = formula::sum(std::iter::once((1.0, means[point].as_str())).chain(terms));
            let mean = if mean == means[point] {
                mean
            } else {
                functions.own(names, &format!("{}_given_mean", labels[point]), mean)
            };
            let name = names.unique(&format!("{}_measured", labels[point]));
            let observable = names.unique(&format!("nom_{}", labels[point]));
            all.push(Point { name, observable, value: data[point], mean, sigma });
        }
    }
    all
}

/// The function that is the mean of each point.
fn means(measurements: &Measurements, names: &mut Names, functions: &mut Functions) -> Vec<String> {
    let sets = measurements.sets.iter();
    sets.flat_map(|set| (0..set.data.len()).map(move |k| (set, k)))
        .map(|(set, k)| mean(set, k, names, functions))
        .collect()
}

fn mean(set: &MeasurementSet, k: usize, names: &mut Names, functions: &mut Functions) -> String {
    let wanted = format!("{}_{k}_mean", set.name);
    let variables: Vec<String> = set.mean.parameters.iter().map(|p| names.parameters[*p].clone()).collect();
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let mut formula = match &set.mean.form {
        Form::Product(factors) => formula::product(factors, k, &variables, |i, formula| {
            functions.named(names, &format!("{wanted}_factor{i}"), formula)
        }),
        // Means are never sums over events.
        Form::Events(_) => formula::literal(f64::NAN),
    };
    let shifts: Vec<(f64, String)> = set
        .shifts
        .iter()
        .filter_map(|(parameter, u)| Some((*u.get(k)?, names.parameters[*parameter].clone())))
        .filter(|(u, _)| *u != 0.0)
        .collect();
    if !shifts.is_empty() {
        let shift = formula::sum(shifts.iter().map(|(u, name)| (*u, name.as_str())));
        formula = format!("{formula}+({shift})");
    }
    functions.own(names, &wanted, formula)
}

/// σ_i and b_ij, j < i, of each point in groups that nothing correlates with each other.
type Rows = Vec<(f64, Vec<f64>)>;

/// With V = L Lᵀ and D the diagonal of L, D L⁻¹ r = r_i − Σ_{j<i} b_ij r_j are independent with errors L_ii. In terms
/// of the whitening, L = W⁻¹ K with K Kᵀ = 1 + U Uᵀ.
fn conditionals(whitening: &Whitening) -> Vec<(Vec<usize>, Rows)> {
    let blocks = whitening.blocks.iter().map(|block| {
        let n = block.points.len();
        let mut rest = block.inverse.as_slice();
        let mut w = DMatrix::zeros(n, n);
        for i in 0..n {
            let (row, below) = rest.split_at(i + 1);
            rest = below;
            row.iter().enumerate().for_each(|(j, x)| w[(i, j)] = *x);
        }
        (block.points.clone(), w)
    });
    if whitening.errors.is_empty() {
        return blocks.map(|(points, w)| (points, rows(&w))).collect();
    }
    let (mut order, mut all, mut first) = (Vec::new(), DMatrix::zeros(whitening.n_points(), whitening.n_points()), 0);
    for (points, w) in blocks {
        all.view_mut((first, first), (points.len(), points.len())).copy_from(&w);
        first += points.len();
        order.extend(points);
    }
    let n = order.len();
    let u = DMatrix::from_fn(n, whitening.errors.len(), |i, s| whitening.errors[s][i]);
    let Some(factor) = Cholesky::new(DMatrix::identity(n, n) + &u * u.transpose()) else { return Vec::new() };
    let mut inverse = all;
    if !factor.l().solve_lower_triangular_mut(&mut inverse) {
        return Vec::new();
    }
    vec![(order, rows(&inverse))]
}

/// From L⁻¹.
fn rows(inverse: &DMatrix<f64>) -> Rows {
    let row = |i: usize| {
        let sigma = 1.0 / inverse[(i, i)];
        (sigma, (0..i).map(|j| -sigma * inverse[(i, j)]).collect())
    };
    (0..inverse.nrows()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::eft::measurement::{Covariance, CovarianceBlock};

    /// Two points of errors 2 and 3 with correlation 1/4 and one beside them, and an error of 1 and −1 that the second
    /// and third share: the regression of a point on those before it from the covariance itself.
    #[test]
    fn conditionals_are_regressions() {
        let covariance = Covariance {
            blocks: vec![
                CovarianceBlock { points: vec![0, 1], matrix: vec![4.0, 1.5, 1.5, 9.0] },
                CovarianceBlock { points: vec![2], matrix: vec![1.0] },
            ],
            shared: vec![vec![(1, 1.0), (2, -1.0)]],
        };
        let groups = conditionals(&Whitening::new(&covariance).unwrap());
        let (order, rows) = &groups[0];
        assert_eq!((groups.len(), order.as_slice()), (1, &[0, 1, 2][..]));
        // V = [[4, 1.5, 0], [1.5, 10, −1], [0, −1, 2]]; given the first: 1.5/4, 10 − 1.5²/4.
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} and {b}");
        near(rows[0].0, 2.0);
        near(rows[1].0, (10.0f64 - 1.5 * 1.5 / 4.0).sqrt());
        near(rows[1].1[0], 1.5 / 4.0);
        // Given both: the inverse of [[4, 1.5], [1.5, 10]] times (0, −1).
        let det = 40.0 - 2.25;
        near(rows[2].1[0], 1.5 / det);
        near(rows[2].1[1], -4.0 / det);
        near(rows[2].0, (2.0f64 - 4.0 / det).sqrt());
    }
}
