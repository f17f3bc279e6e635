//! The rules W201 to W248, W320 to W326 and W340 to W351, and what W260, W269 and W271 say of a declaration: the block `eft`, the
//! responses of samples, and what stands beside them.

mod block;
mod events;
mod gaussian;
mod response;
mod sample;
mod unbinned;

use super::Report;
use crate::document::eft::{Eft, PerBin, Truncation, WilsonCoefficient};
use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{escape_token, quote};
use crate::model::eft::Monomial;
use crate::rule;
use std::collections::{BTreeMap, HashMap};

pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    let Some(eft) = workspace.eft.as_deref() else { return check_undeclared(workspace, report) };
    let context = Context::new(eft);
    block::check(workspace, &context, report);
    let (mut used, mut broken) = (gaussian::check(&context, report), false);
    used.extend(unbinned::check(workspace, &context, report));
    for (c, channel) in workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            let pointer = format!("/channels/{c}/samples/{s}/modifiers");
            match sample::check(&context, sample, &pointer, report) {
                Some(coefficients) => used.extend(coefficients),
                None => broken = true,
            }
        }
    }
    for (i, coefficient) in eft.wilson_coefficients.iter().enumerate() {
        let is_used = context.index.get(coefficient.name.as_str()).is_some_and(|i| used.contains(i));
        if !broken && !is_used && !coefficient.fixed {
            let found = format!("{}, on which no response depends", quote(&coefficient.name));
            report.add(&rule::EFT_UNUSED, format!("/eft/wilson_coefficients/{i}"), found, "a response with it");
        }
    }
}

fn check_undeclared(workspace: &Workspace, report: &mut Report) {
    for (c, channel) in workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (m, modifier) in sample.modifiers.iter().enumerate().filter(|(_, modifier)| modifier.is_eft()) {
                let pointer = format!("/channels/{c}/samples/{s}/modifiers/{m}/type");
                let found = format!("{} {}", modifier.kind(), quote(modifier.name()));
                report.add(&rule::EFT_UNDECLARED, pointer, found, "a workspace with the block eft");
            }
        }
    }
}

/// Most coefficients in one monomial.
const MOST_FACTORS: usize = 100;

/// What the parts of a document refer to: the block, and its Wilson coefficients by number.
struct Context<'w> {
    eft: &'w Eft,
    index: HashMap<&'w str, u32>,
    bounds: Vec<(f64, f64)>,
    /// In 1/Λ² (spec/eft.md, eq. 2).
    order: Vec<u32>,
}

impl<'w> Context<'w> {
    fn new(eft: &'w Eft) -> Context<'w> {
        let coefficients = || eft.wilson_coefficients.iter();
        let mut index = HashMap::new();
        for (i, coefficient) in coefficients().enumerate() {
            index.entry(coefficient.name.as_str()).or_insert(i as u32);
        }
        Context {
            eft,
            index,
            // Bounds in the wrong order have a finding of their own.
            bounds: coefficients().map(|c| (c.bounds[0].min(c.bounds[1]), c.bounds[0].max(c.bounds[1]))).collect(),
            order: coefficients().map(WilsonCoefficient::np_order).collect(),
        }
    }

    /// The number of a coefficient; a finding at `pointer` if there is none of the name.
    fn coefficient(&self, name: &str, pointer: impl Fn() -> String, report: &mut Report) -> Option<u32> {
        let known = self.index.get(name).copied();
        if known.is_none() {
            let expected = "the name of a coefficient in eft/wilson_coefficients";
            report.add(&rule::EFT_UNKNOWN_COEFFICIENT, pointer(), format!("the name {}", quote(name)), expected);
        }
        known
    }

    /// A list of monomials, each once; none if something is wrong with it.
    fn monomials(&self, lists: &[Vec<String>], pointer: &str, report: &mut Report) -> Option<Vec<Monomial>> {
        let mut seen: HashMap<Monomial, usize> = HashMap::new();
        let mut monomials = Vec::with_capacity(lists.len());
        for (k, names) in lists.iter().enumerate() {
            if names.len() > MOST_FACTORS {
                let found = format!("a monomial of {} coefficients", names.len());
                report.add(&rule::EFT_DEGREE, format!("{pointer}/{k}"), found, format!("at most {MOST_FACTORS}"));
                continue;
            }
            let indices: Vec<Option<u32>> = names
                .iter()
                .enumerate()
                .map(|(j, name)| self.coefficient(name, || format!("{pointer}/{k}/{j}"), report))
                .collect();
            let Some(mut monomial) = indices.into_iter().collect::<Option<Monomial>>() else { continue };
            monomial.sort_unstable();
            if let Some(first) = seen.get(&monomial) {
                let found = format!("{}, which is entry {first} again", product(names));
                report.add(&rule::EFT_REPEATED, format!("{pointer}/{k}"), found, "each monomial once");
                continue;
            }
            seen.insert(monomial.clone(), k);
            monomials.push(monomial);
        }
        (monomials.len() == lists.len()).then_some(monomials)
    }

    /// The coordinates of a point that names some of the coefficients; the others are zero.
    fn point(&self, at: &BTreeMap<String, f64>, pointer: &str, report: &mut Report) -> Vec<f64> {
        let mut point = vec![0.0; self.bounds.len()];
        for (name, value) in at {
            let index = self.coefficient(name, || format!("{pointer}/{}", escape_token(name)), report);
            if let Some(coordinate) = index.and_then(|i| point.get_mut(i as usize)) {
                *coordinate = *value;
            }
        }
        point
    }

    /// A point in words, without the coefficients that are zero.
    fn point_in_words(&self, point: &[f64]) -> String {
        let coefficients = self.eft.wilson_coefficients.iter().zip(point);
        let named = coefficients.filter(|(_, x)| **x != 0.0).map(|(c, x)| format!("{} = {x:.4}", quote(&c.name)));
        let named: Vec<String> = named.take(8).collect();
        if named.is_empty() { "zero".into() } else { named.join(", ") }
    }

    fn keeps(&self, truncation: &Truncation, monomial: &[u32]) -> bool {
        match truncation {
            Truncation::None(_) => true,
            Truncation::Order(most) => {
                crate::model::eft::polynomial::np_order(monomial, &self.order) <= most.max_np_order
            }
        }
    }
}

/// A monomial in words.
fn product(names: &[String]) -> String {
    if names.is_empty() {
        return "the constant".into();
    }
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    format!("the monomial {}", names.join(" · "))
}

/// Compares the length of a list with what its entries belong to.
fn check_length(found: usize, expected: usize, each: &str, pointer: String, report: &mut Report) -> bool {
    if found != expected {
        let expected = format!("{expected}, one for each {each}");
        report.add(&rule::EFT_LENGTH, pointer, format!("{found} entries"), expected);
    }
    found == expected
}

/// Compares the length of a list of numbers with the bins of the sample.
fn check_bins(found: usize, n_bins: usize, pointer: impl Fn() -> String, report: &mut Report) -> bool {
    if found != n_bins {
        let expected = format!("{}, as the sample has", super::bins(n_bins));
        report.add(&rule::EFT_BINS, pointer(), super::bins(found), expected);
    }
    found == n_bins
}

/// One entry for each of `expected` things, and a number for each bin where an entry is a list.
fn check_per_bin(
    values: &[PerBin],
    (expected, each): (usize, &str),
    n_bins: Option<usize>,
    pointer: &str,
    report: &mut Report,
) -> bool {
    let mut sound = check_length(values.len(), expected, each, pointer.to_string(), report);
    for (k, entry) in values.iter().enumerate() {
        if let (PerBin::Each(list), Some(n_bins)) = (entry, n_bins) {
            sound &= check_bins(list.len(), n_bins, || format!("{pointer}/{k}"), report);
        }
    }
    sound
}

/// The modifiers of a sample that belong to the extension, with their pointers.
fn extended<'w>(modifiers: &'w [Modifier], pointer: &str) -> Vec<(String, &'w Modifier)> {
    let own = modifiers.iter().enumerate().filter(|(_, modifier)| modifier.is_eft());
    own.map(|(m, modifier)| (format!("{pointer}/{m}"), modifier)).collect()
}
