//! `morphist eft responses`: yields of bins along single coefficients.

use super::chosen::ChosenArgs;
use super::document_args::DocumentArgs;
use super::inspect::block;
use crate::cli::CommandResult;
use crate::infer::eft::responses::{Curves, responses};
use crate::infer::scan::grid;
use crate::program::Program;
use crate::report::number::{Number, numbers};
use crate::report::response::{ResponseCurves, ResponsesReport};
use clap::Args;

/// Yields of each bin along Wilson coefficients, the other parameters at their start: what `plot responses` draws
#[derive(Args, Debug)]
pub struct Responses {
    #[command(flatten)]
    pub of: ChosenArgs,
    /// Values of each coefficient, from its lower to its upper bound
    #[arg(long, value_name = "N", visible_alias = "points", default_value_t = 41,
        value_parser = clap::value_parser!(u16).range(2..))]
    pub n_steps: u16,
    /// All samples of a channel together
    #[arg(long)]
    pub sum: bool,
    #[command(flatten)]
    pub args: DocumentArgs,
}

impl Responses {
    pub fn run(&self) -> CommandResult {
        let prepared = self.args.prepare(&self.of.workspace)?;
        let eft = block(&prepared)?;
        let (chosen, names) = (self.of.chosen(&prepared)?, prepared.model.parameter_names());
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
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement))
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
