//! A distribution with its data: how it is made from a document, and what it adds to the negative logarithm of the
//! likelihood for the data that it is given.

use super::builder::Id;
use super::density::Range;
use super::maker::{Maker, fail, unsupported};
use super::pair::{Content, Pair, PairData, Reach, Variate};
use crate::document::hs3::{Axis, Data, DataKind, Distribution, DistributionKind as Kind, LikelihoodData, Slot};
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::{HashMap, HashSet};

impl<'d> Maker<'d> {
    /// A pair and the data that the document gives it.
    pub(super) fn pair(&mut self, d: &'d Distribution, data: &LikelihoodData, at: &str) -> Result<(Pair, PairData)> {
        let (mut pair, own) = match data {
            LikelihoodData::Value(value) => self.point_pair(d, *value)?,
            LikelihoodData::Name(name) => match self.document.data(name) {
                Some(data) => self.data_pair(d, data)?,
                None => return fail(&rule::HS3_UNRESOLVED, at, quote(name), "the name of data of the document"),
            },
        };
        pair.observed = own.total();
        if let LikelihoodData::Name(name) = data {
            pair.data = Some(name.clone());
        }
        Ok((pair, own))
    }

    fn data_pair(&mut self, d: &'d Distribution, data: &'d Data) -> Result<(Pair, PairData)> {
        let ranges: HashMap<String, (f64, f64)> = data.axes.iter().map(|a| (a.name.clone(), self.axis_of(a))).collect();
        match &data.kind {
            DataKind::Point { value, .. } if data.axes.is_empty() => self.point_pair(d, *value),
            DataKind::Point { value, .. } => {
                self.turn_to(ranges);
                self.events_pair(d, std::slice::from_ref(value), None, data)
            }
            DataKind::Unbinned { entries, weights, .. } => {
                self.turn_to(ranges);
                self.events_pair(d, entries, weights.as_deref(), data)
            }
            DataKind::Binned(contents) => {
                self.turn_to(ranges);
                Ok((self.binned_pair(d, data)?, PairData::Counts(contents.contents.clone())))
            }
            DataKind::Unknown { kind } => {
                let at = format!("{}/type", data.pointer);
                fail(&rule::HS3_UNKNOWN_NEEDED, &at, quote(kind), "point, unbinned or binned")
            }
        }
    }

    /// The range of the axis of data; what it leaves open, `default_domain` says (D9).
    fn axis_of(&self, axis: &Axis) -> (f64, f64) {
        let (low, high) = self.range_in_domains(&axis.name, None).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let low = if axis.min.is_finite() { axis.min } else { low };
        let high = if axis.max.is_finite() { axis.max } else { high };
        (low, high)
    }

    /// One value of the only variate of a distribution.
    fn point_pair(&mut self, d: &'d Distribution, value: f64) -> Result<(Pair, PairData)> {
        let Some(Slot::Name(name)) = super::closed::variate_slot(&d.kind) else {
            return unsupported(&d.pointer, "a number as the data of this distribution", "data with axes");
        };
        let range = self.range_in_domains(name, None).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        self.turn_to(HashMap::from([(name.clone(), range)]));
        let pair = self.density_pair(d, &[(name.clone(), range, None)])?;
        Ok((pair, PairData::Events { columns: vec![vec![value]], weights: vec![1.0] }))
    }

    fn events_pair(
        &mut self,
        d: &'d Distribution,
        entries: &[f64],
        weights: Option<&[f64]>,
        data: &Data,
    ) -> Result<(Pair, PairData)> {
        let axes = data.axes.len().max(1);
        let (mut columns, mut named) = (Vec::with_capacity(axes), Vec::with_capacity(axes));
        let count = entries.len() / axes;
        let weight = |i: usize| weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0);
        // An event of weight zero says nothing.
        let kept: Vec<usize> = (0..count).filter(|i| weight(*i) != 0.0).collect();
        for (a, axis) in data.axes.iter().enumerate() {
            let (low, high) = self.axis_of(axis);
            let column: Vec<f64> = kept.iter().map(|i| entries[i * axes + a]).collect();
            if let Some(i) = column.iter().position(|x| !(*x >= low && *x <= high)) {
                let at = format!("{}/entries/{}", data.pointer, kept[i]);
                let expected = format!("{} from {low} to {high}", quote(&axis.name));
                return fail(&rule::HS3_EVENT, &at, crate::finding::number(column[i]), expected);
            }
            columns.push(column);
            named.push((axis.name.clone(), (low, high), axis.bins()));
        }
        let weights = kept.into_iter().map(weight).collect();
        Ok((self.density_pair(d, &named)?, PairData::Events { columns, weights }))
    }

    /// −Σ w ln p, and ν − W ln ν + ln Γ(W + 1) of an extended density; with name, range and bins of each axis.
    fn density_pair(&mut self, d: &'d Distribution, axes: &[(String, (f64, f64), Option<usize>)]) -> Result<Pair> {
        let over = self.all_ranges();
        let density = self.density(d, &over)?;
        let mut variates = Vec::with_capacity(axes.len());
        for (name, (low, high), bins) in axes {
            let observable = self.builder.observable_index(name);
            let open = !(low.is_finite() && high.is_finite());
            let reach = if open { self.reach(d, name)? } else { Vec::new() };
            variates.push(Variate { observable, low: *low, high: *high, bins: *bins, reach });
        }
        let (mut poisson, mut has_poisson) = (None, false);
        for each in self.reachable(d) {
            if let Kind::Poisson { x: Slot::Name(x), mean, .. } = &each.kind
                && self.ranges.contains_key(x)
            {
                has_poisson = true;
                if std::ptr::eq(each, d) && axes.len() == 1 {
                    poisson = Some(self.slot(mean, &d.pointer)?);
                }
            }
        }
        let content = match poisson {
            None if has_poisson => Content::Mixed { log: density.log, variates },
            None => Content::Density { log: density.log, variates },
            Some(mean) => Content::Poisson { log: density.log, mean, variates },
        };
        Ok(Pair { rate: density.rate, constraints: density.constraints, ..Pair::new(d, content) })
    }

    /// A distribution and all that it is made of.
    fn reachable(&self, d: &'d Distribution) -> Vec<&'d Distribution> {
        let (mut all, mut seen) = (vec![d], HashSet::from([d.name.as_str()]));
        let mut next = 0;
        while let Some(each) = all.get(next).copied() {
            next += 1;
            for reference in &each.references {
                if let Some(other) = self.document.distribution(&reference.name)
                    && seen.insert(other.name.as_str())
                {
                    all.push(other);
                }
            }
        }
        all
    }

    /// Where the Gaussian and log-normal densities of a variate without a finite range lie.
    fn reach(&mut self, d: &'d Distribution, variate: &str) -> Result<Vec<Reach>> {
        let mut reach = Vec::new();
        let is_variate = |slot: &Slot| matches!(slot, Slot::Name(name) if name == variate);
        for each in self.reachable(d) {
            let (centre, width, logarithm) = match &each.kind {
                Kind::Gaussian { x, mean, sigma } if is_variate(x) => (mean, sigma, false),
                Kind::Gaussian { x, mean, sigma } if is_variate(mean) => (x, sigma, false),
                Kind::LogNormal { x, mu, sigma } if is_variate(x) => (mu, sigma, true),
                _ => continue,
            };
            let (centre, width) = (self.slot(centre, &each.pointer)?, self.slot(width, &each.pointer)?);
            reach.push(Reach { centre, width, logarithm });
        }
        Ok(reach)
    }

    fn binned_pair(&mut self, d: &'d Distribution, data: &'d Data) -> Result<Pair> {
        let at = d.pointer.as_str();
        if matches!(d.kind, Kind::HistFactory(_)) {
            return unsupported(at, "a HistFactory channel", "densities");
        }
        if data.axes.iter().any(|axis| axis.edges().is_empty()) {
            return fail(&rule::HS3_RANGE, &data.pointer, "an axis without bins", "nbins or edges");
        }
        match &d.kind {
            Kind::BincountsDensity { density, .. } => {
                let function = self.function_named(density, at)?;
                self.counts_pair(d, data, |maker, bin| maker.integrate(function, bin.to_vec(), at))
            }
            Kind::BincountsExtended { rate, dist, .. } => {
                let (rate, inner) = (self.slot(rate, at)?, self.distribution_named(dist, at)?);
                let over = self.all_ranges();
                self.counts_pair(d, data, |maker, bin| {
                    let mass = maker.mass(inner, &over, bin)?;
                    Ok(maker.builder.multiply(rate, mass))
                })
            }
            Kind::BinSampling { pdf, .. } => {
                let inner = self.distribution_named(pdf, at)?;
                self.masses_pair(inner, data, true)
            }
            _ if self.conventions.root_densities => self.centres_pair(d, data),
            _ => {
                let expected = "bincounts_extended_dist, or a producer whose convention is known";
                let found = "binned data of a continuous density";
                self.warnings.push(Finding::new(&rule::HS3_BIN_INTEGRAL, found, expected).at(at));
                self.masses_pair(d, data, false)
            }
        }
    }

    /// Bins as events at their centres, as RooFit takes them (D11).
    fn centres_pair(&mut self, d: &'d Distribution, data: &Data) -> Result<Pair> {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); data.axes.len()];
        let mut volumes = Vec::new();
        for bin in bins(&data.axes) {
            volumes.push(bin.iter().map(|(low, high)| high - low).product());
            for (column, (low, high)) in columns.iter_mut().zip(bin) {
                column.push(0.5 * (low + high));
            }
        }
        let names = data.axes.iter().map(|axis| self.builder.observable_index(&axis.name));
        let centres = names.collect::<Vec<_>>().into_iter().zip(columns).collect();
        let over = self.all_ranges();
        let density = self.density(d, &over)?;
        let content = Content::Centres { log: density.log, centres, volumes };
        Ok(Pair { rate: density.rate, constraints: density.constraints, ..Pair::new(d, content) })
    }

    /// −Σ n ln ∫ p over the bins; divided by the volumes of the bins, where the result is a density.
    fn masses_pair(&mut self, d: &'d Distribution, data: &Data, per_volume: bool) -> Result<Pair> {
        let over = self.all_ranges();
        let mut masses = Vec::new();
        for bin in bins(&data.axes) {
            let part = self.part(&data.axes, &bin);
            let mass = self.mass(d, &over, &part)?;
            let volume: f64 = bin.iter().map(|(low, high)| high - low).product();
            masses.push((mass, if per_volume { volume } else { 1.0 }));
        }
        let density = self.density(d, &over)?;
        let content = Content::Masses(masses);
        Ok(Pair { rate: density.rate, constraints: density.constraints, ..Pair::new(d, content) })
    }

    /// Σ ν − n ln ν + ln Γ(n + 1) over the bins.
    fn counts_pair(
        &mut self,
        d: &'d Distribution,
        data: &Data,
        mut rate: impl FnMut(&mut Self, &[Range]) -> Result<Id>,
    ) -> Result<Pair> {
        let mut rates = Vec::new();
        for bin in bins(&data.axes) {
            let part = self.part(&data.axes, &bin);
            rates.push(rate(self, &part)?);
        }
        Ok(Pair::new(d, Content::Counts(rates)))
    }

    fn part(&mut self, axes: &[Axis], bin: &[(f64, f64)]) -> Vec<Range> {
        let mut named: Vec<(&String, (f64, f64))> =
            axes.iter().map(|axis| &axis.name).zip(bin.iter().copied()).collect();
        named.sort_by(|a, b| a.0.cmp(b.0));
        named.into_iter().map(|(name, (low, high))| (self.builder.observable_index(name), low, high)).collect()
    }
}

/// The bins of axes in C order, each a range for each axis.
fn bins(axes: &[Axis]) -> Vec<Vec<(f64, f64)>> {
    axes.iter().fold(vec![Vec::new()], |bins, axis| {
        let ranges: Vec<(f64, f64)> = axis.edges().windows(2).map(|pair| (pair[0], pair[1])).collect();
        let longer = |bin: &Vec<(f64, f64)>| {
            let bin = bin.clone();
            ranges.iter().map(move |range| bin.iter().copied().chain([*range]).collect()).collect::<Vec<Vec<_>>>()
        };
        bins.iter().flat_map(longer).collect()
    })
}
