//! A distribution with its data: what it adds to the negative logarithm of the likelihood.

use super::builder::Id;
use super::density::Range;
use super::maker::{Maker, fail, unsupported};
use super::program::Sum;
use crate::document::hs3::{Axis, Data, DataKind, Distribution, DistributionKind as Kind, LikelihoodData, Slot};
use crate::expression::Unary;
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::{BTreeMap, HashMap};

/// What one pair of distribution and data adds.
#[derive(Clone, Debug, Default)]
pub(super) struct Term {
    pub scalars: Vec<Id>,
    pub sums: Vec<Sum>,
    pub constraints: Vec<String>,
    /// Σ w of the data.
    pub events: f64,
    /// ln Γ(Σ w + 1) of an extended density.
    pub log_factorial: f64,
}

/// Events of one set of data.
struct Events {
    columns: BTreeMap<usize, Vec<f64>>,
    weights: Vec<f64>,
}

impl<'d> Maker<'d> {
    pub(super) fn term(&mut self, d: &'d Distribution, data: &LikelihoodData, at: &str) -> Result<Term> {
        match data {
            LikelihoodData::Value(value) => self.point_term(d, *value),
            LikelihoodData::Name(name) => match self.document.data(name) {
                Some(data) => self.data_term(d, data),
                None => fail(&rule::HS3_UNRESOLVED, at, quote(name), "the name of data of the document"),
            },
        }
    }

    fn data_term(&mut self, d: &'d Distribution, data: &'d Data) -> Result<Term> {
        let ranges: HashMap<String, (f64, f64)> = data.axes.iter().map(|a| (a.name.clone(), self.axis_of(a))).collect();
        match &data.kind {
            DataKind::Point { value, .. } if data.axes.is_empty() => self.point_term(d, *value),
            DataKind::Point { value, .. } => {
                self.turn_to(ranges);
                self.events_term(d, std::slice::from_ref(value), None, data)
            }
            DataKind::Unbinned { entries, weights, .. } => {
                self.turn_to(ranges);
                self.events_term(d, entries, weights.as_deref(), data)
            }
            DataKind::Binned(contents) => {
                self.turn_to(ranges);
                self.binned_term(d, &contents.contents, data)
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
    fn point_term(&mut self, d: &'d Distribution, value: f64) -> Result<Term> {
        let Some(Slot::Name(name)) = super::closed::variate_slot(&d.kind) else {
            return unsupported(&d.pointer, "a number as the data of this distribution", "data with axes");
        };
        let range = self.range_in_domains(name, None).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        self.turn_to(HashMap::from([(name.clone(), range)]));
        let observable = self.builder.observable_index(name);
        let events = Events { columns: BTreeMap::from([(observable, vec![value])]), weights: vec![1.0] };
        self.density_term(d, events)
    }

    fn events_term(
        &mut self,
        d: &'d Distribution,
        entries: &[f64],
        weights: Option<&[f64]>,
        data: &Data,
    ) -> Result<Term> {
        let axes = data.axes.len().max(1);
        let mut columns: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
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
            columns.insert(self.builder.observable_index(&axis.name), column);
        }
        let weights = kept.into_iter().map(weight).collect();
        self.density_term(d, Events { columns, weights })
    }

    /// −Σ w ln p, and ν − W ln ν + ln Γ(W + 1) of an extended density.
    fn density_term(&mut self, d: &'d Distribution, events: Events) -> Result<Term> {
        let over = self.all_ranges();
        let density = self.density(d, &over)?;
        let total: f64 = events.weights.iter().sum();
        let mut term = Term { constraints: density.constraints, events: total, ..Term::default() };
        if self.builder.is_column(density.log) {
            term.sums.push(Sum { column: density.log, data: events.columns, weights: events.weights });
        } else {
            term.scalars.push(self.builder.scale(density.log, -total));
        }
        self.add_rate(&mut term, density.rate);
        Ok(term)
    }

    fn add_rate(&mut self, term: &mut Term, rate: Option<Id>) {
        let Some(rate) = rate else { return };
        let log = self.builder.log(rate);
        let observed = self.builder.scale(log, -term.events);
        term.log_factorial = libm::lgamma(term.events + 1.0);
        let constant = self.builder.constant(term.log_factorial);
        term.scalars.extend([rate, observed, constant]);
    }

    fn binned_term(&mut self, d: &'d Distribution, contents: &[f64], data: &'d Data) -> Result<Term> {
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
                self.counts_term(contents, data, |maker, bin| maker.integrate(function, bin.to_vec(), at))
            }
            Kind::BincountsExtended { rate, dist, .. } => {
                let (rate, inner) = (self.slot(rate, at)?, self.distribution_named(dist, at)?);
                let over = self.all_ranges();
                self.counts_term(contents, data, |maker, bin| {
                    let mass = maker.mass(inner, &over, bin)?;
                    Ok(maker.builder.multiply(rate, mass))
                })
            }
            Kind::BinSampling { pdf, .. } => {
                let inner = self.distribution_named(pdf, at)?;
                self.masses_term(inner, contents, data, true)
            }
            _ if self.conventions.root_densities => self.centres_term(d, contents, data),
            _ => {
                let expected = "bincounts_extended_dist, or a producer whose convention is known";
                let found = "binned data of a continuous density";
                self.warnings.push(Finding::new(&rule::HS3_BIN_INTEGRAL, found, expected).at(at));
                self.masses_term(d, contents, data, false)
            }
        }
    }

    /// Bins as events at their centres, as RooFit takes them (D11).
    fn centres_term(&mut self, d: &'d Distribution, contents: &[f64], data: &Data) -> Result<Term> {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); data.axes.len()];
        let mut weights = Vec::new();
        for (bin, content) in bins(&data.axes).into_iter().zip(contents) {
            if *content != 0.0 {
                weights.push(*content);
                for (column, (low, high)) in columns.iter_mut().zip(bin) {
                    column.push(0.5 * (low + high));
                }
            }
        }
        let names = data.axes.iter().map(|axis| self.builder.observable_index(&axis.name));
        let columns = names.collect::<Vec<_>>().into_iter().zip(columns).collect();
        self.density_term(d, Events { columns, weights })
    }

    /// −Σ n ln ∫ p over the bins; divided by the volumes of the bins, where the result is a density.
    fn masses_term(&mut self, d: &'d Distribution, contents: &[f64], data: &Data, per_volume: bool) -> Result<Term> {
        let over = self.all_ranges();
        let mut term = Term { events: contents.iter().sum(), ..Term::default() };
        for (bin, content) in bins(&data.axes).into_iter().zip(contents) {
            if *content == 0.0 {
                continue;
            }
            let part = self.part(&data.axes, &bin);
            let mass = self.mass(d, &over, &part)?;
            let log = self.builder.log(mass);
            let volume: f64 = bin.iter().map(|(low, high)| high - low).product();
            let log = if per_volume { self.builder.shift(log, -volume.ln()) } else { log };
            term.scalars.push(self.builder.scale(log, -content));
        }
        let density = self.density(d, &over)?;
        term.constraints = density.constraints;
        self.add_rate(&mut term, density.rate);
        Ok(term)
    }

    /// Σ ν − n ln ν + ln Γ(n + 1) over the bins.
    fn counts_term(
        &mut self,
        contents: &[f64],
        data: &Data,
        mut rate: impl FnMut(&mut Self, &[Range]) -> Result<Id>,
    ) -> Result<Term> {
        let mut term = Term { events: contents.iter().sum(), ..Term::default() };
        for (bin, content) in bins(&data.axes).into_iter().zip(contents) {
            let part = self.part(&data.axes, &bin);
            let rate = rate(self, &part)?;
            let count = self.builder.constant(*content);
            let log = self.log_poisson(count, rate);
            term.scalars.push(self.unary(Unary::Negative, log));
        }
        Ok(term)
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
