//! The yields of samples with a response at ±1 of each coefficient, and their odd and even parts.

use crate::kernel::Evaluator;
use crate::model::{Model, Sample};
use crate::program::Program;

/// The yields of one sample with a response.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleResponse {
    /// Indices in the model.
    pub channel: usize,
    pub sample: usize,
    /// In each bin, where all coefficients are zero.
    pub sm: Vec<f64>,
    /// One a coefficient, in the order asked for.
    pub changes: Vec<Change>,
}

/// What one coefficient does while the others are zero. Vectors have one entry a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Yields at −1 and at +1.
    pub down: Vec<f64>,
    pub up: Vec<f64>,
    /// (up − down)/2: for a quadratic response its linear term.
    pub linear: Vec<f64>,
    /// (up + down)/2 − sm: for a quadratic response its square term.
    pub quadratic: Vec<f64>,
}

/// Whether a sample responds to coefficients.
pub fn responds(sample: &Sample) -> bool {
    sample.parts.iter().any(|part| part.response.is_some())
}

/// All samples with a response; the other parameters are those of `point` (n_parameters).
pub fn decompose(model: &Model, program: &Program, point: &[f64], coefficients: &[usize]) -> Vec<SampleResponse> {
    let mut evaluator = Evaluator::new(program);
    let mut rates_at = |moved: Option<(usize, f64)>| {
        let mut at = point.to_vec();
        coefficients.iter().for_each(|&i| at[i] = 0.0);
        if let Some((i, value)) = moved {
            at[i] = value;
        }
        let mut rates = vec![0.0; program.n_cells()];
        evaluator.rates(&at, &mut rates);
        rates
    };
    let sm = rates_at(None);
    let moved: Vec<(Vec<f64>, Vec<f64>)> =
        coefficients.iter().map(|&i| (rates_at(Some((i, -1.0))), rates_at(Some((i, 1.0))))).collect();
    let mut responses = Vec::new();
    let mut first = 0;
    for (channel, of_channel) in model.channels.iter().enumerate() {
        for (sample, of_sample) in of_channel.samples.iter().enumerate() {
            let cells = first..first + of_channel.n_bins;
            first = cells.end;
            if responds(of_sample) {
                let sm = sm[cells.clone()].to_vec();
                let change =
                    |(down, up): &(Vec<f64>, Vec<f64>)| Change::new(&sm, &down[cells.clone()], &up[cells.clone()]);
                let changes = moved.iter().map(change).collect();
                responses.push(SampleResponse { channel, sample, sm, changes });
            }
        }
    }
    responses
}

impl Change {
    fn new(sm: &[f64], down: &[f64], up: &[f64]) -> Change {
        let pairs = || down.iter().zip(up);
        Change {
            down: down.to_vec(),
            up: up.to_vec(),
            linear: pairs().map(|(down, up)| 0.5 * (up - down)).collect(),
            quadratic: pairs().zip(sm).map(|((down, up), sm)| 0.5 * (up + down) - sm).collect(),
        }
    }
}
