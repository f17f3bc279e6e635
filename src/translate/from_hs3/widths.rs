//! Relative uncertainties of the factors of single bins (A2; spec/hs3-histfactory.md, eq. 1 and 2).

use super::choice::Region;
use super::convention::{Conventions, ShapesysValues};
use super::values::Values;
use crate::document::hs3::{Dialect, Modifier, ModifierData, ModifierKind, Sample};
use crate::finding::{Finding, Findings, quote};
use crate::model::modifier::staterror;
use crate::rule;
use std::collections::HashMap;

/// How closely the range of a parameter has to agree with errors of seven digits.
const ROUNDING: f64 = 2e-6;

/// The widths in one channel.
pub(super) struct Widths<'c> {
    conventions: &'c Conventions,
    /// Of each parameter of a staterror: over the samples that carry it.
    of_gamma: HashMap<&'c str, f64>,
}

impl<'c> Widths<'c> {
    /// Sums up the staterrors of a channel.
    pub fn new(
        region: &Region,
        names: &'c [Vec<Vec<String>>],
        values: &Values,
        conventions: &'c Conventions,
        findings: &mut Findings,
    ) -> Widths<'c> {
        let mut bins: HashMap<&str, staterror::Bin> = HashMap::new();
        for (sample, names) in region.channel.samples.iter().zip(names) {
            for (modifier, names) in sample.modifiers.iter().zip(names) {
                match (&modifier.kind, errors(sample, modifier)) {
                    (ModifierKind::Staterror, Some(errors)) => {
                        for ((name, n), u) in names.iter().zip(&sample.data.contents).zip(errors) {
                            let bin = bins.entry(name).or_default();
                            bin.nominal += n;
                            bin.sum_of_squares += u * u;
                        }
                    }
                    (ModifierKind::Staterror, None) => {
                        let found = format!("a staterror on {} without errors", quote(&sample.name));
                        let finding = Finding::new(&rule::HS3_COMPONENT, found, "errors beside contents");
                        findings.push(finding.at(sample.pointer.clone()));
                    }
                    (ModifierKind::Shapesys, _) => check_values(modifier, conventions, findings),
                    _ => {}
                }
            }
        }
        let exact =
            |name: &str, width: f64| if conventions.widths_from_ranges { of_range(values, name, width) } else { width };
        let of_gamma = bins.into_iter().map(|(name, bin)| (name, exact(name, staterror::relative_uncertainty(&bin))));
        Widths { conventions, of_gamma: of_gamma.collect() }
    }

    /// One width for each parameter of a modifier; none for what has no width.
    pub fn of(&self, sample: &Sample, modifier: &Modifier, names: &[String]) -> Vec<f64> {
        match (&modifier.kind, &modifier.data) {
            (ModifierKind::Staterror, _) => {
                names.iter().map(|name| self.of_gamma.get(name.as_str()).copied().unwrap_or(0.0)).collect()
            }
            (ModifierKind::Shapesys, ModifierData::Vals(vals)) => {
                let poisson = is_poisson(modifier);
                let bins = vals.iter().zip(&sample.data.contents);
                bins.map(|(value, n)| match self.conventions.shapesys_values {
                    ShapesysValues::Relative => *value,
                    ShapesysValues::Tau if poisson && *value > 0.0 => 1.0 / value.sqrt(),
                    ShapesysValues::Tau => *value,
                    // As the pyhf path: without yield there is no uncertainty.
                    ShapesysValues::Absolute if *n > 0.0 => value / n,
                    ShapesysValues::Absolute => 0.0,
                })
                .collect()
            }
            _ => Vec::new(),
        }
    }
}

fn errors<'d>(sample: &'d Sample, modifier: &'d Modifier) -> Option<&'d [f64]> {
    match &modifier.data {
        // Of pyhs3's full method of Barlow and Beeston: the sample's own.
        ModifierData::Uncertainties(uncertainties) => Some(uncertainties),
        _ => sample.data.errors.as_deref(),
    }
}

fn is_poisson(modifier: &Modifier) -> bool {
    let keys = &modifier.constraint;
    let word = keys.constraint_type.as_deref().or(keys.constraint.as_deref());
    word.is_none_or(|word| word.eq_ignore_ascii_case("poisson"))
}

/// Warns where the values look like another convention than the producer's.
fn check_values(modifier: &Modifier, conventions: &Conventions, findings: &mut Findings) {
    let ModifierData::Vals(vals) = &modifier.data else { return };
    let large = vals.iter().any(|value| *value > 1.0);
    let taken = match conventions.shapesys_values {
        // Relative uncertainties above one are rare; τ and events are not.
        ShapesysValues::Relative if large => "relative uncertainties",
        ShapesysValues::Absolute if conventions.dialect == Dialect::Canonical => "uncertainties in events",
        _ => return,
    };
    let found = format!("vals of shapesys up to {}, taken as {taken}", vals.iter().copied().fold(0.0, f64::max));
    let expected = "named constraints, or the choice of what vals are";
    findings.push(Finding::new(&rule::HS3_SHAPESYS, found, expected).at(modifier.pointer.clone()));
}

/// ROOT sets the upper end of the range of a constrained factor to 1 + 5σ.
fn of_range(values: &Values, name: &str, width: f64) -> f64 {
    let of_range = values.range(name).map(|(_, high)| (high - 1.0) / 5.0);
    of_range.filter(|exact| width > 0.0 && (exact / width - 1.0).abs() < ROUNDING).unwrap_or(width)
}
