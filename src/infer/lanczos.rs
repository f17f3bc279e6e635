//! The largest eigenvalue of a symmetric positive matrix that is known by its products (C. Lanczos, J. Res. Natl. Bur.
//! Stand. 45 (1950) 255).

use nalgebra::{DMatrix, SymmetricEigen};

/// Products at most; the extreme eigenvalue converges first.
const MOST_STEPS: usize = 30;

/// The eigenvalue is known to this part of it when a further product changes it by less.
const TOLERANCE: f64 = 1e-9;

/// Of an n × n matrix; `multiply` writes the product with its first argument to the second. Exact to rounding for n up to
/// the number of steps.
pub(crate) fn largest_eigenvalue(n: usize, mut multiply: impl FnMut(&[f64], &mut [f64])) -> f64 {
    let mut basis: Vec<Vec<f64>> = vec![start(n)];
    let (mut diagonal, mut beside): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut last = f64::NAN;
    loop {
        let newest = &basis[basis.len() - 1];
        let mut next = vec![0.0; n];
        multiply(newest, &mut next);
        diagonal.push(dot(newest, &next));
        // Orthogonal to all before, twice: rounding would bring them back.
        for vector in basis.iter().chain(&basis) {
            let share = dot(vector, &next);
            next.iter_mut().zip(vector).for_each(|(x, v)| *x -= share * v);
        }
        let value = of_tridiagonal(&diagonal, &beside);
        let length = dot(&next, &next).sqrt();
        let done = diagonal.len() >= MOST_STEPS.min(n) || (value - last).abs() <= TOLERANCE * value;
        if done || length.is_nan() || length <= 1e-14 * value.abs() {
            return value;
        }
        last = value;
        beside.push(length);
        next.iter_mut().for_each(|x| *x /= length);
        basis.push(next);
    }
}

/// A direction that no symmetry of a model makes orthogonal to an eigenvector: multiples of the golden ratio, modulo 1.
fn start(n: usize) -> Vec<f64> {
    let vector: Vec<f64> = (1..=n).map(|k| 1.0 + (k as f64 * 0.618_033_988_749_894_9).fract()).collect();
    let length = dot(&vector, &vector).sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> f64 {
    let entry = |i: usize, j: usize| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    };
    let matrix = DMatrix::from_fn(diagonal.len(), diagonal.len(), entry);
    if matrix.iter().any(|x| !x.is_finite()) {
        return f64::NAN;
    }
    SymmetricEigen::new(matrix).eigenvalues.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second difference of n points has the eigenvalues 4 sin²(kπ/(2(n + 1))), k = 1…n.
    #[test]
    fn second_differences_have_known_eigenvalues() {
        for n in [1, 2, 5, 12, 25] {
            let largest = largest_eigenvalue(n, |from, to| {
                for i in 0..n {
                    let neighbour = |j: Option<usize>| j.and_then(|j| from.get(j)).copied().unwrap_or(0.0);
                    to[i] = 2.0 * from[i] - neighbour(i.checked_sub(1)) - neighbour(Some(i + 1));
                }
            });
            let angle = n as f64 * std::f64::consts::PI / (2.0 * (n + 1) as f64);
            assert!((largest - 4.0 * angle.sin().powi(2)).abs() < 1e-8, "{n}: {largest}");
        }
    }

    /// One far eigenvalue among many equal ones.
    #[test]
    fn one_weak_direction_is_found() {
        let n = 400;
        let largest = largest_eigenvalue(n, |from, to| {
            to.copy_from_slice(from);
            to[317] *= 50.0;
        });
        assert!((largest - 50.0).abs() < 1e-6, "{largest}");
    }
}
