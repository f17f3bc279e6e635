//! Steps between two Hessians: quasi-Newton steps in the metric of the last one (limited-memory BFGS). Where means are
//! quadratic in many coefficients, a gradient costs a small part of a Hessian and valleys are curved: a Newton step alone
//! goes a little way, and most of the time would go into Hessians (spec/rationale.md, "Minimiser").

use super::{Minimizer, POLISH};
use crate::kernel::Evaluator;
use crate::program::PreparedData;
use std::collections::VecDeque;

/// Gradients between two Hessians, at most.
const MOST_GRADIENTS: usize = 40;

/// Pairs of steps and differences of gradients that are kept.
const MOST_PAIRS: usize = 20;

/// Cosine of the angle between step and difference below which a pair tells no curvature.
const LEAST_COSINE: f64 = 1e-10;

/// A step and the difference of the gradients at its ends.
#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    difference: Vec<f64>,
    product: f64,
}

/// The last pairs, the newest at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs(VecDeque<Pair>);

impl Pairs {
    /// Takes a pair of what is free, if it shows positive curvature.
    fn add(&mut self, step: Vec<f64>, difference: Vec<f64>) {
        let product = dot(&step, &difference);
        if product > LEAST_COSINE * (dot(&step, &step) * dot(&difference, &difference)).sqrt() {
            if self.0.len() == MOST_PAIRS {
                self.0.pop_front();
            }
            self.0.push_back(Pair { step, difference, product });
        }
    }

    /// B⁻¹ x in place, with `solve` for the inverse of the metric.
    fn apply(&self, x: &mut [f64], solve: impl FnOnce(&mut [f64])) {
        let mut shares = Vec::with_capacity(self.0.len());
        for pair in self.0.iter().rev() {
            let share = dot(&pair.step, x) / pair.product;
            add(-share, &pair.difference, x);
            shares.push(share);
        }
        solve(x);
        for (pair, share) in self.0.iter().zip(shares.iter().rev()) {
            let other = dot(&pair.difference, x) / pair.product;
            add(share - other, &pair.step, x);
        }
    }
}

impl Minimizer {
    /// From `trial`, to which the step from `theta` has led, on with the factors of `theta`, as long as the same
    /// parameters are free; `theta`, its value and its gradient are then where that ends, no matrix being known there.
    pub(super) fn follow(&mut self, evaluator: &mut Evaluator, data: &PreparedData, limits: &super::Limits) {
        let free: Vec<usize> = (0..self.theta.len()).filter(|&i| self.free[i]).collect();
        let mut pairs = Pairs::default();
        self.go(&free, &mut pairs);
        let mut n_gradients = 0;
        while n_gradients < MOST_GRADIENTS && self.is_free_alike(limits) {
            self.step.fill(0.0);
            free.iter().for_each(|&i| self.step[i] = -self.gradient[i]);
            let (system, free_flags) = (&mut self.system, &self.free);
            pairs.apply(&mut self.step, |x| {
                if let super::System::Direct(system) = system {
                    system.solve(evaluator.program, free_flags, x);
                }
            });
            let slope = dot(&self.step, &self.gradient);
            if slope.is_nan() || slope >= -2.0 * POLISH * POLISH * limits.edm_tolerance {
                return;
            }
            let (length, on_bound) = self.room(limits);
            let Some((tried, shortened)) = self.descend(evaluator, data, slope, length) else { return };
            n_gradients += tried;
            self.go(&free, &mut pairs);
            if on_bound && !shortened {
                return;
            }
        }
    }

    /// Moves to `trial`, where value and gradient are already known.
    fn go(&mut self, free: &[usize], pairs: &mut Pairs) {
        let mut step = vec![0.0; self.theta.len()];
        let mut difference = step.clone();
        for &i in free {
            step[i] = self.trial[i] - self.theta[i];
            difference[i] = self.trial_gradient[i] - self.gradient[i];
        }
        pairs.add(step, difference);
        std::mem::swap(&mut self.theta, &mut self.trial);
        std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
    }

    /// The metric is that of the parameters that are free: no other one may have become free, none be on its bound.
    fn is_free_alike(&self, limits: &super::Limits) -> bool {
        (0..self.theta.len()).all(|i| self.free[i] == limits.lets_move(i, self.theta[i], self.gradient[i]))
    }

    /// How far the step may go within the bounds, at most 1, and whether a bound ends it.
    fn room(&self, limits: &super::Limits) -> (f64, bool) {
        let mut length: f64 = 1.0;
        let mut on_bound = false;
        for (i, (x, step)) in self.theta.iter().zip(&self.step).enumerate() {
            let (low, high) = limits.bounds[i];
            let bound = if *step < 0.0 { low } else { high };
            let most = (bound - x) / step;
            if *step != 0.0 && most < length {
                (length, on_bound) = (most.max(0.0), true);
            }
        }
        (length, on_bound)
    }

    /// Looks for a lower place along `step`, of which so much may be taken; it is left in `trial`, with value and gradient.
    /// Returns how many gradients that took, and whether not all was taken.
    fn descend(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        slope: f64,
        length: f64,
    ) -> Option<(usize, bool)> {
        let mut t = length;
        for attempt in 1..=4 {
            for ((trial, x), step) in self.trial.iter_mut().zip(&self.theta).zip(&self.step) {
                *trial = x + t * step;
            }
            self.evaluations += 1;
            let value = evaluator.gradient(&self.trial, data, &mut self.trial_gradient) - 2.0 * data.constant;
            if value <= self.value + 1e-4 * t * slope {
                self.value = value;
                return Some((attempt, t < length));
            }
            let bend = value - self.value - t * slope;
            t = if value.is_finite() { (-0.5 * slope * t * t / bend).clamp(0.1 * t, 0.5 * t) } else { 0.3 * t };
        }
        None
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn add(a: f64, x: &[f64], to: &mut [f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += a * x);
}
