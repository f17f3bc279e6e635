//! `morphist build`: a workspace of a model and data.

use super::input_args::{ReadingArgs, file_name};
use super::output::write_json;
use super::source::no_hs3;
use super::{CommandError, CommandResult, warn};
use crate::document::hs3::is_hs3;
use crate::document::position;
use crate::finding::{Finding, Findings, describe};
use crate::rule;
use crate::translate::to_workspace::{BuildOptions, build};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Make a workspace of a model, as pyhf.Model takes it, and data, with the settings of all parameters written out
#[derive(Args, Debug)]
pub struct Build {
    /// Object of channels and parameters, or a workspace, of which the first measurement counts; - is standard input
    #[arg(default_value = "-", value_name = "MODEL")]
    pub model: PathBuf,
    /// JSON list: the counts of all bins, channels by name, then all auxiliary data or none
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Parameter of interest [default: that of the workspace, else mu]
    #[arg(long, value_name = "NAME")]
    pub poi: Option<String>,
    /// Name of the measurement
    #[arg(long, value_name = "NAME", default_value = "measurement")]
    pub name: String,
    /// Write the workspace to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Build {
    pub fn run(&self) -> CommandResult {
        if [self.model.as_path(), self.data.as_path()] == [Path::new("-"); 2] {
            let message = "two inputs are -, and standard input can be read once: give a file for one of them";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let document = self.reading.read(&self.model)?;
        if is_hs3(&document) {
            return Err(no_hs3("build", &self.model));
        }
        let fail = |mut findings: Findings| {
            position::resolve(&document.text, &mut findings);
            CommandError::input(&file_name(&self.model), findings)
        };
        let spec = document.value().map_err(fail)?;
        let data = self.read_data()?;
        let options =
            BuildOptions { measurement: self.name.clone(), poi: self.poi.clone(), compat: self.reading.compat() };
        let (built, warnings) = build(&spec, &data, &options).map_err(|findings| {
            let of_data = findings.0.iter().any(|finding| finding.rule == rule::DATA_LENGTH.id);
            if of_data { CommandError::input(&file_name(&self.data), findings) } else { fail(findings) }
        })?;
        warn(&file_name(&self.model), &warnings);
        write_json(&built, self.output_file.as_deref())
    }

    fn read_data(&self) -> Result<Vec<f64>, CommandError> {
        let document = self.reading.read(&self.data)?;
        let fail = |findings| CommandError::input(&file_name(&self.data), findings);
        let value = document.value().map_err(fail)?;
        let numbers = value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        numbers.ok_or_else(|| {
            fail(Finding::new(&rule::SPECIFICATION, describe(&value), "a list of numbers").at("").into())
        })
    }
}
