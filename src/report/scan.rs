//! Profile scans along one parameter: JSON, and a table of the points.

use super::blind::Blinding;
use super::certificate::{CertificateReport, mark};
use super::feldman_cousins::FeldmanCousinsReport;
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::region::ScanRegion;
use super::sensitivity::{self, SensitivityReport};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{FitOptions, FitResult, Region, Scan, ScanPoint};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// The profile likelihood along one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    pub best: ScanBest,
    /// All other parameters were held at their best values.
    pub fast_scan: bool,
    /// The values inside each level, within the parameter's bounds.
    pub intervals: Vec<ScanRegion>,
    /// The minima of the whole likelihood from which the curve was continued, the best one first.
    pub minima: Vec<ScanMinimum>,
    /// What else is worth knowing.
    pub notes: Vec<Reason>,
    /// Scalar name.
    pub parameter: String,
    /// Ascending; empty where the fit is not valid.
    pub points: Vec<ScanEntry>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// Of a coefficient to which samples respond; null for other parameters.
    pub sensitivity: Option<SensitivityReport>,
    /// Intervals by toys, one entry a level, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub toys: Vec<FeldmanCousinsReport>,
    /// Of the fit; points have their own.
    pub valid: bool,
}

/// Minima that a table tells, at most.
const MOST_TOLD: usize = 8;

/// Profiles of several parameters, each by itself, from one fit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScansReport {
    /// In fit order.
    pub scans: Vec<ScanReport>,
}

/// The minimum to which heights refer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanBest {
    pub twice_nll: Number,
    /// From the Hessian.
    pub uncertainty: Number,
    pub value: Number,
}

/// One value of the parameter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanEntry {
    /// Of a minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateReport>,
    /// −2 Δ ln L; null without a minimum.
    pub delta_twice_nll: Number,
    /// Why there is no minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub valid: bool,
    pub value: Number,
}

/// A minimum of the whole likelihood from which the curve was continued.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanMinimum {
    pub delta_twice_nll: Number,
    pub value: Number,
}

impl ScanReport {
    /// The report of `scan`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, scan: &Scan, fast_scan: bool) -> ScanReport {
        let names = model.parameter_names();
        let failure = |f: &_| Reason::of_failure(model, f, &options.init, &options.bounds);
        let point = |point: &ScanPoint| ScanEntry {
            certificate: point.certificate.as_ref().map(|c| CertificateReport::new(&names, c)),
            delta_twice_nll: Number(point.height),
            reason: point.reason.as_ref().map(failure),
            valid: point.reason.is_none(),
            value: Number(point.value),
        };
        let region = |region: &Region| ScanRegion::new(model, options, scan.parameter, region);
        let minimum =
            |&(value, height): &(f64, f64)| ScanMinimum { delta_twice_nll: Number(height), value: Number(value) };
        let mut notes = notes(scan.first_minimum, scan.best.twice_nll, scan.stopped);
        notes.extend(Reason::without_effect(&names, &scan.without_effect));
        notes.extend(sensitivity::remark(model, scan.parameter, scan.sensitivity.as_ref()));
        ScanReport {
            blinding: Blinding::default(),
            best: ScanBest::new(&scan.best, scan.parameter),
            fast_scan,
            intervals: scan.regions.iter().map(region).collect(),
            minima: scan.minima.iter().map(minimum).collect(),
            notes,
            parameter: names.get(scan.parameter).cloned().unwrap_or_default(),
            points: scan.points.iter().map(point).collect(),
            reason: scan.best.reason.as_ref().map(failure),
            sensitivity: scan.sensitivity.as_ref().map(SensitivityReport::new),
            toys: Vec::new(),
            valid: scan.best.valid,
        }
    }

    /// With intervals by toys beside the asymptotic ones.
    pub fn with_toys(self, toys: Vec<FeldmanCousinsReport>) -> Self {
        ScanReport { toys, ..self }
    }

    /// Says what was hidden.
    pub fn with_blinding(mut self, blinding: Blinding) -> Self {
        self.notes.extend(blinding.notes());
        self.blinding = blinding;
        self
    }

    /// How many points have no minimum, and how many ends of intervals failed.
    pub fn n_failed(&self) -> (usize, usize) {
        let ends = self.intervals.iter().map(ScanRegion::n_failed).sum();
        (self.points.iter().filter(|point| !point.valid).count(), ends)
    }

    /// What ends of intervals are rounded to: the uncertainty, or where regions are narrower than that, as after a fit on a
    /// flat place, half their width.
    fn digits(&self) -> f64 {
        let widths = self.intervals.iter().flat_map(|region| &region.intervals);
        let halves = widths.map(|interval| 0.5 * (interval.upper.value.0 - interval.lower.value.0));
        halves.filter(|half| *half > 0.0).fold(self.best.uncertainty.0, f64::min)
    }

    /// The remarks, intervals, and one row a point.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let page = Page::new().remark("file", text::escape(file)).remark("measurement", text::label(measurement));
        self.added_to(page, "")
    }

    /// What belongs to this scan, with a title for its points.
    fn added_to(&self, page: Page, title: &str) -> Page {
        let (best, sigma) = with_uncertainty(self.best.value.0, Some(self.best.uncertainty.0));
        let fast = if self.fast_scan { ", all other parameters held" } else { "" };
        let mut page = page
            .remark("parameter", format!("{}{fast}", text::label(&self.parameter)))
            .remark("best fit", if sigma.is_empty() { best } else { format!("{best} ± {sigma}") })
            .remark("twice_nll", fixed_point(self.best.twice_nll.0, 6));
        if self.minima.len() > 1 {
            let minimum =
                |m: &ScanMinimum| format!("{} ({})", significant(m.value.0, 4), fixed_point(m.delta_twice_nll.0, 3));
            let more = if self.minima.len() > MOST_TOLD { ", …" } else { "" };
            let minima: Vec<String> = self.minima.iter().take(MOST_TOLD).map(minimum).collect();
            page = page.remark("minima", format!("{}{more}, −2 Δ ln L in brackets", minima.join(", ")));
        }
        let digits = self.digits();
        for region in &self.intervals {
            page = region.remarks(page, digits);
        }
        for toys in &self.toys {
            page = page.remark("by toys", toys.text(digits));
        }
        if let Some(sensitivity) = &self.sensitivity {
            page = page.remark("linear to quadratic", sensitivity.text());
        }
        if let Some(reason) = &self.reason {
            page = page.remark("reason", reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        let mut table = Table::new(
            title,
            [Column::right("value"), Column::right("−2 Δ ln L").key("delta_twice_nll"), Column::left("").key("reason")],
        );
        for point in &self.points {
            let reason = point.reason.as_ref().map(|r| r.message.clone());
            let reason = reason.unwrap_or_else(|| mark(point.certificate.as_ref()).to_owned());
            let height = point.delta_twice_nll.0;
            let height =
                if height.is_finite() { Cell::number_as(height, fixed_point(height, 4)) } else { Cell::empty() };
            table.add_row([Cell::number(point.value.0, 6), height, Cell::text(reason)]);
        }
        page.table(table)
    }
}

impl ScansReport {
    /// The remarks of all scans, and a table of each.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let page = Page::new().remark("file", text::escape(file)).remark("measurement", text::label(measurement));
        self.scans.iter().fold(page, |page, scan| scan.added_to(page, &text::label(&scan.parameter)))
    }
}

impl ScanBest {
    fn new(best: &FitResult, parameter: usize) -> ScanBest {
        let uncertainty = best.uncertainties.as_ref().and_then(|u| u.get(parameter)).copied();
        ScanBest {
            twice_nll: Number(best.twice_nll),
            uncertainty: Number(uncertainty.unwrap_or(f64::NAN)),
            value: Number(best.parameters.get(parameter).copied().unwrap_or(f64::NAN)),
        }
    }
}

/// What is worth knowing about a scan besides its points.
pub(super) fn notes(first_minimum: Option<f64>, best: f64, stopped: bool) -> Vec<Reason> {
    let lower = first_minimum.map(|first| Reason::lower_minimum(first - best));
    let stopped = stopped.then(|| Reason::new(Code::Stopped, "stopped before all points were computed"));
    lower.into_iter().chain(stopped).collect()
}
