//! The coefficients of a SMEFiT runcard: free ones, fixed ones, and those that others determine.

use super::node::Node;
use super::terms::Terms;
use super::wilson_coefficient;
use crate::document::eft::WilsonCoefficient;
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds of a coefficient that has none in the runcard.
const DEFAULT_BOUNDS: [f64; 2] = [-1.0, 1.0];

/// Operators of the runcard by name.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    /// Free or fixed at a value, sorted.
    own: BTreeMap<String, WilsonCoefficient>,
    /// Σ a_i c_i in the place of an operator.
    relations: BTreeMap<String, Vec<(String, f64)>>,
    /// Places in the runcard.
    places: BTreeMap<String, String>,
}

impl Coefficients {
    /// Reads `{name: {min, max, value, constrain, is_mass}}`.
    ///
    /// # Errors
    /// All findings: bounds that are no interval, fixed coefficients without a value, relations that are not linear.
    pub fn read(node: &Node, warnings: &mut Findings) -> Result<Coefficients> {
        let mut coefficients = Coefficients::default();
        let mut findings = Findings::default();
        for (name, entry) in node.members()? {
            coefficients.places.insert(name.to_owned(), entry.pointer.clone());
            if let Err(found) = coefficients.add(name, &entry, warnings) {
                findings.0.extend(found.0);
            }
        }
        if coefficients.places.is_empty() {
            findings.push(node.wrong("at least one coefficient"));
        }
        if findings.0.is_empty() {
            coefficients.check_relations(&mut findings);
        }
        if findings.0.is_empty() { Ok(coefficients) } else { Err(findings) }
    }

    fn add(&mut self, name: &str, entry: &Node, warnings: &mut Findings) -> Result<()> {
        for (key, node) in entry.members()? {
            if !["min", "max", "value", "constrain"].contains(&key) {
                let found = format!("{} of {}", quote(key), quote(name));
                warnings.push(super::dropped(node.pointer, found, "a coefficient has bounds and a value"));
            }
        }
        let bound = |key, default| entry.get(key)?.map_or(Ok(default), |node| node.number());
        let bounds = [bound("min", DEFAULT_BOUNDS[0])?, bound("max", DEFAULT_BOUNDS[1])?];
        let value = entry.get("value")?.map(|node| node.number()).transpose()?;
        let constrain = entry.get("constrain")?;
        match constrain.as_ref().map(|node| (node, node.value)) {
            None | Some((_, serde_json::Value::Bool(false))) => {
                if value.is_some() {
                    return Err(entry.error("a value of a free coefficient", "constrain: true beside a value").into());
                }
                let start = if (bounds[0]..=bounds[1]).contains(&0.0) { 0.0 } else { 0.5 * (bounds[0] + bounds[1]) };
                self.own.insert(name.to_owned(), wilson_coefficient(name, bounds, start));
            }
            Some((node, serde_json::Value::Bool(true))) => {
                let value = value.ok_or_else(|| node.error("constrain: true without a value", "a value"))?;
                // Bounds of a fixed coefficient limit nothing.
                let bounds = [bounds[0].min(value), bounds[1].max(value)];
                let fixed = WilsonCoefficient { fixed: true, ..wilson_coefficient(name, bounds, value) };
                self.own.insert(name.to_owned(), fixed);
            }
            Some((node, _)) => {
                self.relations.insert(name.to_owned(), relation(node)?);
            }
        }
        Ok(())
    }

    /// Relations lead to coefficients that no relation determines.
    fn check_relations(&self, findings: &mut Findings) {
        for (name, sum) in &self.relations {
            for (other, _) in sum.iter().filter(|(other, _)| !self.own.contains_key(other)) {
                let expected = "coefficients of the runcard that are free or fixed";
                let found = format!("{} as a sum with {}", quote(name), quote(other));
                let place = self.places.get(name).cloned().unwrap_or_default();
                findings.push(Finding::new(&rule::IMPORT_FORMAT, found, expected).at(place));
            }
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The operator as a sum of coefficients.
    fn sum_of(&self, name: &str) -> Vec<(String, f64)> {
        self.relations.get(name).cloned().unwrap_or_else(|| vec![(name.to_owned(), 1.0)])
    }

    /// Terms in operators as terms in coefficients.
    pub fn substitute(&self, terms: &Terms) -> Terms {
        let mut out = Terms::new(terms.n_bins());
        for (monomial, values) in terms.iter() {
            let mut products: Vec<(Vec<String>, f64)> = vec![(Vec::new(), 1.0)];
            for operator in monomial {
                let sum = self.sum_of(operator);
                let mut longer = Vec::new();
                for (names, factor) in products {
                    for (name, a) in &sum {
                        let names: Vec<String> = names.iter().chain([name]).cloned().collect();
                        longer.push((names, factor * a));
                    }
                }
                products = longer;
            }
            for (names, factor) in products {
                out.add(names, values.iter().map(|value| factor * value));
            }
        }
        out
    }

    /// Those on which predictions depend; what the tables lack is told.
    pub fn used(self, in_tables: &BTreeSet<String>, warnings: &mut Findings) -> Vec<WilsonCoefficient> {
        for name in self.places.keys().filter(|name| !in_tables.contains(*name)) {
            let place = self.places.get(name).cloned().unwrap_or_default();
            let why = "no table of the chosen data sets and orders has it: no prediction depends on it";
            warnings.push(super::dropped(place, quote(name), why));
        }
        let used: BTreeSet<String> =
            in_tables.iter().flat_map(|name| self.sum_of(name)).map(|(name, _)| name).collect();
        self.own.into_values().filter(|coefficient| used.contains(&coefficient.name)).collect()
    }
}

/// `{name: a}` or a list of these, which are added up.
fn relation(node: &Node) -> Result<Vec<(String, f64)>> {
    let addends = if node.value.is_array() { node.items()? } else { vec![node.clone()] };
    let mut sum = Vec::new();
    for addend in addends {
        let members = if addend.value.is_object() { addend.members()? } else { Vec::new() };
        let [(name, factor)] = members.as_slice() else {
            let several = if members.len() > 1 { "a product of coefficients" } else { "no relation" };
            return Err(nonlinear(&addend, several));
        };
        let factor = match factor.value.as_array().map(Vec::as_slice) {
            None => factor.number()?,
            Some([_, power]) if power.as_f64() == Some(1.0) => {
                factor.items()?.first().map_or(Ok(1.0), |item| item.number())?
            }
            Some(_) => return Err(nonlinear(factor, "a power other than 1")),
        };
        sum.push(((*name).to_owned(), factor));
    }
    if sum.is_empty() { Err(nonlinear(node, "an empty list")) } else { Ok(sum) }
}

fn nonlinear(node: &Node, found: &str) -> crate::finding::Findings {
    let finding = Finding::new(&rule::IMPORT_REFUSED, found, "a sum of coefficients with factors, [{name: factor}, …]");
    finding.hint("write the relation's operators as coefficients of their own").at(node.pointer.clone()).into()
}
