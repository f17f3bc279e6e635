//! Profile scans over two parameters: JSON with contours, and a table of the points.

use super::blind::Blinding;
use super::certificate::{CertificateReport, mark};
use super::number::{Number, fixed_point, significant, with_uncertainty};
use super::reason::Reason;
use super::scan::notes;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::{FitOptions, Surface, SurfacePoint};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// The profile likelihood over two parameters. Pairs of values are in the order of `parameters`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SurfaceReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    pub best: SurfaceBest,
    pub contours: Vec<ContourReport>,
    /// All other parameters were held at their best values.
    pub fast_scan: bool,
    /// The minima of the whole likelihood from which the surface was continued, the best one first.
    pub minima: Vec<SurfaceMinimum>,
    /// What else is worth knowing.
    pub notes: Vec<Reason>,
    /// Scalar names.
    pub parameters: [String; 2],
    /// The second value runs fastest; empty where the fit is not valid.
    pub points: Vec<SurfaceEntry>,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// Of the fit; points have their own.
    pub valid: bool,
}

/// The minimum to which heights refer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SurfaceBest {
    pub twice_nll: Number,
    /// From the Hessian.
    pub uncertainties: [Number; 2],
    pub values: [Number; 2],
}

/// One pair of values.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SurfaceEntry {
    /// Of a minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateReport>,
    /// −2 Δ ln L; null without a minimum.
    pub delta_twice_nll: Number,
    /// Why there is no minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub valid: bool,
    pub values: [Number; 2],
}

/// A minimum of the whole likelihood from which the surface was continued.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SurfaceMinimum {
    pub delta_twice_nll: Number,
    pub values: [Number; 2],
}

/// Where −2 Δ ln L is `delta`: χ² with these degrees of freedom is below it with the probability `level`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ContourReport {
    /// Two: the values inside are a region of both parameters. One: its extent along either axis is the interval of that
    /// parameter.
    pub degrees_of_freedom: usize,
    pub delta: Number,
    pub level: Number,
    /// Closed lines end where they begin; others end at the edge of the grid or beside a point without a minimum.
    pub lines: Vec<Vec<[Number; 2]>>,
}

impl SurfaceReport {
    /// The report of `surface`, which came from `model` with `options`.
    pub fn new(model: &Model, options: &FitOptions, surface: &Surface, fast_scan: bool) -> SurfaceReport {
        let names = model.parameter_names();
        let failure = |f: &_| Reason::of_failure(model, f, &options.init, &options.bounds);
        let point = |point: &SurfacePoint| SurfaceEntry {
            certificate: point.certificate.as_ref().map(|c| CertificateReport::new(&names, c)),
            delta_twice_nll: Number(point.height),
            reason: point.reason.as_ref().map(failure),
            valid: point.reason.is_none(),
            values: point.values.map(Number),
        };
        let best = &surface.best;
        let of = |values: Option<&Vec<f64>>| {
            let at = |i: usize| values.and_then(|v| v.get(i)).copied().unwrap_or(f64::NAN);
            surface.parameters.map(|i| Number(at(i)))
        };
        let contour = |contour: &crate::infer::Contour| ContourReport {
            degrees_of_freedom: contour.degrees_of_freedom,
            delta: Number(contour.height),
            level: Number(contour.level),
            lines: contour.lines.iter().map(|line| line.iter().map(|place| place.map(Number)).collect()).collect(),
        };
        let minimum = |&(values, height): &([f64; 2], f64)| SurfaceMinimum {
            delta_twice_nll: Number(height),
            values: values.map(Number),
        };
        SurfaceReport {
            blinding: Blinding::default(),
            best: SurfaceBest {
                twice_nll: Number(best.twice_nll),
                uncertainties: of(best.uncertainties.as_ref()),
                values: of(Some(&best.parameters)),
            },
            contours: surface.contours.iter().map(contour).collect(),
            fast_scan,
            minima: surface.minima.iter().map(minimum).collect(),
            notes: notes(surface.first_minimum, best.twice_nll, surface.stopped),
            parameters: surface.parameters.map(|i| names.get(i).cloned().unwrap_or_default()),
            points: surface.points.iter().map(point).collect(),
            reason: best.reason.as_ref().map(failure),
            valid: best.valid,
        }
    }

    /// Says what was hidden.
    pub fn with_blinding(mut self, blinding: Blinding) -> Self {
        self.notes.extend(blinding.notes());
        self.blinding = blinding;
        self
    }

    /// How many points have no minimum.
    pub fn n_failed(&self) -> usize {
        self.points.iter().filter(|point| !point.valid).count()
    }

    /// The remarks, one row a point, one row a point of a contour.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let [a, b] = [0, 1].map(|k| {
            let (value, sigma) = with_uncertainty(self.best.values[k].0, Some(self.best.uncertainties[k].0));
            let sigma = if sigma.is_empty() { sigma } else { format!(" ± {sigma}") };
            format!("{} = {value}{sigma}", text::label(&self.parameters[k]))
        });
        let fast = if self.fast_scan { " (all other parameters held)" } else { "" };
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("best fit", format!("{a}, {b}{fast}"))
            .remark("twice_nll", fixed_point(self.best.twice_nll.0, 6));
        if let Some(reason) = &self.reason {
            page = page.remark("reason", reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        for contour in &self.contours {
            let closed = contour.lines.iter().filter(|line| line.first() == line.last()).count();
            let (level, delta) = (significant(contour.level.0, 6), significant(contour.delta.0, 6));
            let open = contour.lines.len() - closed;
            let freedom = contour.degrees_of_freedom;
            let lines = format!("{level} (delta {delta}, {freedom} dof): {closed} closed, {open} open lines");
            page = page.remark("contour", lines);
        }
        page.table(self.point_table()).table(self.contour_table())
    }

    fn point_table(&self) -> Table {
        let columns = [
            Column::right(&text::label(&self.parameters[0])).key(&self.parameters[0]),
            Column::right(&text::label(&self.parameters[1])).key(&self.parameters[1]),
            Column::right("−2 Δ ln L").key("delta_twice_nll"),
            Column::left("").key("reason"),
        ];
        let mut table = Table::new("points", columns);
        for point in &self.points {
            let reason = point.reason.as_ref().map(|r| r.message.clone());
            let reason = reason.unwrap_or_else(|| mark(point.certificate.as_ref()).to_owned());
            let height = point.delta_twice_nll.0;
            let height =
                if height.is_finite() { Cell::number_as(height, fixed_point(height, 4)) } else { Cell::empty() };
            let [a, b] = point.values.map(|value| Cell::number(value.0, 6));
            table.add_row([a, b, height, Cell::text(reason)]);
        }
        table
    }

    fn contour_table(&self) -> Table {
        let columns = [
            Column::right("level"),
            Column::right("line"),
            Column::right(&text::label(&self.parameters[0])).key(&self.parameters[0]),
            Column::right(&text::label(&self.parameters[1])).key(&self.parameters[1]),
        ];
        let mut table = Table::new("contours", columns);
        for contour in &self.contours {
            for (k, line) in contour.lines.iter().enumerate() {
                for place in line {
                    let [a, b] = place.map(|value| Cell::number(value.0, 6));
                    table.add_row([Cell::number(contour.level.0, 6), Cell::count(k + 1), a, b]);
                }
            }
        }
        table
    }
}
