//! What groups of parameters add to the uncertainty of the parameter of interest, from the covariance at the minimum
//! (spec/inference.md, eq. 32).

use nalgebra::{DMatrix, DVector};

use super::fit::FitResult;
use super::likelihood::Likelihood;
use super::prefit::{self, Auxiliary};
use super::ranking::{Breakdown, RankingOptions, global_shift};

/// A group of parameters and the uncertainty of the POI.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupImpact {
    /// Those that are not fixed and not the POI.
    pub parameters: Vec<usize>,
    /// Of the POI with the group held at its best fit.
    pub frozen: f64,
    /// √(total² − frozen²).
    pub contribution: f64,
    /// Root of the sum of squares of the auxiliary data's impacts.
    pub global: f64,
    /// Parameters of the group without a variance, which were held all the time.
    pub without_variance: Vec<usize>,
}

/// The parts of the POI's uncertainty; nothing where the fit has no covariance or the POI no variance.
pub(super) fn breakdown(likelihood: &Likelihood, options: &RankingOptions, fit: &FitResult) -> Option<Breakdown> {
    let covariance = fit.covariance.as_ref()?;
    let fixed = &likelihood.options.fixed;
    let n = fixed.len();
    let variance = covariance[options.poi * n + options.poi];
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let program = likelihood.program();
    let auxiliaries = prefit::auxiliaries(program);
    let data = likelihood.data.to_data(program);
    let of_group = |parameters: &[usize]| -> Option<GroupImpact> {
        let moving = |i: &&usize| **i != options.poi && !fixed[**i];
        let (parameters, without_variance): (Vec<usize>, Vec<usize>) =
            parameters.iter().filter(moving).copied().partition(|i| covariance[i * n + i] > 0.0);
        let removed = explained_variance(covariance, n, options.poi, &parameters)?;
        let shift = |auxiliary: &Auxiliary| {
            let i = auxiliary.parameter;
            let datum = data.auxiliary[auxiliary.index];
            let of_datum = prefit::seen_by_datum(program, i, |j| Some(covariance[options.poi * n + j]));
            Some((i, global_shift(auxiliary, datum, of_datum?, fit.parameters[i])))
        };
        let moved = auxiliaries.iter().filter(|auxiliary| parameters.contains(&auxiliary.parameter));
        let shifts: Vec<(usize, f64)> = moved.filter_map(shift).collect();
        let of_pair = |(i, a): &(usize, f64), (j, b): &(usize, f64)| a * b * prefit::datum_correlation(program, *i, *j);
        let square: f64 = match program.correlations.is_empty() {
            true => shifts.iter().map(|(_, shift)| shift * shift).sum(),
            false => shifts.iter().flat_map(|a| shifts.iter().map(move |b| of_pair(a, b))).sum(),
        };
        Some(GroupImpact {
            frozen: (variance - removed).max(0.0).sqrt(),
            contribution: removed.sqrt(),
            global: square.max(0.0).sqrt(),
            parameters,
            without_variance,
        })
    };
    let constrained: Vec<usize> = auxiliaries.iter().map(|auxiliary| auxiliary.parameter).collect();
    Some(Breakdown {
        total: variance.sqrt(),
        systematic: of_group(&constrained)?,
        groups: options.groups.iter().map(|parameters| of_group(parameters)).collect::<Option<_>>()?,
    })
}

/// V_μG V_GG⁻¹ V_Gμ: the variance of the POI that goes when the group G is held.
fn explained_variance(covariance: &[f64], n: usize, poi: usize, group: &[usize]) -> Option<f64> {
    // In units of the uncertainties, so that the factorisation compares like with like.
    let sigma: Vec<f64> = group.iter().map(|&i| covariance[i * n + i].sqrt()).collect();
    let matrix =
        DMatrix::from_fn(group.len(), group.len(), |a, b| covariance[group[a] * n + group[b]] / (sigma[a] * sigma[b]));
    let couplings = DVector::from_fn(group.len(), |a, _| covariance[poi * n + group[a]] / sigma[a]);
    let solved = matrix.cholesky()?.solve(&couplings);
    Some(couplings.dot(&solved).max(0.0))
}
