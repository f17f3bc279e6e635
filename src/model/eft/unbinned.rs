//! Unbinned terms: an extended likelihood of single events (spec/unbinned.md, eq. 1).

use super::laurent::Laurent;
use super::polynomial::monomial_value;
use super::{Monomial, Polynomial};
use std::sync::Arc;

/// −ln L = Σ_k N_k − Σ_i s_i ln I_i + const, with the intensity I_i = Σ_k m_k W_ik of event i.
#[derive(Clone, Debug, PartialEq)]
pub struct UnbinnedTerm {
    pub name: String,
    /// The scalar parameters (fit order) on which it depends.
    pub parameters: Vec<usize>,
    /// Those that are Wilson coefficients, or give some.
    pub coefficients: Vec<usize>,
    /// What the variables of its rows stand for.
    pub variables: Vec<Variable>,
    pub components: Vec<Component>,
    /// s of the observed events, which are the first rows of all densities.
    pub observed: Vec<f64>,
    /// Weights of the reference events, the other rows; their sum is one. Empty without reference.
    pub reference: Vec<f64>,
}

/// A variable of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Variable {
    /// A scalar parameter (fit order).
    Parameter(usize),
    /// A coefficient that scalar parameters (fit order) give.
    Given(Laurent),
}

/// A process: its yields and its part of the density.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    pub name: String,
    /// Its ratio is one of yields, whose mean is not one.
    pub follows_yields: bool,
    /// N, the expected number of events.
    pub total: RowSum,
    /// What multiplies the density: the total where there is nothing else.
    pub multiplier: Option<RowSum>,
    /// What divides it: the mean over the reference events.
    pub divisor: Option<RowSum>,
    /// What the ratio of each row is multiplied by: the component's density at the reference point.
    pub base: Vec<f64>,
    /// W of all rows; several for the mean of logarithms, which has one component only.
    pub densities: Vec<Arc<EventRows>>,
}

/// Numbers W_i = w_i(x) Π f_i(x) in the variables of a term: a polynomial a row, and factors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRows {
    /// A "bin" of the polynomial is a row.
    pub polynomial: Polynomial,
    pub factors: Vec<RowFactor>,
}

/// A factor of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowFactor {
    /// 1 + x a_i
    Linear { variable: u32, column: Vec<f64> },
    /// exp(a_i Π x) with a monomial of degree 1 or 2.
    Exponential { monomial: Monomial, column: Vec<f64> },
}

/// Σ_i y_i W_i
#[derive(Clone, Debug, PartialEq)]
pub struct RowSum {
    pub rows: Arc<EventRows>,
    pub weights: Vec<f64>,
}

impl Variable {
    /// At a point of all parameters; NaN where one is missing.
    pub fn value(&self, point: &[f64]) -> f64 {
        match self {
            Variable::Parameter(i) => point.get(*i).copied().unwrap_or(f64::NAN),
            Variable::Given(expression) => expression.value(point),
        }
    }
}

impl UnbinnedTerm {
    /// The values of its variables at a point of all parameters.
    pub fn values(&self, point: &[f64]) -> Vec<f64> {
        self.variables.iter().map(|variable| variable.value(point)).collect()
    }

    /// The same with given coefficients at zero, whatever gives them.
    pub fn without_given(&self) -> UnbinnedTerm {
        let zero = |variable: &Variable| match variable {
            Variable::Parameter(i) => Variable::Parameter(*i),
            Variable::Given(_) => Variable::Given(Laurent::zero()),
        };
        UnbinnedTerm { variables: self.variables.iter().map(zero).collect(), ..self.clone() }
    }

    pub fn n_rows(&self) -> usize {
        self.observed.len() + self.reference.len()
    }

    /// The weights of all rows where the observed events are the data.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        self.observed.iter().copied().chain(self.reference.iter().map(|_| 0.0))
    }
}

impl EventRows {
    pub fn n_rows(&self) -> usize {
        self.polynomial.n_bins
    }

    /// W of all rows, NaN where a variable is missing.
    pub fn evaluate(&self, variables: &[f64]) -> Vec<f64> {
        let mut values = self.polynomial.evaluate(variables);
        for factor in &self.factors {
            match factor {
                RowFactor::Linear { variable, column } => {
                    let x = variables.get(*variable as usize).copied().unwrap_or(f64::NAN);
                    values.iter_mut().zip(column).for_each(|(value, a)| *value *= 1.0 + x * a);
                }
                RowFactor::Exponential { monomial, column } => {
                    let x = monomial_value(monomial, variables);
                    values.iter_mut().zip(column).for_each(|(value, a)| *value *= (x * a).exp());
                }
            }
        }
        values
    }

    /// Some of the rows, in the given order.
    pub fn gather(&self, rows: &[usize]) -> EventRows {
        let column = |from: &[f64]| -> Vec<f64> { rows.iter().filter_map(|i| from.get(*i)).copied().collect() };
        let coefficients = self.polynomial.terms().flat_map(|(_, a)| column(a)).collect();
        let factor = |factor: &RowFactor| match factor {
            RowFactor::Linear { variable, column: a } => RowFactor::Linear { variable: *variable, column: column(a) },
            RowFactor::Exponential { monomial, column: a } => {
                RowFactor::Exponential { monomial: monomial.clone(), column: column(a) }
            }
        };
        EventRows {
            polynomial: Polynomial { monomials: self.polynomial.monomials.clone(), coefficients, n_bins: rows.len() },
            factors: self.factors.iter().map(factor).collect(),
        }
    }
}

impl RowSum {
    /// Its value.
    pub fn evaluate(&self, variables: &[f64]) -> f64 {
        self.rows.evaluate(variables).iter().zip(&self.weights).map(|(w, y)| w * y).sum()
    }

    /// One number that depends on nothing but the variables of a polynomial and factors.
    pub fn single(rows: EventRows) -> RowSum {
        RowSum { rows: Arc::new(rows), weights: vec![1.0] }
    }

    /// The same sum over one row, where no factor acts on single rows.
    pub fn condensed(self) -> RowSum {
        if !self.rows.factors.is_empty() {
            return self;
        }
        let sum = |a: &[f64]| vec![a.iter().zip(&self.weights).map(|(a, y)| a * y).sum::<f64>()];
        let terms = self.rows.polynomial.terms().map(|(monomial, a)| (monomial.clone(), sum(a)));
        let polynomial = Polynomial::from_terms(1, terms);
        RowSum::single(EventRows { polynomial, factors: Vec::new() })
    }

    /// Times factors and a polynomial of one row.
    pub fn times(self, factors: &[RowFactor], polynomial: &Polynomial) -> RowSum {
        let n = self.rows.n_rows();
        let all = |column: &[f64]| vec![column.first().copied().unwrap_or(f64::NAN); n];
        let factor = |factor: &RowFactor| match factor {
            RowFactor::Linear { variable, column } => RowFactor::Linear { variable: *variable, column: all(column) },
            RowFactor::Exponential { monomial, column } => {
                RowFactor::Exponential { monomial: monomial.clone(), column: all(column) }
            }
        };
        let by = Polynomial::from_terms(n, polynomial.terms().map(|(monomial, a)| (monomial.clone(), all(a))));
        let own = self.rows.factors.iter().cloned();
        let rows = EventRows {
            polynomial: self.rows.polynomial.product(&by),
            factors: own.chain(factors.iter().map(factor)).collect(),
        };
        RowSum { rows: Arc::new(rows), weights: self.weights }
    }
}
