//! What is wrong with a result, told of the documents it was made of.

use super::report::Report;
use super::result::Origins;
use crate::finding::{Finding, Findings};
use crate::rule;
use serde_json::Value;
use std::collections::BTreeMap;

/// Adds findings about the result at the places from which it was taken.
pub(super) fn add(findings: Findings, document: &Value, origins: &Origins, report: &mut Report) {
    for mut finding in findings.0 {
        let place = finding.pointer.as_deref().and_then(|pointer| origins.place(pointer));
        if let Some(others) = others(&finding, document, origins, report) {
            finding.found = format!("{} ({others})", finding.found);
        }
        report.push(place.as_ref(), finding);
    }
}

/// Rules about all modifiers of one name.
fn is_about_a_name(finding: &Finding) -> bool {
    let rules = [
        &rule::NAME_REUSE,
        &rule::SHAPESYS_SHARED,
        &rule::STATERROR_CHANNELS,
        &rule::SHAPEFACTOR_BINS,
        &rule::EFT_NAME_TAKEN,
    ];
    rules.iter().any(|rule| rule.id == finding.rule)
}

/// Where else the name is used that a finding is about: the first place in every other document.
fn others(finding: &Finding, document: &Value, origins: &Origins, report: &Report) -> Option<String> {
    let pointer = finding.pointer.as_deref().filter(|_| is_about_a_name(finding))?;
    let own = origins.place(pointer)?;
    let named = document.pointer(pointer)?;
    let name = named.as_str().or_else(|| named.get("name")?.as_str())?;
    let mut first = BTreeMap::new();
    for (c, channel) in items(document, "channels") {
        for (s, sample) in items(channel, "samples") {
            for (m, modifier) in items(sample, "modifiers").filter(|(_, m)| m["name"] == name) {
                let kind = modifier["type"].as_str().unwrap_or_default();
                if let Some(place) = origins.place(&format!("/channels/{c}/samples/{s}/modifiers/{m}"))
                    && place.document != own.document
                    && !kind.starts_with("eft_")
                {
                    first.entry(place.document).or_insert(format!("{kind} in {}", report.tell(&place)));
                }
            }
        }
    }
    let told: Vec<String> = first.into_values().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (usize, &'v Value)> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}
