//! `morphist eft mass`: a lower limit on the mass of a new particle.

use super::document_args::DocumentArgs;
use super::edit_args::fail;
use crate::cli::limit::{CriterionArg, level};
use crate::cli::output::Format;
use crate::cli::source::Source;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::infer::{CoefficientTest, Hesse, Likelihood, LimitOptions, TestStatistic};
use crate::program::Program;
use crate::report::eft_mass::EftMassReport;
use crate::report::hypotest::TestContext;
use crate::report::limit::{LimitContext, LimitReport};
use crate::workspace::inverse_mass::in_inverse_powers;
use crate::workspace::load_workspace;
use clap::Args;
use std::path::PathBuf;

/// Lower limit on a mass M in denominators of parameter_transform, from the upper limit on 1/M^k
///
/// The Standard Model is where M is infinite, so that the limit is that of a Wilson coefficient on x = 1/M^k, from zero to
/// the inverse of the lower bound of M. Couplings must be held (--fix): nothing determines them where x is zero.
#[derive(Args, Debug)]
pub struct Mass {
    /// Workspace with an EFT block, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// A parameter of the transform
    #[arg(value_name = "MASS")]
    pub mass: String,
    /// Confidence level of the limit
    #[arg(long, visible_alias = "cl", value_name = "CL", default_value_t = 0.95, value_parser = level)]
    pub confidence_level: f64,
    /// The p-value that excludes
    #[arg(long, value_enum, default_value_t = CriterionArg::Cls)]
    pub criterion: CriterionArg,
    #[command(flatten)]
    pub args: DocumentArgs,
}

impl Mass {
    pub fn run(&self) -> CommandResult {
        let source = self.args.input.load_extension(&self.workspace)?;
        let mut workspace = source.into_workspace("eft mass", &self.workspace)?.workspace;
        let inverse = in_inverse_powers(&mut workspace, &self.mass).map_err(CommandError::Usage)?;
        let loaded = load_workspace(workspace, &self.args.input.scope()).map_err(fail(&self.workspace))?;
        let mut arguments = self.args.model.clone();
        arguments.build.poi = Some(inverse.name.clone());
        let prepared = arguments.prepare_loaded(&self.workspace, &self.args.input, Source::Workspace(loaded))?;
        warn(&prepared.file, &prepared.model.warnings);
        let Some(poi) = prepared.model.poi.filter(|&poi| !prepared.fixed[poi]) else {
            return Err(CommandError::Usage(format!("{} is held", self.mass)));
        };
        let fit_options = prepared.fit_options(Hesse::No);
        let program = Program::compile(&prepared.model);
        let likelihood = Likelihood::new(&program, &prepared.data, fit_options.clone());
        let options =
            LimitOptions { level: 1.0 - self.confidence_level, criterion: self.criterion.criterion(), widen: false };
        let test = TestContext { model: &prepared.model, options: &fit_options, poi, coefficient: true };
        let context = LimitContext { test, statistic: TestStatistic::QmuTilde, options };
        let mut test = CoefficientTest::new(likelihood, poi);
        let limit = match &mut test {
            Err(failure) => Err(failure.clone()),
            Ok(test) => Ok(test.limits(&options)),
        };
        let x = LimitReport::new(&context, &limit, &[], test.as_ref().ok().map(CoefficientTest::observed));
        let report = EftMassReport::new(&self.mass, &inverse, x);
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        let Some(reason) = &report.reason else { return Ok(()) };
        // The table says it by itself.
        if self.args.output.format() != Format::Table {
            note(&format!("no limit: {}", reason.message));
        }
        Err(CommandError::Reported)
    }
}
