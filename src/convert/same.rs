//! Whether a document in other words is the same function: both are evaluated (spec/hs3-convert.md, section 6).

use super::content::Content;
use super::file::File;
use super::names::spelling;
use super::target::Target;
use crate::document::hs3::{Hs3Document, ReadOptions};
use crate::finding::{Finding, Findings, number, quote};
use crate::kernel::Evaluator;
use crate::model::{Data, Model};
use crate::program::Program;
use crate::rule;
use crate::translate::from_hs3::{self, Hs3Likelihood, Hs3Options, Overrides};
use serde_json::Value;
use std::collections::HashMap;

/// A likelihood before the conversion, with the names that its parameters have after it.
pub(super) struct Before {
    /// Of the analysis, as the source has it.
    pub analysis: String,
    pub model: Model,
    pub data: Data,
    pub names: Vec<String>,
}

/// How much −2 ln L has moved.
enum Change {
    None,
    /// By the same everywhere.
    Constant(f64),
    /// By up to this.
    Other(f64),
}

/// Compares each likelihood of a document with what was written, as a reader of the target understands it, at the start
/// and at two points beside it. A difference is a loss, a constant one a remark. What is not evaluated is not compared.
pub(super) fn compare(document: &Hs3Document, written: &Value, losses: &mut Findings) {
    let Ok(read) = Hs3Document::from_value(written, &ReadOptions::default()) else { return };
    if read.likelihoods.len() != document.likelihoods.len() {
        return;
    }
    for (before, after) in document.likelihoods.iter().zip(&read.likelihoods) {
        let of = |document: &Hs3Document, name: &str| {
            let options = Hs3Options { likelihood: Some(name.to_owned()), ..Hs3Options::default() };
            from_hs3::likelihood(document, &options).ok()
        };
        let (Some(first), Some(second)) = (of(document, &before.name), of(&read, &after.name)) else { continue };
        let names = second.model.parameter_names();
        let own = first.model.parameter_names();
        // Renamed ones keep their place.
        let same_place = own.len() == names.len();
        let renamed = own.into_iter().enumerate().map(|(i, name)| match names.get(i).filter(|_| same_place) {
            Some(other) if !names.contains(&name) => other.clone(),
            _ => name,
        });
        let names = renamed.collect();
        let first = Before { analysis: before.name.clone(), model: first.model, data: first.data, names };
        let conventions = "the conventions of the program that wrote it, such as densities at the centres of bins";
        let finding = match change(&first, &second) {
            Change::None => continue,
            Change::Constant(moved) => {
                let found = format!("−2 ln L that is {} more for its reader", number(moved));
                Finding::new(&rule::CONVERT_CONSTANT, found, format!("the same number: {conventions}"))
            }
            Change::Other(moved) => {
                let found = format!("−2 ln L that changes by up to {} for its reader", number(moved));
                Finding::new(&rule::CONVERT_LOST, found, format!("the same function: {conventions}"))
            }
        };
        losses.push(finding.at(before.pointer.clone()));
    }
}

/// The same of channels, analysis by analysis. What ends templates or normalises constraints over ranges is told for
/// itself and left out here; where something is lost already, nothing is compared.
pub(super) fn compare_channels(before: &[Before], written: &Value, target: Target, losses: &mut Findings) {
    if losses.0.iter().any(|loss| loss.rule == rule::CONVERT_LOST.id) {
        return;
    }
    let unread = |findings: Findings| {
        let first = findings.0.first().map_or("nothing".to_owned(), Finding::to_string);
        Finding::new(&rule::CONVERT_LOST, format!("a document that its reader refuses: {first}"), "one that it reads")
    };
    let read = match Hs3Document::from_value(written, &ReadOptions::default()) {
        Ok(read) => read,
        Err(findings) => return losses.push(unread(findings)),
    };
    for before in before {
        let name = spelling(&before.analysis, target);
        let options = Hs3Options { analysis: Some(name.clone()), overrides: plain(), ..Hs3Options::default() };
        let after = match from_hs3::likelihood(&read, &options) {
            Ok(after) => after,
            Err(findings) => {
                losses.push(unread(findings));
                continue;
            }
        };
        let found =
            |moved: f64| format!("−2 ln L of {} that changes by {} in what is written", quote(&name), number(moved));
        let told = losses.0.iter().any(|loss| loss.rule == rule::CONVERT_CONSTANT.id);
        match change(before, &after) {
            Change::None => {}
            Change::Constant(_) if told => {}
            Change::Constant(moved) => {
                losses.push(Finding::new(&rule::CONVERT_CONSTANT, found(moved), "the same number"));
            }
            Change::Other(moved) => losses.push(Finding::new(&rule::CONVERT_LOST, found(moved), "the same function")),
        }
    }
}

/// Without the conventions that have findings of their own.
pub(super) fn plain() -> Overrides {
    Overrides { clip_templates: Some(false), truncate_constraints: Some(false), ..Overrides::default() }
}

/// The names that parameters have in what was written: the points list them in the order of the content.
pub(super) fn written_names(content: &Content, file: &File) -> HashMap<String, String> {
    let points = file.parameter_points.first().map(|point| point.parameters.as_slice()).unwrap_or_default();
    content.parameters.iter().zip(points).map(|(own, written)| (own.name.clone(), written.name.clone())).collect()
}

fn change(before: &Before, after: &Hs3Likelihood) -> Change {
    let place: HashMap<&str, usize> = before.names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let places: Vec<Option<usize>> =
        after.model.parameter_names().iter().map(|name| place.get(name.as_str()).copied()).collect();
    let (fixed, bounds, start) = (before.model.fixed(), before.model.bounds(), before.model.init());
    let (first, second) = (Program::compile(&before.model), Program::compile(&after.model));
    let mut moved_by: Vec<f64> = Vec::new();
    let mut size = 10.0_f64;
    for part in [0.0, 0.02, -0.035] {
        let beside = |i: usize| {
            let (low, high) = bounds[i];
            let x = start[i] + part * (1.0 + 0.1 * (i % 3) as f64) * start[i].abs().max(0.5);
            if fixed[i] { start[i] } else { x.clamp(low, high) }
        };
        let point: Vec<f64> = (0..start.len()).map(beside).collect();
        let mut other = after.model.init();
        other.iter_mut().zip(&places).for_each(|(x, place)| {
            if let Some(value) = place.and_then(|i| point.get(i)) {
                *x = *value;
            }
        });
        let (a, b) = (twice_nll(&first, &before.data, &point), twice_nll(&second, &after.data, &other));
        if a.is_finite() || b.is_finite() {
            moved_by.push(b - a);
            size = size.max(a.abs());
        }
    }
    if moved_by.iter().any(|x| !x.is_finite()) {
        return Change::Other(f64::INFINITY);
    }
    let tolerance = 1e-9 * size;
    let largest = moved_by.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let spread = moved_by.iter().fold(0.0, |most: f64, x| most.max((x - moved_by[0]).abs()));
    match moved_by.first() {
        Some(first) if largest > tolerance && spread <= tolerance => Change::Constant(*first),
        Some(_) if largest > tolerance => Change::Other(largest),
        _ => Change::None,
    }
}

fn twice_nll(program: &Program, data: &Data, point: &[f64]) -> f64 {
    Evaluator::new(program).twice_nll(point, &program.prepare(data))
}
