//! The result of a fit: JSON with pyhf's keys, and a table with uncertainties, pulls and marks.

use super::by_name::{ByName, by_name};
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{self, Column};
use super::text;
use crate::infer::{FitOptions, FitResult, Hesse};
use crate::model::{Constraint, Model};
use schemars::JsonSchema;
use serde::Serialize;

/// The result of one fit. Maps by name hold one value a scalar parameter; numbers that are not finite are null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitReport {
    /// Scalar names of free parameters that end on a bound.
    pub at_limit: Vec<String>,
    /// Correlation of the free parameters; null where uncertainties of all of them were not computed.
    pub correlation: Option<Correlation>,
    /// Estimated distance of `twice_nll` to the minimum.
    pub edm: Number,
    pub mle_parameters: ByName,
    /// Why something in this result is null although the fit may be valid, and what else is worth knowing.
    pub notes: Vec<Reason>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// −2 ln L at the minimum, all constants kept.
    pub twice_nll: Number,
    /// From the exact Hessian; 0 for fixed parameters, at a bound from the free Hessian.
    pub uncertainties: Option<ByName>,
    pub valid: bool,
}

/// A symmetric matrix with the scalar parameter name of each row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Correlation {
    pub labels: Vec<String>,
    pub values: Vec<Vec<Number>>,
}

impl FitReport {
    /// The report of `result`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, result: &FitResult) -> FitReport {
        let names = model.parameter_names();
        let reason = result.reason.as_ref().map(|f| Reason::of_failure(model, f, &options.init, &options.bounds));
        FitReport {
            at_limit: result.at_limit.iter().filter_map(|&i| names.get(i).cloned()).collect(),
            correlation: result.covariance.as_deref().map(|c| Correlation::new(&names, &options.fixed, c)),
            edm: Number(result.edm),
            mle_parameters: by_name(model, &result.parameters),
            notes: notes(&names, options, result),
            reason,
            twice_nll: Number(result.twice_nll),
            uncertainties: result.uncertainties.as_deref().map(|u| by_name(model, u)),
            valid: result.valid,
        }
    }
}

impl Correlation {
    /// From a covariance (n × n, row-major) without the rows and columns of fixed parameters.
    fn new(names: &[String], fixed: &[bool], covariance: &[f64]) -> Correlation {
        let n = names.len();
        let free: Vec<usize> = (0..n).filter(|&i| !fixed.get(i).copied().unwrap_or(false)).collect();
        let entry = |i: usize, j: usize| covariance.get(i * n + j).copied().unwrap_or(f64::NAN);
        let sigma: Vec<f64> = (0..n).map(|i| entry(i, i).sqrt()).collect();
        let row = |&i: &usize| -> Vec<Number> {
            let one = |&j: &usize| if i == j { 1.0 } else { entry(i, j) / (sigma[i] * sigma[j]) };
            free.iter().map(|j| Number(one(j))).collect()
        };
        Correlation { labels: free.iter().map(|&i| names[i].clone()).collect(), values: free.iter().map(row).collect() }
    }
}

fn notes(names: &[String], options: &FitOptions, result: &FitResult) -> Vec<Reason> {
    let not_finite = |values: &[f64]| -> Vec<String> {
        values.iter().zip(names).filter(|(v, _)| !v.is_finite()).map(|(_, n)| n.clone()).collect()
    };
    let mut notes = Vec::new();
    match &result.uncertainties {
        None if options.hesse == Hesse::No => {
            notes.push(Reason::new(Code::NotRequested, "uncertainties were not asked for"));
        }
        None if result.valid => {
            notes.push(Reason::new(Code::NotFinite, "uncertainties could not be computed"));
        }
        None => {}
        Some(_) if matches!(options.hesse, Hesse::Parameter(_)) => {
            notes.push(Reason::new(Code::NotRequested, "the uncertainty of one parameter only was asked for"));
        }
        Some(values) => {
            let parameters = not_finite(values);
            if !parameters.is_empty() {
                notes.push(Reason::not_finite("uncertainty", parameters));
            }
        }
    }
    if !result.lifted.is_empty() {
        notes.push(Reason::start_lifted(result.lifted.iter().filter_map(|&i| names.get(i).cloned()).collect()));
    }
    if let Some(first) = result.first_minimum {
        notes.push(Reason::several_minima(first - result.twice_nll));
    }
    let parameters = not_finite(&result.parameters);
    if !parameters.is_empty() {
        notes.push(Reason::not_finite("best-fit value", parameters));
    }
    notes
}

/// What the table says besides the numbers of the fit.
pub struct FitTable<'a> {
    pub file: &'a str,
    pub measurement: &'a str,
    pub model: &'a Model,
    pub options: &'a FitOptions,
    pub result: &'a FitResult,
}

/// One line of the table before layout.
struct Row {
    index: usize,
    name: String,
    constraint: Option<Constraint>,
    group: Group,
}

/// Free parameters first, then nuisances with a constraint, then what does not move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    PointOfInterest,
    Free,
    Constrained,
    Fixed,
}

impl FitTable<'_> {
    /// Header, one line a scalar parameter, and the reason where the fit is not valid.
    pub fn text(&self) -> String {
        let columns = [
            Column::Left("parameter"),
            Column::Right("best fit"),
            Column::Left("± σ"),
            Column::Right("start"),
            Column::Left("bounds"),
            Column::Right("pull"),
            Column::Right("σ/σ₀"),
            Column::Left(""),
        ];
        let mut table = table::new(&columns);
        for row in self.rows() {
            table.add_row(self.cells(&row));
        }
        format!("{}\n{}", self.header(), table::lines(&table))
    }

    fn header(&self) -> String {
        let poi = self.model.poi.and_then(|i| self.model.parameter_names().get(i).cloned());
        let poi = poi.map_or("none".to_owned(), |name| text::label(&name));
        let result = self.result;
        let mut header = format!(
            "file         {}\nmeasurement  {} (POI: {poi})\ntwice_nll    {}\nedm          {}\n",
            text::escape(self.file),
            text::label(self.measurement),
            fixed_point(result.twice_nll, 6),
            significant(result.edm, 2),
        );
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let steps =
            format!("{}, {}", count(result.n_iterations, "iteration"), count(result.n_evaluations, "evaluation"));
        if result.valid {
            header.push_str(&format!("fit          valid ({steps})\n"));
        } else {
            header.push_str(&format!("fit          NOT VALID ({steps})\n"));
        }
        if let Some(failure) = &result.reason {
            let reason = Reason::of_failure(self.model, failure, &self.options.init, &self.options.bounds);
            header.push_str(&format!("reason       {}\n", reason.message));
        }
        for note in notes(&self.model.parameter_names(), self.options, result) {
            header.push_str(&format!("note         {}\n", note.message));
        }
        header
    }

    fn rows(&self) -> Vec<Row> {
        let constraints = self.model.constraints();
        let names = self.model.parameter_names().into_iter().zip(constraints).enumerate();
        let mut rows: Vec<Row> = names
            .map(|(index, (name, constraint))| {
                let group = match (self.model.poi == Some(index), self.fixed(index), constraint) {
                    (true, _, _) => Group::PointOfInterest,
                    (_, true, _) => Group::Fixed,
                    (_, _, Some(_)) => Group::Constrained,
                    (_, _, None) => Group::Free,
                };
                Row { index, name, constraint, group }
            })
            .collect();
        rows.sort_by_key(|row| row.group);
        rows
    }

    fn fixed(&self, index: usize) -> bool {
        self.options.fixed.get(index).copied().unwrap_or(false)
    }

    fn cells(&self, row: &Row) -> [String; 8] {
        let at = |values: &[f64]| values.get(row.index).copied();
        let value = at(&self.result.parameters).unwrap_or(f64::NAN);
        let sigma = self.result.uncertainties.as_deref().and_then(at).filter(|_| !self.fixed(row.index));
        let (best, uncertainty) = with_uncertainty(value, sigma);
        let uncertainty = if uncertainty.is_empty() { uncertainty } else { format!("± {uncertainty}") };
        let (pull, ratio) = row.constraint.map_or_else(Default::default, |c| pull(&c, value, sigma));
        let start = at(&self.options.init).map(|v| significant(v, 4)).unwrap_or_default();
        let bounds = self.options.bounds.get(row.index);
        let bounds = bounds.map(|(lo, hi)| format!("[{}, {}]", significant(*lo, 4), significant(*hi, 4)));
        [
            text::label(&row.name),
            best,
            uncertainty,
            start,
            bounds.unwrap_or_default(),
            if self.fixed(row.index) { String::new() } else { pull },
            ratio,
            self.marks(row.index),
        ]
    }

    fn marks(&self, index: usize) -> String {
        let marks = [
            (self.model.poi == Some(index), "POI"),
            (self.fixed(index), "fixed"),
            (self.result.at_limit.contains(&index), "at limit"),
        ];
        marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect::<Vec<_>>().join(", ")
    }
}

/// (θ − centre)/width of the constraint, and the fitted over the constraint's width.
fn pull(constraint: &Constraint, value: f64, sigma: Option<f64>) -> (String, String) {
    let width = constraint.width();
    let centre = match *constraint {
        Constraint::Gaussian { auxdata, .. } => auxdata,
        Constraint::Poisson { auxdata, factor } => auxdata / factor,
    };
    if !(width.is_finite() && width > 0.0) {
        return Default::default();
    }
    let pull = (value - centre) / width;
    let pull = if pull.abs() < 0.005 { 0.0 } else { pull };
    (format!("{pull:+.2}"), sigma.map(|s| format!("{:.2}", s / width)).unwrap_or_default())
}
