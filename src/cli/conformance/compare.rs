//! Does an answer contain what a case expects? The rules are those of conformance/README.md, "Cases".

use super::case::{Case, Outcome, Tolerance};
use serde_json::{Map, Value};

/// What differs, one sentence each; empty if the case passes.
pub fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let expected_error = case.expect.get("error");
    match (expected_error, outcome) {
        (Some(expected), Outcome::Error(error)) => {
            let classes = expected.get("class").unwrap_or(&Value::Null);
            if names(classes, &error.class) {
                Vec::new()
            } else {
                vec![format!("error {} ({}), expected {classes}", error.class, error.message)]
            }
        }
        (Some(expected), _) => vec![format!("a result, expected the error {expected}")],
        (None, Outcome::Error(error)) => vec![format!("error {}: {}", error.class, error.message)],
        (None, Outcome::Unsupported(reason)) => vec![format!("unsupported: {reason}")],
        (None, Outcome::Result(result)) => members(case, result),
    }
}

fn members(case: &Case, result: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, expected) in &case.expect {
        let Some(value) = result.get(key) else {
            found.push(format!("{key} is missing"));
            continue;
        };
        if key == "findings" {
            findings(expected, value, &mut found);
            continue;
        }
        let uncertainties = (key == "mle_parameters").then(|| case.expect.get("uncertainties")).flatten();
        let tolerance = case.tolerance.get(key).copied().unwrap_or_default();
        compare(&Expected { value: expected, uncertainties, tolerance }, value, key, &mut found);
    }
    found
}

/// Part of an expected result, with the part of the uncertainties that belongs to it.
struct Expected<'e> {
    value: &'e Value,
    uncertainties: Option<&'e Value>,
    tolerance: Tolerance,
}

impl<'e> Expected<'e> {
    fn part(&self, value: &'e Value, index: impl serde_json::value::Index) -> Expected<'e> {
        Expected { value, uncertainties: self.uncertainties.and_then(|u| u.get(index)), tolerance: self.tolerance }
    }

    /// Largest difference that passes.
    fn allowed(&self, expected: f64) -> f64 {
        let uncertainty = self.uncertainties.and_then(Value::as_f64).unwrap_or(0.0);
        let Tolerance { abs, rel, sigma } = self.tolerance;
        abs.max(rel * expected.abs()).max(sigma * uncertainty)
    }
}

fn compare(expected: &Expected, value: &Value, path: &str, found: &mut Vec<String>) {
    match (expected.value, value) {
        (Value::Object(members), Value::Object(values)) => match matrix(members, values) {
            Some(Ok(reordered)) => compare(&expected.part(&members["values"], "values"), &reordered, path, found),
            Some(Err(problem)) => found.push(format!("{path}: {problem}")),
            None => {
                for (key, part) in members {
                    match values.get(key) {
                        Some(value) => compare(&expected.part(part, key), value, &format!("{path}/{key}"), found),
                        None => found.push(format!("{path}/{key} is missing")),
                    }
                }
            }
        },
        (Value::Array(parts), Value::Array(values)) if parts.len() == values.len() => {
            for (i, (part, value)) in parts.iter().zip(values).enumerate() {
                compare(&expected.part(part, i), value, &format!("{path}/{i}"), found);
            }
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap_or(f64::NAN), y.as_f64().unwrap_or(f64::NAN));
            let allowed = expected.allowed(x);
            let difference = (y - x).abs();
            if difference.is_nan() || difference > allowed {
                found.push(format!("{path}: {y}, expected {x} (differs by {difference:.2e}, allowed {allowed:.2e})"));
            }
        }
        (x, y) if x == y => {}
        (x, y) => found.push(format!("{path}: {}, expected {}", short(y), short(x))),
    }
}

/// The values of a matrix in the order of the expected labels; `None` if this is no matrix.
fn matrix(expected: &Map<String, Value>, given: &Map<String, Value>) -> Option<Result<Value, String>> {
    let labels = |m: &Map<String, Value>| Some(m.get("labels")?.as_array()?.to_vec());
    let (wanted, have) = (labels(expected)?, labels(given)?);
    expected.get("values")?;
    let place = |label: &Value| have.iter().position(|l| l == label).ok_or_else(|| format!("no row for {label}"));
    Some(wanted.iter().map(place).collect::<Result<Vec<_>, _>>().and_then(|order| {
        if have.len() != wanted.len() {
            return Err(format!("{} rows, expected {}", have.len(), wanted.len()));
        }
        let entry = |i: &usize, j: &usize| given.get("values").and_then(|v| v.get(*i)?.get(*j).cloned());
        let row = |i: &usize| order.iter().map(|j| entry(i, j)).collect::<Option<Vec<_>>>().map(Value::Array);
        order.iter().map(row).collect::<Option<Vec<_>>>().map(Value::Array).ok_or("entries are missing".to_owned())
    }))
}

/// Every expected finding is there, with one of its classes and, where it names any, at one of its pointers and of one of
/// its rules.
///
/// Programs that have no rules of their own need not name any.
fn findings(expected: &Value, given: &Value, found: &mut Vec<String>) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let given = list(given);
    for finding in list(expected) {
        let class = finding.get("class").unwrap_or(&Value::Null);
        let matches = |candidate: &Value| {
            let text = |key| candidate.get(key).and_then(Value::as_str);
            let at = |pointers| text("pointer").is_some_and(|pointer| names(pointers, pointer));
            let of = |rules| text("rule").is_none_or(|rule| names(rules, rule));
            let same = text("class").is_some_and(|text| names(class, text)) && finding.get("pointer").is_none_or(at);
            same && finding.get("rule").is_none_or(of)
        };
        if !given.iter().any(matches) {
            found.push(format!("no finding like {}, but {}", short(&finding), short(&Value::Array(given.clone()))));
        }
    }
}

/// The word is one of the list.
fn names(list: &Value, word: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|entry| entry == word))
}

/// The beginning of a value's text.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 200 { text } else { format!("{}…", text.chars().take(200).collect::<String>()) }
}
