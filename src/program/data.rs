//! Data prepared for evaluation: everything that depends on the counts alone, computed once.

use super::densities::PreparedDensities;
use super::{PreparedTerm, Program};
use crate::kernel::simd::{Lanes, ZERO, flat};
use crate::model::{Data, Penalty};
use std::ops::Range;

/// Main and auxiliary data with what depends on them alone.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedData {
    /// n of the bins and the Poisson auxiliary measurements, padded with zeros.
    pub(crate) counts: Vec<Lanes>,
    /// 1/n, zero where n = 0.
    pub(crate) inverse: Vec<Lanes>,
    /// Auxiliary data of the Gaussian constraints.
    pub(crate) gaussian: Vec<Lanes>,
    /// Auxiliary data of the uncertain bins.
    pub(crate) uncertain: Vec<f64>,
    /// Values of the measurements, in the order of the blocks of their covariance.
    pub(crate) measured: Vec<f64>,
    /// The events of the unbinned terms.
    pub(crate) unbinned: Vec<PreparedTerm>,
    /// Densities with data of their own, where these are not those of the document.
    pub(crate) densities: Option<PreparedDensities>,
    /// The part of −ln L that no parameter moves (spec/likelihood.md, "Saturated part").
    pub(crate) constant: f64,
}

impl Data {
    /// Zeros of the lengths of a program.
    pub fn zeros(program: &Program) -> Data {
        let (main, auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        Data { main, auxiliary, unbinned: vec![0.0; program.n_event_rows()], densities: None }
    }
}

impl PreparedData {
    /// The same data with `count` in the bins that have none.
    pub(crate) fn with_count_where_empty(&self, program: &Program, count: f64) -> PreparedData {
        let mut filled = self.clone();
        for bin in 0..program.n_bins() {
            if filled.counts[bin / 8].0[bin % 8] == 0.0 {
                filled.counts[bin / 8].0[bin % 8] = count;
                filled.inverse[bin / 8].0[bin % 8] = 1.0 / count;
            }
        }
        filled
    }

    /// Takes in other data without the part that no parameter moves: what remains compares points of one data set, and
    /// is the saturated statistic at the minimum.
    pub(crate) fn replace(&mut self, program: &Program, data: &Data) {
        let poissons = program.constraints.poissons.iter().map(|&(_, _, index)| data.auxiliary[index as usize]);
        for (index, n) in data.main.iter().copied().chain(poissons).enumerate() {
            self.counts[index / 8].0[index % 8] = n;
            self.inverse[index / 8].0[index % 8] = if n > 0.0 { 1.0 / n } else { 0.0 };
        }
        for (index, &(_, _, auxiliary)) in program.constraints.gaussians.iter().enumerate() {
            self.gaussian[index / 8].0[index % 8] = data.auxiliary[auxiliary as usize];
        }
        let (uncertain, measured) = program.beyond_parameters();
        self.uncertain.copy_from_slice(&data.auxiliary[uncertain]);
        for (position, value) in program.measurements.position.iter().zip(&data.auxiliary[measured]) {
            self.measured[*position as usize] = *value;
        }
        self.unbinned = program.unbinned.iter().map(|term| term.prepare(&data.unbinned)).collect();
        self.densities = self::densities(program, data);
        self.constant = 0.0;
    }

    pub(crate) fn sum_of_counts(&self) -> f64 {
        self.counts.iter().flat_map(|lanes| lanes.0).sum()
    }

    /// The data from which these were prepared.
    pub fn to_data(&self, program: &Program) -> Data {
        let mut auxiliary = vec![0.0; program.n_auxdata()];
        for (&(_, _, index), value) in program.constraints.gaussians.iter().zip(flat(&self.gaussian)) {
            auxiliary[index as usize] = *value;
        }
        for (position, &(_, _, index)) in program.constraints.poissons.iter().enumerate() {
            auxiliary[index as usize] = self.count(program.n_bins() + position);
        }
        let (uncertain, measured) = program.beyond_parameters();
        auxiliary[uncertain].copy_from_slice(&self.uncertain);
        for (position, value) in program.measurements.position.iter().zip(&mut auxiliary[measured]) {
            *value = self.measured[*position as usize];
        }
        let mut unbinned = vec![0.0; program.n_event_rows()];
        for (term, prepared) in program.unbinned.iter().zip(&self.unbinned) {
            for (row, weight) in prepared.rows.iter().zip(&prepared.weights) {
                unbinned[term.rows.start + row] = *weight;
            }
        }
        Data {
            main: (0..program.n_bins()).map(|bin| self.count(bin)).collect(),
            auxiliary,
            unbinned,
            densities: self.densities.as_ref().map(|own| own.data.clone()),
        }
    }

    pub(crate) fn count(&self, index: usize) -> f64 {
        self.counts[index / 8].0[index % 8]
    }
}

impl Program {
    /// Where auxiliary data stand that belong to no parameter: those of the uncertain bins, and the measurements.
    pub(crate) fn beyond_parameters(&self) -> (Range<usize>, Range<usize>) {
        let measured = self.n_auxdata() - self.measurements.n_points();
        let uncertain = measured - self.responses.uncertain.len();
        (uncertain..measured, measured..self.n_auxdata())
    }

    /// Prepares data for this program.
    ///
    /// # Panics
    /// When the lengths are not those of the model ([`Program::n_bins`], [`Program::n_auxdata`],
    /// [`Program::n_event_rows`]).
    pub fn prepare(&self, data: &Data) -> PreparedData {
        assert_eq!(data.main.len(), self.n_bins(), "one count a bin");
        assert_eq!(data.auxiliary.len(), self.n_auxdata(), "one value an auxiliary measurement");
        assert_eq!(data.unbinned.len(), self.n_event_rows(), "one weight a row of the unbinned terms");
        let poissons = self.constraints.poissons.iter().map(|&(_, _, index)| data.auxiliary[index as usize]);
        let counts: Vec<f64> = data.main.iter().copied().chain(poissons).collect();
        let gaussians = self.constraints.gaussians.iter().map(|&(_, _, index)| data.auxiliary[index as usize]);
        let widths = self.constraints.gaussians.iter().map(|&(_, sigma, _)| sigma);
        let unbinned: Vec<PreparedTerm> = self.unbinned.iter().map(|term| term.prepare(&data.unbinned)).collect();
        let n_uncertain = self.responses.uncertain.len();
        let half_ln_two_pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
        let constant = counts.iter().map(|&n| saturated(n)).sum::<f64>()
            + widths.map(|sigma| sigma.ln() + half_ln_two_pi).sum::<f64>()
            + (n_uncertain + self.measurements.n_points()) as f64 * half_ln_two_pi
            + 0.5 * self.measurements.ln_det
            + unbinned.iter().map(|term| saturated(term.sum)).sum::<f64>()
            + self.penalties.iter().map(Penalty::constant).sum::<f64>()
            + self.correlations.iter().map(|group| group.source.half_ln_det).sum::<f64>();
        let (uncertain, measured) = self.beyond_parameters();
        let mut in_blocks = vec![0.0; measured.len()];
        for (position, value) in self.measurements.position.iter().zip(&data.auxiliary[measured]) {
            in_blocks[*position as usize] = *value;
        }
        PreparedData {
            counts: lanes(counts.iter().copied()),
            inverse: lanes(counts.iter().map(|&n| if n > 0.0 { 1.0 / n } else { 0.0 })),
            gaussian: lanes(gaussians),
            uncertain: data.auxiliary[uncertain].to_vec(),
            measured: in_blocks,
            unbinned,
            densities: densities(self, data),
            constant,
        }
    }
}

fn densities(program: &Program, data: &Data) -> Option<PreparedDensities> {
    let compiled = program.densities.as_ref()?;
    data.densities.as_ref().map(|data| PreparedDensities::new(compiled, data))
}

/// Packs values into groups of eight, padded with zeros.
pub(crate) fn lanes(values: impl Iterator<Item = f64>) -> Vec<Lanes> {
    let mut groups = Vec::new();
    for (index, value) in values.enumerate() {
        if index % 8 == 0 {
            groups.push(ZERO);
        }
        if let Some(group) = groups.last_mut() {
            group.0[index % 8] = value;
        }
    }
    groups
}

/// −ln Poisson(n | n) = n − n ln n + ln Γ(n + 1) (spec/likelihood.md, "Saturated part"). For large n the difference
/// of large terms is Stirling's series: ½ ln(2πn) + 1/(12n) − 1/(360n³) + 1/(1260n⁵) − 1/(1680n⁷).
fn saturated(n: f64) -> f64 {
    if n <= 0.0 {
        0.0
    } else if n < 30.0 {
        n - n * n.ln() + libm::lgamma(n + 1.0)
    } else {
        let inverse_square = 1.0 / (n * n);
        let series = (1.0 / 12.0
            - inverse_square * (1.0 / 360.0 - inverse_square * (1.0 / 1260.0 - inverse_square / 1680.0)))
            / n;
        0.5 * (2.0 * std::f64::consts::PI * n).ln() + series
    }
}

#[cfg(test)]
mod tests {
    use super::saturated;

    /// The two forms agree where they meet, and with ln n! of exact factorials.
    #[test]
    fn saturated_term_is_minus_log_poisson_at_its_mode() {
        let closed = |n: f64, ln_factorial: f64| n - n * n.ln() + ln_factorial;
        let ln_factorial = |n: u32| (1..=n).map(|k| f64::from(k).ln()).sum::<f64>();
        for n in [1, 2, 5, 20, 29, 30, 31, 60, 150] {
            let expected = closed(f64::from(n), ln_factorial(n));
            let got = saturated(f64::from(n));
            assert!((got - expected).abs() < 1e-12 * f64::from(n).max(1.0), "n = {n}: {got} and {expected}");
        }
        assert_eq!(saturated(0.0), 0.0);
    }
}
