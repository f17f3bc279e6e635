//! Convolutions without a closed form (spec/hs3.md, eq. 43 and 44).

use super::builder::{Id, Node};
use super::maker::{Maker, unsupported};
use crate::document::hs3::{Distribution, DistributionKind as Kind, Slot};
use crate::expression::{Binary, Unary};
use crate::finding::Result;

impl<'d> Maker<'d> {
    /// ∫ f(t) g(x − t) dt over the range of x, up to the factor that makes it a density.
    ///
    /// Either density may be far narrower than the range. So t runs from where one of them has its peak to both sides, as
    /// the fifth power of the variable of the quadrature: its points are dense there.
    pub(super) fn convolution(&mut self, pdf1: &str, pdf2: &str, variable: &Slot, at: &str) -> Result<Id> {
        let x = self.slot(variable, at)?;
        let (Node::Observable(observable), Slot::Name(name)) = (self.builder.nodes[x].clone(), variable) else {
            return unsupported(at, "a convolution in something else than a variate", "a variate of the data");
        };

        let (low, high) = self.convolution_range(name, at)?;
        let (first, second) = (self.distribution_named(pdf1, at)?, self.distribution_named(pdf2, at)?);
        let f = self.deeper(at, |maker| maker.shape(first))?;
        let f = self.plain_of(f);
        let g = self.deeper(at, |maker| maker.shape(second))?;
        let g = self.plain_of(g);
        let mut peaks = vec![match self.location(second, observable)? {
            Some(location) => self.builder.subtract(x, location),
            None => x,
        }];
        peaks.extend(self.location(first, observable)?);
        let (low, high) = (self.builder.constant(low), self.builder.constant(high));
        let variable = format!("\u{0}convolution{}", self.builder.integrals.len());
        let (s, index) = (self.builder.observable(&variable), self.builder.observable_index(&variable));
        let mut terms = Vec::new();
        for (peak, end) in self.stretches(&peaks, low, high) {
            let (t, speed) = self.away_from(peak, end, s);
            let b = &mut self.builder;
            let rest = b.subtract(x, t);
            let (f, g) = (b.substitute(f, observable, t), b.substitute(g, observable, rest));
            terms.push(b.product(&[speed, f, g]));
        }
        let integrand = self.builder.sum(&terms);
        self.integrate(integrand, vec![(index, 0.0, 1.0)], at)
    }

    /// The range of the data together with that of `default_domain`.
    fn convolution_range(&mut self, name: &str, at: &str) -> Result<(f64, f64)> {
        let (mut low, mut high) = self.axis_range(&Slot::Name(name.to_string()), at)?;
        if let Some((from, to)) = self.range_in_domains(name, None) {
            low = if from.is_finite() { low.min(from) } else { low };
            high = if to.is_finite() { high.max(to) } else { high };
        }
        Ok((low, high))
    }

    /// t = c + (e − c) s⁵ and ∣dt/ds∣, from a peak c to an end e.
    fn away_from(&mut self, peak: Id, end: Id, s: Id) -> (Id, Id) {
        let b = &mut self.builder;
        let length = b.subtract(end, peak);
        let square = b.multiply(s, s);
        let fourth = b.multiply(square, square);
        let fifth = b.multiply(fourth, s);
        let way = b.multiply(length, fifth);
        let size = b.unary(Unary::Abs, length);
        let speed = b.multiply(size, fourth);
        (b.add(peak, way), b.scale(speed, 5.0))
    }

    /// From each peak to the ends of what is nearest to it, all inside of the range.
    fn stretches(&mut self, peaks: &[Id], low: Id, high: Id) -> Vec<(Id, Id)> {
        let b = &mut self.builder;
        let mut inside = |peak: Id| {
            let peak = b.binary(Binary::Min, peak, high);
            b.binary(Binary::Max, peak, low)
        };
        match *peaks {
            [one, other] => {
                let (one, other) = (inside(one), inside(other));
                let (left, right) = (b.binary(Binary::Min, one, other), b.binary(Binary::Max, one, other));
                let sum = b.add(left, right);
                let middle = b.scale(sum, 0.5);
                vec![(left, low), (left, middle), (right, middle), (right, high)]
            }
            _ => {
                let peak = peaks.first().map_or(low, |peak| inside(*peak));
                vec![(peak, low), (peak, high)]
            }
        }
    }

    /// Where a density of the observable has its peak, if its type says so.
    fn location(&mut self, d: &'d Distribution, observable: usize) -> Result<Option<Id>> {
        let at = d.pointer.as_str();
        let slot = match &d.kind {
            Kind::BifurcatedGaussian { mean, .. }
            | Kind::Gaussian { mean, .. }
            | Kind::GeneralizedNormal { mean, .. }
            | Kind::Landau { mean, .. } => mean,
            Kind::CrystalBall { m0, .. } => m0,
            Kind::RelativisticBreitWigner { mass, .. } => mass,
            Kind::ResolutionModel(crate::document::hs3::Resolution::Gauss { mean, .. }) => mean,
            Kind::Mixture { summands, .. } => {
                let Some(first) = summands.first() else { return Ok(None) };
                let first = self.distribution_named(first, at)?;
                return self.deeper(at, |maker| maker.location(first, observable));
            }
            _ => return Ok(None),
        };
        let location = self.slot(slot, at)?;
        Ok(Some(location).filter(|id| !self.builder.depends_on(*id, &[observable])))
    }
}
