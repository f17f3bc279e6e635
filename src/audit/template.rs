//! Templates of samples with one parameter moved (spec/audit.md, eq. 1 and 2).

use crate::model::{Constraint, Effect, Model, Part, Sample};
use std::collections::HashMap;

/// Places between −1σ and +1σ at which templates are looked at, both ends included.
pub(super) const STEPS: usize = 21;

/// A parameter at a place from −1σ (first) to +1σ (last), within its bounds.
pub(super) fn step(constraint: &Constraint, bounds: (f64, f64), index: usize) -> f64 {
    let half = (STEPS - 1) as f64 / 2.0;
    let t = (index as f64 - half) / half;
    (constraint.centre() + t * constraint.width()).max(bounds.0).min(bounds.1)
}

/// A sample of which single parameters are moved. Templates leave out what multiplies a sample as a whole (normfactor,
/// lumi) or bin by bin (staterror, shapesys, shapefactor); yields have it.
pub(super) struct Moving<'m> {
    parts: Vec<MovingPart<'m>>,
    point: &'m [f64],
    n_bins: usize,
}

struct MovingPart<'m> {
    part: &'m Part,
    /// Nominal yields with all offsets at the point.
    template: Vec<f64>,
    /// Values of the interpolated factors at the point, by parameter.
    factors: Vec<(usize, f64)>,
    /// The effects of normsys and histosys, by parameter.
    effects: HashMap<usize, Vec<&'m Effect>>,
    /// What else multiplies the bins.
    outer: Vec<f64>,
}

/// A sample along one parameter, everything else at the point.
pub(super) struct Along<'a> {
    parts: Vec<AlongPart<'a>>,
    n_bins: usize,
}

struct AlongPart<'a> {
    part: &'a MovingPart<'a>,
    /// The template without the offsets of the parameter, and the factors of others.
    base: Vec<f64>,
    factor: f64,
    effects: &'a [&'a Effect],
    /// Where the parameter is.
    from: f64,
}

impl<'m> Moving<'m> {
    pub fn new(sample: &'m Sample, n_bins: usize, point: &'m [f64]) -> Moving<'m> {
        let parts = sample.parts.iter().map(|part| MovingPart::new(part, n_bins, point)).collect();
        Moving { parts, point, n_bins }
    }

    /// The parameters of normsys and histosys, ascending.
    pub fn parameters(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.parts.iter().flat_map(|part| part.effects.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a normsys or histosys follows the parameter.
    pub fn follows(&self, parameter: usize) -> bool {
        self.parts.iter().any(|part| part.effects.contains_key(&parameter))
    }

    pub fn along(&self, parameter: usize) -> Along<'_> {
        let parts = self.parts.iter().map(|part| part.along(parameter, self.point[parameter])).collect();
        Along { parts, n_bins: self.n_bins }
    }
}

impl<'m> MovingPart<'m> {
    fn new(part: &'m Part, n_bins: usize, point: &[f64]) -> MovingPart<'m> {
        let mut template = part.nominal.clone();
        let mut outer = vec![1.0; n_bins];
        let (mut factors, mut effects) = (Vec::new(), HashMap::<usize, Vec<&Effect>>::new());
        for effect in &part.effects {
            match effect {
                Effect::Offset { parameter, .. } => {
                    add(effect, &part.nominal, point[*parameter], 1.0, &mut template);
                    effects.entry(*parameter).or_default().push(effect);
                }
                Effect::InterpolatedScale { parameter, lo, hi, code } => {
                    factors.push((*parameter, code.factor(*lo, *hi, point[*parameter])));
                    effects.entry(*parameter).or_default().push(effect);
                }
                Effect::Scale { parameter } => outer.iter_mut().for_each(|x| *x *= point[*parameter]),
                Effect::BinScale { parameters } => {
                    for (x, parameter) in outer.iter_mut().zip(parameters) {
                        *x *= parameter.map_or(1.0, |p| point[p]);
                    }
                }
            }
        }
        MovingPart { part, template, factors, effects, outer }
    }

    fn along(&self, parameter: usize, from: f64) -> AlongPart<'_> {
        let factor = self.factors.iter().filter(|(own, _)| *own != parameter).map(|(_, value)| value).product();
        let effects = self.effects.get(&parameter).map_or(&[][..], Vec::as_slice);
        let mut base = self.template.clone();
        effects.iter().for_each(|effect| add(effect, &self.part.nominal, from, -1.0, &mut base));
        AlongPart { part: self, base, factor, effects, from }
    }
}

impl Along<'_> {
    /// The template with the parameter at a value, and the yields.
    pub fn at(&self, value: f64) -> (Vec<f64>, Vec<f64>) {
        self.moved(value, true)
    }

    /// The template with the histosys of the parameter moved, but not its normsys.
    pub fn shape_at(&self, value: f64) -> Vec<f64> {
        self.moved(value, false).0
    }

    fn moved(&self, value: f64, with_factors: bool) -> (Vec<f64>, Vec<f64>) {
        let (mut template, mut yields) = (vec![0.0; self.n_bins], vec![0.0; self.n_bins]);
        for part in &self.parts {
            let (own, factor) = part.moved(value, with_factors);
            let sums = template.iter_mut().zip(&mut yields);
            for (((sum, yielded), value), outer) in sums.zip(own).zip(&part.part.outer) {
                *sum += factor * value;
                *yielded += factor * value * outer;
            }
        }
        (template, yields)
    }
}

impl AlongPart<'_> {
    fn moved(&self, to: f64, with_factors: bool) -> (Vec<f64>, f64) {
        let (mut template, mut factor) = (self.base.clone(), self.factor);
        for effect in self.effects {
            match effect {
                Effect::InterpolatedScale { lo, hi, code, .. } => {
                    factor *= code.factor(*lo, *hi, if with_factors { to } else { self.from });
                }
                _ => add(effect, &self.part.part.nominal, to, 1.0, &mut template),
            }
        }
        (template, factor)
    }
}

/// Adds an offset at α, times `sign`.
fn add(effect: &Effect, nominal: &[f64], alpha: f64, sign: f64, to: &mut [f64]) {
    let Effect::Offset { lo, hi, code, .. } = effect else { return };
    let (s, q) = (sign * code.s(alpha).value, sign * code.q(alpha).value);
    for (((sum, n), lo), hi) in to.iter_mut().zip(nominal).zip(lo).zip(hi) {
        *sum += s * 0.5 * (hi - lo) + q * (0.5 * (hi + lo) - n);
    }
}

/// A template, and what it is with one parameter up and down by its pre-fit width.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub nominal: Vec<f64>,
    pub up: Vec<f64>,
    pub down: Vec<f64>,
}

/// The template of a sample along a scalar parameter; nothing where the parameter has no constraint.
pub fn shape(model: &Model, point: &[f64], channel: usize, sample: usize, parameter: usize) -> Option<Shape> {
    let own = model.channels.get(channel)?;
    let constraint = model.constraints().get(parameter).copied().flatten()?;
    let bounds = *model.bounds().get(parameter)?;
    let moving = Moving::new(own.samples.get(sample)?, own.n_bins, point);
    let along = moving.along(parameter);
    let at = |value: f64| along.at(value).0;
    Some(Shape {
        nominal: at(constraint.centre()),
        up: at(step(&constraint, bounds, STEPS - 1)),
        down: at(step(&constraint, bounds, 0)),
    })
}

/// The template of one bin from −1σ to +1σ: numbers of σ and yields; nothing where the parameter has no constraint.
pub fn curve(
    model: &Model,
    point: &[f64],
    (channel, sample, parameter): (usize, usize, usize),
    bin: usize,
) -> Option<Vec<(f64, f64)>> {
    let own = model.channels.get(channel)?;
    let constraint = model.constraints().get(parameter).copied().flatten()?;
    let bounds = *model.bounds().get(parameter)?;
    let moving = Moving::new(own.samples.get(sample)?, own.n_bins, point);
    let along = moving.along(parameter);
    let at = |index: usize| {
        let value = step(&constraint, bounds, index);
        let sigma = (value - constraint.centre()) / constraint.width();
        Some((sigma, *along.at(value).0.get(bin)?))
    };
    (0..STEPS).map(at).collect()
}
