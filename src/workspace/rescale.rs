//! Another normalisation of a sample, such as a new k-factor: everything of the sample that counts events is multiplied,
//! everything relative stays.

use serde_json::{Value, json};

/// Multiplies the prediction of all samples of a name, in one channel or in all; gives back how many there are.
pub fn rescale(document: &mut Value, channel: Option<&str>, sample: &str, factor: f64) -> Result<usize, String> {
    let mut n_samples = 0;
    for own in members(document, "channels").filter(|own| channel.is_none_or(|name| own["name"] == name)) {
        for own in members(own, "samples").filter(|own| own["name"] == sample) {
            n_samples += 1;
            multiply(own.get_mut("data"), factor).map_err(|why| format!("sample {sample}: {why}"))?;
            for modifier in members(own, "modifiers") {
                let (name, kind) =
                    (modifier["name"].to_string(), modifier["type"].as_str().unwrap_or_default().to_owned());
                let Some(data) = modifier.get_mut("data") else { continue };
                rescale_modifier(&kind, data, factor)
                    .map_err(|why| format!("modifier {name} of type {kind}: {why}"))?;
            }
        }
    }
    Ok(n_samples)
}

fn rescale_modifier(kind: &str, data: &mut Value, factor: f64) -> Result<(), String> {
    let absolute = data.get("mode") == Some(&json!("absolute"));
    match kind {
        "histosys" => {
            multiply(data.get_mut("lo_data"), factor)?;
            multiply(data.get_mut("hi_data"), factor)?;
        }
        "staterror" | "shapesys" => multiply(Some(data), factor)?,
        "eft_events" => {
            data["k_factor"] = json!(times(factor, data.get("k_factor").and_then(Value::as_f64).unwrap_or(1.0))?)
        }
        "eft_map" => multiply(data.get_mut("map"), factor)?,
        "eft_polynomial" if data.get("response").is_some() => {
            return Err("it names a response that others may use; write the polynomial into the sample".to_owned());
        }
        "eft_polynomial" | "eft_bilinear" if absolute => {
            multiply(data.get_mut("coefficients"), factor)?;
            for uncertainty in members(data, "uncertainties") {
                multiply(uncertainty.get_mut("sigma"), factor)?;
            }
            if let Some(mc_stat) = data.get_mut("mc_stat") {
                multiply(mc_stat.get_mut("variances"), factor * factor)?;
                multiply(mc_stat.get_mut("sigmas"), factor)?;
            }
        }
        "eft_sum_of_squares" if absolute => multiply(data.get_mut("amplitudes"), factor.sqrt())?,
        "eft_morph" if absolute => {
            multiply(data.get_mut("templates"), factor)?;
            multiply(data.get_mut("variances"), factor * factor)?;
        }
        "eft_rational" if absolute => match members(data, "factors").find(|f| f["power"] == 1) {
            Some(own) => multiply(own.get_mut("coefficients"), factor)?,
            None => return Err("it has no factor of power 1".to_owned()),
        },
        "eft_sample" => {
            let systematics = data.get_mut("systematics").and_then(Value::as_object_mut);
            for systematic in systematics.into_iter().flat_map(|all| all.values_mut()) {
                for template in members(systematic, "templates") {
                    multiply(template.get_mut("lo_data"), factor)?;
                    multiply(template.get_mut("hi_data"), factor)?;
                }
            }
        }
        // Factors, and responses relative to the data.
        _ => {}
    }
    Ok(())
}

/// The items of a member that is a list.
pub(super) fn members<'a>(value: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}

fn multiply(value: Option<&mut Value>, factor: f64) -> Result<(), String> {
    map_numbers(value, &|x| times(factor, x))
}

/// Changes a number, or all numbers of nested arrays.
pub(super) fn map_numbers<E>(value: Option<&mut Value>, change: &impl Fn(f64) -> Result<f64, E>) -> Result<(), E> {
    match value {
        Some(Value::Array(items)) => items.iter_mut().try_for_each(|item| map_numbers(Some(item), change)),
        Some(number) => match number.as_f64() {
            Some(x) => change(x).map(|changed| *number = json!(changed)),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// A product that keeps its digits.
fn times(factor: f64, x: f64) -> Result<f64, String> {
    let product = factor * x;
    let fits = product.is_normal() || (x == 0.0 && product == 0.0);
    fits.then_some(product).ok_or_else(|| format!("{x:?} times {factor:?} is beyond the range of binary64"))
}
