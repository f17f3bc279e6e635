//! Intervals of single coefficients with the other coefficients held, and with them profiled (spec/inference.md,
//! "Coefficients one by one").

use super::fit::{FitResult, Hesse};
use super::likelihood::Likelihood;
use super::scan::{Scan, ScanOptions, scan};
use super::watch::Watch;

/// What becomes of the other coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay at their start: the Standard Model, as a rule.
    Held,
    Profiled,
}

/// The regions of a coefficient, or that it changes no yield, so that there are none.
#[derive(Clone, Debug)]
pub enum Intervals {
    Found(Box<Scan>),
    Idle,
}

/// The regions of a coefficient. All other parameters are profiled; coefficients that change no yield are held, since
/// nothing determines them.
pub fn intervals(
    likelihood: &Likelihood,
    coefficient: usize,
    others: Others,
    levels: &[f64],
    watch: &Watch,
) -> Intervals {
    let mut likelihood = likelihood.clone();
    if !acts(&mut likelihood, coefficient) {
        return Intervals::Idle;
    }
    for other in likelihood.program().coefficients() {
        let idle = !acts(&mut likelihood, other);
        likelihood.options.fixed[other] |= other != coefficient && (idle || others == Others::Held);
    }
    likelihood.options.hesse = Hesse::No;
    let options = ScanOptions { n_points: 0, levels: levels.to_vec(), ..ScanOptions::default() };
    Intervals::Found(Box::new(scan(&likelihood, coefficient, &options, watch)))
}

/// The best fit with the covariance of all parameters, the inverse of half the Hessian of −2 ln L there: what a Gaussian
/// that is marginalised over all other parameters has for its widths. With the coefficients that change no yield, which
/// are held.
pub fn gaussian(likelihood: &Likelihood) -> (FitResult, Vec<usize>) {
    let mut likelihood = likelihood.clone();
    let coefficients = likelihood.program().coefficients();
    let idle: Vec<usize> = coefficients.into_iter().filter(|&i| !acts(&mut likelihood, i)).collect();
    idle.iter().for_each(|&i| likelihood.options.fixed[i] = true);
    (likelihood.fit(Hesse::All), idle)
}

/// Whether a coefficient changes a yield or the mean of a measurement: at its bounds, the others at their start or on their way to their bounds.
pub fn acts(likelihood: &mut Likelihood, coefficient: usize) -> bool {
    let program = likelihood.program();
    let options = likelihood.options.clone();
    let coefficients = program.coefficients();
    let mut yields = |point: &[f64]| {
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        likelihood.evaluator.expected(point, &mut main, &mut auxiliary);
        // The means of measurements are the last of the auxiliary data.
        main.extend_from_slice(&auxiliary[auxiliary.len() - program.n_measured()..]);
        main.extend(likelihood.evaluator.unbinned_terms(point, &likelihood.data));
        main
    };
    [0.0, 0.37, -0.61].into_iter().any(|part| {
        let mut point = options.init.clone();
        for &other in &coefficients {
            let (low, high) = options.bounds[other];
            point[other] += part * if part < 0.0 { point[other] - low } else { high - point[other] };
        }
        let (low, high) = options.bounds[coefficient];
        let mut at = |value: f64| {
            point[coefficient] = value;
            yields(&point)
        };
        let (first, middle, last) = (at(low), at(low + 0.4 * (high - low)), at(high));
        first != middle || middle != last
    })
}
