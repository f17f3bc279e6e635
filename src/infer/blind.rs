//! Blinding: channels that a fit must not see, and an offset that hides the value of a parameter.

use sha2::{Digest, Sha256};

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
    let (before, after) = (acting(model), acting(&seen));
    let constraints = model.constraints();
    let undetermined = (0..constraints.len()).filter(|&i| constraints[i].is_none() && before[i] && !after[i]).collect();
    Masked { model: seen, data: Data { main, auxiliary, unbinned: data.unbinned.clone() }, undetermined }
}

/// Which parameters move a yield or the mean of a measurement.
fn acting(model: &Model) -> Vec<bool> {
    let mut acts = vec![false; model.n_parameters()];
    let of_events = model.unbinned.iter().flat_map(|term| term.parameters.iter().copied());
    for parameter in model.parts().flat_map(Part::parameters).chain(model.measurements.parameters()).chain(of_events) {
        if let Some(acts) = acts.get_mut(parameter) {
            *acts = true;
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
