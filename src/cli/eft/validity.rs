//! `morphist eft validity`: intervals of a coefficient against an upper cut on an energy.

use super::document_args::DocumentArgs;
use super::inspect::block;
use crate::cli::minos::{one_parameter, probability};
use crate::cli::model_args::Prepared;
use crate::cli::{CommandError, CommandResult, note, progress};
use crate::document::eft::{Axis, Edge, Eft, EventsData, Infinity};
use crate::document::workspace::Modifier;
use crate::infer::eft::validity::{Cuttable, UpperEdges, cuts, restricted};
use crate::infer::{Hesse, ScanOptions};
use crate::report::eft_validity::{CutEntry, EftValidityReport};
use crate::report::reason::{Code, Reason};
use crate::report::text;
use clap::Args;
use std::path::PathBuf;

/// Intervals of a coefficient from the bins below each upper cut on an energy
///
/// Bins that reach above the cut are left out of the likelihood, data and prediction. The edges come from the axes of
/// event databases, or from --edges.
#[derive(Args, Debug)]
pub struct Validity {
    /// Workspace, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// A coefficient: a name or `name[i]`
    #[arg(value_name = "PARAMETER")]
    pub parameter: String,
    /// The observable that is cut, an axis of the channels' event histograms
    #[arg(long, value_name = "NAME")]
    pub observable: Option<String>,
    /// Edges of a channel's bins without event database, such as SR=0,100,250,inf; channels without edges stay whole
    #[arg(long, value_name = "CHANNEL=E,…", value_parser = channel_edges)]
    pub edges: Vec<(String, Vec<f64>)>,
    /// Probability of the intervals
    #[arg(long, value_name = "P", default_value_t = 0.95, value_parser = probability)]
    pub level: f64,
    #[command(flatten)]
    pub args: DocumentArgs,
}

impl Validity {
    pub fn run(&self) -> CommandResult {
        let prepared = self.args.prepare(&self.workspace)?;
        let eft = block(&prepared)?;
        let parameter = one_parameter(&prepared.model, &prepared.fixed, &self.parameter)?;
        let edges = self.upper_edges(&prepared)?;
        let options = prepared.fit_options(Hesse::No);
        let scanned = ScanOptions { n_points: 200, adaptive: true, levels: vec![self.level], ..ScanOptions::default() };
        let cuts = cuts(&edges);
        let whole = Cuttable { model: &prepared.model, data: &prepared.data, edges: &edges };
        let entries = progress::run("cuts", |watch| {
            let one = |cut: &f64| restricted(whole, *cut, parameter, &options, &scanned, watch);
            cuts.iter().map(|cut| CutEntry::new(&prepared.model, &one(cut))).collect::<Vec<_>>()
        })?;
        let report = EftValidityReport {
            cuts: entries,
            level: crate::report::number::Number(self.level),
            notes: whole_channels(&prepared, &edges),
            observable: self.observable.clone().unwrap_or_else(|| "energy".to_owned()),
            parameter: prepared.model.parameter_names().get(parameter).cloned().unwrap_or_default(),
            unit: self.observable.as_ref().and_then(|name| unit(eft, name)),
        };
        report.notes.iter().for_each(|reason| note(&reason.message));
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        // One cut without a valid result: said in its row, and by the exit code.
        if report.cuts.iter().all(|entry| entry.valid) { Ok(()) } else { Err(CommandError::Reported) }
    }

    /// The upper edge of each bin of each channel.
    fn upper_edges(&self, prepared: &Prepared) -> Result<Vec<Option<UpperEdges>>, CommandError> {
        let mut all = Vec::new();
        for channel in &prepared.model.channels {
            let given = self.edges.iter().find(|(name, _)| *name == channel.name);
            let edges = match (given, &self.observable) {
                (Some((_, edges)), _) => Some(edges.iter().skip(1).copied().collect::<UpperEdges>()),
                (None, Some(observable)) => {
                    axes(prepared, &channel.name).map(|d| of_axes(d, observable)).unwrap_or_default()
                }
                (None, None) => None,
            };
            if let Some(edges) = edges.as_ref().filter(|edges| edges.len() != channel.n_bins) {
                let (name, n) = (text::label(&channel.name), channel.n_bins);
                let message = format!("--edges {name}: {} edges for {n} bins, expected {}", edges.len() + 1, n + 1);
                return Err(CommandError::Usage(message));
            }
            all.push(edges);
        }
        if let Some((name, _)) =
            self.edges.iter().find(|(name, _)| prepared.model.channels.iter().all(|c| c.name != *name))
        {
            return Err(CommandError::Usage(format!("--edges {}: no such channel", text::label(name))));
        }
        if all.iter().all(Option::is_none) {
            let message = match &self.observable {
                Some(name) => format!("--observable {}: no channel has it as an axis; see --edges", text::label(name)),
                None => "what is cut? Give --observable, or --edges".to_owned(),
            };
            return Err(CommandError::Usage(message));
        }
        Ok(all)
    }
}

/// The axes of the events in a channel.
fn axes<'p>(prepared: &'p Prepared, channel: &str) -> Option<&'p EventsData> {
    let channel = prepared.loaded.workspace()?.channels.iter().find(|c| c.name == channel)?;
    channel.samples.iter().flat_map(|s| &s.modifiers).find_map(|modifier| match modifier {
        Modifier::EftEvents { data, .. } => Some(&**data),
        _ => None,
    })
}

/// The upper edges on one axis of bins that are numbered with the last axis running fastest.
fn of_axes(data: &EventsData, observable: &str) -> Option<UpperEdges> {
    let place = data.axes.iter().position(|axis| axis.observable == observable)?;
    let bins = |axis: &Axis| axis.edges.len().saturating_sub(1);
    let inner: usize = data.axes.iter().skip(place + 1).map(bins).product();
    let outer: usize = data.axes.iter().take(place).map(bins).product();
    let upper = data.axes.get(place)?.edges.iter().skip(1).map(|edge| match edge {
        Edge::Finite(x) => *x,
        Edge::Infinite(Infinity::Above) => f64::INFINITY,
        Edge::Infinite(Infinity::Below) => f64::NEG_INFINITY,
    });
    let one: UpperEdges = upper.flat_map(|edge| std::iter::repeat_n(edge, inner)).collect();
    Some(std::iter::repeat_n(one, outer).flatten().collect())
}

fn unit(eft: &Eft, observable: &str) -> Option<String> {
    eft.event_databases.iter().find_map(|d| d.observables.get(observable)).map(|column| column.unit.clone())
}

fn whole_channels(prepared: &Prepared, edges: &[Option<UpperEdges>]) -> Vec<Reason> {
    let whole = prepared.model.channels.iter().zip(edges).filter(|(_, edges)| edges.is_none());
    let names: Vec<&str> = whole.map(|(channel, _)| channel.name.as_str()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let message = format!("channels without this observable stay whole: {}", text::list(&names, 6));
    vec![Reason::new(Code::NotMatched, message)]
}

/// `SR=0,100,inf`
fn channel_edges(text: &str) -> Result<(String, Vec<f64>), String> {
    let (name, list) = text.split_once('=').ok_or("expected CHANNEL=E,E,…")?;
    let edges: Option<Vec<f64>> = list.split(',').map(|e| e.trim().parse().ok()).collect();
    let edges = edges.filter(|e| e.len() > 1 && e.windows(2).all(|pair| pair[0] < pair[1]));
    edges
        .map(|edges| (name.to_owned(), edges))
        .ok_or_else(|| "expected increasing numbers, the last may be inf".to_owned())
}
