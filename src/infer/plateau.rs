//! Plateaus of flat errors: places where many values are as good, though the data determine all parameters (spec/gaussian.md,
//! section 5).

use super::uncertainty;
use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// Parts of the way to the bounds at which a plateau must have ended.
const ON_THE_WAY: [f64; 6] = [0.03, 0.1, 0.25, 0.5, 0.75, 1.0];

/// By how much `twice_nll` is higher beyond a plateau.
const HIGHER: f64 = 1e-3;

/// Whether flat errors alone are why the Hessian at a minimum is singular: the errors held where they are, or left out where
/// they are no parameters, the means see every direction of the other parameters, at first order or farther away.
pub(super) fn is_plateau(
    evaluator: &mut Evaluator,
    data: &PreparedData,
    bounds: &[(f64, f64)],
    theta: &[f64],
    free: &[bool],
    widths: &[f64],
) -> bool {
    let program = evaluator.program;
    let flat = program.flat_errors();
    if flat.is_empty() && !program.is_clamped() {
        return false;
    }
    let sharp = program.with_clamps_times(0.0);
    let mut others = free.to_vec();
    flat.iter().for_each(|&i| others[i] = false);
    let unseen = uncertainty::unseen_directions(&mut Evaluator::new(&sharp), data, theta, &others, widths);
    let here = evaluator.reduced(theta, data);
    unseen.iter().all(|direction| {
        let mut ends = |side: f64| {
            ON_THE_WAY.iter().any(|part| {
                let mut point = theta.to_vec();
                for &(i, component) in &direction.components {
                    let (low, high) = bounds[i];
                    let room = if side * component > 0.0 { high - theta[i] } else { theta[i] - low };
                    if room.is_finite() {
                        point[i] = (theta[i] + side * component * part * room).clamp(low, high);
                    }
                }
                evaluator.reduced(&point, data) > here + HIGHER
            })
        };
        ends(1.0) || ends(-1.0)
    })
}
