//! Rules for a sample with responses: how they multiply, and what its other modifiers do beside them.

use super::super::Report;
use super::response::{self, Monomials, Response, products, report_moving_pole};
use super::{Context, check_bins, extended, product};
use crate::document::eft::{
    HistosysMode, HistosysSystematic, Mode, MonomialTemplates, SampleData, SystematicData, Truncation,
};
use crate::document::workspace::{HistosysData, Modifier, Sample};
use crate::finding::{escape_token, number, quote};
use crate::model::eft::Monomial;
use crate::model::eft::polynomial::monomial_value;
use crate::rule;
use std::collections::BTreeSet;

/// The coefficients on which the sample depends; none where its responses are not all sound.
pub(super) fn check(context: &Context, sample: &Sample, pointer: &str, report: &mut Report) -> Option<BTreeSet<u32>> {
    let own = extended(&sample.modifiers, pointer);
    if own.is_empty() {
        return Some(BTreeSet::new());
    }
    let (mut responses, mut broken) = (Vec::new(), false);
    let mut of_sample: Option<(&str, &SampleData)> = None;
    for (pointer, modifier) in &own {
        if let Modifier::EftSample { data, .. } = modifier {
            if of_sample.is_some() {
                report.add(&rule::EFT_SEVERAL_SAMPLE, pointer.clone(), "a second eft_sample", "one for each sample");
            } else {
                of_sample = Some((pointer, data));
            }
            continue;
        }
        match response::check(context, sample, modifier, pointer, report) {
            Ok(response) => responses.extend(response),
            Err(()) => broken = true,
        }
    }
    let empty = SampleData::default();
    let checker = Checker {
        context,
        sample,
        pointer,
        responses: &responses,
        broken,
        of_sample: of_sample.map_or(&empty, |(_, data)| data),
        place: of_sample.map_or(pointer, |(place, _)| place),
    };
    checker.check(of_sample.is_some(), report);
    (!broken).then(|| responses.into_iter().flat_map(|r| r.uses).collect())
}

struct Checker<'a, 'w> {
    context: &'a Context<'w>,
    sample: &'a Sample,
    /// To the modifiers of the sample.
    pointer: &'a str,
    responses: &'a [Response],
    /// A response is unknown.
    broken: bool,
    of_sample: &'a SampleData,
    /// To the eft_sample.
    place: &'a str,
}

impl Checker<'_, '_> {
    fn check(&self, declared: bool, report: &mut Report) {
        if self.responses.is_empty() && !self.broken && declared {
            let found = "an eft_sample without a response";
            report.add(&rule::EFT_IDLE_SAMPLE, self.place.to_string(), found, "a response on the sample");
        }
        self.check_products(report);
        self.check_mc_stat(report);
        let resolving = self.check_systematics(report);
        self.check_histosys(report);
        self.check_resolved(resolving, report);
    }

    /// What responses that multiply need.
    fn check_products(&self, report: &mut Report) {
        if let Some(second) = self.responses.iter().filter(|r| r.mode == Mode::Absolute).nth(1) {
            let found = "a second response that replaces the nominal yields";
            report.add(
                &rule::EFT_SEVERAL_ABSOLUTE,
                second.pointer.clone(),
                found,
                "relative responses beside the first",
            );
        }
        let truncated = self.responses.iter().find(|r| r.truncated);
        if let (Some(truncated), None, true) = (truncated, self.of_sample.truncation, self.responses.len() > 1) {
            let found = "a truncated response beside another one";
            let expected = "an eft_sample with the truncation of their product";
            report.add(&rule::EFT_SAMPLE_TRUNCATION, truncated.pointer.clone(), found, expected);
        }
        if let Some(Truncation::Order(_)) = self.of_sample.truncation {
            for (response, a) in self.responses.iter().filter_map(|r| Some((r, r.moving_pole?))) {
                report_moving_pole(format!("{}/factors/{a}/uncertainties", response.pointer), report);
            }
        }
        let alone = self.responses.len() == 1 && self.of_sample.truncation.is_none();
        let by_event = self.responses.iter().find(|r| matches!(r.monomials, Monomials::ByEvent));
        if let (Some(events), false) = (by_event, alone) {
            let found = "events that are summed at every point, beside another response or a truncation of the sample";
            report.add(&rule::EFT_NO_POLYNOMIAL, events.pointer.clone(), found, "such a response alone");
        }
    }

    fn check_mc_stat(&self, report: &mut Report) {
        let mut with = self.responses.iter().filter(|r| r.mc_stat);
        let Some(first) = with.next() else { return };
        if let Some(second) = with.next() {
            let found = "a second statistical uncertainty";
            report.add(&rule::EFT_SEVERAL_MC_STAT, second.pointer.clone(), found, "one for each sample");
        }
        let others = self.responses.iter().filter(|r| !std::ptr::eq(*r, first));
        if let Some(other) = others.into_iter().find(|r| matches!(r.monomials, Monomials::None)) {
            let found = "a denominator beside a response with a statistical uncertainty";
            report.add(&rule::EFT_NO_POLYNOMIAL, other.pointer.clone(), found, "an expanded response");
        }
        for (m, modifier) in self.sample.modifiers.iter().enumerate() {
            if let Modifier::Staterror { name, .. } = modifier {
                let found = format!("the staterror {} beside a response with mc_stat", quote(name));
                let place = format!("{}/{m}", self.pointer);
                report.add(&rule::EFT_STATERROR, place, found, "one of the two");
            }
        }
    }

    /// The profiled uncertainty and what resolves its monomials or events.
    fn check_resolved(&self, resolving: bool, report: &mut Report) {
        let Some(with) = self.responses.iter().find(|r| r.mc_stat) else { return };
        if resolving || self.responses.iter().any(|r| r.resolved) {
            let found = "a statistical uncertainty beside what acts on single monomials or events";
            report.add(&rule::EFT_RESOLVED, with.pointer.clone(), found, "one of the two");
        }
    }

    /// Entries of the eft_sample by name; true if one acts on single monomials.
    fn check_systematics(&self, report: &mut Report) -> bool {
        let mut resolving = false;
        for (name, systematic) in &self.of_sample.systematics {
            let place = format!("{}/data/systematics/{}", self.place, escape_token(name));
            let named = |kinds: &[&str]| {
                let mut modifiers = self.sample.modifiers.iter();
                modifiers.any(|m| m.name() == name && kinds.contains(&m.kind()))
            };
            let (known, expected) = match systematic {
                SystematicData::AppliesTo(_) => {
                    (named(&["normsys", "normfactor", "lumi"]), "a normsys, normfactor or lumi of the sample")
                }
                SystematicData::Histosys(_) => (named(&["histosys"]), "a histosys of the sample"),
            };
            if !known {
                report.add(&rule::EFT_UNKNOWN_SYSTEMATIC, place.clone(), format!("the name {}", quote(name)), expected);
            }
            if let SystematicData::AppliesTo(list) = systematic {
                resolving = true;
                let lists = &list.applies_to;
                let place = format!("{place}/applies_to");
                if let Some(monomials) = self.context.monomials(lists, &place, report) {
                    self.check_monomials(lists, &monomials, |k| format!("{place}/{k}"), report);
                }
            }
        }
        resolving | self.histosys().any(|(_, _, mode, _)| mode == HistosysMode::PerMonomial)
    }

    /// Monomials that are those of the product of the responses.
    fn check_monomials(
        &self,
        lists: &[Vec<String>],
        monomials: &[Monomial],
        place: impl Fn(usize) -> String,
        report: &mut Report,
    ) {
        if self.broken || self.responses.is_empty() {
            return;
        }
        let mut all = Monomials::Known(BTreeSet::from([Monomial::new()]));
        for response in self.responses {
            all = match (&all, &response.monomials) {
                (Monomials::Known(a), Monomials::Known(b)) => products(a, b),
                (Monomials::Known(_) | Monomials::Many, Monomials::Known(_) | Monomials::Many) => Monomials::Many,
                _ => {
                    let found = "monomials of a response that is no polynomial";
                    report.add(&rule::EFT_NO_POLYNOMIAL, place(0), found, "a response that is one");
                    return;
                }
            };
        }
        let Monomials::Known(all) = all else { return };
        for (k, (names, monomial)) in lists.iter().zip(monomials).enumerate() {
            if !all.contains(monomial) {
                report.add(&rule::EFT_UNKNOWN_MONOMIAL, place(k), product(names), "a monomial of the response");
            }
        }
    }

    /// Every histosys of the sample, with its place, how it combines, and its templates of monomials.
    fn histosys(
        &self,
    ) -> impl Iterator<Item = (usize, &HistosysData, HistosysMode, Option<(&str, &HistosysSystematic)>)> {
        self.sample.modifiers.iter().enumerate().filter_map(|(m, modifier)| {
            let Modifier::Histosys { name, data } = modifier else { return None };
            Some(match self.of_sample.systematics.get(name) {
                Some(SystematicData::Histosys(own)) => (m, data, own.histosys, Some((name.as_str(), own))),
                _ => (m, data, self.of_sample.histosys, None),
            })
        })
    }

    fn check_histosys(&self, report: &mut Report) {
        if self.responses.is_empty() && !self.broken {
            return;
        }
        for (m, data, mode, own) in self.histosys() {
            let templates = own.map(|(_, own)| own.templates.as_slice()).unwrap_or_default();
            let place = match own {
                Some((name, _)) => format!("{}/data/systematics/{}", self.place, escape_token(name)),
                None => format!("{}/{m}", self.pointer),
            };
            match mode {
                HistosysMode::PerMonomial if templates.is_empty() => {
                    report.add(
                        &rule::EFT_NO_TEMPLATES,
                        place,
                        "a histosys per monomial without templates",
                        "templates",
                    );
                }
                HistosysMode::PerMonomial => self.check_templates(m, data, templates, &place, report),
                _ if !templates.is_empty() => {
                    let found = "templates of a histosys that is not per monomial";
                    report.add(&rule::EFT_NO_TEMPLATES, format!("{place}/templates"), found, "no templates");
                }
                HistosysMode::Relative if self.responses.iter().any(|r| r.mode == Mode::Absolute) => {
                    self.check_empty_bins(m, data, report);
                }
                _ => {}
            }
        }
    }

    fn check_empty_bins(&self, m: usize, data: &HistosysData, report: &mut Report) {
        for (key, list) in [("lo_data", &data.lo_data), ("hi_data", &data.hi_data)] {
            let bins = self.sample.data.iter().zip(list).enumerate();
            let mut moved = bins.filter(|(_, (n, x))| **n == 0.0 && **x != 0.0);
            if let Some((b, (_, x))) = moved.next() {
                let found = format!("{} in bin {b}, whose nominal yield is 0", number(*x));
                let place = format!("{}/{m}/data/{key}/{b}", self.pointer);
                report.add(&rule::EFT_EMPTY_BIN, place, found, "0, or absolute or per_monomial");
                return;
            }
        }
    }

    fn check_templates(
        &self,
        m: usize,
        data: &HistosysData,
        templates: &[MonomialTemplates],
        place: &str,
        report: &mut Report,
    ) {
        let n_bins = self.sample.data.len();
        let (mut sound, mut lists, mut monomials) = (true, Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (t, template) in templates.iter().enumerate() {
            let place = format!("{place}/templates/{t}");
            for (key, list) in [("lo_data", &template.lo_data), ("hi_data", &template.hi_data)] {
                sound &= check_bins(list.len(), n_bins, || format!("{place}/{key}"), report);
            }
            let mut monomial = Monomial::new();
            for (j, name) in template.monomial.iter().enumerate() {
                let place = || format!("{place}/monomial/{j}");
                match self.context.coefficient(name, place, report) {
                    Some(i) => monomial.push(i),
                    None => sound = false,
                }
            }
            monomial.sort_unstable();
            if sound && !seen.insert(monomial.clone()) {
                let found = format!("{} again", product(&template.monomial));
                report.add(&rule::EFT_REPEATED, format!("{place}/monomial"), found, "each monomial once");
                sound = false;
            }
            lists.push(template.monomial.clone());
            monomials.push(monomial);
        }
        if !sound {
            return;
        }
        self.check_monomials(&lists, &monomials, |t| format!("{place}/templates/{t}/monomial"), report);
        if let [response] = self.responses
            && !self.broken
        {
            self.check_sum(m, data, response, templates, &monomials, report);
        }
    }

    /// At the reference the templates add up to those of the histosys: n + Σ_k φ_k (t_k − A_k).
    fn check_sum(
        &self,
        m: usize,
        data: &HistosysData,
        response: &Response,
        templates: &[MonomialTemplates],
        monomials: &[Monomial],
        report: &mut Report,
    ) {
        let of = |monomial: &Monomial| response.polynomial.as_ref().and_then(|p| p.coefficients_of(monomial));
        let at_zero = response.reference.iter().all(|x| *x == 0.0);
        for (key, wanted) in [("lo_data", &data.lo_data), ("hi_data", &data.hi_data)] {
            let mut sums = self.sample.data.clone();
            for (template, monomial) in templates.iter().zip(monomials) {
                let phi = monomial_value(monomial, &response.reference);
                if phi == 0.0 {
                    continue;
                }
                let list = if key == "lo_data" { &template.lo_data } else { &template.hi_data };
                for (b, (sum, t)) in sums.iter_mut().zip(list).enumerate() {
                    let n = self.sample.data.get(b).copied().unwrap_or(0.0);
                    let unit = if response.mode == Mode::Relative { n } else { 1.0 };
                    // At zero the constant alone counts, and its coefficient is the nominal yield.
                    let a = match of(monomial).and_then(|a| a.get(b)) {
                        Some(a) => a * unit,
                        None if at_zero => n,
                        None => return,
                    };
                    *sum += phi * (t - a);
                }
            }
            let differs = |(sum, x): &(&f64, &f64)| (*sum - *x).abs() > 1e-6 * x.abs().max(sum.abs()) || sum.is_nan();
            if let Some((b, (sum, x))) = sums.iter().zip(wanted).enumerate().find(|(_, pair)| differs(pair)) {
                let found = format!("{} in bin {b}", number(*x));
                let expected = format!("{}, which the templates add up to", number(*sum));
                report.add(&rule::EFT_TEMPLATES, format!("{}/{m}/data/{key}/{b}", self.pointer), found, expected);
                return;
            }
        }
    }
}
