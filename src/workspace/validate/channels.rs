//! Rules for channels and samples: names and numbers of bins.

use super::{Report, bins};
use crate::document::workspace::Workspace;
use crate::finding::quote;
use crate::rule;
use std::collections::HashMap;

pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    let mut channels = HashMap::new();
    for (c, channel) in workspace.channels.iter().enumerate() {
        if let Some(first) = channels.insert(channel.name.as_str(), c) {
            let found = format!("the name {} of channel {first} again", quote(&channel.name));
            report.add(&rule::DUPLICATE_CHANNEL, format!("/channels/{c}/name"), found, "a name of its own");
        }
        let n_bins = channel.samples.first().map_or(0, |s| s.data.len());
        let mut samples = HashMap::new();
        for (s, sample) in channel.samples.iter().enumerate() {
            if let Some(first) = samples.insert(sample.name.as_str(), s) {
                let found = format!("the name {} of sample {first} again", quote(&sample.name));
                let pointer = format!("/channels/{c}/samples/{s}/name");
                report.add(&rule::DUPLICATE_SAMPLE, pointer, found, "a name of its own");
            }
            if sample.data.len() != n_bins {
                let found = format!("{} in sample {}", bins(sample.data.len()), quote(&sample.name));
                let expected = format!("{}, as in the first sample of channel {}", bins(n_bins), quote(&channel.name));
                report.add(&rule::SAMPLE_BINS, format!("/channels/{c}/samples/{s}/data"), found, expected);
            }
        }
    }
}
