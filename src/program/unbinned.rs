//! Unbinned terms of a model, and their events prepared for evaluation.

use super::{Place, Program};
use crate::model::eft::unbinned::EventRows;
use crate::model::{Model, UnbinnedTerm};
use std::ops::Range;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct CompiledTerm {
    pub term: UnbinnedTerm,
    /// The parameter of each variable, and its shared place.
    pub parameters: Vec<u32>,
    /// Those that are Wilson coefficients.
    pub followed: Vec<u32>,
    pub places: Vec<u32>,
    /// Its rows among all rows of the data.
    pub rows: Range<usize>,
}

/// The rows of one term whose weight is not zero.
#[derive(Clone, Debug)]
pub(crate) struct PreparedTerm {
    pub weights: Vec<f64>,
    /// Their sum.
    pub sum: f64,
    /// Their places among all rows of the term.
    pub rows: Vec<usize>,
    /// For each component its densities.
    pub densities: Vec<Vec<Arc<EventRows>>>,
}

/// Rows are those of one event database: they are not compared one by one.
impl PartialEq for PreparedTerm {
    fn eq(&self, other: &PreparedTerm) -> bool {
        let one = |(a, b): (&Arc<EventRows>, &Arc<EventRows>)| Arc::ptr_eq(a, b);
        let all = |(a, b): (&Vec<Arc<EventRows>>, &Vec<Arc<EventRows>>)| a.len() == b.len() && a.iter().zip(b).all(one);
        (&self.weights, self.sum, &self.rows) == (&other.weights, other.sum, &other.rows)
            && self.densities.len() == other.densities.len()
            && self.densities.iter().zip(&other.densities).all(all)
    }
}

pub(super) fn compile(model: &Model, places: &[Place]) -> Vec<CompiledTerm> {
    let mut first = 0;
    let compile_one = |term: &UnbinnedTerm| {
        let rows = first..first + term.n_rows();
        first = rows.end;
        let place = |parameter: &usize| match places.get(*parameter) {
            Some(Place::Shared(place)) => Some(*place),
            _ => None,
        };
        CompiledTerm {
            parameters: term.parameters.iter().map(|p| *p as u32).collect(),
            followed: term.coefficients.iter().map(|p| *p as u32).collect(),
            places: term.parameters.iter().filter_map(place).collect(),
            term: term.clone(),
            rows,
        }
    };
    model.unbinned.iter().map(compile_one).collect()
}

impl CompiledTerm {
    /// Takes in weights of all rows of the data.
    pub fn prepare(&self, weights: &[f64]) -> PreparedTerm {
        let weights = &weights[self.rows.clone()];
        let rows: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] != 0.0).collect();
        let all = rows.len() == weights.len();
        let of_density = |density: &Arc<EventRows>| if all { density.clone() } else { Arc::new(density.gather(&rows)) };
        PreparedTerm {
            weights: rows.iter().map(|i| weights[*i]).collect(),
            sum: rows.iter().map(|i| weights[*i]).sum(),
            densities: self.term.components.iter().map(|c| c.densities.iter().map(of_density).collect()).collect(),
            rows,
        }
    }
}

impl Program {
    /// Number of rows of all unbinned terms.
    pub fn n_event_rows(&self) -> usize {
        self.unbinned.last().map_or(0, |term| term.rows.end)
    }

    /// The likelihood has terms of single events.
    pub fn is_unbinned(&self) -> bool {
        !self.unbinned.is_empty()
    }

    /// The names of the unbinned terms.
    pub fn unbinned_terms(&self) -> impl Iterator<Item = &str> {
        self.unbinned.iter().map(|compiled| compiled.term.name.as_str())
    }

    /// A term without reference events depends on this coefficient.
    pub fn moves_events_without_reference(&self, parameter: usize) -> bool {
        let depends = |t: &&CompiledTerm| t.followed.contains(&(parameter as u32));
        self.unbinned.iter().filter(depends).any(|t| t.term.reference.is_empty())
    }

    /// The name of the first unbinned term without reference events, for which there are no Asimov data and no toys.
    pub fn without_reference(&self) -> Option<&str> {
        self.unbinned.iter().find(|t| t.term.reference.is_empty()).map(|t| t.term.name.as_str())
    }
}
