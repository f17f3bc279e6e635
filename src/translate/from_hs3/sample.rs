//! Modifiers → effects. Where interpolation adds to what it finds, or multiplies bin by bin, one sample becomes several
//! parts whose sum it is (spec/hs3-histfactory.md, "Interpolation").

use super::choice::unsupported;
use super::convention::Conventions;
use super::interpolation::Code;
use super::parameters::Table;
use crate::document::hs3::{Channel, Dialect, Modifier, ModifierData, ModifierKind, Sample};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{Effect, NormsysCode, Part};
use crate::rule;

/// Parts of one sample, with the places of those that subtract.
pub(super) struct Parts {
    pub parts: Vec<Part>,
    pub subtracted: Vec<usize>,
}

/// A factor of all bins that α interpolates.
#[derive(Clone)]
struct Factor {
    parameter: usize,
    lo: f64,
    hi: f64,
    code: NormsysCode,
}

/// A template that α adds to.
#[derive(Clone)]
struct Offset<'d> {
    parameter: usize,
    lo: &'d [f64],
    hi: &'d [f64],
    code: Code,
}

/// A term of the template: the nominal yields, or none of them, with offsets; times factors bin by bin.
#[derive(Clone, Default)]
struct Template<'d> {
    has_nominal: bool,
    offsets: Vec<Offset<'d>>,
    factors: Vec<Offset<'d>>,
}

/// Everything about one sample.
pub(super) struct SampleMaker<'c, 'd> {
    pub channel: &'d Channel,
    pub sample: &'d Sample,
    pub conventions: &'c Conventions,
    /// The names of the parameters of each modifier, in their order.
    pub names: &'c [Vec<String>],
    pub table: &'c Table,
}

impl<'d> SampleMaker<'_, 'd> {
    pub fn parts(&self, warnings: &mut Findings) -> Result<Parts> {
        let (mut templates, mut scales) =
            (vec![Template { has_nominal: true, ..Template::default() }], vec![(1.0, vec![])]);
        let (mut common, mut findings) = (Vec::new(), Findings::default());
        for (modifier, names) in self.sample.modifiers.iter().zip(self.names) {
            let indices: Vec<usize> = names.iter().filter_map(|name| self.table.index(name)).collect();
            let Some(&first) = indices.first() else { continue };
            let added = match (&modifier.kind, &modifier.data) {
                (ModifierKind::Normsys, ModifierData::Normsys { lo, hi }) => {
                    self.add_normsys(modifier, first, (*lo, *hi), &mut scales, warnings)
                }
                (ModifierKind::Histosys, ModifierData::Histosys { lo, hi }) => {
                    self.add_histosys(modifier, first, (&lo.contents, &hi.contents), &mut templates)
                }
                (ModifierKind::Normfactor, _) | (ModifierKind::Custom, _) if indices.len() == 1 => {
                    common.push(Effect::Scale { parameter: first });
                    Ok(())
                }
                _ => {
                    common.push(Effect::BinScale { parameters: indices.into_iter().map(Some).collect() });
                    Ok(())
                }
            };
            if let Err(found) = added {
                findings.0.extend(found.0);
            }
        }
        if self.conventions.clip_templates && scales.len() > 1 {
            let found = format!("normsys of {} that add to one another", quote(&self.sample.name));
            let finding = Finding::new(&rule::HS3_FACTOR_SUM, found, "a sum above zero, at which nothing here ends it");
            warnings.push(finding.at(self.sample.pointer.clone()));
        }
        if let Err(found) = self.check_clip(&templates) {
            findings.0.extend(found.0);
        }
        if findings.0.is_empty() { self.assemble(&templates, &scales, &common) } else { Err(findings) }
    }

    /// ROOT's FlexibleInterpVar goes through its parameters in order: an additive one adds δ = f − 1 to the product so
    /// far, any other multiplies it. As a sum of products: + f − 1, or f in each term.
    fn add_normsys(
        &self,
        modifier: &Modifier,
        parameter: usize,
        (lo, hi): (f64, f64),
        scales: &mut Vec<(f64, Vec<Factor>)>,
        warnings: &mut Findings,
    ) -> Result<()> {
        let code = Code::of(modifier, self.channel)?;
        let [lo, hi] = self.positive_sides(modifier, code, [lo, hi], warnings)?;
        let factor = Factor { parameter, lo, hi, code: code.factor() };
        if !code.is_additive() {
            scales.iter_mut().for_each(|(_, factors)| factors.push(factor.clone()));
            return Ok(());
        }
        scales.push((1.0, vec![factor]));
        match scales.iter().position(|(_, factors)| factors.is_empty()) {
            Some(plain) => scales[plain].0 -= 1.0,
            None => scales.push((-1.0, Vec::new())),
        }
        scales.retain(|(coefficient, _)| *coefficient != 0.0);
        Ok(())
    }

    /// Exponentials need positive sides; ROOT puts its smallest step above zero in the place of others.
    fn positive_sides(
        &self,
        modifier: &Modifier,
        code: Code,
        sides: [f64; 2],
        warnings: &mut Findings,
    ) -> Result<[f64; 2]> {
        let exponential = matches!(code, Code::MultiplyExponential | Code::MultiplyPolynomialExponential);
        if !exponential || sides.iter().all(|side| *side > 0.0) {
            return Ok(sides);
        }
        let found = format!("lo {} and hi {} under an exponential", sides[0], sides[1]);
        if !matches!(self.conventions.dialect, Dialect::Root(_)) {
            return Err(Finding::new(&rule::HS3_INTERPOLATION, found, "sides above zero")
                .at(modifier.pointer.clone())
                .into());
        }
        let finding = Finding::new(&rule::HS3_SIDE, found, "sides above zero: ROOT takes 2.2e-16 for others");
        warnings.push(finding.at(modifier.pointer.clone()));
        Ok(sides.map(|side| if side > 0.0 { side } else { f64::EPSILON }))
    }

    /// As ROOT's PiecewiseInterpolation: offsets add to what the factors before them have made of the template.
    fn add_histosys(
        &self,
        modifier: &Modifier,
        parameter: usize,
        (lo, hi): (&'d [f64], &'d [f64]),
        templates: &mut Vec<Template<'d>>,
    ) -> Result<()> {
        let code = Code::of(modifier, self.channel)?;
        let offset = Offset { parameter, lo, hi, code };
        if code.is_additive() {
            match templates.last_mut().filter(|last| last.factors.is_empty()) {
                Some(last) => last.offsets.push(offset),
                None => templates.push(Template { offsets: vec![offset], ..Template::default() }),
            }
            return Ok(());
        }
        let nominal = &self.sample.data.contents;
        let usable = |(n, (lo, hi)): (&f64, (&f64, &f64))| (*n > 0.0 && *lo > 0.0 && *hi > 0.0) || (n == lo && n == hi);
        if let Some(bin) = nominal.iter().zip(lo.iter().zip(hi)).position(|bin| !usable(bin)) {
            let found = format!("{}, {} and {} in bin {bin}, to multiply", lo[bin], nominal[bin], hi[bin]);
            let expected = "yields above zero, or interpolation that adds";
            return Err(Finding::new(&rule::HS3_INTERPOLATION, found, expected).at(modifier.pointer.clone()).into());
        }
        templates.iter_mut().for_each(|template| template.factors.push(offset.clone()));
        Ok(())
    }

    /// The clip acts on whole templates, which parts of a sum are not.
    fn check_clip(&self, templates: &[Template]) -> Result<()> {
        let linear = |template: &Template| template.factors.iter().any(|f| f.code.factor().has_linear_tail());
        if self.conventions.clip_templates && (templates.len() > 1 || templates.iter().any(linear)) {
            let found =
                format!("factors and offsets of the template of {} that ends at zero", quote(&self.sample.name));
            let expected = "histosys that all add, or multiply first with exponential tails; or no clip of templates";
            return Err(unsupported(found, expected).at(self.sample.pointer.clone()).into());
        }
        Ok(())
    }

    fn assemble(&self, templates: &[Template], scales: &[(f64, Vec<Factor>)], common: &[Effect]) -> Result<Parts> {
        let mut made = Parts { parts: Vec::new(), subtracted: Vec::new() };
        for template in templates {
            for (coefficient, factors) in scales {
                for mut part in self.of_template(template, *coefficient) {
                    part.effects.extend(factors.iter().map(|f| Effect::InterpolatedScale {
                        parameter: f.parameter,
                        lo: f.lo,
                        hi: f.hi,
                        code: f.code,
                    }));
                    part.effects.extend(common.iter().cloned());
                    if *coefficient < 0.0 {
                        made.subtracted.push(made.parts.len());
                    }
                    made.parts.push(part);
                }
            }
        }
        Ok(made)
    }

    /// `coefficient` times a term of the template: one part, or one for each bin where factors differ from bin to bin.
    fn of_template(&self, template: &Template, coefficient: f64) -> Vec<Part> {
        let nominal = &self.sample.data.contents;
        let base = |bin: usize| if template.has_nominal { 0.0 } else { nominal[bin] };
        let times = |values: &[f64]| -> Vec<f64> {
            values.iter().enumerate().map(|(bin, value)| coefficient * (value - base(bin))).collect()
        };
        let effects = template.offsets.iter().map(|offset| Effect::Offset {
            parameter: offset.parameter,
            lo: times(offset.lo),
            hi: times(offset.hi),
            code: offset.code.offset(),
        });
        let whole = Part { nominal: times(nominal), effects: effects.collect(), response: None };
        if template.factors.is_empty() {
            return vec![whole];
        }
        let in_bin = |bin: usize| {
            let mut part = whole.clone();
            let clear = |values: &mut Vec<f64>| {
                values.iter_mut().enumerate().filter(|(b, _)| *b != bin).for_each(|(_, v)| *v = 0.0)
            };
            clear(&mut part.nominal);
            for effect in &mut part.effects {
                if let Effect::Offset { lo, hi, .. } = effect {
                    clear(lo);
                    clear(hi);
                }
            }
            let ratio = |side: &[f64]| if side[bin] == nominal[bin] { 1.0 } else { side[bin] / nominal[bin] };
            part.effects.extend(template.factors.iter().map(|f| Effect::InterpolatedScale {
                parameter: f.parameter,
                lo: ratio(f.lo),
                hi: ratio(f.hi),
                code: f.code.factor(),
            }));
            part
        };
        (0..nominal.len()).map(in_bin).collect()
    }
}
