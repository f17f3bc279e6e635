//! Responses of rows to Wilson coefficients: factors on their cells, variances of their bins, and what both add to
//! gradient and Hessian (spec/eft.md, "Yields" and "Statistical uncertainty").
//!
//! A cell with a response has the rate B r(c), where B = scale · template is its bare rate; its bin has the variance
//! v = Σ B² Q(c). All other parameters act on B as on any rate, so their derivatives come from the kernels of plain
//! cells with the weight `r ∂f/∂λ + 2 B Q ∂f/∂v` instead of ∂f/∂λ.

mod polynomial;
mod product;
mod row;
mod statistics;

pub(crate) use row::RowScratch;
pub(crate) use statistics::{Statistics, profile};

use super::scratch::Scratch;
use super::simd::{flat, flat_mut};
use crate::program::Program;

/// Multiplies the rates of cells by their responses, and sums the variances of the bins.
pub(super) fn apply(program: &Program, scratch: &mut Scratch) {
    let Scratch { theta, scale, template, rate, cell_response, response_rows, statistics, .. } = scratch;
    statistics.variance.fill(0.0);
    for (response, row) in program.responses.rows.iter().zip(response_rows) {
        row.evaluate(response, theta);
        let cells = response.first_cell..response.first_cell + response.n_bins;
        let (scale, template) = (&flat(scale)[cells.clone()], &flat(template)[cells.clone()]);
        let rates = &mut flat_mut(rate)[cells.clone()];
        flat_mut(cell_response)[cells].copy_from_slice(&flat(&row.value)[..response.n_bins]);
        for (rate, r) in rates.iter_mut().zip(flat(&row.value)) {
            *rate *= r;
        }
        if response.variance.is_none() {
            continue;
        }
        for (bin, q) in flat(&row.variance)[..response.n_bins].iter().enumerate() {
            let bare = scale[bin] * template[bin];
            if let Some(place) = program.responses.uncertain_of_bin(response.first_bin + bin) {
                statistics.variance[place] += bare * bare * q;
            }
        }
    }
}

/// ∂f/∂B of every cell to `cell_weight`, from ∂f/∂λ of the bins.
pub(super) fn cell_weights(program: &Program, scratch: &mut Scratch) {
    let Scratch { weight, cell_weight, scale, template, response_rows, statistics, .. } = scratch;
    let (weights, cell_weight) = (flat(weight), flat_mut(cell_weight));
    for channel in &program.layout.channels {
        let bins = &weights[channel.first_bin..channel.first_bin + channel.n_bins];
        let cells = &mut cell_weight[channel.first_cell..channel.first_cell + channel.n_bins * channel.n_rows];
        for row in cells.chunks_exact_mut(channel.n_bins) {
            row.copy_from_slice(bins);
        }
    }
    for (response, row) in program.responses.rows.iter().zip(response_rows) {
        for bin in 0..response.n_bins {
            let cell = response.first_cell + bin;
            let mut weight = cell_weight[cell] * flat(&row.value)[bin];
            if let Some(place) = statistics_of(program, response, bin) {
                let bare = flat(scale)[cell] * flat(template)[cell];
                weight += 2.0 * statistics.by_variance[place] * bare * flat(&row.variance)[bin];
            }
            cell_weight[cell] = weight;
        }
    }
}

/// Where a bin of a row that adds to its variance is among the uncertain ones.
pub(super) fn statistics_of(program: &Program, response: &crate::program::RowResponse, bin: usize) -> Option<usize> {
    response.variance.as_ref()?;
    program.responses.uncertain_of_bin(response.first_bin + bin)
}

/// Adds the derivatives by the variables of all responses.
pub(super) fn add_gradient(program: &Program, scratch: &mut Scratch, gradient: &mut [f64]) {
    set_adjoints(program, scratch);
    for (response, row) in program.responses.rows.iter().zip(&mut scratch.response_rows) {
        row.gradient(response);
        for (&parameter, derivative) in response.parameters.iter().zip(&row.first) {
            gradient[parameter as usize] += derivative;
        }
    }
}

/// ∂f/∂r and ∂f/∂Q of the bins of all rows.
pub(super) fn set_adjoints(program: &Program, scratch: &mut Scratch) {
    let Scratch { weight, scale, template, response_rows, statistics, .. } = scratch;
    for (response, row) in program.responses.rows.iter().zip(response_rows) {
        for bin in 0..response.n_bins {
            let cell = response.first_cell + bin;
            let bare = flat(scale)[cell] * flat(template)[cell];
            flat_mut(&mut row.by_value)[bin] = flat(weight)[response.first_bin + bin] * bare;
            if let Some(place) = statistics_of(program, response, bin) {
                flat_mut(&mut row.by_variance)[bin] = statistics.by_variance[place] * bare * bare;
            }
        }
    }
}

/// The first derivatives of the responses of all rows.
pub(super) fn set_jacobians(program: &Program, scratch: &mut Scratch) {
    for (response, row) in program.responses.rows.iter().zip(&mut scratch.response_rows) {
        row.jacobians(response);
    }
}
