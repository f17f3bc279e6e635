//! Directions in the space of the Wilson coefficients by their information, and which data set has it.

use super::eft_inspect::matrix;
use super::number::{Number, numbers, significant};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::eft::directions::{DataSet, DataSetInformation, Spectrum, along};
use crate::infer::eft::information::{Direction, NoInformation, OpenTerm};
use crate::model::Model;
use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Information with the other parameters profiled, and its eigenvectors. Matrices have the order of `coefficients`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EftDirectionsReport {
    /// Those that are free, in fit order.
    pub coefficients: Vec<String>,
    /// One for each channel, measurement with Gaussian errors and unbinned term: what it knows alone. They add up to
    /// `information` only where no two share a nuisance parameter or a correlation.
    pub data_sets: Vec<DataSetEntry>,
    /// Names of directions that have one eigenvalue: any rotation among them is as good.
    pub degenerate: Vec<Vec<String>>,
    /// By descending eigenvalue.
    pub directions: Vec<SpectrumEntry>,
    pub information: Vec<Vec<Number>>,
    pub notes: Vec<Reason>,
    /// Where the Asimov data are.
    pub point: BTreeMap<String, Number>,
    /// Directions with a smaller eigenvalue are dropped; null where none was asked for.
    pub threshold: Option<Number>,
}

/// A combination of coefficients, of unit length.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SpectrumEntry {
    pub components: BTreeMap<String, Number>,
    /// The eigenvalue is below the threshold.
    pub dropped: bool,
    pub eigenvalue: Number,
    pub name: String,
    /// 1/√eigenvalue; null where the eigenvalue is zero but for rounding.
    pub uncertainty: Number,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DataSetEntry {
    /// Along each of `directions`: vᵀ I v.
    pub along: Vec<Number>,
    pub information: Option<Vec<Vec<Number>>>,
    pub kind: DataSetKind,
    pub name: String,
    /// Why there is no information; null where there is.
    pub reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSetKind {
    Channel,
    Measurement,
    Unbinned,
}

/// What a report is made of.
pub struct Found<'a> {
    pub model: &'a Model,
    pub coefficients: &'a [usize],
    pub point: &'a [f64],
    pub information: &'a DMatrix<f64>,
    pub spectrum: &'a Spectrum,
    pub data_sets: &'a [DataSetInformation],
    pub prefix: &'a str,
    pub threshold: Option<f64>,
}

impl EftDirectionsReport {
    pub fn new(found: &Found, notes: Vec<Reason>) -> EftDirectionsReport {
        let all = found.model.parameter_names();
        let coefficients: Vec<String> = found.coefficients.iter().filter_map(|&i| all.get(i).cloned()).collect();
        let at = found.coefficients.iter().filter_map(|&i| found.point.get(i).copied());
        let name = |k: usize| format!("{}{}", found.prefix, k + 1);
        let direction = |(k, direction): (usize, &Direction)| SpectrumEntry {
            components: coefficients.iter().cloned().zip(numbers(&direction.vector)).collect(),
            dropped: found.threshold.is_some_and(|threshold| direction.eigenvalue < threshold),
            eigenvalue: Number(direction.eigenvalue),
            name: name(k),
            uncertainty: Number(if direction.eigenvalue > found.spectrum.rounding {
                direction.eigenvalue.sqrt().recip()
            } else {
                f64::NAN
            }),
        };
        EftDirectionsReport {
            data_sets: found.data_sets.iter().map(|own| DataSetEntry::new(found, own)).collect(),
            degenerate: found.spectrum.degenerate.iter().map(|group| group.clone().map(name).collect()).collect(),
            directions: found.spectrum.directions.iter().enumerate().map(direction).collect(),
            information: matrix(found.information),
            notes,
            point: coefficients.iter().cloned().zip(at.map(Number)).collect(),
            threshold: found.threshold.map(Number),
            coefficients,
        }
    }

    /// The directions, and what each data set knows of them.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let mut page = Page::new().remark("file", text::escape(file)).remark("measurement", text::label(measurement));
        if let Some(threshold) = self.threshold {
            page = page.remark("threshold", significant(threshold.0, 6));
        }
        for group in &self.degenerate {
            let names: Vec<&str> = group.iter().map(String::as_str).collect();
            page = page.remark("degenerate", text::list(&names, 8));
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        page.table(self.directions_table()).table(self.data_sets_table())
    }

    fn directions_table(&self) -> Table {
        let columns = [
            Column::left("direction"),
            Column::right("eigenvalue"),
            Column::right("σ").key("uncertainty"),
            Column::left("components"),
            Column::left("").key("remark"),
        ];
        let mut table = Table::new("Directions", columns);
        for direction in &self.directions {
            let sigma = direction.uncertainty.0;
            let marks = [(direction.dropped, "dropped"), (!sigma.is_finite(), "no information")];
            let marks: Vec<&str> = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
            table.add_row([
                Cell::name(&direction.name),
                Cell::number(direction.eigenvalue.0, 5),
                if sigma.is_finite() { Cell::number(sigma, 4) } else { Cell::empty() },
                direction.combination(),
                Cell::text(marks.join(", ")),
            ]);
        }
        table
    }

    fn data_sets_table(&self) -> Table {
        let mut columns = vec![Column::left("data set").key("data_set"), Column::left("kind")];
        columns.extend(self.directions.iter().map(|direction| Column::right(&direction.name)));
        columns.push(Column::left("").key("remark"));
        let mut table = Table::new("Information of each data set alone, along the directions", columns);
        for own in &self.data_sets {
            let kind = match own.kind {
                DataSetKind::Channel => "channel",
                DataSetKind::Measurement => "measurement",
                DataSetKind::Unbinned => "unbinned",
            };
            let mut cells = vec![Cell::name(&own.name), Cell::text(kind)];
            cells.extend((0..self.directions.len()).map(|k| match own.along.get(k) {
                Some(value) => Cell::number(value.0, 3),
                None => Cell::empty(),
            }));
            cells.push(Cell::text(own.reason.as_ref().map(|r| r.message.clone()).unwrap_or_default()));
            table.add_row(cells);
        }
        table
    }
}

impl SpectrumEntry {
    /// `0.92 a − 0.38 b + …`, components above a tenth of the largest for people.
    fn combination(&self) -> Cell {
        let mut all: Vec<(&String, f64)> = self.components.iter().map(|(name, x)| (name, x.0)).collect();
        all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let largest = all.first().map_or(0.0, |(_, x)| x.abs());
        let exact: Vec<String> = all.iter().map(|(name, x)| format!("{x:?} {name}")).collect();
        let main = all.iter().filter(|(_, x)| x.abs() >= 0.1 * largest).take(6);
        let words = main.clone().enumerate().map(|(k, (name, x))| {
            let sign = match (k, *x < 0.0) {
                (0, true) => "−",
                (0, false) => "",
                (_, true) => " − ",
                (_, false) => " + ",
            };
            format!("{sign}{:.2} {}", x.abs(), text::label(name))
        });
        let more = if main.count() < all.iter().filter(|(_, x)| *x != 0.0).count() { " + …" } else { "" };
        Cell::pair(format!("{}{more}", words.collect::<String>()), exact.join("; "))
    }
}

impl DataSetEntry {
    fn new(found: &Found, own: &DataSetInformation) -> DataSetEntry {
        let (kind, name) = match own.data_set {
            DataSet::Channel(c) => (DataSetKind::Channel, found.model.channels.get(c).map(|channel| &channel.name)),
            DataSet::Measurement(s) => {
                (DataSetKind::Measurement, found.model.measurements.sets.get(s).map(|set| &set.name))
            }
            DataSet::Unbinned(t) => (DataSetKind::Unbinned, found.model.unbinned.get(t).map(|term| &term.name)),
        };
        let known = own.matrix.as_ref().ok();
        let of = |matrix: &DMatrix<f64>| {
            found.spectrum.directions.iter().map(|direction| Number(along(matrix, direction))).collect()
        };
        DataSetEntry {
            along: known.map(of).unwrap_or_default(),
            information: known.map(matrix),
            kind,
            name: name.cloned().unwrap_or_default(),
            reason: own.matrix.as_ref().err().map(|reason| no_information(*reason)),
        }
    }
}

/// Why there is no information with profiled nuisance parameters.
/// An unbinned term whose Asimov data are not at their point.
pub fn not_closed(model: &Model, open: &OpenTerm) -> Reason {
    let name = model.unbinned.get(open.term).map_or_else(String::new, |term| text::label(&term.name));
    let message = format!(
        "the unbinned term {name} expects {} events at the point, and its reference events stand for {} ± {}: its ratios \
         do not close (eft closure), and its Asimov data, from which information is made, are not at the point",
        significant(open.expected, 6),
        significant(open.asimov, 6),
        significant(open.deviation, 2)
    );
    Reason::new(Code::NotClosed, message)
}

pub fn no_information(reason: NoInformation) -> Reason {
    match reason {
        NoInformation::OutOfDomain => Reason::new(
            Code::OutOfDomain,
            "the point is out of the domain or on its border: no information with profiled nuisance parameters",
        ),
        NoInformation::NoReference => Reason::new(
            Code::NoToyData,
            "an unbinned term has no reference events, from which Asimov data are made: its information is not in any sum",
        ),
        NoInformation::TooManyParameters => Reason::new(
            Code::NotRequested,
            "too many parameters for a dense matrix: no information with profiled nuisance parameters",
        ),
    }
}
