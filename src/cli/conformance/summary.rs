//! What a run showed: numbers by operation, and every case that failed.

use super::case::Case;
use crate::report::table::{Cell, Column, Page, Table};
use crate::report::text;
use serde::Serialize;
use std::collections::BTreeMap;

/// The result of `conformance run`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The adapter's command, or this program.
    pub program: String,
    pub passed: usize,
    pub failed: usize,
    /// Failed for a reason that is known.
    pub known: usize,
    pub unsupported: usize,
    pub results: Vec<CaseResult>,
}

/// How a program answered one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseResult {
    pub id: String,
    pub operation: String,
    pub spec: String,
    pub provenance: String,
    pub status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// Why the failure is known, or the case unsupported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Passed,
    Failed,
    Known,
    Unsupported,
}

/// How many differences of one case a table shows.
const SHOWN: usize = 3;

impl CaseResult {
    pub fn new(case: &Case, differences: Vec<String>, known: Option<String>) -> CaseResult {
        let (status, reason) = match (differences.is_empty(), known) {
            (true, _) => (Status::Passed, None),
            (false, None) => (Status::Failed, None),
            (false, reason) => (Status::Known, reason),
        };
        CaseResult { status, differences, reason, ..CaseResult::blank(case) }
    }

    pub fn unsupported(case: &Case, reason: String) -> CaseResult {
        CaseResult { status: Status::Unsupported, reason: Some(reason), ..CaseResult::blank(case) }
    }

    fn blank(case: &Case) -> CaseResult {
        CaseResult {
            id: case.id.clone(),
            operation: case.operation.clone(),
            spec: case.spec.clone(),
            provenance: case.provenance.clone(),
            status: Status::Passed,
            differences: Vec::new(),
            reason: None,
        }
    }
}

impl Summary {
    pub fn new(program: String, results: Vec<CaseResult>) -> Summary {
        let count = |status| results.iter().filter(|r| r.status == status).count();
        let (passed, failed) = (count(Status::Passed), count(Status::Failed));
        let (known, unsupported) = (count(Status::Known), count(Status::Unsupported));
        Summary { program, passed, failed, known, unsupported, results }
    }

    /// Counts by operation, then the failures with their first differences.
    pub fn page(&self) -> Page {
        let mut rows: BTreeMap<&str, BTreeMap<Status, usize>> = BTreeMap::new();
        for result in &self.results {
            *rows.entry(&result.operation).or_default().entry(result.status).or_default() += 1;
        }
        let titles = ["passed", "failed", "known", "unsupported"];
        let columns = || [Column::left("operation")].into_iter().chain(titles.map(Column::right));
        let mut table = Table::new("", columns());
        let statuses = [Status::Passed, Status::Failed, Status::Known, Status::Unsupported];
        for (operation, counts) in rows {
            let numbers = statuses.iter().map(|status| Cell::count(counts.get(status).copied().unwrap_or(0)));
            table.add_row([Cell::text(operation)].into_iter().chain(numbers));
        }
        let sums = [self.passed, self.failed, self.known, self.unsupported].map(Cell::count);
        table.add_row([Cell::text("all")].into_iter().chain(sums));
        let failures = self.results.iter().filter(|r| r.status == Status::Failed).map(failure).collect::<String>();
        let page = Page::new().remark("", text::escape(&self.program)).table(table);
        let text = format!("{}{failures}", page.text());
        page.shown_as(text)
    }
}

/// A failed case: its id, what the answer rests on, and what differs.
fn failure(result: &CaseResult) -> String {
    let mut lines = format!("\nfailed: {}  ({}; {})\n", result.id, result.spec, result.provenance);
    for difference in result.differences.iter().take(SHOWN) {
        lines.push_str(&format!("    {}\n", text::escape(difference)));
    }
    if result.differences.len() > SHOWN {
        lines.push_str(&format!("    and {} more\n", result.differences.len() - SHOWN));
    }
    lines
}
