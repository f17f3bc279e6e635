//! Findings in words: the place, then the numbers.

use crate::audit::{Code, Finding};
use crate::report::number::significant;
use crate::report::text::{label, list};

/// Bins and names that a sentence lists.
const MANY: usize = 6;

/// One sentence about a finding: where, and what.
pub fn message(finding: &Finding) -> String {
    let (place, what) = (place(finding), what(finding));
    if place.is_empty() { what } else { format!("{place}: {what}") }
}

/// The sentence without the place.
pub fn what(finding: &Finding) -> String {
    match finding.code {
        Code::OneSided | Code::NegativeTemplate | Code::NegativeExpectation => of_worst_bin(finding),
        Code::OneVariation
        | Code::LargeVariation
        | Code::Asymmetric
        | Code::NormInShape
        | Code::SplitNotClean
        | Code::NullEffect
        | Code::NullEntries
        | Code::EqualSystematics
        | Code::EqualSamples
        | Code::SharedName => of_sample(finding),
        Code::DegenerateDirection
        | Code::CorrelatedPair
        | Code::PoiAtBound
        | Code::PoiWithoutEffect
        | Code::NoPoi
        | Code::NoDependence
        | Code::Unconstrained
        | Code::FixedParameter
        | Code::PulledNuisance
        | Code::ConstrainedNuisance
        | Code::FitNotValid => of_parameter(finding),
        _ => of_bins(finding),
    }
}

/// `channel SR / sample ttbar / JES (histosys)`
fn place(finding: &Finding) -> String {
    let mut words = Vec::new();
    words.extend(finding.channel.as_deref().map(|name| format!("channel {}", label(name))));
    words.extend(finding.sample.as_deref().map(|name| format!("sample {}", label(name))));
    words.extend(finding.modifier.as_deref().map(|name| match finding.types.is_empty() {
        true => label(name),
        false => format!("{} ({})", label(name), finding.types.join(", ")),
    }));
    words.join(" / ")
}

fn n(value: f64) -> String {
    significant(value, 4).strip_prefix('-').map_or_else(|| significant(value, 4), |rest| format!("−{rest}"))
}

/// A part as a percentage with its sign.
fn percent(part: f64) -> String {
    let sign = if part > 0.0 { "+" } else { "" };
    format!("{sign}{} %", significant(100.0 * part, 3).replacen('-', "−", 1))
}

fn bins(finding: &Finding) -> String {
    let shown: Vec<String> = finding.bins.iter().take(MANY).map(usize::to_string).collect();
    let more = finding.bins.len().saturating_sub(MANY);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("bin{} {}{more}", if finding.bins.len() == 1 { "" } else { "s" }, shown.join(", "))
}

fn of_worst_bin(finding: &Finding) -> String {
    let value = |name: &str| finding.value(name);
    // With one bin there is no worst one to tell.
    let worst = match finding.bins.len() {
        1 => String::new(),
        _ => format!("; worst in bin {}", value("worst_bin")),
    };
    match finding.code {
        Code::OneSided => format!(
            "{}{worst}: nominal {}, at +1σ {}, at −1σ {}; the smaller shift is {} of the total in the bin",
            bins(finding),
            n(value("nominal")),
            n(value("up")),
            n(value("down")),
            percent(value("share_of_total")).trim_start_matches('+')
        ),
        _ => format!(
            "{}{worst}: {} at {}σ, nominal {}",
            bins(finding),
            n(value("lowest")),
            significant(value("at_sigma"), 3).replacen('-', "−", 1),
            n(value("nominal"))
        ),
    }
}

fn of_sample(finding: &Finding) -> String {
    let value = |name: &str| finding.value(name);
    let sides = || format!("{} at +1σ, {} at −1σ", percent(value("up")), percent(value("down")));
    match finding.code {
        Code::OneVariation => format!(
            "moves at {}1σ only, by up to {} in a bin",
            if value("moving_side") > 0.0 { "+" } else { "−" },
            percent(value("largest")).trim_start_matches('+')
        ),
        Code::LargeVariation => {
            let share = percent(value("share_of_total"));
            format!("sum {}; that is {} of the channel", sides(), share.trim_start_matches('+'))
        }
        Code::Asymmetric => format!("sum {}, a ratio of {}", sides(), significant(value("ratio"), 3)),
        Code::NormInShape | Code::SplitNotClean => format!("the histosys changes the sum by {}", sides()),
        Code::NullEffect => match value("entries") {
            1.0 => "the nominal template at both sides, in one sample".to_owned(),
            entries => format!("the nominal templates at both sides, in all {entries} samples"),
        },
        Code::NullEntries => format!("{} of {} entries do nothing", value("idle"), value("entries")),
        Code::EqualSystematics => {
            format!("{} are the same in all {} entries", list(&finding.parameters, MANY), value("entries"))
        }
        Code::EqualSamples => {
            format!("the same yields as {}, with sum {}", list(&finding.others, MANY), n(value("sum")))
        }
        _ => format!(
            "{} of {} samples: {}",
            match finding.types.is_empty() {
                true => "modifiers".to_owned(),
                false => finding.types.join(" and "),
            },
            value("samples"),
            list(&finding.parameters, MANY)
        ),
    }
}

fn of_parameter(finding: &Finding) -> String {
    let value = |name: &str| finding.value(name);
    let count = || match finding.parameters.len() {
        1 => "1 value".to_owned(),
        n => format!("{n} values ({})", list(&finding.parameters, MANY)),
    };
    match finding.code {
        Code::DegenerateDirection => {
            let terms = finding.parameters.iter().zip(&finding.weights).take(MANY);
            let terms: Vec<String> = terms.map(|(name, w)| format!("{w:+.2} {}", label(name))).collect();
            let more = finding.parameters.len().saturating_sub(MANY);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let step = match value("step").is_finite() {
                true => format!("{} moves by {} for Δ(−2 ln L) = 1", label(&finding.parameters[0]), n(value("step"))),
                false => "nothing determines it".to_owned(),
            };
            format!("{}{more}: eigenvalue {}; {step}", terms.join(" "), significant(value("eigenvalue"), 3))
        }
        Code::CorrelatedPair => {
            format!("{}: correlation {}", list(&finding.parameters, 2), significant(value("correlation"), 4))
        }
        Code::PoiAtBound => format!(
            "{} is on its bound ({} to {}){}",
            list(&finding.parameters, 1),
            n(value("low")),
            n(value("high")),
            if value("in_fit") > 0.0 { " at the best fit" } else { " where it starts" }
        ),
        Code::PoiWithoutEffect => format!("{} moves no expected yield", list(&finding.parameters, 1)),
        Code::NoPoi => match finding.others.first() {
            Some(name) => format!("no modifier declares {}", label(name)),
            None => "the measurement names none".to_owned(),
        },
        Code::NoDependence => format!("{} without effect on any bin", count()),
        Code::Unconstrained => format!("{}, bounds {} to {}", count(), n(value("low")), n(value("high"))),
        Code::FixedParameter if finding.parameters.len() == 1 => format!("held at {}", n(value("value"))),
        Code::FixedParameter => format!("{} held, the first at {}", count(), n(value("value"))),
        Code::PulledNuisance | Code::ConstrainedNuisance => format!(
            "{} is pulled by {} and constrained to {} of its width",
            list(&finding.parameters, 1),
            n(value("pull")),
            significant(value("constraint"), 3)
        ),
        _ => "no valid minimum".to_owned(),
    }
}

fn of_bins(finding: &Finding) -> String {
    let value = |name: &str| finding.value(name);
    match finding.code {
        Code::NegativeNominal => format!("{}, down to {}", bins(finding), n(value("lowest"))),
        Code::NoBackground => format!(
            "{}: background sums to {} or more, with {} events counted",
            bins(finding),
            n(value("lowest")),
            n(value("counted"))
        ),
        Code::DataWithoutExpectation => {
            format!("{}: {} events counted, {} expected", bins(finding), n(value("counted")), n(value("lowest")))
        }
        Code::FrozenStaterror | Code::FrozenShapesys => {
            format!("{} held, with a nominal yield of {}", bins(finding), n(value("nominal")))
        }
        Code::NoMcStatistics | Code::EmptyBin => bins(finding),
        Code::LargeMcError => format!(
            "{}: up to {} in bin {}",
            bins(finding),
            percent(value("relative_uncertainty")).trim_start_matches('+'),
            value("worst_bin")
        ),
        Code::NoMcError => format!("{} of the channel", percent(value("share")).trim_start_matches('+')),
        Code::LargePull => format!(
            "{}; largest in bin {}: {} counted, {} ± {} expected, {} standard deviations",
            bins(finding),
            value("worst_bin"),
            n(value("observed")),
            n(value("expected")),
            n(value("uncertainty")),
            n(value("pull"))
        ),
        _ => format!("{}, the first with {}", bins(finding), significant(value("first"), 6)),
    }
}
