//! `morphist eft compare`: intervals of Wilson coefficients, one by one and profiled, by truncation, and without parts of
//! the data.

use super::chosen::IntervalArgs;
use super::document_args::DocumentArgs;
use super::inspect::block;
use crate::cli::model_args::Prepared;
use crate::cli::output::Format;
use crate::cli::{CommandError, CommandResult, note, progress};
use crate::infer::coefficients::{Others, intervals};
use crate::infer::{Hesse, Likelihood, Watch};
use crate::program::Program;
use crate::report::coefficients::{
    CoefficientReport, CompareReport, IntervalsReport, TruncationName, TruncationReport,
};
use crate::report::intervals_head::IntervalsHead;
use crate::report::number::Number;
use clap::Args;
use rayon::prelude::*;

/// Intervals of Wilson coefficients with linear, quadratic and the document's own truncation side by side, with all data and
/// without parts of them
#[derive(Args, Debug)]
pub struct Compare {
    #[command(flatten)]
    pub intervals: IntervalArgs,
    /// Responses ended at these orders in 1/Λ² too
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub order: Vec<u32>,
    /// Leave a channel, or a measurement with Gaussian errors, out too; may be given several times
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    #[command(flatten)]
    pub args: DocumentArgs,
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
        if self.args.model.build.truncation.is_some() {
            return Err(CommandError::Usage("--truncation: all truncations are compared".to_owned()));
        }
        let own = self.args.prepare(&self.intervals.of.workspace)?;
        let eft = block(&own)?.clone();
        let chosen = self.intervals.of.chosen(&own)?;
        let variants = self.variants(&own)?;
        let levels = self.intervals.levels();
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
        let head = IntervalsHead::new(&eft.basis, &levels, own.blinding(false));
        let report = CompareReport { head, coefficients: coefficients.collect() };
        self.args.output.write(&report, || report.page(&own.file, &own.measurement))?;
        outcome(report.n_failed(), self.args.output.format())
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
                let mut arguments = self.args.model.clone();
                arguments.build.truncation = order;
                let mut prepared =
                    arguments.prepare_loaded(&self.intervals.of.workspace, &self.args.input, own.loaded.clone())?;
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
