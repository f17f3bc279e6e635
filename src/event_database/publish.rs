//! Documents without their databases: histograms of events written out as polynomials (spec/event-database.md,
//! "Publishing without the events").

use super::databases::{Databases, Use};
use super::declaration::contradiction;
use super::histogram::{Binned, FlowCounts};
use crate::document::eft::{
    Eft, EventMcStat, EventMcStatWord, EventsData, McStat, Mode, MonomialTemplates, PerBin, PolynomialData, Positivity,
};
use crate::finding::{Finding, Findings, Result, escape_token, quote};
use crate::model::eft::Polynomial;
use crate::rule;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What became of one sample.
#[derive(Clone, Debug)]
pub struct Published {
    pub channel: String,
    pub sample: String,
    pub flow: FlowCounts,
    pub n_events: u64,
    pub warnings: Findings,
}

/// Replaces every `eft_events` of a document by the `eft_polynomial` that it sums to, sets the yields of its sample to
/// the value at the reference, and takes the databases out of the block. `folder` is where the databases lie.
pub fn self_contained(document: &mut Value, folder: &Path) -> Result<Vec<Published>> {
    let eft = block(document)?;
    let mut databases = Databases::new(&eft, folder);
    let mut published = Vec::new();
    for (c, channel) in members(document, "channels").iter_mut().enumerate() {
        let channel_name = name(channel);
        for (s, sample) in members(channel, "samples").iter_mut().enumerate() {
            let place = format!("/channels/{c}/samples/{s}");
            let modifiers = sample.get("modifiers").and_then(Value::as_array);
            let found = modifiers.and_then(|all| all.iter().position(|m| m.get("type") == Some(&json!("eft_events"))));
            let Some(index) = found else { continue };
            let pointer = format!("{place}/modifiers/{index}");
            let data: EventsData = part(&sample["modifiers"][index]["data"], &format!("{pointer}/data"))?;
            let sample_name = name(sample);
            let usage = Use { data: &data, channel: &channel_name, sample: &sample_name, pointer: &pointer };
            let binned = databases.bin(&usage)?;
            if binned.events.is_some() {
                let found = format!("sample {}, whose events have a floor or systematics", quote(&sample_name));
                let hint = "take floor and systematics out, or publish the database too";
                let finding = Finding::new(&rule::EVENT_SYSTEMATIC, found, "a sample whose events sum to a polynomial");
                return Err(finding.hint(hint).at(pointer).into());
            }
            replace(sample, index, &data, &binned)
                .map_err(|f| Findings(f.0.into_iter().map(|f| f.at(&pointer)).collect()))?;
            published.push(Published {
                channel: channel_name.clone(),
                sample: sample_name,
                flow: binned.flow,
                n_events: binned.n_events.iter().sum(),
                warnings: binned.warnings,
            });
        }
    }
    if let Some(block) = document.get_mut("eft").and_then(Value::as_object_mut) {
        block.shift_remove("event_databases");
    }
    Ok(published)
}

fn members<'a>(value: &'a mut Value, key: &str) -> &'a mut [Value] {
    value.get_mut(key).and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
}

/// The name of a channel or sample.
pub fn name(value: &Value) -> String {
    value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The block `eft` of a document that has event databases.
pub fn block(document: &Value) -> Result<Eft> {
    let lacking = |found: &str, at: &str| {
        let hint = "only a document with event databases (spec/event-database.md) can be treated so";
        Findings::from(contradiction(found, "a block eft with event_databases").hint(hint).at(at))
    };
    let Some(block) = document.get("eft") else {
        return Err(lacking("a plain workspace, without the block eft", ""));
    };
    let eft: Eft = part(block, "/eft")?;
    if eft.event_databases.is_empty() { Err(lacking("no event database", "/eft")) } else { Ok(eft) }
}

/// A part of the document as its type.
pub fn part<T: DeserializeOwned>(value: &Value, pointer: &str) -> Result<T> {
    let deserialised = serde_path_to_error::deserialize(value);
    deserialised.map_err(|error| {
        let path = error.path().iter().map(|segment| format!("/{}", escape_token(&segment.to_string())));
        let at = format!("{pointer}{}", path.collect::<String>());
        Finding::new(&rule::SPECIFICATION, error.inner().to_string(), "what the schema asks for").at(at).into()
    })
}

/// Puts the polynomial of a sample in the place of its events.
fn replace(sample: &mut Value, index: usize, data: &EventsData, binned: &Binned) -> Result<()> {
    let reference = super::declaration::reference(&data.reference, &binned.variables)?;
    sample["data"] = json!(binned.polynomial.evaluate(&reference));
    let polynomial = PolynomialData {
        mode: Mode::Absolute,
        monomials: named(&binned.polynomial, &binned.variables),
        coefficients: coefficients(&binned.polynomial),
        truncation: data.truncation,
        positivity: Positivity::Allow,
        reference: data.reference.clone(),
        uncertainties: Vec::new(),
        mc_stat: mc_stat(data, binned),
    };
    let Some(modifiers) = sample.get_mut("modifiers").and_then(Value::as_array_mut) else { return Ok(()) };
    if let Some(modifier) = modifiers.get_mut(index).and_then(Value::as_object_mut) {
        modifier.insert("type".to_owned(), json!("eft_polynomial"));
        modifier.insert("data".to_owned(), serde_json::to_value(polynomial).unwrap_or_default());
    }
    for shift in &binned.shifts {
        if modifiers
            .iter()
            .any(|m| m.get("name") == Some(&json!(shift.systematic)) && m.get("type") == Some(&json!("histosys")))
        {
            let found = format!("a shift and a histosys {}", quote(&shift.systematic));
            return Err(contradiction(&found, "one of the two in a sample").into());
        }
        let (lo, hi) = (shift.lo.evaluate(&reference), shift.hi.evaluate(&reference));
        modifiers.push(json!({"name": shift.systematic, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}));
    }
    write_templates(modifiers, binned);
    Ok(())
}

/// Shifts become templates of every monomial, in the sample's `eft_sample`.
fn write_templates(modifiers: &mut Vec<Value>, binned: &Binned) {
    if binned.shifts.is_empty() {
        return;
    }
    let own = modifiers.iter().position(|m| m.get("type") == Some(&json!("eft_sample")));
    let own = own.unwrap_or_else(|| {
        modifiers.push(json!({"name": "eft", "type": "eft_sample", "data": {}}));
        modifiers.len() - 1
    });
    let Some(data) = modifiers.get_mut(own).and_then(|m| m.get_mut("data")).and_then(Value::as_object_mut) else {
        return;
    };
    let systematics = data.entry("systematics").or_insert_with(|| Value::Object(Map::new()));
    for shift in &binned.shifts {
        let lo: BTreeMap<Vec<String>, &[f64]> =
            named(&shift.lo, &binned.variables).into_iter().zip(shift.lo.terms().map(|(_, a)| a)).collect();
        let hi = named(&shift.hi, &binned.variables).into_iter().zip(shift.hi.terms());
        let templates: Vec<MonomialTemplates> = hi
            .map(|(monomial, (_, hi))| MonomialTemplates {
                lo_data: lo.get(&monomial).map_or_else(|| vec![0.0; hi.len()], |a| a.to_vec()),
                hi_data: hi.to_vec(),
                monomial,
            })
            .collect();
        systematics[&shift.systematic] = json!({"histosys": "per_monomial", "templates": templates});
    }
}

/// Monomials by the names of their variables.
pub fn named(polynomial: &Polynomial, variables: &[String]) -> Vec<Vec<String>> {
    let one = |monomial: &Vec<u32>| monomial.iter().filter_map(|i| variables.get(*i as usize).cloned()).collect();
    polynomial.monomials.iter().map(one).collect()
}

fn coefficients(polynomial: &Polynomial) -> Vec<PerBin> {
    polynomial.terms().map(|(_, a)| PerBin::Each(a.to_vec())).collect()
}

fn mc_stat(data: &EventsData, binned: &Binned) -> Option<McStat> {
    let w2 = binned.w2.as_ref()?;
    let given = data.mc_stat != EventMcStat::Word(EventMcStatWord::None);
    given.then(|| McStat::W2 {
        monomials: named(w2, &binned.variables),
        variances: coefficients(w2),
        // What is fixed at a point is summed there already: a constant.
        fixed_at: None,
    })
}
