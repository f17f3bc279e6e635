//! Interpolation between α = −1, 0 and +1 and extrapolation beyond (spec/interpolation.md); one file a code.

/// Interpolation of histosys: the offset of a bin is `s(α) S + q(α) A`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistosysCode {
    Code0,
    Code2,
    /// Code 2 with pyhf's jump at |α| = 1 (only under `--compat pyhf`).
    Code2Pyhf,
    #[default]
    Code4p,
}

/// Interpolation of normsys: the factor f(α).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormsysCode {
    Code1,
    #[default]
    Code4,
}
