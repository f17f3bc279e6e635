//! Blinding: channels that a fit must not see, and an offset that hides the value of a parameter.

use sha2::{Digest, Sha256};

use crate::model::eft::measurement::NotPositive;
use crate::model::{Data, Model, Part};

/// A model without some of its channels, with the data of the others.
#[derive(Clone, Debug)]
pub struct Masked {
    /// All parameters are still there, in the same order.
    pub model: Model,
    pub data: Data,
    /// Parameters without a constraint that act in masked channels only: nothing determines them.
    pub undetermined: Vec<usize>,
}

/// Takes channels out of the likelihood: one flag a channel.
pub fn mask(model: &Model, data: &Data, masked: &[bool]) -> Masked {
    let is_masked = |channel: usize| masked.get(channel).copied().unwrap_or(false);
    let channels = model.channels.iter().enumerate();
    keep_bins(model, data, &channels.map(|(index, c)| vec![!is_masked(index); c.n_bins]).collect::<Vec<_>>())
}

/// Takes bins out of the likelihood: one list a channel, one flag a bin. A channel of which nothing is left is taken out
/// itself.
pub fn keep_bins(model: &Model, data: &Data, keep: &[Vec<bool>]) -> Masked {
    let is_kept = |channel: usize, bin: usize| keep.get(channel).and_then(|bins| bins.get(bin)).is_none_or(|k| *k);
    let bins = model.channels.iter().enumerate().flat_map(|(index, c)| (0..c.n_bins).map(move |bin| (index, bin)));
    let main = bins.zip(&data.main).filter(|((channel, bin), _)| is_kept(*channel, *bin)).map(|(_, n)| *n).collect();
    // The auxiliary data of simulated bins (spec/eft.md, eq. 13) and the measurements come last.
    let uncertain = model.uncertain_bins();
    let measured = data.auxiliary.len().saturating_sub(model.measurements.n_points());
    let (rest, measured) = data.auxiliary.split_at(measured);
    let (of_parameters, of_bins) = rest.split_at(rest.len().saturating_sub(uncertain.len()));
    let of_bins = uncertain.iter().zip(of_bins).filter(|((channel, bin), _)| is_kept(*channel, *bin)).map(|(_, x)| x);
    let auxiliary = of_parameters.iter().chain(of_bins).chain(measured).copied().collect();
    let mut seen = model.clone();
    for (index, channel) in seen.channels.iter_mut().enumerate() {
        let kept: Vec<bool> = (0..channel.n_bins).map(|bin| is_kept(index, bin)).collect();
        if kept.contains(&false) {
            channel.samples.iter_mut().flat_map(|sample| &mut sample.parts).for_each(|part| part.keep(&kept));
            channel.n_bins = kept.iter().filter(|kept| **kept).count();
        }
    }
    seen.channels.retain(|channel| channel.n_bins > 0);
    let undetermined = undetermined(model, &seen);
    Masked {
        model: seen,
        data: Data { main, auxiliary, unbinned: data.unbinned.clone(), densities: data.densities.clone() },
        undetermined,
    }
}

/// Parameters without a constraint that act in the whole model and not in a part of it.
fn undetermined(whole: &Model, part: &Model) -> Vec<usize> {
    let (before, after) = (acting(whole), acting(part));
    let constraints = whole.constraints();
    (0..constraints.len()).filter(|&i| constraints[i].is_none() && before[i] && !after[i]).collect()
}

/// Data sets that stay in a likelihood: a flag for each of its kind.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub channels: Vec<bool>,
    /// Measurements with Gaussian errors.
    pub measurements: Vec<bool>,
    pub unbinned: Vec<bool>,
}

/// Takes data sets out of the likelihood. Errors that a measurement shares with one that goes stay in its own covariance.
///
/// # Errors
/// Where rounding leaves a covariance that is not positive definite.
pub fn keep_sets(model: &Model, data: &Data, kept: &Kept) -> Result<Masked, NotPositive> {
    let stays = |flags: &[bool], i: usize| flags.get(i).copied().unwrap_or(false);
    let gone: Vec<bool> = kept.channels.iter().map(|kept| !kept).collect();
    let mut masked = mask(model, data, &gone);
    let points = model.measurements.sets.iter().enumerate().flat_map(|(s, set)| set.data.iter().map(move |_| s));
    let first = masked.data.auxiliary.len().saturating_sub(model.measurements.n_points());
    let measured = masked.data.auxiliary.split_off(first);
    let measured = points.zip(measured).filter(|(set, _)| stays(&kept.measurements, *set));
    masked.data.auxiliary.extend(measured.map(|(_, x)| x));
    masked.model.measurements = model.measurements.keep(&kept.measurements)?;
    let rows = model.unbinned.iter().enumerate().flat_map(|(t, term)| std::iter::repeat_n(t, term.n_rows()));
    let rows = rows.zip(&data.unbinned).filter(|(term, _)| stays(&kept.unbinned, *term));
    masked.data.unbinned = rows.map(|(_, s)| *s).collect();
    let mut terms = 0..;
    masked.model.unbinned.retain(|_| terms.next().is_some_and(|t| stays(&kept.unbinned, t)));
    masked.undetermined = undetermined(model, &masked.model);
    Ok(masked)
}

/// Which parameters move a yield or the mean of a measurement.
fn acting(model: &Model) -> Vec<bool> {
    let mut acts = vec![false; model.n_parameters()];
    let of_events = model.unbinned.iter().flat_map(|term| term.parameters.iter().copied());
    let of_densities = model.densities.iter().flat_map(|term| term.parameters.iter().copied());
    let moving = model.parts().flat_map(Part::parameters).chain(model.measurements.parameters());
    for parameter in moving.chain(of_events).chain(of_densities) {
        if let Some(acts) = acts.get_mut(parameter) {
            *acts = true;
        }
    }
    // What drives a parameter acts where that does.
    if let Some(driven) = &model.driven {
        for (function, output) in driven.outputs.iter().enumerate() {
            if acts[*output] {
                driven.functions.parameters_of(function).iter().for_each(|own| acts[driven.parameters[*own]] = true);
            }
        }
    }
    acts
}

/// The hidden offset of a parameter: `width` times a number of the standard normal distribution that a word and the
/// parameter's name fix (spec/inference.md, eq. 46).
pub fn hidden_offset(word: &str, name: &str, width: f64) -> f64 {
    let digest = Sha256::new().chain_update(word).chain_update([0]).chain_update(name).finalize();
    let uniform = |bytes: &[u8]| {
        let bits = bytes.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    // Box and Muller.
    let (u, v) = (uniform(&digest[..8]), uniform(&digest[8..16]));
    width * (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}
