//! Integrals whose integrand has a peak far narrower than the range that the quadrature does not see (spec/hs3.md,
//! section 6).

use super::builder::{Builder, Id};
use super::density::Range;
use super::likelihood::Parameter;
use super::maker::Maker;
use super::program::{Program, Sum};
use crate::finding::{Finding, number, quote};
use crate::rule;
use std::collections::BTreeMap;

/// Points of all integrals, and of one, at which peaks are looked for.
const ALL_POINTS: usize = 1 << 18;
const POINTS: (usize, usize) = (1 << 12, 1 << 16);

/// A sum over these points that is so much above the integral is a suspicion.
const SUSPICION: f64 = 1.02;

/// What an integral may be off by.
const WRONG: f64 = 1e-6;

impl Maker<'_> {
    /// Integrals over one variate that miss a peak where the parameters start.
    pub(super) fn missed_peaks(&mut self, parameters: &[Parameter]) -> Vec<Finding> {
        let theta: Vec<f64> = parameters.iter().map(|parameter| parameter.value).collect();
        let of_one = |i: &usize| {
            let integral = &self.builder.integrals[*i];
            matches!(integral.over[..], [(o, ..)] if self.builder.observables_of(integral.integrand) == [o])
        };
        let all: Vec<usize> = (0..self.builder.integrals.len()).filter(of_one).collect();
        let points = (ALL_POINTS / all.len().max(1)).clamp(POINTS.0, POINTS.1);
        let most = ALL_POINTS / POINTS.0;
        all.into_iter().take(most).filter_map(|i| self.missed_peak(i, points, &theta)).collect()
    }

    fn missed_peak(&mut self, index: usize, points: usize, theta: &[f64]) -> Option<Finding> {
        let integral = self.builder.integrals[index].clone();
        let &[(observable, low, high)] = integral.over.as_slice() else { return None };
        let step = (high - low) / points as f64;
        let grid: Vec<f64> = (0..points).map(|i| low + (i as f64 + 0.5) * step).collect();
        let data = BTreeMap::from([(observable, grid.clone())]);
        let sum = Sum { column: integral.integrand, data, weights: vec![1.0; points] };
        let program = Program::compile(&self.builder, &[], &[sum]);
        let mut column = program.column(theta, &mut program.scratch());
        column.truncate(points);
        let sum = column.iter().sum::<f64>() * step;
        let place = column.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i)?;
        let mut part = |from: f64, to: f64| match from < to {
            true => value(&mut self.builder, integral.integrand, (observable, from, to), theta),
            false => 0.0,
        };
        let whole = part(low, high);
        if !(sum > SUSPICION * whole && sum.is_finite()) {
            return None;
        }
        let (left, right) = ((grid[place] - step).max(low), (grid[place] + step).min(high));
        let better = part(low, left) + part(left, grid[place]) + part(grid[place], right) + part(right, high);
        if (better - whole).abs() <= WRONG * better.abs() {
            return None;
        }
        let name = self.builder.observables.get(observable).map_or("", String::as_str);
        let found = format!("a peak at {} = {} that an integral misses", quote(name), number(grid[place]));
        let expected = "a range of the variate near the peak, or a type of density that says where its peak is";
        let at = self.integral_places.get(index).cloned().unwrap_or_default();
        Some(Finding::new(&rule::HS3_UNSUPPORTED, found, expected).at(at))
    }
}

fn value(builder: &mut Builder, integrand: Id, over: Range, theta: &[f64]) -> f64 {
    let integral = builder.integral(integrand, vec![over]);
    let program = Program::compile(builder, &[integral], &[]);
    let mut value = [f64::NAN];
    program.outputs(theta, &mut value, &mut program.scratch());
    value[0]
}
