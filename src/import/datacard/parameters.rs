//! Parameters of a card: the signal strength, nuisance parameters, rate parameters.

use super::Problems;
use super::card::{Card, Kind, RateValue};
use super::formula::{Formulas, filled};
use crate::convert::{Parameter, Setting, file::Function};
use crate::expression::Expression;
use crate::finding::quote;
use crate::model::Constraint;
use crate::rule;
use std::collections::{HashMap, HashSet};

/// The signal strength and its range, as Combine's default model has it.
pub(super) const STRENGTH: &str = "r";
const STRENGTH_RANGE: (f64, f64) = (0.0, 20.0);

/// Of nuisance parameters. Combine writes ±4 for shapes, and then fits beyond it.
const NUISANCE_RANGE: (f64, f64) = (-7.0, 7.0);

/// The values that parameters and functions have at the start.
#[derive(Default)]
pub(super) struct Parameters {
    pub all: Vec<Parameter>,
    values: HashMap<String, f64>,
}

impl Parameters {
    pub fn add(&mut self, name: &str, value: f64, bounds: (f64, f64), constraint: Option<Constraint>) {
        self.values.insert(name.to_owned(), value);
        let setting = Setting { value, bounds, constant: false };
        self.all.push(Parameter { name: name.to_owned(), setting, constraint, range: None });
    }

    pub fn value(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or(1.0)
    }

    pub fn is_uniform(&self, name: &str) -> bool {
        self.all.iter().any(|p| p.name == name && p.constraint.is_none())
    }

    /// The range of a parameter.
    pub fn bounds(&self, name: &str) -> (f64, f64) {
        let own = self.all.iter().find(|p| p.name == name);
        own.map_or((f64::NEG_INFINITY, f64::INFINITY), |p| p.setting.bounds)
    }

    /// All that a card declares; formulas become functions.
    pub fn read(card: &Card, formulas: &mut Formulas, problems: &mut Problems) -> Parameters {
        let mut own = Parameters::default();
        let strength = formulas.define(STRENGTH);
        own.add(&strength, 1.0, STRENGTH_RANGE, None);
        own.nuisances(card, formulas, problems);
        for param in &card.params {
            let name = define(formulas, &param.name, param.line, problems);
            let four = (param.mean - 4.0 * param.sigma, param.mean + 4.0 * param.sigma);
            let constraint = Constraint::Gaussian { auxdata: param.mean, sigma: param.sigma };
            own.add(&name, param.mean, param.range.unwrap_or(four), Some(constraint));
        }
        own.rates(card, formulas, problems);
        own.functions(card, formulas, problems);
        own
    }

    fn nuisances(&mut self, card: &Card, formulas: &mut Formulas, problems: &mut Problems) {
        for systematic in &card.systematics {
            if formulas.of(&systematic.name).is_some() {
                // Of one name twice, told already; of the signal strength not.
                if systematic.name == STRENGTH {
                    problems.refuse(systematic.line, quote(STRENGTH), "another name: this is the signal strength");
                }
                continue;
            }
            let name = define(formulas, &systematic.name, systematic.line, problems);
            let unit = Some(Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 });
            match systematic.kind {
                Kind::LogNormal | Kind::Shape { uniform: false, .. } => self.add(&name, 0.0, NUISANCE_RANGE, unit),
                Kind::LogUniform | Kind::Shape { uniform: true, .. } => self.add(&name, 0.0, (-1.0, 1.0), None),
                Kind::Gamma(events) => {
                    let constraint = Constraint::Poisson { auxdata: events, factor: 1.0 };
                    self.add(&name, events + 1.0, gamma_range(events), Some(constraint));
                }
            }
        }
    }

    /// Free rate parameters; those with a line `param` are there already.
    fn rates(&mut self, card: &Card, formulas: &mut Formulas, problems: &mut Problems) {
        let mut first: HashMap<&str, &RateValue> = HashMap::new();
        for rate in &card.rate_params {
            if let Some(known) = first.get(rate.name.as_str()) {
                if !same(known, &rate.value) {
                    let found = format!("{} with another value or range than before", quote(&rate.name));
                    problems.refuse(rate.line, found, "the same in all lines of one rateParam");
                }
                continue;
            }
            first.insert(&rate.name, &rate.value);
            if formulas.of(&rate.name).is_some() {
                continue;
            }
            let name = define(formulas, &rate.name, rate.line, problems);
            if let RateValue::Free { value, range } = &rate.value {
                let bounds = range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                if !(bounds.0..=bounds.1).contains(value) {
                    problems.syntax(
                        rate.line,
                        format!("{} starts outside of its range", quote(&rate.name)),
                        "a value inside",
                    );
                }
                self.add(&name, *value, bounds, None);
            }
        }
    }

    /// Formulas, each after those that it uses.
    fn functions(&mut self, card: &Card, formulas: &mut Formulas, problems: &mut Problems) {
        let mut known: HashSet<String> = self.all.iter().map(|p| p.name.clone()).collect();
        let mut waiting: Vec<_> = card.rate_params.iter().collect();
        waiting.retain(|rate| matches!(rate.value, RateValue::Formula { .. }));
        let mut seen = HashSet::new();
        waiting.retain(|rate| seen.insert(rate.name.as_str()));
        loop {
            let before = waiting.len();
            waiting.retain(|rate| {
                let RateValue::Formula { formula, arguments } = &rate.value else { return false };
                let own: Option<Vec<String>> = arguments.iter().map(|a| formulas.of(a).cloned()).collect();
                let Some(own) = own.filter(|own| own.iter().all(|name| known.contains(name))) else { return true };
                let name = formulas.of(&rate.name).cloned().unwrap_or_default();
                if known.contains(&name) {
                    let found = format!("the formula of {}, which another line makes a parameter", quote(&rate.name));
                    problems.refuse(rate.line, found, "one of them");
                    return false;
                }
                match filled(formula, &own) {
                    Ok(text) => {
                        let value = self.evaluate(&text);
                        if !value.is_finite() {
                            let found = format!("{} with the value {value} at the start", quote(&rate.name));
                            problems.syntax(rate.line, found, "a number");
                        }
                        self.values.insert(name.clone(), value);
                        formulas.functions.push(Function::generic(name.clone(), text));
                    }
                    Err((found, expected)) => problems.refuse(rate.line, found, expected),
                }
                known.insert(name);
                false
            });
            if waiting.len() == before {
                break;
            }
        }
        for rate in waiting {
            let RateValue::Formula { arguments, .. } = &rate.value else { continue };
            let unknown = arguments.iter().find(|a| formulas.of(a).is_none_or(|name| !known.contains(name)));
            let found =
                format!("{} in the formula of {}", quote(unknown.map_or("", String::as_str)), quote(&rate.name));
            problems.syntax(
                rate.line,
                found,
                "parameters of this card, and formulas that do not use one another in a circle",
            );
        }
    }

    /// The value of a formula at the start.
    fn evaluate(&self, text: &str) -> f64 {
        let Ok(read) = Expression::parse(text) else { return f64::NAN };
        let values: Vec<f64> = read.names.iter().map(|name| self.value(name)).collect();
        read.value(&values)
    }

    /// Holds what `nuisance edit freeze` names.
    pub fn freeze(&mut self, card: &Card, formulas: &Formulas, problems: &mut Problems) {
        for (name, line) in &card.frozen {
            let own = formulas.of(name).and_then(|written| self.all.iter_mut().find(|p| p.name == *written));
            match own {
                Some(parameter) => parameter.setting.constant = true,
                None => problems.syntax(*line, quote(name), "a parameter of this card"),
            }
        }
    }
}

fn same(a: &RateValue, b: &RateValue) -> bool {
    match (a, b) {
        (RateValue::Free { value, range }, RateValue::Free { value: other, range: theirs }) => {
            value == other && range == theirs
        }
        (RateValue::Formula { formula, arguments }, RateValue::Formula { formula: other, arguments: theirs }) => {
            formula == other && arguments == theirs
        }
        _ => false,
    }
}

/// The written name of a parameter, told where it is another.
fn define(formulas: &mut Formulas, name: &str, line: usize, problems: &mut Problems) -> String {
    let written = formulas.define(name);
    if written != name {
        problems.add(
            &rule::CONVERT_RENAMED,
            line,
            quote(name),
            format!("the name {}, which formulas can hold", quote(&written)),
        );
    }
    written
}

/// Where a count of `events` has a probability of 10⁻¹², as Combine searches for it.
fn gamma_range(events: f64) -> (f64, f64) {
    let probability = |mean: f64| (events * mean.ln() - mean - libm::lgamma(events + 1.0)).exp();
    let mut low = if events > 0.0 { events + 1.0 } else { 0.0 };
    while low > 0.0 && probability(low) > 1e-12 {
        low *= 0.8;
    }
    let mut high = events + 1.0;
    while probability(high) > 1e-12 {
        high *= 1.2;
    }
    (low, high)
}
