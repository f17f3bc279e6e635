//! Timings of one workspace.

use super::number::significant;
use super::table::{Cell, Column, Page, Table};
use schemars::JsonSchema;
use serde::Serialize;

/// Medians of process CPU time in seconds; all parameters move at every call.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BenchReport {
    pub file: String,
    /// Bytes to a parsed document.
    pub read_s: f64,
    /// Schema and rules.
    pub validate_s: f64,
    /// A valid document to a program with prepared data.
    pub compile_s: f64,
    /// One value.
    pub twice_nll_s: f64,
    /// One value and gradient together.
    pub gradient_s: f64,
    /// One value, gradient and Hessian together; null where the matrix would be too large to keep.
    pub hessian_s: Option<f64>,
    /// One fit from the suggested start on a compiled model: minimum and certificate, no covariance.
    pub fit_warm_s: f64,
    /// Uncertainties and covariance at the minimum.
    pub hesse_s: Option<f64>,
    /// Read, validate, compile and fit.
    pub fit_cold_s: f64,
    /// CLs at one value of the POI, observed and with its band, on a compiled model; null without a free POI.
    pub hypotest_s: Option<f64>,
    /// Observed and five expected upper limits on a compiled model; null without a free POI.
    pub limit_s: Option<f64>,
    /// Whether the warm fit is valid.
    pub fit_valid: bool,
}

/// One line a file.
pub fn page(reports: &[BenchReport]) -> Page {
    let titles = [
        "read",
        "validate",
        "compile",
        "twice_nll",
        "gradient",
        "hessian",
        "warm fit",
        "hesse",
        "cold fit",
        "hypotest",
        "limit",
    ];
    let mut columns = vec![Column::left("file")];
    columns.extend(titles.map(|title| Column::right(title).key(&format!("{}_s", title.replace(' ', "_")))));
    columns.push(Column::left("").key("remark"));
    let mut table = Table::new("", columns);
    for r in reports {
        let seconds = [
            Some(r.read_s),
            Some(r.validate_s),
            Some(r.compile_s),
            Some(r.twice_nll_s),
            Some(r.gradient_s),
            r.hessian_s,
            Some(r.fit_warm_s),
            r.hesse_s,
            Some(r.fit_cold_s),
            r.hypotest_s,
            r.limit_s,
        ];
        let mut cells = vec![Cell::name(&r.file)];
        cells.extend(seconds.iter().map(|s| s.map_or_else(Cell::empty, |s| Cell::number_as(s, duration(s)))));
        cells.push(Cell::text(if r.fit_valid { "" } else { "fit not valid" }));
        table.add_row(cells);
    }
    Page::new().remark("", "process CPU time, medians").table(table)
}

/// Seconds with a unit that leaves one to three digits before the point.
fn duration(seconds: f64) -> String {
    let (scale, unit) = match seconds {
        s if s < 1e-6 => (1e9, "ns"),
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", significant(seconds * scale, 3))
}
