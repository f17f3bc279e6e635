//! Eigenvectors of the information as a heat map: a row a direction with its uncertainty, a column a coefficient.

use super::axis::{GAP, SMALL};
use super::canvas::{Canvas, Figure, Label, Rect, Side, Stroke};
use super::colour::{BLACK, GREY};
use super::correlation::{colour_bar, entry};
use super::legend::Legend;
use super::pulls::clean;
use super::ticks::number;
use super::{Options, font};
use crate::report::number::Number;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What `eft directions` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Directions {
    pub coefficients: Vec<String>,
    pub directions: Vec<Direction>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Direction {
    pub components: BTreeMap<String, Number>,
    pub dropped: bool,
    pub name: String,
    pub uncertainty: Number,
}

/// Directions shown unless more are asked for.
const MANY: usize = 60;
/// Widest name.
const NAME: f64 = 230.0;

/// # Errors
/// A sentence, where there are no directions.
pub fn draw(result: &Directions, options: &Options) -> Result<Figure, String> {
    let shown = result.directions.len().min(options.max_pars.unwrap_or(MANY));
    if shown == 0 || result.coefficients.is_empty() {
        return Err("the result has no directions".to_owned());
    }
    let mut notes = Vec::new();
    if shown < result.directions.len() {
        notes
            .push(format!("the {shown} directions with the most information are shown of {}", result.directions.len()));
    }
    if result.directions.iter().take(shown).any(|direction| direction.dropped) {
        notes.push("names of directions below the threshold are grey".to_owned());
    }
    if options.size.is_some() {
        notes.push("the size follows from the number of coefficients; --size has no effect".to_owned());
    }
    Ok(picture(&result.coefficients, &result.directions[..shown], options).finish(notes))
}

fn picture(coefficients: &[String], directions: &[Direction], options: &Options) -> Canvas {
    let cell = (700.0 / coefficients.len().max(directions.len()) as f64).clamp(13.0, 46.0);
    let size = (cell * 0.8).min(SMALL);
    let label = |direction: &Direction| {
        let sigma = direction.uncertainty.0;
        let sigma = if sigma.is_finite() { format!("σ = {}", number(sigma, 3)) } else { "σ = ∞".to_owned() };
        font::shorten(&format!("{}  {sigma}", clean(&direction.name)), size, NAME)
    };
    let rows: Vec<String> = directions.iter().map(label).collect();
    let columns: Vec<String> = coefficients.iter().map(|name| font::shorten(&clean(name), size, NAME)).collect();
    let room = |names: &[String]| names.iter().map(|name| font::width(name, size)).fold(0.0, f64::max);
    let (width, height) = (cell * columns.len() as f64, cell * rows.len() as f64);
    let (left, bar) = (1.5 * GAP + room(&rows) + GAP, 18.0);
    let whole = left + width + 2.0 * GAP + bar + GAP + font::width("−0.5", SMALL) + 2.0 * GAP;
    let title = options.title.as_deref().unwrap_or("Components of directions, in %");
    let legend = Legend::new(Some(title), &[], whole - 3.0 * GAP);
    let (top, least) = (1.5 * GAP + legend.height(), 160.0);
    let mut canvas = Canvas::new(whole, top + height.max(least) + GAP + room(&columns) + 1.5 * GAP);
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);
    for (row, (direction, name)) in directions.iter().zip(&rows).enumerate() {
        let y = top + row as f64 * cell;
        let colour = if direction.dropped { GREY } else { BLACK };
        let text = Label::new(name, size).along(Side::End).across(Side::Middle).colour(colour);
        canvas.text(&text, (left - GAP, y + 0.5 * cell));
        for (column, name) in coefficients.iter().enumerate() {
            let x = left + column as f64 * cell;
            let component = direction.components.get(name).map_or(f64::NAN, |component| component.0);
            entry(&mut canvas, component, Rect::new(x, y, x + cell, y + cell));
        }
    }
    for (column, name) in columns.iter().enumerate() {
        let below = Label::new(name, size).along(Side::End).across(Side::Middle).upwards();
        canvas.text(&below, (left + (column as f64 + 0.5) * cell, top + height + GAP));
    }
    canvas.outline(Rect::new(left, top, left + width, top + height), Stroke::solid(BLACK, 1.2));
    let left = left + width + 2.0 * GAP;
    colour_bar(&mut canvas, Rect::new(left, top, left + bar, top + height.max(least)));
    canvas
}
