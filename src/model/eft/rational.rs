//! Products of powers of polynomials and their Taylor series (spec/eft.md, "Rational responses").

use super::{Factor, Monomial, Polynomial, polynomial};
use std::fmt;

/// Most products of coefficients that an expansion may take.
const MOST_PRODUCTS: u64 = 1 << 28;

/// Why a product of powers has no Taylor series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RationalError {
    /// There is no factor, or factors have different numbers of bins.
    Shape,
    /// The constant of a factor with a negative power is zero, or not finite, in this bin: there is a pole.
    Pole { factor: usize, bin: usize },
    /// A factor with a negative power depends on a nuisance parameter where all coefficients vanish: its inverse is no
    /// polynomial in the nuisance.
    Nuisance { factor: usize },
    /// A series with more terms than a document can be worth.
    TooLarge,
}

/// Π_a P_a(c)^{p_a} in each bin.
pub fn evaluate(factors: &[Factor], variables: &[f64]) -> Vec<f64> {
    let mut values = vec![1.0; factors.first().map_or(0, |factor| factor.polynomial.n_bins)];
    for factor in factors {
        for (value, p) in values.iter_mut().zip(factor.polynomial.evaluate(variables)) {
            *value *= p.powi(factor.power);
        }
    }
    values
}

/// The Taylor series of Π_a P_a^{p_a} at c = 0 up to order `most` in 1/Λ² (spec/eft.md, eq. 2); `order[i]` is that of
/// variable i.
///
/// Variables of order 0, which are nuisances, stay in the coefficients of the series. That needs no more than
/// polynomials as long as factors with a negative power have none of them in their part of order 0.
pub fn taylor(factors: &[Factor], most: u32, order: &[u32]) -> Result<Polynomial, RationalError> {
    let n_bins = factors.first().ok_or(RationalError::Shape)?.polynomial.n_bins;
    if factors.iter().any(|factor| factor.polynomial.n_bins != n_bins) {
        return Err(RationalError::Shape);
    }
    let mut series = Series { most, order, left: MOST_PRODUCTS };
    let mut product = Polynomial::constant(n_bins, 1.0);
    for (index, factor) in factors.iter().enumerate() {
        let base = match factor.power {
            0.. => factor.polynomial.truncated(most, order),
            _ => series.inverse(&factor.polynomial, index)?,
        };
        let power = series.power(base, factor.power.unsigned_abs())?;
        product = series.product(&product, &power)?;
    }
    Ok(product)
}

/// Arithmetic of series that end at an order.
struct Series<'a> {
    most: u32,
    order: &'a [u32],
    /// Products of coefficients that may still be done.
    left: u64,
}

impl Series<'_> {
    fn product(&mut self, a: &Polynomial, b: &Polynomial) -> Result<Polynomial, RationalError> {
        let np_order = |monomial: &Monomial| polynomial::np_order(monomial, self.order);
        let orders: Vec<u32> = b.monomials.iter().map(np_order).collect();
        let partners = |m: &Monomial| {
            let room = self.most.checked_sub(np_order(m));
            orders.iter().filter(|n| room.is_some_and(|room| **n <= room)).count() as u64
        };
        let longest = |p: &Polynomial| p.monomials.last().map_or(0, Vec::len);
        let each = (a.n_bins + longest(a) + longest(b) + 1) as u64;
        let looked_at = (a.monomials.len() as u64).saturating_mul(b.monomials.len() as u64);
        self.left = self.left.checked_sub(looked_at).ok_or(RationalError::TooLarge)?;
        let work = a.monomials.iter().map(partners).sum::<u64>().saturating_mul(each);
        self.left = self.left.checked_sub(work).ok_or(RationalError::TooLarge)?;
        let terms = a.terms().flat_map(|(m, x)| {
            let room = self.most.checked_sub(np_order(m));
            let partners = b.terms().zip(&orders).filter(move |(_, n)| room.is_some_and(|room| **n <= room));
            partners.map(move |((n, y), _)| ([m.as_slice(), n].concat(), x.iter().zip(y).map(|(x, y)| x * y).collect()))
        });
        Ok(Polynomial::from_terms(a.n_bins, terms))
    }

    /// By repeated squares.
    fn power(&mut self, mut base: Polynomial, mut power: u32) -> Result<Polynomial, RationalError> {
        let mut result = Polynomial::constant(base.n_bins, 1.0);
        while power > 0 {
            if power % 2 == 1 {
                result = self.product(&result, &base)?;
            }
            power /= 2;
            if power > 0 {
                base = self.product(&base, &base)?;
            }
        }
        Ok(result)
    }

    /// 1/P = (1 − u + u² − …)/P₀ with u = (P − P₀)/P₀, summed from the inside: 1 − u (1 − u (…)).
    fn inverse(&mut self, p: &Polynomial, factor: usize) -> Result<Polynomial, RationalError> {
        let np_order = |monomial: &Monomial| polynomial::np_order(monomial, self.order);
        if p.monomials.iter().any(|m| !m.is_empty() && np_order(m) == 0) {
            return Err(RationalError::Nuisance { factor });
        }
        let constant = p.coefficients_of(&[]).map_or_else(|| vec![0.0; p.n_bins], <[f64]>::to_vec);
        let inverse: Vec<f64> = constant.iter().map(|x| 1.0 / x).collect();
        let regular = |bin: &usize| inverse[*bin].is_finite() && constant[*bin].is_finite();
        if let Some(bin) = (0..p.n_bins).find(|bin| !regular(bin)) {
            return Err(RationalError::Pole { factor, bin });
        }
        let rest = p.terms().filter(|(m, _)| !m.is_empty()).map(|(m, a)| (m.clone(), a.iter().map(|x| -x).collect()));
        let minus_u = Polynomial::from_terms(p.n_bins, rest).scaled(&inverse).truncated(self.most, self.order);
        let one = Polynomial::constant(p.n_bins, 1.0);
        let mut sum = one.clone();
        // Every power of u adds at least one order.
        for _ in 0..if minus_u.monomials.is_empty() { 0 } else { self.most } {
            sum = one.sum(&self.product(&minus_u, &sum)?);
        }
        Ok(sum.scaled(&inverse))
    }
}

impl fmt::Display for RationalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RationalError::Shape => write!(f, "no factors, or factors of different numbers of bins"),
            RationalError::Pole { factor, bin } => {
                write!(f, "factor {factor} has a negative power and no constant in bin {bin}: a pole at c = 0")
            }
            RationalError::Nuisance { factor } => write!(
                f,
                "factor {factor} has a negative power and depends on a nuisance parameter at c = 0: no polynomial"
            ),
            RationalError::TooLarge => write!(f, "the series has too many terms"),
        }
    }
}

impl std::error::Error for RationalError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomial(terms: &[(&[u32], [f64; 2])]) -> Polynomial {
        Polynomial::from_terms(2, terms.iter().map(|(m, a)| (m.to_vec(), a.to_vec())))
    }

    fn factor(power: i32, terms: &[(&[u32], [f64; 2])]) -> Factor {
        Factor { polynomial: polynomial(terms), power }
    }

    /// (2 + a)² (1 + b²) / (4 + c a + …)³ and the like: the difference to the exact value falls as the next power.
    #[test]
    fn series_miss_by_the_next_order() {
        let factors = [
            factor(2, &[(&[], [2.0, 1.0]), (&[0], [1.0, -0.5])]),
            factor(1, &[(&[], [1.0, 3.0]), (&[1, 1], [0.7, 0.3])]),
            factor(-3, &[(&[], [4.0, 1.0]), (&[0], [0.5, 0.2]), (&[0, 1], [-0.3, 0.9])]),
            factor(-1, &[(&[], [-2.0, 5.0]), (&[1], [1.0, 1.0])]),
        ];
        for most in 0..6 {
            let series = taylor(&factors, most, &[1, 1]).unwrap();
            assert!(series.np_order(&[1, 1]) <= most);
            let miss = |t: f64| {
                let point = [0.8 * t, -0.6 * t];
                let pairs = series.evaluate(&point).into_iter().zip(evaluate(&factors, &point));
                pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
            };
            let slope = (miss(0.02) / miss(0.01)).log2();
            assert!((slope - f64::from(most + 1)).abs() < 0.15, "order {most}: {slope}");
        }
    }

    /// An operator of dimension 8 counts twice; 1/(1 + x + y) = 1 − x − y + x² + 2 x y − … .
    #[test]
    fn orders_are_those_of_the_variables() {
        let one: &[u32] = &[];
        let factors = [factor(-1, &[(one, [1.0; 2]), (&[0], [1.0; 2]), (&[1], [1.0; 2])])];
        let series = taylor(&factors, 3, &[1, 2]).unwrap();
        let expected = polynomial(&[
            (&[], [1.0; 2]),
            (&[0], [-1.0; 2]),
            (&[1], [-1.0; 2]),
            (&[0, 0], [1.0; 2]),
            (&[0, 1], [2.0; 2]),
            (&[0, 0, 0], [-1.0; 2]),
        ]);
        assert_eq!(series, expected);
    }

    /// A nuisance α (order 0) of a linear coefficient goes along: (1 + c + α c)/(1 + 2 c + α c) = 1 − c + (2 + α) c² at
    /// order 2, as (1 + u)(1 − v + v²) with u = c + α c, v = 2 c + α c.
    #[test]
    fn nuisances_stay_in_the_coefficients() {
        let numerator = factor(1, &[(&[], [1.0; 2]), (&[0], [1.0; 2]), (&[0, 1], [1.0; 2])]);
        let denominator = factor(-1, &[(&[], [1.0; 2]), (&[0], [2.0; 2]), (&[0, 1], [1.0; 2])]);
        let series = taylor(&[numerator, denominator], 2, &[1, 0]).unwrap();
        for (c, alpha) in [(0.3, -1.2), (-0.7, 0.5), (1.0, 2.0)] {
            let (u, v) = (c + alpha * c, 2.0 * c + alpha * c);
            let expected = 1.0 + (u - v) + (v * v - u * v);
            assert!((series.evaluate(&[c, alpha])[1] - expected).abs() < 1e-14);
        }
        let movable = [factor(-1, &[(&[], [1.0; 2]), (&[1], [0.1; 2]), (&[0], [1.0; 2])])];
        assert_eq!(taylor(&movable, 2, &[1, 0]), Err(RationalError::Nuisance { factor: 0 }));
        let above = [Factor { power: 2, ..movable[0].clone() }];
        assert_eq!(taylor(&above, 2, &[1, 0]).unwrap(), above[0].polynomial.product(&above[0].polynomial));
    }

    #[test]
    fn poles_and_sizes_are_errors() {
        let pole = [factor(1, &[(&[], [0.0; 2])]), factor(-1, &[(&[], [1.0, 0.0]), (&[0], [1.0; 2])])];
        assert_eq!(taylor(&pole, 2, &[1]), Err(RationalError::Pole { factor: 1, bin: 1 }));
        let no_constant = [factor(-2, &[(&[0], [1.0; 2])])];
        assert_eq!(taylor(&no_constant, 2, &[1]), Err(RationalError::Pole { factor: 0, bin: 0 }));
        assert_eq!(taylor(&[], 2, &[1]), Err(RationalError::Shape));
        let large = [factor(-1, &[(&[], [1.0; 2]), (&[0], [1.0; 2])])];
        assert_eq!(taylor(&large, u32::MAX, &[1]), Err(RationalError::TooLarge));
        let high = [factor(i32::MIN, &[(&[], [1.0; 2]), (&[0], [0.5; 2]), (&[1], [0.5; 2])])];
        assert!(taylor(&high, 3, &[1, 1]).is_ok());
        assert_eq!(taylor(&high, 3000, &[1, 1]), Err(RationalError::TooLarge));
    }
}
