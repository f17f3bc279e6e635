//! How much of what a coefficient does to the yields is linear in it (spec/inference.md, eq. 53).

use super::interval::Region;
use super::likelihood::Likelihood;
use super::profile::Profile;

/// A part that is smaller than this against the other is what rounding leaves.
const ROUNDING: f64 = 1e-9;

/// The change of the yields when one coefficient goes from its start to the farthest end of a region, in units of their
/// statistical uncertainties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// The distance.
    pub distance: f64,
    /// By the part of odd orders in the distance, for a quadratic dependence the linear one.
    pub linear: f64,
    /// By the part of even orders.
    pub quadratic: f64,
}

impl Sensitivity {
    /// Linear over quadratic; infinite for a dependence that is linear.
    pub fn ratio(&self) -> f64 {
        self.linear / self.quadratic
    }

    /// With a quadratic part that is the larger one, −2 Δ ln L is not distributed as χ².
    pub fn is_quadratic(&self) -> bool {
        self.quadratic > self.linear
    }
}

/// For the parameter of a profile along one, from `start` on, with the other parameters at their minimum there; `None`
/// for a parameter to which no sample responds, or an unbinned term without reference events, without such a minimum or
/// without a region.
pub(crate) fn sensitivity(profile: &mut Profile, start: f64, region: &Region) -> Option<Sensitivity> {
    let parameter = profile.parameters()[0];
    // Without reference events nothing is known of how many events of which kind there would be elsewhere.
    if profile.likelihood.program().moves_events_without_reference(parameter) {
        return None;
    }
    if !profile.likelihood.program().coefficients().contains(&parameter) {
        return None;
    }
    let ends = region.intervals.iter().flat_map(|interval| [interval.lower.value, interval.upper.value]);
    let distance = ends.map(|end| (end - start).abs()).fold(0.0, f64::max);
    let minimum = profile.at(&[start]).minimum;
    if !minimum.valid() || !distance.is_finite() || distance == 0.0 {
        return None;
    }
    let mut yields = |value: f64| {
        let mut point = minimum.parameters.clone();
        point[parameter] = value;
        expected(&mut profile.likelihood, &point)
    };
    let (below, here, above) = (yields(start - distance), yields(start), yields(start + distance));
    let [odd, even] = [0, 1].map(|part| {
        let of = |below: &[f64], here: &[f64], above: &[f64]| -> Vec<f64> {
            let points = below.iter().zip(here).zip(above);
            points.map(|((b, h), a)| if part == 0 { 0.5 * (a - b) } else { 0.5 * (a + b) - h }).collect()
        };
        let bins = of(&below.0, &here.0, &above.0);
        let counted: f64 = bins.iter().zip(&here.0).filter(|(_, nu)| **nu > 0.0).map(|(x, nu)| x * x / nu).sum();
        let whitened = profile.likelihood.program().whiten(&of(&below.1, &here.1, &above.1));
        counted + whitened.iter().map(|x| x * x).sum::<f64>()
    });
    let of = |part: f64, other: f64| if part.sqrt() > ROUNDING * other.sqrt() { part.sqrt() } else { 0.0 };
    let (linear, quadratic) = (of(odd, even), of(even, odd));
    // What rounding leaves of a part that is not there.
    let clean = |part: f64, other: f64| if part < 1e-10 * other { 0.0 } else { part };
    Some(Sensitivity { distance, linear: clean(linear, quadratic), quadratic: clean(quadratic, linear) })
}

/// The expected main data with each reference event of unbinned terms as a bin, and the means of the measurements with
/// Gaussian errors.
fn expected(likelihood: &mut Likelihood, parameters: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let program = likelihood.program();
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    likelihood.evaluator.expected(parameters, &mut main, &mut auxiliary);
    main.extend(likelihood.evaluator.asimov_events(parameters));
    let means = auxiliary.split_off(auxiliary.len() - program.n_measured());
    (main, means)
}
