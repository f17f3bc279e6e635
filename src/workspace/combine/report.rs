//! Findings about several documents at once, each told of the document in which it has its place.

use crate::finding::{Finding, Findings, quote_file};
use crate::rule::Rule;
use crate::translate::from_pyhf::Compat;

/// Where something stands in the documents that are combined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::workspace) struct Place {
    /// Index of the document.
    pub document: usize,
    /// JSON Pointer into it.
    pub pointer: String,
}

impl Place {
    pub fn new(document: usize, pointer: impl Into<String>) -> Place {
        Place { document, pointer: pointer.into() }
    }

    /// The place of a member.
    pub fn below(&self, pointer: &str) -> Place {
        Place { document: self.document, pointer: format!("{}{pointer}", self.pointer) }
    }
}

/// Collects findings with the severity that the compatibility mode gives their rule.
#[derive(Debug)]
pub(super) struct Report {
    /// Of the documents.
    names: Vec<String>,
    compat: Compat,
    /// By document; those of the result as a whole come last.
    findings: Vec<Findings>,
}

impl Report {
    pub fn new(names: Vec<String>, compat: Compat) -> Report {
        let findings = vec![Findings::default(); names.len() + 1];
        Report { names, compat, findings }
    }

    pub fn add(&mut self, rule: &Rule, place: &Place, found: impl Into<String>, expected: impl Into<String>) {
        let mut finding = Finding::new(rule, found, expected);
        if self.compat == Compat::Pyhf {
            finding.severity = rule.compat;
        }
        self.push(Some(place), finding);
    }

    /// Adds a finding at a place in a document, or about the result as a whole. One that is there is not added again.
    pub fn push(&mut self, place: Option<&Place>, mut finding: Finding) {
        let of = match place {
            Some(place) => {
                finding.pointer = Some(place.pointer.clone());
                place.document
            }
            None => self.names.len(),
        };
        if let Some(findings) = self.findings.get_mut(of)
            && !findings.0.contains(&finding)
        {
            findings.push(finding);
        }
    }

    /// Adds all findings about one document.
    pub fn take(&mut self, document: usize, findings: Findings) {
        if let Some(own) = self.findings.get_mut(document) {
            own.0.extend(findings.0);
        }
    }

    /// What messages call a document.
    pub fn name(&self, document: usize) -> &str {
        self.names.get(document).map_or("", String::as_str)
    }

    /// A place as messages show it: the name of the document and the pointer.
    pub fn tell(&self, place: &Place) -> String {
        let name = self.names.get(place.document).map(|name| quote_file(name)).unwrap_or_default();
        if place.pointer.is_empty() { name } else { format!("{name} ({})", place.pointer) }
    }

    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(Findings::is_valid)
    }

    /// By document; those of the result as a whole come last.
    pub fn into_findings(self) -> Vec<Findings> {
        self.findings
    }
}
