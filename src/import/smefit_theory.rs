//! Theory tables of SMEFiT: predictions of a data set with linear and quadratic corrections, each product once
//! (spec/eft-importers.md, "SMEFiT").

use super::node::Node;
use super::terms::{ONCE, Terms};
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, dropped};
use crate::document::eft::Mode;
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;

/// Reads `best_sm` and the corrections of one perturbative order (`LO`, `NLO_QCD`), which may be left open where the
/// file has a single one. Predictions are `best_sm` + Σ L_i c_i + Σ_{i ≤ j} Q_ij c_i c_j.
pub fn read(name: &str, bytes: Vec<u8>, order: Option<&str>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let mut import = json.placed(theory(&json.root(), order, options))?;
    json.place_warnings(&mut import);
    Ok(import)
}

fn theory(root: &Node, order: Option<&str>, options: &ImportOptions) -> Result<Import> {
    let best = root.member("best_sm")?;
    let nominal = best.numbers()?;
    if nominal.is_empty() {
        return Err(best.wrong("at least one data point").into());
    }
    let members = root.members()?;
    let orders: Vec<_> = members.iter().filter(|(key, node)| *key != "best_sm" && node.value.is_object()).collect();
    let (chosen, corrections) = match (order, orders.as_slice()) {
        (Some(order), _) => (order, root.member(order)?),
        (None, [(key, node)]) => (*key, node.clone()),
        (None, []) => return Err(root.error("no table of an order", "one such as LO").into()),
        (None, several) => {
            let keys: Vec<String> = several.iter().map(|(key, _)| quote(key)).collect();
            let found = format!("the orders {}", keys.join(", "));
            return Err(Finding::new(&rule::IMPORT_MISSING, found, "one of them (--order)").into());
        }
    };
    let mut warnings = Findings::default();
    for (key, node) in members.iter().filter(|(key, _)| *key != "best_sm" && *key != chosen) {
        warnings.push(dropped(node.pointer.clone(), quote(key), "a response is made of one order, without its errors"));
    }
    let mut terms = Terms::new(nominal.len());
    terms.add(Vec::new(), nominal.iter().copied());
    for (key, node) in corrections.members()? {
        let values = node.numbers_of(nominal.len(), "data point")?;
        if key == "SM" {
            if values != nominal {
                let why = "the prediction at zero is best_sm";
                warnings.push(dropped(node.pointer.clone(), "a Standard Model of this order other than best_sm", why));
            }
            continue;
        }
        let names: Vec<String> = key.split('*').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(node.error(format!("the key {}", quote(key)), "a name, or two names with * between").into());
        }
        terms.add_once(names, values).map_err(|found| node.error(found, ONCE))?;
    }
    let wilson_coefficients = options.bounds.coefficients(terms.names())?;
    let data = ResponseData::Polynomial(terms.polynomial(Mode::Absolute, false)?);
    let mut response = ImportedResponse::new(chosen, data);
    response.nominal = Some(nominal);
    Ok(Import { wilson_coefficients, responses: vec![response], warnings, ..Import::default() })
}
