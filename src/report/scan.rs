//! Profile scans along one parameter: JSON, and a table of the points.

use super::blind::Blinding;
use super::crossing;
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{End, FitOptions, FitResult, Region, Scan, ScanPoint};
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
    /// What else is worth knowing.
    pub notes: Vec<Reason>,
    /// Scalar name.
    pub parameter: String,
    /// Ascending; empty where the fit is not valid.
    pub points: Vec<ScanEntry>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// Of the fit; points have their own.
    pub valid: bool,
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
    /// −2 Δ ln L; null without a minimum.
    pub delta_twice_nll: Number,
    /// Why there is no minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub valid: bool,
    pub value: Number,
}

/// The values of the parameter at which −2 Δ ln L is not above `delta`: one interval, or several apart.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanRegion {
    pub delta: Number,
    pub intervals: Vec<ScanInterval>,
    pub level: Number,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanInterval {
    pub lower: ScanEnd,
    pub upper: ScanEnd,
}

/// Where an interval ends, or the last value known to lie inside, with the reason why no end was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanEnd {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub value: Number,
}

impl ScanReport {
    /// The report of `scan`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, scan: &Scan, fast_scan: bool) -> ScanReport {
        let names = model.parameter_names();
        let failure = |f: &_| Reason::of_failure(model, f, &options.init, &options.bounds);
        let point = |point: &ScanPoint| ScanEntry {
            delta_twice_nll: Number(point.height),
            reason: point.reason.as_ref().map(failure),
            valid: point.reason.is_none(),
            value: Number(point.value),
        };
        let end = |region: &Region, end: &End| ScanEnd {
            reason: crossing::reason(model, options, scan.parameter, region.height, &end.crossing),
            value: Number(end.value),
        };
        let region = |region: &Region| ScanRegion {
            delta: Number(region.height),
            intervals: region
                .intervals
                .iter()
                .map(|i| ScanInterval { lower: end(region, &i.lower), upper: end(region, &i.upper) })
                .collect(),
            level: Number(region.level),
        };
        ScanReport {
            blinding: Blinding::default(),
            best: ScanBest::new(&scan.best, scan.parameter),
            fast_scan,
            intervals: scan.regions.iter().map(region).collect(),
            notes: notes(scan.first_minimum, scan.best.twice_nll, scan.stopped),
            parameter: names.get(scan.parameter).cloned().unwrap_or_default(),
            points: scan.points.iter().map(point).collect(),
            reason: scan.best.reason.as_ref().map(failure),
            valid: scan.best.valid,
        }
    }

    /// Says what was hidden.
    pub fn with_blinding(mut self, blinding: Blinding) -> Self {
        self.notes.extend(blinding.notes());
        self.blinding = blinding;
        self
    }

    /// How many points have no minimum, and how many ends of intervals failed.
    pub fn n_failed(&self) -> (usize, usize) {
        let intervals = self.intervals.iter().flat_map(|region| &region.intervals);
        let ends = intervals.flat_map(|interval| [&interval.lower, &interval.upper]);
        let expected = |code: Code| matches!(code, Code::AtBound | Code::EndOfDomain);
        let failed = ends.filter(|end| end.reason.as_ref().is_some_and(|reason| !expected(reason.code)));
        (self.points.iter().filter(|point| !point.valid).count(), failed.count())
    }

    /// The remarks, intervals, and one row a point.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let (best, sigma) = with_uncertainty(self.best.value.0, Some(self.best.uncertainty.0));
        let fast = if self.fast_scan { ", all other parameters held" } else { "" };
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("parameter", format!("{}{fast}", text::label(&self.parameter)))
            .remark("best fit", if sigma.is_empty() { best } else { format!("{best} ± {sigma}") })
            .remark("twice_nll", fixed_point(self.best.twice_nll.0, 6));
        for region in &self.intervals {
            let intervals: Vec<String> = region.intervals.iter().map(|i| i.text(self.best.uncertainty.0)).collect();
            let label = format!("{} (delta {})", significant(region.level.0, 6), significant(region.delta.0, 6));
            page = page.remark("interval", format!("{label}: {}", intervals.join(" and ")));
            for end in region.intervals.iter().flat_map(|i| [&i.lower, &i.upper]) {
                if let Some(reason) = &end.reason {
                    page = page.remark("open", reason.message.clone());
                }
            }
        }
        if let Some(reason) = &self.reason {
            page = page.remark("reason", reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        let mut table = Table::new(
            "",
            [Column::right("value"), Column::right("−2 Δ ln L").key("delta_twice_nll"), Column::left("").key("reason")],
        );
        for point in &self.points {
            let reason = point.reason.as_ref().map(|r| r.message.clone()).unwrap_or_default();
            let height = point.delta_twice_nll.0;
            let height =
                if height.is_finite() { Cell::number_as(height, fixed_point(height, 4)) } else { Cell::empty() };
            table.add_row([Cell::number(point.value.0, 6), height, Cell::text(reason)]);
        }
        page.table(table)
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

impl ScanInterval {
    /// `[0.9, 1.4]`, with a round bracket where no end was found.
    fn text(&self, sigma: f64) -> String {
        let rounded = |end: &ScanEnd| with_uncertainty(end.value.0, Some(0.1 * sigma)).0;
        let brackets =
            (if self.lower.reason.is_some() { '(' } else { '[' }, if self.upper.reason.is_some() { ')' } else { ']' });
        format!("{}{}, {}{}", brackets.0, rounded(&self.lower), rounded(&self.upper), brackets.1)
    }
}

/// What is worth knowing about a scan besides its points.
pub(super) fn notes(first_minimum: Option<f64>, best: f64, stopped: bool) -> Vec<Reason> {
    let lower = first_minimum.map(|first| Reason::lower_minimum(first - best));
    let stopped = stopped.then(|| Reason::new(Code::Stopped, "stopped before all points were computed"));
    lower.into_iter().chain(stopped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_have_round_brackets() {
        let end = |value: f64, reason| ScanEnd { reason, value: Number(value) };
        let open = Some(Reason::new(Code::AtBound, "at its bound"));
        let interval = ScanInterval { lower: end(0.0, open), upper: end(1.23456, None) };
        // A tenth of σ to two digits: 0.010.
        assert_eq!(interval.text(0.1), "(0.000, 1.235]");
    }
}
