//! `morphist minos`: asymmetric uncertainties.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared, whole};
use super::output::{Format, OutputArgs};
use super::selection::select;
use super::{CommandError, CommandResult, note, progress};
use crate::infer::interval::ONE_SIGMA;
use crate::infer::{FitOptions, Hesse, Likelihood, minos};
use crate::model::Model;
use crate::program::Program;
use crate::report::minos::MinosReport;
use crate::report::text::label;
use clap::Args;
use std::path::PathBuf;

/// Asymmetric uncertainties: where the profile likelihood rises by the height of a level
#[derive(Args, Debug)]
pub struct Minos {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Parameters: names, `name[i]` or globs [default: all that are free]
    #[arg(value_name = "PARAMETER")]
    pub names: Vec<String>,
    /// Probability of the intervals, such as 0.95 [default: one standard deviation, 0.6827]
    #[arg(long, value_name = "P", visible_alias = "minos-cl", alias = "minos_cl", value_parser = probability)]
    pub level: Option<f64>,
    /// Seed of the spread starts
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole)]
    pub seed: u64,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Minos {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let parameters = chosen(&prepared, &self.names)?;
        let program = Program::compile(&prepared.model);
        let options = FitOptions { seed: self.seed, ..prepared.fit_options(Hesse::No) };
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let level = self.level.unwrap_or(ONE_SIGMA);
        let result = progress::run("MINOS", |watch| minos(&likelihood, &parameters, level, watch))?;
        let report = MinosReport::new(&prepared.model, &options, &result).with_blinding(prepared.blinding(false));
        let Prepared { file, measurement, model, .. } = &prepared;
        self.output.write(&report, || report.page(model, file, measurement))?;
        let failed = report.n_failed();
        let message = match (&report.reason, failed) {
            (None, 0) if report.valid => return Ok(()),
            (Some(reason), _) => format!("the fit is not valid: {}", reason.message),
            (None, 0) => "the fit is not valid".to_owned(),
            (None, n) => format!("{n} {} not found", if n == 1 { "side was" } else { "sides were" }),
        };
        // The table says it by itself.
        if self.output.format() != Format::Table {
            note(&message);
        }
        Err(CommandError::Reported)
    }
}

/// What is named, each once and in fit order.
pub(super) fn chosen(prepared: &Prepared, names: &[String]) -> Result<Vec<usize>, CommandError> {
    if names.is_empty() {
        let free: Vec<usize> = (0..prepared.fixed.len()).filter(|&i| !prepared.fixed[i]).collect();
        let nothing = || CommandError::Usage("all parameters are fixed: there is nothing to profile".to_owned());
        return if free.is_empty() { Err(nothing()) } else { Ok(free) };
    }
    let mut chosen = Vec::new();
    for pattern in names {
        let indices = select(&prepared.model, pattern).map_err(CommandError::Usage)?.indices;
        if indices.iter().all(|&i| prepared.fixed[i]) {
            let message = format!("{} is fixed: a profile needs a parameter that moves in the fit", label(pattern));
            return Err(CommandError::Usage(message));
        }
        chosen.extend(indices);
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

/// The one free parameter that a name names.
pub(super) fn one_parameter(model: &Model, fixed: &[bool], name: &str) -> Result<usize, CommandError> {
    let selection = select(model, name).map_err(CommandError::Usage)?;
    let label = label(name);
    match selection.indices.as_slice() {
        [index] if fixed.get(*index).copied().unwrap_or(false) => {
            Err(CommandError::Usage(format!("{label} is fixed: a profile needs a parameter that moves in the fit")))
        }
        [index] => Ok(*index),
        several => Err(CommandError::Usage(format!("{label} names {} parameters: name one of them", several.len()))),
    }
}

/// A probability between 0 and 1, both excluded.
pub(super) fn probability(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|p: &f64| *p > 0.0 && *p < 1.0);
    number.ok_or_else(|| "expected a probability between 0 and 1, such as 0.95".to_owned())
}
