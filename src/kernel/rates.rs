//! Rates of single samples and their derivatives (spec/likelihood.md, eq. 9), one cell after the other: a cell is a
//! sample in one bin, and most parameters do not move it.

use super::scratch::{Scratch, TINY};
use super::simd::flat;
use crate::program::{ChannelLayout, Program, RowScale};
use std::ops::Range;

/// One sample in one bin.
pub struct Cell<'a> {
    /// Indices in the model: channel, sample of the channel, bin of the channel.
    pub channel: usize,
    pub sample: usize,
    pub bin: usize,
    /// λ of eq. 1, after the clip of the samples.
    pub rate: f64,
    /// The parameters on which the rate depends, each once.
    pub parameters: &'a [usize],
    /// ∂λ/∂θ, n_parameters long; zero for all but `parameters`.
    pub derivatives: &'a [f64],
}

/// λ of all samples in order (channels, samples, bins); what a factor of zero leaves is zero.
pub(super) fn rates(program: &Program, scratch: &Scratch, to: &mut [f64]) {
    let mut to = to.iter_mut();
    for_each_sample(program, |_, layout, _, rows| {
        for (bin, to) in (0..layout.n_bins).zip(&mut to) {
            *to = rate(scratch, layout, rows.clone(), bin);
        }
    });
}

/// The rate of a sample in a bin: the sum of its rows.
fn rate(scratch: &Scratch, layout: &ChannelLayout, rows: Range<usize>, bin: usize) -> f64 {
    let rate: f64 = rows.map(|row| flat(&scratch.rate)[layout.first_cell + row * layout.n_bins + bin]).sum();
    if rate.abs() < TINY { 0.0 } else { rate }
}

/// Calls `f(channel, its layout, sample, rows in the channel)` for every sample.
fn for_each_sample(program: &Program, mut f: impl FnMut(usize, &ChannelLayout, usize, Range<usize>)) {
    for (channel, layout) in program.layout.channels.iter().enumerate() {
        let mut first = 0;
        for sample in 0..layout.n_samples {
            let rows = first..first + program.layout.rows_of_sample[layout.first_sample + sample];
            first = rows.end;
            f(channel, layout, sample, rows);
        }
    }
}

/// Calls `visit` for every sample in every bin, from the scratch of expected data of first order with its inverse
/// factors and the Jacobians of its responses.
pub(super) fn visit_cells(program: &Program, scratch: &Scratch, mut visit: impl FnMut(Cell)) {
    let mut derivatives = vec![0.0; program.layout.n_parameters];
    let mut is_listed = vec![false; program.layout.n_parameters];
    let mut parameters: Vec<usize> = Vec::new();
    for_each_sample(program, |channel, layout, sample, rows| {
        for bin in 0..layout.n_bins {
            for row in rows.clone() {
                for_each_derivative(program, scratch, layout, row, bin, |parameter, derivative| {
                    if !is_listed[parameter] {
                        is_listed[parameter] = true;
                        parameters.push(parameter);
                    }
                    derivatives[parameter] += derivative;
                });
            }
            let rate = rate(scratch, layout, rows.clone(), bin);
            visit(Cell { channel, sample, bin, rate, parameters: &parameters, derivatives: &derivatives });
            for parameter in parameters.drain(..) {
                derivatives[parameter] = 0.0;
                is_listed[parameter] = false;
            }
        }
    });
}

/// Calls `add(parameter, part of ∂λ/∂θ)` for every effect on a cell.
fn for_each_derivative(
    program: &Program,
    scratch: &Scratch,
    layout: &ChannelLayout,
    row_in_channel: usize,
    bin: usize,
    mut add: impl FnMut(usize, f64),
) {
    let (row, cell) = (layout.first_row + row_in_channel, layout.first_cell + row_in_channel * layout.n_bins + bin);
    // Zero where the sample's clip holds: then nothing moves the rate.
    let mut scale = flat(&scratch.scale)[cell];
    let bare = scale * flat(&scratch.template)[cell];
    if let Some(index) = program.responses.of_row(row) {
        let (response, jacobian) = (&program.responses.rows[index], &scratch.response_rows[index].jacobian);
        let stride = 8 * layout.n_bins.div_ceil(8);
        for (i, &parameter) in response.parameters.iter().enumerate() {
            add(parameter as usize, bare * flat(jacobian)[i * stride + bin]);
        }
        scale *= flat(&scratch.cell_response)[cell];
    }
    let rate = scale * flat(&scratch.template)[cell];
    let cells = &program.cells;
    for sparse in &cells.sparse[cells.sparse_start[cell] as usize..cells.sparse_start[cell + 1] as usize] {
        let offset = sparse.offset as usize;
        let slope = sparse.antisymmetric * scratch.s[offset].first + sparse.symmetric * scratch.q[offset].first;
        add(cells.offsets[offset].0 as usize, scale * slope);
    }
    let scales = program.rows.scale_start[row] as usize..program.rows.scale_start[row + 1] as usize;
    for factor in &program.rows.scales[scales] {
        match *factor {
            RowScale::Plain { parameter } => add(parameter as usize, rate * scratch.inverse[parameter as usize]),
            RowScale::Interpolated { parameter, entry, lane } => {
                add(parameter as usize, rate * scratch.log_derivative[entry as usize].0[lane as usize]);
            }
        }
    }
    for &(_, parameter) in &cells.factors[cells.factor_start[cell] as usize..cells.factor_start[cell + 1] as usize] {
        add(parameter as usize, rate * scratch.inverse[parameter as usize]);
    }
}
