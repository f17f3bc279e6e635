//! The exact Hessian of −2 ln L, in blocks (spec/likelihood.md, "Hessian").
//!
//! Parameters that scale single bins couple to the shared ones and to those of their own bin only, so the matrix is
//! a dense shared block, one row of couplings for each local parameter, and one small block a bin.

use super::cholesky::{add_scaled, rank_update_body};
use super::correlation;
use super::densities;
use super::driven;
use super::measurement;
use super::penalty;
use super::response;
use super::scratch::Scratch;
use super::simd::{Lanes, Simd, ZERO, entry_point, flat, flat_mut};
use super::unbinned;
use crate::program::{ChannelLayout, Place, PreparedData, Program, RowResponse, RowScale};

/// Which second derivatives enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curvature {
    Exact,
    /// Without those of the yields: never negative, and close to the exact ones near a good fit.
    GaussNewton,
}

/// The Hessian of −2 ln L with room for its making. Rows are padded to whole groups of lanes.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Groups of lanes in a row of `n_shared` values.
    pub(crate) stride: usize,
    /// Lower triangle of the shared block, row by row; what lies right of the diagonal is undefined.
    pub(crate) shared: Vec<Lanes>,
    /// Couplings of each local parameter to the shared ones.
    pub(crate) cross: Vec<Lanes>,
    /// Full symmetric block of each bin's local parameters, from `block_start[bin]`.
    pub(crate) local: Vec<f64>,
    pub(crate) block_start: Vec<usize>,
    /// H/2 of the products of a scale with everything else: the sum with its transpose goes to `shared`.
    half: Vec<Lanes>,
    /// ∂ν/∂(shared) of all bins, and 2n/ν² of each.
    pub(super) bins: Vec<Lanes>,
    curvature: Vec<f64>,
    /// ∂ν/∂(shared) of one cell, and Σ weight · ∂(template) of one row.
    cell: Vec<Lanes>,
    row: Vec<Lanes>,
    /// ∂ν/∂(local) of each local parameter.
    local_jacobian: Vec<f64>,
    /// ∂v/∂(shared) of the uncertain bins, of which only those with a moved auxiliary datum are used.
    variances: Vec<Lanes>,
    /// The factors of one row.
    scales: Vec<RowFactor>,
    /// Shared places with a row in `half`.
    scaled: Vec<u32>,
}

/// One factor of one row: ℓ = f′/f, and what it adds to its own diagonal element of `half`.
#[derive(Clone, Copy, Debug)]
struct RowFactor {
    place: usize,
    log_derivative: f64,
    diagonal: f64,
}

impl Blocks {
    pub(crate) fn new(program: &Program) -> Blocks {
        let (n, stride) = (program.n_shared, program.n_shared.div_ceil(8));
        let n_bins = program.layout.n_bins;
        let mut block_start = vec![0];
        for bin in 0..n_bins {
            let k = (program.local_start[bin + 1] - program.local_start[bin]) as usize;
            block_start.push(block_start[bin] + k * k);
        }
        let most_scales = program.rows.scale_start.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max();
        let most_scales = most_scales.unwrap_or(0);
        let mut scaled = vec![false; n];
        let rows = program.rows.scales.iter().map(|scale| match *scale {
            RowScale::Interpolated { parameter, .. } | RowScale::Plain { parameter } => parameter,
        });
        for parameter in rows.chain(program.cells.factors.iter().map(|&(_, parameter)| parameter)) {
            if let Place::Shared(place) = program.places[parameter as usize] {
                scaled[place as usize] = true;
            }
        }
        mark_responses(program, &mut scaled);
        Blocks {
            stride,
            shared: vec![ZERO; n * stride],
            cross: vec![ZERO; program.local.len() * stride],
            local: vec![0.0; block_start[n_bins]],
            block_start,
            half: vec![ZERO; n * stride],
            bins: vec![ZERO; n_bins * stride],
            curvature: vec![0.0; n_bins],
            cell: vec![ZERO; stride],
            row: vec![ZERO; stride],
            local_jacobian: vec![0.0; program.local.len()],
            variances: vec![ZERO; program.responses.uncertain.len() * stride],
            scales: Vec::with_capacity(most_scales),
            scaled: (0..n as u32).filter(|&place| scaled[place as usize]).collect(),
        }
    }

    /// Element (i, j ≤ i) of the shared block.
    pub(super) fn shared_at(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.shared[i * self.stride + j / 8].0[j % 8]
    }

    /// Takes element (i, j ≤ i) out of the shared block.
    pub(super) fn take_shared(&mut self, i: usize, j: usize) -> f64 {
        std::mem::take(self.shared_at(i, j))
    }

    /// One element of the diagonal, by parameter.
    pub(crate) fn diagonal(&self, program: &Program, parameter: usize) -> f64 {
        match program.places[parameter] {
            Place::Shared(i) => self.shared[i as usize * self.stride + i as usize / 8].0[i as usize % 8],
            Place::Local(k) => {
                let (bin, k, size) = local_index(program, k);
                self.local[self.block_start[bin] + k * size + k]
            }
        }
    }

    /// ∂ν/∂θ of all bins (n_bins × n_parameters, row-major).
    pub(crate) fn assemble_jacobian(&self, program: &Program, jacobian: &mut [f64]) {
        let n = program.n_parameters();
        for (bin, row) in jacobian.chunks_exact_mut(n.max(1)).enumerate() {
            let shared = flat(&self.bins[bin * self.stride..(bin + 1) * self.stride]);
            let locals = program.local_start[bin]..program.local_start[bin + 1];
            for (derivative, place) in row.iter_mut().zip(&program.places) {
                *derivative = match *place {
                    Place::Shared(i) => shared[i as usize],
                    Place::Local(k) if locals.contains(&k) => self.local_jacobian[k as usize],
                    Place::Local(_) => 0.0,
                };
            }
        }
    }

    /// The whole symmetric matrix (n_parameters², row-major).
    pub(crate) fn assemble(&self, program: &Program, hessian: &mut [f64]) {
        let n = program.layout.n_parameters;
        hessian.fill(0.0);
        let mut set = |i: usize, j: usize, value: f64| {
            hessian[i * n + j] = value;
            hessian[j * n + i] = value;
        };
        let of_place = |place: usize| program.shared[place] as usize;
        for (i, row) in self.shared.chunks_exact(self.stride.max(1)).enumerate() {
            for (j, value) in flat(row)[..=i].iter().enumerate() {
                set(of_place(i), of_place(j), *value);
            }
        }
        for (row, &parameter) in self.cross.chunks_exact(self.stride.max(1)).zip(&program.local) {
            for (value, &other) in flat(row).iter().zip(&program.shared) {
                set(parameter as usize, other as usize, *value);
            }
        }
        for bin in 0..program.layout.n_bins {
            let range = program.local_start[bin] as usize..program.local_start[bin + 1] as usize;
            let locals = &program.local[range];
            for (a, &i) in locals.iter().enumerate() {
                for (b, &j) in locals.iter().enumerate() {
                    set(i as usize, j as usize, self.local[self.block_start[bin] + a * locals.len() + b]);
                }
            }
        }
    }
}

entry_point! {
    /// Fills `blocks` from the scratch of a gradient of second order at the same point.
    fill = fill_body(
        program: &Program,
        data: &PreparedData,
        scratch: &mut Scratch,
        blocks: &mut Blocks,
        curvature: Curvature,
    )
}

entry_point! {
    /// ∂ν/∂θ of all bins to `blocks.bins` and `blocks.local_jacobian`, and on the way the second derivatives inside
    /// the cells, from the scratch of expected data of second order with their inverse factors.
    jacobian = jacobian_body(program: &Program, scratch: &mut Scratch, blocks: &mut Blocks)
}

#[inline(always)]
fn jacobian_body<S: Simd>(program: &Program, scratch: &mut Scratch, blocks: &mut Blocks) {
    for list in [&mut blocks.shared, &mut blocks.half, &mut blocks.cross, &mut blocks.bins, &mut blocks.variances] {
        list.fill(ZERO);
    }
    blocks.local.fill(0.0);
    blocks.local_jacobian.fill(0.0);
    prepare_responses(program, scratch);
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            add_row::<S>(program, scratch, blocks, channel, row);
        }
    }
    for (response, row) in program.responses.rows.iter().zip(&scratch.response_rows) {
        add_response_curvature(response, row, blocks);
    }
}

/// First and second derivatives of all responses by their variables.
fn prepare_responses(program: &Program, scratch: &mut Scratch) {
    response::set_adjoints(program, scratch);
    for (response, row) in program.responses.rows.iter().zip(&mut scratch.response_rows) {
        row.jacobians(response);
        row.hessian(response);
    }
}

/// Σ ∂f/∂r ∂²r + ∂f/∂Q ∂²Q of one row.
fn add_response_curvature(response: &RowResponse, row: &response::RowScratch, blocks: &mut Blocks) {
    let n = response.places.len();
    for (i, &a) in response.places.iter().enumerate() {
        for (j, &b) in response.places.iter().enumerate() {
            // Two variables may be one parameter: all pairs are there, and each element below the diagonal takes one.
            if a >= b {
                *blocks.shared_at(a as usize, b as usize) += 2.0 * row.second[i * n + j];
            }
        }
    }
}

/// The shared places whose rows of `half` responses fill: their variables, and with a variance everything beside them.
fn mark_responses(program: &Program, scaled: &mut [bool]) {
    for response in &program.responses.rows {
        response.places.iter().for_each(|place| scaled[*place as usize] = true);
        if response.variance.is_none() {
            continue;
        }
        let cells = program.cells.sparse_start[response.first_cell] as usize
            ..program.cells.sparse_start[response.first_cell + response.n_bins] as usize;
        for sparse in &program.cells.sparse[cells] {
            scaled[sparse.shared as usize] = true;
        }
    }
}

#[inline(always)]
fn fill_body<S: Simd>(
    program: &Program,
    data: &PreparedData,
    scratch: &mut Scratch,
    blocks: &mut Blocks,
    curvature: Curvature,
) {
    if curvature == Curvature::GaussNewton {
        scratch.weigh_nothing();
    }
    jacobian_body::<S>(program, scratch, blocks);
    add_bins::<S>(program, data, scratch, blocks);
    add_halves::<S>(program, blocks);
    add_constraints(program, data, scratch, blocks, curvature);
    add_correlations(program, blocks);
    if !program.measurements.is_empty() {
        let measurements = &mut scratch.measurements;
        measurement::add_hessian_body::<S>(
            &program.measurements,
            &data.measured,
            measurements,
            curvature,
            |i, j, value| {
                *blocks.shared_at(i, j) += value;
            },
        );
    }
    if !program.unbinned.is_empty() {
        let Scratch { theta, unbinned, .. } = &mut *scratch;
        unbinned::add_hessian_body::<S>(
            &program.unbinned,
            &data.unbinned,
            theta,
            unbinned,
            curvature,
            |i, j, value| {
                *blocks.shared_at(i, j) += value;
            },
        );
    }
    if let (Some(compiled), Some(densities)) = (&program.densities, &mut scratch.densities) {
        densities::add_hessian(compiled, densities, curvature, |i, j, value| *blocks.shared_at(i, j) += value);
    }
    if let (Some(compiled), Some(scratch)) = (&program.driven, &mut scratch.driven) {
        driven::fold_hessian(compiled, scratch, program.n_shared, blocks);
    }
}

/// Second derivatives inside the cells of one row, and the row's part of the Jacobian of its bins.
#[inline(always)]
fn add_row<S: Simd>(program: &Program, scratch: &Scratch, blocks: &mut Blocks, channel: &ChannelLayout, row: usize) {
    let stride = blocks.stride;
    blocks.row.fill(ZERO);
    for bin in 0..channel.n_bins {
        let cell = channel.first_cell + row * channel.n_bins + bin;
        let weight =
            2.0 * flat(&scratch.cell_weight).get(cell).unwrap_or(&flat(&scratch.weight)[channel.first_bin + bin]);
        let scale = flat(&scratch.scale)[cell];
        add_offsets(program, scratch, blocks, cell, weight * scale, scale);
        add_scaled::<S>(weight, &blocks.cell, &mut blocks.row);
        let rate = scale * flat(&scratch.template)[cell];
        for_each_scale(program, scratch, channel.first_row + row, |place, log_derivative, _| {
            flat_mut(&mut blocks.cell)[place] += rate * log_derivative;
        });
        add_factors::<S>(program, scratch, blocks, cell, weight, rate);
        match program.responses.of_row(channel.first_row + row) {
            Some(index) => add_response::<S>(program, scratch, blocks, index, bin, rate),
            None => {
                let of_model = channel.first_bin + bin;
                add_scaled::<S>(1.0, &blocks.cell, &mut blocks.bins[of_model * stride..(of_model + 1) * stride]);
            }
        }
    }
    add_scales::<S>(program, scratch, blocks, channel.first_row + row);
}

/// A cell whose bare rate B has its derivatives in `blocks.cell`: what its response adds to the Jacobian of its bin, and
/// the products of ∂B with ∂r, ∂Q and itself (λ = B r and v = B² Q: spec/eft.md, eq. 3 and 13).
#[inline(always)]
fn add_response<S: Simd>(
    program: &Program,
    scratch: &Scratch,
    blocks: &mut Blocks,
    index: usize,
    bin: usize,
    bare: f64,
) {
    let (response, row) = (&program.responses.rows[index], &scratch.response_rows[index]);
    let (stride, groups) = (blocks.stride, 8 * response.n_bins.div_ceil(8));
    let of_model = response.first_bin + bin;
    let weight = flat(&scratch.weight)[of_model];
    let uncertain = response::statistics_of(program, response, bin);
    let statistics = &scratch.statistics;
    let (q, by_variance, direction) = match uncertain {
        Some(place) => (flat(&row.variance)[bin], statistics.by_variance[place], statistics.direction[place]),
        None => (0.0, 0.0, 0.0),
    };
    let by_bare = flat(&row.value)[bin] + direction * 2.0 * bare * q;
    add_scaled::<S>(by_bare, &blocks.cell, &mut blocks.bins[of_model * stride..(of_model + 1) * stride]);
    if let Some(place) = uncertain {
        let variances = &mut blocks.variances[place * stride..(place + 1) * stride];
        add_scaled::<S>(2.0 * bare * q, &blocks.cell, variances);
    }
    for (i, &parameter) in response.places.iter().enumerate() {
        let parameter = parameter as usize;
        let by_value = flat(&row.jacobian)[i * groups + bin];
        let mut by_bin = bare * by_value;
        let mut crossed = weight * by_value;
        if let Some(place) = uncertain {
            let of_variance = flat(&row.variance_jacobian)[i * groups + bin];
            by_bin += direction * bare * bare * of_variance;
            crossed += by_variance * 2.0 * bare * of_variance;
            flat_mut(&mut blocks.variances[place * stride..(place + 1) * stride])[parameter] +=
                bare * bare * of_variance;
        }
        flat_mut(&mut blocks.bins[of_model * stride..(of_model + 1) * stride])[parameter] += by_bin;
        add_scaled::<S>(2.0 * crossed, &blocks.cell, &mut blocks.half[parameter * stride..(parameter + 1) * stride]);
    }
    let squared = 2.0 * by_variance * q;
    if squared != 0.0 {
        for i in 0..program.n_shared {
            let derivative = flat(&blocks.cell)[i];
            if derivative != 0.0 {
                let half = &mut blocks.half[i * stride..(i + 1) * stride];
                add_scaled::<S>(squared * derivative, &blocks.cell, half);
            }
        }
    }
}

/// ∂(rate)/∂(offset parameters) of a cell to `blocks.cell`, and their second derivatives.
#[inline(always)]
fn add_offsets(
    program: &Program,
    scratch: &Scratch,
    blocks: &mut Blocks,
    cell: usize,
    weighted_scale: f64,
    scale: f64,
) {
    blocks.cell.fill(ZERO);
    let range = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
    for sparse in &program.cells.sparse[range] {
        let (s, q) = (&scratch.s[sparse.offset as usize], &scratch.q[sparse.offset as usize]);
        let place = sparse.shared as usize;
        let slope = sparse.antisymmetric * s.first + sparse.symmetric * q.first;
        flat_mut(&mut blocks.cell)[place] += scale * slope;
        let curvature = sparse.antisymmetric * s.second + sparse.symmetric * q.second;
        if curvature != 0.0 {
            *blocks.shared_at(place, place) += weighted_scale * curvature;
        }
    }
}

/// Calls `f(shared place, f′/f, f″/f)` for every factor of a row.
#[inline(always)]
fn for_each_scale(program: &Program, scratch: &Scratch, row: usize, mut f: impl FnMut(usize, f64, f64)) {
    let range = program.rows.scale_start[row] as usize..program.rows.scale_start[row + 1] as usize;
    for scale in &program.rows.scales[range] {
        let (parameter, first, second) = match *scale {
            RowScale::Plain { parameter } => (parameter, scratch.inverse[parameter as usize], 0.0),
            RowScale::Interpolated { parameter, entry, lane } => (
                parameter,
                scratch.log_derivative[entry as usize].0[lane as usize],
                scratch.log_second[entry as usize].0[lane as usize],
            ),
        };
        if let Place::Shared(place) = program.places[parameter as usize] {
            f(place as usize, first, second);
        }
    }
}

/// The factors of a single cell against everything else in the cell, and against one another.
#[inline(always)]
fn add_factors<S: Simd>(
    program: &Program,
    scratch: &Scratch,
    blocks: &mut Blocks,
    cell: usize,
    weight: f64,
    rate: f64,
) {
    let stride = blocks.stride;
    let range = program.cells.factor_start[cell] as usize..program.cells.factor_start[cell + 1] as usize;
    let factors = &program.cells.factors[range];
    for (index, &(_, parameter)) in factors.iter().enumerate() {
        let inverse = scratch.inverse[parameter as usize];
        match program.places[parameter as usize] {
            Place::Local(k) => {
                let k = k as usize;
                let row = &mut blocks.cross[k * stride..(k + 1) * stride];
                add_scaled::<S>(weight * inverse, &blocks.cell, row);
                blocks.local_jacobian[k] += rate * inverse;
            }
            Place::Shared(i) => {
                let i = i as usize;
                let row = &mut blocks.half[i * stride..(i + 1) * stride];
                add_scaled::<S>(weight * inverse, &blocks.cell, row);
            }
        }
        for &(_, other) in &factors[..index] {
            let product = weight * rate * inverse * scratch.inverse[other as usize];
            add_pair(program, blocks, parameter, other, product);
        }
    }
    for &(_, parameter) in factors {
        if let Place::Shared(i) = program.places[parameter as usize] {
            flat_mut(&mut blocks.cell)[i as usize] += rate * scratch.inverse[parameter as usize];
        }
    }
}

/// Adds to the elements (a, b) and (b, a) of two different factors of one cell.
fn add_pair(program: &Program, blocks: &mut Blocks, a: u32, b: u32, value: f64) {
    match (program.places[a as usize], program.places[b as usize]) {
        // Both elements of one parameter are the same one.
        (Place::Shared(i), Place::Shared(j)) if i == j => *blocks.shared_at(i as usize, i as usize) += 2.0 * value,
        (Place::Shared(i), Place::Shared(j)) => *blocks.shared_at(i.max(j) as usize, i.min(j) as usize) += value,
        (Place::Local(k), Place::Shared(j)) | (Place::Shared(j), Place::Local(k)) => {
            blocks.cross[k as usize * blocks.stride + j as usize / 8].0[j as usize % 8] += value;
        }
        (Place::Local(k), Place::Local(l)) => {
            let ((bin, k, size), (_, l, _)) = (local_index(program, k), local_index(program, l));
            blocks.local[blocks.block_start[bin] + k * size + l] += value;
            blocks.local[blocks.block_start[bin] + l * size + k] += value;
        }
    }
}

/// The factors of a row against one another and against its offsets: R ℓℓᵀ + ℓuᵀ + uℓᵀ, with R f″/f on the diagonal.
#[inline(always)]
fn add_scales<S: Simd>(program: &Program, scratch: &Scratch, blocks: &mut Blocks, row: usize) {
    let stride = blocks.stride;
    let row_weight = flat(&scratch.row_weight)[row];
    let Blocks { scales, row: u, half, .. } = blocks;
    scales.clear();
    for_each_scale(program, scratch, row, |place, log_derivative, log_second| {
        let diagonal = log_derivative * flat(u)[place] + row_weight * log_second;
        scales.push(RowFactor { place, log_derivative, diagonal });
    });
    for factor in scales.iter() {
        flat_mut(u)[factor.place] += row_weight * factor.log_derivative;
    }
    for factor in scales.iter() {
        let place = factor.place;
        let of_factor = &mut half[place * stride..(place + 1) * stride];
        let kept = flat(of_factor)[place];
        add_scaled::<S>(factor.log_derivative, u, of_factor);
        flat_mut(of_factor)[place] = kept + factor.diagonal;
    }
    if program.rows.repeats {
        // f g of one parameter: 2 f′ g′ beside f″ g and f g″.
        for (i, factor) in scales.iter().enumerate() {
            for other in scales[..i].iter().filter(|other| other.place == factor.place) {
                let product = 2.0 * row_weight * factor.log_derivative * other.log_derivative;
                flat_mut(&mut half[factor.place * stride..(factor.place + 1) * stride])[factor.place] += product;
            }
        }
    }
}

/// Σ f″ JJᵀ of the bins, f″ = 2n/ν².
#[inline(always)]
fn add_bins<S: Simd>(program: &Program, data: &PreparedData, scratch: &Scratch, blocks: &mut Blocks) {
    let stride = blocks.stride;
    for bin in 0..program.layout.n_bins {
        let (n, nu) = (data.count(bin), flat(&scratch.expected)[bin]);
        let constant = n == 0.0 || program.clip_bin.is_some_and(|clip| nu <= clip);
        let curvature = match program.responses.uncertain_of_bin(bin) {
            Some(place) => 2.0 * scratch.statistics.curvature[place],
            None if constant => 0.0,
            None => 2.0 * n / (nu * nu),
        };
        blocks.curvature[bin] = curvature;
        let first = program.local_start[bin] as usize;
        let size = program.local_start[bin + 1] as usize - first;
        let jacobian = &blocks.bins[bin * stride..(bin + 1) * stride];
        for k in 0..size {
            let a = curvature * blocks.local_jacobian[first + k];
            add_scaled::<S>(a, jacobian, &mut blocks.cross[(first + k) * stride..(first + k + 1) * stride]);
            for l in 0..size {
                blocks.local[blocks.block_start[bin] + k * size + l] += a * blocks.local_jacobian[first + l];
            }
        }
    }
    rank_update_body::<S>(&mut blocks.shared, program.n_shared, 0, &blocks.bins, &blocks.curvature);
    if scratch.statistics.bend.iter().any(|bend| *bend != 0.0) {
        rank_update_body::<S>(&mut blocks.shared, program.n_shared, 0, &blocks.variances, &scratch.statistics.bend);
    }
}

/// Adds `half` and its transpose to the shared block, the transpose by columns of eight so that each cache line of a
/// row is touched once.
#[inline(always)]
fn add_halves<S: Simd>(program: &Program, blocks: &mut Blocks) {
    let (n, stride) = (program.n_shared, blocks.stride);
    let Blocks { shared, half, scaled, .. } = blocks;
    for &row in scaled.iter() {
        let start = row as usize * stride;
        let groups = row as usize / 8 + 1;
        add_scaled::<S>(1.0, &half[start..start + groups], &mut shared[start..start + groups]);
    }
    for columns in scaled.chunk_by(|a, b| a / 8 == b / 8) {
        let group = columns[0] as usize / 8;
        for row in 8 * group..n {
            let place = &mut shared[row * stride + group];
            for &column in columns {
                place.0[column as usize % 8] += half[column as usize * stride + row / 8].0[row % 8];
            }
        }
    }
}

fn add_constraints(
    program: &Program,
    data: &PreparedData,
    scratch: &Scratch,
    blocks: &mut Blocks,
    curvature: Curvature,
) {
    let expected = &flat(&scratch.expected)[program.layout.n_bins..];
    let poissons = program.constraints.poissons.iter().zip(expected).enumerate();
    let poissons = poissons.map(|(index, (&(parameter, factor, _), nu))| {
        (parameter, data.count(program.layout.n_bins + index) * (factor / nu) * (factor / nu))
    });
    let gaussians =
        program.constraints.gaussians.iter().map(|&(parameter, sigma, _)| (parameter, 1.0 / (sigma * sigma)));
    let exact = curvature != Curvature::GaussNewton;
    let penalties = penalty::curvatures(&program.penalties, &scratch.theta, exact);
    for (parameter, curvature) in gaussians.chain(poissons).chain(penalties) {
        match program.places[parameter as usize] {
            Place::Shared(i) => *blocks.shared_at(i as usize, i as usize) += 2.0 * curvature,
            Place::Local(k) => {
                let (bin, k, size) = local_index(program, k);
                blocks.local[blocks.block_start[bin] + k * size + k] += 2.0 * curvature;
            }
        }
    }
}

fn add_correlations(program: &Program, blocks: &mut Blocks) {
    correlation::curvatures(program, |i, j, curvature| *blocks.shared_at(i, j) += 2.0 * curvature);
}

/// The bin of a local parameter, its number in the bin's block, and the size of the block.
fn local_index(program: &Program, local: u32) -> (usize, usize, usize) {
    let bin = program.local_start.partition_point(|&start| start <= local) - 1;
    let first = program.local_start[bin];
    (bin, (local - first) as usize, (program.local_start[bin + 1] - first) as usize)
}
