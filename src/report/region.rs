//! The values of a parameter inside a level: intervals, how they end, and what lies between them.

use super::crossing;
use super::number::{Number, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Page};
use crate::infer::{Bridge, Crossing, End, FitOptions, Region};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// The values of the parameter at which −2 Δ ln L is not above `delta`: one interval, or several apart.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanRegion {
    /// Between two minima inside the level the profile rises above it, so that the region is in parts.
    pub bridge_crosses_level: bool,
    /// What lies between neighbouring minima inside the level; empty where there is one minimum.
    pub bridges: Vec<ScanBridge>,
    pub delta: Number,
    /// Ascending.
    pub intervals: Vec<ScanInterval>,
    pub level: Number,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanInterval {
    pub lower: ScanEnd,
    pub upper: ScanEnd,
}

/// Where an interval ends, or the last value known to lie inside, with the reason why no end was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanEnd {
    /// The interval ends at the bound of the parameter and not because the profile rises above the level.
    pub open_at_bound: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub value: Number,
}

/// The highest place of the profile between two neighbouring minima.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScanBridge {
    pub at: Number,
    pub crosses_level: bool,
    /// −2 Δ ln L there; null where the likelihood has no minimum on the way.
    pub delta_twice_nll: Number,
    /// The minima.
    pub from: Number,
    pub to: Number,
}

impl ScanRegion {
    /// The region of a parameter of `model`, found by fits with `options`.
    pub(super) fn new(model: &Model, options: &FitOptions, parameter: usize, region: &Region) -> ScanRegion {
        let end = |end: &End| ScanEnd {
            open_at_bound: matches!(end.crossing, Crossing::AtBound { .. }),
            reason: crossing::reason(model, options, parameter, region.height, &end.crossing),
            value: Number(end.value),
        };
        let interval = |i: &crate::infer::Interval| ScanInterval { lower: end(&i.lower), upper: end(&i.upper) };
        let bridges: Vec<ScanBridge> = region.bridges.iter().map(|b| ScanBridge::new(b, region.height)).collect();
        ScanRegion {
            bridge_crosses_level: bridges.iter().any(|bridge| bridge.crosses_level),
            bridges,
            delta: Number(region.height),
            intervals: region.intervals.iter().map(interval).collect(),
            level: Number(region.level),
        }
    }

    /// `[-0.3, 0.1] and [0.9, 1.4]`, digits by an uncertainty.
    pub(super) fn text(&self, sigma: f64) -> String {
        let intervals: Vec<String> = self.intervals.iter().map(|interval| interval.text(sigma)).collect();
        intervals.join(" and ")
    }

    /// The intervals of a table.
    pub(super) fn cell(&self, sigma: f64) -> Cell {
        let exact = |i: &ScanInterval| format!("[{:?}, {:?}]", i.lower.value.0, i.upper.value.0);
        let exact: Vec<String> = self.intervals.iter().map(exact).collect();
        Cell::pair(self.text(sigma), exact.join(" "))
    }

    /// The ends of all intervals.
    pub(super) fn ends(&self) -> impl Iterator<Item = &ScanEnd> {
        self.intervals.iter().flat_map(|interval| [&interval.lower, &interval.upper])
    }

    /// How many ends were looked for and not found.
    pub(super) fn n_failed(&self) -> usize {
        let expected = |code: Code| matches!(code, Code::AtBound | Code::EndOfDomain);
        self.ends().filter(|end| end.reason.as_ref().is_some_and(|reason| !expected(reason.code))).count()
    }

    /// The intervals of a level, what is open about them, and what lies between.
    pub(super) fn remarks(&self, mut page: Page, sigma: f64) -> Page {
        let label = format!("{} (delta {})", significant(self.level.0, 6), significant(self.delta.0, 6));
        page = page.remark("interval", format!("{label}: {}", self.text(sigma)));
        for reason in self.ends().filter_map(|end| end.reason.as_ref()) {
            page = page.remark("open", reason.message.clone());
        }
        for bridge in self.bridges.iter().filter(|bridge| bridge.crosses_level) {
            page = page.remark("bridge", bridge.text());
        }
        page
    }
}

impl ScanInterval {
    /// `[0.9, 1.4]`, with a round bracket where no end was found.
    pub(super) fn text(&self, sigma: f64) -> String {
        let rounded = |end: &ScanEnd| with_uncertainty(end.value.0, Some(0.1 * sigma)).0;
        let brackets =
            (if self.lower.reason.is_some() { '(' } else { '[' }, if self.upper.reason.is_some() { ')' } else { ']' });
        format!("{}{}, {}{}", brackets.0, rounded(&self.lower), rounded(&self.upper), brackets.1)
    }
}

impl ScanBridge {
    fn new(bridge: &Bridge, level: f64) -> ScanBridge {
        ScanBridge {
            at: Number(bridge.at),
            crosses_level: bridge.height > level,
            delta_twice_nll: Number(bridge.height),
            from: Number(bridge.from),
            to: Number(bridge.to),
        }
    }

    fn text(&self) -> String {
        let [from, to, at] = [self.from, self.to, self.at].map(|x| significant(x.0, 4));
        match self.delta_twice_nll.0.is_finite() {
            true => {
                let height = significant(self.delta_twice_nll.0, 4);
                format!("between the minima at {from} and {to} −2 Δ ln L rises to {height}, at {at}")
            }
            false => format!("between the minima at {from} and {to} the likelihood ends, at {at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_have_round_brackets() {
        let end = |value: f64, reason: Option<Reason>| ScanEnd {
            open_at_bound: reason.is_some(),
            reason,
            value: Number(value),
        };
        let open = Some(Reason::new(Code::AtBound, "at its bound"));
        let interval = ScanInterval { lower: end(0.0, open), upper: end(1.23456, None) };
        // A tenth of σ to two digits: 0.010.
        assert_eq!(interval.text(0.1), "(0.000, 1.235]");
    }
}
