//! The parameter sets that the modifiers of a workspace declare (spec/workspace.md, "Parameters"), as far as rules
//! need them: type, length, defaults.

use crate::document::eft::{
    Distribution, Eft, FlatErrors, GaussianSystematic, NamedSystematics, UnbinnedComponent, WilsonCoefficient,
};
use crate::document::workspace::{Modifier, Workspace};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// Parameter sets by name.
pub(super) type ParameterSets<'w> = HashMap<&'w str, ParameterSet>;

/// The kind of a coefficient of the block `eft`.
pub(super) const WILSON_COEFFICIENT: &str = "wilson_coefficient";
/// The kind of a nuisance that an EFT modifier brings.
pub(super) const EFT_UNCERTAINTY: &str = "eft_uncertainty";

/// The kind of a flat error of measurements.
pub(super) const FLAT_ERROR: &str = "flat_error";

/// One name's parameter set.
#[derive(Clone, Debug)]
pub(super) struct ParameterSet {
    /// Type of the first modifier of the name, [`WILSON_COEFFICIENT`] or [`EFT_UNCERTAINTY`].
    pub kind: &'static str,
    /// Number of parameters.
    pub length: usize,
    /// Modifiers of types that share no parameter have the name (rule W106).
    pub conflict: bool,
    /// A shapesys or staterror has a bin whose uncertainty is zero.
    pub zero_bins: bool,
    /// Start and bounds of a Wilson coefficient.
    declared: Option<(f64, (f64, f64))>,
}

impl ParameterSet {
    fn new(kind: &'static str) -> ParameterSet {
        ParameterSet { kind, length: 0, conflict: false, zero_bins: false, declared: None }
    }

    fn wilson_coefficient(coefficient: &WilsonCoefficient) -> ParameterSet {
        let [low, high] = coefficient.bounds;
        ParameterSet {
            length: 1,
            declared: Some((coefficient.init, (low, high))),
            ..ParameterSet::new(WILSON_COEFFICIENT)
        }
    }

    /// Initial value of each parameter; lumi has none.
    pub fn init(&self) -> Option<f64> {
        match self.kind {
            "lumi" => None,
            "histosys" | "normsys" | EFT_UNCERTAINTY | FLAT_ERROR => Some(0.0),
            WILSON_COEFFICIENT => self.declared.map(|(init, _)| init),
            _ => Some(1.0),
        }
    }

    /// Bounds of each parameter; lumi has none.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self.kind {
            "lumi" => None,
            "histosys" | "normsys" | EFT_UNCERTAINTY => Some((-5.0, 5.0)),
            WILSON_COEFFICIENT => self.declared.map(|(_, bounds)| bounds),
            FLAT_ERROR => Some((-1.0, 1.0)),
            "shapesys" | "staterror" => Some((1e-10, 10.0)),
            _ => Some((0.0, 10.0)),
        }
    }

    /// The set takes this key of a parameter configuration.
    pub fn takes(&self, key: &str) -> bool {
        match key {
            "auxdata" => !matches!(self.kind, "normfactor" | "shapefactor" | WILSON_COEFFICIENT | FLAT_ERROR),
            "sigmas" => matches!(self.kind, "lumi" | "staterror"),
            "factors" => self.kind == "shapesys",
            _ => true,
        }
    }
}

/// Two types share a parameter of one name only if all attributes of their sets agree.
pub(super) fn share(a: &str, b: &str) -> bool {
    let alpha = |kind: &str| matches!(kind, "histosys" | "normsys" | EFT_UNCERTAINTY);
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
            for modifier in sample.modifiers.iter().filter(|m| !m.is_eft()) {
                let (name, kind) = (modifier.name(), modifier.kind());
                let set = sets.entry(name).or_insert(ParameterSet::new(kind));
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
    collect_eft(workspace, &mut sets);
    sets
}

/// Adds the Wilson coefficients and the nuisances of EFT modifiers.
fn collect_eft<'w>(workspace: &'w Workspace, sets: &mut ParameterSets<'w>) {
    let Some(eft) = workspace.eft.as_deref() else { return };
    let coefficients = eft.wilson_coefficients.iter().map(|c| (c.name.as_str(), ParameterSet::wilson_coefficient(c)));
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let of_modifiers: Vec<&str> = modifiers.flat_map(|modifier| nuisances(modifier, eft)).collect();
    let known: BTreeSet<&str> = sets.keys().copied().chain(of_modifiers.iter().copied()).collect();
    let nuisances = of_modifiers
        .into_iter()
        .chain(measured_nuisances(eft, |name| known.contains(name)))
        .map(|name| (name, ParameterSet { length: 1, ..ParameterSet::new(EFT_UNCERTAINTY) }));
    let flat = flat_parameters(eft).into_iter();
    let flat =
        flat.map(|s| (s.name.as_str(), ParameterSet { length: s.n_nuisances(), ..ParameterSet::new(FLAT_ERROR) }));
    for (name, fresh) in coefficients.chain(nuisances).chain(flat) {
        match sets.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(fresh);
            }
            Entry::Occupied(mut entry) => entry.get_mut().conflict |= !share(entry.get().kind, fresh.kind),
        }
    }
}

/// The nuisance parameters of unit Gaussian constraint that an EFT modifier declares: of the errors of its
/// coefficients and of the systematics of its events. A name may come twice.
pub(crate) fn nuisances<'w>(modifier: &'w Modifier, eft: &'w Eft) -> Vec<&'w str> {
    match modifier {
        Modifier::EftPolynomial { data, .. } => {
            let uncertainties = data.resolve(Some(eft)).map(|p| p.uncertainties.as_slice()).unwrap_or_default();
            uncertainties.iter().map(|u| u.name.as_str()).collect()
        }
        Modifier::EftRational { data, .. } => {
            let uncertainties = data.factors.iter().flat_map(|factor| &factor.uncertainties);
            uncertainties.map(|u| u.name.as_str()).collect()
        }
        Modifier::EftEvents { data, .. } => data.systematics.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The nuisance parameters of the measurements and the unbinned terms: of the errors of coefficients; systematics that scale the means;
/// named systematics that are parameters already, by `known`, or that the document wants as parameters (spec/gaussian.md,
/// eq. 5). A name may come twice.
pub(crate) fn measured_nuisances(eft: &Eft, known: impl Fn(&str) -> bool) -> Vec<&str> {
    let wanted = eft.named_systematics == NamedSystematics::Parameters;
    let systematics = eft.gaussian_measurements.iter().flat_map(|m| m.systematics.iter().map(move |s| (m, s)));
    let scaling = systematics.clone().filter(|(m, s)| s.follows_prediction(m)).map(|(_, s)| s.name.as_str());
    let named = systematics.filter(|(_, s)| s.is_named_gaussian()).map(|(_, s)| s.name.as_str());
    let factors = eft.gaussian_measurements.iter().flat_map(|measurement| measurement.prediction.factors());
    let of_factors = factors.flat_map(|factor| &factor.uncertainties).map(|u| u.name.as_str());
    let of_events = eft.unbinned_terms.iter().flat_map(|term| &term.components).flat_map(UnbinnedComponent::nuisances);
    let scaling: Vec<&str> = scaling.collect();
    let named = named.filter(|name| wanted || known(name) || scaling.contains(name));
    named.chain(scaling.iter().copied()).chain(of_factors).chain(of_events).collect()
}

/// The flat errors that are parameters, each name once, in the order of the document (spec/gaussian.md, section 5).
pub(crate) fn flat_parameters(eft: &Eft) -> Vec<&GaussianSystematic> {
    if eft.flat_errors != FlatErrors::Profiled {
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let systematics = eft.gaussian_measurements.iter().flat_map(|measurement| &measurement.systematics);
    systematics.filter(|s| s.distribution == Distribution::Flat && names.insert(s.name.as_str())).collect()
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
