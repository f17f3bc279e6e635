//! `morphist eft individual`: intervals of Wilson coefficients one by one, profiled, and of a Gaussian.

use super::chosen::chosen;
use super::compare::{of_model, outcome};
use super::inspect::block;
use crate::cli::CommandResult;
use crate::cli::input_args::InputArgs;
use crate::cli::minos::probability;
use crate::cli::model_args::ModelArgs;
use crate::cli::output::OutputArgs;
use crate::cli::progress;
use crate::infer::coefficients::gaussian;
use crate::infer::interval::ONE_SIGMA;
use crate::infer::{Hesse, Likelihood};
use crate::program::Program;
use crate::report::individual::{GaussianReport, IndividualEntry, IndividualReport};
use crate::report::number::Number;
use clap::Args;
use std::path::PathBuf;

/// Individual, profiled and marginalised-Gaussian intervals of Wilson coefficients side by side
#[derive(Args, Debug)]
pub struct Individual {
    /// Workspace with an EFT block, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Wilson coefficients: names or globs [default: all that are free]
    #[arg(value_name = "COEFFICIENT")]
    pub names: Vec<String>,
    /// Probabilities of the intervals [default: one standard deviation, 0.6827, and 0.95]
    #[arg(long, value_name = "P", value_delimiter = ',', value_parser = probability)]
    pub level: Vec<f64>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Individual {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let eft = block(&prepared)?;
        let chosen = chosen(&prepared, &self.names)?;
        let levels = if self.level.is_empty() { vec![ONE_SIGMA, 0.95] } else { self.level.clone() };
        let program = Program::compile(&prepared.model);
        let options = prepared.fit_options(Hesse::All);
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let (intervals, (fit, idle)) = progress::run("Intervals", |watch| {
            watch.expect(2 * chosen.len() as u64);
            rayon::join(|| of_model(&prepared, &chosen, &levels, watch), || gaussian(&likelihood))
        })?;
        let (model, bounds, names) = (&prepared.model, prepared.model.bounds(), prepared.model.parameter_names());
        let entry = |(&coefficient, [individual, profiled]): (&usize, [_; 2])| IndividualEntry {
            bounds: bounds.get(coefficient).map_or([f64::NAN; 2], |&(low, high)| [low, high]).map(Number),
            gaussian: GaussianReport::new(model, &options, (&fit, &idle), coefficient, &levels),
            individual,
            name: names.get(coefficient).cloned().unwrap_or_default(),
            profiled,
        };
        let entries = chosen.iter().zip(intervals).map(entry).collect();
        let report = IndividualReport::new(&eft.basis, entries, &levels, prepared.blinding(false));
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        outcome(report.n_failed(), self.output.format())
    }
}
