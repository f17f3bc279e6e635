//! Likelihoods whose constants are numbers: in a fit that holds them, what depends on them alone is computed once.

use super::builder::Builder;
use super::likelihood::{GraphLikelihood, program};
use super::pair::Term;
use super::program::Program;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

impl GraphLikelihood {
    /// The same where constants have the values of [`GraphLikelihood::parameters`]: what depends on them alone is computed
    /// once. It has no derivatives to them.
    pub fn held(&self) -> &GraphLikelihood {
        self.held_or_made().as_deref().unwrap_or(self)
    }

    pub(super) fn held_or_made(&self) -> &Option<Arc<GraphLikelihood>> {
        self.held.get_or_init(|| self.hold().map(Arc::new))
    }

    fn hold(&self) -> Option<GraphLikelihood> {
        let needed: BTreeSet<usize> = self.pieces.iter().flat_map(|piece| piece.parameters.iter().copied()).collect();
        let constants = needed.into_iter().filter(|i| self.parameters[*i].constant);
        let numbers: BTreeMap<usize, f64> = constants.map(|i| (i, self.parameters[i].value)).collect();
        if numbers.is_empty() {
            return None;
        }
        let mut builder = Builder::clone(&self.made_from.builder);
        let terms: Vec<Term> = self.made_from.terms.iter().map(|term| term.hold(&mut builder, &numbers)).collect();
        let programs = terms.iter().map(|term| program(&mut builder, term)).collect::<Vec<Program>>();
        let like = self.held_like.as_ref().map_or(&self.pieces, |like| &like.pieces);
        let pieces = like.iter().zip(programs).map(|(like, program)| like.with_program(program)).collect();
        Some(GraphLikelihood { held: OnceLock::from(None), ..self.with_pieces(pieces) })
    }

    /// Whether constants have their values at a point.
    pub fn is_held(&self, theta: &[f64]) -> bool {
        self.parameters.iter().zip(theta).all(|(parameter, x)| !parameter.constant || parameter.value == *x)
    }
}
