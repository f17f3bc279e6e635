//! EFT responses: how the yields of a sample depend on Wilson coefficients (spec/eft.md).

pub mod events;
pub mod joint;
pub mod mc_statistics;
pub mod measurement;
pub mod minimum;
pub mod morphing;
pub mod polynomial;
pub mod rational;
pub mod unbinned;

pub use events::Events;
pub use polynomial::{Monomial, Polynomial};

use std::sync::Arc;

/// The response of one sample: a factor r_b on the rate of each bin, and the variance of that factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The scalar parameters (fit order) that the variables of the polynomials stand for.
    pub parameters: Vec<usize>,
    pub form: Form,
    /// Q_b(c): the variance of the response from the size of the simulated sample (spec/eft.md, eq. 12).
    pub variance: Option<Polynomial>,
}

/// How the factor is computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Π_a P_a^{p_a}; a single polynomial has one factor of power 1.
    Product(Vec<Factor>),
    /// Sums over events, for what does not sum to a polynomial.
    Events(Arc<Events>),
}

/// A polynomial to an integer power.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    pub polynomial: Polynomial,
    pub power: i32,
}

impl Response {
    /// Leaves the bins with a flag that is set.
    pub fn keep(&mut self, kept: &[bool]) {
        match &mut self.form {
            Form::Product(factors) => factors.iter_mut().for_each(|factor| factor.polynomial.keep(kept)),
            Form::Events(events) => *events = Arc::new(events.keep(kept)),
        }
        self.variance.iter_mut().for_each(|variance| variance.keep(kept));
    }
}
