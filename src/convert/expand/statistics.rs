//! The statistical uncertainty of simulated responses (spec/eft-hs3.md, section 3): η_b √v_b as a sample of its own, with
//! η_b as a parameter of the document.

use super::formula;
use super::names::Names;
use super::samples::Maker;
use crate::convert::content::{Effect, Modifier, Parameter, Sample, Setting};
use crate::model::eft::Polynomial;
use crate::model::interpolation::code4;
use crate::model::{self, Constraint, NormsysCode, Part, Response};

/// Where η may go: a pull of ten says that something else is wrong.
const BOUNDS: (f64, f64) = (-10.0, 10.0);

/// The parameters η_b of a channel.
pub(super) fn parameters(channel: &str, n_bins: usize, names: &mut Names) -> Vec<Parameter> {
    let parameter = |bin: usize| Parameter {
        name: names.unique(&format!("eta_{channel}_{bin}")),
        setting: Setting { value: 0.0, bounds: BOUNDS, constant: false },
        constraint: Some(Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 }),
        range: None,
    };
    (0..n_bins).map(parameter).collect()
}

/// η_b √v_b of all uncertain parts of a channel.
pub(super) fn samples(maker: &mut Maker, parts: &[&Part], etas: &[Parameter]) -> Vec<Sample> {
    let Some(first) = parts.first() else { return Vec::new() };
    let alike = parts.iter().all(|part| part.effects == first.effects && part.nominal == first.nominal);
    let name = "mc_stat";
    let bins = 0..first.nominal.len();
    let mut samples = if alike {
        // One template with one set of systematics: √Q multiplies it.
        let functions: Vec<String> = bins
            .map(|bin| {
                let (sum, constant) = variance(maker, parts, bin);
                uncertain(maker, bin, &formula::root(&sum, constant), etas)
            })
            .collect();
        let factor = maker.function_modifier(name, functions);
        maker.with_factors(name, first, vec![factor])
    } else {
        let functions: Vec<String> = bins
            .map(|bin| {
                let of_parts: Vec<String> = parts.iter().map(|part| squared(maker, part, bin)).collect();
                uncertain(maker, bin, &formula::root(&of_parts.join("+"), false), etas)
            })
            .collect();
        let unit = Part { nominal: vec![1.0; first.nominal.len()], effects: Vec::new(), response: None };
        let factor = maker.function_modifier(name, functions);
        maker.with_factors(name, &unit, vec![factor])
    };
    if let Some(sample) = samples.first_mut() {
        let inert = |eta: &Parameter| inert(maker, &eta.name);
        sample.modifiers.extend(etas.iter().map(inert));
    }
    samples
}

/// A factor of 1 that brings the unit Gaussian of a parameter with it.
pub(super) fn inert(maker: &Maker, parameter: &str) -> Modifier {
    let effect = Effect::Normsys { parameter: parameter.to_owned(), lo: 1.0, hi: 1.0, code: NormsysCode::Code4 };
    maker.modifier(parameter, effect)
}

fn uncertain(maker: &mut Maker, bin: usize, root: &str, etas: &[Parameter]) -> String {
    let eta = etas.get(bin).map_or("", |eta| eta.name.as_str());
    let wanted = format!("mc_stat_{}_{bin}", maker.channel);
    maker.functions.named(maker.names, &wanted, format!("{eta}*{root}"))
}

/// Σ_s Q_sb, and whether it depends on nothing.
fn variance(maker: &Maker, parts: &[&Part], bin: usize) -> (String, bool) {
    let of_part = |part: &&Part| {
        let (response, variance) = part.response.as_ref().and_then(|r| Some((r, r.variance.as_ref()?)))?;
        Some((of_bin(maker, response, variance, bin), variance.monomials.iter().all(Vec::is_empty)))
    };
    let all: Vec<(String, bool)> = parts.iter().filter_map(of_part).collect();
    let formulas: Vec<&str> = all.iter().map(|(formula, _)| formula.as_str()).collect();
    (formulas.join("+"), all.iter().all(|(_, constant)| *constant))
}

fn of_bin(maker: &Maker, response: &Response, variance: &Polynomial, bin: usize) -> String {
    let variables = maker.variables(response);
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    formula::polynomial(variance, bin, &variables)
}

/// (F g (n + ΣΔ))² Q of one part.
fn squared(maker: &mut Maker, part: &Part, bin: usize) -> String {
    let Some((response, variance)) = part.response.as_ref().and_then(|r| Some((r, r.variance.as_ref()?))) else {
        return formula::literal(0.0);
    };
    let quartic = of_bin(maker, response, variance, bin);
    let mut factors = vec![template(maker, part, bin)];
    for effect in &part.effects {
        match effect {
            model::Effect::Offset { .. } => {}
            model::Effect::Scale { parameter } => factors.push(maker.names.parameters[*parameter].clone()),
            model::Effect::InterpolatedScale { parameter, lo, hi, .. } => {
                let parameter = maker.names.parameters[*parameter].clone();
                let wanted = format!("{parameter}_factor");
                factors.push(maker.functions.named(maker.names, &wanted, code_4(&parameter, *lo, *hi)));
            }
            model::Effect::BinScale { parameters } => {
                let parameter = parameters.get(bin).copied().flatten();
                factors.extend(parameter.map(|parameter| maker.names.parameters[parameter].clone()));
            }
        }
    }
    let wanted = format!("mc_stat_{}_scale_{bin}", maker.channel);
    let scale = maker.functions.named(maker.names, &wanted, factors.join("*"));
    format!("{scale}*{scale}*({quartic})")
}

/// n + ΣΔ of a bin (spec/interpolation.md, code 4p).
fn template(maker: &mut Maker, part: &Part, bin: usize) -> String {
    let n = part.nominal.get(bin).copied().unwrap_or(0.0);
    let mut terms = vec![(n, String::new())];
    for effect in &part.effects {
        let model::Effect::Offset { parameter, lo, hi, .. } = effect else { continue };
        let (Some(lo), Some(hi)) = (lo.get(bin), hi.get(bin)) else { continue };
        let parameter = maker.names.parameters[*parameter].clone();
        let (s, a) = (0.5 * (hi - lo), 0.5 * (hi + lo) - n);
        if a != 0.0 {
            let even = maker.functions.named(maker.names, &format!("{parameter}_even"), code_4p(&parameter));
            terms.push((a, even));
        }
        terms.push((s, parameter));
    }
    format!("({})", formula::sum(terms.iter().map(|(a, text)| (*a, text.as_str()))))
}

/// α within −1 and 1, without `min` and `max`.
fn inside(alpha: &str) -> String {
    format!("(0.5*(abs({alpha}+1.0)-abs({alpha}-1.0)))")
}

/// q(α): t²(15 − 10t² + 3t⁴)/8 with t = α within −1 and 1, and |α| − |t| beyond.
fn code_4p(alpha: &str) -> String {
    let t = inside(alpha);
    format!("0.125*{t}*{t}*(15.0+{t}*{t}*(3.0*{t}*{t}-10.0))+abs({alpha})-abs({t})")
}

/// f(α) of a normsys: the polynomial at t times the exponentials of what is beyond ±1.
fn code_4(alpha: &str, lo: f64, hi: f64) -> String {
    let t = inside(alpha);
    let nested = code4::coefficients(lo, hi).iter().rev().fold(String::new(), |inner, a| {
        let own = if *a < 0.0 { format!("({})", formula::literal(*a)) } else { formula::literal(*a) };
        if inner.is_empty() { own } else { format!("({own}+{t}*{inner})") }
    });
    let beyond = |sign: &str, side: f64| {
        let ln = side.ln();
        let ln = if ln < 0.0 { format!("({})", formula::literal(ln)) } else { formula::literal(ln) };
        format!("exp({ln}*0.5*(abs({alpha}{sign}1.0)-1.0{}{alpha}))", if sign == "-" { "+" } else { "-" })
    };
    format!("(1.0+{t}*{nested})*{}*{}", beyond("-", hi), beyond("+", lo))
}
