//! `morphist hypotest`: CLs and p-values of tested values.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared};
use super::output::OutputArgs;
use super::poi_args::{PoiArgs, TestStatArg, check_free, check_tilde, check_within};
use super::pyhf_args::PyhfArgs;
use super::toys::{ToyArgs, ToyRun, write_report};
use super::{CommandError, CommandResult, judge, note};
use crate::infer::hypotest::likelihood_ratio;
use crate::infer::{AsymptoticTest, CoefficientTest, FitOptions, Likelihood, Profile, TestStatistic};
use crate::program::Program;
use crate::report::by_name;
use crate::report::hypotest::{HypotestReport, LikelihoodRatioReport, TestContext};
use crate::report::text;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// CLs, observed and expected, of a value of the POI; p-values of several parameters
#[derive(Args, Debug)]
pub struct Hypotest {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Value of the POI; or NAME=V of any parameter, and several times for a test of several parameters together
    #[arg(long, value_name = "[NAME=]V", default_value = "1.0", allow_hyphen_values = true)]
    pub test_poi: Vec<String>,
    /// Test statistic
    #[arg(long, value_enum, default_value_t = TestStatArg::Qtilde)]
    pub test_stat: TestStatArg,
    /// How the distributions of the statistic are known
    #[arg(long, value_enum, default_value_t = CalcType::Asymptotics)]
    pub calctype: CalcType,
    #[command(flatten)]
    pub toys: ToyArgs,
    #[command(flatten)]
    pub poi: PoiArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub pyhf: PyhfArgs,
}

/// pyhf's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CalcType {
    /// From asymptotic formulae
    Asymptotics,
    /// From toys, see --ntoys and --seed
    Toybased,
}

impl Hypotest {
    pub fn run(&self) -> CommandResult {
        self.pyhf.tell();
        let mut prepared = self.model.prepare(&self.workspace, &self.input)?;
        prepared.require_reference("hypotest")?;
        let tested = self.tested(&prepared)?;
        match tested.as_slice() {
            [(name, value)] => {
                if let Some(parameter) = name {
                    prepared.model.poi = Some(*parameter);
                }
                self.test_one(&prepared, *value)
            }
            several => self.test_several(&prepared, several),
        }
    }

    fn test_one(&self, prepared: &Prepared, value: f64) -> CommandResult {
        let (poi, options) = self.poi.options(prepared)?;
        let statistic = self.test_stat.statistic();
        let value = if self.test_stat == TestStatArg::Q0 && value != 0.0 {
            // As pyhf does, whose default value is 1 for q0 as well.
            note("q0 tests the value 0 of the POI");
            0.0
        } else {
            value
        };
        check_within(prepared, &options, poi, value)?;
        let coefficient = prepared.is_coefficient(poi);
        if !(coefficient && statistic == TestStatistic::QmuTilde && self.calctype == CalcType::Asymptotics) {
            check_tilde(statistic, value)?;
        }
        let program = Program::compile(&prepared.model);
        if self.calctype == CalcType::Toybased {
            let run = ToyRun::new(prepared, &program, &self.poi, &self.toys, self.test_stat, value)?;
            return write_report(&self.output, &run.report(prepared)?);
        }
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let context = TestContext { model: &prepared.model, options: &options, poi, coefficient };
        let report = |result: &Result<_, _>, profile: Option<&Profile>| {
            HypotestReport::new(&context, statistic, value, result, profile)
        };
        // A coefficient is tested against values between it and zero.
        let report = if coefficient && statistic == TestStatistic::QmuTilde {
            let mut test = CoefficientTest::new(likelihood, poi);
            let result = test.as_mut().map_err(|failure| failure.clone()).and_then(|test| test.at(value));
            report(&result, test.as_ref().ok().map(CoefficientTest::observed))
        } else {
            let mut test = AsymptoticTest::new(likelihood, poi, statistic);
            let result = test.as_mut().map_err(|failure| failure.clone()).and_then(|test| test.at(value));
            report(&result, test.as_ref().ok().map(|test| &test.observed))
        };
        self.output.write(&report, || report.page())?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }

    fn test_several(&self, prepared: &Prepared, tested: &[(Option<usize>, f64)]) -> CommandResult {
        if self.calctype == CalcType::Toybased {
            let message = "--calctype toybased tests one parameter";
            return Err(CommandError::Usage(message.to_owned()));
        }
        if self.test_stat != TestStatArg::T {
            let message = "several parameters are tested with --test-stat t";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let mut options: FitOptions = prepared.fit_options(crate::infer::Hesse::No);
        if let (Some((low, high)), Some(poi)) = (self.poi.poi_bounds, prepared.model.poi) {
            options.bounds[poi] = (low, high);
            options.init[poi] = options.init[poi].clamp(low, high);
        }
        let mut values: Vec<(usize, f64)> = Vec::new();
        for &(parameter, value) in tested {
            let Some(parameter) = parameter else {
                let message = "--test-poi: with several values, each needs a name: NAME=V";
                return Err(CommandError::Usage(message.to_owned()));
            };
            if values.iter().any(|(other, _)| *other == parameter) {
                return Err(CommandError::Usage("--test-poi: a parameter is given twice".to_owned()));
            }
            check_free(prepared, parameter)?;
            check_within(prepared, &options, parameter, value)?;
            values.push((parameter, value));
        }
        let program = Program::compile(&prepared.model);
        let result = likelihood_ratio(Likelihood::new(&program, &prepared.data, options.clone()), &values);
        let report = LikelihoodRatioReport::new(&prepared.model, &options, &values, &result);
        self.output.write(&report, || report.page())?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }

    /// (parameter where named, value) of each --test-poi.
    fn tested(&self, prepared: &Prepared) -> Result<Vec<(Option<usize>, f64)>, CommandError> {
        let names = prepared.model.parameter_names();
        let parse = |given: &String| {
            let usage = |what: String| CommandError::Usage(format!("--test-poi {}: {what}", text::label(given)));
            let (name, value) = match given.rsplit_once('=') {
                Some((name, value)) => (Some(name), value),
                None => (None, given.as_str()),
            };
            let value = value.trim().parse().ok().filter(|x: &f64| x.is_finite());
            let value = value.ok_or_else(|| usage("expected a finite number".to_owned()))?;
            let parameter = match name {
                None => None,
                Some(name) => Some(names.iter().position(|n| n == name).ok_or_else(|| {
                    let hint = by_name::did_you_mean(name, names.iter().map(String::as_str));
                    usage(format!("the model has no parameter {}{hint}", text::label(name)))
                })?),
            };
            Ok((parameter, value))
        };
        self.test_poi.iter().map(parse).collect()
    }
}
