//! The correlation matrix as a heat map.

use super::axis::{Axis, Frame, GAP, Range, SMALL};
use super::canvas::{Canvas, Figure, Label, Paint, Rect, Side, Stroke};
use super::colour::{BLACK, GREY, diverging};
use super::legend::Legend;
use super::pulls::clean;
use super::{Options, font};
use crate::report::fit;
use serde::Deserialize;

/// What `fit` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Correlation {
    pub correlation: Option<fit::Correlation>,
    pub valid: bool,
}

/// Parameters shown unless more are asked for.
const MANY: usize = 200;
/// Widest name.
const NAME: f64 = 230.0;

/// # Errors
/// A sentence, where the result has no matrix, or none of its parameters passes the threshold.
pub fn draw(fit: &Correlation, options: &Options) -> Result<Figure, String> {
    let matrix = fit.correlation.as_ref().ok_or("the fit has no correlation matrix: run it with --hesse")?;
    let n = matrix.labels.len();
    if matrix.values.len() != n || matrix.values.iter().any(|row| row.len() != n) {
        return Err(format!("the correlation matrix is not a square of {n} rows"));
    }
    let mut notes = super::note_of(Some(fit.valid));
    if options.size.is_some() {
        notes.push("the size follows from the number of parameters; --size has no effect".to_owned());
    }
    let shown = choose(matrix, options, &mut notes);
    if shown.is_empty() {
        let threshold = options.threshold.unwrap_or(0.0);
        return Err(format!("no two parameters are correlated by more than {threshold}"));
    }
    let gaps = shown
        .iter()
        .flat_map(|&i| shown.iter().map(move |&j| (i, j)))
        .filter(|&(i, j)| !is_correlation(matrix.values[i][j].0));
    let gaps = gaps.count();
    if gaps > 0 {
        notes.push(format!("{gaps} entries are no numbers from −1 to 1: hatched"));
    }
    Ok(picture(matrix, &shown, options).finish(notes))
}

/// From −1 to 1, with room for rounding.
fn is_correlation(value: f64) -> bool {
    value.abs() <= 1.0 + 1e-6
}

/// Indices of the parameters that pass the threshold; of too many those with the largest correlation.
fn choose(matrix: &fit::Correlation, options: &Options, notes: &mut Vec<String>) -> Vec<usize> {
    let n = matrix.labels.len();
    let largest = |i: usize| -> f64 {
        let row = matrix.values[i].iter().enumerate().filter(|(j, _)| *j != i);
        row.map(|(_, v)| if is_correlation(v.0) { v.0.abs() } else { 1.0 }).fold(0.0, f64::max)
    };
    let threshold = options.threshold.unwrap_or(0.0);
    let mut shown: Vec<usize> = (0..n).filter(|&i| n == 1 || threshold <= 0.0 || largest(i) >= threshold).collect();
    if shown.len() < n {
        notes.push(format!("{} of {n} parameters pass the threshold", shown.len()));
    }
    let most = options.max_pars.unwrap_or(MANY);
    if shown.len() > most {
        notes.push(format!("the {most} parameters with the largest correlations are shown of {}", shown.len()));
        shown.sort_by(|&a, &b| largest(b).total_cmp(&largest(a)));
        shown.truncate(most);
        shown.sort_unstable();
    }
    shown
}

fn picture(matrix: &fit::Correlation, shown: &[usize], options: &Options) -> Canvas {
    let n = shown.len();
    let cell = (700.0 / n as f64).clamp(13.0, 46.0);
    let size = (cell * 0.8).min(SMALL);
    let label = |i: &usize| font::shorten(&clean(&matrix.labels[*i]), size, NAME);
    let names: Vec<String> = shown.iter().map(label).collect();
    let room = names.iter().map(|name| font::width(name, size)).fold(0.0, f64::max);
    let side = cell * n as f64;
    let (left, bar) = (1.5 * GAP + room + GAP, 18.0);
    let width = left + side + 2.0 * GAP + bar + GAP + font::width("−0.5", SMALL) + 2.0 * GAP;
    let legend =
        Legend::new(Some(options.title.as_deref().unwrap_or("Correlation, numbers in %")), &[], width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height();
    let least = 160.0;
    let mut canvas = Canvas::new(width, top + side.max(least) + GAP + room + 1.5 * GAP);
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);
    for (row, (&i, name)) in shown.iter().zip(&names).enumerate() {
        let y = top + (row as f64 + 0.5) * cell;
        canvas.text(&Label::new(name, size).along(Side::End).across(Side::Middle), (left - GAP, y));
        let x = left + (row as f64 + 0.5) * cell;
        let below = Label::new(name, size).along(Side::End).across(Side::Middle).upwards();
        canvas.text(&below, (x, top + side + GAP));
        for (column, &j) in shown.iter().enumerate() {
            let x = left + column as f64 * cell;
            entry(&mut canvas, matrix.values[i][j].0, Rect::new(x, y - cell / 2.0, x + cell, y + cell / 2.0));
        }
    }
    canvas.outline(Rect::new(left, top, left + side, top + side), Stroke::solid(BLACK, 1.2));
    let left = left + side + 2.0 * GAP;
    colour_bar(&mut canvas, Rect::new(left, top, left + bar, top + side.max(least)));
    canvas
}

/// A coloured square, with its number in per cent where that is readable.
pub(super) fn entry(canvas: &mut Canvas, value: f64, area: Rect) {
    if !is_correlation(value) {
        canvas.rect(area, Paint::Hatched(GREY));
        return;
    }
    let colour = diverging(value);
    canvas.rect(area, colour);
    let text = format!("{:.0}", 100.0 * value).replace('-', "−");
    let text = if text == "−0" { "0".to_owned() } else { text };
    let size = 0.36 * area.width();
    if size >= 7.5 {
        let middle = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
        let label = Label::new(&text, size).along(Side::Middle).across(Side::Middle);
        canvas.text(&label.colour(colour.ink()), middle);
    }
}

/// −1 to 1 from below to above.
pub(super) fn colour_bar(canvas: &mut Canvas, area: Rect) {
    const STEPS: usize = 100;
    for step in 0..STEPS {
        let share = step as f64 / STEPS as f64;
        let y = area.bottom - share * area.height();
        // Down to the end, so that no seam shows.
        let strip = Rect::new(area.left, area.top, area.right, y);
        canvas.rect(strip, diverging(2.0 * share - 1.0 + 1.0 / STEPS as f64));
    }
    let axis = Axis::new(&Range::new(-1.0, 1.0, false), area.bottom, area.top);
    let frame = Frame { area, x: axis.clone(), y: axis };
    for (value, text) in frame.y.vertical_ticks().major {
        let y = frame.y.at(value);
        canvas.line((area.right - 5.0, y), (area.right, y), Stroke::solid(BLACK, 1.0));
        canvas.text(&Label::new(&text, SMALL).across(Side::Middle), (area.right + GAP, y));
    }
    canvas.outline(area, Stroke::solid(BLACK, 1.0));
}
