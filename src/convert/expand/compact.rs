//! The document itself beside its expansion (spec/eft-hs3.md, section 6), under keys that other programs ignore.

use crate::document::eft::VERSION;
use crate::document::workspace::Workspace;
use serde_json::{Map, Value, json};

/// The key of a sample of HS3 that holds the sample of the document.
pub const SAMPLE_KEY: &str = "morphist:eft";
/// The member of `misc` that holds the rest of the document.
pub const MISC_KEY: &str = "morphist";

/// Which samples stand for those of one channel, in the order of the channels of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub channel: String,
    /// (in the document, the first of those in the file)
    pub samples: Vec<(String, String)>,
}

/// Adds the document to its expansion.
pub(super) fn add(
    document: &mut Value,
    workspace: &Workspace,
    origins: &[Origin],
    parameters: &[String],
    etas: &[String],
) {
    let mut channels = Map::new();
    if let Some(distributions) = document["distributions"].as_array_mut() {
        for (distribution, origin) in distributions.iter_mut().zip(origins) {
            if let Some(name) = distribution["name"].as_str() {
                channels.insert(name.to_owned(), json!(origin.channel));
            }
            mark(distribution, workspace, origin);
        }
    }
    let own = json!({
        "version": VERSION,
        "eft": workspace.eft,
        "measurements": workspace.measurements,
        "channels": channels,
        "parameters": parameters,
        "eta": etas,
    });
    if !document["misc"].is_object() {
        document["misc"] = json!({});
    }
    document["misc"][MISC_KEY] = own;
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
