//! The report of upper limits.

use super::hypotest::{Statistic, TestContext, band_cls, band_columns, remarks};
use super::number::{Number, numbers, significant};
use super::reason::Reason;
use super::region::{ScanEnd, ScanInterval};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::document::patchset::PatchValue;
use crate::infer::asymptotic::Criterion;
use crate::infer::coefficient_limit::{Allowed, AllowedEnd};
use crate::infer::hypotest::TestFailure;
use crate::infer::{Hypotest, Limit, LimitOptions, NoLimit, Profile, TestStatistic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Observed and expected upper limits on the POI.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LimitReport {
    /// Of a Wilson coefficient: all values that are not excluded, ascending. Absent where some are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<ScanInterval>>,
    /// The POI at the best fit.
    pub best_fit: Number,
    pub confidence_level: Number,
    pub criterion: CriterionName,
    /// Expected at 2, 1, 0, −1, −2 standard deviations of the background-only hypothesis: ascending. `null` where there
    /// is none.
    pub expected_limit: Vec<Number>,
    /// Why an expected limit is `null`, in their order.
    pub expected_reasons: Vec<Option<Reason>>,
    /// Of a Wilson coefficient whose bounds go below zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_limit: Option<LowerLimitReport>,
    pub notes: Vec<Reason>,
    /// `null` where there is none; `reason` says why.
    pub observed_limit: Number,
    pub poi: String,
    /// Of the POI, in the end.
    pub poi_bounds: [Number; 2],
    pub reason: Option<Reason>,
    /// Values tested: those of a grid, else the limits found and values around them.
    pub scan: Vec<ScanPoint>,
    pub test_stat: Statistic,
    /// Whether all fits that the observed limit needs are valid.
    pub valid: bool,
}

/// Observed and expected lower limits on a Wilson coefficient.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LowerLimitReport {
    /// Expected at 2, 1, 0, −1, −2 standard deviations of the background-only hypothesis: descending. `null` where there
    /// is none.
    pub expected_limit: Vec<Number>,
    /// Why an expected limit is `null`, in their order.
    pub expected_reasons: Vec<Option<Reason>>,
    /// `null` where there is none; `reason` says why.
    pub observed_limit: Number,
    pub reason: Option<Reason>,
}

/// The limits of one point of a patchset: one line of the result.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PointReport {
    pub name: String,
    /// Of the patchset's labels.
    pub values: Vec<PatchValue>,
    /// SHA-256 of everything that the limits are made of: lines of one result agree in it.
    pub inputs: String,
    /// What is wrong with the patched workspace, where there is no limit for that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(flatten)]
    pub limit: Option<LimitReport>,
}

impl PointReport {
    /// Without an observed limit.
    pub fn is_bad(&self) -> bool {
        self.limit.as_ref().is_none_or(|limit| limit.first_reason().is_some())
    }
}

/// One row a point.
pub fn points_page(points: &[PointReport]) -> Page {
    let shown = |x: Number| if x.0.is_nan() { Cell::text("none") } else { Cell::number(x.0, 6) };
    let columns = [Column::left("point").key("name"), Column::right("observed").key("observed")];
    let columns = columns.into_iter().chain(band_columns()).chain([Column::left("").key("reason")]);
    let mut table = Table::new("", columns.collect::<Vec<_>>());
    for point in points {
        let mut cells = vec![Cell::name(&point.name)];
        match &point.limit {
            Some(limit) => {
                cells.push(shown(limit.observed_limit));
                cells.extend(limit.expected_limit.iter().map(|x| shown(*x)));
                cells.push(Cell::text(limit.reason.as_ref().map_or("", |reason| &reason.message)));
            }
            None => {
                cells.extend((0..6).map(|_| Cell::text("none")));
                cells.push(Cell::text(point.error.as_deref().unwrap_or_default()));
            }
        }
        table.add_row(cells);
    }
    Page::new().table(table)
}

/// CLs at one value of the POI.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ScanPoint {
    #[serde(rename = "CLs_exp")]
    pub cls_exp: Vec<Number>,
    #[serde(rename = "CLs_obs")]
    pub cls_obs: Number,
    #[serde(rename = "CLsb")]
    pub clsb: Number,
    pub poi: Number,
    pub reason: Option<Reason>,
}

/// The p-value that excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CriterionName {
    CLs,
    #[serde(rename = "CLs+b")]
    CLsb,
}

impl From<Criterion> for CriterionName {
    fn from(criterion: Criterion) -> CriterionName {
        match criterion {
            Criterion::Cls => CriterionName::CLs,
            Criterion::Clsb => CriterionName::CLsb,
        }
    }
}

/// What a limit was computed with.
pub struct LimitContext<'a> {
    pub test: TestContext<'a>,
    pub statistic: TestStatistic,
    pub options: LimitOptions,
}

impl LimitReport {
    /// `tests` are values with their results; `limit` failed before anything could be tested where it is an error.
    pub fn new(
        context: &LimitContext,
        limit: &Result<Limit, TestFailure>,
        tests: &[(f64, Result<Hypotest, TestFailure>)],
        profile: Option<&Profile>,
    ) -> LimitReport {
        let reason = |no_limit: &NoLimit| Reason::of_no_limit(context.test.model, no_limit, context.test.options);
        let bounds = context.test.options.bounds.get(context.test.poi).copied().unwrap_or((f64::NAN, f64::NAN));
        let mut notes = context.test.notes(context.statistic, profile);
        let (observed, expected, bounds) = match limit {
            Ok(limit) => {
                if let Some(before) = limit.widened_from {
                    notes.push(Reason::bounds_widened(&context.test.poi_name(), before, limit.bounds));
                }
                (limit.observed.clone(), limit.expected.clone(), limit.bounds)
            }
            Err(failure) => {
                let none = || Err(NoLimit::Test(failure.clone()));
                (none(), [none(), none(), none(), none(), none()], bounds)
            }
        };
        let number = |limit: &Result<f64, NoLimit>| limit.as_ref().map_or(f64::NAN, |limit| *limit);
        let coefficient = limit.as_ref().ok().and_then(|limit| limit.coefficient.as_ref());
        let end = |end: &AllowedEnd| ScanEnd {
            open_at_bound: matches!(end.open, Some(NoLimit::NotExcludedInBox { .. })),
            reason: end.open.as_ref().map(reason),
            value: Number(end.value),
        };
        let interval = |i: &Allowed| ScanInterval { lower: end(&i.lower), upper: end(&i.upper) };
        let lower = coefficient.and_then(|coefficient| coefficient.lower.as_ref());
        let failed = |limit: &Result<f64, NoLimit>| matches!(limit, Err(NoLimit::Test(_) | NoLimit::NotFound));
        LimitReport {
            allowed: coefficient.and_then(|c| Some(c.allowed.as_ref()?.iter().map(interval).collect())),
            best_fit: Number(profile.map_or(f64::NAN, |p| p.best_values()[0])),
            confidence_level: Number(1.0 - context.options.level),
            criterion: context.options.criterion.into(),
            expected_limit: numbers(&expected.each_ref().map(number)),
            expected_reasons: expected.iter().map(|limit| limit.as_ref().err().map(reason)).collect(),
            lower_limit: lower.map(|lower| LowerLimitReport {
                expected_limit: numbers(&lower.expected.each_ref().map(number)),
                expected_reasons: lower.expected.iter().map(|limit| limit.as_ref().err().map(reason)).collect(),
                observed_limit: Number(number(&lower.observed)),
                reason: lower.observed.as_ref().err().map(reason),
            }),
            notes,
            observed_limit: Number(number(&observed)),
            poi: context.test.poi_name(),
            poi_bounds: [Number(bounds.0), Number(bounds.1)],
            reason: observed.as_ref().err().map(reason),
            scan: tests.iter().map(|(value, test)| ScanPoint::new(&context.test, *value, test)).collect(),
            test_stat: context.statistic.into(),
            valid: !failed(&observed) && !lower.is_some_and(|lower| failed(&lower.observed)),
        }
    }

    /// Why an observed limit is absent.
    pub fn first_reason(&self) -> Option<&Reason> {
        self.reason.as_ref().or_else(|| self.lower_limit.as_ref()?.reason.as_ref())
    }

    /// The limits, and with `with_scan` CLs at every value tested.
    pub fn page(&self, with_scan: bool) -> Page {
        let shown = |x: Number| if x.0.is_nan() { Cell::text("none") } else { Cell::number(x.0, 6) };
        let name = text::label(&self.poi);
        let level = significant(100.0 * self.confidence_level.0, 6);
        let criterion = if self.criterion == CriterionName::CLs { "CLs" } else { "CLs+b" };
        let mut page = Page::new()
            .remark("limit", format!("on {name} at {level} % ({criterion})"))
            .remark("best fit", format!("{name} = {}", significant(self.best_fit.0, 6)));
        page = remarks(page, self.valid, self.reason.as_ref(), &self.notes);
        let mut told: Vec<&str> = self.reason.iter().map(|r| r.message.as_str()).collect();
        let lower = self.lower_limit.as_ref();
        if let Some(reason) = lower.and_then(|lower| lower.reason.as_ref()) {
            page = page.remark("lower limit", reason.message.clone());
            told.push(&reason.message);
        }
        let reasons = self.expected_reasons.iter().chain(lower.iter().flat_map(|lower| &lower.expected_reasons));
        for reason in reasons.flatten() {
            if !told.contains(&reason.message.as_str()) {
                page = page.remark("expected", reason.message.clone());
                told.push(&reason.message);
            }
        }
        if let Some(allowed) = &self.allowed {
            let parts: Vec<String> = allowed.iter().map(|interval| interval.text(f64::NAN)).collect();
            page = page.remark("not excluded", parts.join(" and "));
        }
        let columns = || [Column::right("observed").key("observed")].into_iter().chain(band_columns());
        let row = |observed: Number, expected: &[Number]| {
            [shown(observed)].into_iter().chain(expected.iter().map(|x| shown(*x))).collect::<Vec<_>>()
        };
        page = page.table(match lower {
            Some(lower) => {
                let columns = [Column::left("").key("side")].into_iter().chain(columns());
                let mut table = Table::new("limit", columns.collect::<Vec<_>>());
                let named = |name: &str, cells: Vec<Cell>| [Cell::text(name)].into_iter().chain(cells);
                table.add_row(named("upper", row(self.observed_limit, &self.expected_limit)));
                table.add_row(named("lower", row(lower.observed_limit, &lower.expected_limit)));
                table
            }
            None => {
                let mut table = Table::new("limit", columns().collect::<Vec<_>>());
                table.add_row(row(self.observed_limit, &self.expected_limit));
                table
            }
        });
        if with_scan && !self.scan.is_empty() {
            let columns = [Column::right(&self.poi).key("poi")].into_iter().chain(columns());
            let mut table = Table::new("CLs", columns.collect::<Vec<_>>());
            for point in &self.scan {
                let expected = point.cls_exp.iter().map(|x| shown(*x));
                table.add_row([Cell::number(point.poi.0, 6), shown(point.cls_obs)].into_iter().chain(expected));
            }
            page = page.table(table);
        }
        page
    }
}

impl ScanPoint {
    fn new(context: &TestContext, value: f64, test: &Result<Hypotest, TestFailure>) -> ScanPoint {
        let tails = test.as_ref().ok().map(|test| test.tails);
        ScanPoint {
            cls_exp: test.as_ref().map_or_else(|_| numbers(&[f64::NAN; 5]), |test| band_cls(&test.band)),
            cls_obs: Number(tails.map_or(f64::NAN, |t| t.cls())),
            clsb: Number(tails.map_or(f64::NAN, |t| t.clsb())),
            poi: Number(value),
            reason: test.as_ref().err().map(|failure| context.reason(failure)),
        }
    }
}
