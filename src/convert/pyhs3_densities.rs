//! What pyhs3 0.4.2 takes in another way in documents of densities (spec/hs3-convert.md, section 6): seen in
//! tests/peer/convert_to_pyhs3.py.

use super::from_hs3::channel_in;
use super::leftover::reached;
use crate::document::hs3::{Data, DataKind, DistributionKind, Hs3Document, Likelihood, LikelihoodData, Slot};
use crate::finding::{Finding, Findings, quote};
use crate::rule::{self, Rule};
use std::collections::HashSet;

/// Tells of them.
pub(super) fn check(document: &Hs3Document, losses: &mut Findings) {
    let mut checker = Checker { document, losses };
    for likelihood in &document.likelihoods {
        checker.shared_variates(likelihood);
        for (i, (name, data)) in likelihood.distributions.iter().zip(&likelihood.data).enumerate() {
            let pointer = format!("{}/distributions/{i}", likelihood.pointer);
            if let (Some(data), None) = (checker.data(data), channel_in(document, name)) {
                checker.density(name, data, &pointer);
            }
        }
    }
}

struct Checker<'d, 'l> {
    document: &'d Hs3Document,
    losses: &'l mut Findings,
}

impl<'d> Checker<'d, '_> {
    fn data(&self, data: &LikelihoodData) -> Option<&'d Data> {
        match data {
            LikelihoodData::Name(name) => self.document.data(name),
            LikelihoodData::Value(_) => None,
        }
    }

    fn tell(&mut self, rule: &Rule, found: String, expected: &str, pointer: &str) {
        let finding = Finding::new(rule, found, expected).at(pointer);
        if !self.losses.0.contains(&finding) {
            self.losses.push(finding);
        }
    }

    /// Each variate of a likelihood comes from one set of data.
    fn shared_variates(&mut self, likelihood: &Likelihood) {
        let mut seen = HashSet::new();
        let mut twice = Vec::new();
        for data in likelihood.data.iter().filter_map(|data| self.data(data)) {
            twice.extend(data.axes.iter().map(|axis| axis.name.as_str()).filter(|name| !seen.insert(*name)));
        }
        twice.sort_unstable();
        twice.dedup();
        for name in twice {
            let found = format!("the variate {} in several sets of data", quote(name));
            let expected = "one of its own for each set of data of a likelihood: pyhs3 reads no other";
            self.tell(&rule::CONVERT_LOST, found, expected, &likelihood.pointer);
        }
    }

    fn density(&mut self, name: &str, data: &Data, pointer: &str) {
        if let DataKind::Binned(_) = data.kind {
            let found = format!("binned data of the density {}", quote(name));
            let expected = "unbinned data: pyhs3 leaves the term of the others out";
            return self.tell(&rule::CONVERT_LOST, found, expected, pointer);
        }
        let variates: HashSet<&str> = data.axes.iter().map(|axis| axis.name.as_str()).collect();
        for axis in data.axes.iter().filter(|axis| !(axis.min.is_finite() && axis.max.is_finite())) {
            let found = format!("the axis {} without a range", quote(&axis.name));
            self.tell(&rule::CONVERT_LOST, found, "min and max, which pyhs3 asks for", &data.pointer);
        }
        let mut names: Vec<&str> = reached(self.document, [name]).into_iter().collect();
        names.sort_unstable();
        for name in names {
            let Some(distribution) = self.document.distribution(name) else { continue };
            let at = &distribution.pointer;
            match &distribution.kind {
                DistributionKind::Poisson { x: Slot::Name(x), .. } if variates.contains(x.as_str()) => {
                    let found = format!("the Poisson distribution {} of events", quote(name));
                    let expected = "another density: pyhs3 normalises this one over the range of its variate";
                    self.tell(&rule::CONVERT_LOST, found, expected, at);
                }
                DistributionKind::Product { factors, .. } if self.share(factors, &variates) => {
                    let found = format!("the product {} of densities of one variate", quote(name));
                    let expected = "factors of variates of their own: pyhs3 normalises each by itself";
                    self.tell(&rule::CONVERT_LOST, found, expected, at);
                }
                DistributionKind::Mixture { summands, coefficients, .. } if summands.len() == coefficients.len() => {
                    let found = format!("ln N! of the extended density {}", quote(name));
                    self.tell(&rule::CONVERT_CONSTANT, found, "−ln L without it, as pyhs3 has it", at);
                }
                _ => {}
            }
        }
    }

    /// Two factors depend on one variate.
    fn share(&self, factors: &[String], variates: &HashSet<&str>) -> bool {
        let mut seen = HashSet::new();
        let of = |factor: &String| -> Vec<&'d str> {
            let Some(factor) = self.document.distribution(factor) else { return Vec::new() };
            let own = reached(self.document, [factor.name.as_str()]);
            own.into_iter().filter(|name| variates.contains(name)).collect()
        };
        factors.iter().flat_map(of).any(|name| !seen.insert(name))
    }
}
