//! Densities normalised over variates: mixtures, products and all others (spec/hs3.md, "Normalisation").

use super::builder::Id;
use super::maker::{Maker, fail, unsupported};
use super::shape::Shape;
use crate::document::hs3::{Distribution, DistributionKind as Kind, Slot};
use crate::finding::{Result, quote};
use crate::rule;

/// A density that is normalised.
#[derive(Clone, Debug)]
pub(super) struct Density {
    pub log: Id,
    /// The expected number of events of an extended density.
    pub rate: Option<Id>,
    /// Factors that depend on no variate of the data: constraints, by name.
    pub constraints: Vec<String>,
}

impl Density {
    pub(super) fn plain(log: Id) -> Density {
        Density { log, rate: None, constraints: Vec::new() }
    }
}

/// An observable and its range.
pub(super) type Range = (usize, f64, f64);

impl<'d> Maker<'d> {
    pub(super) fn distribution_named(&self, name: &str, at: &str) -> Result<&'d Distribution> {
        match self.document.distribution(name) {
            Some(distribution) => Ok(distribution),
            None => fail(&rule::HS3_UNRESOLVED, at, quote(name), "the name of a distribution of the document"),
        }
    }

    /// The variates of the present data with their ranges, by index.
    pub(super) fn all_ranges(&mut self) -> Vec<Range> {
        let mut names: Vec<(String, (f64, f64))> = self.ranges.iter().map(|(n, r)| (n.clone(), *r)).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        names.into_iter().map(|(name, (low, high))| (self.builder.observable_index(&name), low, high)).collect()
    }

    /// Which variates of the present data a distribution depends on, sorted.
    pub(super) fn variates_of(&mut self, d: &'d Distribution) -> Result<Vec<usize>> {
        let mut found = std::collections::BTreeSet::new();
        let (mut open, mut seen) = (vec![d.references.as_slice()], std::collections::HashSet::new());
        if let Kind::Histogram { axes, .. } = &d.kind {
            found.extend(axes.iter().filter(|a| self.ranges.contains_key(&a.name)).map(|a| a.name.clone()));
        }
        while let Some(references) = open.pop() {
            for reference in references.iter().filter(|reference| seen.insert(reference.name.as_str())) {
                if self.ranges.contains_key(&reference.name) {
                    found.insert(reference.name.clone());
                } else if let Some(function) = self.document.function(&reference.name) {
                    open.push(&function.references);
                } else if let Some(distribution) = self.document.distribution(&reference.name) {
                    if let Kind::Histogram { axes, .. } = &distribution.kind {
                        found.extend(axes.iter().filter(|a| self.ranges.contains_key(&a.name)).map(|a| a.name.clone()));
                    }
                    open.push(&distribution.references);
                }
            }
        }
        let mut indices: Vec<usize> = found.iter().map(|name| self.builder.observable_index(name)).collect();
        indices.sort_unstable();
        Ok(indices)
    }

    /// A density normalised over the ranges of `over`, which hold all its variates.
    pub(super) fn density(&mut self, d: &'d Distribution, over: &[Range]) -> Result<Density> {
        self.deeper(&d.pointer, |maker| maker.density_of(d, over))
    }

    fn density_of(&mut self, d: &'d Distribution, over: &[Range]) -> Result<Density> {
        let at = d.pointer.as_str();
        match &d.kind {
            Kind::Mixture { summands, coefficients, extended } => {
                self.mixture(summands, coefficients, *extended, over, at)
            }
            Kind::Product { factors, normalization } => self.product(factors, normalization, over, at),
            Kind::Projected { pdf, observables } => self.projected(pdf, observables, over, at),
            Kind::Extended { pdf, rate } => {
                let inner = self.distribution_named(pdf, at)?;
                let density = self.density(inner, over)?;
                Ok(Density { rate: Some(self.slot(rate, at)?), ..density })
            }
            Kind::WeightedSum { samples, coefficients, extended } => {
                let (sum, is_extended) = self.weighted_sum(samples, coefficients, *extended, at)?;
                let integral = self.integrate(sum, over.to_vec(), at)?;
                let (log, norm) = (self.builder.log(sum), self.builder.log(integral));
                let log = self.builder.subtract(log, norm);
                Ok(Density { rate: is_extended.then_some(integral), ..Density::plain(log) })
            }
            Kind::RateDensity { density, .. } => {
                let function = self.function_named(density, at)?;
                let integral = self.integrate(function, over.to_vec(), at)?;
                let (log, norm) = (self.builder.log(function), self.builder.log(integral));
                let log = self.builder.subtract(log, norm);
                Ok(Density { rate: Some(integral), ..Density::plain(log) })
            }
            _ => {
                let shape = self.shape(d)?;
                let log = self.log_of(shape);
                let norm = self.log_integral(d, shape, over)?;
                Ok(Density::plain(self.builder.subtract(log, norm)))
            }
        }
    }

    /// A density up to a factor, as a function of its variates.
    pub(super) fn shape(&mut self, d: &'d Distribution) -> Result<Shape> {
        let at = d.pointer.as_str();
        if let Some(shape) = self.fundamental(d)? {
            return Ok(shape);
        }
        match &d.kind {
            Kind::EfficiencyProduct { pdf, efficiency } => {
                let inner = self.distribution_named(pdf, at)?;
                let shape = self.deeper(at, |maker| maker.shape(inner))?;
                let (log, efficiency) = (self.log_of(shape), self.slot(efficiency, at)?);
                let efficiency = self.builder.log(efficiency);
                Ok(Shape::Log(self.builder.add(log, efficiency)))
            }
            Kind::DensityFunction { function, logarithm } => {
                let value = self.function_named(function, at)?;
                Ok(if *logarithm { Shape::Log(value) } else { Shape::Plain(value) })
            }
            Kind::ResolutionModel(model) => self.resolution_shape(model, at),
            Kind::Mixture { .. }
            | Kind::Product { .. }
            | Kind::Projected { .. }
            | Kind::WeightedSum { .. }
            | Kind::Extended { .. } => {
                let variates = self.variates_of(d)?;
                let over: Vec<Range> = self.all_ranges().into_iter().filter(|(o, ..)| variates.contains(o)).collect();
                Ok(Shape::Log(self.density(d, &over)?.log))
            }
            Kind::Unknown { kind } => {
                fail(&rule::HS3_UNKNOWN_NEEDED, &format!("{at}/type"), quote(kind), "a known type of distribution")
            }
            Kind::HistFactory(_) => {
                unsupported(at, "a HistFactory channel among densities", "a likelihood of channels")
            }
            Kind::FftConvolution { pdf1, pdf2, variable, function } => {
                let same = function.as_ref().is_none_or(|function| function == variable);
                if !same {
                    let expected = "one in conv_var itself";
                    return unsupported(&format!("{at}/conv_func"), "a convolution in a function", expected);
                }
                self.convolution(pdf1, pdf2, variable, at).map(Shape::Plain)
            }
            Kind::BinSampling { .. } | Kind::BincountsDensity { .. } | Kind::BincountsExtended { .. } => {
                unsupported(at, "a density of bins inside of another", "a likelihood that pairs it with binned data")
            }
            Kind::BarlowBeestonLite { .. } => unsupported(at, "a constraint with data", "aux_distributions"),
            _ => unsupported(at, "a mixture of resolutions as a density", "decay_dist with that resolution"),
        }
    }

    /// ln ∫ of a shape over ranges: in closed form where there is one, else by quadrature.
    pub(super) fn log_integral(&mut self, d: &'d Distribution, shape: Shape, over: &[Range]) -> Result<Id> {
        if let Kind::MultivariateNormal { x, mean, covariance } = &d.kind {
            // The ranges are taken for all of space where RooFit takes them so (D35).
            if self.conventions.root_densities || x.len() > 2 {
                let (_, log_det) = self.multivariate(x, mean, covariance, &d.pointer)?;
                let constant = 0.5 * x.len() as f64 * (2.0 * std::f64::consts::PI).ln();
                return Ok(self.builder.shift(log_det, constant));
            }
        }
        if let Kind::Histogram { axes, contents } = &d.kind {
            let whole = |axis: &crate::document::hs3::Axis| {
                let index = self.builder.observable_index(&axis.name);
                over.iter().any(|(o, low, high)| *o == index && *low == axis.min && *high == axis.max)
            };
            if axes.iter().map(whole).collect::<Vec<_>>().into_iter().all(|whole| whole) && over.len() == axes.len() {
                return Ok(self.builder.constant(contents.contents.iter().sum::<f64>().ln()));
            }
        }
        let variates = self.variates_of(d)?;
        let (inside, outside): (Vec<Range>, Vec<Range>) = over.iter().partition(|(o, ..)| variates.contains(o));
        let width: f64 = outside.iter().map(|(_, low, high)| (high - low).ln()).sum();
        let unbounded = matches!(d.kind, Kind::Gaussian { .. } | Kind::LogNormal { .. } | Kind::Poisson { .. });
        if !unbounded {
            self.finite(&inside, &d.pointer)?;
        }
        if let [(x, low, high)] = inside.as_slice()
            && let Some(closed) = self.closed(d, *x, (*low, *high))?
        {
            return Ok(self.builder.shift(closed, width));
        }
        if matches!(d.kind, Kind::Poisson { .. }) {
            return Ok(self.builder.constant(0.0));
        }
        let plain = self.plain_of(shape);
        let integral = self.integrate(plain, inside, &d.pointer)?;
        let log = self.builder.log(integral);
        Ok(self.builder.shift(log, width))
    }

    /// All ranges have both ends.
    fn finite(&self, over: &[Range], at: &str) -> Result<()> {
        match over.iter().find(|(_, low, high)| !(low.is_finite() && high.is_finite())) {
            Some((o, ..)) => {
                let name = self.builder.observables.get(*o).map_or("", String::as_str);
                fail(&rule::HS3_RANGE, at, format!("no range of {}", quote(name)), "a finite range")
            }
            None => Ok(()),
        }
    }

    /// The shares of n parts: n − 1 coefficients and what they leave of 1, or n.
    pub(super) fn shares(&mut self, parts: usize, coefficients: &[Slot], at: &str) -> Result<Vec<Id>> {
        let mut shares = self.slots(coefficients, at)?;
        if shares.len() + 1 == parts {
            let sum = self.builder.sum(&shares);
            let minus = self.builder.negative(sum);
            shares.push(self.builder.shift(minus, 1.0));
        }
        if shares.len() == parts && parts > 0 {
            return Ok(shares);
        }
        let found = format!("{} coefficients of {parts} parts", coefficients.len());
        fail(&rule::HS3_COEFFICIENTS, at, found, "as many coefficients as parts, or one less")
    }

    /// n coefficients are yields, n − 1 are fractions (D12).
    fn mixture(
        &mut self,
        summands: &[String],
        coefficients: &[Slot],
        extended: Option<bool>,
        over: &[Range],
        at: &str,
    ) -> Result<Density> {
        let full = coefficients.len() == summands.len();
        let mut parts = Vec::with_capacity(summands.len());
        for name in summands {
            let part = self.distribution_named(name, at)?;
            parts.push(self.density(part, over)?);
        }
        let rates: Option<Vec<Id>> = parts.iter().map(|part| part.rate).collect();
        let (shares, is_extended) = match rates {
            // Parts that bring their own yields.
            Some(rates) if coefficients.is_empty() && !rates.is_empty() => (rates, true),
            _ => {
                (self.shares(summands.len(), coefficients, at)?, full && self.is_extended(extended, coefficients, at)?)
            }
        };
        if extended == Some(true) && !is_extended {
            let found = format!("extended: true with {} coefficients of {}", coefficients.len(), summands.len());
            return fail(&rule::HS3_COEFFICIENTS, at, found, "a coefficient for each summand");
        }
        let mut terms = Vec::with_capacity(parts.len());
        for (part, share) in parts.iter().zip(&shares) {
            let value = self.builder.exp(part.log);
            terms.push(self.builder.multiply(*share, value));
        }
        let sum = self.builder.sum(&terms);
        let mut log = self.builder.log(sum);
        let mut rate = None;
        if is_extended {
            let total = self.builder.sum(&shares);
            let log_total = self.builder.log(total);
            log = self.builder.subtract(log, log_total);
            rate = Some(total);
        }
        let constraints = parts.into_iter().flat_map(|part| part.constraints).collect();
        Ok(Density { log, rate, constraints })
    }

    /// n coefficients without `extended: true` have to add up to 1; ROOT looks at their number alone.
    fn is_extended(&mut self, extended: Option<bool>, coefficients: &[Slot], at: &str) -> Result<bool> {
        if extended.unwrap_or(true) || self.conventions.root_densities {
            return Ok(true);
        }
        let ids = self.slots(coefficients, at)?;
        let sum = self.builder.sum(&ids);
        match self.builder.number(sum) {
            Some(sum) if (sum - 1.0).abs() <= 1e-6 => Ok(false),
            found => {
                let found = found.map_or("a sum that parameters change".to_string(), |sum| format!("a sum of {sum}"));
                fail(&rule::HS3_COEFFICIENTS, at, found, "coefficients of sum 1, or extended: true")
            }
        }
    }

    /// Σ cᵢ fᵢ of functions, and whether its integral is the expected number of events.
    fn weighted_sum(
        &mut self,
        samples: &[Slot],
        coefficients: &[Slot],
        extended: Option<bool>,
        at: &str,
    ) -> Result<(Id, bool)> {
        let full = coefficients.len() == samples.len();
        let shares = self.shares(samples.len(), coefficients, at)?;
        let samples = self.slots(samples, at)?;
        let terms: Vec<Id> = samples.into_iter().zip(shares).map(|(f, c)| self.builder.multiply(c, f)).collect();
        Ok((self.builder.sum(&terms), full && extended.unwrap_or(true)))
    }

    /// The probability of part of the ranges; `part` has the same observables as `over`.
    pub(super) fn mass(&mut self, d: &'d Distribution, over: &[Range], part: &[Range]) -> Result<Id> {
        let variates = self.variates_of(d)?;
        if let ([(x, low, high)], [(_, from, to)]) = (over, part)
            && variates == [*x]
            && let Some(whole) = self.closed(d, *x, (*low, *high))?
            && let Some(closed) = self.closed(d, *x, (*from, *to))?
            && !matches!(d.kind, Kind::Poisson { .. })
        {
            let log = self.builder.subtract(closed, whole);
            return Ok(self.builder.exp(log));
        }
        if let Kind::Mixture { summands, coefficients, .. } = &d.kind
            && !coefficients.is_empty()
        {
            let shares = self.shares(summands.len(), coefficients, &d.pointer)?;
            let mut terms = Vec::with_capacity(summands.len());
            for (name, share) in summands.iter().zip(&shares) {
                let summand = self.distribution_named(name, &d.pointer)?;
                let mass = self.deeper(&d.pointer, |maker| maker.mass(summand, over, part))?;
                terms.push(self.builder.multiply(*share, mass));
            }
            let (sum, total) = (self.builder.sum(&terms), self.builder.sum(&shares));
            return Ok(self.builder.divide(sum, total));
        }
        let log = self.density(d, over)?.log;
        let plain = self.builder.exp(log);
        self.integrate(plain, part.to_vec(), &d.pointer)
    }
}
