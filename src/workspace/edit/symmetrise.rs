//! Effects of normsys and histosys made the same size up and down.

use super::rewrite::Rewritten;
use super::select::{Names, Selector};
use super::{Edited, Source};
use crate::document::workspace::{Modifier, Sample};
use crate::document::{Document, patch};
use crate::finding::{Finding, Findings, Result, number, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::combine::report::Place;
use crate::workspace::combine::result::Origins;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// Which effect counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Half the difference of both sides.
    #[default]
    Average,
    /// That at +1σ.
    Up,
    /// That at −1σ.
    Down,
    /// That of the larger sum of absolute changes.
    Larger,
}

/// What is made symmetric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub method: Method,
    /// Only what one of these fits; all normsys and histosys where there is none.
    pub selectors: Vec<Selector>,
    /// Only those with effects of one sign, or without effect at one side, in every bin.
    pub one_sided: bool,
    pub compat: Compat,
}

/// A modifier that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Changed {
    pub channel: String,
    pub sample: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    /// Where it stands.
    pub pointer: String,
    /// By how much the sums of the templates change, relative to that of the nominal yields; of a normsys the factors.
    pub lo: f64,
    pub hi: f64,
}

/// Makes effects symmetric.
///
/// # Errors
/// All findings, warnings included: selectors that fit nothing, factors that would not be positive, and what is wrong with the
/// document or the result.
pub fn symmetrise(document: &Document, options: &Options) -> Result<(Edited, Vec<Changed>)> {
    let source = Source::read(document, options.compat)?;
    let mut findings = Findings::default();
    let (mut value, mut changed) = (source.value.clone(), Vec::new());
    let names = Names::of(&source.workspace, Compat::Strict);
    let fitting: Vec<_> = options.selectors.iter().map(|selector| selector.fitting(&names)).collect();
    let mut met = vec![false; fitting.len()];
    for (c, channel) in source.workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (m, modifier) in sample.modifiers.iter().enumerate() {
                let pointer = format!("/channels/{c}/samples/{s}/modifiers/{m}");
                let Some(effect) = Effect::of(modifier, sample) else { continue };
                let mut chosen = options.selectors.is_empty();
                for (met, fitting) in met.iter_mut().zip(&fitting) {
                    if fitting.channel(&channel.name) && fitting.sample(&sample.name) && fitting.modifier(modifier) {
                        (*met, chosen) = (true, true);
                    }
                }
                if !chosen || (options.one_sided && !effect.is_one_sided()) {
                    continue;
                }
                let new = effect.symmetric(options.method);
                if new.is_near(&effect) {
                    continue;
                }
                new.check(modifier, &pointer, &mut findings);
                if let Some(data) = value.pointer_mut(&format!("{pointer}/data")) {
                    let (lo, hi) = new.sides(&effect, modifier);
                    let keys = if matches!(modifier, Modifier::Normsys { .. }) {
                        ["lo", "hi"]
                    } else {
                        ["lo_data", "hi_data"]
                    };
                    (data[keys[0]], data[keys[1]]) = (lo, hi);
                }
                let [lo, hi] = new.totals();
                let (channel, sample) = (channel.name.clone(), sample.name.clone());
                let (kind, name) = (modifier.kind().to_owned(), modifier.name().to_owned());
                changed.push(Changed { channel, sample, kind, name, pointer, lo, hi });
            }
        }
    }
    for (_, selector) in met.iter().zip(&options.selectors).filter(|(met, _)| !**met) {
        let found = format!("the selector {}, which fits no normsys and no histosys", quote(&selector.to_string()));
        findings.push(Finding::new(&rule::EDIT_UNKNOWN, found, "a selector that fits one"));
    }
    let told = source.judge(findings)?;
    let mut origins = Origins::default();
    origins.add("", Place::new(0, ""));
    let patch = patch::between(&source.value, &value).0;
    let edited = source.finish(Rewritten { document: value, origins, patch }, told)?;
    Ok((edited, changed))
}

/// Differences of sides that are no reason to write other numbers, as a fraction of the nominal yield.
const ROUNDING: f64 = 1e-14;

/// Changes by bin at −1σ and +1σ of a template, or of the factor 1.
#[derive(Clone, Debug, PartialEq)]
struct Effect {
    nominal: Vec<f64>,
    lo: Vec<f64>,
    hi: Vec<f64>,
}

impl Effect {
    fn of(modifier: &Modifier, sample: &Sample) -> Option<Effect> {
        let (nominal, lo, hi) = match modifier {
            Modifier::Normsys { data, .. } => (vec![1.0], vec![data.lo], vec![data.hi]),
            Modifier::Histosys { data, .. } => (sample.data.clone(), data.lo_data.clone(), data.hi_data.clone()),
            _ => return None,
        };
        // Other lengths break a rule, which is told of the result.
        let changes = |side: &[f64]| -> Vec<f64> { side.iter().zip(&nominal).map(|(x, n)| x - n).collect() };
        let same = lo.len() == nominal.len() && hi.len() == nominal.len();
        let (lo, hi) = (changes(&lo), changes(&hi));
        same.then_some(Effect { lo, hi, nominal })
    }

    /// The same but for rounding.
    fn is_near(&self, other: &Effect) -> bool {
        let sides = [(&self.lo, &other.lo), (&self.hi, &other.hi)];
        sides.into_iter().all(|(a, b)| {
            let mut bins = a.iter().zip(b).zip(&self.nominal);
            bins.all(|((a, b), n)| (a - b).abs() <= ROUNDING * n.abs().max(a.abs()))
        })
    }

    fn is_one_sided(&self) -> bool {
        let mut pairs = self.lo.iter().zip(&self.hi);
        pairs.all(|(lo, hi)| lo * hi >= 0.0) && self.lo.iter().chain(&self.hi).any(|x| *x != 0.0)
    }

    fn symmetric(&self, method: Method) -> Effect {
        let size = |side: &[f64]| side.iter().map(|x| x.abs()).sum::<f64>();
        let up = match method {
            Method::Up => true,
            Method::Down => false,
            Method::Average | Method::Larger => size(&self.hi) >= size(&self.lo),
        };
        let hi: Vec<f64> = match (method, up) {
            (Method::Average, _) => self.lo.iter().zip(&self.hi).map(|(lo, hi)| 0.5 * (hi - lo)).collect(),
            (_, true) => self.hi.clone(),
            (_, false) => self.lo.iter().map(|x| -x).collect(),
        };
        Effect { lo: hi.iter().map(|x| -x).collect(), hi, nominal: self.nominal.clone() }
    }

    /// The values as they are written; a side that stays keeps its digits.
    fn sides(&self, old: &Effect, modifier: &Modifier) -> (serde_json::Value, serde_json::Value) {
        let written = |changes: &[f64], was: &[f64], side: &[f64]| -> Vec<f64> {
            let moved = changes.iter().zip(was).zip(&self.nominal).zip(side);
            moved.map(|(((change, was), n), x)| if change == was { *x } else { n + change }).collect()
        };
        match modifier {
            Modifier::Normsys { data, .. } => {
                let one = |changes: &[f64], was: &[f64], x: f64| written(changes, was, &[x]).first().copied();
                (json!(one(&self.lo, &old.lo, data.lo)), json!(one(&self.hi, &old.hi, data.hi)))
            }
            Modifier::Histosys { data, .. } => {
                let (lo, hi) = (written(&self.lo, &old.lo, &data.lo_data), written(&self.hi, &old.hi, &data.hi_data));
                (json!(lo), json!(hi))
            }
            _ => Default::default(),
        }
    }

    fn totals(&self) -> [f64; 2] {
        let nominal: f64 = self.nominal.iter().sum();
        [&self.lo, &self.hi].map(|side| if nominal == 0.0 { 0.0 } else { side.iter().sum::<f64>() / nominal + 0.0 })
    }

    /// Templates that end below zero are odd; factors that do are no factors, which W111 says.
    fn check(&self, modifier: &Modifier, pointer: &str, findings: &mut Findings) {
        for (side, changes) in [("lo", &self.lo), ("hi", &self.hi)] {
            let below = changes.iter().zip(&self.nominal).find(|(change, n)| **n >= 0.0 && **n + **change < 0.0);
            if let (Some((change, n)), Modifier::Histosys { .. }) = (below, modifier) {
                let found = format!("{} in {side}_data of histosys {}", number(n + change), quote(modifier.name()));
                let place = format!("{pointer}/data/{side}_data");
                findings.push(Finding::new(&rule::EDIT_NEGATIVE, found, "a template of at least 0").at(place));
            }
        }
    }
}
