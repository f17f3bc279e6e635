//! Histograms of events: how well their events carry the box of the coefficients.

use super::matrix;
use crate::event_database::FlowCounts;
use crate::event_database::quality::{Closure, RatioTails};
use crate::infer::eft::information::{EventInformation, directions};
use crate::report::number::{Number, numbers};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A sample that is a histogram of events, alone and without background (spec/event-database.md, "Quality").
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventsEntry {
    pub channel: String,
    pub coefficients: Vec<String>,
    pub database: String,
    /// The share of the bins without any event: what lies there cannot be reached by reweighting. With an independent
    /// sample, the share of its yields in such bins.
    pub empty_share: Number,
    pub information: EventInformationEntry,
    /// The least weight of any event in the box; null where the search does not know the form of the weights.
    pub least_weight: Option<LeastWeightEntry>,
    /// At zero, and with each coefficient at its bounds.
    pub points: Vec<EventPoint>,
    pub rows: RowsEntry,
    pub sample: String,
}

/// What became of the rows of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RowsEntry {
    /// In a bin, those included that `underflow` or `overflow` merge into the outermost one.
    pub binned: u64,
    /// Outside of the selection.
    pub cut: u64,
    pub other_channels: u64,
    /// Above the last edge of an axis, dropped or merged.
    pub overflow: u64,
    pub total: u64,
    /// Below the first edge of an axis, dropped or merged.
    pub underflow: u64,
}

/// Information of the histogram and of the events themselves.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventInformationEntry {
    pub binned: Vec<Vec<Number>>,
    /// Events and bins without positive weight that move, which are in neither.
    pub left_out: usize,
    /// What the bins lose: eigenvalues of `unbinned` − `binned`.
    pub lost: Vec<Number>,
    pub unbinned: Vec<Vec<Number>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LeastWeightEntry {
    pub at: BTreeMap<String, Number>,
    /// In yields.
    pub value: Number,
}

/// How the weights are spread at one point.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventPoint {
    pub at: BTreeMap<String, Number>,
    /// Agreement with an independent sample, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureEntry>,
    /// (Σ w)²/Σ w² of each bin; null for a bin without events.
    pub effective_events: Vec<Number>,
    /// Of w(point)/w(0) over all events; null without events.
    pub ratio: Option<RatioEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RatioEntry {
    pub largest: Number,
    pub median: Number,
    /// Events of negative weight at the point.
    pub negative: usize,
    pub percentile_99: Number,
    /// The share of Σ w² that 1 % of the events have.
    pub share_of_largest: Number,
    /// Events that have no weight at zero, but at the point.
    pub unreachable: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClosureEntry {
    pub chi2: Number,
    pub n_bins: usize,
    pub p_value: Number,
    pub pulls: Vec<Number>,
}

impl From<&EventInformation> for EventInformationEntry {
    fn from(information: &EventInformation) -> EventInformationEntry {
        let lost = directions(&(&information.unbinned - &information.binned));
        EventInformationEntry {
            binned: matrix(&information.binned),
            left_out: information.left_out,
            lost: lost.iter().map(|direction| Number(direction.eigenvalue)).collect(),
            unbinned: matrix(&information.unbinned),
        }
    }
}

impl From<FlowCounts> for RowsEntry {
    fn from(flow: FlowCounts) -> RowsEntry {
        let FlowCounts { rows: total, other_channels, cut, underflow, overflow, binned } = flow;
        RowsEntry { binned, cut, other_channels, overflow, total, underflow }
    }
}

impl From<RatioTails> for RatioEntry {
    fn from(tails: RatioTails) -> RatioEntry {
        RatioEntry {
            largest: Number(tails.largest),
            median: Number(tails.median),
            negative: tails.negative,
            percentile_99: Number(tails.percentile_99),
            share_of_largest: Number(tails.share_of_largest),
            unreachable: tails.unreachable,
        }
    }
}

impl From<Closure> for ClosureEntry {
    fn from(closure: Closure) -> ClosureEntry {
        ClosureEntry {
            chi2: Number(closure.chi2),
            n_bins: closure.n_bins,
            p_value: Number(closure.p_value),
            pulls: numbers(&closure.pulls),
        }
    }
}
