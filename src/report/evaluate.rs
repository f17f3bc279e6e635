//! The likelihood and the expected data at one point.

use super::by_name::{ByName, by_name};
use super::number::{Number, fixed_point, numbers};
use super::reason::Reason;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::model::{Data, Model};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// `twice_nll` and expected data at one point; derivatives where asked for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EvaluateReport {
    pub expected_data: ExpectedData,
    /// ∂ twice_nll / ∂θ by parameter name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<ByName>,
    /// ∂² twice_nll / ∂θ∂θ of all scalar parameters in fit order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hessian: Option<Hessian>,
    /// −ln L in RooFit's convention (spec/hs3-histfactory.md, eq. 7), of an HS3 document whose data are all seen; null out of
    /// domain. Left out, with a note, where RooFit has another number for the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll_roofit: Option<Number>,
    /// What else is worth knowing; left out where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// The point.
    pub parameters: ByName,
    /// Why `twice_nll` is null.
    pub reason: Option<Reason>,
    /// −2 ln L with all constants; null out of domain.
    pub twice_nll: Number,
}

/// Expected counts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExpectedData {
    /// Auxiliary data in the model's order (constrained parameters in fit order).
    pub auxdata: Vec<Number>,
    /// Expected counts a bin, by channel name.
    pub main: BTreeMap<String, Vec<Number>>,
}

/// A symmetric matrix with the scalar parameter name of each row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Hessian {
    pub labels: Vec<String>,
    pub values: Vec<Vec<Number>>,
}

/// What an evaluator gave at one point; lengths as in [`crate::kernel::Evaluator`].
#[derive(Clone, Debug, Default)]
pub struct Point {
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Of HS3 documents.
    pub nll_roofit: Option<f64>,
    /// Why there is none.
    pub not_of_file: Option<Reason>,
    pub main: Vec<f64>,
    pub auxiliary: Vec<f64>,
    pub gradient: Option<Vec<f64>>,
    pub hessian: Option<Vec<f64>>,
}

impl EvaluateReport {
    pub fn new(model: &Model, point: &Point, reason: Option<Reason>) -> EvaluateReport {
        let labels = model.parameter_names();
        let n = labels.len().max(1);
        EvaluateReport {
            expected_data: ExpectedData { auxdata: numbers(&point.auxiliary), main: by_channel(model, &point.main) },
            gradient: point.gradient.as_deref().map(|g| by_name(model, g)),
            hessian: point.hessian.as_deref().map(|h| Hessian { labels, values: h.chunks(n).map(numbers).collect() }),
            nll_roofit: point.nll_roofit.map(Number),
            notes: point.not_of_file.iter().cloned().collect(),
            parameters: by_name(model, &point.parameters),
            reason,
            twice_nll: Number(point.twice_nll),
        }
    }
}

fn by_channel(model: &Model, bins: &[f64]) -> BTreeMap<String, Vec<Number>> {
    let mut rest = bins;
    let mut map = BTreeMap::new();
    for channel in &model.channels {
        let (head, tail) = rest.split_at(channel.n_bins.min(rest.len()));
        map.insert(channel.name.clone(), numbers(head));
        rest = tail;
    }
    map
}

/// The point as tables: one of bins, one of parameters.
pub fn page(file: &str, measurement: &str, model: &Model, data: &Data, point: &Point, reason: Option<&Reason>) -> Page {
    let mut page = Page::new()
        .remark("file", text::escape(file))
        .remark("measurement", text::label(measurement))
        .remark("twice_nll", fixed_point(point.twice_nll, 10));
    if let Some(nll) = point.nll_roofit {
        page = page.remark("nll_roofit", fixed_point(nll, 10));
    }
    if let Some(note) = &point.not_of_file {
        page = page.remark("note", &note.message);
    }
    if let Some(reason) = reason {
        page = page.remark("reason", &reason.message);
    }
    page.table(bins(model, data, point)).table(parameters(model, point))
}

fn bins(model: &Model, data: &Data, point: &Point) -> Table {
    let columns = [Column::left("channel"), Column::right("bin"), Column::right("observed"), Column::right("expected")];
    let mut table = Table::new("bins", columns);
    let places = model.channels.iter().flat_map(|c| (0..c.n_bins).map(move |bin| (c, bin)));
    for ((channel, bin), (observed, expected)) in places.zip(data.main.iter().zip(&point.main)) {
        let numbers = [Cell::number(*observed, 8), Cell::number(*expected, 8)];
        table.add_row([Cell::name(&channel.name), Cell::count(bin)].into_iter().chain(numbers));
    }
    table
}

fn parameters(model: &Model, point: &Point) -> Table {
    let mut columns = vec![Column::left("parameter"), Column::right("value")];
    if point.gradient.is_some() {
        columns.push(Column::right("gradient"));
    }
    let mut table = Table::new("parameters", columns);
    for (i, (name, value)) in model.parameter_names().iter().zip(&point.parameters).enumerate() {
        let mut cells = vec![Cell::name(name), Cell::number(*value, 8)];
        cells.extend(point.gradient.as_ref().and_then(|g| g.get(i)).map(|g| Cell::number(*g, 8)));
        table.add_row(cells);
    }
    table
}
