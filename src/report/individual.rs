//! Individual, profiled and marginalised-Gaussian intervals of Wilson coefficients side by side.

use super::coefficients::IntervalsReport;
use super::intervals_head::IntervalsHead;
use super::number::{Number, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{FitOptions, FitResult};
use crate::model::Model;
use crate::normal::chi2_quantile;
use schemars::JsonSchema;
use serde::Serialize;

/// Three kinds of intervals for each coefficient.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IndividualReport {
    #[serde(flatten)]
    pub head: IntervalsHead,
    pub coefficients: Vec<IndividualEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IndividualEntry {
    pub bounds: [Number; 2],
    /// From the inverse of the Hessian at the best fit, all other parameters marginalised.
    pub gaussian: GaussianReport,
    /// All other coefficients at their start, nuisance parameters profiled.
    pub individual: IntervalsReport,
    pub name: String,
    /// All other parameters profiled.
    pub profiled: IntervalsReport,
}

/// ĉ ± k σ, not ended at the bounds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GaussianReport {
    pub best_fit: Number,
    /// One entry a level; empty where there is no uncertainty.
    pub intervals: Vec<GaussianInterval>,
    /// Why there are no intervals, or what is wrong with them; null where nothing is.
    pub reason: Option<Reason>,
    pub uncertainty: Number,
    pub valid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GaussianInterval {
    pub level: Number,
    pub lower: Number,
    pub upper: Number,
}

impl GaussianReport {
    /// Of one coefficient of a fit in which the coefficients `idle` were held.
    pub fn new(
        model: &Model,
        options: &FitOptions,
        (fit, idle): (&FitResult, &[usize]),
        coefficient: usize,
        levels: &[f64],
    ) -> GaussianReport {
        let best = fit.parameters.get(coefficient).copied().unwrap_or(f64::NAN);
        let sigma = fit.uncertainties.as_ref().and_then(|all| all.get(coefficient)).copied().unwrap_or(f64::NAN);
        let reason = match &fit.reason {
            Some(failure) => Some(Reason::of_failure(model, failure, &options.init, &options.bounds)),
            None if idle.contains(&coefficient) => {
                Some(Reason::new(Code::FlatDirections, "the coefficient changes no yield"))
            }
            None if !fit.plateau.is_empty() => Some(Reason::plateau(&model.parameter_names(), &fit.plateau)),
            None if !(sigma.is_finite() && sigma > 0.0) => {
                Some(Reason::new(Code::NotFinite, "the Hessian gives no uncertainty"))
            }
            None if !fit.at_limit.is_empty() => {
                let names = model.parameter_names();
                let names: Vec<&str> = fit.at_limit.iter().filter_map(|&i| names.get(i)).map(String::as_str).collect();
                // Where the Hessian is not positive definite with them, they are left out of it.
                let of = |i: &usize| fit.uncertainties.as_ref().and_then(|all| all.get(*i)).copied();
                let are_held = fit.at_limit.iter().any(|i| of(i).is_none_or(f64::is_nan));
                let meaning = if are_held { "held there" } else { "free to pass it in this interval" };
                let message = format!("parameters at a bound are {meaning}: {}", text::list(&names, 6));
                Some(Reason::new(Code::AtBound, message))
            }
            None => None,
        };
        let valid = reason.as_ref().is_none_or(|reason| reason.code == Code::AtBound);
        let interval = |&level: &f64| {
            let half = sigma * chi2_quantile(level, 1).sqrt();
            GaussianInterval { level: Number(level), lower: Number(best - half), upper: Number(best + half) }
        };
        GaussianReport {
            best_fit: Number(if valid { best } else { f64::NAN }),
            intervals: if valid { levels.iter().map(interval).collect() } else { Vec::new() },
            reason,
            uncertainty: Number(if valid { sigma } else { f64::NAN }),
            valid,
        }
    }

    fn failed(&self) -> bool {
        let known = |reason: &Reason| matches!(reason.code, Code::FlatDirections | Code::Plateau);
        !self.valid && !self.reason.as_ref().is_some_and(known)
    }

    fn cells(&self, name: &str, n_levels: usize) -> Vec<Cell> {
        let mut cells = vec![Cell::name(name), Cell::text("Gaussian")];
        let digits = |value: f64| with_uncertainty(value, Some(0.1 * self.uncertainty.0)).0;
        cells.push(match self.valid {
            true => Cell::number_as(self.best_fit.0, digits(self.best_fit.0)),
            false => Cell::empty(),
        });
        let interval = |i: &GaussianInterval| {
            let shown = format!("[{}, {}]", digits(i.lower.0), digits(i.upper.0));
            Cell::pair(shown, format!("[{:?}, {:?}]", i.lower.0, i.upper.0))
        };
        cells.extend((0..n_levels).map(|k| self.intervals.get(k).map_or_else(Cell::empty, interval)));
        let remark = self.reason.as_ref().map(|reason| reason.message.clone()).unwrap_or_default();
        cells.extend([Cell::empty(), Cell::text(remark)]);
        cells
    }
}

impl IndividualReport {
    /// How many sets of intervals are missing or have ends that were not found.
    pub fn n_failed(&self) -> usize {
        let of_entry = |entry: &IndividualEntry| {
            usize::from(entry.individual.failed())
                + usize::from(entry.profiled.failed())
                + usize::from(entry.gaussian.failed())
        };
        self.coefficients.iter().map(of_entry).sum()
    }

    /// Three rows a coefficient.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let first = vec![Column::left("coefficient"), Column::left("others")];
        let (mut table, n_levels) = (Table::new("", self.head.columns(first)), self.head.levels.len());
        for entry in &self.coefficients {
            for (others, set) in [("held", &entry.individual), ("profiled", &entry.profiled)] {
                table.add_row(set.cells(vec![Cell::name(&entry.name), Cell::text(others)], n_levels));
            }
            table.add_row(entry.gaussian.cells(&entry.name, n_levels));
        }
        self.head.page(file, measurement).table(table)
    }
}
