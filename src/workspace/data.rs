//! Data written into a workspace document: observations, and auxiliary data of a measurement.

use serde_json::{Value, json};

/// Replaces the observed counts of one channel; what the document does not list stays as it is.
pub fn set_observation(document: &mut Value, channel: &str, counts: &[f64]) {
    for observation in list(document.get_mut("observations")) {
        if observation.get("name").and_then(Value::as_str) == Some(channel) {
            set(observation, "data", json!(counts));
        }
    }
}

/// Writes the auxiliary data of one parameter set into the configuration of a measurement, where readers of pyhf JSON
/// look for auxiliary data that are not the default ones.
pub fn set_auxdata(document: &mut Value, measurement: &str, parameter: &str, auxdata: &[f64]) {
    let is_called = |value: &Value, name: &str| value.get("name").and_then(Value::as_str) == Some(name);
    let measurement = list(document.get_mut("measurements")).into_iter().find(|m| is_called(m, measurement));
    let parameters = measurement.and_then(|m| m.get_mut("config")).and_then(|config| config.get_mut("parameters"));
    let Some(Value::Array(parameters)) = parameters else { return };
    match parameters.iter_mut().find(|entry| is_called(entry, parameter)) {
        Some(entry) => set(entry, "auxdata", json!(auxdata)),
        None => parameters.push(json!({"name": parameter, "auxdata": auxdata})),
    }
}

fn list(value: Option<&mut Value>) -> impl IntoIterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

fn set(entry: &mut Value, key: &str, value: Value) {
    if let Some(entry) = entry.as_object_mut() {
        entry.insert(key.to_owned(), value);
    }
}
