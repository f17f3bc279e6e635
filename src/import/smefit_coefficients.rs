//! The coefficients of a SMEFiT runcard: free ones, fixed ones, and those that others determine: sums, which are put into the
//! tables, and products of powers, which become relations of `parameter_transform`.

use super::node::Node;
use super::terms::Terms;
use super::wilson_coefficient;
use crate::document::eft::{Relation, RelationTerm, TransformParameter, TransformStep, WilsonCoefficient};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};

/// Bounds of a coefficient that has none in the runcard.
const DEFAULT_BOUNDS: [f64; 2] = [-1.0, 1.0];

/// What a document has of the coefficients.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub coefficients: Vec<WilsonCoefficient>,
    /// New parameters of the transform: couplings and masses.
    pub parameters: Vec<WilsonCoefficient>,
    pub relations: Vec<Relation>,
}

impl Used {
    /// The relations as a step; none without any.
    pub fn transform(parameters: Vec<WilsonCoefficient>, relations: Vec<Relation>) -> Vec<TransformStep> {
        let parameter = |own: WilsonCoefficient| TransformParameter {
            name: own.name,
            bounds: own.bounds,
            init: own.init,
            fixed: own.fixed,
        };
        let parameters = parameters.into_iter().map(parameter).collect();
        if relations.is_empty() {
            return Vec::new();
        }
        vec![TransformStep { parameters, relations, ..TransformStep::default() }]
    }
}

/// Operators of the runcard by name.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    /// Free or fixed at a value, sorted.
    own: BTreeMap<String, WilsonCoefficient>,
    /// Σ a_i c_i in the place of an operator.
    relations: BTreeMap<String, Vec<(String, f64)>>,
    /// Operators that are sums of other products, as coefficients, with their terms.
    products: BTreeMap<String, (WilsonCoefficient, Vec<RelationTerm>)>,
    /// Places in the runcard.
    places: BTreeMap<String, String>,
}

impl Coefficients {
    /// Reads `{name: {min, max, value, constrain, is_mass}}`.
    ///
    /// # Errors
    /// All findings: bounds that are no interval, fixed coefficients without a value, relations with powers that are no integers.
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
            if !["min", "max", "value", "constrain", "is_mass"].contains(&key) {
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
                let terms = relation(node)?;
                match linear(&terms) {
                    Some(sum) => self.relations.insert(name.to_owned(), sum).is_some(),
                    None => {
                        let start = bounds[0].max(0.0).min(bounds[1]);
                        let own = wilson_coefficient(name, bounds, start);
                        self.products.insert(name.to_owned(), (own, terms)).is_some()
                    }
                };
            }
        }
        Ok(())
    }

    /// Relations lead to coefficients that no relation determines.
    fn check_relations(&self, findings: &mut Findings) {
        let sums = self.relations.iter().map(|(name, sum)| (name, sum.iter().map(|(other, _)| other).collect()));
        let products = self.products.iter();
        let products =
            products.map(|(name, (_, terms))| (name, terms.iter().flat_map(|term| term.powers.keys()).collect()));
        let all: Vec<(&String, Vec<&String>)> = sums.chain(products).collect();
        for (name, others) in all {
            for other in others.into_iter().filter(|other| !self.own.contains_key(*other)) {
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
    pub fn used(self, in_tables: &BTreeSet<String>, warnings: &mut Findings) -> Used {
        let given: Vec<_> = self.products.iter().filter(|(name, _)| in_tables.contains(*name)).collect();
        let terms = given.iter().flat_map(|(_, (_, terms))| terms);
        let behind: BTreeSet<String> = terms.flat_map(|term| term.powers.keys()).cloned().collect();
        for name in self.places.keys().filter(|name| !in_tables.contains(*name) && !behind.contains(*name)) {
            let place = self.places.get(name).cloned().unwrap_or_default();
            let why = "no table of the chosen data sets and orders has it: no prediction depends on it";
            warnings.push(super::dropped(place, quote(name), why));
        }
        let used: BTreeSet<String> =
            in_tables.iter().flat_map(|name| self.sum_of(name)).map(|(name, _)| name).collect();
        let relations =
            given.iter().map(|(name, (_, terms))| Relation { coefficient: (*name).clone(), terms: terms.clone() });
        let relations: Vec<Relation> = relations.collect();
        let mut coefficients: Vec<WilsonCoefficient> = given.iter().map(|(_, (own, _))| own.clone()).collect();
        coefficients.extend(self.own.values().filter(|own| used.contains(&own.name)).cloned());
        coefficients.sort_by(|a, b| a.name.cmp(&b.name));
        let new = self.own.into_values().filter(|own| behind.contains(&own.name) && !used.contains(&own.name));
        let parameters = new.map(|own| outside_of_zero(own, &relations)).collect();
        Used { coefficients, parameters, relations }
    }
}

/// Bounds of a fixed parameter limit nothing; in a denominator they must not contain zero.
fn outside_of_zero(own: WilsonCoefficient, relations: &[Relation]) -> WilsonCoefficient {
    let powers = relations.iter().flat_map(|relation| &relation.terms).filter_map(|term| term.powers.get(&own.name));
    let is_below = powers.into_iter().any(|power| *power < 0);
    if own.fixed && is_below && own.init > 0.0 && own.bounds[0] <= 0.0 {
        return WilsonCoefficient { bounds: [0.5 * own.init, 2.0 * own.init], ..own };
    }
    own
}

/// a_1 c_1 + a_2 c_2 + …, if it is this.
fn linear(terms: &[RelationTerm]) -> Option<Vec<(String, f64)>> {
    let one = |term: &RelationTerm| match term.powers.iter().collect::<Vec<_>>()[..] {
        [(name, 1)] => Some((name.clone(), term.factor)),
        _ => None,
    };
    terms.iter().map(one).collect()
}

/// `{name: a, other: [b, n]}`, a product of a name and b otherⁿ, or a list of these, which are added up.
fn relation(node: &Node) -> Result<Vec<RelationTerm>> {
    let addends = if node.value.is_array() { node.items()? } else { vec![node.clone()] };
    let mut sum = Vec::new();
    for addend in addends {
        let members = if addend.value.is_object() { addend.members()? } else { Vec::new() };
        if members.is_empty() {
            return Err(no_relation(&addend, "no relation"));
        }
        let mut term = RelationTerm { factor: 1.0, powers: BTreeMap::new() };
        for (name, value) in members {
            let (factor, power) = match value.value.as_array().map(Vec::as_slice) {
                None => (value.number()?, 1),
                Some([_, power]) => {
                    let power = power.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= 100.0);
                    let power = power.ok_or_else(|| no_relation(&value, "a power that is no integer up to 100"))?;
                    (value.items()?.first().map_or(Ok(1.0), |item| item.number())?, power as i32)
                }
                Some(_) => return Err(no_relation(&value, "a list that is no [factor, power]")),
            };
            term.factor *= factor;
            if power != 0 {
                term.powers.insert((*name).to_owned(), power);
            }
        }
        sum.push(term);
    }
    if sum.is_empty() { Err(no_relation(node, "an empty list")) } else { Ok(sum) }
}

fn no_relation(node: &Node, found: &str) -> crate::finding::Findings {
    let expected = "sums of products, [{name: factor, other: [factor, integer power]}, …]";
    let finding = Finding::new(&rule::IMPORT_REFUSED, found, expected);
    finding.hint("write the relation's operators as coefficients of their own").at(node.pointer.clone()).into()
}
