//! Factors of single bins as pyhf groups them: a name for each list of parameters, and data that give their widths.

use super::content::{Channel, Content, Effect, Parameter, Sample};
use crate::finding::{Finding, Findings, quote};
use crate::model::Constraint;
use crate::rule;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a list of parameters becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Shapefactor,
    Shapesys,
    Staterror,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Shapefactor => "shapefactor",
            Kind::Shapesys => "shapesys",
            Kind::Staterror => "staterror",
        }
    }
}

/// One list of parameters, with where it acts.
struct Group<'c> {
    name: String,
    kind: Kind,
    /// The longest list, where shorter ones begin with the same.
    parameters: &'c [String],
    /// (channel, sample)
    carriers: Vec<(&'c str, &'c str)>,
}

/// By the first parameter of a list: it is in no other.
pub(super) struct Sets<'c> {
    groups: BTreeMap<&'c str, Group<'c>>,
}

/// How closely errors have to agree with a width before they are taken as they are; below the digits that ROOT writes they
/// are scaled.
const EXACT: f64 = 1e-12;
const ROUNDED: f64 = 1e-5;

impl<'c> Sets<'c> {
    pub fn new(content: &'c Content, losses: &mut Findings) -> Sets<'c> {
        let constraints: HashMap<&str, Option<Constraint>> =
            content.parameters.iter().map(|p| (p.name.as_str(), p.constraint)).collect();
        let mut sets = Sets { groups: BTreeMap::new() };
        for channel in &content.channels {
            for sample in &channel.samples {
                for modifier in &sample.modifiers {
                    let (Effect::Shapefactor { parameters }
                    | Effect::Shapesys { parameters }
                    | Effect::Staterror { parameters }) = &modifier.effect
                    else {
                        continue;
                    };
                    let Some(first) = parameters.first() else { continue };
                    let kind = kind(parameters, &constraints);
                    let group = sets.groups.entry(first).or_insert_with(|| Group {
                        name: modifier.name.clone(),
                        kind,
                        parameters,
                        carriers: Vec::new(),
                    });
                    if parameters.len() > group.parameters.len() {
                        group.parameters = parameters;
                    }
                    group.carriers.push((&channel.name, &sample.name));
                    let mixed = !group.parameters.starts_with(parameters) || group.kind != kind;
                    if mixed || (kind == Kind::Shapesys && group.carriers.len() > 1) {
                        let found = format!("the parameters of {} in other places, too", quote(&modifier.name));
                        let expected = "each in one list, and those with Poisson constraints on one sample";
                        let finding = Finding::new(&rule::CONVERT_LOST, found, expected);
                        losses.push(finding.at(modifier.pointer.clone()));
                    }
                }
            }
        }
        sets.untangle(content, losses);
        sets
    }

    /// Gives each list a name that no other parameter has. Staterrors of several channels may share one if the same samples
    /// carry them.
    fn untangle(&mut self, content: &Content, losses: &mut Findings) {
        let scalars = content.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
        let mut used: BTreeSet<String> = scalars
            .filter(|m| {
                !matches!(m.effect, Effect::Shapefactor { .. } | Effect::Shapesys { .. } | Effect::Staterror { .. })
            })
            .flat_map(|m| m.effect.drivers().iter().cloned())
            .collect();
        let firsts: Vec<&str> = self.groups.keys().copied().collect();
        let mut shared: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for first in &firsts {
            if let Some(group) = self.groups.get(first) {
                shared.entry(group.name.clone()).or_default().push(first);
            }
        }
        for (name, members) in shared {
            let together = members.len() == 1 || self.may_share(&members);
            for (i, first) in members.iter().enumerate() {
                let Some(group) = self.groups.get_mut(first) else { continue };
                let free = |name: &String| !used.contains(name) || (together && i > 0);
                let channel = group.carriers.first().map(|(channel, _)| *channel).unwrap_or_default();
                let numbered = (2..).map(|n| format!("{name}_{channel}_{n}"));
                let mut wanted =
                    together.then(|| name.clone()).into_iter().chain([format!("{name}_{channel}")]).chain(numbered);
                let chosen = wanted.find(free).unwrap_or_default();
                if chosen != name {
                    let found = format!("the {} {} in {}", group.kind.word(), quote(&name), quote(channel));
                    losses.push(Finding::new(&rule::CONVERT_RENAMED, found, format!("the name {}", quote(&chosen))));
                }
                used.insert(chosen.clone());
                group.name = chosen;
            }
        }
    }

    /// Staterrors in channels of their own, of which every sample is in all or in none (W108).
    fn may_share(&self, members: &[&str]) -> bool {
        let groups: Vec<&Group> = members.iter().filter_map(|first| self.groups.get(first)).collect();
        let channels = |group: &Group<'c>| group.carriers.iter().map(|(channel, _)| *channel).collect::<BTreeSet<_>>();
        let samples = |group: &Group<'c>| group.carriers.iter().map(|(_, sample)| *sample).collect::<BTreeSet<_>>();
        let mut seen = BTreeSet::new();
        let apart = groups.iter().all(|g| channels(g).len() == 1 && channels(g).into_iter().all(|c| seen.insert(c)));
        let first = groups.first().map(|g| samples(g));
        apart && groups.iter().all(|g| g.kind == Kind::Staterror && Some(samples(g)) == first)
    }

    pub fn of(&self, parameters: &[String]) -> Option<(Kind, String)> {
        let group = self.groups.get(parameters.first()?.as_str())?;
        Some((group.kind, group.name.clone()))
    }

    /// The parameters that the values of a set stand for: the bins of its channels, which pyhf sorts by name.
    pub fn values(&self, name: &str) -> Vec<String> {
        let mut groups: Vec<&Group> = self.groups.values().filter(|group| group.name == name).collect();
        groups.sort_by_key(|group| group.carriers.first().map(|(channel, _)| *channel));
        groups.into_iter().flat_map(|group| group.parameters.iter().cloned()).collect()
    }

    /// The set of which a parameter is the only value.
    pub fn name_of(&self, parameter: &str) -> Option<String> {
        let group = self.groups.get(parameter)?;
        (self.values(&group.name).len() == 1).then(|| group.name.clone())
    }

    /// u = n/√τ, so that (n/u)² is τ; zero without constraint.
    pub fn shapesys(&self, sample: &Sample, parameters: &[String], known: &HashMap<&str, &Parameter>) -> Vec<f64> {
        let uncertainty = |(n, name): (&f64, &String)| match known.get(name.as_str()).map(|p| (p.constraint, p.setting))
        {
            // How pyhf writes a bin without uncertainty.
            Some((Some(Constraint::Poisson { auxdata: 1.0, factor: 1.0 }), setting)) if setting.constant => 0.0,
            Some((Some(Constraint::Poisson { factor, .. }), _)) => exact_uncertainty(*n, factor),
            _ => 0.0,
        };
        sample.contents.iter().zip(parameters).map(uncertainty).collect()
    }

    /// Errors of one sample: its own where all that carry the list have some, else in proportion to its yield.
    pub fn staterror(
        &self,
        channel: &Channel,
        sample: &Sample,
        parameters: &[String],
        known: &HashMap<&str, &Parameter>,
    ) -> Vec<f64> {
        let carries = |s: &&Sample| s.modifiers.iter().any(|m| m.effect.drivers() == parameters);
        let carriers: Vec<&Sample> = channel.samples.iter().filter(carries).collect();
        let sum = |bin: usize, f: &dyn Fn(&Sample, usize) -> f64| carriers.iter().map(|s| f(s, bin)).sum::<f64>();
        let yields = |s: &Sample, bin: usize| s.contents.get(bin).copied().unwrap_or(0.0);
        let errors = |s: &Sample, bin: usize| s.errors.as_ref().and_then(|e| e.get(bin)).copied().unwrap_or(0.0);
        let one = |bin: usize, name: &String| -> f64 {
            let own = errors(sample, bin);
            let constraint = known.get(name.as_str()).and_then(|p| p.constraint);
            let Some(Constraint::Gaussian { sigma, .. }) = constraint else { return 0.0 };
            let total = sum(bin, &yields);
            if carriers.iter().all(|s| s.errors.is_some()) {
                let width = sum(bin, &|s, b| errors(s, b).powi(2)).sqrt() / total;
                // Others than rounded ones are those of the document, with widths in the measurement.
                let is_rounded = (width - sigma).abs() > EXACT * sigma && (width - sigma).abs() <= ROUNDED * sigma;
                return if is_rounded { own * (sigma / width) } else { own };
            }
            let norm = sum(bin, &|s, b| yields(s, b).powi(2)).sqrt();
            if norm > 0.0 { sigma * total * yields(sample, bin) / norm } else { 0.0 }
        };
        parameters.iter().enumerate().map(|(bin, name)| one(bin, name)).collect()
    }
}

/// What the constraints say; free factors are shapefactors whatever they are called.
fn kind(parameters: &[String], constraints: &HashMap<&str, Option<Constraint>>) -> Kind {
    let known = || parameters.iter().filter_map(|name| constraints.get(name.as_str()).copied().flatten());
    if known().any(|c| matches!(c, Constraint::Poisson { .. })) {
        return Kind::Shapesys;
    }
    if known().next().is_some() {
        return Kind::Staterror;
    }
    Kind::Shapefactor
}

/// The u next to n/√τ for which (n·n)/(u·u) is τ to the last digit, where there is one.
fn exact_uncertainty(n: f64, tau: f64) -> f64 {
    let u = n / tau.sqrt();
    if !(u.is_finite() && u > 0.0) {
        return 0.0;
    }
    let near = [u, u.next_up(), u.next_down(), u.next_up().next_up(), u.next_down().next_down()];
    near.into_iter().find(|u| (n * n) / (u * u) == tau).unwrap_or(u)
}
