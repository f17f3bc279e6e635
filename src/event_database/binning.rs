//! Into which bin a row goes (spec/event-database.md, "Bins").

use super::columns::Batch;
use crate::document::eft::{Cut, Edge, EventsData, Flow, Infinity};
use crate::finding::{Finding, Result, number, quote};
use crate::rule;

/// `min ≤ x < max` of columns.
#[derive(Clone, Debug)]
pub struct Cuts(Vec<(usize, f64, f64)>);

/// A histogram in one or two dimensions.
#[derive(Clone, Debug)]
pub struct Histogram {
    axes: Vec<Axis>,
    underflow: Flow,
    overflow: Flow,
}

#[derive(Clone, Debug)]
struct Axis {
    observable: String,
    column: usize,
    edges: Vec<f64>,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Nothing where the row is dropped or an error.
    pub bin: Option<usize>,
    /// Below the first edge of this axis.
    pub under: Option<usize>,
    /// Above the last edge of this axis.
    pub over: Option<usize>,
    /// It may not be where it is.
    pub refused: bool,
}

impl Cuts {
    pub fn new(cuts: &[Cut], column: &mut dyn FnMut(&str) -> Result<usize>) -> Result<Cuts> {
        let one = |cut: &Cut| {
            let (min, max) = (cut.min.unwrap_or(f64::NEG_INFINITY), cut.max.unwrap_or(f64::INFINITY));
            if min.is_nan() || max.is_nan() || min >= max {
                let found =
                    format!("a selection of {} from {} to {}", quote(&cut.observable), number(min), number(max));
                return Err(super::declaration::contradiction(&found, "min below max").into());
            }
            Ok((column(&cut.observable)?, min, max))
        };
        Ok(Cuts(cuts.iter().map(one).collect::<Result<_>>()?))
    }

    pub fn pass(&self, batch: &Batch, row: usize) -> bool {
        self.0.iter().all(|(column, min, max)| {
            let x = batch.numbers(*column).get(row).copied().unwrap_or(f64::NAN);
            // A missing max takes everything above min.
            *min <= x && (x < *max || *max == f64::INFINITY)
        })
    }
}

impl Histogram {
    pub fn new(data: &EventsData, column: &mut dyn FnMut(&str) -> Result<usize>) -> Result<Histogram> {
        if data.axes.is_empty() || data.axes.len() > 2 {
            let found = format!("{} axes", data.axes.len());
            return Err(super::declaration::contradiction(&found, "one or two").into());
        }
        let mut axes = Vec::new();
        for axis in &data.axes {
            let edges: Vec<f64> = axis.edges.iter().map(value).collect();
            let falls = edges.windows(2).any(|w| !matches!(w, [a, b] if a < b));
            if edges.len() < 2 || falls || edges.iter().any(|e| e.is_nan()) {
                let shown: Vec<String> = edges.iter().take(20).map(|e| number(*e)).collect();
                let found = format!("axis {} with edges {}", quote(&axis.observable), shown.join(", "));
                return Err(Finding::new(&rule::EVENT_EDGES, found, "two or more edges that increase").into());
            }
            axes.push(Axis { observable: axis.observable.clone(), column: column(&axis.observable)?, edges });
        }
        Ok(Histogram { axes, underflow: data.underflow, overflow: data.overflow })
    }

    pub fn n_bins(&self) -> usize {
        self.axes.iter().map(Axis::n_bins).product()
    }

    /// The bin of a row, the last axis running fastest.
    pub fn place(&self, batch: &Batch, row: usize) -> Place {
        let mut place = Place { bin: None, under: None, over: None, refused: false };
        let (mut bin, mut dropped) = (0, false);
        for (i, axis) in self.axes.iter().enumerate() {
            let x = batch.numbers(axis.column).get(row).copied().unwrap_or(f64::NAN);
            let flow = match axis.find(x) {
                Found::In(own) => {
                    bin = bin * axis.n_bins() + own;
                    continue;
                }
                Found::Below => {
                    place.under = place.under.or(Some(i));
                    bin *= axis.n_bins();
                    self.underflow
                }
                Found::Above => {
                    place.over = place.over.or(Some(i));
                    bin = bin * axis.n_bins() + axis.n_bins() - 1;
                    self.overflow
                }
            };
            place.refused |= flow == Flow::Error;
            dropped |= flow == Flow::Drop;
        }
        place.bin = (!place.refused && !dropped).then_some(bin);
        place
    }

    /// What a message says of a row that may not be where it is.
    pub fn refusal(&self, place: &Place, batch: &Batch, row: usize) -> String {
        let side = place.under.map(|axis| (axis, "below")).or(place.over.map(|axis| (axis, "above")));
        let Some((axis, side)) = side.and_then(|(i, side)| Some((self.axes.get(i)?, side))) else {
            return String::new();
        };
        let x = batch.numbers(axis.column).get(row).copied().unwrap_or(f64::NAN);
        let edge = if side == "below" { axis.edges.first() } else { axis.edges.last() };
        let row = batch.first_row + row as u64;
        let edge = edge.copied().unwrap_or(f64::NAN);
        format!("{} = {} in row {row} (from 0), {side} the edge {}", quote(&axis.observable), number(x), number(edge))
    }
}

enum Found {
    Below,
    In(usize),
    Above,
}

impl Axis {
    fn n_bins(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// Bins are [e_i, e_{i+1}), the last one closed.
    fn find(&self, x: f64) -> Found {
        match self.edges.partition_point(|edge| *edge <= x) {
            0 => Found::Below,
            i if i < self.edges.len() => Found::In(i - 1),
            _ if self.edges.last() == Some(&x) => Found::In(self.n_bins().saturating_sub(1)),
            _ => Found::Above,
        }
    }
}

fn value(edge: &Edge) -> f64 {
    match edge {
        Edge::Finite(x) => *x,
        Edge::Infinite(Infinity::Above) => f64::INFINITY,
        Edge::Infinite(Infinity::Below) => f64::NEG_INFINITY,
    }
}
