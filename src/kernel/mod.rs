//! [`Program`] → numbers: value, gradient, Hessian, expected data. Slices in, caller's buffers out.

use crate::program::{PreparedData, Program};

/// Evaluates one program; owns the scratch, so that nothing is allocated at a point. One per thread.
pub struct Evaluator<'p> {
    pub program: &'p Program,
}

/// Why a point has no finite `twice_nll`.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfDomain {
    /// Index of the channel in the model, and of the bin in the channel.
    pub channel: usize,
    pub bin: usize,
    pub expected: f64,
    pub observed: f64,
}

impl<'p> Evaluator<'p> {
    pub fn new(program: &'p Program) -> Self {
        Evaluator { program }
    }

    /// −2 ln L with all constants (spec/likelihood.md, eq. 5); `+inf` out of domain, never NaN for finite parameters.
    pub fn twice_nll(&mut self, _parameters: &[f64], _data: &PreparedData) -> f64 {
        todo!()
    }

    /// The value, and its gradient written to `gradient` (n_parameters).
    pub fn gradient(&mut self, _parameters: &[f64], _data: &PreparedData, _gradient: &mut [f64]) -> f64 {
        todo!()
    }

    /// The value, the gradient, and the full symmetric Hessian in `hessian` (n_parameters², row-major).
    pub fn hessian(
        &mut self,
        _parameters: &[f64],
        _data: &PreparedData,
        _gradient: &mut [f64],
        _hessian: &mut [f64],
    ) -> f64 {
        todo!()
    }

    /// Expected main data (n_bins, channel order) and auxiliary data (n_auxdata).
    pub fn expected(&mut self, _parameters: &[f64], _main: &mut [f64], _auxiliary: &mut [f64]) {
        todo!()
    }

    /// ∂ν_b/∂θ_p in `jacobian` (n_bins × n_parameters, row-major).
    pub fn expected_jacobian(&mut self, _parameters: &[f64], _jacobian: &mut [f64]) {
        todo!()
    }

    /// The first bin, in channel order, that puts this point out of the domain.
    pub fn out_of_domain(&mut self, _parameters: &[f64], _data: &PreparedData) -> Option<OutOfDomain> {
        todo!()
    }

    /// `twice_nll` at many points (`n_points × n_parameters`, row-major), points in SIMD lanes.
    pub fn twice_nll_batch(&mut self, _parameters: &[f64], _data: &PreparedData, _values: &mut [f64]) {
        todo!()
    }
}
