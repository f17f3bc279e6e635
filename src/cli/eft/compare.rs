//! `morphist eft compare`: intervals of Wilson coefficients, one by one and profiled, by truncation.

use crate::cli::input_args::InputArgs;
use crate::cli::minos::probability;
use crate::cli::model_args::{ModelArgs, Prepared};
use crate::cli::output::{Format, OutputArgs};
use crate::cli::selection::select;
use crate::cli::{CommandError, CommandResult, note, progress};
use crate::infer::coefficients::{Intervals, Others, intervals};
use crate::infer::interval::ONE_SIGMA;
use crate::infer::{Hesse, Likelihood, Watch};
use crate::program::Program;
use crate::report::coefficients::{
    CoefficientReport, CompareReport, IntervalsReport, TruncationName, TruncationReport,
};
use crate::report::number::Number;
use clap::Args;
use rayon::prelude::*;
use std::path::PathBuf;

/// Intervals of Wilson coefficients with linear, quadratic and the document's own truncation side by side
#[derive(Args, Debug)]
pub struct Compare {
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

impl Compare {
    pub fn run(&self) -> CommandResult {
        if self.model.build.truncation.is_some() {
            return Err(CommandError::Usage("--truncation: all truncations are compared".to_owned()));
        }
        let own = self.model.prepare(&self.workspace, &self.input)?;
        let Some(eft) = own.loaded.workspace.eft.clone() else {
            let message = format!("{} has no EFT block, so there is nothing to truncate", own.file);
            return Err(CommandError::Message(message));
        };
        let (linear, quadratic) = (self.truncated(&own, 1)?, self.truncated(&own, 2)?);
        let models =
            [(TruncationName::Linear, linear), (TruncationName::Quadratic, quadratic), (TruncationName::Document, own)];
        let chosen = self.chosen(&models[2].1, &eft.wilson_coefficients)?;
        let levels = if self.level.is_empty() { vec![ONE_SIGMA, 0.95] } else { self.level.clone() };
        let of_models = progress::run("Compare", |watch| {
            watch.expect((models.len() * chosen.len() * 2) as u64);
            models.par_iter().map(|(_, prepared)| of_model(prepared, &chosen, &levels, watch)).collect::<Vec<_>>()
        })?;
        let own = &models[2].1;
        let coefficients = chosen.iter().enumerate().map(|(place, &coefficient)| CoefficientReport {
            bounds: own.model.bounds().get(coefficient).map_or([f64::NAN; 2], |&(low, high)| [low, high]).map(Number),
            name: own.model.parameter_names().get(coefficient).cloned().unwrap_or_default(),
            truncations: models
                .iter()
                .zip(&of_models)
                .map(|((truncation, _), reports)| {
                    let [individual, profiled] = reports[place].clone();
                    TruncationReport { individual, profiled, truncation: *truncation }
                })
                .collect(),
        });
        let report = CompareReport::new(&eft.basis, coefficients.collect(), &levels).with_blinding(own.blinding(false));
        self.output.write(&report, || report.page(&own.file, &own.measurement))?;
        let failed = report.n_failed();
        if failed == 0 {
            return Ok(());
        }
        if self.output.format() != Format::Table {
            note(&format!("{failed} sets of intervals are missing or incomplete"));
        }
        Err(CommandError::Reported)
    }

    /// The same document with all responses ended at an order.
    fn truncated(&self, own: &Prepared, order: u32) -> Result<Prepared, CommandError> {
        let mut arguments = self.model.clone();
        arguments.build.truncation = Some(order);
        arguments.prepare_loaded(&self.workspace, &self.input, own.loaded.clone())
    }

    /// The coefficients asked for, in fit order.
    fn chosen(
        &self,
        prepared: &Prepared,
        declared: &[crate::document::eft::WilsonCoefficient],
    ) -> Result<Vec<usize>, CommandError> {
        let names = prepared.model.parameter_names();
        let is_coefficient = |i: &usize| declared.iter().any(|c| names.get(*i) == Some(&c.name));
        let mut chosen: Vec<usize> = match self.names.is_empty() {
            true => (0..names.len()).filter(is_coefficient).filter(|&i| !prepared.fixed[i]).collect(),
            false => {
                let selected: Result<Vec<_>, _> =
                    self.names.iter().map(|name| select(&prepared.model, name).map_err(CommandError::Usage)).collect();
                selected?.into_iter().flat_map(|selection| selection.indices).collect()
            }
        };
        chosen.sort_unstable();
        chosen.dedup();
        if let Some(other) = chosen.iter().find(|i| !is_coefficient(i)) {
            let name = crate::report::text::label(names.get(*other).map_or("", String::as_str));
            return Err(CommandError::Usage(format!("{name} is no Wilson coefficient of this document")));
        }
        if let Some(&fixed) = chosen.iter().find(|&&i| prepared.fixed[i]) {
            let name = crate::report::text::label(names.get(fixed).map_or("", String::as_str));
            return Err(CommandError::Usage(format!("{name} is fixed: it has no interval")));
        }
        Ok(chosen)
    }
}

/// Individual and profiled intervals of each coefficient with one truncation.
fn of_model(prepared: &Prepared, chosen: &[usize], levels: &[f64], watch: &Watch) -> Vec<[IntervalsReport; 2]> {
    let program = Program::compile(&prepared.model);
    let options = prepared.fit_options(Hesse::No);
    let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
    let one = |&coefficient: &usize| {
        [Others::Held, Others::Profiled].map(|others| {
            let found: Intervals = intervals(&likelihood, coefficient, others, levels, watch);
            watch.step();
            IntervalsReport::new(&prepared.model, &options, coefficient, &found)
        })
    };
    chosen.par_iter().map(one).collect()
}
