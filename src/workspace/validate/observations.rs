//! Rules for observed data.

use super::{Report, bins};
use crate::document::workspace::Workspace;
use crate::finding::quote;
use crate::rule;
use std::collections::HashMap;

pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    let mut channels: HashMap<&str, usize> = HashMap::new();
    for channel in &workspace.channels {
        channels.entry(&channel.name).or_insert(channel.samples.first().map_or(0, |s| s.data.len()));
    }
    let mut observed = HashMap::new();
    for (o, observation) in workspace.observations.iter().enumerate() {
        let name = quote(&observation.name);
        if let Some(first) = observed.insert(observation.name.as_str(), o) {
            let found = format!("the name {name} of observation {first} again");
            report.add(&rule::DUPLICATE_OBSERVATION, format!("/observations/{o}/name"), found, "one for each channel");
        }
        let data = || format!("/observations/{o}/data");
        match channels.get(observation.name.as_str()) {
            None => {
                let found = format!("an observation of {name}");
                report.add(&rule::UNKNOWN_CHANNEL, format!("/observations/{o}/name"), found, "the name of a channel");
            }
            Some(n_bins) if *n_bins != observation.data.len() => {
                let expected = format!("{}, as in channel {name}", bins(*n_bins));
                report.add(&rule::OBSERVATION_BINS, data(), bins(observation.data.len()), expected);
            }
            Some(_) => {}
        }
        report.add_numbers(&rule::NEGATIVE_OBSERVATION, data, &observation.data, "at least 0", |n| n < 0.0);
    }
    for (c, channel) in workspace.channels.iter().enumerate() {
        if !observed.contains_key(channel.name.as_str()) {
            let found = format!("no observation of channel {}", quote(&channel.name));
            report.add(&rule::MISSING_OBSERVATION, format!("/channels/{c}"), found, "an observation for each channel");
        }
    }
}
