//! [`Model`] → [`Program`]: names are gone, every list becomes flat, what changes nothing is dropped.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::layout::ChannelLayout;
use super::measurement::CompiledMeasurements;
use super::response::responses;
use super::{
    Cells, CompiledCorrelation, Constraints, InterpolatedEntry, Layout, OffsetEntry, Place, Program, RowScale, Rows,
    SparseOffset, lanes,
};
use super::{densities, unbinned};
use crate::kernel::simd::{Lanes, ZERO};
use crate::model::interpolation::Tail;
use crate::model::{Channel, Constraint, Correlation, Effect, HistosysCode, Model, NormsysCode, Part};

impl Program {
    /// Compiles a model. Parameter indices of the effects are those of [`Model::parameter_names`].
    pub fn compile(model: &Model) -> Program {
        let layout = layout(model);
        let (places, local) = places(model, &layout);
        let is_shared = |(place, _): &(&Place, u32)| matches!(place, Place::Shared(_));
        let shared: Vec<u32> = places.iter().zip(0..).filter(is_shared).map(|(_, parameter)| parameter).collect();
        let mut local_start = vec![0; layout.n_bins + 1];
        for &(bin, _) in &local {
            local_start[bin as usize + 1] += 1;
        }
        for bin in 0..layout.n_bins {
            local_start[bin + 1] += local_start[bin];
        }
        Program {
            responses: responses(model, &layout, &places),
            penalties: model.penalties.clone(),
            correlations: correlations(model, &places),
            measurements: CompiledMeasurements::new(&model.measurements, &places),
            unbinned: unbinned::compile(model, &places),
            densities: densities::densities(model, &places),
            driven: densities::driven(model, &places),
            rows: rows(model, &layout),
            cells: cells(model, &layout, &places),
            constraints: constraints(model),
            n_shared: shared.len(),
            shared,
            local: local.into_iter().map(|(_, parameter)| parameter).collect(),
            local_start,
            places,
            clip_sample: model.clip_sample_data,
            clip_factors: model.template_clip.is_some(),
            clip_bin: model.clip_bin_data,
            pyhf_domain: model.pyhf_domain,
            layout,
        }
    }
}

fn layout(model: &Model) -> Layout {
    let mut layout =
        Layout { n_parameters: model.n_parameters(), n_auxdata: model.auxdata().len(), ..Layout::default() };
    for channel in &model.channels {
        let parts: Vec<usize> = channel.samples.iter().map(|sample| sample.parts.len()).collect();
        let n_rows = parts.iter().sum();
        layout.channels.push(ChannelLayout {
            first_bin: layout.n_bins,
            n_bins: channel.n_bins,
            first_row: layout.n_rows,
            n_rows,
            first_cell: layout.n_cells,
            first_sample: layout.rows_of_sample.len(),
            n_samples: parts.len(),
        });
        layout.rows_of_sample.extend(parts);
        layout.n_bins += channel.n_bins;
        layout.n_rows += n_rows;
        layout.n_cells += n_rows * channel.n_bins;
    }
    layout
}

/// Every row: its index, its channel, and the part of a sample that it is.
pub(super) fn walk(model: &Model) -> impl Iterator<Item = (usize, &Channel, &Part)> {
    let samples = model.channels.iter().flat_map(|c| c.samples.iter().map(move |s| (c, s)));
    samples.flat_map(|(c, s)| s.parts.iter().map(move |p| (c, p))).enumerate().map(|(i, (c, p))| (i, c, p))
}

/// Finds the parameters that scale single cells of one bin only; the others are shared. Returns the place of every
/// parameter, and (bin, parameter) of the local ones in bin order.
fn places(model: &Model, layout: &Layout) -> (Vec<Place>, Vec<(u32, u32)>) {
    const NOWHERE: u32 = u32::MAX;
    const SHARED: u32 = u32::MAX - 1;
    let mut bin_of = vec![NOWHERE; layout.n_parameters];
    let of_events = model.unbinned.iter().flat_map(|term| term.parameters.iter().copied());
    let correlated = model.correlations.iter().flat_map(|group| group.parameters.iter().copied());
    for parameter in
        model.measurements.parameters().chain(of_events).chain(densities::parameters(model)).chain(correlated)
    {
        bin_of[parameter] = SHARED;
    }
    for (channel, place) in model.channels.iter().zip(&layout.channels) {
        let parts = || channel.samples.iter().flat_map(|sample| &sample.parts);
        // What acts beside a response is shared: the derivatives of responses are made for the shared parameters.
        for parameter in parts().filter(|part| part.response.is_some()).flat_map(Part::parameters) {
            bin_of[parameter] = SHARED;
        }
        for effect in parts().flat_map(|part| &part.effects) {
            match effect {
                Effect::Offset { parameter, .. }
                | Effect::InterpolatedScale { parameter, .. }
                | Effect::Scale { parameter } => bin_of[*parameter] = SHARED,
                Effect::BinScale { parameters } => {
                    for (bin, parameter) in parameters.iter().enumerate() {
                        let Some(parameter) = *parameter else { continue };
                        let bin = (place.first_bin + bin) as u32;
                        bin_of[parameter] = match bin_of[parameter] {
                            NOWHERE => bin,
                            known if known == bin => bin,
                            _ => SHARED,
                        };
                    }
                }
            }
        }
    }
    let mut local: Vec<(u32, u32)> =
        bin_of.iter().zip(0..).filter(|(bin, _)| **bin < SHARED).map(|(bin, parameter)| (*bin, parameter)).collect();
    local.sort_unstable();
    let mut places = vec![Place::Shared(0); layout.n_parameters];
    for (index, &(_, parameter)) in local.iter().enumerate() {
        places[parameter as usize] = Place::Local(index as u32);
    }
    let mut next = 0;
    for place in &mut places {
        if let Place::Shared(index) = place {
            *index = next;
            next += 1;
        }
    }
    (places, local)
}

fn rows(model: &Model, layout: &Layout) -> Rows {
    let groups = layout.row_groups();
    let mut rows = Rows { start: vec![0], scale_start: vec![0], ..Rows::default() };
    let mut accumulators: HashMap<u32, u32> = HashMap::new();
    let mut group_entries: BTreeMap<(u32, NormsysCode, usize), u32> = BTreeMap::new();
    let mut plain_of_row: Vec<Vec<u32>> = Vec::with_capacity(layout.n_rows);
    for (row, _, sample) in walk(model) {
        if row % 8 == 0 && row > 0 {
            rows.start.push(rows.entries.len() as u32);
            group_entries.clear();
        }
        let mut plain = Vec::new();
        // Of normsys with one parameter on one row each needs an entry of its own.
        let mut met: HashMap<(u32, NormsysCode), usize> = HashMap::new();
        for effect in &sample.effects {
            match effect {
                Effect::Scale { parameter } => {
                    plain.push(*parameter as u32);
                    rows.plain.push((row as u32, *parameter as u32));
                    rows.scales.push(RowScale::Plain { parameter: *parameter as u32 });
                }
                Effect::InterpolatedScale { parameter, lo, hi, code } if (*lo, *hi) != (1.0, 1.0) => {
                    let parameter = *parameter as u32;
                    let occurrence = met.entry((parameter, *code)).or_default();
                    let key = (parameter, *code, *occurrence);
                    *occurrence += 1;
                    let entry = *group_entries.entry(key).or_insert_with(|| {
                        let next = accumulators.len() as u32;
                        let accumulator = *accumulators.entry(parameter).or_insert_with(|| {
                            rows.interpolated.push(parameter);
                            next
                        });
                        rows.entries.push(InterpolatedEntry::empty(parameter, accumulator, *code));
                        rows.entries.len() as u32 - 1
                    });
                    rows.entries[entry as usize].set(row % 8, *lo, *hi, *code);
                    rows.scales.push(RowScale::Interpolated { parameter, entry, lane: (row % 8) as u32 });
                }
                _ => {}
            }
        }
        let first = rows.scale_start.last().map_or(0, |start| *start as usize);
        let mut seen = HashSet::new();
        rows.repeats |= rows.scales[first..].iter().any(|scale| {
            let (RowScale::Plain { parameter } | RowScale::Interpolated { parameter, .. }) = scale;
            !seen.insert(*parameter)
        });
        plain_of_row.push(plain);
        rows.scale_start.push(rows.scales.len() as u32);
    }
    rows.start.resize(groups + 1, rows.entries.len() as u32);
    rows.slots = slots(&plain_of_row, groups, layout.n_parameters);
    rows
}

impl InterpolatedEntry {
    fn empty(parameter: u32, accumulator: u32, code: NormsysCode) -> Self {
        let inner_radius = code.inner_radius();
        let intercept = code.has_linear_tail().then_some(Lanes([1.0; 8]));
        Self { parameter, accumulator, inner_radius, polynomial: [ZERO; 6], ln_hi: ZERO, ln_lo: ZERO, intercept }
    }

    fn set(&mut self, lane: usize, lo: f64, hi: f64, code: NormsysCode) {
        for (lanes, coefficient) in self.polynomial.iter_mut().zip(code.polynomial(lo, hi)) {
            lanes.0[lane] = coefficient;
        }
        let (above, below) = match code.tail(lo, hi) {
            Tail::Exponential => (hi.ln(), lo.ln()),
            Tail::Linear { intercept, up, down } => {
                self.intercept.iter_mut().for_each(|lanes| lanes.0[lane] = intercept);
                (up, -down)
            }
        };
        (self.ln_hi.0[lane], self.ln_lo.0[lane]) = (above, below);
    }
}

/// Turns lists of factors into slots of eight lanes; an empty place points behind the last parameter, to one.
fn slots(lists: &[Vec<u32>], groups: usize, one: usize) -> Vec<Vec<[u32; 8]>> {
    let n_slots = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut slots = vec![vec![[one as u32; 8]; groups]; n_slots];
    for (item, list) in lists.iter().enumerate() {
        for (slot, &parameter) in list.iter().enumerate() {
            slots[slot][item / 8][item % 8] = parameter;
        }
    }
    slots
}

fn cells(model: &Model, layout: &Layout, places: &[Place]) -> Cells {
    let mut cells = Cells { sparse_start: vec![0], factor_start: vec![0], ..Cells::default() };
    let mut known: HashMap<(u32, HistosysCode), u32> = HashMap::new();
    let mut row_of_cell = Vec::with_capacity(layout.n_cells);
    let mut bin_of_cell = Vec::with_capacity(layout.n_cells);
    let mut factors_of_cell: Vec<Vec<u32>> = Vec::with_capacity(layout.n_cells);
    let first_bin: Vec<usize> =
        layout.channels.iter().flat_map(|c| std::iter::repeat_n(c.first_bin, c.n_rows)).collect();
    for (row, channel, sample) in walk(model) {
        let offsets = offsets_of(sample, &mut known, &mut cells.offsets);
        for bin in 0..channel.n_bins {
            row_of_cell.push(row as u32);
            bin_of_cell.push((first_bin[row] + bin) as u32);
            for (offset, parameter, lo, hi) in &offsets {
                let antisymmetric = 0.5 * (hi[bin] - lo[bin]);
                let symmetric = 0.5 * (hi[bin] + lo[bin]) - sample.nominal[bin];
                let Place::Shared(shared) = places[*parameter as usize] else { continue };
                if antisymmetric != 0.0 || symmetric != 0.0 {
                    cells.sparse.push(SparseOffset { antisymmetric, symmetric, offset: *offset, shared });
                }
            }
            cells.sparse_start.push(cells.sparse.len() as u32);
            let factors: Vec<u32> = sample.effects.iter().filter_map(|effect| bin_factor(effect, bin)).collect();
            cells.factors.extend(factors.iter().map(|&parameter| (factors_of_cell.len() as u32, parameter)));
            cells.factor_start.push(cells.factors.len() as u32);
            factors_of_cell.push(factors);
        }
    }
    cells.nominal = lanes(walk(model).flat_map(|(_, _, sample)| sample.nominal.iter().copied()));
    cells.row = index_lanes(&row_of_cell, layout.n_rows, layout);
    cells.bin = index_lanes(&bin_of_cell, 0, layout);
    cells.slots = slots(&factors_of_cell, layout.cell_groups(), layout.n_parameters);
    group_offsets(&mut cells, layout);
    cells.clip = clip(model, &cells);
    cells
}

/// Which cells end at zero: those of parts with an offset, unless no offset moves them and they are on the right side.
fn clip(model: &Model, cells: &Cells) -> Vec<Lanes> {
    let Some(clip) = &model.template_clip else { return Vec::new() };
    let mut signs = Vec::new();
    for (c, channel) in model.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (p, part) in sample.parts.iter().enumerate() {
                let sign = if clip.subtracted.contains(&(c, s, p)) { -1.0 } else { 1.0 };
                let has_offset = part.effects.iter().any(|effect| matches!(effect, Effect::Offset { .. }));
                for nominal in &part.nominal {
                    let cell = signs.len();
                    let moved = cells.sparse_start[cell] < cells.sparse_start[cell + 1];
                    let can_end = has_offset && (moved || sign * nominal < 0.0);
                    signs.push(if can_end { sign } else { 0.0 });
                }
            }
        }
    }
    lanes(signs.into_iter())
}

/// (index among the offsets, parameter, lo, hi) of each histosys of a sample.
fn offsets_of<'m>(
    sample: &'m Part,
    known: &mut HashMap<(u32, HistosysCode), u32>,
    offsets: &mut Vec<(u32, HistosysCode)>,
) -> Vec<(u32, u32, &'m [f64], &'m [f64])> {
    let mut found = Vec::new();
    for effect in &sample.effects {
        let Effect::Offset { parameter, lo, hi, code } = effect else { continue };
        let key = (*parameter as u32, *code);
        let index = *known.entry(key).or_insert_with(|| {
            offsets.push(key);
            offsets.len() as u32 - 1
        });
        found.push((index, key.0, lo.as_slice(), hi.as_slice()));
    }
    found
}

fn bin_factor(effect: &Effect, bin: usize) -> Option<u32> {
    match effect {
        Effect::BinScale { parameters } => parameters.get(bin).copied().flatten().map(|p| p as u32),
        _ => None,
    }
}

/// The row or the bin of each cell, as lanes. A padded cell has template zero; its row does not exist and has factor
/// one.
fn index_lanes(of_cell: &[u32], padding: usize, layout: &Layout) -> Vec<[u32; 8]> {
    let mut groups = vec![[padding as u32; 8]; layout.cell_groups()];
    for (cell, &index) in of_cell.iter().enumerate() {
        groups[cell / 8][cell % 8] = index;
    }
    groups
}

/// Gathers the offsets of eight cells into entries, one a parameter; entries without a number are not made.
fn group_offsets(cells: &mut Cells, layout: &Layout) {
    cells.start.push(0);
    for group in 0..layout.cell_groups() {
        let mut of_group: BTreeMap<u32, OffsetEntry> = BTreeMap::new();
        for cell in 8 * group..(8 * group + 8).min(layout.n_cells) {
            let range = cells.sparse_start[cell] as usize..cells.sparse_start[cell + 1] as usize;
            for sparse in &cells.sparse[range] {
                let empty = OffsetEntry { antisymmetric: ZERO, symmetric: ZERO };
                let entry = of_group.entry(sparse.offset).or_insert(empty);
                entry.antisymmetric.0[cell % 8] += sparse.antisymmetric;
                entry.symmetric.0[cell % 8] += sparse.symmetric;
            }
        }
        cells.entry_offset.extend(of_group.keys());
        cells.entries.extend(of_group.into_values());
        cells.start.push(cells.entries.len() as u32);
    }
}

fn correlations(model: &Model, places: &[Place]) -> Vec<CompiledCorrelation> {
    let gaussians = constraints(model).gaussians;
    let of = |group: &Correlation| {
        let of_parameter = |parameter: &usize| {
            let gaussian = gaussians.iter().position(|(own, _, _)| *own as usize == *parameter)?;
            let Some(Place::Shared(place)) = places.get(*parameter) else { return None };
            Some((gaussian, *place as usize, gaussians[gaussian].2 as usize))
        };
        let found: Vec<(usize, usize, usize)> = group.parameters.iter().map(of_parameter).collect::<Option<_>>()?;
        Some(CompiledCorrelation {
            parameters: group.parameters.clone(),
            gaussians: found.iter().map(|(gaussian, ..)| *gaussian).collect(),
            places: found.iter().map(|(_, place, _)| *place).collect(),
            auxiliary: found.iter().map(|(.., auxiliary)| *auxiliary).collect(),
            source: group.clone(),
        })
    };
    model.correlations.iter().filter_map(of).collect()
}

fn constraints(model: &Model) -> Constraints {
    let mut constraints = Constraints::default();
    let mut next_auxiliary = 0;
    for (parameter, constraint) in (0..).zip(model.constraints()) {
        match constraint {
            None => continue,
            Some(Constraint::Gaussian { sigma, .. }) => {
                constraints.gaussians.push((parameter, sigma, next_auxiliary));
            }
            Some(Constraint::Poisson { factor, .. }) => {
                constraints.poissons.push((parameter, factor, next_auxiliary));
            }
        }
        next_auxiliary += 1;
    }
    let inverse: Vec<Lanes> = lanes(constraints.gaussians.iter().map(|&(_, sigma, _)| 1.0 / sigma));
    constraints.gaussian = vec![[model.n_parameters() as u32; 8]; inverse.len()];
    for (index, &(parameter, _, _)) in constraints.gaussians.iter().enumerate() {
        constraints.gaussian[index / 8][index % 8] = parameter;
    }
    constraints.inverse_sigma = inverse;
    constraints
}
