//! The promise that no weight is negative inside the bounds of the coefficients (spec/event-database.md, "Signs").

use super::columns::Batch;
use super::declaration::Columns;
use super::open::Database;
use crate::document::eft::{Eft, EventWeights, NoTruncation, Positivity, Truncation};
use crate::event_database::weights::Weights;
use crate::finding::{Result, number};
use crate::model::eft::minimum::{MOST_FACES as MOST_SEARCHED, minimum};
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;
use nalgebra::DMatrix;

/// Relative to the largest value that the weight of a row could have in the box if nothing cancelled.
const TOLERANCE: f64 = 1e-9;
/// The same where a column is float32.
const TOLERANCE_FLOAT32: f64 = 1e-5;

/// Checks every row of a database whose declaration promises positivity.
pub fn check(database: &Database, eft: &Eft) -> Result<()> {
    let Some(mut promise) = Promise::new(database, eft, &database.declaration.weights)? else { return Ok(()) };
    let columns = promise.columns.0.clone();
    database.read(&columns, |batch| promise.check(database, batch))
}

/// What a declaration promises of the weights of each row.
#[derive(Debug)]
pub struct Promise {
    pub columns: Columns,
    weights: Weights,
    search: LeastWeight,
    tolerance: f64,
    /// The coefficients of one row.
    a: Vec<f64>,
}

impl Promise {
    /// The promise of a database, of which `weights` are a part that may have more columns than its file; none where the
    /// declaration promises nothing.
    pub fn new(database: &Database, eft: &Eft, weights: &EventWeights) -> Result<Option<Promise>> {
        if database.declaration.positivity == Positivity::Allow {
            return Ok(None);
        }
        let mut columns = Columns::default();
        let weights = Weights::new(eft, weights, Truncation::None(NoTruncation::None), &mut columns)?;
        let Some(search) = LeastWeight::new(eft, &weights) else {
            let found = "weights of a degree above 2, whose sign is not checked";
            return Err(database.finding(&rule::EVENT_NEGATIVE, found, "weights of degree 2").into());
        };
        let narrow = columns.0.iter().any(|c| database.columns().iter().any(|(n, t)| *n == c.name && t == "Float32"));
        let tolerance = if narrow { TOLERANCE_FLOAT32 } else { TOLERANCE };
        let a = vec![0.0; weights.monomials.len()];
        Ok(Some(Promise { columns, weights, search, tolerance, a }))
    }

    /// Checks the rows of a batch that has the columns of the promise.
    pub fn check(&mut self, database: &Database, batch: &Batch) -> Result<()> {
        for row in 0..batch.n_rows {
            self.weights.fill(batch, row, &mut self.a);
            let found = match self.search.sign(&self.a, self.tolerance) {
                Sign::Positive => continue,
                Sign::Negative(least, at) => {
                    let at = self.weights.variables.iter().zip(&at).map(|(name, x)| format!("{name} = {}", number(*x)));
                    format!("a weight of {} at {}", number(least), at.collect::<Vec<_>>().join(", "))
                }
                Sign::Unknown => {
                    format!("a weight that is negative somewhere, and more than {MOST_SEARCHED} coefficients")
                }
            };
            let found = format!("{found}, in row {} (from 0)", batch.first_row + row as u64);
            let expected = "weights of at least 0 inside the bounds of the coefficients";
            return Err(database.finding(&rule::EVENT_NEGATIVE, found, expected).into());
        }
        Ok(())
    }
}

/// What is known of the sign of a weight in the box.
#[derive(Clone, Debug, PartialEq)]
pub enum Sign {
    /// Not below zero by more than the tolerance.
    Positive,
    /// Its least value, and where.
    Negative(f64, Vec<f64>),
    Unknown,
}

/// The least value of quadratic polynomials in the box of the coefficients.
#[derive(Clone, Debug)]
pub struct LeastWeight {
    monomials: Vec<Monomial>,
    bounds: Vec<[f64; 2]>,
}

impl LeastWeight {
    /// In the box of the coefficients of the document.
    fn new(eft: &Eft, weights: &Weights) -> Option<LeastWeight> {
        let bounds = |name: &String| eft.wilson_coefficients.iter().find(|c| c.name == *name).map(|c| c.bounds);
        let bounds: Option<Vec<[f64; 2]>> = weights.variables.iter().map(bounds).collect();
        LeastWeight::of(&weights.monomials, &bounds?)
    }

    /// In a box with bounds for every variable of the monomials; `None` above degree 2.
    pub fn of(monomials: &[Monomial], bounds: &[[f64; 2]]) -> Option<LeastWeight> {
        let fits = |m: &Monomial| m.len() <= 2 && m.iter().all(|i| (*i as usize) < bounds.len());
        let all = monomials.iter().all(fits);
        all.then(|| LeastWeight { monomials: monomials.to_vec(), bounds: bounds.to_vec() })
    }

    /// The sign of Σ_k a_k φ_k. A form that is nowhere negative is recognised by its matrix; else the box is searched.
    pub fn sign(&self, a: &[f64], tolerance: f64) -> Sign {
        let radius = |i: &u32| self.bounds.get(*i as usize).map_or(f64::NAN, |[low, high]| low.abs().max(high.abs()));
        let scale: f64 =
            self.monomials.iter().zip(a).map(|(m, a)| a.abs() * m.iter().map(radius).product::<f64>()).sum();
        let lift = tolerance * scale;
        let matrix = self.matrix(a);
        let n = self.bounds.len();
        let scaled = DMatrix::from_fn(n + 1, n + 1, |i, j| {
            let factor = |i: usize| if i == 0 { 1.0 } else { radius(&u32::try_from(i - 1).unwrap_or(u32::MAX)) };
            matrix[(i, j)] * factor(i) * factor(j) + if i == j { lift / (n + 1) as f64 } else { 0.0 }
        });
        if scale == 0.0 || scaled.cholesky().is_some() {
            return Sign::Positive;
        }
        match self.least(a) {
            None => Sign::Unknown,
            Some((least, at)) if least < -lift => Sign::Negative(least, at),
            Some(_) => Sign::Positive,
        }
    }

    /// The symmetric matrix M of the form (1, c)ᵀ M (1, c).
    fn matrix(&self, a: &[f64]) -> DMatrix<f64> {
        let mut matrix = DMatrix::zeros(self.bounds.len() + 1, self.bounds.len() + 1);
        for (monomial, a) in self.monomials.iter().zip(a) {
            let place = |k: usize| monomial.get(k).map_or(0, |i| *i as usize + 1);
            let (i, j) = (place(0), place(1));
            matrix[(i, j)] += 0.5 * a;
            matrix[(j, i)] += 0.5 * a;
        }
        matrix
    }

    /// The least value in the box and where it is, for up to [`MOST_SEARCHED`] coefficients.
    pub fn least(&self, a: &[f64]) -> Option<(f64, Vec<f64>)> {
        if self.bounds.len() > MOST_SEARCHED {
            return None;
        }
        let terms = self.monomials.iter().cloned().zip(a.iter().map(|a| vec![*a]));
        let bounds: Vec<(f64, f64)> = self.bounds.iter().map(|[low, high]| (*low, *high)).collect();
        let least = minimum(&Polynomial::from_terms(1, terms), 0, &bounds);
        Some((least.value, least.point))
    }
}
