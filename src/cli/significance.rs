//! `morphist significance`: the discovery significance.

use super::input_args::InputArgs;
use super::model_args::ModelArgs;
use super::output::OutputArgs;
use super::poi_args::{PoiArgs, asymptotic_test, check_within};
use super::{CommandResult, judge};
use crate::infer::TestStatistic;
use crate::program::Program;
use crate::report::hypotest::{SignificanceReport, TestContext};
use clap::Args;
use std::path::PathBuf;

/// Discovery significance and p-value of the background-only hypothesis
#[derive(Args, Debug)]
pub struct Significance {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    #[command(flatten)]
    pub poi: PoiArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Significance {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        prepared.require_reference("significance")?;
        let (poi, options) = self.poi.options(&prepared)?;
        check_within(&prepared, &options, poi, 0.0)?;
        let program = Program::compile(&prepared.model);
        let mut test = asymptotic_test(&prepared, &program, &options, poi, TestStatistic::Q0);
        let result = match &mut test {
            Ok(test) => test.at(0.0),
            Err(failure) => Err(failure.clone()),
        };
        let coefficient = prepared.is_coefficient(poi);
        let context = TestContext { model: &prepared.model, options: &options, poi, coefficient };
        let report = SignificanceReport::new(&context, &result, test.as_ref().ok().map(|test| &test.observed));
        self.output.write(&report, || report.page())?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }
}
