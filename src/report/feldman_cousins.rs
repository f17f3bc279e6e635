//! The report of intervals by toys.

use super::hypotest::remarks;
use super::number::{Number, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::FitOptions;
use crate::infer::feldman_cousins::{AcceptedEnd, EndKind, FeldmanCousins, FeldmanCousinsOptions, FeldmanCousinsPoint};
use crate::infer::toy_hypotest::NoToys;
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// Values of the POI that toys accept.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FeldmanCousinsReport {
    pub best_fit: Number,
    pub confidence_level: Number,
    /// Connected parts, ascending.
    pub intervals: Vec<IntervalReport>,
    /// Ascending.
    pub points: Vec<PointReport>,
    pub poi: String,
    /// Why there is no result at all.
    pub reason: Option<Reason>,
    pub seed: u64,
    pub valid: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IntervalReport {
    pub high: EndReport,
    pub low: EndReport,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EndReport {
    /// What ends the interval: a `crossing`; a `bound` of the POI, which is accepted; `open`, the last tested value is
    /// accepted; `failed`, the next value could not be tested.
    pub kind: EndName,
    /// From the number of toys and the distance of the tested values.
    pub uncertainty: Number,
    pub value: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndName {
    Crossing,
    Bound,
    Open,
    Failed,
}

/// One tested value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PointReport {
    /// What the confidence level of the toys does not exceed.
    pub critical_t: Number,
    pub failed: u64,
    /// Toys that are at least as far as the data.
    pub p_value: Number,
    pub poi_test: Number,
    pub reason: Option<Reason>,
    /// −2 Δ ln L of the observed data.
    pub t: Number,
    pub toys: u64,
    pub uncertainty: Number,
}

impl FeldmanCousinsReport {
    pub fn new(
        model: &Model,
        fit: &FitOptions,
        poi: usize,
        seed: u64,
        options: &FeldmanCousinsOptions,
        result: &Result<FeldmanCousins, NoToys>,
    ) -> FeldmanCousinsReport {
        let found = result.as_ref().ok();
        let points = found.map_or(&[][..], |f| &f.points);
        let intervals = found.map_or(&[][..], |f| &f.intervals);
        let reason = match result {
            Err(failure) => Some(Reason::of_no_toys(model, failure, fit)),
            Ok(_) if points.len() < options.values.len() => {
                Some(Reason::new(Code::Stopped, "the run was stopped before all values were tested"))
            }
            Ok(_) if points.iter().any(|point| point.outcome.is_err()) => {
                Some(Reason::new(Code::NotFound, "some values could not be tested"))
            }
            Ok(_) => None,
        };
        let interval = |i: &crate::infer::feldman_cousins::AcceptedInterval| IntervalReport {
            low: EndReport::from(i.low),
            high: EndReport::from(i.high),
        };
        FeldmanCousinsReport {
            best_fit: Number(found.map_or(f64::NAN, |f| f.best_fit)),
            confidence_level: Number(options.level),
            intervals: intervals.iter().map(interval).collect(),
            points: points.iter().map(|point| PointReport::new(model, fit, point, options.level)).collect(),
            poi: model.parameter_names().get(poi).cloned().unwrap_or_default(),
            valid: reason.is_none(),
            reason,
            seed,
        }
    }

    /// The level and its intervals, digits by an uncertainty.
    pub(super) fn text(&self, sigma: f64) -> String {
        let rounded = |end: &EndReport| with_uncertainty(end.value.0, Some(0.1 * sigma.max(end.uncertainty.0))).0;
        let bracket = |end: &EndReport, closed, open| if end.kind == EndName::Crossing { closed } else { open };
        let interval = |i: &IntervalReport| {
            let (left, right) = (bracket(&i.low, '[', '('), bracket(&i.high, ']', ')'));
            format!("{left}{}, {}{right}", rounded(&i.low), rounded(&i.high))
        };
        let intervals: Vec<String> = self.intervals.iter().map(interval).collect();
        let none = self.reason.as_ref().map_or("nothing accepted", |reason| reason.message.as_str());
        let intervals = if intervals.is_empty() { none.to_owned() } else { intervals.join(" and ") };
        format!("{}: {intervals}", significant(self.confidence_level.0, 6))
    }

    pub fn page(&self) -> Page {
        let poi = text::label(&self.poi);
        let mut page = Page::new().remark("best fit", format!("{poi} = {}", significant(self.best_fit.0, 6)));
        let level = format!("{} %", significant(100.0 * self.confidence_level.0, 6));
        page = page.remark("level", level).remark("seed", self.seed.to_string());
        page = remarks(page, self.valid, self.reason.as_ref(), &[]);
        let titles = [("from", "low"), ("±", "low_uncertainty"), ("", "low_kind")];
        let ends = [("to", "high"), ("±", "high_uncertainty"), ("", "high_kind")];
        let columns = titles.iter().chain(&ends).map(|(title, key)| Column::right(title).key(key));
        let mut intervals = Table::new("", columns.collect::<Vec<_>>());
        for interval in &self.intervals {
            let cells = [&interval.low, &interval.high].into_iter().flat_map(EndReport::cells);
            intervals.add_row(cells.collect::<Vec<_>>());
        }
        let columns =
            [("", "poi_test"), ("t", "t"), ("critical t", "critical_t"), ("p", "p_value"), ("±", "uncertainty")];
        let columns =
            columns.iter().map(|&(title, key)| Column::right(if key == "poi_test" { &poi } else { title }).key(key));
        let mut points = Table::new("", columns.collect::<Vec<_>>());
        for point in &self.points {
            let shown = [point.poi_test, point.t, point.critical_t, point.p_value, point.uncertainty];
            points.add_row(shown.map(|x| Cell::number(x.0, 4)));
        }
        page.table(intervals).table(points)
    }
}

impl From<AcceptedEnd> for EndReport {
    fn from(end: AcceptedEnd) -> EndReport {
        let kind = match end.kind {
            EndKind::Crossing => EndName::Crossing,
            EndKind::Bound => EndName::Bound,
            EndKind::Open => EndName::Open,
            EndKind::Failed => EndName::Failed,
        };
        EndReport { kind, uncertainty: Number(end.uncertainty), value: Number(end.value) }
    }
}

impl EndReport {
    fn cells(&self) -> [Cell; 3] {
        let kind = match self.kind {
            EndName::Crossing => "",
            EndName::Bound => "bound",
            EndName::Open => "open",
            EndName::Failed => "not tested beyond",
        };
        [Cell::number(self.value.0, 5), Cell::number(self.uncertainty.0, 2), Cell::text(kind)]
    }
}

impl PointReport {
    fn new(model: &Model, fit: &FitOptions, point: &FeldmanCousinsPoint, level: f64) -> PointReport {
        let outcome = point.outcome.as_ref();
        let number =
            |f: &dyn Fn(&crate::infer::feldman_cousins::PointOutcome) -> f64| Number(outcome.map_or(f64::NAN, f));
        PointReport {
            critical_t: number(&|o| o.critical(level)),
            failed: outcome.map_or(0, |o| o.fraction.n_failed),
            p_value: number(&|o| o.fraction.p()),
            poi_test: Number(point.value),
            reason: outcome.err().map(|failure| Reason::of_no_toys(model, failure, fit)),
            t: number(&|o| o.observed),
            toys: outcome.map_or(0, |o| o.fraction.n),
            uncertainty: number(&|o| o.fraction.uncertainty()),
        }
    }
}
