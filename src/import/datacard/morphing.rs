//! Templates that shape systematics move (spec/combine-datacards.md, section 5).

use super::build::{Factor, Process};
use super::formula::{Formulas, literal};
use super::parameters::Parameters;
use crate::convert::Effect;
use crate::model::HistosysCode;

/// One shape systematic of a process: templates as the file has them.
pub(super) struct Morph {
    pub parameter: String,
    /// The entry in the column: the parameter times this drives the template.
    pub scale: f64,
    pub up: Vec<f64>,
    pub down: Vec<f64>,
}

/// How Combine builds a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Without autoMCStats: templates are normalised to one after they have moved.
    Normalised,
    /// With autoMCStats, first mode: templates with the integral of the nominal one.
    Shapes,
    /// Second mode: templates as they are, without a factor for their integral.
    Yields,
}

/// No bin is smaller than this, of one or of the template.
const LEAST: f64 = 1e-9;

/// A change of the integral that both sides stay below is none.
const SMALL_CHANGE: f64 = 1e-3;

/// Gives a process what its shape systematics do. `template` is the nominal histogram.
pub(super) fn apply(
    process: &mut Process,
    template: &[f64],
    mut morphs: Vec<Morph>,
    mode: Mode,
    parameters: &Parameters,
    formulas: &mut Formulas,
) {
    let total: f64 = template.iter().sum();
    for morph in &mut morphs {
        if mode == Mode::Yields {
            continue;
        }
        let (up, down): (f64, f64) = (morph.up.iter().sum(), morph.down.iter().sum());
        let (high, low) = (up / total, down / total);
        if (high - 1.0).abs() >= SMALL_CHANGE || (low - 1.0).abs() >= SMALL_CHANGE {
            let (low, high) = (low.powf(morph.scale), high.powf(morph.scale));
            process.factors.push(Factor::Power { parameter: morph.parameter.clone(), low, high });
        }
        morph.up.iter_mut().for_each(|x| *x *= total / up);
        morph.down.iter_mut().for_each(|x| *x *= total / down);
    }
    // A template with one bin, or one that does not move beside its integral.
    morphs.retain(|morph| moves(&morph.up, template) || moves(&morph.down, template));
    if morphs.is_empty() {
        return;
    }
    let plain = morphs.iter().all(|m| m.scale == 1.0 && !parameters.is_uniform(&m.parameter));
    if plain && least(template, &morphs, parameters).iter().all(|x| *x >= LEAST * total) {
        for morph in morphs {
            let scale = process.nominal / total;
            let scaled = |side: &[f64]| side.iter().map(|x| x * scale).collect();
            let (lo, hi) = (scaled(&morph.down), scaled(&morph.up));
            let code = HistosysCode::Code4p;
            process
                .shapes
                .push((morph.parameter.clone(), Effect::Histosys { parameter: morph.parameter, lo, hi, code }));
        }
        return;
    }
    functions(process, template, total, &morphs, mode, formulas);
}

fn moves(side: &[f64], template: &[f64]) -> bool {
    side.iter().zip(template).any(|(x, n)| (x - n).abs() > 1e-12 * n.abs())
}

/// The smallest contents within the ranges of the parameters, or less.
fn least(template: &[f64], morphs: &[Morph], parameters: &Parameters) -> Vec<f64> {
    let mut least = template.to_vec();
    for morph in morphs {
        let (low, high) = parameters.bounds(&morph.parameter);
        for (((least, n), up), down) in least.iter_mut().zip(template).zip(&morph.up).zip(&morph.down) {
            let (s, a) = (0.5 * (up - down), 0.5 * (up + down) - n);
            let at = |alpha: f64| s * alpha + a * HistosysCode::Code4p.q(alpha).value;
            // Between −1 and 1 the polynomial's part is between 0 and 1; beyond it is straight.
            *least += at(low).min(at(high)).min(-s.abs() + a.min(0.0));
        }
    }
    least
}

/// Each bin as a function, so that it ends where Combine's does.
fn functions(
    process: &mut Process,
    template: &[f64],
    total: f64,
    morphs: &[Morph],
    mode: Mode,
    formulas: &mut Formulas,
) {
    // The smooth region is as wide as the smallest of the scales below one.
    let region = morphs.iter().fold(1.0_f64, |least, morph| least.min(morph.scale));
    let scale = if mode == Mode::Normalised { 1.0 / total } else { 1.0 };
    let mut bins = Vec::with_capacity(template.len());
    for (i, n) in template.iter().enumerate() {
        let mut text = literal(n * scale);
        for morph in morphs {
            let (up, down) = (morph.up[i] - n, morph.down[i] - n);
            if up == 0.0 && down == 0.0 {
                continue;
            }
            let step = formulas.step(&morph.parameter, morph.scale / region);
            let half = 0.5 * morph.scale * scale;
            let (difference, sum) = (literal(half * (up - down)), literal(half * (up + down)));
            text.push_str(&format!("+{}*({difference}+{sum}*{step})", morph.parameter));
        }
        let name = format!("shape_{}_{}_bin{i}", process.channel, process.name);
        bins.push(formulas.add(&name, format!("max({},{text})", literal(LEAST))));
    }
    if mode == Mode::Normalised {
        let sum = formulas.add(&format!("shape_{}_{}_sum", process.channel, process.name), bins.join("+"));
        process.contents = vec![process.nominal; template.len()];
        for (i, bin) in bins.iter_mut().enumerate() {
            let name = format!("fraction_{}_{}_bin{i}", process.channel, process.name);
            *bin = formulas.add(&name, format!("{bin}/{sum}"));
        }
    } else {
        process.contents = vec![process.nominal / total; template.len()];
    }
    let modifier = format!("shape_{}_{}", process.channel, process.name);
    process.shapes.push((modifier, Effect::Shapefactor { parameters: bins }));
}
