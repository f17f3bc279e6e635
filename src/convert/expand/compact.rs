//! The document itself beside its expansion (spec/eft-hs3.md, section 6), under keys that other programs ignore.

use crate::document::eft::VERSION;
use crate::document::hs3::{EftLayer, MISC_KEY, SAMPLE_KEY};
use crate::document::workspace::{Measurement, Workspace};
use crate::model::Model;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Which samples stand for those of one channel, in the order of the channels of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub channel: String,
    /// (in the document, the first of those in the file)
    pub samples: Vec<(String, String)>,
}

/// What was expanded, and the names of the file for it.
pub(super) struct Layer<'l> {
    pub measurement: &'l str,
    pub model: &'l Model,
    pub max_np_order: Option<u32>,
    pub parameters: &'l [String],
    pub etas: &'l [String],
}

/// Adds the document to its expansion; nothing for a workspace without the EFT extension.
pub(super) fn add(document: &mut Value, workspace: &Workspace, origins: &[Origin], layer: &Layer) {
    let Some(eft) = workspace.eft.as_deref() else { return };
    let mut channels = BTreeMap::new();
    if let Some(distributions) = document["distributions"].as_array_mut() {
        for (distribution, origin) in distributions.iter_mut().zip(origins) {
            if let Some(name) = distribution["name"].as_str() {
                channels.insert(name.to_owned(), origin.channel.clone());
            }
            mark(distribution, workspace, origin);
        }
    }
    let own = EftLayer {
        version: VERSION.to_owned(),
        channels,
        eft: eft.clone(),
        eta: layer.etas.to_vec(),
        max_np_order: layer.max_np_order,
        measurements: measurement(workspace, layer).into_iter().collect(),
        parameters: layer.parameters.to_vec(),
    };
    if !document["misc"].is_object() {
        document["misc"] = json!({});
    }
    document["misc"][MISC_KEY] = json!(own);
}

/// The measurement that was expanded, with the parameter of interest that was chosen for it.
fn measurement(workspace: &Workspace, layer: &Layer) -> Option<Measurement> {
    let mut measurement = workspace.measurements.iter().find(|m| m.name == layer.measurement)?.clone();
    let names = layer.model.parameter_names();
    let poi = layer.model.poi.and_then(|poi| names.get(poi).cloned()).unwrap_or_default();
    // One value of a set, which the command line may choose, is no parameter of interest of a document.
    if poi.is_empty() || layer.model.parameters.iter().any(|set| set.name == poi) {
        measurement.config.poi = poi;
    }
    Some(measurement)
}

fn mark(distribution: &mut Value, workspace: &Workspace, origin: &Origin) {
    let Some(channel) = workspace.channels.iter().find(|c| c.name == origin.channel) else { return };
    let Some(samples) = distribution["samples"].as_array_mut() else { return };
    for (own, first) in &origin.samples {
        let sample = channel.samples.iter().find(|s| s.name == *own);
        let written = samples.iter_mut().find(|s| s["name"] == **first);
        if let (Some(sample), Some(Value::Object(written))) = (sample, written) {
            written.insert(SAMPLE_KEY.to_owned(), json!(sample));
        }
    }
}
