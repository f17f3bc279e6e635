//! What `audit` found: JSON, text, tables.

mod message;

use super::number::{Number, numbers, significant};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::audit::{Audit, Code, Directions, Finding, Severity, Subject, Thresholds};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

pub use message::{message, what};

/// The findings of an audit, and of what.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AuditReport {
    /// The codes that were found, in the order of the findings.
    pub codes: Vec<CodeReport>,
    pub content: Content,
    /// Directions of the information matrix; null where there is none.
    pub directions: Option<DirectionsReport>,
    /// Warnings first, then by code, the worst first.
    pub findings: Vec<FindingReport>,
    /// What was not looked at, and why.
    pub left_out: Vec<String>,
    pub measurement: String,
    pub notes: usize,
    pub thresholds: BTreeMap<String, Number>,
    pub warnings: usize,
}

/// What the likelihood is made of.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Content {
    pub bins: usize,
    pub channels: usize,
    /// Scalar parameters with a constraint.
    pub constrained_parameters: usize,
    /// Sum over all bins, before a fit.
    pub expected: Number,
    pub free_parameters: usize,
    /// Of them all observed counts.
    pub observed: Number,
    pub parameters: usize,
    pub poi: Option<String>,
    /// Names of samples, each once.
    pub samples: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CodeReport {
    /// What to do about it.
    pub advice: &'static str,
    pub code: Code,
    pub count: usize,
    /// What it means.
    pub meaning: &'static str,
    /// The worst of its findings.
    pub severity: Severity,
    pub title: &'static str,
    /// How many of its findings are warnings; the others are notes.
    pub warnings: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FindingReport {
    pub advice: &'static str,
    /// Bins of the channel, from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    pub code: Code,
    /// The place and the numbers in words.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modifier: Option<String>,
    /// Other names that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Scalar parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// JSON Pointer into the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    pub severity: Severity,
    /// Types of the modifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<&'static str>,
    /// The numbers, by the names of spec/audit.md; null where not finite.
    pub values: BTreeMap<&'static str, Number>,
    /// Of a direction, one a parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Number>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DirectionsReport {
    /// Expected data of the best fit; else of the point before the fit.
    pub at_fit: bool,
    /// The lowest ten.
    pub eigenvalues: Vec<Number>,
    /// Free parameters that the matrix has.
    pub parameters: usize,
}

impl AuditReport {
    pub fn new(subject: &Subject, audit: &Audit, thresholds: &Thresholds, measurement: &str) -> AuditReport {
        let findings = &audit.findings;
        let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
        AuditReport {
            codes: codes(findings),
            content: Content::new(subject),
            directions: audit.directions.as_ref().map(DirectionsReport::new),
            findings: findings.iter().map(FindingReport::new).collect(),
            left_out: audit.left_out.clone(),
            measurement: measurement.to_owned(),
            notes: count(Severity::Note),
            thresholds: thresholds.all().iter().map(|own| (own.name.to_owned(), Number(own.value))).collect(),
            warnings: count(Severity::Warning),
        }
    }

    /// Text with at most `most` findings of each code; tables with all.
    pub fn page(&self, file: &str, most: usize) -> Page {
        let mut codes = Table::new(
            "codes",
            [
                Column::left("severity"),
                Column::left("code"),
                Column::right("count"),
                Column::right("warnings"),
                Column::left("title"),
            ],
        );
        for own in &self.codes {
            codes.add_row([
                Cell::text(own.severity.word()),
                Cell::text(own.code.word()),
                Cell::count(own.count),
                Cell::count(own.warnings),
                Cell::text(own.title),
            ]);
        }
        let titles = ["severity", "code", "channel", "sample", "modifier", "bins", "parameters", "pointer", "message"];
        let mut findings = Table::new("findings", titles.map(Column::left));
        for own in &self.findings {
            let name = |name: &Option<String>| Cell::name(name.as_deref().unwrap_or_default());
            findings.add_row([
                Cell::text(own.severity.word()),
                Cell::text(own.code.word()),
                name(&own.channel),
                name(&own.sample),
                name(&own.modifier),
                Cell::text(own.bins.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")),
                Cell::name(&own.parameters.join(" ")),
                name(&own.pointer),
                Cell::text(own.message.clone()),
            ]);
        }
        let mut page = Page::new().remark("file", text::escape(file));
        page = page.remark("measurement", text::label(&self.measurement)).remark("content", self.content.sentence());
        page = page.remark("findings", self.counts());
        for left_out in &self.left_out {
            page = page.remark("not looked at", left_out.clone());
        }
        let head: String = page.remark_lines().iter().map(|line| format!("{line}\n")).collect();
        page.table(codes).table(findings).shown_as(head + &self.blocks(most))
    }

    /// `2 warnings, 5 notes`
    pub fn counts(&self) -> String {
        counts(self.warnings, self.notes)
    }

    fn blocks(&self, most: usize) -> String {
        let mut blocks = String::new();
        for own in &self.codes {
            blocks.push_str(&format!(
                "\n{}[{}] {} ({})\n",
                own.severity.word(),
                own.code.word(),
                own.title,
                own.counted()
            ));
            for line in wrap(&format!("{} {}", own.meaning, own.advice), 96) {
                blocks.push_str(&format!("    {line}\n"));
            }
            let of_code: Vec<&FindingReport> = self.findings.iter().filter(|f| f.code == own.code).collect();
            for finding in of_code.iter().take(most) {
                blocks.push_str(&format!("  * {}\n", finding.message));
            }
            if of_code.len() > most {
                let more = of_code.len() - most;
                blocks.push_str(&format!("    … and {more} more: --max-findings, --format json\n"));
            }
        }
        blocks
    }
}

/// `2 warnings, 5 notes`
fn counts(warnings: usize, notes: usize) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", count(warnings, "warning"), count(notes, "note"))
}

impl CodeReport {
    /// The number of findings; where some are warnings and some are not, of each.
    pub fn counted(&self) -> String {
        let notes = self.count - self.warnings;
        if self.warnings == 0 || notes == 0 { self.count.to_string() } else { counts(self.warnings, notes) }
    }
}

/// The codes of findings, in their order, each once.
fn codes(findings: &[Finding]) -> Vec<CodeReport> {
    let mut codes: Vec<CodeReport> = Vec::new();
    for finding in findings {
        match codes.iter_mut().find(|own| own.code == finding.code) {
            // The worst finding of a code comes first.
            Some(own) => {
                own.count += 1;
                own.warnings += usize::from(finding.severity == Severity::Warning);
            }
            None => {
                let about = finding.code.about();
                let (code, severity) = (finding.code, finding.severity);
                let (title, meaning, advice) = (about.title, about.meaning, about.advice);
                let warnings = usize::from(severity == Severity::Warning);
                codes.push(CodeReport { advice, code, count: 1, meaning, severity, title, warnings });
            }
        }
    }
    codes
}

/// Lines of at most `width` characters, broken at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < width) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl Content {
    fn new(subject: &Subject) -> Content {
        let model = subject.model;
        let mut samples: Vec<&str> = model.channels.iter().flat_map(|c| &c.samples).map(|s| s.name.as_str()).collect();
        samples.sort_unstable();
        samples.dedup();
        let program = crate::program::Program::compile(model);
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        crate::kernel::Evaluator::new(&program).expected(subject.point, &mut main, &mut auxiliary);
        let names = model.parameter_names();
        Content {
            bins: model.n_bins(),
            channels: model.channels.len(),
            constrained_parameters: model.constraints().iter().flatten().count(),
            expected: Number(main.iter().sum()),
            free_parameters: subject.fixed.iter().filter(|fixed| !**fixed).count(),
            observed: Number(subject.data.main.iter().sum()),
            parameters: names.len(),
            poi: model.poi.and_then(|poi| names.get(poi).cloned()),
            samples: samples.len(),
        }
    }

    /// One line.
    pub fn sentence(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        format!(
            "{}, {}, {}, {} ({} free, {} constrained); {} events observed, {} expected before a fit",
            count(self.channels, "channel"),
            count(self.bins, "bin"),
            count(self.samples, "sample"),
            count(self.parameters, "parameter"),
            self.free_parameters,
            self.constrained_parameters,
            significant(self.observed.0, 6),
            significant(self.expected.0, 6)
        )
    }
}

impl FindingReport {
    fn new(finding: &Finding) -> FindingReport {
        FindingReport {
            advice: finding.code.about().advice,
            bins: finding.bins.clone(),
            channel: finding.channel.clone(),
            code: finding.code,
            message: message(finding),
            modifier: finding.modifier.clone(),
            others: finding.others.clone(),
            parameters: finding.parameters.clone(),
            pointer: finding.pointer.clone(),
            sample: finding.sample.clone(),
            severity: finding.severity,
            types: finding.types.clone(),
            values: finding.values.iter().map(|(name, value)| (*name, Number(*value))).collect(),
            weights: numbers(&finding.weights),
        }
    }
}

impl DirectionsReport {
    fn new(directions: &Directions) -> DirectionsReport {
        let lowest: Vec<f64> = directions.eigenvalues.iter().copied().take(10).collect();
        DirectionsReport {
            at_fit: directions.at_fit,
            eigenvalues: numbers(&lowest),
            parameters: directions.names.len(),
        }
    }
}
