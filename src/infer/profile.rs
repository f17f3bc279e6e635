//! The profile likelihood along one or more parameters: conditional minima that warm-start one another
//! (spec/inference.md, "Profile").

mod march;

use super::certificate::{Certificate, active_bounds};
use super::fit::Hesse;
use super::likelihood::{Likelihood, Minimum};

/// A minimum is lower than another by more than this, in `twice_nll`.
pub const LOWER: f64 = 1e-7;

/// Minima whose `twice_nll` differ by less were led to by starts that agree.
const AGREE: f64 = 1e-6;

/// Conditional minima of two branches that differ by less than this part of the widths have become one.
const MERGED: f64 = 1e-3;

/// Values of a held parameter are one if they differ by less than this part of them.
const MIRROR: f64 = 1e-7;

/// Branches that are followed besides those that come from minima, at most.
const MOST_BRANCHES: usize = 16;

/// Conditional minima along `parameters`, and the unconditional minimum to which they refer.
#[derive(Clone, Debug)]
pub struct Profile<'p> {
    pub likelihood: Likelihood<'p>,
    parameters: Vec<usize>,
    /// What makes distances along the parameters comparable.
    widths: Vec<f64>,
    best: Minimum,
    /// `twice_nll` of the first minimum, where a point of the profile led to a lower one.
    first_minimum: Option<f64>,
    points: Vec<ProfilePoint>,
    /// What is continued from each of several minima; empty where only one is looked for.
    branches: Vec<Vec<ProfilePoint>>,
    /// How many of the branches began at a minimum of all parameters.
    n_minima: usize,
    /// Over which distances the likelihood changes at the best minimum; only with branches.
    curvature_widths: Vec<f64>,
}

/// The minimum with the profile's parameters held.
#[derive(Clone, Debug)]
pub struct ProfilePoint {
    /// Of the held parameters, in the profile's order.
    pub values: Vec<f64>,
    pub minimum: Minimum,
    /// ∂`twice_nll`/∂(held parameter) along the profile.
    pub slopes: Vec<f64>,
    /// dθ̂/d(held parameter), where the Hessian allows it.
    tangents: Vec<Option<Vec<f64>>>,
    /// The branch from which it was continued; `None` where a fit afresh has found it.
    pub branch: Option<usize>,
    /// Starts that were tried, and those that led to this minimum.
    pub n_starts: u32,
    pub n_agree: u32,
    /// As the same place on an earlier branch.
    merged: bool,
}

impl ProfilePoint {
    /// Takes another minimum of the same values where it is lower, and counts the starts. True where it is.
    pub(crate) fn offer(&mut self, other: ProfilePoint) -> bool {
        let (mine, theirs) = (self.minimum.twice_nll, other.minimum.twice_nll);
        self.n_starts += other.n_starts;
        if !other.minimum.valid() {
            return false;
        }
        // Not <: a value that is not a number is worse than any.
        let lower = !self.minimum.valid() || theirs < mine - LOWER;
        let agree = self.minimum.valid() && (theirs - mine).abs() <= AGREE;
        let (n_starts, n_agree) = (self.n_starts, self.n_agree);
        if lower {
            *self = ProfilePoint { n_starts, n_agree: other.n_agree + if agree { n_agree } else { 0 }, ..other };
        } else if agree {
            self.n_agree += other.n_agree;
        }
        lower
    }

    /// Forgets where neighbouring minima are expected, which takes more memory than all the rest.
    pub(crate) fn without_tangents(mut self) -> ProfilePoint {
        self.tangents = Vec::new();
        self
    }
}

impl<'p> Profile<'p> {
    /// Fits once, for the minimum to which the profile refers.
    pub fn new(mut likelihood: Likelihood<'p>, parameters: &[usize]) -> Profile<'p> {
        let best = likelihood.fit(Hesse::No).into();
        Profile::with_best(likelihood, parameters, best).with_all_minima()
    }

    /// As [`Profile::new`] where the minimum is known.
    pub fn with_best(likelihood: Likelihood<'p>, parameters: &[usize], best: Minimum) -> Profile<'p> {
        let widths = vec![1.0; parameters.len()];
        Profile {
            likelihood,
            parameters: parameters.to_vec(),
            widths,
            best,
            first_minimum: None,
            points: Vec::new(),
            branches: Vec::new(),
            n_minima: 0,
            curvature_widths: Vec::new(),
        }
    }

    /// Continues the profile from every minimum that other starts find, where samples respond to coefficients.
    pub fn with_all_minima(mut self) -> Profile<'p> {
        let minima = self.likelihood.minima(&self.best);
        self.with_minima(&minima)
    }

    /// Continues the profile from each of these minima, the best one first. Where one is alone it is the nearest known
    /// point that is continued.
    pub fn with_minima(mut self, minima: &[Minimum]) -> Profile<'p> {
        if !self.likelihood.program().has_responses() {
            return self;
        }
        let minima = &self.without_mirrors(minima)[..];
        self.n_minima = minima.len();
        // The last run tells the widths.
        self.minimum_from_anywhere();
        self.curvature_widths = self.likelihood.widths();
        let seed = |(branch, minimum): (usize, &Minimum)| {
            let values = self.parameters.iter().map(|&i| minimum.parameters[i]).collect();
            let (slopes, tangents) = (vec![0.0; self.parameters.len()], vec![None; self.parameters.len()]);
            let branch = Some(branch);
            let minimum = minimum.clone();
            vec![ProfilePoint { values, minimum, slopes, tangents, branch, n_starts: 1, n_agree: 1, merged: false }]
        };
        self.branches = minima.iter().enumerate().map(seed).collect();
        minima.iter().for_each(|minimum| self.refer_to(minimum));
        self
    }

    /// Of minima with one value of `twice_nll` and of the held parameters, which a symmetry of the likelihood makes, one.
    fn without_mirrors(&self, minima: &[Minimum]) -> Vec<Minimum> {
        let is_mirror = |a: &Minimum, b: &Minimum| {
            let one = |i: &usize| {
                let (x, y) = (a.parameters[*i], b.parameters[*i]);
                (x - y).abs() <= MIRROR * x.abs().max(y.abs())
            };
            (a.twice_nll - b.twice_nll).abs() <= LOWER && self.parameters.iter().all(one)
        };
        let mut kept: Vec<Minimum> = Vec::with_capacity(minima.len());
        for minimum in minima {
            if !kept.iter().any(|other| is_mirror(other, minimum)) {
                kept.push(minimum.clone());
            }
        }
        kept
    }

    /// The held values of the minima that are continued, the best one's first.
    pub fn minima_values(&self) -> Vec<Vec<f64>> {
        self.branches.iter().take(self.n_minima).filter_map(|branch| Some(branch.first()?.values.clone())).collect()
    }

    /// The minima that are continued: held values and `twice_nll`, the best one first.
    pub fn minima(&self) -> impl Iterator<Item = (&[f64], f64)> {
        let seeds = self.branches.iter().take(self.n_minima).filter_map(|branch| branch.first());
        seeds.map(|seed| (seed.values.as_slice(), seed.minimum.twice_nll))
    }

    /// What tells that a point with a minimum is one.
    pub fn certificate(&mut self, point: &ProfilePoint) -> Certificate {
        let (held, n_minima) = (self.parameters.clone(), self.n_minima.max(1));
        Certificate::new(&mut self.likelihood, &held, point, n_minima)
    }

    /// Scales of the parameters by which neighbours are told: uncertainties, for instance.
    pub fn set_widths(&mut self, widths: &[f64]) {
        self.widths = widths.iter().map(|w| if *w > 0.0 { *w } else { 1.0 }).collect();
    }

    /// The parameters held.
    pub fn parameters(&self) -> &[usize] {
        &self.parameters
    }

    /// The lowest unconditional minimum known.
    pub fn best(&self) -> &Minimum {
        &self.best
    }

    /// The best values of the profile's parameters.
    pub fn best_values(&self) -> Vec<f64> {
        self.parameters.iter().map(|&i| self.best.parameters[i]).collect()
    }

    /// `twice_nll` of the minimum before, where the profile has found a lower one: distances told earlier referred to it.
    pub fn first_minimum(&self) -> Option<f64> {
        self.first_minimum
    }

    /// The parameters that have no effect at the unconditional minimum or at one of the points, ascending.
    pub fn without_effect(&self) -> Vec<usize> {
        let minima = self.points.iter().map(|point| &point.minimum).chain([&self.best]);
        let mut parameters: Vec<usize> = minima.flat_map(|minimum| minimum.without_effect.iter().copied()).collect();
        parameters.sort_unstable();
        parameters.dedup();
        parameters
    }

    /// Every point so far, in the order in which they were asked for.
    pub fn points(&self) -> &[ProfilePoint] {
        &self.points
    }

    /// −2 Δ ln L at a point: its height above the lowest minimum known, never negative.
    pub fn height(&self, point: &ProfilePoint) -> f64 {
        (point.minimum.twice_nll - self.best.twice_nll).max(0.0)
    }

    /// The conditional minimum with the profile's parameters at `values`, from the nearest point known. A point lower than
    /// the unconditional minimum shows that there is a better one, which is then looked for.
    pub fn at(&mut self, values: &[f64]) -> ProfilePoint {
        if let Some(known) = self.points.iter().find(|point| point.values == values) {
            return known.clone();
        }
        let point = if self.branches.is_empty() { self.continued(values) } else { self.over_branches(values) };
        self.add(point.clone());
        point
    }

    /// The minimum to which the nearest known point leads; from restarts where that fails.
    fn continued(&mut self, values: &[f64]) -> ProfilePoint {
        let start = self.predicted(values);
        let mut point = self.solve(values, &start);
        point.branch = self.nearest(&self.points, values).map_or(Some(0), |nearest| nearest.branch);
        if point.minimum.valid() { point } else { self.afresh_or(values, point) }
    }

    /// What restarts find, with what else was found.
    fn afresh_or(&mut self, values: &[f64], mut point: ProfilePoint) -> ProfilePoint {
        let fresh = self.solve_afresh(values);
        // Of two points without a minimum the lower one tells better why.
        if !point.minimum.valid() && !fresh.minimum.valid() && fresh.minimum.twice_nll < point.minimum.twice_nll {
            return fresh;
        }
        point.offer(fresh);
        point
    }

    /// The lowest of the minima to which the branches lead; where that is another branch than that of the nearest known
    /// point, or other bounds hold, of those of restarts too.
    fn over_branches(&mut self, values: &[f64]) -> ProfilePoint {
        let before = self.nearest(&self.points, values).map(|point| (point.branch, self.active_bounds(point)));
        let mut lowest: Option<ProfilePoint> = None;
        let mut at_values: Vec<ProfilePoint> = Vec::new();
        for branch in 0..self.branches.len() {
            let Some(nearest) = self.nearest(&self.branches[branch], values) else { continue };
            // No place of a branch is lower than the minimum from which it comes.
            let seed = self.branches[branch].first().filter(|_| branch < self.n_minima);
            let is_above = |lowest: &ProfilePoint| {
                lowest.minimum.valid() && seed.is_some_and(|seed| seed.minimum.twice_nll > lowest.minimum.twice_nll)
            };
            if nearest.merged || lowest.as_ref().is_some_and(is_above) {
                continue;
            }
            let (near, start) = (nearest.minimum.parameters.clone(), self.moved(nearest, values));
            let mut point = self.solve(values, &start);
            if !point.minimum.valid() {
                point = self.solve(values, &near);
            }
            point.branch = Some(branch);
            let same = |other: &ProfilePoint| self.in_one_place(&point, other);
            point.merged = point.minimum.valid() && at_values.iter().any(same);
            at_values.push(point.clone());
            match &mut lowest {
                Some(lowest) => {
                    lowest.offer(point);
                }
                None => lowest = Some(point),
            }
        }
        for point in at_values.into_iter().filter(|point| point.minimum.valid()) {
            if let Some(branch) = point.branch {
                self.branches[branch].push(point);
            }
        }
        let Some(lowest) = lowest else { return self.continued(values) };
        let here = (lowest.branch, self.active_bounds(&lowest));
        if lowest.minimum.valid() && before.is_none_or(|before| before == here) {
            return lowest;
        }
        let point = self.afresh_or(values, lowest);
        if point.branch.is_none() { self.begin_branch(point) } else { point }
    }

    /// Follows what was found from elsewhere as a branch of its own.
    pub(crate) fn begin_branch(&mut self, mut point: ProfilePoint) -> ProfilePoint {
        let known = !self.branches.is_empty() && self.branches.len() < self.n_minima + MOST_BRANCHES;
        if known && point.minimum.valid() && point.branch.is_none() {
            point.branch = Some(self.branches.len());
            self.branches.push(vec![point.clone()]);
        }
        point
    }

    fn in_one_place(&self, a: &ProfilePoint, b: &ProfilePoint) -> bool {
        b.minimum.valid() && b.minimum.is_at(&a.minimum.parameters, &self.curvature_widths, MERGED)
    }

    fn active_bounds(&self, point: &ProfilePoint) -> Vec<usize> {
        active_bounds(&self.likelihood, &self.parameters, &point.minimum.parameters)
    }

    /// Runs to the best minimum, so that the likelihood tells about it.
    fn minimum_from_anywhere(&mut self) {
        let start = self.best.parameters.clone();
        self.likelihood.minimum_from(&start, &[]);
    }

    /// Looks for a lower minimum at `values` from the model's own start, with restarts; true where there is one.
    pub fn confirm(&mut self, values: &[f64]) -> bool {
        let known = self.at(values);
        let fresh = self.solve_afresh(values);
        self.replace_if_lower(known, fresh)
    }

    /// Looks for a lower minimum at `values` from another start (n_parameters); true where there is one.
    pub fn improve_from(&mut self, values: &[f64], start: &[f64]) -> bool {
        let known = self.at(values);
        let fresh = self.solve(values, start);
        self.replace_if_lower(known, fresh)
    }

    /// Offers the minimum at `values` to all other points; true where one became lower.
    pub fn hand_on(&mut self, values: &[f64]) -> bool {
        let start = self.at(values).minimum.parameters;
        let others: Vec<Vec<f64>> = self.points.iter().map(|point| point.values.clone()).collect();
        let improved = others.iter().filter(|other| *other != values && self.improve_from(other, &start));
        improved.count() > 0
    }

    fn replace_if_lower(&mut self, mut known: ProfilePoint, fresh: ProfilePoint) -> bool {
        let lower = known.offer(fresh);
        self.points.retain(|point| point.values != known.values);
        let point = if lower { self.begin_branch(known) } else { known };
        self.add(point);
        lower
    }

    fn held(&self, values: &[f64]) -> Vec<(usize, f64)> {
        self.parameters.iter().copied().zip(values.iter().copied()).collect()
    }

    fn minimum_from(&mut self, start: &[f64], values: &[f64]) -> Minimum {
        let held = self.held(values);
        self.likelihood.minimum_from(start, &held)
    }

    /// Slopes and tangents at the minimum that the likelihood has just found.
    fn describe(&mut self, values: &[f64], minimum: Minimum) -> ProfilePoint {
        let gradient = self.likelihood.gradient_at_minimum();
        let slopes = self.parameters.iter().map(|&i| gradient[i]).collect();
        let likelihood = &mut self.likelihood;
        let valid = minimum.valid();
        let tangents = self.parameters.iter().map(|&i| if valid { likelihood.tangent(i) } else { None }).collect();
        let (n_starts, n_agree) = (1, u32::from(valid));
        let values = values.to_vec();
        ProfilePoint { values, minimum, slopes, tangents, branch: None, n_starts, n_agree, merged: false }
    }

    /// The conditional minimum to which a start leads; it is not added to the points.
    pub fn solve(&mut self, values: &[f64], start: &[f64]) -> ProfilePoint {
        let minimum = self.minimum_from(start, values);
        self.describe(values, minimum)
    }

    /// The lowest conditional minimum that restarts find; it is not added to the points.
    pub fn solve_afresh(&mut self, values: &[f64]) -> ProfilePoint {
        let minimum = self.likelihood.conditional_fit(&self.held(values));
        self.describe(values, minimum)
    }

    /// Takes the points out.
    pub fn take_points(&mut self) -> Vec<ProfilePoint> {
        std::mem::take(&mut self.points)
    }

    /// Adds a point of the same profile, found elsewhere.
    pub fn add(&mut self, point: ProfilePoint) {
        if point.minimum.valid() && point.minimum.twice_nll < self.best.twice_nll - LOWER && self.within_bounds(&point)
        {
            self.lower_best(&point.minimum);
        }
        self.points.push(point);
    }

    /// A point outside of the bounds is no minimum that a fit may choose, however low it is.
    fn within_bounds(&self, point: &ProfilePoint) -> bool {
        let bounds = &self.likelihood.options.bounds;
        let mut values = self.parameters.iter().zip(&point.values);
        values.all(|(&i, value)| (bounds[i].0..=bounds[i].1).contains(value))
    }

    /// Adds the points of the same profile that another thread has found, and takes over its lower minimum.
    pub fn absorb(&mut self, other: Profile<'p>) {
        self.refer_to(&other.best);
        self.points.extend(other.points);
        for (branch, points) in other.branches.into_iter().enumerate() {
            // What the other has begun is a branch of its own here.
            match self.branches.get_mut(branch).filter(|_| branch < self.n_minima) {
                Some(known) => known.extend(points.into_iter().skip(1)),
                None => self.branches.push(points),
            }
        }
    }

    /// Takes over an unconditional minimum found elsewhere, where it is lower.
    pub fn refer_to(&mut self, best: &Minimum) {
        if best.valid() && best.twice_nll < self.best.twice_nll - LOWER {
            self.first_minimum = self.first_minimum.or(Some(self.best.twice_nll));
            self.best = best.clone();
        }
    }

    /// The unconditional minimum below a point that lies lower than the one known.
    fn lower_best(&mut self, point: &Minimum) {
        let minimum = self.likelihood.minimum_from(&point.parameters, &[]);
        self.first_minimum = self.first_minimum.or(Some(self.best.twice_nll));
        self.best = if minimum.valid() && minimum.twice_nll <= point.twice_nll { minimum } else { point.clone() };
    }

    /// How far apart two places of the profile are, squared.
    fn distance(&self, from: &[f64], to: &[f64]) -> f64 {
        from.iter().zip(to).zip(&self.widths).map(|((x, y), w)| ((x - y) / w).powi(2)).sum()
    }

    /// The nearest of some points that have a minimum.
    fn nearest<'a>(&self, points: &'a [ProfilePoint], values: &[f64]) -> Option<&'a ProfilePoint> {
        let valid = points.iter().filter(|point| point.minimum.valid());
        valid.min_by(|a, b| self.distance(&a.values, values).total_cmp(&self.distance(&b.values, values)))
    }

    /// Where the conditional minimum is expected: the nearest known one moved along its tangents.
    fn predicted(&self, values: &[f64]) -> Vec<f64> {
        let from_best = self.distance(&self.best_values(), values);
        let nearest = self.nearest(&self.points, values);
        let is_nearer = |point: &&ProfilePoint| self.distance(&point.values, values) <= from_best;
        match nearest.filter(|point| is_nearer(point) || !self.best.valid()) {
            Some(nearest) => self.moved(nearest, values),
            None => self.best.parameters.clone(),
        }
    }

    /// The minimum of a point moved along its tangents to other values.
    fn moved(&self, point: &ProfilePoint, values: &[f64]) -> Vec<f64> {
        let mut start = point.minimum.parameters.clone();
        for ((value, from), tangent) in values.iter().zip(&point.values).zip(&point.tangents) {
            for (x, slope) in start.iter_mut().zip(tangent.iter().flatten()) {
                *x += slope * (value - from);
            }
        }
        start
    }
}
