//! How a model is built from a workspace: the choices that the document does not make.

use super::input_args::{InputArgs, file_name, folder_of};
use super::{CommandError, CommandResult};
use crate::model::{HistosysCode, Model, NormsysCode};
use crate::report::{by_name, text};
use crate::translate::from_pyhf::{self, Compat, ModelOptions};
use crate::workspace::Loaded;
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;

/// Options of every command that builds a model.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub struct BuildArgs {
    /// Parameter of interest instead of the measurement's, `name` or `name[i]`; empty for none
    #[arg(long, value_name = "NAME")]
    pub poi: Option<String>,
    /// Interpolation codes, such as normsys=code1,histosys=code0 [default: normsys=code4,histosys=code4p]
    #[arg(long, value_name = "TYPE=CODE,…", value_delimiter = ',')]
    pub interpolation: Vec<String>,
    /// End all EFT responses at this order in 1/Λ²: linear (1), quadratic (2) or a number; the document's own truncation
    /// stays where it is lower
    #[arg(long, value_name = "linear|quadratic|N", visible_alias = "max-np-order", value_parser = truncation)]
    pub truncation: Option<u32>,
}

/// An order in 1/Λ².
fn truncation(text: &str) -> Result<u32, String> {
    match text.trim() {
        "linear" => Ok(1),
        "quadratic" => Ok(2),
        number => number.parse().map_err(|_| "expected linear, quadratic, or an order in 1/Λ², 0 or above".to_owned()),
    }
}

impl BuildArgs {
    /// The options for [`from_pyhf::model`].
    pub fn options(&self, input: &InputArgs) -> Result<ModelOptions, CommandError> {
        let compat = input.reading.compat();
        let measurement = input.measurement.clone();
        let (poi, max_np_order) = (self.poi.clone(), self.truncation);
        let mut options = ModelOptions { measurement, poi, compat, max_np_order, ..ModelOptions::default() };
        let mut chosen = BTreeMap::new();
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
            let kind = choice.split('=').next().unwrap_or_default();
            if let Some(first) = chosen.insert(kind, choice).filter(|first| *first != choice) {
                let message = format!("--interpolation: {first} and {choice} contradict each other");
                return Err(CommandError::Usage(message));
            }
        }
        Ok(options)
    }

    /// The model of a valid workspace, which has the parameter of interest that was asked for. Its warnings have line and
    /// column.
    pub fn model(&self, path: &Path, loaded: &Loaded, options: &ModelOptions) -> Result<Model, CommandError> {
        let options = &ModelOptions { folder: Some(folder_of(path).to_path_buf()), ..options.clone() };
        let mut model = from_pyhf::model(&loaded.workspace, options).map_err(|mut findings| {
            loaded.locate(&mut findings);
            CommandError::input(&file_name(path), findings)
        })?;
        loaded.locate(&mut model.warnings);
        // On the command line one value of a set may be asked for as well: `gamma[1]`.
        if let Some(name) = self.poi.as_deref().filter(|_| model.poi.is_none()) {
            model.poi = model.parameter_names().iter().position(|scalar| scalar == name);
        }
        self.check_poi(&model)?;
        Ok(model)
    }

    fn check_poi(&self, model: &Model) -> CommandResult {
        let Some(name) = self.poi.as_deref().filter(|name| !name.is_empty() && model.poi.is_none()) else {
            return Ok(());
        };
        let label = text::label(name);
        if let Some(set) = model.parameters.iter().find(|set| set.name == name) {
            let n = set.len();
            let values = if n == 1 { "1 value, in a list".to_owned() } else { format!("{n} values") };
            let message =
                format!("--poi {label}: {label} has {values}; a parameter of interest is a scalar, such as {label}[0]");
            return Err(CommandError::Message(message));
        }
        let scalars = model.parameters.iter().filter(|set| set.scalar).map(|set| set.name.as_str());
        let hint = by_name::did_you_mean(name, scalars);
        Err(CommandError::Message(format!("--poi {label}: the model has no scalar parameter {label}{hint}")))
    }
}
