//! One name is one parameter with one auxiliary measurement: what the combination makes of it must be what every document
//! says (spec/combine.md, "Constraints").

use super::report::{Place, Report};
use super::result::Origins;
use super::{Join, Source};
use crate::document::workspace::{Measurement, ParameterConfig, Workspace};
use crate::finding::{number, quote};
use crate::rule;
use crate::workspace::parameters::{EFT_UNCERTAINTY, ParameterSet, ParameterSets, collect, nuisances};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How many names a message lists.
const LISTED: usize = 10;

/// A measurement with its place in the document that holds it.
struct Settings<'w> {
    configs: BTreeMap<&'w str, (usize, &'w ParameterConfig)>,
    /// Pointer to the measurement.
    pointer: String,
    name: &'w str,
}

impl<'w> Settings<'w> {
    fn new(index: usize, measurement: &'w Measurement) -> Settings<'w> {
        let configs = measurement.config.parameters.iter().enumerate();
        Settings {
            configs: configs.map(|(p, config)| (config.name.as_str(), (p, config))).collect(),
            pointer: format!("/measurements/{index}"),
            name: &measurement.name,
        }
    }

    fn config(&self, name: &str) -> Option<&'w ParameterConfig> {
        self.configs.get(name).map(|(_, config)| *config)
    }

    /// Of the configuration of a parameter, or of the measurement that has none.
    fn pointer(&self, name: &str) -> String {
        match self.configs.get(name) {
            Some((p, _)) => format!("{}/config/parameters/{p}", self.pointer),
            None => self.pointer.clone(),
        }
    }
}

/// Compares every measurement of the result with every document: with its measurement of the same name, else with its
/// first, by which it is used unless a user chooses.
pub(super) fn check(sources: &[Source], result: &Workspace, origins: &Origins, how: Join, report: &mut Report) {
    let mut told = HashSet::new();
    let sets: Vec<ParameterSets> = sources.iter().map(|source| collect(&source.workspace)).collect();
    for (m, measurement) in result.measurements.iter().enumerate() {
        let combined = Settings::new(m, measurement);
        let Some(origin) = origins.place(&combined.pointer) else { continue };
        for (d, (source, sets)) in sources.iter().zip(&sets).enumerate() {
            let own = &source.workspace.measurements;
            let named = own.iter().position(|own| own.name == measurement.name);
            // Where a side wins, that its measurement counts has been said.
            if named.is_some() && how.is_sided() && origin.document != d {
                continue;
            }
            let Some(settings) = own.get(named.unwrap_or(0)).map(|own| Settings::new(named.unwrap_or(0), own)) else {
                continue;
            };
            let pair = Pair { document: d, sets, combined: &combined, own: &settings, origins };
            pair.check_constraints(&mut told, report);
            if named.is_none() {
                pair.check_settings(report);
            }
        }
    }
}

/// A measurement of the result and one of a document.
struct Pair<'a> {
    document: usize,
    sets: &'a ParameterSets<'a>,
    combined: &'a Settings<'a>,
    own: &'a Settings<'a>,
    origins: &'a Origins,
}

impl Pair<'_> {
    /// Parameters of the document that one of the two measurements configures.
    fn parameters(&self) -> Vec<(&str, &ParameterSet)> {
        let names: BTreeSet<&str> = self.own.configs.keys().chain(self.combined.configs.keys()).copied().collect();
        names.into_iter().filter_map(|name| Some((name, self.sets.get(name)?))).collect()
    }

    fn check_constraints(&self, told: &mut HashSet<(String, Place, Place)>, report: &mut Report) {
        for (name, set) in self.parameters() {
            let (own, combined) = (self.own.config(name), self.combined.config(name));
            let (Some(own), Some(combined)) = (constraint(set, own), constraint(set, combined)) else { continue };
            let here = Place::new(self.document, self.own.pointer(name));
            let Some(there) = self.origins.place(&self.combined.pointer(name)) else { continue };
            if own == combined {
                continue;
            }
            // The same two places meet again in the other document's measurement.
            let (first, last) =
                if here <= there { (here.clone(), there.clone()) } else { (there.clone(), here.clone()) };
            if told.insert((name.to_owned(), first, last)) {
                let found = format!("parameter {} with {own}", quote(name));
                let expected = format!(
                    "{combined}, as the combination has it in measurement {} of {}",
                    quote(self.combined.name),
                    report.tell(&there)
                );
                report.add(&rule::COMBINE_CONSTRAINT, &here, found, expected);
            }
        }
    }

    /// Settings of the document that the measurement of the result lacks.
    fn check_settings(&self, report: &mut Report) {
        let lost = |name: &&str| self.own.config(name).is_some() && self.own.config(name) != self.combined.config(name);
        let names: Vec<&str> = self.parameters().into_iter().map(|(name, _)| name).filter(lost).collect();
        if let Some(there) = self.origins.place(&self.combined.pointer).filter(|_| !names.is_empty()) {
            let found = format!("settings of {} in measurement {}", list(&names), quote(self.own.name));
            let expected = format!("the same in measurement {} of {}", quote(self.combined.name), report.tell(&there));
            let place = Place::new(self.document, self.own.pointer.clone());
            report.add(&rule::COMBINE_SETTINGS, &place, found, expected);
        }
    }
}

/// What a measurement says of a constraint: auxiliary data and widths (factors, for shapesys), none where they follow from
/// the templates.
#[derive(PartialEq)]
struct Constraint<'a> {
    auxdata: Option<&'a [f64]>,
    widths: Option<&'a [f64]>,
    what: &'static str,
}

/// None for free parameters, and for a lumi of which the measurement says nothing.
fn constraint<'a>(set: &ParameterSet, config: Option<&'a ParameterConfig>) -> Option<Constraint<'a>> {
    let auxdata = config.and_then(|config| config.auxdata.as_deref());
    let sigmas = config.and_then(|config| config.sigmas.as_deref());
    let factors = config.and_then(|config| config.factors.as_deref());
    let (auxdata, widths, what) = match set.kind {
        "histosys" | "normsys" | EFT_UNCERTAINTY => (auxdata.or(Some(&[0.0])), Some(&[1.0][..]), "sigmas"),
        "lumi" => (Some(auxdata?), sigmas.or(Some(&[1.0])), "sigmas"),
        "staterror" => (auxdata, sigmas, "sigmas"),
        "shapesys" => (auxdata, factors, "factors"),
        _ => return None,
    };
    Some(Constraint { auxdata, widths, what })
}

impl std::fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = |numbers: Option<&[f64]>| match numbers {
            None => "as its templates say".to_owned(),
            Some(numbers) => {
                let shown: Vec<String> = numbers.iter().take(LISTED).map(|x| number(*x)).collect();
                format!("[{}{}]", shown.join(", "), if numbers.len() > LISTED { ", …" } else { "" })
            }
        };
        write!(f, "auxdata {} and {} {}", numbers(self.auxdata), self.what, numbers(self.widths))
    }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| quote(name)).collect();
    let more = names.len().saturating_sub(LISTED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// Names of the parameters that several documents have in the result, sorted.
pub(super) fn shared(sources: &[Source], result: &Workspace, origins: &Origins) -> Vec<String> {
    let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (d, source) in sources.iter().enumerate() {
        for coefficient in source.workspace.eft.iter().flat_map(|eft| eft.fit_coefficients()) {
            users.entry(coefficient.name).or_default().insert(d);
        }
    }
    for (c, channel) in result.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            let Some(origin) = origins.place(&format!("/channels/{c}/samples/{s}")) else { continue };
            for modifier in &sample.modifiers {
                let own = (!modifier.is_eft()).then(|| modifier.name());
                let nuisances = result.eft.iter().flat_map(|eft| nuisances(modifier, eft));
                for name in own.into_iter().chain(nuisances) {
                    users.entry(name).or_default().insert(origin.document);
                }
            }
        }
    }
    users.into_iter().filter(|(_, users)| users.len() > 1).map(|(name, _)| name.to_owned()).collect()
}
