//! What the programs that write HS3 mean by one and the same file: chosen from the dialect, each overridable.

use crate::document::hs3::{Dialect, Version};

/// The conventions by which a document was translated; to be shown, none of them acts unseen
/// (spec/hs3-histfactory.md, table 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conventions {
    pub dialect: Dialect,
    /// Templates that histosys modifiers move end at zero, and so do products of normsys (A6).
    pub clip_templates: bool,
    /// The Gaussians of constraints are normalised over the ranges of their observables (A8).
    pub truncate_constraints: bool,
    /// `nll_roofit` has N ln k for k channels (A10).
    pub channel_offset: bool,
    /// Widths of staterrors are taken from the ranges of their parameters, which have all digits, where these agree with
    /// the errors of the samples, which ROOT rounds to seven.
    pub widths_from_ranges: bool,
    /// Densities of binned data are taken at the centres of bins, and more (spec/hs3.md, section 8).
    pub root_densities: bool,
    /// What `vals` of shapesys are (A2).
    pub shapesys_values: ShapesysValues,
}

/// The meaning of `vals` of a shapesys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapesysValues {
    /// In events.
    Absolute,
    /// In parts of the nominal yield.
    Relative,
    /// τ = 1/σ² of Poisson constraints, relative uncertainties of others: ROOT before 6.30.
    Tau,
}

/// Conventions that are not the producer's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    pub clip_templates: Option<bool>,
    pub truncate_constraints: Option<bool>,
    pub channel_offset: Option<bool>,
    pub widths_from_ranges: Option<bool>,
    pub root_densities: Option<bool>,
    pub shapesys_values: Option<ShapesysValues>,
}

/// The release from which ROOT writes relative uncertainties for Poisson shapesys, too.
const RELATIVE_SINCE: Version = Version { major: 6, minor: 30, patch: 0 };

impl Conventions {
    /// Of a producer, and what replaces them.
    pub fn new(dialect: Dialect, overrides: &Overrides) -> Conventions {
        let root = dialect.root_compat();
        let shapesys_values = match dialect {
            Dialect::Root(version) if version != Version::default() && version < RELATIVE_SINCE => ShapesysValues::Tau,
            Dialect::Root(_) => ShapesysValues::Relative,
            Dialect::Canonical | Dialect::Pyhs3 | Dialect::Hs3Jl => ShapesysValues::Absolute,
        };
        Conventions {
            dialect,
            clip_templates: overrides.clip_templates.unwrap_or(root),
            truncate_constraints: overrides.truncate_constraints.unwrap_or(root),
            channel_offset: overrides.channel_offset.unwrap_or(true),
            widths_from_ranges: overrides.widths_from_ranges.unwrap_or(root),
            root_densities: overrides.root_densities.unwrap_or(root),
            shapesys_values: overrides.shapesys_values.unwrap_or(shapesys_values),
        }
    }
}
