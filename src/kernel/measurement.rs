//! ½ (d − t)ᵀ V⁻¹ (d − t) of measurements with Gaussian errors, with first and second derivatives (spec/gaussian.md,
//! eq. 4).

use super::cholesky::{add_scaled, rank_update_body};
use super::flat_error;
use super::hessian::Curvature;
use super::quadratic_means::{self, QuadraticScratch};
use super::response::RowScratch;
use super::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat, flat_mut};
use crate::program::{CompiledBlock, CompiledMeasurements, FlatPoint, PolynomialMeans};

/// What an evaluation of the measurements writes. Lists by point are in the order of the blocks.
#[derive(Clone, Debug)]
pub(crate) struct MeasurementScratch {
    /// A zero is behind the last one.
    variables: Vec<f64>,
    quadratic: QuadraticScratch,
    /// Values of the nodes, and derivatives by them.
    nodes: Vec<f64>,
    adjoints: Vec<f64>,
    /// φ of each monomial; Σ of weight times coefficient, lane by lane.
    phi: Vec<f64>,
    sums: Vec<Lanes>,
    /// t of each point.
    pub mean: Vec<f64>,
    /// d − t, then z; α̂ of the shared errors.
    residual: Vec<f64>,
    z: Vec<f64>,
    alpha: Vec<f64>,
    /// ∂f/∂t.
    pub weight: Vec<f64>,
    first: Vec<f64>,
    products: Vec<RowScratch>,
    hessian: Option<Box<HessianScratch>>,
}

/// Rows of variables, padded to whole groups of lanes.
#[derive(Clone, Debug)]
pub(crate) struct HessianScratch {
    stride: usize,
    /// ∂t by point; then Z, and A of the shared errors behind it.
    jacobian: Vec<Lanes>,
    whitened: Vec<Lanes>,
    /// Lower triangle of the second derivatives of 2f.
    matrix: Vec<Lanes>,
    twos: Vec<f64>,
}

impl MeasurementScratch {
    pub fn new(measurements: &CompiledMeasurements, backend: Backend) -> MeasurementScratch {
        let (n, k) = (measurements.n_points(), measurements.errors.len());
        let n_variables = measurements.parameters.len();
        let n_monomials = measurements.polynomials.monomials.len();
        let mut nodes = vec![0.0; measurements.polynomials.n_nodes(n_variables)];
        nodes[0] = 1.0;
        MeasurementScratch {
            variables: vec![0.0; n_variables + 1],
            quadratic: QuadraticScratch::new(&measurements.quadratic),
            adjoints: nodes.clone(),
            nodes,
            phi: vec![0.0; n_monomials],
            sums: vec![ZERO; n_monomials],
            mean: vec![0.0; n],
            residual: vec![0.0; n],
            z: vec![0.0; n],
            alpha: vec![0.0; k],
            weight: vec![0.0; n],
            first: vec![0.0; n_variables],
            products: measurements.products.iter().map(|(row, _)| RowScratch::new(row, backend)).collect(),
            hessian: None,
        }
    }
}

entry_point! {
    /// The means of all points.
    means = means_body(measurements: &CompiledMeasurements, theta: &[f64], scratch: &mut MeasurementScratch)
}

#[inline(always)]
fn means_body<S: Simd>(measurements: &CompiledMeasurements, theta: &[f64], scratch: &mut MeasurementScratch) {
    for (variable, parameter) in scratch.variables.iter_mut().zip(&measurements.parameters) {
        *variable = theta[*parameter as usize];
    }
    let MeasurementScratch { variables, quadratic, mean, .. } = scratch;
    quadratic_means::means::<S>(&measurements.quadratic, variables, quadratic, mean);
    polynomial_means::<S>(&measurements.polynomials, scratch);
    for ((response, positions), row) in measurements.products.iter().zip(&mut scratch.products) {
        row.evaluate(response, theta);
        for (position, value) in positions.iter().zip(flat(&row.value)) {
            scratch.mean[*position as usize] = *value;
        }
    }
    for (position, variable, error) in &measurements.shifts {
        scratch.mean[*position as usize] += error * scratch.variables[*variable as usize];
    }
}

#[inline(always)]
fn polynomial_means<S: Simd>(polynomials: &PolynomialMeans, scratch: &mut MeasurementScratch) {
    let MeasurementScratch { variables, nodes, phi, mean, .. } = scratch;
    if polynomials.groups.is_empty() {
        return;
    }
    let first = variables.len();
    nodes[1..first].copy_from_slice(&variables[..first - 1]);
    for (index, [a, b]) in polynomials.nodes.iter().enumerate() {
        nodes[first + index] = nodes[*a as usize] * nodes[*b as usize];
    }
    for (phi, node) in phi.iter_mut().zip(&polynomials.node_of_monomial) {
        *phi = nodes[*node as usize];
    }
    for group in &polynomials.groups {
        let coefficients = polynomials.coefficients[group.entries.clone()].chunks_exact(4);
        let monomials = polynomials.monomial_of_entry[group.entries.clone()].chunks_exact(4);
        let mut sums = [S::splat(0.0); 4];
        for (a, monomial) in coefficients.remainder().iter().zip(monomials.remainder()) {
            sums[0] = S::load(a).fma(S::splat(phi[*monomial as usize]), sums[0]);
        }
        for (a, monomials) in coefficients.zip(monomials) {
            for ((sum, a), monomial) in sums.iter_mut().zip(a).zip(monomials) {
                *sum = S::load(a).fma(S::splat(phi[*monomial as usize]), *sum);
            }
        }
        let mut values = ZERO;
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).store(&mut values);
        for (position, value) in group.positions.iter().zip(values.0) {
            mean[*position as usize] = value;
        }
    }
}

/// ½ χ² at the point of `theta`.
#[inline(always)]
pub(super) fn value_body<S: Simd>(
    measurements: &CompiledMeasurements,
    data: &[f64],
    theta: &[f64],
    scratch: &mut MeasurementScratch,
) -> f64 {
    means_body::<S>(measurements, theta, scratch);
    let MeasurementScratch { mean, residual, z, alpha, .. } = scratch;
    for ((residual, d), t) in residual.iter_mut().zip(data).zip(mean.iter()) {
        *residual = d - t;
    }
    let mut value = 0.0;
    for point in &measurements.clamped {
        let residual = &mut residual[point.position as usize];
        *residual = flat_error::clamped(*residual, point).0;
    }
    for point in &measurements.marginalised {
        let residual = &mut residual[point.position as usize];
        value += flat_error::marginalised(*residual, point)[0];
        // It is no part of the squares.
        *residual = 0.0;
    }
    for block in &measurements.blocks {
        let of_block = block.first..block.first + block.n;
        lower_times::<S>(block, &residual[of_block.clone()], &mut z[of_block]);
    }
    for (alpha, projector) in alpha.iter_mut().zip(&measurements.projector) {
        *alpha = dot(projector, z);
    }
    for (alpha, errors) in alpha.iter().zip(&measurements.errors) {
        add(-alpha, errors, z);
    }
    value + 0.5 * (dot(z, z) + dot(alpha, alpha))
}

/// Adds ∂f/∂θ after the value at the same point: ∂f/∂t = −Wᵀ z.
#[inline(always)]
pub(super) fn add_gradient_body<S: Simd>(
    measurements: &CompiledMeasurements,
    data: &[f64],
    scratch: &mut MeasurementScratch,
    gradient: &mut [f64],
) {
    let MeasurementScratch { z, weight, residual, mean, .. } = scratch;
    for block in &measurements.blocks {
        let of_block = block.first..block.first + block.n;
        lower_transposed_times::<S>(block, &z[of_block.clone()], &mut weight[of_block]);
    }
    weight.iter_mut().for_each(|w| *w = -*w);
    for point in &measurements.clamped {
        // A residual of zero does not move.
        let position = point.position as usize;
        weight[position] *= if residual[position] == 0.0 { 0.0 } else { 1.0 };
    }
    for point in &measurements.marginalised {
        let position = point.position as usize;
        weight[position] = -flat_error::marginalised(data[position] - mean[position], point)[1];
    }
    polynomial_gradient::<S>(&measurements.polynomials, scratch);
    let MeasurementScratch { weight, first, products, quadratic, .. } = scratch;
    quadratic_means::add_gradient::<S>(&measurements.quadratic, weight, quadratic, first);
    for (position, variable, error) in &measurements.shifts {
        first[*variable as usize] += error * weight[*position as usize];
    }
    for (parameter, derivative) in measurements.parameters.iter().zip(first.iter()) {
        gradient[*parameter as usize] += derivative;
    }
    for ((response, positions), row) in measurements.products.iter().zip(products) {
        for (by_value, position) in flat_mut(&mut row.by_value).iter_mut().zip(positions) {
            *by_value = weight[*position as usize];
        }
        row.gradient(response);
        for (parameter, derivative) in response.parameters.iter().zip(&row.first) {
            gradient[*parameter as usize] += derivative;
        }
    }
}

/// Σ_a ∂f/∂t_a ∂t_a/∂c_i to `first`: sums over points, then backwards through the nodes.
#[inline(always)]
fn polynomial_gradient<S: Simd>(polynomials: &PolynomialMeans, scratch: &mut MeasurementScratch) {
    if polynomials.groups.is_empty() {
        scratch.first.fill(0.0);
        return;
    }
    sum_weights::<S>(polynomials, scratch);
    let MeasurementScratch { nodes, adjoints, sums, first, .. } = scratch;
    adjoints.fill(0.0);
    for (node, sum) in polynomials.node_of_monomial.iter().zip(sums.iter()) {
        adjoints[*node as usize] += S::load(sum).sum();
    }
    let n = first.len() + 1;
    for (index, [a, b]) in polynomials.nodes.iter().enumerate().rev() {
        let adjoint = adjoints[n + index];
        adjoints[*a as usize] += adjoint * nodes[*b as usize];
        adjoints[*b as usize] += adjoint * nodes[*a as usize];
    }
    first.copy_from_slice(&adjoints[1..n]);
}

/// Σ_a ∂f/∂t_a A_ka of every monomial to `sums`, lane by lane.
#[inline(always)]
fn sum_weights<S: Simd>(polynomials: &PolynomialMeans, scratch: &mut MeasurementScratch) {
    let MeasurementScratch { sums, weight, .. } = scratch;
    sums.fill(ZERO);
    for group in &polynomials.groups {
        let mut weights = ZERO;
        for (to, position) in weights.0.iter_mut().zip(&group.positions) {
            *to = weight[*position as usize];
        }
        let weights = S::load(&weights);
        let monomials = &polynomials.monomial_of_entry[group.entries.clone()];
        for (a, monomial) in polynomials.coefficients[group.entries.clone()].iter().zip(monomials) {
            let sum = &mut sums[*monomial as usize];
            S::load(a).fma(weights, S::load(sum)).store(sum);
        }
    }
}

/// ∂z and ∂α̂ of the means by all parameters, up to a common sign, after the means at the same point (rows by position);
/// points with flat errors count with their curvature at residuals of zero.
pub(super) fn whitened_jacobian(
    backend: Backend,
    measurements: &CompiledMeasurements,
    scratch: &mut MeasurementScratch,
    n_parameters: usize,
) -> Vec<f64> {
    let mut hessian = HessianScratch::new(measurements);
    hessian.set_jacobian(measurements, scratch);
    hessian.weigh_flat(measurements, |_| 0.0);
    whiten_jacobian(backend, measurements, &mut hessian);
    let rows = flat(&hessian.whitened).chunks_exact((8 * hessian.stride).max(1));
    let mut jacobian = vec![0.0; rows.len() * n_parameters];
    for (row, to) in rows.zip(jacobian.chunks_exact_mut(n_parameters.max(1))) {
        for (value, parameter) in row.iter().zip(&measurements.parameters) {
            to[*parameter as usize] = *value;
        }
    }
    jacobian
}

entry_point! {
    whiten_jacobian = whiten_jacobian_body(measurements: &CompiledMeasurements, hessian: &mut HessianScratch)
}

#[inline(always)]
fn whiten_jacobian_body<S: Simd>(measurements: &CompiledMeasurements, hessian: &mut HessianScratch) {
    hessian.whiten::<S>(measurements);
}

/// Adds the second derivatives of 2f after the gradient at the same point, by `add(place, place, value)` with every
/// pair of shared places once, the larger first.
#[inline(always)]
pub(super) fn add_hessian_body<S: Simd>(
    measurements: &CompiledMeasurements,
    data: &[f64],
    scratch: &mut MeasurementScratch,
    curvature: Curvature,
    mut add: impl FnMut(usize, usize, f64),
) {
    let mut hessian = scratch.hessian.take().unwrap_or_else(|| Box::new(HessianScratch::new(measurements)));
    hessian.set_jacobian(measurements, scratch);
    hessian.weigh_flat(measurements, |position| data[position] - scratch.mean[position]);
    hessian.whiten::<S>(measurements);
    let n = measurements.parameters.len();
    hessian.matrix.fill(ZERO);
    rank_update_body::<S>(&mut hessian.matrix, n, 0, &hessian.whitened, &hessian.twos);
    if curvature == Curvature::Exact {
        hessian.add_second::<S>(measurements, scratch);
    }
    for i in 0..n {
        for j in 0..=i {
            let (a, b) = (measurements.places[i] as usize, measurements.places[j] as usize);
            add(a.max(b), a.min(b), flat(&hessian.matrix)[8 * i * hessian.stride + j]);
        }
    }
    scratch.hessian = Some(hessian);
}

impl HessianScratch {
    fn new(measurements: &CompiledMeasurements) -> HessianScratch {
        let n = measurements.parameters.len();
        let (stride, rows) = (n.div_ceil(8), measurements.n_points() + measurements.errors.len());
        HessianScratch {
            stride,
            jacobian: vec![ZERO; measurements.n_points() * stride],
            whitened: vec![ZERO; rows * stride],
            matrix: vec![ZERO; n * stride],
            twos: vec![2.0; rows],
        }
    }

    /// ∂t of all points.
    fn set_jacobian(&mut self, measurements: &CompiledMeasurements, scratch: &mut MeasurementScratch) {
        self.jacobian.fill(ZERO);
        let width = 8 * self.stride;
        let jacobian = flat_mut(&mut self.jacobian);
        let polynomials = &measurements.polynomials;
        for group in &polynomials.groups {
            let monomials = &polynomials.monomial_of_entry[group.entries.clone()];
            for (a, monomial) in polynomials.coefficients[group.entries.clone()].iter().zip(monomials) {
                for_each_first(&polynomials.monomials[*monomial as usize], &scratch.variables, |i, derivative| {
                    for (position, a) in group.positions.iter().zip(a.0) {
                        jacobian[*position as usize * width + i] += a * derivative;
                    }
                });
            }
        }
        quadratic_means::visit_jacobian(&measurements.quadratic, &scratch.quadratic, |position, i, derivative| {
            jacobian[position * width + i] += derivative;
        });
        for (position, variable, error) in &measurements.shifts {
            jacobian[*position as usize * width + *variable as usize] += error;
        }
        for ((response, positions), row) in measurements.products.iter().zip(&mut scratch.products) {
            row.jacobians(response);
            let row_width = 8 * response.n_bins.div_ceil(8);
            for (own, parameter) in response.parameters.iter().enumerate() {
                let Some(i) = measurements.variable(*parameter) else { continue };
                for (bin, position) in positions.iter().enumerate() {
                    jacobian[*position as usize * width + i] += flat(&row.jacobian)[own * row_width + bin];
                }
            }
        }
    }

    /// Rows of points with flat errors times the root of their curvature, in units of 1/σ².
    fn weigh_flat(&mut self, measurements: &CompiledMeasurements, residual: impl Fn(usize) -> f64) {
        let stride = self.stride;
        let mut scale = |point: &FlatPoint, factor: f64| {
            let row = point.position as usize * stride;
            flat_mut(&mut self.jacobian[row..row + stride]).iter_mut().for_each(|x| *x *= factor);
        };
        for point in &measurements.clamped {
            let moves = flat_error::clamped(residual(point.position as usize), point).1;
            scale(point, if moves { 1.0 } else { 0.0 });
        }
        for point in &measurements.marginalised {
            let curvature = flat_error::marginalised(residual(point.position as usize), point)[2];
            scale(point, point.sigma * curvature.max(0.0).sqrt());
        }
    }

    /// Z = W J − U A, and A = P W J behind it.
    #[inline(always)]
    fn whiten<S: Simd>(&mut self, measurements: &CompiledMeasurements) {
        let HessianScratch { stride, jacobian, whitened, .. } = self;
        let stride = *stride;
        whitened.fill(ZERO);
        let (of_points, of_errors) = whitened.split_at_mut(measurements.n_points() * stride);
        for block in &measurements.blocks {
            let mut rest = &block.rows[..];
            for i in 0..block.n {
                let (row, below) = rest.split_at(i + 1);
                rest = below;
                let to = &mut of_points[(block.first + i) * stride..(block.first + i + 1) * stride];
                for (j, w) in row.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                    let from = &jacobian[(block.first + j) * stride..(block.first + j + 1) * stride];
                    add_scaled::<S>(*w, from, to);
                }
            }
        }
        for (projector, to) in measurements.projector.iter().zip(of_errors.chunks_exact_mut(stride.max(1))) {
            for (p, from) in projector.iter().zip(of_points.chunks_exact(stride.max(1))) {
                add_scaled::<S>(*p, from, to);
            }
        }
        for (errors, from) in measurements.errors.iter().zip(of_errors.chunks_exact(stride.max(1))) {
            for (u, to) in errors.iter().zip(of_points.chunks_exact_mut(stride.max(1))) {
                add_scaled::<S>(-u, from, to);
            }
        }
    }

    /// 2 Σ_a ∂f/∂t_a ∂²t_a.
    #[inline(always)]
    fn add_second<S: Simd>(&mut self, measurements: &CompiledMeasurements, scratch: &mut MeasurementScratch) {
        let width = 8 * self.stride;
        let matrix = flat_mut(&mut self.matrix);
        quadratic_means::visit_second::<S>(&measurements.quadratic, &scratch.weight, |i, j, second| {
            matrix[i * width + j] += 2.0 * second;
        });
        // The sums of the gradient still stand.
        for (monomial, sum) in measurements.polynomials.monomials.iter().zip(&scratch.sums) {
            let total = 2.0 * S::load(sum).sum();
            for_each_second(monomial, &scratch.variables, |i, j, derivative| {
                matrix[i.max(j) * width + i.min(j)] += total * derivative;
            });
        }
        for ((response, _), row) in measurements.products.iter().zip(&mut scratch.products) {
            row.hessian(response);
            let n = response.parameters.len();
            let variable: Vec<Option<usize>> = response.parameters.iter().map(|p| measurements.variable(*p)).collect();
            for a in 0..n {
                for b in 0..n {
                    let (Some(i), Some(j)) = (variable[a], variable[b]) else { continue };
                    if i >= j {
                        matrix[i * width + j] += 2.0 * row.second[a * n + b];
                    }
                }
            }
        }
    }
}

/// ∂φ/∂c_i of every factor of a monomial; a variable that stands several times comes so often.
fn for_each_first(monomial: &[u32], variables: &[f64], mut visit: impl FnMut(usize, f64)) {
    for (a, i) in monomial.iter().enumerate() {
        let others = monomial.iter().enumerate().filter(|(b, _)| *b != a);
        visit(*i as usize, others.map(|(_, j)| variables[*j as usize]).product());
    }
}

/// ∂²φ/∂c_i∂c_j of every pair of factors once; a square comes twice, since its derivative is 2.
fn for_each_second(monomial: &[u32], variables: &[f64], mut visit: impl FnMut(usize, usize, f64)) {
    for (a, i) in monomial.iter().enumerate() {
        for (b, j) in monomial.iter().enumerate().take(a) {
            let others = monomial.iter().enumerate().filter(|(c, _)| *c != a && *c != b);
            let derivative: f64 = others.map(|(_, l)| variables[*l as usize]).product();
            visit(*i as usize, *j as usize, if i == j { 2.0 * derivative } else { derivative });
        }
    }
}

/// W x of one block.
#[inline(always)]
fn lower_times<S: Simd>(block: &CompiledBlock, x: &[f64], to: &mut [f64]) {
    let mut rest = &block.by_row[..];
    for first in (0..block.n).step_by(8) {
        let end = block.n.min(first + 8);
        let (own, behind) = rest.split_at(end);
        rest = behind;
        eight_times::<S>(own, x, &mut to[first..end]);
    }
}

/// Wᵀ x of one block.
#[inline(always)]
fn lower_transposed_times<S: Simd>(block: &CompiledBlock, x: &[f64], to: &mut [f64]) {
    let mut rest = &block.by_column[..];
    for first in (0..block.n).step_by(8) {
        let (own, behind) = rest.split_at(block.n - first);
        rest = behind;
        eight_times::<S>(own, &x[first..], &mut to[first..block.n.min(first + 8)]);
    }
}

/// Σ a_i x_i lane by lane, of as many i as there are a.
#[inline(always)]
fn eight_times<S: Simd>(a: &[Lanes], x: &[f64], to: &mut [f64]) {
    let n = a.len();
    let x = &x[..n];
    let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
    let (mut third, mut fourth) = (S::splat(0.0), S::splat(0.0));
    let whole = n - n % 4;
    for i in (0..whole).step_by(4) {
        first = S::load(&a[i]).fma(S::splat(x[i]), first);
        second = S::load(&a[i + 1]).fma(S::splat(x[i + 1]), second);
        third = S::load(&a[i + 2]).fma(S::splat(x[i + 2]), third);
        fourth = S::load(&a[i + 3]).fma(S::splat(x[i + 3]), fourth);
    }
    for i in whole..n {
        first = S::load(&a[i]).fma(S::splat(x[i]), first);
    }
    let mut sums = ZERO;
    first.add(second).add(third.add(fourth)).store(&mut sums);
    to.copy_from_slice(&sums.0[..to.len()]);
}

#[inline(always)]
fn add(a: f64, from: &[f64], to: &mut [f64]) {
    let to = &mut to[..from.len()];
    for i in 0..from.len() {
        to[i] += a * from[i];
    }
}

/// Σ x y in eight sums, which the compiler can keep in lanes.
#[inline(always)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (mut xs, mut ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let mut sums = [0.0; 8];
    for (x, y) in (&mut xs).zip(&mut ys) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}
