//! Schema violations in words: one finding each, and for a choice of forms the one that the document means.

use super::schema::{Compiled, compile, compiled};
use super::workspace::Workspace;
use super::{Document, Kind, position, strict, typed};
use crate::finding::{Finding, Findings, Result, describe, escape_token, quote};
use crate::rule;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;

/// How many violations are listed.
const MOST: usize = 1000;

/// Reads a document as a type whose schema is that of `kind`: all schema violations at once, or the value.
pub(super) fn read<T: DeserializeOwned>(document: &Document, kind: Kind) -> Result<T> {
    let value = document.value()?;
    let mut findings = violations(&value, kind);
    if findings.0.is_empty() {
        match serde_json::from_value(value) {
            Ok(typed) => return Ok(typed),
            Err(error) => findings.push(unexplained(&error.to_string())),
        }
    }
    position::resolve(&document.text, &mut findings);
    Err(findings)
}

impl Workspace {
    /// Reads a workspace straight into its types; only if that fails the tree is built and explained.
    pub fn from_document(document: &Document) -> Result<Workspace> {
        let error = match typed::workspace(&mut strict::parser(&document.text)) {
            Ok(workspace) => return Ok(workspace),
            Err(error) => error,
        };
        let mut findings = match document.value() {
            Ok(value) => violations(&value, Kind::Workspace),
            // Too large to be explained in full: the first violation only.
            Err(_) => first_violation(&document.text),
        };
        if findings.0.is_empty() {
            findings.push(unexplained(&error.to_string()));
        }
        position::resolve(&document.text, &mut findings);
        Err(findings)
    }

    /// Reads a workspace from a tree, such as a patched one; findings have pointers and no lines.
    pub fn from_value(value: &Value) -> Result<Workspace> {
        typed::workspace(value).map_err(|error| {
            let mut findings = violations(value, Kind::Workspace);
            if findings.0.is_empty() {
                findings.push(unexplained(&error.to_string()));
            }
            findings
        })
    }
}

/// The first violation alone, in constant memory.
fn first_violation(text: &str) -> Findings {
    let mut parser = strict::parser(text);
    match serde_path_to_error::deserialize::<_, Workspace>(&mut parser) {
        Ok(_) => Findings::default(),
        Err(error) => {
            let pointer: String =
                error.path().iter().map(|segment| format!("/{}", escape_token(&segment.to_string()))).collect();
            let message = error.inner().to_string();
            let found = message.split(" at line ").next().unwrap_or_default().to_string();
            Finding::new(&rule::SPECIFICATION, found, "what the schema says").at(pointer).into()
        }
    }
}

fn unexplained(message: &str) -> Finding {
    Finding::new(&rule::SPECIFICATION, message, "what the schema says").at("")
}

/// All violations of the schema of `kind`, in document order, cut after [`MOST`].
pub(super) fn violations(value: &Value, kind: Kind) -> Findings {
    let Compiled { schema, validator: Some(validator) } = compiled(kind) else {
        return unexplained("a schema that does not compile").into();
    };
    let mut explain = Explain { schema, branches: HashMap::new(), findings: Vec::new(), omitted: 0 };
    for error in validator.iter_errors(value) {
        explain.add("", &error);
    }
    let Explain { mut findings, omitted, .. } = explain;
    if omitted > 0 {
        let found = format!("{omitted} more violations");
        findings.push(Finding::new(&rule::MORE_VIOLATIONS, found, "none").at(""));
    }
    Findings(findings)
}

struct Explain<'s> {
    schema: &'s Value,
    /// Compiled schemas of single forms of a choice, by where they stand in the schema.
    branches: HashMap<String, Compiled>,
    findings: Vec<Finding>,
    omitted: usize,
}

impl Explain<'_> {
    fn add(&mut self, prefix: &str, error: &ValidationError) {
        if self.findings.len() >= MOST {
            self.omitted += 1;
            return;
        }
        let pointer = format!("{prefix}{}", error.instance_path().as_str());
        let instance = error.instance();
        match error.kind() {
            ValidationErrorKind::AnyOf { .. }
            | ValidationErrorKind::OneOfNotValid { .. }
            | ValidationErrorKind::OneOfMultipleValid { .. } => {
                let choice = error.schema_path().as_str().to_string();
                self.add_choice(&pointer, instance, &choice);
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let place = format!("{pointer}/{}", escape_token(key));
                    let finding = violation(place, format!("the key {}", quote(key)), self.allowed_keys(error));
                    self.findings.push(finding.hint("remove the key, or correct its spelling"));
                }
            }
            kind => {
                let (found, expected) = in_words(kind, instance);
                let finding = violation(pointer, found, expected);
                self.findings.push(match remedy(kind, instance) {
                    Some(hint) => finding.hint(hint),
                    None => finding,
                });
            }
        }
    }

    /// A value that fits none of several forms: if one member tells which is meant, what that one lacks.
    fn add_choice(&mut self, pointer: &str, instance: &Value, choice: &str) {
        let branches = self.schema.pointer(choice).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let Some(tag) = branches.first().and_then(tag_of) else {
            let types: Vec<&str> = branches.iter().filter_map(|b| b.get("type")?.as_str()).collect();
            self.findings.push(violation(pointer.to_string(), describe(instance), types.join(" or ")));
            return;
        };
        let Some(members) = instance.as_object() else {
            self.findings.push(violation(pointer.to_string(), describe(instance), "an object"));
            return;
        };
        let names: Vec<String> = branches.iter().filter_map(|b| Some(quote(tag_value(b, tag)?))).collect();
        let expected = format!("one of {}", names.join(", "));
        let Some(named) = members.get(tag) else {
            self.findings.push(violation(pointer.to_string(), format!("no key {}", quote(tag)), expected));
            return;
        };
        let place = branches.iter().position(|b| named.as_str().is_some_and(|name| tag_value(b, tag) == Some(name)));
        let Some((place, branch)) = place.and_then(|i| Some((i, branches.get(i)?))) else {
            let place = format!("{pointer}/{}", escape_token(tag));
            self.findings.push(violation(place, describe(named), expected));
            return;
        };
        let key = format!("{choice}/{place}");
        let form = self.branches.remove(&key).unwrap_or_else(|| compile(with_definitions(branch, self.schema)));
        if let Some(validator) = &form.validator {
            for error in validator.iter_errors(instance) {
                self.add(pointer, &error);
            }
        }
        self.branches.insert(key, form);
    }

    fn allowed_keys(&self, error: &ValidationError) -> String {
        let schema = error.schema_path().as_str().strip_suffix("/additionalProperties").unwrap_or_default();
        let here = self.schema.pointer(schema).and_then(|s| s.get("properties"));
        match here.and_then(Value::as_object) {
            Some(properties) => {
                let keys: Vec<String> = properties.keys().map(|k| quote(k)).collect();
                format!("only the keys {}", keys.join(", "))
            }
            None => "no such key".to_string(),
        }
    }
}

fn violation(pointer: String, found: impl Into<String>, expected: impl Into<String>) -> Finding {
    Finding::new(&rule::SPECIFICATION, found, expected).at(pointer)
}

/// The member that tells the forms of a choice apart: the one with a constant, `type` or `op`.
fn tag_of(branch: &Value) -> Option<&str> {
    let tag = |key: &&str| tag_value(branch, key).is_some();
    ["type", "op"].iter().find(|key| tag(key)).copied()
}

fn tag_value<'b>(branch: &'b Value, tag: &str) -> Option<&'b str> {
    branch.get("properties")?.get(tag)?.get("const")?.as_str()
}

/// One form of a choice as a schema of its own.
fn with_definitions(branch: &Value, schema: &Value) -> Value {
    let mut branch = branch.clone();
    if let Some(members) = branch.as_object_mut() {
        members.insert("$defs".into(), schema.get("$defs").cloned().unwrap_or_else(|| json!({})));
    }
    branch
}

/// What was found and what was expected.
fn in_words(kind: &ValidationErrorKind, instance: &Value) -> (String, String) {
    let found = describe(instance);
    let expected = match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(single) } => a(&single.to_string()),
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().map(quote).unwrap_or_default();
            return (format!("no key {key}"), format!("the key {key}"));
        }
        ValidationErrorKind::Constant { expected_value } => describe(expected_value),
        ValidationErrorKind::MinItems { limit: 1 } => "at least one item".into(),
        ValidationErrorKind::MinItems { limit } => format!("at least {limit} items"),
        ValidationErrorKind::MinProperties { limit: 1 } => "at least one key".into(),
        ValidationErrorKind::Pattern { pattern } => format!("a match of {pattern}"),
        other => format!("what {} in the schema says", quote(other.keyword())),
    };
    (found, expected)
}

/// Advice for what people really write.
fn remedy(kind: &ValidationErrorKind, instance: &Value) -> Option<&'static str> {
    match (kind, instance) {
        (ValidationErrorKind::Required { .. }, _) => Some("add the key, or correct the spelling of one that is there"),
        (ValidationErrorKind::MinItems { .. }, _) => Some("add what is missing, or remove what holds the empty array"),
        (ValidationErrorKind::Constant { expected_value }, Value::String(_)) if **expected_value == "1.0.0" => {
            Some("bring the document to version 1.0.0 of the schema")
        }
        (ValidationErrorKind::Type { kind: TypeKind::Single(single) }, instance) => {
            match (single.to_string().as_str(), instance) {
                ("number", Value::String(text)) if text.parse::<f64>().is_ok() => {
                    Some("write the number without quotes")
                }
                ("number", Value::Null) => Some("write a number: a bin without content is 0"),
                ("number", Value::Array(_)) => Some("write one flat list of numbers"),
                ("boolean", Value::Array(_)) => Some("write true or false, once for the whole parameter set"),
                ("null", _) => Some("write null: modifiers of this type have no data"),
                _ => None,
            }
        }
        _ => None,
    }
}

fn a(kind: &str) -> String {
    match kind {
        "null" => "null".into(),
        "array" | "object" | "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
