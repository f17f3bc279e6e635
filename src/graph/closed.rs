//! Integrals of densities that have a closed form (spec/hs3.md, eq. 25 to 36).

use super::builder::Id;
use super::maker::Maker;
use crate::document::hs3::{Axis, Distribution, DistributionKind as Kind, Slot, Tail};
use crate::expression::{Binary, Unary};
use crate::finding::Result;
use std::f64::consts::PI;

/// C(n, k).
pub(super) fn binomial(n: usize, k: usize) -> f64 {
    (1..=k.min(n)).fold(1.0, |product, i| product * (n + 1 - i) as f64 / i as f64)
}

/// The volumes of the bins of axes, in C order.
pub(super) fn volumes(axes: &[Axis]) -> Vec<f64> {
    axes.iter().fold(vec![1.0], |volumes, axis| {
        let widths: Vec<f64> = axis.edges().windows(2).map(|pair| pair[1] - pair[0]).collect();
        volumes.iter().flat_map(|v| widths.iter().map(move |w| v * w)).collect()
    })
}

impl Maker<'_> {
    /// ln ∫ of the density as [`Maker::fundamental`] makes it over [a, b] of the observable `x`; nothing where no closed
    /// form is known, or where `x` stands elsewhere than in the place of the variate.
    pub(super) fn closed(&mut self, d: &Distribution, x: usize, (a, b): (f64, f64)) -> Result<Option<Id>> {
        let at = d.pointer.as_str();
        let Some(slot) = variate_slot(&d.kind) else { return Ok(None) };
        let variate = self.slot(slot, at)?;
        let is_variate = self.builder.nodes[variate] == super::builder::Node::Observable(x);
        if !is_variate || self.others_depend(d, x)? {
            return Ok(None);
        }
        Ok(Some(match &d.kind {
            Kind::Argus { resonance, slope, power, .. } => {
                let [m0, c, p] = self.three([resonance, slope, power], at)?;
                self.log_argus_mass(m0, c, p, (a, b), at)?
            }
            Kind::Bernstein { coefficients, .. } => {
                let weights = self.bernstein_weights(slot, coefficients.len(), (a, b), at)?;
                self.log_of_linear(coefficients, &weights, 0.0, at)?
            }
            Kind::BifurcatedGaussian { mean, sigma_left, sigma_right, .. } => {
                self.bifurcated_mass(mean, [sigma_left, sigma_right], (a, b), at)?
            }
            Kind::Chebychev { coefficients, .. } => {
                let (low, high) = self.axis_range(slot, at)?;
                let z = |x: f64| (2.0 * x - (low + high)) / (high - low);
                let weights = chebychev_weights(coefficients.len(), (z(a), z(b)), 0.5 * (high - low));
                self.log_of_linear(coefficients, &weights, b - a, at)?
            }
            Kind::CrystalBall { m0, left, right, .. } => {
                self.crystal_ball_mass(m0, left, right.as_ref(), (a, b), at)?
            }
            Kind::Exponential { c, .. } => {
                let c = self.slot(c, at)?;
                self.log_exponential_mass(c, (a, b))
            }
            Kind::Gaussian { mean, sigma, .. } => {
                let (mean, sigma) = (self.slot(mean, at)?, self.slot(sigma, at)?);
                self.log_gaussian_mass(mean, sigma, (a, b))
            }
            Kind::LogNormal { mu, sigma, .. } if a >= 0.0 => {
                let (mu, sigma) = (self.slot(mu, at)?, self.slot(sigma, at)?);
                self.log_gaussian_mass(mu, sigma, (a.ln(), b.ln()))
            }
            // A probability already: no part of the range is cut off (D13).
            Kind::Poisson { .. } => self.builder.constant(0.0),
            Kind::Polynomial { coefficients, .. } => {
                let weight = |i: usize| (b.powi(i as i32 + 1) - a.powi(i as i32 + 1)) / (i + 1) as f64;
                let weights: Vec<f64> = (0..coefficients.len()).map(weight).collect();
                self.log_of_linear(coefficients, &weights, 0.0, at)?
            }
            Kind::PowerSum { coefficients, exponents, .. } if a > 0.0 => {
                self.log_power_sum(coefficients, exponents, (a, b), at)?
            }
            Kind::Uniform { min, max, .. } => self.log_uniform_mass([min.as_ref(), max.as_ref()], (a, b), at)?,
            Kind::Decay { .. } => return self.decay_mass(d, (a, b)),
            _ => return Ok(None),
        }))
    }

    /// Eq. 26.
    fn bifurcated_mass(&mut self, mean: &Slot, sigmas: [&Slot; 2], range: (f64, f64), at: &str) -> Result<Id> {
        let zero = self.builder.constant(0.0);
        let left = self.half_mass(mean, sigmas[0], range, Binary::Min, zero, at)?;
        let right = self.half_mass(mean, sigmas[1], range, Binary::Max, zero, at)?;
        let sum = self.builder.add(left, right);
        let sum = self.builder.scale(sum, (2.0 * PI).sqrt());
        Ok(self.builder.log(sum))
    }

    /// Eq. 28, between the ends that are written where these are within the range.
    fn log_uniform_mass(&mut self, [min, max]: [Option<&Slot>; 2], (a, b): (f64, f64), at: &str) -> Result<Id> {
        let (mut low, mut high) = (self.builder.constant(a), self.builder.constant(b));
        if let Some(min) = min {
            let min = self.slot(min, at)?;
            low = self.builder.binary(Binary::Max, min, low);
        }
        if let Some(max) = max {
            let max = self.slot(max, at)?;
            high = self.builder.binary(Binary::Min, max, high);
        }
        let width = self.builder.subtract(high, low);
        Ok(self.builder.log(width))
    }

    /// Something else than the variate depends on the observable.
    fn others_depend(&mut self, d: &Distribution, x: usize) -> Result<bool> {
        let slots: Vec<&Slot> = match &d.kind {
            Kind::Bernstein { coefficients, .. }
            | Kind::Chebychev { coefficients, .. }
            | Kind::Polynomial { coefficients, .. } => coefficients.iter().collect(),
            Kind::PowerSum { coefficients, exponents, .. } => coefficients.iter().chain(exponents).collect(),
            Kind::Argus { resonance, slope, power, .. } => vec![resonance, slope, power],
            Kind::BifurcatedGaussian { mean, sigma_left, sigma_right, .. } => vec![mean, sigma_left, sigma_right],
            Kind::CrystalBall { m0, left, right, .. } => {
                let tails = [Some(left), right.as_ref()];
                let slots = tails.into_iter().flatten().flat_map(|tail| [&tail.sigma, &tail.alpha, &tail.n]);
                slots.chain([m0]).collect()
            }
            Kind::Exponential { c, .. } => vec![c],
            Kind::Gaussian { mean, sigma, .. } => vec![mean, sigma],
            Kind::LogNormal { mu, sigma, .. } => vec![mu, sigma],
            Kind::Poisson { mean, .. } => vec![mean],
            Kind::Uniform { min, max, .. } => min.iter().chain(max).collect(),
            Kind::Decay { tau, .. } => vec![tau],
            _ => vec![],
        };
        for slot in slots {
            let id = self.slot(slot, &d.pointer)?;
            if self.builder.observables_of(id).contains(&x) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// ln(Σ cᵢ wᵢ + w).
    fn log_of_linear(&mut self, coefficients: &[Slot], weights: &[f64], constant: f64, at: &str) -> Result<Id> {
        let coefficients = self.slots(coefficients, at)?;
        let mut terms = vec![self.builder.constant(constant)];
        terms.extend(coefficients.iter().zip(weights).map(|(c, w)| self.builder.scale(*c, *w)).collect::<Vec<_>>());
        let sum = self.builder.sum(&terms);
        Ok(self.builder.log(sum))
    }

    /// ln ∫ exp(−(x − m)²/2σ²) dx = ln σ√(2π) + ln(Φ(z_b) − Φ(z_a)).
    pub(super) fn log_gaussian_mass(&mut self, mean: Id, sigma: Id, (a, b): (f64, f64)) -> Id {
        let (za, zb) = (self.standardised(a, mean, sigma), self.standardised(b, mean, sigma));
        let mass = self.builder.binary(Binary::LogNormalMass, za, zb);
        let log = self.builder.log(sigma);
        let sum = self.builder.add(log, mass);
        self.builder.shift(sum, 0.5 * (2.0 * PI).ln())
    }

    /// (x − m)/σ.
    fn standardised(&mut self, x: f64, mean: Id, sigma: Id) -> Id {
        let x = self.builder.constant(x);
        let distance = self.builder.subtract(x, mean);
        self.builder.divide(distance, sigma)
    }

    /// ln ∫ m u^p exp(cu) dm = ln (m₀²/2) ∫ u^p exp(cu) du with u = 1 − (m/m₀)² cut off at zero, by quadrature over the
    /// fraction of the way from one end to the other: so the ends may move with m₀.
    fn log_argus_mass(&mut self, m0: Id, c: Id, p: Id, (low, high): (f64, f64), at: &str) -> Result<Id> {
        let fraction = self.builder.observable_index("\u{0}fraction");
        let b = &mut self.builder;
        let t = b.observable("\u{0}fraction");
        let zero = b.constant(0.0);
        let square = b.multiply(m0, m0);
        let mut end = |m: f64| {
            let m = b.constant(-m * m);
            let ratio = b.divide(m, square);
            let u = b.shift(ratio, 1.0);
            b.binary(Binary::Max, u, zero)
        };
        let (from, to) = (end(high), end(low));
        let length = b.subtract(to, from);
        let way = b.multiply(length, t);
        let u = b.add(from, way);
        let (log, cu) = (b.log(u), b.multiply(c, u));
        let power = b.multiply(p, log);
        let exponent = b.add(power, cu);
        let integrand = b.exp(exponent);
        let integral = self.integrate(integrand, vec![(fraction, 0.0, 1.0)], at)?;
        let b = &mut self.builder;
        let half = b.scale(square, 0.5);
        let product = b.product(&[half, length, integral]);
        Ok(b.log(product))
    }

    /// σ (Φ(z_b) − Φ(z_a)) of the side of zero that `limit` leaves.
    fn half_mass(
        &mut self,
        mean: &Slot,
        sigma: &Slot,
        (a, b): (f64, f64),
        limit: Binary,
        zero: Id,
        at: &str,
    ) -> Result<Id> {
        let (mean, sigma) = (self.slot(mean, at)?, self.slot(sigma, at)?);
        let (za, zb) = (self.standardised(a, mean, sigma), self.standardised(b, mean, sigma));
        let (za, zb) = (self.builder.binary(limit, za, zero), self.builder.binary(limit, zb, zero));
        let log = self.builder.binary(Binary::LogNormalMass, za, zb);
        let mass = self.builder.exp(log);
        Ok(self.builder.multiply(sigma, mass))
    }

    /// ln ∫ exp(−cx) dx = −c m + ln 2h + ln(sinh ch / ch), m the middle and h half the width.
    fn log_exponential_mass(&mut self, c: Id, (a, b): (f64, f64)) -> Id {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let (shift, scaled) = (self.builder.scale(c, -middle), self.builder.scale(c, half));
        let bend = self.unary(Unary::LogSinhc, scaled);
        let sum = self.builder.add(shift, bend);
        self.builder.shift(sum, (2.0 * half).ln())
    }

    /// ln Σ cᵢ ∫ x^bᵢ dx.
    fn log_power_sum(&mut self, coefficients: &[Slot], exponents: &[Slot], range: (f64, f64), at: &str) -> Result<Id> {
        let mut terms = Vec::with_capacity(coefficients.len());
        for (c, exponent) in coefficients.iter().zip(exponents) {
            let (c, exponent) = (self.slot(c, at)?, self.slot(exponent, at)?);
            let mass = self.power_mass(exponent, range);
            terms.push(self.builder.multiply(c, mass));
        }
        let sum = self.builder.sum(&terms);
        Ok(self.builder.log(sum))
    }

    /// ∫ x^p dx over positive x: that of exp((p + 1)u) over u = ln x, also for p = −1.
    fn power_mass(&mut self, exponent: Id, (a, b): (f64, f64)) -> Id {
        let next = self.builder.shift(exponent, 1.0);
        let c = self.builder.negative(next);
        let log = self.log_exponential_mass(c, (a.ln(), b.ln()));
        self.builder.exp(log)
    }

    /// ∫ Bₖ over part of the axis, for each k: differences of Σ_{j > k} B_j of the next degree, over n + 1.
    fn bernstein_weights(&mut self, x: &Slot, count: usize, (a, b): (f64, f64), at: &str) -> Result<Vec<f64>> {
        let (low, high) = self.axis_range(x, at)?;
        let n = count.saturating_sub(1);
        let primitive = |k: usize, x: f64| {
            let t = (x - low) / (high - low);
            let basis = |j: usize| binomial(n + 1, j) * t.powi(j as i32) * (1.0 - t).powi((n + 1 - j) as i32);
            (k + 1..=n + 1).map(basis).sum::<f64>() * (high - low) / (n + 1) as f64
        };
        Ok((0..count).map(|k| primitive(k, b) - primitive(k, a)).collect())
    }

    fn crystal_ball_mass(
        &mut self,
        m0: &Slot,
        left: &Tail,
        right: Option<&Tail>,
        (a, b): (f64, f64),
        at: &str,
    ) -> Result<Id> {
        let m0 = self.slot(m0, at)?;
        let [sigma, alpha, n] = self.three([&left.sigma, &left.alpha, &left.n], at)?;
        let (ta, tb) = (self.standardised(a, m0, sigma), self.standardised(b, m0, sigma));
        let sum = match right {
            None => {
                let (minus_a, minus_b) = (self.builder.negative(ta), self.builder.negative(tb));
                let zero = self.builder.constant(0.0);
                let flipped = self.less(alpha, zero);
                let (from, to) = (self.builder.select(flipped, minus_b, ta), self.builder.select(flipped, minus_a, tb));
                let mass = self.side_mass(from, to, alpha, n);
                self.builder.multiply(sigma, mass)
            }
            Some(right) => {
                let zero = self.builder.constant(0.0);
                let (from, to) =
                    (self.builder.binary(Binary::Min, ta, zero), self.builder.binary(Binary::Min, tb, zero));
                let below = self.side_mass(from, to, alpha, n);
                let below = self.builder.multiply(sigma, below);
                let [sigma, alpha, n] = self.three([&right.sigma, &right.alpha, &right.n], at)?;
                let (ta, tb) = (self.standardised(a, m0, sigma), self.standardised(b, m0, sigma));
                let (minus_a, minus_b) = (self.builder.negative(ta), self.builder.negative(tb));
                let from = self.builder.binary(Binary::Min, minus_b, zero);
                let to = self.builder.binary(Binary::Min, minus_a, zero);
                let above = self.side_mass(from, to, alpha, n);
                let above = self.builder.multiply(sigma, above);
                self.builder.add(below, above)
            }
        };
        Ok(self.builder.log(sum))
    }

    /// ∫ dt of the core above −|α| and of the power law below it; the latter in v = 1 − |α|(|α| + t)/n is ∫ v^(−n) dv.
    fn side_mass(&mut self, from: Id, to: Id, alpha: Id, n: Id) -> Id {
        let alpha = self.unary(Unary::Abs, alpha);
        let edge = self.builder.negative(alpha);
        let b = &mut self.builder;
        let (c1, c2) = (b.binary(Binary::Max, from, edge), b.binary(Binary::Max, to, edge));
        let core = b.binary(Binary::LogNormalMass, c1, c2);
        let core = b.exp(core);
        let core = b.scale(core, (2.0 * PI).sqrt());
        let slope = b.divide(alpha, n);
        let mut end = |t: Id| {
            let t = b.binary(Binary::Min, t, edge);
            let sum = b.add(alpha, t);
            let product = b.multiply(slope, sum);
            let minus = b.negative(product);
            let v = b.shift(minus, 1.0);
            b.log(v)
        };
        // v falls with t.
        let (high, low) = (end(from), end(to));
        let (sum, difference) = (b.add(low, high), b.subtract(high, low));
        let (middle, half) = (b.scale(sum, 0.5), b.scale(difference, 0.5));
        let minus = b.negative(n);
        let power = b.shift(minus, 1.0);
        let (shift, scaled) = (b.multiply(power, middle), b.multiply(power, half));
        let bend = b.unary(Unary::LogSinhc, scaled);
        let square = b.multiply(alpha, alpha);
        let height = b.scale(square, -0.5);
        let exponent = b.sum(&[shift, bend, height]);
        let tail = b.exp(exponent);
        let tail = b.multiply(tail, difference);
        let tail = b.divide(tail, slope);
        b.add(core, tail)
    }
}

/// ∫ Tᵢ dz for i = 1 …, times a scale.
fn chebychev_weights(count: usize, (za, zb): (f64, f64), scale: f64) -> Vec<f64> {
    let polynomials = |z: f64| {
        let mut t = vec![1.0, z];
        for i in 2..count + 2 {
            t.push(2.0 * z * t[i - 1] - t[i - 2]);
        }
        t
    };
    let (at_a, at_b) = (polynomials(za), polynomials(zb));
    let primitive = |t: &[f64], i: usize| match i {
        1 => 0.25 * t[2] + 0.25,
        _ => 0.5 * (t[i + 1] / (i + 1) as f64 - t[i - 1] / (i - 1) as f64),
    };
    (1..=count).map(|i| scale * (primitive(&at_b, i) - primitive(&at_a, i))).collect()
}

/// The place of the only variate of a type.
pub(super) fn variate_slot(kind: &Kind) -> Option<&Slot> {
    Some(match kind {
        Kind::Argus { mass: x, .. }
        | Kind::Bernstein { x, .. }
        | Kind::BifurcatedGaussian { x, .. }
        | Kind::Chebychev { x, .. }
        | Kind::CrystalBall { m: x, .. }
        | Kind::Decay { t: x, .. }
        | Kind::Exponential { x, .. }
        | Kind::Gamma { x, .. }
        | Kind::Gaussian { x, .. }
        | Kind::GeneralizedNormal { x, .. }
        | Kind::Landau { x, .. }
        | Kind::LegacyExpPoly { x, .. }
        | Kind::LogNormal { x, .. }
        | Kind::Poisson { x, .. }
        | Kind::Polynomial { x, .. }
        | Kind::PowerFall { m: x, .. }
        | Kind::PowerSum { x, .. }
        | Kind::RelativisticBreitWigner { x, .. }
        | Kind::Uniform { x, .. } => x,
        _ => return None,
    })
}
