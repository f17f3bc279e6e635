//! Goodness of fit by the saturated model (spec/inference.md, eq. 35 and 61).

use super::fit::{FitOptions, Hesse};
use super::generate::{GenerationFailure, Generator, Origin, ToyKind};
use super::likelihood::Likelihood;
use super::prefit;
use super::random::Ensemble;
use super::toy_test::Distribution;
use super::toys::saturated_statistics;
use super::watch::Watch;
use crate::kernel::flat_error;
use crate::normal::ln_chi2_tail;
use crate::program::{CompiledBlock, Program};

/// −2 ln of the ratio to the saturated model, and what each bin and each auxiliary measurement adds to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GoodnessOfFit {
    /// `twice_nll` less that of a model that expects exactly what was observed (spec/likelihood.md, eq. 6).
    pub statistic: f64,
    /// Bins and measured points less parameters that are neither fixed nor constrained, nor those of flat errors.
    pub degrees_of_freedom: i64,
    /// Free parameters of flat errors: they are not counted, so that the p-value is an upper limit.
    pub flat_parameters: usize,
    /// 2 D(n, ν), one a bin in channel order; with (η̂ − a)² where a bin has a profiled statistical uncertainty.
    pub bins: Vec<f64>,
    /// (parameter, contribution), in the order of the auxiliary data.
    pub constraints: Vec<(usize, f64)>,
    /// One entry for measurements that a covariance of their own joins, as a rule one a measurement.
    pub measurements: Vec<MeasuredPart>,
    /// Σ α̂² of the errors that several entries share (spec/gaussian.md, eq. 4).
    pub shared_errors: f64,
}

/// (r − U α̂)ᵀ B⁻¹ (r − U α̂) of one block of the covariance (spec/inference.md, eq. 61).
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredPart {
    /// Numbered through all measurements.
    pub points: Vec<usize>,
    pub contribution: f64,
}

impl GoodnessOfFit {
    /// The probability of a larger statistic where the χ² distribution holds; nothing without degrees of freedom, or
    /// where the statistic is no number.
    pub fn p_value(&self) -> Option<f64> {
        u32::try_from(self.degrees_of_freedom).ok().and_then(|dof| chi_square_tail(self.statistic, dof))
    }
}

/// The goodness of a minimum of `likelihood`, in fit order.
pub fn saturated(likelihood: &mut Likelihood, parameters: &[f64]) -> GoodnessOfFit {
    let expected = likelihood.expected_counts(parameters);
    let program = likelihood.program();
    let observed = likelihood.data.to_data(program);
    let bins = observed.main.iter().zip(&expected.main).map(|(n, nu)| 2.0 * deviance(*n, *nu));
    let mut bins: Vec<f64> = bins.collect();
    // What profiling the statistical uncertainty of a simulated bin costs belongs to the bin.
    let uncertain = &program.responses.uncertain;
    let (of_bins, _) = program.beyond_parameters();
    let etas = expected.auxiliary.iter().zip(&observed.auxiliary).skip(of_bins.start);
    for (&bin, (eta, auxiliary)) in uncertain.iter().zip(etas) {
        bins[bin as usize] += (eta - auxiliary).powi(2);
    }
    let auxiliaries = prefit::auxiliaries(program);
    let constrained: Vec<usize> = auxiliaries.iter().map(|auxiliary| auxiliary.parameter).collect();
    let pull = |parameter: usize| {
        let own = auxiliaries.iter().find(|auxiliary| auxiliary.parameter == parameter);
        own.map_or(0.0, |own| (expected.auxiliary[own.index] - observed.auxiliary[own.index]) / own.width)
    };
    // Each has its part of what correlations add.
    let correlated = |parameter: usize| {
        let group = program.correlations.iter().find(|group| group.parameters.contains(&parameter));
        group.map_or(0.0, |group| {
            let n = group.parameters.len();
            let row = group.parameters.iter().position(|i| *i == parameter).unwrap_or(0);
            let terms = group.parameters.iter().zip(&group.source.excess[row * n..]);
            pull(parameter) * terms.map(|(j, element)| element * pull(*j)).sum::<f64>()
        })
    };
    let constraints = auxiliaries.iter().map(|auxiliary| {
        let (datum, value) = (observed.auxiliary[auxiliary.index], expected.auxiliary[auxiliary.index]);
        let gaussian = ((value - datum) / auxiliary.width).powi(2) + correlated(auxiliary.parameter);
        (auxiliary.parameter, if auxiliary.poisson { 2.0 * deviance(datum, value) } else { gaussian })
    });
    let constraints = constraints.collect();
    let is_free = |i: &usize| !likelihood.options.fixed[*i] && !constrained.contains(i);
    let flat = flat_parameters(program);
    let (flat, free): (Vec<usize>, Vec<usize>) = (0..parameters.len()).filter(is_free).partition(|i| flat.contains(i));
    let (_, measured) = program.beyond_parameters();
    let residuals = observed.auxiliary[measured.clone()].iter().zip(&expected.auxiliary[measured]);
    let (measurements, shared_errors) = measured_parts(program, residuals.map(|(d, t)| d - t).collect());
    GoodnessOfFit {
        statistic: likelihood.evaluator.reduced(parameters, &likelihood.data),
        degrees_of_freedom: (program.n_bins() + program.n_measured()) as i64 - free.len() as i64,
        flat_parameters: flat.len(),
        bins,
        constraints,
        measurements,
        shared_errors,
    }
}

/// What adds to the means of measurements, constrained ones too: of these, those without a constraint are flat errors.
fn flat_parameters(program: &Program) -> Vec<usize> {
    let measurements = &program.measurements;
    let shifting = measurements.shifts.iter().map(|(_, variable, _)| *variable as usize);
    shifting.filter_map(|variable| measurements.parameters.get(variable)).map(|parameter| *parameter as usize).collect()
}

/// Parts of χ² by block of the covariance, and of the errors that blocks share; `residuals` by point.
fn measured_parts(program: &Program, mut residuals: Vec<f64>) -> (Vec<MeasuredPart>, f64) {
    let measurements = &program.measurements;
    let mut point_at = vec![0; residuals.len()];
    measurements.position.iter().enumerate().for_each(|(point, position)| point_at[*position as usize] = point);
    let mut integrated = vec![0.0; residuals.len()];
    for flat in &measurements.clamped {
        let residual = &mut residuals[point_at[flat.position as usize]];
        *residual = flat_error::clamped(*residual, flat).0;
    }
    for flat in &measurements.marginalised {
        let residual = &mut residuals[point_at[flat.position as usize]];
        integrated[flat.position as usize] = 2.0 * flat_error::marginalised(*residual, flat)[0];
        *residual = 0.0;
    }
    let whitened = measurements.whiten(&residuals);
    let (of_points, shared) = whitened.split_at(residuals.len());
    let part = |block: &CompiledBlock| {
        let positions = block.first..block.first + block.n;
        let squares = of_points[positions.clone()].iter().map(|z| z * z);
        let contribution = squares.chain(integrated[positions.clone()].iter().copied()).sum();
        MeasuredPart { points: point_at[positions].to_vec(), contribution }
    };
    (measurements.blocks.iter().map(part).collect(), shared.iter().map(|alpha| alpha * alpha).sum())
}

/// Saturated statistics of frequentist toys made at `parameters`, the best fit of the data (spec/inference.md, "Goodness of
/// fit"): their distribution, failed toys counted apart. A stopped watch leaves what is done.
///
/// # Errors
/// Where no toy can be drawn there.
pub fn toys(
    likelihood: &mut Likelihood,
    parameters: &[f64],
    seed: u64,
    n_toys: u64,
    watch: &Watch,
) -> Result<Distribution, GenerationFailure> {
    let program = likelihood.program();
    let observed = likelihood.data.to_data(program);
    let options = FitOptions { init: parameters.to_vec(), hesse: Hesse::No, ..likelihood.options.clone() };
    let origin = Origin {
        kind: ToyKind::Frequentist,
        // No value of a POI belongs to these toys.
        ensemble: Ensemble { seed, value: f64::NAN },
        point: parameters,
        held: &options.fixed,
        bounds: &options.bounds,
        observed: &observed,
        covariance: None,
    };
    let generator = Generator::new(&mut likelihood.evaluator, &origin)?;
    watch.expect(n_toys);
    let toys = saturated_statistics(program, &options, &generator, 0..n_toys, watch);
    Ok(Distribution::from_values(toys.into_iter().map(|(_, statistic)| statistic.ok())))
}

/// D(n, ν) = ν − n + n ln(n/ν) (spec/likelihood.md, eq. 6).
fn deviance(n: f64, nu: f64) -> f64 {
    if n == 0.0 { nu } else { nu - n + n * (n / nu).ln() }
}

/// The probability that a χ² variable exceeds `value`; `None` without degrees of freedom or for no number.
pub fn chi_square_tail(value: f64, degrees_of_freedom: u32) -> Option<f64> {
    if value.is_nan() || degrees_of_freedom == 0 {
        return None;
    }
    Some(ln_chi2_tail(value, degrees_of_freedom as usize).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.chi2.sf.
    #[test]
    fn tails_of_chi_square() {
        let cases = [
            (3.841458820694124, 1, 0.05),
            (10.0, 4, 0.040427681994512805),
            (200.0, 100, 1.178_450_072_097_978_1e-8),
            (1000.0, 3, 1.799_420_876_531_406_7e-216),
        ];
        for (value, dof, expected) in cases {
            let tail = chi_square_tail(value, dof).unwrap();
            assert!((tail / expected - 1.0).abs() < 1e-10, "{value} {dof}: {tail} but {expected}");
        }
        assert_eq!((chi_square_tail(1.0, 0), chi_square_tail(f64::NAN, 1)), (None, None));
        assert_eq!((chi_square_tail(0.0, 1), chi_square_tail(f64::INFINITY, 1)), (Some(1.0), Some(0.0)));
    }
}
