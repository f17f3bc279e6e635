//! An EFT document inside of an HS3 file, under keys that other programs ignore (spec/eft-hs3.md, section 6).

use crate::document::eft::Eft;
use crate::document::workspace::{self, Measurement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of a sample of HS3 that holds the sample of the document.
pub const SAMPLE_KEY: &str = "morphist:eft";
/// The member of `misc` that holds the rest of the document.
pub const MISC_KEY: &str = "morphist";

/// The value of `misc.morphist`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EftLayer {
    /// The version of these keys and of the extension; this crate reads `0.1.0`.
    #[schemars(extend("const" = "0.1.0"))]
    pub version: String,
    /// The name in the document of each channel, by that of its distribution.
    pub channels: BTreeMap<String, String>,
    /// The block of the document; event databases by their hashes.
    pub eft: Eft,
    /// Parameters of the file: the profiled η of each uncertain bin, in order.
    pub eta: Vec<String>,
    /// The order in 1/Λ² at which the expansion ends all responses, where it ends before the document does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_np_order: Option<u32>,
    /// The measurement that was expanded.
    #[schemars(length(min = 1, max = 1))]
    pub measurements: Vec<Measurement>,
    /// The name in the file of each scalar parameter of the document, in fit order.
    pub parameters: Vec<String>,
}

/// An HS3 file with an EFT document: what of it belongs to the document. All other keys are those of HS3.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EftFile {
    pub distributions: Vec<EftDistribution>,
    pub misc: EftMisc,
}

/// A channel, or any other distribution.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EftDistribution {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<EftSample>,
}

/// A sample of HS3; the first of those that stand for one of the document holds that.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EftSample {
    #[serde(default, rename = "morphist:eft", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "workspace::Sample")]
    pub eft: Option<workspace::Sample>,
}

/// `misc` of the file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EftMisc {
    pub morphist: EftLayer,
}
