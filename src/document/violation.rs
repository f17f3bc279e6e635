//! Schema violations in words: one finding each, and for a choice of forms the one that the document means.

use super::eft::VERSION;
use super::schema::{Compiled, compile, compiled};
use super::workspace::Workspace;
use super::{Document, Kind, position, strict, typed};
use crate::finding::{Finding, Findings, Result, describe, escape_token, path_pointer, quote};
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
        let read = typed::workspace(&mut strict::parser(&document.text));
        let error = match read {
            Ok(workspace) if !workspace.has_eft() => return Ok(workspace),
            // Serde is lax about the forms of the extension's choices, so that the schema has the last word.
            Ok(workspace) => {
                let mut findings = violations(&document.value()?, Kind::Workspace);
                position::resolve(&document.text, &mut findings);
                return if findings.0.is_empty() { Ok(workspace) } else { Err(findings) };
            }
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
        let read = typed::workspace(value);
        if read.as_ref().is_ok_and(|workspace| !workspace.has_eft()) {
            return read.map_err(|error| unexplained(&error.to_string()).into());
        }
        let findings = violations(value, Kind::Workspace);
        if findings.0.is_empty() { read.map_err(|error| unexplained(&error.to_string()).into()) } else { Err(findings) }
    }
}

/// The first violation alone, in constant memory.
fn first_violation(text: &str) -> Findings {
    let mut parser = strict::parser(text);
    match serde_path_to_error::deserialize::<_, Workspace>(&mut parser) {
        Ok(_) => Findings::default(),
        Err(error) => {
            let message = error.inner().to_string();
            let found = message.split(" at line ").next().unwrap_or_default().to_string();
            Finding::new(&rule::SPECIFICATION, found, "what the schema says").at(path_pointer(error.path())).into()
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
    let mut explain = Explain { forms: HashMap::new(), findings: Vec::new(), omitted: 0 };
    let root = Root { key: "", schema };
    for error in validator.iter_errors(value) {
        explain.add(&root, "", &error);
    }
    let Explain { mut findings, omitted, .. } = explain;
    if omitted > 0 {
        let found = format!("{omitted} more violations");
        findings.push(Finding::new(&rule::MORE_VIOLATIONS, found, "none").at(""));
    }
    Findings(findings)
}

/// A schema that a validator was compiled from: the whole one, or a form of a choice by itself.
struct Root<'s> {
    /// Names the form among all.
    key: &'s str,
    schema: &'s Value,
}

struct Explain {
    /// Compiled schemas of single forms of a choice, by where they stand in the schema.
    forms: HashMap<String, Compiled>,
    findings: Vec<Finding>,
    omitted: usize,
}

impl Explain {
    fn add(&mut self, root: &Root, prefix: &str, error: &ValidationError) {
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
                self.add_choice(root, &pointer, instance, &choice);
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let place = format!("{pointer}/{}", escape_token(key));
                    let finding = violation(place, format!("the key {}", quote(key)), allowed_keys(root.schema, error));
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

    /// A value that fits none of several forms: what the one that is meant lacks.
    fn add_choice(&mut self, root: &Root, pointer: &str, instance: &Value, choice: &str) {
        let forms = forms(root.schema, choice);
        let meant = match forms.first().and_then(|form| tag_of(form)) {
            Some(tag) => tagged(&forms, tag, pointer, instance),
            None => untagged(&forms, pointer, instance),
        };
        match meant {
            Err(findings) => self.findings.extend(findings.0),
            Ok(place) => {
                let key = format!("{}{choice}/{place}", root.key);
                let alone = || forms.get(place).map(|form| compile(with_definitions(form, root.schema)));
                let Some(form) = self.forms.remove(&key).or_else(alone) else { return };
                if let Some(validator) = &form.validator {
                    let root = Root { key: &key, schema: &form.schema };
                    for error in validator.iter_errors(instance) {
                        self.add(&root, pointer, &error);
                    }
                }
                self.forms.insert(key, form);
            }
        }
    }
}

/// The forms that a choice at a place of a schema comes down to.
fn forms<'s>(schema: &'s Value, choice: &str) -> Vec<&'s Value> {
    let branches = schema.pointer(choice).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut forms = Vec::new();
    for branch in branches {
        let mut branch = branch;
        while let Some(place) = branch.get("$ref").and_then(|to| to.as_str()?.strip_prefix('#')) {
            let Some(referred) = schema.pointer(place) else { break };
            branch = referred;
        }
        match branch.get("oneOf").or_else(|| branch.get("anyOf")).and_then(Value::as_array) {
            Some(inner) => forms.extend(inner),
            None => forms.push(branch),
        }
    }
    forms
}

/// Which of the forms, told apart by the member `tag`, an instance means.
fn tagged(forms: &[&Value], tag: &str, pointer: &str, instance: &Value) -> Result<usize> {
    let Some(members) = instance.as_object() else {
        return Err(violation(pointer.to_string(), describe(instance), "an object").into());
    };
    let names: Vec<String> = forms.iter().filter_map(|form| Some(quote(tag_value(form, tag)?))).collect();
    let expected = format!("one of {}", names.join(", "));
    let Some(named) = members.get(tag) else {
        return Err(violation(pointer.to_string(), format!("no key {}", quote(tag)), expected).into());
    };
    let place = forms.iter().position(|form| named.as_str().is_some_and(|name| tag_value(form, tag) == Some(name)));
    place.ok_or_else(|| violation(format!("{pointer}/{}", escape_token(tag)), describe(named), expected).into())
}

/// Which of the forms an instance means by its type and, of several objects, by the keys they have in common.
fn untagged(forms: &[&Value], pointer: &str, instance: &Value) -> Result<usize> {
    let is = |form: &Value| {
        let kind = form.get("type").and_then(Value::as_str).unwrap_or_default();
        form.get("const").or_else(|| form.get("enum")).is_none()
            && match instance {
                Value::Null => kind == "null",
                Value::Bool(_) => kind == "boolean",
                Value::Number(_) => matches!(kind, "number" | "integer"),
                Value::String(_) => kind == "string",
                Value::Array(_) => kind == "array",
                Value::Object(_) => kind == "object",
            }
    };
    let common = |form: &Value| match (instance, form.get("properties")) {
        (Value::Object(members), Some(properties)) => members.keys().filter(|k| properties.get(k).is_some()).count(),
        _ => 0,
    };
    let suiting = forms.iter().enumerate().filter(|(_, form)| is(form));
    // The last of the best: forms that are written out come after those that only name something.
    suiting.max_by_key(|(_, form)| common(form)).map(|(place, _)| place).ok_or_else(|| {
        let words: Vec<String> = forms.iter().map(|form| form_in_words(form)).collect();
        violation(pointer.to_string(), describe(instance), words.join(" or ")).into()
    })
}

fn form_in_words(form: &Value) -> String {
    match (form.get("const"), form.get("enum"), form.get("type").and_then(Value::as_str)) {
        (Some(value), _, _) => describe(value),
        (None, Some(options), _) => one_of(options),
        (None, None, Some(kind)) => a(kind),
        (None, None, None) => "another form".into(),
    }
}

/// The values of an `enum`.
fn one_of(options: &Value) -> String {
    let options: Vec<String> = options.as_array().into_iter().flatten().map(describe).collect();
    options.join(" or ")
}

fn allowed_keys(schema: &Value, error: &ValidationError) -> String {
    let place = error.schema_path().as_str().strip_suffix("/additionalProperties").unwrap_or_default();
    let here = schema.pointer(place).and_then(|s| s.get("properties"));
    match here.and_then(Value::as_object) {
        Some(properties) => {
            let keys: Vec<String> = properties.keys().map(|k| quote(k)).collect();
            format!("only the keys {}", keys.join(", "))
        }
        None => "no such key".to_string(),
    }
}

fn violation(pointer: String, found: impl Into<String>, expected: impl Into<String>) -> Finding {
    Finding::new(&rule::SPECIFICATION, found, expected).at(pointer)
}

/// The member that tells the forms of a choice apart: the one with a constant, `type`, `op` or `kind`.
fn tag_of(branch: &Value) -> Option<&str> {
    let tag = |key: &&str| tag_value(branch, key).is_some();
    ["type", "op", "kind"].iter().find(|key| tag(key)).copied()
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
        ValidationErrorKind::Enum { options } => one_of(options),
        ValidationErrorKind::Minimum { limit } => format!("at least {limit}"),
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
        (ValidationErrorKind::Constant { expected_value }, Value::String(_)) if **expected_value == VERSION => {
            Some("this program reads this version of the EFT extension alone")
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
