//! The same as tables.

use super::events::RatioEntry;
use super::{ChangeEntry, DirectionEntry, EftInspectReport, ResponseEntry};
use crate::report::number::{Number, significant};
use crate::report::table::{Cell, Column, Page, Table};
use crate::report::text;
use std::collections::BTreeMap;

impl EftInspectReport {
    /// The tables; with `bins` responses and information of each bin as well.
    pub fn page(&self, file: &str, measurement: &str, bins: bool) -> Page {
        let b = &self.basis;
        let (eft, basis, scheme) = (text::label(&b.eft), text::label(&b.basis), text::label(&b.input_scheme));
        let scale = b.scale_gev.map(|mu| format!(", at {} GeV", significant(mu.0, 6))).unwrap_or_default();
        let basis = format!("{eft}, {basis}, Λ = {} TeV, {scheme}{scale}", significant(b.lambda_tev.0, 6));
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("basis", basis)
            .remark("information", format!("of Asimov data at {}", point(&self.information.point)));
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        page = page.table(self.coefficients()).table(self.responses()).table(self.changes());
        if bins {
            page = page.table(self.changes_of_bins());
        }
        page = page.table(self.positivity()).table(self.information());
        if bins {
            page = page.table(self.information_of_bins());
        }
        page = page.table(self.directions());
        if !self.morphing.is_empty() {
            page = page.table(self.morphing());
        }
        if self.events.is_empty() {
            return page;
        }
        page.table(self.event_rows()).table(self.event_information()).table(self.event_quality())
    }

    fn coefficients(&self) -> Table {
        let columns = [Column::left("coefficient"), Column::left("bounds"), Column::right("dimension")];
        let columns = columns.into_iter().chain([Column::left("WCxf"), Column::left("").key("remark")]);
        let mut table = Table::new("coefficients", columns);
        for c in &self.coefficients {
            table.add_row([
                Cell::name(&c.name),
                Cell::interval((c.bounds.0.0, c.bounds.1.0)),
                Cell::count(c.dimension as usize),
                Cell::name(c.wcxf.as_deref().unwrap_or_default()),
                Cell::text(if c.fixed { "fixed" } else { "" }),
            ]);
        }
        table
    }

    fn responses(&self) -> Table {
        let columns = ["channel", "sample", "response", "mode", "truncation"].map(Column::left);
        let columns = columns.into_iter().chain(["order", "monomials"].map(Column::right));
        let mut table = Table::new("responses", columns);
        for response in &self.responses {
            for modifier in &response.modifiers {
                table.add_row([
                    Cell::name(&response.channel),
                    Cell::name(&response.sample),
                    Cell::text(&modifier.kind),
                    Cell::text(&modifier.mode),
                    Cell::text(&modifier.truncation),
                    Cell::count(response.order as usize),
                    Cell::count(response.monomials),
                ]);
            }
        }
        table
    }

    /// The sum of the bins, and the bins that move most.
    fn changes(&self) -> Table {
        let columns = ["channel", "sample", "coefficient"].map(Column::left);
        let right = [
            Column::right("linear/SM").key("linear_over_sm"),
            Column::right("quadratic/SM").key("quadratic_over_sm"),
            Column::right("largest linear (bin)").key("largest_linear"),
            Column::right("largest quadratic (bin)").key("largest_quadratic"),
        ];
        let mut table = Table::new("yields at ±1, all bins", columns.into_iter().chain(right));
        for response in &self.responses {
            let total: f64 = response.sm.iter().map(|x| x.0).sum();
            let sum = |part: &[Number]| part.iter().zip(&response.sm).map(|(x, sm)| x.0 * sm.0).sum::<f64>() / total;
            for change in &response.coefficients {
                table.add_row([
                    Cell::name(&response.channel),
                    Cell::name(&response.sample),
                    Cell::name(&change.name),
                    Cell::number(sum(&change.linear), 4),
                    Cell::number(sum(&change.quadratic), 4),
                    largest(&change.linear),
                    largest(&change.quadratic),
                ]);
            }
        }
        table
    }

    fn changes_of_bins(&self) -> Table {
        let columns = ["channel", "sample", "coefficient"].map(Column::left);
        let right = [
            Column::right("bin"),
            Column::right("SM").key("sm"),
            Column::right("at −1").key("down"),
            Column::right("at +1").key("up"),
            Column::right("linear/SM").key("linear_over_sm"),
            Column::right("quadratic/SM").key("quadratic_over_sm"),
        ];
        let mut table = Table::new("yields at ±1, bin by bin", columns.into_iter().chain(right));
        for response in &self.responses {
            for change in &response.coefficients {
                for bin in 0..response.sm.len() {
                    table.add_row(row_of_bin(response, change, bin));
                }
            }
        }
        table
    }

    fn positivity(&self) -> Table {
        let columns = ["channel", "sample"].map(Column::left);
        let right = [Column::right("bin"), Column::right("smallest"), Column::right("SM").key("sm")];
        let last = [Column::left("where"), Column::left("").key("remark")];
        let title = "smallest expected yields found in the box (a search, not a proof)";
        let mut table = Table::new(title, columns.into_iter().chain(right).chain(last));
        for entry in &self.positivity {
            table.add_row([
                Cell::name(&entry.channel),
                entry.sample.as_ref().map_or_else(|| Cell::text("all"), |name| Cell::name(name)),
                Cell::count(entry.bin),
                Cell::number(entry.value.0, 4),
                Cell::number(entry.sm.0, 4),
                Cell::text(point(&entry.at)),
                Cell::text(if entry.negative { "negative" } else { "" }),
            ]);
        }
        table
    }

    fn free_names(&self) -> impl Iterator<Item = &str> {
        self.coefficients.iter().filter(|c| !c.fixed).map(|c| c.name.as_str())
    }

    /// 1/√I_ii, the uncertainty of one coefficient while the others are zero.
    fn information(&self) -> Table {
        let columns = self.free_names().map(|name| Column::right(&text::label(name)).key(name));
        let title = "uncertainty of each coefficient alone from the information, 1/√I";
        let mut table = Table::new(title, std::iter::once(Column::left("of")).chain(columns));
        for channel in &self.information.channels {
            table.add_row(std::iter::once(Cell::name(&channel.channel)).chain(widths(&channel.sum)));
        }
        if let Some(measurements) = &self.information.measurements {
            table.add_row(std::iter::once(Cell::text("(Gaussian measurements)")).chain(widths(measurements)));
        }
        for (term, matrix) in &self.information.unbinned {
            let unknown = || self.free_names().map(|_| Cell::text("unknown")).collect();
            table.add_row(std::iter::once(Cell::name(term)).chain(matrix.as_deref().map_or_else(unknown, widths)));
        }
        table.add_row(std::iter::once(Cell::text("(all)")).chain(widths(&self.information.fixed)));
        if let Some(profiled) = &self.information.profiled {
            table.add_row(std::iter::once(Cell::text("(all, nuisance parameters profiled)")).chain(widths(profiled)));
        }
        table
    }

    fn information_of_bins(&self) -> Table {
        let columns = self.free_names().map(|name| Column::right(&text::label(name)).key(name));
        let first = [Column::left("channel"), Column::right("bin"), Column::right("expected")];
        let title = "information of each bin on each coefficient alone";
        let mut table = Table::new(title, first.into_iter().chain(columns));
        for channel in &self.information.channels {
            for (bin, (matrix, expected)) in channel.bins.iter().zip(&channel.expected).enumerate() {
                let first = [Cell::name(&channel.channel), Cell::count(bin), Cell::number(expected.0, 4)];
                let diagonal = |i: usize| matrix.as_ref().and_then(|m| m.get(i)?.get(i)).map_or(f64::NAN, |x| x.0);
                let cells = (0..self.free_names().count()).map(|i| Cell::number(diagonal(i), 4));
                table.add_row(first.into_iter().chain(cells));
            }
        }
        table
    }

    fn directions(&self) -> Table {
        let columns = [Column::left("information"), Column::right("eigenvalue"), Column::right("1/√").key("width")];
        let mut table = Table::new("directions", columns.into_iter().chain([Column::left("direction")]));
        let all = [("fixed", &self.information.directions_fixed), ("profiled", &self.information.directions_profiled)];
        for (what, directions) in all {
            for direction in directions.iter().rev() {
                table.add_row([
                    Cell::text(what),
                    Cell::number(direction.eigenvalue.0, 4),
                    width(direction.eigenvalue.0),
                    Cell::text(combination(direction)),
                ]);
            }
        }
        table
    }

    fn morphing(&self) -> Table {
        let columns = ["channel", "sample"].map(Column::left);
        let right = ["points", "monomials", "condition", "largest weight"].map(Column::right);
        let columns = columns.into_iter().chain(right).chain([Column::left("where")]);
        let mut table = Table::new("morphing (largest weight: a search)", columns);
        for entry in &self.morphing {
            table.add_row([
                Cell::name(&entry.channel),
                Cell::name(&entry.sample),
                Cell::count(entry.basis_points),
                Cell::count(entry.monomials),
                Cell::number(entry.condition.0, 3),
                Cell::number(entry.largest_weight.0, 3),
                Cell::text(point(&entry.largest_weight_at)),
            ]);
        }
        table
    }

    /// What became of the rows of databases.
    fn event_rows(&self) -> Table {
        let columns = ["channel", "sample", "database"].map(Column::left);
        let right = [
            Column::right("rows").key("total"),
            Column::right("of other channels").key("other_channels"),
            Column::right("cut").key("cut"),
            Column::right("below the edges").key("underflow"),
            Column::right("above").key("overflow"),
            Column::right("in bins").key("binned"),
        ];
        let mut table = Table::new("rows of event databases", columns.into_iter().chain(right));
        for entry in &self.events {
            let rows = &entry.rows;
            let counts = [rows.total, rows.other_channels, rows.cut, rows.underflow, rows.overflow, rows.binned];
            let counts = counts.map(|n| Cell::count(usize::try_from(n).unwrap_or(usize::MAX)));
            table.add_row(
                [&entry.channel, &entry.sample, &entry.database].map(|name| Cell::name(name)).into_iter().chain(counts),
            );
        }
        table
    }

    /// How much of the information of single events is left in the bins.
    fn event_information(&self) -> Table {
        let columns = ["channel", "sample", "coefficient"].map(Column::left);
        let right = [
            Column::right("1/√I of events").key("unbinned"),
            Column::right("1/√I of bins").key("binned"),
            Column::right("share kept").key("share"),
        ];
        let title = "information of events and of their histogram, without background";
        let mut table = Table::new(title, columns.into_iter().chain(right));
        for entry in &self.events {
            for (i, name) in entry.coefficients.iter().enumerate() {
                let of = |m: &[Vec<Number>]| m.get(i).and_then(|row| row.get(i)).map_or(f64::NAN, |x| x.0);
                let (unbinned, binned) = (of(&entry.information.unbinned), of(&entry.information.binned));
                table.add_row([
                    Cell::name(&entry.channel),
                    Cell::name(&entry.sample),
                    Cell::name(name),
                    width(unbinned),
                    width(binned),
                    Cell::number(binned / unbinned, 3),
                ]);
            }
        }
        table
    }

    /// How the weights are spread at zero and at the bounds.
    fn event_quality(&self) -> Table {
        let columns = ["channel", "sample", "at"].map(Column::left);
        let right = [
            Column::right("least effective events (bin)").key("least_effective_events"),
            Column::right("w/w₀ median").key("ratio_median"),
            Column::right("99 %").key("ratio_99"),
            Column::right("largest").key("ratio_largest"),
            Column::right("Σw² of 1 %").key("share_of_largest"),
            Column::right("closure p").key("closure_p_value"),
        ];
        let mut table = Table::new("weights of events", columns.into_iter().chain(right));
        for entry in &self.events {
            for p in &entry.points {
                let finite = p.effective_events.iter().enumerate().filter(|(_, n)| n.0.is_finite());
                let least = finite.min_by(|a, b| a.1.0.total_cmp(&b.1.0));
                let least = least.map(|(bin, n)| Cell::number_as(n.0, format!("{:.1} ({bin})", n.0)));
                let ratio = |of: fn(&RatioEntry) -> Number| {
                    p.ratio.as_ref().map_or_else(Cell::empty, |r| Cell::number(of(r).0, 3))
                };
                table.add_row([
                    Cell::name(&entry.channel),
                    Cell::name(&entry.sample),
                    Cell::text(point(&p.at)),
                    least.unwrap_or_default(),
                    ratio(|r| r.median),
                    ratio(|r| r.percentile_99),
                    ratio(|r| r.largest),
                    ratio(|r| r.share_of_largest),
                    p.closure.as_ref().map_or_else(Cell::empty, |c| Cell::number(c.p_value.0, 3)),
                ]);
            }
        }
        table
    }
}

fn row_of_bin(response: &ResponseEntry, change: &ChangeEntry, bin: usize) -> Vec<Cell> {
    let at = |values: &[Number]| Cell::number(values.get(bin).map_or(f64::NAN, |x| x.0), 4);
    vec![
        Cell::name(&response.channel),
        Cell::name(&response.sample),
        Cell::name(&change.name),
        Cell::count(bin),
        at(&response.sm),
        at(&change.down),
        at(&change.up),
        at(&change.linear),
        at(&change.quadratic),
    ]
}

fn widths(matrix: &[Vec<Number>]) -> Vec<Cell> {
    matrix.iter().enumerate().filter_map(|(i, row)| row.get(i)).map(|x| width(x.0)).collect()
}

/// 1/√x
fn width(information: f64) -> Cell {
    if information > 0.0 { Cell::number(information.sqrt().recip(), 4) } else { Cell::text("–") }
}

fn largest(values: &[Number]) -> Cell {
    let finite = values.iter().enumerate().filter(|(_, x)| x.0.is_finite());
    match finite.max_by(|a, b| a.1.0.abs().total_cmp(&b.1.0.abs())) {
        Some((bin, x)) => Cell::number_as(x.0, format!("{} ({bin})", significant(x.0, 4))),
        None => Cell::empty(),
    }
}

/// `cHW = 0.2, cHWtil = 0`
fn point(values: &BTreeMap<String, Number>) -> String {
    let parts: Vec<String> =
        values.iter().map(|(name, x)| format!("{} = {}", text::label(name), significant(x.0, 3))).collect();
    text::list(&parts, 6)
}

/// `0.98 cHW − 0.2 cHWtil`, the largest first.
fn combination(direction: &DirectionEntry) -> String {
    let mut parts: Vec<(&String, f64)> = direction.components.iter().map(|(name, x)| (name, x.0)).collect();
    parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    parts.retain(|(_, x)| x.abs() >= 0.005);
    let term = |(i, (name, x)): (usize, &(&String, f64))| {
        let sign = match (i, *x < 0.0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        format!("{sign}{} {}", significant(x.abs(), 2), text::label(name))
    };
    parts.iter().take(6).enumerate().map(term).chain((parts.len() > 6).then(|| " + …".to_owned())).collect()
}
