//! Rules for measurements: the parameter of interest and the settings of parameters.

use super::{Measurements, Report};
use crate::document::workspace::{Measurement, ParameterConfig, Workspace};
use crate::finding::{Finding, number, quote};
use crate::rule;
use crate::workspace::measurement_named;
use crate::workspace::parameters::{ParameterSet, ParameterSets};
use std::collections::HashMap;

pub(super) fn check(workspace: &Workspace, sets: &ParameterSets, which: &Measurements, report: &mut Report) {
    let mut names = HashMap::new();
    for (m, measurement) in workspace.measurements.iter().enumerate() {
        if let Some(first) = names.get(measurement.name.as_str()) {
            let found = format!("the name {} of measurement {first} again", quote(&measurement.name));
            report.add(&rule::DUPLICATE_MEASUREMENT, format!("/measurements/{m}/name"), found, "a name of its own");
        } else {
            names.insert(measurement.name.as_str(), m);
        }
    }
    let chosen = match which {
        Measurements::All => None,
        Measurements::First => Some(0),
        Measurements::Named(name) => match measurement_named(workspace, name) {
            Ok(_) => names.get(name.as_str()).copied(),
            Err(findings) => {
                let findings = findings.0.into_iter();
                report.findings.0.extend(findings.map(|f| Finding { pointer: Some("/measurements".into()), ..f }));
                return;
            }
        },
    };
    let measurements = workspace.measurements.iter().enumerate();
    for (m, measurement) in measurements.filter(|(m, _)| chosen.is_none_or(|chosen| chosen == *m)) {
        check_one(measurement, &format!("/measurements/{m}/config"), sets, report);
    }
}

fn check_one(measurement: &Measurement, pointer: &str, sets: &ParameterSets, report: &mut Report) {
    let config = &measurement.config;
    let poi = quote(&config.poi);
    match sets.get(config.poi.as_str()) {
        _ if config.poi.is_empty() => {}
        None => {
            let found = format!("the parameter of interest {poi}, which no modifier declares");
            report.add(&rule::UNKNOWN_POI, format!("{pointer}/poi"), found, "the name of a scalar parameter");
        }
        Some(set) if set.length != 1 => {
            let found = format!("the parameter of interest {poi}, a {}", set.kind);
            report.add(&rule::POI_NOT_SCALAR, format!("{pointer}/poi"), found, "the name of a scalar parameter");
        }
        Some(_) => {}
    }
    let mut names = HashMap::new();
    for (p, parameter) in config.parameters.iter().enumerate() {
        let pointer = format!("{pointer}/parameters/{p}");
        if let Some(first) = names.insert(parameter.name.as_str(), p) {
            let found = format!("the name {} of configuration {first} again", quote(&parameter.name));
            report.add(&rule::DUPLICATE_PARAMETER, format!("{pointer}/name"), found, "one configuration for each name");
        }
        match sets.get(parameter.name.as_str()) {
            None => {
                let found = format!("a configuration of {}, which no modifier declares", quote(&parameter.name));
                report.add(&rule::UNKNOWN_PARAMETER, format!("{pointer}/name"), found, "the name of a parameter");
            }
            // W106 is reported, and what the configuration means is open until that is mended.
            Some(set) if set.conflict => {}
            Some(set) => Config { parameter, set, pointer }.check(report),
        }
    }
    if sets.get("lumi").is_some_and(|set| set.kind == "lumi") {
        check_lumi(config.parameters.iter().rposition(|p| p.name == "lumi"), measurement, pointer, report);
    }
}

/// lumi has no defaults.
fn check_lumi(index: Option<usize>, measurement: &Measurement, pointer: &str, report: &mut Report) {
    let configured = index.and_then(|i| Some((i, measurement.config.parameters.get(i)?)));
    let Some((i, config)) = configured else {
        let expected = "a configuration of lumi with inits, bounds, auxdata and sigmas";
        report.add(&rule::LUMI_UNCONFIGURED, format!("{pointer}/parameters"), "no configuration of lumi", expected);
        return;
    };
    let pointer = format!("{pointer}/parameters/{i}");
    let given =
        [("inits", config.inits.is_some()), ("bounds", config.bounds.is_some()), ("auxdata", config.auxdata.is_some())];
    for (key, _) in given.iter().filter(|(_, given)| !given) {
        let found = format!("no key {}", quote(key));
        report.add(&rule::LUMI_UNCONFIGURED, pointer.clone(), found, format!("the key {}", quote(key)));
    }
    if config.sigmas.is_none() {
        report.add(&rule::LUMI_NO_SIGMA, pointer, "no key \"sigmas\"", "the key \"sigmas\"");
    }
}

/// The settings of one parameter set that the model has.
struct Config<'a> {
    parameter: &'a ParameterConfig,
    set: &'a ParameterSet,
    pointer: String,
}

impl Config<'_> {
    fn check(&self, report: &mut Report) {
        let parameter = self.parameter;
        let lengths = [
            ("inits", parameter.inits.as_ref().map(Vec::len)),
            ("bounds", parameter.bounds.as_ref().map(Vec::len)),
            ("auxdata", parameter.auxdata.as_ref().map(Vec::len)),
            ("factors", parameter.factors.as_ref().map(Vec::len)),
            ("sigmas", parameter.sigmas.as_ref().map(Vec::len)),
        ];
        for (key, length) in lengths {
            if let Some(length) = length {
                self.check_key(key, length, report);
            }
        }
        self.check_bounds(report);
        self.check_inits(report);
        for (key, numbers) in [("sigmas", &parameter.sigmas), ("factors", &parameter.factors)] {
            if let Some(numbers) = numbers.as_ref().filter(|_| self.set.takes(key)) {
                report.add_numbers(
                    &rule::SIGMA_NOT_POSITIVE,
                    || self.at(key),
                    numbers,
                    "a positive number",
                    |x| x <= 0.0,
                );
            }
        }
        if let (Some(auxdata), "shapesys") = (&parameter.auxdata, self.set.kind) {
            report.add_numbers(&rule::NEGATIVE_AUXDATA, || self.at("auxdata"), auxdata, "at least 0", |n| n < 0.0);
        }
        if parameter.fixed == Some(false) && self.set.zero_bins {
            let found = format!("false for {} with a bin without uncertainty", self.name());
            report.add(&rule::FREED_BIN, self.at("fixed"), found, "no key \"fixed\"");
        }
    }

    fn at(&self, key: &str) -> String {
        format!("{}/{key}", self.pointer)
    }

    fn name(&self) -> String {
        format!("{} {}", self.set.kind, quote(&self.parameter.name))
    }

    fn check_key(&self, key: &str, length: usize, report: &mut Report) {
        if !self.set.takes(key) {
            let found = format!("{key} for {}", self.name());
            report.add(&rule::PARAMETER_KEY, self.at(key), found, format!("no key {}", quote(key)));
        } else if length != self.set.length {
            let expected = format!("{}, the number of parameters of {}", self.set.length, self.name());
            report.add(&rule::PARAMETER_LENGTH, self.at(key), format!("{length} entries"), expected);
        }
    }

    fn check_bounds(&self, report: &mut Report) {
        for (i, entry) in self.parameter.bounds.iter().flatten().enumerate() {
            let pointer = || self.at(&format!("bounds/{i}"));
            match entry[..] {
                [lower, upper] if lower > upper => {
                    let found = format!("[{}, {}]", number(lower), number(upper));
                    report.add(&rule::BOUNDS_REVERSED, pointer(), found, "a lower bound not above the upper bound");
                }
                [_, _] => {}
                _ => {
                    let found = format!("{} numbers", entry.len());
                    report.add(&rule::BOUNDS_PAIR, pointer(), found, "a pair of numbers");
                }
            }
        }
    }

    /// Initial values against bounds, each from the configuration or else the default.
    fn check_inits(&self, report: &mut Report) {
        let (inits, bounds) = (&self.parameter.inits, &self.parameter.bounds);
        let given = inits.as_ref().map_or(0, Vec::len).max(bounds.as_ref().map_or(0, Vec::len));
        for i in 0..given {
            let init = inits.as_ref().map_or(self.set.init(), |inits| inits.get(i).copied());
            let pair = match bounds {
                None => self.set.bounds(),
                Some(bounds) => match bounds.get(i).map(Vec::as_slice) {
                    Some(&[lower, upper]) if lower <= upper => Some((lower, upper)),
                    _ => None,
                },
            };
            let (Some(init), Some((lower, upper))) = (init, pair) else { continue };
            if !(lower..=upper).contains(&init) {
                let key = if inits.is_some() { format!("inits/{i}") } else { format!("bounds/{i}") };
                let found = format!("the initial value {} of {}", number(init), self.name());
                report.add(
                    &rule::INIT_OUTSIDE,
                    self.at(&key),
                    found,
                    format!("a value in [{}, {}]", number(lower), number(upper)),
                );
            }
        }
    }
}
