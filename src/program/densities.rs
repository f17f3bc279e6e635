//! Densities and driven parameters of a model, with the shared places of their parameters.

use super::Place;
use crate::graph::{GraphLikelihood, PairData};
use crate::model::{Densities, Driven, Model};
use std::sync::Arc;

/// See [`Densities`].
#[derive(Clone, Debug)]
pub(crate) struct CompiledDensities {
    pub term: Densities,
    /// The shared place of each parameter.
    pub places: Vec<usize>,
}

/// Densities with other data than those of the document.
#[derive(Clone, Debug)]
pub(crate) struct PreparedDensities {
    pub graph: Arc<GraphLikelihood>,
    pub data: Arc<Vec<PairData>>,
}

impl PreparedDensities {
    pub fn new(compiled: &CompiledDensities, data: &Arc<Vec<PairData>>) -> PreparedDensities {
        PreparedDensities { graph: Arc::new(compiled.term.graph.with_data(data)), data: data.clone() }
    }
}

impl PartialEq for PreparedDensities {
    fn eq(&self, other: &PreparedDensities) -> bool {
        Arc::ptr_eq(&self.data, &other.data) || self.data == other.data
    }
}

/// See [`Driven`].
#[derive(Clone, Debug)]
pub(crate) struct CompiledDriven {
    pub term: Driven,
    /// The shared places of the parameters and of the values.
    pub places: Vec<usize>,
    pub output_places: Vec<usize>,
}

/// All of them are shared.
pub(super) fn parameters(model: &Model) -> impl Iterator<Item = usize> {
    let of_densities = model.densities.iter().flat_map(|term| &term.parameters);
    let of_driven = model.driven.iter().flat_map(|term| term.parameters.iter().chain(&term.outputs));
    of_densities.chain(of_driven).copied()
}

fn shared(places: &[Place], parameters: &[usize]) -> Vec<usize> {
    let place = |i: &usize| if let Some(Place::Shared(place)) = places.get(*i) { Some(*place as usize) } else { None };
    parameters.iter().filter_map(place).collect()
}

pub(super) fn densities(model: &Model, places: &[Place]) -> Option<CompiledDensities> {
    let one = |term: &Densities| CompiledDensities { places: shared(places, &term.parameters), term: term.clone() };
    model.densities.as_ref().map(one)
}

pub(super) fn driven(model: &Model, places: &[Place]) -> Option<CompiledDriven> {
    let one = |term: &Driven| CompiledDriven {
        places: shared(places, &term.parameters),
        output_places: shared(places, &term.outputs),
        term: term.clone(),
    };
    model.driven.as_ref().map(one)
}
