//! `morphist gof`: does the model describe the data?

use super::blind_args::{BlindPoiArgs, channels};
use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared, count, whole};
use super::output::OutputArgs;
use super::ranking::{at_most_parameters, free_poi};
use super::{CommandError, CommandResult, judge, progress};
use crate::infer::compatibility::compatibility;
use crate::infer::goodness_of_fit::{self, saturated};
use crate::infer::{Hesse, Likelihood};
use crate::model::Model;
use crate::program::Program;
use crate::report::gof::{CompatibilityReport, GofReport, GofToys};
use crate::report::reason::Reason;
use crate::report::text;
use clap::Args;
use std::path::PathBuf;

/// Goodness of fit by the saturated model, with the parts of channels, bins, measurements and constraints
#[derive(Args, Debug)]
pub struct Gof {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Test too whether the channels agree on the parameter of interest
    #[arg(long, visible_alias = "channel-compatibility")]
    pub compatibility: bool,
    /// Channels that share a parameter of interest in that test: NAME=GLOB,GLOB,… [default: each its own]
    #[arg(long = "group", value_name = "NAME=GLOB,…", requires = "compatibility")]
    pub groups: Vec<String>,
    /// The p-value from this many toys as well, made at the best fit
    #[arg(long, value_name = "N", value_parser = count)]
    pub ntoys: Option<u64>,
    /// Toys with the same seed are the same toys
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = whole)]
    pub seed: u64,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub blind: BlindPoiArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Gof {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        let why = "densities of single events have no saturated model to compare with; a document without the unbinned terms \
                   has one for its bins and measurements, and eft closure tests the ratios";
        prepared.refuse_unbinned("gof", why)?;
        let why =
            "densities over events, and constraints of several parameters, have no saturated model to compare with";
        prepared.refuse_densities("gof", why)?;
        let offset = self.blind.offset(&prepared.model)?;
        let program = Program::compile(&prepared.model);
        let mut likelihood = Likelihood::new(&program, &prepared.data, prepared.fit_options(Hesse::No));
        let fit = likelihood.fit(Hesse::No);
        let goodness = saturated(&mut likelihood, &fit.parameters);
        let blinding = prepared.blinding(offset.is_some());
        let mut report = GofReport::new(&prepared.model, &likelihood.options, &fit, &goodness, blinding);
        if let Some(n_toys) = self.ntoys.filter(|_| fit.valid) {
            let distribution = progress::run("Toys", |watch| {
                goodness_of_fit::toys(&mut likelihood, &fit.parameters, self.seed, n_toys, watch)
            })?;
            let distribution = distribution.map_err(|why| {
                let reason = Reason::of_generation(&prepared.model, &why);
                CommandError::Message(format!("no toys can be made: {}", reason.message))
            })?;
            report.toys = Some(GofToys::new(&distribution.at_least(goodness.statistic), self.seed));
        }
        if self.compatibility {
            report.compatibility = Some(self.channels_agree(&prepared, offset)?);
        }
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }

    fn channels_agree(&self, prepared: &Prepared, offset: Option<f64>) -> Result<CompatibilityReport, CommandError> {
        let poi = free_poi(prepared)?;
        at_most_parameters(prepared)?;
        let (names, groups) = self.channel_groups(&prepared.model)?;
        let options = prepared.fit_options(Hesse::All);
        Ok(match compatibility(&prepared.model, &prepared.data, &options, poi, &groups) {
            Ok(found) => CompatibilityReport::new(&prepared.model, &options, &found, &names, offset, poi),
            Err(why) => CompatibilityReport::none(why),
        })
    }

    fn channel_groups(&self, model: &Model) -> Result<(Vec<String>, Vec<Vec<usize>>), CommandError> {
        if self.groups.is_empty() {
            return Ok(model.channels.iter().enumerate().map(|(i, c)| (c.name.clone(), vec![i])).unzip());
        }
        let mut taken = vec![false; model.channels.len()];
        let (mut names, mut groups) = (Vec::new(), Vec::new());
        for setting in &self.groups {
            let usage = |message: &str| CommandError::Usage(format!("--group {}: {message}", text::label(setting)));
            let (name, patterns) = setting.split_once('=').ok_or_else(|| usage("expected NAME=GLOB,…"))?;
            let patterns: Vec<String> = patterns.split(',').map(str::to_owned).collect();
            let chosen = channels(model, "--group", &patterns)?;
            if chosen.iter().zip(&taken).any(|(chosen, taken)| *chosen && *taken) {
                return Err(usage("a channel is in another group already"));
            }
            taken.iter_mut().zip(&chosen).for_each(|(taken, chosen)| *taken |= chosen);
            names.push(name.to_owned());
            groups.push((0..chosen.len()).filter(|&i| chosen[i]).collect());
        }
        Ok((names, groups))
    }
}
