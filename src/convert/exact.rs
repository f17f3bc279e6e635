//! Numbers with all their digits for ROOT 6.40, which keeps six of a number that stands where a name could.

use super::names::Taken;
use serde_json::{Value, json};

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

/// Replaces those that need more digits by functions without variables.
pub(super) fn numbers(document: &mut Value) {
    let mut taken: Taken = names(document).collect();
    let mut made = Vec::new();
    for list in ["distributions", "functions"] {
        for component in document.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let own = component["name"].as_str().unwrap_or_default().to_owned();
            let Value::Object(members) = component else { continue };
            if members.get("type").and_then(Value::as_str) == Some("histfactory_dist") {
                continue;
            }
            let mut exact = |wanted: String, slot: &mut Value| {
                if let Some(number) = slot.as_f64().filter(|x| !is_short(*x)) {
                    let name = taken.unique(wanted);
                    *slot = json!(name);
                    made.push(json!({"name": name, "type": "generic_function", "expression": format!("{number:?}")}));
                }
            };
            for (key, value) in members.iter_mut() {
                match value {
                    Value::Number(_) if SLOTS.contains(&key.as_str()) => exact(format!("{own}_{key}"), value),
                    Value::Array(items) if LISTS.contains(&key.as_str()) => {
                        items.iter_mut().enumerate().for_each(|(i, slot)| exact(format!("{own}_{key}_{i}"), slot));
                    }
                    _ => {}
                }
            }
        }
    }
    match document.get_mut("functions").and_then(Value::as_array_mut) {
        Some(functions) => functions.extend(made),
        None if made.is_empty() => {}
        None => document["functions"] = Value::Array(made),
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

    #[test]
    fn long_numbers_become_functions() {
        let mut document = json!({
            "distributions": [
                {"name": "c", "type": "gaussian_dist", "x": "a", "mean": 0.123456, "sigma": 0.1234567},
                {"name": "p", "type": "polynomial_dist", "x": "a", "coefficients": ["1.23456789", 2.5]}],
            "functions": [{"name": "c_sigma", "type": "product", "factors": ["a", 123456.75]}]
        });
        numbers(&mut document);
        assert_eq!(document["distributions"][0]["mean"], 0.123456);
        assert_eq!(document["distributions"][0]["sigma"], "c_sigma_2");
        assert_eq!(document["distributions"][1]["coefficients"], json!(["1.23456789", 2.5]));
        assert_eq!(document["functions"][0]["factors"], json!(["a", "c_sigma_factors_1"]));
        let made = |name: &str, number: &str| json!({"name": name, "type": "generic_function", "expression": number});
        assert_eq!(document["functions"][1], made("c_sigma_2", "0.1234567"));
        assert_eq!(document["functions"][2], made("c_sigma_factors_1", "123456.75"));
    }
}
