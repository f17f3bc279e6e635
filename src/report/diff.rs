//! In what two workspaces differ.

use super::number::{Number, significant};
use super::reason::Reason;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::agreement::{Agreement, Fits, Fitted, Values};
use crate::infer::{FitOptions, NoLimit};
use crate::model::Model;
use crate::workspace::diff::{Change, Difference, Differences};
use schemars::JsonSchema;
use serde::Serialize;

/// The result of `diff`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DiffReport {
    /// There is a difference, or −2 ln L differs.
    pub different: bool,
    pub differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Evaluation")]
    pub evaluation: Option<Evaluation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FitComparison")]
    pub fit: Option<FitComparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LimitComparison")]
    pub limit: Option<LimitComparison>,
    /// Lists whose common items stand in another order, which is no difference.
    pub order: Vec<String>,
}

/// −2 ln L of both at the starts of both; parameters are the same by name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Evaluation {
    pub at_left_start: TwiceNll,
    pub at_right_start: TwiceNll,
    /// Parameters that the second lacks; they are at their start.
    pub only_left: Vec<String>,
    pub only_right: Vec<String>,
}

/// −2 ln L of both at one point; null out of domain.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TwiceNll {
    pub left: Number,
    pub right: Number,
    /// They differ by more than the tolerances and rounding.
    pub different: bool,
}

/// Fits of both.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitComparison {
    /// One fit is valid and one is not, their minima differ by more than the tolerances and 10⁻⁶, or a parameter by more than
    /// the tolerances and 10⁻³ of its uncertainty.
    pub different: bool,
    pub left: FitSummary,
    pub right: FitSummary,
    /// The parameter of both that moves most, by its uncertainty in the first fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MovedParameter")]
    pub largest: Option<MovedParameter>,
}

/// A fit in short.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitSummary {
    /// Of the parameter of interest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Number")]
    pub poi: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Number")]
    pub poi_uncertainty: Option<Number>,
    pub twice_nll: Number,
    pub valid: bool,
}

/// Best values of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MovedParameter {
    pub name: String,
    pub left: Number,
    pub right: Number,
    pub uncertainty: Number,
}

/// Upper limits of both on the parameter of interest: CLs at 95 % with q̃.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LimitComparison {
    /// One has a limit and one has not, or limits differ by more than the tolerances and 10⁻⁴ of them.
    pub different: bool,
    pub left: LimitSummary,
    pub right: LimitSummary,
}

/// Observed and expected limit; null where there is none, with the reason.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LimitSummary {
    pub observed: Number,
    pub expected: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Reason")]
    pub reason: Option<Reason>,
}

/// How well limits are found, as a fraction of them.
const LIMIT_ACCURACY: f64 = 1e-4;

/// How well fits are done: of a minimum, and of a parameter in uncertainties.
const FIT_HEIGHT: f64 = 1e-6;
const FIT_PULL: f64 = 1e-3;

/// What rounding may do to −2 ln L, as a fraction of it.
const ROUNDING: f64 = 1e-10;

impl DiffReport {
    /// `same` says whether two numbers are the same within the tolerances.
    pub fn new(
        found: Differences,
        agreement: Option<Agreement>,
        fits: Option<Fits>,
        limits: Option<(LimitSummary, LimitSummary)>,
        same: impl Fn(f64, f64) -> bool,
    ) -> DiffReport {
        let fit = fits.map(|fits| FitComparison::new(fits, &same));
        let values = |Values { left, right }: Values| {
            let rounded = || (left - right).abs() <= ROUNDING * left.abs().max(right.abs()).max(1.0);
            let near = || left.is_finite() && right.is_finite() && (same(left, right) || rounded());
            let different = left != right && !near();
            TwiceNll { left: Number(left), right: Number(right), different }
        };
        let evaluation = agreement.map(|agreement| Evaluation {
            at_left_start: values(agreement.at_left_start),
            at_right_start: values(agreement.at_right_start),
            only_left: agreement.only_left,
            only_right: agreement.only_right,
        });
        let limit = limits.map(|(left, right)| LimitComparison::new(left, right, &same));
        let different = !found.list.is_empty()
            || limit.as_ref().is_some_and(|limit| limit.different)
            || evaluation.as_ref().is_some_and(Evaluation::is_different)
            || fit.as_ref().is_some_and(|fit| fit.different);
        DiffReport { different, differences: found.list, evaluation, fit, limit, order: found.order }
    }

    /// One row a difference.
    pub fn page(&self, left: &str, right: &str) -> Page {
        let mut table = Table::new("", ["difference", "place", "left", "right"].map(Column::left));
        for difference in &self.differences {
            let (word, was, is) = cells(&difference.change);
            table.add_row([Cell::text(word), long_name(&difference.place), was, is]);
        }
        let n = self.differences.len();
        let summary = match (self.different, n) {
            (false, _) => "no difference".to_owned(),
            (true, 1) => "1 difference".to_owned(),
            (true, n) => format!("{n} differences"),
        };
        let mut page = Page::new().remark("left", text::escape(left)).remark("right", text::escape(right));
        page = page.remark("found", summary);
        if !self.order.is_empty() {
            page = page.remark("in another order", text::list(&self.order, 5));
        }
        if let Some(evaluation) = &self.evaluation {
            page = evaluation.remarks(page);
        }
        if let Some(fit) = &self.fit {
            page = fit.remarks(page);
        }
        if let Some(LimitComparison { left, right, .. }) = &self.limit {
            page = page.remark("left limit", left.text()).remark("right limit", right.text());
        }
        if self.differences.is_empty() { page } else { page.table(table) }
    }
}

impl FitComparison {
    fn new(fits: Fits, same: impl Fn(f64, f64) -> bool) -> FitComparison {
        let (a, b) = (&fits.left, &fits.right);
        let height = (a.twice_nll - b.twice_nll).abs() <= FIT_HEIGHT || same(a.twice_nll, b.twice_nll);
        let place = fits.largest.as_ref().is_none_or(|moved| moved.pull() <= FIT_PULL || same(moved.left, moved.right));
        let different = a.valid != b.valid || (a.valid && !(height && place));
        let largest = fits.largest.map(|moved| MovedParameter {
            name: moved.name,
            left: Number(moved.left),
            right: Number(moved.right),
            uncertainty: Number(moved.uncertainty),
        });
        FitComparison { different, left: FitSummary::new(&fits.left), right: FitSummary::new(&fits.right), largest }
    }

    fn remarks(&self, page: Page) -> Page {
        let one = |fit: &FitSummary| match (fit.valid, fit.poi, fit.poi_uncertainty) {
            (false, ..) => "not valid".to_owned(),
            (true, Some(poi), Some(width)) => {
                let poi = format!("POI {} ± {}", significant(poi.0, 6), significant(width.0, 3));
                format!("−2 ln L {}, {poi}", significant(fit.twice_nll.0, 12))
            }
            (true, ..) => format!("−2 ln L {}", significant(fit.twice_nll.0, 12)),
        };
        let page = page.remark("left fit", one(&self.left)).remark("right fit", one(&self.right));
        match &self.largest {
            Some(moved) => {
                let values = format!("{} and {}", significant(moved.left.0, 6), significant(moved.right.0, 6));
                page.remark("moves most", format!("{}: {values}", text::label(&moved.name)))
            }
            None => page,
        }
    }
}

impl LimitComparison {
    fn new(left: LimitSummary, right: LimitSummary, same: impl Fn(f64, f64) -> bool) -> LimitComparison {
        let near = |a: f64, b: f64| (a - b).abs() <= LIMIT_ACCURACY * a.abs().max(b.abs()) || same(a, b);
        let agree = |a: Number, b: Number| match (a.0.is_finite(), b.0.is_finite()) {
            (true, true) => near(a.0, b.0),
            (a, b) => a == b,
        };
        let different = !(agree(left.observed, right.observed) && agree(left.expected, right.expected));
        LimitComparison { different, left, right }
    }
}

impl LimitSummary {
    pub fn new(
        model: &Model,
        options: &FitOptions,
        observed: &Result<f64, NoLimit>,
        expected: &Result<f64, NoLimit>,
    ) -> LimitSummary {
        let number = |limit: &Result<f64, NoLimit>| Number(limit.as_ref().map_or(f64::NAN, |limit| *limit));
        let failed = observed.as_ref().err().or(expected.as_ref().err());
        let reason = failed.map(|no_limit| Reason::of_no_limit(model, no_limit, options));
        LimitSummary { observed: number(observed), expected: number(expected), reason }
    }

    fn text(&self) -> String {
        let one = |x: Number| if x.0.is_finite() { significant(x.0, 6) } else { "none".to_owned() };
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", reason.message));
        format!("{}, expected {}{reason}", one(self.observed), one(self.expected))
    }
}

impl FitSummary {
    fn new(fit: &Fitted) -> FitSummary {
        let (poi, width) = fit.poi.map_or((None, None), |(poi, width)| (Some(poi), width));
        let twice_nll = Number(fit.twice_nll);
        FitSummary { poi: poi.map(Number), poi_uncertainty: width.map(Number), twice_nll, valid: fit.valid }
    }
}

impl Evaluation {
    fn is_different(&self) -> bool {
        let lacking = !self.only_left.is_empty() || !self.only_right.is_empty();
        lacking || self.at_left_start.different || self.at_right_start.different
    }

    fn remarks(&self, mut page: Page) -> Page {
        let at = [("left", &self.at_left_start), ("right", &self.at_right_start)];
        for (side, TwiceNll { left, right, different }) in at {
            let verdict = if *different { "different" } else { "the same" };
            let digits = |x: f64| if x.is_finite() { significant(x, 12) } else { "out of domain".to_owned() };
            let value = format!("{} and {}, {verdict}", digits(left.0), digits(right.0));
            page = page.remark(&format!("−2 ln L at the {side} start"), value);
        }
        for (side, names) in [("left", &self.only_left), ("right", &self.only_right)] {
            if !names.is_empty() {
                page = page.remark(&format!("parameters only {side}"), text::list(names, 10));
            }
        }
        page
    }
}

/// The place of a difference, cut less than other names.
fn long_name(place: &str) -> Cell {
    Cell::pair(text::shorten(&text::escape(place), 2 * text::NAME_WIDTH), place.to_owned())
}

fn cells(change: &Change) -> (String, Cell, Cell) {
    let number = |x: f64| Cell::number(x, 6);
    match change {
        Change::OnlyLeft {} => ("only left".to_owned(), Cell::empty(), Cell::empty()),
        Change::OnlyRight {} => ("only right".to_owned(), Cell::empty(), Cell::empty()),
        Change::Renamed { to } => ("renamed".to_owned(), Cell::empty(), Cell::name(to)),
        Change::Value { was, is } => ("value".to_owned(), Cell::name(was), Cell::name(is)),
        Change::Length { was, is } => ("length".to_owned(), Cell::count(*was), Cell::count(*is)),
        Change::Numbers { differing, of, index, was, is } => {
            let word = match of {
                1 => "number".to_owned(),
                of => format!("{differing} of {of} numbers, most at {index}"),
            };
            (word, number(*was), number(*is))
        }
    }
}
