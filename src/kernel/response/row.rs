//! The response of one row: value and variance of its bins, first and second derivatives by its variables.

use super::polynomial;
use super::product::{self, FactorScratch};
use crate::kernel::events;
use crate::kernel::simd::{Backend, Lanes, ZERO, flat, flat_mut};
use crate::program::{CompiledForm, CompiledPolynomial, RowResponse};

/// Everything that the response of one row writes. Lists of lanes have n_groups groups, n_bins values and padding.
#[derive(Clone, Debug)]
pub(crate) struct RowScratch {
    backend: Backend,
    /// The variables of the response at the point.
    pub variables: Vec<f64>,
    /// r and Q of each bin.
    pub value: Vec<Lanes>,
    pub variance: Vec<Lanes>,
    /// ∂f/∂r and ∂f/∂Q of each bin.
    pub by_value: Vec<Lanes>,
    pub by_variance: Vec<Lanes>,
    /// Σ_b of both times the first derivatives of r and Q (n_variables).
    pub first: Vec<f64>,
    /// The same of the second derivatives (n_variables²).
    pub second: Vec<f64>,
    /// ∂r/∂c_i and ∂Q/∂c_i (n_variables × n_groups).
    pub jacobian: Vec<Lanes>,
    pub variance_jacobian: Vec<Lanes>,
    /// Room: φ and totals of the largest polynomial, and sums in lanes.
    phi: Vec<f64>,
    totals: Vec<f64>,
    sums: Vec<Lanes>,
    factor_weight: Vec<Lanes>,
    factors: Vec<FactorScratch>,
}

impl RowScratch {
    pub fn new(response: &RowResponse, backend: Backend) -> RowScratch {
        let groups = response.n_bins.div_ceil(8);
        let n = response.parameters.len();
        let polynomials = response.polynomials();
        let most = polynomials.map(CompiledPolynomial::n_monomials).max().unwrap_or(0);
        let uncertain = if response.variance.is_some() { groups } else { 0 };
        let factors = match &response.form {
            CompiledForm::Product(factors) => factors.iter().map(|(p, _)| FactorScratch::new(p)).collect(),
            CompiledForm::Events(_) => Vec::new(),
        };
        RowScratch {
            backend,
            variables: vec![0.0; n],
            value: vec![ZERO; groups],
            variance: vec![ZERO; uncertain],
            by_value: vec![ZERO; groups],
            by_variance: vec![ZERO; uncertain],
            first: vec![0.0; n],
            second: vec![0.0; n * n],
            jacobian: vec![ZERO; n * groups],
            variance_jacobian: vec![ZERO; n * uncertain],
            phi: vec![0.0; most],
            totals: vec![0.0; most],
            sums: vec![ZERO; most],
            factor_weight: vec![ZERO; groups],
            factors,
        }
    }

    /// r and Q of all bins at a point of all parameters.
    pub fn evaluate(&mut self, response: &RowResponse, theta: &[f64]) {
        for (variable, &parameter) in self.variables.iter_mut().zip(&response.parameters) {
            *variable = theta[parameter as usize];
        }
        match &response.form {
            CompiledForm::Product(factors) => match &factors[..] {
                [(polynomial, 1)] => {
                    polynomial::monomials(polynomial, &self.variables, &mut self.phi);
                    polynomial::evaluate(self.backend, polynomial, &self.phi, &mut self.value);
                }
                factors => {
                    product::set_values(self.backend, factors, &self.variables, &mut self.phi, &mut self.factors);
                    product::evaluate(factors, &self.factors, &mut self.value);
                }
            },
            CompiledForm::Events(events) => {
                events::values(self.backend, events, &self.variables, flat_mut(&mut self.value));
            }
        }
        if let Some(variance) = &response.variance {
            polynomial::monomials(variance, &self.variables, &mut self.phi);
            polynomial::evaluate(self.backend, variance, &self.phi, &mut self.variance);
        }
    }

    /// `first` from `by_value` and `by_variance`.
    pub fn gradient(&mut self, response: &RowResponse) {
        self.first.fill(0.0);
        match &response.form {
            CompiledForm::Product(factors) => {
                for (a, (polynomial, _)) in factors.iter().enumerate() {
                    self.sum_factor(factors, a, response.n_bins);
                    polynomial::add_first(polynomial, &self.totals, &self.variables, &mut self.first);
                }
            }
            CompiledForm::Events(events) => {
                events::add_first(self.backend, events, &self.variables, flat(&self.by_value), &mut self.first);
            }
        }
        if let Some(variance) = &response.variance {
            self.sum_variance(variance);
            polynomial::add_first(variance, &self.totals, &self.variables, &mut self.first);
        }
    }

    /// `jacobian` and `variance_jacobian`.
    pub fn jacobians(&mut self, response: &RowResponse) {
        let RowScratch { backend, variables, jacobian, factors: scratch, .. } = self;
        match &response.form {
            CompiledForm::Product(factors) => match &factors[..] {
                [(polynomial, 1)] => polynomial::jacobian(*backend, polynomial, variables, jacobian),
                factors => {
                    for ((polynomial, _), scratch) in factors.iter().zip(scratch.iter_mut()) {
                        polynomial::jacobian(*backend, polynomial, variables, &mut scratch.jacobian);
                    }
                    jacobian.fill(ZERO);
                    let stride = 8 * response.n_bins.div_ceil(8);
                    for a in 0..factors.len() {
                        for bin in 0..response.n_bins {
                            let derivative = product::first(factors, scratch, a, bin);
                            for i in 0..variables.len() {
                                let of_factor = flat(&scratch[a].jacobian)[i * stride + bin];
                                flat_mut(jacobian)[i * stride + bin] += derivative * of_factor;
                            }
                        }
                    }
                }
            },
            CompiledForm::Events(events) => events::jacobian(*backend, events, variables, flat_mut(jacobian)),
        }
        if let Some(variance) = &response.variance {
            polynomial::jacobian(*backend, variance, variables, &mut self.variance_jacobian);
        }
    }

    /// `second` from `by_value` and `by_variance`, after `jacobians`.
    pub fn hessian(&mut self, response: &RowResponse) {
        self.second.fill(0.0);
        match &response.form {
            CompiledForm::Product(factors) => {
                for (a, (polynomial, _)) in factors.iter().enumerate() {
                    self.sum_factor(factors, a, response.n_bins);
                    polynomial::add_second(polynomial, &self.totals, &self.variables, &mut self.second);
                }
                if !factors_are_one_polynomial(factors) {
                    product::add_crossed(factors, &self.factors, &self.by_value, response.n_bins, &mut self.second);
                }
            }
            CompiledForm::Events(events) => {
                events::add_second(self.backend, events, &self.variables, flat(&self.by_value), &mut self.second);
            }
        }
        if let Some(variance) = &response.variance {
            self.sum_variance(variance);
            polynomial::add_second(variance, &self.totals, &self.variables, &mut self.second);
        }
    }

    /// Σ_b ∂f/∂P_ab A_kb of the monomials of factor a to `totals`.
    fn sum_factor(&mut self, factors: &product::Factors, a: usize, n_bins: usize) {
        let single = factors_are_one_polynomial(factors);
        if !single {
            for bin in 0..n_bins {
                let derivative = product::first(factors, &self.factors, a, bin);
                flat_mut(&mut self.factor_weight)[bin] = flat(&self.by_value)[bin] * derivative;
            }
        }
        let y = if single { &self.by_value } else { &self.factor_weight };
        polynomial::adjoint(self.backend, &factors[a].0, y, &mut self.sums, &mut self.totals);
    }

    /// Σ_b ∂f/∂Q_b V_kb of the monomials of the variance to `totals`.
    fn sum_variance(&mut self, variance: &CompiledPolynomial) {
        polynomial::adjoint(self.backend, variance, &self.by_variance, &mut self.sums, &mut self.totals);
    }
}

fn factors_are_one_polynomial(factors: &product::Factors) -> bool {
    matches!(factors, [(_, 1)])
}

impl RowResponse {
    fn polynomials(&self) -> impl Iterator<Item = &CompiledPolynomial> {
        let factors = match &self.form {
            CompiledForm::Product(factors) => &factors[..],
            CompiledForm::Events(_) => &[],
        };
        factors.iter().map(|(polynomial, _)| polynomial).chain(&self.variance)
    }
}
