//! `morphist ranking`: impacts on the parameter of interest.

use super::blind_args::BlindPoiArgs;
use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared, whole};
use super::output::OutputArgs;
use super::selection::select;
use super::{CommandError, CommandResult, judge, note, progress};
use crate::infer::asimov::{AsimovPoint, asimov};
use crate::infer::ranking::{ImpactMethod, RankingOptions, ranking};
use crate::infer::{Hesse, Likelihood, MOST_PARAMETERS};
use crate::model::Model;
use crate::program::Program;
use crate::report::ranking::{Context, RankingReport};
use crate::report::text;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Impacts of all parameters on the parameter of interest, by refits or from the Hessian
#[derive(Args, Debug)]
pub struct Ranking {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// How pre-fit and post-fit impacts are found
    #[arg(long, value_enum, default_value_t = Method::Refit)]
    pub method: Method,
    /// How the impacts of the auxiliary data are found
    #[arg(long, value_enum, default_value_t = Method::Hesse)]
    pub global: Method,
    /// Parameters whose share of the uncertainty is told: NAME=GLOB,GLOB,…; may be given several times
    #[arg(long = "group", value_name = "NAME=GLOB,…")]
    pub groups: Vec<String>,
    /// List the first N parameters only
    #[arg(long, alias = "max_pars", value_name = "N", value_parser = whole)]
    pub max_pars: Option<u64>,
    /// Fit Asimov data: what the model expects before a fit
    #[arg(long)]
    pub asimov: bool,
    /// Value of the parameter of interest in the Asimov data
    #[arg(long, alias = "expectSignal", value_name = "V", requires = "asimov", allow_negative_numbers = true)]
    pub poi_value: Option<f64>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub blind: BlindPoiArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Fits with the parameter held, or its auxiliary datum moved
    Refit,
    /// Derivatives at the minimum
    Hesse,
}

impl From<Method> for ImpactMethod {
    fn from(method: Method) -> ImpactMethod {
        match method {
            Method::Refit => ImpactMethod::Refit,
            Method::Hesse => ImpactMethod::Hesse,
        }
    }
}

impl Ranking {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        if self.asimov {
            prepared.require_reference("--asimov")?;
        }
        let poi = free_poi(&prepared)?;
        at_most_parameters(&prepared)?;
        let (group_names, groups) = groups(&prepared.model, &self.groups)?;
        let (method, global_method) = (self.method.into(), self.global.into());
        let options = RankingOptions { poi, method, global_method, groups };

        let program = Program::compile(&prepared.model);
        let mut likelihood = Likelihood::new(&program, &prepared.data, prepared.fit_options(Hesse::All));
        if self.asimov {
            let point = AsimovPoint::Given(prepared.prefit_point(&program));
            let made = asimov(&mut likelihood, point, self.poi_value.map(|value| (poi, value)));
            likelihood = likelihood.with_data(&made.map_err(|why| prepared.no_data("--asimov", &why))?.data);
        }
        let mut found = progress::run("impacts", |watch| ranking(&likelihood, &options, watch))?;
        let blinding = prepared.blinding(self.blind.hide(&prepared, &mut found.fit)?);
        let context = Context {
            model: &prepared.model,
            fit_options: &likelihood.options,
            options: &options,
            group_names: &group_names,
            most_parameters: self.max_pars.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
            blinding,
        };
        let report = RankingReport::new(context, &found);
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }
}

/// The parameter of interest, which a fit may move.
pub(super) fn free_poi(prepared: &Prepared) -> Result<usize, CommandError> {
    let message = |message: &str| Err(CommandError::Message(message.to_owned()));
    let Some(poi) = prepared.model.poi else {
        return message("there is no parameter of interest: name one with --poi");
    };
    match prepared.fixed.get(poi) {
        Some(true) if prepared.whole.as_ref().is_some_and(|whole| whole.held.contains(&poi)) => {
            message("the parameter of interest acts in blinded data only: the others do not determine it")
        }
        Some(true) => message("the parameter of interest is fixed"),
        _ => Ok(poi),
    }
}

/// A covariance of more parameters would take gigabytes.
pub(super) fn at_most_parameters(prepared: &Prepared) -> CommandResult {
    let free = prepared.fixed.iter().filter(|fixed| !**fixed).count();
    if free <= MOST_PARAMETERS {
        return Ok(());
    }
    let message =
        format!("{free} free parameters: a covariance is made for at most {MOST_PARAMETERS}; hold some with --fix");
    Err(CommandError::Message(message))
}

/// Names and parameters of the groups.
fn groups(model: &Model, settings: &[String]) -> Result<(Vec<String>, Vec<Vec<usize>>), CommandError> {
    let mut names = Vec::new();
    let mut groups = Vec::new();
    for setting in settings {
        let usage = |message: String| CommandError::Usage(format!("--group {}: {message}", text::label(setting)));
        let (name, patterns) = setting.split_once('=').ok_or_else(|| usage("expected NAME=GLOB,…".to_owned()))?;
        let mut parameters = Vec::new();
        for pattern in patterns.split(',') {
            parameters.extend(select(model, pattern).map_err(usage)?.indices);
        }
        parameters.sort_unstable();
        parameters.dedup();
        if parameters.iter().any(|i| model.poi == Some(*i)) {
            note(&format!("--group {}: the parameter of interest is not part of the group", text::label(setting)));
        }
        names.push(name.to_owned());
        groups.push(parameters);
    }
    Ok((names, groups))
}
