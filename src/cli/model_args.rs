//! From a workspace on the command line to a model with data and a start point.

use super::input_args::{InputArgs, file_name};
use super::selection::{assignment, select};
use super::{CommandError, note};
use crate::infer::{FitOptions, Hesse};
use crate::model::{Data, HistosysCode, Model, NormsysCode};
use crate::report::{by_name, text};
use crate::translate::from_pyhf::{self, Compat, ModelOptions};
use crate::workspace::Loaded;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of every command that evaluates a model.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// Parameter of interest instead of the measurement's; empty for none
    #[arg(long, value_name = "NAME")]
    pub poi: Option<String>,
    /// Values by name: `{name: [values]}`, a number for a scalar or `name[i]`, or a result of fit
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,
    /// Start or evaluate at this value; NAME is a name, `name[i]` or a glob
    #[arg(long, value_name = "NAME=V")]
    pub init: Vec<String>,
    /// Hold parameters, at V where given; NAME is a name, `name[i]` or a glob
    #[arg(long, value_name = "NAME[=V]")]
    pub fix: Vec<String>,
    /// Interpolation codes, such as normsys=code1,histosys=code0 [default: normsys=code4,histosys=code4p]
    #[arg(long, value_name = "TYPE=CODE,…", value_delimiter = ',')]
    pub interpolation: Vec<String>,
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
}

impl ModelArgs {
    /// Reads, validates and builds the model and the point that the arguments describe.
    pub fn prepare(&self, path: &Path, input: &InputArgs) -> Result<Prepared, CommandError> {
        let parameters = self.parameters.as_deref();
        input.check_stdin(&[&[path], parameters.as_slice()].concat())?;
        let options = self.options(input)?;
        let loaded = input.load(path)?;
        let file = file_name(path);
        let fail = |findings| CommandError::input(&file, findings);
        let model = from_pyhf::model(&loaded.workspace, &options).map_err(fail)?;
        let data = from_pyhf::data(&loaded.workspace, &model).map_err(fail)?;
        self.check_poi(&model)?;
        let (point, fixed) = self.point(&model, input)?;
        let measurement = measurement_name(&loaded, input);
        Ok(Prepared { file, measurement, loaded, model, data, point, fixed })
    }

    /// What the arguments choose beyond the document.
    pub fn options(&self, input: &InputArgs) -> Result<ModelOptions, CommandError> {
        let compat = input.reading.compat();
        let mut options = ModelOptions {
            measurement: input.measurement.clone(),
            poi: self.poi.clone(),
            clip_sample_data: self.clip_sample_data,
            clip_bin_data: self.clip_bin_data,
            compat,
            ..ModelOptions::default()
        };
        for choice in &self.interpolation {
            match (choice.split_once('='), compat) {
                (Some(("normsys", "code1")), _) => options.normsys = NormsysCode::Code1,
                (Some(("normsys", "code4")), _) => options.normsys = NormsysCode::Code4,
                (Some(("histosys", "code0")), _) => options.histosys = HistosysCode::Code0,
                (Some(("histosys", "code2")), Compat::Strict) => options.histosys = HistosysCode::Code2,
                (Some(("histosys", "code2")), Compat::Pyhf) => options.histosys = HistosysCode::Code2Pyhf,
                (Some(("histosys", "code4p")), _) => options.histosys = HistosysCode::Code4p,
                _ => {
                    return Err(CommandError::Usage(format!(
                        "--interpolation {}: expected normsys=code1|code4 or histosys=code0|code2|code4p",
                        text::label(choice)
                    )));
                }
            }
        }
        Ok(options)
    }

    fn check_poi(&self, model: &Model) -> Result<(), CommandError> {
        match self.poi.as_deref() {
            Some(name) if !name.is_empty() && model.poi.is_none() => {
                let names = model.parameters.iter().map(|p| p.name.as_str());
                let hint = by_name::did_you_mean(name, names);
                let name = text::label(name);
                Err(CommandError::Message(format!("--poi {name}: the model has no scalar parameter {name}{hint}")))
            }
            _ => Ok(()),
        }
    }

    /// The start: suggested values, then --parameters, --init, and the values of --fix.
    fn point(&self, model: &Model, input: &InputArgs) -> Result<(Vec<f64>, Vec<bool>), CommandError> {
        let (mut point, mut fixed) = (model.init(), model.fixed());
        if let Some(path) = &self.parameters {
            self.read_parameters(path, model, input, &mut point)?;
        }
        for setting in &self.init {
            let (name, value) = assignment(setting).map_err(|e| CommandError::Usage(format!("--init: {e}")))?;
            for index in select(model, name).map_err(|e| CommandError::Message(format!("--init: {e}")))? {
                set(&mut point, index, value);
            }
        }
        for setting in &self.fix {
            let (indices, value) = fix(model, setting)?;
            for index in indices {
                set(&mut fixed, index, true);
                if let Some(value) = value {
                    set(&mut point, index, value);
                }
            }
        }
        Ok((point, fixed))
    }

    fn read_parameters(
        &self,
        path: &Path,
        model: &Model,
        input: &InputArgs,
        point: &mut [f64],
    ) -> Result<(), CommandError> {
        let document = input.reading.read(path)?;
        let value = document.value().map_err(|f| CommandError::input(&file_name(path), f))?;
        let settings = by_name::read(model, &value).map_err(|problems| {
            CommandError::Message(format!("{}: {}", text::escape(&file_name(path)), problems.join("; ")))
        })?;
        for (index, value) in settings.values {
            set(point, index, value);
        }
        if !settings.missing.is_empty() {
            let missing = text::list(&settings.missing, 10);
            note(&format!("not in {}, so at the suggested start: {missing}", file_name(path)));
        }
        Ok(())
    }
}

impl Prepared {
    /// A fit from this point.
    pub fn fit_options(&self, hesse: Hesse) -> FitOptions {
        FitOptions { init: self.point.clone(), fixed: self.fixed.clone(), hesse, ..FitOptions::new(&self.model) }
    }
}

/// The parameters of one `--fix NAME[=V]` and their value. A name may itself hold an `=`.
fn fix(model: &Model, setting: &str) -> Result<(Vec<usize>, Option<f64>), CommandError> {
    let whole = select(model, setting);
    match (whole, setting.contains('=')) {
        (Ok(indices), _) => Ok((indices, None)),
        (Err(e), false) => Err(CommandError::Message(format!("--fix: {e}"))),
        (Err(_), true) => {
            let (name, value) = assignment(setting).map_err(|e| CommandError::Usage(format!("--fix: {e}")))?;
            let indices = select(model, name).map_err(|e| CommandError::Message(format!("--fix: {e}")))?;
            Ok((indices, Some(value)))
        }
    }
}

fn finite(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "expected a finite number".to_owned())
}

/// The chosen measurement, or the first.
pub fn measurement_name(loaded: &Loaded, input: &InputArgs) -> String {
    let first = loaded.workspace.measurements.first().map(|m| m.name.clone());
    input.measurement.clone().or(first).unwrap_or_default()
}

fn set<T>(values: &mut [T], index: usize, value: T) {
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}
