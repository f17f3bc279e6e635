//! From a response and the plain effects of a sample to parts whose rates add up (spec/eft.md, "Shape systematics",
//! eq. 8 to 11):
//!
//! * P (1 + Σ Δ/n), once for each set of monomials that the same scales multiply;
//! * Δ of the systematics that add to P;
//! * φ_k (Δ_k − A_k) of the systematics that know each monomial.

use super::PlainSample;
use super::combine::{Combined, one_polynomial};
use super::variables::Variables;
use crate::document::eft::{HistosysMode, Mode, MonomialTemplates, SampleData, SystematicData};
use crate::finding::{Result, quote};
use crate::model::eft::polynomial::np_order;
use crate::model::eft::{Factor, Form, Monomial, Polynomial, Response};
use crate::model::{Effect, HistosysCode, Part};
use crate::translate::from_pyhf::ModelOptions;

/// Templates of one monomial at ν = −1 and +1.
struct Moved {
    parameter: usize,
    code: HistosysCode,
    monomial: Monomial,
    lo: Vec<f64>,
    hi: Vec<f64>,
}

/// The effects of the sample, by what they do beside a response.
struct Effects<'e> {
    /// Multiply everything.
    scales: Vec<Effect>,
    /// Multiply the listed monomials.
    restricted: Vec<(Effect, Vec<Monomial>)>,
    relative: Vec<&'e Effect>,
    absolute: Vec<Effect>,
    moved: Vec<Moved>,
}

pub(super) fn parts(
    plain: &PlainSample,
    combined: Combined,
    of_sample: &SampleData,
    options: &ModelOptions,
    variables: &mut Variables,
) -> Result<Vec<Part>> {
    let mut effects = sort(plain, of_sample, variables)?;
    let one = one_polynomial(&combined.form);
    for (name, lo, hi) in &combined.shifts {
        let parameter = variables.variable(plain.owner(), name)?;
        let parameter = variables.parameters[parameter as usize];
        for (monomial, hi) in hi.terms() {
            let lo = lo.coefficients_of(monomial).map_or_else(|| vec![0.0; hi.len()], <[f64]>::to_vec);
            let (code, monomial) = (options.histosys, monomial.clone());
            effects.moved.push(Moved { parameter, code, monomial, lo, hi: hi.to_vec() });
        }
    }
    let splits = !effects.restricted.is_empty() || !effects.moved.is_empty();
    let polynomial = match (splits, one) {
        (false, _) => None,
        (true, Some(polynomial)) => Some(polynomial),
        (true, None) => {
            let expected = "a polynomial response for systematics that act on its monomials";
            return Err(plain.finding("a response that is no polynomial", expected).into());
        }
    };
    if splits && combined.variance.is_some() {
        let expected = "no systematics of single monomials beside a statistical uncertainty";
        return Err(plain.finding("per_monomial or applies_to beside mc_stat", expected).into());
    }
    let mut parts = Vec::new();
    match &polynomial {
        None => {
            parts.push(main_part(plain, &effects, combined.mode, combined.form, combined.variance, &[], variables)?)
        }
        Some(polynomial) => {
            for (group, scales) in groups(polynomial, &effects.restricted, &variables.order) {
                let form = Form::Product(vec![Factor { polynomial: group, power: 1 }]);
                parts.push(main_part(plain, &effects, combined.mode, form, None, &scales, variables)?);
            }
            for moved in &effects.moved {
                // Templates of a monomial that truncation removes go with it.
                if np_order(&moved.monomial, &variables.order) <= polynomial.np_order(&variables.order) {
                    parts.push(moved_part(plain, &effects, moved, polynomial, combined.mode, variables)?);
                }
            }
        }
    }
    if !effects.absolute.is_empty() {
        let constant = scales_of(&effects, &Vec::new());
        let effects = [effects.absolute, effects.scales, constant].concat();
        parts.push(Part { nominal: vec![0.0; plain.nominal.len()], effects, response: None });
    }
    Ok(parts)
}

/// Sorts the effects by what the sample says of them.
fn sort<'e>(plain: &'e PlainSample, of_sample: &SampleData, variables: &mut Variables) -> Result<Effects<'e>> {
    let mut sorted = Effects {
        scales: Vec::new(),
        restricted: Vec::new(),
        relative: Vec::new(),
        absolute: Vec::new(),
        moved: Vec::new(),
    };
    for (name, effect) in &plain.effects {
        let said = of_sample.systematics.get(*name);
        let Effect::Offset { parameter, lo, hi, code } = effect else {
            match said {
                Some(SystematicData::AppliesTo(list)) => {
                    let monomials = variables.monomials(plain.owner(), &list.applies_to)?;
                    sorted.restricted.push((effect.clone(), monomials));
                }
                _ => sorted.scales.push(effect.clone()),
            }
            continue;
        };
        let (mode, templates) = match said {
            Some(SystematicData::Histosys(own)) => (own.histosys, own.templates.as_slice()),
            _ => (of_sample.histosys, &[][..]),
        };
        match mode {
            HistosysMode::Relative => sorted.relative.push(effect),
            HistosysMode::Absolute => {
                let less = |list: &[f64]| list.iter().zip(plain.nominal).map(|(x, n)| x - n).collect();
                sorted.absolute.push(Effect::Offset { parameter: *parameter, lo: less(lo), hi: less(hi), code: *code });
            }
            HistosysMode::PerMonomial => {
                if templates.is_empty() {
                    let found = format!("the histosys {} per monomial without templates", quote(name));
                    return Err(plain.finding(found, "templates for the monomials that it moves").into());
                }
                for MonomialTemplates { monomial, lo_data, hi_data } in templates {
                    let monomial = variables.monomial(plain.owner(), monomial)?;
                    let (lo, hi) = (lo_data.clone(), hi_data.clone());
                    sorted.moved.push(Moved { parameter: *parameter, code: *code, monomial, lo, hi });
                }
            }
        }
    }
    Ok(sorted)
}

/// The restricted scales that multiply a monomial.
fn scales_of(effects: &Effects, monomial: &Monomial) -> Vec<Effect> {
    let acting = effects.restricted.iter().filter(|(_, monomials)| monomials.contains(monomial));
    acting.map(|(effect, _)| effect.clone()).collect()
}

/// Monomials with the same restricted scales together. The error of a coefficient, which has a nuisance beside its
/// coefficients, goes where its monomial goes; `order` is zero for a nuisance.
fn groups(
    polynomial: &Polynomial,
    restricted: &[(Effect, Vec<Monomial>)],
    order: &[u32],
) -> Vec<(Polynomial, Vec<Effect>)> {
    let key = |monomial: &Monomial| -> Vec<bool> {
        let is_coefficient = |variable: &u32| order.get(*variable as usize).is_none_or(|order| *order > 0);
        let own: Monomial = monomial.iter().copied().filter(is_coefficient).collect();
        restricted.iter().map(|(_, monomials)| monomials.contains(&own)).collect()
    };
    let mut keys: Vec<Vec<bool>> = polynomial.monomials.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let of_key = |own: Vec<bool>| {
        let terms = polynomial.terms().filter(|(monomial, _)| key(monomial) == own);
        let group = Polynomial::from_terms(polynomial.n_bins, terms.map(|(m, a)| (m.clone(), a.to_vec())));
        let acting = restricted.iter().zip(&own).filter(|(_, acts)| **acts);
        (group, acting.map(|((effect, _), _)| effect.clone()).collect())
    };
    keys.into_iter().map(of_key).collect()
}

/// P (1 + Σ Δ/n) with the scales of everything and `scales`. The nominal of an absolute response is one.
fn main_part(
    plain: &PlainSample,
    effects: &Effects,
    mode: Mode,
    form: Form,
    variance: Option<Polynomial>,
    scales: &[Effect],
    variables: &Variables,
) -> Result<Part> {
    let mut own = Vec::new();
    for effect in &effects.relative {
        own.push(match mode {
            Mode::Relative => (*effect).clone(),
            Mode::Absolute => relative_to_nominal(plain, effect)?,
        });
    }
    own.extend(effects.scales.iter().chain(scales).cloned());
    let nominal = match mode {
        Mode::Relative => plain.nominal.to_vec(),
        Mode::Absolute => vec![1.0; plain.nominal.len()],
    };
    let response = Response { parameters: variables.parameters.clone(), form, variance };
    Ok(Part { nominal, effects: own, response: Some(response) })
}

/// Templates in units of the nominal yields.
fn relative_to_nominal(plain: &PlainSample, effect: &Effect) -> Result<Effect> {
    let Effect::Offset { parameter, lo, hi, code } = effect else { return Ok(effect.clone()) };
    let mut divided = [Vec::with_capacity(lo.len()), Vec::with_capacity(hi.len())];
    for (list, to) in [lo, hi].into_iter().zip(&mut divided) {
        for (bin, (x, n)) in list.iter().zip(plain.nominal).enumerate() {
            if *n == 0.0 && *x != 0.0 {
                let found = format!("a relative histosys that moves bin {bin}, whose nominal yield is 0");
                return Err(plain.finding(found, "histosys: absolute or per_monomial").into());
            }
            to.push(if *n == 0.0 { 1.0 } else { x / n });
        }
    }
    let [lo, hi] = divided;
    Ok(Effect::Offset { parameter: *parameter, lo, hi, code: *code })
}

/// φ_k Δ_k of one systematic and monomial: templates less the coefficient.
fn moved_part(
    plain: &PlainSample,
    effects: &Effects,
    moved: &Moved,
    polynomial: &Polynomial,
    mode: Mode,
    variables: &Variables,
) -> Result<Part> {
    let n_bins = plain.nominal.len();
    let Some(coefficients) = polynomial.coefficients_of(&moved.monomial) else {
        let expected = "templates of monomials that the response has";
        return Err(plain.finding("templates of a monomial that is not in the response", expected).into());
    };
    let yields = |a: &f64, n: &f64| if mode == Mode::Relative { a * n } else { *a };
    let a: Vec<f64> = coefficients.iter().zip(plain.nominal).map(|(a, n)| yields(a, n)).collect();
    let less = |list: &[f64]| list.iter().zip(&a).map(|(x, a)| x - a).collect();
    let (parameter, code) = (moved.parameter, moved.code);
    let mut own = vec![Effect::Offset { parameter, lo: less(&moved.lo), hi: less(&moved.hi), code }];
    own.extend(effects.scales.iter().cloned());
    own.extend(scales_of(effects, &moved.monomial));
    let polynomial = Polynomial::from_terms(n_bins, [(moved.monomial.clone(), vec![1.0; n_bins])]);
    let form = Form::Product(vec![Factor { polynomial, power: 1 }]);
    let response = Response { parameters: variables.parameters.clone(), form, variance: None };
    Ok(Part { nominal: vec![0.0; n_bins], effects: own, response: Some(response) })
}
