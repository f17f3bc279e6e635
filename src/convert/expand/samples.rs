//! Parts of samples (spec/eft-hs3.md, section 2): a part without shape systematics and with one polynomial becomes a
//! sample a monomial; any other one sample whose factors are functions of the coefficients.

use super::formula;
use super::names::{Functions, Names};
use crate::convert::content::{Effect, Modifier, Sample};
use crate::convert::names::Taken;
use crate::finding::{Finding, Findings, quote};
use crate::model::eft::{Form, Polynomial, Response};
use crate::model::{self, HistosysCode, Part};
use crate::rule;

/// What the samples of a channel are made with.
pub(super) struct Maker<'m> {
    pub names: &'m mut Names,
    pub functions: &'m mut Functions,
    /// Bounds of the scalar parameters, in fit order.
    pub bounds: &'m [(f64, f64)],
    pub channel: &'m str,
    /// Of the sample, for messages.
    pub pointer: String,
    /// Names of samples of the channel.
    pub used: Taken,
    pub findings: &'m mut Findings,
}

impl Maker<'_> {
    /// The samples of one part; `name` is that of the first.
    pub fn part(&mut self, name: &str, part: &Part) -> Vec<Sample> {
        match &part.response {
            None => self.with_factors(name, part, Vec::new()),
            Some(Response { form: Form::Events(_), .. }) => {
                let found = format!("single events in the sample {} of channel {}", quote(name), quote(self.channel));
                let expected =
                    "histograms of events without floor and systematics of single events: HS3 has no form for them";
                self.findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, found, expected).at(self.pointer.clone()));
                Vec::new()
            }
            Some(response @ Response { form: Form::Product(factors), .. }) => match factors.as_slice() {
                [one] if one.power == 1 && !has_offsets(part) => self.monomials(name, part, response, &one.polynomial),
                _ => {
                    let of_bins: Vec<String> =
                        (0..part.nominal.len()).map(|b| self.factor(name, response, b)).collect();
                    let modifier = self.function_modifier(name, of_bins);
                    self.with_factors(name, part, vec![modifier])
                }
            },
        }
    }

    /// A name for a sample, once in the channel.
    pub fn sample_name(&mut self, wanted: &str) -> String {
        self.used.unique(wanted.to_owned())
    }

    /// A sample without yields.
    pub fn empty(&mut self, name: &str, n_bins: usize) -> Sample {
        let (name, contents, pointer) = (self.sample_name(name), vec![0.0; n_bins], self.pointer.clone());
        Sample { name, contents, errors: None, modifiers: Vec::new(), pointer }
    }

    /// n_b A_kb as the template of φ_k.
    fn monomials(&mut self, name: &str, part: &Part, response: &Response, polynomial: &Polynomial) -> Vec<Sample> {
        let variables = self.variables(response);
        let mut samples = Vec::with_capacity(polynomial.monomials.len());
        for (monomial, coefficients) in polynomial.terms() {
            let contents: Vec<f64> = coefficients.iter().zip(&part.nominal).map(|(a, n)| a * n).collect();
            if contents.iter().all(|x| *x == 0.0) {
                continue;
            }
            let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
            let mut own = self.plain_modifiers(part);
            let label = match monomial.as_slice() {
                [] => "SM".to_owned(),
                _ => {
                    let formula = formula::monomial(monomial, &variables);
                    let label = formula.replace('*', "_");
                    let function = self.functions.named(self.names, &format!("eft_{label}"), formula);
                    own.push(self.modifier(&function.clone(), Effect::Normfactor { parameter: function }));
                    label
                }
            };
            let name = self.sample_name(&format!("{name}__eft__{label}"));
            samples.push(Sample { name, contents, errors: None, modifiers: own, pointer: self.pointer.clone() });
        }
        samples
    }

    /// One sample, or a pair of them where its templates may become negative.
    pub fn with_factors(&mut self, name: &str, part: &Part, factors: Vec<Modifier>) -> Vec<Sample> {
        let raised = self.raised(part);
        let mut own = factors;
        own.extend(self.plain_modifiers(part));
        let plus = |list: &[f64]| -> Vec<f64> { list.iter().zip(&raised).map(|(x, m)| x + m).collect() };
        let mut modifiers = Vec::new();
        for effect in &part.effects {
            let model::Effect::Offset { parameter, lo, hi, code } = effect else { continue };
            let parameter = self.names.parameters[*parameter].clone();
            let (lo, hi, code) = (plus(lo), plus(hi), *code);
            modifiers.push(self.modifier(&parameter.clone(), Effect::Histosys { parameter, lo, hi, code }));
        }
        modifiers.extend(own.iter().cloned());
        let (pointer, contents) = (self.pointer.clone(), plus(&part.nominal));
        let first =
            Sample { name: self.sample_name(name), contents, errors: None, modifiers, pointer: pointer.clone() };
        if raised.iter().all(|m| *m == 0.0) {
            return vec![first];
        }
        let name = self.sample_name(&format!("{name}__offset"));
        let contents = raised.iter().map(|m| if *m == 0.0 { 0.0 } else { -m }).collect();
        vec![first, Sample { name, contents, errors: None, modifiers: own, pointer }]
    }

    /// What has to be added to each bin so that no template ends at zero in ROOT, which clips n + ΣΔ of a sample with
    /// a histosys: a power of two, since n + M and hi + M are then rounded least.
    fn raised(&mut self, part: &Part) -> Vec<f64> {
        let mut least = part.nominal.clone();
        for effect in &part.effects {
            let model::Effect::Offset { parameter, lo, hi, .. } = effect else { continue };
            let (low, high) = self.bounds.get(*parameter).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            if !(low.is_finite() && high.is_finite()) {
                let found = format!("the histosys {} without bounds", quote(&self.names.parameters[*parameter]));
                let expected = "bounds, within which ROOT does not end templates at zero";
                self.findings.push(Finding::new(&rule::EFT_NOT_IN_HS3, found, expected).at(self.pointer.clone()));
                return vec![0.0; least.len()];
            }
            for (((least, n), lo), hi) in least.iter_mut().zip(&part.nominal).zip(lo).zip(hi) {
                let (s, a) = (0.5 * (hi - lo), 0.5 * (hi + lo) - n);
                let delta = |alpha: f64| s * alpha + a * HistosysCode::Code4p.q(alpha).value;
                // Between −1 and 1 |α| ≤ 1 and 0 ≤ q ≤ 1; beyond it is straight.
                *least += delta(low).min(delta(high)).min(-s.abs() + a.min(0.0));
            }
        }
        if !has_offsets(part) {
            return vec![0.0; least.len()];
        }
        least.iter().map(|x| if *x >= 0.0 { 0.0 } else { (-2.0 * x).log2().ceil().exp2() }).collect()
    }

    /// The modifiers of all effects that multiply.
    pub fn plain_modifiers(&mut self, part: &Part) -> Vec<Modifier> {
        let mut modifiers = Vec::new();
        for effect in &part.effects {
            let (label, effect) = match effect {
                model::Effect::Offset { .. } => continue,
                model::Effect::Scale { parameter } => {
                    let parameter = self.names.parameters[*parameter].clone();
                    (parameter.clone(), Effect::Normfactor { parameter })
                }
                model::Effect::InterpolatedScale { parameter, lo, hi, code } => {
                    let parameter = self.names.parameters[*parameter].clone();
                    (parameter.clone(), Effect::Normsys { parameter, lo: *lo, hi: *hi, code: *code })
                }
                model::Effect::BinScale { parameters } => {
                    let parameters: Vec<String> = parameters.iter().map(|p| self.bin_factor(*p)).collect();
                    (parameters.first().cloned().unwrap_or_default(), Effect::Shapefactor { parameters })
                }
            };
            modifiers.push(self.modifier(&label, effect));
        }
        modifiers
    }

    fn bin_factor(&mut self, parameter: Option<usize>) -> String {
        match parameter {
            Some(parameter) => self.names.parameters[parameter].clone(),
            None => self.functions.named(self.names, "one", formula::literal(1.0)),
        }
    }

    pub fn modifier(&self, name: &str, effect: Effect) -> Modifier {
        Modifier { name: name.to_owned(), effect, pointer: self.pointer.clone() }
    }

    /// Functions that multiply the bins.
    pub fn function_modifier(&self, name: &str, of_bins: Vec<String>) -> Modifier {
        match of_bins.first() {
            Some(first) if of_bins.iter().all(|f| f == first) => {
                self.modifier(&first.clone(), Effect::Normfactor { parameter: first.clone() })
            }
            _ => self.modifier(&format!("eft_{name}"), Effect::Shapefactor { parameters: of_bins }),
        }
    }

    /// The function that multiplies a bin.
    fn factor(&mut self, name: &str, response: &Response, bin: usize) -> String {
        let Form::Product(factors) = &response.form else { return String::new() };
        let variables = self.variables(response);
        let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
        let wanted = format!("eft_{}_{name}_{bin}", self.channel);
        let (functions, names) = (&mut *self.functions, &mut *self.names);
        let named = |i: usize, formula: String| functions.named(names, &format!("{wanted}_factor{i}"), formula);
        let formula = formula::product(factors, bin, &variables, named);
        self.functions.named(self.names, &wanted, formula)
    }

    /// The names of the variables of a response.
    pub fn variables(&self, response: &Response) -> Vec<String> {
        response.parameters.iter().map(|p| self.names.parameters[*p].clone()).collect()
    }
}

pub(super) fn has_offsets(part: &Part) -> bool {
    part.effects.iter().any(|effect| matches!(effect, model::Effect::Offset { .. }))
}
