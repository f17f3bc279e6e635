//! Yields of samples, channels and bins at a point, with the uncertainties of the parameters propagated to them
//! (spec/inference.md, eq. 33 and 34).
//!
//! Rows of the Jacobian are made and used one after the other, so that memory holds one matrix of the parameters and
//! one row for each bin of a channel.

use super::covariance::Covariance;
use crate::kernel::{Cell, Evaluator};

/// How a parameter's uncertainty becomes one of a yield.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// By the derivative.
    #[default]
    Linear,
    /// By half the difference between the yields with the parameter one uncertainty up and down, as cabinetry does.
    Variations,
}

/// A yield and its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Yield {
    pub value: f64,
    pub uncertainty: f64,
}

/// Yields of everything that has a name, correlations taken into account in every sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// In the model's order.
    pub channels: Vec<ChannelPrediction>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelPrediction {
    /// In the model's order.
    pub samples: Vec<SamplePrediction>,
    /// Sum of the samples in each bin.
    pub total: Vec<Yield>,
    /// Sum of all bins.
    pub sum: Yield,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplePrediction {
    pub bins: Vec<Yield>,
    pub sum: Yield,
}

/// Yields at `parameters` (n_parameters) whose uncertainties `covariance` describes.
pub fn predict(
    evaluator: &mut Evaluator,
    parameters: &[f64],
    covariance: &Covariance,
    propagation: Propagation,
) -> Prediction {
    let mut sums = Sums::new(evaluator, covariance);
    match propagation {
        Propagation::Linear => evaluator.visit_rates(parameters, |cell| sums.add(&cell)),
        Propagation::Variations => visit_variations(evaluator, parameters, covariance, |cell| sums.add(cell)),
    }
    sums.close_channel();
    sums.prediction
}

/// As [`Evaluator::visit_rates`] with (λ(θ + σ) − λ(θ − σ))/2σ instead of the derivatives.
fn visit_variations(
    evaluator: &mut Evaluator,
    parameters: &[f64],
    covariance: &Covariance,
    mut visit: impl FnMut(&Cell),
) {
    let n_cells = evaluator.program.n_cells();
    let (mut up, mut down) = (vec![0.0; n_cells], vec![0.0; n_cells]);
    let mut slopes: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n_cells];
    let mut moved = parameters.to_vec();
    for (i, sigma) in covariance.widths().into_iter().enumerate().filter(|(_, sigma)| *sigma > 0.0) {
        moved[i] = parameters[i] + sigma;
        evaluator.rates(&moved, &mut up);
        moved[i] = parameters[i] - sigma;
        evaluator.rates(&moved, &mut down);
        moved[i] = parameters[i];
        for ((slopes, up), down) in slopes.iter_mut().zip(&up).zip(&down) {
            if up != down {
                slopes.push((i, 0.5 * (up - down) / sigma));
            }
        }
    }
    let mut derivatives = vec![0.0; parameters.len()];
    let mut of_cell = slopes.iter();
    evaluator.visit_rates(parameters, |cell| {
        let slopes = of_cell.next().map_or(&[][..], Vec::as_slice);
        for &(i, slope) in slopes {
            derivatives[i] = slope;
        }
        let moving: Vec<usize> = slopes.iter().map(|(i, _)| *i).collect();
        visit(&Cell { parameters: &moving, derivatives: &derivatives, ..cell });
        for i in moving {
            derivatives[i] = 0.0;
        }
    });
}

/// A yield that adds up, with its row of the Jacobian.
#[derive(Clone)]
struct Sum {
    value: f64,
    derivatives: Vec<f64>,
    /// The parameters that move it, each once.
    parameters: Vec<usize>,
    is_listed: Vec<bool>,
}

impl Sum {
    fn new(n_parameters: usize) -> Sum {
        let (derivatives, is_listed) = (vec![0.0; n_parameters], vec![false; n_parameters]);
        Sum { value: 0.0, derivatives, parameters: Vec::new(), is_listed }
    }

    fn add(&mut self, value: f64, parameters: &[usize], derivatives: &[f64]) {
        self.value += value;
        for &i in parameters {
            if !self.is_listed[i] {
                self.is_listed[i] = true;
                self.parameters.push(i);
            }
            self.derivatives[i] += derivatives[i];
        }
    }

    /// What the sum came to; then it is empty again.
    fn take(&mut self, covariance: &Covariance) -> Yield {
        let uncertainty = covariance.uncertainty_of(&self.parameters, &self.derivatives);
        let sum = Yield { value: self.value, uncertainty };
        self.value = 0.0;
        for i in self.parameters.drain(..) {
            self.derivatives[i] = 0.0;
            self.is_listed[i] = false;
        }
        sum
    }
}

/// The sums of the channel that is being visited, and what is finished.
struct Sums<'a> {
    covariance: &'a Covariance,
    clip_bin: Option<f64>,
    n_parameters: usize,
    channel: Option<usize>,
    sample: Sum,
    bins: Vec<Sum>,
    prediction: Prediction,
}

impl<'a> Sums<'a> {
    fn new(evaluator: &Evaluator, covariance: &'a Covariance) -> Sums<'a> {
        let n_parameters = evaluator.program.n_parameters();
        let channels = evaluator.program.layout.channels.iter();
        let prediction = Prediction { channels: channels.map(|_| ChannelPrediction::default()).collect() };
        let clip_bin = evaluator.program.clip_bin;
        let sample = Sum::new(n_parameters);
        Sums { covariance, clip_bin, n_parameters, channel: None, sample, bins: Vec::new(), prediction }
    }

    fn add(&mut self, cell: &Cell) {
        if self.channel != Some(cell.channel) {
            self.close_channel();
            self.channel = Some(cell.channel);
        }
        if cell.bin == 0 {
            self.close_sample();
            self.prediction.channels[cell.channel].samples.push(SamplePrediction::default());
        }
        if self.bins.len() <= cell.bin {
            self.bins.push(Sum::new(self.n_parameters));
        }
        self.bins[cell.bin].add(cell.rate, cell.parameters, cell.derivatives);
        self.sample.add(cell.rate, cell.parameters, cell.derivatives);
        let uncertainty = self.covariance.uncertainty_of(cell.parameters, cell.derivatives);
        if let Some(sample) = self.prediction.channels[cell.channel].samples.last_mut() {
            sample.bins.push(Yield { value: cell.rate, uncertainty });
        }
    }

    fn close_sample(&mut self) {
        let Some(channel) = self.channel else { return };
        if let Some(sample) = self.prediction.channels[channel].samples.last_mut() {
            sample.sum = self.sample.take(self.covariance);
        }
    }

    fn close_channel(&mut self) {
        let Some(channel) = self.channel else { return };
        self.close_sample();
        let mut sum = Sum::new(self.n_parameters);
        for mut bin in self.bins.drain(..) {
            // A yield on its floor does not move (spec/likelihood.md, eq. 4).
            if let Some(clip) = self.clip_bin.filter(|clip| bin.value <= *clip) {
                bin = Sum { value: clip, ..Sum::new(self.n_parameters) };
            }
            sum.add(bin.value, &bin.parameters, &bin.derivatives);
            self.prediction.channels[channel].total.push(bin.take(self.covariance));
        }
        self.prediction.channels[channel].sum = sum.take(self.covariance);
        self.channel = None;
    }
}
