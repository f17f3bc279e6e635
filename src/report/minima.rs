//! The local minima of a fit, how often its starts led to them, and what they may have missed.

use super::by_name::{ByName, by_name};
use super::number::{Number, fixed_point, significant};
use super::table::{Cell, Column, Table};
use super::text;
use crate::infer::{LocalMinimum, Minima};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// Minima of a table, at most.
const MOST_ROWS: usize = 20;

/// All minima to which the starts of a fit led.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MinimaReport {
    /// Starts that led to no minimum.
    pub failed_starts: u32,
    /// The largest part of the spread starts that a basin which none of them has met may draw, at 95 % confidence; 1
    /// without such starts.
    pub largest_missed_basin: Number,
    /// Ascending by value.
    pub minima: Vec<MinimumReport>,
    /// Starts that were spread over the coefficients.
    pub spread_starts: u32,
    /// All starts.
    pub starts: u32,
    /// Estimate of the probability that one more spread start leads to a minimum to which none has led (Good and Turing);
    /// null without such starts.
    pub unseen: Number,
}

/// A local minimum within the bounds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MinimumReport {
    /// Scalar names of free parameters that are on a bound.
    pub at_limit: Vec<String>,
    /// Above the lowest minimum.
    pub delta_twice_nll: Number,
    /// Starts that led to it.
    pub hits: u32,
    pub parameters: ByName,
    /// Those of its hits that were spread over the coefficients.
    pub spread_hits: u32,
    pub twice_nll: Number,
}

impl MinimaReport {
    pub(super) fn new(model: &Model, minima: &Minima) -> MinimaReport {
        let names = model.parameter_names();
        let lowest = minima.found.first().map_or(f64::NAN, |minimum| minimum.twice_nll);
        let minimum = |minimum: &LocalMinimum| MinimumReport {
            at_limit: minimum.at_limit.iter().filter_map(|&i| names.get(i).cloned()).collect(),
            delta_twice_nll: Number(minimum.twice_nll - lowest),
            hits: minimum.n_hits,
            parameters: by_name(model, &minimum.parameters),
            spread_hits: minimum.n_spread,
            twice_nll: Number(minimum.twice_nll),
        };
        MinimaReport {
            failed_starts: minima.n_failed,
            largest_missed_basin: Number(minima.largest_missed()),
            minima: minima.found.iter().map(minimum).collect(),
            spread_starts: minima.n_spread,
            starts: minima.n_starts,
            unseen: Number(minima.unseen()),
        }
    }

    /// One sentence on the starts.
    pub(super) fn remark(&self) -> String {
        let found = match self.minima.len() {
            1 => "1 minimum".to_owned(),
            n => format!("{n} minima"),
        };
        let spread = format!("{} starts, {} of them spread", self.starts, self.spread_starts);
        let failed = if self.failed_starts > 0 {
            format!(", {} ended at no minimum", self.failed_starts)
        } else {
            String::new()
        };
        let missed = format!(
            "a spread start leads to an unseen one with probability {}; a missed basin draws less than {} (95 %)",
            significant(self.unseen.0, 2),
            significant(self.largest_missed_basin.0, 2)
        );
        if self.spread_starts == 0 {
            format!("{found} from {spread}")
        } else {
            format!("{found} from {spread}{failed}; {missed}")
        }
    }

    /// The lowest minima, one a line; nothing where there is one alone.
    pub(super) fn table(&self) -> Option<Table> {
        if self.minima.len() < 2 {
            return None;
        }
        let title = if self.minima.len() > MOST_ROWS { "lowest minima" } else { "minima" };
        let columns = [
            Column::right("twice_nll"),
            Column::right("above").key("delta_twice_nll"),
            Column::right("hits"),
            Column::right("spread").key("spread_hits"),
            Column::left("at limit").key("at_limit"),
        ];
        let mut table = Table::new(title, columns);
        for minimum in self.minima.iter().take(MOST_ROWS) {
            let at_limit: Vec<String> = minimum.at_limit.iter().map(|name| text::label(name)).collect();
            table.add_row([
                Cell::number_as(minimum.twice_nll.0, fixed_point(minimum.twice_nll.0, 6)),
                Cell::number_as(minimum.delta_twice_nll.0, fixed_point(minimum.delta_twice_nll.0, 6)),
                Cell::count(minimum.hits as usize),
                Cell::count(minimum.spread_hits as usize),
                Cell::text(at_limit.join(", ")),
            ]);
        }
        Some(table)
    }
}
