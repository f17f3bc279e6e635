//! Yields of bins as functions of a coefficient.

use super::number::{Number, numbers};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::document::eft::Eft;
use crate::infer::eft::curves::Curve;
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Yields along single coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponsesReport {
    /// The scale Λ by whose powers the coefficients are divided.
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    pub responses: Vec<ResponseCurves>,
}

/// The yields of the bins of a channel along one coefficient, all other parameters at their start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseCurves {
    pub channel: String,
    pub coefficient: String,
    /// Yields at the start of all parameters, one entry a bin.
    pub reference: Vec<Number>,
    /// One sample, or all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// Statistical uncertainties of the simulation, as `yields`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncertainties: Vec<Vec<Number>>,
    /// Of the coefficient, ascending.
    pub values: Vec<Number>,
    /// One list a bin, with an entry a value.
    pub yields: Vec<Vec<Number>>,
}

impl ResponsesReport {
    pub fn new(eft: &Eft, model: &Model, curves: &[Curve]) -> ResponsesReport {
        let names = model.parameter_names();
        let entry = |curve: &Curve| ResponseCurves {
            channel: model.channels.get(curve.channel).map(|c| c.name.clone()).unwrap_or_default(),
            coefficient: names.get(curve.parameter).cloned().unwrap_or_default(),
            reference: numbers(&curve.reference),
            sample: None,
            uncertainties: Vec::new(),
            values: numbers(&curve.values),
            yields: curve.yields.iter().map(|bin| numbers(bin)).collect(),
        };
        ResponsesReport { lambda_tev: Number(eft.basis.lambda_tev), responses: curves.iter().map(entry).collect() }
    }

    /// One row a value and bin.
    pub fn page(&self, file: &str) -> Page {
        let columns =
            [Column::left("channel"), Column::left("coefficient"), Column::right("value"), Column::right("bin")];
        let mut table = Table::new("", columns.into_iter().chain([Column::right("yield")]));
        for curves in &self.responses {
            for (bin, yields) in curves.yields.iter().enumerate() {
                for (value, expected) in curves.values.iter().zip(yields) {
                    table.add_row([
                        Cell::name(&curves.channel),
                        Cell::name(&curves.coefficient),
                        Cell::number(value.0, 4),
                        Cell::count(bin),
                        Cell::number(expected.0, 6),
                    ]);
                }
            }
        }
        Page::new().remark("file", text::escape(file)).table(table)
    }
}
