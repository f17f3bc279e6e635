//! The lower limit on a mass that stands in denominators of relations.

use super::hypotest::band_columns;
use super::limit::LimitReport;
use super::number::{Number, significant};
use super::reason::Reason;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::workspace::inverse_mass::InverseMass;
use schemars::JsonSchema;
use serde::Serialize;

/// Limits on M from upper limits on x = 1/M^power, where the Standard Model is x = 0: masses below are excluded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EftMassReport {
    /// The masses that are not excluded, ascending; the last goes to infinity and has null as its upper end. Left out
    /// where some of them are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<[Number; 2]>>,
    /// Expected at −2, −1, 0, 1, 2 standard deviations of the limit on x: descending in the mass. `null` where there is
    /// none.
    pub expected_lower_limit: Vec<Number>,
    pub mass: String,
    /// `null` where there is none; `reason` says why.
    pub observed_lower_limit: Number,
    pub power: i32,
    pub reason: Option<Reason>,
    /// The limit on x.
    pub x: LimitReport,
}

impl EftMassReport {
    pub fn new(mass: &str, inverse: &InverseMass, x: LimitReport) -> EftMassReport {
        let of = |limit: Number| Number(inverse.mass(limit.0));
        let allowed = x.allowed.as_ref().map(|all| {
            let mut masses: Vec<[Number; 2]> =
                all.iter().map(|interval| [of(interval.upper.value), of(interval.lower.value)]).collect();
            masses.reverse();
            masses
        });
        EftMassReport {
            allowed,
            expected_lower_limit: x.expected_limit.iter().map(|limit| of(*limit)).collect(),
            mass: mass.to_owned(),
            observed_lower_limit: of(x.observed_limit),
            power: inverse.power,
            reason: x.reason.clone(),
            x,
        }
    }

    /// One row: the observed limit, and those expected.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let level = significant(self.x.confidence_level.0, 4);
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("limit", format!("masses {} below are excluded at {level}", text::label(&self.mass)))
            .remark("from", format!("an upper limit on 1/{}^{}", text::label(&self.mass), self.power));
        if let Some(reason) = &self.reason {
            page = page.remark("no limit", reason.message.clone());
        }
        let shown = |x: &Number| if x.0.is_finite() { Cell::number(x.0, 6) } else { Cell::text("none") };
        let mut columns = vec![Column::left("mass"), Column::right("observed")];
        columns.extend(band_columns());
        let mut table = Table::new("", columns);
        let mut cells = vec![Cell::name(&self.mass), shown(&self.observed_lower_limit)];
        cells.extend(self.expected_lower_limit.iter().map(shown));
        table.add_row(cells);
        page.table(table)
    }
}
