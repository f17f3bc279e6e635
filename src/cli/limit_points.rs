//! Limits of every point of a patchset, as JSON lines: one a point, in the order of the patchset, written as they come.

use super::input_args::file_name;
use super::limit::LimitCommand;
use super::model_args::Prepared;
use super::output::{Format, Lines};
use super::source::Source;
use super::{CommandError, CommandResult, note, progress, warn};
use crate::document::Document;
use crate::document::digest::{Algorithm, digest};
use crate::document::hs3::is_hs3;
use crate::document::patchset::{NamedPatch, PatchSet};
use crate::document::sourced_patch::{SourcedPatch, apply_point};
use crate::finding::{Finding, Findings};
use crate::infer::Watch;
use crate::report::limit::{PointReport, points_page};
use crate::report::{finding, text};
use crate::workspace;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

/// What every point shares, read once.
struct Base<'a> {
    command: &'a LimitCommand,
    /// The workspace without any point.
    workspace: Value,
    patchset: Document,
    /// Patches that follow each point's own.
    patches: Vec<SourcedPatch>,
    /// SHA-256 of all that the limits are made of.
    inputs: String,
    /// What the models of the points warn of, by its text: most of it is the same for all points, and is told once.
    warnings: Mutex<BTreeMap<String, Finding>>,
}

/// Runs all points over the threads; results leave in order.
pub fn run(command: &LimitCommand) -> CommandResult {
    let base = Base::read(command)?;
    let patchset = PatchSet::from_document(&base.patchset).map_err(|findings| base.error(findings))?;
    if !command.input.no_verify {
        patchset.verify(&base.workspace).map_err(|findings| base.error(findings))?;
    }
    let (known, keep) = if command.resume { base.known()? } else { (BTreeSet::new(), 0) };
    let points = patchset.patches.iter().enumerate();
    let todo: Vec<_> = points.filter(|(_, patch)| !known.contains(&patch.metadata.name)).collect();
    if !known.is_empty() {
        note(&format!("{} points are there already, {} are left", known.len(), todo.len()));
    }
    let streams = command.output.format() == Format::Json;
    let mut lines = if streams { Some(Lines::open(command.output.output_file.as_deref(), keep)?) } else { None };
    let mut reports = Vec::new();
    let mut bad = 0;
    let interrupted = progress::run("Limits", |watch| -> Result<bool, CommandError> {
        watch.expect(todo.len() as u64);
        // Each chunk is written before the next begins, so that little is lost or held.
        for chunk in todo.chunks(4 * rayon::current_num_threads()) {
            let done: Vec<Option<PointReport>> =
                chunk.par_iter().map(|&(index, patch)| base.report(index, patch, watch)).collect();
            for report in done.into_iter().flatten() {
                bad += usize::from(report.is_bad());
                match &mut lines {
                    Some(lines) => lines.write(&report)?,
                    None => reports.push(report),
                }
            }
        }
        Ok(watch.is_stopped())
    })??;
    if !streams {
        command.output.write(&reports, || points_page(&reports))?;
    }
    base.warn();
    if bad > 0 {
        note(&format!("{bad} of {} points have no observed limit", todo.len()));
    }
    if bad > 0 || interrupted { Err(CommandError::Reported) } else { Ok(()) }
}

impl<'a> Base<'a> {
    fn read(command: &'a LimitCommand) -> Result<Base<'a>, CommandError> {
        let input = &command.input;
        let Some(path) = &input.patchset else {
            return Err(CommandError::Usage("points need a patchset".to_owned()));
        };
        input.check_stdin(&[&command.workspace])?;
        let document = input.reading.read(&command.workspace)?;
        match is_hs3(&document) {
            true => input.check_for_hs3()?,
            false => input.check_for_workspace(&file_name(&command.workspace))?,
        }
        let workspace = document.value().map_err(|f| CommandError::input(&file_name(&command.workspace), f))?;
        let patchset = input.reading.read(path)?;
        let mut patches = Vec::new();
        let mut texts = vec![json!(patchset.text)];
        for path in &input.patches {
            let document = input.reading.read(path)?;
            texts.push(json!(document.text));
            let patch = SourcedPatch::of_patch(document);
            patches.push(patch.map_err(|f| CommandError::input(&file_name(path), f))?);
        }
        let settings = (&command.poi, &command.model, &input.measurement, &input.reading.compat);
        let options = (command.confidence_level, command.criterion, command.test_stat, command.scan);
        let inputs = json!([workspace, texts, format!("{settings:?} {options:?}")]);
        let inputs = digest(&inputs, Algorithm::Sha256);
        Ok(Base { command, workspace, patchset, patches, inputs, warnings: Mutex::default() })
    }

    fn error(&self, findings: Findings) -> CommandError {
        CommandError::input(&file_name(Path::new(&self.patchset.name)), findings)
    }

    /// The limits of one point; nothing where the run has been stopped.
    fn report(&self, index: usize, point: &NamedPatch, watch: &Watch) -> Option<PointReport> {
        if watch.is_stopped() {
            return None;
        }
        let limit = self.prepare(index, point).and_then(|prepared| self.command.report(&prepared, 0));
        watch.step();
        let (limit, error) = match limit {
            Ok(limit) => (Some(limit), None),
            Err(error) => (None, Some(sentence(&error))),
        };
        let (name, values) = (point.metadata.name.clone(), point.metadata.values.clone());
        Some(PointReport { name, values, inputs: self.inputs.clone(), error, limit })
    }

    fn prepare(&self, index: usize, point: &NamedPatch) -> Result<Prepared, CommandError> {
        let input = &self.command.input;
        let mut value = apply_point(self.workspace.clone(), &self.patchset, index, point).map_err(|f| self.error(f))?;
        for patch in &self.patches {
            let file = file_name(Path::new(&patch.name));
            value = patch.apply(value, &input.reading.limits()).map_err(|f| CommandError::input(&file, f))?;
        }
        let path = &self.command.workspace;
        let loaded = workspace::load_value(value, &input.scope())
            .map_err(|findings| CommandError::input(&file_name(path), findings))?;
        let prepared = self.command.model.prepare_loaded(path, input, Source::Workspace(loaded))?;
        prepared.require_reference("limit")?;
        if let Ok(mut warnings) = self.warnings.lock() {
            warnings.extend(prepared.whole_model().warnings.0.iter().map(|w| (w.to_string(), w.clone())));
        }
        Ok(prepared)
    }

    /// Tells the warnings of all points.
    fn warn(&self) {
        let warnings = self.warnings.lock().map(|warnings| warnings.values().cloned().collect()).unwrap_or_default();
        warn(&file_name(&self.command.workspace), &Findings(warnings));
    }

    /// The names of the points in the output file, and how many of its bytes are whole lines.
    fn known(&self) -> Result<(BTreeSet<String>, u64), CommandError> {
        let Some(path) = &self.command.output.output_file else { return Ok((BTreeSet::new(), 0)) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((BTreeSet::new(), 0)),
            Err(e) => return Err(CommandError::Message(format!("cannot read {}: {e}", path.display()))),
        };
        let mut known = BTreeSet::new();
        let mut keep = 0;
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let value: Option<Value> = serde_json::from_str(line).ok();
            let name = value.as_ref().and_then(|value| value["name"].as_str());
            let same = value.as_ref().is_some_and(|value| value["inputs"] == self.inputs.as_str());
            let (Some(name), true) = (name, same) else {
                return Err(CommandError::Message(format!(
                    "{}: line {} is no result of this workspace, patchset and options: write to another file, or run \
                     without --resume",
                    text::escape(&path.display().to_string()),
                    known.len() + 1
                )));
            };
            known.insert(name.to_owned());
            keep += line.len() as u64;
        }
        Ok((known, keep))
    }
}

/// What went wrong with one point, in one line.
fn sentence(error: &CommandError) -> String {
    match error {
        CommandError::Input { file, findings } => finding::text(file, findings).trim().replace('\n', " "),
        CommandError::Message(message) | CommandError::Usage(message) => message.clone(),
        CommandError::Inputs(_) | CommandError::Reported | CommandError::OutputClosed => "no result".to_owned(),
    }
}
