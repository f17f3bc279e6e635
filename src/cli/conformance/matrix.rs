//! The answers of several programs side by side, for people who choose one and for those who write one.

use super::summary::{CaseResult, Status, Summary};
use crate::report::table::{Cell, Column, Page, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Programs, and how each answered every topic of the cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    /// Of the run, as YYYY-MM-DD.
    pub date: String,
    pub cases: usize,
    pub programs: Vec<Program>,
    pub by_operation: Vec<Row>,
    pub by_subject: Vec<Row>,
}

/// A program, and what it answers in another way than the cases expect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    pub name: String,
    pub version: String,
    pub total: Counts,
    pub differences: Vec<Difference>,
}

/// Cases that differ for one reason, and those that fail without a known one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub reason: Option<String>,
    pub cases: Vec<String>,
}

/// An operation, or a subject: what stands before the first `/` of the ids.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    /// One for each program.
    pub counts: Vec<Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub passed: usize,
    /// Another answer, for a reason that is known.
    pub known: usize,
    pub failed: usize,
    pub unsupported: usize,
}

impl Counts {
    fn add(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Known => self.known += 1,
            Status::Failed => self.failed += 1,
            Status::Unsupported => self.unsupported += 1,
        }
    }

    /// Passed of all that were answered, with what differs; a dash where nothing was answered.
    fn text(&self) -> String {
        let answered = self.passed + self.known + self.failed;
        if answered == 0 {
            return "–".to_owned();
        }
        let mut text = format!("{}/{answered}", self.passed);
        if self.known > 0 {
            let _ = write!(text, ", {} known", self.known);
        }
        if self.failed > 0 {
            let _ = write!(text, ", **{} failed**", self.failed);
        }
        text
    }

    fn class(&self) -> &'static str {
        match self {
            Counts { failed: 1.., .. } => "failed",
            Counts { known: 1.., .. } => "known",
            Counts { passed: 0, .. } => "none",
            _ => "passed",
        }
    }
}

impl Matrix {
    /// Of one summary for each program, with names and versions.
    pub fn new(date: String, programs: &[(String, String, Summary)]) -> Matrix {
        let rows = |key: &dyn Fn(&CaseResult) -> String| {
            let mut rows: BTreeMap<String, Vec<Counts>> = BTreeMap::new();
            for (at, (.., summary)) in programs.iter().enumerate() {
                for result in &summary.results {
                    let counts = rows.entry(key(result)).or_insert_with(|| vec![Counts::default(); programs.len()]);
                    counts[at].add(result.status);
                }
            }
            rows.into_iter().map(|(name, counts)| Row { name, counts }).collect()
        };
        Matrix {
            date,
            cases: programs.first().map_or(0, |(.., summary)| summary.results.len()),
            programs: programs.iter().map(|(name, version, summary)| program(name, version, summary)).collect(),
            by_operation: rows(&|result| result.operation.clone()),
            by_subject: rows(&|result| subject(&result.id).to_owned()),
        }
    }

    /// The counts by operation.
    pub fn page(&self) -> Page {
        let heads = self.programs.iter().map(|program| Column::left(&program.name));
        let mut table = Table::new("", [Column::left("operation")].into_iter().chain(heads));
        for row in &self.by_operation {
            let cells = row.counts.iter().map(|counts| Cell::text(counts.text().replace("**", "")));
            table.add_row([Cell::text(&row.name)].into_iter().chain(cells));
        }
        let page = Page::new().remark("cases", self.cases.to_string());
        self.programs
            .iter()
            .fold(page, |page, program| page.remark(&program.name, program.version.clone()))
            .table(table)
    }

    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Who answers what\n\n{} cases, asked on {}. A cell has the cases that passed of those \
                                that the program answers; *known* are other answers whose reason is below.\n",
            self.cases, self.date
        );
        for (title, rows) in self.tables() {
            let heads: Vec<&str> = self.programs.iter().map(|program| program.name.as_str()).collect();
            let _ = write!(text, "\n| {title} | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
            for row in rows {
                let cells: Vec<String> = row.counts.iter().map(Counts::text).collect();
                let _ = writeln!(text, "| {} | {} |", row.name, cells.join(" | "));
            }
        }
        for program in &self.programs {
            let _ = write!(text, "\n## {}\n\n{}\n", program.name, program.version);
            for Difference { reason, cases } in &program.differences {
                let reason = reason.as_deref().unwrap_or("**failed, for no known reason**");
                let _ = writeln!(text, "\n* {reason}: {}", examples(cases));
            }
        }
        text
    }

    pub fn html(&self) -> String {
        let mut body = format!(
            "<h1>Who answers what</h1><p>{} cases, asked on {}. A cell has the cases that passed of those \
                                that the program answers; <i>known</i> are other answers whose reason is below.</p>",
            self.cases, self.date
        );
        for (title, rows) in self.tables() {
            let heads: String =
                self.programs.iter().map(|p| format!("<th scope=\"col\">{}</th>", escape(&p.name))).collect();
            let _ = write!(body, "<table><thead><tr><th scope=\"col\">{title}</th>{heads}</tr></thead><tbody>");
            for row in rows {
                let cells: String = row
                    .counts
                    .iter()
                    .map(|c| format!("<td class=\"{}\">{}</td>", c.class(), escape(&c.text().replace("**", ""))))
                    .collect();
                let _ = write!(body, "<tr><th scope=\"row\">{}</th>{cells}</tr>", escape(&row.name));
            }
            body.push_str("</tbody></table>");
        }
        for program in &self.programs {
            let _ = write!(body, "<h2>{}</h2><p>{}</p><ul>", escape(&program.name), escape(&program.version));
            for Difference { reason, cases } in &program.differences {
                let reason = reason.as_deref().unwrap_or("failed, for no known reason");
                let _ = write!(body, "<li>{}: {}</li>", escape(reason), escape(&examples(cases)));
            }
            body.push_str("</ul>");
        }
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Conformance</title><style>{STYLE}</style><body>{body}</body></html>\n"
        )
    }

    fn tables(&self) -> [(&'static str, &[Row]); 2] {
        [("operation", &self.by_operation), ("subject", &self.by_subject)]
    }
}

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#111}\
table{border-collapse:collapse;margin:1.5rem 0}th,td{border:1px solid #bbb;padding:.25rem .6rem;text-align:left}\
thead th{background:#eee}.passed{background:#e3f3e6}.known{background:#fdf3d6}.failed{background:#f9d9d6;font-weight:bold}\
.none{color:#666}";

/// So many cases are named for each reason.
const EXAMPLES: usize = 4;

fn examples(cases: &[String]) -> String {
    let shown: Vec<&str> = cases.iter().take(EXAMPLES).map(String::as_str).collect();
    let more = cases.len() - shown.len();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn program(name: &str, version: &str, summary: &Summary) -> Program {
    let (mut total, mut reasons) = (Counts::default(), BTreeMap::<Option<String>, Vec<String>>::new());
    for result in &summary.results {
        total.add(result.status);
        let differs = matches!(result.status, Status::Known | Status::Failed);
        if differs {
            reasons.entry(result.reason.clone()).or_default().push(result.id.clone());
        }
    }
    let differences = reasons.into_iter().map(|(reason, cases)| Difference { reason, cases }).collect();
    Program { name: name.to_owned(), version: version.to_owned(), total, differences }
}

/// What stands before the first `/` of an id.
fn subject(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
