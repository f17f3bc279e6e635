//! Sums of products of integer powers of either sign, and what becomes of polynomials whose variables are such sums
//! (spec/parameter-transform.md, "Substitution").

use super::{Monomial, Polynomial};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Most products of two terms that one substitution may take, and of coefficients.
const MOST_PRODUCTS: Budget = Budget { terms: 1 << 22, coefficients: 1 << 33 };
/// Most numbers that it may hold.
const MOST_NUMBERS: usize = 1 << 28;
/// What a term costs beside its coefficients, in numbers.
const TERM: usize = 128;

/// What may still be done.
#[derive(Clone, Copy, Debug)]
struct Budget {
    terms: u64,
    coefficients: u64,
}

impl Budget {
    /// A product of two terms of so many bins.
    fn spend(&mut self, n_bins: usize) -> Result<(), SubstitutionError> {
        let left = (self.terms.checked_sub(1), self.coefficients.checked_sub(n_bins as u64));
        let (Some(terms), Some(coefficients)) = left else { return Err(SubstitutionError::TooLarge) };
        *self = Budget { terms, coefficients };
        Ok(())
    }
}

/// A product of powers: variables ascending, no power zero.
type Powers = Vec<(u32, i32)>;

/// Σ a Π x^n with a coefficient for each bin, each product once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Laurent {
    terms: BTreeMap<Powers, Vec<f64>>,
    n_bins: usize,
}

/// Why a substitution cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubstitutionError {
    /// More terms than a document can be worth.
    TooLarge,
    /// A sum to a negative power.
    InverseOfSum,
    /// Negative powers are left where only a polynomial can be.
    NegativePower,
}

/// A polynomial over a product of powers: `polynomial` · Π x^(−n), n > 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    pub polynomial: Polynomial,
    pub denominators: Vec<(u32, i32)>,
}

impl Laurent {
    /// One bin; products may come twice, and their factors in any order.
    pub fn scalar(terms: impl IntoIterator<Item = (Vec<(u32, i32)>, f64)>) -> Result<Laurent, SubstitutionError> {
        let mut sum = Laurent { terms: BTreeMap::new(), n_bins: 1 };
        for (powers, a) in terms {
            sum.add(times(&powers, &[])?, &[a])?;
        }
        Ok(sum)
    }

    /// Zero, in one bin.
    pub fn zero() -> Laurent {
        Laurent { terms: BTreeMap::new(), n_bins: 1 }
    }

    /// A variable itself, in one bin.
    pub fn variable(variable: u32) -> Laurent {
        Laurent { terms: BTreeMap::from([(vec![(variable, 1)], vec![1.0])]), n_bins: 1 }
    }

    pub fn from_polynomial(polynomial: &Polynomial) -> Result<Laurent, SubstitutionError> {
        let mut sum = Laurent { terms: BTreeMap::new(), n_bins: polynomial.n_bins };
        for (monomial, coefficients) in polynomial.terms() {
            let ones: Vec<(u32, i32)> = monomial.iter().map(|variable| (*variable, 1)).collect();
            sum.add(times(&ones, &[])?, coefficients)?;
        }
        Ok(sum)
    }

    /// Every product with its coefficients.
    pub fn terms(&self) -> impl Iterator<Item = (&[(u32, i32)], &[f64])> {
        self.terms.iter().map(|(powers, a)| (powers.as_slice(), a.as_slice()))
    }

    /// The variables that occur, ascending.
    pub fn variables(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.terms.keys().flatten().map(|(variable, _)| *variable).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The value of a sum of one bin; NaN where a variable has no value.
    pub fn value(&self, point: &[f64]) -> f64 {
        let product = |powers: &Powers| powers.iter().map(|(i, n)| at(point, *i).powi(*n)).product::<f64>();
        self.terms.iter().map(|(powers, a)| a.first().copied().unwrap_or(0.0) * product(powers)).sum()
    }

    /// Its derivative by one variable.
    pub fn slope(&self, variable: u32, point: &[f64]) -> f64 {
        let of_factor = |&(i, n): &(u32, i32)| match i == variable {
            true => f64::from(n) * at(point, i).powi(n.saturating_sub(1)),
            false => at(point, i).powi(n),
        };
        let acts = self.terms.iter().filter(|(powers, _)| powers.iter().any(|(i, _)| *i == variable));
        acts.map(|(powers, a)| a.first().copied().unwrap_or(0.0) * powers.iter().map(of_factor).product::<f64>()).sum()
    }

    /// Its second derivative by two variables, which may be one.
    pub fn bend(&self, i: u32, j: u32, point: &[f64]) -> f64 {
        let of_factor = |&(variable, n): &(u32, i32)| {
            let x = at(point, variable);
            match (variable == i) as u8 + (variable == j) as u8 {
                0 => x.powi(n),
                1 => f64::from(n) * x.powi(n.saturating_sub(1)),
                // Also where x is zero, with its power −1 below.
                _ if n == 1 => 0.0,
                _ => f64::from(n) * (f64::from(n) - 1.0) * x.powi(n.saturating_sub(2)),
            }
        };
        let holds = |powers: &Powers, own: u32| powers.iter().any(|(variable, _)| *variable == own);
        let acts = self.terms.iter().filter(|(powers, _)| holds(powers, i) && holds(powers, j));
        acts.map(|(powers, a)| a.first().copied().unwrap_or(0.0) * powers.iter().map(of_factor).product::<f64>()).sum()
    }

    /// The sum with each variable of `given` replaced by its expression, which has one bin and none of these variables.
    pub fn substituted(self, given: &BTreeMap<u32, Laurent>) -> Result<Laurent, SubstitutionError> {
        let mut budget = MOST_PRODUCTS;
        let mut sum = self;
        for variable in sum.variables() {
            if let Some(expression) = given.get(&variable) {
                sum = sum.replaced(variable, expression, &mut budget)?;
            }
        }
        Ok(sum)
    }

    /// Horner's rule in one variable, so that dense rotations take no more than a product for each pair of terms.
    fn replaced(self, variable: u32, by: &Laurent, budget: &mut Budget) -> Result<Laurent, SubstitutionError> {
        let n_bins = self.n_bins;
        let empty = || Laurent { terms: BTreeMap::new(), n_bins };
        let mut by_power: BTreeMap<i32, Laurent> = BTreeMap::new();
        for (mut powers, a) in self.terms {
            let place = powers.iter().position(|(i, _)| *i == variable);
            let power = place.map_or(0, |place| powers.remove(place).1);
            by_power.entry(power).or_insert_with(empty).terms.insert(powers, a);
        }
        let mut result = empty();
        let negative: Vec<i32> = by_power.keys().copied().filter(|power| *power < 0).collect();
        for power in negative {
            let inverse = by.inverse()?;
            let mut product = by_power.remove(&power).unwrap_or_else(empty);
            for _ in 0..power.unsigned_abs() {
                product = product.product(&inverse, budget)?;
            }
            result.add_all(product)?;
        }
        let highest = by_power.keys().next_back().copied().unwrap_or(0);
        let mut horner = empty();
        for power in (0..=highest).rev() {
            if !horner.terms.is_empty() {
                horner = horner.product(by, budget)?;
            }
            if let Some(own) = by_power.remove(&power) {
                horner.add_all(own)?;
            }
        }
        result.add_all(horner)?;
        Ok(result)
    }

    /// Of a single term.
    fn inverse(&self) -> Result<Laurent, SubstitutionError> {
        let mut terms = self.terms.iter();
        let (Some((powers, a)), None) = (terms.next(), terms.next()) else {
            return Err(SubstitutionError::InverseOfSum);
        };
        if a.contains(&0.0) {
            return Err(SubstitutionError::InverseOfSum);
        }
        let powers = powers.iter().map(|(i, n)| (*i, -n)).collect();
        Ok(Laurent { terms: BTreeMap::from([(powers, a.iter().map(|a| 1.0 / a).collect())]), n_bins: self.n_bins })
    }

    /// The product with a sum of one bin.
    fn product(&self, scalar: &Laurent, budget: &mut Budget) -> Result<Laurent, SubstitutionError> {
        let mut product = Laurent { terms: BTreeMap::new(), n_bins: self.n_bins };
        for (powers, a) in &self.terms {
            for (other, factor) in &scalar.terms {
                budget.spend(self.n_bins)?;
                let factor = factor.first().copied().unwrap_or(0.0);
                let scaled: Vec<f64> = a.iter().map(|a| a * factor).collect();
                product.add(times(powers, other)?, &scaled)?;
            }
        }
        Ok(product)
    }

    fn add_all(&mut self, other: Laurent) -> Result<(), SubstitutionError> {
        other.terms.into_iter().try_for_each(|(powers, a)| self.add(powers, &a))
    }

    fn add(&mut self, powers: Powers, a: &[f64]) -> Result<(), SubstitutionError> {
        let n_terms = self.terms.len();
        match self.terms.entry(powers) {
            Entry::Occupied(mut entry) => entry.get_mut().iter_mut().zip(a).for_each(|(sum, a)| *sum += a),
            Entry::Vacant(_) if n_terms.saturating_mul(self.n_bins + TERM) > MOST_NUMBERS => {
                return Err(SubstitutionError::TooLarge);
            }
            Entry::Vacant(entry) => {
                entry.insert(a.to_vec());
            }
        }
        Ok(())
    }

    /// As a polynomial over the largest negative powers.
    pub fn reduced(&self) -> Result<Reduced, SubstitutionError> {
        let mut lowest: BTreeMap<u32, i32> = BTreeMap::new();
        for (variable, power) in self.terms.keys().flatten().filter(|(_, power)| *power < 0) {
            let entry = lowest.entry(*variable).or_insert(0);
            *entry = (*entry).min(*power);
        }
        let denominators: Vec<(u32, i32)> = lowest.into_iter().map(|(i, n)| (i, -n)).collect();
        let (mut terms, mut length) = (Vec::with_capacity(self.terms.len()), 0_usize);
        for (powers, a) in &self.terms {
            let powers = times(powers, &denominators)?;
            length = powers.iter().fold(length, |sum, (_, n)| sum.saturating_add(n.unsigned_abs() as usize));
            if length > MOST_NUMBERS {
                return Err(SubstitutionError::TooLarge);
            }
            let repeat = |&(i, n): &(u32, i32)| std::iter::repeat_n(i, n.unsigned_abs() as usize);
            let monomial: Monomial = powers.iter().flat_map(repeat).collect();
            terms.push((monomial, a.clone()));
        }
        Ok(Reduced { polynomial: Polynomial::from_terms(self.n_bins, terms), denominators })
    }
}

fn at(point: &[f64], variable: u32) -> f64 {
    point.get(variable as usize).copied().unwrap_or(f64::NAN)
}

/// The product of two products of powers, whose factors may come in any order.
fn times(a: &[(u32, i32)], b: &[(u32, i32)]) -> Result<Powers, SubstitutionError> {
    let mut all = [a, b].concat();
    all.sort_unstable_by_key(|(variable, _)| *variable);
    let mut powers: Powers = Vec::with_capacity(all.len());
    for (variable, power) in all {
        match powers.last_mut().filter(|(last, _)| *last == variable) {
            Some((_, sum)) => *sum = sum.checked_add(power).ok_or(SubstitutionError::TooLarge)?,
            None => powers.push((variable, power)),
        }
    }
    powers.retain(|(_, power)| *power != 0);
    Ok(powers)
}

impl std::fmt::Display for SubstitutionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SubstitutionError::TooLarge => "parameter_transform makes too many terms",
            SubstitutionError::InverseOfSum => "parameter_transform puts a sum, or zero, to a negative power",
            SubstitutionError::NegativePower => {
                "parameter_transform puts negative powers beside events or a statistical uncertainty"
            }
        })
    }
}

impl std::error::Error for SubstitutionError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(c₀, c₁) = 1 + 2 c₀ − c₁² + 3 c₀ c₁ with c₀ = 2 − g²/M², c₁ = g M against the value at the substituted point.
    #[test]
    fn substitution_is_evaluation_at_the_substituted_point() {
        let terms: [(Monomial, Vec<f64>); 4] = [
            (vec![], vec![1.0, 0.5]),
            (vec![0], vec![2.0, 1.0]),
            (vec![1, 1], vec![-1.0, 4.0]),
            (vec![0, 1], vec![3.0, -2.0]),
        ];
        let polynomial = Polynomial::from_terms(2, terms);
        let (g, m) = (10, 11);
        let given = BTreeMap::from([
            (0, Laurent::scalar([(vec![], 2.0), (vec![(m, -2), (g, 2)], -1.0)]).unwrap()),
            (1, Laurent::scalar([(vec![(g, 1), (m, 1)], 1.0)]).unwrap()),
        ]);
        let reduced = Laurent::from_polynomial(&polynomial).unwrap().substituted(&given).unwrap().reduced().unwrap();
        assert_eq!(reduced.denominators, [(m, 2)]);
        let mut point = vec![f64::NAN; 12];
        for (g_value, m_value) in [(0.7, 2.0), (-1.3, 0.4), (2.5, 5.0)] {
            (point[10], point[11]) = (g_value, m_value);
            let c = [2.0 - (g_value * g_value) / (m_value * m_value), g_value * m_value];
            assert!((given[&0].value(&point) - c[0]).abs() < 1e-14);
            let values = reduced.polynomial.evaluate(&point);
            for (got, want) in values.iter().zip(polynomial.evaluate(&c)) {
                let got = got / (m_value * m_value);
                assert!((got - want).abs() < 1e-13 * want.abs().max(1.0), "{got} and {want}");
            }
            let slope = -2.0 * g_value / (m_value * m_value);
            assert!((given[&0].slope(g, &point) - slope).abs() < 1e-14);
            let slope = 2.0 * g_value * g_value / m_value.powi(3);
            assert!((given[&0].slope(m, &point) - slope).abs() < 1e-13 * slope);
            let bends = [
                (g, g, -2.0 / m_value.powi(2)),
                (g, m, 4.0 * g_value / m_value.powi(3)),
                (m, m, -6.0 * (g_value / m_value.powi(2)).powi(2)),
            ];
            for (i, j, bend) in bends {
                assert!((given[&0].bend(i, j, &point) - bend).abs() < 1e-13 * bend.abs());
                assert!((given[&0].bend(j, i, &point) - bend).abs() < 1e-13 * bend.abs());
            }
            assert_eq!((given[&1].bend(g, g, &point), given[&1].bend(g, m, &point)), (0.0, 1.0));
            point[10] = 0.0;
            assert_eq!((given[&1].bend(g, g, &point), given[&1].bend(g, m, &point)), (0.0, 1.0));
        }
    }

    /// 1/c with c = 4 x² is x⁻²/4; with c = 1 + x there is no such sum.
    #[test]
    fn inverses_are_those_of_single_terms() {
        let inverse = Laurent::scalar([(vec![(0, -1)], 1.0)]).unwrap();
        let one = BTreeMap::from([(0, Laurent::scalar([(vec![(1, 2)], 4.0)]).unwrap())]);
        let expected = Laurent::scalar([(vec![(1, -2)], 0.25)]).unwrap();
        assert_eq!(inverse.clone().substituted(&one).unwrap(), expected);
        let two = BTreeMap::from([(0, Laurent::scalar([(vec![], 1.0), (vec![(1, 1)], 1.0)]).unwrap())]);
        assert_eq!(inverse.substituted(&two), Err(SubstitutionError::InverseOfSum));
    }

    /// (Σ of 40 variables)^100 has more terms than fit.
    #[test]
    fn explosions_are_errors() {
        let sum = Laurent::scalar((1..41).map(|i| (vec![(i, 1)], 1.0))).unwrap();
        let power = Laurent::scalar([(vec![(0, 100)], 1.0)]).unwrap();
        assert_eq!(power.substituted(&BTreeMap::from([(0, sum)])), Err(SubstitutionError::TooLarge));
    }
}
