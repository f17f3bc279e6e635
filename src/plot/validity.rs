//! Intervals of a coefficient against the upper cut on an energy.

use super::axis::{Frame, GAP, Range};
use super::canvas::{Canvas, Figure, Rect, Stroke};
use super::colour::{BLACK, BLUE, GREY};
use super::legend::{Legend, Sign};
use super::pulls::clean;
use super::{Options, finite};
use crate::report::number::Number;
use serde::Deserialize;

/// What `eft validity` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Validity {
    pub cuts: Vec<Cut>,
    pub level: f64,
    pub observable: String,
    pub parameter: String,
    #[serde(default)]
    pub unit: Option<String>,
}

/// One cut; without a number it stands for no cut.
#[derive(Clone, Debug, Deserialize)]
pub struct Cut {
    pub best: Number,
    pub cut: Option<f64>,
    pub intervals: Vec<Ends>,
    pub valid: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Ends {
    pub lower: Number,
    pub upper: Number,
}

/// # Errors
/// A sentence, where no cut has a result.
pub fn draw(validity: &Validity, options: &Options) -> Result<Figure, String> {
    let shown: Vec<&Cut> = validity.cuts.iter().filter(|cut| cut.valid).collect();
    if shown.is_empty() {
        return Err("no cut has a valid result".to_owned());
    }
    let mut notes = Vec::new();
    let missing = validity.cuts.len() - shown.len();
    if missing > 0 {
        notes.push(format!("{missing} of {} cuts have no valid result: not drawn", validity.cuts.len()));
    }
    let places = Places::new(&shown);
    if places.has_no_cut {
        notes.push("the dashed interval is that without a cut: it stands to the right of all, not to scale".to_owned());
    }
    Ok(picture(validity, &shown, &places, options).finish(notes))
}

/// Where intervals stand on the horizontal axis.
struct Places {
    /// Of the one without a cut: to the right of the highest cut.
    without: f64,
    has_no_cut: bool,
}

impl Places {
    fn new(shown: &[&Cut]) -> Places {
        let cuts = || shown.iter().filter_map(|cut| cut.cut);
        let (least, most) = (cuts().fold(f64::INFINITY, f64::min), cuts().fold(f64::NEG_INFINITY, f64::max));
        let step = 0.18 * (most - least).max(0.2 * most.abs()).max(1e-9);
        let without = if most.is_finite() { most + step } else { 0.0 };
        Places { without, has_no_cut: shown.iter().any(|cut| cut.cut.is_none()) }
    }

    fn of(&self, cut: &Cut) -> f64 {
        cut.cut.unwrap_or(self.without)
    }
}

fn picture(validity: &Validity, shown: &[&Cut], places: &Places, options: &Options) -> Canvas {
    let unit = validity.unit.as_deref().filter(|unit| *unit != "1").map(|u| format!(" [{}]", clean(u)));
    let own_x = format!("{} below{}", clean(&validity.observable), unit.unwrap_or_default());
    let parameter = clean(&validity.parameter);
    let (x_title, y_title) = (options.x_label(&own_x), options.y_label(&parameter));
    let (bar, open) = (Stroke::solid(BLUE, 3.0), Stroke::dashed(BLUE, 3.0));
    let mut entries = vec![
        (Sign::Line(bar), format!("{} % interval", super::ticks::number(100.0 * validity.level, 4))),
        (Sign::Point(BLACK), "best fit".to_owned()),
    ];
    if places.has_no_cut {
        entries.push((Sign::Line(open), "without a cut".to_owned()));
    }
    let (width, height) = options.size_or(680.0, 460.0);
    let legend = Legend::new(options.title.as_deref(), &entries, width - 4.0 * GAP);
    let mut canvas = Canvas::new(width, height);
    let x = Range::of(shown.iter().map(|cut| places.of(cut)), false).padded(0.08, 0.08);
    let ends = || shown.iter().flat_map(|cut| &cut.intervals).flat_map(|i| [i.lower.0, i.upper.0]);
    let y = Range::of(ends().filter_map(finite).chain([0.0]), false).padded(0.08, 0.08);
    let outer = Rect::new(GAP, 2.0 * GAP + legend.height(), width - 2.0 * GAP, height);
    let frame = Frame::within(outer, &x, &y, x_title, y_title);
    legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
    let zero = frame.y.at(0.0);
    canvas.line((frame.area.left, zero), (frame.area.right, zero), Stroke::dotted(GREY, 1.2));
    for cut in shown {
        let at = frame.x.at(places.of(cut));
        let stroke = if cut.cut.is_some() { bar } else { open };
        for interval in &cut.intervals {
            if let (Some(lower), Some(upper)) = (finite(interval.lower.0), finite(interval.upper.0)) {
                canvas.line((at, frame.y.at(lower)), (at, frame.y.at(upper)), stroke);
            }
        }
        if let Some(best) = finite(cut.best.0) {
            canvas.disc((at, frame.y.at(best)), 3.5, BLACK);
        }
    }
    frame.draw(&mut canvas, x_title, y_title);
    canvas
}
