//! Which likelihood of a document, its channels with their data, and the names of its constraints.

use crate::document::hs3::{
    Analysis, Axis, Channel, Contents, DataKind, Distribution, DistributionKind, Hs3Document, Likelihood,
    LikelihoodData,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::HashSet;

/// A likelihood, or all of a document as one, and the analysis that says what it is used for.
pub(super) struct Choice<'d> {
    pub likelihoods: Vec<&'d Likelihood>,
    pub analysis: Option<&'d Analysis>,
}

/// A histfactory_dist with its data.
pub(super) struct Region<'d> {
    pub name: &'d str,
    pub pointer: &'d str,
    pub channel: &'d Channel,
    pub counts: &'d [f64],
}

/// What a likelihood is made of.
pub(super) struct Content<'d> {
    pub regions: Vec<Region<'d>>,
    /// Distributions without a channel, their data, and the places that pair them.
    pub densities: Vec<(&'d str, &'d LikelihoodData, String)>,
    /// Constraints that no modifier names: factors of products with channels, and `aux_distributions`. Each once (A19).
    pub constraints: Vec<&'d Distribution>,
}

impl Choice<'_> {
    /// The name of the only likelihood, or [`ALL`].
    pub fn name(&self) -> &str {
        match self.likelihoods.as_slice() {
            [only] => &only.name,
            _ => ALL,
        }
    }
}

/// In the place of the name of a likelihood: all of them, as one; what several name counts once.
pub(super) const ALL: &str = "*";

/// By the name of an analysis or of a likelihood; without one there must be only one.
pub(super) fn choose<'d>(
    document: &'d Hs3Document,
    analysis: Option<&str>,
    likelihood: Option<&str>,
) -> Result<Choice<'d>> {
    let names = |names: Vec<&String>| names.into_iter().map(|n| quote(n)).collect::<Vec<_>>().join(", ");
    let analyses = || names(document.analyses.iter().map(|a| &a.name).collect());
    let likelihoods = || names(document.likelihoods.iter().map(|l| &l.name).collect());
    let none = |found: String, expected: String| Findings::from(Finding::new(&rule::HS3_CHOICE, found, expected));
    let chosen = match (analysis, likelihood) {
        (Some(name), _) => {
            let found = document.analyses.iter().find(|a| a.name == name);
            Some(found.ok_or_else(|| none(format!("no analysis {}", quote(name)), format!("one of {}", analyses())))?)
        }
        (None, Some(name)) => document.analyses.iter().find(|a| a.likelihood == name),
        (None, None) => match document.analyses.as_slice() {
            [] => None,
            [only] => Some(only),
            _ => return Err(none("several analyses".to_string(), format!("the choice of one of {}", analyses()))),
        },
    };
    if likelihood == Some(ALL) && !document.likelihoods.is_empty() {
        let analysis = chosen.filter(|_| analysis.is_some());
        return Ok(Choice { likelihoods: document.likelihoods.iter().collect(), analysis });
    }
    let wanted = likelihood.or(chosen.map(|analysis| analysis.likelihood.as_str()));
    let likelihood = match (wanted, document.likelihoods.as_slice()) {
        (Some(name), all) => all
            .iter()
            .find(|l| l.name == name)
            .ok_or_else(|| none(format!("no likelihood {}", quote(name)), format!("one of {}", likelihoods())))?,
        (None, [only]) => only,
        (None, []) => return Err(none("no likelihood".to_string(), "at least one".to_string())),
        (None, _) => {
            return Err(none("several likelihoods".to_string(), format!("the choice of one of {}", likelihoods())));
        }
    };
    if let Some(analysis) = chosen.filter(|analysis| analysis.likelihood != likelihood.name) {
        let found = format!("the likelihood {} with the analysis {}", quote(&likelihood.name), quote(&analysis.name));
        return Err(none(found, format!("the analysis's own, {}", quote(&analysis.likelihood))));
    }
    Ok(Choice { likelihoods: vec![likelihood], analysis: chosen })
}

/// Channels are histfactory_dist with binned data, alone or in products with constraints; all others are densities.
pub(super) fn content<'d>(document: &'d Hs3Document, likelihoods: &[&'d Likelihood]) -> Result<Content<'d>> {
    let mut content = Content { regions: Vec::new(), densities: Vec::new(), constraints: Vec::new() };
    let mut findings = Findings::default();
    for likelihood in likelihoods {
        for (i, (name, data)) in likelihood.distributions.iter().zip(&likelihood.data).enumerate() {
            let at = format!("{}/distributions/{i}", likelihood.pointer);
            if let Err(found) = add_region(document, name, data, &at, &mut content) {
                findings.0.extend(found.0);
            }
        }
        for (i, name) in likelihood.aux_distributions.iter().enumerate() {
            match document.distribution(name) {
                Some(distribution) => add_constraint(&mut content, distribution),
                None => {
                    let at = format!("{}/aux_distributions/{i}", likelihood.pointer);
                    findings.push(missing(name, "a distribution").at(at));
                }
            }
        }
    }
    // The model's order: channels by name (spec/workspace.md, "Order").
    content.regions.sort_by(|a, b| a.name.cmp(b.name));
    for pair in content.regions.windows(2) {
        if let [first, second] = pair
            && first.name == second.name
        {
            let found = format!("{} twice", quote(first.name));
            let finding = Finding::new(&rule::HS3_UNSUPPORTED, found, "each channel once");
            findings.push(finding.at("/likelihoods"));
        }
    }
    if findings.0.is_empty() { Ok(content) } else { Err(findings) }
}

/// An error: the likelihood needs it (W409 only warns where nothing does).
fn missing(name: &str, what: &str) -> Finding {
    let mut finding = Finding::new(&rule::HS3_UNRESOLVED, quote(name), format!("the name of {what} of the document"));
    finding.severity = crate::finding::Severity::Error;
    finding
}

fn add_constraint<'d>(content: &mut Content<'d>, distribution: &'d Distribution) {
    if !content.constraints.iter().any(|known| known.name == distribution.name) {
        content.constraints.push(distribution);
    }
}

fn add_region<'d>(
    document: &'d Hs3Document,
    name: &'d str,
    data: &'d LikelihoodData,
    at: &str,
    content: &mut Content<'d>,
) -> Result<()> {
    let mut factors = Vec::new();
    flatten(document, name, at, &mut factors)?;
    let (channels, others): (Vec<&Distribution>, Vec<&Distribution>) =
        factors.into_iter().partition(|factor| matches!(factor.kind, DistributionKind::HistFactory(_)));
    if channels.is_empty() {
        content.densities.push((name, data, at.to_string()));
        return Ok(());
    }
    let [distribution] = channels.as_slice() else {
        let found = format!("{}, which has {} histfactory_dist", quote(name), channels.len());
        return Err(unsupported(found, "a histfactory_dist, alone or in a product with constraints").at(at).into());
    };
    let DistributionKind::HistFactory(channel) = &distribution.kind else { return Ok(()) };
    others.into_iter().for_each(|other| add_constraint(content, other));
    let counts = counts(document, channel, data, at)?;
    content.regions.push(Region { name: &distribution.name, pointer: &distribution.pointer, channel, counts });
    Ok(())
}

/// The factors of products of products; the reader has made sure that nothing needs itself.
fn flatten<'d>(document: &'d Hs3Document, name: &str, at: &str, factors: &mut Vec<&'d Distribution>) -> Result<()> {
    let mut stack = vec![name.to_string()];
    let mut met = HashSet::new();
    while let Some(name) = stack.pop() {
        // A factor that is there twice counts once (A19).
        if !met.insert(name.clone()) {
            continue;
        }
        let Some(distribution) = document.distribution(&name) else {
            return Err(missing(&name, "a distribution").at(at).into());
        };
        match &distribution.kind {
            DistributionKind::Product { factors: inner, .. } => stack.extend(inner.iter().cloned()),
            DistributionKind::Unknown { kind } => {
                let finding = Finding::new(&rule::HS3_UNKNOWN_NEEDED, quote(kind), "a known type of distribution");
                return Err(finding.at(format!("{}/type", distribution.pointer)).into());
            }
            _ => factors.push(distribution),
        }
    }
    Ok(())
}

fn counts<'d>(document: &'d Hs3Document, channel: &Channel, data: &'d LikelihoodData, at: &str) -> Result<&'d [f64]> {
    let LikelihoodData::Name(name) = data else {
        return Err(unsupported("a number as the data of a channel", "the name of binned data").at(at).into());
    };
    let Some(data) = document.data(name) else { return Err(missing(name, "data").at(at).into()) };
    let DataKind::Binned(Contents { contents, .. }) = &data.kind else {
        let found = format!("{} that are not binned", quote(name));
        return Err(unsupported(found, "binned data for a histfactory_dist").at(data.pointer.clone()).into());
    };
    let bins = channel.samples.first().map_or(0, |sample| sample.data.contents.len());
    if contents.len() != bins || !same_axes(&channel.axes, &data.axes) {
        let found = format!("{} bins of {}", contents.len(), axis_names(&data.axes));
        let expected = format!("the channel's {bins} bins of {}", axis_names(&channel.axes));
        return Err(Finding::new(&rule::HS3_CHANNEL_DATA, found, expected).at(data.pointer.clone()).into());
    }
    Ok(contents)
}

fn axis_names(axes: &[Axis]) -> String {
    axes.iter().map(|axis| quote(&axis.name)).collect::<Vec<_>>().join(", ")
}

/// The same variates in the same order, with the same edges to twelve digits (A23: edges alone are enough).
fn same_axes(channel: &[Axis], data: &[Axis]) -> bool {
    let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    // Their numbers are those of contents that are there.
    let same = |a: &Axis, b: &Axis| {
        let (first, second) = (a.edges(), b.edges());
        let both = first.len() == second.len() && first.iter().zip(&second).all(|(x, y)| close(*x, *y));
        a.name == b.name && (both || first.is_empty() || second.is_empty())
    };
    channel.len() == data.len() && channel.iter().zip(data).all(|(a, b)| same(a, b))
}

pub(super) fn unsupported(found: impl Into<String>, expected: impl Into<String>) -> Finding {
    Finding::new(&rule::HS3_UNSUPPORTED, found, expected)
}
