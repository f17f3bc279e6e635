//! What a model has from HS3 beside channels: densities over events, and parameters that functions drive (spec/hs3.md).

use crate::graph::{Functions, GraphLikelihood};
use std::sync::Arc;

/// A term of −ln L of densities with their data and of constraints that no auxiliary measurement describes.
#[derive(Clone, Debug)]
pub struct Densities {
    pub graph: Arc<GraphLikelihood>,
    /// The place of each of its parameters in fit order.
    pub parameters: Vec<usize>,
}

/// Parameters that are functions of others: effects follow them, no fit moves them.
#[derive(Clone, Debug)]
pub struct Driven {
    pub functions: Arc<Functions>,
    /// The place in fit order of each parameter on which the functions depend.
    pub parameters: Vec<usize>,
    /// The place in fit order of the value of each function.
    pub outputs: Vec<usize>,
}

impl Driven {
    /// Puts the values of the functions into a point of all parameters.
    pub fn complete(&self, point: &mut [f64]) {
        let own: Vec<f64> = self.parameters.iter().map(|i| point[*i]).collect();
        let mut values = vec![0.0; self.outputs.len()];
        self.functions.values(&own, &mut values, &mut self.functions.scratch());
        self.outputs.iter().zip(values).for_each(|(i, value)| point[*i] = value);
    }
}
