//! `morphist limit`: upper limits, of one workspace or of every point of a patchset.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared};
use super::output::{Format, OutputArgs};
use super::poi_args::{PoiArgs, TestStatArg, asymptotic_test, check_within};
use super::{CommandError, CommandResult, limit_points, note};
use crate::infer::asymptotic::Criterion;
use crate::infer::coefficient_limit::Allowed;
use crate::infer::hypotest::TestFailure;
use crate::infer::limit::{CoefficientLimit, LowerLimit, interpolated_limits};
use crate::infer::{
    AsymptoticTest, CoefficientTest, Hypotest, Likelihood, Limit, LimitOptions, Tail, TestStatistic, Tests, upper_limit,
};
use crate::program::Program;
use crate::report::hypotest::TestContext;
use crate::report::limit::{LimitContext, LimitReport};
use crate::workspace::inverse_mass::is_mass;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Upper limits on the POI, observed and expected; of a Wilson coefficient also lower ones, within its bounds
#[derive(Args, Clone, Debug)]
pub struct LimitCommand {
    /// Workspace or HS3 document, gzipped or not; - is standard input. With --patchset and no --name: limits of all its points
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Confidence level of the limit
    #[arg(long, visible_alias = "cl", value_name = "CL", default_value_t = 0.95, value_parser = level)]
    pub confidence_level: f64,
    /// The p-value that excludes
    #[arg(long, value_enum, default_value_t = CriterionArg::Cls)]
    pub criterion: CriterionArg,
    /// Test statistic: q or qtilde
    #[arg(long, value_enum, default_value_t = TestStatArg::Qtilde)]
    pub test_stat: TestStatArg,
    /// Test N values from LO to HI and interpolate, as pyhf's linear_grid_scan does, instead of solving for the limit
    #[arg(long, value_name = "LO,HI,N", allow_hyphen_values = true, value_parser = grid)]
    pub scan: Option<Grid>,
    /// Keep the points of the patchset that the output file has already
    #[arg(long, requires = "patchset", requires = "output_file")]
    pub resume: bool,
    #[command(flatten)]
    pub poi: PoiArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// See spec/inference.md, "Upper limits".
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CriterionArg {
    /// CLs+b/CLb
    #[value(alias = "CLs")]
    Cls,
    /// CLs+b alone
    #[value(alias = "CLs+b", alias = "CLsb")]
    Clsb,
}

impl CriterionArg {
    pub(super) fn criterion(self) -> Criterion {
        match self {
            CriterionArg::Cls => Criterion::Cls,
            CriterionArg::Clsb => Criterion::Clsb,
        }
    }
}

/// N equidistant values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    pub low: f64,
    pub high: f64,
    pub n: usize,
}

impl Grid {
    pub fn values(&self) -> Vec<f64> {
        let step = (self.high - self.low) / (self.n - 1) as f64;
        (0..self.n).map(|k| if k + 1 == self.n { self.high } else { self.low + k as f64 * step }).collect()
    }
}

impl LimitCommand {
    pub fn run(&self) -> CommandResult {
        if !self.statistic().has_cls() {
            let message = "--test-stat: limits are made of q or qtilde";
            return Err(CommandError::Usage(message.to_owned()));
        }
        if self.input.patchset.is_some() && self.input.name.is_none() {
            return limit_points::run(self);
        }
        if self.resume {
            return Err(CommandError::Usage("--resume goes with all points of a patchset, not with --name".to_owned()));
        }
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        prepared.require_reference("limit")?;
        let report = self.report(&prepared, CURVE)?;
        self.output.write(&report, || report.page(self.scan.is_some()))?;
        let Some(reason) = report.first_reason() else { return Ok(()) };
        // The table says it by itself.
        if self.output.format() != Format::Table {
            note(&format!("no limit: {}", reason.message));
        }
        Err(CommandError::Reported)
    }

    fn statistic(&self) -> TestStatistic {
        self.test_stat.statistic()
    }

    fn options(&self) -> LimitOptions {
        let criterion = self.criterion.criterion();
        LimitOptions { level: 1.0 - self.confidence_level, criterion, widen: self.poi.poi_bounds.is_none() }
    }

    /// The limits of one model, with tests at the limits and at `n_between` values around them.
    pub fn report(&self, prepared: &Prepared, n_between: usize) -> Result<LimitReport, CommandError> {
        let (poi, fit_options) = self.poi.options(prepared)?;
        refuse_mass(prepared, poi)?;
        let program = Program::compile(&prepared.model);
        let coefficient = prepared.is_coefficient(poi);
        let test_context = TestContext { model: &prepared.model, options: &fit_options, poi, coefficient };
        let context = LimitContext { test: test_context, statistic: self.statistic(), options: self.options() };
        if coefficient {
            let likelihood = Likelihood::new(&program, &prepared.data, fit_options.clone());
            return self.of_coefficient(prepared, likelihood, &context, n_between);
        }
        let mut test = asymptotic_test(prepared, &program, &fit_options, poi, self.statistic());
        let (limit, tests) = match &mut test {
            Err(failure) => (Err(failure.clone()), Vec::new()),
            Ok(test) => match &self.scan {
                Some(grid) => self.grid_limit(test, grid),
                None => {
                    let limit = upper_limit(test, &self.options());
                    let tests = tests_at(&values_around(&limit, n_between), |value| test.follow(value));
                    (Ok(limit), tests)
                }
            },
        };
        Ok(LimitReport::new(&context, &limit, &tests, test.as_ref().ok().map(|test| &test.observed)))
    }

    /// As [`LimitCommand::report`] of a Wilson coefficient, whose bounds stay.
    fn of_coefficient(
        &self,
        prepared: &Prepared,
        likelihood: Likelihood,
        context: &LimitContext,
        n_between: usize,
    ) -> Result<LimitReport, CommandError> {
        let (poi, options) = (context.test.poi, self.options());
        if !self.statistic().is_tilde() {
            let message = "--test-stat: limits on a Wilson coefficient are made of qtilde, since q would test against mirror \
                           solutions on the other side of zero";
            return Err(CommandError::Usage(message.to_owned()));
        }
        if let Some(grid) = &self.scan {
            for value in [grid.low, grid.high] {
                check_within(prepared, context.test.options, poi, value)?;
            }
        }
        let mut test = CoefficientTest::new(likelihood, poi);
        let (limit, tests) = match &mut test {
            Err(failure) => (Err(failure.clone()), Vec::new()),
            Ok(test) => match &self.scan {
                Some(grid) => {
                    let values = grid.values();
                    values.iter().for_each(|&value| drop(test.confirm(value)));
                    let tests = tests_at(&values, |value| test.follow(value));
                    (Ok(by_interpolation(&tests, &options, context.test.options.bounds[poi])), tests)
                }
                None => {
                    let limit = test.limits(&options);
                    let tests = tests_at(&values_around(&limit, n_between), |value| test.follow(value));
                    (Ok(limit), tests)
                }
            },
        };
        Ok(LimitReport::new(context, &limit, &tests, test.as_ref().ok().map(CoefficientTest::observed)))
    }

    /// Tests on a grid, and the limits by interpolation.
    fn grid_limit(&self, test: &mut AsymptoticTest, grid: &Grid) -> (Result<Limit, TestFailure>, Tests) {
        let before = test.observed.likelihood.options.bounds[test.poi];
        let high = before.1.max(grid.high);
        if high > before.1
            && let Err(failure) = test.raise_upper_bound(high)
        {
            return (Err(failure), Vec::new());
        }
        let values = grid.values();
        // A lower minimum found on the way changes the tests before it, so these are read when all are made.
        for &value in &values {
            let _ = test.confirm(value);
        }
        let tests = tests_at(&values, |value| test.follow(value));
        let (observed, expected) = interpolated_limits(&tests, &self.options(), Tail::Upper);
        let widened_from = (high > before.1).then_some(before);
        let bounds = (before.0, high);
        (Ok(Limit { observed, expected, test: None, bounds, widened_from, coefficient: None }), tests)
    }
}

/// A mass acts most where it is small, and not at all where it is infinite: an upper limit on it would say nothing.
fn refuse_mass(prepared: &Prepared, poi: usize) -> CommandResult {
    let names = prepared.model.parameter_names();
    let name = names.get(poi).map_or("", String::as_str);
    let eft = prepared.eft();
    if !eft.is_some_and(|eft| is_mass(eft, name)) {
        return Ok(());
    }
    let name = crate::report::text::label(name);
    Err(CommandError::Usage(format!(
        "{name} stands in denominators, and the Standard Model is where it is infinite: eft mass gives its lower limit, \
         scan its intervals"
    )))
}

/// The limits on a coefficient that are read from tests of these values, on either side of the alternative.
fn by_interpolation(tests: &Tests, options: &LimitOptions, bounds: (f64, f64)) -> Limit {
    let of_tail = |tail: Tail| {
        let tests: Tests = tests.iter().filter(|(value, _)| tail.sign() * value >= 0.0).cloned().collect();
        interpolated_limits(&tests, options, tail)
    };
    let (observed, expected) = of_tail(Tail::Upper);
    let lower = tests.iter().any(|(value, _)| *value < 0.0).then(|| of_tail(Tail::Lower));
    let lower = lower.map(|(observed, expected)| LowerLimit { observed, expected });
    let coefficient = Some(CoefficientLimit { allowed: None, lower });
    Limit { observed, expected, test: None, bounds, widened_from: None, coefficient }
}

/// How many values a limit tests so that CLs can be drawn.
const CURVE: usize = 31;

/// And how many in each interval of a coefficient that is allowed, which may be narrow.
const ALLOWED: usize = 9;

/// The limits found and `n_between` equidistant values, from the lower limit or the lowest value that is tested to a little
/// above the highest limit, ascending.
fn values_around(limit: &Limit, n_between: usize) -> Vec<f64> {
    let mut values: Vec<f64> = limit.expected.iter().chain([&limit.observed]).flatten().copied().collect();
    let mut low = limit.bounds.0.max(0.0);
    let mut high = values.iter().copied().fold(low, |a, b| a.max(b + 0.1 * (b - low))).min(limit.bounds.1);
    if let Some(coefficient) = &limit.coefficient {
        let lower = coefficient.lower.iter().flat_map(|lower| lower.expected.iter().chain([&lower.observed]));
        let lower: Vec<Option<f64>> = lower.map(|limit| limit.as_ref().ok().copied()).collect();
        // Where there is no limit the bound is as far as it goes.
        let farthest = |found: &Option<f64>| found.map_or(limit.bounds.0, |x| 1.1 * x);
        low = lower.iter().map(farthest).fold(low, f64::min).max(limit.bounds.0);
        if limit.expected.iter().chain([&limit.observed]).any(Result::is_err) {
            high = limit.bounds.1;
        }
        values.extend(lower.into_iter().flatten());
        let drawn = coefficient.allowed.iter().flatten().filter(|_| n_between > 1);
        for Allowed { lower, upper } in drawn {
            values.extend(Grid { low: lower.value, high: upper.value, n: ALLOWED }.values());
        }
    }
    if high > low && n_between > 1 {
        values.extend(Grid { low, high, n: n_between }.values());
    }
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn tests_at(values: &[f64], mut test: impl FnMut(f64) -> Result<Hypotest, TestFailure>) -> Tests {
    values.iter().map(|&value| (value, test(value))).collect()
}

pub(super) fn level(text: &str) -> Result<f64, String> {
    let level = text.trim().parse().ok().filter(|x: &f64| *x > 0.0 && *x < 1.0);
    level.ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

pub(super) fn grid(text: &str) -> Result<Grid, String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let number = |text: &str| text.parse().ok().filter(|x: &f64| x.is_finite());
    match parts.as_slice() {
        [low, high, n] => match (number(low), number(high), n.parse()) {
            (Some(low), Some(high), Ok(n)) if low < high && (2..=100_000).contains(&n) => Ok(Grid { low, high, n }),
            _ => Err("expected LO,HI,N with LO < HI and N from 2 to 100000".to_owned()),
        },
        _ => Err("expected LO,HI,N".to_owned()),
    }
}
