//! Upper limits on a POI, observed and expected (spec/inference.md, "Upper limits").

use super::asymptotic::{BAND, Criterion, Tails, root_q_at_level};
use super::coefficient_limit::Allowed;
use super::hypotest::{AsymptoticTest, Hypotest, TestFailure};
use super::root::{RootOptions, root};

/// A POI's bound is doubled at most this often.
const MOST_DOUBLINGS: usize = 40;

/// How often a limit is looked for again because a lower minimum showed up at the last one.
pub(super) const MOST_REPEATS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub struct LimitOptions {
    /// p at the limit: 0.05 for a confidence level of 95 %.
    pub level: f64,
    pub criterion: Criterion,
    /// Whether the POI's upper bound may be doubled.
    pub widen: bool,
}

impl Default for LimitOptions {
    fn default() -> LimitOptions {
        LimitOptions { level: 0.05, criterion: Criterion::Cls, widen: true }
    }
}

/// On which side of the alternative a limit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    Upper,
    Lower,
}

impl Tail {
    /// 1 where values grow away from the alternative, −1 where they fall.
    pub fn sign(self) -> f64 {
        match self {
            Tail::Upper => 1.0,
            Tail::Lower => -1.0,
        }
    }
}

/// Why there is no limit.
#[derive(Clone, Debug, PartialEq)]
pub enum NoLimit {
    Test(TestFailure),
    /// The upper bound of the POI is not excluded, and must stay.
    BoundReached {
        bound: f64,
    },
    /// Nothing is excluded up to this value.
    NotExcluded {
        tested: f64,
    },
    /// A Wilson coefficient is not excluded at its bound, which ends the range in which its responses hold.
    NotExcludedInBox {
        bound: f64,
    },
    /// All values of the POI are excluded.
    AllExcluded,
    /// The search for the crossing did not converge.
    NotFound,
}

impl From<TestFailure> for NoLimit {
    fn from(failure: TestFailure) -> NoLimit {
        NoLimit::Test(failure)
    }
}

/// Observed and expected upper limits.
#[derive(Clone, Debug)]
pub struct Limit {
    pub observed: Result<f64, NoLimit>,
    /// In the order of [`BAND`]: ascending.
    pub expected: [Result<f64, NoLimit>; 5],
    /// The test at the observed limit.
    pub test: Option<Hypotest>,
    /// The POI's bounds at the end, and before where they were widened.
    pub bounds: (f64, f64),
    pub widened_from: Option<(f64, f64)>,
    /// Of a Wilson coefficient.
    pub coefficient: Option<CoefficientLimit>,
}

/// What a limit on a Wilson coefficient says beside the upper limits.
#[derive(Clone, Debug)]
pub struct CoefficientLimit {
    /// The values that are not excluded, ascending; `None` where some of them are not known.
    pub allowed: Option<Vec<Allowed>>,
    /// Where the bounds go below the alternative.
    pub lower: Option<LowerLimit>,
}

/// Lower limits; those expected in the order of [`BAND`], descending.
#[derive(Clone, Debug)]
pub struct LowerLimit {
    pub observed: Result<f64, NoLimit>,
    pub expected: [Result<f64, NoLimit>; 5],
}

/// The limits of one test, which keeps what it learns.
pub fn upper_limit(test: &mut AsymptoticTest, options: &LimitOptions) -> Limit {
    let poi = test.poi;
    let before = test.observed.likelihood.options.bounds[poi];
    let mut search = Search { test, options: *options };
    let mut observed = Err(NoLimit::NotFound);
    let mut expected = search.expected();
    for _ in 0..MOST_REPEATS {
        let guess = expected[2].as_ref().ok().copied();
        observed = search.observed(guess);
        // A lower minimum at a limit changes the curve that led there.
        match search.confirm(&observed, &expected) {
            Ok(false) => break,
            Ok(true) => expected = search.expected(),
            Err(failure) => {
                observed = Err(failure.into());
                break;
            }
        }
    }
    let bounds = search.test.observed.likelihood.options.bounds[poi];
    let at_limit = observed.as_ref().ok().and_then(|&mu| search.test.follow(mu).ok());
    let widened_from = (bounds != before).then_some(before);
    Limit { observed, expected, test: at_limit, bounds, widened_from, coefficient: None }
}

/// (value, f) below and above a crossing.
type Bracket = ((f64, f64), (f64, f64));

struct Search<'t, 'p> {
    test: &'t mut AsymptoticTest<'p>,
    options: LimitOptions,
}

impl Search<'_, '_> {
    fn bounds(&self) -> (f64, f64) {
        self.test.observed.likelihood.options.bounds[self.test.poi]
    }

    /// The lowest value that a limit can have.
    fn low(&self) -> f64 {
        self.bounds().0.max(self.test.alternative)
    }

    /// Makes room for a test at `value` under the POI's upper bound, where that is allowed and within reason.
    fn make_room(&mut self, value: f64) -> Result<(), NoLimit> {
        let (_, mut high) = self.bounds();
        if value <= high {
            return Ok(());
        }
        if !self.options.widen || high.is_nan() || high <= 0.0 {
            return Err(NoLimit::BoundReached { bound: high });
        }
        while high < value && high.is_finite() {
            high *= 2.0;
        }
        Ok(self.test.raise_upper_bound(high)?)
    }

    /// A first step upwards: the POI's start, or a part of its range.
    fn first_step(&self) -> f64 {
        let (low, high) = self.bounds();
        let init = self.test.observed.likelihood.options.init[self.test.poi] - self.low();
        let range = if high.is_finite() { high - low } else { 1.0 };
        if init > 0.0 { init } else { 0.1 * range.max(f64::MIN_POSITIVE) }
    }

    /// Limits expected where the background-only hypothesis fluctuates by the sigmas of [`BAND`]: √q_A is known at each
    /// (eq. 18).
    fn expected(&mut self) -> [Result<f64, NoLimit>; 5] {
        let Search { options, .. } = *self;
        // From the middle of the band outwards, each value starting the next.
        let mut limits = [const { Err(NoLimit::NotFound) }; 5];
        let mut scale = None;
        for index in [2, 1, 0, 3, 4] {
            let target = root_q_at_level(options.criterion, options.level, BAND[index]);
            limits[index] = if target <= 0.0 { Err(NoLimit::AllExcluded) } else { self.where_root_q_is(target, scale) };
            if let Ok(limit) = limits[index] {
                scale = Some((limit - self.low()) / target);
            }
        }
        limits
    }

    /// The value of the POI at which √q_A is `target`; `scale` is POI/√q_A.
    fn where_root_q_is(&mut self, target: f64, scale: Option<f64>) -> Result<f64, NoLimit> {
        let low = self.low();
        let start = low + scale.map_or(self.first_step(), |scale| scale * target);
        let (below, above) = self.bracket(start, |search, mu| {
            let asimov = search.test.asimov_at(mu)?;
            let root_q = asimov.value.sqrt();
            let next = if root_q > 0.0 { low + (mu - low) * (1.05 * target / root_q).min(100.0) } else { f64::NAN };
            Ok((target - root_q, next))
        })?;
        let first = if scale.is_some() { start } else { interpolated(below, above) };
        let mut failure = None;
        let value_and_slope = |mu: f64| match self.test.asimov_at(mu) {
            Ok(asimov) => {
                let root_q = asimov.value.sqrt();
                Some((target - root_q, -0.5 * asimov.slope / root_q.max(f64::MIN_POSITIVE)))
            }
            Err(f) => {
                failure = Some(f);
                None
            }
        };
        let found = root(below, above, first, &RootOptions::default(), value_and_slope);
        found.ok_or_else(|| failure.map_or(NoLimit::NotFound, NoLimit::Test))
    }

    /// Where ln(p/level) of the observed data last falls through zero.
    fn observed(&mut self, guess: Option<f64>) -> Result<f64, NoLimit> {
        let options = self.options;
        let level = options.level.ln();
        let mu_hat = self.test.observed.best_values()[0].max(self.low());
        let mut start = guess.map_or(mu_hat + self.first_step(), |guess| guess.max(mu_hat));
        loop {
            let (below, above) = self.bracket(start, |search, mu| {
                let test = search.test.follow(mu)?;
                Ok((test.tails.ln_p(options.criterion) - level, f64::NAN))
            })?;
            let mut failure = None;
            let value_and_slope = |mu: f64| match self.test.follow(mu) {
                Ok(test) => Some((test.tails.ln_p(options.criterion) - level, test.ln_p_slope(options.criterion))),
                Err(f) => {
                    failure = Some(f);
                    None
                }
            };
            let found = root(below, above, interpolated(below, above), &RootOptions::default(), value_and_slope);
            let limit = found.ok_or_else(|| failure.map_or(NoLimit::NotFound, NoLimit::Test))?;
            // The last crossing counts: is the bound excluded as well?
            let (_, high) = self.bounds();
            if high <= limit || self.test.follow(high)?.tails.ln_p(options.criterion) < level {
                return Ok(limit);
            }
            start = 2.0 * high;
        }
    }

    /// Two neighbouring values between which `f` falls through zero: the lower not excluded, the upper excluded, each
    /// with its f. `f` also says where to look next, or NaN.
    fn bracket(
        &mut self,
        start: f64,
        mut f: impl FnMut(&mut Self, f64) -> Result<(f64, f64), NoLimit>,
    ) -> Result<Bracket, NoLimit> {
        let low = self.low();
        let at_low = f(self, low)?.0;
        if at_low < 0.0 {
            return Err(NoLimit::AllExcluded);
        }
        let mut below = (low, at_low);
        let mut mu = start.max(low + f64::MIN_POSITIVE);
        let farthest = (2.0_f64.powi(MOST_DOUBLINGS as i32)) * self.bounds().1.abs().max(1.0);
        loop {
            if !self.options.widen && mu > self.bounds().1 && below.0 < self.bounds().1 {
                mu = self.bounds().1;
            }
            self.make_room(mu)?;
            let (value, next) = f(self, mu)?;
            if value < 0.0 {
                return Ok((below, (mu, value)));
            }
            below = (mu, value);
            let doubled = low + 2.0 * (mu - low);
            mu = if next > mu { next } else { doubled };
            if mu > farthest {
                return Err(NoLimit::NotExcluded { tested: below.0 });
            }
        }
    }

    /// Looks for lower minima at the limits found; true where there are some.
    fn confirm(
        &mut self,
        observed: &Result<f64, NoLimit>,
        expected: &[Result<f64, NoLimit>; 5],
    ) -> Result<bool, TestFailure> {
        let mut lower = false;
        if let Ok(limit) = observed {
            lower |= self.test.confirm(*limit)?;
        }
        for limit in expected.iter().flatten() {
            lower |= self.test.asimov.confirm(&[*limit]);
        }
        Ok(lower)
    }
}

fn interpolated(below: (f64, f64), above: (f64, f64)) -> f64 {
    let part = below.1 / (below.1 - above.1);
    if part.is_finite() { below.0 + part * (above.0 - below.0) } else { 0.5 * (below.0 + above.0) }
}

/// A limit by linear interpolation on a grid (eq. 19), from (value, p) in ascending order of value: the last crossing,
/// as `observed_limit` and `expected_limit` of a scan.
pub fn interpolated_limit(points: &[(f64, f64)], level: f64) -> Result<f64, NoLimit> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Err(NoLimit::NotFound) };
    if last.1 >= level {
        return Err(NoLimit::BoundReached { bound: last.0 });
    }
    let crossing = points.windows(2).rev().find(|pair| pair[0].1 >= level && pair[1].1 < level);
    match crossing {
        Some([(x, p), (y, q)]) => Ok(x + (p - level) / (p - q) * (y - x)),
        _ if first.1 < level => Err(NoLimit::AllExcluded),
        _ => Err(NoLimit::NotFound),
    }
}

/// Values tested, each with what came of it.
pub type Tests = Vec<(f64, Result<Hypotest, TestFailure>)>;

/// An observed limit and those expected in the order of [`BAND`].
pub type ObservedAndExpected = (Result<f64, NoLimit>, [Result<f64, NoLimit>; 5]);

/// The limits by interpolation between tests, which ascend; with [`Tail::Lower`], lower limits.
pub fn interpolated_limits(
    tests: &[(f64, Result<Hypotest, TestFailure>)],
    options: &LimitOptions,
    tail: Tail,
) -> ObservedAndExpected {
    let sign = tail.sign();
    let limit = |tails: &dyn Fn(&Hypotest) -> Tails| -> Result<f64, NoLimit> {
        let point = |(value, test): &(f64, Result<Hypotest, TestFailure>)| match test {
            Ok(test) => Ok((sign * value, tails(test).ln_p(options.criterion).exp())),
            Err(failure) => Err(failure.clone()),
        };
        let mut points = tests.iter().map(point).collect::<Result<Vec<(f64, f64)>, TestFailure>>()?;
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let signed = |no_limit: NoLimit| match no_limit {
            NoLimit::BoundReached { bound } => NoLimit::BoundReached { bound: sign * bound },
            other => other,
        };
        interpolated_limit(&points, options.level).map(|limit| sign * limit).map_err(signed)
    };
    let expected = [0, 1, 2, 3, 4].map(|index: usize| limit(&|test| test.band[index]));
    (limit(&|test| test.tails), expected)
}
