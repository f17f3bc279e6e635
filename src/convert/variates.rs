//! Variates that stand in the axes of data alone: ROOT makes a variable of what a domain or a point has declared.

use super::file::Axis as WrittenAxis;
use crate::document::hs3::Hs3Document;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Adds them to the first `default_domain`, with the range of their axis, and to the first point, in the middle of it.
pub(super) fn declare(document: &Hs3Document, written: &mut Map<String, Value>) {
    let in_domains = document.domains.iter().flat_map(|domain| &domain.axes).map(|axis| axis.name.as_str());
    let in_points = document.parameter_points.iter().flat_map(|point| &point.parameters).map(|p| p.name.as_str());
    let mut declared: HashSet<&str> = in_domains.chain(in_points).collect();
    let (mut axes, mut values) = (Vec::new(), Vec::new());
    for axis in document.data.iter().flat_map(|data| &data.axes) {
        let edges = axis.edges();
        let (low, high) = match (edges.first(), edges.last()) {
            (Some(low), Some(high)) => (*low, *high),
            _ => (axis.min, axis.max),
        };
        if !(low.is_finite() && high.is_finite() && declared.insert(&axis.name)) {
            continue;
        }
        axes.extend(serde_json::to_value(WrittenAxis::range(axis.name.clone(), (low, high))));
        values.push(json!({"name": axis.name, "value": 0.5 * (low + high)}));
    }
    if axes.is_empty() {
        return;
    }
    let domain = json!({"name": "default_domain", "type": "product_domain", "axes": []});
    add(written, "domains", domain, "axes", axes);
    let point = json!({"name": "default_values", "parameters": []});
    add(written, "parameter_points", point, "parameters", values);
}

/// Adds items to the list `key` of the entry of `list` that has the name of `new`, which is put first where there is none.
fn add(written: &mut Map<String, Value>, list: &str, new: Value, key: &str, items: Vec<Value>) {
    let entries = written.entry(list).or_insert_with(|| json!([]));
    let Value::Array(entries) = entries else { return };
    let found = entries.iter().position(|entry| entry.get("name") == new.get("name"));
    let at = found.unwrap_or_else(|| {
        entries.insert(0, new);
        0
    });
    if let Some(Value::Array(own)) = entries.get_mut(at).and_then(|entry| entry.get_mut(key)) {
        own.extend(items);
    }
}
