//! Names in a document that is written: each once, and for ROOT identifiers.

use super::Target;
use std::collections::{HashMap, HashSet};

/// Names that are given once each.
#[derive(Debug, Default)]
pub(super) struct Taken(HashSet<String>);

impl Taken {
    /// A name of its own, like the one that is wanted: that one, or with the first number from 2 that is free.
    pub fn unique(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        let mut n = 1;
        while !self.0.insert(name.clone()) {
            n += 1;
            name = format!("{wanted}_{n}");
        }
        name
    }
}

impl Taken {
    /// Takes a name; whether it was free.
    pub fn add(&mut self, name: &str) -> bool {
        self.0.insert(name.to_owned())
    }
}

impl FromIterator<String> for Taken {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Taken {
        Taken(names.into_iter().collect())
    }
}

/// The names of distributions, functions, parameters and variates, which share one space.
pub(super) struct Names {
    target: Target,
    used: Taken,
    written: HashMap<String, String>,
}

impl Names {
    pub fn new(target: Target) -> Names {
        Names { target, used: Taken::default(), written: HashMap::new() }
    }

    /// A name of its own, like the one that is wanted.
    pub fn unique(&mut self, wanted: &str) -> String {
        self.used.unique(spelling(wanted, self.target))
    }

    /// Gives a parameter or a function its name; what else names it finds it by [`Names::of`].
    pub fn define(&mut self, name: &str) -> String {
        let written = self.unique(name);
        self.written.insert(name.to_owned(), written.clone());
        written
    }

    /// What was given for the name of a parameter or a function.
    pub fn of(&self, name: &str) -> String {
        self.written.get(name).cloned().unwrap_or_else(|| spelling(name, self.target))
    }
}

/// ROOT reads identifiers alone; others take names as they are.
pub(super) fn spelling(name: &str, target: Target) -> String {
    match target {
        Target::Root640 => identifier(name),
        Target::Canonical | Target::Pyhs3 => name.to_owned(),
    }
}

/// Letters, digits and underscores, no digit first.
pub fn identifier(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if kept.starts_with(|c: char| c.is_ascii_digit()) || kept.is_empty() { format!("_{kept}") } else { kept }
}
