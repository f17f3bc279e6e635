//! Yields of bins as functions of a coefficient.

use super::number::{Number, significant};
use super::table::{Cell, Column, Page, Table};
use super::text;
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
    /// One row a bin and value.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let columns = [
            Column::left("channel"),
            Column::left("sample"),
            Column::left("coefficient"),
            Column::right("bin"),
            Column::right("value"),
            Column::right("yield"),
        ];
        let mut table = Table::new("", columns);
        for response in &self.responses {
            for (bin, yields) in response.yields.iter().enumerate() {
                for (value, y) in response.values.iter().zip(yields) {
                    table.add_row([
                        Cell::name(&response.channel),
                        Cell::name(response.sample.as_deref().unwrap_or_default()),
                        Cell::name(&response.coefficient),
                        Cell::count(bin),
                        Cell::number(value.0, 6),
                        Cell::number(y.0, 6),
                    ]);
                }
            }
        }
        Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("scale", format!("Λ = {} TeV", significant(self.lambda_tev.0, 6)))
            .table(table)
    }
}
