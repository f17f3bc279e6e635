//! `morphist eft responses`: yields of bins along single coefficients.

use super::inspect::{block, free};
use crate::cli::input_args::InputArgs;
use crate::cli::model_args::ModelArgs;
use crate::cli::output::OutputArgs;
use crate::cli::selection::select;
use crate::cli::{CommandError, CommandResult};
use crate::infer::eft::responses::{Curves, responses};
use crate::infer::scan::grid;
use crate::program::Program;
use crate::report::number::{Number, numbers};
use crate::report::response::{ResponseCurves, ResponsesReport};
use crate::report::text;
use clap::Args;
use std::path::PathBuf;

/// Yields of each bin along Wilson coefficients, the other parameters at their start: what `plot responses` draws
#[derive(Args, Debug)]
pub struct Responses {
    /// Workspace with an EFT block, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Wilson coefficients: names or globs [default: all that are free]
    #[arg(value_name = "COEFFICIENT")]
    pub names: Vec<String>,
    /// Values of each coefficient, from its lower to its upper bound
    #[arg(long, value_name = "N", visible_alias = "points", default_value_t = 41,
        value_parser = clap::value_parser!(u16).range(2..))]
    pub n_steps: u16,
    /// All samples of a channel together
    #[arg(long)]
    pub sum: bool,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Responses {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let eft = block(&prepared)?;
        let all = free(&prepared, eft).parameters;
        let mut chosen = if self.names.is_empty() { all.clone() } else { Vec::new() };
        for name in &self.names {
            chosen.extend(select(&prepared.model, name).map_err(CommandError::Usage)?.indices);
        }
        let names = prepared.model.parameter_names();
        if let Some(other) = chosen.iter().find(|i| !all.contains(i)) {
            let name = text::label(names.get(*other).map_or("", String::as_str));
            return Err(CommandError::Usage(format!("{name} is no free Wilson coefficient of this document")));
        }
        chosen.sort_unstable();
        chosen.dedup();
        let (model, program) = (&prepared.model, Program::compile(&prepared.model));
        let (point, bounds) = (prepared.prefit_point(&program), model.bounds());
        let mut curves = Vec::new();
        for coefficient in chosen {
            let (low, high) = bounds[coefficient];
            let values = grid(low, high, self.n_steps.into());
            for found in responses(model, &program, &point, coefficient, &values, self.sum) {
                curves.push(self::curves(&prepared.model, &names[coefficient], &values, &found));
            }
        }
        let report = ResponsesReport { lambda_tev: Number(eft.basis.lambda_tev), responses: curves };
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))
    }
}

fn curves(model: &crate::model::Model, coefficient: &str, values: &[f64], found: &Curves) -> ResponseCurves {
    let channel = &model.channels[found.channel];
    ResponseCurves {
        channel: channel.name.clone(),
        coefficient: coefficient.to_owned(),
        reference: numbers(&found.reference),
        sample: found.sample.map(|sample| channel.samples[sample].name.clone()),
        uncertainties: Vec::new(),
        values: numbers(values),
        yields: found.yields.iter().map(|yields| numbers(yields)).collect(),
    }
}
