//! Yields of bins along one coefficient.

use super::decomposition::responds;
use crate::kernel::Evaluator;
use crate::model::Model;
use crate::program::Program;
use std::ops::Range;

/// A sample with a response, or all samples of a channel together, along one coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    pub channel: usize,
    /// None for the sum of all samples.
    pub sample: Option<usize>,
    /// At the point itself, one entry a bin.
    pub reference: Vec<f64>,
    /// One list a bin, with an entry a value.
    pub yields: Vec<Vec<f64>>,
}

/// The yields with one coefficient at these values and all else at `point` (n_parameters): of each sample with a response,
/// or, with `sums`, of each channel that has one.
pub fn responses(
    model: &Model,
    program: &Program,
    point: &[f64],
    coefficient: usize,
    values: &[f64],
    sums: bool,
) -> Vec<Curves> {
    let mut evaluator = Evaluator::new(program);
    let mut rates_at = |value: f64| {
        let mut at = point.to_vec();
        at[coefficient] = value;
        let mut rates = vec![0.0; program.n_cells()];
        evaluator.rates(&at, &mut rates);
        rates
    };
    let reference = rates_at(point[coefficient]);
    let along: Vec<Vec<f64>> = values.iter().map(|&value| rates_at(value)).collect();
    let curves = |channel: usize, sample: Option<usize>, cells: &[Range<usize>]| {
        let n_bins = cells.first().map_or(0, Range::len);
        let sum = |rates: &[f64], bin: usize| cells.iter().map(|cells| rates[cells.start + bin]).sum::<f64>();
        Curves {
            channel,
            sample,
            reference: (0..n_bins).map(|bin| sum(&reference, bin)).collect(),
            yields: (0..n_bins).map(|bin| along.iter().map(|rates| sum(rates, bin)).collect()).collect(),
        }
    };
    let mut all = Vec::new();
    let mut first = 0;
    for (channel, of_channel) in model.channels.iter().enumerate() {
        let n = of_channel.n_bins;
        let cells: Vec<Range<usize>> =
            (0..of_channel.samples.len()).map(|sample| first + sample * n..first + (sample + 1) * n).collect();
        first += n * of_channel.samples.len();
        let responding: Vec<usize> = (0..cells.len()).filter(|&sample| responds(&of_channel.samples[sample])).collect();
        if sums && !responding.is_empty() {
            all.push(curves(channel, None, &cells));
        } else if !sums {
            all.extend(responding.iter().map(|&sample| curves(channel, Some(sample), &cells[sample..=sample])));
        }
    }
    all
}
