//! Exponential decays seen through a resolution (spec/hs3.md, eq. 37 and 38).

use super::builder::Id;
use super::maker::{Maker, unsupported};
use super::shape::Shape;
use crate::document::hs3::{Distribution, DistributionKind as Kind, Resolution};
use crate::expression::{Binary, Unary};
use crate::finding::Result;

const MOST_SMEARINGS: usize = 1000;

/// A Gaussian resolution, and its share in a mixture.
struct Smearing {
    share: Id,
    mean: Id,
    sigma: Id,
}

impl Maker<'_> {
    /// ∫ E(t') R(t − t') dt' of E = exp(−t/τ) for t > 0 (type 0), exp(−|t|/τ) (1) or exp(t/τ) for t < 0 (2).
    pub(super) fn decay(&mut self, d: &Distribution) -> Result<Id> {
        let Kind::Decay { t, tau, resolution, decay_type } = &d.kind else {
            return unsupported(&d.pointer, "another density", "a decay");
        };
        let at = d.pointer.as_str();
        let (t, tau) = (self.slot(t, at)?, self.slot(tau, at)?);
        let Some(smearings) = self.resolution(resolution, at)? else {
            return Ok(self.sharp_decay(t, tau, *decay_type));
        };
        let mut terms = Vec::new();
        for smearing in smearings {
            let distance = self.builder.subtract(t, smearing.mean);
            let sides = self.sides(distance, tau, smearing.sigma, *decay_type);
            let sum = self.builder.sum(&sides);
            terms.push(self.builder.multiply(smearing.share, sum));
        }
        Ok(self.builder.sum(&terms))
    }

    /// The density without resolution.
    fn sharp_decay(&mut self, t: Id, tau: Id, decay_type: i64) -> Id {
        let size = self.unary(Unary::Abs, t);
        let ratio = self.builder.divide(size, tau);
        let exponent = self.builder.negative(ratio);
        let value = self.builder.exp(exponent);
        let zero = self.builder.constant(0.0);
        let inside = match decay_type {
            0 => self.builder.binary(Binary::GreaterEqual, t, zero),
            2 => self.builder.binary(Binary::LessEqual, t, zero),
            _ => self.builder.constant(1.0),
        };
        self.builder.select(inside, value, zero)
    }

    /// The smeared decay to the right, to the left, or both.
    fn sides(&mut self, distance: Id, tau: Id, sigma: Id, decay_type: i64) -> Vec<Id> {
        let mut sides = Vec::new();
        if decay_type != 2 {
            sides.push(self.smeared(distance, tau, sigma));
        }
        if decay_type != 0 {
            let mirrored = self.builder.negative(distance);
            sides.push(self.smeared(mirrored, tau, sigma));
        }
        sides
    }

    /// exp(σ²/2τ² − d/τ) Φ(d/σ − σ/τ), in logarithms until the end.
    fn smeared(&mut self, distance: Id, tau: Id, sigma: Id) -> Id {
        let b = &mut self.builder;
        let c = b.divide(sigma, tau);
        let square = b.multiply(c, c);
        let half = b.scale(square, 0.5);
        let fall = b.divide(distance, tau);
        let exponent = b.subtract(half, fall);
        let z = b.divide(distance, sigma);
        let z = b.subtract(z, c);
        let cdf = b.unary(Unary::LogNormalCdf, z);
        let sum = b.add(exponent, cdf);
        b.exp(sum)
    }

    /// ln of the integral of [`Maker::decay`]: that of one side is τ (Φ(d/σ) − side) between the ends.
    pub(super) fn decay_mass(&mut self, d: &Distribution, (a, b): (f64, f64)) -> Result<Option<Id>> {
        let Kind::Decay { tau, resolution, decay_type, .. } = &d.kind else { return Ok(None) };
        let at = d.pointer.as_str();
        let tau = self.slot(tau, at)?;
        let Some(smearings) = self.resolution(resolution, at)? else { return Ok(None) };
        let mut terms = Vec::new();
        for smearing in smearings {
            if self.builder.is_column(smearing.mean) || self.builder.is_column(smearing.sigma) {
                return Ok(None);
            }
            let mut masses = Vec::new();
            // Mirrored, the decay to the left is one to the right between the mirrored ends.
            for (wanted, sign) in [(*decay_type != 2, 1.0), (*decay_type != 0, -1.0)] {
                if wanted {
                    let (from, to) = if sign > 0.0 { (a, b) } else { (b, a) };
                    let (low, high) =
                        (self.primitive(from, sign, tau, &smearing), self.primitive(to, sign, tau, &smearing));
                    let mass = self.builder.subtract(high, low);
                    masses.push(mass);
                }
            }
            let sum = self.builder.sum(&masses);
            terms.push(self.builder.product(&[smearing.share, tau, sum]));
        }
        let sum = self.builder.sum(&terms);
        Ok(Some(self.builder.log(sum)))
    }

    /// Φ(d/σ) − exp(σ²/2τ² − d/τ) Φ(d/σ − σ/τ) at d = ±(x − m).
    fn primitive(&mut self, x: f64, sign: f64, tau: Id, smearing: &Smearing) -> Id {
        let x = self.builder.constant(x);
        let distance = self.builder.subtract(x, smearing.mean);
        let distance = self.builder.scale(distance, sign);
        let z = self.builder.divide(distance, smearing.sigma);
        let cdf = self.unary(Unary::LogNormalCdf, z);
        let cdf = self.builder.exp(cdf);
        let side = self.smeared(distance, tau, smearing.sigma);
        self.builder.subtract(cdf, side)
    }

    /// The Gaussians of a resolution model; nothing for a perfect resolution.
    fn resolution(&mut self, name: &str, at: &str) -> Result<Option<Vec<Smearing>>> {
        let Some(model) = self.document.distribution(name) else {
            return super::maker::fail(
                &crate::rule::HS3_UNRESOLVED,
                at,
                crate::finding::quote(name),
                "a resolution model",
            );
        };
        let here = model.pointer.as_str();
        match &model.kind {
            Kind::ResolutionModel(Resolution::Delta { .. }) => Ok(None),
            Kind::ResolutionModel(Resolution::Gauss { mean, sigma, .. }) => {
                let (mean, sigma) = (self.slot(mean, here)?, self.slot(sigma, here)?);
                Ok(Some(vec![Smearing { share: self.builder.constant(1.0), mean, sigma }]))
            }
            Kind::MixtureModel { summands, coefficients } => {
                let shares = self.shares(summands.len(), coefficients, here)?;
                let mut all = Vec::new();
                for (summand, share) in summands.iter().zip(shares) {
                    let Some(parts) = self.deeper(here, |maker| maker.resolution(summand, here))? else {
                        return unsupported(here, "a perfect resolution in a mixture", "Gaussian resolutions");
                    };
                    if all.len() + parts.len() > MOST_SMEARINGS {
                        return unsupported(here, "a mixture of more resolutions", format!("at most {MOST_SMEARINGS}"));
                    }
                    for part in parts {
                        all.push(Smearing { share: self.builder.multiply(share, part.share), ..part });
                    }
                }
                Ok(Some(all))
            }
            _ => unsupported(here, "a resolution of this type", "gauss_model_function, or a mixture of them"),
        }
    }

    /// A resolution model by itself is a density.
    pub(super) fn resolution_shape(&mut self, model: &Resolution, at: &str) -> Result<Shape> {
        match model {
            Resolution::Gauss { x, mean, sigma } => {
                let [x, mean, sigma] = self.three([x, mean, sigma], at)?;
                let distance = self.builder.subtract(x, mean);
                Ok(Shape::Log(self.minus_half_square(distance, sigma)))
            }
            Resolution::Delta { .. } => unsupported(at, "a perfect resolution as a density", "a density"),
        }
    }
}
