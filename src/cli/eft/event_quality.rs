//! For `eft inspect`: the events behind histograms.

use super::inspect::samples;
use crate::cli::input_args::{file_name, folder_of};
use crate::cli::model_args::Prepared;
use crate::cli::{CommandError, warn};
use crate::document::eft::{Eft, EventMcStat, EventMcStatWord, EventsData, Overlap};
use crate::document::workspace::{Modifier, Workspace};
use crate::event_database::Binned;
use crate::event_database::quality::{FEW_EVENTS, closure, effective_events, least_weight, ratio_tails, uncovered};
use crate::event_database::{Use, load};
use crate::infer::eft::information;
use crate::model::eft::Events;
use crate::report::eft_inspect::events::{EventPoint, EventsEntry, LeastWeightEntry};
use crate::report::number::{Number, numbers};
use crate::report::reason::{Code, Reason};
use crate::report::text;
use std::path::Path;

/// Databases with more rows are not read again.
const MOST_EVENTS: u64 = 5_000_000;

/// A document and where it lies.
pub(super) struct Source<'a> {
    pub path: &'a Path,
    pub workspace: &'a Workspace,
    pub eft: &'a Eft,
}

/// A sample of one document.
struct Place<'a> {
    source: &'a Source<'a>,
    channel: &'a str,
    sample: &'a str,
    data: &'a EventsData,
}

/// Every histogram of events, at the point (n_parameters) and over the box; `independent` has other events of the same
/// samples.
pub(super) fn entries(
    prepared: &Prepared,
    own: &Source,
    independent: Option<&Source>,
    point: &[f64],
    notes: &mut Vec<Reason>,
) -> Result<Vec<EventsEntry>, CommandError> {
    let mut entries = Vec::new();
    for (channel, sample) in samples(prepared) {
        for modifier in &sample.modifiers {
            let Modifier::EftEvents { data, .. } = modifier else { continue };
            let rows = own.eft.event_databases.iter().find(|d| d.name == data.database).map_or(0, |d| d.n_rows);
            if rows > MOST_EVENTS {
                let name = text::label(&data.database);
                let message = format!("event database {name} has more than {MOST_EVENTS} rows: not read again");
                notes.push(Reason::new(Code::NotRequested, message));
                continue;
            }
            let place = Place { source: own, channel, sample: &sample.name, data };
            let other = independent.and_then(|source| same_sample(source, channel, &sample.name));
            if independent.is_some() && other.is_none() {
                let (channel, sample) = (text::label(channel), text::label(&sample.name));
                let message = format!("no sample {sample} of events in channel {channel} of --independent");
                notes.push(Reason::new(Code::NotMatched, message));
            }
            entries.extend(place.entry(prepared, other.as_ref(), point, notes)?);
        }
    }
    Ok(entries)
}

/// The sample of another document.
fn same_sample<'a>(source: &'a Source<'a>, channel: &str, sample: &str) -> Option<Place<'a>> {
    let channel = source.workspace.channels.iter().find(|c| c.name == channel)?;
    let sample = channel.samples.iter().find(|s| s.name == sample)?;
    let data = sample.modifiers.iter().find_map(|modifier| match modifier {
        Modifier::EftEvents { data, .. } => Some(data),
        _ => None,
    })?;
    Some(Place { source, channel: &channel.name, sample: &sample.name, data })
}

impl Place<'_> {
    /// Where the sample stands in its document.
    fn pointer(&self) -> String {
        self.source.workspace.sample_pointer(self.channel, self.sample)
    }

    fn load(&self, data: &EventsData) -> Result<Binned, CommandError> {
        let usage = Use { data, channel: self.channel, sample: self.sample, pointer: &self.pointer() };
        load(self.source.eft, &usage, folder_of(self.source.path))
            .map_err(|f| CommandError::input(&file_name(self.source.path), f))
    }

    /// The polynomial with Σ w² of a document of which no model is made: its warnings are told here.
    fn warned(&self) -> Result<Binned, CommandError> {
        let binned = self.summed()?;
        warn(&file_name(self.source.path), &binned.warnings);
        Ok(binned)
    }

    /// The polynomial with Σ w².
    fn summed(&self) -> Result<Binned, CommandError> {
        self.load(&EventsData {
            floor: None,
            mc_stat: EventMcStat::Word(EventMcStatWord::W2),
            overlap: Overlap::Allowed,
            systematics: Vec::new(),
            ..self.data.clone()
        })
    }

    /// All events, none of them changed: a floor under every number keeps them in memory.
    fn events(&self) -> Result<Option<Events>, CommandError> {
        let kept = EventsData {
            floor: Some(f64::MIN),
            mc_stat: EventMcStat::Word(EventMcStatWord::None),
            overlap: Overlap::Allowed,
            systematics: Vec::new(),
            ..self.data.clone()
        };
        Ok(self.load(&kept)?.events)
    }

    fn entry(
        &self,
        prepared: &Prepared,
        other: Option<&Place>,
        point: &[f64],
        notes: &mut Vec<Reason>,
    ) -> Result<Option<EventsEntry>, CommandError> {
        let (binned, Some(events)) = (self.summed()?, self.events()?) else { return Ok(None) };
        let other = other.map(Place::warned).transpose()?;
        let names = prepared.model.parameter_names();
        let value = |name: &String| names.iter().position(|own| own == name).map_or(0.0, |i| point[i]);
        let at: Vec<f64> = binned.variables.iter().map(value).collect();
        let declared = |name: &String| self.source.eft.wilson_coefficients.iter().find(|c| c.name == *name);
        let bounds: Vec<[f64; 2]> = binned.variables.iter().filter_map(declared).map(|c| c.bounds).collect();
        let named = |values: &[f64]| binned.variables.iter().cloned().zip(numbers(values)).collect();
        let mut points = vec![vec![0.0; bounds.len()]];
        for (i, ends) in bounds.iter().enumerate() {
            points.extend(ends.iter().map(|end| {
                let mut on_axis = vec![0.0; bounds.len()];
                on_axis[i] = *end;
                on_axis
            }));
        }
        let zero = vec![0.0; bounds.len()];
        let entry = |c: &Vec<f64>| EventPoint {
            at: named(c),
            closure: other.as_ref().and_then(|o| closure((&binned, c), (o, &reordered(&binned, o, c)))).map(Into::into),
            effective_events: numbers(&effective_events(&binned, c).unwrap_or_default()),
            ratio: ratio_tails(&events, c, &zero).map(Into::into),
        };
        let points: Vec<EventPoint> = points.iter().map(entry).collect();
        self.warn(&points, notes);
        if other.is_some() && points.iter().all(|point| point.closure.is_none()) {
            let (channel, sample) = (text::label(self.channel), text::label(self.sample));
            let message = format!("sample {sample} in channel {channel} has other bins in --independent: not compared");
            notes.push(Reason::new(Code::NotMatched, message));
        }
        let covered = other.as_ref().map(|o| (o, reordered(&binned, o, &at)));
        Ok(Some(EventsEntry {
            channel: self.channel.to_owned(),
            coefficients: binned.variables.clone(),
            database: self.data.database.clone(),
            empty_share: Number(uncovered(&binned, covered.as_ref().map(|(o, c)| (*o, c.as_slice())))),
            information: (&information::of_events(&events, &at)).into(),
            least_weight: least_weight(&events, &bounds)
                .map(|(value, _, at)| LeastWeightEntry { at: named(&at), value: Number(value) }),
            points,
            rows: binned.flow.into(),
            sample: self.sample.to_owned(),
        }))
    }

    fn warn(&self, points: &[EventPoint], notes: &mut Vec<Reason>) {
        let few = |p: &&EventPoint| p.effective_events.iter().any(|n| n.0 < FEW_EVENTS);
        let n = points.iter().filter(few).count();
        if n > 0 {
            let all = points.iter().flat_map(|p| p.effective_events.iter().enumerate());
            let least = all.filter(|(_, n)| n.0.is_finite()).min_by(|a, b| a.1.0.total_cmp(&b.1.0));
            let least = least.map(|(bin, n)| format!("; the least are {:.1} in bin {bin}", n.0)).unwrap_or_default();
            let (channel, sample) = (text::label(self.channel), text::label(self.sample));
            let message = format!(
                "sample {sample} in channel {channel}: fewer than {FEW_EVENTS} effective events in a bin at {n} of {} \
                 points{least}",
                points.len()
            );
            notes.push(Reason::new(Code::FewEvents, message));
        }
    }
}

/// A point in the variables of `from`, in those of `to`.
fn reordered(from: &Binned, to: &Binned, point: &[f64]) -> Vec<f64> {
    let value = |name: &String| from.variables.iter().position(|own| own == name).and_then(|i| point.get(i));
    to.variables.iter().map(|name| value(name).copied().unwrap_or(0.0)).collect()
}
