//! Intervals of Wilson coefficients by truncation: JSON, and a table with one row a set of intervals.

use super::intervals_head::IntervalsHead;
use super::number::{Number, with_uncertainty};
use super::reason::{Code, Reason};
use super::region::ScanRegion;
use super::scan;
use super::sensitivity::{self, SensitivityReport};
use super::table::{Cell, Column, Page, Table};
use crate::infer::FitOptions;
use crate::infer::coefficients::Intervals;
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// Intervals of coefficients with linear, quadratic and the document's own truncation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompareReport {
    #[serde(flatten)]
    pub head: IntervalsHead,
    pub coefficients: Vec<CoefficientReport>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CoefficientReport {
    pub bounds: [Number; 2],
    pub name: String,
    pub truncations: Vec<TruncationReport>,
}

/// What one truncation says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TruncationReport {
    /// All other coefficients at their start.
    pub individual: IntervalsReport,
    /// The order of `order`; null for the others.
    pub max_np_order: Option<u32>,
    /// All other coefficients profiled.
    pub profiled: IntervalsReport,
    pub truncation: TruncationName,
    /// The channel or measurement that was left out; null where all data are in.
    pub without: Option<String>,
}

/// Where all responses end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TruncationName {
    /// At the first order in 1/Λ², or before.
    Linear,
    /// At the second.
    Quadratic,
    /// At the order that was asked for.
    Order,
    /// As the document says.
    Document,
}

/// A coefficient's intervals, one region a level.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IntervalsReport {
    pub best_fit: Number,
    /// One entry a level; empty where the fit is not valid.
    pub intervals: Vec<ScanRegion>,
    /// What else is worth knowing.
    pub notes: Vec<Reason>,
    /// Why there are no intervals; null where there are.
    pub reason: Option<Reason>,
    pub sensitivity: Option<SensitivityReport>,
    pub twice_nll: Number,
    /// From the Hessian.
    pub uncertainty: Number,
    pub valid: bool,
}

impl IntervalsReport {
    /// The report of `found`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, coefficient: usize, found: &Intervals) -> IntervalsReport {
        let Intervals::Found(scan) = found else { return IntervalsReport::idle() };
        let best = &scan.best;
        let at =
            |values: Option<&Vec<f64>>| Number(values.and_then(|v| v.get(coefficient)).copied().unwrap_or(f64::NAN));
        let mut notes = scan::notes(scan.first_minimum, best.twice_nll, scan.stopped);
        notes.extend(sensitivity::remark(model, coefficient, scan.sensitivity.as_ref()));
        let failure = |f: &_| Reason::of_failure(model, f, &options.init, &options.bounds);
        IntervalsReport {
            best_fit: at(Some(&best.parameters)),
            intervals: scan.regions.iter().map(|r| ScanRegion::new(model, options, coefficient, r)).collect(),
            notes,
            reason: best.reason.as_ref().map(failure),
            sensitivity: scan.sensitivity.as_ref().map(SensitivityReport::new),
            twice_nll: Number(best.twice_nll),
            uncertainty: at(best.uncertainties.as_ref()),
            valid: best.valid,
        }
    }

    fn idle() -> IntervalsReport {
        let message = "the coefficient changes no yield at this truncation";
        let none = Number(f64::NAN);
        IntervalsReport {
            best_fit: none,
            intervals: Vec::new(),
            notes: Vec::new(),
            reason: Some(Reason::new(Code::FlatDirections, message)),
            sensitivity: None,
            twice_nll: none,
            uncertainty: none,
            valid: false,
        }
    }

    /// A coefficient without an effect has no intervals, and nothing has failed.
    pub(super) fn failed(&self) -> bool {
        let no_effect = |reason: &Reason| reason.code == Code::FlatDirections && self.best_fit.0.is_nan();
        let idle = self.reason.as_ref().is_some_and(no_effect);
        let missing = self.valid && self.intervals.is_empty();
        (!self.valid && !idle) || missing || self.intervals.iter().any(|region| region.n_failed() > 0)
    }

    pub(super) fn cells(&self, first: Vec<Cell>, n_levels: usize) -> Vec<Cell> {
        let widths = self.intervals.iter().flat_map(|region| &region.intervals);
        let halves = widths.map(|i| 0.5 * (i.upper.value.0 - i.lower.value.0)).filter(|half| *half > 0.0);
        let digits = halves.fold(self.uncertainty.0, f64::min);
        let best = match self.best_fit.0.is_finite() {
            true => Cell::number_as(self.best_fit.0, with_uncertainty(self.best_fit.0, Some(0.1 * digits)).0),
            false => Cell::empty(),
        };
        let mut cells = first;
        cells.push(best);
        cells.extend(
            (0..n_levels).map(|k| self.intervals.get(k).map_or_else(Cell::empty, |region| region.cell(digits))),
        );
        let ratio = self.sensitivity.as_ref().map_or_else(Cell::empty, SensitivityReport::cell);
        cells.extend([ratio, Cell::text(self.remark())]);
        cells
    }

    fn remark(&self) -> String {
        if let Some(reason) = &self.reason {
            return reason.message.clone();
        }
        let mut remarks = Vec::new();
        if self.intervals.iter().flat_map(ScanRegion::ends).any(|end| end.open_at_bound) {
            remarks.push("open at bound");
        }
        if self.intervals.iter().any(|region| region.bridge_crosses_level) {
            remarks.push("bridge crosses level");
        }
        if self.notes.iter().any(|note| note.code == Code::QuadraticDependence) {
            remarks.push("χ² not trusted");
        }
        remarks.join(", ")
    }
}

impl TruncationReport {
    fn label(&self) -> String {
        match (self.truncation, self.max_np_order) {
            (TruncationName::Linear, _) => "linear".to_owned(),
            (TruncationName::Quadratic, _) => "quadratic".to_owned(),
            (TruncationName::Order, Some(order)) => format!("order {order}"),
            (TruncationName::Order, None) => "order".to_owned(),
            (TruncationName::Document, _) => "document".to_owned(),
        }
    }
}

impl CompareReport {
    fn sets(&self) -> impl Iterator<Item = (&str, &TruncationReport, &str, &IntervalsReport)> {
        self.coefficients.iter().flat_map(|coefficient| {
            coefficient.truncations.iter().flat_map(|of| {
                let name = coefficient.name.as_str();
                [(name, of, "held", &of.individual), (name, of, "profiled", &of.profiled)]
            })
        })
    }

    /// How many sets of intervals are missing or have ends that were not found.
    pub fn n_failed(&self) -> usize {
        self.sets().filter(|(_, _, _, set)| set.failed()).count()
    }

    /// One row a set of intervals.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let parts = self.coefficients.iter().flat_map(|c| &c.truncations).any(|of| of.without.is_some());
        let mut first = vec![Column::left("coefficient"), Column::left("truncation")];
        first.extend(parts.then(|| Column::left("without")));
        first.push(Column::left("others"));
        let mut table = Table::new("", self.head.columns(first));
        for (name, of, others, set) in self.sets() {
            let mut first = vec![Cell::name(name), Cell::text(of.label())];
            first.extend(parts.then(|| of.without.as_deref().map_or_else(Cell::empty, Cell::name)));
            first.push(Cell::text(others));
            table.add_row(set.cells(first, self.head.levels.len()));
        }
        self.head.page(file, measurement).table(table)
    }
}
