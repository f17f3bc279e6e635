//! `morphist yields`: predicted yields with their uncertainties.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared};
use super::output::OutputArgs;
use super::ranking::at_most_parameters;
use super::{CommandError, CommandResult, judge, note};
use crate::infer::covariance::Covariance;
use crate::infer::prediction::{Propagation, predict};
use crate::infer::{FitOptions, FitResult, Hesse, Likelihood, prefit};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::report::reason::{Code, Reason};
use crate::report::text;
use crate::report::yields::YieldsReport;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Yields of samples, channels and bins with propagated uncertainties, before or after a fit
///
/// With --parameters that name a result of fit, also of a model with other channels, the yields are those at its
/// values, with its uncertainties and correlations.
#[derive(Args, Debug)]
pub struct Yields {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Fit first
    #[arg(long)]
    pub postfit: bool,
    /// How the uncertainty of a parameter becomes one of a yield
    #[arg(long, value_enum, default_value_t = PropagationArg::Linear)]
    pub propagation: PropagationArg,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PropagationArg {
    /// By the derivatives
    Linear,
    /// By half the difference of the yields with the parameter up and down, as cabinetry does
    Variations,
}

/// Where yields are predicted, and how well the point is known.
struct Known {
    point: Vec<f64>,
    covariance: Covariance,
    notes: Vec<Reason>,
    prefit: bool,
    fit: Option<(FitOptions, FitResult)>,
}

impl Yields {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        prepared.require_channels("yields")?;
        let known = match &prepared.applied {
            _ if self.postfit => self.fitted(&prepared)?,
            Some(fit) if fit.blinded => {
                let message = "the value of the parameter of interest in --parameters is hidden: yields there would be \
                               wrong, and yields at the true value would tell it";
                return Err(CommandError::Message(message.to_owned()));
            }
            Some(_) => applied(&prepared)?,
            None => before_fit(&prepared),
        };
        let program = Program::compile(prepared.whole_model());
        let propagation = match self.propagation {
            PropagationArg::Linear => Propagation::Linear,
            PropagationArg::Variations => Propagation::Variations,
        };
        let prediction = predict(&mut Evaluator::new(&program), &known.point, &known.covariance, propagation);
        let blinding = prepared.blinding(false);
        let mut report = YieldsReport::new(prepared.whole_model(), &prepared.shown_data(), &prediction, blinding);
        report.notes.extend(known.notes);
        report.prefit = known.prefit;
        if let Some((options, fit)) = &known.fit {
            let model = &prepared.model;
            report.valid = fit.valid;
            report.reason = fit.reason.as_ref().map(|f| Reason::of_failure(model, f, &options.init, &options.bounds));
        }
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }

    fn fitted(&self, prepared: &Prepared) -> Result<Known, CommandError> {
        at_most_parameters(prepared)?;
        let program = Program::compile(&prepared.model);
        let mut likelihood = Likelihood::new(&program, &prepared.data, prepared.fit_options(Hesse::All));
        let fit = likelihood.fit(Hesse::All);
        let n = fit.parameters.len();
        let names = prepared.model.parameter_names();
        let mut notes = Vec::new();
        let covariance = match &fit.covariance {
            Some(matrix) => {
                let held = (0..n).filter(|i| matrix[i * n + i].is_nan()).filter_map(|i| names.get(i).cloned());
                let held: Vec<String> = held.collect();
                if !held.is_empty() {
                    notes.push(Reason::held_at_limit(held));
                }
                from_matrix(matrix, &names)?
            }
            None => {
                notes.push(Reason::new(Code::NotFinite, "no uncertainties: the covariance is not known"));
                Covariance::diagonal(vec![f64::NAN; n])
            }
        };
        let point = fit.parameters.clone();
        Ok(Known { point, covariance, notes, prefit: false, fit: Some((likelihood.options, fit)) })
    }
}

fn from_matrix(matrix: &[f64], names: &[String]) -> Result<Covariance, CommandError> {
    Covariance::of_matrix(matrix, names.len()).map_err(|e| {
        let name = names.get(e.parameter).map(|name| text::label(name)).unwrap_or_default();
        CommandError::Message(format!("the correlation is not positive semidefinite: it shows at {name}"))
    })
}

/// With the widths of the constraints.
fn before_fit(prepared: &Prepared) -> Known {
    let program = Program::compile(prepared.whole_model());
    let covariance = prefit::covariance(&program, &prepared.fixed);
    let point = prepared.prefit_point(&program);
    Known { point, covariance, notes: Vec::new(), prefit: true, fit: None }
}

/// At the values of a fit that is given, perhaps of another model; what it lacks is as before a fit.
fn applied(prepared: &Prepared) -> Result<Known, CommandError> {
    let Known { point, covariance, .. } = before_fit(prepared);
    let Some(fit) = &prepared.applied else { return Ok(before_fit(prepared)) };
    at_most_parameters(prepared)?;
    let names = prepared.model.parameter_names();
    let mut notes = Vec::new();
    for (what, list) in [
        ("not in the fit, so as before a fit", &fit.missing),
        ("of the fit, but not in the model, so left out", &fit.extra),
    ] {
        if !list.is_empty() {
            let message = format!("{what}: {}", text::list(list, 8));
            notes.push(Reason { parameters: Some(list.clone()), ..Reason::new(Code::NotMatched, message) });
        }
    }
    let lacks = fit.values.iter().zip(&fit.uncertainties).any(|(value, sigma)| value.is_some() && sigma.is_none());
    if lacks {
        let message = "the fit lacks uncertainties: those before a fit stand for them";
        notes.push(Reason::new(Code::NotMatched, message));
    }
    if !fit.has_correlation {
        notes.push(Reason::new(Code::NotMatched, "the fit holds no correlation: parameters count as uncorrelated"));
    }
    notes.iter().for_each(|reason| note(&reason.message));
    let covariance = from_matrix(&fit.covariance(&covariance.widths()), &names)?;
    Ok(Known { point, covariance, notes, prefit: false, fit: None })
}
