//! Limits on a Wilson coefficient, on both sides of the value with which its tests compare and within its bounds
//! (spec/inference.md, "Limits on a Wilson coefficient").

use super::asymptotic::{BAND, Tails, root_q_at_level};
use super::fit::Failure;
use super::hypotest::{AsymptoticTest, Hypotest, TestFailure, TestFit, valid};
use super::interval::{Node, turning_point};
use super::likelihood::Likelihood;
use super::limit::{CoefficientLimit, Limit, LimitOptions, LowerLimit, MOST_REPEATS, NoLimit, Tail};
use super::profile::{LOWER, Profile};
use super::root::{RootOptions, root};
use super::test_statistic::{TestStatistic, Tested};

/// Values tested on each side: so many at equal distances, and others at distances that fall by a factor from the bound.
const EQUIDISTANT: usize = 24;
const GEOMETRIC: i32 = 17;
const SHRINK: f64 = 1.5;

/// How many values may be spent on dips and bumps between those tested.
const MOST_DIPS: usize = 40;

/// The edge of the likelihood's domain is found to this part of the distance.
const EDGE: f64 = 1e-6;

/// Tests of the values of a coefficient, those above the alternative against smaller ones and those below against larger
/// ones.
#[derive(Clone, Debug)]
pub struct CoefficientTest<'p> {
    test: AsymptoticTest<'p>,
}

/// Values that are not excluded, between two ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    pub lower: AllowedEnd,
    pub upper: AllowedEnd,
}

/// Where values cease to be allowed, or why they do not.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowedEnd {
    pub value: f64,
    /// `None` where values beyond are excluded.
    pub open: Option<NoLimit>,
}

impl<'p> CoefficientTest<'p> {
    /// Fits the data, and with the coefficient at the alternative, as [`AsymptoticTest::new`]; all bounds stay.
    pub fn new(likelihood: Likelihood<'p>, poi: usize) -> Result<Self, TestFailure> {
        Ok(CoefficientTest { test: AsymptoticTest::new(likelihood, poi, TestStatistic::Qmu)? })
    }

    /// The profile of the observed data.
    pub fn observed(&self) -> &Profile<'p> {
        &self.test.observed
    }

    /// Looks for lower minima at a value; true where there is one.
    pub fn confirm(&mut self, value: f64) -> Result<bool, TestFailure> {
        self.test.confirm(value)
    }

    /// Tests a value, with a search for lower minima there.
    pub fn at(&mut self, value: f64) -> Result<Hypotest, TestFailure> {
        self.confirm(value)?;
        self.follow(value)
    }

    /// Tests a value, following the profiles from the points known.
    pub fn follow(&mut self, value: f64) -> Result<Hypotest, TestFailure> {
        let observed = &mut self.test.observed;
        valid(TestFit::Unconditional, observed.best())?;
        let alternative = observed.at(&[self.test.alternative]).minimum;
        valid(TestFit::Alternative, &alternative)?;
        let point = observed.at(&[value]);
        valid(TestFit::Conditional, &point.minimum)?;
        let lowest = self.lowest_against(value).fold(alternative.twice_nll, f64::min);
        let q = (point.minimum.twice_nll - lowest).max(0.0);
        let observed =
            Tested { value: q, slope: if q > 0.0 { point.slopes[0] } else { 0.0 }, conditional: point.minimum };
        let asimov = self.asimov_at(value)?;
        // Where another minimum is below the alternative, it is no boundary of the fit.
        let at_boundary = alternative.twice_nll <= lowest + LOWER;
        let statistic = if at_boundary { TestStatistic::QmuTilde } else { TestStatistic::Qmu };
        let (tails, band) = (Tails::observed(statistic, q, asimov.value), Tails::band(asimov.value));
        Ok(Hypotest { value, statistic, observed, asimov, tails, band })
    }

    /// The statistic on the Asimov data, which are at their minimum at the alternative.
    fn asimov_at(&mut self, value: f64) -> Result<Tested, TestFailure> {
        let point = self.test.asimov.at(&[value]);
        valid(TestFit::AsimovConditional, &point.minimum)?;
        let value = self.test.asimov.height(&point);
        Ok(Tested { value, slope: if value > 0.0 { point.slopes[0] } else { 0.0 }, conditional: point.minimum })
    }

    /// `twice_nll` of the minima between a value and the alternative.
    fn lowest_against(&self, value: f64) -> impl Iterator<Item = f64> {
        let (profile, alternative) = (&self.test.observed, self.test.alternative);
        let best = (profile.best_values()[0], profile.best().twice_nll);
        let minima: Vec<(f64, f64)> = profile.minima().map(|(values, f)| (values[0], f)).chain([best]).collect();
        let range = value.min(alternative)..=value.max(alternative);
        minima.into_iter().filter(move |(c, _)| range.contains(c)).map(|(_, f)| f)
    }

    /// The limits of both sides, and all values that are allowed.
    pub fn limits(&mut self, options: &LimitOptions) -> Limit {
        let bounds = self.test.observed.likelihood.options.bounds[self.test.poi];
        let upper = Search { test: self, options, tail: Tail::Upper, bound: bounds.1 }.run();
        let has_lower = bounds.0 < self.test.alternative;
        let lower = has_lower.then(|| Search { test: self, options, tail: Tail::Lower, bound: bounds.0 }.run());
        let mut allowed = upper.allowed.clone();
        let lower = lower.map(|found| {
            allowed = allowed.take().zip(found.allowed).map(|(upper, lower)| joined([lower, upper].concat()));
            LowerLimit { observed: found.observed, expected: found.expected }
        });
        let Found { observed, expected, test, .. } = upper;
        Limit {
            observed,
            expected,
            test,
            bounds,
            widened_from: None,
            coefficient: Some(CoefficientLimit { allowed, lower }),
        }
    }
}

/// Ascending; what meets at the alternative is one interval.
fn joined(mut all: Vec<Allowed>) -> Vec<Allowed> {
    all.sort_by(|a, b| a.lower.value.total_cmp(&b.lower.value));
    let mut joined: Vec<Allowed> = Vec::new();
    for next in all {
        match joined.last_mut() {
            Some(last) if last.upper.value == next.lower.value => last.upper = next.upper,
            _ => joined.push(next),
        }
    }
    joined
}

/// What was found on one side.
struct Found {
    observed: Result<f64, NoLimit>,
    expected: [Result<f64, NoLimit>; BAND.len()],
    /// Unknown where the side cannot be tested.
    allowed: Option<Vec<Allowed>>,
    test: Option<Hypotest>,
}

impl Found {
    /// Nothing is excluded up to a bound at which the alternative stands.
    fn none(bound: f64) -> Found {
        let none = || Err(NoLimit::NotExcludedInBox { bound });
        Found { observed: none(), expected: BAND.map(|_| none()), allowed: Some(Vec::new()), test: None }
    }

    fn failed(failure: &TestFailure) -> Found {
        let none = || Err(NoLimit::Test(failure.clone()));
        Found { observed: none(), expected: BAND.map(|_| none()), allowed: None, test: None }
    }
}

/// What decides whether a value is allowed.
#[derive(Clone, Copy, Debug)]
enum Quantity {
    /// ln(p/level) of the observed data.
    Observed,
    /// What √q_A may not exceed (eq. 18).
    RootAsimov(f64),
}

/// A range of distances from the alternative that are allowed.
#[derive(Clone, Debug)]
struct Stretch {
    from: (f64, Edge),
    to: (f64, Edge),
}

#[derive(Clone, Debug)]
enum Edge {
    Crossing,
    /// The alternative or the bound.
    Bound,
    /// The likelihood ends.
    Domain(TestFailure),
}

/// A search on one side, in distances u from the alternative.
struct Search<'t, 'p> {
    test: &'t mut CoefficientTest<'p>,
    options: &'t LimitOptions,
    tail: Tail,
    bound: f64,
}

impl Search<'_, '_> {
    fn run(mut self) -> Found {
        let (mut found, mut observed) = (Found::none(self.bound), Ok(Vec::new()));
        for _ in 0..MOST_REPEATS {
            observed = self.stretches(Quantity::Observed);
            found.observed = self.limit(&observed);
            found.expected = BAND.map(|n| {
                let root = root_q_at_level(self.options.criterion, self.options.level, n);
                let stretches = if root > 0.0 { self.stretches(Quantity::RootAsimov(root)) } else { Ok(Vec::new()) };
                self.limit(&stretches)
            });
            // A lower minimum at a limit changes the curve that led there.
            match self.confirm(&found) {
                Ok(false) => break,
                Ok(true) => {}
                Err(failure) => return Found::failed(&failure),
            }
        }
        found.test = found.observed.as_ref().ok().and_then(|&value| self.test.follow(value).ok());
        found.allowed = observed.ok().map(|stretches| stretches.iter().map(|s| self.allowed(s)).collect());
        found
    }

    fn confirm(&mut self, found: &Found) -> Result<bool, TestFailure> {
        let mut lower = false;
        if let Ok(limit) = found.observed {
            lower |= self.test.confirm(limit)?;
        }
        for limit in found.expected.iter().flatten() {
            lower |= self.test.test.asimov.confirm(&[*limit]);
        }
        Ok(lower)
    }

    fn sign(&self) -> f64 {
        self.tail.sign()
    }

    fn alternative(&self) -> f64 {
        self.test.test.alternative
    }

    fn farthest(&self) -> f64 {
        (self.bound - self.alternative()).abs()
    }

    /// The coefficient at a distance.
    fn value(&self, u: f64) -> f64 {
        if u >= self.farthest() { self.bound } else { self.alternative() + self.sign() * u }
    }

    /// Ascending, from the alternative to the bound; minima of the observed and of the Asimov data are among them.
    fn places(&self) -> Vec<f64> {
        let farthest = self.farthest();
        let mut places: Vec<f64> = (0..=EQUIDISTANT).map(|k| farthest * (k as f64 / EQUIDISTANT as f64)).collect();
        places.extend((1..=GEOMETRIC).map(|k| farthest * SHRINK.powi(-k)));
        let profiles = [&self.test.test.observed, &self.test.test.asimov];
        let minima = profiles.iter().flat_map(|profile| profile.minima_values());
        places.extend(minima.map(|values| self.sign() * (values[0] - self.alternative())));
        places.retain(|u| (0.0..=farthest).contains(u));
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    /// Above or at zero where a value is allowed, with its slope.
    fn at(&mut self, quantity: Quantity, u: f64) -> Result<(f64, f64), TestFailure> {
        let (value, sign) = (self.value(u), self.sign());
        let (height, slope) = match quantity {
            Quantity::Observed => {
                let test = self.test.follow(value)?;
                let criterion = self.options.criterion;
                (test.tails.ln_p(criterion) - self.options.level.ln(), sign * test.ln_p_slope(criterion))
            }
            // The square is smooth where q_A vanishes.
            Quantity::RootAsimov(root) => {
                let asimov = self.test.asimov_at(value)?;
                (root * root - asimov.value, -sign * asimov.slope)
            }
        };
        Ok((height, if slope.is_finite() { slope } else { 0.0 }))
    }

    /// As [`Search::at`]; the failure beside it where the likelihood has no value there.
    fn node(&mut self, quantity: Quantity, u: f64) -> Result<Result<Node, TestFailure>, NoLimit> {
        match self.at(quantity, u) {
            Ok((height, slope)) => Ok(Ok(Node { value: u, height, slope })),
            Err(failure @ TestFailure::Fit(_, Failure::OutOfDomain(_))) => Ok(Err(failure)),
            Err(failure) => Err(NoLimit::Test(failure)),
        }
    }

    /// All distances that are allowed.
    fn stretches(&mut self, quantity: Quantity) -> Result<Vec<Stretch>, NoLimit> {
        let mut nodes = Vec::new();
        for u in self.places() {
            nodes.push((u, self.node(quantity, u)?));
        }
        for _ in 0..MOST_DIPS {
            let turn = nodes.windows(2).find_map(|pair| match (&pair[0].1, &pair[1].1) {
                (Ok(a), Ok(b)) => turning_point(*a, *b, 0.0),
                _ => None,
            });
            let Some(u) = turn else { break };
            let place = nodes.partition_point(|node| node.0 < u);
            nodes.insert(place, (u, self.node(quantity, u)?));
        }
        let allowed = |node: &Result<Node, TestFailure>| node.as_ref().is_ok_and(|node| node.height >= 0.0);
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return Ok(Vec::new()) };
        let mut stretches = Vec::new();
        let mut from = allowed(&first.1).then_some((first.0, Edge::Bound));
        for pair in nodes.windows(2) {
            if allowed(&pair[0].1) == allowed(&pair[1].1) {
                continue;
            }
            let (inside, outside) = if allowed(&pair[0].1) { (&pair[0], &pair[1]) } else { (&pair[1], &pair[0]) };
            let Ok(inside) = &inside.1 else { continue };
            let end = self.edge(quantity, *inside, outside)?;
            match from.take() {
                None => from = Some(end),
                Some(from) => stretches.push(Stretch { from, to: end }),
            }
        }
        if let Some(from) = from {
            stretches.push(Stretch { from, to: (last.0, Edge::Bound) });
        }
        Ok(stretches)
    }

    /// Where values cease to be allowed between one that is and one that is not.
    fn edge(
        &mut self,
        quantity: Quantity,
        mut inside: Node,
        outside: &(f64, Result<Node, TestFailure>),
    ) -> Result<(f64, Edge), NoLimit> {
        let (mut edge, mut outside) = outside.clone();
        loop {
            match outside {
                Ok(outside) => return Ok((self.crossing(quantity, inside, outside)?, Edge::Crossing)),
                Err(failure) if (edge - inside.value).abs() <= EDGE * edge.max(inside.value) => {
                    return Ok((inside.value, Edge::Domain(failure)));
                }
                Err(_) => {}
            }
            let middle = 0.5 * (edge + inside.value);
            match self.node(quantity, middle)? {
                Ok(node) if node.height >= 0.0 => inside = node,
                other => (edge, outside) = (middle, other),
            }
        }
    }

    fn crossing(&mut self, quantity: Quantity, inside: Node, outside: Node) -> Result<f64, NoLimit> {
        let start = inside.value + (outside.value - inside.value) * inside.height / (inside.height - outside.height);
        let mut failure = None;
        let bracket = [inside, outside].map(|node| (node.value, node.height));
        let found = root(bracket[0], bracket[1], start, &RootOptions::default(), |u| match self.at(quantity, u) {
            Ok(pair) => Some(pair),
            Err(f) => {
                failure = Some(f);
                None
            }
        });
        found.ok_or_else(|| failure.map_or(NoLimit::NotFound, NoLimit::Test))
    }

    /// The last crossing counts.
    fn limit(&self, stretches: &Result<Vec<Stretch>, NoLimit>) -> Result<f64, NoLimit> {
        match stretches.as_ref().map_err(NoLimit::clone)?.last() {
            None => Err(NoLimit::AllExcluded),
            Some(Stretch { to, .. }) => {
                let end = self.end(to);
                end.open.map_or(Ok(end.value), Err)
            }
        }
    }

    fn end(&self, (u, edge): &(f64, Edge)) -> AllowedEnd {
        let value = self.value(*u);
        let open = match edge {
            Edge::Crossing => None,
            Edge::Bound => Some(NoLimit::NotExcludedInBox { bound: value }),
            Edge::Domain(failure) => Some(NoLimit::Test(failure.clone())),
        };
        AllowedEnd { value, open }
    }

    fn allowed(&self, stretch: &Stretch) -> Allowed {
        let (near, far) = (self.end(&stretch.from), self.end(&stretch.to));
        match self.tail {
            Tail::Upper => Allowed { lower: near, upper: far },
            Tail::Lower => Allowed { lower: far, upper: near },
        }
    }
}
