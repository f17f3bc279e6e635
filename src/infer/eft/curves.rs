//! Expected yields along single coefficients.

use super::decomposition::responds;
use crate::kernel::Evaluator;
use crate::model::Model;
use crate::program::Program;

/// The yields of the bins of one channel along one coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub channel: usize,
    pub parameter: usize,
    /// At the point, one entry a bin.
    pub reference: Vec<f64>,
    /// Of the coefficient, ascending, from bound to bound.
    pub values: Vec<f64>,
    /// One list a bin, with an entry a value.
    pub yields: Vec<Vec<f64>>,
}

/// For each channel with a response and each coefficient, all samples together; the other parameters are those of
/// `point` (n_parameters).
pub fn curves(model: &Model, program: &Program, point: &[f64], coefficients: &[usize], n_points: usize) -> Vec<Curve> {
    let mut evaluator = Evaluator::new(program);
    let mut expected = |at: &[f64]| {
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        evaluator.expected(at, &mut main, &mut auxiliary);
        main
    };
    let (reference, bounds) = (expected(point), model.bounds());
    let mut curves = Vec::new();
    for &parameter in coefficients {
        let (low, high) = bounds[parameter];
        let step = (high - low) / (n_points.max(2) - 1) as f64;
        let values: Vec<f64> = (0..n_points).map(|i| low + step * i as f64).collect();
        let mut at = point.to_vec();
        let along: Vec<Vec<f64>> = values
            .iter()
            .map(|value| {
                at[parameter] = *value;
                expected(&at)
            })
            .collect();
        let mut first = 0;
        for (channel, of_channel) in model.channels.iter().enumerate() {
            let bins = first..first + of_channel.n_bins;
            first = bins.end;
            if of_channel.samples.iter().any(responds) {
                let yields = bins.clone().map(|bin| along.iter().map(|main| main[bin]).collect()).collect();
                let (reference, values) = (reference[bins].to_vec(), values.clone());
                curves.push(Curve { channel, parameter, reference, values, yields });
            }
        }
    }
    curves
}
