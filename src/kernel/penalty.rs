//! Terms in single parameters (spec/hs3-histfactory.md, "Constraints"): few and cheap, one after the other.

use super::simd::Lanes;
use crate::model::{Penalty, PenaltyKind};

/// Their sum without what no parameter moves; +inf out of domain.
pub(super) fn value(penalties: &[Penalty], theta: &[f64]) -> f64 {
    penalties.iter().map(|penalty| varying(penalty, theta[penalty.parameter])).sum()
}

/// The value of a term, of a constant one zero: that is part of the data's constant.
pub(super) fn varying(penalty: &Penalty, theta: f64) -> f64 {
    if matches!(penalty.kind, PenaltyKind::Constant(_)) { 0.0 } else { penalty.jet(theta).value }
}

pub(super) fn add_gradient(penalties: &[Penalty], theta: &[f64], gradient: &mut [f64]) {
    for penalty in penalties {
        gradient[penalty.parameter] += penalty.jet(theta[penalty.parameter]).first;
    }
}

/// (parameter, second derivative), exact or without negative parts.
pub(super) fn curvatures<'a>(
    penalties: &'a [Penalty],
    theta: &'a [f64],
    exact: bool,
) -> impl Iterator<Item = (u32, f64)> + 'a {
    penalties.iter().map(move |penalty| {
        let at = theta[penalty.parameter];
        let curvature = if exact { penalty.jet(at).second } else { penalty.safe_curvature(at) };
        (penalty.parameter as u32, curvature)
    })
}

/// f of the parameter of one term at eight points.
pub(super) fn at_lanes(penalty: &Penalty, theta: &[Lanes], f: impl Fn(&Penalty, f64) -> f64) -> Lanes {
    let Lanes(mut lanes) = theta[penalty.parameter];
    lanes.iter_mut().for_each(|lane| *lane = f(penalty, *lane));
    Lanes(lanes)
}
