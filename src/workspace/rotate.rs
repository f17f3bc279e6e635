//! A document in terms of directions of its coefficients (spec/parameter-transform.md, "Rotations").

use crate::document::eft::{DirectionRecord, DroppedDirection, LinearRelations, TransformParameter, TransformStep};
use crate::finding::quote;
use serde_json::{Value, json};

/// Orthonormal directions in the space of some coefficients.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// What the components of the directions belong to, with their bounds.
    pub coefficients: &'a [String],
    pub bounds: &'a [(f64, f64)],
    pub axes: &'a [Axis<'a>],
    /// Directions are called `prefix1`, `prefix2`, ….
    pub prefix: &'a str,
    /// Directions with a smaller eigenvalue are dropped; none without a threshold.
    pub threshold: Option<f64>,
}

/// One direction: a component for each coefficient.
#[derive(Clone, Copy, Debug)]
pub struct Axis<'a> {
    pub eigenvalue: f64,
    pub vector: &'a [f64],
}

/// Adds a step that gives the coefficients; returns what else was changed, in words.
///
/// # Errors
/// In words, where the document has no block, or nothing is above the threshold.
pub fn rotate(document: &mut Value, rotation: &Rotation) -> Result<Vec<String>, String> {
    let step = step(rotation)?;
    let first = step.parameters.first().map(|parameter| parameter.name.clone()).unwrap_or_default();
    add_step(document, &step)?;
    Ok(replace_pois(document, |poi| rotation.coefficients.iter().any(|name| name == poi).then(|| first.clone())))
}

/// Adds a step to the transform of a document.
///
/// # Errors
/// In words, where the document has no block.
pub fn add_step(document: &mut Value, step: &TransformStep) -> Result<(), String> {
    let value = serde_json::to_value(step).map_err(|error| error.to_string())?;
    let block = document.get_mut("eft").and_then(Value::as_object_mut).ok_or("a document without the block eft")?;
    let steps = block.entry("parameter_transform").or_insert_with(|| json!([]));
    steps.as_array_mut().ok_or("parameter_transform is no array")?.push(value);
    Ok(())
}

/// Puts others in the place of parameters of interest that have a `successor`; returns what was changed, in words.
pub fn replace_pois(document: &mut Value, successor: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut told = Vec::new();
    for measurement in document.get_mut("measurements").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(poi) = measurement.pointer_mut("/config/poi") else { continue };
        if let Some(old) = poi.as_str()
            && let Some(new) = successor(old)
        {
            let old = quote(old);
            told.push(format!(
                "the parameter of interest {old} is no parameter any more: {} is in its place",
                quote(&new)
            ));
            *poi = json!(new);
        }
    }
    told
}

fn step(rotation: &Rotation) -> Result<TransformStep, String> {
    let falls = |axis: &Axis| rotation.threshold.is_some_and(|threshold| axis.eigenvalue < threshold);
    let kept: Vec<(usize, &Axis)> = rotation.axes.iter().enumerate().filter(|(_, axis)| !falls(axis)).collect();
    let dropped = rotation.axes.iter().filter(|axis| falls(axis));
    if kept.is_empty() {
        return Err("no eigenvalue reaches the threshold".to_owned());
    }
    let parameter = |(k, direction): &(usize, &Axis)| TransformParameter {
        name: format!("{}{}", rotation.prefix, k + 1),
        bounds: reach(direction, rotation.bounds),
        init: 0.0,
        fixed: false,
    };
    let parameters: Vec<TransformParameter> = kept.iter().map(parameter).collect();
    let row = |i: usize| kept.iter().map(|(_, d)| d.vector.get(i).copied().unwrap_or(0.0)).collect();
    let linear = LinearRelations {
        coefficients: rotation.coefficients.to_vec(),
        parameters: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
        matrix: (0..rotation.coefficients.len()).map(row).collect(),
        offset: Vec::new(),
    };
    let directions = DirectionRecord {
        eigenvalues: kept.iter().map(|(_, d)| d.eigenvalue).collect(),
        dropped: dropped.map(|d| DroppedDirection { eigenvalue: d.eigenvalue, vector: d.vector.to_vec() }).collect(),
        threshold: rotation.threshold,
    };
    Ok(TransformStep { parameters, linear: Some(linear), directions: Some(directions), ..TransformStep::default() })
}

/// How far the box of the coefficients reaches along a direction, and at least to zero: the bounds of its parameter.
fn reach(direction: &Axis, bounds: &[(f64, f64)]) -> [f64; 2] {
    let ends = |lower: bool| -> f64 {
        let part = |(x, (low, high)): (&f64, &(f64, f64))| match (*x < 0.0) == lower {
            true => x * high,
            false => x * low,
        };
        direction.vector.iter().zip(bounds).map(part).sum()
    };
    [ends(true).min(0.0), ends(false).max(0.0)]
}
