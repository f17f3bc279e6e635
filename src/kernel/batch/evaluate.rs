//! Value and gradient of eight points.

use super::{Batch, LaneData};
use crate::kernel::expected::Order;
use crate::kernel::penalty;
use crate::kernel::scratch::TINY;
use crate::kernel::simd::{Lanes, Simd, ZERO, entry_point, flat};
use crate::program::{ChannelLayout, Program, RowScale};

entry_point! {
    /// Reduced −ln L of eight points to `sums`, +inf out of domain; what derivatives need is kept up to `order`.
    evaluate = evaluate_body(
        program: &Program,
        data: &LaneData,
        batch: &mut Batch,
        order: Order,
        sums: &mut Lanes,
    )
}

entry_point! {
    /// The gradients of −ln L from the last evaluation of at least first order.
    gradients = gradients_body(program: &Program, data: &LaneData, batch: &mut Batch)
}

#[inline(always)]
fn evaluate_body<S: Simd>(program: &Program, data: &LaneData, batch: &mut Batch, order: Order, sums: &mut Lanes) {
    batch.expected.fill(ZERO);
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            add_row::<S>(program, batch, channel, row, order);
        }
    }
    let mut sum = S::splat(0.0);
    let n_bins = program.layout.n_bins;
    for bin in 0..n_bins {
        let mut nu = S::load(&batch.expected[bin]);
        if let Some(clip) = program.clip_bin {
            nu = nu.select_less(S::splat(clip), S::splat(clip), nu);
            nu.store(&mut batch.expected[bin]);
        }
        sum = sum.add(count_term::<S>(nu, data, bin, program.pyhf_domain));
    }
    for (index, &(parameter, factor, _)) in program.constraints.poissons.iter().enumerate() {
        let nu = S::splat(factor).mul(S::load(&batch.theta[parameter as usize]));
        sum = sum.add(count_term::<S>(nu, data, n_bins + index, false));
    }
    let inverse_sigma = flat(&program.constraints.inverse_sigma);
    for ((&(parameter, _, _), auxdata), inverse) in
        program.constraints.gaussians.iter().zip(&data.gaussian).zip(inverse_sigma)
    {
        let pull = S::load(&batch.theta[parameter as usize]).sub(S::load(auxdata)).mul(S::splat(*inverse));
        sum = pull.mul(S::splat(0.5)).fma(pull, sum);
    }
    for penalty in &program.penalties {
        sum = sum.add(S::load(&penalty::at_lanes(penalty, &batch.theta, penalty::varying)));
    }
    sum.store(sums);
    for value in &mut sums.0 {
        if value.is_nan() {
            *value = f64::INFINITY;
        }
    }
}

/// ν − n − n ln(ν/n), +inf out of domain.
#[inline(always)]
fn count_term<S: Simd>(nu: S, data: &LaneData, index: usize, negative_allowed: bool) -> S {
    let (zero, one, tiny, infinity) = (S::splat(0.0), S::splat(1.0), S::splat(TINY), S::splat(f64::INFINITY));
    let (n, inverse) = (S::load(&data.counts[index]), S::load(&data.inverse[index]));
    let nu = nu.abs().select_less(tiny, zero, nu);
    let ratio = zero.select_less(n, nu.mul(inverse), one);
    let ratio = tiny.select_less(nu, ratio, one);
    let term = zero.sub(n).fma(ratio.ln(), nu.sub(n));
    // A count needs ν > 0, none needs ν ≥ 0.
    let term = zero.select_less(n, nu.select_less(tiny, infinity, term), term);
    if negative_allowed { term } else { nu.select_less(zero, infinity, term) }
}

/// f of one normsys at eight values of α, and with `order` f′/f and f″/f to `to`.
#[inline(always)]
fn interpolated<S: Simd>(program: &Program, entry: u32, lane: u32, alpha: S, order: Order, to: &mut [Lanes; 2]) -> S {
    let entry = &program.rows.entries[entry as usize];
    let a = |i: usize| S::splat(entry.polynomial[i - 1].0[lane as usize]);
    let (zero, one, radius) = (S::splat(0.0), S::splat(1.0), S::splat(entry.inner_radius));
    let (mut f, mut first, mut second) = (a(6), a(6).mul(S::splat(6.0)), a(6).mul(S::splat(30.0)));
    for i in (1..6).rev() {
        f = f.fma(alpha, a(i));
        first = first.fma(alpha, a(i).mul(S::splat(i as f64)));
        if i > 1 {
            second = second.fma(alpha, a(i).mul(S::splat((i * (i - 1)) as f64)));
        }
    }
    f = f.fma(alpha, one);
    if order > Order::Value {
        let guard = S::splat(1e-150);
        f = f.abs().select_less(guard, guard, f);
        let inverse = one.div(f);
        (first, second) = (first.mul(inverse), second.mul(inverse));
    }
    let size = alpha.abs();
    if size.select_less(radius, one, zero).any_less(one) {
        let (up, down) = (S::splat(entry.ln_hi.0[lane as usize]), S::splat(-entry.ln_lo.0[lane as usize]));
        let (slope, half) = (alpha.select_less(zero, down, up), S::splat(0.5));
        if let Some(intercept) = &entry.intercept {
            let linear = alpha.fma(slope, S::splat(intercept.0[lane as usize]));
            let guard = S::splat(1e-150);
            let guarded = linear.abs().select_less(guard, guard, linear);
            let slope = zero.select_less(size, slope, up.add(down).mul(half));
            f = size.select_less(radius, f, linear);
            first = size.select_less(radius, first, slope.div(guarded));
            second = size.select_less(radius, second, zero);
            if order > Order::Value {
                first.store(&mut to[0]);
                second.store(&mut to[1]);
            }
            return f;
        }
        let at_kink = up.add(down).mul(half);
        let square_at_kink = up.mul(up).add(down.mul(down)).mul(half);
        f = size.select_less(radius, f, slope.mul(alpha).exp());
        first = size.select_less(radius, first, zero.select_less(size, slope, at_kink));
        second = size.select_less(radius, second, zero.select_less(size, slope.mul(slope), square_at_kink));
    }
    if order > Order::Value {
        first.store(&mut to[0]);
        second.store(&mut to[1]);
    }
    f
}

#[inline(always)]
fn add_row<S: Simd>(program: &Program, batch: &mut Batch, channel: &ChannelLayout, row: usize, order: Order) {
    let index = channel.first_row + row;
    let (mut product, mut of_interpolated) = (S::splat(1.0), S::splat(1.0));
    for scale in scale_range(program, index) {
        let to = &mut batch.log_derivatives[scale];
        match program.rows.scales[scale] {
            RowScale::Plain { parameter } => {
                to[0] = batch.inverse[parameter as usize];
                to[1] = ZERO;
                product = product.mul(S::load(&batch.factors[parameter as usize]));
            }
            RowScale::Interpolated { parameter, entry, lane } => {
                let alpha = S::load(&batch.theta[parameter as usize]);
                of_interpolated = of_interpolated.mul(interpolated::<S>(program, entry, lane, alpha, order, to));
            }
        }
    }
    if program.clip_factors {
        let zero = S::splat(0.0);
        of_interpolated = of_interpolated.select_less(zero, zero, of_interpolated);
    }
    product = product.mul(of_interpolated);
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
        if let Some(sign) = flat(&program.cells.clip).get(cell) {
            let (signed, zero) = (sum.mul(S::splat(*sign)), S::splat(0.0));
            scale = signed.select_less(zero, zero, scale);
            sum = signed.select_less(zero, zero, sum);
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

/// Indices of the factors of a row.
#[inline(always)]
pub(super) fn scale_range(program: &Program, row: usize) -> std::ops::Range<usize> {
    program.rows.scale_start[row] as usize..program.rows.scale_start[row + 1] as usize
}

/// The factors of a single cell.
#[inline(always)]
pub(super) fn factors(program: &Program, cell: usize) -> &[(u32, u32)] {
    let start = &program.cells.factor_start;
    &program.cells.factors[start[cell] as usize..start[cell + 1] as usize]
}

/// 1 − n/ν of one bin, zero where the clip of the bins holds.
#[inline(always)]
pub(super) fn weight<S: Simd>(program: &Program, data: &LaneData, batch: &Batch, bin: usize) -> S {
    let (zero, one) = (S::splat(0.0), S::splat(1.0));
    let (n, nu) = (S::load(&data.counts[bin]), S::load(&batch.expected[bin]));
    let weight = one.sub(n.div(zero.select_less(n, nu, one)));
    match program.clip_bin {
        Some(clip) => S::splat(clip).select_less(nu, weight, zero),
        None => weight,
    }
}

/// `sum[parameter] += x`.
#[inline(always)]
pub(super) fn add_to<S: Simd>(sums: &mut [Lanes], index: usize, x: S) {
    let place = &mut sums[index];
    S::load(place).add(x).store(place);
}

#[inline(always)]
fn gradients_body<S: Simd>(program: &Program, data: &LaneData, batch: &mut Batch) {
    batch.gradient.fill(ZERO);
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            back_through_row::<S>(program, data, batch, channel, row);
        }
    }
    add_constraints::<S>(program, data, batch);
}

/// The constraint terms' part of the gradient.
#[inline(always)]
pub(super) fn add_constraints<S: Simd>(program: &Program, data: &LaneData, batch: &mut Batch) {
    let inverse_sigma = flat(&program.constraints.inverse_sigma);
    for ((&(parameter, _, _), auxdata), inverse) in
        program.constraints.gaussians.iter().zip(&data.gaussian).zip(inverse_sigma)
    {
        let pull = S::load(&batch.theta[parameter as usize]).sub(S::load(auxdata));
        let inverse = S::splat(*inverse);
        add_to::<S>(&mut batch.gradient, parameter as usize, pull.mul(inverse).mul(inverse));
    }
    for (index, &(parameter, factor, _)) in program.constraints.poissons.iter().enumerate() {
        let n = S::load(&data.counts[program.layout.n_bins + index]);
        let nu = S::splat(factor).mul(S::load(&batch.theta[parameter as usize]));
        let nu = S::splat(0.0).select_less(n, nu, S::splat(1.0));
        add_to::<S>(&mut batch.gradient, parameter as usize, S::splat(1.0).sub(n.div(nu)).mul(S::splat(factor)));
    }
    for penalty in &program.penalties {
        let first = penalty::at_lanes(penalty, &batch.theta, |p, theta| p.jet(theta).first);
        add_to::<S>(&mut batch.gradient, penalty.parameter, S::load(&first));
    }
}

#[inline(always)]
fn back_through_row<S: Simd>(
    program: &Program,
    data: &LaneData,
    batch: &mut Batch,
    channel: &ChannelLayout,
    row: usize,
) {
    let mut row_weight = S::splat(0.0);
    for bin in 0..channel.n_bins {
        let cell = channel.first_cell + row * channel.n_bins + bin;
        let weight = weight::<S>(program, data, batch, channel.first_bin + bin);
        let weighted_scale = weight.mul(S::load(&batch.scale[cell]));
        let weighted_rate = weighted_scale.mul(S::load(&batch.template[cell]));
        row_weight = row_weight.add(weighted_rate);
        let offsets = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
        for sparse in &program.cells.sparse[offsets] {
            let offset = sparse.offset as usize;
            let slope = S::splat(sparse.symmetric).mul(S::load(&batch.q[offset][1]));
            let slope = S::splat(sparse.antisymmetric).fma(S::load(&batch.s[offset][1]), slope);
            let parameter = program.cells.offsets[offset].0 as usize;
            add_to::<S>(&mut batch.gradient, parameter, weighted_scale.mul(slope));
        }
        for &(_, parameter) in factors(program, cell) {
            let inverse = S::load(&batch.inverse[parameter as usize]);
            add_to::<S>(&mut batch.gradient, parameter as usize, weighted_rate.mul(inverse));
        }
    }
    for scale in scale_range(program, channel.first_row + row) {
        let (RowScale::Plain { parameter } | RowScale::Interpolated { parameter, .. }) = program.rows.scales[scale];
        let log_derivative = S::load(&batch.log_derivatives[scale][0]);
        add_to::<S>(&mut batch.gradient, parameter as usize, row_weight.mul(log_derivative));
    }
}
