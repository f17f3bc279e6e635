//! Intervals of a coefficient against an upper cut on an energy: JSON, and a table of the cuts.

use super::number::{Number, significant, with_uncertainty};
use super::reason::Reason;
use super::scan::ScanReport;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::eft::validity::Restricted;
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// Results from the bins below each cut. Bins that reach above it are left out, data and prediction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EftValidityReport {
    /// Ascending; the last one keeps all bins.
    pub cuts: Vec<CutEntry>,
    pub level: Number,
    pub notes: Vec<Reason>,
    /// What is cut.
    pub observable: String,
    pub parameter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// One cut.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CutEntry {
    pub best: Number,
    /// Null for no cut at all, where the last bins are overflow bins.
    pub cut: Option<Number>,
    /// Parameters that no bin is left to determine.
    pub held: Vec<String>,
    pub intervals: Vec<CutInterval>,
    pub n_dropped: usize,
    pub n_kept: usize,
    /// Why there is no result.
    pub reason: Option<Reason>,
    pub valid: bool,
}

/// The values of the parameter inside the level.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CutInterval {
    pub lower: Number,
    /// Why the interval has no lower end: it is open there.
    pub lower_open: Option<Reason>,
    pub upper: Number,
    pub upper_open: Option<Reason>,
}

impl CutEntry {
    pub fn new(model: &Model, restricted: &Restricted) -> CutEntry {
        let names = model.parameter_names();
        let report = restricted.scan.as_ref().map(|scan| ScanReport::new(model, &restricted.options, scan, false));
        let interval = |i: &super::region::ScanInterval| CutInterval {
            lower: i.lower.value,
            lower_open: i.lower.reason.clone(),
            upper: i.upper.value,
            upper_open: i.upper.reason.clone(),
        };
        let regions = report.iter().flat_map(|report| &report.intervals);
        CutEntry {
            best: report.as_ref().map_or(Number(f64::NAN), |report| report.best.value),
            cut: restricted.cut.is_finite().then_some(Number(restricted.cut)),
            held: restricted.held.iter().filter_map(|&i| names.get(i).cloned()).collect(),
            intervals: regions.flat_map(|region| &region.intervals).map(interval).collect(),
            n_dropped: restricted.n_dropped,
            n_kept: restricted.n_kept,
            valid: report.as_ref().is_some_and(|report| report.valid),
            reason: report.and_then(|report| report.reason),
        }
    }
}

impl EftValidityReport {
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let unit = self.unit.as_deref().filter(|unit| *unit != "1").map(text::label);
        let unit = unit.map(|unit| format!(" [{unit}]")).unwrap_or_default();
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("parameter", text::label(&self.parameter))
            .remark("level", significant(self.level.0, 4));
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        let columns = [
            Column::right(&format!("{} below{unit}", text::label(&self.observable))).key("cut"),
            Column::right("bins"),
            Column::right("best fit").key("best"),
            Column::left("intervals"),
            Column::left("").key("remark"),
        ];
        let mut table = Table::new("", columns);
        for entry in &self.cuts {
            table.add_row([
                entry.cut.map_or_else(|| Cell::text("no cut"), |cut| Cell::number(cut.0, 6)),
                Cell::count(entry.n_kept),
                Cell::number_as(entry.best.0, entry.rounded(entry.best.0)),
                Cell::text(entry.intervals_text()),
                Cell::text(entry.remark()),
            ]);
        }
        page.table(table)
    }
}

impl CutEntry {
    /// To a hundredth of what the intervals span.
    fn rounded(&self, value: f64) -> String {
        let ends = || self.intervals.iter().flat_map(|i| [i.lower.0, i.upper.0]);
        let span = ends().fold(f64::NEG_INFINITY, f64::max) - ends().fold(f64::INFINITY, f64::min);
        with_uncertainty(value, Some(0.02 * span)).0
    }

    fn intervals_text(&self) -> String {
        let text = |i: &CutInterval| {
            let (open, close) =
                (if i.lower_open.is_some() { '(' } else { '[' }, if i.upper_open.is_some() { ')' } else { ']' });
            format!("{open}{}, {}{close}", self.rounded(i.lower.0), self.rounded(i.upper.0))
        };
        self.intervals.iter().map(text).collect::<Vec<_>>().join(" and ")
    }

    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        if !self.valid {
            remarks.push(self.reason.as_ref().map_or("no bin is left", |reason| &reason.message).to_owned());
        }
        if !self.held.is_empty() {
            remarks.push(format!("held: {}", text::list(&self.held, 4)));
        }
        let open = self.intervals.iter().flat_map(|i| [&i.lower_open, &i.upper_open]).flatten();
        remarks.extend(open.map(|reason| reason.message.clone()));
        remarks.dedup();
        remarks.join("; ")
    }
}
