//! How well the events of a database carry a point (spec/event-database.md, "Quality").

use super::histogram::Binned;
use super::positivity::LeastWeight;
use crate::model::eft::Events;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Bins whose effective number of events is lower deserve a warning.
pub const FEW_EVENTS: f64 = 10.0;

/// (Σ w)²/Σ w² of each bin at a point: the number of events of equal weight with the same relative uncertainty. `None`
/// where the histogram has no Σ w²; NaN in a bin without events (spec/event-database.md, eq. 9).
pub fn effective_events(binned: &Binned, point: &[f64]) -> Option<Vec<f64>> {
    let squares = binned.w2.as_ref()?.evaluate(point);
    Some(binned.polynomial.evaluate(point).iter().zip(squares).map(|(sum, squares)| sum * sum / squares).collect())
}

/// The spread of w_e(c)/w_e(c₀) over events.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioTails {
    pub median: f64,
    /// The ratio that 99 % of the events do not exceed.
    pub percentile_99: f64,
    pub largest: f64,
    /// The share of Σ w² that the 1 % of events of largest |w| have.
    pub share_of_largest: f64,
    /// Events whose weight at the reference is zero, and at the point is not: no ratio.
    pub unreachable: usize,
    /// Events of negative weight at the point.
    pub negative: usize,
}

/// The tails of the ratios of weights at two points; nothing where there is no event.
pub fn ratio_tails(events: &Events, point: &[f64], reference: &[f64]) -> Option<RatioTails> {
    let (at, before) = (events.weights(point), events.weights(reference));
    let pairs = || at.iter().zip(&before);
    let mut ratios: Vec<f64> = pairs().filter(|(_, w0)| **w0 != 0.0).map(|(w, w0)| w / w0).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let quantile = |q: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the length
        let rank = (q * ratios.len() as f64).ceil() as usize;
        ratios.get(rank.clamp(1, ratios.len().max(1)) - 1).copied()
    };
    let mut squares: Vec<f64> = at.iter().map(|w| w * w).collect();
    squares.sort_unstable_by(|a, b| b.total_cmp(a));
    let (few, all) = (squares.len().div_ceil(100), squares.iter().sum::<f64>());
    Some(RatioTails {
        median: quantile(0.5)?,
        percentile_99: quantile(0.99)?,
        largest: *ratios.last()?,
        share_of_largest: squares.iter().take(few).sum::<f64>() / all,
        unreachable: pairs().filter(|(w, w0)| **w0 == 0.0 && **w != 0.0).count(),
        negative: at.iter().filter(|w| **w < 0.0).count(),
    })
}

/// The least weight of any event in a box: its value, the event, and the point. `None` without events, for weights of a
/// degree above 2, or for more than seven coefficients.
pub fn least_weight(events: &Events, bounds: &[[f64; 2]]) -> Option<(f64, usize, Vec<f64>)> {
    let search = LeastWeight::of(&events.monomials, bounds)?;
    let mut least: Option<(f64, usize, Vec<f64>)> = None;
    for event in 0..events.n_events() {
        let a: Vec<f64> = events.columns.iter().filter_map(|column| column.get(event).copied()).collect();
        let (value, at) = search.least(&a)?;
        if least.as_ref().is_none_or(|(least, ..)| value < *least) {
            least = Some((value, event, at));
        }
    }
    least
}

/// The part of the yields of another sample, in the same cells, that lies where the source has no event: phase space
/// that reweighting cannot reach. Without another sample, the part of the cells.
pub fn uncovered(source: &Binned, other: Option<(&Binned, &[f64])>) -> f64 {
    let empty = source.n_events.iter().map(|n| *n == 0);
    let Some((other, point)) = other else { return empty.clone().filter(|e| *e).count() as f64 / empty.len() as f64 };
    let yields = other.polynomial.evaluate(point);
    let missed: f64 = yields.iter().zip(empty).filter(|(_, empty)| *empty).map(|(y, _)| y).sum();
    missed / yields.iter().sum::<f64>()
}

/// Two independent samples of one process compared bin by bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Closure {
    /// (λ − λ')/√(σ² + σ'²); NaN where both have no variance.
    pub pulls: Vec<f64>,
    pub chi2: f64,
    /// Bins with a variance.
    pub n_bins: usize,
    pub p_value: f64,
}

/// Whether a reweighted sample agrees with an independent one at a point; `None` where one has no Σ w² or another
/// binning, or no bin can be compared (spec/event-database.md, eq. 10).
pub fn closure(a: (&Binned, &[f64]), b: (&Binned, &[f64])) -> Option<Closure> {
    let values = |(binned, point): (&Binned, &[f64])| {
        Some((binned.polynomial.evaluate(point), binned.w2.as_ref()?.evaluate(point)))
    };
    let ((yields_a, var_a), (yields_b, var_b)) = (values(a)?, values(b)?);
    if yields_a.len() != yields_b.len() {
        return None;
    }
    let variances = var_a.iter().zip(&var_b).map(|(a, b)| a + b);
    let differences = yields_a.iter().zip(&yields_b).map(|(a, b)| a - b);
    let pulls: Vec<f64> =
        differences.zip(variances).map(|(d, v)| if v > 0.0 { d / v.sqrt() } else { f64::NAN }).collect();
    let finite = pulls.iter().filter(|pull| !pull.is_nan());
    let (n_bins, chi2) = (finite.clone().count(), finite.map(|pull| pull * pull).sum::<f64>());
    let p_value = ChiSquared::new(n_bins as f64).ok()?.sf(chi2);
    Some(Closure { pulls, chi2, n_bins, p_value })
}
