//! Combine's interpolations as formulas of HS3.

use crate::convert::{file::Function, identifier};
use crate::expression::Expression;
use std::collections::{HashMap, HashSet};

/// Names of parameters and functions, which share one space, and the functions themselves.
#[derive(Default)]
pub(super) struct Formulas {
    taken: HashSet<String>,
    /// What a name of the card is written as.
    written: HashMap<String, String>,
    pub functions: Vec<Function>,
    /// Smooth steps by parameter and factor.
    steps: HashMap<(String, u64), String>,
    ones: Vec<String>,
}

impl Formulas {
    /// A name of its own that formulas can hold.
    pub fn unique(&mut self, wanted: &str) -> String {
        let wanted = identifier(wanted);
        let (mut name, mut n) = (wanted.clone(), 1);
        while !usable(&name) || !self.taken.insert(name.clone()) {
            n += 1;
            name = format!("{wanted}_{n}");
        }
        name
    }

    /// Gives a name of the card its written one.
    pub fn define(&mut self, name: &str) -> String {
        if let Some(written) = self.written.get(name) {
            return written.clone();
        }
        let written = self.unique(name);
        self.written.insert(name.to_owned(), written.clone());
        written
    }

    pub fn of(&self, name: &str) -> Option<&String> {
        self.written.get(name)
    }

    pub fn add(&mut self, wanted: &str, formula: String) -> String {
        let name = self.unique(wanted);
        self.functions.push(Function::generic(name.clone(), formula));
        name
    }

    /// The function that is 1, under another name for each `index`: ROOT drops a name that a list has twice.
    pub fn one(&mut self, index: usize) -> String {
        while self.ones.len() <= index {
            let name = self.add("one", "1.0".to_owned());
            self.ones.push(name);
        }
        self.ones[index].clone()
    }

    /// The smooth step in y = factor · θ (spec/combine-datacards.md, eq. 3).
    pub fn step(&mut self, parameter: &str, factor: f64) -> String {
        let key = (parameter.to_owned(), factor.to_bits());
        if let Some(known) = self.steps.get(&key) {
            return known.clone();
        }
        let y = if factor == 1.0 { parameter.to_owned() } else { format!("({}*{parameter})", literal(factor)) };
        let inside = format!("0.125*{y}*({y}*{y}*(3.0*{y}*{y}-10.0)+15.0)");
        let formula = format!("(abs({y})<1.0)?({inside}):(({parameter}<0.0)?(-1.0):1.0)");
        let name = self.add(&format!("step_{parameter}"), formula);
        self.steps.insert(key, name.clone());
        name
    }

    /// The logarithm of a log-normal factor between two sides: θ (a + d · step(2θ)) (eq. 2).
    pub fn log_power(&mut self, parameter: &str, low: f64, high: f64) -> String {
        let (up, down) = (high.ln(), -low.ln());
        let step = self.step(parameter, 2.0);
        format!("{parameter}*({}+{}*{step})", literal(0.5 * (up + down)), literal(0.5 * (up - down)))
    }
}

/// The formula reads the name as a name, not as a constant or a function.
fn usable(name: &str) -> bool {
    Expression::parse(name).is_ok_and(|read| read.names == [name])
}

/// A number that no reader takes for an integer, with brackets where it has a sign.
pub(super) fn literal(x: f64) -> String {
    if x.is_sign_negative() { format!("({x:?})") } else { format!("{x:?}") }
}

/// A formula with its arguments `@0`, `@1`, … in place.
///
/// # Errors
/// What is wrong, as found and expected.
pub(super) fn filled(formula: &str, arguments: &[String]) -> Result<String, (String, String)> {
    let mut text = String::with_capacity(formula.len());
    let mut rest = formula;
    while let Some(at) = rest.find('@') {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let argument = behind[..digits].parse::<usize>().ok().and_then(|i| arguments.get(i));
        let Some(argument) = argument else {
            let found = format!("@{} in a formula of {} arguments", &behind[..digits], arguments.len());
            return Err((found, "@0 for the first, and so on".to_owned()));
        };
        text.push_str(before);
        text.push_str(argument);
        rest = &behind[digits..];
    }
    text.push_str(rest);
    match Expression::parse(&text) {
        Err(error) => Err((format!("a formula that cannot be read: {}", error.found), error.expected)),
        Ok(read) => match read.names.iter().find(|name| !arguments.contains(name)) {
            Some(name) => Err((format!("{} in a formula", crate::finding::quote(name)), "its arguments".to_owned())),
            None => Ok(text),
        },
    }
}
