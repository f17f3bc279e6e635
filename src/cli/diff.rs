//! `morphist diff`: in what two workspaces differ.

use super::input_args::{ReadingArgs, file_name, folder_of};
use super::output::{OutputArgs, write_json};
use super::source::no_hs3;
use super::{CommandError, CommandResult, warn};
use crate::document::hs3::is_hs3;
use crate::document::workspace::Workspace;
use crate::finding::Findings;
use crate::infer::FitOptions;
use crate::infer::agreement::{Limits, at_starts, fits, limits};
use crate::model::{Data, Model};
use crate::program::Program;
use crate::report::diff::{DiffReport, LimitSummary};
use crate::translate::from_pyhf::{self, ModelOptions};
use crate::workspace::diff::{Tolerance, diff};
use crate::workspace::{Measurements, Scope, load_value};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Compare two workspaces by the names of their parts; ends with 1 where they differ
#[derive(Args, Debug)]
pub struct Diff {
    /// Workspace, gzipped or not; - is standard input
    #[arg(value_name = "LEFT")]
    pub left: PathBuf,
    /// The other one
    #[arg(value_name = "RIGHT")]
    pub right: PathBuf,
    /// Numbers differ by more than this fraction of the larger one
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = tolerance)]
    pub rtol: f64,
    /// Added to what --rtol allows
    #[arg(long, value_name = "SIZE", default_value_t = 0.0, value_parser = tolerance)]
    pub atol: f64,
    /// Compare −2 ln L too, of both at the suggested starts of both
    #[arg(long)]
    pub evaluate: bool,
    /// Compare fits too: minima, the parameter of interest, and what moves most
    #[arg(long)]
    pub fit: bool,
    /// Compare upper limits on the parameter of interest too: CLs at 95 %, observed and expected
    #[arg(long)]
    pub limit: bool,
    /// Write the JSON Patch (RFC 6902) that makes RIGHT of LEFT, whatever the tolerances are
    #[arg(long, conflicts_with_all = ["evaluate", "fit", "limit", "measurement"])]
    pub json_patch: bool,
    /// Measurement by name, for --evaluate, --fit and --limit [default: the first]
    #[arg(long, value_name = "NAME")]
    pub measurement: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Diff {
    pub fn run(&self) -> CommandResult {
        if [self.left.as_path(), self.right.as_path()] == [Path::new("-"); 2] {
            let message = "two inputs are -, and standard input can be read once: give a file for one of them";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let (left, right) = both(self.read(&self.left), self.read(&self.right))?;
        if self.json_patch {
            let patch = json_patch::diff(&left, &right);
            write_json(&patch, self.output.output_file.as_deref())?;
            return if patch.is_empty() { Ok(()) } else { Err(CommandError::Reported) };
        }
        let tolerance = Tolerance { relative: self.rtol, absolute: self.atol };
        let found = diff(&left, &right, tolerance);
        let (mut agreement, mut fitted, mut limited) = (None, None, None);
        if self.evaluate || self.fit || self.limit {
            let (left, right) = both(self.build(&self.left, left), self.build(&self.right, right))?;
            if self.limit {
                limited = Some((limit(&self.left, &left)?, limit(&self.right, &right)?));
            }
            let (left, right) = ((&left.0, &left.1), (&right.0, &right.1));
            agreement = self.evaluate.then(|| at_starts(left, right));
            fitted = self.fit.then(|| fits(left, right));
        } else if self.measurement.is_some() {
            return Err(CommandError::Usage("--measurement is for --evaluate, --fit and --limit".to_owned()));
        }
        let report = DiffReport::new(found, agreement, fitted, limited, |a, b| tolerance.holds(a, b));
        self.output.write(&report, || report.page(&file_name(&self.left), &file_name(&self.right)))?;
        if report.different { Err(CommandError::Reported) } else { Ok(()) }
    }

    /// The tree of a document that follows the schema.
    fn read(&self, path: &Path) -> Result<Value, CommandError> {
        let document = self.reading.read(path)?;
        if is_hs3(&document) {
            return Err(no_hs3("diff", path));
        }
        let fail = |findings| CommandError::input(&file_name(path), findings);
        Workspace::from_document(&document).map_err(fail)?;
        document.value().map_err(fail)
    }

    fn build(&self, path: &Path, value: Value) -> Result<(Model, Data), CommandError> {
        let fail = |findings: Findings| CommandError::input(&file_name(path), findings);
        let measurements = self.measurement.clone().map_or(Measurements::First, Measurements::Named);
        let compat = self.reading.compat();
        let loaded = load_value(value, &Scope { compat, measurements }).map_err(fail)?;
        warn(&file_name(path), &loaded.warnings);
        let (measurement, folder) = (self.measurement.clone(), Some(folder_of(path).to_path_buf()));
        let options = ModelOptions { measurement, compat, folder, ..ModelOptions::default() };
        let model = from_pyhf::model(&loaded.workspace, &options).map_err(fail)?;
        let data = from_pyhf::data(&loaded.workspace, &model).map_err(fail)?;
        Ok((model, data))
    }
}

/// The limits on the parameter of interest.
fn limit(path: &Path, (model, data): &(Model, Data)) -> Result<LimitSummary, CommandError> {
    let refuse = |what: &str| {
        let file = file_name(path);
        Err(CommandError::Message(format!("--limit: the parameter of interest of {file} {what}")))
    };
    match model.poi {
        Some(poi) if Program::compile(model).coefficients().contains(&poi) => {
            return refuse("is a Wilson coefficient: compare what `morphist limit` says of both");
        }
        _ => {}
    }
    match limits((model, data)) {
        Some(Limits { observed, expected }) => {
            Ok(LimitSummary::new(model, &FitOptions::new(model), &observed, &expected))
        }
        None => refuse("is empty"),
    }
}

/// What is wrong with either file is told of both at once.
fn both<T>(left: Result<T, CommandError>, right: Result<T, CommandError>) -> Result<(T, T), CommandError> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(CommandError::Input { file, findings }), Err(CommandError::Input { file: other, findings: more })) => {
            Err(CommandError::Inputs(vec![(file, findings), (other, more)]))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| "expected a number such as 1e-6, at least 0".to_owned())
}
