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
    let mut main = Vec::new();
    let mut rest = data.main.as_slice();
    for (index, channel) in model.channels.iter().enumerate() {
        let (own, others) = rest.split_at(channel.n_bins.min(rest.len()));
        if !is_masked(index) {
            main.extend(own);
        }
        rest = others;
    }
    let mut seen = model.clone();
    let mut index = 0;
    seen.channels.retain(|_| {
        index += 1;
        !is_masked(index - 1)
    });
    let (before, after) = (acting(model), acting(&seen));
    let constraints = model.constraints();
    let undetermined = (0..constraints.len()).filter(|&i| constraints[i].is_none() && before[i] && !after[i]).collect();
    Masked { model: seen, data: Data { main, auxiliary: data.auxiliary.clone() }, undetermined }
}

/// Which parameters move a yield.
fn acting(model: &Model) -> Vec<bool> {
    let mut acts = vec![false; model.n_parameters()];
    for parameter in model.parts().flat_map(Part::parameters) {
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
