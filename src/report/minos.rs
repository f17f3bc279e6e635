//! Asymmetric uncertainties: JSON by parameter name, and a table.

use super::blind::Blinding;
use super::crossing;
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::region::ScanRegion;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{Crossing, FitOptions, Minos, MinosParameter, Side};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Likelihood intervals of single parameters around the best fit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MinosReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    /// How far −2 ln L rises above its minimum at the ends of the intervals.
    pub delta: Number,
    /// Probability of the intervals.
    pub level: Number,
    /// What else is worth knowing.
    pub notes: Vec<Reason>,
    /// By scalar parameter name; empty where the fit is not valid.
    pub parameters: BTreeMap<String, MinosEntry>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// −2 ln L at the best fit.
    pub twice_nll: Number,
    pub valid: bool,
}

/// The interval of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MinosEntry {
    pub best_fit: Number,
    pub lower: MinosSide,
    /// All values inside the level, of a coefficient to which samples respond: they may be several intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<ScanRegion>,
    /// The symmetric uncertainty from the Hessian.
    pub uncertainty: Number,
    pub upper: MinosSide,
}

/// One side of an interval; both numbers are null where there is a reason.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MinosSide {
    /// Distance from the best fit, negative on the lower side.
    pub error: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub value: Number,
}

impl MinosReport {
    /// The report of `minos`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, minos: &Minos) -> MinosReport {
        let names = model.parameter_names();
        let reason = minos.best.reason.as_ref().map(|f| Reason::of_failure(model, f, &options.init, &options.bounds));
        let entries = minos.parameters.iter().filter_map(|interval| {
            Some((names.get(interval.parameter)?.clone(), MinosEntry::new(model, options, minos, interval)))
        });
        MinosReport {
            blinding: Blinding::default(),
            delta: Number(minos.height),
            level: Number(minos.level),
            notes: minos.first_minimum.iter().map(|f| Reason::lower_minimum(f - minos.best.twice_nll)).collect(),
            parameters: entries.collect(),
            reason,
            twice_nll: Number(minos.best.twice_nll),
            valid: minos.best.valid,
        }
    }

    /// Says what was hidden.
    pub fn with_blinding(mut self, blinding: Blinding) -> Self {
        self.notes.extend(blinding.notes());
        self.blinding = blinding;
        self
    }

    /// How many sides are missing for another reason than a bound or the domain.
    pub fn n_failed(&self) -> usize {
        let sides = self.parameters.values().flat_map(|entry| [&entry.lower, &entry.upper]);
        let expected = |code: Code| matches!(code, Code::AtBound | Code::EndOfDomain | Code::Fixed);
        sides.filter(|side| side.reason.as_ref().is_some_and(|reason| !expected(reason.code))).count()
    }

    /// The remarks and one row a parameter, in the model's order.
    pub fn page(&self, model: &Model, file: &str, measurement: &str) -> Page {
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("twice_nll", fixed_point(self.twice_nll.0, 6))
            .remark("level", format!("{} (delta {})", significant(self.level.0, 6), significant(self.delta.0, 6)));
        if let Some(reason) = &self.reason {
            page = page.remark("reason", reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        for (name, entry) in &self.parameters {
            for region in entry.region.iter().filter(|region| region.intervals.len() > 1) {
                page = page.remark("several", format!("{}: {}", text::label(name), region.text(entry.uncertainty.0)));
            }
        }
        let mut table = Table::new(
            "",
            [
                Column::left("parameter"),
                Column::right("best fit").key("best_fit"),
                Column::left("± σ").key("uncertainty"),
                Column::right("−").key("error_lower"),
                Column::right("+").key("error_upper"),
                Column::right("from").key("lower"),
                Column::right("to").key("upper"),
                Column::left("").key("reason"),
            ],
        );
        for name in model.parameter_names() {
            if let Some(entry) = self.parameters.get(&name) {
                table.add_row(entry.cells(&name));
            }
        }
        page.table(table)
    }
}

impl MinosEntry {
    fn new(model: &Model, options: &FitOptions, minos: &Minos, interval: &MinosParameter) -> MinosEntry {
        let at = interval.parameter;
        let best = minos.best.parameters.get(at).copied().unwrap_or(f64::NAN);
        let uncertainty = minos.best.uncertainties.as_ref().and_then(|u| u.get(at)).copied().unwrap_or(f64::NAN);
        let side = |side: &Side| {
            let value = if let Side::Searched(Crossing::At(value)) = side { *value } else { f64::NAN };
            let reason = match side {
                Side::Searched(crossing) => crossing::reason(model, options, at, minos.height, crossing),
                Side::Fixed => Some(Reason::new(Code::Fixed, "the parameter does not move in the fit")),
                Side::Stopped => Some(Reason::new(Code::Stopped, "stopped before this was computed")),
            };
            MinosSide { error: Number(value - best), reason, value: Number(value) }
        };
        MinosEntry {
            best_fit: Number(best),
            lower: side(&interval.lower),
            region: interval.region.as_ref().map(|region| ScanRegion::new(model, options, at, region)),
            uncertainty: Number(uncertainty),
            upper: side(&interval.upper),
        }
    }

    fn cells(&self, name: &str) -> [Cell; 8] {
        let (best, sigma) = (self.best_fit.0, self.uncertainty.0);
        let errors = [&self.lower, &self.upper].map(|side| side.error.0);
        // Digits by the smallest of the uncertainties.
        let smallest = errors.iter().map(|e| e.abs()).chain([sigma]).filter(|e| *e > 0.0).fold(f64::INFINITY, f64::min);
        let rounded = |value: f64| match (value.is_finite(), smallest.is_finite()) {
            (true, true) => Cell::number_as(value, with_uncertainty(value, Some(smallest)).0),
            (true, false) => Cell::number(value, 6),
            (false, _) => Cell::empty(),
        };
        let sigma_cell = match sigma > 0.0 {
            true => Cell::number_as(sigma, format!("± {}", with_uncertainty(sigma, Some(smallest.min(sigma))).0)),
            false => Cell::empty(),
        };
        let reasons = [&self.lower, &self.upper].map(|side| side.reason.as_ref());
        let why = match reasons {
            [Some(a), Some(b)] if a.code == Code::Fixed && b.code == Code::Fixed => "fixed".to_owned(),
            [a, b] => [("lower", a), ("upper", b)]
                .iter()
                .filter_map(|(side, reason)| reason.map(|r| format!("{side}: {}", r.message)))
                .collect::<Vec<_>>()
                .join("; "),
        };
        [
            Cell::name(name),
            rounded(best),
            sigma_cell,
            rounded(errors[0]),
            rounded(errors[1]),
            rounded(self.lower.value.0),
            rounded(self.upper.value.0),
            Cell::text(why),
        ]
    }
}
