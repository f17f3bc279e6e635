//! Intervals of Wilson coefficients: of each coefficient alone and with the others profiled, by truncation; an interval
//! in parts is drawn in parts.

use super::axis::{Axis, Frame, GAP, LARGE, Range, bottom_room};
use super::canvas::{Canvas, Figure, Label, Rect, Side, Stroke};
use super::colour::{BLACK, BLUE, Colour, GREEN, GREY, LIGHT_GREY, ORANGE, WHITE};
use super::legend::{Legend, Sign};
use super::pulls::clean;
use super::ticks::number;
use super::{Options, finite, font};
use crate::report::number::Number;
use serde::Deserialize;

/// What `eft compare` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Compare {
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    #[serde(default)]
    pub basis: String,
    pub coefficients: Vec<Coefficient>,
    #[serde(default)]
    pub eft: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Coefficient {
    pub name: String,
    pub truncations: Vec<Truncation>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Truncation {
    pub individual: Option<Set>,
    pub profiled: Option<Set>,
    pub truncation: String,
    /// The order in 1/Λ² of `order`.
    #[serde(default)]
    pub max_np_order: Option<u32>,
    /// The data set that was left out.
    #[serde(default)]
    pub without: Option<String>,
}

/// The intervals of one coefficient, a region a level.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Set {
    pub best_fit: Number,
    #[serde(default)]
    pub intervals: Vec<Region>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Region {
    pub intervals: Vec<Interval>,
    pub level: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Interval {
    pub lower: End,
    pub upper: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct End {
    #[serde(default)]
    pub open_at_bound: bool,
    pub value: Number,
}

/// What [`super::individual`] draws beside each other.
pub(super) const INTERVALS: &str = "from the likelihood";
pub(super) const GAUSSIAN: &str = "Gaussian, others marginalised";

const ROW: f64 = 19.0;
const BETWEEN: f64 = 12.0;
const FRAME: f64 = 520.0;
const NAME: f64 = 220.0;
const MANY: usize = 20;

/// One row of the picture.
struct Row<'a> {
    set: &'a Set,
    /// Values are multiplied by this.
    factor: f64,
    colour: Colour,
    profiled: bool,
    y: f64,
}

/// # Errors
/// A sentence, where there is nothing to show.
pub fn draw(compare: &Compare, options: &Options) -> Result<Figure, String> {
    let mut notes = Vec::new();
    let all = compare.coefficients.len();
    let shown = options.max_pars.unwrap_or(MANY).min(all);
    if shown < all {
        notes.push(format!("the first {shown} of {all} coefficients are shown"));
    }
    let coefficients = &compare.coefficients[..shown];
    if !coefficients.iter().flat_map(sets).any(|set| extent(set) > 0.0) {
        return Err("the comparison has no intervals".to_owned());
    }
    let hides = |c: &Coefficient| c.truncations.iter().any(|t| repeated(c, t));
    if coefficients.iter().any(hides) {
        notes.push("the document's own truncation is not drawn where it gives what another one does".to_owned());
    }
    let empty = coefficients.iter().flat_map(sets).filter(|set| set.intervals.is_empty()).count();
    if empty > 0 {
        notes.push(format!("{empty} sets of intervals are missing: their rows are empty"));
    }
    if options.size.is_some() {
        notes.push("the size follows from the number of coefficients; --size has no effect".to_owned());
    }
    Ok(picture(compare, coefficients, options).finish(notes))
}

fn picture(compare: &Compare, coefficients: &[Coefficient], options: &Options) -> Canvas {
    let largest = coefficients.iter().map(size).fold(0.0, f64::max);
    let factors: Vec<f64> = coefficients.iter().map(|c| factor(size(c), largest)).collect();
    let name = |(c, factor): (&Coefficient, &f64)| {
        let times = if *factor == 1.0 { String::new() } else { format!(" × {}", number(*factor, 6)) };
        format!("{}{times}", font::shorten(&clean(&c.name), LARGE, NAME))
    };
    let names: Vec<String> = coefficients.iter().zip(&factors).map(name).collect();
    let room = names.iter().map(|name| font::width(name, LARGE)).fold(0.0, f64::max);
    let left = 1.5 * GAP + room + 1.5 * GAP;
    let width = left + FRAME + 3.0 * GAP;
    let legend = Legend::new(options.title.as_deref(), &entries(coefficients), width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height() + GAP;
    let rows = |c: &Coefficient| drawn(c).map(|t| rows(t).count()).sum::<usize>();
    let heights: Vec<f64> = coefficients.iter().map(|c| ROW * rows(c) as f64 + BETWEEN).collect();
    let area = Rect::new(left, top, left + FRAME, top + heights.iter().sum::<f64>());
    let own = format!("{} {} coefficient, Λ = {} TeV", compare.eft, compare.basis, number(compare.lambda_tev.0, 6));
    let title = options.x_label(own.trim());
    let mut canvas = Canvas::new(width, area.bottom + bottom_room(title));
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);

    let reach = |(c, factor): (&Coefficient, &f64)| -> Vec<f64> {
        sets(c).iter().flat_map(|set| values(set)).map(|value| factor * value).collect()
    };
    let range = Range::of(coefficients.iter().zip(&factors).flat_map(reach).chain([0.0]), false).padded(0.06, 0.06);
    let x = Axis::new(&range, area.left, area.right);
    let zero = x.at(0.0);
    canvas.line((zero, area.top), (zero, area.bottom), Stroke::dashed(GREY, 1.0));
    let mut y = area.top;
    for (index, coefficient) in coefficients.iter().enumerate() {
        let middle = y + 0.5 * heights[index];
        canvas
            .text(&Label::new(&names[index], LARGE).along(Side::End).across(Side::Middle), (left - 1.5 * GAP, middle));
        if index > 0 {
            canvas.line((area.left, y), (area.right, y), Stroke::solid(LIGHT_GREY, 1.0));
        }
        let mut row = y + 0.5 * BETWEEN + 0.5 * ROW;
        for truncation in drawn(coefficient) {
            let colour = colour(truncation);
            for (set, profiled) in self::rows(truncation) {
                draw_row(&mut canvas, &x, area, &Row { set, factor: factors[index], colour, profiled, y: row });
                row += ROW;
            }
        }
        y += heights[index];
    }
    Frame { area, x: x.clone(), y: x }.draw_x(&mut canvas, title, true);
    canvas.outline(area, Stroke::solid(BLACK, 1.2));
    canvas
}

/// The widest level as a line with ends, the others as bars, the best fit as a point.
fn draw_row(canvas: &mut Canvas, x: &Axis, area: Rect, row: &Row) {
    let mut regions: Vec<&Region> = row.set.intervals.iter().collect();
    regions.sort_by(|a, b| b.level.0.total_cmp(&a.level.0));
    for (k, region) in regions.iter().enumerate() {
        for interval in &region.intervals {
            let [lower, upper] = [interval.lower, interval.upper].map(|end| x.at(row.factor * end.value.0));
            if !(lower.is_finite() && upper.is_finite()) {
                continue;
            }
            if k == 0 {
                line(canvas, (lower, interval.lower), (upper, interval.upper), area, row);
            } else {
                bar(canvas, lower, upper, row);
            }
        }
    }
    if let Some(best) = finite(row.set.best_fit.0) {
        let at = (x.at(row.factor * best), row.y);
        canvas.disc(at, 3.2, BLACK);
        canvas.circle(at, 3.2, Stroke::solid(WHITE, 0.8));
    }
}

fn line(canvas: &mut Canvas, (left, lower): (f64, End), (right, upper): (f64, End), area: Rect, row: &Row) {
    let stroke = Stroke::solid(row.colour, 1.8);
    canvas.line((left, row.y), (right, row.y), stroke);
    for (x, end, out) in [(left, lower, -1.0), (right, upper, 1.0)] {
        if end.open_at_bound {
            // An arrow: the interval would go on.
            let tip = (x + out * 7.0).clamp(area.left + 1.0, area.right - 1.0);
            canvas.polygon(&[(tip, row.y), (x - out, row.y - 5.0), (x - out, row.y + 5.0)], row.colour);
        } else {
            canvas.line((x, row.y - 4.5), (x, row.y + 4.5), stroke);
        }
    }
}

fn bar(canvas: &mut Canvas, left: f64, right: f64, row: &Row) {
    let area = Rect::new(left, row.y - 0.3 * ROW, right, row.y + 0.3 * ROW);
    let fill = if row.profiled { row.colour } else { row.colour.mixed(WHITE, 0.65) };
    canvas.rect(area, fill);
    canvas.outline(area, Stroke::solid(row.colour, 1.3));
}

/// What is computed without a data set is paler.
fn colour(truncation: &Truncation) -> Colour {
    let own = match truncation.truncation.as_str() {
        "linear" => ORANGE,
        "quadratic" => BLUE,
        "order" => GREEN,
        GAUSSIAN => ORANGE,
        INTERVALS => BLUE,
        _ => GREY,
    };
    if truncation.without.is_some() { own.mixed(WHITE, 0.45) } else { own }
}

/// The sets of one truncation, and whether the other coefficients are profiled.
fn rows(truncation: &Truncation) -> impl Iterator<Item = (&Set, bool)> {
    let individual = truncation.individual.iter().map(|set| (set, false));
    individual.chain(truncation.profiled.iter().map(|set| (set, true)))
}

/// What a legend says of a truncation.
fn words(truncation: &Truncation) -> String {
    let own = match (truncation.truncation.as_str(), truncation.max_np_order) {
        ("document", _) => "as in the document".to_owned(),
        ("order", Some(order)) => format!("order {order}"),
        (other, _) => other.to_owned(),
    };
    match &truncation.without {
        Some(name) => format!("{own}, without {}", clean(name)),
        None => own,
    }
}

/// What is drawn of a coefficient.
fn drawn(coefficient: &Coefficient) -> impl Iterator<Item = &Truncation> {
    coefficient.truncations.iter().filter(|truncation| !repeated(coefficient, truncation))
}

/// The document's own truncation where another one gives the same.
fn repeated(coefficient: &Coefficient, truncation: &Truncation) -> bool {
    let same = |other: &&Truncation| {
        other.truncation != "document"
            && other.without == truncation.without
            && (&other.individual, &other.profiled) == (&truncation.individual, &truncation.profiled)
    };
    truncation.truncation == "document" && coefficient.truncations.iter().any(|other| same(&other))
}

fn sets(coefficient: &Coefficient) -> Vec<&Set> {
    coefficient.truncations.iter().flat_map(rows).map(|(set, _)| set).collect()
}

fn values(set: &Set) -> Vec<f64> {
    let ends =
        set.intervals.iter().flat_map(|region| &region.intervals).flat_map(|i| [i.lower.value.0, i.upper.value.0]);
    ends.chain([set.best_fit.0]).filter(|value| value.is_finite()).collect()
}

/// How far from zero a set reaches.
fn extent(set: &Set) -> f64 {
    if set.intervals.is_empty() { 0.0 } else { values(set).into_iter().map(f64::abs).fold(0.0, f64::max) }
}

fn size(coefficient: &Coefficient) -> f64 {
    sets(coefficient).into_iter().map(extent).fold(0.0, f64::max)
}

/// The power of ten that brings a coefficient to the size of the largest.
fn factor(size: f64, largest: f64) -> f64 {
    if size > 0.0 { 10.0_f64.powi((largest / size).log10().floor().clamp(0.0, 6.0) as i32) } else { 1.0 }
}

fn entries(coefficients: &[Coefficient]) -> Vec<(Sign, String)> {
    let mut entries = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for truncation in coefficients.iter().flat_map(drawn) {
        let words = words(truncation);
        if !told.contains(&words) {
            entries.push((Sign::Area(colour(truncation).into()), words.clone()));
            told.push(words);
        }
    }
    let mut levels: Vec<f64> =
        coefficients.iter().flat_map(sets).flat_map(|set| &set.intervals).map(|region| region.level.0).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let percent = |level: f64| format!("{} %", number(100.0 * level, 3));
    if let Some((widest, others)) = levels.split_last() {
        let bars: Vec<String> = others.iter().map(|level| percent(*level)).collect();
        if !bars.is_empty() {
            let bars = bars.join(", ");
            entries.push((Sign::Area(GREY.mixed(WHITE, 0.65).into()), format!("{bars}, others held")));
            entries.push((Sign::Area(GREY.into()), format!("{bars}, others profiled")));
        }
        entries.push((Sign::Line(Stroke::solid(GREY, 1.8)), percent(*widest)));
    }
    entries.push((Sign::Dot(BLACK), "best fit".to_owned()));
    entries
}
