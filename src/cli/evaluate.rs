//! `morphist evaluate`: the likelihood at a point.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared};
use super::output::{Format, OutputArgs};
use super::{CommandError, CommandResult, note};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::report::evaluate::{EvaluateReport, Point, page};
use crate::report::reason::Reason;
use clap::Args;
use std::path::PathBuf;

/// −2 ln L and expected data at a point, with derivatives on request
#[derive(Args, Debug)]
pub struct Evaluate {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Add the gradient of twice_nll
    #[arg(long)]
    pub gradient: bool,
    /// Add the Hessian of twice_nll
    #[arg(long)]
    pub hessian: bool,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// A full matrix of more rows would take gigabytes.
pub(super) const MOST_HESSIAN_PARAMETERS: usize = 8000;

impl Evaluate {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let n = prepared.model.n_parameters();
        if self.hessian && n > MOST_HESSIAN_PARAMETERS {
            let most = MOST_HESSIAN_PARAMETERS;
            let message = format!("--hessian: the model has {n} parameters; a matrix is written for at most {most}");
            return Err(CommandError::Message(message));
        }
        let (point, reason) = self.evaluate(&prepared);
        if self.hessian && self.output.format() != Format::Json {
            note("the Hessian is part of the JSON output only (--format json)");
        }
        let report = EvaluateReport::new(prepared.whole_model(), &point, reason);
        self.output.write(&report, || {
            let Prepared { file, measurement, .. } = &prepared;
            let (model, data) = (prepared.whole_model(), &prepared.shown_data());
            page(file, measurement, model, data, &point, report.reason.as_ref())
        })
    }

    fn evaluate(&self, prepared: &Prepared) -> (Point, Option<Reason>) {
        let Prepared { model, data, point: parameters, .. } = prepared;
        let program = Program::compile(model);
        let data = program.prepare(data);
        let mut evaluator = Evaluator::new(&program);
        let n = model.n_parameters();
        // Blinded data sets are predicted too.
        let whole = Program::compile(prepared.whole_model());
        let mut point = Point {
            parameters: parameters.clone(),
            main: vec![0.0; prepared.whole_model().n_bins()],
            auxiliary: vec![0.0; whole.n_auxdata()],
            ..Point::default()
        };
        Evaluator::new(&whole).expected(parameters, &mut point.main, &mut point.auxiliary);
        let mut gradient = vec![0.0; n];
        if self.hessian {
            let mut hessian = vec![0.0; n * n];
            point.twice_nll = evaluator.hessian(parameters, &data, &mut gradient, &mut hessian);
            point.hessian = Some(hessian);
        } else if self.gradient {
            point.twice_nll = evaluator.gradient(parameters, &data, &mut gradient);
        } else {
            point.twice_nll = evaluator.twice_nll(parameters, &data);
        }
        let facts = prepared.hs3.as_ref().filter(|_| prepared.whole.is_none());
        point.not_of_file = facts.and_then(|facts| facts.beside_file).map(Reason::not_of_file);
        let facts = facts.filter(|_| point.not_of_file.is_none());
        point.nll_roofit = facts.map(|facts| 0.5 * point.twice_nll + facts.roofit_offset);
        point.gradient = self.gradient.then_some(gradient);
        let missed = evaluator.missed_peak(parameters, &data).filter(|_| point.twice_nll.is_finite());
        if let Some(peak) = missed {
            (point.twice_nll, point.gradient, point.hessian, point.nll_roofit) = (f64::NAN, None, None, None);
            return (point, Some(Reason::missed_peak(&peak)));
        }
        let reason = evaluator.out_of_domain(parameters, &data).map(|o| Reason::out_of_domain(model, &o));
        let reason = reason.or_else(|| (!point.twice_nll.is_finite()).then(Reason::beyond_binary64));
        (point, reason)
    }
}
