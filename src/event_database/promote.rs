//! A background that gets a response of its own from events (spec/event-database.md, "Promoting a background").

use super::databases::load;
use super::declaration::{contradiction, reference};
use super::publish::{name, named, part};
use super::{FlowCounts, Use};
use crate::document::eft::{Eft, EventDatabase, EventsData, Mode, PerBin, PolynomialData, Positivity};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The events behind a background, and how they are binned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// The block of a document that has none yet.
    pub eft: Option<Value>,
    pub database: EventDatabase,
    pub histogram: EventsData,
}

/// What became of the events.
#[derive(Clone, Debug)]
pub struct Promoted {
    pub flow: FlowCounts,
    /// What is odd in the histogram; pointers lead into the promotion.
    pub warnings: Findings,
}

impl Promotion {
    pub fn read(value: &Value) -> Result<Promotion> {
        part(value, "")
    }
}

/// Gives a sample the response P_b(c)/P_b(c₀) of its events, relative to its yields, which stay: its own normalisation,
/// systematics and statistical uncertainties are untouched. The document needs no database for it. `folder` is where the
/// database lies.
pub fn promote(
    document: &mut Value,
    folder: &Path,
    channel: &str,
    sample: &str,
    promotion: &Promotion,
) -> Result<Promoted> {
    let Some(block) = document.get("eft").filter(|block| !block.is_null()).or(promotion.eft.as_ref()).cloned() else {
        let hint = "write the member \"eft\" beside \"database\" and \"histogram\": basis and Wilson coefficients";
        let found = "no block eft here, and none in the workspace";
        return Err(contradiction(found, "one of the two").hint(hint).at("").into());
    };
    let mut eft: Eft = part(&block, "/eft")?;
    eft.event_databases = vec![promotion.database.clone()];
    let data = EventsData { database: promotion.database.name.clone(), ..promotion.histogram.clone() };
    let usage = Use { data: &data, channel, sample, pointer: "/histogram" };
    let binned = load(&eft, &usage, folder)?;
    if binned.events.is_some() || !binned.shifts.is_empty() {
        let found = "systematics or a floor in the histogram";
        return Err(Finding::new(&rule::EVENT_SYSTEMATIC, found, "a histogram without them").into());
    }
    let at = binned.polynomial.evaluate(&reference(&data.reference, &binned.variables)?);
    let mut coefficients = Vec::new();
    for (monomial, yields) in binned.polynomial.terms() {
        let ratio = |(bin, (a, at)): (usize, (&f64, &f64))| -> Result<f64> {
            match (*a, *at) {
                (_, at) if at != 0.0 => Ok(a / at),
                // Nothing in this bin depends on the coefficients: the factor is 1.
                (0.0, _) => Ok(if monomial.is_empty() { 1.0 } else { 0.0 }),
                _ => {
                    Err(contradiction(&format!("no yield at the reference in bin {bin}"), "events in every bin").into())
                }
            }
        };
        let ratios = yields.iter().zip(&at).enumerate().map(ratio).collect::<Result<Vec<f64>>>()?;
        coefficients.push(PerBin::Each(ratios));
    }
    let response = PolynomialData {
        mode: Mode::Relative,
        monomials: named(&binned.polynomial, &binned.variables),
        coefficients,
        truncation: data.truncation,
        positivity: Positivity::Allow,
        reference: data.reference.clone(),
        uncertainties: Vec::new(),
        mc_stat: None,
    };
    attach(document, channel, sample, at.len(), &response)?;
    document["eft"] = block;
    Ok(Promoted { flow: binned.flow, warnings: binned.warnings })
}

fn attach(document: &mut Value, channel: &str, sample: &str, n_bins: usize, response: &PolynomialData) -> Result<()> {
    let Some(own) = find(document, channel, sample) else {
        let found = format!("sample {} of channel {}", quote(sample), quote(channel));
        return Err(contradiction(&found, "a sample of the document").into());
    };
    let bins = own.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    if bins != n_bins {
        let found = format!("{n_bins} bins for a sample of {bins}");
        return Err(contradiction(&found, "the binning of the sample").into());
    }
    let modifier = json!({"name": format!("{sample}_eft"), "type": "eft_polynomial", "data": response});
    if let Some(modifiers) = own.get_mut("modifiers").and_then(Value::as_array_mut) {
        modifiers.push(modifier);
    }
    Ok(())
}

fn find<'a>(document: &'a mut Value, channel: &str, sample: &str) -> Option<&'a mut Value> {
    let channels = document.get_mut("channels")?.as_array_mut()?;
    let own = channels.iter_mut().find(|own| name(own) == channel)?;
    own.get_mut("samples")?.as_array_mut()?.iter_mut().find(|own| name(own) == sample)
}
