//! Functions of CMS Combine and RooFit that other programs write (spec/hs3.md, "Functions").

use super::builder::Id;
use super::maker::{Maker, fail};
use crate::document::hs3::Slot;
use crate::expression::Binary;
use crate::finding::Result;
use crate::rule;

impl Maker<'_> {
    /// low^(−θ) for θ < 0, else high^θ.
    pub(super) fn asymmetric_power(&mut self, [low, high, theta]: [&Slot; 3], at: &str) -> Result<Id> {
        let (low, high, theta) = (self.slot(low, at)?, self.slot(high, at)?, self.slot(theta, at)?);
        let zero = self.builder.constant(0.0);
        let below = self.less(theta, zero);
        let b = &mut self.builder;
        let minus = b.negative(theta);
        let (down, up) = (b.binary(Binary::Power, low, minus), b.binary(Binary::Power, high, theta));
        Ok(b.select(below, down, up))
    }

    /// nominal · exp(Σ k θ + Σ (d θ + s q(θ))/2) · Π factors, with d and s difference and sum of the two ln κ, and q of
    /// code 4p (spec/interpolation.md).
    pub(super) fn process_normalization(
        &mut self,
        nominal: &Slot,
        symmetric: &[(Slot, f64)],
        asymmetric: &[(Slot, [f64; 2])],
        factors: &[Slot],
        at: &str,
    ) -> Result<Id> {
        let mut exponents = Vec::with_capacity(symmetric.len() + asymmetric.len());
        for (theta, kappa) in symmetric {
            let theta = self.slot(theta, at)?;
            exponents.push(self.builder.scale(theta, *kappa));
        }
        for (theta, kappas) in asymmetric {
            let theta = self.slot(theta, at)?;
            // An offset between ln κ below and above, with 0 in the middle.
            let [low, high] = kappas.map(|kappa| self.builder.constant(kappa));
            let nothing = self.builder.constant(0.0);
            exponents.push(self.smooth_offset([nothing, low, high], theta));
        }
        let (nominal, factors) = (self.slot(nominal, at)?, self.slots(factors, at)?);
        let sum = self.builder.sum(&exponents);
        let factor = self.builder.exp(sum);
        let factors: Vec<Id> = [nominal, factor].into_iter().chain(factors).collect();
        Ok(self.builder.product(&factors))
    }

    /// f₀ Π (1 − fᵢ), or f₀ / Σ fᵢ.
    pub(super) fn fraction(&mut self, fractions: &[Slot], recursive: bool, at: &str) -> Result<Id> {
        let fractions = self.slots(fractions, at)?;
        let Some((first, others)) = fractions.split_first() else {
            return fail(&rule::HS3_COMPONENT, &format!("{at}/list"), "no fractions", "at least one");
        };
        if !recursive {
            let sum = self.builder.sum(&fractions);
            return Ok(self.builder.divide(*first, sum));
        }
        let mut product = *first;
        for other in others {
            let minus = self.builder.negative(*other);
            let rest = self.builder.shift(minus, 1.0);
            product = self.builder.multiply(product, rest);
        }
        Ok(product)
    }
}
