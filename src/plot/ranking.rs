//! The ranking: which parameters move the parameter of interest most, with their pulls.

use super::axis::{Axis, Frame, GAP, LARGE, Range, SMALL, bottom_room};
use super::canvas::{Canvas, Figure, Label, Rect, Side, Stroke};
use super::colour::{BLACK, BLUE, GREY, LIGHT_BLUE, ORANGE};
use super::legend::{Legend, Sign};
use super::pulls::{clean, point};
use super::{Options, finite, font};
use crate::report::number::Number;
use serde::Deserialize;

/// What `ranking` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Ranking {
    pub parameters: Vec<Impact>,
    pub poi: String,
    #[serde(default)]
    pub valid: Option<bool>,
}

/// Pull of one parameter, and how far its shift down and up moves the parameter of interest.
#[derive(Clone, Debug, Deserialize)]
pub struct Impact {
    pub constraint: Option<Number>,
    pub name: String,
    /// Down and up.
    pub postfit: [Number; 2],
    pub prefit: [Number; 2],
    pub pull: Option<Number>,
}

const ROW: f64 = 28.0;
const FRAME: f64 = 440.0;
const NAME: f64 = 300.0;
/// Parameters shown unless another number is asked for.
const MANY: usize = 20;

/// # Errors
/// A sentence, where there is no parameter to show.
pub fn draw(ranking: &Ranking, options: &Options) -> Result<Figure, String> {
    let mut notes = super::note_of(ranking.valid);
    let all = ranking.parameters.len();
    let shown = options.max_pars.unwrap_or(MANY).min(all);
    if shown < all {
        notes.push(format!("the first {shown} of {all} parameters are shown"));
    }
    let impacts = &ranking.parameters[..shown];
    if impacts.is_empty() {
        return Err("the ranking has no parameters".to_owned());
    }
    for (what, missing) in [
        ("post-fit impact", impacts.iter().filter(|i| ends(i.postfit).iter().any(|v| v.is_none())).count()),
        ("pull", impacts.iter().filter(|i| i.pull.is_none_or(|p| !p.0.is_finite())).count()),
    ] {
        if missing > 0 {
            notes.push(format!("{missing} parameters have no {what}: not drawn"));
        }
    }
    let moved =
        impacts.iter().flat_map(|i| ends(i.postfit).into_iter().chain(ends(i.prefit))).flatten().any(|v| v != 0.0);
    if !moved {
        notes.push("no parameter moves the parameter of interest, which may lie on its bound: no bars".to_owned());
    }
    if options.size.is_some() {
        notes.push("the size follows from the number of parameters; --size has no effect".to_owned());
    }
    Ok(picture(ranking, impacts, options).finish(notes))
}

fn picture(ranking: &Ranking, impacts: &[Impact], options: &Options) -> Canvas {
    let names: Vec<String> = impacts.iter().map(|i| font::shorten(&clean(&i.name), SMALL, NAME)).collect();
    let room = names.iter().map(|name| font::width(name, SMALL)).fold(0.0, f64::max);
    let left = 1.5 * GAP + room + GAP;
    let width = left + FRAME + 3.0 * GAP;
    let legend = Legend::new(options.title.as_deref(), &entries(impacts), width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height() + bottom_room("x");
    let bottom_title = options.x_label("(θ − θ₀) / Δθ₀");
    let area = Rect::new(left, top, left + FRAME, top + impacts.len() as f64 * ROW);
    let mut canvas = Canvas::new(width, area.bottom + bottom_room(bottom_title));
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);

    let impact_axis = Axis::new(&impact_range(impacts), area.left, area.right);
    let pull_axis = Axis::new(&pull_range(impacts), area.left, area.right);
    for (index, (impact, name)) in impacts.iter().zip(&names).enumerate() {
        let y = area.top + (index as f64 + 0.5) * ROW;
        canvas.text(&Label::new(name, SMALL).along(Side::End).across(Side::Middle), (area.left - GAP, y));
        bars(&mut canvas, &impact_axis, impact, y);
    }
    for value in [-1.0, 0.0, 1.0] {
        let x = pull_axis.at(value);
        canvas.line((x, area.top), (x, area.bottom), Stroke::dotted(GREY, 1.0));
    }
    for (index, impact) in impacts.iter().enumerate() {
        if let Some(pull) = impact.pull.and_then(|p| finite(p.0)) {
            let y = area.top + (index as f64 + 0.5) * ROW;
            point(&mut canvas, &pull_axis, (pull, y), impact.constraint.and_then(|c| finite(c.0)));
        }
    }
    let poi = clean(&ranking.poi);
    let top_title = options.y_label.clone().unwrap_or_else(|| format!("Δ{}", if poi.is_empty() { "μ" } else { &poi }));
    axes(&mut canvas, area, &pull_axis, &impact_axis, bottom_title, &top_title);
    canvas
}

fn ends(pair: [Number; 2]) -> [Option<f64>; 2] {
    pair.map(|v| finite(v.0))
}

fn entries(impacts: &[Impact]) -> Vec<(Sign, String)> {
    let mut entries = Vec::new();
    if impacts.iter().any(|i| ends(i.prefit).iter().any(Option::is_some)) {
        entries.push((Sign::Hollow(BLUE), "pre-fit impact, θ₀ + Δθ₀".to_owned()));
        entries.push((Sign::Hollow(ORANGE), "pre-fit impact, θ₀ − Δθ₀".to_owned()));
    }
    entries.push((Sign::Area(LIGHT_BLUE.into()), "post-fit impact, θ + Δθ".to_owned()));
    entries.push((Sign::Area(FILLED_DOWN.into()), "post-fit impact, θ − Δθ".to_owned()));
    entries.push((Sign::Point(BLACK), "pull and constraint".to_owned()));
    entries
}

const FILLED_DOWN: super::colour::Colour = super::colour::Colour(245, 195, 125);

fn impact_range(impacts: &[Impact]) -> Range {
    let values = impacts.iter().flat_map(|i| ends(i.postfit).into_iter().chain(ends(i.prefit))).flatten();
    let most = values.map(f64::abs).fold(0.0, f64::max) * 1.15;
    Range::new(-most, most, false)
}

fn pull_range(impacts: &[Impact]) -> Range {
    let ends = impacts.iter().filter_map(|i| {
        let bar = i.constraint.and_then(|c| finite(c.0)).unwrap_or(0.0);
        Some(i.pull.and_then(|p| finite(p.0))?.abs() + bar)
    });
    let most = ends.fold(1.8, f64::max) * 1.1;
    Range::new(-most, most, false)
}

fn bars(canvas: &mut Canvas, axis: &Axis, impact: &Impact, y: f64) {
    let zero = axis.at(0.0);
    let area = |value: f64, half: f64| {
        let end = axis.at(value);
        Rect::new(zero.min(end), y - half, zero.max(end), y + half)
    };
    let [down, up] = ends(impact.postfit);
    for (value, colour) in [(down, FILLED_DOWN), (up, LIGHT_BLUE)] {
        if let Some(value) = value {
            canvas.rect(area(value, 0.33 * ROW), colour);
        }
    }
    let [down, up] = ends(impact.prefit);
    for (value, colour) in [(down, ORANGE), (up, BLUE)] {
        if let Some(value) = value {
            canvas.outline(area(value, 0.4 * ROW), Stroke::solid(colour, 1.3));
        }
    }
}

/// Pulls below, impacts above.
fn axes(canvas: &mut Canvas, area: Rect, pulls: &Axis, impacts: &Axis, bottom_title: &str, top_title: &str) {
    let below = Frame { area, x: pulls.clone(), y: pulls.clone() };
    let stroke = Stroke::solid(BLACK, 1.0);
    below.draw_bottom(canvas, bottom_title);
    let ticks = impacts.horizontal_ticks();
    for (value, text) in &ticks.major {
        let x = impacts.at(*value);
        canvas.line((x, area.top), (x, area.top + 8.0), stroke);
        canvas.text(&Label::new(text, SMALL).along(Side::Middle), (x, area.top - GAP));
    }
    for value in &ticks.minor {
        canvas.line((impacts.at(*value), area.top), (impacts.at(*value), area.top + 4.0), stroke);
    }
    let title = font::shorten(top_title, LARGE, area.width());
    let y = area.top - GAP - SMALL * font::LINE - 0.5 * GAP;
    canvas.text(&Label::new(&title, LARGE).along(Side::End), (area.right, y));
    canvas.outline(area, Stroke::solid(BLACK, 1.2));
}
