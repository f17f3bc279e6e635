//! A result of `fit` read back, for the model that it came from or for another one that shares parameters with it.

use super::text;
use crate::model::Model;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What a fit says about the parameters of a model, matched by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppliedFit {
    /// Best fit of each parameter that the result holds, in fit order.
    pub values: Vec<Option<f64>>,
    /// Its uncertainty, where the result holds one.
    pub uncertainties: Vec<Option<f64>>,
    /// Correlations (i, j, ρ) of pairs i > j of the model.
    correlations: Vec<(usize, usize, f64)>,
    pub has_correlation: bool,
    /// Scalar names of the model that the result does not hold.
    pub missing: Vec<String>,
    /// Names of the result that the model does not have, or has with another number of values.
    pub extra: Vec<String>,
    /// The value of the parameter of interest is hidden.
    pub blinded: bool,
}

impl AppliedFit {
    /// Reads a result of `fit`; nothing where the document is none.
    ///
    /// # Errors
    /// One sentence, where the result is not what `fit` writes.
    pub fn read(model: &Model, document: &Value) -> Result<Option<AppliedFit>, String> {
        let Some(best) = document.get("mle_parameters") else { return Ok(None) };
        let names = model.parameter_names();
        let places: HashMap<&str, usize> = names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        let mut fit = AppliedFit { values: vec![None; names.len()], ..AppliedFit::default() };
        fit.extra = fill(model, "mle_parameters", best, &mut fit.values)?;
        fit.uncertainties = vec![None; names.len()];
        if let Some(uncertainties) = document.get("uncertainties").filter(|value| !value.is_null()) {
            fill(model, "uncertainties", uncertainties, &mut fit.uncertainties)?;
        }
        if let Some(correlation) = document.get("correlation").filter(|value| !value.is_null()) {
            fit.correlations = correlations(&places, correlation)?;
            fit.has_correlation = true;
        }
        fit.blinded = document.get("blinded") == Some(&Value::Bool(true));
        fit.missing = names.iter().zip(&fit.values).filter(|(_, v)| v.is_none()).map(|(n, _)| n.clone()).collect();
        Ok(Some(fit))
    }

    /// The covariance (n × n, row-major); a parameter without an uncertainty has its width of `prefit`, uncorrelated.
    pub fn covariance(&self, prefit: &[f64]) -> Vec<f64> {
        let n = self.values.len();
        let sigma: Vec<f64> = self.uncertainties.iter().zip(prefit).map(|(own, width)| own.unwrap_or(*width)).collect();
        let mut covariance = vec![0.0; n * n];
        for (i, sigma) in sigma.iter().enumerate() {
            covariance[i * n + i] = sigma * sigma;
        }
        let known = |i: usize| self.uncertainties[i].is_some();
        for &(i, j, correlation) in self.correlations.iter().filter(|(i, j, _)| known(*i) && known(*j)) {
            covariance[i * n + j] = correlation * sigma[i] * sigma[j];
            covariance[j * n + i] = covariance[i * n + j];
        }
        covariance
    }
}

/// Fills in values by name, null ones left out; returns the names that do not fit the model.
fn fill(model: &Model, what: &str, map: &Value, values: &mut [Option<f64>]) -> Result<Vec<String>, String> {
    let entries = map.as_object().ok_or_else(|| format!("{what}: expected an object of lists by name"))?;
    let mut first = 0;
    let mut sets = BTreeMap::new();
    for set in &model.parameters {
        sets.insert(set.name.as_str(), (first, set.len()));
        first += set.len();
    }
    let mut extra = Vec::new();
    for (name, entry) in entries {
        let numbers: Option<Vec<Option<f64>>> = entry.as_array().and_then(|items| {
            items.iter().map(|item| if item.is_null() { Some(None) } else { item.as_f64().map(Some) }).collect()
        });
        let numbers = numbers.ok_or_else(|| format!("{what}: {}: expected a list of numbers", text::label(name)))?;
        match sets.get(name.as_str()) {
            Some(&(first, length)) if length == numbers.len() => {
                values.iter_mut().skip(first).zip(numbers).for_each(|(slot, number)| *slot = number);
            }
            _ => extra.push(name.clone()),
        }
    }
    Ok(extra)
}

fn correlations(places: &HashMap<&str, usize>, document: &Value) -> Result<Vec<(usize, usize, f64)>, String> {
    let fail = || "correlation: expected labels and a square matrix of numbers".to_owned();
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().ok_or_else(fail);
    let labels = list(document.get("labels"))?;
    let rows = list(document.get("values"))?;
    let of_label: Vec<Option<usize>> =
        labels.iter().map(|label| places.get(label.as_str().unwrap_or_default()).copied()).collect();
    if rows.len() != labels.len() {
        return Err(fail());
    }
    let mut found = Vec::new();
    for (a, row) in rows.iter().enumerate() {
        let row = row.as_array().filter(|row| row.len() == labels.len()).ok_or_else(fail)?;
        for (b, value) in row.iter().enumerate().take(a) {
            let (Some(i), Some(j)) = (of_label[a], of_label[b]) else { continue };
            if value.is_null() || i == j {
                continue;
            }
            let correlation = value.as_f64().filter(|value| (-1.0..=1.0).contains(value)).ok_or_else(fail)?;
            found.push((i.max(j), i.min(j), correlation));
        }
    }
    Ok(found)
}
