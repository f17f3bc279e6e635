//! `morphist fit`: the maximum-likelihood estimate.

use super::blind_args::BlindPoiArgs;
use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared, whole};
use super::output::OutputArgs;
use super::pyhf_args::PyhfArgs;
use super::{CommandResult, judge, note};
use crate::infer::{FitOptions, FitResult, Hesse, MOST_PARAMETERS, fit};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::report::fit::{FitReport, FitTable};
use clap::Args;
use std::path::PathBuf;

/// Maximum-likelihood fit with uncertainties and a certificate
#[derive(Args, Debug)]
pub struct Fit {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Only the minimum: no uncertainties, no correlation
    #[arg(long)]
    pub no_hesse: bool,
    /// Uncertainties and correlation of all parameters, also with more than 2000 free ones
    #[arg(long, conflicts_with = "no_hesse")]
    pub hesse: bool,
    /// Seed of the spread starts
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole)]
    pub seed: u64,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub blind: BlindPoiArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// twice_nll is always part of the result: accepted from pyhf, without effect
    #[arg(long, help_heading = "Accepted from pyhf, without effect")]
    pub value: bool,
    #[command(flatten)]
    pub pyhf: PyhfArgs,
}

impl Fit {
    pub fn run(&self) -> CommandResult {
        if self.value {
            note("--value has no effect");
        }
        self.pyhf.tell();
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let options = FitOptions { seed: self.seed, ..prepared.fit_options(self.which_hesse(&prepared)) };
        let mut result = minimise(&prepared, &options);
        let blinding = prepared.blinding(self.blind.hide(&prepared, &mut result)?);
        let Prepared { file, measurement, model, .. } = &prepared;
        let report = FitReport::new(model, &options, &result).with_blinding(&blinding);
        let table = FitTable { file, measurement, model, options: &options, result: &result, blinding: &blinding };
        self.output.write(&report, || table.page())?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }

    /// All uncertainties, or that of the POI alone where a covariance would take long and was not asked for.
    fn which_hesse(&self, prepared: &Prepared) -> Hesse {
        let free = prepared.fixed.iter().filter(|fixed| !**fixed).count();
        if self.no_hesse {
            return Hesse::No;
        }
        if self.hesse || free <= MOST_PARAMETERS {
            return Hesse::All;
        }
        note(&format!("{free} free parameters: uncertainty of the POI only; all of them with --hesse"));
        prepared.model.poi.map_or(Hesse::No, Hesse::Parameter)
    }
}

fn minimise(prepared: &Prepared, options: &FitOptions) -> FitResult {
    let program = Program::compile(&prepared.model);
    let data = program.prepare(&prepared.data);
    fit(&mut Evaluator::new(&program), &data, options)
}
