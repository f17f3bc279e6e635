//! The report of hypothesis tests.

use super::number::{Number, numbers, significant};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::asymptotic::{BAND, Tails};
use crate::infer::hypotest::{LikelihoodRatio, TestFailure};
use crate::infer::{FitOptions, Hypotest, Profile, TestStatistic};
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value of the POI tested. Numbers are `null` where a fit is not valid, and where the statistic has none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HypotestReport {
    #[serde(rename = "CLb")]
    pub clb: Number,
    /// Expected at 2, 1, 0, −1, −2 standard deviations of the background-only hypothesis: ascending.
    #[serde(rename = "CLs_exp")]
    pub cls_exp: Vec<Number>,
    #[serde(rename = "CLs_obs")]
    pub cls_obs: Number,
    #[serde(rename = "CLsb")]
    pub clsb: Number,
    /// The POI at the best fit.
    pub best_fit: Number,
    pub notes: Vec<Reason>,
    /// Of the tested value, for two-sided statistics; of the background-only hypothesis, for q0.
    pub p_value: Number,
    pub poi: String,
    pub poi_test: Number,
    /// The statistic on the observed data.
    pub q: Number,
    /// And on the Asimov data of the alternative.
    #[serde(rename = "q_A")]
    pub q_asimov: Number,
    pub reason: Option<Reason>,
    pub test_stat: Statistic,
    pub valid: bool,
}

/// Test statistics by their names in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    Q0,
    Q,
    Qtilde,
    T,
    Ttilde,
}

impl From<TestStatistic> for Statistic {
    fn from(statistic: TestStatistic) -> Statistic {
        match statistic {
            TestStatistic::Q0 => Statistic::Q0,
            TestStatistic::Qmu => Statistic::Q,
            TestStatistic::QmuTilde => Statistic::Qtilde,
            TestStatistic::Tmu => Statistic::T,
            TestStatistic::TmuTilde => Statistic::Ttilde,
        }
    }
}

/// What a report of a test says besides its numbers.
pub struct TestContext<'a> {
    pub model: &'a Model,
    pub options: &'a FitOptions,
    pub poi: usize,
    /// The POI is a Wilson coefficient: its qtilde looks at both sides of zero.
    pub coefficient: bool,
}

impl TestContext<'_> {
    pub fn poi_name(&self) -> String {
        self.model.parameter_names().get(self.poi).cloned().unwrap_or_default()
    }

    pub fn reason(&self, failure: &TestFailure) -> Reason {
        Reason::of_test(self.model, failure, self.options)
    }

    /// Remarks on a test's bounds, and on minima found below the first.
    pub fn notes(&self, statistic: TestStatistic, profile: Option<&Profile>) -> Vec<Reason> {
        let mut notes = Vec::new();
        let (low, _) = self.options.bounds.get(self.poi).copied().unwrap_or((f64::NAN, f64::NAN));
        let (poi, bound) = (text::label(&self.poi_name()), significant(low, 6));
        if statistic.is_tilde() && !self.coefficient && low < 0.0 {
            let message = format!(
                "the test statistic with a tilde looks for the best fit at {poi} ≥ 0 only, although the lower bound is \
                 {bound}; --test-stat q does not"
            );
            notes.push(Reason::new(Code::BoundRaised, message));
        } else if !statistic.is_tilde() && statistic != TestStatistic::Q0 && low >= 0.0 {
            let message = format!(
                "the lower bound of {poi} is {bound}, so the best fit cannot be below: this is the statistic with a tilde \
                 in all but its distribution (--poi-bounds)"
            );
            notes.push(Reason::new(Code::BoundOfStatistic, message));
        }
        if let Some(first) = profile.and_then(|p| p.first_minimum().map(|first| first - p.best().twice_nll)) {
            notes.push(Reason::lower_minimum(first));
        }
        let without_effect = profile.map(Profile::without_effect).unwrap_or_default();
        notes.extend(Reason::without_effect(&self.model.parameter_names(), &without_effect));
        notes
    }
}

impl HypotestReport {
    pub fn new(
        context: &TestContext,
        statistic: TestStatistic,
        value: f64,
        result: &Result<Hypotest, TestFailure>,
        profile: Option<&Profile>,
    ) -> HypotestReport {
        let test = result.as_ref().ok();
        let number = |f: &dyn Fn(&Hypotest) -> f64| Number(test.map_or(f64::NAN, f));
        let has_cls = |f: &dyn Fn(&Hypotest) -> f64| {
            if statistic.has_cls() { number(f) } else { Number(f64::NAN) }
        };
        let band = match test {
            Some(test) if statistic.has_cls() => test.band.map(|tails| tails.cls()),
            _ => [f64::NAN; 5],
        };
        HypotestReport {
            clb: has_cls(&|t| t.tails.clb()),
            cls_exp: numbers(&band),
            cls_obs: has_cls(&|t| t.tails.cls()),
            clsb: has_cls(&|t| t.tails.clsb()),
            best_fit: Number(profile.map_or(f64::NAN, |p| p.best_values()[0])),
            notes: context.notes(statistic, profile),
            p_value: match statistic {
                TestStatistic::Q0 => number(&|t| t.discovery().0),
                TestStatistic::Tmu | TestStatistic::TmuTilde => number(&|t| t.p_two_sided()),
                _ => Number(f64::NAN),
            },
            poi: context.poi_name(),
            poi_test: Number(value),
            q: number(&|t| t.observed.value),
            q_asimov: number(&|t| t.asimov.value),
            reason: result.as_ref().err().map(|failure| context.reason(failure)),
            test_stat: statistic.into(),
            valid: result.is_ok(),
        }
    }

    pub fn page(&self) -> Page {
        let tested = format!("{} = {}", text::label(&self.poi), significant(self.poi_test.0, 6));
        let mut page = Page::new().remark("tested", tested);
        page = page.remark("best fit", format!("{} = {}", text::label(&self.poi), significant(self.best_fit.0, 6)));
        page = page
            .remark("statistic", format!("{} (Asimov {})", significant(self.q.0, 6), significant(self.q_asimov.0, 6)));
        page = remarks(page, self.valid, self.reason.as_ref(), &self.notes);
        let mut table = Table::new(
            "",
            [Column::left("").key("quantity"), Column::right("observed").key("observed")]
                .into_iter()
                .chain(band_columns())
                .collect::<Vec<_>>(),
        );
        let shown = |x: Number| if x.0.is_nan() { Cell::empty() } else { Cell::number(x.0, 5) };
        if self.p_value.0.is_finite() {
            table.add_row([Cell::text("p-value"), shown(self.p_value)]);
        } else {
            let expected = self.cls_exp.iter().map(|x| shown(*x));
            table.add_row([Cell::text("CLs"), shown(self.cls_obs)].into_iter().chain(expected));
            table.add_row([Cell::text("CLs+b"), shown(self.clsb)]);
            table.add_row([Cell::text("CLb"), shown(self.clb)]);
        }
        page.table(table)
    }
}

/// Columns of the expected band.
pub(super) fn band_columns() -> Vec<Column> {
    let titles = ["expected −2σ", "−1σ", "median", "+1σ", "+2σ"];
    let keys = ["expected_minus_2", "expected_minus_1", "expected", "expected_plus_1", "expected_plus_2"];
    titles.iter().zip(keys).map(|(title, key)| Column::right(title).key(key)).collect()
}

/// What is wrong, and what is to be said.
pub(super) fn remarks(mut page: Page, valid: bool, reason: Option<&Reason>, notes: &[Reason]) -> Page {
    if !valid {
        page = page.remark("result", "NOT VALID");
    }
    if let Some(reason) = reason {
        page = page.remark("reason", reason.message.clone());
    }
    for note in notes {
        page = page.remark("note", note.message.clone());
    }
    page
}

/// Several parameters tested together.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LikelihoodRatioReport {
    /// Tested parameters at the best fit.
    pub best_fit: BTreeMap<String, Number>,
    /// As many as there are tested parameters.
    pub degrees_of_freedom: usize,
    pub p_value: Number,
    pub poi_test: BTreeMap<String, Number>,
    pub reason: Option<Reason>,
    /// −2 Δ ln L.
    pub t: Number,
    pub valid: bool,
}

impl LikelihoodRatioReport {
    pub fn new(
        model: &Model,
        options: &FitOptions,
        tested: &[(usize, f64)],
        result: &Result<LikelihoodRatio, TestFailure>,
    ) -> LikelihoodRatioReport {
        let names = model.parameter_names();
        let by_name = |value: &dyn Fn(usize, f64) -> f64| {
            tested.iter().filter_map(|&(i, x)| Some((names.get(i)?.clone(), Number(value(i, x))))).collect()
        };
        let ratio = result.as_ref().ok();
        LikelihoodRatioReport {
            best_fit: by_name(&|i, _| ratio.map_or(f64::NAN, |r| r.unconditional.parameters[i])),
            degrees_of_freedom: tested.len(),
            p_value: Number(ratio.map_or(f64::NAN, |r| r.p_value)),
            poi_test: by_name(&|_, x| x),
            reason: result.as_ref().err().map(|failure| Reason::of_test(model, failure, options)),
            t: Number(ratio.map_or(f64::NAN, |r| r.t)),
            valid: result.is_ok(),
        }
    }

    pub fn page(&self) -> Page {
        let list = |values: &BTreeMap<String, Number>| {
            let parts = values.iter().map(|(name, x)| format!("{} = {}", text::label(name), significant(x.0, 6)));
            parts.collect::<Vec<_>>().join(", ")
        };
        let mut page = Page::new().remark("tested", list(&self.poi_test)).remark("best fit", list(&self.best_fit));
        page = remarks(page, self.valid, self.reason.as_ref(), &[]);
        let columns = [
            Column::right("t").key("t"),
            Column::right("d.o.f.").key("degrees_of_freedom"),
            Column::right("p-value").key("p_value"),
        ];
        let mut table = Table::new("", columns);
        table.add_row([
            Cell::number(self.t.0, 6),
            Cell::count(self.degrees_of_freedom),
            Cell::number(self.p_value.0, 5),
        ]);
        page.table(table)
    }
}

/// Discovery: the background-only hypothesis tested.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SignificanceReport {
    pub best_fit: Number,
    /// With a signal of strength one, median.
    pub expected_p_value: Number,
    pub expected_significance: Number,
    /// With a signal of strength one, 2, 1, 0, −1, −2 standard deviations above the median.
    pub expected_significance_band: Vec<Number>,
    pub notes: Vec<Reason>,
    pub observed_p_value: Number,
    pub observed_significance: Number,
    pub poi: String,
    pub q0: Number,
    #[serde(rename = "q0_A")]
    pub q0_asimov: Number,
    pub reason: Option<Reason>,
    pub valid: bool,
}

impl SignificanceReport {
    pub fn new(context: &TestContext, result: &Result<Hypotest, TestFailure>, profile: Option<&Profile>) -> Self {
        let number = |f: &dyn Fn(&Hypotest) -> f64| Number(result.as_ref().map_or(f64::NAN, f));
        let band = result.as_ref().map_or([f64::NAN; 5], |t| t.expected_discovery().map(|(_, z)| z));
        SignificanceReport {
            best_fit: Number(profile.map_or(f64::NAN, |p| p.best_values()[0])),
            expected_p_value: number(&|t| t.expected_discovery()[2].0),
            expected_significance: number(&|t| t.expected_discovery()[2].1),
            expected_significance_band: numbers(&band),
            notes: context.notes(TestStatistic::Q0, profile),
            observed_p_value: number(&|t| t.discovery().0),
            observed_significance: number(&|t| t.discovery().1),
            poi: context.poi_name(),
            q0: number(&|t| t.observed.value),
            q0_asimov: number(&|t| t.asimov.value),
            reason: result.as_ref().err().map(|failure| context.reason(failure)),
            valid: result.is_ok(),
        }
    }

    pub fn page(&self) -> Page {
        let best = format!("{} = {}", text::label(&self.poi), significant(self.best_fit.0, 6));
        let page = remarks(Page::new().remark("best fit", best), self.valid, self.reason.as_ref(), &self.notes);
        let columns = [
            Column::left("").key("data"),
            Column::right("p-value").key("p_value"),
            Column::right("significance / σ").key("significance"),
        ];
        let mut table = Table::new("", columns);
        let row = |name: &str, p: Number, z: Number| [Cell::text(name), Cell::number(p.0, 5), Cell::number(z.0, 5)];
        table.add_row(row("observed", self.observed_p_value, self.observed_significance));
        table.add_row(row("expected", self.expected_p_value, self.expected_significance));
        page.table(table)
    }
}

/// CLs of the band, for reports that list several.
pub(super) fn band_cls(band: &[Tails; BAND.len()]) -> Vec<Number> {
    band.iter().map(|tails| Number(tails.cls())).collect()
}
