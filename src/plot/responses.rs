//! Yields of bins over a Wilson coefficient, each against its value at the start: a panel for each coefficient and channel.

use super::axis::{Frame, GAP, LARGE, Range};
use super::canvas::{Canvas, Figure, Label, Rect, Side, Stroke};
use super::colour::{Colour, GREY, sequential};
use super::legend::{Legend, Sign};
use super::pulls::clean;
use super::ticks::number;
use super::{Options, finite, font, runs};
use crate::report::response::{ResponseCurves, ResponsesReport};

const PANEL: (f64, f64) = (400.0, 320.0);
/// Panels beside one another, and in all.
const COLUMNS: usize = 3;
const MOST_PANELS: usize = 24;
/// Bins with an entry of their own in the legend; of more, some.
const MOST_NAMED: usize = 40;
/// With more bins than this neighbours differ by their dashes too.
const MOST_COLOURS: usize = 8;

/// # Errors
/// A sentence, where there is nothing to show.
pub fn draw(report: &ResponsesReport, options: &Options) -> Result<Figure, String> {
    let mut notes = Vec::new();
    let drawable: Vec<&ResponseCurves> = report.responses.iter().filter(|r| !curves(r).is_empty()).collect();
    if drawable.is_empty() {
        return Err("there is no bin with a yield at the start, to which others could be compared".to_owned());
    }
    let missing = report.responses.len() - drawable.len();
    if missing > 0 {
        notes.push(format!("{missing} channels have no bin with a yield at the start: not drawn"));
    }
    if drawable.len() > MOST_PANELS {
        notes.push(format!("the first {MOST_PANELS} of {} panels are drawn", drawable.len()));
    }
    let bins: usize = drawable.iter().map(|r| r.yields.len() - curves(r).len()).sum();
    if bins > 0 {
        notes.push(format!("{bins} bins have no yield at the start: not drawn"));
    }
    let drawable = &drawable[..drawable.len().min(MOST_PANELS)];
    let most = drawable.iter().map(|r| r.yields.len()).max().unwrap_or(1);
    let named = entries(most);
    if named.len() < most {
        notes.push(format!("{} of {most} bins are named; the colours of the others lie between", named.len()));
    }
    let columns = (1..COLUMNS).find(|n| n * n >= drawable.len()).unwrap_or(COLUMNS);
    let rows = drawable.len().div_ceil(columns);
    let (w, h) = options.size.map_or(PANEL, |(w, h)| (w / columns as f64, h / rows as f64));
    let width = w * columns as f64 + 2.0 * GAP;
    let legend = Legend::new(options.title.as_deref(), &named, width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height();
    let mut canvas = Canvas::new(width, top + h * rows as f64 + GAP);
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);
    for (index, response) in drawable.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        let (left, upper) = (GAP + column as f64 * w, top + row as f64 * h);
        let area = Rect::new(left + GAP, upper + LARGE * font::LINE + GAP, left + w - GAP, upper + h);
        panel(&mut canvas, response, report.lambda_tev.0, area, most, options);
    }
    Ok(canvas.finish(notes))
}

fn panel(canvas: &mut Canvas, response: &ResponseCurves, lambda: f64, outer: Rect, most: usize, options: &Options) {
    let curves = curves(response);
    let x_range = Range::of(response.values.iter().map(|v| v.0), false);
    let heights = curves.iter().flat_map(|(_, points)| points.iter().flatten().map(|(_, y)| *y));
    let y_range = Range::of(heights.chain([1.0]), options.log).padded(0.05, 0.08);
    let own = format!("{} (Λ = {} TeV)", clean(&response.coefficient), number(lambda, 6));
    let (x_title, y_title) = (options.x_label(&own), options.y_label("yield / yield at the start"));
    let frame = Frame::within(outer, &x_range, &y_range, x_title, y_title);
    let sample = response.sample.as_ref().map_or(String::new(), |sample| format!(", {}", clean(sample)));
    let title = font::shorten(&format!("{}{sample}", clean(&response.channel)), LARGE, frame.area.width());
    canvas.text(&Label::new(&title, LARGE).along(Side::Start), (frame.area.left, frame.area.top - GAP));
    let one = frame.y.at(1.0);
    canvas.line((frame.area.left, one), (frame.area.right, one), Stroke::dashed(GREY, 1.0));
    canvas.clipped(frame.area, |canvas| {
        for (bin, points) in &curves {
            for run in runs(points.iter().copied()) {
                let line: Vec<_> = run.iter().map(|(x, y)| frame.at(*x, *y)).collect();
                canvas.polyline(&line, stroke(*bin, most));
            }
        }
    });
    frame.draw(canvas, x_title, y_title);
}

/// A line of points that have a value, and gaps.
type Curve = Vec<Option<(f64, f64)>>;

/// For each bin with a yield at the start the ratios to it.
fn curves(response: &ResponseCurves) -> Vec<(usize, Curve)> {
    let curve = |(bin, (yields, reference)): (usize, (&Vec<_>, &crate::report::number::Number))| {
        let start = finite(reference.0).filter(|start| *start > 0.0)?;
        let point = |(value, y): (&crate::report::number::Number, &crate::report::number::Number)| {
            finite(value.0).zip(finite(y.0 / start))
        };
        Some((bin, response.values.iter().zip(yields).map(point).collect()))
    };
    response.yields.iter().zip(&response.reference).enumerate().filter_map(curve).collect()
}

/// From dark to light; the lightest colours are hard to see on white.
fn colour(bin: usize, most: usize) -> Colour {
    sequential(0.88 * bin as f64 / most.saturating_sub(1).max(1) as f64)
}

fn stroke(bin: usize, most: usize) -> Stroke {
    let colour = colour(bin, most);
    match bin % 3 {
        1 if most > MOST_COLOURS => Stroke::dashed(colour, 1.8),
        2 if most > MOST_COLOURS => Stroke::dotted(colour, 1.8),
        _ => Stroke::solid(colour, 1.8),
    }
}

fn entries(most: usize) -> Vec<(Sign, String)> {
    let entry = |bin: usize| (Sign::Line(stroke(bin, most)), format!("bin {bin}"));
    let step = most.div_ceil(MOST_NAMED).max(1);
    let mut bins: Vec<usize> = (0..most).step_by(step).collect();
    if bins.last().is_some_and(|last| last + 1 < most) {
        bins.push(most - 1);
    }
    bins.into_iter().map(entry).collect()
}
