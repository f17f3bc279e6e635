//! The profile likelihood along one or more parameters: conditional minima that warm-start one another
//! (spec/inference.md, "Profile").

use super::fit::Hesse;
use super::likelihood::{Likelihood, Minimum};

/// A minimum is lower than another by more than this, in `twice_nll`.
pub const LOWER: f64 = 1e-7;

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
}

impl ProfilePoint {
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
        Profile::with_best(likelihood, parameters, best)
    }

    /// As [`Profile::new`] where the minimum is known.
    pub fn with_best(likelihood: Likelihood<'p>, parameters: &[usize], best: Minimum) -> Profile<'p> {
        let widths = vec![1.0; parameters.len()];
        Profile { likelihood, parameters: parameters.to_vec(), widths, best, first_minimum: None, points: Vec::new() }
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
        let start = self.predicted(values);
        let mut minimum = self.minimum_from(&start, values);
        if !minimum.valid() {
            let fresh = self.likelihood.conditional_fit(&self.held(values));
            if fresh.valid() || fresh.twice_nll < minimum.twice_nll {
                minimum = fresh;
            }
        }
        self.insert(values, minimum)
    }

    /// Looks for a lower minimum at `values` from the model's own start, with restarts; true where there is one.
    pub fn confirm(&mut self, values: &[f64]) -> bool {
        let known = self.at(values);
        let fresh = self.likelihood.conditional_fit(&self.held(values));
        self.replace_if_lower(&known, fresh)
    }

    /// Looks for a lower minimum at `values` from another start (n_parameters); true where there is one.
    pub fn improve_from(&mut self, values: &[f64], start: &[f64]) -> bool {
        let known = self.at(values);
        let fresh = self.minimum_from(start, values);
        self.replace_if_lower(&known, fresh)
    }

    /// Offers the minimum at `values` to all other points; true where one became lower.
    pub fn hand_on(&mut self, values: &[f64]) -> bool {
        let start = self.at(values).minimum.parameters;
        let others: Vec<Vec<f64>> = self.points.iter().map(|point| point.values.clone()).collect();
        let improved = others.iter().filter(|other| *other != values && self.improve_from(other, &start));
        improved.count() > 0
    }

    fn replace_if_lower(&mut self, known: &ProfilePoint, fresh: Minimum) -> bool {
        // Not <: a value that is not a number is worse than any.
        if !(fresh.valid() && (!known.minimum.valid() || fresh.twice_nll < known.minimum.twice_nll - LOWER)) {
            return false;
        }
        self.points.retain(|point| point.values != known.values);
        self.insert(&known.values, fresh);
        true
    }

    fn held(&self, values: &[f64]) -> Vec<(usize, f64)> {
        self.parameters.iter().copied().zip(values.iter().copied()).collect()
    }

    fn minimum_from(&mut self, start: &[f64], values: &[f64]) -> Minimum {
        let held = self.held(values);
        self.likelihood.minimum_from(start, &held)
    }

    /// Adds the minimum that the likelihood has just found.
    fn insert(&mut self, values: &[f64], minimum: Minimum) -> ProfilePoint {
        let point = self.describe(values, minimum);
        self.add(point.clone());
        point
    }

    /// Slopes and tangents at the minimum that the likelihood has just found.
    fn describe(&mut self, values: &[f64], minimum: Minimum) -> ProfilePoint {
        let gradient = self.likelihood.gradient_at_minimum();
        let slopes = self.parameters.iter().map(|&i| gradient[i]).collect();
        let likelihood = &mut self.likelihood;
        let valid = minimum.valid();
        let tangents = self.parameters.iter().map(|&i| if valid { likelihood.tangent(i) } else { None }).collect();
        ProfilePoint { values: values.to_vec(), minimum, slopes, tangents }
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

    /// Where the conditional minimum is expected: the nearest known one moved along its tangents.
    fn predicted(&self, values: &[f64]) -> Vec<f64> {
        let distance = |from: &[f64]| -> f64 {
            from.iter().zip(values).zip(&self.widths).map(|((x, y), w)| ((x - y) / w).powi(2)).sum()
        };
        let valid = self.points.iter().filter(|point| point.minimum.valid());
        let nearest = valid.min_by(|a, b| distance(&a.values).total_cmp(&distance(&b.values)));
        let from_best = distance(&self.best_values());
        let Some(nearest) = nearest.filter(|point| distance(&point.values) <= from_best || !self.best.valid()) else {
            return self.best.parameters.clone();
        };
        let mut start = nearest.minimum.parameters.clone();
        for ((value, from), tangent) in values.iter().zip(&nearest.values).zip(&nearest.tangents) {
            for (x, slope) in start.iter_mut().zip(tangent.iter().flatten()) {
                *x += slope * (value - from);
            }
        }
        start
    }
}
