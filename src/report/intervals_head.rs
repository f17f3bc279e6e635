//! What reports of intervals of Wilson coefficients begin with.

use super::blind::Blinding;
use super::number::{Number, significant};
use super::table::{Column, Page};
use super::text;
use crate::document::eft::Basis;
use schemars::JsonSchema;
use serde::Serialize;

/// The coefficients' basis, the levels of their intervals, and what was hidden.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IntervalsHead {
    /// The scale Λ by whose powers the coefficients are divided.
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    /// Name of the operator basis.
    pub basis: String,
    #[serde(flatten)]
    pub blinding: Blinding,
    /// Name of the theory.
    pub eft: String,
    /// Probabilities of the intervals.
    pub levels: Vec<Number>,
}

impl IntervalsHead {
    pub fn new(basis: &Basis, levels: &[f64], blinding: Blinding) -> IntervalsHead {
        IntervalsHead {
            lambda_tev: Number(basis.lambda_tev),
            basis: basis.basis.clone(),
            blinding,
            eft: basis.eft.clone(),
            levels: levels.iter().copied().map(Number).collect(),
        }
    }

    /// A page with file, measurement and basis (`SMEFT Warsaw, Λ = 1 TeV`), and what was hidden.
    pub(super) fn page(&self, file: &str, measurement: &str) -> Page {
        let lambda = significant(self.lambda_tev.0, 6);
        let basis = format!("{} {}, Λ = {lambda} TeV", text::label(&self.eft), text::label(&self.basis));
        let page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("coefficients", basis);
        self.blinding.notes().into_iter().fold(page, |page, note| page.remark("note", note.message))
    }

    /// The columns of a table behind the first ones, one a level between the best fit and what else is worth knowing.
    pub(super) fn columns(&self, first: Vec<Column>) -> Vec<Column> {
        let mut columns = first;
        columns.push(Column::right("best fit").key("best_fit"));
        for level in &self.levels {
            let level = significant(level.0, 4);
            columns.push(Column::left(&level).key(&format!("intervals_{level}")));
        }
        columns.extend([Column::right("lin/quad").key("linear_to_quadratic"), Column::left("").key("remark")]);
        columns
    }
}
