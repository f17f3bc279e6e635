//! What ROOT 6.40 reads in another way than is meant, put into words that it reads as they are meant
//! (spec/hs3-convert.md, section 2).

use super::file::{Distribution, File, Function, Modifier};
use super::names::Taken;
use crate::finding::{Finding, Findings, quote};
use crate::rule;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Gives factors of bins names of their own, and constraints a modifier; each change is told. `unique` makes names.
pub(super) fn adapt(file: &mut File, unique: impl FnMut(&str) -> String, losses: &mut Findings) {
    for distribution in &mut file.distributions {
        if let Distribution::Channel(channel) = distribution {
            distinguish(channel, losses);
        }
    }
    let attached = attach(file, unique);
    if attached > 0 {
        let found = match attached {
            1 => "a constraint that no modifier of ROOT names".to_owned(),
            n => format!("{n} constraints that no modifier of ROOT names"),
        };
        let expected = "a normfactor of a function that is 1 for each: ROOT normalises no other constraint";
        losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected));
    }
}

/// ROOT makes one object of all factors of bins in a channel that have one name, with the parameters of the first.
fn distinguish(channel: &mut super::file::Channel, losses: &mut Findings) {
    let mut taken: Taken = modifiers(&channel.samples).map(|modifier| modifier.name.clone()).collect();
    // The name that a list of parameters has got by the name that it had.
    let mut known: HashMap<String, Vec<(Vec<String>, String)>> = HashMap::new();
    for sample in &mut channel.samples {
        for modifier in &mut sample.modifiers {
            let Some(parameters) = modifier.parameters.clone() else { continue };
            let lists = known.entry(modifier.name.clone()).or_default();
            if let Some((_, name)) = lists.iter().find(|(own, _)| *own == parameters) {
                modifier.name.clone_from(name);
                continue;
            }
            let mut name = modifier.name.clone();
            if !lists.is_empty() {
                name = taken.unique(name);
                let found = format!(
                    "the {} {} of {} in {}, with other parameters than one before it",
                    modifier.kind,
                    quote(&modifier.name),
                    quote(&sample.name),
                    quote(&channel.name)
                );
                let expected = format!("the name {} in its place: ROOT would take the first for both", quote(&name));
                losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected));
            }
            lists.push((parameters, name.clone()));
            modifier.name = name;
        }
    }
}

/// Lets a normfactor whose function is 1 name each constraint that stands in `aux_distributions` alone: ROOT normalises
/// constraints that modifiers name, and leaves others to who asks for them. Returns how many there were.
pub(super) fn attach(file: &mut File, mut unique: impl FnMut(&str) -> String) -> usize {
    let named: HashSet<String> = file
        .distributions
        .iter()
        .filter_map(Distribution::as_channel)
        .flat_map(|channel| modifiers(&channel.samples))
        .filter_map(|modifier| modifier.constraint_name.clone())
        .collect();
    let Some(likelihood) = file.likelihoods.first() else { return 0 };
    let auxiliary: Vec<String> =
        likelihood.aux_distributions.iter().filter(|name| !named.contains(*name)).cloned().collect();
    let channel = file.distributions.iter_mut().find_map(Distribution::as_channel_mut);
    let Some((label, sample)) = channel.and_then(|c| Some((c.name.clone(), c.samples.first_mut()?))) else { return 0 };
    for constraint in &auxiliary {
        let one = unique(&format!("one_{constraint}"));
        file.functions.push(Function::generic(one.clone(), "1.0"));
        sample.modifiers.push(Modifier {
            name: one.clone(),
            kind: "normfactor",
            parameter: Some(one),
            constraint_name: Some(constraint.clone()),
            ..Modifier::default()
        });
    }
    if !auxiliary.is_empty() {
        retag(file, &label);
    }
    auxiliary.len()
}

/// With constraints, what counts bins is the factor of the channel's distribution that ROOT calls `<channel>_model`.
fn retag(file: &mut File, distribution: &str) {
    let Some(attributes) = attributes(file) else { return };
    if let Some(tags) = attributes.remove(distribution) {
        let label = distribution.strip_prefix("model_").unwrap_or(distribution);
        attributes.insert(format!("{label}_model"), tags);
    }
}

/// ROOT's attributes of variables and distributions.
pub(super) fn attributes(file: &mut File) -> Option<&mut Map<String, Value>> {
    file.misc.get_mut("ROOT_internal")?.get_mut("attributes")?.as_object_mut()
}

fn modifiers(samples: &[super::file::Sample]) -> impl Iterator<Item = &Modifier> {
    samples.iter().flat_map(|sample| &sample.modifiers)
}
