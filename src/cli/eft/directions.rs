//! `morphist eft directions`: what the data know of combinations of coefficients, and a document in terms of these.

use super::document_args::DocumentArgs;
use super::edit_args::fail;
use super::inspect::{block, free, to_standard_model};
use crate::cli::input_args::file_name;
use crate::cli::model_args::{Prepared, positive};
use crate::cli::output::write_json;
use crate::cli::source::extension_value;
use crate::cli::{CommandError, CommandResult, note, progress, warn};
use crate::document::workspace::Workspace;
use crate::infer::eft::directions::{Spectrum, of_data_sets, spectrum};
use crate::infer::eft::information::{information, open_terms};
use crate::infer::{Hesse, Likelihood};
use crate::program::Program;
use crate::report::eft_directions::{EftDirectionsReport, Found, no_information, not_closed};
use crate::report::reason::{Code, Reason};
use crate::workspace::rotate::{Axis, Rotation, rotate};
use crate::workspace::{Scope, validate};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Fisher information of the coefficients, its eigenvectors, and which data set knows what
///
/// The information is that of Asimov data, with the nuisance parameters profiled. With --document the workspace is
/// written in terms of the eigenvectors.
#[derive(Args, Debug)]
pub struct Directions {
    /// Workspace with an EFT block, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Where the Asimov data are; --init and --parameters move single coefficients of sm
    #[arg(long, value_enum, default_value_t = Place::Sm)]
    pub at: Place,
    /// Drop directions whose eigenvalue is below this (CMS: eigenvalueThreshold): along them the coefficients stay at zero
    #[arg(long, value_name = "X", value_parser = positive)]
    pub threshold: Option<f64>,
    /// Write the workspace with the directions as parameters to FILE
    #[arg(short = 'o', long, value_name = "FILE")]
    pub document: Option<PathBuf>,
    /// What the names of directions begin with
    #[arg(long, value_name = "TEXT", default_value = "EV")]
    pub prefix: String,
    #[command(flatten)]
    pub args: DocumentArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// All coefficients at zero
    Sm,
    /// The best fit to the data
    BestFit,
}

impl Directions {
    pub fn run(&self) -> CommandResult {
        if self.document.is_some() && !self.args.input.is_unpatched() {
            let message = "--document: the workspace is written as it is in its file, without patches";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let prepared = self.args.prepare(&self.workspace)?;
        let eft = block(&prepared)?;
        let free = free(&prepared, eft);
        if free.parameters.is_empty() {
            return Err(CommandError::Message(format!("{}: no coefficient is free", prepared.file)));
        }
        let program = Program::compile(&prepared.model);
        let mut notes = Vec::new();
        let point = match self.at {
            Place::Sm => {
                let mut point = prepared.prefit_point(&program);
                to_standard_model(&prepared, &free, &mut point);
                point
            }
            Place::BestFit => best_fit(&prepared, &program, &mut notes)?,
        };
        let (model, coefficients) = (&prepared.model, &free.parameters);
        notes.extend(open_terms(&program, &point).iter().map(|open| not_closed(model, open)));
        let found = information(model, &program, &point, &prepared.fixed, coefficients);
        let matrix = found.profiled.map_err(|reason| CommandError::Message(no_information(reason).message))?;
        let spectrum = spectrum(&matrix);
        let data_sets = of_data_sets(model, &prepared.data, &point, &prepared.fixed, coefficients);
        let report = EftDirectionsReport::new(
            &Found {
                model,
                coefficients,
                point: &point,
                information: &matrix,
                spectrum: &spectrum,
                data_sets: &data_sets,
                prefix: &self.prefix,
                threshold: self.threshold,
            },
            notes,
        );
        report.notes.iter().for_each(|reason| note(&reason.message));
        if let Some(file) = &self.document {
            self.write_document(&prepared, &free.names, &spectrum, file)?;
        }
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement))
    }

    fn write_document(&self, prepared: &Prepared, names: &[String], spectrum: &Spectrum, file: &Path) -> CommandResult {
        if self.workspace == Path::new("-") {
            return Err(CommandError::Usage("--document: standard input is read once only; give a file".to_owned()));
        }
        let fail = fail(&self.workspace);
        let mut value = extension_value(&self.args.input.reading.read(&self.workspace)?, &self.workspace)?;
        let bounds = prepared.model.bounds();
        let all = prepared.model.parameter_names();
        let place = |name: &String| all.iter().position(|own| own == name);
        let bounds: Vec<(f64, f64)> = names.iter().filter_map(|name| bounds.get(place(name)?).copied()).collect();
        let axes = spectrum.directions.iter().map(|d| Axis { eigenvalue: d.eigenvalue, vector: &d.vector });
        let axes: Vec<Axis> = axes.collect();
        let rotation = Rotation {
            coefficients: names,
            bounds: &bounds,
            axes: &axes,
            prefix: &self.prefix,
            threshold: self.threshold,
        };
        let told = rotate(&mut value, &rotation).map_err(CommandError::Message)?;
        told.iter().for_each(|text| note(text));
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let findings =
            validate::check(&workspace, &Scope { compat: self.args.input.reading.compat(), ..Scope::default() });
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&file_name(file), &findings);
        write_json(&value, Some(file))
    }
}

fn best_fit(prepared: &Prepared, program: &Program, notes: &mut Vec<Reason>) -> Result<Vec<f64>, CommandError> {
    let options = prepared.fit_options(Hesse::No);
    let likelihood = Likelihood::new(program, &prepared.data, options.clone());
    let fit = progress::run("Fit", |_| likelihood.clone().fit(Hesse::No))?;
    if let Some(failure) = &fit.reason {
        let reason = Reason::of_failure(&prepared.model, failure, &options.init, &options.bounds);
        return Err(CommandError::Message(format!("the fit is not valid: {}", reason.message)));
    }
    if !fit.at_limit.is_empty() {
        let names = prepared.model.parameter_names();
        let names: Vec<&str> = fit.at_limit.iter().filter_map(|&i| names.get(i)).map(String::as_str).collect();
        let message = format!("the best fit is at a bound of {}", crate::report::text::list(&names, 6));
        notes.push(Reason::new(Code::AtBound, message));
    }
    Ok(fit.parameters)
}
