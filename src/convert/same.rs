//! Whether a document in other words is the same function: both are evaluated (spec/hs3-convert.md, section 6).

use crate::document::hs3::{Hs3Document, ReadOptions};
use crate::finding::{Finding, Findings, number};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::rule;
use crate::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use serde_json::Value;

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
        if let Some(finding) = difference(&first, &second) {
            losses.push(finding.at(before.pointer.clone()));
        }
    }
}

fn difference(first: &Hs3Likelihood, second: &Hs3Likelihood) -> Option<Finding> {
    let names = second.model.parameter_names();
    let of_first = first.model.parameter_names();
    let (fixed, bounds, start) = (first.model.fixed(), first.model.bounds(), first.model.init());
    let mut moved_by: Vec<f64> = Vec::new();
    let mut size = 10.0_f64;
    for part in [0.0, 0.02, -0.035] {
        let beside = |i: usize| {
            let (low, high) = bounds[i];
            let x = start[i] + part * (1.0 + 0.1 * (i % 3) as f64) * start[i].abs().max(0.5);
            if fixed[i] { start[i] } else { x.clamp(low, high) }
        };
        let point: Vec<f64> = (0..start.len()).map(beside).collect();
        let mut other = second.model.init();
        for (k, value) in other.iter_mut().enumerate() {
            // Renamed ones keep their place.
            let same_place = (of_first.len() == names.len()).then_some(k);
            if let Some(i) = of_first.iter().position(|known| *known == names[k]).or(same_place) {
                *value = point[i];
            }
        }
        let (a, b) = (twice_nll(first, &point), twice_nll(second, &other));
        if a.is_finite() || b.is_finite() {
            moved_by.push(b - a);
            size = size.max(a.abs());
        }
    }
    let tolerance = 1e-9 * size;
    let largest = moved_by.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let spread = moved_by.iter().fold(0.0, |most: f64, x| most.max((x - moved_by[0]).abs()));
    if largest <= tolerance {
        return None;
    }
    let conventions = "the conventions of the program that wrote it, such as densities at the centres of bins";
    if spread <= tolerance {
        let found = format!("−2 ln L that is {} more for its reader", number(moved_by[0]));
        return Some(Finding::new(&rule::CONVERT_CONSTANT, found, format!("the same number: {conventions}")));
    }
    let found = format!("−2 ln L that changes by up to {} for its reader", number(largest));
    Some(Finding::new(&rule::CONVERT_LOST, found, format!("the same function: {conventions}")))
}

fn twice_nll(likelihood: &Hs3Likelihood, point: &[f64]) -> f64 {
    let program = Program::compile(&likelihood.model);
    Evaluator::new(&program).twice_nll(point, &program.prepare(&likelihood.data))
}
