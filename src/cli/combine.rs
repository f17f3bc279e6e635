//! `morphist combine`: several workspaces become one.

use super::input_args::{ReadingArgs, file_name};
use super::output::write_json;
use super::source::no_hs3;
use super::{CommandError, CommandResult, note, warn};
use crate::document::Document;
use crate::document::hs3::is_hs3;
use crate::document::patch;
use crate::document::workspace::Workspace;
use crate::finding::Findings;
use crate::infer::sum_rule::{self, Part};
use crate::model::{Data, Model};
use crate::translate::from_pyhf::{self, Compat, ModelOptions};
use crate::workspace::combine::{Channels, Combined, Join, Options, Told, combine};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// At so many points the combination is compared with the sum over its parts, and agrees to this.
const POINTS: usize = 5;
const AGREEMENT: f64 = 1e-11;

/// Combine workspaces into one, from left to right; parameters of one name become one
#[derive(Args, Debug)]
pub struct Combine {
    /// Workspaces, gzipped or not; - is standard input. A label is what --correlations and --prefix-channels call a
    /// workspace [default: the name of the file without extensions]
    #[arg(value_name = "[LABEL=]WORKSPACE", num_args = 2.., required = true)]
    pub workspaces: Vec<String>,
    /// What becomes of channels, observations and measurements of one name
    #[arg(short, long, value_enum, default_value_t = JoinArg::None)]
    pub join: JoinArg,
    /// Give channels of one name the samples of all workspaces; not with the join none
    #[arg(long, overrides_with = "no_merge_channels")]
    pub merge_channels: bool,
    /// Join channels as a whole, as by default
    #[arg(long)]
    pub no_merge_channels: bool,
    /// Call each channel LABEL_CHANNEL
    #[arg(long)]
    pub prefix_channels: bool,
    /// Correlation scheme: which parameters of the workspaces are the same, and which are not (spec/combine.md)
    #[arg(long, value_name = "FILE")]
    pub correlations: Option<PathBuf>,
    /// Accept channels of two workspaces with the same data under different names
    #[arg(long)]
    pub allow_same_data: bool,
    /// Write a JSON Patch that makes the combination of the first workspace, instead of the combination
    #[arg(long)]
    pub json_patch: bool,
    /// Write the result to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JoinArg {
    /// They are an error
    None,
    /// They must be equal; measurements must agree in the POI and in what both configure
    Outer,
    /// Those of the first workspace count
    #[value(name = "left outer")]
    LeftOuter,
    /// Those of the last workspace count
    #[value(name = "right outer")]
    RightOuter,
}

impl Combine {
    pub fn run(&self) -> CommandResult {
        let (labels, paths): (Vec<String>, Vec<PathBuf>) = self.workspaces.iter().map(|given| labelled(given)).unzip();
        if paths.iter().chain(&self.correlations).filter(|path| *path == Path::new("-")).count() > 1 {
            let message = "two inputs are -, and standard input can be read once: give a file for one of them";
            return Err(CommandError::Usage(message.to_owned()));
        }
        let folder = self.output_file.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_path_buf();
        let scheme = self.correlations.as_deref().map(|path| self.reading.read(path)).transpose()?;
        let options = Options {
            join: self.join()?,
            compat: self.reading.compat(),
            labels,
            prefix_channels: self.prefix_channels,
            scheme,
            allow_same_data: self.allow_same_data,
            folder,
        };
        let documents: Vec<Document> = paths.iter().map(|path| self.reading.read(path)).collect::<Result<_, _>>()?;
        let is_own = |document: &&Document| is_hs3(document);
        if let Some(document) = documents.iter().find(is_own) {
            return Err(no_hs3("combine", Path::new(&document.name)));
        }
        let combined = combine(&documents, &options).map_err(|told| {
            CommandError::Inputs(told.into_iter().map(|told| (name(&told), told.findings)).collect())
        })?;
        for told in &combined.warnings {
            warn(&name(told), &told.findings);
        }
        if !combined.shared.is_empty() {
            let (n, names) = (combined.shared.len(), combined.shared.join(", "));
            note(&format!("parameters of several workspaces ({n}): {names}"));
        }
        check_sum(&combined, &options)?;
        match documents.first().filter(|_| self.json_patch) {
            Some(first) => {
                let fail = |findings| CommandError::input(&file_name(Path::new(&first.name)), findings);
                let patch = patch::between(&first.value().map_err(fail)?, &combined.document);
                write_json(&patch, self.output_file.as_deref())
            }
            None => write_json(&combined.document, self.output_file.as_deref()),
        }
    }

    fn join(&self) -> Result<Join, CommandError> {
        let channels = if self.merge_channels { Channels::Merged } else { Channels::Whole };
        match (self.join, channels) {
            (JoinArg::None, Channels::Merged) => Err(CommandError::Usage(
                "--merge-channels needs a join: --join outer, 'left outer' or 'right outer'".to_owned(),
            )),
            (JoinArg::None, Channels::Whole) => Ok(Join::None),
            (JoinArg::Outer, channels) => Ok(Join::Outer(channels)),
            (JoinArg::LeftOuter, channels) => Ok(Join::LeftOuter(channels)),
            (JoinArg::RightOuter, channels) => Ok(Join::RightOuter(channels)),
        }
    }
}

/// A label, empty where there is none, and a file; a file of that whole name comes first.
fn labelled(given: &str) -> (String, PathBuf) {
    match given.split_once('=') {
        Some((label, path)) if !label.is_empty() && !Path::new(given).exists() => (label.to_owned(), path.into()),
        _ => (String::new(), given.into()),
    }
}

/// Compares −2 ln L of the combination with the sum over its parts (spec/combine.md, eq. 1), where that is meant to hold.
fn check_sum(combined: &Combined, options: &Options) -> CommandResult {
    // pyhf asks nothing of the kind, and lets constraints change.
    if options.compat == Compat::Pyhf {
        return Ok(());
    }
    if matches!(options.join, Join::LeftOuter(_) | Join::RightOuter(_)) {
        note("one side's settings win: −2 ln L is not compared with the sum over the workspaces");
        return Ok(());
    }
    if !combined.is_sum {
        note("channels were merged or left out: −2 ln L is not compared with the sum over the workspaces");
        return Ok(());
    }
    let first = combined.document.pointer("/measurements/0/name").and_then(Value::as_str).unwrap_or_default();
    let build = |value: &Value| build(value, first, options).map_err(|f| CommandError::input("<combination>", f));
    let whole = build(&combined.document)?;
    let parts = combined.parts.iter().map(build).collect::<Result<Vec<_>, _>>()?;
    let others = |(model, _): &&(Model, Data)| !model.measurements.sets.is_empty() || !model.unbinned.is_empty();
    if parts.iter().filter(others).count() > 1 {
        note("several workspaces have measurements or single events: −2 ln L is not compared with the sum over them");
        return Ok(());
    }
    let counted: Vec<Vec<String>> = (0..parts.len())
        .map(|d| combined.kept_once.iter().filter(|(own, _)| *own == d).map(|(_, name)| name.clone()).collect())
        .collect();
    let parts: Vec<Part> =
        parts.iter().zip(&counted).map(|((model, data), counted)| Part { model, data, counted }).collect();
    let Some(rule) = sum_rule::check((&whole.0, &whole.1), &parts, POINTS, 0) else {
        note("parameters of a workspace are not in the combination: −2 ln L is not compared with the sum over them");
        return Ok(());
    };
    if rule.points == 0 {
        note("no random point is inside of the domain: −2 ln L is not compared with the sum over the workspaces");
        return Ok(());
    }
    if rule.largest > AGREEMENT {
        return Err(CommandError::Message(format!(
            "−2 ln L of the combination is not the sum over the workspaces without what they share: it differs by {:.1e} of it",
            rule.largest
        )));
    }
    note(&format!(
        "−2 ln L is the sum over the workspaces without {} shared constraints and {} shared channels, to {:.0e} at {} points",
        rule.shared_constraints, rule.shared_channels, rule.largest, rule.points
    ));
    Ok(())
}

/// With the measurement that counts first in the combination, or where there is none of its name the first one.
fn build(value: &Value, first: &str, options: &Options) -> Result<(Model, Data), Findings> {
    let workspace = Workspace::from_value(value)?;
    let named = workspace.measurements.iter().any(|measurement| measurement.name == first);
    let model = ModelOptions {
        measurement: named.then(|| first.to_owned()),
        compat: options.compat,
        folder: Some(options.folder.clone()),
        ..ModelOptions::default()
    };
    let model = from_pyhf::model(&workspace, &model)?;
    let data = from_pyhf::data(&workspace, &model)?;
    Ok((model, data))
}

/// What findings are told of.
fn name(told: &Told) -> String {
    told.name.as_deref().map_or_else(|| "<combination>".to_owned(), |name| file_name(Path::new(name)))
}
