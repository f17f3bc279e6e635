//! `morphist inspect`: what a document contains.

use super::build_args::{BuildArgs, Built};
use super::input_args::{InputArgs, file_name};
use super::output::OutputArgs;
use super::source::{Hs3Source, Source};
use super::{CommandError, CommandResult, warn};
use crate::report::hs3_inspect::Hs3InspectReport;
use crate::report::inspect::{InspectReport, ModelReport};
use crate::translate::from_hs3::{self, Conventions};
use crate::translate::from_pyhf::ModelOptions;
use clap::Args;
use std::path::PathBuf;

/// Channels, samples, parameters and measurements of a workspace; likelihoods and conventions of an HS3 document
#[derive(Args, Debug)]
pub struct Inspect {
    /// Workspace or HS3 document, gzipped or not; - is standard input
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
        if let (Source::Hs3(source), false) = (&loaded, self.model) {
            return self.hs3(source);
        }
        let Built { name: measurement, model, .. } =
            self.build.build(&self.workspace, &self.input, &loaded, &options)?;
        warn(&file_name(&self.workspace), &model.warnings);
        if self.model {
            let report = ModelReport::new(&measurement, &model);
            return self.output.write(&report, || report.page());
        }
        let Some(workspace) = loaded.workspace() else { return Ok(()) };
        let report = InspectReport::new(workspace, &model);
        self.output.write(&report, || report.page(&measurement))
    }

    /// Every likelihood of an HS3 document, or the one that is chosen.
    fn hs3(&self, source: &Hs3Source) -> CommandResult {
        let document = &source.document;
        let options = self.build.hs3_options(&self.input, source, &ModelOptions::default())?;
        let conventions = Conventions::new(document.dialect, &options.overrides);
        let name = file_name(&self.workspace);
        let mut all = Vec::new();
        let choices = from_hs3::choices(document, &options).map_err(|mut findings| {
            source.locate(&mut findings);
            CommandError::input(&name, findings)
        })?;
        for (likelihood, options) in choices {
            let mut model = from_hs3::likelihood(document, &options).map(|likelihood| likelihood.model);
            match &mut model {
                Ok(model) => {
                    source.locate(&mut model.warnings);
                    warn(&name, &model.warnings);
                }
                Err(findings) => source.locate(findings),
            }
            all.push((likelihood, model));
        }
        let report = Hs3InspectReport::new(document, &conventions, all);
        self.output.write(&report, || report.page())
    }
}
