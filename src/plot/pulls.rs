//! Pulls and constraints of the nuisance parameters, in units of their pre-fit widths.

use super::axis::{Axis, Frame, GAP, Range, SMALL, bottom_room};
use super::canvas::{Canvas, Figure, Label, Point, Rect, Side, Stroke};
use super::colour::{BLACK, GREEN, YELLOW};
use super::legend::{Legend, Sign};
use super::{Options, finite, font};
use crate::report::fit::Pull;
use serde::Deserialize;

/// What `fit` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Pulls {
    pub pulls: Vec<Pull>,
    pub valid: bool,
}

const ROW: f64 = 20.0;
/// Rows of a column before another one begins.
const MANY_ROWS: usize = 50;
const MOST_COLUMNS: usize = 4;
/// Width of a frame.
const FRAME: f64 = 330.0;
/// Widest name.
const NAME: f64 = 260.0;

/// # Errors
/// A sentence, where there is no parameter to show.
pub fn draw(fit: &Pulls, options: &Options) -> Result<Figure, String> {
    let mut notes = super::note_of(Some(fit.valid));
    let shown = options.max_pars.unwrap_or(usize::MAX).min(fit.pulls.len());
    if shown < fit.pulls.len() {
        notes.push(format!("the first {shown} of {} parameters are shown", fit.pulls.len()));
    }
    let pulls = &fit.pulls[..shown];
    if pulls.is_empty() {
        return Err("the fit has no free parameter with a constraint: no pulls".to_owned());
    }
    note_gaps(pulls, &mut notes);
    if options.size.is_some() {
        notes.push("the size follows from the number of parameters; --size has no effect".to_owned());
    }

    let columns = pulls.len().div_ceil(MANY_ROWS).min(MOST_COLUMNS);
    let rows = pulls.len().div_ceil(columns);
    let names = pulls.iter().map(|p| font::width(&clean(&p.name), SMALL)).fold(0.0, f64::max).min(NAME);
    let column = names + FRAME + 3.0 * GAP;
    let title = options.x_label("(θ − θ₀) / Δθ₀");
    let width = columns as f64 * column + 2.0 * GAP;
    let legend = Legend::new(options.title.as_deref(), &entries(), width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height();
    let height = top + rows as f64 * ROW + bottom_room(title);
    let mut canvas = Canvas::new(width, height);
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);
    let range = range(pulls);
    for (index, part) in pulls.chunks(rows).enumerate() {
        let left = 1.5 * GAP + index as f64 * column + names + GAP;
        let area = Rect::new(left, top, left + FRAME, top + part.len() as f64 * ROW);
        draw_column(&mut canvas, area, &range, part, title);
    }
    Ok(canvas.finish(notes))
}

fn note_gaps(pulls: &[Pull], notes: &mut Vec<String>) {
    let missing = pulls.iter().filter(|p| !p.pull.0.is_finite()).count();
    if missing > 0 {
        notes.push(format!("{missing} parameters have no pull: empty rows"));
    }
    let missing = pulls.iter().filter(|p| !p.constraint.is_some_and(|c| c.0.is_finite())).count();
    if missing > 0 {
        notes.push(format!("{missing} parameters have no uncertainty: points without error bars"));
    }
}

fn entries() -> [(Sign, String); 3] {
    [
        (Sign::Point(BLACK), "post-fit value and uncertainty".to_owned()),
        (Sign::Area(GREEN.into()), "pre-fit ±1σ".to_owned()),
        (Sign::Area(YELLOW.into()), "pre-fit ±2σ".to_owned()),
    ]
}

/// All points with their bars, and ±2.
fn range(pulls: &[Pull]) -> Range {
    let bar = |p: &Pull| p.constraint.and_then(|c| finite(c.0)).unwrap_or(0.0);
    let ends = pulls.iter().flat_map(|p| [p.pull.0.abs() + bar(p), p.pull.0.abs()]).filter(|v| v.is_finite());
    let most = ends.fold(2.0, f64::max) * 1.1;
    Range::new(-most, most, false)
}

fn draw_column(canvas: &mut Canvas, area: Rect, range: &Range, pulls: &[Pull], title: &str) {
    let rows = Range::new(0.0, pulls.len() as f64, false);
    let frame = Frame { area, x: Axis::new(range, area.left, area.right), y: Axis::new(&rows, area.top, area.bottom) };
    for (width, colour) in [(2.0, YELLOW), (1.0, GREEN)] {
        canvas.rect(Rect::new(frame.x.at(-width), area.top, frame.x.at(width), area.bottom), colour);
    }
    canvas.line((frame.x.at(0.0), area.top), (frame.x.at(0.0), area.bottom), Stroke::dotted(BLACK, 0.8));
    for (index, pull) in pulls.iter().enumerate() {
        let y = frame.y.at(index as f64 + 0.5);
        let name = font::shorten(&clean(&pull.name), SMALL, NAME);
        canvas.text(&Label::new(&name, SMALL).along(Side::End).across(Side::Middle), (area.left - GAP, y));
        if pull.pull.0.is_finite() {
            let bar = pull.constraint.and_then(|c| finite(c.0));
            point(canvas, &frame.x, (pull.pull.0, y), bar);
        }
    }
    frame.draw_x(canvas, title, true);
    canvas.outline(area, Stroke::solid(BLACK, 1.2));
}

/// A point with a horizontal error bar, at a value of the axis and a height of the page.
pub(super) fn point(canvas: &mut Canvas, axis: &Axis, (value, y): Point, bar: Option<f64>) {
    if let Some(bar) = bar {
        canvas.line((axis.at(value - bar), y), (axis.at(value + bar), y), Stroke::solid(BLACK, 1.5));
    }
    canvas.disc((axis.at(value), y), 3.2, BLACK);
}

/// A name as it will be written.
pub(super) fn clean(name: &str) -> String {
    crate::report::text::escape(name)
}
