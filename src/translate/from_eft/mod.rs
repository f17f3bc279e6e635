//! EFT modifiers of a sample → its parts (spec/eft.md).
//!
//! * `variables`: names of coefficients and nuisances become variables of the sample's polynomials;
//! * `response`: each modifier becomes a product of polynomials, or a table of events;
//! * `combine`: the responses of a sample become one;
//! * `measurements`: means and covariance of the measurements with Gaussian errors;
//! * `unbinned`: the polynomials of single events;
//! * `parts`: response and systematics become parts whose rates add up;
//! * `transform`: coefficients that other parameters give leave them.

mod combine;
mod measurements;
mod parts;
mod response;
mod transform;
mod unbinned;
mod variables;

pub use response::solve_morph;

use crate::document::eft::{Correlation, Eft, SampleData};
use crate::document::workspace::{Modifier, Workspace};
use crate::event_database::Databases;
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::modifier::{eft_uncertainty, flat_error, wilson_coefficient};
use crate::model::{Channel, Derived, Effect, ParameterSet, Part};
use crate::rule;
use crate::translate::from_pyhf::ModelOptions;
use crate::workspace::{flat_parameters, measured_nuisances, nuisances};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use transform::Transform;
use variables::Variables;

pub(super) use transform::number_given;

/// What the modifiers of all samples refer to.
pub(super) struct EftContext<'w> {
    workspace: &'w Workspace,
    eft: &'w Eft,
    ranges: &'w HashMap<&'w str, Range<usize>>,
    options: &'w ModelOptions,
    databases: Databases<'w>,
    transform: Transform,
    /// What was odd in the databases.
    warnings: Findings,
}

/// What has a response, or means: findings name it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'w> {
    Sample { channel: &'w str, name: &'w str },
    Measurement(&'w str),
    UnbinnedTerm(&'w str),
}

impl Owner<'_> {
    /// Something is wrong with the response.
    fn finding(self, found: impl std::fmt::Display, expected: &str) -> Finding {
        let place = match self {
            Owner::Sample { channel, name } => format!("sample {} in channel {}", quote(name), quote(channel)),
            Owner::Measurement(name) => format!("measurement {}", quote(name)),
            Owner::UnbinnedTerm(name) => format!("unbinned term {}", quote(name)),
        };
        Finding::new(&rule::EFT_RESPONSE, format!("{found}, of {place}"), expected)
    }
}

/// A sample as a plain workspace has it.
pub(super) struct PlainSample<'w> {
    pub channel: &'w str,
    pub name: &'w str,
    pub nominal: &'w [f64],
    /// Effects with the names of their modifiers.
    pub effects: Vec<(&'w str, Effect)>,
}

impl PlainSample<'_> {
    /// The sample without any response.
    pub fn part(&self) -> Part {
        let effects = self.effects.iter().map(|(_, effect)| effect.clone()).collect();
        Part { nominal: self.nominal.to_vec(), effects, response: None }
    }

    fn owner(&self) -> Owner<'_> {
        Owner::Sample { channel: self.channel, name: self.name }
    }

    fn bins(&self) -> (Owner<'_>, usize) {
        (self.owner(), self.nominal.len())
    }

    /// Something is wrong with the sample.
    fn finding(&self, found: impl std::fmt::Display, expected: &str) -> Finding {
        self.owner().finding(found, expected)
    }
}

/// Adds the parameters of the extension behind those of pyhf: Wilson coefficients as they are declared and the parameters
/// of their transform, then the nuisances of coefficients and events by name, then flat errors.
pub(super) fn add_parameters<'w>(
    eft: &'w Eft,
    modifiers: impl Iterator<Item = &'w Modifier>,
    sets: &mut Vec<ParameterSet>,
) {
    let known: BTreeSet<String> = sets.iter().map(|set| set.name.clone()).collect();
    let coefficients = eft.fit_coefficients().into_iter();
    sets.extend(
        coefficients.map(|c| wilson_coefficient::parameters(c.name, c.init, (c.bounds[0], c.bounds[1]), c.fixed)),
    );
    let mut names: BTreeSet<&str> = modifiers.flat_map(|modifier| nuisances(modifier, eft)).collect();
    let measured = measured_nuisances(eft, |name| names.contains(name) || known.contains(name));
    names.extend(measured);
    sets.extend(names.into_iter().filter(|name| !known.contains(*name)).map(eft_uncertainty::parameters));
    sets.extend(flat_parameters(eft).into_iter().map(|systematic| {
        let each = systematic.correlation == Correlation::None;
        let fixed = if each { systematic.values.iter().map(|x| *x == 0.0).collect() } else { vec![false] };
        flat_error::parameters(&systematic.name, !each, fixed)
    }));
}

/// A lower limit of the bins' yields knows no statistical uncertainty that is profiled (spec/eft.md, "Domain").
pub(super) fn check_clip(channels: &[Channel], options: &ModelOptions) -> Result<()> {
    let uncertain = |channel: &&Channel| channel.samples.iter().flat_map(|s| &s.parts).any(Part::is_uncertain);
    match channels.iter().find(uncertain) {
        Some(channel) if options.clip_bin_data.is_some() => {
            let found = format!("a lower limit of the bins' yields, with mc_stat in channel {}", quote(&channel.name));
            let expected = "no such limit where a statistical uncertainty is profiled";
            Err(Finding::new(&rule::EFT_RESPONSE, found, expected).into())
        }
        _ => Ok(()),
    }
}

impl<'w> EftContext<'w> {
    /// # Errors
    /// `InvalidEft` for a transform that cannot be made of `sets`.
    pub fn new(
        workspace: &'w Workspace,
        eft: &'w Eft,
        sets: &[ParameterSet],
        ranges: &'w HashMap<&'w str, Range<usize>>,
        options: &'w ModelOptions,
    ) -> Result<EftContext<'w>> {
        let databases = Databases::new(eft, options.folder.as_deref().unwrap_or(Path::new("")));
        let transform = Transform::new(eft, sets, ranges)?;
        Ok(EftContext { workspace, eft, ranges, options, databases, transform, warnings: Findings::default() })
    }

    /// The coefficients that the transform gives.
    pub fn derived(&self) -> Vec<Derived> {
        self.transform.derived()
    }

    /// What was odd in the samples so far.
    pub fn into_warnings(self) -> Findings {
        self.warnings
    }

    /// The parts of a sample with EFT modifiers.
    ///
    /// # Errors
    /// `InvalidEft` for what only the numbers show: a basis that does not determine its polynomial, a pole; and everything
    /// that can be wrong with an event database.
    pub fn parts(&mut self, plain: &PlainSample, modifiers: &[&Modifier]) -> Result<Vec<Part>> {
        let pointer = self.pointer(plain);
        self.unplaced_parts(plain, modifiers).map_err(|findings| {
            let placed = |f: Finding| if f.pointer.is_some() { f } else { f.at(pointer.clone()) };
            Findings(findings.0.into_iter().map(placed).collect())
        })
    }

    /// Where the sample stands in the document.
    fn pointer(&self, plain: &PlainSample) -> String {
        self.workspace.sample_pointer(plain.channel, plain.name)
    }

    fn unplaced_parts(&mut self, plain: &PlainSample, modifiers: &[&Modifier]) -> Result<Vec<Part>> {
        let empty = SampleData::default();
        let of_sample = modifiers.iter().find_map(|modifier| match modifier {
            Modifier::EftSample { data, .. } => Some(&**data),
            _ => None,
        });
        let of_sample = of_sample.unwrap_or(&empty);
        let mut variables = Variables::new(self.eft, self.ranges);
        let (mut responses, mut findings) = (Vec::new(), Findings::default());
        for modifier in modifiers {
            match response::of_modifier(self, plain, modifier, &mut variables) {
                Ok(response) => responses.extend(response),
                Err(found) => findings.0.extend(found.0),
            }
        }
        if !findings.0.is_empty() {
            return Err(findings);
        }
        if responses.is_empty() {
            return Ok(vec![plain.part()]);
        }
        if self.options.clip_sample_data.is_some() {
            let expected = "no lower limit of the samples' yields: it is not defined for a sample with a response";
            return Err(plain.finding("a lower limit of the sample's yields", expected).into());
        }
        let combined = combine::combine(plain, responses, of_sample, self.options.max_np_order, &variables)?;
        let parts = parts::parts(plain, combined, of_sample, self.options, &mut variables)?;
        let transformed =
            parts.into_iter().map(|part| self.transform.of_part(part)).collect::<std::result::Result<_, _>>();
        transformed.map_err(|error| {
            let expected = "responses in which the relations of parameter_transform can be put";
            Findings::from(plain.finding(error, expected))
        })
    }
}
