//! `morphist inspect`: what a workspace contains.

use super::build_args::BuildArgs;
use super::input_args::{InputArgs, file_name};
use super::model_args::measurement_name;
use super::output::OutputArgs;
use super::{CommandResult, warn};
use crate::report::inspect::{InspectReport, ModelReport};
use clap::Args;
use std::path::PathBuf;

/// Channels, samples, parameters and measurements of a workspace
#[derive(Args, Debug)]
pub struct Inspect {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// The model of the measurement instead: parameters in fit order with start, bounds and fixed flags, auxiliary data
    #[arg(long)]
    pub model: bool,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub build: BuildArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Inspect {
    pub fn run(&self) -> CommandResult {
        self.input.check_stdin(&[&self.workspace])?;
        let options = self.build.options(&self.input)?;
        let loaded = self.input.load(&self.workspace)?;
        let model = self.build.model(&self.workspace, &loaded, &options)?;
        warn(&file_name(&self.workspace), &model.warnings);
        let measurement = measurement_name(&loaded, &self.input);
        if self.model {
            let report = ModelReport::new(&measurement, &model);
            return self.output.write(&report, || report.page());
        }
        let report = InspectReport::new(&loaded.workspace, &model);
        self.output.write(&report, || report.page(&measurement))
    }
}
