//! A value of a foreign JSON file with its place, so that every error can say where it is.

use crate::finding::{Finding, Result, describe, escape_token, quote};
use crate::rule;
use serde_json::Value;

/// A value and the JSON Pointer to it.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub value: &'a Value,
    pub pointer: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Node<'a> {
        Node { value, pointer: String::new() }
    }

    /// An error at this place.
    pub fn wrong(&self, expected: impl Into<String>) -> Finding {
        self.error(describe(self.value), expected)
    }

    pub fn error(&self, found: impl Into<String>, expected: impl Into<String>) -> Finding {
        Finding::new(&rule::IMPORT_FORMAT, found, expected).at(self.pointer.clone())
    }

    fn child(&self, key: &str, value: &'a Value) -> Node<'a> {
        Node { value, pointer: format!("{}/{}", self.pointer, escape_token(key)) }
    }

    /// The member of an object, if it has it; `null` counts as none.
    pub fn get(&self, key: &str) -> Result<Option<Node<'a>>> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        Ok(members.get(key).filter(|value| !value.is_null()).map(|value| self.child(key, value)))
    }

    /// The member of an object, which must have it.
    pub fn member(&self, key: &str) -> Result<Node<'a>> {
        let member = self.get(key)?;
        Ok(member.ok_or_else(|| self.error(format!("no key {}", quote(key)), format!("the key {}", quote(key))))?)
    }

    /// All members of an object, in the order of the file.
    pub fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.child(key, value))).collect())
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("an array"))?;
        Ok(items.iter().enumerate().map(|(i, value)| self.child(&i.to_string(), value)).collect())
    }

    /// The items of an array that must have so many.
    pub fn items_of(&self, n: usize, what: &str) -> Result<Vec<Node<'a>>> {
        let items = self.items()?;
        if items.len() == n { Ok(items) } else { Err(self.wrong(format!("{n} items, one {what}")).into()) }
    }

    pub fn text(&self) -> Result<&'a str> {
        Ok(self.value.as_str().ok_or_else(|| self.wrong("a string"))?)
    }

    /// A string that is not empty.
    pub fn name(&self) -> Result<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() { Err(self.wrong("a name").into()) } else { Ok(text) }
    }

    pub fn number(&self) -> Result<f64> {
        Ok(self.value.as_f64().filter(|x| x.is_finite()).ok_or_else(|| self.wrong("a number"))?)
    }

    pub fn numbers(&self) -> Result<Vec<f64>> {
        self.items()?.iter().map(Node::number).collect()
    }

    /// So many numbers.
    pub fn numbers_of(&self, n: usize, what: &str) -> Result<Vec<f64>> {
        self.items_of(n, what)?.iter().map(Node::number).collect()
    }

    pub fn names(&self) -> Result<Vec<String>> {
        self.items()?.iter().map(|item| item.name().map(str::to_owned)).collect()
    }
}
