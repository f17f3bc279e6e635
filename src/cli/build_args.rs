//! How a model is built from a document: the choices that the document does not make.

use super::input_args::{InputArgs, file_name, folder_of};
use super::source::{Hs3Source, Source};
use super::{CommandError, CommandResult};
use crate::document::eft::Eft;
use crate::document::hs3::MISC_KEY;
use crate::model::{Data, HistosysCode, Model, NormsysCode};
use crate::report::{by_name, text};
use crate::translate::from_hs3::{self, BesideFile, Conventions, Hs3Options};
use crate::translate::from_pyhf::{self, Compat, ModelOptions};
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

/// A model with its data. Its warnings have line and column.
pub struct Built {
    /// The measurement; the analysis or the likelihood of an HS3 document.
    pub name: String,
    pub model: Model,
    pub data: Data,
    pub hs3: Option<Hs3Facts>,
}

/// What is known of a likelihood of an HS3 document beyond its model.
#[derive(Clone, Debug)]
pub struct Hs3Facts {
    pub likelihood: String,
    pub conventions: Conventions,
    /// The block of the EFT document that the model was made of, where the file holds one.
    pub eft: Option<Box<Eft>>,
    /// What −ln L of the data is more in RooFit's convention (spec/hs3-histfactory.md, eq. 7).
    pub roofit_offset: f64,
    /// Why that would not be the number of the file itself.
    pub beside_file: Option<BesideFile>,
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

    /// The model of a valid document, which has the parameter of interest that was asked for.
    pub fn build(
        &self,
        path: &Path,
        input: &InputArgs,
        source: &Source,
        options: &ModelOptions,
    ) -> Result<Built, CommandError> {
        let mut built = match source {
            Source::Workspace(loaded) => {
                let max_np_order = options.max_np_order.into_iter().chain(loaded.max_np_order).min();
                let folder = Some(folder_of(path).to_path_buf());
                let options = &ModelOptions { folder, max_np_order, ..options.clone() };
                let workspace = &loaded.workspace;
                let model = from_pyhf::model(workspace, options);
                model.and_then(|model| from_pyhf::data(workspace, &model).map(|data| (model, data))).map(
                    |(model, data)| {
                        let first = || workspace.measurements.first().map(|m| m.name.clone());
                        let name = input.measurement.clone().or_else(first).unwrap_or_default();
                        Built { name, model, data, hs3: None }
                    },
                )
            }
            Source::Hs3(own) => {
                let folder = Some(folder_of(path).to_path_buf());
                hs3_model(own, &Hs3Options { folder, ..self.hs3_options(input, own, options)? })
            }
        }
        .map_err(|mut findings| {
            source.locate(&mut findings);
            CommandError::input(&file_name(path), findings)
        })?;
        let model = &mut built.model;
        source.locate(&mut model.warnings);
        // On the command line one value of a set may be asked for as well: `gamma[1]`.
        if let Some(name) = self.poi.as_deref().filter(|_| model.poi.is_none()) {
            model.poi = model.parameter_names().iter().position(|scalar| scalar == name);
        }
        self.check_poi(model)?;
        Ok(built)
    }

    /// The options for a likelihood of an HS3 document.
    ///
    /// # Errors
    /// Usage, where an option has a meaning for workspaces alone.
    pub fn hs3_options(
        &self,
        input: &InputArgs,
        source: &Hs3Source,
        options: &ModelOptions,
    ) -> Result<Hs3Options, CommandError> {
        let flags = [
            (
                !self.interpolation.is_empty(),
                "--interpolation",
                "an HS3 document says itself how its modifiers interpolate",
            ),
            (
                self.truncation.is_some() && !source.document.misc.contains_key(MISC_KEY),
                "--truncation",
                "an HS3 document has EFT responses only where eft expand has written their document into it",
            ),
            (
                options.clip_sample_data.is_some(),
                "--clip-sample-data",
                "for an HS3 document --convention clip_templates=yes",
            ),
            (options.clip_bin_data.is_some(), "--clip-bin-data", "for an HS3 document --convention clip_templates=yes"),
        ];
        if let Some((_, flag, why)) = flags.iter().find(|(given, ..)| *given) {
            return Err(CommandError::Usage(format!("{flag}: {why}")));
        }
        let options = input.hs3.options(&source.document, input.measurement.as_deref())?;
        Ok(Hs3Options { poi: self.poi.clone(), max_np_order: self.truncation, ..options })
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

fn hs3_model(source: &Hs3Source, options: &Hs3Options) -> crate::finding::Result<Built> {
    let likelihood = from_hs3::likelihood(&source.document, options)?;
    let roofit_offset = likelihood.nll_roofit(0.0, &likelihood.data);
    let (name, conventions, beside_file) = (likelihood.name.clone(), likelihood.conventions, likelihood.beside_file);
    let facts = Hs3Facts { likelihood: name, conventions, eft: likelihood.eft, roofit_offset, beside_file };
    let mut analyses = source.document.analyses.iter();
    let analysis = match &options.analysis {
        Some(name) => Some(name.clone()),
        None => analyses.find(|analysis| analysis.likelihood == likelihood.name).map(|analysis| analysis.name.clone()),
    };
    let name = analysis.unwrap_or(likelihood.name);
    Ok(Built { name, model: likelihood.model, data: likelihood.data, hs3: Some(facts) })
}
