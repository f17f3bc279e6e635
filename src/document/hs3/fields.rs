//! Reading objects member by member: every member that is missing, of another type or unknown becomes a finding.

use crate::expression::{ErrorKind, Expression};
use crate::finding::{Finding, Findings, describe, escape_token, quote};
use crate::rule::{self, Rule};
use serde_json::{Map, Value};

/// Collects findings.
pub(super) struct Reader {
    pub findings: Findings,
    strict: bool,
}

impl Reader {
    pub fn new(strict: bool) -> Reader {
        Reader { findings: Findings::default(), strict }
    }

    pub fn add(&mut self, rule: &Rule, pointer: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.findings.push(Finding::new(rule, found, expected).at(pointer));
    }

    /// A warning, or an error for a strict reader.
    pub fn lenient(&mut self, rule: &Rule, pointer: &str, found: impl Into<String>, expected: impl Into<String>) {
        let mut finding = Finding::new(rule, found, expected).at(pointer);
        if self.strict {
            finding.severity = crate::finding::Severity::Error;
        }
        self.findings.push(finding);
    }
}

/// A number, or the name of a parameter, a function or a variate.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    Number(f64),
    Name(String),
}

/// What a component names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// A function, a parameter or a variate.
    Value,
    Distribution,
    Function,
    Data,
}

/// A name in a component, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub name: String,
    pub pointer: String,
}

/// A generic expression: its text, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    pub text: String,
    pub expression: Expression,
}

/// The members of one object.
pub(super) struct Fields<'v, 'r> {
    map: &'v Map<String, Value>,
    pub pointer: String,
    used: Vec<&'static str>,
    pub reader: &'r mut Reader,
    pub references: Vec<Reference>,
}

impl<'v, 'r> Fields<'v, 'r> {
    pub fn of_map(map: &'v Map<String, Value>, pointer: String, reader: &'r mut Reader) -> Fields<'v, 'r> {
        Fields { map, pointer, used: Vec::new(), reader, references: Vec::new() }
    }

    /// The members of a value that has to be an object.
    pub fn of(value: &'v Value, pointer: String, reader: &'r mut Reader) -> Option<Fields<'v, 'r>> {
        match value {
            Value::Object(map) => Some(Fields::of_map(map, pointer, reader)),
            _ => {
                reader.add(&rule::HS3_COMPONENT, &pointer, describe(value), "an object");
                None
            }
        }
    }

    /// Warns of members that nothing has asked for. `NS:key` belongs to an extension and is left alone.
    pub fn finish(&mut self) {
        for key in self.map.keys() {
            if !self.used.iter().any(|used| used == key) && !key.contains(':') {
                let pointer = self.at(key);
                self.reader.lenient(&rule::HS3_UNKNOWN_KEY, &pointer, format!("the key {}", quote(key)), "a known key");
            }
        }
    }

    pub fn at(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, escape_token(key))
    }

    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// The value as it is; `None` if it is absent.
    pub fn raw(&mut self, key: &'static str) -> Option<&'v Value> {
        self.used.push(key);
        self.map.get(key)
    }

    /// As [`Fields::raw`], with what a reader of the value needs.
    pub fn child(&mut self, key: &'static str) -> Option<(&'v Value, String, &mut Reader)> {
        let value = self.raw(key)?;
        let pointer = self.at(key);
        Some((value, pointer, self.reader))
    }

    /// The first of several keys that is there; others than the first are spellings of single programs.
    pub fn alias(&mut self, keys: &[&'static str]) -> &'static str {
        self.used.extend(keys);
        let first = keys.first().copied().unwrap_or_default();
        let Some(found) = keys.iter().find(|key| self.has(key)) else { return first };
        if *found != first {
            let pointer = self.at(found);
            self.reader.lenient(&rule::HS3_SPELLING, &pointer, quote(found), quote(first));
        }
        found
    }

    fn missing(&mut self, key: &str, expected: &str) {
        let pointer = self.pointer.clone();
        self.reader.add(&rule::HS3_COMPONENT, &pointer, format!("no {}", quote(key)), expected);
    }

    fn wrong(&mut self, key: &str, value: &Value, expected: &str) {
        let pointer = self.at(key);
        self.reader.add(&rule::HS3_COMPONENT, &pointer, describe(value), expected);
    }

    /// A required member that `read` understands; a finding if it is absent or something else.
    fn required<T>(&mut self, key: &'static str, expected: &str, read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        match self.raw(key) {
            None => self.missing(key, expected),
            Some(value) => match read(value) {
                Some(result) => return Some(result),
                None => self.wrong(key, value, expected),
            },
        }
        None
    }

    /// A member that may be absent, or null.
    fn optional<T>(&mut self, key: &'static str, expected: &str, read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        let value = self.raw(key).filter(|value| !value.is_null())?;
        let result = read(value);
        if result.is_none() {
            self.wrong(key, value, expected);
        }
        result
    }

    /// A string that is not empty.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let read = |value: &Value| value.as_str().filter(|s| !s.is_empty()).map(str::to_string);
        self.required(key, "a string that is not empty", read)
    }

    pub fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.optional(key, "a string", |value| value.as_str().map(str::to_string))
    }

    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        self.required(key, "a number", Value::as_f64)
    }

    pub fn optional_number(&mut self, key: &'static str) -> Option<f64> {
        self.optional(key, "a number", Value::as_f64)
    }

    pub fn optional_integer(&mut self, key: &'static str) -> Option<i64> {
        self.optional(key, "an integer", integer)
    }

    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.optional(key, "true or false", Value::as_bool)
    }

    pub fn numbers(&mut self, key: &'static str) -> Option<Vec<f64>> {
        self.required(key, "an array of numbers", numbers)
    }

    pub fn optional_numbers(&mut self, key: &'static str) -> Option<Vec<f64>> {
        self.optional(key, "an array of numbers", numbers)
    }

    pub fn matrix(&mut self, key: &'static str) -> Option<Vec<Vec<f64>>> {
        self.required(key, "an array of arrays of numbers", |v| v.as_array()?.iter().map(numbers).collect())
    }

    pub fn integers(&mut self, key: &'static str) -> Option<Vec<i64>> {
        self.required(key, "an array of integers", |v| v.as_array()?.iter().map(integer).collect())
    }

    /// A number, a name, or a number in a string, which ROOT writes.
    pub fn slot(&mut self, key: &'static str) -> Option<Slot> {
        match self.raw(key) {
            Some(value) => {
                let pointer = self.at(key);
                self.slot_of(value, pointer)
            }
            None => {
                self.missing(key, "a number or a name");
                None
            }
        }
    }

    pub fn optional_slot(&mut self, key: &'static str) -> Option<Slot> {
        if self.has(key) { self.slot(key) } else { None }
    }

    /// As [`Fields::slot`]; ROOT writes some of them as an array with one entry.
    pub fn single(&mut self, key: &'static str) -> Option<Slot> {
        if let Some(Value::Array(items)) = self.map.get(key)
            && let [item] = items.as_slice()
        {
            self.used.push(key);
            let pointer = self.at(key);
            self.reader.lenient(&rule::HS3_SPELLING, &pointer, "an array of 1 item", "the item itself");
            return self.slot_of(item, format!("{pointer}/0"));
        }
        self.slot(key)
    }

    pub fn slots(&mut self, key: &'static str) -> Option<Vec<Slot>> {
        let items = self.required(key, "an array of numbers and names", Value::as_array)?;
        let pointer = self.at(key);
        let read: Vec<_> = items.iter().enumerate().map(|(i, v)| self.slot_of(v, format!("{pointer}/{i}"))).collect();
        read.into_iter().collect()
    }

    /// Rows of slots.
    pub fn slot_matrix(&mut self, key: &'static str) -> Option<Vec<Vec<Slot>>> {
        let rows = self.required(key, "an array of arrays", |v| {
            v.as_array()?.iter().map(Value::as_array).collect::<Option<Vec<_>>>()
        })?;
        let pointer = self.at(key);
        let mut matrix = Vec::with_capacity(rows.len());
        for (i, row) in rows.into_iter().enumerate() {
            let read: Vec<_> =
                row.iter().enumerate().map(|(j, v)| self.slot_of(v, format!("{pointer}/{i}/{j}"))).collect();
            matrix.push(read.into_iter().collect::<Option<Vec<_>>>()?);
        }
        Some(matrix)
    }

    fn slot_of(&mut self, value: &Value, pointer: String) -> Option<Slot> {
        match value {
            Value::String(text) => match text.trim().parse::<f64>() {
                // The names nan and inf are names.
                Ok(number) if number.is_finite() => {
                    self.reader.lenient(&rule::HS3_NUMERIC_STRING, &pointer, describe(value), "a number");
                    Some(Slot::Number(number))
                }
                _ if text.is_empty() => {
                    self.reader.add(&rule::HS3_COMPONENT, &pointer, "an empty name", "a number or a name");
                    None
                }
                _ => {
                    self.references.push(Reference { kind: ReferenceKind::Value, name: text.clone(), pointer });
                    Some(Slot::Name(text.clone()))
                }
            },
            _ => match value.as_f64() {
                Some(number) => Some(Slot::Number(number)),
                None => {
                    self.reader.add(&rule::HS3_COMPONENT, &pointer, describe(value), "a number or a name");
                    None
                }
            },
        }
    }

    /// The name of a component of a kind.
    pub fn reference(&mut self, key: &'static str, kind: ReferenceKind) -> Option<String> {
        let name = self.text(key)?;
        self.references.push(Reference { kind, name: name.clone(), pointer: self.at(key) });
        Some(name)
    }

    /// Names that are references of a kind.
    pub fn name_list(&mut self, key: &'static str, kind: ReferenceKind) -> Option<Vec<String>> {
        let list = self.texts(key)?;
        let pointer = self.at(key);
        for (i, name) in list.iter().enumerate() {
            self.references.push(Reference { kind, name: name.clone(), pointer: format!("{pointer}/{i}") });
        }
        Some(list)
    }

    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.required(key, "an array of names", texts)
    }

    pub fn optional_texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.optional(key, "an array of strings", texts)
    }

    /// The members of a required object, read by `read`.
    pub fn object<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'v Value, String, &mut Reader) -> Option<T>,
    ) -> Option<T> {
        match self.raw(key) {
            Some(value) => {
                let pointer = self.at(key);
                read(value, pointer, self.reader)
            }
            None => {
                self.missing(key, "an object");
                None
            }
        }
    }

    /// An array of objects, those left out that cannot be read; absent is empty.
    pub fn components<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'v Value, String, &mut Reader) -> Option<T>,
    ) -> Vec<T> {
        let Some(items) = self.optional(key, "an array of objects", Value::as_array) else { return Vec::new() };
        let pointer = self.at(key);
        let read = |(i, item)| read(item, format!("{pointer}/{i}"), self.reader);
        items.iter().enumerate().filter_map(read).collect()
    }

    /// A generic expression; its names become references.
    pub fn formula(&mut self, key: &'static str) -> Option<Formula> {
        let text = self.text(key)?;
        let pointer = self.at(key);
        match Expression::parse(&text) {
            Ok(expression) => {
                if !expression.lenient.is_empty() {
                    let forms: Vec<String> = expression.lenient.iter().take(8).map(|form| quote(form)).collect();
                    let expected = "functions and names of the specification's grammar";
                    self.reader.lenient(&rule::HS3_EXPRESSION_FORM, &pointer, forms.join(", "), expected);
                }
                for name in &expression.names {
                    let (kind, pointer) = (ReferenceKind::Value, pointer.clone());
                    self.references.push(Reference { kind, name: name.clone(), pointer });
                }
                Some(Formula { text, expression })
            }
            Err(error) => {
                let rule = match error.kind {
                    ErrorKind::Depth | ErrorKind::Length => &rule::HS3_EXPRESSION_DEPTH,
                    _ => &rule::HS3_EXPRESSION,
                };
                let found = format!("{} at column {} of the expression", error.found, error.column);
                self.reader.add(rule, &pointer, found, error.expected);
                None
            }
        }
    }
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|v| v.as_str().filter(|s| !s.is_empty()).map(str::to_string)).collect()
}

/// 2.0 is an integer.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 9e15).map(|x| x as i64))
}
