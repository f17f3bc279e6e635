//! Relativistic Breit-Wigner densities with widths that depend on the mass (spec/hs3.md, eq. 39 and 40).

use super::builder::Id;
use super::maker::{Maker, unsupported};
use crate::document::hs3::{BreitWignerChannel, Slot};
use crate::expression::{Binary, Unary};
use crate::finding::Result;

/// Coefficients of the denominators of Blatt and Weisskopf's form factors in powers of z², by angular momentum.
const DENOMINATORS: [&[f64]; 5] =
    [&[1.0], &[1.0, 1.0], &[9.0, 3.0, 1.0], &[225.0, 45.0, 6.0, 1.0], &[11025.0, 1575.0, 135.0, 10.0, 1.0]];

impl Maker<'_> {
    /// m Γ₁(m)/((M² − m²)² + M² Γ(m)²), Γ the sum over all channels.
    pub(super) fn breit_wigner(
        &mut self,
        m: &Slot,
        mass: &Slot,
        channels: &[BreitWignerChannel],
        at: &str,
    ) -> Result<Id> {
        let (m, mass) = (self.slot(m, at)?, self.slot(mass, at)?);
        let mut widths = Vec::with_capacity(channels.len());
        for channel in channels {
            widths.push(self.width(m, channel, at)?);
        }
        let Some(first) = widths.first().copied() else { return unsupported(at, "no channel", "at least one channel") };
        let b = &mut self.builder;
        let total = b.sum(&widths);
        let (square, pole) = (b.multiply(m, m), b.multiply(mass, mass));
        let distance = b.subtract(pole, square);
        let (real, imaginary) = (b.multiply(distance, distance), b.multiply(mass, total));
        let imaginary = b.multiply(imaginary, imaginary);
        let size = b.add(real, imaginary);
        let numerator = b.multiply(m, first);
        Ok(b.divide(numerator, size))
    }

    /// The width of a channel at a mass; none below its threshold.
    fn width(&mut self, m: Id, channel: &BreitWignerChannel, at: &str) -> Result<Id> {
        let denominator = usize::try_from(channel.l).ok().and_then(|l| DENOMINATORS.get(l));
        let Some(denominator) = denominator else {
            return unsupported(at, format!("the angular momentum {}", channel.l), "0 to 4");
        };
        let [m1, m2, radius] = self.three([&channel.m1, &channel.m2, &channel.r], at)?;
        let gamma = self.slot(&channel.gamma, at)?;
        let b = &mut self.builder;
        let (sum, difference, square) = (b.add(m1, m2), b.subtract(m1, m2), b.multiply(m, m));
        let (sum_square, difference_square) = (b.multiply(sum, sum), b.multiply(difference, difference));
        let (above, beyond) = (b.subtract(square, sum_square), b.subtract(square, difference_square));
        let product = b.multiply(above, beyond);
        let four = b.scale(square, 4.0);
        let momentum = b.divide(product, four);
        let (open, zero) = (b.binary(Binary::Greater, m, sum), b.constant(0.0));
        let momentum = b.select(open, momentum, zero);
        let radius = b.multiply(radius, radius);
        let z = b.multiply(momentum, radius);
        let coefficients: Vec<Id> = denominator.iter().map(|a| b.constant(*a)).collect();
        let (power, denominator) = (b.power(z, channel.l as f64), b.polynomial(z, &coefficients));
        let factor = b.divide(power, denominator);
        let root = b.unary(Unary::Sqrt, momentum);
        let space = b.divide(root, m);
        let space = b.scale(space, 2.0);
        Ok(b.product(&[gamma, factor, space]))
    }
}
