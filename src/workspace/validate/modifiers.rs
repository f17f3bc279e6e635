//! Rules for modifiers: their own data, and what modifiers of one name have to do with each other.

use super::{Report, bins};
use crate::document::workspace::{Modifier, Sample, Workspace};
use crate::finding::{number, quote};
use crate::rule;
use crate::workspace::parameters::share;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    let mut names = Names::default();
    for (c, channel) in workspace.channels.iter().enumerate() {
        let n_bins = channel.samples.first().map_or(0, |s| s.data.len());
        for (s, sample) in channel.samples.iter().enumerate() {
            let mut seen = HashSet::new();
            for (m, modifier) in sample.modifiers.iter().enumerate() {
                let place = Place { channel: c, sample: s, modifier: m };
                if !seen.insert((modifier.name(), modifier.kind())) {
                    let found = format!("a second {} {}", modifier.kind(), quote(modifier.name()));
                    report.add(
                        &rule::DUPLICATE_MODIFIER,
                        place.pointer(),
                        found,
                        "each name and type once in a sample",
                    );
                }
                check_data(sample, modifier, place, report);
                if modifier.is_eft() {
                    continue;
                }
                names.meet(modifier, place, &channel.name, n_bins, &sample.name, report);
            }
        }
    }
    if names.first.is_empty() && workspace.eft.is_none() {
        let found = "no modifier in any sample";
        report.add(&rule::NO_PARAMETERS, "/channels".into(), found, "at least one modifier");
    }
    names.check_shapefactors(report);
    names.check_staterror_channels(report);
    check_staterror_range(workspace, report);
}

/// Where a modifier is in the document.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    channel: usize,
    sample: usize,
    modifier: usize,
}

impl Place {
    fn pointer(&self) -> String {
        format!("/channels/{}/samples/{}/modifiers/{}", self.channel, self.sample, self.modifier)
    }
}

/// The data of one modifier: lengths and signs. Pointers are written only where something is wrong.
fn check_data(sample: &Sample, modifier: &Modifier, place: Place, report: &mut Report) {
    let at = |key: &str| format!("{}/{key}", place.pointer());
    match modifier {
        Modifier::Histosys { data, .. } => {
            check_bins(modifier, &data.lo_data, sample, || at("data/lo_data"), report);
            check_bins(modifier, &data.hi_data, sample, || at("data/hi_data"), report);
        }
        Modifier::Normsys { data, .. } => {
            for (key, factor) in [("data/lo", data.lo), ("data/hi", data.hi)] {
                if factor <= 0.0 {
                    let found = format!("{} in normsys {}", number(factor), quote(modifier.name()));
                    report.add(&rule::NORMSYS_FACTOR, at(key), found, "a positive factor");
                }
            }
        }
        Modifier::Shapesys { data, .. } => {
            check_bins(modifier, data, sample, || at("data"), report);
            report.add_numbers(&rule::NEGATIVE_UNCERTAINTY, || at("data"), data, "at least 0", |u| u < 0.0);
            let tau = |(n, u): (&f64, &f64)| if *n > 0.0 && *u > 0.0 { n * n / (u * u) } else { 1.0 };
            let broken = sample.data.iter().zip(data).map(tau).position(|tau| !tau.is_normal());
            if let Some((b, u)) = broken.and_then(|b| Some((b, data.get(b)?))) {
                let found = format!("{} in shapesys {}", number(*u), quote(modifier.name()));
                let expected = "0, or an uncertainty u with (yield/u)² in the range of binary64";
                report.add(&rule::UNCERTAINTY_RANGE, at(&format!("data/{b}")), found, expected);
            }
        }
        Modifier::Staterror { data, .. } => {
            check_bins(modifier, data, sample, || at("data"), report);
            report.add_numbers(&rule::NEGATIVE_UNCERTAINTY, || at("data"), data, "at least 0", |u| u < 0.0);
        }
        // Those of the EFT extension have rules of their own.
        _ => {}
    }
}

fn check_bins(modifier: &Modifier, data: &[f64], sample: &Sample, pointer: impl Fn() -> String, report: &mut Report) {
    if data.len() != sample.data.len() {
        let found = format!("{} in {} {}", bins(data.len()), modifier.kind(), quote(modifier.name()));
        let expected = format!("{}, as in sample {}", bins(sample.data.len()), quote(&sample.name));
        report.add(&rule::MODIFIER_BINS, pointer(), found, expected);
    }
}

/// A channel that carries a shapefactor.
struct ShapefactorChannel<'w> {
    channel: &'w str,
    n_bins: usize,
    place: Place,
}

/// What modifiers of one name have in common; ordered maps make the order of findings the same in every run.
#[derive(Default)]
struct Names<'w> {
    /// Types of each name, in the order of the document.
    first: HashMap<&'w str, Vec<&'static str>>,
    shapesys: HashMap<&'w str, Place>,
    shapefactors: BTreeMap<&'w str, Vec<ShapefactorChannel<'w>>>,
    /// Of each staterror, of each sample that carries it: in which channels, and where first.
    staterrors: BTreeMap<&'w str, BTreeMap<&'w str, (BTreeSet<&'w str>, Place)>>,
}

impl<'w> Names<'w> {
    fn meet(
        &mut self,
        modifier: &'w Modifier,
        place: Place,
        channel: &'w str,
        n_bins: usize,
        sample: &'w str,
        report: &mut Report,
    ) {
        let (name, kind) = (modifier.name(), modifier.kind());
        let kinds = self.first.entry(name).or_default();
        if !kinds.contains(&kind) {
            if let Some(other) = kinds.iter().find(|other| !share(other, kind)) {
                let found = format!("a {kind} of the name {}, which a {other} has", quote(name));
                report.add(&rule::NAME_REUSE, format!("{}/name", place.pointer()), found, "a name of its own");
            }
            kinds.push(kind);
        }
        match modifier {
            Modifier::Shapesys { .. } => {
                let first = self.shapesys.insert(name, place);
                if first.is_some_and(|f| (f.channel, f.sample) != (place.channel, place.sample)) {
                    let found = format!("a second shapesys {}", quote(name));
                    report.add(&rule::SHAPESYS_SHARED, format!("{}/name", place.pointer()), found, "a name of its own");
                }
            }
            Modifier::Shapefactor { .. } => {
                let carriers = self.shapefactors.entry(name).or_default();
                carriers.push(ShapefactorChannel { channel, n_bins, place });
            }
            Modifier::Staterror { .. } => {
                let samples = self.staterrors.entry(name).or_default();
                let (channels, _) = samples.entry(sample).or_insert_with(|| (BTreeSet::new(), place));
                channels.insert(channel);
            }
            _ => {}
        }
    }

    /// The set is as long as the first channel by name; longer channels would leave it.
    fn check_shapefactors(&self, report: &mut Report) {
        for (name, carriers) in &self.shapefactors {
            let Some(first) = carriers.iter().min_by_key(|c| c.channel) else { continue };
            if let Some(longer) = carriers.iter().find(|c| c.n_bins > first.n_bins) {
                let found = format!(
                    "shapefactor {} in channel {} of {}",
                    quote(name),
                    quote(longer.channel),
                    bins(longer.n_bins)
                );
                let expected = format!("at most {}, as in channel {}", bins(first.n_bins), quote(first.channel));
                report.add(&rule::SHAPEFACTOR_BINS, longer.place.pointer(), found, expected);
            }
        }
    }

    fn check_staterror_channels(&self, report: &mut Report) {
        for (name, samples) in &self.staterrors {
            let mut samples = samples.iter();
            let Some((first, (channels, _))) = samples.next() else { continue };
            if let Some((other, (_, place))) = samples.find(|(_, (others, _))| others != channels) {
                let found = format!(
                    "staterror {} on sample {} in other channels than on {}",
                    quote(name),
                    quote(other),
                    quote(first)
                );
                report.add(&rule::STATERROR_CHANNELS, place.pointer(), found, "all its samples in the same channels");
            }
        }
    }
}

/// The widths δ = √Σ(u/N)² of staterror parameters are finite, and positive where an uncertainty is.
fn check_staterror_range(workspace: &Workspace, report: &mut Report) {
    for (c, channel) in workspace.channels.iter().enumerate() {
        let mut sums: BTreeMap<&str, (Place, Vec<f64>)> = BTreeMap::new();
        let staterrors = || {
            let samples = channel.samples.iter().enumerate();
            samples.flat_map(move |(s, sample)| {
                let modifiers = sample.modifiers.iter().enumerate();
                modifiers.filter_map(move |(m, modifier)| match modifier {
                    Modifier::Staterror { name, data } => {
                        Some((Place { channel: c, sample: s, modifier: m }, name.as_str(), sample, data))
                    }
                    _ => None,
                })
            })
        };
        for (place, name, sample, _) in staterrors() {
            let (_, sum) = sums.entry(name).or_insert_with(|| (place, vec![0.0; sample.data.len()]));
            sum.iter_mut().zip(&sample.data).for_each(|(sum, n)| *sum += n);
        }
        for (place, name, _, data) in staterrors() {
            let Some((_, sum)) = sums.get(name) else { continue };
            let square = |(n, u): (&f64, &f64)| if *n > 0.0 && *u > 0.0 { (u / n) * (u / n) } else { 1.0 };
            let broken = sum.iter().zip(data).map(square).position(|square| !square.is_normal());
            if let Some((b, u)) = broken.and_then(|b| Some((b, data.get(b)?))) {
                let found = format!("{} in staterror {}", number(*u), quote(name));
                let expected = "0, or an uncertainty u with (u/yield)² in the range of binary64";
                report.add(&rule::UNCERTAINTY_RANGE, format!("{}/data/{b}", place.pointer()), found, expected);
            }
        }
    }
}
