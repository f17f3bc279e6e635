//! autoMCStats (spec/combine-datacards.md, section 6): uncertainties of single bins, with Combine's rule.

use super::build::Process;
use super::card::McStats;
use super::formula::{Formulas, literal};
use super::parameters::Parameters;
use crate::convert::{Effect, Modifier, Sample};
use crate::model::Constraint;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The range of a Gaussian parameter.
const RANGE: (f64, f64) = (-7.0, 7.0);

/// The probability beyond seven standard deviations.
const TAIL: f64 = 1.279_812_543_885_835e-12;

/// The uncertainty of one process in a bin that has too few events for a common one.
enum Own {
    Poisson(f64),
    Gaussian,
}

/// Adds parameters to the bins of a channel; further samples of it.
pub(super) fn apply(
    channel: &str,
    processes: &mut [Process],
    rule: &McStats,
    parameters: &mut Parameters,
    formulas: &mut Formulas,
) -> Vec<Sample> {
    let bins = processes.first().map_or(0, |process| process.contents.len());
    if rule.threshold < 0.0 || bins == 0 {
        return Vec::new();
    }
    let strengths: Vec<f64> = processes.iter().map(|process| process.strength(parameters)).collect();
    let mut totals: Vec<Option<String>> = vec![None; bins];
    let mut factors: Vec<Vec<Option<String>>> = vec![vec![None; bins]; processes.len()];
    let mut additive = factors.clone();
    for bin in 0..bins {
        let base = format!("prop_bin{channel}_bin{bin}");
        let sums = |with_signal: bool| {
            let own = processes.iter().zip(&strengths).filter(|(p, _)| with_signal || !p.is_signal);
            own.fold((0.0, 0.0), |(n, e), (p, s)| (n + s * p.template[bin], e + (s * p.errors[bin]).powi(2)))
        };
        let (n, e) = sums(rule.with_signal);
        if e <= 0.0 {
            continue;
        }
        if events(n * n / e) > rule.threshold {
            totals[bin] = Some(total(&base, bin, processes, parameters, formulas));
            continue;
        }
        for (p, process) in processes.iter().enumerate() {
            let name = format!("{base}_{}", process.name);
            match own(process.template[bin], process.errors[bin], rule.threshold) {
                None => {}
                Some(Own::Poisson(n)) => {
                    let name = formulas.unique(&name);
                    let constraint = Constraint::Poisson { auxdata: n, factor: n };
                    parameters.add(&name, 1.0, poisson_range(n), Some(constraint));
                    factors[p][bin] = Some(name);
                }
                Some(Own::Gaussian) => additive[p][bin] = Some(gaussian(&name, parameters, formulas)),
            }
        }
    }
    for (process, own) in processes.iter_mut().zip(factors) {
        if own.iter().any(Option::is_some) {
            let name = format!("prop_bin{channel}_{}", process.name);
            process.shapes.push((name, Effect::Shapefactor { parameters: filled(own, formulas) }));
        }
    }
    samples(channel, processes, additive, totals, formulas)
}

/// What is added to the yields: by process, and to their sum.
fn samples(
    channel: &str,
    processes: &[Process],
    additive: Vec<Vec<Option<String>>>,
    totals: Vec<Option<String>>,
    formulas: &mut Formulas,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (process, own) in processes.iter().zip(additive) {
        if own.iter().any(Option::is_some) {
            let has = own.iter().zip(&process.errors);
            let contents = has.map(|(name, e)| if name.is_some() { *e } else { 0.0 }).collect();
            let name = format!("prop_bin{channel}_{}", process.name);
            let mut modifiers = process.factor_modifiers();
            modifiers.push(modifier(&name, filled(own, formulas)));
            samples.push(Sample { name, contents, modifiers, ..Sample::default() });
        }
    }
    if totals.iter().any(Option::is_some) {
        let contents = totals.iter().map(|name| if name.is_some() { 1.0 } else { 0.0 }).collect();
        let name = format!("prop_bin{channel}");
        let modifiers = vec![modifier(&name, filled(totals, formulas))];
        samples.push(Sample { name, contents, modifiers, ..Sample::default() });
    }
    samples
}

fn modifier(name: &str, parameters: Vec<String>) -> Modifier {
    Modifier { name: name.to_owned(), effect: Effect::Shapefactor { parameters }, pointer: String::new() }
}

fn filled(own: Vec<Option<String>>, formulas: &mut Formulas) -> Vec<String> {
    let mut ones = 0..;
    let mut one = || formulas.one(ones.next().unwrap_or_default());
    own.into_iter().map(|name| name.unwrap_or_else(&mut one)).collect()
}

/// Rounded as Combine rounds.
fn events(n: f64) -> f64 {
    (0.5 + n).floor()
}

fn own(content: f64, error: f64, threshold: f64) -> Option<Own> {
    if error <= 0.0 || content < 0.0 {
        return None;
    }
    let n = events(content * content / (error * error));
    // The small margin is Combine's, for rounding.
    let poisson = content > 0.0 && content >= 0.999 * error && n <= threshold;
    Some(if poisson { Own::Poisson(n) } else { Own::Gaussian })
}

fn gaussian(name: &str, parameters: &mut Parameters, formulas: &mut Formulas) -> String {
    let name = formulas.unique(name);
    parameters.add(&name, 0.0, RANGE, Some(Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 }));
    name
}

/// x · √(Σ (e_p · strength of p)²), which moves with the strengths.
fn total(
    name: &str,
    bin: usize,
    processes: &mut [Process],
    parameters: &mut Parameters,
    formulas: &mut Formulas,
) -> String {
    let parameter = gaussian(name, parameters, formulas);
    let mut terms = Vec::new();
    for process in processes.iter_mut().filter(|process| process.errors[bin] > 0.0) {
        let error = process.errors[bin];
        terms.push((error, process.strength_function(formulas)));
    }
    let text = match terms.as_slice() {
        [(error, None)] => literal(*error),
        [(error, Some(strength))] => format!("{}*{strength}", literal(*error)),
        several => {
            let square = |(error, strength): &(f64, Option<String>)| match strength {
                None => literal(error * error),
                Some(strength) => format!("{}*{strength}*{strength}", literal(error * error)),
            };
            format!("sqrt({})", several.iter().map(square).collect::<Vec<_>>().join("+"))
        }
    };
    formulas.add(&format!("{name}_shift"), format!("{parameter}*{text}"))
}

/// The range of a factor with n events.
fn poisson_range(n: f64) -> (f64, f64) {
    let quantile = |p: f64, freedom: f64| ChiSquared::new(freedom).map_or(f64::NAN, |d| d.inverse_cdf(p));
    let low = 0.5 * quantile(TAIL, 2.0 * n) / n;
    let high = 0.5 * quantile(1.0 - TAIL, 2.0 * n + 2.0) / n;
    if low < 1.0 && high > 1.0 && low >= 0.0 { (low, high) } else { (0.0, 1.0 + 60.0 / n.sqrt() + 60.0 / n) }
}
