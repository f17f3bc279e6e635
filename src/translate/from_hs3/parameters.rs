//! The parameters that modifiers and constraints name, with what is known of each.

use super::constraint::Tie;
use super::values::Values;
use crate::document::hs3::{DistributionKind, Hs3Document};
use crate::finding::{Finding, Findings, Result, Severity, quote};
use crate::graph::{Parameter, WantedFunction};
use crate::model::{ParameterSet, Penalty};
use crate::rule;
use std::cell::OnceCell;
use std::collections::HashMap;

/// What a parameter does first: its defaults follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A factor of all bins.
    Factor,
    /// The α of an interpolation.
    Alpha,
    /// The factor of one bin.
    Gamma,
    /// What densities and functions depend on.
    Free,
    /// The value of a function.
    Driven,
}

impl Role {
    /// Start and bounds where the document has none: those of the pyhf path (spec/modifiers.md, table 1).
    fn defaults(self) -> (f64, (f64, f64)) {
        match self {
            Role::Factor => (1.0, (0.0, 10.0)),
            Role::Alpha => (0.0, (-5.0, 5.0)),
            Role::Gamma => (1.0, (1e-10, 10.0)),
            Role::Free | Role::Driven => (1.0, (f64::NEG_INFINITY, f64::INFINITY)),
        }
    }
}

struct Entry {
    name: String,
    role: Role,
    tie: Option<Tie>,
    fixed: bool,
    /// As a graph knows it.
    known: Option<Parameter>,
    /// What its value is, where it is driven.
    function: Option<WantedFunction>,
}

/// In the order in which the likelihood names them.
#[derive(Default)]
pub(super) struct Table {
    index: HashMap<String, usize>,
    entries: Vec<Entry>,
}

impl Table {
    /// The index of a parameter, which is new where nothing has named it before.
    pub fn register(&mut self, name: &str, role: Role) -> usize {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        let index = self.entries.len();
        self.index.insert(name.to_string(), index);
        self.entries.push(Entry { name: name.to_string(), role, tie: None, fixed: false, known: None, function: None });
        index
    }

    /// A parameter that a function drives.
    pub fn register_driven(&mut self, name: &str, function: WantedFunction) {
        let index = self.register(name, Role::Driven);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.function = Some(function);
        }
    }

    /// A parameter of a graph.
    pub fn register_known(&mut self, parameter: &Parameter) -> usize {
        let index = self.register(&parameter.name, Role::Free);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.known = Some(parameter.clone());
        }
        index
    }

    /// The functions that drive parameters, with the indices of these.
    pub fn driven(&self) -> (Vec<WantedFunction>, Vec<usize>) {
        let each = self.entries.iter().enumerate();
        each.filter_map(|(index, entry)| entry.function.clone().map(|function| (function, index))).unzip()
    }

    pub fn is_driven(&self, name: &str) -> bool {
        self.index(name).and_then(|index| self.entries.get(index)).is_some_and(|entry| entry.function.is_some())
    }

    pub fn index(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Ties a parameter; the same constraint again changes nothing (A19).
    pub fn tie(&mut self, name: &str, tie: Tie, pointer: &str) -> Result<()> {
        let Some(entry) = self.index(name).and_then(|index| self.entries.get_mut(index)) else { return Ok(()) };
        match &entry.tie {
            None => entry.tie = Some(tie),
            Some(known) if *known == tie => {}
            Some(known) => {
                let found = format!("{} beside {} on {}", quote(&tie.source), quote(&known.source), quote(name));
                let expected = "one constraint for each parameter, the same wherever it is used";
                return Err(Finding::new(&rule::HS3_CONSTRAINT, found, expected).at(pointer).into());
            }
        }
        Ok(())
    }

    /// Held at its value unless a point says that it floats.
    pub fn fix(&mut self, name: &str) {
        if let Some(entry) = self.index(name).and_then(|index| self.entries.get_mut(index)) {
            entry.fixed = true;
        }
    }

    /// One scalar set for each parameter, and the terms beside their auxiliary measurements.
    pub fn finish(
        self,
        document: &Hs3Document,
        values: &Values,
        strict: bool,
        findings: &mut Findings,
    ) -> (Vec<ParameterSet>, Vec<Penalty>) {
        let (mut sets, mut penalties) = (Vec::with_capacity(self.entries.len()), Vec::new());
        let places = OnceCell::new();
        for (index, Entry { name, role, tie, fixed, known, function }) in self.entries.into_iter().enumerate() {
            let (mut default, mut default_bounds) = role.defaults();
            if let Some(known) = known.as_ref().filter(|_| role == Role::Free) {
                (default, default_bounds) = (known.value, (known.min, known.max));
            }
            let init = values.value_anywhere(&name).unwrap_or_else(|| {
                if function.is_none() {
                    let places = places.get_or_init(|| first_uses(document));
                    let place = places.get(name.as_str()).copied().unwrap_or("/parameter_points");
                    findings.push(without_value(&name, default, strict).at(place));
                }
                default
            });
            let mut bounds = values.bounds(&name).unwrap_or(default_bounds);
            let mut held = values.is_constant(&name).unwrap_or(fixed);
            held |= known.is_some_and(|known| known.constant);
            if function.is_some() {
                (held, bounds) = (true, default_bounds);
            }
            let mut constraint = None;
            if let Some(tie) = tie {
                held |= tie.fixed;
                constraint = tie.constraint;
                if let Some((low, high)) = tie.bounds {
                    bounds = (bounds.0.max(low), bounds.1.min(high));
                }
                penalties.extend(tie.penalties.into_iter().map(|kind| Penalty { parameter: index, kind }));
            }
            sets.push(ParameterSet {
                name,
                scalar: true,
                init: vec![init],
                bounds: vec![bounds],
                fixed: vec![held],
                constraints: constraint.map(|constraint| vec![constraint]),
            });
        }
        (sets, penalties)
    }
}

/// Where each name stands first that a component depends on.
fn first_uses(document: &Hs3Document) -> HashMap<&str, &str> {
    let mut places = HashMap::new();
    let of_distributions = document.distributions.iter().map(|distribution| &distribution.references);
    let references = of_distributions.chain(document.functions.iter().map(|function| &function.references)).flatten();
    for reference in references {
        places.entry(reference.name.as_str()).or_insert(reference.pointer.as_str());
    }
    let channels = document.distributions.iter().filter_map(|distribution| match &distribution.kind {
        DistributionKind::HistFactory(channel) => Some(channel),
        _ => None,
    });
    for modifier in channels.flat_map(|channel| &channel.samples).flat_map(|sample| &sample.modifiers) {
        let names = modifier.parameters.iter().chain(&modifier.parameter).chain(&modifier.name);
        for name in names {
            places.entry(name.as_str()).or_insert(modifier.pointer.as_str());
        }
    }
    places
}

/// A22: an error for a strict reader.
fn without_value(name: &str, default: f64, strict: bool) -> Finding {
    let found = format!("no value of {}, which starts at {default}", quote(name));
    let mut finding = Finding::new(&rule::HS3_NO_VALUE, found, "a value in the parameter points");
    if strict {
        finding.severity = Severity::Error;
    }
    finding
}
