//! Expected data: factors of the rows, templates and rates of the cells, sums of the bins (spec/likelihood.md, eq. 1).

use super::response;
use super::scratch::Scratch;
use super::simd::{Simd, entry_point, flat, flat_mut};
use crate::program::{InterpolatedEntry, Program};

/// What an evaluation will need of the factors of the rows.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Order {
    Value,
    First,
    Second,
}

entry_point! {
    /// From the point in `scratch` to the expected counts.
    expected = expected_body(program: &Program, scratch: &mut Scratch, order: Order)
}

#[inline(always)]
pub(super) fn expected_body<S: Simd>(program: &Program, scratch: &mut Scratch, order: Order) {
    row_scales::<S>(program, scratch, order);
    cell_rates::<S>(program, scratch);
    if !program.cells.clip.is_empty() {
        clip_templates::<S>(program, scratch);
    }
    if !program.responses.is_empty() {
        response::apply(program, scratch);
    }
    if let Some(clip) = program.clip_sample {
        clip_samples(program, scratch, clip);
    }
    sum_bins(program, scratch);
}

#[inline(always)]
fn row_scales<S: Simd>(program: &Program, scratch: &mut Scratch, order: Order) {
    let rows = &program.rows;
    for group in 0..program.layout.row_groups() {
        let range = rows.start[group] as usize..rows.start[group + 1] as usize;
        let mut product = S::splat(1.0);
        let mut logarithm = S::splat(0.0);
        let mut outside = false;
        for (index, entry) in range.clone().zip(&rows.entries[range]) {
            let alpha = scratch.theta[entry.parameter as usize];
            if alpha.abs() < entry.inner_radius {
                product = product.mul(inside::<S>(entry, alpha, index, scratch, order));
            } else {
                let slope = extrapolate::<S>(entry, alpha, index, scratch, order);
                match &entry.intercept {
                    Some(intercept) => product = product.mul(S::splat(alpha).fma(slope, S::load(intercept))),
                    None => {
                        outside = true;
                        logarithm = S::splat(alpha).fma(slope, logarithm);
                    }
                }
            }
        }
        if outside {
            product = product.mul(logarithm.exp());
        }
        if program.clip_factors {
            let zero = S::splat(0.0);
            product = product.select_less(zero, zero, product);
        }
        for slot in &rows.slots {
            // SAFETY: slots hold parameter indices and the index of the one behind them.
            product = product.mul(unsafe { S::gather(&scratch.factors, &slot[group]) });
        }
        product.store(&mut scratch.row_scale[group]);
    }
}

/// The polynomial 1 + Σ aᵢ αⁱ of eight rows (spec/interpolation.md, "Code 4").
#[inline(always)]
fn inside<S: Simd>(entry: &InterpolatedEntry, alpha: f64, index: usize, scratch: &mut Scratch, order: Order) -> S {
    let x = S::splat(alpha);
    let a = |i: usize| S::load(&entry.polynomial[i - 1]);
    let mut f = a(6);
    for i in (1..6).rev() {
        f = f.fma(x, a(i));
    }
    f = f.fma(x, S::splat(1.0));
    if order >= Order::First {
        // A factor of zero has no log-derivative; the smallest stand-in leaves all products what they are.
        let guard = S::splat(1e-150);
        f = f.abs().select_less(guard, guard, f);
        let mut first = a(6).mul(S::splat(6.0));
        for i in (1..6).rev() {
            first = first.fma(x, a(i).mul(S::splat(i as f64)));
        }
        let inverse = S::splat(1.0).div(f);
        first.mul(inverse).store(&mut scratch.log_derivative[index]);
        if order == Order::Second {
            let mut second = a(6).mul(S::splat(30.0));
            for i in (2..6).rev() {
                second = second.fma(x, a(i).mul(S::splat((i * (i - 1)) as f64)));
            }
            second.mul(inverse).store(&mut scratch.log_second[index]);
        }
    }
    f
}

/// ln f / α of eight rows where f is exponential (spec/interpolation.md, "Code 1"), the slope of f where it is linear. At
/// α = 0 the derivatives are the means of both sides.
#[inline(always)]
fn extrapolate<S: Simd>(entry: &InterpolatedEntry, alpha: f64, index: usize, scratch: &mut Scratch, order: Order) -> S {
    let (up, down) = (S::load(&entry.ln_hi), S::splat(0.0).sub(S::load(&entry.ln_lo)));
    let slope = if alpha >= 0.0 { up } else { down };
    if order >= Order::First {
        let half = S::splat(0.5);
        let (first, second) = if alpha == 0.0 {
            (up.add(down).mul(half), up.mul(up).add(down.mul(down)).mul(half))
        } else {
            (slope, slope.mul(slope))
        };
        let (first, second) = match &entry.intercept {
            None => (first, second),
            Some(intercept) => {
                let (guard, f) = (S::splat(1e-150), S::splat(alpha).fma(slope, S::load(intercept)));
                let f = f.abs().select_less(guard, guard, f);
                let first = if alpha == 0.0 { up.add(down).mul(half) } else { slope };
                (first.div(f), S::splat(0.0))
            }
        };
        first.store(&mut scratch.log_derivative[index]);
        second.store(&mut scratch.log_second[index]);
    }
    slope
}

#[inline(always)]
fn cell_rates<S: Simd>(program: &Program, scratch: &mut Scratch) {
    let cells = &program.cells;
    let Scratch { s, q, template, scale, rate, row_scale, factors, .. } = scratch;
    for group in 0..program.layout.cell_groups() {
        let range = cells.start[group] as usize..cells.start[group + 1] as usize;
        let mut sum = S::load(&cells.nominal[group]);
        let mut other = S::splat(0.0);
        for (entry, &offset) in cells.entries[range.clone()].iter().zip(&cells.entry_offset[range]) {
            let offset = offset as usize;
            sum = S::load(&entry.antisymmetric).fma(S::splat(s[offset].value), sum);
            other = S::load(&entry.symmetric).fma(S::splat(q[offset].value), other);
        }
        let sum = sum.add(other);
        // SAFETY: rows of cells exist, and the padding row behind them; slots as for the rows.
        let mut product = unsafe { S::gather(flat(row_scale), &cells.row[group]) };
        for slot in &cells.slots {
            product = product.mul(unsafe { S::gather(factors, &slot[group]) });
        }
        sum.store(&mut template[group]);
        product.store(&mut scale[group]);
        product.mul(sum).store(&mut rate[group]);
    }
}

/// Ends templates at zero; one that has ended does not move with the parameters.
#[inline(always)]
fn clip_templates<S: Simd>(program: &Program, scratch: &mut Scratch) {
    let zero = S::splat(0.0);
    let Scratch { template, scale, rate, .. } = scratch;
    for (((sign, template), scale), rate) in program.cells.clip.iter().zip(template).zip(scale).zip(rate) {
        let signed = S::load(template).mul(S::load(sign));
        for values in [template, scale, rate] {
            signed.select_less(zero, zero, S::load(values)).store(values);
        }
    }
}

/// Lifts the rate of each sample in each bin to the clip; a lifted rate does not move with the parameters.
fn clip_samples(program: &Program, scratch: &mut Scratch, clip: f64) {
    let (rate, scale) = (flat_mut(&mut scratch.rate), flat_mut(&mut scratch.scale));
    for cell in 0..program.layout.n_cells {
        if rate[cell] < clip {
            rate[cell] = clip;
            scale[cell] = 0.0;
        }
    }
}

#[inline(always)]
fn sum_bins(program: &Program, scratch: &mut Scratch) {
    let rate = flat(&scratch.rate);
    let expected = flat_mut(&mut scratch.expected);
    for channel in &program.layout.channels {
        let bins = &mut expected[channel.first_bin..channel.first_bin + channel.n_bins];
        let cells = &rate[channel.first_cell..channel.first_cell + channel.n_bins * channel.n_rows];
        if let [bin] = bins {
            *bin = cells.iter().sum();
            continue;
        }
        bins.fill(0.0);
        for row in cells.chunks_exact(channel.n_bins) {
            for (bin, rate) in bins.iter_mut().zip(row) {
                *bin += rate;
            }
        }
    }
    if let Some(clip) = program.clip_bin {
        for bin in &mut expected[..program.layout.n_bins] {
            *bin = bin.max(clip);
        }
    }
    for (nu, &(parameter, factor, _)) in expected[program.layout.n_bins..].iter_mut().zip(&program.constraints.poissons)
    {
        *nu = factor * scratch.theta[parameter as usize];
    }
}

/// ν of the bins as pyhf prints them: a factor of zero is zero here.
pub(crate) fn expected_main(program: &Program, scratch: &Scratch, main: &mut [f64]) {
    for (nu, expected) in main.iter_mut().zip(flat(&scratch.expected)) {
        *nu = if expected.abs() < super::scratch::TINY { 0.0 } else { *expected };
    }
    debug_assert_eq!(main.len(), program.layout.n_bins);
}
