//! A PatchSet: a list of patches with names and values, for the workspace with the given digests (spec/patchset.md).

use super::digest::{Algorithm, digest};
use super::patch::Patch;
use super::{Document, Kind, violation};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// A whole patchset file, schema 1.0.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchSet {
    pub metadata: Metadata,
    #[schemars(length(min = 1))]
    pub patches: Vec<NamedPatch>,
    /// The version of the pyhf schema; this crate reads `1.0.0`.
    #[schemars(extend("const" = "1.0.0"))]
    pub version: String,
}

/// What the patchset is for. Other members are allowed and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    pub references: References,
    pub digests: Digests,
    /// What the values of each patch mean.
    #[schemars(length(min = 1), inner(regex(pattern = "^[a-zA-Z0-9_]+$")))]
    pub labels: Vec<String>,
    pub description: String,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where the analysis is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct References {
    #[schemars(regex(pattern = "^ins[0-9]{7}$"))]
    pub hepdata: String,
}

/// Digests of the workspace that the patches are for; at least one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Digests {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[a-f0-9]{32}$"))]
    pub md5: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[a-fA-F0-9]{64}$"))]
    pub sha256: Option<String>,
}

/// One patch of the set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedPatch {
    pub metadata: PatchMetadata,
    pub patch: Patch,
}

/// Name and values of one patch. Other members are allowed and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatchMetadata {
    #[schemars(regex(pattern = "^[a-zA-Z0-9_]+$"))]
    pub name: String,
    /// One for each label of the patchset.
    pub values: Vec<PatchValue>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A point's coordinate; numbers are compared by value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PatchValue {
    Number(Number),
    Text(String),
}

impl std::fmt::Display for PatchValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PatchValue::Number(number) => write!(f, "{number}"),
            PatchValue::Text(text) => f.write_str(&quote(text)),
        }
    }
}

impl PatchSet {
    /// Reads a patchset; all schema violations at once, and all violations of the rules W030 to W032.
    pub fn from_document(document: &Document) -> Result<PatchSet> {
        let patchset: PatchSet = violation::read(document, Kind::Patchset)?;
        let mut findings = patchset.check();
        if findings.is_valid() {
            return Ok(patchset);
        }
        super::position::resolve(&document.text, &mut findings);
        Err(findings)
    }

    /// What the schema does not say: names and values are unique, and as many values as labels.
    pub fn check(&self) -> Findings {
        let mut findings = Findings::default();
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        for (i, NamedPatch { metadata, .. }) in self.patches.iter().enumerate() {
            let at = |key: &str| format!("/patches/{i}/metadata/{key}");
            if let Some(first) = names.insert(metadata.name.as_str(), i) {
                let found = format!("the name {} of patch {first} again", quote(&metadata.name));
                findings.push(Finding::new(&rule::PATCHSET_NAME, found, "a name of its own").at(at("name")));
            }
            if let Some(first) = values.insert(by_value(&metadata.values), i) {
                let found = format!("the values {} of patch {first} again", list(&metadata.values));
                findings.push(Finding::new(&rule::PATCHSET_VALUES, found, "values of its own").at(at("values")));
            }
            let (n_values, n_labels) = (metadata.values.len(), self.metadata.labels.len());
            if n_values != n_labels {
                let finding = Finding::new(
                    &rule::PATCHSET_LENGTH,
                    format!("{n_values} values"),
                    format!("{n_labels}, as many as labels"),
                );
                findings.push(finding.at(at("values")));
            }
        }
        findings
    }

    /// Paths of operations that are no JSON Pointers, in all patches.
    pub fn check_pointers(&self) -> Findings {
        let patches = self.patches.iter().enumerate();
        Findings(patches.flat_map(|(i, p)| p.patch.check_pointers(&format!("/patches/{i}/patch")).0).collect())
    }

    /// The patch of a name.
    pub fn lookup(&self, name: &str) -> Result<&NamedPatch> {
        self.patches.iter().find(|p| p.metadata.name == name).ok_or_else(|| self.missing(&quote(name), name))
    }

    /// The patch of a point, such as `[2100, 800]`.
    pub fn lookup_values(&self, values: &[PatchValue]) -> Result<&NamedPatch> {
        let wanted = by_value(values);
        let patch = self.patches.iter().find(|p| by_value(&p.metadata.values) == wanted);
        patch.ok_or_else(|| self.missing(&list(values), ""))
    }

    /// The hint lists the names that are nearest to `name`, in the order of the patchset where none is nearer.
    fn missing(&self, wanted: &str, name: &str) -> Findings {
        let expected = format!("one of the {} patches of the patchset", self.patches.len());
        let name: String = name.chars().take(LONGEST_COMPARED).collect();
        let mut names: Vec<_> = self.patches.iter().map(|p| p.metadata.name.as_str()).collect();
        names.sort_by_cached_key(|n| std::cmp::Reverse((1e6 * similarity(&name, n)) as u32));
        let listed: Vec<String> = names.iter().take(MOST_NAMES).map(|n| quote(n)).collect();
        let more = names.len() - listed.len();
        let more = if more > 0 { format!(" or {more} more") } else { String::new() };
        let hint = format!("choose one of {}{more}", listed.join(", "));
        Finding::new(&rule::PATCH_LOOKUP, format!("no patch {wanted}"), expected).hint(hint).into()
    }

    /// Checks every digest of the patchset against the workspace's own.
    pub fn verify(&self, workspace: &Value) -> Result<()> {
        let Digests { md5, sha256 } = &self.metadata.digests;
        let mut findings = Findings::default();
        for (algorithm, expected) in [(Algorithm::Md5, md5), (Algorithm::Sha256, sha256)] {
            let Some(expected) = expected else { continue };
            let found = digest(workspace, algorithm);
            if !found.eq_ignore_ascii_case(expected) {
                let name = algorithm.name();
                let finding = Finding::new(&rule::DIGEST, format!("the {name} digest {found}"), expected.as_str());
                findings.push(finding.at(format!("/metadata/digests/{name}")));
            }
        }
        if findings.0.is_empty() { Ok(()) } else { Err(findings) }
    }
}

/// How many names a message lists.
const MOST_NAMES: usize = 5;
/// Of longer names only the beginning is compared: the cost grows with the product of the lengths.
const LONGEST_COMPARED: usize = 256;

fn similarity(name: &str, candidate: &str) -> f64 {
    if candidate.len() > LONGEST_COMPARED { 0.0 } else { strsim::jaro_winkler(name, candidate) }
}

/// A form of the values in which equal ones are equal, 1 and 1.0 too.
fn by_value(values: &[PatchValue]) -> Vec<String> {
    let form = |value: &PatchValue| match value {
        PatchValue::Text(text) => format!("s{text}"),
        PatchValue::Number(number) => match number.as_i128() {
            Some(n) => format!("i{n}"),
            None => number.as_f64().map_or_else(|| number.to_string(), float_form),
        },
    };
    values.iter().map(form).collect()
}

/// A whole number as an integer, the rest by bits.
fn float_form(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e30 { format!("i{}", x as i128) } else { format!("f{:x}", x.to_bits()) }
}

fn list(values: &[PatchValue]) -> String {
    let values: Vec<String> = values.iter().map(PatchValue::to_string).collect();
    format!("[{}]", values.join(", "))
}
