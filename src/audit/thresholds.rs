//! Where findings begin.

/// Names, meaning and default values are in spec/audit.md, table 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(Vec<Threshold>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    pub name: &'static str,
    pub value: f64,
    pub meaning: &'static str,
}

const DEFAULTS: &[(&str, f64, &str)] = &[
    ("one-sided", 0.01, "smaller of two shifts in one direction, as part of the sample's yield in the bin"),
    ("relevant", 0.01, "shift as part of the bin's total from which one_sided and large_variation are warnings"),
    ("large", 0.5, "change of a sample's sum at ±1σ, as part of it"),
    ("asymmetry", 3.0, "ratio of the larger to the smaller change of a sample's sum"),
    ("norm-in-shape", 0.1, "change of a sample's sum by a histosys alone, as part of it"),
    ("split", 0.01, "the same, of a histosys beside a normsys of the same name"),
    ("mc-error", 0.5, "relative statistical uncertainty of the simulation in a bin"),
    ("share", 0.1, "part of a channel's yield from which a sample should have a statistical uncertainty"),
    ("pull", 3.0, "difference of counts and expectation in standard deviations, before a fit"),
    ("information", 1e-3, "eigenvalue of the information with unit diagonal"),
    ("correlation", 0.95, "absolute correlation of two parameters"),
    ("nuisance-pull", 2.0, "pull of a nuisance parameter in a fit"),
    ("constraint", 0.5, "fitted over pre-fit uncertainty of a nuisance parameter"),
];

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds(DEFAULTS.iter().map(|&(name, value, meaning)| Threshold { name, value, meaning }).collect())
    }
}

impl Thresholds {
    pub fn all(&self) -> &[Threshold] {
        &self.0
    }

    /// Infinite for a name that there is not.
    pub fn get(&self, name: &str) -> f64 {
        self.0.iter().find(|own| own.name == name).map_or(f64::INFINITY, |own| own.value)
    }

    /// Replaces one; false where there is none of this name.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let found = self.0.iter_mut().find(|own| own.name == name);
        found.map(|own| own.value = value).is_some()
    }
}
