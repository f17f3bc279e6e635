//! Many points at once: eight points in the lanes of a register, groups of eight over the threads.
//!
//! The equations are those of `expected`, `value`, `gradient` and `hessian`; here a lane is a point with data of its
//! own, there it is a row, a cell or a bin. Each point's sums run in one fixed order, so results depend neither on its
//! neighbours nor on the threads.

mod data;
mod evaluate;
mod factor;
mod hessian;

pub(crate) use data::LaneData;
pub(crate) use evaluate::evaluate;
pub(crate) use factor::{Factor, factorize, solve};
pub(crate) use hessian::{Parts, Pattern, Work, combine, multiply, second_order};

use super::Evaluator;
use super::expected::Order;
use super::scratch::ZERO_FACTOR;
use super::simd::{Backend, Lanes, ZERO};
use crate::program::{PreparedData, Program};
use rayon::prelude::*;

/// `twice_nll` at many points, and where `gradients` is given their gradients (both in point order).
pub(super) fn run(
    backend: Backend,
    program: &Program,
    data: &PreparedData,
    points: &[f64],
    values: &mut [f64],
    gradients: Option<&mut [f64]>,
) {
    let n = program.n_parameters();
    if !program.runs_in_lanes() {
        return one_by_one(backend, program, data, points, values, gradients);
    }
    let constant = 2.0 * data.constant;
    let data = LaneData::one_for_all(data);
    let one_group = |scratch: &mut Batch, points: &[f64], values: &mut [f64], gradients: &mut [f64]| {
        let order = if gradients.is_empty() { Order::Value } else { Order::First };
        scratch.set_points(program, points);
        let mut sums = ZERO;
        evaluate(backend, program, &data, scratch, order, &mut sums);
        for (value, sum) in values.iter_mut().zip(sums.0) {
            *value = 2.0 * sum + constant;
        }
        if order == Order::First {
            evaluate::gradients(backend, program, &data, scratch);
        }
        for (lane, gradient) in gradients.chunks_exact_mut(n).enumerate() {
            for (g, lanes) in gradient.iter_mut().zip(&scratch.gradient) {
                *g = if sums.0[lane].is_finite() { 2.0 * lanes.0[lane] } else { 0.0 };
            }
        }
    };
    let groups = points.par_chunks(8 * n).zip(values.par_chunks_mut(8));
    match gradients {
        Some(gradients) => groups.zip(gradients.par_chunks_mut(8 * n)).for_each_init(
            || Batch::new(program),
            |scratch, ((points, values), gradients)| one_group(scratch, points, values, gradients),
        ),
        None => groups.for_each_init(
            || Batch::new(program),
            |scratch, (points, values)| one_group(scratch, points, values, &mut []),
        ),
    }
}

/// Models with responses have no kernels in lanes: their points go one by one, in groups over the threads.
fn one_by_one(
    backend: Backend,
    program: &Program,
    data: &PreparedData,
    points: &[f64],
    values: &mut [f64],
    gradients: Option<&mut [f64]>,
) {
    let n = program.n_parameters();
    let evaluator = || Evaluator::with_backend(program, backend);
    let groups = points.par_chunks(8 * n).zip(values.par_chunks_mut(8));
    match gradients {
        Some(gradients) => {
            groups.zip(gradients.par_chunks_mut(8 * n)).for_each_init(
                evaluator,
                |one, ((points, values), gradients)| {
                    let each = points.chunks_exact(n).zip(values).zip(gradients.chunks_exact_mut(n));
                    each.for_each(|((point, value), gradient)| *value = one.gradient(point, data, gradient));
                },
            );
        }
        None => groups.for_each_init(evaluator, |one, (points, values)| {
            points.chunks_exact(n).zip(values).for_each(|(point, value)| *value = one.twice_nll(point, data));
        }),
    }
}

/// What one thread writes for eight points.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub theta: Vec<Lanes>,
    /// Parameters as factors, and their inverse.
    factors: Vec<Lanes>,
    inverse: Vec<Lanes>,
    /// s(α), q(α) of each histosys parameter with two derivatives.
    s: Vec<[Lanes; 3]>,
    q: Vec<[Lanes; 3]>,
    /// f′/f and f″/f of each factor of each row.
    log_derivatives: Vec<[Lanes; 2]>,
    template: Vec<Lanes>,
    scale: Vec<Lanes>,
    expected: Vec<Lanes>,
    /// ∂(−ln L)/∂θ.
    pub gradient: Vec<Lanes>,
}

impl Batch {
    pub fn new(program: &Program) -> Batch {
        let layout = &program.layout;
        let offsets = program.cells.offsets.len();
        Batch {
            theta: vec![ZERO; layout.n_parameters],
            factors: vec![ZERO; layout.n_parameters],
            inverse: vec![ZERO; layout.n_parameters],
            s: vec![[ZERO; 3]; offsets],
            q: vec![[ZERO; 3]; offsets],
            log_derivatives: vec![[ZERO; 2]; program.rows.scales.len()],
            template: vec![ZERO; layout.n_cells],
            scale: vec![ZERO; layout.n_cells],
            expected: vec![ZERO; layout.n_bins],
            gradient: vec![ZERO; layout.n_parameters],
        }
    }

    /// Transposes up to eight points; missing ones repeat the first.
    fn set_points(&mut self, program: &Program, points: &[f64]) {
        let n = program.n_parameters();
        for lane in 0..8 {
            let point = points.chunks_exact(n).nth(lane).unwrap_or(&points[..n]);
            for (theta, &x) in self.theta.iter_mut().zip(point) {
                theta.0[lane] = x;
            }
        }
        self.take_in(program);
    }

    /// Everything that follows from `theta` without the data of the model.
    pub fn take_in(&mut self, program: &Program) {
        for ((theta, factor), inverse) in self.theta.iter().zip(&mut self.factors).zip(&mut self.inverse) {
            for lane in 0..8 {
                factor.0[lane] = if theta.0[lane] == 0.0 { ZERO_FACTOR } else { theta.0[lane] };
                inverse.0[lane] = 1.0 / factor.0[lane];
            }
        }
        for (&(parameter, code), (s, q)) in program.cells.offsets.iter().zip(self.s.iter_mut().zip(&mut self.q)) {
            for (lane, &alpha) in self.theta[parameter as usize].0.iter().enumerate() {
                for (to, jet) in [(&mut *s, code.s(alpha)), (&mut *q, code.q(alpha))] {
                    to[0].0[lane] = jet.value;
                    to[1].0[lane] = jet.first;
                    to[2].0[lane] = jet.second;
                }
            }
        }
    }
}
