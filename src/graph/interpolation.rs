//! ROOT's interpolations between variations of functions and numbers (spec/interpolation.md; spec/hs3.md, table 3).

use super::builder::Id;
use super::maker::{Maker, fail};
use crate::document::hs3::{Interpolated, Slot};
use crate::expression::{Binary, Unary};
use crate::finding::Result;
use crate::model::interpolation::code4;
use crate::rule;

/// How one variation changes the total.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Linear,
    Exponential,
    /// Quadratic inside, linear outside.
    Quadratic,
    /// Of degree six inside, linear outside.
    Smooth,
    /// Of degree six inside, exponential outside.
    SmoothExponential,
    /// The factor is of degree six inside, linear outside.
    SmoothFactor,
}

/// Code 4 depends on the class: FlexibleInterpVar (of numbers) and PiecewiseInterpolation (of functions).
fn shape(code: i64, of_numbers: bool) -> Option<Shape> {
    Some(match code {
        0 => Shape::Linear,
        1 => Shape::Exponential,
        2 | 3 => Shape::Quadratic,
        4 if !of_numbers => Shape::Smooth,
        4 | 5 => Shape::SmoothExponential,
        6 => Shape::SmoothFactor,
        _ => return None,
    })
}

impl Maker<'_> {
    /// The nominal with all variations, one after the other: some add to the total, some multiply it.
    pub(super) fn interpolation(
        &mut self,
        nominal: &Slot,
        variations: &Interpolated,
        of_numbers: bool,
        at: &str,
    ) -> Result<Id> {
        let nominal = self.slot(nominal, at)?;
        let mut total = nominal;
        for i in 0..variations.variables.len() {
            let (Some(low), Some(high)) = (variations.low.get(i), variations.high.get(i)) else { continue };
            let (Some(variable), Some(code)) = (variations.variables.get(i), variations.codes.get(i)) else { continue };
            let (low, high, alpha) = (self.slot(low, at)?, self.slot(high, at)?, self.slot(variable, at)?);
            let Some(shape) = shape(*code, of_numbers) else {
                return fail(&rule::HS3_COMPONENT, at, format!("the interpolation code {code}"), "a code from 0 to 6");
            };
            total = self.vary(shape, [nominal, low, high], alpha, total);
        }
        Ok(total)
    }

    fn vary(&mut self, shape: Shape, [nominal, low, high]: [Id; 3], alpha: Id, total: Id) -> Id {
        match shape {
            Shape::Linear | Shape::Quadratic | Shape::Smooth => {
                let offset = self.offset(shape, [nominal, low, high], alpha);
                self.builder.add(total, offset)
            }
            Shape::SmoothFactor => {
                let b = &mut self.builder;
                let (low, high, one) = (b.divide(low, nominal), b.divide(high, nominal), b.constant(1.0));
                let offset = self.offset(Shape::Smooth, [one, low, high], alpha);
                let factor = self.builder.shift(offset, 1.0);
                self.builder.multiply(total, factor)
            }
            Shape::Exponential => {
                let factor = self.exponential([nominal, low, high], alpha);
                self.builder.multiply(total, factor)
            }
            Shape::SmoothExponential => {
                let outside = self.exponential([nominal, low, high], alpha);
                let (lo, hi) = (self.builder.divide(low, nominal), self.builder.divide(high, nominal));
                let mut coefficients = vec![self.builder.constant(1.0)];
                match (self.builder.number(lo), self.builder.number(hi)) {
                    (Some(lo), Some(hi)) => {
                        coefficients.extend(code4::coefficients(lo, hi).map(|a| self.builder.constant(a)));
                    }
                    _ => coefficients.extend(self.smooth_coefficients(lo, hi)),
                }
                let inside = self.builder.polynomial(alpha, &coefficients);
                let within = self.within(alpha);
                let factor = self.builder.select(within, inside, outside);
                self.builder.multiply(total, factor)
            }
        }
    }

    /// a₁…a₆ of code 4 of functions.
    fn smooth_coefficients(&mut self, lo: Id, hi: Id) -> Vec<Id> {
        // The coefficients are linear in hi − 1, lo − 1, hi ln hi, lo ln lo, hi ln² hi and lo ln² lo: what they are made
        // of is found by giving one of these the value 1 and the others 0.
        let (ln_hi, ln_lo) = (self.builder.log(hi), self.builder.log(lo));
        let b = &mut self.builder;
        let (first_hi, first_lo) = (b.multiply(hi, ln_hi), b.multiply(lo, ln_lo));
        let parts = [
            b.shift(hi, -1.0),
            b.shift(lo, -1.0),
            first_hi,
            first_lo,
            b.multiply(first_hi, ln_hi),
            b.multiply(first_lo, ln_lo),
        ];
        (0..6)
            .map(|power| {
                let weight = |part: usize| {
                    let mut values = [0.0; 6];
                    values[part] = 1.0;
                    code4::coefficients_of(values)[power]
                };
                let terms: Vec<Id> = (0..6).map(|part| b.scale(parts[part], weight(part))).collect();
                b.sum(&terms)
            })
            .collect()
    }

    /// |α| < 1.
    fn within(&mut self, alpha: Id) -> Id {
        let (size, one) = (self.unary(Unary::Abs, alpha), self.builder.constant(1.0));
        self.less(size, one)
    }

    /// The offset of code 4p.
    pub(super) fn smooth_offset(&mut self, points: [Id; 3], alpha: Id) -> Id {
        self.offset(Shape::Smooth, points, alpha)
    }

    /// α S + q(α) A with S = (hi − lo)/2 and A = (hi + lo)/2 − nominal (spec/interpolation.md).
    fn offset(&mut self, shape: Shape, [nominal, low, high]: [Id; 3], alpha: Id) -> Id {
        let b = &mut self.builder;
        let (difference, sum) = (b.subtract(high, low), b.add(high, low));
        let (slope, mean) = (b.scale(difference, 0.5), b.scale(sum, 0.5));
        let bend = b.subtract(mean, nominal);
        let size = b.unary(Unary::Abs, alpha);
        let square = b.multiply(alpha, alpha);
        let (inside, outside) = match shape {
            Shape::Linear => (size, size),
            Shape::Quadratic => {
                let double = b.scale(size, 2.0);
                (square, b.shift(double, -1.0))
            }
            _ => {
                let coefficients = [15.0 / 8.0, -10.0 / 8.0, 3.0 / 8.0].map(|a| b.constant(a));
                let polynomial = b.polynomial(square, &coefficients);
                (b.multiply(square, polynomial), size)
            }
        };
        let within = self.within(alpha);
        let b = &mut self.builder;
        let q = b.select(within, inside, outside);
        let (linear, bent) = (b.multiply(alpha, slope), b.multiply(q, bend));
        b.add(linear, bent)
    }

    /// (hi/nominal)^α for α ≥ 0 and (lo/nominal)^(−α) below.
    fn exponential(&mut self, [nominal, low, high]: [Id; 3], alpha: Id) -> Id {
        let b = &mut self.builder;
        let (up, down) = (b.divide(high, nominal), b.divide(low, nominal));
        let (up, down) = (b.log(up), b.log(down));
        let down = b.negative(down);
        let zero = b.constant(0.0);
        let positive = b.binary(Binary::GreaterEqual, alpha, zero);
        let slope = b.select(positive, up, down);
        let exponent = b.multiply(alpha, slope);
        b.exp(exponent)
    }
}
