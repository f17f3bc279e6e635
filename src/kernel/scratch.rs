//! Everything that an evaluation writes, allocated once.

use super::densities::DensityScratch;
use super::driven::{self, DrivenScratch};
use super::measurement::MeasurementScratch;
use super::response::{RowScratch, Statistics};
use super::simd::{Backend, Lanes, ZERO};
use super::unbinned::TermScratch;
use crate::model::interpolation::Jet;
use crate::program::{PreparedData, Program};

/// Yields smaller than this count as zero (spec/likelihood.md, "Domain").
pub(crate) const TINY: f64 = 1e-140;

/// Stands for a plain factor of zero, so that log-derivatives stay finite: two such factors still multiply to a
/// number, and what they leave in a yield is below [`TINY`].
pub(crate) const ZERO_FACTOR: f64 = 1e-150;

#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// Parameters, then a one.
    pub theta: Vec<f64>,
    /// Parameters as factors: zero is replaced by [`ZERO_FACTOR`]; then a one.
    pub factors: Vec<f64>,
    /// 1 / factors.
    pub inverse: Vec<f64>,
    /// s(α), q(α) of each histosys parameter.
    pub s: Vec<Jet>,
    pub q: Vec<Jet>,
    /// Product of the factors of each row.
    pub row_scale: Vec<Lanes>,
    /// f′/f and f″/f of each normsys entry.
    pub log_derivative: Vec<Lanes>,
    pub log_second: Vec<Lanes>,
    /// Nominal and offsets of each cell.
    pub template: Vec<Lanes>,
    /// All factors of each cell but its response; zero where the sample's clip holds.
    pub scale: Vec<Lanes>,
    /// The response of each cell, one without; and ∂NLL/∂(scale · template). Empty where no row has a response.
    pub cell_response: Vec<Lanes>,
    pub cell_weight: Vec<Lanes>,
    pub response_rows: Vec<RowScratch>,
    pub statistics: Statistics,
    pub measurements: MeasurementScratch,
    pub unbinned: Vec<TermScratch>,
    pub densities: Option<DensityScratch>,
    pub driven: Option<DrivenScratch>,
    /// What each cell adds to its bin.
    pub rate: Vec<Lanes>,
    /// ν of the bins, then τγ of the Poisson auxiliary measurements.
    pub expected: Vec<Lanes>,
    /// dNLL/dν: 1 − n/ν.
    pub weight: Vec<Lanes>,
    /// weight · (rate without response) of each cell, and its sum over the cells of each row.
    pub weighted_rate: Vec<Lanes>,
    pub row_weight: Vec<Lanes>,
    /// Derivatives by histosys and normsys parameters, lane by lane.
    pub offset_sum: Vec<Lanes>,
    pub interpolated_sum: Vec<Lanes>,
}

impl Scratch {
    pub fn new(program: &Program, backend: Backend) -> Scratch {
        let layout = &program.layout;
        let n_counts = layout.n_bins + program.constraints.poissons.len();
        let (rows, cells, counts) = (layout.row_groups(), layout.cell_groups(), n_counts.div_ceil(8));
        let responded = if program.responses.is_empty() { 0 } else { cells };
        let (offsets, entries) = (program.cells.offsets.len(), program.rows.entries.len());
        Scratch {
            theta: vec![1.0; layout.n_parameters + 1],
            factors: vec![1.0; layout.n_parameters + 1],
            inverse: vec![1.0; layout.n_parameters + 1],
            s: vec![Jet::default(); offsets],
            q: vec![Jet::default(); offsets],
            row_scale: vec![ZERO; rows],
            log_derivative: vec![ZERO; entries],
            log_second: vec![ZERO; entries],
            template: vec![ZERO; cells],
            scale: vec![ZERO; cells],
            cell_response: vec![Lanes([1.0; 8]); responded],
            cell_weight: vec![ZERO; responded],
            response_rows: program.responses.rows.iter().map(|row| RowScratch::new(row, backend)).collect(),
            statistics: Statistics::new(program.responses.uncertain.len()),
            measurements: MeasurementScratch::new(&program.measurements, backend),
            unbinned: program.unbinned.iter().map(TermScratch::new).collect(),
            densities: program.densities.as_ref().map(DensityScratch::new),
            driven: program.driven.as_ref().map(DrivenScratch::new),
            rate: vec![ZERO; cells],
            expected: vec![ZERO; counts],
            weight: vec![ZERO; counts],
            weighted_rate: vec![ZERO; cells],
            row_weight: vec![ZERO; rows],
            offset_sum: vec![ZERO; offsets],
            interpolated_sum: vec![ZERO; program.rows.interpolated.len()],
        }
    }

    /// Takes in a point: factors, and the weights of the histosys parameters.
    pub fn set_point(&mut self, program: &Program, parameters: &[f64]) {
        let n = program.layout.n_parameters;
        self.theta[..n].copy_from_slice(&parameters[..n]);
        if let (Some(compiled), Some(scratch)) = (&program.driven, &mut self.driven) {
            driven::set_point(compiled, &mut self.theta, scratch);
        }
        for (factor, &theta) in self.factors.iter_mut().zip(&self.theta[..n]) {
            *factor = if theta == 0.0 { ZERO_FACTOR } else { theta };
        }
        for (index, &(parameter, code)) in program.cells.offsets.iter().enumerate() {
            let alpha = self.theta[parameter as usize];
            self.s[index] = code.s(alpha);
            self.q[index] = code.q(alpha);
        }
    }

    /// Leaves no weight to the second derivatives of the yields.
    pub fn weigh_nothing(&mut self) {
        self.weight.fill(ZERO);
        self.row_weight.fill(ZERO);
        self.cell_weight.fill(ZERO);
        self.statistics.by_variance.fill(0.0);
        self.statistics.bend.fill(0.0);
        self.driven.iter_mut().for_each(DrivenScratch::weigh_nothing);
    }

    pub fn set_inverse(&mut self) {
        for (inverse, factor) in self.inverse.iter_mut().zip(&self.factors) {
            *inverse = 1.0 / factor;
        }
    }

    /// The first count that forbids this point: ν < 0, or ν = 0 with n > 0.
    pub fn forbidden(&self, program: &Program, data: &PreparedData) -> Option<usize> {
        let n_counts = program.layout.n_bins + program.constraints.poissons.len();
        (0..n_counts).find(|&index| {
            let (nu, n) = (self.expected[index / 8].0[index % 8], data.count(index));
            let negative = nu <= -TINY && (n > 0.0 || !program.pyhf_domain || index >= program.layout.n_bins);
            negative || (n > 0.0 && nu < TINY) || nu.is_nan()
        })
    }
}
