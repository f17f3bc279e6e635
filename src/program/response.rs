//! Responses of rows to Wilson coefficients, as flat arrays.

use super::Layout;
use super::Place;
use super::compile::walk;
use crate::kernel::simd::{Lanes, ZERO};
use crate::model::eft::{Events, Form, Polynomial};
use crate::model::{Model, Response};
use std::sync::Arc;

/// All rows with a response, and the bins whose statistical uncertainty is profiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Responses {
    pub rows: Vec<RowResponse>,
    /// For each row of the program its index in `rows`, or `NONE`; empty where there is no response.
    pub of_row: Vec<u32>,
    /// The bins with statistical uncertainty, increasing; their auxiliary data come last.
    pub uncertain: Vec<u32>,
    /// For each bin its index in `uncertain`, or `NONE`.
    pub uncertain_of_bin: Vec<u32>,
}

pub(crate) const NONE: u32 = u32::MAX;

/// The response of one row.
#[derive(Clone, Debug)]
pub(crate) struct RowResponse {
    pub first_cell: usize,
    pub first_bin: usize,
    pub n_bins: usize,
    /// Parameter and shared place of each variable.
    pub parameters: Vec<u32>,
    pub places: Vec<u32>,
    pub form: CompiledForm,
    pub variance: Option<CompiledPolynomial>,
}

#[derive(Clone, Debug)]
pub(crate) enum CompiledForm {
    /// Factors with their powers.
    Product(Vec<(CompiledPolynomial, i32)>),
    Events(Arc<Events>),
}

/// A polynomial whose coefficients are ordered for eight bins at a time: all monomials of the first eight, then of the
/// next.
#[derive(Clone, Debug)]
pub(crate) struct CompiledPolynomial {
    pub n_variables: usize,
    /// Indices of monomial k are `indices[start[k]..start[k + 1]]`.
    pub start: Vec<u32>,
    pub indices: Vec<u32>,
    /// groups × monomials
    pub coefficients: Vec<Lanes>,
    pub n_groups: usize,
}

impl CompiledPolynomial {
    fn new(polynomial: &Polynomial, n_variables: usize) -> CompiledPolynomial {
        let n_groups = polynomial.n_bins.div_ceil(8);
        let n_monomials = polynomial.monomials.len();
        let mut compiled = CompiledPolynomial {
            n_variables,
            start: vec![0],
            indices: Vec::new(),
            coefficients: vec![ZERO; n_groups * n_monomials],
            n_groups,
        };
        for (k, (monomial, coefficients)) in polynomial.terms().enumerate() {
            compiled.indices.extend(monomial);
            compiled.start.push(compiled.indices.len() as u32);
            for (bin, a) in coefficients.iter().enumerate() {
                compiled.coefficients[bin / 8 * n_monomials + k].0[bin % 8] = *a;
            }
        }
        compiled
    }

    pub fn n_monomials(&self) -> usize {
        self.start.len() - 1
    }

    pub fn monomial(&self, k: usize) -> &[u32] {
        &self.indices[self.start[k] as usize..self.start[k + 1] as usize]
    }
}

/// Compiles the responses of a model whose parameters have places.
pub(super) fn responses(model: &Model, layout: &Layout, places: &[Place]) -> Responses {
    let mut responses = Responses::default();
    let bins = layout.channels.iter().flat_map(|c| (0..c.n_rows).map(move |row| (c, row)));
    for ((row, _, part), (channel, in_channel)) in walk(model).zip(bins) {
        let Some(response) = &part.response else { continue };
        responses.of_row.resize(layout.n_rows, NONE);
        responses.of_row[row] = responses.rows.len() as u32;
        let first_cell = channel.first_cell + in_channel * channel.n_bins;
        responses.rows.push(compile(response, places, [first_cell, channel.first_bin, channel.n_bins]));
    }
    for (channel, bin) in model.uncertain_bins() {
        responses.uncertain_of_bin.resize(layout.n_bins, NONE);
        let bin = layout.channels[channel].first_bin + bin;
        responses.uncertain_of_bin[bin] = responses.uncertain.len() as u32;
        responses.uncertain.push(bin as u32);
    }
    responses
}

pub(super) fn compile(
    response: &Response,
    places: &[Place],
    [first_cell, first_bin, n_bins]: [usize; 3],
) -> RowResponse {
    let n = response.parameters.len();
    let place = |parameter: &usize| match places[*parameter] {
        Place::Shared(place) => place,
        Place::Local(_) => unreachable!("what a response follows is shared"),
    };
    RowResponse {
        first_cell,
        first_bin,
        n_bins,
        parameters: response.parameters.iter().map(|p| *p as u32).collect(),
        places: response.parameters.iter().map(place).collect(),
        form: match &response.form {
            Form::Product(factors) => CompiledForm::Product(
                factors.iter().map(|f| (CompiledPolynomial::new(&f.polynomial, n), f.power)).collect(),
            ),
            Form::Events(events) => CompiledForm::Events(Arc::clone(events)),
        },
        variance: response.variance.as_ref().map(|v| CompiledPolynomial::new(v, n)),
    }
}

impl Responses {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The response of a row.
    pub fn of_row(&self, row: usize) -> Option<usize> {
        self.of_row.get(row).filter(|index| **index != NONE).map(|index| *index as usize)
    }

    /// The place of a bin among the uncertain ones.
    pub fn uncertain_of_bin(&self, bin: usize) -> Option<usize> {
        self.uncertain_of_bin.get(bin).filter(|index| **index != NONE).map(|index| *index as usize)
    }
}
