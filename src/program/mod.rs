//! A [`Model`](crate::model::Model) compiled into flat arrays, immutable and shared by threads.
//!
//! The model becomes three levels, each a list padded to whole groups of eight lanes: *rows* (a part of a sample)
//! carry the factors that act on all bins, *cells* (a row in a bin) carry the template with its offsets and the
//! factors of single bins, *counts* (bins, then Poisson auxiliary measurements) carry the likelihood.

mod compile;
mod data;
mod densities;
mod layout;
mod measurement;
mod quadratic_means;
mod response;
mod unbinned;

pub use data::PreparedData;
pub(crate) use data::lanes;
pub(crate) use densities::{CompiledDensities, CompiledDriven};
pub(crate) use layout::ChannelLayout;
pub use layout::Layout;
pub(crate) use measurement::{CompiledBlock, CompiledMeasurements, FlatPoint, PolynomialMeans};
pub(crate) use quadratic_means::{BLOCK, QuadraticGroup, QuadraticMeans};
pub(crate) use response::{CompiledForm, CompiledPolynomial, Responses, RowResponse};
pub(crate) use unbinned::{CompiledTerm, PreparedTerm};

use crate::kernel::simd::Lanes;
use crate::model::{Correlation, HistosysCode, Penalty};
use std::borrow::Cow;

/// Flat arrays of one model; compiled once, evaluated at many points with many data sets.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) layout: Layout,
    pub(crate) rows: Rows,
    pub(crate) cells: Cells,
    pub(crate) constraints: Constraints,
    /// For each parameter: its place among the shared or the local unknowns of the Hessian.
    pub(crate) places: Vec<Place>,
    pub(crate) n_shared: usize,
    /// The parameter of each shared place.
    pub(crate) shared: Vec<u32>,
    /// The local parameters of each bin: `local[local_start[b]..local_start[b + 1]]`.
    pub(crate) local: Vec<u32>,
    pub(crate) local_start: Vec<u32>,
    pub(crate) clip_sample: Option<f64>,
    /// The product of the interpolated factors of a row ends at zero.
    pub(crate) clip_factors: bool,
    pub(crate) clip_bin: Option<f64>,
    pub(crate) pyhf_domain: bool,
    pub(crate) responses: Responses,
    /// Terms in single parameters.
    pub(crate) penalties: Vec<Penalty>,
    pub(crate) correlations: Vec<CompiledCorrelation>,
    pub(crate) measurements: CompiledMeasurements,
    pub(crate) unbinned: Vec<CompiledTerm>,
    pub(crate) densities: Option<CompiledDensities>,
    pub(crate) driven: Option<CompiledDriven>,
}

/// See [`crate::model::Correlation`].
#[derive(Clone, Debug)]
pub(crate) struct CompiledCorrelation {
    pub parameters: Vec<usize>,
    /// Their places among the Gaussian constraints, and among the shared unknowns.
    pub gaussians: Vec<usize>,
    pub places: Vec<usize>,
    /// The place of each auxiliary datum.
    pub auxiliary: Vec<usize>,
    pub source: Correlation,
}

/// Where a parameter stands in the block structure of the Hessian: parameters that scale one bin only do not couple
/// to those of another bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Shared(u32),
    /// Index in [`Program::local`].
    Local(u32),
}

/// Factors that act on a whole row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Entries of group g are `entries[start[g]..start[g + 1]]`.
    pub start: Vec<u32>,
    pub entries: Vec<InterpolatedEntry>,
    /// The parameters of normsys, each once.
    pub interpolated: Vec<u32>,
    /// Plain factors: `slots[slot][group][lane]` is an index into the factors (the last of which is one).
    pub slots: Vec<Vec<[u32; 8]>>,
    /// (row, parameter) of every plain factor.
    pub plain: Vec<(u32, u32)>,
    /// Some row has two factors of one parameter.
    pub repeats: bool,
    /// What scales row r: `scales[scale_start[r]..scale_start[r + 1]]`.
    pub scale_start: Vec<u32>,
    pub scales: Vec<RowScale>,
}

/// One factor of one row, for the second derivatives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowScale {
    /// Lane of an entry: its log-derivative is computed with the gradient.
    Interpolated {
        parameter: u32,
        entry: u32,
        lane: u32,
    },
    Plain {
        parameter: u32,
    },
}

/// normsys of one parameter on eight rows.
#[derive(Clone, Debug)]
pub(crate) struct InterpolatedEntry {
    pub parameter: u32,
    /// Index among [`Rows::interpolated`].
    pub accumulator: u32,
    /// |α| below which the polynomial holds.
    pub inner_radius: f64,
    pub polynomial: [Lanes; 6],
    /// ln f / α above zero and minus it below; with a linear tail its slopes, in the same way.
    pub ln_hi: Lanes,
    pub ln_lo: Lanes,
    /// Of a linear tail at α = 0; an exponential one has none.
    pub intercept: Option<Lanes>,
}

/// Templates, offsets and single-bin factors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    pub nominal: Vec<Lanes>,
    /// Row and bin of each cell, as lanes.
    pub row: Vec<[u32; 8]>,
    pub bin: Vec<[u32; 8]>,
    /// Entries of group g are `entries[start[g]..start[g + 1]]`.
    pub start: Vec<u32>,
    pub entries: Vec<OffsetEntry>,
    /// +1 for cells whose template ends at zero, −1 for those where it does from below, else 0; empty without such cells.
    pub clip: Vec<Lanes>,
    /// For each entry its index among the offsets: apart, so that entries fill whole cache lines.
    pub entry_offset: Vec<u32>,
    /// The parameters of histosys with their code, each once.
    pub offsets: Vec<(u32, HistosysCode)>,
    /// Single-bin factors, as [`Rows::slots`].
    pub slots: Vec<Vec<[u32; 8]>>,
    /// (cell, parameter) of every single-bin factor, in cell order; those of cell i are
    /// `factors[factor_start[i]..factor_start[i + 1]]`.
    pub factors: Vec<(u32, u32)>,
    pub factor_start: Vec<u32>,
    /// The same offsets cell by cell, without empty lanes: `sparse[sparse_start[i]..sparse_start[i + 1]]`.
    pub sparse_start: Vec<u32>,
    pub sparse: Vec<SparseOffset>,
}

/// histosys of one parameter on eight cells: the offset is `s(α) S + q(α) A`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffsetEntry {
    pub antisymmetric: Lanes,
    pub symmetric: Lanes,
}

/// histosys of one parameter on one cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SparseOffset {
    pub antisymmetric: f64,
    pub symmetric: f64,
    pub offset: u32,
    /// The parameter's shared place.
    pub shared: u32,
}

/// Auxiliary measurements. The Poisson ones follow the bins among the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    /// Parameters of the Gaussian constraints, padded with an index whose `inverse_sigma` is zero.
    pub gaussian: Vec<[u32; 8]>,
    pub inverse_sigma: Vec<Lanes>,
    /// (parameter, sigma, index in the auxiliary data) of each Gaussian constraint.
    pub gaussians: Vec<(u32, f64, u32)>,
    /// (parameter, factor, index in the auxiliary data) of each Poisson constraint.
    pub poissons: Vec<(u32, f64, u32)>,
}

impl Program {
    /// Number of scalar parameters.
    pub fn n_parameters(&self) -> usize {
        self.layout.n_parameters
    }

    /// Number of bins of all channels.
    pub fn n_bins(&self) -> usize {
        self.layout.n_bins
    }

    /// Number of samples times bins, summed over the channels.
    pub fn n_cells(&self) -> usize {
        self.layout.channels.iter().map(|channel| channel.n_samples * channel.n_bins).sum()
    }

    /// Something responds to Wilson coefficients: samples of channels, means of measurements, or single events.
    pub fn has_responses(&self) -> bool {
        !(self.responses.is_empty() && self.measurements.is_empty() && self.unbinned.is_empty())
    }

    /// There are densities over events, or constraints that no auxiliary datum describes.
    pub fn has_densities(&self) -> bool {
        self.densities.is_some()
    }

    /// There are kernels for eight points at once.
    pub fn runs_in_lanes(&self) -> bool {
        !self.has_responses() && self.densities.is_none() && self.driven.is_none() && self.correlations.is_empty()
    }

    /// Puts the values of functions into a point of all parameters.
    pub fn complete(&self, point: &mut [f64]) {
        self.driven.iter().for_each(|driven| driven.term.complete(point));
    }

    /// The parameters that responses follow and no auxiliary measurement constrains, ascending: Wilson coefficients.
    pub fn coefficients(&self) -> Vec<usize> {
        let of_rows = self.responses.rows.iter().flat_map(|row| &row.parameters);
        let of_events = self.unbinned.iter().flat_map(|compiled| &compiled.followed);
        let followed = of_rows.chain(&self.measurements.followed).chain(of_events);
        let mut all: Vec<usize> = followed.map(|parameter| *parameter as usize).collect();
        all.sort_unstable();
        all.dedup();
        let constrained = |i: &usize| self.constraints.gaussians.iter().any(|(p, _, _)| *p as usize == *i);
        all.retain(|i| !constrained(i));
        all
    }

    /// The parameters that stand for flat errors of measurements: they shift means, nothing constrains them.
    pub(crate) fn flat_errors(&self) -> Vec<usize> {
        let shifting =
            self.measurements.shifts.iter().map(|(_, variable, _)| self.measurements.parameters[*variable as usize]);
        let mut all: Vec<usize> = shifting.map(|parameter| parameter as usize).collect();
        all.sort_unstable();
        all.dedup();
        let constrained = |i: &usize| self.constraints.gaussians.iter().any(|(p, _, _)| *p as usize == *i);
        all.retain(|i| !constrained(i));
        all
    }

    /// Flat errors bring residuals nearer to zero (spec/gaussian.md, eq. 7).
    pub(crate) fn is_clamped(&self) -> bool {
        !self.measurements.clamped.is_empty()
    }

    /// The same with the half widths of such errors times a factor; with 0 there are none.
    pub(crate) fn with_clamps_times(&self, factor: f64) -> Cow<'_, Program> {
        if !self.is_clamped() {
            return Cow::Borrowed(self);
        }
        let mut other = self.clone();
        other.measurements.clamped.iter_mut().for_each(|point| point.half_width *= factor);
        Cow::Owned(other)
    }

    /// Number of points of the measurements with Gaussian errors, which stand behind all other auxiliary data.
    pub fn n_measured(&self) -> usize {
        self.measurements.n_points()
    }

    /// W r − U α̂ of the measurements, then α̂, of values r in the order of their points (spec/gaussian.md, eq. 4): the
    /// squares of what comes out sum up to rᵀ V⁻¹ r.
    pub fn whiten(&self, residuals: &[f64]) -> Vec<f64> {
        self.measurements.whiten(residuals)
    }

    /// Number of values of [`Program::whiten`].
    pub fn n_whitened(&self) -> usize {
        self.measurements.n_points() + self.measurements.errors.len()
    }

    /// Number of auxiliary measurements.
    pub fn n_auxdata(&self) -> usize {
        self.layout.n_auxdata
    }
}
