//! The rules W101 to W248 of spec/validation.md, on a workspace that follows the schema.

mod channels;
mod correlations;
mod eft;
mod measurements;
mod modifiers;
mod observations;

use super::{Measurements, Scope, parameters};
use crate::document::workspace::Workspace;
use crate::finding::{Finding, Findings, number};
use crate::rule::Rule;
use crate::translate::from_pyhf::Compat;

/// Checks all rules; findings have pointers and no lines, in the order channels, extension, observations, measurements.
///
/// Time and memory are linear in the size of the workspace.
pub fn check(workspace: &Workspace, scope: &Scope) -> Findings {
    let mut report = Report { compat: scope.compat, findings: Findings::default() };
    let sets = parameters::collect(workspace);
    channels::check(workspace, &mut report);
    modifiers::check(workspace, &mut report);
    correlations::check(workspace, &sets, &mut report);
    eft::check(workspace, &mut report);
    observations::check(workspace, &mut report);
    measurements::check(workspace, &sets, &scope.measurements, &mut report);
    report.findings
}

/// Collects findings with the severity that the compatibility mode gives their rule.
struct Report {
    compat: Compat,
    findings: Findings,
}

impl Report {
    fn add(&mut self, rule: &Rule, pointer: String, found: impl Into<String>, expected: impl Into<String>) {
        let mut finding = Finding::new(rule, found, expected).at(pointer);
        if self.compat == Compat::Pyhf {
            finding.severity = rule.compat;
        }
        self.findings.push(finding);
    }

    /// One finding for all numbers of a list that fail a test, placed at the first; `pointer` leads to the list.
    fn add_numbers(
        &mut self,
        rule: &Rule,
        pointer: impl Fn() -> String,
        numbers: &[f64],
        expected: &str,
        fails: impl Fn(f64) -> bool,
    ) {
        let mut failing = numbers.iter().enumerate().filter(|(_, x)| fails(**x));
        if let Some((i, x)) = failing.next() {
            let found = match failing.count() {
                0 => number(*x),
                more => format!("{}, and {more} more such numbers in the list", number(*x)),
            };
            self.add(rule, format!("{}/{i}", pointer()), found, expected);
        }
    }
}

/// `3 bins`, `1 bin`.
pub(in crate::workspace) fn bins(n: usize) -> String {
    if n == 1 { "1 bin".into() } else { format!("{n} bins") }
}
