//! Two-sided likelihood intervals of one parameter: all values at which the profile lies below the height of a level,
//! a union of intervals where it crosses several times (spec/inference.md, "Intervals and uncertainties").

use super::crossing::{self, Crossing, Place};
use super::profile::{Profile, ProfilePoint};
use crate::normal::chi2_quantile;

/// The probability within one standard deviation of a normal distribution, 2Φ(1) − 1.
pub const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;

/// How many points may be spent on dips and bumps between known points.
const MOST_DIPS: usize = 40;

/// Where samples respond to coefficients, the profile is looked at in distances that grow by this factor, from this part of
/// a step on.
const SURVEY_GROWTH: f64 = 1.3;
const SURVEY_FIRST: f64 = 0.5;

/// A bridge that rises less above its minima is none.
const LEAST_BRIDGE: f64 = 1e-3;

/// The values of a parameter inside a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub level: f64,
    /// −2 Δ ln L on the border.
    pub height: f64,
    /// Ascending, apart from one another.
    pub intervals: Vec<Interval>,
    /// What lies between neighbouring minima of the profile inside the level.
    pub bridges: Vec<Bridge>,
}

/// The highest place of a profile between two neighbouring minima (spec/inference.md, eq. 51).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bridge {
    pub from: f64,
    pub to: f64,
    pub at: f64,
    /// Infinite where there is no minimum on the way.
    pub height: f64,
}

/// A range of values inside a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    pub lower: End,
    pub upper: End,
}

/// Where an interval ends: a crossing, or the reason why the profile is not known to rise above the level.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    pub value: f64,
    pub crossing: Crossing,
}

/// The regions of several levels within the parameter's bounds, from the points that the profile has and more where they
/// are needed; `step` is a guess of the distance to the first crossing. `None` where a point lies below the minimum to
/// which the profile refers.
pub fn regions(profile: &mut Profile, levels: &[f64], step: f64) -> Option<Vec<Region>> {
    let heights: Vec<f64> = levels.iter().map(|level| chi2_quantile(*level, 1)).collect();
    let intervals = below(profile, &heights, step)?;
    let region = |((level, height), intervals): ((&f64, &f64), _)| {
        let bridges = bridges(profile, *height);
        Region { level: *level, height: *height, intervals, bridges }
    };
    let regions = levels.iter().zip(&heights).zip(intervals).map(region).collect();
    profile.first_minimum().is_none().then_some(regions)
}

/// As [`regions`], for each of some heights the intervals in which the profile is not above it.
pub(crate) fn below(profile: &mut Profile, heights: &[f64], step: f64) -> Option<Vec<Vec<Interval>>> {
    let highest = heights.iter().copied().fold(0.0, f64::max);
    survey(profile, step);
    let ends = [-1.0, 1.0].map(|sign| cover(profile, sign, step, highest));
    for &height in heights {
        resolve_dips(profile, height);
    }
    let found = heights.iter().map(|&height| intervals(profile, height, &ends)).collect();
    profile.first_minimum().is_none().then_some(found)
}

/// With several minima regions may lie anywhere within the bounds: looks at the minima and at places all the way.
fn survey(profile: &mut Profile, step: f64) {
    let minima = profile.minima_values();
    if minima.is_empty() {
        return;
    }
    let (low, high) = profile.likelihood.options.bounds[profile.parameters()[0]];
    let best = profile.best_values()[0];
    let mut places: Vec<f64> = minima.iter().map(|values| values[0]).collect();
    for sign in [-1.0, 1.0] {
        let mut distance = SURVEY_FIRST * step;
        while (low..=high).contains(&(best + sign * distance)) && places.len() < 200 {
            places.push(best + sign * distance);
            distance *= SURVEY_GROWTH;
        }
    }
    // Outward, so that each begins from a neighbour.
    places.sort_by(|a, b| (a - best).abs().total_cmp(&(b - best).abs()));
    for value in places {
        if value != best && profile.first_minimum().is_none() {
            profile.at(&[value]);
        }
    }
}

/// What lies between the minima of the profile that are below a height.
fn bridges(profile: &mut Profile, height: f64) -> Vec<Bridge> {
    let nodes = nodes(profile);
    let Some(mut low) = nodes.first().copied() else { return Vec::new() };
    let mut bridges = Vec::new();
    // The highest node since the last minimum.
    let mut high: Option<usize> = None;
    let rises = |above: &Node, below: &Node| above.height > below.height + LEAST_BRIDGE;
    for (k, node) in nodes.iter().enumerate().skip(1) {
        let top = high.map(|k| nodes[k]);
        match top {
            Some(top) if rises(&top, node) && rises(&top, &low) => {
                // Down on the other side as far as it goes.
                let ends = nodes.get(k + 1).is_none_or(|next| next.height > node.height);
                if ends {
                    if let (Some(peak), true) = (high, low.height < height && node.height < height) {
                        bridges.push((low, *node, peak));
                    }
                    (low, high) = (*node, None);
                }
            }
            _ if node.height < low.height => (low, high) = (*node, None),
            Some(top) if top.height >= node.height => {}
            _ => high = Some(k),
        }
    }
    let bridge = |(from, to, peak): (Node, Node, usize)| {
        let outside = [nodes[peak - 1].value, nodes[(peak + 1).min(nodes.len() - 1)].value];
        let (at, height) = highest(profile, nodes[peak], outside, (from.value, to.value));
        Bridge { from: from.value, to: to.value, at, height }
    };
    bridges.into_iter().map(bridge).collect()
}

/// The highest place between two neighbours of a node that is higher than both, by the golden section.
fn highest(profile: &mut Profile, node: Node, [mut low, mut high]: [f64; 2], range: (f64, f64)) -> (f64, f64) {
    let gap = |point: &&ProfilePoint| !point.minimum.valid() && range.0 < point.values[0] && point.values[0] < range.1;
    if let Some(gap) = profile.points().iter().find(gap) {
        return (gap.values[0], f64::INFINITY);
    }
    let (mut at, mut top) = node.place();
    for _ in 0..24 {
        let value = if at - low > high - at { at - 0.382 * (at - low) } else { at + 0.382 * (high - at) };
        let Some(here) = crossing::height_at(profile, value) else { return (value, f64::INFINITY) };
        let (other, best) = if here > top { (at, value) } else { (value, at) };
        *(if other < best { &mut low } else { &mut high }) = other;
        (at, top) = (best, top.max(here));
    }
    (at, top)
}

/// A point of the curve in one dimension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub value: f64,
    pub height: f64,
    pub slope: f64,
}

impl Node {
    fn place(&self) -> Place {
        (self.value, self.height)
    }
}

/// The valid points in ascending order, with the best one.
fn nodes(profile: &Profile) -> Vec<Node> {
    let node =
        |point: &ProfilePoint| Node { value: point.values[0], height: profile.height(point), slope: point.slopes[0] };
    let mut nodes: Vec<Node> = profile.points().iter().filter(|p| p.minimum.valid()).map(node).collect();
    let best = profile.best_values()[0];
    if nodes.iter().all(|node| node.value != best) {
        nodes.push(Node { value: best, height: 0.0, slope: 0.0 });
    }
    nodes.sort_by(|a, b| a.value.total_cmp(&b.value));
    nodes
}

/// Goes out on one side until the profile is above the highest level, then in doubled strides on to the bound, where
/// another minimum may lie. Returns why it did not get above.
fn cover(profile: &mut Profile, sign: f64, step: f64, height: f64) -> Option<Crossing> {
    let best = profile.best_values()[0];
    let (low, high) = profile.likelihood.options.bounds[profile.parameters()[0]];
    let bound = if sign < 0.0 { low } else { high };
    let known = nodes(profile);
    let outermost = if sign < 0.0 { known.first() } else { known.last() };
    let mut reached = outermost.map_or((best, 0.0), Node::place);
    if reached.1 < height {
        let mut inside = reached;
        // Walked at least as far again as the points have come.
        let first = inside.0 + sign * step.max(0.3 * (inside.0 - best).abs());
        match crossing::bracket(profile, &mut inside, first, bound, height) {
            Ok(outside) => reached = outside,
            Err(end) => return Some(end),
        }
    }
    for _ in 0..60 {
        let next = reached.0 + (reached.0 - best);
        let next = if sign < 0.0 { next.max(bound) } else { next.min(bound) };
        let done = next == reached.0 || !next.is_finite();
        let Some(height) = (!done).then(|| crossing::height_at(profile, next)).flatten() else { break };
        reached = (next, height);
    }
    None
}

/// Between neighbours on one side of the level the curve may still come to the other: their slopes tell.
fn resolve_dips(profile: &mut Profile, height: f64) {
    for _ in 0..MOST_DIPS {
        let nodes = nodes(profile);
        let extremum = nodes.windows(2).find_map(|pair| turning_point(pair[0], pair[1], height));
        let Some(value) = extremum else { return };
        if crossing::height_at(profile, value).is_none() {
            return;
        }
    }
}

/// Where the cubic through two points with their slopes crosses a height that both are below or above.
pub(crate) fn turning_point(a: Node, b: Node, height: f64) -> Option<f64> {
    let width = b.value - a.value;
    if (a.height < height) != (b.height < height) || width <= 1e-6 * (a.value.abs() + b.value.abs()) {
        return None;
    }
    (1..8).map(|k| f64::from(k) / 8.0).find_map(|t| {
        let beyond = (hermite(a, b, t) < height) != (a.height < height);
        beyond.then_some(a.value + t * width)
    })
}

/// The cubic through two points with their slopes, at a part t of the way from the first to the second.
fn hermite(a: Node, b: Node, t: f64) -> f64 {
    let width = b.value - a.value;
    let u = 1.0 - t;
    a.height * u * u * (1.0 + 2.0 * t)
        + b.height * t * t * (3.0 - 2.0 * t)
        + width * t * u * (u * a.slope - t * b.slope)
}

/// The intervals between crossings of the curve; `ends` say why it does not rise above the level on either side.
fn intervals(profile: &mut Profile, height: f64, ends: &[Option<Crossing>; 2]) -> Vec<Interval> {
    let nodes = nodes(profile);
    let inside = |node: &Node| node.height < height;
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return Vec::new() };
    let mut intervals = Vec::new();
    let mut lower = inside(first).then(|| open_end(first, &ends[0]));
    for pair in nodes.windows(2) {
        if inside(&pair[0]) == inside(&pair[1]) {
            continue;
        }
        let (below, above) = if inside(&pair[0]) { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
        let crossing = crossing::between(profile, below.place(), above.place(), height);
        let value = if let Crossing::At(value) = crossing { value } else { below.value };
        let end = End { value, crossing };
        match lower.take() {
            None => lower = Some(end),
            Some(lower) => intervals.push(Interval { lower, upper: end }),
        }
    }
    if let Some(lower) = lower {
        intervals.push(Interval { lower, upper: open_end(last, &ends[1]) });
    }
    intervals
}

fn open_end(node: &Node, why: &Option<Crossing>) -> End {
    let crossing = why.clone().unwrap_or(Crossing::Jump { value: node.value });
    End { value: node.value, crossing }
}
