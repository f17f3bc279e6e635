//! Densities of the fundamental types before they are normalised (spec/hs3.md, eq. 1 to 24).

use super::builder::Id;
use super::maker::{Maker, unsupported};
use crate::document::hs3::{Covariance, Distribution, DistributionKind, Slot, Tail};
use crate::expression::{Binary, Unary};
use crate::finding::{Finding, Result, number, quote};
use crate::rule;

/// Bins that a finding names, at most.
const MOST_BINS: usize = 8;

/// A density up to a factor, or its logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Plain(Id),
    Log(Id),
}

impl Maker<'_> {
    pub(super) fn log_of(&mut self, shape: Shape) -> Id {
        match shape {
            Shape::Log(id) => id,
            Shape::Plain(id) => self.builder.log(id),
        }
    }

    pub(super) fn plain_of(&mut self, shape: Shape) -> Id {
        match shape {
            Shape::Log(id) => self.builder.exp(id),
            Shape::Plain(id) => id,
        }
    }

    /// The shape of a fundamental type; nothing for a composite one.
    pub(super) fn fundamental(&mut self, d: &Distribution) -> Result<Option<Shape>> {
        if let Some(log) = self.log_shape(d)? {
            return Ok(Some(Shape::Log(log)));
        }
        Ok(self.plain_shape(d)?.map(Shape::Plain))
    }

    /// Types whose logarithm is the simpler function.
    fn log_shape(&mut self, d: &Distribution) -> Result<Option<Id>> {
        use DistributionKind as Kind;
        let at = d.pointer.as_str();
        Ok(Some(match &d.kind {
            Kind::Argus { mass, resonance, slope, power } => {
                let [m, m0, c, p] = self.four([mass, resonance, slope, power], at)?;
                self.argus(m, m0, c, p)
            }
            Kind::BifurcatedGaussian { x, mean, sigma_left, sigma_right } => {
                let [x, mean, left, right] = self.four([x, mean, sigma_left, sigma_right], at)?;
                let distance = self.builder.subtract(x, mean);
                let zero = self.builder.constant(0.0);
                let below = self.less(distance, zero);
                let sigma = self.builder.select(below, left, right);
                self.minus_half_square(distance, sigma)
            }
            Kind::CrystalBall { m, m0, left, right } => self.crystal_ball(m, m0, left, right.as_ref(), at)?,
            Kind::Exponential { x, c } => {
                let (x, c) = (self.slot(x, at)?, self.slot(c, at)?);
                let c = self.builder.negative(c);
                self.builder.multiply(c, x)
            }
            Kind::Gamma { x, gamma, beta, mu } => {
                let [x, gamma, beta, mu] = self.four([x, gamma, beta, mu], at)?;
                self.gamma(x, gamma, beta, mu)
            }
            Kind::Gaussian { x, mean, sigma } => {
                let [x, mean, sigma] = self.three([x, mean, sigma], at)?;
                let distance = self.builder.subtract(x, mean);
                self.minus_half_square(distance, sigma)
            }
            Kind::GeneralizedNormal { x, mean, alpha, beta } => {
                let [x, mean, alpha, beta] = self.four([x, mean, alpha, beta], at)?;
                self.generalized_normal(x, mean, alpha, beta)
            }
            Kind::Landau { x, mean, sigma } => {
                let [x, mean, sigma] = self.three([x, mean, sigma], at)?;
                let distance = self.builder.subtract(x, mean);
                let lambda = self.builder.divide(distance, sigma);
                self.unary(Unary::LogLandau, lambda)
            }
            Kind::LegacyExpPoly { x, coefficients } => {
                let (x, coefficients) = (self.slot(x, at)?, self.slots(coefficients, at)?);
                self.builder.polynomial(x, &coefficients)
            }
            Kind::LogNormal { x, mu, sigma } => {
                let [x, mu, sigma] = self.three([x, mu, sigma], at)?;
                let log = self.builder.log(x);
                let distance = self.builder.subtract(log, mu);
                let square = self.minus_half_square(distance, sigma);
                self.builder.subtract(square, log)
            }
            Kind::MultivariateNormal { x, mean, covariance } => self.multivariate(x, mean, covariance, at)?.0,
            Kind::Poisson { x, mean, integer } => {
                let (x, mean) = (self.slot(x, at)?, self.slot(mean, at)?);
                let x = if *integer { self.unary(Unary::Floor, x) } else { x };
                self.log_poisson(x, mean)
            }
            Kind::Uniform { min: None, max: None, .. } => self.builder.constant(0.0),
            Kind::Uniform { x, min, max } => self.box_shape(x, min.as_ref(), max.as_ref(), at)?,
            _ => return Ok(None),
        }))
    }

    /// The other fundamental types.
    fn plain_shape(&mut self, d: &Distribution) -> Result<Option<Id>> {
        use DistributionKind as Kind;
        let at = d.pointer.as_str();
        Ok(Some(match &d.kind {
            Kind::Bernstein { x, coefficients } => self.bernstein(x, coefficients, at)?,
            Kind::Chebychev { x, coefficients } => self.chebychev(x, coefficients, at)?,
            Kind::Decay { .. } => self.decay(d)?,
            Kind::Generic(formula) => self.formula(formula, at)?,
            Kind::Histogram { axes, contents } => {
                self.warn_of_negative_bins(&contents.contents, at);
                let volumes = super::closed::volumes(axes);
                let density = |(n, v): (&f64, &f64)| Slot::Number(n / v);
                let entries: Vec<Slot> = contents.contents.iter().zip(&volumes).map(density).collect();
                let entries = self.slots(&entries, at)?;
                let index = self.bin_index(axes, at)?;
                self.builder.gather(entries, index)
            }
            Kind::Polynomial { x, coefficients } => {
                let (x, coefficients) = (self.slot(x, at)?, self.slots(coefficients, at)?);
                self.builder.polynomial(x, &coefficients)
            }
            Kind::PowerFall { m, shift, power, fall } => {
                let [m, shift, power, fall] = self.four([m, shift, power, fall], at)?;
                let b = &mut self.builder;
                let sum = b.add(m, shift);
                let (rise, product) = (b.binary(Binary::Power, sum, power), b.multiply(fall, m));
                let exponent = b.negative(product);
                let exponential = b.exp(exponent);
                b.multiply(rise, exponential)
            }
            Kind::PowerSum { x, coefficients, exponents } => self.power_sum(x, coefficients, exponents, at)?,
            Kind::RelativisticBreitWigner { x, mass, channels } => self.breit_wigner(x, mass, channels, at)?,
            _ => return Ok(None),
        }))
    }

    /// Says once which bins of a histogram make a density negative.
    fn warn_of_negative_bins(&mut self, contents: &[f64], at: &str) {
        let negative = contents.iter().enumerate().filter(|(_, n)| **n < 0.0);
        let negative: Vec<String> = negative.map(|(bin, n)| format!("{} in bin {bin}", number(*n))).collect();
        let at = format!("{at}/data/contents");
        let is_known = |finding: &Finding| {
            finding.rule == rule::HS3_NEGATIVE_BINS.id && finding.pointer.as_deref() == Some(at.as_str())
        };
        if negative.is_empty() || self.warnings.0.iter().any(is_known) {
            return;
        }
        let more = if negative.len() > MOST_BINS {
            format!(" and {} more", negative.len() - MOST_BINS)
        } else {
            String::new()
        };
        let found = format!("{}{more}", negative.iter().take(MOST_BINS).cloned().collect::<Vec<_>>().join(", "));
        self.warnings.push(
            Finding::new(&rule::HS3_NEGATIVE_BINS, found, "contents that are not negative (bins count from 0)").at(at),
        );
    }

    /// 0 between the ends and −∞ outside.
    fn box_shape(&mut self, x: &Slot, min: Option<&Slot>, max: Option<&Slot>, at: &str) -> Result<Id> {
        let x = self.slot(x, at)?;
        let (zero, never) = (self.builder.constant(0.0), self.builder.constant(f64::NEG_INFINITY));
        let mut log = zero;
        for (end, outside) in [(min, Binary::Less), (max, Binary::Greater)] {
            if let Some(end) = end {
                let end = self.slot(end, at)?;
                let beyond = self.builder.binary(outside, x, end);
                log = self.builder.select(beyond, never, log);
            }
        }
        Ok(log)
    }

    /// −(|x − μ|/α)^β.
    fn generalized_normal(&mut self, x: Id, mean: Id, alpha: Id, beta: Id) -> Id {
        let distance = self.builder.subtract(x, mean);
        let z = self.builder.divide(distance, alpha);
        let z = self.unary(Unary::Abs, z);
        let power = self.builder.binary(Binary::Power, z, beta);
        self.builder.negative(power)
    }

    pub(super) fn three(&mut self, slots: [&Slot; 3], at: &str) -> Result<[Id; 3]> {
        Ok([self.slot(slots[0], at)?, self.slot(slots[1], at)?, self.slot(slots[2], at)?])
    }

    pub(super) fn four(&mut self, slots: [&Slot; 4], at: &str) -> Result<[Id; 4]> {
        Ok([self.slot(slots[0], at)?, self.slot(slots[1], at)?, self.slot(slots[2], at)?, self.slot(slots[3], at)?])
    }

    /// −d²/(2σ²).
    pub(super) fn minus_half_square(&mut self, distance: Id, sigma: Id) -> Id {
        let b = &mut self.builder;
        let (square, variance) = (b.multiply(distance, distance), b.multiply(sigma, sigma));
        let minus_half = b.constant(-0.5);
        let factor = b.divide(minus_half, variance);
        b.multiply(factor, square)
    }

    /// x ln λ − λ − ln Γ(x + 1), with 0 ln 0 = 0.
    pub(super) fn log_poisson(&mut self, x: Id, mean: Id) -> Id {
        let b = &mut self.builder;
        let log = b.log(mean);
        let product = b.multiply(x, log);
        let zero = b.constant(0.0);
        let nothing = b.binary(Binary::Equal, x, zero);
        let first = b.select(nothing, zero, product);
        let next = b.shift(x, 1.0);
        let factorial = b.unary(Unary::LogGamma, next);
        let difference = b.subtract(first, factorial);
        b.subtract(difference, mean)
    }

    /// ln m + p ln u + c u with u = 1 − (m/m₀)², −∞ for m ≥ m₀.
    fn argus(&mut self, m: Id, m0: Id, c: Id, p: Id) -> Id {
        let b = &mut self.builder;
        let ratio = b.divide(m, m0);
        let square = b.multiply(ratio, ratio);
        let square = b.negative(square);
        let u = b.shift(square, 1.0);
        let (ln_u, ln_m, cu) = (b.log(u), b.log(m), b.multiply(c, u));
        let power = b.multiply(p, ln_u);
        let inside = b.sum(&[ln_m, power, cu]);
        let (zero, never) = (b.constant(0.0), b.constant(f64::NEG_INFINITY));
        let positive = b.binary(Binary::Greater, u, zero);
        b.select(positive, inside, never)
    }

    /// (γ − 1) ln y − y with y = (x − μ)/β, up to a constant.
    fn gamma(&mut self, x: Id, gamma: Id, beta: Id, mu: Id) -> Id {
        let b = &mut self.builder;
        let distance = b.subtract(x, mu);
        let y = b.divide(distance, beta);
        let log = b.log(y);
        let less = b.shift(gamma, -1.0);
        let product = b.multiply(less, log);
        b.subtract(product, y)
    }

    /// 1 + Σ aᵢ Tᵢ(z), z the variate scaled from its axis to [−1, 1].
    fn chebychev(&mut self, x: &Slot, coefficients: &[Slot], at: &str) -> Result<Id> {
        let ((low, high), x) = (self.axis_range(x, at)?, self.slot(x, at)?);
        let coefficients = self.slots(coefficients, at)?;
        let b = &mut self.builder;
        let z = b.scale(x, 2.0 / (high - low));
        let z = b.shift(z, -(low + high) / (high - low));
        let (mut before, mut polynomial) = (b.constant(1.0), z);
        let mut terms = vec![before];
        for a in coefficients {
            terms.push(b.multiply(a, polynomial));
            let double = b.scale(z, 2.0);
            let product = b.multiply(double, polynomial);
            let next = b.subtract(product, before);
            (before, polynomial) = (polynomial, next);
        }
        Ok(b.sum(&terms))
    }

    /// Σ cₖ C(n, k) tᵏ (1 − t)^(n−k), t the variate scaled from its axis to [0, 1].
    fn bernstein(&mut self, x: &Slot, coefficients: &[Slot], at: &str) -> Result<Id> {
        if coefficients.len() > 500 {
            return unsupported(at, format!("{} coefficients", coefficients.len()), "at most 500");
        }
        let ((low, high), x) = (self.axis_range(x, at)?, self.slot(x, at)?);
        let coefficients = self.slots(coefficients, at)?;
        let degree = coefficients.len().saturating_sub(1);
        let b = &mut self.builder;
        let t = b.shift(x, -low);
        let t = b.scale(t, 1.0 / (high - low));
        let minus = b.negative(t);
        let rest = b.shift(minus, 1.0);
        let mut terms = Vec::with_capacity(coefficients.len());
        for (k, c) in coefficients.into_iter().enumerate() {
            let (up, down) = (b.power(t, k as f64), b.power(rest, (degree - k) as f64));
            let basis = b.multiply(up, down);
            let basis = b.scale(basis, super::closed::binomial(degree, k));
            terms.push(b.multiply(c, basis));
        }
        Ok(b.sum(&terms))
    }

    /// Σ cᵢ x^bᵢ.
    fn power_sum(&mut self, x: &Slot, coefficients: &[Slot], exponents: &[Slot], at: &str) -> Result<Id> {
        let positive = self.axis_range(x, at).is_ok_and(|(low, _)| low > 0.0);
        let x = self.slot(x, at)?;
        let (coefficients, exponents) = (self.slots(coefficients, at)?, self.slots(exponents, at)?);
        if coefficients.len() != exponents.len() {
            let found = format!("{} coefficients and {} exponents", coefficients.len(), exponents.len());
            return super::maker::fail(&crate::rule::HS3_COMPONENT, at, found, "one exponent for each coefficient");
        }
        let b = &mut self.builder;
        let log = b.log(x);
        let mut terms = Vec::with_capacity(coefficients.len());
        for (c, exponent) in coefficients.into_iter().zip(exponents) {
            let power = if positive {
                let product = b.multiply(exponent, log);
                b.exp(product)
            } else {
                b.binary(Binary::Power, x, exponent)
            };
            terms.push(b.multiply(c, power));
        }
        Ok(b.sum(&terms))
    }

    /// The Gaussian core with a power law beyond −α on the left, or on both sides.
    fn crystal_ball(&mut self, m: &Slot, m0: &Slot, left: &Tail, right: Option<&Tail>, at: &str) -> Result<Id> {
        let (m, m0) = (self.slot(m, at)?, self.slot(m0, at)?);
        let [sigma, alpha, n] = self.three([&left.sigma, &left.alpha, &left.n], at)?;
        let distance = self.builder.subtract(m, m0);
        let t = self.builder.divide(distance, sigma);
        let Some(right) = right else {
            let sign = self.sign(alpha);
            let t = self.builder.multiply(sign, t);
            return Ok(self.one_side(t, alpha, n));
        };
        let below = self.one_side(t, alpha, n);
        let [sigma, alpha, n] = self.three([&right.sigma, &right.alpha, &right.n], at)?;
        let t = self.builder.divide(distance, sigma);
        let mirrored = self.builder.negative(t);
        let above = self.one_side(mirrored, alpha, n);
        let zero = self.builder.constant(0.0);
        let is_below = self.less(distance, zero);
        Ok(self.builder.select(is_below, below, above))
    }

    /// −1 for a negative number, else 1.
    pub(super) fn sign(&mut self, a: Id) -> Id {
        let (zero, minus, plus) = (self.builder.constant(0.0), self.builder.constant(-1.0), self.builder.constant(1.0));
        let negative = self.less(a, zero);
        self.builder.select(negative, minus, plus)
    }

    /// −t²/2 for t ≥ −|α|, else −α²/2 − n ln(1 − |α|(|α| + t)/n).
    fn one_side(&mut self, t: Id, alpha: Id, n: Id) -> Id {
        let alpha = self.unary(Unary::Abs, alpha);
        let b = &mut self.builder;
        let (square, tail_square) = (b.multiply(t, t), b.multiply(alpha, alpha));
        let (core, edge) = (b.scale(square, -0.5), b.scale(tail_square, -0.5));
        let sum = b.add(alpha, t);
        let slope = b.divide(alpha, n);
        let slope = b.negative(slope);
        let product = b.multiply(slope, sum);
        let v = b.shift(product, 1.0);
        let log = b.log(v);
        let minus = b.negative(n);
        let fall = b.multiply(minus, log);
        let tail = b.add(edge, fall);
        let minus = b.negative(alpha);
        let outside = b.binary(Binary::Less, t, minus);
        b.select(outside, tail, core)
    }

    /// −d'S⁻¹d/2 by Cholesky's decomposition S = LL', and ln det L.
    pub(super) fn multivariate(
        &mut self,
        x: &[Slot],
        mean: &[Slot],
        covariance: &Covariance,
        at: &str,
    ) -> Result<(Id, Id)> {
        if x.len() > 60 {
            return unsupported(at, format!("{} variates", x.len()), "at most 60");
        }
        let (x, mean) = (self.slots(x, at)?, self.slots(mean, at)?);
        let lower = self.cholesky(covariance, at)?;
        let b = &mut self.builder;
        let (mut solved, mut log_det): (Vec<Id>, Id) = (Vec::with_capacity(x.len()), b.constant(0.0));
        for (i, row) in lower.iter().enumerate() {
            let mut rest = b.subtract(x[i], mean[i]);
            for (l, z) in row.iter().zip(&solved) {
                let product = b.multiply(*l, *z);
                rest = b.subtract(rest, product);
            }
            solved.push(b.divide(rest, row[i]));
            let log = b.log(row[i]);
            log_det = b.add(log_det, log);
        }
        let squares: Vec<Id> = solved.into_iter().map(|z| b.multiply(z, z)).collect();
        let sum = b.sum(&squares);
        Ok((b.scale(sum, -0.5), log_det))
    }

    /// Rows of L with S = LL', each up to its diagonal.
    fn cholesky(&mut self, covariance: &Covariance, at: &str) -> Result<Vec<Vec<Id>>> {
        let (matrix, deviations) = match covariance {
            Covariance::Covariances(matrix) => (matrix, None),
            Covariance::Correlations { correlations, standard_deviations } => {
                (correlations, Some(self.slots(standard_deviations, at)?))
            }
        };
        let mut lower: Vec<Vec<Id>> = Vec::with_capacity(matrix.len());
        for (i, row) in matrix.iter().enumerate() {
            let mut made: Vec<Id> = Vec::with_capacity(i + 1);
            for (j, entry) in row.iter().enumerate().take(i + 1) {
                let entry = self.slot(entry, at)?;
                let b = &mut self.builder;
                let mut rest = match &deviations {
                    Some(deviations) => b.product(&[entry, deviations[i], deviations[j]]),
                    None => entry,
                };
                let other = if i == j { made.clone() } else { lower[j].clone() };
                for (a, c) in made.iter().zip(&other) {
                    let product = b.multiply(*a, *c);
                    rest = b.subtract(rest, product);
                }
                made.push(if i == j { b.unary(Unary::Sqrt, rest) } else { b.divide(rest, lower[j][j]) });
            }
            lower.push(made);
        }
        Ok(lower)
    }

    /// The range of the axis of a variate.
    pub(super) fn axis_range(&mut self, x: &Slot, at: &str) -> Result<(f64, f64)> {
        let name = match x {
            Slot::Name(name) => name.as_str(),
            Slot::Number(_) => "a number",
        };
        let known = self.ranges.get(name).copied().or_else(|| self.range_in_domains(name, None));
        match known.filter(|(low, high)| low.is_finite() && high.is_finite()) {
            Some(range) => Ok(range),
            None => super::maker::fail(
                &crate::rule::HS3_RANGE,
                at,
                format!("no range of {}", quote(name)),
                "a finite range",
            ),
        }
    }
}
