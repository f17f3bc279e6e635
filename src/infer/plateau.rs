//! Plateaus of flat errors: places where many values are as good, though the data determine all parameters (spec/gaussian.md,
//! section 5).

use super::uncertainty;
use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// How far from a minimum, in parts of the bounds, the means are looked at again: no parameter as far as another.
const ASIDE: f64 = 0.01;

/// Whether flat errors alone are why the Hessian at a minimum is singular: the errors held where they are, or left out where
/// they are no parameters, the means see every direction of the other parameters, there or, where squares hide it at the
/// minimum itself, a little aside. What enters only in a combination is seen nowhere.
pub(super) fn is_plateau(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    bounds: &[(f64, f64)],
    theta: &[f64],
    free: &[bool],
) -> bool {
    let program = evaluator.program;
    let flat = program.flat_errors();
    if flat.is_empty() && !program.is_clamped() {
        return false;
    }
    let sharp = program.with_clamps_times(0.0);
    let mut others = free.to_vec();
    flat.iter().for_each(|&i| others[i] = false);
    let mut evaluator = Evaluator::new(&sharp);
    let mut sees_all = |point: &[f64]| uncertainty::sees_all(&mut evaluator, data, point, &others);
    sees_all(theta) || sees_all(&aside(theta, bounds, &others, 1.0))
}

/// A place near `theta` within the bounds at which no two of these parameters have moved alike; nearer with a smaller
/// `part`.
pub(super) fn aside(theta: &[f64], bounds: &[(f64, f64)], free: &[bool], part: f64) -> Vec<f64> {
    let moved = |(i, (&x, &(low, high))): (usize, (&f64, &(f64, f64)))| {
        let range = if (high - low).is_finite() { high - low } else { x.abs().max(1.0) };
        // Multiples of an irrational number: never the same part twice.
        let step = part * ASIDE * range * (0.5 + 0.618_034 * (i + 1) as f64 % 1.0);
        match free[i] {
            true if x + step <= high => x + step,
            true => x - step,
            false => x,
        }
    };
    theta.iter().zip(bounds).enumerate().map(moved).collect()
}
