//! Functions that drive modifiers (spec/hs3-histfactory.md, "Functions").

use super::choice::Region;
use super::parameters::Table;
use super::{Result, Translator};
use crate::document::hs3::Modifier;
use crate::finding::{Finding, Findings, quote};
use crate::graph::{Functions, WantedFunction};
use crate::model::Driven;
use crate::rule;
use std::sync::Arc;

impl Translator<'_> {
    /// Registers those of a modifier's names that are functions.
    pub(super) fn register_functions(&self, names: &[String], pointer: &str, table: &mut Table) {
        for name in names.iter().filter(|name| self.document.function(name).is_some()) {
            let function = WantedFunction { name: name.clone(), centres: Vec::new(), pointer: pointer.to_string() };
            table.register_driven(name, function);
        }
    }

    /// The modifier `custom`: a function by its name, taken at the centre of each bin where it depends on the channel's
    /// variates. Returns the names of what it drives, one for all bins or one for each.
    pub(super) fn custom(&self, modifier: &Modifier, region: &Region, table: &mut Table) -> Result<Vec<String>> {
        let name = modifier.name.clone().unwrap_or_default();
        let pointer = modifier.pointer.clone();
        if self.document.function(&name).is_none() {
            let mut finding =
                Finding::new(&rule::HS3_UNRESOLVED, quote(&name), "the name of a function of the document");
            finding.severity = crate::finding::Severity::Error;
            return Err(finding.at(pointer).into());
        }
        let axes = &region.channel.axes;
        let variates: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
        if !Functions::depends_on(self.document, &name, &variates, &pointer).map_err(Findings)? {
            self.register_functions(std::slice::from_ref(&name), &pointer, table);
            return Ok(vec![name]);
        }
        let centres = axes.iter().fold(vec![Vec::new()], |bins: Vec<Vec<(String, f64)>>, axis| {
            let edges = axis.edges();
            let longer = |bin: &Vec<(String, f64)>| {
                let bin = bin.clone();
                let centre = |pair: &[f64]| (axis.name.clone(), 0.5 * (pair[0] + pair[1]));
                edges.windows(2).map(|pair| bin.iter().cloned().chain([centre(pair)]).collect()).collect::<Vec<_>>()
            };
            bins.iter().flat_map(longer).collect()
        });
        let mut names = Vec::with_capacity(centres.len());
        for (bin, centres) in centres.into_iter().enumerate() {
            let driven = format!("{name}_{}_bin_{bin}", region.name);
            let function = WantedFunction { name: name.clone(), centres, pointer: pointer.clone() };
            table.register_driven(&driven, function);
            names.push(driven);
        }
        Ok(names)
    }

    /// Compiles all functions that drive something.
    pub(super) fn driven(&self, table: &mut Table, findings: &mut Findings) -> Option<Driven> {
        let (wanted, outputs) = table.driven();
        if wanted.is_empty() {
            return None;
        }
        match Functions::compile_at(self.document, &wanted, self.values.start()) {
            Ok(functions) => {
                findings.0.extend(functions.warnings.0.iter().filter(|f| f.rule != rule::HS3_NO_VALUE.id).cloned());
                let parameters = functions.parameters.iter().map(|p| table.register_known(p)).collect();
                Some(Driven { functions: Arc::new(functions), parameters, outputs })
            }
            Err(found) => {
                findings.0.extend(found);
                None
            }
        }
    }
}
