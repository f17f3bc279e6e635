//! Many points at once: eight points in the lanes of a register, groups of eight over the threads.
//!
//! The equations are those of `expected`, `value` and `gradient`; here a lane is a point, there it is a row, a cell or a
//! bin. Each point's sums run in one fixed order, so results depend neither on its neighbours nor on the threads.

use rayon::prelude::*;

use super::scratch::{TINY, ZERO_FACTOR};
use super::simd::{Backend, Lanes, Simd, ZERO, entry_point, flat};
use crate::model::HistosysCode;
use crate::program::{ChannelLayout, PreparedData, Program, RowScale};

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
    let constant = 2.0 * data.constant;
    let one_group = |scratch: &mut Batch, points: &[f64], values: &mut [f64], gradients: &mut [f64]| {
        scratch.set_points(program, points);
        let mut sums = ZERO;
        evaluate(backend, program, data, scratch, !gradients.is_empty(), &mut sums);
        for (value, sum) in values.iter_mut().zip(sums.0) {
            *value = 2.0 * sum + constant;
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

/// What one thread writes for eight points.
pub(super) struct Batch {
    theta: Vec<Lanes>,
    factors: Vec<Lanes>,
    s: Vec<[Lanes; 2]>,
    q: Vec<[Lanes; 2]>,
    template: Vec<Lanes>,
    scale: Vec<Lanes>,
    expected: Vec<Lanes>,
    gradient: Vec<Lanes>,
}

impl Batch {
    fn new(program: &Program) -> Batch {
        let layout = &program.layout;
        let offsets = program.cells.offsets.len();
        Batch {
            theta: vec![ZERO; layout.n_parameters],
            factors: vec![ZERO; layout.n_parameters],
            s: vec![[ZERO; 2]; offsets],
            q: vec![[ZERO; 2]; offsets],
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
            for ((theta, factor), &x) in self.theta.iter_mut().zip(&mut self.factors).zip(point) {
                theta.0[lane] = x;
                factor.0[lane] = if x == 0.0 { ZERO_FACTOR } else { x };
            }
        }
        for (index, &(parameter, code)) in program.cells.offsets.iter().enumerate() {
            self.set_offset(index, code, self.theta[parameter as usize]);
        }
    }

    fn set_offset(&mut self, index: usize, code: HistosysCode, alpha: Lanes) {
        for (lane, &alpha) in alpha.0.iter().enumerate() {
            let (s, q) = (code.s(alpha), code.q(alpha));
            self.s[index][0].0[lane] = s.value;
            self.s[index][1].0[lane] = s.first;
            self.q[index][0].0[lane] = q.value;
            self.q[index][1].0[lane] = q.first;
        }
    }
}

entry_point! {
    /// Reduced −ln L of eight points to `sums`; with `derivatives` also their gradients.
    evaluate = evaluate_body(
        program: &Program,
        data: &PreparedData,
        batch: &mut Batch,
        derivatives: bool,
        sums: &mut Lanes,
    )
}

#[inline(always)]
fn evaluate_body<S: Simd>(
    program: &Program,
    data: &PreparedData,
    batch: &mut Batch,
    derivatives: bool,
    sums: &mut Lanes,
) {
    batch.expected.fill(ZERO);
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            add_row::<S>(program, batch, channel, row);
        }
    }
    let mut sum = S::splat(0.0);
    for bin in 0..program.layout.n_bins {
        let mut nu = S::load(&batch.expected[bin]);
        if let Some(clip) = program.clip_bin {
            nu = nu.select_less(S::splat(clip), S::splat(clip), nu);
            nu.store(&mut batch.expected[bin]);
        }
        let negative_allowed = program.pyhf_domain;
        sum = sum.add(count_term::<S>(nu, data.count(bin), negative_allowed));
    }
    for (index, &(parameter, factor, _)) in program.constraints.poissons.iter().enumerate() {
        let nu = S::splat(factor).mul(S::load(&batch.theta[parameter as usize]));
        sum = sum.add(count_term::<S>(nu, data.count(program.layout.n_bins + index), false));
    }
    let auxdata = flat(&data.gaussian);
    for (&(parameter, sigma, _), auxdata) in program.constraints.gaussians.iter().zip(auxdata) {
        let pull = S::load(&batch.theta[parameter as usize]).sub(S::splat(*auxdata)).mul(S::splat(1.0 / sigma));
        sum = pull.mul(S::splat(0.5)).fma(pull, sum);
    }
    sum.store(sums);
    for value in &mut sums.0 {
        if value.is_nan() {
            *value = f64::INFINITY;
        }
    }
    if derivatives {
        gradients::<S>(program, data, batch);
    }
}

/// ν − n − n ln(ν/n), +inf out of domain.
#[inline(always)]
fn count_term<S: Simd>(nu: S, n: f64, negative_allowed: bool) -> S {
    let (zero, tiny, infinity) = (S::splat(0.0), S::splat(TINY), S::splat(f64::INFINITY));
    let nu = nu.abs().select_less(tiny, zero, nu);
    if n > 0.0 {
        let ratio = nu.mul(S::splat(1.0 / n));
        let ratio = tiny.select_less(nu, ratio, S::splat(1.0));
        let term = S::splat(-n).fma(ratio.ln(), nu.sub(S::splat(n)));
        nu.select_less(tiny, infinity, term)
    } else if negative_allowed {
        nu
    } else {
        nu.select_less(zero, infinity, nu)
    }
}

/// f, and f′/f, of one normsys at eight values of α.
#[inline(always)]
fn interpolated<S: Simd>(program: &Program, entry: u32, lane: u32, alpha: S) -> (S, S) {
    let entry = &program.rows.entries[entry as usize];
    let a = |i: usize| S::splat(entry.polynomial[i - 1].0[lane as usize]);
    let (zero, one, radius) = (S::splat(0.0), S::splat(1.0), S::splat(entry.inner_radius));
    let (mut f, mut first) = (a(6), a(6).mul(S::splat(6.0)));
    for i in (1..6).rev() {
        f = f.fma(alpha, a(i));
        first = first.fma(alpha, a(i).mul(S::splat(i as f64)));
    }
    f = f.fma(alpha, one);
    let guard = S::splat(1e-150);
    f = f.abs().select_less(guard, guard, f);
    let mut log_derivative = first.div(f);
    let size = alpha.abs();
    if size.select_less(radius, one, zero).any_less(one) {
        let (up, down) = (S::splat(entry.ln_hi.0[lane as usize]), S::splat(-entry.ln_lo.0[lane as usize]));
        let slope = alpha.select_less(zero, down, up);
        let at_kink = up.add(down).mul(S::splat(0.5));
        let beyond = zero.select_less(size, slope, at_kink);
        f = size.select_less(radius, f, slope.mul(alpha).exp());
        log_derivative = size.select_less(radius, log_derivative, beyond);
    }
    (f, log_derivative)
}

#[inline(always)]
fn add_row<S: Simd>(program: &Program, batch: &mut Batch, channel: &ChannelLayout, row: usize) {
    let index = channel.first_row + row;
    let mut product = S::splat(1.0);
    for scale in scales(program, index) {
        product = product.mul(match *scale {
            RowScale::Plain { parameter } => S::load(&batch.factors[parameter as usize]),
            RowScale::Interpolated { parameter, entry, lane } => {
                interpolated::<S>(program, entry, lane, S::load(&batch.theta[parameter as usize])).0
            }
        });
    }
    for bin in 0..channel.n_bins {
        let cell = channel.first_cell + row * channel.n_bins + bin;
        let mut sum = S::splat(flat(&program.cells.nominal)[cell]);
        let offsets = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
        for sparse in &program.cells.sparse[offsets] {
            let offset = sparse.offset as usize;
            sum = S::splat(sparse.antisymmetric).fma(S::load(&batch.s[offset][0]), sum);
            sum = S::splat(sparse.symmetric).fma(S::load(&batch.q[offset][0]), sum);
        }
        let mut scale = product;
        for &(_, parameter) in factors(program, cell) {
            scale = scale.mul(S::load(&batch.factors[parameter as usize]));
        }
        let mut rate = scale.mul(sum);
        if let Some(clip) = program.clip_sample {
            let clip = S::splat(clip);
            scale = rate.select_less(clip, S::splat(0.0), scale);
            rate = rate.select_less(clip, clip, rate);
        }
        sum.store(&mut batch.template[cell]);
        scale.store(&mut batch.scale[cell]);
        let expected = &mut batch.expected[channel.first_bin + bin];
        S::load(expected).add(rate).store(expected);
    }
}

fn scales(program: &Program, row: usize) -> &[RowScale] {
    &program.rows.scales[program.rows.scale_start[row] as usize..program.rows.scale_start[row + 1] as usize]
}

fn factors(program: &Program, cell: usize) -> &[(u32, u32)] {
    let start = &program.cells.factor_start;
    &program.cells.factors[start[cell] as usize..start[cell + 1] as usize]
}

/// `sum[parameter] += x`.
#[inline(always)]
fn add_to<S: Simd>(gradient: &mut [Lanes], parameter: u32, x: S) {
    let place = &mut gradient[parameter as usize];
    S::load(place).add(x).store(place);
}

#[inline(always)]
fn gradients<S: Simd>(program: &Program, data: &PreparedData, batch: &mut Batch) {
    let one = S::splat(1.0);
    batch.gradient.fill(ZERO);
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            back_through_row::<S>(program, data, batch, channel, row);
        }
    }
    let auxdata = flat(&data.gaussian);
    for (&(parameter, sigma, _), auxdata) in program.constraints.gaussians.iter().zip(auxdata) {
        let pull = S::load(&batch.theta[parameter as usize]).sub(S::splat(*auxdata));
        add_to::<S>(&mut batch.gradient, parameter, pull.mul(S::splat(1.0 / sigma)).mul(S::splat(1.0 / sigma)));
    }
    for (index, &(parameter, factor, _)) in program.constraints.poissons.iter().enumerate() {
        let n = S::splat(data.count(program.layout.n_bins + index));
        let nu = S::splat(factor).mul(S::load(&batch.theta[parameter as usize]));
        add_to::<S>(&mut batch.gradient, parameter, one.sub(n.div(nu)).mul(S::splat(factor)));
    }
}

#[inline(always)]
fn back_through_row<S: Simd>(
    program: &Program,
    data: &PreparedData,
    batch: &mut Batch,
    channel: &ChannelLayout,
    row: usize,
) {
    let (zero, one) = (S::splat(0.0), S::splat(1.0));
    let mut row_weight = zero;
    for bin in 0..channel.n_bins {
        let cell = channel.first_cell + row * channel.n_bins + bin;
        let (n, nu) = (data.count(channel.first_bin + bin), S::load(&batch.expected[channel.first_bin + bin]));
        let mut weight = if n > 0.0 { one.sub(S::splat(n).div(nu)) } else { one };
        if let Some(clip) = program.clip_bin {
            weight = S::splat(clip).select_less(nu, weight, zero);
        }
        let weighted_scale = weight.mul(S::load(&batch.scale[cell]));
        let weighted_rate = weighted_scale.mul(S::load(&batch.template[cell]));
        row_weight = row_weight.add(weighted_rate);
        let offsets = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
        for sparse in &program.cells.sparse[offsets] {
            let offset = sparse.offset as usize;
            let slope = S::splat(sparse.symmetric).mul(S::load(&batch.q[offset][1]));
            let slope = S::splat(sparse.antisymmetric).fma(S::load(&batch.s[offset][1]), slope);
            add_to::<S>(&mut batch.gradient, program.cells.offsets[offset].0, weighted_scale.mul(slope));
        }
        for &(_, parameter) in factors(program, cell) {
            let inverse = one.div(S::load(&batch.factors[parameter as usize]));
            add_to::<S>(&mut batch.gradient, parameter, weighted_rate.mul(inverse));
        }
    }
    for scale in scales(program, channel.first_row + row) {
        let (parameter, log_derivative) = match *scale {
            RowScale::Plain { parameter } => (parameter, one.div(S::load(&batch.factors[parameter as usize]))),
            RowScale::Interpolated { parameter, entry, lane } => {
                let alpha = S::load(&batch.theta[parameter as usize]);
                (parameter, interpolated::<S>(program, entry, lane, alpha).1)
            }
        };
        add_to::<S>(&mut batch.gradient, parameter, row_weight.mul(log_derivative));
    }
}
