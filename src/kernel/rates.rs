//! Rates of single samples and their derivatives (spec/likelihood.md, eq. 9), one cell after the other: a cell is a
//! sample in one bin, and most parameters do not move it.

use super::scratch::{Scratch, TINY};
use super::simd::flat;
use crate::program::{Program, RowScale};

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

/// λ of all cells in order (channels, samples, bins); what a factor of zero leaves is zero.
pub(super) fn rates(program: &Program, scratch: &Scratch, to: &mut [f64]) {
    for (to, rate) in to.iter_mut().zip(&flat(&scratch.rate)[..program.layout.n_cells]) {
        *to = if rate.abs() < TINY { 0.0 } else { *rate };
    }
}

/// Calls `visit` for every cell, from the scratch of expected data of first order with its inverse factors.
pub(super) fn visit_cells(program: &Program, scratch: &Scratch, mut visit: impl FnMut(Cell)) {
    let mut derivatives = vec![0.0; program.layout.n_parameters];
    let mut is_listed = vec![false; program.layout.n_parameters];
    let mut parameters: Vec<usize> = Vec::new();
    for (channel, layout) in program.layout.channels.iter().enumerate() {
        for (sample, bin) in (0..layout.n_rows).flat_map(|row| (0..layout.n_bins).map(move |bin| (row, bin))) {
            let cell = layout.first_cell + sample * layout.n_bins + bin;
            for_each_derivative(program, scratch, layout.first_row + sample, cell, |parameter, derivative| {
                if !is_listed[parameter] {
                    is_listed[parameter] = true;
                    parameters.push(parameter);
                }
                derivatives[parameter] += derivative;
            });
            let rate = flat(&scratch.rate)[cell];
            let rate = if rate.abs() < TINY { 0.0 } else { rate };
            visit(Cell { channel, sample, bin, rate, parameters: &parameters, derivatives: &derivatives });
            for parameter in parameters.drain(..) {
                derivatives[parameter] = 0.0;
                is_listed[parameter] = false;
            }
        }
    }
}

/// Calls `add(parameter, part of ∂λ/∂θ)` for every effect on a cell.
fn for_each_derivative(program: &Program, scratch: &Scratch, row: usize, cell: usize, mut add: impl FnMut(usize, f64)) {
    // Zero where the sample's clip holds: then nothing moves the rate.
    let scale = flat(&scratch.scale)[cell];
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
