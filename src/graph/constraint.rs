//! Densities that depend on no data: auxiliary measurements of parameters (spec/hs3.md, "Constraints").

use super::builder::Id;
use super::closed::variate_slot;
use super::maker::{Maker, unsupported};
use crate::document::hs3::{Distribution, DistributionKind as Kind, Slot};
use crate::expression::Unary;
use crate::finding::Result;
use std::collections::HashMap;
use std::f64::consts::PI;

impl<'d> Maker<'d> {
    /// The logarithm of a constraint. It is normalised over all values of its variate, or, as RooFit does, over the range
    /// of the global observable (D8).
    pub(super) fn constraint(&mut self, name: &str, at: &str) -> Result<Id> {
        let d = self.distribution_named(name, at)?;
        let outer = std::mem::take(&mut self.ranges);
        let result = self.deeper(at, |maker| maker.constraint_of(d));
        self.turn_to(outer);
        result
    }

    fn constraint_of(&mut self, d: &'d Distribution) -> Result<Id> {
        let at = d.pointer.as_str();
        match &d.kind {
            Kind::Product { factors, .. } => {
                let mut logs = Vec::with_capacity(factors.len());
                for factor in factors {
                    logs.push(self.constraint(factor, at)?);
                }
                return Ok(self.builder.sum(&logs));
            }
            Kind::BarlowBeestonLite { x, expected } => return self.barlow_beeston_lite(x, expected, at),
            Kind::MultivariateNormal { x, mean, covariance } => {
                let (log, log_det) = self.multivariate(x, mean, covariance, at)?;
                let log = self.builder.subtract(log, log_det);
                return Ok(self.builder.shift(log, -0.5 * x.len() as f64 * (2.0 * PI).ln()));
            }
            _ => {}
        }
        self.turn_to(HashMap::new());
        let shape = self.shape(d)?;
        let log = self.log_of(shape);
        let norm = self.constraint_norm(d)?;
        Ok(self.builder.subtract(log, norm))
    }

    fn constraint_norm(&mut self, d: &'d Distribution) -> Result<Id> {
        if matches!(d.kind, Kind::Poisson { .. }) {
            return Ok(self.builder.constant(0.0));
        }
        if self.conventions.truncate_constraints
            && let Some(norm) = self.truncated_norm(d)?
        {
            return Ok(norm);
        }
        let at = d.pointer.as_str();
        match &d.kind {
            Kind::Gaussian { sigma, .. } | Kind::LogNormal { sigma, .. } => {
                let sigma = self.slot(sigma, at)?;
                let log = self.builder.log(sigma);
                Ok(self.builder.shift(log, 0.5 * (2.0 * PI).ln()))
            }
            Kind::Gamma { gamma, beta, .. } => {
                let (gamma, beta) = (self.slot(gamma, at)?, self.slot(beta, at)?);
                let (factorial, log) = (self.unary(Unary::LogGamma, gamma), self.builder.log(beta));
                Ok(self.builder.add(factorial, log))
            }
            Kind::BifurcatedGaussian { sigma_left, sigma_right, .. } => {
                let (left, right) = (self.slot(sigma_left, at)?, self.slot(sigma_right, at)?);
                let sum = self.builder.add(left, right);
                let log = self.builder.log(sum);
                Ok(self.builder.shift(log, 0.5 * (0.5 * PI).ln()))
            }
            _ => match variate_slot(&d.kind) {
                Some(Slot::Name(name)) => {
                    let name = name.clone();
                    let range = self.axis_range(&Slot::Name(name.clone()), at)?;
                    self.norm_over(d, &name, range)
                }
                _ => unsupported(
                    at,
                    "a constraint without a variate",
                    "gaussian_dist, poisson_dist or another with a variate",
                ),
            },
        }
    }

    /// ln ∫ over the range of the global observable; nothing where there is none, or where its range is infinite.
    fn truncated_norm(&mut self, d: &'d Distribution) -> Result<Option<Id>> {
        // A Gaussian is the same function of its mean, which may be the global observable.
        if let Kind::Gaussian { x, mean: Slot::Name(mean), sigma } = &d.kind
            && !self.is_named_global(x)
            && self.is_global(mean)
        {
            let Some((low, high)) = self.finite_range(mean) else { return Ok(None) };
            let (x, sigma) = (self.slot(x, &d.pointer)?, self.slot(sigma, &d.pointer)?);
            return Ok(Some(self.log_gaussian_mass(x, sigma, (low, high))));
        }
        match variate_slot(&d.kind) {
            Some(slot @ Slot::Name(name)) if self.is_named_global(slot) => match self.finite_range(name) {
                Some(range) => self.norm_over(d, name, range).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// ln ∫ of the density over a range of its variate, which is a parameter elsewhere.
    fn norm_over(&mut self, d: &'d Distribution, name: &str, (low, high): (f64, f64)) -> Result<Id> {
        self.turn_to(HashMap::from([(name.to_string(), (low, high))]));
        let index = self.builder.observable_index(name);
        let shape = self.shape(d)?;
        let norm = self.log_integral(d, shape, &[(index, low, high)]);
        self.turn_to(HashMap::new());
        norm
    }

    fn finite_range(&self, name: &str) -> Option<(f64, f64)> {
        self.range_in_domains(name, None).filter(|(low, high)| low.is_finite() && high.is_finite())
    }

    fn is_named_global(&self, slot: &Slot) -> bool {
        matches!(slot, Slot::Name(name) if self.is_global(name))
    }

    /// Σ ln Pois(τ | x τ) (D14).
    fn barlow_beeston_lite(&mut self, x: &[Slot], expected: &[Slot], at: &str) -> Result<Id> {
        if x.len() != expected.len() {
            let found = format!("{} factors and {} expected", x.len(), expected.len());
            return super::maker::fail(&crate::rule::HS3_COMPONENT, at, found, "one expected number for each factor");
        }
        let mut logs = Vec::with_capacity(x.len());
        for (x, tau) in x.iter().zip(expected) {
            let (x, tau) = (self.slot(x, at)?, self.slot(tau, at)?);
            let mean = self.builder.multiply(x, tau);
            logs.push(self.log_poisson(tau, mean));
        }
        Ok(self.builder.sum(&logs))
    }
}
