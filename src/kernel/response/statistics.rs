//! The statistical uncertainty of simulated bins, profiled at every evaluation (spec/eft.md, eq. 13 to 15).

use crate::kernel::scratch::{Scratch, TINY};
use crate::kernel::simd::flat_mut;
use crate::model::eft::mc_statistics;
use crate::program::{PreparedData, Program};

/// What the uncertain bins have beyond their means, one value for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    /// v = σ²
    pub variance: Vec<f64>,
    pub eta: Vec<f64>,
    /// ∂f/∂λ and ∂f/∂v of the profiled term f.
    pub by_mean: Vec<f64>,
    pub by_variance: Vec<f64>,
    /// ∂²f/∂λ²; the second derivatives are this times (1, direction)ᵀ(1, direction), and half of `bend` by v twice.
    pub curvature: Vec<f64>,
    pub direction: Vec<f64>,
    pub bend: Vec<f64>,
}

impl Statistics {
    pub fn new(n: usize) -> Statistics {
        let zeros = || vec![0.0; n];
        Statistics {
            variance: zeros(),
            eta: zeros(),
            by_mean: zeros(),
            by_variance: zeros(),
            curvature: zeros(),
            direction: zeros(),
            bend: zeros(),
        }
    }
}

/// Replaces the means of the uncertain bins by their profiled ones and returns what the profiled constraints add to
/// −ln L: Σ ½ η̂².
pub(crate) fn profile(program: &Program, data: &PreparedData, scratch: &mut Scratch) -> f64 {
    let Scratch { expected, statistics, .. } = scratch;
    let expected = flat_mut(expected);
    let mut sum = 0.0;
    for (index, &bin) in program.responses.uncertain.iter().enumerate() {
        let (bin, auxiliary) = (bin as usize, data.uncertain[index]);
        let (variance, n) = (statistics.variance[index], data.count(bin));
        // Without variance the bin is a plain one; rounding may leave a little less than none.
        if variance <= TINY {
            let lambda = expected[bin];
            statistics.eta[index] = auxiliary;
            statistics.by_mean[index] = if n > 0.0 { 1.0 - n / lambda } else { 1.0 };
            statistics.by_variance[index] = -0.5 * statistics.by_mean[index] * statistics.by_mean[index];
            statistics.curvature[index] = if n > 0.0 { n / (lambda * lambda) } else { 0.0 };
            statistics.direction[index] = 0.0;
            statistics.bend[index] = 0.0;
            continue;
        }
        // An auxiliary datum a moves the mean to λ + a σ with a constraint around zero.
        let sigma = variance.sqrt();
        let lambda = expected[bin] + auxiliary * sigma;
        let profiled = mc_statistics::profile(lambda, variance, n);
        let (slope, half) = (profiled.slope, 0.5 * auxiliary / sigma);
        expected[bin] = profiled.mean;
        statistics.eta[index] = auxiliary + profiled.eta(sigma);
        statistics.by_mean[index] = slope;
        statistics.by_variance[index] = slope * half - 0.5 * slope * slope;
        statistics.curvature[index] = profiled.curvature;
        statistics.direction[index] = half - slope;
        statistics.bend[index] = -slope * half / variance;
        sum += 0.5 * variance * slope * slope;
    }
    sum
}
