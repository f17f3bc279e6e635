//! Do learned ratios close? Means over reference events, their variance, and an independent sample of the point
//! (spec/unbinned.md, "Closure").

use crate::kernel::Evaluator;
use crate::model::eft::unbinned::Component;
use crate::model::{Data, Model, UnbinnedTerm};
use crate::normal::ln_chi2_tail;
use crate::program::Program;

/// Bins of the reweighting test.
const BINS: usize = 10;

/// The ratio of one component at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentClosure {
    /// Expected events at the point.
    pub events: f64,
    /// R̂, its mean over the reference events, and what it is for a ratio that is right.
    pub mean: f64,
    pub expected_mean: f64,
    /// Of the mean: Σ w² (r − R̂)².
    pub variance: f64,
    /// What the variance is for a ratio that is right: (E[r̂|θ] − 1)/N of densities (eq. 11).
    pub expected_variance: f64,
    /// 1/Σ w²: the number of reference events if they had equal weights.
    pub effective_events: f64,
    /// Reference events where the ratio is not positive.
    pub non_positive: usize,
    pub independent: Option<IndependentClosure>,
}

/// Against events that were generated at the point.
#[derive(Clone, Debug, PartialEq)]
pub struct IndependentClosure {
    /// E[r̂|θ] over them, and (E[r̂|θ] − 1)/N with it.
    pub mean: f64,
    pub expected_variance: f64,
    /// Mean of R̂/r̂: one for a ratio that is right, where the reference covers these events.
    pub mean_inverse: f64,
    /// χ² between the shares of events in bins of r̂, of reweighted reference events and of these (eq. 12).
    pub chi2: f64,
    pub degrees_of_freedom: usize,
    pub p_value: f64,
}

/// −2 ln of the likelihood ratio between the point and another in the replicas of one term.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSpread {
    /// Of the likelihood itself.
    pub central: f64,
    /// One a replica, the ratio's own columns first.
    pub each: Vec<f64>,
    pub mean: f64,
    /// √(Σ (q − mean)²/(R − 1))
    pub deviation: f64,
}

/// The weights of reference events, normalised to one under the density of a component.
struct Reference {
    weights: Vec<f64>,
    ratios: Vec<f64>,
}

impl Reference {
    /// None without reference events.
    fn new(term: &UnbinnedTerm, component: &Component, point: &[f64]) -> Option<Reference> {
        let first = term.observed.len();
        let values = component.densities.first()?.evaluate(&term.values(point));
        let (base, values) = (component.base.get(first..)?, values.get(first..)?);
        let weighed: Vec<f64> = term.reference.iter().zip(base).map(|(w, g)| w * g).collect();
        let sum: f64 = weighed.iter().sum();
        (!weighed.is_empty()).then(|| Reference {
            weights: weighed.iter().map(|w| w / sum).collect(),
            ratios: values.iter().zip(base).map(|(value, g)| value / g).collect(),
        })
    }

    /// Only where the base is not zero there is a ratio.
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.weights.iter().copied().zip(self.ratios.iter().copied()).filter(|(w, _)| *w != 0.0)
    }

    fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.pairs().map(|(w, r)| w * f(r)).sum()
    }
}

/// Of a component at a point (n_parameters); `at_zero`, with given coefficients at zero, is the point where its ratio is one.
/// `independent` is the same term with reference events that were generated at the point.
pub fn component(
    term: &UnbinnedTerm,
    component: &Component,
    (point, at_zero): (&[f64], &[f64]),
    independent: Option<(&UnbinnedTerm, &Component)>,
) -> Option<ComponentClosure> {
    let reference = Reference::new(term, component, point)?;
    let mean = reference.mean(|r| r);
    let squares: f64 = reference.pairs().map(|(w, _)| w * w).sum();
    let events = component.total.evaluate(&term.values(point));
    // A ratio of densities, calibrated or not, should have mean one; one of yields follows them.
    let events_at_zero = component.total.evaluate(&term.without_given().values(at_zero));
    let expected_mean = if component.follows_yields { events / events_at_zero } else { 1.0 };
    let reweighted = reference.mean(|r| r * r) / mean;
    let independent = independent.and_then(|(term, own)| {
        let sample = Reference::new(term, own, point)?;
        let expected = sample.mean(|r| r);
        let (chi2, bins) = shares(&reference, &sample);
        let degrees_of_freedom = bins.saturating_sub(1);
        Some(IndependentClosure {
            mean: expected,
            expected_variance: expected_mean * (expected - expected_mean) * squares,
            mean_inverse: sample.mean(|r| mean / r),
            chi2,
            degrees_of_freedom,
            p_value: if degrees_of_freedom == 0 { f64::NAN } else { ln_chi2_tail(chi2, degrees_of_freedom).exp() },
        })
    });
    Some(ComponentClosure {
        events,
        mean,
        expected_mean,
        variance: reference.pairs().map(|(w, r)| w * w * (r - mean).powi(2)).sum(),
        expected_variance: expected_mean * (reweighted - expected_mean) * squares,
        effective_events: squares.recip(),
        non_positive: reference.pairs().filter(|(_, r)| r.is_nan() || *r <= 0.0).count(),
        independent,
    })
}

/// χ² of the shares in bins of r̂ that hold equally many of the independent events, and how many bins have a variance.
fn shares(reference: &Reference, sample: &Reference) -> (f64, usize) {
    let mut sorted: Vec<f64> = sample.pairs().map(|(_, r)| r).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let edges: Vec<f64> = (1..BINS).filter_map(|i| sorted.get(i * sorted.len() / BINS).copied()).collect();
    let histogram = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
        let (mut sums, mut squares) = ([0.0; BINS], [0.0; BINS]);
        for (w, r) in pairs {
            let bin = edges.partition_point(|edge| *edge <= r).min(BINS - 1);
            sums[bin] += w;
            squares[bin] += w * w;
        }
        let total: f64 = sums.iter().sum();
        let all: f64 = squares.iter().sum();
        // Of a share f = Σ_b w/Σ w: [(1 − 2f) Σ_b w² + f² Σ w²]/(Σ w)².
        std::array::from_fn::<(f64, f64), BINS, _>(|bin| {
            let share = sums[bin] / total;
            (share, ((1.0 - 2.0 * share) * squares[bin] + share * share * all) / (total * total))
        })
    };
    let reweighted = histogram(&mut reference.pairs().map(|(w, r)| (w * r, r)));
    let generated = histogram(&mut sample.pairs());
    let bins = reweighted.iter().zip(&generated).filter(|((_, a), (_, b))| a + b > 0.0);
    bins.fold((0.0, 0), |(chi2, n), ((a, va), (b, vb))| (chi2 + (a - b).powi(2) / (va + vb), n + 1))
}

/// q of each term at a point against `at_zero` with given coefficients at zero, with the observed events: of one model.
pub fn likelihood_ratios(model: &Model, data: &Data, point: &[f64], at_zero: &[f64]) -> Vec<f64> {
    let terms = |model: &Model, point: &[f64]| {
        let program = Program::compile(model);
        Evaluator::new(&program).unbinned_terms(point, &program.prepare(data))
    };
    let unbinned = model.unbinned.iter().map(UnbinnedTerm::without_given).collect();
    let before = terms(&Model { unbinned, ..model.clone() }, at_zero);
    terms(model, point).iter().zip(before).map(|(at, before)| at - before).collect()
}

impl ReplicaSpread {
    pub fn new(central: f64, each: Vec<f64>) -> ReplicaSpread {
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        let squares: f64 = each.iter().map(|q| (q - mean).powi(2)).sum();
        ReplicaSpread { central, mean, deviation: (squares / (n - 1.0)).sqrt(), each }
    }
}
