//! From a document on the command line to a model with data and a start point.

use super::blind_args::kept;
use super::bounds;
use super::build_args::{BuildArgs, Built, Hs3Facts};
use super::input_args::{InputArgs, file_name};
use super::point::Point;
use super::source::Source;
use super::{CommandError, CommandResult, note, warn};
use crate::document::eft::Eft;
use crate::infer::blind::{Kept, keep_sets};
use crate::infer::fit::STARTS;
use crate::infer::generate::GenerationFailure;
use crate::infer::{FitOptions, Hesse, prefit};
use crate::model::{Data, Model};
use crate::program::Program;
use crate::report::applied_fit::AppliedFit;
use crate::report::blind::Blinding;
use crate::report::reason::Reason;
use crate::report::text;
use crate::translate::from_pyhf::ModelOptions;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of every command that evaluates a model.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    #[command(flatten)]
    pub build: BuildArgs,
    /// Values by name: `{name: [values]}`, a number for a scalar or `name[i]`, or a result of fit
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,
    /// Start or evaluate at this value; NAME is a name, `name[i]` or a glob, a name counting before a glob
    #[arg(long, value_name = "NAME=V")]
    pub init: Vec<String>,
    /// Hold parameters, at V where given; NAME as for --init
    #[arg(long, value_name = "NAME[=V]")]
    pub fix: Vec<String>,
    /// Let parameters move from LOW to HIGH, which may be -inf and inf; NAME as for --init
    #[arg(long, value_name = "NAME=LOW,HIGH")]
    pub bounds: Vec<String>,
    /// Fits follow their start alone, as in other programs, without a search for lower minima
    #[arg(long)]
    pub single_start: bool,
    /// Starts in a row, spread over the Wilson coefficients, that must bring no new minimum before a fit ends
    #[arg(long, value_name = "N", default_value_t = STARTS as u32)]
    pub starts: u32,
    /// Leave these channels, measurements and unbinned terms out of the likelihood, and show their prediction only: names or
    /// globs
    #[arg(long, visible_alias = "mask", value_name = "NAME,…", value_delimiter = ',')]
    pub blind: Vec<String>,
    /// Lower limit of each sample's yield in each bin
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    pub clip_sample_data: Option<f64>,
    /// Lower limit of each bin's summed yield
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    pub clip_bin_data: Option<f64>,
}

/// How a document is read.
type Load = fn(&InputArgs, &Path) -> Result<Source, CommandError>;

/// A model ready to evaluate. Vectors are in fit order, n_parameters long.
pub struct Prepared {
    pub file: String,
    /// The analysis or the likelihood of an HS3 document.
    pub measurement: String,
    pub loaded: Source,
    pub model: Model,
    pub data: Data,
    pub hs3: Option<Hs3Facts>,
    pub point: Vec<f64>,
    pub fixed: Vec<bool>,
    /// Values that the arguments chose.
    pub chosen: Vec<bool>,
    pub restarts: bool,
    /// Spread starts that must bring nothing new.
    pub starts: usize,
    /// The result of a fit that --parameters named.
    pub applied: Option<AppliedFit>,
    /// All data sets, where `model` and `data` lack blinded ones.
    pub whole: Option<Whole>,
}

/// A model with the data sets that are blinded.
pub struct Whole {
    pub model: Model,
    pub data: Data,
    /// Those that are not.
    pub kept: Kept,
    /// Parameters that act in blinded data sets only and are held.
    pub held: Vec<usize>,
}

impl ModelArgs {
    /// Reads, validates and builds the model and the point that the arguments describe.
    pub fn prepare(&self, path: &Path, input: &InputArgs) -> Result<Prepared, CommandError> {
        self.prepare_by(path, input, InputArgs::load)
    }

    /// The same, as `load` reads the document.
    pub fn prepare_by(&self, path: &Path, input: &InputArgs, load: Load) -> Result<Prepared, CommandError> {
        let parameters = self.parameters.as_deref();
        input.check_stdin(&[&[path], parameters.as_slice()].concat())?;
        let prepared = self.prepare_loaded(path, input, load(input, path)?)?;
        warn(&prepared.file, &prepared.whole_model().warnings);
        Ok(prepared)
    }

    /// As [`ModelArgs::prepare`] for a document that has been read; the model's warnings are not told.
    pub fn prepare_loaded(&self, path: &Path, input: &InputArgs, loaded: Source) -> Result<Prepared, CommandError> {
        let Built { name: measurement, mut model, data, hs3 } = self.build(path, input, &loaded)?;
        bounds::set(&mut model, &self.bounds)?;
        let Point { values: point, fixed, chosen, applied } = Point::read(self, &model, input)?;
        let (file, restarts, starts) = (file_name(path), !self.single_start, self.starts as usize);
        let whole = None;
        let seen = Prepared {
            file,
            measurement,
            loaded,
            model,
            data,
            hs3,
            point,
            fixed,
            chosen,
            restarts,
            starts,
            applied,
            whole,
        };
        if self.blind.is_empty() { Ok(seen) } else { seen.blinded(&self.blind) }
    }

    /// What the arguments choose beyond the document.
    pub fn options(&self, input: &InputArgs) -> Result<ModelOptions, CommandError> {
        let (clip_sample_data, clip_bin_data) = (self.clip_sample_data, self.clip_bin_data);
        Ok(ModelOptions { clip_sample_data, clip_bin_data, ..self.build.options(input)? })
    }

    /// The model of a valid document and its data.
    pub fn build(&self, path: &Path, input: &InputArgs, loaded: &Source) -> Result<Built, CommandError> {
        self.build.build(path, input, loaded, &self.options(input)?)
    }
}

impl Prepared {
    /// For what knows binned data only.
    ///
    /// # Errors
    /// Where the likelihood has an unbinned term.
    pub fn refuse_unbinned(&self, what: &str, why: &str) -> CommandResult {
        match self.model.unbinned.first() {
            None => Ok(()),
            Some(term) => {
                let name = text::label(&term.name);
                Err(CommandError::Message(format!("{what}: not defined with the unbinned term {name}: {why}")))
            }
        }
    }

    /// For what compares with a saturated model.
    ///
    /// # Errors
    /// Where the likelihood of an HS3 document has densities over events, or constraints that no auxiliary datum describes.
    pub fn refuse_densities(&self, what: &str, why: &str) -> CommandResult {
        match self.model.densities {
            None => Ok(()),
            Some(_) => Err(CommandError::Message(format!("{what}: not defined for this likelihood: {why}"))),
        }
    }

    /// For what makes Asimov data or toys.
    ///
    /// # Errors
    /// Where a constraint has no auxiliary datum of its own.
    fn require_auxiliary_data(&self, what: &str) -> CommandResult {
        let constraints = self.model.densities.iter().flat_map(|term| &term.graph.constraints);
        let names: Vec<&str> = constraints.map(String::as_str).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(CommandError::Message(format!(
            "{what}: there are no Asimov data and no toys of constraints of several parameters or of functions ({}); fit, minos, \
             scan and ranking work",
            text::list(&names, 8)
        )))
    }

    /// Why toys or Asimov data cannot be made.
    pub fn no_data(&self, what: &str, why: &GenerationFailure) -> CommandError {
        CommandError::Message(format!("{what}: {}", Reason::of_generation(&self.model, why).message))
    }

    /// For what is about bins.
    ///
    /// # Errors
    /// Where the likelihood of an HS3 document has densities over events alone.
    pub fn require_channels(&self, what: &str) -> CommandResult {
        if self.model.densities.is_none() || !self.whole_model().channels.is_empty() {
            return Ok(());
        }
        Err(CommandError::Message(format!(
            "{what}: the likelihood has densities over events alone, and no channel with bins"
        )))
    }

    /// For what makes Asimov data or toys.
    ///
    /// # Errors
    /// Where an unbinned term has no reference events.
    pub fn require_reference(&self, what: &str) -> CommandResult {
        self.require_auxiliary_data(what)?;
        match self.model.unbinned.iter().find(|term| term.reference.is_empty()) {
            None => Ok(()),
            Some(term) => Err(CommandError::Message(format!(
                "{what}: the unbinned term {} has no reference events, from which Asimov data and toys are made: add the \
                 member reference",
                text::label(&term.name)
            ))),
        }
    }

    /// Takes data sets out of the likelihood.
    fn blinded(mut self, patterns: &[String]) -> Result<Prepared, CommandError> {
        let kept = kept(&self.model, "--blind", patterns)?;
        if ![&kept.channels, &kept.measurements, &kept.unbinned].into_iter().flatten().any(|kept| *kept) {
            let message = "--blind: nothing is left to fit; leave a channel, a measurement or an unbinned term in";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let masked = keep_sets(&self.model, &self.data, &kept).map_err(|_| {
            let message = "--blind: the covariance of the measurements that are left is not positive definite";
            CommandError::Message(message.to_owned())
        })?;
        let held: Vec<usize> = masked.undetermined.into_iter().filter(|&i| !self.fixed[i]).collect();
        for &i in &held {
            self.fixed[i] = true;
        }
        let model = std::mem::replace(&mut self.model, masked.model);
        let data = std::mem::replace(&mut self.data, masked.data);
        self.whole = Some(Whole { model, data, kept, held });
        self.blinding(false).notes().iter().for_each(|reason| note(&reason.message));
        Ok(self)
    }

    /// Takes the channel, measurement or unbinned term of a name out of the likelihood; coefficients that nothing else determines are
    /// held.
    pub fn leave_out(&mut self, flag: &str, name: &str) -> Result<(), CommandError> {
        let channels: Vec<bool> = self.model.channels.iter().map(|channel| channel.name != name).collect();
        let measurements: Vec<bool> = self.model.measurements.sets.iter().map(|set| set.name != name).collect();
        let unbinned: Vec<bool> = self.model.unbinned.iter().map(|term| term.name != name).collect();
        let kept = Kept { channels, measurements, unbinned };
        let flags = || kept.channels.iter().chain(&kept.measurements).chain(&kept.unbinned);
        let message = match flags().filter(|kept| !**kept).count() {
            0 => "no channel, no measurement and no unbinned term has this name",
            1 if flags().count() == 1 => "nothing is left to fit",
            1 => "",
            _ => "several data sets have this name",
        };
        if !message.is_empty() {
            return Err(CommandError::Usage(format!("{flag} {}: {message}", crate::report::text::label(name))));
        }
        let masked = keep_sets(&self.model, &self.data, &kept).map_err(|_| {
            CommandError::Message(format!("{flag} {}: the covariance of the rest is not positive definite", name))
        })?;
        (self.model, self.data) = (masked.model, masked.data);
        masked.undetermined.into_iter().for_each(|i| self.fixed[i] = true);
        Ok(())
    }

    /// The model with all data sets, blinded ones too.
    pub fn whole_model(&self) -> &Model {
        self.whole.as_ref().map_or(&self.model, |whole| &whole.model)
    }

    /// All data, NaN where blinded.
    pub fn shown_data(&self) -> Data {
        let Some(Whole { model, data, kept, .. }) = &self.whole else { return self.data.clone() };
        let mut data = data.clone();
        let hide = |values: &mut [f64], sizes: Vec<usize>, kept: &[bool]| {
            let kept = sizes.into_iter().zip(kept).flat_map(|(n, kept)| std::iter::repeat_n(*kept, n));
            values.iter_mut().zip(kept).filter(|(_, kept)| !kept).for_each(|(value, _)| *value = f64::NAN);
        };
        hide(&mut data.main, model.channels.iter().map(|channel| channel.n_bins).collect(), &kept.channels);
        // The measurements are the last of the auxiliary data.
        let measured = data.auxiliary.len().saturating_sub(model.measurements.n_points());
        let sizes = model.measurements.sets.iter().map(|set| set.data.len()).collect();
        hide(&mut data.auxiliary[measured..], sizes, &kept.measurements);
        hide(&mut data.unbinned, model.unbinned.iter().map(|term| term.n_rows()).collect(), &kept.unbinned);
        data
    }

    /// What results say about blinding; `poi` where the value of the parameter of interest is hidden.
    pub fn blinding(&self, poi: bool) -> Blinding {
        let mut blinding = Blinding { blinded: poi, ..Blinding::default() };
        if let Some(whole) = &self.whole {
            let names = whole.model.parameter_names();
            let (kept, model) = (&whole.kept, &whole.model);
            let channels = model.channels.iter().zip(&kept.channels).filter(|(_, kept)| !**kept);
            blinding.blinded_channels = channels.map(|(channel, _)| channel.name.clone()).collect();
            let measurements = model.measurements.sets.iter().zip(&kept.measurements).filter(|(_, kept)| !**kept);
            blinding.blinded_measurements = measurements.map(|(set, _)| set.name.clone()).collect();
            let unbinned = model.unbinned.iter().zip(&kept.unbinned).filter(|(_, kept)| !**kept);
            blinding.blinded_unbinned_terms = unbinned.map(|(term, _)| term.name.clone()).collect();
            blinding.held_by_blinding = whole.held.iter().filter_map(|&i| names.get(i).cloned()).collect();
        }
        blinding
    }

    /// The point before any fit: what the arguments chose, else where auxiliary data or the start put a parameter.
    pub fn prefit_point(&self, program: &Program) -> Vec<f64> {
        let mut point = prefit::point(program, &self.data.auxiliary, &self.point, &self.fixed);
        for ((value, own), _) in point.iter_mut().zip(&self.point).zip(&self.chosen).filter(|(_, chosen)| **chosen) {
            *value = *own;
        }
        program.complete(&mut point);
        point
    }

    /// The block of the EFT extension: of the workspace, or of the document that an HS3 file holds.
    pub fn eft(&self) -> Option<&Eft> {
        self.loaded.eft().or(self.hs3.as_ref().and_then(|facts| facts.eft.as_deref()))
    }

    /// Whether a parameter is a Wilson coefficient, whose bounds are the range in which its responses hold.
    pub fn is_coefficient(&self, parameter: usize) -> bool {
        let names = self.model.parameter_names();
        let declared = self.eft().into_iter().flat_map(|eft| eft.fit_coefficients());
        names.get(parameter).is_some_and(|name| declared.map(|c| c.name).any(|declared| declared == name))
    }

    /// A fit from this point.
    pub fn fit_options(&self, hesse: Hesse) -> FitOptions {
        let (init, fixed) = (self.point.clone(), self.fixed.clone());
        let (restarts, starts) = (self.restarts, self.starts);
        FitOptions { init, fixed, hesse, restarts, starts, ..FitOptions::new(&self.model) }
    }
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "expected a finite number".to_owned())
}

/// A number of things.
pub(super) fn count(text: &str) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|n: &u64| *n > 0);
    number.ok_or_else(|| "expected a whole number, 1 or above".to_owned())
}

/// A number that may be zero, such as a seed.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| "expected a whole number, 0 or above".to_owned())
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|x: &f64| *x > 0.0 && x.is_finite());
    number.ok_or_else(|| "expected a positive number".to_owned())
}
