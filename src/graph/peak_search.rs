//! The search for missed peaks in all integrals of a likelihood: at how many points, and where (spec/hs3.md, section 6).

use super::builder::Builder;
use super::column::Operation;
use super::likelihood::{GraphLikelihood, Parameter};
use super::maker::Maker;
use super::piece::{Piece, Scratch};
use super::program::{self, Known, Program};
use super::quadrature::{Cell, NOTHING, Run, unit};
use crate::finding::{Finding, number, quote};
use crate::kernel::simd::flat;
use crate::rule;
use std::collections::HashMap;

/// About how many operations may be spent on a pair of density and data, and on all of them.
const OPERATIONS: usize = 1 << 21;
const OPERATIONS_OF_ALL: usize = 1 << 25;

/// At how many points of an integrand peaks are looked for: at least, and, over the widest range of the variate, at most
/// where the parameters start and at most where a fit ends.
const FEWEST_POINTS: usize = 1 << 8;
const MOST_POINTS: usize = 1 << 16;
const MOST_POINTS_AT_END: usize = 1 << 9;

/// By which part of themselves inputs of integrals are moved, to see along which the integrand changes; those that are
/// zero, by that of their unit.
const MOVE: f64 = 1e-5;

/// So many of the events at most say where peaks may be.
const MOST_EVENTS: usize = 1 << 12;

/// About so many operations is the interpolation in a cell.
const INTERPOLATION: usize = 30;

/// About so many points has an integral inside of another one.
const INNER_POINTS: usize = 200;

/// Where the parameters start, or where a fit ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Start,
    End,
}

impl When {
    /// Points over the widest range of the variate.
    fn most(self) -> usize {
        match self {
            When::Start => MOST_POINTS,
            When::End => MOST_POINTS_AT_END,
        }
    }

    /// Slopes are looked at at every so many of the points.
    fn step_of_slopes(self) -> usize {
        match self {
            When::Start => 1,
            When::End => 4,
        }
    }
}

/// An integral over one variate, at its place among the integrals of a program.
#[derive(Clone, Copy)]
struct Line {
    index: usize,
    observable: usize,
    low: f64,
    high: f64,
}

impl Line {
    fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// A peak that an integral has missed.
struct MissedPeak {
    /// Its place among the integrals of the graph.
    integral: usize,
    observable: usize,
    at: f64,
}

impl MissedPeak {
    fn text(&self, builder: &Builder) -> String {
        let name = builder.observables.get(self.observable).map_or("", String::as_str);
        format!("a peak at {} = {}", quote(name), number(self.at))
    }
}

/// Integrals that miss a peak where the parameters start.
pub(super) fn missed_peaks(
    maker: &Maker,
    pieces: &[Piece],
    parameters: &[Parameter],
    memory: &mut Scratch,
) -> Vec<Finding> {
    let theta: Vec<f64> = parameters.iter().map(|parameter| parameter.value).collect();
    let operations = operations_of_each(pieces);
    let missed = pieces.iter().zip(&mut memory.programs).filter_map(|(piece, memory)| {
        piece.program.value(&theta, memory);
        piece.program.missed_peak(memory, operations, When::Start)
    });
    let finding = |missed: MissedPeak| {
        let found = format!("{} that an integral misses", missed.text(&maker.builder));
        let expected = "a range of the variate near the peak, or a type of density that says where its peak is";
        let at = maker.integral_places.get(missed.integral).cloned().unwrap_or_default();
        Finding::new(&rule::HS3_UNSUPPORTED, found, expected).at(at)
    };
    missed.map(finding).collect()
}

/// How many operations may be spent on each piece; the first one, of the constraints, has no integrals.
fn operations_of_each(pieces: &[Piece]) -> usize {
    (OPERATIONS_OF_ALL / pieces.len().saturating_sub(1).max(1)).min(OPERATIONS)
}

impl GraphLikelihood {
    /// A peak that an integral has missed in the last evaluation with this scratch, as far as some points and the events
    /// tell.
    pub fn missed_peak(&self, scratch: &mut Scratch) -> Option<String> {
        let operations = operations_of_each(&self.pieces);
        self.pieces.iter().zip(&mut scratch.programs).enumerate().find_map(|(at, (piece, memory))| {
            let missed = piece.program.missed_peak(memory, operations, When::End)?;
            let (of, peak) = (self.piece_name(at), missed.text(&self.source.builder));
            Some(format!("an integral of the density{of} misses {peak}"))
        })
    }
}

impl Program {
    /// The first integral over one variate that has missed a peak in the last evaluation, as far as some points tell: a
    /// grid, the events, and where integrals over parts of the range have put their cells.
    fn missed_peak(&self, scratch: &mut program::Scratch, operations: usize, when: When) -> Option<MissedPeak> {
        let mut lines = self.lines();
        if when == When::End {
            // What is made of numbers alone is what it was at the start.
            lines.retain(|line| !self.is_of_numbers(line.index));
        }
        let mut widest: HashMap<usize, f64> = HashMap::new();
        for line in &lines {
            let width = widest.entry(line.observable).or_insert(0.0);
            *width = width.max(line.width());
        }
        let share = |line: &Line| line.width() / widest[&line.observable];
        let cost: f64 = lines.iter().map(|line| share(line) * self.operations_at_point(line.index) as f64).sum();
        let points = ((operations as f64 / cost) as usize).clamp(FEWEST_POINTS, when.most());
        let program::Scratch { slots, integrals, work, .. } = scratch;
        let cells = cells_by_observable(&lines, integrals);
        lines.iter().find_map(|line| {
            let grid = grid(line, ((points as f64 * share(line)) as usize).max(FEWEST_POINTS));
            let events = self.events(line.observable, points.min(MOST_EVENTS));
            let probes = grid.chain(events).chain(cells_inside(&cells[&line.observable], line));
            let mut probes: Vec<f64> = probes.filter(|x| (line.low..=line.high).contains(x)).collect();
            probes.sort_by(f64::total_cmp);
            let Known { inputs, cells, .. } = &integrals[line.index];
            let mut run = Run { backend: self.backend, tables: &self.tables, scalars: inputs, slots };
            let quadrature = &self.tables.integrals[line.index];
            let moved = moved(inputs, (line.low, line.high));
            let thinned: Vec<f64> = probes.iter().copied().step_by(when.step_of_slopes()).collect();
            let mut look = |probes: &[f64], moved| quadrature.missed_peak(&mut run, work, cells, probes, moved);
            let at = look(&probes, None)
                .or_else(|| if quadrature.is_nested() { None } else { look(&thinned, Some(&moved)) })?;
            Some(MissedPeak { integral: self.integral_names[line.index], observable: line.observable, at })
        })
    }

    /// The integrals over one variate that are scalars.
    fn lines(&self) -> Vec<Line> {
        let all = self.tables.integrals.iter().enumerate().zip(&self.integral_inputs);
        let line = |((index, integral), inputs): ((usize, &super::quadrature::Quadrature), &Option<Vec<usize>>)| {
            inputs.as_ref()?;
            match (integral.observables.as_slice(), integral.ranges.as_slice()) {
                (&[observable], &[(low, high)]) => Some(Line { index, observable, low, high }),
                _ => None,
            }
        };
        all.filter_map(line).collect()
    }

    /// Where events lie, so many at most of each term.
    fn events(&self, observable: usize, most: usize) -> impl Iterator<Item = f64> {
        self.terms.iter().flat_map(move |term| {
            let place = term.observables.iter().position(|o| *o == observable);
            let column = place.map_or(&[][..], |place| flat(&term.data[place]));
            column.iter().step_by(column.len().div_ceil(most).max(1)).copied()
        })
    }

    /// About how many operations the search takes at one point of an integrand.
    fn operations_at_point(&self, integral: usize) -> usize {
        INTERPOLATION.saturating_add(self.operations_of(integral))
    }

    /// Those of one integrand at one point, with the integrals inside of it.
    fn operations_of(&self, integral: usize) -> usize {
        let of = |operation: &Operation| match operation {
            Operation::Integral(inner, _) => INNER_POINTS.saturating_mul(self.operations_of(*inner)),
            _ => 1,
        };
        self.tables.integrals[integral].program.operations.iter().map(of).fold(0, usize::saturating_add)
    }
}

/// Inputs of an integral, each moved a little, and none as the one before.
fn moved(inputs: &[f64], range: (f64, f64)) -> Vec<f64> {
    let least = unit(range);
    let steps = (0..).map(|k| MOVE * (0.5 + (0.618_034 * f64::from(k)).fract()));
    let size = |x: f64| if x.abs() > NOTHING * least { x.abs() } else { least };
    inputs.iter().zip(steps).map(|(x, step)| x + step * size(*x)).collect()
}

/// The centres of equal parts.
fn grid(line: &Line, points: usize) -> impl Iterator<Item = f64> {
    let (low, width) = (line.low, line.width() / points as f64);
    (0..points).map(move |i| low + width * (i as f64 + 0.5))
}

/// The centres of all cells, ascending, with the width of the range that each has been made for: a quadrature over a part of
/// the range has small cells where it has found a peak.
fn cells_by_observable(lines: &[Line], integrals: &[Known]) -> HashMap<usize, Vec<(f64, f64)>> {
    let mut all: HashMap<usize, Vec<(f64, f64)>> = HashMap::new();
    for line in lines {
        let centre = |cell: &Cell| {
            let axis = cell.first_axis();
            (0.5 * (axis.start + axis.end), line.width())
        };
        all.entry(line.observable).or_default().extend(integrals[line.index].cells.iter().map(centre));
    }
    all.values_mut().for_each(|centres| centres.sort_by(|a, b| a.0.total_cmp(&b.0)));
    all
}

/// The cells of narrower ranges that lie inside of this one.
fn cells_inside(centres: &[(f64, f64)], line: &Line) -> impl Iterator<Item = f64> {
    let from = centres.partition_point(|(x, _)| *x < line.low);
    let to = centres.partition_point(|(x, _)| *x <= line.high);
    let narrower = 0.99 * line.width();
    centres[from..to.max(from)].iter().filter(move |(_, width)| *width < narrower).map(|(x, _)| *x)
}
