//! The transform of the block: coefficients that other parameters give, put into responses and means
//! (spec/parameter-transform.md).

use crate::document::eft::{Eft, TransformStep};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::eft::laurent::{Laurent, SubstitutionError};
use crate::model::eft::{Events, Factor, Form, Polynomial, Response};
use crate::model::{Derived, ParameterSet, Part};
use crate::rule;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Coefficients by the number that stands for each of them in a response, with what gives it in terms of parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transform {
    names: Vec<String>,
    bounds: Vec<(f64, f64)>,
    given: BTreeMap<u32, Laurent>,
}

/// The coefficients that steps give are numbered behind all parameters.
pub(crate) fn number_given<'w>(eft: &'w Eft, n_parameters: usize, ranges: &mut HashMap<&'w str, Range<usize>>) {
    let given = eft.given();
    let names = eft.wilson_coefficients.iter().map(|c| c.name.as_str()).filter(|name| given.contains(name));
    for (k, name) in names.enumerate() {
        ranges.insert(name, n_parameters + k..n_parameters + k + 1);
    }
}

impl Transform {
    /// `ranges` has the parameters and, behind them, the given coefficients.
    ///
    /// # Errors
    /// `InvalidEft` for relations that do not compose, and for bounds of a measurement that a negative power forbids.
    pub fn new(eft: &Eft, sets: &[ParameterSet], ranges: &HashMap<&str, Range<usize>>) -> Result<Transform> {
        let mut transform = Transform::default();
        let steps = &eft.parameter_transform;
        if steps.is_empty() {
            return Ok(transform);
        }
        let given = eft.given();
        let mut numbers = Numbers::new(ranges);
        let steps =
            steps.iter().map(|step| expressions(step, &mut numbers)).collect::<std::result::Result<Vec<_>, _>>();
        let steps = steps.map_err(|error| impossible(&error))?;
        for coefficient in eft.wilson_coefficients.iter().filter(|c| given.contains(c.name.as_str())) {
            let number = numbers.of(&coefficient.name);
            let composed = steps.iter().try_fold(Laurent::variable(number), Laurent::substituted);
            let expression = composed.map_err(|error| impossible(&error))?;
            check_bounds(&expression, sets, &coefficient.name)?;
            transform.names.push(coefficient.name.clone());
            transform.bounds.push((coefficient.bounds[0], coefficient.bounds[1]));
            transform.given.insert(number, expression);
        }
        Ok(transform)
    }

    /// What gives the coefficient of a number; `None` for the number of a parameter.
    pub fn expression(&self, number: usize) -> Option<&Laurent> {
        self.given.get(&(number as u32))
    }

    /// The given coefficients as functions of the parameters.
    pub fn derived(&self) -> Vec<Derived> {
        let named = self.names.iter().zip(&self.bounds).zip(self.given.values());
        let one = |((name, bounds), expression): ((&String, &(f64, f64)), &Laurent)| Derived {
            name: name.clone(),
            bounds: *bounds,
            expression: expression.clone(),
        };
        named.map(one).collect()
    }

    /// The same part in terms of parameters.
    pub fn of_part(&self, part: Part) -> std::result::Result<Part, SubstitutionError> {
        let response = part.response.map(|response| self.of_response(response)).transpose()?;
        Ok(Part { response, ..part })
    }

    /// The same response in terms of parameters.
    pub fn of_response(&self, response: Response) -> std::result::Result<Response, SubstitutionError> {
        if !response.parameters.iter().any(|number| self.given.contains_key(&(*number as u32))) {
            return Ok(response);
        }
        let to: Vec<u32> = response.parameters.iter().map(|number| *number as u32).collect();
        let variance = response.variance.map(|variance| self.polynomial(&variance, &to)).transpose()?;
        let form = match response.form {
            Form::Product(factors) => Form::Product(self.product(&factors, &to)?),
            Form::Events(events) => Form::Events(Arc::new(self.events(&events, &to)?)),
        };
        Ok(numbered(form, variance))
    }

    fn substituted(&self, polynomial: &Polynomial, to: &[u32]) -> std::result::Result<Laurent, SubstitutionError> {
        Laurent::from_polynomial(&polynomial.renamed(to))?.substituted(&self.given)
    }

    /// What stays a polynomial.
    fn polynomial(&self, polynomial: &Polynomial, to: &[u32]) -> std::result::Result<Polynomial, SubstitutionError> {
        let reduced = self.substituted(polynomial, to)?.reduced()?;
        if reduced.denominators.is_empty() { Ok(reduced.polynomial) } else { Err(SubstitutionError::NegativePower) }
    }

    /// Negative powers become factors of their own.
    fn product(&self, factors: &[Factor], to: &[u32]) -> std::result::Result<Vec<Factor>, SubstitutionError> {
        let mut product = Vec::with_capacity(factors.len());
        let mut powers: BTreeMap<u32, i32> = BTreeMap::new();
        let n_bins = factors.first().map_or(0, |factor| factor.polynomial.n_bins);
        for factor in factors {
            let reduced = self.substituted(&factor.polynomial, to)?.reduced()?;
            for (variable, n) in reduced.denominators {
                let power = n.checked_mul(-factor.power).ok_or(SubstitutionError::TooLarge)?;
                let sum = powers.entry(variable).or_insert(0);
                *sum = sum.checked_add(power).ok_or(SubstitutionError::TooLarge)?;
            }
            product.push(Factor { polynomial: reduced.polynomial, power: factor.power });
        }
        for (variable, power) in powers.into_iter().filter(|(_, power)| *power != 0) {
            let polynomial = Polynomial::from_terms(n_bins, [(vec![variable], vec![1.0; n_bins])]);
            product.push(Factor { polynomial, power });
        }
        Ok(product)
    }

    /// The weights of events are polynomials with a bin for each event.
    fn events(&self, events: &Events, to: &[u32]) -> std::result::Result<Events, SubstitutionError> {
        let terms = events.monomials.iter().cloned().zip(events.columns.iter().cloned());
        let weights = self.polynomial(&Polynomial::from_terms(events.n_events(), terms), to)?;
        let mut own = events.clone().renamed(to);
        own.columns = weights.terms().map(|(_, column)| column.to_vec()).collect();
        own.monomials = weights.monomials;
        Ok(own)
    }
}

/// Numbers of parameters become the variables 0, 1, … of a response.
fn numbered(form: Form, variance: Option<Polynomial>) -> Response {
    let mut used: Vec<u32> = match &form {
        Form::Product(factors) => factors.iter().flat_map(|f| &f.polynomial.monomials).flatten().copied().collect(),
        Form::Events(events) => {
            let of_factors = events.systematics.iter().map(|factor| factor.variable);
            events.monomials.iter().flatten().copied().chain(of_factors).collect()
        }
    };
    used.extend(variance.iter().flat_map(|variance| &variance.monomials).flatten());
    used.sort_unstable();
    used.dedup();
    let mut to = vec![0; used.last().map_or(0, |last| *last as usize + 1)];
    (0u32..).zip(&used).for_each(|(variable, number)| to[*number as usize] = variable);
    let form = match form {
        Form::Product(factors) => {
            let own = |factor: Factor| Factor { polynomial: factor.polynomial.renamed(&to), power: factor.power };
            Form::Product(factors.into_iter().map(own).collect())
        }
        Form::Events(events) => Form::Events(Arc::new(Arc::unwrap_or_clone(events).renamed(&to))),
    };
    let variance = variance.map(|variance| variance.renamed(&to));
    Response { parameters: used.into_iter().map(|number| number as usize).collect(), form, variance }
}

/// Numbers of names: parameters and given coefficients have theirs, parameters of steps that later steps give get new
/// ones.
struct Numbers<'n> {
    ranges: &'n HashMap<&'n str, Range<usize>>,
    next: u32,
    between: HashMap<String, u32>,
}

impl<'n> Numbers<'n> {
    fn new(ranges: &'n HashMap<&'n str, Range<usize>>) -> Numbers<'n> {
        let next = ranges.values().map(|range| range.end).max().unwrap_or(0) as u32;
        Numbers { ranges, next, between: HashMap::new() }
    }

    fn of(&mut self, name: &str) -> u32 {
        if let Some(range) = self.ranges.get(name) {
            return range.start as u32;
        }
        if let Some(number) = self.between.get(name) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        self.between.insert(name.to_owned(), number);
        number
    }
}

/// What a step gives, by number.
fn expressions(
    step: &TransformStep,
    numbers: &mut Numbers,
) -> std::result::Result<BTreeMap<u32, Laurent>, SubstitutionError> {
    let mut all = BTreeMap::new();
    if let Some(linear) = &step.linear {
        let columns: Vec<u32> = linear.parameters.iter().map(|name| numbers.of(name)).collect();
        for (i, (name, row)) in linear.coefficients.iter().zip(&linear.matrix).enumerate() {
            let offset =
                linear.offset.get(i).copied().filter(|offset| *offset != 0.0).map(|offset| (Vec::new(), offset));
            let moving = columns.iter().zip(row).filter(|(_, a)| **a != 0.0).map(|(p, a)| (vec![(*p, 1)], *a));
            all.insert(numbers.of(name), Laurent::scalar(offset.into_iter().chain(moving))?);
        }
    }
    for relation in &step.relations {
        let mut terms = Vec::with_capacity(relation.terms.len());
        for term in &relation.terms {
            terms.push((term.powers.iter().map(|(name, n)| (numbers.of(name), *n)).collect(), term.factor));
        }
        all.insert(numbers.of(&relation.coefficient), Laurent::scalar(terms)?);
    }
    Ok(all)
}

pub(crate) fn impossible(error: &SubstitutionError) -> Findings {
    let expected = "relations whose substitution is a product of polynomials and powers";
    Finding::new(&rule::EFT_RESPONSE, error.to_string(), expected).at("/eft/parameter_transform").into()
}

/// A measurement may have replaced the bounds that the block declares.
fn check_bounds(expression: &Laurent, sets: &[ParameterSet], name: &str) -> Result<()> {
    let scalars: Vec<(&ParameterSet, usize)> = sets.iter().flat_map(|s| (0..s.len()).map(move |k| (s, k))).collect();
    for (powers, _) in expression.terms() {
        for (variable, _) in powers.iter().filter(|(_, power)| *power < 0) {
            let Some((set, k)) = scalars.get(*variable as usize) else { continue };
            if set.bounds.get(*k).is_some_and(|(low, _)| *low <= 0.0) {
                let found = format!(
                    "{} to a negative power in {}, with a lower bound not above 0",
                    quote(&set.name),
                    quote(name)
                );
                let finding = Finding::new(&rule::TRANSFORM_POWER, found, "bounds above 0");
                return Err(finding.at("/eft/parameter_transform").into());
            }
        }
    }
    Ok(())
}
