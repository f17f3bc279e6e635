//! `morphist eft compare`: intervals of Wilson coefficients, one by one and profiled, by truncation, and without parts of
//! the data.

use super::chosen::chosen;
use super::inspect::block;
use crate::cli::input_args::InputArgs;
use crate::cli::minos::probability;
use crate::cli::model_args::{ModelArgs, Prepared};
use crate::cli::output::{Format, OutputArgs};
use crate::cli::{CommandError, CommandResult, note, progress};
use crate::infer::coefficients::{Others, intervals};
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

/// Intervals of Wilson coefficients with linear, quadratic and the document's own truncation side by side, with all data and
/// without parts of them
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
    /// Responses ended at these orders in 1/Λ² too
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub order: Vec<u32>,
    /// Leave a channel, or a measurement with Gaussian errors, out too; may be given several times
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// One of the models that are compared.
struct Variant {
    truncation: TruncationName,
    max_np_order: Option<u32>,
    without: Option<String>,
    prepared: Prepared,
}

impl Compare {
    pub fn run(&self) -> CommandResult {
        if self.model.build.truncation.is_some() {
            return Err(CommandError::Usage("--truncation: all truncations are compared".to_owned()));
        }
        let own = self.model.prepare(&self.workspace, &self.input)?;
        let eft = block(&own)?.clone();
        let chosen = chosen(&own, &self.names)?;
        let variants = self.variants(&own)?;
        let levels = if self.level.is_empty() { vec![ONE_SIGMA, 0.95] } else { self.level.clone() };
        let of_models = progress::run("Compare", |watch| {
            watch.expect((variants.len() * chosen.len() * 2) as u64);
            variants.par_iter().map(|of| of_model(&of.prepared, &chosen, &levels, watch)).collect::<Vec<_>>()
        })?;
        let coefficients = chosen.iter().enumerate().map(|(place, &coefficient)| CoefficientReport {
            bounds: own.model.bounds().get(coefficient).map_or([f64::NAN; 2], |&(low, high)| [low, high]).map(Number),
            name: own.model.parameter_names().get(coefficient).cloned().unwrap_or_default(),
            truncations: variants
                .iter()
                .zip(&of_models)
                .map(|(variant, reports)| {
                    let [individual, profiled] = reports[place].clone();
                    let (truncation, max_np_order) = (variant.truncation, variant.max_np_order);
                    TruncationReport {
                        individual,
                        max_np_order,
                        profiled,
                        truncation,
                        without: variant.without.clone(),
                    }
                })
                .collect(),
        });
        let report = CompareReport::new(&eft.basis, coefficients.collect(), &levels).with_blinding(own.blinding(false));
        self.output.write(&report, || report.page(&own.file, &own.measurement))?;
        outcome(report.n_failed(), self.output.format())
    }

    /// Each truncation with all data, then without each of the parts.
    fn variants(&self, own: &Prepared) -> Result<Vec<Variant>, CommandError> {
        let named = [(TruncationName::Linear, None, Some(1)), (TruncationName::Quadratic, None, Some(2))];
        let orders = self.order.iter().map(|&order| (TruncationName::Order, Some(order), Some(order)));
        let document = (TruncationName::Document, None, None);
        let truncations: Vec<_> = named.into_iter().chain(orders).chain([document]).collect();
        let mut variants = Vec::new();
        for without in std::iter::once(None).chain(self.without.iter().map(Some)) {
            for &(truncation, max_np_order, order) in &truncations {
                let mut arguments = self.model.clone();
                arguments.build.truncation = order;
                let mut prepared = arguments.prepare_loaded(&self.workspace, &self.input, own.loaded.clone())?;
                if let Some(name) = without {
                    prepared.leave_out("--without", name)?;
                }
                variants.push(Variant { truncation, max_np_order, without: without.cloned(), prepared });
            }
        }
        Ok(variants)
    }
}

/// Intervals that are missing make a command fail; the table says it by itself.
pub(super) fn outcome(failed: usize, format: Format) -> CommandResult {
    if failed == 0 {
        return Ok(());
    }
    if format != Format::Table {
        note(&format!("{failed} sets of intervals are missing or incomplete"));
    }
    Err(CommandError::Reported)
}

/// Individual and profiled intervals of each coefficient in one model.
pub(super) fn of_model(
    prepared: &Prepared,
    chosen: &[usize],
    levels: &[f64],
    watch: &Watch,
) -> Vec<[IntervalsReport; 2]> {
    let program = Program::compile(&prepared.model);
    let options = prepared.fit_options(Hesse::No);
    let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
    let one = |&coefficient: &usize| {
        [Others::Held, Others::Profiled].map(|others| {
            let found = intervals(&likelihood, coefficient, others, levels, watch);
            watch.step();
            IntervalsReport::new(&prepared.model, &options, coefficient, &found)
        })
    };
    chosen.par_iter().map(one).collect()
}
