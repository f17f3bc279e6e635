//! Symmetric matrices in rows of lanes: rank-k updates, Cholesky factorisation, solution of triangular systems.
//!
//! A matrix of n rows has `stride = ⌈n/8⌉` groups in each row; only the lower triangle counts, and the rest of the
//! group that holds the diagonal is scratch.

use super::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat, flat_mut};

entry_point! {
    /// Adds `Σ_k weights[k] · x_k x_kᵀ` to the rows from `first` on, x_k being row k of `vectors` (padded like the matrix).
    rank_update = rank_update_body(matrix: &mut [Lanes], n: usize, first: usize, vectors: &[Lanes], weights: &[f64])
}

entry_point! {
    /// Replaces the lower triangle by its Cholesky factor. Returns the first row whose pivot is not above its
    /// entry in `least`.
    cholesky = cholesky_body(matrix: &mut [Lanes], n: usize, least: &[f64], panel: &mut Vec<Lanes>) -> Option<usize>
}

entry_point! {
    /// Solves `L Lᵀ x = b` in place; `x` is padded to whole groups.
    solve = solve_body(factor: &[Lanes], n: usize, x: &mut [Lanes])
}

entry_point! {
    /// `to += A x` for the symmetric matrix of which `matrix` holds the lower triangle.
    multiply_add = multiply_add_body(matrix: &[Lanes], n: usize, x: &[Lanes], to: &mut [Lanes])
}

entry_point! {
    /// `to += a · from`.
    add_scaled_entry = add_scaled(a: f64, from: &[Lanes], to: &mut [Lanes])
}

entry_point! {
    /// Σ x y.
    dot_entry = dot(x: &[Lanes], y: &[Lanes]) -> f64
}

/// `to += a · from`, group by group.
#[inline(always)]
pub(super) fn add_scaled<S: Simd>(a: f64, from: &[Lanes], to: &mut [Lanes]) {
    let a = S::splat(a);
    for (x, y) in from.iter().zip(to) {
        a.fma(S::load(x), S::load(y)).store(y);
    }
}

#[inline(always)]
fn dot<S: Simd>(x: &[Lanes], y: &[Lanes]) -> f64 {
    let (mut even, mut odd) = (S::splat(0.0), S::splat(0.0));
    let (mut xs, mut ys) = (x.chunks_exact(2), y.chunks_exact(2));
    for (x, y) in (&mut xs).zip(&mut ys) {
        even = S::load(&x[0]).fma(S::load(&y[0]), even);
        odd = S::load(&x[1]).fma(S::load(&y[1]), odd);
    }
    for (x, y) in xs.remainder().iter().zip(ys.remainder()) {
        even = S::load(x).fma(S::load(y), even);
    }
    even.add(odd).sum()
}

/// How many vectors one pass over the matrix takes.
const DEPTH: usize = 8;

#[inline(always)]
pub(super) fn rank_update_body<S: Simd>(
    matrix: &mut [Lanes],
    n: usize,
    first: usize,
    vectors: &[Lanes],
    weights: &[f64],
) {
    let stride = n.div_ceil(8);
    if stride == 0 {
        return;
    }
    for (vectors, weights) in vectors.chunks(DEPTH * stride).zip(weights.chunks(DEPTH)) {
        let mut row = first;
        while row < n {
            let height = (n - row).min(4);
            let mut coefficients = [[0.0; DEPTH]; 4];
            let mut empty = true;
            for (k, (vector, weight)) in vectors.chunks_exact(stride).zip(weights).enumerate() {
                for (r, of_row) in coefficients[..height].iter_mut().enumerate() {
                    of_row[k] = weight * flat(vector)[row + r];
                    empty &= of_row[k] == 0.0;
                }
            }
            if !empty {
                update_rows::<S>(matrix, stride, row, height, vectors, weights.len(), &coefficients);
            }
            row += height;
        }
    }
}

/// Four rows at once (or fewer at the end), so that each group of a vector is loaded once for all.
#[inline(always)]
fn update_rows<S: Simd>(
    matrix: &mut [Lanes],
    stride: usize,
    row: usize,
    height: usize,
    vectors: &[Lanes],
    depth: usize,
    coefficients: &[[f64; DEPTH]; 4],
) {
    let groups = (row + height - 1) / 8 + 1;
    let rows = &mut matrix[row * stride..(row + height) * stride];
    for group in 0..groups {
        let mut sums = [S::splat(0.0); 4];
        for k in 0..depth {
            let x = S::load(&vectors[k * stride + group]);
            for (sum, coefficients) in sums.iter_mut().zip(coefficients) {
                *sum = S::splat(coefficients[k]).fma(x, *sum);
            }
        }
        for (row, sum) in rows.chunks_exact_mut(stride).zip(sums) {
            let place = &mut row[group];
            S::load(place).add(sum).store(place);
        }
    }
}

#[inline(always)]
fn cholesky_body<S: Simd>(matrix: &mut [Lanes], n: usize, least: &[f64], panel: &mut Vec<Lanes>) -> Option<usize> {
    let stride = n.div_ceil(8);
    panel.resize(8 * stride, ZERO);
    for group in 0..stride {
        let start = 8 * group;
        let width = (n - start).min(8);
        let failed = factor_diagonal(matrix, stride, start, width, least);
        if failed.is_some() {
            return failed;
        }
        if start + width == n {
            break;
        }
        let inverse = invert_diagonal(matrix, stride, start);
        for row in start + 8..n {
            let place = &mut matrix[row * stride + group];
            let old = place.0;
            let mut x = S::splat(0.0);
            for (value, column) in old.iter().zip(&inverse) {
                x = S::splat(*value).fma(S::load(column), x);
            }
            x.store(place);
            for (k, value) in place.0.iter().enumerate() {
                flat_mut(&mut panel[k * stride..(k + 1) * stride])[row] = *value;
            }
        }
        // What lies left of the trailing block stays as it is: its columns of the panel are empty.
        for k in 0..8 {
            panel[k * stride..k * stride + group + 1].fill(ZERO);
        }
        trailing_update::<S>(matrix, n, start + 8, group + 1, panel);
    }
    None
}

/// Subtracts the panel's product from rows and columns from `first` on.
#[inline(always)]
fn trailing_update<S: Simd>(matrix: &mut [Lanes], n: usize, first: usize, first_group: usize, panel: &[Lanes]) {
    let stride = n.div_ceil(8);
    let mut row = first;
    while row < n {
        let height = (n - row).min(4);
        let groups = (row + height - 1) / 8 + 1;
        let mut coefficients = [[0.0; 8]; 4];
        for (k, vector) in panel.chunks_exact(stride).enumerate() {
            for (r, of_row) in coefficients[..height].iter_mut().enumerate() {
                of_row[k] = -flat(vector)[row + r];
            }
        }
        let rows = &mut matrix[row * stride..(row + height) * stride];
        for group in first_group..groups {
            let mut sums = [S::splat(0.0); 4];
            for k in 0..8 {
                let x = S::load(&panel[k * stride + group]);
                for (sum, coefficients) in sums.iter_mut().zip(&coefficients) {
                    *sum = S::splat(coefficients[k]).fma(x, *sum);
                }
            }
            for (row, sum) in rows.chunks_exact_mut(stride).zip(sums) {
                let place = &mut row[group];
                S::load(place).add(sum).store(place);
            }
        }
        row += height;
    }
}

/// The factor of one block of eight on the diagonal; its upper half becomes zero.
#[inline(always)]
fn factor_diagonal(matrix: &mut [Lanes], stride: usize, start: usize, width: usize, least: &[f64]) -> Option<usize> {
    let mut block = [[0.0; 8]; 8];
    for (i, row) in block[..width].iter_mut().enumerate() {
        row.copy_from_slice(&matrix[(start + i) * stride + start / 8].0);
    }
    for j in 0..width {
        let above = block[j];
        let pivot = above[..j].iter().fold(above[j], |pivot, x| pivot - x * x);
        // A pivot that is not a number fails as well.
        if pivot.is_nan() || pivot <= least[start + j] {
            return Some(start + j);
        }
        let root = pivot.sqrt();
        block[j][j] = root;
        for row in &mut block[j + 1..width] {
            let sum = row[..j].iter().zip(&above).fold(row[j], |sum, (x, y)| sum - x * y);
            row[j] = sum / root;
        }
        block[j][j + 1..].fill(0.0);
    }
    for (i, row) in block[..width].iter().enumerate() {
        matrix[(start + i) * stride + start / 8].0 = *row;
    }
    None
}

/// The transposed inverse of a factored block, column by column: `[k][j] = (L⁻¹)_jk`.
#[inline(always)]
fn invert_diagonal(matrix: &[Lanes], stride: usize, start: usize) -> [Lanes; 8] {
    let at = |i: usize, j: usize| matrix[(start + i) * stride + start / 8].0[j];
    let mut inverse = [ZERO; 8];
    for (k, Lanes(column)) in inverse.iter_mut().enumerate() {
        column[k] = 1.0 / at(k, k);
        for j in k + 1..8 {
            let sum: f64 = (k..j).map(|i| at(j, i) * column[i]).sum();
            column[j] = -sum / at(j, j);
        }
    }
    inverse
}

#[inline(always)]
fn solve_body<S: Simd>(factor: &[Lanes], n: usize, x: &mut [Lanes]) {
    let stride = n.div_ceil(8);
    for i in 0..n {
        let row = &factor[i * stride..(i + 1) * stride];
        let mut sum = x[i / 8].0[i % 8] - dot::<S>(&row[..i / 8], &x[..i / 8]);
        for j in 0..i % 8 {
            sum -= row[i / 8].0[j] * x[i / 8].0[j];
        }
        x[i / 8].0[i % 8] = sum / row[i / 8].0[i % 8];
    }
    for i in (0..n).rev() {
        let row = &factor[i * stride..(i + 1) * stride];
        let value = x[i / 8].0[i % 8] / row[i / 8].0[i % 8];
        x[i / 8].0[i % 8] = value;
        add_scaled::<S>(-value, &row[..i / 8], &mut x[..i / 8]);
        for j in 0..i % 8 {
            x[i / 8].0[j] -= value * row[i / 8].0[j];
        }
    }
}

#[inline(always)]
fn multiply_add_body<S: Simd>(matrix: &[Lanes], n: usize, x: &[Lanes], to: &mut [Lanes]) {
    let stride = n.div_ceil(8);
    for i in 0..n {
        let row = &matrix[i * stride..(i + 1) * stride];
        let (group, lane) = (i / 8, i % 8);
        let value = x[group].0[lane];
        let mut sum = dot::<S>(&row[..group], &x[..group]) + row[group].0[lane] * value;
        add_scaled::<S>(value, &row[..group], &mut to[..group]);
        for j in 0..lane {
            sum += row[group].0[j] * x[group].0[j];
            to[group].0[j] += value * row[group].0[j];
        }
        to[group].0[lane] += sum;
    }
}

/// The inverse of `L Lᵀ`, full (n², row-major), from its factor.
pub(crate) fn inverse(backend: Backend, factor: &[Lanes], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    let mut column = vec![ZERO; n.div_ceil(8)];
    for (i, row) in inverse.chunks_exact_mut(n.max(1)).enumerate() {
        column.fill(ZERO);
        column[i / 8].0[i % 8] = 1.0;
        solve(backend, factor, n, &mut column);
        row.copy_from_slice(&flat(&column)[..n]);
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A A⁻¹ = 1 and L Lᵀ = A for A = 1 + Σ x xᵀ, sizes around the width of a group, on every path.
    #[test]
    fn factor_and_inverse_of_random_matrices() {
        for backend in Backend::available() {
            for n in [1, 2, 7, 8, 9, 16, 23, 40, 65] {
                let stride = n_groups(n);
                let entry = |k: usize, i: usize| ((k * 37 + i * 101 + k * i) % 29) as f64 / 29.0 - 0.4;
                let vectors: Vec<Vec<f64>> = (0..11).map(|k| (0..n).map(|i| entry(k, i)).collect()).collect();
                let mut matrix = vec![ZERO; n * stride];
                let mut plain = vec![0.0; n * n];
                for i in 0..n {
                    flat_mut(&mut matrix[i * stride..])[i] = 1.0;
                    plain[i * n + i] = 1.0;
                    for j in 0..n {
                        plain[i * n + j] += vectors.iter().map(|x| 0.7 * x[i] * x[j]).sum::<f64>();
                    }
                }
                let packed: Vec<Lanes> =
                    vectors.iter().flat_map(|x| crate::program::lanes(x.iter().copied())).collect();
                rank_update(backend, &mut matrix, n, 0, &packed, &[0.7; 11]);
                let x = crate::program::lanes((0..n).map(|i| entry(3, i) + 0.1));
                let mut product = vec![ZERO; stride];
                multiply_add(backend, &matrix, n, &x, &mut product);
                for i in 0..n {
                    let expected: f64 = (0..n).map(|j| plain[i * n + j] * flat(&x)[j]).sum();
                    assert!((flat(&product)[i] - expected).abs() < 1e-12, "{backend:?} product {n}");
                }
                assert_eq!(cholesky(backend, &mut matrix, n, &vec![0.0; n], &mut Vec::new()), None);
                let inverse = inverse(backend, &matrix, n);
                for i in 0..n {
                    for j in 0..n {
                        let unit: f64 = (0..n).map(|k| plain[i * n + k] * inverse[k * n + j]).sum();
                        assert!((unit - f64::from(i == j)).abs() < 1e-12, "{backend:?} {n} {i} {j}: {unit}");
                    }
                }
            }
        }
    }

    fn n_groups(n: usize) -> usize {
        n.div_ceil(8)
    }

    #[test]
    fn indefinite_matrix_names_its_row() {
        for backend in Backend::available() {
            let mut matrix = vec![ZERO; 12 * 2];
            for i in 0..12 {
                flat_mut(&mut matrix[i * 2..])[i] = if i == 9 { -1.0 } else { 1.0 };
            }
            assert_eq!(cholesky(backend, &mut matrix, 12, &[0.0; 12], &mut Vec::new()), Some(9));
        }
    }
}
