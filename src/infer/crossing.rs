//! Where a profile along one parameter rises through a height: outward from the minimum, or within a bracket.

use super::fit::Failure;
use super::profile::Profile;
use super::root::{RootOptions, root};

/// The height at a crossing is met to this part of it; more is a jump between two minima.
const JUMP: f64 = 1e-4;

/// An edge of the domain is found to this part of the way that has been walked.
const EDGE: f64 = 1e-6;

/// How a search for a crossing ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Crossing {
    /// The parameter's value at which the profile has the height.
    At(f64),
    /// The profile stays below the height up to the bound; its height there.
    AtBound { bound: f64, height: f64 },
    /// The domain of the likelihood ends here, below the height.
    EndOfDomain { value: f64, height: f64 },
    /// There is no minimum to be had at this value.
    Failed { value: f64, reason: Failure },
    /// The profile jumps over the height at this value: no continuous path of minima was found.
    Jump { value: f64 },
    /// A point of the profile lies below the minimum to which it refers.
    LowerMinimum,
}

/// A place of the profile and its height.
pub(crate) type Place = (f64, f64);

/// The crossing of `height` nearest to the best value in the direction of `step` (signed, a guess of the distance),
/// not beyond `bound`. The minimum at the crossing is looked for from elsewhere too; where it is lower, the search goes
/// on outward.
pub fn outward(profile: &mut Profile, step: f64, bound: f64, height: f64) -> Crossing {
    let best = profile.best_values()[0];
    let mut inside = (best, 0.0);
    let mut next = best + step;
    // A crossing that turns out to lie in a worse minimum moves outward; each time costs a few fits.
    for _ in 0..10 {
        let outside = match bracket(profile, &mut inside, next, bound, height) {
            Ok(outside) => outside,
            Err(end) => return end,
        };
        let found = between(profile, inside, outside, height);
        let Crossing::At(value) = found else { return found };
        let lower = profile.confirm(&[value]);
        if profile.first_minimum().is_some() {
            return Crossing::LowerMinimum;
        }
        if !lower {
            return found;
        }
        // What lay beyond was found from the worse minimum.
        profile.hand_on(&[value]);
        inside = (value, height_at(profile, value).unwrap_or(0.0));
        next = value + 0.1 * (value - best);
    }
    Crossing::Jump { value: inside.0 }
}

/// Walks outward from `inside` until the profile is above the height; `inside` follows.
pub(crate) fn bracket(
    profile: &mut Profile,
    inside: &mut Place,
    first: f64,
    bound: f64,
    height: f64,
) -> Result<Place, Crossing> {
    let best = profile.best_values()[0];
    let towards = |x: f64| if bound < best { x.max(bound) } else { x.min(bound) };
    if inside.0 == bound {
        return Err(Crossing::AtBound { bound, height: inside.1 });
    }
    let mut blocked: Option<(f64, Failure)> = None;
    let mut x = towards(first);
    for _ in 0..200 {
        let point = profile.at(&[x]);
        if profile.first_minimum().is_some() {
            return Err(Crossing::LowerMinimum);
        }
        match point.minimum.reason.clone() {
            Some(reason) => blocked = Some((x, reason)),
            None => {
                let here = profile.height(&point);
                if here >= height {
                    return Ok((x, here));
                }
                *inside = (x, here);
                if x == bound {
                    return Err(Crossing::AtBound { bound, height: here });
                }
            }
        }
        x = match &blocked {
            Some((edge, reason)) => {
                if (edge - inside.0).abs() <= EDGE * (edge - best).abs() {
                    return Err(end_of_walk(*inside, *edge, reason.clone()));
                }
                0.5 * (edge + inside.0)
            }
            None => {
                // Where the profile is a parabola this is 1.1 times the way.
                let stretch = 1.1 * (height / inside.1.max(1e-300)).sqrt();
                towards(best + (x - best) * stretch.clamp(1.3, 4.0))
            }
        };
    }
    Err(Crossing::Jump { value: inside.0 })
}

fn end_of_walk(inside: Place, edge: f64, reason: Failure) -> Crossing {
    match reason {
        Failure::OutOfDomain(_) => Crossing::EndOfDomain { value: inside.0, height: inside.1 },
        reason => Crossing::Failed { value: edge, reason },
    }
}

/// The height of the profile at a value, where it has a minimum there.
pub fn height_at(profile: &mut Profile, value: f64) -> Option<f64> {
    let point = profile.at(&[value]);
    point.minimum.valid().then(|| profile.height(&point))
}

/// The crossing between a place below the height and one that is not.
pub fn between(profile: &mut Profile, mut inside: Place, mut outside: Place, height: f64) -> Crossing {
    let mut confirmed = false;
    loop {
        let found = search(profile, &mut inside, &mut outside, height);
        let Crossing::Jump { value } = found else { return found };
        if confirmed {
            return Crossing::Jump { value };
        }
        // A jump shows that one of its sides is not in the lowest minimum.
        confirmed = true;
        profile.hand_on(&[inside.0]);
        profile.confirm(&[outside.0]);
        if profile.first_minimum().is_some() {
            return Crossing::LowerMinimum;
        }
        let Some(above) = height_at(profile, outside.0) else { return Crossing::Jump { value } };
        if above < height {
            return Crossing::Jump { value };
        }
        outside.1 = above;
    }
}

/// Newton's method on the square root of the height, which is almost a straight line. The bracket follows.
fn search(profile: &mut Profile, inside: &mut Place, outside: &mut Place, height: f64) -> Crossing {
    let of = |h: f64| h.max(0.0).sqrt() - height.sqrt();
    let (a, b) = ((inside.0, of(inside.1)), (outside.0, of(outside.1)));
    let start = a.0 + (b.0 - a.0) * (a.1 / (a.1 - b.1)).clamp(0.0, 1.0);
    let mut failed = None;
    let mut last = f64::NAN;
    let value = root(a, b, start, &RootOptions::default(), |x| {
        let point = profile.at(&[x]);
        if profile.first_minimum().is_some() {
            return None;
        }
        if let Some(reason) = point.minimum.reason {
            failed = Some(Crossing::Failed { value: x, reason });
            return None;
        }
        let here = (point.minimum.twice_nll - profile.best().twice_nll).max(0.0);
        *(if here < height { &mut *inside } else { &mut *outside }) = (x, here);
        last = here;
        Some((of(here), point.slopes[0] / (2.0 * here.sqrt())))
    });
    if profile.first_minimum().is_some() {
        return Crossing::LowerMinimum;
    }
    match (value, failed) {
        (_, Some(failed)) => failed,
        // Nothing was evaluated where an end of the bracket has the height.
        (Some(value), None) if last.is_nan() || (last - height).abs() <= JUMP * height => Crossing::At(value),
        _ => Crossing::Jump { value: outside.0 },
    }
}
