//! Two likelihoods at the same points: their parameters are the same if their names are.

use super::{AsymptoticTest, FitOptions, Likelihood, LimitOptions, NoLimit, TestStatistic, fit, upper_limit};
use crate::kernel::Evaluator;
use crate::model::{Data, Model};
use crate::program::Program;
use std::collections::{HashMap, HashSet};

/// −2 ln L of both at one point; infinite out of domain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values {
    pub left: f64,
    pub right: f64,
}

/// Two likelihoods, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Scalar parameters that only one has; at a point of the other they are at their own start.
    pub only_left: Vec<String>,
    pub only_right: Vec<String>,
    pub at_left_start: Values,
    pub at_right_start: Values,
}

/// The fit of one likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub valid: bool,
    pub twice_nll: f64,
    /// Best value and uncertainty of the parameter of interest, where there is one.
    pub poi: Option<(f64, Option<f64>)>,
}

/// Both fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fits {
    pub left: Fitted,
    pub right: Fitted,
    /// The common parameter that moves most, measured by its uncertainty in the first fit.
    pub largest: Option<Moved>,
}

/// Upper limits of one likelihood on its parameter of interest: CLs at 95 % with q̃, observed and expected.
#[derive(Clone, Debug)]
pub struct Limits {
    pub observed: Result<f64, NoLimit>,
    pub expected: Result<f64, NoLimit>,
}

/// The best values of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    pub name: String,
    pub left: f64,
    pub right: f64,
    pub uncertainty: f64,
}

/// Fits both likelihoods.
pub fn fits(left: (&Model, &Data), right: (&Model, &Data)) -> Fits {
    let (a, b) = (Side::new(left), Side::new(right));
    let (mut fitted, mut best) = (Vec::new(), Vec::new());
    for side in [&a, &b] {
        let program = Program::compile(side.model);
        let data = program.prepare(side.data);
        let result = fit(&mut Evaluator::new(&program), &data, &FitOptions::new(side.model));
        let poi = side.model.poi.and_then(|poi| {
            let uncertainty = result.uncertainties.as_ref().and_then(|all| all.get(poi).copied());
            Some((*result.parameters.get(poi)?, uncertainty))
        });
        fitted.push(Fitted { valid: result.valid, twice_nll: result.twice_nll, poi });
        best.push((result.parameters, result.uncertainties.unwrap_or_default()));
    }
    let largest = match best.as_slice() {
        [(left, widths), (right, _)] => largest(&a.names, left, widths, &b.names, right),
        _ => None,
    };
    let none = || Fitted { valid: false, twice_nll: f64::NAN, poi: None };
    let mut fitted = fitted.into_iter();
    Fits { left: fitted.next().unwrap_or_else(none), right: fitted.next().unwrap_or_else(none), largest }
}

/// The upper limits of a likelihood; none without a parameter of interest.
pub fn limits((model, data): (&Model, &Data)) -> Option<Limits> {
    let program = Program::compile(model);
    let likelihood = Likelihood::new(&program, data, FitOptions::new(model));
    Some(match AsymptoticTest::new(likelihood, model.poi?, TestStatistic::QmuTilde) {
        Err(failure) => Limits { observed: Err(failure.clone().into()), expected: Err(failure.into()) },
        Ok(mut test) => {
            let limit = upper_limit(&mut test, &LimitOptions::default());
            let [_, _, expected, _, _] = limit.expected;
            Limits { observed: limit.observed, expected }
        }
    })
}

fn largest(names: &[String], left: &[f64], widths: &[f64], others: &[String], right: &[f64]) -> Option<Moved> {
    let values: HashMap<&str, f64> = others.iter().map(String::as_str).zip(right.iter().copied()).collect();
    let common = names.iter().zip(left).zip(widths).filter(|(_, width)| **width > 0.0);
    let moved = common.filter_map(|((name, left), width)| {
        let right = *values.get(name.as_str())?;
        Some(Moved { name: name.clone(), left: *left, right, uncertainty: *width })
    });
    moved.max_by(|a, b| a.pull().total_cmp(&b.pull()))
}

impl Moved {
    /// The distance in uncertainties.
    pub fn pull(&self) -> f64 {
        (self.right - self.left).abs() / self.uncertainty
    }
}

/// Evaluates both likelihoods at the starts of both.
pub fn at_starts(left: (&Model, &Data), right: (&Model, &Data)) -> Agreement {
    let (a, b) = (Side::new(left), Side::new(right));
    Agreement {
        only_left: a.lacking(&b),
        only_right: b.lacking(&a),
        at_left_start: Values { left: a.value(&a.start), right: b.value(&b.point(&a)) },
        at_right_start: Values { left: a.value(&a.point(&b)), right: b.value(&b.start) },
    }
}

struct Side<'m> {
    model: &'m Model,
    data: &'m Data,
    names: Vec<String>,
    start: Vec<f64>,
}

impl<'m> Side<'m> {
    fn new((model, data): (&'m Model, &'m Data)) -> Side<'m> {
        Side { model, data, names: model.parameter_names(), start: model.init() }
    }

    /// Its own names that the other lacks.
    fn lacking(&self, other: &Side) -> Vec<String> {
        let known: HashSet<&str> = other.names.iter().map(String::as_str).collect();
        self.names.iter().filter(|name| !known.contains(name.as_str())).cloned().collect()
    }

    /// The start of the other one in terms of the own parameters.
    fn point(&self, other: &Side) -> Vec<f64> {
        let values: HashMap<&str, f64> =
            other.names.iter().map(String::as_str).zip(other.start.iter().copied()).collect();
        let own = self.names.iter().zip(&self.start);
        own.map(|(name, start)| values.get(name.as_str()).copied().unwrap_or(*start)).collect()
    }

    fn value(&self, point: &[f64]) -> f64 {
        let program = Program::compile(self.model);
        let data = program.prepare(self.data);
        let mut point = point.to_vec();
        program.complete(&mut point);
        Evaluator::new(&program).twice_nll(&point, &data)
    }
}
