//! The result of a fit: JSON with pyhf's keys, and a table with uncertainties, pulls and marks.

use super::blind::Blinding;
use super::by_name::{ByName, by_name};
use super::derived::{self, DerivedEntry};
use super::minima::MinimaReport;
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{FitOptions, FitResult, Hesse};
use crate::model::{Constraint, Model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of one fit. Maps by name hold one value a scalar parameter; numbers that are not finite are null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitReport {
    /// Scalar names of free parameters that end on a bound.
    pub at_limit: Vec<String>,
    #[serde(flatten)]
    pub blinding: Blinding,
    /// Correlation of the free parameters; null where uncertainties of all of them were not computed.
    pub correlation: Option<Correlation>,
    /// Wilson coefficients that are functions of the parameters, in the order of the document; left out without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<DerivedEntry>,
    /// Estimated distance of `twice_nll` to the minimum.
    pub edm: Number,
    /// All minima that were found; left out where nothing responds to coefficients or no other starts were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minima: Option<MinimaReport>,
    pub mle_parameters: ByName,
    /// Why something in this result is null although the fit may be valid, and what else is worth knowing.
    pub notes: Vec<Reason>,
    /// Pull and constraint of the free constrained parameters, in fit order.
    pub pulls: Vec<Pull>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// −2 ln L at the minimum, all constants kept.
    pub twice_nll: Number,
    /// From the exact Hessian; 0 for fixed parameters, at a bound from the free Hessian.
    pub uncertainties: Option<ByName>,
    pub valid: bool,
}

/// How a fit moved and narrowed one scalar parameter, in units of its pre-fit width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pull {
    /// Fitted over pre-fit uncertainty.
    pub constraint: Option<Number>,
    pub name: String,
    /// (best fit − centre of the constraint) over the pre-fit width.
    pub pull: Number,
}

/// A symmetric matrix with the scalar parameter name of each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
            blinding: Blinding::default(),
            correlation: result.covariance.as_deref().map(|c| Correlation::new(&names, &options.fixed, c)),
            derived: DerivedEntry::all(model, options, result),
            edm: Number(result.edm),
            minima: result.minima.as_ref().map(|minima| MinimaReport::new(model, minima)),
            mle_parameters: by_name(model, &result.parameters),
            notes: notes(&names, options, result),
            pulls: pulls(model, options, result),
            reason,
            twice_nll: Number(result.twice_nll),
            uncertainties: result.uncertainties.as_deref().map(|u| by_name(model, u)),
            valid: result.valid,
        }
    }

    /// Says what was blinded; the result already hides it.
    pub fn with_blinding(mut self, blinding: &Blinding) -> FitReport {
        self.notes.extend(blinding.notes());
        self.blinding = blinding.clone();
        self
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

fn pulls(model: &Model, options: &FitOptions, result: &FitResult) -> Vec<Pull> {
    let sigma = |i: usize| result.uncertainties.as_deref().and_then(|u| u.get(i)).copied();
    let free = |i: &usize| !options.fixed.get(*i).copied().unwrap_or(false);
    let names = model.parameter_names().into_iter().zip(model.constraints()).zip(&result.parameters);
    let all = names.enumerate().filter(|(i, _)| free(i)).filter_map(|(i, ((name, constraint), value))| {
        let constraint = constraint?;
        let ratio = sigma(i).and_then(|s| constraint.ratio(s)).map(Number);
        Some(Pull { constraint: ratio, name, pull: Number(constraint.pull(*value)?) })
    });
    all.collect()
}

fn notes(names: &[String], options: &FitOptions, result: &FitResult) -> Vec<Reason> {
    let not_finite = |values: &[f64]| -> Vec<String> {
        values.iter().zip(names).filter(|(v, _)| !v.is_finite()).map(|(_, n)| n.clone()).collect()
    };
    let mut notes = Vec::new();
    match &result.uncertainties {
        None if !result.plateau.is_empty() => notes.push(Reason::plateau(names, &result.plateau)),
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
            let mut parameters = not_finite(values);
            // Those have a note of their own.
            parameters.retain(|name| !result.without_effect.iter().any(|&i| names.get(i) == Some(name)));
            if !parameters.is_empty() {
                notes.push(Reason::not_finite("uncertainty", parameters));
            }
        }
    }
    notes.extend(Reason::without_effect(names, &result.without_effect));
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
    pub blinding: &'a Blinding,
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
    pub fn page(&self) -> Page {
        let columns = [
            Column::left("parameter"),
            Column::right("best fit").key("best_fit"),
            Column::left("± σ").key("uncertainty"),
            Column::right("start"),
            Column::left("bounds"),
            Column::right("pull"),
            Column::right("σ/σ₀").key("constraint"),
            Column::left("").key("remark"),
        ];
        let mut table = Table::new("", columns);
        for row in self.rows() {
            table.add_row(self.cells(&row));
        }
        let derived = DerivedEntry::all(self.model, self.options, self.result);
        let page = self.header().table(table);
        let page = if derived.is_empty() { page } else { page.table(derived::table(&derived)) };
        match self.minima().and_then(|minima| minima.table()) {
            Some(table) => page.table(table),
            None => page,
        }
    }

    fn minima(&self) -> Option<MinimaReport> {
        self.result.minima.as_ref().map(|minima| MinimaReport::new(self.model, minima))
    }

    fn header(&self) -> Page {
        let poi = self.model.poi.and_then(|i| self.model.parameter_names().get(i).cloned());
        let poi = poi.map_or("none".to_owned(), |name| text::label(&name));
        let result = self.result;
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let steps =
            format!("{}, {}", count(result.n_iterations, "iteration"), count(result.n_evaluations, "evaluation"));
        let mut page = Page::new()
            .remark("file", text::escape(self.file))
            .remark("measurement", format!("{} (POI: {poi})", text::label(self.measurement)))
            .remark("twice_nll", fixed_point(result.twice_nll, 6))
            .remark("edm", significant(result.edm, 2))
            .remark("fit", format!("{} ({steps})", if result.valid { "valid" } else { "NOT VALID" }));
        if let Some(minima) = self.minima() {
            page = page.remark("minima", minima.remark());
        }
        if let Some(failure) = &result.reason {
            let reason = Reason::of_failure(self.model, failure, &self.options.init, &self.options.bounds);
            page = page.remark("reason", reason.message);
        }
        let own = notes(&self.model.parameter_names(), self.options, result);
        for note in own.into_iter().chain(self.blinding.notes()) {
            page = page.remark("note", note.message);
        }
        page
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

    fn cells(&self, row: &Row) -> [Cell; 8] {
        let at = |values: &[f64]| values.get(row.index).copied();
        let value = at(&self.result.parameters).unwrap_or(f64::NAN);
        let sigma = self.result.uncertainties.as_deref().and_then(at).filter(|_| !self.fixed(row.index));
        let (best, uncertainty) = with_uncertainty(value, sigma);
        let cell = |number: Option<f64>, text: &dyn Fn(f64) -> String| {
            number.map_or_else(Cell::empty, |number| Cell::number_as(number, text(number)))
        };
        let pull = row.constraint.filter(|_| !self.fixed(row.index)).and_then(|c| c.pull(value));
        let ratio = row.constraint.zip(sigma).and_then(|(c, sigma)| c.ratio(sigma));
        [
            Cell::name(&row.name),
            Cell::number_as(value, best),
            cell(sigma, &|_| if uncertainty.is_empty() { String::new() } else { format!("± {uncertainty}") }),
            cell(at(&self.options.init), &|v| significant(v, 4)),
            self.options.bounds.get(row.index).map_or_else(Cell::empty, |&bounds| Cell::interval(bounds)),
            cell(pull, &|v| format!("{:+.2}", if v.abs() < 0.005 { 0.0 } else { v })),
            cell(ratio, &|v| format!("{v:.2}")),
            Cell::text(self.marks(row.index)),
        ]
    }

    fn marks(&self, index: usize) -> String {
        let marks = [
            (self.model.poi == Some(index), "POI"),
            (self.fixed(index), "fixed"),
            (self.result.at_limit.contains(&index), "at limit"),
            (self.result.without_effect.contains(&index), "no effect"),
        ];
        marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect::<Vec<_>>().join(", ")
    }
}
