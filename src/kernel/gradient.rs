//! The gradient of −ln L: dNLL/dν = 1 − n/ν, then the chain rule back through bins, cells and rows
//! (spec/likelihood.md, "Gradient").

use super::correlation;
use super::densities;
use super::driven;
use super::expected::{Order, expected_body};
use super::measurement;
use super::penalty;
use super::response;
use super::scratch::Scratch;
use super::simd::{Simd, ZERO, entry_point, flat, flat_mut};
use super::unbinned;
use super::value::negative_log_likelihood;
use crate::program::{PreparedData, Program};

entry_point! {
    /// The value as `value::value` gives it, and its gradient (n_parameters); `order` is first or second.
    gradient = gradient_body(
        program: &Program,
        data: &PreparedData,
        scratch: &mut Scratch,
        order: Order,
        gradient: &mut [f64],
    ) -> f64
}

#[inline(always)]
fn gradient_body<S: Simd>(
    program: &Program,
    data: &PreparedData,
    scratch: &mut Scratch,
    order: Order,
    gradient: &mut [f64],
) -> f64 {
    expected_body::<S>(program, scratch, order);
    if let (Some(compiled), Scratch { theta, densities: Some(densities), .. }) = (&program.densities, &mut *scratch) {
        densities::evaluate(compiled, data, theta, densities, order);
    }
    let value = negative_log_likelihood::<S>(program, data, scratch);
    gradient.fill(0.0);
    if !value.is_finite() {
        // Where something else has forbidden the point, nobody has asked for it.
        scratch.densities.iter_mut().for_each(densities::DensityScratch::forget);
        return value;
    }
    scratch.set_inverse();
    weights::<S>(program, data, scratch);
    let responded = !program.responses.is_empty();
    if responded {
        response::cell_weights(program, scratch);
    }
    back_through_cells::<S>(program, scratch);
    back_through_rows::<S>(program, scratch);
    collect::<S>(program, scratch, gradient);
    if responded {
        response::add_gradient(program, scratch, gradient);
    }
    if !program.measurements.is_empty() {
        measurement::add_gradient_body::<S>(&program.measurements, &data.measured, &mut scratch.measurements, gradient);
    }
    if !program.unbinned.is_empty() {
        let Scratch { theta, unbinned, .. } = &mut *scratch;
        unbinned::add_gradient_body::<S>(&program.unbinned, &data.unbinned, theta, unbinned, gradient);
    }
    constraints(program, data, scratch, gradient);
    penalty::add_gradient(&program.penalties, &scratch.theta, gradient);
    correlation::add_gradient(program, data, &scratch.theta, gradient);
    if let (Some(compiled), Some(densities)) = (&program.densities, &scratch.densities) {
        densities::add_gradient(compiled, densities, gradient);
    }
    if let (Some(compiled), Some(scratch)) = (&program.driven, &mut scratch.driven) {
        driven::pull_gradient(compiled, scratch, gradient);
    }
    value
}

/// 1 − n/ν of every count; zero where the clip of the bins holds.
#[inline(always)]
fn weights<S: Simd>(program: &Program, data: &PreparedData, scratch: &mut Scratch) {
    let one = S::splat(1.0);
    for ((weight, expected), counts) in scratch.weight.iter_mut().zip(&scratch.expected).zip(&data.counts) {
        let n = S::load(counts);
        let nu = S::splat(0.0).select_less(n, S::load(expected), one);
        one.sub(n.div(nu)).store(weight);
    }
    // A profiled bin without counts may have its mean at zero, where 1 − n/μ is not the derivative by λ.
    for (&bin, slope) in program.responses.uncertain.iter().zip(&scratch.statistics.by_mean) {
        flat_mut(&mut scratch.weight)[bin as usize] = *slope;
    }
    if let Some(clip) = program.clip_bin {
        let n_bins = program.layout.n_bins;
        for (weight, nu) in flat_mut(&mut scratch.weight)[..n_bins].iter_mut().zip(flat(&scratch.expected)) {
            if *nu <= clip {
                *weight = 0.0;
            }
        }
    }
}

#[inline(always)]
fn back_through_cells<S: Simd>(program: &Program, scratch: &mut Scratch) {
    let cells = &program.cells;
    let Scratch { s, q, template, scale, weight, cell_weight, weighted_rate, offset_sum, .. } = scratch;
    offset_sum.fill(ZERO);
    for group in 0..program.layout.cell_groups() {
        let weight = match cell_weight.get(group) {
            Some(weight) => S::load(weight),
            // SAFETY: bins of cells exist.
            None => unsafe { S::gather(flat(weight), &cells.bin[group]) },
        };
        let weighted_scale = weight.mul(S::load(&scale[group]));
        weighted_scale.mul(S::load(&template[group])).store(&mut weighted_rate[group]);
        let range = cells.start[group] as usize..cells.start[group + 1] as usize;
        for (entry, &offset) in cells.entries[range.clone()].iter().zip(&cells.entry_offset[range]) {
            let offset = offset as usize;
            let symmetric = S::load(&entry.symmetric).mul(S::splat(q[offset].first));
            let slope = S::load(&entry.antisymmetric).fma(S::splat(s[offset].first), symmetric);
            let sum = &mut offset_sum[offset];
            weighted_scale.fma(slope, S::load(sum)).store(sum);
        }
    }
}

#[inline(always)]
fn back_through_rows<S: Simd>(program: &Program, scratch: &mut Scratch) {
    let Scratch { weighted_rate, row_weight, interpolated_sum, log_derivative, .. } = scratch;
    let cells = flat(weighted_rate);
    let sums = flat_mut(row_weight);
    for channel in &program.layout.channels {
        let of_channel = &cells[channel.first_cell..channel.first_cell + channel.n_bins * channel.n_rows];
        let rows = &mut sums[channel.first_row..channel.first_row + channel.n_rows];
        if channel.n_bins == 1 {
            rows.copy_from_slice(of_channel);
            continue;
        }
        for (sum, row) in rows.iter_mut().zip(of_channel.chunks_exact(channel.n_bins)) {
            *sum = row.iter().sum();
        }
    }
    interpolated_sum.fill(ZERO);
    let rows = &program.rows;
    for (group, weight) in row_weight.iter().enumerate() {
        let weight = S::load(weight);
        let range = rows.start[group] as usize..rows.start[group + 1] as usize;
        for (entry, log_derivative) in rows.entries[range.clone()].iter().zip(&log_derivative[range]) {
            let sum = &mut interpolated_sum[entry.accumulator as usize];
            weight.fma(S::load(log_derivative), S::load(sum)).store(sum);
        }
    }
}

#[inline(always)]
fn collect<S: Simd>(program: &Program, scratch: &Scratch, gradient: &mut [f64]) {
    for (&(parameter, _), sum) in program.cells.offsets.iter().zip(&scratch.offset_sum) {
        gradient[parameter as usize] += S::load(sum).sum();
    }
    for (&parameter, sum) in program.rows.interpolated.iter().zip(&scratch.interpolated_sum) {
        gradient[parameter as usize] += S::load(sum).sum();
    }
    let row_weight = flat(&scratch.row_weight);
    for &(row, parameter) in &program.rows.plain {
        gradient[parameter as usize] += row_weight[row as usize] * scratch.inverse[parameter as usize];
    }
    let weighted_rate = flat(&scratch.weighted_rate);
    for &(cell, parameter) in &program.cells.factors {
        gradient[parameter as usize] += weighted_rate[cell as usize] * scratch.inverse[parameter as usize];
    }
}

#[inline(always)]
fn constraints(program: &Program, data: &PreparedData, scratch: &Scratch, gradient: &mut [f64]) {
    let auxdata = flat(&data.gaussian);
    let inverse_sigma = flat(&program.constraints.inverse_sigma);
    for ((&(parameter, _, _), auxdata), inverse) in program.constraints.gaussians.iter().zip(auxdata).zip(inverse_sigma)
    {
        let parameter = parameter as usize;
        gradient[parameter] += (scratch.theta[parameter] - auxdata) * inverse * inverse;
    }
    let weights = flat(&scratch.weight);
    for (&(parameter, factor, _), weight) in program.constraints.poissons.iter().zip(&weights[program.layout.n_bins..])
    {
        gradient[parameter as usize] += weight * factor;
    }
}
