//! What a document has beside the likelihood that is converted: told, since it is not written.

use super::from_hs3::likelihoods_of;
use super::target::Target;
use crate::document::hs3::{self, Hs3Document, LikelihoodData};
use crate::finding::{Finding, Findings, quote};
use crate::rule;
use std::collections::HashSet;

/// Names in a message.
const MOST: usize = 5;

/// Tells of the components that the chosen likelihood and its analyses do not use. Without a target a workspace is written.
pub(super) fn tell(
    document: &Hs3Document,
    likelihood: &str,
    analyses: &[&hs3::Analysis],
    target: Option<Target>,
    losses: &mut Findings,
) {
    let chosen = likelihoods_of(document, likelihood);
    let used = needed(document, chosen.iter().copied());
    let mut lose = |list: &str, what: &str, names: Vec<&str>, expected: &str| {
        if !names.is_empty() {
            let found = format!("{what} {}", listed(&names));
            losses.push(Finding::new(&rule::CONVERT_DROPPED, found, expected).at(format!("/{list}")));
        }
    };
    let others = document.likelihoods.iter().filter(|l| chosen.iter().all(|own| own.name != l.name));
    let others = others.map(|l| l.name.as_str()).collect();
    lose("likelihoods", "the likelihoods", others, "one likelihood a file: choose this one to convert it, too");
    let others = document.analyses.iter().filter(|a| analyses.iter().all(|own| own.name != a.name));
    let others = others.map(|a| a.name.as_str()).collect();
    lose("analyses", "the analyses", others, "those of the likelihood that is chosen");
    let distributions = document.distributions.iter().map(|d| d.name.as_str()).filter(|name| !used.contains(name));
    lose("distributions", "the distributions", distributions.collect(), "those that the likelihood needs");
    let functions = document.functions.iter().map(|f| f.name.as_str()).filter(|name| !used.contains(name));
    lose("functions", "the functions", functions.collect(), "those that the likelihood needs");
    let data: HashSet<&str> = chosen.iter().flat_map(|l| &l.data).filter_map(data_name).collect();
    let others = document.data.iter().map(|d| d.name.as_str()).filter(|name| !data.contains(name)).collect();
    lose("data", "the data", others, "those of the likelihood");
    let starts = |name: &str| {
        let named = |a: &&hs3::Analysis| a.init.as_deref() == Some(name);
        name == "default_values" || analyses.iter().any(named)
    };
    let others = document.parameter_points.iter().map(|p| p.name.as_str()).filter(|name| !starts(name)).collect();
    lose("parameter_points", "the parameter points", others, "those from which the analyses start");
    let ranges =
        |name: &str| name == "default_domain" || document.analyses.iter().any(|a| a.domains.iter().any(|d| d == name));
    let others = document.domains.iter().map(|d| d.name.as_str()).filter(|name| !ranges(name)).collect();
    lose("domains", "the domains", others, "those of the analyses");
    if target.is_none() {
        let metadata = &document.metadata;
        let of = [
            (!metadata.authors.is_empty(), "authors"),
            (!metadata.publications.is_empty(), "publications"),
            (metadata.description.is_some(), "description"),
        ];
        let others = of.into_iter().filter(|(there, _)| *there).map(|(_, key)| key).collect();
        lose("metadata", "the members", others, "none: a workspace has no place for them");
    }
}

/// Everything that likelihoods name, directly or not.
pub(super) fn needed<'d>(
    document: &'d Hs3Document,
    likelihoods: impl IntoIterator<Item = &'d hs3::Likelihood>,
) -> HashSet<&'d str> {
    let named = likelihoods.into_iter().flat_map(|l| l.distributions.iter().chain(&l.aux_distributions));
    reached(document, named.map(String::as_str))
}

/// What is called by these names, and everything that it names, directly or not.
pub(super) fn reached<'n, 'd: 'n>(
    document: &'d Hs3Document,
    names: impl IntoIterator<Item = &'n str>,
) -> HashSet<&'n str> {
    let mut stack: Vec<&str> = names.into_iter().collect();
    let mut seen = HashSet::new();
    while let Some(name) = stack.pop() {
        if !seen.insert(name) {
            continue;
        }
        let distribution = document.distribution(name);
        if let Some(hs3::DistributionKind::HistFactory(channel)) = distribution.map(|d| &d.kind) {
            stack.extend(constraints(channel));
        }
        let of_distribution = distribution.map(|d| d.references.as_slice());
        let references = of_distribution.or_else(|| document.function(name).map(|f| f.references.as_slice()));
        stack.extend(references.unwrap_or_default().iter().map(|reference| reference.name.as_str()));
    }
    seen
}

/// Those that modifiers name, and the types that stand in the same places.
fn constraints(channel: &hs3::Channel) -> impl Iterator<Item = &str> {
    let modifiers = channel.samples.iter().flat_map(|sample| &sample.modifiers);
    let names = modifiers.flat_map(|modifier| {
        let keys = &modifier.constraint;
        keys.constraints.iter().flatten().chain(&keys.constraint).chain(&keys.constraint_name)
    });
    names.map(String::as_str)
}

fn data_name(data: &LikelihoodData) -> Option<&str> {
    match data {
        LikelihoodData::Name(name) => Some(name),
        LikelihoodData::Value(_) => None,
    }
}

fn listed(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(MOST).map(|name| quote(name)).collect();
    let rest = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("{}{rest}", first.join(", "))
}
