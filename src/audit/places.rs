//! Where the parts of a model stand in its document.

use crate::document::hs3::{DistributionKind, Hs3Document, Modifier as Hs3Modifier, ModifierKind};
use crate::document::workspace::Workspace;
use std::collections::{HashMap, HashSet};

/// A modifier in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The word of the document.
    pub kind: &'static str,
    pub pointer: String,
}

/// JSON Pointers by the names that the model has from the document.
#[derive(Clone, Debug, Default)]
pub struct Places {
    channels: HashMap<String, String>,
    samples: HashMap<(String, String), String>,
    /// By channel, sample and name of the parameter set.
    modifiers: HashMap<(String, String, String), Vec<Place>>,
    by_parameter: HashMap<String, Vec<Place>>,
    configurations: HashMap<String, String>,
    configured_fixed: HashSet<String>,
    observations: HashMap<String, String>,
}

impl Places {
    pub fn of_workspace(workspace: &Workspace, measurement: &str) -> Places {
        let mut places = Places::default();
        for (c, channel) in workspace.channels.iter().enumerate() {
            places.channels.insert(channel.name.clone(), format!("/channels/{c}"));
            for (s, sample) in channel.samples.iter().enumerate() {
                let at = format!("/channels/{c}/samples/{s}");
                for (m, modifier) in sample.modifiers.iter().enumerate() {
                    let place = Place { kind: modifier.kind(), pointer: format!("{at}/modifiers/{m}") };
                    places.add(&channel.name, &sample.name, modifier.name(), place);
                }
                places.samples.insert((channel.name.clone(), sample.name.clone()), at);
            }
        }
        for (o, observation) in workspace.observations.iter().enumerate() {
            places.observations.insert(observation.name.clone(), format!("/observations/{o}/data"));
        }
        let named = workspace.measurements.iter().enumerate().find(|(_, own)| own.name == measurement);
        if let Some((m, own)) = named {
            for (p, config) in own.config.parameters.iter().enumerate() {
                let at = format!("/measurements/{m}/config/parameters/{p}");
                places.configurations.insert(config.name.clone(), at);
                if config.fixed.is_some() {
                    places.configured_fixed.insert(config.name.clone());
                }
            }
        }
        places
    }

    /// Names of parameters are as written, or as readers make them where none is written.
    pub fn of_hs3(document: &Hs3Document) -> Places {
        let mut places = Places::default();
        for distribution in &document.distributions {
            let DistributionKind::HistFactory(channel) = &distribution.kind else { continue };
            places.channels.insert(distribution.name.clone(), distribution.pointer.clone());
            for sample in &channel.samples {
                places.samples.insert((distribution.name.clone(), sample.name.clone()), sample.pointer.clone());
                for modifier in &sample.modifiers {
                    let place = Place { kind: word(&modifier.kind), pointer: modifier.pointer.clone() };
                    for name in names(modifier, &distribution.name, sample.data.contents.len()) {
                        places.add(&distribution.name, &sample.name, &name, place.clone());
                    }
                }
            }
        }
        places
    }

    fn add(&mut self, channel: &str, sample: &str, parameter: &str, place: Place) {
        let key = (channel.to_owned(), sample.to_owned(), parameter.to_owned());
        self.by_parameter.entry(parameter.to_owned()).or_default().push(place.clone());
        self.modifiers.entry(key).or_default().push(place);
    }

    pub fn channel(&self, name: &str) -> Option<String> {
        self.channels.get(name).cloned()
    }

    /// The counts of a channel; the channel where that is not known.
    pub fn observation(&self, name: &str) -> Option<String> {
        self.observations.get(name).cloned().or_else(|| self.channel(name))
    }

    pub fn sample(&self, channel: &str, sample: &str) -> Option<String> {
        self.samples.get(&(channel.to_owned(), sample.to_owned())).cloned()
    }

    pub fn modifiers(&self, channel: &str, sample: &str, parameter: &str) -> &[Place] {
        let key = (channel.to_owned(), sample.to_owned(), parameter.to_owned());
        self.modifiers.get(&key).map_or(&[], Vec::as_slice)
    }

    /// All modifiers of a parameter set, in document order.
    pub fn of_parameter(&self, parameter: &str) -> &[Place] {
        self.by_parameter.get(parameter).map_or(&[], Vec::as_slice)
    }

    /// Where a measurement sets a parameter.
    pub fn configuration(&self, parameter: &str) -> Option<&str> {
        self.configurations.get(parameter).map(String::as_str)
    }

    /// A measurement says itself whether the parameter is held.
    pub fn says_fixed(&self, parameter: &str) -> bool {
        self.configured_fixed.contains(parameter)
    }

    /// All modifiers by channel, sample and name of the parameter set.
    pub fn all(&self) -> impl Iterator<Item = (&(String, String, String), &[Place])> {
        self.modifiers.iter().map(|(key, places)| (key, places.as_slice()))
    }
}

fn word(kind: &ModifierKind) -> &'static str {
    match kind {
        ModifierKind::Normfactor => "normfactor",
        ModifierKind::Normsys => "normsys",
        ModifierKind::Histosys => "histosys",
        ModifierKind::Shapefactor => "shapefactor",
        ModifierKind::Shapesys => "shapesys",
        ModifierKind::Staterror => "staterror",
        ModifierKind::Custom => "custom",
        ModifierKind::Unknown(_) => "unknown",
    }
}

/// All names that the parameters of a modifier may have in the model.
fn names(modifier: &Hs3Modifier, channel: &str, bins: usize) -> Vec<String> {
    let written = modifier.parameter.iter().chain(&modifier.parameters);
    let written: Vec<String> = written.cloned().collect();
    if !written.is_empty() {
        return written;
    }
    let own = modifier.name.clone().unwrap_or_default();
    let channel = channel.strip_prefix("model_").unwrap_or(channel);
    match modifier.kind {
        ModifierKind::Normsys | ModifierKind::Histosys => vec![format!("alpha_{own}"), own],
        ModifierKind::Shapefactor | ModifierKind::Shapesys => {
            (0..bins).map(|bin| format!("gamma_{own}_bin_{bin}")).collect()
        }
        ModifierKind::Staterror => (0..bins).map(|bin| format!("gamma_stat_{channel}_bin_{bin}")).collect(),
        _ => vec![own],
    }
}
