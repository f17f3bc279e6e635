//! From a workspace on the command line to a model with data and a start point.

use super::CommandError;
use super::build_args::BuildArgs;
use super::input_args::{InputArgs, file_name};
use super::point::Point;
use crate::document::workspace::Workspace;
use crate::infer::{FitOptions, Hesse};
use crate::model::{Data, Model};
use crate::translate::from_pyhf::{self, ModelOptions};
use crate::workspace::Loaded;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of every command that evaluates a model.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    #[command(flatten)]
    pub build: BuildArgs,
    /// Values by name: `{name: [values]}`, a number for a scalar or `name[i]`, or a result of fit
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,
    /// Start or evaluate at this value; NAME is a name, `name[i]` or a glob, a name counting before a glob
    #[arg(long, value_name = "NAME=V")]
    pub init: Vec<String>,
    /// Hold parameters, at V where given; NAME as for --init
    #[arg(long, value_name = "NAME[=V]")]
    pub fix: Vec<String>,
    /// Fits follow their start alone, as in other programs, without a search for lower minima
    #[arg(long)]
    pub single_start: bool,
    /// Lower limit of each sample's yield in each bin
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    pub clip_sample_data: Option<f64>,
    /// Lower limit of each bin's summed yield
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    pub clip_bin_data: Option<f64>,
}

/// A model ready to evaluate. Vectors are in fit order, n_parameters long.
pub struct Prepared {
    pub file: String,
    pub measurement: String,
    pub loaded: Loaded,
    pub model: Model,
    pub data: Data,
    pub point: Vec<f64>,
    pub fixed: Vec<bool>,
    pub restarts: bool,
}

impl ModelArgs {
    /// Reads, validates and builds the model and the point that the arguments describe.
    pub fn prepare(&self, path: &Path, input: &InputArgs) -> Result<Prepared, CommandError> {
        let parameters = self.parameters.as_deref();
        input.check_stdin(&[&[path], parameters.as_slice()].concat())?;
        self.prepare_loaded(path, input.load(path)?, input)
    }

    /// As [`ModelArgs::prepare`], of a workspace that has been read.
    pub fn prepare_loaded(&self, path: &Path, loaded: Loaded, input: &InputArgs) -> Result<Prepared, CommandError> {
        let options = self.options(input)?;
        let (model, data) = self.build(path, &loaded.workspace, &options)?;
        let Point { values: point, fixed } = Point::read(self, &model, input)?;
        let (file, measurement) = (file_name(path), measurement_name(&loaded, input));
        let restarts = !self.single_start;
        Ok(Prepared { file, measurement, loaded, model, data, point, fixed, restarts })
    }

    /// What the arguments choose beyond the document.
    pub fn options(&self, input: &InputArgs) -> Result<ModelOptions, CommandError> {
        let (clip_sample_data, clip_bin_data) = (self.clip_sample_data, self.clip_bin_data);
        Ok(ModelOptions { clip_sample_data, clip_bin_data, ..self.build.options(input)? })
    }

    /// The model of a valid workspace and its data.
    pub fn build(
        &self,
        path: &Path,
        workspace: &Workspace,
        options: &ModelOptions,
    ) -> Result<(Model, Data), CommandError> {
        let model = self.build.model(path, workspace, options)?;
        let data = from_pyhf::data(workspace, &model).map_err(|f| CommandError::input(&file_name(path), f))?;
        Ok((model, data))
    }
}

impl Prepared {
    /// A fit from this point.
    pub fn fit_options(&self, hesse: Hesse) -> FitOptions {
        let (init, fixed, restarts) = (self.point.clone(), self.fixed.clone(), self.restarts);
        FitOptions { init, fixed, hesse, restarts, ..FitOptions::new(&self.model) }
    }
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "expected a finite number".to_owned())
}

/// The chosen measurement, or the first.
pub fn measurement_name(loaded: &Loaded, input: &InputArgs) -> String {
    let first = loaded.workspace.measurements.first().map(|m| m.name.clone());
    input.measurement.clone().or(first).unwrap_or_default()
}
