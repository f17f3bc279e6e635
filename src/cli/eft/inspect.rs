//! `morphist eft inspect`: what the EFT extension of a workspace says before any fit.

use super::document_args::DocumentArgs;
use super::event_quality::{Source, entries};
use crate::cli::model_args::Prepared;
use crate::cli::{CommandError, CommandResult, note};
use crate::document::eft::{Eft, Expansion, Mode, Truncation};
use crate::document::workspace::{Modifier, Sample};
use crate::infer::eft::{decomposition, information, positivity};
use crate::model::eft::polynomial;
use crate::model::eft::{Form, Monomial};
use crate::model::{self, Model};
use crate::program::Program;
use crate::report::eft_directions::{no_information, not_closed};
use crate::report::eft_inspect::events::EventsEntry;
use crate::report::eft_inspect::{BasisEntry, Context, EftInspectReport, ModifierEntry, MorphingEntry, ResponseFacts};
use crate::report::reason::{Code, Reason};
use crate::translate::solve_morph;
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Responses, smallest yields in the box, Fisher information, quality of morphing and of event databases
///
/// The information is that of Asimov data where all coefficients are zero, or where --init or --parameters put them.
#[derive(Args, Debug)]
pub struct Inspect {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Tables of each bin too; JSON has them anyway
    #[arg(long)]
    pub bins: bool,
    /// A workspace with other events of the same samples, to compare with
    #[arg(long, value_name = "FILE")]
    pub independent: Option<PathBuf>,
    #[command(flatten)]
    pub args: DocumentArgs,
}

/// The Wilson coefficients that may move: parameter and name.
pub(super) struct Free {
    pub parameters: Vec<usize>,
    pub names: Vec<String>,
}

impl Inspect {
    pub fn run(&self) -> CommandResult {
        let prepared = self.args.prepare(&self.workspace)?;
        let eft = block(&prepared)?;
        let free = free(&prepared, eft);
        let (model, program) = (&prepared.model, Program::compile(&prepared.model));
        let mut point = prepared.prefit_point(&program);
        to_standard_model(&prepared, &free, &mut point);
        let context = Context { eft, model, names: &free.names };
        let mut notes = Vec::new();
        let found = information::information(model, &program, &point, &prepared.fixed, &free.parameters);
        notes.extend(found.profiled.as_ref().err().map(|reason| no_information(*reason)));
        notes.extend(information::open_terms(&program, &point).iter().map(|open| not_closed(model, open)));
        let lost = found.channels.iter().flat_map(|c| &c.bins).filter(|bin| bin.is_none()).count();
        if lost > 0 {
            let message = format!("bins without a positive yield that move: {lost}, left out of the information");
            notes.push(Reason::new(Code::OutOfDomain, message));
        }
        let at: Vec<f64> = free.parameters.iter().map(|&i| point[i]).collect();
        let responses = decomposition::decompose(model, &program, &point, &free.parameters);
        let entry = |response: &decomposition::SampleResponse| {
            context.response(response, facts(&prepared, eft, response.channel, response.sample))
        };
        let smallest = positivity::smallest(model, &program, &point, &free.parameters);
        let events = self.events(&prepared, eft, &point, &mut notes)?;
        let report = EftInspectReport {
            basis: BasisEntry::new(eft),
            coefficients: context.coefficients(),
            events,
            information: context.information(&found, &at),
            morphing: morphing(&prepared, eft),
            positivity: smallest.iter().map(|s| context.positivity(s)).collect(),
            responses: responses.iter().map(entry).collect(),
            notes,
        };
        report.notes.iter().for_each(|reason| note(&reason.message));
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement, self.bins))
    }
}

impl Inspect {
    fn events(
        &self,
        prepared: &Prepared,
        eft: &Eft,
        point: &[f64],
        notes: &mut Vec<Reason>,
    ) -> Result<Vec<EventsEntry>, CommandError> {
        let Some(workspace) = prepared.loaded.workspace() else { return Ok(Vec::new()) };
        let own = Source { path: &self.workspace, workspace, eft };
        let Some(path) = &self.independent else { return entries(prepared, &own, None, point, notes) };
        let other = self.args.input.load_extension(path)?.into_workspace("--independent", path)?;
        let Some(block) = other.workspace.eft.as_deref() else {
            let message = format!("--independent {}: a plain workspace, without events", path.display());
            return Err(CommandError::Message(message));
        };
        entries(prepared, &own, Some(&Source { path, workspace: &other.workspace, eft: block }), point, notes)
    }
}

/// The block `eft` of a workspace that has one.
pub(super) fn block(prepared: &Prepared) -> Result<&Eft, CommandError> {
    prepared
        .loaded
        .eft()
        .ok_or_else(|| CommandError::Message(format!("{}: a plain document, without the EFT extension", prepared.file)))
}

/// The coefficients that are not held, and the parameters of a transform likewise, in fit order.
pub(super) fn free(prepared: &Prepared, eft: &Eft) -> Free {
    let all = prepared.model.parameter_names();
    let place = |name: &str| all.iter().position(|own| own == name).filter(|i| !prepared.fixed[*i]);
    let names = eft.fit_coefficients().into_iter().map(|c| c.name);
    let (parameters, names) = names.filter_map(|name| Some((place(name)?, name.to_owned()))).unzip();
    Free { parameters, names }
}

/// Puts the coefficients at zero that no argument put elsewhere; what cannot be zero, as a mass, stays at its start.
pub(super) fn to_standard_model(prepared: &Prepared, free: &Free, point: &mut [f64]) {
    let bounds = prepared.model.bounds();
    for &i in free.parameters.iter().filter(|i| !prepared.chosen[**i]) {
        if bounds.get(i).is_some_and(|(low, high)| (*low..=*high).contains(&0.0)) {
            point[i] = 0.0;
        }
    }
}

/// The sample of the document behind one of the model.
fn document_sample(prepared: &Prepared, channel: usize, sample: usize) -> Option<(&str, &Sample)> {
    let of_model = prepared.model.channels.get(channel)?;
    let name = &of_model.samples.get(sample)?.name;
    let channel = prepared.loaded.workspace()?.channels.iter().find(|c| c.name == of_model.name)?;
    channel.samples.iter().find(|s| s.name == *name).map(|s| (channel.name.as_str(), s))
}

fn facts(prepared: &Prepared, eft: &Eft, channel: usize, sample: usize) -> ResponseFacts {
    let modifiers = document_sample(prepared, channel, sample).map(|(_, s)| s.modifiers.as_slice()).unwrap_or_default();
    let of_model = prepared.model.channels.get(channel).and_then(|c| c.samples.get(sample));
    let monomials = of_model.map(|s| monomials(&prepared.model, eft, s)).unwrap_or_default();
    let np_order = |name: &str| eft.wilson_coefficients.iter().find(|c| c.name == name).map_or(0, |c| c.np_order());
    let order: Vec<u32> = eft.fit_coefficients().iter().map(|c| np_order(c.name)).collect();
    ResponseFacts {
        modifiers: modifiers.iter().filter_map(|modifier| modifier_entry(eft, modifier)).collect(),
        monomials: monomials.len(),
        order: monomials.iter().map(|m| polynomial::np_order(m, &order)).max().unwrap_or(0),
    }
}

/// The different monomials of a sample in the coefficients of the block; nuisances are left out of them.
fn monomials(model: &Model, eft: &Eft, sample: &model::Sample) -> BTreeSet<Monomial> {
    let names = model.parameter_names();
    let coefficients = eft.fit_coefficients();
    let mut all = BTreeSet::new();
    for response in sample.parts.iter().filter_map(|part| part.response.as_ref()) {
        let place = |i: &u32| {
            let name = names.get(*response.parameters.get(*i as usize)?)?;
            coefficients.iter().position(|c| c.name == name).map(|place| place as u32)
        };
        let own: Vec<&Monomial> = match &response.form {
            Form::Product(factors) => factors.iter().flat_map(|factor| &factor.polynomial.monomials).collect(),
            Form::Events(events) => events.monomials.iter().collect(),
        };
        for monomial in own {
            let mut monomial: Monomial = monomial.iter().filter_map(place).collect();
            monomial.sort_unstable();
            all.insert(monomial);
        }
    }
    all
}

fn modifier_entry(eft: &Eft, modifier: &Modifier) -> Option<ModifierEntry> {
    let text = |truncation: &Truncation| match truncation {
        Truncation::None(_) => "none".to_owned(),
        Truncation::Order(most) => format!("order {}", most.max_np_order),
    };
    let (mode, truncation) = match modifier {
        Modifier::EftBilinear { data, .. } => (data.mode, text(&data.truncation)),
        Modifier::EftEvents { data, .. } => (Mode::Absolute, text(&data.truncation)),
        Modifier::EftMap { data, .. } => (Mode::Absolute, text(&data.truncation)),
        Modifier::EftMorph { data, .. } => (data.mode, text(&data.truncation)),
        Modifier::EftPolynomial { data, .. } => data.resolve(Some(eft)).map(|d| (d.mode, text(&d.truncation)))?,
        Modifier::EftRational { data, .. } => {
            let factors = text(&data.factor_truncation);
            let expansion = match data.expansion {
                Expansion::Full(_) => "full".to_owned(),
                Expansion::Taylor(taylor) => format!("Taylor order {}", taylor.taylor),
            };
            (data.mode, format!("{expansion}, factors {factors}"))
        }
        Modifier::EftSumOfSquares { data, .. } => (data.mode, text(&data.truncation)),
        _ => return None,
    };
    let mode = if mode == Mode::Absolute { "absolute" } else { "relative" };
    let (kind, name) = (modifier.kind().to_owned(), modifier.name().to_owned());
    Some(ModifierEntry { kind, mode: mode.to_owned(), name, truncation })
}

/// All samples of the model with those of the document.
pub(super) fn samples(prepared: &Prepared) -> impl Iterator<Item = (&str, &Sample)> {
    let places = prepared.model.channels.iter().enumerate();
    let places = places.flat_map(|(channel, c)| (0..c.samples.len()).map(move |sample| (channel, sample)));
    places.filter_map(|(channel, sample)| document_sample(prepared, channel, sample))
}

fn morphing(prepared: &Prepared, eft: &Eft) -> Vec<MorphingEntry> {
    let mut entries = Vec::new();
    for (channel, sample) in samples(prepared) {
        for modifier in &sample.modifiers {
            let Modifier::EftMorph { name, data } = modifier else { continue };
            // The model has been built: the basis can be solved.
            let Ok(morphing) = solve_morph(data) else { continue };
            let bounds = |name: &String| eft.wilson_coefficients.iter().find(|c| c.name == *name).map(|c| c.bounds);
            let bounds: Vec<[f64; 2]> = data.parameters.iter().filter_map(bounds).collect();
            let largest = morphing.largest_weight(&bounds);
            entries.push(MorphingEntry::new([channel, &sample.name, name], &morphing, &largest, &data.parameters));
        }
    }
    entries
}
