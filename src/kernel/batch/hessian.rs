//! Gradient and exact Hessian of −ln L of eight points, with the places where the matrix is not zero.

use super::evaluate::{add_constraints, add_to, factors, scale_range, weight};
use super::{Batch, LaneData};
use crate::kernel::penalty;
use crate::kernel::simd::{Lanes, Simd, ZERO, entry_point, flat};
use crate::program::{ChannelLayout, Place, Program, RowScale};

/// Which elements of the Hessian can differ from zero, from the program alone. Local parameters come first: a row of
/// the lower triangle begins at the first local parameter of its bin, the row of a shared one at the first of all.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// The place of each parameter, and the parameter of each place.
    pub place: Vec<usize>,
    pub parameter: Vec<usize>,
    /// First column of each row, and where column zero of the row would be in the packed triangle.
    pub first: Vec<usize>,
    pub base: Vec<usize>,
    /// Number of elements of the packed triangle.
    pub len: usize,
    /// Places that a row's cells depend on otherwise than by the factors of the row; rows in program order.
    others: Lists,
    /// Places on which a bin depends, ascending.
    bins: Lists,
}

/// Lists of places, one after another.
#[derive(Clone, Debug)]
struct Lists {
    start: Vec<usize>,
    items: Vec<usize>,
}

impl Lists {
    fn new(lists: Vec<Vec<usize>>) -> Lists {
        let mut all = Lists { start: vec![0], items: Vec::new() };
        for mut list in lists {
            list.sort_unstable();
            list.dedup();
            all.items.extend(list);
            all.start.push(all.items.len());
        }
        all
    }

    fn list(&self, index: usize) -> &[usize] {
        &self.items[self.start[index]..self.start[index + 1]]
    }
}

impl Pattern {
    pub fn new(program: &Program) -> Pattern {
        let n_local = program.local.len();
        let of_place = |place: &Place| match *place {
            Place::Local(index) => index as usize,
            Place::Shared(index) => n_local + index as usize,
        };
        let place: Vec<usize> = program.places.iter().map(of_place).collect();
        let parameter = program.local.iter().chain(&program.shared).map(|&p| p as usize).collect();
        let mut first = vec![0; place.len()];
        for bin in program.local_start.windows(2) {
            first[bin[0] as usize..bin[1] as usize].fill(bin[0] as usize);
        }
        let (mut base, mut len) = (Vec::with_capacity(first.len()), 0);
        for (row, first) in first.iter().enumerate() {
            base.push(len - first);
            len += row - first + 1;
        }
        let (others, bins) = dependencies(program, &place);
        Pattern { place, parameter, first, base, len, others, bins }
    }

    fn add<S: Simd>(&self, hessian: &mut [Lanes], i: usize, j: usize, x: S) {
        add_to::<S>(hessian, self.base[i.max(j)] + i.min(j), x);
    }

    /// Adds to (i, j) and to (j, i).
    #[inline(always)]
    fn add_both<S: Simd>(&self, hessian: &mut [Lanes], i: usize, j: usize, x: S) {
        self.add(hessian, i, j, if i == j { x.add(x) } else { x });
    }
}

/// What [`Pattern`] keeps of rows and bins.
fn dependencies(program: &Program, place: &[usize]) -> (Lists, Lists) {
    let mut others = Vec::new();
    let mut bins = vec![Vec::new(); program.layout.n_bins];
    for channel in &program.layout.channels {
        for row in 0..channel.n_rows {
            let mut of_row = Vec::new();
            for bin in 0..channel.n_bins {
                let cell = channel.first_cell + row * channel.n_bins + bin;
                let offsets = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
                let of_offset = |sparse: u32| place[program.cells.offsets[sparse as usize].0 as usize];
                let of_cell = program.cells.sparse[offsets].iter().map(|sparse| of_offset(sparse.offset));
                let of_cell: Vec<usize> =
                    of_cell.chain(factors(program, cell).iter().map(|&(_, p)| place[p as usize])).collect();
                let of_scales = scale_range(program, channel.first_row + row).map(|scale| {
                    let (RowScale::Plain { parameter } | RowScale::Interpolated { parameter, .. }) =
                        program.rows.scales[scale];
                    place[parameter as usize]
                });
                bins[channel.first_bin + bin].extend(of_cell.iter().copied().chain(of_scales));
                of_row.extend(of_cell);
            }
            others.push(of_row);
        }
    }
    (Lists::new(others), Lists::new(bins))
}

/// Room for the making of a Hessian.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// ∂ν/∂θ of the bins of one channel, by place.
    jacobian: Vec<Lanes>,
    /// Σ weight · ∂(rate)/∂θ over the cells of one row, without the factors of the row.
    row: Vec<Lanes>,
}

impl Work {
    pub fn new(program: &Program) -> Work {
        let most_bins = program.layout.channels.iter().map(|channel| channel.n_bins).max().unwrap_or(0);
        let n = program.n_parameters();
        Work { jacobian: vec![ZERO; most_bins * n], row: vec![ZERO; n] }
    }
}

/// The Hessian of −ln L in two parts, packed as the pattern says.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// Without second derivatives of the yields: never negative.
    gauss_newton: Vec<Lanes>,
    /// Those alone.
    second: Vec<Lanes>,
}

impl Parts {
    pub fn new(pattern: &Pattern) -> Parts {
        Parts { gauss_newton: vec![ZERO; pattern.len], second: vec![ZERO; pattern.len] }
    }
}

entry_point! {
    /// Gradient (to `batch.gradient`) and Hessian of −ln L, from the last evaluation of second order. In a lane out of
    /// domain they mean nothing.
    second_order = second_order_body(
        program: &Program,
        pattern: &Pattern,
        data: &LaneData,
        batch: &mut Batch,
        work: &mut Work,
        parts: &mut Parts,
    )
}

entry_point! {
    /// The exact Hessian in the lanes where `exact` is one, the Gauss–Newton matrix where it is zero.
    combine = combine_body(parts: &Parts, exact: &Lanes, hessian: &mut [Lanes])
}

#[inline(always)]
fn combine_body<S: Simd>(parts: &Parts, exact: &Lanes, hessian: &mut [Lanes]) {
    let exact = S::load(exact);
    for (element, (first, second)) in hessian.iter_mut().zip(parts.gauss_newton.iter().zip(&parts.second)) {
        exact.fma(S::load(second), S::load(first)).store(element);
    }
}

#[inline(always)]
fn second_order_body<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    data: &LaneData,
    batch: &mut Batch,
    work: &mut Work,
    parts: &mut Parts,
) {
    let n = program.n_parameters();
    let Parts { gauss_newton, second } = parts;
    gauss_newton.fill(ZERO);
    second.fill(ZERO);
    batch.gradient.fill(ZERO);
    for channel in &program.layout.channels {
        work.jacobian[..channel.n_bins * n].fill(ZERO);
        for row in 0..channel.n_rows {
            add_row::<S>(program, pattern, data, batch, work, second, channel, row);
        }
        for bin in 0..channel.n_bins {
            let jacobian = &work.jacobian[bin * n..(bin + 1) * n];
            add_bin::<S>(program, pattern, data, batch, jacobian, gauss_newton, channel.first_bin + bin);
        }
    }
    add_constraints::<S>(program, data, batch);
    curve_constraints::<S>(program, pattern, data, batch, gauss_newton);
    curve_penalties::<S>(program, pattern, batch, gauss_newton, second);
}

/// Second derivatives of the rates of one row, and the row's part of the Jacobian of its bins.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn add_row<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    data: &LaneData,
    batch: &Batch,
    work: &mut Work,
    hessian: &mut [Lanes],
    channel: &ChannelLayout,
    row: usize,
) {
    let n = program.n_parameters();
    let index = channel.first_row + row;
    let others = pattern.others.list(index);
    let mut row_weight = S::splat(0.0);
    for &place in others {
        work.row[place] = ZERO;
    }
    for bin in 0..channel.n_bins {
        let cell = channel.first_cell + row * channel.n_bins + bin;
        let jacobian = &mut work.jacobian[bin * n..(bin + 1) * n];
        let weight = weight::<S>(program, data, batch, channel.first_bin + bin);
        let scale = S::load(&batch.scale[cell]);
        let rate = scale.mul(S::load(&batch.template[cell]));
        row_weight = weight.fma(rate, row_weight);
        let single = factors(program, cell);
        let range = program.cells.sparse_start[cell] as usize..program.cells.sparse_start[cell + 1] as usize;
        for sparse in &program.cells.sparse[range] {
            let (s, q) = (&batch.s[sparse.offset as usize], &batch.q[sparse.offset as usize]);
            let place = pattern.place[program.cells.offsets[sparse.offset as usize].0 as usize];
            let (odd, even) = (S::splat(sparse.antisymmetric), S::splat(sparse.symmetric));
            let slope = scale.mul(odd.fma(S::load(&s[1]), even.mul(S::load(&q[1]))));
            let curvature = scale.mul(odd.fma(S::load(&s[2]), even.mul(S::load(&q[2]))));
            add_to::<S>(jacobian, place, slope);
            pattern.add(hessian, place, place, weight.mul(curvature));
            let weighted = weight.mul(slope);
            add_to::<S>(&mut work.row, place, weighted);
            for &(_, parameter) in single {
                let inverse = S::load(&batch.inverse[parameter as usize]);
                pattern.add_both(hessian, place, pattern.place[parameter as usize], weighted.mul(inverse));
            }
        }
        let weighted_rate = weight.mul(rate);
        for (i, &(_, parameter)) in single.iter().enumerate() {
            let (place, inverse) = (pattern.place[parameter as usize], S::load(&batch.inverse[parameter as usize]));
            add_to::<S>(jacobian, place, rate.mul(inverse));
            let weighted = weighted_rate.mul(inverse);
            add_to::<S>(&mut work.row, place, weighted);
            for &(_, other) in &single[..i] {
                let product = weighted.mul(S::load(&batch.inverse[other as usize]));
                pattern.add_both(hessian, place, pattern.place[other as usize], product);
            }
        }
        for scale in scale_range(program, index) {
            let log_derivative = S::load(&batch.log_derivatives[scale][0]);
            add_to::<S>(jacobian, place_of_scale(program, pattern, scale), rate.mul(log_derivative));
        }
    }
    add_scales::<S>(program, pattern, batch, &work.row, hessian, index, row_weight);
}

#[inline(always)]
fn place_of_scale(program: &Program, pattern: &Pattern, scale: usize) -> usize {
    let (RowScale::Plain { parameter } | RowScale::Interpolated { parameter, .. }) = program.rows.scales[scale];
    pattern.place[parameter as usize]
}

/// The factors of a row against one another and against everything else in the row.
#[inline(always)]
fn add_scales<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    batch: &Batch,
    row: &[Lanes],
    hessian: &mut [Lanes],
    index: usize,
    row_weight: S,
) {
    let range = scale_range(program, index);
    for scale in range.clone() {
        let place = place_of_scale(program, pattern, scale);
        let [log_derivative, log_second] = &batch.log_derivatives[scale];
        let log_derivative = S::load(log_derivative);
        pattern.add(hessian, place, place, row_weight.mul(S::load(log_second)));
        for &other in pattern.others.list(index) {
            pattern.add_both(hessian, place, other, log_derivative.mul(S::load(&row[other])));
        }
        let weighted = row_weight.mul(log_derivative);
        for other in range.start..scale {
            let product = weighted.mul(S::load(&batch.log_derivatives[other][0]));
            pattern.add_both(hessian, place, place_of_scale(program, pattern, other), product);
        }
    }
}

/// w J to the gradient and n/ν² JJᵀ to the Hessian.
#[inline(always)]
fn add_bin<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    data: &LaneData,
    batch: &mut Batch,
    jacobian: &[Lanes],
    hessian: &mut [Lanes],
    bin: usize,
) {
    let zero = S::splat(0.0);
    let (n, nu) = (S::load(&data.counts[bin]), S::load(&batch.expected[bin]));
    let ratio = zero.select_less(n, n.div(nu), zero);
    let mut curvature = zero.select_less(n, ratio.div(nu), zero);
    if let Some(clip) = program.clip_bin {
        curvature = S::splat(clip).select_less(nu, curvature, zero);
    }
    let weight = weight::<S>(program, data, batch, bin);
    let places = pattern.bins.list(bin);
    for (i, &place) in places.iter().enumerate() {
        let slope = S::load(&jacobian[place]);
        add_to::<S>(&mut batch.gradient, pattern.parameter[place], weight.mul(slope));
        let weighted = curvature.mul(slope);
        let row = &mut hessian[pattern.base[place]..];
        for &other in &places[..=i] {
            let element = &mut row[other];
            weighted.fma(S::load(&jacobian[other]), S::load(element)).store(element);
        }
    }
}

#[inline(always)]
fn curve_constraints<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    data: &LaneData,
    batch: &Batch,
    hessian: &mut [Lanes],
) {
    for (&(parameter, _, _), inverse) in
        program.constraints.gaussians.iter().zip(flat(&program.constraints.inverse_sigma))
    {
        let place = pattern.place[parameter as usize];
        pattern.add(hessian, place, place, S::splat(inverse * inverse));
    }
    for (index, &(parameter, ..)) in program.constraints.poissons.iter().enumerate() {
        let place = pattern.place[parameter as usize];
        let n = S::load(&data.counts[program.layout.n_bins + index]);
        let theta = S::load(&batch.theta[parameter as usize]);
        let theta = S::splat(0.0).select_less(n, theta, S::splat(1.0));
        pattern.add(hessian, place, place, n.div(theta).div(theta));
    }
}

/// Terms in single parameters: what is never negative to one part, the rest to the other.
#[inline(always)]
fn curve_penalties<S: Simd>(
    program: &Program,
    pattern: &Pattern,
    batch: &Batch,
    gauss_newton: &mut [Lanes],
    second: &mut [Lanes],
) {
    for penalty in &program.penalties {
        let place = pattern.place[penalty.parameter];
        let safe = penalty::at_lanes(penalty, &batch.theta, |p, theta| p.safe_curvature(theta));
        let rest = penalty::at_lanes(penalty, &batch.theta, |p, theta| p.jet(theta).second - p.safe_curvature(theta));
        pattern.add(gauss_newton, place, place, S::load(&safe));
        pattern.add(second, place, place, S::load(&rest));
    }
}

entry_point! {
    /// `to = H x`, all by place.
    multiply = multiply_body(pattern: &Pattern, hessian: &[Lanes], x: &[Lanes], to: &mut [Lanes])
}

#[inline(always)]
fn multiply_body<S: Simd>(pattern: &Pattern, hessian: &[Lanes], x: &[Lanes], to: &mut [Lanes]) {
    to.fill(ZERO);
    for i in 0..pattern.first.len() {
        let own = S::load(&x[i]);
        let mut sum = S::load(&hessian[pattern.base[i] + i]).mul(own);
        for j in pattern.first[i]..i {
            let element = S::load(&hessian[pattern.base[i] + j]);
            sum = element.fma(S::load(&x[j]), sum);
            let other = &mut to[j];
            element.fma(own, S::load(other)).store(other);
        }
        add_to::<S>(to, i, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Evaluator;
    use crate::kernel::batch::evaluate;
    use crate::kernel::expected::Order;
    use crate::translate::from_pyhf::{self, ModelOptions};

    /// Each lane against the evaluator of single points, whose derivatives are tested against differences.
    #[test]
    fn lanes_are_single_points() {
        for fixture in
            ["all_modifiers", "higgs_like", "histosys_normsys_shared", "shapefactor_two_channels", "counting"]
        {
            let bytes = std::fs::read(format!("fixtures/{fixture}/workspace.json")).unwrap();
            let workspace = serde_json::from_slice(&bytes).unwrap();
            for options in [
                ModelOptions::default(),
                ModelOptions { clip_sample_data: Some(2.0), clip_bin_data: Some(30.0), ..ModelOptions::default() },
            ] {
                let model = from_pyhf::model(&workspace, &options).unwrap();
                compare(fixture, &model, &from_pyhf::data(&workspace, &model).unwrap());
            }
        }
    }

    fn compare(name: &str, model: &crate::model::Model, observed: &crate::model::Data) {
        let program = Program::compile(model);
        let n = program.n_parameters();
        let mut evaluator = Evaluator::new(&program);
        let (mut batch, mut data) = (Batch::new(&program), LaneData::new(&program));
        let (pattern, mut work) = (Pattern::new(&program), Work::new(&program));
        let (mut points, mut sets) = (Vec::new(), Vec::new());
        for lane in 0..8 {
            let shift = |i: usize| 0.25 * (lane as f64 - 3.0) * if (i + lane).is_multiple_of(3) { -0.7 } else { 0.5 };
            let point: Vec<f64> =
                model.init().iter().enumerate().map(|(i, x)| x + shift(i) * x.abs().max(1.0)).collect();
            let mut other = observed.clone();
            other.main.iter_mut().enumerate().for_each(|(i, x)| *x = (*x + (i + lane) as f64 - 4.0).max(0.0));
            let prepared = program.prepare(&other);
            data.set(lane, &prepared);
            for (theta, x) in batch.theta.iter_mut().zip(&point) {
                theta.0[lane] = *x;
            }
            points.push(point);
            sets.push(prepared);
        }
        batch.take_in(&program);
        let mut values = ZERO;
        let (mut parts, mut packed) = (Parts::new(&pattern), vec![ZERO; pattern.len]);
        let backend = evaluator.backend();
        evaluate(backend, &program, &data, &mut batch, Order::Second, &mut values);
        second_order(backend, &program, &pattern, &data, &mut batch, &mut work, &mut parts);
        combine(backend, &parts, &Lanes([1.0; 8]), &mut packed);
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        let mut finite = 0;
        for lane in 0..8 {
            let value = evaluator.hessian(&points[lane], &sets[lane], &mut gradient, &mut hessian);
            let ours = 2.0 * (values.0[lane] + sets[lane].constant);
            assert!(ours == value || (ours - value).abs() < 1e-10 * value.abs(), "{name} {lane}: {ours} but {value}");
            if !value.is_finite() {
                continue;
            }
            finite += 1;
            for p in 0..n {
                let (ours, theirs) = (2.0 * batch.gradient[p].0[lane], gradient[p]);
                assert!((ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0), "{name} {lane} {p}: {ours} but {theirs}");
                for q in 0..n {
                    let (i, j) = (pattern.place[p].max(pattern.place[q]), pattern.place[p].min(pattern.place[q]));
                    let ours = if j < pattern.first[i] { 0.0 } else { 2.0 * packed[pattern.base[i] + j].0[lane] };
                    let theirs = hessian[p * n + q];
                    assert!(
                        (ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0),
                        "{name} lane {lane}, {p} {q}: {ours} but {theirs}"
                    );
                }
            }
        }
        assert!(finite >= 2, "{name}: {finite} points in the domain");
    }
}
