//! The parameter values that `--parameters`, `--init` and `--fix` describe.

use super::input_args::{InputArgs, file_name};
use super::model_args::ModelArgs;
use super::selection::{Rank, Selection, assignment, select};
use super::{CommandError, CommandResult, note};
use crate::model::Model;
use crate::report::applied_fit::AppliedFit;
use crate::report::{by_name, text};
use std::collections::BTreeSet;
use std::path::Path;

/// Values and fixed flags in fit order, n_parameters long.
pub struct Point {
    pub values: Vec<f64>,
    pub fixed: Vec<bool>,
    /// Values that the arguments chose, and not the model.
    pub chosen: Vec<bool>,
    /// The result of a fit that --parameters named.
    pub applied: Option<AppliedFit>,
}

impl Point {
    /// Suggested values, then those of --parameters, then those of --init and --fix.
    pub fn read(arguments: &ModelArgs, model: &Model, input: &InputArgs) -> Result<Point, CommandError> {
        let chosen = vec![false; model.n_parameters()];
        let mut point = Point { values: model.init(), fixed: model.fixed(), chosen, applied: None };
        if let Some(path) = &arguments.parameters {
            point.read_file(path, model, input)?;
        }
        let mut assignments = Assignments { of: vec![None; model.n_parameters()], overridden: BTreeSet::new() };
        for setting in &arguments.init {
            let usage = |e| CommandError::Usage(format!("--init: {e}"));
            let (name, value) = assignment(setting).map_err(usage)?;
            let selection = select(model, name).map_err(usage)?;
            assignments.add(&selection, Assignment { flag: "--init", setting, value, rank: selection.rank })?;
        }
        for setting in &arguments.fix {
            let (selection, value) = fix(model, setting).map_err(|e| CommandError::Usage(format!("--fix: {e}")))?;
            for &index in &selection.indices {
                set(&mut point.fixed, index, true);
            }
            if let Some(value) = value {
                assignments.add(&selection, Assignment { flag: "--fix", setting, value, rank: selection.rank })?;
            }
        }
        assignments.tell();
        for (index, assignment) in assignments.of.iter().enumerate() {
            if let Some(assignment) = assignment {
                refuse_driven(model, index, assignment)?;
                point.choose(index, assignment.value);
            }
        }
        model.driven.iter().for_each(|driven| driven.complete(&mut point.values));
        Ok(point)
    }

    fn read_file(&mut self, path: &Path, model: &Model, input: &InputArgs) -> CommandResult {
        let document = input.reading.read(path)?;
        let value = document.value().map_err(|f| CommandError::input(&file_name(path), f))?;
        let wrong = |problem: String| CommandError::Message(format!("{}: {problem}", text::escape(&file_name(path))));
        let missing = match AppliedFit::read(model, &value).map_err(wrong)? {
            Some(fit) => self.apply(path, fit),
            None => {
                let settings = by_name::read(model, &value).map_err(|problems| wrong(problems.join("; ")))?;
                for (index, value) in settings.values {
                    self.choose(index, value);
                }
                settings.missing
            }
        };
        if !missing.is_empty() {
            let missing = text::list(&missing, 10);
            note(&format!("not in {}, so at the suggested start: {missing}", file_name(path)));
        }
        Ok(())
    }

    /// Takes the values of a fit, of this model or of another one; returns the names that it lacks.
    fn apply(&mut self, path: &Path, fit: AppliedFit) -> Vec<String> {
        for (index, value) in fit.values.iter().enumerate() {
            if let Some(value) = value {
                self.choose(index, *value);
            }
        }
        if !fit.extra.is_empty() {
            note(&format!("not in the model, so left out of {}: {}", file_name(path), text::list(&fit.extra, 10)));
        }
        if fit.blinded {
            note(&format!("{}: the value of the parameter of interest is shifted by a hidden offset", file_name(path)));
        }
        let missing = fit.missing.clone();
        self.applied = Some(fit);
        missing
    }

    fn choose(&mut self, index: usize, value: f64) {
        set(&mut self.values, index, value);
        set(&mut self.chosen, index, true);
    }
}

/// One `--init NAME=V` or `--fix NAME=V`.
#[derive(Clone)]
struct Assignment<'a> {
    flag: &'static str,
    setting: &'a str,
    value: f64,
    rank: Rank,
}

/// What has been assigned to each scalar parameter.
struct Assignments<'a> {
    of: Vec<Option<Assignment<'a>>>,
    /// Pairs of arguments of which the first counts where both speak of a parameter.
    overridden: BTreeSet<(String, String)>,
}

impl<'a> Assignments<'a> {
    /// Of different values for one parameter that of the narrower name counts, and of two globs that of the later one.
    ///
    /// # Errors
    /// Usage, if both are names of one rank.
    fn add(&mut self, selection: &Selection, new: Assignment<'a>) -> CommandResult {
        for &index in &selection.indices {
            let Some(slot) = self.of.get_mut(index) else { continue };
            let counts = match slot {
                None => true,
                Some(old) if old.value == new.value => new.rank > old.rank,
                Some(old) if old.rank == new.rank && new.rank != Rank::Glob => {
                    return Err(CommandError::Usage(format!(
                        "{old} and {new} contradict each other: give one value for each parameter"
                    )));
                }
                Some(old) => {
                    let counts = new.rank >= old.rank;
                    let pair = if counts { (&new, &*old) } else { (&*old, &new) };
                    self.overridden.insert((pair.0.to_string(), pair.1.to_string()));
                    counts
                }
            };
            if counts {
                *slot = Some(new.clone());
            }
        }
        Ok(())
    }

    fn tell(&self) {
        for (winner, loser) in &self.overridden {
            note(&format!("{winner} counts before {loser}"));
        }
    }
}

impl std::fmt::Display for Assignment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.flag, text::label(self.setting))
    }
}

/// The value of a function follows from its parameters.
fn refuse_driven(model: &Model, index: usize, assignment: &Assignment) -> CommandResult {
    if !model.driven.iter().any(|driven| driven.outputs.contains(&index)) {
        return Ok(());
    }
    let name = model.parameter_names().get(index).cloned().unwrap_or_default();
    let name = text::label(&name);
    Err(CommandError::Usage(format!("{assignment}: {name} is a function of other parameters, which give it its value")))
}

/// The parameters of one `--fix NAME[=V]` and their value. A name may itself hold an `=`.
fn fix(model: &Model, setting: &str) -> Result<(Selection, Option<f64>), String> {
    match select(model, setting) {
        Ok(selection) => Ok((selection, None)),
        Err(e) if !setting.contains('=') => Err(e),
        Err(_) => {
            let (name, value) = assignment(setting)?;
            Ok((select(model, name)?, Some(value)))
        }
    }
}

fn set<T>(values: &mut [T], index: usize, value: T) {
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}
