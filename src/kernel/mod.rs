//! [`Program`] → numbers: value, gradient, Hessian, expected data. Slices in, caller's buffers out.

pub(crate) mod batch;
mod chain;
pub(crate) mod cholesky;
mod correlation;
mod densities;
mod driven;
mod event_rows;
pub mod events;
pub(crate) mod expected;
pub(crate) mod flat_error;
mod gradient;
pub mod hessian;
mod measurement;
mod penalty;
mod quadratic_means;
mod rates;
mod response;
mod scratch;
pub mod simd;
mod unbinned;
mod value;

use crate::program::{PreparedData, Program};
use expected::Order;
use hessian::{Blocks, Curvature};
pub use rates::Cell;
use scratch::Scratch;
use simd::Backend;

/// Evaluates one program; owns the scratch, so that nothing is allocated at a point. One per thread.
#[derive(Clone, Debug)]
pub struct Evaluator<'p> {
    pub program: &'p Program,
    backend: Backend,
    scratch: Scratch,
    /// Made at the first Hessian.
    blocks: Option<Box<Blocks>>,
}

/// Why a point has no finite `twice_nll`: ν < 0, or ν = 0 with n > 0 (spec/likelihood.md, eq. 7).
#[derive(Clone, Debug, PartialEq)]
pub enum OutOfDomain {
    /// Index of the channel in the model, and of the bin in the channel.
    Bin { channel: usize, bin: usize, expected: f64, observed: f64 },
    /// A Poisson auxiliary measurement of this parameter.
    AuxiliaryMeasurement { parameter: usize, expected: f64, observed: f64 },
    /// A row of an unbinned term (index of the term in the model), observed events first, without positive intensity.
    Event { term: usize, row: usize, intensity: f64 },
    /// The yields of an unbinned term.
    UnbinnedYield { term: usize, expected: f64 },
    /// A density over events, or a constraint of parameters that is no auxiliary measurement.
    Density { reason: String },
}

impl<'p> Evaluator<'p> {
    /// Runs on the widest instruction set of this machine.
    pub fn new(program: &'p Program) -> Self {
        Evaluator::with_backend(program, Backend::detect())
    }

    /// Runs on the given instruction set, or the widest below it that this machine has.
    pub fn with_backend(program: &'p Program, backend: Backend) -> Self {
        let available = Backend::available();
        let backend = if available.contains(&backend) { backend } else { Backend::detect() };
        Evaluator { program, backend, scratch: Scratch::new(program, backend), blocks: None }
    }

    /// −2 ln L with all constants (spec/likelihood.md, eq. 5); `+inf` out of domain, never NaN for finite parameters.
    pub fn twice_nll(&mut self, parameters: &[f64], data: &PreparedData) -> f64 {
        self.reduced(parameters, data) + 2.0 * data.constant
    }

    /// −2 ln L less the part that no parameter moves: what a fit minimises.
    pub fn reduced(&mut self, parameters: &[f64], data: &PreparedData) -> f64 {
        self.scratch.set_point(self.program, parameters);
        2.0 * value::value(self.backend, self.program, data, &mut self.scratch)
    }

    /// The value, and its gradient written to `gradient` (n_parameters); zeros out of domain.
    pub fn gradient(&mut self, parameters: &[f64], data: &PreparedData, gradient: &mut [f64]) -> f64 {
        self.scratch.set_point(self.program, parameters);
        let value = gradient::gradient(self.backend, self.program, data, &mut self.scratch, Order::First, gradient);
        gradient.iter_mut().for_each(|g| *g *= 2.0);
        2.0 * (value + data.constant)
    }

    /// The value, the gradient, and the full symmetric Hessian in `hessian` (n_parameters², row-major).
    pub fn hessian(
        &mut self,
        parameters: &[f64],
        data: &PreparedData,
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let value = self.reduced_with_blocks(parameters, data, gradient);
        match &self.blocks {
            Some(blocks) if value.is_finite() => blocks.assemble(self.program, hessian),
            _ => hessian.fill(0.0),
        }
        value + 2.0 * data.constant
    }

    /// The reduced value, its gradient, and its Hessian in blocks ([`Evaluator::blocks`]).
    pub(crate) fn reduced_with_blocks(&mut self, parameters: &[f64], data: &PreparedData, gradient: &mut [f64]) -> f64 {
        let (program, backend) = (self.program, self.backend);
        self.scratch.set_point(program, parameters);
        let value = gradient::gradient(backend, program, data, &mut self.scratch, Order::Second, gradient);
        if value.is_finite() {
            let blocks = self.blocks.get_or_insert_with(|| Box::new(Blocks::new(program)));
            hessian::fill(backend, program, data, &mut self.scratch, blocks, Curvature::Exact);
        }
        gradient.iter_mut().for_each(|g| *g *= 2.0);
        2.0 * value
    }

    /// Until [`Evaluator::release`] there need not be derivatives to what is fixed.
    pub(crate) fn hold(&mut self, fixed: &[bool]) {
        if let (Some(compiled), Some(densities)) = (&self.program.densities, &mut self.scratch.densities) {
            densities.hold(compiled, fixed);
        }
    }

    /// Ends what [`Evaluator::hold`] has begun.
    pub(crate) fn release(&mut self) {
        self.scratch.densities.iter_mut().for_each(densities::DensityScratch::release);
    }

    /// From now on there are derivatives to a parameter, whether it is fixed or not.
    pub(crate) fn want(&mut self, parameter: usize) {
        if let (Some(compiled), Some(densities)) = (&self.program.densities, &mut self.scratch.densities) {
            densities.want(compiled, parameter);
        }
    }

    /// Replaces the blocks at the point of the last [`Evaluator::reduced_with_blocks`] by the Gauss–Newton
    /// approximation.
    pub(crate) fn approximate_blocks(&mut self, data: &PreparedData) {
        let program = self.program;
        let blocks = self.blocks.get_or_insert_with(|| Box::new(Blocks::new(program)));
        hessian::fill(self.backend, program, data, &mut self.scratch, blocks, Curvature::GaussNewton);
    }

    /// The Gauss–Newton matrix (n_parameters², row-major) at the point of the last Hessian.
    pub(crate) fn gauss_newton(&mut self, data: &PreparedData, matrix: &mut [f64]) {
        self.approximate_blocks(data);
        if let Some(blocks) = &self.blocks {
            blocks.assemble(self.program, matrix);
        }
    }

    pub(crate) fn blocks(&mut self) -> &mut Blocks {
        let program = self.program;
        self.blocks.get_or_insert_with(|| Box::new(Blocks::new(program)))
    }

    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// Expected main data (n_bins, channel order) and auxiliary data (n_auxdata).
    pub fn expected(&mut self, parameters: &[f64], main: &mut [f64], auxiliary: &mut [f64]) {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        expected::expected(self.backend, program, &mut self.scratch, Order::Value);
        expected::expected_main(program, &self.scratch, main);
        for &(parameter, _, index) in &program.constraints.gaussians {
            auxiliary[index as usize] = self.scratch.theta[parameter as usize];
        }
        for &(parameter, factor, index) in &program.constraints.poissons {
            auxiliary[index as usize] = factor * self.scratch.theta[parameter as usize];
        }
        if !program.measurements.is_empty() {
            let Scratch { theta, measurements, .. } = &mut self.scratch;
            measurement::means(self.backend, &program.measurements, theta, measurements);
            let (_, measured) = program.beyond_parameters();
            for (position, to) in program.measurements.position.iter().zip(&mut auxiliary[measured]) {
                *to = measurements.mean[*position as usize];
            }
        }
    }

    /// As [`Evaluator::expected`], with the statistical uncertainty of simulated bins where these data profile it: main
    /// data are the profiled means, their auxiliary data η̂ (spec/eft.md, eq. 15).
    pub fn profiled(&mut self, parameters: &[f64], data: &PreparedData, main: &mut [f64], auxiliary: &mut [f64]) {
        self.expected(parameters, main, auxiliary);
        let program = self.program;
        response::profile(program, data, &mut self.scratch);
        let statistics = &self.scratch.statistics;
        let (uncertain, _) = program.beyond_parameters();
        for (index, (&bin, to)) in program.responses.uncertain.iter().zip(&mut auxiliary[uncertain]).enumerate() {
            main[bin as usize] = simd::flat(&self.scratch.expected)[bin as usize];
            *to = statistics.eta[index];
        }
    }

    /// λ of every sample in every bin (n_cells: channels, their samples, their bins), clips of the samples applied.
    pub fn rates(&mut self, parameters: &[f64], rates: &mut [f64]) {
        self.scratch.set_point(self.program, parameters);
        expected::expected(self.backend, self.program, &mut self.scratch, Order::Value);
        rates::rates(self.program, &self.scratch, rates);
    }

    /// Calls `visit` for every sample in every bin, in the order of [`Evaluator::rates`], with what moves its rate.
    pub fn visit_rates(&mut self, parameters: &[f64], mut visit: impl FnMut(Cell)) {
        self.scratch.set_point(self.program, parameters);
        expected::expected(self.backend, self.program, &mut self.scratch, Order::First);
        self.scratch.set_inverse();
        response::set_jacobians(self.program, &mut self.scratch);
        let (program, mut driven) = (self.program, self.scratch.driven.take());
        let mut room = vec![0.0; if driven.is_some() { program.n_parameters() } else { 0 }];
        rates::visit_cells(program, &self.scratch, |cell| match (&program.driven, &mut driven) {
            (Some(compiled), Some(scratch)) => {
                cell.parameters.iter().for_each(|i| room[*i] = cell.derivatives[*i]);
                let moving = driven::fold_derivatives(compiled, scratch, cell.parameters, &mut room);
                visit(Cell { parameters: &moving, derivatives: &room, ..cell });
                moving.iter().for_each(|i| room[*i] = 0.0);
            }
            _ => visit(cell),
        });
        self.scratch.driven = driven;
    }

    /// ∂ν_b/∂θ_p in `jacobian` (n_bins × n_parameters, row-major); zero where a clip of the bins holds.
    pub fn expected_jacobian(&mut self, parameters: &[f64], jacobian: &mut [f64]) {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        expected::expected(self.backend, program, &mut self.scratch, Order::Second);
        self.scratch.set_inverse();
        self.scratch.weigh_nothing();
        self.scratch.statistics.direction.fill(0.0);
        let blocks = self.blocks.get_or_insert_with(|| Box::new(Blocks::new(program)));
        hessian::jacobian(self.backend, program, &mut self.scratch, blocks);
        if let (Some(compiled), Some(scratch)) = (&program.driven, &mut self.scratch.driven) {
            let stride = blocks.stride;
            driven::fold_rows(compiled, scratch, stride, &mut blocks.bins);
        }
        blocks.assemble_jacobian(program, jacobian);
        if let Some(clip) = program.clip_bin {
            let expected = simd::flat(&self.scratch.expected);
            for (row, nu) in jacobian.chunks_exact_mut(program.n_parameters().max(1)).zip(expected) {
                if *nu <= clip {
                    row.fill(0.0);
                }
            }
        }
    }

    /// The derivatives of [`Program::whiten`] of the means of the measurements (n_whitened × n_parameters, row-major).
    pub fn whitened_jacobian(&mut self, parameters: &[f64]) -> Vec<f64> {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        let Scratch { theta, measurements, .. } = &mut self.scratch;
        measurement::means(self.backend, &program.measurements, theta, measurements);
        measurement::whitened_jacobian(self.backend, &program.measurements, measurements, program.n_parameters())
    }

    /// `twice_nll` at many points (`points`: n_points × n_parameters, row-major), eight in lanes, groups over the
    /// threads of rayon. The results do not depend on how many there are.
    pub fn twice_nll_batch(&self, points: &[f64], data: &PreparedData, values: &mut [f64]) {
        batch::run(self.backend, self.program, data, points, values, None);
    }

    /// As [`Evaluator::twice_nll_batch`], with the gradients (n_points × n_parameters).
    pub fn gradient_batch(&self, points: &[f64], data: &PreparedData, values: &mut [f64], gradients: &mut [f64]) {
        batch::run(self.backend, self.program, data, points, values, Some(gradients));
    }

    /// Channel and bin of the lowest expected yield among the bins without counts.
    pub(crate) fn lowest_empty_bin(&mut self, parameters: &[f64], data: &PreparedData) -> (usize, usize) {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        expected::expected(self.backend, program, &mut self.scratch, Order::Value);
        let expected = simd::flat(&self.scratch.expected);
        let empty = (0..program.n_bins()).filter(|&bin| data.count(bin) == 0.0);
        let lowest = empty.min_by(|&a, &b| expected[a].total_cmp(&expected[b]));
        program.layout.channel_of_bin(lowest.unwrap_or(0))
    }

    /// The reason of the first unbinned term that puts the point of the scratch out of the domain.
    fn forbidden_event(&mut self, data: &PreparedData) -> Option<OutOfDomain> {
        let (backend, Scratch { theta, unbinned, .. }) = (self.backend, &mut self.scratch);
        let terms = self.program.unbinned.iter().zip(&data.unbinned).zip(unbinned);
        terms.enumerate().find_map(|(term, ((compiled, data), scratch))| {
            match unbinned::forbidden(backend, compiled, data, theta, scratch)? {
                unbinned::Forbidden::Yield(expected) => Some(OutOfDomain::UnbinnedYield { term, expected }),
                unbinned::Forbidden::Event { row, intensity } => Some(OutOfDomain::Event { term, row, intensity }),
            }
        })
    }

    /// The reason of densities that put the point of the scratch out of the domain.
    fn forbidden_density(&mut self, data: &PreparedData) -> Option<OutOfDomain> {
        let Scratch { theta, densities, .. } = &mut self.scratch;
        let (compiled, densities) = (self.program.densities.as_ref()?, densities.as_mut()?);
        densities::reason(compiled, data, theta, densities).map(|reason| OutOfDomain::Density { reason })
    }

    /// A peak of a density at a point that a quadrature has missed, in words; where there is one, the value is wrong.
    pub(crate) fn missed_peak(&mut self, parameters: &[f64], data: &PreparedData) -> Option<String> {
        self.scratch.set_point(self.program, parameters);
        let Scratch { theta, densities, .. } = &mut self.scratch;
        densities::missed_peak(self.program.densities.as_ref()?, data, theta, densities.as_mut()?)
    }

    /// The yields of an unbinned term, and the weights s that Asimov data have on its reference events (spec/unbinned.md,
    /// eq. 9).
    pub(crate) fn expected_events(&mut self, term: usize, parameters: &[f64]) -> (f64, Vec<f64>) {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        let compiled = &program.unbinned[term];
        let Scratch { theta, unbinned, .. } = &mut self.scratch;
        let n_observed = compiled.term.observed.len();
        let densities: Vec<_> = compiled.term.components.iter().map(|c| c.densities.clone()).collect();
        let n_rows = compiled.term.n_rows();
        let (total, values) =
            unbinned::row_intensities(self.backend, compiled, &densities, n_rows, theta, &mut unbinned[term]);
        let of_reference = values[n_observed..].iter().zip(&compiled.term.reference);
        (total, of_reference.map(|(intensity, w)| w * intensity).collect())
    }

    /// The weights s of all rows of the unbinned terms in Asimov data; NaN for a term without reference events, so that
    /// nothing can be made of them.
    pub fn asimov_events(&mut self, parameters: &[f64]) -> Vec<f64> {
        let program = self.program;
        let mut weights = vec![0.0; program.n_event_rows()];
        for (term, compiled) in program.unbinned.iter().enumerate() {
            let of_term = &mut weights[compiled.rows.clone()];
            if compiled.term.reference.is_empty() {
                of_term.fill(f64::NAN);
                continue;
            }
            let (_, expected) = self.expected_events(term, parameters);
            of_term[compiled.term.observed.len()..].copy_from_slice(&expected);
        }
        weights
    }

    /// −2 ln L of each unbinned term, less the part that no parameter moves; +inf out of the domain.
    pub fn unbinned_terms(&mut self, parameters: &[f64], data: &PreparedData) -> Vec<f64> {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        let Scratch { theta, unbinned, .. } = &mut self.scratch;
        let one = |t: usize, scratch: &mut [unbinned::TermScratch]| {
            let value = unbinned::value(self.backend, &program.unbinned[t..=t], &data.unbinned[t..=t], theta, scratch);
            if value.is_nan() { f64::INFINITY } else { 2.0 * value }
        };
        unbinned.chunks_mut(1).enumerate().map(|(t, scratch)| one(t, scratch)).collect()
    }

    /// Σ s ∂ ln I ∂ ln Iᵀ of an unbinned term by all parameters (n_parameters², row-major).
    pub(crate) fn event_information(&mut self, term: usize, parameters: &[f64], data: &PreparedData) -> Vec<f64> {
        let (program, n) = (self.program, self.program.n_parameters());
        self.scratch.set_point(program, parameters);
        let Scratch { theta, unbinned, .. } = &mut self.scratch;
        let compiled = &program.unbinned[term];
        let squares = unbinned::squares(self.backend, compiled, &data.unbinned[term], theta, &mut unbinned[term]);
        let mut information = vec![0.0; n * n];
        let n_own = compiled.parameters.len();
        for (row, i) in squares.chunks_exact(n_own.max(1)).zip(&compiled.parameters) {
            for (value, j) in row.iter().zip(&compiled.parameters) {
                information[*i as usize * n + *j as usize] += value;
            }
        }
        information
    }

    /// The first bin in channel order, else the first auxiliary measurement, that puts this point out of the domain.
    pub fn out_of_domain(&mut self, parameters: &[f64], data: &PreparedData) -> Option<OutOfDomain> {
        let program = self.program;
        self.scratch.set_point(program, parameters);
        expected::expected(self.backend, program, &mut self.scratch, Order::Value);
        response::profile(program, data, &mut self.scratch);
        let Some(index) = self.scratch.forbidden(program, data) else {
            return self.forbidden_event(data).or_else(|| self.forbidden_density(data));
        };
        let (expected, observed) = (simd::flat(&self.scratch.expected)[index], data.count(index));
        let expected = if expected.abs() < scratch::TINY { 0.0 } else { expected };
        Some(if index < program.layout.n_bins {
            let (channel, bin) = program.layout.channel_of_bin(index);
            OutOfDomain::Bin { channel, bin, expected, observed }
        } else {
            let parameter = program.constraints.poissons[index - program.layout.n_bins].0 as usize;
            OutOfDomain::AuxiliaryMeasurement { parameter, expected, observed }
        })
    }
}
