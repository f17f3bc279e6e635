//! Densities over events, and constraints that no auxiliary measurement describes (spec/hs3.md).

use super::choice::Content;
use super::constraint::Tie;
use super::parameters::{Role, Table};
use super::{Translator, is_unsupported};
use crate::document::hs3::Distribution;
use crate::finding::{Findings, Result};
use crate::graph::{Conventions, Graph, Wanted};
use crate::model::Densities;
use crate::rule;
use std::sync::Arc;

impl<'d> Translator<'d> {
    /// The term of all densities and of the constraints that are left; `beyond` are those of modifiers, with the places
    /// that name them. Every constraint of one parameter whose other names have values ties this parameter instead.
    pub(super) fn densities(
        &self,
        content: &Content<'d>,
        beyond: Vec<(String, String)>,
        table: &mut Table,
        findings: &mut Findings,
    ) -> Option<Densities> {
        let apart = content.constraints.iter().map(|d| (d.name.clone(), d.pointer.clone()));
        let wanted = Wanted {
            pairs: content.densities.clone(),
            constraints: beyond.into_iter().chain(apart).collect(),
            point: self.values.start(),
        };
        let conventions = Conventions {
            truncate_constraints: self.conventions.truncate_constraints,
            root_densities: self.conventions.root_densities,
        };
        let only_channels = content.densities.is_empty();
        let mut failed = Findings::default();
        let mut settle = |distribution: &'d Distribution| match self.settle(distribution, only_channels, table) {
            Ok(settled) => settled,
            Err(found) => {
                failed.0.extend(found.0);
                true
            }
        };
        let compiled = Graph::compile_parts(self.document, wanted, conventions, &mut settle);
        findings.0.extend(failed.0);
        let graph = match compiled {
            Ok(graph) => graph,
            Err(found) => {
                findings.0.extend(found);
                return None;
            }
        };
        findings.0.extend(graph.warnings.0.iter().filter(|f| f.rule != rule::HS3_NO_VALUE.id).cloned());
        if graph.terms == 0 && graph.constraints.is_empty() {
            return None;
        }
        let parameters = graph.parameters.iter().map(|parameter| table.register_known(parameter)).collect();
        Some(Densities { graph: Arc::new(graph), parameters })
    }

    /// Ties the one parameter of a distribution, where it has one.
    fn settle(&self, distribution: &Distribution, only_channels: bool, table: &mut Table) -> Result<bool> {
        let named = self.ties().named(distribution, &|name| table.index(name).is_some());
        let (name, tie): (String, Tie) = match named {
            Ok(named) => named,
            Err(found) if is_unsupported(&found) => return Ok(false),
            Err(found) if only_channels => return Err(found),
            Err(_) => return Ok(false),
        };
        // Beside channels alone a name that nothing else uses is a global observable, whether or not the document says so.
        let settled = only_channels || self.ties().is_settled(distribution, &name);
        if !settled || self.document.function(&name).is_some() {
            return Ok(false);
        }
        table.register(&name, Role::Alpha);
        table.tie(&name, tie, &distribution.pointer).map(|()| true)
    }
}
