//! Numbers that stand where a name could. ROOT 6.40 keeps six digits of them: those that need more become functions without
//! variables. pyhs3 0.4.2 takes names alone in many places, and the smallest type that holds a number in the others: all
//! become constants of the parameter points.

use super::names::Taken;
use serde_json::{Map, Value, json};

/// Members that are numbers where names could stand, and lists of such.
const SLOTS: [&str; 24] = [
    "alpha",
    "alpha_L",
    "alpha_R",
    "beta",
    "c",
    "gamma",
    "m0",
    "mass",
    "mean",
    "mu",
    "n",
    "n_L",
    "n_R",
    "norm",
    "power",
    "resonance",
    "sigma",
    "sigmaL",
    "sigmaR",
    "sigma_L",
    "sigma_R",
    "slope",
    "tau",
    "x",
];
const LISTS: [&str; 6] = ["coefficients", "exponents", "factors", "mean", "summands", "x"];

/// For ROOT.
pub(super) fn digits(document: &mut Value) {
    let mut made = Vec::new();
    replace(document, |slot, name| {
        let number = slot.as_f64().filter(|x| !is_short(*x))?;
        let name = name();
        made.push(json!({"name": name, "type": "generic_function", "expression": format!("{number:?}")}));
        Some(name)
    });
    extend(document, "functions", made);
}

/// For pyhs3.
pub(super) fn constants(document: &mut Value) {
    let mut made = Vec::new();
    replace(document, |slot, name| {
        let text = || slot.as_str().and_then(|text| text.trim().parse().ok());
        let number = slot.as_f64().or_else(text)?;
        let name = name();
        made.push(json!({"name": name, "value": number, "const": true}));
        Some(name)
    });
    if made.is_empty() {
        return;
    }
    if document["parameter_points"].as_array().is_none_or(Vec::is_empty) {
        document["parameter_points"] = json!([{"name": "default_values", "parameters": []}]);
    }
    for point in document["parameter_points"].as_array_mut().into_iter().flatten() {
        extend(point, "parameters", made.clone());
    }
}

/// Puts names in the place of numbers; `named` is given a slot and what makes a name for it.
fn replace(document: &mut Value, mut named: impl FnMut(&Value, &mut dyn FnMut() -> String) -> Option<String>) {
    let mut taken: Taken = names(document).collect();
    for list in ["distributions", "functions"] {
        for component in document.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let own = component["name"].as_str().unwrap_or_default().to_owned();
            let Value::Object(members) = component else { continue };
            if members.get("type").and_then(Value::as_str) == Some("histfactory_dist") {
                continue;
            }
            for (label, slot) in slots(members) {
                if let Some(name) = named(slot, &mut || taken.unique(format!("{own}_{label}"))) {
                    *slot = Value::from(name);
                }
            }
        }
    }
}

/// The slots of a component, each with a label.
fn slots(members: &mut Map<String, Value>) -> Vec<(String, &mut Value)> {
    let mut all = Vec::new();
    for (key, value) in members.iter_mut() {
        let (is_slot, is_list) = (SLOTS.contains(&key.as_str()), LISTS.contains(&key.as_str()));
        if value.is_array() && is_list {
            let items = value.as_array_mut().into_iter().flatten().enumerate();
            all.extend(items.map(|(i, slot)| (format!("{key}_{i}"), slot)));
        } else if is_slot && (value.is_number() || value.is_string()) {
            all.push((key.clone(), value));
        }
    }
    all
}

fn extend(object: &mut Value, list: &str, items: Vec<Value>) {
    match object.get_mut(list).and_then(Value::as_array_mut) {
        Some(known) => known.extend(items),
        None if items.is_empty() => {}
        None => object[list] = Value::Array(items),
    }
}

/// The names of distributions, functions, parameters and variates.
fn names(document: &Value) -> impl Iterator<Item = String> {
    let items = |value: &Value, list: &str| value.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |list: &str| items(document, list);
    let inner = of("parameter_points").into_iter().flat_map(move |point| items(&point, "parameters"));
    let axes = of("domains").into_iter().chain(of("data")).flat_map(move |item| items(&item, "axes"));
    let all = of("distributions").into_iter().chain(of("functions")).chain(inner).chain(axes);
    all.filter_map(|item| item.get("name").and_then(Value::as_str).map(str::to_owned))
}

/// Six digits are all that it has.
fn is_short(x: f64) -> bool {
    format!("{x:.5e}").parse() == Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "distributions": [
                {"name": "c", "type": "gaussian_dist", "x": "a", "mean": 0.123456, "sigma": 0.1234567},
                {"name": "p", "type": "polynomial_dist", "x": "a", "coefficients": ["1.23456789", 2.5]}],
            "functions": [{"name": "c_sigma", "type": "product", "factors": ["a", 123456.75]}],
            "parameter_points": [{"name": "start", "parameters": [{"name": "a", "value": 1.0}]}]
        })
    }

    #[test]
    fn long_numbers_become_functions() {
        let mut document = document();
        digits(&mut document);
        assert_eq!(document["distributions"][0]["mean"], 0.123456);
        assert_eq!(document["distributions"][0]["sigma"], "c_sigma_2");
        assert_eq!(document["distributions"][1]["coefficients"], json!(["1.23456789", 2.5]));
        assert_eq!(document["functions"][0]["factors"], json!(["a", "c_sigma_factors_1"]));
        let made = |name: &str, number: &str| json!({"name": name, "type": "generic_function", "expression": number});
        assert_eq!(document["functions"][1], made("c_sigma_2", "0.1234567"));
        assert_eq!(document["functions"][2], made("c_sigma_factors_1", "123456.75"));
    }

    #[test]
    fn all_numbers_become_constants() {
        let mut document = document();
        constants(&mut document);
        assert_eq!(document["distributions"][1]["coefficients"], json!(["p_coefficients_0", "p_coefficients_1"]));
        let values = document["parameter_points"][0]["parameters"].as_array().unwrap();
        let constant = |name: &str, value: f64| json!({"name": name, "value": value, "const": true});
        assert_eq!(values[1..3], [constant("c_mean", 0.123456), constant("c_sigma_2", 0.1234567)]);
        assert_eq!(values[3], constant("p_coefficients_0", 1.23456789));
        assert_eq!(values[5], constant("c_sigma_factors_1", 123456.75));
    }
}
