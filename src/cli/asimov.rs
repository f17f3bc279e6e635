//! `morphist asimov`: the document with what the model expects in place of the observations.

use super::input_args::{InputArgs, file_name};
use super::model_args::{ModelArgs, Prepared};
use super::output::write_json;
use super::source::{Hs3Source, Source};
use super::{CommandError, CommandResult, judge, note};
use crate::infer::asimov::{AsimovPoint, asimov};
use crate::infer::generate::GenerationFailure;
use crate::infer::{Hesse, Likelihood, prefit};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::report::number::significant;
use crate::report::reason::Reason;
use crate::report::text;
use crate::translate::hs3_data;
use crate::workspace::data::{set_auxdata, set_observation};
use clap::Args;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Write the workspace, or the HS3 document, with Asimov data in place of its observations
#[derive(Args, Debug)]
pub struct Asimov {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// At the minimum of the observed data instead of before a fit
    #[arg(long)]
    pub postfit: bool,
    /// Value of the parameter of interest
    #[arg(long, alias = "expectSignal", value_name = "V", allow_negative_numbers = true)]
    pub poi_value: Option<f64>,
    /// Fit with the parameter of interest held at --poi-value, instead of setting it afterwards
    #[arg(long, requires_all = ["postfit", "poi_value"])]
    pub conditional: bool,
    /// Leave the auxiliary data as they are
    #[arg(long)]
    pub nominal_auxdata: bool,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Write the workspace to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

impl Asimov {
    pub fn run(&self) -> CommandResult {
        self.input.check_stdin(&[&self.workspace])?;
        let document = self.input.reading.read(&self.workspace)?;
        let name = file_name(&self.workspace);
        let (mut value, loaded) = self.input.load_with_value(document, &self.input.scope())?;
        super::warn(&name, loaded.warnings());
        let prepared = self.model.prepare_loaded(&self.workspace, &self.input, loaded)?;
        super::warn(&name, &prepared.whole_model().warnings);
        let why = "its Asimov data are weights on the reference events, which a document does not hold; limit, hypotest and \
                   eft directions make them where they are needed";
        prepared.refuse_unbinned("asimov", why)?;
        prepared.require_reference("asimov")?;
        let setting = match (self.poi_value, prepared.model.poi) {
            (Some(_), None) => {
                let message = "--poi-value: there is no parameter of interest: name one with --poi";
                return Err(CommandError::Message(message.to_owned()));
            }
            (poi_value, poi) => poi.zip(poi_value),
        };
        let program = Program::compile(&prepared.model);
        let mut likelihood = Likelihood::new(&program, &prepared.data, prepared.fit_options(Hesse::No));
        let point = if self.postfit {
            AsimovPoint::Postfit { conditional: self.conditional }
        } else {
            AsimovPoint::Given(prepared.prefit_point(&program))
        };
        let made = asimov(&mut likelihood, point, setting).map_err(|why| prepared.no_data("asimov", &why))?;
        let minimum = made.minimum;
        self.fill(&mut value, &prepared, &minimum.parameters)?;
        let options = &likelihood.options;
        let reason = minimum.reason.as_ref();
        let reason = reason.map(|f| Reason::of_failure(&prepared.model, f, &options.init, &options.bounds));
        // Data of a fit that failed would look like good ones.
        judge(reason.is_none(), reason.as_ref(), super::output::Format::Json)?;
        write_json(&value, self.output_file.as_deref())
    }

    /// Replaces observations, and auxiliary data that have moved, by what the model expects at a point.
    fn fill(&self, document: &mut Value, prepared: &Prepared, point: &[f64]) -> CommandResult {
        let model = prepared.whole_model();
        let program = Program::compile(model);
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        Evaluator::new(&program).expected(point, &mut main, &mut auxiliary);
        if let Some(poi) = model.poi {
            let (names, value) = (model.parameter_names(), point.get(poi).copied().unwrap_or(f64::NAN));
            let name = names.get(poi).map(|name| text::label(name)).unwrap_or_default();
            note(&format!("Asimov data at {name} = {}", significant(value, 6)));
        }
        let mut rest = main.as_slice();
        for channel in &model.channels {
            let (own, others) = rest.split_at(channel.n_bins.min(rest.len()));
            rest = others;
            if let Some(bin) = own.iter().position(|n| !(n.is_finite() && *n >= 0.0)) {
                let (channel, n) = (text::label(&channel.name), significant(own[bin], 6));
                let message = format!("bin {bin} of channel {channel} expects {n} events: there are no such data");
                return Err(CommandError::Message(message));
            }
            self.set_counts(document, prepared, &channel.name, own)?;
        }
        self.set_densities(document, prepared, &program, point)?;
        let mut rest = &auxiliary[auxiliary.len() - program.n_measured()..];
        for set in &model.measurements.sets {
            let (own, others) = rest.split_at(set.data.len().min(rest.len()));
            rest = others;
            set_measurement(document, &set.name, own);
        }
        self.move_auxiliary_data(document, prepared, &program, &auxiliary)
    }

    /// The data of densities over events.
    fn set_densities(
        &self,
        document: &mut Value,
        prepared: &Prepared,
        program: &Program,
        point: &[f64],
    ) -> CommandResult {
        let (Source::Hs3(source), Some(term)) = (&prepared.loaded, &prepared.whole_model().densities) else {
            return Ok(());
        };
        let failed = |(pair, why)| prepared.no_data("asimov", &GenerationFailure::Densities { pair, why });
        let made = Evaluator::new(program).asimov_densities(point).map_err(failed)?;
        let mut known = BTreeSet::new();
        for (name, data) in term.graph.data_names().zip(made.iter().flat_map(|made| made.iter())) {
            let Some(name) = name.filter(|name| known.insert(*name)) else {
                let message = match name {
                    Some(name) => format!("the data {} are those of several densities", text::label(name)),
                    None => "a density whose data are a number of the likelihood itself".to_owned(),
                };
                return Err(CommandError::Message(format!("asimov: there is no place for other data: {message}")));
            };
            hs3_data::set_pair(document, &source.document, name, data).map_err(CommandError::Message)?;
        }
        Ok(())
    }

    /// Into the observations, or into the data of the likelihood of an HS3 document.
    fn set_counts(&self, document: &mut Value, prepared: &Prepared, channel: &str, counts: &[f64]) -> CommandResult {
        let (Source::Hs3(source), Some(facts)) = (&prepared.loaded, &prepared.hs3) else {
            set_observation(document, channel, counts);
            return Ok(());
        };
        let mut likelihoods = source.document.likelihoods.iter();
        let Some(likelihood) = likelihoods.find(|l| l.name == facts.likelihood) else { return Ok(()) };
        hs3_data::set_counts(document, &source.document, likelihood, channel, counts).map_err(CommandError::Message)
    }

    /// Writes auxiliary data that differ from the model's into the measurement's parameters.
    fn move_auxiliary_data(
        &self,
        document: &mut Value,
        prepared: &Prepared,
        program: &Program,
        expected: &[f64],
    ) -> CommandResult {
        let mut places = prefit::auxiliaries(program).into_iter().peekable();
        let own = &prepared.data.auxiliary;
        let mut moved: Vec<(String, Vec<f64>)> = Vec::new();
        let mut end = 0;
        for set in &prepared.model.parameters {
            end += set.len();
            let mut of_set = Vec::new();
            while let Some(place) = places.next_if(|place| place.parameter < end) {
                of_set.push(place);
            }
            let differs = |place: &prefit::Auxiliary| {
                // Not what rounding of a factor times its quotient leaves.
                (expected[place.index] - own[place.index]).abs() > 1e-12 * own[place.index].abs().max(1.0)
            };
            if of_set.iter().any(differs) {
                moved.push((set.name.clone(), of_set.iter().map(|place| expected[place.index]).collect()));
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = moved.iter().map(|(name, _)| name.as_str()).collect();
        let names = text::list(&names, 8);
        if self.nominal_auxdata {
            note(&format!(
                "the auxiliary data are those of the model, not those expected at this point, for {names}: a fit will \
                 not end at the point"
            ));
            return Ok(());
        }
        if let Source::Hs3(source) = &prepared.loaded {
            return set_global_observables(document, prepared, source, &moved);
        }
        for (name, auxdata) in &moved {
            set_auxdata(document, &prepared.measurement, name, auxdata);
        }
        note(&format!(
            "WARNING: the auxiliary data moved too, and were written as auxdata of the measurement {}: {names}; other \
             measurements keep theirs (--nominal-auxdata leaves all as they were)",
            text::label(&prepared.measurement)
        ));
        Ok(())
    }
}

/// Writes auxiliary data that have moved into the parameter point from which the analysis starts.
fn set_global_observables(
    value: &mut Value,
    prepared: &Prepared,
    source: &Hs3Source,
    moved: &[(String, Vec<f64>)],
) -> CommandResult {
    let document = &source.document;
    let analysis = document.analyses.iter().find(|analysis| analysis.name == prepared.measurement);
    for (name, auxdata) in moved {
        for datum in auxdata {
            hs3_data::set_auxdata(value, document, analysis, name, *datum).map_err(|why| {
                let message = "leaves the global observables as they are, so that a fit does not end at the point";
                CommandError::Message(format!("{}: {why}; --nominal-auxdata {message}", text::label(name)))
            })?;
        }
    }
    let names: Vec<&str> = moved.iter().map(|(name, _)| name.as_str()).collect();
    note(&format!(
        "WARNING: the global observables moved too, and were written into the parameter point, for {}; other likelihoods \
         that use them change (--nominal-auxdata leaves all as they were)",
        text::list(&names, 8)
    ));
    Ok(())
}

/// Replaces the data of a measurement with Gaussian errors.
fn set_measurement(document: &mut Value, name: &str, data: &[f64]) {
    let is_own = |measurement: &&mut Value| measurement.get("name").and_then(Value::as_str) == Some(name);
    let measurements = document.pointer_mut("/eft/gaussian_measurements").and_then(Value::as_array_mut);
    if let Some(own) = measurements.and_then(|all| all.iter_mut().find(is_own)) {
        own["data"] = data.into();
    }
}
