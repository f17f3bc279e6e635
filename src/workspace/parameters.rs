//! The parameter sets that the modifiers of a workspace declare (spec/workspace.md, "Parameters"), as far as rules
//! need them: type, length, defaults.

use crate::document::workspace::{Modifier, Workspace};
use std::collections::HashMap;

/// Parameter sets by name.
pub(super) type ParameterSets<'w> = HashMap<&'w str, ParameterSet>;

/// One name's parameter set.
#[derive(Clone, Debug)]
pub(super) struct ParameterSet {
    /// Type of the first modifier of the name.
    pub kind: &'static str,
    /// Number of parameters.
    pub length: usize,
    /// Modifiers of types that share no parameter have the name (rule W106).
    pub conflict: bool,
    /// A shapesys or staterror has a bin whose uncertainty is zero.
    pub zero_bins: bool,
}

impl ParameterSet {
    /// Initial value of each parameter; lumi has none.
    pub fn init(&self) -> Option<f64> {
        match self.kind {
            "lumi" => None,
            "histosys" | "normsys" => Some(0.0),
            _ => Some(1.0),
        }
    }

    /// Bounds of each parameter; lumi has none.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self.kind {
            "lumi" => None,
            "histosys" | "normsys" => Some((-5.0, 5.0)),
            "shapesys" | "staterror" => Some((1e-10, 10.0)),
            _ => Some((0.0, 10.0)),
        }
    }

    /// The set takes this key of a parameter configuration.
    pub fn takes(&self, key: &str) -> bool {
        match key {
            "auxdata" => !matches!(self.kind, "normfactor" | "shapefactor"),
            "sigmas" => matches!(self.kind, "lumi" | "staterror"),
            "factors" => self.kind == "shapesys",
            _ => true,
        }
    }
}

/// Two types share a parameter of one name only if all attributes of their sets agree.
pub(super) fn share(a: &str, b: &str) -> bool {
    let alpha = |kind: &str| matches!(kind, "histosys" | "normsys");
    a == b || (alpha(a) && alpha(b))
}

/// Collects the sets. Lengths are right where the document obeys the rules for channels and modifiers.
pub(super) fn collect(workspace: &Workspace) -> ParameterSets<'_> {
    let mut sets: ParameterSets = HashMap::new();
    let mut staterrors: HashMap<(&str, usize), StaterrorBins> = HashMap::new();
    let mut channels: Vec<_> = workspace.channels.iter().enumerate().collect();
    channels.sort_by_key(|(_, channel)| &channel.name);
    for (index, channel) in channels {
        let n_bins = channel.samples.first().map_or(0, |s| s.data.len());
        for sample in &channel.samples {
            for modifier in &sample.modifiers {
                let (name, kind) = (modifier.name(), modifier.kind());
                let fresh = ParameterSet { kind, length: 0, conflict: false, zero_bins: false };
                let set = sets.entry(name).or_insert(fresh);
                set.conflict |= !share(set.kind, kind);
                match modifier {
                    Modifier::Staterror { data, .. } => {
                        let fresh = || StaterrorBins { nominal: vec![0.0; n_bins], uncertain: vec![false; n_bins] };
                        staterrors.entry((name, index)).or_insert_with(fresh).add(&sample.data, data);
                    }
                    Modifier::Shapesys { data, .. } => {
                        set.length = n_bins;
                        set.zero_bins |= sample.data.iter().zip(data).any(|(n, u)| *n <= 0.0 || *u <= 0.0);
                    }
                    Modifier::Shapefactor { .. } if set.length == 0 => set.length = n_bins,
                    Modifier::Shapefactor { .. } => {}
                    _ => set.length = 1,
                }
            }
        }
    }
    for ((name, _), bins) in staterrors {
        if let Some(set) = sets.get_mut(name) {
            set.length += bins.nominal.len();
            set.zero_bins |= bins.nominal.iter().zip(&bins.uncertain).any(|(n, u)| *n <= 0.0 || !u);
        }
    }
    sets
}

/// What the samples that carry a staterror add up to in the bins of one channel.
struct StaterrorBins {
    nominal: Vec<f64>,
    uncertain: Vec<bool>,
}

impl StaterrorBins {
    fn add(&mut self, nominal: &[f64], uncertainties: &[f64]) {
        for (sum, n) in self.nominal.iter_mut().zip(nominal) {
            *sum += n;
        }
        for (uncertain, u) in self.uncertain.iter_mut().zip(uncertainties) {
            *uncertain |= *u > 0.0;
        }
    }
}
