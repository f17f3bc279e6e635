//! Findings as JSON and as blocks of text, `file:line:column: error[W012] …`.

use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::finding::{Finding, Findings, Severity};
use schemars::JsonSchema;
use serde::Serialize;

/// The result of `validate`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ValidateReport {
    /// No finding is an error.
    pub valid: bool,
    /// In document order.
    pub findings: Findings,
}

impl ValidateReport {
    pub fn new(findings: Findings) -> ValidateReport {
        ValidateReport { valid: findings.is_valid(), findings }
    }

    /// One row a finding; for a terminal blocks of text and a summary.
    pub fn page(&self, file: &str) -> Page {
        let titles = ["severity", "rule", "class", "file", "line", "column", "pointer", "found", "expected", "hint"];
        let mut table = Table::new("", titles.map(Column::left));
        for finding in &self.findings.0 {
            let place = |number: Option<usize>| number.map_or_else(Cell::empty, Cell::count);
            table.add_row([
                Cell::text(severity(finding)),
                Cell::text(finding.rule.to_string()),
                Cell::text(finding.class.to_string()),
                Cell::name(file),
                place(finding.line),
                place(finding.column),
                Cell::name(finding.pointer.as_deref().unwrap_or_default()),
                Cell::name(&finding.found),
                Cell::name(&finding.expected),
                Cell::name(&finding.hint),
            ]);
        }
        let summary = format!("{}: {}", text::escape(file), summary(&self.findings));
        let blocks = format!("{}{summary}\n", text(file, &self.findings));
        Page::new().remark("", summary).table(table).shown_as(blocks)
    }
}

/// Longest excerpt of what was found or expected; documents may hold anything.
const EXCERPT: usize = 400;

/// One block a finding, each ending in a newline.
pub fn text(file: &str, findings: &Findings) -> String {
    findings.0.iter().map(|finding| block(file, finding)).collect()
}

fn block(file: &str, finding: &Finding) -> String {
    let severity = severity(finding);
    let excerpt = |t: &str| text::shorten(&text::escape(t), EXCERPT);
    let mut place = text::escape(file);
    for number in [finding.line, finding.column].into_iter().flatten() {
        place.push_str(&format!(":{number}"));
    }
    let mut block = format!(
        "{place}: {severity}[{}] {}: found {}, expected {}\n",
        finding.rule,
        finding.class,
        excerpt(&finding.found),
        excerpt(&finding.expected)
    );
    if let Some(pointer) = finding.pointer.as_deref().filter(|p| !p.is_empty()) {
        block.push_str(&format!("    at   {}\n", excerpt(pointer)));
    }
    if !finding.hint.is_empty() {
        block.push_str(&format!("    hint {}\n", excerpt(&finding.hint)));
    }
    block
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `valid`, or the number of errors and warnings, as a last line.
pub fn summary(findings: &Findings) -> String {
    let errors = findings.0.iter().filter(|f| f.severity == Severity::Error).count();
    let warnings = findings.0.len() - errors;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => "valid".to_owned(),
        (0, w) => format!("valid, {}", count(w, "warning")),
        (e, 0) => format!("not valid: {}", count(e, "error")),
        (e, w) => format!("not valid: {}, {}", count(e, "error"), count(w, "warning")),
    }
}
