//! Statistical uncertainties of the simulation: staterror and shapesys (spec/audit.md, section 5).

use super::context::{Context, is_scaled_by};
use super::{Code, Finding, Severity};
use crate::model::Effect;
use std::collections::BTreeMap;

/// One factor of one bin of a channel.
struct Gamma {
    parameter: usize,
    /// Σ of the nominal yields of the samples that have it.
    nominal: f64,
    kind: &'static str,
}

pub(super) fn look(context: &Context, found: &mut Vec<Finding>) {
    for channel in 0..context.subject.model.channels.len() {
        let gammas = gammas(context, channel);
        frozen(context, channel, &gammas, found);
        large(context, channel, &gammas, found);
        without(context, channel, found);
    }
}

/// The factors of staterror and shapesys of a channel, by name of their modifier and bin.
fn gammas(context: &Context, channel: usize) -> BTreeMap<(String, usize), Gamma> {
    let own = &context.subject.model.channels[channel];
    let mut all: BTreeMap<(String, usize), Gamma> = BTreeMap::new();
    for sample in &own.samples {
        for part in sample.parts.iter().filter(|part| part.response.is_none()) {
            for effect in &part.effects {
                let Effect::BinScale { parameters } = effect else { continue };
                for (bin, parameter) in parameters.iter().enumerate() {
                    let Some(parameter) = *parameter else { continue };
                    let name = context.set_names[parameter];
                    let places = context.places().modifiers(&own.name, &sample.name, name);
                    let mut kinds = places.iter().map(|place| place.kind);
                    let Some(kind) = kinds.find(|kind| matches!(*kind, "staterror" | "shapesys")) else { continue };
                    let key = (group(name).to_owned(), bin);
                    let gamma = all.entry(key).or_insert(Gamma { parameter, nominal: 0.0, kind });
                    gamma.nominal += part.nominal.get(bin).copied().unwrap_or(0.0);
                }
            }
        }
    }
    all
}

/// What the factors of neighbouring bins have in common: HS3 gives each bin a name of its own.
fn group(name: &str) -> &str {
    match name.rsplit_once("_bin_") {
        Some((head, tail)) if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) => head,
        _ => name,
    }
}

/// The factors that are held because there is nothing to let them move.
fn frozen(context: &Context, channel: usize, gammas: &BTreeMap<(String, usize), Gamma>, found: &mut Vec<Finding>) {
    let fixed = context.subject.model.fixed();
    let mut by_name: BTreeMap<(&str, Code), Vec<(usize, &Gamma)>> = BTreeMap::new();
    for ((name, bin), gamma) in gammas {
        if !fixed[gamma.parameter] || context.places().says_fixed(context.set_names[gamma.parameter]) {
            continue;
        }
        let code = match (gamma.kind, gamma.nominal > 0.0) {
            ("staterror", true) => Code::FrozenStaterror,
            ("staterror", false) => Code::NoMcStatistics,
            _ => Code::FrozenShapesys,
        };
        by_name.entry((name, code)).or_default().push((*bin, gamma));
    }
    for ((name, code), bins) in by_name {
        let nominal: f64 = bins.iter().map(|(_, gamma)| gamma.nominal).sum();
        let severity = if code == Code::FrozenStaterror { Severity::Warning } else { Severity::Note };
        found.push(
            at_gammas(context, channel, name, &bins, Finding::new(code, severity, nominal.max(bins.len() as f64)))
                .values([("nominal", nominal), ("count", bins.len() as f64)]),
        );
    }
}

fn at_gammas(context: &Context, channel: usize, name: &str, bins: &[(usize, &Gamma)], finding: Finding) -> Finding {
    let mut finding = context.at_channel(finding, channel);
    let own = &context.subject.model.channels[channel];
    if let Some((_, gamma)) = bins.first() {
        let set = context.set_names[gamma.parameter];
        let place =
            own.samples.iter().find_map(|sample| context.places().modifiers(&own.name, &sample.name, set).first());
        finding.pointer = place.map(|place| place.pointer.clone()).or(finding.pointer);
        finding.types = vec![gamma.kind];
    }
    finding.modifier = Some(name.to_owned());
    finding.parameters = bins.iter().map(|(_, gamma)| context.names[gamma.parameter].clone()).collect();
    finding.bins = bins.iter().map(|(bin, _)| *bin).collect();
    finding
}

fn large(context: &Context, channel: usize, gammas: &BTreeMap<(String, usize), Gamma>, found: &mut Vec<Finding>) {
    let width = |gamma: &Gamma| context.constraints[gamma.parameter].map_or(0.0, |constraint| constraint.width());
    let mut by_name: BTreeMap<&str, Vec<(usize, &Gamma)>> = BTreeMap::new();
    for ((name, bin), gamma) in gammas {
        let counts = gamma.kind == "staterror" && context.is_free(gamma.parameter);
        if counts && width(gamma) > context.threshold("mc-error") {
            by_name.entry(name).or_default().push((*bin, gamma));
        }
    }
    for (name, bins) in by_name {
        let (worst, largest) = bins.iter().fold((0, 0.0), |worst, (bin, gamma)| match width(gamma) > worst.1 {
            true => (*bin, width(gamma)),
            false => worst,
        });
        let finding = Finding::new(Code::LargeMcError, Severity::Note, largest);
        let values = [("worst_bin", worst as f64), ("relative_uncertainty", largest)];
        found.push(at_gammas(context, channel, name, &bins, finding).values(values));
    }
}

/// Large samples without a factor for each bin, where others have one.
fn without(context: &Context, channel: usize, found: &mut Vec<Finding>) {
    let own = &context.subject.model.channels[channel];
    let has = |s: usize| {
        let parameters = own.samples[s].parts.iter().flat_map(|part| &part.effects).filter_map(|effect| match effect {
            Effect::BinScale { parameters } => Some(parameters),
            _ => None,
        });
        own.samples[s].parts.iter().any(|part| part.is_uncertain())
            || parameters.flatten().flatten().any(|p| context.is_gamma(*p))
    };
    if !(0..own.samples.len()).any(has) {
        return;
    }
    let total: f64 = context.expected_of(channel).iter().sum();
    for s in (0..own.samples.len()).filter(|s| !has(*s)) {
        let share = context.rates[channel][s].iter().sum::<f64>() / total;
        let is_signal = context.subject.model.poi.is_some_and(|poi| is_scaled_by(&own.samples[s], poi));
        if share >= context.threshold("share") && !is_signal {
            let finding = Finding::new(Code::NoMcError, Severity::Note, share).values([("share", share)]);
            found.push(context.at_sample(finding, channel, s));
        }
    }
}
